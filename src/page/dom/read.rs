//! Gives a page's tokens to html5ever's tree builder, past what nobody reads, and stops where it costs too much.
//!
//! Whole tags, texts and comments are found by searching for their ends, and attributes that nobody reads are passed
//! over; scripts and styles, 41 % of the bytes of real pages, too. html5ever's own tokenizer, which takes one character
//! after the other and makes a string of each part, gets what is left: doctypes, CDATA, bogus comments, scripts that
//! hide their end, and whole pages with a NUL in them. That took the parsing of `wcxb-dev` from 4.3 s of processor time
//! to 1.7, with the same tree for all of its 1,497 pages.
//!
//! html5ever is quadratic in depth: most tags make it look through the open elements, at 5 to 10 ns a step, so 100,000
//! nested `<div>` would take a minute; formatting elements left open are made anew in each later block. The steps are
//! counted, and a page that reaches the bound ends there.

use std::borrow::Cow;

use html5ever::buffer_queue::BufferQueue;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::{RawKind, State};
use html5ever::tokenizer::{
    CharacterTokens, CommentToken, EOFToken, TagKind, TagToken, Token, TokenSink, TokenSinkResult, Tokenizer,
    TokenizerOpts,
};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts};
use html5ever::{TokenizerResult, interface::TreeSink};
use memchr::{memchr, memchr_iter, memmem};

use super::Dom;
use super::references::resolve;
use super::sink::{Handle, Sink};
use super::tags::Tags;

/// Bytes given to html5ever's tokenizer at once, so that the steps are looked at often.
const PIECE: usize = 16 << 10;

/// Steps that a page may cost, about a second's worth; the costliest of 1,956 real pages took a seventieth.
const STEPS: u64 = 100_000_000;

/// Longer pages are cut, in bytes: places in a page's text have 32 bits.
const LONGEST: usize = 1 << 31;

/// The tree builder, watched.
struct Watched(TreeBuilder<Handle, Sink>);

/// The tree builder as a tokenizer for a part of the page has it: the page does not end with the part.
struct Part<'a>(&'a Watched);

impl Watched {
    fn take(&self, token: Token) -> TokenSinkResult<Handle> {
        if matches!(token, TagToken(_)) {
            self.0.sink.count_tag();
        }
        self.0.process_token(token, 1)
    }
}

impl TokenSink for Part<'_> {
    type Handle = Handle;

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<Handle> {
        if token == EOFToken { TokenSinkResult::Continue } else { self.0.take(token) }
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.0.0.adjusted_current_node_present_but_not_in_html_namespace()
    }
}

pub(super) fn parse(html: &str) -> Dom {
    let html = html.strip_prefix('\u{feff}').unwrap_or(html);
    let html = &*with_line_feeds(html);
    let (html, too_long) = match html.len() {
        0..=LONGEST => (html, false),
        _ => (&html[..(0..=LONGEST).rev().find(|at| html.is_char_boundary(*at)).unwrap_or(0)], true),
    };
    let options = TreeBuilderOpts { scripting_enabled: false, drop_doctype: true, ..TreeBuilderOpts::default() };
    let watched = Watched(TreeBuilder::new(Sink::new(html.len()), options));
    let source = StrTendril::from_slice(html);
    let mut reader = Reader { html, source, watched, tags: Tags::new(), text: String::new(), cut: false };
    if memchr(0, html.as_bytes()).is_some() {
        reader.rest(0, State::Data, None);
    } else {
        reader.read();
    }
    let Reader { watched, cut, .. } = reader;
    let _ = watched.take(EOFToken);
    watched.0.end();
    let mut dom = watched.0.sink.finish();
    dom.cut = cut || too_long;
    dom
}

/// Line ends as the tokenizer has them (HTML standard, 13.2.3.5).
fn with_line_feeds(html: &str) -> Cow<'_, str> {
    match memchr(b'\r', html.as_bytes()) {
        Some(_) => Cow::Owned(html.replace("\r\n", "\n").replace('\r', "\n")),
        None => Cow::Borrowed(html),
    }
}

struct Reader<'a> {
    html: &'a str,
    /// The same, for tokens that share it: a string of its own for each would take longer than reading it.
    source: StrTendril,
    watched: Watched,
    tags: Tags,
    text: String,
    cut: bool,
}

