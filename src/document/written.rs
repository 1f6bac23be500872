//! A block's text as a document writes it. What the model reads is the letters alone; a reader would take
//! `10<sup>6</sup>` for 106 then, and never see what `<q>` or a soft hyphen stands for.

use std::borrow::Cow;

use crate::page::dom::{AttrName, Dom, NodeId, Tag};
use crate::page::invisible::{has_invisible, is_invisible, visible};
use crate::page::runs::{Run, runs};
use crate::page::{Block, Page};

/// How far up the elements are looked for that say how a text is written.
const MAX_ANCESTORS: usize = 8;

/// A block's text with the places of its nodes in it.
#[derive(Debug)]
pub(super) struct Written<'a> {
    pub text: Cow<'a, str>,
    pub runs: Vec<Run>,
}

/// A block's text, and where its nodes stand in it.
pub(super) fn written<'a>(page: &'a Page, block: &Block) -> Written<'a> {
    let text = page.text_of(block);
    let runs: Vec<Run> = runs(page, block).collect();
    if is_as_read(page, block) {
        return Written { text: Cow::Borrowed(text), runs };
    }
    let mut writer = Writer { dom: &page.dom, text: String::with_capacity(text.len() + 16), open: Vec::new() };
    let starts = runs.first().map_or(text.len(), |run| run.start);
    writer.push(&text[..starts], |c| c);
    let mut places = Vec::with_capacity(runs.len());
    for (at, run) in runs.iter().enumerate() {
        let next = runs.get(at + 1);
        let end = next.map_or(text.len(), |next| next.start);
        let before = at.checked_sub(1).map(|before| runs[before].node);
        places.push(Run { node: run.node, start: writer.text.len() });
        writer.run(run.node, before, block, &text[run.start..end], next.map(|next| next.node));
    }
    let end = writer.text.trim_end().len();
    writer.text.truncate(end);
    // A node of which nothing is shown may have stood behind the last white space.
    places.iter_mut().for_each(|run| run.start = run.start.min(end));
    Written { text: Cow::Owned(writer.text), runs: places }
}

/// A block's text alone.
pub(super) fn text<'a>(page: &'a Page, block: &Block) -> Cow<'a, str> {
    if is_as_read(page, block) { Cow::Borrowed(page.text_of(block)) } else { written(page, block).text }
}

/// Whether nothing of a block is written.
pub(super) fn is_blank(page: &Page, block: &Block) -> bool {
    page.text_of(block).chars().all(|c| c.is_whitespace() || is_invisible(c))
}

/// Whether a block is written as it is read.
fn is_as_read(page: &Page, block: &Block) -> bool {
    let marked = |node| matches!(page.dom.tag(node), Tag::Sup | Tag::Sub | Tag::Q | Tag::Rt);
    // The first text may be in such an element, which stands before it.
    let around = block.nodes.is_empty() || !page.dom.ancestors(block.nodes.start).take(MAX_ANCESTORS).any(marked);
    around && !block.nodes.clone().any(marked) && !has_invisible(page.text_of(block))
}

/// Writes the text of a block, node by node.
struct Writer<'a> {
    dom: &'a Dom,
    text: String,
    /// The ends of open elements, and what is written there.
    open: Vec<(NodeId, char)>,
}

impl Writer<'_> {
    /// Writes the text of a node between two others.
    fn run(&mut self, node: NodeId, before: Option<NodeId>, block: &Block, text: &str, next: Option<NodeId>) {
        self.open_marks(node, before, block);
        let raise = script(self.dom, node);
        let core = text.trim_end();
        self.push(core, raise.unwrap_or(|c| c));
        while let Some((_, mark)) = self.open.pop_if(|(end, _)| next.is_none_or(|next| next >= *end)) {
            self.text.push(mark);
        }
        self.push(&text[core.len()..], |c| c);
    }

    /// Writes the marks of the elements that begin with a node.
    fn open_marks(&mut self, node: NodeId, before: Option<NodeId>, block: &Block) {
        let dom = self.dom;
        let begins = |element: &NodeId| before.map_or(*element >= block.element, |before| before < *element);
        let elements: Vec<NodeId> = dom.ancestors(node).take(MAX_ANCESTORS).take_while(begins).collect();
        for element in elements.into_iter().rev() {
            let marks = match dom.tag(element) {
                // Many pages write the marks too.
                Tag::Q if !self.text.ends_with(QUOTES) && !dom.text(node).trim_start().starts_with(QUOTES) => {
                    quotes(dom, element, self.open.iter().any(|(_, mark)| QUOTES.contains(mark)))
                }
                // `<rp>` holds the parentheses for whoever knows no `<ruby>`.
                Tag::Rt if before.is_none_or(|before| dom.tag(dom.parent(before)) != Tag::Rp) => ('(', ')'),
                _ => continue,
            };
            self.text.push(marks.0);
            self.open.push((dom.end(element), marks.1));
        }
    }

    /// Writes text; what is left out leaves no white space at the beginning and no two in a row.
    fn push(&mut self, text: &str, letter: fn(char) -> char) {
        for c in visible(text) {
            if !c.is_whitespace() || !self.text.is_empty() && !self.text.ends_with(char::is_whitespace) {
                self.text.push(letter(c));
            }
        }
    }
}

/// What quotations begin and end with.
const QUOTES: [char; 10] = ['"', '\'', '“', '”', '‘', '’', '„', '«', '»', '‹'];

