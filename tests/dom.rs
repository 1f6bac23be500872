//! The tree is the one that `scraper` makes of the same page: on the pages under `data`, on hostile ones, on generated
//! tag soup, and on the pages of the folder that the environment variable `LUBB_PAGES` names (plain or gzip).

use std::path::{Path, PathBuf};

use ego_tree::iter::Edge;
use html5ever::tendril::TendrilSink;
use html5ever::tree_builder::TreeBuilderOpts;
use html5ever::{ParseOpts, parse_document};
use lubb::page::decode::decode;
use lubb::page::dom::{AttrName, Dom, NodeId, Tag};
use lubb::page::segment::segment;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use scraper::{Html, HtmlTreeSink, Node};

/// A node in document order: tag, parent, end, depth, attributes, text.
type Plain = (Tag, NodeId, NodeId, u16, Vec<(AttrName, String)>, String);

fn expected(html: &str) -> Vec<Plain> {
    let tree_builder = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
    let options = ParseOpts { tree_builder, ..ParseOpts::default() };
    let parsed = parse_document(HtmlTreeSink::new(Html::new_document()), options).one(html);
    let mut nodes: Vec<Plain> = vec![(Tag::Document, 0, 0, 0, Vec::new(), String::new())];
    let mut open: Vec<NodeId> = vec![0];
    for edge in parsed.tree.root().traverse().skip(1) {
        let id = nodes.len() as NodeId;
        let depth = open.len().min(u16::MAX as usize) as u16;
        let parent = *open.last().unwrap();
        match edge {
            Edge::Open(node) => match node.value() {
                Node::Element(element) => {
                    let known = |name: &str| AttrName::ALL.iter().find(|(known, _)| *known == name);
                    let attrs = element.attrs().filter_map(|(name, value)| Some((known(name)?.1, value.to_owned())));
                    nodes.push((tag(element.name()), parent, id + 1, depth, attrs.collect(), String::new()));
                    open.push(id);
                }
                Node::Text(text) => {
                    let text = if is_mute(&nodes[parent as usize], &node) { "" } else { text };
                    nodes.push((Tag::Text, parent, id + 1, depth, Vec::new(), text.to_owned()));
                }
                _ => {}
            },
            Edge::Close(node) if node.value().is_element() => nodes[open.pop().unwrap() as usize].2 = id,
            Edge::Close(_) => {}
        }
    }
    nodes[0].2 = nodes.len() as NodeId;
    nodes
}

/// Text that nothing reads is not kept.
fn is_mute(parent: &Plain, text: &ego_tree::NodeRef<Node>) -> bool {
    let is_html = text.parent().and_then(|parent| Some(parent.value().as_element()?.name.ns.ends_with("xhtml")));
    let json_ld =
        parent.4.iter().any(|(name, value)| *name == AttrName::Type && value.to_lowercase().contains("ld+json"));
    is_html == Some(true) && (parent.0 == Tag::Style || parent.0 == Tag::Script && !json_ld)
}

fn tag(name: &str) -> Tag {
    // What is laid out as `<pre>` is.
    let name = if matches!(name, "xmp" | "listing" | "plaintext") { "pre" } else { name };
    let known = Tag::ALL.iter().find(|tag| tag.name() == name).copied();
    known.unwrap_or(if name.contains('-') { Tag::Custom } else { Tag::Unknown })
}

fn found(dom: &Dom) -> Vec<Plain> {
    let attrs = |node| dom.attrs(node).map(|(name, value)| (name, value.to_owned())).collect();
    let plain = |n| (dom.tag(n), dom.parent(n), dom.end(n), dom.depth(n), attrs(n), dom.text(n).to_owned());
    (0..dom.len() as NodeId).map(plain).collect()
}

/// The first difference, if there is one.
fn difference(html: &str) -> Option<String> {
    let (expected, found) = (expected(html), found(&Dom::parse(html)));
    let at = (0..expected.len().max(found.len())).find(|&at| expected.get(at) != found.get(at))?;
    Some(format!("node {at}: scraper has {:?}, lubb {:?}", expected.get(at), found.get(at)))
}

fn assert_same(html: &str) {
    if let Some(difference) = difference(html) {
        panic!("{difference}\n{}", html.chars().take(500).collect::<String>());
    }
}

