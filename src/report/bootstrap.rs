//! Intervals by resampling pages: the percentile bootstrap (Efron and Tibshirani, 1993, chapter 13).

use super::metrics::{Means, Totals};

/// How many samples are drawn.
pub const DRAWS: usize = 1000;

/// The share of the samples inside an interval.
const LEVEL: f64 = 0.95;

/// The means on [`DRAWS`] samples of the pages, drawn with replacement, each of as many pages as there are.
///
/// The same number of pages and the same seed draw the same pages, so two extractors' means on the same pages can
/// be compared draw by draw.
pub fn means(pages: &[Totals], seed: u64) -> Vec<Means> {
    let mut random = SplitMix64(seed);
    let mut draw = || (0..pages.len()).map(|_| &pages[random.below(pages.len())]).sum::<Totals>().means();
    (0..DRAWS).map(|_| draw()).collect()
}

/// The middle 95 % of the values: its lower and upper end.
///
/// ```
/// use lubb::report::bootstrap::interval;
/// assert_eq!(interval((0..1000).map(f64::from).collect()), Some([25.0, 974.0]));
/// ```
pub fn interval(mut values: Vec<f64>) -> Option<[f64; 2]> {
    values.sort_by(f64::total_cmp);
    let cut = (values.len() as f64 * (1.0 - LEVEL) / 2.0) as usize;
    Some([*values.get(cut)?, *values.get(values.len() - 1 - cut)?])
}

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014): reports must not
/// change with the version of a library.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; the bias of the multiplication is under 2^-40 for any number of pages that exists.
    fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::metrics::{PageScores, Prf};

    #[test]
    fn the_interval_of_a_mean_is_about_two_standard_errors_each_way() {
        // F1 of 0 or 1, half and half: the standard error of the mean over 400 pages is 0.025.
        let page = |f1| PageScores { words: Prf { f1, ..Prf::default() }, ..PageScores::default() }.totals();
        let pages: Vec<Totals> = (0..400).map(|i| page(f64::from(i % 2))).collect();
        let values = |seed| means(&pages, seed).iter().map(|m| m.f1).collect::<Vec<_>>();
        let [low, high] = interval(values(1)).unwrap();
        assert!((low - 0.451).abs() < 0.01 && (high - 0.549).abs() < 0.01, "{low} {high}");
        assert_eq!(values(1), values(1));
        assert_ne!(values(1), values(2));
    }

    #[test]
    fn the_generator_is_splitmix64() {
        // The first outputs for seed 1234567, as published with the reference implementation.
        let mut random = SplitMix64(1_234_567);
        assert_eq!([random.next(), random.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }
}
