//! What the user names as input, into one lazy stream of pages: folders, globs, files, standard input.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use globset::{GlobBuilder, GlobMatcher};
use walkdir::WalkDir;

use super::compressed::{self, Opened, Position};
use super::jsonl::JsonLines;
use super::look::{Holds, Looked, look};
#[cfg(feature = "warc")]
use super::warc::WarcRecords;
use super::{Fault, PageError, PassedOver, RawPage, Reading, read_to_limit};

/// The name of standard input in ids and messages.
const STDIN: &str = "stdin";

/// An input that cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// There is no such file.
    #[error("{path}: cannot be opened")]
    Open {
        /// The input as given.
        path: String,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// A pattern cannot be parsed.
    #[error("{pattern}: not a pattern")]
    Pattern {
        /// The input as given.
        pattern: String,
        /// What is wrong with it.
        source: globset::Error,
    },
    /// A folder or a pattern without a page.
    #[error(
        "{0}: no pages there; folders are searched for .html .htm .xhtml .shtml .php .asp .aspx .jsp .txt, plain, .gz or .zst (name JSONL and WARC \
         files themselves)"
    )]
    NoPages(String),
    /// A JSON document is no page, and no list of records either.
    #[error("{0}: {fault}", fault = Fault::Document)]
    Json(String),
    /// Standard input can be read once only.
    #[error("'-' (standard input) can be given only once")]
    StdinTwice,
    /// There is no input.
    #[error("no input given")]
    Nothing,
}

/// The inputs of a run, checked to be there.
#[derive(Clone, Debug)]
pub struct Inputs {
    inputs: Vec<Input>,
    reading: Arc<Reading>,
}

#[derive(Clone, Debug)]
enum Input {
    Stdin,
    File(PathBuf),
    Folder { root: PathBuf, name: PathBuf },
    Glob { base: PathBuf, matcher: GlobMatcher, depth: usize },
}

impl Inputs {
    /// Finds out what each name is; `-` is standard input.
    ///
    /// A page's id is its path inside its folder, or with several inputs, where that may be ambiguous, the path with
    /// the folder as given; for single files and patterns the path; for records the id field or `FILE:LINE`; for those
    /// of WARC files their WARC-Record-ID, without `<urn:uuid:>` around it.
    ///
    /// ```no_run
    /// use lubb::corpus::{Inputs, Reading};
    /// let inputs = Inputs::new(&["pages/", "more/*.jsonl.gz"], Reading::default())?;
    /// for page in inputs.pages() {
    ///     println!("{}", page?.id);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A name is neither a file nor a pattern, a folder or a pattern holds no page, or `-` comes twice.
    pub fn new<P: AsRef<Path>>(names: &[P], reading: Reading) -> Result<Inputs, InputError> {
        let several = names.len() > 1;
        let inputs: Vec<Input> =
            names.iter().map(|name| Input::new(name.as_ref(), several)).collect::<Result<_, _>>()?;
        match inputs.iter().filter(|input| matches!(input, Input::Stdin)).count() {
            _ if inputs.is_empty() => Err(InputError::Nothing),
            0 | 1 => Ok(Inputs { inputs, reading: Arc::new(reading) }),
            _ => Err(InputError::StdinTwice),
        }
    }

    /// The pages in order: inputs as given, folders sorted by name, records by line. Nothing is read ahead of need but
    /// the names in one folder.
    pub fn pages(&self) -> Pages {
        let passed_over = PassedOver::default();
        let run = Run { reading: Arc::clone(&self.reading), passed_over: passed_over.clone() };
        let pages = Box::new(self.inputs.clone().into_iter().flat_map(move |input| input.pages(&run)));
        Pages { pages, passed_over }
    }

    /// The size of all inputs as they are stored, for a forecast; `None` if standard input is among them. This walks
    /// all folders.
    pub fn stored_bytes(&self) -> Option<u64> {
        let size = |path: PathBuf| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        self.inputs.iter().map(|input| Some(input.files()?.flatten().map(size).sum::<u64>())).sum()
    }

