//! lubb (Arabic لُبّ, "kernel") separates the article of a web page from the rest.
//!
//! A page is cut into [blocks](Block); each block becomes a row of [features]; a trained [`Model`] gives each row a
//! [`Label`]: the article's body, or which kind of chrome. [`Extractor`] does all of it with the model that is
//! embedded in the crate:
//!
//! ```
//! use lubb::{Extractor, Hints};
//!
//! let html = std::fs::read("data/labelled/ar-syria-currency.html")?;
//! let document = Extractor::default().extract(&html, &Hints::default());
//! println!("{:?} ({:?})\n\n{}", document.title, document.date, document.text);
//! # assert!(document.title.is_some() && !document.text.is_empty());
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # The blocks of a page and their labels
//!
//! ```
//! use lubb::{Label, Model, Page};
//!
//! let page = Page::from_html(&std::fs::read_to_string("data/labelled/ar-syria-currency.html")?);
//! let labels = Model::embedded().label(&page);
//! for (block, labelled) in page.blocks.iter().zip(&labels.blocks) {
//!     if labelled.label == Label::Comment {
//!         println!("{:.2} {}", labelled.p, page.text_of(block));
//!     }
//! }
//! # assert_eq!(labels.blocks.len(), page.blocks.len());
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Features as a matrix
//!
//! Matrices are those of [ndarray], which is here as `lubb::ndarray` in the version that lubb has.
//!
//! ```
//! use lubb::features::{self, Lexicon};
//! use lubb::{Page, ndarray};
//!
//! let page = Page::from_html("<h1>Title</h1><p>Some text, with a <a href='/x'>link</a>.</p>");
//! let matrix: ndarray::Array2<f32> = features::matrix(&page, &Lexicon::default());
//! let column = features::names().iter().position(|name| name == "link_density");
//! assert_eq!(column.map(|at| matrix[[1, at]] > 0.0), Some(true));
//! ```
//!
//! # Text that was flattened before
//!
//! ```
//! use lubb::{Extractor, Hints, Input};
//!
//! let text = std::fs::read("data/scrapes/flat/001_tram-casablanca.txt")?;
//! let hints = Hints { input: Input::Text, ..Hints::default() };
//! let document = Extractor::default().extract(&text, &hints);
//! # assert!(document.error.is_none());
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Training
//!
//! Labelled pages come through [`gold::read`]; [`model::train::train`] makes a [`Model`] of them and gives, for each page,
//! what a model that never saw its host makes of it; [`report`] turns that into figures.
//!
//! ```
//! use lubb::gold::{self, folds, typed};
//! use lubb::model::{Card, train::{Example, TrainParams, train}};
//! use lubb::Label;
//!
//! let set = gold::read("data/labelled")?;
//! let hosts: Vec<String> = set.pages.iter().map(|page| page.host.clone()).collect();
//! let folds = folds::by_host(&hosts, &vec![1.0; hosts.len()], 3, 1);
//! let mut examples = Vec::new();
//! for (at, gold) in set.pages.iter().enumerate() {
//!     let page = gold.page()?;
//!     let kinds = typed::block_labels(&page, &gold.reference).map(|r| r.labels).unwrap_or_default();
//!     let body = kinds.iter().map(|label| if *label == Some(Label::Body) { 1.0 } else { 0.0 }).collect();
//!     let (id, set) = (gold.id.clone(), gold.set.clone());
//!     let hash = gold.hash()?;
//!     // Pages of one site have one number.
//!     let host = hosts.iter().position(|host| *host == gold.host).unwrap_or(at);
//!     examples.push(Example { id, set, fold: folds[at], host, page, body, kinds, weight: 1.0, hash });
//! }
//! let params = TrainParams { folds: 3, rounds: 10, boost_rows: 2_000, ..TrainParams::default() };
//! let trained = train(&examples, &[], &params, Card::default())?;
//! assert_eq!(trained.out_of_fold.len(), examples.len());
//! trained.model.write(&std::env::temp_dir().join("my-model.lubb"))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Adapting a model to a site
//!
//! A model that is there learns the ways of a site from ten labelled pages ([`model::adapt::adapt`]). Folds go by page.
//!
//! ```
//! use lubb::gold::{self, typed};
//! use lubb::model::adapt::{AdaptParams, adapt};
//! use lubb::model::{Card, train::Example};
//! use lubb::{Label, Model};
//! use std::path::Path;
//!
//! let labels = Path::new("data/walkthrough/labels.csv");
//! let set = gold::read_labels_csv(labels, Some(Path::new("data/walkthrough/pages")))?;
//! let mut examples = Vec::new();
//! for (at, gold) in set.pages.iter().enumerate() {
//!     let page = gold.page()?;
//!     let kinds = typed::block_labels(&page, &gold.reference).map(|r| r.labels).unwrap_or_default();
//!     let body = kinds.iter().map(|label| if *label == Some(Label::Body) { 1.0 } else { 0.0 }).collect();
//!     let (id, set, hash) = (gold.id.clone(), gold.set.clone(), gold.hash()?);
//!     // As above, with another fold for each page in turn.
//!     examples.push(Example { id, set, fold: at % 5, host: 0, page, body, kinds, weight: 1.0, hash });
//! }
//! let adapted = adapt(&examples, &Model::embedded(), &AdaptParams::default(), Card::default())?;
//! // What it makes of each page when it is adapted to the others.
//! assert_eq!(adapted.further.len(), examples.len());
//! adapted.model.write(&std::env::temp_dir().join("my-site.lubb"))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features of the crate
//!
//! Without default features the library goes from page to blocks, labels, documents, training and reports. `corpus` adds
//! reading folders and archives, the parallel runner, labels by rules and the writers of files; `warc` the reading of
//! crawls; `serve` the page for labelling; `cli` the program. The last three are the default.

#[cfg(feature = "serve")]
pub mod annotate;
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
pub mod whole;

pub use document::{Document, DocumentBlock};
pub use extractor::{Extractor, Output};
pub use label::{Label, LabelSet, Labelled, UnknownLabel};
pub use linfa;
pub use model::{Labels, Model};
pub use ndarray;
pub use page::{Block, Hints, Input, Page};
