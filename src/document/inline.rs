//! The inside of a paragraph as Markdown: escaping, emphasis, code, links.

use std::ops::Range;

use url::Url;

use crate::page::dom::{AttrName, Display, NodeId, Tag};
use crate::page::segment::is_inset;
use crate::page::{Block, Page};

/// How far up emphasis and links are looked for.
const MAX_ANCESTORS: usize = 64;

/// What becomes of `<br>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lines {
    /// Hard line breaks.
    Kept,
    /// Spaces, where Markdown allows one line only.
    Joined,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Style {
    link: Option<NodeId>,
    code: Option<NodeId>,
    strong: bool,
    emphasis: bool,
}

/// A run of a block's text in one style, in bytes of the block's text.
#[derive(Debug)]
struct Span {
    style: Style,
    text: Range<usize>,
}

/// Renders the blocks of a page.
pub(super) struct Inline<'a> {
    page: &'a Page,
    base: Option<Url>,
}

impl<'a> Inline<'a> {
    pub(super) fn new(page: &'a Page) -> Self {
        Inline { page, base: page.url.as_deref().and_then(|url| Url::parse(url).ok()) }
    }

    /// A block's text as Markdown, without line feeds at its ends.
    pub(super) fn markdown(&self, block: &Block, lines: Lines) -> String {
        let text = self.page.text_of(block);
        let spans = self.spans(block, text);
        let mut out = Out { text: String::with_capacity(text.len() + text.len() / 8), line: 0, lines };
        for group in spans.chunk_by(|a, b| a.style.link == b.style.link) {
            let range = group[0].text.start..group[group.len() - 1].text.end;
            let target = group[0].style.link.and_then(|link| self.target(link));
            let Some(target) = target else {
                out.spans(text, group, &text[range.end..]);
                continue;
            };
            // White space at the ends of a link stays outside.
            let words = &text[range.clone()];
            let start = range.start + words.len() - words.trim_start().len();
            let end = start + words.trim().len();
            out.space(&text[range.start..start]);
            if start < end {
                out.text.push('[');
                let inside = group.iter().map(|span| Span {
                    style: span.style,
                    text: span.text.start.clamp(start, end)..span.text.end.clamp(start, end),
                });
                out.spans(text, &inside.collect::<Vec<_>>(), "]");
                out.text.push_str("](");
                out.text.push_str(&target);
                out.text.push(')');
            }
            out.space(&text[end.max(start)..range.end]);
        }
        out.text
    }

    /// Cuts a block's text where the style changes. Both hold the same characters besides white space, so they are
    /// counted along; white space goes with what is before it.
    fn spans(&self, block: &Block, text: &str) -> Vec<Span> {
        let dom = &self.page.dom;
        let mut spans: Vec<Span> = Vec::new();
        let mut chars = text.char_indices().filter(|(_, c)| !c.is_whitespace());
        let mut node = block.nodes.start;
        while node < block.nodes.end {
            if dom.tag(node).display() == Display::Hidden || is_inset(dom, node) {
                node = dom.end(node);
                continue;
            }
            let shown = |c: &char| !c.is_whitespace() && !c.is_control() && *c != '\u{feff}';
            let count = dom.text(node).chars().filter(shown).count();
            if count > 0 {
                let Some((start, _)) = chars.next() else { break };
                chars.by_ref().take(count - 1).for_each(drop);
                let style = self.style(node);
                match spans.last() {
                    Some(last) if last.style == style => {}
                    last => {
                        let start = if last.is_none() { 0 } else { start };
                        spans.push(Span { style, text: start..text.len() });
                    }
                }
            }
            node += 1;
        }
        if spans.is_empty() {
            spans.push(Span { style: Style::default(), text: 0..text.len() });
        }
        for at in 1..spans.len() {
            spans[at - 1].text.end = spans[at].text.start;
        }
        spans
    }

    fn style(&self, node: NodeId) -> Style {
        let dom = &self.page.dom;
        let mut style = Style::default();
        for ancestor in dom.ancestors(node).take(MAX_ANCESTORS) {
            match dom.tag(ancestor) {
                Tag::A if style.link.is_none() && dom.attr(ancestor, AttrName::Href).is_some() => {
                    style.link = Some(ancestor);
                }
                Tag::B | Tag::Strong => style.strong = true,
                Tag::I | Tag::Em => style.emphasis = true,
                Tag::Code | Tag::Kbd | Tag::Samp | Tag::Tt => style.code = style.code.or(Some(ancestor)),
                _ => {}
            }
        }
        style
    }

