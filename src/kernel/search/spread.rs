//! Numbers and dates counted in spans: a histogram of which every bar is a filter, such as `1850..1859`.
//!
//! Values are taken as whole multiples of their smallest decimal, so that spans neither overlap nor leave gaps. The few
//! that lie far off are put together at the ends, else one wrong year would press everything else into one bar.

use std::collections::BTreeMap;

use super::types::{Facet, FacetRequest, FacetValue};

/// Decimals that are told apart.
const DECIMALS: usize = 6;
/// Of so many values one at each end may be far off.
const FAR: u64 = 100;

/// The spans of values with their counts, at most `limit` (two at least, for numbers on both sides of nought) and the two
/// ends, in order; `missing` last.
pub(super) fn facet(field: &str, points: Vec<(f64, u64)>, limit: usize, missing: u64) -> Facet {
    let mut points: Vec<(f64, u64)> = points.into_iter().filter(|(value, _)| value.is_finite()).collect();
    points.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    points.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
    let mut values: Vec<FacetValue> = spans(&points, limit.max(2))
        .into_iter()
        .map(|(span, count)| FacetValue {
            value: Some(span),
            count,
        })
        .collect();
    if missing > 0 {
        values.push(FacetValue {
            value: None,
            count: missing,
        });
    }
    Facet {
        field: field.to_owned(),
        values,
        distinct: points.len() as u64,
    }
}

/// Years by century, those that are chosen also by decade, those of a chosen decade by themselves; `missing` last.
pub(super) fn calendar(field: &str, points: &[(f64, u64)], chosen: (i64, i64), missing: u64) -> Facet {
    let mut years: BTreeMap<i64, u64> = BTreeMap::new();
    for (year, count) in points.iter().filter(|(year, _)| year.is_finite()) {
        *years.entry(*year as i64).or_default() += count;
    }
    let mut values = Vec::new();
    gather(&years, 100, chosen, &mut values);
    if missing > 0 {
        values.push(FacetValue {
            value: None,
            count: missing,
        });
    }
    Facet {
        field: FacetRequest::calendar_name(field),
        distinct: years.len() as u64,
        values,
    }
}

/// Puts years together by so many, and below those that are chosen by fewer.
fn gather(years: &BTreeMap<i64, u64>, width: i64, chosen: (i64, i64), values: &mut Vec<FacetValue>) {
    let mut sums: BTreeMap<i64, u64> = BTreeMap::new();
    for (year, count) in years {
        *sums.entry(year.div_euclid(width) * width).or_default() += count;
    }
    for (first, count) in sums {
        let last = first + width - 1;
        values.push(FacetValue {
            value: Some(format!("{first}..{last}")),
            count,
        });
        let length = chosen.1 - chosen.0 + 1;
        let inside = chosen.0 <= last && chosen.1 >= first && (1..=width).contains(&length);
        if inside && width > 1 {
            let part = years.range(first..=last).map(|(year, count)| (*year, *count));
            gather(&part.collect(), width / 10, chosen, values);
        }
    }
}

/// How many decimals the values have, as far as their whole multiples can be counted with.
fn decimals(points: &[(f64, u64)]) -> usize {
    let most = points
        .iter()
        .map(|(value, _)| value.to_string().split_once('.').map_or(0, |(_, rest)| rest.len()))
        .max()
        .unwrap_or_default();
    let largest = points.iter().map(|(value, _)| value.abs()).fold(1.0, f64::max);
    (0..=most.min(DECIMALS))
        .rev()
        .find(|places| largest * 10f64.powi(*places as i32) < 1e15)
        .unwrap_or_default()
}

fn spans(points: &[(f64, u64)], limit: usize) -> Vec<(String, u64)> {
    let places = decimals(points);
    let scale = 10f64.powi(places as i32);
    // A cast from a float stops at the type's ends.
    let points: Vec<(i64, u64)> = points
        .iter()
        .map(|(value, count)| (((value * scale).round() as i64).clamp(-(1 << 60), 1 << 60), *count))
        .collect();
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return Vec::new();
    };
    let total: u64 = points.iter().map(|(_, count)| count).sum();
    let (low, high) = (
        quantile(points.iter(), total / FAR),
        quantile(points.iter().rev(), total / FAR),
    );
    let wide = step(first.0, last.0, limit);
    let narrow = step(low, high, limit);
    let (step, low, high) = if narrow < wide {
        (narrow, low.div_euclid(narrow), high.div_euclid(narrow))
    } else {
        (wide, first.0.div_euclid(wide), last.0.div_euclid(wide))
    };
    let mut counts = vec![0u64; (high - low + 1) as usize];
    let (mut before, mut after) = (0, 0);
    for (value, count) in &points {
        match value.div_euclid(step) {
            bin if bin < low => before += count,
            bin if bin > high => after += count,
            bin => counts[(bin - low) as usize] += count,
        }
    }
    let text = |units: i64| written(units, places);
    let mut out = Vec::with_capacity(counts.len() + 2);
    if before > 0 {
        out.push((format!("..{}", text(low * step - 1)), before));
    }
    for (bin, count) in (low..).zip(counts) {
        out.push((format!("{}..{}", text(bin * step), text((bin + 1) * step - 1)), count));
    }
    if after > 0 {
        out.push((format!("{}..", text((high + 1) * step)), after));
    }
    out
}

