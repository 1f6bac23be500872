//! How good extraction is: scores of pages, what they add up to, and the files that say so.
//!
//! [`evaluate`] compares predictions to labelled pages; [`Report::write`] writes `summary.json`, `pages.csv`,
//! `labels.csv` and `confusion.csv`. Word scores are those by which the public benchmarks are computed: word F1
//! after WCXB, shingles after the article-extraction-benchmark.
//!
//! [`Analysis`] holds what people look at beside the figures: pages in groups, curves, two systems side by side, the
//! worst pages block by block. It goes to `report.json` and tables, to [`markdown`], and with the feature `html` to one
//! page of HTML.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::document::DocumentBlock;
use crate::gold::GoldPage;
use crate::whole;

pub mod analysis;
pub mod bootstrap;
pub mod compare;
pub mod curves;
#[cfg(feature = "html")]
pub mod html;
pub mod judge;
pub mod markdown;
pub mod metrics;
pub mod summary;
pub mod typed;
pub mod view;

pub use analysis::Analysis;
pub use judge::{Judged, Outcome};
pub use summary::{GroupSummary, LabelSummary, PageRow, Report, SetSummary, Summary};

/// What an extractor made of one page.
#[derive(Clone, Debug, Default)]
pub struct Prediction {
    /// The text of the article.
    pub text: String,
    /// All blocks of the page, where known; only needed for pages with typed gold.
    pub blocks: Option<Vec<DocumentBlock>>,
    /// How sure the extractor is, 0 to 1.
    pub score: Option<f32>,
    /// Why there is no text. A failed page counts as empty.
    pub error: Option<String>,
}

/// Why a report cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A file or the folder cannot be written.
    #[error("{}: cannot be written; check that the folder may be written to and has room", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A table or the summary cannot be put into its format.
    #[error("{}: {message}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
}

/// Scores pages: one [`PageRow`] each, and means and intervals over each set.
///
/// To score in parallel, make the rows with [`PageRow::new`] and pass them to [`Report::new`].
///
/// ```
/// use lubb::report::{Prediction, evaluate};
/// let dir = std::env::temp_dir().join("lubb-example-report");
/// std::fs::create_dir_all(&dir)?;
/// let row = r#"{"id": "a", "html": "<p>One two three.</p>", "text": "One two three."}"#;
/// std::fs::write(dir.join("gold.jsonl"), row)?;
/// let set = lubb::gold::read(&dir)?;
/// let report = evaluate(set.pages.into_iter().map(|page| {
///     let text = "One two".to_owned(); // what an extractor made of page.load()
///     (page, Prediction { text, ..Prediction::default() })
/// }));
/// assert_eq!((report.pages[0].precision, report.pages[0].f1), (1.0, 0.8));
/// report.write(&dir.join("report"))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn evaluate(pages: impl IntoIterator<Item = (GoldPage, Prediction)>) -> Report {
    Report::new(pages.into_iter().map(|(gold, prediction)| PageRow::new(&gold, &prediction)).collect())
}

/// The files of a report.
pub const FILES: [&str; 12] = [
    "summary.json",
    "pages.csv",
    "labels.csv",
    "confusion.csv",
    "report.json",
    "groups.csv",
    "distribution.csv",
    "curve.csv",
    "calibration.csv",
    "comparison.csv",
    "changed.csv",
    "report.html",
];

/// Writes a file in one step.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> Result<(), ReportError> {
    let written = whole::write(path, |file| file.write_all(content));
    written.map_err(|source| ReportError::Io { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests;
