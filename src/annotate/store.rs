//! The pages being labelled and their labels, in memory and in the file.
//!
//! Each page has a version, which each change of its labels raises. Whoever changes a page says which version they saw;
//! a change of an older one is refused, so that two tabs cannot overwrite each other.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::path::Path;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::AnnotateError;
use super::file::{FileLabel, LabelFile};
use super::places::places;
use super::render::{own_style, xhtml};
use crate::corpus::{Inputs, Loaded, RawPage, Reading};
use crate::gold::BlockLabel;
use crate::gold::typed::resolve_texts;
use crate::label::{Label, Labelled};
use crate::model::Model;
use crate::page::dom::Tag;
use crate::page::{Metadata, Page, host_of};

/// One page.
#[derive(Debug)]
pub struct Sheet {
    /// Its path from the folder of pages.
    pub id: String,
    /// Its title, else its id.
    pub title: String,
    /// Its address, from the label file or from the page itself.
    pub url: Option<String>,
    /// Its site; the page's folder where no address is known.
    pub host: String,
    /// The blocks' texts, cut by `ranges`.
    text: String,
    ranges: Vec<Range<u32>>,
    /// The blocks' elements.
    pub tags: Vec<Tag>,
    /// The blocks' places in the site's template.
    places: Vec<Option<u64>>,
    /// What the model says of the blocks.
    pub guesses: Vec<Labelled>,
    /// What the model before this one said, where there was one.
    pub was: Vec<Label>,
    /// The expected F1 of the model's choice.
    pub score: f32,
    /// What was labelled.
    pub labels: Vec<Option<Label>>,
    /// What the label file says of a block besides its label; kept when the label is taken away, for undoing.
    others: HashMap<usize, Vec<String>>,
    /// Raised by each change of `labels`.
    pub version: u64,
}

/// All pages and their labels.
#[derive(Debug)]
pub struct Store {
    /// In the order of their ids.
    pub sheets: Vec<Sheet>,
    file: LabelFile,
}

/// Changes of one page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// The page's place in [`Store::sheets`].
    pub page: usize,
    /// The version that the changes were made on; in an answer, the page's new one.
    pub version: u64,
    /// Blocks and their labels, `None` to take a label away.
    pub changes: Vec<(usize, Option<Label>)>,
}

/// Why labels were not changed. Nothing is changed then.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// Another tab was faster.
    #[error("page {page} was changed in another tab meanwhile")]
    Stale {
        /// The page.
        page: usize,
    },
    /// There is no such page or block.
    #[error("page {page} has no block {block}")]
    Unknown {
        /// The page.
        page: usize,
        /// The block.
        block: usize,
    },
    /// The file cannot be written.
    #[error(transparent)]
    File(#[from] AnnotateError),
}

/// A block in which a search found something.
#[derive(Debug, Serialize)]
pub struct Found {
    /// The page.
    pub page: usize,
    /// The block.
    pub block: usize,
    /// The text around the find.
    pub text: String,
}

impl Sheet {
    fn of(loaded: Loaded, model: &Model) -> Sheet {
        let Loaded { id, bytes, hints, .. } = loaded;
        let page = Page::new(&bytes, &hints);
        let labels = model.label(&page);
        let title = Metadata::of(&page).title.filter(|title| !title.is_empty()).unwrap_or_else(|| id.clone());
        let url = page.declared_url().map(str::to_owned);
        let host = site(&id, url.as_deref());
        let ranges: Vec<Range<u32>> = page.blocks.iter().map(|block| block.text.clone()).collect();
        Sheet {
            host,
            title,
            url,
            tags: page.blocks.iter().map(|block| page.dom.tag(block.element)).collect(),
            places: places(&page),
            guesses: labels.blocks,
            was: Vec::new(),
            score: labels.score,
            labels: vec![None; ranges.len()],
            others: HashMap::new(),
            version: 1,
            ranges,
            text: page.text,
            id,
        }
    }

    /// A block's text.
    pub fn text_of(&self, block: usize) -> &str {
        self.ranges.get(block).map_or("", |range| &self.text[range.start as usize..range.end as usize])
    }

    /// How many blocks have a label.
    pub fn labelled(&self) -> usize {
        self.labels.iter().flatten().count()
    }

    /// Whether every block has a label.
    pub fn is_done(&self) -> bool {
        self.labels.iter().all(Option::is_some)
    }

