//! Corpora in: folders, globs, JSONL and WARC files and standard input as one stream of pages, and the parallel runner.
//!
//! A page travels as a [`RawPage`], which is only a path, a line or a record until a worker of [`Runner::run`] loads it, so
//! reading, decompressing and parsing all happen in parallel and a corpus of any size needs little memory.
//! Whatever is wrong with a page is a [`PageError`] with the page's id, and never ends the run.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::page::{Hints, Input, NotAPage, check, looks_like};

mod compressed;
mod inputs;
mod jsonl;
mod look;
mod passed;
mod run;
#[cfg(feature = "warc")]
mod warc;

pub(crate) use compressed::reader as decompressed;
use inputs::Ending;
pub use inputs::{InputError, Inputs, Pages};
pub use passed::PassedOver;
pub use run::{Outcome, Runner, STACK};

/// How pages are read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// What the pages are; `None` tells text from HTML by a file's ending, a record's fields, or the bytes.
    pub input: Option<Input>,
    /// The charset of all pages, where the caller knows it.
    pub charset: Option<String>,
    /// The address of the page, for a corpus of one page.
    pub url: Option<String>,
    /// The names of a JSONL record's fields.
    pub fields: Fields,
    /// Pages that are larger, decompressed, are not read. At most [`Reading::MAX_PAGE_BYTES`].
    pub max_page_bytes: u64,
}

impl Reading {
    /// The largest page that can be asked for: offsets into a page's text are 32 bits wide, and decoding may make
    /// three bytes of one.
    pub const MAX_PAGE_BYTES: u64 = 1 << 30;
}

impl Default for Reading {
    fn default() -> Self {
        Reading { input: None, charset: None, url: None, fields: Fields::default(), max_page_bytes: 64_000_000 }
    }
}

/// The names of the fields that are read of a JSONL record; others are skipped.
#[derive(Clone, Debug)]
pub struct Fields {
    /// The page's source.
    pub html: String,
    /// The page as flattened text, read where there is no HTML or text is asked for.
    pub text: String,
    /// The page's name, a string or a number.
    pub id: String,
    /// The page's address.
    pub url: String,
}

impl Default for Fields {
    fn default() -> Self {
        Fields { html: "html".into(), text: "text".into(), id: "id".into(), url: "url".into() }
    }
}

/// A page that is known but not loaded.
#[derive(Debug)]
pub struct RawPage {
    /// The page's name in its corpus: its path, or its record's place.
    pub id: String,
    /// Where the page stands, for messages: a path, `FILE:LINE`, or for a WARC file `FILE:BYTE`.
    pub place: String,
    content: Content,
    /// Bytes that the page took up in its file, where that is known before loading.
    stored: u64,
    reading: Arc<Reading>,
}

#[derive(Debug)]
enum Content {
    File(PathBuf),
    Line(Vec<u8>),
    Bytes(Vec<u8>),
    #[cfg(feature = "warc")]
    Warc(Box<warc::Stored>),
}

/// A page's bytes, decompressed, with what is known besides them.
#[derive(Debug)]
pub struct Loaded {
    /// The page's name in its corpus.
    pub id: String,
    /// The file, and for a record its line, or the byte that it begins at.
    pub place: String,
    /// The page's bytes in their own charset.
    pub bytes: Vec<u8>,
    /// Address, charset, and whether the bytes are HTML or text.
    pub hints: Hints,
    /// Bytes that the page took up in its file, compressed if that is; 0 if unknown.
    pub stored: u64,
}

impl RawPage {
    /// A page in a file, plain, gzip or zstd.
    ///
    /// ```no_run
    /// use lubb::corpus::{RawPage, Reading};
    /// let page = RawPage::file("page.html.gz", "page.html.gz".as_ref(), Reading::default().into());
    /// let loaded = page.load()?;
    /// println!("{}", lubb::Extractor::default().extract(&loaded.bytes, &loaded.hints).text);
    /// # Ok::<(), lubb::corpus::PageError>(())
    /// ```
    pub fn file(id: impl Into<String>, path: &Path, reading: Arc<Reading>) -> RawPage {
        let place = path.display().to_string();
        RawPage { id: id.into(), place, content: Content::File(path.to_owned()), stored: 0, reading }
    }

    fn line(place: String, line: Vec<u8>, stored: u64, reading: Arc<Reading>) -> RawPage {
        RawPage { id: place.clone(), place, content: Content::Line(line), stored, reading }
    }

    fn bytes(name: &str, bytes: Vec<u8>, stored: u64, reading: Arc<Reading>) -> RawPage {
        RawPage { id: name.to_owned(), place: name.to_owned(), content: Content::Bytes(bytes), stored, reading }
    }

    #[cfg(feature = "warc")]
    fn warc(id: String, place: String, page: warc::Stored, stored: u64, reading: Arc<Reading>) -> RawPage {
        RawPage { id, place, content: Content::Warc(Box::new(page)), stored, reading }
    }

    /// Bytes that the page holds in memory before it is loaded.
    fn held(&self) -> usize {
        match &self.content {
            Content::File(_) => 0,
            Content::Line(bytes) | Content::Bytes(bytes) => bytes.len(),
            #[cfg(feature = "warc")]
            Content::Warc(page) => page.held(),
        }
    }

