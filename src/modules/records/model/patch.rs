//! Merge patches (RFC 7396) and what differs between two documents.

use serde_json::{Map, Value};

/// The document with a merge patch applied: objects are merged, null removes, everything else replaces.
pub fn merge(mut document: Map<String, Value>, patch: &Map<String, Value>) -> Map<String, Value> {
    for (name, change) in patch {
        match change {
            Value::Null => {
                // The order of the other fields stays.
                document.shift_remove(name);
            }
            Value::Object(inner) => {
                let before = match document.get_mut(name).map(Value::take) {
                    Some(Value::Object(before)) => before,
                    _ => Map::new(),
                };
                document.insert(name.clone(), Value::Object(merge(before, inner)));
            }
            other => {
                document.insert(name.clone(), other.clone());
            }
        }
    }
    document
}

/// Dotted paths with positions of what differs, in the order of the documents; at most `limit`.
pub fn changed_paths(before: &Map<String, Value>, after: &Map<String, Value>, limit: usize) -> Vec<String> {
    let mut paths = Vec::new();
    objects("", before, after, limit, &mut paths);
    paths
}

fn objects(at: &str, before: &Map<String, Value>, after: &Map<String, Value>, limit: usize, paths: &mut Vec<String>) {
    let removed = before
        .iter()
        .filter(|(name, _)| !after.contains_key(*name))
        .map(|(name, value)| (name, Some(value), None));
    let stands = after.iter().map(|(name, value)| (name, before.get(name), Some(value)));
    for (name, old, new) in stands.chain(removed) {
        let path = if at.is_empty() {
            name.clone()
        } else {
            format!("{at}.{name}")
        };
        values(
            path,
            old.unwrap_or(&Value::Null),
            new.unwrap_or(&Value::Null),
            limit,
            paths,
        );
    }
}

fn values(path: String, before: &Value, after: &Value, limit: usize, paths: &mut Vec<String>) {
    if before == after || paths.len() >= limit {
        return;
    }
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => objects(&path, before, after, limit, paths),
        (Value::Array(before), Value::Array(after)) => {
            for position in 0..before.len().max(after.len()) {
                let (old, new) = (before.get(position), after.get(position));
                values(
                    format!("{path}.{position}"),
                    old.unwrap_or(&Value::Null),
                    new.unwrap_or(&Value::Null),
                    limit,
                    paths,
                );
            }
        }
        _ => paths.push(path),
    }
}

/// Do two documents say the same? A field that is missing, null or the empty text says nothing, wherever it stands.
pub fn same(before: &Map<String, Value>, after: &Map<String, Value>) -> bool {
    before
        .iter()
        .all(|(name, old)| same_value(old, after.get(name).unwrap_or(&Value::Null)))
        && after
            .iter()
            .all(|(name, new)| before.contains_key(name) || is_nothing(new))
}

fn same_value(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => same(before, after),
        (Value::Array(before), Value::Array(after)) => {
            before.len() == after.len() && before.iter().zip(after).all(|(old, new)| same_value(old, new))
        }
        _ => before == after || (is_nothing(before) && is_nothing(after)),
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.values().all(is_nothing),
        Value::Bool(_) | Value::Number(_) => false,
    }
}
