//! Typed gold: `labels.csv`, a block of a page and its label a row.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::{Collector, GoldError, GoldPage, GoldSet, Reference};
use crate::label::Label;
use crate::page::{Input, Page};

/// The label of one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockLabel {
    /// The block's place on the page, from 0, as it was when it was labelled.
    pub block: u32,
    /// Its label.
    pub label: Label,
    /// The XXH3 (64 bits) of its text, by which it is found again when pages are cut otherwise.
    pub hash: u64,
}

impl BlockLabel {
    /// The label of the page's block at `block` with the text `text`.
    pub fn new(block: u32, label: Label, text: &str) -> BlockLabel {
        BlockLabel { block, label, hash: xxh3_64(text.as_bytes()) }
    }
}

/// A page's labels, put on its blocks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// A label for each of the page's blocks, where there is one.
    pub labels: Vec<Option<Label>>,
    /// Labels whose block has another place now.
    pub moved: usize,
    /// Labels that no block of the page fits.
    pub unmatched: usize,
}

/// A row of the file as it is written.
#[derive(Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) page: String,
    pub(crate) block: u32,
    pub(crate) label: String,
    pub(crate) text_hash: String,
    #[serde(default)]
    pub(crate) url: Option<String>,
}

/// Reads `labels.csv`: the columns `page,block,label,text_hash` and optionally `url`.
///
/// `page` is a file's path from `pages_root`, or from the CSV file's folder if that is `None`; or a name there for
/// `html/NAME.html[.gz]` or `NAME.html[.gz]`, where a NAME that ends in `.html` or `.htm` gets no second ending. `block`
/// counts from 0; `text_hash` is the [XXH3] of the block's text in 16 hexadecimal digits. A page whose file ends in `.txt` is flattened text.
///
/// Rows that cannot be used are left out and listed in [`GoldSet::problems`].
///
/// [XXH3]: https://github.com/Cyan4973/xxHash
///
/// # Errors
/// If the file cannot be read, lacks a column, or no row can be used.
pub fn read_labels_csv(path: impl AsRef<Path>, pages_root: Option<&Path>) -> Result<GoldSet, GoldError> {
    let path = path.as_ref();
    let dir = path.parent().unwrap_or(Path::new(""));
    let named = path.file_name().is_some_and(|name| name == "labels.csv");
    let mut set = Collector::new(path, &if named { dir.to_owned() } else { path.with_extension("") });
    let bytes = super::read_bytes(path)?;
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter(&bytes)).from_reader(&bytes[..]);
    let header = reader.headers().map_err(|e| GoldError::record(path, Some(1), e))?;
    if let Some(missing) = ["page", "block", "label", "text_hash"].iter().find(|c| !header.iter().any(|h| h == **c)) {
        let message = format!("no column '{missing}'; the columns are page,block,label,text_hash and optionally url");
        return Err(GoldError::record(path, Some(1), message));
    }
    let header = header.clone();
    let fault = |error: csv::Error| super::row_fault(&error, &header);
    // A page's rows need not be together; pages keep the order in which they begin.
    let mut pages: HashMap<String, Option<usize>> = HashMap::new();
    for row in reader.records() {
        let parsed = row.map_err(|e| (e.position().map(csv::Position::byte), fault(e))).and_then(|record| {
            let place = record.position().map(csv::Position::byte);
            record.deserialize::<Row>(Some(&header)).map(|row| (place, row)).map_err(|e| (place, fault(e)))
        });
        // Found out for what is told only.
        let line = |place: Option<u64>| place.map(|place| super::line_at(&bytes, place));
        let (place, row) = match parsed {
            Ok(parsed) => parsed,
            Err((place, message)) => {
                set.set.problems.push(GoldError::record(path, line(place), message));
                continue;
            }
        };
        let label = match label(path, || line(place), &row) {
            Ok(label) => label,
            Err(error) => {
                set.set.problems.push(error);
                continue;
            }
        };
        let at = match pages.get(&row.page) {
            Some(at) => *at,
            None => {
                let at = page(&mut set, path, pages_root.unwrap_or(dir), &row);
                pages.insert(row.page, at);
                at
            }
        };
        let Some(page) = at.and_then(|at| set.set.pages.get_mut(at)) else { continue };
        if let Reference::Blocks(labels) = &mut page.reference {
            if labels.iter().any(|l| l.block == label.block) {
                let message = format!("block {} of '{}' has a label already; the first one counts", row.block, page.id);
                set.set.problems.push(GoldError::record(path, line(place), message));
            } else {
                labels.push(label);
            }
        }
    }
    set.finish()
}

/// What stands between the columns: tables are saved with semicolons where a comma is for decimals, and with tabs.
fn delimiter(bytes: &[u8]) -> u8 {
    let header = bytes.split(|b| matches!(b, b'\r' | b'\n')).next().unwrap_or_default();
    *header.iter().find(|b| b",;\t".contains(b)).unwrap_or(&b',')
}

