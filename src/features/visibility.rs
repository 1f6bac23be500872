//! What a reader does not see, or only when asked: hidden elements, dialogues, panels of tabs. And what was said before.
//!
//! Hidden text is no chrome by rule: some sites hide the article until a script runs. On `wcxb-dev`, text hidden by its
//! class is left out of the references of shops and forums, but tabs and accordions of service pages are in them; text
//! in dialogues is left out everywhere (0.00 to 0.06 of it on 153 pages). So each way of hiding is a column of its own.

use crate::page::Page;
use crate::page::dom::{AttrName, NodeId, Tag};
use crate::page::segment::is_hiding_style;

use super::declared::three_in_a_row;
use super::log::ln_1p;
use super::structure::Structure;
use super::text::TextStats;

const NAMES: &[&str] = &[
    "hidden_by_attribute",
    "hidden_by_aria",
    "hidden_by_class",
    "in_panel",
    "in_dialog_role",
    "in_details",
    "hidden_share",
    "hidden_long_share",
    "nth_article",
    "said_before",
];

// One bit each, inherited downwards, in the order of the columns.
const BY_ATTRIBUTE: u8 = 1;
const BY_ARIA: u8 = 1 << 1;
const BY_CLASS: u8 = 1 << 2;
const PANEL: u8 = 1 << 3;
const DIALOG: u8 = 1 << 4;
const DETAILS: u8 = 1 << 5;
const MARKS: usize = 6;
const HIDDEN: u8 = BY_ATTRIBUTE | BY_ARIA | BY_CLASS;

/// Class names by which frameworks hide an element on every screen, whole: `md:hidden` is shown on small ones.
const HIDING: [&str; 15] = [
    "a-offscreen",
    "aok-hidden",
    "d-none",
    "display-none",
    "hidden",
    "hide",
    "invisible",
    "is-hidden",
    "offscreen",
    "screen-reader-text",
    "sr-only",
    "u-hidden",
    "visually-hidden",
    "visuallyhidden",
    "wd-hidden",
];
/// Parts of class names of what is shown once it is chosen.
const PANELS: [&str; 5] = ["accordion", "collaps", "tab-pane", "tabpanel", "tab-content"];

/// Where a block stands as a reader sees it, for all blocks of a page.
pub struct Visibility {
    marks: Vec<u8>,
    /// For each node the outermost hidden element around it, 0 if none is.
    hidden: Vec<NodeId>,
    /// For each node its place among the page's outermost `<article>` elements from 1, 0 outside of them.
    articles: Vec<u8>,
    said_before: Vec<f32>,
}

impl Visibility {
    /// Looks a page over.
    pub fn of(page: &Page, stats: &[TextStats], hashes: &[u64], structure: &Structure) -> Visibility {
        let dom = &page.dom;
        let mut marks = vec![0u8; dom.len()];
        let mut hidden: Vec<NodeId> = vec![0; dom.len()];
        let mut articles = vec![0u8; dom.len()];
        let outermost = outermost_articles(page);
        let marks_of = |&node: &NodeId| marks_of_class(dom.attr(node, AttrName::Class).unwrap_or(""));
        let classes: Vec<u8> = structure.classes.iter().map(marks_of).collect();
        for (&node, attributes) in structure.holders.iter().zip(&structure.attributes) {
            let (at, parent) = (node as usize, dom.parent(node) as usize);
            let tag = dom.tag(node);
            (marks[at], hidden[at], articles[at]) = (marks[parent], hidden[parent], articles[parent]);
            match tag {
                Tag::Dialog => marks[at] |= DIALOG,
                Tag::Details => marks[at] |= DETAILS,
                Tag::Article if articles[at] == 0 => {
                    let before = outermost.partition_point(|article| *article < node);
                    articles[at] = u8::try_from(before + 1).unwrap_or(u8::MAX);
                }
                _ => {}
            }
            use AttrName::{AriaHidden, AriaModal, Hidden, Role, Style};
            marks[at] |= classes[attributes.class as usize];
            let asked = |name| matches!(name, AriaHidden | AriaModal | Hidden | Role | Style);
            let telling = if attributes.telling { Some(dom.attrs_among(node, asked)) } else { None };
            for (name, value) in telling.into_iter().flatten() {
                marks[at] |= match name {
                    Hidden => BY_ATTRIBUTE,
                    Style if is_hiding_style(value) => BY_ATTRIBUTE,
                    AriaHidden if value == "true" => BY_ARIA,
                    AriaModal if value == "true" => DIALOG,
                    Role if matches!(value, "dialog" | "alertdialog") => DIALOG,
                    Role if value == "tabpanel" => PANEL,
                    _ => 0,
                };
            }
            if hidden[at] == 0 && marks[at] & HIDDEN != 0 {
                hidden[at] = node;
            }
        }
        Visibility { marks, hidden, articles, said_before: said_before(stats, hashes) }
    }

    /// Appends a block's columns in the order of [`names`].
    pub fn columns(&self, page: &Page, structure: &Structure, at: usize, out: &mut Vec<f32>) {
        let element = page.blocks[at].element as usize;
        let marks = self.marks[element];
        out.extend::<[f32; MARKS]>(std::array::from_fn(|bit| f32::from(marks >> bit & 1)));
        match self.hidden[element] {
            0 => out.extend([0.0; 2]),
            node => {
                let inner = structure.totals(structure.blocks(page, node));
                out.extend([inner.words / structure.page().words.max(1.0), inner.long_words / inner.words.max(1.0)]);
            }
        }
        out.push(ln_1p(f32::from(self.articles[element])));
        out.push(self.said_before[at]);
    }
}

