//! Batches that are refused: questions and actions that cannot be, callers who may not, and what is hidden from them.

use serde_json::{Value, json};
use vitrine::both;
use vitrine::kernel::testing::{Answer, TestApp, TestDb};

use super::{document, finds, make};

both!(what_cannot_be_is_refused, nobody_reaches_beyond_what_they_see);

async fn what_cannot_be_is_refused(db: TestDb) {
    let app = TestApp::start(&db).await;
    finds(&app).await;
    let ids = make(&app, &[json!({"title": "a"}), json!({"title": "b"})]).await;
    let refused = |select: Value, action: Value, says: &'static str| {
        let app = &app;
        async move {
            let answer = app
                .post("/api/batches", &json!({"select": select, "action": action}))
                .await;
            assert_eq!(answer.status, 422, "{}", answer.text());
            assert!(answer.text().contains(says), "{says}: {}", answer.text());
        }
    };
    let all = || json!({"type": "find", "all": true});
    let set = |field: &str, value: Value| json!({"do": "set", "field": field, "value": value});
    refused(json!({"type": "find"}), set("title", json!("x")), "says nothing").await;
    refused(
        json!({"type": "find", "ids": ["1"]}),
        set("title", json!("x")),
        "not the id",
    )
    .await;
    refused(
        json!({"type": "find", "filter": ["colector:x"]}),
        set("title", json!("x")),
        "collector",
    )
    .await;
    refused(
        json!({"type": "find", "q": "title:nothing-like-this"}),
        set("title", json!("x")),
        "No record",
    )
    .await;
    refused(all(), set("titel", json!("x")), "title").await;
    refused(all(), set("number", json!("7")), "several").await;
    refused(all(), set("of", json!(vitrine::kernel::id::new_id())), "no such record").await;
    refused(all(), json!({"do": "clear", "field": "title"}), "needed").await;
    let bomb = |find: &str| json!({"do": "replace", "field": "title", "find": find, "with": "", "regex": true});
    refused(all(), bomb("((a{1000}){1000}){1000}"), "grows too large").await;
    refused(all(), bomb("("), "no regular expression").await;
    let many: Vec<String> = (0..10_001).map(|_| vitrine::kernel::id::new_id()).collect();
    refused(json!({"type": "find", "ids": many}), set("title", json!("x")), "10000").await;
    // A wrong batch leaves nothing behind.
    assert_eq!(
        app.post("/api/batches", &json!({"select": {"type": "nothing", "all": true}}))
            .await
            .status,
        404
    );
    let body = json!({"select": {"type": "find", "all": true, "odd": 1}});
    assert_eq!(app.post("/api/batches", &body).await.status, 422);
    let undecided = app
        .post("/api/batches", &json!({"select": {"type": "find", "ids": ids}}))
        .await
        .ok()
        .json();
    let path = format!("/api/batches/{}", undecided["id"].as_str().unwrap());
    assert_eq!(app.post(&format!("{path}/run"), &json!({})).await.status, 409);
    assert_eq!(
        app.with_json(hyper::Method::DELETE, &path, &json!({})).await.status,
        204
    );
    assert_eq!(app.get(&path).await.status, 404);
    app.stop().await;
}

/// A request by somebody with another token.
async fn by(app: &TestApp, secret: &str, method: hyper::Method, path: &str, body: &Value) -> Answer {
    let request = app
        .unsigned(method, path)
        .header("authorization", format!("Bearer {secret}"))
        .header("content-type", "application/json");
    app.send(request, body.to_string().into()).await
}

async fn nobody_reaches_beyond_what_they_see(db: TestDb) {
    let app = TestApp::start(&db).await;
    finds(&app).await;
    let ids = make(
        &app,
        &[json!({"title": "open", "price": 5}), json!({"title": "open too"})],
    )
    .await;
    let hidden = json!({"type": "find", "visibility": "restricted", "document": {"title": "closed"}});
    let hidden = app.post("/api/records", &hidden).await.ok().json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let scope = json!({"name": "narrow", "scope": ["records.read", "records.write"]});
    let token = app
        .as_local_operator(hyper::Method::POST, "/api/tokens", Some(&scope))
        .await
        .ok()
        .json();
    let secret = token["secret"].as_str().unwrap();
    let post = |body: Value| {
        let app = &app;
        async move { by(app, secret, hyper::Method::POST, "/api/batches", &body).await }
    };
    // A hidden field is no field, and a hidden record is not among those that are found or named.
    for field in ["price", "prise"] {
        let action = json!({"do": "clear", "field": field});
        let answer = post(json!({"select": {"type": "find", "all": true}, "action": action})).await;
        assert_eq!(answer.status, 422, "{}", answer.text());
        assert!(answer.text().contains("There is no field"), "{}", answer.text());
    }
    let set = json!({"do": "set", "field": "collector", "value": "x"});
    let found = post(json!({"select": {"type": "find", "all": true}, "action": set}))
        .await
        .ok()
        .json();
    assert_eq!(found["total"], 2, "{found}");
    let named = json!({"select": {"type": "find", "ids": [hidden, ids[0]]}, "action": set});
    let named = post(named).await.ok().json();
    assert_eq!(named["total"], 1, "{named}");
    // Who may only read changes nothing.
    let scope = json!({"name": "reader", "scope": ["records.read"]});
    let reader = app
        .as_local_operator(hyper::Method::POST, "/api/tokens", Some(&scope))
        .await
        .ok()
        .json();
    let select = json!({"select": {"type": "find", "all": true}});
    let answer = by(
        &app,
        reader["secret"].as_str().unwrap(),
        hyper::Method::POST,
        "/api/batches",
        &select,
    )
    .await;
    assert_eq!(answer.status, 403, "{}", answer.text());
    // Somebody else's batch is not there.
    let path = format!("/api/batches/{}", found["id"].as_str().unwrap());
    assert_eq!(app.get(&path).await.status, 404);
    assert_eq!(app.get_anonymous(&path).await.status, 401);
    // What its caller does not see stays as it was.
    let begun = by(&app, secret, hyper::Method::POST, &format!("{path}/run"), &json!({}))
        .await
        .ok()
        .json();
    let job = app.ended_job(&begun).await;
    assert_eq!(job["result"]["changed"], 2, "{job}");
    assert_eq!(
        document(&app, &ids[0]).await,
        json!({"title": "open", "price": 5, "collector": "x"})
    );
    assert_eq!(document(&app, &hidden).await, json!({"title": "closed"}));
    app.stop().await;
}
