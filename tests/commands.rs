//! The commands on the pages that come with lubb: what users see of articles, models and figures.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use lubb::report::Summary;
use lubb::{Document, Label};
use predicates::boolean::PredicateBooleanExt;
use predicates::str::{contains, is_empty};
use tempfile::TempDir;

mod common;
use common::{LABELLED, LABELLED_COUNT, documents, labelled_blocks, labelled_pages, listing, lubb, squeezed};

const SCRAPES: [&str; 2] = ["data/scrapes", "data/scrapes/jsonl/pages.jsonl"];

fn extract(page: &str, args: &[&str]) -> String {
    let output = lubb().args(["extract", page]).args(args).assert().success().stderr(is_empty()).get_output().clone();
    String::from_utf8(output.stdout).unwrap()
}

/// A small model, trained once for all tests, and what training said.
struct Small {
    folder: TempDir,
    said: String,
}

impl Small {
    fn model(&self) -> PathBuf {
        self.folder.path().join("small.lubb")
    }
}

fn train(out: &Path, threads: &str, flags: &[&str]) -> String {
    let mut train = lubb();
    train.args(["train", "--gold", LABELLED, "--folds", "3", "--rounds", "20", "--rows", "3000", "--no-flat"]);
    train.args(["--attribution", "Written for lubb", "--out"]).arg(out).args(flags).env("RAYON_NUM_THREADS", threads);
    String::from_utf8(train.assert().success().get_output().stdout.clone()).unwrap()
}

static SMALL: LazyLock<Small> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let said = train(&folder.path().join("small.lubb"), "2", &[]);
    Small { folder, said }
});

#[test]
fn articles_come_whole_and_without_comments_rates_and_teasers() {
    for gold in labelled_pages() {
        if !["ar-iraq-comments.html", "ar-br-body.html", "ar-cp1256.html", "fa-iran-news.html"].contains(&&*gold.id) {
            continue;
        }
        let blocks = labelled_blocks(&gold);
        let text = squeezed(&extract(&format!("{LABELLED}/{}", gold.id), &[]));
        let of = |label: Label| blocks.iter().filter(move |(l, _)| *l == label).map(|(_, text)| squeezed(text));
        let body: Vec<String> = of(Label::Body).collect();
        assert!(text.starts_with(&body[0]) && text.ends_with(body.last().unwrap()), "{}", gold.id);
        for label in [Label::Comment, Label::Widget, Label::Related, Label::Nav] {
            // Short ones may be words of the article as well.
            let chrome: Vec<String> = of(label).filter(|text| text.chars().count() >= 25).collect();
            for block in &chrome {
                assert!(!text.contains(block), "{}: {label} in the text: {block}", gold.id);
            }
            assert!(!chrome.is_empty() || label == Label::Widget || label == Label::Nav, "{}: {label}", gold.id);
        }
    }
}

#[test]
fn a_page_in_windows_1256_gives_arabic() {
    let page = "data/labelled/ar-cp1256.html";
    assert!(std::str::from_utf8(&fs::read(page).unwrap()).is_err());
    let text = extract(page, &[]);
    assert!(text.starts_with("بدأت أمانة العاصمة صنعاء أمس أعمال ترميم 40 منزلا"), "{text}");
    assert!(!text.contains('\u{fffd}'));
}

#[test]
fn json_labels_every_block_and_markdown_has_the_headings() {
    let gold = labelled_pages().into_iter().find(|gold| gold.id == "ar-maghreb-interview.html").unwrap();
    let page = "data/labelled/ar-maghreb-interview.html";
    let row: Document = serde_json::from_str(&extract(page, &["--format", "json"])).unwrap();
    let blocks = row.blocks.unwrap();
    let texts: Vec<&str> = blocks.iter().map(|block| &*block.text).collect();
    assert_eq!(texts, labelled_blocks(&gold).iter().map(|(_, text)| &**text).collect::<Vec<_>>());
    assert!(blocks.iter().all(|block| (0.0..=1.0).contains(&block.p)) && (0.0..=1.0).contains(&row.score));
    let body: String = blocks.iter().filter(|b| b.label == Label::Body).map(|b| squeezed(&b.text)).collect();
    assert_eq!(squeezed(&row.text), body);
    assert_eq!((row.id.as_str(), row.error), (page, None));
    assert!(row.lang.is_some_and(|lang| lang.starts_with("ar")));

    let markdown = extract(page, &["--format", "md", "--keep", "headline,body"]);
    assert!(markdown.starts_with("# "), "{markdown}");
    assert!(
        markdown.contains("\n- أولا، الخطارة لا تستهلك طاقة") || markdown.contains("\n1. أولا، الخطارة"),
        "{markdown}"
    );
}

