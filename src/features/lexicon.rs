//! What the words of `class`, `id`, `role` and `itemprop` along a block's ancestors say of it, and those of its text.
//!
//! Sites name their parts alike the world over: `article-body`, `related`, `comments`. Each word gets a smoothed
//! log-odds of holding body text, learned by level: on the block's own element, near above it, or far above. A
//! small fixed list of words per kind of chrome serves the labels for which little training data exists.
//!
//! Flattened text has no class names. There the words of the text get log-odds in the same way, by the length of their
//! line, since "comments" alone on a line says more than within a sentence. They are of the languages of the training
//! pages; in others they are unknown, and say nothing.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::page::Page;
use crate::page::dom::{AttrName, Display, Dom, NodeId, Tag};

use super::table::{Sieve, Table};
use super::text::TextStats;

mod kinds;
mod learn;

use kinds::KINDS;
pub use learn::{Counts, PageCounts, count_page, count_text};

/// The block's own element (and inline elements inside its block-level one), the next ancestors, the rest.
pub const LEVELS: usize = 3;
/// How many ancestors above the block's own element are near.
const NEAR: usize = 3;

/// Levels of words of the text: in a block of at most 6 words, of at most 25, in a longer one; then the first two words
/// of a block together, and a whole short block.
const TEXT_LEVELS: usize = 5;
const BEGINNING: u8 = (LEVELS + 3) as u8;
const WHOLE: u8 = (LEVELS + 4) as u8;
/// Words of a block's text past these are not looked up: chrome shows itself at the beginning.
const READ: usize = 40;
/// The longest block that counts as a whole, in words.
const WHOLE_WORDS: usize = 8;
/// Words of text that say little are left out: most of all words, and nothing for the trees to hold on to.
const LEAST_ODDS: f32 = 0.4;

/// A word's hash.
pub type Word = u32;

/// The words of a page's blocks as the lexicon counts and looks them up.
#[derive(Clone, Debug, Default)]
pub struct TextWords {
    words: Vec<(Word, u8)>,
    /// Where each block's words end.
    ends: Vec<u32>,
}

impl TextWords {
    /// From the word hashes of a page's blocks.
    pub fn of(stats: &[TextStats], hashes: &[u64]) -> TextWords {
        let mut all = TextWords::default();
        for s in stats {
            let words = &hashes[s.hashes.start as usize..s.hashes.end as usize];
            let level = LEVELS as u8
                + match words.len() {
                    0..=6 => 0,
                    7..=25 => 1,
                    _ => 2,
                };
            let start = all.words.len();
            all.words.extend(words.iter().take(READ).map(|w| (fold(*w), level)));
            all.words[start..].sort_unstable();
            let mut kept = start;
            for at in start..all.words.len() {
                if at == start || all.words[at] != all.words[kept - 1] {
                    all.words[kept] = all.words[at];
                    kept += 1;
                }
            }
            all.words.truncate(kept);
            all.end(words, WHOLE_WORDS);
        }
        all
    }

    /// Only the first two words together and the whole of each block: what a site's pages repeat, such as a plea that closes
    /// every article. Single words are of its topics, and a few pages say nothing of those.
    pub fn of_repeated(stats: &[TextStats], hashes: &[u64]) -> TextWords {
        let mut all = TextWords::default();
        stats.iter().for_each(|s| all.end(&hashes[s.hashes.start as usize..s.hashes.end as usize], usize::MAX));
        all
    }

    /// Ends a block with its first two words together and, up to a length, the whole of it.
    fn end(&mut self, words: &[u64], whole: usize) {
        let join = |words: &[u64]| fold(words.iter().fold(SEED, |h, w| (h.rotate_left(23) ^ w).wrapping_mul(PRIME)));
        if words.len() > 1 {
            self.words.push((join(&words[..2]), BEGINNING));
        }
        if (1..=whole).contains(&words.len()) {
            self.words.push((join(words), WHOLE));
        }
        self.ends.push(self.words.len() as u32);
    }

