//! Rows through oblivious trees on bytes.
//!
//! A value first becomes a byte: how many of the thresholds that the trees have on its column it is above (CatBoost does
//! the same: Dorogush, Ershov and Gulin, "CatBoost: gradient boosting with categorical features support", 2018). All
//! rows meet the same conditions, so a condition is one comparison for 32 rows. A leaf is a whole number of 16 bits on a
//! [grid](grid_of), which AVX2 looks up for 32 rows at once as its low and its high byte. Over numbers of 32 bits, of
//! which AVX2 looks up eight, the default model's 1,980 trees took 0.45 ms of a mean page of `wcxb-dev`; they take 0.19.
//!
//! Sums are of whole numbers and so exact: every processor gives the same bits.

use std::collections::{BTreeMap, HashMap};

use crate::features::lanes::{BLOCK, Lane};

use super::{ROWS, Step};

/// Thresholds that one byte counts; AVX2 compares it with its sign. A column that has more takes more bytes.
const COUNTED: usize = 127;
/// Leaves that one look-up chooses from.
const TABLE: usize = 16;

/// One byte for each of the rows.
type Bytes = [u8; ROWS];
/// One sum for each of the rows.
type Sums = [i32; ROWS];

/// A forest of oblivious trees, its conditions on bytes.
#[derive(Clone, Debug)]
pub(super) struct ByteForest {
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

/// What becomes one byte: of how many thresholds a slot's value is above.
#[derive(Clone, Copy, Debug)]
struct Count {
    slot: u16,
    thresholds: u16,
}

/// Right if the byte is greater than the code.
#[derive(Clone, Copy, Debug)]
struct Condition {
    byte: u32,
    /// Four times the same, as it is loaded fastest.
    code: [u8; 4],
}

#[derive(Clone, Copy, Debug)]
struct Run {
    output: usize,
    trees: usize,
}

/// What rows are worked on in.
#[derive(Default)]
pub(super) struct Room {
    bytes: Vec<Bytes>,
    sums: Vec<Sums>,
}

/// The power of two to multiples of which leaves are rounded. A leaf is at most 32,767 of them, and no sum of leaves more
/// than 24 bits hold. In the default model's last stage it is 0.00001.
fn grid_of(leaves: &[f32], size: usize) -> f32 {
    const MOST_SUMMED: f64 = (1 << 23) as f64;
    let most = leaves.chunks(size).map(|tree| f64::from(greatest(tree)));
    let (most, sum) = most.fold((0.0f64, 0.0), |(most, sum), tree| (most.max(tree), sum + tree));
    let least = (most / f64::from(i16::MAX)).max(sum / MOST_SUMMED);
    least.log2().ceil().exp2().clamp(f64::from(f32::MIN_POSITIVE), f64::from(f32::MAX)) as f32
}

/// The greatest leaf, without its sign.
fn greatest(leaves: &[f32]) -> f32 {
    leaves.iter().fold(0.0, |most, leaf| most.max(leaf.abs()))
}

impl ByteForest {
    /// Prepares trees of `depth` steps and two to its power leaves each.
    pub(super) fn new(depth: u8, steps: &[Step], leaves: &[f32], outputs: usize) -> ByteForest {
        let grid = grid_of(leaves, 1 << depth);
        let mut forest = ByteForest {
            depth,
            grid,
            counts: Vec::new(),
            thresholds: Vec::new(),
            conditions: Vec::with_capacity(steps.len()),
            tables: Vec::new(),
            runs: Vec::new(),
        };
        let places = forest.count(steps);
        for output in 0..outputs {
            let mut in_run = None;
            let trees = steps.chunks_exact(depth.into()).zip(leaves.chunks_exact(1 << depth));
            for (steps, leaves) in trees.skip(output).step_by(outputs) {
                forest.conditions.extend(steps.iter().map(|step| places[&(step.slot, number(step.threshold))]));
                let leaves: Vec<i16> = leaves.iter().map(|leaf| (leaf / grid).round() as i16).collect();
                forest.push_tables(&leaves);
                let most = leaves.iter().map(|leaf| i32::from(*leaf).abs()).max().unwrap_or(0);
                match (in_run, forest.runs.last_mut()) {
                    (Some(sum), Some(run)) if sum + most <= i32::from(i16::MAX) => {
                        run.trees += 1;
                        in_run = Some(sum + most);
                    }
                    _ => {
                        forest.runs.push(Run { output, trees: 1 });
                        in_run = Some(most);
                    }
                }
            }
        }
        forest
    }

