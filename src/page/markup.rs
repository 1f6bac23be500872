//! What a page's elements say of it, JSON-LD aside: `<meta>`, microdata, `<time>`, headings, class names.

use std::borrow::Cow;
use std::ops::Range;

use super::byline;
use super::dom::{AttrName, Display, Dom, NodeId, Tag};
use super::elsewhere::Elsewhere;
use super::words::start_of;
use super::{invisible, language, segment};

/// How much text of an element is read, in bytes, and how many nodes; no title or name is longer.
const MAX_VISIBLE: usize = 1000;
const MAX_NODES: NodeId = 500;

/// A text with a rank; the first of the lowest rank stays.
#[derive(Debug, Default)]
pub(super) struct Best(Option<(usize, String)>);

impl Best {
    fn offer(&mut self, rank: usize, text: &str) {
        if self.0.as_ref().is_none_or(|(other, _)| rank < *other) {
            let text = clean(text);
            if !text.is_empty() {
                self.0 = Some((rank, text));
            }
        }
    }

    pub(super) fn get(&self) -> Option<&str> {
        self.0.as_ref().map(|(_, text)| text.as_str())
    }
}

/// What one way of marking up says.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) title: Best,
    pub(super) authors: Vec<String>,
    /// The rank of the names in `authors`.
    pub(super) author_rank: usize,
    /// Where the last of them stands.
    pub(super) author_at: NodeId,
    pub(super) date: Best,
    pub(super) site: Best,
    pub(super) lang: Best,
    pub(super) description: Best,
}

impl Fields {
    /// Takes an author at a node; of marked-up names only those that stand together with the first, since comments
    /// and teasers have authors too.
    fn author(&mut self, rank: usize, name: &str, node: NodeId) {
        const TOGETHER: NodeId = 60;
        if self.authors.is_empty() || rank < self.author_rank {
            self.authors.clear();
            (self.author_rank, self.author_at) = (rank, node);
        }
        if rank == self.author_rank && node - self.author_at < TOGETHER {
            self.author_at = node;
            self.authors.push(clean(name));
        }
    }
}

/// What a page's elements say, JSON-LD aside.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) meta: Fields,
    /// Microdata, `<time>` and `rel=author`.
    pub(super) microdata: Fields,
    /// Texts that may be or hold the date, and whether they stand before the headline.
    near_dates: Vec<(bool, String)>,
    pub(super) document_title: Option<String>,
    /// The first few `<h1>` with text.
    pub(super) h1s: Vec<String>,
    pub(super) lang: Option<String>,
}

/// Names of `<meta>`, best first.
const TITLES: &[&str] = &[
    "og:title",
    "twitter:title",
    "parsely-title",
    "sailthru.title",
    "citation_title",
    "dc.title",
    "dcterms.title",
    "title",
];
const AUTHORS: &[&str] = &[
    "citation_author",
    "parsely-author",
    "sailthru.author",
    "article:author",
    "author",
    "dc.creator",
    "dcterms.creator",
    "byl",
    "cxenseparse:author",
    "article:author_name",
    "og:article:author",
    "twitter:data1",
];
const DATES: &[&str] = &[
    "article:published_time",
    "og:article:published_time",
    "og:published_time",
    "parsely-pub-date",
    "sailthru.date",
    "cxenseparse:recs:publishtime",
    "citation_publication_date",
    "citation_online_date",
    "citation_date",
    "dc.date.issued",
    "dcterms.issued",
    "dcterms.created",
    "dc.date.created",
    "datepublished",
    "publishdate",
    "publish-date",
    "publish_date",
    "pubdate",
    "publication_date",
    "article_date_original",
    "date",
    "dc.date",
    "dcterms.date",
    "article.published",
    "published_time",
    "release_date",
];
const SITES: &[&str] = &["og:site_name", "application-name", "al:android:app_name", "dc.publisher"];
const LANGUAGES: &[&str] = &["content-language", "language", "dc.language", "og:locale"];
const DESCRIPTIONS: &[&str] = &["og:description", "description", "twitter:description", "dc.description"];

