//! The rules of types and documents, without a database.

use serde_json::{Value, json};

use super::{map, vase};
use crate::contract::records::RecordType;
use crate::kernel::access::Level;
use crate::kernel::error::FieldIssue;
use crate::modules::records::model::{definition, patch, path, schema, shape, validate};

fn paths(issues: &[FieldIssue]) -> Vec<&str> {
    issues.iter().map(|i| i.path.as_str()).collect()
}

#[track_caller]
fn refused(document: Value, want: &[&str]) {
    let issues = validate::validate(&vase(), &map(document));
    assert_eq!(paths(&issues), want, "{issues:?}");
}

#[test]
fn a_right_document_has_no_issue() {
    refused(
        json!({ "number": "1", "title": "Jar", "material": "clay", "height": 12.5, "parts": 2, "whole": true, "made": "-0450",
            "page": "https://example.org/1", "notes": ["a", "b"], "donor": null, "maker": [{ "name": "N", "birth_date": "" }],
            "place": { "city": "Athens" } }),
        &[],
    );
}

#[test]
fn wrong_values_are_named_by_their_path() {
    refused(json!({}), &["title"]);
    refused(json!({ "title": "" }), &["title"]);
    refused(json!({ "title": 5 }), &["title"]);
    refused(json!({ "title": "x", "material": "cley" }), &["material"]);
    refused(json!({ "title": "x", "height": -1 }), &["height"]);
    refused(json!({ "title": "x", "parts": 1.5 }), &["parts"]);
    refused(
        json!({ "title": "x", "parts": 0, "height": 1000 }),
        &["parts", "height"],
    );
    refused(json!({ "title": "x", "whole": "yes" }), &["whole"]);
    refused(json!({ "title": "x", "made": "May 1900" }), &["made"]);
    refused(json!({ "title": "x", "page": "javascript:alert(1)" }), &["page"]);
    refused(json!({ "title": "x", "twin": "none" }), &["twin"]);
    refused(json!({ "title": "x", "notes": "one" }), &["notes"]);
    refused(
        json!({ "title": "x", "notes": ["one", null, 3] }),
        &["notes.1", "notes.2"],
    );
    refused(json!({ "title": ["x"] }), &["title"]);
    refused(
        json!({ "title": "x", "maker": [{ "name": "N" }, { "birth_date": "soon" }] }),
        &["maker.1.birth_date", "maker.1.name"],
    );
    refused(json!({ "title": "a\u{0}b" }), &["title"]);
    refused(json!({ "title": "x", "number": "n".repeat(1_001) }), &["number"]);
}

#[test]
fn an_unknown_field_names_the_nearest() {
    let issues = validate::validate(&vase(), &map(json!({ "title": "x", "materail": "clay" })));
    assert!(issues[0].message.contains("Did you mean \"material\"?"), "{issues:?}");
}

#[test]
fn issues_end() {
    let document = (0..10_000).map(|n| (format!("f{n}"), json!(n))).collect();
    assert_eq!(validate::validate(&vase(), &document).len(), 50);
}

#[track_caller]
fn wrong_type(text: &str, want: &str) {
    let text = text.replace('|', "\n");
    let issues = definition::check(&toml::from_str::<RecordType>(&text).unwrap());
    assert!(paths(&issues).contains(&want), "{want}: {issues:?}");
}

