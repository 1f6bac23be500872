//! What a page's JSON-LD says of its article (schema.org), read leniently: much of it is written by hand.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::{Map, Value};

use super::dom::{AttrName, Dom, Tag};

/// Longer scripts are catalogues, not descriptions of an article.
const MAX_SCRIPT: usize = 4 << 20;
/// How far mentions are followed through `@graph`, `mainEntity` and the like.
const MAX_DEPTH: usize = 6;

type Object = Map<String, Value>;

/// The JSON-LD of a page.
#[derive(Debug, Default)]
pub struct JsonLd {
    scripts: Vec<Value>,
}

impl JsonLd {
    /// Reads all scripts of type `application/ld+json`; those that cannot be repaired are left out.
    pub fn of(dom: &Dom) -> JsonLd {
        let scripts = dom
            .elements(Tag::Script)
            .filter(|&script| {
                dom.attr(script, AttrName::Type).is_some_and(|kind| kind.to_ascii_lowercase().contains("ld+json"))
            })
            .flat_map(|script| parse(&dom.inner_text(script)))
            .collect();
        JsonLd { scripts }
    }

    /// What is said of the page's article, if anything: of the most specific type, and where a page lists several
    /// articles, of the one that `is_title` accepts.
    pub fn article(&self, is_title: impl Fn(&str) -> bool) -> Option<Article<'_>> {
        let mut things = Vec::new();
        for script in &self.scripts {
            collect(script, 0, &mut things);
        }
        let by_id: HashMap<&str, &Object> =
            things.iter().filter_map(|thing| Some((thing.get("@id")?.as_str()?, *thing))).collect();
        let site = things
            .iter()
            .find(|thing| kinds(thing).any(|kind| kind == "WebSite"))
            .and_then(|thing| text(thing, &["name"]));
        let mut best: Option<(u8, &Object)> = None;
        for thing in things {
            let Some(rank) = kinds(thing).filter_map(rank).min() else { continue };
            let named = text(thing, &["headline", "name"]).is_some_and(|title| is_title(&title));
            let rank = rank * 2 + u8::from(!named);
            if best.is_none_or(|(other, _)| rank < other) {
                best = Some((rank, thing));
            }
        }
        // A thing that is neither an article nor named like the page may be any of many on it.
        let thing = best.filter(|(rank, _)| *rank <= 2 || rank % 2 == 0).map(|(_, thing)| thing);
        (thing.is_some() || site.is_some()).then_some(Article { thing, by_id, site })
    }
}

/// One thing of a page's JSON-LD, and what it refers to.
#[derive(Debug)]
pub struct Article<'a> {
    thing: Option<&'a Object>,
    by_id: HashMap<&'a str, &'a Object>,
    site: Option<Cow<'a, str>>,
}

impl<'a> Article<'a> {
    /// The first of the properties that has a text.
    pub fn text(&self, properties: &[&str]) -> Option<Cow<'a, str>> {
        text(self.thing?, properties)
    }

    /// The names of authors, people before organisations.
    pub fn authors(&self) -> Vec<&'a str> {
        let Some(thing) = self.thing else { return Vec::new() };
        let mut names: Vec<(bool, &str)> = Vec::new();
        for property in ["author", "creator"] {
            names.extend(thing.get(property).into_iter().flat_map(values).flat_map(|author| self.names(author)));
            if !names.is_empty() {
                break;
            }
        }
        let people = names.iter().any(|(organisation, _)| !organisation);
        names.into_iter().filter(|(organisation, _)| !(people && *organisation)).map(|(_, name)| name).collect()
    }

    /// The name of who publishes the page.
    pub fn publisher(&self) -> Option<Cow<'a, str>> {
        let publisher = self.thing.and_then(|thing| thing.get("publisher")).into_iter().flat_map(values);
        self.site.clone().or_else(|| publisher.flat_map(|p| self.names(p)).next().map(|(_, name)| Cow::Borrowed(name)))
    }

    /// The names of a value, mostly one, followed through a reference by `@id`, and whether they are of organisations.
    fn names(&self, value: &'a Value) -> impl Iterator<Item = (bool, &'a str)> {
        let named = |thing: &&Object| thing.contains_key("name");
        let referred = |thing: &'a Object| self.by_id.get(thing.get("@id")?.as_str()?).copied();
        let thing = value.as_object().and_then(|thing| Some(thing).filter(named).or_else(|| referred(thing)));
        let organisation = thing.is_some_and(|thing| kinds(thing).any(|kind| kind.ends_with("Organization")));
        let names = thing.map_or(Some(value), |thing| thing.get("name")).into_iter().flat_map(values);
        names.filter_map(Value::as_str).filter(|name| !name.trim().is_empty()).map(move |name| (organisation, name))
    }
}

