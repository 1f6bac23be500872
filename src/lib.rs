//! lubb separates the article of a web page from its chrome.

pub mod document;
pub mod extractor;
pub mod label;
pub mod model;
pub mod page;

pub use document::{Document, DocumentBlock, Labelled};
pub use extractor::{Extractor, Output};
pub use label::{Label, LabelSet, UnknownLabel};
pub use page::{Block, Hints, Input, Page};
