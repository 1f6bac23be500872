//! lubb separates the article of a web page from its chrome.

#[cfg(feature = "corpus")]
pub mod corpus;
pub mod document;
pub mod extractor;
pub mod label;
pub mod page;

pub use document::{Document, DocumentBlock, Labelled};
pub use extractor::{Extractor, Output};
pub use label::{Label, LabelSet, UnknownLabel};
pub use page::{Block, Hints, Input, Page};
