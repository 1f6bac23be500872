//! Values to bytes: of how many thresholds that trees have on its column a value is above. CatBoost does the same (Dorogush,
//! Ershov and Gulin, "CatBoost: gradient boosting with categorical features support", 2018).
//!
//! All that trees ask of a value is in its byte, so that it is found out once for all trees of all stages, and a block's
//! 380 values become as many bytes, which stay in the nearest cache while trees pass through it.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use crate::features::lanes::{Lane, ROWS};
use crate::model::boost::bins::finite;
use crate::model::boost::trees::Condition;

/// Thresholds that one byte counts, from its least value on. A column that has more takes more bytes.
const COUNTED: usize = 255;
/// Up to so many thresholds are compared one after the other. More are in so many groups: the group of a value is found
/// first, then its place in the group.
const GROUPS: usize = 8;

/// One byte for each of a block's rows, with a sign, as AVX2 compares them.
pub(super) type Bytes = [i8; ROWS];

/// What makes bytes of the values of some columns.
#[derive(Clone, Debug, Default)]
pub(super) struct Counter {
    /// In the order of their columns.
    counts: Vec<Count>,
    /// The thresholds of all counts, infinity where there are no more; each vector has one of every group, and a group
    /// is below the next one.
    thresholds: Vec<[f32; GROUPS]>,
}

/// What becomes one byte.
#[derive(Clone, Debug)]
struct Count {
    column: usize,
    /// How many thresholds, and where they stand.
    thresholds: usize,
    place: Range<usize>,
    /// Whether missing values go to the right at all conditions, or to the left.
    missing_right: bool,
    /// Whether a threshold divides what is missing from all that is there, infinities too.
    divides_missing: bool,
}

/// A condition on bytes: right if the byte is greater than the code.
#[derive(Clone, Copy, Debug)]
pub(super) struct Code {
    pub(super) byte: u32,
    /// Four times the same, as it is loaded fastest.
    pub(super) code: [i8; 4],
}

/// What conditions become.
pub(super) struct Codes(HashMap<(usize, bool, u32), Code>);

impl Codes {
    /// # Panics
    /// For a condition that was not among those that the counter was made from.
    pub(super) fn of(&self, condition: &Condition) -> Code {
        self.0[&(condition.column, condition.missing_left, number(condition.threshold))]
    }
}

/// A threshold as a key; 0 and -0 are one.
fn number(threshold: f32) -> u32 {
    (threshold + 0.0).to_bits()
}

impl Counter {
    /// Deals the thresholds of some conditions out to bytes.
    pub(super) fn new(conditions: impl Iterator<Item = Condition>) -> (Counter, Codes) {
        let mut of_columns: BTreeMap<(usize, bool), Vec<f32>> = BTreeMap::new();
        for condition in conditions {
            let of_column = of_columns.entry((condition.column, condition.missing_left)).or_default();
            of_column.push(condition.threshold + 0.0);
        }
        let (mut counter, mut codes) = (Counter::default(), HashMap::new());
        for ((column, missing_left), mut thresholds) in of_columns {
            thresholds.sort_unstable_by(f32::total_cmp);
            thresholds.dedup();
            for part in thresholds.chunks(COUNTED) {
                let byte = counter.counts.len() as u32;
                for (code, threshold) in part.iter().enumerate() {
                    let code = Code { byte, code: [(code as i32 + i32::from(i8::MIN)) as i8; 4] };
                    codes.insert((column, missing_left, number(*threshold)), code);
                }
                counter.push(column, !missing_left, part);
            }
        }
        (counter, Codes(codes))
    }

    fn push(&mut self, column: usize, missing_right: bool, thresholds: &[f32]) {
        let of_group = thresholds.len().div_ceil(GROUPS);
        let start = self.thresholds.len();
        self.thresholds.extend((0..of_group).map(|at| {
            std::array::from_fn(|group| thresholds.get(group * of_group + at).copied().unwrap_or(f32::INFINITY))
        }));
        self.counts.push(Count {
            column,
            thresholds: thresholds.len(),
            place: start..self.thresholds.len(),
            missing_right,
            divides_missing: thresholds.last() == Some(&f32::MAX),
        });
    }

