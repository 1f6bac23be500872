//! linfa-logistic over ramps: a logistic regression in which every column may bend.
//!
//! A column's values are cut at a few quantiles, and each piece between two cuts becomes a column of its own that
//! runs from 0 to 1 (a linear spline in the "ramp" basis). A line through raw values can't say that a block of 40
//! words is likely body but one of 4,000 not more so; a sum of ramps can, and every weight can still be read.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_logistic::{LogisticRegression, MultiLogisticRegression};
use ndarray::{Array1, Array2, ArrayView2, Axis, ShapeBuilder};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::sigmoid;

/// Where the columns are cut: quantiles of the values seen in training.
const QUANTILES: [f32; 5] = [0.02, 0.30, 0.60, 0.85, 0.98];

/// Settings of the fit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogisticParams {
    /// L2 penalty on the weights, against a loss summed over rows.
    pub alpha: f64,
    /// Rows drawn from the training rows, in proportion to their weights: linfa-logistic 0.8.1 ignores the weights of
    /// a dataset, so a row of weight 2 is drawn twice as often instead.
    pub rows: usize,
    /// Iterations of L-BFGS at most.
    pub iterations: u64,
    /// Seed of the draw.
    pub seed: u64,
}

impl Default for LogisticParams {
    fn default() -> Self {
        LogisticParams { alpha: 20.0, rows: 60_000, iterations: 60, seed: 1 }
    }
}

