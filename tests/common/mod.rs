//! What several test files need: running the program, reading its output, and what the labelled pages hold.

// Every test file is a program of its own and uses a part of this.
#![allow(dead_code)]

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use assert_cmd::Command;
use lubb::gold::{self, GoldPage, typed};
use lubb::{Document, Label, Page};

/// The pages that come with lubb and the label of each of their blocks.
pub const LABELLED: &str = "data/labelled";
/// How many pages there are.
pub const LABELLED_COUNT: usize = 295;

/// For `--keep`: every block, where a test is not about what the model thinks of a page of two lines.
pub const ALL: &str = "body,headline,meta,caption,related,comment,widget,nav";

/// The program; what takes longer than this hangs.
pub fn lubb() -> Command {
    let mut lubb = Command::cargo_bin("lubb").unwrap();
    lubb.timeout(Duration::from_secs(300));
    lubb
}

/// The documents in the program's JSONL.
pub fn documents(jsonl: &[u8]) -> Vec<Document> {
    serde_json::Deserializer::from_slice(jsonl).into_iter().map(Result::unwrap).collect()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The names of what is in a folder, in order.
pub fn listing(folder: &Path) -> Vec<String> {
    let entries = folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.collect();
    names.sort();
    names
}

pub fn labelled_pages() -> Vec<GoldPage> {
    gold::read(LABELLED).unwrap().pages
}

/// A labelled page's blocks in order: their labels in `labels.csv` and their texts.
pub fn labelled_blocks(gold: &GoldPage) -> Vec<(Label, String)> {
    let page: Page = gold.page().unwrap();
    let labels = typed::block_labels(&page, &gold.reference).unwrap().labels;
    labels.into_iter().zip(page.texts()).map(|(label, text)| (label.unwrap(), text.to_owned())).collect()
}

/// A text without its white space.
pub fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}
