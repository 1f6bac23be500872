//! What a block's characters say, in any script.

use crate::page::{Block, Page};

use super::log::ln_1p;

/// Counts over one block's text, from which columns are made. A Chinese or Japanese character counts as half a word,
/// its usual share of one; other scripts' words are runs between white space.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TextStats {
    /// Words, Chinese and Japanese characters counted as halves.
    pub words: f32,
    /// Characters that are not white space.
    pub chars: f32,
    /// Decimal digits of any script.
    pub digits: f32,
    /// Upper-case letters.
    pub upper: f32,
    /// Letters of any script.
    pub letters: f32,
    /// Commas, semicolons and colons of any script.
    pub commas: f32,
    /// Full stops, question and exclamation marks of any script, where a sentence can end.
    pub sentence_ends: f32,
    /// Quotation marks.
    pub quotes: f32,
    /// Other punctuation and symbols.
    pub symbols: f32,
    /// Characters beyond those that writing uses: emoji, arrows, bullets, private use.
    pub pictures: f32,
    /// Currency signs and percent signs.
    pub currency: f32,
    /// Lines (single breaks and `<pre>`), at least 1.
    pub lines: f32,
    /// The longest word in characters.
    pub longest_word: f32,
    /// Digits with `:`, `/`, `-` or `.` between them, as in times and dates.
    pub date_marks: f32,
    /// Whether the text begins with an upper-case letter, a digit, an opening quote.
    pub starts_upper: bool,
    pub starts_digit: bool,
    pub starts_quote: bool,
    /// How the text ends.
    pub ends_sentence: bool,
    pub ends_colon: bool,
    pub ends_ellipsis: bool,
    /// An address of the web or of a mailbox, a hash tag or a handle.
    pub has_address: bool,
    /// Hash of the text with digits made equal, for repeats on the page.
    pub shape: u64,
    /// Hashes of its words in order (at most 400), for overlap with title and description.
    pub hashes: std::ops::Range<u32>,
}

/// Words past this number are not hashed: overlap is about titles and leads, and a book-length block gains nothing.
const MAX_HASHED: usize = 400;

#[derive(Clone, Copy, PartialEq)]
enum Class {
    Space,
    Upper,
    Letter,
    Ideograph,
    Digit,
    Comma,
    Stop,
    Quote,
    Currency,
    Symbol,
    Picture,
    /// Combining marks and joiners: part of a word, but no letters of their own.
    Mark,
}

const fn ascii_class(byte: u8) -> Class {
    use Class::*;
    match byte {
        b' ' | b'\n' | b'\t' | b'\r' => Space,
        b'A'..=b'Z' => Upper,
        b'a'..=b'z' => Letter,
        b'0'..=b'9' => Digit,
        b',' | b';' | b':' => Comma,
        b'.' | b'!' | b'?' => Stop,
        b'"' | b'\'' => Quote,
        b'$' | b'%' => Currency,
        _ => Symbol,
    }
}

static ASCII: [Class; 128] = {
    let mut classes = [Class::Symbol; 128];
    let mut byte = 0;
    while byte < 128 {
        classes[byte] = ascii_class(byte as u8);
        byte += 1;
    }
    classes
};

fn class(c: char) -> Class {
    use Class::*;
    if let Some(class) = ASCII.get(c as usize) {
        return *class;
    }
    match c as u32 {
        // The commonest letters of Arabic and Cyrillic, before the long way.
        0x0620..=0x064a | 0x0430..=0x044f => Letter,
        0x0410..=0x042f => Upper,
        0x0660..=0x0669 | 0x06f0..=0x06f9 | 0x0966..=0x096f | 0x09e6..=0x09ef | 0xff10..=0xff19 => Digit,
        0x060c | 0x061b | 0x3001 | 0xff0c | 0xff1a | 0xff1b | 0xfe50 | 0x00b7 => Comma,
        0x061f | 0x06d4 | 0x3002 | 0xff01 | 0xff1f | 0xff0e | 0x0964 | 0x0965 | 0x0589 | 0x1362 | 0x203c..=0x203d => {
            Stop
        }
        0x00ab | 0x00bb | 0x2018..=0x201f | 0x2039 | 0x203a | 0x300c..=0x300f => Quote,
        0x20a0..=0x20cf | 0x00a2..=0x00a5 | 0xfdfc | 0x066a | 0x2030 => Currency,
        0x0610..=0x061a
        | 0x064b..=0x065f
        | 0x0670
        | 0x06d6..=0x06ed
        | 0x0300..=0x036f
        | 0x200c
        | 0x200d
        | 0x05b0..=0x05c7 => Mark,
        0x3040..=0x30ff | 0x3400..=0x9fff | 0xf900..=0xfaff | 0x2_0000..=0x3_ffff => Ideograph,
        0x2190..=0x2bff | 0x2022 | 0xe000..=0xf8ff | 0x1f000..=0x1faff | 0xfe0f | 0xfffd => Picture,
        0x2000..=0x206f | 0x00a0..=0x00bf | 0x3000..=0x303f | 0xff00..=0xff0f => Symbol,
        _ if c.is_uppercase() => Upper,
        _ if c.is_alphanumeric() => Letter,
        _ => Symbol,
    }
}

