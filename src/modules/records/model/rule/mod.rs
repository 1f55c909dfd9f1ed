//! What a batch does to each of its records: one action on one field, compiled against what its caller sees of the type and
//! then applied to document after document. No I/O; what an action makes of a document is judged elsewhere.

mod fill;
mod find;
mod places;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::fill::Fill;
use self::find::Finder;
use self::places::{alter, join_same, listed, once, passes_list};
use super::{hint, patch, path, settle, shorten, validate};
use crate::contract::records::{Field, FieldKind, RecordType};
use crate::kernel::access::Level;
use crate::kernel::error::{Error, Result};

/// Bytes of a value that is set, and of what is put in the place of something found.
const MAX_VALUE: usize = 100_000;
/// Bytes that a value may have after something was replaced in it.
const MAX_TEXT: usize = 1_000_000;

/// What is done to each record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Action {
    /// Gives a field a value, in the place of what it has.
    Set { field: String, value: Value },
    /// Empties a field.
    Clear { field: String },
    /// Adds a value to a field that takes several, where it is not there yet.
    Add { field: String, value: Value },
    /// Takes a value out of a field.
    Remove { field: String, value: Value },
    /// Replaces a text wherever it stands in a field.
    Replace {
        field: String,
        find: String,
        #[serde(default)]
        with: String,
        /// `find` is a regular expression, and `$1` or `${name}` in `with` is what a group of it found.
        #[serde(default)]
        regex: bool,
        /// Capitals and small letters are the same.
        #[serde(default)]
        ignore_case: bool,
    },
    /// Gives a field what another one has.
    Copy { field: String, from: String },
    /// Gives each record values of its own, as somebody pasted them from a spreadsheet.
    Fill {
        /// The fields, in the order of the values.
        fields: Vec<String>,
        /// By id of a record: a text for each field as a form takes it, `""` to empty it, `null` to leave it as it is.
        /// Several values of one field have ` | ` between them.
        values: BTreeMap<String, Vec<Option<String>>>,
    },
    /// Deletes the records.
    Delete,
    /// Says who sees the records.
    Visibility { to: Level },
}

impl Action {
    /// The name under which forms and the ledger know it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Set { .. } => "set",
            Self::Clear { .. } => "clear",
            Self::Add { .. } => "add",
            Self::Remove { .. } => "remove",
            Self::Replace { .. } => "replace",
            Self::Copy { .. } => "copy",
            Self::Fill { .. } => "fill",
            Self::Delete => "delete",
            Self::Visibility { .. } => "visibility",
        }
    }
    /// The field that it changes.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Set { field, .. }
            | Self::Clear { field }
            | Self::Add { field, .. }
            | Self::Remove { field, .. }
            | Self::Replace { field, .. }
            | Self::Copy { field, .. } => Some(field),
            Self::Fill { .. } | Self::Delete | Self::Visibility { .. } => None,
        }
    }
}

/// An action that fits its type.
#[derive(Debug)]
pub enum Rule {
    Change(Box<Change>),
    Fill(Box<Fill>),
    Delete,
    Visibility(Level),
}

/// A change of one field.
#[derive(Debug)]
pub struct Change {
    /// The names from the top.
    steps: Vec<String>,
    field: Field,
    /// Groups on the way may be made where they are missing: none of them is a list.
    makes_groups: bool,
    what: What,
}

#[derive(Debug)]
enum What {
    Set(Value),
    Clear,
    Add(Value),
    Remove(Value),
    Replace(Finder),
    Copy(Vec<String>),
}

