//! What people look at beside the means: pages in groups, the distribution of F1, curves, comparison, worst pages.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::compare::Comparison;
use super::curves::Curves;
use super::metrics::Totals;
use super::summary::{SEED, table};
use super::view::PageView;
use super::{Judged, PageRow, ReportError, bootstrap, write_whole};
use crate::gold::folds::site;

/// Below this many pages an interval says more than is known.
const LEAST: usize = 5;

/// Bins of the distribution.
const BINS: usize = 20;

/// What pages are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// All pages together.
    All,
    /// Their set.
    Set,
    /// Their language, without region.
    Language,
    /// What kind of page they are.
    Type,
    /// The year of publication.
    Year,
    /// The registrable domain.
    Site,
}

impl By {
    /// All ways of grouping.
    pub const ALL: [By; 6] = [By::All, By::Set, By::Language, By::Type, By::Year, By::Site];

    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            By::All => "all",
            By::Set => "set",
            By::Language => "language",
            By::Type => "type",
            By::Year => "year",
            By::Site => "site",
        }
    }

    fn value(self, row: &PageRow) -> Option<String> {
        match self {
            By::All => Some("all".to_owned()),
            By::Set => Some(row.set.clone()),
            By::Language => {
                let primary = row.lang.as_deref()?.split(['-', '_']).next()?.to_lowercase();
                (!primary.is_empty()).then_some(primary)
            }
            By::Type => row.group.clone(),
            By::Year => row.year.map(|year| year.to_string()),
            By::Site => Some(site(&row.host).to_owned()),
        }
    }
}

/// Some of a report's rows.
pub(super) struct Group {
    pub by: By,
    pub value: String,
    pub rows: Vec<usize>,
}

impl Group {
    pub fn has_interval(&self) -> bool {
        self.rows.len() >= LEAST
    }
}

/// All groups: by grouping, then by name. Where no page says its language, kind or year, there is no such group.
pub(super) fn groups(rows: &[PageRow]) -> Vec<Group> {
    let mut groups = Vec::new();
    for by in By::ALL {
        let mut found: BTreeMap<Option<String>, Vec<usize>> = BTreeMap::new();
        for (at, row) in rows.iter().enumerate() {
            found.entry(by.value(row)).or_default().push(at);
        }
        if found.keys().all(Option::is_none) {
            continue;
        }
        let group = |(value, rows): (Option<String>, Vec<usize>)| {
            let value = value.unwrap_or_else(|| "unknown".to_owned());
            Group { by, value, rows }
        };
        groups.extend(found.into_iter().map(group));
    }
    groups
}

/// The means of a group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupRow {
    /// What the pages are grouped by.
    pub by: By,
    /// What they have in common.
    pub value: String,
    /// How many.
    pub pages: usize,
    /// Mean word F1.
    pub f1: f64,
    /// The lower end of its 95 % interval; nothing for fewer than five pages.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// Mean word precision.
    pub precision: f64,
    /// Mean word recall.
    pub recall: f64,
}

/// Pages whose F1 is in a range.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bin {
    /// From this F1,
    pub low: f64,
    /// to below this one; the last bin holds 1 too.
    pub high: f64,
    /// How many pages.
    pub pages: usize,
}

/// Everything a report shows beside its summary; `report.json`.
#[derive(Clone, Debug, Serialize)]
pub struct Analysis {
    /// What was scored: a model's or a file's name.
    pub system: String,
    /// Means by group.
    pub groups: Vec<GroupRow>,
    /// Pages by F1.
    pub distribution: Vec<Bin>,
    /// The probabilities of blocks against the truth, if a model was scored.
    pub curves: Option<Curves>,
    /// The other system, if there is one.
    pub comparison: Option<Comparison>,
    /// The pages with the lowest F1, block by block, the lowest first.
    pub worst: Vec<PageView>,
    /// The pages on which two systems differ most, block by block.
    pub changed: Vec<PageView>,
}

impl Analysis {
    /// Groups and curves of a system's pages; comparison and pages to look at are the caller's to add.
    pub fn new(system: &str, judged: &[Judged]) -> Analysis {
        let rows: Vec<PageRow> = judged.iter().map(|j| j.row.clone()).collect();
        let groups = groups(&rows).into_iter().map(|group| GroupRow::new(group, &rows)).collect();
        let blocks = judged.iter().flat_map(|j| j.blocks.iter().copied()).collect();
        Analysis {
            system: system.to_owned(),
            groups,
            distribution: distribution(&rows),
            curves: Curves::new(blocks),
            comparison: None,
            worst: Vec::new(),
            changed: Vec::new(),
        }
    }

    /// The groups of one kind, in order.
    pub fn groups_by(&self, by: By) -> Vec<&GroupRow> {
        self.groups.iter().filter(|group| group.by == by).collect()
    }

    /// Writes `report.json`, `groups.csv`, `distribution.csv`, `curve.csv`, `calibration.csv`, `comparison.csv` and
    /// `changed.csv` into a folder that is there. Tables of what is not known have a header alone.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self, dir: &Path) -> Result<(), ReportError> {
        let path = dir.join("report.json");
        let json =
            serde_json::to_vec(self).map_err(|e| ReportError::Format { path: path.clone(), message: e.to_string() })?;
        write_whole(&path, &json)?;
        let header = ["by", "value", "pages", "f1", "low", "high", "precision", "recall"];
        table(&dir.join("groups.csv"), &header, &self.groups)?;
        table(&dir.join("distribution.csv"), &["low", "high", "pages"], &self.distribution)?;
        let (curve, calibration) = self.curves.as_ref().map_or((&[][..], &[][..]), |c| (&c.curve, &c.calibration));
        table(&dir.join("curve.csv"), &["threshold", "precision", "recall", "f1"], curve)?;
        let header = ["low", "high", "blocks", "predicted", "observed"];
        table(&dir.join("calibration.csv"), &header, calibration)?;
        let (differences, changed) = self.comparison.as_ref().map_or((&[][..], &[][..]), |c| (&c.groups, &c.changed));
        let header = ["by", "value", "pages", "f1", "other_f1", "difference", "low", "high"];
        table(&dir.join("comparison.csv"), &header, differences)?;
        table(&dir.join("changed.csv"), &["id", "set", "f1", "other_f1", "difference"], changed)
    }
}

impl GroupRow {
    fn new(group: Group, rows: &[PageRow]) -> GroupRow {
        let totals: Vec<Totals> = group.rows.iter().map(|at| rows[*at].totals).collect();
        let means = totals.iter().sum::<Totals>().means();
        let draw = || bootstrap::means(&totals, SEED).into_iter().map(|m| m.f1).collect();
        let interval = group.has_interval().then(|| bootstrap::interval(draw())).flatten();
        let [low, high] = interval.map_or([None; 2], |ends| ends.map(Some));
        let pages = group.rows.len();
        let (f1, precision, recall) = (means.f1, means.precision, means.recall);
        GroupRow { by: group.by, value: group.value, pages, f1, low, high, precision, recall }
    }
}

fn distribution(rows: &[PageRow]) -> Vec<Bin> {
    let edge = |bin: usize| bin as f64 / BINS as f64;
    let mut bins: Vec<Bin> = (0..BINS).map(|bin| Bin { low: edge(bin), high: edge(bin + 1), pages: 0 }).collect();
    for row in rows {
        bins[((row.f1 * BINS as f64) as usize).min(BINS - 1)].pages += 1;
    }
    bins
}
