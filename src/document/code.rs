//! Preformatted text as it is written. A block begins at its first letter and ends at its last one, but code means its
//! indentation and its blank lines.

use crate::page::dom::{Display, NodeId, Tag};
use crate::page::{Block, Page};

/// The lines of a `<pre>`, from its own nodes if all its blocks are kept, else those of the blocks. Line breaks are line
/// feeds, `<br>` and the ends of block-level elements, as highlighters put one around each line.
pub(super) fn lines(page: &Page, pre: NodeId, blocks: &[&Block]) -> String {
    let dom = &page.dom;
    if page.blocks_in(pre).len() != blocks.len() {
        return blocks.iter().map(|block| page.text_of(block)).collect::<Vec<_>>().join("\n");
    }
    let mut code = String::new();
    // The ends of open block-level elements, and how much was written before them.
    let mut open: Vec<(NodeId, usize)> = Vec::new();
    let mut node = pre + 1;
    loop {
        while let Some((_, before)) = open.pop_if(|(end, _)| *end <= node) {
            // Of elements that end together one ends the line; an empty one is a blank line.
            if !code.ends_with('\n') || code.len() == before {
                code.push('\n');
            }
        }
        if node >= dom.end(pre) {
            break;
        }
        match dom.tag(node) {
            Tag::Text => code.extend(dom.text(node).chars().filter_map(written)),
            Tag::Br => code.push('\n'),
            tag => match tag.display() {
                Display::Hidden => {
                    node = dom.end(node);
                    continue;
                }
                Display::Block => {
                    if !code.is_empty() && !code.ends_with('\n') {
                        code.push('\n');
                    }
                    open.push((dom.end(node), code.len()));
                }
                Display::Inline => {}
            },
        }
        node += 1;
    }
    code.truncate(code.trim_end().len());
    let blank: usize = code.split_inclusive('\n').take_while(|line| line.trim().is_empty()).map(str::len).sum();
    code.split_off(blank)
}

/// A character as it stands in code: spaces that do not break stand for spaces.
fn written(c: char) -> Option<char> {
    match c {
        '\u{a0}' => Some(' '),
        '\n' | '\t' => Some(c),
        '\u{feff}' => None,
        _ => Some(c).filter(|c| !c.is_control()),
    }
}

#[cfg(test)]
mod tests {
    use crate::Page;
    use crate::document::{markdown, plain_text};

    fn code(html: &str) -> String {
        let page = Page::from_html(html);
        let kept: Vec<_> = page.blocks.iter().collect();
        let text = plain_text(&page, &kept);
        assert_eq!(markdown(&page, &kept), format!("```\n{text}\n```\n"));
        text
    }

    #[test]
    fn indentation_and_blank_lines_stay_however_lines_are_marked() {
        let lines = "def f(x):\n    if x:\n\n        return 1\n    return 2";
        assert_eq!(code(&format!("<pre>\n{lines}\n\n</pre>")), lines);
        assert_eq!(code(&format!("<pre><code>{}</code></pre>", lines.replace('\n', "<br>"))), lines);
        let with = |before: &str, after: &str| {
            let all: String = lines.lines().map(|line| format!("{before}{line}{after}")).collect();
            code(&format!("<pre><code>{all}</code></pre>"))
        };
        assert_eq!(with("<div class=line>", "</div>"), lines);
        assert_eq!(with("<div><div><span>", "</span></div></div>"), lines);
        assert_eq!(with("<div>", "\n</div>"), lines);
        assert_eq!(with("<span>", "</span>\n"), lines);
    }

    #[test]
    fn the_first_lines_indentation_stays_and_what_nobody_sees_does_not() {
        assert_eq!(code("<pre>\n\n   a\u{a0}\u{a0}b<script>x</script>\u{feff}\n  c</pre>"), "   a  b\n  c");
    }

    #[test]
    fn of_code_that_was_kept_in_part_the_blocks_are_left() {
        let page = Page::from_html("<pre><div>  a</div><div>  b</div><div>  c</div></pre>");
        assert_eq!(plain_text(&page, &[&page.blocks[0], &page.blocks[2]]), "a\nc");
    }
}
