//! The places where the two databases differ, counted: each `pick` and each block of a migration for one engine. More of
//! them must show in review, so the list is a snapshot.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::literals::read;
use super::sources::{files, sources};

fn blocks(text: &str) -> usize {
    text.lines()
        .filter(|line| line.trim_start().starts_with("-- only:"))
        .count()
}

#[test]
fn places_that_differ_are_counted() {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for path in read(&sources("src")).picks {
        *places.entry(path).or_default() += 1;
    }
    for (path, text) in files("migrations", &[".sql"]) {
        if blocks(&text) > 0 {
            places.insert(path, blocks(&text));
        }
    }
    let mut list = format!("{} places in all\n", places.values().sum::<usize>());
    for (path, count) in places {
        let _ = writeln!(list, "{path}: {count}");
    }
    insta::assert_snapshot!(list);
}

#[test]
fn blocks_are_counted() {
    assert_eq!(blocks("a\n-- only: sqlite\nb\n  -- only: postgres\nc\n-- all:\n"), 2);
}
