//! A page's tree into blocks: runs of text not broken by a block-level element or by two `<br>`.

use std::ops::Range;

use super::dom::{AttrName, Display, Dom, NodeId, Tag};
use super::sentence::{holder, is_cut};

mod apart;

use apart::Apart;

/// A run of text on a page, the unit that is labelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The innermost element that holds the whole run; 0 in text that never was HTML.
    pub element: NodeId,
    /// The run's nodes: from the first text node to one past the last. What [`is_inset`] says of is cut out of it.
    pub nodes: Range<NodeId>,
    /// The run's bytes in [`Page::text`](super::Page::text).
    pub text: Range<u32>,
    /// Characters that are not white space.
    pub chars: u32,
    /// Those of `chars` that are inside a link.
    pub link_chars: u32,
    /// Those of `chars` that are inside `<b>` or `<strong>`.
    pub bold_chars: u32,
    /// How many links the run touches.
    pub links: u32,
}

/// All blocks of a tree in document order, and their texts, a line feed after each.
///
/// White space is collapsed as a browser does (a single `<br>` is kept as a line feed, `<pre>` keeps its
/// lines); zero-width joiners stay, since Persian and Indic scripts need them.
///
/// A pop-up or a list of links that stands inside a sentence ([`is_inset`]) becomes a block of its own after that of the
/// sentence.
pub fn segment(dom: &Dom) -> (Vec<Block>, String) {
    let mut run = Run::new(dom);
    run.read(1..dom.len() as NodeId);
    run.flush();
    (run.blocks, run.text)
}

/// Classes and ids of elements that stand inside a sentence without belonging to it.
const INSETS: [&str; 12] = [
    "tooltip",
    "popup",
    "pop-up",
    "popover",
    "hovercard",
    "flyout",
    "infobox",
    "related",
    "read-also",
    "readalso",
    "read-more",
    "readmore",
];
/// A shorter text is what the reader clicks on, not what pops up.
const INSET_CHARS: usize = 40;
/// How far an inset is looked through, so that thousands of nested ones take no time squared.
const INSET_NODES: usize = 200;

/// Whether an inline element is to be cut out of the sentence around it: one that no browser shows, or, with a text of some
/// length, hidden from screen readers, a tooltip or dialogue by its role, or named like a pop-up or a related link. Of
/// nested ones it is the innermost.
pub fn is_inset(dom: &Dom, node: NodeId) -> bool {
    let is_cut_out = |node| {
        let least = || if is_hidden(dom, node) { 1 } else { INSET_CHARS };
        is_marked_inset(dom, node) && inset_chars(dom, node) >= least()
    };
    is_cut_out(node) && !(node + 1..dom.end(node)).take(INSET_NODES).any(is_cut_out)
}

fn is_marked_inset(dom: &Dom, node: NodeId) -> bool {
    let tag = dom.tag(node);
    if tag == Tag::Text || tag == Tag::A || tag.display() != Display::Inline {
        return false;
    }
    dom.attrs(node).any(|(name, value)| match name {
        AttrName::Hidden => true,
        AttrName::AriaHidden => value == "true",
        AttrName::Role => matches!(value, "tooltip" | "dialog" | "alertdialog"),
        AttrName::Style => is_hiding_style(value),
        AttrName::Class | AttrName::Id => {
            let value = value.to_ascii_lowercase();
            INSETS.iter().any(|word| value.contains(word))
        }
        _ => false,
    })
}

/// Whether an element is shown by no browser until a script says so.
fn is_hidden(dom: &Dom, node: NodeId) -> bool {
    let asked = |name| matches!(name, AttrName::Hidden | AttrName::Style);
    dom.attrs_among(node, asked).any(|(name, value)| name == AttrName::Hidden || is_hiding_style(value))
}

/// Whether inline style hides an element (CSS `display: none`, `visibility: hidden`).
pub fn is_hiding_style(style: &str) -> bool {
    style.split(';').filter_map(|declaration| declaration.split_once(':')).any(|(property, set)| {
        let hiding = match property.trim() {
            name if name.eq_ignore_ascii_case("display") => "none",
            name if name.eq_ignore_ascii_case("visibility") => "hidden",
            _ => return false,
        };
        // "none !important" hides too.
        set.split_once('!').map_or(set, |(set, _)| set).trim().eq_ignore_ascii_case(hiding)
    })
}

