//! Every text that is asked for exists, and every text that exists is asked for. A key may be put together at run time
//! from a literal that ends in a dot (`"job.state."`) or goes on with a brace (`"month.{}"`).

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};

use super::sources::{Finding, files, refuse, sources};

/// Filters of templates that take a key.
const ASKING: &[&str] = &["t", "t1", "t_with", "t_count"];
/// Endings that a number chooses.
const PLURALS: &[&str] = &["zero", "one", "two", "few", "many", "other"];

/// One literal and whether it certainly is a key.
struct Literal {
    path: String,
    line: usize,
    text: String,
    asked: bool,
}

/// The literals of a template, in its expressions and statements.
fn of_template(path: &str, text: &str) -> Vec<Literal> {
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let mut rest = line;
        // Quotes of attributes stand outside braces; only what is between braces is looked at.
        while let Some(open) = ["{{", "{%"].iter().filter_map(|o| rest.find(o)).min() {
            let inside = &rest[open + 2..];
            let close = ["}}", "%}"]
                .iter()
                .filter_map(|c| inside.find(c))
                .min()
                .unwrap_or(inside.len());
            let expression = &inside[..close];
            let pieces: Vec<&str> = expression.split('"').collect();
            for (n, piece) in pieces.iter().enumerate().skip(1).step_by(2) {
                let after = pieces.get(n + 1).unwrap_or(&"").trim_start();
                let filter: String = after
                    .strip_prefix('|')
                    .map(|f| {
                        f.trim_start()
                            .chars()
                            .take_while(|c| c.is_alphanumeric() || *c == '_')
                            .collect()
                    })
                    .unwrap_or_default();
                let asked = ASKING.contains(&filter.as_str());
                found.push(Literal {
                    path: path.to_owned(),
                    line: at + 1,
                    text: (*piece).to_owned(),
                    asked,
                });
            }
            rest = &inside[close..];
        }
    }
    found
}

/// The literals of a Rust file. A literal after `label:` of a navigation entry is a key.
fn of_source(path: &str, tokens: TokenStream, found: &mut Vec<Literal>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => of_source(path, group.stream(), found),
            TokenTree::Literal(literal) => {
                let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string()) else {
                    continue;
                };
                let before = |n: usize| at.checked_sub(n).and_then(|i| tokens.get(i)).map(ToString::to_string);
                let asked = before(2).as_deref() == Some("label") && before(1).as_deref() == Some(":");
                let line = literal.span().start().line;
                found.push(Literal {
                    path: path.to_owned(),
                    line,
                    text: text.value(),
                    asked,
                });
            }
            _ => {}
        }
    }
}

fn keys(table: &toml::Table, prefix: &str, into: &mut BTreeSet<String>) {
    for (name, value) in table {
        let key = if prefix.is_empty() {
            name.clone()
        } else {
            format!("{prefix}.{name}")
        };
        match value {
            toml::Value::Table(inner) => keys(inner, &key, into),
            _ => {
                into.insert(key);
            }
        }
    }
}

/// Whether a literal stands for a key, wholly or as its beginning.
fn stands_for(literal: &str, key: &str) -> bool {
    let beginning = match literal.find('{') {
        Some(at) => &literal[..at],
        None => literal,
    };
    let base = key
        .rsplit_once('.')
        .filter(|(_, last)| PLURALS.contains(last))
        .map(|(base, _)| base);
    literal == key
        || base == Some(literal)
        || (beginning.ends_with('.') && beginning.len() > 1 && key.starts_with(beginning))
}

fn missing_and_unused(literals: &[Literal], keys: &BTreeSet<String>) -> Vec<Finding> {
    let mut found = Vec::new();
    for literal in literals
        .iter()
        .filter(|l| l.asked && !keys.iter().any(|k| stands_for(&l.text, k)))
    {
        found.push(Finding::new(
            &literal.path,
            literal.line,
            format!("the text \"{}\" is missing", literal.text),
        ));
    }
    for key in keys.iter().filter(|k| !literals.iter().any(|l| stands_for(&l.text, k))) {
        found.push(Finding::new(
            "assets/locales/en",
            1,
            format!("nothing asks for the text \"{key}\""),
        ));
    }
    found
}

#[test]
fn texts_are_there_and_used() {
    let mut all = BTreeSet::new();
    for (path, text) in files("assets/locales/en", &[".toml"]) {
        let table: toml::Table = text.parse().unwrap_or_else(|e| panic!("{path}: {e}"));
        keys(&table, "", &mut all);
    }
    let mut literals: Vec<Literal> = files("src", &[".html", ".txt", ".xml"])
        .iter()
        .flat_map(|(path, text)| of_template(path, text))
        .collect();
    for source in sources("src").iter().filter(|s| !s.path.ends_with("/tests.rs")) {
        of_source(&source.path, source.tokens(), &mut literals);
    }
    refuse(&missing_and_unused(&literals, &all));
}

#[test]
fn missing_and_unused_texts_are_found() {
    let all: BTreeSet<String> = [
        "a.title",
        "a.rows.one",
        "a.rows.other",
        "state.done",
        "nav.home",
        "left.over",
    ]
    .map(str::to_owned)
    .into();
    let mut literals = of_template(
        "a.html",
        "{{ \"a.title\"|t }} <p class=\"left.over\">{{ \"a.rows\"|t_count(n) }}\n{{ \"a.none\" | t }} {{ \"state.\"|f }}",
    );
    of_source(
        "a.rs",
        "const A: N = N { label: \"nav.hom\" }; f(\"nav.home\")"
            .parse()
            .expect("tokens"),
        &mut literals,
    );
    let found: Vec<String> = missing_and_unused(&literals, &all)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        found,
        [
            "a.html:2: the text \"a.none\" is missing",
            "a.rs:1: the text \"nav.hom\" is missing",
            "assets/locales/en:1: nothing asks for the text \"left.over\"",
        ]
    );
}
