//! What services say to people has its words in every language: each sentence of the source that a page may show stands in the
//! files of `assets/sentences`, and those say nothing that the source no longer says.
//!
//! A sentence is a literal that ends like one, or what a setting means. Pieces that stand within others may be in the files, too; nobody asks for them.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::locales::places;
use super::sources::{Finding, Source, files, refuse, sources};

/// What no page ever shows, with the reason.
const UNSEEN: &[(&str, &str)] = &[
    ("src/cli/", "the command line speaks English"),
    ("src/main.rs", "the command line speaks English"),
    ("src/app.rs", "said while starting"),
    ("src/kernel/bus.rs", "said while starting"),
    ("src/kernel/config/", "said while starting"),
    ("src/kernel/control/", "said to the command line"),
    ("src/kernel/data.rs", "said while starting"),
    ("src/kernel/db/migrate.rs", "said while starting"),
    ("src/kernel/db/mod.rs", "said while starting"),
    ("src/kernel/db/postgres.rs", "said while starting"),
    ("src/kernel/db/signal.rs", "says what signals are"),
    ("src/kernel/http/idempotency/", "said to programs"),
    ("src/kernel/process/", "said to the command line"),
    ("src/kernel/program.rs", "said while starting"),
    ("src/kernel/search/folder.rs", "said while starting"),
    ("src/kernel/search/snapshot.rs", "said in logs"),
    ("src/kernel/telemetry/", "said in logs and to programs"),
    ("src/kernel/testing/", "tests"),
    ("src/modules/docs/style/", "samples"),
    ("src/modules/operations/bundle.rs", "written for whoever helps"),
];

/// Calls and macros whose literals people never read.
const HIDDEN: &[&str] = &[
    "sql",
    "pick",
    "expect",
    "context",
    "with_context",
    "debug!",
    "info!",
    "warn!",
    "error!",
    "trace!",
    "event!",
    "span!",
    "debug_span!",
    "info_span!",
    "assert!",
    "assert_eq!",
    "debug_assert!",
    "panic!",
    "unreachable!",
    "anyhow!",
    "bail!",
    "ensure!",
    "matches!",
    "describe_counter!",
    "describe_gauge!",
    "describe_histogram!",
];

/// Words from which on a literal can be a sentence.
const WORDS: usize = 3;

/// One literal of the source, its places emptied.
struct Said {
    line: usize,
    text: String,
    /// People may read it.
    shown: bool,
    /// It is the text of an error, which needs no full stop.
    error: bool,
}

/// A literal with its places emptied, as files of sentences write it.
fn emptied(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let from = &rest[at..];
        if from.starts_with("{{") || from.starts_with("}}") {
            out.push_str(&from[..1]);
            rest = &from[2..];
        } else if let Some(end) = from.find('}').filter(|end| *end > 0) {
            out.push_str("{}");
            rest = &from[end + 1..];
        } else {
            out.push_str(&from[..1]);
            rest = &from[1..];
        }
    }
    out + rest
}

fn text_of(token: &TokenTree) -> Option<String> {
    let TokenTree::Literal(literal) = token else {
        return None;
    };
    syn::parse_str::<syn::LitStr>(&literal.to_string())
        .ok()
        .map(|literal| literal.value())
}

/// Collects every literal, and what `not_found` makes of its word.
fn collect(stream: TokenStream, shown: bool, error: bool, found: &mut Vec<Said>) {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    let word = |at: usize| match tokens.get(at) {
        Some(TokenTree::Ident(name)) => name.to_string(),
        _ => String::new(),
    };
    let mark = |at: Option<usize>, sign: char| matches!(at.and_then(|at| tokens.get(at)), Some(TokenTree::Punct(p)) if p.as_char() == sign);
    // What stands under `#[cfg(test)]`, up to the end of its item.
    let mut test = false;
    for (at, token) in tokens.iter().enumerate() {
        let before = at.checked_sub(1);
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket && attribute(&mark, at) => {
                let inside = group.stream().to_string();
                test |= inside.starts_with("cfg") && inside.contains("test") && !inside.contains("not");
                let says = inside.starts_with("error");
                collect(group.stream(), shown && says, says, found);
            }
            TokenTree::Group(group) => {
                let name = if mark(before, '!') {
                    at.checked_sub(2).map(|at| word(at) + "!")
                } else {
                    before.map(word)
                };
                let name = name.unwrap_or_default();
                let read = shown && !test && !HIDDEN.contains(&name.as_str());
                if name == "not_found"
                    && let Some(what) = group.stream().into_iter().next().as_ref().and_then(text_of)
                {
                    found.push(Said {
                        line: group.span_open().start().line,
                        text: format!("There is no {what} \"{{}}\"."),
                        shown: read,
                        error: false,
                    });
                }
                collect(group.stream(), read, error, found);
                test &= group.delimiter() != Delimiter::Brace;
            }
            TokenTree::Punct(sign) if sign.as_char() == ';' => test = false,
            _ => {
                if let Some(text) = text_of(token) {
                    found.push(Said {
                        line: token.span().start().line,
                        text: emptied(&text),
                        shown: shown && !test,
                        error,
                    });
                }
            }
        }
    }
}

/// Whether the group at this place is that of an attribute: `#[…]`, `#![…]`.
fn attribute(mark: &impl Fn(Option<usize>, char) -> bool, at: usize) -> bool {
    let (one, two) = (at.checked_sub(1), at.checked_sub(2));
    mark(one, '#') || (mark(one, '!') && mark(two, '#'))
}

