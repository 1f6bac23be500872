//! `lubb extract`: one page in, its article on standard output.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use clap::ValueEnum;
use lubb::corpus::{Inputs, Loaded, Reading, Runner};
use lubb::page::Page;
use lubb::{Document, Output};

use super::{InputKind, Keep, ModelFile, Status, say};

/// Extract the article of one page
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The page, plain, gzip or zstd; `-` for standard input
    file: PathBuf,
    /// The file to write; standard output if there is none
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// What to write; json is the whole row with all blocks
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    model: ModelFile,
    #[command(flatten)]
    keep: Keep,
    /// What the page is
    #[arg(long, value_enum, default_value_t)]
    input: InputKind,
    /// The page's address
    #[arg(long)]
    url: Option<String>,
    /// The page's charset, for example windows-1256, where it is known from elsewhere
    #[arg(long, value_name = "LABEL", value_parser = charset)]
    charset: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The text, with blank lines between blocks
    #[default]
    #[value(alias = "txt")]
    Text,
    /// Markdown
    Md,
    /// The document with every block's label and probability
    Json,
}

pub(super) fn charset(label: &str) -> Result<String, String> {
    match encoding_rs::Encoding::for_label(label.as_bytes()) {
        Some(_) => Ok(label.to_owned()),
        None => Err("not a charset of the web, such as utf-8, windows-1256 or shift_jis".to_owned()),
    }
}

/// Runs the command.
///
/// # Errors
/// The file cannot be opened or is no single page, or the output cannot be written.
pub fn run(args: Args) -> anyhow::Result<Status> {
    if args.file.is_dir() {
        bail!("{}: a folder; `lubb apply` extracts many pages", args.file.display());
    }
    let reading = Reading { input: args.input.into(), charset: args.charset, url: args.url, ..Reading::default() };
    let mut pages = Inputs::new(&[&args.file], reading)?.pages();
    let page = pages.next();
    if pages.next().is_some() {
        bail!("{}: more than one page; `lubb apply` extracts many", args.file.display());
    }
    let passed_over = pages.passed_over();
    ensure!(page.is_some() || passed_over.is_empty(), "{}: no page, only {passed_over}", args.file.display());
    let output = Output {
        keep: args.keep.keep,
        markdown: args.format == Format::Md,
        blocks: args.keep.blocks || args.format == Format::Json,
        favor: args.keep.favor(),
    };
    let extractor = args.model.extractor()?.with_output(output);
    let work = |page: &Loaded| extractor.extract_page(&Page::new(&page.bytes, &page.hints)).of_corpus(page);
    if let Some(out) = &args.out {
        ensure!(!out.is_dir(), "{}: a folder, and --out names a file", out.display());
        let same = out.canonicalize().is_ok_and(|out| args.file.canonicalize().is_ok_and(|file| file == out));
        ensure!(!same, "{}: is the page itself; name another output", out.display());
    }
    let mut status = Status::AllGood;
    // One page goes the way of many: its panic is caught, and deep trees find a large stack.
    Runner::new(1)?.run(page.into_iter(), work, |outcome| {
        let document = outcome.result.unwrap_or_else(|error| Document::failed(&error));
        if let Some(error) = &document.error {
            status = Status::SomeFailed;
            say(error);
        }
        let mut written = Vec::new();
        write(&document, args.format, args.keep.blocks, &mut written)?;
        match &args.out {
            Some(out) => lubb::whole::write(out, |file| file.write_all(&written))
                .with_context(|| format!("writing {}", out.display())),
            None => {
                let mut out = std::io::stdout().lock();
                Ok(out.write_all(&written).and_then(|()| out.flush())?)
            }
        }
    })?;
    Ok(status)
}

fn write(document: &Document, format: Format, blocks: bool, out: &mut dyn Write) -> std::io::Result<()> {
    let text = match format {
        Format::Json => return writeln!(out, "{}", serde_json::to_string_pretty(document)?),
        _ if blocks => {
            for block in document.blocks.iter().flatten() {
                writeln!(out, "{:8} {:.2}  {}", block.label, block.p, block.text.replace('\n', " "))?;
            }
            return Ok(());
        }
        Format::Text => &document.text,
        Format::Md => document.markdown.as_ref().unwrap_or(&document.text),
    };
    match text.trim_end() {
        "" if document.error.is_none() => say(&format!("{}: no article found", document.id)),
        "" => {}
        text => writeln!(out, "{text}")?,
    }
    Ok(())
}
