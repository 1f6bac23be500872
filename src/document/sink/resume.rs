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
    // As it is written: beside the file that a link names.
    let path = &*path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let start = format!("{}{PARTIAL}", name(path));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries =
        fs::read_dir(folder).map_err(|source| SinkError::Create { path: path.display().to_string(), source })?;
    let mut all: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    all.retain(|other| name(other).strip_prefix(&start).is_some_and(|id| id.parse::<u32>().is_ok()));
    if all.len() > 1 {
        return Err(SinkError::Several(path.display().to_string()));
    }
    let Some(partial) = all.pop() else { return Ok(None) };
    if !name(&partial).ends_with(&std::process::id().to_string()) {
        return Ok(Some(partial));
    }
    // In a container the next run often has the same number, and its own output would take the place of this one.
    let aside = partial.with_file_name(format!("{start}0"));
    let renamed = fs::rename(&partial, &aside);
    renamed.map_err(|source| SinkError::Create { path: aside.display().to_string(), source })?;
    Ok(Some(aside))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_the_same_number_is_put_aside_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out.jsonl");
        assert_eq!(interrupted(&out).unwrap(), None);
        let own = folder.path().join(format!("out.jsonl{PARTIAL}{}", std::process::id()));
        std::fs::write(&own, "{\"id\":\"a\",\"text\":\"\",\"score\":0.5}\n{\"id\":").unwrap();
        std::fs::write(folder.path().join("out.jsonl.partial-x"), "").unwrap();
        let aside = interrupted(&out).unwrap().unwrap();
        assert_eq!((aside.file_name().unwrap().to_str(), own.exists()), (Some("out.jsonl.partial-0"), false));
        assert_eq!(rows(&aside).unwrap().map(|row| row.id).collect::<Vec<_>>(), ["a"]);
    }
}