const SEED: u64 = 0xcbf2_9ce4_8422_2325;

/// One step of FNV-1a over a character; cheap, and good enough for sets of some thousand words.
fn mix(hash: u64, c: u32) -> u64 {
    (hash ^ u64::from(c)).wrapping_mul(0x0000_0100_0000_01b3)
}

fn lower(c: char) -> char {
    match c {
        '\0'..='\x7f' => c.to_ascii_lowercase(),
        // Arabic has no case, and these are small already.
        '\u{620}'..='\u{64a}' | '\u{430}'..='\u{44f}' => c,
        _ => c.to_lowercase().next().unwrap_or(c),
    }
}

/// The hashes of a text's words as [`TextStats`] has them.
pub fn word_hashes(text: &str) -> Vec<u64> {
    let mut hashes = Vec::new();
    stats(text, &mut hashes, usize::MAX);
    hashes
}

/// The counts of every block of a page, and the word hashes that their `hashes` ranges point into.
pub fn page_stats(page: &Page) -> (Vec<TextStats>, Vec<u64>) {
    let mut hashes = Vec::with_capacity(page.text.len() / 6);
    let of = |block: &Block| {
        let start = hashes.len() as u32;
        let mut stats = stats(page.text_of(block), &mut hashes, MAX_HASHED);
        stats.hashes = start..hashes.len() as u32;
        stats
    };
    (page.blocks.iter().map(of).collect(), hashes)
}