/// How surely a type is the page's article; none for things that only stand on it.
fn rank(kind: &str) -> Option<u8> {
    let kind = kind.rsplit(['/', ':']).next().unwrap_or(kind);
    Some(match kind {
        _ if kind.ends_with("Article") || kind.ends_with("Posting") && kind != "JobPosting" => 0,
        "Report" | "Blog" | "DiscussionForum" | "AdvertiserContent" => 1,
        "Recipe" | "Question" | "HowTo" | "VideoObject" | "PodcastEpisode" | "Course" | "Event" | "Book" | "Movie" => 1,
        "Product" | "ProductGroup" | "SoftwareApplication" | "Review" | "CreativeWork" | "Dataset" | "JobPosting" => 2,
        _ if kind.ends_with("Page") => 3,
        _ => return None,
    })
}

fn kinds(thing: &Object) -> impl Iterator<Item = &str> {
    thing.get("@type").into_iter().flat_map(values).filter_map(Value::as_str)
}

/// A value's members if it is an array, else itself.
fn values(value: &Value) -> impl Iterator<Item = &Value> {
    match value {
        Value::Array(members) => members.iter(),
        other => std::slice::from_ref(other).iter(),
    }
}

fn text<'a>(thing: &'a Object, properties: &[&str]) -> Option<Cow<'a, str>> {
    properties.iter().flat_map(|property| thing.get(*property)).flat_map(values).find_map(|value| match value {
        Value::String(text) if !text.trim().is_empty() => Some(Cow::Borrowed(text.as_str())),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        // `{"@value": "…", "@language": "ar"}`, `{"@type": "Language", "alternateName": "ar"}`
        Value::Object(inner) => {
            ["@value", "alternateName", "name"].iter().find_map(|key| inner.get(*key)?.as_str()).map(Cow::Borrowed)
        }
        _ => None,
    })
}

fn collect<'a>(value: &'a Value, depth: usize, things: &mut Vec<&'a Object>) {
    match value {
        Value::Array(members) if depth < MAX_DEPTH => {
            members.iter().for_each(|member| collect(member, depth + 1, things));
        }
        Value::Object(thing) => {
            things.push(thing);
            for property in ["@graph", "mainEntity", "mainEntityOfPage", "author", "publisher", "isPartOf"] {
                if let Some(inner) = thing.get(property).filter(|_| depth < MAX_DEPTH) {
                    collect(inner, depth + 1, things);
                }
            }
        }
        _ => {}
    }
}

/// The JSON values in a script, often one; a broken one is repaired once.
fn parse(script: &str) -> Vec<Value> {
    if script.len() > MAX_SCRIPT {
        return Vec::new();
    }
    let json = unwrap(script);
    match serde_json::from_str(json) {
        Ok(value) => vec![value],
        Err(_) => serde_json::Deserializer::from_str(&repair(json)).into_iter().map_while(Result::ok).collect(),
    }
}

/// Without the comment or CDATA section that hides the script from old browsers, and a closing semicolon.
fn unwrap(script: &str) -> &str {
    let mut json = script.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    loop {
        let before = json.len();
        for open in ["<!--", "//<![CDATA[", "/*<![CDATA[*/", "<![CDATA[", "//"] {
            json = json.strip_prefix(open).unwrap_or(json).trim_start();
        }
        for close in ["-->", "//]]>", "/*]]>*/", "]]>", "//", ";"] {
            json = json.strip_suffix(close).unwrap_or(json).trim_end();
        }
        if json.len() == before {
            return json;
        }
    }
}

