//! What files become. Each rule has its smallest example; whole collections follow where they are at hand.

use serde_json::{Map, Value, json};

use super::infer;
use crate::contract::records::{Field, FieldKind, RecordType};
use crate::modules::records::model::{definition, validate};

fn of(rows: &[Value], key: Option<&str>, cells: bool) -> RecordType {
    let mut inference = infer("thing", key, cells);
    for row in rows {
        inference.observe(row.as_object().unwrap());
    }
    let inferred = inference.finish();
    assert_eq!(
        definition::check(&inferred),
        vec![],
        "an inferred type is always a sound one"
    );
    inferred
}

fn field<'a>(inferred: &'a RecordType, name: &str) -> &'a Field {
    inferred.fields.iter().find(|f| f.name == name).unwrap()
}

#[track_caller]
fn column(cells: &[&str], want: FieldKind) {
    let rows: Vec<Value> = cells.iter().map(|c| json!({ "size": c })).collect();
    assert_eq!(field(&of(&rows, None, true), "size").kind, want, "{cells:?}");
}

#[test]
fn a_kind_prints_back_or_is_text() {
    column(&["1", "2", "-30"], FieldKind::Integer);
    column(&["1", "007"], FieldKind::Text);
    column(&["1", "+1"], FieldKind::Text);
    column(&["1", "1.5", "1.0", "-0.25"], FieldKind::Number);
    column(&["1.50"], FieldKind::Text);
    column(&["1e3"], FieldKind::Text);
    column(&["9223372036854775808", "1"], FieldKind::Text);
    column(&["0.1234567890123456789"], FieldKind::Text);
    column(&["true", "false"], FieldKind::Boolean);
    column(&["True", "False"], FieldKind::Text);
    column(&["1979", "1979-12", "1979-12-06"], FieldKind::Date);
    column(&["1979-13", "1979"], FieldKind::Text);
    column(&["-2995-01-25", "1200-12-24"], FieldKind::Date);
    column(&["http://a.example/1", "https://b.example/2"], FieldKind::Url);
    column(&["39.1", "NA"], FieldKind::Text);
    column(&["NaN", "inf"], FieldKind::Text);
}

#[test]
fn a_vocabulary_is_few_values_among_many() {
    let rows: Vec<Value> = (0..60)
        .map(|n| json!({ "kind": (["bowl", "vase", "chair"][n % 3]), "note": format!("note {n} of a bowl") }))
        .collect();
    let inferred = of(&rows, None, true);
    assert_eq!(
        (field(&inferred, "kind").kind, field(&inferred, "kind").facet),
        (FieldKind::Term, true)
    );
    assert_eq!(
        (field(&inferred, "note").kind, field(&inferred, "note").facet),
        (FieldKind::Text, false)
    );
    assert_eq!(inferred.key, None, "sentences are no identifiers");
}

#[test]
fn identifiers_are_text_and_the_key_is_found_or_given() {
    let rows: Vec<Value> = (0..40)
        .map(|n| json!({ "ObjectID": n, "accession_number": format!("79.{n}"), "year": 1900 + n }))
        .collect();
    let inferred = of(&rows, None, false);
    assert_eq!(field(&inferred, "ObjectID").kind, FieldKind::Identifier);
    assert_eq!(inferred.key.as_deref(), Some("ObjectID"));
    assert!(field(&inferred, "ObjectID").unique && field(&inferred, "ObjectID").required);
    assert_eq!(field(&inferred, "year").kind, FieldKind::Integer);
    let given = of(&rows, Some("accession_number"), false);
    assert_eq!(given.key.as_deref(), Some("accession_number"));
    assert_eq!(field(&given, "accession_number").kind, FieldKind::Identifier);
    let mut twice = rows;
    twice.push(json!({ "ObjectID": 3, "accession_number": "79.900" }));
    assert_eq!(
        of(&twice, None, false).key.as_deref(),
        Some("accession_number"),
        "a value that repeats is no key"
    );
}

