//! A page's tree into blocks: runs of text not broken by a block-level element or by two `<br>`.

use std::ops::Range;

use super::dom::{AttrName, Display, Dom, NodeId, Tag};

/// A run of text on a page, the unit that is labelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The innermost element that holds the whole run; 0 in text that never was HTML.
    pub element: NodeId,
    /// The run's nodes: from the first text node to one past the last.
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
pub fn segment(dom: &Dom) -> (Vec<Block>, String) {
    let mut run = Run::new(dom);
    // Open elements that matter on the way out: block-level ones, links, bold, <pre>.
    let mut open: Vec<(NodeId, Tag)> = Vec::new();
    let mut closed_link_at = NodeId::MAX;
    let mut node: NodeId = 1;
    let len = dom.len() as NodeId;
    while node < len {
        while let Some(&(_, tag)) = open.last().filter(|(id, _)| dom.end(*id) <= node) {
            open.pop();
            run.leave(tag);
            if tag == Tag::A {
                closed_link_at = node;
            }
        }
        let tag = dom.tag(node);
        match tag {
            Tag::Text => run.push_text(node, dom.text(node)),
            Tag::Br => run.line_break(),
            _ => match tag.display() {
                Display::Hidden => {
                    node = dom.end(node);
                    continue;
                }
                Display::Block => {
                    run.flush();
                    run.pre += usize::from(tag == Tag::Pre);
                    open.push((node, tag));
                }
                Display::Inline => match tag {
                    // Neighbouring links of a menu often have no white space between them.
                    Tag::A if dom.attr(node, AttrName::Href).is_some() => {
                        run.space |= closed_link_at == node;
                        run.link += 1;
                        run.fresh_link = true;
                        open.push((node, tag));
                    }
                    Tag::B | Tag::Strong => {
                        run.bold += 1;
                        open.push((node, tag));
                    }
                    Tag::OptionTag | Tag::Optgroup => run.space = true,
                    _ => {}
                },
            },
        }
        node += 1;
    }
    run.flush();
    (run.blocks, run.text)
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
    breaks: u32,
    fresh_link: bool,
    link: usize,
    bold: usize,
    pre: usize,
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
            breaks: 0,
            fresh_link: false,
            link: 0,
            bold: 0,
            pre: 0,
        }
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

    fn line_break(&mut self) {
        self.breaks += 1;
        if self.breaks >= 2 {
            self.flush();
        }
    }

    fn push_text(&mut self, node: NodeId, text: &str) {
        let before = self.chars;
        for c in text.chars() {
            if c.is_whitespace() {
                if self.pre > 0 && self.chars > 0 {
                    self.text.push(c);
                } else {
                    self.space = true;
                }
                continue;
            }
            if c.is_control() || c == '\u{feff}' {
                continue;
            }
            if self.text.len() > self.start {
                if self.breaks > 0 {
                    self.text.push('\n');
                } else if self.space {
                    self.text.push(' ');
                }
            }
            (self.space, self.breaks) = (false, 0);
            self.text.push(c);
            self.chars += 1;
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
        (self.space, self.breaks) = (false, 0);
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
    }
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
    fn pre_keeps_its_lines_and_zero_width_joiners_stay() {
        assert_eq!(texts("<pre>a\n  b\n</pre><p>می\u{200c}خواهد</p>"), ["a\n  b", "می\u{200c}خواهد"]);
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
    fn the_element_is_the_innermost_that_holds_the_whole_run() {
        let dom = Dom::parse("<div><span>a</span></div><div><span>b</span>c</div>");
        let (blocks, _) = segment(&dom);
        assert_eq!(blocks.iter().map(|b| dom.tag(b.element)).collect::<Vec<_>>(), [Tag::Span, Tag::Div]);
    }
}
