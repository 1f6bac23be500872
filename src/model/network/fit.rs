//! Training of the network: gradients page by page (backpropagation: Rumelhart, Hinton & Williams 1986, "Learning
//! representations by back-propagating errors"), steps by Adam (Kingma & Ba 2015), units and columns left out at random
//! (Srivastava et al. 2014, "Dropout").

use linfa::DatasetBase;
use linfa::dataset::Records;
use linfa::traits::Fit;
use ndarray::{Array1, ArrayView2};
use rayon::prelude::*;

use super::mix::{self, mix};
use super::params::{NetworkError, NetworkValidParams, Pages};
use super::{DISTANCES, Hidden, Layers, Network, TAPS, UNITS, Units, around, relu, shares_of};
use crate::features::lanes::{self, Lane, ROWS};
use crate::model::logistic::{Random, draw};
use crate::model::sigmoid;

/// Rows that the columns' middles and spreads are taken from.
const SCALE_ROWS: usize = 40_000;
/// A column that spreads less is left out.
const LEAST_SPREAD: f64 = 1e-3;
/// Over this share of all steps the rate of learning rises from nothing.
const WARM_UP: f32 = 0.14;
/// A training has so many steps, however few its pages are.
const LEAST_STEPS: usize = 300;
/// No step's gradient is longer: one odd page must not undo what the others taught.
const LONGEST_GRADIENT: f32 = 1.0;
/// Adam's shares of what was before in the means of gradients and of their squares.
const KEPT: (f32, f32) = (0.9, 0.999);

/// A page as training sees it.
struct TrainingPage<'a> {
    x: ArrayView2<'a, f32>,
    shares: Vec<f32>,
    body: &'a [bool],
    weights: &'a [f32],
}

/// Targets are whether a block is body, of all pages one after the other; rows weigh their weight, 1 where there is none.
impl Fit<Pages<'_>, Array1<bool>, NetworkError> for NetworkValidParams {
    type Object = Network;

    fn fit(&self, dataset: &DatasetBase<Pages, Array1<bool>>) -> Result<Network, NetworkError> {
        let rows = dataset.records.nsamples();
        let body = dataset.targets.to_vec();
        let weights = match dataset.weights.is_empty() {
            true => vec![1.0; rows],
            false => dataset.weights.to_vec(),
        };
        let pages = training_pages(&dataset.records, &body, &weights)?;
        let weighted = || body.iter().zip(&weights).filter(|(_, weight)| **weight > 0.0).map(|(body, _)| *body);
        if weighted().all(|body| body) || weighted().all(|body| !body) {
            return Err(NetworkError::OneClass { rows });
        }
        let mut network = Network {
            scales: find_scales(&dataset.records, &weights, self.seed),
            weights: first_weights(dataset.records.nfeatures(), self.seed),
        };
        self.train(&mut network, &pages);
        Ok(network)
    }
}

fn training_pages<'a>(
    records: &'a Pages,
    mut body: &'a [bool],
    mut weights: &'a [f32],
) -> Result<Vec<TrainingPage<'a>>, NetworkError> {
    let same = |what, got, expected| match got == expected {
        true => Ok(()),
        false => Err(NetworkError::Count { what, got, expected }),
    };
    same("targets", body.len(), records.nsamples())?;
    same("weights", weights.len(), records.nsamples())?;
    let mut pages = Vec::new();
    for (x, words) in &records.pages {
        same("columns of a page", x.ncols(), records.nfeatures())?;
        same("words of a page's blocks", words.len(), x.nrows())?;
        let (own_body, own_weights);
        (own_body, body) = body.split_at(x.nrows());
        (own_weights, weights) = weights.split_at(x.nrows());
        // A page without blocks, or whose blocks weigh nothing, teaches nothing.
        if own_weights.iter().any(|weight| *weight > 0.0) {
            pages.push(TrainingPage { x: x.view(), shares: shares_of(words), body: own_body, weights: own_weights });
        }
    }
    Ok(pages)
}

