//! Where a block stands in the tree: its ancestors, its enclosing containers, and their like-shaped siblings.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use xxhash_rust::xxh3::xxh3_64;

use crate::page::Page;
use crate::page::dom::{AttrName, NodeId, Tag};
use crate::page::segment::is_hiding_style;

use super::log::ln_1p;
use super::table::Table;
use super::text::{TextStats, is_long};

/// Ancestors that say something of what they hold; one bit each, inherited downwards.
const ANCESTORS: &[(&str, &[Tag])] = &[
    ("in_article", &[Tag::Article]),
    ("in_main", &[Tag::Main]),
    ("in_section", &[Tag::Section]),
    ("in_nav", &[Tag::Nav, Tag::Menu]),
    ("in_aside", &[Tag::Aside]),
    ("in_header", &[Tag::Header, Tag::Hgroup]),
    ("in_footer", &[Tag::Footer]),
    ("in_form", &[Tag::Form, Tag::Fieldset]),
    ("in_table", &[Tag::Table]),
    ("in_ul", &[Tag::Ul, Tag::Dir]),
    ("in_ol", &[Tag::Ol]),
    ("in_dl", &[Tag::Dl]),
    ("in_figure", &[Tag::Figure, Tag::Picture]),
    ("in_figcaption", &[Tag::Figcaption, Tag::Caption]),
    ("in_quote", &[Tag::Blockquote, Tag::Q]),
    ("in_heading", &[Tag::H1, Tag::H2, Tag::H3, Tag::H4, Tag::H5, Tag::H6]),
    ("in_p", &[Tag::P]),
    ("in_pre", &[Tag::Pre, Tag::Code]),
    ("in_link", &[Tag::A]),
    ("in_button", &[Tag::Button, Tag::Select, Tag::Textarea]),
    ("in_dialog", &[Tag::Dialog, Tag::Details]),
    ("in_noscript", &[Tag::Noscript]),
    ("in_template", &[Tag::Template]),
    ("in_small", &[Tag::Small, Tag::Time, Tag::Address]),
];

const HIDDEN: u32 = 1 << ANCESTORS.len();

/// Tags of the block's own element, one column each; the rest share the zero of all.
const OWN_TAGS: &[(&str, &[Tag])] = &[
    ("is_p", &[Tag::P]),
    ("is_div", &[Tag::Div]),
    ("is_li", &[Tag::Li]),
    ("is_td", &[Tag::Td, Tag::Th]),
    ("is_dt", &[Tag::Dt]),
    ("is_dd", &[Tag::Dd]),
    ("is_h1", &[Tag::H1]),
    ("is_h2", &[Tag::H2]),
    ("is_h3", &[Tag::H3]),
    ("is_h4_to_h6", &[Tag::H4, Tag::H5, Tag::H6]),
    ("is_link", &[Tag::A]),
    ("is_span", &[Tag::Span, Tag::Font]),
    ("is_strong", &[Tag::Strong, Tag::B]),
    ("is_figcaption", &[Tag::Figcaption, Tag::Caption]),
    ("is_time", &[Tag::Time]),
    ("is_button", &[Tag::Button, Tag::LabelTag, Tag::Select]),
    ("is_custom", &[Tag::Custom]),
];

/// By tag, a bit for each item of a list that has it.
const fn bits(lists: &[(&str, &[Tag])]) -> [u32; 256] {
    let mut bits = [0; 256];
    let mut bit = 0;
    while bit < lists.len() {
        let tags = lists[bit].1;
        let mut at = 0;
        while at < tags.len() {
            bits[tags[at] as usize] |= 1 << bit;
            at += 1;
        }
        bit += 1;
    }
    bits
}

/// Each byte's bits as numbers.
static BITS: [[f32; 8]; 256] = {
    let mut numbers = [[0.0; 8]; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut bit = 0;
        while bit < 8 {
            numbers[byte][bit] = (byte >> bit & 1) as f32;
            bit += 1;
        }
        byte += 1;
    }
    numbers
};

