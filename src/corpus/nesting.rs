//! Pages whose nesting would take a parser minutes or all memory, found before they are parsed.
//!
//! html5ever is quadratic in depth. Most block-level tags look through the open elements for a `<p>` to close, end
//! tags look for their start tag, at 5 to 10 ns a step: 20,000 open `<div>`s took 2 s, 100,000 would take 50 s. And
//! formatting elements left open are made anew in each later block: 2,000 times `<p><b a=N>x`, 30 KB, became two
//! million nodes. So what a page costs is estimated from its tags: the sum over all tags of the elements then open.
//! Of 1,956 real pages the costliest reached a seventieth of the bound, and looking took 2 % of the parser's time.

use std::collections::HashMap;

use memchr::{memchr, memchr_iter, memchr3, memmem};

use super::Fault;

/// Steps through open elements that are borne; about a second.
const STEPS: u64 = 100_000_000;

/// Formatting elements made anew that are borne; about 2 s and 1 GB.
const REMADE: u64 = 4_000_000;

/// With so few start tags neither bound can be reached (n²/2 steps, n²/4 elements), and most pages have fewer.
const FEW_TAGS: usize = 4_000;

/// Void elements, and those that the next of their kind closes: left open, they do not nest.
const FLAT: &[&[u8]] = &[
    b"area",
    b"base",
    b"body",
    b"br",
    b"col",
    b"colgroup",
    b"dd",
    b"dt",
    b"embed",
    b"head",
    b"hr",
    b"html",
    b"img",
    b"input",
    b"li",
    b"link",
    b"meta",
    b"optgroup",
    b"option",
    b"p",
    b"param",
    b"rp",
    b"rt",
    b"source",
    b"tbody",
    b"td",
    b"tfoot",
    b"th",
    b"thead",
    b"tr",
    b"track",
    b"wbr",
];
/// Elements whose content is no markup.
const RAW: &[&[u8]] = &[b"iframe", b"noembed", b"noframes", b"script", b"style", b"textarea", b"title", b"xmp"];
/// Elements that the parser makes anew (HTML standard, 13.2.4.3); `<a>` closes the one before it.
const FORMATTING: &[&[u8]] =
    &[b"b", b"big", b"code", b"em", b"font", b"i", b"nobr", b"s", b"small", b"strike", b"strong", b"tt", b"u"];
/// Tags that end `<svg>` and `<math>`, in which `/>` closes an element (HTML standard, 13.2.6.5), the usual ones.
const BREAKOUT: &[&[u8]] = &[
    b"blockquote",
    b"center",
    b"div",
    b"dl",
    b"h1",
    b"h2",
    b"h3",
    b"h4",
    b"h5",
    b"h6",
    b"menu",
    b"ol",
    b"pre",
    b"ruby",
    b"span",
    b"sub",
    b"sup",
    b"table",
    b"ul",
    b"var",
];

/// Longer names are cut, which matters for no HTML element.
const NAME: usize = 16;

/// Refuses HTML whose tags would cost the parser too much.
///
/// # Errors
/// [`Fault::TooDeep`] with the number of elements open where a bound is reached.
pub fn nesting(html: &[u8]) -> Result<(), Fault> {
    let start_tag = |at: usize| html.get(at + 1).is_some_and(u8::is_ascii_alphabetic);
    if memchr_iter(b'<', html).filter(|at| start_tag(*at)).take(FEW_TAGS + 1).count() <= FEW_TAGS {
        return Ok(());
    }
    let mut open = Open::default();
    let (mut steps, mut remade) = (0, 0);
    let mut at = 0;
    let mut raw: Option<&[u8]> = None;
    while let Some(found) = memchr(b'<', &html[at..]) {
        at += found + 1;
        if raw.is_none() && html[at..].starts_with(b"!--") {
            at += memmem::find(&html[at..], b"-->").unwrap_or(html.len() - at);
            continue;
        }
        let closing = html.get(at) == Some(&b'/');
        let mut name = [0; NAME];
        let rest = &html[at + usize::from(closing)..];
        let length = rest.iter().take(NAME).take_while(|b| b.is_ascii_alphanumeric() || **b == b'-').count();
        name[..length].copy_from_slice(&rest[..length]);
        name.make_ascii_lowercase();
        let name = &name[..length];
        if !name.first().is_some_and(u8::is_ascii_alphabetic) {
            continue;
        }
        if let Some(element) = raw {
            raw = (!closing || name != element).then_some(element);
            continue;
        }
        let tag = &rest[..tag_end(rest)];
        at += tag.len();
        steps += open.depth;
        if closing {
            open.end(name);
            continue;
        }
        if !open.foreign {
            raw = RAW.iter().find(|element| **element == name).copied();
        }
        if raw.is_none() {
            open.start(name, tag);
            remade += if FORMATTING.contains(&name) { 0 } else { open.formatting };
        }
        if steps > STEPS || remade > REMADE {
            return Err(Fault::TooDeep { depth: open.depth });
        }
    }
    Ok(())
}

