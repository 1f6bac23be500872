//! Kept blocks back into the lists, tables, quotes and headings they stood in, for text and Markdown alike.
//!
//! Only what was kept is arranged: a list that lost items is a shorter list, a table whose columns were all dropped
//! but one is plain paragraphs.

use std::iter::Peekable;

use super::written::is_blank;
use crate::page::dom::{AttrName, Dom, NodeId, Tag};
use crate::page::sentence::goes_on;
use crate::page::{Block, Page};

/// Deeper nesting is cut off, so that no page can make the recursion below deep.
const MAX_DEPTH: usize = 16;

/// A part of a document, in reading order.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    /// A paragraph: a block, and what goes on with its last sentence.
    Paragraph(Vec<&'a Block>),
    /// A heading of level 1 to 6.
    Heading(u8, &'a Block),
    Quote(Vec<Piece<'a>>),
    /// Preformatted text: the `<pre>` and its blocks.
    Pre(NodeId, Vec<&'a Block>),
    List {
        ordered: bool,
        items: Vec<Item<'a>>,
    },
    Table(Vec<Row<'a>>),
}

/// An item of a list.
#[derive(Debug)]
pub(super) struct Item<'a> {
    /// The number that a reader of an ordered list sees, dropped items counted.
    pub number: i64,
    pub pieces: Vec<Piece<'a>>,
}

/// A row of a table of data.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub cells: Vec<Cell<'a>>,
}

/// A cell of which something was kept.
#[derive(Debug)]
pub(super) struct Cell<'a> {
    /// The cell's column, from 0, dropped cells and spans counted.
    pub column: usize,
    pub header: bool,
    pub blocks: Vec<&'a Block>,
}

impl Piece<'_> {
    /// Whether the items are lines, not paragraphs.
    pub(super) fn is_tight(items: &[Item]) -> bool {
        items.iter().all(|item| {
            let (first, rest) = item.pieces.split_first().map_or((None, &[][..]), |(f, r)| (Some(f), r));
            let line = first.is_none_or(|first| matches!(first, Piece::Paragraph(_) | Piece::List { .. }));
            line && rest.iter().all(|piece| matches!(piece, Piece::List { .. }))
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    List,
    Item,
    Table,
    Row,
    Cell,
    Quote,
    Pre,
    Heading(u8),
}

fn kind(tag: Tag) -> Option<Kind> {
    Some(match tag {
        Tag::Ul | Tag::Ol | Tag::Menu | Tag::Dir => Kind::List,
        Tag::Li => Kind::Item,
        Tag::Table => Kind::Table,
        Tag::Tr => Kind::Row,
        Tag::Td | Tag::Th => Kind::Cell,
        Tag::Blockquote => Kind::Quote,
        Tag::Pre => Kind::Pre,
        Tag::H1 => Kind::Heading(1),
        Tag::H2 => Kind::Heading(2),
        Tag::H3 => Kind::Heading(3),
        Tag::H4 => Kind::Heading(4),
        Tag::H5 => Kind::Heading(5),
        Tag::H6 => Kind::Heading(6),
        _ => return None,
    })
}

/// A block with its structural ancestors, the outermost first.
struct Placed<'a> {
    block: &'a Block,
    path: Vec<(NodeId, Kind)>,
}

/// Arranges blocks, which must be in document order.
pub(super) fn arrange<'a>(page: &Page, kept: &[&'a Block]) -> Vec<Piece<'a>> {
    let dom = &page.dom;
    let place = |&block: &&'a Block| {
        let ancestors = dom.ancestors(block.nodes.start).filter_map(|node| Some((node, kind(dom.tag(node))?)));
        let mut path: Vec<_> = if block.nodes.is_empty() { Vec::new() } else { ancestors.collect() };
        path.reverse();
        path.truncate(MAX_DEPTH);
        Placed { block, path }
    };
    let placed: Vec<Placed> = kept.iter().filter(|block| !is_blank(page, block)).map(place).collect();
    pieces(page, &placed, 0)
}

