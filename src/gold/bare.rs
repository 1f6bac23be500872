//! Labelled pages once more, with markup that says less: names of classes left out, `<div>` in place of elements that
//! mean something, nothing declared.
//!
//! Sites whose style sheets have machine-made names, and sites older than `<article>`, look like this, and few of them
//! are in the labelled sets. A copy has the blocks of its page, and so its labels.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::page::dom::{AttrName, Tag};
use crate::page::{Page, segment};

/// What a copy of a page leaves out besides what it declares of itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bare {
    /// The share of names (`class`, `id`) that are kept, 0 to 1; a name is kept wherever it stands on the page, or nowhere.
    pub names: f32,
    /// Whether elements that divide a page (`<article>`, `<nav>`, `<figure>`) become `<div>`.
    pub sections: bool,
    /// Whether headings become `<div>`.
    pub headings: bool,
    /// Whether paragraphs become `<div>`.
    pub paragraphs: bool,
    /// Whether `<div>`, also those that another element became, becomes `<td>`, as pages were once laid out.
    pub cells: bool,
    /// Whether the page's address is known.
    pub address: bool,
}

impl Bare {
    /// A mixture drawn by a page's name: half of the copies have no names at all.
    pub fn of(id: &str) -> Bare {
        let draw = xxh3_64_with_seed(id.as_bytes(), 0);
        let bit = |at: u32| draw >> at & 1 == 1;
        Bare {
            names: [0.0, 0.0, 0.3, 0.6][draw as usize & 3],
            sections: bit(2) || bit(3),
            headings: bit(4) || bit(5),
            paragraphs: bit(6) && bit(7),
            cells: bit(8) && bit(9),
            address: bit(10),
        }
    }
}

/// A copy of a page of HTML; none where it would not have the same blocks.
pub fn bare(page: &Page, bare: Bare) -> Option<Page> {
    use AttrName::{
        AriaHidden, Class, Colspan, Content, Dir, Hidden, Href, HttpEquiv, Id, Lang, Rowspan, Src, Style, Value,
    };
    // Another page draws other names, so that the lexicon's words are all seen and all missed.
    let seed = xxh3_64_with_seed(page.text.as_bytes(), 1);
    let keeps = |name, value: &str| match name {
        Class | Id => ((xxh3_64_with_seed(value.as_bytes(), seed) >> 40) as f32) < bare.names * (1 << 24) as f32,
        name => matches!(
            name,
            AriaHidden | Colspan | Content | Dir | Hidden | Href | HttpEquiv | Lang | Rowspan | Src | Style | Value
        ),
    };
    let dom = page.dom.with(|tag| bare.tag(tag), keeps);
    let (blocks, text) = segment::segment(&dom);
    (text == page.text && blocks.len() == page.blocks.len()).then(|| Page {
        dom,
        blocks,
        url: page.url.clone().filter(|_| bare.address),
        ..page.clone()
    })
}

impl Bare {
    fn tag(self, tag: Tag) -> Tag {
        let plain = match tag {
            Tag::Article
            | Tag::Aside
            | Tag::Figcaption
            | Tag::Figure
            | Tag::Footer
            | Tag::Header
            | Tag::Hgroup
            | Tag::Main
            | Tag::Nav
            | Tag::Search
            | Tag::Section
                if self.sections =>
            {
                Tag::Div
            }
            Tag::Time if self.sections => Tag::Span,
            Tag::H1 | Tag::H2 | Tag::H3 | Tag::H4 | Tag::H5 | Tag::H6 if self.headings => Tag::Div,
            Tag::P if self.paragraphs => Tag::Div,
            tag => tag,
        };
        if plain == Tag::Div && self.cells { Tag::Td } else { plain }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::dom::NodeId;

    const PAGE: &str = r#"<head><title>T</title><meta property="og:type" content="article">
        <script type="application/ld+json">{"@type": "NewsArticle", "headline": "T"}</script></head>
        <body class="single"><nav class="menu" role="navigation"><a href="/x">Home</a></nav>
        <article id="story"><h1 itemprop="headline">Title</h1><time>Monday</time><p class="lead">One.<br><br>Two.</p>
        <p class="lead" hidden>Three.</p></article></body>"#;

    fn all() -> Bare {
        Bare { names: 0.0, sections: true, headings: true, paragraphs: true, cells: true, address: true }
    }

    fn attrs(page: &Page, name: AttrName) -> Vec<&str> {
        (0..page.dom.len() as NodeId).filter_map(|node| page.dom.attr(node, name)).collect()
    }

    #[test]
    fn a_copy_has_the_blocks_of_its_page_and_says_nothing_of_them() {
        let page = Page::from_html(PAGE);
        let copy = bare(&page, all()).unwrap();
        assert_eq!(copy.texts().collect::<Vec<_>>(), page.texts().collect::<Vec<_>>());
        use AttrName::{Class, Hidden, Href, Id, Itemprop, Property, Role, Type};
        for name in [Class, Id, Itemprop, Property, Role, Type] {
            assert!(!attrs(&page, name).is_empty() && attrs(&copy, name).is_empty(), "{name:?}");
        }
        assert_eq!((attrs(&copy, Href), attrs(&copy, Hidden)), (vec!["/x"], vec![""]));
        let left: Vec<Tag> = copy.blocks.iter().map(|block| copy.dom.tag(block.element)).collect();
        assert!(left.iter().all(|tag| matches!(tag, Tag::A | Tag::Td | Tag::Span)), "{left:?}");
    }

    #[test]
    fn a_name_is_kept_wherever_it_stands_or_nowhere() {
        let html: String = (0..200).map(|at| format!("<p class=c{}>Text {at}.</p>", at % 50)).collect();
        let page = Page::from_html(&html);
        let copy = bare(&page, Bare { names: 0.5, ..all() }).unwrap();
        let kept = attrs(&copy, AttrName::Class);
        let mut names = kept.clone();
        names.sort_unstable();
        names.dedup();
        assert_eq!(kept.len(), 4 * names.len());
        assert!((10..40).contains(&names.len()), "{}", names.len());
    }

    #[test]
    fn pages_draw_other_mixtures_and_always_the_same() {
        let drawn: Vec<Bare> = (0..100).map(|id| Bare::of(&id.to_string())).collect();
        assert_eq!(Bare::of("7"), drawn[7]);
        let says: [fn(&Bare) -> bool; 6] =
            [|b| b.names == 0.0, |b| b.sections, |b| b.headings, |b| b.paragraphs, |b| b.cells, |b| b.address];
        for said in says {
            let count = drawn.iter().filter(|b| said(b)).count();
            assert!((10..95).contains(&count), "{count}");
        }
    }
}
