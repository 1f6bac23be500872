//! What goes wrong on real pages, a page each: `data/cases`, on which the model was not trained.
//!
//! Each test says what must be in the article's text and what must not; and that the text as a whole is right: word F1
//! of at least [`LEAST`] against the blocks labelled body. It takes the embedded model as it is. What the model does not
//! do yet is in tests named `gap_`, which say how it fails: one that stops failing is to lose its `should_panic`.

use std::collections::BTreeSet;
use std::fs;

use lubb::gold::bare::{Bare, bare};
use lubb::gold::{self, GoldPage};
use lubb::page::Page;
use lubb::page::words::WordRule;
use lubb::report::metrics::word_scores;
use lubb::{Document, Extractor, Label, Output};

mod common;
use common::{labelled_blocks, listing};

const CASES: &str = "data/cases";

/// The least word F1 of a page's text.
const LEAST: f64 = 0.9;

/// A page of `data/cases` and what lubb makes of it.
struct Case {
    name: &'static str,
    document: Document,
    /// Labels and texts of its blocks as they should be.
    gold: Vec<(Label, String)>,
}

impl Case {
    fn of(name: &'static str) -> Case {
        let page: GoldPage =
            gold::read(CASES).unwrap().pages.into_iter().find(|page| page.id == format!("{name}.html")).unwrap();
        let extractor = Extractor::default().with_output(Output { blocks: true, ..Output::default() });
        Case { name, document: extractor.extract_page(&page.page().unwrap()), gold: labelled_blocks(&page) }
    }

    fn reference(&self) -> String {
        self.texts(&[Label::Body]).join("\n\n")
    }

    /// The texts of the blocks that should have one of these labels.
    fn texts(&self, labels: &[Label]) -> Vec<&str> {
        self.gold.iter().filter(|(label, _)| labels.contains(label)).map(|(_, text)| text.as_str()).collect()
    }

    fn scores_well(&self) -> &Self {
        let scores = word_scores(&self.document.text, &self.reference(), WordRule::default());
        assert!(scores.f1 >= LEAST, "{}: {scores:?}\n{}", self.name, self.document.text);
        self
    }

    fn has(&self, parts: &[&str]) -> &Self {
        for part in parts {
            assert!(self.reference().contains(part), "{}: no such words in its labelled body: {part}", self.name);
            assert!(self.document.text.contains(part), "{}: missing: {part}\n{}", self.name, self.document.text);
        }
        self
    }

    fn has_not(&self, parts: &[&str]) -> &Self {
        for part in parts {
            let is_there = self.gold.iter().any(|(label, text)| *label != Label::Body && text.contains(part));
            assert!(is_there, "{}: no such words outside of its labelled body: {part}", self.name);
            assert!(!self.document.text.contains(part), "{}: kept: {part}\n{}", self.name, self.document.text);
        }
        self
    }

    /// No block that should have one of these labels is taken for body.
    fn keeps_none_of(&self, labels: &[Label]) -> &Self {
        let blocks = self.document.blocks.as_ref().unwrap();
        assert_eq!(blocks.len(), self.gold.len(), "{}", self.name);
        let wrong = blocks.iter().zip(&self.gold).filter(|(b, (l, _))| b.label == Label::Body && labels.contains(l));
        let wrong: Vec<&str> = wrong.map(|(block, _)| block.text.as_str()).collect();
        assert!(wrong.is_empty(), "{}: kept: {wrong:#?}", self.name);
        self
    }
}

#[test]
fn every_page_has_a_label_for_every_block_and_a_test() {
    let set = gold::read(CASES).unwrap();
    assert!(set.problems.is_empty(), "{:?}", set.problems);
    let ids: BTreeSet<String> = set.pages.iter().map(|page| page.id.clone()).collect();
    let files = listing(CASES.as_ref()).into_iter().filter(|name| name.ends_with(".html"));
    assert_eq!(ids, files.collect());
    let tests = fs::read_to_string(file!()).unwrap();
    for page in &set.pages {
        // Panics where a block has no label.
        assert!(labelled_blocks(page).len() >= 20, "{}", page.id);
        assert!(tests.contains(&format!("\"{}\"", page.id.trim_end_matches(".html"))), "{}: no test", page.id);
    }
}

