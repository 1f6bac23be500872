//! Bytes to blocks: decoding, parsing, segmentation, and what a page says of itself.

use std::ops::Range;

mod address;
pub mod byline;
pub mod date;
pub mod decode;
pub mod dom;
mod elsewhere;
pub mod flat;
mod frames;
mod guard;
pub(crate) mod invisible;
pub mod jsonld;
pub mod language;
mod markup;
pub mod metadata;
mod months;
pub(crate) mod runs;
pub mod segment;
pub mod sentence;
pub mod state;
mod title;
pub mod words;
pub(crate) mod xhtml;

pub use dom::Dom;
pub(crate) use elsewhere::Elsewhere;
pub use flat::Line;
pub use frames::OnlyFrames;
pub use guard::{NotAPage, check, looks_like};
pub use metadata::Metadata;
pub use segment::Block;
pub use state::Recovered;

/// What the caller knows of a page besides its bytes; all of it may be left out.
#[derive(Clone, Debug, Default)]
pub struct Hints {
    /// The page's address, for its host and for resolving links. One without a host, such as `""` or `a.html`, does not hide
    /// the one that the page gives itself.
    pub url: Option<String>,
    /// The charset that the server named in its `Content-Type` header, or the whole of that header. One that is unknown is
    /// as none.
    pub charset: Option<String>,
    /// Whether the bytes are HTML or text that was flattened before.
    pub input: Input,
}

/// What kind of input a page's bytes are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Input {
    /// A web page's source.
    #[default]
    Html,
    /// A page that some earlier tool flattened to lines of text, chrome and all.
    Text,
}

/// A page cut into blocks.
///
/// Blocks, lines and text belong together: who changes one of them by hand has to change what points to it.
#[derive(Clone, Debug)]
pub struct Page {
    /// The page's address, where known.
    pub url: Option<String>,
    /// The encoding the bytes were decoded from, by its standard name; empty if the page came as text.
    pub encoding: &'static str,
    /// The page's tree; empty for flattened text.
    pub dom: Dom,
    /// The blocks in document order.
    pub blocks: Vec<Block>,
    /// For flattened text, what is known of each block's line; empty for HTML.
    pub lines: Vec<Line>,
    /// The blocks' texts, a line feed after each.
    pub text: String,
    /// What was found only in the data of its scripts, or for browsers without frames, and is read as a part of the page.
    pub recovered: Option<Recovered>,
    /// The address that a browser saved it from, as the page says.
    pub(crate) saved_from: Option<String>,
}

impl Page {
    /// Decodes and cuts a page. This never fails: bytes that do not decode become U+FFFD.
    ///
    /// ```
    /// use lubb::page::{Hints, Page};
    /// let page = Page::new(b"<h1>Title</h1><p>One.<br><br>Two.</p>", &Hints::default());
    /// let texts: Vec<&str> = page.texts().collect();
    /// assert_eq!(texts, ["Title", "One.", "Two."]);
    /// ```
    pub fn new(bytes: &[u8], hints: &Hints) -> Page {
        let (decoded, encoding) = decode::decode(bytes, hints.charset.as_deref());
        let mut page = match hints.input {
            Input::Html => Page::from_html(&decoded),
            Input::Text => Page::from_text(&decoded),
        };
        page.encoding = encoding.name();
        page.url = hints.url.clone();
        page
    }

    /// Cuts HTML that is decoded already.
    pub fn from_html(html: &str) -> Page {
        let html = &*xhtml::as_html(html);
        let dom = Dom::parse(html);
        let (blocks, text) = segment::segment(&dom);
        let saved_from = address::saved_from(html).map(str::to_owned);
        let page = Page { url: None, encoding: "", dom, blocks, lines: Vec::new(), text, recovered: None, saved_from };
        let frames = if page.blocks.is_empty() { frames::without_frames(html, &page.dom) } else { None };
        match frames.or_else(|| Recovered::find(html, &page.dom, &page.blocks, &page.text)) {
            Some(recovered) => {
                let dom = Dom::parse(&recovered.join(html));
                let (blocks, text) = segment::segment(&dom);
                Page { dom, blocks, text, recovered: Some(recovered), ..page }
            }
            None => page,
        }
    }

    /// Cuts flattened text into lines.
    pub fn from_text(input: &str) -> Page {
        let (blocks, lines, text) = flat::lines(input);
        Page { url: None, encoding: "", dom: Dom::empty(), blocks, lines, text, recovered: None, saved_from: None }
    }

    /// Whether it was read to its end.
    ///
    /// # Errors
    /// [`TooDeep`], after some second of parsing: html5ever is quadratic in depth, and the rest would take minutes.
    pub fn whole(&self) -> Result<(), TooDeep> {
        if self.dom.is_cut() { Err(TooDeep) } else { Ok(()) }
    }

    /// What the page was made from.
    pub fn input(&self) -> Input {
        if self.dom.is_empty() { Input::Text } else { Input::Html }
    }

    /// A block's text.
    ///
    /// # Panics
    /// If the block is another page's and ends past this one's text.
    pub fn text_of(&self, block: &Block) -> &str {
        self.slice(&block.text)
    }

    /// The blocks that begin in an element, as a range of their numbers.
    pub fn blocks_in(&self, element: dom::NodeId) -> std::ops::Range<usize> {
        let before = |end: dom::NodeId| self.blocks.partition_point(|block| block.nodes.start < end);
        before(element)..before(self.dom.end(element))
    }

    /// The blocks' texts in order.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.blocks.iter().map(|block| self.text_of(block))
    }

    fn slice(&self, range: &Range<u32>) -> &str {
        &self.text[range.start as usize..range.end as usize]
    }

    /// The page's host in lower case without `www.`, if its address is known.
    pub fn host(&self) -> Option<String> {
        self.url.as_deref().and_then(host_of)
    }
}

/// A page of which only a part was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not read to its end: its elements are nested too deep, which no real page is")]
pub struct TooDeep;

/// The host of an address in lower case, without user, port and a leading `www.`.
///
/// ```
/// use lubb::page::host_of;
/// assert_eq!(host_of("https://www.Example.org:8080/a?b").as_deref(), Some("example.org"));
/// assert_eq!(host_of("no address"), None);
/// ```
pub fn host_of(url: &str) -> Option<String> {
    let rest = url.split_once("://").map(|(_, rest)| rest).or_else(|| url.strip_prefix("//"))?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = if host.starts_with('[') { host.split_inclusive(']').next()? } else { host.split(':').next()? };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host);
    (!host.is_empty()).then(|| host.to_owned())
}
