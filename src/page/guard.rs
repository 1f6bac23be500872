//! What is refused before it is parsed: files that are no pages.

use super::Input;

/// Why bytes are no page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAPage {
    /// There is nothing in it.
    #[error("empty")]
    Empty,
    /// A page and its files in one, as browsers save it.
    #[error("not a page: MHTML, a page with its files in one; save it as \"Webpage, HTML only\", or convert it")]
    Mhtml,
    /// A crawl's records.
    #[error("not a page: a WARC file, of many records; {WARC}")]
    Warc,
    /// It is something else.
    #[error("not a page: it looks like {0}")]
    LooksLike(&'static str),
}

const WARC: &str = match cfg!(feature = "warc") {
    true => "`lubb apply` reads the pages of one under a name that is none of a page, such as crawl.warc.gz",
    false => "lubb reads the pages of one where it is built with its feature warc",
};

/// How far into a file its nature is looked for.
const HEAD: usize = 64 << 10;

/// First bytes, how far in they stand, and what has them.
const SIGNATURES: &[(usize, &[u8], &str)] = &[
    (0, b"\x89PNG", "a PNG image"),
    (0, b"\xff\xd8\xff", "a JPEG image"),
    (0, b"%PDF-", "a PDF"),
    (0, b"PK\x03\x04", "a ZIP archive or an office document; of a WACZ, unpack the WARC files and name these"),
    (0, b"\x1f\x8b", "gzip; unpack it first"),
    (0, b"\x28\xb5\x2f\xfd", "zstd; unpack it first"),
    (0, b"\xfd7zXZ", "an xz file"),
    (0, b"7z\xbc\xaf", "a 7-Zip archive"),
    (0, b"Rar!\x1a\x07", "a RAR archive"),
    (257, b"ustar", "a tar archive"),
    (0, b"\x7fELF", "an ELF program"),
    (0, b"\xd0\xcf\x11\xe0", "an old office document"),
    (0, b"\x1aE\xdf\xa3", "a Matroska video"),
    (0, b"ID3\x02", "an MP3 file"),
    (0, b"ID3\x03", "an MP3 file"),
    (0, b"ID3\x04", "an MP3 file"),
    (0, b"OggS", "an Ogg file"),
    (0, b"SQLite format 3", "an SQLite database"),
    (0, b"\xff\xfe\0\0", UTF32),
    (0, b"\0\0\xfe\xff", UTF32),
    (0, b"filedesc://", "an ARC file; make a WARC file of it, as `warcio recompress` does"),
];

/// Its mark begins as that of UTF-16.
const UTF32: &str = "a text in UTF-32, which no browser reads; convert it with `iconv -f UTF-32 -t UTF-8`";

/// What has first bytes that a text may begin with too, told by what follows them.
fn lettered(bytes: &[u8]) -> Option<&'static str> {
    let rest = |magic: &[u8]| bytes.strip_prefix(magic);
    let is_text = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~');
    // The size of the image and what its colours are: one of these bytes is no letter.
    let is_gif = |rest: &[u8]| rest.get(..7).is_some_and(|screen| !screen.iter().all(is_text));
    if [b"GIF87a", b"GIF89a"].into_iter().filter_map(|magic| rest(magic)).any(is_gif) {
        return Some("a GIF image");
    }
    if rest(b"RIFF").is_some_and(|rest| rest.get(4..8) == Some(b"WEBP")) {
        return Some("a WebP image");
    }
    // The level, and the mark of the first block or of the end.
    let is_block = |rest: &[u8]| rest.starts_with(b"1AY&SY") || rest.starts_with(b"\x17\x72\x45\x38\x50\x90");
    if let Some([b'1'..=b'9', rest @ ..]) = rest(b"BZh")
        && is_block(rest)
    {
        return Some("a bzip2 file");
    }
    // The first box is short, and so its length is no text.
    if bytes.get(4..8) == Some(b"ftyp") && bytes.starts_with(&[0, 0]) {
        return Some("an MP4 video");
    }
    // Pages of a column come first, whose header is no text; the mark stands at the end too.
    (rest(b"PAR1")?.first().is_some_and(|byte| !is_text(byte)) || bytes.len() > 8 && bytes.ends_with(b"PAR1"))
        .then_some("a Parquet file")
}

