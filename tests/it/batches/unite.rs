//! Records that are one and the same put into one, on both engines: what pointed at them follows, addresses lead on, undo
//! brings all of it back; and the list of likely ones with its reasons.

use hyper::Method;
use serde_json::{Value, json};
use vitrine::both;
use vitrine::kernel::testing::{Answer, TestApp, TestDb};

use super::{document, undo};

both!(
    two_agents_become_one_and_two_again,
    likely_twins_are_told_with_reasons,
    unions_that_cannot_be_are_refused
);

async fn house(app: &TestApp) {
    let agent = json!({"name": "agent", "title": "name", "fields": [
        {"name": "name", "kind": "text"}, {"name": "born", "kind": "date"},
        {"name": "codes", "kind": "identifier", "repeated": true, "unique": true}]});
    let find = json!({"name": "find", "title": "title", "fields": [
        {"name": "title", "kind": "text"}, {"name": "by", "kind": "link", "target": "agent", "repeated": true}]});
    app.post("/api/types", &agent).await.ok();
    app.post("/api/types", &find).await.ok();
}

async fn make(app: &TestApp, kind: &str, document: Value) -> String {
    let made = app
        .post("/api/records", &json!({"type": kind, "document": document}))
        .await;
    made.ok().json()["id"].as_str().unwrap().to_owned()
}

async fn unite(app: &TestApp, id: &str, version: i64, body: &Value) -> Answer {
    let request = app
        .signed(Method::POST, &format!("/api/records/{id}/unite"))
        .header("content-type", "application/json")
        .header("if-match", format!("\"{version}\""));
    app.send(request, body.to_string().into()).await
}

async fn two_agents_become_one_and_two_again(db: TestDb) {
    let app = TestApp::start(&db).await;
    house(&app).await;
    let one = make(&app, "agent", json!({"name": "J. Smith", "codes": ["A1"]})).await;
    let two = make(
        &app,
        "agent",
        json!({"name": "Jane Smith", "born": "1888", "codes": ["B2"]}),
    )
    .await;
    let other = make(&app, "agent", json!({"name": "A. Ray"})).await;
    let first = make(&app, "find", json!({"title": "first", "by": [two, other]})).await;
    let second = make(&app, "find", json!({"title": "second", "by": [two, one]})).await;
    let page = app.get(&format!("/records/{one}/unite?with={two}")).await.ok().text();
    assert!(page.contains("Jane Smith") && page.contains("take/codes"), "{page}");

    let body = json!({"from": [two], "take": {"name": two}, "reason": "one person"});
    let done = unite(&app, &one, 1, &body).await.ok().json();
    assert_eq!(done["relinked"], 2, "{done}");
    let merged = json!({"name": "Jane Smith", "codes": ["A1", "B2"], "born": "1888"});
    assert_eq!(document(&app, &one).await, merged);
    assert_eq!(document(&app, &first).await["by"], json!([one, other]));
    assert_eq!(document(&app, &second).await["by"], json!([one]), "each once");
    // The old address leads on, for people and for programs.
    for (path, to) in [("/records", "/records"), ("/api/records", "/api/records")] {
        let answer = app.get(&format!("{path}/{two}")).await;
        assert_eq!(answer.status, 301, "{path}");
        assert_eq!(answer.header("location"), Some(format!("{to}/{one}")));
    }
    let history = app.get(&format!("/api/records/{two}/history")).await.ok().json();
    assert_eq!(history["items"].as_array().unwrap().len(), 2, "{history}");

    let undone = undo(&app, &done["change"]).await;
    assert_eq!(
        (&undone["reverted"], &undone["revived"], &undone["left"]),
        (&json!(3), &json!(1), &json!(0)),
        "{undone}"
    );
    assert_eq!(document(&app, &one).await, json!({"name": "J. Smith", "codes": ["A1"]}));
    assert_eq!(
        document(&app, &two).await,
        json!({"name": "Jane Smith", "born": "1888", "codes": ["B2"]})
    );
    assert_eq!(document(&app, &second).await["by"], json!([two, one]));
    app.stop().await;
}

async fn likely_twins_are_told_with_reasons(db: TestDb) {
    let app = TestApp::start(&db).await;
    house(&app).await;
    let none = app.get("/api/types/agent/duplicates").await.ok().json();
    assert_eq!(none["groups"], json!([]));
    assert!(
        app.get("/types/agent/duplicates")
            .await
            .ok()
            .text()
            .contains("No duplicates are found")
    );
    let one = make(&app, "agent", json!({"name": "Smith, Jane", "born": "1888"})).await;
    let two = make(&app, "agent", json!({"name": "jane smith", "born": "1888"})).await;
    make(&app, "agent", json!({"name": "Jane Smith", "born": "1932"})).await;
    let found = app.get("/api/types/agent/duplicates").await.ok().json();
    assert_eq!(found["groups"].as_array().unwrap().len(), 1, "{found}");
    let group = &found["groups"][0];
    assert_eq!(
        (&group["records"][0]["id"], &group["records"][1]["id"]),
        (&json!(one), &json!(two)),
        "{found}"
    );
    assert_eq!(group["reasons"], json!([{"kind": "title", "fields": ["born"]}]));
    let page = app.get("/types/agent/duplicates").await.ok().text();
    assert!(
        page.contains("Born") && page.contains(&format!("/records/{one}/unite?with={two}")),
        "{page}"
    );
    app.stop().await;
}

async fn unions_that_cannot_be_are_refused(db: TestDb) {
    let app = TestApp::start(&db).await;
    house(&app).await;
    let one = make(&app, "agent", json!({"name": "a"})).await;
    let two = make(&app, "agent", json!({"name": "b"})).await;
    let find = make(&app, "find", json!({"title": "f"})).await;
    let nobody = vitrine::kernel::id::new_id();
    for (body, version, status) in [
        (json!({"from": []}), 1, 422),
        (json!({"from": [one]}), 1, 422),
        (json!({"from": [two, two]}), 1, 422),
        (json!({"from": [find]}), 1, 422),
        (json!({"from": [nobody]}), 1, 404),
        (json!({"from": [two], "take": {"nothing": two}}), 1, 422),
        (json!({"from": [two], "take": {"name": "all"}}), 1, 422),
        (json!({"from": [two], "take": {"name": find}}), 1, 422),
        (json!({"from": [two]}), 7, 412),
    ] {
        let answer = unite(&app, &one, version, &body).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
    }
    assert_eq!(document(&app, &two).await, json!({"name": "b"}), "nothing is half done");
    app.stop().await;
}
