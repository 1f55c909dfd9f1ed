//! Numbers and dates counted in spans: a histogram of which every bar is a filter, such as `1850..1859`.
//!
//! Values are taken as whole multiples of their smallest decimal, so that spans neither overlap nor leave gaps. The few
//! that lie far off are put together at the ends, else one wrong year would press everything else into one bar.

use std::collections::BTreeMap;

use super::types::{Facet, FacetRequest, FacetValue};
use crate::kernel::civil::calendar;

/// Decimals that are told apart.
const DECIMALS: usize = 6;
/// Of so many values one at each end may be far off.
const FAR: u64 = 100;

/// A number, or the years of a date from its first to its last, and how often it was counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub low: f64,
    pub high: f64,
    pub count: u64,
}

/// Years beyond which no date lies that can be written: what reaches there is open on that side.
const OPEN: f64 = 7e8;

impl Point {
    /// Its ends, as far as there are any: what is open on a side ends where it begins. It counts in all it reaches, but no
    /// plot reaches as far as it.
    fn known(&self) -> (f64, f64) {
        (
            if self.low < -OPEN { self.high } else { self.low },
            if self.high > OPEN { self.low } else { self.high },
        )
    }
}

/// By what values are put together.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Steps {
    /// 1, 2, 5, 10, 20 …
    Round,
    /// 1, 10, 100 …
    Tens,
}

/// The spans of values with their counts, at most `limit` (two at least, for numbers on both sides of nought) and the two
/// ends, in order; `missing` last. What covers several spans counts in each, as the filter of each finds it.
pub(super) fn facet(field: &str, points: Vec<Point>, limit: usize, missing: u64) -> Facet {
    let points = tidy(points);
    let spans = spans(&points, limit.max(2), Steps::Round);
    listed(field.to_owned(), spans, points.len(), missing)
}

/// Spans by year, decade or century, whichever make at most `limit`; only what touches the years shown, where the first of
/// them is not after the last.
pub(super) fn timeline(field: &str, points: Vec<Point>, shown: (i64, i64), limit: usize, missing: u64) -> Facet {
    let points = tidy(points);
    let distinct = points.len();
    let spans = if shown.0 > shown.1 {
        spans(&points, limit.max(2), Steps::Tens)
    } else {
        let (first, last) = (shown.0.max(-MOST), shown.1.min(MOST).max(shown.0.max(-MOST)));
        let step = step(first, last, limit.max(2), Steps::Tens);
        let (low, high) = (first.div_euclid(step), last.div_euclid(step));
        let mut bins = Bins::new(low, high);
        for point in &points {
            // A cast from a float stops at the type's ends.
            let (from, to) = (point.low.floor() as i64, point.high.floor() as i64);
            bins.add(from.div_euclid(step), to.div_euclid(step), point.count);
        }
        bins.inside(
            |bin| (bin * step).to_string(),
            |bin| (bin * step + step - 1).to_string(),
        )
    };
    listed(FacetRequest::timeline_name(field), spans, distinct, missing)
}

/// Years that are told apart on a timeline, on both sides of nought.
const MOST: i64 = 1 << 40;

/// In order and each once, without what is no number.
fn tidy(mut points: Vec<Point>) -> Vec<Point> {
    points.retain(|p| p.low.is_finite() && p.high.is_finite());
    points.sort_unstable_by(|a, b| a.low.total_cmp(&b.low).then_with(|| a.high.total_cmp(&b.high)));
    points.dedup_by(|next, kept| {
        let same = next.low == kept.low && next.high == kept.high;
        if same {
            kept.count += next.count;
        }
        same
    });
    points
}

fn listed(field: String, spans: Vec<(String, u64)>, distinct: usize, missing: u64) -> Facet {
    let value = |value, count| FacetValue { value, count };
    let values = spans.into_iter().map(|(span, count)| value(Some(span), count));
    let missing = (missing > 0).then(|| value(None, missing));
    Facet {
        field,
        values: values.chain(missing).collect(),
        distinct: distinct as u64,
    }
}

/// Years by century, those that are chosen also by decade, those of a chosen decade by themselves; `missing` last.
pub(super) fn calendar(field: &str, points: &[Point], chosen: (i64, i64), missing: u64) -> Facet {
    let mut years: BTreeMap<(i64, i64), u64> = BTreeMap::new();
    for point in points.iter().filter(|p| p.low.is_finite() && p.high.is_finite()) {
        *years.entry((point.low as i64, point.high as i64)).or_default() += point.count;
    }
    let mut values = Vec::new();
    let known = points
        .iter()
        .map(Point::known)
        .filter(|(low, high)| low.is_finite() && high.is_finite());
    let within = known.fold((i64::MAX, i64::MIN), |(first, last), (low, high)| {
        (first.min(low as i64), last.max(high as i64))
    });
    gather(&years, within, 100, chosen, &mut values);
    let field = FacetRequest::calendar_name(field);
    listed(field, values, years.len(), missing)
}