/// The pieces of consecutive blocks that share their first `level` ancestors.
fn pieces<'a>(page: &Page, placed: &[Placed<'a>], level: usize) -> Vec<Piece<'a>> {
    let dom = &page.dom;
    let mut pieces: Vec<Piece<'a>> = Vec::new();
    for group in placed.chunk_by(|a, b| a.path.get(level) == b.path.get(level)) {
        let blocks = || group.iter().map(|placed| placed.block);
        match group[0].path.get(level) {
            None => {
                let paragraphs = group.chunk_by(|a, b| goes_on(page, a.block, b.block));
                pieces
                    .extend(paragraphs.map(|runs| Piece::Paragraph(runs.iter().map(|placed| placed.block).collect())));
            }
            Some(&(node, kind)) => match kind {
                Kind::Heading(rank) => pieces.extend(blocks().map(|block| Piece::Heading(rank, block))),
                Kind::Pre => pieces.push(Piece::Pre(node, blocks().collect())),
                Kind::Quote => pieces.push(Piece::Quote(self::pieces(page, group, level + 1))),
                Kind::List => pieces.extend(list(page, node, group, level + 1)),
                Kind::Table if is_data(dom, node, group, level) => {
                    let captions = group.iter().filter(|placed| placed.path.len() == level + 1);
                    pieces.extend(captions.map(|placed| Piece::Paragraph(vec![placed.block])));
                    pieces.push(Piece::Table(rows(dom, group, level + 1)));
                }
                // A layout table holds what it holds; so does a row without a table.
                Kind::Table | Kind::Row | Kind::Cell => pieces.extend(self::pieces(page, group, level + 1)),
                // Items without a list around them.
                Kind::Item => {
                    let item = Item { number: 1, pieces: self::pieces(page, group, level + 1) };
                    match pieces.last_mut() {
                        Some(Piece::List { items, ordered: false }) => items.push(item),
                        _ => pieces.push(Piece::List { ordered: false, items: vec![item] }),
                    }
                }
            },
        }
    }
    pieces
}

/// The list of an element. What stands in an ordered one outside its items goes on with the item before it, and has no
/// number; before the first item it is no part of the list.
fn list<'a>(page: &Page, list: NodeId, placed: &[Placed<'a>], level: usize) -> Vec<Piece<'a>> {
    let dom = &page.dom;
    let ordered = dom.tag(list) == Tag::Ol;
    let mut numbers = Numbers::new(dom, list);
    let (mut before, mut items): (Vec<Piece>, Vec<Item>) = Default::default();
    let alike =
        |a: &Placed, b: &Placed| a.path.get(level) == b.path.get(level) && (ordered || a.path.get(level).is_some());
    for group in placed.chunk_by(alike) {
        match (group[0].path.get(level), items.last_mut()) {
            (Some(&(node, Kind::Item)), _) => {
                items.push(Item { number: numbers.of(node), pieces: pieces(page, group, level + 1) });
            }
            // A list right inside a list belongs to the item before it.
            (Some((_, Kind::List)), Some(item)) => item.pieces.extend(pieces(page, group, level)),
            (_, Some(item)) if ordered => item.pieces.extend(pieces(page, group, level)),
            (_, None) if ordered => before.extend(pieces(page, group, level)),
            _ => items.push(Item { number: 1, pieces: pieces(page, group, level) }),
        }
    }
    if !items.is_empty() {
        before.push(Piece::List { ordered, items });
    }
    before
}

/// The numbers of a list's items (HTML standard, 4.4.8).
struct Numbers<'a> {
    dom: &'a Dom,
    items: Peekable<Box<dyn Iterator<Item = NodeId> + 'a>>,
    next: i64,
    step: i64,
}

impl<'a> Numbers<'a> {
    fn new(dom: &'a Dom, list: NodeId) -> Self {
        let items = || dom.children(list).filter(|&child| dom.tag(child) == Tag::Li);
        let reversed = dom.attr(list, AttrName::Reversed).is_some();
        let start = integer(dom.attr(list, AttrName::Start));
        let first = start.unwrap_or_else(|| if reversed { items().count() as i64 } else { 1 });
        let items: Box<dyn Iterator<Item = NodeId>> = Box::new(items());
        Numbers { dom, items: items.peekable(), next: first, step: if reversed { -1 } else { 1 } }
    }

    /// The number of an item, which comes after those that were asked for before.
    fn of(&mut self, item: NodeId) -> i64 {
        while let Some(before) = self.items.next_if(|other| *other < item) {
            self.count(before);
        }
        // An item may be in an element of its own, and is no child then.
        self.items.next_if_eq(&item);
        self.count(item)
    }

    fn count(&mut self, item: NodeId) -> i64 {
        let number = integer(self.dom.attr(item, AttrName::Value)).unwrap_or(self.next);
        self.next = number + self.step;
        number
    }
}

