//! Articles that are not in a page's elements but in the data that its scripts start from.
//!
//! Some sites send a page of chrome and let a script build the article from a JSON value in `<script>`: the state of
//! Next.js and the like, or JSON-LD with `articleBody`. Of about 1,950 pages of the training sets three were such. Where
//! the elements hold little prose, that value is searched for an object that has the page's own title and holds
//! paragraphs; these are then read as if they stood below the headline.
//!
//! Any long string will not do: of 60 pages with little prose, 55 have other texts in their state, such as cookie notices
//! in all languages and the descriptions of other goods.

use std::borrow::Cow;
use std::collections::HashSet;

use memchr::memmem;
use serde_json::{Map, Value};

use super::byline::key;
use super::dom::{AttrName, Dom, Tag};
use super::segment::{self, Block};

/// A block with fewer characters than this, or half of it in links, is no prose.
const PROSE_BLOCK: u32 = 80;
/// A page with this much prose has its article.
const ENOUGH_PROSE: u32 = 3_000;
/// Less than this is not worth a second reading of the page.
const LEAST_FOUND: usize = 400;
/// Longer scripts are not read; they are whole shops.
const MAX_SCRIPT: usize = 4 << 20;
/// Shorter titles may be any word of a menu, in characters; longer ones are none, in bytes.
const LEAST_TITLE: usize = 12;
const MAX_TITLE: usize = 400;

/// Words of a run that two texts are compared by.
const RUN: usize = 4;

/// What a paragraph is called in the rich text of content systems: Bloomberg, Contentful (`nodeType`), Sanity (`_type`),
/// ProseMirror, Editor.js.
const PARAGRAPHS: [&str; 9] =
    ["paragraph", "block", "p", "list-item", "listitem", "list_item", "blockquote", "quote", "text-block"];

/// Where in a page's source what of HTML is to be read besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    at: usize,
    html: String,
}

impl Recovered {
    /// The article of a page whose elements hold little prose, if its scripts have it.
    pub(super) fn find(html: &str, dom: &Dom, blocks: &[Block], text: &str) -> Option<Recovered> {
        let is_prose = |block: &&Block| block.chars >= PROSE_BLOCK && block.link_chars * 2 < block.chars;
        let shown: u32 = blocks.iter().filter(is_prose).map(|block| block.chars).sum();
        if shown >= ENOUGH_PROSE {
            return None;
        }
        let titles = titles(dom);
        let best = scripts(html)
            .filter_map(state)
            .filter_map(|state| article(&state, &titles))
            .max_by_key(|found| found.len())
            .filter(|found| found.len() >= LEAST_FOUND.max(shown as usize) && !is_shown(found, text))?;
        Some(Recovered { at: below_headline(html), html: format!("<article>{best}</article>") })
    }

    /// HTML to be read at a place in the source.
    pub(super) fn at(at: usize, html: String) -> Recovered {
        Recovered { at, html }
    }

    /// The page's source, which must be the same as it was found in, with what was found.
    pub fn join(&self, html: &str) -> String {
        let at = if html.is_char_boundary(self.at) { self.at } else { html.len() };
        let (before, after) = html.split_at(at);
        [before, &self.html, after].concat()
    }
}

/// Whether half of what was found is in the page's text already, by runs of four words.
fn is_shown(found: &str, text: &str) -> bool {
    let (_, found) = segment::segment(&Dom::parse(found));
    let words = |text: &str| text.split_whitespace().map(key).filter(|word| !word.is_empty()).collect::<Vec<_>>();
    let (found, text) = (words(&found), words(text));
    let shown: HashSet<&[String]> = text.windows(RUN).collect();
    2 * found.windows(RUN).filter(|run| shown.contains(run)).count() >= found.len().saturating_sub(RUN)
}

