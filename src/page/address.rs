//! The address that a page gives itself, for pages that were saved without theirs.

use super::dom::{AttrName, Tag};
use super::words::start_of;
use super::{Page, host_of};

impl Page {
    /// The address that is known of it: the one that it came with, unless that is unusable and the page gives itself one.
    pub(crate) fn address(&self) -> Option<&str> {
        let given = self.url.as_deref().filter(|url| !url.trim().is_empty());
        let usable = given.filter(|url| host_of(url).is_some());
        usable.or_else(|| self.declared_url()).or(given)
    }

    /// The page's own absolute address: `<link rel=canonical>`, else `og:url`, else where a browser that saved it wrote
    /// that it did so from.
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
        let metas = metas.filter_map(|meta| self.dom.attr(meta, AttrName::Content));
        let mut all = links.chain(metas).chain(self.saved_from.as_deref()).map(str::trim);
        all.find(|url| url::Url::parse(url).is_ok_and(|url| url.has_host() && url.scheme().starts_with("http")))
    }
}

/// The address in the comment that a browser puts on top of a page that it saves, after the doctype.
pub(super) fn saved_from(html: &str) -> Option<&str> {
    const WINDOW: usize = 4096;
    let top = start_of(html, WINDOW);
    by_browser(top).or_else(|| by_single_file(top))
}

/// `<!-- saved from url=(0042)https://… -->`; the number is the address' length.
fn by_browser(top: &str) -> Option<&str> {
    /// What authors write there for Internet Explorer to run the scripts of a local page; it is nobody's address.
    const NOBODYS: &str = "http://internet.e-mail";
    let (_, rest) = top.split_once("<!-- saved from url=(")?;
    let (length, rest) = rest.split_once(')')?;
    let (address, _) = rest.split_once("-->")?;
    let address = address.trim();
    (length.bytes().all(|b| b.is_ascii_digit()) && address != NOBODYS).then_some(address)
}

/// The comment of SingleFile, an add-on that saves a page with its pictures: a line each for its name, `url: https://…`
/// and the date.
fn by_single_file(top: &str) -> Option<&str> {
    let (_, comment) = top.split_once("<!--")?;
    let (comment, _) = comment.split_once("-->")?;
    let (_, lines) = comment.split_once("Page saved with SingleFile")?;
    lines.lines().find_map(|line| line.trim().strip_prefix("url:")).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_file_says_where_a_page_is_from_too() {
        let url = |comment: &str| {
            let html = format!("<!DOCTYPE html> <html><!--\n Page {comment}\n-->\n<p>a");
            Page::from_html(&html).declared_url().map(str::to_owned)
        };
        let saved = "saved with SingleFile \n url: https://www.example.org/a?b \n saved date: Mon Nov 30 2020";
        assert_eq!(url(saved).as_deref(), Some("https://www.example.org/a?b"));
        assert_eq!(url("saved with SingleFile\n url: file:///pages/a.html"), None);
        assert_eq!(url("made by hand\n url: https://www.example.org/a"), None);
    }

    #[test]
    fn an_unusable_address_does_not_hide_the_pages_own() {
        let with = |html: &str, url: &str| Page { url: Some(url.to_owned()), ..Page::from_html(html) };
        let own = "<link rel=canonical href='https://www.example.org/a'>";
        for (url, expected) in [("", "https://www.example.org/a"), ("news.example/a", "https://www.example.org/a")] {
            assert_eq!(with(own, url).address(), Some(expected), "{url}");
        }
        assert_eq!(with(own, "https://news.example/b").address(), Some("https://news.example/b"));
        assert_eq!(with("<p>a", "news.example/a").address(), Some("news.example/a"));
        assert_eq!(with("<p>a", "").address(), None);
    }

    #[test]
    fn the_address_that_a_page_was_saved_from_comes_last() {
        let saved = "<!DOCTYPE html>\n<!-- saved from url=(0025)https://www.example.org/a -->\n<p>a";
        assert_eq!(Page::from_html(saved).declared_url(), Some("https://www.example.org/a"));
        let both = format!("{saved}<meta property=og:url content=https://example.org/b>");
        assert_eq!(Page::from_html(&both).declared_url(), Some("https://example.org/b"));
        for mark in ["(0014)about:internet", "(0022)http://internet.e-mail", "(0025)https://www.example.org/a"] {
            let page = Page::from_html(&format!("<!-- saved from url={mark}"));
            assert_eq!(page.declared_url(), None, "not closed");
            let page = Page::from_html(&format!("<!-- saved from url={mark} --><p>a"));
            assert_eq!(page.declared_url().is_some(), mark.ends_with("org/a"), "{mark}");
        }
    }
}