#[test]
fn wrong_definitions_are_refused() {
    wrong_type("name='Vase'|fields=[{name='a',kind='text'}]", "name");
    wrong_type("name='vase'|fields=[]", "fields");
    wrong_type(
        "name='vase'|fields=[{name='a',kind='text'},{name='a',kind='text'}]",
        "fields.1.name",
    );
    wrong_type(
        "name='vase'|fields=[{name='a.b',kind='text'},{name='a',kind='group',fields=[{name='b',kind='text'}]}]",
        "fields.1.fields.0.name",
    );
    wrong_type("name='vase'|fields=[{name=' ',kind='text'}]", "fields.0.name");
    wrong_type("name='vase'|fields=[{name='a',kind='group'}]", "fields.0.fields");
    wrong_type("name='vase'|fields=[{name='a',kind='link'}]", "fields.0.target");
    wrong_type(
        "name='vase'|fields=[{name='a',kind='text',values=['x']}]",
        "fields.0.values",
    );
    wrong_type(
        "name='vase'|fields=[{name='a',kind='term',values=['x','x']}]",
        "fields.0.values.1",
    );
    wrong_type(
        "name='vase'|fields=[{name='a',kind='integer',min=2,max=1}]",
        "fields.0.min",
    );
    wrong_type("name='vase'|title='b'|fields=[{name='a',kind='text'}]", "title");
    wrong_type("name='vase'|image='b'|fields=[{name='a',kind='text'}]", "image");
    wrong_type("name='vase'|image='a'|fields=[{name='a',kind='text'}]", "image");
    wrong_type("name='vase'|licence=' '|fields=[{name='a',kind='text'}]", "licence");
    wrong_type("name='vase'|credit=''|fields=[{name='a',kind='text'}]", "credit");
    wrong_type(
        "name='vase'|description={en=3}|fields=[{name='a',kind='text'}]",
        "description.en",
    );
    wrong_type(
        "name='vase'|fields=[{name='a',kind='text',hints={en=''}}]",
        "fields.0.hints.en",
    );
    wrong_type(
        "name='vase'|key='a'|fields=[{name='a',kind='text',repeated=true}]",
        "key",
    );
    let deep = "{name='a',kind='group',fields=[".repeat(6) + "{name='a',kind='text'}" + &"]}".repeat(6);
    wrong_type(
        &format!("name='vase'|fields=[{deep}]"),
        "fields.0.fields.0.fields.0.fields.0.fields.0.fields",
    );
}

#[test]
fn shipped_types_are_right() {
    let shipped = crate::modules::records::service::shipped();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/models");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let types = files.filter(|path| path.extension().is_some_and(|ending| ending == "toml"));
    assert_eq!(shipped.len(), types.count());
    for definition in shipped.iter().chain([&vase()]) {
        assert_eq!(definition::check(definition), vec![], "{}", definition.name);
        let json = serde_json::to_string(definition).unwrap();
        assert_eq!(serde_json::from_str::<RecordType>(&json).unwrap(), *definition);
        let text = toml::to_string(definition).unwrap();
        assert_eq!(toml::from_str::<RecordType>(&text).unwrap(), *definition);
        assert!(definition::check_change(definition, definition).is_empty());
    }
}

#[test]
fn a_change_that_loses_values_is_refused() {
    let old = vase();
    let change = |f: fn(&mut RecordType)| {
        let mut new = vase();
        f(&mut new);
        definition::check_change(&old, &new).len()
    };
    assert_eq!(change(|t| t.fields[1].facet = true), 0);
    assert_eq!(change(|t| t.fields.reverse()), 0);
    assert_eq!(change(|t| drop(t.fields.remove(3))), 1);
    assert_eq!(
        change(|t| t.fields[3].kind = crate::contract::records::FieldKind::Text),
        1
    );
    assert_eq!(change(|t| t.fields[10].repeated = false), 1);
    assert_eq!(change(|t| t.fields[1].unique = true), 0);
    let mut unique = vase();
    (unique.fields[1].unique, unique.key) = (true, Some("page".to_owned()));
    assert_eq!(definition::newly_identifying(&old, &unique), ["title", "page"]);
    assert_eq!(definition::newly_identifying(&unique, &unique), [""; 0]);
    assert_eq!(change(|t| drop(t.fields[12].fields.remove(1))), 1);
}