/// Each column's middle, by which it is moved, and one over its spread: median and standard deviation over rows drawn in
/// proportion to their weights.
fn find_scales(records: &Pages, weights: &[f32], seed: u64) -> Vec<(f32, f32)> {
    let rows: Vec<_> = records.pages.iter().flat_map(|(x, _)| x.rows()).collect();
    let drawn = draw(weights, SCALE_ROWS.min(rows.len()), seed);
    let of_column = |column: usize| {
        let values = drawn.iter().map(|row| rows[*row][column]).filter(|value| value.is_finite());
        let mut values: Vec<f32> = values.collect();
        values.sort_by(f32::total_cmp);
        let Some(middle) = values.get(values.len() / 2).copied() else { return (0.0, 0.0) };
        let count = values.len() as f64;
        let mean = values.iter().map(|value| f64::from(*value)).sum::<f64>() / count;
        let spread = (values.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>() / count).sqrt();
        (middle, if spread > LEAST_SPREAD { (1.0 / spread) as f32 } else { 0.0 })
    };
    (0..records.nfeatures()).into_par_iter().map(of_column).collect()
}

/// Weights to begin with: uniform, the fewer inputs the wider (LeCun et al. 1998, "Efficient BackProp").
fn first_weights(columns: usize, seed: u64) -> Vec<Units> {
    let layers = Layers::of(columns);
    let mut weights = vec![[0.0; UNITS]; layers.len()];
    let mut random = Random(seed);
    let mut fill = |rows: std::ops::Range<usize>, inputs: usize| {
        let most = 1.0 / (inputs as f64).sqrt();
        let any = |weight: &mut f32| *weight = ((2.0 * random.uniform() - 1.0) * most) as f32;
        weights[rows].as_flattened_mut().iter_mut().for_each(any);
    };
    fill(layers.first, columns.max(1));
    fill(layers.page, UNITS);
    layers.convolutions.into_iter().for_each(|rows| fill(rows, UNITS * TAPS));
    fill(layers.out..layers.constant + 1, 2 * UNITS);
    weights
}

/// What the layers said of a page, for the way back.
struct Forward {
    /// The columns, scaled, by block of rows.
    inputs: Vec<Vec<Lane>>,
    first: Hidden,
    /// For each layer that looks around, what it saw and what it added to it.
    between: Vec<(Hidden, Hidden)>,
    last: Hidden,
}

impl NetworkValidParams {
    fn train(&self, network: &mut Network, pages: &[TrainingPage]) {
        let mut random = Random(self.seed ^ 0x5bd1_e995);
        let mut order: Vec<usize> = (0..pages.len()).collect();
        let mut adam = Adam::new(network.weights.len());
        let of_epoch = pages.len().div_ceil(self.batch).max(1);
        let epochs = self.epochs.max(LEAST_STEPS.div_ceil(of_epoch));
        let steps = (epochs * of_epoch) as f32;
        for epoch in 0..epochs {
            for at in (1..order.len()).rev() {
                order.swap(at, (random.next() % (at as u64 + 1)) as usize);
            }
            for batch in order.chunks(self.batch) {
                let of_page = |at: &usize| {
                    let seed = self.seed.wrapping_add((epoch * pages.len() + at) as u64).wrapping_mul(0x9e37_79b9);
                    self.gradient(network, &pages[*at], Random(seed))
                };
                let gradients: Vec<Vec<Units>> = batch.par_iter().map(of_page).collect();
                let weight: f32 = batch.iter().map(|at| pages[*at].weights.iter().sum::<f32>()).sum();
                // Summed in order, so that the last bits do not depend on the threads.
                let mut sum = vec![[0.0; UNITS]; network.weights.len()];
                for gradient in &gradients {
                    let slots = sum.as_flattened_mut().iter_mut();
                    slots.zip(gradient.as_flattened()).for_each(|(slot, value)| *slot += value / weight);
                }
                let done = adam.steps / steps;
                let warm = ((adam.steps + 1.0) / (WARM_UP * steps)).min(1.0);
                let rate = self.learning_rate * warm * 0.5 * (1.0 + (std::f32::consts::PI * done).cos());
                adam.step(&mut network.weights, &mut sum, rate);
            }
        }
    }

    /// By how much a unit that is left in is raised, for those that are left out.
    fn raise(&self) -> f32 {
        256.0 / (256.0 - self.left_out())
    }

    /// How many units of 256 are left out.
    fn left_out(&self) -> f32 {
        (self.dropout * 256.0).round().min(255.0)
    }

    /// Leaves out some units of some blocks.
    fn drop_units(&self, hidden: &mut Hidden, random: &mut Random) {
        if self.dropout == 0.0 {
            return;
        }
        let (least, raise) = (self.left_out() as u8, self.raise());
        for values in hidden.values.chunks_mut(8) {
            for (value, byte) in values.iter_mut().zip(random.next().to_le_bytes()) {
                *value = if byte >= least { *value * raise } else { 0.0 };
            }
        }
    }

