//! The same article twice on one page (for phones and for desks, for printing, in an accordion): one copy is kept.
//!
//! No feature of a block says that its text was kept already, so this is a rule after the decision. A copy is more than
//! one repeated block: refrains, quotations of a post and pull quotes stay.
//!
//! The numbers were chosen on WCXB's development pages, which the model knows: 37 of 1,497 pages change, 27 for the
//! better, and mean word F1 rises from 0.9157 to 0.9166. Without `COPY_FAITH` and `COPIES` 25 of 74 get worse.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use xxhash_rust::xxh3::xxh3_64;

use super::Labels;
use crate::features::structure::is_marked_hidden;
use crate::label::{Label, Labelled};
use crate::page::dom::{NodeId, Tag};
use crate::page::{Input, Page};

/// Shorter blocks do not make a copy (some 12 words); as part of one they go with it.
const LONG_CHARS: u32 = 60;
/// So many repeated blocks make a copy,
const COPY_BLOCKS: usize = 2;
/// or a smaller number that is so great a share of what is kept.
const COPY_SHARE: f32 = 0.3;
/// This share at least of what is kept in the container of a copy is a repeat: two offers with some terms in common are
/// two.
const COPY_FAITH: f32 = 0.6;
/// A text that is there more often is no part of a copy: a note under each of many pictures, a signature.
const COPIES: usize = 3;

/// Two containers of which one repeats the other: children of the same element.
type Sides = (NodeId, NodeId);

/// Takes all copies of an article but one out of the body. A visible copy is kept rather than a hidden one, else
/// that of which more was kept, else the first. A hidden article before a visible copy of its opening alone is kept.
pub fn drop_copies(page: &Page, labels: &mut Labels) {
    if page.input() == Input::Text {
        return;
    }
    let long = page.blocks.iter().enumerate().filter(|(_, block)| block.chars >= LONG_CHARS);
    let mut hashes: Vec<(u64, usize)> = long.map(|(at, block)| (xxh3_64(page.text_of(block).as_bytes()), at)).collect();
    hashes.sort_unstable();
    let repeats = hashes.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1);
    let mut groups: Vec<Vec<usize>> = repeats.map(|group| group.iter().map(|(_, at)| *at).collect()).collect();
    groups.retain(|group| (2..=COPIES).contains(&group.len()) && group.iter().any(|at| labels.is_body(*at)));
    groups.sort();

    let mut pairs: BTreeMap<Sides, Vec<(usize, usize)>> = BTreeMap::new();
    for group in &groups {
        let main = group.iter().copied().find(|at| !is_hidden(page, *at)).unwrap_or(group[0]);
        for other in group.iter().copied().filter(|at| *at != main) {
            if let Some(sides) = sides(page, main, other) {
                pairs.entry(sides).or_default().push((main, other));
            }
        }
    }
    // Of a copy whose blocks have no container of their own each is a side; the other copy's container joins them.
    let mut texts: HashMap<NodeId, HashSet<usize>> = HashMap::new();
    for ((main, other), twins) in &pairs {
        for side in [main, other] {
            texts.entry(*side).or_default().extend(twins.iter().map(|twin| twin.0));
        }
    }
    let mut copies: BTreeMap<NodeId, Copy> = BTreeMap::new();
    for ((main, other), twins) in pairs {
        let joining = if texts[&main].len() > texts[&other].len() { main } else { other };
        let copy = copies.entry(joining).or_default();
        copy.mains.insert(main);
        copy.others.insert(other);
        copy.twins.extend(twins);
    }
    let chars = |blocks: &mut dyn Iterator<Item = usize>| blocks.map(|at| page.blocks[at].chars as f32).sum::<f32>();
    let kept = chars(&mut labels.body());

    for copy in copies.into_values() {
        let twins = &copy.twins;
        let repeated = chars(&mut twins.iter().map(|twin| twin.0));
        if texts_of(twins) < COPY_BLOCKS && repeated < COPY_SHARE * kept {
            continue;
        }
        let [in_main, in_other] = [(&copy.mains, 0), (&copy.others, 1)].map(|(nodes, of)| {
            let in_twins: HashSet<usize> = twins.iter().map(|twin| [twin.0, twin.1][of]).collect();
            let kept = chars(&mut in_twins.iter().copied().filter(|at| labels.is_body(*at)));
            let more = inside(page, nodes).filter(|at| labels.is_body(*at) && !in_twins.contains(at));
            (kept, chars(&mut { more }))
        });
        let other_wins = match is_hidden(page, twins[0].1) && !is_hidden(page, twins[0].0) {
            // The visible one may be an article's opening, of which the hidden one goes on.
            true => twins[0].1 < twins[0].0 && in_other.1 > repeated,
            false => in_other.0 > in_main.0,
        };
        let more = if other_wins { in_main.1 } else { in_other.1 };
        if repeated < COPY_FAITH * (repeated + more) {
            continue;
        }
        for (main_at, other_at) in copy.with_short_ones(page) {
            let (winner, loser) = if other_wins { (other_at, main_at) } else { (main_at, other_at) };
            if labels.is_body(loser) {
                let body = labels.blocks[winner].body.max(labels.blocks[loser].body);
                labels.blocks[winner] = Labelled { label: Label::Body, p: body, body };
                labels.blocks[loser].body = body;
                labels.take_out(loser, Label::Nav);
            }
        }
    }
}

