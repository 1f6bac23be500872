//! Labelled pages: what a set holds, and the error type of everything that reads one.
//!
//! [`read()`] recognises each layout by what lies in the folder; the readers are one file each. A reference comes
//! as text ([`align()`] finds its blocks), as typed blocks ([`typed`]) or as typed lines.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::label::{Label, UnknownLabel};
use crate::page::words::WordRule;
use crate::page::{Hints, Input, Page, host_of};

mod aeb;
pub mod align;
pub mod bare;
pub mod flatten;
pub mod folds;
mod jsonl;
mod lines;
pub mod long;
#[cfg(feature = "corpus")]
pub mod rules;
pub mod typed;
mod wcxb;

pub use align::{Alignment, align};
pub use typed::{BlockLabel, Resolved, read_labels_csv, write_labels_csv};

/// A set of labelled pages.
#[derive(Debug, Default)]
pub struct GoldSet {
    /// The set's name: that of its folder or file, and of the split (`wcxb-dev`).
    pub name: String,
    /// The pages that can be used, in the order of their files or lines.
    pub pages: Vec<GoldPage>,
    /// Records that cannot be used, and why. Only a set with no usable page at all is an error.
    pub problems: Vec<GoldError>,
}

/// One labelled page.
#[derive(Clone, Debug)]
pub struct GoldPage {
    /// The page's name in its set.
    pub id: String,
    /// The set's name.
    pub set: String,
    /// The page's address, where known.
    pub url: Option<String>,
    /// The address' host without `www.`; without an address `set/id`, so that each such page counts as a site of
    /// its own.
    pub host: String,
    /// What kind of page it is, in the set's own words (page type, country).
    pub group: Option<String>,
    /// The language as the set gives it.
    pub lang: Option<String>,
    /// The article's title.
    pub title: Option<String>,
    /// The article's author.
    pub author: Option<String>,
    /// When the article was published, as the set writes it.
    pub date: Option<String>,
    /// Whether the page is HTML or flattened text.
    pub input: Input,
    /// Where its bytes are.
    pub source: Source,
    /// What is right.
    pub reference: Reference,
    /// Snippets that the extracted text should hold.
    pub with: Vec<String>,
    /// Snippets that it should not hold.
    pub without: Vec<String>,
    /// By which words the set is scored.
    pub words: WordRule,
}

/// Where a page's bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// In a file, gzipped or not.
    File(PathBuf),
    /// In the record itself.
    Inline(Vec<u8>),
}

/// What is right about a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// The article's text; empty where the right answer is no text.
    Text(String),
    /// Typed blocks.
    Blocks(Vec<BlockLabel>),
    /// Typed lines of flattened text: the line's number from 1, and its label.
    Lines(Vec<(u32, Label)>),
}

/// Why a set or a part of it cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum GoldError {
    /// A file or folder cannot be read.
    #[error("{}: cannot be read; check that it exists and that its permissions allow it", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Nothing there looks like a set.
    #[error(
        "{}: no labelled pages; expected html/ with ground-truth/ (WCXB) or ground-truth.json (AEB), gold.jsonl, \
         labels.csv, or *.lines.tsv beside *.txt",
        .0.display()
    )]
    UnknownLayout(PathBuf),
    /// Both splits are there.
    #[error("{}: holds both dev/ and test/; name the one you mean", .0.display())]
    TwoSplits(PathBuf),
    /// A record is not of the form it must have.
    #[error("{}{}: {message}", path.display(), line.map(|l| format!(", line {l}")).unwrap_or_default())]
    Record {
        /// The file.
        path: PathBuf,
        /// The line, from 1, where the file has records by line.
        line: Option<u64>,
        /// What is wrong and what to do.
        message: String,
    },
    /// A page's name was used before.
    #[error(
        "{}{}: the id '{id}' is there twice; the first one counts, rename or remove this one",
        path.display(), line.map(|l| format!(", line {l}")).unwrap_or_default()
    )]
    Duplicate {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: Option<u64>,
        /// The page's name.
        id: String,
    },
    /// There is no HTML for a record.
    #[error("{}: no page for '{id}'; looked for {tried}; add the file or remove the record", path.display())]
    NoPage {
        /// The file with the record.
        path: PathBuf,
        /// The page's name.
        id: String,
        /// The names that were tried.
        tried: String,
    },
    /// Not one record can be used.
    #[error("{}: none of its {count} records can be used; the first one: {first}", path.display())]
    NothingUsable {
        /// The set.
        path: PathBuf,
        /// How many there are.
        count: usize,
        /// What is wrong with the first one.
        first: String,
    },
    /// The set has no records.
    #[error("{}: holds no records", .0.display())]
    Empty(PathBuf),
    /// A label that is none.
    #[error("{}, line {line}: {source}", path.display())]
    Label {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The word.
        source: UnknownLabel,
    },
}

