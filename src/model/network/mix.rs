//! The sums of products that all time in the network goes to, as wide as the processor has vectors.
//!
//! The same operations in the same order whatever they are compiled for, and so the same bits: Rust fuses no multiplication
//! with an addition.

use crate::features::lanes::{Lane, ROWS};

use super::{CUT, UNITS, Units};

/// Moves, scales and cuts off columns of a block of rows.
#[inline(always)]
pub(super) fn scale(lanes: &[Lane], scales: &[(f32, f32)], scaled: &mut [Lane]) {
    for ((lane, (by, scale)), scaled) in lanes.iter().zip(scales).zip(scaled) {
        for (slot, value) in scaled.iter_mut().zip(lane) {
            let value = (value - by) * scale;
            // Not `f32::clamp`: a missing value is as small as any.
            let value = if value > -CUT { value } else { -CUT };
            *slot = if value < CUT { value } else { CUT };
        }
    }
}

/// Adds columns of a block of rows to the sums of the first layer: [`scale`], then [`mix`].
pub(super) fn add(lanes: &[Lane], scales: &[(f32, f32)], weights: &[Units], sums: &mut [Lane; UNITS]) {
    as_wide_as_the_processor(Inputs::Columns(lanes, scales), weights, sums);
}

/// Adds each input, a block of rows, times its weight for each unit to that unit's sums.
pub(super) fn mix(inputs: &[&Lane], weights: &[Units], sums: &mut [Lane; UNITS]) {
    as_wide_as_the_processor(Inputs::Ready(inputs), weights, sums);
}

/// What is multiplied with the weights.
enum Inputs<'a> {
    /// Columns, with what each is moved by and multiplied with before.
    Columns(&'a [Lane], &'a [(f32, f32)]),
    Ready(&'a [&'a Lane]),
}

fn as_wide_as_the_processor(inputs: Inputs, weights: &[Units], sums: &mut [Lane; UNITS]) {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx512f") {
        #[target_feature(enable = "avx512f")]
        fn avx512(inputs: Inputs, weights: &[Units], sums: &mut [Lane; UNITS]) {
            as_compiled::<4, 32>(inputs, weights, sums);
        }
        // SAFETY: the processor has AVX-512F, which is all that the function asks for.
        unsafe { avx512(inputs, weights, sums) };
        return;
    } else if std::is_x86_feature_detected!("avx2") {
        #[target_feature(enable = "avx2")]
        fn avx2(inputs: Inputs, weights: &[Units], sums: &mut [Lane; UNITS]) {
            as_compiled::<4, 16>(inputs, weights, sums);
        }
        // SAFETY: the processor has AVX2, which is all that the function asks for.
        unsafe { avx2(inputs, weights, sums) };
        return;
    }
    as_compiled::<2, 16>(inputs, weights, sums);
}

#[inline(always)]
fn as_compiled<const TOGETHER: usize, const WIDE: usize>(inputs: Inputs, weights: &[Units], sums: &mut [Lane; UNITS]) {
    match inputs {
        Inputs::Columns(lanes, scales) => add_as_compiled::<TOGETHER, WIDE>(lanes, scales, weights, sums),
        Inputs::Ready(inputs) => mix_as_compiled::<TOGETHER, WIDE>(inputs, weights, sums),
    }
}

#[inline(always)]
fn add_as_compiled<const TOGETHER: usize, const WIDE: usize>(
    lanes: &[Lane],
    scales: &[(f32, f32)],
    weights: &[Units],
    sums: &mut [Lane; UNITS],
) {
    /// As many as stay in the nearest cache.
    const AT_ONCE: usize = 32;
    let mut scaled = [[0.0; ROWS]; AT_ONCE];
    for ((lanes, scales), weights) in lanes.chunks(AT_ONCE).zip(scales.chunks(AT_ONCE)).zip(weights.chunks(AT_ONCE)) {
        let count = lanes.len().min(scales.len());
        scale(&lanes[..count], scales, &mut scaled);
        mix_as_compiled::<TOGETHER, WIDE>(&scaled.each_ref()[..count], &weights[..count], sums);
    }
}

