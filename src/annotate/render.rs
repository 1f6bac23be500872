//! A scraped page as a document that shows it and can do nothing else.
//!
//! The page is not cleaned but written anew from [`Dom`]: only elements and attributes that are named here come out,
//! so nothing has to be recognised as dangerous. It is XHTML, whose parser takes the tree as it is written; an HTML
//! parser would move elements about, and what it makes of odd markup is how cleaned pages come to run scripts again.

use std::fmt::Write;

use crate::page::dom::{AttrName, Display, Dom, NodeId, Tag};
use crate::page::{Block, Input, Page};

/// How pages look that come without their style sheets; all of a page's own styles go before it.
const READING_STYLE: &str = include_str!("page.css");
/// Of a page's own styles at most this many bytes are kept, so that one page cannot stall the browser.
const MAX_STYLE: usize = 500_000;

/// From this many blocks on, a page is laid out only where it is seen: thousands take the browser seconds.
const HUGE: usize = 1_000;

/// The page as XHTML with its own style ([`own_style`]), every block marked with `data-b`, its number.
pub fn xhtml(page: &Page, own: &str) -> String {
    let mut out = String::with_capacity(page.text.len() * 3 + READING_STYLE.len());
    out.push_str("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<html xmlns=\"http://www.w3.org/1999/xhtml\"");
    let dom = &page.dom;
    let huge = if page.blocks.len() > HUGE { "lubb-huge " } else { "" };
    if page.input() == Input::Text {
        let _ = write!(out, " class=\"{huge}lubb-plain\" dir=\"auto\"><head><style>");
        escape(READING_STYLE, &mut out);
        out.push_str("</style></head><body class=\"lubb-text\">");
        for (at, text) in page.texts().enumerate() {
            let _ = write!(out, "<p data-b=\"{at}\" dir=\"auto\">");
            escape(text, &mut out);
            out.push_str("</p>\n");
        }
        out.push_str("</body></html>\n");
        return out;
    }
    let root = dom.elements(Tag::Html).next();
    // Colours of the page's own on a dark ground of ours might be dark on dark.
    let colours = own.contains("color") || own.contains("background") || has_coloured_elements(dom);
    let plain = if colours { "" } else { "lubb-plain " };
    root.into_iter().for_each(|root| attributes(dom, root, &format!("{huge}{plain}"), &mut out));
    out.push_str("><head><style>");
    escape(READING_STYLE, &mut out);
    out.push_str("</style><style id=\"lubb-own\">");
    escape(own, &mut out);
    out.push_str("</style></head><body");
    dom.elements(Tag::Body).next().into_iter().for_each(|body| attributes(dom, body, "", &mut out));
    out.push('>');
    Writer { page, marks: Marks::of(page), out: &mut out }.write();
    out.push_str("</body></html>\n");
    out
}

/// The text of the `<style>` elements of decoded HTML, which [`Dom`] does not hold, with nothing nailed to the window: a
/// pop-up would lie over the blocks.
pub fn own_style(html: &str) -> String {
    let parsed = scraper::Html::parse_document(html);
    let mut style = String::new();
    let Ok(styles) = scraper::Selector::parse("style") else { return style };
    for element in parsed.select(&styles) {
        let text: String = element.text().collect();
        if style.len() + text.len() <= MAX_STYLE {
            style.push_str(&unpinned(&text));
            style.push('\n');
        }
    }
    style
}

fn has_coloured_elements(dom: &Dom) -> bool {
    let mut styles = (1..dom.len() as NodeId).filter_map(|node| dom.attr(node, AttrName::Style));
    styles.any(|style| style.contains("color") || style.contains("background"))
}

/// A style in which `position: fixed` and `sticky` are `static`.
fn unpinned(style: &str) -> String {
    let mut out = String::with_capacity(style.len());
    let mut rest = style;
    while let Some(at) = rest.find("position") {
        let (before, after) = rest.split_at(at + "position".len());
        out.push_str(before);
        let value = after.trim_start().strip_prefix(':').map(str::trim_start);
        let pinned = value.and_then(|value| value.strip_prefix("fixed").or_else(|| value.strip_prefix("sticky")));
        rest = match pinned {
            Some(rest) => {
                out.push_str(":static");
                rest
            }
            None => after,
        };
    }
    out.push_str(rest);
    out
}

