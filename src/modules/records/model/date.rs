//! Civil dates as collections write them: `1979`, `1979-12`, `1979-12-06`, years before 1 with a minus sign. Each is a
//! span of days counted from 1970-01-01, on the Gregorian calendar carried backwards. A day may have its time behind it, as
//! instruments write it (`2020-05-30T04:57:37+02:00`): it counts as the day that is written.

/// First and last day of a date, or `None` where the text is none.
pub fn span(text: &str) -> Option<(i64, i64)> {
    match text.split_once(['T', ' ']) {
        Some((day, time)) if is_time(time) => dates(day).filter(|(from, to)| from == to),
        Some(_) => None,
        None => dates(text),
    }
}

/// `04:57`, `04:57:37`, `04:57:37.123Z`, `04:57:37+02:00`
fn is_time(text: &str) -> bool {
    let clock = text.strip_suffix('Z').unwrap_or_else(|| match text.rfind(['+', '-']) {
        Some(at) if is_clock(&text[at + 1..], 2) || number(&text[at + 1..], 4, 4).is_some() => &text[..at],
        _ => text,
    });
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let digits = (1..=9).contains(&fraction.len()) && fraction.bytes().all(|b| b.is_ascii_digit());
    digits && (is_clock(whole, 3) || (is_clock(whole, 2) && clock == whole))
}

/// Hours, minutes and perhaps seconds.
fn is_clock(text: &str, parts: usize) -> bool {
    let most = [23, 59, 60];
    let fits = |(part, most): (&str, i64)| number(part, 2, 2).is_some_and(|n| n <= most);
    text.split(':').count() == parts && text.split(':').zip(most).all(fits)
}

fn dates(text: &str) -> Option<(i64, i64)> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut parts = digits.split('-');
    let year = number(parts.next()?, 4, 6)?;
    let year = if negative { -year } else { year };
    let month = parts.next();
    let day = parts.next();
    if parts.next().is_some() {
        return None;
    }
    let Some(month) = month else {
        return Some((days(year, 1, 1), days(year, 12, 31)));
    };
    let month = number(month, 2, 2).filter(|m| (1..=12).contains(m))?;
    let last = month_length(year, month);
    let Some(day) = day else {
        return Some((days(year, month, 1), days(year, month, last)));
    };
    let day = number(day, 2, 2).filter(|d| (1..=last).contains(d))?;
    let day = days(year, month, day);
    Some((day, day))
}

fn number(text: &str, least: usize, most: usize) -> Option<i64> {
    let fits = (least..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

fn is_leap(year: i64) -> bool {
    year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0)
}

fn month_length(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date. Counts in years that begin in March, so that the leap day comes last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: Option<(i64, i64)>) {
        assert_eq!(span(text), want, "{text}");
    }

    #[test]
    fn reads_whole_and_partial_dates() {
        check("1970-01-01", Some((0, 0)));
        check("1970", Some((0, 364)));
        check("1972-02", Some((760 + 1, 760 + 29)));
        check("2000-02-29", Some((11_016, 11_016)));
        check("0001-01-01", Some((-719_162, -719_162)));
        check("-0043-03-15", span("-0043-03-15").map(|(from, _)| (from, from)));
    }

    #[test]
    fn a_time_leaves_the_day_as_it_is_written() {
        for time in [
            "T04:57",
            "T04:57:37",
            " 04:57:37",
            "T23:59:60.999999Z",
            "T04:57Z",
            "T00:30:00+02:00",
            "T23:30-0500",
        ] {
            check(&format!("1970-01-02{time}"), Some((1, 1)));
        }
    }

    #[test]
    fn refuses_what_is_no_date() {
        for text in [
            "",
            "79",
            "c. 1860",
            "1979-13",
            "1979-02-29",
            "1979-1-1",
            "1979-12-06T",
            "1979-12-06T24:00",
            "1979-12-06 noon",
            "1979-12T10:00",
            "1979-12-06T10:00+2",
            "1979-12-06T10:00.5",
            "1979-12-06-01",
            "--1",
            "١٩٧٩",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn days_follow_each_other() {
        let mut before = days(-5, 12, 31);
        for year in -4..=2100 {
            for month in 1..=12 {
                for day in 1..=month_length(year, month) {
                    let now = days(year, month, day);
                    assert_eq!(now, before + 1, "{year}-{month}-{day}");
                    before = now;
                }
            }
        }
    }
}
