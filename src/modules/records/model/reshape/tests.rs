//! What each change makes of a type and of documents; and that nothing is lost on the way.

use serde_json::{Value, json};

use super::*;

fn vases() -> RecordType {
    let vase = json!({ "name": "vase", "title": "name", "key": "number", "credit": "makers.name", "fields": [
        { "name": "number", "kind": "identifier", "unique": true, "required": true },
        { "name": "name", "kind": "text", "required": true, "section": { "en": "What it is" }, "column": true },
        { "name": "year", "kind": "text", "labels": { "en": "Year" } },
        { "name": "size", "kind": "text", "level": "members" },
        { "name": "note", "kind": "text" },
        { "name": "makers", "kind": "group", "repeated": true, "fields": [
            { "name": "name", "kind": "text", "facet": true },
            { "name": "role", "kind": "term" },
        ] },
    ] });
    serde_json::from_value(vase).unwrap()
}

fn plan(step: Value) -> Plan {
    Plan::of(&vases(), &serde_json::from_value(step).unwrap(), true).unwrap()
}

/// Moves the values, and once more, which changes nothing.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "a case reads better with its values in it")]
fn moves(plan: &Plan, before: Value, after: Value, aside: usize) {
    let moved = plan.apply(before.as_object().unwrap()).unwrap();
    let document = match moved {
        Some(moved) => {
            assert_eq!(moved.aside, aside);
            moved.document
        }
        None => before.as_object().unwrap().clone(),
    };
    assert_eq!(Value::Object(document.clone()), after);
    assert_eq!(plan.apply(&document), Ok(None), "once is enough");
    let issues = crate::modules::records::model::validate::validate(&plan.done, &document);
    assert_eq!(issues, [], "it fits the type after it");
}

#[track_caller]
fn refused(step: Value, at: &str) {
    let error = Plan::of(&vases(), &serde_json::from_value(step).unwrap(), true).unwrap_err();
    assert_eq!(
        error.fields().first().map(|issue| issue.path.as_str()),
        Some(at),
        "{error:?}"
    );
}

#[test]
fn a_field_is_renamed_with_what_names_it() {
    let number = plan(json!({ "do": "rename", "field": "number", "to": "accession" }));
    assert_eq!(number.done.key.as_deref(), Some("accession"));
    let old = number
        .interim
        .fields
        .iter()
        .find(|field| field.name == "number")
        .unwrap();
    assert!(old.unique && !old.required, "what it held still leads to its record");
    assert!(number.done.fields.iter().all(|field| field.name != "number"));
    assert!(number.done.fields[0].required && !number.interim.fields[0].required);
    moves(
        &number,
        json!({ "number": "1", "name": "Blue" }),
        json!({ "accession": "1", "name": "Blue" }),
        0,
    );
    let group = plan(json!({ "do": "rename", "field": "makers", "to": "hands" }));
    assert_eq!(group.done.credit.as_deref(), Some("hands.name"));
    let inner = plan(json!({ "do": "rename", "field": "makers.role", "to": "part" }));
    moves(
        &inner,
        json!({ "number": "1", "name": "A", "makers": [{ "name": "Ann", "role": "potter" }, { "name": "Bo" }] }),
        json!({ "number": "1", "name": "A", "makers": [{ "name": "Ann", "part": "potter" }, { "name": "Bo" }] }),
        0,
    );
    refused(json!({ "do": "rename", "field": "number", "to": "name" }), "to");
    refused(json!({ "do": "rename", "field": "numbr", "to": "x" }), "field");
    let both = json!({ "number": "1", "accession": "2", "name": "A" });
    assert!(
        number.apply(both.as_object().unwrap()).is_err(),
        "neither of two values is thrown away"
    );
}

