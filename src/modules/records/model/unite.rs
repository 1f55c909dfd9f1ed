//! Several records of one type put into the first of them: the fields in which they differ, and the document that takes for
//! each what was chosen. Lists are put together unless one is chosen; what is missing in the first is taken from the next.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{patch, path};
use crate::contract::records::{Field, FieldKind};

/// Chosen for a list: the values of all of them.
pub const ALL: &str = "all";

/// A field in which the records differ.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The names from the top.
    pub steps: Vec<String>,
    /// What each record says, in their order.
    pub values: Vec<Option<Value>>,
    /// A list, whose values can be put together.
    pub repeated: bool,
}

impl Choice {
    pub fn path(&self) -> String {
        self.steps.join(".")
    }

    /// What is taken where nothing is chosen: all of a list, else the first that says something.
    pub fn usual(&self) -> usize {
        let says = |value: &Option<Value>| value.as_ref().is_some_and(|value| !is_nothing(value));
        self.values.iter().position(says).unwrap_or_default()
    }
}

/// Where the records differ, in the order of the fields.
pub fn choices(fields: &[Field], records: &[&Map<String, Value>]) -> Vec<Choice> {
    let mut found = Vec::new();
    gather(fields, records, &[], &mut found);
    found
}

fn gather(fields: &[Field], records: &[&Map<String, Value>], above: &[String], found: &mut Vec<Choice>) {
    let nothing = Map::new();
    for field in fields {
        let mut steps = above.to_vec();
        steps.push(field.name.clone());
        let values: Vec<Option<&Value>> = records.iter().map(|record| record.get(&field.name)).collect();
        let single = |value: &Option<&Value>| value.is_none_or(|v| v.is_object() || v.is_null());
        if field.kind == FieldKind::Group && values.iter().all(single) {
            let inner: Vec<&Map<String, Value>> = values
                .iter()
                .map(|value| value.and_then(Value::as_object).unwrap_or(&nothing))
                .collect();
            gather(&field.fields, &inner, &steps, found);
        } else if values.iter().any(|value| !same(values[0], *value)) {
            found.push(Choice {
                steps,
                values: values.into_iter().map(Option::<&Value>::cloned).collect(),
                repeated: field.repeated,
            });
        }
    }
}

fn same(one: Option<&Value>, other: Option<&Value>) -> bool {
    let wrap = |value: Option<&Value>| Map::from_iter([(String::new(), value.cloned().unwrap_or(Value::Null))]);
    one == other || patch::same(&wrap(one), &wrap(other))
}

fn is_nothing(value: &Value) -> bool {
    same(Some(value), None)
}

/// The first record with what is chosen of the others. `taken` says for the path of a field whose value it gets: the place
/// of a record, or [`ALL`].
///
/// # Errors
/// The path of a choice that there is not.
pub fn united(
    fields: &[Field],
    records: &[&Map<String, Value>],
    taken: &HashMap<String, Taken>,
) -> Result<Map<String, Value>, String> {
    let mut document = records.first().map(|first| (*first).clone()).unwrap_or_default();
    let choices = choices(fields, records);
    if let Some(odd) = taken
        .keys()
        .find(|path| !choices.iter().any(|choice| choice.path() == **path))
    {
        return Err(odd.clone());
    }
    for choice in choices {
        let value = match taken.get(&choice.path()) {
            Some(Taken::All) if !choice.repeated => return Err(choice.path()),
            Some(Taken::From(at)) => choice.values.get(*at).cloned().flatten(),
            None if !choice.repeated => choice.values.get(choice.usual()).cloned().flatten(),
            Some(Taken::All) | None => Some(together(&choice.values)),
        };
        let steps: Vec<&str> = choice.steps.iter().map(String::as_str).collect();
        path::put(&mut document, &steps, value.unwrap_or(Value::Null));
    }
    Ok(tidy(document))
}

/// Whose value a field gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    From(usize),
    All,
}

