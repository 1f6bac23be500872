//! Where html5ever puts the elements it finds: linked nodes in one array, flattened into document order at the end.
//!
//! The tree builder moves what it has built (text out of tables, misnested formatting), so document order is known
//! only when all is read. Text and attribute values go into the page's text buffer at once and are not copied again.

use std::borrow::Cow;
use std::cell::{Cell, Ref, RefCell};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use html5ever::interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::StrTendril;
use html5ever::{Attribute, LocalName, QualName, expanded_name, local_name, ns};

use super::{Attr, AttrName, Dom, Node, NodeId, Tag};

const NONE: u32 = u32::MAX;
const DOCUMENT: u32 = 0;

/// What a new element costs, in looks at one.
const ELEMENT: u64 = 25;
/// What a tag may cost on any page: pages of a million tags are long, not deep.
const ORDINARY: u64 = 100;

/// What html5ever knows a node by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handle {
    node: u32,
    /// The place of an element's name.
    name: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Element,
    /// An element whose text is not kept.
    Mute,
    Text,
    /// Text that belongs to the text node before it.
    More,
    /// A comment: it keeps the texts around it apart, and is left out at the end.
    Comment,
    /// What holds the contents of a `<template>`; left out, its children are the template's.
    Fragment,
}

#[derive(Clone, Copy, Debug)]
struct Draft {
    parent: u32,
    before: u32,
    after: u32,
    first: u32,
    last: u32,
    /// How deep it stood when it got its place.
    depth: u32,
    /// As in [`Node`].
    data: (u32, u32),
    kind: Kind,
    tag: Tag,
}

#[derive(Debug)]
struct Drafts {
    nodes: Vec<Draft>,
    attrs: Vec<Attr>,
    text: String,
    /// How deep the element stands that got its place last.
    depth: u32,
}

/// A page being read.
#[derive(Debug)]
pub(super) struct Sink {
    drafts: RefCell<Drafts>,
    names: RefCell<Vec<QualName>>,
    /// What the page cost so far beyond the ordinary, in looks at one element.
    steps: Cell<u64>,
    /// Whether the element that was made last is one whose text is not kept.
    mute: Cell<bool>,
}

impl Sink {
    pub(super) fn new(bytes: usize) -> Sink {
        let document = Draft::new(Kind::Element, Tag::Document, (0, 0));
        let mut nodes = Vec::with_capacity(bytes / 48 + 16);
        nodes.push(document);
        let attrs = Vec::with_capacity(bytes / 128 + 16);
        let text = String::with_capacity(bytes / 4);
        Sink {
            drafts: RefCell::new(Drafts { nodes, attrs, text, depth: 0 }),
            names: RefCell::new(Vec::with_capacity(bytes / 64 + 16)),
            steps: Cell::new(0),
            mute: Cell::new(false),
        }
    }

    /// What the page cost html5ever so far beyond the ordinary, in looks at one element.
    pub(super) fn steps(&self) -> u64 {
        self.steps.get()
    }

    fn count(&self, steps: u64) {
        self.steps.set(self.steps.get() + steps);
    }

    /// A tag was read: html5ever may have looked through all open elements without asking for a name.
    pub(super) fn count_tag(&self) {
        self.count(u64::from(self.drafts.borrow().depth));
        self.steps.set(self.steps.get().saturating_sub(ORDINARY));
    }

    /// Whether the element that was made last is one whose text is not kept.
    pub(super) fn is_mute(&self) -> bool {
        self.mute.get()
    }
}

impl TreeSink for Sink {
    type Output = Dom;
    type Handle = Handle;
    type ElemName<'a> = Ref<'a, QualName>;

    fn finish(self) -> Dom {
        self.drafts.into_inner().flatten()
    }

    fn parse_error(&self, _: Cow<'static, str>) {}
    fn set_quirks_mode(&self, _: QuirksMode) {}
    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}

    fn get_document(&self) -> Handle {
        Handle { node: DOCUMENT, name: NONE }
    }

    fn same_node(&self, x: &Handle, y: &Handle) -> bool {
        x.node == y.node
    }

