//! Trains small models and asks of them what boosted trees must be able to do.

use linfa::dataset::DatasetBase;
use linfa::traits::{Fit, Predict};
use linfa::{ParamGuard, prelude::Records};
use ndarray::{Array1, Array2, Axis, array, concatenate, s};

use super::trees::{Conditions, Oblivious, Ordinary};
use super::*;

type Data2 = DatasetBase<Array2<f32>, Array1<usize>>;

const GROWERS: [Grow; 2] = [Grow::Oblivious(4), Grow::Leaves(12)];

/// Random rows in [-1, 1] with some values missing, and the class that `class` gives each.
fn data(seed: u64, n: usize, columns: usize, missing: f32, class: impl Fn(&[f32], f32) -> usize) -> Data2 {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut rows = Array2::from_shape_simple_fn((n, columns), || rng.f32() * 2.0 - 1.0);
    let classes = rows.rows().into_iter().map(|row| class(row.as_slice().unwrap(), rng.f32())).collect();
    rows.mapv_inplace(|x| if rng.f32() < missing { f32::NAN } else { x });
    DatasetBase::new(rows, classes)
}

fn xor(row: &[f32], _: f32) -> usize {
    usize::from(row[0] * row[1] > 0.0)
}

fn noisy(row: &[f32], noise: f32) -> usize {
    usize::from(row[0] + row[1] * row[2] + noise > 0.6)
}

fn margins(model: &Boosted, rows: &Array2<f32>) -> Vec<f32> {
    let mut out = vec![0.0; rows.nrows() * model.outputs()];
    model.margins_into(rows.view(), &mut out).unwrap();
    out
}

fn bytes(model: &Boosted) -> Vec<u8> {
    postcard::to_allocvec(model).unwrap()
}

#[test]
fn learns_xor_and_which_columns_matter() {
    for grow in GROWERS {
        let params = Boosted::params().rounds(60).grow(grow).learning_rate(0.3);
        let model = params.fit(&data(1, 2000, 4, 0.0, xor)).unwrap();
        let fresh = data(2, 1000, 4, 0.0, xor);
        let right = model.predict(&fresh.records).iter().zip(&fresh.targets).filter(|(a, b)| a == b).count();
        assert!(right > 950, "{grow:?}: {right} of 1000");
        let gain = model.importances();
        assert!(gain[0].min(gain[1]) > 3.0 * gain[2].max(gain[3]), "{grow:?}: {gain:?}");
    }
}

