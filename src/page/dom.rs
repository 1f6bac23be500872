//! A page's elements and text as flat arrays, in document order.
//!
//! Everything after parsing walks the tree down and up, several times. In preorder the descendants of
//! a node are the nodes `id + 1 .. end(id)`, so a walk down is a loop forwards, a walk up is a loop
//! backwards, and a container's share of anything is a difference of prefix sums.

use std::collections::BTreeMap;
use std::ops::Range;

mod read;
mod references;
mod sink;
mod tags;

// Rules are matched in scraper's tree, whose elements are told by the same tags.
#[cfg(feature = "corpus")]
pub(crate) use sink::tag_of;

/// A node's place in document order; the document itself is 0.
pub type NodeId = u32;

/// What makes a tag special to segmentation and features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Display {
    /// Flows within a line: `a`, `span`, `b`.
    Inline,
    /// Breaks the line before and after: `p`, `div`, `td`, custom elements.
    Block,
    /// Its text is never shown: `script`, `style`, `head`'s metadata.
    Hidden,
}

macro_rules! tags {
    ($($variant:ident $name:literal $display:ident),* $(,)?) => {
        /// The elements that lubb knows by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Tag { $(#[doc = $name] $variant),* }

        impl Tag {
            /// Every tag, in the order of their numbers.
            pub const ALL: &[Tag] = &[$(Tag::$variant),*];

            /// The element's name.
            pub fn name(self) -> &'static str {
                match self { $(Tag::$variant => $name),* }
            }

            /// How the element takes part in the flow of text.
            pub fn display(self) -> Display {
                match self { $(Tag::$variant => Display::$display),* }
            }
        }
    };
}

tags! {
    Document "#document" Block, Text "#text" Inline, Unknown "#unknown" Inline, Custom "#custom" Block,
    A "a" Inline, Abbr "abbr" Inline, Address "address" Block, Annotation "annotation" Hidden, Article "article" Block,
    Aside "aside" Block,
    Audio "audio" Hidden, B "b" Inline, Bdi "bdi" Inline, Bdo "bdo" Inline, Big "big" Inline,
    Blockquote "blockquote" Block, Body "body" Block, Br "br" Inline, Button "button" Block,
    Canvas "canvas" Hidden, Caption "caption" Block, Center "center" Block, Cite "cite" Inline, Code "code" Inline,
    Datalist "datalist" Hidden, Dd "dd" Block, Del "del" Inline, Details "details" Block, Dialog "dialog" Block, Dir "dir" Block, Div "div" Block,
    Dl "dl" Block, Dt "dt" Block, Em "em" Inline, Embed "embed" Hidden, Fieldset "fieldset" Block,
    Figcaption "figcaption" Block, Figure "figure" Block, Font "font" Inline, Footer "footer" Block, Form "form" Block,
    Frameset "frameset" Block, H1 "h1" Block, H2 "h2" Block, H3 "h3" Block, H4 "h4" Block, H5 "h5" Block, H6 "h6" Block,
    Head "head" Block, Header "header" Block, Hgroup "hgroup" Block, Hr "hr" Block, Html "html" Block, I "i" Inline,
    Iframe "iframe" Hidden, Img "img" Inline, Input "input" Inline, Ins "ins" Inline, Kbd "kbd" Inline,
    LabelTag "label" Inline, Legend "legend" Block, Li "li" Block, Link "link" Hidden, Main "main" Block,
    Mark "mark" Inline, Math "math" Inline, Menu "menu" Block, Meta "meta" Hidden, Meter "meter" Hidden, Nav "nav" Block,
    Noframes "noframes" Hidden, Noscript "noscript" Block, Object "object" Inline, Ol "ol" Block, Optgroup "optgroup" Inline,
    OptionTag "option" Inline, P "p" Block, Picture "picture" Inline, Pre "pre" Block, Progress "progress" Hidden,
    Q "q" Inline, Rp "rp" Inline,
    Rt "rt" Inline, Ruby "ruby" Inline, S "s" Inline, Samp "samp" Inline, Script "script" Hidden,
    Search "search" Block, Section "section" Block, Select "select" Block, Small "small" Inline,
    Source "source" Hidden, Span "span" Inline, Strike "strike" Inline, Strong "strong" Inline, Style "style" Hidden,
    Sub "sub" Inline, Summary "summary" Block, Sup "sup" Inline, Svg "svg" Hidden, Table "table" Block,
    Tbody "tbody" Block, Td "td" Block, Template "template" Block, Textarea "textarea" Block, Tfoot "tfoot" Block,
    Th "th" Block, Thead "thead" Block, Time "time" Inline, Title "title" Hidden, Tr "tr" Block, Track "track" Hidden,
    Tt "tt" Inline, U "u" Inline, Ul "ul" Block, Var "var" Inline, Video "video" Hidden, Wbr "wbr" Inline,
    Marquee "marquee" Inline, Frame "frame" Hidden,
}

