//! Bytes of any charset into text.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{
    BIG5, Encoding, GB18030, GBK, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, WINDOWS_1254, X_USER_DEFINED,
};

/// How far into a page a declaration of its charset is looked for; browsers look at 1,024 bytes, real pages
/// put long comments first.
const DECLARATION_WINDOW: usize = 4096;

/// Decodes a page's bytes, and says from which encoding.
///
/// Tried in this order: a byte order mark; `charset`, the label of an HTTP header that the caller knows;
/// UTF-8 with at least one multi-byte character, in which a few bytes may be broken, or a part where the page declares
/// UTF-8; `<meta charset>` or `http-equiv`, unless it names a Latin encoding for text of another script or in Turkish,
/// or gb2312 for Big5; UTF-16 by its zeros; a guess from the bytes (chardetng, the detector of Firefox). UTF-8 comes
/// before the page's own declaration because scrapers often store pages as UTF-8 without changing what the page says of
/// itself, and cut texts in mid-letter; text in a legacy encoding is practically never valid UTF-8 by chance. Bytes that
/// do not decode become U+FFFD.
pub fn decode<'a>(bytes: &'a [u8], charset: Option<&str>) -> (Cow<'a, str>, &'static Encoding) {
    if let Some((encoding, skip)) = Encoding::for_bom(bytes) {
        return (encoding.decode_without_bom_handling(&bytes[skip..]).0, encoding);
    }
    if let Some(encoding) = charset.and_then(encoding_named) {
        return (encoding.decode_without_bom_handling(bytes).0, encoding);
    }
    let valid = std::str::from_utf8(bytes);
    if let Ok(text) = valid
        && !text.is_ascii()
    {
        return (Cow::Borrowed(text), UTF_8);
    }
    let encoding = match (valid.is_ok(), declared(bytes)) {
        (true, declared) => declared.unwrap_or_else(|| guess(bytes)),
        (false, _) if is_nearly_utf8(bytes) => UTF_8,
        (false, Some(e)) if e == UTF_8 && is_mostly_utf8(bytes) => UTF_8,
        // Editors of old wrote their default into the page, whatever it was saved in.
        (false, Some(e)) if e == WINDOWS_1252 && is_turkish(bytes) => WINDOWS_1254,
        (false, Some(e)) if e == WINDOWS_1252 => guess_of_another_script(bytes).unwrap_or(WINDOWS_1252),
        (false, Some(e)) if (e == GBK || e == GB18030) && is_big5(bytes, e) => BIG5,
        // A declaration of UTF-8 on bytes that are not is wrong.
        (false, declared) => declared.filter(|e| *e != UTF_8).unwrap_or_else(|| guess(bytes)),
    };
    (encoding.decode_without_bom_handling(bytes).0, encoding)
}

/// The encoding that a server named: a label, quoted or not, or a whole `Content-Type` with one.
fn encoding_named(charset: &str) -> Option<&'static Encoding> {
    let value = |parameter: &str| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.to_owned())
    };
    let label = charset.split(';').find_map(value).unwrap_or_else(|| charset.to_owned());
    Encoding::for_label(label.trim().trim_matches(['"', '\'']).as_bytes())
}

/// Whether the charset that a server named for a page may be right. Many name one for all that they serve, or that of
/// a page before a crawler stored it as UTF-8.
#[cfg(feature = "warc")]
pub(crate) fn may_be(charset: &str, bytes: &[u8]) -> bool {
    match (Encoding::for_label(charset.as_bytes()), std::str::from_utf8(bytes)) {
        (None, _) => false,
        (Some(e), Err(_)) if e == UTF_8 => is_nearly_utf8(bytes) || is_mostly_utf8(bytes),
        (Some(e), Err(_)) if e == WINDOWS_1252 => guess_of_another_script(bytes).is_none(),
        (Some(e), Ok(text)) => e == UTF_8 || text.is_ascii(),
        _ => true,
    }
}

/// Whether only a few bytes are not UTF-8. In legacy encodings hardly any two bytes together are.
fn is_nearly_utf8(bytes: &[u8]) -> bool {
    let high = bytes.iter().filter(|b| **b >= 0x80).count();
    let broken = bytes.utf8_chunks().filter(|chunk| !chunk.invalid().is_empty()).count();
    broken * 10 <= high
}

