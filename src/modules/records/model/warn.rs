//! What is allowed in a record and yet worth another look: spaces nobody sees, days to come, ends before their beginning, a
//! value that stands twice, a place in the Gulf of Guinea. Nothing of it keeps anybody from saving. No I/O: what others say is
//! compared elsewhere.

use serde_json::{Map, Value};

use crate::contract::records::{Field, FieldKind, RecordType};
use crate::kernel::civil::{Civil, Precision};
use crate::kernel::error::FieldIssue;

/// Warnings of one record.
pub const MOST: usize = 30;
/// What fields are called that tell the two ends of something, as parts of their names.
const DATES: [(&str, &str); 8] = [
    ("born", "died"),
    ("birth", "death"),
    ("from", "until"),
    ("from", "to"),
    ("start", "end"),
    ("begin", "end"),
    ("first", "last"),
    ("earliest", "latest"),
];
const NUMBERS: [(&str, &str); 4] = [
    ("minimum", "maximum"),
    ("min", "max"),
    ("lowest", "highest"),
    ("from", "to"),
];

/// Everything worth another look, by the path of its field. `today` is a date as `2024-05-17`.
pub fn warnings(definition: &RecordType, document: &Map<String, Value>, today: &str) -> Vec<FieldIssue> {
    let mut judge = Judge {
        today: day(today).map_or(i64::MAX, |(_, last)| last),
        found: Vec::new(),
    };
    judge.object(&definition.fields, document, "");
    judge.found.truncate(MOST);
    judge.found
}

/// First and last day of a date.
fn day(text: &str) -> Option<(i64, i64)> {
    Civil::stored(text).ok().map(|civil| civil.days())
}

/// The path of a field below another one.
pub fn below(above: &str, name: &str) -> String {
    if above.is_empty() {
        name.to_owned()
    } else {
        format!("{above}.{name}")
    }
}

/// A value as a number, also where it is written in a text.
pub fn number(value: Option<&Value>) -> Option<f64> {
    value.and_then(|value| value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()))
}

/// Whether two names differ only in the words for the two ends.
fn are_ends(one: &str, other: &str, words: &[(&str, &str)]) -> bool {
    let (one, other) = (one.to_lowercase(), other.to_lowercase());
    words.iter().any(|(first, last)| {
        one.contains(first) && other.contains(last) && one.replacen(first, " ", 1) == other.replacen(last, " ", 1)
    })
}

struct Judge {
    /// The day that it is.
    today: i64,
    found: Vec<FieldIssue>,
}

impl Judge {
    fn tell(&mut self, path: &str, message: impl Into<String>) {
        self.found.push(FieldIssue {
            path: path.to_owned(),
            message: message.into(),
        });
    }

    fn object(&mut self, fields: &[Field], document: &Map<String, Value>, above: &str) {
        for field in fields {
            let path = below(above, &field.name);
            match document.get(&field.name) {
                Some(Value::Array(items)) => {
                    for (at, item) in items.iter().enumerate() {
                        let place = format!("{path}.{at}");
                        self.one(field, item, &place);
                        if !item.is_object() && items[..at].contains(item) {
                            self.tell(&place, "stands twice in this list.");
                        }
                    }
                }
                Some(value) => self.one(field, value, &path),
                None => {}
            }
            if field.is_latitude() && number(document.get(&field.name)) == Some(0.0) {
                let other = fields.iter().find(|other| field.is_pair(other));
                if other.is_some_and(|other| number(document.get(&other.name)) == Some(0.0)) {
                    self.tell(
                        &path,
                        "says that this is at 0, 0 in the Gulf of Guinea. Leave both empty where the place is not known.",
                    );
                }
            }
            self.ends(field, fields, document, &path);
        }
    }

    /// What ends before it begins.
    fn ends(&mut self, end: &Field, fields: &[Field], document: &Map<String, Value>, path: &str) {
        let is_number = matches!(end.kind, FieldKind::Integer | FieldKind::Number);
        let words: &[(&str, &str)] = match end.kind {
            FieldKind::Date => &DATES,
            _ if is_number => &NUMBERS,
            _ => return,
        };
        let Some(last) = document.get(&end.name) else { return };
        let begin = fields
            .iter()
            .find(|begin| begin.kind == end.kind && are_ends(&begin.name, &end.name, words));
        let Some(first) = begin.and_then(|begin| document.get(&begin.name)) else {
            return;
        };
        if is_number {
            let both = number(Some(first)).zip(number(Some(last)));
            if both.is_some_and(|(first, last)| last < first) {
                self.tell(path, format!("is less than {first}, the lower end."));
            }
        } else if let (Some(first), Some(last)) = (first.as_str(), last.as_str()) {
            let both = day(first).zip(day(last));
            if both.is_some_and(|((begins, _), (_, ends))| ends < begins) {
                self.tell(path, format!("lies before {first}, when it begins."));
            }
        }
    }

