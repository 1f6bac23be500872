//! Sums of derivatives by bin, and the best condition they show.
//!
//! Derivatives are rounded to fixed point, first and second packed into one `u64`, so that filling a histogram is one
//! integer addition a bin. Integers add up the same in any order: the number of threads cannot change a model, and a
//! node's histogram minus one child's is exactly the other's. The sums have 30 bits, the mean row of half a million
//! about 11; leaf values do not use them but the exact derivatives. (LightGBM trains well on 2 to 5 bits: Shi et al.,
//! "Quantized Training of Gradient Boosting Decision Trees", NeurIPS 2022.)

use rayon::prelude::*;

use super::bins::{Bins, Cuts, GROUP, MISSING};
use super::loss::CHUNK;
use super::params::BoostValidParams;

/// A histogram: packed sums by bin. Longer than its 256 bins so that the same bin of neighbouring histograms never
/// lies a multiple of 4096 bytes apart, which processors mistake for the same address.
pub(super) type Histogram = [u64; 264];
pub(super) const EMPTY: Histogram = [0; 264];

/// What packed derivatives are worth.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    g: f64,
    h: f64,
}

/// Rounds and packs derivatives, to a scale at which sums over `rows` do not overflow. Only those rows' may be added up.
pub(super) fn pack(derivatives: &[[f32; 2]], rows: &[u32], out: &mut [u64]) -> Scale {
    let sums: Vec<[f64; 2]> = rows
        .par_chunks(CHUNK)
        .map(|rows| {
            rows.iter().fold([0.0, 0.0], |[g, h], &row| {
                let d = derivatives[row as usize];
                [g + f64::from(d[0].abs()), h + f64::from(d[1])]
            })
        })
        .collect();
    let [g, h] = sums.iter().fold([0.0, 0.0], |sum, part| [sum[0] + part[0], sum[1] + part[1]]);
    // No sum over any of the rows passes 2^30 and half a unit a row, so neither half overflows.
    let unit = |sum: f64| if sum > 0.0 { f64::from(1u32 << 30) / sum } else { 0.0 };
    let (to_g, to_h) = (unit(g), unit(h));
    out.par_chunks_mut(CHUNK).zip(derivatives.par_chunks(CHUNK)).for_each(|(out, derivatives)| {
        for (out, [g, h]) in out.iter_mut().zip(derivatives) {
            let (g, h) = (round(f64::from(*g) * to_g), round(f64::from(*h) * to_h));
            *out = (i64::from(g) << 32).wrapping_add(i64::from(h)) as u64;
        }
    });
    let back = |unit: f64| if unit > 0.0 { 1.0 / unit } else { 0.0 };
    Scale { g: back(to_g), h: back(to_h) }
}

#[inline]
fn round(x: f64) -> i32 {
    // `f64::round` is a call on processors before SSE 4.1.
    (x + 0.5f64.copysign(x)) as i32
}

/// Up to eight of the columns that a tree may use, and their bins side by side.
pub(super) struct Group<'a> {
    /// The columns' numbers.
    columns: &'a [usize],
    /// Their bins, one word a row.
    words: &'a [[u8; GROUP]],
}

impl<'a> Group<'a> {
    /// Groups columns whose bins were taken together.
    pub(super) fn all(columns: &'a [usize], taken: &'a Bins) -> Vec<Group<'a>> {
        let groups = columns.chunks(GROUP).enumerate();
        groups.map(|(at, columns)| Group { columns, words: taken.group(at) }).collect()
    }

    /// How many columns there are.
    pub(super) fn len(&self) -> usize {
        self.columns.len()
    }

    /// Adds `rows` to the group's histograms; `packed` has their derivatives in the same order.
    pub(super) fn fill(&self, rows: &[u32], packed: &[u64], histograms: &mut [Histogram]) {
        match self.len() {
            1 => fill::<1>(self.words, rows, packed, histograms),
            2 => fill::<2>(self.words, rows, packed, histograms),
            3 => fill::<3>(self.words, rows, packed, histograms),
            4 => fill::<4>(self.words, rows, packed, histograms),
            5 => fill::<5>(self.words, rows, packed, histograms),
            6 => fill::<6>(self.words, rows, packed, histograms),
            7 => fill::<7>(self.words, rows, packed, histograms),
            _ => fill::<8>(self.words, rows, packed, histograms),
        }
    }
}

/// Fills `K` histograms in one pass: their additions do not wait for each other, as those of one histogram do when a
/// column is nearly constant.
fn fill<const K: usize>(words: &[[u8; GROUP]], rows: &[u32], packed: &[u64], out: &mut [Histogram]) {
    let Some(out) = out.first_chunk_mut::<K>() else { return };
    for (&row, &packed) in rows.iter().zip(packed) {
        let word = words[row as usize];
        for (histogram, bin) in out.iter_mut().zip(word) {
            let sum = &mut histogram[usize::from(bin)];
            *sum = sum.wrapping_add(packed);
        }
    }
}

/// A condition on a binned column: bins up to `cut` go left, and missing values where `missing_left` says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Split {
    pub(super) column: usize,
    pub(super) cut: u8,
    pub(super) missing_left: bool,
    pub(super) gain: f32,
}

