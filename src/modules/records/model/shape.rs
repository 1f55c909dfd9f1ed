//! How a document is shown: its title, the labels of its fields, what a level may see of it, and how what somebody may
//! not see survives that somebody's edit.

use serde_json::{Map, Value};

use super::path;
use super::validate::is_url;
use crate::contract::records::{Field, FieldKind, RecordType};
use crate::kernel::access::Level;
use crate::kernel::error::FieldIssue;

/// The title to show for a document: the title field, else the key, else the first text that says something.
pub fn title(definition: &RecordType, document: &Map<String, Value>) -> String {
    title_path(definition, document)
        .map(|(_, title)| title)
        .unwrap_or_default()
}

/// The first web address in the type's image field.
pub fn image<'d>(definition: &RecordType, document: &'d Map<String, Value>) -> Option<&'d str> {
    let leaf = path::find(&definition.fields, definition.image.as_deref()?)?;
    let mut values = path::values(document, &leaf.steps).into_iter();
    values.find_map(|value| value.as_str().filter(|text| is_url(text)))
}

/// The title with the level of the field it comes from.
pub fn title_with_level(definition: &RecordType, document: &Map<String, Value>) -> (String, Level) {
    title_path(definition, document).map_or_else(|| (String::new(), Level::Public), |(level, title)| (title, level))
}

fn title_path(definition: &RecordType, document: &Map<String, Value>) -> Option<(Level, String)> {
    let named = definition.title.iter().chain(&definition.key);
    for leaf in named.filter_map(|name| path::find(&definition.fields, name)) {
        if let Some(text) = said(document, &leaf.steps) {
            return Some((leaf.level, text));
        }
    }
    // Without a name of its own the first words that everybody may read.
    let mut leaves = path::leaves(&definition.fields);
    leaves.retain(|l| matches!(l.field.kind, FieldKind::Text | FieldKind::Term | FieldKind::Identifier));
    leaves.sort_by_key(|l| l.level);
    leaves
        .into_iter()
        .find_map(|leaf| said(document, &leaf.steps).map(|text| (leaf.level, text)))
}

fn said(document: &Map<String, Value>, steps: &[&str]) -> Option<String> {
    let texts = path::values(document, steps).into_iter().filter_map(path::text);
    texts.map(|t| t.trim().to_owned()).find(|t| !t.is_empty())
}

/// The label of a field in a language: its own, its English one, else its name made readable.
pub fn label(field: &Field, language: &str) -> String {
    named(&field.labels, language).unwrap_or_else(|| readable(&field.name))
}

/// The label of a type in a language.
pub fn type_label(definition: &RecordType, language: &str) -> String {
    named(&definition.labels, language).unwrap_or_else(|| readable(&definition.name))
}

fn named(labels: &Map<String, Value>, language: &str) -> Option<String> {
    labels
        .get(language)
        .or_else(|| labels.get("en"))
        .and_then(Value::as_str)
        .map(str::to_owned)
}

/// `creation_date_earliest`, `creationDateEarliest` and `creation-date-earliest` become "Creation date earliest".
fn readable(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let mut before = ' ';
    for c in name.chars() {
        if matches!(c, '_' | '-' | '.') || c.is_whitespace() {
            if !out.ends_with(' ') && !out.is_empty() {
                out.push(' ');
            }
        } else if out.is_empty() {
            out.extend(c.to_uppercase());
        } else if c.is_uppercase() && before.is_lowercase() {
            out.push(' ');
            out.extend(c.to_lowercase());
        } else {
            out.push(c);
        }
        before = c;
    }
    out.trim_end().to_owned()
}