#[test]
fn going_on_from_a_models_margins_is_as_if_it_had_never_stopped() {
    for (grow, classes) in GROWERS.into_iter().flat_map(|grow| [(grow, 2), (grow, 3)]) {
        let class = |row: &[f32], noise: f32| (noisy(row, noise) + usize::from(row[3] > 0.3)) % classes;
        let data = data(5, 1500, 4, 0.1, class);
        let params = |rounds: usize| Boosted::params().rounds(rounds).grow(grow).classes(classes).check().unwrap();
        let whole = params(40).fit(&data).unwrap();
        let half = params(20).fit(&data).unwrap();
        let before = margins(&half, &data.records);
        let more = margins(&params(20).fit_from(&data, &before).unwrap(), &data.records);
        let both = before.iter().zip(&more).map(|(before, more)| before + more);
        let most = both.zip(margins(&whole, &data.records)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(most < 1e-3, "{grow:?}, {classes} classes: {most}");
        assert!(more.iter().any(|more| more.abs() > 0.1), "{grow:?}: the other half of the trees says nothing");
        assert!(params(1).fit_from(&data, &before[1..]).is_err(), "a margin for each row and class");
    }
}

#[test]
fn a_mean_of_models_says_the_mean_of_what_they_say() {
    let rows = data(9, 500, 4, 0.1, noisy).records;
    for grow in GROWERS {
        let fit = |seed: u64, rounds: usize| {
            let params = Boosted::params().rounds(rounds).grow(grow).subsample(0.5).seed(seed);
            params.fit(&data(seed, 800, 4, 0.1, noisy)).unwrap()
        };
        let models = [fit(1, 20), fit(2, 20), fit(3, 7)];
        let mean = Boosted::mean(&models).unwrap();
        let each = models.each_ref().map(|model| margins(model, &rows));
        for (at, got) in margins(&mean, &rows).into_iter().enumerate() {
            let expected = each.iter().map(|margins| margins[at]).sum::<f32>() / 3.0;
            assert!((got - expected).abs() < 1e-4, "{grow:?}: row {at}: {got}, not {expected}");
        }
        assert_eq!((mean.rounds(), mean.columns()), (47, 4));
        let row = rows.row(0).to_vec();
        let shares: f32 = mean.contributions(&row, 0).unwrap().iter().sum();
        assert!((shares - margins(&mean, &rows)[0]).abs() < 1e-3, "{grow:?}: {shares}");
        assert_eq!(postcard::from_bytes::<Boosted>(&bytes(&mean)).unwrap(), mean);
    }
}

#[test]
fn oblivious_models_of_different_depths_have_a_mean() {
    let train = data(10, 800, 3, 0.1, noisy);
    let fit = |depth: u8| Boosted::params().rounds(10).grow(Grow::Oblivious(depth)).fit(&train).unwrap();
    let (shallow, deep) = (fit(2), fit(5));
    let mean = Boosted::mean(&[shallow.clone(), deep.clone()]).unwrap();
    let (a, b) = (margins(&shallow, &train.records), margins(&deep, &train.records));
    for ((got, a), b) in margins(&mean, &train.records).into_iter().zip(a).zip(b) {
        assert!((got - (a + b) / 2.0).abs() < 1e-4, "{got}, not the mean of {a} and {b}");
    }
}

#[test]
fn unlike_models_have_no_mean() {
    let fit = |grow, columns, classes| {
        let train = data(11, 300, columns, 0.0, |row, _| usize::from(row[0] > 0.0));
        Boosted::params().rounds(2).grow(grow).classes(classes).fit(&train).unwrap()
    };
    let usual = fit(GROWERS[0], 3, 2);
    for other in [fit(GROWERS[1], 3, 2), fit(GROWERS[0], 4, 2), fit(GROWERS[0], 3, 3)] {
        let error = Boosted::mean(&[usual.clone(), other]).unwrap_err();
        assert!(matches!(error, BoostError::Unlike(_)), "{error}");
    }
    assert!(matches!(Boosted::mean(&[]), Err(BoostError::Unlike(_))));
}

#[test]
fn probabilities_follow_a_monotone_function() {
    let truth = |x: f32| 1.0 / (1.0 + (-4.0 * x).exp());
    let train = data(3, 20_000, 1, 0.0, |row, noise| usize::from(noise < truth(row[0])));
    for grow in GROWERS {
        let params = Boosted::params().rounds(50).grow(grow).learning_rate(0.1).min_child_weight(150.0);
        let model = params.fit(&train).unwrap();
        for i in -9..=9 {
            let x = i as f32 / 10.0;
            let p = model.predict_proba(array![[x]].view()).unwrap()[[0, 1]];
            assert!((p - truth(x)).abs() < 0.06, "{grow:?}: at {x}: {p}, not {}", truth(x));
        }
    }
}

#[test]
fn missing_values_go_to_the_side_that_they_were_learned_on() {
    for (grow, missing_class) in [(GROWERS[0], 0), (GROWERS[0], 1), (GROWERS[1], 0), (GROWERS[1], 1)] {
        // Low is class 0, high class 1, missing one of them; and a column in which all present values say nothing.
        let mut train = data(4, 1000, 2, 0.0, |row, _| usize::from(row[0] > 0.0));
        for (i, class) in train.targets.iter_mut().enumerate().filter(|(i, _)| i % 5 == 0) {
            train.records[[i, 0]] = f32::NAN;
            *class = missing_class;
        }
        let model = Boosted::params().rounds(30).grow(grow).learning_rate(0.3).fit(&train).unwrap();
        let got = model.predict(&array![[f32::NAN, 0.3], [-0.5, 0.3], [0.5, 0.3], [f32::INFINITY, f32::NAN]]);
        assert_eq!(got, array![missing_class, 0, 1, 1], "{grow:?}");

        let mut only = data(5, 1000, 1, 0.0, |_, _| 0);
        for i in (0..1000).step_by(3) {
            (only.records[[i, 0]], only.targets[i]) = (f32::NAN, 1);
        }
        let model = Boosted::params().rounds(20).grow(grow).learning_rate(0.3).fit(&only).unwrap();
        let got = model.predict(&array![[f32::NAN], [f32::INFINITY], [f32::NEG_INFINITY], [0.0]]);
        assert_eq!(got, array![1, 0, 0, 0], "{grow:?}: missing against present");
    }
}

#[test]
fn a_weight_counts_like_repeated_rows() {
    let mut once = data(6, 600, 4, 0.1, noisy);
    once.records.mapv_inplace(|x| (x * 20.0).round());
    let (head, tail) = (once.records.slice(s![..200, ..]), once.records.view());
    let rows = concatenate(Axis(0), &[tail, head, head]).unwrap();
    let (head, tail) = (once.targets.slice(s![..200]), once.targets.view());
    let repeated = DatasetBase::new(rows, concatenate(Axis(0), &[tail, head, head]).unwrap());
    let weights = Array1::from_shape_fn(600, |row| if row < 200 { 3.0 } else { 1.0 });
    let weighted = once.clone().with_weights(weights);
    for grow in GROWERS {
        let params = Boosted::params().rounds(10).grow(grow);
        let (a, b) = (params.fit(&repeated).unwrap(), params.fit(&weighted).unwrap());
        let unweighted = params.fit(&once).unwrap();
        let (a, b) = (margins(&a, &once.records), margins(&b, &once.records));
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-3), "{grow:?}");
        let other = margins(&unweighted, &once.records);
        assert!(b.iter().zip(&other).any(|(b, other)| (b - other).abs() > 0.1), "weights change something");
    }
}