#[test]
fn scrapes_give_the_same_articles_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let apply = |args: &[&str]| {
        let mut apply = lubb();
        apply.arg("apply").args(SCRAPES).args(["--quiet", "--out"]).arg(folder.path().join(args[0])).args(&args[1..]);
        apply.assert().success().stdout(is_empty()).stderr(is_empty());
    };
    apply(&["out.jsonl"]);
    apply(&["out.csv"]);
    apply(&["texts", "--format", "txt"]);
    let rows = documents(&fs::read(folder.path().join("out.jsonl")).unwrap());
    assert_eq!(rows.len(), 16);
    for row in &rows {
        assert!(row.error.is_none() && row.text.chars().count() > 500 && row.score > 0.3, "{}: {row:?}", row.id);
        for menu in ["الرئيسية", "رياضة", "Sport", "Home", "Accueil", "تسجيل الدخول"] {
            assert!(!row.text.lines().any(|line| line == menu), "{}: '{menu}' in the text", row.id);
        }
    }
    let found = rows.iter().find(|row| row.id.ends_with("article-1001.html")).unwrap();
    assert_eq!(found.title.as_deref(), Some("إعادة تشغيل محطة ضخ عين البيضا تعيد المياه إلى أحياء شرق حلب"));
    assert_eq!(found.date.as_deref(), Some("2024-03-12T10:25:00+03:00"));
    assert_eq!(found.site_name.as_deref(), Some("مرصد بلاد الشام"));
    assert!(found.text.contains("برنامج تقنين مؤقت") && found.text.ends_with("الكهرباء ونقص قطع الغيار."));
    assert!(!found.text.contains("خطة لحفر اثنتي عشرة بئراً") && !found.text.contains("كلمات مفتاحية"));

    let mut csv = csv::Reader::from_path(folder.path().join("out.csv")).unwrap();
    let header = csv.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|column| column == name).unwrap();
    let records: Vec<csv::StringRecord> = csv.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), rows.len());
    for (record, row) in records.iter().zip(&rows) {
        assert_eq!((&record[column("id")], &record[column("text")]), (row.id.as_str(), row.text.as_str()));
        assert_eq!(&record[column("date")], row.date.as_deref().unwrap_or_default());
    }
    let files = walkdir::WalkDir::new(folder.path().join("texts")).into_iter().map(Result::unwrap);
    let mut texts: Vec<String> = files
        .filter(|e| e.path().extension().is_some_and(|ending| ending == "txt"))
        .map(|e| fs::read_to_string(e.path()).unwrap())
        .collect();
    let mut expected: Vec<String> = rows.iter().map(|row| row.text.clone() + "\n").collect();
    texts.sort();
    expected.sort();
    assert_eq!(texts, expected);
}

#[test]
fn two_jobs_write_what_one_does() {
    let apply = |jobs: &str| {
        let mut apply = lubb();
        apply.args(["apply", "data", SCRAPES[1], "--out", "-", "--format", "jsonl"]);
        apply.args(["--markdown", "--blocks", "--quiet", "--jobs", jobs]);
        apply.assert().success().get_output().stdout.clone()
    };
    let one = apply("1");
    let is_page = |path: &std::path::Path| path.extension().is_some_and(|e| e == "html" || e == "txt" || e == "gz");
    let files =
        walkdir::WalkDir::new("data").into_iter().filter(|entry| is_page(entry.as_ref().unwrap().path())).count();
    let records = fs::read_to_string(SCRAPES[1]).unwrap().lines().count();
    assert!(records > 1 && documents(&one).len() == files + records, "{} rows of {files} files", documents(&one).len());
    assert!(one == apply("2"), "the number of jobs shows in the output");
}

#[test]
fn inspect_reads_a_page_as_extract_does() {
    let page = encoding_rs::WINDOWS_1256.encode("<p>سلام").0.into_owned();
    let mut inspect = lubb();
    inspect.args(["inspect", "-", "--charset", "windows-1256", "--url", "https://example.org/a"]).write_stdin(page);
    inspect.assert().success().stdout(contains("decoded from windows-1256").and(contains("سلام")));
    lubb().args(["inspect", "-", "--charset", "klingon"]).assert().code(2).stderr(contains("klingon"));
}

#[test]
fn labels_without_their_pages_say_how_to_name_these() {
    let folder = tempfile::tempdir().unwrap();
    let labels = folder.path().join("labels.csv");
    fs::copy("data/walkthrough/labels.csv", &labels).unwrap();
    let mut evaluate = lubb();
    evaluate.arg("evaluate").arg("--gold").arg(&labels).arg("--out").arg(folder.path().join("report"));
    evaluate.assert().code(2).stderr(contains("without --pages"));
}

