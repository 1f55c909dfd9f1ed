//! Batches and unions in a tree, on both engines: nothing is hung below itself, and what hangs below a record can be chosen.

use hyper::Method;
use serde_json::{Value, json};
use vitrine::both;
use vitrine::kernel::testing::{TestApp, TestDb};

both!(nothing_is_hung_below_itself);

async fn place(app: &TestApp, name: &str, above: Option<&str>) -> String {
    let mut document = json!({ "name": name });
    if let Some(above) = above {
        document["above"] = json!(above);
    }
    let made = app
        .post("/api/records", &json!({"type": "place", "document": document}))
        .await;
    made.ok().json()["id"].as_str().unwrap().to_owned()
}

async fn nothing_is_hung_below_itself(db: TestDb) {
    let app = TestApp::start(&db).await;
    let fields = json!([{"name": "name", "kind": "text"}, {"name": "above", "kind": "link", "target": "place"}]);
    let tree = json!({"name": "place", "title": "name", "parent": "above", "fields": fields});
    app.post("/api/types", &tree).await.ok();
    let europe = place(&app, "Europe", None).await;
    let sweden = place(&app, "Sweden", Some(&europe)).await;
    let uppsala = place(&app, "Uppsala", Some(&sweden)).await;
    let draw = async |select: Value, above: &str| {
        let action = json!({"do": "set", "field": "above", "value": above});
        let drawn = app
            .post("/api/batches", &json!({"select": select, "action": action}))
            .await;
        drawn.ok().json()
    };
    let batch = draw(json!({"type": "place", "ids": [europe]}), &uppsala).await;
    assert_eq!(
        (&batch["preview"]["changed"], &batch["preview"]["refused"]),
        (&json!(0), &json!(1)),
        "{batch}"
    );
    let why = batch["preview"]["refusals"][0]["reason"].as_str().unwrap();
    assert!(why.contains("below itself"), "{batch}");
    // Everything below a record is chosen by its place in the tree.
    let below = json!({"type": "place", "filter": [format!("in:{europe}")]});
    let batch = draw(below, &europe).await;
    assert!(batch["total"].as_i64().unwrap() >= 2, "{batch}");

    // Put into one, Europe would hang below Sweden, which hangs below Europe.
    let unite = async |take: Value| {
        let request = app
            .signed(Method::POST, &format!("/api/records/{europe}/unite"))
            .header("content-type", "application/json")
            .header("if-match", "\"1\"");
        let body = json!({ "from": [uppsala], "take": take });
        app.send(request, body.to_string().into()).await
    };
    let refused = unite(json!({})).await;
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert!(refused.text().contains("below itself"), "{}", refused.text());
    unite(json!({"above": europe})).await.ok();
    assert_eq!(app.get(&format!("/api/records/{uppsala}")).await.status, 301);
    app.stop().await;
}