#[test]
fn threads_do_not_change_a_bit_and_seeds_do() {
    let train = data(7, 20_000, 19, 0.05, noisy);
    for grow in GROWERS {
        let fit = |threads: usize, seed: u64| {
            let params = Boosted::params().rounds(5).grow(grow).subsample(0.5).colsample(0.6).seed(seed);
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            bytes(&pool.install(|| params.fit(&train)).unwrap())
        };
        assert!(fit(1, 1) == fit(2, 1), "{grow:?}");
        assert!(fit(1, 1) != fit(1, 2), "{grow:?}");
    }
}

#[test]
fn tells_several_classes_apart_and_allows_for_one_never_seen() {
    let class = |row: &[f32], _: f32| if row[0] > 0.3 { 2 } else { usize::from(row[1] > 0.0) };
    for grow in GROWERS {
        let params = Boosted::params().rounds(30).grow(grow).learning_rate(0.2).classes(4);
        let model = params.fit(&data(8, 2000, 3, 0.0, class)).unwrap();
        let fresh = data(9, 500, 3, 0.0, class);
        let right = model.predict(&fresh.records).iter().zip(&fresh.targets).filter(|(a, b)| a == b).count();
        assert!(right > 480, "{grow:?}: {right} of 500");
        let probs = model.predict_proba(fresh.records.view()).unwrap();
        assert_eq!((probs.dim(), model.outputs(), model.rounds()), ((500, 4), 4, 30));
        assert!(probs.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-5 && row[3] < 0.01));
    }
}

#[test]
fn stops_early_and_keeps_the_best_round() {
    let (train, valid) = (data(10, 500, 5, 0.0, noisy), data(11, 500, 5, 0.0, noisy));
    for grow in GROWERS {
        let params = Boosted::params().rounds(300).grow(grow).learning_rate(0.3).early_stopping(7);
        let mut losses = Vec::new();
        let mut observe = |round: Round| losses.push(round.validation_loss.unwrap());
        let model = params.check().unwrap().fit_observed(&train, Some(&valid), &mut observe).unwrap();
        let best = (0..losses.len()).reduce(|a, b| if losses[b] < losses[a] { b } else { a }).unwrap();
        assert_eq!((model.rounds(), losses.len()), (best + 1, best + 8), "{grow:?}");
        let p = model.predict_proba(valid.records.view()).unwrap();
        let loss = valid.targets.iter().zip(p.rows()).map(|(&y, p)| -p[y].ln()).sum::<f32>() / 500.0;
        assert!((loss - losses[best]).abs() < 1e-4, "raw thresholds say what bins said: {loss}, {}", losses[best]);
    }
}

