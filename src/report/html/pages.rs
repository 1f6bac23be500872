//! Pages block by block, coloured by label, with what is wrong marked.

use maud::{Markup, html};

use super::charts::short;
use crate::report::view::{BlockView, PageView, Verdict};

/// Characters of a block that are shown: of a wrong one more, since that is what one came to read.
const SHOWN: usize = 260;
const SHOWN_WRONG: usize = 900;

/// From this many blocks in a row of rightly dropped chrome on, they are folded away.
const FOLDED: usize = 5;

/// Blocks that a fold shows when it is opened.
const IN_FOLD: usize = 60;

/// A page, folded to its figures; `other` is the other system's name and F1.
pub fn page(view: &PageView, is_open: bool, other: Option<(&str, f64)>) -> Markup {
    let (missed, wrong) = (view.count(Verdict::Missed), view.count(Verdict::WronglyKept));
    html! {
        details.page open[is_open] {
            summary {
                span.f1 { (format!("{:.3}", view.f1)) }
                @if let Some((_, f1)) = other { span.delta.down[view.f1 < f1] { (format!("{:+.3}", view.f1 - f1)) } }
                bdi.id { (view.id) }
                span.facts {
                    (view.set)
                    @if let Some(lang) = &view.lang { " · " (lang) }
                    (format!(" · precision {:.3}, recall {:.3}", view.precision, view.recall))
                    @if let Some(score) = view.score { (format!(" · expected {score:.2}")) }
                }
                @if missed > 0 { span.chip.missed { (missed) " missed" } }
                @if wrong > 0 { span.chip.kept { (wrong) " wrongly kept" } }
            }
            @if let Some(error) = &view.error { p.error { (error) } }
            @if let Some((name, f1)) = other { p.note { (format!("F1 of {name}: {f1:.4}. Blocks that it treats otherwise say so.")) } }
            @if !view.is_known && !view.blocks.is_empty() {
                p.note { "The page does not hold its reference text, or nobody labelled its blocks: which of them are right is not known." }
            }
            ol.blocks { @for run in runs(&view.blocks) { (blocks(run.0, run.1)) } }
        }
    }
}

/// Runs of blocks: those to show, and those to fold away.
fn runs(all: &[BlockView]) -> Vec<(usize, &[BlockView])> {
    let is_plain = |block: &BlockView| {
        !block.kept && block.verdict != Verdict::Missed && !block.other_kept.is_some_and(|other| other)
    };
    let mut runs = Vec::new();
    let mut from = 0;
    while from < all.len() {
        let plain = is_plain(&all[from]);
        let length = all[from..].iter().take_while(|block| is_plain(block) == plain).count();
        runs.push((from, &all[from..from + length]));
        from += length;
    }
    runs
}

fn blocks(from: usize, run: &[BlockView]) -> Markup {
    let is_folded = run.len() >= FOLDED
        && run.iter().all(|b| !b.kept && b.verdict != Verdict::Missed && b.other_kept != Some(true));
    html! {
        @if is_folded {
            li.fold { details {
                summary { (run.len()) " blocks left out" @if run.iter().all(|b| b.verdict == Verdict::Right) { ", rightly" } }
                ol.blocks {
                    @for (n, view) in run.iter().take(IN_FOLD).enumerate() { (block(from + n, view)) }
                    @if run.len() > IN_FOLD { li.note { "and " (run.len() - IN_FOLD) " more" } }
                }
            } }
        } @else {
            @for (n, view) in run.iter().enumerate() { (block(from + n, view)) }
        }
    }
}

fn block(at: usize, view: &BlockView) -> Markup {
    let class = match (view.label, view.kept) {
        (Some(label), _) => label.name(),
        (None, true) => "body",
        (None, false) => "nav",
    };
    let verdict = match view.verdict {
        Verdict::Missed => Some(("missed", "missed")),
        Verdict::WronglyKept => Some(("kept", "wrongly kept")),
        Verdict::Right | Verdict::Unknown => None,
    };
    let shown = if verdict.is_some() { SHOWN_WRONG } else { SHOWN };
    html! {
        li class={ "block " (class) @if let Some((class, _)) = verdict { " is-" (class) } } value=(at) {
            div.tags {
                span.at { (at) }
                span.label { @match view.label { Some(label) => (label.name()), None => { @if view.kept { "kept" } @else { "left out" } } } }
                @if let Some(gold) = view.gold.filter(|gold| view.label.is_some_and(|label| label != *gold)) { span.right { "right: " (gold.name()) } }
                @if let Some(p) = view.body { span.p { (format!("body {p:.2}")) } }
                @if let Some((class, name)) = verdict { span class={ "chip " (class) } { (name) } }
                @match view.other_kept {
                    Some(true) if !view.kept => span.chip.other { "other kept it" },
                    Some(false) if view.kept => span.chip.other { "other left it out" },
                    _ => {}
                }
            }
            p dir="auto" { (short(&view.text, shown)) }
            @if !view.reasons.is_empty() {
                table.reasons {
                    @for reason in &view.reasons {
                        tr {
                            td.number.up[reason.contribution > 0.0].down[reason.contribution < 0.0] { (format!("{:+.2}", reason.contribution)) }
                            td { code { (reason.column) } (format!(" = {:.3}", reason.value)) }
                        }
                    }
                }
            }
        }
    }
}