    /// What all layers say of a page, some units and columns left out.
    fn forward(&self, network: &Network, page: &TrainingPage, mut random: Random) -> Forward {
        let mut scale = |(by, scale): &(f32, f32)| match random.uniform() >= f64::from(self.column_dropout) {
            true => (*by, *scale),
            false => (0.0, 0.0),
        };
        let scales: Vec<(f32, f32)> = network.scales.iter().map(&mut scale).collect();
        let (mut first, mut inputs) = (network.begin(page.x.nrows()), Vec::new());
        lanes::of_matrix(page.x, |block, lanes| {
            let mut scaled = vec![[0.0; ROWS]; lanes.len()];
            mix::scale(lanes, &scales, &mut scaled);
            let mut sums = first.lanes(block);
            mix(&scaled.iter().collect::<Vec<_>>(), &network.weights[..lanes.len()], &mut sums);
            first.put(block, &sums);
            inputs.push(scaled);
        });
        first.values.iter_mut().for_each(|value| *value = relu(*value));
        self.drop_units(&mut first, &mut random);
        first.clear_after();
        let mut between = Vec::new();
        let last = network.look_around(&first, &page.shares, &mut |before, more| {
            self.drop_units(more, &mut random);
            between.push((before.clone(), more.clone()));
        });
        Forward { inputs, first, between, last }
    }

    /// The gradient of the weighted log loss of a page's blocks, found from the last layer back to the first.
    fn gradient(&self, network: &Network, page: &TrainingPage, random: Random) -> Vec<Units> {
        let layers = network.layers();
        let mut gradient = vec![[0.0; UNITS]; network.weights.len()];
        let Forward { inputs, first, between, last } = self.forward(network, page, random);
        let log_odds = network.log_odds(&first, &last);
        // The out layer,
        let of_row = |((log_odds, body), weight): ((&f32, &bool), &f32)| {
            weight * (sigmoid(*log_odds) - f32::from(u8::from(*body)))
        };
        let off: Vec<f32> = log_odds.iter().zip(page.body).zip(page.weights).map(of_row).collect();
        gradient[layers.constant][0] = off.iter().sum();
        let mut back = [&first, &last].map(|_| Hidden::new(page.x.nrows()));
        let out = network.weights[layers.out..].iter().zip(&mut gradient[layers.out..]);
        for ((weights, gradient), (hidden, back)) in out.zip([&first, &last].into_iter().zip(&mut back)) {
            for (unit, (weight, gradient)) in weights.iter().zip(gradient).enumerate() {
                *gradient = hidden.unit(unit).iter().zip(&off).map(|(value, off)| value * off).sum();
                back.unit_mut(unit).iter_mut().zip(&off).for_each(|(slot, off)| *slot = weight * off);
            }
        }
        let [mut to_first, mut to_last] = back;
        // the layers that look around, the last one first,
        for ((rows, distance), (before, more)) in layers.convolutions.into_iter().zip(DISTANCES).zip(&between).rev() {
            let mut to_more = to_last.clone();
            self.through(more, &mut to_more);
            let turned = turned(network.layer(rows.clone()).0);
            for block in to_more.blocks() {
                let off = by_row(&to_more.lanes(block));
                mix::outer(&around(before, block, distance), &off, &mut gradient[rows.start..rows.end - 1]);
                add_rows(&off, &mut gradient[rows.end - 1]);
                let mut sums = to_last.lanes(block);
                mix(&around(&to_more, block, distance), &turned, &mut sums);
                to_last.put(block, &sums);
            }
            to_last.clear_after();
        }
        // what each block is told of the page,
        let (weights, _) = network.layer(layers.page.clone());
        let to_page: Units = std::array::from_fn(|unit| to_last.unit(unit).iter().sum());
        gradient[layers.page.end - 1] = to_page;
        for (unit, mean) in first.mean(&page.shares).into_iter().enumerate() {
            gradient[layers.page.start + unit] = to_page.map(|to| mean * to);
            let to_mean: f32 = weights[unit].iter().zip(to_page).map(|(weight, to)| weight * to).sum();
            let slots = to_first.unit_mut(unit).iter_mut();
            for ((slot, to_last), share) in slots.zip(to_last.unit(unit)).zip(&page.shares) {
                *slot += to_last + to_mean * share;
            }
        }
        // and the first layer.
        self.through(&first, &mut to_first);
        for (block, inputs) in inputs.iter().enumerate() {
            let off = by_row(&to_first.lanes(block));
            mix::outer(&inputs.iter().collect::<Vec<_>>(), &off, &mut gradient[..layers.first.end - 1]);
            add_rows(&off, &mut gradient[layers.first.end - 1]);
        }
        gradient
    }

