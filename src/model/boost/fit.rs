//! Training: the rounds of boosting, and linfa's way in.

use linfa::dataset::DatasetBase;
use linfa::traits::Fit;
use ndarray::{Array1, ArrayBase, ArrayView2, Data, Ix2};
use rayon::prelude::*;

use super::Boosted;
use super::bins::{Bins, Cuts};
use super::grow::{Ground, Space, Tree};
use super::histogram::{Group, Scorer, pack};
use super::loss::{CHUNK, Targets, to_probabilities};
use super::params::{BoostError, BoostValidParams, Grow};
use super::trees::Forest;

/// Row numbers are 32 bits wide, and sums of packed derivatives need room for a rounding error a row.
pub(super) const MAX_ROWS: usize = 1 << 30;

/// How far training has come, after each round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Round {
    /// Rounds done.
    pub round: usize,
    /// The weighted mean log loss of the validation data, if there are any.
    pub validation_loss: Option<f32>,
}

/// Where the margins are before the first tree.
enum Start {
    /// The same for all rows, one a margin.
    Constant(Vec<f32>),
    /// Each row's own.
    Margins(Vec<f32>),
}

/// Rows on their way through training.
struct Side {
    bins: Bins,
    targets: Targets,
    /// One a row and output.
    margins: Vec<f32>,
    /// The same as probabilities.
    probs: Vec<f32>,
}

impl Side {
    fn new(cuts: &Cuts, rows: ArrayView2<f32>, targets: Targets, margins: Vec<f32>) -> Side {
        let mut side = Side { bins: cuts.bin(rows), targets, probs: margins.clone(), margins };
        side.update_probs();
        side
    }

    fn update_probs(&mut self) {
        let outputs = self.targets.outputs;
        let chunks = self.probs.par_chunks_mut(CHUNK * outputs).zip(self.margins.par_chunks(CHUNK * outputs));
        chunks.for_each(|(probs, margins)| {
            probs.copy_from_slice(margins);
            to_probabilities(probs, outputs);
        });
    }

    fn add(&mut self, tree: &Tree, output: usize) {
        let Side { bins, targets, margins, .. } = self;
        let outputs = targets.outputs;
        margins.par_chunks_mut(CHUNK * outputs).enumerate().for_each(|(chunk, margins)| {
            for (i, row) in margins.chunks_exact_mut(outputs).enumerate() {
                row[output] += tree.value(bins, chunk * CHUNK + i);
            }
        });
    }
}

fn check_shape(what: &'static str, rows: ArrayView2<f32>, targets: usize) -> Result<(), BoostError> {
    let (n, columns) = rows.dim();
    if n == 0 || columns == 0 {
        return Err(BoostError::Empty { what, rows: n, columns });
    }
    if n > MAX_ROWS {
        return Err(BoostError::TooManyRows(n));
    }
    if targets != n {
        return Err(BoostError::Count { what: "targets for the rows", got: targets, expected: n });
    }
    Ok(())
}

impl BoostValidParams {
    /// Trains on one dataset while watching another, with as many columns, whose rows play no part in the trees.
    ///
    /// With [`early_stopping`](super::BoostParams::early_stopping), training stops once the other's loss no longer
    /// improves; only the trees up to its best round are kept, in any case where they are fewer.
    ///
    /// # Errors
    /// Those of training alone, and data that differ in their numbers of columns or classes.
    pub fn fit_with_validation<D: Data<Elem = f32>, V: Data<Elem = f32>>(
        &self,
        train: &DatasetBase<ArrayBase<D, Ix2>, Array1<usize>>,
        valid: &DatasetBase<ArrayBase<V, Ix2>, Array1<usize>>,
    ) -> Result<Boosted, BoostError> {
        self.fit_observed(train, Some(valid), &mut |_| ())
    }