/// The page's titles as keys to compare: what it calls itself, also without what follows a separator, and its headlines.
/// A few of them, and no long ones, so that no page takes time squared.
fn titles(dom: &Dom) -> HashSet<String> {
    let title = dom.elements(Tag::Title).next().map(|node| dom.inner_text(node)).unwrap_or_default();
    let heads = title.match_indices([' ', '|']).map(|(at, _)| &title[..at]).take_while(|head| head.len() < MAX_TITLE);
    let is_title = |node: &u32| dom.attr(*node, AttrName::Property) == Some("og:title");
    let declared = dom.elements(Tag::Meta).filter(is_title).filter_map(|node| dom.attr(node, AttrName::Content));
    let h1s: Vec<String> = dom.elements(Tag::H1).take(3).map(|node| dom.inner_text(node)).collect();
    let all = heads.chain([title.as_str()]).chain(declared.take(3)).chain(h1s.iter().map(String::as_str));
    let all = all.filter(|title| title.len() < MAX_TITLE).map(key);
    all.filter(|title| title.chars().count() >= LEAST_TITLE).collect()
}

/// The texts of a page's scripts.
fn scripts(html: &str) -> impl Iterator<Item = &str> {
    let mut rest = html;
    let all = std::iter::from_fn(move || {
        let tag = &rest[memmem::find(rest.as_bytes(), b"<script")?..];
        let text = &tag[tag.find('>')? + 1..];
        let end = memmem::find(text.as_bytes(), b"</script")?;
        rest = &text[end..];
        Some(text[..end].trim())
    });
    all.filter(|script| (LEAST_FOUND..MAX_SCRIPT).contains(&script.len()))
}

/// The JSON value that a script is, or that it assigns to a variable first.
fn state(script: &str) -> Option<Value> {
    let names = ["articleBody", "paragraph", "\"block\"", "<p", "\\u003cp", "\\u003Cp"];
    if !names.iter().any(|name| memmem::find(script.as_bytes(), name.as_bytes()).is_some()) {
        return None;
    }
    let json = match script.starts_with(['{', '[']) {
        true => script,
        false => {
            let (variable, value) = script.split_once('=').filter(|(variable, _)| variable.len() < 80)?;
            let is_name = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_.$[]\"'".contains(c);
            Some(value.trim_start()).filter(|value| variable.chars().all(is_name) && value.starts_with(['{', '[']))?
        }
    };
    serde_json::Deserializer::from_str(json).into_iter().next()?.ok()
}

/// The paragraphs, as HTML, of the innermost object that has one of the titles and paragraphs.
fn article(value: &Value, titles: &HashSet<String>) -> Option<String> {
    let members: Vec<&Value> = match value {
        Value::Array(members) => members.iter().collect(),
        Value::Object(members) => members.values().collect(),
        _ => return None,
    };
    let inner = members.into_iter().filter_map(|member| article(member, titles)).max_by_key(String::len);
    inner.or_else(|| {
        let object = value.as_object().filter(|object| has_title(object, titles))?;
        let mut html = String::new();
        object.values().for_each(|member| paragraphs(member, &mut html));
        object.get("articleBody").and_then(Value::as_str).into_iter().for_each(|body| plain(body, &mut html));
        (html.len() >= LEAST_FOUND).then_some(html)
    })
}

fn has_title(object: &Map<String, Value>, titles: &HashSet<String>) -> bool {
    let is_title = |value: &str| value.len() < MAX_TITLE && titles.contains(&key(value));
    object.values().filter_map(Value::as_str).any(is_title)
}

/// Appends the paragraphs below a value: nodes of rich text, and strings that are HTML.
fn paragraphs(value: &Value, html: &mut String) {
    match value {
        Value::String(text) if text.len() >= 200 && (text.contains("<p>") || text.contains("<p ")) => {
            html.push_str(text)
        }
        Value::Array(members) => members.iter().for_each(|member| paragraphs(member, html)),
        Value::Object(object) => {
            let kind = ["type", "nodeType", "_type"].iter().find_map(|name| object.get(*name)?.as_str());
            let kind = kind.unwrap_or_default().to_ascii_lowercase();
            let tag = match kind.as_str() {
                kind if PARAGRAPHS.contains(&kind) => "p",
                kind if kind.starts_with("heading") => "h2",
                // Another article.
                _ if ["headline", "title"].iter().any(|name| object.get(*name).is_some_and(Value::is_string)) => return,
                _ => return object.values().for_each(|member| paragraphs(member, html)),
            };
            let mut text = String::new();
            leaves(value, &mut text);
            element(tag, &text, html);
        }
        _ => {}
    }
}

