//! WARC files, read as a user has them read: written here record by record, whole and damaged.

use std::fs;
use std::io::Write;
use std::path::Path;

use assert_cmd::assert::Assert;
use lubb::Document;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::{contains, is_empty};
use tempfile::TempDir;

mod common;
use common::{ALL, documents, gzip, lubb};

const ARABIC: &str = "قال وزير النقل يوم الثلاثاء إن الجسر القديم فوق النهر سيعاد بناؤه خلال عامين، ورحب السكان بالقرار.";

fn english(n: usize) -> String {
    format!("Article number {n} says that the council decided on Tuesday to rebuild the old bridge over the river.")
}

fn html(text: &str) -> String {
    format!("<!doctype html><html><body><h1>Bridge</h1><p>{text}</p></body></html>")
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// In chunks of a hundred bytes.
fn chunked(bytes: &[u8]) -> Vec<u8> {
    let chunks = bytes.chunks(100).chain([&[][..]]);
    chunks.flat_map(|chunk| [format!("{:x};a=b\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat()).collect()
}

/// The name of the record with a number.
fn id(n: usize) -> String {
    format!("00000000-0000-4000-8000-{n:012}")
}

fn address(n: usize) -> String {
    format!("https://www.example.org/{n}")
}

/// A record: its number, its type, its own content type.
fn record(n: usize, kind: &str, media: &str, block: impl AsRef<[u8]>) -> Vec<u8> {
    let block = block.as_ref();
    let mut record = format!(
        "WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:{}>\r\nWARC-Date: 2026-11-30T00:00:00Z\r\n\
         WARC-Target-URI: {}\r\nContent-Type: {media}\r\nContent-Length: {}\r\n\r\n",
        id(n),
        address(n),
        block.len()
    )
    .into_bytes();
    record.extend(block);
    record.extend(b"\r\n\r\n");
    record
}

/// A server's answer: its status line and fields, and its body.
fn response(n: usize, head: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let head = head.replace('\n', "\r\n");
    record(n, "response", "application/http; msgtype=response", [head.as_bytes(), b"\r\n\r\n", body.as_ref()].concat())
}

/// A page as servers send most.
fn page(n: usize) -> Vec<u8> {
    response(n, "HTTP/1.1 200 OK\nContent-Type: text/html; charset=utf-8", html(&english(n)))
}

/// What pages a crawl has, in order, and what their text ends with; and all its records.
fn crawl() -> (Vec<(usize, String)>, Vec<Vec<u8>>) {
    const OK: &str = "HTTP/1.1 200 OK\nContent-Type: text/html";
    let arabic = html(ARABIC);
    let windows_1256 = encoding_rs::WINDOWS_1256.encode(&arabic).0.into_owned();
    let zipped = gzip(html(&english(6)).as_bytes());
    let records = vec![
        record(0, "warcinfo", "application/warc-fields", "software: a test\r\n"),
        record(1, "request", "application/http; msgtype=request", "GET / HTTP/1.1\r\nHost: www.example.org\r\n\r\n"),
        page(2),
        record(3, "metadata", "application/warc-fields", "fetchTimeMs: 5\r\n"),
        response(4, &format!("{OK}; charset=windows-1256"), windows_1256),
        response(5, &format!("{OK}\nTransfer-Encoding: chunked"), chunked(arabic.as_bytes())),
        response(6, &format!("{OK}\nContent-Encoding: gzip\nTransfer-Encoding: chunked"), chunked(&zipped)),
        response(7, &format!("{OK}\nContent-Encoding: deflate"), deflate(html(&english(7)).as_bytes())),
        response(8, &format!("{OK}\nContent-Encoding: zstd"), zstd::encode_all(arabic.as_bytes(), 0).unwrap()),
        // Decoded by the crawler, and the head left as it was.
        response(9, &format!("{OK}\nContent-Encoding: gzip\nTransfer-Encoding: chunked"), html(&english(9))),
        response(10, &format!("{OK}\nContent-Encoding: br"), html(&english(10))),
        // A server that says the same of all its pages.
        response(11, &format!("{OK}; charset=iso-8859-1"), &arabic),
        record(12, "revisit", "application/http; msgtype=response", format!("{OK}\r\n\r\n")),
        response(13, "HTTP/1.1 404 Not Found\nContent-Type: text/html", html("Not found")),
        response(14, "HTTP/1.1 301 Moved Permanently\nContent-Type: text/html\nLocation: /2", html("Moved")),
        response(15, "HTTP/1.1 200 OK\nContent-Type: image/png", b"\x89PNG\r\n\x1a\n\r\n\r\nWARC/1.0\r\n\r\n"),
        response(16, "HTTP/1.1 200 OK\nContent-Length: 5", html(&english(16))),
        response(17, "HTTP/1.1 200 OK", "{\"a\": \"<p>no page</p>\"}"),
        record(18, "response", "text/dns", "20261130000000\r\nwww.example.org. 300 IN A 192.0.2.1\r\n"),
        record(19, "resource", "text/html", html(&english(19))),
        record(20, "resource", "text/plain", "a log\n"),
        record(21, "conversion", "text/plain", format!("Home\n{}\n", english(21))),
        response(22, "HTTP/2 203\ncontent-type:\n application/xhtml+xml", html(&english(22))),
        record(23, "continuation", "text/html", "more"),
        record(24, "invented", "text/html", "more"),
    ];
    let arabic = [4, 5, 8, 11];
    let pages = [2, 4, 5, 6, 7, 8, 9, 10, 11, 16, 19, 21, 22];
    let text = |n: usize| if arabic.contains(&n) { ARABIC.to_owned() } else { english(n) };
    (pages.map(|n| (n, text(n))).to_vec(), records)
}

const PASSED_OVER: &str = "passed over in WARC files: 1 continuation, 1 image/png, 1 metadata, 1 record of no known type, \
                           1 request, 1 response of no type, 1 response without HTTP, 1 revisit, 1 status 301, \
                           1 status 404, 1 text/plain, 1 warcinfo";

fn apply(folder: &Path, args: &[&str]) -> Assert {
    lubb().current_dir(folder).arg("apply").args(args).args(["-o", "-", "--keep", ALL]).assert()
}

fn rows(run: &Assert) -> Vec<Document> {
    documents(&run.get_output().stdout)
}

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

/// What a row is: its record's number, or its error.
fn told(row: &Document) -> Result<usize, &str> {
    match &row.error {
        None => Ok(row.url.as_ref().unwrap().rsplit('/').next().unwrap().parse().unwrap()),
        Some(error) => Err(error),
    }
}

/// Makes sure that rows are pages, and errors that begin with a place and have a text in them.
#[track_caller]
fn assert_told(rows: &[Document], expected: &[Result<usize, (&str, &str)>]) {
    let told: Vec<Result<usize, &str>> = rows.iter().map(told).collect();
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (told, expected) in told.iter().zip(expected) {
        match (told, expected) {
            (Ok(n), Ok(expected)) => assert_eq!(n, expected),
            (Err(error), Err((place, what))) => {
                assert!(error.starts_with(&format!("{place}: ")) && error.contains(what), "{error}\n{place}: {what}");
            }
            _ => panic!("{told:?} is not {expected:?}"),
        }
    }
}

/// A file with the dictionary of its frames before them.
fn with_dictionary(records: &[Vec<u8>], pack: bool) -> Vec<u8> {
    let dictionary = zstd::dict::from_samples(&[records; 40].concat(), 4 << 10).unwrap();
    let stored = if pack { zstd::encode_all(&dictionary[..], 0).unwrap() } else { dictionary.clone() };
    let mut file = [&b"\x5d\x2a\x4d\x18"[..], &(stored.len() as u32).to_le_bytes(), &stored].concat();
    for record in records {
        let mut encoder = zstd::Encoder::with_dictionary(Vec::new(), 0, &dictionary).unwrap();
        encoder.write_all(record).unwrap();
        file.extend(encoder.finish().unwrap());
    }
    file
}

#[test]
fn the_pages_of_a_crawl_and_how_many_records_are_none() {
    let (pages, records) = crawl();
    let plain = records.concat();
    let members: Vec<u8> = records.iter().flat_map(|record| gzip(record)).collect();
    let frames: Vec<u8> = records.iter().flat_map(|record| zstd::encode_all(&record[..], 0).unwrap()).collect();
    let files: [(&str, &[u8]); 9] = [
        ("crawl.warc", &plain),
        ("crawl.warc.gz", &members),
        ("whole.warc.gz", &gzip(&plain)),
        ("crawl.warc.zst", &frames),
        ("whole.warc.zst", &zstd::encode_all(&plain[..], 0).unwrap()),
        ("dictionary.warc.zst", &with_dictionary(&records, false)),
        ("packed.warc.zst", &with_dictionary(&records, true)),
        ("crawl", &members),
        ("part-00000.data", &[b"\r\n", &plain[..]].concat()),
    ];
    let folder = folder(&files);
    let check = |run: Assert, name: &str| {
        let run = run.success().stderr(contains("13 pages: 13 articles, 0 empty, 0 errors").and(contains(PASSED_OVER)));
        let rows = rows(&run);
        assert_eq!(rows.len(), pages.len(), "{name}");
        for ((n, text), row) in pages.iter().zip(&rows) {
            assert_eq!((row.id.clone(), row.url.clone()), (id(*n), Some(address(*n))), "{name}");
            assert!(row.text.ends_with(text), "{name}, {n}: {}", row.text);
        }
    };
    for (name, bytes) in files {
        check(apply(folder.path(), &[name, "--jobs", "3"]), name);
        let from_stdin = lubb().args(["apply", "-", "-o", "-", "--keep", ALL]).write_stdin(bytes).assert();
        check(from_stdin, "standard input");
    }
    // No folder is searched for crawls, but a pattern finds them.
    apply(folder.path(), &["."]).code(2).stderr(contains("name JSONL and WARC files themselves"));
    assert_eq!(rows(&apply(folder.path(), &["*.warc.gz", "--quiet"]).success().stderr(is_empty())).len(), 26);
}

#[test]
fn what_few_crawlers_write_is_read_too() {
    let lines = |text: String| text.replace('\n', "\r\n").into_bytes();
    let body = html(&english(1));
    let bare = format!("WARC/1.0\nwarc-type: response\nwarc-target-uri: <{}>\ncontent-length: ", address(1));
    let answer = format!("HTTP/1.0 200\ncontent-type: TEXT/HTML;charset=\"utf-8\"\n\n{body}");
    let second = page(2);
    let files: [(&str, Vec<u8>); 3] = [
        // Names in lower case, an address in brackets, no name; then no empty lines behind a record.
        (
            "lower.warc",
            [lines(format!("{bare}{}\n\n", lines(answer.clone()).len())), lines(answer.clone()), second.clone()]
                .concat(),
        ),
        // Lines that end in a line feed alone.
        ("feeds.warc", format!("{bare}{}\n\n{answer}\n\n", answer.len()).into_bytes()),
        // A member without anything in it, and a record in two members.
        ("members.warc.gz", {
            let (first, rest) = second.split_at(300);
            [gzip(&page(1)), gzip(b""), gzip(first), gzip(rest), gzip(&page(3))].concat()
        }),
    ];
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (*name, &bytes[..])).collect();
    let folder = folder(&files);
    let lower = rows(&apply(folder.path(), &["lower.warc"]).success());
    assert_told(&lower, &[Ok(1), Ok(2)]);
    assert_eq!((lower[0].id.as_str(), lower[1].id.clone()), ("lower.warc:0", id(2)));
    assert!(lower[0].text.ends_with(&english(1)));
    let feeds = rows(&apply(folder.path(), &["feeds.warc"]).success());
    assert!(matches!(&feeds[..], [row] if row.text.ends_with(&english(1))), "{feeds:?}");
    assert_told(&rows(&apply(folder.path(), &["members.warc.gz"]).success()), &[Ok(1), Ok(2), Ok(3)]);
}

#[test]
fn a_cut_file_gives_the_pages_before_and_one_error_and_other_files_go_on() {
    let records = [page(1), page(2), page(3)];
    let plain = records.concat();
    let members = records.clone().map(|record| gzip(&record));
    let at = |records: &[Vec<u8>]| records.iter().map(Vec::len).sum::<usize>();
    let (second, third) = (at(&records[..1]), at(&records[..2]));
    let member = at(&members[..2]);
    let cut = |bytes: &[u8], end: usize| bytes[..end].to_vec();
    let whole = gzip(&plain);
    let frames: Vec<u8> = records.iter().flat_map(|record| zstd::encode_all(&record[..], 0).unwrap()).collect();
    let files = [
        ("block.warc", cut(&plain, third + 400)),
        ("head.warc", cut(&plain, third + 40)),
        ("member.warc.gz", cut(&members.concat(), member + 100)),
        ("whole.warc.gz", cut(&whole, whole.len() - 12)),
        ("frame.warc.zst", cut(&frames, frames.len() - 12)),
        ("z.warc", page(9)),
    ];
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (*name, &bytes[..])).collect();
    let folder = folder(&files);
    let last = |name: &str| {
        let run = apply(folder.path(), &[name, "z.warc"]).code(1).stderr(contains(name));
        let rows = rows(&run);
        let (before, after) = (rows.len() - 2, rows.last().unwrap());
        assert_eq!(told(after), Ok(9));
        let pages: Vec<_> = rows[..before].iter().map(|row| told(row).unwrap()).collect();
        assert_eq!(pages, (1..=before).collect::<Vec<_>>(), "{name}");
        (before, rows[before].clone())
    };
    let is = |name: &str, pages: usize, place: usize, what: &str| {
        let (before, error) = last(name);
        assert_eq!(before, pages, "{name}: {error:?}");
        assert_told(&[error], &[Err((&format!("{name}:{place}"), what))]);
    };
    is("block.warc", 2, third, "the file ends within the record");
    is("head.warc", 2, third, "the file ends within the record");
    is("member.warc.gz", 2, member, "cut off");
    // How much a decoder gives before the cut is its affair.
    let (before, error) = last("whole.warc.gz");
    let place = [0, second, third][before];
    assert_told(&[error], &[Err((&format!("whole.warc.gz:{place}"), "cut off"))]);
    let error = last("frame.warc.zst").1;
    assert!(error.error.unwrap().contains("cut off"));
    // The row of a cut page has its name and address.
    let (_, error) = last("block.warc");
    assert_eq!((error.id, error.url), (id(3), Some(address(3))));
}

/// A page whose head says another length.
fn with_length(n: usize, length: &str) -> Vec<u8> {
    let record = page(n);
    let text = String::from_utf8(record).unwrap();
    let at = text.find("Content-Length: ").unwrap() + "Content-Length: ".len();
    let end = at + text[at..].find('\r').unwrap();
    [&text[..at], length, &text[end..]].concat().into_bytes()
}

#[test]
fn a_damaged_record_costs_itself_and_no_other() {
    let wrong = "not as long as its Content-Length says";
    for (length, what) in [("40", wrong), ("many", "no Content-Length that is a number"), ("-1", "no Content-Length")] {
        let parts = [page(1), with_length(2, length), page(3)];
        let members = parts.clone().map(|record| gzip(&record));
        let (plain, member) = (parts[0].len(), members[0].len());
        let folder = folder(&[("a.warc", &parts.concat()), ("a.warc.gz", &members.concat())]);
        let run = apply(folder.path(), &["a.warc", "a.warc.gz"]).code(1);
        let places = [format!("a.warc:{plain}"), format!("a.warc.gz:{member}")];
        let (first, second) = (Err((&*places[0], what)), Err((&*places[1], what)));
        assert_told(&rows(&run), &[Ok(1), first, Ok(3), Ok(1), second, Ok(3)]);
    }
    // What is too long takes the records behind it, but not beyond its gzip member, and no memory.
    for length in ["1000", "60000000", "9999999999999", "18446744073709551615"] {
        let parts = [page(1), with_length(2, length), page(3), page(4), page(5)];
        let members = parts.clone().map(|record| gzip(&record));
        let folder = folder(&[("a.warc", &parts.concat()), ("a.warc.gz", &members.concat())]);
        let found = rows(&apply(folder.path(), &["a.warc"]).code(1));
        let place = format!("a.warc:{}", parts[0].len());
        let expected = if length == "1000" { wrong } else { "the file ends within the record" };
        assert_told(&found[..2], &[Ok(1), Err((&place, expected))]);
        assert!(length != "1000" || told(found.last().unwrap()) == Ok(5));
        let place = format!("a.warc.gz:{}", members[0].len());
        let expected = [Ok(1), Err((&*place, wrong)), Ok(3), Ok(4), Ok(5)];
        assert_told(&rows(&apply(folder.path(), &["a.warc.gz"]).code(1)), &expected);
    }
}

#[test]
fn reading_goes_on_behind_what_is_no_record() {
    let mut random = fastrand::Rng::with_seed(5);
    let noise: Vec<u8> = (0..9_000).map(|_| random.u8(..)).collect();
    let members = [gzip(&page(1)), gzip(&[&noise[..], &page(2)].concat()), gzip(&page(3)), gzip(&page(4))];
    let at = |member: usize| members[..member].iter().map(Vec::len).sum::<usize>();
    let mut damaged = members.concat();
    // In the midst of the second member, and the sum at the end of the third.
    let (middle, sum) = (at(1) + members[1].len() / 2, at(3) - 8);
    for byte in [middle, middle + 1, middle + 2, middle + 3, sum] {
        damaged[byte] ^= 0xff;
    }
    let junk = [b"a line\r\nWARC/x\r\n", &page(1)[..], b"\r\n", &noise, b"\r\n", &page(2), &page(3)].concat();
    let mut frames = [page(1), page(2), page(3)].map(|record| zstd::encode_all(&record[..], 0).unwrap());
    let (frame, middle) = (frames[0].len(), frames[1].len() / 2);
    frames[1][5] ^= 0xff;
    frames[1][middle] ^= 0xff;
    let folder = folder(&[("damaged.warc.gz", &damaged), ("junk.warc", &junk), ("a.warc.zst", &frames.concat())]);
    let found = rows(&apply(folder.path(), &["damaged.warc.gz"]).code(1));
    assert_told(&found[..1], &[Ok(1)]);
    let errors: Vec<&str> = found.iter().filter_map(|row| told(row).err()).collect();
    assert!(errors.iter().any(|error| error.starts_with(&format!("damaged.warc.gz:{}: ", at(1)))), "{errors:?}");
    assert!(
        errors.iter().any(|error| error.starts_with(&format!("damaged.warc.gz:{}: cannot be read: ", at(2)))),
        "{errors:?}"
    );
    assert_eq!(told(found.last().unwrap()), Ok(4));
    let found = rows(&apply(folder.path(), &["junk.warc"]).code(1));
    let behind = format!("junk.warc:{}", b"a line\r\nWARC/x\r\n".len() + page(1).len() + 2);
    let none = "no WARC record begins here";
    assert_told(&found, &[Err(("junk.warc:0", none)), Ok(1), Err((&behind, none)), Ok(2), Ok(3)]);
    let found = rows(&apply(folder.path(), &["a.warc.zst"]).code(1));
    assert_told(&found, &[Ok(1), Err((&format!("a.warc.zst:{frame}"), "")), Ok(3)]);
}

#[test]
fn a_bad_page_is_an_error_of_its_record_alone() {
    let gzipped = gzip(html(&english(1).repeat(50)).as_bytes());
    let coded = "HTTP/1.1 200 OK\nContent-Type: text/html\nContent-Encoding: gzip";
    let large = html(&english(3).repeat(3_000));
    let mut truncated = response(8, coded, &gzipped[..gzipped.len() - 12]);
    let at = truncated.windows(9).position(|nine| nine == b"WARC-Date").unwrap();
    truncated.splice(at..at, *b"WARC-Truncated: length\r\n");
    let parts = [
        response(1, coded, &gzipped[..gzipped.len() - 12]),
        response(2, coded, b"\x1f\x8b\x08nothing that was ever compressed"),
        response(3, "HTTP/1.1 200 OK\nContent-Type: text/html", &large),
        response(4, coded, gzip(large.as_bytes())),
        response(5, "HTTP/1.1 200 OK\nContent-Type: text/html", ""),
        response(6, "HTTP/1.1 200 OK\nContent-Type: text/html", "%PDF-1.7"),
        page(7),
        truncated,
    ];
    let folder = folder(&[("a.warc.gz", &parts.clone().map(|record| gzip(&record)).concat())]);
    let run = apply(folder.path(), &["a.warc.gz", "--max-page-bytes", "100kB"]).code(1);
    let found = rows(&run);
    let place = |n: usize| format!("a.warc.gz:{}", parts[..n - 1].iter().map(|part| gzip(part).len()).sum::<usize>());
    let places: Vec<String> = (1..=6).map(place).collect();
    let what = ["cut off", "cannot be read", "larger than the limit", "larger than the limit", "empty", "a PDF"];
    let errors = places.iter().zip(what).map(|(place, what)| Err((place.as_str(), what)));
    assert_told(&found, &errors.chain([Ok(7), Ok(8)]).collect::<Vec<_>>());
    assert!(found.iter().zip(1..).all(|(row, n)| row.id == id(n) && row.url == Some(address(n))));
}

#[test]
fn an_interrupted_run_goes_on_in_a_crawl() {
    let (pages, records) = crawl();
    let members: Vec<u8> = records.iter().flat_map(|record| gzip(record)).collect();
    let folder = folder(&[("crawl.warc.gz", &members)]);
    let path = |name: &str| folder.path().join(name);
    let apply = |out: &str| {
        let args = ["apply", "crawl.warc.gz", "-o", out, "--keep", ALL, "--resume"];
        lubb().current_dir(&folder).args(args).assert().success().stderr(contains(PASSED_OVER))
    };
    apply("whole.jsonl");
    let whole = fs::read_to_string(path("whole.jsonl")).unwrap();
    let settings = {
        // A run that waits for its input names its unfinished output.
        let mut waiting = std::process::Command::new(assert_cmd::cargo::cargo_bin("lubb"));
        let args = ["apply", "-", "-o", "killed.jsonl", "--keep", ALL];
        let waiting = waiting.current_dir(&folder).args(args).stdin(std::process::Stdio::piped());
        let mut waiting = waiting.stderr(std::process::Stdio::null()).spawn().unwrap();
        let partial = loop {
            match common::listing(folder.path()).into_iter().find(|name| name.starts_with("killed.jsonl.partial")) {
                Some(partial) => break partial,
                None => assert!(waiting.try_wait().unwrap().is_none(), "it ended"),
            }
            std::thread::yield_now();
        };
        waiting.kill().unwrap();
        waiting.wait().unwrap();
        partial.rsplit('-').next().unwrap().to_owned()
    };
    for rows in [0, 5, pages.len()] {
        let begun: String = whole.split_inclusive('\n').take(rows).collect();
        fs::write(path(&format!("out.jsonl.partial-17-{settings}")), begun).unwrap();
        apply("out.jsonl").stderr(contains(format!("going on after {rows} pages")).or(contains("13 pages: ")));
        assert_eq!(fs::read_to_string(path("out.jsonl")).unwrap(), whole);
    }
}

#[test]
fn commands_of_one_page_take_a_crawl_of_one() {
    let one = [record(0, "warcinfo", "application/warc-fields", ""), page(1)].concat();
    let two = [page(1), page(2)].concat();
    let none = response(1, "HTTP/1.1 404 Not Found\nContent-Type: text/html", html("x"));
    let folder = folder(&[("one.warc", &one), ("two.warc", &two), ("none.warc", &none), ("named.html", &one)]);
    let run = |args: &[&str]| lubb().current_dir(&folder).args(args).assert();
    run(&["extract", "one.warc", "--keep", ALL]).success().stdout(contains(english(1)));
    run(&["inspect", "one.warc"]).success().stdout(contains(id(1)));
    run(&["extract", "two.warc"]).code(2).stderr(contains("more than one page; `lubb apply` extracts many"));
    run(&["extract", "none.warc"]).code(2).stderr(contains("none.warc: no page, only 1 status 404"));
    run(&["inspect", "none.warc"]).code(2).stderr(contains("no page"));
    run(&["extract", "named.html"]).code(1).stderr(contains("a WARC file").and(contains("`lubb apply` reads")));
    let rules = "[[rule]]\nhost = \"*\"\nselect = \"p\"\nlabel = \"body\"\n";
    fs::write(folder.path().join("rules.toml"), rules).unwrap();
    run(&["rules", "check", "rules.toml", "two.warc"]).success().stdout(contains("2 pages"));
    run(&["annotate", "two.warc", "--out", "labels.csv"]).code(2).stderr(contains("folder"));
    run(&["features", "--gold", "two.warc", "-o", "out.csv"]).code(2).stderr(contains("two.warc"));
    let empty = apply(folder.path(), &["none.warc"]).success();
    empty.stdout(is_empty()).stderr(contains("0 pages").and(contains("passed over in WARC files: 1 status 404")));
}
