use std::io::Write;

use super::*;
use crate::gold::typed::{block_labels, resolve};

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        if name.ends_with(".gz") {
            let mut gz = flate2::write::GzEncoder::new(std::fs::File::create(path).unwrap(), Default::default());
            gz.write_all(content.as_bytes()).unwrap();
            gz.finish().unwrap();
        } else {
            std::fs::write(path, content).unwrap();
        }
    }
    dir
}

fn problems(set: &GoldSet) -> Vec<String> {
    set.problems.iter().map(|problem| problem.to_string()).collect()
}

#[test]
fn wcxb_is_read_with_its_split_and_what_is_broken_is_listed() {
    let truth = r#"{"url": "https://www.shop.example/x", "_internal": {"page_type": {"primary": "category"}},
        "ground_truth": {"title": "T", "author": null, "publish_date": "2025-01-02", "main_content": "One.",
        "with": ["One"], "without": ["Menu"]}}"#;
    let dir = folder(&[
        ("dev/ground-truth/1.json", truth),
        ("dev/ground-truth/2.json", "{\n\"url\": "),
        ("dev/ground-truth/3.json", r#"{"ground_truth": {"main_content": null}}"#),
        ("dev/html/1.html.gz", "<p>One.</p>"),
    ]);
    let set = read(dir.path()).unwrap();
    assert!(set.name.ends_with("-dev"), "{}", set.name);
    let [page] = &set.pages[..] else { panic!("{:?}", set.pages) };
    assert_eq!(
        (page.id.as_str(), page.host.as_str(), page.group.as_deref()),
        ("1", "shop.example", Some("collection"))
    );
    assert_eq!((page.date.as_deref(), page.words), (Some("2025-01-02"), WordRule::Plain));
    assert_eq!(page.reference, Reference::Text("One.".to_owned()));
    assert_eq!(page.load().unwrap(), b"<p>One.</p>");
    let problems = problems(&set);
    assert!(problems[0].contains("2.json, line 2"), "{problems:?}");
    assert!(problems[1].contains("'3'") && problems[1].contains("html/3.html.gz"), "{problems:?}");
    std::fs::create_dir_all(dir.path().join("test/html")).unwrap();
    std::fs::create_dir_all(dir.path().join("test/ground-truth")).unwrap();
    assert!(matches!(read(dir.path()), Err(GoldError::TwoSplits(_))));
}

