//! What a network can be told before it is trained, what it is trained on, and what may go wrong.

use linfa::ParamGuard;
use linfa::dataset::Records;
use ndarray::ArrayView2;

/// What is wrong with parameters or data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// A parameter is out of its range.
    #[error("the network's parameter `{name}` is {value}; it must be {rule}")]
    Parameter {
        /// The builder method that sets it.
        name: &'static str,
        /// What it was set to.
        value: String,
        /// What it may be.
        rule: &'static str,
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
    /// There are no rows with weight, or all have the same class.
    #[error("the training rows are all of one class ({rows} rows): pages with both body and chrome are needed")]
    OneClass {
        /// How many rows there were.
        rows: usize,
    },
    /// An error from linfa.
    #[error(transparent)]
    Linfa(#[from] linfa::Error),
}

/// Rows page by page: a network sees the blocks around a block, and so whole pages.
#[derive(Clone, Debug, Default)]
pub struct Pages<'a> {
    /// Of each page its matrix, one row a block, and its blocks' words. All pages have the same columns.
    pub pages: Vec<(ArrayView2<'a, f32>, &'a [f32])>,
}

impl Records for Pages<'_> {
    type Elem = f32;

    fn nsamples(&self) -> usize {
        self.pages.iter().map(|(x, _)| x.nrows()).sum()
    }

    fn nfeatures(&self) -> usize {
        self.pages.first().map_or(0, |(x, _)| x.ncols())
    }
}

/// How to train a network, not yet checked; [`super::Network::params`] makes one.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkParams(NetworkValidParams);

/// How to train a network, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkValidParams {
    pub(super) epochs: usize,
    pub(super) batch: usize,
    pub(super) learning_rate: f32,
    pub(super) dropout: f32,
    pub(super) column_dropout: f32,
    pub(super) seed: u64,
}

impl Default for NetworkParams {
    fn default() -> Self {
        NetworkParams(NetworkValidParams {
            epochs: 10,
            batch: 16,
            learning_rate: 5e-3,
            dropout: 0.3,
            column_dropout: 0.1,
            seed: 0,
        })
    }
}

impl NetworkParams {
    /// How often every page is seen, more often where pages are few; 10 by default.
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.0.epochs = epochs;
        self
    }

    /// Pages of one step; 16 by default.
    pub fn batch(mut self, pages: usize) -> Self {
        self.0.batch = pages;
        self
    }

    /// The greatest rate of learning, above 0; 0.005 by default. It rises over the first steps and falls to 0 along a
    /// cosine.
    pub fn learning_rate(mut self, rate: f32) -> Self {
        self.0.learning_rate = rate;
        self
    }

    /// The share of units that are left out of each step, from 0 to less than 1; 0.3 by default.
    pub fn dropout(mut self, share: f32) -> Self {
        self.0.dropout = share;
        self
    }

    /// The share of columns that each page is seen without, from 0 to less than 1; 0.1 by default.
    pub fn column_dropout(mut self, share: f32) -> Self {
        self.0.column_dropout = share;
        self
    }

    /// The seed of all draws. The same seed and data give the same network bit for bit, whatever the number of threads.
    pub fn seed(mut self, seed: u64) -> Self {
        self.0.seed = seed;
        self
    }
}

impl ParamGuard for NetworkParams {
    type Checked = NetworkValidParams;
    type Error = NetworkError;

    fn check_ref(&self) -> Result<&NetworkValidParams, NetworkError> {
        let p = &self.0;
        let share = |x: f32| (0.0..1.0).contains(&x);
        let checks: [(&'static str, bool, String, &'static str); 5] = [
            ("epochs", p.epochs > 0, p.epochs.to_string(), "at least 1"),
            ("batch", p.batch > 0, p.batch.to_string(), "at least 1"),
            (
                "learning_rate",
                p.learning_rate > 0.0 && p.learning_rate <= 1.0,
                p.learning_rate.to_string(),
                "above 0 and at most 1",
            ),
            ("dropout", share(p.dropout), p.dropout.to_string(), "at least 0 and below 1"),
            ("column_dropout", share(p.column_dropout), p.column_dropout.to_string(), "at least 0 and below 1"),
        ];
        match checks.into_iter().find(|(_, good, ..)| !good) {
            Some((name, _, value, rule)) => Err(NetworkError::Parameter { name, value, rule }),
            None => Ok(p),
        }
    }

    fn check(self) -> Result<NetworkValidParams, NetworkError> {
        self.check_ref()?;
        Ok(self.0)
    }
}
