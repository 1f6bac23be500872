//! `lubb apply`, run as a user runs it.

use std::fs;
use std::path::Path;
use std::process::{Command as Process, Stdio};

use lubb::Document;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::{contains, is_empty};
use tempfile::TempDir;

mod common;
use common::{ALL, documents, gzip, lubb};

fn article(n: usize) -> String {
    format!("Article number {n} says that the council decided on Tuesday to rebuild the old bridge over the river.")
}

fn html(n: usize) -> String {
    format!("<!doctype html><nav><a href=/>Home</a></nav><h1>Bridge</h1><p>{}</p>", article(n))
}

fn rows(path: &Path) -> Vec<Document> {
    documents(&fs::read(path).unwrap())
}

/// Pages in several folders and wrappings, in the order of their names.
fn corpus() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    fs::create_dir_all(folder.path().join("pages/a")).unwrap();
    file("pages/a/1.html", html(1).as_bytes());
    file("pages/a/2.htm.gz", &gzip(html(2).as_bytes()));
    file("pages/a/3.html.zst", &zstd::encode_all(html(3).as_bytes(), 0).unwrap());
    file("pages/b.txt", format!("Home\n{}\n", article(4)).as_bytes());
    file("pages/picture.png", b"\x89PNG");
    let record = |n: usize| serde_json::json!({"id": n, "url": "https://example.org/x", "html": html(n)}).to_string();
    let lines: Vec<String> = (0..400).map(record).collect();
    file("records.jsonl.gz", &gzip(lines.join("\n").as_bytes()));
    folder
}

#[test]
fn a_folder_in_order_with_all_wrappings() {
    let corpus = corpus();
    let out = corpus.path().join("out.jsonl");
    let mut apply = lubb();
    apply.current_dir(&corpus).args(["apply", "pages", "-o", "out.jsonl", "--keep", ALL]);
    apply.assert().success().stdout(is_empty()).stderr(contains("4 pages: 4 articles, 0 empty, 0 errors"));
    let rows = rows(&out);
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, ["a/1.html", "a/2.htm.gz", "a/3.html.zst", "b.txt"]);
    assert!(rows.iter().enumerate().all(|(i, row)| row.text.ends_with(&article(i + 1))));
}

#[test]
fn records_keep_their_order_ids_and_addresses_with_any_number_of_jobs() {
    let corpus = corpus();
    for jobs in ["1", "7"] {
        let mut apply = lubb();
        apply.current_dir(&corpus);
        apply.args(["apply", "records.jsonl.gz", "-o", "out.jsonl", "--quiet", "--jobs", jobs, "--keep", ALL]);
        apply.assert().success().stderr(is_empty());
        let rows = rows(&corpus.path().join("out.jsonl"));
        assert_eq!(rows.len(), 400);
        for (n, row) in rows.iter().enumerate() {
            assert_eq!((row.id.as_str(), row.host.as_deref()), (n.to_string().as_str(), Some("example.org")));
            assert!(row.text.ends_with(&article(n)), "{}", row.text);
        }
    }
}

#[test]
fn patterns_and_named_fields() {
    let corpus = corpus();
    let line = serde_json::json!({"doc": "7", "source": html(7), "text": "reference"}).to_string();
    fs::write(corpus.path().join("named.jsonl"), line).unwrap();
    let mut apply = lubb();
    apply.current_dir(&corpus).args(["apply", "pages/*/*.html*", "named.jsonl", "-o", "-", "--quiet"]);
    let output = apply.args(["--html-field", "source", "--id-field", "doc"]).output().unwrap();
    let ids: Vec<String> = documents(&output.stdout).into_iter().map(|row| row.id).collect();
    assert_eq!(ids, ["pages/a/1.html", "pages/a/3.html.zst", "7"]);
}

#[test]
fn standard_input_is_records_or_one_page() {
    let records = format!("\n {}\n", serde_json::json!({ "html": html(1) }));
    let apply = |input: String| {
        let output = lubb().args(["apply", "-", "-o", "-", "--keep", ALL]).write_stdin(input).output().unwrap();
        serde_json::from_slice::<Document>(&output.stdout).unwrap()
    };
    let row = apply(records);
    assert!(row.id == "stdin:2" && row.text.ends_with(&article(1)), "{row:?}");
    let row = apply(html(2));
    assert!(row.id == "stdin" && row.text.ends_with(&article(2)), "{row:?}");
}

#[test]
fn csv_and_a_folder_of_texts() {
    let corpus = corpus();
    let apply = |args: &[&str]| lubb().current_dir(&corpus).args(["apply", "pages"]).args(args).assert();
    apply(&["-o", "out.csv", "--keep", ALL, "--blocks"]).success();
    let mut csv = csv::Reader::from_path(corpus.path().join("out.csv")).unwrap();
    let rows: Vec<csv::StringRecord> = csv.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 4);
    assert!(rows[3].iter().any(|cell| cell.ends_with(&article(4))));
    apply(&["-o", "texts", "--format", "txt", "--keep", ALL]).success();
    let text = |name: &str| fs::read_to_string(corpus.path().join("texts").join(name)).unwrap();
    assert_eq!(text("a/2.txt"), format!("Home\n\nBridge\n\n{}\n", article(2)));
    assert_eq!(text("b.txt"), format!("Home\n\n{}\n", article(4)));
    apply(&["-o", "texts", "--format", "txt"]).code(2).stderr(contains("texts: there already"));
}

