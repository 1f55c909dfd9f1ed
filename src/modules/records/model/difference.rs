//! What differs between two definitions of a type, in words that a terminal and a page can show: by path, before and after.

use serde::Serialize;
use serde_json::{Map, Value};

use super::shorten;
use crate::contract::records::RecordType;
use crate::kernel::error::Result;

/// Differences that are told.
const MOST: usize = 500;
/// Characters of a value.
const LONG: usize = 200;

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Differs {
    /// `fields.title.labels.sv`; fields are named, not counted.
    pub path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// What differs; empty where they are the same.
///
/// # Errors
/// A definition that is no JSON, which none is.
pub fn differences(before: &RecordType, after: &RecordType) -> Result<Vec<Differs>> {
    let mut out = Vec::new();
    walk(
        "",
        &serde_json::to_value(before)?,
        &serde_json::to_value(after)?,
        &mut out,
    );
    out.truncate(MOST);
    Ok(out)
}

fn walk(path: &str, before: &Value, after: &Value, out: &mut Vec<Differs>) {
    if before == after || out.len() > MOST {
        return;
    }
    match (before, after) {
        (Value::Object(one), Value::Object(other)) => pairs(path, one, other, out),
        (Value::Array(one), Value::Array(other)) => match (named(one), named(other)) {
            (Some(from), Some(to)) => {
                pairs(path, &from, &to, out);
                let kept = |all: &Map<String, Value>, in_both: &Map<String, Value>| -> Vec<String> {
                    all.keys().filter(|name| in_both.contains_key(*name)).cloned().collect()
                };
                let (was, is) = (kept(&from, &to), kept(&to, &from));
                if was != is {
                    let line = |names: &[String]| Some(shorten(&names.join(", "), LONG));
                    out.push(Differs {
                        path: format!("{path}: order").trim_start_matches(": ").to_owned(),
                        before: line(&was),
                        after: line(&is),
                    });
                }
            }
            _ => out.push(told(path, Some(before), Some(after))),
        },
        _ => out.push(told(path, Some(before), Some(after))),
    }
}

fn pairs(path: &str, one: &Map<String, Value>, other: &Map<String, Value>, out: &mut Vec<Differs>) {
    let inner = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    for (name, before) in one {
        match other.get(name) {
            Some(after) => walk(&inner(name), before, after, out),
            None => out.push(told(&inner(name), Some(before), None)),
        }
    }
    for (name, after) in other.iter().filter(|(name, _)| !one.contains_key(*name)) {
        out.push(told(&inner(name), None, Some(after)));
    }
}

/// Lists of things with names are compared by them.
fn named(items: &[Value]) -> Option<Map<String, Value>> {
    let name = |item: &Value| {
        let name = item.get("name").or_else(|| item.get("value"))?;
        Some((name.as_str()?.to_owned(), item.clone()))
    };
    items.iter().map(name).collect()
}

fn told(path: &str, before: Option<&Value>, after: Option<&Value>) -> Differs {
    let text = |value: &Value| {
        let text = match value {
            Value::String(text) => text.clone(),
            // A field that is new or gone is told by its kind.
            Value::Object(map) if map.contains_key("kind") => {
                map["kind"].as_str().map(str::to_owned).unwrap_or_default()
            }
            other => other.to_string(),
        };
        shorten(&text, LONG)
    };
    Differs {
        path: path.to_owned(),
        before: before.map(text),
        after: after.map(text),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn differences_are_named_by_their_fields() {
        let of = |value: Value| -> RecordType { serde_json::from_value(value).unwrap() };
        let one = of(json!({ "name": "vase", "labels": { "en": "Vase" }, "fields": [
            { "name": "a", "kind": "text" }, { "name": "b", "kind": "text" }, { "name": "c", "kind": "date" } ] }));
        let other = of(
            json!({ "name": "vase", "labels": { "en": "Vases", "sv": "Vas" }, "fields": [
            { "name": "b", "kind": "text", "facet": true }, { "name": "a", "kind": "text" }, { "name": "d", "kind": "number" } ] }),
        );
        assert_eq!(differences(&one, &one).unwrap(), []);
        let found = differences(&one, &other).unwrap();
        let lines: Vec<String> = found
            .iter()
            .map(|d| format!("{} {:?} {:?}", d.path, d.before.as_deref(), d.after.as_deref()))
            .collect();
        assert_eq!(
            lines,
            [
                "labels.en Some(\"Vase\") Some(\"Vases\")",
                "labels.sv None Some(\"Vas\")",
                "fields.b.facet None Some(\"true\")",
                "fields.c Some(\"date\") None",
                "fields.d None Some(\"number\")",
                "fields: order Some(\"a, b\") Some(\"b, a\")",
            ]
        );
    }
}
