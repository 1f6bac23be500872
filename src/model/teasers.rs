//! Teasers of other articles, a headline that is a link with a sentence or two below it, are no part of an article.
//!
//! Where the article itself is a sentence or two they outweigh it, and the classifiers take the page for a list, of which
//! they are the body. But a page that says of itself that it is an article of a certain day is no list. Were all blocks
//! taken for body, the rule would take something out of 236 of the 1,952 pages of `wcxb-dev`, `news-en` and `news-world`,
//! and words of a reference out of seven, at most one of a hundred. Without the day, which archives do not give, and with
//! longer teasers it would be 34 pages, lists among them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::Labels;
use crate::label::Label;
use crate::page::byline::key;
use crate::page::dom::{AttrName, Dom, NodeId, Tag};
use crate::page::jsonld::JsonLd;
use crate::page::{Block, Input, Page, host_of};

/// A shorter link, in letters, is no headline.
const HEADLINE: usize = 12;
/// An element with more text, in characters, is no teaser.
const TEASER: u32 = 500;
/// So many teasers make a list.
const LIST: usize = 3;
/// So many elements around a block may be its teaser.
const AROUND: usize = 6;
/// A block of the article outside of teasers has so many letters.
const PROSE: usize = 40;

/// Takes teasers out of the body of a page that declares that it is an article, if something of the body is no teaser.
pub fn drop_teasers(page: &Page, labels: &mut Labels) {
    if page.input() == Input::Text {
        return;
    }
    let kept: Vec<usize> = labels.body().collect();
    if kept.is_empty() || !is_dated_article(&page.dom) {
        return;
    }
    let host = page.host().or_else(|| host_of(page.declared_url()?));
    let mut lists = Lists { page, host, of_parents: HashMap::new() };
    let (teasers, others): (Vec<usize>, Vec<usize>) = kept.into_iter().partition(|&at| lists.hold(at));
    let is_prose = |at: &usize| key(page.text_of(&page.blocks[*at])).chars().nth(PROSE - 1).is_some();
    if !others.iter().any(is_prose) {
        return;
    }
    teasers.into_iter().for_each(|at| labels.take_out(at, Label::Related));
}

/// Whether a page says that it is an article, and when it was published: archives say the first too.
pub(super) fn is_dated_article(dom: &Dom) -> bool {
    let says = |property: &str, is: fn(&str) -> bool| {
        let of = |node: &NodeId| dom.attr(*node, AttrName::Property) == Some(property);
        dom.elements(Tag::Meta).filter(of).any(|node| dom.attr(node, AttrName::Content).is_some_and(is))
    };
    // Of the types that are nothing but articles, whatever it is called.
    let is_dated = || JsonLd::of(dom).article(|_| false).is_some_and(|of| of.text(&["datePublished"]).is_some());
    says("og:type", |content| content.eq_ignore_ascii_case("article"))
        && (says("article:published_time", |content| !content.is_empty()) || is_dated())
}

struct Lists<'a> {
    page: &'a Page,
    host: Option<String>,
    /// For each parent that was looked at, its children that are teasers in a list.
    of_parents: HashMap<NodeId, Vec<NodeId>>,
}

impl Lists<'_> {
    /// Whether a block is in a teaser.
    fn hold(&mut self, at: usize) -> bool {
        let element = self.page.blocks[at].element;
        let around: Vec<NodeId> =
            std::iter::once(element).chain(self.page.dom.ancestors(element)).take(AROUND).collect();
        around.into_iter().any(|node| {
            let parent = self.page.dom.parent(node);
            let teasers = match self.of_parents.entry(parent) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(teasers_in(self.page, self.host.as_deref(), parent)),
            };
            teasers.binary_search(&node).is_ok()
        })
    }
}

/// The children of an element that are teasers, of which there are some that look alike and lead to different pages.
fn teasers_in(page: &Page, host: Option<&str>, parent: NodeId) -> Vec<NodeId> {
    let dom = &page.dom;
    let mut alike: HashMap<(Tag, &str), Vec<(NodeId, &str)>> = HashMap::new();
    for child in dom.children(parent).filter(|child| dom.tag(*child) != Tag::Text) {
        if let Some(target) = target(page, host, child) {
            let class = dom.attr(child, AttrName::Class).unwrap_or("").trim();
            alike.entry((dom.tag(child), class)).or_default().push((child, target));
        }
    }
    let is_list = |list: &Vec<(NodeId, &str)>| {
        let mut targets: Vec<&str> = list.iter().map(|(_, target)| *target).collect();
        targets.sort_unstable();
        targets.dedup();
        targets.len() >= LIST
    };
    let mut teasers: Vec<NodeId> = alike.into_values().filter(is_list).flatten().map(|(child, _)| child).collect();
    teasers.sort_unstable();
    teasers
}

