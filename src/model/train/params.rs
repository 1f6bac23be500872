//! What a training is given, the settings that it takes, and what may be wrong with both.

use std::collections::HashMap;

use crate::features;
use crate::label::Label;
use crate::model::boost::BoostError;
use crate::model::logistic::{LogisticError, LogisticParams};
use crate::model::network::NetworkError;
use crate::page::{Input, Page};

/// Fewer folds leave nothing to fit an early stage on.
pub(super) const LEAST_FOLDS: usize = 3;
/// No example weighs more, so that sums of weights stay finite.
const MOST_WEIGHT: f32 = 1e6;

/// One labelled page.
#[derive(Clone, Debug)]
pub struct Example {
    /// The page's name, for messages.
    pub id: String,
    /// The set it belongs to.
    pub set: String,
    /// Which fold it is in; for [`train`](super::train) pages of one host must share theirs.
    pub fold: usize,
    /// A number for its host: pages of one host count once in the lexicon.
    pub host: usize,
    /// The page.
    pub page: Page,
    /// For each block the share of its words that is body, 0 to 1; empty where only kinds are known.
    pub body: Vec<f32>,
    /// For each block its label, where someone gave one; empty if none.
    pub kinds: Vec<Option<Label>>,
    /// How many other pages it weighs in the choice of body: 0, for one that is not learned from, to a million.
    pub weight: f32,
    /// A hash of its bytes, by which a model knows the pages that it was trained on; 0 where there is none.
    pub hash: u64,
}

/// Which classifier decides body against chrome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    /// linfa-logistic over ramps in all stages: small, and every weight can be read.
    Logistic,
    /// Boosted trees in all stages: more accurate on sites never seen.
    Boost,
    /// Boosted trees in all stages, and beside them a network over the blocks of a page; the calibration weighs them.
    #[default]
    Stack,
}

/// Parts that a training can leave out, to see what they add.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Without {
    /// The groups of columns that no classifier is to see, by their names in [`features::COLUMN_GROUPS`].
    pub columns: Vec<String>,
    /// Later stages without what the one before says of the surroundings.
    pub context: bool,
    /// The choice of body without the head for kinds.
    pub head: bool,
    /// A threshold of one half in place of the decision over the page.
    pub decision: bool,
}

/// An example that no model can be trained on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{id}: {what}")]
pub struct BadExample {
    /// The page's name.
    pub id: String,
    what: String,
}

/// A setting that is out of its range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is {value}; it must be {rule}")]
pub struct BadParameter {
    /// The setting.
    pub name: &'static str,
    value: String,
    rule: String,
}

impl BadParameter {
    pub(in crate::model) fn new(name: &'static str, value: impl ToString, rule: impl ToString) -> BadParameter {
        BadParameter { name, value: value.to_string(), rule: rule.to_string() }
    }

    /// What is wrong if a number is less than it must be.
    pub(in crate::model) fn least(name: &'static str, value: usize, least: usize) -> Result<(), BadParameter> {
        if value < least { Err(BadParameter::new(name, value, format!("at least {least}"))) } else { Ok(()) }
    }
}

impl Example {
    /// Whether its fold is one of so many, its labels are as many as its blocks, and its numbers are in their ranges.
    pub(in crate::model) fn check(&self, folds: usize) -> Result<(), BadExample> {
        let blocks = self.page.blocks.len();
        let fits = |labels: usize| labels == 0 || labels == blocks;
        let what = if self.fold >= folds {
            format!("it is in fold {}, and folds are numbered from 0 to {}", self.fold, folds.saturating_sub(1))
        } else if !fits(self.body.len()) || !fits(self.kinds.len()) {
            let (body, kinds) = (self.body.len(), self.kinds.len());
            format!(
                "it has {blocks} blocks, but {body} shares of body and {kinds} labels; give each block one, or none"
            )
        } else if let Some(share) = self.body.iter().find(|share| !(0.0..=1.0).contains(*share)) {
            format!("a block has a share of body of {share}; shares are from 0 to 1")
        } else if !(0.0..=MOST_WEIGHT).contains(&self.weight) {
            format!("its weight is {}; weights are from 0 to {MOST_WEIGHT}", self.weight)
        } else {
            return Ok(());
        };
        Err(self.bad(what))
    }

    /// Whether it is of the kind of input that it was given as.
    pub(super) fn check_input(&self, input: Input) -> Result<(), BadExample> {
        let what = match (self.page.input(), input) {
            (Input::Html, Input::Text) => "it is a web page, and was given with flattened text",
            (Input::Text, Input::Html) => "it is flattened text, and was given with web pages",
            _ => return Ok(()),
        };
        Err(self.bad(what.to_owned()))
    }

    fn bad(&self, what: String) -> BadExample {
        BadExample { id: self.id.clone(), what }
    }

    /// Whether anything is to be learned of body from it.
    pub(in crate::model) fn has_body(&self) -> bool {
        !self.body.is_empty() && self.weight > 0.0
    }
}

