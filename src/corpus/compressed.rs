//! Plain, gzip and zstd streams read alike, told apart by their first bytes.

use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::GzDecoder;

const BUFFER: usize = 128 << 10;
const GZIP: &[u8] = &[0x1f, 0x8b, 8];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// The skippable frame before compressed records that holds the dictionary of all frames after it.
const DICTIONARY: u8 = 0x5d;
/// Dictionaries have some 100 KB.
const LARGEST_DICTIONARY: u64 = 64 << 20;

/// A stream, decompressed, and how far it is read.
pub struct Opened<'a> {
    pub reader: Box<dyn BufRead + Send + 'a>,
    pub position: Position,
}

/// How far a stream is read, in bytes as it is stored. Copies of it go with the stream.
#[derive(Clone, Debug, Default)]
pub struct Position {
    read: Arc<AtomicU64>,
    member: Arc<AtomicU64>,
}

impl Position {
    /// How many bytes are read so far.
    pub fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Where the gzip member or zstd frame begins that the buffer's bytes are from; 0 in a plain stream.
    #[cfg(feature = "warc")]
    pub fn member(&self) -> u64 {
        self.member.load(Ordering::Relaxed)
    }
}

/// Decompresses a stream if it is gzip (of one or more members) or zstd.
///
/// # Errors
/// The first bytes cannot be read.
pub fn reader<'a>(source: impl Read + Send + 'a) -> io::Result<Box<dyn BufRead + Send + 'a>> {
    Ok(open(source)?.reader)
}

/// The same, and how far it is read.
///
/// After an error in compressed data, [which is not the end](is_end), reading goes on with the next member that can be
/// found; who does not want that does not read on. A buffer has the bytes of one member alone.
pub fn open<'a>(source: impl Read + Send + 'a) -> io::Result<Opened<'a>> {
    let position = Position::default();
    let inner: Box<dyn Read + Send + 'a> = Box::new(source);
    let mut source =
        Source { inner, buffer: vec![0; BUFFER], start: 0, end: 0, before: 0, read: position.read.clone() };
    let head = source.peek(4)?;
    let reader: Box<dyn BufRead + Send + 'a> = match head.starts_with(&GZIP[..2]) || is_zstd(head) {
        false => Box::new(source),
        true => Box::new(Members {
            is_zstd: is_zstd(head),
            state: State::Between(source),
            lost: false,
            dictionary: None,
            member: position.member.clone(),
            buffer: vec![0; BUFFER],
            start: 0,
            end: 0,
        }),
    };
    Ok(Opened { reader, position })
}

/// Whether after an error of a stream nothing more can come of it: it is cut off, or cannot be read.
pub fn is_end(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof || error.raw_os_error().is_some()
}

/// A zstd frame, or the skippable frame that parallel compressors put first.
fn is_zstd(head: &[u8]) -> bool {
    head.starts_with(ZSTD) || is_skippable(head)
}

fn is_skippable(head: &[u8]) -> bool {
    matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// Buffers a stream, and knows how much of it was read and used.
struct Source<'a> {
    inner: Box<dyn Read + Send + 'a>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes that were used before those in the buffer.
    before: u64,
    read: Arc<AtomicU64>,
}

impl Source<'_> {
    /// The next bytes, at least as many as asked for; fewer only at the end.
    fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        if self.end - self.start < count {
            self.buffer.copy_within(self.start..self.end, 0);
            self.before += self.start as u64;
            (self.start, self.end) = (0, self.end - self.start);
        }
        while self.end < count {
            match self.inner.read(&mut self.buffer[self.end..]) {
                Ok(0) => break,
                Ok(read) => {
                    self.end += read;
                    self.read.fetch_add(read as u64, Ordering::Relaxed);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(&self.buffer[self.start..self.end])
    }

    fn at(&self) -> u64 {
        self.before + self.start as u64
    }
}

impl BufRead for Source<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.peek(1)
    }

    fn consume(&mut self, count: usize) {
        self.start += count;
    }
}

impl Read for Source<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        read_buffered(self, out)
    }
}

fn read_buffered(reader: &mut impl BufRead, out: &mut [u8]) -> io::Result<usize> {
    let read = reader.fill_buf()?.read(out)?;
    reader.consume(read);
    Ok(read)
}

