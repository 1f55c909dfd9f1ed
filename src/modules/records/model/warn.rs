//! What is allowed in a record and yet worth another look: spaces nobody sees, days to come, a place in the Gulf of Guinea.
//! Nothing of it keeps anybody from saving.

use serde_json::{Map, Value};

use crate::contract::records::{Field, FieldKind, RecordType};
use crate::kernel::error::FieldIssue;

/// Warnings of one record.
const MOST: usize = 30;

/// Everything worth another look, by the path of its field. `today` is a date as `2024-05-17`.
pub fn warnings(definition: &RecordType, document: &Map<String, Value>, today: &str) -> Vec<FieldIssue> {
    let mut found = Vec::new();
    object(&definition.fields, document, "", today, &mut found);
    found.truncate(MOST);
    found
}

fn object(fields: &[Field], document: &Map<String, Value>, above: &str, today: &str, found: &mut Vec<FieldIssue>) {
    for field in fields {
        let path = if above.is_empty() {
            field.name.clone()
        } else {
            format!("{above}.{}", field.name)
        };
        match document.get(&field.name) {
            Some(Value::Array(items)) => {
                for (at, item) in items.iter().enumerate() {
                    one(field, item, &format!("{path}.{at}"), today, found);
                }
            }
            Some(value) => one(field, value, &path, today, found),
            None => {}
        }
        if field.is_latitude() && zero(document.get(&field.name)) {
            let other = fields.iter().find(|other| field.is_pair(other));
            if other.is_some_and(|other| zero(document.get(&other.name))) {
                tell(
                    found,
                    &path,
                    "says that this is at 0, 0 in the Gulf of Guinea. Leave both empty where the place is not known.",
                );
            }
        }
    }
}

fn zero(value: Option<&Value>) -> bool {
    let number = value.and_then(|value| value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()));
    number == Some(0.0)
}

fn tell(found: &mut Vec<FieldIssue>, path: &str, message: &str) {
    found.push(FieldIssue {
        path: path.to_owned(),
        message: message.to_owned(),
    });
}

fn one(field: &Field, value: &Value, path: &str, today: &str, found: &mut Vec<FieldIssue>) {
    if let (FieldKind::Group, Value::Object(inner)) = (field.kind, value) {
        return object(&field.fields, inner, path, today, found);
    }
    let Some(text) = value.as_str() else { return };
    match field.kind {
        FieldKind::Date if is_later(text, today) => tell(found, path, "lies in the future."),
        FieldKind::Text | FieldKind::Term | FieldKind::Identifier => {
            if text.trim_matches([' ', '\t', '\u{a0}']) != text {
                tell(found, path, "begins or ends with a space that nobody sees.");
            } else if field.kind != FieldKind::Text && text.contains("  ") {
                tell(found, path, "has two spaces in a row.");
            }
        }
        _ => {}
    }
}

/// Whether a plain date, as far as it goes, is later than today.
fn is_later(text: &str, today: &str) -> bool {
    let plain = (4..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    plain && text.as_bytes()[0] != b'-' && today.get(..text.len()).is_some_and(|today| text > today)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_worth_another_look_is_named_by_its_field() {
        let definition: RecordType = serde_json::from_value(json!({ "name": "find", "fields": [
            { "name": "title", "kind": "text" },
            { "name": "code", "kind": "identifier" },
            { "name": "made", "kind": "date" },
            { "name": "latitude", "kind": "number" },
            { "name": "longitude", "kind": "number" },
            { "name": "maker", "kind": "group", "repeated": true, "fields": [{ "name": "name", "kind": "term" }] } ] }))
        .unwrap();
        let paths = |document: Value| -> Vec<String> {
            let document = document.as_object().unwrap().clone();
            let found = warnings(&definition, &document, "2024-05-17");
            found.into_iter().map(|issue| issue.path).collect()
        };
        let odd = json!({ "title": "Bowl ", "code": "a  b", "made": "2024-06", "latitude": 0, "longitude": 0.0,
            "maker": [{ "name": "x" }, { "name": " y" }] });
        assert_eq!(paths(odd), ["title", "code", "made", "latitude", "maker.1.name"]);
        let fine = json!({ "title": "Bowl,  red", "code": "a b", "made": "2024", "latitude": 0, "longitude": 7 });
        assert!(paths(fine).is_empty());
        for date in ["2024-05-17", "-0530", "2024-05", "soon"] {
            assert!(paths(json!({ "made": date })).is_empty(), "{date}");
        }
        assert_eq!(paths(json!({ "made": "2025" })), ["made"]);
    }
}
