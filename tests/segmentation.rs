//! What segmentation promises for every page, on generated ones: no text lost, none doubled, order kept, and blocks
//! that are what their fields say.

use std::fmt::Write;

use lubb::document::plain_text;
use lubb::page::dom::{AttrName, Display, NodeId, Tag};
use lubb::{Block, Page};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// A part of a generated page.
#[derive(Clone, Debug)]
enum Part {
    /// Text as the reader sees it.
    Text(String),
    /// The same, written in entities.
    Entities(String),
    Break,
    /// An element that shows no text, and the text in it.
    Hidden(&'static str, String),
    /// An element, with its attributes, and what is in it.
    Element(&'static str, &'static str, Vec<Part>),
    /// Rows of cells.
    Table(Vec<Vec<Part>>),
}

impl Part {
    fn html(&self, out: &mut String) {
        match self {
            Part::Text(text) => out.push_str(&text.replace('&', "&amp;").replace('<', "&lt;")),
            Part::Entities(text) => text.chars().for_each(|c| write!(out, "&#x{:x};", c as u32).unwrap()),
            Part::Break => out.push_str("<br>"),
            Part::Hidden("comment", text) => write!(out, "<!-- {text} -->").unwrap(),
            Part::Hidden(tag, text) => write!(out, "<{tag}>{text}</{tag}>").unwrap(),
            Part::Element(tag, attributes, parts) => {
                write!(out, "<{tag} {attributes}>").unwrap();
                parts.iter().for_each(|part| part.html(out));
                write!(out, "</{tag}>").unwrap();
            }
            Part::Table(rows) => {
                out.push_str("<table>");
                for row in rows {
                    out.push_str("<tr>");
                    for cell in row {
                        out.push_str("<td>");
                        cell.html(out);
                    }
                }
                out.push_str("</table>");
            }
        }
    }

    /// The characters that the part shows, in order.
    fn shown(&self, out: &mut String) {
        match self {
            Part::Text(text) | Part::Entities(text) => out.extend(shown(text)),
            Part::Break | Part::Hidden(..) => {}
            Part::Element(_, _, parts) => parts.iter().for_each(|part| part.shown(out)),
            Part::Table(rows) => rows.iter().flatten().for_each(|part| part.shown(out)),
        }
    }
}

/// What a block's text keeps of a text: all but white space, control characters and byte order marks.
fn shown(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().filter(|c| !c.is_whitespace() && !c.is_control() && *c != '\u{feff}')
}

fn words() -> impl Strategy<Value = String> {
    const WORDS: [&str; 20] = [
        "one",
        "two.",
        "a<b",
        "R&D",
        "&copy",
        "أعلنت",
        "وزارةُ",
        "المالية،",
        "٢٠٢٤",
        "می\u{200c}خواهد",
        "نفس\u{200f}",
        "新闻。",
        "東京タワー",
        "한국어",
        "हिन्दी",
        "e\u{301}",
        "👩\u{200d}👧",
        "\u{feff}bom",
        "\u{ad}",
        "—",
    ];
    const GAPS: [&str; 7] = ["", " ", " ", "\n  ", "\t", "\u{a0}", "\u{3000}"];
    vec((select(GAPS.to_vec()), select(WORDS.to_vec())), 0..5)
        .prop_map(|words| words.into_iter().fold(String::new(), |text, (gap, word)| text + gap + word))
}

fn leaf() -> impl Strategy<Value = Part> {
    prop_oneof![
        6 => words().prop_map(Part::Text),
        1 => words().prop_map(Part::Entities),
        2 => Just(Part::Break),
        1 => (select(vec!["script", "style", "comment", "svg", "video", "iframe"]), "[a-z ]{0,9}")
            .prop_map(|(tag, text)| Part::Hidden(tag, text)),
    ]
}

/// Elements that may be nested in any way without the parser moving them; a block in a paragraph ends it, and that
/// is no loss of text either.
fn part() -> impl Strategy<Value = Part> {
    const ELEMENTS: [(&str, &str); 20] = [
        ("div", ""),
        ("div", "class=x"),
        ("p", ""),
        ("section", ""),
        ("article", ""),
        ("h2", ""),
        ("blockquote", "dir=rtl"),
        ("pre", ""),
        ("ul", ""),
        ("ol", ""),
        ("li", ""),
        ("span", ""),
        ("b", ""),
        ("strong", ""),
        ("em", ""),
        ("a", "href=/x"),
        ("a", "name=x"),
        ("my-widget", ""),
        ("noscript", ""),
        ("bdi", ""),
    ];
    leaf().prop_recursive(6, 60, 6, |inner| {
        prop_oneof![
            8 => (select(ELEMENTS.to_vec()), vec(inner.clone(), 0..6)).prop_map(|((tag, attributes), parts)| Part::Element(tag, attributes, parts)),
            1 => vec(vec(inner, 1..4), 1..4).prop_map(Part::Table),
        ]
    })
}

/// Tags opened and closed in any order, which the parser has to make a tree of.
fn soup() -> impl Strategy<Value = String> {
    const TAGS: [&str; 27] = [
        "p",
        "div",
        "a href=/x",
        "b",
        "i",
        "table",
        "tr",
        "td",
        "caption",
        "ul",
        "li",
        "br",
        "hr",
        "h1",
        "form",
        "button",
        "select",
        "option",
        "svg",
        "math",
        "script",
        "style",
        "textarea",
        "template",
        "noscript",
        "body",
        "frameset",
    ];
    let tag = (select(TAGS.to_vec()), any::<bool>()).prop_map(|(tag, open)| match open {
        true => format!("<{tag}>"),
        false => format!("</{}>", tag.split(' ').next().unwrap()),
    });
    vec(prop_oneof![2 => tag, 1 => words(), 1 => "[ -~]{0,6}"], 0..40).prop_map(|parts| parts.concat())
}

fn texts(page: &Page) -> String {
    page.texts().flat_map(shown).collect()
}

fn within(page: &Page, node: NodeId, is: impl Fn(NodeId) -> bool) -> bool {
    page.dom.ancestors(node).any(is)
}

fn is_shown(page: &Page, node: NodeId) -> bool {
    !within(page, node, |n| page.dom.tag(n).display() == Display::Hidden)
}

/// The text nodes that are shown, in document order.
fn text_nodes(page: &Page, nodes: std::ops::Range<NodeId>) -> impl Iterator<Item = NodeId> + '_ {
    nodes.filter(|&n| page.dom.tag(n) == Tag::Text && shown(page.dom.text(n)).next().is_some() && is_shown(page, n))
}

