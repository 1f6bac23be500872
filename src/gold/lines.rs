//! Flattened pages with a label a line: `ID.txt` and `ID.lines.tsv`.

use std::path::Path;

use super::{Collector, GoldError, GoldPage, GoldSet, Reference, read_bytes};
use crate::label::Label;
use crate::page::Input;

/// The end of the label files' names.
const SUFFIX: &str = ".lines.tsv";

/// `None` if the folder has no such files.
pub(super) fn read(dir: &Path) -> Result<Option<GoldSet>, GoldError> {
    let mut ids = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(|e| GoldError::io(dir, e))? {
        let name = entry.map_err(|e| GoldError::io(dir, e))?.file_name();
        if let Some(id) = name.to_string_lossy().strip_suffix(SUFFIX) {
            ids.push(id.to_owned());
        }
    }
    if ids.is_empty() {
        return Ok(None);
    }
    ids.sort();
    let mut set = Collector::new(dir, dir);
    for id in ids {
        let path = dir.join(format!("{id}{SUFFIX}"));
        let Some(source) = set.find(&path, dir, &id, &[format!("{id}.txt"), format!("{id}.txt.gz")]) else { continue };
        match labels(&path) {
            Ok(labels) => {
                let page = GoldPage::new(&set.set.name, &id, source, Reference::Lines(labels));
                set.set.pages.push(GoldPage { input: Input::Text, ..page });
            }
            Err(error) => set.set.problems.push(error),
        }
    }
    set.finish().map(Some)
}

fn labels(path: &Path) -> Result<Vec<(u32, Label)>, GoldError> {
    let bytes = read_bytes(path)?;
    let mut reader = csv::ReaderBuilder::new().delimiter(b'\t').quoting(false).from_reader(&bytes[..]);
    let mut labels: Vec<(u32, Label)> = Vec::new();
    let header = csv::StringRecord::from(vec!["line", "label"]);
    let mut rows = reader.deserialize::<(u32, String)>();
    loop {
        let from = rows.reader().position().byte();
        let Some(row) = rows.next() else { break };
        let at = super::line_at(&bytes, from);
        let (number, label) = row.map_err(|e| {
            GoldError::record(
                path,
                Some(at),
                format!("{}; expected a line number, a tab and a label", super::row_fault(&e, &header)),
            )
        })?;
        if labels.last().is_some_and(|(last, _)| *last >= number) {
            return Err(GoldError::record(path, Some(at), format!("line {number} is out of order; sort the file")));
        }
        let label = label.parse().map_err(|source| GoldError::Label { path: path.to_owned(), line: at, source })?;
        labels.push((number, label));
    }
    Ok(labels)
}