fn label(path: &Path, line: impl Fn() -> Option<u64>, row: &Row) -> Result<BlockLabel, GoldError> {
    let hash = Some(row.text_hash.trim()).filter(|h| h.len() == 16).and_then(|h| u64::from_str_radix(h, 16).ok());
    let hash = hash.ok_or_else(|| {
        let message = format!("text_hash '{}' is not 16 hexadecimal digits; export the labels again", row.text_hash);
        GoldError::record(path, line(), message)
    })?;
    let label = row.label.parse().map_err(|source| GoldError::Label {
        path: path.to_owned(),
        line: line().unwrap_or_default(),
        source,
    })?;
    Ok(BlockLabel { block: row.block, label, hash })
}

/// Adds the page that a row names; its place in the set, or nothing if it has no file.
fn page(set: &mut Collector, path: &Path, root: &Path, row: &Row) -> Option<usize> {
    let id = &row.page;
    let [html, gz] = super::html_names(id);
    let names = match id.ends_with(".html") || id.ends_with(".htm") {
        true => vec![id.clone(), format!("{id}.gz"), format!("html/{id}"), format!("html/{id}.gz")],
        false => vec![id.clone(), html, gz, format!("{id}.html"), format!("{id}.html.gz")],
    };
    let source = set.find(path, root, id, &names)?;
    let input = match &source {
        super::Source::File(file) if file.to_string_lossy().trim_end_matches(".gz").ends_with(".txt") => Input::Text,
        _ => Input::Html,
    };
    let page = GoldPage::new(&set.set.name, id, source, Reference::Blocks(Vec::new())).with_url(row.url.clone());
    set.set.pages.push(GoldPage { input, ..page });
    Some(set.set.pages.len() - 1)
}

/// Writes labels in the form that [`read_labels_csv`] reads: for each page its name, its address if known, and the
/// labels of its blocks.
///
/// # Errors
/// If writing fails.
pub fn write_labels_csv<'a>(
    out: impl Write,
    pages: impl IntoIterator<Item = (&'a str, Option<&'a str>, &'a [BlockLabel])>,
) -> csv::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    for (page, url, labels) in pages {
        for label in labels {
            writer.serialize(Row {
                page: page.to_owned(),
                block: label.block,
                label: label.label.name().to_owned(),
                text_hash: format!("{:016x}", label.hash),
                url: url.map(str::to_owned),
            })?;
        }
    }
    Ok(writer.flush()?)
}

/// Puts labels on a page's blocks.
///
/// A label whose hash is not that of the block at its place goes to the nearest block with that hash that has no
/// label yet, since a newer version may cut pages otherwise.
pub fn resolve(page: &Page, labels: &[BlockLabel]) -> Resolved {
    resolve_texts(page.texts(), labels).0
}

/// The same where only the texts of the blocks are at hand; also for each label the block that it went to, if any.
pub fn resolve_texts<'a>(
    texts: impl Iterator<Item = &'a str>,
    labels: &[BlockLabel],
) -> (Resolved, Vec<Option<usize>>) {
    let hashes: Vec<u64> = texts.map(|text| xxh3_64(text.as_bytes())).collect();
    let mut resolved = Resolved { labels: vec![None; hashes.len()], ..Resolved::default() };
    let mut blocks = vec![None; labels.len()];
    for (block, label) in blocks.iter_mut().zip(labels) {
        let at = label.block as usize;
        if hashes.get(at) == Some(&label.hash) {
            resolved.labels[at] = Some(label.label);
            *block = Some(at);
        }
    }
    let mut places: HashMap<u64, Vec<usize>> = HashMap::new();
    for (at, hash) in hashes.iter().enumerate() {
        places.entry(*hash).or_default().push(at);
    }
    for (block, label) in blocks.iter_mut().zip(labels).filter(|(block, _)| block.is_none()) {
        let free = places.get(&label.hash).into_iter().flatten().filter(|at| resolved.labels[**at].is_none());
        match free.min_by_key(|at| at.abs_diff(label.block as usize)) {
            Some(at) => {
                resolved.labels[*at] = Some(label.label);
                resolved.moved += 1;
                *block = Some(*at);
            }
            None => resolved.unmatched += 1,
        }
    }
    (resolved, blocks)
}

/// The labels of a page's blocks, where its reference is typed; lines are found by their numbers.
pub fn block_labels(page: &Page, reference: &Reference) -> Option<Resolved> {
    match reference {
        Reference::Text(_) => None,
        Reference::Blocks(labels) => Some(resolve(page, labels)),
        Reference::Lines(lines) => {
            let by_line: HashMap<u32, Label> = lines.iter().copied().collect();
            let labels: Vec<_> = page.lines.iter().map(|line| by_line.get(&line.number).copied()).collect();
            let unmatched = lines.len() - labels.iter().flatten().count();
            Some(Resolved { labels, moved: 0, unmatched })
        }
    }
}
