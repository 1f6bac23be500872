//! `lubb apply`, run as a user runs it.

use std::fs;
use std::path::Path;
use std::process::{Child, Command as Process, Stdio};
use std::time::{Duration, Instant};

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
fn a_charset_that_is_known_is_that_of_all_pages_but_records() {
    let folder = tempfile::tempdir().unwrap();
    // Too short to be guessed; what the page declares of itself is wrong.
    let page = "<meta charset=iso-8859-1><h1>Привет</h1>";
    fs::write(folder.path().join("a.html"), encoding_rs::KOI8_R.encode(page).0).unwrap();
    let record = serde_json::json!({"id": "b", "html": page}).to_string();
    fs::write(folder.path().join("b.jsonl"), record).unwrap();
    let mut apply = lubb();
    apply.current_dir(&folder).args(["apply", "a.html", "b.jsonl", "-o", "-", "--quiet", "--blocks"]);
    let output = apply.args(["--charset", "koi8-r"]).assert().success().get_output().stdout.clone();
    for row in documents(&output) {
        assert_eq!(row.blocks.unwrap()[0].text, "Привет", "{}", row.id);
    }
    lubb()
        .args(["apply", "a.html", "-o", "-", "--charset", "arabic!"])
        .assert()
        .code(2)
        .stderr(contains("windows-1256"));
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
fn an_input_that_is_given_twice_is_named() {
    let corpus = corpus();
    let apply = |inputs: &[&str]| {
        let mut apply = lubb();
        apply.current_dir(&corpus).arg("apply").args(inputs).args(["-o", "-", "--keep", ALL]);
        let output = apply.assert().success().get_output().clone();
        (documents(&output.stdout).len(), String::from_utf8(output.stderr).unwrap())
    };
    let (rows, said) = apply(&["pages", "pages/a/../"]);
    assert_eq!(rows, 8);
    assert!(said.contains("note: pages/a/../ is given more than once"), "{said}");
    assert!(!apply(&["pages", "pages/a"]).1.contains("more than once"));
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
    let one = lubb().current_dir(&corpus).args(["apply", "pages/a/1.html", "-o", "-"]).assert();
    one.success().stderr(contains("1 page: 1 article, 0 empty, 0 errors;"));
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
    refused(&["pages", "-o", "out.csv.gz", "--format", "jsonl"], "its ending says CSV, and --format JSONL");
    refused(&["pages", "-o", "out.jsonl", "--format", "txt"], "its ending says JSONL, and --format text");
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

/// Starts a run that waits for its input, as long as that is not closed, and finds its unfinished output.
fn waiting(folder: &Path, args: &[&str]) -> (Child, String) {
    let before = common::listing(folder);
    let mut run = Process::new(assert_cmd::cargo::cargo_bin("lubb"));
    run.current_dir(folder).args(["apply", "-"]).args(args).stdin(Stdio::piped());
    let run = run.stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    loop {
        let partial = common::listing(folder).into_iter().find(|name| !before.contains(name));
        match partial {
            Some(partial) => return (run, partial),
            None => assert!(begun.elapsed() < Duration::from_secs(60), "no output is begun"),
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What a run with these flags leaves when it is killed: the ending of its unfinished output, behind the number.
fn settings(folder: &Path, args: &[&str]) -> String {
    let (mut run, partial) = waiting(folder, &[&["-o", "killed.jsonl"], args].concat());
    run.kill().unwrap();
    run.wait().unwrap();
    fs::remove_file(folder.join(&partial)).unwrap();
    let number = format!("killed.jsonl.partial-{}-", run.id());
    partial.strip_prefix(&number).unwrap_or_else(|| panic!("{partial}")).to_owned()
}

#[test]
fn an_interrupted_run_goes_on_where_it_stopped() {
    let corpus = corpus();
    let path = |name: &str| corpus.path().join(name);
    let apply = |out: &str, inputs: &[&str]| {
        let mut apply = lubb();
        apply.current_dir(&corpus).arg("apply").args(inputs).args(["-o", out, "--keep", ALL, "--resume"]).assert()
    };
    let settings = settings(corpus.path(), &["--keep", ALL]);
    let left = |out: &str, number: u32| path(&format!("{out}.partial-{number}-{settings}"));
    let inputs = ["pages", "records.jsonl.gz"];
    apply("whole.jsonl", &inputs).success().stderr(contains("no interrupted run to go on from"));
    let whole = fs::read(path("whole.jsonl")).unwrap();
    let ends: Vec<usize> = whole.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at + 1).collect();
    for (rows, cut) in [(0, 0), (0, 7), (3, 0), (3, 40), (300, 40), (ends.len(), 0)] {
        let end = rows.checked_sub(1).map_or(0, |at| ends[at]) + cut;
        fs::write(left("out.jsonl", 17), &whole[..end]).unwrap();
        apply("out.jsonl", &inputs).success().stderr(contains("0 errors"));
        assert!(fs::read(path("out.jsonl")).unwrap() == whole, "{rows} rows and {cut} bytes");
        assert!(!left("out.jsonl", 17).exists());
    }
    // Compressed, and cut off in mid-stream.
    let packed = gzip(&whole);
    fs::write(left("out.jsonl.gz", 17), &packed[..packed.len() / 2]).unwrap();
    let said = apply("out.jsonl.gz", &inputs).success().get_output().stderr.clone();
    assert!(String::from_utf8_lossy(&said).contains("going on after"), "{said:?}");
    let mut unpacked = Vec::new();
    let file = fs::File::open(path("out.jsonl.gz")).unwrap();
    std::io::copy(&mut flate2::read::MultiGzDecoder::new(file), &mut unpacked).unwrap();
    assert!(unpacked == whole);

    // What cannot be gone on from is left as it is.
    let partial = left("out.jsonl", 17);
    fs::write(&partial, &whole[..ends[9]]).unwrap();
    apply("out.jsonl", &["records.jsonl.gz"])
        .code(2)
        .stderr(contains("its row 10 is of '5', and page 10").and(contains("'9'")));
    apply("out.csv", &inputs).code(2).stderr(contains("JSONL files only"));
    apply("out.jsonl", &["-"]).code(2).stderr(contains("standard input"));
    assert_eq!(fs::read(&partial).unwrap(), whole[..ends[9]]);
    assert!(fs::read(path("out.jsonl")).unwrap() == whole);

    // A run that goes on may be interrupted too, before and after it has all rows of the one before.
    for rows in [3, 10, 200] {
        fs::write(&partial, &whole[..ends[9]]).unwrap();
        fs::write(left("out.jsonl", 18), &whole[..ends[rows - 1] + 5]).unwrap();
        let most = rows.max(10);
        apply("out.jsonl", &inputs).success().stderr(contains(format!("going on after {most} pages")));
        assert!(fs::read(path("out.jsonl")).unwrap() == whole, "{rows} rows");
        assert!(!partial.exists() && !left("out.jsonl", 18).exists());
    }
}

#[test]
fn what_is_finished_is_not_begun_anew_and_leaves_no_parts() {
    let corpus = corpus();
    let apply = |more: &[&str]| {
        let args = [&["apply", "pages", "-o", "out.jsonl", "--keep", ALL], more].concat();
        lubb().current_dir(&corpus).args(args).assert()
    };
    let settings = settings(corpus.path(), &["--keep", ALL]);
    for number in [17, 18] {
        fs::write(corpus.path().join(format!("out.jsonl.partial-{number}-{settings}")), "").unwrap();
    }
    apply(&[]).success();
    assert_eq!(common::listing(corpus.path()), ["out.jsonl", "pages", "records.jsonl.gz"]);
    let written = || fs::metadata(corpus.path().join("out.jsonl")).unwrap().modified().unwrap();
    let before = written();
    apply(&["--resume"]).code(2).stderr(contains("out.jsonl: is there already").and(contains("leave out --resume")));
    assert_eq!((written(), rows(&corpus.path().join("out.jsonl")).len()), (before, 4));
}

#[test]
fn errors_from_before_an_interruption_count() {
    let corpus = corpus();
    let path = |name: &str| corpus.path().join(name);
    let settings = settings(corpus.path(), &["--keep", ALL]);
    fs::write(path("pages/a/0.html"), "").unwrap();
    let apply = |out: &str| {
        let args = ["apply", "pages", "-o", out, "--keep", ALL, "--resume"];
        lubb().current_dir(&corpus).args(args).assert()
    };
    apply("whole.jsonl").code(1).stderr(contains("5 pages: 4 articles, 0 empty, 1 error;"));
    let whole = fs::read_to_string(path("whole.jsonl")).unwrap();
    let begun: String = whole.split_inclusive('\n').take(2).collect();
    fs::write(path(&format!("out.jsonl.partial-17-{settings}")), begun).unwrap();
    apply("out.jsonl")
        .code(1)
        .stderr(contains("5 pages (2 of them from before): 4 articles, 0 empty, 1 error;"))
        .stderr(contains("0.html").not());
    assert_eq!(fs::read_to_string(path("out.jsonl")).unwrap(), whole);
}

#[test]
fn runs_with_other_flags_and_runs_at_work_are_not_gone_on_from() {
    let corpus = corpus();
    let folder = corpus.path();
    let resume = |args: &[&str]| {
        let args = [&["apply", "pages", "-o", "out.jsonl", "--resume", "--quiet"], args].concat();
        lubb().current_dir(folder).args(args).assert()
    };
    let (mut run, partial) = waiting(folder, &["-o", "out.jsonl", "--markdown"]);
    resume(&["--markdown"]).code(2).stderr(contains(&partial).and(contains("a run is still writing it")));
    run.kill().unwrap();
    run.wait().unwrap();
    let others: [&[&str]; 5] = [
        &["--keep", "nav"],
        &["--markdown", "--keep", "nav"],
        &["--markdown", "--blocks"],
        &[],
        &["--markdown", "--max-page-bytes", "1MB"],
    ];
    for other in others {
        resume(other).code(2).stderr(contains(&partial).and(contains("was written with other flags")));
    }
    assert_eq!(common::listing(folder), [partial.as_str(), "pages", "records.jsonl.gz"]);
    // How many work on it is no matter.
    resume(&["--markdown", "--jobs", "1"]).success();
    assert_eq!(common::listing(folder), ["out.jsonl", "pages", "records.jsonl.gz"]);
}

#[test]
fn shards_of_records_are_read_under_any_name_and_pages_named_so_are_errors() {
    let corpus = corpus();
    let records = fs::read(corpus.path().join("records.jsonl.gz")).unwrap();
    for name in ["c4-train.00000-of-00512.json.gz", "part-00000", "pages/b.html.gz"] {
        fs::write(corpus.path().join(name), &records).unwrap();
    }
    let apply =
        |input: &str| lubb().current_dir(&corpus).args(["apply", input, "-o", "-", "--quiet", "--keep", ALL]).assert();
    for name in ["c4-train.00000-of-00512.json.gz", "part-00000"] {
        assert_eq!(documents(&apply(name).success().get_output().stdout).len(), 400);
    }
    let rows = documents(&apply("pages").code(1).get_output().stdout);
    let errors: Vec<_> = rows.iter().filter_map(|row| row.error.as_deref()).collect();
    assert!(rows.len() == 5 && matches!(errors[..], [told] if told.contains("b.html.gz: it holds JSON")), "{errors:?}");
    fs::write(corpus.path().join("a.json"), "[\n{\"html\":\"<p>x\"}\n]").unwrap();
    apply("a.json").code(2).stderr(contains("a.json: JSON is read a record a line").and(contains("jq -c")));
    fs::write(corpus.path().join("a.tsv"), "id\thtml\n1\t<p>x\n").unwrap();
    assert!(documents(&apply("a.tsv").code(1).get_output().stdout)[0].error.as_ref().unwrap().contains("a table"));
}

#[cfg(unix)]
#[test]
fn records_from_a_pipe_with_a_name_are_read_once() {
    let corpus = corpus();
    let command = format!("exec 3<&0; {} apply <(cat <&3) -o - -q", assert_cmd::cargo::cargo_bin("lubb").display());
    let run = |input: Vec<u8>| {
        let mut bash = assert_cmd::Command::new("bash");
        let output = bash.args(["-c", &command]).current_dir(&corpus).write_stdin(input).output().unwrap();
        documents(&output.stdout)
    };
    assert_eq!(run(fs::read(corpus.path().join("records.jsonl.gz")).unwrap()).len(), 400);
    assert_eq!(run(html(1).into_bytes()).len(), 1);
}

#[test]
fn texts_on_standard_output_are_set_apart_by_form_feeds() {
    let corpus = corpus();
    let texts = |format: &str| {
        let args = ["apply", "pages", "-o", "-", "--quiet", "--keep", ALL, "--format", format];
        let output = lubb().current_dir(&corpus).args(args).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    for format in ["txt", "md"] {
        let all = texts(format);
        let pages: Vec<&str> = all.split("\n\n\x0c\n\n").collect();
        assert_eq!(pages.len(), 4, "{all}");
        assert!(pages.iter().enumerate().all(|(n, page)| page.trim_end().ends_with(&article(n + 1))), "{all}");
    }
}