/// A whole number as attributes have it: what follows its digits does not count. One that no list reaches is none.
fn integer(value: Option<&str>) -> Option<i64> {
    let value = value?.trim_start();
    let (sign, digits) = match value.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, value.strip_prefix('+').unwrap_or(value)),
    };
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let number = digits[..end].parse::<u32>().ok()?;
    Some(sign * i64::from(number))
}

/// Whether a table holds data, not a page's layout: short cells without headings and the like inside, and at least
/// two of them kept side by side.
fn is_data(dom: &Dom, table: NodeId, placed: &[Placed], level: usize) -> bool {
    const MAX_BLOCKS: usize = 8;
    const MAX_CHARS: u32 = 1000;
    let layout = dom.attr(table, AttrName::Role).is_some_and(|role| matches!(role.trim(), "presentation" | "none"));
    let plain = placed.iter().all(|placed| {
        let inside = &placed.path[level + 1..];
        let in_cell = inside.len() < 2 || inside[0].1 == Kind::Row && inside[1].1 == Kind::Cell;
        let listed = inside.iter().skip(2).all(|(_, kind)| matches!(kind, Kind::List | Kind::Item));
        in_cell && inside.len() != 1 && listed && placed.block.chars <= MAX_CHARS
    });
    let captions = placed.iter().take_while(|placed| placed.path.len() == level + 1).count();
    let in_front = placed[captions..].iter().all(|placed| placed.path.len() > level + 1);
    if layout || !plain || !in_front {
        return false;
    }
    let cell = |placed: &Placed| placed.path.get(level + 2).copied();
    let cells: Vec<&[Placed]> = placed.chunk_by(|a, b| cell(a) == cell(b)).filter(|c| cell(&c[0]).is_some()).collect();
    let blocks: usize = cells.iter().map(|cell| cell.len()).sum();
    let side_by_side = cells.windows(2).any(|pair| pair[0][0].path.get(level + 1) == pair[1][0].path.get(level + 1));
    side_by_side && blocks <= 2 * cells.len() && cells.iter().all(|cell| cell.len() <= MAX_BLOCKS)
}

fn rows<'a>(dom: &Dom, placed: &[Placed<'a>], level: usize) -> Vec<Row<'a>> {
    let in_rows: Vec<&Placed> = placed.iter().filter(|placed| placed.path.len() > level).collect();
    let rows = in_rows.chunk_by(|a, b| a.path[level] == b.path[level]);
    let mut grid: Option<(NodeId, Grid<_>)> = None;
    let row = |row: &[&Placed<'a>]| {
        let element = row[0].path[level].0;
        let section = dom.parent(element);
        // Cells reach down to the end of their section at most.
        if grid.as_ref().is_none_or(|(other, _)| *other != section) {
            grid = Some((section, Grid { dom, rows: dom.children(section), below: Vec::new() }));
        }
        let places = grid.as_mut().map_or(Vec::new(), |(_, grid)| grid.places(element));
        let cells = row.chunk_by(|a, b| a.path.get(level + 1) == b.path.get(level + 1)).map(|cell| {
            let element = cell[0].path.get(level + 1).map_or(0, |(node, _)| *node);
            let column = places.binary_search_by_key(&element, |(cell, _)| *cell).map_or(0, |at| places[at].1);
            let blocks = cell.iter().map(|placed| placed.block).collect();
            Cell { column, header: dom.tag(element) == Tag::Th, blocks }
        });
        Row { cells: cells.collect() }
    };
    rows.map(row).collect()
}

/// A heading's text or Markdown without the sign at its end that links to the heading itself.
pub(super) fn heading<'a>(page: &Page, block: &Block, text: &'a str) -> &'a str {
    const SIGNS: [char; 5] = ['#', '¶', '§', '🔗', '⚓'];
    let dom = &page.dom;
    // The last node of the block with text: flattened text has none.
    let last = (block.nodes.clone()).rev().find(|node| !dom.text(*node).trim().is_empty());
    let is_sign = |node: &NodeId| dom.text(*node).trim().chars().all(|c| SIGNS.contains(&c));
    let is_link =
        |node: NodeId| dom.tag(node) == Tag::A && dom.attr(node, AttrName::Href).is_some_and(|h| h.contains('#'));
    if !last.filter(is_sign).is_some_and(|node| dom.ancestors(node).take(3).any(is_link)) {
        return text;
    }
    let bare = text.trim_end_matches(|c| SIGNS.contains(&c) || c == '\\').trim_end();
    if bare.is_empty() { text } else { bare }
}

