//! A report as one page of HTML that needs nothing else: style, script and charts are in it.

use std::path::Path;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::analysis::{By, GroupRow};
use super::compare::{Comparison, Difference};
use super::curves::Curves;
use super::summary::SetSummary;
use super::{Analysis, Report, ReportError, write_whole};
use crate::label::Label;
use tables::{count, difference, group, interval, share, table, text};

mod charts;
mod pages;
mod tables;

/// Lines of a chart; the table has more.
const LINES: usize = 25;

/// Rows of a table; `groups.csv` has all.
const ROWS: usize = 500;

/// Pages that are open when the report is.
const OPEN: usize = 2;

/// Writes `report.html` into a folder that is there.
///
/// # Errors
/// If the file cannot be written.
pub fn write(report: &Report, analysis: &Analysis, dir: &Path) -> Result<(), ReportError> {
    write_whole(&dir.join("report.html"), render(report, analysis).as_bytes())
}

/// The page.
pub fn render(report: &Report, analysis: &Analysis) -> String {
    let title = format!("Accuracy of {}", analysis.system);
    let sets = &report.summary.sets;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                // Texts of pages are escaped; this says once more that nothing here loads or sends anything.
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body {
                header {
                    h1 { "Accuracy of " bdi { (analysis.system) } }
                    p {
                        (group(report.pages.len() as u64)) " pages of " (sets.len()) @if sets.len() == 1 { " set" } @else { " sets" }
                        ", lubb " (report.summary.version)
                        @if let Some(comparison) = &analysis.comparison { ", compared with " bdi { (comparison.other) } }
                    }
                }
                main {
                    (headline(sets, analysis.curves.as_ref()))
                    @if let Some(comparison) = &analysis.comparison { (compared(comparison)) }
                    @if let Some(curves) = &analysis.curves { (curve_sections(curves)) }
                    (labels(sets))
                    (distribution(analysis))
                    @for (by, name) in [(By::Language, "language"), (By::Type, "page type or group"), (By::Year, "year"), (By::Site, "site")] {
                        (by_group(name, by, analysis.groups_by(by)))
                    }
                    @if let Some(comparison) = &analysis.comparison { (changed(comparison, analysis)) }
                    (worst(analysis))
                }
                footer { p { "Word F1: the harmonic mean of precision and recall of a page's words as multisets, averaged over pages. Intervals: 95 %, 1,000 bootstrap samples of the pages. The numbers of this page are in the CSV and JSON files beside it." } }
                script { (PreEscaped(include_str!("sort.js"))) }
            }
        }
    };
    page.into_string()
}

/// A section with a chart at one side and its table at the other.
fn section(title: &str, about: Markup, chart: Markup, table: Markup) -> Markup {
    html! {
        section {
            h2 { (title) }
            p.about { (about) }
            div.pair { figure { (chart) } (table) }
        }
    }
}

fn tile(name: &str, value: f64, ends: Option<[f64; 2]>) -> Markup {
    html! {
        div.tile {
            span.name { (name) }
            span.value { (format!("{value:.4}")) }
            @if let Some([low, high]) = ends { span.ends { (format!("{low:.4} – {high:.4}")) } }
        }
    }
}

fn headline(sets: &[SetSummary], curves: Option<&Curves>) -> Markup {
    html! {
        @for set in sets {
            section.set {
                h2 { bdi { (set.set) } span.facts {
                    (group(set.pages as u64)) " pages"
                    @if set.failed > 0 { ", " (set.failed) " failed" }
                    @if set.empty > 0 { ", " (set.empty) " without text" }
                    @if set.unmatched_labels > 0 { ", " (set.unmatched_labels) " labels fit no block" }
                } }
                div.tiles {
                    (tile("F1", set.means.f1, set.f1_95))
                    (tile("precision", set.means.precision, set.precision_95))
                    (tile("recall", set.means.recall, set.recall_95))
                    (tile("shingle F1", set.means.shingle, set.shingle_95))
                }
            }
        }
        @if let Some(curves) = curves {
            section.set {
                h2 { "Blocks" span.facts { (group(curves.blocks as u64)) " blocks whose right label is known, " (group(curves.words)) " words" } }
                div.tiles {
                    (tile("average precision", curves.average_precision, None))
                    (tile("calibration error", curves.calibration_error, None))
                    (tile("precision of what was kept", curves.decision.precision, None))
                    (tile("recall of what was kept", curves.decision.recall, None))
                }
            }
        }
    }
}