fn pages(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in folder.read_dir().unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        let name = path.to_string_lossy().to_lowercase();
        if path.is_dir() {
            pages(&path, files);
        } else if [".html", ".htm", ".html.gz"].iter().any(|ending| name.ends_with(ending)) {
            files.push(path);
        }
    }
}

fn check_folder(folder: &Path) -> usize {
    let mut files = Vec::new();
    pages(folder, &mut files);
    for file in &files {
        let mut bytes = std::fs::read(file).unwrap();
        if bytes.starts_with(&[0x1f, 0x8b]) {
            let mut unpacked = Vec::new();
            std::io::Read::read_to_end(&mut flate2::read::MultiGzDecoder::new(&bytes[..]), &mut unpacked).unwrap();
            bytes = unpacked;
        }
        if let Some(difference) = difference(&decode(&bytes, None).0) {
            panic!("{}: {difference}", file.display());
        }
    }
    files.len()
}

#[test]
fn pages_of_the_project() {
    assert!(check_folder(Path::new("data")) > 30);
    if let Some(folder) = std::env::var_os("LUBB_PAGES") {
        let checked = check_folder(Path::new(&folder));
        println!("{checked} pages of {} have the same trees", folder.display());
        assert!(checked > 0);
    }
}

#[test]
fn hostile_pages() {
    for html in [
        "",
        "text alone",
        "<table>a<tr>b<td>c</td>d<div>e<b>f</table>g",
        "<table><b>1<tr><td>2</b>3</table><table><script>s</script>x<style>y</style>z",
        "<b><p>1</b>2</p><a href=1>x<div>y<a href=2>z</div>",
        "<p><b a=1><i>x<p>y<p>z</b>w",
        "<template><p>a<template><tr><td>b</template><col></template>c",
        "<noscript><style>p{}</style><p>one</noscript><head><noscript><link><p>two",
        "<frameset><frame></frameset><noframes>x</noframes>",
        "<p>x<frameset>y",
        "<body class=a><p>x<html lang=ar class=b><body id=c class=d><p>y",
        "<svg><style>a<b>c</style><script>d</script><title>e</title><a xlink:href=1 href=2 xlink:title=t xml:lang=l>f",
        "<math><mi>x<annotation-xml encoding=text/html><p>y</math><svg><foreignObject><p>z<style>s</style>",
        "<select><option>a<optgroup><option>b<table></select><p>c",
        "<script>a<!-- <script> b </script> c --> d</script>e",
        "<script>a<!-- b </script>c<script>d<!-- <scripty> </script>e --></script>f",
        "<script>if (a<b) '</scripty>' + '</script' </SCRIPT\n>x<ScRiPt>y</script/>z",
        "<script></script><script>\n</script><style></style><style> </style\t><p>x",
        "<script type=application/ld+json>{\"a\": \"<\\/script>\"}\r\n</script><script>\0\r</script>x",
        "<script>never closed <p>",
        "<style>never closed </styl",
        "<p title='<script>'>a<p title=\"<style>b\">c<!-- <script> --><p>d</script>e",
        "<textarea><script>a</textarea><title><style>b</title><xmp><script></xmp><iframe><style></iframe>c",
        "<plaintext><script>a</script>",
        "<script\n>a</script><script src='>'>b</script><script a=\"<script>\">c</script>",
        "a<!-- 1 -->b<!-- 2 --><!doctype html>c&amp;d&nGt;e\r\nf\rg\0h",
        "<pre>\n\na</pre><textarea>\n\nb</textarea><listing>\r\nc",
        "<button><button><form><form><nobr><nobr><h1><h2><li><li><dd><dt>x",
        "<my-tag><x:y></my-tag><font-face><p></p></br></p>",
    ] {
        assert_same(html);
    }
}

/// Pieces end in the middle of everything.
#[test]
fn long_pages() {
    for part in [
        "<p class=\"a b\" title='c'>أعلنت &amp; x<br/>\r\n",
        "<script>var a = '<p>';</script>",
        "<style>p > a {}</style>text ",
        "<!-- comment <p> -->",
        "<table>x<tr><td>y",
        "<svg><path d='M0 0'/></svg>",
    ] {
        for shift in 0..7 {
            assert_same(&format!("{}{}", "x".repeat(shift), part.repeat(40_000 / part.len())));
        }
    }
}

