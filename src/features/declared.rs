//! What a page declares about itself: title and description, `og:type`, schema.org types, address, generator. A thread
//! is to be kept with all its posts, a shop page with its description, a piece of news without either: these columns
//! tell the classifiers which kind of page they are on.

use crate::page::Page;
use crate::page::dom::{AttrName, Tag};
use crate::page::words::start_of;

use super::structure::HashedMap;
use super::text::word_hashes;

/// Schema.org types, by what they say of the page; found in JSON-LD and in `itemtype`.
const TYPES: &[(&str, &[&str])] = &[
    (
        "type_article",
        &["NewsArticle", "Article", "BlogPosting", "ReportageNewsArticle", "OpinionNewsArticle", "Report"],
    ),
    ("type_product", &["Product", "Offer", "ProductGroup", "AggregateOffer"]),
    ("type_forum", &["DiscussionForumPosting", "QAPage", "Question", "Answer", "SocialMediaPosting"]),
    ("type_list", &["ItemList", "CollectionPage", "SearchResultsPage", "OfferCatalog", "Blog"]),
    ("type_faq", &["FAQPage"]),
    ("type_recipe", &["Recipe"]),
    ("type_docs", &["TechArticle", "HowTo", "APIReference", "Course", "LearningResource"]),
    (
        "type_business",
        &["LocalBusiness", "Service", "Restaurant", "SoftwareApplication", "ProfessionalService", "Hotel"],
    ),
    ("type_event", &["Event", "JobPosting", "Place"]),
    ("type_person", &["ProfilePage", "AboutPage", "ContactPage"]),
    ("type_video", &["VideoObject", "PodcastEpisode", "ImageGallery"]),
    ("type_review", &["Review", "AggregateRating", "Comment"]),
];

/// Words of a page's address and of the classes of its `<html>` and `<body>`, by kind of page.
const KINDS: &[(&str, &[&str])] = &[
    (
        "product",
        &["product", "products", "shop", "item", "items", "dp", "store", "buy", "produkt", "producto", "produit"],
    ),
    (
        "forum",
        &[
            "forum",
            "forums",
            "thread",
            "threads",
            "topic",
            "topics",
            "question",
            "questions",
            "t",
            "viewtopic",
            "community",
            "showthread",
            "discussion",
            "discussions",
            "answers",
        ],
    ),
    (
        "list",
        &[
            "category",
            "categories",
            "collection",
            "collections",
            "tag",
            "tags",
            "archive",
            "search",
            "list",
            "listing",
            "listings",
            "best",
            "top",
            "section",
            "catalog",
            "browse",
            "directory",
            "index",
        ],
    ),
    (
        "article",
        &[
            "article", "articles", "news", "blog", "story", "stories", "post", "posts", "opinion", "press", "single",
            "magazine",
        ],
    ),
    (
        "docs",
        &[
            "docs",
            "doc",
            "documentation",
            "wiki",
            "guide",
            "guides",
            "help",
            "support",
            "reference",
            "manual",
            "learn",
            "tutorial",
            "tutorials",
            "kb",
            "api",
        ],
    ),
    (
        "service",
        &[
            "about",
            "services",
            "service",
            "solutions",
            "pricing",
            "contact",
            "company",
            "home",
            "platform",
            "features",
            "landing",
            "front",
        ],
    ),
];

/// Programs that make pages of one kind.
const GENERATORS: &[(&str, &[&str])] = &[
    ("made_by_forum", &["discourse", "phpbb", "vbulletin", "xenforo", "flarum", "invision", "smf", "mybb"]),
    ("made_by_shop", &["shopify", "woocommerce", "magento", "prestashop", "bigcommerce", "opencart"]),
    ("made_by_docs", &["docusaurus", "sphinx", "mkdocs", "gitbook", "mediawiki", "docutils", "vuepress", "readme"]),
];

const ADDRESS: &[&str] =
    &["known", "is_root", "segments", "slug_words_log", "digits", "has_year", "has_query", "ends_html"];
const OG: &[&str] = &["og_article", "og_product", "og_website", "og_other"];

/// What the page says of itself, as far as features need it.
#[derive(Default)]
pub struct Said {
    /// Word hashes of the title and of the description.
    pub title: Vec<u64>,
    pub description: Vec<u64>,
    /// Hashes of three words in a row of JSON-LD's `articleBody`, of its other texts, and of its reviews.
    pub article_body: HashedMap<()>,
    pub other_text: HashedMap<()>,
    pub reviews: HashedMap<()>,
    /// How many elements of the page have each tag.
    tags: Tags,
    og: [bool; OG.len()],
    types: [bool; TYPES.len()],
    generators: [bool; GENERATORS.len()],
    address_kinds: [bool; KINDS.len()],
    class_kinds: [bool; KINDS.len()],
    address: [f32; ADDRESS.len()],
}

