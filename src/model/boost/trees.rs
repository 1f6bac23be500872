//! Trained trees as they are stored: flat arrays, thresholds in the features' own units.
//!
//! A row goes left at a condition when its value is at most the threshold, right when it is greater. A missing value
//! (NaN) goes to the side that the condition names. Infinities count as the largest finite numbers.

use serde::{Deserialize, Serialize};

use super::bins::{Cuts, finite};
use super::grow::{Leaf, Tree};
use super::histogram::Split;
use super::params::{BoostError, MAX_LEAVES, MAX_OBLIVIOUS_DEPTH};

/// A model's trees. Tree `t` speaks for margin `t % outputs`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Forest {
    Oblivious(Oblivious),
    Ordinary(Ordinary),
}

/// Trees of one depth, one condition a level.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Oblivious {
    pub(super) depth: u8,
    /// `depth` conditions a tree, the first level first. Shallower trees are filled up with conditions that no row
    /// passes to the right.
    pub(super) conditions: Conditions,
    /// `2^depth` margins a tree; bit `d` of a leaf's place says that condition `d` sent it right.
    pub(super) leaves: Vec<f32>,
    /// Each leaf's share of its tree's training rows, see [`cover_code`].
    pub(super) covers: Vec<u8>,
}

/// Trees of any shape.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Ordinary {
    /// How many nodes each tree has.
    pub(super) sizes: Vec<u16>,
    /// By node, the place in its tree of the left child, whose neighbour is the right one; 0 for a leaf. Children
    /// come after their parents.
    pub(super) children: Vec<u16>,
    /// By node; a leaf's threshold is its margin.
    pub(super) conditions: Conditions,
    /// By node, see [`cover_code`]; 0 for inner nodes.
    pub(super) covers: Vec<u8>,
}

/// Conditions side by side.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Conditions {
    /// Twice the column's number, plus one where missing values go left.
    codes: Vec<u32>,
    thresholds: Vec<f32>,
}

/// One condition of a stored tree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Condition {
    pub(super) column: usize,
    pub(super) missing_left: bool,
    pub(super) threshold: f32,
}

impl Condition {
    pub(super) fn goes_left(&self, x: f32) -> bool {
        if x.is_nan() { self.missing_left } else { finite(x) <= self.threshold }
    }
}

impl Conditions {
    pub(super) fn len(&self) -> usize {
        self.thresholds.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Condition> {
        self.codes.iter().zip(&self.thresholds).map(|(&code, &threshold)| Condition {
            column: (code / 2) as usize,
            missing_left: code % 2 == 1,
            threshold,
        })
    }

    fn push(&mut self, column: usize, missing_left: bool, threshold: f32) {
        self.codes.push(column as u32 * 2 + u32::from(missing_left));
        self.thresholds.push(threshold);
    }

    fn append(&mut self, other: &Conditions) {
        self.codes.extend_from_slice(&other.codes);
        self.thresholds.extend_from_slice(&other.thresholds);
    }

    fn push_split(&mut self, split: &Split, cuts: &Cuts) {
        self.push(split.column, split.missing_left, cuts.of(split.column)[usize::from(split.cut)]);
    }

    fn check(&self, columns: usize) -> Result<(), BoostError> {
        if self.codes.len() != self.thresholds.len() {
            return Err(BoostError::Corrupt("numbers of columns and thresholds differ"));
        }
        if self.thresholds.iter().any(|t| !t.is_finite()) {
            return Err(BoostError::Corrupt("a threshold is not finite"));
        }
        if self.codes.iter().any(|&code| (code / 2) as usize >= columns) {
            return Err(BoostError::Corrupt("a condition is on a column that does not exist"));
        }
        Ok(())
    }
}

/// Shares of a tree's weight in one byte: 0 for none, else eight steps to each power of two below the whole.
fn cover_code(cover: f32, total: f32) -> u8 {
    let share = cover / total;
    // Not greater than zero, or not a number for an empty tree.
    if share.is_nan() || share <= 0.0 { 0 } else { (255.0 + 8.0 * share.log2()).round().clamp(1.0, 255.0) as u8 }
}

fn cover_of(code: u8) -> f64 {
    if code == 0 { 0.0 } else { ((f64::from(code) - 255.0) / 8.0).exp2() }
}

impl Forest {
    /// Stores trees that were grown on bins.
    pub(super) fn new(trees: &[Tree], cuts: &Cuts, oblivious: bool) -> Forest {
        if oblivious {
            Forest::Oblivious(Oblivious::new(trees, cuts))
        } else {
            Forest::Ordinary(Ordinary::new(trees, cuts))
        }
    }

