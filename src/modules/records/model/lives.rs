//! Dates beside people: what happened before somebody was born, or in a part of a record of its own after they had died. No I/O.

use serde_json::{Map, Value};

use super::path;
use super::warn::below;
use crate::contract::records::{Field, FieldKind, RecordType};
use crate::kernel::civil;

/// Dates of one document that are looked at.
const MOST: usize = 20;
/// What the fields are called that tell a life, in small letters.
const BORN: [&str; 4] = ["born", "birth", "birthdate", "dateofbirth"];
const DIED: [&str; 4] = ["died", "death", "deathdate", "dateofdeath"];

/// A date and somebody named beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meeting {
    /// The date, with positions.
    pub path: String,
    /// First and last day that it may be.
    pub days: (i64, i64),
    /// The id of a record.
    pub person: String,
    /// They stand in a group, so that the one is about the other: who collected, who determined.
    pub together: bool,
}

/// When somebody lived: first and last day that it may be, and as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Life {
    pub born: Option<((i64, i64), String)>,
    pub died: Option<((i64, i64), String)>,
}

/// The dates of a document with the records that stand beside them.
pub fn meetings(fields: &[Field], document: &Map<String, Value>) -> Vec<Meeting> {
    let mut found = Vec::new();
    gather(fields, document, "", &mut found);
    found.truncate(MOST);
    found
}

fn gather(fields: &[Field], document: &Map<String, Value>, above: &str, found: &mut Vec<Meeting>) {
    let text = |field: &Field| document.get(&field.name).and_then(path::text);
    let linked = fields.iter().filter(|field| field.kind == FieldKind::Link);
    let people: Vec<String> = linked.filter_map(text).collect();
    for field in fields {
        let place = below(above, &field.name);
        match (field.kind, document.get(&field.name)) {
            (FieldKind::Date, Some(Value::String(date))) => {
                let Some(days) = civil::span(date) else { continue };
                found.extend(people.iter().map(|person| Meeting {
                    path: place.clone(),
                    days,
                    person: person.clone(),
                    together: !above.is_empty(),
                }));
            }
            (FieldKind::Group, Some(Value::Object(inner))) => gather(&field.fields, inner, &place, found),
            (FieldKind::Group, Some(Value::Array(items))) => {
                for (at, inner) in items.iter().enumerate().take(MOST) {
                    let Some(inner) = inner.as_object() else { continue };
                    gather(&field.fields, inner, &format!("{place}.{at}"), found);
                }
            }
            _ => {}
        }
    }
}

/// The life that a record tells, if it is somebody's.
pub fn life(definition: &RecordType, document: &Map<String, Value>) -> Life {
    let told = |names: &[&str]| {
        let letters = |field: &Field| -> String {
            let plain = field.name.chars().filter(|c| c.is_alphanumeric());
            plain.flat_map(char::to_lowercase).collect()
        };
        let mut dates = definition.fields.iter().filter(|field| field.kind == FieldKind::Date);
        let field = dates.find(|field| names.contains(&letters(field).as_str()))?;
        let date = document.get(&field.name)?.as_str()?;
        Some((civil::span(date)?, date.to_owned()))
    };
    Life {
        born: told(&BORN),
        died: told(&DIED),
    }
}

/// Whether a date lies before a birth, or after a death beside it: then as the life tells it.
pub fn outside<'l>(meeting: &Meeting, life: &'l Life) -> Option<(bool, &'l str)> {
    if let Some(((first, _), text)) = &life.born
        && meeting.days.1 < *first
    {
        return Some((true, text));
    }
    match &life.died {
        Some(((_, last), text)) if meeting.together && meeting.days.0 > *last => Some((false, text)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn dates_are_compared_with_lives() {
        let find: RecordType = serde_json::from_value(json!({ "name": "find", "fields": [
            { "name": "bought", "kind": "date" }, { "name": "maker", "kind": "link", "target": "person" },
            { "name": "collecting", "kind": "group", "repeated": true, "fields": [
                { "name": "by", "kind": "link", "target": "person" }, { "name": "date", "kind": "date" }] } ] }))
        .unwrap();
        let person: RecordType = serde_json::from_value(json!({ "name": "person", "fields": [
            { "name": "dateOfBirth", "kind": "date" }, { "name": "died", "kind": "date" } ] }))
        .unwrap();
        let lived = json!({ "dateOfBirth": "1850~", "died": "1899-05" });
        let lived = life(&person, lived.as_object().unwrap());
        let document = json!({ "bought": "1955", "maker": "m",
            "collecting": [{ "by": "m", "date": "1899-06-01" }, { "by": "m", "date": "1846" }, { "by": "m", "date": "1830" }, { "date": "1700" }] });
        let found: Vec<(String, bool)> = meetings(&find.fields, document.as_object().unwrap())
            .iter()
            .filter_map(|meeting| Some((meeting.path.clone(), outside(meeting, &lived)?.0)))
            .collect();
        let wanted = [("collecting.0.date", false), ("collecting.2.date", true)];
        assert_eq!(found, wanted.map(|(path, before)| (path.to_owned(), before)));
    }
}
