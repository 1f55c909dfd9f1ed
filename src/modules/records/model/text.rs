//! A type as text, in the form in which those that come with the program are written: what it is first, then field by field,
//! groups in order. Reading it again gives the same type.

use serde_json::{Map, Value};

use crate::contract::records::RecordType;
use crate::kernel::error::Result;

/// The type as TOML.
///
/// # Errors
/// A value that TOML cannot say, which no type has.
pub fn written(definition: &RecordType) -> Result<String> {
    let mut out = String::new();
    if let Value::Object(map) = serde_json::to_value(definition)? {
        table(&map, "fields", &mut out);
    }
    Ok(out)
}

/// The keys of a table, its fields as tables of their own after them.
fn table(map: &Map<String, Value>, path: &str, out: &mut String) {
    for (name, value) in map.iter().filter(|(name, value)| *name != "fields" && !value.is_null()) {
        out.push_str(&format!("{} = ", key(name)));
        match value {
            // Many small tables are read line by line.
            Value::Array(items) if items.iter().any(Value::is_object) => {
                out.push_str("[\n");
                for item in items {
                    out.push_str("  ");
                    inline(item, out);
                    out.push_str(",\n");
                }
                out.push(']');
            }
            value => inline(value, out),
        }
        out.push('\n');
    }
    for field in map.get("fields").and_then(Value::as_array).into_iter().flatten() {
        if let Value::Object(field) = field {
            out.push_str(&format!("\n[[{path}]]\n"));
            table(field, &format!("{path}.fields"), out);
        }
    }
}

fn inline(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) if map.is_empty() => out.push_str("{}"),
        Value::Object(map) => {
            out.push_str("{ ");
            let kept = map.iter().filter(|(_, value)| !value.is_null());
            for (at, (name, value)) in kept.enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                out.push_str(&format!("{} = ", key(name)));
                inline(value, out);
            }
            out.push_str(" }");
        }
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                inline(item, out);
            }
            out.push(']');
        }
        Value::String(text) => out.push_str(&quoted(text)),
        other => out.push_str(&other.to_string()),
    }
}

fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(bare) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

/// A text between quotation marks, on one line.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::records::service::{sets, shipped};

    #[test]
    fn what_is_written_is_read_again() {
        for definition in shipped() {
            let text = written(definition).unwrap();
            let read: RecordType = toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}\n{text}", definition.name));
            assert_eq!(read, *definition);
            assert_eq!(written(&read).unwrap(), text);
        }
        let odd = serde_json::json!({ "name": "odd", "labels": { "en": "a \"b\"\\\n\u{7}c" }, "fields": [
            { "name": "a.b c", "kind": "term", "values": ["x, y", "'"], "terms": [{ "value": "'", "labels": { "sv": "å" } }] },
        ] });
        let odd: RecordType = serde_json::from_value(odd).unwrap();
        assert_eq!(toml::from_str::<RecordType>(&written(&odd).unwrap()).unwrap(), odd);
    }

    #[test]
    fn every_set_is_whole_and_speaks_both_languages() {
        assert_eq!(sets().len(), 4);
        fn walk(fields: &[crate::contract::records::Field], of: &str) {
            for field in fields {
                for (what, words) in [
                    ("labels", &field.labels),
                    ("hints", &field.hints),
                    ("section", &field.section),
                ] {
                    let needed = what == "labels" || !words.is_empty();
                    let both = words.contains_key("en") && words.contains_key("sv");
                    assert!(
                        !needed || both,
                        "{of} {} lacks {what} in English or Swedish",
                        field.name
                    );
                }
                for term in &field.terms {
                    assert!(term.labels.contains_key("sv"), "{of} {} {}", field.name, term.value);
                }
                walk(&field.fields, of);
            }
        }
        for set in sets() {
            let definitions = set.definitions();
            assert_eq!(definitions.len(), set.types.len(), "{}", set.name);
            assert!(
                set.labels.contains_key("sv") && set.description.contains_key("sv"),
                "{}",
                set.name
            );
            for definition in definitions {
                assert!(definition.labels.contains_key("sv"), "{}", definition.name);
                walk(&definition.fields, &definition.name);
            }
        }
    }
}
