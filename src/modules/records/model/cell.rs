//! One field of a record as the text of a cell: as it is edited in a table, copied to a spreadsheet and pasted from one.
//! Several values stand in one cell with a bar between them. What a cell cannot hold without loss is not edited there.

use serde_json::{Map, Value};

use super::entry::{self, Taken};
use super::path::{self, Leaf};
use crate::contract::records::Field;

/// What stands between several values, and the character that tells them apart.
pub const BETWEEN: &str = " | ";
const BAR: char = '|';

/// Whether a field has one cell: no group around it is a list, and its value is not given by the house.
pub fn is_plain(fields: &[Field], leaf: &Leaf<'_>) -> bool {
    let mut within = fields;
    for step in leaf.steps.iter().take(leaf.steps.len().saturating_sub(1)) {
        match within.iter().find(|field| field.name == *step) {
            Some(group) if !group.repeated => within = &group.fields,
            _ => return false,
        }
    }
    leaf.field.number.is_none()
}

/// What stands in the cell of a plain field, as it is entered; `None` where a cell cannot hold it.
pub fn text(leaf: &Leaf<'_>, document: &Map<String, Value>) -> Option<String> {
    let (last, groups) = leaf.steps.split_last()?;
    let mut within = document;
    for step in groups {
        match within.get(*step) {
            None | Some(Value::Null) => return Some(String::new()),
            Some(Value::Object(inner)) => within = inner,
            Some(_) => return None,
        }
    }
    let value = within.get(*last);
    if !entry::is_enterable(leaf.field, value) {
        return None;
    }
    match value {
        None | Some(Value::Null) => Some(String::new()),
        Some(Value::Array(items)) => {
            let texts: Option<Vec<String>> = items.iter().map(path::text).collect();
            let texts = texts?;
            let whole = |text: &String| !text.is_empty() && text.trim() == text && !text.contains(BAR);
            texts.iter().all(whole).then(|| texts.join(BETWEEN))
        }
        Some(value) => path::text(value).map(|text| text.replace("\r\n", "\n")),
    }
}

/// What a form of the whole record would send after these cells were changed.
pub fn entered(fields: &[Field], document: &Map<String, Value>, cells: &[(&Leaf<'_>, &str)]) -> Map<String, Value> {
    let mut entered = entry::enter(fields, document);
    for (leaf, text) in cells {
        let value = if leaf.field.repeated {
            let parts = text.split(BAR).map(str::trim).filter(|part| !part.is_empty());
            parts.map(|part| Value::String(part.to_owned())).collect()
        } else {
            Value::String((*text).to_owned())
        };
        path::put(&mut entered, &leaf.steps, value);
    }
    entered
}

/// The document after these cells were changed, with what is no value of its field.
pub fn changed(fields: &[Field], document: &Map<String, Value>, cells: &[(&Leaf<'_>, &str)]) -> Taken {
    entry::take(fields, document, &entered(fields, document, cells))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fields() -> Vec<Field> {
        serde_json::from_value(json!([
            { "name": "title", "kind": "text" },
            { "name": "height", "kind": "number" },
            { "name": "words", "kind": "term", "repeated": true },
            { "name": "place", "kind": "group", "fields": [{ "name": "city", "kind": "text" }] },
            { "name": "maker", "kind": "group", "repeated": true, "fields": [{ "name": "name", "kind": "text" }] },
        ]))
        .unwrap()
    }

    fn document(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_cell_holds_what_can_be_written_back() {
        let fields = fields();
        let of =
            document(&json!({ "title": "a\r\nb", "height": 1.50, "words": ["x", "y z"], "maker": [{ "name": "m" }] }));
        let read = |name: &str| text(&path::find(&fields, name).unwrap(), &of);
        assert_eq!(read("title").as_deref(), Some("a\nb"));
        assert_eq!(read("words").as_deref(), Some("x | y z"));
        assert_eq!(read("place.city").as_deref(), Some(""));
        assert!(!is_plain(&fields, &path::find(&fields, "maker.name").unwrap()));
        let odd = document(&json!({ "words": ["a|b"], "title": ["x"], "place": "here" }));
        for name in ["words", "title", "place.city"] {
            assert_eq!(text(&path::find(&fields, name).unwrap(), &odd), None, "{name}");
        }
    }

    #[test]
    fn what_no_cell_touched_stays_as_it_was() {
        let fields = fields();
        let of = document(
            &json!({ "title": "a\r\nb", "height": 1.5, "words": ["x"], "other": [1], "maker": [{ "name": "m", "n": 1 }] }),
        );
        let (words, city) = (
            path::find(&fields, "words").unwrap(),
            path::find(&fields, "place.city").unwrap(),
        );
        let taken = changed(&fields, &of, &[(&words, "y| z |"), (&city, "Rome")]);
        assert!(taken.issues.is_empty());
        let want = json!({ "title": "a\r\nb", "height": 1.5, "words": ["y", "z"], "other": [1], "maker": [{ "name": "m", "n": 1 }], "place": { "city": "Rome" } });
        assert_eq!(Value::Object(taken.document), want);
        let height = path::find(&fields, "height").unwrap();
        let taken = changed(&fields, &of, &[(&height, "tall")]);
        assert_eq!(taken.issues[0].path, "height");
        let taken = changed(&fields, &of, &[(&words, ""), (&height, " ")]);
        assert!(!taken.document.contains_key("words") && !taken.document.contains_key("height"));
    }
}
