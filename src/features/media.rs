//! Pictures and players around a block: a caption stands by one with little else, a teaser shares a small element with
//! one, the cards of a grid have one each, and a body has a few for many words.

use crate::page::Page;
use crate::page::dom::{NodeId, Tag};

use super::groups::Groups;
use super::log::ln_1p;
use super::structure::Structure;

/// The names of [`Media::columns`].
pub const NAMES: &[&str] = &[
    "images_inside",
    "images_before",
    "images_after",
    "players_before",
    "players_after",
    "image_holder_words_log",
    "image_holder_blocks_log",
    "image_holder_images_log",
    "image_holder_link_density",
    "group_member_images",
    "page_images_log",
];

/// More images or players than these in one place say no more.
const MANY: u16 = 5;

/// Elements that show something but text.
pub struct Media {
    /// For each node, how many images and players begin before it; one more at the end.
    before: Vec<[u16; 2]>,
    /// For each element with blocks, which of `said` is of the innermost one around it, itself included, with an image.
    holders: Vec<u32>,
    /// What `image_holder_words_log` to `image_holder_link_density` say of an element with images, the page first.
    said: Vec<[f32; 4]>,
    page_images_log: f32,
}

impl Media {
    /// Looks a page over.
    pub fn of(page: &Page, structure: &Structure) -> Media {
        let dom = &page.dom;
        let mut before = Vec::with_capacity(dom.len() + 1);
        let mut seen = [0u16; 2];
        for node in 0..dom.len() as NodeId {
            before.push(seen);
            match dom.tag(node) {
                Tag::Img => seen[0] = seen[0].saturating_add(1),
                Tag::Audio | Tag::Embed | Tag::Iframe | Tag::Object | Tag::Video => seen[1] = seen[1].saturating_add(1),
                _ => {}
            }
        }
        before.push(seen);
        let page_images_log = ln_1p(f32::from(seen[0]));
        let mut media = Media { before, holders: vec![0; dom.len()], said: Vec::new(), page_images_log };
        media.said.push(media.say(page, structure, 0));
        for &node in &structure.holders {
            let has_image = media.count(node, dom.end(node))[0] > 0;
            media.holders[node as usize] = if has_image {
                media.said.push(media.say(page, structure, node));
                media.said.len() as u32 - 1
            } else {
                media.holders[dom.parent(node) as usize]
            };
        }
        media
    }

    fn say(&self, page: &Page, structure: &Structure, node: NodeId) -> [f32; 4] {
        let totals = structure.totals(structure.blocks(page, node));
        let [images, _] = self.count(node, page.dom.end(node));
        let link_density = totals.link_words / totals.words.max(1.0);
        [ln_1p(totals.words), ln_1p(totals.blocks), ln_1p(f32::from(images)), link_density]
    }

    /// The images and players that begin in a range of nodes.
    fn count(&self, start: NodeId, end: NodeId) -> [u16; 2] {
        let [before, until] = [self.before[start as usize], self.before[end.max(start) as usize]];
        [until[0] - before[0], until[1] - before[1]]
    }

    /// Appends a block's columns in the order of [`NAMES`].
    pub fn columns(&self, page: &Page, groups: &Groups, at: usize, out: &mut Vec<f32>) {
        let (nodes, element) = (&page.blocks[at].nodes, page.blocks[at].element);
        let last = at.checked_sub(1).map_or(0, |before| page.blocks[before].nodes.end);
        let next = page.blocks.get(at + 1).map_or(page.dom.len() as NodeId, |next| next.nodes.start);
        let [inside, before, after] =
            [(nodes.start, nodes.end), (last, nodes.start), (nodes.end, next)].map(|(from, to)| self.count(from, to));
        out.extend([inside[0], before[0], after[0], before[1], after[1]].map(|count| f32::from(count.min(MANY))));
        out.extend(self.said[self.holders[element as usize] as usize]);
        let of_member = groups.member(element).map_or(0, |member| self.count(member, page.dom.end(member))[0]);
        out.extend([f32::from(of_member.min(MANY)), self.page_images_log]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features;

    #[test]
    fn a_caption_stands_by_an_image_with_little_else() {
        let page = Page::from_html(
            "<p>Lead.</p><table><tr><td><img src=a.jpg></td></tr><tr><td>The bridge. Photo: A. B.</td></tr></table>\
             <p>First paragraph of text.<p>Second paragraph.<iframe src=ad></iframe><p>Third one.",
        );
        let matrix = features::matrix(&page, &features::Lexicon::default());
        let column = |name: &str| {
            let at = features::names().iter().position(|n| n == name).unwrap();
            matrix.column(at).to_vec()
        };
        assert_eq!(column("images_before"), [0.0, 1.0, 0.0, 0.0, 0.0]);
        assert_eq!(column("images_after"), [1.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(column("players_after"), [0.0, 0.0, 0.0, 1.0, 0.0]);
        let words = column("image_holder_words_log");
        assert!(words[1] < words[0] && words[2] == words[0], "{words:?}");
        assert_eq!(column("image_holder_images_log"), [2f32.ln(); 5]);
    }

    #[test]
    fn each_card_of_a_grid_has_its_image() {
        let card = "<div class=card><img src=a.jpg><b>A kettle</b><span>12.00</span></div>";
        let page = Page::from_html(&format!("<h1>Kettles</h1>{}", card.repeat(4)));
        let matrix = features::matrix(&page, &features::Lexicon::default());
        let at = features::names().iter().position(|n| n == "group_member_images").unwrap();
        assert_eq!(matrix.column(at).to_vec(), [0.0, 1.0, 1.0, 1.0, 1.0]);
    }
}
