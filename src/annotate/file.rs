//! The label file: read with all its rows, those that are no business of these pages included, and replaced whole.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::AnnotateError;
use crate::gold::BlockLabel;
use crate::gold::typed::Row;
use crate::report::write_whole;

/// The columns that are read; all others are kept as they are.
const COLUMNS: [&str; 5] = ["page", "block", "label", "text_hash", "url"];

/// The label of a row, and what its other columns hold.
#[derive(Clone, Debug)]
pub struct FileLabel {
    /// The label.
    pub label: BlockLabel,
    /// The row's fields in [`LabelFile::others`]; none for a label that is new.
    pub others: Vec<String>,
}

/// The rows of a page, with its address if they give one.
pub type PageRows = (Option<String>, Vec<FileLabel>);

/// The file, and what it holds besides the labels of the pages shown.
#[derive(Debug)]
pub struct LabelFile {
    path: PathBuf,
    /// The names of the columns that are not ours, such as somebody's notes.
    others: Vec<String>,
    /// Rows by the page they name, until the page takes them; those that are left stay in the file.
    rows: HashMap<String, PageRows>,
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
        let mut file = LabelFile { path: path.to_owned(), others: Vec::new(), rows: HashMap::new(), seen: None };
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
        let others: Vec<usize> = (0..header.len()).filter(|at| !COLUMNS.contains(&&header[*at])).collect();
        file.others = others.iter().map(|at| header[*at].to_owned()).collect();
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
            if labels.iter().any(|FileLabel { label, .. }| (label.block, label.hash) == (row.block, hash)) {
                return Err(bad(line, format!("block {} has a label already; remove one of the two", row.block)));
            }
            *url = url.take().or(row.url.filter(|url| !url.is_empty()));
            let label = BlockLabel { block: row.block, label, hash };
            labels.push(FileLabel { label, others: others.iter().map(|at| record[*at].to_owned()).collect() });
        }
        Ok(file)
    }

    /// Takes out the rows of a page, which may be under any of the names by which a page may be called.
    pub fn take(&mut self, id: &str) -> PageRows {
        let bare = id.strip_suffix(".gz").unwrap_or(id);
        let bare = bare.strip_suffix(".html").unwrap_or(bare);
        let names = [id, bare, bare.strip_prefix("html/").unwrap_or(bare)];
        names.iter().find_map(|name| self.rows.remove(*name)).unwrap_or_default()
    }

    /// Puts back rows of a page that fit none of its blocks, so that they stay in the file.
    pub fn keep(&mut self, id: &str, url: Option<&str>, rows: Vec<FileLabel>) {
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
        pages: impl Iterator<Item = (&'a str, Option<&'a str>, &'a [FileLabel])>,
    ) -> Result<Vec<u8>, AnnotateError> {
        let mut left: Vec<_> = self.rows.iter().collect();
        left.sort_by_key(|(page, _)| page.as_str());
        let left = left.into_iter().map(|(page, (url, labels))| (page.as_str(), url.as_deref(), labels.as_slice()));
        let failed = |error: std::io::Error| AnnotateError::Labels(self.path.clone(), error);
        let mut csv = csv::Writer::from_writer(Vec::new());
        let header = COLUMNS.into_iter().chain(self.others.iter().map(String::as_str));
        csv.write_record(header).map_err(|error| failed(error.into()))?;
        for (page, url, labels) in pages.chain(left) {
            for FileLabel { label, others } in labels {
                let (block, hash) = (label.block.to_string(), format!("{:016x}", label.hash));
                let ours = [page, &block, label.label.name(), &hash, url.unwrap_or_default()];
                // A label that is new has nothing in the columns of others.
                let others = (0..self.others.len()).map(|at| others.get(at).map_or("", String::as_str));
                csv.write_record(ours.into_iter().chain(others)).map_err(|error| failed(error.into()))?;
            }
        }
        csv.into_inner().map_err(|error| failed(error.into_error()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_of_others_stay_with_their_rows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.csv");
        let hash = "00000000000000ff";
        let text = format!(
            "who,page,block,label,text_hash,note\nRana,a.html,3,body,{hash},\"long, and\nodd\"\nOmar,b,0,nav,{hash},x\n"
        );
        fs::write(&path, text).unwrap();
        let mut file = LabelFile::read(&path).unwrap();
        let (url, mut labels) = file.take("a.html");
        assert_eq!((url, labels.len()), (None, 1));
        labels.push(FileLabel { label: BlockLabel::new(4, crate::Label::Nav, "new"), others: Vec::new() });
        let csv = file.to_csv([("a.html", Some("https://a.example/"), labels.as_slice())].into_iter()).unwrap();
        file.write(&csv).unwrap();
        let mut again = LabelFile::read(&path).unwrap();
        let (_, labels) = again.take("a.html");
        let others: Vec<&[String]> = labels.iter().map(|label| label.others.as_slice()).collect();
        assert_eq!(others, [["Rana", "long, and\nodd"], ["", ""]]);
        assert_eq!(again.take("b.html").1[0].others, ["Omar", "x"]);
    }

    #[test]
    fn a_file_of_no_labels_has_its_header() {
        let folder = tempfile::tempdir().unwrap();
        let file = LabelFile::read(&folder.path().join("labels.csv")).unwrap();
        assert_eq!(file.to_csv(std::iter::empty()).unwrap(), b"page,block,label,text_hash,url\n");
    }
}