/// Which node carries which block's number: an element that holds one block and nothing else, else the block's text
/// nodes.
struct Marks {
    /// For each node, the block it is marked with.
    nodes: Vec<Option<u32>>,
}

impl Marks {
    fn of(page: &Page) -> Marks {
        let dom = &page.dom;
        let mut nodes = vec![None; dom.len()];
        for (at, block) in page.blocks.iter().enumerate() {
            let before = at.checked_sub(1).map_or(0, |at| page.blocks[at].nodes.end);
            let after = page.blocks.get(at + 1).map_or(dom.len() as NodeId, |next| next.nodes.start);
            let alone = |node: NodeId| node >= before && dom.end(node) <= after;
            match holder(dom, block, alone) {
                Some(node) => nodes[node as usize] = Some(at as u32),
                None => {
                    let texts = block.nodes.clone().filter(|node| dom.tag(*node) == Tag::Text);
                    texts.for_each(|node| nodes[node as usize] = Some(at as u32));
                }
            }
        }
        Marks { nodes }
    }
}

/// The nearest block-level element around a block that holds nothing else, below `<body>`.
fn holder(dom: &Dom, block: &Block, alone: impl Fn(NodeId) -> bool) -> Option<NodeId> {
    let mut around = std::iter::once(block.element).chain(dom.ancestors(block.element));
    let element = around.find(|node| dom.tag(*node).display() == Display::Block)?;
    let outermost = matches!(dom.tag(element), Tag::Body | Tag::Html | Tag::Head | Tag::Document);
    (!outermost && alone(element)).then_some(element)
}

struct Writer<'a> {
    page: &'a Page,
    marks: Marks,
    out: &'a mut String,
}

impl Writer<'_> {
    fn write(&mut self) {
        let dom = &self.page.dom;
        let mut open: Vec<(NodeId, &'static str)> = Vec::new();
        let mut node: NodeId = 1;
        while (node as usize) < dom.len() {
            while let Some((_, name)) = open.pop_if(|(id, _)| dom.end(*id) <= node) {
                let _ = write!(self.out, "</{name}>");
            }
            let tag = dom.tag(node);
            let mark = self.marks.nodes[node as usize];
            match shape(tag) {
                Shape::Text => self.text(node, mark),
                Shape::Gone => {
                    node = dom.end(node);
                    continue;
                }
                Shape::Through => {}
                Shape::Image => self.image(node),
                Shape::Void(name) => {
                    let _ = write!(self.out, "<{name}/>");
                }
                Shape::Element(name, class) => {
                    let _ = write!(self.out, "<{name}");
                    attributes(dom, node, class, self.out);
                    if let Some(block) = mark {
                        let _ = write!(self.out, " data-b=\"{block}\"");
                    }
                    self.out.push('>');
                    open.push((node, name));
                }
            }
            node += 1;
        }
        for (_, name) in open.iter().rev() {
            let _ = write!(self.out, "</{name}>");
        }
    }

    fn text(&mut self, node: NodeId, mark: Option<u32>) {
        let text = self.page.dom.text(node);
        match mark.filter(|_| !text.trim().is_empty()) {
            Some(block) => {
                let _ = write!(self.out, "<span data-b=\"{block}\">");
                escape(text, self.out);
                self.out.push_str("</span>");
            }
            None => escape(text, self.out),
        }
    }

    /// An image that is part of the page itself; a grey box with the description for those that would be fetched.
    fn image(&mut self, node: NodeId) {
        let dom = &self.page.dom;
        let alt = dom.attr(node, AttrName::Alt).unwrap_or_default();
        match dom.attr(node, AttrName::Src).map(str::trim) {
            Some(src) if src.starts_with("data:image/") => {
                self.out.push_str("<img");
                attribute("src", src, self.out);
                attribute("alt", alt, self.out);
                self.out.push_str("/>");
            }
            _ if alt.trim().is_empty() => self.out.push_str("<span class=\"lubb-image\"></span>"),
            _ => {
                self.out.push_str("<span class=\"lubb-image lubb-alt\"");
                attribute("data-alt", alt, self.out);
                self.out.push_str("></span>");
            }
        }
    }
}