/// Characters that are not white space, counted up to [`INSET_CHARS`].
fn inset_chars(dom: &Dom, node: NodeId) -> usize {
    let texts = (node..dom.end(node)).take(INSET_NODES).flat_map(|n| dom.text(n).chars());
    texts.filter(|c| !c.is_whitespace()).take(INSET_CHARS).count()
}

/// Whether a block-level element is a word of the sentence around it: a name that opens a card, a code to copy, as a
/// short `<button>` or element of the site's own in the midst of a paragraph. `before` is the sentence so far.
fn is_word(dom: &Dom, node: NodeId, before: &str) -> bool {
    let (paragraph, end) = (holder(dom, node), dom.end(node));
    matches!(dom.tag(node), Tag::Button | Tag::Custom)
        && dom.tag(paragraph) == Tag::P
        && end < dom.end(paragraph)
        && is_cut(before, dom.text(end).trim_start())
        && inset_chars(dom, node) < INSET_CHARS
        && end - node <= INSET_NODES as NodeId
        && !(node + 1..end).any(|node| dom.tag(node) == Tag::Br || dom.tag(node).display() == Display::Block)
}

/// The run being read, and what was finished before it.
struct Run<'a> {
    dom: &'a Dom,
    blocks: Vec<Block>,
    text: String,
    start: usize,
    nodes: Range<NodeId>,
    chars: u32,
    link_chars: u32,
    bold_chars: u32,
    links: u32,
    space: bool,
    /// Whether a picture stands between the text so far and what comes next: they are no word together.
    picture: bool,
    /// How what comes next is set apart from the text so far.
    apart: Option<Apart>,
    breaks: u32,
    fresh_link: bool,
    link: usize,
    bold: usize,
    pre: usize,
    /// Elements cut out of the run, to be read after it.
    insets: Vec<NodeId>,
}

impl<'a> Run<'a> {
    fn new(dom: &'a Dom) -> Self {
        Run {
            dom,
            blocks: Vec::new(),
            text: String::new(),
            start: 0,
            nodes: 0..0,
            chars: 0,
            link_chars: 0,
            bold_chars: 0,
            links: 0,
            space: false,
            picture: false,
            apart: None,
            breaks: 0,
            fresh_link: false,
            link: 0,
            bold: 0,
            pre: 0,
            insets: Vec::new(),
        }
    }

    /// Reads nodes in document order; the last run stays open.
    fn read(&mut self, nodes: Range<NodeId>) {
        let dom = self.dom;
        // Open elements that matter on the way out: block-level ones, links, bold, <pre>.
        let mut open: Vec<(NodeId, Tag)> = Vec::new();
        // The ends of inline elements that are set apart.
        let mut boxes: Vec<(NodeId, Apart)> = Vec::new();
        let mut closed_link_at = NodeId::MAX;
        let mut node = nodes.start;
        while node < nodes.end {
            while let Some(&(_, tag)) = open.last().filter(|(id, _)| dom.end(*id) <= node) {
                open.pop();
                self.leave(tag);
                if tag == Tag::A {
                    closed_link_at = node;
                }
            }
            while let Some((_, apart)) = boxes.pop_if(|(end, _)| *end <= node) {
                self.set_apart(apart);
            }
            let tag = dom.tag(node);
            // The lines of code that highlighters put into elements have their line feeds.
            if self.pre == 0
                && tag.display() == Display::Inline
                && let Some(apart) = Apart::of(dom, node)
            {
                self.set_apart(apart);
                boxes.push((dom.end(node), apart));
            }
            match tag {
                Tag::Text => self.push_text(node, dom.text(node)),
                Tag::Br => self.line_break(),
                _ => match tag.display() {
                    Display::Hidden => {
                        node = dom.end(node);
                        continue;
                    }
                    Display::Block if self.chars > 0 && is_word(dom, node, &self.text) => self.space = true,
                    Display::Block => {
                        self.flush();
                        self.pre += usize::from(tag == Tag::Pre);
                        open.push((node, tag));
                    }
                    Display::Inline if self.chars > 0 && is_inset(dom, node) => {
                        self.insets.push(node);
                        self.space |= !is_hidden(dom, node);
                        node = dom.end(node);
                        continue;
                    }
                    // Before the sentence has begun there is nothing to cut it out of, but it begins after what is not
                    // shown.
                    Display::Inline if self.chars == 0 && is_hidden(dom, node) && is_inset(dom, node) => {
                        open.push((node, Tag::Div))
                    }
                    Display::Inline => match tag {
                        // Neighbouring links of a menu often have no white space between them.
                        Tag::A if dom.attr(node, AttrName::Href).is_some() => {
                            self.space |= closed_link_at == node;
                            self.link += 1;
                            self.fresh_link = true;
                            open.push((node, tag));
                        }
                        Tag::B | Tag::Strong => {
                            self.bold += 1;
                            open.push((node, tag));
                        }
                        Tag::OptionTag | Tag::Optgroup => self.space = true,
                        // What was deleted and what stands in its place.
                        Tag::Ins if matches!(tag_before(dom, node), Tag::Del | Tag::S | Tag::Strike) => {
                            self.space = true;
                        }
                        Tag::Del if tag_before(dom, node) == Tag::Ins => self.space = true,
                        Tag::Img => self.picture = true,
                        _ => {}
                    },
                },
            }
            node += 1;
        }
        open.iter().rev().for_each(|(_, tag)| self.leave(*tag));
    }