    /// Whether a file would be read as input.
    pub fn contain(&self, path: &Path) -> bool {
        let Ok(path) = path.canonicalize() else { return false };
        let is = |file: &Path| {
            file.file_name() == path.file_name() && file.canonicalize().is_ok_and(|canonical| canonical == path)
        };
        self.inputs.iter().any(|input| match input {
            Input::Folder { root, .. } => {
                Ending::of(&path).is_page() && root.canonicalize().is_ok_and(|root| path.starts_with(root))
            }
            _ => input.files().is_some_and(|files| files.flatten().any(|file| is(&file))),
        })
    }

    /// The input folders, as they were given.
    pub fn folders(&self) -> impl Iterator<Item = &Path> {
        self.inputs.iter().filter_map(|input| match input {
            Input::Folder { root, .. } => Some(root.as_path()),
            _ => None,
        })
    }
}

/// The pages of a run, see [`Inputs::pages`].
pub struct Pages {
    pages: Source,
    passed_over: PassedOver,
}

impl Pages {
    /// What these inputs have besides pages; counted while the pages are read.
    pub fn passed_over(&self) -> PassedOver {
        self.passed_over.clone()
    }
}

impl Iterator for Pages {
    type Item = Result<RawPage, PageError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.pages.next()
    }
}

/// What all readers of a run share.
#[derive(Clone)]
struct Run {
    reading: Arc<Reading>,
    #[cfg_attr(not(feature = "warc"), expect(dead_code, reason = "only WARC files have more than pages"))]
    passed_over: PassedOver,
}

impl Input {
    fn new(name: &Path, several: bool) -> Result<Input, InputError> {
        if name == Path::new("-") {
            return Ok(Input::Stdin);
        }
        let given = || name.display().to_string();
        let input = match std::fs::metadata(name) {
            Ok(metadata) if metadata.is_dir() => {
                let prefix = if several { name.to_owned() } else { PathBuf::new() };
                Input::Folder { root: name.to_owned(), name: prefix }
            }
            // A pipe would be read to no end here; its pages say what is wrong.
            Ok(metadata) if metadata.is_file() && Ending::of(name) == Ending::Json && !may_hold_records(name) => {
                return Err(InputError::Json(given()));
            }
            Ok(_) => return Ok(Input::File(name.to_owned())),
            Err(_) if given().contains(['*', '?', '[', '{']) => {
                Input::glob(name).map_err(|source| InputError::Pattern { pattern: given(), source })?
            }
            Err(source) => return Err(InputError::Open { path: given(), source }),
        };
        // A folder that cannot be read is told page by page; one without pages is a mistake in the command.
        match input.files().and_then(|mut files| files.next()) {
            Some(_) => Ok(input),
            None => Err(InputError::NoPages(given())),
        }
    }