/// Appends the lowest bits of a word as numbers, eight at a time.
fn extend_with_bits(bits: u32, count: usize, out: &mut Vec<f32>) {
    let end = out.len() + count;
    bits.to_le_bytes().iter().for_each(|byte| out.extend_from_slice(&BITS[usize::from(*byte)]));
    out.truncate(end);
}

static ANCESTOR_BITS: [u32; 256] = bits(ANCESTORS);
static OWN_TAG_BITS: [u32; 256] = bits(OWN_TAGS);

/// How many enclosing containers a block has columns for. A container counts only if it holds more blocks than
/// the one inside it, so wrappers do not use levels up.
pub const LEVELS: usize = 5;

const CONTAINER: &[&str] = &[
    "share",
    "words_log",
    "link_density",
    "long_share",
    "blocks_log",
    "siblings_log",
    "position",
    "commas_per_word",
    "p_share",
    "start",
    "words_per_block",
];

/// The place in [`CONTAINER`] of what differs from block to block.
const POSITION: usize = 6;

/// What is said of a container, but for its blocks' positions.
#[derive(Clone, Copy)]
struct Container {
    node: NodeId,
    /// Words of the page before it, and its own, at least 1.
    before: f32,
    words: f32,
    columns: [f32; CONTAINER.len()],
}

/// The containers of the block before: most blocks are in the same ones.
pub struct Last([Container; LEVELS]);

/// Hashes that are already well mixed need no second hashing.
pub type HashedMap<V> = HashMap<u64, V, BuildHasherDefault<Passthrough>>;

/// A hasher for keys that are hashes.
#[derive(Default)]
pub struct Passthrough(u64);

impl std::hash::Hasher for Passthrough {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// Sums over a page's blocks such that any container's totals are one subtraction.
#[derive(Clone, Copy, Default)]
pub struct Totals {
    pub blocks: f32,
    pub words: f32,
    pub link_words: f32,
    pub long_words: f32,
    pub long_blocks: f32,
    pub commas: f32,
    pub paragraphs: f32,
}

impl Totals {
    fn add(self, other: Totals, sign: f32) -> Totals {
        Totals {
            blocks: self.blocks + sign * other.blocks,
            words: self.words + sign * other.words,
            link_words: self.link_words + sign * other.link_words,
            long_words: self.long_words + sign * other.long_words,
            long_blocks: self.long_blocks + sign * other.long_blocks,
            commas: self.commas + sign * other.commas,
            paragraphs: self.paragraphs + sign * other.paragraphs,
        }
    }
}

/// What an element's attributes say.
#[derive(Clone, Copy)]
pub struct Attributes {
    /// The number of its class among the page's; no class has one too.
    pub class: u32,
    /// Whether it has attributes that tell of visibility: most have none, and need not be looked at again.
    pub telling: bool,
}

/// What one walk over the tree and the blocks yields, shared by the structure and context columns.
pub struct Structure {
    /// The elements that hold blocks, parents before their children. Half of a page's nodes are text, and many of its
    /// elements hold none; everything below is found for these only.
    pub holders: Vec<NodeId>,
    /// For each holder what it says of itself.
    pub attributes: Vec<Attributes>,
    /// For each class the first holder that has it: most are on several elements of a page, and are looked at once.
    pub classes: Vec<NodeId>,
    /// Inherited bits of [`ANCESTORS`] and `HIDDEN`, for each node.
    flags: Vec<u32>,
    /// For each node, how many blocks begin before it; one more at the end.
    before: Vec<u32>,
    /// Prefix sums over blocks; one more than blocks.
    sums: Vec<Totals>,
    /// For each node the number of its shape (parent, tag and classes; digits made equal), and for each shape how many
    /// have it. Shape 0 is that of nodes without blocks.
    shapes: Vec<u32>,
    siblings: Vec<u16>,
    /// For each block its enclosing containers, innermost first; the document where there are no more.
    pub containers: Vec<[NodeId; LEVELS]>,
    /// The smallest element that holds at least 60 % and 85 % of the words of prose.
    pub prose_containers: [NodeId; 2],
}

impl Structure {
    /// Walks a page once.
    pub fn of(page: &Page, stats: &[TextStats]) -> Structure {
        let before = blocks_before(page);
        let holders = holders(page, &before);
        let (attributes, classes) = attributes(page, &holders);
        let flags = flags(page, &holders, &attributes);
        let mut sums = Vec::with_capacity(stats.len() + 1);
        sums.push(Totals::default());
        for (block, s) in page.blocks.iter().zip(stats) {
            let link_density = block.link_chars as f32 / block.chars.max(1) as f32;
            let long = if is_long(s, block) { 1.0 } else { 0.0 };
            let one = Totals {
                blocks: 1.0,
                words: s.words,
                link_words: s.words * link_density,
                long_words: long * s.words,
                long_blocks: long,
                commas: s.commas + s.sentence_ends,
                paragraphs: f32::from(u8::from(page.dom.tag(block.element) == Tag::P)),
            };
            let sum = sums[sums.len() - 1].add(one, 1.0);
            sums.push(sum);
        }
        let (shapes, siblings) = sibling_counts(page, &holders, &attributes, &classes);
        let mut structure = Structure {
            holders,
            attributes,
            classes,
            flags,
            before,
            sums,
            shapes,
            siblings,
            containers: Vec::new(),
            prose_containers: [0; 2],
        };
        structure.containers = structure.find_containers(page);
        structure.prose_containers = [structure.prose_container(page, 0.6), structure.prose_container(page, 0.85)];
        structure
    }