/// The value before which that many lie.
fn quantile<'a>(points: impl Iterator<Item = &'a (i64, u64)>, far: u64) -> i64 {
    let mut passed = 0;
    let mut at = 0;
    for (value, count) in points {
        at = *value;
        passed += count;
        if passed > far {
            break;
        }
    }
    at
}

/// The smallest of 1, 2, 5, 10, 20 … by which the values fall into few enough spans.
fn step(low: i64, high: i64, limit: usize) -> i64 {
    let mut ten: i64 = 1;
    loop {
        for step in [ten, ten.saturating_mul(2), ten.saturating_mul(5)] {
            if high.div_euclid(step).saturating_sub(low.div_euclid(step)) < limit as i64 {
                return step;
            }
        }
        ten = ten.saturating_mul(10);
    }
}

/// Units of the last decimal as a number.
fn written(units: i64, places: usize) -> String {
    if places == 0 {
        return units.to_string();
    }
    let sign = if units < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", units.unsigned_abs(), width = places + 1);
    let (whole, rest) = digits.split_at(digits.len() - places);
    let text = format!("{sign}{whole}.{rest}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The year of a day since 1970-01-01 in the proleptic Gregorian calendar.
pub(super) fn year_of(day: i64) -> i64 {
    // Counted from a first of March, so that the leap day comes last.
    let shifted = day + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    era * 400 + year + i64::from(of_year >= 306)
}

#[cfg(test)]
mod tests {
    use super::super::query::days;
    use super::*;

    #[track_caller]
    fn check(points: &[(f64, u64)], limit: usize, want: &str) {
        let facet = facet("f", points.to_vec(), limit, 0);
        let got: Vec<String> = facet
            .values
            .iter()
            .map(|v| format!("{}={}", v.value.as_deref().unwrap_or("-"), v.count))
            .collect();
        assert_eq!(got.join(" "), want);
    }

    #[test]
    fn spans_are_round_and_lie_side_by_side() {
        check(&[(2007.0, 3), (2009.0, 1)], 9, "2007..2007=3 2008..2008=0 2009..2009=1");
        check(&[(1851.0, 1), (1869.0, 2), (1860.0, 3)], 3, "1850..1859=1 1860..1869=5");
        check(&[(1.5, 1), (2.25, 1), (3.0, 1)], 3, "1..1.99=1 2..2.99=1 3..3.99=1");
        check(&[(-1.0, 1), (1.0, 1)], 2, "-2..-1=1 0..1=1");
        check(&[(f64::NAN, 1), (f64::INFINITY, 1)], 5, "");
        check(
            &[(-1e300, 1), (1e300, 1)],
            2,
            "-2000000000000000000..-1=1 0..1999999999999999999=1",
        );
    }

    #[test]
    fn what_lies_far_off_is_put_together_at_the_ends() {
        let mut points: Vec<(f64, u64)> = (1900..1920).map(|year| (f64::from(year), 50)).collect();
        points.push((-3000.0, 2));
        points.push((9999.0, 3));
        let facet = facet("f", points, 4, 7);
        let shown: Vec<(&str, u64)> = facet
            .values
            .iter()
            .map(|v| (v.value.as_deref().unwrap_or("-"), v.count))
            .collect();
        assert_eq!(
            shown,
            [
                ("..1899", 2),
                ("1900..1904", 250),
                ("1905..1909", 250),
                ("1910..1914", 250),
                ("1915..1919", 250),
                ("1920..", 3),
                ("-", 7)
            ]
        );
    }

    #[test]
    fn years_are_put_together_by_century_and_what_is_chosen_by_less() {
        let points: Vec<(f64, u64)> = [-5, 1799, 1850, 1853, 1853, 1861, 1900]
            .map(|year| (f64::from(year), 1))
            .into();
        let told = |chosen| -> String {
            let facet = calendar("f", &points, chosen, 2);
            let value = |v: &FacetValue| format!("{}={}", v.value.as_deref().unwrap_or("-"), v.count);
            facet.values.iter().map(value).collect::<Vec<_>>().join(" ")
        };
        let centuries = "-100..-1=1 1700..1799=1 1800..1899=4 1900..1999=1 -=2";
        assert_eq!(told((1, 0)), centuries);
        assert_eq!(told((1700, 1999)), centuries);
        let decades = "-100..-1=1 1700..1799=1 1800..1899=4 1850..1859=3 1860..1869=1 1900..1999=1 -=2";
        assert_eq!(told((1800, 1899)), decades);
        assert_eq!(
            told((1850, 1859)),
            "-100..-1=1 1700..1799=1 1800..1899=4 1850..1859=3 1850..1850=1 1853..1853=2 1860..1869=1 1900..1999=1 -=2"
        );
        assert_eq!(told((1853, 1853)), told((1850, 1859)));
    }

    #[test]
    fn years_are_those_of_their_days() {
        for year in [
            "-0500", "0001", "1600", "1899", "1900", "1969", "1970", "2000", "2024", "9999",
        ] {
            let (first, last) = days(year).unwrap();
            let number: i64 = year.parse().unwrap();
            assert_eq!((year_of(first), year_of(last)), (number, number), "{year}");
        }
    }
}
