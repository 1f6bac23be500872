//! `lubb train`: labelled pages in, a model and its out-of-fold figures out.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use rayon::prelude::*;

use crate::commands::labelled::{self, Labelled};
use lubb::gold::flatten::{Style, flatten};
use lubb::gold::{GoldPage, folds};
use lubb::label::LabelSet;
use lubb::model::Card;
use lubb::model::train::{Example, OutOfFold, TrainParams, kept_text, train};
use lubb::page::Page;
use lubb::report::{self, Prediction};

/// Train a model on labelled pages
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Labelled pages: a folder in WCXB's or AEB's layout, a folder with gold.jsonl or labels.csv, or such a file
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    gold: Vec<PathBuf>,
    /// Where the pages named in a labels.csv are, if not beside it
    #[arg(long, value_name = "DIR")]
    pages: Option<PathBuf>,
    /// The model to write
    #[arg(short, long, value_name = "MODEL")]
    output: PathBuf,
    /// Folds, by host: a page's figures come from a model that saw no page of its host
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(3..=20))]
    folds: u8,
    /// Seed of folds and draws; the same input and seed give the same model
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Rows drawn for each fit; more is slower and a little better
    #[arg(long, default_value_t = 120_000, value_name = "N")]
    rows: usize,
    /// Leave out the model for flattened text
    #[arg(long)]
    no_flat: bool,
    /// A licence or a name to be given, kept in the model (may be given several times)
    #[arg(long, value_name = "TEXT")]
    attribution: Vec<String>,
    /// Also write the out-of-fold report (as `lubb evaluate` does) to this folder
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<ExitCode> {
    let mut out = anstream::stdout().lock();
    let pages = labelled::read(&args.gold, args.pages.as_deref(), &mut out)?;
    let usable = pages.iter().filter(|p| p.is_usable()).count();
    if usable == 0 {
        bail!("none of the {} labelled pages can be trained on", pages.len());
    }
    let golds: Vec<&GoldPage> = pages.iter().map(|p| &p.gold).collect();
    let folds = assign_folds(&golds, args);
    let html: Vec<Example> = pages.iter().zip(&folds).map(|(page, fold)| example(page, *fold)).collect();
    let flat = if args.no_flat { Vec::new() } else { flatten_all(&html) };

    let mut params = TrainParams { folds: args.folds.into(), seed: args.seed, ..TrainParams::default() };
    params.logistic.rows = args.rows;
    let card = Card { trained_on: sets(&golds), attributions: args.attribution.clone(), ..Card::default() };
    writeln!(out, "training on {} pages, {} blocks", html.len(), html.iter().map(|e| e.page.blocks.len()).sum::<usize>())?;
    let mut trained = train(&html, &flat, &params, card)?;

    let predictions = html.iter().zip(&trained.out_of_fold).map(|(example, result)| prediction(&example.page, result));
    let report = report::evaluate(golds.iter().map(|g| (*g).clone()).zip(predictions));
    writeln!(out, "\nout of fold, by host:")?;
    write!(out, "{report}")?;
    trained.model.card.figures =
        report.sets.iter().map(|set| (set.name.clone(), set.pages as u32, set.f1 as f32)).collect();
    if !flat.is_empty() {
        let figures = flat_figures(&flat, &trained.out_of_fold[html.len()..]);
        writeln!(out, "\nflattened text, out of fold: {figures}")?;
    }
    if let Some(dir) = &args.report {
        report.write(dir).with_context(|| format!("the report in {} was not written", dir.display()))?;
    }
    trained.model.write(&args.output).context("the model was not written")?;
    let size = std::fs::metadata(&args.output).map(|m| m.len()).unwrap_or(0);
    writeln!(out, "\nwrote {} ({} KB)", args.output.display(), size / 1000)?;
    Ok(ExitCode::SUCCESS)
}

fn assign_folds(golds: &[&GoldPage], args: &Args) -> Vec<usize> {
    let hosts: Vec<String> = golds.iter().map(|g| g.host.clone()).collect();
    folds::by_host(&hosts, &vec![1.0; hosts.len()], args.folds.into(), args.seed)
}
