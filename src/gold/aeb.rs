//! The layout of the article-extraction-benchmark: `html/ID.html[.gz]` and one `ground-truth.json`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::{Collector, GoldError, GoldPage, GoldSet, Reference, html_names, read_bytes};

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "articleBody", default)]
    body: String,
    url: Option<String>,
}

pub(super) fn read(dir: &Path) -> Result<GoldSet, GoldError> {
    let path = dir.join("ground-truth.json");
    let records: BTreeMap<String, Record> =
        serde_json::from_slice(&read_bytes(&path)?).map_err(|e| GoldError::record(&path, Some(e.line() as u64), e))?;
    let mut set = Collector::new(&path, dir);
    for (id, record) in records {
        if let Some(source) = set.find(&path, dir, &id, &html_names(&id)) {
            let page = GoldPage::new(&set.set.name, &id, source, Reference::Text(record.body));
            set.set.pages.push(page.with_url(record.url));
        }
    }
    set.finish()
}