#[test]
fn a_model_survives_storage_and_damage_is_refused() {
    let train = data(12, 2000, 6, 0.1, noisy);
    for grow in GROWERS {
        let model = Boosted::params().rounds(20).grow(grow).fit(&train).unwrap();
        let stored = bytes(&model);
        assert!(stored.len() < 20 * 200 + 100, "{} bytes", stored.len());
        let read: Boosted = postcard::from_bytes(&stored).unwrap();
        assert_eq!(margins(&read, &train.records), margins(&model, &train.records));
        // Whatever byte is wrong, the model is refused or works without panicking.
        let mut rng = fastrand::Rng::with_seed(0);
        for _ in 0..3000 {
            let mut damaged = stored.clone();
            *rng.choice(&mut damaged).unwrap() = rng.u8(..);
            if let Some(model) = postcard::from_bytes::<Boosted>(&damaged).ok().filter(|model| model.columns() == 6) {
                margins(&model, &train.records.slice(s![..20, ..]).to_owned());
                model.contributions(train.records.row(0).as_slice().unwrap(), 0).unwrap();
            }
        }
        let refused = |change: &dyn Fn(&mut Stored)| {
            let mut stored = model.stored.clone();
            change(&mut stored);
            matches!(Boosted::try_from(stored), Err(BoostError::Corrupt(_)))
        };
        assert!(!refused(&|_| ()));
        assert!(refused(&|stored| stored.columns = 1));
        assert!(refused(&|stored| stored.base = vec![0.0; 3]));
        assert!(refused(&|stored| stored.base[0] = f32::NAN));
        match &model.stored.forest {
            Forest::Oblivious(forest) => {
                let with = |change: &dyn Fn(&mut Oblivious)| {
                    let mut forest = forest.clone();
                    change(&mut forest);
                    refused(&|stored| stored.forest = Forest::Oblivious(forest.clone()))
                };
                assert!(with(&|forest| forest.depth = 60) && with(&|forest| forest.depth = 5));
                assert!(with(&|forest| forest.leaves.truncate(5)));
                assert!(with(&|forest| forest.leaves[3] = f32::INFINITY));
                assert!(with(&|forest| forest.conditions = Conditions::default()));
            }
            Forest::Ordinary(forest) => {
                let with = |change: &dyn Fn(&mut Ordinary)| {
                    let mut forest = forest.clone();
                    change(&mut forest);
                    refused(&|stored| stored.forest = Forest::Ordinary(forest.clone()))
                };
                let size = forest.sizes[0];
                assert!(with(&|forest| forest.children[0] = size - 1), "the right child is in the next tree");
                assert!(with(&|forest| forest.children[1] = 1), "a circle");
                assert!(with(&|forest| forest.sizes[0] = 0) && with(&|forest| forest.sizes.truncate(3)));
                assert!(with(&|forest| forest.covers.truncate(3)));
            }
        }
    }
}

#[test]
fn contributions_add_up_to_the_margin() {
    let two = data(13, 2000, 6, 0.2, noisy);
    let three = data(14, 2000, 6, 0.2, |row, _| usize::from(row[0] > 0.0) + usize::from(row[1] > 0.2));
    for (grow, train) in [(GROWERS[0], &two), (GROWERS[1], &two), (GROWERS[0], &three), (GROWERS[1], &three)] {
        let model = Boosted::params().rounds(25).grow(grow).colsample(0.5).fit(train).unwrap();
        let margins = margins(&model, &train.records);
        let mut means = [0.0; 3];
        for (row, values) in train.records.rows().into_iter().enumerate() {
            for output in 0..model.outputs() {
                let parts = model.contributions(values.as_slice().unwrap(), output).unwrap();
                assert_eq!(parts.len(), train.records.nfeatures() + 1);
                let margin = margins[row * model.outputs() + output];
                assert!((parts.iter().sum::<f32>() - margin).abs() < 1e-4, "{grow:?}");
                means[output] += parts[0].abs() / 2000.0 - parts[5].abs() / 2000.0;
            }
        }
        assert!(means[0] > 0.2, "{grow:?}: the column that decides is credited, not noise: {means:?}");
    }
}

#[test]
fn leaf_values_minimise_the_second_order_loss() {
    let weights = Array1::from_shape_fn(500, |row| 0.5 + (row % 4) as f32);
    let train = data(15, 500, 3, 0.1, noisy).with_weights(weights);
    for grow in GROWERS {
        let params = Boosted::params().rounds(1).grow(grow).learning_rate(1.0).l2(2.0).min_child_weight(0.0);
        let model = params.fit(&train).unwrap();
        let base = f64::from(model.stored.base[0]);
        let p = 1.0 / (1.0 + (-base).exp());
        let values: Vec<f64> = margins(&model, &train.records).iter().map(|&m| f64::from(m) - base).collect();
        let mut leaves = values.clone();
        leaves.sort_unstable_by(f64::total_cmp);
        leaves.dedup();
        assert!(leaves.len() > 6, "{grow:?}");
        for leaf in leaves {
            // The loss of the leaf's rows to the second order, as a function of its value.
            let loss = |value: f64| {
                let rows = values.iter().zip(&train.targets).zip(&train.weights).filter(|((v, _), _)| **v == leaf);
                let row = |((_, &y), &w): ((&f64, &usize), &f32)| {
                    f64::from(w) * ((p - y as f64) * value + 0.5 * p * (1.0 - p) * value * value)
                };
                rows.map(row).sum::<f64>() + value * value
            };
            let step = 1e-3;
            let slope = (loss(leaf + step) - loss(leaf - step)) / (2.0 * step);
            assert!(slope.abs() < 1e-3, "{grow:?}: slope {slope} at {leaf}");
            assert!(loss(leaf + 0.01) > loss(leaf) && loss(leaf - 0.01) > loss(leaf));
        }
    }
}

