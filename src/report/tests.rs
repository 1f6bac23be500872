use super::metrics::{Means, PageScores, Totals, shingle_scores, snippet_share, word_scores};
use super::*;
use crate::gold;
use crate::label::Label;
use crate::page::words::WordRule;

/// Reference, prediction, `with`, `without`.
const PAGES: [(&str, &str, &[&str], &[&str]); 6] = [
    (
        "The river rose by two metres on Monday. Nobody was hurt, İSTANBUL said.",
        "The river rose by two metres on Monday. Nobody was hurt, Istanbul said. Read also: storms",
        &["two  metres on"],
        &["read also"],
    ),
    ("東京で大雨が降った。", "東京で大雨が降った。続きを読む", &[], &[]),
    ("", "Cookie notice", &[], &["cookie", "privacy"]),
    ("كَتَبَ الوَلَدُ رسالة طويلة إلى صديقه", "", &["رسالة"], &[]),
    ("", "", &[], &[]),
    ("One two three", "three TWO one one", &[], &[]),
];

/// The expected numbers were printed by the benchmark's own scorer, score.py, under Python 3.11, for these texts:
/// `wcxb_page` and `aeb_page` on each page with its pattern WORD, then with WORD_CJK; then `gold_metrics` of the
/// sums.
#[test]
fn scores_are_those_of_the_benchmarks_scorer() {
    let strings = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    let means = |rule| -> Means {
        let rows = PAGES.map(|(wanted, given, with, without)| PageScores {
            words: word_scores(given, wanted, rule),
            shingles: shingle_scores(given, wanted, rule),
            with: snippet_share(given, &strings(with)),
            without: snippet_share(given, &strings(without)),
        });
        if rule == WordRule::Cjk {
            let words: Vec<[f64; 3]> = rows.iter().map(|r| [r.words.f1, r.words.precision, r.words.recall]).collect();
            assert_eq!(words[0], [0.799_999_999_999_999_9, 0.75, 0.857_142_857_142_857_1]);
            assert_eq!(words[1], [0.782_608_695_652_174, 0.642_857_142_857_142_9, 1.0]);
            assert_eq!(words[2..5], [[0.0; 3], [0.0; 3], [1.0; 3]]);
            assert_eq!(words[5], [0.857_142_857_142_857_1, 0.75, 1.0]);
            assert_eq!(rows[1].shingles, (Some(0.545_454_545_454_545_4), Some(1.0)));
            assert_eq!(
                [rows[2], rows[3], rows[4]].map(|r| r.shingles),
                [(Some(0.0), None), (None, Some(0.0)), (None, None)]
            );
        }
        rows.iter().map(PageScores::totals).collect::<Vec<Totals>>().iter().sum::<Totals>().means()
    };
    let near = |means: Means, expected: [f64; 6]| {
        let got = [means.f1, means.precision, means.recall, means.with.unwrap(), means.without.unwrap(), means.shingle];
        assert!(got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{got:?} {expected:?}");
    };
    let plain = [0.553_968_253_968_254, 0.5, 0.642_857_142_857_142_9, 0.5, 0.75, 0.173_913_043_478_260_86];
    near(means(WordRule::Plain), plain);
    let cjk = [0.573_291_925_465_838_5, 0.523_809_523_809_523_8, 0.642_857_142_857_142_9, 0.5, 0.75];
    near(means(WordRule::Cjk), [cjk[0], cjk[1], cjk[2], cjk[3], cjk[4], 0.352_857_817_666_509_25]);
}

fn block(label: Label, text: &str) -> DocumentBlock {
    DocumentBlock { label, p: 1.0, text: text.to_owned() }
}

/// The labels' numbers are those of score.py's `typed_page` and `typed_metrics` with LABELS set to ours.
#[test]
fn typed_gold_is_scored_by_label_and_failed_pages_count_as_empty() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.txt"), "The river rose.\nRiver rises\nHome News\nNobody was hurt.\nUnlabelled\n")
        .unwrap();
    std::fs::write(dir.path().join("a.lines.tsv"), "line\tlabel\n1\tbody\n2\theadline\n3\tnav\n4\tbody\n").unwrap();
    let page = gold::read(dir.path()).unwrap().pages.remove(0);
    let blocks = vec![
        block(Label::Headline, "The river rose."),
        block(Label::Headline, "River rises"),
        block(Label::Nav, "Home News"),
        block(Label::Body, "Nobody was hurt."),
        block(Label::Body, "Unlabelled"),
    ];
    let good = Prediction { text: "Nobody was hurt.".to_owned(), blocks: Some(blocks), ..Prediction::default() };
    let report = evaluate([(page.clone(), good.clone())]);
    let set = &report.summary.sets[0];
    assert_eq!((set.means.precision, set.means.recall), (1.0, 0.5));
    let row = |label: Label| {
        let l = set.labels[label.index()];
        (l.precision.unwrap(), l.recall.unwrap(), l.given, l.support)
    };
    assert_eq!(row(Label::Body), (1.0, 0.5, 3, 6));
    assert_eq!(row(Label::Headline), (0.4, 1.0, 5, 2));
    assert_eq!(row(Label::Nav), (1.0, 1.0, 2, 2));
    assert!((set.labels[Label::Headline.index()].f1.unwrap() - 0.571_428_571_428_571_5).abs() < 1e-12);
    assert_eq!(set.confusion[Label::Body.index()], [1, 1, 0, 0, 0, 0, 0, 0]);
    // A share of nothing is none, and no 0.
    let caption = set.labels[Label::Caption.index()];
    assert_eq!((caption.precision, caption.recall, caption.f1), (None, None, None));
    let out = dir.path().join("report");
    report.write(&out).unwrap();
    let csv = std::fs::read_to_string(out.join("labels.csv")).unwrap();
    assert!(csv.contains(",caption,,,,0,0\n"), "{csv}");
    let summary: Summary = serde_json::from_slice(&std::fs::read(out.join("summary.json")).unwrap()).unwrap();
    assert_eq!(summary, report.summary);

    let failed = Prediction { error: Some("broken".to_owned()), ..good.clone() };
    let report = evaluate([(page.clone(), failed), (page.clone(), good)]);
    let set = &report.summary.sets[0];
    assert_eq!((set.pages, set.failed, set.empty, set.means.recall), (2, 1, 1, 0.25));
    let none = evaluate([(page.clone(), Prediction { blocks: Some(Vec::new()), ..Prediction::default() })]);
    let headline = none.summary.sets[0].labels[Label::Headline.index()];
    assert_eq!((headline.precision, headline.recall, headline.f1), (None, Some(0.0), Some(0.0)));
    let body = set.labels[Label::Body.index()];
    assert_eq!((body.given, body.support), (3, 12));
}

