//! A block of rows through oblivious trees.
//!
//! All rows meet the same conditions, so a tree is a few comparisons of whole vectors and a look-up in its leaves. With
//! AVX-512 one instruction looks up 32 leaves, and what is left is the time to read the trees from the second cache:
//! 0.08 ms of 0.55 for 1,380 trees and a mean page of `wcxb-dev`. With less, trees go over [bytes](super::bytes), but
//! on processors of other makes, which do it this way one row after the other.

use super::{BLOCK, Lane, Step};

/// Whether trees of this depth are looked up with AVX-512.
#[cfg(target_arch = "x86_64")]
pub(super) fn has_avx512(depth: u8) -> bool {
    (4..=6).contains(&depth) && std::is_x86_feature_detected!("avx512f")
}

/// Adds the trees' leaves for the first `count` rows of a block to `sums`, tree after tree, so that every way of doing
/// it adds in the same order and gives the same bits.
pub(super) fn oblivious(depth: u8, steps: &[Step], leaves: &[f32], block: &[Lane], count: usize, sums: &mut [Lane]) {
    #[cfg(target_arch = "x86_64")]
    if has_avx512(depth) {
        // SAFETY: the processor has the foundation of AVX-512, which is all that the function asks for.
        unsafe { avx512::oblivious(depth, steps, leaves, block, sums) };
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
            let mut got = before;
            oblivious(depth, &steps, &leaves, &block, count, &mut got);
            for (expected, got) in expected.iter().zip(&got) {
                assert_eq!(expected[..count].map_bits(), got[..count].map_bits(), "depth {depth}");
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
