//! Repeated groups and anchors: like-shaped siblings that share the page's text between them (the posts of a thread,
//! the cards of a shop, the teasers of a list), and how a block hangs together with the page's title and its longest
//! paragraph.

use crate::page::Page;
use crate::page::dom::NodeId;

use super::log::ln_1p;
use super::structure::Structure;
use super::text::TextStats;

/// Fewer like-shaped siblings are no group.
const MEMBERS: u32 = 3;

const GROUP: &[&str] =
    &["members_log", "share", "words_per_member_log", "long_share", "link_density", "own_share", "position"];
const LARGEST: &[&str] = &["members_log", "share", "words_per_member_log", "link_density"];
const ANCHOR: &[&str] = &["share", "blocks_log", "steps_up", "long_share"];
const ANCHORS: [&str; 2] = ["title", "kernel"];

#[derive(Clone, Copy, Default)]
struct Group {
    members: u32,
    words: f32,
    long_words: f32,
    link_words: f32,
}

impl Group {
    /// What all blocks of a group share; `total` are the words of the page.
    fn said(&self, total: f32) -> [f32; 5] {
        let (words, members) = (self.words.max(1.0), self.members as f32);
        [ln_1p(members), words / total, ln_1p(words / members), self.long_words / words, self.link_words / words]
    }
}

/// What is found once a page.
pub struct Groups {
    groups: Vec<Group>,
    /// See [`Group::said`].
    said: Vec<[f32; 5]>,
    /// For each node, the group with the most text around it and the member it is in.
    around: Vec<(u32, NodeId, u32)>,
    largest: Option<usize>,
    /// For each anchor and node, the innermost element that holds both.
    common: [Vec<NodeId>; 2],
}

const NONE: u32 = u32::MAX;

impl Groups {
    /// Looks a page over; `title` is the block that shows its title.
    pub fn of(page: &Page, stats: &[TextStats], structure: &Structure, title: Option<usize>) -> Groups {
        let dom = &page.dom;
        // By the number of their shape.
        let mut index = vec![NONE; structure.shapes()];
        let mut groups: Vec<Group> = Vec::new();
        // For each member its group and its place in it.
        let mut member: Vec<(u32, u32)> = vec![(NONE, 0); dom.len()];
        for &node in &structure.holders {
            let (shape, siblings) = structure.shape(node);
            if u32::from(siblings) < MEMBERS {
                continue;
            }
            let at = &mut index[shape as usize];
            if *at == NONE {
                *at = groups.len() as u32;
                groups.push(Group::default());
            }
            let at = *at;
            let group = &mut groups[at as usize];
            let totals = structure.totals(structure.blocks(page, node));
            member[node as usize] = (at, group.members);
            group.members += 1;
            group.words += totals.words;
            group.long_words += totals.long_words;
            group.link_words += totals.link_words;
        }
        let mut around = vec![(NONE, 0, 0); dom.len()];
        for &node in &structure.holders {
            let outer = around[dom.parent(node) as usize];
            let (own, place) = member[node as usize];
            around[node as usize] = match (own, outer.0) {
                (NONE, _) => outer,
                (own, NONE) => (own, node, place),
                // Of nested groups the inner one where both hold the same text: items of a list, not the list's cells.
                (own, out) if groups[own as usize].words >= 0.7 * groups[out as usize].words => (own, node, place),
                _ => outer,
            };
        }
        let largest = (0..groups.len()).max_by(|a, b| {
            let text = |at: usize| groups[at].words - groups[at].link_words;
            text(*a).total_cmp(&text(*b)).then(b.cmp(a))
        });
        let kernel = (0..stats.len()).max_by(|a, b| {
            let text = |at: usize| {
                let block = &page.blocks[at];
                stats[at].words * (1.0 - block.link_chars as f32 / block.chars.max(1) as f32)
            };
            text(*a).total_cmp(&text(*b)).then(b.cmp(a))
        });
        let common = [title, kernel].map(|anchor| match anchor {
            Some(at) => common_ancestors(page, &structure.holders, page.blocks[at].element),
            None => Vec::new(),
        });
        let total = structure.page().words.max(1.0);
        let said = groups.iter().map(|group| group.said(total)).collect();
        Groups { groups, said, around, largest, common }
    }