/// Appends the text of a node of rich text.
fn leaves(value: &Value, text: &mut String) {
    match value {
        Value::Array(members) => members.iter().for_each(|member| leaves(member, text)),
        Value::Object(object) => {
            for (name, member) in object {
                match member {
                    Value::String(own) if matches!(name.as_str(), "text" | "value") => text.push_str(own),
                    other => leaves(other, text),
                }
            }
        }
        _ => {}
    }
}

/// Appends a text's lines as paragraphs.
fn plain(body: &str, html: &mut String) {
    match body.contains("<p") {
        true => html.push_str(body),
        false => body.lines().for_each(|line| element("p", line, html)),
    }
}

fn element(tag: &str, text: &str, html: &mut String) {
    let text = text.trim();
    if text.is_empty() {
        return;
    }
    let escape = |c| match c {
        '<' => Cow::Borrowed("&lt;"),
        '&' => Cow::Borrowed("&amp;"),
        other => Cow::Owned(String::from(other)),
    };
    html.push_str(&format!("<{tag}>"));
    html.extend(text.chars().map(escape));
    html.push_str(&format!("</{tag}>"));
}

/// Where the article would stand: after the first `</h1>` that is no script's, else at the end of the body.
fn below_headline(html: &str) -> usize {
    let lower = html.to_ascii_lowercase();
    let find = |at: usize, what: &[u8]| memmem::find(&lower.as_bytes()[at..], what).map(|found| at + found);
    let (mut at, mut h1) = (0, find(0, b"</h1>"));
    // A script before it that has not ended there holds it.
    while let Some((place, script)) = h1.and_then(|place| Some((place, at + lower[at..place].find("<script")?))) {
        match find(script, b"</script") {
            Some(end) => at = end + "</script".len(),
            None => h1 = None,
        }
        if at > place {
            h1 = find(at, b"</h1>");
        }
    }
    let after_h1 = h1.map(|place| place + "</h1>".len());
    after_h1.or_else(|| lower.rfind("</body")).unwrap_or(html.len())
}

#[cfg(test)]
mod tests {
    use crate::page::Page;

    const SENTENCE: &str = "أعلنت البلدية أن الجسر القديم سيبقى مغلقاً أمام الشاحنات حتى نهاية الشهر المقبل على الأقل.";

    /// A page of chrome with a script.
    fn page(script: &str) -> Page {
        let head = "<title>الجسر القديم يغلق أمام الشاحنات | الخبر</title>";
        Page::from_html(&format!("<head>{head}</head><nav>الرئيسية</nav><h1>الجسر القديم</h1><p>شارك</p>{script}"))
    }

    fn texts(page: &Page) -> Vec<&str> {
        page.texts().collect()
    }

