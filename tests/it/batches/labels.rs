//! Labels as a file, on both engines: made by a job, fetched by who asked, refused by name where a text cannot be printed.

use serde_json::json;
use vitrine::both;
use vitrine::kernel::testing::{TestApp, TestDb};

use super::{finds, make};

both!(labels_are_made_and_fetched, labels_that_cannot_be_are_refused);

async fn choose(app: &TestApp) -> String {
    let drawn = app
        .post("/api/batches", &json!({"select": {"type": "find", "all": true}}))
        .await;
    drawn.ok().json()["id"].as_str().unwrap().to_owned()
}

async fn labels_are_made_and_fetched(db: TestDb) {
    let app = TestApp::start(&db).await;
    finds(&app).await;
    let records: Vec<_> = (0..30)
        .map(
            |n| json!({"title": format!("Žluťoučký kůň {n}"), "number": format!("Ma2026{n:04}"), "collector": "Ἀθηνᾶ"}),
        )
        .collect();
    make(&app, &records).await;
    let id = choose(&app).await;
    let print = json!({"sheet": "a4-3x8", "fields": ["title", "collector"], "bars": "number", "skip": 2});
    let begun = app.post(&format!("/api/batches/{id}/labels"), &print).await.ok().json();
    let job = begun["job"].as_str().unwrap();
    assert_eq!(app.get(&format!("/api/labels/{job}/file")).await.status, 409);
    app.drain_jobs().await;
    let seen = app.get(&format!("/api/labels/{job}")).await.ok().json();
    assert_eq!(seen["state"], "done", "{seen}");
    let file = app.get(seen["file"].as_str().unwrap()).await.ok();
    assert_eq!(file.header("content-type").as_deref(), Some("application/pdf"));
    let text = String::from_utf8_lossy(&file.body).into_owned();
    assert!(
        text.starts_with("%PDF-") && text.contains("/Count 2"),
        "{} bytes",
        file.body.len()
    );
    let page = app.get(&format!("/labels/{job}")).await.ok().text();
    assert!(page.contains(&format!("/labels/{job}/file")), "{page}");
    app.get(&format!("/batches/{id}/labels")).await.ok();
    // Nobody else finds it.
    assert_eq!(app.get_anonymous(&format!("/api/labels/{job}")).await.status, 401);
    // A text that cannot be printed is named with its record, and nothing wrong is printed.
    let vase = make(&app, &[json!({"title": "花瓶"})]).await;
    let id = choose(&app).await;
    let begun = app.post(&format!("/api/batches/{id}/labels"), &print).await.ok().json();
    app.drain_jobs().await;
    let seen = app
        .get(&format!("/api/labels/{}", begun["job"].as_str().unwrap()))
        .await
        .ok()
        .json();
    assert_eq!(seen["state"], "failed", "{seen}");
    // By its id: whoever looks after jobs reads it, too.
    assert!(seen["error"].as_str().unwrap().contains(&vase[0]), "{seen}");
    // A link is printed by what it leads to, and that cannot be printed either.
    let leading = make(&app, &[json!({"title": "Leads on", "of": vase[0]})]).await;
    let id = choose(&app).await;
    let print = json!({"sheet": "a4-3x8", "fields": ["of"]});
    let begun = app.post(&format!("/api/batches/{id}/labels"), &print).await.ok().json();
    app.drain_jobs().await;
    let path = format!("/api/labels/{}", begun["job"].as_str().unwrap());
    let seen = app.get(&path).await.ok().json();
    assert!(
        seen["error"].as_str().is_some_and(|why| why.contains(&leading[0])),
        "{seen}"
    );
    app.stop().await;
}

async fn labels_that_cannot_be_are_refused(db: TestDb) {
    let app = TestApp::start(&db).await;
    finds(&app).await;
    make(&app, &[json!({"title": "a"})]).await;
    let id = choose(&app).await;
    for print in [
        json!({"sheet": "a3"}),
        json!({"sheet": "single"}),
        json!({"sheet": "single", "width": 1e9, "height": 20}),
        json!({"sheet": "a4-3x8", "skip": 24}),
        json!({"sheet": "a4-3x8", "skip": 1_000_000_000}),
        json!({"sheet": "a4-3x8", "skip": -1}),
        json!({"sheet": "a4-3x8", "fields": ["titel"]}),
        json!({"sheet": "a4-3x8", "bars": "nothing"}),
        json!({"sheet": "a4-3x8", "fields": ["title", "title", "title", "title", "title", "title", "title", "title", "title"]}),
        json!({"sheet": "a4-3x8", "odd": 1}),
    ] {
        let answer = app.post(&format!("/api/batches/{id}/labels"), &print).await;
        assert_eq!(answer.status, 422, "{print}: {}", answer.text());
    }
    assert_eq!(app.get("/api/labels/none").await.status, 404);
    app.stop().await;
}
