//! A table of data is of the article or it is not, as a whole: a row without its figure, or figures without the names above
//! them, say what the page does not.
//!
//! The model judges cell by cell. Where it keeps some and others not, all are kept if those are [`KEPT`] of the table's
//! letters, and none otherwise. Out of fold this changes 61 of 2,206 training pages, 34 of them for the better and 24 for the
//! worse by word F1, whose mean stays: it is there for the readers of the tables. Lists are left as the model has them: with
//! their holes filled in the same way, 79 pages were worse and 55 better.

use super::Labels;
use crate::label::{Label, Labelled};
use crate::page::dom::{NodeId, Tag};
use crate::page::{Input, Page};

/// With this share of a table's letters kept, all of it is.
const KEPT: f32 = 0.4;
/// A cell with more blocks, or letters in one of them, is a column of a page that is laid out as a table.
const CELL_BLOCKS: usize = 2;
const CELL_CHARS: u32 = 300;

/// Keeps tables of data whole, or leaves them out.
pub fn keep_whole(page: &Page, labels: &mut Labels) {
    if page.input() == Input::Text {
        return;
    }
    for table in page.dom.elements(Tag::Table).filter(|table| page.blocks_in(*table).len() > 1) {
        let Some(cells) = cells_of_data(page, table) else { continue };
        let blocks = || cells.iter().flat_map(|cell| page.blocks_in(*cell));
        let chars = |at: usize| page.blocks[at].chars as f32;
        let all: f32 = blocks().map(chars).sum();
        let kept: f32 = blocks().filter(|at| labels.is_body(*at)).map(chars).sum();
        if kept == 0.0 {
            continue;
        }
        for at in blocks() {
            let Labelled { label, body, .. } = labels.blocks[at];
            match (label, kept >= KEPT * all) {
                (Label::Body, false) => labels.take_out(at, Label::Widget),
                (Label::Body, true) | (_, false) => {}
                (_, true) => labels.blocks[at] = Labelled { label: Label::Body, p: body, body },
            }
        }
    }
}

/// The cells of a table of data: rows of which most have as many cells as each other, two or more, with little text in each
/// and no table in any.
fn cells_of_data(page: &Page, table: NodeId) -> Option<Vec<NodeId>> {
    let dom = &page.dom;
    let (mut cells, mut rows) = (Vec::new(), Vec::new());
    for node in table + 1..dom.end(table) {
        match dom.tag(node) {
            // Of nested tables the outer ones end here, so that none is read twice to its end.
            Tag::Table => return None,
            Tag::Tr => rows.push(0u32),
            Tag::Td | Tag::Th => {
                *rows.last_mut()? += 1;
                cells.push(node);
            }
            _ => {}
        }
    }
    rows.retain(|cells| *cells > 0);
    let mut widths = rows.clone();
    widths.sort_unstable();
    let runs = widths.chunk_by(|a, b| a == b);
    let usual = runs.max_by_key(|run| run.len()).filter(|run| run.len() > 1 && run[0] > 1)?;
    let is_cell = |cell: &NodeId| {
        let blocks = page.blocks_in(*cell);
        blocks.len() <= CELL_BLOCKS && page.blocks[blocks].iter().all(|block| block.chars <= CELL_CHARS)
    };
    (3 * usual.len() >= 2 * rows.len() && cells.iter().all(is_cell)).then_some(cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts kept of a page of which what holds `x` was kept.
    fn kept(body: &str) -> String {
        let page = Page::from_html(body);
        let block = |text: &str| {
            let (label, body) = if text.contains('x') { (Label::Body, 0.9) } else { (Label::Nav, 0.3) };
            Labelled { label, p: 0.7, body }
        };
        let blocks = page.blocks.iter().map(|own| block(page.text_of(own))).collect();
        let mut labels = Labels { blocks, score: 1.0 };
        keep_whole(&page, &mut labels);
        let kept: Vec<&str> = labels.body().map(|at| page.text_of(&page.blocks[at])).collect();
        kept.join(" ")
    }

    #[test]
    fn holes_of_a_table_are_filled_and_what_stands_around_it_stays() {
        let rows = "<tr><th>a<th>bx<tr><td>cx<td>dx<tr><td>ex<td>f";
        assert_eq!(kept(&format!("<p>px<p>q<table><caption>r</caption>{rows}</table>")), "px a bx cx dx ex f");
        assert_eq!(kept(&format!("<table>{rows}<tr><td colspan=2>all</table>")), "a bx cx dx ex f all");
    }

    #[test]
    fn few_cells_of_a_table_are_left_out() {
        assert_eq!(kept("<p>px<table><tr><td>a<td>b<tr><td>c<td>dx<tr><td>e<td>f</table>"), "px");
    }

    #[test]
    fn tables_that_lay_a_page_out_are_left_as_they_are() {
        let long = "word ".repeat(80);
        assert_eq!(kept(&format!("<table><tr><td>a<td>{long}x<tr><td>b<td>cx</table>")), format!("{long}x cx"));
        assert_eq!(kept("<table><tr><td>a<td><p>ax<p>b<p>cx<tr><td>b<td>cx</table>"), "ax cx cx");
        assert_eq!(kept("<table><tr><td>ax<td><table><tr><td>b<td>c</table><tr><td>dx<td>e</table>"), "ax dx");
        assert_eq!(kept("<table><tr><td>ax<tr><td>b<tr><td>cx</table>"), "ax cx", "a list");
        assert_eq!(kept("<table><tr><td>ax<td>b</table>"), "ax", "one row");
        assert_eq!(kept("<table><tr><td>ax<td>b<tr><td>c<td>dx<td>e<tr><td>fx</table>"), "ax dx fx", "no columns");
    }
}
