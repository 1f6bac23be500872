//! Parts of a page that are not its author's: embedded posts, readers' comments, teasers of further articles. Their
//! dates and names are not the page's.

use std::collections::HashMap;

use super::dom::{AttrName, Dom, NodeId, Tag};
use super::words::start_of;

/// Which nodes stand in such parts. Every node's class is looked at once, however many below it are asked for.
#[derive(Debug)]
pub(crate) struct Elsewhere<'a> {
    dom: &'a Dom,
    h1s: Vec<NodeId>,
    known: HashMap<NodeId, bool>,
}

impl<'a> Elsewhere<'a> {
    pub(crate) fn of(dom: &'a Dom) -> Elsewhere<'a> {
        Elsewhere { dom, h1s: dom.elements(Tag::H1).collect(), known: HashMap::new() }
    }

    /// Whether a node is, or stands in, such a part.
    pub(crate) fn holds(&mut self, node: NodeId) -> bool {
        let (mut at, mut passed) = (node, Vec::new());
        let holds = loop {
            if let Some(known) = self.known.get(&at) {
                break *known;
            }
            passed.push(at);
            let parent = self.dom.parent(at);
            if self.opens(at) || parent == at {
                break parent != at;
            }
            at = parent;
        };
        self.known.extend(passed.into_iter().map(|node| (node, holds)));
        holds
    }

    fn opens(&self, node: NodeId) -> bool {
        // Pages of old put all they have into one, to indent it.
        const SMALL: NodeId = 60;
        let named = |name| self.dom.attr(node, name).is_some_and(names_part);
        let quotes = self.dom.tag(node) == Tag::Blockquote && self.dom.end(node) - node <= SMALL;
        let is_part = quotes || named(AttrName::Class) || named(AttrName::Id);
        // Around the headline it is the page, whatever its class says of what it has.
        is_part && !self.has_h1(node)
    }

    fn has_h1(&self, node: NodeId) -> bool {
        let next = self.h1s.partition_point(|h1| *h1 < node);
        self.h1s.get(next).is_some_and(|h1| *h1 < self.dom.end(node))
    }
}

/// Whether a class or an id is that of comments or of teasers: `comment-list`, `td_block_related_posts`.
fn names_part(names: &str) -> bool {
    const MOST: usize = 400;
    const PARTS: [&str; 14] = [
        "comment",
        "comments",
        "commentlist",
        "disqus",
        "respond",
        "replies",
        "related",
        "relatedposts",
        "relatednews",
        "recommended",
        "recommendations",
        "teaser",
        "teasers",
        "tweet",
    ];
    /// With these it is said of an article whether it has comments, or how many.
    const OF_ARTICLES: [&str; 10] =
        ["open", "closed", "status", "off", "enabled", "disabled", "has", "with", "count", "no"];
    start_of(names, MOST).split_ascii_whitespace().any(|name| {
        let has =
            |parts: &[&str]| name.split(['-', '_']).any(|p| parts.iter().any(|part| p.eq_ignore_ascii_case(part)));
        has(&PARTS) && !has(&OF_ARTICLES)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_teasers_and_embedded_posts_are_of_others() {
        let all = format!("<blockquote><time></time>{}", "<p>a".repeat(60));
        for (html, holds) in [
            ("<div class='post comments-open'><time>", false),
            ("<div class='has-comments'><time>", false),
            ("<ol id=comments class=list><li><p><time>", true),
            ("<div class=td_block_related_posts><time>", true),
            ("<div class='related'><h1>T</h1><time>", false),
            ("<blockquote class=twitter-tweet>a <time>", true),
            (&all, false),
            ("<section class=commentary><time>", false),
        ] {
            let dom = Dom::parse(html);
            let time = dom.elements(Tag::Time).next().unwrap();
            assert_eq!(Elsewhere::of(&dom).holds(time), holds, "{html}");
        }
    }
}