/// Refuses what is no page.
///
/// ```
/// use lubb::page::check;
/// assert!(check(b"<p>A page").is_ok());
/// assert_eq!(check(b"%PDF-1.7").unwrap_err().to_string(), "not a page: it looks like a PDF");
/// ```
///
/// # Errors
/// What they look like, or that there are none.
pub fn check(bytes: &[u8]) -> Result<(), NotAPage> {
    if bytes.trim_ascii().is_empty() {
        return Err(NotAPage::Empty);
    }
    if let Some((_, _, what)) =
        SIGNATURES.iter().find(|(at, magic, _)| bytes.get(*at..).is_some_and(|b| b.starts_with(magic)))
    {
        return Err(NotAPage::LooksLike(what));
    }
    if let Some(what) = lettered(bytes) {
        return Err(NotAPage::LooksLike(what));
    }
    if bytes.strip_prefix(b"WARC/").and_then(|version| version.first()).is_some_and(u8::is_ascii_digit) {
        return Err(NotAPage::Warc);
    }
    let head = &bytes[..bytes.len().min(HEAD)];
    if is_mhtml(head) {
        return Err(NotAPage::Mhtml);
    }
    // Most pages have none, which is found in a tenth of the time that counting takes.
    let first = memchr::memchr(0, head).unwrap_or(head.len()) & !1;
    let zeros = |parity: usize| head[first..].iter().skip(parity).step_by(2).filter(|b| **b == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    // In UTF-16 the zeros are nearly all in one half of each unit.
    let utf16 = head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") || even.min(odd) * 10 < even.max(odd);
    if (even + odd) * 10 > head.len() && !utf16 && !has_markup(head) {
        return Err(NotAPage::LooksLike("binary data"));
    }
    // Of random bytes, as a compressed page has them, a tenth is; texts in any encoding have none but by accident.
    let is_control = |b: &&u8| matches!(b, 1..=8 | 0x0e..=0x1a | 0x1c..=0x1f | 0x7f);
    if !utf16 && head.iter().filter(is_control).count() * 20 > head.len() {
        return Err(NotAPage::LooksLike("binary or compressed data"));
    }
    Ok(())
}

/// Whether a file begins as a message of several parts does: header fields, one of MIME or of parts among them.
fn is_mhtml(head: &[u8]) -> bool {
    const MOST: usize = 30;
    let lines = head.trim_ascii_start().split(|b| *b == b'\n').map(|line| line.trim_ascii_end());
    let names = ["mime-version:", "snapshot-content-location:", "content-type: multipart/related"];
    let begins = |line: &[u8], name: &str| {
        line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
    };
    lines.take(MOST).take_while(|line| is_field(line)).any(|line| names.iter().any(|name| begins(line, name)))
}

/// Whether a line is a header field or goes on with one.
fn is_field(line: &[u8]) -> bool {
    let name = line.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'-').count();
    line.starts_with(b" ") || line.starts_with(b"\t") || name > 0 && line.get(name) == Some(&b':')
}

/// Whether bytes of unknown origin are HTML or plain text.
pub fn looks_like(bytes: &[u8]) -> Input {
    if has_markup(&bytes[..bytes.len().min(HEAD)]) { Input::Html } else { Input::Text }
}

