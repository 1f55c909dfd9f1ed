//! Who may name whom: the kernel nobody above it, the contract only plain kernel types, a module no other module,
//! nobody the command line. Read from the tokens, so that macros and grouped imports count too.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

use super::sources::{Finding, Source, refuse, sources};

/// A path that starts at `crate`, resolved, with the line it stands on.
struct Named {
    path: Vec<String>,
    line: usize,
}

/// Kernel rooms whose types the contract may use: plain data and the transaction that spans modules.
const PLAIN: &[&str] = &["access", "clock", "error", "id", "ledger", "search"];
/// Crates that would bring SQL, HTTP or an engine into the contract.
const HEAVY: &[&str] = &[
    "askama",
    "axum",
    "hyper",
    "reqwest",
    "sqlx",
    "tantivy",
    "tower",
    "utoipa_axum",
];

/// Macros of the kernel, which live at the root of the crate.
const MACROS: &[&str] = &["both"];

fn own_module(file: &str) -> Vec<String> {
    let inner = file.trim_start_matches("src/").trim_end_matches(".rs");
    let mut path: Vec<String> = inner.split('/').map(str::to_owned).collect();
    if path
        .last()
        .is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str()))
    {
        path.pop();
    }
    path
}

/// Collects every path of `tokens` that leads from the crate's root, as seen from module `here`.
fn collect(tokens: TokenStream, here: &[String], found: &mut Vec<Named>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            // `pub(super)`, `pub(in crate::x)` say who sees it, not whom it names.
            TokenTree::Ident(word) if word == "pub" && is_group(tokens.get(at + 1), Delimiter::Parenthesis) => at += 2,
            TokenTree::Ident(word) if word == "mod" && is_group(tokens.get(at + 2), Delimiter::Brace) => {
                let mut inner = here.to_vec();
                inner.push(tokens[at + 1].to_string());
                if let TokenTree::Group(body) = &tokens[at + 2] {
                    collect(body.stream(), &inner, found);
                }
                at += 3;
            }
            TokenTree::Ident(word) if !after_colons(&tokens, at) => match start(&word.to_string(), here) {
                Some(base) => at = follow(&tokens, at + 1, base, word.span().start().line, found),
                None => at += 1,
            },
            TokenTree::Group(group) => {
                collect(group.stream(), here, found);
                at += 1;
            }
            _ => at += 1,
        }
    }
}

fn is_group(token: Option<&TokenTree>, delimiter: Delimiter) -> bool {
    matches!(token, Some(TokenTree::Group(g)) if g.delimiter() == delimiter)
}

fn is_colons(tokens: &[TokenTree], at: usize) -> bool {
    let colon = |t: Option<&TokenTree>| matches!(t, Some(TokenTree::Punct(p)) if p.as_char() == ':');
    matches!(tokens.get(at), Some(TokenTree::Punct(p)) if p.as_char() == ':' && p.spacing() == Spacing::Joint)
        && colon(tokens.get(at + 1))
}

fn after_colons(tokens: &[TokenTree], at: usize) -> bool {
    at >= 2 && is_colons(tokens, at - 2)
}

fn start(word: &str, here: &[String]) -> Option<Vec<String>> {
    match word {
        "crate" | "vitrine" => Some(Vec::new()),
        "super" => Some(here[..here.len().saturating_sub(1)].to_vec()),
        _ => None,
    }
}

/// Follows `:: name :: { … }` from `at`; answers where the path ends.
fn follow(tokens: &[TokenTree], mut at: usize, mut path: Vec<String>, line: usize, found: &mut Vec<Named>) -> usize {
    while is_colons(tokens, at) {
        match tokens.get(at + 2) {
            Some(TokenTree::Ident(word)) if word == "super" => {
                path.pop();
                at += 3;
            }
            Some(TokenTree::Ident(word)) => {
                path.push(word.to_string());
                at += 3;
            }
            Some(TokenTree::Punct(p)) if p.as_char() == '*' => {
                path.push("*".to_owned());
                at += 3;
            }
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                for part in inner.split(|t| matches!(t, TokenTree::Punct(p) if p.as_char() == ',')) {
                    let Some(TokenTree::Ident(first)) = part.first() else {
                        continue;
                    };
                    let mut longer = path.clone();
                    if first != "self" {
                        longer.push(first.to_string());
                    }
                    follow(part, 1, longer, first.span().start().line, found);
                }
                return at + 3;
            }
            _ => break,
        }
    }
    found.push(Named { path, line });
    at
}