    /// A pattern, walked from its last folder without wildcards.
    fn glob(pattern: &Path) -> Result<Input, globset::Error> {
        let wild = |part: &Component| part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{']);
        let base: PathBuf = pattern.components().take_while(|part| !wild(part)).collect();
        let text = pattern.components().collect::<PathBuf>();
        let text = text.to_string_lossy();
        let matcher = GlobBuilder::new(&text).literal_separator(true).build()?.compile_matcher();
        let depth = pattern.components().count() - base.components().count();
        // Alternatives may hold separators, and `**` any number of folders.
        let depth = if text.contains("**") || text.contains('{') { usize::MAX } else { depth };
        Ok(Input::Glob { base, matcher, depth })
    }

    /// The files in order; `None` for standard input.
    fn files(&self) -> Option<Box<dyn Iterator<Item = walkdir::Result<PathBuf>> + Send>> {
        // A link may lead out of the folder, but pages that were silently left out would be worse.
        let walk = |root: &Path| WalkDir::new(root).follow_links(true).sort_by_file_name();
        let file = |entry: walkdir::Result<walkdir::DirEntry>| match entry {
            Ok(entry) if entry.file_type().is_file() => Some(Ok(entry.into_path())),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        };
        Some(match self {
            Input::Stdin => return None,
            Input::File(path) => Box::new(std::iter::once(Ok(path.clone()))),
            Input::Folder { root, .. } => {
                let page = |path: &walkdir::Result<PathBuf>| path.as_ref().map_or(true, |p| Ending::of(p).is_page());
                Box::new(walk(root).into_iter().filter_map(file).filter(page))
            }
            Input::Glob { base, matcher, depth } => {
                let (matcher, relative) = (matcher.clone(), base.as_os_str().is_empty());
                let root = if relative { Path::new(".") } else { base };
                let plain = move |path: PathBuf| match path.strip_prefix(".") {
                    Ok(inside) if relative => inside.to_owned(),
                    _ => path,
                };
                let matches = move |path: &walkdir::Result<PathBuf>| match path {
                    Ok(path) => matcher.is_match(path),
                    // A broken link or closed folder beside the matching files is no concern of the pattern.
                    Err(_) => false,
                };
                let files = walk(root).max_depth(*depth).into_iter().filter_map(file);
                Box::new(files.map(move |path| path.map(&plain)).filter(matches))
            }
        })
    }

    fn pages(self, run: &Run) -> Source {
        let run = run.clone();
        let Some(files) = self.files() else { return stdin(&run) };
        Box::new(files.flat_map(move |path| match path {
            Err(error) => {
                let path = error.path().unwrap_or(Path::new("")).to_owned();
                let failed = failed(path.display().to_string(), Fault::Read(without_path(error)));
                one(Err(PageError { id: self.id(&path), ..failed }))
            }
            Ok(path) => match Ending::of(&path) {
                Ending::Jsonl => named(&path, jsonl, &run),
                #[cfg(feature = "warc")]
                Ending::Warc => named(&path, warc, &run),
                Ending::Json | Ending::Unknown => unnamed(self.id(&path), &path, &run),
                Ending::Html | Ending::Text | Ending::Table => {
                    one(Ok(RawPage::file(self.id(&path), &path, Arc::clone(&run.reading))))
                }
            },
        }))
    }

    fn id(&self, path: &Path) -> String {
        let id = match self {
            Input::Folder { root, name } => name.join(path.strip_prefix(root).unwrap_or(path)),
            _ => path.to_owned(),
        };
        let id = id.to_string_lossy();
        if std::path::MAIN_SEPARATOR == '/' { id.into_owned() } else { id.replace(std::path::MAIN_SEPARATOR, "/") }
    }
}

type Source = Box<dyn Iterator<Item = Result<RawPage, PageError>> + Send>;

fn one(page: Result<RawPage, PageError>) -> Source {
    Box::new(std::iter::once(page))
}

fn failed(place: String, fault: Fault) -> PageError {
    PageError { id: place.clone(), url: None, place, stored: 0, fault }
}

/// What is wrong with a file in a folder, which the message of the page names already.
fn without_path(error: walkdir::Error) -> std::io::Error {
    let folder = error.loop_ancestor().map(|folder| format!("a link to {}, which it is in", folder.display()));
    let is_loop = folder.map(std::io::Error::other);
    is_loop.or_else(|| error.into_io_error()).unwrap_or_else(|| std::io::ErrorKind::Other.into())
}

fn open(path: &Path) -> std::io::Result<Opened<'static>> {
    compressed::open(File::open(path)?)
}

/// The records of a stream, from behind the white space that it begins with.
type Records = fn(String, &[u8], Box<dyn BufRead + Send>, Position, &Run) -> Source;

fn jsonl(name: String, skipped: &[u8], reader: Box<dyn BufRead + Send>, position: Position, run: &Run) -> Source {
    let lines = skipped.iter().filter(|b| **b == b'\n').count() as u64;
    Box::new(JsonLines::new(reader, name, lines, position, Arc::clone(&run.reading)))
}

#[cfg(feature = "warc")]
fn warc(name: String, skipped: &[u8], reader: Box<dyn BufRead + Send>, position: Position, run: &Run) -> Source {
    let (reading, passed_over) = (Arc::clone(&run.reading), run.passed_over.clone());
    Box::new(WarcRecords::new(reader, name, skipped.len() as u64, position, reading, passed_over))
}