    /// Reads, decompresses and, for a record, parses the page.
    ///
    /// # Errors
    /// The page cannot be read, is too large, is empty, or is no page at all (see [`Fault`]).
    pub fn load(self) -> Result<Loaded, PageError> {
        let RawPage { mut id, place, content, mut stored, reading } = self;
        let mut hints = Hints { url: reading.url.clone(), charset: reading.charset.clone(), ..Hints::default() };
        let loaded = match content {
            Content::File(path) => read_page(&path, &reading).map(|page| {
                stored = page.size;
                hints.input = page.input;
                page.bytes
            }),
            Content::Bytes(bytes) => {
                hints.input = reading.input.unwrap_or_else(|| looks_like(&bytes));
                Ok(bytes)
            }
            Content::Line(line) => jsonl::parse(&line, &reading).and_then(|record| {
                if let Some(own) = record.id {
                    id = own;
                }
                hints.url = record.url.or(hints.url.take());
                // JSON is UTF-8, whatever the page inside it says of itself.
                hints.charset = Some("utf-8".to_owned());
                hints.input = record.input;
                record.page
            }),
            #[cfg(feature = "warc")]
            Content::Warc(mut page) => {
                hints.url = page.url.clone().or(hints.url.take());
                hints.input = reading.input.unwrap_or(page.input);
                page.decoded(reading.max_page_bytes).inspect(|bytes| {
                    hints.charset = hints.charset.take().or_else(|| page.charset_of(bytes));
                })
            }
        };
        let within = |bytes: Vec<u8>| match bytes.len() as u64 > reading.max_page_bytes {
            true => Err(Fault::TooLarge { limit: reading.max_page_bytes }),
            false => check(&bytes).map(|()| bytes).map_err(Fault::from),
        };
        match loaded.and_then(within) {
            Ok(bytes) => Ok(Loaded { id, place, bytes, hints, stored }),
            Err(fault) => Err(PageError { id, url: hints.url, place, stored, fault }),
        }
    }
}

/// A page of its own in a file.
struct FilePage {
    bytes: Vec<u8>,
    /// The file's size.
    size: u64,
    input: Input,
}

fn read_page(path: &Path, reading: &Reading) -> Result<FilePage, Fault> {
    let ending = Ending::of(path);
    // Who says that it is text or HTML may have named it so.
    if ending == Ending::Table && reading.input.is_none() {
        return Err(Fault::Table);
    }
    let (bytes, size) = read_file(path, reading.max_page_bytes)?;
    if look::is_json(&bytes) {
        return Err(Fault::NamedAsPage);
    }
    let input = reading.input.unwrap_or_else(|| match ending {
        Ending::Html => Input::Html,
        Ending::Text => Input::Text,
        _ => looks_like(&bytes),
    });
    Ok(FilePage { bytes, size, input })
}

/// A file's bytes, decompressed, and its size.
fn read_file(path: &Path, limit: u64) -> Result<(Vec<u8>, u64), Fault> {
    let file = File::open(path).map_err(Fault::Read)?;
    let size = file.metadata().map_err(Fault::Read)?.len();
    Ok((read_to_limit(&mut compressed::reader(file)?, limit, size)?, size))
}

fn read_to_limit(reader: &mut dyn Read, limit: u64, expected: u64) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::with_capacity(expected.min(limit).min(1 << 20) as usize);
    reader.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(Fault::TooLarge { limit }) } else { Ok(bytes) }
}

/// A page that could not be read or worked on; the run goes on without it.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {fault}")]
pub struct PageError {
    /// The page's name in its corpus.
    pub id: String,
    /// The page's address, where known.
    pub url: Option<String>,
    /// The file, and for a record its line, or the byte that it begins at.
    pub place: String,
    /// Bytes that the page took up in its file; 0 if unknown.
    pub stored: u64,
    /// What is wrong.
    pub fault: Fault,
}

/// What can be wrong with a page.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The operating system could not read it, or its compressed stream is damaged.
    #[error("cannot be read: {0}")]
    Read(std::io::Error),
    /// The compressed stream ends before its end.
    #[error("the compressed data is cut off; fetch or compress the file again")]
    Truncated,
    /// It is larger than asked for.
    #[error("larger than the limit of {limit} bytes; raise --max-page-bytes to read it")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// It is something else than a page.
    #[error(transparent)]
    NotAPage(#[from] NotAPage),
    /// A JSONL line is not an object, or is broken.
    #[error("broken JSON at column {column}: {message}")]
    Json {
        /// The column of the line in bytes, from 1.
        column: usize,
        /// What the parser says.
        message: String,
    },
    /// A JSONL line is not an object, or has something else where a text should be.
    #[error("not a record: {0}")]
    Record(String),
    /// Records, in a file that is named as a page.
    #[error("it holds JSON, and its name says a page; name it .jsonl to have it read as a record a line")]
    NamedAsPage,
    /// JSON that is not a record a line.
    #[error(
        "JSON is read a record a line; write an object so with `jq -c .`, the members of an array with `jq -c '.[]'`"
    )]
    Document,
    /// A table.
    #[error(
        "a table, of which no pages are read; write its rows as records to a .jsonl file, with a field html or text"
    )]
    Table,
    /// Something in a WARC file that is no record.
    #[error("{0}")]
    Warc(&'static str),
    /// A record has no page.
    #[error("the record has no field {0}; name the right one with --html-field or --text-field")]
    MissingField(String),
    /// A bug in lubb, which took this page only.
    #[error("lubb failed on this page ({0}); please report it")]
    Panic(String),
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Fault {
        if error.kind() == std::io::ErrorKind::UnexpectedEof { Fault::Truncated } else { Fault::Read(error) }
    }
}
