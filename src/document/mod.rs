//! Labelled blocks to what a user reads: a document's text, Markdown, metadata and row.

use serde::{Deserialize, Serialize};

use crate::label::Label;

mod arrange;
mod code;
mod inline;
pub mod markdown;
#[cfg(feature = "corpus")]
pub mod sink;
pub mod text;
mod written;

pub use markdown::markdown;
pub use text::plain_text;

/// One page's result, the row of every output format.
///
/// What was not asked for is left out when it is written, so that it is read again only from formats that name their fields
/// (JSON), and not from those that go by order (postcard, bincode).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// The page's name in its corpus: its path, or the id of its record.
    pub id: String,
    /// The page's address: as the corpus has it, else as the page itself declares it.
    pub url: Option<String>,
    /// The address' host without `www.`.
    pub host: Option<String>,
    /// The article's title.
    pub title: Option<String>,
    /// The article's authors, separated by `; `.
    pub author: Option<String>,
    /// When it was published, in ISO 8601.
    pub date: Option<String>,
    /// The name of the site.
    pub site_name: Option<String>,
    /// The language as a BCP 47 tag.
    pub lang: Option<String>,
    /// The kept blocks' texts, separated by blank lines.
    pub text: String,
    /// The kept blocks as Markdown, where asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub markdown: Option<String>,
    /// How sure the model is that the page has an article and that `text` is it, 0 to 1: the expected F1 of the choice
    /// (F2 for flattened text, where recall counts more; where precision or recall is to weigh more, F0.5 or F2, and F1 or
    /// F4 for flattened text, so that thresholds for one are not for another).
    pub score: f32,
    /// Every block of the page, where asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocks: Option<Vec<DocumentBlock>>,
    /// Why the page could not be read; the other fields are empty then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// One block of a page as it is written to files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DocumentBlock {
    /// The block's label.
    pub label: Label,
    /// The probability of that label.
    pub p: f32,
    /// The block's text.
    pub text: String,
}
