//! Dates as pages write them, in several scripts and two calendars, to ISO 8601.

use std::sync::LazyLock;

use jiff::{ToSpan, civil};

use super::months::{MONTHS, fold, is_weekday};

/// How `05/03/2024` is read where both ways are possible.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The fifth of March, as most of the world writes.
    #[default]
    DayFirst,
    /// The third of May, as in the United States.
    MonthFirst,
}

/// Dates before this year are taken for mistakes: the web had no articles then.
const FIRST_YEAR: i16 = 1990;
/// How much of a text is looked at.
const WINDOW: usize = 400;

/// Reads a value that is meant to be a date, such as that of an attribute: whatever [`find`] finds, and also
/// `20240305` and seconds or milliseconds since 1970.
pub fn parse(value: &str, order: Order) -> Option<String> {
    let value = value.trim();
    if value.bytes().all(|b| b.is_ascii_digit()) {
        return match (value.len(), value.parse::<i64>()) {
            (8, Ok(n)) => plausible((n / 10_000) as i16, (n / 100 % 100) as i8, (n % 100) as i8).map(|d| d.to_string()),
            (10, Ok(n)) => from_epoch(n),
            (13, Ok(n)) => from_epoch(n / 1000),
            _ => None,
        };
    }
    find(value, order)
}

/// The first date in a running text, as `2024-03-05`, or with the time that follows it as `2024-03-05T14:30:00`,
/// with the offset from UTC if the text names one (`Z`, `GMT`, `+02:00`).
///
/// Months may be named in some twenty languages, digits may be Arabic-Indic, Persian or full-width, years may be of the
/// Persian (Jalali) or the Thai calendar. Dates before 1990 or more than a year ahead are passed over.
///
/// ```
/// use lubb::page::date::{Order, find};
/// assert_eq!(find("الأحد ٣ آذار/مارس ٢٠٢٤ - 14:30", Order::DayFirst).as_deref(), Some("2024-03-03T14:30:00"));
/// assert_eq!(find("Tue, 05 Mar 2024 09:00:00 +0200", Order::DayFirst).as_deref(), Some("2024-03-05T09:00:00+02:00"));
/// assert_eq!(find("۱۵ اسفند ۱۴۰۲", Order::DayFirst).as_deref(), Some("2024-03-05"));
/// // Not when it was updated.
/// let both = "آخر تحديث: 14 مارس 2023 | نشر: 12 مارس 2023";
/// assert_eq!(find(both, Order::DayFirst).as_deref(), Some("2023-03-12"));
/// ```
pub fn find(text: &str, order: Order) -> Option<String> {
    if !text.chars().any(char::is_numeric) {
        return None;
    }
    published(text).and_then(|text| find_first(&text, order)).or_else(|| find_first(text, order))
}

/// What comes after the word that a page was published, if the word that it was updated comes before that.
fn published(text: &str) -> Option<String> {
    const UPDATED: [&str; 7] =
        ["تحديث", "updated", "modified", "aktualisiert", "mis à jour", "actualizado", "güncelle"];
    const PUBLISHED: [&str; 7] = ["نشر", "نُشر", "published", "veröffentlicht", "publié", "publicado", "yayın"];
    let text = text.to_lowercase();
    let first = |text: &str, words: &[&str]| words.iter().filter_map(|word| text.find(word)).min();
    let updated = &text[first(&text, &UPDATED)?..];
    Some(updated[first(updated, &PUBLISHED)?..].to_owned())
}

fn find_first(text: &str, order: Order) -> Option<String> {
    let tokens = tokens(text);
    (0..tokens.len()).find_map(|at| {
        let reader = Reader { tokens: &tokens, order };
        let (date, end) = reader.date(at)?;
        Some(match reader.time(end).or_else(|| reader.time_before(at)) {
            Some((time, offset)) => format!("{}{}", date.to_datetime(time), offset),
            None => date.to_string(),
        })
    })
}