#[test]
fn a_typed_page_that_cannot_be_read_is_no_agreement_of_two_empty_texts() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.txt"), "The river rose.\n").unwrap();
    std::fs::write(dir.path().join("a.lines.tsv"), "line\tlabel\n1\tbody\n").unwrap();
    let page = gold::read(dir.path()).unwrap().pages.remove(0);
    std::fs::remove_file(dir.path().join("a.txt")).unwrap();
    let report = evaluate([(page, Prediction::default())]);
    let set = &report.summary.sets[0];
    assert_eq!((set.pages, set.failed, set.means.f1), (1, 1, 0.0));
    assert!(report.pages[0].error.as_ref().is_some_and(|error| error.contains("a.txt")));
}

#[test]
fn the_files_hold_what_was_scored() {
    let dir = tempfile::tempdir().unwrap();
    let rows = [
        r#"{"id": "a", "group": "x", "html": "", "text": "One two, three.", "with": ["two"]}"#,
        r#"{"id": "b", "group": "y", "html": "", "text": ""}"#,
    ];
    std::fs::write(dir.path().join("gold.jsonl"), rows.join("\n")).unwrap();
    let set = gold::read(dir.path()).unwrap();
    let text = |id: &str| if id == "a" { "one TWO" } else { "" }.to_owned();
    let report =
        evaluate(set.pages.into_iter().map(|p| (p.clone(), Prediction { text: text(&p.id), ..Prediction::default() })));
    let out = dir.path().join("deep/report");
    report.write(&out).unwrap();
    report.write(&out).unwrap();
    let mut files: Vec<_> = std::fs::read_dir(&out).unwrap().map(|f| f.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["confusion.csv", "labels.csv", "pages.csv", "summary.json"]);
    let summary: Summary = serde_json::from_slice(&std::fs::read(out.join("summary.json")).unwrap()).unwrap();
    assert_eq!(summary, report.summary);
    assert_eq!(
        summary.sets[0].groups.iter().map(|g| (g.group.as_str(), g.means.f1)).collect::<Vec<_>>(),
        [("x", 0.8), ("y", 1.0)]
    );
    let pages = std::fs::read_to_string(out.join("pages.csv")).unwrap();
    let name = &summary.sets[0].set;
    assert_eq!(
        pages.lines().nth(1).unwrap(),
        format!("a,{name},x,,{name}/a,3,1.0,0.6666666666666666,0.8,0.0,0.0,1.0,,,,")
    );
    assert_eq!(
        std::fs::read_to_string(out.join("labels.csv")).unwrap(),
        "set,label,precision,recall,f1,support,given\n"
    );
}

#[test]
fn what_the_system_says_is_told_once() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), "").unwrap();
    let error = evaluate([]).write(&dir.path().join("file")).unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(error.to_string().contains("file: cannot be written; check"), "{error}");
    assert!(!error.to_string().contains(&source), "{error}");
}