#[test]
fn aeb_is_read() {
    let dir = folder(&[
        ("ground-truth.json", r#"{"b": {"articleBody": "B.", "url": "http://b.example/"}, "a": {"articleBody": ""}}"#),
        ("html/a.html", "<p>A</p>"),
        ("html/b.html.gz", "<p>B.</p>"),
    ]);
    let set = read(dir.path()).unwrap();
    assert_eq!(set.pages.iter().map(|p| p.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(set.pages[0].host, format!("{}/a", set.name));
    assert_eq!(set.pages[1].page().unwrap().text, "B.\n");
}

#[test]
fn jsonl_takes_pages_inline_by_path_and_by_id() {
    let rows = [
        r#"{"id": "a", "html": "<p>A.</p>", "text": "A.", "lang": "ar"}"#,
        "",
        r#"{"path": "flat/b.txt", "text": "B."}"#,
        r#"{"id": "c", "text": "C.", "with": ["C"]}"#,
        r#"{"id": "a", "html": "", "text": ""}"#,
        r#"{"id": "d", "text": "D."}"#,
        r#"{"id": "e"}"#,
    ];
    let dir = folder(&[("gold.jsonl", &rows.join("\r\n")), ("flat/b.txt", "B."), ("html/c.html", "<p>C.")]);
    let set = read(dir.path()).unwrap();
    assert_eq!(set.pages.iter().map(|p| p.id.as_str()).collect::<Vec<_>>(), ["a", "flat/b.txt", "c"]);
    assert_eq!(set.pages[1].input, Input::Text);
    assert_eq!(set.pages[2].page().unwrap().text, "C.\n");
    let problems = problems(&set);
    assert!(problems[0].contains("line 5") && problems[0].contains("'a'"), "{problems:?}");
    assert!(problems[1].contains("'d'"), "{problems:?}");
    assert!(problems[2].contains("line 7") && problems[2].contains("text"), "{problems:?}");
}

#[test]
fn a_set_with_nothing_usable_is_an_error_that_says_why() {
    let dir = folder(&[("gold.jsonl", r#"{"id": "d", "text": "D."}"#)]);
    let message = read(dir.path()).unwrap_err().to_string();
    assert!(message.contains("none of its 1 records") && message.contains("html/d.html"), "{message}");
    assert!(matches!(read(folder(&[("gold.jsonl", "\n")]).path()), Err(GoldError::Empty(_))));
    assert!(matches!(read(folder(&[("notes.md", "")]).path()), Err(GoldError::UnknownLayout(_))));
    assert!(matches!(read("there/is/no/such/folder"), Err(GoldError::Io { .. })));
}

#[test]
fn line_labels_are_put_on_the_lines_of_their_numbers() {
    let dir =
        folder(&[("p.txt", "Menu\n\nHeadline\nText."), ("p.lines.tsv", "line\tlabel\n3\theadline\n4\tbody\n9\tnav\n")]);
    let page = &read(dir.path()).unwrap().pages[0];
    let resolved = block_labels(&page.page().unwrap(), &page.reference).unwrap();
    assert_eq!(resolved.labels, [None, Some(Label::Headline), Some(Label::Body)]);
    assert_eq!(resolved.unmatched, 1);
    let bad = folder(&[("p.txt", "Menu"), ("p.lines.tsv", "line\tlabel\n1\tmenu\n")]);
    let message = read(bad.path()).unwrap_err().to_string();
    assert!(message.contains("p.lines.tsv, line 2: 'menu' is not a label"), "{message}");
}

#[test]
fn labels_csv_is_read_as_it_is_written() {
    let labels = [BlockLabel::new(0, Label::Nav, "Menu"), BlockLabel::new(1, Label::Body, "Text, \"quoted\".")];
    let mut csv = Vec::new();
    write_labels_csv(&mut csv, [("a", Some("https://a.example/"), &labels[..]), ("b.html", None, &labels[..1])])
        .unwrap();
    let csv = String::from_utf8(csv).unwrap();
    assert_eq!(csv.lines().next(), Some("page,block,label,text_hash,url"));
    let rows = format!(
        "{csv}b.html,1,menu,0000000000000000,\nb.html,1,nav,12,\nb.html,x,nav,0000000000000000,\nc,0,nav,0000000000000000,\nd.html,0,nav,0000000000000000,\n"
    );
    let dir = folder(&[("labels.csv", &rows), ("pages/html/a.html.gz", "<p>Menu</p>"), ("pages/b.html", "<p>Menu")]);
    let set = read_labels_csv(dir.path().join("labels.csv"), Some(&dir.path().join("pages"))).unwrap();
    assert_eq!(set.pages[0].reference, Reference::Blocks(labels.to_vec()));
    assert_eq!((set.pages[0].host.as_str(), set.pages[1].id.as_str()), ("a.example", "b.html"));
    let problems = problems(&set);
    let told = ["line 5: 'menu'", "line 6: text_hash '12'", "line 7: column 'block': invalid digit", "'c'", "'d.html'"];
    assert_eq!(problems.len(), told.len(), "{problems:?}");
    for (problem, words) in problems.iter().zip(told) {
        assert!(problem.contains(words) && problem.matches(" line ").count() < 2, "{problem}");
        assert!(!problem.contains(".html.html"), "{problem}");
    }
}

#[test]
fn what_is_wrong_in_a_table_is_told_by_its_line_however_lines_end() {
    for end in ["\n", "\r\n"] {
        for comma in [",", ";", "\t"] {
            let rows = ["page,block,label,text_hash", "a,0,body,0000000000000001", "", "a,1,bdoy,0000000000000002"];
            let csv = rows.join(end).replace(',', comma);
            let dir = folder(&[("labels.csv", &csv), ("a.html", "<p>One.</p><p>Two.</p>")]);
            let set = read(dir.path()).unwrap();
            assert_eq!(set.pages.len(), 1);
            assert!(problems(&set)[0].contains("line 4"), "{end:?} {comma:?}: {:?}", problems(&set));
        }
        let lines = ["line\tlabel", "1\tbody", "", "2\tbdoy"].join(end);
        let dir = folder(&[
            ("a.lines.tsv", &lines),
            ("a.txt", "One.\nTwo."),
            ("b.lines.tsv", "line\tlabel\n1\tbody\n"),
            ("b.txt", "One."),
        ]);
        assert!(problems(&read(dir.path()).unwrap())[0].contains("line 4"), "{end:?}");
    }
}

#[test]
fn labels_find_their_blocks_again_when_pages_are_cut_otherwise() {
    let page = Page::from_html("<p>New</p><p>Share</p><p>Text.</p><p>Share</p>");
    let old =
        [(0, Label::Nav, "Share"), (1, Label::Body, "Text."), (2, Label::Related, "Share"), (3, Label::Nav, "Gone")];
    let resolved = resolve(&page, &old.map(|(block, label, text)| BlockLabel::new(block, label, text)));
    assert_eq!(resolved.labels, [None, Some(Label::Nav), Some(Label::Body), Some(Label::Related)]);
    assert_eq!((resolved.moved, resolved.unmatched), (3, 1));
}
