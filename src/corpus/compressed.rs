//! Plain, gzip and zstd streams read alike, told apart by their first bytes.

use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

const BUFFER: usize = 128 << 10;

/// Decompresses a stream if it is gzip (of one or more members) or zstd.
///
/// # Errors
/// The first bytes cannot be read, or a decoder cannot be made.
pub fn reader<'a>(mut source: impl Read + Send + 'a) -> io::Result<Box<dyn BufRead + Send + 'a>> {
    let mut head = Vec::with_capacity(4);
    source.by_ref().take(4).read_to_end(&mut head)?;
    let (gzip, zstd) = (head.starts_with(&[0x1f, 0x8b]), is_zstd(&head));
    let whole = Cursor::new(head).chain(BufReader::with_capacity(BUFFER, source));
    Ok(match (gzip, zstd) {
        (true, _) => Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(whole))),
        (_, true) => Box::new(BufReader::with_capacity(BUFFER, zstd::Decoder::with_buffer(whole)?)),
        _ => Box::new(whole),
    })
}

/// A zstd frame, or the skippable frame that parallel compressors put first.
fn is_zstd(head: &[u8]) -> bool {
    matches!(head, [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18])
}

/// Counts the bytes that pass, so that progress is known in a file's own bytes.
pub struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R> Counted<R> {
    /// A reader and its count.
    pub fn new(inner: R) -> (Self, Arc<AtomicU64>) {
        let count = Arc::new(AtomicU64::new(0));
        (Counted { inner, count: Arc::clone(&count) }, count)
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.count.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
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
}
