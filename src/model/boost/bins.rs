//! Feature values to 8-bit bins, the only form in which training sees them.
//!
//! A column's bins are divided by cuts: bin `b` holds the values above cut `b - 1` and up to cut `b`. So "value at
//! most cut `b`" and "bin at most `b`" say the same of every value, and trees that were grown on bins can be stored
//! with the cuts themselves as thresholds.

use ndarray::ArrayView2;
use rayon::prelude::*;

/// The most bins for values that are there.
pub(super) const MAX_BINS: usize = 255;
/// The bin of missing values (NaN).
pub(super) const MISSING: u8 = 255;
/// Columns whose bins lie side by side for one row. Eight bins make one 64-bit load, rows that a node skips cost one
/// cache line for eight columns, and the eight histograms being filled fit the first-level cache together.
pub(super) const GROUP: usize = 8;

/// Infinities count as the largest finite number of their sign, here and in prediction, so that a threshold of
/// `f32::MAX` divides all that is there from what is missing.
#[inline]
pub(super) fn finite(x: f32) -> f32 {
    x.clamp(f32::MIN, f32::MAX)
}

/// Each column's cuts in rising order.
pub(super) struct Cuts(Vec<Vec<f32>>);

impl Cuts {
    /// Chooses cuts so that bins hold about equally many of up to `sample` rows. Values that fill a bin alone get one.
    pub(super) fn fit(rows: ArrayView2<f32>, max_bins: usize, sample: usize, seed: u64) -> Cuts {
        let n = rows.nrows();
        let chosen: Vec<usize> = if n <= sample {
            (0..n).collect()
        } else {
            let mut chosen = fastrand::Rng::with_seed(seed ^ 0x6269_6e73).choose_multiple(0..n, sample);
            chosen.sort_unstable();
            chosen
        };
        let cuts = (0..rows.ncols()).into_par_iter().map(|column| {
            let values = rows.column(column);
            let mut values: Vec<f32> = chosen.iter().map(|&r| finite(values[r])).filter(|x| !x.is_nan()).collect();
            let missing = values.len() < chosen.len();
            values.sort_unstable_by(f32::total_cmp);
            let mut cuts = cut(&values, max_bins - usize::from(missing));
            if missing && cuts.last() != Some(&f32::MAX) {
                cuts.push(f32::MAX);
            }
            cuts
        });
        Cuts(cuts.collect())
    }

    pub(super) fn columns(&self) -> usize {
        self.0.len()
    }

    pub(super) fn of(&self, column: usize) -> &[f32] {
        &self.0[column]
    }

    /// The bins of rows that have as many columns as the cuts.
    pub(super) fn bin(&self, rows: ArrayView2<f32>) -> Bins {
        let groups = self.0.par_chunks(GROUP).enumerate().map(|(group, cuts)| {
            let first = group * GROUP;
            let mut words = vec![[0u8; GROUP]; rows.nrows()];
            for (word, row) in words.iter_mut().zip(rows.rows()) {
                for (k, (bin, cuts)) in word.iter_mut().zip(cuts).enumerate() {
                    *bin = bin_of(row[first + k], cuts);
                }
            }
            words
        });
        Bins { groups: groups.collect(), rows: rows.nrows() }
    }
}

#[inline]
fn bin_of(x: f32, cuts: &[f32]) -> u8 {
    if x.is_nan() {
        return MISSING;
    }
    let x = finite(x);
    // There are at most 254 cuts, so this is at most 254.
    cuts.partition_point(|&cut| cut < x) as u8
}

