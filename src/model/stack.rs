//! Stages of classifiers, a head for kinds of chrome, and the decision over them.

use std::sync::OnceLock;

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::features::lanes::{self, Lane, Lanes};
use crate::features::{self, Lexicon, Surroundings};
use crate::label::Label;
use crate::page::Page;

use super::boost::{Boosted, Together};
use super::decide::{Decision, Favor, Scores};
use super::logistic::Logistic;
use super::network::Network;
use super::{Labels, Reason, combine, context};

/// The least log-odds of a stage that are shared out in an explanation.
const LEAST_SAID: f32 = 0.2;

/// A fitted classifier of either family, told apart only here.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Classifier {
    /// linfa-logistic over ramps.
    Logistic(Logistic),
    /// Boosted trees.
    Boost(Box<Boosted>),
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

    pub(super) fn trees(&self) -> Option<&Boosted> {
        match self {
            Classifier::Boost(model) => Some(model),
            Classifier::Logistic(_) => None,
        }
    }

    /// How many columns it takes.
    fn columns(&self) -> usize {
        match self {
            Classifier::Logistic(model) => model.columns(),
            Classifier::Boost(model) => model.columns(),
        }
    }

    /// How many outputs it has: one a class, or one for two classes.
    fn outputs(&self) -> usize {
        match self {
            Classifier::Logistic(model) => model.outputs(),
            Classifier::Boost(model) => model.outputs(),
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
    /// At least one; each after the first sees the features and what the one before says around a block.
    pub(super) stages: Vec<Classifier>,
    /// A network over the features alone: it errs elsewhere than trees do.
    pub(super) network: Option<Network>,
    pub(super) kinds: Option<Classifier>,
    pub(super) decision: Decision,
    /// Made for the first page.
    #[serde(skip)]
    ready: OnceLock<Option<Ready>>,
}

/// The matrix of a stage after the first: the features, then what the stage before says around each block.
fn with_context(matrix: ArrayView2<f32>, around: &Surroundings, p: &[f32]) -> Array2<f32> {
    let (rows, width) = matrix.dim();
    let mut wide = Array2::zeros((rows, width + context::WIDTH));
    wide.slice_mut(ndarray::s![.., ..width]).assign(&matrix);
    let mut places = wide.rows_mut().into_iter();
    context::columns(around, p, |values| {
        for (row, mut place) in values.chunks_exact(context::WIDTH).zip(&mut places) {
            place.iter_mut().skip(width).zip(row).for_each(|(slot, value)| *slot = *value);
        }
    });
    wide
}

/// What each of some stages is given of a page, and what a stage after them would be: the features alone, then with what
/// the stage before says. Without `surroundings` the columns for that are 0.
pub(super) fn given<'a>(
    stages: impl IntoIterator<Item = &'a Classifier>,
    matrix: Array2<f32>,
    around: &Surroundings,
    surroundings: bool,
) -> Vec<Array2<f32>> {
    let mut given = vec![matrix];
    for (at, stage) in stages.into_iter().enumerate() {
        let p = stage.predict(given[at].view());
        let mut wide = with_context(given[0].view(), around, &p);
        if !surroundings {
            wide.slice_mut(ndarray::s![.., given[0].ncols()..]).fill(0.0);
        }
        given.push(wide);
    }
    given
}

/// What the models say of a page's rows, before the decision.
pub(super) struct Said {
    pub scores: Scores,
    /// The head's probabilities of all labels: rows x labels.
    pub kinds: Option<Array2<f32>>,
}

impl Said {
    pub(super) fn new(stages: Vec<f32>, network: Vec<f32>, kinds: Option<Array2<f32>>) -> Said {
        let body = kinds.as_ref().map_or(Vec::new(), |k| k.column(Label::Body.index()).to_vec());
        Said { scores: Scores { stages, network, kinds: body }, kinds }
    }
}

/// All stages and the head, where all are trees, made ready to label pages: what they ask of a block is found out once, and
/// a page's matrix is never made.
#[derive(Clone, Debug)]
struct Ready {
    /// The stages, then the head.
    models: Together,
    stages: usize,
}

