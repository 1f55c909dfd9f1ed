//! Civil dates as collections write them: `1979`, `1979-12`, `1979-12-06`, years before 1 with a minus sign. Each is a
//! span of days counted from 1970-01-01, on the Gregorian calendar carried backwards.

/// First and last day of a date, or `None` where the text is none.
pub fn span(text: &str) -> Option<(i64, i64)> {
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
    fn refuses_what_is_no_date() {
        for text in [
            "",
            "79",
            "c. 1860",
            "1979-13",
            "1979-02-29",
            "1979-1-1",
            "1979-12-06T00:00",
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