impl Split {
    #[inline]
    pub(super) fn goes_left(&self, bin: u8) -> bool {
        if bin == MISSING { self.missing_left } else { bin <= self.cut }
    }

    /// The better of two, the first if they are equal.
    pub(super) fn better(a: Option<Split>, b: Option<Split>) -> Option<Split> {
        match (a, b) {
            (Some(a), Some(b)) => Some(if b.gain > a.gain { b } else { a }),
            (a, b) => a.or(b),
        }
    }
}

/// How to score a condition.
#[derive(Clone, Copy)]
pub(super) struct Scorer {
    g: f32,
    h: f32,
    l2: f32,
    least: i32,
    min_gain: f32,
}

impl Scorer {
    pub(super) fn new(scale: Scale, params: &BoostValidParams) -> Scorer {
        // A side without any weight is no side, whatever the parameter.
        let least = if scale.h > 0.0 { (f64::from(params.min_child_weight) / scale.h).ceil().max(1.0) } else { 1.0 };
        // A hair of penalty keeps 0/0 away where both sums are 0.
        let l2 = params.l2.max(f32::MIN_POSITIVE);
        Scorer { g: scale.g as f32, h: scale.h as f32, l2, least: least as i32, min_gain: params.min_gain }
    }

    /// `G² / (H + l2)`: twice what the best value of a leaf with these sums takes off the loss (Chen and Guestrin,
    /// "XGBoost", 2016, equation 6, without its factor one half).
    #[inline]
    fn score(&self, sum: u64) -> f32 {
        let (g, h) = self.unpack(sum);
        g * g / (h + self.l2)
    }

    #[inline]
    fn unpack(&self, sum: u64) -> (f32, f32) {
        ((sum >> 32) as i32 as f32 * self.g, sum as i32 as f32 * self.h)
    }

    /// Adds to each cut's gain what it gains at one node: `left` has the sums up to each cut, without missing values.
    fn add_gains(&self, left: &[u64], missing_left: u64, total: u64, gains: &mut [f32]) {
        let parent = self.score(total);
        for (gain, &left) in gains.iter_mut().zip(left) {
            let left = left.wrapping_add(missing_left);
            let right = total.wrapping_sub(left);
            // No branch, so that several cuts are scored at a time.
            let heavy = (left as i32 >= self.least) & (right as i32 >= self.least);
            let gain_here = self.score(left) + self.score(right) - parent;
            *gain += if heavy { gain_here } else { 0.0 };
        }
    }

    /// The best condition on a column for nodes that must share it, by their histograms.
    fn best_of_column<'a>(
        &self,
        column: usize,
        cuts: usize,
        nodes: impl Iterator<Item = &'a Histogram> + Clone,
    ) -> Option<Split> {
        let cuts = cuts.min(usize::from(MISSING));
        let any_missing = nodes.clone().any(|histogram| histogram[usize::from(MISSING)] != 0);
        let (mut right, mut left) = ([0.0f32; 256], [0.0f32; 256]);
        let mut up_to = [0u64; 256];
        for histogram in nodes.clone() {
            let mut sum = 0u64;
            for (up_to, bin) in up_to.iter_mut().zip(&histogram[..=cuts]) {
                sum = sum.wrapping_add(*bin);
                *up_to = sum;
            }
            let missing = histogram[usize::from(MISSING)];
            let total = sum.wrapping_add(missing);
            self.add_gains(&up_to[..cuts], 0, total, &mut right[..cuts]);
            if any_missing {
                self.add_gains(&up_to[..cuts], missing, total, &mut left[..cuts]);
            }
        }
        let mut best: Option<Split> = None;
        let sides = [(false, &right), (true, &left)];
        for (missing_left, gains) in sides.into_iter().take(if any_missing { 2 } else { 1 }) {
            for (cut, &gain) in gains[..cuts].iter().enumerate() {
                if gain > best.map_or(self.min_gain, |b| b.gain) {
                    best = Some(Split { column, cut: cut as u8, missing_left, gain });
                }
            }
        }
        if let Some(split) = best.as_mut().filter(|_| !any_missing) {
            // Values that are missing only later go where most go.
            let weight = |histogram: &Histogram, bins: std::ops::Range<usize>| -> i64 {
                histogram[bins].iter().map(|&sum| i64::from(sum as i32)).sum()
            };
            let middle = usize::from(split.cut) + 1;
            let balance: i64 = nodes.map(|h| weight(h, 0..middle) - weight(h, middle..cuts + 1)).sum();
            split.missing_left = balance >= 0;
        }
        best
    }

    /// The best condition that a group's columns offer to nodes which must share it; `nodes` has each node's
    /// histograms of the group. Of equals, the first column's and cut's.
    pub(super) fn best_of_group(&self, group: &Group, cuts: &Cuts, nodes: &[&[Histogram]]) -> Option<Split> {
        let best = group.columns.iter().enumerate().map(|(k, &column)| {
            self.best_of_column(column, cuts.of(column).len(), nodes.iter().filter_map(|node| node.get(k)))
        });
        best.fold(None, Split::better)
    }
}
