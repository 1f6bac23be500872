//! What interrupted runs left behind, to go on from.
//!
//! The settings that shape rows are in the partial file's name: so there is no second file that could be missing, stale
//! or of another run, and a row has no place for them. They are one number, since they are only compared. That its run
//! is over is told by a lock, which ends with a run however that ends, and holds from one container to the other, where
//! a process's number says nothing.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, Seek};
use std::path::{Path, PathBuf};

use super::SinkError;
use super::staged::{PARTIAL, Partial};
use crate::corpus;
use crate::document::Document;

/// The unfinished outputs of runs that were to write to one path with the same settings. As long as it lives no other
/// run takes them.
#[derive(Debug)]
pub struct Interrupted {
    /// The one with the most rows is the last.
    runs: Vec<Run>,
}

/// The unfinished output of a run.
#[derive(Debug)]
struct Run {
    path: PathBuf,
    /// Locked.
    file: File,
    rows: usize,
    last: Option<String>,
}

/// What was left of runs that were to write to a path and were interrupted; nothing if there is none.
///
/// # Errors
/// One of them is still at work, or all had other settings.
pub fn interrupted(path: &Path, settings: u64) -> Result<Option<Interrupted>, SinkError> {
    // As it is written: beside the file that a link names.
    let path = &*path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let (mut runs, mut other) = (Vec::new(), None);
    for (partial, name) in partials(path)? {
        let file = locked(&partial)?;
        if name.settings == Some(settings) {
            runs.push(Run::read(put_aside(partial, path, name)?, file)?);
        } else {
            other = Some(partial);
        }
    }
    // A run that goes on from another has the same rows and may have been interrupted before it had all of these.
    runs.sort_by_key(|run| run.rows);
    match (runs.is_empty(), other) {
        (false, _) => Ok(Some(Interrupted { runs })),
        (true, None) => Ok(None),
        (true, Some(other)) => Err(SinkError::OtherSettings(other.display().to_string())),
    }
}

/// Removes what interrupted runs with the same settings left of an output that is whole now: nobody needs to go on from
/// it, and who did would write an older result over the new one. Runs with other settings were to have other rows.
pub(super) fn remove_stale(path: &Path, settings: Option<u64>) -> Result<(), SinkError> {
    // A folder that may be written to and not be listed keeps them.
    for (partial, name) in partials(path).unwrap_or_default() {
        if name.settings != settings {
            continue;
        }
        // What a run is writing is locked, and so is what this one goes on from. Where there are no locks, nobody knows.
        let Ok(file) = OpenOptions::new().read(true).write(true).open(&partial) else { continue };
        if file.try_lock().is_ok() {
            remove(&partial)?;
        }
    }
    Ok(())
}

fn remove(partial: &Path) -> Result<(), SinkError> {
    let path = partial.display().to_string();
    fs::remove_file(partial).map_err(|source| SinkError::Remove { path, source })
}

/// The partial files of an output, in the order of their names.
fn partials(path: &Path) -> Result<Vec<(PathBuf, Partial)>, SinkError> {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let start = format!("{}{PARTIAL}", name(path));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = fs::read_dir(folder).map_err(failed(path))?;
    let paths = entries.flatten().map(|entry| entry.path());
    let mut all: Vec<_> =
        paths.filter_map(|other| Some((Partial::parse(name(&other).strip_prefix(&start)?)?, other))).collect();
    all.sort_by(|(_, one), (_, other)| one.cmp(other));
    Ok(all.into_iter().map(|(name, path)| (path, name)).collect())
}

fn failed(path: &Path) -> impl Fn(io::Error) -> SinkError {
    move |source| SinkError::Create { path: path.display().to_string(), source }
}

/// Opens a partial file that no run is writing.
fn locked(partial: &Path) -> Result<File, SinkError> {
    // Some file systems lock only what is open for writing.
    let file = OpenOptions::new().read(true).write(true).open(partial).map_err(failed(partial))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(SinkError::Busy(partial.display().to_string())),
        // A file system without locks does without.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}

/// In a container the next run often has the same number, and its own output would take the place of this one.
fn put_aside(partial: PathBuf, path: &Path, name: Partial) -> Result<PathBuf, SinkError> {
    if name.process != std::process::id() {
        return Ok(partial);
    }
    let numbers = (0..u32::MAX).filter(|number| *number != name.process);
    let mut names = numbers.map(|process| Partial { process, ..name }.of(path));
    let aside = names.find(|aside| !aside.exists()).unwrap_or_else(|| partial.clone());
    fs::rename(&partial, &aside).map_err(failed(&aside))?;
    Ok(aside)
}

impl Run {
    fn read(path: PathBuf, file: File) -> Result<Run, SinkError> {
        let mut run = Run { path, file, rows: 0, last: None };
        let (mut rows, mut last) = (0, None);
        for document in run.documents()? {
            (rows, last) = (rows + 1, Some(document.id));
        }
        (run.rows, run.last) = (rows, last);
        Ok(run)
    }

    /// The whole rows. What follows the last whole one, cut off in mid-row or in mid-compression, is left.
    fn documents(&self) -> Result<impl Iterator<Item = Document> + '_, SinkError> {
        let mut file = &self.file;
        file.rewind().map_err(failed(&self.path))?;
        let mut reader = corpus::decompressed(file).map_err(failed(&self.path))?;
        let mut line = Vec::new();
        Ok(std::iter::from_fn(move || {
            line.clear();
            let is_whole = reader.read_until(b'\n', &mut line).is_ok() && line.ends_with(b"\n");
            serde_json::from_slice(&line).ok().filter(|_| is_whole)
        }))
    }
}