fn from_epoch(seconds: i64) -> Option<String> {
    let time = jiff::Timestamp::from_second(seconds).ok()?;
    let date = jiff::tz::Offset::UTC.to_datetime(time);
    plausible(date.year(), date.month(), date.day()).map(|_| format!("{date}Z"))
}

fn plausible(year: i16, month: i8, day: i8) -> Option<civil::Date> {
    static LATEST: LazyLock<civil::Date> = LazyLock::new(|| {
        let today = jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now()).date();
        today.saturating_add(1.year())
    });
    civil::Date::new(year, month, day).ok().filter(|date| year >= FIRST_YEAR && *date <= *LATEST)
}

/// A Persian date in the Gregorian calendar.
fn from_persian(year: i16, month: i8, day: i8) -> Option<civil::Date> {
    use calendrical_calculations::persian::{fast_persian_from_fixed, fixed_from_fast_persian};
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let fixed = fixed_from_fast_persian(year.into(), month as u8, day as u8);
    // Days that a month does not have would come out as days of the next.
    fast_persian_from_fixed(fixed).ok().filter(|&date| date == (year.into(), month as u8, day as u8))?;
    // Day 1 of the count is the first of January of the year 1.
    let days = fixed.to_i64_date() - 1;
    let date = civil::date(1, 1, 1).checked_add(days.days()).ok()?;
    plausible(date.year(), date.month(), date.day())
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number {
        value: i32,
        digits: usize,
    },
    Month {
        month: i8,
        persian: bool,
    },
    /// Any other word, folded.
    Word(String),
    Mark(char),
    Space,
}

fn tokens(text: &str) -> Vec<Token> {
    let text: Vec<char> = text.chars().take(WINDOW).flat_map(char::to_lowercase).filter_map(fold).collect();
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let run = |start: usize, test: fn(char) -> bool| text[start..].iter().take_while(|c| test(**c)).count();
        let first = text[at];
        if first.is_ascii_digit() {
            let digits = run(at, |c| c.is_ascii_digit());
            let value = text[at..at + digits].iter().collect::<String>().parse().unwrap_or(i32::MAX);
            tokens.push(Token::Number { value, digits });
            at += digits;
        } else if matches!(first, '年' | '月' | '日' | '년' | '월' | '일') {
            tokens.push(Token::Mark(first));
            at += 1;
        } else if first.is_alphabetic() {
            let letters = run(at, char::is_alphabetic);
            let mut word: String = text[at..at + letters].iter().collect();
            at += letters;
            // The Levantine and Kurdish names of four months are two words.
            if matches!(word.as_str(), "كانون" | "تشرين" | "كانووني" | "تشريني") {
                let spaces = run(at, char::is_whitespace);
                let second = run(at + spaces, char::is_alphabetic);
                word.extend(std::iter::once(' ').chain(text[at + spaces..at + spaces + second].iter().copied()));
                at += spaces + second;
            }
            tokens.push(match MONTHS.get(word.as_str()) {
                Some(&(month, persian)) => Token::Month { month, persian },
                None => Token::Word(word),
            });
        } else if first.is_whitespace() {
            tokens.push(Token::Space);
            at += run(at, char::is_whitespace);
        } else {
            tokens.push(Token::Mark(first));
            at += 1;
        }
    }
    tokens
}

fn has_word(list: &str, word: &str) -> bool {
    list.split(' ').any(|w| w == word)
}

struct Reader<'a> {
    tokens: &'a [Token],
    order: Order,
}