/// Mends in one pass what is commonly broken: control characters inside strings, escapes that JSON does not know,
/// commas before a closing bracket.
fn repair(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + 16);
    let (mut in_string, mut comma) = (false, None);
    let mut chars = json.chars().peekable();
    while let Some(c) = chars.next() {
        if in_string {
            match c {
                '"' => {
                    in_string = false;
                    out.push(c);
                }
                '\\' => {
                    // Of an escape that JSON does not know, such as `\'`, the character alone stays.
                    if let Some('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' | 'u') = chars.peek() {
                        out.push(c);
                        out.extend(chars.next());
                    }
                }
                c if c.is_control() => out.push(' '),
                c => out.push(c),
            }
            continue;
        }
        match c {
            '"' => in_string = true,
            ',' => comma = Some(out.len()),
            ']' | '}' => {
                if let Some(at) = comma.take() {
                    out.truncate(at);
                }
            }
            _ => {}
        }
        if c != ',' && !c.is_whitespace() {
            comma = None;
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json_ld(scripts: &[&str]) -> JsonLd {
        let html: String = scripts.iter().map(|s| format!("<script type='application/ld+json'>{s}</script>")).collect();
        JsonLd::of(&Dom::parse(&html))
    }

    fn headline(scripts: &[&str]) -> String {
        let json_ld = json_ld(scripts);
        json_ld.article(|t| t == "العنوان").and_then(|a| a.text(&["headline", "name"])).unwrap_or_default().into_owned()
    }

    #[test]
    fn broken_scripts_are_mended() {
        for broken in [
            "{\"@type\":\"NewsArticle\",\"headline\":\"العنوان\",}",
            "<!-- {\"@type\":[\"NewsArticle\"],\"headline\":\"العنوان\"} -->",
            "//<![CDATA[\n{\"@type\":\"Article\",\"headline\":\"العنوان\", \"x\":\"a\nb\\'\tc\"}\n//]]>",
            "[{\"@type\":\"Article\",\"headline\":\"العنوان\"},];",
            "{\"@type\":\"WebSite\"}\n{\"@type\":\"Article\",\"headline\":\"العنوان\"}",
        ] {
            assert_eq!(headline(&[broken]), "العنوان", "{broken}");
        }
        assert_eq!(headline(&["{\"@type\":\"Article\",\"headline\":\"العنو"]), "");
    }

    #[test]
    fn the_article_is_found_among_other_things() {
        let graph = r#"{"@graph":[{"@type":"WebPage","name":"صفحة"},{"@type":"Article","headline":"آخر"},
            {"@type":"ReportageNewsArticle","headline":"العنوان"},{"@type":"Organization","name":"جهة"}]}"#;
        assert_eq!(headline(&[graph]), "العنوان");
        let page = r#"{"@type":"WebPage","mainEntity":{"@type":"NewsArticle","headline":"العنوان"}}"#;
        assert_eq!(headline(&["not json", page]), "العنوان");
        assert_eq!(headline(&[r#"{"@type":"Product","name":"منتج"}"#]), "");
    }

    #[test]
    fn authors_are_found_through_references() {
        let json_ld = json_ld(&[r##"{"@graph":[
            {"@type":"Article","headline":"ع","author":[{"@id":"#p"},{"@type":"Organization","name":"وكالة"}],"publisher":{"@id":"#o"}},
            {"@type":"Person","@id":"#p","name":"ليلى حداد"},
            {"@type":"Organization","@id":"#o","name":"صحيفة"}]}"##]);
        let article = json_ld.article(|_| false).unwrap();
        assert_eq!(article.authors(), ["ليلى حداد"]);
        assert_eq!(article.publisher().as_deref(), Some("صحيفة"));
    }

    #[test]
    fn an_author_of_several_names_is_several_people() {
        let json_ld = json_ld(&[r#"{"@type":"Article","author":{"@type":"Person","name":["رنا نجار","سامي خوري"]}}"#]);
        assert_eq!(json_ld.article(|_| false).unwrap().authors(), ["رنا نجار", "سامي خوري"]);
    }

    #[test]
    fn deep_nesting_does_not_overflow() {
        let deep = format!("{}1{}", "[".repeat(200_000), "]".repeat(200_000));
        assert_eq!(headline(&[&deep]), "");
    }
}
