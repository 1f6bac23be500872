//! Documents out: JSONL, CSV, a folder of text or Markdown files, standard output.
//!
//! Files and folders are written under another name beside their own and renamed at the end, so what has its final
//! name is whole.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::Document;
use crate::corpus::{Loaded, PageError};

mod folder;
mod resume;
mod staged;

use folder::Folder;
pub use resume::{Interrupted, interrupted};
use staged::{Out, Staged};

/// A form that documents are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Jsonl,
    /// RFC 4180 in UTF-8, with the same columns; blocks are a JSON array.
    Csv,
    /// A file a page, of its text.
    Txt,
    /// A file a page, of its Markdown.
    Md,
}

/// Where documents are written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Standard output.
    Stdout,
    /// A file, or for [`Format::Txt`] and [`Format::Md`] a folder.
    Path(PathBuf),
}

/// The optional columns of a CSV, which has to know them before the first document.
#[derive(Clone, Copy, Debug, Default)]
pub struct Columns {
    /// Whether documents have Markdown.
    pub markdown: bool,
    /// Whether documents have blocks.
    pub blocks: bool,
}

/// Documents cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The format is not said by `OUT`'s ending.
    #[error("{0}: the ending says no format; end it in .jsonl, .jsonl.gz, .jsonl.zst or .csv, or give --format")]
    NoFormat(String),
    /// A run is writing it.
    #[error("{0}: a run is still writing it; wait for its end, or stop it")]
    Busy(String),
    /// The rows of an interrupted run would not go with those to come.
    #[error(
        "{0}: was written with other flags, with another model or by another version of lubb; go on with the same, or \
         begin anew without --resume"
    )]
    OtherSettings(String),
    /// The whole output is there, and what an interrupted run left too.
    #[error("{path}: cannot be removed, all of which is written")]
    Remove {
        /// The partial output.
        path: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// The folder is there and has files in it.
    #[error("{0}: there already, and not an empty folder; remove it or name another, nothing is overwritten there")]
    Exists(String),
    /// The output cannot be made.
    #[error("{path}: cannot be made")]
    Create {
        /// The output.
        path: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// Writing failed on the way; what was written until then stays.
    #[error("{path}: cannot be written to its end, what there is is kept")]
    Write {
        /// The partial output.
        path: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// Everything is written, but under the name of the partial output.
    #[error("{path}: cannot be made, the whole output is in {partial}")]
    Rename {
        /// The output.
        path: String,
        /// Where the output is now.
        partial: String,
        /// What the operating system says.
        source: io::Error,
    },
}

impl SinkError {
    /// Whether the reader of our output went away, as `head` does, which is no error of ours.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, SinkError::Write { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// Takes documents, one after the other.
pub trait Sink {
    /// Writes a document.
    ///
    /// # Errors
    /// The document cannot be written; nothing can be written after it.
    fn write(&mut self, document: &Document) -> Result<(), SinkError>;

    /// Ends the output and gives it its name.
    ///
    /// # Errors
    /// What is still to be written cannot be, or the output cannot be renamed.
    fn finish(self: Box<Self>) -> Result<(), SinkError>;
}

impl Format {
    /// The format that a path's ending says.
    ///
    /// ```
    /// use lubb::document::sink::Format;
    /// assert_eq!(Format::of("out.jsonl.zst".as_ref()), Some(Format::Jsonl));
    /// assert_eq!(Format::of("out".as_ref()), None);
    /// ```
    pub fn of(path: &Path) -> Option<Format> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
        match name.rsplit_once('.')?.1 {
            "jsonl" | "ndjson" => Some(Format::Jsonl),
            "csv" => Some(Format::Csv),
            _ => None,
        }
    }

    /// The format's name for users.
    pub fn name(self) -> &'static str {
        match self {
            Format::Jsonl => "JSONL",
            Format::Csv => "CSV",
            Format::Txt => "text",
            Format::Md => "Markdown",
        }
    }

    /// Whether each page gets a file of its own.
    pub fn is_folder(self) -> bool {
        matches!(self, Format::Txt | Format::Md)
    }

    fn ending(self) -> &'static str {
        match self {
            Format::Jsonl => "jsonl",
            Format::Csv => "csv",
            Format::Txt => "txt",
            Format::Md => "md",
        }
    }

    /// Writes one document as a line, a row, or a text.
    fn write(self, document: &Document, columns: Columns, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Format::Jsonl => {
                serde_json::to_writer(&mut *out, document)?;
                out.write_all(b"\n")
            }
            Format::Csv => {
                let mut row = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
                row.write_record(cells(document, columns)?.iter().map(|(_, value)| value.as_ref()))?;
                row.flush()
            }
            Format::Txt => write_text(&document.text, out),
            Format::Md => write_text(document.markdown.as_deref().unwrap_or(&document.text).trim_end(), out),
        }
    }
}

