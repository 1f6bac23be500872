//! What is evaluated: a model, or the texts that another tool made of the pages.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use lubb::Model;
use lubb::extractor::serves;
use lubb::gold::GoldPage;
use lubb::model::Reason;
use lubb::page::Page;
use lubb::report::{Outcome, Prediction};
use rayon::prelude::*;

/// Something that makes texts of pages.
pub enum System {
    /// A model, and its name.
    Model(String, Arc<Model>),
    /// Another tool's texts, and the file's name.
    Texts(String, Texts),
}

/// Predictions by the pages' names, whole and bare.
#[derive(Default)]
pub struct Texts {
    of: HashMap<String, Prediction>,
    /// The names of those that have neither a text nor an error.
    without: HashSet<String>,
}

impl Texts {
    /// The name under which a page's prediction is kept: a whole one is surer than a bare one, which the files of two
    /// folders may share.
    fn key<'a>(&self, id: &'a str) -> Option<&'a str> {
        [id, bare(id)].into_iter().find(|name| self.of.contains_key(*name))
    }

    fn add(&mut self, id: &str, prediction: Prediction, is_without: bool) {
        self.of.insert(id.to_owned(), prediction);
        if is_without {
            self.without.insert(id.to_owned());
        }
    }

    fn get(&self, id: &str) -> Option<&Prediction> {
        self.of.get(self.key(id)?)
    }

    fn is_without(&self, id: &str) -> bool {
        self.key(id).is_some_and(|name| self.without.contains(name))
    }
}

impl System {
    /// A model file, or predictions: JSON lines begin with a brace.
    pub fn read(path: &Path) -> Result<System> {
        let mut file = File::open(path).with_context(|| path.display().to_string())?;
        let mut start = Vec::new();
        file.by_ref().take(256).read_to_end(&mut start).with_context(|| path.display().to_string())?;
        match start.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{') => System::read_texts(path),
            _ => Ok(System::Model(name(path), Arc::new(Model::read(path)?))),
        }
    }

    /// Predictions: JSON lines with `id` and `text`, and `blocks` where they are lubb's own. Lines that are none are left
    /// out, and told on standard error.
    pub fn read_texts(path: &Path) -> Result<System> {
        let opened = File::open(path).with_context(|| path.display().to_string())?;
        let (mut whole, mut bares, mut broken) = (Texts::default(), Texts::default(), 0);
        for (at, line) in BufReader::new(opened).split(b'\n').enumerate() {
            let place = || format!("{}, line {}", path.display(), at + 1);
            let line = line.with_context(place)?;
            if line.trim_ascii().is_empty() {
                continue;
            }
            let row: Row = match serde_json::from_slice(&line) {
                Ok(row) => row,
                Err(error) => {
                    broken += 1;
                    super::say(&format!("left out: {}: {error}; wanted {{\"id\": ..., \"text\": ...}}", place()));
                    continue;
                }
            };
            let id = row.id.as_str().map_or_else(|| row.id.to_string(), str::to_owned);
            ensure!(!whole.of.contains_key(&id), "{}: the id '{id}' is there twice; leave one of them", place());
            let is_without = row.text.is_none() && row.error.is_none();
            let text = row.text.unwrap_or_default();
            let blocks = row.blocks.and_then(|blocks| serde_json::from_value(blocks).ok());
            let prediction = Prediction { text, blocks, ..Prediction::default() };
            if !bares.of.contains_key(bare(&id)) {
                bares.add(bare(&id), prediction.clone(), is_without);
            }
            whole.add(&id, prediction, is_without);
        }
        let file = path.display();
        ensure!(broken == 0 || !whole.of.is_empty(), "{file}: none of its {broken} lines can be read");
        let texts = whole.of.len() - whole.without.len();
        ensure!(texts > 0 || whole.of.is_empty(), "{file}: no record has a text; name the field text");
        for (id, prediction) in bares.of {
            if !whole.of.contains_key(&id) {
                whole.add(&id, prediction, bares.without.contains(&id));
            }
        }
        Ok(System::Texts(name(path), whole))
    }

    /// What reports call it.
    pub fn name(&self) -> &str {
        match self {
            System::Model(name, _) | System::Texts(name, _) => name,
        }
    }

    /// Checks that predictions are of these pages, and says how many are missing; of a model, how many it has learned from.
    pub fn check(&self, golds: &[GoldPage]) -> Result<()> {
        let (name, texts) = match self {
            System::Texts(name, texts) => (name, texts),
            System::Model(name, model) => {
                // A page that cannot be read is told when it is scored.
                let knows = |gold: &&GoldPage| gold.hash().is_ok_and(|hash| model.knows(hash));
                let (known, all) = (golds.par_iter().filter(knows).count(), golds.len());
                if known > 0 {
                    super::say(&format!(
                        "note: {name} was trained on {known} of these {all} pages: there the figures say how well it remembers"
                    ));
                }
                return Ok(());
            }
        };
        let missing = golds.iter().filter(|gold| texts.get(&gold.id).is_none()).count();
        if missing == golds.len() {
            let known = golds.first().map_or("", |gold| &gold.id);
            bail!("{name}: none of its ids is the id of a labelled page, such as '{known}'; correct the field id");
        }
        if missing > 0 {
            let all = golds.len();
            super::say(&format!("{name}: {missing} of {all} labelled pages have no prediction and count as empty"));
        }
        let without = golds.iter().filter(|gold| texts.is_without(&gold.id)).count();
        if without > 0 {
            let predicted = golds.len() - missing;
            super::say(&format!("{name}: {without} of {predicted} predictions have no text and count as empty"));
        }
        Ok(())
    }

    /// What it makes of a page.
    pub fn judge(&self, gold: &GoldPage, page: &Page) -> Outcome {
        match self {
            System::Model(_, model) => match serves(model, page) {
                Ok(()) => Outcome::of_labels(page, model.label(page)),
                Err(error) => Outcome::failed(error),
            },
            System::Texts(_, texts) => {
                Outcome { prediction: texts.get(&gold.id).cloned().unwrap_or_default(), labels: None }
            }
        }
    }

    /// What decided for some blocks of a page; nothing is known of texts.
    pub fn explain(&self, page: &Page, blocks: &[usize]) -> Vec<Vec<Reason>> {
        match self {
            System::Model(_, model) => model.explain_blocks(page, blocks),
            System::Texts(..) => Vec::new(),
        }
    }
}

/// A page's name without what a folder of pages adds to it, so that what `lubb apply` made of `html/ID.html.gz` is found
/// for ID.
fn bare(id: &str) -> &str {
    let id = id.strip_prefix("html/").unwrap_or(id);
    let id = id.strip_suffix(".gz").unwrap_or(id);
    id.strip_suffix(".html").or_else(|| id.strip_suffix(".htm")).unwrap_or(id)
}

fn name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

#[derive(serde::Deserialize)]
struct Row {
    id: serde_json::Value,
    text: Option<String>,
    error: Option<String>,
    blocks: Option<serde_json::Value>,
}
