//! Whole articles after the page's own, which sites load below it so that the reader goes on: they are no part of it.
//!
//! No column tells them apart: they are laid out as the article is, and the lexicon of another site does not know them.
//! On the 1,956 pages of the four sets that the default model learns from, the rule takes out no word of a reference. Were
//! all blocks taken for body, it would take something out of eleven: nine articles of newrepublic.com, one of
//! dagbladet.no, and where further headlines are smaller but of the page's headline's class, what stands below seven
//! pages, mostly lists. Weblogs that head all articles with `<h2>` are known from our own pages only.

use std::collections::HashSet;

use super::Labels;
use crate::label::Label;
use crate::page::byline::key;
use crate::page::dom::{AttrName, Dom, NodeId, Tag};
use crate::page::words::{WordRule, words};
use crate::page::{Input, Page};

/// A shorter headline, in letters, may be a section's name.
const HEADLINE: usize = 12;
/// So much of a title is looked at, in letters.
const TITLE: usize = 500;
/// With fewer words, an `<article>` may be the opening of a text whose sections are headed as it is.
const OPENING: usize = 60;

/// Takes out of the body what lies in an article that has a headline of its own and comes after that whose headline is
/// the page's title. Posts and reviews, which have titles in smaller headings than that, and articles in the page's own
/// stay; but a smaller heading of the same class as the page's headline is a headline too, in whatever element.
pub fn drop_further(page: &Page, labels: &mut Labels) {
    // The page's own article is an `<article>`, whatever the further ones are.
    if page.input() == Input::Text || page.dom.elements(Tag::Article).next().is_none() {
        return;
    }
    let articles = headed_articles(page);
    if articles.len() < 2 {
        return;
    }
    let titles = titles(page);
    let headline = |article: &Headed| key(page.text_of(&page.blocks[article.headline]));
    let is_long = |text: &str| text.chars().nth(HEADLINE - 1).is_some();
    let is_title = |article: &Headed| {
        let headline = headline(article);
        is_long(&headline) && titles.iter().any(|title| title.contains(&headline))
    };
    let mut in_elements = articles.iter().enumerate().filter_map(|(at, own)| Some((at, own, own.element?)));
    let Some((first, own, element)) = in_elements.find(|(_, own, _)| is_title(own)) else { return };
    let of_own = page.blocks_in(element);
    let kept: Vec<&str> =
        of_own.clone().filter(|at| labels.is_body(*at)).map(|at| page.text_of(&page.blocks[at])).collect();
    if kept.is_empty() {
        return;
    }
    let is_opening = kept.into_iter().flat_map(|text| words(text, WordRule::Cjk)).nth(OPENING).is_none();
    let own_class = class(page, own).filter(|_| !is_opening);
    let is_alike =
        |article: &Headed| own_class.is_some() && own_class == class(page, article) && is_long(&headline(article));
    // What comes before this block is looked at already, or is the page's own.
    let mut next = of_own.end;
    for further in &articles[first + 1..] {
        let is_small = further.element.is_none() || further.is_small && !own.is_small;
        if further.headline < next || is_small && !is_alike(further) || is_title(further) {
            continue;
        }
        let holds_own = |node: &NodeId| page.blocks_in(*node).contains(&own.headline);
        // Without an element of its own: all around its headline that does not hold the page's.
        let element = further.element.unwrap_or_else(|| {
            page.dom.ancestors(further.heading).take_while(|node| !holds_own(node)).last().unwrap_or(further.heading)
        });
        if holds_own(&element) {
            continue;
        }
        let blocks = page.blocks_in(element);
        next = blocks.end;
        for at in blocks {
            if labels.is_body(at) {
                labels.take_out(at, Label::Related);
            }
        }
    }
}

/// The text of `<title>`; a drawing may have one too.
pub fn document_title(dom: &Dom) -> Option<String> {
    let is_drawings = |node| dom.ancestors(node).any(|above| dom.tag(above) == Tag::Svg);
    dom.elements(Tag::Title).find(|&node| !is_drawings(node)).map(|node| dom.inner_text(node))
}

/// What the page says that it is called: `<title>` and `og:title`, with the site's name if they have it.
fn titles(page: &Page) -> Vec<String> {
    let dom = &page.dom;
    let is_title = |&node: &NodeId| dom.attr(node, AttrName::Property) == Some("og:title");
    let shared = dom.elements(Tag::Meta).find(is_title).and_then(|node| dom.attr(node, AttrName::Content));
    let texts = document_title(dom).into_iter().chain(shared.map(str::to_owned));
    texts.map(|text| key(&text).chars().take(TITLE).collect()).collect()
}

/// An article with a headline.
struct Headed {
    /// The innermost `<article>` around the headline, if there is one.
    element: Option<NodeId>,
    /// The headline's element.
    heading: NodeId,
    /// Its block.
    headline: usize,
    /// Whether it is an `<h2>` that is not declared to be the headline: a post's title, unless the page's own has no other.
    is_small: bool,
}

/// The class of an article's headline, if it has one.
fn class<'a>(page: &'a Page, article: &Headed) -> Option<&'a str> {
    page.dom.attr(article.heading, AttrName::Class).map(str::trim).filter(|class| !class.is_empty())
}

/// Each headline that is the first of its `<article>` or is in none, in the order of the page.
fn headed_articles(page: &Page) -> Vec<Headed> {
    let dom = &page.dom;
    let is_large = |&node: &NodeId| dom.tag(node) == Tag::H1 || dom.attr(node, AttrName::Itemprop) == Some("headline");
    let mut known = HashSet::new();
    let mut articles = Vec::new();
    for (headline, block) in page.blocks.iter().enumerate() {
        let around = || std::iter::once(block.element).chain(dom.ancestors(block.element));
        let large = around().take(3).find(is_large);
        let Some(heading) = large.or_else(|| around().take(3).find(|&node| dom.tag(node) == Tag::H2)) else { continue };
        let element = around().find(|&node| dom.tag(node) == Tag::Article);
        if element.is_none_or(|article| known.insert(article)) {
            articles.push(Headed { element, heading, headline, is_small: large.is_none() });
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
        labels.body().map(|at| page.text_of(&page.blocks[at]).to_owned()).collect()
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
    fn smaller_headlines_of_the_same_class_head_further_articles() {
        let words = "word ".repeat(OPENING + 1);
        let own = format!("<article><h1 class='t x'>The bridge is closed</h1><p>{words}</p></article>");
        let next = "<div><h2 class='t x'><a href=/n>Dates are dear this year</a></h2></div><p>Few came to market.</p>";
        let as_article = format!("{own}<article>{next}</article>");
        assert_eq!(left(&as_article).len(), 2);
        let as_section = format!("<main><h2 class='t x'>Above</h2>{own}<section>{next}</section><p>Below.</p></main>");
        assert_eq!(left(&as_section), ["Above", "The bridge is closed", words.trim(), "Below."]);
        assert_eq!(left(&as_section.replace("<h2 class='t x'><a", "<h2 class='t'><a")).len(), 6, "of another class");
        assert_eq!(left(&as_section.replace("Dates are dear this year", "Dates")).len(), 6, "a section's name");
        assert_eq!(left(&as_section.replace(&words, "No way.")).len(), 6, "the article is an opening");
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
