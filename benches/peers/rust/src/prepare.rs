//! Pages of a folder, decoded, as JSON lines: what every tool gets.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use lubb::gold::{self, GoldError};
use lubb::page::{Input, decode};

use super::{Page, Result};

/// Labelled pages of any layout, else the `.html` and `.html.gz` of the folder or of `html/` in it. Every tool gets
/// text, so that none is measured at guessing charsets.
pub fn prepare(folder: &Path, out: &Path, every: usize) -> Result<()> {
    let mut writer = BufWriter::new(File::create(out).map_err(|error| format!("{}: {error}", out.display()))?);
    let (mut count, mut bytes) = (0, 0);
    let mut add = |id: &str, url: Option<String>, raw: &[u8]| -> Result<()> {
        let html = decode::decode(raw, None).0;
        count += 1;
        bytes += html.len();
        serde_json::to_writer(&mut writer, &Page { id: id.to_owned(), url, html: html.into_owned() })?;
        Ok(writer.write_all(b"\n")?)
    };
    let labelled = match gold::read(folder) {
        Ok(set) => {
            set.problems.iter().for_each(|problem| eprintln!("left out: {problem}"));
            for page in set.pages.iter().filter(|page| page.input == Input::Html).step_by(every) {
                add(&page.id, page.url.clone(), &page.load()?)?;
            }
            true
        }
        Err(GoldError::UnknownLayout(_)) => {
            for file in files(folder)?.iter().step_by(every) {
                let name = file.file_name().unwrap_or_default().to_string_lossy();
                let id = name.trim_end_matches(".gz").trim_end_matches(".html");
                add(id, None, &unpacked(file)?)?;
            }
            false
        }
        Err(error) => return Err(error.into()),
    };
    writer.flush()?;
    if count == 0 {
        return Err(format!("{}: no pages; name a folder with .html or .html.gz files", folder.display()).into());
    }
    println!("{}", serde_json::json!({ "pages": count, "bytes": bytes, "labelled": labelled }));
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let html = folder.join("html");
    let folder = if html.is_dir() { html } else { folder.to_owned() };
    let entries = folder.read_dir().map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.retain(|file| [".html", ".html.gz"].iter().any(|ending| file.to_string_lossy().ends_with(ending)));
    files.sort();
    Ok(files)
}

fn unpacked(file: &Path) -> Result<Vec<u8>> {
    let fault = |error: std::io::Error| format!("{}: {error}", file.display());
    let bytes = std::fs::read(file).map_err(fault)?;
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut unpacked).map_err(fault)?;
    Ok(unpacked)
}