    /// How many bytes a row has.
    pub(super) fn bytes(&self) -> usize {
        self.counts.len()
    }

    /// Sets the bytes of a block of rows, of all columns, that are those of `lanes`, the first of which is `first`.
    pub(super) fn count(&self, first: usize, lanes: &[Lane], bytes: &mut [Bytes]) {
        #[cfg(target_arch = "x86_64")]
        if std::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2, which is all that the function asks for.
            unsafe { avx2::count(self, first, lanes, bytes) };
            return;
        }
        self.count_as_compiled(first, lanes, bytes);
    }

    /// For any processor.
    fn count_as_compiled(&self, first: usize, lanes: &[Lane], bytes: &mut [Bytes]) {
        for (count, thresholds, bytes) in self.counts_of(first, lanes.len(), bytes) {
            let lane = count.lane(&lanes[count.column - first]);
            *bytes = [i8::MIN; ROWS];
            for threshold in thresholds.as_flattened().iter().filter(|threshold| threshold.is_finite()) {
                let right = |value: f32| value > *threshold || count.missing_right && value.is_nan();
                bytes.iter_mut().zip(lane.iter()).for_each(|(byte, value)| *byte += i8::from(right(*value)));
            }
        }
    }

    /// The counts of some columns, with the thresholds and the bytes of each.
    fn counts_of<'a>(
        &'a self,
        first: usize,
        columns: usize,
        bytes: &'a mut [Bytes],
    ) -> impl Iterator<Item = (&'a Count, &'a [[f32; GROUPS]], &'a mut Bytes)> {
        let start = self.counts.partition_point(|count| count.column < first);
        let end = self.counts.partition_point(|count| count.column < first + columns);
        let counts = self.counts[start..end].iter().zip(&mut bytes[start..end]);
        counts.map(|(count, bytes)| (count, &self.thresholds[count.place.clone()], bytes))
    }
}

