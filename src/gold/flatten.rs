//! Labelled pages of HTML flattened to text in several ways, to train the model for flattened text on.
//!
//! Users' scrapes come from many tools: some leave a blank line between all blocks, some put menus under bullets, some
//! repeat a link's text below its bullet, some join a row of short links into one line. Each style below imitates
//! one family; what is body stays known, since every line is made of known blocks.

use crate::label::Label;
use crate::page::dom::Tag;
use crate::page::{Block, Page};

/// How a page is flattened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Every block on a line of its own, a blank line between any two.
    Spaced,
    /// Every block on a line of its own; blank lines only around paragraphs and headings.
    Dense,
    /// List items and links indented under bullets, and some repeated below without one.
    Bullets,
    /// No blank line at all.
    Tight,
    /// Short neighbouring blocks of one parent joined into a line.
    Joined,
}

impl Style {
    /// All styles.
    pub const ALL: [Style; 5] = [Style::Spaced, Style::Dense, Style::Bullets, Style::Tight, Style::Joined];
}

/// A flattened page: its text, and for each line with text the share that is body and the label if known.
#[derive(Clone, Debug, Default)]
pub struct Flattened {
    /// The text.
    pub text: String,
    /// One for each line that is not blank, in order: share of body.
    pub body: Vec<f32>,
    /// One for each line that is not blank, in order.
    pub kinds: Vec<Option<Label>>,
}

/// Flattens a page whose blocks have shares of body (0 to 1) and maybe labels; `kinds` may be empty.
pub fn flatten(page: &Page, body: &[f32], kinds: &[Option<Label>], style: Style) -> Flattened {
    let mut out = Flattened::default();
    let mut last: Option<&Block> = None;
    let mut at = 0;
    while at < page.blocks.len() {
        let block = &page.blocks[at];
        let kind = kinds.get(at).copied().flatten();
        let share = body.get(at).copied().unwrap_or(0.0);
        let mut text = page.text_of(block).to_owned();
        let mut next = at + 1;
        if style == Style::Joined {
            // A row of short blocks under one parent, all of one label, comes out as one line.
            while next < page.blocks.len()
                && is_short(page, block)
                && is_short(page, &page.blocks[next])
                && parent_of_item(page, &page.blocks[next]) == parent_of_item(page, block)
                && (body.get(next).copied().unwrap_or(0.0) >= 0.5) == (share >= 0.5)
                && kinds.get(next).copied().flatten() == kind
                && text.len() < 300
            {
                text.push(if next % 2 == 0 { ' ' } else { '|' });
                text.push_str(page.text_of(&page.blocks[next]));
                next += 1;
            }
        }
        let gap = match style {
            Style::Spaced => last.is_some(),
            Style::Tight => false,
            Style::Joined => at % 3 != 0,
            Style::Dense | Style::Bullets => is_paragraph(page, block) || last.is_some_and(|l| is_paragraph(page, l)),
        };
        if gap {
            out.text.push('\n');
        }
        let item = style == Style::Bullets && is_item(page, block);
        for line in text.split('\n').filter(|line| !line.trim().is_empty()) {
            out.push(if item { "  • " } else { "" }, line, share, kind);
            if item && at % 4 == 0 && block.link_chars == block.chars {
                out.text.push('\n');
                out.push("    ", line, share, kind);
                out.text.push('\n');
            }
        }
        last = Some(block);
        at = next;
    }
    out
}

impl Flattened {
    fn push(&mut self, mark: &str, line: &str, share: f32, kind: Option<Label>) {
        self.text.push_str(mark);
        self.text.push_str(line);
        self.text.push('\n');
        self.body.push(share);
        self.kinds.push(kind);
    }
}

fn is_short(page: &Page, block: &Block) -> bool {
    page.text_of(block).chars().count() <= 40
}

fn is_item(page: &Page, block: &Block) -> bool {
    page.dom.tag(block.element) == Tag::Li
        || page.dom.ancestors(block.element).take(3).any(|n| page.dom.tag(n) == Tag::Li)
}

fn parent_of_item(page: &Page, block: &Block) -> u32 {
    page.dom
        .ancestors(block.element)
        .find(|n| matches!(page.dom.tag(*n), Tag::Ul | Tag::Ol | Tag::Tr | Tag::Div | Tag::Nav | Tag::Section))
        .unwrap_or(0)
}

fn is_paragraph(page: &Page, block: &Block) -> bool {
    matches!(page.dom.tag(block.element), Tag::P | Tag::H1 | Tag::H2 | Tag::H3 | Tag::Blockquote)
        || (page.text_of(block).len() > 200 && block.link_chars * 2 < block.chars)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<ul><li><a href=a>Home</a><li><a href=b>News</a></ul><h1>Title</h1><p>One.<br>Two.</p>";

    #[test]
    fn every_style_gives_a_label_for_every_line_and_keeps_all_text() {
        let page = Page::from_html(PAGE);
        let body = [0.0, 0.0, 0.0, 1.0];
        for style in Style::ALL {
            let flat = flatten(&page, &body, &[], style);
            let lines = Page::from_text(&flat.text);
            assert_eq!(lines.blocks.len(), flat.body.len(), "{style:?}");
            assert_eq!(flat.kinds.len(), flat.body.len());
            let kept: Vec<&str> = lines.texts().zip(&flat.body).filter(|(_, b)| **b >= 0.5).map(|(t, _)| t).collect();
            assert_eq!(kept, ["One.", "Two."], "{style:?}");
        }
        assert!(flatten(&page, &body, &[], Style::Joined).text.contains("Home|News"));
        assert!(flatten(&page, &body, &[], Style::Bullets).text.starts_with("  • Home\n\n    Home\n"));
    }
}
