//! The language of a page as a BCP 47 tag: what the page declares, checked against what is written on it.

use std::borrow::Cow;

use whatlang::{Lang, Script};

/// A declared language as a BCP 47 tag in its usual case: `en_US` and `EN-us` become `en-US`.
///
/// Nothing comes of values that are no tags, such as `english` or `x-default`.
///
/// ```
/// use lubb::page::language::tag;
/// assert_eq!(tag("ar_EG").as_deref(), Some("ar-EG"));
/// assert_eq!(tag("English"), None);
/// ```
pub fn tag(declared: &str) -> Option<String> {
    // `Content-Language` may list several, the first is the main one.
    let first = declared.split([',', ';', ' ']).find(|part| !part.is_empty())?;
    let tag = oxilangtag::LanguageTag::parse_and_normalize(&first.replace('_', "-")).ok()?;
    let primary = tag.primary_language();
    let named = (2..=3).contains(&primary.len()) && !matches!(primary, "und" | "mul" | "zxx" | "xx");
    named.then(|| tag.into_inner())
}

/// The language of an article: `declared` (a tag) unless the text is written in a script that it is not written in,
/// as on Arabic pages made from an English template, or is English without English words; else what whatlang makes of
/// the text, where it is sure.
pub fn of_text(declared: Option<&str>, text: &str) -> Option<String> {
    let long = text.len() > 100;
    // A few paragraphs tell as much as the whole.
    let end = text.char_indices().nth(4000).map_or(text.len(), |(at, _)| at);
    // Vowel signs would be taken for letters of their own.
    let is_mark = |c: char| matches!(c, '\u{640}' | '\u{64b}'..='\u{655}' | '\u{670}');
    let plain: Cow<str> = match text[..end].contains(is_mark) {
        true => text[..end].chars().filter(|c| !is_mark(*c)).collect(),
        false => Cow::Borrowed(&text[..end]),
    };
    let text = &*plain;
    if declared.is_none_or(is_default)
        && let Some(lang) = by_letters(text)
    {
        return Some(lang.to_owned());
    }
    if let Some(tag) = declared {
        // The script takes a twentieth of the time that the language does, and most pages declare theirs.
        let foreign = long && whatlang::detect_script(text).is_some_and(|script| contradicts(tag, script));
        let written = match foreign {
            true => whatlang::detect(text),
            false if is_english(tag) && lacks_english(text) => {
                whatlang::detect(text).filter(whatlang::Info::is_reliable)
            }
            false => None,
        };
        let written = written.map(|info| bcp47(info.lang())).filter(|lang| *lang != primary(tag));
        return Some(written.unwrap_or(tag).to_owned());
    }
    let info = whatlang::detect(text)?;
    info.is_reliable().then(|| bcp47(info.lang()).to_owned())
}

/// Whether a text in this script cannot be in the language of the tag. Only the few languages that templates declare
/// by default are judged, since most languages are written in several scripts somewhere.
fn contradicts(tag: &str, script: Script) -> bool {
    match primary(tag) {
        "en" | "fr" | "de" | "es" | "it" | "pt" | "nl" => script != Script::Latin,
        "ar" | "fa" | "ur" => script != Script::Arabic,
        _ => false,
    }
}

/// Whether templates declare a language that pages in Kurdish or Uyghur may be made from.
fn is_default(tag: &str) -> bool {
    matches!(primary(tag), "en" | "ar" | "fa" | "ur")
}

/// Central Kurdish and Uyghur, which whatlang does not know: no other language of the script has their vowels in such
/// numbers. `ە` alone would be Kazakh too, `ې` Pashto.
fn by_letters(text: &str) -> Option<&'static str> {
    const LEAST: usize = 60;
    let (mut all, mut e, mut kurdish, mut uyghur) = (0, 0, 0, 0);
    for c in text.chars().filter(|c| matches!(c, '\u{621}'..='\u{64a}' | '\u{671}'..='\u{6d5}')) {
        all += 1;
        match c {
            'ە' => e += 1,
            'ێ' | 'ڵ' | 'ڕ' => kurdish += 1,
            'ې' | 'ۈ' | 'ۇ' => uyghur += 1,
            _ => {}
        }
    }
    let is_frequent = |count: usize| all >= LEAST && 50 * count >= all;
    match () {
        () if !is_frequent(e) => None,
        () if is_frequent(kurdish) && kurdish > uyghur => Some("ckb"),
        () if is_frequent(uyghur) && uyghur > kurdish && text.contains('ې') => Some("ug"),
        () => None,
    }
}

fn primary(tag: &str) -> &str {
    tag.split('-').next().unwrap_or_default()
}

fn is_english(tag: &str) -> bool {
    primary(tag) == "en"
}

/// Whether a text holds next to none of English's commonest words, which are a third of prose and some of any list:
/// English is what templates declare. Short texts say nothing.
fn lacks_english(text: &str) -> bool {
    // Other languages of the script have few of these.
    const COMMON: [&str; 15] =
        ["the", "of", "and", "to", "that", "with", "for", "from", "this", "are", "you", "your", "by", "it", "we"];
    const LEAST: usize = 40;
    const MOST: usize = 200;
    let letters = |word: &&str| word.starts_with(char::is_alphabetic);
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(letters).take(MOST);
    let is_common = |word: &str| COMMON.iter().any(|common| word.eq_ignore_ascii_case(common));
    let (all, common) = words.fold((0, 0), |(all, common), word| (all + 1, common + usize::from(is_common(word))));
    all >= LEAST && 25 * common < all
}

