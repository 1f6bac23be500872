//! A model adapted to more pages: what it says of a block, moved by trees that learned where it errs on them.
//!
//! A model of ten pages alone knows little of all others. Here the model that is there stays as it is, and boosting goes on
//! from its log-odds ([`BoostValidParams::fit_from`](super::boost::BoostValidParams::fit_from)): where the new pages do not
//! contradict it, nothing changes. What they have of their own, the names of their classes and the texts that they repeat,
//! is counted by page and not by site as for a model of all sites, since it is their sites that it is adapted to.

use std::sync::OnceLock;

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::features::Lexicon;
use crate::features::lanes::{self, Lane, Lanes};
use crate::features::lexicon::{self, TextWords};
use crate::label::Label;
use crate::page::{Input, Page};

use super::boost::{Asked, Boosted, Together};
use super::decide::{Decision, Favor, log_odds};
use super::{Card, Labels, Model, Part, Reason, combine, context, sigmoid};

mod fit;

pub use fit::{AdaptError, AdaptParams, Adapted, Further, adapt};

/// No probability of a label counts as less: one mistake of a sure head must not outweigh all that is learned.
const LEAST_P: f32 = 1e-4;

/// What a model was adapted to, and how.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Adaptations {
    pub card: Card,
    html: Option<Adaptation>,
    flat: Option<Adaptation>,
}

impl Adaptations {
    /// The one for a kind of input.
    pub fn to(&self, input: Input) -> Option<&Adaptation> {
        match input {
            Input::Html => self.html.as_ref(),
            Input::Text => self.flat.as_ref(),
        }
    }
}

/// What more pages taught.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Adaptation {
    /// Of the class names and of the texts of the pages.
    lexicon: Lexicon,
    /// Added to the calibrated log-odds of body.
    body: Option<Boosted>,
    /// Added to the logarithms of the probabilities of labels.
    kinds: Option<Boosted>,
    /// Made for the first page.
    #[serde(skip)]
    ready: OnceLock<Option<Together>>,
}

/// The names of the columns that an adaptation sees: those of a later stage, the probability of each label where the model
/// has a head for them, and what is the new pages' own.
fn names(input: Input, kinds: bool) -> Vec<String> {
    let of_kinds = Label::ALL.iter().filter(|_| kinds).map(|label| format!("earlier_p_{label}"));
    let own_names = if input == Input::Html { lexicon::names() } else { Vec::new() };
    let own = own_names.into_iter().chain(lexicon::repeated_names()).map(|name| format!("own_{name}"));
    Model::columns(input).into_iter().chain(context::names()).chain(of_kinds).chain(own).collect()
}

/// What a model says of a page before it is adapted.
struct Before {
    words: Vec<f32>,
    texts: TextWords,
    /// The calibrated probability of body.
    p: Vec<f32>,
    /// The probabilities of labels: rows x labels.
    kinds: Option<Array2<f32>>,
    /// How many columns come before those of what is the new pages' own.
    width: usize,
}

impl Before {
    /// Gives these columns of [`names`] to `put`, laid out as [`features::lay_out`](crate::features::lay_out) does.
    fn of(part: &Part, page: &Page, mut put: impl FnMut(usize, usize, &[Lane])) -> Before {
        let mut width = 0;
        let (said, around) = part.stack.judge_and_lay_out(page, &part.lexicon, |block, first, lanes| {
            width = first + lanes.len();
            put(block, first, lanes);
        });
        let p = part.stack.decision.calibrated(&said.scores);
        let mut lanes = Lanes::new(context::WIDTH, |block, lanes: &[Lane]| put(block, width, lanes));
        context::columns(&around, &p, |rows| lanes.push(rows));
        lanes.end();
        width += context::WIDTH;
        if let Some(kinds) = &said.kinds {
            lanes::of_matrix(kinds.view(), |block, lanes| put(block, width, lanes));
            width += kinds.ncols();
        }
        let texts = TextWords::of_repeated(&around.stats.0, &around.stats.1);
        Before { words: around.words, texts, p, kinds: said.kinds, width }
    }

    /// The same columns as a matrix, one row a block.
    fn with_columns(part: &Part, page: &Page) -> (Before, Array2<f32>) {
        let names = names(page.input(), part.stack.has_kinds());
        let mut matrix = Array2::zeros((page.blocks.len(), names.len()));
        let before = Before::of(part, page, |block, first, lanes| lanes::to_matrix(block, first, lanes, &mut matrix));
        (before, matrix)
    }

    /// Gives the other columns to `put`: what is the new pages' own.
    fn own(&self, page: &Page, lexicon: &Lexicon, mut put: impl FnMut(usize, usize, &[Lane])) {
        let mut first = self.width;
        if page.input() == Input::Html {
            let mut lanes = Lanes::new(lexicon::WIDTH, |block, lanes: &[Lane]| put(block, first, lanes));
            lexicon.columns(page, |_, row| lanes.push(row));
            lanes.end();
            first += lexicon::WIDTH;
        }
        let mut lanes = Lanes::new(lexicon::REPEATED, |block, lanes: &[Lane]| put(block, first, lanes));
        lexicon.repeated_columns(&self.texts, |_, row| lanes.push(row));
        lanes.end();
    }

    /// Fills the other columns of a matrix.
    fn fill_own(&self, page: &Page, lexicon: &Lexicon, matrix: &mut Array2<f32>) {
        self.own(page, lexicon, |block, first, lanes| lanes::to_matrix(block, first, lanes, matrix));
    }