/// How many nodes after the headline its date and byline may stand.
const NEAR: NodeId = 150;

impl Said {
    /// Reads all elements once.
    pub(super) fn of(dom: &Dom) -> Said {
        let mut said = Said::default();
        // The byline and the date stand near the headline; other <time>s are of other articles.
        let mut since_h1 = None;
        let mut elsewhere = Elsewhere::of(dom);
        for node in 1..dom.len() as NodeId {
            let tag = dom.tag(node);
            match tag {
                Tag::Text => continue,
                Tag::Html => {
                    said.lang = dom.attr(node, AttrName::Lang).and_then(language::tag);
                    continue;
                }
                Tag::Meta => said.meta(dom, node),
                Tag::Title if said.document_title.is_none() && !dom.ancestors(node).any(|a| dom.tag(a) == Tag::Svg) => {
                    said.document_title = Some(clean(title(&dom.inner_text(node)))).filter(|title| !title.is_empty());
                }
                Tag::H1 => {
                    let text = squeeze(&visible(dom, node));
                    if said.h1s.len() < 5 && !text.is_empty() {
                        said.h1s.push(text);
                    }
                    since_h1 = Some(node);
                }
                Tag::Time => {
                    if !elsewhere.holds(node) {
                        said.time(dom, node, since_h1);
                    }
                }
                Tag::A if dom.attr(node, AttrName::Rel).is_some_and(|rel| has_word(rel, "author")) => {
                    said.microdata.author(1, &apart(dom, node), node);
                }
                _ => said.by_class(dom, node, since_h1, &mut elsewhere),
            }
            if let Some(property) = dom.attr(node, AttrName::Itemprop) {
                said.microdata(dom, node, property, &mut elsewhere);
            }
        }
        said
    }

    /// Texts that may be or hold the date, likely ones first.
    pub(super) fn near_dates(&self) -> impl Iterator<Item = &str> {
        let rank = |wanted: bool| self.near_dates.iter().filter(move |(before, _)| *before == wanted);
        rank(false).chain(rank(true)).map(|(_, text)| text.as_str())
    }

    fn meta(&mut self, dom: &Dom, node: NodeId) {
        let Some(content) = dom.attr(node, AttrName::Content).filter(|content| !content.trim().is_empty()) else {
            return;
        };
        for name in [AttrName::Property, AttrName::Name, AttrName::HttpEquiv] {
            let Some(name) = dom.attr(node, name).map(|name| name.trim().to_ascii_lowercase()) else { continue };
            let rank = |names: &[&str]| names.iter().position(|known| *known == name);
            if let Some(rank) = rank(TITLES) {
                self.meta.title.offer(rank, title(content));
            } else if let Some(rank) = rank(AUTHORS) {
                // `twitter:data1` is an author only under such a label; Yoast writes it so, names need no digits.
                if name != "twitter:data1" || !content.chars().any(char::is_numeric) {
                    let rank = if content.contains("://") { usize::MAX } else { rank };
                    let content =
                        if name == "citation_author" { first_name_first(content) } else { content.to_owned() };
                    self.meta.author(rank, &content, 0);
                }
            } else if let Some(rank) = rank(DATES) {
                self.meta.date.offer(rank, content);
            } else if let Some(rank) = rank(SITES) {
                self.meta.site.offer(rank, content);
            } else if let Some(rank) = rank(LANGUAGES) {
                self.meta.lang.offer(rank, content);
            } else if let Some(rank) = rank(DESCRIPTIONS) {
                self.meta.description.offer(rank, content);
            }
        }
    }

