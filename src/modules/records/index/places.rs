//! Where records are on the earth: pairs of fields called latitude and longitude that stand in the same group.

use serde_json::{Map, Value as Json};

use crate::kernel::search::{IndexedField, Value};
use crate::modules::records::model::path::{self, Leaf};

/// The places of a document, at the level of the stricter of their two fields.
pub fn of(leaves: &[Leaf<'_>], document: &Map<String, Json>) -> Vec<IndexedField> {
    let mut found = Vec::new();
    for latitude in leaves.iter().filter(|leaf| leaf.field.is_latitude()) {
        let is_other = |leaf: &&Leaf<'_>| {
            latitude.field.is_pair(leaf.field)
                && leaf.steps.split_last().map(|(_, above)| above)
                    == latitude.steps.split_last().map(|(_, above)| above)
        };
        for longitude in leaves.iter().filter(is_other).take(1) {
            let (north, east) = (numbers(document, latitude), numbers(document, longitude));
            if north.len() != east.len() {
                continue;
            }
            let fits = |(latitude, longitude): &(f64, f64)| latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
            let places = north.into_iter().zip(east).filter(fits);
            let values: Vec<Value> = places
                .map(|(latitude, longitude)| Value::Place { latitude, longitude })
                .collect();
            if !values.is_empty() {
                found.push(IndexedField {
                    name: latitude.path.clone(),
                    level: latitude.level.max(longitude.level),
                    column: false,
                    searchable: false,
                    tongue: None,
                    values,
                });
            }
        }
    }
    found
}

fn numbers(document: &Map<String, Json>, leaf: &Leaf<'_>) -> Vec<f64> {
    let values = path::values(document, &leaf.steps);
    let number = |value: &Json| match value {
        Json::String(text) => text.trim().parse().ok(),
        value => value.as_f64(),
    };
    values
        .into_iter()
        .filter_map(number)
        .filter(|n: &f64| n.is_finite())
        .collect()
}
