//! `lubb extract`, run as a user runs it.

use predicates::prelude::*;
use predicates::str::{contains, is_empty};

mod common;
use common::{ALL, lubb};

const ARTICLE: &str =
    "The council decided on Tuesday that the old bridge over the river will be rebuilt within two years.";

fn page() -> String {
    format!("<!doctype html><nav><a href=/>Home</a></nav><article><h1>Bridge</h1><p>{ARTICLE}</p></article>")
}

#[test]
fn the_article_of_a_file_and_of_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.html");
    std::fs::write(&file, page()).unwrap();
    lubb().arg("extract").arg(&file).assert().success().stdout(format!("{ARTICLE}\n")).stderr(is_empty());
    lubb().args(["extract", "-"]).write_stdin(page()).assert().success().stdout(format!("{ARTICLE}\n"));
}

#[test]
fn compressed_pages_are_known_by_their_bytes() {
    let zstd = zstd::encode_all(page().as_bytes(), 0).unwrap();
    lubb().args(["extract", "-"]).write_stdin(zstd).assert().success().stdout(contains(ARTICLE));
}

#[test]
fn json_is_the_whole_row() {
    let args = ["extract", "-", "--format", "json", "--url", "https://www.example.org/a"];
    let output = lubb().args(args).write_stdin(page()).output().unwrap();
    let row: lubb::Document = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(row.host.as_deref(), Some("example.org"));
    assert_eq!(row.text, ARTICLE);
    let texts: Vec<String> = row.blocks.unwrap().into_iter().map(|block| block.text).collect();
    assert_eq!(texts, ["Home", "Bridge", ARTICLE]);
}

#[test]
fn text_is_read_by_lines_where_the_name_or_the_flag_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.txt");
    std::fs::write(&file, format!("Home\n{ARTICLE} <p> is a tag\nMore\n")).unwrap();
    let whole = format!("Home\n\n{ARTICLE} <p> is a tag\n\nMore\n");
    lubb().args(["extract", "--keep", ALL]).arg(&file).assert().success().stdout(whole.clone());
    let text = std::fs::read(&file).unwrap();
    lubb().args(["extract", "-", "--keep", ALL, "--input", "text"]).write_stdin(text).assert().success().stdout(whole);
}

#[test]
fn a_charset_named_by_the_caller_is_used() {
    let page = page().replace("Tuesday", "الثلاثاء");
    let bytes = encoding_rs::WINDOWS_1256.encode(&page).0.into_owned();
    let args = ["extract", "-", "--charset", "windows-1256"];
    lubb().args(args).write_stdin(bytes).assert().success().stdout(contains("الثلاثاء"));
    lubb().args(["extract", "-", "--charset", "klingon"]).assert().code(2).stderr(contains("klingon"));
}

#[test]
fn mistakes_end_with_2_and_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    lubb().args(["extract", "nowhere.html"]).assert().code(2).stderr(contains("nowhere.html: cannot be opened"));
    lubb().arg("extract").arg(folder.path()).assert().code(2).stderr(contains("lubb apply"));
    let records = "{\"html\":\"<p>a\"}\n{\"html\":\"<p>b\"}\n";
    lubb().args(["extract", "-"]).write_stdin(records).assert().code(2).stderr(contains("lubb apply"));
    lubb()
        .args(["extract", "-", "--keep", "bodies"])
        .assert()
        .code(2)
        .stderr(contains("bodies").and(contains("headline")));
}

#[test]
fn a_files_ending_says_the_format() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("page.html"), page()).unwrap();
    let extract = |args: &[&str]| {
        lubb().current_dir(&folder).args(["extract", "page.html", "--keep", "headline,body"]).args(args).assert()
    };
    let stdout = |format: &str| extract(&["--format", format]).success().get_output().stdout.clone();
    for (name, format) in [("a.json", "json"), ("a.MD", "md"), ("a.txt", "txt"), ("a", "txt"), ("a.out", "txt")] {
        extract(&["-o", name]).success();
        assert_eq!(std::fs::read(folder.path().join(name)).unwrap(), stdout(format), "{name}");
    }
    assert_ne!(stdout("md"), stdout("txt"));
    extract(&["-o", "b.md", "--format", "json"])
        .code(2)
        .stderr(contains("b.md: its ending says Markdown, and --format"));
    extract(&["-o", "b.jsonl.gz"]).code(2).stderr(contains("its ending says JSONL, which `lubb apply` writes"));
    assert!(common::listing(folder.path()).iter().all(|name| !name.starts_with("b.")));
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_full_leaves_the_file_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("page.html"), page()).unwrap();
    std::fs::write(folder.path().join("out.txt"), "old").unwrap();
    let lubb = assert_cmd::cargo::cargo_bin("lubb");
    let extract = |before: &str| {
        let command = format!("{before} exec {} extract page.html --out out.txt", lubb.display());
        assert_cmd::Command::new("sh").args(["-c", &command]).current_dir(&folder).assert()
    };
    // No file can grow, as on a full disk.
    extract("trap '' XFSZ; ulimit -f 0;").code(2).stderr(contains("writing out.txt"));
    assert_eq!(std::fs::read_to_string(folder.path().join("out.txt")).unwrap(), "old");
    assert_eq!(common::listing(folder.path()), ["out.txt", "page.html"]);
    extract("").success();
    assert_eq!(std::fs::read_to_string(folder.path().join("out.txt")).unwrap(), format!("{ARTICLE}\n"));
}
