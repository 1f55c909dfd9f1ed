//! Who may undo, and what they are told of what they may not see.

use bytes::Bytes;
use hyper::Method;
use hyper::header::{CONTENT_TYPE, IF_MATCH};
use serde_json::json;
use vitrine::both;
use vitrine::kernel::testing::{TestApp, TestDb};

use super::{FIRST, counts, import, newest, records, table, undo};

both!(not_everybody_undoes, what_nobody_sees_is_not_counted);

async fn not_everybody_undoes(db: TestDb) {
    let app = TestApp::start(&db).await;
    import(&app, &table(3, "Pot"), FIRST).await;
    let set = newest(&app, "import").await;
    assert_eq!(app.get_anonymous(&format!("/api/changes/{set}/undo")).await.status, 401);
    assert_eq!(app.get_anonymous("/api/changes/export").await.status, 401);
    // Who may undo but not write, or not see all, leaves everything.
    for scope in [
        json!(["history.undo", "jobs.read"]),
        json!(["history.undo", "jobs.read", "records.write"]),
    ] {
        let made = app
            .post("/api/tokens", &json!({"name": "desk", "scope": scope}))
            .await
            .ok()
            .json();
        let request = app
            .unsigned(Method::POST, &format!("/api/changes/{set}/undo"))
            .header("authorization", format!("Bearer {}", made["secret"].as_str().unwrap()))
            .header(CONTENT_TYPE, "application/json");
        let begun = app.send(request, Bytes::from("{}")).await.ok().json();
        let job = app.ended_job(&begun).await;
        counts(&job["result"], 0, 0, 0, 0, 4);
    }
    for (path, want) in [
        ("/api/changes/nothing/undo", 404),
        ("/api/changes/0190c0de-0000-7000-8000-000000000001/undo", 404),
        ("/api/changes/nothing/left", 404),
        (&format!("/api/changes/{set}/left"), 404),
        ("/api/changes?since=yesterday", 400),
        ("/changes?from=never", 400),
        ("/changes?from=2026-01-01&to=2999-12-31&actor=%27%3B&cause=x", 200),
    ] {
        assert_eq!(app.get(path).await.status, want, "{path}");
    }
    let long = json!({"reason": "x".repeat(1_001)});
    assert_eq!(app.post(&format!("/api/changes/{set}/undo"), &long).await.status, 422);
    app.stop().await;
}

/// Who may undo but sees less is told of what they see, and of a change they see nothing of not even that it is there.
async fn what_nobody_sees_is_not_counted(db: TestDb) {
    let app = TestApp::start(&db).await;
    import(&app, &table(4, "Pot"), FIRST).await;
    let set = newest(&app, "import").await;
    let made = app
        .post(
            "/api/tokens",
            &json!({"name": "desk", "scope": ["history.undo", "history.read"]}),
        )
        .await
        .ok()
        .json();
    let as_desk = async |method: Method, path: &str| {
        let request = app
            .unsigned(method, path)
            .header("authorization", format!("Bearer {}", made["secret"].as_str().unwrap()))
            .header(CONTENT_TYPE, "application/json");
        app.send(request, Bytes::from("{}")).await
    };
    let hide = async |id: &str, version: i64| {
        let request = app
            .signed(Method::PATCH, &format!("/api/records/{id}"))
            .header(CONTENT_TYPE, "application/merge-patch+json")
            .header(IF_MATCH, format!("\"{version}\""));
        let hidden = json!({ "visibility": "restricted" });
        app.send(request, Bytes::from(hidden.to_string())).await.ok();
    };
    // One of four is hidden and was changed by that: it would stay, which only who sees it is told.
    let all = records(&app, "teapot").await;
    hide(&all[0].1, 1).await;
    let path = format!("/api/changes/{set}/undo");
    let whole = app.get(&path).await.ok().json();
    assert_eq!((&whole["removed"], &whole["left"]), (&json!(3), &json!(1)), "{whole}");
    let seen = as_desk(Method::GET, &path).await.ok().json();
    assert_eq!((&seen["removed"], &seen["left"]), (&json!(3), &json!(0)), "{seen}");
    assert!(!seen.to_string().contains(&all[0].1), "{seen}");
    let page = as_desk(Method::GET, &format!("/changes/{set}/undo")).await.ok().text();
    assert!(!page.contains(&all[0].1) && !page.contains("stays as it is"), "{page}");
    // The same of undos: that there was one, not what it came to.
    undo(&app, &set).await;
    let whole = app.get(&path).await.ok().json();
    assert_eq!(whole["undos"][0]["removed"], 3, "{whole}");
    let seen = as_desk(Method::GET, &path).await.ok().json();
    assert!(
        seen["undos"][0].is_object() && seen["undos"][0].get("removed").is_none(),
        "{seen}"
    );
    let page = as_desk(Method::GET, &format!("/changes/{set}")).await.ok().text();
    assert!(page.contains("/changes/") && !page.contains("3 things"), "{page}");
    // A change of which all is hidden is not there, to be looked at or to be undone. It touches no type.
    import(
        &app,
        &table(3, "Jug").replace("number", "inventory"),
        "type=jug&name=j.csv&infer=true&key=inventory",
    )
    .await;
    for (_, id) in records(&app, "jug").await {
        hide(&id, 1).await;
        let edit = newest(&app, "record.edit").await;
        let path = format!("/api/changes/{edit}/undo");
        app.get(&path).await.ok();
        assert_eq!(as_desk(Method::GET, &path).await.status, 404);
        assert_eq!(as_desk(Method::POST, &path).await.status, 404);
        assert_eq!(as_desk(Method::GET, &format!("/changes/{edit}/undo")).await.status, 404);
    }
    app.stop().await;
}