    fn elem_name<'a>(&'a self, target: &'a Handle) -> Ref<'a, QualName> {
        self.count(1);
        Ref::map(self.names.borrow(), |names| &names[target.name as usize])
    }

    fn create_element(&self, name: QualName, attrs: Vec<Attribute>, _: ElementFlags) -> Handle {
        let mut drafts = self.drafts.borrow_mut();
        let data = drafts.attributes(attrs);
        let tag = tag_of(&name.local);
        let mute = match tag {
            _ if name.ns != ns!(html) => false,
            Tag::Script => !drafts.is_json_ld(data),
            Tag::Style => true,
            _ => false,
        };
        self.mute.set(mute);
        let kind = if mute { Kind::Mute } else { Kind::Element };
        let node = drafts.add(Draft::new(kind, tag, data));
        if name.expanded() == expanded_name!(html "template") {
            let contents = drafts.add(Draft::new(Kind::Fragment, Tag::Unknown, (0, 0)));
            drafts.link(node, NONE, contents);
        }
        self.count(ELEMENT);
        let mut names = self.names.borrow_mut();
        names.push(name);
        Handle { node, name: names.len() as u32 - 1 }
    }

    fn create_comment(&self, _: StrTendril) -> Handle {
        let node = self.drafts.borrow_mut().add(Draft::new(Kind::Comment, Tag::Unknown, (0, 0)));
        Handle { node, name: NONE }
    }

    fn create_pi(&self, target: StrTendril, _: StrTendril) -> Handle {
        self.create_comment(target)
    }

    fn append(&self, parent: &Handle, child: NodeOrText<Handle>) {
        self.drafts.borrow_mut().append(parent.node, child);
    }

    fn append_before_sibling(&self, sibling: &Handle, new: NodeOrText<Handle>) {
        self.drafts.borrow_mut().append_before(sibling.node, new);
    }

    fn append_based_on_parent_node(&self, element: &Handle, previous: &Handle, child: NodeOrText<Handle>) {
        let mut drafts = self.drafts.borrow_mut();
        match drafts.at(element.node).parent {
            NONE => drafts.append(previous.node, child),
            _ => drafts.append_before(element.node, child),
        }
    }

    fn get_template_contents(&self, target: &Handle) -> Handle {
        Handle { node: self.drafts.borrow().nodes[target.node as usize].first, name: NONE }
    }

    fn add_attrs_if_missing(&self, target: &Handle, attrs: Vec<Attribute>) {
        self.drafts.borrow_mut().add_missing(target.node, attrs);
    }

    fn remove_from_parent(&self, target: &Handle) {
        self.drafts.borrow_mut().unlink(target.node);
    }

    fn reparent_children(&self, node: &Handle, new_parent: &Handle) {
        self.drafts.borrow_mut().move_children(node.node, new_parent.node);
    }
}

impl Draft {
    fn new(kind: Kind, tag: Tag, data: (u32, u32)) -> Draft {
        Draft { parent: NONE, before: NONE, after: NONE, first: NONE, last: NONE, depth: 0, data, kind, tag }
    }
}

impl Drafts {
    fn at(&mut self, node: u32) -> &mut Draft {
        &mut self.nodes[node as usize]
    }

    fn add(&mut self, draft: Draft) -> u32 {
        self.nodes.push(draft);
        self.nodes.len() as u32 - 1
    }

    fn store(&mut self, text: &str) -> (u32, u32) {
        let start = self.text.len() as u32;
        self.text.push_str(text);
        (start, self.text.len() as u32)
    }

    /// Keeps the attributes that lubb reads, ordered by name.
    fn attributes(&mut self, mut attrs: Vec<Attribute>) -> (u32, u32) {
        let first = self.attrs.len() as u32;
        attrs.retain(|attr| ATTRIBUTES.contains_key(&attr.name.local));
        if attrs.len() > 1 {
            attrs.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        }
        for attr in &attrs {
            if let Some(&name) = ATTRIBUTES.get(&attr.name.local) {
                let value = self.store(&attr.value);
                self.attrs.push(Attr { name, value });
            }
        }
        (first, self.attrs.len() as u32)
    }

