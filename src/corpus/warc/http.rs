//! What a server answered, as a crawl has it: the head, and the body out of its codings.

use std::borrow::Cow;
use std::io::Read;

use brotli_decompressor::Decompressor;
use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};

use super::super::Fault;
use crate::page::{Input, check, looks_like};

/// Fields with their first line: of an answer, and of a record, which has the same form.
pub struct Head {
    first: String,
    /// By their names in lower case.
    fields: Vec<(String, String)>,
}

/// How a body was coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    Chunked,
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

/// What kind of file a body is.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct MediaType {
    /// In lower case; empty where there is none.
    pub name: String,
    pub charset: Option<String>,
}

impl Head {
    /// Reads lines. What has no name is left out.
    pub fn parse(bytes: &[u8]) -> Head {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default().to_owned();
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in lines {
            if line.starts_with([' ', '\t'])
                && let Some((_, value)) = fields.last_mut()
            {
                // The field before goes on.
                value.push(' ');
                value.push_str(line.trim());
            } else if let Some((name, value)) = line.split_once(':') {
                fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
            }
        }
        Head { first, fields }
    }

    /// The value of the first field with a name, which is in lower case here.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(is, _)| is == name).map(|(_, value)| value.as_str())
    }

    /// The status of an answer, of any version of HTTP.
    pub fn status(&self) -> Option<u16> {
        let mut words = self.first.split_ascii_whitespace();
        let is_http = words.next()?.get(..5)?.eq_ignore_ascii_case("http/");
        words.next()?.parse().ok().filter(|_| is_http)
    }

    /// How the body was coded, the outermost first.
    pub fn codings(&self) -> Vec<Coding> {
        let of = |name: &'static str| {
            let values = self.fields.iter().filter(move |(is, _)| is == name);
            values.flat_map(|(_, value)| value.split(',')).filter_map(Coding::named).collect::<Vec<_>>()
        };
        let (content, transfer) = (of("content-encoding"), of("transfer-encoding"));
        content.into_iter().chain(transfer).rev().collect()
    }
}

impl Coding {
    /// A coding by its name. What servers write there besides, such as `utf-8`, is none.
    fn named(name: &str) -> Option<Coding> {
        Some(match name.trim().to_ascii_lowercase().as_str() {
            "chunked" => Coding::Chunked,
            "gzip" | "x-gzip" => Coding::Gzip,
            "deflate" => Coding::Deflate,
            "br" => Coding::Brotli,
            "zstd" => Coding::Zstd,
            _ => return None,
        })
    }

    /// Whether bytes are in it. Many crawlers store a body decoded, and its head as it was.
    fn is_of(self, bytes: &[u8]) -> bool {
        match self {
            Coding::Gzip => bytes.starts_with(b"\x1f\x8b"),
            Coding::Zstd => bytes.starts_with(b"\x28\xb5\x2f\xfd"),
            // They begin with no mark, but are neither readable nor marked up.
            Coding::Deflate | Coding::Brotli => check(bytes).is_err() || looks_like(bytes) == Input::Text,
            Coding::Chunked => chunk(bytes).is_some(),
        }
    }

    fn decoder<'a>(self, bytes: &'a [u8]) -> std::io::Result<Box<dyn Read + 'a>> {
        Ok(match self {
            Coding::Chunked => Box::new(Chunks { rest: bytes, chunk: &[] }),
            // Bytes behind the end of the first member are not read, as in browsers.
            Coding::Gzip => Box::new(GzDecoder::new(bytes)),
            // The standard means zlib, some servers the bare stream.
            Coding::Deflate if is_zlib(bytes) => Box::new(ZlibDecoder::new(bytes)),
            Coding::Deflate => Box::new(DeflateDecoder::new(bytes)),
            Coding::Brotli => Box::new(Decompressor::new(bytes, 4 << 10)),
            Coding::Zstd => Box::new(zstd::Decoder::with_buffer(bytes)?),
        })
    }
}

impl MediaType {
    /// Reads the value of a field `Content-Type`.
    pub fn parse(value: &str) -> MediaType {
        const LONGEST: usize = 80;
        let end = value.find([';', ',', ' ', '\t']).unwrap_or(value.len());
        let (name, parameters) = value.split_at(end);
        let mut name = name.to_ascii_lowercase();
        // It is told to the user, and may be anything.
        if name.len() > LONGEST || !name.bytes().all(|b| b.is_ascii_graphic()) {
            name = "broken type".to_owned();
        }
        let parameters = parameters.split([';', ',', ' ', '\t']).filter_map(|parameter| parameter.split_once('='));
        let mut charsets = parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
        let charset = charsets.next().map(|(_, charset)| charset.trim_matches(['"', '\'', ' ']).to_owned());
        MediaType { name, charset }
    }

