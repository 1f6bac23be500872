//! Growing one tree: what both kinds share, and ordinary trees, best leaf first.

use rayon::prelude::*;

use super::bins::{Bins, Cuts, GROUP};
use super::histogram::{EMPTY, Group, Histogram, Scorer, Split};
use super::loss::CHUNK;
use super::params::{BoostValidParams, Grow};

/// A tree on bins, as it was grown.
pub(super) enum Tree {
    /// One condition a level; bit `d` of a leaf's number says that condition `d` sent it right.
    Oblivious { splits: Vec<Split>, leaves: Vec<Leaf> },
    /// Nodes after their parents, siblings side by side, the root first.
    Ordinary(Vec<Node>),
}

/// A leaf's margin and the sum of second derivatives of its training rows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Leaf {
    pub(super) value: f32,
    pub(super) cover: f32,
}

/// A node of an ordinary tree.
pub(super) struct Node {
    /// The condition and where its left child is; the right one is next to it. `None` for a leaf.
    pub(super) split: Option<(Split, usize)>,
    pub(super) leaf: Leaf,
}

impl Tree {
    /// What the tree adds to a row's margin.
    #[inline]
    pub(super) fn value(&self, bins: &Bins, row: usize) -> f32 {
        match self {
            Tree::Oblivious { splits, leaves } => {
                let right = |split: &Split| usize::from(!split.goes_left(bins.get(row, split.column)));
                let leaf = splits.iter().enumerate().fold(0, |leaf, (depth, split)| leaf | right(split) << depth);
                leaves[leaf].value
            }
            Tree::Ordinary(nodes) => {
                let mut node = &nodes[0];
                while let Some((split, left)) = &node.split {
                    node = &nodes[left + usize::from(!split.goes_left(bins.get(row, split.column)))];
                }
                node.leaf.value
            }
        }
    }

    /// The conditions, in any order.
    pub(super) fn splits(&self) -> Vec<Split> {
        match self {
            Tree::Oblivious { splits, .. } => splits.clone(),
            Tree::Ordinary(nodes) => nodes.iter().filter_map(|node| node.split.map(|(split, _)| split)).collect(),
        }
    }
}

/// What a tree is grown from.
pub(super) struct Ground<'a> {
    pub(super) bins: &'a Bins,
    pub(super) cuts: &'a Cuts,
    /// The columns drawn for this tree.
    pub(super) groups: Vec<Group<'a>>,
    /// Every row's weighted first and second derivative, and the same packed.
    pub(super) derivatives: &'a [[f32; 2]],
    pub(super) packed: &'a [u64],
    pub(super) scorer: Scorer,
    pub(super) params: &'a BoostValidParams,
}

/// Memory that is used again for each tree.
#[derive(Default)]
pub(super) struct Space {
    /// The drawn rows; a node's are side by side and in rising order.
    pub(super) rows: Vec<u32>,
    /// Packed derivatives in the order of `rows`.
    pub(super) ordered: Vec<u64>,
    pub(super) scratch: Vec<u32>,
    pub(super) histograms: Vec<Histogram>,
    spare: Vec<Vec<Histogram>>,
}

