//! What stands around a block, how it relates to the page's title, and what the page is like as a whole.

use crate::page::Page;
use crate::page::dom::Tag;

use super::Surroundings;
use super::declared::{Said, three_in_a_row};
use super::log::ln_1p;
use super::structure::{HashedMap, Structure};
use super::table::{Sieve, Table};
use super::text::{TextStats, is_long};

const NEIGHBOURS: [isize; 6] = [-3, -2, -1, 1, 2, 3];
const NEIGHBOUR: &[&str] =
    &["words_log", "link_density", "ends_sentence", "long_text", "is_heading", "same_tag", "same_container"];
const WINDOWS: [usize; 2] = [4, 12];
const WINDOW: &[&str] = &["words_log", "link_density", "long_share"];

const TITLE: &[&str] = &[
    "title_precision",
    "title_recall",
    "description_precision",
    "description_recall",
    "article_body_overlap",
    "has_article_body",
    "declared_text_overlap",
    "declared_review_overlap",
    "is_title_block",
    "after_title",
    "blocks_from_title",
    "words_from_title",
    "repeats_log",
    "first_of_repeats",
];

const SINCE: &[&str] = &[
    "blocks_to_long_before",
    "blocks_to_long_after",
    "blocks_since_heading",
    "heading_words",
    "heading_linked",
    "heading_level",
];

const PAGE: &[&str] = &[
    "page_blocks_log",
    "page_words_log",
    "page_link_density",
    "page_long_share",
    "page_long_blocks_log",
    "page_p_share",
    "page_commas_per_word",
    "page_has_article",
    "page_articles_log",
    "page_h1s",
    "page_has_title_block",
    "page_forms_log",
    "page_times_log",
    "page_prose60_share",
    "page_prose60_link_density",
];

/// Columns that need more than the block and its ancestors.
pub struct Context<'a> {
    page: &'a Page,
    stats: &'a [TextStats],
    hashes: &'a [u64],
    structure: &'a Structure,
    said: Said,
    title_overlap: Vec<[f32; 4]>,
    /// The block that shows the page's title.
    pub title_block: Option<usize>,
    repeats: Table<(u16, u32)>,
    long_before: Vec<u16>,
    long_after: Vec<u16>,
    headings: Vec<Option<usize>>,
    heading_levels: Vec<u8>,
    /// What a block's neighbours have as columns: the first ones of [`NEIGHBOUR`].
    beside: Vec<[f32; 5]>,
    page_columns: Vec<f32>,
}

/// The words of the title and of the description in one table.
struct References {
    /// Nearly all words of the page are in neither.
    sieve: Sieve,
    places: Table<u32>,
    /// How often title and description have each word, and the last block in which it was found.
    words: Vec<([u32; 2], usize)>,
    lengths: [usize; 2],
}

impl References {
    fn new(references: [&[u64]; 2]) -> References {
        let words: Vec<u64> = references.concat();
        let sieve = Sieve::of(words.iter().copied());
        let places = Table::with_capacity(words.len());
        let mut all = References { sieve, places, words: Vec::new(), lengths: references.map(<[u64]>::len) };
        for (of, reference) in references.into_iter().enumerate() {
            for word in reference {
                let place = *all.places.get_or_insert(*word, || {
                    all.words.push(([0; 2], usize::MAX));
                    all.words.len() as u32 - 1
                });
                all.words[place as usize].0[of] += 1;
            }
        }
        all
    }

    /// Precision and recall of the words of block `at` against the title, and against the description.
    fn overlaps(&mut self, at: usize, words: &[u64]) -> [f32; 4] {
        let (mut hits, mut found) = ([0u32; 2], [0u32; 2]);
        for word in words.iter().filter(|word| self.sieve.may_have(**word)) {
            let Some(place) = self.places.get(*word) else { continue };
            let (counts, last) = &mut self.words[place as usize];
            let first = std::mem::replace(last, at) != at;
            for of in 0..2 {
                hits[of] += u32::from(counts[of] > 0);
                found[of] += if first { counts[of] } else { 0 };
            }
        }
        let mut overlaps = [0.0; 4];
        for (of, length) in self.lengths.into_iter().enumerate() {
            if hits[of] > 0 && words.len() <= length * 8 + 40 {
                overlaps[2 * of] = hits[of] as f32 / words.len() as f32;
                overlaps[2 * of + 1] = found[of] as f32 / length as f32;
            }
        }
        overlaps
    }
}

