//! Stock phrases: what the words of a block say of its kind.
//!
//! Chrome says the same few things everywhere: "read also", "share", "most read", "all rights reserved". A fixed list
//! of such phrases in some thirty languages (`phrases.txt`) serves the languages of which few pages are labelled. A
//! second list (`offers.txt`) has what sites say to their readers in whole sentences, often as the last paragraphs of an
//! article: subscribe, follow, support us, who we are. What the words of a text say beyond that is learned, see
//! [`lexicon`](super::lexicon).

use std::sync::OnceLock;

use super::log::ln_1p;
use super::structure::HashedMap;
use super::table::Sieve;
use super::text::{TextStats, word_hashes};

const LIST: &str = include_str!("phrases.txt");
const OFFERS: &str = include_str!("offers.txt");

/// The kinds of the list, in its order.
pub const KINDS: [&str; 6] = ["related", "comment", "nav", "meta", "caption", "widget"];

/// Words at the beginning of a block among which a phrase is looked for, and at the end of the same.
const FIRST: usize = 12;
/// The longest phrase that counts, in words; Chinese and Japanese characters are words here.
const LONGEST: usize = 10;
/// A block with this share of its words in phrases of a kind stands over what follows like a heading does.
const HEADS: f32 = 0.5;

/// A list's phrases by their first words, longer ones first.
pub(crate) struct Phrases {
    /// The words that phrases begin with, and their [`beginning`]s: many phrases begin with a word that is everywhere, such
    /// as "the", and few of those go on as the text does.
    first_words: Sieve,
    beginnings: Sieve,
    by_first_word: HashedMap<Vec<(Vec<u64>, u8)>>,
}

/// One key for the first two words of a phrase, or for its only one.
fn beginning(words: &[u64]) -> u64 {
    words[0] ^ words.get(1).map_or(0, |second| second.rotate_left(32))
}

impl Phrases {
    /// The phrases that begin with the first of some words, or none, where none can begin as they do.
    fn beginning_with(&self, words: &[u64]) -> &[(Vec<u64>, u8)] {
        let may_begin = || [&words[..1], words].map(beginning).iter().any(|key| self.beginnings.may_have(*key));
        let is_listed = self.first_words.may_have(words[0]) && may_begin();
        let list = if is_listed { self.by_first_word.get(&words[0]) } else { None };
        list.map_or(&[], |list| list)
    }

    /// The longest phrase that `words` begin with, by its length and kind; once for every kind that has it.
    fn longest<'a>(&'a self, words: &'a [u64]) -> impl Iterator<Item = (usize, u8)> + 'a {
        let here = self.beginning_with(words).iter().filter(|(phrase, _)| words.starts_with(phrase));
        let mut here = here.map(|(phrase, kind)| (phrase.len(), *kind)).peekable();
        let longest = here.peek().map_or(0, |(length, _)| *length);
        here.take_while(move |(length, _)| *length == longest)
    }

    /// How many phrases some words hold, anywhere, and how many of the words are in them.
    pub(crate) fn held(&self, words: &[u64]) -> (usize, usize) {
        let (mut count, mut covered, mut at) = (0, 0, 0);
        while at < words.len() {
            let length = self.longest(&words[at..]).next().map_or(0, |(length, _)| length);
            count += usize::from(length > 0);
            covered += length;
            at += length.max(1);
        }
        (count, covered)
    }

    /// Reads a list: phrases of one line are separated by `|`, a line in brackets names the kind of those below it.
    pub(crate) fn read(list: &str) -> Phrases {
        let mut phrases: HashedMap<Vec<(Vec<u64>, u8)>> = HashedMap::default();
        let mut kind = 0;
        for line in list.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
            if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                kind = KINDS.iter().position(|k| *k == name).unwrap_or(0) as u8;
                continue;
            }
            for words in line.split('|').map(word_hashes).filter(|words| (1..=LONGEST).contains(&words.len())) {
                phrases.entry(words[0]).or_default().push((words, kind));
            }
        }
        phrases.values_mut().for_each(|list| list.sort_by_key(|(words, _)| std::cmp::Reverse(words.len())));
        let beginnings: Vec<u64> = phrases.values().flatten().map(|(words, _)| beginning(words)).collect();
        Phrases {
            first_words: Sieve::of(phrases.keys().copied()),
            beginnings: Sieve::of(beginnings.into_iter()),
            by_first_word: phrases,
        }
    }
}

fn phrases() -> &'static Phrases {
    static PHRASES: OnceLock<Phrases> = OnceLock::new();
    PHRASES.get_or_init(|| Phrases::read(LIST))
}

fn offers() -> &'static Phrases {
    static OFFER_PHRASES: OnceLock<Phrases> = OnceLock::new();
    OFFER_PHRASES.get_or_init(|| Phrases::read(OFFERS))
}

/// How many phrases of offers a block holds, anywhere, and the share of its words that are in them.
fn offered(words: &[u64]) -> (f32, f32) {
    let (count, covered) = offers().held(words);
    (count as f32, covered as f32 / words.len().max(1) as f32)
}

/// For each kind, the share of a block's words that are in its phrases, 0 to 1; of a long block only the beginning is
/// read, and a phrase in it counts for little.
fn coverage(words: &[u64]) -> [f32; KINDS.len()] {
    let phrases = phrases();
    let mut covered = [0usize; KINDS.len()];
    let mut at = 0;
    while at < words.len().min(FIRST) {
        let mut length = 0;
        for (phrase, kind) in phrases.longest(&words[at..]) {
            length = phrase;
            covered[usize::from(kind)] += phrase;
        }
        at += length.max(1);
    }
    covered.map(|c| (c as f32 / words.len().max(1) as f32).min(1.0))
}