#[test]
fn groups_lists_and_what_fields_cannot_hold() {
    let rows = [
        json!({ "maker": [{ "name": "A", "born": null }], "tags": ["x"], "mixed": 5, "deep": [[1]], "holes": [null, "a"], "none": null, "empty": [] }),
        json!({ "maker": [{ "name": "B", "born": "1850" }, { "name": "C" }], "tags": "y", "mixed": "five", "deep": [], "holes": [], "bag": {} }),
    ];
    let inferred = of(&rows, None, false);
    let maker = field(&inferred, "maker");
    assert_eq!(
        (maker.kind, maker.repeated, maker.fields.len()),
        (FieldKind::Group, true, 2)
    );
    assert!(
        field(&inferred, "tags").repeated,
        "one value and a list of them are a list"
    );
    for name in ["mixed", "deep", "holes", "none", "bag"] {
        assert_eq!(
            (field(&inferred, name).kind, field(&inferred, name).repeated),
            (FieldKind::Text, false),
            "{name}"
        );
    }
    assert_eq!(
        (field(&inferred, "empty").kind, field(&inferred, "empty").repeated),
        (FieldKind::Text, true)
    );
}

#[test]
fn a_map_of_thousands_is_data_and_not_fields() {
    let many: Map<String, Value> = (0..3_000).map(|n| (format!("image-{n}"), json!({ "w": n }))).collect();
    let inferred = of(
        &[
            json!({ "images": many, "title": "A" }),
            json!({ "images": { "1": {} }, "a.b": 1, "a": { "b": 2 } }),
        ],
        None,
        false,
    );
    assert_eq!(field(&inferred, "images").kind, FieldKind::Text);
    assert_eq!(
        field(&inferred, "a").kind,
        FieldKind::Text,
        "its path would be that of another field"
    );
}

#[test]
fn titles_and_columns_make_a_table() {
    let rows: Vec<Value> = (0..30)
        .map(|n| json!({ "id": format!("c:{n}"), "medium": format!("oil {n}"), "title": format!("View {n}"), "date": "c. 1880", "department": (["A", "B"][n % 2]) }))
        .collect();
    let inferred = of(&rows, Some("id"), false);
    assert_eq!(inferred.title.as_deref(), Some("title"));
    for name in ["title", "date", "department"] {
        assert!(field(&inferred, name).column, "{name}");
    }
}

/// Every document of a collection is what the type inferred from it says.
#[test]
fn a_carnegie_object_fits_its_type() {
    let object = |n: usize| {
        json!({
            "title": (!n.is_multiple_of(50)).then(|| format!("Teapot {n}")), "creation_date": "c. 1860", "creation_date_latest": "-0500-01-01",
            "accession_number": format!("79.66.{n}"), "id": format!("cmoa:things/{n}"), "department": (["Fine Arts", "Photography"][n % 2]),
            "item_width": n as f64 + 0.5, "item_depth": 0.0, "web_url": format!("http://collection.example/?item={n}"),
            "classification": (["Textiles", "containers", "prints"][n % 3]), "images": if n.is_multiple_of(7) { json!(null) } else { json!([]) },
            "creator": [{ "artist_id": format!("cmoa:parties/{}", n % 40), "nationality": (["Austrian", "French"][n % 2]), "role": null, "birth_date": "1840-01-01" }],
        })
    };
    let rows: Vec<Value> = (1..=200).map(object).collect();
    let inferred = of(&rows, Some("id"), false);
    for row in &rows {
        assert_eq!(validate::validate(&inferred, row.as_object().unwrap()), vec![]);
    }
    let creator = field(&inferred, "creator");
    let facets: Vec<&str> = inferred
        .fields
        .iter()
        .chain(&creator.fields)
        .filter(|f| f.facet)
        .map(|f| f.name.as_str())
        .collect();
    assert_eq!(facets, ["department", "classification", "nationality"]);
    assert_eq!(creator.fields[0].kind, FieldKind::Identifier);
    assert_eq!(field(&inferred, "creation_date_latest").kind, FieldKind::Date);
    assert_eq!(field(&inferred, "item_width").kind, FieldKind::Number);
    assert_eq!(field(&inferred, "web_url").kind, FieldKind::Url);
    assert_eq!(inferred.title.as_deref(), Some("title"));
}
