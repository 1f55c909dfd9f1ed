//! Tells the program which commit it is built from. Works without a checkout and without git.

use std::path::{Path, PathBuf};

#[expect(clippy::disallowed_methods, reason = "a build is told by its environment")]
fn main() {
    println!("cargo::rerun-if-env-changed=VITRINE_COMMIT");
    let given = std::env::var("VITRINE_COMMIT").ok().filter(|commit| !commit.is_empty());
    let commit = given
        .or_else(|| head(Path::new(".git")))
        .unwrap_or_else(|| "unknown".to_owned());
    let short: String = commit.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
    println!("cargo::rustc-env=VITRINE_COMMIT={short}");
}

/// The commit that HEAD names, directly or through a branch.
fn head(git: &Path) -> Option<String> {
    let folder = if git.is_file() {
        // A linked work tree: the file says where its folder is.
        PathBuf::from(std::fs::read_to_string(git).ok()?.strip_prefix("gitdir:")?.trim())
    } else {
        git.to_owned()
    };
    let head = folder.join("HEAD");
    println!("cargo::rerun-if-changed={}", head.display());
    let text = std::fs::read_to_string(&head).ok()?;
    let Some(reference) = text.trim().strip_prefix("ref: ") else {
        return Some(text.trim().to_owned());
    };
    let shared = std::fs::read_to_string(folder.join("commondir")).ok();
    let shared = shared.map_or_else(|| folder.clone(), |common| folder.join(common.trim()));
    let loose = shared.join(reference);
    if let Ok(commit) = std::fs::read_to_string(&loose) {
        println!("cargo::rerun-if-changed={}", loose.display());
        return Some(commit.trim().to_owned());
    }
    let packed = std::fs::read_to_string(shared.join("packed-refs")).ok()?;
    packed
        .lines()
        .find_map(|line| line.strip_suffix(reference))
        .map(|commit| commit.trim().to_owned())
}
