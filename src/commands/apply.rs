//! `lubb apply`: a corpus in, a document a page out, in parallel.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use bytesize::ByteSize;
use clap::ValueEnum;
use lubb::corpus::{Fields, Inputs, Loaded, RawPage, Reading, Runner};
use lubb::document::sink::{self, Columns, Interrupted, Sink, Target};
use lubb::page::Page;
use lubb::{Document, Extractor, Model, Output};
use xxhash_rust::xxh3::xxh3_64;

use super::progress::Progress;
use super::{InputKind, Keep, ModelFile, Status};

/// Extract the articles of many pages
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folders (.html .htm .xhtml .shtml .php .asp .aspx .jsp .txt in them), patterns, pages, JSONL and WARC files (.jsonl,
    /// .ndjson, .warc, .wet, and others that are not named as pages); all plain, .gz or .zst; `-` is standard input, JSONL,
    /// WARC or one page
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// A file ending in .jsonl or .csv (or with .gz, .zst after it), a folder for txt and md, or `-` for standard
    /// output, where a line with a form feed stands between texts
    #[arg(short, long, value_name = "OUT")]
    out: PathBuf,
    /// The output's format, where OUT's ending does not say it [default for standard output: jsonl]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// How many pages to work on at a time [default: the number of processors]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    #[command(flatten)]
    model: ModelFile,
    #[command(flatten)]
    keep: Keep,
    /// Add the article as Markdown
    #[arg(long)]
    markdown: bool,
    /// What the pages are
    #[arg(long, value_enum, default_value_t)]
    input: InputKind,
    /// The charset of all pages in files of their own, for example windows-1256, where it is known from elsewhere
    #[arg(long, value_name = "LABEL", value_parser = super::extract::charset)]
    charset: Option<String>,
    /// The field of JSONL records with the page's HTML
    #[arg(long, value_name = "NAME", default_value = "html")]
    html_field: String,
    /// The field with the page as text, read where there is no HTML
    #[arg(long, value_name = "NAME", default_value = "text")]
    text_field: String,
    /// The field with the page's name
    #[arg(long, value_name = "NAME", default_value = "id")]
    id_field: String,
    /// The field with the page's address
    #[arg(long, value_name = "NAME", default_value = "url")]
    url_field: String,
    /// Larger pages become errors; at most 1 GiB
    #[arg(long, value_name = "SIZE", default_value = "64MB", value_parser = page_bytes)]
    max_page_bytes: ByteSize,
    /// Go on from where runs with the same inputs and flags were interrupted: from `OUT.partial-*`, JSONL only
    #[arg(long)]
    resume: bool,
    /// Show no progress, no summary, and no errors that are in the output
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One JSON object a page
    Jsonl,
    /// One row a page
    Csv,
    /// A folder with a text file a page
    #[value(alias = "text")]
    Txt,
    /// A folder with a Markdown file a page
    Md,
}

impl From<Format> for sink::Format {
    fn from(format: Format) -> sink::Format {
        match format {
            Format::Jsonl => sink::Format::Jsonl,
            Format::Csv => sink::Format::Csv,
            Format::Txt => sink::Format::Txt,
            Format::Md => sink::Format::Md,
        }
    }
}

fn page_bytes(size: &str) -> Result<ByteSize, String> {
    let size: ByteSize = size.parse()?;
    match size.as_u64() {
        1..=Reading::MAX_PAGE_BYTES => Ok(size),
        _ => Err("the size must be 1 B to 1 GiB".to_owned()),
    }
}

/// Runs the command.
///
/// # Errors
/// An input is not there, the output cannot be made or written.
pub fn run(args: Args) -> anyhow::Result<Status> {
    let is_stdin = args.inputs.iter().any(|input| input.as_os_str() == "-");
    ensure!(!(args.resume && is_stdin), "--resume needs inputs that can be read again, and '-' is standard input");
    let reading = Reading {
        input: args.input.into(),
        charset: args.charset,
        fields: Fields { html: args.html_field, text: args.text_field, id: args.id_field, url: args.url_field },
        max_page_bytes: args.max_page_bytes.as_u64(),
        ..Reading::default()
    };
    let inputs = Inputs::new(&args.inputs, reading.clone())?;
    say_repeated(&args.inputs);
    let format = args.format.map(sink::Format::from);
    let is_text = format.is_some_and(sink::Format::is_folder);
    ensure!(!(is_text && args.keep.blocks), "--blocks has no place in texts; leave it out, or write JSONL or CSV");
    let markdown = args.markdown || format == Some(sink::Format::Md);
    let output = Output { keep: args.keep.keep, markdown, blocks: args.keep.blocks, favor: args.keep.favor() };
    let runner = Runner::new(args.jobs.unwrap_or(0).into()).context("no threads to work with")?;
    // Before the output is opened, so that a bad model leaves none behind.
    let model = args.model.load()?;
    let settings = settings(&output, &reading, &model);
    let extractor = Extractor::new(model).with_output(output);
    // Texts one after the other have no place for errors.
    let keeps_errors = args.out.as_os_str() != "-" || !is_text;
    let mut interrupted = if args.resume { interrupted(&args.out, format, settings)? } else { None };
    if let Some(interrupted) = &mut interrupted {
        check(interrupted, &inputs)?;
        interrupted.remove_shorter()?;
    }
    let columns = Columns { markdown, blocks: args.keep.blocks };
    let mut sink = open(args.out, format, &inputs, columns, settings)?;
    let mut progress = Progress::new(args.quiet, &inputs, keeps_errors);
    if let Some(interrupted) = &interrupted {
        for document in interrupted.documents()? {
            sink.write(&document)?;
            progress.before(&document);
        }
    }
    let done = interrupted.as_ref().map_or(0, Interrupted::rows);

    let work = |page: &Loaded| extractor.extract_page(&Page::new(&page.bytes, &page.hints)).of_corpus(page);
    let pages = inputs.pages();
    let passed_over = pages.passed_over();
    runner.run(pages.skip(done), work, |outcome| {
        let (bytes, stored) = (outcome.bytes, outcome.stored);
        let document = outcome.result.unwrap_or_else(|error| Document::failed(&error));
        sink.write(&document)?;
        progress.page(&document, bytes, stored);
        Ok::<(), sink::SinkError>(())
    })?;
    sink.finish()?;
    interrupted.map_or(Ok(()), Interrupted::remove)?;
    Ok(if progress.finish(&passed_over) > 0 { Status::SomeFailed } else { Status::AllGood })
}

