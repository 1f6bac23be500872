//! Which blocks of a page a reference text is made of.
//!
//! The reference is aligned to the text of all blocks as one sequence of words; a block is content if at least
//! half of its words are in the reference. Three alignments are tried, since each goes wrong elsewhere where a
//! page repeats its text (teasers, copies for printing, quotes): Histogram, which anchors on rare words (a
//! refinement of patience diff), from either end, and Myers' (Algorithmica 1, 1986) from the end. Alone, Myers'
//! scatters its matches over whatever chrome comes first. Repairs follow: what is left of the reference is looked
//! for once more, since some references tell things in another order than the page; blocks whose words others give
//! already are dropped; and of several copies the one among other content is taken.

use std::collections::HashMap;

use imara_diff::{Algorithm, Diff, Token};

use crate::page::Page;
use crate::page::words::{WordRule, words};

/// Below this word F1 of the labels themselves, they are not to be trusted.
const ALIGNABLE: f64 = 0.5;

/// F1s this near to each other are alike; then the tidier choice of blocks wins.
const ALIKE: f64 = 0.002;

/// The shortest stretch of words in another order than the page's that is looked for.
const MIN_MOVED: usize = 4;

/// A reference text put on a page's blocks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alignment {
    /// For each block the share of its words that the reference has at that place, 0 to 1.
    pub shares: Vec<f32>,
    /// For each block whether it belongs to the reference.
    pub content: Vec<bool>,
    /// The share of the content blocks' words that are in the reference (multisets of words).
    pub precision: f64,
    /// The share of the reference's words that are in the content blocks.
    pub recall: f64,
    /// The harmonic mean of the two: what a classifier that makes no mistake would reach.
    pub f1: f64,
}

impl Alignment {
    /// Whether the labels can be trained on: false where a page does not hold its reference.
    pub fn is_usable(&self) -> bool {
        self.f1 >= ALIGNABLE
    }
}

/// Finds the blocks of a page that make up the reference.
///
/// Case does not matter; a Chinese or Japanese character is a word. With an empty reference no block is content.
///
/// ```
/// use lubb::{Page, gold::align};
/// let page = Page::from_html("<nav>Home About</nav><p>The river rose.</p><p>Nobody was hurt.</p><p>Share this</p>");
/// let found = align(&page, "The river rose.\n\nNobody was hurt.");
/// assert_eq!(found.content, [false, true, true, false]);
/// assert_eq!(found.f1, 1.0);
/// ```
pub fn align(page: &Page, reference: &str) -> Alignment {
    align_texts(page.texts(), reference)
}

/// As [`align`], for blocks that are texts alone.
pub fn align_texts<'a>(blocks: impl IntoIterator<Item = &'a str>, reference: &str) -> Alignment {
    let texts = Texts::new(blocks, reference);
    let candidates = [
        texts.matched(Algorithm::Histogram, false),
        texts.matched(Algorithm::Histogram, true),
        texts.matched(Algorithm::Myers, true),
    ];
    let mut best: Option<(Choice, usize)> = None;
    for matched in candidates {
        let mut choice = texts.choose(matched);
        choice.add_moved(&texts);
        choice.prune(&texts);
        choice.join_copies(&texts);
        let runs = choice.runs();
        let wins = best.as_ref().is_none_or(|(other, others)| {
            choice.f1() > other.f1() + ALIKE || (choice.f1() > other.f1() - ALIKE && runs < *others)
        });
        if wins {
            best = Some((choice, runs));
        }
    }
    best.map(|(choice, _)| choice.finish(&texts)).unwrap_or_default()
}

/// A page's and its reference's words as numbers.
struct Texts {
    page: Vec<Token>,
    reference: Vec<Token>,
    /// Where each block's words end in `page`.
    ends: Vec<usize>,
    vocabulary: u32,
    /// How often the reference has each word.
    wanted: Vec<u32>,
}

