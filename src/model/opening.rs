//! The heading that opens a fragment of a page is its headline, where nothing else was found to be that.
//!
//! A heading and a paragraph or two, with next to nothing around them, as feeds and databases give them, leave the classifiers
//! little to tell a headline from a subheading by. On whole pages they know better: there the rule would take the title out
//! of lists and threads whose text it is, which cost word F1 of `wcxb-dev` 0.0006.

use super::Labels;
use crate::label::Label;
use crate::page::dom::Tag;
use crate::page::{Input, Page};

/// So many elements around a block's own may be its heading.
const AROUND: usize = 3;

/// Makes the first block of the body the headline, if it alone of the body stands in a heading, is shorter than the rest, and
/// most of the page is body. A page that has a headline keeps that.
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
    let chars = |at: &usize| page.blocks[*at].chars;
    if let [first, rest @ ..] = &body[..]
        && 2 * body.len() > page.blocks.len()
        && chars(first) < rest.iter().map(chars).sum()
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
    fn the_only_heading_that_opens_a_fragment_is_its_headline() {
        use Label::{Body, Headline, Nav};
        let fragment = "<h2><a>Robot</a></h2><div>It picks olives.</div>";
        assert_eq!(headline(fragment, &[Body, Body]), [Headline, Body]);
        assert_eq!(headline("<p>Home</p><h3>Robot</h3><p>It picks.</p>", &[Nav, Body, Body]), [Nav, Headline, Body]);
        let as_it_was = [
            ("<h1>Robot</h1><h2>Olives</h2><p>It picks.</p>", vec![Headline, Body, Body], "there is one already"),
            ("<h2>Robot</h2><p>It picks.</p><h2>Olives</h2><p>Ripe.</p>", vec![Body; 4], "subheadings"),
            ("<p>It picks.</p><h2>Olives</h2><p>Ripe.</p>", vec![Body; 3], "it opens nothing"),
            ("<h2>Robot</h2><p>About us</p>", vec![Body, Nav], "nothing follows"),
            ("<h2>How do I pick olives?</h2><p>By hand.</p>", vec![Body; 2], "it is longer than what follows"),
            ("<p>Home</p><p>News</p><h2>Robot</h2><p>It picks.</p>", vec![Nav, Nav, Body, Body], "of a whole page"),
        ];
        for (html, labels, why) in as_it_was {
            assert_eq!(headline(html, &labels), labels, "{why}");
        }
    }
}
