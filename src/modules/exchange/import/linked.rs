//! Before a file is read whose rows may lead to each other: which records it names, and which rows hang below themselves.
//! A few words of memory a row.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::feed::{File, hash, without};
use crate::contract::records::{FieldKind, InFile, Ranks, RecordType};
use crate::kernel::error::{FieldIssue, Result};

/// Rows of a circle that are named.
const NAMED: usize = 8;

/// What a file says of links between its own rows.
#[derive(Debug, Default)]
pub struct Rows {
    /// Keys and ids of its rows, hashed, with the row.
    names: Sorted<u64, i64>,
    /// Rows that cannot hang where they say, with the reason.
    pub astray: HashMap<i64, FieldIssue>,
}

impl InFile for Rows {
    fn has(&self, name: &str) -> bool {
        self.names.get(&hash(name)).is_some()
    }
}

/// Pairs in the order of their first half, each of which stands there once: half of what a map of them would take.
#[derive(Debug)]
struct Sorted<K, V>(Vec<(K, V)>);

impl<K, V> Default for Sorted<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord + Copy, V: Ord + Copy> Sorted<K, V> {
    /// Of several with the same first half the least counts.
    fn of(mut pairs: Vec<(K, V)>) -> Self {
        pairs.sort_unstable();
        pairs.dedup_by_key(|(key, _)| *key);
        Self(pairs)
    }

    fn place(&self, key: &K) -> Option<usize> {
        self.0.binary_search_by_key(key, |(other, _)| *other).ok()
    }

    fn get(&self, key: &K) -> Option<V> {
        self.place(key).map(|at| self.0[at].1)
    }
}

/// Whether records of the type lead to others of it by fields that a row may fill.
pub fn leads_to_itself(definition: &RecordType) -> bool {
    let own = |target: &Option<String>| target.as_deref() == Some(definition.name.as_str());
    let mut fields = definition.fields.iter();
    fields.any(|field| field.kind == FieldKind::Link && own(&field.target))
}

/// Reads a file for that. `go_on` says whether to.
///
/// # Errors
/// A file that cannot be read any more.
pub fn look(file: File, definition: &RecordType, key: Option<&str>, mut go_on: impl FnMut() -> bool) -> Result<Rows> {
    let left_out: HashSet<String> = file.left_out.iter().cloned().collect();
    let (source, reading) = file.open()?;
    let (mut named, mut above, mut places) = (Vec::new(), Vec::new(), Vec::new());
    for row in source {
        // What cannot be read is told when the rows are taken.
        let Ok(row) = row else { break };
        if row.row % 1_000 == 0 && !go_on() {
            break;
        }
        let Ok(content) = row.content else { continue };
        let shaped = reading.shape(definition, without(content, &left_out));
        let text = |field: &str| match shaped.document.get(field) {
            Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let names = [shaped.id.clone(), key.and_then(text)];
        for name in names.into_iter().flatten() {
            // Which of two rows a name stands for is told when they are taken.
            named.push((hash(&name), row.row));
        }
        if let Some(parent) = definition.parent.as_deref().and_then(text) {
            above.push((row.row, hash(&parent)));
        }
        if let Some(ranks) = &definition.ranks {
            let place = text(&ranks.field).and_then(|rank| ranks.place(&rank));
            places.extend(place.map(|place| (row.row, place)));
        }
    }
    let (above, places) = (Sorted::of(above), Sorted::of(places));
    let mut rows = Rows {
        names: Sorted::of(named),
        astray: HashMap::new(),
    };
    rows.astray = astray(definition.parent.as_deref().unwrap_or_default(), &rows.names, &above);
    if let Some(ranks) = &definition.ranks {
        for (row, issue) in misranked(ranks, &rows.names, &above, &places) {
            rows.astray.entry(row).or_insert(issue);
        }
    }
    Ok(rows)
}

/// The rows that would hang below a row of their own rank or a lower one.
fn misranked<'r>(
    ranks: &'r Ranks,
    names: &'r Sorted<u64, i64>,
    above: &'r Sorted<i64, u64>,
    places: &'r Sorted<i64, usize>,
) -> impl Iterator<Item = (i64, FieldIssue)> + 'r {
    above.0.iter().filter_map(move |(row, parent)| {
        let parent = names.get(parent)?;
        let (own, other) = (places.get(row)?, places.get(&parent)?);
        if other < own {
            return None;
        }
        let message = format!(
            "\"{}\" does not hang below \"{}\" of row {parent} in the order of ranks of its type.",
            ranks.order.get(own)?,
            ranks.order.get(other)?
        );
        let path = ranks.field.clone();
        Some((*row, FieldIssue { path, message }))
    })
}

