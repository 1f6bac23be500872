//! Blocks to a matrix: one row a block, one named column a feature, none of them tied to a language.
//!
//! The columns come in groups, in this order: the block's own [`text`], its place in the tree ([`structure`]), what is
//! around it and the page as a whole ([`context`], [`declared`]), the repeated [`groups`] it is in, the [`media`] by it, its
//! [`visibility`], the stock phrases of its [`wording`], and the [`lexicon`] of class names.

use std::collections::HashMap;
use std::sync::OnceLock;

use ndarray::Array2;

use crate::page::{Input, Page};

pub mod context;
pub mod declared;
pub mod flat;
pub mod groups;
pub(crate) mod lanes;
pub mod lexicon;
pub(crate) mod log;
pub mod media;
pub mod structure;
mod table;
pub mod text;
pub mod visibility;
pub mod wording;

use lanes::{Lane, Lanes, by_fours};
pub use lexicon::Lexicon;

/// The names of all columns, in the order of the matrix.
///
/// ```
/// let names = lubb::features::names();
/// assert!(names.iter().any(|name| name == "link_density"));
/// ```
pub fn names() -> &'static [String] {
    static NAMES: OnceLock<Vec<String>> = OnceLock::new();
    NAMES.get_or_init(|| by_group().concat())
}

/// The groups of columns, as an ablation leaves them out.
pub const COLUMN_GROUPS: [&str; 9] =
    ["text", "structure", "context", "declared", "groups", "media", "visibility", "wording", "lexicon"];

/// The names of the columns of each group, in the order of the matrix.
fn by_group() -> [Vec<String>; COLUMN_GROUPS.len()] {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    [
        owned(text::NAMES),
        structure::names(),
        context::names(),
        declared::names().collect(),
        groups::names(),
        owned(media::NAMES),
        visibility::names(),
        wording::names(),
        lexicon::names(),
    ]
}

/// The group that a column of [`names`] is in; empty for other names.
pub fn column_group(name: &str) -> &'static str {
    static GROUPS: OnceLock<HashMap<String, &'static str>> = OnceLock::new();
    let groups = GROUPS.get_or_init(|| {
        let named = |(group, names): (&'static str, Vec<String>)| names.into_iter().map(move |name| (name, group));
        COLUMN_GROUPS.into_iter().zip(by_group()).flat_map(named).collect()
    });
    groups.get(name).copied().unwrap_or("")
}

/// What later stages need of a page besides its matrix, kept so that nothing is computed twice.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Each block's words, never 0.
    pub words: Vec<f32>,
    /// Each block's enclosing containers, innermost first, as ranges of blocks.
    pub containers: Vec<[(u32, u32); structure::LEVELS]>,
    /// The smallest container that holds most of the page's prose, as a range of blocks.
    pub prose: (u32, u32),
    /// For each block, the last heading before it.
    pub headings: Vec<Option<u32>>,
    /// The block that shows the page's title.
    pub title: Option<u32>,
    /// The words of flattened text that the lexicon looks up; empty for HTML.
    pub texts: lexicon::TextWords,
    /// The counts of each block, and the hashes of its words that they point to.
    pub stats: (Vec<text::TextStats>, Vec<u64>),
}

/// The number of a web page's columns before those of the lexicon.
fn own_width() -> usize {
    names().len() - lexicon::WIDTH
}

/// Gives a web page's rows without the columns of the lexicon to `put`, up to four at once.
fn own_rows(page: &Page, put: impl FnMut(&[f32])) -> Surroundings {
    let (stats, hashes) = text::page_stats(page);
    let structure = structure::Structure::of(page, &stats);
    let context = context::Context::of(page, &stats, &hashes, &structure);
    let groups = groups::Groups::of(page, &stats, &structure, context.title_block);
    let media = media::Media::of(page, &structure);
    let visibility = visibility::Visibility::of(page, &stats, &hashes, &structure);
    let wording = wording::Wording::of(&stats, &hashes);
    let mut last = structure.last(page);
    let row = |at: usize, values: &mut Vec<f32>| {
        values.extend(text::columns(&stats[at], &page.blocks[at]));
        structure.columns(page, at, &mut last, values);
        context.columns(at, values);
        groups.columns(page, &structure, at, values);
        media.columns(page, &groups, at, values);
        visibility.columns(page, &structure, at, values);
        wording.columns(at, context.heading(at), values);
    };
    by_fours(page.blocks.len(), own_width(), row, put);
    let surroundings = context.surroundings();
    Surroundings { stats: (stats, hashes), ..surroundings }
}

/// The lexicon's columns of the matrix, which are 0, are filled by [`fill_lexicon`], as training does many times over.
fn matrix_without_lexicon(page: &Page) -> (Array2<f32>, Surroundings) {
    let width = names().len();
    let mut values = Vec::with_capacity(page.blocks.len() * width);
    let surroundings = own_rows(page, |rows| {
        for row in rows.chunks_exact(own_width()) {
            values.extend_from_slice(row);
            values.extend([0.0; lexicon::WIDTH]);
        }
    });
    (to_matrix(values, width), surroundings)
}