    /// Trains like [`BoostValidParams::fit_with_validation`] or without validation, and calls `observe` after each
    /// round.
    ///
    /// # Errors
    /// The same.
    pub fn fit_observed<D: Data<Elem = f32>, V: Data<Elem = f32>>(
        &self,
        train: &DatasetBase<ArrayBase<D, Ix2>, Array1<usize>>,
        valid: Option<&DatasetBase<ArrayBase<V, Ix2>, Array1<usize>>>,
        observe: &mut dyn FnMut(Round),
    ) -> Result<Boosted, BoostError> {
        check_shape("training", train.records.view(), train.targets.len())?;
        let targets = Targets::of_classes(&train.targets, &train.weights, self.classes)?;
        let valid = match valid {
            None => None,
            Some(valid) => {
                check_shape("validation", valid.records.view(), valid.targets.len())?;
                let (got, expected) = (valid.records.ncols(), train.records.ncols());
                if got != expected {
                    return Err(BoostError::Count { what: "columns of the validation data", got, expected });
                }
                let classes = Some(targets.outputs.max(2));
                let targets = Targets::of_classes(&valid.targets, &valid.weights, classes)?;
                if targets.weights.iter().all(|&weight| weight == 0.0) {
                    return Err(BoostError::NoWeight);
                }
                Some((valid.records.view(), targets))
            }
        };
        let base = targets.base_margins()?;
        self.boost(train.records.view(), targets, Start::Constant(base), valid, observe)
    }

    /// Goes on from another model: the trees are fitted to what is left to learn once each row has the margins given
    /// (row by row, one a class; for two classes the log odds of the second), and the new model's own margins are to be added
    /// to the other's.
    ///
    /// ```
    /// use linfa::prelude::*;
    /// use lubb::model::boost::Boosted;
    /// use ndarray::{Array1, Array2};
    ///
    /// let rows = Array2::from_shape_fn((200, 1), |(row, _)| row as f32);
    /// let data = DatasetBase::new(rows.clone(), Array1::from_shape_fn(200, |row| usize::from(row >= 150)));
    /// // What is there says that the second half is of the second class: it is wrong on a quarter.
    /// let before: Vec<f32> = (0..200).map(|row| if row >= 100 { 4.0 } else { -4.0 }).collect();
    /// let more = Boosted::params().rounds(50).check()?.fit_from(&data, &before)?;
    /// let mut margins = vec![0.0; 200];
    /// more.margins_into(rows.view(), &mut margins)?;
    /// assert!(before[50] + margins[50] < -4.0 && before[120] + margins[120] < 0.0 && before[180] + margins[180] > 4.0);
    /// # Ok::<(), lubb::model::boost::BoostError>(())
    /// ```
    ///
    /// # Errors
    /// Those of training, and another number of margins than rows times margins a row.
    pub fn fit_from<D: Data<Elem = f32>>(
        &self,
        train: &DatasetBase<ArrayBase<D, Ix2>, Array1<usize>>,
        margins: &[f32],
    ) -> Result<Boosted, BoostError> {
        check_shape("training", train.records.view(), train.targets.len())?;
        let targets = Targets::of_classes(&train.targets, &train.weights, self.classes)?;
        let (got, expected) = (margins.len(), targets.len() * targets.outputs);
        if got != expected {
            return Err(BoostError::Count { what: "margins to go on from", got, expected });
        }
        self.boost(train.records.view(), targets, Start::Margins(margins.to_vec()), None, &mut |_| ())
    }