impl Reader<'_> {
    /// The date that begins at a token, and the place after it.
    fn date(&self, at: usize) -> Option<(civil::Date, usize)> {
        match *self.tokens.get(at)? {
            Token::Number { value, digits } if digits <= 4 && !self.continues_number(at) => {
                let numeric = self.numeric(at, value, digits);
                let named = || self.day_and_name(at, value, digits);
                let weekday = || self.year_and_weekday(at, value, digits);
                numeric.or_else(named).or_else(weekday).or_else(|| self.uyghur(at, value, digits))
            }
            Token::Month { month, persian } => {
                let (day, digits, next) = self.number(self.skip(at + 1))?;
                let (year, 4, next) = self.number(self.skip(next))? else { return None };
                (digits <= 2).then_some(())?;
                Some((resolve(year, month, day, persian)?, next))
            }
            _ => None,
        }
    }

    /// Whether the number before is joined to this one, as in version numbers and telephone numbers.
    fn continues_number(&self, at: usize) -> bool {
        at >= 2
            && matches!(self.tokens[at - 1], Token::Mark('.' | '-' | '/' | ':'))
            && matches!(self.tokens[at - 2], Token::Number { .. })
    }

    /// `2024-03-05`, `5.3.2024`, `03/05/2024`, `2024年3月5日`.
    fn numeric(&self, at: usize, first: i32, digits: usize) -> Option<(civil::Date, usize)> {
        let (mark, next) = self.mark(at + 1)?;
        let (second, 1..=2, next) = self.number(next)? else { return None };
        let (mark_2, next) = self.mark(next)?;
        let cjk = matches!((mark, mark_2), ('年', '月') | ('년', '월'));
        if !cjk && (mark != mark_2 || !matches!(mark, '-' | '/' | '.')) {
            return None;
        }
        let (third, third_digits, mut next) = self.number(next)?;
        if cjk && self.tokens.get(next).is_some_and(|t| matches!(t, Token::Mark('日' | '일'))) {
            next += 1;
        }
        let date = match (digits, third_digits) {
            (4, 1..=2) => resolve(first, second as i8, third, false),
            (1..=2, 4) => {
                let month_first = (self.order == Order::MonthFirst && mark != '.' && first <= 12) || second > 12;
                let (day, month) = if month_first { (second, first) } else { (first, second) };
                resolve(third, month as i8, day, false)
            }
            _ => None,
        }?;
        Some((date, next))
    }

    /// `5 March 2024`, `3 آذار/مارس 2024`, `2024 March 5`.
    fn day_and_name(&self, at: usize, first: i32, digits: usize) -> Option<(civil::Date, usize)> {
        let next = self.skip(at + 1);
        let Token::Month { month, persian } = *self.tokens.get(next)? else { return None };
        let mut next = self.skip(next + 1);
        if let Some(Token::Month { .. }) = self.tokens.get(next) {
            next = self.skip(next + 1);
        }
        let (second, second_digits, next) = self.number(next)?;
        let date = match (digits, second_digits) {
            (1..=2, 4) => resolve(second, month, first, persian),
            (4, 1..=2) => resolve(first, month, second, persian),
            _ => None,
        }?;
        Some((date, next))
    }

    /// `2024 الثلاثاء ,12 تشرين الثاني / نوفمبر`.
    fn year_and_weekday(&self, at: usize, year: i32, digits: usize) -> Option<(civil::Date, usize)> {
        let next = self.skip(at + 1);
        let Token::Word(weekday) = self.tokens.get(next)? else { return None };
        let (day, 1..=2, next) = self.number(self.skip(next + 1))? else { return None };
        let Token::Month { month, persian } = *self.tokens.get(self.skip(next))? else { return None };
        // A year after the month belongs to it.
        let (after, followed) = (self.skip(next) + 1, |at| matches!(self.number(self.skip(at)), Some((_, 4, _))));
        (digits == 4 && is_weekday(weekday) && !followed(after)).then_some(())?;
        Some((resolve(year, month, day, persian)?, after))
    }

    /// `2019-يىلى 11-ئاينىڭ 3-كۈنى`, in which each number has its word, "year", "month" and "day".
    fn uyghur(&self, at: usize, year: i32, digits: usize) -> Option<(civil::Date, usize)> {
        let part = |at: usize, word: &str| match self.tokens.get(at..at + 2)? {
            [Token::Mark('-'), Token::Word(found)] if found.starts_with(word) => Some(self.skip(at + 2)),
            _ => None,
        };
        let (month, 1..=2, next) = self.number(part(at + 1, "ييل")?)? else { return None };
        let (day, 1..=2, next) = self.number(part(next, "ئاي")?)? else { return None };
        let next = part(next, "كۈن")?;
        (digits == 4).then_some(())?;
        Some((resolve(year, i8::try_from(month).ok()?, day, false)?, next))
    }

    /// The time in `GMT 10:05` right before a date; without the zone it may be anything, such as a length.
    fn time_before(&self, at: usize) -> Option<(civil::Time, String)> {
        let start = at.checked_sub(6)?;
        let zone = matches!(&self.tokens[start], Token::Word(word) if matches!(word.as_str(), "gmt" | "utc"));
        let [Token::Space, hour, Token::Mark(':'), minute, Token::Space] = &self.tokens[start + 1..at] else {
            return None;
        };
        let (Token::Number { value: hour, .. }, Token::Number { value: minute, digits: 2 }) = (hour, minute) else {
            return None;
        };
        let time = civil::Time::new(i8::try_from(*hour).ok()?, i8::try_from(*minute).ok()?, 0, 0).ok()?;
        zone.then(|| (time, "Z".to_owned()))
    }

    fn number(&self, at: usize) -> Option<(i32, usize, usize)> {
        match *self.tokens.get(at)? {
            Token::Number { value, digits } => Some((value, digits, at + 1)),
            _ => None,
        }
    }

    /// A mark with white space around it allowed.
    fn mark(&self, at: usize) -> Option<(char, usize)> {
        let at = at + usize::from(self.tokens.get(at) == Some(&Token::Space));
        let Token::Mark(mark) = *self.tokens.get(at)? else { return None };
        Some((mark, at + 1 + usize::from(self.tokens.get(at + 1) == Some(&Token::Space))))
    }

    /// Past what may stand between the parts of a date with a named month.
    fn skip(&self, mut at: usize) -> usize {
        const JOINTS: &str = " de of del do st nd rd th er º the من في den ta ي ";
        let limit = at + 4;
        while at < limit {
            match self.tokens.get(at) {
                Some(Token::Space | Token::Mark(',' | '،' | '.' | '-' | '–' | '/' | '\'' | 'º' | '°')) => at += 1,
                Some(Token::Word(word)) if has_word(JOINTS, word) => at += 1,
                _ => break,
            }
        }
        at
    }

    /// The time of day that follows a date, with its offset as it is printed.
    fn time(&self, at: usize) -> Option<(civil::Time, String)> {
        const JOINTS: &str = " t г at um à a las в علي الساعه ساعه ساعت saat om kl klo alle ore às o ";
        let mut at = at;
        let limit = at + 7;
        while at < limit {
            match self.tokens.get(at) {
                Some(Token::Space | Token::Mark(',' | '،' | '-' | '–' | '—' | '|' | '•' | '·' | '(' | '@' | '.')) => {
                    at += 1
                }
                Some(Token::Word(word)) if has_word(JOINTS, word) => at += 1,
                _ => break,
            }
        }
        let (hour, 1..=2, next) = self.number(at)? else { return None };
        match self.tokens.get(next)? {
            Token::Mark(':') => {}
            Token::Word(word) if word == "h" => {}
            _ => return None,
        }
        let (minute, 2, mut next) = self.number(next + 1)? else { return None };
        let mut second = 0;
        if self.tokens.get(next) == Some(&Token::Mark(':'))
            && let Some((value, 2, after)) = self.number(next + 1)
        {
            (second, next) = (value, after);
            if let (Some(Token::Mark('.' | ',')), Some((_, _, after))) = (self.tokens.get(next), self.number(next + 1))
            {
                next = after;
            }
        }
        let (half, next) = self.half_of_day(next);
        let hour = match half {
            Some(pm) if hour <= 12 => hour % 12 + if pm { 12 } else { 0 },
            _ => hour,
        };
        let time = civil::Time::new(hour as i8, minute as i8, second as i8, 0).ok()?;
        Some((time, self.offset(next).unwrap_or_default()))
    }

    /// Whether `pm` or its like follows, and the place after it.
    fn half_of_day(&self, at: usize) -> (Option<bool>, usize) {
        let start = at + usize::from(self.tokens.get(at) == Some(&Token::Space));
        let word = |at: usize| match self.tokens.get(at) {
            Some(Token::Word(word)) => word.as_str(),
            _ => "",
        };
        let dotted = |second: &str| self.tokens.get(start + 1) == Some(&Token::Mark('.')) && word(start + 2) == second;
        let half = match word(start) {
            "am" | "ص" | "صباحا" => Some(false),
            "pm" | "م" | "مساء" | "مساءا" => Some(true),
            "a" if dotted("m") => return (Some(false), start + 4),
            "p" if dotted("m") => return (Some(true), start + 4),
            "ق" if dotted("ظ") => return (Some(false), start + 4),
            "ب" if dotted("ظ") => return (Some(true), start + 4),
            _ => return (None, at),
        };
        (half, start + 1)
    }

    fn offset(&self, at: usize) -> Option<String> {
        let mut at = at + usize::from(self.tokens.get(at) == Some(&Token::Space));
        let mut utc = None;
        if let Some(Token::Word(word)) = self.tokens.get(at)
            && matches!(word.as_str(), "z" | "utc" | "gmt")
        {
            utc = Some("Z".to_owned());
            at += 1;
        }
        let sign = match self.tokens.get(at) {
            Some(Token::Mark(sign @ ('+' | '-'))) => *sign,
            _ => return utc,
        };
        let Some((value, digits, next)) = self.number(at + 1) else { return utc };
        let (hours, minutes) = match digits {
            4 => (value / 100, value % 100),
            1..=2 => match (self.tokens.get(next), self.number(next + 1)) {
                (Some(Token::Mark(':')), Some((minutes, 2, _))) => (value, minutes),
                _ => (value, 0),
            },
            _ => return utc,
        };
        if hours > 14 || minutes > 59 {
            return utc;
        }
        Some(if hours == 0 && minutes == 0 { "Z".to_owned() } else { format!("{sign}{hours:02}:{minutes:02}") })
    }
}

