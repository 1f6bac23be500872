//! Kept blocks to plain text.

use super::arrange::{Piece, Row, arrange, columns, heading};
use super::{code, written};
use crate::page::sentence::gap_before;
use crate::page::{Block, Page};

/// The text of blocks, which must be in document order: a blank line between them, items of a list on consecutive
/// lines, a row of a table on one line with tabs between its cells, one for an empty cell too. Words of different blocks
/// never run together. Besides white space only what elements stand for is added: quotation marks of `<q>`, parentheses
/// around readings; numbers in `<sup>` and `<sub>` are written so.
///
/// ```
/// use lubb::{Page, document::plain_text};
/// let page = Page::from_html("<p>مدن:</p><ul><li>بيروت<li>تونس</ul><table><tr><td>عمّان<td>4<tr><td>بغداد<td>8</table>");
/// let kept: Vec<_> = page.blocks.iter().collect();
/// assert_eq!(plain_text(&page, &kept), "مدن:\n\nبيروت\nتونس\n\nعمّان\t4\nبغداد\t8");
/// ```
///
/// # Panics
/// If a block is another page's and has no place in this one.
pub fn plain_text(page: &Page, kept: &[&Block]) -> String {
    let mut writer = Writer { page, text: String::new(), gap: "" };
    writer.pieces(&arrange(page, kept), "\n\n");
    writer.text
}

struct Writer<'a> {
    page: &'a Page,
    text: String,
    /// What goes before the next block.
    gap: &'static str,
}

impl Writer<'_> {
    fn pieces(&mut self, pieces: &[Piece], gap: &'static str) {
        for (at, piece) in pieces.iter().enumerate() {
            if at > 0 {
                self.gap = gap;
            }
            match piece {
                Piece::Heading(_, block) => {
                    let text = written::text(self.page, block);
                    self.push(heading(self.page, block, &text));
                }
                Piece::Paragraph(runs) => {
                    for (at, run) in runs.iter().enumerate() {
                        if at > 0 {
                            self.gap = gap_before(self.page.text_of(run));
                        }
                        self.block(run);
                    }
                }
                Piece::Quote(inner) => self.pieces(inner, "\n\n"),
                Piece::Pre(element, blocks) => self.push(&code::lines(self.page, *element, blocks)),
                Piece::List { items, .. } => {
                    let inner = if Piece::is_tight(items) { "\n" } else { "\n\n" };
                    for (at, item) in items.iter().enumerate() {
                        if at > 0 {
                            self.gap = inner;
                        }
                        self.pieces(&item.pieces, inner);
                    }
                }
                Piece::Table(rows) => {
                    let columns = columns(rows);
                    for row in rows {
                        self.row(row, &columns);
                        self.gap = "\n";
                    }
                }
            }
        }
    }

    fn block(&mut self, block: &Block) {
        self.push(&written::text(self.page, block));
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(std::mem::take(&mut self.gap));
        self.text.push_str(text);
    }

    fn row(&mut self, row: &Row, columns: &[usize]) {
        self.text.push_str(std::mem::take(&mut self.gap));
        let mut done = 0;
        for cell in &row.cells {
            let at = columns.partition_point(|column| *column < cell.column);
            // A cell that is empty or was not kept leaves its place.
            self.text.extend(std::iter::repeat_n('\t', at - done));
            done = at;
            for (inner, block) in cell.blocks.iter().enumerate() {
                if inner > 0 {
                    self.text.push(' ');
                }
                let text = written::text(self.page, block);
                self.text.extend(text.chars().map(|c| if c == '\n' { ' ' } else { c }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(html: &str, drop: &[usize]) -> String {
        let page = Page::from_html(html);
        let kept = page.blocks.iter().enumerate().filter(|(at, _)| !drop.contains(at)).map(|(_, block)| block);
        plain_text(&page, &kept.collect::<Vec<_>>())
    }

    #[test]
    fn lists_are_lines_unless_their_items_are_paragraphs() {
        assert_eq!(text("<p>أ<ul><li>ب<ol><li>ج</ol><li>د</ul><p>ه", &[]), "أ\n\nب\nج\nد\n\nه");
        assert_eq!(text("<ul><li>أ<li><p>ب<p>ج</ul>", &[]), "أ\n\nب\n\nج");
        assert_eq!(text("<ul><li>أ<li>ب<li>ج</ul>", &[1]), "أ\nج");
    }

    #[test]
    fn rows_are_lines_and_layout_is_not_data() {
        assert_eq!(text("<table><tr><th>أ<th>ب<tr><td>1<br>2<td><p>3<p>4</table>", &[]), "أ\tب\n1 2\t3 4");
        assert_eq!(text("<table><tr><td>أ<td>ب<tr><td>ج<td>د</table>", &[1, 2]), "أ\n\nد", "no row has two cells");
        let empty = "<table><tr><th>أ<th>ب<th>ج<tr><td>1<td><td>3<tr><td><td>2<td>3</table>";
        assert_eq!(text(empty, &[]), "أ\tب\tج\n1\t\t3\n\t2\t3");
        assert_eq!(text(empty, &[1, 5]), "أ\tج\n1\t3\n\t3", "a column of which nothing was kept");
        let spans =
            "<tr><th>أ<th>ب<th>ج<tr><td rowspan=2>1<td>2<td rowspan=3>3<tr><td>4<tr><td colspan=2>5<tr><td>6<td>7";
        assert_eq!(text(&format!("<table>{spans}</table>"), &[]), "أ\tب\tج\n1\t2\t3\n\t4\n5\n6\t7");
        let tall = format!("<table>{}</table>", "<tr><td rowspan=65534>أ<td>ب".repeat(3000));
        assert_eq!(text(&tall, &[]).lines().count(), 3000);
        assert_eq!(text("<table><tr><td>قائمة<td><h2>عنوان</h2><p>فقرة</table>", &[]), "قائمة\n\nعنوان\n\nفقرة");
    }

    #[test]
    fn a_headings_link_to_itself_is_no_text_of_it() {
        assert_eq!(text("<h2>أ<a href='#a'>¶</a></h2><p>ب<h2>ج <a href='/x#c'>#</a></h2>", &[]), "أ\n\nب\n\nج");
        assert_eq!(text("<h2>C#</h2><p>ب<h2>Intro to <a href='/c#'>C#</a></h2>", &[]), "C#\n\nب\n\nIntro to C#");
        assert_eq!(text("<h2><a href='#a'>#</a></h2>", &[]), "#");
    }

    #[test]
    fn lines_of_code_stay_together() {
        assert_eq!(text("<p>أ<pre><div>x = 1</div><div>y = 2</div></pre>", &[]), "أ\n\nx = 1\ny = 2");
    }

    #[test]
    fn flattened_text_has_paragraphs_only() {
        let page = Page::from_text("سطر\nآخر");
        assert_eq!(plain_text(&page, &page.blocks.iter().collect::<Vec<_>>()), "سطر\n\nآخر");
    }

    #[test]
    fn deep_nesting_is_cut_not_followed() {
        let deep = format!("{}أ{}", "<ul><li>".repeat(3000), "</ul>".repeat(3000));
        assert_eq!(text(&deep, &[]), "أ");
    }
}
