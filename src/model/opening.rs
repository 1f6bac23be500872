//! The heading that opens an article is its headline, where nothing else on the page was found to be that.
//!
//! A fragment of a page, a heading and a paragraph or two, has so little around it that the heading may be taken for a
//! subheading.

use super::Labels;
use crate::label::Label;
use crate::page::dom::Tag;
use crate::page::{Input, Page};

/// So many elements around a block's own may be its heading.
const AROUND: usize = 3;

/// Makes the first block of the body the headline, if no block is labelled so, and this one and no other of the body stands
/// in a heading.
pub fn name_headline(page: &Page, labels: &mut Labels) {
    if page.input() == Input::Text || labels.blocks.iter().any(|block| block.label == Label::Headline) {
        return;
    }
    let is_heading = |at: usize| {
        let element = page.blocks[at].element;
        let mut around = std::iter::once(element).chain(page.dom.ancestors(element)).take(AROUND);
        around.any(|node| matches!(page.dom.tag(node), Tag::H1 | Tag::H2 | Tag::H3 | Tag::H4 | Tag::H5 | Tag::H6))
    };
    let body: Vec<usize> = labels.body().collect();
    if let [first, rest @ ..] = &body[..]
        && !rest.is_empty()
        && is_heading(*first)
        && !rest.iter().any(|at| is_heading(*at))
    {
        labels.take_out(*first, Label::Headline);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::Labelled;

    fn headline(html: &str, label: &[Label]) -> Vec<Label> {
        let page = Page::from_html(html);
        let blocks = label.iter().map(|label| Labelled { label: *label, p: 0.9, body: 0.9 }).collect();
        let mut labels = Labels { blocks, score: 0.9 };
        name_headline(&page, &mut labels);
        labels.blocks.iter().map(|block| block.label).collect()
    }

    #[test]
    fn the_only_heading_that_opens_the_article_is_its_headline() {
        use Label::{Body, Headline, Nav};
        let fragment = "<h2><a>Robot</a></h2><div>It picks olives.</div>";
        assert_eq!(headline(fragment, &[Body, Body]), [Headline, Body]);
        assert_eq!(headline("<p>Home</p><h3>Robot</h3><p>It picks.</p>", &[Nav, Body, Body]), [Nav, Headline, Body]);
        let as_it_was = [
            ("<h1>Robot</h1><h2>Olives</h2><p>It picks.</p>", vec![Headline, Body, Body], "there is one already"),
            ("<h2>Robot</h2><p>It picks.</p><h2>Olives</h2><p>Ripe.</p>", vec![Body; 4], "subheadings"),
            ("<p>It picks.</p><h2>Olives</h2><p>Ripe.</p>", vec![Body; 3], "it opens nothing"),
            ("<h2>Robot</h2><p>About us</p>", vec![Body, Nav], "nothing follows"),
        ];
        for (html, labels, why) in as_it_was {
            assert_eq!(headline(html, &labels), labels, "{why}");
        }
    }
}
