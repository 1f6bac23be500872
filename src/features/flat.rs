//! The columns of a line of flattened text: no tree, so text, punctuation, position, neighbours, repetition
//! and words.

use std::collections::HashMap;

use ndarray::Array2;

use crate::page::Page;

use super::lexicon::{self, TextWords};
use super::structure::LEVELS;
use super::text::{self, TextStats};
use super::wording::{self, Wording};
use super::{Surroundings, to_matrix};

const LINE: &[&str] = &[
    "indent_log",
    "blank_before",
    "blank_after",
    "bullet",
    "position_lines",
    "position_words",
    "index_log",
    "lines_to_end_log",
    "prose_before",
    "repeats_log",
    "repeats_inside_log",
    "prose_overlap",
    "lead_overlap",
    "length_rank",
    "line_to_longest",
    "lines_to_long_before",
    "lines_to_long_after",
    "run_length_log",
    "position_in_run",
    "run_words_log",
    "run_long_share",
];
/// Steps to a long line where there is none.
const FAR: f32 = 60.0;
/// A line is looked for in so many others in all, so that a page of a million lines takes no time squared: in all others
/// of a page of up to 3,162 lines, and in these at least on either side of it.
const MOST_COMPARED: usize = 10_000_000;
const LEAST_SEARCHED: usize = 50;
const NEIGHBOURS: [isize; 8] = [-4, -3, -2, -1, 1, 2, 3, 4];
const NEIGHBOUR: &[&str] = &["words_log", "ends_sentence", "long_text", "starts_digit", "bullet", "blank_before"];
const WINDOWS: [usize; 3] = [3, 8, 20];
const WINDOW: &[&str] = &["words_per_line_log", "long_share", "ends_sentence_share"];
const PAGE: &[&str] =
    &["page_lines_log", "page_words_log", "page_long_share", "page_blank_share", "page_words_per_line"];

/// The names of a line's columns.
pub fn names() -> Vec<String> {
    let mut names: Vec<String> = text::NAMES.iter().map(|n| (*n).to_owned()).collect();
    names.extend(LINE.iter().map(|n| (*n).to_owned()));
    for offset in NEIGHBOURS {
        let side = if offset < 0 { "before" } else { "after" };
        names.extend(NEIGHBOUR.iter().map(|n| format!("{side}{}_{n}", offset.abs())));
    }
    for width in WINDOWS {
        names.extend(WINDOW.iter().map(|n| format!("window{width}_{n}")));
    }
    names.extend(PAGE.iter().map(|n| (*n).to_owned()));
    names.extend(wording::names());
    names.extend(lexicon::text_names());
    names
}

/// A line that reads like prose: at least twelve words and punctuation in it, or a short sentence with its full stop,
/// which headlines and menus do without.
fn is_long(s: &TextStats) -> bool {
    (s.words >= 12.0 && s.sentence_ends + s.commas > 0.0) || (s.words >= 6.0 && s.ends_sentence && !s.ends_ellipsis)
}

/// Maximal runs of lines of one shape (bullet or not, long or not), as ranges: menus and lists of teasers are
/// long runs of short lines.
fn runs(page: &Page, stats: &[TextStats]) -> Vec<(usize, usize)> {
    let shape = |at: usize| (page.lines[at].bullet, stats[at].words >= 12.0);
    let mut out = vec![(0, 0); stats.len()];
    let mut start = 0;
    for at in 1..=stats.len() {
        if at == stats.len() || shape(at) != shape(start) {
            out[start..at].fill((start, at));
            start = at;
        }
    }
    out
}

/// For each line, how many steps back the last true one is, its own not counted; [`FAR`] where there is none.
fn steps_to_last<'a>(flags: impl Iterator<Item = &'a bool>) -> Vec<f32> {
    let mut since = None;
    let steps = flags.map(|flag| {
        let steps = since.map_or(FAR, |since: usize| since as f32);
        since = if *flag { Some(1) } else { since.map(|since| since + 1) };
        steps
    });
    steps.collect()
}