    /// The member of a group that an element is in, of the group with the most text around it.
    pub fn member(&self, element: NodeId) -> Option<NodeId> {
        let (group, member, _) = self.around[element as usize];
        (group != NONE).then_some(member)
    }

    /// Appends a block's columns in the order of [`names`].
    pub fn columns(&self, page: &Page, structure: &Structure, at: usize, out: &mut Vec<f32>) {
        let total = structure.page().words.max(1.0);
        let element = page.blocks[at].element;
        let (group, member, place) = self.around[element as usize];
        let at_group = group as usize;
        match self.groups.get(at_group) {
            None => out.extend([0.0; GROUP.len()]),
            Some(group) => {
                let (words, members) = (group.words.max(1.0), group.members as f32);
                let own = structure.totals(structure.blocks(page, member));
                out.extend(self.said[at_group]);
                out.extend([own.words / words * members, place as f32 / members]);
            }
        }
        out.extend(self.largest.map_or([0.0; LARGEST.len()], |at| {
            let [members, share, words_per_member, _, link_density] = self.said[at];
            [members, share, words_per_member, link_density]
        }));
        for common in &self.common {
            let Some(&node) = common.get(element as usize) else {
                out.extend([1.0, 8.0, 20.0, 0.0]);
                continue;
            };
            let range = structure.blocks(page, node);
            let inner = structure.totals(range.clone());
            out.extend([
                inner.words / total,
                ln_1p(inner.blocks),
                f32::from(page.dom.depth(element).saturating_sub(page.dom.depth(node))).min(20.0),
                inner.long_words / inner.words.max(1.0),
            ]);
        }
    }
}

/// For each element that holds blocks, the innermost one that holds both it and `anchor`.
fn common_ancestors(page: &Page, holders: &[NodeId], anchor: NodeId) -> Vec<NodeId> {
    let dom = &page.dom;
    let mut common = vec![0; dom.len()];
    for &node in holders {
        let holds = node <= anchor && anchor < dom.end(node);
        common[node as usize] = if holds { node } else { common[dom.parent(node) as usize] };
    }
    common
}

/// The names of [`Groups::columns`].
pub fn names() -> Vec<String> {
    let mut names: Vec<String> = GROUP.iter().map(|name| format!("group_{name}")).collect();
    names.extend(LARGEST.iter().map(|name| format!("largest_group_{name}")));
    for anchor in ANCHORS {
        names.extend(ANCHOR.iter().map(|name| format!("with_{anchor}_{name}")));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_a_group_and_its_posts_share_the_text() {
        let html = "<h1>Question</h1><ul><li>a<li>b<li>c</ul><main>".to_owned()
            + &"<div class=post><b>name</b><p>Some words of a post that go on for a while.</p></div>".repeat(4)
            + "</main>";
        let page = Page::from_html(&html);
        let (stats, _) = super::super::text::page_stats(&page);
        let structure = Structure::of(&page, &stats);
        let groups = Groups::of(&page, &stats, &structure, Some(0));
        let column = |name: &str| names().iter().position(|n| n == name).unwrap();
        let row = |at: usize| {
            let mut row = Vec::new();
            groups.columns(&page, &structure, at, &mut row);
            assert_eq!(row.len(), names().len());
            row
        };
        let last = page.blocks.len() - 1;
        assert_eq!(row(0)[column("group_members_log")], 0.0);
        assert_eq!(row(1)[column("group_members_log")], 4.0f32.ln());
        assert_eq!(row(last)[column("group_members_log")], 5.0f32.ln());
        assert!(row(last)[column("group_share")] > 0.8);
        assert_eq!(row(last)[column("group_position")], 0.75);
        assert_eq!(row(1)[column("largest_group_members_log")], 5.0f32.ln());
        // The title's own block has itself in common with it.
        assert_eq!(row(0)[column("with_title_steps_up")], 0.0);
        assert!(row(last)[column("with_title_steps_up")] > 1.0);
    }
}