    /// Rich text of nine paragraphs, each of two nodes.
    fn rich_text() -> String {
        let node = |at: usize| {
            let text = format!(
                r#"{{"type":"text","value":"{at} < {at}0 "}},{{"type":"link","content":[{{"value":"{SENTENCE}"}}]}}"#
            );
            format!(r#"{{"type":"paragraph","content":[{text}]}}"#)
        };
        let nodes: Vec<String> = (1..=9).map(node).collect();
        format!(r#"{{"type":"document","content":[{}]}}"#, nodes.join(","))
    }

    #[test]
    fn rich_text_in_a_state_is_read_below_the_headline() {
        let state = format!(
            r#"{{"props":{{"story":{{"headline":"الجسر القديم يغلق أمام الشاحنات","body":{}}},"more":[{{"title":"آخر","body":"<p>{}</p>"}}]}}}}"#,
            rich_text(),
            SENTENCE.repeat(9)
        );
        for script in [
            format!("<script id=__NEXT_DATA__ type=application/json>{state}</script>"),
            format!("<script>window.__STATE__ = {state};</script>"),
        ] {
            let page = page(&script);
            let texts = texts(&page);
            assert_eq!(texts[..2], ["الرئيسية", "الجسر القديم"]);
            assert_eq!(texts[2], format!("1 < 10 {SENTENCE}"));
            assert_eq!((texts.len(), texts[11]), (12, "شارك"));
            assert!(page.recovered.is_some());
        }
    }

    #[test]
    fn an_article_body_and_html_in_a_state_are_read() {
        let body = SENTENCE.repeat(5);
        let html = format!("<p class=\\\"a\\\">{body}</p><p>نهاية</p>");
        for (member, expected) in [
            (format!(r#""@type":"NewsArticle","articleBody":"{body}\nنهاية""#), [&*body, "نهاية"]),
            (format!(r#""content":{{"rendered":"{html}"}}"#), [&*body, "نهاية"]),
        ] {
            let script =
                format!("<script type=application/ld+json>{{\"name\":\"الجسر القديم يغلق\",{member}}}</script>");
            assert_eq!(texts(&page(&script))[2..4], expected, "{script}");
        }
    }

    #[test]
    fn a_heading_inside_a_script_is_not_where_the_article_goes() {
        let body = format!("<h1>الجسر القديم</h1><p>{}</p>", SENTENCE.repeat(5));
        let script = format!(
            r#"<script type=application/ld+json>{{"name":"الجسر القديم يغلق","@type":"NewsArticle","articleBody":"{body}"}}</script>"#
        );
        let head = "<title>الجسر القديم يغلق أمام الشاحنات | الخبر</title>";
        let of = |rest: &str| Page::from_html(&format!("<head>{head}{script}</head>{rest}"));
        let page = of("<nav>الرئيسية</nav><h1>الجسر القديم</h1><p>شارك</p>");
        assert_eq!(texts(&page)[..2], ["الرئيسية", "الجسر القديم"]);
        assert_eq!(texts(&page)[3], SENTENCE.repeat(5));
        // Without a headline of its own: at the end.
        let page = of("<nav>الرئيسية</nav><p>شارك</p>");
        assert_eq!((texts(&page)[1], texts(&page)[3]), ("شارك", &*SENTENCE.repeat(5)));
    }

    #[test]
    fn other_texts_of_a_state_are_left() {
        let long = SENTENCE.repeat(9);
        for script in [
            // Another title, none, no JSON, too little.
            format!(r#"<script type=application/json>{{"title":"خبر آخر لا صلة له","body":"<p>{long}</p>"}}</script>"#),
            format!(r#"<script type=application/json>{{"consent":"<p>{long}</p>"}}</script>"#),
            format!(r#"<script>var a = {{"title":"الجسر القديم يغلق","body":"<p>{long}</p>"</script>"#),
            format!(r#"<script>f({{"title":"الجسر القديم يغلق","body":"<p>{long}</p>"}})</script>"#),
            r#"<script type=application/json>{"title":"الجسر القديم يغلق","body":"<p>قصير</p>"}</script>"#.to_owned(),
            "<script type=application/json>".to_owned(),
        ] {
            let page = page(&script);
            assert_eq!(texts(&page), ["الرئيسية", "الجسر القديم", "شارك"], "{script}");
            assert_eq!(page.recovered, None);
        }
    }

    #[test]
    fn an_article_that_the_page_shows_is_not_read_again() {
        let state = format!(
            r#"<script type=application/json>{{"title":"الجسر القديم يغلق","body":{}}}</script><p>{}</p>"#,
            rich_text(),
            (1..=9).map(|at| format!("{at} < {at}0 {SENTENCE} ")).collect::<String>()
        );
        assert_eq!(texts(&page(&state)).len(), 4);
    }
}
