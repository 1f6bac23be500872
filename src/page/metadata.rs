//! What a page says of itself: title, authors, date, site, language, from JSON-LD, `<meta>`, microdata and `<title>`.

use super::byline::{self, key, people};
use super::date::{self, Order};
use super::dom::{AttrName, Dom, NodeId, Tag};
use super::jsonld::JsonLd;
use super::{Page, language, segment};

/// Caps on lengths, in characters.
const MAX_TITLE: usize = 500;
const MAX_SITE: usize = 120;
const MAX_DESCRIPTION: usize = 2000;
/// What sets a site's name off from a title.
const SEPARATORS: [&str; 12] = [" | ", " - ", " – ", " — ", " :: ", " « ", " » ", " · ", " • ", " ‹ ", " › ", "|"];

/// What is known of a page besides its blocks. Texts are without markup, entities and surplus white space.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The article's title without the site's name.
    pub title: Option<String>,
    /// The authors, separated by `; `.
    pub author: Option<String>,
    /// When it was published, in ISO 8601: a date, or a date and time with the offset where it is given.
    pub date: Option<String>,
    /// The name of the site.
    pub site_name: Option<String>,
    /// The language as a BCP 47 tag.
    pub lang: Option<String>,
    /// The summary written for search engines.
    pub description: Option<String>,
    /// The article's text where JSON-LD holds it, in lines.
    pub json_ld_body: Option<String>,
}

impl Metadata {
    /// Reads what a page declares. Flattened text declares nothing; its fields stay empty until
    /// [`complete`](Metadata::complete).
    ///
    /// ```
    /// use lubb::page::{Metadata, Page};
    /// let page = Page::from_html(
    ///     "<html lang=ar><title>عنوان الخبر | الصحيفة</title><meta property=og:site_name content=الصحيفة>
    ///      <meta property=article:published_time content='2024-03-05T14:30:00+02:00'>",
    /// );
    /// let metadata = Metadata::of(&page);
    /// assert_eq!(metadata.title.as_deref(), Some("عنوان الخبر"));
    /// assert_eq!(metadata.date.as_deref(), Some("2024-03-05T14:30:00+02:00"));
    /// ```
    pub fn of(page: &Page) -> Metadata {
        if page.dom.is_empty() {
            return Metadata::default();
        }
        let said = Said::of(&page.dom);
        let json_ld = JsonLd::of(&page.dom);
        let host = page.host();
        let titles = [said.document_title.as_deref(), said.meta.title.get()];
        let known: Vec<String> =
            titles.into_iter().flatten().chain(said.h1s.iter().map(String::as_str)).map(key).collect();
        let article = json_ld.article(|name| {
            let name = key(&clean(name));
            !name.is_empty() && known.iter().any(|title| title.contains(&name))
        });
        let article = article.as_ref();

        let site_name = said.meta.site.get().map(str::to_owned).or_else(|| article?.publisher().map(|p| clean(&p)));
        let sites: Vec<&str> = site_name.as_deref().into_iter().chain(host.as_deref()).collect();
        let lang = said.lang.or(said.meta.lang.into_inner().and_then(|lang| language::tag(&lang)));
        let lang = lang.or_else(|| language::tag(&article?.text(&["inLanguage"])?));
        let order = order_of(lang.as_deref(), host.as_deref());

        let headline = article.and_then(|a| a.text(&["headline", "name"])).map(|title| clean(&title));
        let bare = |title: &str| without_site(title, &sites, &known);
        let is_site = |title: &str| sites.iter().any(|site| key(site) == key(title));
        let declared = headline.as_deref().into_iter().chain(said.meta.title.get()).chain(said.microdata.title.get());
        let declared: Vec<String> = declared.chain(said.document_title.as_deref()).map(bare).collect();
        // Declared titles are often written for search engines and short; the headline that the reader sees is the
        // <h1>, if it shares its words with one of them.
        let mut shown: Option<(String, f32)> = None;
        for h1 in said.h1s.iter().map(|h1| bare(h1)).filter(|h1| !is_site(h1)) {
            let shared = declared.iter().map(|title| likeness(&h1, title)).fold(0.0, f32::max);
            if shared >= 0.5 && shown.as_ref().is_none_or(|(_, other)| shared > *other) {
                // A section's name in front of the headline: the declared title is without it.
                let kicker = declared.iter().find(|t| key(t).len() > 20 && key(&h1).ends_with(&key(t)));
                shown = Some((kicker.cloned().unwrap_or(h1), shared));
            }
        }
        let titles = shown.map(|(h1, _)| h1).into_iter().chain(declared).chain(said.h1s.first().cloned());
        let title = { titles }.find(|title| !title.is_empty() && !is_site(title));

        let author = article.and_then(|a| {
            people(a.authors().into_iter().map(clean).collect::<Vec<_>>().iter().map(String::as_str), &sites)
        });
        let author = author.or_else(|| people(said.meta.authors.iter().map(String::as_str), &sites));
        let author = author.or_else(|| people(said.microdata.authors.iter().map(String::as_str), &sites));

        let date = article.and_then(|a| a.text(&["datePublished", "dateCreated", "uploadDate"]));
        let date = date.and_then(|d| date::parse(&d, order));
        let date = date.or_else(|| date::parse(said.meta.date.get()?, order));
        let date = date.or_else(|| date::parse(said.microdata.date.get()?, order));
        let date = date.or_else(|| {
            let mut texts: Vec<_> = said.near_dates.iter().collect();
            texts.sort_by_key(|(rank, _)| *rank);
            texts.into_iter().find_map(|(_, text)| date::find(text, order))
        });
        let date = date.or_else(|| page.url.as_deref().and_then(date_in_address));

        let description =
            said.meta.description.into_inner().or_else(|| article?.text(&["description"]).map(|d| clean(&d)));
        Metadata {
            title: title.map(|title| cap(title, MAX_TITLE)),
            author,
            date,
            site_name: site_name.map(|site| cap(site, MAX_SITE)).filter(|site| !site.is_empty()),
            lang,
            description: description.map(|d| cap(d, MAX_DESCRIPTION)),
            json_ld_body: article.and_then(|a| a.text(&["articleBody", "text"])).map(|body| lines(&body)),
        }
    }