#[test]
fn cases_are_not_among_the_pages_to_train_on() {
    let headlines = |folder: &str| -> BTreeSet<String> {
        let blocks = gold::read(folder).unwrap().pages.iter().flat_map(labelled_blocks).collect::<Vec<_>>();
        blocks.into_iter().filter(|(label, _)| *label == Label::Headline).map(|(_, text)| text).collect()
    };
    assert!(headlines(CASES).is_disjoint(&headlines(common::LABELLED)));
}

#[test]
fn a_biography_that_pops_up_in_mid_sentence_is_cut_out_and_the_sentence_reads_on() {
    Case::of("ar-person-card")
        .has(&["حين دخلت المخرجة سهام بلقاسم إلى محطة تليلات أول مرة، لم تكن تبحث عن ديكور"])
        .has(&["ويؤدي الدور الحاج ميلود عثماني الذي رفض في البداية"]);
}

#[test]
fn a_biography_that_was_cut_out_is_not_kept() {
    Case::of("ar-person-card").has_not(&["تخرّجت في معهد السينما بلييج", "عمل ناظراً في السكك الحديدية"]);
}

#[test]
fn a_related_list_in_mid_sentence_is_cut_out() {
    Case::of("ar-person-card")
        .has(&["وقد وافقت شركة السكك على التصوير مجاناً، على أن يُنظَّف المكان"])
        .has_not(&["كيف صارت صالات وهران مخازن أثاث"]);
}

#[test]
fn a_lead_outside_the_body_element_is_kept() {
    Case::of("ar-live-updates").has(&["عمال الشحن يوقفون العمل في رصيفين من أصل سبعة"]);
}

#[test]
#[should_panic(expected = "missing: بلا نجوم")]
fn gap_a_lead_above_the_picture_is_kept() {
    Case::of("ar-person-card").has(&["بلا نجوم ولا ميزانية كبيرة، تحوّل سهام بلقاسم محطة"]);
}

#[test]
fn tags_inside_the_body_element_are_not_kept() {
    Case::of("ar-person-card").keeps_none_of(&[Label::Related, Label::Caption]).has_not(&["أفلام أولى"]);
}

#[test]
fn a_sentence_goes_on_after_a_card_or_a_box_of_links_that_closes_its_paragraph() {
    let case = Case::of("ar-oasis-canal");
    case.has_not(&["مهندسة ري من مواليد 1979", "قناة الري الشرقية: عشرون كيلومتراً"]).scores_well();
    for sentence in [
        "وقالت مديرة وكالة الحوض المائي ليلى الدرعاوي إن إصلاح القناة استغرق ثلاثة مواسم",
        "على أن تراجع في الربيع حين يقاس منسوب الماء في البئر الأم",
    ] {
        assert!(case.document.text.contains(sentence), "not in one: {sentence}\n{}", case.document.text);
    }
}

#[test]
fn an_article_in_noscript_is_kept_and_hidden_dialogues_are_not() {
    Case::of("ar-noscript-article")
        .has(&["أنهت ثلاثون امرأة من سبع مديريات", "يدفع كل بيت مبلغاً صغيراً مع موسم الدخن"])
        .has_not(&["ولا تسجل عنوان جهازك", "تعرض هذه النسخة النص فقط"])
        .scores_well();
}

#[test]
fn an_article_that_is_hidden_until_a_script_runs_is_kept_and_a_hidden_offer_is_not() {
    Case::of("ar-gold-day")
        .has(&["تراجعت أسعار الذهب في السوق السعودية صباح الأربعاء", "إن الإقبال تركز على السبائك الصغيرة"])
        .has_not(&["ملخص من خمس فقرات يصلك قبل افتتاح السوق", "فإنك توافق على سياسة الخصوصية"]);
}

#[test]
fn a_table_of_prices_that_is_the_articles_own_is_kept() {
    Case::of("ar-gold-day").has(&["عيار 24", "293.47", "2,253"]).scores_well();
}

#[test]
fn a_ticker_of_prices_above_an_article_on_prices_is_not_kept() {
    Case::of("ar-gold-day").has_not(&["11,842.10", "احسب القيمة"]).keeps_none_of(&[Label::Widget]);
}

#[test]
fn a_table_of_currencies_in_mid_body_is_not_kept() {
    Case::of("ar-lira-rates")
        .has(&["ويعتمد المصنع على قطن الجزيرة", "وأبدى صاحب معمل للجوارب"])
        .has_not(&["ليرة تركية", "الأسعار تقريبية"])
        .keeps_none_of(&[Label::Widget]);
}

