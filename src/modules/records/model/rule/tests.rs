//! What actions make of documents, and which are refused beforehand.

use serde_json::{Map, Value, json};

use super::{Action, Rule};
use crate::contract::records::RecordType;
use crate::kernel::error::Error;

fn pot() -> RecordType {
    let text = json!({"name": "pot", "title": "title", "fields": [
        {"name": "title", "kind": "text", "required": true},
        {"name": "number", "kind": "identifier", "unique": true},
        {"name": "keywords", "kind": "term", "repeated": true},
        {"name": "colour", "kind": "term", "values": ["red", "blue"]},
        {"name": "height", "kind": "integer", "max": 900},
        {"name": "found", "kind": "group", "fields": [{"name": "place", "kind": "text"}, {"name": "day", "kind": "date"}]},
        {"name": "maker", "kind": "group", "repeated": true, "fields": [{"name": "name", "kind": "text"}]}
    ]});
    serde_json::from_value(text).unwrap()
}

fn map(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else {
        panic!("{value} is no object");
    };
    map
}

fn rule(action: Value) -> Result<Rule, Error> {
    let action: Action = serde_json::from_value(action).unwrap();
    Rule::of(&pot(), &action)
}

#[track_caller]
fn makes(action: Value, before: Value, after: Value) {
    let Rule::Change(change) = rule(action).unwrap() else {
        panic!("no change")
    };
    let got = change.apply(&map(before)).unwrap();
    assert_eq!(got.map(Value::Object), after.is_object().then_some(after));
}

#[track_caller]
fn refused(action: Value, path: &str, says: &str) {
    let error = rule(action).unwrap_err();
    assert_eq!(error.fields()[0].path, path, "{error}");
    assert!(error.detail().contains(says), "{error}");
}

#[test]
fn values_are_set_cleared_added_and_taken_out() {
    let set = |field: &str, value: Value| json!({"do": "set", "field": field, "value": value});
    makes(
        set("height", json!("12")),
        json!({"title": "a"}),
        json!({"title": "a", "height": 12}),
    );
    makes(set("height", json!(12)), json!({"height": 12}), Value::Null);
    makes(
        set("keywords", json!("x")),
        json!({"keywords": ["a", "b"]}),
        json!({"keywords": ["x"]}),
    );
    // A group that is missing is made, one in a list is not.
    makes(
        set("found.place", json!("Bern")),
        json!({}),
        json!({"found": {"place": "Bern"}}),
    );
    makes(
        set("maker.name", json!("Ann")),
        json!({"maker": [{"name": "A"}, {}]}),
        json!({"maker": [{"name": "Ann"}, {"name": "Ann"}]}),
    );
    makes(set("maker.name", json!("Ann")), json!({}), Value::Null);
    makes(
        json!({"do": "clear", "field": "colour"}),
        json!({"title": "a", "colour": "red"}),
        json!({"title": "a"}),
    );
    makes(
        json!({"do": "clear", "field": "colour"}),
        json!({"title": "a"}),
        Value::Null,
    );
    let add = json!({"do": "add", "field": "keywords", "value": "x"});
    makes(add.clone(), json!({}), json!({"keywords": ["x"]}));
    makes(add.clone(), json!({"keywords": ["a"]}), json!({"keywords": ["a", "x"]}));
    makes(add, json!({"keywords": ["x", "a"]}), Value::Null);
    let remove = json!({"do": "remove", "field": "keywords", "value": "x"});
    makes(
        remove.clone(),
        json!({"keywords": ["x", "a"]}),
        json!({"keywords": ["a"]}),
    );
    makes(remove.clone(), json!({"keywords": ["x"]}), json!({}));
    makes(remove, json!({"keywords": ["a"]}), Value::Null);
}

