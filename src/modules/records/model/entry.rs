//! Documents as forms hold them: every value a text. What a form shows and nobody touches stays exactly what it was; what
//! cannot be shown in a form (a list of thousands, a value that does not fit its field) is left out of it and stays, too.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

use super::shorten;
use super::validate::MAX_ITEMS_IN_FORM;
use super::{path, settle};
use crate::contract::records::{Field, FieldKind};
use crate::kernel::error::FieldIssue;

/// May the value of a field be changed in a form?
pub fn is_enterable(field: &Field, value: Option<&Value>) -> bool {
    let fits = |value: &Value| match (field.kind, value) {
        (_, Value::Null) => true,
        (FieldKind::Group, Value::Object(map)) => field.fields.iter().all(|f| is_enterable(f, map.get(&f.name))),
        (FieldKind::Group, _) | (_, Value::Object(_) | Value::Array(_)) => false,
        _ => true,
    };
    match value {
        None | Some(Value::Null) => true,
        Some(Value::Array(items)) if field.repeated => items.len() <= MAX_ITEMS_IN_FORM && items.iter().all(fits),
        Some(_) if field.repeated => false,
        // A single group is entered as far as it goes.
        Some(Value::Object(_)) if field.kind == FieldKind::Group => true,
        Some(value) => fits(value),
    }
}

/// The texts a form shows for a document; fields that cannot be entered are left out.
pub fn enter(fields: &[Field], document: &Map<String, Value>) -> Map<String, Value> {
    let mut entered = Map::new();
    for field in fields {
        let Some(value) = document.get(&field.name) else {
            continue;
        };
        if !is_enterable(field, Some(value)) {
            continue;
        }
        let shown = match value {
            Value::Array(items) => items.iter().filter_map(|item| enter_one(field, item)).collect(),
            value => match enter_one(field, value) {
                Some(shown) => shown,
                None => continue,
            },
        };
        entered.insert(field.name.clone(), shown);
    }
    entered
}

fn enter_one(field: &Field, value: &Value) -> Option<Value> {
    match (field.kind, value) {
        (FieldKind::Group, Value::Object(map)) => Some(Value::Object(enter(&field.fields, map))),
        (FieldKind::Group, _) => None,
        (_, Value::String(text)) => Some(Value::String(text.replace("\r\n", "\n"))),
        (_, value) => path::text(value).map(Value::String),
    }
}

/// What was entered, without the empty places of lists, so that positions are those of the document to come.
pub fn tidy(fields: &[Field], entered: &mut Map<String, Value>) {
    for field in fields {
        match entered.get_mut(&field.name) {
            Some(Value::Array(items)) => {
                for item in items.iter_mut() {
                    tidy_one(field, item);
                }
                items.retain(|item| !is_blank(item));
            }
            Some(item) => tidy_one(field, item),
            None => {}
        }
    }
}

fn tidy_one(field: &Field, item: &mut Value) {
    if let (FieldKind::Group, Value::Object(map)) = (field.kind, item) {
        tidy(&field.fields, map);
    }
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.iter().all(is_blank),
        Value::Object(map) => map.values().all(is_blank),
        _ => true,
    }
}

/// The document that results when what was entered is put over the one the form showed, in the form in which it is stored. Texts that are no value of their
/// field are named by their path.
pub fn take(fields: &[Field], shown: &Map<String, Value>, entered: &Map<String, Value>) -> Taken {
    let mut taken = Taken {
        document: Map::new(),
        issues: Vec::new(),
    };
    let document = object(fields, shown, entered, "", &mut taken.issues);
    taken.document = settle::settled(fields, &document).into_owned();
    taken
}

/// See [`take`].
#[derive(Debug, Default)]
pub struct Taken {
    pub document: Map<String, Value>,
    pub issues: Vec<FieldIssue>,
}

fn object(
    fields: &[Field],
    shown: &Map<String, Value>,
    entered: &Map<String, Value>,
    at: &str,
    issues: &mut Vec<FieldIssue>,
) -> Map<String, Value> {
    let mut document = shown.clone();
    for field in fields {
        let before = shown.get(&field.name);
        if !is_enterable(field, before) {
            continue;
        }
        let path = join(at, &field.name);
        let after = match (field.repeated, field.kind, entered.get(&field.name)) {
            (true, _, given) => list(field, before, given, &path, issues),
            (false, FieldKind::Group, given) => group(field, before, given, &path, issues),
            // One value is always sent, even empty; where it is not, the form did not show it.
            (false, _, None) => continue,
            (false, _, Some(given)) => single(field, before, given, &path, issues),
        };
        match after {
            Some(value) => {
                document.insert(field.name.clone(), value);
            }
            None => {
                // What says nothing already stays as it is.
                if before.is_some_and(|value| !is_nothing(value)) {
                    document.shift_remove(&field.name);
                }
            }
        }
    }
    document
}

fn list(
    field: &Field,
    before: Option<&Value>,
    given: Option<&Value>,
    path: &str,
    issues: &mut Vec<FieldIssue>,
) -> Option<Value> {
    let old = before.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let given = given.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut items = Vec::with_capacity(given.len());
    for (position, item) in given.iter().enumerate() {
        let same = |old: &&Value| enter_one(field, old).is_some_and(|shown| says_the_same(&shown, item));
        let here = old.get(position);
        let kept = here.filter(same).or_else(|| old.iter().find(same));
        let path = format!("{path}.{position}");
        let value = match (kept, field.kind) {
            (Some(kept), _) => Some(kept.clone()),
            (None, FieldKind::Group) => group(field, here, Some(item), &path, issues),
            (None, _) => single(field, None, item, &path, issues),
        };
        // A wrong text holds its place, so that the positions of later ones stay right.
        items.push(value.unwrap_or(Value::Null));
    }
    (!items.is_empty()).then_some(Value::Array(items))
}

