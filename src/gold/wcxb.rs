//! The layout of WCXB (web-content-extraction-benchmark): `html/ID.html[.gz]` and `ground-truth/ID.json`.

use std::path::Path;

use serde::Deserialize;

use super::{Collector, GoldError, GoldPage, GoldSet, Reference, html_names, read_bytes};
use crate::page::words::WordRule;

#[derive(Deserialize)]
struct Record {
    url: Option<String>,
    ground_truth: Option<Truth>,
    #[serde(rename = "_internal")]
    internal: Option<Internal>,
}

#[derive(Deserialize, Default)]
struct Truth {
    main_content: Option<String>,
    title: Option<String>,
    author: Option<String>,
    publish_date: Option<String>,
    with: Option<Vec<String>>,
    without: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Internal {
    page_type: Option<PageType>,
}

#[derive(Deserialize)]
struct PageType {
    primary: Option<String>,
}

pub(super) fn read(dir: &Path) -> Result<GoldSet, GoldError> {
    let truths = dir.join("ground-truth");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&truths).map_err(|e| GoldError::io(&truths, e))? {
        let path = entry.map_err(|e| GoldError::io(&truths, e))?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    files.sort();
    let mut set = Collector::new(&truths, dir);
    for path in files {
        match page(&mut set, dir, &path) {
            Ok(Some(page)) => set.set.pages.push(page),
            Ok(None) => {}
            Err(error) => set.set.problems.push(error),
        }
    }
    set.finish()
}

fn page(set: &mut Collector, dir: &Path, path: &Path) -> Result<Option<GoldPage>, GoldError> {
    let id = path.file_stem().unwrap_or_default().to_string_lossy();
    let record: Record =
        serde_json::from_slice(&read_bytes(path)?).map_err(|e| GoldError::record(path, Some(e.line() as u64), e))?;
    let Some(source) = set.find(path, dir, &id, &html_names(&id)) else { return Ok(None) };
    let truth = record.ground_truth.unwrap_or_default();
    let group = record.internal.and_then(|i| i.page_type).and_then(|t| t.primary);
    let reference = Reference::Text(truth.main_content.unwrap_or_default());
    Ok(Some(GoldPage {
        // The published results call the same pages collections.
        group: group.map(|g| if g == "category" { "collection".to_owned() } else { g }),
        title: truth.title,
        author: truth.author,
        date: truth.publish_date,
        with: truth.with.unwrap_or_default(),
        without: truth.without.unwrap_or_default(),
        words: WordRule::Plain,
        ..GoldPage::new(&set.set.name, &id, source, reference).with_url(record.url)
    }))
}
