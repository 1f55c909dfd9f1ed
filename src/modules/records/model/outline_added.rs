//! Fields that are added to a type: one of a kind, a group with its fields, or several parts that belong together.

use serde_json::{Map, Value};

use super::outline::word;
use super::outline_fields::{Given, kind_of};
use super::reshape::plain;
use crate::contract::records::{Field, FieldKind, RecordType};
use crate::kernel::access::Level;
use crate::kernel::error::FieldIssue;
use crate::kernel::search::fold;

/// What the name of a field of several parts begins with, where it is chosen among the kinds.
pub const PIECE: &str = "piece:";

/// The definition with a field that was entered as a new one, and its path; nothing where none was.
pub fn added(
    definition: &RecordType,
    entered: &Map<String, Value>,
    (language, pieces): (&str, &[Field]),
    faults: &mut Vec<FieldIssue>,
) -> Option<(RecordType, String)> {
    let given = Given(entered.get("new").and_then(Value::as_object)?);
    let (label, name) = (given.some("label"), given.some("name"));
    let piece = given.text("kind").and_then(|kind| {
        let name = kind.strip_prefix(PIECE)?.to_owned();
        pieces.iter().find(|piece| piece.name == name)
    });
    if let Some(piece) = piece {
        let mut field = piece.clone();
        if let Some(label) = label {
            field.name = slug(&label, '_');
            field.labels = Map::new();
            word(&mut field.labels, language, Some(label));
        }
        field.name = name.unwrap_or(field.name);
        return put(definition, field, &given, faults);
    }
    if label.is_none() && name.is_none() {
        faults.push(FieldIssue {
            path: "new.label".to_owned(),
            message: "is empty. Say what the field is called.".to_owned(),
        });
        return None;
    }
    let name = name.unwrap_or_else(|| slug(label.as_deref().unwrap_or_default(), '_'));
    let kind = given
        .text("kind")
        .and_then(|kind| kind_of(&kind))
        .unwrap_or(FieldKind::Text);
    let mut labels = Map::new();
    word(&mut labels, language, label);
    let mut field = Field {
        kind,
        target: given.some("target").filter(|_| kind == FieldKind::Link),
        ..plain(&name, Level::Public, given.on("repeated"), labels)
    };
    if kind == FieldKind::Group {
        let inner = given.text("inner").unwrap_or_default();
        let inner = inner
            .split([',', '\n'])
            .map(str::trim)
            .filter(|label| !label.is_empty());
        for label in inner {
            let mut labels = Map::new();
            word(&mut labels, language, Some(label.to_owned()));
            field
                .fields
                .push(plain(&slug(label, '_'), Level::Public, false, labels));
        }
    }
    put(definition, field, &given, faults)
}

/// The definition with the field in its group, or after all others.
fn put(
    definition: &RecordType,
    field: Field,
    given: &Given<'_>,
    faults: &mut Vec<FieldIssue>,
) -> Option<(RecordType, String)> {
    let mut changed = definition.clone();
    let within = given.text("within").unwrap_or_default();
    let name = field.name.clone();
    let path = if within.is_empty() {
        changed.fields.push(field);
        name
    } else {
        let Some(group) = group_at(&mut changed.fields, &within) else {
            faults.push(FieldIssue {
                path: "new.within".to_owned(),
                message: "is no group of this type.".to_owned(),
            });
            return None;
        };
        group.fields.push(field);
        format!("{within}.{name}")
    };
    Some((changed, path))
}

fn group_at<'f>(fields: &'f mut [Field], path: &str) -> Option<&'f mut Field> {
    for field in fields.iter_mut().filter(|field| field.kind == FieldKind::Group) {
        if field.name == path {
            return Some(field);
        }
        let rest = path
            .strip_prefix(field.name.as_str())
            .and_then(|rest| rest.strip_prefix('.'));
        if let Some(rest) = rest
            && let Some(found) = group_at(&mut field.fields, rest)
        {
            return Some(found);
        }
    }
    None
}

/// A name made of a label: small letters and digits, words apart by a sign.
pub fn slug(label: &str, between: char) -> String {
    let mut out = String::new();
    for c in fold(label).chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.is_empty() && !out.ends_with(between) {
            out.push(between);
        }
    }
    out.trim_end_matches(between).to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::modules::records::service::pieces;

    fn vase() -> RecordType {
        let vase = json!({ "name": "vase", "fields": [
            { "name": "a", "kind": "text" }, { "name": "b", "kind": "term" }, { "name": "c", "kind": "number" },
            { "name": "d", "kind": "group", "fields": [{ "name": "x", "kind": "text" }] },
        ] });
        serde_json::from_value(vase).unwrap()
    }

    #[test]
    fn fields_are_added_alone_and_in_parts() {
        let mut faults = Vec::new();
        let new = |entered: Value| {
            added(
                &vase(),
                json!({ "new": entered }).as_object().unwrap(),
                ("sv", pieces()),
                &mut Vec::new(),
            )
        };
        let (made, path) = new(json!({ "label": "Övrigt märke", "kind": "text", "within": "d" })).unwrap();
        assert_eq!((path.as_str(), made.fields[3].fields.len()), ("d.ovrigt_marke", 2));
        let (made, _) =
            new(json!({ "label": "Mått", "kind": "group", "inner": "Höjd, Bredd", "repeated": "true" })).unwrap();
        assert_eq!(made.fields[4].fields[1].name, "bredd");
        assert!(made.fields[4].repeated);
        let (made, path) = new(json!({ "kind": "piece:measurement" })).unwrap();
        assert_eq!(
            (path.as_str(), made.fields[4].fields[0].name.as_str()),
            ("measurement", "what")
        );
        let (made, path) = new(json!({ "kind": "piece:coordinates", "label": "Fyndplats" })).unwrap();
        assert_eq!(
            (path.as_str(), &made.fields[4].labels["sv"]),
            ("fyndplats", &json!("Fyndplats"))
        );
        assert!(made.has_places(Level::Public) && pieces().len() == 5);
        let none = json!({ "new": { "label": " " } });
        assert!(added(&vase(), none.as_object().unwrap(), ("sv", &[]), &mut faults).is_none() && faults.len() == 1);
    }
}
