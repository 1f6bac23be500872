//! Rows through oblivious trees on bytes, with AVX2.
//!
//! AVX2 looks up eight 32-bit numbers with one instruction, and 32 bytes. So a value first becomes a byte: how many of
//! the thresholds that the trees have on its column it is above (CatBoost does the same: Dorogush, Ershov and Gulin,
//! "CatBoost: gradient boosting with categorical features support", 2018). A condition is then one comparison for 32
//! rows, and a leaf, a whole number of 16 bits on the [grid](super::grid), is looked up as its low and its high byte.

use std::collections::HashMap;

use crate::features::lanes::{BLOCK, Lane};

use super::{Step, most_of_tree};

/// Rows that go through the trees together: two blocks.
pub(super) const ROWS: usize = 2 * BLOCK;

/// Thresholds that one byte counts; it is compared with its sign. A column that has more takes more bytes.
const COUNTED: usize = 127;
/// Leaves that one look-up chooses from.
const TABLE: usize = 16;
/// The greatest sum that 16 bits hold.
const MOST: f32 = i16::MAX as f32;

/// One byte for each of some rows.
pub(super) type Bytes = [u8; ROWS];
/// One sum for each of the same rows.
pub(super) type Sums = [i32; ROWS];

/// A forest of oblivious trees, its conditions on bytes.
#[derive(Clone, Debug)]
pub(super) struct Forest {
    depth: u8,
    grid: f32,
    counts: Vec<Count>,
    /// The thresholds of all counts, rising in each.
    thresholds: Vec<f32>,
    /// `depth` conditions a tree. The trees of an output stand together.
    conditions: Vec<Condition>,
    /// Leaves a tree: their low bytes, then their high ones, each as tables of 16.
    tables: Vec<[u8; TABLE]>,
    /// Trees that follow each other, speak for one output, and together cannot leave 16 bits.
    runs: Vec<Run>,
}

/// What becomes one byte: of how many thresholds a value is above.
#[derive(Clone, Copy, Debug)]
struct Count {
    slot: u16,
    thresholds: u16,
}

/// Right if the byte is greater than the code.
#[derive(Clone, Copy, Debug)]
struct Condition {
    byte: u32,
    /// Four times the same.
    code: [u8; 4],
}

#[derive(Clone, Copy, Debug)]
struct Run {
    output: usize,
    trees: usize,
}

impl Forest {
    /// Prepares trees whose leaves are on the grid.
    pub(super) fn new(depth: u8, steps: &[Step], leaves: &[f32], grid: f32, outputs: usize) -> Forest {
        let mut of_slots: HashMap<u16, Vec<f32>> = HashMap::new();
        steps.iter().for_each(|step| of_slots.entry(step.slot).or_default().push(step.threshold));
        let mut slots: Vec<(u16, Vec<f32>)> = of_slots.into_iter().collect();
        slots.sort_unstable_by_key(|(slot, _)| *slot);
        let (mut counts, mut all, mut firsts) = (Vec::new(), Vec::new(), HashMap::new());
        for (slot, thresholds) in &mut slots {
            thresholds.sort_unstable_by(f32::total_cmp);
            // By value: conditions on 0 and on -0 are one.
            thresholds.dedup();
            firsts.insert(*slot, counts.len());
            let parts = thresholds.chunks(COUNTED);
            counts.extend(parts.map(|part| Count { slot: *slot, thresholds: part.len() as u16 }));
            all.extend_from_slice(thresholds);
        }
        let by_slot: HashMap<u16, &[f32]> = slots.iter().map(|(slot, of)| (*slot, of.as_slice())).collect();
        let condition = |step: &Step| {
            let place = by_slot[&step.slot].partition_point(|threshold| *threshold < step.threshold);
            let byte = (firsts[&step.slot] + place / COUNTED) as u32;
            Condition { byte, code: [(place % COUNTED) as u8; 4] }
        };
        let (size, depth_of) = (1 << depth, usize::from(depth));
        let mut forest = Forest {
            depth,
            grid,
            counts,
            thresholds: all,
            conditions: Vec::with_capacity(steps.len()),
            tables: Vec::new(),
            runs: Vec::new(),
        };
        for output in 0..outputs {
            let mut sum = MOST + 1.0;
            let trees = steps.chunks_exact(depth_of).zip(leaves.chunks_exact(size)).skip(output).step_by(outputs);
            for (steps, leaves) in trees {
                forest.conditions.extend(steps.iter().map(condition));
                forest.push_tables(leaves);
                let most = most_of_tree(leaves) / grid;
                sum += most;
                match forest.runs.last_mut() {
                    Some(run) if sum <= MOST => run.trees += 1,
                    _ => {
                        sum = most;
                        forest.runs.push(Run { output, trees: 1 });
                    }
                }
            }
        }
        forest
    }

