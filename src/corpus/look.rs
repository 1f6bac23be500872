//! What a stream holds where no name says it, and whether a page is none but JSON: told by its first bytes.

use std::io::{self, BufRead, Cursor, Read};

/// So far into a stream's first line its end is looked for.
const LINE: u64 = 64 << 10;

/// What a stream holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// A record a line.
    Records,
    /// One JSON object over several lines, or an array.
    Document,
    /// Records of a crawl.
    #[cfg(feature = "warc")]
    Warc,
    /// Something else, which is one page.
    Page,
}

/// A stream that was looked into, from its beginning.
pub struct Looked<'a> {
    pub holds: Holds,
    /// White space that stood before its content, and is not in `reader` any more.
    pub skipped: Vec<u8>,
    pub reader: Box<dyn BufRead + Send + 'a>,
}

/// Looks into a stream: records if its first character is `{`, a crawl's if it begins as those do.
///
/// Of records no more than the first line is waited for, so that who writes them to a pipe gets each answer at once.
///
/// # Errors
/// The stream cannot be read.
pub fn look<'a>(mut reader: Box<dyn BufRead + Send + 'a>) -> io::Result<Looked<'a>> {
    let (skipped, first) = leading_space(&mut reader)?;
    #[cfg(feature = "warc")]
    if first == Some(b'W') {
        let mut head = Vec::new();
        reader.by_ref().take(super::warc::MAGIC.len() as u64).read_to_end(&mut head)?;
        let holds = if head == super::warc::MAGIC { Holds::Warc } else { Holds::Page };
        return Ok(Looked { holds, skipped, reader: Box::new(Cursor::new(head).chain(reader)) });
    }
    if !matches!(first, Some(b'{' | b'[')) {
        return Ok(Looked { holds: Holds::Page, skipped, reader });
    }
    let mut line = Vec::new();
    reader.by_ref().take(LINE).read_until(b'\n', &mut line)?;
    let holds = match line.trim_ascii() {
        [b'[', rest @ ..] if matches!(rest.trim_ascii_start(), [] | [b'{', ..]) => Holds::Document,
        [b'[', ..] => Holds::Page,
        [.., b'['] => Holds::Document,
        // A record may be cut off here, but then the next line is none that begins with a field.
        [.., b'{' | b','] => {
            let (more, next) = leading_space(&mut reader)?;
            line.extend(more);
            if next == Some(b'"') { Holds::Document } else { Holds::Records }
        }
        _ => Holds::Records,
    };
    Ok(Looked { holds, skipped, reader: Box::new(Cursor::new(line).chain(reader)) })
}

/// Whether bytes begin as no page does, but a JSON object with a field, or an array of them.
pub fn is_json(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let object = bytes.strip_prefix(b"[").unwrap_or(bytes).trim_ascii_start();
    let field = object.strip_prefix(b"{").and_then(|rest| rest.trim_ascii_start().strip_prefix(b"\""));
    let after = field.and_then(|name| name.iter().position(|b| *b == b'"').map(|at| &name[at + 1..]));
    after.is_some_and(|rest| rest.trim_ascii_start().starts_with(b":"))
}

/// Reads white space and byte order marks, and looks at what follows.
fn leading_space(reader: &mut dyn BufRead) -> io::Result<(Vec<u8>, Option<u8>)> {
    let mut skipped = Vec::new();
    loop {
        let buffer = reader.fill_buf()?;
        let space = buffer.iter().take_while(|b| b.is_ascii_whitespace() || b"\xef\xbb\xbf".contains(b)).count();
        let (next, ended) = (buffer.get(space).copied(), buffer.is_empty());
        // White space without end is no page and must not fill the memory.
        if skipped.len() < 1 << 16 {
            skipped.extend_from_slice(&buffer[..space]);
        }
        reader.consume(space);
        if next.is_some() || ended {
            return Ok((skipped, next));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_documents_and_pages_are_told_apart_and_nothing_is_lost() {
        let cases = [
            (Holds::Records, "{\"html\":\"a\"}\n{\"html\":\"b\"}\n"),
            (Holds::Records, "\n \u{feff}{\"html\":\"a\"}"),
            (Holds::Records, "{}"),
            (Holds::Records, "{\"id\":1,\n{\"html\":\"a\"}"),
            (Holds::Records, "{\"id\":\"cut\n"),
            (Holds::Document, "{\n  \"html\": \"a\"\n}\n"),
            (Holds::Document, "{\"id\": 1,\n \"html\": \"a\"}"),
            (Holds::Document, "{\"items\": [\n{\"html\": \"a\"}]}"),
            (Holds::Document, "[\n{\"html\": \"a\"}]"),
            (Holds::Document, "[{\"html\": \"a\"}]"),
            (Holds::Page, "[1] A note\n"),
            (Holds::Page, "<p>{\n"),
            (Holds::Page, ""),
            (Holds::Page, "WAR"),
            (Holds::Page, "What a WARC/1.0 file is"),
        ];
        #[cfg(feature = "warc")]
        let cases = cases.into_iter().chain([(Holds::Warc, "WARC/1.1\r\n"), (Holds::Warc, "\r\nWARC/0.18\n")]);
        for (holds, text) in cases {
            let mut looked = look(Box::new(text.as_bytes())).unwrap();
            assert_eq!(looked.holds, holds, "{text}");
            looked.reader.read_to_end(&mut looked.skipped).unwrap();
            assert_eq!(looked.skipped, text.as_bytes());
        }
    }

    #[test]
    fn no_page_and_no_text_is_taken_for_json() {
        for json in ["{\"html\":\"a\"}", " {\n \"a b\" : 1}", "[ {\"a\":1}]", "\u{feff}{\"a\":NaN}"] {
            assert!(is_json(json.as_bytes()), "{json}");
        }
        for page in ["{\"quoted\" text}", "{% extends \"a\" %}", "{{\"a\": 1}}", "[1]", "{", "<p>{\"a\":1}", ""] {
            assert!(!is_json(page.as_bytes()), "{page}");
        }
    }
}