impl<'a> Context<'a> {
    /// Looks a page over once, for all of its blocks.
    pub fn of(page: &'a Page, stats: &'a [TextStats], hashes: &'a [u64], structure: &'a Structure) -> Self {
        let said = Said::of(page);
        let words = |s: &TextStats| &hashes[s.hashes.start as usize..s.hashes.end as usize];
        let mut references = References::new([&said.title, &said.description]);
        let title_overlap: Vec<[f32; 4]> =
            stats.iter().enumerate().map(|(at, s)| references.overlaps(at, words(s))).collect();
        let heading_levels: Vec<u8> = (0..page.blocks.len()).map(|at| heading_level(page, at)).collect();
        let mut context = Context {
            page,
            stats,
            hashes,
            structure,
            title_block: find_title(page, &title_overlap, &heading_levels),
            said,
            title_overlap,
            repeats: Table::with_capacity(stats.len()),
            long_before: Vec::new(),
            long_after: Vec::new(),
            headings: Vec::new(),
            heading_levels,
            beside: Vec::new(),
            page_columns: Vec::new(),
        };
        for (at, s) in stats.iter().enumerate() {
            let entry = context.repeats.get_or_insert(s.shape ^ s.chars.to_bits() as u64, || (0, at as u32));
            entry.0 = entry.0.saturating_add(1);
        }
        let long: Vec<bool> = stats.iter().zip(&page.blocks).map(|(s, b)| is_long(s, b)).collect();
        context.long_before = distances(long.iter().copied());
        context.long_after = distances(long.iter().rev().copied());
        context.long_after.reverse();
        let mut last = None;
        for (at, level) in context.heading_levels.iter().enumerate() {
            context.headings.push(last);
            if *level > 0 {
                last = Some(at);
            }
        }
        let flag = |b: bool| f32::from(u8::from(b));
        context.beside.extend(stats.iter().zip(&page.blocks).zip(&long).zip(&context.heading_levels).map(
            |(((s, block), long), level)| {
                let link_density = block.link_chars as f32 / block.chars.max(1) as f32;
                [ln_1p(s.words), link_density, flag(s.ends_sentence), flag(*long), flag(*level > 0)]
            },
        ));
        context.page_columns = context.page_columns();
        context
    }

    fn page_columns(&self) -> Vec<f32> {
        let flag = |b: bool| f32::from(u8::from(b));
        let total = self.structure.page();
        let words = total.words.max(1.0);
        let [articles, h1s, forms, times] =
            [Tag::Article, Tag::H1, Tag::Form, Tag::Time].map(|tag| self.said.elements(tag));
        let prose = self.structure.totals(self.structure.blocks(self.page, self.structure.prose_containers[0]));
        let mut columns = vec![
            total.blocks.ln_1p(),
            total.words.ln_1p(),
            total.link_words / words,
            total.long_words / words,
            total.long_blocks.ln_1p(),
            total.paragraphs / total.blocks.max(1.0),
            total.commas / words,
            flag(articles > 0.0),
            articles.ln_1p(),
            h1s.min(4.0),
            flag(self.title_block.is_some()),
            forms.ln_1p(),
            times.ln_1p(),
            prose.words / words,
            prose.link_words / prose.words.max(1.0),
        ];
        columns.extend(self.said.columns());
        columns
    }

    /// What later stages need of this page.
    pub fn surroundings(&self) -> Surroundings {
        let range = |node| {
            let range = self.structure.blocks(self.page, node);
            (range.start as u32, range.end as u32)
        };
        Surroundings {
            words: self.stats.iter().map(|s| s.words.max(0.5)).collect(),
            containers: self.structure.containers.iter().map(|levels| levels.map(range)).collect(),
            prose: range(self.structure.prose_containers[0]),
            headings: self.headings.iter().map(|h| h.map(|h| h as u32)).collect(),
            title: self.title_block.map(|t| t as u32),
            ..Surroundings::default()
        }
    }

