//! JSONL corpora: lines streamed from a file of any size, and one line into a page.

use std::fmt;
use std::io::BufRead;
use std::sync::Arc;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::page::Input;

use super::compressed::Position;
use super::{Fault, Fields, PageError, RawPage, Reading};

/// JSON may write one byte of a page as several: Python writes Arabic as `\u0633`, six for two.
const ESCAPED: u64 = 4;

/// The lines of a JSONL stream as pages; blank lines are skipped.
pub struct JsonLines {
    reader: Box<dyn BufRead + Send>,
    /// The file's name, for messages and ids.
    name: String,
    line: u64,
    /// Bytes of the file that were read so far, and those that earlier pages account for.
    position: Position,
    accounted: u64,
    reading: Arc<Reading>,
    ended: bool,
}

impl JsonLines {
    /// Reads on from `line`, which is 0 at a stream's beginning.
    pub fn new(
        reader: Box<dyn BufRead + Send>,
        name: String,
        line: u64,
        position: Position,
        reading: Arc<Reading>,
    ) -> Self {
        JsonLines { reader, name, line, position, accounted: 0, reading, ended: false }
    }

    /// One line without its end; `None` at the end of the stream.
    fn read(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        let limit = self.reading.max_page_bytes.saturating_mul(ESCAPED).saturating_add(1 << 16);
        let mut line = Vec::new();
        let read = std::io::Read::take(&mut self.reader, limit).read_until(b'\n', &mut line)?;
        if read as u64 == limit && !line.ends_with(b"\n") {
            self.reader.skip_until(b'\n')?;
            return Err(Fault::TooLarge { limit: self.reading.max_page_bytes });
        }
        Ok((read > 0).then_some(line))
    }
}