/// The columns of all blocks of a page, in the order of [`names`].
pub struct Wording {
    covered: Vec<[f32; KINDS.len()]>,
    /// For each block, steps since a short block of phrases of each kind (at most 60).
    since: Vec<[u8; KINDS.len()]>,
    /// For each block, phrases of offers in it, and the share of its words in them.
    offered: Vec<(f32, f32)>,
}

impl Wording {
    /// Reads a page's blocks.
    pub fn of(stats: &[TextStats], hashes: &[u64]) -> Wording {
        let words = |s: &TextStats| &hashes[s.hashes.start as usize..s.hashes.end as usize];
        let covered: Vec<_> = stats.iter().map(|s| coverage(words(s))).collect();
        let mut last = [60u8; KINDS.len()];
        let mut since = Vec::with_capacity(covered.len());
        for covered in &covered {
            since.push(last);
            for (steps, covered) in last.iter_mut().zip(covered) {
                *steps = if *covered >= HEADS { 1 } else { (*steps + 1).min(60) };
            }
        }
        Wording { covered, since, offered: stats.iter().map(|s| offered(words(s))).collect() }
    }

    /// Appends a block's columns; `heading` is the last heading before it.
    pub fn columns(&self, at: usize, heading: Option<usize>, out: &mut Vec<f32>) {
        out.extend(self.covered[at]);
        out.extend(heading.map_or([0.0; KINDS.len()], |h| self.covered[h]));
        out.extend(self.since[at].map(|steps| ln_1p(f32::from(steps))));
        let (count, share) = self.offered[at];
        out.extend([ln_1p(count), share]);
    }
}

/// The names of [`Wording::columns`].
pub fn names() -> Vec<String> {
    let of = |what: &'static str| KINDS.iter().map(move |kind| format!("{what}_{kind}"));
    let offers = ["offer_phrases", "offer_share"].map(str::to_owned);
    of("says").chain(of("heading_says")).chain(of("since_says")).chain(offers).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(text: &str, kind: &str) -> f32 {
        coverage(&word_hashes(text))[KINDS.iter().position(|k| *k == kind).unwrap()]
    }

    #[test]
    fn phrases_are_found_without_case_and_punctuation_in_any_script() {
        assert_eq!(says("READ ALSO:", "related"), 1.0);
        assert_eq!(says("اقرأ أيضاً: أسعار الذهب اليوم", "related"), 2.0 / 5.0);
        assert_eq!(says("相关阅读", "related"), 1.0);
        assert_eq!(says("Leave a Reply", "comment"), 1.0);
        assert_eq!(says("The committee read the whole report yesterday", "related"), 0.0);
    }

    #[test]
    fn offers_are_found_anywhere_in_a_block_and_the_longest_phrase_counts() {
        let of = |text: &str| offered(&word_hashes(text));
        assert_eq!(of("If you liked this, please consider a donation."), (2.0, 3.0 / 8.0));
        assert_eq!(of("للمزيد من الأخبار اشترك الآن في قناتنا على تلغرام"), (3.0, 4.0 / 9.0));
        assert_eq!(of("The committee met on Tuesday."), (0.0, 0.0));
        assert_eq!(of(""), (0.0, 0.0));
    }

    #[test]
    fn every_line_of_the_list_is_under_a_kind_and_is_read() {
        let sections = LIST.lines().filter(|l| l.starts_with('['));
        assert_eq!(sections.map(|l| l.trim_matches(['[', ']'])).collect::<Vec<_>>(), KINDS);
        let lines = LIST.lines().chain(OFFERS.lines());
        let listed = lines.filter(|l| !l.starts_with(['[', '#'])).flat_map(|l| l.split('|'));
        for phrase in listed.map(str::trim).filter(|p| !p.is_empty()) {
            let words = word_hashes(phrase).len();
            assert!((1..=LONGEST).contains(&words) || phrase == "©", "'{phrase}' has {words} words");
        }
    }

    #[test]
    fn every_phrase_of_a_list_is_found_whatever_follows_it() {
        for phrases in [phrases(), offers()] {
            let listed: Vec<_> = phrases.by_first_word.values().flatten().collect();
            assert!(listed.len() > 100);
            for (phrase, kind) in listed {
                let followed = [&phrase[..], &[1]].concat();
                assert!(phrases.longest(&followed).any(|found| found == (phrase.len(), *kind)), "{phrase:?}");
                assert_eq!(phrases.longest(&[1, phrase[0]]).count(), 0);
            }
        }
    }

    #[test]
    fn a_heading_phrase_is_remembered_by_what_follows() {
        let page = crate::page::Page::from_html("<div>Most read</div><p>One</p><p>Two</p>");
        let (stats, hashes) = super::super::text::page_stats(&page);
        let wording = Wording::of(&stats, &hashes);
        let related = 2 * KINDS.len();
        let since: Vec<f32> = (0..3)
            .map(|at| {
                let mut row = Vec::new();
                wording.columns(at, None, &mut row);
                assert_eq!(row.len(), names().len());
                row[related].exp() - 1.0
            })
            .map(f32::round)
            .collect();
        assert_eq!(since, [60.0, 1.0, 2.0]);
    }
}
