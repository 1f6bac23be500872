//! Gives a page's tokens to html5ever's tree builder, past what nobody reads, and stops where it costs too much.
//!
//! Whole tags, texts and comments are found by searching for their ends, and attributes that nobody reads are passed
//! over; scripts and styles, 41 % of the bytes of real pages, too. html5ever's own tokenizer, which takes one character
//! after the other and makes a string of each part, gets what is left: doctypes, CDATA and bogus comments; never a tag,
//! since it compares each attribute of a tag with all before it. That took the parsing of `wcxb-dev` from 4.3 s of
//! processor time to 1.7, with the same tree for all of its 1,497 pages. html5lib's tests (`tests/html5lib`) give the same
//! tokens and trees.
//!
//! html5ever is quadratic in depth: most tags make it look through the open elements, at 5 to 10 ns a step, so 100,000
//! nested `<div>` would take a minute; formatting elements left open are made anew in each later block. The steps are
//! counted, and a page that reaches the bound ends there.

use std::borrow::Cow;

use html5ever::buffer_queue::BufferQueue;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    CharacterTokens, CommentToken, EOFToken, NullCharacterToken, TagKind, TagToken, Token, TokenSink, TokenSinkResult,
    Tokenizer, TokenizerOpts,
};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts};
use html5ever::{TokenizerResult, interface::TreeSink};
use memchr::{memchr, memchr_iter, memchr2, memmem};

use super::super::words::start_of;
use super::Dom;
use super::references::resolve;
use super::sink::{Handle, Sink};
use super::tags::Tags;

/// Steps that a page may cost, about a second's worth; the costliest of 1,956 real pages took a seventieth.
const STEPS: u64 = 100_000_000;

/// Longer pages are cut, in bytes: places in a page's text have 32 bits.
const LONGEST: usize = 1 << 31;

/// What takes the tokens.
trait Builder {
    fn take(&self, token: Token) -> TokenSinkResult<Handle>;

    /// Whether `<![CDATA[` begins a CDATA section.
    fn is_foreign(&self) -> bool;

    /// Whether the text of the element that was made last is not kept.
    fn is_mute(&self) -> bool;

    /// See [`STEPS`].
    fn steps(&self) -> u64;
}

/// The tree builder, watched.
struct Watched(TreeBuilder<Handle, Sink>);

impl Watched {
    fn new(bytes: usize) -> Watched {
        let options = TreeBuilderOpts { scripting_enabled: false, drop_doctype: true, ..TreeBuilderOpts::default() };
        Watched(TreeBuilder::new(Sink::new(bytes), options))
    }

    fn finish(self) -> Dom {
        let _ = self.take(EOFToken);
        self.0.end();
        self.0.sink.finish()
    }
}

impl Builder for Watched {
    fn take(&self, token: Token) -> TokenSinkResult<Handle> {
        if matches!(token, TagToken(_)) {
            self.0.sink.count_tag();
        }
        self.0.process_token(token, 1)
    }

    fn is_foreign(&self) -> bool {
        self.0.adjusted_current_node_present_but_not_in_html_namespace()
    }

    fn is_mute(&self) -> bool {
        self.0.sink.is_mute()
    }

    fn steps(&self) -> u64 {
        self.0.sink.steps()
    }
}

/// What takes the tokens, as a tokenizer for a part of the page has it: the page does not end with the part.
struct Part<'a, B>(&'a B);

impl<B: Builder> TokenSink for Part<'_, B> {
    type Handle = Handle;

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<Handle> {
        if token == EOFToken { TokenSinkResult::Continue } else { self.0.take(token) }
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.0.is_foreign()
    }
}

pub(super) fn parse(html: &str) -> Dom {
    let html = html.strip_prefix('\u{feff}').unwrap_or(html);
    let html = &*with_line_feeds(html);
    let read = start_of(html, LONGEST);
    let mut reader = Reader::new(read, Watched::new(read.len()), Tags::new());
    reader.read(0);
    let mut dom = reader.builder.finish();
    dom.cut = reader.cut || read.len() < html.len();
    dom
}

/// Line ends as the tokenizer has them (HTML standard, 13.2.3.5).
fn with_line_feeds(html: &str) -> Cow<'_, str> {
    match memchr(b'\r', html.as_bytes()) {
        Some(_) => Cow::Owned(html.replace("\r\n", "\n").replace('\r', "\n")),
        None => Cow::Borrowed(html),
    }
}

struct Reader<'a, B> {
    html: &'a str,
    /// The same, for tokens that share it: a string of its own for each would take longer than reading it.
    source: StrTendril,
    /// Whether the page has a NUL somewhere.
    has_nul: bool,
    builder: B,
    tags: Tags,
    text: String,
    cut: bool,
}

