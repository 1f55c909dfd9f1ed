//! The project's files as the guards read them, and the way they report. Knows no rule.

use std::fmt;
use std::path::{Path, PathBuf};

use proc_macro2::TokenStream;

/// One Rust file, parsed.
pub struct Source {
    /// From the project's root: `src/kernel/db/mod.rs`.
    pub path: String,
    pub text: String,
    pub tree: syn::File,
}

impl Source {
    /// A file that is not on disk, for showing that a guard bites.
    pub fn planted(path: &str, text: &str) -> Self {
        let tree = syn::parse_file(text).unwrap_or_else(|e| panic!("{path}: {e}"));
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            tree,
        }
    }

    pub fn tokens(&self) -> TokenStream {
        self.text.parse().unwrap_or_else(|e| panic!("{}: {e}", self.path))
    }
}

/// One place that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub path: String,
    pub line: usize,
    pub what: String,
}

impl Finding {
    pub fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            what: what.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// Fails the test with every finding on a line of its own.
#[track_caller]
pub fn refuse(findings: &[Finding]) {
    let list: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(
        list.is_empty(),
        "{} places break a rule of the house:\n{}",
        list.len(),
        list.join("\n")
    );
}

/// The project's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below `folder` whose name ends like one of `endings`, with its path from the root, in order.
pub fn files(folder: &str, endings: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(next) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&next) else {
            continue;
        };
        for entry in entries {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if endings.iter().any(|e| path.to_string_lossy().ends_with(e)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found.into_iter().map(|path| (relative(&path), read(&path))).collect()
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root())
        .expect("below the root")
        .to_string_lossy()
        .into_owned()
}

fn read(path: &PathBuf) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Every Rust file below `folder`.
pub fn sources(folder: &str) -> Vec<Source> {
    let found = files(folder, &[".rs"]);
    assert!(!found.is_empty(), "no Rust files below {folder}");
    found
        .into_iter()
        .map(|(path, text)| Source::planted(&path, &text))
        .collect()
}
