//! Documents in forms, and two changes put together: rules without a database.

use serde_json::{Value, json};

use super::{map, vase};
use crate::modules::records::model::entry::{self, Taken};
use crate::modules::records::model::merge::{self, Side, States};
use crate::modules::records::model::validate::MAX_ITEMS_IN_FORM;

fn take(shown: Value, entered: Value) -> Taken {
    let fields = vase().fields;
    let mut entered = map(entered);
    entry::tidy(&fields, &mut entered);
    entry::take(&fields, &map(shown), &entered)
}

fn rich() -> Value {
    json!({
        "title": "Jar\r\nwith two lines", "height": 12.50, "parts": 3, "whole": false, "material": null, "made": "",
        "notes": ["a", "b\r\nc"], "serial": " 17 ", "old_field": { "x": [1] },
        "maker": [{ "name": "N", "birth_date": null, "salary": 5 }, { "name": "M" }],
        "place": { "city": "Athens", "grave": "" },
    })
}

#[test]
fn what_nobody_touched_stays_exactly_what_it_was() {
    let fields = vase().fields;
    let entered = Value::Object(entry::enter(&fields, &map(rich())));
    let taken = take(rich(), entered.clone());
    assert_eq!(taken.issues, []);
    assert_eq!(Value::Object(taken.document), rich());
    // A browser sends every control, also those without a value.
    let mut sent = entered;
    for name in ["number", "material", "made", "page", "twin", "donor"] {
        sent[name] = json!("");
    }
    sent["place"]["grave"] = json!("");
    sent["maker"][1] = json!({ "name": "M", "birth_date": "", "salary": "" });
    let taken = take(rich(), sent);
    assert_eq!((taken.issues, Value::Object(taken.document)), (vec![], rich()));
}

#[test]
fn texts_become_values_of_their_kind() {
    let taken = take(
        json!({ "title": "x", "parts": 3, "whole": true, "notes": ["a", "b"] }),
        json!({ "title": "  Jar ", "height": " 12.5 ", "parts": "1 887", "whole": "", "made": " 1900-05 ",
            "notes": ["", "b", " ", "c"], "twin": "http://localhost/records/0190c0de-0000-7000-8000-000000000001?x#y",
            "maker": [{ "name": "" }, { "name": "N", "birth_date": "1800" }], "place": { "city": " " } }),
    );
    assert_eq!(taken.issues, []);
    let want = json!({ "title": "  Jar ", "parts": 1887, "notes": ["b", "c"], "height": 12.5, "made": "1900-05",
        "twin": "0190c0de-0000-7000-8000-000000000001", "maker": [{ "name": "N", "birth_date": "1800" }] });
    assert_eq!(Value::Object(taken.document), want);
}

#[test]
fn a_decimal_comma_is_read_where_it_means_nothing_else() {
    for (written, want) in [("12,5", 12.5), ("-0,25", -0.25)] {
        let taken = take(json!({ "title": "x" }), json!({ "title": "x", "height": written }));
        assert_eq!(
            (taken.issues, &taken.document["height"]),
            (vec![], &json!(want)),
            "{written}"
        );
    }
    for odd in ["1,234", "1,2,3", "1.2,5", ",5", "5,"] {
        let taken = take(json!({ "title": "x" }), json!({ "title": "x", "height": odd }));
        assert_eq!(taken.issues.len(), 1, "{odd} could mean something else");
    }
}

#[test]
fn a_text_that_is_no_value_is_named_with_its_place() {
    let taken = take(
        json!({}),
        json!({ "height": "tall", "parts": "2.5", "maker": [{ "name": "" }, { "name": "N", "salary": "much" }] }),
    );
    let paths: Vec<&str> = taken.issues.iter().map(|i| i.path.as_str()).collect();
    assert_eq!(paths, ["height", "parts", "maker.0.salary"]);
    assert!(
        taken.issues[0].message.contains("\"tall\" is not a number"),
        "{:?}",
        taken.issues
    );
}

#[test]
fn a_list_is_emptied_and_a_place_taken_out() {
    let taken = take(
        json!({ "title": "x", "notes": ["a", "b", "c"] }),
        json!({ "title": "x", "notes": ["a", "c"] }),
    );
    assert_eq!(taken.document["notes"], json!(["a", "c"]));
    let taken = take(json!({ "title": "x", "notes": ["a"] }), json!({ "title": "x" }));
    assert_eq!(Value::Object(taken.document), json!({ "title": "x" }));
}

#[test]
fn what_a_form_cannot_show_stays() {
    let many: Vec<String> = (0..=MAX_ITEMS_IN_FORM).map(|n| n.to_string()).collect();
    let odd = json!({ "title": "x", "notes": many, "place": "not a group", "whole": ["a list"] });
    let fields = vase().fields;
    assert_eq!(entry::enter(&fields, &map(odd.clone())).len(), 1);
    let taken = take(odd.clone(), json!({ "title": "y" }));
    let mut want = odd;
    want["title"] = json!("y");
    assert_eq!(Value::Object(taken.document), want);
}

#[test]
fn without_scripts_lists_grow_by_a_button() {
    let fields = vase().fields;
    let mut entered = map(json!({ "notes": ["a"], "maker": [{ "name": "N" }] }));
    entry::widen(&fields, &mut entered);
    assert_eq!(
        Value::Object(entered),
        json!({ "notes": ["a", ""], "maker": [{ "name": "N" }, {}] })
    );
}

#[test]
fn two_changes_are_put_together_field_by_field() {
    let fields = vase().fields;
    let base = map(json!({ "title": "Jar", "height": 1.0, "place": { "city": "A" }, "notes": ["a"], "made": "1900" }));
    let mine = map(json!({ "title": "Mine", "height": 2.0, "place": { "city": "A", "grave": "G" }, "notes": ["a"] }));
    let theirs = map(
        json!({ "title": "Theirs", "height": 1.0, "place": { "city": "B" }, "notes": ["a", "b"], "made": "1900",
        "donor": "" }),
    );
    let states = States {
        base: &base,
        mine: &mine,
        theirs: &theirs,
    };
    let units = merge::units(&fields, states);
    let told: Vec<(String, Option<Side>)> = units.iter().map(|u| (u.path(), u.only)).collect();
    let want = [
        ("title", None),
        ("height", Some(Side::Mine)),
        ("made", Some(Side::Mine)),
        ("notes", Some(Side::Theirs)),
        ("place.city", Some(Side::Theirs)),
        ("place.grave", Some(Side::Mine)),
    ];
    assert_eq!(told, want.map(|(path, only)| (path.to_owned(), only)));
    let chosen = units.iter().map(|unit| (unit, unit.only.unwrap_or(Side::Base)));
    let merged = merge::merged(&theirs, chosen);
    let want = json!({ "title": "Jar", "height": 2.0, "place": { "city": "B", "grave": "G" }, "notes": ["a", "b"], "donor": "" });
    assert_eq!(Value::Object(merged), want);
}
