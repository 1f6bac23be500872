//! How good the probabilities of body are: precision against recall over all thresholds, and calibration.

use serde::Serialize;

use super::judge::JudgedBlock;
use super::metrics::Prf;

/// Bins of the calibration curve.
const BINS: usize = 10;

/// What the blocks of all pages say of the probabilities.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Curves {
    /// How many blocks there are.
    pub blocks: usize,
    /// Their words.
    pub words: u64,
    /// Precision and recall in words if every block above a threshold were kept.
    pub curve: Vec<CurvePoint>,
    /// The area under that curve, every block a threshold.
    pub average_precision: f64,
    /// The same for what was kept: the decision is made for a page as a whole, not by a threshold.
    pub decision: Prf,
    /// Blocks by their probability.
    pub calibration: Vec<CalibrationBin>,
    /// The expected calibration error: the mean distance of predicted and observed share over the bins, each weighed by
    /// its blocks (Naeini, Cooper and Hauskrecht, 2015).
    pub calibration_error: f64,
}

/// One threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CurvePoint {
    /// Blocks of at least this probability are kept.
    pub threshold: f64,
    /// The share of kept words that are body.
    pub precision: f64,
    /// The share of the body's words that are kept.
    pub recall: f64,
    /// The harmonic mean of the two.
    pub f1: f64,
}

/// Blocks whose probability is in a range.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CalibrationBin {
    /// From this probability,
    pub low: f64,
    /// to below this one.
    pub high: f64,
    /// How many blocks.
    pub blocks: usize,
    /// Their mean probability; nothing without blocks.
    pub predicted: Option<f64>,
    /// The share of them that is body.
    pub observed: Option<f64>,
}

impl Curves {
    /// Draws the curves; nothing comes of no block, or of no word of body.
    pub fn new(mut blocks: Vec<JudgedBlock>) -> Option<Curves> {
        let wanted: u64 = blocks.iter().filter(|b| b.is_body).map(|b| u64::from(b.words)).sum();
        if wanted == 0 {
            return None;
        }
        blocks.sort_by(|a, b| b.p.total_cmp(&a.p));
        let (mut curve, mut average_precision) = (Vec::new(), 0.0);
        let (mut hits, mut given, mut at) = (0u64, 0u64, 0);
        let mut thresholds = (1..100).rev().map(|t| f64::from(t) / 100.0).peekable();
        while at < blocks.len() {
            // Blocks of the same probability are kept together.
            let (p, before) = (blocks[at].p, hits);
            while let Some(threshold) = thresholds.next_if(|t| f64::from(p) < *t) {
                curve.push(CurvePoint::new(threshold, hits, given, wanted));
            }
            for block in blocks[at..].iter().take_while(|b| b.p == p) {
                given += u64::from(block.words);
                hits += if block.is_body { u64::from(block.words) } else { 0 };
                at += 1;
            }
            average_precision += Prf::from_counts(hits, given, wanted).precision * (hits - before) as f64;
        }
        curve.extend(thresholds.map(|threshold| CurvePoint::new(threshold, hits, given, wanted)));
        // Above the highest probability nothing is kept, and precision is not defined.
        curve.retain(|point| point.recall > 0.0 || point.precision > 0.0);
        let words = |of: fn(&&JudgedBlock) -> bool| blocks.iter().filter(of).map(|b| u64::from(b.words)).sum::<u64>();
        let calibration: Vec<CalibrationBin> = (0..BINS).map(|bin| CalibrationBin::new(bin, &blocks)).collect();
        let error = |bin: &CalibrationBin| {
            let distance = bin.predicted.zip(bin.observed).map_or(0.0, |(predicted, seen)| (predicted - seen).abs());
            distance * bin.blocks as f64 / blocks.len() as f64
        };
        Some(Curves {
            blocks: blocks.len(),
            words: words(|_| true),
            curve,
            average_precision: average_precision / wanted as f64,
            decision: Prf::from_counts(words(|b| b.kept && b.is_body), words(|b| b.kept), wanted),
            calibration_error: calibration.iter().map(error).sum(),
            calibration,
        })
    }
}

impl CurvePoint {
    fn new(threshold: f64, hits: u64, given: u64, wanted: u64) -> CurvePoint {
        let Prf { precision, recall, f1 } = Prf::from_counts(hits, given, wanted);
        CurvePoint { threshold, precision, recall, f1 }
    }
}

impl CalibrationBin {
    fn new(bin: usize, blocks: &[JudgedBlock]) -> CalibrationBin {
        let bin_of = |p: f32| ((f64::from(p) * BINS as f64) as usize).min(BINS - 1);
        let (mut count, mut predicted, mut body) = (0, 0.0, 0.0);
        for block in blocks.iter().filter(|b| bin_of(b.p) == bin) {
            count += 1;
            predicted += f64::from(block.p);
            body += f64::from(u8::from(block.is_body));
        }
        let mean = |sum: f64| (count > 0).then(|| sum / count as f64);
        let edge = |bin: usize| bin as f64 / BINS as f64;
        CalibrationBin {
            low: edge(bin),
            high: edge(bin + 1),
            blocks: count,
            predicted: mean(predicted),
            observed: mean(body),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(p: f32, is_body: bool, words: u32) -> JudgedBlock {
        JudgedBlock { p, is_body, kept: p > 0.5, words }
    }

    #[test]
    fn the_curve_is_in_words_and_the_calibration_in_blocks() {
        // By hand: kept in the order 0.9 (10 of body), 0.6 (10 of chrome), 0.3 (20 of body), 0.05 (5 of chrome).
        let blocks = vec![block(0.3, true, 20), block(0.9, true, 10), block(0.05, false, 5), block(0.6, false, 10)];
        let curves = Curves::new(blocks).unwrap();
        assert_eq!((curves.blocks, curves.words), (4, 45));
        // 10/30 at precision 1, 20/30 at precision 30/40.
        assert!((curves.average_precision - (10.0 + 20.0 * 0.75) / 30.0).abs() < 1e-12);
        let at = |threshold: f64| {
            let point = curves.curve.iter().find(|p| (p.threshold - threshold).abs() < 1e-9).unwrap();
            (point.precision, point.recall)
        };
        assert_eq!(at(0.5), (0.5, 1.0 / 3.0));
        assert_eq!(at(0.2), (0.75, 1.0));
        assert_eq!(at(0.01), (30.0 / 45.0, 1.0));
        assert!(curves.curve.iter().all(|p| p.threshold < 0.901));
        assert_eq!((curves.decision.precision, curves.decision.recall), (0.5, 1.0 / 3.0));
        // Each block is alone in its bin: off by 0.7, 0.1, 0.05 and 0.6.
        assert!((curves.calibration_error - (0.7 + 0.1 + 0.05 + 0.6) / 4.0).abs() < 1e-6);
        assert_eq!(curves.calibration.iter().map(|b| b.blocks).sum::<usize>(), 4);
    }

    #[test]
    fn nothing_comes_of_nothing() {
        assert!(Curves::new(Vec::new()).is_none());
        assert!(Curves::new(vec![block(0.5, false, 3)]).is_none());
    }

    #[test]
    fn equal_probabilities_are_one_threshold_whatever_their_order() {
        let (a, b) = (block(0.5, true, 10), block(0.5, false, 10));
        assert_eq!(Curves::new(vec![a, b]), Curves::new(vec![b, a]));
        assert_eq!(Curves::new(vec![a, b]).map(|c| c.average_precision), Some(0.5));
    }
}