#[test]
fn inspect_shows_every_block_and_why() {
    let page = "data/labelled/ar-iraq-comments.html";
    let gold = labelled_pages().into_iter().find(|gold| page.ends_with(&gold.id)).unwrap();
    let blocks = labelled_blocks(&gold);
    let inspect = |args: &[&str]| {
        let output = lubb().args(["inspect", page]).args(args).assert().success().get_output().stdout.clone();
        String::from_utf8(output).unwrap().lines().map(str::to_owned).collect::<Vec<String>>()
    };
    let lines = inspect(&["--full"]);
    assert!(lines[0].contains(&format!("{} blocks", blocks.len())), "{}", lines[0]);
    assert_eq!(lines.len(), blocks.len() + 1);
    for (at, ((_, text), line)) in blocks.iter().zip(&lines[1..]).enumerate() {
        assert!(line.trim_start().starts_with(&format!("{at} ")) && line.ends_with(&text.replace('\n', " ")), "{line}");
    }
    let of_label = |label: &str, lines: &[String]| {
        lines.iter().skip(1).filter(|line| line.split_whitespace().nth(1) == Some(label)).count()
    };
    let comments = inspect(&["--label", "comment"]);
    assert!(comments.len() > 10);
    assert_eq!((comments.len() - 1, comments.len() - 1), (of_label("comment", &comments), of_label("comment", &lines)));

    let why = inspect(&["--why", "--top", "3", "--model", SMALL.model().to_str().unwrap()]);
    assert_eq!(why.len(), 1 + 4 * blocks.len());
    for reasons in why[1..].chunks(4) {
        let shares =
            reasons[1..].iter().map(|line| line.split_whitespace().next().unwrap().parse::<f32>().unwrap().abs());
        assert!(shares.collect::<Vec<_>>().is_sorted_by(|a, b| a >= b), "{reasons:?}");
        assert!(reasons[1..].iter().all(|line| line.contains(" = ")), "{reasons:?}");
    }
}

#[test]
fn training_gives_the_same_model_with_any_number_of_threads() {
    assert!(
        SMALL.said.contains("out of fold by host")
            && SMALL.said.contains(&format!("training on {LABELLED_COUNT} pages")),
        "{}",
        SMALL.said
    );
    let again = SMALL.folder.path().join("again.lubb");
    train(&again, "1", &[]);
    assert!(fs::read(SMALL.model()).unwrap() == fs::read(again).unwrap(), "the models differ");
}

#[test]
fn the_last_stage_is_the_mean_of_as_many_models_as_are_asked_for() {
    let size = |model: &Path| fs::metadata(model).unwrap().len();
    let single = SMALL.folder.path().join("single.lubb");
    train(&single, "2", &["--bags", "1"]);
    // Trees of one stage of three twice more, beside lexicon, head and the rest.
    let (one, three) = (size(&single), size(&SMALL.model()));
    assert!(three > one && three < 2 * one, "{one} and {three} bytes");
    let text = extract("data/labelled/ar-iraq-comments.html", &["--model", single.to_str().unwrap()]);
    assert!(text.contains("أعلنت بلدية البصرة"), "{text}");
}

#[test]
fn pages_are_learned_from_a_second_time_with_bare_markup_if_asked_for() {
    let model = SMALL.folder.path().join("bare.lubb");
    let said = train(&model, "2", &["--bare", "2"]);
    let after = |text: &str, mark: &str| {
        let rest = text.split_once(mark).map(|(_, rest)| rest.to_owned());
        rest.and_then(|rest| rest.split_whitespace().next().and_then(|number| number.parse::<f64>().ok()))
    };
    // Every second page, but those whose copy would be cut otherwise.
    let copies = after(&said, "pages, ").unwrap() / LABELLED_COUNT as f64;
    assert!((0.43..=0.505).contains(&copies), "{said}");
    assert!(after(&said, "bare, out of fold: word F1 ").unwrap() > 0.3, "{said}");
    assert!(SMALL.said.contains(" 0 bare ones") && !SMALL.said.contains("bare, out of fold"), "{}", SMALL.said);
    assert!(fs::read(SMALL.model()).unwrap() != fs::read(model).unwrap(), "the copies changed nothing");
}

#[test]
fn a_trained_model_serves_every_command() {
    let model = SMALL.model();
    let model = model.to_str().unwrap();
    let page = "data/labelled/ar-iraq-comments.html";
    let text = extract(page, &["--model", model]);
    assert!(text.contains("أعلنت بلدية البصرة") && !text.contains("عبد الزهرة الخالدي"), "{text}");
    let flat = "data/scrapes/flat/001_tram-casablanca.txt";
    lubb().args(["extract", flat, "--model", model]).assert().code(1).stderr(contains("train without --no-flat"));
    lubb().args(["inspect", flat, "--model", model]).assert().code(2).stderr(contains("train without --no-flat"));
    let mut card = lubb();
    card.args(["inspect", "--card", "--model", model])
        .assert()
        .success()
        .stdout(contains(format!("labelled: {LABELLED_COUNT} pages")));
    card.assert().stdout(contains("Written for lubb"));
    let out = SMALL.folder.path().join("report");
    let mut evaluate = lubb();
    evaluate.args(["evaluate", "--gold", LABELLED, "--model", model, "--out"]).arg(&out).assert().success();
    assert!(summary(&out).sets[0].means.f1 > 0.8, "on the very pages it was trained on");
}