/// The columns of which a cell was kept, from left to right.
pub(super) fn columns(rows: &[Row]) -> Vec<usize> {
    let mut columns: Vec<usize> = rows.iter().flat_map(|row| &row.cells).map(|cell| cell.column).collect();
    columns.sort_unstable();
    columns.dedup();
    columns
}

/// Finds the columns of cells, row by row.
struct Grid<'a, I> {
    dom: &'a Dom,
    rows: I,
    /// For each column how many rows more a cell takes that began above.
    below: Vec<usize>,
}

impl<I: Iterator<Item = NodeId>> Grid<'_, I> {
    /// The cells of a row with their columns, in order, after those of all rows above it.
    fn places(&mut self, row: NodeId) -> Vec<(NodeId, usize)> {
        while let Some(next) = self.rows.next() {
            if self.dom.tag(next) == Tag::Tr {
                let places = self.row(next);
                if next == row {
                    return places;
                }
            }
        }
        // A row in no section of rows.
        self.row(row)
    }

    fn row(&mut self, row: NodeId) -> Vec<(NodeId, usize)> {
        const MAX_SPAN: usize = 50;
        const MAX_ROWS: usize = 100;
        let mut below: Vec<usize> = self.below.iter().map(|rows| rows.saturating_sub(1)).collect();
        let (mut places, mut column) = (Vec::new(), 0);
        for cell in self.dom.children(row).filter(|cell| matches!(self.dom.tag(*cell), Tag::Td | Tag::Th)) {
            while self.below.get(column).is_some_and(|rows| *rows > 0) {
                column += 1;
            }
            let span = |name, most| {
                let span = self.dom.attr(cell, name).and_then(|span| span.trim().parse::<usize>().ok());
                span.unwrap_or(1).clamp(1, most)
            };
            places.push((cell, column));
            let end = column + span(AttrName::Colspan, MAX_SPAN);
            let rows = span(AttrName::Rowspan, MAX_ROWS);
            if rows > 1 {
                below.resize(below.len().max(end), 0);
                below[column..end].fill(rows - 1);
            }
            column = end;
        }
        below.truncate(below.iter().rposition(|rows| *rows > 0).map_or(0, |last| last + 1));
        self.below = below;
        places
    }
}

#[cfg(test)]
mod tests {
    use crate::Page;
    use crate::document::{markdown, plain_text};

    /// The text without the blocks that hold an `x`; `BOX` stands for a text too long for a word of the sentence.
    fn text(html: &str) -> String {
        let page = Page::from_html(&html.replace("BOX", &"x".repeat(60)));
        let kept: Vec<_> = page.blocks.iter().filter(|block| !page.text_of(block).contains('x')).collect();
        let text = plain_text(&page, &kept);
        assert_eq!(markdown(&page, &kept).trim_end(), text);
        text
    }

    #[test]
    fn a_sentence_goes_on_after_a_box_that_stands_in_its_paragraph() {
        assert_eq!(text("<p>قالت سهام <button>BOX</button> إن الفيلم جاهز.<p>ثم"), "قالت سهام إن الفيلم جاهز.\n\nثم");
        assert_eq!(text("<p>Mayor Reed<button>BOX</button>, who left in May.</p>"), "Mayor Reed, who left in May.");
    }

    #[test]
    fn a_sentence_goes_on_after_a_box_that_closed_its_paragraph() {
        assert_eq!(
            text("<div><p>قالت سهام <div class=bio><p>x</div> إن الفيلم جاهز. </p><p>ثم</div>"),
            "قالت سهام إن الفيلم جاهز.\n\nثم"
        );
        assert_eq!(
            text("<div><p>قالت سهام</p><div>x</div>إن الفيلم جاهز.<p>ثم</div>"),
            "قالت سهام\n\nإن الفيلم جاهز.\n\nثم"
        );
    }

    #[test]
    fn paragraphs_of_their_own_stay_apart() {
        assert_eq!(text("<p>انتهى</p><div>x</div><p>بدأ</p>"), "انتهى\n\nبدأ", "two elements");
        assert_eq!(text("<p>انتهى<br><br>x<br><br>بدأ</p>"), "انتهى\n\nبدأ", "breaks");
        assert_eq!(text("<p>It ended. <button>BOX</button> it began</p>"), "It ended.\n\nit began", "a full stop");
        assert_eq!(text("<p>It ended <button>BOX</button> It began</p>"), "It ended\n\nIt began", "a capital");
        assert_eq!(text("<div>It ended <div>x</div> it began</div>"), "It ended\n\nit began", "no paragraph");
    }
}