impl Iterator for JsonLines {
    type Item = Result<RawPage, PageError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            self.line += 1;
            let read = self.read();
            let place = format!("{}:{}", self.name, self.line);
            let position = self.position.read();
            let mut stored = || position.saturating_sub(std::mem::replace(&mut self.accounted, position));
            match read {
                Ok(Some(line)) if line.trim_ascii().is_empty() => continue,
                Ok(Some(line)) => return Some(Ok(RawPage::line(place, line, stored(), Arc::clone(&self.reading)))),
                Ok(None) => self.ended = true,
                Err(fault) => {
                    // After an error of the stream itself the next read would say the same again, for ever.
                    self.ended = !matches!(fault, Fault::TooLarge { .. });
                    let error = PageError { id: place.clone(), url: None, place, stored: stored(), fault };
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

/// What is read of a record. The page is a result of its own, so that its error can carry id and address.
pub struct Record {
    pub id: Option<String>,
    pub url: Option<String>,
    pub input: Input,
    pub page: Result<Vec<u8>, Fault>,
}

/// Parses a line.
///
/// Strings are read as bytes, so neither invalid UTF-8 nor the lone surrogates that Python writes for it lose a page.
pub fn parse(line: &[u8], reading: &Reading) -> Result<Record, Fault> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    // Without its end, or what is missing there would be missing at column 0 of a second line.
    let line = line.trim_ascii_end();
    let values = match values(line, reading) {
        Ok(values) => values,
        Err((id, fault)) => return Ok(Record { id, url: None, input: Input::Html, page: Err(fault) }),
    };
    // Where a crawl could not fetch a page but has its text.
    let is_there = |html: &Vec<u8>| !html.trim_ascii().is_empty() || reading.input.is_some() || values.text.is_none();
    let html = values.html.filter(is_there);
    let fields = &reading.fields;
    let (input, page, missing) = match (reading.input, html, values.text) {
        (Some(Input::Html), html, _) => (Input::Html, html, format!("'{}'", fields.html)),
        (Some(Input::Text), _, text) => (Input::Text, text, format!("'{}'", fields.text)),
        (None, None, Some(text)) => (Input::Text, Some(text), String::new()),
        (None, html, _) => (Input::Html, html, format!("'{}' or '{}'", fields.html, fields.text)),
    };
    let page = page.ok_or(Fault::MissingField(missing));
    Ok(Record { id: values.id, url: values.url.map(lossy), input, page })
}

/// Reads the values of a line; else its id, which is worth having all the same, and what is wrong.
fn values(line: &[u8], reading: &Reading) -> Result<Values, (Option<String>, Fault)> {
    let read = |line: &[u8], skips: Skips| {
        let mut parser = serde_json::Deserializer::from_slice(line);
        let values = Wanted { fields: &reading.fields, input: reading.input, skips }.deserialize(&mut parser);
        values.and_then(|values| parser.end().map(|()| values))
    };
    if let Ok(values) = read(line, Skips::default()) {
        return Ok(values);
    }
    // Only now, since nearly all lines have none of these and should not be searched for them.
    let (line, longer) = without_nan(line);
    let error = match read(&line, Skips::default()) {
        Ok(values) => return Ok(values),
        Err(error) => error,
    };
    // An id may be a number, but one that is no valid string is a text. An address that is no text is none.
    let others =
        [(true, false), (false, true), (true, true)].map(|(id_is_text, url)| Skips { id_is_text, url, page: false });
    if let Some(values) = others.into_iter().find_map(|skips| read(&line, skips).ok()) {
        return Ok(values);
    }
    let named = read(&line, Skips { id_is_text: false, url: true, page: true });
    let before = longer.iter().filter(|at| **at < error.column()).count();
    Err((named.ok().and_then(|values| values.id), broken(&error, error.column() - before)))
}

/// A line with null in place of the numbers that JSON has not and Python writes all the same: NaN, Infinity, -Infinity.
/// Also the columns behind which it is a byte longer for that.
fn without_nan(line: &[u8]) -> (Vec<u8>, Vec<usize>) {
    const NUMBERS: [(&[u8], &[u8]); 3] = [(b"-Infinity", b"null     "), (b"Infinity", b"null    "), (b"NaN", b"null")];
    let (mut mended, mut longer) = (Vec::with_capacity(line.len()), Vec::new());
    let (mut rest, mut in_string) = (line, false);
    while let [first, after @ ..] = rest {
        let number = NUMBERS.iter().find(|(number, _)| !in_string && rest.starts_with(number));
        let (read, written) = match (number, first, after) {
            (Some((number, null)), ..) => (number.len(), *null),
            // What is escaped in a string does not end it.
            (None, b'\\', [_, ..]) => (2, &rest[..2]),
            _ => (1, &rest[..1]),
        };
        in_string ^= *first == b'"';
        mended.extend_from_slice(written);
        if written.len() > read {
            longer.push(mended.len());
        }
        rest = &rest[read..];
    }
    (mended, longer)
}

fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The parser counts lines of its own, which would be taken for those of the file.
fn broken(error: &serde_json::Error, column: usize) -> Fault {
    let message = error.to_string();
    let message = message.split_once(" at line ").map_or(message.as_str(), |(message, _)| message).to_owned();
    match error.is_data() {
        true => Fault::Record(message),
        false => Fault::Json { column, message },
    }
}

#[derive(Default)]
struct Values {
    html: Option<Vec<u8>>,
    text: Option<Vec<u8>>,
    id: Option<String>,
    url: Option<Vec<u8>>,
}

/// Reads the wanted fields of an object and skips the others, and the page that is not asked for, unparsed.
struct Wanted<'a> {
    fields: &'a Fields,
    input: Option<Input>,
    skips: Skips,
}

/// What of a record is not read, or not as it should be, since it did not come as it should.
#[derive(Clone, Copy, Default)]
struct Skips {
    /// The id is read as bytes, too.
    id_is_text: bool,
    url: bool,
    page: bool,
}

impl<'de> DeserializeSeed<'de> for Wanted<'_> {
    type Value = Values;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Values, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Wanted<'_> {
    type Value = Values;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Values, A::Error> {
        let mut values = Values::default();
        while let Some(Text(key)) = map.next_key()? {
            let is = |field: &str| key == field.as_bytes();
            let is_page = is(&self.fields.html) || is(&self.fields.text);
            if is_page && self.skips.page || is(&self.fields.url) && self.skips.url {
                map.next_value::<IgnoredAny>()?;
            } else if is(&self.fields.html) && self.input != Some(Input::Text) {
                values.html = text_of(&mut map, &self.fields.html)?;
            } else if is(&self.fields.text) && self.input != Some(Input::Html) {
                values.text = text_of(&mut map, &self.fields.text)?;
            } else if is(&self.fields.url) {
                values.url = text_of(&mut map, &self.fields.url)?;
            } else if is(&self.fields.id) {
                values.id = match self.skips.id_is_text {
                    true => map.next_value::<Option<Text>>()?.map(|id| lossy(id.0)),
                    false => id_of(map.next_value()?).map_err(A::Error::custom)?,
                };
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(values)
    }
}

/// An id: a string's text, a number as it is written, since numbers of many digits would be rounded.
fn id_of(raw: &RawValue) -> serde_json::Result<Option<String>> {
    match raw.get().as_bytes() {
        [b'"', ..] => serde_json::from_str(raw.get()).map(Some),
        [b'n', ..] => Ok(None),
        // Written in one way, whatever white space is in it.
        [b'{' | b'[', ..] => {
            let value: serde_json::Result<serde_json::Value> = serde_json::from_str(raw.get());
            Ok(Some(value.map_or_else(|_| raw.get().to_owned(), |value| value.to_string())))
        }
        _ => Ok(Some(raw.get().to_owned())),
    }
}

/// The next value, a string or null. An error names the field.
fn text_of<'de, A: MapAccess<'de>>(map: &mut A, field: &str) -> Result<Option<Vec<u8>>, A::Error> {
    let value = map.next_value::<Option<Text>>().map_err(|error| match error.to_string() {
        wrong if wrong.starts_with("invalid type") => A::Error::custom(format!("field '{field}': {wrong}")),
        _ => error,
    });
    Ok(value?.map(|text| text.0))
}

/// A JSON string as bytes.
struct Text(Vec<u8>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Text, E> {
                let mut text = bytes.to_vec();
                replace_surrogates(&mut text);
                Ok(Text(text))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.as_bytes().to_vec()))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

/// Puts U+FFFD for each lone surrogate. The parser gives three bytes for it that are not UTF-8, of which each would become
/// a U+FFFD of its own.
fn replace_surrogates(text: &mut [u8]) {
    let mut at = 0;
    while let Some(found) = memchr::memchr(0xed, &text[at..]) {
        at += found;
        if let [_, 0xa0..=0xbf, 0x80..=0xbf, ..] = text[at..] {
            text[at..at + 3].copy_from_slice("\u{fffd}".as_bytes());
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(line: &[u8], input: Option<Input>) -> Result<(Option<String>, Input, Vec<u8>), String> {
        let reading = Reading { input, ..Reading::default() };
        let record = parse(line, &reading).map_err(|fault| fault.to_string())?;
        Ok((record.id, record.input, record.page.map_err(|fault| fault.to_string())?))
    }

    #[test]
    fn html_comes_before_text_unless_text_is_asked_for() {
        let line = br#"{"text":"t","id":7,"more":[{"html":"no"}],"html":"<p>\u0633"}"#;
        assert_eq!(page(line, None).unwrap(), (Some("7".into()), Input::Html, "<p>س".as_bytes().to_vec()));
        assert_eq!(page(line, Some(Input::Text)).unwrap().2, b"t");
        assert_eq!(page(br#"{"text":"t","html":null}"#, None).unwrap().1, Input::Text);
    }

    #[test]
    fn invalid_utf8_and_lone_surrogates_do_not_lose_a_page() {
        assert_eq!(page(b"{\"html\":\"a\xffb\"}", None).unwrap().2, b"a\xffb");
        // One for each lone surrogate, and what is none stays: a pair, a letter of Korean with the same first byte.
        let html = page(br#"{"html":"a\ud83db\udc00\ud83d\ude00\ud55c\ud800"}"#, None).unwrap().2;
        assert_eq!(html, "a\u{fffd}b\u{fffd}😀한\u{fffd}".as_bytes());
        let (id, _, html) = page(b"{\"id\":\"a\\ud800\xff\",\"html\":\"b\"}", None).unwrap();
        assert!(id.unwrap().starts_with("a\u{fffd}"));
        assert_eq!(html, b"b");
    }

    #[test]
    fn broken_lines_say_what_is_wrong_and_where() {
        assert!(page(br#"{"html":"a""#, None).unwrap_err().contains("broken JSON at column 11: EOF"));
        assert!(page(br#"{"html":"a"#, None).unwrap_err().contains("broken JSON at column 10: EOF"));
        assert!(page(br#"{"html":[1]}"#, None).unwrap_err().contains("expected a string"));
        assert!(page(br#"{"html":[1]}"#, None).unwrap_err().starts_with("not a record: field 'html': invalid type"));
        assert!(page(br#"[1]"#, None).unwrap_err().contains("expected an object"));
        assert!(page(br#"{"html":"a"} x"#, None).unwrap_err().contains("trailing characters"));
        assert!(page(br#"{"body":"a"}"#, None).unwrap_err().contains("no field 'html' or 'text'"));
    }

    #[test]
    fn what_is_wrong_beside_a_page_does_not_lose_it() {
        let (id, _, html) = page(br#"{"id":7,"url":17,"html":"a"}"#, None).unwrap();
        assert_eq!((id.as_deref(), &*html), (Some("7"), &b"a"[..]));
        assert!(page(b"{\"id\":\"\xff\",\"url\":{},\"html\":\"a\"}", None).is_ok());
        assert_eq!(page(br#"{"html":"","text":"t"}"#, None).unwrap().1, Input::Text);
        assert_eq!(page(br#"{"html":"","text":null}"#, None).unwrap().2, b"");
        // A record without a page has its name still.
        let record = parse(br#"{"id":"x","html":5}"#, &Reading::default()).unwrap();
        assert_eq!((record.id.as_deref(), record.page.is_err()), (Some("x"), true));
    }

    #[test]
    fn white_space_for_a_page_leaves_the_text() {
        let line = br#"{"html":"\n ","text":"t"}"#;
        assert_eq!(page(line, None).unwrap(), (None, Input::Text, b"t".to_vec()));
        assert_eq!(page(line, Some(Input::Html)).unwrap().2, b"\n ");
        assert_eq!(page(br#"{"html":"\n ","text":null}"#, None).unwrap().2, b"\n ");
    }

    #[test]
    fn ids_are_numbers_as_they_are_written() {
        let id = |id: &str| page(format!("{{\"id\":{id},\"html\":\"a\"}}").as_bytes(), None).unwrap().0;
        for number in ["12345678901234567890123", "12345678901234567890124", "1e400", "-0.10", "true"] {
            assert_eq!(id(number).as_deref(), Some(number));
        }
        assert_eq!(id(r#""\u0633\"""#).as_deref(), Some("س\""));
        assert_eq!(id(r#"{ "$oid" : "5" }"#).as_deref(), Some(r#"{"$oid":"5"}"#));
        assert_eq!(id("null"), None);
    }

    #[test]
    fn numbers_that_are_none_lose_nothing() {
        let line = br#"{"id":"x","a":NaN,"b":[-Infinity, Infinity],"c":"\"NaN","html":"a NaN \\","url":NaN}"#;
        assert_eq!(page(line, None).unwrap(), (Some("x".into()), Input::Html, b"a NaN \\".to_vec()));
        assert_eq!(page(br#"{"id":NaN,"text":"t","html":NaN}"#, None).unwrap(), (None, Input::Text, b"t".to_vec()));
        // What else is wrong is told where it stands in the line.
        let broken = page(br#"{"a":NaN,"b":NaN,"html":x}"#, None).unwrap_err();
        let plain = page(br#"{"a":123,"b":123,"html":x}"#, None).unwrap_err();
        assert!(plain.contains("broken JSON at column 25") && broken == plain, "{broken}");
        let record = parse(br#"{"id":"x","a":NaN,"html":5}"#, &Reading::default()).unwrap();
        assert_eq!((record.id.as_deref(), record.page.is_err()), (Some("x"), true));
    }

    #[test]
    fn a_cut_line_is_cut_at_its_end() {
        assert!(page(b"{\"html\":\"a\"\r\n", None).unwrap_err().contains("broken JSON at column 11: EOF"));
    }

    #[test]
    fn an_overlong_line_is_one_error_and_the_next_is_read() {
        let text = format!("{{\"html\":\"{}\"}}\n\n{{\"html\":\"b\"}}", "x".repeat(200_000));
        let reading = Arc::new(Reading { max_page_bytes: 1_000, ..Reading::default() });
        let reader = Box::new(std::io::Cursor::new(text));
        let pages: Vec<_> = JsonLines::new(reader, "f.jsonl".into(), 0, Position::default(), reading).collect();
        assert_eq!(pages.len(), 2);
        assert!(pages[0].as_ref().unwrap_err().to_string().starts_with("f.jsonl:1: larger than"));
        assert_eq!(pages[1].as_ref().unwrap().id, "f.jsonl:3");
    }
}