/// Settings of a training run.
#[derive(Clone, Debug)]
pub struct TrainParams {
    /// How many folds the examples are in, at least three. Time goes by the cube of their number for three stages.
    pub folds: usize,
    /// Seed of every draw.
    pub seed: u64,
    /// The classifier of all stages.
    pub family: Family,
    /// Settings of the logistic classifier.
    pub logistic: LogisticParams,
    /// How many stages, at least one: each after the first also sees what the one before says around a block. The first
    /// is fitted once for each set of at most that many folds, 26 times for three stages and five folds. There are at most one fewer than folds with pages: a greater number is as that.
    pub stages: usize,
    /// Boosting rounds of each stage, at least one.
    pub rounds: usize,
    /// Of how many boosted models, each with draws of its own, the last stage is the mean, at least one; stages between the
    /// first and the last are of one fewer.
    pub bags: usize,
    /// Depth of the boosted trees, 1 to [`MAX_OBLIVIOUS_DEPTH`](crate::model::boost::MAX_OBLIVIOUS_DEPTH).
    pub depth: u8,
    /// What each boosted tree's values are multiplied by, above 0 up to 1.
    pub learning_rate: f32,
    /// Rows drawn for the boosted trees, in proportion to their weights, at least one.
    pub boost_rows: usize,
    /// How often the network sees every page.
    pub epochs: usize,
    /// Settings of the head for kinds of chrome, where it is logistic.
    pub kinds: LogisticParams,
    /// Boosting rounds of the head for kinds, one tree a label each, at least one.
    pub kind_rounds: usize,
    /// A word needs this many hosts to be in the lexicon.
    pub min_hosts: f32,
    /// Hosts of average opinion that a word's log-odds are smoothed with.
    pub smoothing: f32,
    /// What to leave out.
    pub without: Without,
}

impl TrainParams {
    pub(super) fn check(&self) -> Result<(), BadParameter> {
        BadParameter::least("folds", self.folds, LEAST_FOLDS)?;
        let numbers = [
            ("stages", self.stages),
            ("rounds", self.rounds),
            ("bags", self.bags),
            ("boost_rows", self.boost_rows),
            ("kind_rounds", self.kind_rounds),
        ];
        numbers.into_iter().try_for_each(|(name, value)| BadParameter::least(name, value, 1))?;
        for (name, value) in [("min_hosts", self.min_hosts), ("smoothing", self.smoothing)] {
            if !value.is_finite() || value < 0.0 {
                return Err(BadParameter::new(name, value, "finite and not negative"));
            }
        }
        let is_group = |name: &&String| features::COLUMN_GROUPS.contains(&name.as_str());
        match self.without.columns.iter().find(|name| !is_group(name)) {
            Some(other) => {
                let rule = format!("the name of a group of columns: {}", features::COLUMN_GROUPS.join(", "));
                Err(BadParameter::new("without.columns", format!("{other:?}"), rule))
            }
            None => Ok(()),
        }
    }
}

impl Default for TrainParams {
    fn default() -> Self {
        TrainParams {
            folds: 5,
            seed: 1,
            family: Family::default(),
            logistic: LogisticParams::default(),
            stages: 2,
            rounds: 300,
            bags: 3,
            depth: 6,
            learning_rate: 0.12,
            boost_rows: 200_000,
            epochs: 10,
            kinds: LogisticParams { alpha: 5.0, rows: 16_000, iterations: 50, seed: 1 },
            kind_rounds: 60,
            min_hosts: 3.0,
            smoothing: 4.0,
            without: Without::default(),
        }
    }
}

/// Why no model came of it.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// Too few hosts to make folds of.
    #[error("{pages} labelled pages in {folds} folds of hosts: training needs pages of at least 3 hosts")]
    TooFew {
        /// How many pages there were.
        pages: usize,
        /// How many folds have pages.
        folds: usize,
    },
    /// A setting is out of its range.
    #[error(transparent)]
    Parameter(#[from] BadParameter),
    /// An example does not hold together.
    #[error(transparent)]
    Example(#[from] BadExample),
    /// The logistic classifier did not fit.
    #[error(transparent)]
    Fit(#[from] LogisticError),
    /// The boosted trees did not fit.
    #[error(transparent)]
    Boost(#[from] BoostError),
    /// The network did not fit.
    #[error(transparent)]
    Network(#[from] NetworkError),
}

/// Whether all pages of each host are in one fold, as figures for hosts that no training saw need.
pub(super) fn check_hosts(examples: &[Example]) -> Result<(), BadExample> {
    let mut hosts: HashMap<usize, &Example> = HashMap::new();
    for example in examples {
        let first = *hosts.entry(example.host).or_insert(example);
        if first.fold != example.fold {
            let (fold, host, other, other_fold) = (example.fold, example.host, &first.id, first.fold);
            return Err(example.bad(format!(
                "it is in fold {fold}, and {other} of the same host, number {host}, is in fold {other_fold}; give all \
                 pages of a host one fold"
            )));
        }
    }
    Ok(())
}