    fn push_tables(&mut self, leaves: &[f32]) {
        let whole: Vec<[u8; 2]> = leaves.iter().map(|leaf| ((leaf / self.grid) as i16).to_le_bytes()).collect();
        for half in 0..2 {
            for part in whole.chunks(TABLE) {
                let mut table = [0; TABLE];
                table.iter_mut().zip(part).for_each(|(byte, bytes)| *byte = bytes[half]);
                self.tables.push(table);
            }
        }
    }

    /// How many bytes a row has.
    pub(super) fn bytes(&self) -> usize {
        self.counts.len()
    }

    /// Adds each row's sum of leaves to `out`, which has as many numbers a row as there are `sums`. `lane` gives the
    /// values of a slot for the first and the second block of rows, `bytes` and `sums` are room.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    pub(super) fn add<'a>(
        &self,
        lane: impl Fn(usize) -> [&'a Lane; 2],
        bytes: &mut [Bytes],
        sums: &mut [Sums],
        out: &mut [f32],
    ) {
        let mut thresholds = self.thresholds.as_slice();
        for (bytes, count) in bytes.iter_mut().zip(&self.counts) {
            let (own, rest) = thresholds.split_at(usize::from(count.thresholds));
            thresholds = rest;
            avx2::count(lane(usize::from(count.slot)), own, bytes);
        }
        sums.iter_mut().for_each(|sums| *sums = [0; ROWS]);
        match self.depth {
            1 => avx2::trees::<1, 1>(self, bytes, sums),
            2 => avx2::trees::<2, 1>(self, bytes, sums),
            3 => avx2::trees::<3, 1>(self, bytes, sums),
            4 => avx2::trees::<4, 1>(self, bytes, sums),
            5 => avx2::trees::<5, 2>(self, bytes, sums),
            6 => avx2::trees::<6, 4>(self, bytes, sums),
            7 => avx2::trees::<7, 8>(self, bytes, sums),
            _ => avx2::trees::<8, 16>(self, bytes, sums),
        }
        let outputs = sums.len();
        for (row, out) in out.chunks_exact_mut(outputs).enumerate() {
            // Exact: the grid is such that no sum has more than 24 bits.
            out.iter_mut().zip(&*sums).for_each(|(out, sums)| *out += sums[avx2::PLACES[row]] as f32 * self.grid);
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::*;

    use super::{BLOCK, Bytes, Forest, Lane, ROWS, Sums, TABLE};

    /// Rows in one vector of 32-bit numbers.
    const WIDTH: usize = 8;
    /// Conditions that one look-up takes.
    const LOOKED_UP: usize = 4;

    /// Where each row's sum stands: packing and unpacking work on each half of a vector alone, and what order they bring
    /// the rows to is of no matter to the trees.
    pub(super) static PLACES: [usize; ROWS] = {
        let mut places = [0; ROWS];
        let mut row = 0;
        while row < ROWS {
            let (vector, four, one) = (row / WIDTH, row % WIDTH / 4, row % 4);
            // Bytes lie as halves, in them a quarter of each vector; sums as pairs of vectors, in them the halves.
            places[row] = vector / 2 * 16 + four * 8 + vector % 2 * 4 + one;
            row += 1;
        }
        places
    };

    /// How many of some thresholds each value is above.
    #[target_feature(enable = "avx2")]
    #[inline]
    pub(super) fn count(lanes: [&Lane; 2], thresholds: &[f32], bytes: &mut Bytes) {
        let values = [load(lanes[0], 0), load(lanes[0], 1), load(lanes[1], 0), load(lanes[1], 1)];
        let mut counts = [_mm256_setzero_si256(); 4];
        for threshold in thresholds {
            let threshold = _mm256_set1_ps(*threshold);
            for (count, values) in counts.iter_mut().zip(values) {
                let above = _mm256_cmp_ps::<_CMP_GT_OQ>(values, threshold);
                // True is -1.
                *count = _mm256_sub_epi32(*count, _mm256_castps_si256(above));
            }
        }
        let first = _mm256_packs_epi32(counts[0], counts[1]);
        let second = _mm256_packs_epi32(counts[2], counts[3]);
        // SAFETY: 32 bytes are written, and there is room for 32; they need not be aligned.
        unsafe { _mm256_storeu_si256(bytes.as_mut_ptr().cast(), _mm256_packs_epi16(first, second)) };
    }

    /// `TABLES` look-ups find a byte of one of the `2^DEPTH` leaves.
    #[target_feature(enable = "avx2")]
    #[inline]
    pub(super) fn trees<const DEPTH: usize, const TABLES: usize>(forest: &Forest, bytes: &[Bytes], sums: &mut [Sums]) {
        let conditions = forest.conditions.as_chunks::<DEPTH>().0.iter();
        let tables = forest.tables.as_chunks::<TABLES>().0.as_chunks::<2>().0.iter();
        let mut trees = conditions.zip(tables);
        for run in &forest.runs {
            let mut sum = [_mm256_setzero_si256(); 2];
            for (conditions, [low, high]) in trees.by_ref().take(run.trees) {
                let mut right = [_mm256_setzero_si256(); DEPTH];
                for (right, condition) in right.iter_mut().zip(conditions) {
                    let code = _mm256_set1_epi32(i32::from_ne_bytes(condition.code));
                    *right = _mm256_cmpgt_epi8(load_bytes(&bytes[condition.byte as usize]), code);
                }
                let mut place = _mm256_setzero_si256();
                for (depth, right) in right.iter().enumerate().take(LOOKED_UP) {
                    place = _mm256_or_si256(place, _mm256_and_si256(*right, _mm256_set1_epi8(1 << depth)));
                }
                let low = look_up(low, place, &right);
                let high = look_up(high, place, &right);
                sum[0] = _mm256_add_epi16(sum[0], _mm256_unpacklo_epi8(low, high));
                sum[1] = _mm256_add_epi16(sum[1], _mm256_unpackhi_epi8(low, high));
            }
            let sums = sums[run.output].as_chunks_mut::<WIDTH>().0;
            for (sums, sum) in sums.as_chunks_mut::<2>().0.iter_mut().zip(sum) {
                add(&mut sums[0], _mm256_castsi256_si128(sum));
                add(&mut sums[1], _mm256_extracti128_si256::<1>(sum));
            }
        }
    }

    /// One byte of each row's leaf.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn look_up<const DEPTH: usize, const TABLES: usize>(
        tables: &[[u8; TABLE]; TABLES],
        place: __m256i,
        right: &[__m256i; DEPTH],
    ) -> __m256i {
        let mut found = [_mm256_setzero_si256(); TABLES];
        for (found, table) in found.iter_mut().zip(tables) {
            // SAFETY: sixteen bytes are read, and there are sixteen; they need not be aligned.
            let table = unsafe { _mm_loadu_si128(table.as_ptr().cast()) };
            *found = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(table), place);
        }
        let mut left = TABLES;
        for right in right.iter().skip(LOOKED_UP) {
            left /= 2;
            for at in 0..left {
                found[at] = _mm256_blendv_epi8(found[2 * at], found[2 * at + 1], *right);
            }
        }
        found[0]
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn add(sums: &mut [i32; WIDTH], more: __m128i) {
        let place: *mut __m256i = sums.as_mut_ptr().cast();
        // SAFETY: eight numbers are read and written, and there are eight; they need not be aligned.
        unsafe { _mm256_storeu_si256(place, _mm256_add_epi32(_mm256_loadu_si256(place), _mm256_cvtepi16_epi32(more))) };
    }

    /// The first or the second half of a lane.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn load(lane: &Lane, half: usize) -> __m256 {
        let half = &lane.as_chunks::<WIDTH>().0[half];
        // SAFETY: eight numbers are read, and there are eight; they need not be aligned.
        unsafe { _mm256_loadu_ps(half.as_ptr()) }
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn load_bytes(bytes: &Bytes) -> __m256i {
        // SAFETY: 32 bytes are read, and there are 32; they need not be aligned.
        unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
    }

    // What all rests on.
    const _: () = assert!(BLOCK == 2 * WIDTH && ROWS == 4 * WIDTH);
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::super::grid;
    use super::*;

    #[test]
    fn sums_are_those_of_the_leaves_that_each_row_comes_to() {
        if !std::is_x86_feature_detected!("avx2") {
            return;
        }
        let mut random = fastrand::Rng::with_seed(7);
        for (depth, outputs, slots, trees) in [
            (1u8, 1, 3, 40),
            (2, 3, 3, 30),
            (3, 1, 1, 90),
            (4, 8, 5, 400),
            (5, 1, 2, 200),
            (6, 3, 9, 60),
            (7, 1, 5, 40),
            (8, 1, 5, 40),
        ] {
            // Few values, so that many are thresholds themselves.
            let mut number = || (random.f32() * 400.0).floor() / 100.0 - 2.0;
            let blocks: [Vec<Lane>; 2] =
                [0, 1].map(|_| (0..slots).map(|_| std::array::from_fn(|_| number())).collect());
            let conditions = trees * usize::from(depth);
            let steps: Vec<Step> = (0..conditions)
                .map(|at| Step { slot: (at * 7 % slots) as u16, left: 0, threshold: number() })
                .collect();
            // A few great leaves among small ones: sums leave sixteen bits, and rounding is to be seen.
            let leaf = |at: usize| number() * if at.is_multiple_of(50) { 20.0 } else { 1.0 };
            let leaves: Vec<f32> = (0..trees << depth).map(leaf).collect();
            let size = 1 << depth;
            let grid = grid(&leaves, size);
            let leaves: Vec<f32> = leaves.iter().map(|leaf| (leaf / grid).round() * grid).collect();
            let forest = Forest::new(depth, &steps, &leaves, grid, outputs);
            assert!(slots > 2 || forest.bytes() > slots, "a column of more thresholds than a byte counts");
            assert!(forest.runs.len() > outputs);
            let rows = 29;
            let mut got = vec![0.5; rows * outputs];
            let (mut bytes, mut sums) = (vec![[0; ROWS]; forest.bytes()], vec![[0; ROWS]; outputs]);
            let lane = |slot: usize| [&blocks[0][slot], &blocks[1][slot]];
            // SAFETY: the processor has AVX2.
            unsafe { forest.add(lane, &mut bytes, &mut sums, &mut got) };
            for row in 0..rows {
                for output in 0..outputs {
                    let right = |step: &Step| blocks[row / BLOCK][usize::from(step.slot)][row % BLOCK] > step.threshold;
                    let place = |steps: &[Step]| {
                        steps.iter().enumerate().fold(0, |place, (bit, step)| place | usize::from(right(step)) << bit)
                    };
                    let trees = steps.chunks_exact(depth.into()).zip(leaves.chunks_exact(size));
                    let of_output = trees.skip(output).step_by(outputs);
                    let expected: f64 = of_output.map(|(steps, leaves)| f64::from(leaves[place(steps)])).sum();
                    let got = got[row * outputs + output];
                    assert_eq!(got, 0.5 + expected as f32, "depth {depth}, row {row}, output {output}");
                }
            }
        }
    }
}
