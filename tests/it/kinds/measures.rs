//! Measures with units and places in all their forms: through the API, a file, many at once and a form; found and refused.

use bytes::Bytes;
use hyper::Method;
use serde_json::{Value, json};
use vitrine::both;
use vitrine::kernel::testing::{TestApp, TestDb};

use super::{exported, found, import, make};

both!(measures_are_turned, places_become_degrees, places_come_by_forms);

async fn with_type(db: &TestDb) -> TestApp {
    let app = TestApp::start(db).await;
    let stone = json!({"name": "stone", "title": "title", "key": "title", "visibility": "public", "fields": [
        {"name": "title", "kind": "text", "column": true},
        {"name": "weight", "kind": "number", "unit": "g", "column": true},
        {"name": "pieces", "kind": "integer", "unit": "pieces"},
        {"name": "decimalLatitude", "kind": "number"},
        {"name": "decimalLongitude", "kind": "number"},
        {"name": "geodeticDatum", "kind": "text"},
        {"name": "coordinateUncertaintyInMeters", "kind": "integer"},
        {"name": "verbatimCoordinates", "kind": "text"},
    ]});
    app.post("/api/types", &stone).await.ok();
    app
}

async fn measures_are_turned(db: TestDb) {
    let app = with_type(&db).await;
    for (title, weight, grams) in [
        ("heavy", json!("2 kg"), 2_000.0),
        ("light", json!("1 oz"), 28.349_523_125),
        ("plain", json!(500), 500.0),
        ("comma", json!("1,5kg"), 1_500.0),
    ] {
        let made = make(
            &app,
            "stone",
            json!({"title": title, "weight": weight, "pieces": "3 pieces"}),
        )
        .await;
        let made = made.ok().json();
        assert_eq!(made["document"]["weight"].as_f64(), Some(grams), "{made}");
        assert_eq!(made["document"]["pieces"], 3, "{made}");
    }
    for wrong in [json!("2 m"), json!("much"), json!("kg"), json!("1e400 kg")] {
        let refused = make(&app, "stone", json!({"title": "x", "weight": wrong})).await;
        assert_eq!(refused.status, 422, "{wrong}");
        assert!(refused.text().contains("turned into g"), "{}", refused.text());
    }
    let ask = async |question: &str| found(&app, &[("type", "stone"), ("q", question), ("sort", "title")]).await;
    assert_eq!(ask("weight:<1kg").await, ["light", "plain"]);
    assert_eq!(ask("weight:>=1.5kg").await, ["comma", "heavy"]);
    assert_eq!(ask("weight:2kg").await, ["heavy"]);
    let set =
        json!({"select": {"type": "stone", "all": true}, "action": {"do": "set", "field": "weight", "value": "3 lb"}});
    let batch = app.post("/api/batches", &set).await.ok().json();
    assert_eq!(batch["preview"]["changed"], 4, "{batch}");
    // What numbers mean does not change under them.
    let stored = app.get("/api/types/stone").await.ok().json();
    let mut other = stored.clone();
    other["fields"][1]["unit"] = json!("kg");
    let request = app
        .signed(Method::PUT, "/api/types/stone")
        .header("content-type", "application/json")
        .header("if-match", format!("\"{}\"", stored["version"].as_i64().unwrap_or(1)));
    let mut body = other.as_object().unwrap().clone();
    body.retain(|name, _| ["name", "title", "key", "visibility", "fields"].contains(&name.as_str()));
    let refused = app.send(request, Bytes::from(Value::Object(body).to_string())).await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    assert!(
        refused.text().contains("measured in something else"),
        "{}",
        refused.text()
    );
    for unit in [
        json!({"kind": "text", "unit": "kg"}),
        json!({"kind": "number", "unit": " "}),
    ] {
        let mut field = unit;
        field["name"] = json!("size");
        let answer = app.post("/api/types", &json!({"name": "odd", "fields": [field]})).await;
        assert_eq!(answer.status, 422, "{}", answer.text());
    }
    app.stop().await;
}

fn near(record: &Value, latitude: f64, longitude: f64) {
    let of = |name: &str| record["document"][name].as_f64().unwrap_or(f64::NAN);
    let (north, east) = (of("decimalLatitude"), of("decimalLongitude"));
    assert!(
        (north - latitude).abs() < 1e-4 && (east - longitude).abs() < 1e-4,
        "{record}"
    );
}

