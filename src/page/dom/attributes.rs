//! Tags of more attributes than any page has, cut short before html5ever reads them.
//!
//! html5ever compares each attribute of a tag with all before it: 111,000 in one tag, a megabyte, took 3.9 s. Pieces of
//! a page of which no token comes are the inside of a long tag or of a comment; only these are looked at.

use memchr::{memchr, memmem};

/// Attributes of a tag that are read; the rest are dropped once the tag turns out to be long.
const ATTRIBUTES: usize = 1_000;

/// Follows a page's pieces as they are read.
pub(super) struct LongTags<'a> {
    html: &'a [u8],
    /// Where the last piece began of which tokens came.
    loud: usize,
    /// The tag that is open since, if there is one; looked for once.
    open: Option<Option<OpenTag>>,
}

/// What of a tag is not to be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Surplus {
    /// The end of the attribute that is being read.
    pub from: usize,
    /// The tag's `>`, or the page's end.
    pub to: usize,
}

impl<'a> LongTags<'a> {
    pub(super) fn new(html: &'a str) -> LongTags<'a> {
        LongTags { html: html.as_bytes(), loud: 0, open: None }
    }

    /// A piece was read; `quiet` if no token came of it. Says which part of the page after it is to be passed over.
    pub(super) fn after(&mut self, piece: std::ops::Range<usize>, quiet: bool) -> Option<Surplus> {
        if !quiet {
            (self.loud, self.open) = (piece.start, None);
            return None;
        }
        let (html, loud) = (self.html, self.loud);
        let open = self.open.get_or_insert_with(|| OpenTag::find(html, loud, piece.end));
        let tag = open.as_mut()?;
        if !tag.read(html, piece.end) || tag.count <= ATTRIBUTES {
            return None;
        }
        let from = tag.at;
        tag.read(html, html.len());
        Some(Surplus { from, to: tag.at })
    }
}

/// A start or end tag, read up to some attribute.
struct OpenTag {
    /// The end of the attribute read last, or the tag's `>`.
    at: usize,
    count: usize,
}

impl OpenTag {
    /// The tag that begins after `from` and is still open at `to`.
    fn find(html: &[u8], from: usize, to: usize) -> Option<OpenTag> {
        let mut at = from;
        loop {
            at += memchr(b'<', &html[at..to])? + 1;
            if html[at..].starts_with(b"!--") {
                at += memmem::find(&html[at..to], b"-->")?;
                continue;
            }
            let name = at + usize::from(html.get(at) == Some(&b'/'));
            if html.get(name).is_some_and(u8::is_ascii_alphabetic) {
                let mut tag = OpenTag { at: end_of(html, name, b"/>"), count: 0 };
                if tag.read(html, to) {
                    return Some(tag);
                }
                at = tag.at.min(to);
            }
        }
    }

    /// Reads attributes until one ends at `to` or later; whether the tag is still open there.
    fn read(&mut self, html: &[u8], to: usize) -> bool {
        let white = |at: usize| at + html[at..].iter().take_while(|b| b.is_ascii_whitespace()).count();
        while self.at < to {
            let name = self.at + html[self.at..].iter().take_while(|b| b.is_ascii_whitespace() || **b == b'/').count();
            self.at = name;
            if matches!(html.get(name), None | Some(b'>')) {
                return false;
            }
            // A `=` in front belongs to the name (HTML standard, 13.2.5.32).
            self.at = end_of(html, name + 1, b"/>=");
            let equals = white(self.at);
            if html.get(equals) == Some(&b'=') {
                let value = white(equals + 1);
                self.at = match html.get(value) {
                    Some(&quote @ (b'"' | b'\'')) => {
                        memchr(quote, &html[value + 1..]).map_or(html.len(), |length| value + length + 2)
                    }
                    _ => end_of(html, value, b">"),
                };
            }
            self.count += 1;
        }
        html.get(self.at).is_some_and(|b| *b != b'>')
    }
}

/// The first place from `at` on with white space or one of the bytes, or the page's end.
fn end_of(html: &[u8], at: usize, ends: &[u8]) -> usize {
    let rest = html.get(at..).unwrap_or_default();
    let length = rest.iter().position(|b| b.is_ascii_whitespace() || ends.contains(b)).unwrap_or(rest.len());
    at.min(html.len()) + length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_counted_as_html_reads_them() {
        for (attributes, count) in
            [("a b=c d = 'e > f' g=\"h\"i/j ", 6), ("data-x='<p a b c d>' ", 1), ("a=b/c =d=e ", 2), ("/ ", 0)]
        {
            let before = "x <!-- <q --> < <b t='>'> </b><p";
            let html = format!("{before} {attributes}>more");
            let mut tag = OpenTag { at: before.len(), count: 0 };
            assert!(!tag.read(html.as_bytes(), html.len()));
            assert_eq!((tag.count, &html[tag.at..]), (count, ">more"), "{attributes}");
            let found = OpenTag::find(html.as_bytes(), 0, before.len() + 1);
            assert_eq!(found.map(|tag| tag.count), (count > 0).then_some(1), "{attributes}");
        }
    }

    #[test]
    fn the_surplus_reaches_from_the_attribute_being_read_to_the_tags_end() {
        let many: String = (0..3_000).map(|i| format!(" a{i}='<'")).collect();
        let html = format!("<p>text<p{many}>after");
        let mut tags = LongTags::new(&html);
        assert_eq!(tags.after(0..100, false), None);
        let surplus = tags.after(100..20_001, true).unwrap();
        assert_eq!(&html[surplus.to..], ">after");
        assert!(surplus.from >= 20_001 && html[..surplus.from].ends_with("='<'"));
    }

    #[test]
    fn comments_and_long_values_are_no_surplus() {
        let words = "word ".repeat(10_000);
        for html in [format!("<p><!-- <a {words}"), format!("<p title=\"{words}")] {
            let mut tags = LongTags::new(&html);
            tags.after(0..10, false);
            assert_eq!([10..20_000, 20_000..30_000].map(|piece| tags.after(piece, true)), [None, None]);
        }
    }
}
