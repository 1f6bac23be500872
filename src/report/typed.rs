//! Scores by label, for pages whose gold is typed.

use std::collections::HashMap;

use super::Prediction;
use super::metrics::{Counts, count, overlap};
use crate::gold::typed::block_labels;
use crate::gold::{GoldError, GoldPage};
use crate::label::Label;
use crate::page::Page;
use crate::page::words::{WordRule, words};

/// Words of one label: in both, given, and wanted.
pub(super) type LabelCounts = [(u64, u64, u64); Label::COUNT];

/// What one typed page says.
#[derive(Clone, Debug, Default)]
pub(super) struct TypedScores {
    /// By label, in the order of [`Label::ALL`].
    pub labels: LabelCounts,
    /// Blocks by gold label (row) and predicted label (column).
    pub confusion: [[u64; Label::COUNT]; Label::COUNT],
    /// The text of the gold body blocks: the page's reference text.
    pub reference: String,
    /// Gold labels that no block fits.
    pub unmatched: usize,
    /// Whether the prediction has labels, or nothing for having failed; of a text alone they are not known.
    pub is_labelled: bool,
}

/// Compares the blocks of a page by label, or `None` if its gold is not typed.
///
/// For each label the words of its blocks are compared as multisets, lower-cased, a Chinese or Japanese character
/// being a word. Where the prediction has the page's own blocks, blocks without a gold label count on neither
/// side, and each pair of labels goes into the confusion matrix.
pub(super) fn compare(gold: &GoldPage, prediction: &Prediction) -> Result<Option<TypedScores>, GoldError> {
    if matches!(gold.reference, crate::gold::Reference::Text(_)) {
        return Ok(None);
    }
    let page = gold.page()?;
    let Some(resolved) = block_labels(&page, &gold.reference) else { return Ok(None) };
    let is_labelled = prediction.blocks.is_some() || prediction.error.is_some();
    let mut scores = TypedScores { unmatched: resolved.unmatched, is_labelled, ..TypedScores::default() };
    let mut wanted: HashMap<Label, String> = HashMap::new();
    for (text, label) in page.texts().zip(&resolved.labels) {
        if let Some(label) = label {
            add(&mut wanted, *label, text);
        }
    }
    let mut given: HashMap<Label, String> = HashMap::new();
    let blocks = prediction.blocks.as_deref().unwrap_or_default();
    let same = is_same(&page, prediction);
    for (at, block) in blocks.iter().enumerate() {
        let label = if same { resolved.labels[at] } else { None };
        if let Some(label) = label {
            scores.confusion[label.index()][block.label.index()] += 1;
        }
        if label.is_some() || !same {
            add(&mut given, block.label, &block.text);
        }
    }
    for label in Label::ALL {
        let [given, wanted] = [&given, &wanted].map(|side| side.get(&label).map_or("", String::as_str).to_lowercase());
        scores.labels[label.index()] = overlap(&counted(&given), &counted(&wanted));
    }
    scores.reference = wanted.remove(&Label::Body).unwrap_or_default();
    Ok(Some(scores))
}

fn add(texts: &mut HashMap<Label, String>, label: Label, text: &str) {
    let all = texts.entry(label).or_default();
    if !all.is_empty() {
        all.push_str("\n\n");
    }
    all.push_str(text);
}

fn counted(text: &str) -> Counts<&str> {
    count(words(text, WordRule::Cjk))
}

/// Whether the prediction's blocks are the page's.
fn is_same(page: &Page, prediction: &Prediction) -> bool {
    prediction.blocks.as_ref().is_some_and(|blocks| {
        blocks.len() == page.blocks.len() && blocks.iter().zip(page.texts()).all(|(block, text)| block.text == text)
    })
}