impl<'a, B: Builder> Reader<'a, B> {
    fn new(html: &'a str, builder: B, tags: Tags) -> Reader<'a, B> {
        let source = StrTendril::from_slice(html);
        let has_nul = memchr(0, html.as_bytes()).is_some();
        Reader { html, source, has_nul, builder, tags, text: String::new(), cut: false }
    }

    fn read(&mut self, mut at: usize) {
        while at < self.html.len() && !self.cut {
            let markup = self.markup_from(at);
            self.text(at, markup);
            at = self.markup(markup);
            self.cut = self.builder.steps() > STEPS;
        }
    }

    /// Where the next markup begins, or the page ends.
    fn markup_from(&self, at: usize) -> usize {
        let bytes = self.html.as_bytes();
        let is_markup =
            |at: usize| bytes.get(at + 1).is_some_and(|b| matches!(b, b'!' | b'/' | b'?') || b.is_ascii_alphabetic());
        memchr_iter(b'<', &bytes[at..]).map(|found| at + found).find(|at| is_markup(*at)).unwrap_or(bytes.len())
    }

    /// Gives a text to the tree builder, which knows what each NUL in it is.
    fn text(&mut self, mut from: usize, to: usize) {
        while self.has_nul
            && let Some(length) = memchr(0, &self.html.as_bytes()[from..to])
        {
            self.resolved(from, from + length);
            let _ = self.builder.take(NullCharacterToken);
            from += length + 1;
        }
        self.resolved(from, to);
    }

    fn resolved(&mut self, from: usize, to: usize) {
        let text = &self.html[from..to];
        if memchr(b'&', text.as_bytes()).is_none() {
            return self.characters(self.part_of_source(from, to));
        }
        self.text.clear();
        resolve(text, false, &mut self.text);
        self.characters(StrTendril::from_slice(&self.text));
    }

    /// The text of an element that holds no markup: NULs are replaced in it.
    fn raw_text(&mut self, from: usize, to: usize, is_resolved: bool) {
        let text = &self.html[from..to];
        if self.has_nul && memchr(0, text.as_bytes()).is_some() {
            let text = text.replace('\0', "\u{fffd}");
            self.text.clear();
            if is_resolved {
                resolve(&text, false, &mut self.text);
            } else {
                self.text.push_str(&text);
            }
            self.characters(StrTendril::from_slice(&self.text));
        } else if is_resolved {
            self.resolved(from, to);
        } else {
            self.characters(self.part_of_source(from, to));
        }
    }

    /// See [`LONGEST`].
    fn part_of_source(&self, from: usize, to: usize) -> StrTendril {
        self.source.subtendril(from as u32, (to - from) as u32)
    }

    fn characters(&self, text: StrTendril) {
        if !text.is_empty() {
            let _ = self.builder.take(CharacterTokens(text));
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
            [b'<', b'!', b'-', b'-', ..] => {
                let _ = self.builder.take(CommentToken(StrTendril::new()));
                comment_end(rest).map(|end| at + end)
            }
            [b'<', b'/' | b'!' | b'?', ..] => self.part(at),
            _ => self.start_tag(at),
        };
        // What the page ends in the middle of.
        read.unwrap_or(self.html.len())
    }

    fn end_tag(&mut self, at: usize) -> Option<usize> {
        let (tag, end) = self.tags.read(&self.source, at + 2, TagKind::EndTag)?;
        let _ = self.builder.take(TagToken(tag));
        Some(end)
    }

    fn start_tag(&mut self, at: usize) -> Option<usize> {
        let (tag, end) = self.tags.read(&self.source, at + 1, TagKind::StartTag)?;
        let name = tag.name.clone();
        Some(match self.builder.take(TagToken(tag)) {
            TokenSinkResult::RawData(kind) => self.raw(end, kind, &name),
            TokenSinkResult::Plaintext => {
                self.raw_text(end, self.html.len(), false);
                self.html.len()
            }
            _ => end,
        })
    }

    /// Reads the text of an element that holds no markup; gives the place of its end tag, or the page's end.
    fn raw(&mut self, at: usize, kind: RawKind, element: &str) -> usize {
        let rest = &self.html.as_bytes()[at..];
        let end =
            at + if kind == RawKind::ScriptData { script_length(rest, element) } else { raw_length(rest, element) };
        if end > at && kind != RawKind::Rcdata && self.builder.is_mute() {
            // Stands for the text: the element has a text node, as it would have had.
            self.characters(StrTendril::from_char(' '));
        } else {
            self.raw_text(at, end, kind == RawKind::Rcdata);
        }
        end
    }

    /// Gives a doctype, a CDATA section or a bogus comment to html5ever's tokenizer.
    fn part(&self, at: usize) -> Option<usize> {
        let rest = &self.html.as_bytes()[at..];
        let cdata = rest.starts_with(b"<![CDATA[") && self.builder.is_foreign();
        let length =
            if cdata { memmem::find(rest, b"]]>").map(|end| end + 3) } else { memchr(b'>', rest).map(|end| end + 1) };
        let end = length.map(|length| at + length);
        let options = TokenizerOpts { discard_bom: false, ..Default::default() };
        let tokenizer = Tokenizer::new(Part(&self.builder), options);
        feed(&tokenizer, &self.html[at..end.unwrap_or(self.html.len())]);
        tokenizer.end();
        end
    }
}

fn feed(tokenizer: &Tokenizer<impl TokenSink<Handle = Handle>>, piece: &str) {
    let queue = BufferQueue::default();
    queue.push_back(StrTendril::from(piece));
    while !matches!(tokenizer.feed(&queue), TokenizerResult::Done) {}
}

/// How long a comment is, from its `<!--` to its end (HTML standard, 13.2.5.43 and on); `None` if the page ends in it.
fn comment_end(comment: &[u8]) -> Option<usize> {
    let ends = |body: &[u8]| matches!(body, [] | [b'-'] | [.., b'-', b'-'] | [.., b'-', b'-', b'!']);
    memchr_iter(b'>', comment.get(4..)?).find(|end| ends(&comment[4..4 + end])).map(|end| 4 + end + 1)
}

/// How long an element's raw text is, up to its end tag or the page's end.
fn raw_length(text: &[u8], element: &str) -> usize {
    memmem::find_iter(text, "</").find(|at| is_tag(&text[at + 2..], element)).unwrap_or(text.len())
}

/// Whether a tag's name is that of the element.
fn is_tag(name: &[u8], element: &str) -> bool {
    name.get(..element.len()).is_some_and(|name| name.eq_ignore_ascii_case(element.as_bytes()))
        && name.get(element.len()).is_some_and(|b| matches!(b, b'\t' | b'\n' | b'\x0c' | b' ' | b'/' | b'>'))
}

/// How long a script is, up to its end tag or the page's end: `<!-- <script>` hides the end tag that follows, up to the
/// comment's end (HTML standard, 13.2.5.15 and on).
fn script_length(text: &[u8], element: &str) -> usize {
    let length = raw_length(text, element);
    let Some(mut at) = memmem::find(&text[..length], b"<!--") else { return length };
    let (mut is_comment, mut hides) = (false, false);
    while let Some(found) = memchr2(b'<', b'-', &text[at..]) {
        at += found;
        let rest = &text[at..];
        match rest {
            [b'<', b'/', name @ ..] if !hides && is_tag(name, element) => return at,
            [b'<', b'/', name @ ..] if hides && is_tag(name, "script") => hides = false,
            [b'<', b'!', b'-', b'-', ..] if !is_comment => {
                is_comment = true;
                // Its dashes may be those of its end: `<!-->`.
                at += 1;
            }
            [b'<', name @ ..] if is_comment && is_tag(name, "script") => hides = true,
            [b'-', b'-', b'>', ..] => (is_comment, hides) = (false, false),
            _ => {}
        }
        at += 1;
    }
    text.len()
}

#[cfg(test)]
mod html5lib;

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use html5ever::tokenizer::states::State;
    use html5ever::tokenizer::{DoctypeToken, ParseError};
    use serde_json::{Value, json};

