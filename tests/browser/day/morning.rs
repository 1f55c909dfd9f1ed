//! What is there when the day begins: plants in a tree, people, one of them twice, and sheets that lead to them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::house::house;

/// How long the index may take to follow what moved.
const PATIENCE: Duration = Duration::from_secs(20);
/// Sheets that are there in the morning: forty of one gatherer, and eight of one who is there twice.
pub const OF_SMITH: usize = 40;
pub const OF_EVA: usize = 8;

/// Who and what is there in the morning, by id.
pub struct Morning {
    pub potentilla: String,
    pub roses: String,
    pub smith: String,
    pub eva: String,
    pub eva_again: String,
}

async fn make(name: &str, document: Value) -> String {
    let body = json!({"type": name, "document": document});
    let made = house().ask("POST", "/api/records", &json!({"body": body})).await;
    made["id"].as_str().unwrap().to_owned()
}

pub async fn total(question: &str) -> u64 {
    let path = format!("/api/search?{question}&wait=true&limit=1");
    let found = house().ask("GET", &path, &Value::Null).await;
    found["total"].as_u64().unwrap()
}

/// Asks until so many are found: what a move carries along is read again after it.
pub async fn found(question: &str, wanted: u64) {
    let asked = async { while total(question).await != wanted {} };
    let followed = tokio::time::timeout(PATIENCE, asked).await;
    assert!(followed.is_ok(), "{question}: not {wanted}");
}

async fn types() {
    let plant = json!({"name": "day-plant", "title": "name", "parent": "above", "visibility": "public",
        "labels": {"en": "Plant of the day"}, "fields": [
        {"name": "name", "kind": "text", "column": true},
        {"name": "rank", "kind": "term", "column": true, "values": ["family", "genus", "species"]},
        {"name": "above", "kind": "link", "target": "day-plant", "labels": {"en": "Belongs to"}}]});
    let gatherer = json!({"name": "day-gatherer", "title": "name", "visibility": "public",
        "labels": {"en": "Gatherer"}, "fields": [
        {"name": "name", "kind": "text", "column": true},
        {"name": "born", "kind": "date"}]});
    let sheet = json!({"name": "day-sheet", "title": "number", "visibility": "public",
        "labels": {"en": "Herbarium sheet", "sv": "Herbarieark"}, "fields": [
        {"name": "number", "kind": "identifier", "unique": true, "column": true, "number": {"pattern": "DAY{seq:4}"}},
        {"name": "plant", "kind": "link", "target": "day-plant", "column": true},
        {"name": "gatherer", "kind": "link", "target": "day-gatherer", "column": true, "facet": true},
        {"name": "gathered", "kind": "date", "column": true},
        {"name": "gathered_verbatim", "kind": "text", "labels": {"en": "Gathered, as written"}},
        {"name": "locality", "kind": "text", "column": true, "labels": {"en": "Locality", "sv": "Fyndort"}},
        {"name": "latitude", "kind": "number"},
        {"name": "longitude", "kind": "number"},
        {"name": "habitat", "kind": "term", "facet": true},
        {"name": "remarks", "kind": "text"}]});
    for body in [plant, gatherer, sheet] {
        house().ask("POST", "/api/types", &json!({"body": body})).await;
    }
}

pub async fn morning() -> Morning {
    types().await;
    let plant = |name: &'static str, rank: &'static str, above: Option<String>| {
        make("day-plant", json!({"name": name, "rank": rank, "above": above}))
    };
    let peas = plant("Fabaceae", "family", None).await;
    let roses = plant("Rosaceae", "family", None).await;
    let potentilla = plant("Potentilla", "genus", Some(peas.clone())).await;
    let erecta = plant("Potentilla erecta", "species", Some(potentilla.clone())).await;
    let trifolium = plant("Trifolium", "genus", Some(peas)).await;
    let pratense = plant("Trifolium pratense", "species", Some(trifolium)).await;
    let person =
        |name: &'static str, born: Option<&'static str>| make("day-gatherer", json!({"name": name, "born": born}));
    let smith = person("J. Smith", None).await;
    person("Jane Smith", Some("1888")).await;
    let eva = person("Lindqvist, Eva", Some("1901")).await;
    let eva_again = person("Eva Lindqvist", Some("1901")).await;
    for n in 0..OF_SMITH + OF_EVA {
        let (who, plant) = match n {
            n if n < OF_SMITH && n % 2 == 0 => (&smith, &erecta),
            n if n < OF_SMITH => (&smith, &pratense),
            n if n % 2 == 0 => (&eva, &pratense),
            _ => (&eva_again, &pratense),
        };
        let place = format!("Uppsala, square {n}");
        make(
            "day-sheet",
            json!({"plant": plant, "gatherer": who, "gathered": "1932", "locality": place, "habitat": "meadow"}),
        )
        .await;
    }
    found("type=day-sheet", (OF_SMITH + OF_EVA) as u64).await;
    Morning {
        potentilla,
        roses,
        smith,
        eva,
        eva_again,
    }
}