    /// Deals the thresholds of all slots out to bytes, and gives the conditions that steps become.
    fn count(&mut self, steps: &[Step]) -> HashMap<(u16, u32), Condition> {
        let mut of_slots: BTreeMap<u16, Vec<f32>> = BTreeMap::new();
        steps.iter().for_each(|step| of_slots.entry(step.slot).or_default().push(step.threshold + 0.0));
        let mut places = HashMap::new();
        for (slot, mut thresholds) in of_slots {
            thresholds.sort_unstable_by(f32::total_cmp);
            thresholds.dedup();
            for part in thresholds.chunks(COUNTED) {
                let byte = self.counts.len() as u32;
                let condition = |(code, threshold): (usize, &f32)| {
                    ((slot, number(*threshold)), Condition { byte, code: [code as u8; 4] })
                };
                places.extend(part.iter().enumerate().map(condition));
                self.counts.push(Count { slot, thresholds: part.len() as u16 });
                self.thresholds.extend_from_slice(part);
            }
        }
        places
    }

    fn push_tables(&mut self, leaves: &[i16]) {
        for half in 0..2 {
            for part in leaves.chunks(TABLE) {
                let mut table = [0; TABLE];
                table.iter_mut().zip(part).for_each(|(byte, leaf)| *byte = leaf.to_le_bytes()[half]);
                self.tables.push(table);
            }
        }
    }

    /// What [`ByteForest::add`] works in.
    pub(super) fn room(&self, outputs: usize) -> Room {
        Room { bytes: vec![[0; ROWS]; self.counts.len()], sums: vec![[0; ROWS]; outputs] }
    }

    /// Adds the sums of up to [`ROWS`] rows' leaves to `out`, which has as many numbers a row as there are outputs.
    /// `lane` gives the values of a slot in two blocks of rows.
    #[inline]
    pub(super) fn add<'a>(&self, lane: impl Fn(usize) -> [&'a Lane; 2], room: &mut Room, out: &mut [f32]) {
        room.sums.fill([0; ROWS]);
        #[cfg(target_arch = "x86_64")]
        if std::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2, which is all that the function asks for.
            unsafe { avx2::add(self, lane, room) };
            self.put(&room.sums, |row| avx2::PLACES[row], out);
            return;
        }
        self.add_as_compiled(lane, room);
        self.put(&room.sums, |row| row, out);
    }

    /// Adds sums to `out`; `place` says where a row's are.
    fn put(&self, sums: &[Sums], place: impl Fn(usize) -> usize, out: &mut [f32]) {
        for (row, out) in out.chunks_exact_mut(sums.len()).enumerate() {
            // Exact: no sum has more than 24 bits.
            out.iter_mut().zip(sums).for_each(|(out, sums)| *out += sums[place(row)] as f32 * self.grid);
        }
    }

    /// Each count with its thresholds.
    fn counts(&self) -> impl Iterator<Item = (usize, &[f32])> {
        let mut rest = self.thresholds.as_slice();
        self.counts.iter().map(move |count| {
            let (own, others) = rest.split_at(usize::from(count.thresholds));
            rest = others;
            (usize::from(count.slot), own)
        })
    }

    /// For any processor.
    fn add_as_compiled<'a>(&self, lane: impl Fn(usize) -> [&'a Lane; 2], room: &mut Room) {
        for (bytes, (slot, thresholds)) in room.bytes.iter_mut().zip(self.counts()) {
            *bytes = [0; ROWS];
            for (bytes, lane) in bytes.as_chunks_mut::<BLOCK>().0.iter_mut().zip(lane(slot)) {
                for threshold in thresholds {
                    bytes.iter_mut().zip(lane).for_each(|(byte, value)| *byte += u8::from(value > threshold));
                }
            }
        }
        let tables = (1usize << self.depth).div_ceil(TABLE);
        let conditions = self.conditions.chunks_exact(self.depth.into());
        let mut trees = conditions.zip(self.tables.chunks_exact(2 * tables));
        for run in &self.runs {
            let sums = &mut room.sums[run.output];
            for (conditions, halves) in trees.by_ref().take(run.trees) {
                let mut places = [0u8; ROWS];
                for (bit, condition) in conditions.iter().enumerate() {
                    let (bytes, code) = (&room.bytes[condition.byte as usize], condition.code[0]);
                    places.iter_mut().zip(bytes).for_each(|(place, byte)| *place |= u8::from(*byte > code) << bit);
                }
                let (low, high) = halves.split_at(tables);
                let (low, high) = (low.as_flattened(), high.as_flattened());
                for (sum, place) in sums.iter_mut().zip(places) {
                    *sum += i32::from(i16::from_le_bytes([low[usize::from(place)], high[usize::from(place)]]));
                }
            }
        }
    }
}

