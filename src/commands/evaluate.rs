//! `lubb evaluate`: a model's labels, or another tool's texts, against labelled pages, and against another model.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use lubb::gold::GoldPage;
use lubb::page::{Metadata, Page};
use lubb::report::compare::Comparison;
use lubb::report::view::PageView;
use lubb::report::{Analysis, Judged, Outcome, PageRow, Report, html, markdown};
use rayon::prelude::*;

use super::labelled::{self, Gold};
use super::system::System;
use super::{ModelFile, Status};

/// Score a model on labelled pages: precision, recall and F1 by page, group and label
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    gold: Gold,
    #[command(flatten)]
    model: ModelFile,
    /// Score these texts instead of a model's: JSON lines with `id` and `text`, of this or any other tool
    #[arg(long, value_name = "FILE", conflicts_with = "model")]
    predictions: Option<PathBuf>,
    /// Also score this, a model or predictions as above, and report the difference page by page
    #[arg(long, value_name = "OTHER")]
    compare: Option<PathBuf>,
    /// How many of the worst pages the report shows block by block, and of those that changed most
    #[arg(long, value_name = "N", default_value_t = 20)]
    worst: usize,
    /// What is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// The folder for the report: report.html, and its figures as JSON and CSV
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table for the terminal
    #[default]
    Text,
    /// Markdown for a pull request
    Md,
}

/// Runs the command.
///
/// # Errors
/// The labelled pages, the models or the predictions cannot be read, or the report cannot be written.
pub fn run(args: Args) -> Result<Status> {
    args.gold.spare_from_report(&args.out)?;
    let this = match &args.predictions {
        Some(file) => System::read_texts(file)?,
        None => System::Model(args.model.name(), args.model.load()?),
    };
    let other = args.compare.as_deref().map(System::read).transpose().context("reading what to compare with")?;
    let mut golds = labelled::whole(args.gold.read()?);
    ensure!(!golds.is_empty(), "no labelled page can be scored");
    for system in [Some(&this), other.as_ref()].into_iter().flatten() {
        system.check(&golds)?;
    }
    let judged: Vec<(Judged, Option<PageRow>)> =
        golds.par_iter_mut().map(|gold| score(gold, &this, other.as_ref())).collect();
    let (judged, others): (Vec<Judged>, Vec<Option<PageRow>>) = judged.into_iter().unzip();
    let others: Vec<PageRow> = others.into_iter().flatten().collect();

    let mut analysis = Analysis::new(this.name(), &judged);
    let report = Report::new(judged.into_iter().map(|page| page.row).collect());
    let view = |at: &usize| look(&golds[*at], &report.pages[*at], &this, other.as_ref());
    if let Some(other) = &other {
        let comparison = Comparison::new([this.name(), other.name()], &report.pages, &others);
        let places: Vec<usize> = comparison.changed.iter().take(args.worst).map(|page| page.at).collect();
        analysis.changed = places.par_iter().map(view).collect();
        analysis.comparison = Some(comparison);
    }
    analysis.worst = worst(&report.pages, args.worst).par_iter().map(view).collect();

    report.write(&args.out).context("writing the report")?;
    analysis.write(&args.out).context("writing the report")?;
    html::write(&report, &analysis, &args.out).context("writing the report")?;
    let mut out = anstream::stdout().lock();
    match args.format {
        Format::Text => {
            print_report(&report, &mut out)?;
            if let Some(comparison) = &analysis.comparison {
                print_comparison(comparison, &mut out)?;
            }
            writeln!(out, "wrote report.html and its figures as JSON and CSV to {}", args.out.display())?;
        }
        Format::Md => write!(out, "{}", markdown::summary(&report, &analysis))?,
    }
    let failed = report.pages.iter().any(|page| page.error.is_some());
    Ok(if failed { Status::SomeFailed } else { Status::AllGood })
}

