//! The library's front door: bytes in, document out.

use std::sync::Arc;

use crate::document::{self, Document, DocumentBlock};
use crate::label::{Label, LabelSet};
use crate::model::{Favor, Labels, Model};
use crate::page::dom::Tag;
use crate::page::metadata::text_apart;
use crate::page::{Block, Elsewhere, Hints, Input, Metadata, Page, check, host_of};

/// What to put into a document.
#[derive(Clone, Debug)]
pub struct Output {
    /// Which blocks make the text.
    pub keep: LabelSet,
    /// Whether to fill `markdown`.
    pub markdown: bool,
    /// Whether to fill `blocks`.
    pub blocks: bool,
    /// Whether chrome in the text or gaps in it are worse.
    pub favor: Favor,
}

impl Default for Output {
    fn default() -> Self {
        Output { keep: LabelSet::BODY, markdown: false, blocks: false, favor: Favor::Balance }
    }
}

/// Flattened text came to a model that was trained for web pages only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the model is for web pages only, not for flattened text: use the default one, or one trained on flattened text too \
     (with the program, train without --no-flat)"
)]
pub struct NoFlatModel;

/// Extracts articles with one model; cheap to clone, and one serves all threads.
///
/// ```
/// use lubb::{Extractor, Hints};
/// let html = std::fs::read("data/labelled/ar-gulf-portal.html")?;
/// let document = Extractor::default().extract(&html, &Hints::default());
/// assert_eq!(document.lang.as_deref(), Some("ar"));
/// assert!(document.text.len() > 1000 && document.error.is_none());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Extractor {
    model: Arc<Model>,
    output: Output,
}

impl Default for Extractor {
    /// The embedded model, and the article's body as the text.
    fn default() -> Self {
        Extractor::new(Model::embedded())
    }
}

impl Extractor {
    /// An extractor with a model of one's own, as [`Model::read`] gives it.
    pub fn new(model: Arc<Model>) -> Self {
        Extractor { model, output: Output::default() }
    }

    /// Sets what documents hold.
    pub fn with_output(mut self, output: Output) -> Self {
        self.output = output;
        self
    }

    /// Extracts a page's article.
    ///
    /// ```
    /// use lubb::{Extractor, Hints, Output};
    /// let page = b"<html><head><title>T</title></head><body><p>Text</p></body></html>";
    /// let output = Output { keep: "body,headline".parse()?, markdown: true, blocks: true, ..Output::default() };
    /// let hints = Hints { url: Some("https://www.example.org/a".into()), ..Hints::default() };
    /// let document = Extractor::default().with_output(output).extract(page, &hints);
    /// assert_eq!(document.host.as_deref(), Some("example.org"));
    /// assert_eq!(document.blocks.map(|blocks| blocks.len()), Some(1));
    /// # Ok::<(), lubb::UnknownLabel>(())
    /// ```
    ///
    /// What is [no page](crate::page::check) gives a document with an error.
    pub fn extract(&self, bytes: &[u8], hints: &Hints) -> Document {
        match check(bytes) {
            Ok(()) => self.extract_page(&Page::new(bytes, hints)),
            Err(error) => {
                let host = hints.url.as_deref().and_then(host_of);
                Document { url: hints.url.clone(), host, error: Some(error.to_string()), ..Document::default() }
            }
        }
    }

    /// Labels every block of a page, in order.
    pub fn label(&self, page: &Page) -> Labels {
        self.model.label_favoring(page, self.output.favor)
    }

    /// Extracts the article of a page that was cut before. A page that was not [read to its end](Page::whole), one that
    /// [only shows others](Page::own_text), and flattened text with a model without a part for it, give a document with an error.
    pub fn extract_page(&self, page: &Page) -> Document {
        let errors = [
            page.whole().map_err(|e| e.to_string()),
            page.own_text().map_err(|e| e.to_string()),
            serves(&self.model, page).map_err(|e| e.to_string()),
        ];
        if let Some(error) = errors.into_iter().find_map(Result::err) {
            return Document { url: page.url.clone(), host: page.host(), error: Some(error), ..Document::default() };
        }
        let labels = self.label(page);
        let kept = page.blocks.iter().zip(&labels.blocks).filter(|(_, l)| self.output.keep.contains(l.label));
        let kept: Vec<&Block> = kept.map(|(block, _)| block).collect();
        let text = document::plain_text(page, &kept);
        let markdown = self.output.markdown.then(|| document::markdown(page, &kept));
        let metadata = metadata(page, &labels, &text);
        let blocks = self.output.blocks.then(|| {
            let all = page.blocks.iter().zip(&labels.blocks);
            all.map(|(b, l)| DocumentBlock { label: l.label, p: l.p, text: page.text_of(b).to_owned() }).collect()
        });
        let Metadata { title, author, date, site_name, lang, .. } = metadata;
        // A page that was saved without its address mostly says it itself.
        let url = page.address();
        Document {
            url: url.map(str::to_owned),
            host: url.and_then(host_of),
            title,
            author,
            date,
            site_name,
            lang,
            text,
            markdown,
            score: labels.score,
            blocks,
            ..Document::default()
        }
    }
}