impl GoldError {
    fn io(path: &Path, source: std::io::Error) -> GoldError {
        GoldError::Io { path: path.to_owned(), source }
    }

    fn record(path: &Path, line: Option<u64>, message: impl ToString) -> GoldError {
        GoldError::Record { path: path.to_owned(), line, message: message.to_string() }
    }
}

/// Reads the set of labelled pages at `path`, a folder or a `.jsonl` or `.csv` file; which layout it is shows by
/// what is there:
///
/// - WCXB: `html/ID.html[.gz]` and `ground-truth/ID.json`, also under a folder `dev/` or `test/`;
/// - AEB (article-extraction-benchmark): `html/ID.html[.gz]` and `ground-truth.json`;
/// - `gold.jsonl`, or any `.jsonl` file: a record a line with `text` and optionally `id`, `url`, `group`, `lang`,
///   `title`, `author`, `date`, `with`, `without`; its page is in `html`, or in the file that `path` names, or in
///   `html/ID.html[.gz]`;
/// - `labels.csv`, or any `.csv` file: typed blocks, see [`read_labels_csv`];
/// - `ID.txt` and `ID.lines.tsv`: typed lines of flattened text.
///
/// ```
/// let dir = std::env::temp_dir().join("lubb-example-gold");
/// std::fs::create_dir_all(&dir)?;
/// let row = r#"{"id": "a", "url": "https://www.example.org/1", "html": "<p>One.</p>", "text": "One."}"#;
/// std::fs::write(dir.join("gold.jsonl"), row)?;
/// let set = lubb::gold::read(&dir)?;
/// assert_eq!((set.pages.len(), set.problems.len()), (1, 0));
/// assert_eq!(set.pages[0].host, "example.org");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If nothing at `path` looks like a set or nothing in it can be used. Single bad records are in
/// [`GoldSet::problems`].
pub fn read(path: impl AsRef<Path>) -> Result<GoldSet, GoldError> {
    let path = path.as_ref();
    let found = std::fs::metadata(path).map_err(|e| GoldError::io(path, e))?;
    if found.is_file() {
        return match path.extension().and_then(|e| e.to_str()) {
            Some("csv") => read_labels_csv(path, None),
            Some("jsonl" | "json" | "ndjson") => jsonl::read(path),
            _ => Err(GoldError::UnknownLayout(path.to_owned())),
        };
    }
    let is_wcxb = |dir: &Path| dir.join("ground-truth").is_dir() && dir.join("html").is_dir();
    if is_wcxb(path) {
        return wcxb::read(path);
    }
    if path.join("ground-truth.json").is_file() {
        return aeb::read(path);
    }
    if path.join("gold.jsonl").is_file() {
        return jsonl::read(&path.join("gold.jsonl"));
    }
    if path.join("labels.csv").is_file() {
        return read_labels_csv(path.join("labels.csv"), None);
    }
    match [path.join("dev"), path.join("test")].map(|dir| is_wcxb(&dir).then_some(dir)) {
        [Some(_), Some(_)] => return Err(GoldError::TwoSplits(path.to_owned())),
        [Some(dir), None] | [None, Some(dir)] => return wcxb::read(&dir),
        [None, None] => {}
    }
    lines::read(path)?.ok_or_else(|| GoldError::UnknownLayout(path.to_owned()))
}

impl GoldPage {
    /// A page with nothing known but its name, its bytes and what is right.
    fn new(set: &str, id: &str, source: Source, reference: Reference) -> GoldPage {
        GoldPage {
            id: id.to_owned(),
            set: set.to_owned(),
            url: None,
            host: format!("{set}/{id}"),
            group: None,
            lang: None,
            title: None,
            author: None,
            date: None,
            input: Input::Html,
            source,
            reference,
            with: Vec::new(),
            without: Vec::new(),
            words: WordRule::Cjk,
        }
    }

    /// Sets the address and with it the host.
    fn with_url(mut self, url: Option<String>) -> GoldPage {
        self.url = url.filter(|url| !url.is_empty());
        if let Some(host) = self.url.as_deref().and_then(host_of) {
            self.host = host;
        }
        self
    }

    /// The page's bytes, unpacked where they begin with gzip's magic number.
    ///
    /// # Errors
    /// If the file cannot be read or is not valid gzip.
    pub fn load(&self) -> Result<Vec<u8>, GoldError> {
        match &self.source {
            Source::Inline(bytes) => Ok(bytes.clone()),
            Source::File(path) => read_bytes(path),
        }
    }

    /// A hash of the page's bytes (XXH3, 64 bits), by which it is known again in another set.
    ///
    /// # Errors
    /// As [`GoldPage::load`].
    pub fn hash(&self) -> Result<u64, GoldError> {
        Ok(xxhash_rust::xxh3::xxh3_64(&self.load()?))
    }