/// Removes from a document what the level may not see. A value without a field is for the highest level only.
pub fn cut(fields: &[Field], level: Level, document: Map<String, Value>) -> Map<String, Value> {
    if level == Level::Restricted {
        return document;
    }
    let keep = |(name, value): (String, Value)| {
        let field = fields.iter().find(|f| f.name == name).filter(|f| f.level <= level)?;
        let value = match (field.kind, value) {
            (FieldKind::Group, Value::Object(map)) => Value::Object(cut(&field.fields, level, map)),
            (FieldKind::Group, Value::Array(items)) => {
                items.into_iter().map(|item| cut_item(field, level, item)).collect()
            }
            (_, value) => value,
        };
        Some((name, value))
    };
    document.into_iter().filter_map(keep).collect()
}

fn cut_item(field: &Field, level: Level, item: Value) -> Value {
    match item {
        Value::Object(map) => Value::Object(cut(&field.fields, level, map)),
        other => other,
    }
}

/// The definition as a level sees it: without the fields it may not see, and without naming them as title, key, image or
/// credit.
pub fn cut_definition(definition: &RecordType, level: Level) -> RecordType {
    let mut cut = definition.clone();
    if level == Level::Restricted {
        return cut;
    }
    retain(&mut cut.fields, level);
    for name in [
        &mut cut.title,
        &mut cut.key,
        &mut cut.image,
        &mut cut.credit,
        &mut cut.parent,
        &mut cut.order,
    ] {
        let hidden = |n: &str| path::find(&definition.fields, n).is_some_and(|leaf| leaf.level > level);
        if name.as_deref().is_some_and(hidden) {
            *name = None;
        }
    }
    let hidden = |n: &str| path::find(&definition.fields, n).is_some_and(|leaf| leaf.level > level);
    cut.ranks = cut.ranks.take().filter(|ranks| !hidden(&ranks.field));
    cut
}

fn retain(fields: &mut Vec<Field>, level: Level) {
    fields.retain(|f| f.level <= level);
    for field in fields.iter_mut() {
        retain(&mut field.fields, level);
    }
    fields.retain(|f| f.kind != FieldKind::Group || !f.fields.is_empty());
}

/// Puts back into an edited document what its editor could not see. A list of groups with hidden values can only be
/// kept as it is: nobody knows which of the new items they would belong to.
pub fn keep_hidden(
    fields: &[Field],
    level: Level,
    before: &Map<String, Value>,
    mut edited: Map<String, Value>,
    at: &str,
    issues: &mut Vec<FieldIssue>,
) -> Map<String, Value> {
    if level == Level::Restricted {
        return edited;
    }
    for (name, old) in before {
        let field = fields.iter().find(|f| f.name == *name).filter(|f| f.level <= level);
        let Some(field) = field else {
            edited.insert(name.clone(), old.clone());
            continue;
        };
        if field.kind != FieldKind::Group || !hides(&field.fields, level, old) {
            continue;
        }
        let path = if at.is_empty() {
            name.clone()
        } else {
            format!("{at}.{name}")
        };
        let new = edited.get_mut(name).map(Value::take);
        let kept = match (old, new) {
            (Value::Object(old), new) => {
                let new = if let Some(Value::Object(new)) = new {
                    new
                } else {
                    Map::new()
                };
                Value::Object(keep_hidden(&field.fields, level, old, new, &path, issues))
            }
            (old, new) => {
                let seen = cut(fields, level, Map::from_iter([(name.clone(), old.clone())]));
                if seen.get(name) != new.as_ref() {
                    let message =
                        "holds values that you may not see, so it can be changed only by somebody who may.".to_owned();
                    issues.push(FieldIssue { path, message });
                }
                old.clone()
            }
        };
        edited.insert(name.clone(), kept);
    }
    edited
}

/// Does a value hold something above the level?
fn hides(fields: &[Field], level: Level, value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| hides(fields, level, item)),
        Value::Object(map) => map
            .iter()
            .any(|(name, value)| match fields.iter().find(|f| f.name == *name) {
                Some(field) => {
                    field.level > level || (field.kind == FieldKind::Group && hides(&field.fields, level, value))
                }
                None => true,
            }),
        _ => false,
    }
}