/// What is wrong with naming `path` from `here`, if anything.
fn verdict(here: &[String], path: &[String]) -> Option<&'static str> {
    let first = |p: &[String]| p.first().cloned().unwrap_or_default();
    let (from, to) = (first(here), first(path));
    if to == "cli" && from != "cli" && !here.is_empty() {
        return Some("nothing imports the command line");
    }
    if MACROS.contains(&to.as_str()) {
        return None;
    }
    let names_modules = to == "modules";
    match from.as_str() {
        "kernel" => {
            // The fixtures start the real app: the one place of the kernel that looks up, and only in tests.
            let fixtures = here.get(1).is_some_and(|room| room == "testing");
            let fine = to == "kernel" || (fixtures && to == "app");
            (!fine).then_some("the kernel imports nothing above it")
        }
        "contract" => match (
            to.as_str(),
            path.get(1).map(String::as_str),
            path.get(2).map(String::as_str),
        ) {
            ("contract", _, _) | ("kernel", Some("db"), Some("Tx")) | ("kernel", Some("bus"), Some("Event")) => None,
            ("kernel", Some(room), _) if PLAIN.contains(&room) => None,
            _ => Some("the contract imports only plain kernel types"),
        },
        "modules" if here.len() > 1 => {
            let own = names_modules && path.get(1) == here.get(1);
            (to != "kernel" && to != "contract" && !own)
                .then_some("a module imports the kernel and the contract, never another module")
        }
        "modules" | "app" => None,
        _ => names_modules.then_some("only app.rs names modules"),
    }
}

fn heavy_crates(source: &Source) -> Vec<Finding> {
    fn walk(tokens: TokenStream, path: &str, found: &mut Vec<Finding>) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (at, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Ident(word) if HEAVY.contains(&word.to_string().as_str()) && is_colons(&tokens, at + 1) => {
                    let what = format!("the contract knows no {word}");
                    found.push(Finding::new(path, word.span().start().line, what));
                }
                TokenTree::Group(group) => walk(group.stream(), path, found),
                _ => {}
            }
        }
    }
    let mut found = Vec::new();
    walk(source.tokens(), &source.path, &mut found);
    found
}

fn broken_walls(source: &Source) -> Vec<Finding> {
    let here = own_module(&source.path);
    let mut named = Vec::new();
    collect(source.tokens(), &here, &mut named);
    let mut findings: Vec<Finding> = named
        .iter()
        .filter_map(|n| {
            let rule = verdict(&here, &n.path)?;
            Some(Finding::new(
                &source.path,
                n.line,
                format!("{rule}, but this names crate::{}", n.path.join("::")),
            ))
        })
        .collect();
    if here.first().is_some_and(|f| f == "contract") {
        findings.extend(heavy_crates(source));
    }
    findings
}

#[test]
fn walls_stand() {
    let findings: Vec<Finding> = sources("src").iter().flat_map(broken_walls).collect();
    refuse(&findings);
}

#[test]
fn walls_bite() {
    #[track_caller]
    fn check(path: &str, text: &str, lines: &[usize]) {
        let found: Vec<usize> = broken_walls(&Source::planted(path, text))
            .iter()
            .map(|f| f.line)
            .collect();
        assert_eq!(found, lines, "{path}: {text}");
    }
    check("src/kernel/a.rs", "use crate::contract::records::Record;", &[1]);
    check(
        "src/kernel/a.rs",
        "use super::db::{Db, sql};\nuse crate::kernel::id;",
        &[],
    );
    check(
        "src/kernel/a.rs",
        "fn f() {\n    m!(crate::modules::search::go())\n}",
        &[2],
    );
    check("src/kernel/testing/app.rs", "use crate::app::App;", &[]);
    check(
        "src/contract/a.rs",
        "use crate::kernel::error::Result;\nuse crate::kernel::db::Tx;",
        &[],
    );
    check("src/contract/a.rs", "use crate::kernel::db::{Tx, sql};", &[1]);
    check("src/contract/a.rs", "fn f(r: axum::Router) {}", &[1]);
    check(
        "src/modules/search/api.rs",
        "use crate::{kernel::id, modules::records::service};",
        &[1],
    );
    check("src/modules/search/mod.rs", "use super::records::service;", &[1]);
    check(
        "src/modules/search/mod.rs",
        "pub(super) use crate::modules as all;",
        &[1],
    );
    check(
        "src/modules/search/api.rs",
        "use super::service::Service;\nmod tests { use super::super::store; }",
        &[],
    );
    check("src/modules/search/api.rs", "use super::super::records::store;", &[1]);
    check(
        "src/modules/search/api.rs",
        "use crate::*;\nuse crate::cli::Cli;",
        &[1, 2],
    );
    check("src/app.rs", "use crate::modules::search;\nuse crate::cli::Cli;", &[2]);
    check("src/cli/import.rs", "use crate::modules::exchange;", &[1]);
    check("src/main.rs", "fn main() { vitrine::cli::main() }", &[]);
}