    /// The number of trees.
    pub(super) fn trees(&self) -> usize {
        match self {
            Forest::Oblivious(forest) => forest.leaves.len() >> forest.depth,
            Forest::Ordinary(forest) => forest.sizes.len(),
        }
    }

    /// The trees of several forests of one kind, every leaf shrunk so that together they say the mean.
    pub(super) fn mean<'a>(forests: impl Iterator<Item = &'a Forest> + Clone) -> Result<Forest, BoostError> {
        let share = 1.0 / forests.clone().count() as f32;
        let mut oblivious: Vec<&Oblivious> = Vec::new();
        let mut ordinary: Vec<&Ordinary> = Vec::new();
        for forest in forests {
            match forest {
                Forest::Oblivious(forest) => oblivious.push(forest),
                Forest::Ordinary(forest) => ordinary.push(forest),
            }
        }
        match (oblivious.is_empty(), ordinary.is_empty()) {
            (false, true) => Ok(Forest::Oblivious(Oblivious::mean(&oblivious, share))),
            (true, false) => Ok(Forest::Ordinary(Ordinary::mean(&ordinary, share))),
            _ => Err(BoostError::Unlike("ordinary and oblivious trees")),
        }
    }

    /// Whether every place that prediction looks up is there.
    pub(super) fn check(&self, columns: usize) -> Result<(), BoostError> {
        match self {
            Forest::Oblivious(forest) => forest.check(columns),
            Forest::Ordinary(forest) => forest.check(columns),
        }
    }

    /// Adds to `out` what each condition on the row's way changes, by column, and the roots' values last: the trees
    /// of margin `output` out of `outputs`.
    pub(super) fn contributions(&self, row: &[f32], output: usize, outputs: usize, out: &mut [f64]) {
        match self {
            Forest::Oblivious(forest) => forest.contributions(row, output, outputs, out),
            Forest::Ordinary(forest) => forest.contributions(row, output, outputs, out),
        }
    }
}

impl Oblivious {
    fn new(trees: &[Tree], cuts: &Cuts) -> Oblivious {
        let trees: Vec<(&Vec<Split>, &Vec<Leaf>)> = trees
            .iter()
            .filter_map(|tree| match tree {
                Tree::Oblivious { splits, leaves } => Some((splits, leaves)),
                Tree::Ordinary(_) => None,
            })
            .collect();
        let depth = trees.iter().map(|(splits, _)| splits.len()).max().unwrap_or(0).max(1);
        let mut forest = Oblivious { depth: depth as u8, ..Oblivious::default() };
        for (splits, leaves) in trees {
            splits.iter().for_each(|split| forest.conditions.push_split(split, cuts));
            forest.fill_up(depth - splits.len());
            let total: f32 = leaves.iter().map(|leaf| leaf.cover).sum();
            for place in 0..1 << depth {
                let leaf = leaves.get(place).copied().unwrap_or_default();
                forest.leaves.push(leaf.value);
                forest.covers.push(cover_code(leaf.cover, total));
            }
        }
        forest
    }

    /// Ends a tree with conditions that no row passes to the right: nothing is greater than the largest number, and
    /// what is missing goes left.
    fn fill_up(&mut self, levels: usize) {
        (0..levels).for_each(|_| self.conditions.push(0, true, f32::MAX));
    }

