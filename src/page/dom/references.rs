//! Character references: `&amp;`, `&#x27;` (HTML standard, 13.2.5.72 and on).

use html5ever::data::{C1_REPLACEMENTS, NAMED_ENTITIES};
use memchr::memchr;

/// Longer names are looked up with their semicolon alone: of those that may go without one none is longer.
const LONGEST_BARE: usize = 8;

/// Appends `text` with its character references resolved, by the rules of text or by those of attribute values.
pub(super) fn resolve(mut text: &str, in_attribute: bool, out: &mut String) {
    while let Some(at) = memchr(b'&', text.as_bytes()) {
        out.push_str(&text[..at]);
        text = &text[at + 1..];
        let length = match text.as_bytes().first() {
            Some(b'#') => numeric(&text[1..], out).map_or(0, |length| length + 1),
            Some(b) if b.is_ascii_alphanumeric() => named(text, in_attribute, out),
            _ => 0,
        };
        if length == 0 {
            out.push('&');
        }
        text = &text[length..];
    }
    out.push_str(text);
}

/// The length of a reference by number after its `#`, if it has digits.
fn numeric(text: &str, out: &mut String) -> Option<usize> {
    let (base, start) = if text.starts_with(['x', 'X']) { (16, 1) } else { (10, 0) };
    let digits = text[start..].bytes().take_while(|b| char::from(*b).is_digit(base)).count();
    if digits == 0 {
        return None;
    }
    let end = start + digits;
    // Too many digits for the type are too many for a character.
    let code = u32::from_str_radix(&text[start..end], base).unwrap_or(u32::MAX);
    let replaced = match code {
        0 => None,
        0x80..=0x9f => C1_REPLACEMENTS[code as usize - 0x80].or(char::from_u32(code)),
        _ => char::from_u32(code),
    };
    out.push(replaced.unwrap_or('\u{fffd}'));
    Some(end + usize::from(text[end..].starts_with(';')))
}

/// The length of a reference by name after its `&`; 0 if it is none.
fn named(text: &str, in_attribute: bool, out: &mut String) -> usize {
    let length = text.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let next = text.as_bytes().get(length);
    let mut push = |name: &str| match NAMED_ENTITIES.get(name) {
        // Beginnings of names are in the table too, with nothing for them.
        Some(&(first, second)) if first != 0 => {
            out.extend([first, second].into_iter().filter(|c| *c != 0).filter_map(char::from_u32));
            name.len()
        }
        _ => 0,
    };
    if next == Some(&b';') {
        let found = push(&text[..=length]);
        if found > 0 {
            return found;
        }
    }
    if in_attribute {
        // Addresses have parameters that begin like references: `?a=1&copy=2`.
        return if next == Some(&b'=') || length > LONGEST_BARE { 0 } else { push(&text[..length]) };
    }
    (1..=length.min(LONGEST_BARE)).rev().map(|length| push(&text[..length])).find(|found| *found > 0).unwrap_or(0)
}