    /// Appends the block's columns in the order of [`names`].
    pub fn columns(&self, at: usize, out: &mut Vec<f32>) {
        let flag = |b: bool| f32::from(u8::from(b));
        let count = self.stats.len();
        let tag = self.page.dom.tag(self.page.blocks[at].element);
        let container = self.structure.containers[at][0];
        for offset in NEIGHBOURS {
            match at.checked_add_signed(offset).filter(|n| *n < count) {
                None => out.extend([0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
                Some(n) => {
                    out.extend(self.beside[n]);
                    out.push(flag(self.page.dom.tag(self.page.blocks[n].element) == tag));
                    out.push(flag(self.structure.containers[n][0] == container));
                }
            }
        }
        for width in WINDOWS {
            let inner = self.structure.totals(at.saturating_sub(width)..(at + width + 1).min(count));
            let words = inner.words.max(1.0);
            out.extend([ln_1p(words), inner.link_words / words, inner.long_words / words]);
        }
        out.extend(self.title_overlap[at]);
        let title = self.title_block;
        let words_before = |n: usize| self.structure.totals(0..n).words;
        let s = &self.stats[at];
        let (repeats, first) = self.repeats.get(s.shape ^ s.chars.to_bits() as u64).unwrap_or((1, at as u32));
        out.extend([
            self.declared_overlap(at, &self.said.article_body),
            flag(!self.said.article_body.is_empty()),
            self.declared_overlap(at, &self.said.other_text),
            self.declared_overlap(at, &self.said.reviews),
            flag(title == Some(at)),
            title.map_or(0.0, |t| if at > t { 1.0 } else { -1.0 }),
            title.map_or(0.0, |t| signed_log(at as f32 - t as f32)),
            title.map_or(0.0, |t| signed_log(words_before(at) - words_before(t))),
            ln_1p(f32::from(repeats)),
            flag(first as usize == at),
            ln_1p(f32::from(self.long_before[at])),
            ln_1p(f32::from(self.long_after[at])),
        ]);
        match self.headings[at] {
            None => out.extend([6.0, 0.0, 0.0, 0.0]),
            Some(h) => {
                let block = &self.page.blocks[h];
                out.extend([
                    ln_1p((at - h) as f32),
                    ln_1p(self.stats[h].words),
                    flag(block.link_chars * 2 > block.chars),
                    f32::from(self.heading_levels[h]),
                ]);
            }
        }
        out.extend(&self.page_columns);
    }

    /// The share of a block's runs of three words that a text of the page's JSON-LD has.
    fn declared_overlap(&self, at: usize, text: &HashedMap<()>) -> f32 {
        let s = &self.stats[at];
        let words = &self.hashes[s.hashes.start as usize..s.hashes.end as usize];
        if text.is_empty() || words.len() < 3 {
            return 0.0;
        }
        let hit = three_in_a_row(words).filter(|h| text.contains_key(h)).count();
        hit as f32 / (words.len() - 2) as f32
    }

    /// The last heading before a block.
    pub fn heading(&self, at: usize) -> Option<usize> {
        self.headings[at]
    }
}

/// The names of [`Context::columns`]; those of [`super::declared`] follow.
pub fn names() -> Vec<String> {
    let mut names = Vec::new();
    for offset in NEIGHBOURS {
        let side = if offset < 0 { "before" } else { "after" };
        names.extend(NEIGHBOUR.iter().map(|name| format!("{side}{}_{name}", offset.abs())));
    }
    for width in WINDOWS {
        names.extend(WINDOW.iter().map(|name| format!("window{width}_{name}")));
    }
    names.extend(TITLE.iter().chain(SINCE).chain(PAGE).map(|name| (*name).to_owned()));
    names
}

fn signed_log(x: f32) -> f32 {
    x.signum() * ln_1p(x.abs())
}

/// For each item, how many steps back the last true one is (its own not counted), at most 1,000.
fn distances(flags: impl Iterator<Item = bool>) -> Vec<u16> {
    let mut since = 1000u16;
    flags
        .map(|flag| {
            let distance = since;
            since = if flag { 1 } else { (since + 1).min(1000) };
            distance
        })
        .collect()
}

/// 1 to 6 for a block in a heading element, else 0.
fn heading_level(page: &Page, at: usize) -> u8 {
    let level = |tag| match tag {
        Tag::H1 => 1,
        Tag::H2 => 2,
        Tag::H3 => 3,
        Tag::H4 => 4,
        Tag::H5 => 5,
        Tag::H6 => 6,
        _ => 0,
    };
    let element = page.blocks[at].element;
    match level(page.dom.tag(element)) {
        0 => page.dom.ancestors(element).take(2).map(|n| level(page.dom.tag(n))).find(|l| *l > 0).unwrap_or(0),
        level => level,
    }
}

/// The block that shows the page's title: the best overlap with `<title>`, headings before other blocks, first of equals.
fn find_title(page: &Page, overlap: &[[f32; 4]], heading_levels: &[u8]) -> Option<usize> {
    let score = |at: usize| {
        let [precision, recall, ..] = overlap[at];
        let f1 = if precision + recall > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 };
        let block = &page.blocks[at];
        let linked = block.link_chars * 2 > block.chars;
        f1 + match heading_levels[at] {
            1 => 0.5,
            2 | 3 if !linked => 0.2,
            _ if linked => -0.2,
            _ => 0.0,
        }
    };
    let mut best = None;
    for at in 0..overlap.len() {
        let s = score(at);
        if s >= 0.5 && best.is_none_or(|(_, top)| s > top) {
            best = Some((at, s));
        }
    }
    best.map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_block_is_the_heading_that_repeats_the_title() {
        let page = Page::from_html(
            "<title>Oil falls again | Site</title><body><h1>Site</h1><a href=x>Oil falls again</a><h2>Oil falls again</h2><p>Text</p>",
        );
        let (stats, hashes) = super::super::text::page_stats(&page);
        let structure = Structure::of(&page, &stats);
        let context = Context::of(&page, &stats, &hashes, &structure);
        assert_eq!(context.title_block, Some(2));
    }

    #[test]
    fn json_ld_bodies_are_found_even_in_broken_json() {
        let page = Page::from_html(
            r#"<script type="application/ld+json">{"@type":"NewsArticle","articleBody": "one two three four five", oops</script><p>one two three four</p><p>other words stand here</p>"#,
        );
        let (stats, hashes) = super::super::text::page_stats(&page);
        let structure = Structure::of(&page, &stats);
        let context = Context::of(&page, &stats, &hashes, &structure);
        let overlap = |at| context.declared_overlap(at, &context.said.article_body);
        assert_eq!((overlap(0), overlap(1)), (1.0, 0.0));
    }

    #[test]
    fn distances_count_steps_since_the_last_long_block() {
        assert_eq!(distances([false, true, false, false, true].into_iter()), [1000, 1000, 1, 2, 3]);
    }
}