    fn mean(forests: &[&Oblivious], share: f32) -> Oblivious {
        let depth = forests.iter().map(|forest| forest.depth).max().unwrap_or(1);
        let mut mean = Oblivious { depth, ..Oblivious::default() };
        for forest in forests {
            let conditions: Vec<Condition> = forest.conditions.iter().collect();
            let leaves = forest.leaves.chunks_exact(1 << forest.depth);
            let trees = leaves.zip(forest.covers.chunks_exact(1 << forest.depth));
            for (conditions, (leaves, covers)) in conditions.chunks_exact(forest.depth.into()).zip(trees) {
                conditions.iter().for_each(|c| mean.conditions.push(c.column, c.missing_left, c.threshold));
                mean.fill_up(usize::from(depth - forest.depth));
                mean.leaves.extend(leaves.iter().map(|value| value * share));
                mean.covers.extend_from_slice(covers);
                // Leaves that no row comes to.
                let places = (mean.conditions.len() / usize::from(depth)) << depth;
                mean.leaves.resize(places, 0.0);
                mean.covers.resize(places, 0);
            }
        }
        mean
    }

    fn check(&self, columns: usize) -> Result<(), BoostError> {
        if !(1..=MAX_OBLIVIOUS_DEPTH).contains(&self.depth) {
            return Err(BoostError::Corrupt("a depth out of range"));
        }
        let depth = usize::from(self.depth);
        self.conditions.check(columns)?;
        let trees = self.leaves.len() >> depth;
        if self.leaves.len() != trees << depth || self.covers.len() != self.leaves.len() {
            return Err(BoostError::Corrupt("a number of leaves that does not fit the depth"));
        }
        if self.conditions.len() != trees * depth {
            return Err(BoostError::Corrupt("a number of conditions that does not fit the depth"));
        }
        if self.leaves.iter().any(|value| !value.is_finite()) {
            return Err(BoostError::Corrupt("a leaf is not finite"));
        }
        Ok(())
    }

    fn contributions(&self, row: &[f32], output: usize, outputs: usize, out: &mut [f64]) {
        let depth = usize::from(self.depth);
        let conditions: Vec<Condition> = self.conditions.iter().collect();
        let leaves = self.leaves.chunks_exact(1 << depth).zip(self.covers.chunks_exact(1 << depth));
        let trees = conditions.chunks_exact(depth).zip(leaves).skip(output).step_by(outputs);
        for (conditions, (leaves, covers)) in trees {
            // The nodes of the level below, as value and cover; from the leaves up, keeping the row's node of each.
            let mut level: Vec<(f64, f64)> =
                leaves.iter().zip(covers).map(|(&value, &cover)| (f64::from(value), cover_of(cover))).collect();
            let right = |c: &Condition| usize::from(!c.goes_left(row[c.column]));
            let place = conditions.iter().enumerate().fold(0, |place, (d, c)| place | right(c) << d);
            let mut below = level[place].0;
            for (d, condition) in conditions.iter().enumerate().rev() {
                let (left, right) = level.split_at(1 << d);
                level = left.iter().zip(right).map(|(l, r)| mean(*l, *r)).collect();
                let here = level[place & ((1 << d) - 1)].0;
                out[condition.column] += below - here;
                below = here;
            }
            out[row.len()] += below;
        }
    }
}

impl Ordinary {
    fn new(trees: &[Tree], cuts: &Cuts) -> Ordinary {
        let mut forest = Ordinary::default();
        for tree in trees {
            let Tree::Ordinary(nodes) = tree else { continue };
            // There are at most twice `MAX_LEAVES` nodes.
            forest.sizes.push(nodes.len() as u16);
            let total = nodes.first().map_or(0.0, |root| root.leaf.cover);
            for node in nodes {
                match &node.split {
                    Some((split, left)) => {
                        forest.children.push(*left as u16);
                        forest.conditions.push_split(split, cuts);
                        forest.covers.push(0);
                    }
                    None => {
                        forest.children.push(0);
                        forest.conditions.push(0, false, node.leaf.value);
                        forest.covers.push(cover_code(node.leaf.cover, total));
                    }
                }
            }
        }
        forest
    }