    pub fn is_html(&self) -> bool {
        matches!(self.name.as_str(), "text/html" | "application/xhtml+xml" | "application/vnd.wap.xhtml+xml")
    }
}

/// A body out of its codings, those that it is not in any more left out.
///
/// Of one that `is_cut` this is what there is of it, up to the limit.
pub fn decoded<'a>(body: Cow<'a, [u8]>, codings: &[Coding], limit: u64, is_cut: bool) -> Result<Cow<'a, [u8]>, Fault> {
    let mut body = body;
    for coding in codings {
        if !coding.is_of(&body) {
            continue;
        }
        let mut out = Vec::new();
        let read = coding.decoder(&body)?.take(limit + 1).read_to_end(&mut out);
        match read {
            Err(error) if !is_cut || out.is_empty() => return Err(error.into()),
            Ok(_) if out.len() as u64 > limit && !is_cut => return Err(Fault::TooLarge { limit }),
            _ => body = Cow::Owned(out),
        }
    }
    Ok(body)
}

/// The first two bytes of a zlib stream: deflate, and a sum to check it.
fn is_zlib(bytes: &[u8]) -> bool {
    matches!(bytes, [first, second, ..] if first & 15 == 8 && u16::from_be_bytes([*first, *second]) % 31 == 0)
}

/// The bytes of chunks. A body that ends too early, as many do, ends there.
struct Chunks<'a> {
    rest: &'a [u8],
    chunk: &'a [u8],
}

/// Splits off a chunk and its length before it; `None` where no length is.
fn chunk(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    const LONGEST: usize = 4 << 10;
    let end = memchr::memchr(b'\n', &bytes[..bytes.len().min(LONGEST)])?;
    let line = std::str::from_utf8(&bytes[..end]).ok()?;
    let length = usize::from_str_radix(line.split(';').next()?.trim(), 16).ok()?;
    let rest = &bytes[end + 1..];
    let (chunk, rest) = rest.split_at(length.min(rest.len()));
    let rest = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n")).unwrap_or(rest);
    Some((chunk, rest))
}

impl Read for Chunks<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.chunk.is_empty() {
            (self.chunk, self.rest) = chunk(self.rest).unwrap_or_default();
        }
        self.chunk.read(out)
    }
}

