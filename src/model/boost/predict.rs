//! Margins of raw rows, a block of rows at a time through tree after tree.
//!
//! The values that the trees ask for are first laid out column by column, so that one condition is one comparison of
//! a whole vector of rows. A missing value is written as what sends it to its side: below all thresholds or above, in
//! two columns where conditions on one column differ. That leaves a plain `>` in the loops.

use std::collections::HashMap;

use ndarray::{ArrayView1, ArrayView2};

use crate::features::lanes::{BLOCK, Lane, Lanes};

use super::bins::finite;
use super::trees::{Condition, Forest, Ordinary};

mod oblivious;

use oblivious::oblivious;

/// What a block of rows is worked on in.
struct Room {
    block: Vec<Lane>,
    sums: Vec<Lane>,
}

/// A forest made ready for prediction.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// The columns that the trees ask for.
    columns: Vec<usize>,
    /// Which of those a condition's values come from, and what stands for a missing one.
    slots: Vec<(usize, f32)>,
    /// The conditions of all trees, on slots and on columns.
    steps: Vec<Step>,
    column_steps: Vec<Step>,
    trees: Trees,
}

#[derive(Clone, Debug)]
enum Trees {
    Oblivious { depth: u8, leaves: Vec<f32> },
    Ordinary { trees: Vec<Shape>, values: Vec<f32> },
}

/// A condition: right if the slot's value is greater.
#[derive(Clone, Copy, Debug)]
struct Step {
    slot: u16,
    /// In ordinary trees, the place of the left child; a leaf's is itself.
    left: u16,
    threshold: f32,
}

#[derive(Clone, Copy, Debug)]
struct Shape {
    size: usize,
    depth: usize,
}

impl Plan {
    /// Prepares a forest that has been checked. `None` if it asks for more columns than slots can be numbered.
    pub(super) fn new(forest: &Forest) -> Option<Plan> {
        let (mut columns, mut slots) = (Vec::new(), Vec::new());
        let (mut column_places, mut slot_places) = (HashMap::new(), HashMap::new());
        let mut slot = |condition: &Condition| -> Option<u16> {
            let place = *slot_places.entry((condition.column, condition.missing_left)).or_insert_with(|| {
                let column = *column_places.entry(condition.column).or_insert_with(|| {
                    columns.push(condition.column);
                    columns.len() - 1
                });
                slots.push((column, if condition.missing_left { f32::NEG_INFINITY } else { f32::INFINITY }));
                slots.len() - 1
            });
            u16::try_from(place).ok()
        };
        let (mut steps, mut column_steps) = (Vec::new(), Vec::new());
        let mut push = |condition: &Condition, left: u16| {
            let step = Step { slot: slot(condition)?, left, threshold: condition.threshold };
            steps.push(step);
            column_steps.push(Step { slot: u16::try_from(condition.column).ok()?, ..step });
            Some(())
        };
        let trees = match forest {
            Forest::Oblivious(forest) => {
                forest.conditions.iter().try_for_each(|condition| push(&condition, 0))?;
                Trees::Oblivious { depth: forest.depth, leaves: forest.leaves.clone() }
            }
            Forest::Ordinary(forest) => ordinary(forest, &mut push)?,
        };
        Some(Plan { columns, slots, steps, column_steps, trees })
    }

    /// Adds the trees' margins to `out`, which has `outputs` a row. Rows have the columns the forest was checked for.
    pub(super) fn add_margins(&self, rows: ArrayView2<f32>, outputs: usize, out: &mut [f32]) {
        let mut raw: Vec<Lane> = vec![[0.0; BLOCK]; self.columns.len()];
        let mut room = Room { block: vec![[0.0; BLOCK]; self.slots.len()], sums: vec![[0.0; BLOCK]; outputs] };
        for (block_number, out) in out.chunks_mut(BLOCK * outputs).enumerate() {
            for i in 0..out.len() / outputs {
                self.read(rows.row(block_number * BLOCK + i), i, &mut raw);
            }
            self.fill(|column| &raw[column], &mut room.block);
            self.add_block(&self.steps, &room.block, &mut room.sums, out);
        }
    }