/// Tells of inputs that are given more than once, which is rarely meant.
fn say_repeated(inputs: &[PathBuf]) {
    let mut seen = HashSet::new();
    let is_again = |input: &&PathBuf| !seen.insert(input.canonicalize().unwrap_or_else(|_| input.to_path_buf()));
    for input in inputs.iter().filter(is_again) {
        super::say(&format!("note: {} is given more than once, and its pages are written as often", input.display()));
    }
}

/// A number for all that shapes a page's row. How fields and flags are shown may change with the version, which is in
/// it.
fn settings(output: &Output, reading: &Reading, model: &Model) -> u64 {
    let model = xxh3_64(&model.to_bytes());
    xxh3_64(format!("{} {output:?} {reading:?} {model:x}", env!("CARGO_PKG_VERSION")).as_bytes())
}

fn is_jsonl(out: &Path, format: Option<sink::Format>) -> bool {
    out.as_os_str() != "-" && format.or_else(|| sink::Format::of(out)) == Some(sink::Format::Jsonl)
}

/// What there is to go on from.
fn interrupted(out: &Path, format: Option<sink::Format>, settings: u64) -> anyhow::Result<Option<Interrupted>> {
    let name = out.display();
    ensure!(is_jsonl(out, format), "{name}: --resume goes on with JSONL files only; begin anew without it");
    let interrupted = sink::interrupted(out, settings)?;
    if interrupted.is_none() {
        // A finished file does not say with which flags and model it was made, and may have taken hours.
        ensure!(
            !out.is_file(),
            "{name}: is there already, and no interrupted run to go on from; a run that ended needs nothing more, and to \
             write the file anew leave out --resume"
        );
        super::say(&format!("{name}: no interrupted run to go on from; it begins at the first page"));
    }
    Ok(interrupted)
}

/// Makes sure that an interrupted run had these inputs: its last row must be of the page that is there now.
fn check(interrupted: &Interrupted, inputs: &Inputs) -> anyhow::Result<()> {
    let (partial, done) = (interrupted.path().display(), interrupted.rows());
    let (Some(last), Some(at)) = (interrupted.last(), usize::checked_sub(done, 1)) else { return Ok(()) };
    let now = inputs.pages().nth(at).map(|page| page.and_then(RawPage::load));
    let now = now.map_or("none".to_owned(), |page| page.map_or_else(|error| error.id, |page| page.id));
    ensure!(
        now == last,
        "{partial}: its row {done} is of '{last}', and page {done} of these inputs is '{now}'; name the same inputs in the same order",
    );
    super::say(&format!("going on after {done} pages of {partial}"));
    Ok(())
}

/// Opens the output after making sure that nothing of the input is written over, or read again.
fn open(
    out: PathBuf,
    format: Option<sink::Format>,
    inputs: &Inputs,
    columns: Columns,
    settings: u64,
) -> anyhow::Result<Box<dyn Sink>> {
    if out.as_os_str() == "-" {
        return Ok(sink::open(&Target::Stdout, format, columns)?);
    }
    let name = out.display();
    ensure!(!inputs.contain(&out), "{name}: is one of the inputs; name another output");
    if format.is_some_and(sink::Format::is_folder) {
        // What is not there yet is where its nearest folder is.
        let real = std::path::absolute(&out)?;
        let real = real.ancestors().find_map(|folder| folder.canonicalize().ok()).unwrap_or_default();
        for folder in inputs.folders() {
            if folder.canonicalize().is_ok_and(|folder| real.starts_with(folder)) {
                bail!(
                    "{name}: lies in the input {}, and would be read as input; name another folder",
                    folder.display()
                );
            }
        }
    }
    if let (Some(given), Some(said)) = (format, sink::Format::of(&out)) {
        let (given, said) = (given.name(), (given != said).then(|| said.name()));
        if let Some(said) = said {
            bail!("{name}: its ending says {said}, and --format {given}; leave --format out, or name another output");
        }
    }
    if format.is_none() && matches!(out.extension().and_then(|e| e.to_str()), Some("txt" | "md")) {
        bail!("{name}: text and Markdown are written as a folder with a file a page; name a folder and give --format");
    }
    Ok(match is_jsonl(&out, format) {
        true => sink::open_resumable(&out, settings)?,
        false => sink::open(&Target::Path(out), format, columns)?,
    })
}
