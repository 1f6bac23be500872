//! Margins of raw rows, a block of rows at a time through tree after tree.
//!
//! The values that the trees ask for are first laid out column by column, so that one condition is one comparison of
//! a whole vector of rows. A missing value is written as what sends it to its side: below all thresholds or above, in
//! two columns where conditions on one column differ. That leaves a plain `>` in the loops.

use std::collections::HashMap;

use ndarray::{ArrayView1, ArrayView2};

use super::bins::finite;
use super::trees::{Condition, Forest, Ordinary};

/// Rows that go through the trees together.
pub(super) const BLOCK: usize = 16;

/// One value of each row of a block.
type Lane = [f32; BLOCK];

/// A forest made ready for prediction.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// The columns that the trees ask for.
    columns: Vec<usize>,
    /// Which of those a condition's values come from, and what stands for a missing one.
    slots: Vec<(usize, f32)>,
    trees: Trees,
}

#[derive(Clone, Debug)]
enum Trees {
    Oblivious { depth: u8, steps: Vec<Step>, leaves: Vec<f32> },
    Ordinary { trees: Vec<Shape>, steps: Vec<Step>, values: Vec<f32> },
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
        let trees = match forest {
            Forest::Oblivious(forest) => {
                let mut step = |condition: Condition| {
                    Some(Step { slot: slot(&condition)?, left: 0, threshold: condition.threshold })
                };
                let steps = forest.conditions.iter().map(&mut step).collect::<Option<_>>()?;
                Trees::Oblivious { depth: forest.depth, steps, leaves: forest.leaves.clone() }
            }
            Forest::Ordinary(forest) => ordinary(forest, &mut slot)?,
        };
        Some(Plan { columns, slots, trees })
    }

    /// Adds the trees' margins to `out`, which has `outputs` a row. Rows have the columns the forest was checked for.
    pub(super) fn add_margins(&self, rows: ArrayView2<f32>, outputs: usize, out: &mut [f32]) {
        let mut raw: Vec<Lane> = vec![[0.0; BLOCK]; self.columns.len()];
        let mut block: Vec<Lane> = vec![[0.0; BLOCK]; self.slots.len()];
        let mut sums: Vec<Lane> = vec![[0.0; BLOCK]; outputs];
        for (block_number, out) in out.chunks_mut(BLOCK * outputs).enumerate() {
            let count = out.len() / outputs;
            for i in 0..count {
                self.read(rows.row(block_number * BLOCK + i), i, &mut raw);
            }
            // Apart from reading, so that it runs on whole vectors of rows.
            for (lane, &(column, missing)) in block.iter_mut().zip(&self.slots) {
                for (value, &x) in lane.iter_mut().zip(&raw[column]) {
                    *value = if x.is_nan() { missing } else { finite(x) };
                }
            }
            sums.iter_mut().for_each(|sum| *sum = [0.0; BLOCK]);
            match &self.trees {
                Trees::Oblivious { depth, steps, leaves } => oblivious(*depth, steps, leaves, &block, &mut sums),
                Trees::Ordinary { trees, steps, values } => walk(trees, steps, values, &block, &mut sums),
            }
            for (i, out) in out.chunks_exact_mut(outputs).enumerate() {
                out.iter_mut().zip(&sums).for_each(|(out, sum)| *out += sum[i]);
            }
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

fn ordinary(forest: &Ordinary, slot: &mut impl FnMut(&Condition) -> Option<u16>) -> Option<Trees> {
    let (mut trees, mut steps, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for (children, conditions, _) in forest.trees() {
        let mut depths = vec![0; children.len()];
        for (node, (&left, condition)) in children.iter().zip(&conditions).enumerate() {
            let at = usize::from(left);
            if left == 0 {
                // Stays where it is: nothing is above infinity, and its right neighbour is never reached.
                steps.push(Step { slot: 0, left: node as u16, threshold: f32::INFINITY });
                values.push(condition.threshold);
            } else {
                steps.push(Step { slot: slot(condition)?, left, threshold: condition.threshold });
                values.push(0.0);
                depths[at] = depths[node] + 1;
                depths[at + 1] = depths[node] + 1;
            }
        }
        trees.push(Shape { size: children.len(), depth: depths.into_iter().max().unwrap_or(0) });
    }
    Some(Trees::Ordinary { trees, steps, values })
}

fn oblivious(depth: u8, steps: &[Step], leaves: &[f32], block: &[Lane], sums: &mut [Lane]) {
    match depth {
        1 => oblivious_of::<1, 2>(steps, leaves, block, sums),
        2 => oblivious_of::<2, 4>(steps, leaves, block, sums),
        3 => oblivious_of::<3, 8>(steps, leaves, block, sums),
        4 => oblivious_of::<4, 16>(steps, leaves, block, sums),
        5 => oblivious_of::<5, 32>(steps, leaves, block, sums),
        6 => oblivious_of::<6, 64>(steps, leaves, block, sums),
        7 => oblivious_of::<7, 128>(steps, leaves, block, sums),
        _ => oblivious_of::<8, 256>(steps, leaves, block, sums),
    }
}

/// `LEAVES` is two to the power of `DEPTH`.
fn oblivious_of<const DEPTH: usize, const LEAVES: usize>(
    steps: &[Step],
    leaves: &[f32],
    block: &[Lane],
    sums: &mut [Lane],
) {
    let outputs = sums.len();
    let trees = steps.as_chunks::<DEPTH>().0.iter().zip(leaves.as_chunks::<LEAVES>().0);
    let mut output = 0;
    for (steps, leaves) in trees {
        let mut places = [0u32; BLOCK];
        for (depth, step) in steps.iter().enumerate() {
            let lane = &block[usize::from(step.slot)];
            for (place, &x) in places.iter_mut().zip(lane) {
                *place |= u32::from(x > step.threshold) << depth;
            }
        }
        for (sum, place) in sums[output].iter_mut().zip(places) {
            // The remainder is the place itself and tells the compiler that it is in range.
            *sum += leaves[place as usize % LEAVES];
        }
        output = if output + 1 == outputs { 0 } else { output + 1 };
    }
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