    fn add_missing(&mut self, node: u32, mut attrs: Vec<Attribute>) {
        let (first, last) = self.at(node).data;
        let known = first as usize..last as usize;
        let has = |name: &LocalName| {
            ATTRIBUTES.get(name).is_none_or(|name| self.attrs[known.clone()].iter().any(|attr| attr.name == *name))
        };
        attrs.retain(|attr| !has(&attr.name.local));
        if attrs.is_empty() {
            return;
        }
        let start = self.attrs.len();
        self.attrs.extend_from_within(known);
        self.attributes(attrs);
        self.attrs[start..].sort_by_key(|attr| attr.name as u8);
        let end = self.attrs.len() as u32;
        self.at(node).data = (start as u32, end);
    }

    fn is_json_ld(&self, (first, last): (u32, u32)) -> bool {
        let types = self.attrs[first as usize..last as usize].iter().filter(|attr| attr.name == AttrName::Type);
        let mut values = types.map(|attr| &self.text[attr.value.0 as usize..attr.value.1 as usize]);
        values.any(|value| value.to_ascii_lowercase().contains("ld+json"))
    }

    /// Puts a node without a place below `parent`, before `next` or at the end.
    fn link(&mut self, parent: u32, next: u32, node: u32) {
        let before = if next == NONE { self.at(parent).last } else { self.at(next).before };
        let depth = self.at(parent).depth + 1;
        let draft = self.at(node);
        (draft.parent, draft.before, draft.after, draft.depth) = (parent, before, next, depth);
        let first = draft.first;
        if draft.tag != Tag::Text {
            self.depth = depth;
        }
        // The contents of a template are made before it has its place, and stand as deep as it does.
        if first != NONE && self.at(first).kind == Kind::Fragment {
            self.at(first).depth = depth;
        }
        match before {
            NONE => self.at(parent).first = node,
            _ => self.at(before).after = node,
        }
        match next {
            NONE => self.at(parent).last = node,
            _ => self.at(next).before = node,
        }
    }

    fn unlink(&mut self, node: u32) {
        let Draft { parent, before, after, .. } = *self.at(node);
        if parent == NONE {
            return;
        }
        match before {
            NONE => self.at(parent).first = after,
            _ => self.at(before).after = after,
        }
        match after {
            NONE => self.at(parent).last = before,
            _ => self.at(after).before = before,
        }
        let draft = self.at(node);
        (draft.parent, draft.before, draft.after) = (NONE, NONE, NONE);
    }

    fn append(&mut self, parent: u32, child: NodeOrText<Handle>) {
        match child {
            NodeOrText::AppendNode(child) => {
                self.unlink(child.node);
                self.link(parent, NONE, child.node);
            }
            NodeOrText::AppendText(text) => self.append_text(parent, NONE, &text),
        }
    }

    fn append_before(&mut self, sibling: u32, new: NodeOrText<Handle>) {
        if let NodeOrText::AppendNode(new) = &new {
            self.unlink(new.node);
        }
        let parent = self.at(sibling).parent;
        if parent == NONE {
            return;
        }
        match new {
            NodeOrText::AppendNode(new) => self.link(parent, sibling, new.node),
            NodeOrText::AppendText(text) => self.append_text(parent, sibling, &text),
        }
    }

    fn append_text(&mut self, parent: u32, next: u32, text: &str) {
        let before = if next == NONE { self.at(parent).last } else { self.at(next).before };
        let joins = before != NONE && matches!(self.at(before).kind, Kind::Text | Kind::More);
        if self.at(parent).kind == Kind::Mute {
            if !joins {
                let node = self.add(Draft::new(Kind::Text, Tag::Text, (0, 0)));
                self.link(parent, next, node);
            }
            return;
        }
        let end = self.text.len() as u32;
        let data = self.store(text);
        if joins && self.at(before).data.1 == end {
            self.at(before).data.1 = data.1;
            return;
        }
        let node = self.add(Draft::new(if joins { Kind::More } else { Kind::Text }, Tag::Text, data));
        self.link(parent, next, node);
    }