    /// Whether the page is still cut as it was read.
    pub fn is_cut_as(&self, page: &Page) -> bool {
        page.text == self.text && page.blocks.len() == self.ranges.len()
    }

    fn file_labels(&self) -> Vec<FileLabel> {
        let label = |(at, label): (usize, &Option<Label>)| {
            let label = BlockLabel::new(at as u32, (*label)?, self.text_of(at));
            Some(FileLabel { label, others: self.others.get(&at).cloned().unwrap_or_default() })
        };
        self.labels.iter().enumerate().filter_map(label).collect()
    }
}

/// A page's site: its host, or its folder, or the page alone.
fn site(id: &str, url: Option<&str>) -> String {
    url.and_then(host_of).unwrap_or_else(|| id.rsplit_once('/').map_or(id, |(folder, _)| folder).to_owned())
}

/// Reads the page with this id in a folder.
///
/// # Errors
/// The page cannot be read any more.
pub fn load(folder: &Path, id: &str) -> Result<Page, crate::corpus::PageError> {
    let loaded = RawPage::file(id, &folder.join(id), Reading::default().into()).load()?;
    Ok(Page::new(&loaded.bytes, &loaded.hints))
}

/// A page, and it as XHTML for the browser.
pub fn load_shown(folder: &Path, id: &str) -> Result<(Page, String), crate::corpus::PageError> {
    let loaded = RawPage::file(id, &folder.join(id), Reading::default().into()).load()?;
    let page = Page::new(&loaded.bytes, &loaded.hints);
    let (html, _) = crate::page::decode::decode(&loaded.bytes, loaded.hints.charset.as_deref());
    let shown = xhtml(&page, &own_style(&html));
    Ok((page, shown))
}

impl Store {
    /// Reads the pages of a folder and the labels that there are already. Also the pages that cannot be read.
    ///
    /// # Errors
    /// There are no pages, or the labels cannot be continued.
    pub fn open(folder: &Path, labels: &Path, model: &Model) -> Result<(Store, Vec<String>), AnnotateError> {
        if !folder.is_dir() {
            return Err(AnnotateError::NoFolder(folder.to_owned()));
        }
        let inputs = Inputs::new(&[folder], Reading::default())?;
        let read: Vec<Result<Sheet, String>> = inputs
            .pages()
            .par_bridge()
            .map(|raw| Ok(Sheet::of(raw.and_then(RawPage::load).map_err(|error| error.to_string())?, model)))
            .collect();
        let (mut sheets, mut problems) = (Vec::new(), Vec::new());
        for result in read {
            match result {
                Ok(sheet) => sheets.push(sheet),
                Err(problem) => problems.push(problem),
            }
        }
        sheets.sort_by(|a: &Sheet, b| a.id.cmp(&b.id));
        problems.sort();
        if sheets.is_empty() {
            let (path, first) = (folder.to_owned(), problems.into_iter().next().unwrap_or_default());
            return Err(AnnotateError::NoPages { path, first });
        }
        let mut file = LabelFile::read(labels)?;
        for sheet in &mut sheets {
            let (url, rows) = file.take(&sheet.id);
            if url.is_some() {
                sheet.host = site(&sheet.id, url.as_deref());
                sheet.url = url;
            }
            let texts = (0..sheet.labels.len()).map(|block| sheet.text_of(block));
            let labels: Vec<BlockLabel> = rows.iter().map(|row| row.label).collect();
            let (resolved, blocks) = resolve_texts(texts, &labels);
            sheet.labels = resolved.labels;
            let mut astray = Vec::new();
            for (row, block) in rows.into_iter().zip(blocks) {
                match block {
                    Some(block) => drop(sheet.others.insert(block, row.others)),
                    None => astray.push(row),
                }
            }
            file.keep(&sheet.id, sheet.url.as_deref(), astray);
        }
        Ok((Store { sheets, file }, problems))
    }