impl Texts {
    fn new<'a>(blocks: impl IntoIterator<Item = &'a str>, reference: &str) -> Texts {
        let mut numbers: HashMap<String, u32> = HashMap::new();
        let mut number = |text: &str, into: &mut Vec<Token>| {
            for word in words(&text.to_lowercase(), WordRule::Cjk) {
                let next = numbers.len() as u32;
                let known = numbers.get(word).copied();
                into.push(Token(known.unwrap_or_else(|| *numbers.entry(word.to_owned()).or_insert(next))));
            }
        };
        let (mut page, mut wanted_words, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        number(reference, &mut wanted_words);
        for block in blocks {
            number(block, &mut page);
            ends.push(page.len());
        }
        let vocabulary = numbers.len() as u32;
        let mut wanted = vec![0; vocabulary as usize];
        wanted_words.iter().for_each(|word| wanted[word.0 as usize] += 1);
        Texts { page, reference: wanted_words, ends, vocabulary, wanted }
    }

    fn range(&self, block: usize) -> std::ops::Range<usize> {
        let start = if block == 0 { 0 } else { self.ends[block - 1] };
        start..self.ends[block]
    }

    fn words(&self, block: usize) -> &[Token] {
        &self.page[self.range(block)]
    }

    /// Which of the page's and of the reference's words are matched.
    fn matched(&self, algorithm: Algorithm, backwards: bool) -> [Vec<bool>; 2] {
        let mut sides = [self.page.clone(), self.reference.clone()];
        if backwards {
            sides.iter_mut().for_each(|side| side.reverse());
        }
        let mut matched = diff(algorithm, &sides[0], &sides[1], self.vocabulary);
        if backwards {
            matched.iter_mut().for_each(|side| side.reverse());
        }
        matched
    }

    fn choose(&self, [page, reference]: [Vec<bool>; 2]) -> Choice {
        let mut choice = Choice {
            matched: page,
            unmatched: reference.iter().map(|matched| !matched).collect(),
            content: vec![false; self.ends.len()],
            given: vec![0; self.vocabulary as usize],
            words: 0,
            hits: 0,
            wanted: self.reference.len(),
        };
        for block in 0..self.ends.len() {
            if choice.is_half_matched(self, block) {
                choice.put(self, block);
            }
        }
        choice
    }
}

/// Which of two sequences' words are in their common subsequence.
fn diff(algorithm: Algorithm, before: &[Token], after: &[Token], vocabulary: u32) -> [Vec<bool>; 2] {
    let mut diff = Diff::default();
    diff.compute_with(algorithm, before, after, vocabulary);
    [
        (0..before.len() as u32).map(|i| !diff.is_removed(i)).collect(),
        (0..after.len() as u32).map(|i| !diff.is_added(i)).collect(),
    ]
}

/// A choice of content blocks, with the counts that its F1 comes from.
struct Choice {
    /// Of the page's words.
    matched: Vec<bool>,
    /// Of the reference's words.
    unmatched: Vec<bool>,
    content: Vec<bool>,
    /// How often the content blocks have each word.
    given: Vec<u32>,
    words: usize,
    hits: usize,
    wanted: usize,
}

impl Choice {
    fn is_half_matched(&self, texts: &Texts, block: usize) -> bool {
        let range = texts.range(block);
        let words = range.len();
        let matched = self.matched[range].iter().filter(|m| **m).count();
        matched > 0 && matched * 2 >= words
    }

    fn put(&mut self, texts: &Texts, block: usize) {
        self.content[block] = true;
        for word in texts.words(block) {
            let given = &mut self.given[word.0 as usize];
            self.hits += usize::from(*given < texts.wanted[word.0 as usize]);
            *given += 1;
            self.words += 1;
        }
    }

    fn take(&mut self, texts: &Texts, block: usize) {
        self.content[block] = false;
        for word in texts.words(block) {
            let given = &mut self.given[word.0 as usize];
            *given -= 1;
            self.hits -= usize::from(*given < texts.wanted[word.0 as usize]);
            self.words -= 1;
        }
    }

    fn f1(&self) -> f64 {
        match self.words + self.wanted {
            0 => 1.0,
            all => 2.0 * self.hits as f64 / all as f64,
        }
    }

    /// How many runs of content blocks there are.
    fn runs(&self) -> usize {
        self.content.chunk_by(|a, b| a == b).filter(|run| run[0]).count()
    }

    /// Drops content blocks without which F1 is higher: words of a menu that the article also uses, second copies.
    fn prune(&mut self, texts: &Texts) {
        for block in 0..self.content.len() {
            if self.content[block] {
                let before = self.f1();
                self.take(texts, block);
                if self.f1() <= before {
                    self.put(texts, block);
                }
            }
        }
    }