/// Whether a file of which no type is told is a page, by what browsers look for (MIME sniffing standard, 7.1), and XHTML.
pub fn begins_as_html(bytes: &[u8]) -> bool {
    const TAGS: [&str; 17] = [
        "!doctype html",
        "html",
        "head",
        "script",
        "iframe",
        "h1",
        "div",
        "font",
        "table",
        "a",
        "style",
        "title",
        "b",
        "body",
        "br",
        "p",
        "!--",
    ];
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let Some(tag) = bytes.strip_prefix(b"<") else { return false };
    if tag.starts_with(b"?xml") {
        return tag.windows(5).any(|five| five.eq_ignore_ascii_case(b"<html"));
    }
    TAGS.iter().any(|name| {
        let is_tag = tag.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()));
        is_tag && (*name == "!--" || matches!(tag.get(name.len()), Some(b' ' | b'>' | b'\n' | b'\r' | b'\t')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_by_any_name_and_over_several_lines() {
        let head = Head::parse(b"HTTP/1.1 200 OK\r\n broken\r\nA-b : c\r\n\td\r\nno field\r\nA-B: e\r\n\r\n");
        assert_eq!((head.status(), head.get("a-b"), head.get("b")), (Some(200), Some("c d"), None));
        for (line, status) in
            [("http/2 404", Some(404)), ("HTTP/1.0", None), ("GET / HTTP/1.1", None), ("é/11 200", None)]
        {
            assert_eq!(Head::parse(line.as_bytes()).status(), status, "{line}");
        }
        let codings =
            Head::parse(b"\nContent-Encoding: utf-8, gzip\nTransfer-Encoding: X-GZip,chunked\ncontent-encoding: br");
        assert_eq!(codings.codings(), [Coding::Chunked, Coding::Gzip, Coding::Brotli, Coding::Gzip]);
    }

    #[test]
    fn media_types_have_a_name_and_a_charset() {
        let of = |value: &str| {
            let media = MediaType::parse(value);
            (media.is_html(), media.name, media.charset.unwrap_or_default())
        };
        for value in [
            "Text/HTML; charset=windows-1256",
            "text/html;a=b; CHARSET='windows-1256'",
            "text/html charset=windows-1256",
        ] {
            assert_eq!(of(value), (true, "text/html".into(), "windows-1256".into()), "{value}");
        }
        assert_eq!(of("application/xhtml+xml").1, "application/xhtml+xml");
        assert_eq!(of(" "), (false, String::new(), String::new()));
        assert_eq!(of(&"x".repeat(500)).1, "broken type");
        assert_eq!(of("ab\u{1b}[1m").1, "broken type");
    }

    fn all(codings: &[Coding], body: &[u8]) -> Result<Vec<u8>, Fault> {
        decoded(body.into(), codings, 1_000, false).map(Cow::into_owned)
    }

    #[test]
    fn brotli_and_both_forms_of_deflate() {
        use std::io::Write;
        let brotli = b"\x1b\x05\x01\xf8\x9d\x07\x76\x2c\x18\x61\x66\x85\x47\x14\x91\x1a\x3b\x1b\xc4\x25\xec\x80\x9d\xf7\xe4\x18\
            \x3c\x2d\x48\x58\xa8\xa8\x79\x7c\xe0\xb2\xa5\x20\xc2\x8c\x98\x18\xdc\x70\x4d\x39\x05\xe4\xa9\x30\xc6\xc8\x80\xd2\
            \x90\x6e\x6d\x5f\x06";
        let html = format!("<!doctype html><p>{}</p>", "مرحبا بالقارئ العزيز. ".repeat(6));
        assert_eq!(all(&[Coding::Brotli], brotli).unwrap(), html.as_bytes());
        assert!(all(&[Coding::Brotli], &brotli[..30]).is_err());
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        zlib.write_all(html.as_bytes()).unwrap();
        let zlib = zlib.finish().unwrap();
        assert_eq!(all(&[Coding::Deflate], &zlib).unwrap(), html.as_bytes());
        assert_eq!(all(&[Coding::Deflate], &zlib[2..zlib.len() - 4]).unwrap(), html.as_bytes());
        // What the crawler decoded is as it is, in any charset.
        for coding in [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd, Coding::Chunked] {
            assert_eq!(all(&[coding], html.as_bytes()).unwrap(), html.as_bytes(), "{coding:?}");
            assert_eq!(all(&[coding], b"<p>\xd3\xe1\xc7\xe3").unwrap(), b"<p>\xd3\xe1\xc7\xe3", "{coding:?}");
        }
    }

    #[test]
    fn chunks_end_where_the_body_does() {
        let chunks = |body: &str| String::from_utf8(all(&[Coding::Chunked], body.as_bytes()).unwrap()).unwrap();
        assert_eq!(chunks("3\r\nabc\r\n0A;x=y\r\n0123456789\r\n0\r\n\r\n"), "abc0123456789");
        assert_eq!(chunks("3 \nabc\n2\nde\n0\n\n"), "abcde", "line feeds alone");
        assert_eq!(chunks("3\r\nabc\r\nff\r\ncut"), "abccut");
        assert_eq!(chunks("3\r\nabc\r\nno length"), "abc");
        assert_eq!(chunks("0\r\n\r\n"), "");
        assert_eq!(chunks("ffffffffffffffffff\r\nabc"), "ffffffffffffffffff\r\nabc");
    }

    #[test]
    fn what_decodes_to_more_than_the_limit_is_an_error() {
        let zstd = zstd::encode_all(&b"<p>".repeat(100_000)[..], 0).unwrap();
        assert!(matches!(all(&[Coding::Zstd], &zstd), Err(Fault::TooLarge { limit: 1_000 })));
        let cut = decoded(zstd.as_slice().into(), &[Coding::Zstd], 1_000, true).unwrap();
        assert_eq!(cut.len(), 1_001);
    }

    #[test]
    fn pages_are_known_by_their_beginning() {
        for page in
            ["\u{feff} <!DOCTYPE HTML>", "<p>x", "<!-- x -->", "<html\nlang=ar>", "<?xml version=\"1.0\"?>\n<HTML>"]
        {
            assert!(begins_as_html(page.as_bytes()), "{page}");
        }
        for other in ["", "<", "<pre", "{\"a\": \"<p>\"}", "<?xml version=\"1.0\"?><rss>", "<svg>", "text"] {
            assert!(!begins_as_html(other.as_bytes()), "{other}");
        }
    }
}