/// Cuts sorted values into at most `bins` bins.
fn cut(sorted: &[f32], bins: usize) -> Vec<f32> {
    let distinct: Vec<(f32, usize)> = sorted.chunk_by(|a, b| a == b).map(|run| (run[0], run.len())).collect();
    let mut cuts = Vec::new();
    if distinct.len() <= bins {
        cuts.extend(distinct.windows(2).map(|pair| between(pair[0].0, pair[1].0)));
        return cuts;
    }
    // What is left to share out among bins that no single value fills.
    let mean = sorted.len() as f64 / bins as f64;
    let heavy = |count: usize| count as f64 >= mean;
    let mut left = sorted.len();
    let mut bins_left = bins;
    for &(_, count) in distinct.iter().filter(|d| heavy(d.1)) {
        left -= count;
        bins_left -= 1;
    }
    let mut filled = 0;
    let mut target = left as f64 / bins_left.max(1) as f64;
    for pair in distinct.windows(2) {
        if cuts.len() + 1 == bins {
            break;
        }
        let ((value, count), (next, next_count)) = (pair[0], pair[1]);
        filled += count;
        if heavy(count) || filled as f64 >= target || (heavy(next_count) && filled as f64 >= target / 2.0) {
            cuts.push(between(value, next));
            left -= if heavy(count) { filled - count } else { filled };
            bins_left -= usize::from(!heavy(count) && bins_left > 1);
            target = left as f64 / bins_left.max(1) as f64;
            filled = 0;
        }
    }
    cuts
}

/// A number from `low` up to, not including, `high`: halfway if there is one between.
fn between(low: f32, high: f32) -> f32 {
    let middle = low / 2.0 + high / 2.0;
    if middle >= low && middle < high { middle } else { low }
}

/// The bins of all rows, eight columns side by side.
#[derive(Default)]
pub(super) struct Bins {
    groups: Vec<Vec<[u8; GROUP]>>,
    rows: usize,
}

impl Bins {
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Every row's bins of columns `GROUP * group ..`.
    pub(super) fn group(&self, group: usize) -> &[[u8; GROUP]] {
        &self.groups[group]
    }

    /// Lays the bins of some columns side by side, for some rows: of others, whatever `into` had is left.
    ///
    /// A tree that sees three columns of ten would read nearly every word for two or three of its eight bins, at each of
    /// its levels.
    pub(super) fn take(&self, columns: &[usize], rows: &[u32], into: &mut Bins) {
        into.rows = self.rows;
        into.groups.resize_with(columns.len().div_ceil(GROUP), Vec::new);
        into.groups.par_iter_mut().zip(columns.par_chunks(GROUP)).for_each(|(words, columns)| {
            words.resize(self.rows, [0; GROUP]);
            for (k, &column) in columns.iter().enumerate() {
                let (from, lane) = (self.group(column / GROUP), column % GROUP);
                rows.iter().for_each(|&row| words[row as usize][k] = from[row as usize][lane]);
            }
        });
    }

    #[inline]
    pub(super) fn get(&self, row: usize, column: usize) -> u8 {
        self.groups[column / GROUP][row][column % GROUP]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn a_bin_at_most_b_is_a_value_at_most_the_cut_b() {
        let mut rng = fastrand::Rng::with_seed(1);
        let special = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0, f32::MAX, f32::MIN_POSITIVE];
        let rows = Array2::from_shape_fn((3000, 3), |(row, column)| match column {
            0 if row < special.len() => special[row],
            0 => rng.f32() * 4.0 - 2.0,
            1 => (rng.f32() * 5.0).floor(),
            _ => rng.f32().powi(8).mul_add(1000.0, 0.5).floor(),
        });
        let cuts = Cuts::fit(rows.view(), 255, 1000, 7);
        let bins = cuts.bin(rows.view());
        assert_eq!(cuts.of(1), [0.5, 1.5, 2.5, 3.5], "few values: a bin each");
        for column in 0..3 {
            let of = cuts.of(column);
            assert!(of.len() < MAX_BINS && of.is_sorted_by(|a, b| a < b));
            for row in 0..rows.nrows() {
                let (x, bin) = (rows[[row, column]], bins.get(row, column));
                if x.is_nan() {
                    assert_eq!(bin, MISSING);
                    continue;
                }
                for (b, &cut) in of.iter().enumerate() {
                    assert_eq!(finite(x) <= cut, usize::from(bin) <= b, "{x} {cut}");
                }
            }
        }
    }

    #[test]
    fn bins_hold_about_equally_many_and_heavy_values_have_their_own() {
        let values: Vec<f32> = (0..1000).map(|i| if i < 500 { 0.0 } else { i as f32 }).collect();
        let cuts = cut(&values, 11);
        assert_eq!(cuts.len(), 10);
        assert!(cuts[0] < 500.0, "the zeros are alone: {cuts:?}");
        for pair in cuts[1..].windows(2) {
            assert!((45.0..=55.0).contains(&(pair[1] - pair[0])), "{cuts:?}");
        }
    }
}