    /// The blocks below a node, as a range of block indices.
    pub fn blocks(&self, page: &Page, node: NodeId) -> std::ops::Range<usize> {
        self.before[node as usize] as usize..self.before[page.dom.end(node) as usize] as usize
    }

    /// Sums over a range of blocks.
    pub fn totals(&self, blocks: std::ops::Range<usize>) -> Totals {
        self.sums[blocks.end].add(self.sums[blocks.start], -1.0)
    }

    /// Sums over the page.
    pub fn page(&self) -> Totals {
        self.sums[self.sums.len() - 1]
    }

    /// The number of a node's shape among its siblings and how many of them have it; 0 for nodes without blocks.
    pub fn shape(&self, node: NodeId) -> (u32, u16) {
        let shape = self.shapes[node as usize];
        (shape, self.siblings[shape as usize])
    }

    /// How many shapes there are.
    pub fn shapes(&self) -> usize {
        self.siblings.len()
    }

    fn find_containers(&self, page: &Page) -> Vec<[NodeId; LEVELS]> {
        let held = |node| self.blocks(page, node).len();
        // For each holder the next element around it that holds more blocks; the document at last.
        let mut outer: Vec<NodeId> = vec![0; page.dom.len()];
        for &node in &self.holders {
            let parent = page.dom.parent(node);
            outer[node as usize] = if held(parent) > held(node) { parent } else { outer[parent as usize] };
        }
        let of = |block: &crate::page::Block| {
            let first = if held(block.element) > 1 { block.element } else { outer[block.element as usize] };
            let mut levels = [first; LEVELS];
            for level in 1..LEVELS {
                levels[level] = outer[levels[level - 1] as usize];
            }
            levels
        };
        page.blocks.iter().map(of).collect()
    }

    fn prose_container(&self, page: &Page, share: f32) -> NodeId {
        let wanted = self.page().long_words * share;
        let mut best = 0;
        // Walk down: at most one child can hold more than half.
        loop {
            let next = page.dom.children(best).find(|child| {
                let range = self.blocks(page, *child);
                !range.is_empty() && self.totals(range).long_words >= wanted
            });
            match next {
                Some(child) if wanted > 0.0 && page.dom.tag(child) != Tag::Text => best = child,
                _ => return best,
            }
        }
    }

    /// What is the same for all blocks of a container; where in it a block begins is left out.
    fn container(&self, page: &Page, node: NodeId) -> Container {
        let total = self.page();
        let range = self.blocks(page, node);
        let inner = self.totals(range.clone());
        let before = self.sums[range.start].words;
        let words = inner.words.max(1.0);
        // A level that does not exist repeats the page itself, whose siblings are none.
        let (_, siblings) = self.shape(node);
        let columns = [
            inner.words / total.words.max(1.0),
            ln_1p(inner.words),
            inner.link_words / words,
            inner.long_words / words,
            ln_1p(inner.blocks),
            ln_1p(f32::from(siblings)),
            0.0,
            inner.commas / words,
            inner.paragraphs / inner.blocks.max(1.0),
            before / total.words.max(1.0),
            words / inner.blocks.max(1.0),
        ];
        Container { node, before, words, columns }
    }

