//! html5lib's tests (`tests/html5lib`, by others): the reader's tokens are those that the tests expect, and its trees are
//! those of html5ever with its own tokenizer.

use std::fs;
use std::path::{Path, PathBuf};

use html5ever::tokenizer::states::{RawKind, State};
use html5ever::tokenizer::{Token, TokenSinkResult};
use serde_json::{Value, json};

use super::super::sink::Handle;
use super::tests::{by_html5ever, same, whole};
use super::{Builder, with_line_feeds};

/// Takes tokens and makes nothing of them.
#[derive(Clone, Copy)]
struct Nothing {
    is_foreign: bool,
}

impl Builder for Nothing {
    fn take(&self, _: Token) -> TokenSinkResult<Handle> {
        TokenSinkResult::Continue
    }

    fn is_foreign(&self) -> bool {
        self.is_foreign
    }

    fn is_mute(&self) -> bool {
        false
    }

    fn steps(&self) -> u64 {
        0
    }
}

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/html5lib").join(folder);
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|file| file.extension().is_some_and(|e| e == ending)).collect();
    files.sort();
    files
}

/// A text with its `\uHHHH` resolved; `None` if there is half a pair, which no text of Rust has.
fn unescaped(text: &str) -> Option<String> {
    let mut units = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("\\u") {
        units.extend(rest[..at].encode_utf16());
        units.push(u16::from_str_radix(&rest[at + 2..at + 6], 16).unwrap());
        rest = &rest[at + 6..];
    }
    units.extend(rest.encode_utf16());
    String::from_utf16(&units).ok()
}

/// Tokens as the recorder has them, with the texts in them unescaped.
fn expected(tokens: &Value, is_escaped: bool) -> Option<Vec<Value>> {
    fn unescape(value: &Value) -> Option<Value> {
        Some(match value {
            Value::String(text) => unescaped(text)?.into(),
            Value::Array(values) => Value::Array(values.iter().map(unescape).collect::<Option<_>>()?),
            Value::Object(values) => {
                let entry = |(name, value): (&String, &Value)| Some((unescaped(name)?, unescape(value)?));
                Value::Object(values.iter().map(entry).collect::<Option<_>>()?)
            }
            _ => value.clone(),
        })
    }
    let tokens = if is_escaped { unescape(tokens)? } else { tokens.clone() };
    let without_comment = |token: &Value| if token[0] == "Comment" { json!(["Comment"]) } else { token.clone() };
    Some(tokens.as_array().unwrap().iter().map(without_comment).collect())
}

/// The tokens of the reader and those of html5ever's own tokenizer.
fn tokens(input: &str, state: &str, last: Option<&str>) -> (Vec<Value>, Vec<Value>) {
    let cdata = state == "CDATA section state";
    let nothing = Nothing { is_foreign: cdata };
    let page = if cdata { format!("<![CDATA[{input}") } else { input.to_owned() };
    let page = with_line_feeds(&page);
    let mut reader = whole(&page, nothing);
    let (state, raw) = match state {
        "Data state" => (State::Data, None),
        "CDATA section state" => (State::CdataSection, None),
        "PLAINTEXT state" => (State::Plaintext, None),
        "RCDATA state" => (State::RawData(RawKind::Rcdata), Some(RawKind::Rcdata)),
        "RAWTEXT state" => (State::RawData(RawKind::Rawtext), Some(RawKind::Rawtext)),
        "Script data state" => (State::RawData(RawKind::ScriptData), Some(RawKind::ScriptData)),
        _ => panic!("{state}"),
    };
    let at = match raw {
        // Without a last start tag no end tag is the right one.
        Some(kind) => reader.raw(0, kind, last.unwrap_or("none")),
        None if state == State::Plaintext => {
            reader.raw_text(0, page.len(), false);
            page.len()
        }
        None => 0,
    };
    reader.read(at);
    let theirs = by_html5ever(input, state, last, nothing);
    (reader.builder.tokens.take(), theirs.tokens.take())
}

#[test]
fn tokens_are_those_of_the_tokenizer_tests() {
    let (mut passed, mut excluded, mut by_html5ever) = (0, 0, 0);
    let mut failed = Vec::new();
    for file in files("tokenizer", "test") {
        let tests: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        for test in tests["tests"].as_array().unwrap() {
            let is_escaped = test["doubleEscaped"] == true;
            let input = test["input"].as_str().unwrap();
            let input = if is_escaped { unescaped(input) } else { Some(input.to_owned()) };
            let (Some(input), Some(expected)) = (input, expected(&test["output"], is_escaped)) else {
                excluded += 1;
                continue;
            };
            let states = match &test["initialStates"] {
                Value::Array(states) => states.iter().map(|state| state.as_str().unwrap()).collect(),
                _ => vec!["Data state"],
            };
            for state in states {
                let (ours, theirs) = tokens(&input, state, test["lastStartTag"].as_str());
                by_html5ever += usize::from(theirs == expected);
                if ours == expected {
                    passed += 1;
                } else {
                    let name = file.file_name().unwrap().to_string_lossy();
                    failed
                        .push(format!("{name}: {state}: {input:?}: {ours:?}, not {expected:?}; html5ever {theirs:?}"));
                }
            }
        }
    }
    println!("{passed} passed, {} failed, {excluded} excluded; html5ever passes {by_html5ever}", failed.len());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert_eq!((passed, excluded, by_html5ever), (7026, 4, 7026));
}

/// What stands around a test's input: other states of the tokenizer, and other insertion modes.
const AROUND: [(&str, &str); 14] = [
    ("", ""),
    ("<!doctype html><body><div>", "</div><p>after"),
    ("<textarea>", "</textarea>x"),
    ("<title>", "</title>x"),
    ("<script>", "</script>x"),
    ("<script type='application/ld+json'><!--", "--></script>x"),
    ("<style>", "</style>x"),
    ("<noscript><iframe>", "</iframe>x"),
    ("<plaintext>", ""),
    ("<svg>", "</svg>x"),
    ("<math><![CDATA[", "]]></math>x"),
    ("<table><td>", "</table>x"),
    ("<p title=\"", "\">x"),
    ("<a class='", "' id="),
];

#[test]
fn trees_of_the_tokenizer_tests_are_those_of_html5ever() {
    let mut pages = 0;
    for file in files("tokenizer", "test") {
        let tests: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        for test in tests["tests"].as_array().unwrap() {
            let input = test["input"].as_str().unwrap();
            let input = if test["doubleEscaped"] == true { unescaped(input) } else { Some(input.to_owned()) };
            for (before, after) in input.iter().flat_map(|_| AROUND) {
                same(&format!("{before}{}{after}", input.as_deref().unwrap_or_default()));
                pages += 1;
            }
        }
    }
    assert_eq!(pages, 6800 * AROUND.len());
}

#[test]
fn trees_of_the_tree_construction_tests_are_those_of_html5ever() {
    let mut pages = 0;
    for file in files("tree-construction", "dat") {
        let tests = fs::read_to_string(&file).unwrap();
        for test in format!("\n{tests}").split("\n#data\n").skip(1) {
            let page = test.split_once("\n#errors").map_or("", |(page, _)| page);
            for (before, after) in AROUND {
                same(&format!("{before}{page}{after}"));
                pages += 1;
            }
        }
    }
    assert_eq!(pages, 1700 * AROUND.len());
}
