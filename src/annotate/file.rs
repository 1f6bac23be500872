//! The label file: read with all its rows, those that are no business of these pages included, and replaced whole.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::AnnotateError;
use crate::gold::typed::Row;
use crate::gold::{BlockLabel, write_labels_csv};
use crate::report::write_whole;

/// The file, and what it holds besides the labels of the pages shown.
#[derive(Debug)]
pub struct LabelFile {
    path: PathBuf,
    /// Rows by the page they name, until the page takes them; those that are left stay in the file.
    rows: HashMap<String, (Option<String>, Vec<BlockLabel>)>,
    /// What the file was when it was last read or written; `None` if it was not there.
    seen: Option<(SystemTime, u64)>,
}

impl LabelFile {
    /// Reads the file if it is there.
    ///
    /// A row that cannot be understood is an error here, where other readers leave it out: the file will be written
    /// anew, and the row would be lost.
    ///
    /// # Errors
    /// The file cannot be read, or a row is wrong.
    pub fn read(path: &Path) -> Result<LabelFile, AnnotateError> {
        let mut file = LabelFile { path: path.to_owned(), rows: HashMap::new(), seen: None };
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
                return if folder.is_dir() { Ok(file) } else { Err(AnnotateError::Labels(path.to_owned(), error)) };
            }
            Err(error) => return Err(AnnotateError::Labels(path.to_owned(), error)),
        };
        file.seen = file.now();
        let mut reader = csv::Reader::from_reader(&bytes[..]);
        let bad = |line: Option<u64>, message: String| AnnotateError::Row {
            path: path.to_owned(),
            line: line.unwrap_or(1),
            message,
        };
        let header = reader.headers().map_err(|e| bad(None, e.to_string()))?.clone();
        for record in reader.records() {
            let record = record.map_err(|e| bad(e.position().map(|p| p.line()), e.to_string()))?;
            let line = record.position().map(|p| p.line());
            let row: Row = record.deserialize(Some(&header)).map_err(|e| bad(line, e.to_string()))?;
            let label = row.label.parse().map_err(|e: crate::UnknownLabel| bad(line, e.to_string()))?;
            let hash = Some(row.text_hash.trim()).filter(|h| h.len() == 16);
            let hash = hash
                .and_then(|h| u64::from_str_radix(h, 16).ok())
                .ok_or_else(|| bad(line, format!("text_hash '{}' is not 16 hexadecimal digits", row.text_hash)))?;
            let (url, labels) = file.rows.entry(row.page).or_default();
            if labels.iter().any(|other: &BlockLabel| (other.block, other.hash) == (row.block, hash)) {
                return Err(bad(line, format!("block {} has a label already; remove one of the two", row.block)));
            }
            *url = url.take().or(row.url.filter(|url| !url.is_empty()));
            labels.push(BlockLabel { block: row.block, label, hash });
        }
        Ok(file)
    }

    /// Takes out the rows of a page, which may be under any of the names by which a page may be called.
    pub fn take(&mut self, id: &str) -> (Option<String>, Vec<BlockLabel>) {
        let bare = id.strip_suffix(".gz").unwrap_or(id);
        let bare = bare.strip_suffix(".html").unwrap_or(bare);
        let names = [id, bare, bare.strip_prefix("html/").unwrap_or(bare)];
        names.iter().find_map(|name| self.rows.remove(*name)).unwrap_or_default()
    }

    /// Puts back rows of a page that fit none of its blocks, so that they stay in the file.
    pub fn keep(&mut self, id: &str, url: Option<&str>, rows: Vec<BlockLabel>) {
        if !rows.is_empty() {
            self.rows.insert(id.to_owned(), (url.map(str::to_owned), rows));
        }
    }

    /// The file with these pages' labels and the rows of all others.
    ///
    /// # Errors
    /// If a row cannot be put into CSV.
    pub fn to_csv<'a>(
        &'a self,
        pages: impl Iterator<Item = (&'a str, Option<&'a str>, &'a [BlockLabel])>,
    ) -> Result<Vec<u8>, AnnotateError> {
        let mut others: Vec<_> = self.rows.iter().collect();
        others.sort_by_key(|(page, _)| page.as_str());
        let others = others.into_iter().map(|(page, (url, labels))| (page.as_str(), url.as_deref(), labels.as_slice()));
        let mut csv = Vec::new();
        write_labels_csv(&mut csv, pages.chain(others))
            .map_err(|error| AnnotateError::Labels(self.path.clone(), std::io::Error::other(error)))?;
        if csv.is_empty() {
            csv.extend_from_slice(b"page,block,label,text_hash,url\n");
        }
        Ok(csv)
    }

    /// Replaces the file.
    ///
    /// # Errors
    /// The file cannot be written, or another program wrote it since.
    pub fn write(&mut self, csv: &[u8]) -> Result<(), AnnotateError> {
        if self.now() != self.seen {
            return Err(AnnotateError::Changed(self.path.clone()));
        }
        // What a link names is replaced, not the link.
        let target = self.path.canonicalize().unwrap_or_else(|_| self.path.clone());
        write_whole(&target, csv)?;
        self.seen = self.now();
        Ok(())
    }

    fn now(&self) -> Option<(SystemTime, u64)> {
        let metadata = fs::metadata(&self.path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    }
}