/// Scores one page. What its set does not say of language and date, the page says itself.
fn score(gold: &mut GoldPage, this: &System, other: Option<&System>) -> (Judged, Option<PageRow>) {
    match gold.page() {
        Ok(page) => {
            if gold.lang.is_none() || gold.date.is_none() {
                let mut found = Metadata::of(&page);
                found.complete(None, std::iter::empty(), &page.texts().collect::<Vec<_>>().join("\n"));
                gold.lang = gold.lang.take().or(found.lang);
                gold.date = gold.date.take().or(found.date);
            }
            let judged = Judged::new(gold, Some(&page), &this.judge(gold, &page));
            (judged, other.map(|other| PageRow::new(gold, &other.judge(gold, &page).prediction)))
        }
        Err(error) => {
            let failed = Outcome::failed(error);
            (Judged::new(gold, None, &failed), other.map(|_| PageRow::new(gold, &failed.prediction)))
        }
    }
}

/// The places of the pages with the lowest F1 that have a fault.
fn worst(rows: &[PageRow], most: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..rows.len()).filter(|at| rows[*at].f1 < 1.0).collect();
    places.sort_by(|a, b| rows[*a].f1.total_cmp(&rows[*b].f1).then(a.cmp(b)));
    places.truncate(most);
    places
}

/// A page block by block. It is read once more: the blocks of all pages would not fit into memory.
fn look(gold: &GoldPage, row: &PageRow, this: &System, other: Option<&System>) -> PageView {
    let page: Option<Page> = gold.page().ok();
    let judge = |system: &System| page.as_ref().map(|page| system.judge(gold, page)).unwrap_or_default();
    let outcome = judge(this);
    let against = other.map(judge);
    PageView::new(gold, row, page.as_ref(), &outcome, against.as_ref(), |page, blocks| this.explain(page, blocks))
}

pub fn print_comparison(comparison: &Comparison, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "\nagainst {}:", comparison.other)?;
    if let Some(all) = comparison.overall() {
        let ends = all.low.zip(all.high).map(|(low, high)| format!(" [{low:+.4}, {high:+.4}]")).unwrap_or_default();
        writeln!(out, "F1 {:.4}, other {:.4}, difference {:+.4}{ends}", all.f1, all.other_f1, all.difference)?;
    }
    let (better, worse, same) = (comparison.better, comparison.worse, comparison.same);
    writeln!(out, "{better} pages better, {worse} worse, {same} the same")
}

/// Prints a report's means as a table.
pub fn print_report(report: &Report, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(
        out,
        "{:<28} {:>6} {:>8} {:>8} {:>8} {:>8}   F1 95 %",
        "set", "pages", "F1", "prec.", "recall", "shingle"
    )?;
    for set in &report.summary.sets {
        let m = &set.means;
        let interval = set.f1_95.map(|[low, high]| format!("[{low:.4}, {high:.4}]")).unwrap_or_default();
        writeln!(
            out,
            "{:<28} {:>6} {:>8.4} {:>8.4} {:>8.4} {:>8.4}   {interval}",
            set.set, set.pages, m.f1, m.precision, m.recall, m.shingle
        )?;
        for group in set.groups.iter().filter(|_| set.groups.len() > 1) {
            let m = &group.means;
            let name = format!("  {}", group.group);
            writeln!(
                out,
                "{name:<28} {:>6} {:>8.4} {:>8.4} {:>8.4} {:>8.4}",
                group.pages, m.f1, m.precision, m.recall, m.shingle
            )?;
        }
        for label in set.labels.iter().filter(|l| l.support > 0) {
            let share = |of: Option<f64>| of.map_or("-".to_owned(), |of| format!("{of:.4}"));
            let [f1, precision, recall] = [label.f1, label.precision, label.recall].map(share);
            let name = format!("  label {}", label.label);
            writeln!(out, "{name:<28} {:>6} {f1:>8} {precision:>8} {recall:>8}", "")?;
        }
    }
    Ok(())
}