    use super::super::NodeId;
    use super::*;

    /// Writes down the tokens that it passes on, as html5lib's tests have them. Comments are without what they say, which
    /// nobody reads.
    pub(super) struct Recorder<B> {
        builder: B,
        pub(super) tokens: RefCell<Vec<Value>>,
    }

    impl<B> Recorder<B> {
        pub(super) fn new(builder: B) -> Recorder<B> {
            Recorder { builder, tokens: RefCell::default() }
        }

        fn record(&self, token: &Token) {
            let mut tokens = self.tokens.borrow_mut();
            let mut characters = |new: &str| match tokens.last_mut() {
                Some(Value::Array(last)) if last[0] == "Character" => {
                    last[1] = format!("{}{new}", last[1].as_str().unwrap()).into();
                }
                _ => tokens.push(json!(["Character", new])),
            };
            let token = match token {
                // html5ever has an empty one for an empty CDATA section.
                CharacterTokens(text) if text.is_empty() => return,
                CharacterTokens(text) => return characters(text),
                NullCharacterToken => return characters("\0"),
                EOFToken | ParseError(_) => return,
                CommentToken(_) => json!(["Comment"]),
                DoctypeToken(doctype) => {
                    let part = |part: &Option<StrTendril>| part.as_ref().map(|part| part.to_string());
                    let (name, public) = (part(&doctype.name), part(&doctype.public_id));
                    json!(["DOCTYPE", name, public, part(&doctype.system_id), !doctype.force_quirks])
                }
                TagToken(tag) if tag.kind == TagKind::EndTag => json!(["EndTag", &*tag.name]),
                TagToken(tag) => {
                    let attr = |attr: &html5ever::Attribute| (attr.name.local.to_string(), json!(&*attr.value));
                    let attrs: serde_json::Map<String, Value> = tag.attrs.iter().map(attr).collect();
                    if tag.self_closing {
                        json!(["StartTag", &*tag.name, attrs, true])
                    } else {
                        json!(["StartTag", &*tag.name, attrs])
                    }
                }
            };
            tokens.push(token);
        }
    }