/// How many texts repeat; one may be there more than twice.
fn texts_of(twins: &[(usize, usize)]) -> usize {
    twins.iter().map(|twin| twin.0).collect::<HashSet<_>>().len()
}

/// Blocks that repeat others, and the containers of both.
#[derive(Default)]
struct Copy {
    mains: BTreeSet<NodeId>,
    others: BTreeSet<NodeId>,
    twins: Vec<(usize, usize)>,
}

impl Copy {
    /// The repeated blocks, with short ones, such as subheadings, that stand between them on both sides.
    fn with_short_ones(&self, page: &Page) -> Vec<(usize, usize)> {
        let short = |of: fn(&(usize, usize)) -> usize, not_in: &BTreeSet<NodeId>| {
            let first = self.twins.iter().map(of).min().unwrap_or(0);
            let last = self.twins.iter().map(of).max().unwrap_or(0);
            let elsewhere: HashSet<usize> = inside(page, not_in).collect();
            (first..last).filter(move |at| page.blocks[*at].chars < LONG_CHARS && !elsewhere.contains(at))
        };
        let mut places: HashMap<&str, VecDeque<usize>> = HashMap::new();
        for at in short(|twin| twin.0, &self.others) {
            places.entry(page.text_of(&page.blocks[at])).or_default().push_back(at);
        }
        let pair = |at: usize| Some((places.get_mut(page.text_of(&page.blocks[at]))?.pop_front()?, at));
        let short: Vec<(usize, usize)> = short(|twin| twin.1, &self.mains).filter_map(pair).collect();
        [&self.twins[..], &short].concat()
    }
}

/// The blocks below some nodes, none of which is below another.
fn inside(page: &Page, nodes: &BTreeSet<NodeId>) -> impl Iterator<Item = usize> {
    nodes.iter().flat_map(|node| page.blocks_in(*node))
}

/// The children of the innermost element around two blocks that hold one of them each; nothing where one element holds
/// both as its text.
fn sides(page: &Page, one: usize, other: usize) -> Option<Sides> {
    let child = |of: NodeId, towards: NodeId| {
        let (mut node, mut child) = (of, None);
        while !holds(page, node, towards) {
            child = Some(node);
            node = page.dom.parent(node);
        }
        child
    };
    let (one, other) = (page.blocks[one].element, page.blocks[other].element);
    Some((child(one, other)?, child(other, one)?))
}

fn holds(page: &Page, element: NodeId, node: NodeId) -> bool {
    (element..page.dom.end(element)).contains(&node)
}

