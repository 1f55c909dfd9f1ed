//! Fields by dotted path, and the values of a document under them. A name may itself hold dots, as headings of tables
//! do; the definition's check keeps paths unambiguous.

use serde_json::{Map, Value};

use crate::contract::records::{Field, FieldKind, RecordType};
use crate::kernel::access::Level;

/// A field that holds values, with what its groups add.
#[derive(Clone, Debug)]
pub struct Leaf<'a> {
    /// Dotted, without positions.
    pub path: String,
    /// The names from the top.
    pub steps: Vec<&'a str>,
    pub field: &'a Field,
    /// The strictest of the field and its groups.
    pub level: Level,
    /// It or a group above it is a list.
    pub repeated: bool,
}

/// Every field that is no group, in order.
pub fn leaves(fields: &[Field]) -> Vec<Leaf<'_>> {
    let mut found = Vec::new();
    gather(fields, &[], Level::Public, false, &mut found);
    found
}

fn gather<'a>(fields: &'a [Field], above: &[&'a str], level: Level, repeated: bool, found: &mut Vec<Leaf<'a>>) {
    for field in fields {
        let mut steps = above.to_vec();
        steps.push(&field.name);
        let level = level.max(field.level);
        let repeated = repeated || field.repeated;
        if field.kind == FieldKind::Group {
            gather(&field.fields, &steps, level, repeated, found);
        } else {
            found.push(Leaf {
                path: steps.join("."),
                steps,
                field,
                level,
                repeated,
            });
        }
    }
}

/// The field at a path; groups are no values and are not found.
pub fn find<'a>(fields: &'a [Field], path: &str) -> Option<Leaf<'a>> {
    seek(fields, path, &mut Vec::new(), Level::Public, false)
}

fn seek<'a>(
    fields: &'a [Field],
    path: &str,
    steps: &mut Vec<&'a str>,
    level: Level,
    repeated: bool,
) -> Option<Leaf<'a>> {
    for field in fields {
        let level = level.max(field.level);
        let repeated = repeated || field.repeated;
        if field.kind == FieldKind::Group {
            let Some(rest) = path.strip_prefix(field.name.as_str()).and_then(|r| r.strip_prefix('.')) else {
                continue;
            };
            steps.push(&field.name);
            if let Some(leaf) = seek(&field.fields, rest, steps, level, repeated) {
                return Some(leaf);
            }
            steps.pop();
        } else if field.name == path {
            steps.push(&field.name);
            return Some(Leaf {
                path: steps.join("."),
                steps: steps.clone(),
                field,
                level,
                repeated,
            });
        }
    }
    None
}

/// The values of a document under some names, lists opened, nulls left out.
pub fn values<'d>(document: &'d Map<String, Value>, steps: &[&str]) -> Vec<&'d Value> {
    let mut found = Vec::new();
    if let Some((first, rest)) = steps.split_first()
        && let Some(value) = document.get(*first)
    {
        descend(value, rest, &mut found);
    }
    found
}

fn descend<'d>(value: &'d Value, steps: &[&str], found: &mut Vec<&'d Value>) {
    match value {
        Value::Null => {}
        Value::Array(items) => items.iter().for_each(|item| descend(item, steps, found)),
        Value::Object(map) => {
            if let Some((first, rest)) = steps.split_first()
                && let Some(value) = map.get(*first)
            {
                descend(value, rest, found);
            }
        }
        scalar if steps.is_empty() => found.push(scalar),
        _ => {}
    }
}

/// Puts a value under some names; groups that are missing are made. No list is on the way.
pub fn put(document: &mut Map<String, Value>, steps: &[&str], value: Value) {
    let Some((first, rest)) = steps.split_first() else {
        return;
    };
    if rest.is_empty() {
        document.insert((*first).to_owned(), value);
        return;
    }
    if !document.get(*first).is_some_and(Value::is_object) {
        document.insert((*first).to_owned(), Value::Object(Map::new()));
    }
    if let Some(Value::Object(inner)) = document.get_mut(*first) {
        put(inner, rest, value);
    }
}

/// A scalar as the text under which it is looked up; nothing for lists and groups.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The fields whose values lead to one record only: the key and the unique ones.
pub fn identifying(definition: &RecordType) -> Vec<Leaf<'_>> {
    let mut leaves = leaves(&definition.fields);
    leaves.retain(|leaf| leaf.field.unique || definition.key.as_deref() == Some(leaf.path.as_str()));
    leaves
}

/// The fields that lead to other records.
pub fn linking(definition: &RecordType) -> Vec<Leaf<'_>> {
    let mut leaves = leaves(&definition.fields);
    leaves.retain(|leaf| leaf.field.kind == FieldKind::Link);
    leaves
}

/// `(path, value)` of the document under these fields, in order, each once.
pub fn pairs(leaves: &[Leaf<'_>], document: &Map<String, Value>) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for leaf in leaves {
        for value in values(document, &leaf.steps)
            .into_iter()
            .filter_map(text)
            .filter(|t| !t.is_empty())
        {
            found.push((leaf.path.clone(), value));
        }
    }
    found.sort();
    found.dedup();
    found
}
