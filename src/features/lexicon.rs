//! What the words of `class`, `id`, `role` and `itemprop` along a block's ancestors say of it, and those of its text.
//!
//! Sites name their parts alike the world over: `article-body`, `related`, `comments`. Each word gets a smoothed
//! log-odds of holding body text, learned by level: on the block's own element, near above it, or far above. A
//! small fixed list of words per kind of chrome serves the labels for which little training data exists.
//!
//! Flattened text has no class names. There the words of the text get log-odds in the same way, by the length of their
//! line, since "comments" alone on a line says more than within a sentence. They are of the languages of the training
//! pages; in others they are unknown, and say nothing.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::page::Page;
use crate::page::dom::{AttrName, Display, Dom, NodeId};

use super::table::Table;
use super::text::TextStats;

/// The block's own element (and inline elements inside its block-level one), the next ancestors, the rest.
pub const LEVELS: usize = 3;
/// How many ancestors above the block's own element are near.
const NEAR: usize = 3;

/// Words by kind of chrome, as they are found in the markup of sites in any language.
const KINDS: &[(&str, &[&str])] = &[
    (
        "comment",
        &[
            "comment",
            "comments",
            "commentlist",
            "commenter",
            "reply",
            "replies",
            "disqus",
            "talkback",
            "respond",
            "review",
            "reviews",
            "discussion",
        ],
    ),
    (
        "related",
        &[
            "related",
            "recommended",
            "recommendations",
            "recommend",
            "popular",
            "trending",
            "latest",
            "more",
            "mostread",
            "teaser",
            "teasers",
            "read",
            "readmore",
            "similar",
            "suggested",
            "also",
            "next",
            "promo",
            "outbrain",
            "taboola",
            "card",
            "cards",
            "recent",
            "upsell",
        ],
    ),
    (
        "nav",
        &[
            "nav",
            "navbar",
            "navigation",
            "menu",
            "breadcrumb",
            "breadcrumbs",
            "footer",
            "share",
            "sharing",
            "social",
            "newsletter",
            "subscribe",
            "cookie",
            "cookies",
            "consent",
            "login",
            "search",
            "sidebar",
            "pagination",
            "pager",
            "toolbar",
            "banner",
            "ad",
            "ads",
            "advert",
            "advertisement",
            "sponsor",
            "copyright",
            "header",
            "topbar",
            "modal",
            "popup",
            "toc",
        ],
    ),
    ("caption", &["caption", "figcaption", "credit", "credits", "photo", "image", "gallery", "figure", "media"]),
    (
        "meta",
        &[
            "author",
            "authors",
            "byline",
            "date",
            "time",
            "timestamp",
            "published",
            "publish",
            "tag",
            "tags",
            "meta",
            "bio",
            "source",
            "category",
            "categories",
            "updated",
            "posted",
            "dateline",
        ],
    ),
    (
        "widget",
        &[
            "widget",
            "weather",
            "currency",
            "currencies",
            "price",
            "prices",
            "poll",
            "vote",
            "rate",
            "rates",
            "exchange",
            "stock",
            "stocks",
            "ticker",
            "score",
            "scores",
            "calculator",
            "calendar",
            "standings",
        ],
    ),
    (
        "body",
        &[
            "body",
            "content",
            "text",
            "story",
            "entry",
            "paragraph",
            "lead",
            "lede",
            "standfirst",
            "articlebody",
            "richtext",
            "prose",
            "markdown",
        ],
    ),
    ("headline", &["headline", "title", "heading", "hed"]),
    ("review", &["review", "reviews", "testimonial", "testimonials", "rating", "ratings", "feedback"]),
    ("faq", &["faq", "faqs", "question", "questions", "qa"]),
    ("quote", &["quote", "quoted", "quotation", "blockquote", "bbcode", "signature", "sig"]),
    ("footnote", &["footnote", "footnotes", "disclaimer", "disclaimers", "legal", "terms"]),
];

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
        let fold = |hash: u64| (hash ^ (hash >> 32)) as u32;
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
            let join =
                |words: &[u64]| fold(words.iter().fold(SEED, |h, w| (h.rotate_left(23) ^ w).wrapping_mul(PRIME)));
            if words.len() > 1 {
                all.words.push((join(&words[..2]), BEGINNING));
            }
            if (1..=WHOLE_WORDS).contains(&words.len()) {
                all.words.push((join(words), WHOLE));
            }
            all.ends.push(all.words.len() as u32);
        }
        all
    }

    fn of_block(&self, at: usize) -> &[(Word, u8)] {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.words[start..self.ends[at] as usize]
    }
}

