//! What a page says of itself: title, authors, date, site, language, from JSON-LD, `<meta>`, microdata and `<title>`.

use std::borrow::Cow;

use super::byline::{self, key, people};
use super::date::{self, Order};
use super::jsonld::JsonLd;
use super::markup::{self, Said, clean, lines, squeeze};
use super::runs::{Run, runs};
use super::title::{self, without_site};
use super::words::start_of;
use super::{Block, Page, host_of, language};

/// Caps on lengths, in characters.
const MAX_TITLE: usize = 500;
const MAX_SITE: usize = 120;
const MAX_DESCRIPTION: usize = 2000;

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
    /// The page's titles as it declares them, the site's name and all.
    titles: Vec<String>,
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
        let url = page.address();
        let host = url.and_then(host_of);
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
        let lang = said.lang.clone().or_else(|| language::tag(said.meta.lang.get()?));
        let lang = lang.or_else(|| language::tag(&article?.text(&["inLanguage"])?));
        let order = order_of(lang.as_deref(), host.as_deref());

        let headline = article.and_then(|a| a.text(&["headline", "name"])).map(|name| clean(markup::title(&name)));
        let bare = |title: &str| without_site(title, &sites, &known);
        let is_site = |title: &str| sites.iter().any(|site| key(site) == key(title));
        let declared = headline.as_deref().into_iter().chain(said.meta.title.get()).chain(said.microdata.title.get());
        let declared: Vec<String> = declared.chain(said.document_title.as_deref()).map(bare).collect();
        let h1s: Vec<String> = said.h1s.iter().map(|h1| bare(h1)).collect();
        let titles: Vec<String> = titles.into_iter().flatten().map(str::to_owned).collect();
        let title = title::choose(h1s, declared, &titles, is_site);

        let author = article.and_then(|a| {
            people(a.authors().into_iter().map(clean).collect::<Vec<_>>().iter().map(String::as_str), &sites)
        });
        let author = author.or_else(|| people(said.meta.authors.iter().map(String::as_str), &sites));
        let author = author.or_else(|| people(said.microdata.authors.iter().map(String::as_str), &sites));

        let date = article.and_then(|a| date::parse(&a.text(&["datePublished", "dateCreated", "uploadDate"])?, order));
        let date = date.or_else(|| date::parse(said.meta.date.get()?, order));
        let date = date.or_else(|| date::parse(said.microdata.date.get()?, order));
        let date = date.or_else(|| said.near_dates().find_map(|text| date::find(text, order)));
        let date = date.or_else(|| url.and_then(date_in_address));

        let description = said
            .meta
            .description
            .get()
            .map(str::to_owned)
            .or_else(|| article?.text(&["description"]).map(|d| clean(&d)));
        Metadata {
            title: title.map(|title| cap(title, MAX_TITLE)),
            author,
            date,
            site_name: site_name.map(|site| cap(site, MAX_SITE)).filter(|site| !site.is_empty()),
            lang,
            description: description.map(|d| cap(d, MAX_DESCRIPTION)),
            json_ld_body: article.and_then(|a| a.text(&["articleBody", "text"])).map(|body| lines(&body)),
            titles,
        }
    }

    /// Fills what the page did not declare from its blocks: `headline` is the text of the block labelled so,
    /// `meta_blocks` those of the blocks labelled meta, `text` is the article's, for its language.
    pub fn complete<'a>(
        &mut self,
        headline: Option<&str>,
        meta_blocks: impl Iterator<Item = Cow<'a, str>>,
        text: &str,
    ) {
        self.lang = language::of_text(self.lang.as_deref(), text);
        let headline = headline.map(|title| cap(squeeze(title), MAX_TITLE)).filter(|title| !title.is_empty());
        if headline.is_some() && self.title.as_ref().zip(headline.as_ref()).is_none_or(|(t, h)| self.is_better(h, t)) {
            self.title = headline;
        }
        let order = order_of(self.lang.as_deref(), None);
        let sites: Vec<&str> = self.site_name.as_deref().into_iter().collect();
        if self.author.is_some() && self.date.is_some() {
            return;
        }
        for block in meta_blocks {
            if self.author.is_none() {
                self.author = block.lines().filter_map(byline::byline).find_map(|names| people([names], &sites));
            }
            if self.date.is_none() {
                self.date = date::find(&block, order);
            }
        }
    }

    /// Whether the headline that the page shows is the article's title rather than the title that was chosen.
    fn is_better(&self, headline: &str, title: &str) -> bool {
        // What stands by a separator before or after the headline is the site's or a section's.
        title::is_part(title, headline)
            || self.titles.iter().any(|whole| title::names_site(title, headline, whole))
            || title::is_publication(title, headline)
    }
}