#[test]
fn blocks_and_layouts_do_not_change_a_margin() {
    for grow in GROWERS {
        let train = data(16, 500, 5, 0.1, noisy);
        let model = Boosted::params().rounds(9).grow(grow).fit(&train).unwrap();
        let rows = train.records.slice(s![..37, ..]).to_owned();
        let all = margins(&model, &rows);
        for (row, margin) in rows.axis_chunks_iter(Axis(0), 1).zip(&all) {
            assert_eq!(margins(&model, &row.to_owned()), [*margin]);
        }
        let mut by_column = vec![0.0; 37];
        model.margins_into(rows.t().as_standard_layout().t(), &mut by_column).unwrap();
        assert_eq!(by_column, all);
    }
}

#[test]
fn what_cannot_be_trained_on_is_refused() {
    let params = Boosted::params().rounds(2);
    let good = data(17, 50, 2, 0.0, xor);
    let fit = |data: &Data2| params.fit(data).map(|_| ());
    let targets = |targets: Array1<usize>| fit(&DatasetBase::new(good.records.clone(), targets));
    let weights = |weights: Array1<f32>| fit(&good.clone().with_weights(weights));
    let empty = DatasetBase::new(Array2::zeros((0, 2)), Array1::zeros(0));
    assert!(matches!(fit(&empty), Err(BoostError::Empty { rows: 0, .. })));
    assert!(matches!(targets(Array1::zeros(50)), Err(BoostError::OneClass { class: 0 })));
    assert!(matches!(targets(Array1::ones(50)), Err(BoostError::OneClass { class: 1 })));
    assert!(matches!(targets(Array1::zeros(49)), Err(BoostError::Count { got: 49, expected: 50, .. })));
    assert!(matches!(weights(Array1::zeros(50)), Err(BoostError::NoWeight)));
    assert!(matches!(weights(Array1::ones(3)), Err(BoostError::Count { got: 3, expected: 50, .. })));
    for bad in [-1.0, f32::NAN, f32::INFINITY] {
        let mut bad_weights = Array1::ones(50);
        bad_weights[7] = bad;
        assert!(matches!(weights(bad_weights), Err(BoostError::Weight { row: 7, .. })));
        let mut shares = Array1::from_elem(50, 0.5f32);
        shares[9] = bad;
        let got = params.fit(&DatasetBase::new(good.records.clone(), shares));
        assert!(matches!(got, Err(BoostError::Target { row: 9, .. })));
    }
    let beyond = params.clone().classes(2).fit(&DatasetBase::new(good.records.clone(), Array1::from_elem(50, 2)));
    assert!(matches!(beyond, Err(BoostError::Class { row: 0, class: 2, classes: 2 })));
    for (name, bad) in [
        ("grow", params.clone().grow(Grow::Oblivious(9))),
        ("grow", params.clone().grow(Grow::Leaves(1))),
        ("learning_rate", params.clone().learning_rate(f32::NAN)),
        ("subsample", params.clone().subsample(0.0)),
        ("l2", params.clone().l2(-1.0)),
        ("max_bins", params.clone().max_bins(256)),
    ] {
        let error = bad.fit(&good).unwrap_err();
        assert!(matches!(&error, BoostError::Parameter { name: got, .. } if *got == name), "{error}");
    }
    let model = params.fit(&good).unwrap();
    assert!(matches!(model.margins_into(Array2::zeros((1, 3)).view(), &mut [0.0]), Err(BoostError::Count { .. })));
    assert!(matches!(model.contributions(&[0.0, 0.0], 1), Err(BoostError::Count { .. })));
}

#[test]
fn shares_train_like_rows_of_both_classes() {
    let train = data(18, 1000, 2, 0.0, xor);
    let shares = train.records.column(0).mapv(|x| if x > 0.0 { 0.8 } else { 0.3 });
    let model = Boosted::params().rounds(40).l2(0.0).fit(&DatasetBase::new(train.records, shares)).unwrap();
    let p = model.predict_proba(array![[0.5, 0.0], [-0.5, 0.0]].view()).unwrap();
    assert!((p[[0, 1]] - 0.8).abs() < 0.01 && (p[[1, 1]] - 0.3).abs() < 0.01, "{p}");
}
