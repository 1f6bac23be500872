//! The inside of a paragraph as Markdown: escaping, emphasis, code, links.

use std::ops::Range;

use url::Url;

use super::written::{Written, written};
use crate::page::dom::{AttrName, NodeId, Tag};
use crate::page::runs::Run;
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
    deleted: bool,
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
        let Written { text, runs } = written(self.page, block);
        let text = &*text;
        let spans = self.spans(&runs, text);
        let mut out = Out { text: String::with_capacity(text.len() + text.len() / 8), line: 0, mark: 0, lines };
        for group in spans.chunk_by(|a, b| a.style.link == b.style.link) {
            let range = group[0].text.start..group[group.len() - 1].text.end;
            let target = group[0].style.link.and_then(|link| self.target(link));
            let Some(target) = target else {
                out.spans(text, group, text[range.end..].chars().next());
                continue;
            };
            // White space at the ends of a link stays outside.
            let words = &text[range.clone()];
            let start = range.start + words.len() - words.trim_start().len();
            let end = start + words.trim().len();
            out.space(&text[range.start..start]);
            if start < end {
                out.text.push('[');
                out.spans(text, &within(group, &(start..end), Mark::None), Some(']'));
                out.text.push_str("](");
                out.text.push_str(&target);
                out.text.push(')');
            }
            out.space(&text[end.max(start)..range.end]);
        }
        out.text
    }

    /// Cuts a block's text where the style changes; white space goes with what is before it.
    fn spans(&self, runs: &[Run], text: &str) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        for run in runs {
            let style = self.style(run.node);
            match spans.last() {
                Some(last) if last.style == style => {}
                last => {
                    let start = if last.is_none() { 0 } else { run.start };
                    spans.push(Span { style, text: start..text.len() });
                }
            }
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
                Tag::Del | Tag::S | Tag::Strike => style.deleted = true,
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    None,
    Code,
    /// `~~` of GitHub Flavored Markdown.
    Deleted,
    Strong,
    Emphasis,
}

/// The mark around the first spans, and how many of them it is around: of two the one that reaches further.
fn outermost(spans: &[Span]) -> (Mark, usize) {
    let run = |has: &dyn Fn(&Style) -> bool| spans.iter().take_while(|span| has(&span.style)).count();
    let first = spans[0].style;
    if first.code.is_some() {
        return (Mark::Code, run(&|style| style.code == first.code));
    }
    let marks = [
        (Mark::Deleted, run(&|style| style.deleted && style.code.is_none())),
        (Mark::Strong, run(&|style| style.strong && style.code.is_none())),
        (Mark::Emphasis, run(&|style| style.emphasis && style.code.is_none())),
    ];
    let is_plain = |style: &Style| !style.deleted && !style.strong && !style.emphasis && style.code.is_none();
    // Of those that reach equally far the first.
    match marks.into_iter().rev().max_by_key(|(_, count)| *count) {
        Some((mark, count)) if count > 0 => (mark, count),
        _ => (Mark::None, run(&is_plain)),
    }
}

/// The part of spans in a range of the text, without a mark.
fn within(spans: &[Span], range: &Range<usize>, mark: Mark) -> Vec<Span> {
    let inside = spans.iter().map(|Span { style, text }| {
        let deleted = style.deleted && mark != Mark::Deleted;
        let strong = style.strong && mark != Mark::Strong;
        let emphasis = style.emphasis && mark != Mark::Emphasis;
        let code = style.code.filter(|_| mark != Mark::Code);
        let text = text.start.clamp(range.start, range.end)..text.end.clamp(range.start, range.end);
        Span { style: Style { code, deleted, strong, emphasis, ..*style }, text }
    });
    inside.collect()
}

struct Out {
    text: String,
    /// Where the last line begins.
    line: usize,
    /// How long the mark is that the text begins with.
    mark: usize,
    lines: Lines,
}