macro_rules! attributes {
    ($($variant:ident $name:literal),* $(,)?) => {
        /// The attributes that features, metadata and output read; others are not stored.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum AttrName { $(#[doc = $name] $variant),* }

        impl AttrName {
            /// Every attribute with its name, in alphabetical order.
            pub const ALL: &[(&str, AttrName)] = &[$(($name, AttrName::$variant)),*];
        }
    };
}

attributes! {
    Alt "alt", AriaHidden "aria-hidden", AriaLabel "aria-label", AriaModal "aria-modal", Class "class", Colspan "colspan", Content "content",
    Datetime "datetime", Dir "dir", Hidden "hidden", Href "href", HttpEquiv "http-equiv", Id "id",
    Itemprop "itemprop", Itemtype "itemtype", Lang "lang", Name "name", Property "property",
    Rel "rel", Reversed "reversed", Role "role", Rowspan "rowspan", Src "src", Start "start", Style "style",
    Title "title", Type "type", Value "value",
}

#[derive(Clone, Debug)]
struct Node {
    parent: NodeId,
    /// One past the last descendant.
    end: NodeId,
    /// An element's attributes in `Dom::attrs`, or a text node's characters in `Dom::text`.
    data: (u32, u32),
    depth: u16,
    tag: Tag,
}

#[derive(Clone, Debug)]
struct Attr {
    name: AttrName,
    value: (u32, u32),
}

/// A parsed page: its elements and text in document order. Comments, doctypes, and the text of `<style>` and of scripts
/// that are no JSON-LD are left out.
#[derive(Clone, Debug)]
pub struct Dom {
    nodes: Vec<Node>,
    attrs: Vec<Attr>,
    /// Text nodes' characters and attribute values.
    text: String,
    cut: bool,
}

impl Dom {
    /// Parses decoded HTML, as a browser without scripts does (so `<noscript>` holds elements).
    ///
    /// A page nested so deep that reading it would take minutes is read as far as is cheap, see
    /// [`is_cut`](Dom::is_cut).
    pub fn parse(html: &str) -> Dom {
        read::parse(html)
    }

    /// A tree without elements, for text that never was HTML.
    pub fn empty() -> Dom {
        Dom { nodes: vec![Node::document()], attrs: Vec::new(), text: String::new(), cut: false }
    }

    /// Whether the page was nested too deep to be read to its end.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// How many nodes there are, the document included.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether the page has neither elements nor text.
    pub fn is_empty(&self) -> bool {
        self.nodes.len() <= 1
    }

    /// The node's tag; `Tag::Text` for text.
    ///
    /// # Panics
    /// As all that ask for a node, if it is none of this page: see [`Dom::len`].
    pub fn tag(&self, node: NodeId) -> Tag {
        self.nodes[node as usize].tag
    }

    /// The node's parent; the document's parent is itself.
    pub fn parent(&self, node: NodeId) -> NodeId {
        self.nodes[node as usize].parent
    }

    /// One past the last descendant: the subtree is `node..end(node)`.
    pub fn end(&self, node: NodeId) -> NodeId {
        self.nodes[node as usize].end
    }

    /// The number of ancestors (at most 65,535).
    pub fn depth(&self, node: NodeId) -> u16 {
        self.nodes[node as usize].depth
    }

    /// The characters of a text node; empty for elements.
    pub fn text(&self, node: NodeId) -> &str {
        let node = &self.nodes[node as usize];
        if node.tag == Tag::Text { &self.text[node.data.0 as usize..node.data.1 as usize] } else { "" }
    }

    /// All text below a node as it stands in the source, for `<title>`, `<script>` and the like.
    pub fn inner_text(&self, node: NodeId) -> String {
        (node..self.end(node)).map(|n| self.text(n)).collect()
    }

    /// The value of an attribute.
    pub fn attr(&self, node: NodeId, name: AttrName) -> Option<&str> {
        self.attrs_among(node, |n| n == name).next().map(|(_, value)| value)
    }

    /// The element's attributes whose names are asked for: the text of the others is not touched, which as often as not
    /// is in no cache any more.
    pub fn attrs_among(
        &self,
        node: NodeId,
        mut asked: impl FnMut(AttrName) -> bool,
    ) -> impl Iterator<Item = (AttrName, &str)> {
        let Node { tag, data, .. } = self.nodes[node as usize];
        let range: Range<usize> = if tag == Tag::Text { 0..0 } else { data.0 as usize..data.1 as usize };
        let value = |a: &Attr| (a.name, &self.text[a.value.0 as usize..a.value.1 as usize]);
        self.attrs[range].iter().filter(move |a| asked(a.name)).map(value)
    }

    /// The element's attributes in alphabetical order.
    pub fn attrs(&self, node: NodeId) -> impl Iterator<Item = (AttrName, &str)> {
        self.attrs_among(node, |_| true)
    }

