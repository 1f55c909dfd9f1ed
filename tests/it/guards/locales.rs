//! Every text that is asked for exists, and every text that exists is asked for. A key may be put together at run time
//! from a literal that ends in a dot (`"job.state."`) or goes on with a brace (`"month.{}"`).

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};

use vitrine::kernel::i18n::Language;

use super::sources::{Finding, files, refuse, root, sources};

/// Filters of templates that take a key.
const ASKING: &[&str] = &["t", "t1", "t_with", "t_count"];
/// Endings that a number chooses.
const PLURALS: &[&str] = &["zero", "one", "two", "few", "many", "other"];

/// Texts that languages fill in differently: a century is counted, or called by its first year.
const FREE: &str = "civil.century.";

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
    let all = texts("en").into_keys().collect();
    let mut literals: Vec<Literal> = files("src", &[".html", ".txt", ".xml"])
        .iter()
        .flat_map(|(path, text)| of_template(path, text))
        .collect();
    for source in sources("src").iter().filter(|s| !s.path.ends_with("/tests.rs")) {
        of_source(&source.path, source.tokens(), &mut literals);
    }
    refuse(&missing_and_unused(&literals, &all));
}

/// Key, text and file of one language.
type Texts = BTreeMap<String, (String, String)>;

fn texts(tag: &str) -> Texts {
    fn walk(table: &toml::Table, prefix: &str, file: &str, into: &mut Texts) {
        for (name, value) in table {
            let key = if prefix.is_empty() {
                name.clone()
            } else {
                format!("{prefix}.{name}")
            };
            match value {
                toml::Value::Table(inner) => walk(inner, &key, file, into),
                other => {
                    let text = other.as_str().map_or_else(|| other.to_string(), str::to_owned);
                    into.insert(key, (text, file.to_owned()));
                }
            }
        }
    }
    let mut all = Texts::new();
    for (path, text) in files(&format!("assets/locales/{tag}"), &[".toml"]) {
        let table: toml::Table = text.parse().unwrap_or_else(|e| panic!("{path}: {e}"));
        let file = path.rsplit('/').next().unwrap_or(&path);
        walk(&table, "", file, &mut all);
    }
    all
}

/// The places of a text that are filled in.
pub(super) fn places(text: &str) -> BTreeSet<&str> {
    let after = text.split('{').skip(1);
    after
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name)
        .collect()
}

/// What a language lacks beside English, has too much, keeps in another file or fills in differently.
fn uneven(tag: &str, english: &Texts, other: &Texts) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut say = |file: &str, what: String| {
        found.push(Finding::new(&format!("assets/locales/{tag}/{file}"), 1, what));
    };
    for (key, (text, file)) in english {
        match other.get(key) {
            None => say(file, format!("the text \"{key}\" is missing: {text}")),
            Some((_, there)) if there != file => say(there, format!("the text \"{key}\" belongs into {file}")),
            Some((own, _)) if own.is_empty() => say(file, format!("the text \"{key}\" is empty")),
            Some((own, _)) if places(own) != places(text) && !key.starts_with(FREE) => {
                say(file, format!("the text \"{key}\" fills in other places than: {text}"));
            }
            Some(_) => {}
        }
    }
    for (key, (_, file)) in other.iter().filter(|(key, _)| !english.contains_key(*key)) {
        say(file, format!("English has no text \"{key}\""));
    }
    found
}

#[test]
fn every_language_is_complete() {
    let english = texts("en");
    let mut spoken = 0;
    for language in Language::all().skip(1) {
        refuse(&uneven(language.tag(), &english, &texts(language.tag())));
        spoken += 1;
    }
    let folders = std::fs::read_dir(root().join("assets/locales"))
        .expect("a folder")
        .count();
    assert_eq!(folders, spoken + 1, "a folder for each language and none besides");
}

#[test]
fn what_a_language_lacks_is_found() {
    let of = |pairs: &[(&str, &str, &str)]| -> Texts {
        let all = pairs
            .iter()
            .map(|(key, text, file)| ((*key).to_owned(), ((*text).to_owned(), (*file).to_owned())));
        all.collect()
    };
    let english = of(&[
        ("a.n.one", "{n} thing of {all}", "a.toml"),
        ("a.n.other", "{n} things", "a.toml"),
        ("a.gone", "Gone", "a.toml"),
        ("a.moved", "Moved", "a.toml"),
        ("a.void", "Void", "a.toml"),
    ]);
    let other = of(&[
        ("a.n.one", "{n} sak", "a.toml"),
        ("a.n.other", "{n} saker", "a.toml"),
        ("a.moved", "Flyttad", "b.toml"),
        ("a.void", "", "a.toml"),
        ("a.more", "Mer", "a.toml"),
    ]);
    let found: Vec<String> = uneven("sv", &english, &other).iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "assets/locales/sv/a.toml:1: the text \"a.gone\" is missing: Gone",
            "assets/locales/sv/b.toml:1: the text \"a.moved\" belongs into a.toml",
            "assets/locales/sv/a.toml:1: the text \"a.n.one\" fills in other places than: {n} thing of {all}",
            "assets/locales/sv/a.toml:1: the text \"a.void\" is empty",
            "assets/locales/sv/a.toml:1: English has no text \"a.more\"",
        ]
    );
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
