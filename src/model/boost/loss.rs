//! The log loss and its derivatives, for two classes (one margin, logistic) and for more (one each, softmax).

use ndarray::Array1;
use rayon::prelude::*;

use super::params::BoostError;

/// Rows that are summed as one. Sums are made per chunk and then in the order of the chunks, so that the number of
/// threads never changes their rounding.
pub(super) const CHUNK: usize = 8192;

/// What the rows of a dataset are, and what they weigh.
pub(super) struct Targets {
    classes: Classes,
    /// The number of margins a row: 1 for two classes, else one a class.
    pub(super) outputs: usize,
    /// One weight a row.
    pub(super) weights: Vec<f32>,
}

enum Classes {
    /// The probability of the second of two classes.
    Share(Vec<f32>),
    /// The class's number.
    Number(Vec<u16>),
}

impl Targets {
    /// Class numbers, checked.
    pub(super) fn of_classes(
        targets: &Array1<usize>,
        weights: &Array1<f32>,
        classes: Option<usize>,
    ) -> Result<Targets, BoostError> {
        let classes = classes.unwrap_or_else(|| targets.iter().max().map_or(2, |&max| (max + 1).max(2)));
        if classes > 256 {
            let value = classes.to_string();
            return Err(BoostError::Parameter { name: "classes", value, rule: "2 to 256, counted from 0" });
        }
        if let Some((row, &class)) = targets.iter().enumerate().find(|(_, class)| **class >= classes) {
            return Err(BoostError::Class { row, class, classes });
        }
        let weights = checked_weights(weights, targets.len())?;
        let kind = if classes == 2 {
            Classes::Share(targets.iter().map(|&class| class as f32).collect())
        } else {
            Classes::Number(targets.iter().map(|&class| class as u16).collect())
        };
        Ok(Targets { classes: kind, outputs: if classes == 2 { 1 } else { classes }, weights })
    }

    /// Shares of the positive class, checked.
    pub(super) fn of_shares(targets: &Array1<f32>, weights: &Array1<f32>) -> Result<Targets, BoostError> {
        if let Some((row, &target)) = targets.iter().enumerate().find(|(_, t)| !(0.0..=1.0).contains(*t)) {
            return Err(BoostError::Target { row, target });
        }
        let weights = checked_weights(weights, targets.len())?;
        Ok(Targets { classes: Classes::Share(targets.to_vec()), outputs: 1, weights })
    }

    pub(super) fn len(&self) -> usize {
        self.weights.len()
    }

    /// The probability that a row has the class of `output`, as the data have it.
    #[inline]
    fn target(&self, row: usize, output: usize) -> f32 {
        match &self.classes {
            Classes::Share(shares) => shares[row],
            Classes::Number(classes) => f32::from(usize::from(classes[row]) == output),
        }
    }

    /// The margins that fit the classes' weighted shares: what is known before the first tree.
    pub(super) fn base_margins(&self) -> Result<Vec<f32>, BoostError> {
        let mut shares = vec![0.0f64; self.outputs];
        let mut total = 0.0;
        for (row, &weight) in self.weights.iter().enumerate() {
            total += f64::from(weight);
            for (output, share) in shares.iter_mut().enumerate() {
                *share += f64::from(weight) * f64::from(self.target(row, output));
            }
        }
        if total == 0.0 {
            return Err(BoostError::NoWeight);
        }
        shares.iter_mut().for_each(|share| *share /= total);
        // A class that the training data lack must stay possible, and its margin finite.
        const LEAST: f64 = 1e-6;
        if self.outputs == 1 {
            let share = shares[0];
            if share <= 0.0 || share >= 1.0 {
                return Err(BoostError::OneClass { class: usize::from(share >= 1.0) });
            }
            let share = share.clamp(LEAST, 1.0 - LEAST);
            return Ok(vec![(share / (1.0 - share)).ln() as f32]);
        }
        if let Some(class) = shares.iter().position(|&share| share >= 1.0) {
            return Err(BoostError::OneClass { class });
        }
        Ok(shares.iter().map(|share| share.max(LEAST).ln() as f32).collect())
    }