    /// What [`Structure::columns`] is to begin with.
    pub fn last(&self, page: &Page) -> Last {
        let document = self.container(page, 0);
        Last([document; LEVELS])
    }

    /// Appends the block's columns in the order of [`names`]; `last` is what was said of the block before.
    pub fn columns(&self, page: &Page, at: usize, last: &mut Last, out: &mut Vec<f32>) {
        let block = &page.blocks[at];
        let dom = &page.dom;
        let flags = self.flags[block.element as usize];
        extend_with_bits(flags, ANCESTORS.len() + 1, out);
        extend_with_bits(OWN_TAG_BITS[dom.tag(block.element) as usize], OWN_TAGS.len(), out);
        let depth = f32::from(dom.depth(block.element));
        let total = self.page();
        let before = self.sums[at];
        out.extend([
            ln_1p(depth),
            at as f32 / total.blocks.max(1.0),
            before.words / total.words.max(1.0),
            ln_1p(at as f32),
            ln_1p(before.words),
            before.long_words / total.long_words.max(1.0),
            self.totals(at..at + 1).words / total.words.max(1.0),
        ]);
        for node in self.prose_containers {
            let range = self.blocks(page, node);
            let inside = range.contains(&at);
            out.push(f32::from(u8::from(inside)));
            // How deep in, or how far out, in words of the page.
            out.push(if inside {
                let inner = self.totals(range.clone());
                (before.words - self.sums[range.start].words) / inner.words.max(1.0)
            } else if at < range.start {
                -1.0
            } else {
                2.0
            });
        }
        let fit = self.totals(self.blocks(page, self.prose_containers[0]));
        out.push(fit.words / total.words.max(1.0));
        for level in 0..LEVELS {
            let node = self.containers[at][level];
            if last.0[level].node != node {
                // The outer containers are often the same ones, a level further in or out.
                let other = last.0[level + 1..].iter().find(|other| other.node == node).copied();
                last.0[level] = other.unwrap_or_else(|| self.container(page, node));
            }
            let container = &mut last.0[level];
            container.columns[POSITION] = (before.words - container.before) / container.words;
            out.extend_from_slice(&container.columns);
        }
        // The block's own element, repeated like-shaped beside it: a list's item, a grid's card.
        out.push(ln_1p(f32::from(self.own_siblings(page, block.element))));
    }

