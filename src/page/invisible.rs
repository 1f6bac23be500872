//! Characters of which nothing is shown, and which cut words for whoever reads letters.

/// Where a word may be cut (U+00AD) or a line may break (U+200B). Joiners, U+200C and U+200D, are part of words.
const INVISIBLE: [char; 2] = ['\u{ad}', '\u{200b}'];

/// Whether a character is one of them.
pub(crate) fn is_invisible(c: char) -> bool {
    INVISIBLE.contains(&c)
}

/// Whether a text has any of them. One after the other, so that they are looked for by their bytes.
pub(crate) fn has_invisible(text: &str) -> bool {
    INVISIBLE.iter().any(|c| text.contains(*c))
}

/// Letters of the scripts that mark words by U+200B, as there are no spaces between them: Thai, Lao, Myanmar, Khmer.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{a9e0}'..='\u{a9ff}'
        | '\u{aa60}'..='\u{aa7f}')
}

/// The characters of a text without the [invisible](is_invisible) ones, but those between words of such scripts.
pub(crate) fn visible(text: &str) -> impl Iterator<Item = char> + '_ {
    let mut before = None;
    let mut chars = text.chars().peekable();
    std::iter::from_fn(move || {
        loop {
            let c = chars.next()?;
            let between = c == '\u{200b}' && before.is_some_and(is_unspaced);
            if !is_invisible(c) || between && chars.peek().copied().is_some_and(is_unspaced) {
                before = Some(c);
                return Some(c);
            }
        }
    })
}
