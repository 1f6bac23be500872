//! `lubb adapt`: a model and labelled pages of new sites in, the model adapted to these sites and what it gained out.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use lubb::gold::GoldPage;
use lubb::model::adapt::{AdaptParams, Further, adapt};
use lubb::model::train::Example;
use lubb::model::{Card, Labels};
use lubb::page::Input;
use lubb::report::compare::Comparison;
use lubb::report::{Outcome, PageRow, Report};

use super::evaluate::{print_comparison, print_report};
use super::labelled::{self, Gold, LabelledPage};
use super::train::{check_outputs, flattened, sets, write_predictions};
use super::{ModelFile, Status};

/// Adapt a model to the sites of some labelled pages, and say what that gains on further pages of them
///
/// Ten pages of a site are enough to learn its ways, and less than a minute. Pages that the model was trained on (as data/labelled
/// is for the default model) hold it in place for all other sites: add them.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    gold: Gold,
    #[command(flatten)]
    model: ModelFile,
    /// The model to write
    #[arg(short, long, value_name = "MODEL")]
    out: PathBuf,
    /// Folds, by page: a page's figures come from the model adapted to the pages of the other folds
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(2..=20))]
    folds: u8,
    /// Seed of folds and draws: the same model, pages and seed give the same model, byte for byte
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Boosting rounds
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), hide_short_help = true)]
    rounds: u16,
    /// A licence or a name to be given, kept in the model
    #[arg(long, value_name = "TEXT")]
    attribution: Vec<String>,
    /// Also write the report on pages that the model was not adapted to to this folder, as `lubb evaluate` does
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
    /// Also write the text and labelled blocks of each of these pages to this file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// The model or the labelled pages cannot be read, these are too few, or the new model cannot be written.
pub fn run(args: Args) -> Result<Status> {
    let mut out = anstream::stdout().lock();
    check_outputs(&args.gold, &args.out, args.predictions.as_deref(), args.report.as_deref())?;
    let base = args.model.load()?;
    if let Some(card) = base.adapted_to() {
        let pages: u32 = card.trained_on.iter().map(|(_, pages)| pages).sum();
        super::say(&format!(
            "note: {} was adapted to {pages} pages; it is adapted anew from the model below that, and what these \
             taught is forgotten unless they are in --gold again",
            args.model.name()
        ));
    }
    let all = labelled::align_all(args.gold.read()?)?;
    labelled::describe(&all, &mut out)?;
    let folds = labelled::folds_by_page(&all, args.folds.into(), args.seed);
    let mut examples = labelled::examples(&all, &folds);
    if examples.iter().any(|example| example.page.input() == Input::Text) {
        // Those that the model was trained on hold it in place, and those of the same sites say what repeats on them.
        // Each comes in two styles.
        let copies = flattened(&examples).into_iter().map(|copy| Example { weight: copy.weight / 2.0, ..copy });
        examples.extend(copies.collect::<Vec<_>>());
    }
    let params =
        AdaptParams { folds: args.folds.into(), seed: args.seed, rounds: args.rounds.into(), ..AdaptParams::default() };
    let golds: Vec<&GoldPage> = all.iter().map(|page| &page.gold).collect();
    let card = Card { trained_on: sets(&golds), attributions: args.attribution, ..Card::default() };
    let mut adapted = adapt(&examples, &base, &params, card)?;

    // Flattened copies are no pages of anybody's.
    adapted.further.retain(|further| further.example < all.len());
    if adapted.further.len() == all.len() {
        super::say(
            "note: the model was trained on none of these pages, and on other sites it may be worse now than it was; add \
             pages of its training to --gold, such as data/labelled for the default model",
        );
    }
    let new: Vec<&LabelledPage> = adapted.further.iter().map(|further| &all[further.example]).collect();
    let rows = |labels: fn(&Further) -> &Labels| -> Vec<PageRow> {
        new.iter().zip(&adapted.further).flat_map(|(page, further)| page.scores(labels(further))).collect()
    };
    let before = rows(|further| &further.before);
    let report = Report::new(rows(|further| &further.after));
    let adapted_to = format!("\nadapted to {} pages, {} of them new to the model", all.len(), new.len());
    labelled::say_partial(new.iter().filter(|page| page.has_no_score()).count(), new.len());
    match (report.pages.is_empty(), new.is_empty()) {
        (true, true) => writeln!(out, "{adapted_to}: there are no figures")?,
        (true, false) => writeln!(
            out,
            "{adapted_to}; there are no figures, as none has labels for all of its text (of rules one with select = \
             \"body\" gives these)"
        )?,
        _ => {
            writeln!(out, "{adapted_to}; on each new page, adapted to the other folds:")?;
            print_report(&report, &mut out)?;
            let adapted_before = base.adapted_to().is_some();
            let below = if adapted_before { "the model before any adaptation" } else { "the model before" };
            print_comparison(&Comparison::new(["adapted", below], &report.pages, &before), &mut out)?;
        }
    }
    if let Some(path) = &args.predictions {
        let pages = new.iter().zip(&adapted.further);
        let of = |(page, further): (&&LabelledPage, &Further)| {
            Outcome::of_labels(&page.page, further.after.clone()).prediction
        };
        write_predictions(path, pages.map(|both| (&both.0.gold, of(both))))?;
    }
    let figures = report.summary.sets.iter().map(|s| (s.set.clone(), s.pages as u32, s.means.f1 as f32));
    if let Some(card) = adapted.model.adapted_to_mut() {
        card.figures = figures.collect();
    }
    if let Some(dir) = &args.report {
        report.write(dir).context("writing the report")?;
    }
    adapted.model.write(&args.out).context("writing the model")?;
    writeln!(out, "wrote {}", args.out.display())?;
    Ok(Status::AllGood)
}