impl Out {
    /// Writes spans of a text; `next` is the character that comes after them.
    fn spans(&mut self, text: &str, spans: &[Span], next: Option<char>) {
        let mut rest = spans;
        while let Some(first) = rest.first() {
            let (mark, count) = outermost(rest);
            let (group, others) = rest.split_at(count);
            rest = others;
            let range = first.text.start..group[count - 1].text.end;
            let words = &text[range.clone()];
            let core = words.trim();
            let lead = words.len() - words.trim_start().len();
            let tail = &words[lead + core.len()..];
            self.space(&words[..lead]);
            if !core.is_empty() {
                let after = if others.is_empty() { "" } else { &text[range.end..] };
                let next = tail.chars().chain(after.chars()).next().or(next);
                let core = range.start + lead..range.end - tail.len();
                match mark {
                    Mark::Code if !self.text.ends_with('`') => self.code(&text[core]),
                    Mark::None => self.escape(&text[core], next),
                    // Code right after code would be read as one with it.
                    Mark::Code | Mark::Deleted | Mark::Strong | Mark::Emphasis => {
                        self.marked(mark, text, &within(group, &core, mark), next)
                    }
                }
            }
            self.space(tail);
        }
    }

    /// Writes spans in a mark, in which there may be others: without it where it would not be read as one.
    fn marked(&mut self, mark: Mark, text: &str, spans: &[Span], next: Option<char>) {
        let sign = match mark {
            Mark::Deleted => "~~",
            Mark::Strong => "**",
            Mark::Emphasis => "*",
            Mark::Code | Mark::None => return self.spans(text, spans, next),
        };
        let core = &text[spans[0].text.start..spans[spans.len() - 1].text.end];
        let before = self.text.chars().next_back();
        // The mark that this one is the first in takes no other's place.
        let touches = before == sign.chars().next() && self.text.len() > self.mark;
        // Delimiter runs must be left- and right-flanking (CommonMark 6.2); a mark that is not would show. Within
        // another mark one in a word could be read as the other's end.
        let alone = |c: Option<char>| c.is_none_or(|c| c.is_whitespace() || c.is_ascii_punctuation());
        let flanking = |inside: Option<char>, outside: Option<char>| {
            let word = inside.is_some_and(char::is_alphanumeric);
            if self.mark > 0 { word && alone(outside) } else { word || alone(outside) }
        };
        if touches || !flanking(core.chars().next(), before) || !flanking(core.chars().next_back(), next) {
            return self.spans(text, spans, next);
        }
        // The mark keeps the inner text from standing at the beginning of a line.
        let mut inner = Out { text: sign.to_owned(), line: 0, mark: sign.len(), lines: self.lines };
        inner.spans(text, spans, sign.chars().next());
        let start = self.text.len();
        self.text.push_str(&inner.text);
        self.text.push_str(sign);
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
    fn emphasis_within_emphasis() {
        assert_eq!(md("<p><b>b <i>bi</i></b>", None), "**b *bi***");
        assert_eq!(md("<p><i>a <b>b</b></i> c", None), "*a **b*** c");
        assert_eq!(md("<p><i><b>b</b> a</i> c", None), "***b** a* c");
        assert_eq!(md("<p><b><i>a</i></b>, <b>b <i>c</i> d</b>", None), "***a***, **b *c* d**");
        assert_eq!(md("<p>x<b>«a» <i>b</i></b>", None), "x«a» *b*", "the outer one could not be read");
        assert_eq!(md("<p><i><b>a</b>a</i> b", None), "*aa* b", "in the midst of a word");
        assert_eq!(md("<p><b>a <code>b</code> c</b>", None), "**a** `b` **c**");
        assert_eq!(md("<p><code>a</code><i><code>b</code></i> c", None), "`a`*b* c");
        let many = format!("<p><b>{}</b>", "a <i>b</i> ".repeat(20_000));
        assert_eq!(md(&many, None).len(), 6 * 20_000 + 3, "in linear time");
    }

    #[test]
    fn what_was_deleted_is_struck_through() {
        assert_eq!(
            md("<p>a <del>b</del><ins>c</ins>, <s>d <b>e</b></s>, <strike>f</strike>", None),
            "a ~~b~~ c, ~~d **e**~~, ~~f~~"
        );
        assert_eq!(md("<p><b>a <del>b</del></b>, <del><b>c</b></del>", None), "**a ~~b~~**, ~~**c**~~");
        assert_eq!(md("<p><del>~a</del> ~<del>b</del> <del><code>c</code></del>", None), "~~\\~a~~ \\~b `c`");
        assert_eq!(md("<p>wo<del>«r»</del>d", None), "wo«r»d");
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
