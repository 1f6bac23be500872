//! What boosted trees can be told before they are trained, and what may go wrong.

use linfa::ParamGuard;

use super::bins::MAX_BINS;

/// The deepest oblivious tree; its histograms take `2^(depth - 1)` times those of one node.
pub const MAX_OBLIVIOUS_DEPTH: u8 = 8;

/// The most leaves of an ordinary tree; node numbers are 16 bits wide.
pub const MAX_LEAVES: u16 = 4096;

/// The shape of each tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grow {
    /// Ordinary trees with at most this many leaves, the leaf of the greatest gain divided first. With
    /// [`BoostParams::max_depth`] `d` and `2^d` leaves this grows level-wise trees.
    Leaves(u16),
    /// Trees of this depth with one condition a level, shared by all its nodes (Kohavi and Li 1995; CatBoost). They
    /// regularise, and are predicted several times faster than ordinary trees.
    Oblivious(u8),
}

/// What is wrong with parameters or data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BoostError {
    /// A parameter is out of its range.
    #[error("boosting parameter `{name}` is {value}; it must be {rule}")]
    Parameter {
        /// The builder method that sets it.
        name: &'static str,
        /// What it was set to.
        value: String,
        /// What it may be.
        rule: &'static str,
    },
    /// There are no rows or no columns.
    #[error("the {what} data has {rows} rows and {columns} columns; boosting needs at least one of each")]
    Empty {
        /// `training` or `validation`.
        what: &'static str,
        /// Rows given.
        rows: usize,
        /// Columns given.
        columns: usize,
    },
    /// More rows than row numbers can count.
    #[error("{0} rows are more than boosting can hold ({max}); train on a sample", max = super::MAX_ROWS)]
    TooManyRows(usize),
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
    /// A share that serves as target is not one.
    #[error("the target of row {row} is {target}; as a share of the positive class it must be from 0 to 1")]
    Target {
        /// The row.
        row: usize,
        /// Its target.
        target: f32,
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
    /// All the weight is on one class, so there is nothing to tell apart.
    #[error("all rows with weight are of class {class}; training needs rows of at least two classes")]
    OneClass {
        /// The only class.
        class: usize,
    },
    /// No row weighs anything.
    #[error("all weights are zero; training needs rows with weight")]
    NoWeight,
    /// Models that cannot be averaged into one.
    #[error("models of {0} have no mean; train them on the same columns and classes with trees of one kind")]
    Unlike(&'static str),
    /// A stored model contradicts itself.
    #[error("the stored trees are damaged ({0}); fetch or train the model again")]
    Corrupt(&'static str),
    /// An error from linfa.
    #[error(transparent)]
    Linfa(#[from] linfa::Error),
}

/// How to train boosted trees, not yet checked; [`super::Boosted::params`] makes one.
///
/// [`linfa::traits::Fit`] checks it first, as does [`ParamGuard::check`].
#[derive(Clone, Debug, PartialEq)]
pub struct BoostParams(BoostValidParams);

/// How to train boosted trees, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct BoostValidParams {
    pub(super) rounds: usize,
    pub(super) learning_rate: f32,
    pub(super) grow: Grow,
    pub(super) max_depth: Option<u8>,
    pub(super) l2: f32,
    pub(super) min_child_weight: f32,
    pub(super) min_gain: f32,
    pub(super) subsample: f32,
    pub(super) colsample: f32,
    pub(super) max_bins: usize,
    pub(super) bin_sample: usize,
    pub(super) classes: Option<usize>,
    pub(super) early_stopping: Option<usize>,
    pub(super) seed: u64,
}

impl Default for BoostParams {
    fn default() -> Self {
        BoostParams(BoostValidParams {
            rounds: 300,
            learning_rate: 0.1,
            grow: Grow::Oblivious(6),
            max_depth: None,
            l2: 1.0,
            min_child_weight: 1.0,
            min_gain: 0.0,
            subsample: 1.0,
            colsample: 1.0,
            max_bins: MAX_BINS,
            bin_sample: 100_000,
            classes: None,
            early_stopping: None,
            seed: 0,
        })
    }
}

impl BoostParams {
    /// The number of boosting rounds, one tree each (with more than two classes, one tree a class); 300 by default.
    pub fn rounds(mut self, rounds: usize) -> Self {
        self.0.rounds = rounds;
        self
    }

    /// By what every leaf is shrunk, above 0 up to 1; 0.1 by default.
    pub fn learning_rate(mut self, rate: f32) -> Self {
        self.0.learning_rate = rate;
        self
    }

    /// The shape of the trees; oblivious of depth 6 by default.
    pub fn grow(mut self, grow: Grow) -> Self {
        self.0.grow = grow;
        self
    }

    /// The greatest depth of ordinary trees (the root is at 0); unlimited by default. Oblivious trees ignore it.
    pub fn max_depth(mut self, depth: u8) -> Self {
        self.0.max_depth = Some(depth);
        self
    }

    /// The L2 penalty on leaf values, 0 or more; 1 by default.
    pub fn l2(mut self, l2: f32) -> Self {
        self.0.l2 = l2;
        self
    }

    /// The least sum of weighted second derivatives in a leaf, 0 or more; 1 by default. In an oblivious tree a node
    /// with less takes the value of the node above it.
    pub fn min_child_weight(mut self, weight: f32) -> Self {
        self.0.min_child_weight = weight;
        self
    }

    /// What a condition must gain more than, 0 or more, on the scale of `G² / (H + l2)`; 0 by default.
    pub fn min_gain(mut self, gain: f32) -> Self {
        self.0.min_gain = gain;
        self
    }

    /// The share of the rows that each round draws, above 0 up to 1; 1 by default.
    pub fn subsample(mut self, share: f32) -> Self {
        self.0.subsample = share;
        self
    }

    /// The share of the columns that each tree draws, above 0 up to 1; 1 by default.
    pub fn colsample(mut self, share: f32) -> Self {
        self.0.colsample = share;
        self
    }

    /// The most bins of a column, 2 to 255; 255 by default. Missing values have one more of their own.
    pub fn max_bins(mut self, bins: usize) -> Self {
        self.0.max_bins = bins;
        self
    }

    /// From how many rows the bins' borders are taken; 100,000 by default.
    pub fn bin_sample(mut self, rows: usize) -> Self {
        self.0.bin_sample = rows;
        self
    }

    /// The number of classes, where the training data may lack the last ones; else one more than the greatest target.
    pub fn classes(mut self, classes: usize) -> Self {
        self.0.classes = Some(classes);
        self
    }

    /// Stop once the validation loss has not improved for this many rounds, and keep the best round's trees. Only
    /// [`BoostValidParams::fit_with_validation`] heeds it.
    pub fn early_stopping(mut self, rounds: usize) -> Self {
        self.0.early_stopping = Some(rounds);
        self
    }

    /// The seed of the draws of rows and columns. The same seed and data give the same model bit for bit, whatever
    /// the number of threads.
    pub fn seed(mut self, seed: u64) -> Self {
        self.0.seed = seed;
        self
    }
}

impl ParamGuard for BoostParams {
    type Checked = BoostValidParams;
    type Error = BoostError;

    fn check_ref(&self) -> Result<&BoostValidParams, BoostError> {
        let p = &self.0;
        let share = |x: f32| x > 0.0 && x <= 1.0;
        let not_negative = |x: f32| x >= 0.0 && x.is_finite();
        let grow_rule = match p.grow {
            Grow::Leaves(n) => ((2..=MAX_LEAVES).contains(&n), "2 to 4096 leaves"),
            Grow::Oblivious(d) => ((1..=MAX_OBLIVIOUS_DEPTH).contains(&d), "1 to 8 levels deep"),
        };
        let checks: [(&'static str, bool, String, &'static str); 12] = [
            ("rounds", p.rounds > 0, p.rounds.to_string(), "at least 1"),
            ("learning_rate", share(p.learning_rate), p.learning_rate.to_string(), "above 0 and at most 1"),
            ("grow", grow_rule.0, format!("{:?}", p.grow), grow_rule.1),
            ("max_depth", p.max_depth != Some(0), format!("{:?}", p.max_depth), "at least 1"),
            ("l2", not_negative(p.l2), p.l2.to_string(), "finite and not negative"),
            ("min_child_weight", not_negative(p.min_child_weight), p.min_child_weight.to_string(), "not negative"),
            ("min_gain", not_negative(p.min_gain), p.min_gain.to_string(), "finite and not negative"),
            ("subsample", share(p.subsample), p.subsample.to_string(), "above 0 and at most 1"),
            ("colsample", share(p.colsample), p.colsample.to_string(), "above 0 and at most 1"),
            ("max_bins", (2..=MAX_BINS).contains(&p.max_bins), p.max_bins.to_string(), "2 to 255"),
            ("bin_sample", p.bin_sample > 0, p.bin_sample.to_string(), "at least 1"),
            ("classes", p.classes.is_none_or(|n| (2..=256).contains(&n)), format!("{:?}", p.classes), "2 to 256"),
        ];
        for (name, good, value, rule) in checks {
            if !good {
                return Err(BoostError::Parameter { name, value, rule });
            }
        }
        if p.early_stopping == Some(0) {
            let value = "0".to_owned();
            return Err(BoostError::Parameter { name: "early_stopping", value, rule: "at least 1 round" });
        }
        Ok(p)
    }

    fn check(self) -> Result<BoostValidParams, BoostError> {
        self.check_ref()?;
        Ok(self.0)
    }
}
