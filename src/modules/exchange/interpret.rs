//! Numbers and dates as people write them, read by what they said of them: the decimal sign, the order of day, month and
//! year. Nothing is guessed: what does not fit completely is `None` and stays the text it is. No I/O.
//!
//! Numbers: an optional sign, digits, thousands grouped in threes by one kind of sign (a point or comma, whichever is not
//! the decimal sign, a space of any width, an apostrophe), the decimal sign, digits; at most 15 digits. `1.234,50` with a
//! decimal comma becomes `1234.5`. A number that begins with a zero too many, such as `007`, is none.
//!
//! Dates: day, month and a year of four digits with `.`, `/`, `-` or a space between, such as `3.4.1921` or `03/04/1921`,
//! become `1921-04-03`; month and year alone, `4/1921`, `1921-04`. A date that begins with the year is read in any order that is said.
//! Years of two digits are none, nor days that are not in the calendar.

use serde_json::{Map, Value};

use crate::contract::exchange::{DateOrder, Decimal, Reading};

const DIGITS: usize = 15;

/// A number written by people, as a plain one.
pub fn number(text: &str, decimal: Decimal) -> Option<String> {
    let text = text.trim();
    let (minus, rest) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (sign, other) = match decimal {
        Decimal::Comma => (',', '.'),
        Decimal::Point => ('.', ','),
    };
    let (whole, fraction) = match rest.split_once(sign) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (rest, None),
    };
    let whole = ungrouped(whole, other)?;
    let fraction = fraction.unwrap_or_default();
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let sound = digits(&whole) && digits(fraction) && !whole.is_empty() && !(rest.ends_with(sign));
    if !sound || (whole.len() > 1 && whole.starts_with('0')) || whole.len() + fraction.len() > DIGITS {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let zero = whole == "0" && fraction.is_empty();
    let minus = if minus && !zero { "-" } else { "" };
    Some(if fraction.is_empty() {
        format!("{minus}{whole}")
    } else {
        format!("{minus}{whole}.{fraction}")
    })
}

/// Whole digits without the signs between thousands.
fn ungrouped(text: &str, other: char) -> Option<String> {
    let is_group = |c: char| c == other || matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '\'' | '\u{2019}');
    let Some(sign) = text.chars().find(|c| is_group(*c)) else {
        return Some(text.to_owned());
    };
    let mut groups = text.split(sign);
    let first = groups.next()?;
    let rest: Vec<&str> = groups.collect();
    let sound = (1..=3).contains(&first.len()) && rest.iter().all(|group| group.len() == 3);
    sound.then(|| first.to_owned() + &rest.concat())
}

/// The two numbers of a date that are no year, and whether the year comes first.
pub fn date_parts(text: &str) -> Option<(u32, u32, bool)> {
    let (parts, _) = parts(text)?;
    let [a, b, c] = parts.as_slice() else { return None };
    let small = |part: &&str| part.len() <= 2;
    let number = |part: &str| part.parse::<u32>().ok().filter(|n| (1..=31).contains(n));
    if a.len() == 4 && small(b) && small(c) {
        return Some((number(b)?, number(c)?, true));
    }
    (c.len() == 4 && small(a) && small(b)).then_some(())?;
    let (a, b) = (number(a)?, number(b)?);
    (a <= 12 || b <= 12).then_some((a, b, false))
}

