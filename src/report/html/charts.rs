//! The charts, as SVG that takes its colours from the page's style.

use maud::{Markup, html};

use crate::label::Label;
use crate::report::analysis::{Bin, GroupRow};
use crate::report::compare::Difference;
use crate::report::curves::Curves;

const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 48.0;
const RIGHT: f64 = 22.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 46.0;

/// A share of the plot's width.
fn x(share: f64) -> f64 {
    round(LEFT + share * (WIDTH - LEFT - RIGHT))
}

/// A share of the plot's height, from below.
fn y(share: f64) -> f64 {
    round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM))
}

/// A tenth of a pixel is enough, and keeps the file small.
fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn svg(width: f64, height: f64, about: &str, inner: Markup) -> Markup {
    html! {
        svg viewBox={ "0 0 " (width) " " (height) } width=(width) height=(height) role="img" aria-label=(about) { (inner) }
    }
}

/// Axes with ticks at the given shares.
fn plot(about: &str, titles: [&str; 2], xs: &[(f64, String)], ys: &[(f64, String)], inner: Markup) -> Markup {
    let middle = (x(0.0) + x(1.0)) / 2.0;
    let half = (y(0.0) + y(1.0)) / 2.0;
    svg(
        WIDTH,
        HEIGHT,
        about,
        html! {
            @for (at, label) in ys {
                line class="grid" x1=(x(0.0)) x2=(x(1.0)) y1=(y(*at)) y2=(y(*at)) {}
                text class="tick" x=(x(0.0) - 6.0) y=(y(*at) + 4.0) text-anchor="end" { (label) }
            }
            @for (at, label) in xs {
                line class="grid" x1=(x(*at)) x2=(x(*at)) y1=(y(0.0)) y2=(y(0.0) + 4.0) {}
                text class="tick" x=(x(*at)) y=(y(0.0) + 17.0) text-anchor="middle" { (label) }
            }
            line class="axis" x1=(x(0.0)) x2=(x(1.0)) y1=(y(0.0)) y2=(y(0.0)) {}
            text class="title" x=(middle) y=(HEIGHT - 8.0) text-anchor="middle" { (titles[0]) }
            text class="title" transform={ "translate(13 " (half) ") rotate(-90)" } text-anchor="middle" { (titles[1]) }
            (inner)
        },
    )
}

fn fifths() -> Vec<(f64, String)> {
    (0..=5).map(|n| (f64::from(n) / 5.0, format!("{:.1}", f64::from(n) / 5.0))).collect()
}

fn path(points: impl Iterator<Item = (f64, f64)>) -> String {
    points.enumerate().map(|(n, (a, b))| format!("{}{} {}", if n == 0 { "M" } else { "L" }, x(a), y(b))).collect()
}

/// Precision against recall.
pub fn precision_recall(curves: &Curves) -> Markup {
    let about = format!("Precision against recall in words; average precision {:.4}", curves.average_precision);
    let decision = &curves.decision;
    plot(
        &about,
        ["recall", "precision"],
        &fifths(),
        &fifths(),
        html! {
            path class="line" d=(path(curves.curve.iter().map(|p| (p.recall, p.precision)))) {}
            @for point in curves.curve.iter().filter(|p| ((p.threshold * 100.0).round() as u32).is_multiple_of(10)) {
                circle class="dot small" cx=(x(point.recall)) cy=(y(point.precision)) r="3" {
                    title { (format!("threshold {:.2}: precision {:.4}, recall {:.4}", point.threshold, point.precision, point.recall)) }
                }
            }
            circle class="mark" cx=(x(decision.recall)) cy=(y(decision.precision)) r="6" {
                title { (format!("what was kept: precision {:.4}, recall {:.4}", decision.precision, decision.recall)) }
            }
        },
    )
}

/// Observed against predicted share of body; the dots' areas go by their blocks.
pub fn calibration(curves: &Curves) -> Markup {
    let about = format!("Calibration; expected calibration error {:.4}", curves.calibration_error);
    let seen = || curves.calibration.iter().filter_map(|b| Some((b, b.predicted?, b.observed?)));
    let most = curves.calibration.iter().map(|b| b.blocks).max().unwrap_or(1).max(1);
    plot(
        &about,
        ["predicted probability of body", "observed share of body"],
        &fifths(),
        &fifths(),
        html! {
            line class="ideal" x1=(x(0.0)) y1=(y(0.0)) x2=(x(1.0)) y2=(y(1.0)) {}
            path class="line" d=(path(seen().map(|(_, predicted, observed)| (predicted, observed)))) {}
            @for (bin, predicted, observed) in seen() {
                circle class="dot" cx=(x(predicted)) cy=(y(observed)) r=(round(3.0 + 5.0 * (bin.blocks as f64 / most as f64).sqrt())) {
                    title { (format!("{} blocks: predicted {predicted:.3}, observed {observed:.3}", bin.blocks)) }
                }
            }
        },
    )
}