    fn boost(
        &self,
        rows: ArrayView2<f32>,
        targets: Targets,
        start: Start,
        valid: Option<(ArrayView2<f32>, Targets)>,
        observe: &mut dyn FnMut(Round),
    ) -> Result<Boosted, BoostError> {
        let cuts = Cuts::fit(rows, self.max_bins, self.bin_sample, self.seed);
        let (base, margins) = match start {
            Start::Constant(base) => (base.clone(), base.repeat(targets.len())),
            Start::Margins(margins) => (vec![0.0; targets.outputs], margins),
        };
        let mut train = Side::new(&cuts, rows, targets, margins);
        let mut valid = valid.map(|(rows, targets)| {
            let margins = base.repeat(targets.len());
            Side::new(&cuts, rows, targets, margins)
        });
        let outputs = train.targets.outputs;
        // A column whose values are all the same has no cut and need not be looked at.
        let usable: Vec<usize> = (0..cuts.columns()).filter(|&column| !cuts.of(column).is_empty()).collect();
        let mut derivatives = vec![[0.0f32; 2]; train.bins.rows()];
        let mut packed = vec![0u64; train.bins.rows()];
        let mut space = Space::default();
        let mut draws = fastrand::Rng::with_seed(self.seed);
        let mut columns = usable.clone();
        let mut taken = Bins::default();
        if self.colsample >= 1.0 {
            let all: Vec<u32> = (0..train.bins.rows() as u32).collect();
            train.bins.take(&columns, &all, &mut taken);
        }
        let mut trees: Vec<Tree> = Vec::new();
        let (mut best_loss, mut best_round) = (f32::INFINITY, 0);
        for round in 1..=self.rounds {
            self.draw_rows(&mut draws, train.bins.rows(), &mut space.rows);
            let first = trees.len();
            for output in 0..outputs {
                train.targets.derivatives(&train.probs, output, &mut derivatives);
                // The tree before this one left its rows in another order.
                space.rows.sort_unstable();
                let scale = pack(&derivatives, &space.rows, &mut packed);
                if self.colsample < 1.0 {
                    columns = self.draw_columns(&mut draws, &usable);
                    train.bins.take(&columns, &space.rows, &mut taken);
                }
                let ground = Ground {
                    bins: &train.bins,
                    cuts: &cuts,
                    groups: Group::all(&columns, &taken),
                    derivatives: &derivatives,
                    packed: &packed,
                    scorer: Scorer::new(scale, self),
                    params: self,
                };
                trees.push(ground.grow(&mut space));
            }
            for (output, tree) in trees[first..].iter().enumerate() {
                train.add(tree, output);
                if let Some(valid) = &mut valid {
                    valid.add(tree, output);
                }
            }
            train.update_probs();
            let validation_loss = valid.as_mut().map(|valid| {
                valid.update_probs();
                valid.targets.loss(&valid.probs)
            });
            observe(Round { round, validation_loss });
            if let Some((loss, patience)) = validation_loss.zip(self.early_stopping) {
                if loss < best_loss {
                    (best_loss, best_round) = (loss, round);
                } else if round - best_round >= patience {
                    break;
                }
            }
        }
        if best_round > 0 {
            trees.truncate(best_round * outputs);
        }
        let mut importances = vec![0.0f32; rows.ncols()];
        for split in trees.iter().flat_map(Tree::splits) {
            importances[split.column] += split.gain;
        }
        let forest = Forest::new(&trees, &cuts, matches!(self.grow, Grow::Oblivious(_)));
        Boosted::assemble(rows.ncols(), base, importances, forest)
    }

    fn draw_rows(&self, draws: &mut fastrand::Rng, n: usize, rows: &mut Vec<u32>) {
        rows.clear();
        if self.subsample >= 1.0 {
            rows.extend(0..n as u32);
            return;
        }
        rows.extend((0..n as u32).filter(|_| draws.f32() < self.subsample));
        if rows.is_empty() {
            rows.push(draws.u32(0..n as u32));
        }
    }

    /// Some of the columns, in rising order.
    fn draw_columns(&self, draws: &mut fastrand::Rng, usable: &[usize]) -> Vec<usize> {
        let count = ((usable.len() as f32 * self.colsample).round() as usize).max(1);
        let mut drawn = draws.choose_multiple(usable.iter().copied(), count);
        drawn.sort_unstable();
        drawn
    }
}

/// Targets are class numbers from 0.
impl<D: Data<Elem = f32>> Fit<ArrayBase<D, Ix2>, Array1<usize>, BoostError> for BoostValidParams {
    type Object = Boosted;

    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, Array1<usize>>) -> Result<Boosted, BoostError> {
        self.fit_observed(dataset, None::<&DatasetBase<ArrayBase<D, Ix2>, Array1<usize>>>, &mut |_| ())
    }
}

/// Targets are shares of the second of two classes, from 0 to 1, for rows that are partly one and partly the other.
impl<D: Data<Elem = f32>> Fit<ArrayBase<D, Ix2>, Array1<f32>, BoostError> for BoostValidParams {
    type Object = Boosted;

    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, Array1<f32>>) -> Result<Boosted, BoostError> {
        check_shape("training", dataset.records.view(), dataset.targets.len())?;
        let targets = Targets::of_shares(&dataset.targets, &dataset.weights)?;
        let base = targets.base_margins()?;
        self.boost(dataset.records.view(), targets, Start::Constant(base), None, &mut |_| ())
    }
}
