//! Gradient-boosted trees on histograms: the classifier that turns a block's features into probabilities.
//!
//! They are a linfa classifier: [`Boosted::params`] are checked by [`linfa::ParamGuard`], trained by
//! [`linfa::traits::Fit`] and predict by [`linfa::traits::Predict`]. The method is that of Friedman (2001) with second
//! derivatives (Chen and Guestrin, "XGBoost", 2016) on binned features (Ke et al., "LightGBM", 2017), with ordinary or
//! oblivious trees. Missing values are NaN and every condition learns where they go.
//!
//! ```
//! use lubb::linfa::prelude::*;
//! use lubb::model::boost::{Boosted, Grow};
//! use lubb::ndarray::{Array1, Array2, array};
//!
//! // The class is whether both features have the same sign.
//! let mut random = fastrand::Rng::with_seed(1);
//! let rows = Array2::from_shape_simple_fn((1000, 2), || random.f32() * 10.0 - 5.0);
//! let classes: Array1<usize> = rows.rows().into_iter().map(|r| usize::from(r[0] * r[1] > 0.0)).collect();
//! let params = Boosted::params().rounds(30).grow(Grow::Oblivious(3));
//! let model = params.fit(&DatasetBase::new(rows, classes))?;
//! assert_eq!(model.predict(&array![[3.0, 4.0], [-3.0, 4.0]]), array![1, 0]);
//! assert!(model.predict_proba(array![[-2.0, -2.0]].view())?[[0, 1]] > 0.9);
//! # Ok::<(), lubb::model::boost::BoostError>(())
//! ```

use std::sync::OnceLock;

use linfa::traits::PredictInplace;
use ndarray::{Array1, Array2, ArrayBase, ArrayView2, Data, Ix2};
use serde::{Deserialize, Serialize};

mod bins;
mod fit;
mod grow;
mod histogram;
mod loss;
mod oblivious;
mod params;
mod predict;
#[cfg(test)]
mod tests;
mod trees;

use fit::MAX_ROWS;
pub use fit::Round;
pub use params::{BoostError, BoostParams, BoostValidParams, Grow, MAX_LEAVES, MAX_OBLIVIOUS_DEPTH};
use predict::Plan;
pub(super) use predict::{Asked, Together};
use trees::Forest;

/// Trained boosted trees.
///
/// Serialised, they are compact (about 0.4 KB a tree of 64 leaves with `postcard`); they check themselves when they
/// are read, so that a damaged model is an error and never a wrong look-up.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Boosted {
    stored: Stored,
    /// Made when it is first asked for: labelling pages takes all stages [together](Together).
    plan: OnceLock<Plan>,
}

/// What is written to a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Stored {
    columns: u32,
    /// Where each margin starts; as many as there are margins a row.
    base: Vec<f32>,
    /// What conditions on each column gained in training.
    importances: Vec<f32>,
    forest: Forest,
}

impl Stored {
    fn check(&self) -> Result<(), BoostError> {
        let columns = self.columns as usize;
        if self.base.is_empty() || self.base.len() == 2 || self.base.len() > 256 {
            return Err(BoostError::Corrupt("an impossible number of classes"));
        }
        if self.base.iter().any(|margin| !margin.is_finite()) {
            return Err(BoostError::Corrupt("a base margin is not finite"));
        }
        if columns == 0 || self.importances.len() != columns {
            return Err(BoostError::Corrupt("numbers of columns differ"));
        }
        self.forest.check(columns)?;
        if !self.forest.trees().is_multiple_of(self.base.len()) {
            return Err(BoostError::Corrupt("a number of trees that does not fit the classes"));
        }
        Ok(())
    }
}

impl From<Boosted> for Stored {
    fn from(model: Boosted) -> Stored {
        model.stored
    }
}

impl TryFrom<Stored> for Boosted {
    type Error = BoostError;

    fn try_from(stored: Stored) -> Result<Boosted, BoostError> {
        stored.check()?;
        Ok(Boosted { stored, plan: OnceLock::new() })
    }
}

/// Equal if they store the same.
impl PartialEq for Boosted {
    fn eq(&self, other: &Boosted) -> bool {
        self.stored == other.stored
    }
}

impl Boosted {
    /// How to train a model: the defaults, to be changed by its methods.
    pub fn params() -> BoostParams {
        BoostParams::default()
    }

    fn assemble(columns: usize, base: Vec<f32>, importances: Vec<f32>, forest: Forest) -> Result<Boosted, BoostError> {
        Stored { columns: columns as u32, base, importances, forest }.try_into()
    }

    /// One model whose margins are the mean of those of several (bagging: Breiman 1996, "Bagging predictors"), with the
    /// trees of all of them. What they differ in by the chance of their draws goes out by the root of their number.
    ///
    /// # Errors
    /// [`BoostError::Unlike`] for models that differ in their columns, classes or kind of trees, or for none.
    pub fn mean(models: &[Boosted]) -> Result<Boosted, BoostError> {
        let Some(first) = models.first() else { return Err(BoostError::Unlike("an empty list")) };
        if models.iter().any(|model| model.columns() != first.columns()) {
            return Err(BoostError::Unlike("different columns"));
        }
        if models.iter().any(|model| model.outputs() != first.outputs()) {
            return Err(BoostError::Unlike("different classes"));
        }
        let share = 1.0 / models.len() as f32;
        let mean = |of: fn(&Stored) -> &[f32]| -> Vec<f32> {
            let sum = |at: usize| models.iter().map(|model| of(&model.stored)[at]).sum::<f32>();
            (0..of(&first.stored).len()).map(|at| sum(at) * share).collect()
        };
        let forest = Forest::mean(models.iter().map(|model| &model.stored.forest))?;
        Boosted::assemble(first.columns(), mean(|stored| &stored.base), mean(|stored| &stored.importances), forest)
    }

