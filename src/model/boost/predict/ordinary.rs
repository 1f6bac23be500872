//! Rows through trees of any shape, a block of rows at a time.

use std::collections::{BTreeSet, HashMap};

use crate::features::lanes::{Lane, ROWS};
use crate::model::boost::bins::finite;
use crate::model::boost::trees::{Condition, Ordinary};

/// Trees made ready for prediction.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    /// Which columns a condition's values come from, and what stands for a missing one: below all thresholds or above, in
    /// two slots where conditions on one column differ. That leaves a plain `>` in the loops.
    slots: Vec<(usize, f32)>,
    trees: Vec<Shape>,
    steps: Vec<Step>,
    /// A leaf's margin.
    values: Vec<f32>,
}

/// A condition: right if the slot's value is greater.
#[derive(Clone, Copy, Debug)]
struct Step {
    slot: u32,
    /// The place of the left child; a leaf's is itself.
    left: u16,
    threshold: f32,
}

#[derive(Clone, Copy, Debug)]
struct Shape {
    size: usize,
    depth: usize,
}

impl Walk {
    pub(super) fn new(forest: &Ordinary) -> Walk {
        let asked: BTreeSet<(usize, bool)> = forest.conditions.iter().map(|c| (c.column, c.missing_left)).collect();
        let places: HashMap<(usize, bool), u32> = asked.iter().copied().zip(0..).collect();
        let missing = |left: bool| if left { f32::NEG_INFINITY } else { f32::INFINITY };
        let slots = asked.into_iter().map(|(column, missing_left)| (column, missing(missing_left))).collect();
        let step = |condition: &Condition, left: u16, threshold: f32| Step {
            slot: places[&(condition.column, condition.missing_left)],
            left,
            threshold,
        };
        let mut walk = Walk { slots, trees: Vec::new(), steps: Vec::new(), values: Vec::new() };
        for (children, conditions, _) in forest.trees() {
            let mut depths = vec![0; children.len()];
            for (node, (&left, condition)) in children.iter().zip(&conditions).enumerate() {
                let at = usize::from(left);
                if left == 0 {
                    // Stays where it is: nothing is above infinity, and its right neighbour is never reached.
                    walk.steps.push(step(condition, node as u16, f32::INFINITY));
                    walk.values.push(condition.threshold);
                } else {
                    walk.steps.push(step(condition, left, condition.threshold));
                    walk.values.push(0.0);
                    depths[at] = depths[node] + 1;
                    depths[at + 1] = depths[node] + 1;
                }
            }
            walk.trees.push(Shape { size: children.len(), depth: depths.into_iter().max().unwrap_or(0) });
        }
        walk
    }

    /// Adds the margins of a block's rows to `out`, which has `outputs` a row.
    pub(super) fn add(&self, lanes: &[Lane], outputs: usize, out: &mut [f32]) {
        let filled = |&(column, missing): &(usize, f32)| {
            lanes[column].map(|value| if value.is_nan() { missing } else { finite(value) })
        };
        let slots: Vec<Lane> = self.slots.iter().map(filled).collect();
        let mut sums = vec![[0.0; ROWS]; outputs];
        self.walk(&slots, &mut sums);
        for (row, out) in out.chunks_exact_mut(outputs).enumerate() {
            out.iter_mut().zip(&sums).for_each(|(out, sums)| *out += sums[row]);
        }
    }

    fn walk(&self, slots: &[Lane], sums: &mut [Lane]) {
        let (mut steps, mut values) = (self.steps.as_slice(), self.values.as_slice());
        let outputs = sums.len();
        for (tree, shape) in self.trees.iter().enumerate() {
            let (nodes, rest) = steps.split_at(shape.size);
            let (leaves, others) = values.split_at(shape.size);
            (steps, values) = (rest, others);
            if shape.depth == 0 {
                sums[tree % outputs].iter_mut().for_each(|sum| *sum += leaves[0]);
                continue;
            }
            let mut at = [0u16; ROWS];
            for _ in 0..shape.depth {
                // All rows take one step, so that the processor looks up several at a time.
                let mut moved = 0;
                for (row, at) in at.iter_mut().enumerate() {
                    let node = nodes[usize::from(*at)];
                    let next = node.left + u16::from(slots[node.slot as usize][row] > node.threshold);
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
}