/// A file whose name says what records it holds.
fn named(path: &Path, records: Records, run: &Run) -> Source {
    let name = path.display().to_string();
    match open(path) {
        Ok(Opened { reader, position }) => records(name, &[], reader, position, run),
        Err(error) => one(Err(failed(name, error.into()))),
    }
}

/// A file whose name does not say what it holds: looked into, as standard input is.
fn unnamed(id: String, path: &Path, run: &Run) -> Source {
    let name = path.display().to_string();
    // What a pipe has given it does not give again; a file is opened anew by the worker that has it as a page.
    let is_pipe = std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file());
    match open(path).and_then(|opened| Ok((look(opened.reader)?, opened.position))) {
        Ok((looked, _)) if looked.holds == Holds::Page && Ending::of(path) == Ending::Json => {
            one(Err(failed(name, Fault::Document)))
        }
        Ok((looked, position)) if looked.holds != Holds::Page || is_pipe => stream(name, looked, position, run),
        Err(error) if is_pipe => one(Err(failed(name, error.into()))),
        _ => one(Ok(RawPage::file(id, path, Arc::clone(&run.reading)))),
    }
}

/// Standard input: records if it begins as such, else one page.
fn stdin(run: &Run) -> Source {
    let opened = compressed::open(std::io::stdin());
    match opened.and_then(|opened| Ok((look(opened.reader)?, opened.position))) {
        Ok((looked, position)) => stream(STDIN.to_owned(), looked, position, run),
        Err(error) => one(Err(failed(STDIN.to_owned(), error.into()))),
    }
}

/// The pages of a stream that is read once.
fn stream(name: String, looked: Looked<'static>, position: Position, run: &Run) -> Source {
    let Looked { holds, skipped, mut reader } = looked;
    match holds {
        Holds::Records => jsonl(name, &skipped, reader, position, run),
        #[cfg(feature = "warc")]
        Holds::Warc => warc(name, &skipped, reader, position, run),
        Holds::Document => one(Err(failed(name, Fault::Document))),
        Holds::Page => {
            let reading = Arc::clone(&run.reading);
            let bytes = read_to_limit(&mut skipped.chain(&mut reader), reading.max_page_bytes, 0);
            one(match bytes {
                Ok(bytes) => Ok(RawPage::bytes(&name, bytes, position.read(), reading)),
                Err(fault) => Err(failed(name, fault)),
            })
        }
    }
}

/// Whether a file that is named JSON is to be read; one that cannot be opened is told with the pages.
fn may_hold_records(path: &Path) -> bool {
    open(path).and_then(|opened| look(opened.reader)).map_or(true, |looked| looked.holds == Holds::Records)
}

/// What a file's name says of its content, compression aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Html,
    Text,
    Jsonl,
    /// Records, where they are a line each.
    Json,
    /// A crawl's records, or the texts that were made of them.
    #[cfg(feature = "warc")]
    Warc,
    /// CSV and TSV, which are not read.
    Table,
    Unknown,
}

impl Ending {
    pub fn of(path: &Path) -> Ending {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // `page.php?id=5`, as wget writes it, `page?id=5.html`, as `wget -E` does, and `who came?.html`.
        let ends = name.match_indices('?').map(|(at, _)| at).chain([name.len()]);
        let endings = || ends.clone().map(|end| Ending::of_name(Path::new(&name[..end])));
        let known = endings().find(|ending| *ending != Ending::Unknown).unwrap_or(Ending::Unknown);
        endings().find(|ending| *ending == Ending::Html).unwrap_or(known)
    }

