//! The library's front door: bytes in, document out.

use std::sync::Arc;

use crate::document::{self, Document, DocumentBlock};
use crate::label::{Label, LabelSet};
use crate::model::{Favor, Labels, Model};
use crate::page::{Block, Hints, Input, Metadata, Page, check, host_of};

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
    "the model is for web pages only, not for flattened text: use the one in the program, or train without --no-flat"
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

    /// Extracts the article of a page that was cut before. A page that was not [read to its end](Page::whole), and
    /// flattened text with a model without a part for it, give a document with an error.
    pub fn extract_page(&self, page: &Page) -> Document {
        let errors = [page.whole().map_err(|e| e.to_string()), serves(&self.model, page).map_err(|e| e.to_string())];
        if let Some(error) = errors.into_iter().find_map(Result::err) {
            return Document { url: page.url.clone(), host: page.host(), error: Some(error), ..Document::default() };
        }
        let labels = self.label(page);
        let labelled = |label: Label| page.blocks.iter().zip(&labels.blocks).filter(move |(_, l)| l.label == label);
        let kept = page.blocks.iter().zip(&labels.blocks).filter(|(_, l)| self.output.keep.contains(l.label));
        let kept: Vec<&Block> = kept.map(|(block, _)| block).collect();
        let text = document::plain_text(page, &kept);
        let markdown = self.output.markdown.then(|| document::markdown(page, &kept));
        let mut metadata = Metadata::of(page);
        let headline = labelled(Label::Headline).next().map(|(block, _)| page.text_of(block));
        metadata.complete(headline, labelled(Label::Meta).map(|(block, _)| page.text_of(block)), &text);
        let blocks = self.output.blocks.then(|| {
            let all = page.blocks.iter().zip(&labels.blocks);
            all.map(|(b, l)| DocumentBlock { label: l.label, p: l.p, text: page.text_of(b).to_owned() }).collect()
        });
        let Metadata { title, author, date, site_name, lang, .. } = metadata;
        // A page that was saved without its address mostly says it itself.
        let url = page.url.as_deref().or_else(|| page.declared_url());
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

/// Whether a model can label a page.
///
/// # Errors
/// If the page is flattened text and the model was trained without such.
pub fn serves(model: &Model, page: &Page) -> Result<(), NoFlatModel> {
    if page.input() == Input::Text && !model.has_flat() { Err(NoFlatModel) } else { Ok(()) }
}