impl Ready {
    fn new(stack: &Stack) -> Option<Ready> {
        let stages: Vec<&Boosted> = stack.stages.iter().map(Classifier::trees).collect::<Option<_>>()?;
        let kinds = stack.kinds.as_ref().and_then(Classifier::trees)?;
        if stages.iter().any(|stage| stage.outputs() != 1) || kinds.outputs() != Label::COUNT {
            return None;
        }
        let models = Together::new(&[&stages[..], &[kinds]].concat())?;
        Some(Ready { models, stages: stages.len() })
    }

    fn say(
        &self,
        page: &Page,
        lexicon: &Lexicon,
        network: Option<&Network>,
        mut also: impl FnMut(usize, usize, &[Lane]),
    ) -> (Said, Surroundings) {
        let rows = page.blocks.len();
        let mut asked = self.models.asked(rows);
        let mut hidden = network.map(|network| (network, network.begin(rows)));
        let mut width = 0;
        let around = features::lay_out(page, lexicon, |block, first, lanes| {
            width = first + lanes.len();
            self.models.ask(block, first, lanes, &mut asked);
            if let Some((network, hidden)) = &mut hidden {
                network.add(block, first, lanes, hidden);
            }
            also(block, first, lanes);
        });
        let mut p = self.models.probabilities(0, &asked);
        for stage in 1..self.stages {
            let mut lanes = Lanes::new(context::WIDTH, |block, lanes: &[Lane]| {
                self.models.ask(block, width, lanes, &mut asked);
            });
            context::columns(&around, &p, |rows| lanes.push(rows));
            lanes.end();
            p = self.models.probabilities(stage, &asked);
        }
        let network = hidden.map_or(Vec::new(), |(network, hidden)| network.end(hidden, &around.words));
        let kinds = self.models.probabilities(self.stages, &asked);
        (Said::new(p, network, Array2::from_shape_vec((rows, Label::COUNT), kinds).ok()), around)
    }
}

impl Stack {
    pub(super) fn new(stages: Vec<Classifier>, network: Option<Network>, kinds: Option<Classifier>) -> Stack {
        Stack { stages, network, kinds, decision: Decision::default(), ready: OnceLock::new() }
    }

    /// What each stage is given of a page, where the stages are of any family.
    fn given(&self, matrix: Array2<f32>, around: &Surroundings) -> Vec<Array2<f32>> {
        let early = self.stages.split_last().map_or(&[][..], |(_, early)| early);
        given(early, matrix, around, true)
    }

    /// What the models say of what the last stage is given, of blocks of so many words.
    pub(super) fn say(&self, wide: ArrayView2<f32>, words: &[f32]) -> Said {
        let stages = self.stages.last().map_or(Vec::new(), |last| last.predict(wide));
        // The features come first, and it has columns for no more.
        let network = self.network.as_ref().map_or(Vec::new(), |network| network.predict(wide, words));
        Said::new(stages, network, self.kinds.as_ref().map(|head| head.predict_classes(wide)))
    }

    /// Whether it has a head for kinds.
    pub fn has_kinds(&self) -> bool {
        self.kinds.is_some()
    }

    /// What the models say of a page.
    pub(super) fn judge(&self, page: &Page, lexicon: &Lexicon) -> (Said, Surroundings) {
        self.judge_and_lay_out(page, lexicon, |_, _, _| {})
    }

    /// The same, and gives `also` the page's features as [`features::lay_out`] does, so that they are computed once for what
    /// follows this stack.
    pub(super) fn judge_and_lay_out(
        &self,
        page: &Page,
        lexicon: &Lexicon,
        mut also: impl FnMut(usize, usize, &[Lane]),
    ) -> (Said, Surroundings) {
        let ready = self.ready.get_or_init(|| Ready::new(self));
        match ready {
            Some(ready) => ready.say(page, lexicon, self.network.as_ref(), also),
            None => {
                let (matrix, around) = features::extract(page, lexicon);
                lanes::of_matrix(matrix.view(), |block, lanes| also(block, 0, lanes));
                let given = self.given(matrix, &around);
                (self.say(given[given.len() - 1].view(), &around.words), around)
            }
        }
    }

    /// Labels the blocks of a page.
    pub fn label(&self, page: &Page, lexicon: &Lexicon, favor: Favor) -> Labels {
        let (said, around) = self.judge(page, lexicon);
        let choice = self.decision.favoring(favor).choose(&said.scores, &around.words);
        combine(&choice, said.kinds.as_ref())
    }