/// Pages by F1.
pub fn histogram(bins: &[Bin]) -> Markup {
    let most = bins.iter().map(|bin| bin.pages).max().unwrap_or(0);
    let step = nice_step(most);
    let top = most.div_ceil(step).max(1) * step;
    let ys: Vec<_> = (0..=top / step).map(|n| ((n * step) as f64 / top as f64, (n * step).to_string())).collect();
    plot(
        "Pages by F1",
        ["F1", "pages"],
        &fifths(),
        &ys,
        html! {
            @for bin in bins.iter().filter(|bin| bin.pages > 0) {
                @let height = bin.pages as f64 / top as f64;
                rect class="bar" x=(x(bin.low) + 1.0) y=(y(height)) width=(round(x(bin.high) - x(bin.low) - 2.0)) height=(round(y(0.0) - y(height))) rx="2" {
                    title { (format!("F1 {:.2} to {:.2}: {} pages", bin.low, bin.high, bin.pages)) }
                }
            }
        },
    )
}

/// A step of 1, 2 or 5 times a power of ten that makes at most six of the number.
fn nice_step(most: usize) -> usize {
    let mut power = 1;
    loop {
        for factor in [1, 2, 5] {
            if most <= 6 * factor * power {
                return factor * power;
            }
        }
        power *= 10;
    }
}

/// One line of [`whiskers`].
struct Line<'a> {
    name: &'a str,
    pages: usize,
    value: f64,
    ends: Option<(f64, f64)>,
}

/// Mean F1 by group with its interval.
pub fn groups(about: &str, rows: &[&GroupRow]) -> Markup {
    let line = |g: &&'_ GroupRow| (g.low.unwrap_or(g.f1)).min(g.f1);
    // An axis of dots need not begin at 0.
    let from = axis_start(rows.iter().map(line).fold(1.0, f64::min));
    let lines: Vec<Line> =
        rows.iter().map(|g| Line { name: &g.value, pages: g.pages, value: g.f1, ends: g.low.zip(g.high) }).collect();
    whiskers(about, &lines, from, 1.0, None)
}

/// Where an axis up to 1 begins that shows this value, so that four steps of it, or five, are round.
fn axis_start(least: f64) -> f64 {
    [0.9, 0.8, 0.6, 0.5].into_iter().find(|from| least >= from + 0.01).unwrap_or(0.0)
}

/// The difference of two systems by group.
pub fn differences(about: &str, rows: &[&Difference]) -> Markup {
    let reach = |d: &&Difference| {
        [d.difference, d.low.unwrap_or(0.0), d.high.unwrap_or(0.0)].map(f64::abs).into_iter().fold(0.0, f64::max)
    };
    let most = rows.iter().map(reach).fold(0.0, f64::max);
    let steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5];
    let reach = steps.into_iter().find(|step| most <= *step).unwrap_or(1.0);
    let lines: Vec<Line> = rows
        .iter()
        .map(|d| Line { name: &d.value, pages: d.pages, value: d.difference, ends: d.low.zip(d.high) })
        .collect();
    whiskers(about, &lines, -reach, reach, Some(0.0))
}

