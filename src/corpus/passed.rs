//! What a corpus holds besides pages, counted by kind, so that nobody wonders where records are.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Crawls of the whole web have media types without end.
#[cfg(any(feature = "warc", test))]
const KINDS: usize = 200;
/// So many kinds are told one by one.
const TOLD: usize = 12;
#[cfg(any(feature = "warc", test))]
const OTHERS: &str = "others";

/// The records of WARC files that are no pages, by kind: `request`, `status 404`, `image/png`.
///
/// Its copies count together.
#[derive(Clone, Debug, Default)]
pub struct PassedOver(Arc<Mutex<BTreeMap<String, u64>>>);

impl PassedOver {
    /// Counts a record.
    #[cfg(any(feature = "warc", test))]
    pub(super) fn count(&self, kind: &str) {
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kind = if kinds.len() < KINDS || kinds.contains_key(kind) { kind } else { OTHERS };
        *kinds.entry(kind.to_owned()).or_default() += 1;
    }

    /// The kinds with how many there are of each, the most frequent ones first.
    pub fn kinds(&self) -> Vec<(String, u64)> {
        let kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kinds: Vec<(String, u64)> = kinds.iter().map(|(kind, count)| (kind.clone(), *count)).collect();
        kinds.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        kinds
    }

    /// Whether there is nothing but pages.
    pub fn is_empty(&self) -> bool {
        self.kinds().is_empty()
    }
}

impl fmt::Display for PassedOver {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let kinds = self.kinds();
        let (told, rest) = kinds.split_at(kinds.len().min(TOLD));
        for (at, (kind, count)) in told.iter().enumerate() {
            write!(f, "{}{count} {kind}", if at > 0 { ", " } else { "" })?;
        }
        match rest.iter().map(|(_, count)| count).sum::<u64>() {
            0 => Ok(()),
            more => write!(f, ", {more} of {} more kinds", rest.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_their_number_and_take_no_memory_without_end() {
        let passed = PassedOver::default();
        assert!(passed.is_empty());
        for kind in ["request", "status 404", "request"] {
            passed.clone().count(kind);
        }
        assert_eq!(passed.to_string(), "2 request, 1 status 404");
        for n in 0..1_000 {
            passed.count(&format!("x/{n}"));
        }
        assert_eq!(passed.kinds().len(), KINDS + 1);
        assert_eq!(passed.kinds()[0], (OTHERS.to_owned(), 802));
        assert!(passed.to_string().starts_with("802 others, 2 request, 1 status 404, 1 x/0, "));
        assert!(passed.to_string().ends_with(", 189 of 189 more kinds"));
    }
}
