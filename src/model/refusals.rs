//! What stands where a page should be: a wall against robots, a request to turn on JavaScript, an error, a site that is
//! down. A crawl is full of such pages, and they have no article, however much their few sentences read like one.
//!
//! A rule and no columns: the model saw hardly any, and one that was taught with a dozen (models/README.md) took short
//! articles for walls. On the 1,956 pages of the four sets that the default model learns from it takes out nothing: one
//! is a shell, whose reference is empty, and one is called by a phrase of refusal, but has a long text.

use std::sync::OnceLock;

use super::Labels;
use super::further::document_title;
use super::teasers::is_dated_article;
use crate::features::text::word_hashes;
use crate::features::wording::Phrases;
use crate::label::Label;
use crate::page::dom::{NodeId, Tag};
use crate::page::{Block, Page};

const LIST: &str = include_str!("refusals.txt");

/// More words say something of their own, whatever their page is called.
const SHORT: usize = 150;
/// No text of so many words has more bytes.
const SHORT_BYTES: usize = SHORT * 40;
/// The share of a title's words in phrases of refusal from which on the title is one.
const TITLE: f32 = 0.5;
/// The same for all words of a page.
const PAGE: f32 = 0.2;

/// What scripts are called, which says nothing but in `<noscript>`.
const SCRIPTS: &str = "javascript | java script | جافاسكريبت | الجافاسكريبت | جافا سكريبت | الجافا سكريبت | \
    جاوااسکریپت | جاوا اسکریپت | جاوا اسکرپٹ | जावास्क्रिप्ट | জাভাস্ক্রিপ্ট | 자바스크립트 | джаваскрипт | จาวาสคริปต์";

fn scripts() -> &'static Phrases {
    static SCRIPT_NAMES: OnceLock<Phrases> = OnceLock::new();
    SCRIPT_NAMES.get_or_init(|| Phrases::read(SCRIPTS))
}

fn phrases() -> &'static Phrases {
    static PHRASES: OnceLock<Phrases> = OnceLock::new();
    PHRASES.get_or_init(|| Phrases::read(LIST))
}

/// The share of some words that are in phrases of refusal.
fn refusing(words: &[u64]) -> f32 {
    phrases().held(words).1 as f32 / words.len().max(1) as f32
}

/// Takes everything out of the body of a page that is a refusal: a short text of a page that is called by a phrase of
/// refusal, or a short page that consists of such phrases to a good part or of what is said to readers without scripts,
/// or a page whose title, but for the site's name, is such a phrase, with a short text above what it offers in its stead.
pub fn drop_refusal(page: &Page, labels: &mut Labels) {
    let kept: Vec<usize> = labels.body().collect();
    if kept.is_empty() {
        return;
    }
    let is_called_one = || {
        let mut names = title_parts(page).chain(headings(page));
        names.any(|name| is_status(&name) || refusing(&word_hashes(&name)) >= TITLE)
    };
    let first_section = || {
        let next = page.blocks.iter().skip(kept[0] + 1).position(|block| is_heading(page, block));
        let end = next.map_or(page.blocks.len(), |next| kept[0] + 1 + next);
        kept.iter().take_while(move |at| **at < end).map(|at| page.text_of(&page.blocks[*at]))
    };
    // A code is not enough here: cars are called 404 and 500.
    let offers_others =
        || title_parts(page).any(|part| refusing(&word_hashes(&part)) == 1.0) && !is_dated_article(&page.dom);
    let is_one =
        || short(page.texts()).is_some_and(|blocks| refusing(&blocks.concat()) >= PAGE || is_shell(page, &blocks));
    let text = kept.iter().map(|at| page.text_of(&page.blocks[*at]));
    if short(text).is_some() && is_called_one() || is_one() || offers_others() && short(first_section()).is_some() {
        kept.iter().for_each(|at| labels.take_out(*at, Label::Nav));
        labels.score = 0.0;
    }
}