/// The matrix of a flattened page, and windows of lines in place of containers.
pub fn matrix_without_lexicon(page: &Page) -> (Array2<f32>, Surroundings) {
    let width = names().len();
    let (stats, hashes) = text::page_stats(page);
    let count = stats.len();
    let flag = |b: bool| f32::from(u8::from(b));
    let words_of = |s: &TextStats| &hashes[s.hashes.start as usize..s.hashes.end as usize];
    let long: Vec<bool> = stats.iter().map(is_long).collect();

    // Words of the page's prose and how many lines have them: what a teaser says is rarely said again.
    let mut prose: HashMap<u64, u32> = HashMap::new();
    for (s, _) in stats.iter().zip(&long).filter(|(_, l)| **l) {
        let mut words = words_of(s).to_vec();
        words.sort_unstable();
        words.dedup();
        words.into_iter().for_each(|w| *prose.entry(w).or_insert(0) += 1);
    }
    let lead: Vec<u64> =
        stats.iter().zip(&long).filter(|(_, l)| **l).take(2).flat_map(|(s, _)| words_of(s).to_vec()).collect();
    let share = |words: &[u64], has: &dyn Fn(&u64) -> bool| {
        words.iter().filter(|w| has(w)).count() as f32 / words.len().max(1) as f32
    };
    let mut repeats: HashMap<u64, u32> = HashMap::new();
    stats.iter().for_each(|s| *repeats.entry(s.shape).or_insert(0) += 1);
    let mut by_length: Vec<f32> = stats.iter().map(|s| s.words).collect();
    by_length.sort_by(f32::total_cmp);

    // Prefix sums: words, long lines' words, long lines, lines that end a sentence.
    let mut sums = vec![[0.0f32; 4]];
    for (s, long) in stats.iter().zip(&long) {
        let last = sums[sums.len() - 1];
        sums.push([
            last[0] + s.words,
            last[1] + flag(*long) * s.words,
            last[2] + flag(*long),
            last[3] + flag(s.ends_sentence),
        ]);
    }
    let over = |from: usize, to: usize| std::array::from_fn::<f32, 4, _>(|k| sums[to][k] - sums[from][k]);
    let total = over(0, count);
    let blank: f32 = page.lines.iter().map(|l| f32::from(l.blank_before.min(3))).sum();
    let runs = runs(page, &stats);
    let long_before = steps_to_last(long.iter());
    let mut long_after = steps_to_last(long.iter().rev());
    long_after.reverse();
    let searched = (MOST_COMPARED / count.max(1)).max(LEAST_SEARCHED);
    let longest = by_length.last().copied().unwrap_or(1.0).max(1.0);

    let wording = Wording::of(&stats, &hashes);
    let mut values = Vec::with_capacity(count * width);
    for (at, (s, block)) in stats.iter().zip(&page.blocks).enumerate() {
        values.extend(text::columns(s, block));
        let line = &page.lines[at];
        let before = sums[at];
        let own = words_of(s);
        let prose_overlap = share(own, &|w| prose.get(w).copied().unwrap_or(0) > u32::from(long[at]));
        let (run_start, run_end) = runs[at];
        let run = over(run_start, run_end);
        let rank = by_length.partition_point(|w| *w < s.words) as f32 / count as f32;
        // The same line inside another one: a headline repeated in a share text, a bullet repeated below its menu.
        let text = page.text_of(block);
        let inside = if s.words >= 2.0 && text.len() < 200 {
            let others = page.blocks[at.saturating_sub(searched)..count.min(at + searched)].iter();
            let others = others.map(|other| page.text_of(other));
            others.filter(|t| t.len() > text.len() && t.len() < 400 && t.contains(text)).count() as f32
        } else {
            0.0
        };
        values.extend([
            f32::from(line.indent).ln_1p(),
            f32::from(line.blank_before.min(3)),
            f32::from(page.lines.get(at + 1).map_or(3, |l| l.blank_before.min(3))),
            flag(line.bullet),
            at as f32 / count as f32,
            before[0] / total[0].max(1.0),
            (at as f32).ln_1p(),
            ((count - at) as f32).ln_1p(),
            before[1] / total[1].max(1.0),
            (repeats.get(&s.shape).copied().unwrap_or(1) as f32).ln_1p(),
            inside.ln_1p(),
            prose_overlap,
            share(own, &|w| lead.contains(w)),
            rank,
            s.words / longest,
            long_before[at].ln_1p(),
            long_after[at].ln_1p(),
            ((run_end - run_start) as f32).ln_1p(),
            (at - run_start) as f32 / (run_end - run_start) as f32,
            run[0].ln_1p(),
            run[1] / run[0].max(1.0),
        ]);
        for offset in NEIGHBOURS {
            match at.checked_add_signed(offset).filter(|n| *n < count) {
                None => values.extend([0.0; 6]),
                Some(n) => values.extend([
                    stats[n].words.ln_1p(),
                    flag(stats[n].ends_sentence),
                    flag(long[n]),
                    flag(stats[n].starts_digit),
                    flag(page.lines[n].bullet),
                    f32::from(page.lines[n].blank_before.min(3)),
                ]),
            }
        }
        for reach in WINDOWS {
            let (from, to) = (at.saturating_sub(reach), (at + reach + 1).min(count));
            let inner = over(from, to);
            let lines = (to - from) as f32;
            values.extend([(inner[0] / lines).ln_1p(), inner[1] / inner[0].max(1.0), inner[3] / lines]);
        }
        values.extend([
            (count as f32).ln_1p(),
            total[0].ln_1p(),
            total[1] / total[0].max(1.0),
            blank / count as f32,
            (total[0] / count as f32).ln_1p(),
        ]);
        wording.columns(at, None, &mut values);
        values.resize((at + 1) * width, 0.0);
    }
    let window = |at: usize, reach: usize| (at.saturating_sub(reach) as u32, (at + reach + 1).min(count) as u32);
    let all = (0, count as u32);
    let around = |at: usize| {
        let run = (runs[at].0 as u32, runs[at].1 as u32);
        let mut levels = [all; LEVELS];
        levels[..4].copy_from_slice(&[run, window(at, 3), window(at, 8), window(at, 20)]);
        levels
    };
    let surroundings = Surroundings {
        words: stats.iter().map(|s| s.words.max(0.5)).collect(),
        containers: (0..count).map(around).collect(),
        prose: all,
        headings: vec![None; count],
        title: None,
        texts: TextWords::of(&stats, &hashes),
        stats: (stats, hashes),
    };
    (to_matrix(values, width), surroundings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_fills_exactly_its_columns() {
        let page = Page::from_text(
            "Menu\n  • one\n\nA long line of prose, with more than twelve words in it, that ends here.\nMenu\n",
        );
        let (matrix, surroundings) = matrix_without_lexicon(&page);
        assert_eq!(matrix.dim(), (4, names().len()));
        assert!(matrix.iter().all(|v| v.is_finite()));
        let column = |name: &str| names().iter().position(|n| n == name).unwrap();
        assert_eq!(matrix.column(column("bullet")).to_vec(), [0.0, 1.0, 0.0, 0.0]);
        assert_eq!(matrix[[0, column("repeats_log")]], matrix[[3, column("repeats_log")]]);
        assert_eq!(surroundings.containers.len(), 4);
        let steps = |name: &str| matrix.column(column(name)).map(|log| log.exp_m1().round()).to_vec();
        assert_eq!(steps("lines_to_long_before"), [FAR, FAR, FAR, 1.0]);
        assert_eq!(steps("lines_to_long_after"), [2.0, 1.0, FAR, FAR]);
        // "one" has one word, and a single word says nothing.
        assert_eq!(steps("repeats_inside_log"), [0.0; 4]);
    }

    #[test]
    fn a_line_is_found_in_others_near_it_however_long_the_page_is() {
        let mut lines = vec!["filler".to_owned(); 20_000];
        for at in [100, 10_000] {
            lines[at] = "Two words".to_owned();
            lines[at + 40] = "Here are two words: Two words".to_owned();
        }
        let (matrix, _) = matrix_without_lexicon(&Page::from_text(&lines.join("\n")));
        let inside = names().iter().position(|n| n == "repeats_inside_log").unwrap();
        let found: Vec<usize> = (0..20_000).filter(|at| matrix[[*at, inside]] > 0.0).collect();
        assert_eq!(found, [100, 10_000]);
        assert_eq!(matrix[[100, inside]], 1.0f32.ln_1p(), "the other place is too far");
    }
}
