//! From a row to a document of a type and back to cells. Nothing is lost on the way: what does not fit its field stays as
//! it was written and is refused, by name, where the document is checked. No I/O.

use serde_json::{Map, Number, Value};

use super::interpret;
use super::marks::{RECORD_ID, guard, unguard};
use crate::contract::exchange::{DateOrder, Decimal};
use crate::contract::records::{Field, FieldKind, RecordType};

/// How rows of a file are to be understood.
#[derive(Clone, Debug, Default)]
pub struct Understanding {
    /// Values are texts of a table.
    pub cells: bool,
    /// A table of our own: its cells are guarded against formulas.
    pub guarded: bool,
    /// Cells that say "no value", such as `NA`.
    pub missing: Vec<String>,
    /// What was said of numbers and dates.
    pub decimal: Option<Decimal>,
    pub date_order: Option<DateOrder>,
}

/// A row as a document, and the record it says it is.
#[derive(Debug)]
pub struct Shaped {
    pub id: Option<String>,
    pub document: Map<String, Value>,
}

impl Understanding {
    /// The row as it is, before a type is known: guards and missing values taken away.
    pub fn plain(&self, mut row: Map<String, Value>) -> Shaped {
        let id = match row.get(RECORD_ID) {
            Some(Value::String(_)) => row.shift_remove(RECORD_ID),
            _ => None,
        };
        let id = id.and_then(|id| id.as_str().map(str::to_owned));
        if self.cells && (self.guarded || !self.missing.is_empty()) {
            row.retain(|_, cell| !cell.as_str().is_some_and(|text| self.missing.iter().any(|m| m == text)));
            if self.guarded {
                for cell in row.values_mut() {
                    if let Value::String(text) = cell
                        && text.starts_with('\'')
                    {
                        *text = unguard(text).to_owned();
                    }
                }
            }
        }
        Shaped { id, document: row }
    }

    /// A number or a date as it was said that they are written. What does not fit stays as it is.
    pub fn read(&self, field: &Field, text: String) -> String {
        let read = match (field.kind, self.decimal, self.date_order) {
            (FieldKind::Integer | FieldKind::Number, Some(decimal), _) => interpret::number(&text, decimal),
            (FieldKind::Date, _, Some(order)) => interpret::date(&text, order),
            _ => None,
        };
        read.unwrap_or(text)
    }

    /// The row as a document of the type.
    pub fn shape(&self, definition: &RecordType, row: Map<String, Value>) -> Shaped {
        let Shaped { id, document } = self.plain(row);
        let mut next = 0;
        let fields = &definition.fields;
        let document = document.into_iter().map(|(name, value)| {
            let found = (next..fields.len()).chain(0..next).find(|i| fields[*i].name == name);
            let Some(index) = found else { return (name, value) };
            next = index + 1;
            let value = match value {
                Value::String(text) if self.cells => cell(&fields[index], self.read(&fields[index], text)),
                other => fit(&fields[index], other),
            };
            (name, value)
        });
        Shaped {
            id,
            document: document.collect(),
        }
    }
}

/// A cell as the value of a field. Groups and lists stand in cells as JSON.
fn cell(field: &Field, text: String) -> Value {
    if field.kind != FieldKind::Group && !field.repeated {
        return scalar(field, Value::String(text));
    }
    let json = text
        .trim_start()
        .starts_with(['[', '{'])
        .then(|| serde_json::from_str(&text).ok())
        .flatten();
    if json.is_none() && field.kind == FieldKind::Link && text.contains('|') {
        // Several records in a cell, as archives of taxa name several accepted names.
        let keys = text.split('|').map(str::trim).filter(|key| !key.is_empty());
        return Value::Array(keys.map(Value::from).collect());
    }
    fit(field, json.unwrap_or(Value::String(text)))
}

/// A JSON value as the value of a field: one value becomes a list where the field is one, what a text field cannot hold
/// otherwise is kept as JSON text.
fn fit(field: &Field, value: Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::Array(items) if field.repeated => {
            Value::Array(items.into_iter().map(|item| scalar(field, item)).collect())
        }
        Value::String(text) if text.is_empty() && field.repeated => Value::Null,
        other if field.repeated => Value::Array(vec![scalar(field, other)]),
        other => scalar(field, other),
    }
}