/// The rows of circles, and those that hang below them.
fn astray(field: &str, names: &Sorted<u64, i64>, above: &Sorted<i64, u64>) -> HashMap<i64, FieldIssue> {
    let parent = |row: i64| above.get(&row).and_then(|hash| names.get(&hash));
    // By their place among those that hang below something.
    let mut fine = vec![false; above.0.len()];
    let mut found: HashMap<i64, FieldIssue> = HashMap::new();
    let mut say = |row: i64, message: String| {
        let path = field.to_owned();
        found.insert(row, FieldIssue { path, message });
    };
    let mut circles: HashMap<i64, Option<Vec<i64>>> = HashMap::new();
    for (start, _) in above.0.iter().copied() {
        let mut way = Vec::new();
        let mut met: HashMap<i64, usize> = HashMap::new();
        let mut at = start;
        let bad = loop {
            if above.place(&at).is_some_and(|place| fine[place]) {
                break false;
            }
            if circles.contains_key(&at) {
                break true;
            }
            if let Some(first) = met.insert(at, way.len()) {
                let circle: Vec<i64> = way[first..].to_vec();
                for row in &circle {
                    circles.insert(*row, Some(circle.clone()));
                }
                break true;
            }
            way.push(at);
            match parent(at) {
                Some(next) => at = next,
                None => break false,
            }
        };
        for row in way {
            if bad {
                circles.entry(row).or_insert(None);
            } else if let Some(place) = above.place(&row) {
                fine[place] = true;
            }
        }
    }
    for (row, circle) in &circles {
        let message = match circle {
            Some(circle) => {
                let from = circle.iter().position(|one| one == row).unwrap_or_default();
                let turned = circle[from..].iter().chain(&circle[..from]);
                let mut steps: Vec<String> = turned.take(NAMED).map(|row| format!("row {row}")).collect();
                if circle.len() > NAMED {
                    steps.push("…".to_owned());
                }
                steps.push(format!("row {row}"));
                format!("would hang it below itself: {}.", steps.join(" › "))
            }
            None => "hangs below a row of this file that would hang below itself.".to_owned(),
        };
        say(*row, message);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_of_rows_are_named_with_what_hangs_below_them() {
        let names = Sorted::of((1..=6).map(|row| (row as u64, row)).collect());
        // 1 is a top, 2 hangs below it; 3, 4 and 5 go round; 6 hangs below 3; 7 is nowhere named.
        let above = Sorted::of(vec![(2, 1), (3, 4), (4, 5), (5, 3), (6, 3), (7, 99)]);
        let found = astray("parent", &names, &above);
        let mut rows: Vec<i64> = found.keys().copied().collect();
        rows.sort_unstable();
        assert_eq!(rows, [3, 4, 5, 6]);
        assert_eq!(
            found[&4].message,
            "would hang it below itself: row 4 › row 5 › row 3 › row 4."
        );
        assert!(found[&6].message.starts_with("hangs below a row"));
        let own = Sorted::of(vec![(1, 1)]);
        assert_eq!(astray("parent", &names, &own).len(), 1);
        // A family below a genus; a row without a rank that is compared is left alone.
        let ranks = Ranks {
            field: "rank".to_owned(),
            order: ["family", "genus"].map(str::to_owned).to_vec(),
        };
        let above = Sorted::of(vec![(2, 1), (3, 2), (4, 5)]);
        let places = Sorted::of(vec![(1, 0), (2, 1), (3, 0), (4, 1)]);
        assert_eq!(
            Sorted::of(vec![(7, 3), (7, 2)]).get(&7),
            Some(2),
            "the first row of a name"
        );
        let found: Vec<(i64, FieldIssue)> = misranked(&ranks, &names, &above, &places).collect();
        assert_eq!((found.len(), found[0].0, found[0].1.path.as_str()), (1, 3, "rank"));
        assert!(
            found[0]
                .1
                .message
                .contains("\"family\" does not hang below \"genus\" of row 2")
        );
    }
}