fn said(source: &Source) -> Vec<Said> {
    let path = source.path.as_str();
    // What an address for programs refuses is said to programs.
    let program = path.starts_with("src/modules/") && (path.contains("/api/") || path.ends_with("/api.rs"));
    let test = path.contains("/tests");
    let unseen = UNSEEN.iter().any(|(start, _)| path.starts_with(start));
    let mut found = Vec::new();
    collect(source.tokens(), !program && !test && !unseen, false, &mut found);
    found
}

/// Whether a literal is said to people as a sentence.
fn is_sentence(said: &Said) -> bool {
    let text = said.text.trim_end_matches("{}").trim_end();
    let words = said
        .text
        .split_whitespace()
        .filter(|word| word.chars().any(char::is_alphabetic));
    let plain = !said.text.contains('\n') && !said.text.contains(" ?");
    said.shown && plain && words.count() >= WORDS && (said.error || text.ends_with(['.', '…', '?']))
}

/// Sentences that a language lacks.
fn untold(source: &Source, told: &toml::Table, tag: &str) -> Vec<Finding> {
    let mut seen = BTreeSet::new();
    said(source)
        .into_iter()
        .filter(|said| is_sentence(said) && !told.contains_key(&said.text) && seen.insert(said.text.clone()))
        .map(|said| {
            Finding::new(
                &source.path,
                said.line,
                format!("assets/sentences/{tag}.toml lacks the sentence \"{}\"", said.text),
            )
        })
        .collect()
}

/// Sentences of a language that nobody says any more, or that fill in something else.
fn unsaid(path: &str, sentences: &toml::Table, said: &BTreeSet<String>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (english, other) in sentences {
        let (had, has) = (english.matches("{}").count(), other.as_str().unwrap_or_default());
        let numbered = places(has)
            .into_iter()
            .filter_map(|place| place.parse::<usize>().ok())
            .max();
        let fits = match numbered {
            Some(most) => most <= had && !has.contains("{}"),
            None => has.matches("{}").count() == had,
        };
        if !said.contains(english) {
            found.push(Finding::new(
                path,
                1,
                format!("nothing says the sentence \"{english}\""),
            ));
        } else if !fits || has.is_empty() {
            found.push(Finding::new(
                path,
                1,
                format!("the sentence \"{english}\" is filled in otherwise: {has}"),
            ));
        }
    }
    found
}

/// What each setting means, as the page of settings shows it: the comment above it in the file of defaults.
fn meanings(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut said: Vec<&str> = Vec::new();
    for line in text.lines() {
        if let Some(comment) = line.strip_prefix('#') {
            said.push(comment.trim());
            continue;
        }
        if line.contains(" = ") {
            found.insert(said.join(" "));
        }
        said.clear();
    }
    found
}

#[test]
fn sentences_are_said_in_every_language() {
    let sources = sources("src");
    let mut all: BTreeSet<String> = sources.iter().flat_map(said).map(|said| said.text).collect();
    let settings = files("config", &["default.toml"])
        .iter()
        .map(|(_, text)| meanings(text))
        .next();
    let settings = settings.expect("the file of defaults");
    assert!(settings.len() > 50);
    all.extend(settings.iter().cloned());
    for (path, text) in files("assets/sentences", &[".toml"]) {
        let table: toml::Table = text.parse().unwrap_or_else(|e| panic!("{path}: {e}"));
        let tag = path.rsplit('/').next().unwrap_or(&path).trim_end_matches(".toml");
        let mut found = unsaid(&path, &table, &all);
        found.extend(sources.iter().flat_map(|source| untold(source, &table, tag)));
        let unmeant = settings.iter().filter(|text| !table.contains_key(*text));
        found.extend(unmeant.map(|text| Finding::new("config/default.toml", 1, format!("{tag} lacks: {text}"))));
        refuse(&found);
    }
}

#[test]
fn what_nobody_says_or_nobody_translated_is_found() {
    let planted: toml::Table = "\"Gone {}.\" = \"Borta.\"\n\"Never.\" = \"Aldrig.\""
        .parse()
        .expect("a table");
    let all = BTreeSet::from([emptied("Gone {name}.")]);
    assert_eq!(unsaid("a.toml", &planted, &all).len(), 2, "the guard bites");
    assert_eq!(emptied("knows {{year}}, not {{{shown}}}."), "knows {year}, not {{}}.");
    assert_eq!(
        meanings("# A\n# b.\nc = 1\n\n# Lost.\n\n[d]\n# E.\nf = []\n"),
        BTreeSet::from(["A b.".to_owned(), "E.".to_owned()])
    );
    let code = r#"
        /// A comment is no sentence.
        #[doc = "Neither is this one."]
        #[error("it was refused {0}")]
        struct Refused(String);
        fn refuse(name: &str) -> Error {
            tracing::info!("This stands in a log.");
            sql("SELECT a FROM b WHERE c = ?");
            let known = "Gone {}.";
            Error::not_found("old job", name);
            Error::new(Code::Gone, format!("Nobody knows {name} here.{hint}"))
        }
        #[cfg(test)]
        mod tests {
            const TOLD: &str = "This is a test only.";
        }
        const LAST: &str = "This is said again.";
    "#;
    let lacks: BTreeMap<usize, String> = untold(&Source::planted("src/modules/a/service.rs", code), &planted, "sv")
        .into_iter()
        .map(|finding| (finding.line, finding.what))
        .collect();
    let lines: Vec<usize> = lacks.keys().copied().collect();
    assert_eq!(lines, [4, 10, 11, 17], "{lacks:?}");
    assert!(lacks[&10].ends_with("\"There is no old job \"{}\".\""), "{lacks:?}");
    assert!(untold(&Source::planted("src/modules/a/api.rs", code), &planted, "sv").is_empty());
}