    /// Whether the model is whole: every index in range, every number finite. Reading a model does this by itself.
    ///
    /// # Errors
    /// [`BoostError::Corrupt`] says what is wrong.
    pub fn validate(&self) -> Result<(), BoostError> {
        self.stored.check()
    }

    /// The number of columns that rows must have.
    pub fn columns(&self) -> usize {
        self.stored.columns as usize
    }

    /// The number of margins of a row: 1 for two classes, else one a class.
    pub fn outputs(&self) -> usize {
        self.stored.base.len()
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.outputs().max(2)
    }

    /// The number of boosting rounds whose trees were kept, in a [mean](Boosted::mean) those of all models.
    pub fn rounds(&self) -> usize {
        self.stored.forest.trees() / self.outputs()
    }

    /// By column, the sum of what its conditions took off the training loss, times two.
    pub fn importances(&self) -> &[f32] {
        &self.stored.importances
    }

    /// Writes each row's margins, row by row: for two classes the log odds of the second, else one a class, whose
    /// softmax are the probabilities. Allocates a few kilobytes a call, nothing a row. Rows in standard layout are
    /// read fastest.
    ///
    /// # Errors
    /// [`BoostError::Count`] if rows have another number of columns than in training, or `out` another length than
    /// rows times [`Boosted::outputs`].
    pub fn margins_into(&self, rows: ArrayView2<f32>, out: &mut [f32]) -> Result<(), BoostError> {
        if rows.ncols() != self.columns() {
            let (got, expected) = (rows.ncols(), self.columns());
            return Err(BoostError::Count { what: "columns of the rows to predict", got, expected });
        }
        let expected = rows.nrows() * self.outputs();
        if out.len() != expected {
            return Err(BoostError::Count { what: "places for margins", got: out.len(), expected });
        }
        let base = &self.stored.base;
        out.chunks_exact_mut(base.len()).for_each(|row| row.copy_from_slice(base));
        let plan = self.plan.get_or_init(|| Plan::new(&self.stored.forest, base.len()));
        plan.add_margins(rows, base.len(), out);
        Ok(())
    }

    /// Writes probabilities in the layout of [`Boosted::margins_into`]: for two classes that of the second, else one
    /// a class.
    ///
    /// # Errors
    /// The same.
    pub fn probabilities_into(&self, rows: ArrayView2<f32>, out: &mut [f32]) -> Result<(), BoostError> {
        self.margins_into(rows, out)?;
        loss::to_probabilities(out, self.outputs());
        Ok(())
    }

    /// The probability of every class, one row a row and one column a class.
    ///
    /// # Errors
    /// [`BoostError::Count`] if rows have another number of columns than in training.
    pub fn predict_proba(&self, rows: ArrayView2<f32>) -> Result<Array2<f32>, BoostError> {
        let mut flat = vec![0.0; rows.nrows() * self.outputs()];
        self.probabilities_into(rows, &mut flat)?;
        let shape = (rows.nrows(), self.classes());
        if self.outputs() == 1 {
            return Ok(Array2::from_shape_fn(
                shape,
                |(row, class)| if class == 1 { flat[row] } else { 1.0 - flat[row] },
            ));
        }
        Ok(Array2::from_shape_fn(shape, |(row, class)| flat[row * shape.1 + class]))
    }

    /// What each column's value adds to a row's margin `output` (0 for two classes, else the class): along the row's
    /// way through each tree, the change from a node's mean to its child's, credited to the condition's column
    /// (Saabas, "Interpreting random forests", 2014). The last number, one past the columns, is what all rows have in
    /// common; the sum of all is the margin but for rounding.
    ///
    /// # Errors
    /// [`BoostError::Count`] if the row or the output does not fit the model.
    pub fn contributions(&self, row: &[f32], output: usize) -> Result<Vec<f32>, BoostError> {
        let (got, expected) = (row.len(), self.columns());
        if got != expected {
            return Err(BoostError::Count { what: "columns of the row to explain", got, expected });
        }
        let Some(&base) = self.stored.base.get(output) else {
            let expected = self.outputs();
            return Err(BoostError::Count {
                what: "margins up to the one to explain",
                got: output.saturating_add(1),
                expected,
            });
        };
        let mut sums = vec![0.0; expected + 1];
        sums[expected] = f64::from(base);
        self.stored.forest.contributions(row, output, self.outputs(), &mut sums);
        Ok(sums.into_iter().map(|sum| sum as f32).collect())
    }
}

/// The likeliest class of each row.
///
/// # Panics
/// As is linfa's way, if rows have another number of columns than in training, or there are not as many targets.
impl<D: Data<Elem = f32>> PredictInplace<ArrayBase<D, Ix2>, Array1<usize>> for Boosted {
    fn predict_inplace(&self, rows: &ArrayBase<D, Ix2>, classes: &mut Array1<usize>) {
        assert_eq!(rows.nrows(), classes.len(), "there must be as many targets as rows");
        let mut margins = vec![0.0; rows.nrows() * self.outputs()];
        if let Err(error) = self.margins_into(rows.view(), &mut margins) {
            panic!("{error}");
        }
        for (class, margins) in classes.iter_mut().zip(margins.chunks_exact(self.outputs())) {
            *class = match margins {
                [margin] => usize::from(*margin > 0.0),
                _ => (1..margins.len()).fold(0, |best, next| if margins[next] > margins[best] { next } else { best }),
            };
        }
    }

    fn default_target(&self, rows: &ArrayBase<D, Ix2>) -> Array1<usize> {
        Array1::zeros(rows.nrows())
    }
}
