//! Probabilities to a choice of blocks.
//!
//! Which blocks make the article is decided for the page as a whole: the set that maximises the F1 to be expected.
//! One threshold cannot serve: measured on pages held out, news wants 0.6 and forums 0.3. Under calibrated and
//! independent probabilities the best set is all blocks above F*/2, F* being the F1 it reaches (Lipton, Elkan &
//! Naryanaswamy 2014, "Optimal Thresholding of Classifiers to Maximize F1 Measure"): sure pages are cut near 0.5,
//! unsure ones lower.
//!
//! Blocks of a page are not independent: where one teaser of a list is taken for the article, all are. So the
//! expectation is over how far down its own order of blocks the page's body goes: at each of 32 levels of
//! probability, all blocks of at least that are body and no others, which leaves each block the probability that it has
//! (comonotonic variables: Dhaene et al. 2002, "The concept of comonotonicity in actuarial science and finance:
//! theory"). One sure sentence above twenty teasers of 0.3 is then kept alone, where independent blocks, of which some
//! of the teasers are always body, would have all of them kept.

use serde::{Deserialize, Serialize};

use super::sigmoid;

/// The learned part of the decision, a few numbers: those of the calibration, then those of the choice.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The calibrated log-odds are `offset` and the log-odds of each of the [`Scores`] times its weight.
    pub offset: f32,
    pub stages: f32,
    pub network: f32,
    pub kinds: f32,
    /// Added to the calibrated log-odds of every block before choosing; above 0 keeps more.
    pub shift: f32,
    /// Multiplies the calibrated log-odds before choosing.
    pub scale: f32,
    /// A page whose expected F1 is below this has no article.
    pub least_score: f32,
    /// By how much recall counts more than precision: the choice maximises the expected F-beta (van Rijsbergen 1979).
    pub beta: f32,
}

impl Default for Decision {
    fn default() -> Self {
        Decision {
            offset: 0.0,
            stages: 1.0,
            network: 0.0,
            kinds: 0.0,
            shift: 0.0,
            scale: 1.0,
            least_score: 0.0,
            beta: 1.0,
        }
    }
}

/// Which of two mistakes is worse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Favor {
    /// Neither: the choice maximises the expected F1.
    #[default]
    Balance,
    /// Chrome in the text: precision counts twice as much (expected F0.5; F1 for flattened text, where recall counts twice
    /// already).
    Precision,
    /// Gaps in the text: recall counts twice as much (expected F2; F4 for flattened text).
    Recall,
}

/// What is said of a page's blocks: for each its probability of being body, from up to three models.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scores {
    /// From the last stage.
    pub stages: Vec<f32>,
    /// From the network beside it; empty without one.
    pub network: Vec<f32>,
    /// From the head for kinds; empty without one.
    pub kinds: Vec<f32>,
}

impl Scores {
    /// The log-odds of a block; those of the last stage stand for models that are not there.
    fn log_odds(&self, at: usize) -> [f32; 3] {
        let of = |p: &[f32]| log_odds(p.get(at).copied().unwrap_or(self.stages[at]));
        [of(&self.stages), of(&self.network), of(&self.kinds)]
    }
}

/// What was chosen of a page.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// For each block, whether it belongs to the article.
    pub kept: Vec<bool>,
    /// For each block, its calibrated probability of body.
    pub p: Vec<f32>,
    /// The expected F-beta of the choice, 0 for none.
    pub score: f32,
}

/// Over so many levels of probability the expectation is taken.
const LEVELS: usize = 32;

/// The shifts that are tried, the nearest to none first, and of two alike that which keeps fewer blocks.
const SHIFTS: [f32; 9] = [0.0, -0.2, 0.2, -0.4, 0.4, -0.6, 0.6, -0.8, -1.0];
/// The least expected F1 that are tried, the usual one first.
const LEAST_SCORES: [f32; 7] = [0.2, 0.15, 0.25, 0.1, 0.3, 0.05, 0.0];

/// The longest subheading, in words.
const HEADING_WORDS: f32 = 12.0;

pub(super) fn log_odds(p: f32) -> f32 {
    let p = if p.is_nan() { 0.0 } else { p };
    let p = p.clamp(1e-5, 1.0 - 1e-5);
    (p / (1.0 - p)).ln()
}

