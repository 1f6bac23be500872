//! A folder with a file a page, and a table of which page is in which file.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

use super::staged::{Partial, rename};
use super::{Columns, Format, Sink, SinkError};
use crate::document::Document;

/// A folder with a file a page; pages that failed have a line in its `errors.jsonl`, the others a row in `files.csv`.
pub(super) struct Folder {
    path: PathBuf,
    partial: PathBuf,
    format: Format,
    written: u64,
    files: csv::Writer<File>,
    /// Hashes of the names in lower case: `X.txt` and `x.txt` are one file on some disks, to which the folder may be copied.
    taken: HashSet<u64>,
    errors: Option<File>,
}

/// The folder's own files.
const FILES: &str = "files.csv";
const ERRORS: &str = "errors.jsonl";

/// The longest name of a file or folder, in bytes, with room for a number and an ending; systems allow 255.
const NAME: usize = 200;
/// The longest path inside the folder.
const PATH: usize = 1_000;

impl Folder {
    /// Makes the folder under its partial name.
    pub(super) fn new(path: &Path, format: Format) -> Result<Folder, SinkError> {
        // `out/` and `out` have the same partial folder beside them, `.` has one beside its real name.
        let path = path.canonicalize().unwrap_or_else(|_| path.components().collect());
        let name = path.display().to_string();
        if path.exists() && !path.read_dir().is_ok_and(|mut entries| entries.next().is_none()) {
            return Err(SinkError::Exists(name));
        }
        let partial = Partial::own(None).of(&path);
        let made = fs::create_dir(&partial).and_then(|()| {
            let mut files = csv::Writer::from_writer(File::create(partial.join(FILES))?);
            files.write_record(["file", "id"])?;
            files.flush()?;
            Ok(files)
        });
        match made {
            Ok(files) => Ok(Folder { path, partial, format, written: 0, files, taken: HashSet::new(), errors: None }),
            Err(source) => Err(SinkError::Create { path: partial.display().to_string(), source }),
        }
    }

    /// Makes the file of a page: at the id's path, or with the page's number if that is taken. The file and its name in the
    /// folder.
    fn create(&mut self, id: &str) -> io::Result<(File, String)> {
        let ending = self.format.ending();
        let path = inside(id);
        let leaf = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let number = self.written;
        // Where a page's name is another's folder, the hash at the top is a place of its own.
        let names = [
            path.with_file_name(format!("{leaf}.{ending}")),
            path.with_file_name(format!("{leaf}-{number}.{ending}")),
            PathBuf::from(format!("{:016x}-{number}.{ending}", xxh3_64(id.as_bytes()))),
        ];
        let mut result = Err(io::ErrorKind::AlreadyExists.into());
        for name in names {
            let path = self.partial.join(&name);
            let parts: Vec<_> = name.iter().map(|part| part.to_string_lossy()).collect();
            let own = parts.first().is_some_and(|top| [FILES, ERRORS].contains(&&*top.to_lowercase()));
            let name = parts.join("/");
            if own || !self.taken.insert(xxh3_64(name.to_lowercase().as_bytes())) {
                continue;
            }
            let folder = path.parent().unwrap_or(&self.partial);
            result = fs::create_dir_all(folder)
                .and_then(|()| OpenOptions::new().write(true).create_new(true).open(&path))
                .map(|file| (file, name));
            let taken = [io::ErrorKind::AlreadyExists, io::ErrorKind::NotADirectory];
            if !result.as_ref().is_err_and(|error| taken.contains(&error.kind())) {
                break;
            }
        }
        result
    }

    fn write_page(&mut self, document: &Document) -> io::Result<()> {
        if document.error.is_none() {
            let (file, name) = self.create(&document.id)?;
            let mut out = BufWriter::new(file);
            self.format.write(document, Columns::default(), &mut out)?;
            out.flush()?;
            self.files.write_record([name.as_str(), &document.id])?;
            // What is there after a crash is told, too.
            return self.files.flush();
        }
        let errors = match &mut self.errors {
            Some(file) => file,
            none => none.insert(File::create(self.partial.join(ERRORS))?),
        };
        errors.write_all(&[serde_json::to_vec(document)?.as_slice(), b"\n"].concat())
    }
}

impl Sink for Folder {
    fn write(&mut self, document: &Document) -> Result<(), SinkError> {
        self.written += 1;
        let path = self.partial.display().to_string();
        self.write_page(document).map_err(|source| SinkError::Write { path, source })
    }