/// Gzip members or zstd frames, one after the other.
///
/// One decoder for all would do for a text that was compressed as a whole, but not say where its members begin.
struct Members<'a> {
    state: State<'a>,
    is_zstd: bool,
    /// Whether the next member has to be looked for.
    lost: bool,
    dictionary: Option<Vec<u8>>,
    member: Arc<AtomicU64>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

enum State<'a> {
    Between(Source<'a>),
    Gzip(Box<GzDecoder<Source<'a>>>),
    Zstd(zstd::Decoder<'static, Source<'a>>),
    Ended,
}

impl<'a> Members<'a> {
    /// Fills the buffer with bytes of one member; with none at the end of the stream.
    fn fill(&mut self) -> io::Result<usize> {
        loop {
            let (read, source) = match std::mem::replace(&mut self.state, State::Ended) {
                State::Ended => return Ok(0),
                State::Between(source) => {
                    self.state = self.begin(source)?;
                    continue;
                }
                State::Gzip(mut decoder) => match decoder.read(&mut self.buffer) {
                    Ok(read @ 1..) => {
                        self.state = State::Gzip(decoder);
                        return Ok(read);
                    }
                    read => (read, decoder.into_inner()),
                },
                State::Zstd(mut decoder) => match decoder.read(&mut self.buffer) {
                    Ok(read @ 1..) => {
                        self.state = State::Zstd(decoder);
                        return Ok(read);
                    }
                    read => (read, decoder.finish()),
                },
            };
            if !read.as_ref().is_err_and(is_end) {
                self.lost = read.is_err();
                self.state = State::Between(source);
            }
            read?;
        }
    }

    /// Begins with the next member.
    fn begin(&mut self, mut source: Source<'a>) -> io::Result<State<'a>> {
        let magic = if self.is_zstd { ZSTD } else { GZIP };
        if std::mem::take(&mut self.lost) {
            // Where the decoder took nothing of a member it would fail there again.
            if source.at() == self.member.load(Ordering::Relaxed) && !source.peek(1)?.is_empty() {
                source.consume(1);
            }
            find(&mut source, magic)?;
        }
        let at = source.at();
        let head = source.peek(8)?;
        if head.is_empty() {
            return Ok(State::Ended);
        }
        if self.is_zstd && is_skippable(head) {
            let is_dictionary = head[0] == DICTIONARY && at == 0;
            let Some(length) = head.get(4..8).and_then(|length| length.try_into().ok()).map(u32::from_le_bytes) else {
                return Err(io::ErrorKind::UnexpectedEof.into());
            };
            source.consume(8);
            let mut frame = source.by_ref().take(length.into());
            if is_dictionary {
                self.dictionary = Some(dictionary(&mut frame)?);
            }
            io::copy(&mut frame, &mut io::sink())?;
            return if frame.limit() > 0 {
                Err(io::ErrorKind::UnexpectedEof.into())
            } else {
                Ok(State::Between(source))
            };
        }
        self.member.store(at, Ordering::Relaxed);
        Ok(match &self.dictionary {
            _ if !self.is_zstd => State::Gzip(Box::new(GzDecoder::new(source))),
            None => State::Zstd(zstd::Decoder::with_buffer(source)?.single_frame()),
            Some(dictionary) => State::Zstd(zstd::Decoder::with_dictionary(source, dictionary)?.single_frame()),
        })
    }
}

/// Looks for where the next member may begin, behind what could not be read.
fn find(source: &mut Source, magic: &[u8]) -> io::Result<()> {
    loop {
        let buffer = source.peek(magic.len())?;
        let skipped = match memchr::memchr(magic[0], buffer) {
            Some(0) if buffer.starts_with(magic) => return Ok(()),
            Some(0) => 1,
            Some(at) => at,
            None if buffer.is_empty() => return Ok(()),
            None => buffer.len(),
        };
        source.consume(skipped);
    }
}

/// A dictionary, which may be compressed itself.
fn dictionary(frame: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    frame.take(LARGEST_DICTIONARY).read_to_end(&mut bytes)?;
    if bytes.starts_with(ZSTD) {
        let mut plain = Vec::new();
        zstd::Decoder::with_buffer(&bytes[..])?.take(LARGEST_DICTIONARY).read_to_end(&mut plain)?;
        return Ok(plain);
    }
    Ok(bytes)
}

impl BufRead for Members<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            self.end = self.fill()?;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    fn consume(&mut self, count: usize) {
        self.start += count;
    }
}

impl Read for Members<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        read_buffered(self, out)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn read(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        reader(bytes)?.read_to_end(&mut out).map(|_| out)
    }

    #[test]
    fn streams_are_known_by_their_first_bytes_and_may_have_several_members() {
        assert_eq!(read(b"abc").unwrap(), b"abc");
        assert_eq!(read(b"").unwrap(), b"");
        assert_eq!(read(&[gzip(b"abc"), gzip(b"def")].concat()).unwrap(), b"abcdef");
        let zstd = |text: &[u8]| zstd::encode_all(text, 0).unwrap();
        assert_eq!(read(&[zstd(b"abc"), zstd(b"def")].concat()).unwrap(), b"abcdef");
    }

    #[test]
    fn a_cut_stream_says_so() {
        let whole = gzip(&b"some text that is compressed ".repeat(50));
        assert_eq!(read(&whole[..whole.len() / 2]).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        let whole = zstd::encode_all(&b"some text that is compressed ".repeat(50)[..], 0).unwrap();
        assert_eq!(read(&whole[..whole.len() / 2]).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    /// What a stream gives: bytes of one member each, or errors.
    fn parts(bytes: &[u8]) -> Vec<Result<Vec<u8>, io::ErrorKind>> {
        let mut reader = open(bytes).unwrap().reader;
        let mut parts = Vec::new();
        loop {
            let part = reader.fill_buf().map(<[u8]>::to_vec).map_err(|error| error.kind());
            if part.as_ref().is_ok_and(Vec::is_empty) {
                return parts;
            }
            reader.consume(part.as_ref().map_or(0, Vec::len));
            parts.push(part);
        }
    }

    #[test]
    fn behind_a_damaged_member_the_next_is_found() {
        let text =
            |n: u64| (0..300).map(|i| format!("{:x}", (n * 300 + i).wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
        let texts: [String; 3] = [1, 2, 3].map(text);
        type Pack = fn(&[u8]) -> Vec<u8>;
        // Without a sum to check it, zstd takes many bytes for others.
        let packs: [Pack; 2] = [gzip, |text| {
            let mut encoder = zstd::Encoder::new(Vec::new(), 0).unwrap();
            encoder.include_checksum(true).unwrap();
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }];
        for pack in packs {
            let mut members = texts.clone().map(|text| pack(text.as_bytes()));
            let middle = members[1].len() / 2;
            // Its middle, then its beginning too, behind the mark.
            for bytes in [middle..middle + 9, 4..14] {
                members[1][bytes].fill(0xff);
                let parts = parts(&members.concat());
                assert_eq!(parts[0].as_deref(), Ok(texts[0].as_bytes()));
                assert_eq!(parts.last().unwrap().as_deref(), Ok(texts[2].as_bytes()));
                assert_eq!(parts.iter().filter(|part| part.is_err()).count(), 1);
            }
            let whole = members.concat();
            let parts = parts(&whole[..whole.len() - 20]);
            assert_eq!(parts.last(), Some(&Err(io::ErrorKind::UnexpectedEof)));
        }
    }

    #[test]
    fn the_dictionary_of_frames_stands_before_them() {
        let samples: Vec<String> = (0..200).map(|n| format!("<p class=\"text\">page {n} of the site</p>")).collect();
        let dictionary = zstd::dict::from_samples(&samples, 1 << 10).unwrap();
        let frame = |text: &str| {
            let mut encoder = zstd::Encoder::with_dictionary(Vec::new(), 0, &dictionary).unwrap();
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        };
        let skippable = |number: u8, bytes: &[u8]| {
            [&[number, 0x2a, 0x4d, 0x18][..], &(bytes.len() as u32).to_le_bytes(), bytes].concat()
        };
        let frames = [frame(&samples[0]), skippable(0x51, b"whatever"), frame(&samples[1])].concat();
        let expected = [&samples[0], &samples[1]].map(|text| Ok(text.clone().into_bytes()));
        let packed = zstd::encode_all(&dictionary[..], 0).unwrap();
        for stored in [&dictionary, &packed] {
            assert_eq!(parts(&[skippable(DICTIONARY, stored), frames.clone()].concat()), expected);
        }
        assert_eq!(parts(&skippable(DICTIONARY, &dictionary)[..50]), [Err(io::ErrorKind::UnexpectedEof)]);
        assert!(parts(&frames)[0].is_err());
    }
}
