//! The record's page and its machine forms from an invented record.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use scraper::{Html, Selector};
use serde_json::{Value, json};

use super::fields::Shown;
use super::forms::{self, csv_cell};
use super::names::path_label;
use super::record::{Around, record_page};
use super::types::rows;
use crate::contract::records::{Record, RecordType, StoredType};
use crate::kernel::access::Level;
use crate::kernel::i18n::Language;
use crate::kernel::ui::{Difference, HistoryEntry, Page};
use crate::modules::records::service::Seen;

const HOSTILE: &str = "</title><script>alert(1)</script><img src=x onerror=alert(2)>\"'&";

fn definition() -> RecordType {
    serde_json::from_value(json!({
        "name": "museum-object",
        "labels": {"en": "Museum object"},
        "title": "title",
        "key": "id",
        "visibility": "public",
        "fields": [
            {"name": "id", "kind": "identifier", "unique": true, "required": true},
            {"name": "title", "kind": "text", "column": true},
            {"name": "classification", "kind": "term", "facet": true, "column": true},
            {"name": "date_acquired", "kind": "date"},
            {"name": "web_url", "kind": "url"},
            {"name": "part_of", "kind": "link", "target": "museum-object"},
            {"name": "provenance", "kind": "text"},
            {"name": "price", "kind": "integer", "level": "restricted"},
            {"name": "creator", "kind": "group", "repeated": true, "fields": [
                {"name": "full_name", "kind": "text"},
                {"name": "life", "kind": "group", "fields": [{"name": "birth_date", "kind": "date"}]}
            ]}
        ]
    }))
    .unwrap()
}

fn seen(document: &Value) -> Seen {
    let record = Record {
        id: "0190c0de-0000-7000-8000-000000000001".to_owned(),
        type_name: "museum-object".to_owned(),
        version: 3,
        deleted: false,
        visibility: Level::Public,
        created_at: 313_286_400_000,
        updated_at: 1_700_000_000_000,
        source: Some(("blob".to_owned(), 17)),
        document: document.as_object().unwrap().clone(),
    };
    let stored_type = StoredType {
        id: "t".to_owned(),
        version: 1,
        definition: definition(),
    };
    Seen {
        record,
        stored_type: Arc::new(stored_type),
        level: Level::Public,
    }
}

fn teapot() -> Value {
    json!({
        "id": "cmoa:things/1",
        "title": "Teapot",
        "classification": "Silver & gold",
        "date_acquired": "1979-12-06",
        "web_url": "https://example.org/a?b=1",
        "part_of": "x1",
        "provenance": "First.\nSecond, see http://example.org/p.",
        "creator": [{"full_name": "A. Smith", "life": {"birth_date": "1840"}}, {"full_name": "B. Jones"}],
    })
}

fn render(document: &Value) -> String {
    let entry = HistoryEntry {
        version: 3,
        what: "operation.update",
        at: 0,
        actor: "Operator".to_owned(),
        reason: HOSTILE.to_owned(),
        set_href: Some("/changes/1".to_owned()),
        href: None,
        origin: Some((HOSTILE.to_owned(), None)),
        differences: vec![Difference {
            label: "Title".to_owned(),
            before: Some("Pot".to_owned()),
            after: Some(HOSTILE.to_owned()),
        }],
    };
    let titles = HashMap::from([("x1".to_owned(), "Tea set".to_owned())]);
    let around = Around {
        titles,
        history: vec![entry],
        more_history: true,
        ..Around::default()
    };
    let page = record_page(Page::bare("/records/1"), &seen(document), around);
    page.render().unwrap()
}

