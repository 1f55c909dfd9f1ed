//! Values as people write them become what is stored: a date `c. 1850` becomes `1850~`, `3 in` what it is in the field's unit,
//! a place in any form degrees on WGS 84. Where a text field for the same thing verbatim stands beside it and is empty, what
//! was written is kept there. What cannot be read stays as it is and is refused where the document is checked.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

use crate::contract::records::{Field, FieldKind};
use crate::kernel::civil::{self, Civil};
use crate::kernel::coordinates;
use crate::kernel::search::Unit;

/// The document with every value in the form in which it is stored.
pub fn settled<'d>(fields: &[Field], document: &'d Map<String, Value>) -> Cow<'d, Map<String, Value>> {
    if !needs(fields, document) {
        return Cow::Borrowed(document);
    }
    let mut document = document.clone();
    settle(fields, &mut document);
    Cow::Owned(document)
}

/// Whether anything in it is written otherwise than it is stored.
fn needs(fields: &[Field], document: &Map<String, Value>) -> bool {
    fields.iter().any(|field| match document.get(&field.name) {
        None => false,
        Some(Value::Array(items)) => items.iter().any(|item| needs_one(field, item)),
        Some(value) => needs_one(field, value),
    })
}

fn needs_one(field: &Field, value: &Value) -> bool {
    match (field.kind, value) {
        (FieldKind::Group, Value::Object(map)) => needs(&field.fields, map),
        (_, Value::String(text)) if is_written(field, text) => {
            stored(field, text).is_some() || (field.is_latitude() && coordinates::both(text).is_ok())
        }
        _ => false,
    }
}

/// Whether a text of a field may mean something that is stored otherwise.
pub fn is_written(field: &Field, text: &str) -> bool {
    match field.kind {
        FieldKind::Date => !text.is_empty() && Civil::stored(text).is_err(),
        FieldKind::Integer | FieldKind::Number => {
            let read = field.unit.is_some() || field.is_latitude() || field.is_longitude();
            read && !text.is_empty() && text.parse::<f64>().is_err()
        }
        _ => false,
    }
}

/// What is stored of a text, where that is something else and can be said without what stands beside it.
pub fn stored(field: &Field, text: &str) -> Option<Value> {
    let number = |number: f64| {
        // A cast from a float stops at the type's ends.
        let whole = Some(number as i64).filter(|whole| *whole as f64 == number);
        match (field.kind, whole) {
            (_, Some(whole)) => Some(Value::Number(whole.into())),
            (FieldKind::Integer, None) => None,
            (_, None) => Number::from_f64(number).map(Value::Number),
        }
    };
    match field.kind {
        FieldKind::Date => civil::read(text).ok().map(Value::String),
        FieldKind::Integer | FieldKind::Number => match &field.unit {
            Some(unit) => number(measured(text, unit)?),
            None if field.is_latitude() => number(coordinates::latitude(text).ok()?),
            None if field.is_longitude() => number(coordinates::longitude(text).ok()?),
            None => None,
        },
        _ => None,
    }
}

/// A number with a unit in the unit of its field.
fn measured(text: &str, unit: &str) -> Option<f64> {
    let turned = Unit::find(unit).and_then(|unit| Unit::turn(text, unit));
    turned.or_else(|| {
        // A unit that is not known is the field's own, or none that can be turned.
        let number = text.trim().strip_suffix(unit.trim())?;
        number
            .trim_end()
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite())
    })
}

fn settle(fields: &[Field], document: &mut Map<String, Value>) {
    places(fields, document);
    let mut verbatim = Vec::new();
    for field in fields {
        match document.get_mut(&field.name) {
            Some(Value::Array(items)) => items.iter_mut().for_each(|item| {
                settle_one(field, item);
            }),
            Some(value) => verbatim.extend(settle_one(field, value).map(|written| (field, written))),
            None => {}
        }
    }
    for (field, written) in verbatim {
        let name = plain(&field.name);
        let short = name.strip_prefix("decimal").unwrap_or(&name);
        keep(fields, document, &[&name, short], Value::String(written));
    }
}

/// What stood there, if it was changed.
fn settle_one(field: &Field, value: &mut Value) -> Option<String> {
    match (field.kind, &mut *value) {
        (FieldKind::Group, Value::Object(map)) => {
            settle(&field.fields, map);
            None
        }
        (_, Value::String(text)) if is_written(field, text) => {
            let written = text.clone();
            *value = stored(field, &written)?;
            Some(written)
        }
        _ => None,
    }
}