/// Writes a text and ends its last line; a page without an article has none, nor an empty line.
fn write_text(text: &str, out: &mut dyn Write) -> io::Result<()> {
    if text.is_empty() { Ok(()) } else { writeln!(out, "{text}") }
}

/// A CSV's columns and a document's values in them, in the order of the JSON object's.
fn cells(document: &Document, columns: Columns) -> io::Result<Vec<(&'static str, std::borrow::Cow<'_, str>)>> {
    let optional = |value: &'_ Option<String>| std::borrow::Cow::from(value.clone().unwrap_or_default());
    let mut cells = vec![
        ("id", document.id.as_str().into()),
        ("url", optional(&document.url)),
        ("host", optional(&document.host)),
        ("title", optional(&document.title)),
        ("author", optional(&document.author)),
        ("date", optional(&document.date)),
        ("site_name", optional(&document.site_name)),
        ("lang", optional(&document.lang)),
        ("text", document.text.as_str().into()),
    ];
    if columns.markdown {
        cells.push(("markdown", document.markdown.as_deref().unwrap_or_default().into()));
    }
    cells.push(("score", document.score.to_string().into()));
    if columns.blocks {
        let blocks = document.blocks.as_ref().map(serde_json::to_string).transpose()?;
        cells.push(("blocks", blocks.unwrap_or_default().into()));
    }
    cells.push(("error", document.error.as_deref().unwrap_or_default().into()));
    Ok(cells)
}

/// Opens an output. Its format is `format`, or what the ending says; standard output is JSONL by default.
///
/// ```no_run
/// use lubb::document::{Document, sink::{Columns, Target, open}};
/// let mut sink = open(&Target::Path("out.csv".into()), None, Columns::default())?;
/// sink.write(&Document { id: "1".into(), text: "One.".into(), ..Document::default() })?;
/// sink.finish()?;
/// # Ok::<(), lubb::document::sink::SinkError>(())
/// ```
///
/// # Errors
/// No format is known, the output cannot be made, or a folder is not empty.
pub fn open(target: &Target, format: Option<Format>, columns: Columns) -> Result<Box<dyn Sink>, SinkError> {
    let path = match target {
        Target::Stdout => {
            let format = format.unwrap_or(Format::Jsonl);
            return Ok(Box::new(Stream::new(Out::Stdout(io::stdout()), format, columns)?));
        }
        Target::Path(path) => path,
    };
    let format = format.or_else(|| Format::of(path)).ok_or_else(|| SinkError::NoFormat(path.display().to_string()))?;
    if format.is_folder() {
        return Ok(Box::new(Folder::new(path, format)?));
    }
    Ok(Box::new(Stream::new(Out::File(Box::new(Staged::new(path, None)?)), format, columns)?))
}

/// Opens a JSONL file that can be gone on from after an interruption, by a run with the same `settings`: a number for
/// all that shapes its rows ([`interrupted`]).
///
/// # Errors
/// The output cannot be made.
pub fn open_resumable(path: &Path, settings: u64) -> Result<Box<dyn Sink>, SinkError> {
    let file = Box::new(Staged::new(path, Some(settings))?);
    Ok(Box::new(Stream::new(Out::File(file), Format::Jsonl, Columns::default())?))
}

impl Document {
    /// The row of a page that could not be read.
    pub fn failed(error: &PageError) -> Document {
        let host = error.url.as_deref().and_then(crate::page::host_of);
        Document {
            id: error.id.clone(),
            url: error.url.clone(),
            host,
            error: Some(error.to_string()),
            ..Document::default()
        }
    }

    /// What was extracted from a page of a corpus: with its name, and with its place before what went wrong.
    pub fn of_corpus(self, page: &Loaded) -> Document {
        let error = self.error.map(|error| format!("{}: {error}", page.place));
        Document { id: page.id.clone(), error, ..self }
    }
}

/// Documents one after the other in one stream.
struct Stream {
    out: BufWriter<Out>,
    format: Format,
    columns: Columns,
    empty: bool,
}

impl Stream {
    fn new(out: Out, format: Format, columns: Columns) -> Result<Stream, SinkError> {
        let mut stream = Stream { out: BufWriter::with_capacity(1 << 18, out), format, columns, empty: true };
        if format == Format::Csv {
            let names = cells(&Document::default(), columns)
                .map(|cells| cells.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(","));
            let written = names.and_then(|names| write!(stream.out, "{names}\r\n"));
            written.map_err(|source| stream.failed(source))?;
        }
        Ok(stream)
    }

    fn failed(&self, source: io::Error) -> SinkError {
        SinkError::Write { path: self.out.get_ref().name(), source }
    }
}

