//! What a system made of a page, and each block's probability beside the truth: what curves are drawn from.

use super::metrics::word_count;
use super::{PageRow, Prediction};
use crate::document::{DocumentBlock, plain_text};
use crate::gold::typed::block_labels;
use crate::gold::{GoldPage, Reference, align};
use crate::label::Label;
use crate::model::Labels;
use crate::page::words::WordRule;
use crate::page::{Block, Page};

/// What a model or another tool made of one page.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The text, and what is scored beside it.
    pub prediction: Prediction,
    /// The labels of the page's blocks, if it was a model.
    pub labels: Option<Labels>,
}

impl Outcome {
    /// What the program writes for a page with these labels.
    pub fn of_labels(page: &Page, labels: Labels) -> Outcome {
        let pairs = || page.blocks.iter().zip(&labels.blocks);
        let kept: Vec<&Block> = labels.body().map(|at| &page.blocks[at]).collect();
        let block = |(b, l): (&Block, &crate::Labelled)| DocumentBlock {
            label: l.label,
            p: l.p,
            text: page.text_of(b).to_owned(),
        };
        let prediction = Prediction {
            text: plain_text(page, &kept),
            blocks: Some(pairs().map(block).collect()),
            score: Some(labels.score),
            error: None,
        };
        Outcome { prediction, labels: Some(labels) }
    }

    /// A page that could not be read.
    pub fn failed(error: impl ToString) -> Outcome {
        Outcome { prediction: Prediction { error: Some(error.to_string()), ..Prediction::default() }, labels: None }
    }

    /// Which blocks of the page are in the text: by their labels, or found in another tool's text.
    pub fn kept(&self, page: &Page) -> Vec<bool> {
        match &self.labels {
            Some(labels) => labels.blocks.iter().map(|l| l.label == Label::Body).collect(),
            None if self.prediction.text.trim().is_empty() => vec![false; page.blocks.len()],
            None => align(page, &self.prediction.text).content,
        }
    }
}

/// For each block whether it is body, where that is known; nothing where the page does not hold its reference text.
pub fn truth(gold: &GoldPage, page: &Page) -> Option<Vec<Option<bool>>> {
    match &gold.reference {
        Reference::Text(text) => {
            let found = align(page, text);
            let is_known = found.is_usable() || text.trim().is_empty();
            is_known.then(|| found.content.into_iter().map(Some).collect())
        }
        reference => {
            let labels = block_labels(page, reference)?.labels;
            Some(labels.into_iter().map(|label| label.map(|label| label == Label::Body)).collect())
        }
    }
}

/// One block with the truth about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JudgedBlock {
    /// The probability of body.
    pub p: f32,
    /// Whether it is body.
    pub is_body: bool,
    /// Whether it was kept.
    pub kept: bool,
    /// Its words.
    pub words: u32,
}

/// A page's scores and blocks.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Its scores.
    pub row: PageRow,
    /// Its blocks, where both probability and truth are known.
    pub blocks: Vec<JudgedBlock>,
}

impl Judged {
    /// Scores a page; `page` is nothing where it cannot be read.
    pub fn new(gold: &GoldPage, page: Option<&Page>, outcome: &Outcome) -> Judged {
        let row = PageRow::new(gold, &outcome.prediction);
        let known =
            page.zip(outcome.labels.as_ref()).and_then(|(page, labels)| Some((page, labels, truth(gold, page)?)));
        let Some((page, labels, truth)) = known else { return Judged { row, blocks: Vec::new() } };
        let all = page.texts().zip(&labels.blocks).zip(truth);
        let block = |((text, labelled), is_body): ((&str, &crate::Labelled), Option<bool>)| {
            let words = word_count(text, WordRule::Cjk) as u32;
            is_body.map(|is_body| JudgedBlock { p: labelled.body, is_body, kept: labelled.label == Label::Body, words })
        };
        Judged { row, blocks: all.filter_map(block).collect() }
    }
}