    /// Fills what the page did not declare from its blocks: `headline` is the text of the block labelled so,
    /// `meta_blocks` those of the blocks labelled meta, `text` is the article's, for its language.
    pub fn complete<'a>(&mut self, headline: Option<&str>, meta_blocks: impl Iterator<Item = &'a str>, text: &str) {
        self.lang = language::of_text(self.lang.as_deref(), text);
        if self.title.is_none() {
            self.title = headline.map(|title| cap(squeeze(title), MAX_TITLE)).filter(|title| !title.is_empty());
        }
        let order = order_of(self.lang.as_deref(), None);
        let sites: Vec<&str> = self.site_name.as_deref().into_iter().collect();
        for block in meta_blocks {
            if self.author.is_none() {
                self.author = block.lines().filter_map(byline::byline).find_map(|names| people([names], &sites));
            }
            if self.date.is_none() {
                self.date = date::find(block, order);
            }
        }
    }
}

/// A text with a rank; the first of the lowest rank stays.
#[derive(Debug, Default)]
struct Best(Option<(usize, String)>);

impl Best {
    fn offer(&mut self, rank: usize, text: &str) {
        if self.0.as_ref().is_none_or(|(other, _)| rank < *other) {
            let text = clean(text);
            if !text.is_empty() {
                self.0 = Some((rank, text));
            }
        }
    }

    fn get(&self) -> Option<&str> {
        self.0.as_ref().map(|(_, text)| text.as_str())
    }

    fn into_inner(self) -> Option<String> {
        self.0.map(|(_, text)| text)
    }
}

