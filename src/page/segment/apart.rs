//! Inline elements that their own style sets apart from the text around them: a line of its own, or a box in the line.
//!
//! They begin no block, since blocks are what the model was trained with; but words do not run together with them.

use super::super::dom::{AttrName, Dom, NodeId, Tag};
use super::inset_chars;

/// How an element is set apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Apart {
    /// It has a line of its own.
    Line,
    /// It is a box within the line.
    Box,
}

impl Apart {
    /// How an inline element is set apart, if it is and holds anything.
    pub(super) fn of(dom: &Dom, node: NodeId) -> Option<Apart> {
        // Without more letters a box that floats is the big first letter of a paragraph.
        const INITIAL: usize = 2;
        if dom.end(node) == node + 1 {
            return None;
        }
        let style = || dom.attrs_among(node, |name| name == AttrName::Style).next().map(|(_, style)| flow(style));
        let flow = if dom.tag(node) == Tag::Marquee { Flow::InlineBlock } else { style()? };
        let is_apart = match flow {
            Flow::Inline => false,
            Flow::Line | Flow::Cell => true,
            // Japanese phrases are kept on a line so, and letters that are animated: parts of words and of sentences.
            Flow::InlineBlock => has_words(dom, node),
            Flow::Float => inset_chars(dom, node) > INITIAL,
        };
        is_apart.then_some(if flow == Flow::Line { Apart::Line } else { Apart::Box })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Inline,
    Line,
    Cell,
    InlineBlock,
    Float,
}

/// What inline style says of an element's place (CSS `display`, and `float`, which comes before it).
fn flow(style: &str) -> Flow {
    let (mut flow, mut floats) = (Flow::Inline, false);
    for (property, set) in style.split(';').filter_map(|declaration| declaration.split_once(':')) {
        let property = property.trim();
        let word = set.trim().split([' ', '!']).next().unwrap_or_default();
        let is = |words: &[&str]| words.iter().any(|other| word.eq_ignore_ascii_case(other));
        if property.eq_ignore_ascii_case("float") {
            floats = is(&["left", "right", "inline-start", "inline-end"]);
        } else if property.eq_ignore_ascii_case("display") {
            flow = match () {
                () if is(&["block", "flow-root", "list-item", "table", "table-row", "flex", "grid"]) => Flow::Line,
                () if is(&["table-cell"]) => Flow::Cell,
                () if is(&["inline-block", "inline-flex", "inline-grid", "inline-table"]) => Flow::InlineBlock,
                () => Flow::Inline,
            };
        }
    }
    if floats { Flow::Float } else { flow }
}

/// Whether the text of an element is more than one word.
fn has_words(dom: &Dom, node: NodeId) -> bool {
    const MAX_NODES: usize = 20;
    let mut texts = (node..dom.end(node)).take(MAX_NODES).map(|node| dom.text(node).trim());
    texts.any(|text| text.contains(char::is_whitespace))
}

#[cfg(test)]
mod tests {
    use super::super::super::Page;

    fn text(html: &str) -> String {
        Page::from_html(html).texts().collect::<Vec<_>>().join(" | ")
    }

    fn halves(style: &str) -> String {
        text(&format!("<p><span style='{style}'>یکی بود</span><span style='{style}'>زیر گنبد</span> کبود"))
    }

    #[test]
    fn what_has_a_line_of_its_own_is_one() {
        for style in
            ["display:block", "color:red; DISPLAY : list-item !important", "display:flex", "display: table-row"]
        {
            assert_eq!(halves(style), "یکی بود\nزیر گنبد\nکبود", "{style}");
        }
        assert_eq!(text("<p><a href=1 style='display:block'>a</a><br>b"), "a\nb", "no block of its own");
        assert_eq!(text("<p>a<i style='display:block'></i>b"), "ab");
        assert_eq!(text("<pre><i style='display:flex'>a\n</i><i style='display:flex'>b</i></pre>"), "a\nb");
    }

    #[test]
    fn boxes_in_a_line_are_words_of_their_own() {
        for style in ["display:inline-block", "float:right", "display:block;float:left", "display:table-cell"] {
            assert_eq!(halves(style), "یکی بود زیر گنبد کبود", "{style}");
        }
        for style in ["display:inline", "float:none", "display", "x"] {
            assert_eq!(halves(style), "یکی بودزیر گنبد کبود", "{style}");
        }
        assert_eq!(text("<p>He (<b style='display:inline-block'>the king</b>), said"), "He (the king), said");
        assert_eq!(text("<p><b style='float:left'>O</b>nce <i style='display:inline-block'>up</i>on"), "Once upon");
        assert_eq!(text("<p>one<marquee>two three</marquee>four"), "one two three four");
    }
}
