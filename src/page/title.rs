//! Which words of a page's titles are the article's title.

use super::byline::key;

/// What sets a site's name off from a title.
const SEPARATORS: [&str; 12] = [" | ", " - ", " – ", " — ", " :: ", " « ", " » ", " · ", " • ", " ‹ ", " › ", "|"];

/// A title without the site's name before or after it: parts that are one of `sites`, or whatever follows or goes
/// before a part that is a title by itself elsewhere on the page (`known`, as keys).
pub(super) fn without_site(title: &str, sites: &[&str], known: &[String]) -> String {
    let is_one = |words: &str, host: &dyn Fn(&str) -> bool| {
        let part = key(words);
        let labels = |site: &str| site.contains('.') && site.split('.').any(host);
        sites.iter().any(|site| key(site) == part || labels(site)) || part.is_empty()
    };
    let is_site = |words: &str| is_one(words, &|label| named_for(label, &key(words), words));
    // What begins with the site's name and goes on is a product's, such as `Nintendo Switch - OLED Model`.
    let is_site_first = |words: &str| is_one(words, &|label| key(label) == key(words));
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
                && is_site_first(head)
            {
                title = tail.trim();
                continue 'cut;
            }
        }
        return title.to_owned();
    }
}

/// What content systems and editors write where nobody gave a title, as keys.
const PLACEHOLDERS: [&str; 8] =
    ["untitleddocument", "untitledpage", "untitled", "newpage1", "notitle", "document", "بدونعنوان", "صفحةبدونعنوان"];

/// Declared titles are often written for search engines and short; the headline that the reader sees is the `<h1>`, if
/// it shares its words with one of them. `h1s` and `declared` come without the site's name, the declared ones best
/// first, `wholes` are declared ones with it.
pub(super) fn choose(
    h1s: Vec<String>,
    declared: Vec<String>,
    wholes: &[String],
    is_site: impl Fn(&str) -> bool,
) -> Option<String> {
    let names_site =
        |h1: &str| is_site(h1) || wholes.iter().any(|whole| declared.iter().any(|title| names_site(h1, title, whole)));
    let mut shown: Option<(&str, f32)> = None;
    for h1 in h1s.iter().filter(|h1| !names_site(h1)) {
        let shared = declared.iter().map(|title| likeness(h1, title)).fold(0.0, f32::max);
        if shared >= 0.5 && shown.is_none_or(|(_, other)| shared > other) {
            // A section's name in front of the headline: the declared title is without it.
            let bare = declared.iter().find(|title| key(title).len() > 20 && key(h1).ends_with(&key(title)));
            shown = Some((bare.unwrap_or(h1), shared));
        }
    }
    let shown = shown.map(|(h1, _)| h1.to_owned());
    let mut titles = shown.into_iter().chain(declared).chain(h1s.first().cloned());
    titles.find(|title| !title.is_empty() && !is_site(title) && !PLACEHOLDERS.contains(&key(title).as_str()))
}

/// Whether words that may be a title are the site's name: a whole title is these and then a title twice as long.
pub(super) fn names_site(words: &str, title: &str, whole: &str) -> bool {
    let (words, title) = (key(words), key(title));
    !words.is_empty() && 2 * words.len() <= title.len() && key(whole).strip_prefix(&words) == Some(&title)
}

/// Words of the names of newspapers and their like, as keys without the Arabic article.
const PUBLICATIONS: &str = "جريدة صحيفة موقع وكالة شبكة مجلة قناة بوابة منتدى منتديات مدونة إذاعة blog newspaper news \
    gazette herald tribune magazine journal times daily forum forums";

/// Whether a title is the name of a newspaper or its like, a few words, none of a headline of many. Other titles that
/// share no word with the headline are as good as it, or better.
pub(super) fn is_publication(title: &str, headline: &str) -> bool {
    let words = |text: &str| text.split_whitespace().map(key).filter(|word| !word.is_empty()).collect::<Vec<_>>();
    let (title, headline) = (words(title), words(headline));
    let names = |word: &String| {
        let bare = word.strip_prefix("ال").unwrap_or(word);
        PUBLICATIONS.split_whitespace().any(|name| name == bare)
    };
    // `The` and its like say nothing.
    let shared = |word: &String| word.chars().count() > 3 && headline.contains(word);
    title.len() <= 4 && headline.len() >= 5 && title.iter().any(names) && !title.iter().any(shared)
}

/// Whether a title is a headline and, set off from it, something before or after it, that is not much longer: else the
/// headline may be the site's name.
pub(super) fn is_part(title: &str, headline: &str) -> bool {
    let headline = key(headline);
    5 * headline.len() >= 2 * key(title).len()
        && SEPARATORS.iter().any(|separator| {
            let parts = [title.split_once(separator), title.rsplit_once(separator)];
            parts.into_iter().flatten().any(|(before, after)| key(before) == headline || key(after) == headline)
        })
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
