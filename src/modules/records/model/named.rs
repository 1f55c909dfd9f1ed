//! A document as people read it: links by what they lead to, so that summaries and differences are told in words. No I/O.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::contract::records::{Field, FieldKind};

/// A document with the titles of records in the place of their ids, as far as they are known.
pub fn named(fields: &[Field], document: &Map<String, Value>, called: &HashMap<String, String>) -> Map<String, Value> {
    let one = |(name, value): (&String, &Value)| {
        let field = fields.iter().find(|field| field.name == *name);
        (name.clone(), value_of(field, value, called))
    };
    document.iter().map(one).collect()
}

/// A value of a field, the same way.
pub fn value_of(field: Option<&Field>, value: &Value, called: &HashMap<String, String>) -> Value {
    let Some(field) = field else { return value.clone() };
    match value {
        Value::Array(items) => items.iter().map(|item| value_of(Some(field), item, called)).collect(),
        Value::Object(inner) if field.kind == FieldKind::Group => Value::Object(named(&field.fields, inner, called)),
        Value::String(id) if field.kind == FieldKind::Link => {
            let title = called.get(id).filter(|title| !title.trim().is_empty());
            Value::String(title.unwrap_or(id).clone())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn links_are_told_by_what_they_lead_to() {
        let fields: Vec<Field> = serde_json::from_value(json!([
            { "name": "title", "kind": "text" },
            { "name": "maker", "kind": "link", "target": "agent", "repeated": true },
            { "name": "find", "kind": "group", "repeated": true, "fields": [{ "name": "by", "kind": "link", "target": "agent" }] },
        ]))
        .unwrap();
        let document = json!({ "title": "a", "maker": ["a", "b"], "find": [{ "by": "a" }], "more": "a" });
        let called = HashMap::from([("a".to_owned(), "Ann Ray".to_owned()), ("b".to_owned(), " ".to_owned())]);
        let read = named(&fields, document.as_object().unwrap(), &called);
        assert_eq!(
            Value::Object(read),
            json!({ "title": "a", "maker": ["Ann Ray", "b"], "find": [{ "by": "Ann Ray" }], "more": "a" })
        );
    }
}
