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

/// One step of a hash: a product of 128 bits, folded, as in wyhash (Wang Yi 2019).
fn mix(hash: u64, more: u64) -> u64 {
    let product = u128::from(hash ^ more) * 0x9e37_79b9_7f4a_7c15;
    product as u64 ^ (product >> 64) as u64
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

/// Letters of eight bytes from the first on, which are read together: words are mostly of ASCII or of Arabic letters.
struct Run {
    /// Their bytes, 0 to 8.
    len: usize,
    letters: u32,
    upper: u32,
    /// The bytes, the first as the lowest one.
    bytes: u64,
}

impl Run {
    /// The case of a letter of ASCII.
    const CASE: u64 = 0x2020_2020_2020_2020;

    /// At a byte that is there, of UTF-8.
    #[inline]
    fn at(bytes: &[u8], at: usize) -> Run {
        let rest = &bytes[at..];
        let eight = match (rest.first_chunk(), bytes.last_chunk()) {
            (Some(eight), _) => u64::from_le_bytes(*eight),
            (None, Some(eight)) => u64::from_le_bytes(*eight) >> (64 - 8 * rest.len()),
            (None, None) => rest.iter().rev().fold(0, |eight, byte| eight << 8 | u64::from(*byte)),
        };
        if rest[0].is_ascii() { Run::of_ascii(eight) } else { Run::of_arabic(eight) }
    }

    #[inline]
    fn of_ascii(eight: u64) -> Run {
        const HIGH: u64 = 0x8080_8080_8080_8080;
        const EACH: u64 = 0x0101_0101_0101_0101;
        // The high bit of a byte says: at least `a`, beyond `z`, and in the end that it is a letter.
        let seven = (eight | Self::CASE) & !HIGH;
        let from_a = seven + EACH * (0x80 - u64::from(b'a'));
        let past_z = seven + EACH * (0x7f - u64::from(b'z'));
        let are = from_a & !past_z & !eight & HIGH;
        let len = (are ^ HIGH).trailing_zeros() / 8;
        let own = Run::first(len as usize);
        // The bits of upper-case letters, one in each byte, added up in the highest byte: the processors that Rust compiles
        // for have no instruction that counts bits.
        let upper = ((are & own & !(eight << 2)) >> 7).wrapping_mul(EACH) >> 56;
        Run { len: len as usize, letters: len, upper: upper as u32, bytes: eight & own }
    }

    /// U+0620 to U+064A, in UTF-8 two bytes each, have no case and are letters all.
    #[inline]
    fn of_arabic(eight: u64) -> Run {
        let pairs: [[u8; 2]; 4] = std::array::from_fn(|at| ((eight >> (16 * at)) as u16).to_le_bytes());
        let is_letter = |pair: &&[u8; 2]| matches!(pair, [0xd8, 0xa0..=0xbf] | [0xd9, 0x80..=0x8a]);
        let letters = pairs.iter().take_while(is_letter).count();
        Run { len: 2 * letters, letters: letters as u32, upper: 0, bytes: eight & Run::first(2 * letters) }
    }

    /// All bits of so many bytes.
    fn first(bytes: usize) -> u64 {
        u64::MAX.checked_shr(64 - 8 * bytes as u32).unwrap_or(0)
    }
}

/// The hash of a word as it is read. Bytes of ASCII go in by eights, from the first on, whichever way they are read; so do
/// Arabic letters, of which a run is read in one way only; other characters go in alone.
struct Word {
    hash: u64,
    /// Up to seven bytes that are not in the hash yet, the first as the lowest byte.
    eight: u64,
    bytes: usize,
    chars: u32,
}

impl Word {
    const NEW: Word = Word { hash: SEED, eight: 0, bytes: 0, chars: 0 };

    #[inline]
    fn push_run(&mut self, run: &Run) {
        if run.bytes & 0x80 != 0 {
            self.flush();
            self.chars += run.letters;
            self.hash = mix(self.hash, run.bytes);
            return;
        }
        let letters = run.bytes | Run::CASE & Run::first(run.len);
        if self.bytes > 0 {
            letters.to_le_bytes()[..run.len].iter().for_each(|byte| self.push_char(char::from(*byte)));
            return;
        }
        self.chars += run.letters;
        if run.len == 8 {
            self.hash = mix(self.hash, letters);
        } else {
            (self.eight, self.bytes) = (letters, run.len);
        }
    }

    fn push_char(&mut self, c: char) {
        self.chars += 1;
        if !c.is_ascii() {
            self.flush();
            self.hash = mix(self.hash, u64::from(u32::from(c)));
            return;
        }
        self.eight |= u64::from(u32::from(c)) << (8 * self.bytes);
        self.bytes += 1;
        if self.bytes == 8 {
            self.flush();
        }
    }

    #[inline]
    fn flush(&mut self) {
        if self.bytes > 0 {
            self.hash = mix(self.hash, self.eight);
            (self.eight, self.bytes) = (0, 0);
        }
    }
}

fn stats(text: &str, hashes: &mut Vec<u64>, max_hashed: usize) -> TextStats {
    let mut s = TextStats { lines: 1.0, ..TextStats::default() };
    let (mut word, mut in_word) = (Word::NEW, false);
    let mut shape = SEED;
    let (mut last, mut before_last, mut last_char) = (Class::Space, Class::Space, ' ');
    let first_hash = hashes.len();
    let mut end_word = |word: &mut Word, longest: &mut u32| {
        if word.chars > 0 {
            word.flush();
            if hashes.len() - first_hash < max_hashed {
                hashes.push(word.hash);
            }
            *longest = word.chars.max(*longest);
            *word = Word::NEW;
        }
    };
    // Characters by class: a table in place of a branch for each, which the processor would guess wrong.
    let mut of = [0u32; Class::Mark as usize + 1];
    let (mut words, mut longest) = (0u32, 0u32);
    let mut at = 0;
    let bytes = text.as_bytes();
    while at < bytes.len() {
        let start = at;
        let run = Run::at(bytes, at);
        if run.len > 0 {
            at += run.len;
            of[Class::Letter as usize] += run.letters - run.upper;
            of[Class::Upper as usize] += run.upper;
            word.push_run(&run);
            shape = mix(shape, run.bytes);
            words += u32::from(!in_word);
            in_word = true;
            s.starts_upper |= start == 0 && bytes[0].is_ascii_uppercase();
            // No one asks of what came before which letter it was.
            before_last = if run.letters > 1 { Class::Letter } else { last };
            (last, last_char) = (Class::Letter, 'a');
            s.ends_ellipsis = false;
            if bytes.get(at) == Some(&b' ') {
                end_word(&mut word, &mut longest);
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
            end_word(&mut word, &mut longest);
            in_word = false;
            s.lines += f32::from(u8::from(c == '\n'));
            // White space is passed over below, so that "10 : 30" still looks like a time.
            continue;
        }
        of[class as usize] += 1;
        words += u32::from(!in_word && class != Class::Ideograph);
        in_word = class != Class::Ideograph;
        match class {
            Class::Upper | Class::Letter | Class::Mark => word.push_char(lower(c)),
            Class::Digit => {
                s.date_marks +=
                    f32::from(u8::from(before_last == Class::Digit && matches!(last_char, ':' | '/' | '-' | '.')));
                word.push_char(c);
            }
            Class::Ideograph => {
                end_word(&mut word, &mut longest);
                word.push_char(c);
                end_word(&mut word, &mut longest);
            }
            _ => {
                end_word(&mut word, &mut longest);
                s.has_address |= matches!(c, '@' | '#') || (c == '/' && last_char == '/');
            }
        }
        if start == 0 {
            s.starts_upper = class == Class::Upper;
            s.starts_digit = class == Class::Digit;
            s.starts_quote = class == Class::Quote;
        }
        shape = mix(shape, if class == Class::Digit { 0 } else { u64::from(u32::from(c)) });
        s.ends_ellipsis = c == '…' || (c == '.' && last_char == '.');
        (before_last, last, last_char) = (last, class, c);
    }
    end_word(&mut word, &mut longest);
    let count = |classes: &[Class]| classes.iter().map(|class| of[*class as usize]).sum::<u32>() as f32;
    s.words = words as f32 + 0.5 * count(&[Class::Ideograph]);
    s.letters = count(&[Class::Upper, Class::Letter, Class::Mark, Class::Ideograph]);
    s.chars = of.iter().sum::<u32>() as f32;
    [s.upper, s.digits, s.commas, s.sentence_ends, s.quotes, s.currency, s.pictures, s.symbols] = [
        Class::Upper,
        Class::Digit,
        Class::Comma,
        Class::Stop,
        Class::Quote,
        Class::Currency,
        Class::Picture,
        Class::Symbol,
    ]
    .map(|class| of[class as usize] as f32);
    s.longest_word = longest as f32;
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
            "كتابة",
            "والمستشفيات",
            "سُلَّم",
            "سلم",
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
    fn letters_are_read_eight_bytes_at_a_time_as_they_are_one_by_one() {
        let text = "A Zebra@[`{ crossed9the-STREET, naïvely. Österreich zählt x كتبت الصحيفة: ٣٠ سُلَّماً گفت ـؠيٟ، y";
        let is_arabic = |c: &char| ('\u{620}'..='\u{64a}').contains(c);
        for end in (1..=text.len()).filter(|end| text.is_char_boundary(*end)) {
            for at in (0..end).filter(|at| text.is_char_boundary(*at)) {
                let rest = &text[at..end];
                let run = Run::at(&text.as_bytes()[..end], at);
                let letters: String = match rest.chars().next().is_some_and(|c| is_arabic(&c)) {
                    true => rest.chars().take_while(is_arabic).take(4).collect(),
                    false => rest.chars().take_while(char::is_ascii_alphabetic).take(8).collect(),
                };
                let upper = letters.chars().filter(char::is_ascii_uppercase).count();
                let found = (run.len, run.letters as usize, run.upper as usize);
                assert_eq!(found, (letters.len(), letters.chars().count(), upper), "{at} of {end}");
                assert_eq!(run.bytes.to_le_bytes()[..run.len], *letters.as_bytes());
                assert!(run.bytes.to_le_bytes()[run.len..].iter().all(|byte| *byte == 0));
            }
        }
    }

    #[test]
    fn text_density_is_words_per_wrapped_line() {
        assert_eq!(text_density(&of("four words only here")), 4.0);
        let dense = text_density(&of(&"word ".repeat(100)));
        assert!((dense - 16.0).abs() < 0.5, "{dense}");
    }
}
