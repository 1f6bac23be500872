//! The library's front door: bytes in, document out.

use crate::document::{self, Document, DocumentBlock, Labelled};
use crate::label::{Label, LabelSet};
use crate::page::{Block, Hints, Metadata, Page};

/// What to put into a document.
#[derive(Clone, Debug)]
pub struct Output {
    /// Which blocks make the text.
    pub keep: LabelSet,
    /// Whether to fill `markdown`.
    pub markdown: bool,
    /// Whether to fill `blocks`.
    pub blocks: bool,
}

impl Default for Output {
    fn default() -> Self {
        Output { keep: LabelSet::BODY, markdown: false, blocks: false }
    }
}

/// Extracts articles with one model.
#[derive(Clone, Debug, Default)]
pub struct Extractor {
    output: Output,
}

impl Extractor {
    /// Sets what documents hold.
    pub fn with_output(mut self, output: Output) -> Self {
        self.output = output;
        self
    }

    /// Extracts a page's article.
    pub fn extract(&self, bytes: &[u8], hints: &Hints) -> Document {
        self.extract_page(&Page::new(bytes, hints))
    }

    /// Labels every block of a page, in order.
    pub fn label(&self, page: &Page) -> Vec<Labelled> {
        // A stand-in until the model is wired in.
        let body = |chars: u32, links: u32| chars > 80 && links * 4 < chars;
        page.blocks
            .iter()
            .map(|b| {
                let is_body = body(b.chars, b.link_chars);
                let label = if is_body { Label::Body } else { Label::Nav };
                Labelled { label, p: 0.8, body: if is_body { 0.8 } else { 0.2 } }
            })
            .collect()
    }

    /// Extracts the article of a page that was cut before.
    pub fn extract_page(&self, page: &Page) -> Document {
        let labels = self.label(page);
        let labelled = |label: Label| page.blocks.iter().zip(&labels).filter(move |(_, l)| l.label == label);
        let kept = page.blocks.iter().zip(&labels).filter(|(_, l)| self.output.keep.contains(l.label));
        let kept: Vec<&Block> = kept.map(|(block, _)| block).collect();
        let text = document::plain_text(page, &kept);
        let markdown = self.output.markdown.then(|| document::markdown(page, &kept));
        let mut metadata = Metadata::of(page);
        let headline = labelled(Label::Headline).next().map(|(block, _)| page.text_of(block));
        metadata.complete(headline, labelled(Label::Meta).map(|(block, _)| page.text_of(block)), &text);
        let blocks = self.output.blocks.then(|| {
            let block =
                |(b, l): (_, &Labelled)| DocumentBlock { label: l.label, p: l.p, text: page.text_of(b).to_owned() };
            page.blocks.iter().zip(&labels).map(block).collect()
        });
        let Metadata { title, author, date, site_name, lang, .. } = metadata;
        Document {
            url: page.url.clone(),
            host: page.host(),
            title,
            author,
            date,
            site_name,
            lang,
            text,
            markdown,
            blocks,
            ..Document::default()
        }
    }
}
