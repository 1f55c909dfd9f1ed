//! Rows of DINA as they stand in their files: the three parts of each, who a specimen is, and the physical objects that
//! stand within specimens as rows of their own. No I/O.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::Set;
use super::take::says;
use crate::kernel::error::FieldIssue;
use crate::modules::exchange::read::{Source, SourceRow};

/// What stands before ids of DINA, so that they are nobody else's.
const PREFIX: &str = "dina:";
/// Objects that a specimen may have.
const MOST_OBJECTS: usize = 10_000;
/// Characters of a key.
const LONGEST: usize = 200;

/// A row in its parts.
#[derive(Debug, Default)]
pub struct Parts {
    pub data: Map<String, Value>,
    pub source: Option<Value>,
    pub legacy: Option<Value>,
    /// What stands beside them.
    pub other: Map<String, Value>,
}

/// Takes a row apart.
pub fn parts(set: Set, mut row: Map<String, Value>) -> Result<Parts, Vec<FieldIssue>> {
    let said = |value: Option<Value>| value.filter(says);
    let (source, legacy) = (
        said(row.shift_remove("sourceData")),
        said(row.shift_remove("legacyData")),
    );
    match row.shift_remove("migrationData") {
        Some(Value::Object(data)) => Ok(Parts {
            data,
            source,
            legacy,
            other: row,
        }),
        None if set.is_vocabulary() => Ok(Parts {
            data: row,
            source,
            legacy,
            other: Map::new(),
        }),
        _ => Err(vec![FieldIssue {
            path: "migrationData".to_owned(),
            message: format!(
                "is missing, or no object. This is no row of the set \"{}\".",
                set.as_str()
            ),
        }]),
    }
}

/// An id of DINA as a key here.
pub fn key(id: &str) -> String {
    format!("{PREFIX}{id}")
}

/// The key of a term.
pub fn term(set: Set, key: &str) -> String {
    format!("{}:{key}", set.as_str())
}

/// Keeps keys apart that stand several times in a file, by the order they stand in.
#[derive(Debug, Default)]
pub struct Ordinals(HashMap<String, u32>);

impl Ordinals {
    pub fn apart(&mut self, key: String) -> (String, bool) {
        let times = self.0.entry(key.clone()).or_insert(0);
        *times += 1;
        if *times == 1 {
            return (key, false);
        }
        (format!("{key} ({times})"), true)
    }
}

/// Who a specimen is: its catalog number, else its first other number, else what it says. And the number to show.
pub fn specimen(data: &Map<String, Value>) -> (String, Option<String>) {
    let identifiers: Vec<&Value> = match data.get("identifiers") {
        Some(Value::Array(items)) => items.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    let said = |item: &Value, name: &str| {
        let text = match item.get(name)? {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        Some(text).filter(|text| !text.is_empty() && text.chars().count() <= LONGEST)
    };
    let numbers: Vec<(String, String)> = identifiers
        .into_iter()
        .filter_map(|item| {
            Some((
                said(item, "identifierType_key").unwrap_or_default(),
                said(item, "value")?,
            ))
        })
        .collect();
    let catalog = numbers.iter().find(|(kind, _)| kind.to_lowercase().contains("catalog"));
    if let Some((_, value)) = catalog {
        return (key(value), Some(value.clone()));
    }
    if let Some((kind, value)) = numbers.first() {
        return (key(&format!("{kind}:{value}")), None);
    }
    let says = Value::Object(data.clone()).to_string();
    let hash: String = hex::encode(Sha256::digest(says)).chars().take(16).collect();
    (key(&format!("row-{hash}")), None)
}

/// The key of one of its objects.
pub fn object(specimen: &str, number: usize) -> String {
    format!("{specimen}/{number}")
}

/// The objects within the specimens of a file, each a row.
pub fn pieces(source: Source) -> Source {
    let mut ordinals = Ordinals::default();
    let mut next = 0;
    source.change(move |row| {
        let Ok(content) = row.content else { return Vec::new() };
        let Ok(parts) = parts(Set::Specimens, content) else {
            return Vec::new();
        };
        let (id, catalog) = specimen(&parts.data);
        let (id, _) = ordinals.apart(id);
        let objects = match parts.data.get("physicalObjects") {
            Some(Value::Array(items)) => items.clone(),
            Some(one @ Value::Object(_)) => vec![one.clone()],
            _ => Vec::new(),
        };
        let objects = objects.into_iter().filter(Value::is_object).enumerate();
        let said = objects.filter(|(_, object)| says(object));
        let piece = |(index, object): (usize, Value)| {
            next += 1;
            let content =
                json!({ "migrationData": object, "specimenID": id, "catalogNumber": catalog, "number": index + 1 });
            SourceRow {
                row: next,
                line: row.line,
                bytes: 64 + content.to_string().len(),
                content: match content {
                    Value::Object(map) => Ok(map),
                    _ => Ok(Map::new()),
                },
            }
        };
        said.take(MOST_OBJECTS).map(piece).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(value: &Value) -> (String, Option<String>) {
        specimen(value.as_object().unwrap_or(&Map::new()))
    }

    #[test]
    fn a_specimen_is_its_catalog_number() {
        let two = json!({ "identifiers": [
            { "identifierType_key": "old-skin-no", "value": "17" }, { "identifierType_key": "catalog-no", "value": 583124 },
        ] });
        assert_eq!(who(&two), ("dina:583124".to_owned(), Some("583124".to_owned())));
        let one = json!({ "identifiers": { "identifierType_key": "loan-no", "value": "L 5" } });
        assert_eq!(who(&one), ("dina:loan-no:L 5".to_owned(), None));
        let (none, _) = who(&json!({ "remarks": "x" }));
        assert!(none.starts_with("dina:row-") && none == who(&json!({ "remarks": "x" })).0);
        let mut ordinals = Ordinals::default();
        let keys: Vec<(String, bool)> = (0..2).map(|_| ordinals.apart("a".to_owned())).collect();
        assert_eq!(keys, [("a".to_owned(), false), ("a (2)".to_owned(), true)]);
    }
}