    fn of_block(&self, at: usize) -> &[(Word, u8)] {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.words[start..self.ends[at] as usize]
    }
}

fn fold(hash: u64) -> Word {
    (hash ^ (hash >> 32)) as Word
}

/// FNV-1a's constants (Fowler, Noll, Vo).
const SEED: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// Calls `each` with the hash of every word of an attribute value: the whole names between white space, and their
/// parts between punctuation, digits and changes from lower to upper case.
fn split(value: &str, mut each: impl FnMut(Word)) {
    value.split_ascii_whitespace().for_each(|name| split_name(name, &mut each));
}

/// [`split`] for one of the names.
fn split_name(name: &str, mut each: impl FnMut(Word)) {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(PRIME);
    let (mut part, mut letters, mut parts) = (SEED, 0, 0);
    let mut whole = SEED;
    let mut lower_before = false;
    for &byte in name.as_bytes() {
        let is_letter = byte.is_ascii_alphabetic() || byte >= 0x80;
        if letters > 0 && (!is_letter || (byte.is_ascii_uppercase() && lower_before)) {
            if letters > 1 {
                each(fold(part));
            }
            parts += 1;
            (part, letters) = (SEED, 0);
        }
        let folded = if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
        if is_letter {
            part = step(part, folded);
            letters += 1;
        }
        if !byte.is_ascii_digit() {
            whole = step(whole, folded);
        }
        lower_before = byte.is_ascii_lowercase();
    }
    if letters > 1 {
        each(fold(part));
    }
    if parts > 0 && name.len() <= 40 {
        each(fold(whole.rotate_left(7)));
    }
}

/// The values of an element's naming attributes.
fn naming(dom: &Dom, node: NodeId) -> impl Iterator<Item = &str> {
    let asked = |name| matches!(name, AttrName::Class | AttrName::Id | AttrName::Role | AttrName::Itemprop);
    dom.attrs_among(node, asked).map(|(_, value)| value)
}

/// Calls `each` with every word of an element's naming attributes.
fn words_of(dom: &Dom, node: NodeId, mut each: impl FnMut(Word)) {
    naming(dom, node).for_each(|value| split(value, &mut each));
}

/// The hash that [`split`] gives a single lower-case word.
fn hash_word(word: &str) -> Word {
    let mut hash = 0;
    split(word, |w| hash = w);
    hash
}

/// Sum, least and greatest log-odds over the words of one level.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    sum: f32,
    min: f32,
    max: f32,
}

impl Span {
    fn add(&mut self, odds: f32) {
        self.sum += odds;
        self.min = self.min.min(odds);
        self.max = self.max.max(odds);
    }

    fn join(self, other: Span) -> Span {
        Span { sum: self.sum + other.sum, min: self.min.min(other.min), max: self.max.max(other.max) }
    }
}

/// Learned log-odds of words, by level.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Lexicon {
    words: Vec<Learned>,
    /// Of words of the text, by level.
    texts: Vec<(Word, u8, f32)>,
    #[serde(skip)]
    index: std::sync::OnceLock<Index>,
    #[serde(skip)]
    text_index: std::sync::OnceLock<Table<f32>>,
}

/// A word and its log-odds by level.
type Learned = (Word, [f32; LEVELS]);

/// Log-odds of words and the kinds that they name. A word with its log-odds lies in one line of the cache.
#[derive(Clone, Debug)]
struct Index {
    /// A power of two of them, at most two of three taken.
    slots: Vec<Learned>,
    /// What marks a free slot: a word that has no log-odds.
    free: Word,
    kinds: Table<u16>,
    /// The words of both: most of a page's are in neither, and those of names as a whole nearly never.
    sieve: Sieve,
}