#[test]
fn found_texts_are_replaced() {
    let plain = json!({"do": "replace", "field": "title", "find": "a.b", "with": "$1"});
    makes(plain, json!({"title": "a.b axb a.b"}), json!({"title": "$1 axb $1"}));
    let groups = json!({"do": "replace", "field": "maker.name", "find": "^(\\w+), (?<first>\\w+)$", "with": "${first} $1", "regex": true});
    makes(
        groups,
        json!({"maker": [{"name": "Meier, Ann"}, {"name": "Ben"}]}),
        json!({"maker": [{"name": "Ann Meier"}, {"name": "Ben"}]}),
    );
    let folded = json!({"do": "replace", "field": "keywords", "find": "ÉTÉ", "with": "", "ignore_case": true});
    makes(
        folded,
        json!({"keywords": ["été", "hiver"]}),
        json!({"keywords": ["hiver"]}),
    );
    // What becomes the same as another value of a list stands there once; what stood twice is left alone.
    let merge =
        |field: &str| json!({"do": "replace", "field": field, "find": "^earth$", "with": "clay", "regex": true});
    makes(
        merge("keywords"),
        json!({"keywords": ["earth", "clay", "glass", "glass"]}),
        json!({"keywords": ["clay", "glass", "glass"]}),
    );
    makes(
        merge("keywords"),
        json!({"keywords": ["earth", "earth"]}),
        json!({"keywords": ["clay"]}),
    );
    makes(
        merge("maker.name"),
        json!({"maker": [{"name": "clay"}, {"name": "earth"}, {"name": "glass"}]}),
        json!({"maker": [{"name": "clay"}, {"name": "glass"}]}),
    );
    let longer = json!({"do": "replace", "field": "keywords", "find": "x", "with": "xx"});
    makes(
        longer,
        json!({"keywords": ["x", "xx"]}),
        json!({"keywords": ["xx", "xxxx"]}),
    );
    // An expression that finds nothing everywhere makes a text longer, but never without end.
    let long = json!({"do": "replace", "field": "title", "find": "", "with": "x", "regex": true});
    refused(long, "action.find", "is empty");
    let between = json!({"do": "replace", "field": "title", "find": "x*", "with": "y".repeat(9_000), "regex": true});
    let Rule::Change(change) = rule(between).unwrap() else {
        panic!("no change")
    };
    let error = change.apply(&map(json!({"title": "ab".repeat(5_000)}))).unwrap_err();
    assert!(error.contains("longer"), "{error}");
}

#[test]
fn values_are_copied() {
    let copy = |field: &str, from: &str| json!({"do": "copy", "field": field, "from": from});
    makes(
        copy("found.place", "title"),
        json!({"title": "Bern"}),
        json!({"title": "Bern", "found": {"place": "Bern"}}),
    );
    makes(
        copy("keywords", "maker.name"),
        json!({"maker": [{"name": "A"}, {"name": "B"}]}),
        json!({"maker": [{"name": "A"}, {"name": "B"}], "keywords": ["A", "B"]}),
    );
    makes(
        copy("title", "height"),
        json!({"height": 3}),
        json!({"height": 3, "title": "3"}),
    );
    makes(copy("title", "colour"), json!({"title": "a"}), Value::Null);
    let Rule::Change(two) = rule(copy("title", "keywords")).unwrap() else {
        panic!("no change")
    };
    assert!(
        two.apply(&map(json!({"keywords": ["a", "b"]})))
            .unwrap_err()
            .contains("2 values")
    );
}

#[test]
fn what_cannot_be_is_refused_beforehand() {
    refused(
        json!({"do": "set", "field": "titel", "value": "x"}),
        "action.field",
        "Did you mean \"title\"?",
    );
    refused(
        json!({"do": "set", "field": "found", "value": "x"}),
        "action.field",
        "no field",
    );
    refused(
        json!({"do": "set", "field": "colour", "value": "rot"}),
        "action.value",
        "not a term",
    );
    refused(
        json!({"do": "set", "field": "height", "value": "tall"}),
        "action.value",
        "whole number",
    );
    refused(
        json!({"do": "set", "field": "height", "value": 1000}),
        "action.value",
        "at most 900",
    );
    refused(
        json!({"do": "set", "field": "title", "value": ""}),
        "action.value",
        "clear it",
    );
    refused(json!({"do": "clear", "field": "title"}), "action.field", "needed");
    refused(
        json!({"do": "add", "field": "title", "value": "x"}),
        "action.field",
        "one value only",
    );
    refused(
        json!({"do": "copy", "field": "title", "from": "title"}),
        "action.from",
        "itself",
    );
    let replace =
        |find: &str, with: &str| json!({"do": "replace", "field": "title", "find": find, "with": with, "regex": true});
    refused(replace("(", ""), "action.find", "no regular expression");
    refused(replace("((a{1000}){1000}){1000}", ""), "action.find", "grows too large");
    refused(replace(&"(".repeat(400), ""), "action.find", "no regular expression");
    refused(replace("(a)", "$2"), "action.with", "group \"2\"");
    refused(replace("(a)", "$1b"), "action.with", "group \"1b\"");
    assert!(rule(replace("(a)", "$$2 ${1}b")).is_ok());
    let height = json!({"do": "replace", "field": "height", "find": "1", "with": "2"});
    refused(height, "action.field", "holds no text");
    assert!(serde_json::from_value::<Action>(json!({"do": "explode"})).is_err());
    assert!(serde_json::from_value::<Action>(json!({"do": "clear", "field": "a", "other": 1})).is_err());
}