    /// Changes labels, all or none, and saves them. The answer undoes it: what was there before, with the new versions.
    ///
    /// # Errors
    /// See [`EditError`]; nothing is changed then.
    pub fn edit(&mut self, edits: &[Edit]) -> Result<Vec<Edit>, EditError> {
        for edit in edits {
            let sheet = self.sheets.get(edit.page).ok_or(EditError::Unknown { page: edit.page, block: 0 })?;
            if let Some((block, _)) = edit.changes.iter().find(|(block, _)| *block >= sheet.labels.len()) {
                return Err(EditError::Unknown { page: edit.page, block: *block });
            }
            if sheet.version != edit.version {
                return Err(EditError::Stale { page: edit.page });
            }
        }
        let mut undo: Vec<Edit> = Vec::with_capacity(edits.len());
        for Edit { page, changes, .. } in edits {
            let sheet = &mut self.sheets[*page];
            let set = |(block, label): &(usize, Option<Label>)| {
                (*block, std::mem::replace(&mut sheet.labels[*block], *label))
            };
            let mut before: Vec<_> = changes.iter().map(set).collect();
            // A block that is named twice gets back what it had first.
            before.reverse();
            sheet.version += 1;
            undo.push(Edit { page: *page, version: sheet.version, changes: before });
        }
        if let Err(error) = self.save() {
            for Edit { page, changes, .. } in undo.iter().rev() {
                let sheet = &mut self.sheets[*page];
                changes.iter().for_each(|(block, label)| sheet.labels[*block] = *label);
                sheet.version -= 1;
            }
            return Err(error.into());
        }
        Ok(undo)
    }

    /// The changes that give a label to the same places as these blocks' on all pages of the site.
    ///
    /// # Errors
    /// There is no such page or block.
    pub fn same_place(&self, page: usize, blocks: &[usize], label: Option<Label>) -> Result<Vec<Edit>, EditError> {
        let sheet = self.sheets.get(page).ok_or(EditError::Unknown { page, block: 0 })?;
        if let Some(block) = blocks.iter().find(|block| **block >= sheet.labels.len()) {
            return Err(EditError::Unknown { page, block: *block });
        }
        let wanted: HashSet<u64> = blocks.iter().filter_map(|block| sheet.places[*block]).collect();
        let blocks: HashSet<usize> = blocks.iter().copied().collect();
        let edit = |(at, other): (usize, &Sheet)| {
            let is_wanted = |block: &usize| {
                let chosen = at == page && blocks.contains(block);
                chosen || other.places[*block].is_some_and(|place| wanted.contains(&place))
            };
            let found = (0..other.labels.len()).filter(is_wanted).filter(|block| other.labels[*block] != label);
            let changes: Vec<_> = found.map(|block| (block, label)).collect();
            (!changes.is_empty()).then_some(Edit { page: at, version: other.version, changes })
        };
        let same_site = self.sheets.iter().enumerate().filter(|(_, other)| other.host == sheet.host);
        Ok(same_site.filter_map(edit).collect())
    }

    /// Blocks whose text, or whose page's title or id, holds the words; at most `limit`, and how many there are.
    pub fn search(&self, words: &str, limit: usize) -> (Vec<Found>, usize) {
        let words = words.trim().to_lowercase();
        let (mut found, mut total) = (Vec::new(), 0);
        if words.is_empty() {
            return (found, total);
        }
        for (page, sheet) in self.sheets.iter().enumerate() {
            for block in 0..sheet.labels.len() {
                let text = sheet.text_of(block);
                let lower = text.to_lowercase();
                let Some(at) = lower.find(&words) else { continue };
                total += 1;
                if found.len() < limit {
                    let skip = lower[..at].chars().count().saturating_sub(30);
                    let part: String = text.chars().skip(skip).take(120).collect();
                    let text = if skip > 0 { format!("…{part}") } else { part };
                    found.push(Found { page, block, text });
                }
            }
        }
        (found, total)
    }

    /// The pages in the order in which to label them: first those not done, the least sure first.
    pub fn queue(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.sheets.len()).collect();
        let key = |at: &usize| (self.sheets[*at].is_done(), self.sheets[*at].score);
        order.sort_by(|a, b| {
            let ((done_a, score_a), (done_b, score_b)) = (key(a), key(b));
            done_a.cmp(&done_b).then(score_a.total_cmp(&score_b))
        });
        order
    }

    /// The label file as it would be written now.
    ///
    /// # Errors
    /// If a row cannot be put into CSV.
    pub fn to_csv(&self) -> Result<Vec<u8>, AnnotateError> {
        let labels: Vec<Vec<FileLabel>> = self.sheets.iter().map(Sheet::file_labels).collect();
        let rows = self.sheets.iter().zip(&labels);
        self.file.to_csv(rows.map(|(sheet, labels)| (sheet.id.as_str(), sheet.url.as_deref(), labels.as_slice())))
    }

    fn save(&mut self) -> Result<(), AnnotateError> {
        let csv = self.to_csv()?;
        self.file.write(&csv)
    }
}
