//! What an interrupted run left behind, to go on from.

use std::fs::{self, File};
use std::io::BufRead;
use std::path::{Path, PathBuf};

use super::SinkError;
use super::staged::PARTIAL;
use crate::corpus;
use crate::document::Document;

/// The unfinished output of a run that was to write to a path and was interrupted; nothing if there is none.
///
/// # Errors
/// [`SinkError::Several`] if there are more.
pub fn interrupted(path: &Path) -> Result<Option<PathBuf>, SinkError> {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let start = format!("{}{PARTIAL}", name(path));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries =
        fs::read_dir(folder).map_err(|source| SinkError::Create { path: path.display().to_string(), source })?;
    let mut all: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    all.retain(|other| name(other).strip_prefix(&start).is_some_and(|id| id.parse::<u32>().is_ok()));
    match all.len() {
        0 | 1 => Ok(all.pop()),
        _ => Err(SinkError::Several(path.display().to_string())),
    }
}

/// The whole rows of an unfinished JSONL file, plain or compressed. What follows the last whole one, cut off in mid-row or
/// in mid-compression, is left.
///
/// # Errors
/// If the file cannot be opened.
pub fn rows(partial: &Path) -> Result<impl Iterator<Item = Document>, SinkError> {
    let failed = |source| SinkError::Create { path: partial.display().to_string(), source };
    let mut reader = corpus::decompressed(File::open(partial).map_err(failed)?).map_err(failed)?;
    let mut line = Vec::new();
    Ok(std::iter::from_fn(move || {
        line.clear();
        let is_whole = reader.read_until(b'\n', &mut line).is_ok() && line.ends_with(b"\n");
        serde_json::from_slice(&line).ok().filter(|_| is_whole)
    }))
}