    fn own_siblings(&self, page: &Page, element: NodeId) -> u16 {
        // The element with the most like siblings among those that hold this one block alone.
        let mut most = self.shape(element).1;
        let mut node = element;
        loop {
            let parent = page.dom.parent(node);
            if parent == node || self.blocks(page, parent).len() > 1 {
                return most;
            }
            most = most.max(self.shape(parent).1);
            node = parent;
        }
    }
}

/// The names of [`Structure::columns`].
pub fn names() -> Vec<String> {
    let mut names: Vec<String> = ANCESTORS.iter().map(|(name, _)| (*name).to_owned()).collect();
    names.push("in_hidden".to_owned());
    names.extend(OWN_TAGS.iter().map(|(name, _)| (*name).to_owned()));
    names.extend(
        [
            "depth_log",
            "position_blocks",
            "position_words",
            "index_log",
            "words_before_log",
            "prose_before",
            "share_of_page",
            "in_prose60",
            "position_prose60",
            "in_prose85",
            "position_prose85",
            "prose60_share",
        ]
        .map(str::to_owned),
    );
    for level in 1..=LEVELS {
        names.extend(CONTAINER.iter().map(|name| format!("container{level}_{name}")));
    }
    names.push("like_siblings_log".to_owned());
    names
}

fn blocks_before(page: &Page) -> Vec<u32> {
    let mut before = Vec::with_capacity(page.dom.len() + 1);
    for (at, block) in page.blocks.iter().enumerate() {
        before.resize(block.nodes.start as usize + 1, at as u32);
    }
    before.resize(page.dom.len() + 1, page.blocks.len() as u32);
    before
}

fn holders(page: &Page, before: &[u32]) -> Vec<NodeId> {
    let dom = &page.dom;
    let mut holders = Vec::new();
    let mut node = 1;
    while (node as usize) < dom.len() {
        if dom.tag(node) != Tag::Text && before[dom.end(node) as usize] > before[node as usize] {
            holders.push(node);
            node += 1;
        } else {
            node = dom.end(node);
        }
    }
    holders
}

fn flags(page: &Page, holders: &[NodeId], attributes: &[Attributes]) -> Vec<u32> {
    let dom = &page.dom;
    let mut flags = vec![0u32; dom.len()];
    for (&node, attributes) in holders.iter().zip(attributes) {
        let mut own = flags[dom.parent(node) as usize] | ANCESTOR_BITS[dom.tag(node) as usize];
        if own & HIDDEN == 0 && attributes.telling && is_marked_hidden(page, node) {
            own |= HIDDEN;
        }
        flags[node as usize] = own;
    }
    flags
}

/// See [`Structure::attributes`] and [`Structure::classes`].
fn attributes(page: &Page, holders: &[NodeId]) -> (Vec<Attributes>, Vec<NodeId>) {
    use AttrName::{AriaHidden, AriaModal, Class, Hidden, Role, Style};
    let mut classes = Vec::new();
    let mut numbers: Table<u32> = Table::with_capacity(holders.len() / 4);
    let of = |&node: &NodeId| {
        let mut telling = false;
        let asked = |name| {
            telling |= matches!(name, AriaHidden | AriaModal | Hidden | Role | Style);
            name == Class
        };
        let class = page.dom.attrs_among(node, asked).last().map_or("", |(_, value)| value);
        let class = *numbers.get_or_insert(xxh3_64(class.as_bytes()), || {
            classes.push(node);
            classes.len() as u32 - 1
        });
        Attributes { class, telling }
    };
    (holders.iter().map(of).collect(), classes)
}

/// Whether an element is hidden by an attribute of its own.
pub(crate) fn is_marked_hidden(page: &Page, node: NodeId) -> bool {
    let asked = |name| matches!(name, AttrName::Hidden | AttrName::AriaHidden | AttrName::Style);
    page.dom.attrs_among(node, asked).any(|(name, value)| match name {
        AttrName::Hidden => true,
        AttrName::AriaHidden => value == "true",
        AttrName::Style => is_hiding_style(value),
        _ => false,
    })
}

/// For each node the number of its shape, and for each shape how many have it.
fn sibling_counts(
    page: &Page,
    holders: &[NodeId],
    attributes: &[Attributes],
    classes: &[NodeId],
) -> (Vec<u32>, Vec<u16>) {
    let dom = &page.dom;
    let mut shapes = vec![0u32; dom.len()];
    let mut counts = vec![0u16];
    let mut index: Table<u32> = Table::with_capacity(holders.len());
    let mut name = Vec::new();
    let mut without_digits = |&node: &NodeId| {
        let class = dom.attr(node, AttrName::Class).unwrap_or("");
        name.clear();
        name.extend(class.bytes().map(|byte| if byte.is_ascii_digit() { b'0' } else { byte }));
        xxh3_64(&name)
    };
    let classes: Vec<u64> = classes.iter().map(&mut without_digits).collect();
    for (&node, attributes) in holders.iter().zip(attributes) {
        let class = classes[attributes.class as usize];
        let place = u64::from(dom.parent(node)) << 8 | dom.tag(node) as u64;
        let shape = *index.get_or_insert(class ^ place.wrapping_mul(0x9e37_79b9_7f4a_7c15), || {
            counts.push(0);
            counts.len() as u32 - 1
        });
        shapes[node as usize] = shape;
        let count = &mut counts[shape as usize];
        *count = count.saturating_add(1);
    }
    (shapes, counts)
}
