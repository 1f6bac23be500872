//! The retrain button: `lubb adapt` with the labels so far, as a program of its own.
//!
//! It is the very command that a user would run, so what the button gives is what the command gives; it takes its memory
//! with it when it ends, and nothing that goes wrong in it touches the labels.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;

use super::server::State;
use super::store::{Store, load};
use crate::label::Labelled;
use crate::model::Model;

/// How a new model is trained.
#[derive(Clone, Debug, Default)]
pub struct Training {
    /// The program `lubb`.
    pub program: PathBuf,
    /// The model that is adapted; the one in the program if `None`.
    pub model: Option<PathBuf>,
    /// Labelled pages to learn from besides those labelled here.
    pub with: Vec<PathBuf>,
    /// More arguments for `lubb adapt`.
    pub args: Vec<String>,
    /// Where the new model goes; nowhere if `None`.
    pub model_out: Option<PathBuf>,
}

/// How far a training is.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Progress {
    /// None was started.
    #[default]
    Idle,
    /// It runs.
    Running {
        /// What it said last.
        log: VecDeque<String>,
    },
    /// It gave no model.
    Failed {
        /// Why.
        message: String,
    },
    /// The new model is in use.
    Done(Changes),
}

/// What a new model changed.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Changes {
    /// What the training said.
    log: VecDeque<String>,
    /// Where the model is.
    model: Option<String>,
    /// Blocks whose guess is another one now.
    changed: usize,
    /// Blocks of all pages.
    blocks: usize,
    /// Labelled blocks, and how many of them the old and the new model guess as they are labelled.
    labelled: usize,
    right_before: usize,
    right_after: usize,
    /// Mean word F1 of wholly labelled pages by models that were not adapted to them, and how many pages these are.
    out_of_fold: Option<(f64, usize)>,
    /// The pages, those that changed most first.
    pages: Vec<PageChange>,
}

/// What changed on one page.
#[derive(Clone, Debug, Serialize)]
struct PageChange {
    page: usize,
    changed: usize,
    score_before: f32,
    score_after: f32,
}

/// How many lines of a training's output are kept.
const LOG_LINES: usize = 200;

/// Starts a training, unless one runs.
pub fn start(state: &Arc<State>) -> bool {
    let mut progress = lock(&state.progress);
    if matches!(*progress, Progress::Running { .. }) {
        return false;
    }
    *progress = Progress::Running { log: VecDeque::new() };
    drop(progress);
    let state = Arc::clone(state);
    tokio::spawn(async move {
        let result = train(&state).await;
        *lock(&state.progress) = match result {
            Ok(changes) => Progress::Done(changes),
            Err(message) => Progress::Failed { message },
        };
    });
    true
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn train(state: &Arc<State>) -> Result<Changes, String> {
    let folder = Scratch::new()?;
    let [labels, model, report] = ["annotated.csv", "model.lubb", "report"].map(|name| folder.0.join(name));
    let csv = state.store(|store| store.to_csv()).map_err(|error| error.to_string())?;
    std::fs::write(&labels, csv).map_err(|error| format!("{}: {error}", labels.display()))?;
    let mut command = Command::new(&state.training.program);
    command.arg("adapt").arg("--gold").arg(&labels).args(&state.training.with).arg("--pages").arg(&state.pages);
    command.arg("-o").arg(&model).arg("--report").arg(&report).args(&state.training.args);
    if let Some(base) = &state.training.model {
        command.arg("--model").arg(base);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| format!("{}: {error}", state.training.program.display()))?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (_, _, ended) = tokio::join!(listen(state, out), listen(state, err), child.wait());
    let log = match &*lock(&state.progress) {
        Progress::Running { log } => log.clone(),
        _ => VecDeque::new(),
    };
    let ended = ended.map_err(|error| error.to_string())?;
    if !ended.success() {
        let why = log.iter().rev().find(|line| line.starts_with("error:")).or(log.back());
        return Err(why.cloned().unwrap_or_else(|| format!("`lubb adapt` ended with {ended} and said nothing")));
    }
    let state = Arc::clone(state);
    let changes = move || -> Result<Changes, String> {
        let new = Model::read(&model).map_err(|error| error.to_string())?;
        let guesses = guess(&state, &new);
        let mut changes = state.store(|store| take(store, guesses));
        changes.out_of_fold = out_of_fold(&report.join("pages.csv"));
        changes.log = log;
        if let Some(path) = &state.training.model_out {
            new.write(path).map_err(|error| format!("the model is in use, but is not saved: {error}"))?;
            changes.model = Some(path.display().to_string());
        }
        drop(folder);
        Ok(changes)
    };
    tokio::task::spawn_blocking(changes).await.map_err(|error| error.to_string())?
}

/// Adds what a stream says to the log, line by line.
async fn listen(state: &State, stream: Option<impl AsyncRead + Unpin>) {
    let Some(stream) = stream else { return };
    let mut lines = BufReader::new(stream).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        // The model is in a scratch folder still; where it goes to is told at the end.
        if line.starts_with("wrote ") {
            continue;
        }
        if let Progress::Running { log } = &mut *lock(&state.progress) {
            if log.len() == LOG_LINES {
                log.pop_front();
            }
            log.push_back(line);
        }
    }
}

