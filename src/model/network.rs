//! A small network over the blocks of a page, beside the trees.
//!
//! Trees cut the columns one at a time and see the surroundings as columns that someone thought of. This sums all columns
//! of a block to 16 units, tells every block what the page as a whole is like, and lets it look at its neighbours three
//! times, ever further away (dilated convolutions: Yu & Koltun 2016, "Multi-Scale Context Aggregation by Dilated
//! Convolutions", with skipped connections as He et al. 2016, "Deep Residual Learning for Image Recognition"). Alone it is
//! less accurate than the trees; it errs elsewhere, and the calibration weighs the two.
//!
//! ```text
//! z = the columns, moved and scaled, cut off at ±3
//! h = relu(First z)
//! g = h + Page mean(h)                             the mean over the page, by words
//! g = g + relu(Conv_d(g at -d, 0, +d))             for d = 1, 2, 4
//! log-odds of body = out · (h, g)
//! ```

use std::ops::Range;

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::sigmoid;
use crate::features::lanes::{self, Lane, ROWS};

mod fit;
mod mix;
mod params;

use mix::mix;
pub use params::{NetworkError, NetworkParams, NetworkValidParams, Pages};

/// Units of each layer. With 32 it is more accurate by little, and takes more than twice the time.
const UNITS: usize = 16;

/// One number for each unit.
type Units = [f32; UNITS];

/// How far the neighbours are that the layers look at, one after the other.
const DISTANCES: [usize; 3] = [1, 2, 4];
/// A block, and one before and after it.
const TAPS: usize = 3;
/// The farthest of the distances: so many rows of zeros stand before the first block and after the last.
const MARGIN: usize = 4;

/// Columns are cut off at so many standard deviations.
const CUT: f32 = 3.0;
/// No block's words count for more in the mean over the page.
const MOST_WORDS: f32 = 200.0;

/// The fitted network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// What each column is moved by, then multiplied with.
    scales: Vec<(f32, f32)>,
    /// Of all layers, one below the other: see [`Layers`].
    weights: Vec<Units>,
}

/// Where each layer's weights are. A layer has a row of weights for each of its inputs, then its constants.
struct Layers {
    first: Range<usize>,
    page: Range<usize>,
    convolutions: [Range<usize>; DISTANCES.len()],
    /// Two rows: for the first layer's units and for the last one's.
    out: usize,
    /// A row of which the first number is used.
    constant: usize,
}

impl Layers {
    fn of(columns: usize) -> Layers {
        let mut end = 0;
        let mut next = |inputs: usize| {
            let start = end;
            end += inputs + 1;
            start..end
        };
        let (first, page) = (next(columns), next(UNITS));
        let convolutions = DISTANCES.map(|_| next(UNITS * TAPS));
        Layers { first, page, convolutions, out: end, constant: end + 2 }
    }

    fn len(&self) -> usize {
        self.constant + 1
    }
}

/// What a layer says of all blocks of a page: unit by unit, each with [`MARGIN`] rows of zeros around whole [`ROWS`].
#[derive(Clone, Debug)]
pub(super) struct Hidden {
    rows: usize,
    length: usize,
    values: Vec<f32>,
}

impl Hidden {
    fn new(rows: usize) -> Hidden {
        let length = rows.div_ceil(ROWS) * ROWS + 2 * MARGIN;
        Hidden { rows, length, values: vec![0.0; UNITS * length] }
    }

    fn blocks(&self) -> Range<usize> {
        0..self.rows.div_ceil(ROWS)
    }

    fn start(&self, unit: usize, block: usize) -> usize {
        unit * self.length + MARGIN + block * ROWS
    }

    /// A block of rows of a unit, moved by at most [`MARGIN`].
    fn lane(&self, unit: usize, block: usize, by: isize) -> &Lane {
        let from = self.start(unit, block).wrapping_add_signed(by);
        // The margin keeps it inside.
        self.values[from..].first_chunk().unwrap_or(&[0.0; ROWS])
    }

    fn lanes(&self, block: usize) -> [Lane; UNITS] {
        std::array::from_fn(|unit| *self.lane(unit, block, 0))
    }

    fn put(&mut self, block: usize, lanes: &[Lane; UNITS]) {
        for (unit, lane) in lanes.iter().enumerate() {
            let start = self.start(unit, block);
            self.values[start..start + ROWS].copy_from_slice(lane);
        }
    }

    /// A unit's values of the page's rows.
    fn unit(&self, unit: usize) -> &[f32] {
        let start = self.start(unit, 0);
        &self.values[start..start + self.rows]
    }

    fn unit_mut(&mut self, unit: usize) -> &mut [f32] {
        let start = self.start(unit, 0);
        &mut self.values[start..start + self.rows]
    }

    /// Makes rows after the page's last one zero, as all before the first are.
    fn clear_after(&mut self) {
        for unit in 0..UNITS {
            let (from, to) = (self.start(unit, 0) + self.rows, (unit + 1) * self.length);
            self.values[from..to].fill(0.0);
        }
    }

    /// The mean of each unit over the page. Row by row: no unit's sum waits for that of another.
    fn mean(&self, shares: &[f32]) -> Units {
        let units: [&[f32]; UNITS] = std::array::from_fn(|unit| self.unit(unit));
        let mut sums = [0.0; UNITS];
        for (row, share) in shares.iter().enumerate().take(self.rows) {
            sums.iter_mut().zip(units).for_each(|(sum, unit)| *sum += unit[row] * share);
        }
        sums
    }
}

