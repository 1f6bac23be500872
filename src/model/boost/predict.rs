//! Margins of raw rows, a block of rows at a time through tree after tree.

use ndarray::ArrayView2;

use crate::features::lanes::{self, Lane, ROWS};

use super::trees::{Forest, Oblivious};
use super::{Boosted, loss};

mod count;
mod leaves;
mod ordinary;

use count::{Bytes, Codes, Counter};
use leaves::ByteForest;
use ordinary::Walk;

/// A forest made ready for the prediction of rows of a matrix.
#[derive(Clone, Debug)]
pub(super) struct Plan(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Oblivious(Counter, ByteForest),
    Ordinary(Walk),
}

fn on_bytes(forest: &Oblivious, codes: &Codes, outputs: usize) -> ByteForest {
    let conditions: Vec<_> = forest.conditions.iter().map(|condition| codes.of(&condition)).collect();
    ByteForest::new(forest.depth, &conditions, &forest.leaves, outputs)
}

impl Plan {
    /// Prepares a forest that has been checked.
    pub(super) fn new(forest: &Forest, outputs: usize) -> Plan {
        Plan(match forest {
            Forest::Oblivious(forest) => {
                let (counter, codes) = Counter::new(forest.conditions.iter());
                Kind::Oblivious(counter, on_bytes(forest, &codes, outputs))
            }
            Forest::Ordinary(forest) => Kind::Ordinary(Walk::new(forest)),
        })
    }

    /// Adds the trees' margins to `out`, which has `outputs` a row. Rows have the columns the forest was checked for.
    pub(super) fn add_margins(&self, rows: ArrayView2<f32>, outputs: usize, out: &mut [f32]) {
        let mut bytes = match &self.0 {
            Kind::Oblivious(counter, _) => vec![[0; ROWS]; counter.bytes()],
            Kind::Ordinary(_) => Vec::new(),
        };
        let mut outs = out.chunks_mut(ROWS * outputs);
        lanes::of_matrix(rows, |_, lanes| {
            let Some(out) = outs.next() else { return };
            match &self.0 {
                Kind::Oblivious(counter, forest) => {
                    counter.count(0, lanes, &mut bytes);
                    forest.add(&bytes, outputs, out);
                }
                Kind::Ordinary(walk) => walk.add(lanes, outputs, out),
            }
        });
    }
}

/// Several models of oblivious trees over the same columns: what they ask of a value is found out once for all of them.
#[derive(Clone, Debug)]
pub(crate) struct Together {
    counter: Counter,
    /// Each model's base margins and its trees.
    models: Vec<(Vec<f32>, ByteForest)>,
}

/// What the models ask of a page's rows.
pub(crate) struct Asked {
    rows: usize,
    /// Bytes of block after block of rows.
    bytes: Vec<Bytes>,
}

impl Together {
    /// `None` if the trees of a model are not oblivious.
    pub(crate) fn new(models: &[&Boosted]) -> Option<Together> {
        let forests = models.iter().map(|model| match &model.stored.forest {
            Forest::Oblivious(forest) => Some(forest),
            Forest::Ordinary(_) => None,
        });
        let forests: Vec<&Oblivious> = forests.collect::<Option<_>>()?;
        let (counter, codes) = Counter::new(forests.iter().flat_map(|forest| forest.conditions.iter()));
        let ready = |(model, forest): (&&Boosted, &&Oblivious)| {
            (model.stored.base.clone(), on_bytes(forest, &codes, model.outputs()))
        };
        let models = models.iter().zip(&forests).map(ready).collect();
        Some(Together { counter, models })
    }

    /// Room for what is asked of so many rows.
    pub(crate) fn asked(&self, rows: usize) -> Asked {
        Asked { rows, bytes: vec![[0; ROWS]; rows.div_ceil(ROWS) * self.counter.bytes()] }
    }

    /// Takes in columns of a block of rows, the first of which is `first`. They may come in parts, and again with other
    /// values.
    pub(crate) fn ask(&self, block: usize, first: usize, lanes: &[Lane], asked: &mut Asked) {
        let size = self.counter.bytes();
        self.counter.count(first, lanes, &mut asked.bytes[block * size..(block + 1) * size]);
    }

    /// The probabilities of a model for all rows, in the layout of [`Boosted::probabilities_into`].
    pub(crate) fn probabilities(&self, model: usize, asked: &Asked) -> Vec<f32> {
        let mut out = self.margins(model, asked);
        loss::to_probabilities(&mut out, self.models[model].0.len());
        out
    }

    /// The margins of a model for all rows, in the layout of [`Boosted::margins_into`].
    pub(crate) fn margins(&self, model: usize, asked: &Asked) -> Vec<f32> {
        let (base, forest) = &self.models[model];
        let mut out = base.repeat(asked.rows);
        let blocks = asked.bytes.chunks_exact(self.counter.bytes().max(1));
        for (out, bytes) in out.chunks_mut(ROWS * base.len()).zip(blocks) {
            forest.add(bytes, base.len(), out);
        }
        out
    }
}