/// The numbers of a date and the sign between them.
fn parts(text: &str) -> Option<(Vec<&str>, char)> {
    let text = text.trim();
    let sign = text.chars().find(|c| !c.is_ascii_digit())?;
    if !matches!(sign, '.' | '/' | '-' | ' ') || text.len() > 14 {
        return None;
    }
    let parts: Vec<&str> = text.split(sign).map(str::trim).collect();
    let digits = |part: &&str| (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    ((2..=3).contains(&parts.len()) && parts.iter().all(digits)).then_some((parts, sign))
}

/// A date written by people, as an ISO one.
pub fn date(text: &str, order: DateOrder) -> Option<String> {
    let (parts, sign) = parts(text)?;
    let number = |part: &str| part.parse::<i16>().ok();
    match parts.as_slice() {
        [year, month] if year.len() == 4 && month.len() <= 2 => partial(number(year)?, number(month)?),
        // `4.1921` may be a number.
        [month, year] if year.len() == 4 && month.len() <= 2 && matches!(sign, '/' | '-') => {
            partial(number(year)?, number(month)?)
        }
        [a, b, c] => {
            let (year, month, day) = match order {
                _ if a.len() == 4 => (a, b, c),
                DateOrder::Dmy => (c, b, a),
                DateOrder::Mdy => (c, a, b),
                DateOrder::Ymd => return None,
            };
            if year.len() != 4 || month.len() > 2 || day.len() > 2 {
                return None;
            }
            let (month, day) = (i8::try_from(number(month)?).ok()?, i8::try_from(number(day)?).ok()?);
            let date = jiff::civil::Date::new(number(year)?, month, day).ok()?;
            Some(date.to_string())
        }
        _ => None,
    }
}

fn partial(year: i16, month: i16) -> Option<String> {
    (1..=12).contains(&month).then(|| format!("{year:04}-{month:02}"))
}

/// A row of texts with everything read that can be, to find out which kinds its columns have.
pub fn row(row: &Map<String, Value>, reading: &Reading) -> Map<String, Value> {
    let read = |text: &str| {
        let number = reading.decimal.and_then(|decimal| number(text, decimal));
        number.or_else(|| reading.date_order.and_then(|order| date(text, order)))
    };
    let cell = |(name, value): (&String, &Value)| {
        let value = match value {
            Value::String(text) => read(text).map_or_else(|| value.clone(), Value::String),
            other => other.clone(),
        };
        (name.clone(), value)
    };
    row.iter().map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_by_their_decimal_sign() {
        let comma = |text| number(text, Decimal::Comma);
        for (text, want) in [
            ("1.234,50", "1234.5"),
            ("12,5", "12.5"),
            ("-0,25", "-0.25"),
            ("1 234 567,0", "1234567"),
            ("1'234", "1234"),
            ("7", "7"),
            ("\u{2212}3,10", "-3.1"),
            ("+5", "5"),
            ("-0,0", "0"),
            ("1\u{a0}000,5", "1000.5"),
            ("1.234", "1234"),
        ] {
            assert_eq!(comma(text).as_deref(), Some(want), "{text}");
        }
        for text in [
            "",
            "1.5",
            "007",
            "1,2,3",
            "1.23.456",
            "12.34",
            "1,",
            ",5",
            "a",
            "1 2",
            "1.234 567",
            "1234567890123456",
            "1e5",
            "--1",
            "12 cm",
        ] {
            assert_eq!(comma(text), None, "{text}");
        }
        assert_eq!(number("1,234.5", Decimal::Point).as_deref(), Some("1234.5"));
        assert_eq!(number("1,5", Decimal::Point), None);
    }

    #[test]
    fn dates_by_their_order() {
        let cases = [
            ("3.4.1921", Some("1921-04-03"), Some("1921-03-04")),
            ("03/04/1921", Some("1921-04-03"), Some("1921-03-04")),
            ("31-12-1999", Some("1999-12-31"), None),
            ("12/31/1999", None, Some("1999-12-31")),
            ("1921/4/3", Some("1921-04-03"), Some("1921-04-03")),
            ("4/1921", Some("1921-04"), Some("1921-04")),
            ("1921-04", Some("1921-04"), Some("1921-04")),
            ("29.2.1900", None, None),
            ("3.4.21", None, None),
            ("1921", None, None),
            ("3.4", None, None),
            ("ca. 1921", None, None),
            ("13.13.1921", None, None),
            ("3/4-1921", None, None),
        ];
        for (text, dmy, mdy) in cases {
            assert_eq!(date(text, DateOrder::Dmy).as_deref(), dmy, "{text}");
            assert_eq!(date(text, DateOrder::Mdy).as_deref(), mdy, "{text}");
        }
        assert_eq!(date("3.4.1921", DateOrder::Ymd), None);
    }
}