    /// The same for rows that were laid out before.
    pub(super) fn add_margins_of(&self, rows: &Lanes, outputs: usize, out: &mut [f32]) {
        // Slots are for rows that are not finite alone.
        let mut room = Room { block: Vec::new(), sums: vec![[0.0; BLOCK]; outputs] };
        for (block, out) in rows.blocks().zip(out.chunks_mut(BLOCK * outputs)) {
            if rows.is_finite() {
                self.add_block(&self.column_steps, block, &mut room.sums, out);
            } else {
                room.block.resize(self.slots.len(), [0.0; BLOCK]);
                self.fill(|column| &block[self.columns[column]], &mut room.block);
                self.add_block(&self.steps, &room.block, &mut room.sums, out);
            }
        }
    }

    /// Fills the slots; `lane` gives the values of one of `columns`.
    #[inline]
    fn fill<'a>(&self, lane: impl Fn(usize) -> &'a Lane, block: &mut [Lane]) {
        // Apart from reading, so that it runs on whole vectors of rows.
        for (values, &(column, missing)) in block.iter_mut().zip(&self.slots) {
            for (value, &x) in values.iter_mut().zip(lane(column)) {
                *value = if x.is_nan() { missing } else { finite(x) };
            }
        }
    }

    /// `steps` are those on the lanes of `block`.
    fn add_block(&self, steps: &[Step], block: &[Lane], sums: &mut [Lane], out: &mut [f32]) {
        let outputs = sums.len();
        sums.iter_mut().for_each(|sum| *sum = [0.0; BLOCK]);
        match &self.trees {
            Trees::Oblivious { depth, leaves } => {
                oblivious(*depth, steps, leaves, block, out.len() / outputs, sums);
            }
            Trees::Ordinary { trees, values } => walk(trees, steps, values, block, sums),
        }
        for (i, out) in out.chunks_exact_mut(outputs).enumerate() {
            out.iter_mut().zip(&*sums).for_each(|(out, sum)| *out += sum[i]);
        }
    }

    #[inline]
    fn read(&self, row: ArrayView1<f32>, i: usize, raw: &mut [Lane]) {
        match row.to_slice() {
            Some(row) => raw.iter_mut().zip(&self.columns).for_each(|(lane, &column)| lane[i] = row[column]),
            None => raw.iter_mut().zip(&self.columns).for_each(|(lane, &column)| lane[i] = row[column]),
        }
    }
}

/// `push` takes each condition and the place of its left child.
fn ordinary(forest: &Ordinary, push: &mut impl FnMut(&Condition, u16) -> Option<()>) -> Option<Trees> {
    let (mut trees, mut values) = (Vec::new(), Vec::new());
    for (children, conditions, _) in forest.trees() {
        let mut depths = vec![0; children.len()];
        for (node, (&left, condition)) in children.iter().zip(&conditions).enumerate() {
            let at = usize::from(left);
            if left == 0 {
                // Stays where it is: nothing is above infinity, and its right neighbour is never reached.
                push(&Condition { threshold: f32::INFINITY, ..*condition }, node as u16)?;
                values.push(condition.threshold);
            } else {
                push(condition, left)?;
                values.push(0.0);
                depths[at] = depths[node] + 1;
                depths[at + 1] = depths[node] + 1;
            }
        }
        trees.push(Shape { size: children.len(), depth: depths.into_iter().max().unwrap_or(0) });
    }
    Some(Trees::Ordinary { trees, values })
}

fn walk(trees: &[Shape], steps: &[Step], values: &[f32], block: &[Lane], sums: &mut [Lane]) {
    let outputs = sums.len();
    let (mut steps, mut values) = (steps, values);
    for (tree, shape) in trees.iter().enumerate() {
        let (nodes, rest) = steps.split_at(shape.size);
        let (leaves, others) = values.split_at(shape.size);
        (steps, values) = (rest, others);
        if shape.depth == 0 {
            sums[tree % outputs].iter_mut().for_each(|sum| *sum += leaves[0]);
            continue;
        }
        let mut at = [0u16; BLOCK];
        for _ in 0..shape.depth {
            // All rows take one step, so that the processor looks up several at a time.
            let mut moved = 0;
            for (i, at) in at.iter_mut().enumerate() {
                let node = nodes[usize::from(*at)];
                let next = node.left + u16::from(block[usize::from(node.slot)][i] > node.threshold);
                moved |= next ^ *at;
                *at = next;
            }
            if moved == 0 {
                break;
            }
        }
        for (sum, at) in sums[tree % outputs].iter_mut().zip(at) {
            *sum += leaves[usize::from(at)];
        }
    }
}