fn summary(report: &Path) -> Summary {
    serde_json::from_slice(&fs::read(report.join("summary.json")).unwrap()).unwrap()
}

/// A column of a CSV as numbers.
fn column(file: &Path, name: &str) -> Vec<f64> {
    let mut csv = csv::Reader::from_path(file).unwrap();
    let at = csv.headers().unwrap().iter().position(|header| header == name).unwrap();
    csv.records().map(|record| record.unwrap()[at].parse().unwrap()).collect()
}

#[test]
fn evaluation_writes_figures_that_agree() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("report");
    let mut evaluate = lubb();
    evaluate.args(["evaluate", "--gold", LABELLED, "--out"]).arg(&out);
    evaluate.assert().success().stdout(contains("label comment"));
    let tables =
        ["calibration", "changed", "comparison", "confusion", "curve", "distribution", "groups", "labels", "pages"];
    let mut files: Vec<String> = tables.iter().map(|name| format!("{name}.csv")).collect();
    files.extend(["report.html", "report.json", "summary.json"].map(str::to_owned));
    assert_eq!(listing(&out), files);
    let of_model = summary(&out);
    let set = &of_model.sets[0];
    assert_eq!((set.pages, set.failed, set.unmatched_labels), (LABELLED_COUNT, 0, 0));
    assert!((0.8..=1.0).contains(&set.means.f1), "{}", set.means.f1);
    let [low, high] = set.f1_95.unwrap();
    assert!(low <= set.means.f1 && set.means.f1 <= high && low < high);
    let pages = column(&out.join("pages.csv"), "f1");
    assert_eq!(pages.len(), LABELLED_COUNT);
    assert!((pages.iter().sum::<f64>() / LABELLED_COUNT as f64 - set.means.f1).abs() < 1e-9);
    let labelled = csv::Reader::from_path(format!("{LABELLED}/labels.csv")).unwrap().into_records().count() as u64;
    assert_eq!(set.confusion.iter().flatten().sum::<u64>(), labelled);
    assert_eq!(column(&out.join("confusion.csv"), "blocks").iter().sum::<f64>() as u64, labelled);
    assert_eq!(column(&out.join("labels.csv"), "f1").len(), Label::COUNT);

    // The same texts from a file score the same.
    let texts = folder.path().join("texts.jsonl");
    lubb().args(["apply", LABELLED, "--quiet", "--out"]).arg(&texts).assert().success();
    let again = folder.path().join("again");
    let evaluate = |texts: &Path, out: &Path| {
        lubb().args(["evaluate", "--gold", LABELLED, "--predictions"]).arg(texts).arg("--out").arg(out).assert()
    };
    evaluate(&texts, &again).success().stdout(contains("label ").not());
    assert_eq!(summary(&again).sets[0].means, set.means);
    assert!(summary(&again).sets[0].labels.is_empty(), "nothing is known of the labels of a text");
    // With its labels in the file, these score the same, too.
    lubb().args(["apply", LABELLED, "--quiet", "--blocks", "--out"]).arg(&texts).assert().success();
    evaluate(&texts, &again).success().stdout(contains("label comment"));
    assert_eq!(summary(&again).sets[0].labels, set.labels);

    // The references themselves are right; a page that is left out counts as empty.
    let body = |blocks: Vec<(Label, String)>| -> Vec<String> {
        blocks.into_iter().filter(|(label, _)| *label == Label::Body).map(|(_, text)| text).collect()
    };
    let golds = labelled_pages();
    // Their names as a tool may give them that read other copies of the pages.
    let rows = golds.iter().filter(|gold| gold.id != "ar-sports.html").enumerate().map(|(at, gold)| {
        let id = if at % 2 == 0 { gold.id.replace(".html", "") } else { format!("html/{}.gz", gold.id) };
        serde_json::json!({ "id": id, "text": body(labelled_blocks(gold)).join("\n") }).to_string() + "\n"
    });
    fs::write(&texts, rows.collect::<String>()).unwrap();
    evaluate(&texts, &again)
        .success()
        .stderr(contains(format!("1 of {LABELLED_COUNT} labelled pages have no prediction")));
    let right = summary(&again);
    assert!((right.sets[0].means.f1 - (1.0 - 1.0 / LABELLED_COUNT as f64)).abs() < 1e-9, "{}", right.sets[0].means.f1);
    assert_eq!(right.sets[0].empty, 21, "that page, and the 20 without an article");
    // A line that cannot be read costs its page, as in labelled pages; ids of no labelled page are not counted.
    let more = "{\"id\": \"elsewhere\"}\n{\"id\": \"ar-sports\", \"te\n{\"id\": \"en-news\"}\n{\"id\": \"\u{ff}\"}\n";
    let all = fs::read_to_string(&texts).unwrap();
    let others = all.lines().filter(|row| !row.contains("en-news.html") && !row.contains("\"en-news\""));
    let mut bytes = others.map(|row| format!("{row}\n")).collect::<String>().into_bytes();
    bytes.extend(more.chars().map(|c| c as u8));
    fs::write(&texts, bytes).unwrap();
    evaluate(&texts, &again)
        .success()
        .stderr(contains(format!("left out: {}, line {LABELLED_COUNT}: ", texts.display())))
        .stderr(contains("texts.jsonl, line ").count(2))
        .stderr(contains(format!("1 of {LABELLED_COUNT} labelled pages have no prediction")))
        .stderr(contains(format!("1 of {} predictions have no text", LABELLED_COUNT - 1)));
    fs::write(&texts, "{\"id\": \"elsewhere\", \"text\": \"a\"}\n").unwrap();
    evaluate(&texts, &folder.path().join("none")).code(2).stderr(contains("none of its ids"));
    fs::write(&texts, "{\"id\": \"a\"}\n{\"text\": 1}\n").unwrap();
    evaluate(&texts, &folder.path().join("none")).code(2).stderr(contains("texts.jsonl, line 2"));
    fs::write(&texts, "{\"id\": \"ar-sports\", \"content\": \"a\"}\n").unwrap();
    evaluate(&texts, &folder.path().join("none")).code(2).stderr(contains("no record has a text"));
    fs::write(&texts, "{\"id\": \"a\", \"text\": \"a\"}\n".repeat(2)).unwrap();
    evaluate(&texts, &folder.path().join("none")).code(2).stderr(contains("line 2: the id 'a' is there twice"));
    assert!(!folder.path().join("none").exists());
}