/// Why nothing could be fitted.
#[derive(Debug, thiserror::Error)]
pub enum LogisticError {
    /// There are no rows, or all have the same class.
    #[error("the training rows are all of one class ({rows} rows): pages with both body and chrome are needed")]
    OneClass {
        /// How many rows there were.
        rows: usize,
    },
    /// A number of things differs from the number of rows or columns it belongs to.
    #[error("{what}: {got} given, {expected} expected")]
    Count {
        /// What was counted.
        what: &'static str,
        /// How many there are.
        got: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A weight is negative or not a number.
    #[error("the weight of row {row} is {weight}; weights must be finite and not negative")]
    Weight {
        /// The row.
        row: usize,
        /// Its weight.
        weight: f32,
    },
    /// A class number beyond the number of classes.
    #[error("the target of row {row} is class {class}, but there are {classes} classes, counted from 0")]
    Class {
        /// The row.
        row: usize,
        /// Its class.
        class: usize,
        /// The number of classes.
        classes: usize,
    },
    /// linfa's own error.
    #[error("the logistic regression did not fit: {0}")]
    Linfa(#[from] linfa_logistic::error::Error),
}

/// Its column, where it begins, one over its length.
type Ramp = (u32, f32, f32);

/// A fitted regression: cuts of every column, and weights of the ramps for each output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Logistic {
    columns: u32,
    ramps: Vec<Ramp>,
    /// One row of weights an output, as long as `ramps`; binary models have one output.
    weights: Vec<Vec<f32>>,
    intercepts: Vec<f32>,
    /// Each ramp's mean over the training rows, so that what a column adds can be told against the average block.
    means: Vec<f32>,
}

/// A small fast generator (splitmix64; Steele, Lea & Flood 2014), so that draws are the same on every machine.
pub(super) struct Random(pub u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in 0..1.
    pub(super) fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Draws `count` row numbers with chances in proportion to the weights, by systematic sampling: every row is drawn its
/// expected number of times, rounded up or down.
pub(super) fn draw(weights: &[f32], count: usize, seed: u64) -> Vec<usize> {
    let total: f64 = weights.iter().map(|w| f64::from(*w)).sum();
    let step = total / count.max(1) as f64;
    let mut next = Random(seed).uniform() * step;
    let (mut sum, mut rows) = (0.0, Vec::with_capacity(count + 1));
    for (row, weight) in weights.iter().enumerate() {
        sum += f64::from(*weight);
        while next < sum {
            rows.push(row);
            next += step;
        }
    }
    rows
}

fn find_ramps(x: ArrayView2<f32>, rows: &[usize]) -> Vec<(u32, f32, f32)> {
    let of_column = |column: usize| {
        let stride = (rows.len() / 20_000).max(1);
        let mut values: Vec<f32> = rows.iter().step_by(stride).map(|r| x[[*r, column]]).collect();
        values.sort_by(f32::total_cmp);
        let (low, high) = (values[0], values[values.len() - 1]);
        let mut cuts: Vec<f32> = QUANTILES.iter().map(|q| values[((values.len() - 1) as f32 * q) as usize]).collect();
        // A column that is mostly one value (a flag, a rare share) still has its whole range.
        if cuts[0] == cuts[QUANTILES.len() - 1] || cuts.iter().all(|c| *c == low || *c == high) {
            cuts = vec![low, high];
        }
        cuts.dedup();
        let ramp = |w: &[f32]| (column as u32, w[0], 1.0 / (w[1] - w[0]));
        cuts.windows(2).filter(|w| w[1] > w[0]).map(ramp).collect::<Vec<_>>()
    };
    (0..x.ncols()).into_par_iter().flat_map_iter(of_column).collect()
}

/// The ramps' values, column by column: linfa multiplies each column with what each row is off by, once a step. Row by
/// row, that is a miss of the cache for each value, and was two thirds of a small training.
fn expand(ramps: &[(u32, f32, f32)], x: ArrayView2<f32>, rows: &[usize]) -> Array2<f64> {
    let mut expanded = Array2::zeros((rows.len(), ramps.len()).f());
    let few = 64;
    for (mut to, rows) in expanded.axis_chunks_iter_mut(Axis(0), few).zip(rows.chunks(few)) {
        for (mut to, (column, start, scale)) in to.columns_mut().into_iter().zip(ramps) {
            for (slot, row) in to.iter_mut().zip(rows) {
                *slot = f64::from(((x[[*row, *column as usize]] - start) * scale).clamp(0.0, 1.0));
            }
        }
    }
    expanded
}

fn column_means(x: &Array2<f64>) -> Vec<f32> {
    x.mean_axis(Axis(0)).map(|means| means.iter().map(|m| *m as f32).collect()).unwrap_or_default()
}

/// Rows drawn and unfolded into ramps, ready for linfa.
struct Prepared<T> {
    ramps: Vec<(u32, f32, f32)>,
    means: Vec<f32>,
    dataset: DatasetBase<Array2<f64>, Array1<T>>,
}

impl LogisticParams {
    fn prepare<T: Copy + PartialEq>(
        &self,
        x: ArrayView2<f32>,
        y: &[T],
        weights: &[f32],
    ) -> Result<Prepared<T>, LogisticError> {
        let expected = x.nrows();
        for (what, got) in [("targets", y.len()), ("weights", weights.len())] {
            if got != expected {
                return Err(LogisticError::Count { what, got, expected });
            }
        }
        // The draw would never come to its end.
        if let Some((row, &weight)) = weights.iter().enumerate().find(|(_, w)| !w.is_finite() || **w < 0.0) {
            return Err(LogisticError::Weight { row, weight });
        }
        let rows = draw(weights, self.rows.min(x.nrows()), self.seed);
        let targets = Array1::from_iter(rows.iter().map(|r| y[*r]));
        if rows.is_empty() || targets.iter().all(|t| *t == targets[0]) {
            return Err(LogisticError::OneClass { rows: rows.len() });
        }
        let ramps = find_ramps(x, &rows);
        let expanded = expand(&ramps, x, &rows);
        let means = column_means(&expanded);
        Ok(Prepared { ramps, means, dataset: DatasetBase::new(expanded, targets) })
    }

    /// Fits rows of class true or false; `y` and `weights` as long as the rows of `x`.
    ///
    /// # Errors
    /// [`LogisticError`] for rows of one class, other lengths and weights that are negative or not finite.
    pub fn fit(&self, x: ArrayView2<f32>, y: &[bool], weights: &[f32]) -> Result<Logistic, LogisticError> {
        let Prepared { ramps, means, dataset } = self.prepare(x, y, weights)?;
        let fitted = LogisticRegression::default()
            .alpha(self.alpha)
            .max_iterations(self.iterations)
            .gradient_tolerance(1e-2)
            .fit(&dataset)?;
        // linfa-logistic calls the more frequent class positive, whichever that is.
        let sign = if fitted.labels().pos.class { 1.0 } else { -1.0 };
        Ok(Logistic {
            columns: x.ncols() as u32,
            ramps,
            weights: vec![fitted.params().iter().map(|w| (sign * w) as f32).collect()],
            intercepts: vec![(sign * fitted.intercept()) as f32],
            means,
        })
    }

    /// Fits rows of classes `0..classes`; a class without rows gets a probability of practically 0.
    ///
    /// # Errors
    /// The same, and for a class that is not one of so many.
    pub fn fit_classes(
        &self,
        x: ArrayView2<f32>,
        y: &[usize],
        weights: &[f32],
        classes: usize,
    ) -> Result<Logistic, LogisticError> {
        if let Some((row, &class)) = y.iter().enumerate().find(|(_, class)| **class >= classes) {
            return Err(LogisticError::Class { row, class, classes });
        }
        let Prepared { ramps, means, dataset } = self.prepare(x, y, weights)?;
        let fitted = MultiLogisticRegression::default()
            .alpha(self.alpha)
            .max_iterations(self.iterations)
            .gradient_tolerance(1e-2)
            .fit(&dataset)?;
        let mut weights = vec![vec![0.0; ramps.len()]; classes];
        let mut intercepts = vec![-30.0; classes];
        for (column, class) in fitted.classes().iter().enumerate() {
            weights[*class] = fitted.params().column(column).iter().map(|w| *w as f32).collect();
            intercepts[*class] = fitted.intercept()[column] as f32;
        }
        Ok(Logistic { columns: x.ncols() as u32, ramps, weights, intercepts, means })
    }
}

impl Logistic {
    /// How many columns a row must have.
    pub fn columns(&self) -> usize {
        self.columns as usize
    }

    /// How many outputs it has: one a class, or one for two classes.
    pub fn outputs(&self) -> usize {
        self.weights.len()
    }

    /// Whether a model read from a file holds together: no index out of range, columns in order, no value that is not finite.
    pub fn is_valid(&self) -> bool {
        self.ramps.iter().all(|(c, s, k)| *c < self.columns && s.is_finite() && k.is_finite())
            && self.ramps.is_sorted_by_key(|(column, ..)| *column)
            && !self.weights.is_empty()
            && self.means.len() == self.ramps.len()
            && self.weights.len() == self.intercepts.len()
            && self.weights.iter().all(|w| w.len() == self.ramps.len() && w.iter().all(|w| w.is_finite()))
    }

    /// # Panics
    /// If rows have another number of columns than in training.
    fn check_columns(&self, columns: usize) {
        assert_eq!(columns, self.columns(), "rows must have as many columns as in training");
    }

    /// The log-odds (binary) or unnormalised log-probabilities (classes) of a row, one an output.
    fn margins(&self, row: &[f32], out: &mut [f32]) {
        out.copy_from_slice(&self.intercepts);
        for (at, (column, start, scale)) in self.ramps.iter().enumerate() {
            let value = ((row[*column as usize] - start) * scale).clamp(0.0, 1.0);
            if value > 0.0 {
                for (slot, weights) in out.iter_mut().zip(&self.weights) {
                    *slot += weights[at] * value;
                }
            }
        }
    }

    /// The probability of class true for each row.
    ///
    /// # Panics
    /// If rows have another number of columns than in training, or the model tells more than two classes apart.
    pub fn predict(&self, x: ArrayView2<f32>) -> Vec<f32> {
        self.check_columns(x.ncols());
        assert_eq!(self.outputs(), 1, "a model of several classes is asked by predict_classes");
        let mut buffer = Vec::with_capacity(self.columns());
        let mut margin = [0.0];
        x.rows()
            .into_iter()
            .map(|row| {
                buffer.clear();
                buffer.extend(row.iter());
                self.margins(&buffer, &mut margin);
                sigmoid(margin[0])
            })
            .collect()
    }

    /// The probabilities of all classes for each row: rows x classes.
    ///
    /// # Panics
    /// If rows have another number of columns than in training.
    pub fn predict_classes(&self, x: ArrayView2<f32>) -> Array2<f32> {
        self.check_columns(x.ncols());
        let mut out = Array2::zeros((x.nrows(), self.weights.len()));
        let mut margins = vec![0.0; self.weights.len()];
        for (mut to, row) in out.rows_mut().into_iter().zip(x.rows()) {
            self.margins(&row.to_vec(), &mut margins);
            let max = margins.iter().copied().fold(f32::MIN, f32::max);
            let sum: f32 = margins
                .iter_mut()
                .map(|m| {
                    *m = (*m - max).exp();
                    *m
                })
                .sum();
            to.iter_mut().zip(&margins).for_each(|(slot, m)| *slot = m / sum);
        }
        out
    }

    /// What each column adds to the log-odds of output `output` for a row, against the average training row.
    ///
    /// # Panics
    /// If the row has another number of columns than in training, or there is no such output.
    pub fn contributions(&self, row: &[f32], output: usize) -> Vec<f32> {
        self.check_columns(row.len());
        assert!(output < self.outputs(), "output {output} of a model that has {}", self.outputs());
        let mut by_column = vec![0.0; self.columns()];
        for (((column, start, scale), weight), mean) in self.ramps.iter().zip(&self.weights[output]).zip(&self.means) {
            let value = ((row[*column as usize] - start) * scale).clamp(0.0, 1.0);
            by_column[*column as usize] += weight * (value - mean);
        }
        by_column
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows whose class is true in the middle of the first column's range, which no straight line can tell.
    fn hill() -> (Array2<f32>, Vec<bool>) {
        let x = Array2::from_shape_fn((600, 2), |(r, c)| if c == 0 { r as f32 / 100.0 } else { (r % 7) as f32 });
        let y = (0..600).map(|r| (200..400).contains(&r)).collect();
        (x, y)
    }

    #[test]
    fn a_hill_is_learned_and_the_positive_class_is_true_though_it_is_rarer() {
        let (x, y) = hill();
        let params = LogisticParams { alpha: 0.1, ..LogisticParams::default() };
        let model = params.fit(x.view(), &y, &vec![1.0; 600]).unwrap();
        let p = model.predict(x.view());
        assert!(p[300] > 0.8 && p[20] < 0.2 && p[580] < 0.2, "{} {} {}", p[300], p[20], p[580]);
        let difference = |a: usize, b: usize| {
            let total = |r: usize| model.contributions(&x.row(r).to_vec(), 0).iter().sum::<f32>();
            total(a) - total(b)
        };
        let log_odds = |p: f32| (p / (1.0 - p)).ln();
        assert!((difference(300, 20) - (log_odds(p[300]) - log_odds(p[20]))).abs() < 1e-3);
    }

    #[test]
    fn a_row_of_weight_zero_is_never_seen() {
        let (x, mut y) = hill();
        let weights: Vec<f32> = (0..600).map(|r| if r < 100 { 0.0 } else { 1.0 }).collect();
        let params = LogisticParams { alpha: 0.1, ..LogisticParams::default() };
        let clean = params.fit(x.view(), &y, &weights).unwrap();
        y[..100].fill(true);
        assert_eq!(clean, params.fit(x.view(), &y, &weights).unwrap());
    }

    #[test]
    fn classes_sum_to_one_and_an_absent_class_is_improbable() {
        let (x, y) = hill();
        let classes: Vec<usize> = y.iter().map(|y| if *y { 2 } else { 0 }).collect();
        let model = LogisticParams { alpha: 0.1, ..LogisticParams::default() }
            .fit_classes(x.view(), &classes, &vec![1.0; 600], 4)
            .unwrap();
        let p = model.predict_classes(x.view());
        assert!((p.row(300).sum() - 1.0).abs() < 1e-5);
        assert!(p[[300, 2]] > 0.8 && p[[10, 0]] > 0.8 && p[[300, 1]] < 1e-6);
    }

    #[test]
    fn other_lengths_weights_and_classes_are_errors() {
        let (x, y) = hill();
        let (params, ones) = (LogisticParams::default(), [1.0; 600]);
        let refused = |y: &[bool], weights: &[f32]| params.fit(x.view(), y, weights).unwrap_err().to_string();
        assert_eq!(refused(&y[1..], &ones), "targets: 599 given, 600 expected");
        assert_eq!(refused(&y, &ones[1..]), "weights: 599 given, 600 expected");
        for weight in [-1.0, f32::NAN, f32::INFINITY] {
            let mut weights = ones;
            weights[3] = weight;
            assert!(refused(&y, &weights).starts_with("the weight of row 3 is "), "{weight}");
        }
        let classes: Vec<usize> = y.iter().map(|y| usize::from(*y)).collect();
        for count in [0, 1] {
            let error = params.fit_classes(x.view(), &classes, &ones, count).unwrap_err();
            assert!(matches!(error, LogisticError::Class { .. }), "{error}");
        }
    }

    #[test]
    #[should_panic(expected = "as many columns as in training")]
    fn a_narrow_matrix_is_named() {
        let (x, y) = hill();
        let model = LogisticParams::default().fit(x.view(), &y, &[1.0; 600]).unwrap();
        model.predict(x.slice(ndarray::s![.., ..1]));
    }

    #[test]
    fn one_class_alone_is_an_error() {
        let (x, _) = hill();
        let error = LogisticParams::default().fit(x.view(), &[true; 600], &[1.0; 600]).unwrap_err();
        assert!(matches!(error, LogisticError::OneClass { rows: 600 }), "{error}");
    }
}