impl Index {
    fn new(words: &[Learned]) -> Index {
        let taken: HashSet<Word> = words.iter().map(|(word, _)| *word).collect();
        let free = (0..=Word::MAX).find(|word| !taken.contains(word)).unwrap_or(0);
        let slots = vec![(free, [0.0; LEVELS]); (3 * words.len() / 2 + 1).next_power_of_two()];
        let of_kinds: Vec<Word> =
            KINDS.iter().flat_map(|(_, words)| words.iter().map(|word| hash_word(word))).collect();
        let all: Vec<Word> = taken.iter().copied().chain(of_kinds).collect();
        let sieve = Sieve::of(all.into_iter().map(u64::from));
        let mut index = Index { slots, free, kinds: Table::with_capacity(256), sieve };
        for learned in words {
            let place = index.place(learned.0, index.home(learned.0));
            index.slots[place] = *learned;
        }
        for (kind, (_, words)) in KINDS.iter().enumerate() {
            for word in *words {
                *index.kinds.get_or_insert(u64::from(hash_word(word)), || 0) |= 1 << kind;
            }
        }
        index
    }

    /// The slot where a word is looked for first.
    #[inline]
    fn home(&self, word: Word) -> usize {
        (u64::from(word).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & (self.slots.len() - 1)
    }

    /// The slot of a word, or the free one where it belongs, from a slot on. There is a free one, and so an end.
    #[inline]
    fn place(&self, word: Word, mut place: usize) -> usize {
        while self.slots[place].0 != word && self.slots[place].0 != self.free {
            place = (place + 1) & (self.slots.len() - 1);
        }
        place
    }

    /// The log-odds of a word whose first slot was read.
    #[inline]
    fn odds(&self, word: Word, first: &Learned) -> Option<[f32; LEVELS]> {
        let found = if first.0 == word || first.0 == self.free {
            *first
        } else {
            self.slots[self.place(word, self.home(word))]
        };
        (found.0 == word && word != self.free).then_some(found.1)
    }

    fn kinds(&self, word: Word) -> u16 {
        self.kinds.get(u64::from(word)).unwrap_or(0)
    }
}

/// What an element's words say: by level of log-odds, and which kinds they name.
#[derive(Clone, Copy, Default)]
struct Element {
    spans: [Span; LEVELS],
    kinds: u16,
}

impl Lexicon {
    /// What was learned and the lists of kinds in one, so that each word is looked up once.
    fn index(&self) -> &Index {
        self.index.get_or_init(|| Index::new(&self.words))
    }

    fn text_index(&self) -> &Table<f32> {
        self.text_index.get_or_init(|| {
            let mut index = Table::with_capacity(self.texts.len());
            self.texts.iter().for_each(|(word, level, odds)| {
                *index.get_or_insert(text_key(*word, *level), || 0.0) = *odds;
            });
            index
        })
    }

    /// How many words have log-odds.
    pub fn len(&self) -> usize {
        self.words.len() + self.texts.len()
    }

    /// Whether nothing was learned.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives each block's columns in the order of [`text_names`]: mean, least and greatest log-odds of the words of its
    /// text, those of its first two words together and of the whole block.
    pub fn text_columns(&self, words: &TextWords, mut put: impl FnMut(usize, &[f32])) {
        let index = self.text_index();
        for at in 0..words.ends.len() {
            let mut span = Span::default();
            let (mut beginning, mut whole, mut count) = (0.0, 0.0, 0.0f32);
            for &(word, level) in words.of_block(at) {
                let odds = index.get(text_key(word, level)).unwrap_or(0.0);
                match level {
                    BEGINNING => beginning = odds,
                    WHOLE => whole = odds,
                    _ => {
                        span.add(odds);
                        count += 1.0;
                    }
                }
            }
            put(at, &[span.sum / count.max(1.0), span.min, span.max, beginning, whole]);
        }
    }