#[test]
fn no_output_takes_the_place_of_labels() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("pages");
    fs::create_dir(&pages).unwrap();
    for page in ["de-news.html", "en-news.html", "es-news.html"] {
        fs::copy(format!("{LABELLED}/{page}"), pages.join(page)).unwrap();
    }
    let all = fs::read_to_string(format!("{LABELLED}/labels.csv")).unwrap();
    let wanted =
        |row: &&str| ["page,", "de-news.html,", "en-news.html,", "es-news.html,"].iter().any(|p| row.starts_with(p));
    let labels: String = all.lines().filter(wanted).map(|row| format!("{row}\n")).collect();
    let (csv, gold) = (pages.join("labels.csv"), pages.to_str().unwrap());
    fs::write(&csv, &labels).unwrap();
    let [csv_name, model] = [&csv, &folder.path().join("m.lubb")].map(|path| path.to_str().unwrap().to_owned());
    let before = listing(folder.path());
    for args in [
        &["evaluate", "--gold", gold, "-o", gold][..],
        &["evaluate", "--gold", &csv_name, "-o", gold],
        &["adapt", "--gold", gold, "-o", &csv_name],
        &["adapt", "--gold", gold, "-o", &model, "--report", gold],
        &["adapt", "--gold", gold, "-o", &model, "--predictions", &csv_name],
        &["train", "--gold", gold, "-o", &model, "--report", gold],
        &["features", "--gold", gold, "-o", &csv_name],
    ] {
        lubb().args(args).assert().code(2).stderr(contains("holds the labels that are read"));
        assert_eq!(fs::read_to_string(&csv).unwrap(), labels, "{args:?}");
    }
    assert_eq!(listing(folder.path()), before);
}

#[test]
fn labels_of_a_page_that_changed_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let page = fs::read_to_string(format!("{LABELLED}/en-news.html")).unwrap();
    let all = fs::read_to_string(format!("{LABELLED}/labels.csv")).unwrap();
    let of_page = |row: &&str| row.starts_with("page,") || row.starts_with("en-news.html,");
    fs::write(path("labels.csv"), all.lines().filter(of_page).map(|row| format!("{row}\n")).collect::<String>())
        .unwrap();
    let evaluate = || {
        let mut evaluate = lubb();
        evaluate.arg("evaluate").arg("--gold").arg(folder.path()).arg("-o").arg(path("report")).assert()
    };
    fs::write(path("en-news.html"), &page).unwrap();
    evaluate().success().stderr(contains("fit no block").not());
    fs::write(path("en-news.html"), page.replace("<h1", "<h1>Changed</h1><h1").replacen("the", "a", 40)).unwrap();
    evaluate().stderr(contains("labels fit no block; the page has changed since, label it anew"));
}

