//! Scores of one text against a reference, as sums over pages that means come from.

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use crate::page::words::{WordRule, words};

/// How many words a shingle has, after the article-extraction-benchmark.
const SHINGLE: usize = 4;

/// Precision, recall and their harmonic mean, each 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Prf {
    /// The share of what is given that is wanted.
    pub precision: f64,
    /// The share of what is wanted that is given.
    pub recall: f64,
    /// The harmonic mean of the two.
    pub f1: f64,
}

impl Prf {
    /// From counts of what is given and wanted, given, and wanted; a share of nothing is 0.
    pub fn from_counts(hits: u64, given: u64, wanted: u64) -> Prf {
        let (precision, recall) = (share(hits, given), share(hits, wanted));
        Prf { precision, recall, f1: harmonic(precision, recall) }
    }
}

fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

fn harmonic(precision: f64, recall: f64) -> f64 {
    if precision + recall > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 }
}

/// A multiset.
pub(super) type Counts<T> = HashMap<T, u64>;

pub(super) fn count<T: Hash + Eq>(items: impl IntoIterator<Item = T>) -> Counts<T> {
    let mut counts = Counts::new();
    items.into_iter().for_each(|item| *counts.entry(item).or_default() += 1);
    counts
}

/// How many items are in both, in the first, and in the second.
pub(super) fn overlap<T: Hash + Eq>(given: &Counts<T>, wanted: &Counts<T>) -> (u64, u64, u64) {
    let hits = given.iter().map(|(item, n)| (*n).min(wanted.get(item).copied().unwrap_or(0))).sum();
    (hits, given.values().sum(), wanted.values().sum())
}

/// Word precision, recall and F1 of two texts as multisets of lower-cased words; two texts without a word agree.
///
/// ```
/// use lubb::{page::words::WordRule, report::metrics::word_scores};
/// let scores = word_scores("The river rose.", "the river ROSE again", WordRule::Cjk);
/// assert_eq!((scores.precision, scores.recall), (1.0, 0.75));
/// ```
pub fn word_scores(given: &str, wanted: &str, rule: WordRule) -> Prf {
    let (given, wanted) = (given.to_lowercase(), wanted.to_lowercase());
    let (hits, given, wanted) = overlap(&count(words(&given, rule)), &count(words(&wanted, rule)));
    match (given, wanted) {
        (0, 0) => Prf { precision: 1.0, recall: 1.0, f1: 1.0 },
        _ => Prf::from_counts(hits, given, wanted),
    }
}

/// Precision and recall of runs of four words, case mattering: `None` where the side has no word. A text of fewer
/// words is one shingle.
pub fn shingle_scores(given: &str, wanted: &str, rule: WordRule) -> (Option<f64>, Option<f64>) {
    let lists = [given, wanted].map(|text| words(text, rule).collect::<Vec<_>>());
    let [given, wanted] = lists.each_ref().map(|words| match words.len() {
        0 => Counts::new(),
        1..SHINGLE => count([&words[..]]),
        _ => count(words.windows(SHINGLE)),
    });
    let (hits, given, wanted) = overlap(&given, &wanted);
    let of = |whole: u64| (whole > 0).then(|| share(hits, whole));
    (of(given), of(wanted))
}

/// The share of the snippets that a text holds, white space and case aside; `None` where there are no snippets.
pub fn snippet_share(text: &str, snippets: &[String]) -> Option<f64> {
    if snippets.is_empty() {
        return None;
    }
    // Python's str.split also takes the four ASCII separators for white space.
    let is_space = |c: char| c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}');
    let squeeze =
        |text: &str| text.to_lowercase().split(is_space).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    let text = squeeze(text);
    let found = snippets.iter().filter(|snippet| text.contains(&squeeze(snippet))).count();
    Some(found as f64 / snippets.len() as f64)
}

/// A sum over pages, and over how many it goes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sum {
    total: f64,
    pages: f64,
}

impl Sum {
    fn of(value: Option<f64>) -> Sum {
        Sum { total: value.unwrap_or(0.0), pages: f64::from(u8::from(value.is_some())) }
    }

    fn mean(self) -> Option<f64> {
        (self.pages > 0.0).then(|| self.total / self.pages)
    }
}

impl AddAssign for Sum {
    fn add_assign(&mut self, other: Sum) {
        self.total += other.total;
        self.pages += other.pages;
    }
}

/// What pages add up to; every mean is a function of it, so an interval is had by adding other pages.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Totals([Sum; 7]);

impl AddAssign<&Totals> for Totals {
    fn add_assign(&mut self, other: &Totals) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, other)| *sum += other);
    }
}

impl<'a> std::iter::Sum<&'a Totals> for Totals {
    fn sum<I: Iterator<Item = &'a Totals>>(pages: I) -> Totals {
        let mut sum = Totals::default();
        pages.for_each(|page| sum += page);
        sum
    }
}

/// The scores of one page.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PageScores {
    /// Words.
    pub words: Prf,
    /// Shingles: precision where there is output, recall where there is a reference.
    pub shingles: (Option<f64>, Option<f64>),
    /// The share of the wanted snippets that are there.
    pub with: Option<f64>,
    /// The share of the unwanted snippets that are there; 0 is best.
    pub without: Option<f64>,
}

impl PageScores {
    /// One page's part of the sum.
    pub fn totals(&self) -> Totals {
        let Prf { precision, recall, f1 } = self.words;
        let words = [f1, precision, recall].map(|v| Sum::of(Some(v)));
        let others = [self.with, self.without, self.shingles.0, self.shingles.1].map(Sum::of);
        Totals([words[0], words[1], words[2], others[0], others[1], others[2], others[3]])
    }
}

/// Means over pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Means {
    /// Mean word F1.
    pub f1: f64,
    /// Mean word precision.
    pub precision: f64,
    /// Mean word recall.
    pub recall: f64,
    /// Mean share of wanted snippets, over the pages that have some.
    pub with: Option<f64>,
    /// Mean share of unwanted snippets, over the pages that have some.
    pub without: Option<f64>,
    /// Shingle F1: the harmonic mean of precision averaged over the pages with output and recall averaged over
    /// the pages with a reference, as the article-extraction-benchmark has it.
    pub shingle: f64,
}

impl Totals {
    /// The means over the pages that were added.
    pub fn means(&self) -> Means {
        let mean = |at: usize| self.0[at].mean();
        let number = |at: usize| mean(at).unwrap_or(0.0);
        Means {
            f1: number(0),
            precision: number(1),
            recall: number(2),
            with: mean(3),
            without: mean(4),
            shingle: harmonic(number(5), number(6)),
        }
    }
}

/// How many words a text has for word scores, which lower its case first: İ becomes an i with a mark, at which a word ends.
pub fn word_count(text: &str, rule: WordRule) -> u64 {
    words(&text.to_lowercase(), rule).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_that_are_counted_are_those_that_are_scored() {
        let (text, i_alone) = ("İpek yolu İSTANBUL", "i");
        assert_eq!(word_count(text, WordRule::Cjk), 5);
        assert_eq!(word_scores(i_alone, text, WordRule::Cjk).recall, 1.0 / 5.0);
    }
}