/// FNV-1a's constants (Fowler, Noll, Vo).
const SEED: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// Calls `each` with the hash of every word of an attribute value: the whole names between white space, and their
/// parts between punctuation, digits and changes from lower to upper case.
fn split(value: &str, mut each: impl FnMut(Word)) {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(PRIME);
    let fold = |hash: u64| (hash ^ (hash >> 32)) as u32;
    for name in value.split_ascii_whitespace() {
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
    words: Vec<(Word, [f32; LEVELS])>,
    /// Of words of the text, by level.
    texts: Vec<(Word, u8, f32)>,
    #[serde(skip)]
    index: std::sync::OnceLock<Table<Meaning>>,
    #[serde(skip)]
    text_index: std::sync::OnceLock<Table<f32>>,
}

/// What a word says: its log-odds by level, and the kinds that it names.
#[derive(Clone, Copy, Debug, Default)]
struct Meaning {
    odds: [f32; LEVELS],
    kinds: u16,
    /// Whether it has log-odds: a word of 0 is not one that was never seen.
    learned: bool,
}

/// What an element's words say: by level of log-odds, and which kinds they name.
#[derive(Clone, Copy, Default)]
struct Element {
    spans: [Span; LEVELS],
    kinds: u16,
}

impl Lexicon {
    /// What was learned and the lists of kinds in one, so that each word is looked up once.
    fn index(&self) -> &Table<Meaning> {
        self.index.get_or_init(|| {
            let mut index = Table::with_capacity(self.words.len());
            for (word, odds) in &self.words {
                let meaning = index.get_or_insert(u64::from(*word), Meaning::default);
                (meaning.odds, meaning.learned) = (*odds, true);
            }
            for (kind, (_, words)) in KINDS.iter().enumerate() {
                for word in *words {
                    index.get_or_insert(u64::from(hash_word(word)), Meaning::default).kinds |= 1 << kind;
                }
            }
            index
        })
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

    /// Appends each block's columns in the order of [`names`], `width` values apart from `start` on.
    pub fn columns(&self, page: &Page, mut put: impl FnMut(usize, &[f32])) {
        let dom = &page.dom;
        let index = self.index();
        // What was said of each element that has a block in or below it, by its place in `said`; 0 says nothing.
        let mut said = vec![Element::default()];
        let mut places = vec![0u32; dom.len()];
        // Spans of the far level, from the root down to and including the node.
        let mut far = vec![Span::default(); dom.len()];
        let mut seen: Table<u32> = Table::default();
        for node in with_blocks(page) {
            let mut key = SEED;
            let mut named = false;
            for value in naming(dom, node) {
                key = key.rotate_left(9) ^ xxhash_rust::xxh3::xxh3_64(value.as_bytes());
                named = true;
            }
            let mut place = 0;
            if named {
                place = *seen.get_or_insert(key, || {
                    let mut element = Element::default();
                    words_of(dom, node, |word| {
                        let Some(meaning) = index.get(u64::from(word)) else { return };
                        if meaning.learned {
                            element.spans.iter_mut().zip(meaning.odds).for_each(|(span, odds)| span.add(odds));
                        }
                        element.kinds |= meaning.kinds;
                    });
                    said.push(element);
                    said.len() as u32 - 1
                });
            }
            places[node as usize] = place;
            far[node as usize] = far[dom.parent(node) as usize].join(said[place as usize].spans[2]);
        }
        let elements = Elements { said, places, far };
        let mut row = [0.0; LEVELS * 3 + KINDS.len()];
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

fn text_key(word: Word, level: u8) -> u64 {
    u64::from(word) << 8 | u64::from(level)
}

/// The names of [`Lexicon::text_columns`].
pub fn text_names() -> impl Iterator<Item = String> {
    ["mean", "min", "max", "beginning", "whole"].iter().map(|what| format!("text_lexicon_{what}"))
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
        near = match near {
            None if dom.tag(node).display() == Display::Block => Some(0),
            None => None,
            Some(n) => Some(n + 1),
        };
        let parent = dom.parent(node);
        if parent == node {
            break;
        }
        node = parent;
    }
    (spans, distances)
}

/// The names of [`Lexicon::columns`].
pub fn names() -> Vec<String> {
    let mut names = Vec::new();
    for level in ["self", "near", "far"] {
        names.extend(["sum", "min", "max"].map(|what| format!("lexicon_{level}_{what}")));
    }
    names.extend(KINDS.iter().map(|(kind, _)| format!("named_{kind}")));
    names
}

/// How much of the text under a word was body, by word and level: what a lexicon is made from.
///
/// A page counts once for a word and level, with the share of its text under the word that is body; a host's pages
/// count as one page together, so that a site with many pages does not decide what a word means.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    hosts: HashMap<(Word, u8), (f32, f32)>,
}

/// One page's words: for each word and level, the words of text under it and how many of those are body.
pub type PageCounts = HashMap<(Word, u8), (f32, f32)>;

/// Counts a page of flattened text: for each line the share of it that is body.
pub fn count_text(texts: &TextWords, body: &[f32]) -> PageCounts {
    let mut counts = PageCounts::new();
    for (at, share) in body.iter().enumerate() {
        for word in texts.of_block(at) {
            let count = counts.entry(*word).or_insert((0.0, 0.0));
            count.0 += 1.0;
            count.1 += share;
        }
    }
    counts
}

/// Counts a page. `body` holds for each block its words of text and the share of them that is body.
pub fn count_page(page: &Page, body: &[(f32, f32)]) -> PageCounts {
    let dom = &page.dom;
    let mut counts = PageCounts::new();
    let mut words: Vec<(Word, u8)> = Vec::new();
    for (block, &(weight, share)) in page.blocks.iter().zip(body) {
        words.clear();
        let mut node = block.element;
        let mut near = None;
        loop {
            let level = match near {
                None => 0,
                Some(n) if n < NEAR => 1,
                _ => 2,
            };
            words_of(dom, node, |word| words.push((word, level)));
            near = match near {
                None if dom.tag(node).display() == Display::Block => Some(0),
                None => None,
                Some(n) => Some(n + 1),
            };
            let parent = dom.parent(node);
            if parent == node {
                break;
            }
            node = parent;
        }
        words.sort_unstable();
        words.dedup();
        for word in &words {
            let count = counts.entry(*word).or_insert((0.0, 0.0));
            count.0 += weight;
            count.1 += weight * share;
        }
    }
    counts
}

impl Counts {
    /// Adds one host: the counts of its pages, each page's shares weighing the same.
    pub fn add_host<'a>(&mut self, pages: impl Iterator<Item = &'a PageCounts>) {
        let mut host: HashMap<(Word, u8), (f32, f32)> = HashMap::new();
        for page in pages {
            for (word, (total, body)) in page {
                let sums = host.entry(*word).or_insert((0.0, 0.0));
                sums.0 += 1.0;
                sums.1 += body / total.max(1e-6);
            }
        }
        for (word, (pages, share)) in host {
            let count = self.hosts.entry(word).or_insert((0.0, 0.0));
            count.0 += 1.0;
            count.1 += share / pages;
        }
    }

    /// Adds what another count holds.
    pub fn merge(&mut self, other: &Counts) {
        for (word, (hosts, body)) in &other.hosts {
            let count = self.hosts.entry(*word).or_insert((0.0, 0.0));
            count.0 += hosts;
            count.1 += body;
        }
    }

    /// Smoothed log-odds against the average word of the level: ln((b + s·r) / (n - b + s·(1 - r))) - ln(r / (1 - r)),
    /// with n hosts that have the word, b their summed shares of body, r the level's mean share and s the smoothing.
    /// Words of fewer than `min_hosts` hosts are left out.
    pub fn lexicon(&self, min_hosts: f32, smoothing: f32) -> Lexicon {
        let mut totals = [(0.0f32, 0.0f32); LEVELS + TEXT_LEVELS];
        // Summed in the order of the words: a hash map's own order would change the last bits from run to run.
        let mut sorted: Vec<_> = self.hosts.iter().filter(|(_, c)| c.0 >= min_hosts).collect();
        sorted.sort_unstable_by_key(|(key, _)| **key);
        for ((_, level), (hosts, body)) in &sorted {
            totals[*level as usize].0 += hosts;
            totals[*level as usize].1 += body;
        }
        let rates = totals.map(|(hosts, body)| (body / hosts.max(1.0)).clamp(0.01, 0.99));
        let mut words: Vec<(Word, [f32; LEVELS])> = Vec::new();
        let mut texts = Vec::new();
        for ((word, level), (hosts, body)) in sorted {
            let rate = rates[*level as usize];
            let odds = ((body + smoothing * rate) / (hosts - body + smoothing * (1.0 - rate))).ln()
                - (rate / (1.0 - rate)).ln();
            if usize::from(*level) >= LEVELS {
                if odds.abs() >= LEAST_ODDS {
                    texts.push((*word, *level, odds));
                }
                continue;
            }
            match words.last_mut().filter(|(last, _)| last == word) {
                Some((_, slots)) => slots[*level as usize] = odds,
                None => {
                    let mut slots = [0.0; LEVELS];
                    slots[*level as usize] = odds;
                    words.push((*word, slots));
                }
            }
        }
        Lexicon { words, texts, ..Lexicon::default() }
    }
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
