//! What must not stand in any file of the project: paths of one machine, hosts of package registries, work left undone.

use super::sources::{Finding, files, refuse};

/// The words, put together here so that this file does not hold them.
fn forbidden() -> Vec<String> {
    [
        ["/wo", "rk/"],
        ["/ro", "ot/"],
        ["/home", "/"],
        ["/opt/", "wheels"],
        ["crates", ".io"],
        ["py", "pi.org"],
        ["pythonho", "sted.org"],
        ["npm", "js.org"],
        ["deb.deb", "ian.org"],
        ["TO", "DO"],
        ["FIX", "ME"],
    ]
    .iter()
    .map(|parts| parts.concat())
    .collect()
}

fn bad_words(path: &str, text: &str) -> Vec<Finding> {
    let words = forbidden();
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        for word in words.iter().filter(|w| line.contains(w.as_str())) {
            found.push(Finding::new(
                path,
                at + 1,
                format!("\"{word}\" does not belong into the project"),
            ));
        }
    }
    found
}

#[test]
fn no_file_names_a_machine_or_a_registry() {
    let folders = [
        "src",
        "tests",
        "benches",
        "migrations",
        "config",
        "assets/static",
        "assets/styles",
        "assets/scripts",
        "assets/locales",
        "assets/sentences",
        "assets/docs",
        ".ci",
    ];
    let endings = [
        ".rs", ".sql", ".toml", ".html", ".css", ".js", ".md", ".sh", ".py", "run",
    ];
    let mut all: Vec<(String, String)> = folders.iter().flat_map(|folder| files(folder, &endings)).collect();
    for name in [
        "Cargo.toml",
        "Makefile",
        "Dockerfile",
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "BENCHMARKS.md",
        "clippy.toml",
        "deny.toml",
    ] {
        if let Ok(text) = std::fs::read_to_string(super::sources::root().join(name)) {
            all.push((name.to_owned(), text));
        }
    }
    let findings: Vec<Finding> = all.iter().flat_map(|(path, text)| bad_words(path, text)).collect();
    refuse(&findings);
}

#[test]
fn words_bite() {
    for word in forbidden() {
        assert_eq!(bad_words("a.rs", &format!("x\n// {word} y")).len(), 1, "{word}");
    }
    assert!(bad_words("a.rs", "// plain words").is_empty());
}
