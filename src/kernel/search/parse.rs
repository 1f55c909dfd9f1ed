//! The language of the search box: `words`, `begin*`, `"a phrase"`, `-not`, `field:value`, `field:"whole value"`,
//! `field:>10`, `field:1850..1900`, `field:*`.
//!
//! Nothing is an error: what cannot be read as a rule is taken as words, with a hint where that may surprise. Pure text
//! in, clauses out; which fields there are is asked through `known`.

use super::text::{cut, words};

/// Bytes of a question that are read.
const MAX_TEXT: usize = 4_000;
/// Clauses of a question that are followed.
const MAX_CLAUSES: usize = 48;
/// Words of one phrase that are followed.
const MAX_PHRASE: usize = 32;

/// One condition; all of a question must hold.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Clause {
    pub negated: bool,
    /// Only in this field; `None`: anywhere.
    pub field: Option<String>,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    /// Words side by side, the last one as a beginning if `prefix`.
    Words {
        tokens: Vec<String>,
        prefix: bool,
    },
    /// A whole value, or words side by side within one.
    Whole {
        value: String,
        tokens: Vec<String>,
    },
    Range(Range),
    /// Has any value.
    Any,
}

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

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Parsed {
    pub clauses: Vec<Clause>,
    pub hints: Vec<String>,
}

/// Reads a question.
pub(super) fn parse(text: &str, known: &dyn Fn(&str) -> bool) -> Parsed {
    let mut parsed = Parsed::default();
    let mut rest = cut(text, MAX_TEXT);
    if rest.len() < text.len() {
        parsed.hints.push(format!(
            "Only the first {MAX_TEXT} bytes of the question are looked at."
        ));
    }
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return parsed;
        }
        if parsed.clauses.len() == MAX_CLAUSES {
            parsed
                .hints
                .push(format!("Only the first {MAX_CLAUSES} words are looked for."));
            return parsed;
        }
        let (clause, after) = next_clause(rest, known, &mut parsed.hints);
        parsed.clauses.extend(clause);
        rest = after;
    }
}

/// Reads one condition; `None` for what has neither word nor value.
fn next_clause<'t>(text: &'t str, known: &dyn Fn(&str) -> bool, hints: &mut Vec<String>) -> (Option<Clause>, &'t str) {
    let (negated, text) = match text.strip_prefix('-') {
        Some(rest) if rest.chars().next().is_some_and(|c| !c.is_whitespace() && c != '-') => (true, rest),
        _ => (false, text),
    };
    if let Some((inside, after)) = quoted(text) {
        // A field whose name has spaces: "Object name":value.
        if let Some(value) = after.strip_prefix(':')
            && known(inside)
        {
            let (what, after) = field_value(value);
            return (
                what.map(|what| Clause {
                    negated,
                    field: Some(inside.to_owned()),
                    what,
                }),
                after,
            );
        }
        let tokens = phrase(inside);
        let what = (!tokens.is_empty()).then_some(What::Words { tokens, prefix: false });
        return (
            what.map(|what| Clause {
                negated,
                field: None,
                what,
            }),
            after,
        );
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let mut unknown = None;
    for (at, _) in text[..end].match_indices(':') {
        let name = &text[..at];
        if !name.is_empty() && known(name) {
            let (what, after) = field_value(&text[at + 1..]);
            return (
                what.map(|what| Clause {
                    negated,
                    field: Some(name.to_owned()),
                    what,
                }),
                after,
            );
        }
        if !name.is_empty() && unknown.is_none() && !text[at + 1..end].starts_with('/') {
            unknown = Some(name);
        }
    }
    if let Some(name) = unknown {
        hints.push(format!(
            "There is no field \"{}\" here; it was looked for as words.",
            cut(name, 60)
        ));
    }
    let (chunk, after) = text.split_at(end);
    (
        plain(chunk).map(|what| Clause {
            negated,
            field: None,
            what,
        }),
        after,
    )
}

/// The text within quotation marks and what follows; an open quotation ends with the text.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('"')?;
    Some(match inside.find('"') {
        Some(end) => (&inside[..end], &inside[end + 1..]),
        None => (inside, ""),
    })
}

fn phrase(text: &str) -> Vec<String> {
    let mut tokens = words(text);
    tokens.truncate(MAX_PHRASE);
    tokens
}

