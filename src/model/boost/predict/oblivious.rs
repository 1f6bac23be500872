//! A block of rows through oblivious trees.
//!
//! All rows meet the same conditions, so a tree is a few comparisons of whole vectors and a look-up in its leaves. With
//! AVX2 that look-up takes no memory access a row: a tree's leaves lie in up to eight vectors, the first three
//! conditions pick a lane of each and the others pick the vector. Both stages and the head took 1.30 ms of a mean page
//! of `wcxb-dev` with look-ups one by one and take 0.41 this way. With AVX-512 one instruction looks up 32 leaves, and what
//! is left is the time to read the trees from the second cache: 0.08 ms of 0.55 for 1,380 trees.

use super::{BLOCK, Lane, Step};

/// Adds the trees' leaves for the first `count` rows of a block to `sums`, tree after tree, so that every way of doing
/// it adds in the same order and gives the same bits.
pub(super) fn oblivious(depth: u8, steps: &[Step], leaves: &[f32], block: &[Lane], count: usize, sums: &mut [Lane]) {
    #[cfg(target_arch = "x86_64")]
    if (4..=6).contains(&depth) && std::is_x86_feature_detected!("avx512f") {
        // SAFETY: the processor has the foundation of AVX-512, which is all that the function asks for.
        unsafe { avx512::oblivious(depth, steps, leaves, block, sums) };
        return;
    }
    #[cfg(target_arch = "x86_64")]
    if (3..=6).contains(&depth) && std::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, which is all that the function asks for.
        unsafe { avx2::oblivious(depth, steps, leaves, block, count, sums) };
        return;
    }
    match depth {
        1 => portable::<1, 2>(steps, leaves, block, count, sums),
        2 => portable::<2, 4>(steps, leaves, block, count, sums),
        3 => portable::<3, 8>(steps, leaves, block, count, sums),
        4 => portable::<4, 16>(steps, leaves, block, count, sums),
        5 => portable::<5, 32>(steps, leaves, block, count, sums),
        6 => portable::<6, 64>(steps, leaves, block, count, sums),
        7 => portable::<7, 128>(steps, leaves, block, count, sums),
        _ => portable::<8, 256>(steps, leaves, block, count, sums),
    }
}

