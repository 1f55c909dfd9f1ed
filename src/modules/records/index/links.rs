//! What links bring into the index: what a record is inside of, and the words of what it leads to.

use serde_json::{Map, Value as Json};

use crate::contract::records::FieldKind;
use crate::kernel::search::{IndexedField, Inside, Value};
use crate::modules::records::model::path::{self, Leaf};
use crate::modules::records::service::trees::{Above, Shown};

/// Everything that a record is inside of through its links, at the level of the field that says so.
pub fn inside(own: &str, leaves: &[Leaf<'_>], document: &Map<String, Json>, above: &Above) -> Vec<Inside> {
    let mut found: Vec<Inside> = Vec::new();
    for (leaf, target) in links(leaves, document) {
        // What leads to itself, as an accepted name does, is not inside of itself.
        for (id, through) in above.of(&target).into_iter().filter(|(id, _)| id != own) {
            let one = Inside {
                level: leaf.level,
                through,
                id,
            };
            if !found.contains(&one) {
                found.push(one);
            }
        }
    }
    found
}

/// What the links lead to, as words of their field.
pub fn words(leaves: &[Leaf<'_>], document: &Map<String, Json>, shown: &Shown) -> Vec<IndexedField> {
    let mut found = Vec::new();
    for (leaf, target) in links(leaves, document) {
        if let Some(title) = shown.get(&target) {
            found.push(IndexedField {
                name: leaf.path.clone(),
                level: leaf.level,
                column: false,
                searchable: true,
                tongue: None,
                values: vec![Value::Shown(title.clone())],
            });
        }
    }
    found
}

fn links<'a>(leaves: &'a [Leaf<'a>], document: &'a Map<String, Json>) -> impl Iterator<Item = (&'a Leaf<'a>, String)> {
    let linking = leaves.iter().filter(|leaf| leaf.field.kind == FieldKind::Link);
    linking.flat_map(|leaf| {
        let values = path::values(document, &leaf.steps).into_iter().filter_map(path::text);
        values.map(move |id| (leaf, id)).collect::<Vec<_>>()
    })
}
