//! The library without the command line, step by step and all at once; holds with `--no-default-features` too.

use std::fs;
use std::thread;

use lubb::document::{markdown, plain_text};
use lubb::features::{self, Lexicon};
use lubb::report::{Prediction, evaluate};
use lubb::{Block, Document, Extractor, Hints, Input, Label, Model, Output, Page, gold};

const PAGE: &str = "data/labelled/ar-iraq-comments.html";

fn all_outputs() -> Extractor {
    Extractor::default().with_output(Output { markdown: true, blocks: true, ..Output::default() })
}

fn labelled() -> Vec<Vec<u8>> {
    gold::read("data/labelled").unwrap().pages.iter().map(|page| page.load().unwrap()).collect()
}

#[test]
fn each_step_from_bytes_to_document() {
    let bytes = fs::read(PAGE).unwrap();
    let hints = Hints { url: Some("https://www.nakheel.example/basra".to_owned()), ..Hints::default() };
    let page = Page::new(&bytes, &hints);
    assert_eq!((page.encoding, page.input()), ("UTF-8", Input::Html));
    assert_eq!(page.host().as_deref(), Some("nakheel.example"));

    let matrix = features::matrix(&page, &Lexicon::default());
    assert_eq!(matrix.dim(), (page.blocks.len(), features::names().len()));
    assert!(matrix.iter().all(|value| value.is_finite()));
    let density = features::names().iter().position(|name| name == "link_density").unwrap();
    for (block, density) in page.blocks.iter().zip(matrix.column(density)) {
        assert!((density - block.link_chars as f32 / block.chars as f32).abs() < 1e-6);
    }

    let labels = Model::embedded().label(&page);
    assert_eq!(labels.blocks.len(), page.blocks.len());
    for block in &labels.blocks {
        assert!((0.0..=1.0).contains(&block.p) && (0.0..=1.0).contains(&block.body), "{block:?}");
        assert!(block.label != Label::Body || block.p == block.body);
    }
    let pairs = page.blocks.iter().zip(&labels.blocks);
    let kept: Vec<&Block> = pairs.filter(|(_, labelled)| labelled.label == Label::Body).map(|(b, _)| b).collect();
    assert!(page.text_of(kept[0]).starts_with("أعلنت بلدية البصرة"));

    let document = all_outputs().extract(&bytes, &hints);
    assert_eq!(document.text, plain_text(&page, &kept));
    assert_eq!(document.markdown, Some(markdown(&page, &kept)));
    assert_eq!(document.score, labels.score);
    assert!(document.blocks.unwrap().iter().map(|b| b.label).eq(labels.blocks.iter().map(|l| l.label)));
    assert_eq!(document.url, hints.url);

    let reasons = Model::embedded().explain(&page, 0);
    assert!(reasons.len() > features::names().len(), "the last stage sees all features and more");
    assert!(reasons.is_sorted_by(|a, b| a.contribution.abs() >= b.contribution.abs()));
}

#[test]
fn flattened_text_has_features_of_its_own() {
    let text = fs::read("data/scrapes/flat/001_tram-casablanca.txt").unwrap();
    let page = Page::new(&text, &Hints { input: Input::Text, ..Hints::default() });
    let (matrix, around) = features::extract(&page, &Lexicon::default());
    assert_eq!(matrix.dim(), (page.blocks.len(), features::flat::names().len()));
    assert_eq!(around.words.len(), page.blocks.len());
    assert_eq!(Model::embedded().label(&page).blocks.len(), page.lines.len());
}

#[test]
fn one_extractor_serves_all_threads_alike() {
    let pages = labelled();
    let extractor = all_outputs();
    let extract = || pages.iter().map(|bytes| extractor.extract(bytes, &Hints::default())).collect::<Vec<Document>>();
    let alone = extract();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(extract)).collect();
        assert!(threads.into_iter().all(|thread| thread.join().unwrap() == alone));
    });
    let (clone, first) = (extractor.clone(), pages[0].clone());
    assert_eq!(thread::spawn(move || clone.extract(&first, &Hints::default())).join().unwrap(), alone[0]);
}

#[test]
fn a_model_read_again_says_the_same() {
    let model = Model::embedded();
    let bytes = model.to_bytes();
    let again = Model::from_bytes(&bytes).unwrap();
    assert!(again.to_bytes() == bytes);
    let page = Page::new(&fs::read(PAGE).unwrap(), &Hints::default());
    assert_eq!(again.label(&page), model.label(&page));
}

#[test]
fn labelled_pages_are_read_and_scored() {
    let set = gold::read("data/labelled").unwrap();
    let extractor = all_outputs();
    let predictions = set.pages.into_iter().map(|gold| {
        let document = extractor.extract_page(&gold.page().unwrap());
        let (blocks, score) = (document.blocks, Some(document.score));
        (gold, Prediction { text: document.text, blocks, score, error: None })
    });
    let report = evaluate(predictions);
    assert_eq!(report.pages.len(), 215);
    assert!(report.summary.sets[0].means.f1 > 0.8, "{}", report.summary.sets[0].means.f1);
}
