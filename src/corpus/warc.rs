//! WARC files: the records of a crawl, of which the web pages are taken (ISO 28500:2017, WARC/1.0 and 1.1).
//!
//! Crawls are written by many programs, and files of them are cut off and damaged: what is no record costs one error, and
//! reading goes on with the next that can be found. The crates that read WARC files do not get past such a place, give a
//! cut gzip file for a whole one, or reserve as much memory as a damaged head says.

use std::borrow::Cow;
use std::io::{self, BufRead, Read};
use std::sync::Arc;

use crate::page::{Input, decode};

use super::compressed::{Position, is_end};
use super::{Fault, PageError, PassedOver, RawPage, Reading};

mod http;

use http::{Coding, Head, MediaType};

/// What each record begins with, before its version.
pub const MAGIC: &[u8] = b"WARC/";
/// Longer heads have no end that is worth looking for. Some crawlers write JSON into a field.
const LONGEST_HEAD: u64 = 1 << 20;
/// The longest beginning of a line that is looked at where the next record is looked for.
const LONGEST_START: u64 = 256;
/// What chunks of a few bytes add to a page.
const CHUNKED: u64 = 2;

const NO_RECORD: &str = "no WARC record begins here; reading goes on with the next one that is found";
const NO_LENGTH: &str = "the record has no Content-Length that is a number; reading goes on with the next one";
const NO_END: &str = "the head of the record has no end; reading goes on with the next one";
const WRONG_LENGTH: &str = "the record is not as long as its Content-Length says; reading goes on with the next one";
const CUT: &str = "the file ends within the record that begins here; fetch the file again";

/// The pages of a WARC stream; other records are passed over and counted.
pub struct WarcRecords {
    stream: Stream,
    /// The file's name, for messages.
    name: String,
    accounted: u64,
    reading: Arc<Reading>,
    passed_over: PassedOver,
    /// Whether the next record has to be looked for.
    lost: bool,
    ended: bool,
}

/// A page as its record has it: undecoded, which is the work of many threads.
#[derive(Debug)]
pub struct Stored {
    pub url: Option<String>,
    pub input: Input,
    charset: Option<String>,
    codings: Vec<Coding>,
    /// Whether the crawler says that it has only the beginning.
    is_cut: bool,
    payload: Vec<u8>,
}

impl Stored {
    /// Bytes that it holds in memory.
    pub fn held(&self) -> usize {
        self.payload.len()
    }

    /// The page's bytes, which can be had once.
    pub fn decoded(&mut self, limit: u64) -> Result<Vec<u8>, Fault> {
        let payload = std::mem::take(&mut self.payload).into();
        http::decoded(payload, &self.codings, limit, self.is_cut).map(Cow::into_owned)
    }

    /// The charset that the server named for these bytes, if it may be right.
    pub fn charset_of(&self, bytes: &[u8]) -> Option<String> {
        self.charset.clone().filter(|charset| decode::may_be(charset, bytes))
    }
}

/// What a record is to its reader.
enum Kind {
    /// A page, but for its payload.
    Page(Stored),
    /// A page, if its payload is; the kind that it is counted as otherwise.
    PageIfHtml(Stored, &'static str),
    Other(String),
}

/// A record's name and what can go wrong with it.
struct Failure {
    id: Option<String>,
    url: Option<String>,
    fault: Fault,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::from(Fault::from(error))
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Failure {
        Failure { id: None, url: None, fault }
    }
}

impl WarcRecords {
    /// Reads a stream from its beginning, of which so many bytes of white space are read already.
    pub fn new(
        reader: Box<dyn BufRead + Send>,
        name: String,
        skipped: u64,
        position: Position,
        reading: Arc<Reading>,
        passed_over: PassedOver,
    ) -> Self {
        let stream = Stream { reader, at: skipped, record: 0, position, member: 0, member_at: 0, in_block: false };
        WarcRecords { stream, name, accounted: 0, reading, passed_over, lost: false, ended: false }
    }