/// Both numbers of a place that stand in the field of its latitude: `33V 674572 6580759`. What is on a grid of WGS 84 is left
/// as it is where the datum beside it is another one.
fn places(fields: &[Field], document: &mut Map<String, Value>) {
    for north in fields
        .iter()
        .filter(|field| field.kind == FieldKind::Number && field.is_latitude())
    {
        let east = fields.iter().find(|other| north.is_pair(other));
        let Some(east) = east.filter(|east| east.kind == FieldKind::Number) else {
            continue;
        };
        let text = document.get(&north.name).and_then(Value::as_str);
        let Some(text) = text.filter(|text| is_written(north, text)).map(str::to_owned) else {
            continue;
        };
        if !is_empty(document.get(&east.name)) || coordinates::latitude(&text).is_ok() {
            continue;
        }
        let Ok(place) = coordinates::both(&text) else { continue };
        if place.of_wgs84 && !datum(fields, document).is_none_or(coordinates::is_wgs84) {
            continue;
        }
        for (field, degrees) in [(north, place.latitude), (east, place.longitude)] {
            if let Some(number) = Number::from_f64(degrees) {
                document.insert(field.name.clone(), Value::Number(number));
            }
        }
        keep(fields, document, &["coordinates"], Value::String(text));
        let uncertain = |field: &&Field| {
            let name = plain(&field.name);
            AROUND.contains(&name.as_str()) && is_empty(document.get(&field.name)) && !field.repeated
        };
        if let (Some(around), Some(field)) = (place.around, fields.iter().find(uncertain)) {
            let number = match field.kind {
                FieldKind::Integer => Some(Number::from(around.ceil() as i64)),
                FieldKind::Number => Number::from_f64(around),
                _ => None,
            };
            if let Some(number) = number {
                document.insert(field.name.clone(), Value::Number(number));
            }
        }
    }
}

/// What the metres around a place are called.
const AROUND: [&str; 3] = [
    "coordinateuncertaintyinmeters",
    "coordinateuncertainty",
    "uncertaintyinmeters",
];

/// The datum that stands beside a place.
fn datum<'d>(fields: &[Field], document: &'d Map<String, Value>) -> Option<&'d str> {
    let named = |field: &&Field| ["geodeticdatum", "datum"].contains(&plain(&field.name).as_str());
    let field = fields.iter().find(named)?;
    document.get(&field.name).and_then(Value::as_str)
}

/// Puts what was written into the text field that has it verbatim, if there is one and it is empty: `verbatimEventDate` for
/// `eventDate`, `date_verbatim` for `date`.
fn keep(fields: &[Field], document: &mut Map<String, Value>, names: &[&str], written: Value) {
    let beside = fields.iter().find(|other| {
        let called = plain(&other.name);
        let about = called.strip_prefix(VERBATIM).or_else(|| called.strip_suffix(VERBATIM));
        about.is_some_and(|name| names.contains(&name)) && other.kind == FieldKind::Text && !other.repeated
    });
    if let Some(field) = beside.filter(|field| is_empty(document.get(&field.name))) {
        document.insert(field.name.clone(), written);
    }
}

const VERBATIM: &str = "verbatim";

fn is_empty(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(value) => value.as_str().is_some_and(|text| text.trim().is_empty()),
    }
}

/// Why a text in a number field of a place or a measure is none, as the end of a sentence that begins with it.
pub fn fault(field: &Field, text: &str) -> Option<String> {
    if text.parse::<f64>().is_ok() {
        return None;
    }
    if let Some(unit) = &field.unit {
        return Some(format!(
            "is not a number, nor one with a unit that can be turned into {unit}."
        ));
    }
    let (north, east) = (field.is_latitude(), field.is_longitude());
    if !north && !east {
        return None;
    }
    Some(match coordinates::both(text) {
        Ok(place) if place.of_wgs84 && north => {
            "is given on a grid of WGS 84, and the datum beside says otherwise; or the longitude is filled in already."
                .to_owned()
        }
        Ok(_) => "has both numbers of a place: write it into the latitude and leave the longitude empty.".to_owned(),
        Err(fault) if fault != coordinates::Fault::None => fault.to_string(),
        Err(_) if north => coordinates::latitude(text).err()?.to_string(),
        Err(_) => coordinates::longitude(text).err()?.to_string(),
    })
}