    /// The derivatives of each row's loss by the margin of `output`, times its weight: first and second. `probs` has
    /// the rows' probabilities, one a margin.
    ///
    /// With more than two classes the second derivative is scaled by `K / (K - 1)` as in Friedman (2001), for the
    /// `K` trees of a round are grown as if each were alone.
    pub(super) fn derivatives(&self, probs: &[f32], output: usize, out: &mut [[f32; 2]]) {
        let k = self.outputs;
        let scale = if k == 1 { 1.0 } else { k as f32 / (k as f32 - 1.0) };
        out.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, out)| {
            for (i, out) in out.iter_mut().enumerate() {
                let row = chunk * CHUNK + i;
                let (p, weight) = (probs[row * k + output], self.weights[row]);
                *out = [weight * (p - self.target(row, output)), weight * scale * p * (1.0 - p)];
            }
        });
    }

    /// The weighted mean log loss of probabilities.
    pub(super) fn loss(&self, probs: &[f32]) -> f32 {
        let k = self.outputs;
        let row_loss = |row: usize| -> f64 {
            let term = |target: f32, p: f32| if target > 0.0 { -target * p.max(1e-15).ln() } else { 0.0 };
            let loss = match &self.classes {
                Classes::Share(shares) => term(shares[row], probs[row]) + term(1.0 - shares[row], 1.0 - probs[row]),
                Classes::Number(classes) => term(1.0, probs[row * k + usize::from(classes[row])]),
            };
            f64::from(self.weights[row]) * f64::from(loss)
        };
        let chunk_sums = |(chunk, weights): (usize, &[f32])| {
            let rows = chunk * CHUNK..chunk * CHUNK + weights.len();
            [rows.map(row_loss).sum::<f64>(), weights.iter().map(|&w| f64::from(w)).sum()]
        };
        let sums: Vec<[f64; 2]> = self.weights.par_chunks(CHUNK).enumerate().map(chunk_sums).collect();
        let [loss, weight] = sums.iter().fold([0.0, 0.0], |sum, part| [sum[0] + part[0], sum[1] + part[1]]);
        (loss / weight) as f32
    }
}

fn checked_weights(weights: &Array1<f32>, rows: usize) -> Result<Vec<f32>, BoostError> {
    // linfa's way to say that all rows weigh the same.
    if weights.is_empty() {
        return Ok(vec![1.0; rows]);
    }
    if weights.len() != rows {
        return Err(BoostError::Count { what: "row weights", got: weights.len(), expected: rows });
    }
    if let Some((row, &weight)) = weights.iter().enumerate().find(|(_, w)| !w.is_finite() || **w < 0.0) {
        return Err(BoostError::Weight { row, weight });
    }
    Ok(weights.to_vec())
}

/// Turns margins into probabilities in place, row by row: logistic for one margin a row, softmax for more.
pub(super) fn to_probabilities(margins: &mut [f32], outputs: usize) {
    if outputs == 1 {
        margins.iter_mut().for_each(|m| *m = 1.0 / (1.0 + (-*m).exp()));
        return;
    }
    for row in margins.chunks_exact_mut(outputs) {
        let max = row.iter().copied().fold(f32::MIN, f32::max);
        row.iter_mut().for_each(|m| *m = (*m - max).exp());
        let sum: f32 = row.iter().sum();
        row.iter_mut().for_each(|m| *m /= sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn derivatives_agree_with_differences_of_the_loss() {
        let targets = Targets::of_classes(&array![2, 0, 1], &array![1.0, 2.0, 0.5], None).unwrap();
        let margins = [0.3f32, -0.2, 0.9, 1.0, 0.1, -0.4, 0.0, 0.5, 0.2];
        let total = |margins: &[f32]| {
            let mut probs = margins.to_vec();
            to_probabilities(&mut probs, 3);
            f64::from(targets.loss(&probs)) * 3.5
        };
        let mut probs = margins.to_vec();
        to_probabilities(&mut probs, 3);
        for output in 0..3 {
            let mut derivatives = [[0.0f32; 2]; 3];
            targets.derivatives(&probs, output, &mut derivatives);
            for (row, [g, h]) in derivatives.into_iter().enumerate() {
                let at = |step: f32| {
                    let mut moved = margins;
                    moved[row * 3 + output] += step;
                    total(&moved)
                };
                let step = 0.05;
                let (up, down, mid) = (at(step), at(-step), at(0.0));
                let step = f64::from(step);
                assert!((f64::from(g) - (up - down) / (2.0 * step)).abs() < 1e-3);
                assert!((f64::from(h) / 1.5 - (up + down - 2.0 * mid) / (step * step)).abs() < 2e-3);
            }
        }
    }
}
