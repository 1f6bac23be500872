//! Margins of raw rows, a block of rows at a time through tree after tree.
//!
//! The values that the trees ask for are first laid out column by column, so that one condition is one comparison of
//! a whole vector of rows. A missing value is written as what sends it to its side: below all thresholds or above, in
//! two columns where conditions on one column differ. That leaves a plain `>` in the loops.

use std::collections::HashMap;

use ndarray::{ArrayView1, ArrayView2};

use super::bins::finite;
use super::trees::{Condition, Forest, Ordinary};

mod oblivious;

use oblivious::oblivious;

/// Rows that go through the trees together: with more of them the trees, some hundred kilobytes, are read less often. But
/// then 370 columns no longer stay in the first cache while trees pass through it: with 32 rows, labelling took 0.06 ms of
/// 0.64 more for a mean page of `wcxb-dev`.
pub(in crate::model) const BLOCK: usize = 16;

/// One value of each row of a block.
pub(in crate::model) type Lane = [f32; BLOCK];

/// Rows laid out as the trees take them, a block of rows after the other and in it column after column, for several
/// models to share.
#[derive(Clone, Debug)]
pub struct Lanes {
    rows: usize,
    columns: usize,
    lanes: Vec<Lane>,
    /// Whether no value is missing or infinite: trees then read the lanes as they are.
    finite: bool,
}

/// Rows and columns that are turned together, as vectors that every processor has.
const FOUR: usize = 4;

/// Writes four rows of `width` values to as many lanes, as their values `four` times four on. Square by square, each read
/// and written as four vectors.
fn turn(rows: &[f32], width: usize, lanes: &mut [Lane], four: usize) {
    let parts: [&[f32]; FOUR] = std::array::from_fn(|row| &rows[row * width..(row + 1) * width]);
    let [a, b, c, d] = parts.map(|part| part.as_chunks::<FOUR>().0);
    let (squares, rest) = lanes.as_chunks_mut::<FOUR>();
    for ((((lanes, a), b), c), d) in squares.iter_mut().zip(a).zip(b).zip(c).zip(d) {
        for (column, lane) in lanes.iter_mut().enumerate() {
            lane.as_chunks_mut::<FOUR>().0[four] = [a[column], b[column], c[column], d[column]];
        }
    }
    let done = squares.len() * FOUR;
    for (column, lane) in rest.iter_mut().enumerate() {
        lane.as_chunks_mut::<FOUR>().0[four] = parts.map(|part| part[done + column]);
    }
}

fn all_finite(values: &[f32]) -> bool {
    // Of numbers that are not finite all bits of the exponent are set. Without a way out in the middle, so that it runs on
    // whole vectors.
    const EXPONENT: u32 = 0x7f80_0000;
    !values.iter().fold(false, |any, value| any | (value.to_bits() & EXPONENT == EXPONENT))
}

impl Lanes {
    /// Lays out rows, with room for `more` columns after theirs.
    pub fn new(rows: ArrayView2<f32>, more: usize) -> Lanes {
        let width = rows.ncols();
        let mut lanes = Lanes::empty(rows.nrows(), width + more);
        let standard = rows.as_standard_layout();
        let values = standard.as_slice().unwrap_or_default();
        for (four, rows) in values.chunks((FOUR * width).max(1)).enumerate() {
            lanes.put_rows(four * FOUR, width, rows);
        }
        lanes
    }

    /// Room for rows, all values 0.
    pub(crate) fn empty(rows: usize, columns: usize) -> Lanes {
        Lanes { rows, columns, finite: true, lanes: vec![[0.0; BLOCK]; rows.div_ceil(BLOCK) * columns] }
    }

    /// Sets the first columns of up to four rows from `row` on, a multiple of four, to values, `width` of them a row.
    pub(crate) fn put_rows(&mut self, row: usize, width: usize, values: &[f32]) {
        self.finite &= all_finite(values);
        let first = row / BLOCK * self.columns;
        let lanes = &mut self.lanes[first..first + width];
        let at = row % BLOCK;
        if values.len() == FOUR * width {
            turn(values, width, lanes, at / FOUR);
        } else {
            for (i, row) in (at..BLOCK).zip(values.chunks_exact(width)) {
                lanes.iter_mut().zip(row).for_each(|(lane, value)| lane[i] = *value);
            }
        }
    }

    /// Sets values of a row, those of `column` and of the columns after it.
    pub fn put(&mut self, row: usize, column: usize, values: &[f32]) {
        let first = row / BLOCK * self.columns;
        let lanes = &mut self.lanes[first + column..first + self.columns];
        lanes.iter_mut().zip(values).for_each(|(lane, value)| lane[row % BLOCK] = *value);
        self.finite &= all_finite(values);
    }

    /// Each block of rows, a lane a column; the last block's rows may be fewer, with zeros after them.
    pub(in crate::model) fn blocks(&self) -> impl Iterator<Item = &[Lane]> {
        self.lanes.chunks_exact(self.columns.max(1))
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many columns they have.
    pub fn columns(&self) -> usize {
        self.columns
    }
}

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
            if rows.finite {
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
