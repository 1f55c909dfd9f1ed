//! What of a type may be changed in a form: its words, its roles (title, key, image, what it hangs below, credit), how it is searched, and how
//! each field is shown and asked for. Kinds and the fields themselves stay.

use serde_json::{Map, Value};

use super::path;
use crate::contract::records::{Field, FieldKind, Ranks, RecordType};
use crate::kernel::access::Level;

/// The definition with what was entered. `entered` is the document of the form: texts by name, fields by path.
pub fn apply(definition: &RecordType, entered: &Map<String, Value>, language: &str) -> RecordType {
    let mut changed = definition.clone();
    let text = |name: &str| entered.get(name).and_then(Value::as_str).map(|t| t.trim().to_owned());
    word(&mut changed.labels, language, text("label"));
    word(&mut changed.description, language, text("description"));
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
        each(&mut changed.fields, "", fields, language);
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

fn each(fields: &mut [Field], above: &str, entered: &Map<String, Value>, language: &str) {
    for field in fields {
        let path = format!("{above}{}", field.name);
        if let Some(given) = entered.get(&path).and_then(Value::as_object) {
            let text = |name: &str| given.get(name).and_then(Value::as_str).map(|t| t.trim().to_owned());
            word(&mut field.labels, language, text("label"));
            word(&mut field.hints, language, text("hint"));
            // A switch that is off is not sent.
            let on = |name: &str| given.get(name).and_then(Value::as_str) == Some("true");
            if let Some(unit) = text("unit") {
                field.unit = Some(unit).filter(|unit| !unit.is_empty());
            }
            field.required = on("required");
            field.column = on("column");
            field.rich = field.kind == FieldKind::Text && on("rich");
            field.facet = field.kind != FieldKind::Group && on("facet");
            if let Some(level) = text("level").and_then(|level| Level::parse(&level)) {
                field.level = level;
            }
        }
        each(&mut field.fields, &format!("{path}."), entered, language);
    }
}

/// A word of one language; the others stay.
fn word(words: &mut Map<String, Value>, language: &str, given: Option<String>) {
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

/// May records that fit the old definition not fit the new one?
pub fn is_stricter(old: &RecordType, new: &RecordType) -> bool {
    fn walk(old: &[Field], new: &[Field]) -> bool {
        new.iter().any(|field| {
            let before = old.iter().find(|f| f.name == field.name);
            let was = before.is_some_and(|f| f.required);
            (field.required && !was) || before.is_some_and(|f| walk(&f.fields, &field.fields))
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
