//! `lubb features`: the matrix that a model sees, with the labels, for notebooks and other tools.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use lubb::page::{Input, Metadata};
use lubb::{Model, whole};

use super::labelled::{self, Gold, LabelledPage};
use super::{ModelFile, Status};

/// Write the features of labelled pages as CSV: a row a block, its label, a column a feature
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    gold: Gold,
    #[command(flatten)]
    model: ModelFile,
    /// The CSV to write
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// The labelled pages or the model cannot be read, or the file cannot be written.
pub fn run(args: Args) -> Result<Status> {
    args.gold.spare(&args.out)?;
    let model = args.model.load()?;
    let pages = labelled::align_all(args.gold.read()?)?;
    let (html, text): (Vec<_>, Vec<_>) = pages.iter().partition(|p| p.page.input() == Input::Html);
    // Flattened text has columns of its own, which do not fit beside those of HTML.
    let (input, kept, left) = if html.is_empty() { (Input::Text, text, html) } else { (Input::Html, html, text) };
    let place = || format!("writing {}", args.out.display());
    ensure!(!args.out.is_dir(), "{}: that is a folder, and --out names a file", place());
    let blocks = whole::write(&args.out, |file| write(file, &model, input, &kept)).with_context(place)?;
    if !left.is_empty() {
        super::say(&format!("left out: {} pages of flattened text, which has columns of its own", left.len()));
    }
    let (pages, columns) = (kept.len(), Model::columns(input).len());
    writeln!(
        anstream::stdout(),
        "wrote {blocks} blocks of {pages} pages, {columns} features, to {}",
        args.out.display()
    )?;
    Ok(Status::AllGood)
}

/// Writes the rows of pages; how many these are.
fn write(out: &mut dyn Write, model: &Model, input: Input, pages: &[&LabelledPage]) -> Result<usize> {
    let mut writer = csv::Writer::from_writer(out);
    let first = ["set", "page", "host", "lang", "block", "label", "body"].map(str::to_owned);
    writer.write_record(first.iter().chain(&Model::columns(input)))?;
    let mut blocks = 0;
    for labelled in pages {
        let (gold, page) = (&labelled.gold, &labelled.page);
        let lang = gold.lang.clone().or_else(|| Metadata::of(page).lang).unwrap_or_default();
        for (at, row) in model.matrix(page).rows().into_iter().enumerate() {
            let label = labelled.kinds.get(at).copied().flatten().map_or("", |label| label.name());
            let body = labelled.body.get(at).map(f32::to_string).unwrap_or_default();
            let mut record = vec![gold.set.clone(), gold.id.clone(), gold.host.clone(), lang.clone()];
            record.extend([at.to_string(), label.to_owned(), body]);
            record.extend(row.iter().map(f32::to_string));
            writer.write_record(&record)?;
            blocks += 1;
        }
    }
    writer.flush()?;
    Ok(blocks)
}
