//! Where a document says that something is, and how far that lies from where the same place is in other records. No I/O.

use serde_json::{Map, Value};

use super::path;
use super::warn::{below, number};
use crate::contract::records::{Field, FieldKind};
use crate::kernel::geo::Area;

/// Kilometres from the middle of the earth.
const RADIUS: f64 = 6_371.0;
/// Places of one document that are looked at.
const SPOTS: usize = 3;
/// Fields that name a place in words, in small letters and without anything else.
const NAMES: [&str; 10] = [
    "continent",
    "country",
    "countrycode",
    "stateprovince",
    "state",
    "province",
    "region",
    "county",
    "municipality",
    "island",
];

/// A latitude and a longitude of a document, and the places that are named beside them.
#[derive(Clone, Debug, PartialEq)]
pub struct Spot {
    /// The latitude, with positions.
    pub path: String,
    pub at: (f64, f64),
    pub named: Vec<Named>,
}

/// A place that is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The field, without positions.
    pub field: String,
    /// The id of a record, or the words.
    pub value: String,
    /// The type of the record; none for words.
    pub target: Option<String>,
}

/// The places of a document.
pub fn spots(fields: &[Field], document: &Map<String, Value>) -> Vec<Spot> {
    let mut found = Vec::new();
    gather(fields, document, ("", ""), &[], &mut found);
    found.truncate(SPOTS);
    found
}

/// `around`: the way to the object with positions and without, and what is named around it.
fn gather(
    fields: &[Field],
    document: &Map<String, Value>,
    around: (&str, &str),
    above: &[Named],
    found: &mut Vec<Spot>,
) {
    let (placed, plain) = around;
    let mut named = above.to_vec();
    for field in fields {
        let value = document.get(&field.name).and_then(path::text);
        let Some(value) = value.filter(|value| !value.trim().is_empty()) else {
            continue;
        };
        let target = field.target.clone().filter(|_| field.kind == FieldKind::Link);
        if target.is_some() || is_place(field) {
            named.push(Named {
                field: below(plain, &field.name),
                value,
                target,
            });
        }
    }
    for field in fields {
        if field.is_latitude() {
            let east = fields.iter().find(|east| field.is_pair(east));
            let latitude = number(document.get(&field.name));
            let longitude = east.and_then(|east| number(document.get(&east.name)));
            if let (Some(latitude), Some(longitude)) = (latitude, longitude)
                && (latitude, longitude) != (0.0, 0.0)
            {
                found.push(Spot {
                    path: below(placed, &field.name),
                    at: (latitude, longitude),
                    named: named.clone(),
                });
            }
        }
        if field.kind != FieldKind::Group {
            continue;
        }
        let (placed, plain) = (below(placed, &field.name), below(plain, &field.name));
        match document.get(&field.name) {
            Some(Value::Object(inner)) => gather(&field.fields, inner, (&placed, &plain), &named, found),
            Some(Value::Array(items)) => {
                for (at, inner) in items.iter().enumerate().take(SPOTS) {
                    let Some(inner) = inner.as_object() else { continue };
                    gather(&field.fields, inner, (&format!("{placed}.{at}"), &plain), &named, found);
                }
            }
            _ => {}
        }
    }
}

fn is_place(field: &Field) -> bool {
    if !matches!(field.kind, FieldKind::Term | FieldKind::Text) || field.repeated {
        return false;
    }
    let letters = field.name.chars().filter(|c| c.is_alphanumeric());
    let plain: String = letters.flat_map(char::to_lowercase).collect();
    NAMES.contains(&plain.as_str())
}

/// Kilometres between two places.
pub fn km(one: (f64, f64), other: (f64, f64)) -> f64 {
    let (north, south) = (one.0.to_radians(), other.0.to_radians());
    let (up, along) = ((south - north) / 2.0, (other.1 - one.1).to_radians() / 2.0);
    let part = up.sin().powi(2) + north.cos() * south.cos() * along.sin().powi(2);
    2.0 * RADIUS * part.sqrt().min(1.0).asin()
}

/// Kilometres from a place to the nearest edge of a box; nought inside of it.
pub fn km_to(area: &Area, at: (f64, f64)) -> f64 {
    if area.contains(at.0, at.1) {
        return 0.0;
    }
    let latitude = at.0.clamp(area.south, area.north);
    let beside = Area {
        south: -90.0,
        north: 90.0,
        ..*area
    };
    let longitudes = if beside.contains(0.0, at.1) {
        [at.1, at.1]
    } else {
        [area.west, area.east]
    };
    let ways = longitudes.map(|longitude| km(at, (latitude, longitude)));
    ways[0].min(ways[1])
}

/// Kilometres from one corner of a box to the other.
pub fn across(area: &Area) -> f64 {
    km((area.south, area.west), (area.north, area.east))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn places_stand_with_what_is_named_around_them() {
        let fields: Vec<Field> = serde_json::from_value(json!([
            { "name": "country", "kind": "term" },
            { "name": "find", "kind": "group", "repeated": true, "fields": [
                { "name": "place", "kind": "link", "target": "place" },
                { "name": "decimalLatitude", "kind": "number" }, { "name": "decimalLongitude", "kind": "number" }] },
        ]))
        .unwrap();
        let document = json!({ "country": "Sweden", "find": [{ "place": "x" }, { "place": "y", "decimalLatitude": 59.3, "decimalLongitude": 18.1 }] });
        let found = spots(&fields, document.as_object().unwrap());
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].path.as_str(), found[0].at),
            ("find.1.decimalLatitude", (59.3, 18.1))
        );
        let named: Vec<(&str, &str)> = found[0]
            .named
            .iter()
            .map(|one| (one.field.as_str(), one.value.as_str()))
            .collect();
        assert_eq!(named, [("country", "Sweden"), ("find.place", "y")]);
    }

    #[test]
    fn ways_are_measured_around_the_earth() {
        assert!((km((59.33, 18.07), (57.64, 18.30)) - 188.0).abs() < 2.0);
        let north = Area::new(55.0, 11.0, 69.0, 24.0).unwrap();
        assert!(km_to(&north, (60.0, 15.0)).abs() < 1e-9);
        assert!((km_to(&north, (50.0, 15.0)) - 556.0).abs() < 2.0);
        let pacific = Area::new(-20.0, 170.0, -10.0, -170.0).unwrap();
        assert!(km_to(&pacific, (-15.0, 179.0)).abs() < 1e-9);
        assert!(km_to(&pacific, (-15.0, -160.0)) < 1_100.0);
        assert!(across(&pacific) < 3_000.0);
    }
}
