//! What each step from bytes to document costs, by the bytes of the pages' HTML.
//!
//! The pages are those of `data/labelled`, or of the folder that the environment variable `LUBB_PAGES` names.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use divan::counter::BytesCount;
use divan::{Bencher, black_box, black_box_drop};
use lubb::features::{self, Lexicon};
use lubb::page::{Dom, Metadata, decode, segment};
use lubb::{Document, Extractor, Hints, Model, Output, Page};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// More pages than these are thinned out evenly, so that every set takes about the same time.
const MAX_PAGES: usize = 100;

/// The pages after each step, so that a step is measured without those before it.
struct Pages {
    bytes: Vec<Vec<u8>>,
    decoded: Vec<String>,
    pages: Vec<Page>,
}

static PAGES: LazyLock<Pages> = LazyLock::new(|| {
    let folder = std::env::var_os("LUBB_PAGES").map_or_else(|| PathBuf::from("data/labelled"), PathBuf::from);
    let bytes = read(&folder);
    assert!(!bytes.is_empty(), "{}: no .html or .html.gz in it or in its html/", folder.display());
    let total: usize = bytes.iter().map(Vec::len).sum();
    let pages: Vec<Page> = bytes.iter().map(|bytes| Page::new(bytes, &Hints::default())).collect();
    let blocks: usize = pages.iter().map(|page| page.blocks.len()).sum();
    println!("{} pages of {}, {:.1} MB, {blocks} blocks", pages.len(), folder.display(), total as f64 / 1e6);
    let decoded = bytes.iter().map(|bytes| decode::decode(bytes, None).0.into_owned()).collect();
    Pages { bytes, decoded, pages }
});

fn read(folder: &Path) -> Vec<Vec<u8>> {
    let html = folder.join("html");
    let folder = if html.is_dir() { html } else { folder.to_owned() };
    let entries = folder.read_dir().unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| [".html", ".html.gz"].iter().any(|ending| file.to_string_lossy().ends_with(ending)));
    files.sort();
    let step = files.len().div_ceil(MAX_PAGES).max(1);
    files.iter().step_by(step).map(|file| unpacked(std::fs::read(file).unwrap())).collect()
}

fn unpacked(bytes: Vec<u8>) -> Vec<u8> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return bytes;
    }
    let mut unpacked = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::MultiGzDecoder::new(&bytes[..]), &mut unpacked).unwrap();
    unpacked
}

/// Runs a step over all pages.
fn each<T, R>(bencher: Bencher, inputs: &[T], step: impl Fn(&T) -> R) {
    let total: usize = PAGES.bytes.iter().map(Vec::len).sum();
    bencher
        .counter(BytesCount::new(total))
        .bench_local(|| inputs.iter().for_each(|input| black_box_drop(step(black_box(input)))));
}

#[divan::bench]
fn s1_decode(bencher: Bencher) {
    each(bencher, &PAGES.bytes, |bytes| decode::decode(bytes, None).0.len());
}

#[divan::bench]
fn s2_parse(bencher: Bencher) {
    each(bencher, &PAGES.decoded, |html| Dom::parse(html));
}

#[divan::bench]
fn s3_segment(bencher: Bencher) {
    each(bencher, &PAGES.pages, |page| segment::segment(&page.dom));
}

#[divan::bench]
fn s4_features(bencher: Bencher) {
    let lexicon = Lexicon::default();
    each(bencher, &PAGES.pages, |page| features::matrix(page, &lexicon));
}

/// Features, all stages, kinds and decision.
#[divan::bench]
fn s5_label(bencher: Bencher) {
    let model = Model::embedded();
    each(bencher, &PAGES.pages, |page| model.label(page));
}

#[divan::bench]
fn s6_metadata(bencher: Bencher) {
    each(bencher, &PAGES.pages, Metadata::of);
}

/// Everything, from bytes to text.
#[divan::bench]
fn whole_page(bencher: Bencher) {
    let extractor = Extractor::default();
    each(bencher, &PAGES.bytes, |bytes| -> Document { extractor.extract(bytes, &Hints::default()) });
}

/// Everything, with Markdown and all blocks.
#[divan::bench]
fn whole_page_with_all_outputs(bencher: Bencher) {
    let output = Output { markdown: true, blocks: true, ..Output::default() };
    let extractor = Extractor::default().with_output(output);
    each(bencher, &PAGES.bytes, |bytes| -> Document { extractor.extract(bytes, &Hints::default()) });
}

fn main() {
    LazyLock::force(&PAGES);
    // A sample is a run over all pages; few are enough, and `--sample-count` asks for more.
    divan::Divan::default().sample_count(20).sample_size(1).config_with_args().main();
}
