//! Tags in HTML's source: their ends, names and attributes (HTML standard, 13.2.5.8 and on).

use std::ops::Range;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{Tag, TagKind};
use html5ever::{Attribute, LocalName, QualName, ns};
use memchr::{memchr, memchr2};

use super::AttrName;
use super::references::resolve;

/// Places for names; real pages have some hundred different ones.
const NAMES: usize = 512;

/// Attributes of a tag that are kept: each is compared with all before it, here and in html5ever, and 111,000 in one
/// tag, a megabyte, took 3.9 s.
const ATTRIBUTES: usize = 1_000;

/// Elements of which all attributes count: html5ever compares those of formatting elements (13.2.4.3), and looks for
/// some on the others.
const ALL_ATTRIBUTES: [&str; 16] = [
    "a",
    "annotation-xml",
    "b",
    "big",
    "code",
    "em",
    "font",
    "i",
    "nobr",
    "s",
    "small",
    "strike",
    "strong",
    "template",
    "tt",
    "u",
];

/// A name that was met before.
#[derive(Clone)]
struct Name {
    local: LocalName,
    /// For an attribute's name, whether lubb or html5ever reads it; for a tag's, whether it reads all attributes.
    counts: bool,
}

/// Makes tags out of source. Of attributes that nobody reads, four of five on real pages, nothing is kept.
pub(super) struct Tags {
    tags: Vec<Option<Name>>,
    attributes: Vec<Option<Name>>,
    value: String,
    /// Whether all attributes of all tags are kept.
    pub(super) keeps_all: bool,
}

/// White space between a tag's parts.
fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\x0c' | b' ')
}

impl Tags {
    pub(super) fn new() -> Tags {
        Tags { tags: vec![None; NAMES], attributes: vec![None; NAMES], value: String::new(), keeps_all: false }
    }

    /// Reads the tag whose name begins at `at`; gives the place after its `>` too. `None` if the page ends before.
    pub(super) fn read(&mut self, html: &StrTendril, mut at: usize, kind: TagKind) -> Option<(Tag, usize)> {
        let bytes = html.as_bytes();
        let start = at;
        while !matches!(*bytes.get(at)?, b'\t' | b'\n' | b'\x0c' | b' ' | b'/' | b'>') {
            at += 1;
        }
        let Name { local, counts: all } = name(&mut self.tags, &html[start..at], is_all_attributes);
        let all = all || self.keeps_all;
        let mut tag =
            Tag { kind, name: local, self_closing: false, attrs: Vec::new(), had_duplicate_attributes: false };
        loop {
            match *bytes.get(at)? {
                b'>' => return Some((tag, at + 1)),
                b'/' if *bytes.get(at + 1)? == b'>' => {
                    tag.self_closing = true;
                    return Some((tag, at + 2));
                }
                b'/' => at += 1,
                byte if is_space(byte) => at += 1,
                _ => at = self.attribute(html, at, all, &mut tag)?,
            }
        }
    }

    /// Reads the attribute that begins at `at`, and gives the place after it.
    fn attribute(&mut self, html: &StrTendril, mut at: usize, all: bool, tag: &mut Tag) -> Option<usize> {
        let bytes = html.as_bytes();
        let start = at;
        // A name may begin with an equals sign.
        at += 1;
        while !matches!(*bytes.get(at)?, b'\t' | b'\n' | b'\x0c' | b' ' | b'/' | b'>' | b'=') {
            at += 1;
        }
        let Name { local, counts } = name(&mut self.attributes, &html[start..at], is_read);
        while is_space(*bytes.get(at)?) {
            at += 1;
        }
        let mut value = at..at;
        if bytes[at] == b'=' {
            at += 1;
            while is_space(*bytes.get(at)?) {
                at += 1;
            }
            match bytes[at] {
                quote @ (b'"' | b'\'') => {
                    let length = memchr(quote, &bytes[at + 1..])?;
                    value = at + 1..at + 1 + length;
                    at = value.end + 1;
                }
                b'>' => value = at..at,
                _ => {
                    let start = at;
                    while !matches!(*bytes.get(at)?, b'\t' | b'\n' | b'\x0c' | b' ' | b'>') {
                        at += 1;
                    }
                    value = start..at;
                }
            }
        }
        // Of two attributes of one name the first stays. End tags have no use for theirs.
        let is_kept = (counts || all) && tag.kind == TagKind::StartTag && tag.attrs.len() < ATTRIBUTES;
        if is_kept && !tag.attrs.iter().any(|a| a.name.local == local) {
            let value = self.resolved(html, value);
            tag.attrs.push(Attribute { name: QualName::new(None, ns!(), local), value });
        }
        Some(at)
    }

    fn resolved(&mut self, html: &StrTendril, value: Range<usize>) -> StrTendril {
        if memchr2(b'&', 0, html[value.clone()].as_bytes()).is_none() {
            return html.subtendril(value.start as u32, value.len() as u32);
        }
        self.value.clear();
        resolve(&html[value], true, &mut self.value);
        // No reference gives a NUL.
        match memchr(0, self.value.as_bytes()) {
            Some(_) => StrTendril::from(self.value.replace('\0', "\u{fffd}")),
            None => StrTendril::from_slice(&self.value),
        }
    }
}

/// The name as it counts, in lower case, from the place that its hash gives it.
fn name(places: &mut [Option<Name>], written: &str, counts: impl Fn(&str) -> bool) -> Name {
    let step = |hash: u32, byte: &u8| (hash ^ u32::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0193);
    let hash = written.as_bytes().iter().fold(0x811c_9dc5, step);
    let place = &mut places[(hash ^ hash >> 15) as usize % NAMES];
    match place {
        Some(name) if str::eq_ignore_ascii_case(&name.local, written) => name.clone(),
        _ => {
            let lower = written.to_ascii_lowercase().replace('\0', "\u{fffd}");
            let name = Name { counts: counts(&lower), local: LocalName::from(lower) };
            place.insert(name).clone()
        }
    }
}

fn is_all_attributes(tag: &str) -> bool {
    ALL_ATTRIBUTES.contains(&tag)
}

/// In `<svg>`, `xlink:href` becomes `href`.
fn is_read(attribute: &str) -> bool {
    attribute.contains(':') || AttrName::ALL.iter().any(|(name, _)| *name == attribute)
}