    /// The node's ancestors from its parent up to the document.
    pub fn ancestors(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let mut at = node;
        std::iter::from_fn(move || {
            let parent = self.parent(at);
            (parent != at).then(|| {
                at = parent;
                parent
            })
        })
    }

    /// The node's children in order.
    pub fn children(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let end = self.end(node);
        let mut at = node + 1;
        std::iter::from_fn(move || {
            (at < end).then(|| {
                let child = at;
                at = self.end(child);
                child
            })
        })
    }

    /// The same tree with other tags, and without the attributes that are not to be kept.
    pub fn with(&self, tag: impl Fn(Tag) -> Tag, keeps: impl Fn(AttrName, &str) -> bool) -> Dom {
        let mut attrs = Vec::new();
        let mut renamed = |node: NodeId| {
            let Node { tag: old, data, .. } = self.nodes[node as usize];
            if old == Tag::Text {
                return self.nodes[node as usize].clone();
            }
            let start = attrs.len() as u32;
            let value = |a: &Attr| &self.text[a.value.0 as usize..a.value.1 as usize];
            let kept = self.attrs[data.0 as usize..data.1 as usize].iter().filter(|a| keeps(a.name, value(a)));
            attrs.extend(kept.cloned());
            Node { tag: tag(old), data: (start, attrs.len() as u32), ..self.nodes[node as usize].clone() }
        };
        let nodes = (0..self.nodes.len() as NodeId).map(&mut renamed).collect();
        Dom { nodes, attrs, text: self.text.clone(), cut: self.cut }
    }

    /// The same tree with more elements after some that are not in one another: each with the tag and the attributes of
    /// that before it, and a text.
    pub fn with_more(&self, after: &BTreeMap<NodeId, &[String]>) -> Dom {
        let mut text = self.text.clone();
        let mut nodes: Vec<Node> = Vec::with_capacity(self.nodes.len());
        let mut places = vec![0; self.nodes.len()];
        let mut open: Option<NodeId> = None;
        for old in 0..=self.nodes.len() as NodeId {
            if let Some(element) = open.filter(|element| self.end(*element) == old) {
                open = None;
                for more in after.get(&element).copied().unwrap_or_default() {
                    let start = text.len() as u32;
                    text.push_str(more);
                    let like = nodes[places[element as usize] as usize].clone();
                    let inside = Node {
                        parent: nodes.len() as NodeId,
                        data: (start, text.len() as u32),
                        depth: like.depth + 1,
                        tag: Tag::Text,
                        end: 0,
                    };
                    nodes.extend([like, inside]);
                }
            }
            let Some(node) = self.nodes.get(old as usize) else { break };
            places[old as usize] = nodes.len() as NodeId;
            nodes.push(Node { parent: places[node.parent as usize], ..node.clone() });
            if after.contains_key(&old) {
                open = Some(old);
            }
        }
        // Each ends where the last in it does.
        nodes.iter_mut().enumerate().for_each(|(at, node)| node.end = at as NodeId + 1);
        for at in (1..nodes.len()).rev() {
            let parent = nodes[at].parent as usize;
            nodes[parent].end = nodes[parent].end.max(nodes[at].end);
        }
        Dom { nodes, attrs: self.attrs.clone(), text, cut: self.cut }
    }

    /// The elements with a tag, in document order.
    pub fn elements(&self, tag: Tag) -> impl Iterator<Item = NodeId> + '_ {
        (0..self.nodes.len() as NodeId).filter(move |&n| self.tag(n) == tag)
    }
}

impl Node {
    fn document() -> Node {
        Node { parent: 0, end: 1, data: (0, 0), depth: 0, tag: Tag::Document }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_in_document_order_with_subtree_ranges() {
        let dom = Dom::parse("<p class=x>a<b>c</b></p><div id=y>d</div>");
        let p = dom.elements(Tag::P).next().unwrap();
        let div = dom.elements(Tag::Div).next().unwrap();
        assert_eq!(dom.end(p), div);
        assert_eq!(dom.inner_text(p), "ac");
        assert_eq!(dom.attr(p, AttrName::Class), Some("x"));
        assert_eq!(dom.children(p).count(), 2);
        assert_eq!(dom.ancestors(p).map(|n| dom.tag(n)).collect::<Vec<_>>(), [Tag::Body, Tag::Html, Tag::Document]);
    }

    #[test]
    fn templates_in_templates_are_as_deep_as_other_elements() {
        assert!(Dom::parse(&"<template><p>a</p>".repeat(50_000)).is_cut());
        assert!(!Dom::parse(&"<template><p>a</p></template>".repeat(50_000)).is_cut());
    }

    #[test]
    fn noscript_and_template_contents_are_elements() {
        let dom = Dom::parse("<body><noscript><p>one</p></noscript><template><p>two</p></template>");
        assert_eq!(dom.elements(Tag::P).count(), 2);
    }
}
