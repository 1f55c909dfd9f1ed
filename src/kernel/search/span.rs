//! Spans of numbers and days as they are typed: `>10`, `1850..1900`, `1979-12`. Pure text in, bounds out; which column
//! they are held against is `column`'s business.

/// A span of numbers or days.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Range {
    pub low: Option<Bound>,
    pub high: Option<Bound>,
}

/// One end of a span. A year such as `1850` can be both a number and the days of that year.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bound {
    pub number: Option<f64>,
    /// First and last day.
    pub days: Option<(i64, i64)>,
    /// The end itself belongs to the span.
    pub included: bool,
}

/// `>a`, `>=a`, `<a` or `<=a`.
pub(super) fn comparison(chunk: &str) -> Option<Range> {
    for (sign, above, included) in [
        (">=", true, true),
        ("<=", false, true),
        (">", true, false),
        ("<", false, false),
    ] {
        if let Some(value) = chunk.strip_prefix(sign) {
            let bound = Some(bound(value, included)?);
            return Some(if above {
                Range { low: bound, high: None }
            } else {
                Range { low: None, high: bound }
            });
        }
    }
    None
}

/// `a..b`, `a..` or `..b` of numbers or dates.
pub(super) fn range(text: &str) -> Option<Range> {
    let (low, high) = text.split_once("..")?;
    let end = |text: &str| {
        if text.is_empty() {
            Some(None)
        } else {
            bound(text, true).map(Some)
        }
    };
    let range = Range {
        low: end(low)?,
        high: end(high)?,
    };
    (range.low.is_some() || range.high.is_some()).then_some(range)
}

/// A number, a date or both.
pub(super) fn bound(text: &str, included: bool) -> Option<Bound> {
    let number = text.parse::<f64>().ok().filter(|n| n.is_finite());
    let days = days(text);
    (number.is_some() || days.is_some()).then_some(Bound { number, days, included })
}

/// First and last day of `1979`, `1979-12` or `1979-12-06`, years before our era with a minus.
pub(super) fn days(text: &str) -> Option<(i64, i64)> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let mut parts = digits.split('-');
    let part = |text: &str, max: usize| -> Option<i64> {
        (!text.is_empty() && text.len() <= max && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse().ok())?
    };
    let year = sign * part(parts.next()?, 6)?;
    let (month, day) = (parts.next(), parts.next());
    if parts.next().is_some() {
        return None;
    }
    let Some(month) = month else {
        return Some((civil(year, 1, 1), civil(year + 1, 1, 1) - 1));
    };
    let month = part(month, 2).filter(|m| (1..=12).contains(m))?;
    let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    let (first, last) = (civil(year, month, 1), civil(next_year, next_month, 1) - 1);
    let Some(day) = day else { return Some((first, last)) };
    let day = first + part(day, 2).filter(|d| *d >= 1)? - 1;
    (day <= last).then_some((day, day))
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar. Years start in March, so that the leap day comes last.
fn civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