    /// Where a link leads, as it is written between the parentheses; nothing for scripts and places on the same page.
    fn target(&self, link: NodeId) -> Option<String> {
        let href = self.page.dom.attr(link, AttrName::Href)?.trim();
        if href.is_empty() || href.starts_with('#') {
            return None;
        }
        let resolved = match &self.base {
            Some(base) => base.join(href).ok(),
            None => Url::parse(href).ok(),
        };
        let address = match &resolved {
            Some(url) if matches!(url.scheme(), "http" | "https" | "mailto" | "tel" | "ftp") => url.as_str(),
            Some(_) => return None,
            // Relative to an address that is not known. What looks like a scheme is none that is let through.
            None if self.base.is_none() && !href.split(['/', '?']).next().is_some_and(|s| s.contains(':')) => href,
            None => return None,
        };
        let mut target = String::with_capacity(address.len());
        for c in address.chars() {
            match c {
                '(' | ')' | '<' | '>' | '\\' | '`' | '|' | '*' => target.push_str(&format!("%{:02X}", c as u32)),
                c if c.is_whitespace() || c.is_control() => {
                    let mut bytes = [0; 4];
                    c.encode_utf8(&mut bytes).bytes().for_each(|byte| target.push_str(&format!("%{byte:02X}")));
                }
                c => target.push(c),
            }
        }
        Some(escape_entities(&target))
    }
}

/// `&lt;` in an address would be read as `<`.
fn escape_entities(address: &str) -> String {
    let mut out = String::with_capacity(address.len());
    for (at, c) in address.char_indices() {
        out.push_str(if c == '&' && is_entity(&address[at..]) { "&amp;" } else { &address[at..at + c.len_utf8()] });
    }
    out
}

/// Whether a text that begins with `&` begins with what may be a character reference.
fn is_entity(text: &str) -> bool {
    let name = text[1..].trim_start_matches('#');
    let end = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
    end > 0 && name[end..].starts_with(';')
}

struct Out {
    text: String,
    /// Where the last line begins.
    line: usize,
    lines: Lines,
}

impl Out {
    /// Writes spans of a text; `after` is what will be written next.
    fn spans(&mut self, text: &str, spans: &[Span], after: &str) {
        let style = |span: &Span| Style { link: None, ..span.style };
        let groups: Vec<&[Span]> = spans.chunk_by(|a, b| style(a) == style(b)).collect();
        for (at, group) in groups.iter().enumerate() {
            let range = group[0].text.start..group[group.len() - 1].text.end;
            let words = &text[range.clone()];
            let core = words.trim();
            let lead = words.len() - words.trim_start().len();
            let tail = &words[lead + core.len()..];
            self.space(&words[..lead]);
            if !core.is_empty() {
                let next = if at + 1 < groups.len() { &text[range.end..] } else { after };
                let next = tail.chars().next().or_else(|| next.chars().next());
                self.styled(core, style(&group[0]), next);
            }
            self.space(tail);
        }
    }

    fn styled(&mut self, core: &str, style: Style, next: Option<char>) {
        if style.code.is_some() && !self.text.ends_with('`') {
            return self.code(core);
        }
        let mark = match style {
            Style { strong: true, .. } => "**",
            Style { emphasis: true, .. } => "*",
            _ => return self.escape(core, next),
        };
        let mut inner = Out { text: String::new(), line: 0, lines: self.lines };
        // The mark before it keeps the inner text from standing at the beginning of a line.
        inner.text.push_str(mark);
        inner.escape(core, Some('*'));
        let before = self.text.chars().next_back();
        let inside = (core.chars().next(), core.chars().next_back());
        // Delimiter runs must be left- and right-flanking (CommonMark 6.2); a mark that is not would show.
        let flanking = |inside: Option<char>, outside: Option<char>| {
            inside.is_some_and(char::is_alphanumeric)
                || outside.is_none_or(|c| c.is_whitespace() || c.is_ascii_punctuation())
        };
        if before == Some('*') || !flanking(inside.0, before) || !flanking(inside.1, next) {
            return self.escape(core, next);
        }
        let start = self.text.len();
        self.text.push_str(&inner.text);
        self.text.push_str(mark);
        if inner.line > 0 {
            self.line = start + inner.line;
        }
    }