impl Reader<'_> {
    fn read(&mut self) {
        let mut at = 0;
        while at < self.html.len() && !self.cut {
            let markup = self.markup_from(at);
            self.text(at, markup);
            at = self.markup(markup);
            self.look_at_steps();
        }
    }

    fn look_at_steps(&mut self) {
        self.cut |= self.watched.0.sink.steps() > STEPS;
    }

    /// Where the next markup begins, or the page ends.
    fn markup_from(&self, at: usize) -> usize {
        let bytes = self.html.as_bytes();
        let is_markup =
            |at: usize| bytes.get(at + 1).is_some_and(|b| matches!(b, b'!' | b'/' | b'?') || b.is_ascii_alphabetic());
        memchr_iter(b'<', &bytes[at..]).map(|found| at + found).find(|at| is_markup(*at)).unwrap_or(bytes.len())
    }

    /// Gives a text to the tree builder.
    fn text(&mut self, from: usize, to: usize) {
        let text = &self.html[from..to];
        if memchr(b'&', text.as_bytes()).is_none() {
            return self.characters(self.part_of_source(from, to));
        }
        self.text.clear();
        resolve(text, false, &mut self.text);
        self.characters(StrTendril::from_slice(&self.text));
    }

    /// See [`LONGEST`].
    fn part_of_source(&self, from: usize, to: usize) -> StrTendril {
        self.source.subtendril(from as u32, (to - from) as u32)
    }

    fn characters(&self, text: StrTendril) {
        if !text.is_empty() {
            let _ = self.watched.take(CharacterTokens(text));
        }
    }

    /// Reads the markup that begins at `at`, with the text in it where that is no markup; gives the place after it.
    fn markup(&mut self, at: usize) -> usize {
        let bytes = self.html.as_bytes();
        let rest = &bytes[at..];
        let read = match rest {
            [] => return at,
            [b'<', b'/', next, ..] if next.is_ascii_alphabetic() => self.end_tag(at),
            [b'<', b'/', b'>', ..] => Some(at + 3),
            [b'<', b'!', b'-', b'-', ..] => comment_end(rest).map(|end| {
                let _ = self.watched.take(CommentToken(StrTendril::new()));
                at + end
            }),
            [b'<', b'/' | b'!' | b'?', ..] => self.part(at),
            _ => self.start_tag(at),
        };
        // What the page ends in the middle of.
        read.unwrap_or_else(|| self.rest(at, State::Data, None))
    }

    fn end_tag(&mut self, at: usize) -> Option<usize> {
        let (tag, end) = self.tags.read(&self.source, at + 2, TagKind::EndTag)?;
        let _ = self.watched.take(TagToken(tag));
        Some(end)
    }

    fn start_tag(&mut self, at: usize) -> Option<usize> {
        let (tag, end) = self.tags.read(&self.source, at + 1, TagKind::StartTag)?;
        let name = tag.name.clone();
        Some(match self.watched.take(TagToken(tag)) {
            TokenSinkResult::RawData(kind) => self.raw(end, kind, &name),
            TokenSinkResult::Plaintext => self.rest(end, State::Plaintext, None),
            _ => end,
        })
    }

    /// The text of an element that holds no markup, up to its end tag.
    fn raw(&mut self, at: usize, kind: RawKind, element: &str) -> usize {
        let Some(length) = raw_length(&self.html[at..], element) else {
            return self.rest(at, State::RawData(kind), Some(element.to_owned()));
        };
        let end = at + length;
        if kind == RawKind::Rcdata {
            self.text(at, end);
        } else if length > 0 && self.watched.0.sink.is_mute() {
            // Stands for the text: the element has a text node, as it would have had.
            self.characters(StrTendril::from_char(' '));
        } else {
            self.characters(self.part_of_source(at, end));
        }
        end
    }

    /// Gives a doctype, a CDATA section or a bogus comment to html5ever's tokenizer.
    fn part(&self, at: usize) -> Option<usize> {
        let rest = &self.html.as_bytes()[at..];
        let cdata =
            rest.starts_with(b"<![CDATA[") && self.watched.0.adjusted_current_node_present_but_not_in_html_namespace();
        let length = if cdata { memmem::find(rest, b"]]>")? + 3 } else { memchr(b'>', rest)? + 1 };
        let tokenizer = self.tokenizer(State::Data, None);
        feed(&tokenizer, &self.html[at..at + length]);
        tokenizer.end();
        Some(at + length)
    }

    /// Gives all from `at` on to html5ever's tokenizer.
    fn rest(&mut self, at: usize, state: State, last_start_tag: Option<String>) -> usize {
        let mut rest = &self.html[at..];
        let tokenizer = self.tokenizer(state, last_start_tag);
        let mut cut = false;
        while !rest.is_empty() && !cut {
            let mut end = rest.len().min(PIECE);
            while !rest.is_char_boundary(end) {
                end += 1;
            }
            feed(&tokenizer, &rest[..end]);
            rest = &rest[end..];
            cut = self.watched.0.sink.steps() > STEPS;
        }
        tokenizer.end();
        self.cut |= cut;
        self.html.len()
    }

    fn tokenizer(&self, state: State, last_start_tag_name: Option<String>) -> Tokenizer<Part<'_>> {
        let initial_state = Some(state);
        let options = TokenizerOpts { initial_state, last_start_tag_name, discard_bom: false, ..Default::default() };
        Tokenizer::new(Part(&self.watched), options)
    }
}