/// The values of all lists, each once.
fn together(lists: &[Option<Value>]) -> Value {
    let mut all: Vec<Value> = Vec::new();
    for list in lists.iter().flatten() {
        let items = match list {
            Value::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        for item in items.iter().filter(|item| !is_nothing(item)) {
            if !all.contains(item) {
                all.push(item.clone());
            }
        }
    }
    Value::Array(all)
}

/// Without what says nothing.
fn tidy(document: Map<String, Value>) -> Map<String, Value> {
    let kept = document.into_iter().filter(|(_, value)| !is_nothing(value));
    kept.map(|(name, value)| match value {
        Value::Object(inner) => (name, Value::Object(tidy(inner))),
        other => (name, other),
    })
    .collect()
}

/// Links to some records led to another one: in every field that may lead there, each once. `None` where it has none.
pub fn relinked(
    document: &Map<String, Value>,
    leaves: &[path::Leaf<'_>],
    from: &[String],
    to: Option<&str>,
) -> Option<Map<String, Value>> {
    let mut after = document.clone();
    for leaf in leaves {
        follow(&mut after, &leaf.steps, from, to);
    }
    (after != *document).then(|| tidy(after))
}

fn follow(map: &mut Map<String, Value>, steps: &[&str], from: &[String], to: Option<&str>) {
    let Some((first, rest)) = steps.split_first() else {
        return;
    };
    let Some(value) = map.get_mut(*first) else { return };
    if !rest.is_empty() {
        match value {
            Value::Object(inner) => follow(inner, rest, from, to),
            Value::Array(items) => {
                let inner = items.iter_mut().filter_map(Value::as_object_mut);
                inner.for_each(|inner| follow(inner, rest, from, to));
            }
            _ => {}
        }
        return;
    }
    let led = |value: &Value| match value.as_str() {
        Some(id) if from.iter().any(|gone| gone == id) => to.map(|to| Value::String(to.to_owned())),
        _ => Some(value.clone()),
    };
    *value = match &*value {
        Value::Array(items) => {
            let mut all: Vec<Value> = Vec::with_capacity(items.len());
            for item in items.iter().filter_map(led) {
                if !all.contains(&item) {
                    all.push(item);
                }
            }
            Value::Array(all)
        }
        one => led(one).unwrap_or(Value::Null),
    };
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::contract::records::RecordType;

    fn person() -> RecordType {
        let text = json!({"name": "person", "fields": [
            {"name": "name", "kind": "text"}, {"name": "born", "kind": "date"},
            {"name": "codes", "kind": "identifier", "repeated": true},
            {"name": "of", "kind": "link", "target": "person"},
            {"name": "home", "kind": "group", "fields": [{"name": "town", "kind": "text"}, {"name": "land", "kind": "text"}]}]});
        serde_json::from_value(text).unwrap()
    }

    fn map(value: Value) -> Map<String, Value> {
        let Value::Object(map) = value else {
            panic!("{value} is no object");
        };
        map
    }

    #[test]
    fn records_are_put_together() {
        let fields = person().fields;
        let one = map(json!({"name": "J. Smith", "codes": ["a"], "home": {"town": "Bern"}}));
        let two = map(
            json!({"name": "Jane Smith", "born": "1888", "codes": ["b", "a"], "home": {"town": "Berne", "land": "CH"}}),
        );
        let both = [&one, &two];
        let paths: Vec<String> = choices(&fields, &both).iter().map(Choice::path).collect();
        assert_eq!(paths, ["name", "born", "codes", "home.town", "home.land"]);
        let usual = united(&fields, &both, &HashMap::new()).unwrap();
        let want =
            json!({"name": "J. Smith", "codes": ["a", "b"], "home": {"town": "Bern", "land": "CH"}, "born": "1888"});
        assert_eq!(Value::Object(usual), want);
        let taken = [
            ("name", Taken::From(1)),
            ("codes", Taken::From(0)),
            ("born", Taken::From(0)),
        ];
        let taken = taken.map(|(path, from)| (path.to_owned(), from)).into();
        let chosen = united(&fields, &both, &taken).unwrap();
        let want = json!({"name": "Jane Smith", "codes": ["a"], "home": {"town": "Bern", "land": "CH"}});
        assert_eq!(Value::Object(chosen), want);
        for (path, from) in [("home", Taken::From(1)), ("none", Taken::All), ("name", Taken::All)] {
            assert_eq!(
                united(&fields, &both, &[(path.to_owned(), from)].into()),
                Err(path.to_owned())
            );
        }
    }

    #[test]
    fn links_are_led_on() {
        let definition = person();
        let leaves = path::linking(&definition);
        let from = ["b".to_owned(), "c".to_owned()];
        let led = |value: Value, to| relinked(&map(value), &leaves, &from, to).map(Value::Object);
        assert_eq!(led(json!({"of": "b"}), Some("a")), Some(json!({"of": "a"})));
        assert_eq!(led(json!({"of": "d"}), Some("a")), None);
        assert_eq!(led(json!({"name": "x", "of": "c"}), None), Some(json!({"name": "x"})));
        assert_eq!(
            led(json!({"of": ["b", "a", "c"]}), Some("a")),
            Some(json!({"of": ["a"]}))
        );
    }
}