    fn of_name(path: &Path) -> Ending {
        let is = |extension: Option<&OsStr>, names: &[&str]| {
            extension.is_some_and(|e| names.iter().any(|name| e.eq_ignore_ascii_case(name)))
        };
        let stem = path.file_stem().map(Path::new);
        let extension = match path.extension() {
            compressed if is(compressed, &["gz", "zst"]) => stem.and_then(Path::extension),
            plain => plain,
        };
        match extension {
            e if is(e, &["html", "htm", "xhtml", "shtml", "php", "asp", "aspx", "jsp"]) => Ending::Html,
            e if is(e, &["txt"]) => Ending::Text,
            e if is(e, &["jsonl", "ndjson"]) => Ending::Jsonl,
            e if is(e, &["json"]) => Ending::Json,
            e if is(e, &["csv", "tsv"]) => Ending::Table,
            #[cfg(feature = "warc")]
            e if is(e, &["warc", "wet"]) => Ending::Warc,
            _ => Ending::Unknown,
        }
    }

    fn is_page(self) -> bool {
        matches!(self, Ending::Html | Ending::Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "{\"html\":\"<p>x\"}\n").unwrap();
        }
        folder
    }

    fn ids(names: &[PathBuf]) -> Vec<String> {
        let inputs = Inputs::new(names, Reading::default()).unwrap();
        inputs.pages().map(|page| page.unwrap().id).collect()
    }

    #[test]
    fn folders_are_walked_in_order_for_pages_alone() {
        let folder =
            folder(&["b.html", "a/z.HTM.gz", "a/y.txt", "c.png", "d.jsonl", "A.xhtml.zst", "e.php?id=5&a=b.c"]);
        assert_eq!(
            ids(&[folder.path().to_owned()]),
            ["A.xhtml.zst", "a/y.txt", "a/z.HTM.gz", "b.html", "e.php?id=5&a=b.c"]
        );
    }

    #[test]
    fn names_with_question_marks_end_before_them_or_at_their_end() {
        let ending = |name: &str| Ending::of(Path::new(name));
        for page in ["a?id=3.html", "who came?.html", "who? me?.htm.gz", "a.php?t=5.html", "a.html?x", "a.php?f=b.txt"]
        {
            assert_eq!(ending(page), Ending::Html, "{page}");
        }
        assert_eq!(ending("who?.txt"), Ending::Text);
        assert_eq!(ending("a.jsonl?v=1.csv"), Ending::Jsonl);
        assert_eq!(ending("a.png?v=1"), Ending::Unknown);
    }

    #[test]
    fn several_folders_keep_their_names_in_ids() {
        let folder = folder(&["a/x.html", "b/x.html"]);
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        assert_eq!(ids(&[a.clone(), b.clone()]), [a, b].map(|f| f.join("x.html").display().to_string()));
    }

    #[test]
    fn patterns_match_whole_paths() {
        let folder = folder(&["a/x.html", "a/deep/y.html", "b/z.jsonl", "b/n.png"]);
        let of = |pattern: &str| -> Vec<String> {
            let prefix = format!("{}/", folder.path().display());
            ids(&[folder.path().join(pattern)]).iter().map(|id| id.replace(&prefix, "")).collect()
        };
        assert_eq!(of("*/*.html"), ["a/x.html"]);
        assert_eq!(of("**/*.html"), ["a/deep/y.html", "a/x.html"]);
        assert_eq!(of("{a,b}/?.{html,jsonl}"), ["a/x.html", "b/z.jsonl:1"]);
    }

    #[test]
    fn inputs_that_hold_nothing_are_told_at_once() {
        let folder = folder(&["x.png"]);
        let error = |name: &str| Inputs::new(&[folder.path().join(name)], Reading::default()).unwrap_err();
        assert!(matches!(error(""), InputError::NoPages(_)));
        assert!(matches!(error("*.html"), InputError::NoPages(_)));
        assert!(matches!(error("none.html"), InputError::Open { .. }));
        assert!(matches!(error("[a-.html"), InputError::Pattern { .. }));
        std::fs::write(folder.path().join("a.json"), "[]").unwrap();
        assert!(matches!(error("a.json"), InputError::Json(_)));
    }

    #[test]
    fn records_are_found_in_files_of_any_name_but_a_page_s() {
        let folder = tempfile::tempdir().unwrap();
        let records = b"\n{\"id\":\"a\",\"html\":\"<p>x\"}\n{\"html\":\"<p>y\"}\n";
        let write = |name: &str, bytes: &[u8]| {
            std::fs::write(folder.path().join(name), bytes).unwrap();
            folder.path().join(name)
        };
        let pages = |path: &Path| -> Vec<Result<String, String>> {
            let inputs = Inputs::new(&[path], Reading::default()).unwrap();
            let id = |page: Result<RawPage, _>| page.and_then(RawPage::load).map(|page| page.id);
            inputs.pages().map(|page| id(page).map_err(|error| error.fault.to_string())).collect()
        };
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut gzip, records).unwrap();
        let gzip = gzip.finish().unwrap();
        let zstd = zstd::encode_all(&records[..], 0).unwrap();
        let named: [(&str, &[u8]); 6] = [
            ("s.json.gz", &gzip),
            ("s.json.zst", &zstd),
            ("s.json", records),
            ("s.data", records),
            ("part-00000", records),
            ("pp.gz", &gzip),
        ];
        for (name, bytes) in named {
            let path = write(name, bytes);
            assert_eq!(pages(&path), [Ok("a".to_owned()), Ok(format!("{}:3", path.display()))], "{name}");
        }
        // One page, as before; text of more lines is no record.
        let page = write("page", b"<p>x</p>");
        assert_eq!(pages(&page), [Ok(page.display().to_string())]);
        // What is named as a page is one, or an error.
        for name in ["s.html", "s.html.gz", "s.txt"] {
            let path = write(name, if name.ends_with("gz") { &gzip } else { records });
            assert!(matches!(&pages(&path)[..], [Err(told)] if told.contains("name it .jsonl")), "{name}");
        }
        let array = write("array", b"[\n{\"html\":\"x\"}\n]");
        assert!(matches!(&pages(&array)[..], [Err(told)] if told.contains("jq -c '.[]'")));
        let pretty = write("pretty.json", b"{\n  \"html\": \"x\"\n}");
        assert!(matches!(Inputs::new(&[pretty], Reading::default()), Err(InputError::Json(_))));
        let pattern = folder.path().join("pretty*");
        assert!(matches!(&pages(&pattern)[..], [Err(told)] if told.contains("jq -c .")));
        for name in ["a.csv", "a.tsv"] {
            assert!(matches!(&pages(&write(name, b"id,html\n1,<p>x"))[..], [Err(told)] if told.contains(".jsonl")));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_cannot_be_read_has_the_id_of_its_folder_s_files() {
        let folder = folder(&["a.html"]);
        std::os::unix::fs::symlink("nowhere", folder.path().join("broken.html")).unwrap();
        let inputs = Inputs::new(&[folder.path()], Reading::default()).unwrap();
        let error = inputs.pages().find_map(Result::err).unwrap();
        assert_eq!(error.id, "broken.html");
        assert_eq!(error.place, folder.path().join("broken.html").display().to_string());
        let (place, message) = (&error.place, error.to_string());
        assert!(message.starts_with(&format!("{place}: cannot be read: No such file")), "{message}");
        std::fs::remove_file(folder.path().join("broken.html")).unwrap();
        std::os::unix::fs::symlink(".", folder.path().join("loop")).unwrap();
        let error = inputs.pages().find_map(Result::err).unwrap();
        let wrong = format!("cannot be read: a link to {}, which it is in", folder.path().display());
        assert_eq!(error.fault.to_string(), wrong);
    }

    #[test]
    fn an_output_that_would_be_read_is_known() {
        let folder = folder(&["x.html", "b/z.jsonl"]);
        let inputs = |name: &str| Inputs::new(&[folder.path().join(name)], Reading::default()).unwrap();
        let z = folder.path().join("b/../b/z.jsonl");
        assert!(inputs("b/*.jsonl").contain(&z) && inputs("b/z.jsonl").contain(&z));
        assert!(!inputs("").contain(&z) && inputs("").contain(&folder.path().join("x.html")));
    }
}