fn plain(chunk: &str) -> Option<What> {
    let tokens = phrase(chunk);
    let prefix = chunk.ends_with('*');
    (!tokens.is_empty()).then_some(What::Words { tokens, prefix })
}

/// What stands after `field:`.
fn field_value(text: &str) -> (Option<What>, &str) {
    if let Some((inside, after)) = quoted(text) {
        let what = (!inside.is_empty()).then(|| What::Whole {
            value: inside.to_owned(),
            tokens: phrase(inside),
        });
        return (what, after);
    }
    let (chunk, after) = text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()));
    if chunk == "*" {
        return (Some(What::Any), after);
    }
    (
        comparison(chunk)
            .or_else(|| range(chunk))
            .map(What::Range)
            .or_else(|| plain(chunk)),
        after,
    )
}

fn comparison(chunk: &str) -> Option<Range> {
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

fn bound(text: &str, included: bool) -> Option<Bound> {
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

    fn read(text: &str) -> Parsed {
        parse(text, &|name| {
            matches!(name, "title" | "year" | "made.by" | "Object name")
        })
    }
    fn tokens(list: &[&str]) -> Vec<String> {
        list.iter().map(|t| (*t).to_owned()).collect()
    }
    #[track_caller]
    fn one(text: &str, field: Option<&str>, what: What) {
        let parsed = read(text);
        assert_eq!(
            parsed.clauses,
            [Clause {
                negated: false,
                field: field.map(str::to_owned),
                what
            }],
            "{text}"
        );
    }

    #[test]
    fn each_form_is_read() {
        one(
            "Teapot",
            None,
            What::Words {
                tokens: tokens(&["teapot"]),
                prefix: false,
            },
        );
        one(
            "tea*",
            None,
            What::Words {
                tokens: tokens(&["tea"]),
                prefix: true,
            },
        );
        one(
            "\"oil on canvas\"",
            None,
            What::Words {
                tokens: tokens(&["oil", "on", "canvas"]),
                prefix: false,
            },
        );
        one(
            "79.66.115",
            None,
            What::Words {
                tokens: tokens(&["79", "66", "115"]),
                prefix: false,
            },
        );
        one(
            "title:Cup",
            Some("title"),
            What::Words {
                tokens: tokens(&["cup"]),
                prefix: false,
            },
        );
        one("title:*", Some("title"), What::Any);
        let whole = What::Whole {
            value: "Tea Cup".to_owned(),
            tokens: tokens(&["tea", "cup"]),
        };
        one("title:\"Tea Cup\"", Some("title"), whole);
        one(
            "\"Object name\":cup",
            Some("Object name"),
            What::Words {
                tokens: tokens(&["cup"]),
                prefix: false,
            },
        );
        let negative = read("-glass").clauses;
        assert!(negative[0].negated);
        let Parsed { clauses, hints } = read("http://example.org note:x - --");
        assert_eq!(clauses.len(), 2);
        assert_eq!(hints.len(), 1, "{hints:?}");
    }

    #[test]
    fn ranges_are_read() {
        let What::Range(range) = &read("year:1850..1900").clauses[0].what else {
            panic!("no range")
        };
        assert_eq!(range.low.as_ref().unwrap().number, Some(1850.0));
        assert_eq!(
            range.high.as_ref().unwrap().days,
            Some((civil(1900, 1, 1), civil(1900, 12, 31)))
        );
        let What::Range(range) = &read("year:>10").clauses[0].what else {
            panic!("no range")
        };
        assert!(!range.low.as_ref().unwrap().included && range.high.is_none());
        assert!(matches!(&read("year:a..b").clauses[0].what, What::Words { .. }));
        assert!(matches!(&read("year:1..2..3").clauses[0].what, What::Words { .. }));
    }

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
    fn garbage_never_panics() {
        // A small generator with a fixed seed: every run reads the same texts.
        let pieces = [
            "\"", ":", "-", "*", "..", ">", "<=", "title", "year:", " ", "é", "東", "\u{301}", "\0", "1850", "e308",
            "()", "\\", "%a", "😀",
        ];
        let mut seed = 0x2545_f491_4f6c_dd1d_u64;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..(seed % 12) {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                text.push_str(pieces[(seed % pieces.len() as u64) as usize]);
            }
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            assert!(read(&text).clauses.len() <= MAX_CLAUSES);
        }
        let long = "\"a\" ".repeat(100_000);
        assert_eq!(read(&long).clauses.len(), MAX_CLAUSES);
    }
}
