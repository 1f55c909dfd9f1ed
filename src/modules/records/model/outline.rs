//! What of a type may be changed in a form: its words, its roles (title, key, image, what it hangs below, credit), how it is
//! searched; fields are in [`super::outline_fields`].

use serde_json::{Map, Value};

use super::{outline_fields, path};
use crate::contract::records::{Field, FieldKind, Ranks, RecordType};
use crate::kernel::error::FieldIssue;

/// The definition with what was entered. `entered` is the document of the form: texts by name, fields by path.
/// What cannot be read is named in `faults`.
pub fn apply(
    definition: &RecordType,
    entered: &Map<String, Value>,
    language: &str,
    faults: &mut Vec<FieldIssue>,
) -> RecordType {
    let mut changed = definition.clone();
    let text = |name: &str| entered.get(name).and_then(Value::as_str).map(|t| t.trim().to_owned());
    word(&mut changed.labels, language, text("label"));
    word(&mut changed.description, language, text("description"));
    words(&mut changed.labels, entered.get("labels"));
    words(&mut changed.description, entered.get("descriptions"));
    for (name, role) in [
        ("title", &mut changed.title),
        ("key", &mut changed.key),
        ("image", &mut changed.image),
        ("parent", &mut changed.parent),
        ("order", &mut changed.order),
        ("licence", &mut changed.licence),
        ("credit", &mut changed.credit),
    ] {
        if let Some(given) = text(name) {
            *role = Some(given).filter(|t| !t.is_empty());
        }
    }
    ranks(&mut changed, text("ranks"), text("rank-order"));
    if let Some(given) = text("language") {
        changed.language = Some(given).filter(|tag| !tag.is_empty());
    }
    if let Some(given) = text("synonyms") {
        let lines = given.lines().map(str::trim).filter(|line| !line.is_empty());
        changed.synonyms = lines.map(str::to_owned).collect();
    }
    if let Some(fields) = entered.get("fields").and_then(Value::as_object) {
        outline_fields::enter(&mut changed.fields, "", fields, language, faults);
    }
    changed
}

/// The field that says the rank, and the ranks in their order, a line each. Without a field there is no order.
fn ranks(definition: &mut RecordType, field: Option<String>, order: Option<String>) {
    let Some(field) = field else { return };
    if field.is_empty() {
        definition.ranks = None;
        return;
    }
    let before = definition.ranks.take().map(|ranks| ranks.order);
    let given = order.map(|lines| {
        let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.map(str::to_owned).collect()
    });
    let order = given.or(before).unwrap_or_default();
    definition.ranks = Some(Ranks { field, order });
}

/// A word of one language; the others stay.
pub(super) fn word(words: &mut Map<String, Value>, language: &str, given: Option<String>) {
    match given {
        Some(text) if text.is_empty() => {
            words.shift_remove(language);
        }
        Some(text) => {
            words.insert(language.to_owned(), Value::String(text));
        }
        None => {}
    }
}

/// Words of other languages, each under its tag.
pub(super) fn words(said: &mut Map<String, Value>, given: Option<&Value>) {
    for (language, text) in given.and_then(Value::as_object).into_iter().flatten() {
        word(said, language, text.as_str().map(|text| text.trim().to_owned()));
    }
}

/// May records that fit the old definition not fit the new one?
pub fn is_stricter(old: &RecordType, new: &RecordType) -> bool {
    fn walk(old: &[Field], new: &[Field]) -> bool {
        new.iter().any(|field| {
            let Some(before) = old.iter().find(|f| f.name == field.name) else {
                return field.required;
            };
            let fewer = |was: &[String], is: &[String]| {
                !is.is_empty() && (was.is_empty() || was.iter().any(|v| !is.contains(v)))
            };
            let least = field.min.is_some_and(|min| before.min.is_none_or(|was| min > was));
            let most = field.max.is_some_and(|max| before.max.is_none_or(|was| max < was));
            (field.required && !before.required)
                || least
                || most
                || fewer(&before.values, &field.values)
                || walk(&before.fields, &field.fields)
        })
    }
    walk(&old.fields, &new.fields)
}

/// The paths that a role may name.
pub fn candidates(definition: &RecordType, role: &str) -> Vec<String> {
    let fits = |leaf: &path::Leaf<'_>| match role {
        "image" => leaf.field.kind == FieldKind::Url,
        "parent" => {
            let here = leaf.field.target.as_deref() == Some(definition.name.as_str());
            leaf.field.kind == FieldKind::Link && here && !leaf.repeated && leaf.steps.len() == 1
        }
        "ranks" => !leaf.repeated && matches!(leaf.field.kind, FieldKind::Term | FieldKind::Text),
        "order" => !leaf.repeated && !matches!(leaf.field.kind, FieldKind::Link | FieldKind::Boolean | FieldKind::Url),
        "key" => {
            !leaf.repeated
                && matches!(
                    leaf.field.kind,
                    FieldKind::Identifier | FieldKind::Text | FieldKind::Term | FieldKind::Integer | FieldKind::Url
                )
        }
        _ => matches!(
            leaf.field.kind,
            FieldKind::Text | FieldKind::Term | FieldKind::Identifier
        ),
    };
    path::leaves(&definition.fields)
        .into_iter()
        .filter(fits)
        .map(|leaf| leaf.path)
        .collect()
}