#[test]
fn a_page_that_is_labelled_twice_is_one_page_and_pages_of_one_site_stay_together() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    // By hand, and by a rule that says something of every block.
    fs::write(path("rules.toml"), "[[rule]]\nhost = \"*\"\nselect = \"body\"\nlabel = \"nav\"\n").unwrap();
    let mut adapt = lubb();
    adapt.args(["adapt", "--gold", "data/walkthrough/labels.csv", "--pages", "data/walkthrough/pages"]);
    adapt.args(["--rules", &path("rules.toml"), "--rounds", "5", "-o", &path("m.lubb")]);
    adapt.assert().success().stdout(contains("adapted to 10 pages, 10 of them new"));

    // Four pages of one site without an address beside the label; each says itself where it is from.
    fs::create_dir(path("site")).unwrap();
    let article = "The council decided on Tuesday that the old bridge over the river will be rebuilt within two years.";
    let mut gold = String::new();
    for at in 0..4 {
        let head = format!("<link rel=canonical href='https://www.bridge.example/{at}'>");
        let html = format!("{head}<h1>Bridge {at}</h1><p>{article} {at}</p><ul><li><a href=/>Home</a></ul>");
        gold += &(serde_json::json!({ "id": at.to_string(), "html": html, "text": format!("{article} {at}") })
            .to_string()
            + "\n");
    }
    fs::write(path("site/gold.jsonl"), gold).unwrap();
    let mut train = lubb();
    train.args(["train", "--gold", &path("site"), "-o", &path("n.lubb")]);
    train.assert().code(2).stderr(contains("4 labelled pages in 1 folds of hosts"));
}

#[test]
fn rules_for_a_part_of_pages_are_counted_and_give_no_empty_report() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let rule = |label: &str| format!("[[rule]]\nhost = \"*\"\nselect = \"h1\"\nlabel = \"{label}\"\n");
    fs::write(path("rules.toml"), rule("body") + &rule("nav")).unwrap();
    let pages = "data/walkthrough/pages";
    let check = lubb().args(["rules", "check", &path("rules.toml"), pages]).output().unwrap();
    let said = String::from_utf8(check.stdout).unwrap();
    let number = |before: &str| -> usize {
        let after = said.split_once(before).unwrap_or_else(|| panic!("{said}")).1;
        after.split_whitespace().next().unwrap().parse().unwrap()
    };
    let (conflicts, body) = (number("conflicts: "), number("-> body\n"));
    assert!(conflicts >= 10 && body >= 10, "{said}");
    let shown = said.lines().filter(|line| line.contains("body by line 1, not nav by line 5")).count();
    assert_eq!(shown, 10);
    assert_eq!(said.contains("more\n"), conflicts > 10, "{said}");
    let mut adapt = lubb();
    adapt.args(["adapt", "--rules", &path("rules.toml"), "--pages", pages, "--rounds", "5", "-o", &path("m.lubb")]);
    let output =
        adapt.assert().success().stderr(contains("10 of 10 pages have labels for a part")).get_output().clone();
    let said = String::from_utf8(output.stdout).unwrap();
    let row: Vec<&str> = said.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(row[3], body.to_string(), "{said}");
    assert!(said.contains("there are no figures, as none has labels for all of its text"), "{said}");
    assert!(!said.contains("F1 95 %") && !said.contains("0 pages better"), "{said}");
}

#[test]
fn bad_models_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let good = fs::read("models/default.lubb").unwrap();
    let changed = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    let cases = [
        ("empty.lubb", Vec::new(), "not a lubb model"),
        ("text.lubb", b"a text, and no model at all\n".to_vec(), "not a lubb model"),
        ("mark.lubb", changed(3), "not a lubb model"),
        ("header.lubb", good[..20].to_vec(), "cut short"),
        ("cut.lubb", good[..good.len() - 1].to_vec(), "cut short"),
        ("half.lubb", good[..good.len() / 2].to_vec(), "cut short"),
        ("longer.lubb", [&good[..], b"\0"].concat(), "damaged"),
        ("flipped.lubb", changed(good.len() / 2), "damaged"),
        ("checksum.lubb", changed(24), "damaged"),
        ("version.lubb", changed(8), "file version"),
        ("schema.lubb", changed(12), "other features"),
    ];
    let page = "data/labelled/ar-cp1256.html";
    let refused = |name: &str, args: &[&str], why: &str| {
        let model = folder.path().join(name);
        let assert = lubb().args(args).arg("--model").arg(&model).assert().code(2).stdout(is_empty());
        assert.stderr(contains(model.to_str().unwrap()).and(contains(why)).and(contains("panicked").not()));
    };
    for (name, bytes, why) in &cases {
        fs::write(folder.path().join(name), bytes).unwrap();
        refused(name, &["extract", page], why);
    }
    for name in ["flipped.lubb", "nowhere.lubb"] {
        let out = folder.path().join("out.jsonl");
        let out = out.to_str().unwrap();
        let why = if name == "nowhere.lubb" { "No such file" } else { "damaged" };
        refused(name, &["inspect", page], why);
        refused(name, &["inspect", "--card"], why);
        refused(name, &["apply", "data/scrapes", "--out", out], why);
        refused(name, &["evaluate", "--gold", LABELLED, "--out", out], why);
    }
    assert_eq!(listing(folder.path()).len(), cases.len(), "nothing is left behind: {:?}", listing(folder.path()));
}