/// Centuries that one date counts in, at most.
const CENTURIES: i64 = 400;

/// Puts the years within a span together by so many, and below those that are chosen by fewer.
fn gather(
    years: &BTreeMap<(i64, i64), u64>,
    within: (i64, i64),
    width: i64,
    chosen: (i64, i64),
    values: &mut Vec<(String, u64)>,
) {
    let mut sums: BTreeMap<i64, u64> = BTreeMap::new();
    for ((from, to), count) in years {
        let (from, to) = ((*from).max(within.0), (*to).min(within.1));
        if from > to {
            continue;
        }
        let (first, last) = (from.div_euclid(width), to.div_euclid(width));
        for bin in first..=last.min(first + CENTURIES) {
            *sums.entry(bin * width).or_default() += count;
        }
    }
    for (first, count) in sums {
        let last = first + width - 1;
        values.push((format!("{first}..{last}"), count));
        let length = chosen.1 - chosen.0 + 1;
        let inside = chosen.0 <= last && chosen.1 >= first && (1..=width).contains(&length);
        if inside && width > 1 {
            gather(years, (first, last), width / 10, chosen, values);
        }
    }
}

/// How many decimals the values have, as far as their whole multiples can be counted with.
fn decimals(points: &[Point]) -> usize {
    let values = || points.iter().flat_map(|p| [p.low, p.high]);
    let most = values()
        .map(|value| value.to_string().split_once('.').map_or(0, |(_, rest)| rest.len()))
        .max()
        .unwrap_or_default();
    let largest = values().map(f64::abs).fold(1.0, f64::max);
    (0..=most.min(DECIMALS))
        .rev()
        .find(|places| largest * 10f64.powi(*places as i32) < 1e15)
        .unwrap_or_default()
}

/// Counts by the number of their span, and what lies before and after them.
struct Bins {
    low: i64,
    counts: Vec<u64>,
    before: u64,
    after: u64,
}

impl Bins {
    fn new(low: i64, high: i64) -> Self {
        Self {
            low,
            counts: vec![0; (high - low + 1) as usize],
            before: 0,
            after: 0,
        }
    }

    /// Counts something in every span from one to another.
    fn add(&mut self, from: i64, to: i64, count: u64) {
        let high = self.low + self.counts.len() as i64 - 1;
        if from < self.low {
            self.before += count;
        }
        if to > high {
            self.after += count;
        }
        for bin in from.max(self.low)..=to.min(high) {
            self.counts[(bin - self.low) as usize] += count;
        }
    }

    fn inside(&self, begin: impl Fn(i64) -> String, end: impl Fn(i64) -> String) -> Vec<(String, u64)> {
        let bins = (self.low..).zip(&self.counts);
        bins.map(|(bin, count)| (format!("{}..{}", begin(bin), end(bin)), *count))
            .collect()
    }
}

fn spans(points: &[Point], limit: usize, steps: Steps) -> Vec<(String, u64)> {
    let places = decimals(points);
    let scale = 10f64.powi(places as i32);
    // A cast from a float stops at the type's ends.
    let units = |value: f64| ((value * scale).round() as i64).clamp(-(1 << 60), 1 << 60);
    let ends: Vec<(i64, i64, u64)> = points.iter().map(|p| (units(p.low), units(p.high), p.count)).collect();
    let known = |end: fn((f64, f64)) -> f64| {
        let mut ends: Vec<(i64, u64)> = points.iter().map(|p| (units(end(p.known())), p.count)).collect();
        ends.sort_unstable();
        ends
    };
    let (firsts, lasts) = (known(|(low, _)| low), known(|(_, high)| high));
    let (Some(first), Some(last)) = (firsts.first(), lasts.last()) else {
        return Vec::new();
    };
    let total: u64 = ends.iter().map(|(_, _, count)| count).sum();
    let low = quantile(firsts.iter().copied(), total / FAR);
    let high = quantile(lasts.iter().rev().copied(), total / FAR).max(low);
    let wide = step(first.0, last.0, limit, steps);
    let narrow = step(low, high, limit, steps);
    let (step, low, high) = if narrow < wide {
        (narrow, low.div_euclid(narrow), high.div_euclid(narrow))
    } else {
        (wide, first.0.div_euclid(wide), last.0.div_euclid(wide))
    };
    let mut bins = Bins::new(low, high);
    for (from, to, count) in &ends {
        bins.add(from.div_euclid(step), to.div_euclid(step), *count);
    }
    let text = |units: i64| written(units, places);
    let mut out = bins.inside(|bin| text(bin * step), |bin| text((bin + 1) * step - 1));
    if bins.before > 0 {
        out.insert(0, (format!("..{}", text(low * step - 1)), bins.before));
    }
    if bins.after > 0 {
        out.push((format!("{}..", text((high + 1) * step)), bins.after));
    }
    out
}