    /// The labels that the model gives.
    fn labels(&self, decision: &Decision) -> Labels {
        combine(&decision.choose_from(self.p.clone(), &self.words), self.kinds.as_ref())
    }

    /// Where boosting of body goes on from: the calibrated log-odds.
    fn body_margins(&self) -> impl Iterator<Item = f32> {
        self.p.iter().copied().map(log_odds)
    }

    /// Where boosting of kinds goes on from: the logarithms of the probabilities.
    fn kind_margins(&self) -> Option<Array2<f32>> {
        self.kinds.as_ref().map(|kinds| kinds.mapv(|p| p.max(LEAST_P).ln()))
    }
}

impl Adaptation {
    fn new(lexicon: Lexicon, body: Option<Boosted>, kinds: Option<Boosted>) -> Adaptation {
        Adaptation { lexicon, body, kinds, ready: OnceLock::new() }
    }

    /// The trees, made ready to label pages; none where they are not oblivious, as those of an adaptation are.
    fn ready(&self) -> Option<&Together> {
        let made = || Together::new(&self.body.iter().chain(&self.kinds).collect::<Vec<_>>());
        self.ready.get_or_init(made).as_ref()
    }

    /// The log-odds of body, and the probabilities of labels, from what the trees asked of all columns.
    fn judge(&self, models: &Together, asked: &Asked, before: &Before) -> (Vec<f32>, Option<Array2<f32>>) {
        let mut odds: Vec<f32> = before.body_margins().collect();
        if self.body.is_some() {
            odds.iter_mut().zip(models.margins(0, asked)).for_each(|(odds, more)| *odds += more);
        }
        if self.kinds.is_none() {
            return (odds, before.kinds.clone());
        }
        let more = models.margins(usize::from(self.body.is_some()), asked);
        let mut kinds = before.kind_margins();
        if let Some(margins) = &mut kinds {
            margins.iter_mut().zip(more).for_each(|(margin, more)| *margin += more);
            margins.rows_mut().into_iter().for_each(softmax);
        }
        (odds, kinds)
    }

    /// The labels of a page that the model said this of; all columns but the own ones have been asked.
    fn decide(&self, models: &Together, mut asked: Asked, decision: &Decision, before: &Before, page: &Page) -> Labels {
        before.own(page, &self.lexicon, |block, first, lanes| models.ask(block, first, lanes, &mut asked));
        let (odds, kinds) = self.judge(models, &asked, before);
        let p = odds.into_iter().map(sigmoid).collect();
        combine(&decision.choose_from(p, &before.words), kinds.as_ref())
    }

    /// The labels of a page that the model said this of, from a matrix with all columns but the own ones.
    fn label_columns(&self, matrix: ArrayView2<f32>, decision: &Decision, before: &Before, page: &Page) -> Labels {
        let Some(models) = self.ready() else { return before.labels(decision) };
        let mut asked = models.asked(matrix.nrows());
        lanes::of_matrix(matrix, |block, lanes| models.ask(block, 0, lanes, &mut asked));
        self.decide(models, asked, decision, before, page)
    }

    /// Labels the blocks of a page.
    pub fn label(&self, part: &Part, page: &Page, favor: Favor) -> Labels {
        let Some(models) = self.ready() else { return part.stack.label(page, &part.lexicon, favor) };
        let mut asked = models.asked(page.blocks.len());
        let before = Before::of(part, page, |block, first, lanes| models.ask(block, first, lanes, &mut asked));
        self.decide(models, asked, &part.stack.decision.favoring(favor), &before, page)
    }

    /// Adds to each column's share in the log-odds of body, for some blocks, what it added here.
    pub fn explain(&self, part: &Part, page: &Page, blocks: &[usize], reasons: &mut [Vec<Reason>]) {
        let (before, mut columns) = Before::with_columns(part, page);
        before.fill_own(page, &self.lexicon, &mut columns);
        let names = names(page.input(), part.stack.has_kinds());
        for (&block, reasons) in blocks.iter().zip(reasons).filter(|(block, _)| **block < columns.nrows()) {
            let row = columns.row(block).to_vec();
            let shares = self.body.as_ref().and_then(|model| model.contributions(&row, 0).ok()).unwrap_or_default();
            for ((column, value), contribution) in names.iter().zip(row).zip(shares) {
                match reasons.iter_mut().find(|reason| reason.column == *column) {
                    Some(reason) => reason.contribution += contribution,
                    None => reasons.push(Reason { column: column.clone(), value, contribution }),
                }
            }
        }
    }

    /// Whether an adaptation read from a file fits a model with a head for kinds or without one, and holds together.
    pub fn is_valid(&self, input: Input, kinds: bool) -> bool {
        let columns = names(input, kinds).len();
        let sound = |model: &Boosted, outputs: usize| {
            model.columns() == columns && model.outputs() == outputs && model.validate().is_ok()
        };
        self.body.as_ref().is_none_or(|model| sound(model, 1))
            && self.kinds.as_ref().is_none_or(|model| kinds && sound(model, Label::COUNT))
            && self.ready().is_some()
    }
}

fn softmax(mut row: ndarray::ArrayViewMut1<f32>) {
    let most = row.iter().copied().fold(f32::MIN, f32::max);
    row.mapv_inplace(|margin| (margin - most).exp());
    let total = row.sum();
    row.mapv_inplace(|p| p / total);
}
