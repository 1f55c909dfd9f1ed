//! Dates as people type them, each as its first and last day: `1979`, `1979-12`, `1979-12-06`, `1890s`, `1800s`, `189x`,
//! `c.1850`, `today`, `today-30d`, and whatever else records have, as `kernel::civil` reads it. Days are counted from 1970-01-01.

use crate::kernel::civil::{self, ABOUT, calendar};

/// Days, months or years that can be counted from today.
const FAR: i64 = 100_000;
const DAY_MS: i64 = 86_400_000;

/// The day it is, for `today` and what is counted from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Day(pub i64);

impl Day {
    /// The day of a time in milliseconds, in UTC.
    pub fn of(ms: i64) -> Self {
        Self(ms.div_euclid(DAY_MS))
    }
}

/// First and last day of any date that can be typed.
pub(super) fn typed(text: &str, today: Day) -> Option<(i64, i64)> {
    days(text)
        .or_else(|| several(text))
        .or_else(|| about(text))
        .or_else(|| counted(text, today))
        .or_else(|| civil::span(&civil::read(text).ok()?))
}

/// First and last day of `1979`, `1979-12` or `1979-12-06`, years before our era with a minus.
pub(crate) fn days(text: &str) -> Option<(i64, i64)> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let mut parts = digits.split('-');
    let year = sign * number(parts.next()?, 6)?;
    let (month, day) = (parts.next(), parts.next());
    if parts.next().is_some() {
        return None;
    }
    let Some(month) = month else {
        return Some(calendar::years(year, year));
    };
    let month = number(month, 2).filter(|m| (1..=12).contains(m))?;
    let (first, last) = calendar::month(year, month);
    let Some(day) = day else { return Some((first, last)) };
    let day = first + number(day, 2).filter(|d| *d >= 1)? - 1;
    (day <= last).then_some((day, day))
}

fn number(text: &str, max: usize) -> Option<i64> {
    let digits = !text.is_empty() && text.len() <= max && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// `1890s`, `1800s`, `189x`, `18xx`.
fn several(text: &str) -> Option<(i64, i64)> {
    if let Some(year) = text.strip_suffix('s').or_else(|| text.strip_suffix("'s")) {
        let year = number(year, 4).filter(|year| year % 10 == 0 && *year >= 100)?;
        let length = if year % 100 == 0 { 100 } else { 10 };
        return Some(calendar::years(year, year + length - 1));
    }
    let known = text.trim_end_matches(['x', 'X']);
    let open = text.len() - known.len();
    if text.len() != 4 || !(1..=2).contains(&open) {
        return None;
    }
    let length = if open == 1 { 10 } else { 100 };
    let first = number(known, 3)? * length;
    Some(calendar::years(first, first + length - 1))
}

/// `c.1850`, `c1850`, `ca.1850`, `circa1850`, `~1850`: some years around it.
fn about(text: &str) -> Option<(i64, i64)> {
    let starts = ["circa", "ca.", "ca", "c.", "c", "~"];
    let rest = starts.iter().find_map(|start| {
        let begin = text.get(..start.len())?;
        begin
            .eq_ignore_ascii_case(start)
            .then(|| text[start.len()..].trim_start())
    })?;
    if let Some(year) = number(rest, 4).filter(|_| rest.len() >= 3) {
        return Some(calendar::years(year - ABOUT, year + ABOUT));
    }
    several(rest).map(|(from, to)| (from - ABOUT * 365, to + ABOUT * 365))
}

/// `today`, `yesterday`, `today-30d`, `today+2w`, `today-6m`, `today-1y`.
fn counted(text: &str, today: Day) -> Option<(i64, i64)> {
    let text = text.to_ascii_lowercase();
    let rest = match text.as_str() {
        "yesterday" => "-1d",
        text => text.strip_prefix("today").or_else(|| text.strip_prefix("now"))?,
    };
    if rest.is_empty() {
        return Some((today.0, today.0));
    }
    let (sign, rest) = match rest.split_at_checked(1)? {
        ("-", rest) => (-1, rest),
        ("+", rest) => (1, rest),
        _ => return None,
    };
    let (count, unit) = rest.split_at_checked(rest.len().checked_sub(1)?)?;
    let count = sign * number(count, 6).filter(|n| *n <= FAR)?;
    let day = match unit {
        "d" => today.0 + count,
        "w" => today.0 + 7 * count,
        "m" => months_on(today, count),
        "y" => months_on(today, 12 * count),
        _ => return None,
    };
    Some((day, day))
}

/// The same day so many months on, or the last one of a shorter month.
fn months_on(today: Day, months: i64) -> i64 {
    let (year, month, day) = calendar::date(today.0);
    let at = year * 12 + month - 1 + months;
    let (first, last) = calendar::month(at.div_euclid(12), at.rem_euclid(12) + 1);
    (first + day - 1).min(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: Day = Day(20_000);

    #[test]
    fn days_are_counted() {
        assert_eq!(days("1970"), Some((0, 364)));
        assert_eq!(days("1970-01-02"), Some((1, 1)));
        assert_eq!(days("2000-02"), Some((11_016 - 28, 11_016)));
        assert_eq!(days("1969-12-31"), Some((-1, -1)));
        assert_eq!(days("2023-02-29"), None);
        assert_eq!(days("1979-13"), None);
        assert!(days("-0500").unwrap().0 < days("0001").unwrap().0);
        for garbage in ["", "-", "--", "1979-", "99999999999", "1979-1-1-1", "१९७९"] {
            assert_eq!(days(garbage), None, "{garbage}");
        }
    }

    #[test]
    fn dates_are_less_exact_where_people_are() {
        let span = |from: &str, to: &str| Some((days(from).unwrap().0, days(to).unwrap().1));
        for (text, from, to) in [
            ("1890s", "1890", "1899"),
            ("1800s", "1800", "1899"),
            ("189x", "1890", "1899"),
            ("18XX", "1800", "1899"),
            ("c.1850", "1845", "1855"),
            ("c1850", "1845", "1855"),
            ("Circa 1850", "1845", "1855"),
            ("~1850", "1845", "1855"),
            ("1850~", "1845", "1855"),
            ("185X", "1850", "1859"),
            ("19th century", "1800", "1899"),
            ("1850/1900", "1850", "1900"),
            ("1850-1900", "1850", "1900"),
            ("Dec 1979", "1979-12", "1979-12"),
        ] {
            assert_eq!(typed(text, TODAY), span(from, to), "{text}");
        }
        assert_eq!(
            typed("before 1900", TODAY),
            Some((civil::OPEN_FIRST, days("1900").unwrap().1))
        );
        for text in [
            "c.", "c.18", "18x", "xxxx", "1895s", "s", "cat", "", "é", "today-", "today-5", "today-xd", "todayd",
        ] {
            assert_eq!(typed(text, TODAY), None, "{text}");
        }
    }

    #[test]
    fn days_are_counted_from_today() {
        // 2024-10-04
        assert_eq!(calendar::date(TODAY.0), (2024, 10, 4));
        for (text, day) in [
            ("today", "2024-10-04"),
            ("TODAY-30d", "2024-09-04"),
            ("today+2w", "2024-10-18"),
            ("now-6m", "2024-04-04"),
            ("today-1y", "2023-10-04"),
            ("yesterday", "2024-10-03"),
        ] {
            assert_eq!(typed(text, TODAY), days(day), "{text}");
        }
        let last = Day(days("2024-03-31").unwrap().0);
        assert_eq!(typed("today-1m", last), days("2024-02-29"));
    }
}