/// What one way of marking up says.
#[derive(Debug, Default)]
struct Fields {
    title: Best,
    authors: Vec<String>,
    /// The rank of the names in `authors`.
    author_rank: usize,
    /// Where the last of them stands.
    author_at: NodeId,
    date: Best,
    site: Best,
    lang: Best,
    description: Best,
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
struct Said {
    meta: Fields,
    /// Microdata, `<time>` and `rel=author`.
    microdata: Fields,
    /// Texts that may be or hold the date, with a rank.
    near_dates: Vec<(usize, String)>,
    document_title: Option<String>,
    /// The first few `<h1>` with text.
    h1s: Vec<String>,
    lang: Option<String>,
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
    fn of(dom: &Dom) -> Said {
        let mut said = Said::default();
        // The byline and the date stand near the headline; other <time>s are of other articles.
        let mut since_h1 = None;
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
                    said.document_title = Some(clean(&dom.inner_text(node))).filter(|title| !title.is_empty());
                }
                Tag::H1 => {
                    let text = squeeze(&visible(dom, node));
                    if said.h1s.len() < 5 && !text.is_empty() {
                        said.h1s.push(text);
                    }
                    since_h1 = Some(node);
                }
                Tag::Time => said.time(dom, node, since_h1),
                Tag::A if dom.attr(node, AttrName::Rel).is_some_and(|rel| has_word(rel, "author")) => {
                    said.microdata.author(1, &visible(dom, node), node);
                }
                _ => said.by_class(dom, node, since_h1),
            }
            if let Some(property) = dom.attr(node, AttrName::Itemprop) {
                said.microdata(dom, node, property);
            }
        }
        said
    }

    fn meta(&mut self, dom: &Dom, node: NodeId) {
        let Some(content) = dom.attr(node, AttrName::Content).filter(|content| !content.trim().is_empty()) else {
            return;
        };
        for name in [AttrName::Property, AttrName::Name, AttrName::HttpEquiv] {
            let Some(name) = dom.attr(node, name).map(|name| name.trim().to_ascii_lowercase()) else { continue };
            let rank = |names: &[&str]| names.iter().position(|known| *known == name);
            if let Some(rank) = rank(TITLES) {
                self.meta.title.offer(rank, content);
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

    fn microdata(&mut self, dom: &Dom, node: NodeId, property: &str) {
        let value = || match dom.attr(node, AttrName::Content).or_else(|| dom.attr(node, AttrName::Datetime)) {
            Some(value) => value.to_owned(),
            None => visible(dom, node),
        };
        for property in property.split_whitespace() {
            match property {
                "headline" => self.microdata.title.offer(0, &value()),
                "datePublished" => self.microdata.date.offer(0, &value()),
                "dateCreated" => self.microdata.date.offer(1, &value()),
                "author" | "creator" => {
                    let name = (node + 1..dom.end(node))
                        .find(|&inner| dom.attr(inner, AttrName::Itemprop).is_some_and(|p| has_word(p, "name")));
                    let name = name.map(|inner| match dom.attr(inner, AttrName::Content) {
                        Some(name) => name.to_owned(),
                        None => visible(dom, inner),
                    });
                    self.microdata.author(0, &name.unwrap_or_else(value), node);
                }
                _ => {}
            }
        }
    }

    /// Bylines and dates that only their class names mark.
    fn by_class(&mut self, dom: &Dom, node: NodeId, since_h1: Option<NodeId>) {
        const MAX_NODES: NodeId = 30;
        let near = since_h1.is_none_or(|h1| node - h1 < NEAR);
        let Some(class) = dom.attr(node, AttrName::Class).filter(|_| near && dom.end(node) - node <= MAX_NODES) else {
            return;
        };
        let class = class.to_ascii_lowercase();
        let before = 4 * usize::from(since_h1.is_none());
        if ["date", "publish", "posted", "time", "byline", "meta"].iter().any(|word| class.contains(word))
            && !["update", "modified", "comment", "candidate", "related", "read"]
                .iter()
                .any(|word| class.contains(word))
        {
            let text = visible(dom, node);
            if text.chars().count() < 120 && text.chars().any(char::is_numeric) {
                self.near_dates.push((before, clean(&text)));
            }
        }
        let other = ["bio", "image", "avatar", "comment", "related", "social", "desc", "title", "authori"];
        let author = class.contains("author") && !other.iter().any(|word| class.contains(word));
        if author || class.contains("byline") {
            let text = squeeze(&visible(dom, node));
            // A class may stand at the name alone, or around the whole byline with date and buttons.
            let name = byline::byline(&text).map(str::to_owned).or_else(|| {
                let alone = author && (2..=4).contains(&text.split_whitespace().count());
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
            None => self.microdata.date.offer(rank, &visible(dom, node)),
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
fn visible(dom: &Dom, node: NodeId) -> String {
    let mut text = String::new();
    let mut at = node + 1;
    while at < dom.end(node) && text.len() < 2 * MAX_TITLE {
        if dom.tag(at).display() == super::dom::Display::Hidden {
            at = dom.end(at);
            continue;
        }
        if dom.tag(at) == Tag::Br || dom.tag(at).display() == super::dom::Display::Block {
            text.push(' ');
        }
        text.push_str(dom.text(at));
        at += 1;
    }
    text
}

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A value as text: many are escaped twice or hold markup.
fn clean(value: &str) -> String {
    let escaped = value.contains('&') && value.contains(';');
    let marked_up = value.contains('<') && value.contains('>');
    let text = if escaped || marked_up { lines(value) } else { value.to_owned() };
    let text: String = text.chars().filter(|c| !c.is_control() || c.is_whitespace()).collect();
    squeeze(&text)
}

/// The texts of a value that may hold markup, a line a block.
fn lines(value: &str) -> String {
    if !value.contains(['&', '<']) {
        return value.trim().to_owned();
    }
    let (_, text) = segment::segment(&Dom::parse(value));
    text.trim_end().to_owned()
}

fn cap(text: String, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((end, _)) => text[..end].to_owned(),
        None => text,
    }
}

/// A title without the site's name before or after it: parts that are one of `sites`, or whatever follows or goes
/// before a part that is a title by itself elsewhere on the page (`known`, as keys).
fn without_site(title: &str, sites: &[&str], known: &[String]) -> String {
    let is_site = |words: &str| {
        let part = key(words);
        let host = |site: &str| site.contains('.') && site.split('.').any(|label| named_for(label, &part, words));
        sites.iter().any(|site| key(site) == part || host(site)) || part.is_empty()
    };
    let mut title = title.trim();
    'cut: loop {
        for separator in SEPARATORS {
            if let Some((head, tail)) = title.rsplit_once(separator)
                && !head.trim().is_empty()
                && (is_site(tail) || known.contains(&key(head)) && tail.chars().count() <= head.chars().count().max(30))
            {
                title = head.trim();
                continue 'cut;
            }
            if let Some((head, tail)) = title.split_once(separator)
                && !tail.trim().is_empty()
                && is_site(head)
            {
                title = tail.trim();
                continue 'cut;
            }
        }
        return title.to_owned();
    }
}

/// Whether a part of a title is the name that the label of a host stands for: `Raspberry Pi Forums` for
/// `raspberrypi`, `Farm Bureau Financial Services` for `fbfs`.
fn named_for(label: &str, part: &str, words: &str) -> bool {
    const COMMON: [&str; 8] = ["news", "blog", "blogs", "forum", "forums", "shop", "store", "info"];
    let label = key(label);
    if label.len() < 4 || COMMON.contains(&label.as_str()) {
        return label == *part;
    }
    let initials: String =
        words.split_whitespace().filter_map(|word| word.chars().next()).flat_map(char::to_lowercase).collect();
    words.len() <= 40 && (part.contains(&label) || initials == label)
}

/// How far a shown headline is the same as a declared title: the share of the words of the shorter that the longer
/// has too; a few words are only like a longer title if it begins with them, else they may name its section.
fn likeness(h1: &str, title: &str) -> f32 {
    let words = |title: &str| title.split_whitespace().map(key).filter(|word| !word.is_empty()).collect::<Vec<_>>();
    let (mut few, mut many) = (words(h1), words(title));
    if few.len() > many.len() {
        std::mem::swap(&mut few, &mut many);
    }
    if few.is_empty() || few.len() < 3 && many.len() > 2 * few.len() && !many.starts_with(&few) {
        return 0.0;
    }
    few.iter().filter(|word| many.contains(word)).count() as f32 / few.len() as f32
}

/// The United States put the month first; English without a country, on a site of no country, is taken for theirs.
fn order_of(lang: Option<&str>, host: Option<&str>) -> Order {
    let international =
        || host.is_some_and(|h| [".com", ".org", ".net", ".edu", ".gov"].iter().any(|end| h.ends_with(end)));
    match lang {
        Some("en-US") => Order::MonthFirst,
        Some("en") if international() => Order::MonthFirst,
        _ => Order::DayFirst,
    }
}

/// The date in an address such as `/2024/03/05/title`.
fn date_in_address(address: &str) -> Option<String> {
    let path = address.split_once("://").map_or(address, |(_, rest)| rest);
    let path = path.split(['?', '#']).next()?;
    let bytes = path.as_bytes();
    (0..bytes.len()).find_map(|at| {
        let starts =
            at > 0 && !bytes[at - 1].is_ascii_digit() && matches!(bytes[at..], [b'1' | b'2', _, _, _, b'/' | b'-', ..]);
        if !starts {
            return None;
        }
        let part = path.get(at..)?;
        let length = part.bytes().take_while(|b| b.is_ascii_digit() || matches!(b, b'/' | b'-')).count();
        date::parse(part[..length].trim_end_matches(['/', '-']), Order::DayFirst)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(html: &str) -> Metadata {
        let mut page = Page::from_html(html);
        page.url = Some("https://www.sahifa.example/2023/11/07/khabar".to_owned());
        Metadata::of(&page)
    }

    #[test]
    fn json_ld_comes_before_meta_and_microdata() {
        let m = of(
            r#"<html lang="ar"><script type="application/ld+json">{"@type":"NewsArticle","headline":"عنوان &amp; آخر",
            "datePublished":"2024-03-05T10:00:00+03:00","author":{"@type":"Person","name":"بقلم: ليلى حداد"},
            "publisher":{"name":"الصحيفة"},"articleBody":"<p>فقرة.</p><p>ثانية.</p>"}</script>
            <meta name="author" content="admin"><meta property="og:title" content="غيره">
            <h1 itemprop="headline">ثالث</h1><time datetime="2020-01-01">"#,
        );
        assert_eq!(m.title.as_deref(), Some("عنوان & آخر"));
        assert_eq!(m.date.as_deref(), Some("2024-03-05T10:00:00+03:00"));
        assert_eq!(m.author.as_deref(), Some("ليلى حداد"));
        assert_eq!(m.site_name.as_deref(), Some("الصحيفة"));
        assert_eq!(m.json_ld_body.as_deref(), Some("فقرة.\nثانية."));
    }

    #[test]
    fn microdata_and_time_serve_where_nothing_else_does() {
        let m = of(r#"<title>الخبر كله - الصحيفة</title><time datetime="2021-01-01"></time><h1>الخبر كله</h1>
            <span itemprop="author" itemscope>كتب <b itemprop="name">سمير عطا</b> المحرر</span>
            <time class="updated" datetime="2024-06-01"></time><time>٥ مارس ٢٠٢٤ - ١٤:٣٠</time>"#);
        assert_eq!(m.title.as_deref(), Some("الخبر كله"));
        assert_eq!(m.author.as_deref(), Some("سمير عطا"));
        assert_eq!(m.date.as_deref(), Some("2024-03-05T14:30:00"));
        assert_eq!(of("<p>لا شيء</p>").date.as_deref(), Some("2023-11-07"), "from the address");
    }

    #[test]
    fn only_the_sites_name_is_cut_off_a_title() {
        let title = |title: &str, rest: &str| of(&format!("<title>{title}</title>{rest}")).title.unwrap_or_default();
        let site = "<meta property=og:site_name content='The Example'>";
        assert_eq!(title("A - B story | The Example", site), "A - B story");
        assert_eq!(title("The Example :: A story", site), "A story");
        assert_eq!(title("A - B story", site), "A - B story");
        assert_eq!(title("خبر « سحيفة", "<h1>خبر</h1>"), "خبر");
        assert_eq!(title("A story | Sahifa", ""), "A story", "the host's name");
    }

    #[test]
    fn languages_from_the_page_then_from_the_text() {
        assert_eq!(of("<html lang=ar_EG>").lang.as_deref(), Some("ar-EG"));
        assert_eq!(of("<meta property=og:locale content=fa_IR>").lang.as_deref(), Some("fa-IR"));
        assert_eq!(of("<html lang=''><meta http-equiv=content-language content='fr, en'>").lang.as_deref(), Some("fr"));
    }

    #[test]
    fn blocks_fill_what_the_page_left_out() {
        let mut m = Metadata::of(&Page::from_text("نص"));
        m.complete(Some("العنوان"), ["12 ألف مشاهدة", "كتبت: ليلى حداد", "الثلاثاء 5 مارس 2024"].into_iter(), "");
        assert_eq!(m.title.as_deref(), Some("العنوان"));
        assert_eq!(m.author.as_deref(), Some("ليلى حداد"));
        assert_eq!(m.date.as_deref(), Some("2024-03-05"));
    }
}
