//! Whole articles after the page's own, which sites load below it so that the reader goes on: they are no part of it.
//!
//! No column tells them apart: they are laid out as the article is, and the lexicon of another site does not know them.
//! In the 1,956 pages of the four sets that the default model learns from, two have such articles (newrepublic.com with
//! nine, dagbladet.no with one), and the rule changes no other. Weblogs that head all articles with `<h2>` are known
//! from our own pages only.

use std::collections::HashSet;

use super::{Labels, taken_out};
use crate::label::Label;
use crate::page::byline::key;
use crate::page::dom::{AttrName, NodeId, Tag};
use crate::page::{Input, Page};

/// A shorter headline, in letters, may be a section's name.
const HEADLINE: usize = 12;
/// So much of a title is looked at, in letters.
const TITLE: usize = 500;

/// Takes out of the body what lies in an `<article>` that has a headline of its own and comes after that whose headline
/// is the page's title. Posts and reviews, which have titles in smaller headings than that, and articles in the page's
/// own stay.
pub fn drop_further(page: &Page, labels: &mut Labels) {
    if page.input() == Input::Text {
        return;
    }
    let articles = headed_articles(page);
    if articles.len() < 2 {
        return;
    }
    let titles = titles(page);
    let is_title = |article: &Headed| {
        let headline = key(page.text_of(&page.blocks[article.headline]));
        headline.chars().count() >= HEADLINE && titles.iter().any(|title| title.contains(&headline))
    };
    let Some(first) = articles.iter().position(is_title) else { return };
    let own = &articles[first];
    let is_kept = |labels: &Labels, at: usize| labels.blocks[at].label == Label::Body;
    let of_own = page.blocks_in(own.article);
    if !of_own.clone().any(|at| is_kept(labels, at)) {
        return;
    }
    for further in &articles[first + 1..] {
        let is_inside = of_own.contains(&further.headline) || page.blocks_in(further.article).contains(&own.headline);
        if is_inside || further.is_small && !own.is_small || is_title(further) {
            continue;
        }
        for at in page.blocks_in(further.article) {
            if is_kept(labels, at) {
                labels.blocks[at] = taken_out(Label::Related, labels.blocks[at].body);
            }
        }
    }
}

/// What the page says that it is called: `<title>` and `og:title`, with the site's name if they have it.
fn titles(page: &Page) -> Vec<String> {
    let dom = &page.dom;
    let document = dom.elements(Tag::Title).find(|&node| dom.ancestors(node).all(|above| dom.tag(above) != Tag::Svg));
    let is_title = |&node: &NodeId| dom.attr(node, AttrName::Property) == Some("og:title");
    let shared = dom.elements(Tag::Meta).find(is_title).and_then(|node| dom.attr(node, AttrName::Content));
    let texts = document.map(|node| dom.inner_text(node)).into_iter().chain(shared.map(str::to_owned));
    texts.map(|text| key(&text).chars().take(TITLE).collect()).collect()
}

/// An article with a headline.
struct Headed {
    article: NodeId,
    /// The headline's block.
    headline: usize,
    /// Whether it is an `<h2>` that is not declared to be the headline: a post's title, unless the page's own has no other.
    is_small: bool,
}

/// Each `<article>` that is the innermost around a headline, with the first of these, in the order of the page.
fn headed_articles(page: &Page) -> Vec<Headed> {
    let dom = &page.dom;
    let is_large = |node: NodeId| dom.tag(node) == Tag::H1 || dom.attr(node, AttrName::Itemprop) == Some("headline");
    let mut known = HashSet::new();
    let mut articles = Vec::new();
    for (headline, block) in page.blocks.iter().enumerate() {
        let around = || std::iter::once(block.element).chain(dom.ancestors(block.element));
        let is_small = !around().take(3).any(is_large);
        if is_small && !around().take(3).any(|node| dom.tag(node) == Tag::H2) {
            continue;
        }
        let article = around().find(|&node| dom.tag(node) == Tag::Article);
        if let Some(article) = article.filter(|&article| known.insert(article)) {
            articles.push(Headed { article, headline, is_small });
        }
    }
    articles
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::Labelled;

    const OWN: &str = "<article><h1>The bridge is closed</h1><p>Nobody crosses.</p></article>";
    const NEXT: &str = "<article><h1>Dates are dear this year</h1><p>Few came to market.</p></article>";

    /// The texts that are left of a page of which every block was kept.
    fn left(body: &str) -> Vec<String> {
        let page = Page::from_html(&format!("<title>The bridge is closed | Ferry News</title>{body}"));
        let kept = Labelled { label: Label::Body, p: 0.9, body: 0.9 };
        let mut labels = Labels { blocks: vec![kept; page.blocks.len()], score: 0.9 };
        drop_further(&page, &mut labels);
        let pairs = page.texts().zip(&labels.blocks);
        pairs.filter(|(_, l)| l.label == Label::Body).map(|(text, _)| text.to_owned()).collect()
    }

    #[test]
    fn articles_after_the_one_that_the_title_names_go() {
        assert_eq!(left(&format!("{OWN}{NEXT}")), ["The bridge is closed", "Nobody crosses."]);
        let in_one = format!("<article class=all>{OWN}{NEXT}{NEXT}</article><p>Below.</p>");
        assert_eq!(left(&in_one), ["The bridge is closed", "Nobody crosses.", "Below."]);
        let small = NEXT.replace("h1", "h3").replace("<h3>", "<h3 itemprop=headline>");
        assert_eq!(left(&format!("{OWN}{small}")).len(), 2);
        let weblog = format!("{OWN}{NEXT}<article><h3>A reader</h3><p>Well said.</p></article>").replace("h1", "h2");
        assert_eq!(left(&weblog), ["The bridge is closed", "Nobody crosses.", "A reader", "Well said."]);
    }

    #[test]
    fn what_is_no_article_after_the_pages_own_stays() {
        assert_eq!(left(&format!("{NEXT}{OWN}")).len(), 4, "before it");
        assert_eq!(left(&format!("{NEXT}{NEXT}")).len(), 4, "none is the page's own");
        assert_eq!(left(&format!("{OWN}{}", NEXT.replace("h1", "h2"))).len(), 4, "a post with a title");
        assert_eq!(left(&format!("{OWN}{OWN}")).len(), 4, "a copy, which is another rule's");
        let inside = OWN.replace("</article>", &format!("{NEXT}</article>"));
        assert_eq!(left(&inside).len(), 4, "an article in the page's own");
    }
}