    fn finish(self: Box<Self>) -> Result<(), SinkError> {
        // Some systems rename no folder with an open file in it.
        drop((self.files, self.errors));
        // An empty folder of that name may be there; not all systems rename onto one.
        let _ = fs::remove_dir(&self.path);
        rename(&self.partial, &self.path)
    }
}

/// A page's id as a relative path that stays where it is put: without `..`, drive letters and characters that some
/// system refuses, and without the ending of a page.
fn inside(id: &str) -> PathBuf {
    let lower = id.to_ascii_lowercase();
    let stem = lower.strip_suffix(".gz").or_else(|| lower.strip_suffix(".zst")).unwrap_or(&lower);
    let endings = [".html", ".htm", ".xhtml", ".txt"];
    let stem = endings.iter().find_map(|ending| stem.strip_suffix(ending)).unwrap_or(&lower);
    let parts = id[..stem.len()].split(['/', '\\']).filter(|part| !matches!(*part, "" | "." | ".."));
    let path: PathBuf = parts.map(part).collect();
    match path.as_os_str().len() {
        1..=PATH => path,
        _ => PathBuf::from(format!("{:016x}", xxh3_64(id.as_bytes()))),
    }
}

fn part(name: &str) -> String {
    let refused = |c: char| c.is_control() || "<>:\"|?*".contains(c);
    let mut clean: String = name.chars().map(|c| if refused(c) { '_' } else { c }).collect();
    if clean.len() > NAME {
        let hash = format!("-{:016x}", xxh3_64(name.as_bytes()));
        let fits = clean.char_indices().map(|(at, _)| at).take_while(|at| *at <= NAME - hash.len()).last();
        clean.truncate(fits.unwrap_or(0));
        clean.push_str(&hash);
    }
    // Windows drops dots and spaces at a name's end.
    if clean.ends_with(['.', ' ']) {
        clean.push('_');
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_leaves_the_folder_and_no_page_overwrites_another() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("deep/out");
        fs::create_dir(folder.path().join("deep")).unwrap();
        let long = "x".repeat(3_000);
        let ids = [
            "../../etc/a.html",
            "/etc/a",
            "a.html",
            "a.htm",
            "a.txt/b",
            "a",
            "",
            "..",
            "C:\\n\0ul:",
            "a/b/",
            &long,
            "A/B",
            "A.HTML",
            "Files.csv/a",
            "errors.jsonl/a",
        ];
        let documents: Vec<Document> =
            ids.iter().map(|id| Document { id: id.to_string(), text: id.to_string(), ..Document::default() }).collect();
        let failed = Document { error: Some("why".into()), id: "bad".into(), ..Document::default() };
        let mut sink = Box::new(Folder::new(&out, Format::Txt).unwrap());
        for document in documents.iter().chain([&failed]) {
            sink.write(document).unwrap();
        }
        sink.finish().unwrap();
        let files: Vec<PathBuf> = walkdir::WalkDir::new(folder.path())
            .into_iter()
            .flatten()
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| entry.into_path())
            .collect();
        assert_eq!(files.len(), ids.len() + 2, "with files.csv and errors.jsonl");
        assert!(files.iter().all(|file| file.starts_with(&out)), "{files:?}");
        let texts: std::collections::HashSet<String> =
            files.iter().map(|file| fs::read_to_string(file).unwrap().trim_end_matches('\n').to_owned()).collect();
        assert!(ids.iter().all(|id| texts.contains(*id)));
        assert_eq!(fs::read_to_string(out.join("etc/a.txt")).unwrap(), "../../etc/a.html\n");
        assert!(fs::read_to_string(out.join("errors.jsonl")).unwrap().contains("why"));
        let mut csv = csv::Reader::from_path(out.join("files.csv")).unwrap();
        let rows: Vec<(String, String)> = csv.deserialize().map(Result::unwrap).collect();
        assert_eq!(rows.iter().map(|(_, id)| id.as_str()).collect::<Vec<_>>(), ids);
        for (file, id) in &rows {
            assert_eq!(fs::read_to_string(out.join(file)).unwrap().trim_end_matches('\n'), id);
        }
        let names: HashSet<String> = rows.iter().map(|(file, _)| file.to_lowercase()).collect();
        assert_eq!(names.len(), rows.len(), "on a disk that does not know case, too: {rows:?}");
    }
}