/// Where a teaser leads: it has a block that is a link, but for a section's name, and something below it, and all links of
/// some length in it lead to one place of the site.
fn target<'a>(page: &'a Page, host: Option<&str>, element: NodeId) -> Option<&'a str> {
    let dom = &page.dom;
    let blocks = &page.blocks[page.blocks_in(element)];
    let chars: u32 = blocks.iter().map(|block| block.chars).sum();
    let is_link = |block: &Block| block.chars as usize >= HEADLINE && 10 * block.link_chars >= 7 * block.chars;
    if chars > TEASER || !blocks.split_last().is_some_and(|(_, before)| before.iter().any(is_link)) {
        return None;
    }
    let links = (element..dom.end(element)).filter(|&node| dom.tag(node) == Tag::A);
    let mut headlines = links.filter(|&node| key(&dom.inner_text(node)).chars().nth(HEADLINE - 1).is_some());
    let target = dom.attr(headlines.next()?, AttrName::Href)?;
    let leads_away = host_of(target).is_some_and(|of| host.is_some_and(|host| host != of));
    let is_one = headlines.all(|node| dom.attr(node, AttrName::Href) == Some(target));
    (is_one && !leads_away && !target.starts_with('#')).then_some(target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::Labelled;

    const ARTICLE: &str =
        "<meta property=og:type content=article><meta property=article:published_time content=2026-11-29>";
    const OWN: &str =
        "<h1>هزة أرضية خفيفة</h1><p>شعر سكان الإقليم قبل قليل بهزة أرضية خفيفة دامت بضع ثوان ولم تخلف خسائر.</p>";

    fn teaser(at: usize) -> String {
        format!(
            "<div class=bx><a href=/n/{at}><img></a><div>جهات</div><div><a href=/n/{at}>سكان الدوار يطالبون بقنطرة</a></div>\
             <div>كلما ارتفع منسوب الوادي توقف التلاميذ عن الدراسة أياما.</div></div>"
        )
    }

    /// How many blocks are left of a page of which every block was kept, and how many there are.
    fn left(head: &str, body: &str) -> (usize, usize) {
        let page = Page::from_html(&format!("<head>{head}</head><body>{body}"));
        let kept = Labelled { label: Label::Body, p: 0.9, body: 0.9 };
        let mut labels = Labels { blocks: vec![kept; page.blocks.len()], score: 0.9 };
        drop_teasers(&page, &mut labels);
        (labels.body().count(), page.blocks.len())
    }

    #[test]
    fn teasers_go_from_a_page_that_is_an_article_of_a_certain_day() {
        let body = format!("{OWN}{}{}{}", teaser(1), teaser(2), teaser(3));
        assert_eq!(left(ARTICLE, &body), (2, 11));
        let data = "<meta property=og:type content=article>\
                    <script type=application/ld+json>{\"@type\":\"NewsArticle\",\"datePublished\":\"2026-11-29\"}</script>";
        assert_eq!(left(data, &body).0, 2);
        assert_eq!(left("<meta property=og:type content=article>", &body).0, 11, "without a day");
        assert_eq!(left("", &body).0, 11);
        let in_links = body.replace("</a></div><div>", "<br><br>").replace("أياما.", "أياما.</a>");
        assert_eq!(left(ARTICLE, &in_links), (2, 11), "teasers that are links as a whole");
    }

    #[test]
    fn what_is_no_list_of_teasers_stays() {
        let all = |body: &str| {
            let (left, all) = left(ARTICLE, body);
            left == all
        };
        let three = format!("{}{}{}", teaser(1), teaser(2), teaser(3));
        assert!(all(&three), "there is nothing else");
        assert!(all(&format!("{OWN}{}{}", teaser(1), teaser(2))), "two");
        assert!(all(&format!("{OWN}{}{}{}", teaser(1), teaser(1), teaser(1))), "one page's parts");
        let away = three.replace("href=/n/", "href=https://other.example/");
        let here = "<link rel=canonical href=https://www.here.example/a>";
        assert_eq!(left(&format!("{ARTICLE}{here}"), &format!("{OWN}{away}")).0, 11, "other sites' pages");
        let linked: String =
            (0..4).map(|at| format!("<p>The <a href=/n/{at}>minister of the interior</a> said so.</p>")).collect();
        assert!(all(&format!("{OWN}{linked}")), "paragraphs with a link each");
        let below =
            |at: usize| format!("<div><p>كلما ارتفع منسوب الوادي.</p><a href=/go/{at}>اطلع على السعر اليوم</a></div>");
        assert!(all(&format!("{OWN}{}{}{}", below(1), below(2), below(3))), "items with a link to buy at their ends");
        let long = three.replace("أياما.", &"أياما. ".repeat(80));
        assert!(all(&format!("{OWN}{long}")), "items as long as a text");
    }
}
