//! Margins of raw rows, a block of rows at a time through tree after tree.
//!
//! The values that the trees ask for are first laid out column by column, so that one condition is one comparison of
//! a whole vector of rows. A missing value is written as what sends it to its side: below all thresholds or above, in
//! two columns where conditions on one column differ. That leaves a plain `>` in the loops.
//!
//! Leaves of oblivious trees are rounded to multiples of a small power of two ([`grid`]), so that every sum of them is
//! exact: the trees may be added in any order, as 32-bit floats or as whole numbers, and give the same bits.

use std::collections::{BTreeSet, HashMap};

use ndarray::{ArrayView1, ArrayView2};

use crate::features::lanes::{BLOCK, Lane, Lanes};

use super::bins::finite;
use super::trees::{Condition, Forest, Ordinary};

mod bytes;
mod oblivious;

use bytes::{Bytes, ROWS, Sums};
use oblivious::{has_avx512, oblivious};

/// What two blocks of rows are worked on in.
struct Room {
    blocks: [Vec<Lane>; 2],
    sums: Vec<Lane>,
    bytes: Vec<Bytes>,
    whole_sums: Vec<Sums>,
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
    Oblivious { depth: u8, leaves: Vec<f32>, on_bytes: bytes::Forest },
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
        let slot = |condition: &Condition| places.get(&(condition.column, condition.missing_left)).copied();
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
                let grid = grid(&forest.leaves, 1 << forest.depth);
                let leaves: Vec<f32> = forest.leaves.iter().map(|leaf| (leaf / grid).round() * grid).collect();
                let on_bytes = bytes::Forest::new(forest.depth, &steps, &leaves, grid, outputs);
                Trees::Oblivious { depth: forest.depth, leaves, on_bytes }
            }
            Forest::Ordinary(forest) => ordinary(forest, &mut push)?,
        };
        Some(Plan { columns, slots, steps, column_steps, trees })
    }

    /// Adds the trees' margins to `out`, which has `outputs` a row. Rows have the columns the forest was checked for.
    pub(super) fn add_margins(&self, rows: ArrayView2<f32>, outputs: usize, out: &mut [f32]) {
        let mut raw: [Vec<Lane>; 2] = [0, 1].map(|_| vec![[0.0; BLOCK]; self.columns.len()]);
        let mut room = self.room(outputs);
        let slots: Vec<usize> = (0..self.slots.len()).collect();
        for (pair, out) in out.chunks_mut(ROWS * outputs).enumerate() {
            for i in 0..out.len() / outputs {
                self.read(rows.row(pair * ROWS + i), i % BLOCK, &mut raw[i / BLOCK]);
            }
            let mut blocks = std::mem::take(&mut room.blocks);
            for (block, raw) in blocks.iter_mut().zip(&raw) {
                self.fill(|column| &raw[column], block);
            }
            self.add_blocks(&self.steps, &slots, [&blocks[0], &blocks[1]], &mut room, out);
            room.blocks = blocks;
        }
    }

    /// The same for rows that were laid out before.
    pub(super) fn add_margins_of(&self, rows: &Lanes, outputs: usize, out: &mut [f32]) {
        let mut room = self.room(outputs);
        let columns: Vec<usize> = self.slots.iter().map(|(column, _)| self.columns[*column]).collect();
        let mut blocks = rows.blocks();
        for out in out.chunks_mut(ROWS * outputs) {
            let Some(first) = blocks.next() else { return };
            // After the last block comes nothing: what is said of its rows in its place is not asked for.
            let pair = [first, blocks.next().unwrap_or(first)];
            if rows.is_finite() {
                self.add_blocks(&self.column_steps, &columns, pair, &mut room, out);
            } else {
                let mut filled = std::mem::take(&mut room.blocks);
                for (filled, block) in filled.iter_mut().zip(pair) {
                    self.fill(|column| &block[self.columns[column]], filled);
                }
                let slots: Vec<usize> = (0..self.slots.len()).collect();
                self.add_blocks(&self.steps, &slots, [&filled[0], &filled[1]], &mut room, out);
                room.blocks = filled;
            }
        }
    }

    fn room(&self, outputs: usize) -> Room {
        let bytes = match &self.trees {
            Trees::Oblivious { on_bytes, .. } => on_bytes.bytes(),
            Trees::Ordinary { .. } => 0,
        };
        Room {
            blocks: [0, 1].map(|_| vec![[0.0; BLOCK]; self.slots.len()]),
            sums: vec![[0.0; BLOCK]; outputs],
            bytes: vec![[0; ROWS]; bytes],
            whole_sums: vec![[0; ROWS]; outputs],
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

    /// Two blocks of rows. `steps` are those on the lanes of the blocks, `lanes` are the places in them of the slots.
    fn add_blocks(&self, steps: &[Step], lanes: &[usize], blocks: [&[Lane]; 2], room: &mut Room, out: &mut [f32]) {
        let outputs = room.sums.len();
        #[cfg(target_arch = "x86_64")]
        if let Trees::Oblivious { depth, on_bytes, .. } = &self.trees
            && !has_avx512(*depth)
            && std::is_x86_feature_detected!("avx2")
        {
            let lane = |slot: usize| blocks.map(|block| &block[lanes[slot]]);
            // SAFETY: the processor has AVX2, which is all that the function asks for.
            unsafe { on_bytes.add(lane, &mut room.bytes, &mut room.whole_sums, out) };
            return;
        }
        for (block, out) in blocks.into_iter().zip(out.chunks_mut(BLOCK * outputs)) {
            self.add_block(steps, block, &mut room.sums, out);
        }
    }

    fn add_block(&self, steps: &[Step], block: &[Lane], sums: &mut [Lane], out: &mut [f32]) {
        let outputs = sums.len();
        sums.iter_mut().for_each(|sum| *sum = [0.0; BLOCK]);
        match &self.trees {
            Trees::Oblivious { depth, leaves, .. } => {
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

/// The power of two to multiples of which leaves are rounded. A leaf is at most 32,767 of them, and no sum of leaves more
/// than 24 bits hold. That is a step of 0.00001 in the default model's last stage.
fn grid(leaves: &[f32], size: usize) -> f32 {
    const MOST_SUMMED: f64 = (1 << 23) as f64;
    let most = leaves.chunks(size).map(|tree| f64::from(most_of_tree(tree)));
    let (most, sum) = most.fold((0.0f64, 0.0), |(most, sum), tree| (most.max(tree), sum + tree));
    let least = (most / f64::from(i16::MAX)).max(sum / MOST_SUMMED);
    least.log2().ceil().exp2().clamp(f64::from(f32::MIN_POSITIVE), f64::from(f32::MAX)) as f32
}

/// The greatest leaf, without its sign.
fn most_of_tree(leaves: &[f32]) -> f32 {
    leaves.iter().fold(0.0, |most, leaf| most.max(leaf.abs()))
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