/// The model of the program, adapted to the ten pages of the walk-through.
fn adapted(out: &Path, threads: &str, gold: &[&str]) -> (String, String) {
    let mut adapt = lubb();
    adapt.args(["adapt", "--gold", "data/walkthrough/labels.csv"]).args(gold);
    adapt.args(["--pages", "data/walkthrough/pages", "--attribution", "Written for a site", "--out"]);
    let output = adapt.arg(out).env("RAYON_NUM_THREADS", threads).assert().success().get_output().clone();
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn adapting_gives_the_same_model_with_any_number_of_threads_and_says_what_it_gained() {
    let folder = tempfile::tempdir().unwrap();
    let [model, again] = ["site.lubb", "again.lubb"].map(|name| folder.path().join(name));
    let (said, noted) = adapted(&model, "2", &[]);
    adapted(&again, "1", &[]);
    assert!(fs::read(&model).unwrap() == fs::read(again).unwrap(), "the models differ");
    assert!(said.contains("adapted to 10 pages, 10 of them new to the model"), "{said}");
    let gained = said.lines().find(|line| line.starts_with("F1 ")).unwrap();
    let figures: Vec<f64> = gained.split([' ', ',']).filter_map(|word| word.parse().ok()).take(2).collect();
    assert!(figures[0] > 0.95 && figures[1] < 0.7, "{said}");
    assert!(said.contains("10 pages better, 0 worse, 0 the same"), "{said}");
    assert!(noted.contains("trained on none of these pages"), "{noted}");

    let model = model.to_str().unwrap();
    let evaluated = |labels: &str, pages: &str| {
        let mut evaluate = lubb();
        evaluate.args(["evaluate", "--gold", labels, "--pages", pages, "--model", model, "--out"]);
        evaluate.arg(folder.path().join("report")).assert().success()
    };
    let remembers = "note: site.lubb was trained on 10 of these 10 pages";
    evaluated("data/walkthrough/labels.csv", "data/walkthrough/pages").stderr(contains(remembers));
    evaluated("data/walkthrough/held-out.csv", "data/walkthrough/held-out").stderr(is_empty());

    let page = "data/walkthrough/held-out/48220.html";
    let plea = "صحيفة مستقلة يملكها محرروها";
    assert!(extract(page, &[]).contains(plea) && !extract(page, &["--model", model]).contains(plea));
    let mut card = lubb();
    card.args(["inspect", "--card", "--model", model]).assert().success().stdout(contains("news-en: 346 pages"));
    card.assert().stdout(contains("adapted to:\n  walkthrough: 10 pages").and(contains("Written for a site")));
    lubb().args(["inspect", "--card"]).assert().success().stdout(contains("adapted to").not());
    // Adapted anew and not twice: the same again.
    let twice = folder.path().join("twice.lubb");
    let mut adapt = lubb();
    adapt.args(["adapt", "--gold", "data/walkthrough/labels.csv", "--pages", "data/walkthrough/pages"]);
    let forgotten = contains("note: site.lubb was adapted to 10 pages; it is adapted anew");
    let anew = adapt.args(["--attribution", "Written for a site", "--model", model, "--out"]).arg(&twice).assert();
    anew.success().stderr(forgotten).stdout(contains("the model before any adaptation"));
    assert!(fs::read(model).unwrap() == fs::read(twice).unwrap(), "an adaptation was adapted");
}

#[test]
fn an_adaptation_that_cannot_be_done_says_why_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::create_dir(path("flat")).unwrap();
    fs::write(path("flat/a.txt"), "Home\nThe harbour opens again on Monday, the mayor said.\n").unwrap();
    fs::write(path("flat/a.lines.tsv"), "line\tlabel\n1\tnav\n2\tbody\n").unwrap();
    let refused = |gold: &str, out: &str, why: &str| {
        let mut adapt = lubb();
        adapt.args(["adapt", "--gold", gold, "--out", &path(out)]);
        adapt.assert().code(2).stderr(contains(why).and(contains("panicked").not()));
    };
    refused(&path("nowhere"), "m.lubb", "nowhere");
    refused(
        LABELLED,
        "m.lubb",
        &format!("0 labelled pages that the model was not trained on, and {LABELLED_COUNT} that"),
    );
    refused(&path("flat"), "m.lubb", "1 labelled pages of flattened text that the model was not trained on");
    refused(LABELLED, "no/such/folder/m.lubb", "no/such/folder/m.lubb");
    refused(LABELLED, "flat", "writing the model");
    let mut adapt = lubb();
    adapt.args(["adapt", "--gold", LABELLED, "--model", "README.md", "--out", &path("m.lubb")]);
    adapt.assert().code(2).stderr(contains("README.md").and(contains("not a lubb model")));
    assert_eq!(listing(folder.path()), ["flat"]);
}