async fn places_become_degrees(db: TestDb) {
    let app = with_type(&db).await;
    for (n, (text, latitude, longitude)) in [
        ("59°19′46″N 18°4′7″E", 59.329_44, 18.068_61),
        ("33V 674572 6580759", 59.329_44, 18.068_61),
        ("34VCL3323180407", 59.329_44, 18.068_61),
        ("SWEREF99 TM 6580759 674572", 59.329_44, 18.068_61),
        ("-33.8568, 151.2153 ± 20 m", -33.8568, 151.2153),
    ]
    .into_iter()
    .enumerate()
    {
        let made = make(
            &app,
            "stone",
            json!({"title": format!("p{n}"), "decimalLatitude": text}),
        )
        .await;
        let made = made.ok().json();
        near(&made, latitude, longitude);
        assert_eq!(made["document"]["verbatimCoordinates"], text);
    }
    let apart = json!({"title": "apart", "decimalLatitude": "59°30'N", "decimalLongitude": "18°15'W"});
    near(&make(&app, "stone", apart).await.ok().json(), 59.5, -18.25);
    for (wrong, cause) in [
        (
            json!({"decimalLatitude": 110, "decimalLongitude": 18}),
            "lies between -90 and 90",
        ),
        (json!({"decimalLatitude": "110, 18"}), "lies between -90 and 90"),
        (
            json!({"decimalLatitude": 59, "decimalLongitude": -181}),
            "lies between -180 and 180",
        ),
        (json!({"decimalLatitude": "Stockholm"}), "is not a place"),
        (json!({"decimalLatitude": "33S 674572 6580759"}), "the southern half"),
        (
            json!({"decimalLatitude": "33V 674572 6580759", "geodeticDatum": "NAD27"}),
            "the datum beside",
        ),
        (
            json!({"decimalLatitude": "59.5 18.2", "decimalLongitude": 18}),
            "leave the longitude empty",
        ),
    ] {
        let mut document = wrong;
        document["title"] = json!("wrong");
        let refused = make(&app, "stone", document.clone()).await;
        assert_eq!(refused.status, 422, "{document}");
        assert!(refused.text().contains(cause), "{cause}: {}", refused.text());
    }
    // What is found near Stockholm: four of one place.
    assert_eq!(
        found(&app, &[("type", "stone"), ("q", "near:59.33,18.07~5km")])
            .await
            .len(),
        4
    );

    let file = "title,decimalLatitude,decimalLongitude,verbatimCoordinates\nf1,59°30'N,18°15'E,\nf2,\"33V 674572 6580759\",,\nf3,95,18,\n";
    let view = import(&app, "type=stone&name=stones.csv", file).await;
    assert_eq!((&view["created"], &view["refused"]), (&json!(2), &json!(1)), "{view}");
    let text = exported(&app, "stone").await;
    assert!(text.contains("33V 674572 6580759"), "{text}");
    let again = import(&app, "type=stone&name=stones.csv", file).await;
    assert_eq!(
        (&again["unchanged"], &again["updated"]),
        (&json!(2), &json!(0)),
        "{again}"
    );
    app.stop().await;
}

async fn places_come_by_forms(db: TestDb) {
    let app = with_type(&db).await;
    let page = app.page("/types/stone/new").await.ok().text();
    assert!(page.contains("data-place=\"f-doc/decimalLongitude\""), "{page}");
    assert!(page.contains("In g; with another unit"), "{page}");
    for (question, status) in [
        ("", 200),
        ("?latitude=59.33&longitude=18.07", 200),
        ("?latitude=-90&longitude=180&height=0.001", 200),
        ("?latitude=91&longitude=18", 422),
        ("?latitude=NaN&longitude=0", 422),
        ("?latitude=0&longitude=0&height=-1", 422),
    ] {
        let answer = app.page(&format!("/fields/map{question}")).await;
        assert_eq!(answer.status, status, "{question}");
        assert_eq!(answer.text().contains("data-frame="), status == 200, "{question}");
    }
    app.stop().await;
}