/// A number for each tag.
struct Tags([u32; 256]);

impl Default for Tags {
    fn default() -> Self {
        Tags([0; 256])
    }
}

/// A hash for every three words in a row.
pub fn three_in_a_row(hashes: &[u64]) -> impl Iterator<Item = u64> + '_ {
    hashes.windows(3).map(|w| w[0].rotate_left(21) ^ w[1].rotate_left(42) ^ w[2])
}

/// Calls `each` with the words of an address or class list, in lower case.
fn words(text: &str, mut each: impl FnMut(&str)) {
    for word in text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty() && w.len() <= 20) {
        each(&word.to_ascii_lowercase());
    }
}

fn mark<const N: usize>(lists: &[(&str, &[&str])], word: &str, marks: &mut [bool; N]) {
    for (mark, (_, list)) in marks.iter_mut().zip(lists) {
        *mark |= list.contains(&word);
    }
}

impl Said {
    /// Reads a page's head, its JSON-LD and the types and names on its elements.
    pub fn of(page: &Page) -> Said {
        let dom = &page.dom;
        let mut said = Said::default();
        let (mut title, mut og_title) = (Vec::new(), Vec::new());
        let (mut canonical, mut og_url) = (None, None);
        for node in 0..dom.len() as u32 {
            let tag = dom.tag(node);
            said.tags.0[tag as usize] += 1;
            match tag {
                Tag::Text => continue,
                Tag::Title if title.is_empty() => title = word_hashes(&dom.inner_text(node)),
                Tag::Meta => {
                    let name = dom.attr(node, AttrName::Property).or_else(|| dom.attr(node, AttrName::Name));
                    let content = dom.attr(node, AttrName::Content).unwrap_or("");
                    match name.unwrap_or("") {
                        "og:title" => og_title = word_hashes(content),
                        "og:url" => og_url = Some(content),
                        "description" | "og:description" if said.description.is_empty() => {
                            said.description = word_hashes(content);
                        }
                        "og:type" => {
                            let kind = content.to_ascii_lowercase();
                            let article = kind == "article";
                            let product = kind.contains("product");
                            let website = kind == "website";
                            said.og = [article, product, website, !article && !product && !website];
                        }
                        "generator" => words(content, |w| mark(GENERATORS, w, &mut said.generators)),
                        _ => {}
                    }
                }
                Tag::Link if dom.attr(node, AttrName::Rel).is_some_and(|r| r.eq_ignore_ascii_case("canonical")) => {
                    canonical = dom.attr(node, AttrName::Href);
                }
                Tag::Html | Tag::Body => {
                    for name in [AttrName::Class, AttrName::Id] {
                        words(dom.attr(node, name).unwrap_or(""), |w| mark(KINDS, w, &mut said.class_kinds));
                    }
                }
                Tag::Script
                    if dom
                        .attr(node, AttrName::Type)
                        .is_some_and(|t| t.eq_ignore_ascii_case("application/ld+json")) =>
                {
                    said.read_json_ld(&dom.inner_text(node));
                }
                _ => {}
            }
            if let Some(kind) = dom.attr(node, AttrName::Itemtype) {
                mark(TYPES, kind.rsplit(['/', '#']).next().unwrap_or(""), &mut said.types);
            }
        }
        said.title = if og_title.is_empty() { title } else { og_title };
        let whole = |url: &&str| url.contains("://");
        if let Some(url) = page.url.as_deref().filter(whole).or(canonical.filter(whole)).or(og_url.filter(whole)) {
            said.read_address(url);
        }
        said
    }

    /// How many elements have a tag.
    pub fn elements(&self, tag: Tag) -> f32 {
        self.tags.0[tag as usize] as f32
    }

    fn read_address(&mut self, url: &str) {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let (path, query) = rest.split_once('?').map_or((rest, ""), |(path, query)| (path, query));
        let path = path.split('#').next().unwrap_or("");
        let segments: Vec<&str> = path.split('/').skip(1).filter(|s| !s.is_empty()).collect();
        let slug = segments.last().copied().unwrap_or("");
        let slug_words = slug.split(['-', '_', '+']).filter(|w| !w.is_empty()).count() as f32;
        let flag = |b: bool| f32::from(u8::from(b));
        let chars: usize = segments.iter().map(|s| s.len()).sum();
        let digits: usize = segments.iter().map(|s| s.bytes().filter(u8::is_ascii_digit).count()).sum();
        let year = |s: &&str| {
            s.len() >= 4
                && matches!(&s.as_bytes()[..2], b"19" | b"20")
                && s.bytes().all(|b| b.is_ascii_digit() || b == b'-')
        };
        // The home page may stand under a language: /en/.
        let root = segments.is_empty() || (segments.len() == 1 && slug.len() <= 2);
        self.address = [
            1.0,
            flag(root),
            (segments.len() as f32).min(8.0),
            slug_words.ln_1p(),
            digits as f32 / chars.max(1) as f32,
            flag(segments.iter().any(year)),
            flag(!query.is_empty()),
            flag(slug.contains(".htm") || slug.contains(".php") || slug.contains(".asp")),
        ];
        // Words of a long slug are the title's: "the-best-shops-of" is no shop.
        for segment in segments.iter().filter(|s| s.split(['-', '_', '+']).count() <= 2) {
            words(segment, |w| mark(KINDS, w, &mut self.address_kinds));
        }
    }

