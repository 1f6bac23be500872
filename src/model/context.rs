//! A stage's probabilities around a block, as columns for the stage after it.
//!
//! Stage one judges a block by itself and its surroundings' features; each later stage also sees what the one before
//! made of the surroundings: a doubtful line between two sure paragraphs is body, the same line in a list of teasers is not.

use crate::features::Surroundings;
use crate::features::lanes::by_fours;
use crate::features::log::ln_1p;
use crate::features::structure::LEVELS;

const REACH: usize = 4;
const WINDOWS: [usize; 3] = [2, 5, 12];
const LOGIT_CAP: f32 = 8.0;

/// How many of the columns, the first ones, are of the block itself.
pub const OF_THE_BLOCK: usize = 2;

/// How many columns [`columns`] has.
pub const WIDTH: usize = OF_THE_BLOCK + 2 * REACH + WINDOWS.len() + 3 * LEVELS + 10;

/// The columns' names, in order.
pub fn names() -> Vec<String> {
    let mut names = vec!["earlier_p".to_owned(), "earlier_logit".to_owned()];
    for distance in 1..=REACH {
        names.push(format!("earlier_before{distance}"));
        names.push(format!("earlier_after{distance}"));
    }
    names.extend(WINDOWS.map(|w| format!("earlier_window{w}")));
    for level in 1..=LEVELS {
        names.extend(["mean", "captured", "max"].map(|what| format!("earlier_container{level}_{what}")));
    }
    names.extend(
        [
            "page_mean",
            "page_expected_log",
            "page_body_blocks_log",
            "page_max",
            "before_share",
            "to_sure_before",
            "to_sure_after",
            "heading",
            "prose_mean",
            "title",
        ]
        .map(|n| format!("earlier_{n}")),
    );
    names
}

fn logit(p: f32) -> f32 {
    (p / (1.0 - p)).ln().clamp(-LOGIT_CAP, LOGIT_CAP)
}

/// Gives each block's row to `put`, up to four at once, from the probabilities of the stage before.
pub fn columns(around: &Surroundings, p: &[f32], put: impl FnMut(&[f32])) {
    let count = p.len();
    // Prefix sums of words and of expected words of body.
    let mut sums = Vec::with_capacity(count + 1);
    sums.push((0.0f32, 0.0f32));
    for (p, words) in p.iter().zip(&around.words) {
        let (w, e) = sums[sums.len() - 1];
        sums.push((w + words, e + words * p));
    }
    let over = |from: usize, to: usize| (sums[to].0 - sums[from].0, sums[to].1 - sums[from].1);
    let mean = |from: usize, to: usize| {
        let (words, expected) = over(from, to);
        expected / words.max(1e-6)
    };
    let expected = sums[count].1.max(1e-6);
    let page = [mean(0, count), expected.ln_1p(), (p.iter().filter(|p| **p > 0.5).count() as f32).ln_1p(), greatest(p)];
    let sure_before = steps_since(p.iter().map(|p| *p > 0.7));
    let mut sure_after = steps_since(p.iter().rev().map(|p| *p > 0.7));
    sure_after.reverse();
    // What is said of a container is found once a container: blocks of one container come one after another.
    let mut last: [((u32, u32), [f32; 3]); LEVELS] = [((u32::MAX, 0), [0.0; 3]); LEVELS];
    let prose = mean(around.prose.0 as usize, (around.prose.1 as usize).max(around.prose.0 as usize + 1).min(count));
    let title = around.title.map_or(0.0, |t| p[t as usize]);
    let row = |at: usize, row: &mut Vec<f32>| {
        row.extend([p[at], logit(p[at])]);
        row.extend::<[f32; 2 * REACH]>(std::array::from_fn(|place| {
            let distance = place / 2 + 1;
            let neighbour = if place % 2 == 0 { at.checked_sub(distance) } else { Some(at + distance) };
            neighbour.and_then(|n| p.get(n)).copied().unwrap_or(0.0)
        }));
        row.extend(WINDOWS.map(|w| mean(at.saturating_sub(w), (at + w + 1).min(count))));
        let before = last;
        for (last, &(from, to)) in last.iter_mut().zip(&around.containers[at]) {
            if last.0 != (from, to) {
                // The outer containers are often the same ones, a level further in or out.
                let said = before.iter().find(|before| before.0 == (from, to)).map(|before| before.1);
                let (f, t) = (from as usize, to as usize);
                let find = || [mean(f, t), over(f, t).1 / expected, greatest(&p[f..t])];
                *last = ((from, to), said.unwrap_or_else(find));
            }
            row.extend(last.1);
        }
        row.extend(page);
        row.extend([
            sums[at].1 / expected,
            ln_1p(f32::from(sure_before[at])),
            ln_1p(f32::from(sure_after[at])),
            around.headings[at].map_or(0.5, |h| p[h as usize]),
            prose,
            title,
        ]);
    };
    by_fours(count, WIDTH, row, put);
}

/// The greatest of some probabilities; 0 of none. Eight at a time: a container is often most of the page.
fn greatest(p: &[f32]) -> f32 {
    let (eights, rest) = p.as_chunks::<8>();
    let mut most = [0.0f32; 8];
    for eight in eights {
        // Not `f32::max`, whose care for NaN takes three more steps; probabilities are none.
        most.iter_mut().zip(eight).for_each(|(most, p)| *most = if *p > *most { *p } else { *most });
    }
    most.iter().chain(rest).copied().fold(0.0, f32::max)
}

/// For each block, how many steps back the last true one is (its own not counted), at most 200.
fn steps_since(flags: impl Iterator<Item = bool>) -> Vec<u16> {
    let mut since = 200u16;
    flags
        .map(|flag| {
            let steps = since;
            since = if flag { 1 } else { (since + 1).min(200) };
            steps
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    /// A page of three blocks of one, two and three words; the last two share a container.
    fn around() -> Surroundings {
        let containers =
            [(0, 1), (1, 3), (1, 3)].map(|inner| std::array::from_fn(|level| [inner, (0, 3)][level.min(1)]));
        Surroundings {
            words: vec![1.0, 2.0, 3.0],
            containers: containers.to_vec(),
            prose: (1, 3),
            headings: vec![None, Some(0), Some(0)],
            ..Surroundings::default()
        }
    }

    /// Each block's columns by their names.
    fn named(rows: Vec<Vec<f32>>) -> Vec<HashMap<String, f32>> {
        rows.into_iter().map(|row| names().into_iter().zip(row).collect()).collect()
    }

    #[test]
    fn every_column_has_a_name() {
        let mut rows = Vec::new();
        columns(&around(), &[0.1, 0.8, 0.9], |all| rows.push(all.len()));
        assert_eq!((rows, names().len()), (vec![3 * WIDTH], WIDTH));
    }

    #[test]
    fn a_block_is_told_of_itself_of_those_beside_it_and_of_its_containers() {
        let mut rows = Vec::new();
        columns(&around(), &[0.1, 0.7, 0.9], |all| rows.extend(all.chunks(WIDTH).map(<[f32]>::to_vec)));
        let block = &named(rows)[1];
        let told = ["p", "before1", "after1", "after2", "heading", "to_sure_after"]
            .map(|name| block[&format!("earlier_{name}")]);
        assert_eq!(told, [0.7, 0.1, 0.9, 0.0, 0.1, ln_1p(1.0)]);
        let of_container = block["earlier_container1_mean"];
        assert!((of_container - (2.0 * 0.7 + 3.0 * 0.9) / 5.0).abs() < 1e-6, "by words: {of_container}");
    }
}