impl Sink for Stream {
    fn write(&mut self, document: &Document) -> Result<(), SinkError> {
        // Blank lines stand between paragraphs; a form feed is what ends a page in plain text. In Markdown it has to be
        // a paragraph of its own to leave those around it as they are.
        let separator = if self.format.is_folder() && !std::mem::take(&mut self.empty) { "\n\x0c\n\n" } else { "" };
        let written = self.out.write_all(separator.as_bytes());
        let written = written.and_then(|()| self.format.write(document, self.columns, &mut self.out));
        // Whoever reads a pipe wants each document when it is there.
        let stdout = matches!(self.out.get_ref(), Out::Stdout(_));
        let written = written.and_then(|()| if stdout { self.out.flush() } else { Ok(()) });
        written.map_err(|source| self.failed(source))
    }

    fn finish(mut self: Box<Self>) -> Result<(), SinkError> {
        self.out.flush().map_err(|source| self.failed(source))?;
        let name = self.out.get_ref().name();
        let out = self.out.into_inner().map_err(|error| SinkError::Write { path: name, source: error.into_error() })?;
        match out {
            Out::Stdout(_) => Ok(()),
            Out::File(file) => file.finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::*;
    use crate::document::DocumentBlock;
    use crate::label::Label;

    fn document(id: &str, text: &str) -> Document {
        Document { id: id.into(), text: text.into(), ..Document::default() }
    }

    fn write(path: &Path, format: Option<Format>, columns: Columns, documents: &[Document]) {
        let mut sink = open(&Target::Path(path.to_owned()), format, columns).unwrap();
        for document in documents {
            sink.write(document).unwrap();
        }
        assert!(!path.exists() || path.is_dir(), "nothing has the final name before the end");
        sink.finish().unwrap();
    }

    #[test]
    fn csv_has_the_columns_of_jsonl_and_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        let block = DocumentBlock { label: Label::Body, p: 0.5, text: "a, \"b\"\nc".into() };
        let full = Document {
            markdown: Some("# a".into()),
            blocks: Some(vec![block]),
            error: Some("e".into()),
            ..document("1", "a, \"b\"\r\nc")
        };
        write(&path, None, Columns { markdown: true, blocks: true }, std::slice::from_ref(&full));
        let mut csv = csv::Reader::from_path(&path).unwrap();
        let json = serde_json::to_string(&full).unwrap();
        let mut places: Vec<usize> =
            csv.headers().unwrap().iter().map(|name| json.find(&format!("\"{name}\":")).unwrap()).collect();
        assert_eq!(places.len(), serde_json::to_value(&full).unwrap().as_object().unwrap().len());
        let given = places.clone();
        places.sort_unstable();
        assert_eq!(places, given, "the order is that of the JSON object");
        let row = csv.records().next().unwrap().unwrap();
        assert_eq!(&row[8], "a, \"b\"\r\nc");
        let blocks: Vec<DocumentBlock> = serde_json::from_str(&row[11]).unwrap();
        assert_eq!(blocks, full.blocks.unwrap());
        assert!(fs::read(&path).unwrap().ends_with(b"\"\r\n") || fs::read(&path).unwrap().ends_with(b"e\r\n"));
    }

    #[test]
    fn compressed_outputs_are_whole() {
        let folder = tempfile::tempdir().unwrap();
        let documents: Vec<Document> = (0..1_000).map(|i| document(&i.to_string(), "text")).collect();
        for name in ["a.jsonl.gz", "a.jsonl.zst"] {
            let path = folder.path().join(name);
            write(&path, None, Columns::default(), &documents);
            let file = File::open(&path).unwrap();
            let text = if name.ends_with("gz") {
                io::read_to_string(flate2::read::GzDecoder::new(file)).unwrap()
            } else {
                io::read_to_string(zstd::Decoder::new(file).unwrap()).unwrap()
            };
            let back: Vec<Document> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            assert_eq!(back, documents);
        }
        assert_eq!(folder.path().read_dir().unwrap().count(), 2, "no partial file is left");
    }

    #[test]
    fn a_page_without_an_article_is_an_empty_file() {
        let folder = tempfile::tempdir().unwrap();
        for format in [Format::Txt, Format::Md] {
            let path = folder.path().join(format.ending());
            let none = Document { markdown: Some(String::new()), ..document("none", "") };
            write(&path, Some(format), Columns::default(), &[none, document("a", "text")]);
            let read = |id: &str| fs::read_to_string(path.join(id).with_extension(format.ending())).unwrap();
            assert_eq!((read("none"), read("a")), (String::new(), "text\n".to_owned()));
        }
    }

    #[test]
    fn a_folder_with_files_is_not_written_into() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("mine.txt"), "mine").unwrap();
        let target = Target::Path(folder.path().to_owned());
        assert!(matches!(open(&target, Some(Format::Txt), Columns::default()), Err(SinkError::Exists(_))));
        assert!(matches!(open(&Target::Path("out".into()), None, Columns::default()), Err(SinkError::NoFormat(_))));
    }
}
