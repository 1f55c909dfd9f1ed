//! Values as people write them become what is stored: a date `c. 1850` becomes `1850~`. Where a text field for the same
//! thing verbatim stands beside it and is empty, what was written is kept there. What cannot be read stays as it is and is
//! refused where the document is checked.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::contract::records::{Field, FieldKind};
use crate::kernel::civil::{self, Civil};

/// The document with every value in the form in which it is stored.
pub fn settled<'d>(fields: &[Field], document: &'d Map<String, Value>) -> Cow<'d, Map<String, Value>> {
    if !needs(fields, document) {
        return Cow::Borrowed(document);
    }
    let mut document = document.clone();
    settle(fields, &mut document);
    Cow::Owned(document)
}

/// Whether anything in it is written otherwise than it is stored.
pub fn needs(fields: &[Field], document: &Map<String, Value>) -> bool {
    fields.iter().any(|field| {
        let Some(value) = document.get(&field.name) else {
            return false;
        };
        match value {
            Value::Array(items) => items.iter().any(|item| needs_one(field, item)),
            value => needs_one(field, value),
        }
    })
}

fn needs_one(field: &Field, value: &Value) -> bool {
    match (field.kind, value) {
        (FieldKind::Group, Value::Object(map)) => needs(&field.fields, map),
        (_, Value::String(text)) => stored(field, text).is_some(),
        _ => false,
    }
}

/// What is stored of a text, where that is something else.
fn stored(field: &Field, text: &str) -> Option<Value> {
    match field.kind {
        FieldKind::Date if !text.is_empty() && Civil::stored(text).is_err() => {
            civil::read(text).ok().map(Value::String)
        }
        _ => None,
    }
}

fn settle(fields: &[Field], document: &mut Map<String, Value>) {
    let mut verbatim = Vec::new();
    for field in fields {
        match document.get_mut(&field.name) {
            Some(Value::Array(items)) => items.iter_mut().for_each(|item| {
                settle_one(field, item);
            }),
            Some(value) => {
                if let Some(written) = settle_one(field, value)
                    && let Some(beside) = beside(fields, field)
                {
                    verbatim.push((beside.name.clone(), written));
                }
            }
            None => {}
        }
    }
    for (name, written) in verbatim {
        let empty = match document.get(&name) {
            None | Some(Value::Null) => true,
            Some(value) => value.as_str().is_some_and(|text| text.trim().is_empty()),
        };
        if empty {
            document.insert(name, Value::String(written));
        }
    }
}

/// What stood there, if it was changed.
fn settle_one(field: &Field, value: &mut Value) -> Option<String> {
    match (field.kind, &mut *value) {
        (FieldKind::Group, Value::Object(map)) => {
            settle(&field.fields, map);
            None
        }
        (_, Value::String(text)) => {
            let written = text.clone();
            *value = stored(field, &written)?;
            Some(written)
        }
        _ => None,
    }
}

/// The text field that holds the same thing as it was written: `verbatimEventDate` for `eventDate`, `date_verbatim` for `date`.
fn beside<'f>(fields: &'f [Field], field: &Field) -> Option<&'f Field> {
    let name = plain(&field.name);
    fields.iter().find(|other| {
        let called = plain(&other.name);
        let same = called.strip_prefix(VERBATIM).or_else(|| called.strip_suffix(VERBATIM)) == Some(&name);
        same && other.kind == FieldKind::Text && !other.repeated
    })
}

const VERBATIM: &str = "verbatim";

/// A name without signs and capitals.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields() -> Vec<Field> {
        let fields = json!([
            { "name": "eventDate", "kind": "date" },
            { "name": "verbatimEventDate", "kind": "text" },
            { "name": "made", "kind": "date", "repeated": true },
            { "name": "maker", "kind": "group", "repeated": true, "fields": [
                { "name": "born", "kind": "date" },
                { "name": "born_verbatim", "kind": "text" },
            ] },
            { "name": "title", "kind": "text" },
        ]);
        serde_json::from_value(fields).unwrap()
    }

    #[track_caller]
    fn check(document: Value, want: Value) {
        let fields = fields();
        let document = document.as_object().unwrap();
        let made = settled(&fields, document).into_owned();
        assert_eq!(Value::Object(made.clone()), want);
        assert!(
            matches!(settled(&fields, &made), Cow::Borrowed(_)),
            "it is settled once"
        );
    }

    #[test]
    fn dates_are_stored_in_one_form_with_what_was_written_beside() {
        check(
            json!({ "eventDate": "c. 1850", "title": "c. 1850" }),
            json!({ "eventDate": "1850~", "title": "c. 1850", "verbatimEventDate": "c. 1850" }),
        );
        check(
            json!({ "eventDate": "Dec 1979", "verbatimEventDate": "in winter" }),
            json!({ "eventDate": "1979-12", "verbatimEventDate": "in winter" }),
        );
        check(
            json!({ "made": ["1890s", "1979", "blue"], "maker": [{ "born": "before 1900" }, { "born": "1900" }] }),
            json!({ "made": ["189X", "1979", "blue"],
                "maker": [{ "born": "../1900", "born_verbatim": "before 1900" }, { "born": "1900" }] }),
        );
        for same in [
            json!({}),
            json!({ "eventDate": "31 February 1900" }),
            json!({ "eventDate": "" }),
            json!({ "eventDate": 7, "maker": "x", "made": null }),
            json!({ "eventDate": "1979-12-06T04:57Z" }),
        ] {
            check(same.clone(), same);
        }
    }
}
