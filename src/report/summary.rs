//! The rows and summaries of a report, and their files.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::metrics::{Means, PageScores, Prf, Totals, shingle_scores, snippet_share, word_count, word_scores};
use super::typed::{TypedScores, compare};
use super::{Prediction, ReportError, bootstrap, write_whole};
use crate::gold::{GoldPage, Reference};
use crate::label::Label;

/// The seed of the intervals.
pub(super) const SEED: u64 = 1;

/// One page of a report, a row of `pages.csv`.
#[derive(Clone, Debug, Serialize)]
pub struct PageRow {
    /// The page's name in its set.
    pub id: String,
    /// The set's name.
    pub set: String,
    /// What kind of page it is, in the set's own words.
    pub group: Option<String>,
    /// The language as the set gives it.
    pub lang: Option<String>,
    /// The page's host.
    pub host: String,
    /// How many words the reference has.
    pub words: u64,
    /// Word precision.
    pub precision: f64,
    /// Word recall.
    pub recall: f64,
    /// Word F1.
    pub f1: f64,
    /// Shingle precision; nothing where there is no output.
    pub shingle_precision: Option<f64>,
    /// Shingle recall; nothing where the reference is empty.
    pub shingle_recall: Option<f64>,
    /// The share of wanted snippets that are there.
    pub with: Option<f64>,
    /// The share of unwanted snippets that are there.
    pub without: Option<f64>,
    /// How sure the extractor was.
    pub score: Option<f32>,
    /// Why the page failed.
    pub error: Option<String>,
    /// The year in which the page was published.
    pub year: Option<u16>,
    #[serde(skip)]
    pub(super) totals: Totals,
    #[serde(skip)]
    is_empty: bool,
    #[serde(skip)]
    typed: Option<TypedScores>,
}

impl PageRow {
    /// Scores one page. Where the gold is typed, its reference text is that of its body blocks. A page with an
    /// error counts as empty.
    pub fn new(gold: &GoldPage, prediction: &Prediction) -> PageRow {
        let failed = Prediction { error: prediction.error.clone(), ..Prediction::default() };
        let prediction = if prediction.error.is_some() { &failed } else { prediction };
        let mut error = prediction.error.clone();
        let typed = compare(gold, prediction).unwrap_or_else(|e| {
            error.get_or_insert(e.to_string());
            None
        });
        // What a page that cannot be read should have been is not known: it is nothing that a text could agree with.
        let is_unknown = typed.is_none() && !matches!(gold.reference, Reference::Text(_));
        let reference = match (&typed, &gold.reference) {
            (Some(typed), _) => typed.reference.as_str(),
            (None, Reference::Text(text)) => text,
            (None, _) => "",
        };
        let text = &prediction.text;
        let scores = PageScores {
            words: if is_unknown { Prf::default() } else { word_scores(text, reference, gold.words) },
            shingles: shingle_scores(text, reference, gold.words),
            with: snippet_share(text, &gold.with),
            without: snippet_share(text, &gold.without),
        };
        PageRow {
            id: gold.id.clone(),
            set: gold.set.clone(),
            group: gold.group.clone(),
            lang: gold.lang.clone(),
            host: gold.host.clone(),
            words: word_count(reference, gold.words),
            precision: scores.words.precision,
            recall: scores.words.recall,
            f1: scores.words.f1,
            shingle_precision: scores.shingles.0,
            shingle_recall: scores.shingles.1,
            with: scores.with,
            without: scores.without,
            score: prediction.score,
            error,
            year: gold.date.as_deref().and_then(year),
            totals: scores.totals(),
            is_empty: word_count(text, gold.words) == 0,
            typed,
        }
    }
}

/// The first four digits in a row that are a year of the web, in the set's own way of writing dates.
fn year(date: &str) -> Option<u16> {
    let mut runs = date.split(|c: char| !c.is_ascii_digit()).filter(|run| run.len() == 4 || run.len() == 8);
    runs.find_map(|run| run[..4].parse().ok().filter(|year| (1990..=2100).contains(year)))
}

