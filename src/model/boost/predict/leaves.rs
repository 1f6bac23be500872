//! Rows through oblivious trees, on the bytes that [`Counter`](super::count::Counter) makes of their values.
//!
//! All rows meet the same conditions, so a condition is one comparison of a vector of bytes, 32 rows. A leaf is a whole
//! number of 16 bits on a [grid](grid_of), which AVX2 looks up for 32 rows at once as its low and its high byte. Over
//! numbers of 32 bits, of which AVX2 looks up eight, the 1,980 trees of a default model took 0.45 ms of a mean page of
//! `wcxb-dev` where they took 0.19.
//!
//! Sums are of whole numbers and so exact: every processor gives the same bits.

use crate::features::lanes::ROWS;

use super::count::{Bytes, Code};

/// Leaves that one look-up chooses from.
const TABLE: usize = 16;

/// One sum for each of the rows.
type Sums = [i32; ROWS];

/// A forest of oblivious trees, its conditions on bytes.
#[derive(Clone, Debug)]
pub(super) struct ByteForest {
    depth: u8,
    grid: f32,
    /// `depth` conditions a tree. The trees of an output stand together.
    conditions: Vec<Code>,
    /// Leaves a tree: their low bytes, then their high ones, each as tables of 16.
    tables: Vec<[u8; TABLE]>,
    /// Trees that follow each other, speak for one output, and together cannot leave 16 bits.
    runs: Vec<Run>,
}

