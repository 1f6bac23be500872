//! The same place of a template on the pages of a site.

use xxhash_rust::xxh3::Xxh3;

use crate::page::dom::{AttrName, NodeId, Tag};
use crate::page::{Input, Page};

/// For each block a number for its place in the site's template: the elements around it below `<body>` with their ids
/// and class words. Numbers in these count as equal (`post-1201` and `post-1202`), and so does the order of words.
/// Lines of flattened text have no place.
pub fn places(page: &Page) -> Vec<Option<u64>> {
    let place = |element: NodeId| {
        let mut hash = Xxh3::new();
        let around = std::iter::once(element).chain(page.dom.ancestors(element));
        for node in around.take_while(|node| !matches!(page.dom.tag(*node), Tag::Body | Tag::Html | Tag::Document)) {
            hash.update(page.dom.tag(node).name().as_bytes());
            for name in [AttrName::Class, AttrName::Id] {
                let value = page.dom.attr(node, name).unwrap_or_default();
                let mut words: Vec<String> = value.split_ascii_whitespace().map(without_digits).collect();
                words.sort_unstable();
                words.dedup();
                for word in words {
                    hash.update(b" ");
                    hash.update(word.as_bytes());
                }
                hash.update(b"|");
            }
            hash.update(b">");
        }
        hash.digest()
    };
    let html = page.input() == Input::Html;
    page.blocks.iter().map(|block| html.then(|| place(block.element))).collect()
}

fn without_digits(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    for c in word.chars() {
        match c.is_ascii_digit() {
            false => out.push(c),
            true if out.ends_with('#') => {}
            true => out.push('#'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_the_order_of_words_do_not_part_places_but_words_do() {
        let place = |html: &str| places(&Page::from_html(html))[0];
        let one = place("<div id=post-12 class='a b'><p>x</p></div>");
        assert_eq!(one, place("<body class=local><div class='b a' id=post-7><p>y</p></div>"));
        assert_ne!(one, place("<div id=post-12 class=a><p>x</p></div>"));
        assert_ne!(one, place("<div id=post-12 class='a b'><h2>x</h2></div>"));
        assert_eq!(places(&Page::from_text("x")), [None]);
    }
}