/// A report: its rows, and what they come to.
#[derive(Clone, Debug)]
pub struct Report {
    /// What the pages come to.
    pub summary: Summary,
    /// The pages.
    pub pages: Vec<PageRow>,
}

/// `summary.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The version of lubb that made it.
    pub version: String,
    /// The sets, in the order of their first pages.
    pub sets: Vec<SetSummary>,
}

/// What a set's pages come to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SetSummary {
    /// The set's name.
    pub set: String,
    /// How many pages it has.
    pub pages: usize,
    /// How many of them failed.
    pub failed: usize,
    /// How many got no text, the failed ones included.
    pub empty: usize,
    /// Means over all its pages.
    #[serde(flatten)]
    pub means: Means,
    /// The 95 % interval of `f1`.
    pub f1_95: Option<[f64; 2]>,
    /// The 95 % interval of `precision`.
    #[serde(default)]
    pub precision_95: Option<[f64; 2]>,
    /// The 95 % interval of `recall`.
    #[serde(default)]
    pub recall_95: Option<[f64; 2]>,
    /// The 95 % interval of `shingle`.
    pub shingle_95: Option<[f64; 2]>,
    /// The same means by kind of page, where the set tells kinds apart.
    pub groups: Vec<GroupSummary>,
    /// Scores by label, where the set is typed.
    pub labels: Vec<LabelSummary>,
    /// Gold labels that fit no block of their page as it is cut now.
    pub unmatched_labels: usize,
    /// Blocks by gold label (row) and predicted label (column), in the order of `labels`; empty where the set is
    /// not typed.
    pub confusion: Vec<Vec<u64>>,
}

/// What the pages of one kind come to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupSummary {
    /// The kind.
    pub group: String,
    /// How many pages are of it.
    pub pages: usize,
    /// Means over them.
    #[serde(flatten)]
    pub means: Means,
}

/// Word scores of one label, counted over all pages of a set.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelSummary {
    /// The label.
    pub label: Label,
    /// Word precision; nothing where no word was given this label.
    pub precision: Option<f64>,
    /// Word recall; nothing where no word has this label in the gold.
    pub recall: Option<f64>,
    /// Word F1; nothing where there is neither.
    pub f1: Option<f64>,
    /// Words with this label in the gold.
    pub support: u64,
    /// Words that were given this label.
    pub given: u64,
}

impl Report {
    /// Sums pages up by their sets.
    pub fn new(pages: Vec<PageRow>) -> Report {
        let mut sets: Vec<(&str, Vec<&PageRow>)> = Vec::new();
        for page in &pages {
            match sets.iter_mut().find(|(name, _)| *name == page.set) {
                Some((_, rows)) => rows.push(page),
                None => sets.push((&page.set, vec![page])),
            }
        }
        let sets = sets.into_iter().map(|(name, rows)| SetSummary::new(name, &rows)).collect();
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Report { summary: Summary { version, sets }, pages }
    }

    /// Writes `summary.json`, `pages.csv`, `labels.csv` and `confusion.csv` into a folder, which is made if needed.
    /// Each file is written whole or not at all.
    ///
    /// # Errors
    /// If the folder cannot be made or a file cannot be written.
    pub fn write(&self, dir: &Path) -> Result<(), ReportError> {
        std::fs::create_dir_all(dir).map_err(|source| ReportError::Io { path: dir.to_owned(), source })?;
        let path = dir.join("summary.json");
        let json = serde_json::to_vec_pretty(&self.summary)
            .map_err(|e| ReportError::Format { path: path.clone(), message: e.to_string() })?;
        write_whole(&path, &json)?;
        let pages = ["id", "set", "group", "lang", "host", "words", "precision", "recall", "f1", "shingle_precision"];
        let more = ["shingle_recall", "with", "without", "score", "error", "year"];
        table(&dir.join("pages.csv"), &[&pages[..], &more[..]].concat(), &self.pages)?;
        let labels: Vec<_> = self.summary.sets.iter().flat_map(SetSummary::label_rows).collect();
        table(&dir.join("labels.csv"), &["set", "label", "precision", "recall", "f1", "support", "given"], &labels)?;
        let confusion: Vec<_> = self.summary.sets.iter().flat_map(SetSummary::confusion_rows).collect();
        table(&dir.join("confusion.csv"), &["set", "gold", "predicted", "blocks"], &confusion)
    }
}

