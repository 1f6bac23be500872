//! Text that some earlier tool made of a page, chrome and all: every line with text is a block.

use std::borrow::Cow;

use super::segment::Block;

/// Where a line stood in its file and how it was set off, all that is left of the page's structure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The line's number in the file, from 1, blank lines counted.
    pub number: u32,
    /// White space before the text, in characters.
    pub indent: u16,
    /// Blank lines before it.
    pub blank_before: u16,
    /// Whether it begins with a list mark such as `•`, `-` or `*`, which is kept in the block's text.
    pub bullet: bool,
}

/// The blocks of a text, what is known of their lines, and their texts, a line feed after each.
pub fn lines(input: &str) -> (Vec<Block>, Vec<Line>, String) {
    let (mut blocks, mut lines, mut text) = (Vec::new(), Vec::new(), String::with_capacity(input.len()));
    let mut blank_before = 0u16;
    for (number, line) in with_line_feeds(input).lines().enumerate() {
        let start = text.len() as u32;
        let mut chars = 0;
        for word in line.split_whitespace() {
            let mut shown = word.chars().filter(|c| !c.is_control() && *c != '\u{feff}').peekable();
            if chars > 0 && shown.peek().is_some() {
                text.push(' ');
            }
            shown.for_each(|c| {
                text.push(c);
                chars += 1;
            });
        }
        if chars == 0 {
            blank_before = blank_before.saturating_add(1);
            continue;
        }
        let range = start..text.len() as u32;
        text.push('\n');
        let indent = line.chars().take_while(|c| c.is_whitespace()).count().min(u16::MAX as usize) as u16;
        blocks.push(Block { element: 0, nodes: 0..0, text: range, chars, link_chars: 0, bold_chars: 0, links: 0 });
        lines.push(Line {
            number: number as u32 + 1,
            indent,
            blank_before,
            bullet: text[start as usize..].starts_with(['•', '-', '*', '·', '‣', '–', '◦', '▪', '■', '●', '»', '›']),
        });
        blank_before = 0;
    }
    (blocks, lines, text)
}

/// Lines that end as those of old Macs do, in a carriage return alone, end in a line feed. A few among other lines are
/// no ends.
fn with_line_feeds(text: &str) -> Cow<'_, str> {
    let count = |end: u8| memchr::memchr_iter(end, text.as_bytes()).count();
    match count(b'\r') {
        0 => Cow::Borrowed(text),
        returns if returns - text.matches("\r\n").count() <= count(b'\n') => Cow::Borrowed(text),
        _ => Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_with_text_is_a_block_with_its_number() {
        let (blocks, lines, text) = lines("\u{feff}Menu\r\n\u{c}\n\n  • a \u{0} b\nlast");
        assert_eq!(text, "Menu\n• a b\nlast\n");
        assert_eq!(blocks.len(), 3);
        assert_eq!(lines[1], Line { number: 4, indent: 2, blank_before: 2, bullet: true });
    }
    #[test]
    fn lines_may_end_as_those_of_old_macs() {
        let numbers = |text: &str| lines(text).1.iter().map(|line| line.number).collect::<Vec<_>>();
        assert_eq!(lines("One\r\rTwo\rThree").2, "One\nTwo\nThree\n");
        assert_eq!(numbers("One\r\rTwo\rThree\r\n"), [1, 3, 4]);
        // A progress bar that went into a text of other lines.
        assert_eq!(numbers("One 1%\r2%\r\r\nTwo\nThree"), [1, 2, 3]);
    }
}
