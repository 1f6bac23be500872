//! Feature matrix to labelled blocks: the classifiers, the decision, their training and their file.

use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};

use crate::features::{self, Lexicon};
use crate::label::{Label, Labelled};
use crate::page::{Input, Page};

pub mod adapt;
pub mod boost;
pub mod context;
pub mod decide;
pub mod duplicates;
pub mod file;
mod further;
pub mod logistic;
pub mod network;
mod opening;
mod refusals;
mod sentences;
pub mod stack;
mod tables;
mod teasers;
pub mod train;

use adapt::{Adaptation, Adaptations};
pub use decide::Favor;
pub use file::ModelError;
use stack::Stack;

/// The logistic function.
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// Everything learned: lexicon, classifiers and decision for web pages, and the same for flattened text.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Model {
    /// What the model was made from and how good it is.
    pub card: Card,
    html: Part,
    flat: Option<Part>,
    adapted: Option<Adaptations>,
}

/// What is learned for one kind of input.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Part {
    lexicon: Lexicon,
    stack: Stack,
}

/// What a model says of itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// The sets it was trained on, with their numbers of pages.
    pub trained_on: Vec<(String, u32)>,
    /// Licences and the names that they ask to be given.
    pub attributions: Vec<String>,
    /// Out-of-fold word F1 over blocks, by set: (set, pages, F1).
    pub figures: Vec<(String, u32, f32)>,
    /// The seed of folds and draws.
    pub seed: u64,
    /// The low 32 bits of the hashes of the pages it was trained on, sorted, as [`Card::knows`] looks them up.
    pub pages: Vec<u32>,
}

impl Card {
    /// Whether the model was trained on a page with this [hash](train::Example::hash).
    pub fn knows(&self, hash: u64) -> bool {
        hash != 0 && self.pages.binary_search(&(hash as u32)).is_ok()
    }
}

/// A page's labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Labels {
    /// One for each block, in order.
    pub blocks: Vec<Labelled>,
    /// The expected F1 of the blocks labelled body, 0 where there is no article; the expected F-beta where precision or
    /// recall weighs more ([`Favor`]), which is not to be held against thresholds for F1, and for flattened text.
    pub score: f32,
}

impl Labels {
    /// Whether a block is body.
    ///
    /// # Panics
    /// If there is no such block.
    pub fn is_body(&self, at: usize) -> bool {
        self.blocks[at].label == Label::Body
    }

    /// The blocks that are body, in order.
    pub fn body(&self) -> impl Iterator<Item = usize> {
        (0..self.blocks.len()).filter(|at| self.is_body(*at))
    }

    /// Takes a block out of the body, with the probability of body that it was kept with, since it is no part of the
    /// article after all.
    fn take_out(&mut self, at: usize, label: Label) {
        let body = self.blocks[at].body;
        self.blocks[at] = Labelled { label, p: body, body: 1.0 - body };
    }
}

/// What one column added to the log-odds of body for a block, against the average block.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reason {
    /// The column's name.
    pub column: String,
    /// Its value for the block.
    pub value: f32,
    /// Its share of the log-odds.
    pub contribution: f32,
}

impl Model {
    /// The model that comes with the program.
    ///
    /// # Panics
    /// Never: its bytes are part of the program, and the tests read them.
    pub fn embedded() -> Arc<Model> {
        static MODEL: LazyLock<Arc<Model>> =
            LazyLock::new(|| match Model::from_bytes(include_bytes!("../../models/default.lubb")) {
                Ok(model) => Arc::new(model),
                Err(error) => unreachable!("the embedded model is checked by the tests: {error}"),
            });
        Arc::clone(&MODEL)
    }

    fn part(&self, page: &Page) -> Option<&Part> {
        self.part_for(page.input())
    }

    fn part_for(&self, input: Input) -> Option<&Part> {
        match input {
            Input::Html => Some(&self.html),
            Input::Text => self.flat.as_ref(),
        }
    }

    fn adaptation_to(&self, page: &Page) -> Option<&Adaptation> {
        self.adapted.as_ref().and_then(|adapted| adapted.to(page.input()))
    }

    /// Whether the model was trained on or adapted to a page with this [hash](train::Example::hash).
    pub fn knows(&self, hash: u64) -> bool {
        self.card.knows(hash) || self.adapted_to().is_some_and(|card| card.knows(hash))
    }

    /// What the model was adapted to ([`adapt`](adapt::adapt)), if it was.
    pub fn adapted_to(&self) -> Option<&Card> {
        self.adapted.as_ref().map(|adapted| &adapted.card)
    }

    /// The same, to add what is known only after the adaptation.
    pub fn adapted_to_mut(&mut self) -> Option<&mut Card> {
        self.adapted.as_mut().map(|adapted| &mut adapted.card)
    }