fn group(
    field: &Field,
    before: Option<&Value>,
    given: Option<&Value>,
    path: &str,
    issues: &mut Vec<FieldIssue>,
) -> Option<Value> {
    let nothing = Map::new();
    let shown = before.and_then(Value::as_object).unwrap_or(&nothing);
    let given = given.and_then(Value::as_object).unwrap_or(&nothing);
    let map = object(&field.fields, shown, given, path, issues);
    (!map.is_empty()).then_some(Value::Object(map))
}

fn single(
    field: &Field,
    before: Option<&Value>,
    given: &Value,
    path: &str,
    issues: &mut Vec<FieldIssue>,
) -> Option<Value> {
    let text = given.as_str().unwrap_or_default();
    if let Some(before) = before
        && enter_one(field, before).as_ref().and_then(Value::as_str) == Some(text)
    {
        return Some(before.clone());
    }
    if text.trim().is_empty() {
        return None;
    }
    match value_of(field, text) {
        Ok(value) => Some(value),
        Err(wanted) => {
            let message = format!("\"{}\" is not {wanted}.", shorten(text, 60));
            issues.push(FieldIssue {
                path: path.to_owned(),
                message,
            });
            None
        }
    }
}

fn value_of(field: &Field, text: &str) -> Result<Value, &'static str> {
    let line = text.trim();
    Ok(match field.kind {
        // Measures with a unit and places in any form are read where the document is settled.
        FieldKind::Integer | FieldKind::Number if settle::is_written(field, line) => Value::String(line.to_owned()),
        FieldKind::Integer => {
            let plain: String = line
                .chars()
                .filter(|c| !matches!(c, ' ' | '\u{a0}' | '\u{202f}'))
                .collect();
            let number: i64 = plain.parse().map_err(|_| "a whole number such as 1887")?;
            Value::Number(number.into())
        }
        FieldKind::Number => {
            let number = serde_json::from_str::<Number>(&pointed(line)).map_err(|_| "a number such as 12.5")?;
            Value::Number(number)
        }
        FieldKind::Boolean => match line {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => return Err("yes or no"),
        },
        // The address of a record's page says its id, too.
        FieldKind::Link => {
            let id = line.rsplit_once("/records/").map_or(line, |(_, id)| id);
            Value::String(id.split(['?', '#', '/']).next().unwrap_or(id).to_owned())
        }
        FieldKind::Identifier | FieldKind::Term | FieldKind::Date | FieldKind::Url => Value::String(line.to_owned()),
        FieldKind::Text => Value::String(text.to_owned()),
        FieldKind::Group => return Err("a group"),
    })
}

/// A number with its decimal comma turned into a point, where the comma can mean nothing else: `12,5`, but not `1,234`.
fn pointed(line: &str) -> Cow<'_, str> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match line.split_once(',') {
        Some((whole, places)) if digits(whole.trim_start_matches('-')) && digits(places) && places.len() != 3 => {
            Cow::Owned(format!("{whole}.{places}"))
        }
        _ => Cow::Borrowed(line),
    }
}

/// Empty places count as absent ones.
fn says_the_same(shown: &Value, given: &Value) -> bool {
    match (shown, given) {
        (Value::Object(shown), Value::Object(given)) => {
            let there = |(name, value): (&String, &Value)| match given.get(name) {
                Some(other) => says_the_same(value, other),
                None => is_blank(value),
            };
            shown.iter().all(there)
                && given
                    .iter()
                    .all(|(name, value)| shown.contains_key(name) || is_blank(value))
        }
        (Value::Array(shown), Value::Array(given)) => {
            shown.len() == given.len() && shown.iter().zip(given).all(|(a, b)| says_the_same(a, b))
        }
        _ => shown == given || (is_blank(shown) && is_blank(given)),
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.values().all(is_nothing),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn join(at: &str, name: &str) -> String {
    if at.is_empty() {
        name.to_owned()
    } else {
        format!("{at}.{name}")
    }
}

/// Adds an empty place to the end of each list, for those without scripts.
pub fn widen(fields: &[Field], entered: &mut Map<String, Value>) {
    for field in fields {
        let blank = || match field.kind {
            FieldKind::Group => Value::Object(Map::new()),
            _ => Value::String(String::new()),
        };
        match (field.repeated, entered.get_mut(&field.name)) {
            (true, Some(Value::Array(items))) => {
                items.iter_mut().for_each(|item| widen_one(field, item));
                if items.len() < MAX_ITEMS_IN_FORM {
                    items.push(blank());
                }
            }
            (true, _) => {
                entered.insert(field.name.clone(), Value::Array(vec![blank()]));
            }
            (false, Some(item)) => widen_one(field, item),
            (false, None) => {}
        }
    }
}

fn widen_one(field: &Field, item: &mut Value) {
    if let (FieldKind::Group, Value::Object(map)) = (field.kind, item) {
        widen(&field.fields, map);
    }
}
