//! Is a document what its type says? Every wrong value is named by its path with positions: `creator.0.birth_date`.
//! `null` and the empty text are the same as an absent value.

use std::fmt;

use serde_json::{Map, Value};

use super::{hint, settle, shorten};
use crate::contract::records::{Field, FieldKind, RecordType};
use crate::kernel::civil::{self, Civil};
use crate::kernel::error::FieldIssue;
use crate::kernel::id::is_id;

/// More says nothing new.
const MAX_ISSUES: usize = 50;
const MAX_ITEMS: usize = 10_000;
/// More values of one field are not changed in a form.
pub const MAX_ITEMS_IN_FORM: usize = 200;
const MAX_TEXT: usize = 1_000_000;
/// What a look-up by value holds: PostgreSQL's index entries end at 2,704 bytes.
const MAX_CODE: usize = 1_000;

/// What is wrong with a document; empty if nothing.
pub fn validate(definition: &RecordType, document: &Map<String, Value>) -> Vec<FieldIssue> {
    let mut check = Check {
        issues: Vec::new(),
        key: definition.key.as_deref(),
    };
    check.object(&definition.fields, document, &Path::Root);
    check.issues
}

/// True for an address that may become a link on a page.
pub fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|r| !r.is_empty() && !r.starts_with('/'))
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// Where the check stands; becomes text only when something is wrong.
enum Path<'a> {
    Root,
    Name(&'a Path<'a>, &'a str),
    Position(&'a Path<'a>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root => Ok(()),
            Path::Name(Path::Root, name) => f.write_str(name),
            Path::Name(above, name) => write!(f, "{above}.{name}"),
            Path::Position(above, position) => write!(f, "{above}.{position}"),
        }
    }
}

impl Path<'_> {
    /// True where this is the path, without positions.
    fn is(&self, path: &str) -> bool {
        match self {
            Path::Root => path.is_empty(),
            Path::Name(Path::Root, name) => path == *name,
            Path::Name(above, name) => path
                .strip_suffix(name)
                .and_then(|p| p.strip_suffix('.'))
                .is_some_and(|rest| above.is(rest)),
            Path::Position(above, _) => above.is(path),
        }
    }
}

struct Check<'a> {
    issues: Vec<FieldIssue>,
    key: Option<&'a str>,
}