fn chars(page: &Page, nodes: impl Iterator<Item = NodeId>) -> u32 {
    nodes.map(|n| shown(page.dom.text(n)).count() as u32).sum()
}

/// Checks everything that a page of HTML says of its blocks against its tree.
fn check(page: &Page) -> Result<(), TestCaseError> {
    let dom = &page.dom;
    let all = || text_nodes(page, 0..dom.len() as NodeId);
    prop_assert_eq!(texts(page), all().flat_map(|n| shown(dom.text(n))).collect::<String>());
    prop_assert_eq!(&page.text, &page.texts().map(|text| format!("{text}\n")).collect::<String>());
    let block_of = |n: NodeId| dom.ancestors(n).find(|&a| dom.tag(a).display() == Display::Block).unwrap_or(0);
    let (mut node, mut byte) = (0, 0);
    for block in &page.blocks {
        prop_assert!(block.nodes.start >= node && block.text.start >= byte && !block.text.is_empty());
        (node, byte) = (block.nodes.end, block.text.end);
        let text = page.text_of(block);
        prop_assert_eq!(text, text.trim());

        let run = || text_nodes(page, block.nodes.clone());
        prop_assert_eq!((run().next(), run().last()), (Some(block.nodes.start), Some(block.nodes.end - 1)));
        prop_assert_eq!(block.chars as usize, shown(text).count());
        let is_link = |n: NodeId| dom.tag(n) == Tag::A && dom.attr(n, AttrName::Href).is_some();
        let is_bold = |n: NodeId| matches!(dom.tag(n), Tag::B | Tag::Strong);
        prop_assert_eq!(block.chars, chars(page, run()));
        prop_assert_eq!(block.link_chars, chars(page, run().filter(|&n| within(page, n, is_link))));
        prop_assert_eq!(block.bold_chars, chars(page, run().filter(|&n| within(page, n, is_bold))));
        prop_assert_eq!(block.links > 0, block.link_chars > 0);

        let holds = |n: NodeId| n < block.nodes.start && dom.end(n) >= block.nodes.end;
        prop_assert!(holds(block.element) && !dom.children(block.element).any(holds));
        let around = block_of(block.nodes.start);
        // A short button or element of the site's own in the midst of a paragraph may be a word of it.
        let is_word = |n: NodeId| {
            let element = block_of(n);
            let is_amid = element > block.nodes.start && dom.end(element) < block.nodes.end;
            let is_short = chars(page, text_nodes(page, element..dom.end(element))) < 40;
            matches!(dom.tag(element), Tag::Button | Tag::Custom) && block_of(element) == around && is_amid && is_short
        };
        let holds_run = |n: NodeId| block_of(n) == around || dom.tag(around) == Tag::P && is_word(n);
        prop_assert!(run().all(holds_run), "'{}' runs through several block elements", text);
    }
    // A run ends only where something ends it.
    for pair in page.blocks.windows(2) {
        let between = (pair[0].nodes.end..pair[1].nodes.start).filter(|&n| is_shown(page, n));
        let ends = |n: NodeId| dom.tag(n).display() == Display::Block && dom.tag(n) != Tag::Text;
        let (mut breaks, mut ended) = (0, block_of(pair[0].nodes.start) != block_of(pair[1].nodes.start));
        for n in between {
            breaks += u32::from(dom.tag(n) == Tag::Br);
            ended |= ends(n);
        }
        prop_assert!(ended || breaks >= 2, "nothing ends '{}'", page.text_of(&pair[0]));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pages_keep_their_text(parts in vec(part(), 0..8)) {
        let (mut html, mut expected) = (String::new(), String::new());
        for part in &parts {
            part.html(&mut html);
            part.shown(&mut expected);
        }
        let page = Page::from_html(&html);
        prop_assert_eq!(texts(&page), expected, "{}", html);
        check(&page)?;
    }

    #[test]
    fn tag_soup_keeps_what_the_parser_shows(html in soup()) {
        check(&Page::from_html(&html))?;
    }

    #[test]
    fn documents_hold_the_kept_blocks_and_only_these(parts in vec(part(), 1..8), mask in any::<u64>()) {
        let mut html = String::new();
        parts.iter().for_each(|part| part.html(&mut html));
        let page = Page::from_html(&html);
        let kept: Vec<&Block> = page.blocks.iter().enumerate().filter(|(at, _)| mask >> (at % 64) & 1 == 1).map(|(_, b)| b).collect();
        let text = plain_text(&page, &kept);
        // Soft hyphens and spaces of no width say where a line may end, and are written in code alone.
        let letters = |text| -> String { shown(text).filter(|c| !matches!(c, '\u{ad}' | '\u{200b}')).collect() };
        let expected: String = kept.iter().map(|block| letters(page.text_of(block))).collect();
        prop_assert_eq!(letters(&text), expected, "{}", html);
    }

    #[test]
    fn flattened_text_keeps_its_lines(input in vec(prop_oneof![4 => words(), 2 => "[ \t\r•*-]{0,4}", 1 => "\\PC{0,9}", 1 => "[\\x00-\\x1f]{0,3}"], 0..12)) {
        let input = input.join("\n");
        let page = Page::from_text(&input);
        prop_assert_eq!(page.blocks.len(), page.lines.len());
        prop_assert_eq!(&page.text, &page.texts().map(|text| format!("{text}\n")).collect::<String>());
        // Lines end in a carriage return alone where more do than end in a line feed.
        let returns = input.matches('\r').count() - input.matches("\r\n").count();
        let old_mac = returns > input.matches('\n').count();
        let input = if old_mac { input.replace("\r\n", "\n").replace('\r', "\n") } else { input };
        let lines: Vec<&str> = input.lines().collect();
        let (mut number, mut byte) = (0, 0);
        for (block, line) in page.blocks.iter().zip(&page.lines) {
            let text = page.text_of(block);
            prop_assert!(line.number > number && block.text.start >= byte);
            // The lines that are skipped hold nothing.
            prop_assert!(lines[number as usize..line.number as usize - 1].iter().all(|line| shown(line).next().is_none()));
            (number, byte) = (line.number, block.text.end);
            prop_assert!(!text.is_empty() && text == text.trim(), "{text:?}");
            prop_assert!(shown(text).eq(shown(lines[number as usize - 1])), "{text:?}");
            prop_assert_eq!(block.chars as usize, shown(text).count());
            prop_assert_eq!((block.link_chars, block.bold_chars, block.links), (0, 0, 0));
        }
        prop_assert!(lines[number as usize..].iter().all(|line| shown(line).next().is_none()));
    }
}