fn soup() -> impl Strategy<Value = String> {
    const TAGS: &str = "p div a+href=/x a+href=/y b i b+a=1 nobr font table tr td th caption colgroup col tbody ul li dl dt \
        dd br hr h1 h2 form button select option optgroup svg math mi mtext desc foreignObject annotation-xml title script \
        script+type=application/ld+json style textarea template noscript body html head frameset frame input iframe \
        pre listing xmp plaintext object applet marquee ruby rt rp image my-tag span section address center";
    let tags: Vec<String> = TAGS.split_whitespace().map(|tag| tag.replace('+', " ")).collect();
    let tag = (select(tags), 0..7u8).prop_map(|(tag, how)| match how {
        0..3 => format!("<{tag}>"),
        3 => format!("<{tag}/>"),
        4 => format!("<{}>", tag.to_uppercase()),
        _ => format!("</{}>", tag.split(' ').next().unwrap()),
    });
    let text = select(vec![
        "x",
        " ",
        "\n",
        "\r\n",
        "&amp;",
        "&#x0;",
        "\0",
        "<!-- c -->",
        "<!--",
        "-->",
        "<",
        "</",
        "]]>",
        "<![CDATA[y]]>",
    ]);
    vec(prop_oneof![4 => tag, 2 => text.prop_map(str::to_owned), 1 => "[ -~]{0,4}"], 0..60)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tag_soup(html in soup()) {
        let difference = difference(&html);
        prop_assert!(difference.is_none(), "{}\n{html}", difference.unwrap_or_default());
    }
}

/// What a reader of 64 MB would take hours over is read as far as is cheap.
#[test]
fn depth_is_cut_and_length_is_not() {
    for deep in ["<div>", "<ul><li>", "<b>", "<x-y>", "<font size=1><div>", "<table><td>", "<svg><g>"] {
        let dom = Dom::parse(&deep.repeat(200_000));
        assert!(dom.is_cut() && dom.len() < 3_000_000, "{deep}: {}", dom.len());
        segment(&dom);
    }
    let formatting: String = (0..8_000).map(|i| format!("<p><b a={i}>x</p>")).collect();
    assert!(Dom::parse(&formatting).is_cut());
    for long in [
        "<div><p>text<br><img src=a><li>x</div>",
        "<p><font size=1>x</font><p><b>y</b>",
        "<table><tr><td><a href=1>x</a></table>",
        "<p><a href=/x>left open",
    ] {
        let dom = Dom::parse(&long.repeat(100_000));
        assert!(!dom.is_cut() && dom.len() > 100_000, "{long}");
    }
}

/// html5ever compares each attribute of a tag with all before it, which takes minutes for a million. Attributes that
/// nobody reads are passed over; where all are read, the first thousand. No page gives html5ever's tokenizer a tag.
#[test]
fn a_tag_with_more_attributes_than_any_page_has_is_read() {
    let many: String = (0..1_000_000).map(|i| format!(" a{i}='>'")).collect();
    let long = "x ".repeat(50_000);
    for before in ["", "\0", "<script><!-- <script></script> --></script>", "<svg><![CDATA[>]]></svg><!x>"] {
        let html = format!(
            "{before}<p>before<p class=first title='{long}'{many} lang=ar>text<b id=c{many} lang=ar>bold</b><p>after<p{many}"
        );
        let dom = Dom::parse(&html);
        let p: Vec<NodeId> = dom.elements(Tag::P).collect();
        assert!(!dom.is_cut());
        assert_eq!(p.iter().map(|p| dom.inner_text(*p)).collect::<Vec<_>>(), ["before", "textbold", "after"]);
        assert_eq!(dom.attr(p[1], AttrName::Class), Some("first"));
        assert_eq!(dom.attr(p[1], AttrName::Title).map(str::len), Some(100_000));
        assert_eq!(dom.attr(p[1], AttrName::Lang), Some("ar"));
        let bold = dom.elements(Tag::B).next().unwrap();
        assert_eq!((dom.attr(bold, AttrName::Id), dom.attr(bold, AttrName::Lang)), (Some("c"), None));
    }
}
