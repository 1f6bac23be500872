//! Files that are whole or not there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Writes a file beside its place and gives it its name at the end: readers see the old content or the new, never half
/// of it. Of a link it is the file that is replaced, not the link; what goes to a device or a pipe is written there at
/// once.
///
/// # Errors
/// Those of `write`, and what the operating system says. Nothing is left behind then.
pub fn write<T, E: From<io::Error>>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<T, E>,
) -> Result<T, E> {
    let path = &*path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) {
        let mut file = BufWriter::new(OpenOptions::new().write(true).open(path)?);
        let result = write(&mut file)?;
        file.flush()?;
        return Ok(result);
    }
    let mut partial = path.as_os_str().to_owned();
    partial.push(format!(".partial-{}", std::process::id()));
    let written = File::create(&partial).map_err(E::from).and_then(|file| {
        let mut file = BufWriter::new(file);
        let result = write(&mut file)?;
        file.into_inner().map_err(|error| error.into_error())?.sync_all()?;
        fs::rename(&partial, path)?;
        Ok(result)
    });
    if written.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&partial);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_keeps_its_content_until_the_new_one_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let all = || fs::read_dir(&folder).unwrap().count();
        write(&path, |file| file.write_all(b"old")).unwrap();
        let failed: io::Result<()> = write(&path, |file| {
            file.write_all(b"new")?;
            Err(io::ErrorKind::Other.into())
        });
        assert!(failed.is_err());
        assert_eq!((fs::read(&path).unwrap(), all()), (b"old".to_vec(), 1));
        assert_eq!(write(&path, |file| file.write_all(b"new").map(|()| 7)).unwrap(), 7);
        assert_eq!((fs::read(&path).unwrap(), all()), (b"new".to_vec(), 1));
    }

    #[cfg(unix)]
    #[test]
    fn links_and_pipes_stay_what_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a"), folder.path().join("link"));
        fs::write(&file, b"old").unwrap();
        std::os::unix::fs::symlink("a", &link).unwrap();
        write(&link, |file| file.write_all(b"new")).unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"new");
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let read = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read(pipe).unwrap()
        });
        write(&pipe, |file| file.write_all(b"new")).unwrap();
        assert!(!fs::metadata(&pipe).unwrap().is_file());
        assert_eq!(read.join().unwrap(), b"new");
    }
}