/// The words of some texts, if they are few.
fn short<'a>(texts: impl Iterator<Item = &'a str>) -> Option<Vec<Vec<u64>>> {
    let (mut words, mut count, mut bytes) = (Vec::new(), 0, 0);
    for text in texts {
        bytes += text.len();
        if bytes > SHORT_BYTES {
            return None;
        }
        words.push(word_hashes(text));
        count += words.last().map_or(0, Vec::len);
    }
    (count <= SHORT).then_some(words)
}

/// Whether half of a page's words are in `<noscript>`, which asks for scripts or refuses, or in other blocks that refuse.
fn is_shell(page: &Page, blocks: &[Vec<u64>]) -> bool {
    let in_noscript = |block: &Block| around(page, block).any(|node| page.dom.tag(node) == Tag::Noscript);
    let (without, others): (Vec<_>, Vec<_>) = page.blocks.iter().zip(blocks).partition(|(block, _)| in_noscript(block));
    let asks = without.iter().any(|(_, words)| scripts().held(words).0 > 0 || refusing(words) > 0.0);
    let refusing = others.iter().filter(|(_, words)| refusing(words) > 0.0);
    let said: usize = without.iter().chain(refusing).map(|(_, words)| words.len()).sum();
    asks && 2 * said >= blocks.iter().map(Vec::len).sum()
}

/// A block's element and those around it.
fn around<'a>(page: &'a Page, block: &Block) -> impl Iterator<Item = NodeId> + 'a {
    std::iter::once(block.element).chain(page.dom.ancestors(block.element))
}

/// The page's title in the parts that sites put together.
fn title_parts(page: &Page) -> impl Iterator<Item = String> {
    let title = document_title(&page.dom).unwrap_or_default();
    let parts = title.split(['|', '›', '»', '«', '·', '•', '–', '—']).flat_map(|part| part.split(" - "));
    parts.map(|part| part.trim().to_owned()).collect::<Vec<_>>().into_iter()
}

/// The page's larger headings.
fn headings(page: &Page) -> impl Iterator<Item = String> + '_ {
    let headings = page.blocks.iter().filter(|block| is_heading(page, block));
    headings.map(|block| page.text_of(block).trim().to_owned())
}

fn is_heading(page: &Page, block: &Block) -> bool {
    around(page, block).take(3).any(|node| matches!(page.dom.tag(node), Tag::H1 | Tag::H2))
}

