//! Types whose records hang below each other: which field says below what, and what decides the place among siblings. No
//! I/O: that nothing hangs below itself is the service's business.

use serde_json::{Map, Value};

use super::path::{self, Leaf};
use super::{shape, shorten};
use crate::contract::records::{FieldKind, Ranks, RecordType};
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

/// The ranks of a type whose records have some.
pub struct Order<'a> {
    ranks: &'a Ranks,
    leaf: Leaf<'a>,
}

/// The rank of a record, and how far down it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rank {
    pub place: usize,
    pub called: String,
}

impl<'a> Order<'a> {
    /// `None` for a type that has no order of ranks.
    pub fn of(definition: &'a RecordType) -> Option<Self> {
        let ranks = definition.ranks.as_ref()?;
        let leaf = path::find(&definition.fields, &ranks.field)?;
        Some(Self { ranks, leaf })
    }

    /// The path of the field that says the rank.
    pub fn field(&self) -> &str {
        &self.leaf.path
    }

    /// `None` where none is said, or one that is not compared.
    pub fn rank(&self, document: &Map<String, Value>) -> Option<Rank> {
        let called = path::values(document, &self.leaf.steps)
            .into_iter()
            .find_map(path::text)?;
        let place = self.ranks.place(&called)?;
        Some(Rank { place, called })
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
    if let Some(ranks) = &definition.ranks {
        for (path, message) in odd(definition, ranks) {
            say(path, message);
        }
    }
    issues
}

/// Ranks of an order.
const MOST_RANKS: usize = 200;

/// What is wrong with an order of ranks.
fn odd(definition: &RecordType, ranks: &Ranks) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    if definition.parent.is_none() {
        found.push(("ranks", "belong to a type that names its parent field.".to_owned()));
    }
    let leaf = path::find(&definition.fields, &ranks.field);
    let fits = leaf.is_some_and(|leaf| !leaf.repeated && matches!(leaf.field.kind, FieldKind::Term | FieldKind::Text));
    if !fits {
        let shown = shorten(&ranks.field, 60);
        found.push((
            "ranks.field",
            format!("\"{shown}\" is not one term or text of this type, so it cannot say a rank."),
        ));
    }
    let plain = |rank: &String| !rank.trim().is_empty() && rank.len() <= 500 && !rank.chars().any(char::is_control);
    let twice = ranks
        .order
        .iter()
        .enumerate()
        .any(|(at, rank)| ranks.place(rank) != Some(at));
    if ranks.order.len() < 2 || ranks.order.len() > MOST_RANKS || !ranks.order.iter().all(plain) || twice {
        found.push((
            "ranks.order",
            format!("names 2 to {MOST_RANKS} ranks from the top down, each once."),
        ));
    }
    found
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
    fn ranks_have_an_order() {
        let mut definition = place(None);
        let ranks = |field: &str, order: &[&str]| {
            let order = order.iter().map(|rank| (*rank).to_owned()).collect();
            Some(Ranks {
                field: field.to_owned(),
                order,
            })
        };
        definition.ranks = ranks("name", &["Country", "Town"]);
        assert_eq!(check(&definition), []);
        let order = Order::of(&definition).unwrap();
        let place = |name: &str| {
            order
                .rank(json!({ "name": name }).as_object().unwrap())
                .map(|rank| rank.place)
        };
        assert_eq!(
            [place("country"), place(" TOWN "), place("village"), place("")],
            [Some(0), Some(1), None, None]
        );
        for (wrong, path) in [
            (ranks("nothing", &["a", "b"]), "ranks.field"),
            (ranks("many", &["a", "b"]), "ranks.field"),
            (ranks("name", &["a"]), "ranks.order"),
            (ranks("name", &["a", "A"]), "ranks.order"),
            (ranks("name", &["a", " "]), "ranks.order"),
        ] {
            definition.ranks = wrong;
            assert_eq!(check(&definition)[0].path, path);
        }
        definition.parent = None;
        definition.ranks = ranks("name", &["a", "b"]);
        assert_eq!(check(&definition)[0].path, "ranks");
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
