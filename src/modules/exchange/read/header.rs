//! Columns and their names: which row is the header, and how its names become usable and unique. Nothing here reads.

use std::collections::{HashMap, HashSet};

use super::super::marks::{RECORD_ID, unguard};
use super::look::Column;
use super::record::Record;

/// Bytes a column's name may have.
pub(super) const MAX_NAME: usize = 200;
/// Rows among which the header is looked for.
const AMONG: usize = 20;

/// Where in these records the header is. The first row is, unless it and what follows it are plainly something else (a
/// title, a date, a blank): far fewer cells than the rows have, before a row of names that is as wide as they are.
pub(super) fn guess(records: &[Record]) -> usize {
    let filled: Vec<usize> = records.iter().map(Record::filled).collect();
    let first = filled.iter().position(|n| *n > 0).unwrap_or(0);
    let mut sorted: Vec<usize> = filled.iter().copied().filter(|n| *n > 0).collect();
    sorted.sort_unstable();
    let typical = sorted.get(sorted.len() / 2).copied().unwrap_or(0);
    let wide = |n: usize| n >= 2 && n * 2 > typical;
    let lone =
        filled.get(first).is_some_and(|n| *n == 1) && (records[first].count == 1 || filled.get(first + 1) == Some(&0));
    if typical < 2 || wide(filled[first]) || (typical == 2 && !lone) {
        return first;
    }
    let later = (first + 1..records.len().min(AMONG)).find(|index| wide(filled[*index]) && names(&records[*index]));
    later.unwrap_or(first)
}

/// The cells could be names: no numbers, no two alike.
fn names(record: &Record) -> bool {
    let mut seen = HashSet::new();
    (0..record.kept()).all(|index| {
        let cell = record.cell(index);
        let text = String::from_utf8_lossy(cell);
        let text = text.trim();
        text.is_empty() || (text.parse::<f64>().is_err() && text.len() <= MAX_NAME && seen.insert(text.to_owned()))
    })
}

/// What the names of a header became.
pub(super) struct Named {
    pub columns: Vec<Column>,
    /// Names that stood twice.
    pub twice: Vec<String>,
    /// Columns without a name, counted from 1.
    pub nameless: Vec<usize>,
}

/// The columns of a header, or what is wrong with it. An export of our own keeps its names to the letter.
pub(super) fn columns(record: &Record, guarded: bool) -> Result<Named, String> {
    let ours = (0..record.kept()).any(|index| record.cell(index) == RECORD_ID.as_bytes());
    let mut named = Named {
        columns: Vec::with_capacity(record.kept()),
        twice: Vec::new(),
        nameless: Vec::new(),
    };
    let mut taken = Taken::default();
    for index in 0..record.kept() {
        let Ok(original) = std::str::from_utf8(record.cell(index)) else {
            return Err(format!(
                "is not UTF-8 text in column {}. Say the encoding of the file, or save it as UTF-8.",
                index + 1
            ));
        };
        let plain = match (ours, guarded) {
            (true, true) => unguard(original).to_owned(),
            (true, false) => original.to_owned(),
            // Others have stray spaces and line breaks.
            // A dot at the end ("Inv.-Nr.") would be one of a path.
            (false, _) => {
                let words = original.split_whitespace().collect::<Vec<_>>().join(" ");
                words.trim_matches(['.', ' ']).to_owned()
            }
        };
        if plain.len() > MAX_NAME || plain.chars().any(char::is_control) || record.long == Some(index) {
            let shown: String = plain.chars().filter(|c| !c.is_control()).take(40).collect();
            return Err(format!(
                "has an unusable name for column {}: \"{shown}\". A name is one line of at most {MAX_NAME} bytes. Is this \
                 row the header? Say which one is.",
                index + 1
            ));
        }
        if plain.is_empty() {
            named.nameless.push(index + 1);
        } else if taken.names.get(&plain) == Some(&1) {
            named.twice.push(plain.clone());
        }
        let name = taken.unique(&plain, index);
        let original = (name != original).then(|| original.to_owned());
        let guard_only = ours && original.as_deref().is_some_and(|o| unguard(o) == name);
        named.columns.push(Column {
            original: original.filter(|_| !guard_only),
            name,
            empty: true,
        });
    }
    Ok(named)
}

/// Columns of a table without a header.
pub(super) fn numbered(width: usize) -> Vec<Column> {
    let mut taken = Taken::default();
    (0..width)
        .map(|index| Column {
            name: taken.unique("", index),
            original: Some(String::new()),
            empty: true,
        })
        .collect()
}

/// Names that are taken, and how often each was asked for.
#[derive(Default)]
pub(super) struct Taken {
    names: HashMap<String, usize>,
}

impl Taken {
    pub(super) fn of<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        Self {
            names: names.map(|name| (name.to_owned(), 1)).collect(),
        }
    }

    /// A name that is not taken yet: the second `title` is `title (2)`, one without a name goes by its place.
    pub(super) fn unique(&mut self, plain: &str, index: usize) -> String {
        let base = if plain.is_empty() {
            format!("column {}", index + 1)
        } else {
            plain.to_owned()
        };
        let mut count = self.names.get(&base).copied().unwrap_or(0) + 1;
        let mut name = base.clone();
        while self.names.contains_key(&name) {
            count = count.max(2);
            name = format!("{base} ({count})");
            count += 1;
        }
        if name != base {
            self.names.insert(base, count - 1);
        }
        self.names.insert(name.clone(), 1);
        name
    }
}