#[test]
fn a_kind_changes_and_keeps_what_was_written() {
    let year = plan(json!({ "do": "kind", "field": "year", "kind": "integer" }));
    let rest = year
        .done
        .fields
        .iter()
        .find(|field| field.name == "year_as_written")
        .unwrap();
    assert_eq!(rest.labels["en"], "Year, as written");
    let base = |year: Value| json!({ "number": "1", "name": "A", "year": year });
    moves(&year, base(json!("1850")), base(json!(1850)), 0);
    let mut kept = base(json!(7));
    kept["year_as_written"] = json!("007");
    moves(&year, base(json!("007")), kept, 1);
    moves(
        &year,
        base(json!("long ago")),
        json!({ "number": "1", "name": "A", "year_as_written": "long ago" }),
        1,
    );
    let date = plan(json!({ "do": "kind", "field": "year", "kind": "date" }));
    let mut kept = base(json!("1850~"));
    kept["year_as_written"] = json!("c. 1850");
    moves(&date, base(json!("c. 1850")), kept, 1);
    let list = plan(json!({ "do": "kind", "field": "note", "kind": "term", "repeated": true }));
    moves(
        &list,
        json!({ "number": "1", "name": "A", "note": "blue" }),
        json!({ "number": "1", "name": "A", "note": ["blue"] }),
        0,
    );
    let step = serde_json::from_value(json!({ "do": "kind", "field": "year", "kind": "integer" })).unwrap();
    let bare = Plan::of(&vases(), &step, false).unwrap();
    assert!(bare.done.fields.iter().all(|field| field.name != "year_as_written"));
    assert!(bare.apply(base(json!("long ago")).as_object().unwrap()).is_err());
    refused(json!({ "do": "kind", "field": "year", "kind": "text" }), "kind");
    refused(json!({ "do": "kind", "field": "makers", "kind": "text" }), "kind");
    refused(json!({ "do": "kind", "field": "number", "kind": "boolean" }), "key");
}

#[test]
fn a_field_is_split_and_put_together() {
    let split = plan(json!({ "do": "split", "field": "name", "at": ",", "into": ["name", "form", "colour"] }));
    moves(
        &split,
        json!({ "number": "1", "name": "Vase, tall, blue, cracked" }),
        json!({ "number": "1", "name": "Vase", "form": "tall", "colour": "blue, cracked" }),
        0,
    );
    moves(
        &split,
        json!({ "number": "1", "name": "Bowl" }),
        json!({ "number": "1", "name": "Bowl" }),
        0,
    );
    let away = plan(json!({ "do": "split", "field": "size", "at": " x ", "into": ["height", "width"] }));
    assert!(away.done.fields.iter().all(|field| field.name != "size"));
    let height = away.done.fields.iter().find(|field| field.name == "height").unwrap();
    assert_eq!(
        height.level,
        crate::kernel::access::Level::Members,
        "nobody sees more than before"
    );
    moves(
        &away,
        json!({ "number": "1", "name": "A", "size": "12 x 7" }),
        json!({ "number": "1", "name": "A", "height": "12", "width": "7" }),
        0,
    );
    let text = plan(json!({ "do": "merge", "fields": ["name", "year"], "with": ", ", "into": "name" }));
    moves(
        &text,
        json!({ "number": "1", "name": "Vase", "year": "1850" }),
        json!({ "number": "1", "name": "Vase, 1850" }),
        0,
    );
    assert_eq!(text.done.title.as_deref(), Some("name"));
    let list = plan(json!({ "do": "merge", "fields": ["size", "note"], "into": "notes" }));
    moves(
        &list,
        json!({ "number": "1", "name": "A", "size": "12", "note": "cracked" }),
        json!({ "number": "1", "name": "A", "notes": ["12", "cracked"] }),
        0,
    );
    let notes = list.done.fields.iter().find(|field| field.name == "notes").unwrap();
    assert!(notes.repeated && notes.level == crate::kernel::access::Level::Members);
    refused(
        json!({ "do": "merge", "fields": ["size", "makers.name"], "into": "x" }),
        "fields",
    );
    refused(
        json!({ "do": "merge", "fields": ["size", "number"], "into": "x" }),
        "fields",
    );
    refused(
        json!({ "do": "split", "field": "size", "at": "", "into": ["a", "b"] }),
        "at",
    );
    refused(
        json!({ "do": "split", "field": "size", "at": "x", "into": ["a", "a"] }),
        "into",
    );
}

#[test]
fn a_field_goes_only_where_it_says_nothing() {
    let gone = plan(json!({ "do": "remove", "field": "note" }));
    moves(
        &gone,
        json!({ "number": "1", "name": "A", "note": "" }),
        json!({ "number": "1", "name": "A" }),
        0,
    );
    let held = json!({ "number": "1", "name": "A", "note": "x" });
    assert!(gone.apply(held.as_object().unwrap()).is_err());
    refused(json!({ "do": "remove", "field": "name" }), "title");
}