    /// Each column's share in the log-odds of the last stage, for each of some rows; nothing for a row that is not there.
    ///
    /// What the stage before says of the block itself, two columns, tells nothing of the page. Its share is shared out
    /// among the columns as that stage's own log-odds are, and so on to the first; what it says of the surroundings stays.
    pub fn explain(
        &self,
        matrix: ArrayView2<f32>,
        around: &Surroundings,
        rows: &[usize],
        names: &[String],
    ) -> Vec<Vec<Reason>> {
        let given = self.given(matrix.to_owned(), around);
        let names: Vec<String> = names.iter().cloned().chain(context::names()).collect();
        let explain = |row: &usize| {
            let Some(last) = given.last().filter(|last| *row < last.nrows()) else { return Vec::new() };
            let values = last.row(*row).to_vec();
            let shares = self.shares(&given, *row, matrix.ncols());
            let columns = names.iter().cloned().zip(values).zip(shares);
            columns.map(|((column, value), contribution)| Reason { column, value, contribution }).collect()
        };
        rows.iter().map(explain).collect()
    }

    /// The shares of [`Stack::explain`] for a row of what the stages are given, of which `width` columns are features.
    fn shares(&self, given: &[Array2<f32>], row: usize, width: usize) -> Vec<f32> {
        let own = width..width + context::OF_THE_BLOCK;
        // A constant comes after the columns' shares.
        let said = |(stage, given): (&Classifier, &Array2<f32>)| {
            let mut said = stage.contributions(&given.row(row).to_vec());
            said.truncate(given.ncols());
            said
        };
        let mut stages = self.stages.iter().zip(given).rev();
        let mut shares = stages.next().map_or(Vec::new(), said);
        // How much of a stage's log-odds comes through to the last one.
        let mut passed: f32 = own.clone().filter_map(|column| shares.get(column)).sum();
        for before in stages.map(said) {
            let whole: f32 = before.iter().sum();
            // A stage that does not know cannot be what made the next one sure.
            if whole.abs() < LEAST_SAID || passed * whole < 0.0 {
                break;
            }
            let through = passed / whole;
            shares[own.clone()].fill(0.0);
            shares.iter_mut().zip(&before).for_each(|(share, said)| *share += through * said);
            passed = own.clone().filter_map(|column| shares.get(column)).sum();
        }
        shares
    }

    /// Whether a stack read from a file fits a matrix of `width` columns and holds together.
    pub fn is_valid(&self, width: usize) -> bool {
        let wide = width + context::WIDTH;
        let last = if self.stages.len() > 1 { wide } else { width };
        let sound = |c: &Classifier, columns, outputs| c.columns() == columns && c.outputs() == outputs && c.is_valid();
        let of_stage = |at: usize| if at == 0 { width } else { wide };
        let stages = self.stages.iter().enumerate().all(|(at, stage)| sound(stage, of_stage(at), 1));
        let network = self.network.as_ref().is_none_or(|network| network.columns() == width && network.is_valid());
        let kinds = self.kinds.as_ref().is_none_or(|kinds| sound(kinds, last, Label::COUNT));
        stages && !self.stages.is_empty() && network && kinds
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Model;

    #[test]
    fn what_is_said_of_a_page_laid_out_is_said_of_its_matrix() {
        let model = Model::embedded();
        let html = std::fs::read_to_string("data/labelled/ar-gulf-portal.html").unwrap();
        let text = html.replace(['<', '>'], "\n");
        for page in [Page::from_html(&html), Page::from_text(&text), Page::from_html("<p>One block alone.</p>")] {
            let part = model.part(&page).unwrap();
            let (laid_out, _) = part.stack.judge(&page, &part.lexicon);
            assert!(matches!(part.stack.ready.get(), Some(Some(_))), "the fast way was not taken");
            let (matrix, around) = features::extract(&page, &part.lexicon);
            let given = part.stack.given(matrix, &around);
            let said = part.stack.say(given[given.len() - 1].view(), &around.words);
            assert_eq!(said.scores, laid_out.scores);
            assert_eq!(said.kinds, laid_out.kinds);
            assert_eq!(said.scores.network.len(), page.blocks.len());
        }
    }
}
