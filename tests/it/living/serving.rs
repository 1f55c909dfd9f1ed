//! The app on both engines: callers, the control socket, health, an orderly end.

use serde_json::json;
use vitrine::both;
use vitrine::kernel::testing::{TestApp, TestDb};

async fn callers_are_told_apart(db: TestDb) {
    let app = TestApp::start(&db).await;
    assert_eq!(app.get("/api/me").await.ok().json()["kind"], "token");
    assert_eq!(app.get_anonymous("/api/me").await.ok().json()["kind"], "anonymous");
    let local = app.as_local_operator(hyper::Method::GET, "/api/me", None).await;
    assert_eq!(local.ok().json()["kind"], "operator");
    assert_eq!(app.get_anonymous("/api/processes").await.status, 401);
    let link = app
        .as_local_operator(hyper::Method::POST, "/api/setup-links", Some(&json!({})))
        .await;
    assert!(link.ok().json()["url"].as_str().expect("a link").contains("/setup/"));
    // A token may make tokens, but nobody may become the operator with one.
    assert_eq!(app.post("/api/setup-links", &json!({})).await.status, 403);
    app.stop().await;
}

async fn every_component_is_well(db: TestDb) {
    let app = TestApp::start(&db).await;
    app.get_anonymous("/health/live").await.ok();
    let ready = app.get("/health/ready").await.json();
    let names: Vec<&str> = ready["components"]
        .as_array()
        .expect("components")
        .iter()
        .filter_map(|c| c["name"].as_str())
        .collect();
    for name in ["clock", "disk", "data-folder", "database"] {
        assert!(names.contains(&name), "{name} is missing in {names:?}");
    }
    let times = ready["components"].as_array().expect("components").iter();
    assert!(
        times.clone().all(|c| c["took_ms"].is_u64()),
        "each says how long it took"
    );
    assert!(app.get("/metrics").await.ok().text().contains("vitrine_build_info"));
    let document = app.get_anonymous("/openapi.json").await.ok().json();
    assert!(document["paths"].get("/api/search/rebuild").is_some());
    app.stop().await;
}

async fn an_index_is_built_anew_while_it_answers(db: TestDb) {
    let app = TestApp::start(&db).await;
    app.post("/api/search/rebuild", &json!({})).await.ok();
    app.get("/api/search?q=").await.ok();
    app.stop().await;
}

both!(
    callers_are_told_apart,
    every_component_is_well,
    an_index_is_built_anew_while_it_answers
);
