//! The language of the search box: `words`, `begin*`, `"a phrase"`, `-not`, `field:value`, `field:"whole value"`,
//! `field:>10`, `field:1850..1900`, `field:*`.
//!
//! Nothing is an error: what cannot be read as a rule is taken as words, with a hint where that may surprise. Pure text
//! in, clauses out; which fields there are is asked through `known`.

use super::span::{Range, bound, comparison, range};
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
    /// A whole value or a number or date, or words side by side within a value.
    Whole {
        value: String,
        tokens: Vec<String>,
    },
    Range(Range),
    /// Has any value.
    Any,
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
            .or_else(|| number(chunk))
            .or_else(|| plain(chunk)),
        after,
    )
}

/// A number, year or date stands for itself and for the words it is written in.
fn number(chunk: &str) -> Option<What> {
    bound(chunk, true)?;
    Some(What::Whole {
        value: chunk.to_owned(),
        tokens: phrase(chunk),
    })
}

#[cfg(test)]
mod tests {
    use super::super::span::days;
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
        let year = What::Whole {
            value: "1979".to_owned(),
            tokens: tokens(&["1979"]),
        };
        one("year:1979", Some("year"), year);
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
        assert_eq!(range.high.as_ref().unwrap().days, days("1900"));
        let What::Range(range) = &read("year:>10").clauses[0].what else {
            panic!("no range")
        };
        assert!(!range.low.as_ref().unwrap().included && range.high.is_none());
        assert!(matches!(&read("year:a..b").clauses[0].what, What::Words { .. }));
        assert!(matches!(&read("year:1..2..3").clauses[0].what, What::Words { .. }));
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