/// The quotation marks of a `<q>`, by the language that is declared for it.
fn quotes(dom: &Dom, element: NodeId, inner: bool) -> (char, char) {
    const ANGLED: [&str; 12] = ["ar", "fa", "fr", "ru", "uk", "be", "el", "it", "es", "nb", "no", "hy"];
    let mut around = std::iter::once(element).chain(dom.ancestors(element).take(MAX_ANCESTORS));
    let lang = around.find_map(|node| dom.attr(node, AttrName::Lang));
    let lang = lang.or_else(|| dom.attr(dom.elements(Tag::Html).next()?, AttrName::Lang)).unwrap_or_default();
    let primary = lang.split(['-', '_']).next().unwrap_or_default().trim().to_ascii_lowercase();
    match (ANGLED.contains(&primary.as_str()), inner) {
        (true, false) => ('«', '»'),
        (false, true) => ('‘', '’'),
        _ => ('“', '”'),
    }
}

/// How the letters of a node are raised or lowered, if Unicode has all those of its `<sup>` or `<sub>`.
fn script(dom: &Dom, node: NodeId) -> Option<fn(char) -> char> {
    const MAX_NODES: NodeId = 12;
    const MAX_CHARS: usize = 16;
    let is_script = |&node: &NodeId| matches!(dom.tag(node), Tag::Sup | Tag::Sub);
    let element = dom.ancestors(node).take(MAX_ANCESTORS).find(is_script)?;
    if dom.end(element) - element > MAX_NODES {
        return None;
    }
    let letter = if dom.tag(element) == Tag::Sup { superscript } else { subscript };
    let mut chars = (element..dom.end(element)).flat_map(|node| dom.text(node).chars()).enumerate();
    chars.all(|(at, c)| at < MAX_CHARS && (c.is_whitespace() || is_invisible(c) || letter(c) != c)).then_some(letter)
}

fn superscript(c: char) -> char {
    match c {
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '0' | '4'..='9' => raised(c, '⁰'),
        '+' => '⁺',
        '-' | '−' => '⁻',
        '=' => '⁼',
        '(' => '⁽',
        ')' => '⁾',
        'n' => 'ⁿ',
        'i' => 'ⁱ',
        c => c,
    }
}

fn subscript(c: char) -> char {
    match c {
        '0'..='9' => raised(c, '₀'),
        '+' => '₊',
        '-' | '−' => '₋',
        '=' => '₌',
        '(' => '₍',
        ')' => '₎',
        'n' => 'ₙ',
        'i' => 'ᵢ',
        c => c,
    }
}

/// A digit among those that begin with `zero`.
fn raised(digit: char, zero: char) -> char {
    char::from_u32(zero as u32 + digit as u32 - '0' as u32).unwrap_or(digit)
}

#[cfg(test)]
mod tests {
    use crate::Page;
    use crate::document::{markdown, plain_text};

    /// The text of a page, which its Markdown has too.
    fn text(html: &str) -> String {
        let page = Page::from_html(html);
        let kept: Vec<_> = page.blocks.iter().collect();
        let text = plain_text(&page, &kept);
        assert_eq!(markdown(&page, &kept).trim_end(), text);
        text
    }

    #[test]
    fn raised_and_lowered_letters_stay_so_where_unicode_has_them() {
        assert_eq!(text("<p>10<sup>6</sup> m<sup>3</sup> of H<sub>2</sub>O, 10<sup>−12</sup>"), "10⁶ m³ of H₂O, 10⁻¹²");
        assert_eq!(text("<p>founded in 1210<sup><a href=#n1>2</a></sup>."), "founded in 1210².");
        assert_eq!(text("<p><sup>(1)</sup> x<sub>n+1</sub> = x<sup>i</sup>"), "⁽¹⁾ xₙ₊₁ = xⁱ");
        let page = Page::from_html("<p>the 1<sup>st</sup>, a<sup>[2]</sup>, ١<sup>٢</sup>, y<sup>1st 2</sup>");
        assert_eq!(plain_text(&page, &[&page.blocks[0]]), "the 1st, a[2], ١٢, y1st 2");
        let page = Page::from_html("<p><b>a<sup>2</sup></b> <i>b</i>");
        assert_eq!(markdown(&page, &[&page.blocks[0]]), "**a²** *b*\n", "letters of other lengths");
    }

    #[test]
    fn quotations_and_readings_are_marked() {
        assert_eq!(
            text("<p>He said <q>we will <q>not</q> pay</q>.<p><q>“No”</q>"),
            "He said “we will ‘not’ pay”.\n\n“No”"
        );
        assert_eq!(text("<p>the “<q>paradox</q>”"), "the “paradox”");
        assert_eq!(text("<html lang=ar-EG><p><q>لن ندفع</q> قال"), "«لن ندفع» قال");
        assert_eq!(text("<p><ruby>漢字<rt>かんじ</rt></ruby>と"), "漢字(かんじ)と");
        assert_eq!(text("<p><ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp></ruby>"), "漢(かん)");
    }

    #[test]
    fn what_is_never_shown_parts_no_words() {
        assert_eq!(text("<p>Bundes&shy;tag und\u{200b} <i>\u{200b}</i>Rat \u{200b}"), "Bundestag und Rat");
        assert_eq!(text("<p>Rat <i>\u{200b}</i>"), "Rat");
        assert_eq!(text("<p>\u{200b} a</p><p>\u{200b}</p><p>می\u{200c}خواهد"), "a\n\nمی\u{200c}خواهد");
        assert_eq!(text("<p>ភាសា\u{200b}ខ្មែរ, ไทย\u{200b}ๆ"), "ភាសា\u{200b}ខ្មែរ, ไทย\u{200b}ๆ");
        let flat = Page::from_text("Bundes\u{ad}tag\nx");
        assert_eq!(plain_text(&flat, &flat.blocks.iter().collect::<Vec<_>>()), "Bundestag\n\nx");
    }
}
