//! `lubb extract`: one page in, its article on standard output.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use clap::ValueEnum;
use lubb::corpus::{Inputs, Loaded, Reading, Runner};
use lubb::document::sink;
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
    /// What to write, where --out does not end in .txt, .md or .json; json is the whole row with all blocks [default: text]
    #[arg(long, value_enum)]
    format: Option<Format>,
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

impl Format {
    /// What a file's ending says.
    fn of(path: &Path) -> Option<Format> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "txt" => Some(Format::Text),
            "md" => Some(Format::Md),
            "json" => Some(Format::Json),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Md => "Markdown",
            Format::Json => "JSON",
        }
    }

    /// What to write to a file, or to standard output: what is given, or what the ending says, which must not contradict.
    fn to_write(given: Option<Format>, out: Option<&Path>) -> anyhow::Result<Format> {
        let said = out.and_then(Format::of);
        if let (Some(given), Some(said), Some(out)) = (given, said, out) {
            let (given, said, out) = (given.name(), said.name(), out.display());
            ensure!(
                given == said,
                "{out}: its ending says {said}, and --format {given}; leave --format out, or name another output"
            );
        }
        if let (None, Some(many), Some(out)) = (given, out.and_then(sink::Format::of), out) {
            let (out, many) = (out.display(), many.name());
            bail!("{out}: its ending says {many}, which `lubb apply` writes; name another output, or give --format");
        }
        Ok(given.or(said).unwrap_or_default())
    }
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
    let format = Format::to_write(args.format, args.out.as_deref())?;
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
        markdown: format == Format::Md,
        blocks: args.keep.blocks || format == Format::Json,
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
        write(&document, format, args.keep.blocks, &mut written)?;
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