/// Where a tag ends: at the first `>` that is in no quoted attribute value.
fn tag_end(tag: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = memchr3(b'>', b'"', b'\'', &tag[at..]) {
        at += found;
        let quote = tag[at];
        if quote == b'>' {
            return at;
        }
        let value = tag[..at].trim_ascii_end().ends_with(b"=");
        at += 1;
        if value {
            at += memchr(quote, &tag[at..]).map_or(tag.len() - at, |end| end + 1);
        }
    }
    tag.len()
}

/// The elements that are open, by a hash of their names, so that a stray end tag closes nothing.
struct Open<'a> {
    count: [u32; 256],
    depth: u64,
    /// Formatting elements that would be made anew.
    formatting: u64,
    /// How often each formatting tag was opened: of equal ones at most three are made anew (HTML standard, 13.2.4.3).
    equal: HashMap<&'a [u8], u64>,
    /// The formatting elements opened in this table cell, which end with it.
    cell: Vec<&'a [u8]>,
    /// Whether the place is in `<svg>` or `<math>`.
    foreign: bool,
}

impl Default for Open<'_> {
    fn default() -> Self {
        let (equal, cell) = (HashMap::new(), Vec::new());
        Open { count: [0; 256], depth: 0, formatting: 0, equal, cell, foreign: false }
    }
}

impl<'a> Open<'a> {
    fn of(&mut self, name: &[u8]) -> &mut u32 {
        let hash = name.iter().fold(5381u32, |hash, b| hash.wrapping_mul(33) ^ u32::from(b.to_ascii_lowercase()));
        &mut self.count[(hash ^ hash >> 8) as usize & 0xff]
    }

    /// A start tag, from its name to before its `>`.
    fn start(&mut self, name: &[u8], tag: &'a [u8]) {
        let (flat, formatting) = (FLAT.contains(&name), FORMATTING.contains(&name));
        if self.foreign && (flat || formatting || BREAKOUT.contains(&name)) {
            self.foreign = false;
        }
        if matches!(name, b"td" | b"th") && *self.of(b"table") > 0 {
            for name in std::mem::take(&mut self.cell) {
                self.end(name);
            }
            self.formatting = 0;
        }
        // A link closes the one before it, except in `<svg>`.
        if name == b"a" && !self.foreign {
            self.end(name);
        }
        if flat || self.foreign && tag.ends_with(b"/") {
            return;
        }
        self.foreign |= matches!(name, b"svg" | b"math");
        *self.of(name) += 1;
        self.depth += 1;
        if formatting {
            self.cell.push(&tag[..name.len()]);
            let equal = self.equal.entry(tag).or_default();
            *equal += 1;
            self.formatting += u64::from(*equal <= 3);
        }
    }

    fn end(&mut self, name: &[u8]) {
        if *self.of(name) > 0 {
            *self.of(name) -= 1;
            self.depth -= 1;
            self.foreign &= !matches!(name, b"svg" | b"math");
            self.formatting = self.formatting.saturating_sub(u64::from(FORMATTING.contains(&name)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(html: &str) -> bool {
        nesting(html.as_bytes()).is_err()
    }

    #[test]
    fn deep_nesting_is_refused_however_it_is_dressed() {
        for tag in
            ["<div>", "<ul><li>", "<b>", "<x-y/>", "<div></q>", "<div title='</div>'>", "<svg><a>", "<DIV a=\">\">"]
        {
            assert!(refused(&tag.repeat(100_000)), "{tag}");
        }
        assert!(refused(&format!("<svg><p>{}", "<path/>".repeat(100_000))));
        assert!(refused(&(0..5_000).map(|i| format!("<p><b a={i}>x</p>")).collect::<String>()));
    }

    #[test]
    fn long_pages_are_not_deep_ones() {
        for part in [
            "<div><p>text<br><img src=a><li>x</div>",
            "<p><font size=1>x</font><p><b>y</b>",
            "<p><a href=/x>left open",
            "<script>'<div>' + \"<div>\"</script>",
            "<!-- <div> --><p class=\"a>b\">",
            "<div data-x='<div><div>'>x</div>",
            "<textarea><div></textarea>",
        ] {
            assert!(!refused(&part.repeat(50_000)), "{part}");
        }
        assert!(!refused(&format!("<table>{}", "<tr><td><font size=1>cell<td><b>cell".repeat(50_000))));
        assert!(!refused(&"<p><font size=1>left open".repeat(5_000)));
        assert!(!refused(&format!("<svg>{}</svg>", "<path d='M0 0'/>".repeat(100_000))));
    }
}