#[test]
fn read_also_boxes_and_tags_in_mid_body_are_not_kept() {
    Case::of("ar-lira-rates")
        .has_not(&["القطن السوري: موسم أفضل ومحالج أقل", "#صناعة_النسيج"])
        .keeps_none_of(&[Label::Related, Label::Meta]);
}

#[test]
fn a_body_that_ends_with_disclaimers_and_offers_is_kept_in_arabic() {
    Case::of("ar-lira-rates").has(&["وهو طلب قدّمته الإدارة إلى الوزارة مرتين"]);
}

#[test]
fn no_offer_at_the_end_of_the_body_element_is_kept_in_arabic() {
    Case::of("ar-lira-rates")
        .has_not(&["حمّلوا تطبيق اقتصاد الشام", "انضموا إلى قناة", "انطلقت عام 2015 من دمشق"])
        .scores_well();
}

#[test]
fn a_body_that_ends_with_an_appeal_is_kept_in_english() {
    Case::of("en-closing-appeal").has(&["Parking at the north trailhead will stay free"]);
}

#[test]
fn no_offer_at_the_end_of_the_body_element_is_kept_in_english() {
    Case::of("en-closing-appeal").has_not(&["Sign up for The Headwaters", "republished free of charge"]);
}

#[test]
#[should_panic(expected = "kept: please chip in five dollars")]
fn gap_no_appeal_at_the_end_of_the_body_element_is_kept_in_english() {
    Case::of("en-closing-appeal").has_not(&["please chip in five dollars"]).scores_well();
}

#[test]
fn of_a_hidden_and_a_visible_copy_the_visible_one_is_kept() {
    let case = Case::of("ar-mobile-first");
    case.has(&["افتتحت بلدية نواكشوط الغربية"]).scores_well();
    assert_eq!(case.document.text.matches("غرفتي تبريد").count(), 1);
    let kept = case.document.blocks.as_ref().unwrap().iter().zip(&case.gold).filter(|(b, _)| b.label == Label::Body);
    assert!(kept.clone().any(|(_, (label, _))| *label == Label::Body));
    assert!(kept.clone().all(|(_, (label, _))| *label != Label::Nav), "{:?}", kept.collect::<Vec<_>>());
}

#[test]
fn a_second_visible_copy_is_not_kept() {
    let case = Case::of("fr-accordeon-copie");
    case.has(&["Depuis lundi, les premières caisses de langoustines"]).scores_well();
    assert_eq!(case.document.text.matches("perd une heure de pêche").count(), 1);
    case.keeps_none_of(&[Label::Nav]);
}

#[test]
fn articles_that_follow_below_are_not_kept() {
    let case = Case::of("ar-next-article");
    case.has(&["عاد رادار الطقس في مرصد الجبل", "في الأول من مارس"]).scores_well();
    case.keeps_none_of(&[Label::Related, Label::Nav]);
}

#[test]
fn of_labelled_copies_one_is_kept() {
    // Pages to train on; here it is the rule for copies that is tested.
    for (page, words) in [
        ("ar-two-copies", "وأوضح نقيب المهندسين السابق"),
        ("ar-print-copy", "وقال مدير المؤسسة إن الضخ بدأ"),
        ("ar-hidden", "وبحسب أرقام المبادرة، زار السوق"),
    ] {
        let bytes = fs::read(format!("{}/{page}.html", common::LABELLED)).unwrap();
        let text = Extractor::default().extract(&bytes, &lubb::Hints::default()).text;
        assert_eq!(text.matches(words).count(), 1, "{page}:\n{text}");
    }
}

#[test]
fn long_comments_under_a_short_body_are_not_kept() {
    Case::of("ar-village-comments")
        .has(&["أعلنت مديرية الصحة في طرطوس تأجيل افتتاح", "وإن المركز القديم سيبقى مفتوحاً حتى الظهر"])
        .has_not(&["وأنا أكتب من ذاكرة رجل", "ولا أسمح بهذا الكلام", "جمعنا قبل ثلاث سنوات ثمن جهاز"])
        .keeps_none_of(&[Label::Comment])
        .scores_well();
}

#[test]
fn a_short_body_beside_long_columns_of_others_is_kept() {
    Case::of("ar-opinion-boxes").has(&["أعلنت إدارة المكتبة المركزية بالرباط", "وستوفر الإدارة حافلتين"]);
}

