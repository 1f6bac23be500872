//! Names of months and days in the languages and calendars that dates are read in.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Whether a word is the name of a month or of a day of the week.
pub(super) fn is_of_a_date(word: &str) -> bool {
    let word = word.trim_end_matches([',', '،', '.', ':']);
    let word: String = word.chars().flat_map(char::to_lowercase).filter_map(fold).collect();
    MONTHS.contains_key(word.as_str()) || is_weekday(&word)
}

/// Whether a folded word is the name of a day of the week.
pub(super) fn is_weekday(word: &str) -> bool {
    WEEKDAYS.split_whitespace().any(|day| day == word)
}

/// Days of the week, folded, of the languages that bylines are read in.
const WEEKDAYS: &str = "monday tuesday wednesday thursday friday saturday sunday \
    montag dienstag mittwoch donnerstag freitag samstag sonntag lundi mardi mercredi jeudi vendredi samedi dimanche \
    lunes martes miércoles jueves viernes sábado domingo الاحد الاثنين الثلاثاء الاربعاء الخميس الجمعه السبت \
    شنبه يكشنبه دوشنبه سهشنبه چهارشنبه پنجشنبه جمعه";

/// One spelling for the letters and digits that keyboards of the Arabic script write in several ways.
pub(super) fn fold(c: char) -> Option<char> {
    Some(match c {
        '٠'..='٩' => (b'0' + (c as u32 - '٠' as u32) as u8) as char,
        '۰'..='۹' => (b'0' + (c as u32 - '۰' as u32) as u8) as char,
        '０'..='９' => (b'0' + (c as u32 - '０' as u32) as u8) as char,
        'أ' | 'إ' | 'آ' => 'ا',
        'ی' | 'ى' => 'ي',
        'ک' => 'ك',
        'ة' => 'ه',
        '−' => '-',
        '\u{2044}' => '/',
        // Tatweel, vowel signs, joiners and direction marks; U+0307 is what lower-casing leaves of the Turkish İ.
        'ـ' | '\u{64b}'..='\u{652}' | '\u{307}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => return None,
        // What a Thai letter is silent by, which is no letter.
        '\u{e4c}' => return None,
        '\u{2066}'..='\u{2069}' | '\u{61c}' | '\u{feff}' => return None,
        c => c,
    })
}

/// Names of months, folded, with the number of the month and whether it is of the Persian calendar.
pub(super) static MONTHS: LazyLock<HashMap<String, (i8, bool)>> = LazyLock::new(|| {
    let mut months = HashMap::new();
    for (persian, table) in [(false, &GREGORIAN), (true, &PERSIAN)] {
        for (number, names) in (1..).zip(table.iter()) {
            for name in names.split_whitespace() {
                let name = name.replace('_', " ").chars().filter_map(fold).collect();
                months.insert(name, (number, persian));
            }
        }
    }
    months
});

/// English, French, German, Spanish, Italian, Portuguese, Dutch, Turkish, Indonesian, Russian, Ukrainian, Polish,
/// then Arabic of Egypt and the Gulf, of the Levant and Iraq, of the Maghreb, then Persian, Urdu, Central Kurdish with and
/// without the vowel that joins the year, Hebrew with and without "in", and Thai.
const GREGORIAN: [&str; 12] = [
    "january jan janvier janv januar jänner enero ene gennaio gen janeiro januari ocak oca января янв січня stycznia \
     يناير كانون_الثاني كانون_ثاني جانفي ژانویه جنوری \
     کانوونی_دووەم کانوونی_دووەمی ינואר בינואר มกราคม",
    "february feb february févr février fév fevrier februar febrero febbraio fevereiro fev februari şubat şub февраля фев \
     лютого lutego فبراير شباط فيفري فوریه فبراير فروری \
     شوباتی פברואר בפברואר กุมภาพันธ์",
    "march mar mars märz maerz marzo março marco maart mrt mart maret марта мар березня marca مارس آذار مارچ \
     ئازار ئازاری ئادار ئاداری מרץ במרץ มีนาคม",
    "april apr avril avr abril abr aprile april nisan nis апреля апр квітня kwietnia أبريل إبريل نيسان أفريل آوریل اپریل \
     نیسانی אפריל באפריל เมษายน",
    "may mai mayo maggio mag maio mei mayıs мая май травня maja مايو أيار ماي مه می مئی \
     ئایار ئایاری מאי במאי พฤษภาคม",
    "june jun juin juni junio jun giugno giu junho haziran haz июня июн червня czerwca يونيو يونيه حزيران جوان ژوئن جون \
     حوزەیران حوزەیرانی יוני ביוני มิถุนายน",
    "july jul juillet juil juli julio luglio lug julho temmuz tem июля июл липня lipca يوليو يوليه تموز جويلية يوليوز ژوئیه \
     جولای جولائی \
     تەممووز تەممووزی تەمموز تەمموزی יולי ביולי กรกฎาคม",
    "august aug août aout agosto ago ağustos ağu agustus augustus августа авг серпня sierpnia أغسطس آب أوت غشت اوت اگست \
     ئاب ئابی אוגוסט באוגוסט สิงหาคม",
    "september sep sept septembre septiembre setembro settembre set eylül eyl сентября сен вересня września سبتمبر أيلول شتنبر \
     سپتامبر ستمبر \
     ئەیلوول ئەیلوولی ספטמבר בספטמבר กันยายน",
    "october oct octobre oktober okt octubre ottobre ott outubro out ekim eki oktober октября окт жовтня października أكتوبر \
     تشرين_الأول تشرين_اول اکتبر اکتوبر \
     تشرینی_یەکەم تشرینی_یەکەمی אוקטובר באוקטובר ตุลาคม",
    "november nov novembre noviembre novembro kasım kas ноября ноя листопада listopada نوفمبر تشرين_الثاني تشرين_ثاني نونبر \
     نوامبر نومبر \
     تشرینی_دووەم تشرینی_دووەمی נובמבר בנובמבר พฤศจิกายน",
    "december dec décembre déc decembre dezember dez diciembre dic dicembre dezembro desember des aralık ara декабря дек грудня \
     grudnia ديسمبر كانون_الأول كانون_اول دجنبر دسامبر دسمبر \
     کانوونی_یەکەم کانوونی_یەکەمی דצמבר בדצמבר ธันวาคม",
];

/// Iran's names, then Afghanistan's.
const PERSIAN: [&str; 12] = [
    "فروردین حمل",
    "اردیبهشت ثور",
    "خرداد جوزا",
    "تیر سرطان",
    "مرداد اسد",
    "شهریور سنبله",
    "مهر میزان",
    "آبان عقرب",
    "آذر قوس",
    "دی جدی",
    "بهمن دلو",
    "اسفند حوت",
];