/// Whether letters that are UTF-8 far outnumber the bytes that are not, as where one include of a page is in another
/// encoding. In legacy encodings some pairs of bytes are UTF-8 by chance, in those of Chinese a fifth of them.
fn is_mostly_utf8(bytes: &[u8]) -> bool {
    let (mut letters, mut broken) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        letters += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        broken += chunk.invalid().len();
    }
    letters >= 2 * broken
}

/// The encoding of another script than the Latin that bytes are in, if two things say so: the detector, and that
/// letters beyond ASCII stand together. In Latin texts they are one here and one there between letters of ASCII.
fn guess_of_another_script(bytes: &[u8]) -> Option<&'static Encoding> {
    const ENOUGH: usize = 40;
    let runs = || bytes.chunk_by(|a, b| (*a >= 0x80) == (*b >= 0x80)).filter(|run| run[0] >= 0x80);
    let high: usize = runs().map(<[u8]>::len).sum();
    let in_words: usize = runs().map(<[u8]>::len).filter(|length| *length >= 3).sum();
    if high < ENOUGH || in_words * 3 < high * 2 {
        return None;
    }
    Some(guess(bytes)).filter(|encoding| OTHER_SCRIPTS.contains(&encoding.name()))
}

/// Whether bytes that declare the encoding of the mainland are in that of Taiwan, whose pages were made with editors of
/// the mainland, too. Read so, they give letters that do not exist, or private ones.
fn is_big5(bytes: &[u8], declared: &'static Encoding) -> bool {
    let text = declared.decode_without_bom_handling(bytes).0;
    let letters = text.chars().filter(|c| !c.is_ascii()).count();
    let bad = text.chars().filter(|c| matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{fffd}')).count();
    bad * 20 > letters && guess(bytes) == BIG5
}

/// Whether bytes that declare Western European are Turkish. The two differ in six letters, `ĞİŞğış` for `ÐÝÞðýþ`, and
/// what has those beside hardly any letter that Turkish has not is no Icelandic, Faroese or Czech.
fn is_turkish(bytes: &[u8]) -> bool {
    const ENOUGH: usize = 10;
    const OWN: &[u8] = b"\xd0\xdd\xde\xf0\xfd\xfe";
    // `ÇÖÜçöü`, and the vowels of words from Arabic, `Ââîû`.
    const SHARED: &[u8] = b"\xc7\xd6\xdc\xe7\xf6\xfc\xc2\xe2\xee\xfb";
    let letters = || bytes.iter().filter(|byte| **byte >= 0xc0);
    let own = letters().filter(|byte| OWN.contains(byte)).count();
    let foreign = letters().filter(|byte| !OWN.contains(byte) && !SHARED.contains(byte)).count();
    own >= ENOUGH && foreign * 10 < own
}

/// The encodings without Latin letters beyond ASCII, or hardly any, by name.
const OTHER_SCRIPTS: [&str; 19] = [
    "windows-1256",
    "ISO-8859-6",
    "windows-1251",
    "KOI8-R",
    "KOI8-U",
    "ISO-8859-5",
    "IBM866",
    "x-mac-cyrillic",
    "windows-1253",
    "ISO-8859-7",
    "windows-1255",
    "ISO-8859-8",
    "windows-874",
    "GBK",
    "gb18030",
    "Big5",
    "EUC-KR",
    "EUC-JP",
    "Shift_JIS",
];

fn guess(bytes: &[u8]) -> &'static Encoding {
    if let Some(encoding) = utf16_without_a_mark(bytes) {
        return encoding;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    detector.guess(None, Utf8Detection::Allow)
}

/// UTF-16, whose ASCII has a zero byte in the same half of each unit. What has no Latin letters has ASCII still, in its
/// markup, spaces and line ends; texts in other encodings have no zeros, but by accident a few in either half.
fn utf16_without_a_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    const ENOUGH: usize = 4;
    let units = bytes[..bytes.len().min(DECLARATION_WINDOW)].as_chunks::<2>().0;
    let is_ascii = |byte: u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    let little = units.iter().filter(|[low, high]| *high == 0 && is_ascii(*low)).count();
    let big = units.iter().filter(|[high, low]| *high == 0 && is_ascii(*low)).count();
    let (encoding, most, least) = if little > big { (UTF_16LE, little, big) } else { (UTF_16BE, big, little) };
    (most >= ENOUGH && most * 32 >= units.len() && least * 4 < most).then_some(encoding)
}