fn texts(page: &Html, selector: &str) -> Vec<String> {
    let selector = Selector::parse(selector).unwrap();
    page.select(&selector)
        .map(|e| {
            e.text()
                .collect::<String>()
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect()
}

#[test]
fn a_record_shows_its_fields_by_group_with_what_they_lead_to() {
    let html = render(&teapot());
    assert!(html.len() < 50_000);
    let page = Html::parse_document(&html);
    assert_eq!(texts(&page, "h1"), ["Teapot"]);
    assert_eq!(texts(&page, ".group > h2"), ["Details", "Creator"]);
    assert_eq!(texts(&page, ".group .card").len(), 2);
    assert_eq!(texts(&page, ".card dt")[1], "Life › Birth date");
    assert_eq!(texts(&page, "dd time[datetime='1979-12-06']"), ["6 December 1979"]);
    assert_eq!(texts(&page, "dd a[href='/records/x1']"), ["Tea set"]);
    assert_eq!(
        texts(
            &page,
            "dd a[href^='/search?type=museum-object&filter=classification%3ASilver']"
        ),
        ["Silver & gold"]
    );
    assert_eq!(
        texts(&page, "dd a[rel~=nofollow]"),
        ["https://example.org/a?b=1", "http://example.org/p"]
    );
    assert_eq!(texts(&page, "link[rel=alternate]").len(), 5);
    assert_eq!(texts(&page, ".history .what"), ["Changed version 3"]);
    assert!(html.contains("Row 17 of the imported file"));
}

#[test]
fn hostile_data_stays_text() {
    let mut document = teapot();
    for name in [
        "title",
        "classification",
        "provenance",
        "part_of",
        "web_url",
        "date_acquired",
    ] {
        document[name] = json!(HOSTILE);
    }
    document["creator"][0]["full_name"] = json!(HOSTILE);
    document["web_url"] = json!("javascript:alert(1)");
    let html = render(&document);
    let page = Html::parse_document(&html);
    let count = |s: &str| page.select(&Selector::parse(s).unwrap()).count();
    assert_eq!(
        (
            count("script"),
            count("img"),
            count("[onerror]"),
            count("a[href^=javascript]")
        ),
        (1, 0, 0, 0)
    );
}

#[test]
fn a_record_of_odd_shape_is_shown_as_far_as_it_goes() {
    let long = "word ".repeat(5_000);
    let document = json!({"title": {"not": "text"}, "creator": "not a group", "provenance": long, "unknown": [[1]], "classification": [null, ""]});
    let html = render(&document);
    assert!(html.contains("Read on") && html.len() < 50_000);
    let many: Vec<String> = (0..500).map(|n| n.to_string()).collect();
    let html = render(&json!({"classification": many, "creator": vec![json!({"full_name": "x"}); 500]}));
    assert!(
        html.contains("… and 450 more") && html.contains("… and 476 more") && html.len() < 50_000,
        "{}",
        html.len()
    );
    let nothing = definition();
    let none = HashMap::new();
    let shown = Shown {
        definition: &nothing,
        document: &serde_json::Map::new(),
        title: "",
        titles: &none,
        language: Language::default(),
    };
    assert!(shown.sections().is_empty());
}

#[test]
fn machine_forms_hold_the_fields_and_no_formulas() {
    let seen = seen(&teapot());
    let form: Value = serde_json::from_str(&forms::json(&seen).unwrap()).unwrap();
    assert_eq!(form["document"]["creator"][1]["full_name"], "B. Jones");
    assert_eq!(form["title"], "Teapot");
    let csv = forms::csv(&seen);
    let (head, row) = csv.split_once("\r\n").unwrap();
    assert_eq!(
        head,
        "_id,id,title,classification,date_acquired,web_url,part_of,provenance,creator.full_name,creator.life.birth_date"
    );
    assert!(
        row.contains("A. Smith | B. Jones") && row.contains("\"First.\nSecond"),
        "{row}"
    );
    assert_eq!(csv_cell("=1+1"), "'=1+1");
    assert_eq!(csv_cell("-4.5"), "-4.5");
    assert_eq!(csv_cell("@a,\"b\""), "\"'@a,\"\"b\"\"\"");
}

#[test]
fn paths_have_labels() {
    let label = |path: &str| path_label(&definition(), path, Language::default());
    assert_eq!(label("creator.2.life.birth_date"), "Creator 2 › Life › Birth date");
    assert_eq!(label("old_field"), "Old field");
    assert_eq!(rows(&definition(), Language::default()).len(), 12);
}