fn is_hidden(page: &Page, at: usize) -> bool {
    let mut node = page.blocks[at].element;
    loop {
        if matches!(page.dom.tag(node), Tag::Noscript | Tag::Template) || is_marked_hidden(page, node) {
            return true;
        }
        let parent = page.dom.parent(node);
        if parent == node {
            return false;
        }
        node = parent;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str =
        "The council of the town decided on Tuesday to build the bridge again, and to pay for it with bonds.";
    const TWO: &str =
        "Work on the northern pier should begin in spring, as soon as the river has fallen below the old mark.";
    const THREE: &str =
        "Shopkeepers of the market fear for their summer, and ask that one lane at least be left to them.";

    /// The texts that are left of a page whose blocks were all kept but those named.
    fn left(html: &str, dropped: &[usize]) -> Vec<String> {
        let page = Page::from_html(html);
        let label = |at| match dropped.contains(&at) {
            true => Labelled { label: Label::Nav, p: 0.9, body: 0.1 },
            false => Labelled { label: Label::Body, p: 0.9, body: 0.9 },
        };
        let mut labels = Labels { blocks: (0..page.blocks.len()).map(label).collect(), score: 0.9 };
        drop_copies(&page, &mut labels);
        labels.body().map(|at| page.text_of(&page.blocks[at])[..3].to_owned()).collect()
    }

    #[test]
    fn the_second_copy_goes_with_its_subheadings() {
        let copy = format!("<p>{ONE}</p><h2>Pier</h2><p>{TWO}</p>");
        let html = format!("<main>{copy}</main><div>{copy}<p>A note</p></div>");
        assert_eq!(left(&html, &[]), ["The", "Pie", "Wor", "A n"]);
        let bare = format!("<body>{copy}<div>{copy}</div></body>");
        assert_eq!(left(&bare, &[]), ["The", "Pie", "Wor"], "the first copy has no container");
    }

    #[test]
    fn a_visible_copy_is_kept_rather_than_a_hidden_one_before_it() {
        let copy = format!("<p>{ONE}</p><p>{TWO}</p>");
        for hidden in ["<div style='display: none'>", "<div hidden>", "<noscript>", "<template>"] {
            let end = hidden.replace("<div", "</div").split([' ', '>']).next().unwrap().replace("<n", "</n");
            let html = format!("{hidden}{copy}{}><main>{copy}</main>", end.replace("<t", "</t"));
            assert_eq!(left(&html, &[2, 3]), ["The", "Wor"], "{hidden}");
        }
    }

    #[test]
    fn of_a_hidden_article_and_its_visible_opening_the_article_is_kept() {
        let opening = format!("<p>{ONE}</p><p>{TWO}</p>");
        let rest = format!("<p>{THREE} 1</p><p>{THREE} 2</p><p>{THREE} 3</p>");
        let html = format!("<div hidden>{opening}{rest}</div><div>{opening}</div>");
        assert_eq!(left(&html, &[]), ["The", "Wor", "Sho", "Sho", "Sho"]);
        assert_eq!(left(&html, &[5, 6]), ["The", "Wor", "Sho", "Sho", "Sho"]);
    }

    #[test]
    fn one_repeated_block_of_many_stays() {
        let refrain = format!("<p>{ONE}</p><p>{TWO}</p><p>{THREE} 1</p><p>{THREE} 2</p><blockquote>{ONE}</blockquote>");
        assert_eq!(left(&refrain, &[]).len(), 5);
        let posts = format!("<ul><li><p>{ONE}</p><p>{TWO}</p><li><blockquote>{ONE}</blockquote><p>{THREE}</p></ul>");
        assert_eq!(left(&posts, &[]).len(), 4);
    }

    #[test]
    fn containers_that_share_some_of_their_text_stay() {
        let four = THREE.replace("summer", "winter");
        let terms = format!("<div><p>{ONE}</p><p>{TWO}</p><p>{THREE} 1</p></div><div><p>{ONE}</p><p>{TWO}</p>");
        assert_eq!(left(&format!("{terms}<p>{four}</p><p>{four} 2</p></div>"), &[]).len(), 7);
        let notes = format!("<div><p>{ONE}</p><p>{TWO}</p></div>").repeat(4);
        assert_eq!(left(&notes, &[]).len(), 8);
    }

    #[test]
    fn a_block_that_is_most_of_the_page_is_a_copy_alone() {
        assert_eq!(left(&format!("<div>{ONE}</div><p>x</p><section>{ONE}</section>"), &[1]), ["The"]);
    }

    #[test]
    fn what_was_not_kept_stays_dropped() {
        let copy = format!("<p>{ONE}</p><p>{TWO}</p>");
        let html = format!("<main>{copy}</main><div>{copy}</div>");
        assert!(left(&html, &[0, 1, 2, 3]).is_empty());
        assert_eq!(left(&html, &[2, 3]), ["The", "Wor"]);
        assert_eq!(left(&html, &[0, 1]), ["The", "Wor"]);
    }

    #[test]
    fn of_two_visible_copies_that_of_which_more_was_kept_stays() {
        let html = format!("<div><p>{ONE}</p><p>{TWO}</p></div><main><p>{ONE}</p><p>{TWO}</p><p>{THREE}</p></main>");
        let page = Page::from_html(&html);
        let of = |kept| Labelled { label: if kept { Label::Body } else { Label::Nav }, p: 0.9, body: 0.5 };
        let mut labels = Labels { blocks: [true, false, true, true, true].map(of).to_vec(), score: 0.9 };
        drop_copies(&page, &mut labels);
        assert_eq!(labels.body().next(), Some(2));
    }
}
