//! `lubb evaluate`: a model's labels, or another tool's texts, against labelled pages.

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use lubb::gold::GoldPage;
use lubb::report::{PageRow, Prediction, Report};
use lubb::{Extractor, Output};
use rayon::prelude::*;

use super::labelled::{self, Gold};
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
    /// The folder for summary.json, pages.csv, labels.csv and confusion.csv
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// The labelled pages, the model or the predictions cannot be read, or the report cannot be written.
pub fn run(args: Args) -> Result<Status> {
    let golds = labelled::whole(args.gold.read()?);
    ensure!(!golds.is_empty(), "no labelled page can be scored");
    let rows = match &args.predictions {
        Some(file) => score_file(&golds, file)?,
        None => score_model(&golds, args.model.extractor()?)?,
    };
    let report = Report::new(rows);
    report.write(&args.out).context("writing the report")?;
    let mut out = anstream::stdout().lock();
    print_report(&report, &mut out)?;
    writeln!(out, "wrote summary.json, pages.csv, labels.csv and confusion.csv to {}", args.out.display())?;
    let failed = report.pages.iter().any(|page| page.error.is_some());
    Ok(if failed { Status::SomeFailed } else { Status::AllGood })
}

fn score_model(golds: &[GoldPage], extractor: Extractor) -> Result<Vec<PageRow>> {
    let extractor = extractor.with_output(Output { blocks: true, ..Output::default() });
    let score = |gold: &GoldPage| {
        let prediction = match gold.page() {
            Ok(page) => {
                let document = extractor.extract_page(&page);
                Prediction {
                    text: document.text,
                    blocks: document.blocks,
                    score: Some(document.score),
                    error: document.error,
                }
            }
            Err(error) => Prediction { error: Some(error.to_string()), ..Prediction::default() },
        };
        PageRow::new(gold, &prediction)
    };
    Ok(golds.par_iter().map(score).collect())
}

fn score_file(golds: &[GoldPage], file: &Path) -> Result<Vec<PageRow>> {
    let mut texts = read_predictions(file)?;
    let found = golds.iter().filter(|g| texts.contains_key(&g.id)).count();
    if found == 0 {
        bail!("{}: none of its {} ids is the id of a labelled page", file.display(), texts.len());
    }
    if found < golds.len() {
        super::say(&format!(
            "{} of {} labelled pages have no prediction and count as empty",
            golds.len() - found,
            golds.len()
        ));
    }
    let mut predict =
        |gold: &GoldPage| Prediction { text: texts.remove(&gold.id).unwrap_or_default(), ..Prediction::default() };
    let predictions: Vec<Prediction> = golds.iter().map(&mut predict).collect();
    Ok(golds.par_iter().zip(&predictions).map(|(gold, prediction)| PageRow::new(gold, prediction)).collect())
}

#[derive(serde::Deserialize)]
struct Row {
    id: serde_json::Value,
    text: Option<String>,
}

fn read_predictions(file: &Path) -> Result<HashMap<String, String>> {
    let opened = std::fs::File::open(file).with_context(|| file.display().to_string())?;
    let mut texts = HashMap::new();
    for (at, line) in std::io::BufReader::new(opened).lines().enumerate() {
        let place = || format!("{}, line {}: wanted {{\"id\": ..., \"text\": ...}}", file.display(), at + 1);
        let line = line.with_context(place)?;
        if line.trim().is_empty() {
            continue;
        }
        let row: Row = serde_json::from_str(&line).with_context(place)?;
        let id = row.id.as_str().map_or_else(|| row.id.to_string(), str::to_owned);
        texts.insert(id, row.text.unwrap_or_default());
    }
    Ok(texts)
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
            let s = &label.scores;
            let name = format!("  label {}", label.label);
            writeln!(out, "{name:<28} {:>6} {:>8.4} {:>8.4} {:>8.4}", "", s.f1, s.precision, s.recall)?;
        }
    }
    Ok(())
}