fn stats(text: &str, hashes: &mut Vec<u64>, max_hashed: usize) -> TextStats {
    let mut s = TextStats { lines: 1.0, ..TextStats::default() };
    let (mut word, mut word_chars, mut in_word) = (SEED, 0u32, false);
    let mut shape = SEED;
    let (mut last, mut before_last, mut last_char) = (Class::Space, Class::Space, ' ');
    let first_hash = hashes.len();
    let mut end_word = |word: &mut u64, word_chars: &mut u32, longest: &mut f32| {
        if *word_chars > 0 {
            if hashes.len() - first_hash < max_hashed {
                hashes.push(*word);
            }
            *longest = longest.max(*word_chars as f32);
            (*word, *word_chars) = (SEED, 0);
        }
    };
    // As numbers of 32 bits counting by one would end.
    let count = |n: u32| n.min(1 << 24) as f32;
    let (mut chars, mut letters, mut upper) = (0u32, 0u32, 0u32);
    let mut at = 0;
    let bytes = text.as_bytes();
    while at < bytes.len() {
        let start = at;
        // Most text is words of ASCII letters, which are read in a loop of their own.
        while let Some(&byte) = bytes.get(at)
            && byte.is_ascii_alphabetic()
        {
            upper += u32::from(byte.is_ascii_uppercase());
            word = mix(word, u32::from(byte.to_ascii_lowercase()));
            shape = mix(shape, u32::from(byte));
            at += 1;
        }
        if at > start {
            let run = &bytes[start..at];
            (chars, letters, word_chars) =
                (chars + run.len() as u32, letters + run.len() as u32, word_chars + run.len() as u32);
            s.words += f32::from(u8::from(!in_word));
            in_word = true;
            s.starts_upper |= start == 0 && run[0].is_ascii_uppercase();
            // No one asks of what came before whether it was an upper-case letter.
            before_last = if run.len() > 1 { Class::Letter } else { last };
            (last, last_char) = (Class::Letter, char::from(run[run.len() - 1]));
            s.ends_ellipsis = false;
            if bytes.get(at) == Some(&b' ') {
                end_word(&mut word, &mut word_chars, &mut s.longest_word);
                in_word = false;
                at += 1;
            }
            continue;
        }
        let (c, class) = match ASCII.get(usize::from(bytes[at])) {
            Some(class) => (char::from(bytes[at]), *class),
            None => {
                let Some(c) = text[at..].chars().next() else { break };
                (c, class(c))
            }
        };
        at += c.len_utf8();
        if class == Class::Space {
            end_word(&mut word, &mut word_chars, &mut s.longest_word);
            in_word = false;
            s.lines += f32::from(u8::from(c == '\n'));
            // White space is passed over below, so that "10 : 30" still looks like a time.
            continue;
        }
        chars += 1;
        if !in_word && class != Class::Ideograph {
            s.words += 1.0;
            in_word = true;
        }
        match class {
            Class::Upper | Class::Letter | Class::Mark => {
                letters += 1;
                upper += u32::from(class == Class::Upper);
                word = mix(word, lower(c) as u32);
                word_chars += 1;
            }
            Class::Digit => {
                s.digits += 1.0;
                s.date_marks +=
                    f32::from(u8::from(before_last == Class::Digit && matches!(last_char, ':' | '/' | '-' | '.')));
                word = mix(word, c as u32);
                word_chars += 1;
            }
            Class::Ideograph => {
                letters += 1;
                s.words += 0.5;
                end_word(&mut word, &mut word_chars, &mut s.longest_word);
                word = mix(SEED, c as u32);
                word_chars = 1;
                end_word(&mut word, &mut word_chars, &mut s.longest_word);
                in_word = false;
            }
            _ => {
                end_word(&mut word, &mut word_chars, &mut s.longest_word);
                match class {
                    Class::Comma => s.commas += 1.0,
                    Class::Stop => s.sentence_ends += 1.0,
                    Class::Quote => s.quotes += 1.0,
                    Class::Currency => s.currency += 1.0,
                    Class::Picture => s.pictures += 1.0,
                    _ => s.symbols += 1.0,
                }
                s.has_address |= matches!(c, '@' | '#') || (c == '/' && last_char == '/');
            }
        }
        if start == 0 {
            s.starts_upper = class == Class::Upper;
            s.starts_digit = class == Class::Digit;
            s.starts_quote = class == Class::Quote;
        }
        shape = mix(shape, if class == Class::Digit { 0 } else { c as u32 });
        s.ends_ellipsis = c == '…' || (c == '.' && last_char == '.');
        (before_last, last, last_char) = (last, class, c);
    }
    end_word(&mut word, &mut word_chars, &mut s.longest_word);
    (s.chars, s.letters, s.upper) = (count(chars), count(letters), count(upper));
    // A closing quote or bracket after the full stop still ends a sentence.
    let closing = last == Class::Quote || matches!(last_char, ')' | ']');
    s.ends_sentence = last == Class::Stop || (closing && before_last == Class::Stop);
    s.ends_colon = matches!(last_char, ':' | '：');
    s.shape = shape;
    s
}

/// The names of [`columns`].
pub const NAMES: &[&str] = &[
    "words_log",
    "chars_log",
    "word_length",
    "longest_word",
    "digits",
    "upper",
    "letters",
    "commas_per_word",
    "commas_log",
    "sentence_ends_log",
    "sentence_ends_per_word",
    "quotes_per_word",
    "symbols",
    "pictures",
    "currency",
    "lines_log",
    "words_per_line",
    "date_marks",
    "starts_upper",
    "starts_digit",
    "starts_quote",
    "ends_sentence",
    "ends_colon",
    "ends_ellipsis",
    "has_address",
    "long_text",
    "link_density",
    "links_log",
    "links_per_word",
    "bold_density",
    "text_density",
];