/// What a model says of every page; nothing for a page that is not any more what it was.
fn guess(state: &State, model: &Model) -> Vec<Option<(Vec<Labelled>, f32)>> {
    use rayon::prelude::*;
    let ids: Vec<String> = state.store(|store| store.sheets.iter().map(|sheet| sheet.id.clone()).collect());
    let label = |(at, id): (usize, &String)| {
        let page = load(&state.pages, id).ok()?;
        let same = state.store(|store| store.sheets[at].is_cut_as(&page));
        let labels = model.label(&page);
        same.then_some((labels.blocks, labels.score))
    };
    ids.par_iter().enumerate().map(label).collect()
}

/// Puts new guesses in the place of the old ones, and says what that changed.
fn take(store: &mut Store, guesses: Vec<Option<(Vec<Labelled>, f32)>>) -> Changes {
    let mut changes = Changes::default();
    for (page, (sheet, guesses)) in store.sheets.iter_mut().zip(guesses).enumerate() {
        let Some((guesses, score)) = guesses else { continue };
        let changed = sheet.guesses.iter().zip(&guesses).filter(|(old, new)| old.label != new.label).count();
        let right = |guesses: &[Labelled]| {
            sheet.labels.iter().zip(guesses).filter(|(label, guess)| **label == Some(guess.label)).count()
        };
        changes.labelled += sheet.labelled();
        changes.right_before += right(&sheet.guesses);
        changes.right_after += right(&guesses);
        changes.blocks += guesses.len();
        changes.changed += changed;
        if changed > 0 {
            changes.pages.push(PageChange { page, changed, score_before: sheet.score, score_after: score });
        }
        sheet.was = sheet.guesses.iter().map(|guess| guess.label).collect();
        (sheet.guesses, sheet.score) = (guesses, score);
    }
    changes.pages.sort_by_key(|page| std::cmp::Reverse(page.changed));
    changes
}

/// The mean F1 of the pages labelled here in a training's report.
fn out_of_fold(pages: &Path) -> Option<(f64, usize)> {
    #[derive(serde::Deserialize)]
    struct Row {
        set: String,
        f1: f64,
    }
    let rows = csv::Reader::from_path(pages).ok()?.into_deserialize::<Row>().filter_map(Result::ok);
    let scores: Vec<f64> = rows.filter(|row| row.set == "annotated").map(|row| row.f1).collect();
    (!scores.is_empty()).then(|| (scores.iter().sum::<f64>() / scores.len() as f64, scores.len()))
}

/// A folder that goes when it is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Scratch, String> {
        let mut random = [0u8; 8];
        getrandom::fill(&mut random).map_err(|error| error.to_string())?;
        let path = std::env::temp_dir().join(format!("lubb-annotate-{:016x}", u64::from_le_bytes(random)));
        std::fs::create_dir(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left of it is in the system's folder for such.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
