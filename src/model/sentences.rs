//! What stands in the midst of a sentence is no part of it, and the rest of the sentence goes with its start: where a
//! pop-up or a box of links stands in a sentence of the article, what comes after it is few words between chrome, and
//! easily taken for chrome, while a biography that pops up reads like the article.

use super::Labels;
use crate::label::Label;
use crate::page::Page;
use crate::page::dom::{Dom, NodeId, Tag};
use crate::page::segment::is_inset;
use crate::page::sentence::{goes_on, holder, is_cut};

/// So many blocks are looked through for the rest: what pops up is a card or a short list.
const BETWEEN: usize = 40;
/// So many nodes are looked through for the text beside an inset.
const NEAR: usize = 50;
/// With fewer letters, what follows an inset is what opens it ("more").
const GOING_ON: usize = 12;

/// Takes into the body what goes on with a sentence of it.
pub fn keep_rests(page: &Page, labels: &mut Labels) {
    for start in 0..page.blocks.len() {
        if !labels.is_body(start) {
            continue;
        }
        let end = (start + 1 + BETWEEN).min(page.blocks.len());
        let mut others = (start + 1..end).take_while(|&at| !labels.is_body(at));
        if let Some(at) = others.find(|&at| goes_on(page, &page.blocks[start], &page.blocks[at])) {
            let rest = &mut labels.blocks[at];
            (rest.label, rest.p) = (Label::Body, rest.body);
        }
    }
}

/// Takes out of the body what is cut out of a sentence that goes on after it. A text that is shown on "read more" stands
/// at the end of its paragraph, and stays.
pub fn drop_insets(page: &Page, labels: &mut Labels) {
    for (at, block) in page.blocks.iter().enumerate() {
        if labels.is_body(at) && is_inset(&page.dom, block.element) && is_in_sentence(&page.dom, block.element) {
            labels.take_out(at, Label::Meta);
        }
    }
}

/// Whether the texts before and after an element in its block-level one read as one sentence.
fn is_in_sentence(dom: &Dom, element: NodeId) -> bool {
    let around = holder(dom, element);
    let has_text = |node: &NodeId| dom.tag(*node) == Tag::Text && !dom.text(*node).trim().is_empty();
    let before = (around..element).rev().take(NEAR).find(has_text);
    let after = (dom.end(element)..dom.end(around)).take(NEAR).find(has_text);
    let is_opener = |node| dom.ancestors(node).take(3).any(|above| matches!(dom.tag(above), Tag::A | Tag::Button));
    before.zip(after).is_some_and(|(before, after)| {
        let (before, after) = (dom.text(before).trim_end(), dom.text(after).trim_start());
        is_cut(before, after) && after.chars().filter(|c| c.is_alphabetic()).nth(GOING_ON - 1).is_some()
    }) && !after.is_some_and(is_opener)
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
        let kept: Vec<&str> = labels.body().map(|at| page.text_of(&page.blocks[at])).collect();
        assert_eq!(kept, ["قالت سهام", "إن الفيلم جاهز."]);
        assert_eq!(labels.blocks[2].p, 0.3, "the probability of body, as of every other block of it");
    }

    #[test]
    fn what_pops_up_in_mid_sentence_goes_and_what_more_shows_stays() {
        let kept = |html: &str| {
            let page = Page::from_html(html);
            let body = Labelled { label: Label::Body, p: 0.7, body: 0.7 };
            let mut labels = Labels { blocks: vec![body; page.blocks.len()], score: 0.5 };
            drop_insets(&page, &mut labels);
            labels.body().count()
        };
        let life = "<span hidden>She has made two films in Tunis, and a third one is on its way.</span>";
        assert_eq!(kept(&format!("<p>The director Siham <i>Belkacem {life}</i> said that the film is done.</p>")), 1);
        assert_eq!(kept(&format!("<p>The film is done. {life}</p>")), 2, "at the end");
        assert_eq!(kept(&format!("<p>The film of the year {life} <a>اقرأ المزيد من هذا المقال</a></p>")), 2, "more");
        assert_eq!(kept(&format!("<p>The film is done. {life} She left.</p>")), 2, "between sentences");
    }
}