    /// Gives each block's columns in the order of [`repeated_names`], from words of [`TextWords::of_repeated`].
    pub fn repeated_columns(&self, words: &TextWords, mut put: impl FnMut(usize, &[f32])) {
        let index = self.text_index();
        for at in 0..words.ends.len() {
            let mut row = [0.0; REPEATED];
            for &(word, level) in words.of_block(at) {
                row[usize::from(level == WHOLE)] = index.get(text_key(word, level)).unwrap_or(0.0);
            }
            put(at, &row);
        }
    }

    /// Gives each block's columns in the order of [`names`].
    pub fn columns(&self, page: &Page, mut put: impl FnMut(usize, &[f32])) {
        let dom = &page.dom;
        let nodes = with_blocks(page);
        // For each element that has a block in or below it, its place in `said`; 0 says nothing.
        let mut places = vec![0u32; dom.len()];
        let mut seen: Table<u32> = Table::with_capacity(nodes.len() / 4);
        let mut names = Names::new(self.index());
        for &node in &nodes {
            let mut key = SEED;
            let mut named = false;
            for value in naming(dom, node) {
                key = key.rotate_left(9) ^ xxh3_64(value.as_bytes());
                named = true;
            }
            if named {
                places[node as usize] = *seen.get_or_insert(key, || names.add(naming(dom, node)));
            }
        }
        let said = names.elements();
        // Spans of the far level, from the root down to and including the node.
        let mut far = vec![Span::default(); dom.len()];
        for &node in &nodes {
            let own = said[places[node as usize] as usize].spans[2];
            far[node as usize] = far[dom.parent(node) as usize].join(own);
        }
        let elements = Elements { said, places, far };
        let mut row = [0.0; WIDTH];
        for (at, block) in page.blocks.iter().enumerate() {
            let (spans, distances) = spans_of(dom, block.element, &elements);
            for (level, span) in spans.iter().enumerate() {
                row[level * 3..level * 3 + 3].copy_from_slice(&[span.sum, span.min, span.max]);
            }
            for (slot, distance) in row[LEVELS * 3..].iter_mut().zip(distances) {
                *slot = distance.map_or(0.0, |d| 1.0 / (1.0 + f32::from(d)));
            }
            put(at, &row);
        }
    }
}

/// The names on a page's elements. Each is split once: it comes again in other company on other elements.
struct Names<'a> {
    index: &'a Index,
    /// The number of each name, and where the words of each end.
    numbers: Table<u32>,
    ends: Vec<u32>,
    /// The words that may say something.
    words: Vec<Word>,
    /// The names of each element, and where those of each end.
    of_elements: Vec<u32>,
    element_ends: Vec<u32>,
}

impl<'a> Names<'a> {
    fn new(index: &'a Index) -> Self {
        Names {
            index,
            numbers: Table::with_capacity(256),
            ends: vec![0],
            words: Vec::new(),
            of_elements: Vec::new(),
            // The first element is one without names.
            element_ends: vec![0, 0],
        }
    }

    /// Adds an element with such names and gives its number.
    fn add<'b>(&mut self, values: impl Iterator<Item = &'b str>) -> u32 {
        for name in values.flat_map(str::split_ascii_whitespace) {
            let (words, ends, index) = (&mut self.words, &mut self.ends, self.index);
            let number = *self.numbers.get_or_insert(xxh3_64(name.as_bytes()), || {
                split_name(name, |word| {
                    if index.sieve.may_have(u64::from(word)) {
                        words.push(word);
                    }
                });
                ends.push(words.len() as u32);
                ends.len() as u32 - 2
            });
            self.of_elements.push(number);
        }
        self.element_ends.push(self.of_elements.len() as u32);
        self.element_ends.len() as u32 - 2
    }

    /// What each element's words say.
    fn elements(&self) -> Vec<Element> {
        // The index is in no near cache. Read in a loop of its own, on which nothing depends, the processor waits for many
        // words at a time.
        let read: Vec<Learned> = self.words.iter().map(|word| self.index.slots[self.index.home(*word)]).collect();
        let learned = |(word, read): (&Word, &Learned)| self.index.odds(*word, read);
        let odds: Vec<Option<[f32; LEVELS]>> = self.words.iter().zip(&read).map(learned).collect();
        let kinds: Vec<u16> = self.words.iter().map(|word| self.index.kinds(*word)).collect();
        let of = |ends: &[u32], at: usize| ends[at] as usize..ends[at + 1] as usize;
        let element = |at: usize| {
            let mut element = Element::default();
            for name in &self.of_elements[of(&self.element_ends, at)] {
                for word in of(&self.ends, *name as usize) {
                    if let Some(odds) = odds[word] {
                        element.spans.iter_mut().zip(odds).for_each(|(span, odds)| span.add(odds));
                    }
                    element.kinds |= kinds[word];
                }
            }
            element
        };
        (0..self.element_ends.len() - 1).map(element).collect()
    }
}

