//! A page block by block, as people read it: what was given, what is right, and what decided.

use serde::Serialize;

use super::judge::{Outcome, truth};
use crate::gold::GoldPage;
use crate::gold::typed::block_labels;
use crate::label::Label;
use crate::model::Reason;
use crate::page::Page;

/// How many features are shown of what decided.
const REASONS: usize = 6;

/// Wrong blocks of a page that are explained.
const EXPLAINED: usize = 40;

/// A page to look at.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PageView {
    /// The page's name.
    pub id: String,
    /// Its set.
    pub set: String,
    /// Its address.
    pub url: Option<String>,
    /// Its language.
    pub lang: Option<String>,
    /// Word F1.
    pub f1: f64,
    /// Word precision.
    pub precision: f64,
    /// Word recall.
    pub recall: f64,
    /// The F1 that the model expected.
    pub score: Option<f32>,
    /// Why the page failed.
    pub error: Option<String>,
    /// Whether it is known of the blocks what is right; not where the page does not hold its reference text.
    pub is_known: bool,
    /// The blocks in order.
    pub blocks: Vec<BlockView>,
}

/// A block to look at.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BlockView {
    /// Its text.
    pub text: String,
    /// The label that it was given; nothing where a tool gave a text only.
    pub label: Option<Label>,
    /// Its right label, where someone gave one.
    pub gold: Option<Label>,
    /// Whether it was kept.
    pub kept: bool,
    /// Whether the other system kept it.
    pub other_kept: Option<bool>,
    /// The probability of body.
    pub body: Option<f32>,
    /// Whether that is right.
    pub verdict: Verdict,
    /// What decided, for blocks that are wrong.
    pub reasons: Vec<Reason>,
}

/// Whether a block was rightly kept or left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nobody knows.
    Unknown,
    /// Kept or left out as it should be.
    Right,
    /// Body that was left out.
    Missed,
    /// Chrome that was kept.
    WronglyKept,
}

impl Verdict {
    fn new(is_body: Option<bool>, kept: bool) -> Verdict {
        match (is_body, kept) {
            (None, _) => Verdict::Unknown,
            (Some(true), false) => Verdict::Missed,
            (Some(false), true) => Verdict::WronglyKept,
            _ => Verdict::Right,
        }
    }
}

impl PageView {
    /// Looks at a page; `explain` gives what decided for blocks named by their places. `page` is nothing where it cannot
    /// be read.
    pub fn new(
        gold: &GoldPage,
        row: &super::PageRow,
        page: Option<&Page>,
        outcome: &Outcome,
        other: Option<&Outcome>,
        explain: impl Fn(&Page, &[usize]) -> Vec<Vec<Reason>>,
    ) -> PageView {
        let blocks = page.map(|page| blocks(gold, page, outcome, other, explain)).unwrap_or_default();
        PageView {
            id: gold.id.clone(),
            set: gold.set.clone(),
            url: gold.url.clone(),
            lang: gold.lang.clone(),
            f1: row.f1,
            precision: row.precision,
            recall: row.recall,
            score: row.score,
            error: row.error.clone(),
            is_known: blocks.iter().any(|block| block.verdict != Verdict::Unknown),
            blocks,
        }
    }

    /// How many blocks have a verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.blocks.iter().filter(|block| block.verdict == verdict).count()
    }
}

fn blocks(
    gold: &GoldPage,
    page: &Page,
    outcome: &Outcome,
    other: Option<&Outcome>,
    explain: impl Fn(&Page, &[usize]) -> Vec<Vec<Reason>>,
) -> Vec<BlockView> {
    let truth = truth(gold, page).unwrap_or_default();
    let typed = block_labels(page, &gold.reference).map(|resolved| resolved.labels).unwrap_or_default();
    let (kept, other_kept) = (outcome.kept(page), other.map(|other| other.kept(page)));
    let view = |(at, text): (usize, &str)| {
        let kept = kept.get(at).copied().unwrap_or_default();
        let labelled = outcome.labels.as_ref().and_then(|labels| labels.blocks.get(at));
        BlockView {
            text: text.to_owned(),
            label: labelled.map(|l| l.label),
            gold: typed.get(at).copied().flatten(),
            kept,
            other_kept: other_kept.as_ref().and_then(|kept| kept.get(at).copied()),
            body: labelled.map(|l| l.body),
            verdict: Verdict::new(truth.get(at).copied().flatten(), kept),
            reasons: Vec::new(),
        }
    };
    let mut blocks: Vec<BlockView> = page.texts().enumerate().map(view).collect();
    let is_wrong = |block: &BlockView| matches!(block.verdict, Verdict::Missed | Verdict::WronglyKept);
    let wrong: Vec<usize> = (0..blocks.len()).filter(|at| is_wrong(&blocks[*at])).take(EXPLAINED).collect();
    if outcome.labels.is_some() && !wrong.is_empty() {
        for (at, mut reasons) in wrong.iter().zip(explain(page, &wrong)) {
            reasons.truncate(REASONS);
            blocks[*at].reasons = reasons;
        }
    }
    blocks
}
