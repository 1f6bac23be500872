//! `lubb evaluate` writes a page that people read, and compares; `lubb features` writes the matrix.

use std::fs;

use predicates::boolean::PredicateBooleanExt;
use predicates::str::contains;

mod common;
use common::{LABELLED, LABELLED_COUNT, labelled_pages, lubb};

#[test]
fn the_report_is_one_page_that_loads_nothing_and_shows_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("report");
    // Another tool, which takes the whole page's words for the article on one page and nothing on the others.
    let other = folder.path().join("other <b>.jsonl");
    let gold = labelled_pages().into_iter().find(|gold| gold.id == "ar-gulf-portal.html").unwrap();
    let all: Vec<String> = gold.page().unwrap().texts().map(str::to_owned).collect();
    fs::write(&other, serde_json::json!({ "id": gold.id, "text": all.join("\n") }).to_string()).unwrap();
    let mut evaluate = lubb();
    evaluate.args(["evaluate", "--gold", LABELLED, "--format", "md", "--compare"]).arg(&other).arg("--out").arg(&out);
    let said = contains("### Accuracy of the default model").and(contains(r"### Against other \<b\>.jsonl"));
    evaluate
        .assert()
        .success()
        .stdout(said)
        .stderr(contains(format!("{} of {LABELLED_COUNT} labelled pages have no prediction", LABELLED_COUNT - 1)));

    let html = fs::read_to_string(out.join("report.html")).unwrap();
    for outside in ["src=", "href=", "@import", "url("] {
        assert!(!html.contains(outside), "{outside}");
    }
    assert!(html.contains("other &lt;b&gt;.jsonl") && !html.contains("other <b>"));
    assert!(html.contains(r#"<p dir="auto">"#) && html.contains("prefers-color-scheme: dark"));

    let report: serde_json::Value = serde_json::from_slice(&fs::read(out.join("report.json")).unwrap()).unwrap();
    let comparison = &report["comparison"];
    let overall = &comparison["groups"][0];
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    assert_eq!(overall["pages"], LABELLED_COUNT);
    assert!((number(&overall["f1"]) - number(&overall["other_f1"]) - number(&overall["difference"])).abs() < 1e-12);
    assert!(number(&overall["low"]) > 0.5 && number(&overall["low"]) < number(&overall["high"]));
    let counts = ["better", "worse", "same"].map(|key| comparison[key].as_u64().unwrap());
    assert_eq!(counts.iter().sum::<u64>(), LABELLED_COUNT as u64);
    let curves = &report["curves"];
    assert!(number(&curves["average_precision"]) > 0.9 && number(&curves["calibration_error"]) < 0.2);
    let bins = report["distribution"].as_array().unwrap();
    assert_eq!(bins.iter().map(|bin| bin["pages"].as_u64().unwrap()).sum::<u64>(), LABELLED_COUNT as u64);

    // Every wrong block of the worst page is explained and marked.
    let worst = report["worst"][0].as_object().unwrap();
    let blocks = worst["blocks"].as_array().unwrap();
    let wrong: Vec<_> = blocks.iter().filter(|b| b["verdict"] == "missed" || b["verdict"] == "wrongly_kept").collect();
    assert!(!wrong.is_empty() && wrong.iter().take(40).all(|b| !b["reasons"].as_array().unwrap().is_empty()));
    assert!(html.contains("is-missed") || html.contains("is-kept"));
    let groups = csv::Reader::from_path(out.join("groups.csv")).unwrap().into_records().map(Result::unwrap);
    let languages: Vec<_> = groups.filter(|row| &row[0] == "language").collect();
    assert!(languages.iter().any(|row| &row[1] == "ar" && row[2].parse::<u32>().unwrap() >= 10), "{languages:?}");
}

#[test]
fn the_same_model_differs_nowhere_from_itself() {
    let folder = tempfile::tempdir().unwrap();
    let mut evaluate = lubb();
    evaluate.args(["evaluate", "--gold", LABELLED, "--compare", "models/default.lubb", "--out"]).arg(folder.path());
    evaluate
        .assert()
        .success()
        .stdout(contains("difference +0.0000 [+0.0000, +0.0000]").and(contains(format!("{LABELLED_COUNT} the same"))));
}

#[test]
fn features_have_a_row_for_every_block() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("features.csv");
    lubb().args(["features", "--gold", LABELLED, "--out"]).arg(&out).assert().success();
    let mut reader = csv::Reader::from_path(&out).unwrap();
    let header = reader.headers().unwrap().clone();
    assert_eq!(header.len(), 7 + lubb::features::names().len());
    let rows = reader.records().map(Result::unwrap).count();
    assert_eq!(rows, labelled_pages().iter().map(|gold| gold.page().unwrap().blocks.len()).sum::<usize>());
}
