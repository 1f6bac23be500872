//! Growing oblivious trees: one condition a level, chosen for the sum of what it gains at all nodes of the level.

use std::ops::Range;

use rayon::prelude::*;

use super::grow::{Ground, Leaf, Space, Tree, split_by};
use super::histogram::{EMPTY, Group, Histogram, Split};

impl Ground<'_> {
    pub(super) fn oblivious(&self, depth: usize, space: &mut Space) -> Tree {
        let Space { rows, ordered, scratch, histograms, .. } = space;
        // Each group's histograms of all nodes lie side by side, so that a group is one task for a whole level.
        let most_nodes = 1 << (depth - 1);
        histograms.resize(self.columns() * most_nodes, EMPTY);
        // Where each node's rows are; a node's children are itself and, to its right, itself plus the level's nodes.
        let mut nodes: Vec<Range<usize>> = Vec::with_capacity(2 * most_nodes);
        nodes.push(0..rows.len());
        let mut splits: Vec<Split> = Vec::with_capacity(depth);
        while splits.len() < depth {
            self.order(rows, ordered);
            let parts = split_by(histograms, self.groups.iter().map(|group| group.len() * most_nodes));
            let best: Vec<Option<Split>> = self
                .groups
                .par_iter()
                .zip(parts)
                .map(|(group, histograms)| self.level(group, &nodes, rows, ordered, histograms))
                .collect();
            let Some(split) = best.into_iter().fold(None, Split::better) else { break };
            splits.push(split);
            for node in 0..nodes.len() {
                let Range { start, end } = nodes[node].clone();
                let middle = start + self.divide(&split, &mut rows[start..end], scratch);
                nodes[node] = start..middle;
                nodes.push(middle..end);
            }
        }
        let sums = nodes.par_iter().map(|node| self.sums(&rows[node.clone()])).collect();
        Tree::Oblivious { leaves: self.leaves(sums), splits }
    }

    /// Brings one group's histograms from the level above to this one and finds the group's best condition.
    fn level(
        &self,
        group: &Group,
        nodes: &[Range<usize>],
        rows: &[u32],
        ordered: &[u64],
        histograms: &mut [Histogram],
    ) -> Option<Split> {
        let k = group.len();
        if nodes.len() == 1 {
            let root = &mut histograms[..k];
            root.fill(EMPTY);
            group.fill(rows, ordered, root);
        } else {
            let half = nodes.len() / 2;
            let (lefts, rights) = histograms.split_at_mut(half * k);
            let pairs = lefts.chunks_exact_mut(k).zip(rights.chunks_exact_mut(k));
            for ((left, right), (at_left, at_right)) in pairs.zip(nodes[..half].iter().zip(&nodes[half..])) {
                // The left place holds the parent. The smaller child is filled, the larger is what it leaves over.
                right.fill(EMPTY);
                let left_is_small = at_left.len() < at_right.len();
                let small = if left_is_small { at_left } else { at_right };
                group.fill(&rows[small.clone()], &ordered[small.clone()], right);
                if left_is_small {
                    each(left, right, |parent, small| (small, parent.wrapping_sub(small)));
                } else if !small.is_empty() {
                    each(left, right, |parent, small| (parent.wrapping_sub(small), small));
                }
            }
        }
        let filled = histograms.chunks_exact(k).zip(nodes).filter(|(_, node)| !node.is_empty());
        let filled: Vec<&[Histogram]> = filled.map(|(histograms, _)| histograms).collect();
        self.scorer.best_of_group(group, self.cuts, &filled)
    }

    /// The leaves' values. A node lighter than the least weight takes the value of the node above.
    fn leaves(&self, sums: Vec<[f64; 2]>) -> Vec<Leaf> {
        // From the leaves up to the root: nodes differing in the last condition alone were one.
        let mut levels = vec![sums];
        while let Some(sums) = levels.last().filter(|sums| sums.len() > 1) {
            let (left, right) = sums.split_at(sums.len() / 2);
            let above = left.iter().zip(right).map(|(l, r)| [l[0] + r[0], l[1] + r[1]]).collect();
            levels.push(above);
        }
        let least = f64::from(self.params.min_child_weight);
        let mut above: Vec<Leaf> = Vec::new();
        for sums in levels.iter().rev() {
            let half = above.len();
            let leaf = |(node, sums): (usize, &[f64; 2])| {
                let leaf = self.leaf(*sums);
                match above.get(node.checked_rem(half).unwrap_or(0)) {
                    Some(above) if sums[1] < least || sums[1] <= 0.0 => Leaf { value: above.value, ..leaf },
                    _ => leaf,
                }
            };
            above = sums.iter().enumerate().map(leaf).collect();
        }
        above
    }
}

/// Replaces each pair of bins.
fn each(left: &mut [Histogram], right: &mut [Histogram], f: impl Fn(u64, u64) -> (u64, u64)) {
    for (left, right) in left.iter_mut().flatten().zip(right.iter_mut().flatten()) {
        (*left, *right) = f(*left, *right);
    }
}