/// The names of [`Visibility::columns`].
pub fn names() -> Vec<String> {
    NAMES.iter().map(|name| (*name).to_owned()).collect()
}

/// The `<article>` elements that are in no other one, also those without blocks.
fn outermost_articles(page: &Page) -> Vec<NodeId> {
    let mut outermost = Vec::new();
    let mut end = 0;
    for node in page.dom.elements(Tag::Article) {
        if node >= end {
            end = page.dom.end(node);
            outermost.push(node);
        }
    }
    outermost
}

fn marks_of_class(class: &str) -> u8 {
    let mut marks = 0;
    for name in class.split_ascii_whitespace() {
        if HIDING.iter().any(|hiding| name.eq_ignore_ascii_case(hiding)) || name.ends_with("lightbox-hide") {
            marks |= BY_CLASS;
        }
    }
    // Each of the parts has one of these pairs of letters, and few other names do: most classes are not searched for parts.
    let pairs = class.as_bytes().iter().zip(class.as_bytes().iter().skip(1));
    let may_be = pairs.fold(false, |may, pair| may | matches!(pair, (b'c', b'c') | (b'p', b's') | (b'a', b'b')));
    // The parts have no white space, so that all names are searched at once.
    if may_be && PANELS.iter().any(|part| class.contains(part)) {
        marks |= PANEL;
    }
    marks
}

/// For each block the share of its runs of three words that an earlier block has too: quotations, copies, signatures.
///
/// The runs are kept as bits by their hash, 32 bits for each word of the page, so that about one run in 32 is taken for
/// one that was said; a set of the hashes would cost more than all other columns of this module.
fn said_before(stats: &[TextStats], hashes: &[u64]) -> Vec<f32> {
    let bits = (hashes.len() * 32).next_power_of_two().max(64);
    let mut seen = vec![0u64; bits / 64];
    let shift = 64 - bits.trailing_zeros();
    let place = |run: u64| {
        let bit = (run.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> shift) as usize;
        (bit / 64, 1u64 << (bit % 64))
    };
    let of = |s: &TextStats| {
        let words = &hashes[s.hashes.start as usize..s.hashes.end as usize];
        let said = three_in_a_row(words).map(place).filter(|(word, bit)| seen[*word] & bit != 0).count();
        three_in_a_row(words).map(place).for_each(|(word, bit)| seen[word] |= bit);
        said as f32 / words.len().saturating_sub(2).max(1) as f32
    };
    stats.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_panels_name_is_found() {
        for part in PANELS {
            assert_eq!(marks_of_class(&format!("x my-{part}s y")), PANEL, "{part}");
        }
        assert_eq!(marks_of_class("tab table accept collection"), 0);
    }

    fn rows(html: &str) -> Vec<Vec<f32>> {
        let page = Page::from_html(html);
        let (stats, hashes) = super::super::text::page_stats(&page);
        let structure = Structure::of(&page, &stats);
        let visibility = Visibility::of(&page, &stats, &hashes, &structure);
        let row = |at| {
            let mut row = Vec::new();
            visibility.columns(&page, &structure, at, &mut row);
            assert_eq!(row.len(), names().len());
            row
        };
        (0..page.blocks.len()).map(row).collect()
    }

    fn column(rows: &[Vec<f32>], name: &str) -> Vec<f32> {
        let at = NAMES.iter().position(|n| *n == name).unwrap();
        rows.iter().map(|row| row[at]).collect()
    }

    #[test]
    fn each_way_of_hiding_has_its_column_and_descendants_inherit_it() {
        let rows = rows(
            "<div hidden><p>a</p></div><div style='color:red; DISPLAY : none !important'><p>b</p></div>\
             <div aria-hidden=true>c</div><div class='x d-none'><p>d</p></div><div class='md:hidden block'>e</div>\
             <div style='max-width:none'>f</div>",
        );
        assert_eq!(column(&rows, "hidden_by_attribute"), [1.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(column(&rows, "hidden_by_aria"), [0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
        assert_eq!(column(&rows, "hidden_by_class"), [0.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn dialogues_panels_and_details_are_told_apart() {
        let rows = rows(
            "<div role=dialog><p>a</p></div><div aria-modal=true>b</div><dialog>c</dialog><details>d</details>\
             <div class=faq-accordion__item>e</div><div role=tabpanel>f</div>",
        );
        assert_eq!(column(&rows, "in_dialog_role"), [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
        assert_eq!(column(&rows, "in_details"), [0.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
        assert_eq!(column(&rows, "in_panel"), [0.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
    }

    #[test]
    fn a_hidden_article_is_known_by_its_share_of_the_page_and_its_prose() {
        let prose = "The council of the town decided on Tuesday, after a long day, to build the bridge again.";
        let rows = rows(&format!("<div hidden><p>{prose}</p><p>{prose} Then it rained.</p></div><p>menu</p>"));
        assert!(column(&rows, "hidden_share")[0] > 0.9 && column(&rows, "hidden_long_share")[1] > 0.9);
        assert_eq!(column(&rows, "hidden_share")[2], 0.0);
    }

    #[test]
    fn articles_are_numbered_and_nested_ones_belong_to_the_outer() {
        let rows = rows("<p>a</p><article><p>b</p><article><p>c</p></article></article><article><p>d</p></article>");
        assert_eq!(column(&rows, "nth_article"), [0.0, ln_1p(1.0), ln_1p(1.0), ln_1p(2.0)]);
    }

    #[test]
    fn a_quotation_was_said_before_and_its_first_time_was_not() {
        let rows =
            rows("<p>One two three four five six.</p><blockquote>one, two three four</blockquote><p>One two</p>");
        assert_eq!(column(&rows, "said_before"), [0.0, 1.0, 0.0]);
    }
}
