//! Labelled pages to log-odds of words: how many hosts have a word, and how much of its blocks is body there.

use std::collections::HashMap;

use crate::page::Page;

use super::{LEAST_ODDS, LEVELS, Lexicon, NEAR, TEXT_LEVELS, TextWords, Word, further, words_of};

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
            near = further(near, dom.tag(node));
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