    /// Whether the model can label flattened text; one trained with `--no-flat` cannot.
    pub fn has_flat(&self) -> bool {
        self.flat.is_some()
    }

    /// Labels every block of a page. Flattened text gets no body from a model that is for web pages alone
    /// ([`Model::has_flat`]).
    ///
    /// ```
    /// use lubb::{Label, Model, Page};
    /// let page = Page::from_html(&std::fs::read_to_string("data/labelled/ar-gulf-portal.html")?);
    /// let labels = Model::embedded().label(&page);
    /// assert_eq!(labels.blocks.len(), page.blocks.len());
    /// assert!(labels.blocks.iter().any(|block| block.label == Label::Body));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn label(&self, page: &Page) -> Labels {
        self.label_favoring(page, Favor::Balance)
    }

    /// Labels every block of a page, with precision or recall of the body weighing more.
    pub fn label_favoring(&self, page: &Page, favor: Favor) -> Labels {
        let Some(part) = self.part(page).filter(|_| !page.blocks.is_empty()) else {
            let none = Labelled { label: Label::Nav, p: 0.0, body: 0.0 };
            return Labels { blocks: vec![none; page.blocks.len()], score: 0.0 };
        };
        let mut labels = match self.adaptation_to(page) {
            Some(adaptation) => adaptation.label(part, page, favor),
            None => part.stack.label(page, &part.lexicon, favor),
        };
        revise(page, &mut labels);
        labels
    }

    /// Why a block was given its probability of body: each column's share in the last stage's log-odds, and in what an
    /// adaptation adds to them, greatest first. Empty for a page that the model cannot label.
    pub fn explain(&self, page: &Page, block: usize) -> Vec<Reason> {
        self.explain_blocks(page, &[block]).pop().unwrap_or_default()
    }

    /// [`Model::explain`] for several blocks of a page, whose features are computed once.
    pub fn explain_blocks(&self, page: &Page, blocks: &[usize]) -> Vec<Vec<Reason>> {
        let Some(part) = self.part(page) else { return vec![Vec::new(); blocks.len()] };
        let (matrix, around) = features::extract(page, &part.lexicon);
        let mut reasons = part.stack.explain(matrix.view(), &around, blocks, &Model::columns(page.input()));
        if let Some(adaptation) = self.adaptation_to(page) {
            adaptation.explain(part, page, blocks, &mut reasons);
        }
        let order = |a: &Reason, b: &Reason| {
            b.contribution.abs().total_cmp(&a.contribution.abs()).then_with(|| a.column.cmp(&b.column))
        };
        reasons.iter_mut().for_each(|reasons| reasons.sort_by(order));
        reasons
    }

    /// The names of [`Model::matrix`]'s columns.
    pub fn columns(input: Input) -> Vec<String> {
        match input {
            Input::Html => features::names().to_vec(),
            Input::Text => features::flat::names(),
        }
    }

    /// What the first stage sees of a page: one row a block, with the model's lexicon; no rows where it cannot label it.
    pub fn matrix(&self, page: &Page) -> ndarray::Array2<f32> {
        self.part(page).map(|part| features::matrix(page, &part.lexicon)).unwrap_or_default()
    }
}

/// What rules change after the decision, since no feature of a block alone could tell it.
fn revise(page: &Page, labels: &mut Labels) {
    tables::keep_whole(page, labels);
    sentences::keep_rests(page, labels);
    sentences::drop_insets(page, labels);
    further::drop_further(page, labels);
    teasers::drop_teasers(page, labels);
    duplicates::drop_copies(page, labels);
    opening::name_headline(page, labels);
    refusals::drop_refusal(page, labels);
}

/// Labels from the article's choice and the probabilities of kinds (one row a block, one column a label).
fn combine(choice: &decide::Choice, kinds: Option<&ndarray::Array2<f32>>) -> Labels {
    let label = |at: usize| -> Labelled {
        let body = choice.p[at];
        if choice.kept[at] {
            return Labelled { label: Label::Body, p: body, body };
        }
        let Some(kinds) = kinds else { return Labelled { label: Label::Nav, p: 1.0 - body, body } };
        let row = kinds.row(at);
        let others = Label::ALL.into_iter().filter(|l| *l != Label::Body);
        let (mut best, mut total) = ((Label::Nav, 0.0), 0.0);
        for label in others {
            let p = row[label.index()];
            total += p;
            if p > best.1 {
                best = (label, p);
            }
        }
        Labelled { label: best.0, p: (1.0 - body) * best.1 / total.max(1e-6), body }
    };
    let score = if choice.kept.contains(&true) { choice.score } else { 0.0 };
    Labels { blocks: (0..choice.p.len()).map(label).collect(), score }
}
