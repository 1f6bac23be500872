//! Where the texts of a block's nodes stand in the block's text.

use super::dom::{Display, NodeId, Tag};
use super::segment::is_inset;
use super::{Block, Page};

/// A text node of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// The node.
    pub node: NodeId,
    /// Where its first character that is no white space stands in the block's text, in bytes. The node's text goes on
    /// to the next run's start, the white space before which was before or between the two.
    pub start: usize,
}

/// The text nodes of a block that show anything, in order. Nodes and the block's text hold the same characters besides
/// white space, so they are counted along. Flattened text has none.
pub(crate) fn runs<'a>(page: &'a Page, block: &'a Block) -> impl Iterator<Item = Run> + 'a {
    let dom = &page.dom;
    let mut chars = page.text_of(block).char_indices().filter(|(_, c)| !c.is_whitespace());
    let mut at = block.nodes.start;
    std::iter::from_fn(move || {
        while at < block.nodes.end {
            let node = at;
            if dom.tag(node).display() == Display::Hidden || is_inset(dom, node) {
                at = dom.end(node);
                continue;
            }
            at += 1;
            if dom.tag(node) != Tag::Text {
                continue;
            }
            let shown = |c: &char| !c.is_whitespace() && !c.is_control() && *c != '\u{feff}';
            let count = dom.text(node).chars().filter(shown).count();
            if count > 0 {
                let (start, _) = chars.next()?;
                chars.by_ref().take(count - 1).for_each(drop);
                return Some(Run { node, start });
            }
        }
        None
    })
}
