//! Files that get their name when they are whole.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{SinkError, resume};

/// Where a stream of documents goes.
pub(super) enum Out {
    Stdout(io::Stdout),
    File(Box<Staged>),
}

impl Out {
    pub(super) fn name(&self) -> String {
        match self {
            Out::Stdout(_) => "standard output".to_owned(),
            Out::File(file) => file.partial.display().to_string(),
        }
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Out::Stdout(out) => out.write(bytes),
            Out::File(file) => file.encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Out::Stdout(out) => out.flush(),
            Out::File(file) => file.encoder.flush(),
        }
    }
}

/// A file that gets its name when it is whole, compressed as its ending says.
pub(super) struct Staged {
    path: PathBuf,
    /// Where it is written: beside `path`, or `path` itself if that is a device or a pipe.
    partial: PathBuf,
    settings: Option<u64>,
    encoder: Encoder,
}

enum Encoder {
    Plain(File),
    Gzip(flate2::write::GzEncoder<File>),
    Zstd(zstd::Encoder<'static, File>),
}

impl Write for Encoder {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Encoder::Plain(file) => file.write(bytes),
            Encoder::Gzip(encoder) => encoder.write(bytes),
            Encoder::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Encoder::Plain(file) => file.flush(),
            // Flushing would end a compressed block; `finish` writes what is left.
            Encoder::Gzip(_) | Encoder::Zstd(_) => Ok(()),
        }
    }
}

impl Staged {
    /// Makes the file under its partial name, which carries `settings`, and locks it.
    pub(super) fn new(path: &Path, settings: Option<u64>) -> Result<Staged, SinkError> {
        let failed = |source| SinkError::Create { path: path.display().to_string(), source };
        // The file that a link names is replaced, not the link.
        let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let special = fs::metadata(&target).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir());
        if target.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        let partial = if special { target.clone() } else { Partial::own(settings).of(&target) };
        let file = OpenOptions::new().write(true).create(!special).truncate(false).open(&partial).map_err(failed)?;
        if !special {
            // In another container a process of the same number may be at work on it.
            if let Err(TryLockError::WouldBlock) = file.try_lock() {
                return Err(SinkError::Busy(partial.display().to_string()));
            }
            file.set_len(0).map_err(failed)?;
        }
        let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
        let encoder = match ending.as_str() {
            "gz" => Encoder::Gzip(flate2::write::GzEncoder::new(file, flate2::Compression::default())),
            "zst" => Encoder::Zstd(zstd::Encoder::new(file, 0).map_err(failed)?),
            _ => Encoder::Plain(file),
        };
        Ok(Staged { path: target, partial, settings, encoder })
    }

    pub(super) fn finish(self) -> Result<(), SinkError> {
        let Staged { path, partial, settings, encoder } = self;
        let file = match encoder {
            Encoder::Plain(file) => Ok(file),
            Encoder::Gzip(encoder) => encoder.finish(),
            Encoder::Zstd(encoder) => encoder.finish(),
        };
        // A name must not outlive a crash of the machine longer than the data it stands for.
        let synced = file.and_then(|file| if partial == path { Ok(()) } else { file.sync_all() });
        synced.map_err(|source| SinkError::Write { path: partial.display().to_string(), source })?;
        if partial == path {
            return Ok(());
        }
        rename(&partial, &path)?;
        resume::remove_stale(&path, settings)
    }
}

/// What follows the name of an output that is not whole.
pub(super) const PARTIAL: &str = ".partial-";

/// The name of an output that is not whole, behind [`PARTIAL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Partial {
    /// The number of the process.
    pub(super) process: u32,
    /// What shapes its rows, where it can be gone on from.
    pub(super) settings: Option<u64>,
}

impl Partial {
    /// That of this process.
    pub(super) fn own(settings: Option<u64>) -> Partial {
        Partial { process: std::process::id(), settings }
    }

    pub(super) fn parse(name: &str) -> Option<Partial> {
        let (process, settings) = name.split_once('-').map_or((name, None), |(process, rest)| (process, Some(rest)));
        let settings = settings.map(|settings| u64::from_str_radix(settings, 16)).transpose().ok()?;
        Some(Partial { process: process.parse().ok()?, settings })
    }

    /// Where an output is written before it has its name.
    pub(super) fn of(self, path: &Path) -> PathBuf {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!("{PARTIAL}{}", self.process));
        if let Some(settings) = self.settings {
            name.push(format!("-{settings:016x}"));
        }
        path.with_file_name(name)
    }
}

/// Gives a finished output its name.
pub(super) fn rename(partial: &Path, path: &Path) -> Result<(), SinkError> {
    let name = |path: &Path| path.display().to_string();
    fs::rename(partial, path).map_err(|source| SinkError::Rename { path: name(path), partial: name(partial), source })
}