fn text_key(word: Word, level: u8) -> u64 {
    u64::from(word) << 8 | u64::from(level)
}

/// The names of [`Lexicon::text_columns`].
pub fn text_names() -> impl Iterator<Item = String> {
    ["mean", "min", "max", "beginning", "whole"].iter().map(|what| format!("text_lexicon_{what}"))
}

/// How many columns [`Lexicon::repeated_columns`] gives.
pub const REPEATED: usize = 2;

/// The names of [`Lexicon::repeated_columns`].
pub fn repeated_names() -> [String; REPEATED] {
    ["beginning", "whole"].map(|what| format!("text_lexicon_{what}"))
}

type Spans = ([Span; LEVELS], [Option<u8>; KINDS.len()]);

/// What a page's elements say.
struct Elements {
    said: Vec<Element>,
    places: Vec<u32>,
    far: Vec<Span>,
}

/// The elements that have a block in or below them, without the document, parents before their children: half of a
/// page's nodes are text, and of the rest only these are asked for.
fn with_blocks(page: &Page) -> Vec<NodeId> {
    let mut marked = vec![false; page.dom.len()];
    marked[0] = true;
    let mut nodes = Vec::new();
    for block in &page.blocks {
        let mut node = block.element;
        let first = nodes.len();
        while !std::mem::replace(&mut marked[node as usize], true) {
            nodes.push(node);
            node = page.dom.parent(node);
        }
        nodes[first..].reverse();
    }
    nodes
}

fn spans_of(dom: &Dom, element: NodeId, elements: &Elements) -> Spans {
    let mut spans = [Span::default(); LEVELS];
    let mut distances = [None; KINDS.len()];
    let mut found = 0u16;
    let mut node = element;
    let mut near = None;
    for distance in 0..=12u8 {
        let own = &elements.said[elements.places[node as usize] as usize];
        let level = match near {
            None => 0,
            Some(n) if n < NEAR => 1,
            _ => 2,
        };
        if level < 2 {
            spans[level] = spans[level].join(own.spans[level]);
        } else if near == Some(NEAR) {
            spans[2] = elements.far[node as usize];
        }
        // Nearly always nothing new.
        let mut new = own.kinds & !found;
        found |= new;
        while new != 0 {
            distances[new.trailing_zeros() as usize] = Some(distance);
            new &= new - 1;
        }
        near = further(near, dom.tag(node));
        let parent = dom.parent(node);
        if parent == node {
            break;
        }
        node = parent;
    }
    (spans, distances)
}

/// How many elements above the first block-level one the parent of an element is, from what the element itself is; none
/// up to that first one.
#[inline]
fn further(near: Option<usize>, tag: Tag) -> Option<usize> {
    match near {
        None => (tag.display() == Display::Block).then_some(0),
        Some(n) => Some(n + 1),
    }
}

/// How many columns [`Lexicon::columns`] has.
pub(crate) const WIDTH: usize = 3 * LEVELS + KINDS.len();

