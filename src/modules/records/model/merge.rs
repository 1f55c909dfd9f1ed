//! Two changes of one document, put together: what each did to which field, and the document that takes for each field
//! the side that was chosen. A field is the unit, a list is taken as a whole.

use serde_json::{Map, Value};

use super::patch;
use crate::contract::records::{Field, FieldKind};

/// Whose value is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    Mine,
    Theirs,
    /// As it was before both.
    Base,
}

impl Side {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mine => "mine",
            Self::Theirs => "theirs",
            Self::Base => "base",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Mine, Self::Theirs, Self::Base]
            .into_iter()
            .find(|side| side.as_str() == text)
    }
}

/// A field in which the two states differ.
#[derive(Clone, Debug)]
pub struct Unit {
    /// The names from the top.
    pub steps: Vec<String>,
    pub base: Option<Value>,
    pub mine: Option<Value>,
    pub theirs: Option<Value>,
    /// The side that alone changed it; none where both did.
    pub only: Option<Side>,
}

impl Unit {
    /// The names joined by dots.
    pub fn path(&self) -> String {
        self.steps.join(".")
    }
    pub fn value(&self, side: Side) -> Option<&Value> {
        match side {
            Side::Mine => self.mine.as_ref(),
            Side::Theirs => self.theirs.as_ref(),
            Side::Base => self.base.as_ref(),
        }
    }
}

/// The three states of one object.
#[derive(Clone, Copy)]
pub struct States<'a> {
    pub base: &'a Map<String, Value>,
    pub mine: &'a Map<String, Value>,
    pub theirs: &'a Map<String, Value>,
}

/// Where mine and theirs differ, in the order of the fields.
pub fn units(fields: &[Field], states: States<'_>) -> Vec<Unit> {
    let mut found = Vec::new();
    gather(fields, states, &[], &mut found);
    found
}

fn gather(fields: &[Field], states: States<'_>, above: &[String], found: &mut Vec<Unit>) {
    let nothing = Map::new();
    for field in fields {
        let name = &field.name;
        let mut steps = above.to_vec();
        steps.push(name.clone());
        let [base, mine, theirs] = [states.base, states.mine, states.theirs].map(|s| s.get(name));
        let single = |value: Option<&Value>| value.is_none_or(|v| v.is_object() || v.is_null());
        if field.kind == FieldKind::Group && [base, mine, theirs].into_iter().all(single) {
            let [base, mine, theirs] =
                [base, mine, theirs].map(|value| value.and_then(Value::as_object).unwrap_or(&nothing));
            gather(&field.fields, States { base, mine, theirs }, &steps, found);
            continue;
        }
        if same(mine, theirs) {
            continue;
        }
        let only = match (same(base, mine), same(base, theirs)) {
            (false, true) => Some(Side::Mine),
            (true, false) => Some(Side::Theirs),
            _ => None,
        };
        found.push(Unit {
            steps,
            base: base.cloned(),
            mine: mine.cloned(),
            theirs: theirs.cloned(),
            only,
        });
    }
}

fn same(one: Option<&Value>, other: Option<&Value>) -> bool {
    let wrap = |value: Option<&Value>| Map::from_iter([(String::new(), value.cloned().unwrap_or(Value::Null))]);
    one == other || patch::same(&wrap(one), &wrap(other))
}

/// Theirs with what was chosen instead.
pub fn merged<'a>(theirs: &Map<String, Value>, chosen: impl Iterator<Item = (&'a Unit, Side)>) -> Map<String, Value> {
    let mut document = theirs.clone();
    for (unit, side) in chosen.filter(|(_, side)| *side != Side::Theirs) {
        put(&mut document, &unit.steps, unit.value(side).cloned());
    }
    document
}

fn put(map: &mut Map<String, Value>, steps: &[String], value: Option<Value>) {
    let Some((first, rest)) = steps.split_first() else {
        return;
    };
    if rest.is_empty() {
        match value {
            Some(value) => {
                map.insert(first.clone(), value);
            }
            None => {
                map.shift_remove(first);
            }
        }
        return;
    }
    if !map.get(first).is_some_and(Value::is_object) {
        if value.is_none() {
            return;
        }
        map.insert(first.clone(), Value::Object(Map::new()));
    }
    if let Some(Value::Object(inner)) = map.get_mut(first) {
        put(inner, rest, value);
    }
}