#[test]
fn no_columns_of_others_beside_a_short_body_are_kept() {
    Case::of("ar-opinion-boxes")
        .has_not(&["كانت لالة زهور تجيد الفرنسية", "لم يكن الراديو في بيتنا جهازاً"])
        .keeps_none_of(&[Label::Related])
        .scores_well();
}

#[test]
fn questions_and_answers_of_an_interview_in_a_definition_list_are_kept() {
    Case::of("ar-dialogue-dl")
        .has(&["كيف تختار خشب العود؟", "تعلمت منه أن أكنس", "من زبائنك؟", "لا أعزف. أعرف صوتاً واحداً"])
        .has_not(&["تسجيل نادر لعازف قانون", "نسيت كلمة المرور؟"])
        .scores_well();
}

#[test]
fn ingredients_and_steps_of_a_recipe_in_list_items_are_kept() {
    Case::of("ar-dessert-steps")
        .has(&["سميد خشن", "ملعقة صغيرة بيكنج بودر", "افركي السميد بالسمن الدافئ", "الخطوات"])
        .has_not(&["مئة وصفة مجربة بالصور", "كنافة بالقشطة", "هل ينفع الحليب بدل الزبادي؟"])
        .scores_well();
}

#[test]
fn the_entries_of_a_live_blog_are_kept() {
    Case::of("ar-live-updates")
        .has(&["بدء جولة التفاوض الثالثة", "ينام في مقصورته منذ ليلتين", "وحدة إسعاف دائمة", "توقفت أربع رافعات"])
        .has_not(&["جولة داخل أقدم رصيف", "كيف تُحتسب رسوم الأرضيات؟"])
        .scores_well();
}

#[test]
fn the_times_of_a_live_blogs_entries_are_not_kept() {
    Case::of("ar-live-updates").has_not(&["16:45"]);
}

/// Walls, errors and shells in `data/no-article`; lubb still takes the last four, three of consent and a parked domain,
/// for articles.
const WALLS: &str = "ar-access-denied ar-account-suspended ar-bot-shuruq ar-loading-manara ar-maintenance-sahel \
    ar-server-error ar-shell-qafila ar-wall-404 ar-wall-500 ar-wall-challenge ar-wall-geo ar-wall-login \
    ar-wall-maintenance ar-wall-spa en-blocked-request en-checking-connection en-harvest-shell en-pardon-interruption \
    en-tracker-shell en-wall-410 en-wall-ratelimit es-wall-expired fa-wall-redirect fr-acces-refuse ru-proverka \
    ru-wall-502 tr-wall-browser ar-consent-riwaq de-zustimmung en-domain-parked fr-wall-cookies";

/// Articles in `data/no-article` with nothing around them.
const BARE: &str = "ar-brief-blocked ar-brief-missing ar-brief-outage ar-brief-robots ar-tiny-robot ar-tiny-site-down \
    de-brief-fehler en-brief-cookies en-brief-javascript en-tiny-note fr-brief-maintenance fr-tiny-breve";

/// Those of some pages whose names a list has, and the others.
fn listed(pages: Vec<Scored>, list: &str) -> (Vec<Scored>, Vec<Scored>) {
    pages.into_iter().partition(|(id, ..)| list.split_whitespace().any(|name| id.trim_end_matches(".html") == name))
}

#[test]
fn a_front_page_of_long_teasers_has_no_article() {
    let case = Case::of("ar-home-front");
    assert_eq!(case.reference(), "", "its labels");
    assert!(case.document.text.is_empty(), "ar-home-front: kept: {}", case.document.text);
}

/// A page's name, its text as labelled, and the word F1 of what lubb makes of it.
type Scored = (String, String, f64);

/// Of each page of a folder.
fn scores(folder: &str) -> Vec<Scored> {
    scores_of(folder, Some)
}

/// Of each page of a folder, changed before it is read; those of which nothing is left are left out.
fn scores_of(folder: &str, change: impl Fn(Page) -> Option<Page>) -> Vec<Scored> {
    let extractor = Extractor::default();
    let score = |page: GoldPage| {
        let body = labelled_blocks(&page).into_iter().filter(|(label, _)| *label == Label::Body);
        let reference = body.map(|(_, text)| text).collect::<Vec<_>>().join("\n\n");
        let text = extractor.extract_page(&change(page.page().unwrap())?).text;
        let f1 = word_scores(&text, &reference, WordRule::default()).f1;
        Some((page.id, reference, f1))
    };
    gold::read(folder).unwrap().pages.into_iter().filter_map(score).collect()
}