impl Decision {
    /// The calibrated probability of body of a block.
    fn calibrate(&self, [stages, network, kinds]: [f32; 3]) -> f32 {
        sigmoid(self.offset + self.stages * stages + self.network * network + self.kinds * kinds)
    }

    /// The same decision with another weight of recall.
    pub fn favoring(self, favor: Favor) -> Decision {
        let factor = match favor {
            Favor::Balance => 1.0,
            Favor::Precision => 0.5,
            Favor::Recall => 2.0,
        };
        Decision { beta: self.beta * factor, ..self }
    }

    /// Chooses the blocks of the article, given what is said of each block, and its words. A probability that is not a
    /// number is as 0.
    ///
    /// # Panics
    /// If there are fewer words than blocks.
    pub fn choose(&self, scores: &Scores, words: &[f32]) -> Choice {
        self.choose_from(self.calibrated(scores), words)
    }

    /// The calibrated probability of body of each block.
    pub(super) fn calibrated(&self, scores: &Scores) -> Vec<f32> {
        (0..scores.stages.len()).map(|at| self.calibrate(scores.log_odds(at))).collect()
    }

    /// [`Decision::choose`] from calibrated probabilities.
    pub(super) fn choose_from(&self, calibrated: Vec<f32>, words: &[f32]) -> Choice {
        let odds: Vec<f32> = calibrated.iter().map(|p| self.scale * log_odds(*p) + self.shift).collect();
        let mut order: Vec<usize> = (0..odds.len()).collect();
        order.sort_by(|a, b| odds[*b].total_cmp(&odds[*a]).then(a.cmp(b)));
        let square = self.beta * self.beta;
        let mut taken: Vec<f32> = order.iter().map(|at| words[*at]).collect();
        (1..taken.len()).for_each(|rank| taken[rank] += taken[rank - 1]);
        // The expected F-beta of each cut of the order.
        let mut expected = vec![0.0f32; odds.len()];
        let mut body = order.len();
        for level in 0..LEVELS {
            let least = (level as f32 + 0.5) / LEVELS as f32;
            while body > 0 && sigmoid(odds[order[body - 1]]) < least {
                body -= 1;
            }
            let Some(all) = body.checked_sub(1).map(|last| taken[last]) else { break };
            for (expected, taken) in expected.iter_mut().zip(&taken) {
                *expected += (1.0 + square) * taken.min(all) / (taken + square * all) / LEVELS as f32;
            }
        }
        let (mut best, mut cut) = (0.0, 0);
        for (rank, f) in expected.into_iter().enumerate() {
            if f > best {
                (best, cut) = (f, rank + 1);
            }
        }
        let mut kept = vec![false; odds.len()];
        if best >= self.least_score {
            order[..cut].iter().for_each(|at| kept[*at] = true);
            // A short block that is body rather than not stays with the longer one of body that follows: a subheading.
            for at in (0..odds.len().saturating_sub(1)).rev() {
                let is_heading = words[at] <= HEADING_WORDS && words[at] < words[at + 1];
                kept[at] |= is_heading && kept[at + 1] && calibrated[at] >= 0.5 && self.beta >= 1.0;
            }
        }
        Choice { kept, p: calibrated, score: best }
    }
}

/// The choice of all blocks that are body rather than not, whatever the page: what a decision has to beat.
pub fn threshold(p: &[f32]) -> Choice {
    let kept: Vec<bool> = p.iter().map(|p| *p >= 0.5).collect();
    let score = if kept.contains(&true) { 1.0 } else { 0.0 };
    Choice { kept, p: p.to_vec(), score }
}

/// A page's probabilities out of fold, and what is known of its blocks: what a decision is tuned on.
#[derive(Clone, Debug)]
pub struct Judged {
    /// What is said of each block, uncalibrated.
    pub scores: Scores,
    /// Words of each block.
    pub words: Vec<f32>,
    /// Share of each block that is body.
    pub body: Vec<f32>,
}

impl Judged {
    /// The words of all blocks, of which each block's are a share; never nothing.
    fn total_words(&self) -> f64 {
        self.words.iter().map(|w| f64::from(*w)).sum::<f64>().max(1e-9)
    }