/// The encoding that `<meta charset=...>` or `<meta http-equiv content="...; charset=...">` names.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(DECLARATION_WINDOW)];
    let mut at = 0;
    while let Some(found) = find_ignoring_case(&head[at..], b"<meta") {
        let tag = &head[at + found..];
        let tag = &tag[..tag.iter().position(|b| *b == b'>').unwrap_or(tag.len())];
        if let Some(encoding) = charset_in(tag) {
            return Some(encoding);
        }
        at += found + 5;
    }
    // XHTML may say it in the XML declaration alone.
    if head.starts_with(b"<?xml") {
        let line = &head[..head.iter().position(|b| *b == b'>')?];
        let label = value_after(line, find_ignoring_case(line, b"encoding")? + 8)?;
        return Encoding::for_label(label);
    }
    None
}

fn charset_in(tag: &[u8]) -> Option<&'static Encoding> {
    let label = value_after(tag, find_ignoring_case(tag, b"charset")? + 7)?;
    let encoding = Encoding::for_label(label)?;
    // A page whose declaration can be read as ASCII is not UTF-16, whatever it says (HTML standard, 13.2.3.2).
    Some(match encoding {
        e if e == UTF_16LE || e == UTF_16BE => UTF_8,
        e if e == X_USER_DEFINED => WINDOWS_1252,
        e => e,
    })
}

fn value_after(tag: &[u8], at: usize) -> Option<&[u8]> {
    let rest = tag.get(at..)?.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let rest = rest.strip_prefix(b"\"").or_else(|| rest.strip_prefix(b"'")).unwrap_or(rest);
    let end = rest.iter().position(|b| b"\"'; \t\r\n/".contains(b)).unwrap_or(rest.len());
    Some(&rest[..end])
}

