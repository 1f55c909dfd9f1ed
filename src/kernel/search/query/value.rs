//! Spans of numbers and days as they are typed: `>10`, `1850..1900`, `1979-12`, `<2kg`. Pure text in, bounds out; which
//! column they are held against is `column`'s business.

use super::dates::{self, Day};
use super::tree::Span;
use super::units::{Unit, measure};

/// A span of numbers or days.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Range {
    pub low: Option<Bound>,
    pub high: Option<Bound>,
}

/// One end of a span. A year such as `1850` can be both a number and the days of that year.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bound {
    pub number: Option<f64>,
    /// First and last day.
    pub days: Option<(i64, i64)>,
    /// The end itself belongs to the span.
    pub included: bool,
}

/// A number, a date or both. A number with a unit is turned into the field's, where that is known and measures the same.
pub(crate) fn bound(text: &str, included: bool, today: Day, unit: Option<Unit>) -> Option<Bound> {
    let plain = text.parse::<f64>().ok().filter(|n| n.is_finite());
    let number = plain.or_else(|| {
        let (number, given) = measure(text)?;
        let turned = given.zip(unit).and_then(|(given, unit)| given.to(number, unit));
        Some(turned.unwrap_or(number))
    });
    let days = dates::typed(text, today);
    (number.is_some() || days.is_some()).then_some(Bound { number, days, included })
}

/// A number with a unit that cannot be turned into the field's.
pub(super) fn unit_is_lost(text: &str, unit: Option<Unit>) -> bool {
    match measure(text) {
        Some((number, Some(given))) => unit.and_then(|unit| given.to(number, unit)).is_none(),
        _ => false,
    }
}

/// The ends of a span, if there are any and each can be read.
pub(crate) fn range_of(span: &Span, today: Day, unit: Option<Unit>) -> Option<Range> {
    let end = |closed: &Option<String>, open: &Option<String>| -> Option<Option<Bound>> {
        match (closed, open) {
            (_, Some(text)) => bound(text, false, today, unit).map(Some),
            (Some(text), None) => bound(text, true, today, unit).map(Some),
            (None, None) => Some(None),
        }
    };
    let range = Range {
        low: end(&span.from, &span.above)?,
        high: end(&span.to, &span.below)?,
    };
    (range.low.is_some() || range.high.is_some()).then_some(range)
}

/// `>a`, `>=a`, `<a` or `<=a`.
pub(crate) fn comparison(field: &str, text: &str, today: Day) -> Option<Span> {
    let mut span = Span {
        field: field.to_owned(),
        ..Span::default()
    };
    type End = fn(&mut Span) -> &mut Option<String>;
    let signs: [(&str, End); 6] = [
        (">=", |span| &mut span.from),
        ("<=", |span| &mut span.to),
        ("≥", |span| &mut span.from),
        ("≤", |span| &mut span.to),
        (">", |span| &mut span.above),
        ("<", |span| &mut span.below),
    ];
    let (sign, end) = signs.into_iter().find(|(sign, _)| text.starts_with(sign))?;
    let value = &text[sign.len()..];
    bound(value, true, today, None)?;
    *end(&mut span) = Some(value.to_owned());
    Some(span)
}

/// `a..b`, `a..` or `..b` of numbers or dates.
pub(crate) fn range(field: &str, text: &str, today: Day) -> Option<Span> {
    let (low, high) = text.split_once("..")?;
    let end = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let span = Span {
        field: field.to_owned(),
        from: end(low),
        to: end(high),
        ..Span::default()
    };
    range_of(&span, today, None).map(|_| span)
}

/// `59.3,18.0~10km` as latitude, longitude and kilometres; without a distance some kilometres around.
pub(super) fn place(text: &str) -> Option<(f64, f64, f64)> {
    /// Where no distance is given.
    const AROUND: f64 = 10.0;
    let (place, distance) = match text.split_once('~') {
        Some((place, distance)) => (place, Some(distance)),
        None => (text, None),
    };
    let (latitude, longitude) = place.split_once(',')?;
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|n| n.is_finite());
    let (latitude, longitude) = (number(latitude)?, number(longitude)?);
    let km = match distance {
        None => AROUND,
        Some(text) => match measure(text) {
            Some((number, unit)) => unit?.km(number)?,
            None => number(text)?,
        },
    };
    let fits = latitude.abs() <= 90.0 && longitude.abs() <= 180.0 && km > 0.0;
    fits.then_some((latitude, longitude, km))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: Day = Day(20_000);

    #[test]
    fn bounds_are_read() {
        let read = |text: &str, unit: Option<Unit>| bound(text, true, TODAY, unit).unwrap();
        assert_eq!(read("1850", None).number, Some(1850.0));
        assert_eq!(read("1850", None).days, dates::days("1850"));
        assert_eq!(read("2kg", Unit::find("g")).number, Some(2_000.0));
        assert_eq!(read("2kg", Unit::find("cm")).number, Some(2.0));
        assert!(unit_is_lost("2kg", None) && unit_is_lost("2kg", Unit::find("cm")));
        assert!(!unit_is_lost("2kg", Unit::find("g")) && !unit_is_lost("2", None));
        for text in ["", "x", "NaN", "inf", "1..2"] {
            assert_eq!(bound(text, true, TODAY, None), None, "{text}");
        }
    }

    #[test]
    fn spans_are_read() {
        let span = comparison("f", ">=1850", TODAY).unwrap();
        assert_eq!((span.from.as_deref(), span.above), (Some("1850"), None));
        assert_eq!(comparison("f", "<2kg", TODAY).unwrap().below.as_deref(), Some("2kg"));
        assert_eq!(comparison("f", "≤today", TODAY).unwrap().to.as_deref(), Some("today"));
        assert_eq!(comparison("f", ">a", TODAY), None);
        let open = range("f", "1850..", TODAY).unwrap();
        assert_eq!((open.from.as_deref(), open.to), (Some("1850"), None));
        for text in ["..", "a..b", "1..2..3", "1"] {
            assert_eq!(range("f", text, TODAY), None, "{text}");
        }
    }

    #[test]
    fn places_are_read() {
        assert_eq!(place("59.3,18.0~10km"), Some((59.3, 18.0, 10.0)));
        assert_eq!(place("-33.9,151.2"), Some((-33.9, 151.2, 10.0)));
        assert_eq!(place("1,2~500m"), Some((1.0, 2.0, 0.5)));
        assert_eq!(place("1,2~3"), Some((1.0, 2.0, 3.0)));
        for text in ["", "91,0", "0,181", "1,2~0", "1,2~-1km", "1,2~3kg", "1", "a,b", "NaN,0"] {
            assert_eq!(place(text), None, "{text}");
        }
    }
}