    /// F-beta of a choice, in words; the empty choice of a page without body is perfect.
    fn f_beta(&self, kept: &[bool], beta: f32) -> f64 {
        let square = f64::from(beta * beta);
        let (mut hit, mut taken, mut all) = (0.0f64, 0.0f64, 0.0f64);
        for ((kept, words), body) in kept.iter().zip(&self.words).zip(&self.body) {
            all += f64::from(words * body);
            if *kept {
                taken += f64::from(*words);
                hit += f64::from(words * body);
            }
        }
        match (taken + all) == 0.0 {
            true => 1.0,
            false => (1.0 + square) * hit / (taken + square * all),
        }
    }
}

/// The terms of the calibration: a constant and a weight for each of the scores.
const TERMS: usize = 4;
/// The calibration that leaves the last stage's probability as it is.
const AS_IS: [f64; TERMS] = [0.0, 1.0, 0.0, 0.0];
/// How much the calibration is held to [`AS_IS`], in pages: nothing to thousands of pages, much to a dozen, whose scores
/// part body and chrome so well that nothing else would bound the weights.
const RIDGE: f64 = 0.02;

/// Platt's calibration ("Probabilistic Outputs for Support Vector Machines", 1999) of several scores: a logistic
/// regression of body on the log-odds of the [`Scores`], by Newton's method with step halving. Blocks weigh their share
/// of their page's words, so pages weigh the same.
fn calibrate(pages: &[Judged]) -> Decision {
    let mut c = AS_IS;
    let mut loss = calibration_loss(pages, &c);
    for _ in 0..50 {
        let step = newton_step(pages, &c);
        let mut size = 1.0;
        let next = loop {
            let next: [f64; TERMS] = std::array::from_fn(|at| c[at] - size * step[at]);
            let next_loss = calibration_loss(pages, &next);
            if next_loss < loss {
                break Some((next, next_loss));
            }
            size /= 2.0;
            if size < 1e-6 {
                break None;
            }
        };
        let Some((next, next_loss)) = next else { break };
        (c, loss) = (next, next_loss);
        if step.iter().all(|s| (s * size).abs() < 1e-6) {
            break;
        }
    }
    let [offset, stages, network, kinds] = c.map(|c| c as f32);
    Decision { offset, stages, network, kinds, ..Decision::default() }
}

/// What the calibration sees of a block: a constant and the log-odds.
fn terms(page: &Judged, at: usize) -> [f64; TERMS] {
    let [stages, network, kinds] = page.scores.log_odds(at).map(f64::from);
    [1.0, stages, network, kinds]
}

fn dot(x: &[f64; TERMS], c: &[f64; TERMS]) -> f64 {
    x.iter().zip(c).map(|(x, c)| x * c).sum()
}

/// The penalised negative log-likelihood of a calibration.
fn calibration_loss(pages: &[Judged], c: &[f64; TERMS]) -> f64 {
    let of_block = |page: &Judged, at: usize, body: f64| {
        let z = dot(&terms(page, at), c);
        // ln(1 + e^z), without overflow.
        f64::from(page.words[at]) * (z.max(0.0) + (-z.abs()).exp().ln_1p() - body * z)
    };
    let of_page = |page: &Judged| {
        let losses = page.body.iter().enumerate().map(|(at, body)| of_block(page, at, f64::from(*body)));
        losses.sum::<f64>() / page.total_words()
    };
    let penalty: f64 = c.iter().zip(AS_IS).map(|(c, usual)| (c - usual).powi(2)).sum();
    pages.iter().map(of_page).sum::<f64>() + RIDGE / 2.0 * penalty
}

/// The step of Newton's method: the Hessian's inverse times the gradient.
fn newton_step(pages: &[Judged], c: &[f64; TERMS]) -> [f64; TERMS] {
    let mut gradient: [f64; TERMS] = std::array::from_fn(|at| RIDGE * (c[at] - AS_IS[at]));
    let mut hessian = [[0.0; TERMS]; TERMS];
    (0..TERMS).for_each(|at| hessian[at][at] = RIDGE);
    for page in pages {
        let total = page.total_words();
        for (at, body) in page.body.iter().enumerate() {
            let x = terms(page, at);
            let p = 1.0 / (1.0 + (-dot(&x, c)).exp());
            let weight = f64::from(page.words[at]) / total;
            for row in 0..TERMS {
                gradient[row] += weight * (p - f64::from(*body)) * x[row];
                for column in 0..TERMS {
                    hessian[row][column] += weight * p * (1.0 - p) * x[row] * x[column];
                }
            }
        }
    }
    solve(hessian, gradient)
}