/// `LEAVES` is two to the power of `DEPTH`.
fn portable<const DEPTH: usize, const LEAVES: usize>(
    steps: &[Step],
    leaves: &[f32],
    block: &[Lane],
    count: usize,
    sums: &mut [Lane],
) {
    /// Rows of which the places are held in registers.
    const HELD: usize = 16;
    let outputs = sums.len();
    let trees = steps.as_chunks::<DEPTH>().0.iter().zip(leaves.as_chunks::<LEAVES>().0);
    let mut output = 0;
    for (steps, leaves) in trees {
        for first in (0..count.min(BLOCK)).step_by(HELD) {
            let mut places = [0u32; HELD];
            for (depth, step) in steps.iter().enumerate() {
                let lane = &block[usize::from(step.slot)][first..first + HELD];
                for (place, &x) in places.iter_mut().zip(lane) {
                    *place |= u32::from(x > step.threshold) << depth;
                }
            }
            for (sum, place) in sums[output][first..].iter_mut().zip(places) {
                // The remainder is the place itself and tells the compiler that it is in range.
                *sum += leaves[place as usize % LEAVES];
            }
        }
        output = if output + 1 == outputs { 0 } else { output + 1 };
    }
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::*;

    use super::super::{BLOCK, Lane, Step};

    /// The most conditions that one look-up takes: it finds one of the 32 numbers of two vectors.
    const LOOKED_UP: usize = 5;

    #[target_feature(enable = "avx512f")]
    pub(super) fn oblivious(depth: u8, steps: &[Step], leaves: &[f32], block: &[Lane], sums: &mut [Lane]) {
        match depth {
            4 => trees::<4, 16, 1>(steps, leaves, block, sums),
            5 => trees::<5, 32, 2>(steps, leaves, block, sums),
            _ => trees::<6, 64, 4>(steps, leaves, block, sums),
        }
    }

    /// `LEAVES` is two to the power of `DEPTH`, and sixteen times `VECTORS`.
    #[target_feature(enable = "avx512f")]
    #[inline]
    fn trees<const DEPTH: usize, const LEAVES: usize, const VECTORS: usize>(
        steps: &[Step],
        leaves: &[f32],
        block: &[Lane],
        sums: &mut [Lane],
    ) {
        let trees = steps.as_chunks::<DEPTH>().0.iter().zip(leaves.as_chunks::<LEAVES>().0);
        if let [sums] = sums {
            // In a register: the way through memory from tree to tree takes longer than a tree.
            let mut sum = load(sums);
            for (steps, leaves) in trees {
                sum = _mm512_add_ps(sum, leaf::<DEPTH, LEAVES, VECTORS>(steps, leaves, block));
            }
            store(sums, sum);
            return;
        }
        let mut output = 0;
        for (steps, leaves) in trees {
            let sum = _mm512_add_ps(load(&sums[output]), leaf::<DEPTH, LEAVES, VECTORS>(steps, leaves, block));
            store(&mut sums[output], sum);
            output = if output + 1 == sums.len() { 0 } else { output + 1 };
        }
    }

    /// The leaf that each row of a block comes to.
    #[target_feature(enable = "avx512f")]
    #[inline]
    fn leaf<const DEPTH: usize, const LEAVES: usize, const VECTORS: usize>(
        steps: &[Step; DEPTH],
        leaves: &[f32; LEAVES],
        block: &[Lane],
    ) -> __m512 {
        let mut table = [_mm512_setzero_ps(); VECTORS];
        for (vector, leaves) in table.iter_mut().zip(leaves.as_chunks::<BLOCK>().0) {
            *vector = load(leaves);
        }
        let mut right: [__mmask16; DEPTH] = [0; DEPTH];
        for (right, step) in right.iter_mut().zip(steps) {
            let values = load(&block[usize::from(step.slot)]);
            *right = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(values, _mm512_set1_ps(step.threshold));
        }
        let mut place = _mm512_setzero_si512();
        for (depth, right) in right.iter().enumerate().take(LOOKED_UP) {
            place = _mm512_mask_or_epi32(place, *right, place, _mm512_set1_epi32(1 << depth));
        }
        match VECTORS {
            1 => _mm512_permutexvar_ps(place, table[0]),
            2 => _mm512_permutex2var_ps(table[0], place, table[1]),
            _ => {
                let left = _mm512_permutex2var_ps(table[0], place, table[1]);
                let right_half = _mm512_permutex2var_ps(table[2], place, table[3]);
                _mm512_mask_blend_ps(right[DEPTH - 1], left, right_half)
            }
        }
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn load(values: &Lane) -> __m512 {
        // SAFETY: sixteen numbers are read, and there are sixteen; they need not be aligned.
        unsafe { _mm512_loadu_ps(values.as_ptr()) }
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn store(values: &mut Lane, vector: __m512) {
        // SAFETY: sixteen numbers are written, and there is room for sixteen; they need not be aligned.
        unsafe { _mm512_storeu_ps(values.as_mut_ptr(), vector) }
    }

    // What both rest on.
    const _: () = assert!(BLOCK == 16);
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::*;

    use super::super::{BLOCK, Lane, Step};

    /// Numbers in one vector.
    const WIDTH: usize = 8;

    #[target_feature(enable = "avx2")]
    pub(super) fn oblivious(
        depth: u8,
        steps: &[Step],
        leaves: &[f32],
        block: &[Lane],
        count: usize,
        sums: &mut [Lane],
    ) {
        match depth {
            3 => trees::<3, 8, 1>(steps, leaves, block, count, sums),
            4 => trees::<4, 16, 2>(steps, leaves, block, count, sums),
            5 => trees::<5, 32, 4>(steps, leaves, block, count, sums),
            _ => trees::<6, 64, 8>(steps, leaves, block, count, sums),
        }
    }

    /// `LEAVES` is two to the power of `DEPTH`, and eight times `VECTORS`.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn trees<const DEPTH: usize, const LEAVES: usize, const VECTORS: usize>(
        steps: &[Step],
        leaves: &[f32],
        block: &[Lane],
        count: usize,
        sums: &mut [Lane],
    ) {
        let outputs = sums.len();
        let trees = steps.as_chunks::<DEPTH>().0.iter().zip(leaves.as_chunks::<LEAVES>().0);
        let bits = [bit(1), bit(2), bit(4)];
        let vectors = count.div_ceil(WIDTH).min(VECTORS_A_LANE);
        let mut output = 0;
        // Neither `map` nor `from_fn`: compiled without AVX2 they would call their closure once for each value.
        for (steps, leaves) in trees {
            let mut table = [_mm256_setzero_ps(); VECTORS];
            for (vector, leaves) in table.iter_mut().zip(leaves.as_chunks::<WIDTH>().0) {
                *vector = load(leaves);
            }
            let mut lanes = [&NO_LANE; DEPTH];
            for (lane, step) in lanes.iter_mut().zip(steps) {
                *lane = vectors_of(&block[usize::from(step.slot)]);
            }
            let sums = sums[output].as_chunks_mut::<WIDTH>().0;
            for vector in 0..vectors {
                let mut right = [_mm256_setzero_ps(); DEPTH];
                for depth in 0..DEPTH {
                    let threshold = _mm256_set1_ps(steps[depth].threshold);
                    right[depth] = _mm256_cmp_ps::<_CMP_GT_OQ>(load(&lanes[depth][vector]), threshold);
                }
                let low = _mm256_or_ps(_mm256_and_ps(right[0], bits[0]), _mm256_and_ps(right[1], bits[1]));
                let lane = _mm256_castps_si256(_mm256_or_ps(low, _mm256_and_ps(right[2], bits[2])));
                let mut found = [_mm256_setzero_ps(); VECTORS];
                for (found, vector) in found.iter_mut().zip(table) {
                    *found = _mm256_permutevar8x32_ps(vector, lane);
                }
                let mut left = VECTORS;
                for right in &right[3..] {
                    left /= 2;
                    for at in 0..left {
                        found[at] = _mm256_blendv_ps(found[2 * at], found[2 * at + 1], *right);
                    }
                }
                let sum = &mut sums[vector];
                store(sum, _mm256_add_ps(load(sum), found[0]));
            }
            output = if output + 1 == outputs { 0 } else { output + 1 };
        }
    }

    const VECTORS_A_LANE: usize = BLOCK / WIDTH;
    type Vectors = [[f32; WIDTH]; VECTORS_A_LANE];
    static NO_LANE: Vectors = [[0.0; WIDTH]; VECTORS_A_LANE];

    #[inline(always)]
    fn vectors_of(lane: &Lane) -> &Vectors {
        lane.as_chunks::<WIDTH>().0.first_chunk().unwrap_or(&NO_LANE)
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn bit(bit: i32) -> __m256 {
        _mm256_castsi256_ps(_mm256_set1_epi32(bit))
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn load(values: &[f32; WIDTH]) -> __m256 {
        // SAFETY: eight numbers are read, and there are eight; they need not be aligned.
        unsafe { _mm256_loadu_ps(values.as_ptr()) }
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn store(values: &mut [f32; WIDTH], vector: __m256) {
        // SAFETY: eight numbers are written, and there is room for eight; they need not be aligned.
        unsafe { _mm256_storeu_ps(values.as_mut_ptr(), vector) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_gives_the_same_bits() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut number = || random.f32() * 2.0 - 1.0;
        for (depth, outputs, count) in
            [(3u8, 1, 16), (4, 8, 7), (4, 1, 9), (5, 1, 13), (5, 8, 3), (6, 8, 16), (6, 1, 1)]
        {
            let block: Vec<Lane> = (0..5).map(|_| std::array::from_fn(|_| number())).collect();
            let trees = 40;
            let step =
                |at: usize| Step { slot: (at * 7 % 5) as u16, left: 0, threshold: block[at % 5][at * 3 % BLOCK] };
            let steps: Vec<Step> = (0..trees * usize::from(depth)).map(step).collect();
            let leaves: Vec<f32> = (0..trees << depth).map(|_| number()).collect();
            let mut expected = vec![[0.5; BLOCK]; outputs];
            let before = expected.clone();
            match depth {
                3 => portable::<3, 8>(&steps, &leaves, &block, count, &mut expected),
                4 => portable::<4, 16>(&steps, &leaves, &block, count, &mut expected),
                5 => portable::<5, 32>(&steps, &leaves, &block, count, &mut expected),
                _ => portable::<6, 64>(&steps, &leaves, &block, count, &mut expected),
            }
            let check = |got: &[Lane], way: &str| {
                for (expected, got) in expected.iter().zip(got) {
                    assert_eq!(expected[..count].map_bits(), got[..count].map_bits(), "depth {depth}, {way}");
                }
            };
            let mut got = before.clone();
            oblivious(depth, &steps, &leaves, &block, count, &mut got);
            check(&got, "the processor's best");
            // A processor that has AVX-512 would not try this one.
            #[cfg(target_arch = "x86_64")]
            if std::is_x86_feature_detected!("avx2") {
                let mut got = before.clone();
                // SAFETY: the processor has AVX2.
                unsafe { avx2::oblivious(depth, &steps, &leaves, &block, count, &mut got) };
                check(&got, "AVX2");
            }
        }
    }

    trait Bits {
        fn map_bits(&self) -> Vec<u32>;
    }

    impl Bits for [f32] {
        fn map_bits(&self) -> Vec<u32> {
            self.iter().map(|x| x.to_bits()).collect()
        }
    }
}
