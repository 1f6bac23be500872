//! Sentences that a pop-up, a button or a box of links cuts in two.
//!
//! An inline element is cut out of its sentence when the page is read ([`super::segment`]). A block-level one ends the
//! block, so that the sentence around it is two blocks.

use super::dom::{Display, Dom, NodeId, Tag};
use super::{Block, Page};

/// Marks that a sentence can go on with.
const GOES_ON_WITH: &[char] = &[',', '،', '、', ';', '؛', ':', '.', '!', '?', '؟', ')', ']', '»', '”'];

/// Whether two texts read as the two parts of one sentence: the first ends in a word or a comma, the second begins with
/// neither a capital nor a digit.
pub fn is_cut(start: &str, rest: &str) -> bool {
    let open = start.chars().next_back().is_some_and(|c| c.is_alphanumeric() || matches!(c, ',' | '،' | '、'));
    open && rest.chars().next().is_some_and(|c| c.is_alphabetic() && !c.is_uppercase() || GOES_ON_WITH.contains(&c))
}

/// What stands between a sentence's start and its rest.
pub fn gap_before(rest: &str) -> &'static str {
    if rest.starts_with(GOES_ON_WITH) { "" } else { " " }
}

/// Whether `rest`, a later block, goes on with the sentence that `start` begins: other blocks stand between them, both
/// are in one `<p>`, or would be, had the box between not closed it, and the words say so too.
pub fn goes_on(page: &Page, start: &Block, rest: &Block) -> bool {
    let dom = &page.dom;
    let apart = rest.text.start > start.text.end + 1 && !start.nodes.is_empty() && !rest.nodes.is_empty();
    if !apart || !is_cut(page.text_of(start), page.text_of(rest)) {
        return false;
    }
    let paragraph = holder(dom, start.nodes.end - 1);
    if dom.tag(paragraph) != Tag::P {
        return false;
    }
    let around = holder(dom, rest.nodes.start);
    let in_one = around == paragraph || around == dom.parent(paragraph) && ends_closed_paragraph(dom, rest);
    let is_break = |node| dom.tag(node) == Tag::Br && holder(dom, node) == around;
    in_one && !(start.nodes.end..rest.nodes.start).any(is_break)
}

/// The block-level element that a node is in.
pub fn holder(dom: &Dom, node: NodeId) -> NodeId {
    dom.ancestors(node).find(|&node| dom.tag(node).display() == Display::Block).unwrap_or(0)
}

/// Whether an empty `<p>` follows: what HTML's parser makes of a `</p>` whose `<p>` a block-level element has closed.
fn ends_closed_paragraph(dom: &Dom, block: &Block) -> bool {
    let blank = |&node: &NodeId| dom.tag(node) == Tag::Text && dom.text(node).trim().is_empty();
    (block.nodes.end..dom.len() as NodeId)
        .find(|node| !blank(node))
        .is_some_and(|node| dom.tag(node) == Tag::P && dom.end(node) == node + 1)
}