    /// Reads the record whose first line is read; `None` if it is no page.
    fn record(&mut self, mut head: Vec<u8>) -> Result<Option<(Option<String>, Stored)>, Failure> {
        // Until the record's end is known.
        self.lost = true;
        if !is_version(&head) {
            return Err(Fault::Warc(NO_RECORD).into());
        }
        if !read_head(&mut (&mut self.stream).take(LONGEST_HEAD), &mut head)? {
            return Err(Fault::Warc(if self.stream.fill_buf()?.is_empty() { CUT } else { NO_END }).into());
        }
        let head = Head::parse(&head);
        let id = head.get("warc-record-id").map(bare).filter(|id| !id.is_empty()).map(str::to_owned);
        let url = head.get("warc-target-uri").map(bare_uri).filter(|url| !url.is_empty()).map(str::to_owned);
        let named = |fault: Fault| Failure { id: id.clone(), url: url.clone(), fault };
        let length = head.get("content-length").and_then(|length| length.parse().ok());
        let length: u64 = length.ok_or_else(|| named(Fault::Warc(NO_LENGTH)))?;

        self.stream.in_block = true;
        let mut block = (&mut self.stream).take(length);
        let read = read_block(&mut block, &head, url.clone(), &self.reading);
        let missing = block.limit();
        self.stream.in_block = false;
        let read = read.map_err(|error| named(error.into()))?;
        if missing > 0 {
            // The file has ended, or a gzip member behind which another record begins.
            let is_cut = self.stream.fill_buf().is_ok_and(<[u8]>::is_empty);
            return Err(named(Fault::Warc(if is_cut { CUT } else { WRONG_LENGTH })));
        }
        if !self.stream.ends_record() {
            return Err(named(Fault::Warc(WRONG_LENGTH)));
        }
        self.lost = false;
        match read.map_err(named)? {
            Kind::Page(page) => Ok(Some((id, page))),
            Kind::PageIfHtml(page, _) if is_html(&page) => Ok(Some((id, page))),
            Kind::PageIfHtml(_, kind) => {
                self.passed_over.count(kind);
                Ok(None)
            }
            Kind::Other(kind) => {
                self.passed_over.count(&kind);
                Ok(None)
            }
        }
    }
}

impl Iterator for WarcRecords {
    type Item = Result<RawPage, PageError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            let line = if self.lost { self.stream.next_version() } else { self.stream.next_line() };
            let place = format!("{}:{}", self.name, self.stream.record);
            let read = match line {
                Ok(None) => {
                    self.ended = true;
                    continue;
                }
                Ok(Some(line)) => self.record(line),
                Err(error) => {
                    self.lost = true;
                    Err(error.into())
                }
            };
            let mut stored = || {
                let position = self.stream.position.read();
                position.saturating_sub(std::mem::replace(&mut self.accounted, position))
            };
            match read {
                Ok(None) => {}
                Ok(Some((id, page))) => {
                    let id = id.unwrap_or_else(|| place.clone());
                    return Some(Ok(RawPage::warc(id, place, page, stored(), Arc::clone(&self.reading))));
                }
                Err(Failure { id, url, fault }) => {
                    self.ended = match &fault {
                        Fault::Truncated => true,
                        Fault::Read(error) => is_end(error),
                        _ => false,
                    };
                    let id = id.unwrap_or_else(|| place.clone());
                    return Some(Err(PageError { id, url, place, stored: stored(), fault }));
                }
            }
        }
        None
    }
}