    fn code(&mut self, core: &str) {
        let longest = core.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(longest + 1);
        let pad = if core.starts_with('`') || core.ends_with('`') { " " } else { "" };
        let core = core.replace('\n', " ");
        self.text.extend([&fence, pad, &core, pad, &fence]);
    }

    fn space(&mut self, space: &str) {
        for c in space.chars() {
            match (c, self.lines) {
                ('\n', Lines::Kept) => {
                    self.text.push_str("\\\n");
                    self.line = self.text.len();
                }
                ('\n', Lines::Joined) => self.text.push(' '),
                (c, _) => self.text.push(c),
            }
        }
    }

    /// Writes text so that it is read as itself; `next` is the character after it.
    fn escape(&mut self, text: &str, next: Option<char>) {
        let mut before = self.text.chars().next_back();
        for (at, c) in text.char_indices() {
            let rest = &text[at + c.len_utf8()..];
            let after = rest.chars().next().or(next);
            if c.is_whitespace() {
                self.space(&text[at..at + c.len_utf8()]);
                before = Some(c);
                continue;
            }
            let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            let escape = match c {
                '\\' | '`' | '*' | '[' | ']' | '<' | '~' => true,
                // Inside a word it is no emphasis.
                '_' => !(word(before) && word(after)),
                // Before a link it would make it an image.
                '!' => rest.is_empty() || after == Some('['),
                '&' => is_entity(&text[at..]),
                _ => self.line == self.text.len() && opens_block(c, after) || self.ends_list_number(c, after),
            };
            if escape {
                self.text.push('\\');
            }
            self.text.push(c);
            before = Some(c);
        }
    }

    /// `1.` or `1)` at the beginning of a line.
    fn ends_list_number(&self, c: char, after: Option<char>) -> bool {
        let line = &self.text[self.line..];
        matches!(c, '.' | ')')
            && after.is_none_or(char::is_whitespace)
            && (1..=9).contains(&line.len())
            && line.bytes().all(|b| b.is_ascii_digit())
    }
}

/// Whether a character at the beginning of a line may open a heading, a quote, a list, a rule or a row of a table.
fn opens_block(c: char, after: Option<char>) -> bool {
    match c {
        '#' => after.is_none_or(|c| c == '#' || c.is_whitespace()),
        '>' | '=' | '|' | ':' => true,
        '-' | '+' => after.is_none_or(|c| c.is_whitespace() || matches!(c, '-' | '|' | ':' | '+')),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn md(html: &str, url: Option<&str>) -> String {
        let mut page = Page::from_html(html);
        page.url = url.map(str::to_owned);
        Inline::new(&page).markdown(&page.blocks[0], Lines::Kept)
    }

    #[test]
    fn links_are_resolved_and_scripts_dropped() {
        let url = Some("https://sahifa.example/a/b.html");
        assert_eq!(
            md("<p><a href='../ج (1)?a=1&amp;lt;=2'> نص </a>", url),
            "[نص](https://sahifa.example/%D8%AC%20%281%29?a=1&amp;lt;=2)"
        );
        assert_eq!(md("<p>أ <a href=' JavaScript:alert(1)'>ب</a> <a href='#n'>ج</a>", url), "أ ب ج");
        assert_eq!(md("<p><a href='c d'>أ</a> <a href='javascript:0'>ب</a>", None), "[أ](c%20d) ب");
        assert_eq!(md("<p><a href=/1>أ</a><a href=/2>ب<b>ج</b></a>", None), "[أ](/1) [ب**ج**](/2)");
    }

    #[test]
    fn emphasis_only_where_it_can_be_read_as_such() {
        assert_eq!(md("<p>قال<b> نعم </b>ثم <i>مضى</i>.", None), "قال **نعم** ثم *مضى*.");
        assert_eq!(md("<p>قال<b>«نعم»</b>ثم", None), "قال«نعم»ثم");
        assert_eq!(md("<p><b>أ</b><i>ب</i>", None), "**أ**ب");
    }

    #[test]
    fn what_looks_like_markdown_is_escaped() {
        assert_eq!(
            md("<p>1. a_b _c_ *d* [e] &lt;f&gt; &amp;amp; g&amp;h<br>- i<br># j", None),
            "1\\. a_b \\_c\\_ \\*d\\* \\[e\\] \\<f> \\&amp; g&h\\\n\\- i\\\n\\# j"
        );
        assert_eq!(md("<p><code>a`b</code> <code>*</code>", None), "``a`b`` `*`");
    }
}