/// Whether a name is the code of an HTTP error (RFC 9110, and a proxy's 52x), or begins with one and a colon.
fn is_status(name: &str) -> bool {
    let code = name.split(':').next().and_then(|code| code.trim().parse::<u16>().ok());
    code.is_some_and(|code| matches!(code, 400 | 401 | 403..=406 | 408..=410 | 429 | 451 | 500..=504 | 520..=527))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::Labelled;

    /// Whether a page of which every block was kept is left without an article.
    fn is_empty(page: &Page) -> bool {
        let kept = Labelled { label: Label::Body, p: 0.9, body: 0.9 };
        let mut labels = Labels { blocks: vec![kept; page.blocks.len()], score: 0.9 };
        drop_refusal(page, &mut labels);
        let left = labels.body().count();
        assert!(left == 0 || left == page.blocks.len());
        assert_eq!(labels.score == 0.0, left == 0);
        left == 0
    }

    fn refuses(html: &str) -> bool {
        is_empty(&Page::from_html(html))
    }

    #[test]
    fn walls_errors_and_shells_have_no_article_in_any_language() {
        for name in [
            "Just a moment...",
            "Access denied",
            "404 - Page not found",
            "502: Der Hafen antwortet nicht",
            "404",
            "تم رفض الوصول",
            "الصفحة غير موجودة",
            "الموقع قيد الصيانة",
            "Страница не найдена",
            "Zugriff verweigert",
            "ページが見つかりません",
            "页面不存在",
        ] {
            let site = "The Harbour Times of Saltmere and the Northern Islands";
            let text = "<p>This text has no phrase of the list in it, and reads like the beginning of an article.</p>"
                .repeat(3);
            assert!(refuses(&format!("<title>{site} | {name}</title>{text}")), "{name}");
            assert!(refuses(&format!("<title>{site}</title><h1>{name}</h1>{text}")), "{name}");
            assert!(!refuses(&format!("<title>{site}</title><p>{name}</p>{text}")), "{name}");
        }
        assert!(refuses("<div id=root></div><noscript>You need to enable JavaScript to run this app.</noscript>"));
        assert!(refuses(
            "<title>أخبار الميناء</title><noscript><p>يرجى تفعيل جافا سكريبت لعرض هذا الموقع على متصفحكم</p></noscript>"
        ));
        let bare =
            "<h1>Saltmere News</h1><noscript><h4>JavaScript is off</h4><p>Turn it on to read the news.</p></noscript>";
        assert!(refuses(bare));
        assert!(is_empty(&Page::from_text("Please wait\nVerify you are human to go on to the site\n")));
    }

    #[test]
    fn a_page_that_is_not_there_and_offers_others_has_no_article() {
        let teaser = "<h2>Most read</h2>".to_owned()
            + &"<p>The ferry came at noon with two thousand sheep on its deck, and nobody knew whose.</p>".repeat(20);
        let sorry = "<h1>Sorry!</h1><p>The story has moved, or it never was. Try the search.</p>";
        assert!(refuses(&format!("<title>Page not found | Ostrey Times</title>{sorry}{teaser}")));
        assert!(refuses(&format!("<title>مدار الرأي - الصفحة غير موجودة</title>{sorry}{teaser}")));
        assert!(!refuses(&format!("<title>Peugeot | 404</title>{sorry}{teaser}")));
        let dated = "<meta property='og:type' content='article'>\
                     <meta property='article:published_time' content='2024-11-01'>";
        assert!(!refuses(&format!("{dated}<title>Page not found | Ostrey Times</title>{sorry}{teaser}")));
        assert!(!refuses(&format!("<title>A page not found in any archive | Ostrey Times</title>{sorry}{teaser}")));
        assert!(!refuses(&format!("<title>Page not found</title><h1>Sorry!</h1>{}", teaser.replace("h2>", "p>"))));
    }

    #[test]
    fn articles_that_speak_of_errors_and_walls_stay() {
        let outage = "<title>Ticket site was down for an hour</title><h1>Ticket site was down for an hour</h1><p>Buyers saw \
                      a page that said \"service unavailable, please wait\" on Monday, when the sale of tickets for the \
                      lantern parade began. Two thousand people were in the queue when the server stopped answering.</p>";
        assert!(!refuses(outage));
        let lazy = "<title>The ferry is late</title><noscript><img alt=x></noscript><h1>The ferry is late</h1><p>It came at \
                    noon.</p><noscript><p>Please enable JavaScript to see comments.</p></noscript>";
        assert!(!refuses(lazy));
        assert!(!refuses(
            "<title>500 people at the lantern parade</title><p>They came in the rain, and stayed for hours.</p>"
        ));
        assert!(!refuses("<svg><title>Please wait</title></svg><h1>The ferry is late</h1><p>It came at noon.</p>"));
        let long = format!("<title>Access denied</title><p>{}</p>", "A novel of a city without doors. ".repeat(30));
        assert!(!refuses(&long));
        assert!(!refuses(
            "<title>Why I left scripts</title><p>Pages here run no JavaScript any more, and load at once.</p>"
        ));
        assert!(!refuses("<p>حذرت هيئة الموانئ من رسائل تطلب من المسافرين التحقق من حجوزاتهم عبر روابط مجهولة.</p>"));
    }

    #[test]
    fn every_phrase_can_be_found() {
        for phrase in LIST.lines().filter(|l| !l.starts_with('#')).flat_map(|l| l.split('|')).map(str::trim) {
            assert!(phrase.is_empty() || refusing(&word_hashes(phrase)) == 1.0, "{phrase}");
        }
    }
}
