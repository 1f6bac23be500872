//! Which words of a page's titles are the article's title.

use super::byline::key;

/// What sets a site's name off from a title.
const SEPARATORS: [&str; 12] = [" | ", " - ", " – ", " — ", " :: ", " « ", " » ", " · ", " • ", " ‹ ", " › ", "|"];

/// A title without the site's name before or after it: parts that are one of `sites`, or whatever follows or goes
/// before a part that is a title by itself elsewhere on the page (`known`, as keys).
pub(super) fn without_site(title: &str, sites: &[&str], known: &[String]) -> String {
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
pub(super) fn likeness(h1: &str, title: &str) -> f32 {
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