/// A block's text; where it may hold a byline, with spaces between what only elements set apart.
pub(crate) fn text_apart<'a>(page: &'a Page, block: &Block) -> Cow<'a, str> {
    const MAX_CHARS: u32 = 300;
    let text = page.text_of(block);
    if block.chars > MAX_CHARS || block.nodes.len() < 2 || !text.lines().any(byline::may_be_byline) {
        return Cow::Borrowed(text);
    }
    let mut apart = String::with_capacity(text.len() + 8);
    let mut last: Option<Run> = None;
    for run in runs(page, block) {
        let from = last.map_or(0, |last| last.start);
        apart.push_str(&text[from..run.start]);
        if let Some(last) = last {
            let (before, next) = (text[..run.start].chars().next_back(), text[run.start..].chars().next());
            if markup::parts(&page.dom, (before, last.node), (next, run.node)) {
                apart.push(' ');
            }
        }
        last = Some(run);
    }
    apart.push_str(&text[last.map_or(0, |last| last.start)..]);
    Cow::Owned(apart)
}

fn cap(text: String, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((end, _)) => text[..end].to_owned(),
        None => text,
    }
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

/// How far into an address a date is looked for, and how long it may be.
const MAX_PATH: usize = 2000;
const DATE: usize = 40;

/// The date in an address such as `/2024/03/05/title`.
fn date_in_address(address: &str) -> Option<String> {
    let path = address.split_once("://").map_or(address, |(_, rest)| rest);
    let path = start_of(path.split(['?', '#']).next()?, MAX_PATH);
    let bytes = path.as_bytes();
    (0..bytes.len()).find_map(|at| {
        let starts =
            at > 0 && !bytes[at - 1].is_ascii_digit() && matches!(bytes[at..], [b'1' | b'2', _, _, _, b'/' | b'-', ..]);
        if !starts {
            return None;
        }
        let part = path.get(at..)?;
        let length = part.bytes().take(DATE).take_while(|b| b.is_ascii_digit() || matches!(b, b'/' | b'-')).count();
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
            <b itemprop="headline">ثالث</b><h1>أخبار</h1><time datetime="2020-01-01">"#,
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
        assert_eq!(title("Sahifa | A story", ""), "A story", "the host's name");
        assert_eq!(title("Sahifa Switch - White Model", ""), "Sahifa Switch - White Model", "its product");
    }

    #[test]
    fn titles_and_names_hold_no_hyphens_that_nobody_sees() {
        let m =
            of("<title>Bundes\u{ad}tag und Ver\u{200b}kehr</title><meta name=author content='Ann-Kath\u{ad}rin Lee'>");
        assert_eq!(m.title.as_deref(), Some("Bundestag und Verkehr"));
        assert_eq!(m.author.as_deref(), Some("Ann-Kathrin Lee"));
        assert_eq!(of("<h1>ไทย\u{200b}ๆ می\u{200c}خواهد").title.as_deref(), Some("ไทย\u{200b}ๆ می\u{200c}خواهد"));
    }

    #[test]
    fn languages_from_the_page_then_from_the_text() {
        assert_eq!(of("<html lang=ar_EG>").lang.as_deref(), Some("ar-EG"));
        assert_eq!(of("<meta property=og:locale content=fa_IR>").lang.as_deref(), Some("fa-IR"));
        assert_eq!(of("<html lang=''><meta http-equiv=content-language content='fr, en'>").lang.as_deref(), Some("fr"));
    }

    #[test]
    fn the_headline_that_is_shown_tells_what_of_the_title_is_the_sites() {
        let title = |title: &str, headline: &str| {
            let mut m = of(&format!("<title>{title}</title>"));
            m.complete(Some(headline), std::iter::empty(), "");
            m.title.unwrap_or_default()
        };
        assert_eq!(title("ما لا تقوله الأرقام - صحيفة البلقاء | رأي", "ما لا تقوله الأرقام"), "ما لا تقوله الأرقام");
        assert_eq!(title("صحيفة البلقاء | ما لا تقوله الأرقام", "ما لا تقوله الأرقام"), "ما لا تقوله الأرقام");
        assert_eq!(title("الأرقام وما لا تقوله", "ما لا تقوله الأرقام"), "الأرقام وما لا تقوله");
        assert_eq!(title("A - B", "A story of another page"), "A - B");
        assert_eq!(title("Discuss the new release here - Boats", "Boats"), "Discuss the new release here - Boats");
    }

    #[test]
    fn names_end_where_their_element_does() {
        let author = |byline: &str| {
            let page = Page::from_html(&format!("<h1>عنوان</h1><p>{byline}</p>"));
            let mut m = Metadata::of(&page);
            m.complete(None, page.blocks.iter().map(|block| text_apart(&page, block)), "");
            (m.author.unwrap_or_default(), m.date.unwrap_or_default())
        };
        let both = |author: &str, date: &str| (author.to_owned(), date.to_owned());
        let site = "By <a href=/a>Lesotho Times</a><span>November 21, 2025</span>";
        assert_eq!(author(site), both("Lesotho Times", "2025-11-21"));
        assert_eq!(author("By <a>Ann Lee</a><time>May 3, 2024</time>"), both("Ann Lee", "2024-05-03"));
        assert_eq!(author("بقلم <a>ليلى حداد</a><time>الثلاثاء 5 مارس 2024</time>"), both("ليلى حداد", "2024-03-05"));
        assert_eq!(author("كتب: <a>سمير عطا</a><span>مارس 5, 2024</span>"), both("سمير عطا", "2024-03-05"));
        assert_eq!(author("By<strong>Ann Lee</strong>"), both("Ann Lee", ""));
        assert_eq!(author("By <b>A</b>nn <!-- x -->Lee<sup>1</sup>"), both("Ann Lee", ""), "an initial, a footnote");
        assert_eq!(author("By Ann<br>Lee<span>May 3, 2024</span>"), both("Ann", "2024-05-03"), "lines stay lines");
        let classed = "<div class=byline>By <a>Ann Lee</a><span>Feb 16, 2026</span></div>";
        let page = Page::from_html(&format!("<h1>A</h1>{classed}<p itemprop=author><b>Bo</b><i>Chan</i></p>"));
        assert_eq!(Metadata::of(&page).author.as_deref(), Some("Bo Chan"));
        assert_eq!(Metadata::of(&Page::from_html(classed)).author.as_deref(), Some("Ann Lee"));
    }

    #[test]
    fn the_sites_name_is_no_title_though_it_is_the_h1_or_declared() {
        let title = |head: &str, h1: &str, headline: &str| {
            let mut m = of(&format!("{head}<h1>{h1}</h1>"));
            m.complete(Some(headline).filter(|h| !h.is_empty()), std::iter::empty(), "");
            m.title.unwrap_or_default()
        };
        const POST: &str = "عن المطر الأول وحافلات بيروت الحمراء";
        let blog = format!("<title>دفتر سهى: {POST}</title>");
        let declared = format!("{blog}<meta property=og:title content='{POST}'>");
        assert_eq!(title(&declared, "دفتر سهى", ""), POST, "declared");
        assert_eq!(title(&blog, "دفتر سهى", POST), POST, "shown");
        assert_eq!(title(&blog, POST, ""), POST);
        let site = "<title>جريدة الأنباء | Al-Anbaa</title><meta property=og:title content='جريدة الأنباء'>";
        assert_eq!(title(site, POST, POST), POST, "nothing but the newspaper is declared");
        for head in ["<title>Untitled Document</title>", "<title></title>", "<title>الجريدة</title>"] {
            assert_eq!(title(head, "", POST), POST, "{head}");
        }
        // A headline may be the site's; a title that shares no word with it, and is no newspaper's name, stays.
        assert_eq!(
            title(
                "<title>ORM Quick Start - The Whole Documentation</title>",
                "ORM Quick Start",
                "The Whole Documentation"
            ),
            "ORM Quick Start"
        );
        assert_eq!(title("<title>Webcams</title>", "", "Explore the National Park Service"), "Webcams");
        let short = "<title>المطر الأول</title>";
        assert_eq!(title(short, "", "كيف وصف الكتّاب المطر الأول في بيروت"), "المطر الأول");
        assert_eq!(title("<title>Rain in Beirut</title>", "", "Share this"), "Rain in Beirut");
        assert_eq!(title("<title>Untitled Document</title>", "", ""), "");
    }

    #[test]
    fn dates_of_comments_and_teasers_are_not_the_pages() {
        let date = |rest: &str| {
            let html = format!("<title>T</title><h1>T</h1><p>Text.</p>{rest}");
            Metadata::of(&Page::from_html(&html)).date
        };
        for rest in [
            "<div class=related><ul><li><a href=1>A</a><time datetime=2018-05-03>3 May 2018</time></ul></div>",
            "<div class=comments><div class=comment><b>A</b><time datetime=2021-05-04></time><p>B</div></div>",
            "<ol id=comments><li><span class=date>4 May 2021</span></ol>",
            "<div class=comment itemscope><b itemprop=dateCreated content=2021-05-04></b></div>",
        ] {
            assert_eq!(date(rest), None, "{rest}");
        }
        assert_eq!(date("<div class=comments-open><time datetime=2021-05-04></time>").as_deref(), Some("2021-05-04"));
    }

    #[test]
    fn the_declared_address_has_a_date_as_the_known_one_has() {
        let declared = "<link rel=canonical href=https://x.example/2024/11/12/news><p>Text.";
        assert_eq!(Metadata::of(&Page::from_html(declared)).date.as_deref(), Some("2024-11-12"));
        assert_eq!(of(declared).date.as_deref(), Some("2023-11-07"), "the known one comes first");
    }

    #[test]
    fn a_city_before_a_name_is_no_author() {
        let author = |html: &str| of(html).author.unwrap_or_default();
        assert_eq!(author("<meta name=author content='بيروت - رنا نجار'>"), "رنا نجار");
        assert_eq!(author("<h1>T</h1><span class=art-author>دير الزور - عبير الحسن</span>"), "عبير الحسن");
        assert_eq!(author("<h1>T</h1><div class=by>بيروت - رنا نجار</div>"), "رنا نجار");
        assert_eq!(author("<h1>T</h1><div class=by>Sign up</div>"), "", "a class that a tool made");
    }

    #[test]
    fn blocks_fill_what_the_page_left_out() {
        let mut m = Metadata::of(&Page::from_text("نص"));
        m.complete(
            Some("العنوان"),
            ["12 ألف مشاهدة", "كتبت: ليلى حداد", "الثلاثاء 5 مارس 2024"].map(Cow::from).into_iter(),
            "",
        );
        assert_eq!(m.title.as_deref(), Some("العنوان"));
        assert_eq!(m.author.as_deref(), Some("ليلى حداد"));
        assert_eq!(m.date.as_deref(), Some("2024-03-05"));
    }
}