/// A name without signs and capitals.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields() -> Vec<Field> {
        let fields = json!([
            { "name": "eventDate", "kind": "date" },
            { "name": "verbatimEventDate", "kind": "text" },
            { "name": "made", "kind": "date", "repeated": true },
            { "name": "maker", "kind": "group", "repeated": true, "fields": [
                { "name": "born", "kind": "date" },
                { "name": "born_verbatim", "kind": "text" },
            ] },
            { "name": "title", "kind": "text" },
            { "name": "mass", "kind": "number", "unit": "g" },
            { "name": "mass_verbatim", "kind": "text" },
            { "name": "pages", "kind": "integer", "unit": "pages" },
            { "name": "decimalLatitude", "kind": "number" },
            { "name": "decimalLongitude", "kind": "number" },
            { "name": "geodeticDatum", "kind": "text" },
            { "name": "coordinateUncertaintyInMeters", "kind": "integer" },
            { "name": "verbatimCoordinates", "kind": "text" },
            { "name": "verbatimLatitude", "kind": "text" },
        ]);
        serde_json::from_value(fields).unwrap()
    }

    #[track_caller]
    fn check(document: &Value, want: &Value) {
        let fields = fields();
        let document = document.as_object().unwrap();
        let made = settled(&fields, document).into_owned();
        assert_eq!(Value::Object(made.clone()), *want);
        assert!(
            matches!(settled(&fields, &made), Cow::Borrowed(_)),
            "it is settled once"
        );
    }

    #[test]
    fn dates_are_stored_in_one_form_with_what_was_written_beside() {
        check(
            &json!({ "eventDate": "c. 1850", "title": "c. 1850" }),
            &json!({ "eventDate": "1850~", "title": "c. 1850", "verbatimEventDate": "c. 1850" }),
        );
        check(
            &json!({ "eventDate": "Dec 1979", "verbatimEventDate": "in winter" }),
            &json!({ "eventDate": "1979-12", "verbatimEventDate": "in winter" }),
        );
        check(
            &json!({ "made": ["1890s", "1979", "blue"], "maker": [{ "born": "before 1900" }, { "born": "1900" }] }),
            &json!({ "made": ["189X", "1979", "blue"],
                "maker": [{ "born": "../1900", "born_verbatim": "before 1900" }, { "born": "1900" }] }),
        );
        for same in [
            json!({}),
            json!({ "eventDate": "31 February 1900" }),
            json!({ "eventDate": "" }),
            json!({ "eventDate": 7, "maker": "x", "made": null }),
            json!({ "eventDate": "1979-12-06T04:57Z" }),
        ] {
            check(&same, &same);
        }
    }
    #[test]
    fn measures_are_stored_in_the_unit_of_their_field() {
        check(
            &json!({ "mass": "2 kg", "pages": "12 pages" }),
            &json!({ "mass": 2000, "pages": 12, "mass_verbatim": "2 kg" }),
        );
        for same in [
            json!({ "mass": 7.5 }),
            json!({ "mass": "2 m" }),
            json!({ "mass": "heavy" }),
            json!({ "pages": "1.5 pages" }),
            json!({ "mass": "12" }),
        ] {
            let fields = fields();
            let document = same.as_object().unwrap();
            assert_eq!(Value::Object(settled(&fields, document).into_owned()), same);
        }
    }

    #[test]
    fn places_are_stored_as_degrees() {
        check(
            &json!({ "decimalLatitude": "59\u{b0}30'N", "decimalLongitude": "18\u{b0}15' W" }),
            &json!({ "decimalLatitude": 59.5, "decimalLongitude": -18.25, "verbatimLatitude": "59\u{b0}30'N" }),
        );
        check(
            &json!({ "decimalLatitude": "59.5 18.25 \u{b1} 100 m", "decimalLongitude": "" }),
            &json!({ "decimalLatitude": 59.5, "decimalLongitude": 18.25,
                "coordinateUncertaintyInMeters": 100, "verbatimCoordinates": "59.5 18.25 \u{b1} 100 m" }),
        );
        let fields = fields();
        let other = json!({ "decimalLatitude": "33V 674572 6580759", "geodeticDatum": "NAD27" });
        let kept = settled(&fields, other.as_object().unwrap()).into_owned();
        assert_eq!(Value::Object(kept), other, "another datum is not WGS 84");
        let same = json!({ "decimalLatitude": "33V 674572 6580759", "geodeticDatum": "EPSG:4326" });
        let made = settled(&fields, same.as_object().unwrap()).into_owned();
        let latitude = made["decimalLatitude"].as_f64().unwrap();
        assert!((latitude - 59.329_44).abs() < 1e-4, "{made:?}");
    }
}