fn whiskers(about: &str, lines: &[Line], from: f64, to: f64, zero: Option<f64>) -> Markup {
    const NAMES: f64 = 150.0;
    const STEP: f64 = 22.0;
    let at = |value: f64| round(NAMES + (value - from) / (to - from) * (WIDTH - NAMES - RIGHT));
    let bottom = lines.len() as f64 * STEP + 8.0;
    // From 0.5 and 0.9 five steps are round, else four.
    let steps: u8 = if ((to - from) * 10.0).round() % 5.0 == 0.0 || to - from < 0.15 { 5 } else { 4 };
    let steps = if zero.is_some() { 4 } else { steps };
    let decimals = if zero.is_some() && to <= 0.05 { 3 } else { 2 };
    let ticks = (0..=steps).map(|n| from + (to - from) * f64::from(n) / f64::from(steps));
    svg(
        WIDTH,
        bottom + 24.0,
        about,
        html! {
            @for tick in ticks {
                line class="grid" x1=(at(tick)) x2=(at(tick)) y1="4" y2=(bottom) {}
                text class="tick" x=(at(tick)) y=(bottom + 16.0) text-anchor="middle" {
                    @if zero == Some(tick) { "0" } @else if zero.is_some() { (format!("{tick:+.decimals$}")) } @else { (format!("{tick:.decimals$}")) }
                }
            }
            @if let Some(zero) = zero { line class="axis" x1=(at(zero)) x2=(at(zero)) y1="4" y2=(bottom) {} }
            @for (n, line) in lines.iter().enumerate() {
                @let middle = n as f64 * STEP + 16.0;
                text class="name" x=(NAMES - 10.0) y=(middle + 4.0) text-anchor="end" { (short(line.name, 20)) }
                @if let Some((low, high)) = line.ends {
                    line class="whisker" x1=(at(low)) x2=(at(high)) y1=(middle) y2=(middle) {}
                }
                circle.dot.down[zero.is_some() && line.value < 0.0] cx=(at(line.value)) cy=(middle) r="4.5" {
                    title {
                        (line.name) (format!(": {:.4}, {} pages", line.value, line.pages))
                        @if let Some((low, high)) = line.ends { (format!(", 95 % {low:.4} to {high:.4}")) }
                    }
                }
            }
        },
    )
}

/// Blocks by right label (row) and given label (column), shaded by the share of the row.
pub fn confusion(counts: &[Vec<u64>]) -> Markup {
    const CELL: f64 = 46.0;
    const HIGH: f64 = 30.0;
    let (left, top) = (92.0, 78.0);
    let size = Label::COUNT as f64;
    svg(
        left + CELL * size + 4.0,
        top + HIGH * size + 4.0,
        "Blocks by right and given label",
        html! {
            text class="title" x=(left + CELL * size / 2.0) y="14" text-anchor="middle" { "given" }
            text class="title" transform={ "translate(13 " (top + HIGH * size / 2.0) ") rotate(-90)" } text-anchor="middle" { "right" }
            @for (n, label) in Label::ALL.into_iter().enumerate() {
                @let (column, row) = (left + CELL * (n as f64 + 0.5), top + HIGH * (n as f64 + 0.5));
                text class="name" transform={ "translate(" (column) " " (top - 8.0) ") rotate(-40)" } { (label.name()) }
                text class="name" x=(left - 8.0) y=(row + 4.0) text-anchor="end" { (label.name()) }
            }
            @for (n, (label, row)) in Label::ALL.into_iter().zip(counts).enumerate() {
                @let total = row.iter().sum::<u64>().max(1);
                @for (m, (given, count)) in Label::ALL.into_iter().zip(row).enumerate() {
                    @let share = *count as f64 / total as f64;
                    @let (column, line) = (left + CELL * m as f64, top + HIGH * n as f64);
                    rect class="cell" x=(column) y=(line) width=(CELL - 2.0) height=(HIGH - 2.0) rx="3" {}
                    rect.heat.wrong[n != m] x=(column) y=(line) width=(CELL - 2.0) height=(HIGH - 2.0) rx="3" fill-opacity=(round(share * 8.0) / 8.0 * 0.9) {
                        title { (format!("{label} labelled {given}: {count} blocks, {:.1} %", share * 100.0)) }
                    }
                    @if *count > 0 {
                        text.count.strong[share > 0.5] x=(column + CELL / 2.0 - 1.0) y=(line + HIGH / 2.0 + 3.0) text-anchor="middle" { (count) }
                    }
                }
            }
        },
    )
}

/// A name cut to a number of characters.
pub fn short(name: &str, most: usize) -> String {
    if name.chars().count() <= most {
        return name.to_owned();
    }
    name.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_numbers() {
        assert_eq!([0, 6, 7, 27, 31, 300, 301].map(nice_step), [1, 1, 2, 5, 10, 50, 100]);
    }

    #[test]
    fn axes_begin_at_round_numbers() {
        assert_eq!([1.0, 0.95, 0.905, 0.79, 0.55, 0.51, 0.3].map(axis_start), [0.9, 0.9, 0.8, 0.6, 0.5, 0.5, 0.0]);
    }

    #[test]
    fn names_are_cut_between_characters() {
        assert_eq!(short("أخبار الخليج", 6), "أخبار…");
        assert_eq!(short("news", 6), "news");
    }
}