/// The value before which that many lie.
fn quantile(points: impl Iterator<Item = (i64, u64)>, far: u64) -> i64 {
    let mut passed = 0;
    let mut at = 0;
    for (value, count) in points {
        at = value;
        passed += count;
        if passed > far {
            break;
        }
    }
    at
}

/// The smallest step by which the values fall into few enough spans.
fn step(low: i64, high: i64, limit: usize, steps: Steps) -> i64 {
    let mut ten: i64 = 1;
    loop {
        for by in [1, 2, 5] {
            let step = ten.saturating_mul(by);
            let fits = high.div_euclid(step).saturating_sub(low.div_euclid(step)) < limit as i64;
            if fits && (by == 1 || steps == Steps::Round) {
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

/// The year of a day since 1970-01-01.
pub(super) fn year_of(day: i64) -> i64 {
    calendar::date(day).0
}

#[cfg(test)]
mod tests {
    use super::super::query::days;
    use super::*;

    fn point(low: f64, high: f64, count: u64) -> Point {
        Point { low, high, count }
    }

    fn at(points: &[(f64, u64)]) -> Vec<Point> {
        points
            .iter()
            .map(|(value, count)| point(*value, *value, *count))
            .collect()
    }

    fn told(facet: &Facet) -> String {
        let value = |v: &FacetValue| format!("{}={}", v.value.as_deref().unwrap_or("-"), v.count);
        facet.values.iter().map(value).collect::<Vec<_>>().join(" ")
    }

    #[track_caller]
    fn check(points: &[(f64, u64)], limit: usize, want: &str) {
        assert_eq!(told(&facet("f", at(points), limit, 0)), want);
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
        let facet = facet("f", at(&points), 4, 7);
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
        let points = at(&[-5, 1799, 1850, 1853, 1853, 1861, 1900].map(|year| (f64::from(year), 1)));
        let told = |chosen| told(&calendar("f", &points, chosen, 2));
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
    fn what_covers_several_spans_counts_in_each() {
        let points = vec![
            point(1855.0, 1865.0, 1),
            point(1861.0, 1861.0, 2),
            point(1700.0, 1899.0, 1),
        ];
        assert_eq!(
            told(&facet("f", points[..2].to_vec(), 2, 0)),
            "1850..1859=1 1860..1869=3"
        );
        assert_eq!(
            told(&calendar("f", &points, (1860, 1869), 0)),
            "1700..1799=1 1800..1899=4 1800..1809=1 1810..1819=1 1820..1829=1 1830..1839=1 1840..1849=1 1850..1859=2 \
             1860..1869=4 1860..1860=2 1861..1861=4 1862..1862=2 1863..1863=2 1864..1864=2 1865..1865=2 1866..1866=1 \
             1867..1867=1 1868..1868=1 1869..1869=1 1870..1879=1 1880..1889=1 1890..1899=1"
        );
        // What is open on a side reaches everything there and makes no plot longer.
        let open = vec![
            point(-7.5e8, 1861.0, 1),
            point(1855.0, 1858.0, 2),
            point(1866.0, 7.5e8, 1),
        ];
        assert_eq!(
            told(&facet("f", open.clone(), 2, 0)),
            "..1849=1 1850..1859=3 1860..1869=2 1870..=1"
        );
        assert_eq!(told(&calendar("f", &open, (1, 0), 0)), "1800..1899=4");
        let wide = vec![point(-1e15, 1e15, 1)];
        assert!(calendar("f", &wide, (1, 0), 0).values.len() <= 401);
    }

    #[test]
    fn a_timeline_goes_by_century_decade_and_year() {
        let points = at(&[(1503.0, 1), (1860.0, 2), (1869.0, 1), (2020.0, 1)]);
        let line = |shown, limit| told(&timeline("f", points.clone(), shown, limit, 3));
        assert_eq!(
            line((1, 0), 9),
            "1500..1599=1 1600..1699=0 1700..1799=0 1800..1899=3 1900..1999=0 2000..2099=1 -=3"
        );
        assert_eq!(line((1800, 1899), 10).split(' ').nth(6), Some("1860..1869=3"));
        assert_eq!(
            line((1866, 1869), 10),
            "1866..1866=0 1867..1867=0 1868..1868=0 1869..1869=1 -=3"
        );
        assert_eq!(line((i64::MIN, i64::MAX), 5).split(' ').count(), 5);
        assert_eq!(told(&timeline("f", Vec::new(), (1, 0), 5, 0)), "");
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