#[derive(Clone, Copy, Debug)]
struct Run {
    output: usize,
    trees: usize,
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
    /// Prepares trees of `depth` conditions and two to its power leaves each.
    pub(super) fn new(depth: u8, conditions: &[Code], leaves: &[f32], outputs: usize) -> ByteForest {
        let grid = grid_of(leaves, 1 << depth);
        let room = Vec::with_capacity(conditions.len());
        let mut forest = ByteForest { depth, grid, conditions: room, tables: Vec::new(), runs: Vec::new() };
        for output in 0..outputs {
            let mut in_run = None;
            let trees = conditions.chunks_exact(depth.into()).zip(leaves.chunks_exact(1 << depth));
            for (conditions, leaves) in trees.skip(output).step_by(outputs) {
                forest.conditions.extend_from_slice(conditions);
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

    fn push_tables(&mut self, leaves: &[i16]) {
        for half in 0..2 {
            for part in leaves.chunks(TABLE) {
                let mut table = [0; TABLE];
                table.iter_mut().zip(part).for_each(|(byte, leaf)| *byte = leaf.to_le_bytes()[half]);
                self.tables.push(table);
            }
        }
    }

    /// Adds the sums of up to [`ROWS`] rows' leaves to `out`, which has `outputs` numbers a row.
    pub(super) fn add(&self, bytes: &[Bytes], outputs: usize, out: &mut [f32]) {
        let mut sums = vec![[0; ROWS]; outputs];
        self.sum(bytes, &mut sums);
        for (row, out) in out.chunks_exact_mut(outputs).enumerate() {
            // Exact: no sum has more than 24 bits.
            out.iter_mut().zip(&sums).for_each(|(out, sums)| *out += sums[row] as f32 * self.grid);
        }
    }

    fn sum(&self, bytes: &[Bytes], sums: &mut [Sums]) {
        #[cfg(target_arch = "x86_64")]
        if avx512::takes(self.depth) {
            // SAFETY: the processor has what the function asks for.
            unsafe { avx512::sum(self, bytes, sums) };
            return;
        }
        #[cfg(target_arch = "x86_64")]
        if std::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2, which is all that the function asks for.
            unsafe { avx2::sum(self, bytes, sums) };
            return;
        }
        self.sum_as_compiled(bytes, sums);
    }

    /// For any processor.
    fn sum_as_compiled(&self, bytes: &[Bytes], sums: &mut [Sums]) {
        let tables = (1usize << self.depth).div_ceil(TABLE);
        let conditions = self.conditions.chunks_exact(self.depth.into());
        let mut trees = conditions.zip(self.tables.chunks_exact(2 * tables));
        for run in &self.runs {
            let sums = &mut sums[run.output];
            for (conditions, halves) in trees.by_ref().take(run.trees) {
                let mut places = [0u8; ROWS];
                for (bit, condition) in conditions.iter().enumerate() {
                    let (bytes, code) = (&bytes[condition.byte as usize], condition.code[0]);
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

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::*;

    use super::{ByteForest, Bytes, ROWS, Sums, TABLE};

    /// Rows in one vector of 32-bit numbers.
    const WIDTH: usize = 8;
    /// Conditions that one look-up takes.
    const LOOKED_UP: usize = 4;

    #[target_feature(enable = "avx2")]
    pub(super) fn sum(forest: &ByteForest, bytes: &[Bytes], sums: &mut [Sums]) {
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
                    let code = _mm256_set1_epi32(i32::from_ne_bytes(condition.code.map(i8::cast_unsigned)));
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
            add_to(&mut sums[run.output], sum);
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

    /// Adds sums of 16 bits to such of 32, which rows have in their order.
    #[target_feature(enable = "avx2")]
    #[inline]
    pub(super) fn add_to(sums: &mut Sums, more: [__m256i; 2]) {
        // Unpacking takes the first eight bytes of both halves of a vector, then the second ones.
        let sums = sums.as_chunks_mut::<WIDTH>().0;
        for (eight, more) in more.into_iter().enumerate() {
            widen(&mut sums[eight], _mm256_castsi256_si128(more));
            widen(&mut sums[eight + 2], _mm256_extracti128_si256::<1>(more));
        }
    }

    /// Adds eight sums of 16 bits to such of 32.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn widen(sums: &mut [i32; WIDTH], more: __m128i) {
        let place: *mut __m256i = sums.as_mut_ptr().cast();
        // SAFETY: eight numbers are read and written, and there are eight; they need not be aligned.
        unsafe { _mm256_storeu_si256(place, _mm256_add_epi32(_mm256_loadu_si256(place), _mm256_cvtepi16_epi32(more))) };
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    pub(super) fn load_bytes(bytes: &Bytes) -> __m256i {
        // SAFETY: 32 bytes are read, and there are 32; they need not be aligned.
        unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
    }

    // What all rests on.
    const _: () = assert!(ROWS == 4 * WIDTH);
}

/// For trees of 32 and 64 leaves, which AVX-512 VBMI looks up at once: half the steps of AVX2.
#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::*;

    use super::avx2::{add_to, load_bytes};
    use super::{ByteForest, Bytes, Sums, TABLE};

    /// Whether the processor can, and trees are such.
    pub(super) fn takes(depth: u8) -> bool {
        matches!(depth, 5 | 6)
            && std::is_x86_feature_detected!("avx512vbmi")
            && std::is_x86_feature_detected!("avx512vl")
            && std::is_x86_feature_detected!("avx2")
    }

    #[target_feature(enable = "avx512vbmi,avx512vl,avx2")]
    pub(super) fn sum(forest: &ByteForest, bytes: &[Bytes], sums: &mut [Sums]) {
        match forest.depth {
            5 => trees::<5, 2>(forest, bytes, sums),
            _ => trees::<6, 4>(forest, bytes, sums),
        }
    }

    #[target_feature(enable = "avx512vbmi,avx512vl,avx2")]
    #[inline]
    fn trees<const DEPTH: usize, const TABLES: usize>(forest: &ByteForest, bytes: &[Bytes], sums: &mut [Sums]) {
        /// `a | b & c` of three bits.
        const OR_BOTH: i32 = 0b1111_1000;
        let conditions = forest.conditions.as_chunks::<DEPTH>().0.iter();
        let tables = forest.tables.as_chunks::<TABLES>().0.as_chunks::<2>().0.iter();
        let mut trees = conditions.zip(tables);
        for run in &forest.runs {
            let mut sum = [_mm256_setzero_si256(); 2];
            for (conditions, [low, high]) in trees.by_ref().take(run.trees) {
                let mut place = _mm256_setzero_si256();
                for (depth, condition) in conditions.iter().enumerate() {
                    let code = _mm256_set1_epi32(i32::from_ne_bytes(condition.code.map(i8::cast_unsigned)));
                    let right = _mm256_cmpgt_epi8(load_bytes(&bytes[condition.byte as usize]), code);
                    place = _mm256_ternarylogic_epi32::<OR_BOTH>(place, right, _mm256_set1_epi8(1 << depth));
                }
                let (low, high) = (look_up(low, place), look_up(high, place));
                sum[0] = _mm256_add_epi16(sum[0], _mm256_unpacklo_epi8(low, high));
                sum[1] = _mm256_add_epi16(sum[1], _mm256_unpackhi_epi8(low, high));
            }
            add_to(&mut sums[run.output], sum);
        }
    }

    /// One byte of each row's leaf, of 32 or 64.
    #[target_feature(enable = "avx512vbmi,avx512vl,avx2")]
    #[inline]
    fn look_up<const TABLES: usize>(tables: &[[u8; TABLE]; TABLES], place: __m256i) -> __m256i {
        let pairs = tables.as_chunks::<2>().0;
        // SAFETY: 32 bytes are read, and two tables have 32; they need not be aligned.
        let load = |pair: &[[u8; TABLE]; 2]| unsafe { _mm256_loadu_si256(pair.as_ptr().cast()) };
        match pairs {
            [first, second] => _mm256_permutex2var_epi8(load(first), place, load(second)),
            [only, ..] => _mm256_permutexvar_epi8(place, load(only)),
            [] => place,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_leaves_that_each_row_comes_to() {
        let mut random = fastrand::Rng::with_seed(7);
        let kinds: [(u8, usize, usize); 8] =
            [(1, 1, 200), (2, 3, 150), (3, 1, 90), (4, 8, 400), (5, 1, 200), (6, 3, 60), (7, 1, 40), (8, 1, 40)];
        for (depth, outputs, trees) in kinds {
            let bytes: Vec<Bytes> = (0..9).map(|_| std::array::from_fn(|_| random.i8(..))).collect();
            let mut condition = || Code { byte: random.u32(0..9), code: [random.i8(..i8::MAX); 4] };
            let conditions: Vec<Code> = (0..trees * usize::from(depth)).map(|_| condition()).collect();
            // A few great leaves among small ones, so that sums leave sixteen bits.
            let mut leaf = |at: usize| (random.f32() * 4.0 - 2.0) * if at.is_multiple_of(50) { 20.0 } else { 1.0 };
            let leaves: Vec<f32> = (0..trees << depth).map(&mut leaf).collect();
            let forest = ByteForest::new(depth, &conditions, &leaves, outputs);
            assert!(forest.runs.len() > outputs && forest.runs.iter().any(|run| run.trees > 1));

            let rows = 29;
            let mut expected = Vec::new();
            #[allow(clippy::needless_range_loop, reason = "the row is looked up in several bytes")]
            for row in 0..rows {
                let place = |conditions: &[Code]| {
                    let right = |condition: &Code| bytes[condition.byte as usize][row] > condition.code[0];
                    (0..conditions.len()).fold(0, |place, bit| place | usize::from(right(&conditions[bit])) << bit)
                };
                for output in 0..outputs {
                    let trees = conditions.chunks_exact(depth.into()).zip(leaves.chunks_exact(1 << depth));
                    let of_output = trees.skip(output).step_by(outputs);
                    let leaves = of_output
                        .map(|(conditions, leaves)| (leaves[place(conditions)] / forest.grid).round() * forest.grid);
                    expected.push(0.5 + leaves.map(f64::from).sum::<f64>() as f32);
                }
            }
            let mut out = vec![0.5; rows * outputs];
            forest.add(&bytes, outputs, &mut out);
            assert_eq!(out, expected, "depth {depth}");
            // Every way that there is on this processor.
            let (mut best, mut compiled) = (vec![[0; ROWS]; outputs], vec![[0; ROWS]; outputs]);
            forest.sum(&bytes, &mut best);
            forest.sum_as_compiled(&bytes, &mut compiled);
            assert_eq!(best, compiled, "depth {depth}");
            #[cfg(target_arch = "x86_64")]
            if std::is_x86_feature_detected!("avx2") {
                let mut sums = vec![[0; ROWS]; outputs];
                // SAFETY: the processor has AVX2, which is all that the function asks for.
                unsafe { avx2::sum(&forest, &bytes, &mut sums) };
                assert_eq!(sums, compiled, "depth {depth} with AVX2");
            }
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
