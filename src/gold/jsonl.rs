//! `gold.jsonl`: a page and its reference text a line.

use std::path::Path;

use serde::Deserialize;

use super::{Collector, GoldError, GoldPage, GoldSet, Reference, Source, html_names, read_bytes};
use crate::page::Input;

#[derive(Deserialize)]
struct Record {
    id: Option<String>,
    url: Option<String>,
    group: Option<String>,
    lang: Option<String>,
    title: Option<String>,
    author: Option<String>,
    date: Option<String>,
    text: String,
    #[serde(default)]
    with: Vec<String>,
    #[serde(default)]
    without: Vec<String>,
    html: Option<String>,
    path: Option<String>,
}

pub(super) fn read(path: &Path) -> Result<GoldSet, GoldError> {
    let dir = path.parent().unwrap_or(Path::new(""));
    // A file of another name is a set of its own beside others in the folder.
    let named = path.file_name().is_some_and(|name| name == "gold.jsonl");
    let mut set = Collector::new(path, &if named { dir.to_owned() } else { path.with_extension("") });
    let bytes = read_bytes(path)?;
    for (number, line) in (1..).zip(bytes.split(|b| *b == b'\n')) {
        if line.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice::<Record>(line) {
            Ok(record) => add(&mut set, path, dir, number, record),
            Err(e) => set.set.problems.push(GoldError::record(
                path,
                Some(number),
                format!("{e}; each line must be one JSON object with at least \"text\" and an \"id\" or a \"path\""),
            )),
        }
    }
    set.finish()
}

fn add(set: &mut Collector, path: &Path, dir: &Path, line: u64, record: Record) {
    let Some(id) = record.id.or_else(|| record.path.clone()).or_else(|| record.url.clone()) else {
        set.set.problems.push(GoldError::record(path, Some(line), "no id; give \"id\", \"path\" or \"url\""));
        return;
    };
    if !set.is_new(path, Some(line), &id) {
        return;
    }
    let is_text = |path: &str| path.trim_end_matches(".gz").ends_with(".txt");
    let input = if record.path.as_deref().is_some_and(is_text) { Input::Text } else { Input::Html };
    let source = match (record.html, record.path) {
        (Some(html), _) => Some(Source::Inline(html.into_bytes())),
        (None, Some(file)) => set.find(path, dir, &id, &[file]),
        (None, None) => set.find(path, dir, &id, &html_names(&id)),
    };
    let Some(source) = source else { return };
    let page = GoldPage {
        group: record.group,
        lang: record.lang,
        title: record.title,
        author: record.author,
        date: record.date,
        with: record.with,
        without: record.without,
        input,
        ..GoldPage::new(&set.set.name, &id, source, Reference::Text(record.text)).with_url(record.url)
    };
    set.set.pages.push(page);
}