/// What becomes of an element.
enum Shape {
    /// An element of this name, with a class of ours.
    Element(&'static str, &'static str),
    /// An empty element.
    Void(&'static str),
    /// Its content alone.
    Through,
    /// Nothing, its content neither.
    Gone,
    Text,
    Image,
}

/// What is left of each element: everything with a behaviour of its own turns into a plain box.
fn shape(tag: Tag) -> Shape {
    match tag {
        Tag::Text => Shape::Text,
        Tag::Img => Shape::Image,
        Tag::Br | Tag::Hr | Tag::Wbr => Shape::Void(tag.name()),
        Tag::Document | Tag::Html | Tag::Head | Tag::Body => Shape::Through,
        Tag::Input => Shape::Gone,
        Tag::Button => Shape::Element("div", "lubb-button "),
        Tag::Center => Shape::Element("div", "lubb-center "),
        Tag::Custom
        | Tag::Details
        | Tag::Dialog
        | Tag::Fieldset
        | Tag::Form
        | Tag::Frameset
        | Tag::Legend
        | Tag::Math
        | Tag::Menu
        | Tag::Noscript
        | Tag::Search
        | Tag::Select
        | Tag::Summary
        | Tag::Template
        | Tag::Textarea => Shape::Element("div", ""),
        Tag::Font
        | Tag::LabelTag
        | Tag::Marquee
        | Tag::Object
        | Tag::Optgroup
        | Tag::OptionTag
        | Tag::Picture
        | Tag::Unknown => Shape::Element("span", ""),
        _ if tag.display() == Display::Hidden => Shape::Gone,
        // What is left only shows text: paragraphs, headings, lists, tables, emphasis, and links without their target.
        _ => Shape::Element(tag.name(), ""),
    }
}

fn attributes(dom: &Dom, node: NodeId, class: &str, out: &mut String) {
    let own = dom.attr(node, AttrName::Class).unwrap_or_default();
    if !(class.is_empty() && own.is_empty()) {
        attribute("class", &format!("{class}{own}"), out);
    }
    for (name, value) in dom.attrs(node) {
        match name {
            AttrName::Id => attribute("id", value, out),
            AttrName::Lang => attribute("lang", value, out),
            AttrName::Dir if ["ltr", "rtl", "auto"].contains(&value.to_ascii_lowercase().as_str()) => {
                attribute("dir", value, out);
            }
            AttrName::Style => attribute("style", &unpinned(value), out),
            AttrName::Colspan if value.parse::<u16>().is_ok() => attribute("colspan", value, out),
            AttrName::Rowspan if value.parse::<u16>().is_ok() => attribute("rowspan", value, out),
            AttrName::Hidden => out.push_str(" hidden=\"hidden\""),
            _ => {}
        }
    }
}

fn attribute(name: &str, value: &str, out: &mut String) {
    let _ = write!(out, " {name}=\"");
    escape(value, out);
    out.push('"');
}

/// Text for XML: markup escaped, and left out what XML cannot hold, which would end the document.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(c),
            '\u{fffe}' | '\u{ffff}' => {}
            _ if c < ' ' => {}
            _ => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(html: &str) -> String {
        let all = xhtml(&Page::from_html(html), &own_style(html));
        let (_, body) = all.split_once("<body").unwrap();
        body.to_owned()
    }

