//! Two stages of classifiers, a head for kinds of chrome, and the decision over them.

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::features::Surroundings;
use crate::label::Label;

use super::boost::{Boosted, Lanes};
use super::decide::{Decision, Favor};
use super::logistic::Logistic;
use super::{Labels, Reason, combine, context};

/// A fitted classifier of either family, told apart only here.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Classifier {
    /// linfa-logistic over ramps.
    Logistic(Logistic),
    /// Boosted trees.
    Boost(Boosted),
}

impl Classifier {
    /// The probability of body of each row.
    pub fn predict(&self, x: ArrayView2<f32>) -> Vec<f32> {
        match self {
            Classifier::Logistic(model) => model.predict(x),
            // Rows are as wide as the trees were trained on: a model of other columns is refused when it is read.
            Classifier::Boost(model) => model.predict_proba(x).map_or(Vec::new(), |p| p.column(1).to_vec()),
        }
    }

    /// The probabilities of all labels of each row: rows x labels.
    pub fn predict_classes(&self, x: ArrayView2<f32>) -> Array2<f32> {
        match self {
            Classifier::Logistic(model) => model.predict_classes(x),
            Classifier::Boost(model) => model.predict_proba(x).unwrap_or_default(),
        }
    }

    fn contributions(&self, row: &[f32]) -> Vec<f32> {
        match self {
            Classifier::Logistic(model) => model.contributions(row, 0),
            Classifier::Boost(model) => model.contributions(row, 0).unwrap_or_default(),
        }
    }

    /// How many columns it takes.
    fn columns(&self) -> usize {
        match self {
            Classifier::Logistic(model) => model.columns(),
            Classifier::Boost(model) => model.columns(),
        }
    }

    fn is_valid(&self) -> bool {
        match self {
            Classifier::Logistic(model) => model.is_valid(),
            Classifier::Boost(model) => model.validate().is_ok(),
        }
    }
}

/// The whole way from a page's matrix to its labels.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stack {
    pub(super) stage1: Classifier,
    pub(super) stage2: Classifier,
    pub(super) kinds: Option<Classifier>,
    pub(super) decision: Decision,
}

/// The matrix of stage two: the features, then what stage one says around each block.
pub fn with_context(matrix: ArrayView2<f32>, around: &Surroundings, p: &[f32]) -> Array2<f32> {
    let (rows, width) = matrix.dim();
    let mut wide = Array2::zeros((rows, width + context::width()));
    wide.slice_mut(ndarray::s![.., ..width]).assign(&matrix);
    context::columns(around, p, |at, values| {
        wide.row_mut(at).iter_mut().skip(width).zip(values).for_each(|(slot, value)| *slot = *value);
    });
    wide
}

/// The head's probability of body for each row; empty without a head.
pub fn body_column(kinds: Option<&Array2<f32>>) -> Vec<f32> {
    kinds.map(|k| k.column(Label::Body.index()).to_vec()).unwrap_or_default()
}

/// Both stages and the head where all are trees, which then share one layout of the rows. Models that do not fit the
/// rows are refused when they are read.
fn boosted(matrix: ArrayView2<f32>, around: &Surroundings, models: [&Boosted; 3]) -> (Vec<f32>, Option<Array2<f32>>) {
    let mut rows = Lanes::new(matrix, context::width());
    let [first, second, kinds] = models;
    let p = first.probabilities_of(&rows).unwrap_or_default();
    context::columns(around, &p, |at, values| rows.put(at, matrix.ncols(), values));
    let all = |model: &Boosted| model.probabilities_of(&rows).unwrap_or_default();
    (all(second), Array2::from_shape_vec((rows.rows(), kinds.classes()), all(kinds)).ok())
}

impl Stack {
    /// Labels the rows of a page.
    pub fn label(&self, matrix: ArrayView2<f32>, around: &Surroundings, favor: Favor) -> Labels {
        let (second, kinds) = match (&self.stage1, &self.stage2, &self.kinds) {
            (Classifier::Boost(first), Classifier::Boost(second), Some(Classifier::Boost(kinds)))
                if (first.outputs(), second.outputs()) == (1, 1) && kinds.outputs() > 1 =>
            {
                boosted(matrix, around, [first, second, kinds])
            }
            _ => {
                let first = self.stage1.predict(matrix);
                let wide = with_context(matrix, around, &first);
                let kinds = self.kinds.as_ref().map(|head| head.predict_classes(wide.view()));
                (self.stage2.predict(wide.view()), kinds)
            }
        };
        let choice = self.decision.favoring(favor).choose(&second, &body_column(kinds.as_ref()), &around.words);
        combine(&choice, kinds.as_ref())
    }

    /// Each column's share in the log-odds of stage two, greatest first, for each of some rows; nothing for a row that
    /// is not there.
    pub fn explain(
        &self,
        matrix: ArrayView2<f32>,
        around: &Surroundings,
        rows: &[usize],
        names: &[String],
    ) -> Vec<Vec<Reason>> {
        let first = self.stage1.predict(matrix);
        let wide = with_context(matrix, around, &first);
        let names: Vec<String> = names.iter().cloned().chain(context::names()).collect();
        let explain = |row: &usize| {
            if *row >= wide.nrows() {
                return Vec::new();
            }
            let values = wide.row(*row).to_vec();
            let shares = self.stage2.contributions(&values);
            let columns = names.iter().cloned().zip(values).zip(shares);
            let mut reasons: Vec<Reason> =
                columns.map(|((column, value), contribution)| Reason { column, value, contribution }).collect();
            reasons.sort_by(|a, b| b.contribution.abs().total_cmp(&a.contribution.abs()).then(a.column.cmp(&b.column)));
            reasons
        };
        rows.iter().map(explain).collect()
    }

    /// Whether a stack read from a file fits a matrix of `width` columns and holds together.
    pub fn is_valid(&self, width: usize) -> bool {
        let wide = width + context::width();
        let sound = |c: &Classifier, columns| c.columns() == columns && c.is_valid();
        sound(&self.stage1, width) && sound(&self.stage2, wide) && self.kinds.as_ref().is_none_or(|k| sound(k, wide))
    }
}