/// Reads a record's block, and to its end; or what is wrong with this record alone.
fn read_block(
    block: &mut io::Take<&mut Stream>,
    head: &Head,
    url: Option<String>,
    reading: &Reading,
) -> io::Result<Result<Kind, Fault>> {
    let mut kind = match head.get("warc-type").unwrap_or_default().to_ascii_lowercase().as_str() {
        _ if head.get("warc-segment-number").is_some() => Kind::Other("segment".to_owned()),
        "response" => response(block, head)?,
        made @ ("resource" | "conversion") => file(made, head.get("content-type")),
        known @ ("request" | "metadata" | "warcinfo" | "revisit" | "continuation") => Kind::Other(known.to_owned()),
        _ => Kind::Other("record of no known type".to_owned()),
    };
    if let Kind::Page(page) | Kind::PageIfHtml(page, _) = &mut kind {
        let is_chunked = page.codings.contains(&Coding::Chunked);
        let limit = reading.max_page_bytes.saturating_mul(if is_chunked { CHUNKED } else { 1 });
        if block.limit() > limit {
            skip(block)?;
            return Ok(match kind {
                // A video, more likely than a page.
                Kind::PageIfHtml(_, untyped) => Ok(Kind::Other(untyped.to_owned())),
                _ => Err(Fault::TooLarge { limit: reading.max_page_bytes }),
            });
        }
        page.url = url;
        page.is_cut = head.get("warc-truncated").is_some();
        // Not at once what the head says: it may be damaged, and the file be small.
        page.payload.reserve_exact(block.limit().min(1 << 20) as usize);
        block.read_to_end(&mut page.payload)?;
    }
    skip(block)?;
    Ok(Ok(kind))
}

/// What a server's answer is. Its head is read, not its body.
fn response(block: &mut io::Take<&mut Stream>, record: &Head) -> io::Result<Kind> {
    let mut head = Vec::new();
    read_head(&mut block.by_ref().take(LONGEST_HEAD), &mut head)?;
    let head = Head::parse(&head);
    let Some(status) = head.status() else { return Ok(Kind::Other("response without HTTP".to_owned())) };
    if !(200..300).contains(&status) {
        return Ok(Kind::Other(format!("status {status}")));
    }
    let mut page = Stored {
        url: None,
        input: Input::Html,
        charset: None,
        codings: head.codings(),
        is_cut: false,
        payload: Vec::new(),
    };
    // Common Crawl says in the record what it found the body to be.
    let media = head.get("content-type").or_else(|| record.get("warc-identified-payload-type")).map(MediaType::parse);
    Ok(match media.filter(|media| !media.name.is_empty()) {
        None => Kind::PageIfHtml(page, "response of no type"),
        Some(media) if media.is_html() => {
            page.charset = media.charset;
            Kind::Page(page)
        }
        Some(media) => Kind::Other(media.name),
    })
}

/// What a record is that holds no server's answer but a file, or what was made of one.
fn file(record: &str, content_type: Option<&str>) -> Kind {
    let media = content_type.map(MediaType::parse).unwrap_or_default();
    let input = match media.name.as_str() {
        _ if media.is_html() => Input::Html,
        // Common Crawl's WET. Texts that are resources are logs.
        "text/plain" if record == "conversion" => Input::Text,
        "" => return Kind::Other(format!("{record} of no type")),
        _ => return Kind::Other(media.name),
    };
    let (charset, codings) = (media.charset, Vec::new());
    Kind::Page(Stored { url: None, input, charset, codings, is_cut: false, payload: Vec::new() })
}

/// Whether a page of which no type is told begins as HTML does.
fn is_html(page: &Stored) -> bool {
    const BEGINNING: u64 = 4 << 10;
    let beginning = http::decoded(Cow::Borrowed(&page.payload), &page.codings, BEGINNING, true);
    beginning.is_ok_and(|beginning| http::begins_as_html(&beginning))
}

/// A record's own name in its usual form, `<urn:uuid:...>`.
fn bare(id: &str) -> &str {
    let id = bare_uri(id);
    id.strip_prefix("urn:uuid:").unwrap_or(id)
}

/// Some versions of wget put an address in angle brackets.
fn bare_uri(uri: &str) -> &str {
    uri.strip_prefix('<').and_then(|uri| uri.strip_suffix('>')).unwrap_or(uri).trim()
}