fn find_ignoring_case(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w.eq_ignore_ascii_case(needle))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARABIC: &str = "أعلنت وزارة المالية اليوم عن موازنة جديدة للعام المقبل، وقال الوزير إن العجز سينخفض.";

    fn cp1256(text: &str) -> Vec<u8> {
        encoding_rs::WINDOWS_1256.encode(text).0.into_owned()
    }

    #[test]
    fn windows_1256_without_any_declaration_is_recognised() {
        let html = format!("<html><body><p>{ARABIC}</p><p>{ARABIC}</p></body></html>");
        let bytes = cp1256(&html);
        let (text, encoding) = decode(&bytes, None);
        assert_eq!(encoding.name(), "windows-1256");
        assert_eq!(text, html);
    }

    #[test]
    fn declarations_in_their_several_forms() {
        for head in [
            "<meta charset=windows-1256>",
            "<META http-equiv='Content-Type' content='text/html; charset=windows-1256'>",
            "<!-- long comment --><meta name=x><meta charset = \"Windows-1256\" />",
        ] {
            let html = format!("{head}<p>{}</p>", "سلام");
            assert_eq!(decode(&cp1256(&html), None).0, html, "{head}");
        }
        let xhtml = "<?xml version=\"1.0\" encoding=\"windows-1256\"?><p>سلام</p>";
        assert_eq!(decode(&cp1256(xhtml), None).0, xhtml);
    }

    #[test]
    fn a_server_names_a_charset_in_several_forms() {
        let bytes = cp1256("كلمات");
        for charset in ["windows-1256", "\"windows-1256\"", "text/html; Charset='windows-1256'; a=b"] {
            assert_eq!(decode(&bytes, Some(charset)).1.name(), "windows-1256", "{charset}");
        }
        for unknown in ["", "text/html", "nosuch", "text/html; charset="] {
            assert_eq!(decode("كلمات".as_bytes(), Some(unknown)).1, UTF_8, "{unknown}");
        }
    }

    #[test]
    fn utf8_that_declares_a_legacy_charset_is_utf8_all_the_same() {
        let html = format!("<meta charset=windows-1256><p>{ARABIC}</p>");
        assert_eq!(decode(html.as_bytes(), None), (Cow::Borrowed(&*html), UTF_8));
    }

    #[test]
    fn legacy_bytes_that_declare_utf8_are_guessed() {
        let html = format!("<meta charset=utf-8><p>{ARABIC}{ARABIC}</p>");
        assert_eq!(decode(&cp1256(&html), None).1.name(), "windows-1256");
    }

    #[test]
    fn text_of_another_script_that_declares_a_latin_charset_is_guessed() {
        let texts = [ARABIC, "Правительство сообщило сегодня о новом бюджете на следующий год, сказал министр."];
        for (text, label) in texts.into_iter().zip(["windows-1256", "windows-1251"]) {
            let html = format!("<meta charset=iso-8859-1><p>{text}</p><p>{text}</p>");
            let encoding = Encoding::for_label(label.as_bytes()).unwrap();
            assert_eq!(decode(&encoding.encode(&html).0, None), (Cow::Borrowed(&*html), encoding));
        }
        // Latin text is what it says, and so are a few letters, of which nothing can be told.
        let latin = "Où étaient-ils allés, ces élèves zélés ? À l'école, répétait-on, naïfs et déçus. ".repeat(4);
        for text in [&*latin, "ÀÉÈÙÂÊÎÔÛ", "Größe ÄÖÜ: 100 m², 5 €, «ça»"] {
            let html = format!("<meta charset=iso-8859-1><p>{text}</p>");
            assert_eq!(decode(&WINDOWS_1252.encode(&html).0, None), (Cow::Borrowed(&*html), WINDOWS_1252));
        }
    }

    #[test]
    fn turkish_that_declares_a_western_charset_is_turkish() {
        let page = |text: &str, label: &str| format!("<meta charset={label}><p>{}</p>", text.repeat(3));
        let text =
            "Köy kütüphanesi üç yıl sonra yeniden açıldı; kapısı Şükrü Bey'in çağrısıyla İzmir'den René'ye açık. ";
        for label in ["iso-8859-1", "windows-1252"] {
            let html = page(text, label);
            assert_eq!(decode(&WINDOWS_1254.encode(&html).0, None), (Cow::Borrowed(&*html), WINDOWS_1254));
        }
        // The same letters as others have them.
        for text in [
            "Það var þá að hún sagði að æðrast ekki, en nú sé tími til að fara út í Þórsmörk, þótt ýmsir efist um það. ",
            "Tað er gott veður í dag, og tey fara við bátinum út á fjørðin at fiska; ýsan er har við smáan økt í fýra dagar. ",
            "Hwæt! We Gardena in geardagum, þeodcyninga, þrym gefrunon, hu ða æþelingas ellen fremedon; þæt wæs god cyning. ",
            "Où étaient-ils allés, ces élèves zélés ? À Saint-Loup-de-Naud, ou bien à Louÿs, répétait-on, déçus. ",
        ] {
            let html = page(text, "iso-8859-1");
            assert_eq!(decode(&WINDOWS_1252.encode(&html).0, None), (Cow::Borrowed(&*html), WINDOWS_1252));
        }
    }

    #[test]
    fn big5_that_declares_the_charset_of_the_mainland_is_big5() {
        for label in ["gb2312", "gb18030"] {
            let text = "政府今天宣布了明年的一個新預算，部長說赤字將會減少，圖書館也會重新開放。".repeat(3);
            let html = format!("<meta charset={label}><p>{text}</p>");
            assert_eq!(decode(&BIG5.encode(&html).0, None), (Cow::Borrowed(&*html), BIG5));
        }
        // What is broken otherwise is what it says: a letter cut in two, private ones.
        let html = "<meta charset=gb2312><p>政府今天宣布了明年的一个新预算，部长说赤字将会减少，图书馆。</p>";
        let bytes = [&GBK.encode(html).0[..], b"\xb5<p>\xfe\xfe\xaa\xa1</p>"].concat();
        assert_eq!(decode(&bytes, None).1, GBK);
    }

    #[test]
    fn a_part_in_another_encoding_does_not_make_it_that_of_the_page() {
        let include = cp1256(ARABIC);
        let html = format!("<meta charset=utf-8><p>{}</p>", ARABIC.repeat(3));
        let bytes = [html.as_bytes(), &include].concat();
        let (text, encoding) = decode(&bytes, None);
        assert_eq!(encoding, UTF_8);
        assert!(text.starts_with(&html) && text.contains('\u{fffd}'));
    }

    #[test]
    fn marks_and_utf16() {
        assert_eq!(decode(b"\xef\xbb\xbfa", None).0, "a");
        let utf16: Vec<u8> =
            format!("<p>{}</p>", "text ".repeat(30)).encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decode(&utf16, None).1, UTF_16LE);
        let marked: Vec<u8> = "\u{feff}سلام".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decode(&marked, None).0, "سلام");
    }

    #[test]
    fn utf16_without_a_mark_is_told_by_the_ascii_that_any_text_has() {
        let texts = [
            ARABIC,
            "הממשלה הודיעה היום על תקציב חדש לשנה הבאה, והשר אמר כי הגירעון יקטן.",
            "รัฐบาลประกาศงบประมาณใหม่ สำหรับปีหน้าวันนี้ และรัฐมนตรีกล่าวว่า การขาดดุลจะลดลง",
            "<p>政府今天宣布了明年的一个新预算，部长说赤字将会减少。</p>",
        ];
        for text in texts {
            let text = format!("{text}\n{text}\n");
            let units = || text.encode_utf16();
            let (little, big): (Vec<u8>, Vec<u8>) =
                (units().flat_map(u16::to_le_bytes).collect(), units().flat_map(u16::to_be_bytes).collect());
            assert_eq!(decode(&little, None), (Cow::Borrowed(&*text), UTF_16LE));
            assert_eq!(decode(&big, None), (Cow::Borrowed(&*text), UTF_16BE));
        }
        // Zeros in other texts.
        for text in ["<p>a\0b\0 c d e\0 f</p>\0\0\0\0 and\0 more words", "a\0b\0", "<p>\0\0\0\0\0\0\0\0\0\0\0\0\0</p>"]
        {
            assert_ne!(decode(text.as_bytes(), None).0.find("\0"), None, "{text:?}");
        }
    }

    #[test]
    fn a_few_broken_bytes_do_not_lose_the_page() {
        let mut bytes = format!("<meta charset=utf-8><p>{ARABIC}</p>").into_bytes();
        bytes.push(0xff);
        let (text, encoding) = decode(&bytes, None);
        assert_eq!(encoding, UTF_8);
        assert!(text.contains(ARABIC) && text.ends_with('\u{fffd}'));
        // A teaser cut in mid-letter, on a page that declares nothing, or what it no longer is.
        for head in ["", "<meta charset=windows-1256>"] {
            let bytes = [head.as_bytes(), b"<p>", &ARABIC.as_bytes()[..3], b"</p><p>", ARABIC.as_bytes()].concat();
            let (text, encoding) = decode(&bytes, None);
            assert_eq!(encoding, UTF_8, "{head}");
            assert!(text.ends_with(ARABIC), "{head}");
        }
    }

    #[test]
    fn legacy_texts_are_not_nearly_utf8() {
        let texts = ["سلام عليكم", "déjà vu, où ça", "漢字かんじ", "привет", "中文网页", "한국어"];
        let encodings = ["windows-1256", "windows-1252", "shift_jis", "koi8-r", "gbk", "euc-kr"];
        for (text, label) in texts.into_iter().zip(encodings) {
            let encoding = Encoding::for_label(label.as_bytes()).unwrap();
            let bytes = encoding.encode(text).0.repeat(20);
            assert!(std::str::from_utf8(&bytes).is_err(), "{label}");
            assert!(!is_nearly_utf8(&bytes) && !is_mostly_utf8(&bytes), "{label}");
        }
    }

    #[cfg(feature = "warc")]
    #[test]
    fn a_server_s_charset_is_not_believed_against_the_bytes() {
        let text = ARABIC.repeat(2);
        let (utf8, arabic) = (text.as_bytes(), &*cp1256(&text));
        for (charset, bytes, may) in [
            ("windows-1256", arabic, true),
            ("Windows-1256", utf8, false),
            ("utf-8", utf8, true),
            ("utf-8", arabic, false),
            ("iso-8859-1", arabic, false),
            ("iso-8859-1", b"d\xe9j\xe0 vu", true),
            ("iso-8859-1", b"plain", true),
            ("iso-2022-jp", b"\x1b$B%K%e\x1b(B", true),
            ("none", arabic, false),
        ] {
            assert_eq!(may_be(charset, bytes), may, "{charset}");
        }
    }

    #[test]
    fn the_callers_charset_wins_over_the_page() {
        let html = "<meta charset=windows-1252><p>سلام</p>";
        assert_eq!(decode(&cp1256(html), Some("windows-1256")).0, html);
    }
}