    fn microdata(&mut self, dom: &Dom, node: NodeId, property: &str, elsewhere: &mut Elsewhere) {
        let value = || match dom.attr(node, AttrName::Content).or_else(|| dom.attr(node, AttrName::Datetime)) {
            Some(value) => value.to_owned(),
            None => apart(dom, node),
        };
        for property in property.split_whitespace() {
            match property {
                "headline" => {
                    let shown = || visible(dom, node);
                    let headline = dom.attr(node, AttrName::Content).map_or_else(shown, str::to_owned);
                    self.microdata.title.offer(0, title(&headline));
                }
                "datePublished" | "dateCreated" | "author" | "creator" if elsewhere.holds(node) => {}
                "datePublished" => self.microdata.date.offer(0, &value()),
                "dateCreated" => self.microdata.date.offer(1, &value()),
                "author" | "creator" => {
                    let name = (node + 1..dom.end(node).min(node + MAX_NODES))
                        .find(|&inner| dom.attr(inner, AttrName::Itemprop).is_some_and(|p| has_word(p, "name")));
                    let name = name.map(|inner| match dom.attr(inner, AttrName::Content) {
                        Some(name) => name.to_owned(),
                        None => apart(dom, inner),
                    });
                    self.microdata.author(0, &name.unwrap_or_else(value), node);
                }
                _ => {}
            }
        }
    }

    /// Bylines and dates that only their class names mark.
    fn by_class(&mut self, dom: &Dom, node: NodeId, since_h1: Option<NodeId>, elsewhere: &mut Elsewhere) {
        const SMALL: NodeId = 30;
        let near = since_h1.is_none_or(|h1| node - h1 < NEAR);
        let Some(class) = dom.attr(node, AttrName::Class).filter(|_| near && dom.end(node) - node <= SMALL) else {
            return;
        };
        let class = class.to_ascii_lowercase();
        let before = 4 * usize::from(since_h1.is_none());
        if ["date", "publish", "posted", "time", "byline", "meta"].iter().any(|word| class.contains(word))
            && !["update", "modified", "comment", "candidate", "related", "read"]
                .iter()
                .any(|word| class.contains(word))
        {
            let text = apart(dom, node);
            let short = text.chars().count() < 120 && text.chars().any(char::is_numeric);
            if self.near_dates.len() < 20 && short && !elsewhere.holds(node) {
                self.near_dates.push((since_h1.is_none(), squeeze(&text)));
            }
        }
        let other = ["bio", "image", "avatar", "comment", "related", "social", "desc", "title", "authori"];
        let author = class.contains("author") && !other.iter().any(|word| class.contains(word));
        // Tools that shorten classes make `by` too, so there only a byline with its city is one.
        let by = has_word(&class, "by");
        if author || by || class.contains("byline") {
            let text = squeeze(&apart(dom, node));
            // A class may stand at the name alone, or around the whole byline with date and buttons.
            let name = byline::byline(&text).map(str::to_owned).or_else(|| {
                let person = byline::without_city(&text);
                let alone = (author || by && person != text) && (2..=4).contains(&person.split_whitespace().count());
                (alone && !text.chars().any(char::is_numeric)).then_some(text)
            });
            let rank = before + if class.contains("name") { 2 } else { 3 };
            if let Some(name) = name.filter(|_| self.microdata.authors.is_empty() || rank < self.microdata.author_rank)
            {
                self.microdata.author(rank, &name, node);
            }
        }
    }

    fn time(&mut self, dom: &Dom, node: NodeId, since_h1: Option<NodeId>) {
        let class = dom.attr(node, AttrName::Class).unwrap_or_default().to_ascii_lowercase();
        if class.contains("updated") && !class.contains("published") || class.contains("modified") {
            return;
        }
        let published = class.contains("publish") || class.contains("entry-date");
        let near = since_h1.is_some_and(|h1| node - h1 < NEAR);
        let rank = 2 + if near && published {
            0
        } else if near {
            1
        } else if published {
            2
        } else {
            3
        };
        let value = dom.attr(node, AttrName::Datetime).filter(|value| !value.trim().is_empty());
        match value {
            Some(value) => self.microdata.date.offer(rank, value),
            None => self.microdata.date.offer(rank, &apart(dom, node)),
        }
    }
}

