//! What a word is: the one definition that features, alignment and metrics share.
//!
//! The benchmarks this project is measured on are scored in Python, so a word is what Python's `re` takes for
//! `\w+`: letters (general category `L*`), numbers (`N*`) and the underscore. Combining marks are *not* part of
//! a word there, so an Arabic word with its vowel signs or a Devanagari word falls into several. Rust's own
//! [`char::is_alphanumeric`] differs (it counts vowel signs), hence the general categories.

use unicode_general_category::{GeneralCategory, get_general_category};

/// How Chinese and Japanese, which put no space between words, are cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WordRule {
    /// `\w+`: a whole clause of Chinese is one word. What WCXB scores by.
    Plain,
    /// Every character of the CJK ranges is a word of its own.
    #[default]
    Cjk,
}

/// Whether Python's `\w` takes the character.
pub fn is_word_char(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    use GeneralCategory::*;
    matches!(
        get_general_category(c),
        LowercaseLetter
            | UppercaseLetter
            | TitlecaseLetter
            | ModifierLetter
            | OtherLetter
            | DecimalNumber
            | LetterNumber
            | OtherNumber
    )
}

/// Whether the character is a word of its own under [`WordRule::Cjk`]: kana, CJK ideographs, and the marks in
/// their ranges.
pub fn is_cjk(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

/// The words of a text, as they are written.
///
/// Where case must not matter, pass the text through [`str::to_lowercase`] first, which does what Python's
/// `str.lower` does.
///
/// ```
/// use lubb::page::words::{WordRule, words};
/// let split = |rule| words("Don't: 東京 x_1", rule).collect::<Vec<_>>();
/// assert_eq!(split(WordRule::Plain), ["Don", "t", "東京", "x_1"]);
/// assert_eq!(split(WordRule::Cjk), ["Don", "t", "東", "京", "x_1"]);
/// ```
pub fn words(text: &str, rule: WordRule) -> Words<'_> {
    Words { rest: text, rule }
}

/// The iterator that [`words`] returns.
#[derive(Clone, Debug)]
pub struct Words<'a> {
    rest: &'a str,
    rule: WordRule,
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let alone = |c| self.rule == WordRule::Cjk && is_cjk(c);
        let start = self.rest.find(|c| is_word_char(c) || alone(c))?;
        let found = &self.rest[start..];
        let mut chars = found.chars();
        let end = match chars.next().filter(|c| alone(*c)) {
            Some(c) => c.len_utf8(),
            None => found.find(|c| !is_word_char(c) || alone(c)).unwrap_or(found.len()),
        };
        let (word, rest) = found.split_at(end);
        self.rest = rest;
        Some(word)
    }
}

/// The first bytes of a text, whole characters only.
pub(crate) fn start_of(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(text: &str) -> [String; 2] {
        [WordRule::Plain, WordRule::Cjk].map(|rule| words(text, rule).collect::<Vec<_>>().join("|"))
    }

    /// The expected lists were printed by Python 3.11 with the two patterns of the benchmark's scorer.
    #[test]
    fn words_are_those_of_pythons_re() {
        let cases = [
            ("كَتَبَ الوَلَدُ", "ك|ت|ب|الو|ل|د", "ك|ت|ب|الو|ل|د"),
            ("हिन्दी में", "ह|न|द|म", "ह|न|द|म"),
            ("می\u{200c}خواهد ۱۲٬۳۴۵", "می|خواهد|۱۲|۳۴۵", "می|خواهد|۱۲|۳۴۵"),
            ("x² ½ Ⅻ ⑨ a_b", "x²|½|Ⅻ|⑨|a_b", "x²|½|Ⅻ|⑨|a_b"),
            ("東京タワー・2024年、abc中", "東京タワー|2024年|abc中", "東|京|タ|ワ|ー|・|2024|年|abc|中"),
            ("한국어 ไทยนี้", "한국어|ไทยน", "한국어|ไทยน"),
            ("e\u{301}té ﷺ ﬁn", "e|té|ﷺ|ﬁn", "e|té|ﷺ|ﬁn"),
        ];
        for (text, plain, cjk) in cases {
            assert_eq!(both(text), [plain, cjk], "{text}");
        }
    }

    #[test]
    fn lower_casing_is_that_of_pythons_str() {
        // 'İ'.lower() is two characters, the second a combining mark, so the word breaks there.
        assert_eq!(both(&"İSTANBUL ΟΔΥΣΣΕΥΣ ΣΑΣ. ẞ".to_lowercase())[0], "i|stanbul|οδυσσευς|σας|ß");
    }
}