/// A year between 1300 and 1450 is Persian, one of the years from 2500 on Thai, 543 ahead; as an Islamic year it would lie before 1990 or belong to another month.
fn resolve(year: i32, month: i8, day: i32, persian: bool) -> Option<civil::Date> {
    let (year, day) = (i16::try_from(year).ok()?, i8::try_from(day).ok()?);
    match (persian, year) {
        (_, 1300..=1450) => from_persian(year, month, day),
        (false, 2500..=2700) => plausible(year - 543, month, day),
        (false, _) => plausible(year, month, day),
        (true, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, date: &str) {
        assert_eq!(parse(text, Order::DayFirst).as_deref().unwrap_or(""), date, "{text}");
    }

    #[test]
    fn what_machines_write() {
        check("2024-03-05", "2024-03-05");
        check("2024-03-05T14:30:00.123Z", "2024-03-05T14:30:00Z");
        check("2024-03-05T14:30:00+0300", "2024-03-05T14:30:00+03:00");
        check("2024-03-05T14:30-05:00", "2024-03-05T14:30:00-05:00");
        check("2024-03-05 14:30", "2024-03-05T14:30:00");
        check("Tue, 05 Mar 2024 14:30:00 GMT", "2024-03-05T14:30:00Z");
        check("20240305", "2024-03-05");
        check("1709648400", "2024-03-05T14:20:00Z");
        check("1709648400000", "2024-03-05T14:20:00Z");
    }

    #[test]
    fn names_of_months() {
        check("نشر في: الثلاثاء 5 مارس 2024 الساعة 2:30 م", "2024-03-05T14:30:00");
        check("٥ كانون الثاني ٢٠٢٤", "2024-01-05");
        check("05 تشرين الأول / أكتوبر 2023", "2023-10-05");
        check("12 جانفي 2024", "2024-01-12");
        check("16 غشت 2023 - 10:05", "2023-08-16T10:05:00");
        check("12 نونبر 2024 على 10:30", "2024-11-12T10:30:00");
        check("GMT 10:05 2024 الثلاثاء ,12 تشرين الثاني / نوفمبر", "2024-11-12T10:05:00Z");
        check("2024 الثلاثاء ,12 نوفمبر", "2024-11-12");
        check("في 2019 السبت 12 نوفمبر 2024", "2024-11-12");
        check("منذ 2019 حضر 12 نوفمبر", "");
        check("Published March 5th, 2024 at 2:30 p.m. EST", "2024-03-05T14:30:00");
        check("1er août 2023 à 14h30", "2023-08-01T14:30:00");
        check("5. März 2024, 09:15 Uhr", "2024-03-05T09:15:00");
        check("5 de marzo de 2024", "2024-03-05");
        check("5 марта 2024 г., 10:00", "2024-03-05T10:00:00");
        check("2024年3月5日 14:30", "2024-03-05T14:30:00");
    }

    #[test]
    fn the_persian_calendar() {
        check("۱ فروردین ۱۴۰۳", "2024-03-20");
        check("۱۴۰۲/۱۲/۳۰", "");
        check("1403/12/30", "2025-03-20");
        check("سه‌شنبه ۱۵ اسفند ۱۴۰۲ - ۱۴:۳۰", "2024-03-05T14:30:00");
        check("15 رمضان 1445", "");
    }

    #[test]
    fn names_of_months_in_hebrew_thai_kurdish_and_uyghur() {
        check("3 בנובמבר 2019, 14:30", "2019-11-03T14:30:00");
        check("3 พฤศจิกายน 2562 14:30 น.", "2019-11-03T14:30:00");
        check("28 กุมภาพันธ์ 2563", "2020-02-28");
        check("٣ی تشرینی دووەمی ٢٠١٩", "2019-11-03");
        check("12ی ئاداری 2020", "2020-03-12");
        check("2019-يىلى 11-ئاينىڭ 3-كۈنى", "2019-11-03");
        check("2019-يىلى 14-ئاينىڭ 3-كۈنى", "");
        check("2562-11-03T14:30:00+07:00", "2019-11-03T14:30:00+07:00");
        check("03/11/2562", "2019-11-03");
        check("2899-11-03", "");
    }

    #[test]
    fn the_order_of_day_and_month() {
        assert_eq!(parse("05/03/2024", Order::DayFirst).as_deref(), Some("2024-03-05"));
        assert_eq!(parse("05/03/2024", Order::MonthFirst).as_deref(), Some("2024-05-03"));
        assert_eq!(parse("13/03/2024", Order::MonthFirst).as_deref(), Some("2024-03-13"));
        assert_eq!(parse("03/13/2024", Order::DayFirst).as_deref(), Some("2024-03-13"));
        assert_eq!(parse("05.03.2024", Order::MonthFirst).as_deref(), Some("2024-03-05"));
    }

    #[test]
    fn what_is_no_date_of_an_article() {
        for text in [
            "",
            "5 March 1875",
            "31/02/2024",
            "2199-01-01",
            "+1 555 03 2024",
            "1.2.3.2024",
            "version 2024",
            "0000-00-00",
        ] {
            check(text, "");
        }
        check("1548 07:08:59 2015-10-15", "2015-10-15");
        check("08.06.2018 | 11:26", "2018-06-08T11:26:00");
        check("من 1875، نشر 5 مارس 2024", "2024-03-05");
    }
}