/// Each block's share in the mean over the page.
fn shares_of(words: &[f32]) -> Vec<f32> {
    let total: f32 = words.iter().map(|words| words.min(MOST_WORDS)).sum();
    words.iter().map(|words| words.min(MOST_WORDS) / total.max(1e-6)).collect()
}

/// Not `f32::max`, whose care for NaN takes three more steps: here NaN is 0.
fn relu(value: f32) -> f32 {
    if value > 0.0 { value } else { 0.0 }
}

/// The columns of [`DISTANCES`]' layer for a block of rows, in the order of its weights.
fn around(hidden: &Hidden, block: usize, distance: usize) -> [&Lane; UNITS * TAPS] {
    std::array::from_fn(|at| {
        let by = (at % TAPS) as isize - 1;
        hidden.lane(at / TAPS, block, by * distance as isize)
    })
}

impl Network {
    /// Parameters to train one with.
    pub fn params() -> NetworkParams {
        NetworkParams::default()
    }

    fn layers(&self) -> Layers {
        Layers::of(self.columns())
    }

    /// How many columns a row must have.
    pub fn columns(&self) -> usize {
        self.scales.len()
    }

    /// Whether a network read from a file holds together: as many weights as its columns ask for, and all of them finite.
    pub fn is_valid(&self) -> bool {
        self.weights.len() == self.layers().len()
            && self.scales.iter().all(|(by, scale)| by.is_finite() && scale.is_finite())
            && self.weights.as_flattened().iter().all(|weight| weight.is_finite())
    }

    /// A layer's weights of its inputs and its constants.
    fn layer(&self, rows: Range<usize>) -> (&[Units], Units) {
        match self.weights[rows].split_last() {
            Some((constants, weights)) => (weights, *constants),
            None => (&[], [0.0; UNITS]),
        }
    }

    /// A page of so many blocks before its columns are added: see [`Network::add`].
    pub(super) fn begin(&self, rows: usize) -> Hidden {
        let mut hidden = Hidden::new(rows);
        let (_, constants) = self.layer(self.layers().first);
        let lanes = constants.map(|constant| [constant; ROWS]);
        hidden.blocks().for_each(|block| hidden.put(block, &lanes));
        hidden
    }

    /// Adds what some columns of a block of rows say to the first layer; the first of them is `first`. Columns that the
    /// network does not have are passed over.
    pub(super) fn add(&self, block: usize, first: usize, lanes: &[Lane], hidden: &mut Hidden) {
        let Some(scales) = self.scales.get(first..) else { return };
        let mut sums = hidden.lanes(block);
        mix::add(lanes, scales, &self.weights[first..], &mut sums);
        hidden.put(block, &sums);
    }

    /// The probability of body of each block, once all columns are added.
    pub(super) fn end(&self, mut first: Hidden, words: &[f32]) -> Vec<f32> {
        first.values.iter_mut().for_each(|value| *value = relu(*value));
        first.clear_after();
        let last = self.look_around(&first, &shares_of(words), &mut |_, _| ());
        self.log_odds(&first, &last).into_iter().map(sigmoid).collect()
    }

    /// What the last layer says, given what the first does. `between` is given what each layer sees, and what it adds to it
    /// before that is added.
    fn look_around(&self, first: &Hidden, shares: &[f32], between: &mut impl FnMut(&Hidden, &mut Hidden)) -> Hidden {
        let layers = self.layers();
        let (weights, mut page) = self.layer(layers.page);
        for (mean, weights) in first.mean(shares).into_iter().zip(weights) {
            page.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight * mean);
        }
        let mut last = first.clone();
        for (unit, of_page) in page.into_iter().enumerate() {
            last.unit_mut(unit).iter_mut().for_each(|value| *value += of_page);
        }
        for (rows, distance) in layers.convolutions.into_iter().zip(DISTANCES) {
            let (weights, constants) = self.layer(rows);
            let mut more = Hidden::new(first.rows);
            for block in last.blocks() {
                let mut sums = constants.map(|constant| [constant; ROWS]);
                mix(&around(&last, block, distance), weights, &mut sums);
                more.put(block, &sums.map(|lane| lane.map(relu)));
            }
            between(&last, &mut more);
            last.values.iter_mut().zip(&more.values).for_each(|(value, more)| *value += more);
            last.clear_after();
        }
        last
    }

    /// The log-odds of body of each block.
    fn log_odds(&self, first: &Hidden, last: &Hidden) -> Vec<f32> {
        let layers = self.layers();
        let mut sums = vec![self.weights[layers.constant][0]; first.rows];
        for (hidden, weights) in [first, last].into_iter().zip(&self.weights[layers.out..]) {
            for (unit, weight) in weights.iter().enumerate() {
                sums.iter_mut().zip(hidden.unit(unit)).for_each(|(sum, value)| *sum += weight * value);
            }
        }
        sums
    }

    /// The probability of body of each row of a page, whose blocks have so many words. A matrix may have more columns than
    /// the network, after its own.
    pub fn predict(&self, x: ArrayView2<f32>, words: &[f32]) -> Vec<f32> {
        let mut hidden = self.begin(x.nrows());
        lanes::of_matrix(x, |block, lanes| self.add(block, 0, lanes, &mut hidden));
        self.end(hidden, words)
    }
}
