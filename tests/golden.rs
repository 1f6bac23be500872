//! What lubb makes of six pages of different kinds, as files under `tests/golden` that a change of the output shows in.
//!
//! After a change that is meant, such as another embedded model: `LUBB_BLESS=1 cargo test --test golden`, then look at
//! the difference in version control.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

use imara_diff::{Algorithm, BasicLineDiffPrinter, Diff, InternedInput, UnifiedDiffConfig};
use lubb::{Extractor, Hints, Output};

const GOLDEN: &str = "tests/golden";

const PAGES: [&str; 6] =
    ["ar-br-body", "ar-cp1256", "ar-maghreb-interview", "en-docs", "en-forum-thread", "fa-iran-news"];

/// Everything of a document but its probabilities, which every training changes.
fn rendered(page: &str) -> String {
    let output = Output { markdown: true, blocks: true, ..Output::default() };
    let bytes = fs::read(format!("data/labelled/{page}.html")).unwrap();
    let document = Extractor::default().with_output(output).extract(&bytes, &Hints::default());
    let mut out = String::new();
    let metadata = [
        ("title", &document.title),
        ("author", &document.author),
        ("date", &document.date),
        ("site_name", &document.site_name),
        ("lang", &document.lang),
    ];
    for (name, value) in metadata {
        writeln!(out, "{name}: {}", value.as_deref().unwrap_or("-")).unwrap();
    }
    writeln!(out, "\n=== blocks").unwrap();
    for block in document.blocks.unwrap() {
        writeln!(out, "{:<8}  {}", block.label, block.text.replace('\n', "\n          ")).unwrap();
    }
    writeln!(out, "\n=== text\n{}", document.text).unwrap();
    writeln!(out, "\n=== markdown\n{}", document.markdown.unwrap().trim_end()).unwrap();
    out
}

fn difference(before: &str, after: &str) -> String {
    let input = InternedInput::new(before, after);
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_lines(&input);
    diff.unified_diff(&BasicLineDiffPrinter(&input.interner), UnifiedDiffConfig::default(), &input).to_string()
}

#[test]
fn pages_give_what_they_gave() {
    let bless = env::var_os("LUBB_BLESS").is_some_and(|bless| bless == "1");
    let mut changed = String::new();
    for page in PAGES {
        let file = format!("{GOLDEN}/{page}.txt");
        let now = rendered(page);
        if bless {
            fs::create_dir_all(GOLDEN).unwrap();
            fs::write(&file, now).unwrap();
            continue;
        }
        let before = fs::read_to_string(&file).unwrap_or_default();
        if before != now {
            write!(changed, "--- {file}\n+++ now\n{}", difference(&before, &now)).unwrap();
        }
    }
    assert!(changed.is_empty(), "\n{changed}\nif this is meant: LUBB_BLESS=1 cargo test --test golden");
}

#[test]
fn every_file_is_compared() {
    for entry in Path::new(GOLDEN).read_dir().unwrap() {
        let path = entry.unwrap().path();
        assert!(PAGES.iter().any(|page| path.ends_with(format!("{page}.txt"))), "{}: no test for it", path.display());
    }
}
