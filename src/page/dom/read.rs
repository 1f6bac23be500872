//! Feeds a page to html5ever piece by piece, past what nobody reads, and stops where it costs too much.
//!
//! Scripts and styles are 41 % of the bytes of real pages. Where the tokenizer has just read their start tag, all up
//! to their end tag is passed over at the speed of a string search.
//!
//! html5ever is quadratic in depth: most tags make it look through the open elements, at 5 to 10 ns a step, so 100,000
//! nested `<div>` would take a minute; formatting elements left open are made anew in each later block. The steps are
//! counted, and a page that reaches the bound ends there.

use std::cell::Cell;

use html5ever::TokenizerResult;
use html5ever::buffer_queue::BufferQueue;
use html5ever::interface::TreeSink;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{ParseError, TagToken, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts};
use memchr::{memchr, memmem};

use super::Dom;
use super::attributes::LongTags;
use super::sink::{Handle, Sink};

/// Bytes given to the tokenizer at once, so that they stay in the nearest cache and the steps are looked at often.
const PIECE: usize = 16 << 10;

/// Steps that a page may cost, about a second's worth; the costliest of 1,956 real pages took a seventieth.
const STEPS: u64 = 100_000_000;

/// The tree builder, watched.
struct Watched {
    builder: TreeBuilder<Handle, Sink>,
    /// Set while the last token was a start tag after which markup is not read as such.
    raw: Cell<bool>,
    /// Whether no token came since this was set.
    quiet: Cell<bool>,
}

impl TokenSink for Watched {
    type Handle = Handle;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<Handle> {
        self.quiet.set(self.quiet.get() && matches!(token, ParseError(_)));
        if matches!(token, TagToken(_)) {
            self.builder.sink.count_tag();
        }
        let result = self.builder.process_token(token, line);
        self.raw.set(matches!(result, TokenSinkResult::RawData(RawKind::ScriptData | RawKind::Rawtext)));
        result
    }

    fn end(&self) {
        self.builder.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.builder.adjusted_current_node_present_but_not_in_html_namespace()
    }
}

pub(super) fn parse(html: &str) -> Dom {
    let options = TreeBuilderOpts { scripting_enabled: false, drop_doctype: true, ..TreeBuilderOpts::default() };
    let builder = TreeBuilder::new(Sink::new(html.len()), options);
    let tokenizer =
        Tokenizer::new(Watched { builder, raw: Cell::new(false), quiet: Cell::new(true) }, TokenizerOpts::default());
    let watched = &tokenizer.sink;
    let queue = BufferQueue::default();
    let feed = |piece: &str| {
        queue.push_back(StrTendril::from(piece));
        while !matches!(tokenizer.feed(&queue), TokenizerResult::Done) {}
    };
    let mut starts = Starts::new(html);
    let mut tags = LongTags::new(html);
    let (mut at, mut cut) = (0, false);
    while at < html.len() && !cut {
        let end = starts.piece(at);
        watched.quiet.set(true);
        feed(&html[at..end]);
        if let Some(surplus) = tags.after(at..end, watched.quiet.get()) {
            feed(&html[end..surplus.from]);
            at = surplus.to;
            continue;
        }
        // The last byte was the tag's own end only if nothing came of the piece after the tag.
        if watched.raw.get()
            && html[..end].ends_with('>')
            && let Some(element) = watched.builder.sink.mute()
            && let Some(length) = raw_length(&html[end..], element)
            && length > 0
        {
            // Stands for the text: the element has a text node, as it would have had.
            feed(" ");
            at = end + length;
        } else {
            at = end;
        }
        cut = watched.builder.sink.steps() > STEPS;
    }
    tokenizer.end();
    let mut dom = tokenizer.sink.builder.sink.finish();
    dom.cut = cut;
    dom
}

/// Where the next start tags of scripts and styles may end.
struct Starts<'a> {
    html: &'a str,
    finders: [(memmem::Finder<'static>, Option<usize>); 2],
}

impl<'a> Starts<'a> {
    fn new(html: &'a str) -> Starts<'a> {
        let finder = |tag: &'static str| {
            let finder = memmem::Finder::new(tag);
            let first = finder.find(html.as_bytes());
            (finder, first)
        };
        // Written in capitals they are read like anything else: right, and slower.
        Starts { html, finders: [finder("<script"), finder("<style")] }
    }

    /// The end of the piece that begins at `from`: at the end of such a tag, or soon.
    fn piece(&mut self, from: usize) -> usize {
        let bytes = self.html.as_bytes();
        for (finder, found) in &mut self.finders {
            if found.is_some_and(|at| at < from) {
                *found = finder.find(&bytes[from..]).map(|at| from + at);
            }
        }
        let mut end = (from + PIECE).min(bytes.len());
        while !self.html.is_char_boundary(end) {
            end += 1;
        }
        let Some(tag) = self.finders.iter().filter_map(|(_, found)| *found).min().filter(|tag| *tag < end) else {
            return end;
        };
        let Some(length) = memchr(b'>', &bytes[tag..]) else { return end };
        match tag + length + 1 {
            tag_end if tag_end <= end || tag == from => tag_end.min(end),
            _ => tag,
        }
    }
}

/// How long an element's raw text is, up to its end tag or the page's end; `None` where only the tokenizer can tell.
fn raw_length(html: &str, element: &str) -> Option<usize> {
    let bytes = html.as_bytes();
    let is_tag = |rest: &[u8]| {
        rest.get(..element.len()).is_some_and(|name| name.eq_ignore_ascii_case(element.as_bytes()))
            && rest
                .get(element.len())
                .is_some_and(|b| matches!(b, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ' | b'/' | b'>'))
    };
    let length = memmem::find_iter(bytes, "</").find(|at| is_tag(&bytes[at + 2..])).unwrap_or(bytes.len());
    // `<!-- <script>` hides the end tags that follow (HTML standard, 13.2.5.17 and on).
    let hidden = element == "script"
        && memmem::find(&bytes[..length], b"<!--")
            .is_some_and(|from| memmem::find_iter(&bytes[from..length], "<").any(|at| is_tag(&bytes[from + at + 1..])));
    (!hidden).then_some(length)
}
