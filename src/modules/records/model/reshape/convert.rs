//! Values of one kind become values of another. Nothing is lost: what does not fit, and what would be written otherwise, is
//! kept as it was in a text field beside.

use serde_json::{Map, Value};

use crate::contract::records::{Field, FieldKind, RecordType, Weight};
use crate::kernel::access::Level;
use crate::modules::records::model::rule::typed;
use crate::modules::records::model::{path, shorten, validate};

/// What stands for yes and for no.
const YES: [&str; 6] = ["true", "yes", "ja", "oui", "1", "x"];
const NO: [&str; 6] = ["false", "no", "nein", "nej", "non", "0"];

/// A field as another kind: what only its old kind may say goes.
pub fn field(old: &Field, kind: FieldKind, repeated: bool) -> Field {
    let measured = |kind: FieldKind| match kind {
        FieldKind::Text | FieldKind::Identifier => 1,
        FieldKind::Integer | FieldKind::Number => 2,
        _ => 0,
    };
    let mut new = Field {
        kind,
        repeated,
        ..old.clone()
    };
    if kind != FieldKind::Term {
        new.values.clear();
        new.terms.clear();
    }
    if measured(kind) != 2 {
        new.unit = None;
    }
    if measured(kind) != measured(old.kind) || measured(kind) == 0 {
        (new.min, new.max) = (None, None);
    }
    if !new.has_words() {
        new.weight = Weight::Usual;
    }
    new.rich &= kind == FieldKind::Text;
    new.unique &= kind != FieldKind::Boolean;
    if !matches!(kind, FieldKind::Text | FieldKind::Term) {
        new.language = None;
    }
    new
}

/// The text field for what was written.
pub fn rest(old: &Field, name: &str) -> Field {
    let said = |tag: &str, words: &str| {
        let label = old.labels.get(tag).and_then(Value::as_str)?;
        Some((tag.to_owned(), Value::String(format!("{label}, {words}"))))
    };
    let labels = [said("en", "as written"), said("sv", "ordagrant")];
    plain(name, old.level, old.repeated, labels.into_iter().flatten().collect())
}

/// A text field without anything else.
pub fn plain(name: &str, level: Level, repeated: bool, labels: Map<String, Value>) -> Field {
    Field {
        name: name.to_owned(),
        kind: FieldKind::Text,
        labels,
        hints: Map::new(),
        section: Map::new(),
        repeated,
        required: false,
        rich: false,
        unique: false,
        facet: false,
        column: false,
        weight: Weight::Usual,
        level,
        target: None,
        min: None,
        max: None,
        language: None,
        unit: None,
        values: Vec::new(),
        terms: Vec::new(),
        number: None,
        fields: Vec::new(),
    }
}

/// Turns the values of one field.
#[derive(Debug)]
pub struct Converter {
    field: Field,
    /// A type of nothing but one value of the field, to judge by.
    alone: RecordType,
    /// Where what was written is kept, and whether that is a list.
    rest: Option<(String, bool)>,
}

impl Converter {
    /// For a field of a type, as it will be.
    pub fn new(definition: &RecordType, field: Field, rest: Option<(String, bool)>) -> Self {
        let one = Field {
            repeated: false,
            required: false,
            ..field.clone()
        };
        let alone = RecordType {
            key: None,
            fields: vec![Field {
                name: "value".to_owned(),
                ..one
            }],
            ..definition.clone()
        };
        Self { field, alone, rest }
    }

    /// Turns what a part of a document has in the field. Whether anything changed.
    ///
    /// # Errors
    /// What does not fit, where there is no place to keep it.
    pub fn convert(&self, map: &mut Map<String, Value>, aside: &mut usize) -> Result<bool, String> {
        let before = match map.get(&self.field.name) {
            None | Some(Value::Null) => return Ok(false),
            Some(value) => value.clone(),
        };
        let items = match &before {
            Value::Array(items) => items.clone(),
            one => vec![one.clone()],
        };
        let (mut fit, mut kept) = (Vec::new(), Vec::new());
        for item in items.into_iter().filter(|item| !is_empty(item)) {
            let written = path::text(&item);
            match self.one(&item) {
                Some(value) => {
                    let again = path::text(&value);
                    // What reads the same again says the same.
                    kept.extend(written.filter(|text| again.as_deref() != Some(text.trim())));
                    fit.push(value);
                }
                None => kept.push(written.unwrap_or_else(|| item.to_string())),
            }
        }
        if !self.field.repeated && fit.len() > 1 {
            kept.extend(fit.drain(1..).filter_map(|value| path::text(&value)));
        }
        let after = match (self.field.repeated, fit.len()) {
            (_, 0) => Value::Null,
            (true, _) => Value::Array(fit),
            (false, _) => fit.swap_remove(0),
        };
        if after == before {
            return Ok(false);
        }
        *aside += kept.len();
        self.keep(map, kept)?;
        if after.is_null() {
            map.shift_remove(&self.field.name);
        } else {
            map.insert(self.field.name.clone(), after);
        }
        Ok(true)
    }

    fn keep(&self, map: &mut Map<String, Value>, kept: Vec<String>) -> Result<(), String> {
        let Some(first) = kept.first() else { return Ok(()) };
        let Some((rest, many)) = &self.rest else {
            let shown = shorten(first, 60);
            return Err(format!(
                "\"{shown}\" does not fit, and there is no field to keep it in."
            ));
        };
        let mut texts: Vec<String> = match map.get(rest) {
            Some(Value::Array(items)) => items.iter().filter_map(path::text).collect(),
            Some(value) => path::text(value).filter(|text| !text.is_empty()).into_iter().collect(),
            None => Vec::new(),
        };
        texts.extend(
            kept.into_iter()
                .filter(|text| !texts.contains(text))
                .collect::<Vec<_>>(),
        );
        let value = if *many {
            texts.into_iter().map(Value::String).collect()
        } else {
            Value::String(texts.join("; "))
        };
        map.insert(rest.clone(), value);
        Ok(())
    }

    /// A value in the new kind, if it fits.
    fn one(&self, value: &Value) -> Option<Value> {
        let value = match (self.field.kind, value) {
            (FieldKind::Boolean, Value::String(text)) => truth(text),
            (FieldKind::Boolean, Value::Number(number)) => truth(&number.to_string()),
            (FieldKind::Integer, Value::Number(number)) if number.as_i64().is_none() => {
                let whole = number.as_f64().filter(|number| number.fract() == 0.0)?;
                // A cast from a float stops at the type's ends.
                Value::from(whole as i64)
            }
            (_, value) => typed(&self.field, value),
        };
        let value = match value {
            Value::String(text) => Value::String(text.trim().to_owned()),
            other => other,
        };
        let document = Map::from_iter([("value".to_owned(), value)]);
        if !validate::validate(&self.alone, &document).is_empty() {
            return None;
        }
        document.into_iter().next().map(|(_, value)| value)
    }
}

fn truth(text: &str) -> Value {
    let text = text.trim().to_lowercase();
    match text.as_str() {
        yes if YES.contains(&yes) => Value::Bool(true),
        no if NO.contains(&no) => Value::Bool(false),
        _ => Value::String(text),
    }
}

/// Says nothing.
pub fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.iter().all(is_empty),
        Value::Object(map) => map.values().all(is_empty),
        _ => false,
    }
}
