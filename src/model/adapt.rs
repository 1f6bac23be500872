//! A model adapted to more pages: what it says of a block, moved by trees that learned where it errs on them.
//!
//! A model of ten pages alone knows little of all others. Here the model that is there stays as it is, and boosting goes on
//! from its log-odds ([`BoostValidParams::fit_from`](super::boost::BoostValidParams::fit_from)): where the new pages do not
//! contradict it, nothing changes. What they have of their own, the names of their classes and the texts that they repeat,
//! is counted by page and not by site as for a model of all sites, since it is their sites that it is adapted to.

use ndarray::{Array2, Axis, concatenate, s};
use serde::{Deserialize, Serialize};

use crate::features::lexicon::{self, TextWords};
use crate::features::{self, Lexicon};
use crate::label::Label;
use crate::page::{Input, Page};

use super::boost::Boosted;
use super::decide::{Favor, log_odds};
use super::stack::with_context;
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
    /// The columns of [`names`] but the last ones, of what is the new pages' own.
    columns: Array2<f32>,
    words: Vec<f32>,
    texts: TextWords,
    /// The calibrated log-odds of body.
    odds: Vec<f32>,
    /// The probabilities of labels: rows x labels.
    kinds: Option<Array2<f32>>,
}

impl Before {
    fn of(part: &Part, page: &Page) -> Before {
        let (said, around) = part.stack.judge(page, &part.lexicon);
        let p = part.stack.decision.calibrated(&said.scores);
        let mut columns = with_context(features::matrix(page, &part.lexicon).view(), &around, &p);
        if let Some(kinds) = &said.kinds {
            // As many rows in both: one a block.
            columns = concatenate(Axis(1), &[columns.view(), kinds.view()]).unwrap_or(columns);
        }
        let (stats, hashes) = features::text::page_stats(page);
        let texts = TextWords::of_repeated(&stats, &hashes);
        Before { columns, words: around.words, texts, odds: p.into_iter().map(log_odds).collect(), kinds: said.kinds }
    }

    /// All columns.
    fn columns(&self, page: &Page, lexicon: &Lexicon) -> Array2<f32> {
        let (rows, width) = self.columns.dim();
        let own_names = if page.input() == Input::Html { lexicon::WIDTH } else { 0 };
        let mut all = Array2::zeros((rows, width + own_names + lexicon::REPEATED));
        all.slice_mut(s![.., ..width]).assign(&self.columns);
        let mut put = |at: usize, first: usize, row: &[f32]| {
            all.row_mut(at).iter_mut().skip(first).zip(row).for_each(|(slot, value)| *slot = *value);
        };
        if own_names > 0 {
            lexicon.columns(page, |at, row| put(at, width, row));
        }
        lexicon.repeated_columns(&self.texts, |at, row| put(at, width + own_names, row));
        all
    }

    /// Where boosting of kinds goes on from: the logarithms of the probabilities.
    fn kind_margins(&self) -> Option<Array2<f32>> {
        self.kinds.as_ref().map(|kinds| kinds.mapv(|p| p.max(LEAST_P).ln()))
    }
}

impl Adaptation {
    /// The log-odds of body, and the probabilities of labels.
    fn judge(&self, before: &Before, page: &Page) -> (Vec<f32>, Option<Array2<f32>>) {
        let columns = before.columns(page, &self.lexicon);
        let more = |model: &Boosted| {
            let mut margins = vec![0.0; columns.nrows() * model.outputs()];
            // As wide as the trees: a model of other columns is refused when it is read.
            let fits = model.margins_into(columns.view(), &mut margins);
            debug_assert!(fits.is_ok());
            margins
        };
        let mut odds = before.odds.clone();
        if let Some(model) = &self.body {
            odds.iter_mut().zip(more(model)).for_each(|(odds, more)| *odds += more);
        }
        let kinds = match &self.kinds {
            None => before.kinds.clone(),
            Some(model) => before.kind_margins().map(|mut margins| {
                margins.iter_mut().zip(more(model)).for_each(|(margin, more)| *margin += more);
                margins.rows_mut().into_iter().for_each(softmax);
                margins
            }),
        };
        (odds, kinds)
    }

    /// The labels of a page that the model said this of.
    fn decide(&self, part: &Part, before: &Before, page: &Page, favor: Favor) -> Labels {
        let (odds, kinds) = self.judge(before, page);
        let p = odds.into_iter().map(sigmoid).collect();
        combine(&part.stack.decision.favoring(favor).choose_from(p, &before.words), kinds.as_ref())
    }

    /// Labels the blocks of a page.
    pub fn label(&self, part: &Part, page: &Page, favor: Favor) -> Labels {
        self.decide(part, &Before::of(part, page), page, favor)
    }

    /// Adds to each column's share in the log-odds of body, for some blocks, what it added here.
    pub fn explain(&self, part: &Part, page: &Page, blocks: &[usize], reasons: &mut [Vec<Reason>]) {
        let columns = Before::of(part, page).columns(page, &self.lexicon);
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
    }
}

fn softmax(mut row: ndarray::ArrayViewMut1<f32>) {
    let most = row.iter().copied().fold(f32::MIN, f32::max);
    row.mapv_inplace(|margin| (margin - most).exp());
    let total = row.sum();
    row.mapv_inplace(|p| p / total);
}
