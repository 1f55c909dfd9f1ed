//! Several records made in one request: a specimen with its objects, each with its number, all in one change set; and nothing
//! of it where one of them cannot be.

use serde_json::{Value, json};
use vitrine::both;
use vitrine::kernel::testing::{TestApp, TestDb};

both!(a_specimen_comes_with_its_objects, all_of_them_or_none);

async fn types(app: &TestApp) {
    let object = json!({ "name": "thing", "title": "label", "visibility": "public", "fields": [
        { "name": "number", "kind": "identifier", "unique": true, "number": { "pattern": "T{seq:4}" } },
        { "name": "label", "kind": "text", "required": true } ] });
    let specimen = json!({ "name": "find", "title": "number", "visibility": "public", "fields": [
        { "name": "number", "kind": "identifier", "unique": true, "number": { "pattern": "F{seq:4}" } },
        { "name": "objects", "kind": "link", "target": "thing", "repeated": true },
        { "name": "parts", "kind": "group", "repeated": true, "fields": [
            { "name": "thing", "kind": "link", "target": "thing" }, { "name": "what", "kind": "text" } ] } ] });
    for body in [object, specimen] {
        app.post("/api/types", &body).await.ok();
    }
}

async fn total(app: &TestApp) -> Value {
    app.get("/api/records?limit=1").await.ok().json()["total"].clone()
}

async fn a_specimen_comes_with_its_objects(db: TestDb) {
    let app = TestApp::start(&db).await;
    types(&app).await;
    let asked = json!({ "reason": "From the field", "records": [
        { "name": "skin", "type": "thing", "document": { "label": "Skin" } },
        { "name": "skull", "type": "thing", "document": { "label": "Skull" } },
        { "type": "find", "document": { "objects": ["#skin", "#skull"], "parts": [{ "thing": "#skull", "what": "whole" }] } } ] });
    let made = app.post("/api/records/together", &asked).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let records = made.json()["records"].as_array().unwrap().clone();
    let text = |at: usize, field: &str| records[at]["document"][field].as_str().unwrap().to_owned();
    assert_eq!(
        (text(0, "number"), text(1, "number"), text(2, "number")),
        ("T0001".to_owned(), "T0002".to_owned(), "F0001".to_owned())
    );
    let document = &records[2]["document"];
    assert_eq!(document["objects"], json!([records[0]["id"], records[1]["id"]]));
    assert_eq!(document["parts"][0]["thing"], records[1]["id"]);
    // One entry in the history, which takes all of them back.
    let sets = app.get("/api/changes?cause=record.create").await.ok().json();
    assert_eq!(sets["items"].as_array().unwrap().len(), 1, "{sets}");
    assert_eq!(sets["items"][0]["reason"], "From the field");
    let set = sets["items"][0]["id"].as_str().unwrap();
    app.post(&format!("/api/changes/{set}/undo"), &json!({})).await.ok();
    app.drain_jobs().await;
    assert_eq!(total(&app).await, 0);
    app.stop().await;
}

async fn all_of_them_or_none(db: TestDb) {
    let app = TestApp::start(&db).await;
    types(&app).await;
    let skin = json!({ "name": "skin", "type": "thing", "document": { "label": "Skin" } });
    let cases = [
        (json!([skin, { "type": "thing", "document": {} }]), "records.1.label"),
        (
            json!([skin, { "type": "find", "document": { "objects": ["#bone"] } }]),
            "records.1",
        ),
        // Nobody leads to what comes after it.
        (
            json!([{ "type": "find", "document": { "objects": ["#skin"] } }, skin]),
            "records.0",
        ),
        (json!([skin, skin]), "records.1.name"),
        (json!([skin, { "type": "nothing", "document": {} }]), "records.1.type"),
        (json!([]), "records"),
        (
            json!(vec![json!({ "type": "thing", "document": { "label": "x" } }); 101]),
            "records",
        ),
    ];
    for (records, path) in cases {
        let answer = app.post("/api/records/together", &json!({ "records": records })).await;
        assert_eq!(answer.status, 422, "{path}: {}", answer.text());
        assert_eq!(answer.json()["errors"][0]["path"], path, "{}", answer.text());
        assert_eq!(total(&app).await, 0, "{path}");
    }
    app.stop().await;
}