impl Count {
    /// The values of a lane as they are compared.
    fn lane<'a>(&self, lane: &'a Lane) -> Cow<'a, Lane> {
        if self.divides_missing { Cow::Owned(lane.map(finite)) } else { Cow::Borrowed(lane) }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::*;

    use super::{Bytes, Counter, GROUPS, Lane, ROWS};

    /// Rows in one vector of 32-bit numbers.
    const WIDTH: usize = 8;
    /// All rows.
    const ALL: usize = ROWS / WIDTH;

    #[target_feature(enable = "avx2")]
    pub(super) fn count(counter: &Counter, first: usize, lanes: &[Lane], bytes: &mut [Bytes]) {
        for (count, thresholds, bytes) in counter.counts_of(first, lanes.len(), bytes) {
            let lane = count.lane(&lanes[count.column - first]);
            let values = load(&lane);
            let above = match count.missing_right {
                true => above::<_CMP_NLE_UQ>(&values, count.thresholds, thresholds),
                false => above::<_CMP_GT_OQ>(&values, count.thresholds, thresholds),
            };
            store(above, bytes);
        }
    }

    /// How many thresholds each value is above, by a comparison that says where missing values go.
    ///
    /// Of more than [`GROUPS`] thresholds: those of all groups whose greatest a value is above, and those of the next
    /// group that it is above. For 63 thresholds these are 15 comparisons.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn above<const RIGHT: i32>(values: &[__m256; ALL], count: usize, thresholds: &[[f32; GROUPS]]) -> [__m256i; ALL] {
        let (greatest, count) = match thresholds {
            [few] => (few, count),
            [.., greatest] => (greatest, GROUPS - 1),
            [] => return [_mm256_setzero_si256(); ALL],
        };
        let mut groups = [_mm256_setzero_si256(); ALL];
        for threshold in &greatest[..count] {
            let threshold = _mm256_set1_ps(*threshold);
            for (group, values) in groups.iter_mut().zip(values) {
                // True is -1.
                *group = _mm256_sub_epi32(*group, _mm256_castps_si256(_mm256_cmp_ps::<RIGHT>(*values, threshold)));
            }
        }
        if thresholds.len() == 1 {
            return groups;
        }
        let of_group = _mm256_set1_epi32(thresholds.len() as i32);
        let mut counts = groups.map(|group| _mm256_mullo_epi32(group, of_group));
        for thresholds in thresholds {
            // SAFETY: eight numbers are read, and there are eight; they need not be aligned.
            let thresholds = unsafe { _mm256_loadu_ps(thresholds.as_ptr()) };
            for ((count, values), group) in counts.iter_mut().zip(values).zip(groups) {
                let threshold = _mm256_permutevar8x32_ps(thresholds, group);
                *count = _mm256_sub_epi32(*count, _mm256_castps_si256(_mm256_cmp_ps::<RIGHT>(*values, threshold)));
            }
        }
        counts
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn load(lane: &Lane) -> [__m256; ALL] {
        let parts = lane.as_chunks::<WIDTH>().0;
        // SAFETY: eight numbers are read, and there are eight; they need not be aligned.
        std::array::from_fn(|part| unsafe { _mm256_loadu_ps(parts[part].as_ptr()) })
    }

    /// Counts as bytes. What is more than a byte holds, a missing value's, becomes the greatest one, which is above all codes.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn store(numbers: [__m256i; ALL], bytes: &mut Bytes) {
        let least = _mm256_set1_epi32(i8::MIN.into());
        let numbers = numbers.map(|numbers| _mm256_add_epi32(numbers, least));
        let halves = [_mm256_packs_epi32(numbers[0], numbers[1]), _mm256_packs_epi32(numbers[2], numbers[3])];
        // Packing works on each half of a vector alone: the order of fours of rows is put right.
        let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
        let packed = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(halves[0], halves[1]), order);
        // SAFETY: 32 bytes are written, and there is room for 32; they need not be aligned.
        unsafe { _mm256_storeu_si256(bytes.as_mut_ptr().cast(), packed) };
    }

    // What all rests on.
    const _: () = assert!(ALL == 4 && GROUPS == WIDTH);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_on_bytes_say_what_they_say_on_values() {
        let mut random = fastrand::Rng::with_seed(7);
        let special = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, 0.0, -0.0];
        // Columns of so many thresholds, some with one that only what is missing is above.
        let sizes = [1, 2, 8, 9, 0, 63, 254, 255, 256, 600];
        let mut conditions = Vec::new();
        for (column, size) in sizes.into_iter().enumerate() {
            for at in 0..size {
                let threshold = if column % 3 == 2 && at == 0 { f32::MAX } else { (at as f32 - 50.0) / 16.0 };
                conditions.push(Condition { column, missing_left: column % 2 == 0, threshold });
                if column == 9 && at % 3 == 0 {
                    conditions.push(Condition { column, missing_left: true, threshold });
                }
            }
        }
        let (counter, codes) = Counter::new(conditions.iter().copied());
        assert!(counter.bytes() > sizes.len());
        let mut value = |at: usize| special.get(at).copied().unwrap_or((random.f32() * 1600.0).floor() / 32.0 - 10.0);
        let lanes: Vec<Lane> = sizes.iter().map(|_| std::array::from_fn(&mut value)).collect();
        let (mut best, mut compiled) = (vec![[0; ROWS]; counter.bytes()], vec![[0; ROWS]; counter.bytes()]);
        // In two parts, as columns come.
        counter.count(0, &lanes[..4], &mut best);
        counter.count(4, &lanes[4..], &mut best);
        counter.count_as_compiled(0, &lanes, &mut compiled);
        for bytes in [best, compiled] {
            for condition in &conditions {
                let code = codes.of(condition);
                for (row, value) in lanes[condition.column].iter().enumerate() {
                    let right = bytes[code.byte as usize][row] > code.code[0];
                    assert_eq!(right, !condition.goes_left(*value), "{condition:?} of {value}");
                }
            }
        }
    }
}