fn curve_sections(curves: &Curves) -> Markup {
    let is_shown = |threshold: f64| ((threshold * 100.0).round() as u32).is_multiple_of(5);
    let points = curves.curve.iter().filter(|p| is_shown(p.threshold));
    let points = points.map(|p| vec![share(p.threshold), share(p.precision), share(p.recall), share(p.f1)]);
    let bins = curves.calibration.iter().map(|b| {
        let range = format!("{:.1}–{:.1}", b.low, b.high);
        vec![text(range), count(b.blocks), share(b.predicted), share(b.observed)]
    });
    html! {
        (section(
            "Precision and recall of blocks",
            html! { "In words, if every block above a threshold were kept. The ring is what was kept: the choice is made for each page as a whole." },
            charts::precision_recall(curves),
            table(&["threshold", "precision", "recall", "F1"], points.collect()),
        ))
        (section(
            "Calibration",
            html! { (format!("Blocks by their probability of body, and how many of them are. On the dashed line a probability means what it says; the expected calibration error is {:.4}.", curves.calibration_error)) },
            charts::calibration(curves),
            table(&["probability", "blocks", "predicted", "observed"], bins.collect()),
        ))
    }
}

fn labels(sets: &[SetSummary]) -> Markup {
    let mut counts = vec![vec![0; Label::COUNT]; Label::COUNT];
    for (sum, row) in sets.iter().flat_map(counts_of) {
        counts[sum].iter_mut().zip(row).for_each(|(sum, n)| *sum += n);
    }
    if counts.iter().flatten().all(|n| *n == 0) {
        return html! {};
    }
    let rows = sets.iter().flat_map(|set| {
        set.labels.iter().filter(|l| l.support > 0 || l.given > 0).map(|l| {
            let (support, given) = (count(l.support as usize), count(l.given as usize));
            vec![
                text(l.label.name()),
                text(set.set.as_str()),
                share(l.f1),
                share(l.precision),
                share(l.recall),
                support,
                given,
            ]
        })
    });
    section(
        "Labels",
        html! { "Blocks by right label (rows) and given label (columns), shaded by their share of the row. In the table, words." },
        charts::confusion(&counts),
        table(&["label", "set", "F1", "precision", "recall", "words", "given"], rows.collect()),
    )
}

fn counts_of(set: &SetSummary) -> impl Iterator<Item = (usize, &Vec<u64>)> {
    set.confusion.iter().enumerate()
}

fn distribution(analysis: &Analysis) -> Markup {
    let total: usize = analysis.distribution.iter().map(|bin| bin.pages).sum();
    let mut below = 0;
    let rows = analysis.distribution.iter().map(|bin| {
        below += bin.pages;
        let range = format!("{:.2}–{:.2}", bin.low, bin.high);
        vec![text(range), count(bin.pages), share(below as f64 / total.max(1) as f64)]
    });
    let rows: Vec<_> = rows.collect();
    let about = html! { "How many pages have which F1. The last bin holds the pages without a fault." };
    section(
        "Distribution",
        about,
        charts::histogram(&analysis.distribution),
        table(&["F1", "pages", "share up to here"], rows),
    )
}

