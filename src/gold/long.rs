//! Labelled pages once more, with an article many times as long: novels, reports, transcripts.
//!
//! What a block's features say of its page and of its surroundings (their words, its share in them) goes on growing or
//! shrinking with the article, and few labelled articles are long: a model that saw none took the paragraphs of a novel for
//! comments. A copy has the blocks of its page and, after each whole paragraph of the body, more that are made of the words
//! of others.

use std::collections::BTreeMap;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::label::Label;
use crate::page::dom::NodeId;
use crate::page::{Page, segment};

/// A page and its blocks' labels, as in an example for training: the share of body, and what someone called them.
pub struct Long {
    /// The longer page.
    pub page: Page,
    /// For each block the share of its words that is body, 0 to 1.
    pub body: Vec<f32>,
    /// For each block its label, where someone gave one; empty if none.
    pub kinds: Vec<Option<Label>>,
}

/// Words of the body of a copy at the least and at the most: lengths between are drawn by their order of magnitude.
const WORDS: (f64, f64) = (3_000.0, 40_000.0);
/// Fewer paragraphs are too few to make many of.
const LEAST_PARAGRAPHS: usize = 6;
/// A paragraph has so many words at the least.
const LEAST_WORDS: usize = 8;

/// A longer copy of a page of HTML; none where it has too few paragraphs, or is as long already.
pub fn long(id: &str, page: &Page, body: &[f32], kinds: &[Option<Label>]) -> Option<Long> {
    let texts: Vec<&str> = page.texts().collect();
    let is_paragraph = |at: &usize| {
        let block = &page.blocks[*at];
        // Alone in its element, so that the next one stands in another.
        body.get(*at).is_some_and(|share| *share >= 0.9)
            && kinds.get(*at).is_none_or(|kind| kind.is_none_or(|kind| kind == Label::Body))
            && texts[*at].split_whitespace().count() >= LEAST_WORDS
            && block.nodes == (block.element + 1..page.dom.end(block.element))
    };
    let paragraphs: Vec<usize> = (0..page.blocks.len()).filter(is_paragraph).collect();
    if paragraphs.len() < LEAST_PARAGRAPHS {
        return None;
    }
    let words: usize = paragraphs.iter().map(|at| texts[*at].split_whitespace().count()).sum();
    let draw = f64::from((xxh3_64_with_seed(id.as_bytes(), 2) >> 40) as u32) / f64::from(1 << 24);
    let wanted = WORDS.0 * (WORDS.1 / WORDS.0).powf(draw);
    let each = (wanted / words as f64) as usize;
    let more = |(place, at): (usize, &usize)| {
        let text = |turn: usize| turned(texts[paragraphs[(place + 3 * turn + 1) % paragraphs.len()]], turn + 1);
        (*at, (0..each).map(text).collect::<Vec<String>>())
    };
    let more: BTreeMap<usize, Vec<String>> = paragraphs.iter().enumerate().map(more).collect();
    let after: BTreeMap<NodeId, &[String]> =
        more.iter().map(|(at, texts)| (page.blocks[*at].element, &texts[..])).collect();
    let dom = page.dom.with_more(&after);
    let (blocks, text) = segment::segment(&dom);
    // Where each block of the copy comes from.
    let times = |at: usize| 1 + more.get(&at).map_or(0, Vec::len);
    let from: Vec<usize> = (0..page.blocks.len()).flat_map(|at| std::iter::repeat_n(at, times(at))).collect();
    (each > 0 && blocks.len() == from.len()).then(|| Long {
        body: from.iter().map(|at| body[*at]).collect(),
        kinds: if kinds.is_empty() { Vec::new() } else { from.iter().map(|at| kinds[*at]).collect() },
        page: Page { dom, blocks, text, ..page.clone() },
    })
}

/// The words of a text in another order: the first and the last stay, those between are turned by so many places.
fn turned(text: &str, by: usize) -> String {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    if let Some(between) = words.get_mut(1..).and_then(|rest| rest.split_last_mut()).map(|(_, between)| between) {
        let by = by % between.len().max(1);
        between.rotate_left(by);
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> (Page, Vec<f32>) {
        let paragraph = |at: usize| format!("<p class=x>Begins {at} one two three four five six seven ends {at}.</p>");
        let html: String = (0..8).map(paragraph).collect();
        let page = Page::from_html(&format!(
            "<nav><a href=/>Home</a></nav><article><h2>Part</h2>{html}</article><footer>End</footer>"
        ));
        let body = page.texts().map(|text| if text == "Home" || text == "End" { 0.0 } else { 1.0 }).collect();
        (page, body)
    }

    #[test]
    fn paragraphs_of_other_words_stand_after_those_of_the_page() {
        let (page, body) = page();
        let copy = long("x", &page, &body, &[]).unwrap();
        let texts: Vec<&str> = copy.page.texts().collect();
        assert_eq!(texts.len(), copy.body.len());
        assert!(copy.page.text.split_whitespace().count() > 2_500, "{}", copy.page.text.len());
        assert_eq!([texts[0], texts[1], texts[texts.len() - 1]], ["Home", "Part", "End"]);
        assert_eq!(copy.body.iter().filter(|share| **share == 0.0).count(), 2);
        let blocks = &copy.page.blocks;
        assert_eq!(copy.page.dom.tag(blocks[3].element), copy.page.dom.tag(blocks[2].element));
        assert_eq!(copy.page.dom.parent(blocks[3].element), copy.page.dom.parent(blocks[2].element));
        assert_ne!(texts[3], texts[2]);
        let old: Vec<&str> = page.texts().filter(|text| texts.contains(text)).collect();
        assert_eq!(old.len(), page.blocks.len());
    }

    #[test]
    fn labels_go_with_their_blocks() {
        let (page, body) = page();
        let kinds: Vec<_> =
            body.iter().map(|share| Some(if *share > 0.5 { Label::Body } else { Label::Nav })).collect();
        let copy = long("x", &page, &body, &kinds).unwrap();
        let is_nav = |text: &str| text == "Home" || text == "End";
        assert!(copy.page.texts().zip(&copy.kinds).all(|(text, kind)| (*kind == Some(Label::Nav)) == is_nav(text)));
    }

    #[test]
    fn a_page_of_few_paragraphs_has_no_longer_copy() {
        let page = Page::from_html("<p>One two three four five six seven eight nine.</p>");
        assert!(long("x", &page, &[1.0], &[]).is_none());
    }

    #[test]
    fn the_words_between_are_turned() {
        assert_eq!(turned("a b c d e.", 1), "a c d b e.");
        assert_eq!([turned("a", 3), turned("a b", 3), turned("", 1)], ["a", "a b", ""]);
    }
}