/// What a page says of itself, and of what it does not say what its blocks do.
fn metadata(page: &Page, labels: &Labels, text: &str) -> Metadata {
    let meta = page.blocks.iter().zip(&labels.blocks).filter(|(_, l)| l.label == Label::Meta).map(|(block, _)| block);
    let mut elsewhere = Elsewhere::of(&page.dom);
    let meta = meta.filter(|block| page.input() == Input::Text || !elsewhere.holds(block.element));
    let mut metadata = Metadata::of(page);
    metadata.complete(headline(page, labels), meta.map(|block| text_apart(page, block)), text);
    metadata
}

/// The surest headline; where the model found none, the heading that the article begins with or that stands before it.
fn headline<'a>(page: &'a Page, labels: &Labels) -> Option<&'a str> {
    let blocks = || page.blocks.iter().zip(&labels.blocks);
    let headlines = blocks().filter(|(_, l)| l.label == Label::Headline);
    // Of equally sure ones the first.
    let surest = headlines.reduce(|best, other| if other.1.p > best.1.p { other } else { best });
    let heading = || {
        let body = labels.body().next()?;
        let mut near = page.blocks[body.saturating_sub(1)..=body].iter().rev();
        near.find(|block| matches!(page.dom.tag(block.element), Tag::H1 | Tag::H2 | Tag::H3))
    };
    surest.map(|(block, _)| block).or_else(heading).map(|block| page.text_of(block))
}

/// Whether a model can label a page.
///
/// # Errors
/// If the page is flattened text and the model was trained without such.
pub fn serves(model: &Model, page: &Page) -> Result<(), NoFlatModel> {
    if page.input() == Input::Text && !model.has_flat() { Err(NoFlatModel) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::Labelled;

    /// What is known of a page whose blocks have these labels, each surer than the one before.
    fn of(html: &str, labels: &[Label]) -> Metadata {
        let page = Page::from_html(html);
        let blocks = labels.iter().zip(1..).map(|(label, n)| Labelled { label: *label, p: n as f32 / 10.0, body: 0.0 });
        let labels = Labels { blocks: blocks.collect(), score: 1.0 };
        assert_eq!(labels.blocks.len(), page.blocks.len());
        metadata(&page, &labels, "")
    }

    #[test]
    fn the_heading_of_the_article_is_its_title_where_nothing_better_is() {
        let title = |head: &str, labels: &[Label]| {
            let html = format!("{head}<h2>The old bridge will be rebuilt soon</h2><p>One.</p><h2>Two</h2>");
            of(&html, labels).title.unwrap_or_default()
        };
        use Label::{Body, Headline, Nav};
        let heading = "The old bridge will be rebuilt soon";
        assert_eq!(title("<title>Untitled Document</title>", &[Body, Body, Nav]), heading);
        assert_eq!(title("<title>The Gazette</title>", &[Nav, Body, Nav]), heading);
        assert_eq!(
            title("<title>A town gets its bridge back</title>", &[Body, Body, Nav]),
            "A town gets its bridge back"
        );
        assert_eq!(title("", &[Nav, Nav, Nav]), "", "no article");
        assert_eq!(title("<p>Gazette</p>", &[Headline, Headline, Body, Nav]), heading, "the surest");
    }

    #[test]
    fn the_date_of_an_embedded_post_is_not_the_pages() {
        let date = |tag: &str| {
            let html = format!("<p>One.</p><{tag}><p>A (@a) June 3, 2022</p></{tag}>");
            of(&html, &[Label::Body, Label::Meta]).date
        };
        assert_eq!(date("blockquote"), None);
        assert_eq!(date("div").as_deref(), Some("2022-06-03"));
    }
}
