//! Types whose records hang below each other: which field says below what, and what decides the place among siblings. No
//! I/O: that nothing hangs below itself is the service's business.

use serde_json::{Map, Value};

use super::path::{self, Leaf};
use super::{shape, shorten};
use crate::contract::records::{FieldKind, RecordType};
use crate::kernel::error::FieldIssue;
use crate::kernel::search::natural_key;

/// A type that is a tree.
pub struct Tree<'a> {
    definition: &'a RecordType,
    pub parent: Leaf<'a>,
    order: Option<Leaf<'a>>,
}

impl<'a> Tree<'a> {
    /// `None` for a type that is none.
    pub fn of(definition: &'a RecordType) -> Option<Self> {
        let parent = path::find(&definition.fields, definition.parent.as_deref()?)?;
        let order = definition.order.as_deref();
        Some(Self {
            definition,
            parent,
            order: order.and_then(|name| path::find(&definition.fields, name)),
        })
    }

    /// What a record hangs below; `None` at the top.
    pub fn parent_of(&self, document: &Map<String, Value>) -> Option<String> {
        let values = path::values(document, &self.parent.steps);
        values.into_iter().find_map(path::text).filter(|id| !id.is_empty())
    }

    /// By what a record is put in order among its siblings: its value in the field of the order, then its title.
    pub fn place(&self, document: &Map<String, Value>) -> Vec<u8> {
        let title = natural_key(&shape::title(self.definition, document));
        let Some(order) = &self.order else { return title };
        let value = path::values(document, &order.steps).into_iter().find_map(path::text);
        let mut place = match value {
            Some(text) => match text.parse::<f64>() {
                Ok(number) => number_key(number),
                Err(_) => [&[2], natural_key(&text).as_slice()].concat(),
            },
            // Those without one come last.
            None => vec![3],
        };
        place.push(0);
        place.extend(title);
        place
    }
}

/// A number so that byte by byte a smaller one comes first.
fn number_key(number: f64) -> Vec<u8> {
    let bits = number.to_bits();
    let ordered = if bits >> 63 == 1 { !bits } else { bits | (1 << 63) };
    [&[1], ordered.to_be_bytes().as_slice()].concat()
}

/// Whether the nodes of the type have to be written anew: it becomes a tree, or puts siblings into another order.
pub fn is_planted_anew(old: &RecordType, new: &RecordType) -> bool {
    let says = |one: &RecordType| {
        (
            one.parent.clone(),
            one.order.clone(),
            one.title.clone(),
            one.key.clone(),
        )
    };
    // Without a title of its own a record is called by its first words, which any field may hold.
    let named = new.title.is_some() || new.key.is_some() || old.fields == new.fields;
    new.parent.is_some() && (says(old) != says(new) || !named)
}

/// What is wrong with the fields that make a type a tree.
pub fn check(definition: &RecordType) -> Vec<FieldIssue> {
    let mut issues = Vec::new();
    let mut say = |path: &str, message: String| {
        issues.push(FieldIssue {
            path: path.to_owned(),
            message,
        });
    };
    if let Some(name) = &definition.parent {
        let shown = shorten(name, 60);
        match path::find(&definition.fields, name) {
            None => say("parent", format!("\"{shown}\" is not a field of this type.")),
            Some(leaf) => {
                let leads_here = leaf.field.target.as_deref() == Some(definition.name.as_str());
                if leaf.field.kind != FieldKind::Link || leaf.repeated || leaf.steps.len() > 1 || !leads_here {
                    say(
                        "parent",
                        format!(
                            "\"{shown}\" cannot say what a record hangs below: that is one link to the same type, in no group \
                             and no list."
                        ),
                    );
                }
            }
        }
    }
    if let Some(name) = &definition.order {
        let shown = shorten(name, 60);
        if definition.parent.is_none() {
            say("order", "belongs to a type that names its parent field.".to_owned());
        } else if path::find(&definition.fields, name)
            .is_none_or(|leaf| leaf.repeated || leaf.field.kind == FieldKind::Link)
        {
            say(
                "order",
                format!("\"{shown}\" is not one value of this type; siblings are put in order by a number or a text."),
            );
        }
    }
    issues
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn place(order: Option<&str>) -> RecordType {
        let fields = json!([
            { "name": "name", "kind": "text" },
            { "name": "above", "kind": "link", "target": "place" },
            { "name": "many", "kind": "link", "target": "place", "repeated": true },
            { "name": "rank", "kind": "number" },
        ]);
        serde_json::from_value(
            json!({ "name": "place", "title": "name", "parent": "above", "order": order, "fields": fields }),
        )
        .unwrap()
    }

    fn sorted(definition: &RecordType, documents: &[Value]) -> Vec<String> {
        let tree = Tree::of(definition).unwrap();
        let mut keyed: Vec<(Vec<u8>, String)> = documents
            .iter()
            .map(|d| {
                (
                    tree.place(d.as_object().unwrap()),
                    d["name"].as_str().unwrap().to_owned(),
                )
            })
            .collect();
        keyed.sort();
        keyed.into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn siblings_stand_in_natural_order_or_in_their_own() {
        let documents = [
            json!({ "name": "Box 10", "rank": 2 }),
            json!({ "name": "Box 2", "rank": 10 }),
            json!({ "name": "ärmel" }),
            json!({ "name": "Zoo", "rank": -1.5 }),
        ];
        assert_eq!(sorted(&place(None), &documents), ["ärmel", "Box 2", "Box 10", "Zoo"]);
        assert_eq!(
            sorted(&place(Some("rank")), &documents),
            ["Zoo", "Box 10", "Box 2", "ärmel"]
        );
    }

    #[test]
    fn the_parent_is_one_link_to_the_same_type() {
        let mut definition = place(None);
        assert!(check(&definition).is_empty());
        for wrong in ["name", "many", "nothing"] {
            definition.parent = Some(wrong.to_owned());
            assert_eq!(check(&definition).len(), 1, "{wrong}");
        }
        definition.parent = None;
        definition.order = Some("rank".to_owned());
        assert_eq!(check(&definition)[0].path, "order");
    }
}