    /// Takes what units are off by back through their cut at zero and their being left out.
    fn through(&self, units: &Hidden, off: &mut Hidden) {
        let raise = if self.dropout == 0.0 { 1.0 } else { self.raise() };
        for (off, value) in off.values.iter_mut().zip(&units.values) {
            *off = if *value > 0.0 { *off * raise } else { 0.0 };
        }
    }
}

/// The weights of a layer that looks around, to go back through it: of its outputs for its inputs.
fn turned(weights: &[Units]) -> Vec<Units> {
    let at = |input: usize, tap: usize| &weights[input * TAPS + tap];
    let rows = (0..UNITS * TAPS).map(|row| (row / TAPS, TAPS - 1 - row % TAPS));
    rows.map(|(output, tap)| std::array::from_fn(|input| at(input, tap)[output])).collect()
}

/// A block of rows, row by row.
fn by_row(lanes: &[Lane; UNITS]) -> [Units; ROWS] {
    std::array::from_fn(|row| std::array::from_fn(|unit| lanes[unit][row]))
}

fn add_rows(rows: &[Units; ROWS], sum: &mut Units) {
    for row in rows {
        sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
}

/// The means of gradients and of their squares so far.
struct Adam {
    steps: f32,
    mean: Vec<f32>,
    square: Vec<f32>,
}

impl Adam {
    fn new(weights: usize) -> Adam {
        Adam { steps: 0.0, mean: vec![0.0; weights * UNITS], square: vec![0.0; weights * UNITS] }
    }

    fn step(&mut self, weights: &mut [Units], gradient: &mut [Units], rate: f32) {
        self.steps += 1.0;
        let length = gradient.as_flattened().iter().map(|value| value * value).sum::<f32>().sqrt();
        let shorter = (LONGEST_GRADIENT / length.max(1e-12)).min(1.0);
        let full = (1.0 - KEPT.0.powf(self.steps), 1.0 - KEPT.1.powf(self.steps));
        let means = self.mean.iter_mut().zip(&mut self.square);
        let weights = weights.as_flattened_mut().iter_mut();
        for ((weight, (mean, square)), value) in weights.zip(means).zip(gradient.as_flattened()) {
            let value = value * shorter;
            *mean = KEPT.0 * *mean + (1.0 - KEPT.0) * value;
            *square = KEPT.1 * *square + (1.0 - KEPT.1) * value * value;
            *weight -= rate * (*mean / full.0) / ((*square / full.1).sqrt() + 1e-8);
        }
    }
}

#[cfg(test)]
mod tests {
    use linfa::ParamGuard;
    use ndarray::Array2;

    use super::super::params::NetworkParams;
    use super::*;

    fn params() -> NetworkParams {
        NetworkParams::default()
    }

    /// A page whose blocks are body where the one before says so in the first column: nothing of a block itself tells.
    fn page(rows: usize, seed: u64) -> (Array2<f32>, Vec<f32>, Vec<bool>) {
        let mut random = Random(seed);
        let x = Array2::from_shape_fn((rows, 3), |_| random.uniform() as f32);
        let body = (0..rows).map(|row| row > 0 && x[[row - 1, 0]] > 0.5).collect();
        (x, vec![10.0; rows], body)
    }

    fn dataset<'a>(pages: &'a [(Array2<f32>, Vec<f32>, Vec<bool>)]) -> DatasetBase<Pages<'a>, Array1<bool>> {
        let records = Pages { pages: pages.iter().map(|(x, words, _)| (x.view(), &words[..])).collect() };
        DatasetBase::new(records, pages.iter().flat_map(|(.., body)| body.iter().copied()).collect())
    }

    fn loss(network: &Network, page: &TrainingPage, words: &[f32]) -> f64 {
        let p = network.predict(page.x, words);
        let of_row = |((p, body), weight): ((f32, &bool), &f32)| {
            let p = f64::from(if *body { p } else { 1.0 - p });
            -f64::from(*weight) * p.ln()
        };
        p.into_iter().zip(page.body).zip(page.weights).map(of_row).sum()
    }

    #[test]
    fn gradients_are_those_of_the_loss() {
        let (x, mut words, body) = page(70, 3);
        words[7] = 90.0;
        let weights: Vec<f32> = (0..70).map(|row| 0.5 + (row % 3) as f32).collect();
        let network = Network { scales: vec![(0.4, 2.0), (0.5, 1.0), (0.0, 5.0)], weights: first_weights(3, 5) };
        let page = TrainingPage { x: x.view(), shares: shares_of(&words), body: &body, weights: &weights };
        let checked = params().dropout(0.0).column_dropout(0.0).check().unwrap();
        let gradient = checked.gradient(&network, &page, Random(1));
        let layers = network.layers();
        let mut rows = vec![layers.first.start, layers.first.end - 1, layers.page.start + 2, layers.page.end - 1];
        layers
            .convolutions
            .iter()
            .for_each(|rows_of| rows.extend([rows_of.start + 7, rows_of.end - 2, rows_of.end - 1]));
        rows.extend([layers.out, layers.out + 1]);
        for (row, unit) in rows.into_iter().flat_map(|row| [(row, 1), (row, 12)]).chain([(layers.constant, 0)]) {
            let by = 2e-3;
            let moved = |by: f32| {
                let mut network = network.clone();
                network.weights[row][unit] += by;
                loss(&network, &page, &words)
            };
            let expected = (moved(by) - moved(-by)) / f64::from(2.0 * by);
            let found = f64::from(gradient[row][unit]);
            assert!((expected - found).abs() < 0.02 * expected.abs().max(1.0), "{row} {unit}: {found}, not {expected}");
        }
    }

    #[test]
    fn what_the_block_before_says_is_learned_and_the_same_seed_gives_the_same_network() {
        let pages: Vec<_> = (0..40).map(|seed| page(20 + seed as usize, seed)).collect();
        let fit = |seed| params().epochs(60).batch(4).learning_rate(0.02).seed(seed).fit(&dataset(&pages)).unwrap();
        let network = fit(1);
        assert_eq!(network, fit(1));
        assert_ne!(network, fit(2));
        assert!(network.is_valid());
        let (x, words, body) = page(200, 99);
        let p = network.predict(x.view(), &words);
        let right = p.iter().zip(&body).filter(|(p, body)| (**p > 0.5) == **body).count();
        assert!(right > 180, "{right} of 200");
        // Columns that come after the network's own change nothing, and nor do other pages' rows.
        let wide = ndarray::concatenate![ndarray::Axis(1), x, x];
        assert_eq!(network.predict(wide.view(), &words), p);
        assert_eq!(network.predict(x.slice(ndarray::s![..0, ..]), &[]), Vec::<f32>::new());
    }

    #[test]
    fn what_nothing_can_be_learned_from_is_an_error() {
        let pages = [page(20, 1)];
        let mut all_body = dataset(&pages);
        all_body.targets.fill(true);
        assert!(matches!(params().fit(&all_body), Err(NetworkError::OneClass { rows: 20 })));
        let few = DatasetBase::new(dataset(&pages).records, Array1::from_elem(19, true));
        assert!(matches!(params().fit(&few), Err(NetworkError::Count { what: "targets", got: 19, expected: 20 })));
        let weighted = dataset(&pages).with_weights(Array1::zeros(20));
        assert!(matches!(params().fit(&weighted), Err(NetworkError::OneClass { .. })));
        let error = params().dropout(1.0).fit(&dataset(&pages)).unwrap_err();
        assert_eq!(error.to_string(), "the network's parameter `dropout` is 1; it must be at least 0 and below 1");
    }

    #[test]
    fn a_network_that_does_not_hold_together_is_not_valid() {
        let network = Network { scales: vec![(0.0, 1.0); 3], weights: first_weights(3, 1) };
        assert!(network.is_valid());
        let with = |change: &dyn Fn(&mut Network)| {
            let mut network = network.clone();
            change(&mut network);
            network.is_valid()
        };
        assert!(!with(&|network| network.weights.truncate(7)));
        assert!(!with(&|network| network.weights[5][3] = f32::NAN));
        assert!(!with(&|network| network.scales[1].1 = f32::INFINITY));
        assert!(!with(&|network| network.scales.truncate(2)));
    }

    #[test]
    fn missing_values_and_columns_that_are_all_the_same_do_no_harm() {
        let mut pages: Vec<_> = (0..10).map(|seed| page(30, seed)).collect();
        for (x, ..) in &mut pages {
            x.column_mut(1).fill(7.0);
            x[[3, 2]] = f32::NAN;
            x[[4, 2]] = f32::INFINITY;
        }
        let network = params().epochs(3).fit(&dataset(&pages)).unwrap();
        assert!(network.is_valid());
        let (x, words, _) = &pages[0];
        assert!(network.predict(x.view(), words).iter().all(|p| p.is_finite()));
    }
}