#[test]
fn inputs_are_never_written_over_or_read_again() {
    let corpus = corpus();
    let before = fs::read(corpus.path().join("records.jsonl.gz")).unwrap();
    let refused = |args: &[&str], why: &str| {
        lubb().current_dir(&corpus).arg("apply").args(args).assert().code(2).stderr(contains(why));
    };
    refused(&["records.jsonl.gz", "-o", "./pages/../records.jsonl.gz"], "is one of the inputs");
    refused(&["*.gz", "-o", "records.jsonl.gz"], "is one of the inputs");
    refused(&["pages", "-o", "pages/a/1.html", "--format", "jsonl"], "is one of the inputs");
    refused(&["pages", "-o", "pages/new/out", "--format", "txt"], "lies in the input pages");
    assert_eq!(fs::read(corpus.path().join("records.jsonl.gz")).unwrap(), before);
    assert!(!corpus.path().join("pages/new").exists());
}

#[test]
fn runs_that_cannot_be_done_end_with_2_and_leave_nothing() {
    let corpus = corpus();
    let refused = |args: &[&str], why: &str| {
        lubb().current_dir(&corpus).arg("apply").args(args).assert().code(2).stderr(contains(why));
    };
    refused(&["nowhere", "-o", "out.jsonl"], "nowhere: cannot be opened");
    refused(&["pages/*.xhtml", "-o", "out.jsonl"], "no pages there");
    refused(&["pages", "-o", "no/such/folder/out.jsonl"], "no/such/folder/out.jsonl: cannot be made");
    refused(&["pages", "-o", "out"], "says no format");
    refused(&["pages", "-o", "out.txt"], "name a folder and give --format");
    refused(&["-", "-", "-o", "out.jsonl"], "only once");
    refused(&["pages", "-o", "out.jsonl", "--max-page-bytes", "5GB"], "1 GiB");
    refused(&["pages", "-o", "out.jsonl", "--jobs", "0"], "0 is not in");
    assert_eq!(common::listing(corpus.path()), ["pages", "records.jsonl.gz"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_with_the_file_that_is_kept() {
    let corpus = corpus();
    let apply = ["apply", "records.jsonl.gz", "-o", "/dev/full", "--format", "jsonl"];
    lubb()
        .current_dir(&corpus)
        .args(apply)
        .assert()
        .code(2)
        .stderr(contains("/dev/full: cannot be written to its end, what there is is kept: No space"));
}

#[test]
fn a_reader_that_goes_away_ends_the_run_quietly() {
    let corpus = corpus();
    let mut child = Process::new(assert_cmd::cargo::cargo_bin("lubb"))
        .current_dir(&corpus)
        .args(["apply", "records.jsonl.gz", "-o", "-", "--quiet", "--blocks"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.success());
}

#[test]
fn an_interrupted_run_goes_on_where_it_stopped() {
    let corpus = corpus();
    let path = |name: &str| corpus.path().join(name);
    let apply = |out: &str, inputs: &[&str]| {
        let mut apply = lubb();
        apply.current_dir(&corpus).arg("apply").args(inputs).args(["-o", out, "--keep", ALL, "--resume"]).assert()
    };
    let inputs = ["pages", "records.jsonl.gz"];
    apply("whole.jsonl", &inputs).success().stderr(contains("no interrupted run to go on from"));
    let whole = fs::read(path("whole.jsonl")).unwrap();
    let ends: Vec<usize> = whole.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at + 1).collect();
    for (rows, cut) in [(0, 0), (0, 7), (3, 0), (3, 40), (300, 40), (ends.len(), 0)] {
        let end = rows.checked_sub(1).map_or(0, |at| ends[at]) + cut;
        fs::write(path("out.jsonl.partial-17"), &whole[..end]).unwrap();
        apply("out.jsonl", &inputs).success().stderr(contains("0 errors"));
        assert!(fs::read(path("out.jsonl")).unwrap() == whole, "{rows} rows and {cut} bytes");
        assert!(!path("out.jsonl.partial-17").exists());
    }
    // Compressed, and cut off in mid-stream.
    let packed = gzip(&whole);
    fs::write(path("out.jsonl.gz.partial-17"), &packed[..packed.len() / 2]).unwrap();
    let said = apply("out.jsonl.gz", &inputs).success().get_output().stderr.clone();
    assert!(String::from_utf8_lossy(&said).contains("going on after"), "{said:?}");
    let mut unpacked = Vec::new();
    let file = fs::File::open(path("out.jsonl.gz")).unwrap();
    std::io::copy(&mut flate2::read::MultiGzDecoder::new(file), &mut unpacked).unwrap();
    assert!(unpacked == whole);

    // What cannot be gone on from is left as it is.
    let partial = path("out.jsonl.partial-17");
    fs::write(&partial, &whole[..ends[9]]).unwrap();
    apply("out.jsonl", &["records.jsonl.gz"])
        .code(2)
        .stderr(contains("its row 10 is of '5', and page 10").and(contains("'9'")));
    apply("out.csv", &inputs).code(2).stderr(contains("JSONL files only"));
    apply("out.jsonl", &["-"]).code(2).stderr(contains("standard input"));
    fs::write(path("out.jsonl.partial-18"), "").unwrap();
    apply("out.jsonl", &inputs).code(2).stderr(contains("several runs were interrupted"));
    assert_eq!(fs::read(&partial).unwrap(), whole[..ends[9]]);
    assert!(fs::read(path("out.jsonl")).unwrap() == whole);
}