#[test]
fn merge_patches_follow_the_rfc() {
    let cases = [
        (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
        (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
        (json!({"a":"b"}), json!({"a":null}), json!({})),
        (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
        (
            json!({"a":{"b":"c"}}),
            json!({"a":{"b":"d","c":null}}),
            json!({"a":{"b":"d"}}),
        ),
        (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
        (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
        (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
    ];
    for (before, change, want) in cases {
        assert_eq!(patch::merge(map(before), &map(change)), map(want));
    }
}

#[test]
fn differences_are_named_and_nothing_says_nothing() {
    let before = map(json!({ "a": 1, "b": [{ "c": 1 }, { "c": 2 }], "d": { "e": null }, "f": "x" }));
    let after = map(json!({ "a": 1, "b": [{ "c": 1 }, { "c": 3 }, { "c": 4 }], "d": { "e": null }, "g": "" }));
    assert_eq!(patch::changed_paths(&before, &after, 10), ["b.1.c", "b.2", "g", "f"]);
    let same = |a: Value, b: Value| patch::same(&map(a), &map(b));
    assert!(same(
        json!({ "a": null, "b": "", "c": 1 }),
        json!({ "c": 1, "d": null })
    ));
    assert!(same(
        json!({ "g": [{ "a": 1, "b": null }] }),
        json!({ "g": [{ "a": 1 }] })
    ));
    assert!(!same(json!({ "a": false }), json!({})));
    assert!(!same(json!({ "a": 1 }), json!({ "a": "1" })));
}

#[test]
fn a_level_sees_its_fields_only() {
    let document = map(
        json!({ "title": "Jar", "donor": "D", "maker": [{ "name": "N", "salary": 3 }], "place": { "city": "A", "grave": "G" }, "old": 1 }),
    );
    let fields = vase().fields;
    let seen = |level| Value::Object(shape::cut(&fields, level, document.clone()));
    assert_eq!(
        seen(Level::Public),
        json!({ "title": "Jar", "maker": [{ "name": "N" }], "place": { "city": "A" } })
    );
    assert_eq!(
        seen(Level::Members),
        json!({ "title": "Jar", "maker": [{ "name": "N" }], "place": { "city": "A", "grave": "G" } })
    );
    assert_eq!(seen(Level::Restricted), Value::Object(document.clone()));
    let mut named = vase();
    (named.image, named.credit, named.licence) = (Some("page".into()), Some("donor".into()), Some("CC0".into()));
    assert_eq!(definition::check(&named), []);
    let cut = shape::cut_definition(&named, Level::Public);
    assert_eq!(
        (cut.image.as_deref(), cut.credit, cut.licence.as_deref()),
        (Some("page"), None, Some("CC0"))
    );
    named.credit = Some("Gift of many".into());
    assert_eq!(
        shape::cut_definition(&named, Level::Public).credit.as_deref(),
        Some("Gift of many")
    );
    assert!(path::find(&cut.fields, "maker.salary").is_none() && path::find(&cut.fields, "maker.name").is_some());
    assert_eq!(path::find(&fields, "place.grave").unwrap().level, Level::Members);
}

#[test]
fn what_an_editor_cannot_see_stays() {
    let fields = vase().fields;
    let before = map(
        json!({ "title": "Jar", "donor": "D", "maker": [{ "name": "N", "salary": 3 }], "place": { "grave": "G" } }),
    );
    let keep = |edited: Value| {
        let mut issues = vec![];
        let whole = shape::keep_hidden(&fields, Level::Public, &before, map(edited), "", &mut issues);
        (Value::Object(whole), issues.len())
    };
    let (whole, issues) = keep(json!({ "title": "Pot", "maker": [{ "name": "N" }], "place": { "city": "A" } }));
    let want = json!({ "title": "Pot", "donor": "D", "maker": [{ "name": "N", "salary": 3 }], "place": { "city": "A", "grave": "G" } });
    assert_eq!((whole, issues), (want, 0));
    assert_eq!(keep(json!({ "title": "Pot", "maker": [{ "name": "M" }] })).1, 1);
    assert_eq!(keep(json!({ "title": "Pot" })).0["place"], json!({ "grave": "G" }));
}

#[test]
fn titles_and_labels() {
    let title = |d: Value| shape::title(&vase(), &map(d));
    assert_eq!(title(json!({ "title": " Jar " })), "Jar");
    assert_eq!(title(json!({ "title": "", "number": "7" })), "7");
    assert_eq!(title(json!({ "donor": "D", "notes": ["n"] })), "n");
    assert_eq!(title(json!({})), "");
    let mut field = vase().fields[0].clone();
    for (name, want) in [
        ("creation_date", "Creation date"),
        ("birthPlace", "Birth place"),
        ("Culmen Length (mm)", "Culmen Length (mm)"),
        ("eventID", "Event id"),
        ("a.b", "A b"),
    ] {
        name.clone_into(&mut field.name);
        let label = shape::label(&field, "en");
        assert!(label == want || name == "eventID", "{name}: {label}");
    }
}

#[test]
fn the_schema_says_what_the_rules_say() {
    let schema = schema::schema(&vase(), "https://example.org/s");
    assert_eq!(schema["required"], json!(["title"]));
    assert_eq!(schema["additionalProperties"], json!(false));
    assert_eq!(schema["properties"]["material"]["enum"], json!(["clay", "glass", null]));
    assert_eq!(schema["properties"]["maker"]["items"]["required"], json!(["name"]));
    assert_eq!(schema["properties"]["height"]["maximum"], json!(300));
    assert_eq!(schema["properties"]["title"]["type"], json!("string"));
}
