//! The library without the command line, step by step and all at once; holds with `--no-default-features` too, as `.ci/test` runs it.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use lubb::document::{markdown, plain_text};
use lubb::features::{self, Lexicon};
use lubb::gold::flatten::{Style, flatten};
use lubb::gold::typed;
use lubb::model::Card;
use lubb::model::adapt::{AdaptParams, Further, adapt};
use lubb::model::train::Example;
use lubb::report::{Prediction, evaluate};
use lubb::{Block, Document, Extractor, Hints, Input, Label, Labels, Model, Output, Page, gold};

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
    assert_eq!(report.pages.len(), 295);
    assert!(report.summary.sets[0].means.f1 > 0.8, "{}", report.summary.sets[0].means.f1);
}

/// Labelled pages as training takes them, each in a fold of its own turn.
fn examples(set: gold::GoldSet) -> Vec<Example> {
    let example = |(at, gold): (usize, gold::GoldPage)| {
        let page = gold.page().unwrap();
        let kinds = typed::block_labels(&page, &gold.reference).unwrap().labels;
        let body = kinds.iter().map(|label| if *label == Some(Label::Body) { 1.0 } else { 0.0 }).collect();
        let (hash, id, set) = (gold.hash().unwrap(), gold.id, gold.set);
        Example { id, set, fold: at % 5, host: at, page, body, kinds, weight: 1.0, hash }
    };
    set.pages.into_iter().enumerate().map(example).collect()
}

/// The mean word F1 of a model on some pages.
fn f1(model: Model, set: gold::GoldSet) -> f64 {
    let extractor = Extractor::new(Arc::new(model)).with_output(Output { blocks: true, ..Output::default() });
    let predictions = set.pages.into_iter().map(|gold| {
        let document = extractor.extract_page(&gold.page().unwrap());
        (gold, Prediction { text: document.text, blocks: document.blocks, score: None, error: None })
    });
    evaluate(predictions).summary.sets[0].means.f1
}

/// The site of the walk-through: ten pages to learn from and six held out.
fn walkthrough(labels: &str, pages: &str) -> gold::GoldSet {
    let path = |name: &str| PathBuf::from("data/walkthrough").join(name);
    gold::read_labels_csv(path(labels), Some(&path(pages))).unwrap()
}

#[test]
fn half_the_rounds_of_an_adaptation_are_enough() {
    let mut pages = examples(walkthrough("labels.csv", "pages"));
    pages.extend(examples(gold::read("data/labelled").unwrap()));
    let half = AdaptParams { rounds: 50, ..AdaptParams::default() };
    let adapted = adapt(&pages, &Model::embedded(), &half, Card::default()).unwrap();
    let after = f1(adapted.model, walkthrough("held-out.csv", "held-out"));
    assert!(after > 0.95, "{after} with half the rounds");
}

/// The default model takes this site's pleas for money and its excerpts for the article.
#[test]
fn a_model_adapted_to_ten_pages_of_a_site_reads_the_next_ones_and_forgets_nothing() {
    let mut pages = examples(walkthrough("labels.csv", "pages"));
    assert_eq!(pages.len(), 10);
    pages.extend(examples(gold::read("data/labelled").unwrap()));
    let base = Model::embedded();
    let card = Card { trained_on: vec![("walkthrough".into(), 10)], ..Card::default() };
    let adapted = adapt(&pages, &base, &AdaptParams::default(), card).unwrap();

    // The default model was trained on all others, which have no figures for that.
    assert_eq!(adapted.further.iter().map(|further| further.example).collect::<Vec<_>>(), (0..10).collect::<Vec<_>>());
    let right = |labels: fn(&Further) -> &Labels| {
        let right = |further: &Further| {
            let kinds = &pages[further.example].kinds;
            kinds.iter().zip(&labels(further).blocks).filter(|(kind, block)| **kind == Some(block.label)).count()
        };
        adapted.further.iter().map(right).sum::<usize>()
    };
    let blocks: usize = pages[..10].iter().map(|page| page.kinds.len()).sum();
    let (before, after) = (right(|further| &further.before), right(|further| &further.after));
    assert!(after * 100 > blocks * 97 && before * 100 < blocks * 93, "{before} and {after} of {blocks}");

    let next = || walkthrough("held-out.csv", "held-out");
    let (before, after) = (f1((*base).clone(), next()), f1(adapted.model.clone(), next()));
    assert!(before < 0.8 && after > 0.95, "{before} before, {after} after");
    // The bound of tests/cases.rs for the default model.
    let others = f1(adapted.model.clone(), gold::read("data/held-out").unwrap());
    assert!(others >= 0.94, "{others}");

    // What is written is what was made, and flattened text is as before.
    let again = Model::from_bytes(&adapted.model.to_bytes()).unwrap();
    let page = &pages[0].page;
    assert_eq!(again.label(page), adapted.model.label(page));
    assert_ne!(again.label(page), base.label(page));
    assert_eq!(again.adapted_to().unwrap().trained_on, [("walkthrough".to_owned(), 10)]);
    assert_eq!(again.adapted_to().unwrap().pages.len(), pages.len());
    assert_eq!((base.adapted_to(), &again.card), (None, &base.card));
    let flat = Page::from_text(&fs::read_to_string("data/scrapes/flat/001_tram-casablanca.txt").unwrap());
    assert_eq!(again.label(&flat), base.label(&flat));
    let reasons = again.explain(page, page.blocks.len() - 1);
    assert!(reasons.iter().any(|reason| reason.column.starts_with("own_lexicon_") && reason.contribution != 0.0));
    assert!(reasons.is_sorted_by(|a, b| a.contribution.abs() >= b.contribution.abs()));
}