/// whatlang names languages by ISO 639-3; BCP 47 takes the two-letter code where there is one.
fn bcp47(lang: Lang) -> &'static str {
    const SHORT: &str = "afr:af aka:ak amh:am ara:ar aze:az bel:be ben:bn bul:bg cat:ca ces:cs cmn:zh cym:cy dan:da deu:de ell:el \
        eng:en epo:eo est:et fin:fi fra:fr guj:gu heb:he hin:hi hrv:hr hun:hu hye:hy ind:id ita:it jav:jv jpn:ja \
        kan:kn kat:ka khm:km kor:ko lat:la lav:lv lit:lt mal:ml mar:mr mkd:mk mya:my nep:ne nld:nl nob:nb ori:or \
        pan:pa pes:fa pol:pl por:pt ron:ro rus:ru sin:si slk:sk slv:sl sna:sn spa:es srp:sr swe:sv tam:ta tel:te \
        tgl:tl tha:th tuk:tk tur:tr ukr:uk urd:ur uzb:uz vie:vi yid:yi zul:zu";
    let code = lang.code();
    let mut pairs = SHORT.split_whitespace().filter_map(|pair| pair.split_once(':'));
    pairs.find(|(long, _)| *long == code).map_or(code, |(_, short)| short)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARABIC: &str =
        "أعلنت وزارة المالية اليوم عن موازنة جديدة للعام المقبل، وقال الوزير إن العجز سينخفض إلى ثلاثة في المئة.";

    #[test]
    fn a_declaration_that_the_script_contradicts_is_not_believed() {
        assert_eq!(of_text(Some("en-US"), ARABIC).as_deref(), Some("ar"));
        assert_eq!(of_text(Some("ar-EG"), ARABIC).as_deref(), Some("ar-EG"));
        assert_eq!(of_text(None, ARABIC).as_deref(), Some("ar"));
        assert_eq!(of_text(Some("en"), ""), Some("en".to_owned()));
        assert_eq!(of_text(None, "سلام"), None);
        let vowels = "أَعْلَنَتْ وِزَارَةُ الـمَالِيَّةِ اليَوْمَ عَنْ مُوَازَنَةٍ جَدِيدَةٍ لِلعَامِ المُقْبِلِ، وَقَالَ الوَزِيرُ إِنَّ العَجْزَ سَيَنْخَفِضُ.";
        assert_eq!(of_text(None, vowels).as_deref(), Some("ar"));
    }

    #[test]
    fn kurdish_and_uyghur_are_told_by_their_letters() {
        let kurdish =
            "کتێبخانە بچووکەکەی گوند دوای سێ ساڵ نۆژەنکردنەوە هەفتەی ڕابردوو بۆ خەڵک کرایەوە، بەڕێوەبەرەکەی گوتی.";
        let uyghur =
            "كەنتتىكى كىچىك كۈتۈپخانا ئۈچ يىللىق رېمونتتىن كېيىن ئۆتكەن ھەپتە قايتا ئېچىلدى، مۇدىرى شۇنداق دېدى.";
        for (text, lang) in [(kurdish, "ckb"), (uyghur, "ug")] {
            assert_eq!(of_text(None, text).as_deref(), Some(lang));
            assert_eq!(of_text(Some("ar"), text).as_deref(), Some(lang), "a template's");
            assert_eq!(of_text(Some("ku"), text).as_deref(), Some("ku"));
        }
        let short: String = kurdish.chars().take(30).collect();
        assert_ne!(of_text(None, &short).as_deref(), Some("ckb"));
        let pashto =
            "د کلي کوچنی کتابتون له درېیو کلونو بیا رغونې وروسته تېره اوونۍ د خلکو پر مخ پرانیستل شو، مشرې یې وویل.";
        assert!(of_text(None, pashto).is_none_or(|lang| lang != "ug" && lang != "ckb"));
    }

    #[test]
    fn english_without_english_words_is_not_believed() {
        let spanish = "El Gobierno aprobó ayer la ley de vivienda, que limita el precio de los alquileres en las zonas \
            donde más han subido. La norma entrará en vigor en enero y afectará a unas dos millones de familias, según \
            los cálculos del ministerio, que espera ahora la respuesta de las comunidades autónomas.";
        assert_eq!(of_text(Some("en-US"), spanish).as_deref(), Some("es"));
        assert_eq!(of_text(Some("pt"), spanish).as_deref(), Some("pt"), "only English is asked about");
        assert_eq!(of_text(Some("en"), &spanish[..100]).as_deref(), Some("en"), "too short");
        let english = "The government passed a law on housing that limits what landlords may ask for in towns where \
            rents have gone up most. It will be in force from January, and two million families will pay less by the \
            count of the ministry, which now waits for an answer from the regions.";
        assert_eq!(of_text(Some("en-GB"), english).as_deref(), Some("en-GB"));
        let list =
            "Intel Core i7, Samsung SSD, Nvidia GeForce, Corsair Vengeance, Seasonic Focus, Noctua fans. ".repeat(8);
        assert_eq!(of_text(Some("en"), &list).as_deref(), Some("en"), "whatlang is not sure");
    }

    #[test]
    fn every_language_of_whatlang_has_a_short_code() {
        for lang in Lang::all() {
            assert_eq!(bcp47(*lang).len(), 2, "{lang}");
        }
    }
}