    fn one(&mut self, field: &Field, value: &Value, path: &str) {
        if let (FieldKind::Group, Value::Object(inner)) = (field.kind, value) {
            return self.object(&field.fields, inner, path);
        }
        let Some(text) = value.as_str() else { return };
        match field.kind {
            FieldKind::Date => self.date(text, path),
            FieldKind::Text | FieldKind::Term | FieldKind::Identifier => {
                if text.trim_matches([' ', '\t', '\u{a0}']) != text {
                    self.tell(path, "begins or ends with a space that nobody sees.");
                } else if field.kind != FieldKind::Text && text.contains("  ") {
                    self.tell(path, "has two spaces in a row.");
                }
                if field.term(text).is_some_and(|term| term.retired) {
                    self.tell(path, "is a term that is no longer given.");
                }
            }
            _ => {}
        }
    }

    fn date(&mut self, text: &str, path: &str) {
        let Ok(civil) = Civil::stored(text) else { return };
        if civil.days().0 > self.today {
            self.tell(path, "lies in the future.");
        }
        if let Civil::Date(date) = &civil
            && matches!(date.precision, Precision::Day(..) | Precision::Month(_))
            && (1..=999).contains(&date.year)
            && !date.before_era
        {
            self.tell(path, format!("lies in the year {}. Is a digit missing?", date.year));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn paths(document: &Value) -> Vec<String> {
        let definition: RecordType = serde_json::from_value(json!({ "name": "find", "fields": [
            { "name": "title", "kind": "text" },
            { "name": "code", "kind": "identifier" },
            { "name": "made", "kind": "date" },
            { "name": "dateFrom", "kind": "date" },
            { "name": "dateTo", "kind": "date" },
            { "name": "minimumDepth", "kind": "number" },
            { "name": "maximumDepth", "kind": "number" },
            { "name": "tags", "kind": "term", "repeated": true, "values": ["a", "b", "c"], "terms": [{ "value": "c", "retired": true }] },
            { "name": "latitude", "kind": "number" },
            { "name": "longitude", "kind": "number" },
            { "name": "maker", "kind": "group", "repeated": true, "fields": [
                { "name": "name", "kind": "term" }, { "name": "born", "kind": "date" }, { "name": "died", "kind": "date" }] } ] }))
        .unwrap();
        let found = warnings(&definition, document.as_object().unwrap(), "2024-05-17");
        found.into_iter().map(|issue| issue.path).collect()
    }

    #[test]
    fn what_is_worth_another_look_is_named_by_its_field() {
        let odd = json!({ "title": "Bowl ", "code": "a  b", "made": "2024-06", "latitude": 0, "longitude": 0.0,
            "maker": [{ "name": "x" }, { "name": " y" }] });
        assert_eq!(paths(&odd), ["title", "code", "made", "latitude", "maker.1.name"]);
        let fine = json!({ "title": "Bowl,  red", "code": "a b", "made": "2024", "latitude": 0, "longitude": 7 });
        assert!(paths(&fine).is_empty());
        for date in ["2024-05-17", "-0530", "2024-05", "soon", "../2030", "0193"] {
            assert!(paths(&json!({ "made": date })).is_empty(), "{date}");
        }
        for date in ["2025", "2024-05-18", "2025/2026", "0193-05-12", "0193-05"] {
            assert_eq!(paths(&json!({ "made": date })), ["made"], "{date}");
        }
    }

    #[test]
    fn what_ends_before_it_begins_and_what_stands_twice() {
        let odd = json!({ "dateFrom": "1932", "dateTo": "1931", "minimumDepth": 7, "maximumDepth": 5, "tags": ["a", "b", "a", "c"],
            "maker": [{ "born": "1901-05", "died": "1901-04" }, { "born": "1901", "died": "1901" }] });
        assert_eq!(
            paths(&odd),
            ["dateTo", "maximumDepth", "tags.2", "tags.3", "maker.0.died"]
        );
        let fine = json!({ "dateFrom": "1932~", "dateTo": "1931", "minimumDepth": 5, "maximumDepth": 5 });
        assert!(paths(&fine).is_empty(), "about 1932 may be 1931");
    }
}