    /// Looks for what is left of the reference among the blocks that are left.
    fn add_moved(&mut self, texts: &Texts) {
        let left: Vec<Token> =
            texts.reference.iter().zip(&self.unmatched).filter(|(_, left)| **left).map(|(word, _)| *word).collect();
        let blocks: Vec<usize> = (0..self.content.len()).filter(|b| !self.content[*b]).collect();
        let free: Vec<Token> = blocks.iter().flat_map(|b| texts.words(*b)).copied().collect();
        if left.len() < MIN_MOVED || free.len() < MIN_MOVED {
            return;
        }
        let [found, _] = diff(Algorithm::Histogram, &free, &left, texts.vocabulary);
        let mut at = 0;
        for block in blocks {
            let range = texts.range(block);
            let found = &found[at..at + range.len()];
            at += range.len();
            let hits = found.iter().filter(|f| **f).count();
            if hits < MIN_MOVED || hits * 2 < range.len() {
                continue;
            }
            let before = self.f1();
            self.put(texts, block);
            if self.f1() <= before {
                self.take(texts, block);
            } else {
                self.matched[range].copy_from_slice(found);
            }
        }
    }

    /// Where a block stands on the page several times, takes the copy that stands among content.
    fn join_copies(&mut self, texts: &Texts) {
        let mut copies: HashMap<&[Token], Vec<usize>> = HashMap::new();
        for block in 0..self.content.len() {
            if !texts.words(block).is_empty() {
                copies.entry(texts.words(block)).or_default().push(block);
            }
        }
        for block in 0..self.content.len() {
            let Some(same) = copies.get(texts.words(block)).filter(|same| same.len() > 1 && self.content[block]) else {
                continue;
            };
            let better = same.iter().filter(|b| !self.content[**b]).max_by_key(|b| self.neighbours(**b));
            if let Some(better) = better.filter(|b| self.neighbours(**b) > self.neighbours(block)) {
                self.content.swap(block, *better);
                let (from, to) = (texts.range(block), texts.range(*better));
                for (from, to) in from.zip(to) {
                    self.matched.swap(from, to);
                }
            }
        }
    }

    /// How many of the blocks around a block are content.
    fn neighbours(&self, block: usize) -> usize {
        let around = block.saturating_sub(2)..(block + 3).min(self.content.len());
        around.filter(|b| *b != block && self.content[*b]).count()
    }

    fn finish(self, texts: &Texts) -> Alignment {
        let shares = (0..texts.ends.len()).map(|block| {
            let range = texts.range(block);
            let words = range.len().max(1) as f32;
            self.matched[range].iter().filter(|m| **m).count() as f32 / words
        });
        let empty = self.words + self.wanted == 0;
        let share = |of: usize| if empty { 1.0 } else { self.hits as f64 / of.max(1) as f64 };
        Alignment {
            shares: shares.collect(),
            precision: share(self.words),
            recall: share(self.wanted),
            f1: self.f1(),
            content: self.content,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAD: &str = "The river rose by two metres on Monday night.";
    const REST: &str = "Nobody was hurt, the mayor said.";

    fn content(blocks: &[&str], reference: &str) -> Vec<bool> {
        align_texts(blocks.iter().copied(), reference).content
    }

    #[test]
    fn of_a_teaser_and_the_article_the_article_is_content() {
        let reference = format!("{LEAD}\n\n{REST}");
        assert_eq!(
            content(&[LEAD, "Menu", "Sport", "Culture", LEAD, REST, "Share"], &reference)[..6],
            [false, false, false, false, true, true]
        );
        assert_eq!(
            content(&["Menu", LEAD, REST, "Share", "Most read", "Sport", LEAD], &reference),
            [false, true, true, false, false, false, false]
        );
    }

    #[test]
    fn words_of_the_menu_that_the_article_uses_are_no_content() {
        let page = ["Home", "River", "Monday", LEAD, REST, "Night", "The mayor"];
        assert_eq!(content(&page, &format!("{LEAD} {REST}")), [false, false, false, true, true, false, false]);
    }

    #[test]
    fn a_reference_in_another_order_is_found() {
        let found = align_texts(["Menu", LEAD, "Read also: storms", REST], &format!("{REST} {LEAD}"));
        assert_eq!((found.content, found.f1), (vec![false, true, false, true], 1.0));
    }

    #[test]
    fn half_of_a_blocks_words_make_it_content() {
        assert_eq!(content(&["a b c d", "e f x y z", "g h"], "a b e f g h"), [true, false, true]);
        assert_eq!(content(&["東京で大雨", "続きを読む"], "東京で大雨が降った"), [true, false]);
    }

    #[test]
    fn a_page_without_its_reference_is_not_usable_and_an_empty_reference_takes_nothing() {
        let found = align_texts(["Enable JavaScript to read on", "Menu"], LEAD);
        assert!(!found.is_usable() && found.f1 < 0.5);
        let found = align_texts(["Menu", "Basket"], "");
        assert_eq!((found.content.clone(), found.f1, found.is_usable()), (vec![false, false], 1.0, true));
        assert!(align_texts([], "").is_usable());
    }
}
