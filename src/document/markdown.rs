//! Kept blocks to Markdown: CommonMark 0.31 with the tables of GitHub Flavored Markdown.

use super::arrange::{Item, Piece, Row, arrange, columns, heading};
use super::code;
use super::inline::{Inline, Lines};
use crate::page::dom::{AttrName, NodeId, Tag};
use crate::page::sentence::gap_before;
use crate::page::{Block, Page};

/// The Markdown of blocks, which must be in document order. Links are resolved against the page's address where it is
/// known; images are left out, since only text is labelled.
///
/// ```
/// use lubb::{Page, document::markdown};
/// let page = Page::from_html("<h2>العنوان</h2><p>نص <b>مهم</b> و<a href='https://example.org/'>رابط</a>.<ol><li>أول<li>2. ثان</ol>");
/// let kept: Vec<_> = page.blocks.iter().collect();
/// assert_eq!(
///     markdown(&page, &kept),
///     "## العنوان\n\nنص **مهم** و[رابط](https://example.org/).\n\n1. أول\n2. 2\\. ثان\n",
/// );
/// ```
///
/// # Panics
/// If a block is another page's and has no place in this one.
pub fn markdown(page: &Page, kept: &[&Block]) -> String {
    let writer = Writer { page, inline: Inline::new(page) };
    let mut markdown = writer.pieces(&arrange(page, kept), "\n\n");
    if !markdown.is_empty() {
        markdown.push('\n');
    }
    markdown
}

struct Writer<'a> {
    page: &'a Page,
    inline: Inline<'a>,
}