/// A threshold as a key; 0 and -0 are one.
fn number(threshold: f32) -> u32 {
    (threshold + 0.0).to_bits()
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::*;

    use super::{BLOCK, ByteForest, Bytes, Lane, ROWS, Room, Sums, TABLE};

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

    /// Counts, then goes through the trees.
    #[target_feature(enable = "avx2")]
    pub(super) fn add<'a>(forest: &ByteForest, lane: impl Fn(usize) -> [&'a Lane; 2], room: &mut Room) {
        let Room { bytes, sums } = room;
        for (bytes, (slot, thresholds)) in bytes.iter_mut().zip(forest.counts()) {
            count(lane(slot), thresholds, bytes);
        }
        match forest.depth {
            1 => trees::<1, 1>(forest, bytes, sums),
            2 => trees::<2, 1>(forest, bytes, sums),
            3 => trees::<3, 1>(forest, bytes, sums),
            4 => trees::<4, 1>(forest, bytes, sums),
            5 => trees::<5, 2>(forest, bytes, sums),
            6 => trees::<6, 4>(forest, bytes, sums),
            7 => trees::<7, 8>(forest, bytes, sums),
            _ => trees::<8, 16>(forest, bytes, sums),
        }
    }

    /// How many of some thresholds each value is above.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn count(lanes: [&Lane; 2], thresholds: &[f32], bytes: &mut Bytes) {
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
    fn trees<const DEPTH: usize, const TABLES: usize>(forest: &ByteForest, bytes: &[Bytes], sums: &mut [Sums]) {
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
                widen(&mut sums[0], _mm256_castsi256_si128(sum));
                widen(&mut sums[1], _mm256_extracti128_si256::<1>(sum));
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

    /// Adds eight sums of 16 bits to such of 32.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn widen(sums: &mut [i32; WIDTH], more: __m128i) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_leaves_that_each_row_comes_to() {
        let mut random = fastrand::Rng::with_seed(7);
        let kinds: [(u8, usize, usize, usize); 8] = [
            (1, 1, 3, 200),
            (2, 3, 3, 150),
            (3, 1, 1, 90),
            (4, 8, 5, 400),
            (5, 1, 2, 200),
            (6, 3, 9, 60),
            (7, 1, 5, 40),
            (8, 1, 5, 40),
        ];
        for (depth, outputs, slots, trees) in kinds {
            // Few values, so that many are thresholds themselves.
            let mut number = || (random.f32() * 400.0).floor() / 100.0 - 2.0;
            let blocks: [Vec<Lane>; 2] =
                [0, 1].map(|_| (0..slots).map(|_| std::array::from_fn(|_| number())).collect());
            let mut step = |at: usize| Step { slot: (at * 7 % slots) as u16, left: 0, threshold: number() };
            let steps: Vec<Step> = (0..trees * usize::from(depth)).map(&mut step).collect();
            // A few great leaves among small ones, so that sums leave sixteen bits.
            let mut leaf = |at: usize| number() * if at.is_multiple_of(50) { 20.0 } else { 1.0 };
            let leaves: Vec<f32> = (0..trees << depth).map(&mut leaf).collect();
            let forest = ByteForest::new(depth, &steps, &leaves, outputs);
            assert!(slots > 2 || forest.counts.len() > slots, "a column of more thresholds than a byte counts");
            assert!(forest.runs.len() > outputs && forest.runs.iter().any(|run| run.trees > 1));

            let rows = 29;
            let mut expected = Vec::new();
            for row in 0..rows {
                let right = |step: &Step| blocks[row / BLOCK][usize::from(step.slot)][row % BLOCK] > step.threshold;
                let place = |steps: &[Step]| {
                    (0..steps.len()).fold(0, |place, bit| place | usize::from(right(&steps[bit])) << bit)
                };
                for output in 0..outputs {
                    let trees = steps.chunks_exact(depth.into()).zip(leaves.chunks_exact(1 << depth));
                    let of_output = trees.skip(output).step_by(outputs);
                    let leaves =
                        of_output.map(|(steps, leaves)| (leaves[place(steps)] / forest.grid).round() * forest.grid);
                    expected.push(0.5 + leaves.map(f64::from).sum::<f64>() as f32);
                }
            }
            let lane = |slot: usize| [&blocks[0][slot], &blocks[1][slot]];
            let (mut best, mut compiled) = (vec![0.5; rows * outputs], vec![0.5; rows * outputs]);
            forest.add(lane, &mut forest.room(outputs), &mut best);
            assert_eq!(best, expected, "depth {depth}, the processor's best");
            let mut room = forest.room(outputs);
            forest.add_as_compiled(lane, &mut room);
            forest.put(&room.sums, |row| row, &mut compiled);
            assert_eq!(compiled, expected, "depth {depth}, for any processor");
        }
    }

    #[test]
    fn rounding_is_to_less_than_a_ten_thousandth_of_the_greatest_leaf() {
        let leaves = [0.001f32, -3.0, 0.2, 1e-7];
        let grid = grid_of(&leaves, 2);
        assert!(grid <= 3.0 / 10_000.0 && 3.0 / grid <= 32_767.0, "{grid}");
        // Where many trees are summed, steps are wider.
        assert!(grid_of(&[1.0; 4096], 2) >= 2048.0 / (1 << 23) as f32);
        assert!(grid_of(&[0.0; 4], 2) > 0.0 && grid_of(&[f32::MAX; 64], 2).is_finite());
    }
}