/// Journals' metadata writes `Family, Given`.
fn first_name_first(name: &str) -> String {
    match name.split_once(',') {
        Some((family, given)) if !given.contains(',') => format!("{} {}", given.trim(), family.trim()),
        _ => name.to_owned(),
    }
}

fn has_word(list: &str, word: &str) -> bool {
    list.split_whitespace().any(|w| w.eq_ignore_ascii_case(word))
}

/// The shown text below a node, cut at a length that no title or name has.
pub(super) fn visible(dom: &Dom, node: NodeId) -> String {
    shown(dom, node + 1..dom.end(node), |_, _, _| false)
}

/// The same of an element that holds names or dates, which often stand in elements of their own that only style sets
/// apart: `<a>Ann Lee</a><time>May 3</time>`.
fn apart(dom: &Dom, node: NodeId) -> String {
    shown(dom, node + 1..dom.end(node), |text, last, next| {
        let before = text.chars().next_back();
        parts(dom, (before, last), (dom.text(next).chars().next(), next))
    })
}

/// Whether two characters that touch, the last of one text node and the first of another, are of two words all the
/// same, in what holds names or dates: elements part them. A single letter is an initial in a style of its own.
pub(super) fn parts(dom: &Dom, last: (Option<char>, NodeId), next: (Option<char>, NodeId)) -> bool {
    let joins = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let is_initial = |text: &str| {
        let mut chars = start_of(text, 16).trim().chars();
        chars.next().is_some_and(char::is_alphabetic) && chars.next().is_none()
    };
    let raised = |node| matches!(dom.tag(dom.parent(node)), Tag::Sup | Tag::Sub);
    // Comments part text nodes too, and mean nothing.
    let elements = next.1 != last.1 + 1 || dom.parent(last.1) != dom.parent(next.1);
    let words = elements && joins(last.0) && joins(next.0);
    words && !raised(last.1) && !raised(next.1) && !is_initial(dom.text(last.1))
}

/// The shown text of nodes, with a space between two of its texts where `parts` says so, of what was written so far and
/// the two text nodes.
fn shown(dom: &Dom, nodes: Range<NodeId>, parts: impl Fn(&str, NodeId, NodeId) -> bool) -> String {
    let mut text = String::new();
    let mut last = None;
    let mut at = nodes.start;
    while at < nodes.end.min(nodes.start + MAX_NODES) && text.len() < MAX_VISIBLE {
        if dom.tag(at).display() == Display::Hidden {
            at = dom.end(at);
            continue;
        }
        if dom.tag(at) == Tag::Br || dom.tag(at).display() == Display::Block {
            text.push(' ');
        }
        if !dom.text(at).is_empty() {
            if last.is_some_and(|last| parts(&text, last, at)) {
                text.push(' ');
            }
            text.push_str(start_of(dom.text(at), MAX_VISIBLE - text.len().min(MAX_VISIBLE)));
            last = Some(at);
        }
        at += 1;
    }
    text
}

/// What of a declared title is read: titles are compared with each other, and no title is longer.
pub(super) fn title(declared: &str) -> &str {
    start_of(declared, MAX_VISIBLE)
}

/// A text on one line, as it is shown.
pub(super) fn squeeze(text: &str) -> String {
    let shown: Cow<str> = match invisible::has_invisible(text) {
        true => Cow::Owned(invisible::visible(text).collect()),
        false => Cow::Borrowed(text),
    };
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A value as text: many are escaped twice or hold markup.
pub(super) fn clean(value: &str) -> String {
    let escaped = value.contains('&') && value.contains(';');
    let marked_up = value.contains('<') && value.contains('>');
    let text = if escaped || marked_up { lines(value) } else { value.to_owned() };
    let text: String = text.chars().filter(|c| !c.is_control() || c.is_whitespace()).collect();
    squeeze(&text)
}

/// The texts of a value that may hold markup, a line a block.
pub(super) fn lines(value: &str) -> String {
    if !value.contains(['&', '<']) {
        return value.trim().to_owned();
    }
    let (_, text) = segment::segment(&Dom::parse(value));
    text.trim_end().to_owned()
}