/// The names of [`Lexicon::columns`].
pub fn names() -> Vec<String> {
    let mut names = Vec::with_capacity(WIDTH);
    for level in ["self", "near", "far"] {
        names.extend(["sum", "min", "max"].map(|what| format!("lexicon_{level}_{what}")));
    }
    names.extend(KINDS.iter().map(|(kind, _)| format!("named_{kind}")));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_at_case_punctuation_and_digits() {
        let words = |value: &str| {
            let mut words = Vec::new();
            split(value, |w| words.push(w));
            words
        };
        let [article, body] = ["article", "body"].map(hash_word);
        assert_eq!(words("article-body")[..2], [article, body]);
        assert_eq!(words("ArticleBody")[..2], [article, body]);
        assert_eq!(words("article_12 body"), [article, words("article-")[1], body]);
        assert_eq!(words("a 12"), Vec::<Word>::new());
    }

    #[test]
    fn a_line_that_is_always_chrome_gets_negative_odds() {
        let page = Page::from_text("All rights reserved\nThe minister said so");
        let (stats, hashes) = super::super::text::page_stats(&page);
        let texts = TextWords::of(&stats, &hashes);
        let counts = count_text(&texts, &[0.0, 1.0]);
        let mut all = Counts::default();
        (0..4).for_each(|_| all.add_host([&counts].into_iter()));
        let mut rows = Vec::new();
        all.lexicon(3.0, 1.0).text_columns(&texts, |_, row| rows.push(row.to_vec()));
        for column in [0, 3, 4] {
            assert!(rows[0][column] < -0.5 && rows[1][column] > 0.5, "{rows:?}");
        }
        assert_eq!(rows[0].len(), text_names().count());
    }

    #[test]
    fn of_what_pages_repeat_long_blocks_count_as_a_whole_and_single_words_do_not_count() {
        let plea = "<p>We are a small paper that belongs to its readers and to nobody else: support us</p>";
        let texts = |body: &str| {
            let page = Page::from_html(&format!("<title>T</title><div>{body}{plea}</div>"));
            let (stats, hashes) = super::super::text::page_stats(&page);
            TextWords::of_repeated(&stats, &hashes)
        };
        let mut all = Counts::default();
        for body in ["<p>The harbour opens again</p>", "<p>The harbour is closed</p>"] {
            all.add_host([&count_text(&texts(body), &[1.0, 0.0])].into_iter());
        }
        let mut rows = Vec::new();
        let other = texts("<p>A harbour in the south</p>");
        all.lexicon(2.0, 1.0).repeated_columns(&other, |_, row| rows.push(row.to_vec()));
        assert_eq!(rows[0], [0.0, 0.0], "nothing of it was there before as it stands: {rows:?}");
        assert!(rows[1][0] < -0.5 && rows[1][1] < -0.5, "{rows:?}");
        assert_eq!(rows[1].len(), repeated_names().len());
    }

    #[test]
    fn a_word_that_holds_body_gets_positive_odds_and_one_host_counts_once() {
        let page = Page::from_html("<div class=story><p>long text</p></div><div class=menu><p>home</p></div>");
        let counts = count_page(&page, &[(2.0, 1.0), (1.0, 0.0)]);
        let mut all = Counts::default();
        for _ in 0..4 {
            all.add_host([&counts, &counts].into_iter());
        }
        let lexicon = all.lexicon(3.0, 1.0);
        let mut rows = Vec::new();
        lexicon.columns(&page, |_, row| rows.push(row.to_vec()));
        let near_sum = names().iter().position(|n| n == "lexicon_near_sum").unwrap();
        assert!(rows[0][near_sum] > 1.0 && rows[1][near_sum] < -1.0, "{rows:?}");
        let mut few = Counts::default();
        few.add_host([&counts, &counts, &counts].into_iter());
        assert!(few.lexicon(3.0, 1.0).is_empty());
    }
}