impl Check<'_> {
    fn say(&mut self, path: &Path<'_>, message: impl Into<String>) {
        if self.issues.len() < MAX_ISSUES {
            self.issues.push(FieldIssue {
                path: path.to_string(),
                message: message.into(),
            });
        }
    }

    fn object(&mut self, fields: &[Field], document: &Map<String, Value>, path: &Path<'_>) {
        // Documents mostly have their fields in the type's order: looking from the last hit on finds each at once.
        let mut next = 0;
        for (name, value) in document {
            let found = (next..fields.len()).chain(0..next).find(|i| fields[*i].name == *name);
            let here = Path::Name(path, name);
            match found {
                Some(index) => {
                    self.field(&fields[index], value, &here);
                    next = index + 1;
                }
                None => {
                    let hint = hint(name, fields.iter().map(|f| f.name.as_str()));
                    self.say(&here, format!("is not a field of this type.{hint}"));
                }
            }
            if self.issues.len() >= MAX_ISSUES {
                return;
            }
        }
        self.places(fields, document, path);
        for field in fields.iter().filter(|f| f.required) {
            let missing = match document.get(&field.name) {
                None | Some(Value::Null) => true,
                Some(Value::Array(items)) => items.is_empty(),
                Some(Value::String(text)) => text.is_empty(),
                Some(_) => false,
            };
            if missing {
                self.say(&Path::Name(path, &field.name), "is required and missing.");
            }
        }
    }

    /// Degrees that are none.
    fn places(&mut self, fields: &[Field], document: &Map<String, Value>, path: &Path<'_>) {
        for north in fields.iter().filter(|field| field.is_latitude()) {
            let Some(east) = fields.iter().find(|field| north.is_pair(field)) else {
                continue;
            };
            for (field, most, name) in [(north, 90.0, "latitude"), (east, 180.0, "longitude")] {
                let degrees = document.get(&field.name).and_then(Value::as_f64);
                if let Some(degrees) = degrees.filter(|degrees| degrees.abs() > most) {
                    self.say(
                        &Path::Name(path, &field.name),
                        format!("is {degrees}, but a {name} lies between -{most} and {most}."),
                    );
                }
            }
        }
    }

    fn field(&mut self, field: &Field, value: &Value, path: &Path<'_>) {
        match value {
            Value::Null => {}
            Value::Array(items) if field.repeated => {
                if items.len() > MAX_ITEMS {
                    return self.say(path, format!("holds more than {MAX_ITEMS} values."));
                }
                for (position, item) in items.iter().enumerate() {
                    let path = Path::Position(path, position);
                    if item.is_null() {
                        self.say(&path, "is null; leave it out of the list.");
                    } else {
                        self.value(field, item, &path);
                    }
                }
            }
            _ if field.repeated => self.say(path, format!("is a list of values; found {}.", describe(value))),
            _ => self.value(field, value, path),
        }
    }

    fn value(&mut self, field: &Field, value: &Value, path: &Path<'_>) {
        match (field.kind, value) {
            (FieldKind::Group, Value::Object(map)) => self.object(&field.fields, map, path),
            (FieldKind::Boolean, Value::Bool(_)) => {}
            (FieldKind::Integer, Value::Number(n)) if n.as_i64().is_some() => {
                self.range(field, n.as_f64().unwrap_or_default(), path);
            }
            (FieldKind::Number, Value::Number(n)) => self.range(field, n.as_f64().unwrap_or_default(), path),
            (
                FieldKind::Text
                | FieldKind::Term
                | FieldKind::Identifier
                | FieldKind::Date
                | FieldKind::Url
                | FieldKind::Link,
                Value::String(text),
            ) => self.text(field, text, path),
            (kind, other) => {
                let fault = other
                    .as_str()
                    .and_then(|text| settle::fault(field, text).map(|fault| (text, fault)));
                match fault {
                    Some((text, fault)) => self.say(path, format!("\"{}\" {fault}", shorten(text, 60))),
                    None => self.say(path, format!("is {}; found {}.", wanted(kind), describe(other))),
                }
            }
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "limits are compared with values that are floats anyway"
    )]
    fn range(&mut self, field: &Field, number: f64, path: &Path<'_>) {
        if let Some(min) = field.min.filter(|min| number < *min as f64) {
            self.say(path, format!("is {number}, but at least {min} is asked for."));
        }
        if let Some(max) = field.max.filter(|max| number > *max as f64) {
            self.say(path, format!("is {number}, but at most {max} is allowed."));
        }
    }

    fn text(&mut self, field: &Field, text: &str, path: &Path<'_>) {
        if text.is_empty() {
            return;
        }
        if text.contains('\0') {
            return self.say(path, "holds a NUL character, which cannot be stored.");
        }
        let code = field.unique || field.kind == FieldKind::Identifier || self.key.is_some_and(|key| path.is(key));
        let most = if code { MAX_CODE } else { MAX_TEXT };
        if text.len() > most {
            return self.say(
                path,
                format!("is {} bytes long; at most {most} are possible here.", text.len()),
            );
        }
        match field.kind {
            FieldKind::Text | FieldKind::Identifier => self.length(field, text, path),
            FieldKind::Term if !field.values.is_empty() && !field.values.iter().any(|v| v == text) => {
                let hint = hint(text, field.values.iter().map(String::as_str));
                self.say(
                    path,
                    format!("\"{}\" is not a term of its vocabulary.{hint}", shorten(text, 60)),
                );
            }
            FieldKind::Date if Civil::stored(text).is_err() => {
                let shown = shorten(text, 60);
                self.say(
                    path,
                    match civil::read(text) {
                        Ok(stored) => {
                            format!("\"{shown}\" is a date, but written for people: it is stored as {stored}.")
                        }
                        Err(fault) => format!("\"{shown}\" {fault}"),
                    },
                );
            }
            FieldKind::Url if !is_url(text) => {
                self.say(
                    path,
                    format!(
                        "\"{}\" is not an address that begins with http:// or https://.",
                        shorten(text, 60)
                    ),
                );
            }
            FieldKind::Link if !is_id(text) => {
                self.say(path, format!("\"{}\" is not the id of a record.", shorten(text, 60)));
            }
            _ => {}
        }
    }

    fn length(&mut self, field: &Field, text: &str, path: &Path<'_>) {
        if field.min.is_none() && field.max.is_none() {
            return;
        }
        let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
        if let Some(min) = field.min.filter(|min| length < *min) {
            self.say(
                path,
                format!("has {length} characters, but at least {min} are asked for."),
            );
        }
        if let Some(max) = field.max.filter(|max| length > *max) {
            self.say(path, format!("has {length} characters, but at most {max} are allowed."));
        }
    }
}

fn wanted(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Text => "a text",
        FieldKind::Term => "a term, as text",
        FieldKind::Identifier => "an identifier, as text",
        FieldKind::Integer => "a whole number",
        FieldKind::Number => "a number",
        FieldKind::Boolean => "true or false",
        FieldKind::Date => "a date, as text",
        FieldKind::Url => "an address, as text",
        FieldKind::Link => "the id of a record, as text",
        FieldKind::Group => "a group of fields",
    }
}

fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the text \"{}\"", shorten(text, 40)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a group".to_owned(),
    }
}
