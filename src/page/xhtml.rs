//! XHTML as HTML, so that one parser reads both.
//!
//! In XML `<script src="a.js"/>` is a whole element, in HTML a start tag that makes a script of the rest of the page;
//! `<![CDATA[text]]>` is text in XML, a comment in HTML. Browsers go by the type that the server says, which is not
//! known of a file; its XML declaration is. It is the source that is rewritten, since rules read it with a parser of
//! their own.

use std::borrow::Cow;

use memchr::{memchr, memmem};

/// Elements that HTML gives no content, and no end tag.
const VOID: [&str; 16] = [
    "area", "base", "basefont", "bgsound", "br", "col", "embed", "frame", "hr", "img", "input", "link", "meta",
    "param", "source", "track",
];

/// The source as it is, but of XHTML, that is what begins with an XML declaration and holds `<html`.
pub(crate) fn as_html(source: &str) -> Cow<'_, str> {
    let start = source.strip_prefix('\u{feff}').unwrap_or(source);
    match start.starts_with("<?xml") && memmem::find(start.as_bytes(), b"<html").is_some() {
        true => Cow::Owned(rewritten(start)),
        false => Cow::Borrowed(source),
    }
}

fn rewritten(source: &str) -> String {
    let mut html = String::with_capacity(source.len() + source.len() / 16);
    let mut rest = source;
    while let Some(at) = memchr(b'<', rest.as_bytes()) {
        html.push_str(&rest[..at]);
        rest = &rest[at..];
        // What does not end is left as it is.
        let Some(length) = markup(rest, &mut html) else { break };
        rest = &rest[length..];
    }
    html.push_str(rest);
    html
}

/// Writes the markup that a source begins with, and gives its length. `None`, and nothing is written, if it has no end.
fn markup(source: &str, html: &mut String) -> Option<usize> {
    let through = |end: &str| memmem::find(source.as_bytes(), end.as_bytes()).map(|at| at + end.len());
    let length = if source.starts_with("<!--") {
        through("-->")?
    } else if let Some(section) = source.strip_prefix("<![CDATA[") {
        let length = through("]]>")?;
        let text = &section[..length - "<![CDATA[]]>".len()];
        html.push_str(&text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"));
        return Some(length);
    } else if source[1..].starts_with(|c: char| c.is_ascii_alphabetic()) {
        let length = tag_length(source)?;
        let name = &source[1..source.find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>'))?];
        match source[..length].strip_suffix("/>") {
            Some(tag) if !VOID.contains(&name) && !ends_in_value(tag) => {
                html.extend([tag, "></", name, ">"]);
                return Some(length);
            }
            // A slash at the end of an address without quotes, or an element that never has content.
            Some(_) => length,
            // Their text holds no markup.
            None if matches!(name, "script" | "style") => through(&format!("</{name}"))?,
            None => length,
        }
    } else {
        1
    };
    html.push_str(&source[..length]);
    Some(length)
}

/// How long the tag is that a source begins with.
fn tag_length(source: &str) -> Option<usize> {
    let mut quote = None;
    let end = source.bytes().position(|byte| {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
        quote.is_none() && byte == b'>'
    });
    end.map(|end| end + 1)
}

/// Whether what stands last in a tag is a value without quotes, which goes on with a slash. XML has none, but what says
/// that it is XML may.
fn ends_in_value(tag: &str) -> bool {
    let last = tag.rsplit(|c: char| c.is_ascii_whitespace()).next().unwrap_or_default();
    last.contains('=') && !last.ends_with(['"', '\''])
}

#[cfg(test)]
mod tests {
    use super::super::Page;
    use super::*;

    const START: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<html xmlns=\"http://www.w3.org/1999/xhtml\">";

    fn body(source: &str) -> String {
        let html = as_html(&format!("{START}{source}")).into_owned();
        html.strip_prefix(START).map(str::to_owned).unwrap_or(html)
    }

    #[test]
    fn what_closes_itself_is_empty() {
        assert_eq!(body("<a id=\"n1\"/>x"), "<a id=\"n1\"></a>x");
        assert_eq!(body("<script src='a>b.js' /><p>x</p>"), "<script src='a>b.js' ></script><p>x</p>");
        assert_eq!(body("<title/><h:p/><div\n/>"), "<title></title><h:p></h:p><div\n></div>");
        for same in [
            "<br/><img src=\"a\"/>",
            "<a href=http://x.org/>x</a>",
            "<!-- <p/> --><script>'<p/>'</script><style><p/></style>",
            "<!DOCTYPE html [<!ENTITY a \"b\">]><p>a < b</p>",
            "<p title=\"<a/>\">x</p>",
            "<p/ x",
            "<!-- <p/>",
            "<![CDATA[ <p/>",
            "<",
        ] {
            assert_eq!(body(same), same);
        }
        let page = Page::from_html(&format!(
            "{START}<head><script src=\"a.js\"/><title/></head><body><p>One</p><textarea/><p>Two"
        ));
        assert_eq!(page.texts().collect::<Vec<_>>(), ["One", "Two"]);
    }

    #[test]
    fn character_data_is_text() {
        assert_eq!(body("<p><![CDATA[a > b & <i>]]></p><![CDATA[]]>"), "<p>a &gt; b &amp; &lt;i&gt;</p>");
        let page = Page::from_html(&format!("{START}<p><![CDATA[a > b]]>, c</p>"));
        assert_eq!(page.texts().collect::<Vec<_>>(), ["a > b, c"]);
    }

    #[test]
    fn other_sources_stay_as_they_are() {
        for html in ["<html><a/>", "<?xml version='1.0'?><rss><a/>", "\n<?xml version='1.0'?><html><a/>"] {
            assert!(matches!(as_html(html), Cow::Borrowed(same) if same == html), "{html}");
        }
    }
}