fn by_group(name: &str, by: By, mut groups: Vec<&GroupRow>) -> Markup {
    if groups.is_empty() {
        return html! {};
    }
    let all = groups.len();
    match by {
        By::Year => {}
        By::Site => groups.sort_by(|a, b| a.f1.total_cmp(&b.f1)),
        _ => groups.sort_by(|a, b| b.pages.cmp(&a.pages).then(a.f1.total_cmp(&b.f1))),
    }
    let lines = if by == By::Year { groups.len().saturating_sub(LINES) } else { 0 };
    let drawn: Vec<&GroupRow> = groups.iter().skip(lines).take(LINES).copied().collect();
    let rows = groups.iter().take(ROWS).map(|g| {
        let ends = interval(g.low, g.high, false);
        vec![text(g.value.as_str()), count(g.pages), share(g.f1), ends, share(g.precision), share(g.recall)]
    });
    let about = html! {
        "Mean F1, with its interval from five pages on."
        @if by == By::Site { " The lowest first." }
        @if all > drawn.len() { " The chart shows " (drawn.len()) " of " (group(all as u64)) "." }
        @if all > ROWS { " The table shows " (ROWS) "; groups.csv has all." }
    };
    let title = format!("By {name}");
    let chart = charts::groups(&format!("Mean F1 by {name}"), &drawn);
    section(&title, about, chart, table(&[name, "pages", "F1", "95 %", "precision", "recall"], rows.collect()))
}

fn compared(comparison: &Comparison) -> Markup {
    let wide = |d: &&Difference| d.by != By::Site && (d.by == By::All || d.pages < overall_pages(comparison));
    let shown: Vec<&Difference> = comparison.groups.iter().filter(wide).collect();
    let drawn: Vec<&Difference> = shown.iter().take(LINES).copied().collect();
    let rows = comparison.groups.iter().take(ROWS).map(|d| {
        let ends = interval(d.low, d.high, true);
        vec![
            text(d.by.name()),
            text(d.value.as_str()),
            count(d.pages),
            share(d.f1),
            share(d.other_f1),
            difference(d.difference),
            ends,
        ]
    });
    let overall = comparison.overall();
    let about = html! {
        bdi { (comparison.this) } " against " bdi { (comparison.other) } ": "
        @if let Some(d) = overall {
            strong { (format!("{:+.4}", d.difference)) } " F1"
            @if let Some((low, high)) = d.low.zip(d.high) {
                (format!(", 95 % {low:+.4} to {high:+.4}"))
                @if low > 0.0 { " (higher)" } @else if high < 0.0 { " (lower)" } @else { " (no clear difference)" }
            }
            ". "
        }
        (group(comparison.better as u64)) " pages better, " (group(comparison.worse as u64)) " worse, " (group(comparison.same as u64)) " the same."
    };
    let chart = charts::differences("Difference of F1 by group", &drawn);
    let header = ["by", "group", "pages", "F1", "other", "difference", "95 %"];
    section("Comparison", about, chart, table(&header, rows.collect()))
}

fn overall_pages(comparison: &Comparison) -> usize {
    comparison.overall().map_or(0, |d| d.pages)
}

fn changed(comparison: &Comparison, analysis: &Analysis) -> Markup {
    let rows = comparison.changed.iter().map(|page| {
        let [f1, other] = [page.f1, page.other_f1].map(share);
        vec![text(page.id.as_str()), text(page.set.as_str()), f1, other, difference(page.difference)]
    });
    html! {
        section {
            h2 { "Pages that changed most" }
            @if comparison.changed.is_empty() { p.about { "Both have the same F1 on every page." } }
            @else { (table(&["page", "set", "F1", "other", "difference"], rows.collect())) }
            @for (view, page) in analysis.changed.iter().zip(&comparison.changed) {
                (pages::page(view, false, Some((&comparison.other, page.other_f1))))
            }
        }
    }
}

fn worst(analysis: &Analysis) -> Markup {
    if analysis.worst.is_empty() {
        return html! {};
    }
    html! {
        section {
            h2 { "The worst pages" }
            p.about { "Their blocks in order, coloured by the label they were given. Below a wrong one, the features that decided: what each added to the log-odds of body. Chrome that was left out is folded away." }
            p.legend { @for label in Label::ALL { span class={ "key " (label.name()) } { (label.name()) } } span.chip.missed { "missed" } span.chip.kept { "wrongly kept" } }
            @for (n, view) in analysis.worst.iter().enumerate() { (pages::page(view, n < OPEN, None)) }
        }
    }
}