    /// The page cut into blocks.
    ///
    /// # Errors
    /// As [`GoldPage::load`], and if it cannot be read to its end ([`Page::whole`]).
    pub fn page(&self) -> Result<Page, GoldError> {
        let page = Page::new(&self.load()?, &Hints { url: self.url.clone(), charset: None, input: self.input });
        let path = match &self.source {
            Source::Inline(_) => Path::new(&self.id),
            Source::File(path) => path,
        };
        page.whole().map(|()| page).map_err(|error| GoldError::record(path, None, error))
    }
}

/// A file's bytes, unpacked where they begin with gzip's magic number.
fn read_bytes(path: &Path) -> Result<Vec<u8>, GoldError> {
    let bytes = std::fs::read(path).map_err(|e| GoldError::io(path, e))?;
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut unpacked = Vec::with_capacity(bytes.len() * 4);
    flate2::read::MultiGzDecoder::new(&bytes[..])
        .read_to_end(&mut unpacked)
        .map_err(|e| GoldError::record(path, None, format!("not valid gzip ({e}); fetch the file again")))?;
    Ok(unpacked)
}

/// The line, from 1, of the record that begins at a place or after line ends there: csv counts one line too few where lines
/// end as on Windows.
fn line_at(bytes: &[u8], place: u64) -> u64 {
    let rest = bytes.get(place as usize..).unwrap_or_default();
    let start = place as usize + rest.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
    1 + bytes.iter().take(start).filter(|b| **b == b'\n').count() as u64
}

/// Gathers a set's pages and problems, and finds their files.
struct Collector {
    set: GoldSet,
    path: PathBuf,
    seen: std::collections::HashSet<String>,
}

impl Collector {
    /// `dir` gives the set its name.
    fn new(path: &Path, dir: &Path) -> Collector {
        let set = GoldSet { name: set_name(dir), ..GoldSet::default() };
        Collector { set, path: path.to_owned(), seen: Default::default() }
    }

    /// Whether the name is new; a problem is noted where not.
    fn is_new(&mut self, path: &Path, line: Option<u64>, id: &str) -> bool {
        let new = self.seen.insert(id.to_owned());
        if !new {
            self.set.problems.push(GoldError::Duplicate { path: path.to_owned(), line, id: id.to_owned() });
        }
        new
    }

    /// The first of the files that is there; a problem is noted where none is.
    fn find(&mut self, record: &Path, dir: &Path, id: &str, names: &[String]) -> Option<Source> {
        let found = names.iter().map(|name| dir.join(name)).find(|path| path.is_file());
        if found.is_none() {
            let (path, id) = (record.to_owned(), id.to_owned());
            self.set.problems.push(GoldError::NoPage { path, id, tried: names.join(", ") });
        }
        found.map(Source::File)
    }

    fn finish(self) -> Result<GoldSet, GoldError> {
        match self.set.problems.first() {
            Some(first) if self.set.pages.is_empty() => {
                let (count, first) = (self.set.problems.len(), first.to_string());
                Err(GoldError::NothingUsable { path: self.path, count, first })
            }
            None if self.set.pages.is_empty() => Err(GoldError::Empty(self.path)),
            _ => Ok(self.set),
        }
    }
}

/// A folder's name, with its parent's before it where it is the name of a split.
fn set_name(dir: &Path) -> String {
    let absolute = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    match (name(&absolute), absolute.parent().and_then(name)) {
        (Some(split), Some(parent)) if ["dev", "test", "train"].contains(&&*split) => format!("{parent}-{split}"),
        (own, _) => own.unwrap_or_else(|| "gold".to_owned()),
    }
}

/// What is wrong with a row of a table, and in which column: the line is told by who knows the file's lines, which csv
/// counts otherwise.
fn row_fault(error: &csv::Error, header: &csv::StringRecord) -> String {
    match error.kind() {
        csv::ErrorKind::Deserialize { err, .. } => {
            let column = err.field().and_then(|at| header.get(at.try_into().ok()?));
            let column = column.map(|name| format!("column '{name}': ")).unwrap_or_default();
            format!("{column}{}", err.kind())
        }
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} columns, and the first line has {expected_len}")
        }
        csv::ErrorKind::Utf8 { err, .. } => {
            let column = header.get(err.field()).map(|name| format!("column '{name}': ")).unwrap_or_default();
            format!("{column}not UTF-8; save the file as UTF-8")
        }
        _ => error.to_string(),
    }
}

/// Where a page of this name is looked for in a set's folder.
fn html_names(id: &str) -> [String; 2] {
    [format!("html/{id}.html"), format!("html/{id}.html.gz")]
}

#[cfg(test)]
mod tests;