fn is_version(line: &[u8]) -> bool {
    line.strip_prefix(MAGIC).and_then(|version| version.first()).is_some_and(u8::is_ascii_digit)
}

/// Reads lines up to an empty one; whether there was one.
fn read_head(from: &mut impl BufRead, head: &mut Vec<u8>) -> io::Result<bool> {
    loop {
        let start = head.len();
        from.read_until(b'\n', head)?;
        match &head[start..] {
            b"\n" | b"\r\n" => return Ok(true),
            line if !line.ends_with(b"\n") => return Ok(false),
            _ => {}
        }
    }
}

fn skip(from: &mut impl BufRead) -> io::Result<()> {
    loop {
        match from.fill_buf()?.len() {
            0 => return Ok(()),
            read => from.consume(read),
        }
    }
}

/// A stream that knows where its records begin.
struct Stream {
    reader: Box<dyn BufRead + Send>,
    /// Bytes that were used, decompressed.
    at: u64,
    /// Where the last record begins: as indexes have it in bytes of the file, with its gzip member or zstd frame. In a file
    /// that was compressed as a whole, in bytes of what is in it.
    record: u64,
    position: Position,
    /// Where the member begins that is read, as it is stored and decompressed.
    member: u64,
    member_at: u64,
    /// Whether it is within a record's block. That may go on in another member, but ends where a record begins there.
    in_block: bool,
}

impl Stream {
    /// The first line of the next record, or its beginning.
    fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let line = self.start()?;
            if line.is_empty() || !line.trim_ascii().is_empty() {
                return Ok(Some(line).filter(|line| !line.is_empty()));
            }
        }
    }

    /// The first line of the next record that can be found.
    fn next_version(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let line = match self.start() {
                Ok(line) if line.is_empty() => return Ok(None),
                Ok(line) if is_version(&line) => return Ok(Some(line)),
                Ok(line) => line,
                Err(error) if is_end(&error) => return Err(error),
                // One error was told. Behind it, what looks like the next member may be none.
                Err(_) => continue,
            };
            if !line.ends_with(b"\n") {
                self.in_block = true;
                // Whatever is wrong, it comes again.
                let _ = self.skip_until(b'\n');
                self.in_block = false;
            }
        }
    }

    /// Whether a record ends here: with two empty lines, its member, the file, or another record. What is wrong with the
    /// bytes that follow is told with the next record.
    fn ends_record(&mut self) -> bool {
        let member = self.member;
        for _ in 0..b"\r\n\r\n".len() {
            let Ok(next) = self.fill_buf() else { return true };
            match next.first() {
                Some(b'\r' | b'\n') => {}
                None => return true,
                Some(_) => {
                    let is_record = MAGIC.starts_with(&next[..next.len().min(MAGIC.len())]);
                    return is_record || self.member != member;
                }
            }
            self.consume(1);
        }
        true
    }

    /// The beginning of a line, where a record may begin.
    fn start(&mut self) -> io::Result<Vec<u8>> {
        if let Err(error) = self.fill_buf() {
            let member = self.position.member();
            self.record = if member > 0 { member } else { self.at };
            return Err(error);
        }
        self.record = if self.at == self.member_at { self.member } else { self.at };
        let mut line = Vec::new();
        self.in_block = true;
        let read = self.by_ref().take(LONGEST_START).read_until(b'\n', &mut line);
        self.in_block = false;
        read.map(|_| line)
    }
}

impl BufRead for Stream {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let buffer = self.reader.fill_buf()?;
        let member = self.position.member();
        if member != self.member && !buffer.is_empty() {
            if self.in_block && MAGIC.starts_with(&buffer[..buffer.len().min(MAGIC.len())]) {
                return Ok(&[]);
            }
            (self.member, self.member_at) = (member, self.at);
        }
        Ok(buffer)
    }

    fn consume(&mut self, count: usize) {
        self.reader.consume(count);
        self.at += count as u64;
    }
}

impl Read for Stream {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(out)?;
        self.consume(read);
        Ok(read)
    }
}