impl Rule {
    /// Reads an action against a type, cut to what its caller sees: a field that is hidden is no field.
    ///
    /// # Errors
    /// `Invalid`, naming the part of the action that is wrong.
    pub fn of(definition: &RecordType, action: &Action) -> Result<Self> {
        let name = match action {
            Action::Delete => return Ok(Self::Delete),
            Action::Visibility { to } => return Ok(Self::Visibility(*to)),
            Action::Fill { fields, values } => return Ok(Self::Fill(Box::new(Fill::of(definition, fields, values)?))),
            other => other.field().unwrap_or_default(),
        };
        let leaf = known(definition, "action.field", name)?;
        let steps: Vec<String> = leaf.steps.iter().map(|step| (*step).to_owned()).collect();
        let field = leaf.field.clone();
        let makes_groups = !passes_list(&definition.fields, &steps);
        let what = match action {
            Action::Set { value, .. } => What::Set(whole(definition, &field, value)?),
            Action::Clear { .. } if field.required => {
                return Err(Error::invalid(
                    "action.field",
                    "is needed in every record and cannot be emptied.",
                ));
            }
            Action::Clear { .. } => What::Clear,
            Action::Add { value, .. } if field.repeated => What::Add(single(definition, &field, value)?),
            Action::Add { .. } => {
                return Err(Error::invalid(
                    "action.field",
                    "takes one value only, so nothing can be added. Set it instead.",
                ));
            }
            Action::Remove { value, .. } => What::Remove(typed(&field, value)),
            Action::Replace { .. } if !is_text(field.kind) => {
                return Err(Error::invalid(
                    "action.field",
                    "holds no text. Find and replace is for texts, terms, identifiers, dates and addresses.",
                ));
            }
            Action::Replace {
                find,
                with,
                regex,
                ignore_case,
                ..
            } => What::Replace(Finder::new(find, with, *regex, *ignore_case)?),
            Action::Copy { from, .. } => {
                let from = known(definition, "action.from", from)?;
                if from.path == leaf.path {
                    return Err(Error::invalid("action.from", "is the field itself."));
                }
                What::Copy(from.steps.iter().map(|step| (*step).to_owned()).collect())
            }
            Action::Fill { .. } | Action::Delete | Action::Visibility { .. } => What::Clear,
        };
        Ok(Self::Change(Box::new(Change {
            steps,
            field,
            makes_groups,
            what,
        })))
    }
}

impl Change {
    /// Gives every record the same value.
    pub fn is_same_for_all(&self) -> bool {
        matches!(self.what, What::Set(_) | What::Add(_))
    }

