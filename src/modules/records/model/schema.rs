//! The JSON Schema (2020-12) of a type: what its documents look like, for programs.

use serde_json::{Map, Value, json};

use crate::contract::records::{Field, FieldKind, RecordType};
use crate::kernel::civil;

/// The schema; `id` is the address it is served under.
pub fn schema(definition: &RecordType, id: &str) -> Value {
    let mut root = object(&definition.fields);
    let mut schema = Map::new();
    schema.insert(
        "$schema".to_owned(),
        json!("https://json-schema.org/draft/2020-12/schema"),
    );
    schema.insert("$id".to_owned(), json!(id));
    let title = definition
        .labels
        .get("en")
        .cloned()
        .unwrap_or_else(|| json!(definition.name));
    schema.insert("title".to_owned(), title);
    if let Some(text) = definition.description.get("en") {
        schema.insert("description".to_owned(), text.clone());
    }
    schema.append(&mut root);
    Value::Object(schema)
}

fn object(fields: &[Field]) -> Map<String, Value> {
    let properties: Map<String, Value> = fields.iter().map(|f| (f.name.clone(), property(f))).collect();
    let required: Vec<&str> = fields.iter().filter(|f| f.required).map(|f| f.name.as_str()).collect();
    let mut map = Map::new();
    map.insert("type".to_owned(), json!("object"));
    map.insert("properties".to_owned(), Value::Object(properties));
    if !required.is_empty() {
        map.insert("required".to_owned(), json!(required));
    }
    map.insert("additionalProperties".to_owned(), json!(false));
    map
}

fn property(field: &Field) -> Value {
    let mut value = single(field);
    if field.repeated {
        let mut list = Map::new();
        list.insert("type".to_owned(), json!("array"));
        list.insert("items".to_owned(), Value::Object(value));
        if field.required {
            list.insert("minItems".to_owned(), json!(1));
        }
        value = list;
    }
    if !field.required {
        // An absent value may be said as null.
        if let Some(kind) = value.get_mut("type") {
            *kind = json!([kind.take(), "null"]);
        }
        if let Some(Value::Array(terms)) = value.get_mut("enum") {
            terms.push(Value::Null);
        }
    }
    if let Some(label) = field.labels.get("en") {
        value.insert("title".to_owned(), label.clone());
    }
    if let Some(hint) = field.hints.get("en") {
        value.insert("description".to_owned(), hint.clone());
    }
    Value::Object(value)
}

fn single(field: &Field) -> Map<String, Value> {
    let mut map = match field.kind {
        FieldKind::Group => object(&field.fields),
        FieldKind::Integer => typed("integer"),
        FieldKind::Number => typed("number"),
        FieldKind::Boolean => typed("boolean"),
        FieldKind::Text
        | FieldKind::Term
        | FieldKind::Identifier
        | FieldKind::Date
        | FieldKind::Url
        | FieldKind::Link => typed("string"),
    };
    let (least, most) = match field.kind {
        FieldKind::Integer | FieldKind::Number => ("minimum", "maximum"),
        _ => ("minLength", "maxLength"),
    };
    if let Some(min) = field.min {
        map.insert(least.to_owned(), json!(min));
    }
    if let Some(max) = field.max {
        map.insert(most.to_owned(), json!(max));
    }
    match field.kind {
        FieldKind::Term if !field.values.is_empty() => map.insert("enum".to_owned(), json!(field.values)),
        FieldKind::Date => {
            map.insert("maxLength".to_owned(), json!(civil::LONGEST));
            map.insert(
                "examples".to_owned(),
                json!([
                    "1979",
                    "1979-12",
                    "1979-12-06",
                    "1850~",
                    "1850?",
                    "185X",
                    "18XX",
                    "1850/1900",
                    "../1900",
                    "1850/.."
                ]),
            )
        }
        FieldKind::Text if field.rich => map.insert("contentMediaType".to_owned(), json!("text/markdown")),
        FieldKind::Url => map.insert("pattern".to_owned(), json!("^https?://[^\\s]+$")),
        FieldKind::Link => map.insert("format".to_owned(), json!("uuid")),
        _ => None,
    };
    map
}

fn typed(kind: &str) -> Map<String, Value> {
    Map::from_iter([("type".to_owned(), json!(kind))])
}