impl Interrupted {
    fn longest(&self) -> Option<&Run> {
        self.runs.last()
    }

    /// The file with the most rows, from which to go on.
    pub fn path(&self) -> &Path {
        self.longest().map_or(Path::new(""), |run| &run.path)
    }

    /// How many whole rows it has.
    pub fn rows(&self) -> usize {
        self.longest().map_or(0, |run| run.rows)
    }

    /// The id of its last row.
    pub fn last(&self) -> Option<&str> {
        self.longest()?.last.as_deref()
    }

    /// Its whole rows.
    ///
    /// # Errors
    /// It cannot be read any more.
    pub fn documents(&self) -> Result<impl Iterator<Item = Document> + '_, SinkError> {
        Ok(self.longest().map(Run::documents).transpose()?.into_iter().flatten())
    }

    /// Removes the files of all these runs, once all that they hold is in the whole output.
    ///
    /// # Errors
    /// One cannot be removed.
    pub fn remove(self) -> Result<(), SinkError> {
        self.runs.iter().try_for_each(|run| remove(&run.path))
    }

    /// Removes the files of all but the longest run, which has their rows too: or each interruption of a run that went on
    /// would leave one more copy.
    ///
    /// # Errors
    /// One cannot be removed.
    pub fn remove_shorter(&mut self) -> Result<(), SinkError> {
        let shorter = self.runs.len().saturating_sub(1);
        self.runs.drain(..shorter).try_for_each(|run| remove(&run.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &str =
        "{\"id\":\"a\",\"text\":\"\",\"score\":0.5}\n{\"id\":\"b\",\"text\":\"\",\"score\":0.5}\n{\"id\":";

    fn ids(interrupted: &Interrupted) -> Vec<String> {
        interrupted.documents().unwrap().map(|row| row.id).collect()
    }

    #[test]
    fn runs_of_the_same_number_are_put_aside_and_the_longest_is_gone_on_from() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out.jsonl");
        let of = |process| Partial { process, settings: Some(7) }.of(&out);
        assert!(interrupted(&out, 7).unwrap().is_none());
        let own = of(std::process::id());
        fs::write(&own, ROWS).unwrap();
        fs::write(of(0), ROWS.split_inclusive('\n').next().unwrap()).unwrap();
        fs::write(folder.path().join("out.jsonl.partial-x"), "").unwrap();
        let left = interrupted(&out, 7).unwrap().unwrap();
        assert_eq!((left.path(), own.exists()), (&*of(1), false));
        assert_eq!((left.rows(), left.last(), ids(&left)), (2, Some("b"), vec!["a".into(), "b".into()]));
        assert_eq!(ids(&left), ["a", "b"], "it can be read again");
        left.remove().unwrap();
        assert_eq!(folder.path().read_dir().unwrap().count(), 1, "what is no run's is left");
    }

    #[test]
    fn a_whole_output_needs_no_older_parts() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out.jsonl");
        let of = |process, settings| Partial { process, settings }.of(&out);
        for (process, settings) in [(1, Some(7)), (2, Some(7)), (3, Some(8)), (4, None), (5, Some(7))] {
            fs::write(of(process, settings), ROWS).unwrap();
        }
        let at_work = locked(&of(5, Some(7))).unwrap();
        super::super::open_resumable(&out, 7).unwrap().finish().unwrap();
        let left: Vec<bool> = [(1, Some(7)), (2, Some(7)), (3, Some(8)), (4, None), (5, Some(7))]
            .map(|(process, settings)| of(process, settings).exists())
            .to_vec();
        assert_eq!(left, [false, false, true, true, true], "other settings and a run at work are another matter");
        drop(at_work);
        fs::write(of(6, Some(7)), "").unwrap();
        let mut left = interrupted(&out, 7).unwrap().unwrap();
        left.remove_shorter().unwrap();
        assert_eq!((left.rows(), of(5, Some(7)).exists(), of(6, Some(7)).exists()), (2, true, false));
    }

    #[test]
    fn runs_of_other_settings_and_runs_at_work_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out.jsonl");
        let of = |settings| Partial { process: 1, settings }.of(&out);
        fs::write(of(Some(8)), ROWS).unwrap();
        assert!(matches!(interrupted(&out, 7), Err(SinkError::OtherSettings(_))));
        // Beside a run with the same settings they are another matter.
        fs::write(of(Some(7)), ROWS).unwrap();
        let left = interrupted(&out, 7).unwrap().unwrap();
        assert_eq!(left.path(), of(Some(7)));
        assert!(matches!(interrupted(&out, 7), Err(SinkError::Busy(_))));
        left.remove().unwrap();
        assert!(of(Some(8)).exists());
        fs::rename(of(Some(8)), of(None)).unwrap();
        assert!(matches!(interrupted(&out, 7), Err(SinkError::OtherSettings(_))));
    }
}
