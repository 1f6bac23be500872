//! The rest of a sentence goes with its start: where a pop-up or a box of links stands in a sentence of the article, what
//! comes after it is few words between chrome, and easily taken for chrome.

use super::Labels;
use crate::label::Label;
use crate::page::Page;
use crate::page::sentence::goes_on;

/// So many blocks are looked through for the rest: what pops up is a card or a short list.
const BETWEEN: usize = 40;

/// Takes into the body what goes on with a sentence of it.
pub fn keep_rests(page: &Page, labels: &mut Labels) {
    for start in 0..page.blocks.len() {
        if labels.blocks[start].label != Label::Body {
            continue;
        }
        let end = (start + 1 + BETWEEN).min(page.blocks.len());
        let mut others = (start + 1..end).take_while(|&at| labels.blocks[at].label != Label::Body);
        if let Some(at) = others.find(|&at| goes_on(page, &page.blocks[start], &page.blocks[at])) {
            let rest = &mut labels.blocks[at];
            (rest.label, rest.p) = (Label::Body, rest.body);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::Labelled;

    #[test]
    fn the_rest_of_a_sentence_is_kept_and_what_stands_between_is_not() {
        let page = Page::from_html(
            "<p>قالت سهام <div>مخرجة من مواليد تونس لها فيلمان طويلان.</div> إن الفيلم جاهز. </p><p>ثم</p><div>قائمة</div>",
        );
        let label = |label| Labelled { label, p: 0.7, body: 0.3 };
        let mut blocks = vec![label(Label::Nav); page.blocks.len()];
        blocks[0].label = Label::Body;
        let mut labels = Labels { blocks, score: 0.5 };
        keep_rests(&page, &mut labels);
        let kept: Vec<&str> = (0..page.blocks.len())
            .filter(|&at| labels.blocks[at].label == Label::Body)
            .map(|at| page.text_of(&page.blocks[at]))
            .collect();
        assert_eq!(kept, ["قالت سهام", "إن الفيلم جاهز."]);
        assert_eq!(labels.blocks[2].p, 0.3, "the probability of body, as of every other block of it");
    }
}