fn feed(tokenizer: &Tokenizer<Part>, piece: &str) {
    let queue = BufferQueue::default();
    queue.push_back(StrTendril::from(piece));
    while !matches!(tokenizer.feed(&queue), TokenizerResult::Done) {}
}

/// How long a comment is, from its `<!--` to its end (HTML standard, 13.2.5.43 and on); `None` if the page ends in it.
fn comment_end(comment: &[u8]) -> Option<usize> {
    let ends = |body: &[u8]| matches!(body, [] | [b'-'] | [.., b'-', b'-'] | [.., b'-', b'-', b'!']);
    memchr_iter(b'>', comment.get(4..)?).find(|end| ends(&comment[4..4 + end])).map(|end| 4 + end + 1)
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

#[cfg(test)]
mod tests {
    use super::super::NodeId;
    use super::*;

    /// The tree as html5ever's own tokenizer makes it.
    fn by_html5ever(html: &str) -> Dom {
        let options = TreeBuilderOpts { scripting_enabled: false, drop_doctype: true, ..TreeBuilderOpts::default() };
        let watched = Watched(TreeBuilder::new(Sink::new(html.len()), options));
        let tokenizer = Tokenizer::new(Part(&watched), TokenizerOpts::default());
        feed(&tokenizer, html);
        tokenizer.end();
        drop(tokenizer);
        let _ = watched.take(EOFToken);
        watched.0.sink.finish()
    }

    fn nodes(dom: &Dom) -> Vec<String> {
        let node = |n: NodeId| {
            let attrs: Vec<_> = dom.attrs(n).collect();
            format!("{n} {:?} {} {} {attrs:?} {:?}", dom.tag(n), dom.parent(n), dom.end(n), dom.text(n))
        };
        (0..dom.len() as NodeId).map(node).collect()
    }

    #[track_caller]
    fn same(html: &str) {
        assert_eq!(nodes(&parse(html)), nodes(&by_html5ever(html)), "{html:?}");
    }

    #[test]
    fn odd_markup_is_read_as_html5ever_reads_it() {
        for html in [
            "a < b <3 </ c> </> <!x> <?php y ?> <!----><!--> x --><!---> y --><!-- z --!> w <!-- -- > --->v",
            "<p class=a class=b ID='x' title=\"&lt;&amp;lt;&copy&copy=&copyx &#x80;&#0;&#xffffffffff;&#xd800;\">&copy&copyx&notit;&notin;&nosuch;&#;&#x;&#65&#x41 &",
            "<a href=/x?a=1&copy=2&reg;=3&b>k</a><br/><img alt = 'x'src=y / title><p =a=b \">\" x>",
            "<svg viewBox='0 0'><a xlink:href='#x'><![CDATA[<p>&amp;]]><title>t</title><style>s</style></a></svg><![CDATA[x]]>",
            "<b x=1><b x=2><b x=3><b x=4><p>text</b></b><p>more<font color=red><font color=blue><p>x",
            "<script>if (a<b) '</scr'</script><script type=application/ld+json>{\"a\":\"&amp;</b>\"}</SCRIPT ><p>x",
            "<script><!-- <script>x</script> --></script><p>y</p>",
            "<style></style><style> </style><textarea>\n&lt;<b></textarea><title>&amp;<i></title><iframe><p></iframe><xmp>&lt;",
            "\u{feff}<!DOCTYPE html PUBLIC 'a>b'><pre>\r\n\r\na\rb</pre><plaintext></plaintext>&amp;",
            "<table>a<tr>b<td>c<div><table><b>d</table>",
            "a\0b<p>\0<svg>\0</svg>",
            "<p title='unfinished",
            "<p",
            "<",
            "</",
            "</p",
            "<!-- x",
            "<!doctype",
            "<p a=b",
            "<math><annotation-xml encoding='text/html'><p>x</math>",
            "<select><option>a<p>b</select><template shadowrootmode=open><td>x</template>",
            "x&am",
            "x&amp",
            "<title>x&am",
            "<noscript><style>p</style><p>x</noscript><PRE>\n\nx</PRE><p/ a/b='c'/>",
        ] {
            same(html);
        }
    }

    #[test]
    fn any_markup_is_read_as_html5ever_reads_it() {
        const PARTS: &str = "< > / = \" ' & ; ! - -- <!-- --> --!> x é &amp &#x4 # <p <div </div> <a href class= <script> \
            </script <style </style> <title> </title> <b> </b> <table> <td> <svg> </svg> <![CDATA[ ]]> <textarea> \
            </textarea> <!doctype <? </ <math> <br/> <template> </template> <select> <option> <!--> --- xlink:href=";
        let mut parts: Vec<&str> = PARTS.split_whitespace().collect();
        parts.extend([" ", "\n", "\r", " ", "\r\n"]);
        let mut random = fastrand::Rng::with_seed(4);
        for _ in 0..20_000 {
            let html: String = (0..random.usize(0..24)).map(|_| parts[random.usize(0..parts.len())]).collect();
            same(&html);
        }
    }
}