impl Writer<'_> {
    fn pieces(&self, pieces: &[Piece], gap: &str) -> String {
        let mut out = String::new();
        // Lists that follow each other would become one; another mark keeps them apart.
        let mut other_mark = false;
        for (at, piece) in pieces.iter().enumerate() {
            if at > 0 {
                out.push_str(gap);
            }
            other_mark = match (piece, at.checked_sub(1).map(|before| &pieces[before])) {
                (Piece::List { ordered: a, .. }, Some(Piece::List { ordered: b, .. })) => a == b && !other_mark,
                _ => false,
            };
            out.push_str(&match piece {
                Piece::Paragraph(runs) => self.paragraph(runs),
                Piece::Heading(level, block) => {
                    format!("{} {}", "#".repeat((*level).into()), self.heading(block))
                }
                Piece::Quote(inner) => prefixed(&self.pieces(inner, "\n\n"), "> ", "> "),
                Piece::Pre(element, blocks) => self.fenced(*element, blocks),
                Piece::List { ordered, items } => self.list(*ordered, items, other_mark),
                Piece::Table(rows) => self.table(rows),
            });
        }
        out
    }

    fn paragraph(&self, runs: &[&Block]) -> String {
        let mut out = String::new();
        for (at, run) in runs.iter().enumerate() {
            if at > 0 {
                out.push_str(gap_before(self.page.text_of(run)));
            }
            out.push_str(&self.inline.markdown(run, Lines::Kept));
        }
        out
    }

    /// A heading's text in one line; number signs at its end would be taken for the closing of the heading.
    fn heading(&self, block: &Block) -> String {
        let text = self.inline.markdown(block, Lines::Joined);
        let text = heading(self.page, block, &text);
        let bare = text.trim_end_matches('#');
        if bare.len() < text.len() && !bare.ends_with('\\') {
            format!("{bare}\\{}", &text[bare.len()..])
        } else {
            text.to_owned()
        }
    }

    fn list(&self, ordered: bool, items: &[Item], other_mark: bool) -> String {
        let tight = Piece::is_tight(items);
        let mut out = String::new();
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                out.push_str(if tight { "\n" } else { "\n\n" });
            }
            // Markdown knows no others.
            let number = item.number.clamp(0, 999_999_999);
            let mark = match (ordered, other_mark) {
                (true, false) => format!("{number}. "),
                (true, true) => format!("{number}) "),
                (false, false) => "- ".to_owned(),
                (false, true) => "* ".to_owned(),
            };
            let inner = self.pieces(&item.pieces, if tight && !needs_blank_line(&item.pieces) { "\n" } else { "\n\n" });
            out.push_str(&prefixed(&inner, &mark, &" ".repeat(mark.len())));
        }
        out
    }

    /// A fenced code block, its fence longer than any run of backticks inside.
    fn fenced(&self, element: NodeId, blocks: &[&Block]) -> String {
        let code = code::lines(self.page, element, blocks);
        let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(longest.max(2) + 1);
        format!("{fence}{}\n{code}\n{fence}", self.language(element).unwrap_or_default())
    }

    /// The language that a class of the `<pre>`, of the `<code>` in it or of an element around it names.
    fn language(&self, pre: NodeId) -> Option<&str> {
        let dom = &self.page.dom;
        let inside = (pre..dom.end(pre)).filter(|&node| matches!(dom.tag(node), Tag::Pre | Tag::Code)).take(3);
        let mut nodes = inside.chain(dom.ancestors(pre).take(2));
        nodes.find_map(|node| {
            let mut classes = dom.attr(node, AttrName::Class)?.split_whitespace();
            classes.find_map(|class| {
                let prefixes = ["language-", "lang-", "highlight-source-"];
                let name = prefixes.iter().find_map(|prefix| class.strip_prefix(prefix))?;
                let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '#' | '-' | '_' | '.');
                (!name.is_empty() && name.len() <= 30 && name.chars().all(valid)).then_some(name)
            })
        })
    }

    /// A table with the columns of which anything was kept. Markdown's tables must have a header: where the first row
    /// is none, it is empty.
    fn table(&self, rows: &[Row]) -> String {
        let columns = columns(rows);
        let has_header = rows.first().is_some_and(|row| row.cells.iter().all(|cell| cell.header));
        let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
        let mut lines: Vec<String> = Vec::with_capacity(rows.len() + 2);
        if !has_header {
            lines.push(line(&vec![String::new(); columns.len()]));
        }
        for row in rows {
            let mut cells = vec![String::new(); columns.len()];
            for cell in &row.cells {
                let texts = cell.blocks.iter().map(|block| self.inline.markdown(block, Lines::Joined));
                let text = texts.collect::<Vec<_>>().join("<br>").replace('|', "\\|");
                if let Ok(at) = columns.binary_search(&cell.column) {
                    cells[at] = text;
                }
            }
            lines.push(line(&cells));
        }
        lines.insert(1, line(&vec!["---".to_owned(); columns.len()]));
        lines.join("\n")
    }
}

/// Whether an inner list would be read as part of the paragraph before it: a numbered one must begin with 1 to
/// interrupt a paragraph.
fn needs_blank_line(pieces: &[Piece]) -> bool {
    pieces.iter().skip(1).any(|piece| match piece {
        Piece::List { ordered, items } => *ordered && items.first().is_some_and(|item| item.number != 1),
        _ => false,
    })
}