/// Whether there is a tag, a comment or a doctype, in any encoding whose ASCII is ASCII, or in UTF-16.
fn has_markup(bytes: &[u8]) -> bool {
    memchr::memchr_iter(b'<', bytes).any(|at| {
        let next = bytes[at + 1..].iter().find(|b| **b != 0);
        next.is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'!' | b'/' | b'?'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binaries_are_named_and_broken_pages_are_pages() {
        let refused = |bytes: &[u8]| check(bytes).unwrap_err().to_string();
        assert!(refused(b"\x89PNG\r\n\x1a\n....").ends_with("a PNG image"));
        assert!(refused(b"\x7fELF\x02\x01").ends_with("an ELF program"));
        assert!(refused(&[7, 0, 0, 1].repeat(100)).ends_with("binary data"));
        // Compressed bytes are all as frequent, `<a` among them.
        let mut random = fastrand::Rng::with_seed(3);
        let compressed: Vec<u8> = (0..5_000).map(|_| random.u8(..)).collect();
        assert!(refused(&compressed).ends_with("compressed data"));
        assert!(refused(b"WARC/1.0\r\nWARC-Type: warcinfo\r\n\r\n").starts_with("not a page: a WARC file"));
        assert!(check(b"WARC/ISO 28500 is a form of archive.").is_ok());
        assert!(check(b"ID3 tags are what a player shows.").is_ok());
        assert!(check("\u{1b}$B%K%e!<%9\u{1b}(B".as_bytes()).is_ok(), "ISO-2022-JP");
        assert_eq!(refused(b" \n\t"), "empty");
        for fields in ["From: <Saved by Blink>\r\nSubject: =?utf-8?Q?a?=\r\n =?utf-8?Q?b?=\r\n", "", "\r\n"] {
            let mhtml = format!("{fields}MIME-Version: 1.0\r\nContent-Type: multipart/related;\r\n\r\n<p>a=D8=A3</p>");
            assert!(refused(mhtml.as_bytes()).starts_with("not a page: MHTML"), "{fields}");
        }
        assert!(check(b"Note: how mail works\n\nMIME-Version: 1.0 is a header.").is_ok());
        assert!(check(b"<p>a\0b \xff\xfe c</p>\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0").is_ok());
    }

    #[test]
    fn a_text_that_begins_with_a_mark_in_letters_is_a_text() {
        for text in [
            "<h1>ftyp box</h1>",
            "<p> ftyp",
            "Use the WEBP format",
            "BZh is the mark of bzip2",
            "GIF89a was a later version",
            "GIF8 files",
            "PAR1S",
        ] {
            assert_eq!(check(text.as_bytes()), Ok(()), "{text}");
        }
        let files: [(&[u8], &str); 6] = [
            (b"GIF89a\x01\0\x01\0\x80\0\0", "a GIF image"),
            (b"RIFF\x24\x1a\0\0WEBPVP8 ", "a WebP image"),
            (b"BZh91AY&SY\x12", "a bzip2 file"),
            (b"BZh9\x17\x72\x45\x38\x50\x90", "a bzip2 file"),
            (b"\0\0\0\x20ftypisom", "an MP4 video"),
            (b"PAR1\x15\x04\x15", "a Parquet file"),
        ];
        for (file, what) in files {
            assert_eq!(check(file), Err(NotAPage::LooksLike(what)));
        }
        // Right for the one gzip of a library's user and for the second one of a file's.
        assert_eq!(
            check(b"\x1f\x8b\x08\0").unwrap_err().to_string(),
            "not a page: it looks like gzip; unpack it first"
        );
    }

    #[test]
    fn utf16_is_text_though_half_of_it_is_zeros() {
        let utf16: Vec<u8> = "plain words ".repeat(20).encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(check(&utf16).is_ok());
        let arabic: Vec<u8> = "كلمات عربية ".repeat(20).encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert!(check(&[b"\xfe\xff", &arabic[..]].concat()).is_ok());
    }

    #[test]
    fn utf32_is_refused_with_what_to_do() {
        let units = || "\u{feff}<p>نص".chars().map(u32::from);
        let little: Vec<u8> = units().flat_map(u32::to_le_bytes).collect();
        let big: Vec<u8> = units().flat_map(u32::to_be_bytes).collect();
        for bytes in [little, big] {
            assert!(check(&bytes).unwrap_err().to_string().contains("UTF-32"));
        }
    }

    #[test]
    fn bytes_of_unknown_origin() {
        assert_eq!(looks_like(b"a < b and <3"), Input::Text);
        assert_eq!(looks_like(b"words <p>"), Input::Html);
    }
}