    /// How far a type or a list of types goes on, in bytes.
    const LONGEST_TYPES: usize = 2000;

    fn read_json_ld(&mut self, json: &str) {
        // Looked for as text: the block is often broken JSON, and its nesting does not matter here.
        for (at, key) in json.match_indices("\"@type\"") {
            let rest = start_of(&json[at + key.len()..], Self::LONGEST_TYPES)
                .trim_start()
                .trim_start_matches(':')
                .trim_start();
            let list = rest.strip_prefix('[').map(|rest| rest.split(']').next().unwrap_or(""));
            let names = list.unwrap_or_else(|| rest.split([',', '}', '\n']).next().unwrap_or(""));
            for name in names.split('"').skip(1).step_by(2).take(8) {
                mark(TYPES, name.rsplit('/').next().unwrap_or(""), &mut self.types);
            }
        }
        for (keys, set) in [
            (&["\"articleBody\""][..], &mut self.article_body),
            (&["\"text\"", "\"description\""], &mut self.other_text),
            (&["\"reviewBody\""], &mut self.reviews),
        ] {
            for key in keys {
                for (at, _) in json.match_indices(key) {
                    let rest = json[at + key.len()..].trim_start().trim_start_matches(':').trim_start();
                    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<String>();
                    if let Some(Ok(text)) = values.next() {
                        set.extend(three_in_a_row(&word_hashes(&text)).map(|h| (h, ())));
                    }
                }
            }
        }
    }

    /// The page's columns, in the order of [`names`].
    pub fn columns(&self) -> impl Iterator<Item = f32> + '_ {
        let flags = self.og.iter().chain(&self.types).chain(&self.generators);
        let flags = flags.chain(&self.address_kinds).chain(&self.class_kinds);
        flags.map(|b| f32::from(u8::from(*b))).chain(self.address)
    }
}

/// The names of [`Said::columns`].
pub fn names() -> impl Iterator<Item = String> {
    let lists = TYPES.iter().chain(GENERATORS).map(|(name, _)| format!("page_{name}"));
    let kinds = |what: &'static str| KINDS.iter().map(move |(name, _)| format!("page_{what}_{name}"));
    OG.iter()
        .map(|name| format!("page_{name}"))
        .chain(lists)
        .chain(kinds("address"))
        .chain(kinds("class"))
        .chain(ADDRESS.iter().map(|name| format!("page_address_{name}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(html: &str, url: Option<&str>) -> impl Fn(&str) -> f32 {
        let mut page = Page::from_html(html);
        page.url = url.map(str::to_owned);
        let values: Vec<f32> = Said::of(&page).columns().collect();
        assert_eq!(values.len(), names().count());
        move |name: &str| values[names().position(|n| n == name).unwrap()]
    }

    #[test]
    fn types_are_read_from_json_ld_and_microdata_even_broken_ones() {
        let of = columns(
            r#"<script type="application/ld+json">{"@graph":[{"@type":["WebPage","FAQPage"]},{"@type" : "NewsArticle", oops</script>
               <div itemscope itemtype="https://schema.org/Product">x</div>"#,
            None,
        );
        assert_eq!((of("page_type_article"), of("page_type_faq"), of("page_type_product")), (1.0, 1.0, 1.0));
        assert_eq!((of("page_type_recipe"), of("page_address_known")), (0.0, 0.0));
    }

    #[test]
    fn the_address_comes_from_the_hint_then_the_page() {
        let html = r#"<link rel=canonical href="https://a.example/forum/t/how-to-bake-the-best-bread/123"><body class="topic-page">x"#;
        let of = columns(html, None);
        assert_eq!((of("page_address_known"), of("page_address_forum"), of("page_address_list")), (1.0, 1.0, 0.0));
        assert_eq!((of("page_class_forum"), of("page_address_segments")), (1.0, 4.0));
        let of = columns(html, Some("https://a.example/2024/05/a-piece-of-news.html?x=1"));
        assert_eq!(
            (of("page_address_has_year"), of("page_address_ends_html"), of("page_address_has_query")),
            (1.0, 1.0, 1.0)
        );
        assert_eq!(of("page_address_forum"), 0.0);
        assert_eq!(columns("x", Some("https://a.example/en/"))("page_address_is_root"), 1.0);
    }
}
