//! What a block of a page is: the article's body, or which kind of chrome.

use serde::{Deserialize, Serialize};

/// The role of a block on its page.
///
/// The names in files and on the command line are the lower-case words of [`Label::name`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Label {
    /// The article's own text: lead, paragraphs, subheadings, its lists, tables and quotes.
    Body,
    /// The title of the article.
    Headline,
    /// Byline, date, source, tags, author biography.
    Meta,
    /// Captions and credits of images and videos.
    Caption,
    /// Teasers, read-also boxes, most-read lists.
    Related,
    /// Reader comments with their names, dates and buttons.
    Comment,
    /// Currency and weather tables, polls, prices, scores.
    Widget,
    /// Menus, breadcrumbs, share bars, footers, forms, legal text, advertising.
    Nav,
}

impl Label {
    /// How many labels there are.
    pub const COUNT: usize = 8;

    /// All labels, in the order of their numbers ([`Label::index`]).
    pub const ALL: [Label; Self::COUNT] = [
        Label::Body,
        Label::Headline,
        Label::Meta,
        Label::Caption,
        Label::Related,
        Label::Comment,
        Label::Widget,
        Label::Nav,
    ];

    /// The label's name in files and flags.
    pub fn name(self) -> &'static str {
        match self {
            Label::Body => "body",
            Label::Headline => "headline",
            Label::Meta => "meta",
            Label::Caption => "caption",
            Label::Related => "related",
            Label::Comment => "comment",
            Label::Widget => "widget",
            Label::Nav => "nav",
        }
    }

    /// The label's place in [`Label::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }
}

/// What a model says of one block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Labelled {
    /// The block's label.
    pub label: Label,
    /// The probability of that label, 0 to 1.
    pub p: f32,
    /// The probability that the block is the article's body, 0 to 1.
    pub body: f32,
}

impl std::fmt::Display for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// A word that names no label.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{}; labels are body, headline, meta, caption, related, comment, widget, nav", match .0.trim() {
    "" => "no label is named".to_owned(),
    word => format!("'{word}' is not a label"),
})]
pub struct UnknownLabel(pub String);

impl std::str::FromStr for Label {
    type Err = UnknownLabel;

    fn from_str(name: &str) -> Result<Self, UnknownLabel> {
        Label::ALL
            .into_iter()
            .find(|label| label.name().eq_ignore_ascii_case(name.trim()))
            .ok_or_else(|| UnknownLabel(name.to_owned()))
    }
}

/// A set of labels, such as those to keep in the extracted text. One without labels is shown as nothing and is not parsed:
/// where labels are to be named, none is a mistake.
///
/// ```
/// use lubb::{Label, LabelSet};
/// let keep: LabelSet = "body,headline".parse()?;
/// assert!(keep.contains(Label::Headline) && !keep.contains(Label::Nav));
/// assert_eq!(keep, LabelSet::from([Label::Headline, Label::Body]));
/// assert_eq!(keep.iter().next(), Some(Label::Body));
/// assert_eq!(keep.to_string(), "body,headline");
/// # Ok::<(), lubb::UnknownLabel>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LabelSet(u8);

impl LabelSet {
    /// The default: the article's body alone.
    pub const BODY: LabelSet = LabelSet(1);

    /// All labels.
    pub const ALL: LabelSet = LabelSet(u8::MAX);

    /// Whether `label` is in the set.
    pub fn contains(self, label: Label) -> bool {
        self.0 & (1 << label as u8) != 0
    }

    /// The labels in the set, in the order of [`Label::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Label> {
        Label::ALL.into_iter().filter(move |label| self.contains(*label))
    }
}

impl<const N: usize> From<[Label; N]> for LabelSet {
    fn from(labels: [Label; N]) -> Self {
        labels.into_iter().collect()
    }
}

impl From<Label> for LabelSet {
    fn from(label: Label) -> Self {
        [label].into()
    }
}

/// As it is parsed: names separated by commas.
impl std::fmt::Display for LabelSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.iter().map(Label::name).collect::<Vec<_>>().join(","))
    }
}

impl std::fmt::Debug for LabelSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl FromIterator<Label> for LabelSet {
    fn from_iter<I: IntoIterator<Item = Label>>(labels: I) -> Self {
        LabelSet(labels.into_iter().fold(0, |set, label| set | 1 << label as u8))
    }
}

impl Default for LabelSet {
    fn default() -> Self {
        LabelSet::BODY
    }
}

impl std::str::FromStr for LabelSet {
    type Err = UnknownLabel;

    fn from_str(names: &str) -> Result<Self, UnknownLabel> {
        let mut named = names.split(',').filter(|name| !name.trim().is_empty()).peekable();
        // A comma too many is no matter, but a set of no label is a mistake.
        match named.peek() {
            None => Err(UnknownLabel(String::new())),
            Some(_) => named.map(str::parse).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_read_as_it_is_shown() {
        let all = LabelSet::from(Label::ALL);
        assert_eq!(all.to_string().parse(), Ok(all));
        assert_eq!((all, LabelSet::from(Label::Body)), (LabelSet::ALL, LabelSet::BODY));
        assert_eq!(all.iter().collect::<Vec<_>>(), Label::ALL);
        assert_eq!("body, Nav,".parse(), Ok(LabelSet::from([Label::Nav, Label::Body])));
        assert_eq!(format!("{:?}", LabelSet::from([Label::Nav, Label::Body])), "{Body, Nav}");
        let error = |names: &str| names.parse::<LabelSet>().unwrap_err().to_string();
        assert!(error(" ,").starts_with("no label is named; labels are body"));
        assert!(error("body,bodies").starts_with("'bodies' is not a label; labels are body"));
    }
}
