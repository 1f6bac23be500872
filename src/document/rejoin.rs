//! Sentences that a pop-up, a button or a box of links cut in two, put together again.
//!
//! An inline element is cut out of its sentence when the page is read ([`crate::page::segment`]). A block-level one
//! ends the block, so that a sentence around it is two blocks; what stood between was dropped if they are neighbours
//! among the kept ones.

use crate::page::dom::{Display, Dom, NodeId, Tag};
use crate::page::segment::{GOES_ON_WITH, is_cut};
use crate::page::{Block, Page};

/// Whether `rest` goes on with the sentence that `start`, the kept block before it, begins: both are in one `<p>`, or
/// would be, had the box between not closed it; the words say so too.
pub(super) fn goes_on(page: &Page, start: &Block, rest: &Block) -> bool {
    let dom = &page.dom;
    if rest.text.start <= start.text.end + 1 || start.nodes.is_empty() || rest.nodes.is_empty() {
        return false;
    }
    let paragraph = holder(dom, start.nodes.end - 1);
    if dom.tag(paragraph) != Tag::P {
        return false;
    }
    let around = holder(dom, rest.nodes.start);
    let in_one = around == paragraph || around == dom.parent(paragraph) && ends_closed_paragraph(dom, rest);
    let is_break = |node| dom.tag(node) == Tag::Br && holder(dom, node) == around;
    in_one && is_cut(page.text_of(start), page.text_of(rest)) && !(start.nodes.end..rest.nodes.start).any(is_break)
}

/// What stands between a sentence's start and its rest.
pub(super) fn gap_before(rest: &str) -> &'static str {
    if rest.starts_with(GOES_ON_WITH) { "" } else { " " }
}

/// The block-level element that a node is in.
fn holder(dom: &Dom, node: NodeId) -> NodeId {
    dom.ancestors(node).find(|&node| dom.tag(node).display() == Display::Block).unwrap_or(0)
}

/// Whether an empty `<p>` follows: what HTML's parser makes of a `</p>` whose `<p>` a block-level element has closed.
fn ends_closed_paragraph(dom: &Dom, block: &Block) -> bool {
    let blank = |&node: &NodeId| dom.tag(node) == Tag::Text && dom.text(node).trim().is_empty();
    (block.nodes.end..dom.len() as NodeId)
        .find(|node| !blank(node))
        .is_some_and(|node| dom.tag(node) == Tag::P && dom.end(node) == node + 1)
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
