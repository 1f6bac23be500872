//! Trains and times boosted trees on a matrix that `benches/boost/compare.py` wrote, for its table.
//!
//! `boost_matrix FOLDER leaves|oblivious SIZE ROUNDS RATE L2 MIN_CHILD_WEIGHT SUBSAMPLE COLSAMPLE` reads `train_x.npy`,
//! `train_y.npy` and `test_x.npy`, writes `test_p.npy` (rows x 1, the probability of class 1), and prints the times.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use linfa::DatasetBase;
use linfa::traits::Fit;
use lubb::model::boost::{Boosted, Grow};
use ndarray::{Array1, Array2, s};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, kind, size, rounds, rate, l2, min_child_weight, subsample, colsample] = &arguments[..] else {
        return Err("nine arguments are wanted; benches/boost/compare.py gives them".into());
    };
    let folder = Path::new(folder);
    let train_x: Array2<f32> = ndarray_npy::read_npy(folder.join("train_x.npy"))?;
    let train_y: Array1<i64> = ndarray_npy::read_npy(folder.join("train_y.npy"))?;
    let test_x: Array2<f32> = ndarray_npy::read_npy(folder.join("test_x.npy"))?;
    let grow = match kind.as_str() {
        "leaves" => Grow::Leaves(size.parse()?),
        _ => Grow::Oblivious(size.parse()?),
    };
    let params = Boosted::params()
        .rounds(rounds.parse()?)
        .learning_rate(rate.parse()?)
        .grow(grow)
        .l2(l2.parse()?)
        .min_child_weight(min_child_weight.parse()?)
        .subsample(subsample.parse()?)
        .colsample(colsample.parse()?)
        .classes(2)
        .seed(1);
    let dataset = DatasetBase::new(train_x, train_y.mapv(|y| y as usize));
    let (start, processor) = (Instant::now(), processor_seconds());
    let model = params.fit(&dataset)?;
    let (train, train_processor) = (start.elapsed().as_secs_f64(), processor_seconds() - processor);

    // Prediction is timed on one core, the best of three.
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let mut best = f64::INFINITY;
    let mut p = Array2::zeros((0, 2));
    for _ in 0..3 {
        let start = processor_seconds();
        p = one.install(|| model.predict_proba(test_x.view()))?;
        best = best.min(processor_seconds() - start);
    }
    ndarray_npy::write_npy(folder.join("test_p.npy"), &p.slice(s![.., 1..2]).to_owned())?;
    let bytes = postcard::to_allocvec(&model)?.len();
    let predict_us = best * 1e6 / test_x.nrows() as f64;
    let times = serde_json::json!({
        "train": train, "train_processor": train_processor, "predict_us": predict_us, "bytes": bytes,
    });
    println!("{times}");
    Ok(())
}

/// What all threads took of the processors so far, which other programs on the machine do not change.
fn processor_seconds() -> f64 {
    let ran = |task: std::io::Result<std::fs::DirEntry>| {
        let line = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        line.split(' ').next()?.parse::<f64>().ok()
    };
    std::fs::read_dir("/proc/self/task").map_or(0.0, |tasks| tasks.filter_map(ran).sum::<f64>() / 1e9)
}
