//! A report as Markdown, short enough for a pull request.

use std::fmt::Write;

use super::analysis::By;
use super::{Analysis, Report};

/// Rows of the longest tables.
const ROWS: usize = 10;

/// The report in Markdown: figures by set, the comparison if there is one, languages, kinds, and the worst pages.
pub fn summary(report: &Report, analysis: &Analysis) -> String {
    let mut out = format!("### Accuracy of {}\n\n", cell(&analysis.system));
    let row = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    out += "| set | pages | F1 | 95 % | precision | recall |\n|---|--:|--:|---|--:|--:|\n";
    for set in &report.summary.sets {
        let m = &set.means;
        let interval = set.f1_95.map(|[low, high]| format!("{low:.4}–{high:.4}")).unwrap_or_default();
        let [f1, precision, recall] = [m.f1, m.precision, m.recall].map(|v| format!("{v:.4}"));
        out += &row(&[cell(&set.set), set.pages.to_string(), f1, interval, precision, recall]);
    }
    if let Some(curves) = &analysis.curves {
        let _ = writeln!(
            out,
            "\nAverage precision {:.4}, expected calibration error {:.4}, over {} blocks.",
            curves.average_precision, curves.calibration_error, curves.blocks
        );
    }
    if let Some(comparison) = &analysis.comparison {
        let _ = writeln!(out, "\n### Against {}\n", cell(&comparison.other));
        out += "| | pages | F1 | other | difference | 95 % |\n|---|--:|--:|--:|--:|---|\n";
        // A group of one or two pages says nothing that the pages that changed most do not say below.
        let is_shown = |by: By, low: Option<f64>| match by {
            By::All | By::Set => true,
            By::Language | By::Type => low.is_some(),
            By::Year | By::Site => false,
        };
        for group in comparison.groups.iter().filter(|g| is_shown(g.by, g.low)) {
            let name = if group.by == By::All {
                "all pages".to_owned()
            } else {
                format!("{}: {}", group.by.name(), cell(&group.value))
            };
            let interval = group.low.zip(group.high).map(|(l, h)| format!("{l:+.4} to {h:+.4}")).unwrap_or_default();
            let [f1, other] = [group.f1, group.other_f1].map(|v| format!("{v:.4}"));
            out += &row(&[name, group.pages.to_string(), f1, other, format!("{:+.4}", group.difference), interval]);
        }
        let (better, worse, same) = (comparison.better, comparison.worse, comparison.same);
        let _ = writeln!(out, "\n{better} pages better, {worse} worse, {same} the same.");
        if !comparison.changed.is_empty() {
            out += "\n| changed most | F1 | other | difference |\n|---|--:|--:|--:|\n";
            for page in comparison.changed.iter().take(ROWS) {
                let [f1, other] = [page.f1, page.other_f1].map(|v| format!("{v:.4}"));
                out += &row(&[
                    format!("{}/{}", cell(&page.set), cell(&page.id)),
                    f1,
                    other,
                    format!("{:+.4}", page.difference),
                ]);
            }
        }
    } else {
        for by in [By::Language, By::Type] {
            let groups = analysis.groups_by(by);
            if groups.len() < 2 {
                continue;
            }
            let _ = writeln!(out, "\n| {} | pages | F1 | precision | recall |\n|---|--:|--:|--:|--:|", by.name());
            for group in groups {
                let [f1, precision, recall] = [group.f1, group.precision, group.recall].map(|v| format!("{v:.4}"));
                out += &row(&[cell(&group.value), group.pages.to_string(), f1, precision, recall]);
            }
        }
    }
    if !analysis.worst.is_empty() {
        out += "\n| worst pages | F1 | precision | recall |\n|---|--:|--:|--:|\n";
        for page in analysis.worst.iter().take(ROWS) {
            let [f1, precision, recall] = [page.f1, page.precision, page.recall].map(|v| format!("{v:.4}"));
            out += &row(&[format!("{}/{}", cell(&page.set), cell(&page.id)), f1, precision, recall]);
        }
    }
    out
}

/// A name as text in a table: names of pages may hold anything.
fn cell(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '~' | '&' | '@' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_names() {
        assert_eq!(cell("a|b\n<img>_x_"), r"a\|b \<img\>\_x\_");
        assert_eq!(cell("أخبار.html"), "أخبار.html");
    }
}