    #[test]
    fn nothing_that_acts_comes_through() {
        let page = "<base href='https://evil.example/'><meta http-equiv=refresh content='0;url=https://evil.example/'>\
                    <script>alert(1)</script><body onload='alert(2)'><p onclick=alert(3)>text</p>\
                    <a href='javascript:alert(4)' ping=https://evil.example/>link</a><form action=https://evil.example/>\
                    <input autofocus onfocus=alert(5)><button formaction=javascript:alert(6)>send</button></form>\
                    <iframe srcdoc='<script>alert(7)</script>'></iframe><object data=https://evil.example/>o</object>\
                    <img src=x onerror=alert(8) alt='\"><script>alert(9)</script>'><svg onload=alert(10)><a \
                    href=javascript:alert(11)>s</a></svg><math href=javascript:alert(12)>m</math><embed src=e>\
                    <a href='&#106;avascript:alert(13)' style='position: fixed; top:0'>b</a><link rel=stylesheet href=e>";
        let written = xhtml(&Page::from_html(page), &own_style(page));
        for banned in [
            "<script",
            "<base",
            "<meta",
            "onload",
            "onclick",
            "onfocus",
            "onerror",
            "href",
            "ping",
            "<form",
            "<input",
            "<iframe",
            "<object",
            "<svg",
            "<math",
            "<embed",
            "action",
            "<link",
            "fixed",
            "evil.example/'",
        ] {
            assert!(!written.contains(banned), "{banned} in {written}");
        }
        assert!(written.contains(">text</p>") && written.contains("data-alt=\"&quot;&gt;&lt;script&gt;"));
    }

    #[test]
    fn it_is_well_formed_whatever_the_page_holds() {
        let odd = "<p>a & b < c \u{1}\u{fffe}]]> <b>d<i>e</b>f</i><table><p>g<td colspan=x class='\"<>&'>h</table>\
                   <style>a>b{content:'</'}</style><template><tr><td>i</template><o:p>k</o:p>";
        for html in [odd, "", "<frameset><frame>", "<svg><style>x"] {
            let written = xhtml(&Page::from_html(html), &own_style(html));
            let mut open: Vec<&str> = Vec::new();
            for part in written.split('<').skip(2) {
                let (tag, text) = part.split_once('>').unwrap();
                assert!(!text.contains(['\u{1}', '\u{fffe}']));
                let name = tag.split(' ').next().unwrap();
                match name.strip_prefix('/') {
                    Some(name) => assert_eq!(open.pop(), Some(name), "{written}"),
                    None if tag.ends_with('/') => {}
                    None => open.push(name),
                }
            }
            assert_eq!(open, [""; 0]);
        }
    }

    #[test]
    fn the_pages_own_style_is_kept_without_what_is_pinned() {
        let html = "<style>p{color:red}</style><p>a</p><style>div{position:fixed}</style>";
        let written = xhtml(&Page::from_html(html), &own_style(html));
        assert!(written.contains("p{color:red}") && !written.contains("fixed"), "{written}");
    }

    #[test]
    fn every_block_of_the_samples_is_marked() {
        for entry in std::fs::read_dir("data/labelled").unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "html") {
                let page = Page::new(&std::fs::read(&path).unwrap(), &Default::default());
                let written = xhtml(&page, "");
                for at in 0..page.blocks.len() {
                    assert!(written.contains(&format!("data-b=\"{at}\"")), "{} block {at}", path.display());
                }
            }
        }
    }

    #[test]
    fn an_element_with_one_block_is_marked_itself_and_mixed_ones_by_their_texts() {
        assert!(body("<p>a <b>b</b></p>").contains("<p data-b=\"0\">a <b>b</b></p>"));
        let mixed = body("<div>a<p>b</p></div>");
        assert!(mixed.contains("<div><span data-b=\"0\">a</span><p data-b=\"1\">b</p></div>"), "{mixed}");
    }

    #[test]
    fn flattened_text_is_a_paragraph_a_line() {
        let written = xhtml(&Page::from_text("one\n\n<b>two"), "");
        assert!(written.contains("<p data-b=\"1\" dir=\"auto\">&lt;b&gt;two</p>"), "{written}");
    }
}