/// Puts `first` before the first line and `rest` before the others, without white space at the ends of blank lines.
fn prefixed(text: &str, first: &str, rest: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8 + 8);
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            out.push('\n');
        }
        let prefix = if at == 0 { first } else { rest };
        out.push_str(if line.is_empty() { prefix.trim_end() } else { prefix });
        out.push_str(line);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::plain_text;
    use proptest::prelude::*;
    use pulldown_cmark::{Event, Options, Parser, TagEnd};

    fn md(html: &str, drop: &[usize]) -> String {
        let mut page = Page::from_html(html);
        page.url = Some("https://sahifa.example/a/b.html".to_owned());
        let kept = page.blocks.iter().enumerate().filter(|(at, _)| !drop.contains(at)).map(|(_, block)| block);
        markdown(&page, &kept.collect::<Vec<_>>())
    }

    /// The words that a reader of the rendered Markdown sees.
    fn rendered(markdown: &str) -> Vec<String> {
        let mut text = String::new();
        for event in Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
            match event {
                Event::Text(t) | Event::Code(t) => text.push_str(&t),
                Event::SoftBreak | Event::HardBreak | Event::Rule => text.push(' '),
                Event::InlineHtml(html) if &*html == "<br>" => text.push(' '),
                Event::InlineHtml(html) | Event::Html(html) => panic!("{html:?} is markup in {markdown:?}"),
                Event::End(TagEnd::Emphasis | TagEnd::Strong | TagEnd::Link | TagEnd::Strikethrough) => {}
                Event::End(_) | Event::Start(pulldown_cmark::Tag::List(_) | pulldown_cmark::Tag::Item) => {
                    text.push(' ')
                }
                _ => {}
            }
        }
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn nested_lists_quotes_and_headings() {
        let html =
            "<h1>أ</h1><ol><li>ب<ul><li>ج</ul><li>د<p>ه</ol><blockquote>و<blockquote>ز</blockquote></blockquote>";
        assert_eq!(md(html, &[]), "# أ\n\n1. ب\n\n   - ج\n\n2. د\n\n   ه\n\n> و\n>\n> > ز\n");
        assert_eq!(md("<ul><li>أ<ol><li>ب<li>ج</ol></ul><ul><li>د</ul>", &[]), "- أ\n  1. ب\n  2. ج\n\n* د\n");
    }

    #[test]
    fn ordered_lists_have_the_numbers_that_the_page_shows() {
        assert_eq!(md("<ol><li>أ</ol><p>ب<ol start=2><li>ج<li>د</ol>", &[]), "1. أ\n\nب\n\n2. ج\n3. د\n");
        assert_eq!(md("<ol start=' 4.'><li>أ<li>ب<li value=9>ج<li>د</ol>", &[1]), "4. أ\n9. ج\n10. د\n");
        assert_eq!(md("<ol reversed><li>أ<li>ب<li>ج</ol>", &[]), "3. أ\n2. ب\n1. ج\n");
        assert_eq!(md("<ol start=x><li>أ</ol>", &[]), "1. أ\n");
        assert_eq!(md("<ol start=-1><li>أ<li value=4294967295>ب<li>ج</ol>", &[]), "0. أ\n999999999. ب\n999999999. ج\n");
    }

    #[test]
    fn what_stands_between_items_has_no_number() {
        assert_eq!(md("<ol><li>أ</li><p>بين</p><li>ب</li></ol>", &[]), "1. أ\n\n   بين\n\n2. ب\n");
        assert_eq!(md("<ol><p>قبل</p><li>أ</li><div><li>ب</li></div></ol>", &[]), "قبل\n\n1. أ\n2. ب\n");
        assert_eq!(md("<ol><p>أ</p><p>ب</p></ol>", &[]), "أ\n\nب\n");
        assert_eq!(md("<ul><p>أ</p><li>ب</li></ul>", &[]), "- أ\n- ب\n");
    }

    #[test]
    fn cut_lists_and_tables_stay_valid() {
        assert_eq!(md("<ul><li>أ<ol><li>ب<li>ج</ol></ul>", &[1]), "- أ\n\n  2. ج\n");
        assert_eq!(
            md("<table><tr><th>أ<th>ب<th>ج<tr><td>1<td>2<td>3<tr><td colspan=2>4|5<td>6</table>", &[1, 4]),
            "| أ | ج |\n| --- | --- |\n| 1 | 3 |\n| 4\\|5 | 6 |\n"
        );
        assert_eq!(md("<table><tr><td>أ<td>ب<tr><td>ج</table>", &[]), "|  |  |\n| --- | --- |\n| أ | ب |\n| ج |  |\n");
    }

    #[test]
    fn code_is_fenced_with_its_language() {
        assert_eq!(
            md("<pre><code class='hljs language-rust'>let a = \"```\";\n  b</code></pre>", &[]),
            "````rust\nlet a = \"```\";\n  b\n````\n"
        );
    }

    #[test]
    fn right_to_left_text_is_untouched() {
        let text = "قال: «نعم» — ثم (1) أضاف: ٥٠٪، و\u{200f}می\u{200c}خواهد؟ שלום";
        assert_eq!(md(&format!("<p>{text}</p>"), &[]), format!("{text}\n"));
    }

    #[test]
    fn flattened_text_is_escaped() {
        let page = Page::from_text("# ليس عنوانا\n- ولا *قائمة*");
        let all: Vec<_> = page.blocks.iter().collect();
        assert_eq!(markdown(&page, &all), "\\# ليس عنوانا\n\n\\- ولا \\*قائمة\\*\n");
    }

    fn word() -> impl Strategy<Value = String> {
        let marks = r"[-+*_#>|=~`!\\\[\]().:&<$^a1ب]{1,5}";
        prop_oneof![3 => "[a-z]{1,6}", 3 => "[\u{627}-\u{64a}]{1,6}", 3 => marks, 1 => Just("1.".to_owned()), 1 => Just("&amp;amp;".to_owned()),
            1 => Just("---".to_owned()), 1 => Just("<br>".to_owned()), 1 => Just("«نص»".to_owned())]
        .prop_map(|word| if word.len() < 5 || !word.starts_with('&') { word.replace('&', "&amp;").replace('<', "&lt;") } else { word })
    }

    fn inline() -> impl Strategy<Value = String> {
        let tag = prop::sample::select(vec![
            "b",
            "em",
            "code",
            "a href='/x_(y) z'",
            "a href='javascript:0'",
            "span",
            "i",
            "b i",
            "i b",
            "br",
        ]);
        let space = prop::sample::select(vec!["", " "]);
        let run =
            (prop::option::of(tag), prop::collection::vec(word(), 1..4), space).prop_map(|(tag, words, space)| {
                let words = words.join(" ");
                match tag {
                    Some("br") => format!("{words}<br>"),
                    Some("b i") => format!("<b>{words} <i>{words}</i></b>{space}"),
                    Some("i b") => format!("<i><b>{words}</b>{space}{words}</i>{space}"),
                    Some(tag) => format!("<{tag}>{words}</{}>{space}", tag.split(' ').next().unwrap()),
                    None => format!("{words}{space}"),
                }
            });
        prop::collection::vec(run, 1..5).prop_map(|runs| runs.concat())
    }

    fn html() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![inline(), inline().prop_map(|text| format!("<p>{text}</p>"))];
        let tags = vec!["ul", "ol", "li", "blockquote", "h2", "div", "pre", "tr", "td", "th", "table"];
        leaf.prop_recursive(5, 40, 5, move |inner| {
            (prop::sample::select(tags.clone()), prop::collection::vec(inner, 1..5)).prop_map(
                |(tag, parts)| match tag {
                    "ul" | "ol" => format!("<{tag}><li>{}</li></{tag}>", parts.join("</li><li>")),
                    "tr" => format!("<table><tr><td>{}</td></tr></table>", parts.join("</td><td>")),
                    "table" => {
                        format!("<table><tr><th>{}</th></tr></table>", parts.join("</td><td>1</td></tr><tr><td>"))
                    }
                    _ => format!("<{tag}>{}</{tag}>", parts.concat()),
                },
            )
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(1000)))]

        #[test]
        fn rendering_gives_the_words_of_the_text_again(html in html(), keep in prop::collection::vec(any::<bool>(), 30)) {
            let page = Page::from_html(&html);
            let kept: Vec<_> = page.blocks.iter().zip(keep.iter().chain(std::iter::repeat(&true))).filter(|(_, k)| **k).map(|(b, _)| b).collect();
            let text = plain_text(&page, &kept);
            let markdown = markdown(&page, &kept);
            let words: Vec<&str> = text.split_whitespace().collect();
            prop_assert_eq!(rendered(&markdown), words, "{}", markdown);
        }
    }
}