impl Ground<'_> {
    /// Grows a tree on the rows in `space`.
    pub(super) fn grow(&self, space: &mut Space) -> Tree {
        space.ordered.resize(space.rows.len(), 0);
        space.scratch.resize(space.rows.len(), 0);
        match self.params.grow {
            Grow::Oblivious(depth) => self.oblivious(usize::from(depth), space),
            Grow::Leaves(leaves) => self.ordinary(usize::from(leaves), space),
        }
    }

    pub(super) fn columns(&self) -> usize {
        self.groups.iter().map(Group::len).sum()
    }

    /// The sums of derivatives of rows.
    pub(super) fn sums(&self, rows: &[u32]) -> [f64; 2] {
        rows.iter().fold([0.0, 0.0], |[g, h], &row| {
            let [dg, dh] = self.derivatives[row as usize];
            [g + f64::from(dg), h + f64::from(dh)]
        })
    }

    /// The value that takes most off the loss of rows with these sums, `-G / (H + l2)`, shrunk by the learning rate.
    pub(super) fn leaf(&self, [g, h]: [f64; 2]) -> Leaf {
        let below = h + f64::from(self.params.l2);
        let value = if below > 0.0 { -g / below * f64::from(self.params.learning_rate) } else { 0.0 };
        Leaf { value: value as f32, cover: h as f32 }
    }

    /// Moves the rows that go left to the front, both sides in their old order, and returns how many these are.
    pub(super) fn divide(&self, split: &Split, rows: &mut [u32], scratch: &mut [u32]) -> usize {
        let words = self.bins.group(split.column / GROUP);
        let lane = split.column % GROUP;
        let (mut left, mut right) = (0, 0);
        for i in 0..rows.len() {
            let row = rows[i];
            let goes_left = split.goes_left(words[row as usize][lane]);
            // Both are written and one kept: cheaper than a branch that cannot be foreseen.
            rows[left] = row;
            scratch[right] = row;
            left += usize::from(goes_left);
            right += usize::from(!goes_left);
        }
        rows[left..].copy_from_slice(&scratch[..right]);
        left
    }

    /// Puts the packed derivatives of rows side by side, for the groups to read one after the other.
    pub(super) fn order(&self, rows: &[u32], ordered: &mut [u64]) {
        ordered.par_chunks_mut(CHUNK).zip(rows.par_chunks(CHUNK)).for_each(|(ordered, rows)| {
            for (ordered, &row) in ordered.iter_mut().zip(rows) {
                *ordered = self.packed[row as usize];
            }
        });
    }

    fn ordinary(&self, most: usize, space: &mut Space) -> Tree {
        let Space { rows, ordered, scratch, spare, .. } = space;
        let columns = self.columns();
        let mut nodes = vec![Node { split: None, leaf: self.leaf(self.sums(rows)) }];
        let mut root = Open { node: 0, start: 0, end: rows.len(), depth: 0, best: None, histograms: Vec::new() };
        root.histograms = spare.pop().unwrap_or_default();
        root.histograms.resize(columns, EMPTY);
        self.order(rows, ordered);
        root.best = self.fill_and_score(rows, ordered, &mut root.histograms);
        let mut open = vec![root];
        let mut leaves = 1;
        while leaves < most {
            // The first of those that gain most, so that ties fall the same way every time.
            let gain = |leaf: &Open| leaf.best.map_or(f32::NEG_INFINITY, |best| best.gain);
            let Some(at) = (0..open.len()).reduce(|a, b| if gain(&open[b]) > gain(&open[a]) { b } else { a }) else {
                break;
            };
            let Some(split) = open[at].best else { break };
            let parent = open.swap_remove(at);
            let middle = parent.start + self.divide(&split, &mut rows[parent.start..parent.end], scratch);
            let left = nodes.len();
            nodes[parent.node].split = Some((split, left));
            let child = |node, start, end| Open { node, start, end, depth: parent.depth + 1, ..Open::default() };
            let mut pair = [child(left, parent.start, middle), child(left + 1, middle, parent.end)];
            for child in &pair {
                nodes.push(Node { split: None, leaf: self.leaf(self.sums(&rows[child.start..child.end])) });
            }
            leaves += 1;
            if leaves == most || self.params.max_depth.is_some_and(|max| pair[0].depth >= usize::from(max)) {
                spare.push(parent.histograms);
                continue;
            }
            pair.sort_by_key(|child| child.end - child.start);
            let [small, large] = &mut pair;
            small.histograms = spare.pop().unwrap_or_default();
            small.histograms.resize(columns, EMPTY);
            large.histograms = parent.histograms;
            let (rows, ordered) = (&rows[small.start..small.end], &mut ordered[..small.end - small.start]);
            self.order(rows, ordered);
            (small.best, large.best) = self.divide_and_score(rows, ordered, small, large);
            open.extend(pair);
        }
        spare.extend(open.into_iter().map(|leaf| leaf.histograms));
        Tree::Ordinary(nodes)
    }

    fn fill_and_score(&self, rows: &[u32], ordered: &[u64], histograms: &mut [Histogram]) -> Option<Split> {
        let score = |(group, histograms): (&Group, &mut [Histogram])| {
            histograms.fill(EMPTY);
            group.fill(rows, ordered, histograms);
            self.scorer.best_of_group(group, self.cuts, &[histograms])
        };
        let parts = split_by(histograms, self.groups.iter().map(Group::len));
        let best: Vec<Option<Split>> = self.groups.par_iter().zip(parts).map(score).collect();
        best.into_iter().fold(None, Split::better)
    }

    /// Fills the smaller child's histograms, takes them off the parent's, which become the larger child's, and finds
    /// the best condition of each.
    fn divide_and_score(
        &self,
        rows: &[u32],
        ordered: &[u64],
        small: &mut Open,
        large: &mut Open,
    ) -> (Option<Split>, Option<Split>) {
        let sizes = || self.groups.iter().map(Group::len);
        let parts = split_by(&mut small.histograms, sizes()).into_par_iter();
        let parts = parts.zip(split_by(&mut large.histograms, sizes()));
        let score = |(group, (small, large)): (&Group, (&mut [Histogram], &mut [Histogram]))| {
            small.fill(EMPTY);
            group.fill(rows, ordered, small);
            for (large, small) in large.iter_mut().zip(&*small) {
                large.iter_mut().zip(small).for_each(|(large, small)| *large = large.wrapping_sub(*small));
            }
            let best = |histograms: &[Histogram]| self.scorer.best_of_group(group, self.cuts, &[histograms]);
            (best(small), best(large))
        };
        let best: Vec<_> = self.groups.par_iter().zip(parts).map(score).collect();
        best.into_iter().fold((None, None), |best, next| (Split::better(best.0, next.0), Split::better(best.1, next.1)))
    }
}

/// A leaf that may still be divided.
#[derive(Default)]
struct Open {
    node: usize,
    /// Its rows are these of all that are drawn.
    start: usize,
    end: usize,
    depth: usize,
    best: Option<Split>,
    histograms: Vec<Histogram>,
}

/// Cuts a slice into parts of the given lengths.
pub(super) fn split_by<T>(mut slice: &mut [T], lengths: impl Iterator<Item = usize>) -> Vec<&mut [T]> {
    let part = |length: usize| {
        let (part, rest) = std::mem::take(&mut slice).split_at_mut(length);
        slice = rest;
        part
    };
    lengths.map(part).collect()
}