    fn leave(&mut self, tag: Tag) {
        match tag {
            Tag::A => self.link -= 1,
            Tag::B | Tag::Strong => self.bold -= 1,
            _ => {
                self.pre -= usize::from(tag == Tag::Pre);
                self.flush();
            }
        }
    }

    fn set_apart(&mut self, apart: Apart) {
        if self.apart != Some(Apart::Line) {
            self.apart = Some(apart);
        }
    }

    fn line_break(&mut self) {
        self.breaks += 1;
        if self.breaks >= 2 {
            self.flush();
        }
    }

    fn push_text(&mut self, node: NodeId, text: &str) {
        let before = self.chars;
        // Whether a line of the source ends between the last character of this node and the next, and nothing but that.
        let (mut line_end, mut blank) = (false, false);
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            // Words of ASCII at once.
            let ascii = rest.bytes().take_while(u8::is_ascii_graphic).count();
            let length = ascii.max(c.len_utf8());
            let (part, others) = rest.split_at(length);
            rest = others;
            if ascii == 0 {
                if c.is_whitespace() {
                    if self.pre > 0 && self.chars > 0 {
                        self.text.push(c);
                    } else {
                        self.space = true;
                        line_end |= c == '\n' && self.chars > before;
                        blank |= !c.is_ascii();
                    }
                    continue;
                }
                if c.is_control() || c == '\u{feff}' {
                    continue;
                }
            }
            if self.text.len() > self.start {
                if self.picture && c.is_alphanumeric() && self.text.ends_with(char::is_alphanumeric) {
                    self.space = true;
                }
                if self.apart == Some(Apart::Box) && begins_word(c) && !self.text.ends_with(is_opening) {
                    self.space = true;
                }
                if self.breaks > 0 || self.apart == Some(Apart::Line) {
                    self.text.push('\n');
                } else if self.space && !(line_end && !blank && is_wide(c) && self.text.ends_with(is_wide)) {
                    self.text.push(' ');
                }
            }
            (self.space, self.picture, self.apart, self.breaks) = (false, false, None, 0);
            (line_end, blank) = (false, false);
            self.text.push_str(part);
            self.chars += ascii.max(1) as u32;
        }
        let added = self.chars - before;
        if added == 0 {
            return;
        }
        if before == 0 {
            self.nodes.start = node;
        }
        self.nodes.end = node + 1;
        if self.link > 0 {
            self.link_chars += added;
            self.links += u32::from(self.fresh_link || self.links == 0);
            self.fresh_link = false;
        }
        if self.bold > 0 {
            self.bold_chars += added;
        }
    }

    /// Ends the run: a block if it holds any text.
    fn flush(&mut self) {
        (self.space, self.picture, self.apart, self.breaks) = (false, false, None, 0);
        if self.chars == 0 {
            return;
        }
        self.text.truncate(self.text.trim_end().len());
        let text = self.start as u32..self.text.len() as u32;
        self.text.push('\n');
        self.start = self.text.len();
        self.blocks.push(Block {
            element: common_ancestor(self.dom, &self.nodes),
            nodes: self.nodes.clone(),
            text,
            chars: std::mem::take(&mut self.chars),
            link_chars: std::mem::take(&mut self.link_chars),
            bold_chars: std::mem::take(&mut self.bold_chars),
            links: std::mem::take(&mut self.links),
        });
        // An inset holds no other one, so this goes no deeper.
        for node in std::mem::take(&mut self.insets) {
            self.read(node + 1..self.dom.end(node));
            self.flush();
        }
    }
}

