//! Dates as a list: centuries, a chosen century by decade, a chosen decade by year. Each is a span, and chosen as one.

use super::facets::{FacetValueView, Facets, percent};
use crate::kernel::search::Facet;

impl Facets<'_> {
    /// The years of a field by century, decade and year; nothing where all are of one century and none is chosen.
    pub fn centuries(&self, field: &str, counted: Option<&Facet>) -> Vec<FacetValueView> {
        let values = counted.iter().flat_map(|facet| &facet.values);
        let given: Vec<(&str, u64)> = values.filter_map(|v| Some((v.value.as_deref()?, v.count))).collect();
        let most = given.iter().map(|(_, count)| *count).max().unwrap_or_default();
        if given.len() < 2 {
            return Vec::new();
        }
        let view = |(span, count): &(&str, u64)| FacetValueView {
            label: self.years_text(span),
            count: *count,
            href: self.address.with_span(field, span),
            selected: self.address.is_chosen(field, Some(span)),
            missing: false,
            percent: percent(*count, most),
            depth: depth(span),
        };
        given.iter().map(view).collect()
    }

    /// A span of dates as people write it: `-3100..-3001` is 3100 – 3001 BC.
    pub fn years_text(&self, span: &str) -> String {
        let Some((from, to)) = span.split_once("..") else {
            return self.year_text(span);
        };
        if let (Some(first), Some(last)) = (before(from), before(to))
            && first != last
        {
            let both = format!("{first} – {last}");
            return self.language.with("civil.before-era", &[("date", &both)]);
        }
        self.span_text(&format!("{}..{}", self.year_text(from), self.year_text(to)))
    }

    /// The same of a date, as it is of a number.
    pub fn spanned(&self, is_date: bool, span: &str) -> String {
        if is_date {
            self.years_text(span)
        } else {
            self.span_text(span)
        }
    }

    fn year_text(&self, year: &str) -> String {
        match before(year) {
            Some(year) => self.language.with("civil.before-era", &[("date", &year)]),
            // There is no year 0: the first century begins with 1.
            None if year == "0" => "1".to_owned(),
            None => year.to_owned(),
        }
    }
}

/// The number of a year before our era.
fn before(text: &str) -> Option<&str> {
    let year = text.strip_prefix('-')?;
    (!year.is_empty() && year.bytes().all(|b| b.is_ascii_digit())).then_some(year)
}

/// How far a span of years stands below its century.
fn depth(span: &str) -> usize {
    match span.split_once("..") {
        Some((from, to)) if from == to => 2,
        Some((from, to)) => {
            let ends = (from.parse::<i64>(), to.parse::<i64>());
            usize::from(matches!(ends, (Ok(from), Ok(to)) if to - from == 9))
        }
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::address::Address;
    use super::super::trees::Places;
    use super::*;
    use crate::kernel::i18n::Language;

    #[test]
    fn years_before_our_era_are_written_as_people_do() {
        let (address, called) = (Address::default(), Places::new());
        let facets = Facets {
            address: &address,
            called: &called,
            language: Language::default(),
        };
        for (span, want) in [
            ("-3100..-3001", "3100 – 3001 BC"),
            ("-206..-206", "206 BC"),
            ("-100..99", "100 BC – 99"),
            ("0..99", "1 – 99"),
            ("..-500", "up to 500 BC"),
            ("1850..1859", "1850 – 1859"),
            ("-0206-01-01..1900", "-0206-01-01 – 1900"),
            ("-400", "400 BC"),
            ("-", "-"),
        ] {
            assert_eq!(facets.years_text(span), want, "{span}");
        }
    }
}