fn mean(scores: &[Scored]) -> f64 {
    scores.iter().map(|(.., f1)| f1).sum::<f64>() / scores.len() as f64
}

/// The first twelve pages of `data/held-out`: what a news site usually has.
const USUAL: [&str; 12] = [
    "ar-cement-results",
    "ar-debt-gulf-opinion",
    "ar-library-drupal",
    "ar-market-aspnet",
    "ar-power-jannah",
    "ar-reedhouse-blogger",
    "ar-roof-elementor",
    "ar-saffron-maghreb",
    "ar-storm-live",
    "ar-tram-egypt",
    "ar-wells-nextjs",
    "ar-wreck-angular",
];

/// Pages of as many content systems, 35 of them Arabic, written without sight of a model: what a user's new site gets.
/// The later 34 are hard on purpose, most of them. 0.98 and 0.97 in all when this was written.
#[test]
fn pages_of_systems_that_no_training_saw_score_well() {
    let all = scores("data/held-out");
    let is_usual = |page: &&(String, String, f64)| USUAL.contains(&page.0.trim_end_matches(".html"));
    let usual: Vec<_> = all.iter().filter(is_usual).cloned().collect();
    assert_eq!([usual.len(), all.len()], [12, 46]);
    assert!(mean(&usual) >= 0.95, "mean {}: {usual:?}", mean(&usual));
    assert!(mean(&all) >= 0.94, "mean {}: {all:?}", mean(&all));
}

/// Everyday pages of Arabic news sites without anything hard about them, written without sight of a model. 0.99 when this was
/// written.
#[test]
fn everyday_pages_score_very_well() {
    let all = scores("data/ordinary");
    assert_eq!(all.len(), 8);
    assert!(mean(&all) >= 0.97, "mean {}: {all:?}", mean(&all));
}

/// Pages whose article is not only paragraphs: quoted statements, verses, definition lists, tables, posts, signs of the zodiac.
/// Ten pages written without sight of a model, the like of which stands in the chrome around them. 0.98 when this was written.
#[test]
fn articles_in_lists_tables_quotations_and_verses_score_very_well() {
    let all = scores("data/forms");
    assert_eq!(all.len(), 10);
    assert!(mean(&all) >= 0.96, "mean {}: {all:?}", mean(&all));
}

/// Pages as they were built from 2003 to 2012, in twelve languages, written without sight of a model. 0.986 when this was
/// written.
#[test]
fn pages_of_twenty_years_ago_score_well() {
    let all = scores("data/older");
    assert_eq!(all.len(), 30);
    assert!(mean(&all) >= 0.97, "mean {}: {all:?}", mean(&all));
}

/// What is left when a page's markup says nothing: no names, headings, sections or paragraphs, nothing declared, no address.
/// 0.93 when this was written.
#[test]
fn pages_whose_names_are_taken_away_score_well() {
    let says_nothing =
        Bare { names: 0.0, address: false, sections: true, headings: true, paragraphs: true, cells: false };
    let all = scores_of("data/held-out", |page| bare(&page, says_nothing));
    assert!(all.len() >= 40, "{}", all.len());
    assert!(mean(&all) >= 0.91, "mean {}: {all:?}", mean(&all));
}

/// The model's weak spot, so that it does not get weaker unseen: lists and fronts, and articles of a sentence or two under
/// teasers, 14 of 26 and 0.93 when this was written. Apart from these, what should never fail.
#[test]
fn pages_of_a_sentence_or_of_none_are_right_as_often_as_they_were() {
    let (none, short): (Vec<_>, Vec<_>) = scores("data/no-article").into_iter().partition(|page| page.1.is_empty());
    let (walls, lists) = listed(none, WALLS);
    let (bare, short) = listed(short, BARE);
    assert_eq!([walls.len(), lists.len(), bare.len(), short.len()], [31, 26, 12, 34]);
    assert!(mean(&short) >= 0.88, "mean {}: {short:?}", mean(&short));
    assert!(mean(&lists) >= 0.45, "mean {}: {lists:?}", mean(&lists));
    let (open, told) = listed(walls, "ar-consent-riwaq de-zustimmung en-domain-parked fr-wall-cookies");
    assert!(told.iter().all(|(.., f1)| *f1 == 1.0), "walls: {told:?}");
    assert_eq!(open.len(), 4);
    assert!(bare.iter().all(|(.., f1)| *f1 >= 0.95), "bare: {bare:?}");
}