/// `TOGETHER` units of `WIDE` rows at a time, whose sums are to stay in eight registers.
#[inline(always)]
fn mix_as_compiled<const TOGETHER: usize, const WIDE: usize>(
    inputs: &[&Lane],
    weights: &[Units],
    sums: &mut [Lane; UNITS],
) {
    for unit in (0..UNITS).step_by(TOGETHER) {
        for row in (0..ROWS).step_by(WIDE) {
            let mut some = [[0.0f32; WIDE]; TOGETHER];
            for (some, sums) in some.iter_mut().zip(&sums[unit..]) {
                some.copy_from_slice(&sums[row..row + WIDE]);
            }
            for (input, weights) in inputs.iter().zip(weights) {
                for (some, weight) in some.iter_mut().zip(&weights[unit..unit + TOGETHER]) {
                    for (sum, value) in some.iter_mut().zip(&input[row..row + WIDE]) {
                        *sum += weight * value;
                    }
                }
            }
            for (some, sums) in some.iter().zip(&mut sums[unit..]) {
                sums[row..row + WIDE].copy_from_slice(some);
            }
        }
    }
}

/// Adds to each input's row of weights the sum over rows of the input times what each unit is off by.
pub(super) fn outer(inputs: &[&Lane], off: &[Units; ROWS], gradient: &mut [Units]) {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx2") {
        #[target_feature(enable = "avx2")]
        fn avx2(inputs: &[&Lane], off: &[Units; ROWS], gradient: &mut [Units]) {
            outer_as_compiled(inputs, off, gradient);
        }
        // SAFETY: the processor has AVX2, which is all that the function asks for.
        unsafe { avx2(inputs, off, gradient) };
        return;
    }
    outer_as_compiled(inputs, off, gradient);
}

#[inline(always)]
fn outer_as_compiled(inputs: &[&Lane], off: &[Units; ROWS], gradient: &mut [Units]) {
    /// Inputs whose sums are in registers at a time.
    const TOGETHER: usize = 4;
    for (inputs, gradient) in inputs.chunks(TOGETHER).zip(gradient.chunks_mut(TOGETHER)) {
        let mut sums = [[0.0f32; UNITS]; TOGETHER];
        for (row, off) in off.iter().enumerate() {
            for (sums, input) in sums.iter_mut().zip(inputs) {
                sums.iter_mut().zip(off).for_each(|(sum, off)| *sum += input[row] * off);
            }
        }
        for (slots, sums) in gradient.iter_mut().zip(&sums) {
            slots.iter_mut().zip(sums).for_each(|(slot, sum)| *slot += sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_width_gives_the_same_bits() {
        let value = |at: usize| ((at * 37 % 101) as f32 - 50.0) / 7.0;
        let inputs: Vec<Lane> = (0..45).map(|at| std::array::from_fn(|row| value(at * ROWS + row))).collect();
        let inputs: Vec<&Lane> = inputs.iter().collect();
        let weights: Vec<Units> = (0..45).map(|at| std::array::from_fn(|unit| value(at + 3 * unit))).collect();
        let start: [Lane; UNITS] = std::array::from_fn(|unit| [unit as f32; ROWS]);
        let mut plain = start;
        for (input, weights) in inputs.iter().zip(&weights) {
            for (sums, weight) in plain.iter_mut().zip(weights) {
                sums.iter_mut().zip(*input).for_each(|(sum, value)| *sum += weight * value);
            }
        }
        let mut ways = [start; 4];
        mix(&inputs, &weights, &mut ways[0]);
        mix_as_compiled::<4, 32>(&inputs, &weights, &mut ways[1]);
        mix_as_compiled::<4, 16>(&inputs, &weights, &mut ways[2]);
        mix_as_compiled::<2, 16>(&inputs, &weights, &mut ways[3]);
        assert!(ways.iter().all(|way| *way == plain));
    }

    #[test]
    fn outer_products_are_summed_over_rows() {
        let inputs: Vec<Lane> = (0..7).map(|at| std::array::from_fn(|row| (at * row) as f32)).collect();
        let off: [Units; ROWS] = std::array::from_fn(|row| std::array::from_fn(|unit| (row + unit) as f32));
        let mut gradient = vec![[1.0; UNITS]; 7];
        outer(&inputs.iter().collect::<Vec<_>>(), &off, &mut gradient);
        for (at, row) in gradient.iter().enumerate() {
            for (unit, sum) in row.iter().enumerate() {
                let expected: usize = (0..ROWS).map(|row| at * row * (row + unit)).sum();
                assert_eq!(*sum, 1.0 + expected as f32);
            }
        }
    }
}