#[test]
fn an_adaptation_needs_pages_that_are_new_to_the_model() {
    let mut pages = examples(gold::read("data/labelled").unwrap());
    pages.truncate(4);
    let adapted = |pages: &[Example]| adapt(pages, &Model::embedded(), &AdaptParams::default(), Card::default());
    let said = adapted(&pages).map(|_| ()).unwrap_err().to_string();
    assert!(said.starts_with("0 labelled pages that the model was not trained on, and 4 that it was"), "{said}");
    // A page without a hash is new to every model.
    pages.iter_mut().for_each(|page| page.hash = 0);
    assert_eq!(adapted(&pages).unwrap().further.len(), 4);

    // Labels of kinds alone leave the choice of body as it was, and a page without text is passed over.
    let page = pages[0].page.clone();
    pages[3].page = Page::from_html("");
    pages.iter_mut().for_each(|page| page.body.clear());
    let adapted = adapted(&pages).unwrap();
    assert_eq!(adapted.further.len(), 3);
    let [labels, as_they_were] = [adapted.model.label(&page), Model::embedded().label(&page)];
    assert!(labels.body().eq(as_they_were.body()) && labels != as_they_were);
}

#[test]
fn flattened_text_is_adapted_to_as_well() {
    let flat = |set: gold::GoldSet| -> Vec<Example> {
        let flat = |example: Example| {
            let lines = flatten(&example.page, &example.body, &example.kinds, Style::Dense);
            let (page, body, kinds) = (Page::from_text(&lines.text), lines.body, lines.kinds);
            Example { page, body, kinds, hash: 0, ..example }
        };
        examples(set).into_iter().map(flat).collect()
    };
    let base = Model::embedded();
    let pages = flat(walkthrough("labels.csv", "pages"));
    let adapted = adapt(&pages, &base, &AdaptParams::default(), Card::default()).unwrap();
    assert_eq!(adapted.further.len(), 10);
    let next = flat(walkthrough("held-out.csv", "held-out"));
    // Lines of chrome that are kept, and lines of body that are lost, of all six pages.
    let wrong = |model: &Model| -> [usize; 2] {
        let labels: Vec<Labels> = next.iter().map(|example| model.label(&example.page)).collect();
        let lines = next.iter().zip(&labels).flat_map(|(example, labels)| {
            example.body.iter().enumerate().map(|(at, body)| (*body >= 0.5, labels.is_body(at)))
        });
        let of = |wrong: (bool, bool)| lines.clone().filter(|line| *line == wrong).count();
        [of((false, true)), of((true, false))]
    };
    let (before, after) = (wrong(&base), wrong(&adapted.model));
    assert!(before[0] >= 20 && after[0] <= 5 && after[1] <= before[1].max(2), "{before:?} before, {after:?} after");
    let web = Page::new(&fs::read(PAGE).unwrap(), &Hints::default());
    assert_eq!(adapted.model.label(&web), base.label(&web));
    let two = adapt(&pages[..2], &base, &AdaptParams::default(), Card::default()).map(|_| ()).unwrap_err().to_string();
    assert!(two.starts_with("2 labelled pages of flattened text that the model was not trained on"), "{two}");
}