/// Solves linear equations by Gaussian elimination. The ridge keeps them from being singular.
fn solve(mut a: [[f64; TERMS]; TERMS], mut b: [f64; TERMS]) -> [f64; TERMS] {
    for k in 0..TERMS {
        let pivot = (k..TERMS).max_by(|i, j| a[*i][k].abs().total_cmp(&a[*j][k].abs())).unwrap_or(k);
        a.swap(k, pivot);
        b.swap(k, pivot);
        let (pivot, known) = (a[k], b[k]);
        for (row, value) in a.iter_mut().zip(&mut b).skip(k + 1) {
            let factor = row[k] / pivot[k];
            row.iter_mut().zip(pivot).for_each(|(cell, above)| *cell -= factor * above);
            *value -= factor * known;
        }
    }
    let mut x = [0.0; TERMS];
    for k in (0..TERMS).rev() {
        let known: f64 = (k + 1..TERMS).map(|column| a[k][column] * x[column]).sum();
        x[k] = (b[k] - known) / a[k][k];
    }
    x
}

/// The expected calibration error of probabilities of body (Guo et al. 2017, "On Calibration of Modern Neural
/// Networks"): how far the share of body is from the mean probability, over ten bins of probability. Each item is a
/// page's probabilities, words and shares of body; blocks weigh their share of their page's words.
pub fn calibration_error<'a>(pages: impl Iterator<Item = (&'a [f32], &'a [f32], &'a [f32])>) -> f64 {
    let mut bins = [(0.0f64, 0.0f64); 10];
    let mut all = 0.0;
    for (p, words, body) in pages {
        let total: f64 = words.iter().map(|w| f64::from(*w)).sum();
        for ((p, words), body) in p.iter().zip(words).zip(body) {
            let weight = f64::from(*words) / total.max(1e-9);
            let bin = &mut bins[((p * 10.0) as usize).min(9)];
            bin.0 += weight * f64::from(*p);
            bin.1 += weight * f64::from(u8::from(*body >= 0.5));
            all += weight;
        }
    }
    bins.iter().map(|(expected, found)| (expected - found).abs()).sum::<f64>() / f64::max(all, 1e-9)
}

/// Calibrates, then finds the choice with the greatest mean F-beta over pages: a search along one number after the
/// other, twice round. Of shifts, and of least scores, that do as well, the first is taken: a hundred pages cannot tell
/// one from another. Out of fold, `wcxb-dev` has word F1 0.8862 so and 0.8854 with the least shift; a model of 120
/// pages had 0.853 and 0.833 on six pages held out, uncalibrated still. Three trainings that differed by a few pages had least scores of
/// 0.15, 0.2 and 0.3, and the last cost 0.007 of `wcxb-dev`.
///
/// # Panics
/// If a page has fewer words or scores than shares of body, or fewer words than scores.
pub fn tune(pages: &[Judged], beta: f32) -> Decision {
    use rayon::prelude::*;
    type Set = fn(&mut Decision, f32);
    const SHIFT: (&[f32], Set) = (&SHIFTS, |d, v| d.shift = v);
    const LEAST_SCORE: (&[f32], Set) = (&LEAST_SCORES, |d, v| d.least_score = v);
    const SCALE: (&[f32], Set) = (&[0.8, 1.0, 1.25, 1.5], |d, v| d.scale = v);
    let with = |mut decision: Decision, set: Set, value: f32| {
        set(&mut decision, value);
        decision
    };
    let of_pages = |decision: &Decision| -> Vec<f64> {
        let f = |page: &Judged| page.f_beta(&decision.choose(&page.scores, &page.words).kept, beta);
        pages.par_iter().map(f).collect()
    };
    // Summed in order, so that the last bits do not depend on the threads.
    let mean = |scores: &[f64]| scores.iter().sum::<f64>() / scores.len().max(1) as f64;
    let mut best = Decision { beta, least_score: LEAST_SCORES[0], ..calibrate(pages) };
    let mut scores = of_pages(&best);
    for (values, set) in [SHIFT, LEAST_SCORE, SCALE, SHIFT, LEAST_SCORE, SCALE] {
        for value in values {
            let decision = with(best, set, *value);
            let others = of_pages(&decision);
            if mean(&others) > mean(&scores) + 1e-9 {
                (best, scores) = (decision, others);
            }
        }
    }
    for (values, set) in [SHIFT, LEAST_SCORE] {
        let as_good = |decision: &Decision| *decision == best || is_within_error(&scores, &of_pages(decision));
        best = values.iter().map(|value| with(best, set, *value)).find(as_good).unwrap_or(best);
    }
    best
}