/// Writes a table with its header even where it has no rows.
pub(super) fn table(path: &Path, header: &[&str], rows: &[impl Serialize]) -> Result<(), ReportError> {
    let format = |message: String| ReportError::Format { path: path.to_owned(), message };
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    writer.write_record(header).map_err(|e| format(e.to_string()))?;
    for row in rows {
        writer.serialize(row).map_err(|e| format(e.to_string()))?;
    }
    write_whole(path, &writer.into_inner().map_err(|e| format(e.to_string()))?)
}

impl SetSummary {
    fn new(set: &str, rows: &[&PageRow]) -> SetSummary {
        let totals: Vec<Totals> = rows.iter().map(|row| row.totals).collect();
        let draws = bootstrap::means(&totals, SEED);
        let interval =
            |of: fn(&Means) -> f64| bootstrap::interval(draws.iter().map(of).collect()).filter(|_| !rows.is_empty());
        let mut kinds: Vec<&str> = rows.iter().filter_map(|row| row.group.as_deref()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let groups = kinds.into_iter().map(|kind| {
            let of_kind: Vec<_> = rows.iter().filter(|row| row.group.as_deref() == Some(kind)).collect();
            let means = of_kind.iter().map(|row| &row.totals).sum::<Totals>().means();
            GroupSummary { group: kind.to_owned(), pages: of_kind.len(), means }
        });
        let typed: Vec<&TypedScores> = rows.iter().filter_map(|row| row.typed.as_ref()).collect();
        let labelled: Vec<&TypedScores> = typed.iter().copied().filter(|typed| typed.is_labelled).collect();
        SetSummary {
            set: set.to_owned(),
            pages: rows.len(),
            failed: rows.iter().filter(|row| row.error.is_some()).count(),
            empty: rows.iter().filter(|row| row.is_empty).count(),
            means: totals.iter().sum::<Totals>().means(),
            f1_95: interval(|m| m.f1),
            precision_95: interval(|m| m.precision),
            recall_95: interval(|m| m.recall),
            shingle_95: interval(|m| m.shingle),
            groups: groups.collect(),
            labels: label_summaries(&labelled),
            unmatched_labels: typed.iter().map(|t| t.unmatched).sum(),
            confusion: confusion(&labelled),
        }
    }

    fn label_rows(&self) -> impl Iterator<Item = impl Serialize> {
        self.labels.iter().map(|l| (self.set.clone(), l.label, l.precision, l.recall, l.f1, l.support, l.given))
    }

    fn confusion_rows(&self) -> impl Iterator<Item = impl Serialize> {
        Label::ALL.into_iter().zip(&self.confusion).flat_map(move |(gold, row)| {
            Label::ALL.into_iter().zip(row).map(move |(given, n)| (self.set.clone(), gold, given, *n))
        })
    }
}

fn label_summaries(typed: &[&TypedScores]) -> Vec<LabelSummary> {
    if typed.is_empty() {
        return Vec::new();
    }
    let summary = |label: Label| {
        let pages = typed.iter().map(|t| t.labels[label.index()]);
        let (hits, given, support) = pages.fold((0, 0, 0), |a, b| (a.0 + b.0, a.1 + b.1, a.2 + b.2));
        let Prf { precision, recall, f1 } = Prf::from_counts(hits, given, support);
        LabelSummary {
            label,
            precision: (given > 0).then_some(precision),
            recall: (support > 0).then_some(recall),
            f1: (given + support > 0).then_some(f1),
            support,
            given,
        }
    };
    Label::ALL.into_iter().map(summary).collect()
}

fn confusion(typed: &[&TypedScores]) -> Vec<Vec<u64>> {
    if typed.is_empty() {
        return Vec::new();
    }
    let cell = |gold: usize, given: usize| typed.iter().map(|t| t.confusion[gold][given]).sum();
    (0..Label::COUNT).map(|gold| (0..Label::COUNT).map(|given| cell(gold, given)).collect()).collect()
}
