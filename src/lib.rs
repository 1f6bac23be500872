//! lubb separates the article of a web page from its chrome.

#[cfg(feature = "corpus")]
pub mod corpus;
pub mod document;
pub mod extractor;
pub mod features;
pub mod gold;
pub mod label;
pub mod model;
pub mod page;
pub mod report;

pub use document::{Document, DocumentBlock};
pub use extractor::{Extractor, Output};
pub use label::{Label, LabelSet, Labelled, UnknownLabel};
pub use model::Model;
pub use page::{Block, Hints, Input, Page};