    impl<B: Builder> Builder for Recorder<B> {
        fn take(&self, token: Token) -> TokenSinkResult<Handle> {
            self.record(&token);
            self.builder.take(token)
        }

        fn is_foreign(&self) -> bool {
            self.builder.is_foreign()
        }

        fn is_mute(&self) -> bool {
            false
        }

        fn steps(&self) -> u64 {
            self.builder.steps()
        }
    }

    /// The reader with nothing left out, for its tokens.
    pub(super) fn whole<B: Builder>(html: &str, builder: B) -> Reader<'_, Recorder<B>> {
        let mut tags = Tags::new();
        tags.keeps_all = true;
        Reader::new(html, Recorder::new(builder), tags)
    }

    /// What html5ever's own tokenizer makes of it.
    pub(super) fn by_html5ever<B: Builder>(html: &str, state: State, last: Option<&str>, builder: B) -> Recorder<B> {
        let recorder = Recorder::new(builder);
        let options = TokenizerOpts {
            initial_state: Some(state),
            last_start_tag_name: last.map(str::to_owned),
            discard_bom: false,
            ..TokenizerOpts::default()
        };
        let tokenizer = Tokenizer::new(Part(&recorder), options);
        feed(&tokenizer, html);
        tokenizer.end();
        drop(tokenizer);
        recorder
    }

    fn nodes(dom: &Dom) -> Vec<String> {
        let node = |n: NodeId| {
            let attrs: Vec<_> = dom.attrs(n).collect();
            format!("{n} {:?} {} {} {attrs:?} {:?}", dom.tag(n), dom.parent(n), dom.end(n), dom.text(n))
        };
        (0..dom.len() as NodeId).map(node).collect()
    }

    /// Asserts that a page has the same tokens and the same tree as by html5ever's own tokenizer.
    #[track_caller]
    pub(super) fn same(html: &str) {
        let theirs = html.strip_prefix('\u{feff}').unwrap_or(html);
        let theirs = by_html5ever(theirs, State::Data, None, Watched::new(html.len()));
        let page = with_line_feeds(html.strip_prefix('\u{feff}').unwrap_or(html));
        let mut ours = whole(&page, Watched::new(html.len()));
        ours.read(0);
        assert_eq!(ours.builder.tokens, theirs.tokens, "{html:?}");
        assert_eq!(nodes(&parse(html)), nodes(&theirs.builder.finish()), "{html:?}");
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
            "a\0b<p>\0<svg>\0</svg><table>\0<tr>\0x\0&amp\0;</table>\0",
            "<p a\0b=\0 b='\0&amp;\0' \0=x c\0>x</p\0><a\0 b=&not\0></a\0><!--\0--><!\0></\0><?\0><\0",
            "<title>\0&not\0</title\0></title><script>\0</script\0></script><textarea>\n\0</textarea><plaintext>\0",
            "<script type=application/ld+json>\0<!--\0<script\0></script>\0-->",
            "<script><!-- <script></script> x </script><p>y",
            "<script><!--><script></script>x<script><!---><script></script>y",
            "<script><!-- <scriptx></script>x<script><!-- <script/</script ></script\n>y",
            "<script><!-- <script> --></script>x<script><!-- <script> <!-- <script </script> -- > </script>y",
            "<script><!-- </script>x<script>--> <script></script>y<script><!- <script></script>z",
            "<svg><script><!-- <script></script>x</script>y<![CDATA[ z",
            "<svg><![CDATA[ <p>\0",
            "<title>x</title a",
            "<script><!-- <script>",
            "<!-",
            "<!----!",
            "</p a=b",
            "<plaintext>\r\n&amp;",
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
        parts.extend([" ", "\n", "\r", " ", "\r\n", "\0", "<script", "</script "]);
        let mut random = fastrand::Rng::with_seed(4);
        for _ in 0..40_000 {
            let html: String = (0..random.usize(0..24)).map(|_| parts[random.usize(0..parts.len())]).collect();
            same(&html);
        }
    }
}