    fn move_children(&mut self, from: u32, to: u32) {
        let Draft { first, last, .. } = *self.at(from);
        if first == NONE {
            return;
        }
        let mut child = first;
        while child != NONE {
            self.at(child).parent = to;
            child = self.at(child).after;
        }
        let before = self.at(to).last;
        match before {
            NONE => self.at(to).first = first,
            _ => self.at(before).after = first,
        }
        self.at(first).before = before;
        self.at(to).last = last;
        (self.at(from).first, self.at(from).last) = (NONE, NONE);
    }

    /// The nodes in document order.
    fn flatten(mut self) -> Dom {
        let mut nodes = Vec::with_capacity(self.nodes.len());
        nodes.push(Node::document());
        let mut open: Vec<NodeId> = vec![0];
        let mut at = self.nodes[DOCUMENT as usize].first;
        while at != NONE {
            let draft = self.nodes[at as usize];
            let Draft { kind, data, tag, .. } = draft;
            let id = nodes.len() as NodeId;
            let parent = open.last().copied().unwrap_or(0);
            let depth = open.len().min(u16::MAX as usize) as u16;
            match kind {
                Kind::Element | Kind::Mute => {
                    nodes.push(Node { parent, end: id + 1, data, depth, tag });
                    open.push(id);
                }
                Kind::Text => nodes.push(Node { parent, end: id + 1, data, depth, tag }),
                Kind::More => {
                    if let Some(text) = nodes.last_mut() {
                        text.data = self.joined(text.data, data);
                    }
                }
                Kind::Comment | Kind::Fragment => {}
            }
            let mut next = draft.first;
            let mut done = at;
            while next == NONE && done != DOCUMENT {
                let draft = self.nodes[done as usize];
                if matches!(draft.kind, Kind::Element | Kind::Mute)
                    && let Some(id) = open.pop()
                {
                    nodes[id as usize].end = nodes.len() as NodeId;
                }
                (next, done) = (draft.after, draft.parent);
            }
            at = next;
        }
        nodes[0].end = nodes.len() as NodeId;
        self.text.shrink_to_fit();
        Dom { nodes, attrs: self.attrs, text: self.text, cut: false }
    }

    /// Two ranges of the text as one, copied to its end where they do not adjoin.
    fn joined(&mut self, a: (u32, u32), b: (u32, u32)) -> (u32, u32) {
        if a.1 == b.0 {
            return (a.0, b.1);
        }
        let mut start = a.0;
        if a.1 as usize != self.text.len() {
            start = self.text.len() as u32;
            self.text.extend_from_within(a.0 as usize..a.1 as usize);
        }
        self.text.extend_from_within(b.0 as usize..b.1 as usize);
        (start, self.text.len() as u32)
    }
}

/// Names come with their hashes.
#[derive(Default)]
struct NameHasher(u64);

impl Hasher for NameHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }
    fn write_u32(&mut self, hash: u32) {
        self.0 = u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

type Names<T> = HashMap<LocalName, T, BuildHasherDefault<NameHasher>>;

static TAGS: LazyLock<Names<Tag>> = LazyLock::new(|| {
    // What pages of old wrote for `<pre>`, and browsers show as such (HTML standard, 15.3.3).
    let preformatted = ["listing", "plaintext", "xmp"].map(|name| (name, Tag::Pre));
    let all = Tag::ALL.iter().map(|tag| (tag.name(), *tag)).chain(preformatted);
    all.map(|(name, tag)| (LocalName::from(name), tag)).collect()
});
static ATTRIBUTES: LazyLock<Names<AttrName>> =
    LazyLock::new(|| AttrName::ALL.iter().map(|(text, name)| (LocalName::from(*text), *name)).collect());

/// The tag of an element's name: `Custom` for names with a hyphen, `Unknown` for others that HTML does not define.
pub(crate) fn tag_of(name: &LocalName) -> Tag {
    match TAGS.get(name) {
        Some(tag) => *tag,
        None if name.contains('-') => Tag::Custom,
        None => Tag::Unknown,
    }
}
