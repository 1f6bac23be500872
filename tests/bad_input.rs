//! Bad pages: each costs a row with an error, or nothing at all, and never the run.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use lubb::Document;
use predicates::str::contains;

mod common;
use common::{ALL, documents, gzip, lubb};

const ARTICLE: &str =
    "The council decided on Tuesday that the old bridge over the river will be rebuilt within two years.";

fn cut_gzip() -> Vec<u8> {
    let whole = gzip(format!("<p>{ARTICLE}</p>").repeat(50).as_bytes());
    whole[..whole.len() - 20].to_vec()
}

/// Files, and what their error says; `None` where the page is odd but has its article.
fn pages() -> Vec<(&'static str, Vec<u8>, Option<&'static str>)> {
    let page = format!("<p>{ARTICLE}</p>").into_bytes();
    vec![
        ("binary.html", [1, 0, 0, 200].repeat(500), Some("it looks like binary data")),
        ("cut.html.gz", cut_gzip(), Some("the compressed data is cut off")),
        ("deep.html", "<div>".repeat(100_000).into_bytes(), Some("deep, which no real page is")),
        ("deep_lists.html", "<ul><li>".repeat(100_000).into_bytes(), Some("deep, which no real page is")),
        ("empty.html", Vec::new(), Some("empty")),
        ("fine.html", page.clone(), None),
        ("invalid_utf8.html", [b"<p>\xff\xfe\xff</p>".as_slice(), &page].concat(), None),
        ("large.html", page.repeat(20_000), Some("larger than the limit of 1000000 bytes")),
        ("nul.html", [b"\0\0<p>a\0b".as_slice(), &page].concat(), None),
        // Few start tags, but each end tag looks through all that are open.
        (
            "open.html",
            format!("<p>{ARTICLE}{}{}<p>{ARTICLE}", "<span>".repeat(3_500), "</x>".repeat(60_000)).into_bytes(),
            Some("deep, which no real page is"),
        ),
        ("pdf.html", b"%PDF-1.7\n...".to_vec(), Some("it looks like a PDF")),
        ("unclosed.html", [b"<table><tr><td><select><svg></p>".as_slice(), &page].concat(), None),
    ]
}

fn check(row: &Document, file: &str, error: Option<&str>) {
    match (error, &row.error) {
        (Some(error), Some(told)) => {
            assert!(told.contains(file) && told.contains(error), "{file}: {told}");
            assert_eq!(row.text, "");
        }
        (None, None) => assert!(row.text.contains("old bridge"), "{file}: {}", row.text),
        (_, told) => panic!("{file}: {told:?}"),
    }
}

fn write(folder: &Path) {
    for (name, bytes, _) in pages() {
        fs::write(folder.join(name), bytes).unwrap();
    }
}

#[test]
fn a_folder_of_bad_pages_is_a_row_each() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let begun = Instant::now();
    let mut apply = lubb();
    apply.arg("apply").arg(folder.path()).args(["-o", "-", "--keep", ALL, "--max-page-bytes", "1MB"]);
    let assert = apply.assert().code(1).stderr(contains("12 pages: ")).stderr(contains("8 errors"));
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let rows = documents(&assert.get_output().stdout);
    assert_eq!(rows.len(), pages().len());
    for ((file, _, error), row) in pages().iter().zip(&rows) {
        assert_eq!(row.id, *file);
        check(row, file, *error);
    }
}

#[test]
fn one_bad_page_is_told_on_standard_error_with_1() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    for (file, _, error) in pages() {
        let mut extract = lubb();
        let assert = extract.arg("extract").arg(folder.path().join(file)).assert();
        match error {
            // The limit of 64 MB holds here.
            Some(_) if file == "large.html" => assert.success(),
            Some(error) => assert.code(1).stderr(contains(error)).stderr(contains(file)),
            None => assert.success(),
        };
    }
}

#[test]
fn bad_records_are_told_by_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.jsonl");
    let good = serde_json::json!({"id": "good", "html": format!("<p>{ARTICLE}")}).to_string();
    let lines = [
        good.as_str(),
        "{\"id\":\"cut\",\"html\":\"<p>",
        "",
        "{\"id\":\"other\",\"url\":\"https://a.example/\",\"body\":\"x\"}",
        "{\"id\":\"number\",\"html\":5}",
        "[]",
        "{\"id\":\"blank\",\"html\":\" \"}",
        good.as_str(),
    ];
    fs::write(&file, lines.join("\n")).unwrap();
    let assert = lubb().arg("apply").arg(&file).args(["-o", "-"]).assert().code(1);
    let rows = documents(&assert.get_output().stdout);
    let place = |line: usize| format!("{}:{line}", file.display());
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let expected = [
        "good".to_owned(),
        place(2),
        "other".to_owned(),
        "number".to_owned(),
        place(6),
        "blank".to_owned(),
        "good".to_owned(),
    ];
    assert_eq!(ids, expected);
    let errors: Vec<&str> = rows.iter().map(|row| row.error.as_deref().unwrap_or("")).collect();
    let says = [
        (1, 2, "broken JSON"),
        (2, 4, "no field 'html' or 'text'"),
        (3, 5, "a string"),
        (4, 6, "an object"),
        (5, 7, "empty"),
    ];
    for (row, line, what) in says {
        assert!(errors[row].starts_with(&place(line)) && errors[row].contains(what), "{}", errors[row]);
    }
    assert_eq!(rows[2].host.as_deref(), Some("a.example"));
}

#[test]
fn a_cut_corpus_gives_its_whole_lines_and_one_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cut.jsonl.gz");
    // Lines that do not compress, so that the cut falls far behind the first.
    let line = |n: u64| {
        let noise: String =
            (0..2_000u64).map(|i| format!("{:x}", (n * 2_000 + i).wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
        format!("{{\"id\":\"{n}\",\"html\":\"<p>{ARTICLE} {noise}\"}}\n")
    };
    let whole = gzip((0..50).map(line).collect::<String>().as_bytes());
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let assert = lubb().arg("apply").arg(&file).args(["-o", "-"]).assert().code(1);
    let rows = documents(&assert.get_output().stdout);
    let (last, good) = rows.split_last().unwrap();
    assert!(good.len() > 10 && good.iter().enumerate().all(|(n, row)| row.id == n.to_string() && row.error.is_none()));
    let error = last.error.as_deref().unwrap();
    assert!(error.contains(&format!("cut.jsonl.gz:{}", good.len() + 1)) && error.contains("cut off"), "{error}");
}