fn to_matrix(values: Vec<f32>, width: usize) -> Array2<f32> {
    let rows = values.len() / width;
    // The shape fits by construction: every row was resized to the width.
    Array2::from_shape_vec((rows, width), values).unwrap_or_else(|_| Array2::zeros((0, width)))
}

/// Writes the lexicon's columns of a page's matrix, the last ones: of class names for HTML, of words for flattened text.
///
/// On web pages, which have class names, the words of the text added nothing (word F1 0.8803 and 0.8808 on `wcxb-dev`
/// without and with them, 0.940 and 0.936 on news): they are too much those of the training pages' languages and sites.
pub(crate) fn fill_lexicon(page: &Page, around: &Surroundings, lexicon: &Lexicon, matrix: &mut Array2<f32>) {
    let width = matrix.ncols();
    // The matrix is in standard layout, as it was made here.
    let values = matrix.as_slice_mut().unwrap_or_default();
    let mut write =
        |at: usize, row: &[f32]| values[(at + 1) * width - row.len()..(at + 1) * width].copy_from_slice(row);
    match page.input() {
        Input::Html => lexicon.columns(page, &mut write),
        Input::Text => lexicon.text_columns(&around.texts, &mut write),
    }
}

/// A page's feature matrix and what later stages need besides: one row a block, one column each of [`names`]
/// (for flattened text: of [`flat::names`]).
pub fn extract(page: &Page, lexicon: &Lexicon) -> (Array2<f32>, Surroundings) {
    let (mut matrix, surroundings) = match page.input() {
        Input::Html => matrix_without_lexicon(page),
        Input::Text => flat::matrix_without_lexicon(page),
    };
    fill_lexicon(page, &surroundings, lexicon, &mut matrix);
    (matrix, surroundings)
}

/// [`extract`] for classifiers that take rows laid out: gives `put` the number of a block of rows, the first of some
/// columns, and these columns' lanes, until it has had all of them. The matrix of a web page is never made.
pub(crate) fn lay_out(page: &Page, lexicon: &Lexicon, mut put: impl FnMut(usize, usize, &[Lane])) -> Surroundings {
    if page.input() == Input::Text {
        let (matrix, surroundings) = extract(page, lexicon);
        lanes::of_matrix(matrix.view(), |block, lanes| put(block, 0, lanes));
        return surroundings;
    }
    let mut lanes = Lanes::new(own_width(), |block, lanes: &[Lane]| put(block, 0, lanes));
    let surroundings = own_rows(page, |rows| lanes.push(rows));
    lanes.end();
    let mut lanes = Lanes::new(lexicon::WIDTH, |block, lanes: &[Lane]| put(block, own_width(), lanes));
    lexicon.columns(page, |_, row| lanes.push(row));
    lanes.end();
    surroundings
}

/// A page's feature matrix: one row a block, one column each of [`names`] (for flattened text: of [`flat::names`]).
///
/// ```
/// use lubb::features::{self, Lexicon};
/// let page = lubb::Page::from_html("<title>T</title><h1>T</h1><p>Some text, with a comma.</p>");
/// let matrix = features::matrix(&page, &Lexicon::default());
/// assert_eq!(matrix.dim(), (2, features::names().len()));
/// ```
pub fn matrix(page: &Page, lexicon: &Lexicon) -> Array2<f32> {
    extract(page, lexicon).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_fills_exactly_its_columns() {
        let page = Page::from_html("<title>A b c</title><div class=article-body><h1>A b c</h1><p>One, two.</p></div>");
        let (stats, hashes) = text::page_stats(&page);
        let structure = structure::Structure::of(&page, &stats);
        let context = context::Context::of(&page, &stats, &hashes, &structure);
        let mut row = Vec::new();
        structure.columns(&page, 1, &mut structure.last(&page), &mut row);
        assert_eq!(row.len(), structure::names().len());
        row.clear();
        context.columns(1, &mut row);
        assert_eq!(row.len(), context::names().len() + declared::names().count());
        let matrix = matrix(&page, &Lexicon::default());
        assert!(matrix.iter().all(|v| v.is_finite()));
        let column = |name: &str| names().iter().position(|n| n == name).unwrap();
        assert_eq!(matrix[[0, column("is_h1")]], 1.0);
        assert_eq!(matrix[[0, column("is_title_block")]], 1.0);
        assert_eq!(matrix[[1, column("is_p")]], 1.0);
        assert_eq!(matrix[[1, column("named_body")]], 0.5);
    }

    #[test]
    fn names_are_unique() {
        let mut sorted: Vec<_> = names().to_vec();
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted.len(), names().len());
    }
}
