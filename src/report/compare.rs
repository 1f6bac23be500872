//! Two systems on the same pages: the paired difference of their F1.

use serde::Serialize;

use super::analysis::{By, groups};
use super::metrics::Totals;
use super::summary::SEED;
use super::{PageRow, bootstrap};

/// How many pages that changed most are listed.
const CHANGED: usize = 40;

/// One system against another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The system of the report.
    pub this: String,
    /// The one that it is compared to.
    pub other: String,
    /// Pages where this one's F1 is higher.
    pub better: usize,
    /// Pages where it is lower.
    pub worse: usize,
    /// Pages where both have the same.
    pub same: usize,
    /// Differences over all pages and by group.
    pub groups: Vec<Difference>,
    /// The pages whose F1 differs most, the greatest difference first.
    pub changed: Vec<ChangedPage>,
}

/// The mean difference over some pages.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// What the pages are grouped by.
    pub by: By,
    /// What they have in common.
    pub value: String,
    /// How many.
    pub pages: usize,
    /// This system's mean F1.
    pub f1: f64,
    /// The other's.
    pub other_f1: f64,
    /// This one's minus the other's.
    pub difference: f64,
    /// The lower end of its 95 % interval: both systems on the same samples of the pages.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
}

/// A page on which the two differ.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChangedPage {
    /// Its name.
    pub id: String,
    /// Its set.
    pub set: String,
    /// This system's F1.
    pub f1: f64,
    /// The other's.
    pub other_f1: f64,
    /// This one's minus the other's.
    pub difference: f64,
    /// The page's place among the report's rows.
    #[serde(skip)]
    pub at: usize,
}

impl Comparison {
    /// Compares two systems' rows of the same pages in the same order.
    pub fn new(names: [&str; 2], these: &[PageRow], others: &[PageRow]) -> Comparison {
        let difference = |at: usize| these[at].f1 - others[at].f1;
        let pages = these.len().min(others.len());
        let mut changed: Vec<usize> = (0..pages).filter(|at| difference(*at) != 0.0).collect();
        let better = changed.iter().filter(|at| difference(**at) > 0.0).count();
        let worse = changed.len() - better;
        changed.sort_by(|a, b| difference(*b).abs().total_cmp(&difference(*a).abs()).then(a.cmp(b)));
        changed.truncate(CHANGED);
        let changed = changed.into_iter().map(|at| ChangedPage {
            id: these[at].id.clone(),
            set: these[at].set.clone(),
            f1: these[at].f1,
            other_f1: others[at].f1,
            difference: difference(at),
            at,
        });
        let groups = groups(&these[..pages]).into_iter().map(|group| {
            let totals = |rows: &[PageRow]| group.rows.iter().map(|at| rows[*at].totals).collect::<Vec<Totals>>();
            let [this, other] = [totals(these), totals(others)];
            let [f1, other_f1] = [&this, &other].map(|side| side.iter().sum::<Totals>().means().f1);
            let interval = group.has_interval().then(|| {
                let draws = bootstrap::means(&this, SEED).into_iter().zip(bootstrap::means(&other, SEED));
                bootstrap::interval(draws.map(|(this, other)| this.f1 - other.f1).collect())
            });
            let [low, high] = interval.flatten().map_or([None; 2], |ends| ends.map(Some));
            let (by, value, pages) = (group.by, group.value, group.rows.len());
            Difference { by, value, pages, f1, other_f1, difference: f1 - other_f1, low, high }
        });
        let [this, other] = names.map(str::to_owned);
        Comparison {
            this,
            other,
            better,
            worse,
            same: pages - better - worse,
            groups: groups.collect(),
            changed: changed.collect(),
        }
    }

    /// The difference over all pages.
    pub fn overall(&self) -> Option<&Difference> {
        self.groups.iter().find(|group| group.by == By::All)
    }
}