#[test]
fn training_that_cannot_be_done_says_why_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for name in ["empty", "two", "three"] {
        fs::create_dir(path(name)).unwrap();
    }
    let labels = fs::read_to_string(format!("{LABELLED}/labels.csv")).unwrap();
    for (name, pages) in
        [("two", &["de-news.html", "en-news.html"][..]), ("three", &["de-news.html", "en-news.html", "es-news.html"])]
    {
        let rows =
            labels.lines().enumerate().filter(|(at, row)| *at == 0 || pages.iter().any(|page| row.starts_with(page)));
        fs::write(path(&format!("{name}/labels.csv")), rows.map(|(_, row)| format!("{row}\n")).collect::<String>())
            .unwrap();
        for page in pages {
            fs::copy(format!("{LABELLED}/{page}"), path(&format!("{name}/{page}"))).unwrap();
        }
    }
    let refused = |gold: &str, out: &str, why: &str| {
        let mut train = lubb();
        train.args(["train", "--folds", "3", "--rounds", "1", "--rows", "200", "--no-flat"]);
        train.args(["--gold", &path(gold), "--out", &path(out)]);
        train.assert().code(2).stderr(contains(why).and(contains("panicked").not()));
    };
    refused("nowhere", "m.lubb", "nowhere");
    refused("empty", "m.lubb", "no labelled pages");
    refused("two", "m.lubb", "training needs pages of at least 3 hosts");
    refused("three", "no/such/folder/m.lubb", "no/such/folder/m.lubb");
    refused("three", "three", "writing the model");
    lubb().args(["train", "--gold", LABELLED]).assert().code(2).stderr(contains("--out"));
    assert_eq!(listing(folder.path()), ["empty", "three", "two"]);

    let file = path("three/labels.csv");
    let mut evaluate = lubb();
    evaluate.args(["evaluate", "--gold", &path("three"), "--out", &file]).assert().code(2).stderr(contains(file));
}

/// Few pages, trees and rows: what comes of it labels badly, but with all its parts.
#[test]
fn trainings_with_every_part_left_out_give_models_that_label() {
    let folder = tempfile::tempdir().unwrap();
    let pages =
        ["ar-gulf-portal", "de-news", "en-news", "es-news", "ar-obituary", "ar-opinion-registry", "ar-iraq-comments"];
    let all = fs::read_to_string(format!("{LABELLED}/labels.csv")).unwrap();
    let wanted =
        |row: &&str| row.starts_with("page,") || pages.iter().any(|page| row.starts_with(&format!("{page}.html,")));
    let gold = folder.path().join("labels.csv");
    fs::write(&gold, all.lines().filter(wanted).map(|row| format!("{row}\n")).collect::<String>()).unwrap();
    let model = folder.path().join("m.lubb");
    let flat = "data/scrapes/flat/001_tram-casablanca.txt";
    for (flags, has_flat) in [
        (&["--classifier", "logistic", "--stages", "1"][..], true),
        (&["--classifier", "boost", "--bags", "1", "--bare", "2"], true),
        (&["--without", "wording,stage-one,head,decision", "--fold-by", "group"], true),
        (&["--no-flat", "--stages", "2"], false),
    ] {
        let mut train = lubb();
        train.arg("train").arg("--gold").arg(&gold).args(["--pages", LABELLED, "--folds", "3", "--rounds", "2"]);
        train.args(["--rows", "300", "--out"]).arg(&model).args(flags);
        train.assert().success().stdout(contains("training on 7 pages").and(contains("\n  label body ")));
        let blocks = |page: &str| {
            let mut extract = lubb();
            let output = extract.args(["extract", page, "--format", "json", "--model"]).arg(&model).output().unwrap();
            serde_json::from_slice::<lubb::Document>(&output.stdout)
                .map(|document| document.blocks.map_or(0, |b| b.len()))
        };
        assert!(blocks(&format!("{LABELLED}/en-news.html")).unwrap() > 10, "{flags:?}");
        assert_eq!(blocks(flat).unwrap() > 10, has_flat, "{flags:?}");
    }
}
