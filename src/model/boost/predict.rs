//! Margins of raw rows, two blocks of rows at a time through tree after tree.
//!
//! The values that the trees ask for are first laid out column by column, so that one condition is one comparison of
//! a whole vector of rows. A missing value is written as what sends it to its side: below all thresholds or above, in
//! two slots where conditions on one column differ. That leaves a plain `>` in the loops.

use std::collections::{BTreeSet, HashMap};

use ndarray::{ArrayView1, ArrayView2};

use crate::features::lanes::{BLOCK, Lane, Lanes};

use super::bins::finite;
use super::trees::{Condition, Forest, Ordinary};

mod bytes;

use bytes::ByteForest;

/// Rows that go through the trees together.
const ROWS: usize = 2 * BLOCK;

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
    Oblivious(ByteForest),
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

/// What rows are worked on in.
struct Room {
    /// The slots of two blocks.
    filled: [Vec<Lane>; 2],
    sums: Vec<Lane>,
    bytes: bytes::Room,
}

impl Plan {
    /// Prepares a forest that has been checked. `None` if it asks for more columns than slots can be numbered.
    pub(super) fn new(forest: &Forest, outputs: usize) -> Option<Plan> {
        let conditions = match forest {
            Forest::Oblivious(forest) => &forest.conditions,
            Forest::Ordinary(forest) => &forest.conditions,
        };
        // In the order of the columns, so that rows are read from their beginning to their end.
        let asked: BTreeSet<(usize, bool)> = conditions.iter().map(|c| (c.column, c.missing_left)).collect();
        let (mut columns, mut slots, mut places) = (Vec::new(), Vec::new(), HashMap::new());
        for (column, missing_left) in asked {
            if columns.last() != Some(&column) {
                columns.push(column);
            }
            places.insert((column, missing_left), u16::try_from(slots.len()).ok()?);
            slots.push((columns.len() - 1, if missing_left { f32::NEG_INFINITY } else { f32::INFINITY }));
        }
        let step = |condition: &Condition, left: u16| Step {
            slot: places[&(condition.column, condition.missing_left)],
            left,
            threshold: condition.threshold,
        };
        let trees = match forest {
            Forest::Oblivious(forest) => {
                let steps: Vec<Step> = forest.conditions.iter().map(|condition| step(&condition, 0)).collect();
                Trees::Oblivious(ByteForest::new(forest.depth, &steps, &forest.leaves, outputs))
            }
            Forest::Ordinary(forest) => ordinary(forest, step),
        };
        Some(Plan { columns, slots, trees })
    }

    /// Adds the trees' margins to `out`, which has `outputs` a row. Rows have the columns the forest was checked for.
    pub(super) fn add_margins(&self, rows: ArrayView2<f32>, outputs: usize, out: &mut [f32]) {
        let mut raw: [Vec<Lane>; 2] = [0, 1].map(|_| vec![[0.0; BLOCK]; self.columns.len()]);
        let mut room = self.room(outputs);
        for (pair, out) in out.chunks_mut(ROWS * outputs).enumerate() {
            for i in 0..out.len() / outputs {
                self.read(rows.row(pair * ROWS + i), i % BLOCK, &mut raw[i / BLOCK]);
            }
            self.add_filled(|block, column| &raw[block][column], &mut room, out);
        }
    }

    /// The same for rows that were laid out before.
    pub(super) fn add_margins_of(&self, rows: &Lanes, outputs: usize, out: &mut [f32]) {
        let mut room = self.room(outputs);
        let places: Vec<usize> = self.slots.iter().map(|(column, _)| self.columns[*column]).collect();
        let mut blocks = rows.blocks();
        for out in out.chunks_mut(ROWS * outputs) {
            let Some(first) = blocks.next() else { return };
            // After the last block comes nothing, and what is said of the rows in its place is not asked for.
            let pair = [first, blocks.next().unwrap_or(first)];
            if rows.is_finite() {
                self.add_pair(|block, slot| &pair[block][places[slot]], &mut room, out);
            } else {
                self.add_filled(|block, column| &pair[block][self.columns[column]], &mut room, out);
            }
        }
    }

    fn room(&self, outputs: usize) -> Room {
        let bytes = match &self.trees {
            Trees::Oblivious(forest) => forest.room(outputs),
            Trees::Ordinary { .. } => bytes::Room::default(),
        };
        let filled = [0, 1].map(|_| vec![[0.0; BLOCK]; self.slots.len()]);
        Room { filled, sums: vec![[0.0; BLOCK]; outputs], bytes }
    }

    /// Two blocks whose values may be missing; `lane` gives those of one of `columns`.
    #[inline]
    fn add_filled<'a>(&self, lane: impl Fn(usize, usize) -> &'a Lane, room: &mut Room, out: &mut [f32]) {
        let mut filled = std::mem::take(&mut room.filled);
        for (block, lanes) in filled.iter_mut().enumerate() {
            // Apart from reading, so that it runs on whole vectors of rows.
            for (values, &(column, missing)) in lanes.iter_mut().zip(&self.slots) {
                for (value, &x) in values.iter_mut().zip(lane(block, column)) {
                    *value = if x.is_nan() { missing } else { finite(x) };
                }
            }
        }
        self.add_pair(|block, slot| &filled[block][slot], room, out);
        room.filled = filled;
    }

    /// Two blocks; `lane` gives the values of a slot.
    #[inline]
    fn add_pair<'a>(&self, lane: impl Fn(usize, usize) -> &'a Lane, room: &mut Room, out: &mut [f32]) {
        let (trees, steps, values) = match &self.trees {
            Trees::Oblivious(forest) => {
                return forest.add(|slot| [lane(0, slot), lane(1, slot)], &mut room.bytes, out);
            }
            Trees::Ordinary { trees, steps, values } => (trees, steps, values),
        };
        let outputs = room.sums.len();
        for (block, out) in out.chunks_mut(BLOCK * outputs).enumerate() {
            room.sums.fill([0.0; BLOCK]);
            walk(trees, steps, values, |slot| lane(block, slot), &mut room.sums);
            for (row, out) in out.chunks_exact_mut(outputs).enumerate() {
                out.iter_mut().zip(&room.sums).for_each(|(out, sum)| *out += sum[row]);
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

/// `step` takes each condition and the place of its left child.
fn ordinary(forest: &Ordinary, step: impl Fn(&Condition, u16) -> Step) -> Trees {
    let (mut trees, mut steps, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for (children, conditions, _) in forest.trees() {
        let mut depths = vec![0; children.len()];
        for (node, (&left, condition)) in children.iter().zip(&conditions).enumerate() {
            let at = usize::from(left);
            if left == 0 {
                // Stays where it is: nothing is above infinity, and its right neighbour is never reached.
                steps.push(step(&Condition { threshold: f32::INFINITY, ..*condition }, node as u16));
                values.push(condition.threshold);
            } else {
                steps.push(step(condition, left));
                values.push(0.0);
                depths[at] = depths[node] + 1;
                depths[at + 1] = depths[node] + 1;
            }
        }
        trees.push(Shape { size: children.len(), depth: depths.into_iter().max().unwrap_or(0) });
    }
    Trees::Ordinary { trees, steps, values }
}

fn walk<'a>(
    trees: &[Shape],
    mut steps: &[Step],
    mut values: &[f32],
    lane: impl Fn(usize) -> &'a Lane,
    sums: &mut [Lane],
) {
    let outputs = sums.len();
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
                let next = node.left + u16::from(lane(usize::from(node.slot))[i] > node.threshold);
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