/// The tag of the sibling right before a node, or of its parent where it is the first.
fn tag_before(dom: &Dom, node: NodeId) -> Tag {
    let (parent, mut at) = (dom.parent(node), node - 1);
    while at > parent && dom.parent(at) != parent {
        at = dom.parent(at);
    }
    dom.tag(at)
}

/// Whether the end of a line of the source is nothing between two of these characters: those of full or half width that
/// are no Hangul (CSS Text 3, 4.1.3), Chinese and Japanese in the main.
fn is_wide(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{303f}' | '\u{3041}'..='\u{312f}' | '\u{31a0}'..='\u{4dbf}' | '\u{4e00}'..='\u{a4cf}'
        | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}' | '\u{ff01}'..='\u{ff9f}' | '\u{20000}'..='\u{3ffff}')
}

/// Whether a word, and not a mark that belongs to the word before, begins with a character.
fn begins_word(c: char) -> bool {
    c.is_alphanumeric() || is_opening(c)
}

fn is_opening(c: char) -> bool {
    matches!(c, '(' | '[' | '{' | '«' | '“' | '‘' | '„' | '‹' | '「' | '『' | '（' | '《')
}

fn common_ancestor(dom: &Dom, nodes: &Range<NodeId>) -> NodeId {
    let mut element = dom.parent(nodes.start);
    while dom.end(element) < nodes.end {
        element = dom.parent(element);
    }
    element
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(html: &str) -> Vec<String> {
        let (blocks, text) = segment(&Dom::parse(html));
        blocks.iter().map(|b| text[b.text.start as usize..b.text.end as usize].to_owned()).collect()
    }

    #[test]
    fn block_elements_and_double_breaks_end_a_block() {
        assert_eq!(texts("<div>a<p>b <b>c</b></p>d<br>e<br> <br/>f</div>"), ["a", "b c", "d\ne", "f"]);
    }

    #[test]
    fn hidden_elements_hold_no_text_and_white_space_collapses() {
        assert_eq!(
            texts("<style>x</style><p> a\n\n b&nbsp;c<script>y</script></p><svg><text>z</text></svg>"),
            ["a b c"]
        );
    }

    #[test]
    fn what_browsers_show_in_other_ways_is_no_text_and_a_picture_stands_between_words() {
        assert_eq!(
            texts(
                "<p>r<math><mi>x</mi><annotation>x^2</annotation></math> <progress>70 %</progress>all<datalist><option>o</datalist></p>"
            ),
            ["rx all"]
        );
        assert_eq!(texts("<p>one<noframes>no frames</noframes> two"), ["one two"]);
        assert_eq!(texts("<p>البلدة<img src=a.png>وكان<img>.</p>"), ["البلدة وكان."]);
    }

    #[test]
    fn pre_keeps_its_lines_and_zero_width_joiners_stay() {
        assert_eq!(texts("<pre>a\n  b\n</pre><p>می\u{200c}خواهد</p>"), ["a\n  b", "می\u{200c}خواهد"]);
    }

    #[test]
    fn what_pages_of_old_wrote_for_pre_is_one() {
        assert_eq!(texts("a<xmp>b <i>\n  c</xmp>d<listing>e\nf</listing>g"), ["a", "b <i>\n  c", "d", "e\nf", "g"]);
        assert_eq!(texts("a<plaintext>b\n </p>c"), ["a", "b\n </p>c"]);
    }

    #[test]
    fn the_end_of_a_line_is_no_space_between_characters_without_spaces() {
        assert_eq!(texts("<p>经过三年\n  整修，\r\n重新開放 a\n中\nb"), ["经过三年整修，重新開放 a 中 b"]);
        assert_eq!(texts("<p>かな\nカナ ｶﾅ 漢字"), ["かなカナ ｶﾅ 漢字"], "a space stays");
        assert_eq!(texts("<p>한국\n어 ไทย\nนี้"), ["한국 어 ไทย นี้"]);
        assert_eq!(texts("<p>首段。\n\u{3000}\u{3000}次段<pre>三\n年</pre>"), ["首段。 次段", "三\n年"], "indented");
        assert_eq!(texts("<p><a href=1>首页</a>\n<a href=2>新闻</a>"), ["首页 新闻"], "a menu");
    }

    #[test]
    fn what_was_deleted_and_its_replacement_are_two_words() {
        assert_eq!(
            texts("<p><del>حذف <b>شده</b></del><ins>افزوده</ins> <s>a</s><ins>b</ins><del>c</del>"),
            ["حذف شده افزوده a b c"]
        );
        assert_eq!(texts("<p>wo<ins>r</ins>d<del>s</del>, <del><ins>ab</ins></del>c"), ["words, abc"]);
    }

    #[test]
    fn links_are_counted_by_character_and_by_number() {
        let (blocks, text) = segment(&Dom::parse("<div><a href=1>ab</a><a href=2>c<b>d</b></a> ef</div>"));
        assert_eq!(text, "ab cd ef\n");
        assert_eq!((blocks[0].chars, blocks[0].link_chars, blocks[0].links, blocks[0].bold_chars), (6, 4, 2, 1));
    }

    #[test]
    fn a_link_around_blocks_covers_them_all() {
        let (blocks, _) = segment(&Dom::parse("<a href=1><h3>ab</h3><p>cd</p></a><p>ef</p>"));
        assert_eq!(blocks.iter().map(|b| (b.link_chars, b.links)).collect::<Vec<_>>(), [(2, 1), (2, 1), (0, 0)]);
    }

    #[test]
    fn a_short_button_in_mid_sentence_is_a_word_of_it() {
        assert_eq!(
            texts("<p>رمز <button>ربيع</button> عند الدفع<button>نسخ</button></p>"),
            ["رمز ربيع عند الدفع", "نسخ"]
        );
        assert_eq!(texts("<p>said <side-note>Ann Lee</side-note>, who"), ["said Ann Lee, who"]);
        assert_eq!(texts("<p>It ended. <button>Share</button> it began"), ["It ended.", "Share", "it began"]);
        assert_eq!(texts("<div>a <button>b</button> c</div>"), ["a", "b", "c"], "no paragraph");
        assert_eq!(texts("<template><p>a<button>b</template>c"), ["a", "b", "c"], "the paragraph ends with the button");
    }

    #[test]
    fn a_pop_up_in_mid_sentence_is_cut_out_and_comes_after() {
        let life = "Born in Cairo in 1960, she has written nine novels and two plays.";
        let html = format!(
            "<p>The writer <span class=tooltip>A. Name<span class=tooltip-text>{life}</span></span> said on <b>Monday</b> it was late.</p><p>End</p>"
        );
        assert_eq!(texts(&html), ["The writer A. Name said on Monday it was late.", life, "End"]);
        let hidden = format!("<p>Before <em aria-hidden=true>{life}</em>after <span aria-hidden=true>short</span></p>");
        assert_eq!(texts(&hidden), ["Before after short", life]);
        let first = format!("<p><span class=popup>{life}</span> and more</p>");
        assert_eq!(texts(&first), [format!("{life} and more")], "nothing stands before it to be cut out of");
        let (blocks, _) = segment(&Dom::parse(&html));
        assert!(blocks.windows(2).all(|pair| pair[0].nodes.start < pair[1].nodes.start));
    }

    #[test]
    fn what_no_browser_shows_is_no_part_of_a_word_or_sentence() {
        assert_eq!(
            texts("<p>H<span style='display:none'>i</span>ello and <b hidden>bye</b> more"),
            ["Hello and more", "i", "bye"]
        );
        assert_eq!(
            texts("<p><span hidden>from <b>afar</b></span>The bridge <i>opens</i></p>"),
            ["from afar", "The bridge opens"]
        );
        assert_eq!(texts("<p><b hidden>Alone</b></p><p>next<b hidden></b>.</p>"), ["Alone", "next."]);
        let (blocks, _) = segment(&Dom::parse("<p><b hidden>a</b>b</p><p>c</p>"));
        assert_eq!(blocks.iter().map(|b| b.bold_chars).collect::<Vec<_>>(), [0, 0, 0]);
    }

    #[test]
    fn inline_style_hides_by_display_and_visibility() {
        for style in
            ["display:none", "color:red; DISPLAY : none !important", "Visibility: Hidden", "display:none!important"]
        {
            assert!(is_hiding_style(style), "{style}");
        }
        for style in
            ["", "display:block", "max-width:none", "display", "x:display:none", "display:ñone", "display:nonexistent"]
        {
            assert!(!is_hiding_style(style), "{style}");
        }
    }

    #[test]
    fn the_element_is_the_innermost_that_holds_the_whole_run() {
        let dom = Dom::parse("<div><span>a</span></div><div><span>b</span>c</div>");
        let (blocks, _) = segment(&dom);
        assert_eq!(blocks.iter().map(|b| dom.tag(b.element)).collect::<Vec<_>>(), [Tag::Span, Tag::Div]);
    }
}