    /// Ids of records that it would make others point at.
    pub fn targets(&self) -> Vec<String> {
        match &self.what {
            What::Set(value) | What::Add(value) if self.field.kind == FieldKind::Link => {
                listed(Some(value.clone())).iter().filter_map(path::text).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The document after it, or nothing where it says the same as before.
    ///
    /// # Errors
    /// Why the record has to stay as it is.
    pub fn apply(&self, document: &Map<String, Value>) -> Result<Option<Map<String, Value>>, String> {
        let copied = match &self.what {
            What::Copy(from) => {
                let from: Vec<&str> = from.iter().map(String::as_str).collect();
                let found = path::values(document, &from);
                if found.is_empty() {
                    return Ok(None);
                }
                Some(self.taken(found)?)
            }
            _ => None,
        };
        let mut after = document.clone();
        alter(&mut after, &self.steps, self.makes_groups, &mut |before| {
            self.value(before, copied.as_ref())
        })?;
        if matches!(self.what, What::Replace(_)) {
            join_same(document, &mut after, &self.steps);
        }
        Ok((!patch::same(document, &after)).then_some(after))
    }

    /// What another field has, as this one takes it.
    fn taken(&self, found: Vec<&Value>) -> Result<Value, String> {
        let values: Vec<Value> = found.into_iter().map(|value| typed(&self.field, value)).collect();
        if self.field.repeated {
            return Ok(Value::Array(values));
        }
        let mut different: Vec<Value> = Vec::new();
        for value in values {
            if !different.contains(&value) {
                different.push(value);
            }
        }
        match different.as_slice() {
            [one] => Ok(one.clone()),
            many => Err(format!(
                "The other field has {} values, and this one takes one.",
                many.len()
            )),
        }
    }

    fn value(&self, before: Option<Value>, copied: Option<&Value>) -> Result<Option<Value>, String> {
        match &self.what {
            What::Set(value) => Ok(Some(value.clone())),
            What::Clear => Ok(None),
            What::Copy(_) => Ok(copied.cloned()),
            What::Add(value) => {
                let mut values = listed(before);
                if !values.contains(value) {
                    values.push(value.clone());
                }
                Ok(Some(Value::Array(values)))
            }
            What::Remove(value) => Ok(self.rest(before, |one| one != value)),
            What::Replace(finder) => self.replaced(before, finder),
        }
    }

    fn rest(&self, before: Option<Value>, keep: impl Fn(&Value) -> bool) -> Option<Value> {
        let mut values = listed(before);
        values.retain(keep);
        if values.is_empty() {
            None
        } else if self.field.repeated {
            Some(Value::Array(values))
        } else {
            values.pop()
        }
    }

    fn replaced(&self, before: Option<Value>, finder: &Finder) -> Result<Option<Value>, String> {
        let many = matches!(before, Some(Value::Array(_)));
        let mut made = Vec::new();
        for value in listed(before) {
            match &value {
                Value::String(text) => {
                    let text = finder.replace(text, MAX_TEXT)?;
                    let changed = value != text.as_str();
                    if !text.is_empty() {
                        made.push((Value::String(text), changed));
                    }
                }
                _ => made.push((value, false)),
            }
        }
        let mut values = once(made);
        Ok(match (many, values.len()) {
            (_, 0) => None,
            (true, _) => Some(Value::Array(values)),
            (false, _) => values.pop(),
        })
    }
}

/// The field of a name, or what it may have been meant to be.
fn known<'a>(definition: &'a RecordType, at: &str, name: &str) -> Result<path::Leaf<'a>> {
    path::find(&definition.fields, name).ok_or_else(|| {
        let leaves = path::leaves(&definition.fields);
        let hint = hint(name, leaves.iter().map(|leaf| leaf.path.as_str()));
        let shown = shorten(name, 60);
        Error::invalid(
            at,
            format!("There is no field \"{shown}\" in \"{}\".{hint}", definition.name),
        )
    })
}

fn is_text(kind: FieldKind) -> bool {
    matches!(
        kind,
        FieldKind::Text | FieldKind::Term | FieldKind::Identifier | FieldKind::Date | FieldKind::Url
    )
}

/// A value as its field holds it: numbers and truths may come as texts, as forms send them.
pub fn typed(field: &Field, value: &Value) -> Value {
    match (field.kind, value) {
        (_, Value::String(text)) if settle::is_written(field, text) => {
            settle::stored(field, text).unwrap_or_else(|| value.clone())
        }
        (FieldKind::Integer, Value::String(text)) => {
            text.trim().parse::<i64>().map_or_else(|_| value.clone(), Value::from)
        }
        (FieldKind::Number, Value::String(text)) => {
            let number = text.trim().parse::<f64>().ok().and_then(serde_json::Number::from_f64);
            number.map_or_else(|| value.clone(), Value::Number)
        }
        (FieldKind::Boolean, Value::String(text)) => match text.trim() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => value.clone(),
        },
        (kind, Value::Number(_) | Value::Bool(_)) if is_text(kind) => {
            path::text(value).map_or_else(|| value.clone(), Value::String)
        }
        _ => value.clone(),
    }
}

/// One value that the field allows.
fn single(definition: &RecordType, field: &Field, value: &Value) -> Result<Value> {
    let one = Field {
        repeated: false,
        ..field.clone()
    };
    judged(definition, &one, typed(field, value))
}

/// A value in the place of the whole field: one that takes several may be given one.
fn whole(definition: &RecordType, field: &Field, value: &Value) -> Result<Value> {
    let value = match (field.repeated, value) {
        (true, Value::Array(items)) => items.iter().map(|item| typed(field, item)).collect(),
        (true, one) => Value::Array(vec![typed(field, one)]),
        (false, one) => typed(field, one),
    };
    judged(definition, field, value)
}

/// A value judged by itself, by the rules of its field.
fn judged(definition: &RecordType, field: &Field, value: Value) -> Result<Value> {
    if matches!(&value, Value::Null) || value.as_str().is_some_and(str::is_empty) {
        return Err(Error::invalid("action.value", "is empty. To empty a field, clear it."));
    }
    if value.to_string().len() > MAX_VALUE {
        return Err(Error::invalid(
            "action.value",
            format!("has more than {MAX_VALUE} bytes."),
        ));
    }
    let alone = RecordType {
        key: None,
        fields: vec![Field {
            name: "value".to_owned(),
            ..field.clone()
        }],
        ..definition.clone()
    };
    let document = Map::from_iter([("value".to_owned(), value.clone())]);
    match validate::validate(&alone, &document).into_iter().next() {
        Some(issue) => Err(Error::invalid(format!("action.{}", issue.path), issue.message)),
        None => Ok(value),
    }
}