    fn mean(forests: &[&Ordinary], share: f32) -> Ordinary {
        let mut mean = Ordinary::default();
        for forest in forests {
            let first = mean.children.len();
            mean.sizes.extend_from_slice(&forest.sizes);
            mean.children.extend_from_slice(&forest.children);
            mean.conditions.append(&forest.conditions);
            mean.covers.extend_from_slice(&forest.covers);
            // A leaf's threshold is its margin.
            let nodes = mean.children[first..].iter().zip(&mut mean.conditions.thresholds[first..]);
            nodes.filter(|(left, _)| **left == 0).for_each(|(_, value)| *value *= share);
        }
        mean
    }

    fn check(&self, columns: usize) -> Result<(), BoostError> {
        self.conditions.check(columns)?;
        let nodes: usize = self.sizes.iter().map(|&size| usize::from(size)).sum();
        if self.children.len() != nodes || self.conditions.len() != nodes || self.covers.len() != nodes {
            return Err(BoostError::Corrupt("a number of nodes that does not fit the trees"));
        }
        let mut rest = self.children.as_slice();
        for &size in &self.sizes {
            let (tree, others) = rest.split_at(usize::from(size));
            rest = others;
            if size == 0 || size > 2 * MAX_LEAVES {
                return Err(BoostError::Corrupt("a tree of impossible size"));
            }
            // Children after their parents: no way through the tree can go in circles.
            let wrong = |(node, &left): (usize, &u16)| left != 0 && (usize::from(left) <= node || left >= size - 1);
            if tree.iter().enumerate().any(wrong) {
                return Err(BoostError::Corrupt("a node's children are out of place"));
            }
        }
        Ok(())
    }

    /// Every tree's nodes, as their conditions and the places of their left children.
    pub(super) fn trees(&self) -> impl Iterator<Item = (&[u16], Vec<Condition>, &[u8])> {
        let mut start = 0;
        let mut conditions = self.conditions.iter();
        self.sizes.iter().map(move |&size| {
            let places = start..start + usize::from(size);
            start = places.end;
            let conditions = conditions.by_ref().take(places.len()).collect();
            (&self.children[places.clone()], conditions, &self.covers[places])
        })
    }

    fn contributions(&self, row: &[f32], output: usize, outputs: usize, out: &mut [f64]) {
        for (children, conditions, covers) in self.trees().skip(output).step_by(outputs) {
            let leaf = |(condition, &cover): (&Condition, &u8)| (f64::from(condition.threshold), cover_of(cover));
            let mut nodes: Vec<(f64, f64)> = conditions.iter().zip(covers).map(leaf).collect();
            for (node, &left) in children.iter().enumerate().rev().filter(|(_, left)| **left != 0) {
                let left = usize::from(left);
                nodes[node] = mean(nodes[left], nodes[left + 1]);
            }
            out[row.len()] += nodes[0].0;
            let mut node = 0;
            while children[node] != 0 {
                let condition = &conditions[node];
                let next = usize::from(children[node]) + usize::from(!condition.goes_left(row[condition.column]));
                out[condition.column] += nodes[next].0 - nodes[node].0;
                node = next;
            }
        }
    }
}

/// The value and cover of the node above two, each as value and cover.
fn mean(left: (f64, f64), right: (f64, f64)) -> (f64, f64) {
    let cover = left.1 + right.1;
    let value = if cover > 0.0 { (left.0 * left.1 + right.0 * right.1) / cover } else { (left.0 + right.0) / 2.0 };
    (value, cover)
}