/// Whether others of the same pages' scores fall short of the best by no more than the standard error of their
/// differences (the rule of one standard error: Breiman et al. 1984, "Classification and Regression Trees", 3.4.3).
fn is_within_error(best: &[f64], others: &[f64]) -> bool {
    let count = best.len().max(1) as f64;
    let lost: Vec<f64> = best.iter().zip(others).map(|(best, other)| best - other).collect();
    let mean = lost.iter().sum::<f64>() / count;
    let variance = lost.iter().map(|lost| (lost - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
    mean <= (variance / count).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stages(p: &[f32]) -> Scores {
        Scores { stages: p.to_vec(), ..Scores::default() }
    }

    #[test]
    fn a_sure_page_is_cut_at_a_half_and_an_unsure_one_lower() {
        let decision = Decision::default();
        let sure = decision.choose(&stages(&[0.99, 0.99, 0.4, 0.01]), &[50.0, 50.0, 10.0, 50.0]);
        assert_eq!(sure.kept, [true, true, false, false]);
        let unsure = decision.choose(&stages(&[0.5, 0.45, 0.4, 0.01]), &[50.0, 50.0, 50.0, 50.0]);
        assert_eq!(unsure.kept, [true, true, true, false]);
        assert!(sure.score > 0.9 && unsure.score < 0.7);
    }

    #[test]
    fn a_sure_sentence_is_kept_without_a_long_list_of_doubtful_teasers() {
        let (mut p, mut words) = (vec![0.33; 21], vec![27.0; 21]);
        (p[3], words[3]) = (0.78, 31.0);
        let choice = Decision::default().choose(&stages(&p), &words);
        assert_eq!((0..21).filter(|at| choice.kept[*at]).collect::<Vec<_>>(), [3]);
        // All blocks of 0.33 are body, or none; in the first case little is found.
        let expected = (0.78 - 0.33) + 0.33 * 2.0 * 31.0 / (31.0 + 31.0 + 20.0 * 27.0);
        assert!((choice.score - expected).abs() < 1.0 / LEVELS as f32, "{} {expected}", choice.score);
    }

    #[test]
    fn a_likely_subheading_stays_with_its_text() {
        let strict = Decision { shift: -1.0, ..Decision::default() };
        let choose = |p: &[f32]| strict.choose(&stages(p), &[50.0, 3.0, 50.0]).kept;
        assert_eq!(choose(&[0.99, 0.56, 0.99]), [true, true, true]);
        assert_eq!(choose(&[0.99, 0.45, 0.99]), [true, false, true]);
        assert_eq!(choose(&[0.99, 0.56, 0.01]), [true, false, false], "no text follows");
    }

    #[test]
    fn a_page_without_an_article_gives_nothing() {
        let decision = Decision { least_score: 0.3, ..Decision::default() };
        let choice = decision.choose(&stages(&[0.1, 0.05]), &[10.0, 10.0]);
        assert_eq!(choice.kept, [false, false]);
        assert!(choice.score < 0.3);
        assert_eq!(decision.choose(&Scores::default(), &[]).kept, Vec::<bool>::new());
    }

    #[test]
    fn what_is_not_a_number_is_no_body() {
        let choice = Decision::default().choose(&stages(&[0.9, f32::NAN]), &[20.0, 20.0]);
        assert_eq!(choice.kept, [true, false]);
        assert!(choice.p[1] < 0.01 && choice.score < 1.0, "{choice:?}");
    }

    #[test]
    fn a_greater_beta_keeps_doubtful_blocks() {
        let careful = Decision { beta: 2.0, ..Decision::default() };
        let choose = |d: &Decision| d.choose(&stages(&[0.95, 0.9, 0.3, 0.05]), &[20.0; 4]).kept;
        assert_eq!(choose(&Decision::default()), [true, true, false, false]);
        assert_eq!(choose(&careful), [true, true, true, false]);
    }

    #[test]
    fn calibration_undoes_a_shift_of_the_log_odds() {
        // Blocks of p = 0.5 are body in four pages of five, those of p = 0.1 in one of five.
        let page = |first: f32, second: f32| Judged {
            scores: stages(&[0.5, 0.1]),
            words: vec![10.0, 10.0],
            body: vec![first, second],
        };
        let pages: Vec<Judged> = (0..5).map(|n| page(f32::from(u8::from(n < 4)), f32::from(u8::from(n < 1)))).collect();
        let decision = calibrate(&pages);
        let error = |d: &Decision| {
            let p: Vec<Vec<f32>> = pages.iter().map(|j| d.choose(&j.scores, &j.words).p).collect();
            calibration_error(p.iter().zip(&pages).map(|(p, j)| (&p[..], &j.words[..], &j.body[..])))
        };
        assert!(error(&Decision::default()) > 0.15, "{}", error(&Decision::default()));
        assert!(error(&decision) < 0.01, "{decision:?} {}", error(&decision));
    }

    #[test]
    fn scores_that_part_body_and_chrome_wholly_are_calibrated_too() {
        // Without a penalty the weights would grow for ever; a page without a word says nothing.
        let page = |p: &[f32], words: f32| Judged { scores: stages(p), words: vec![words; 2], body: vec![1.0, 0.0] };
        let decision = calibrate(&[page(&[0.7, 0.2], 10.0), page(&[0.6, 0.3], 10.0), page(&[0.1, 0.9], 0.0)]);
        let choice = decision.choose(&stages(&[0.65, 0.25]), &[10.0, 10.0]);
        assert!(choice.p[0] > 0.9 && choice.p[1] < 0.1, "{decision:?} {:?}", choice.p);
        let weights = [decision.offset, decision.stages, decision.network, decision.kinds];
        assert!(weights.iter().all(|c| c.is_finite() && c.abs() < 20.0), "{decision:?}");
    }

    #[test]
    fn favoring_precision_keeps_less_and_recall_more() {
        let kept = |favor| {
            let choice = Decision::default().favoring(favor).choose(&stages(&[0.95, 0.6, 0.3, 0.05]), &[20.0; 4]);
            choice.kept.iter().filter(|kept| **kept).count()
        };
        assert_eq!([Favor::Precision, Favor::Balance, Favor::Recall].map(kept), [1, 2, 3]);
    }

    #[test]
    fn tuning_moves_the_shift_to_where_f1_is_greatest() {
        // Every block of body has p = 0.3, every block of chrome 0.05: without a shift too much is dropped or kept.
        let page = Judged {
            scores: stages(&[0.3, 0.3, 0.05, 0.05]),
            words: vec![10.0, 10.0, 10.0, 10.0],
            body: vec![1.0, 1.0, 0.0, 0.0],
        };
        let tuned = tune(std::slice::from_ref(&page), 1.0);
        assert_eq!(tuned.choose(&page.scores, &page.words).kept, [true, true, false, false]);
    }

    #[test]
    fn one_page_of_many_does_not_move_the_shift() {
        let page = |chrome: f32| Judged { scores: stages(&[0.9, chrome]), words: vec![10.0; 2], body: vec![1.0, 0.0] };
        let mut pages = vec![page(0.01); 20];
        pages.push(page(0.55));
        let kept = |shift: f32| Decision { shift, ..Decision::default() }.choose(&pages[20].scores, &[10.0; 2]).kept;
        assert_eq!((kept(0.0), kept(-0.6)), (vec![true, true], vec![true, false]), "the page would have it lower");
        assert_eq!(tune(&pages, 1.0).shift, 0.0);
    }

    #[test]
    fn scores_within_one_standard_error_of_the_best_are_as_good() {
        assert!(is_within_error(&[0.9, 0.8, 0.7], &[0.9, 0.8, 0.7]));
        // Means of 0.0125 lost with a standard error of 0.031, and of 0.075 with one of 0.025.
        assert!(is_within_error(&[0.9, 0.8, 0.7, 0.6], &[0.8, 0.85, 0.7, 0.6]));
        assert!(!is_within_error(&[0.9, 0.8, 0.7, 0.6], &[0.8, 0.7, 0.6, 0.6]));
        assert!(!is_within_error(&[0.9, 0.8, 0.7, 0.6], &[0.8, 0.7, 0.6, 0.5]));
    }
}