/// A block's own columns, in the order of [`NAMES`].
pub fn columns(s: &TextStats, block: &Block) -> [f32; NAMES.len()] {
    let flag = |b: bool| f32::from(u8::from(b));
    let (words, chars) = (s.words.max(1.0), s.chars.max(1.0));
    let link_density = block.link_chars as f32 / block.chars.max(1) as f32;
    [
        ln_1p(s.words),
        ln_1p(s.chars),
        (chars / words).min(40.0),
        s.longest_word.min(60.0),
        s.digits / chars,
        s.upper / s.letters.max(1.0),
        s.letters / chars,
        s.commas / words,
        ln_1p(s.commas),
        ln_1p(s.sentence_ends),
        s.sentence_ends / words,
        s.quotes / words,
        s.symbols / chars,
        s.pictures / chars,
        s.currency / words,
        ln_1p(s.lines),
        ln_1p(words / s.lines),
        (s.date_marks / words).min(3.0),
        flag(s.starts_upper),
        flag(s.starts_digit),
        flag(s.starts_quote),
        flag(s.ends_sentence),
        flag(s.ends_colon),
        flag(s.ends_ellipsis),
        flag(s.has_address),
        flag(is_long(s, block)),
        link_density,
        ln_1p(block.links as f32),
        block.links as f32 / words,
        block.bold_chars as f32 / block.chars.max(1) as f32,
        text_density(s),
    ]
}

/// Whether a block reads like prose: at least twelve words, few of them linked, with punctuation.
pub fn is_long(s: &TextStats, block: &Block) -> bool {
    s.words >= 12.0 && block.link_chars * 3 < block.chars && (s.sentence_ends > 0.0 || s.commas > 0.0)
}

/// Kohlschütter et al. 2010 ("Boilerplate Detection using Shallow Text Features", WSDM): words per line when the
/// text is wrapped at 80 characters, the last line left out where there are several.
fn text_density(s: &TextStats) -> f32 {
    let width = s.chars + s.words - 1.0;
    if width <= 80.0 {
        return s.words;
    }
    let lines = (width / 80.0).floor();
    (s.words * (lines * 80.0 / width)) / lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> TextStats {
        stats(text, &mut Vec::new(), MAX_HASHED)
    }

    #[test]
    fn punctuation_of_all_scripts_counts() {
        let arabic = of("قال الوزير، اليوم: هل ينخفض السعر؟");
        assert_eq!((arabic.words, arabic.commas, arabic.sentence_ends), (6.0, 2.0, 1.0));
        assert!(arabic.ends_sentence);
        let chinese = of("今天，天气很好。");
        assert_eq!((chinese.commas, chinese.ends_sentence), (1.0, true));
        assert!(of("\"So it is.\"").ends_sentence && of("Read more…").ends_ellipsis);
    }

    #[test]
    fn dates_addresses_and_digits() {
        let date = of("12/05/2024 10:30");
        assert_eq!((date.digits, date.date_marks), (12.0, 3.0));
        assert!(of("write to a@b.example").has_address);
        assert_eq!(of("٣٠٪").digits, 2.0);
    }

    #[test]
    fn shape_ignores_digits_and_hashes_ignore_case_and_punctuation() {
        assert_eq!(of("34 replies").shape, of("12 replies").shape);
        assert_ne!(of("34 replies").shape, of("34 reply").shape);
        assert_eq!(word_hashes("The Cat, sat."), word_hashes("the cat sat"));
        assert_eq!(word_hashes("天气 好").len(), 3);
    }

    #[test]
    fn a_word_has_one_hash_wherever_it_stands_and_however_it_is_written() {
        let words = [
            "a",
            "cat",
            "act",
            "elephant",
            "elephants",
            "elephanta",
            "internationally",
            "b2b",
            "iphone15pro",
            "naïve",
            "vaïne",
            "كتاب",
            "ilgili",
        ];
        let mut all = Vec::new();
        for word in words {
            let [hash] = word_hashes(word)[..] else { panic!("{word} is one word") };
            for text in [format!("{word} x"), format!("x {word}"), format!("xx, {word}."), word.to_uppercase()] {
                assert!(word_hashes(&text).contains(&hash), "{text}");
            }
            all.push(hash);
        }
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), words.len());
        // A letter that is no ASCII, and whose small one is.
        assert_eq!(word_hashes("İLGİLİ HABERLERİ"), word_hashes("ilgili haberleri"));
    }

    #[test]
    fn text_density_is_words_per_wrapped_line() {
        assert_eq!(text_density(&of("four words only here")), 4.0);
        let dense = text_density(&of(&"word ".repeat(100)));
        assert!((dense - 16.0).abs() < 0.5, "{dense}");
    }
}