fn scalar(field: &Field, value: Value) -> Value {
    match (field.kind, value) {
        (FieldKind::Group, Value::Object(map)) => {
            let inner = |name: &str| field.fields.iter().find(|f| f.name == name);
            let fitted = map.into_iter().map(|(name, value)| {
                let value = match inner(&name) {
                    Some(field) => fit(field, value),
                    None => value,
                };
                (name, value)
            });
            Value::Object(fitted.collect())
        }
        (FieldKind::Text | FieldKind::Term | FieldKind::Identifier, value) => match value {
            Value::Null | Value::String(_) => value,
            other => Value::String(other.to_string()),
        },
        (FieldKind::Integer, Value::String(text)) => match text.parse::<i64>() {
            Ok(number) if number.to_string() == text => Value::Number(number.into()),
            _ => Value::String(text),
        },
        (FieldKind::Number, Value::String(text)) => match number(&text) {
            Some(number) => Value::Number(number),
            None => Value::String(text),
        },
        (FieldKind::Boolean, Value::String(text)) => match text.as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => Value::String(text),
        },
        (_, other) => other,
    }
}

/// A plain decimal of a length that a number holds exactly.
fn number(text: &str) -> Option<Number> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'.'));
    let number: Number = serde_json::from_str(text).ok()?;
    (number.to_string() == text || (plain && text.len() <= 16)).then_some(number)
}

/// What a value is in a cell of a CSV file.
pub fn to_cell(field: &Field, value: Option<&Value>) -> String {
    match (value, to_text(field, value)) {
        (Some(Value::String(_)), Some(text)) if !is_json(field) => guard(&text).into_owned(),
        (_, text) => text.unwrap_or_default(),
    }
}

/// A value as text: lists and groups as JSON.
pub fn to_text(field: &Field, value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Null => None,
        Value::String(text) if !is_json(field) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn is_json(field: &Field) -> bool {
    field.repeated || field.kind == FieldKind::Group
}

/// Writes a row of a table, quoted where needed.
pub fn write_row(out: &mut String, cells: impl Iterator<Item = impl AsRef<str>>) {
    for (index, cell) in cells.enumerate() {
        let cell = cell.as_ref();
        if index > 0 {
            out.push(',');
        }
        let quoted =
            cell.contains(['"', ',', ';', '|', '\t', '\n', '\r']) || cell.starts_with(' ') || cell.ends_with(' ');
        if quoted {
            out.push('"');
            out.push_str(&cell.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(cell);
        }
    }
    out.push_str("\r\n");
}

/// The type of a file, with numbers and dates where they are read as it was said that they are written. Identifiers and
/// what names a record stay texts.
pub fn read_kinds(mut verbatim: RecordType, interpreted: &RecordType) -> RecordType {
    let (key, title) = (verbatim.key.clone(), verbatim.title.clone());
    for field in &mut verbatim.fields {
        let own = key.as_ref() == Some(&field.name) || title.as_ref() == Some(&field.name) || field.unique;
        let plain = !field.repeated && !matches!(field.kind, FieldKind::Identifier | FieldKind::Group);
        let found = interpreted.fields.iter().find(|other| other.name == field.name);
        if let Some(other) = found
            && !own
            && plain
            && field.kind != other.kind
            && matches!(other.kind, FieldKind::Integer | FieldKind::Number | FieldKind::Date)
        {
            *field = other.clone();
            (field.unique, field.required) = (false, false);
        }
    }
    verbatim
}

/// The type and what a file's own type adds to it. Kinds, title and key stay as they are.
pub fn merge(old: &RecordType, new: RecordType) -> (RecordType, Vec<String>) {
    let mut merged = old.clone();
    let mut added = Vec::new();
    add(&mut merged.fields, new.fields, "", &mut added);
    (merged, added)
}

fn add(old: &mut Vec<Field>, new: Vec<Field>, above: &str, added: &mut Vec<String>) {
    for mut field in new {
        let path = if above.is_empty() {
            field.name.clone()
        } else {
            format!("{above}.{}", field.name)
        };
        match old.iter_mut().find(|f| f.name == field.name) {
            Some(standing) => {
                if standing.kind == FieldKind::Group {
                    add(&mut standing.fields, field.fields, &path, added);
                }
            }
            None => {
                // Records that are there have no value in it, so it can be neither needed nor the key.
                (field.unique, field.required, field.column) = (false, false, false);
                added.push(path);
                old.push(field);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn several_records_stand_in_one_cell() {
        let definition = json!({ "name": "taxon", "fields": [
            { "name": "accepted", "kind": "link", "target": "taxon", "repeated": true }, { "name": "name", "kind": "text" },
        ] });
        let definition: RecordType = serde_json::from_value(definition).unwrap();
        let reading = Understanding {
            cells: true,
            ..Understanding::default()
        };
        let shaped = |cell: &str| {
            let row = json!({ "accepted": cell, "name": "a|b" });
            Value::Object(reading.shape(&definition, row.as_object().unwrap().clone()).document)
        };
        assert_eq!(shaped("6208|6210 | 6212")["accepted"], json!(["6208", "6210", "6212"]));
        assert_eq!(shaped("[\"x|y\"]")["accepted"], json!(["x|y"]));
        assert_eq!(shaped("6208"), json!({ "accepted": ["6208"], "name": "a|b" }));
    }
}
