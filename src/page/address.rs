//! The address that a page gives itself, for pages that were saved without theirs.

use super::Page;
use super::dom::{AttrName, Tag};

impl Page {
    /// The page's own absolute address: `<link rel=canonical>`, else `og:url`.
    ///
    /// ```
    /// let page = lubb::Page::from_html("<link rel=canonical href='https://www.example.org/a'>");
    /// assert_eq!(page.declared_url(), Some("https://www.example.org/a"));
    /// ```
    pub fn declared_url(&self) -> Option<&str> {
        let has = |node, name, wanted: &str| {
            let value = self.dom.attr(node, name);
            value.is_some_and(|value| value.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case(wanted)))
        };
        let links = self.dom.elements(Tag::Link).filter(|link| has(*link, AttrName::Rel, "canonical"));
        let metas = self.dom.elements(Tag::Meta).filter(|meta| has(*meta, AttrName::Property, "og:url"));
        let links = links.filter_map(|link| self.dom.attr(link, AttrName::Href));
        let mut all = links.chain(metas.filter_map(|meta| self.dom.attr(meta, AttrName::Content))).map(str::trim);
        all.find(|url| url::Url::parse(url).is_ok_and(|url| url.has_host() && url.scheme().starts_with("http")))
    }
}
