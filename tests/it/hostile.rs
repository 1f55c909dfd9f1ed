//! What people with bad intent send, over HTTP on both engines: names that are markup, texts that cannot be stored. Nothing
//! of it becomes a script, an error of ours or a way out of the house.

use bytes::Bytes;
use hyper::Method;
use serde_json::{Value, json};
use vitrine::both;
use vitrine::kernel::testing::{TestApp, TestDb};

both!(names_are_shown_as_text, texts_that_cannot_be_stored_are_refused);

async fn import(app: &TestApp, content: &'static [u8], query: &str) -> String {
    let request = app.signed(Method::POST, &format!("/api/imports?{query}"));
    let begun = app.send(request, Bytes::from_static(content)).await.ok().json();
    app.drain_jobs().await;
    begun["job"].as_str().unwrap().to_owned()
}

async fn bring(app: &TestApp, name: &str, content: &'static [u8]) -> Value {
    let query = serde_html_form::to_string([("name", name)]).unwrap();
    let request = app.signed(Method::POST, &format!("/api/uploads?{query}"));
    app.send(request, Bytes::from_static(content)).await.ok().json()
}

const MARKUP: &str = "\"><img src=x onerror=alert(1)>'<script>alert(1)</script>";

async fn names_are_shown_as_text(db: TestDb) {
    let app = TestApp::start(&db).await;
    let named = json!({ "en": MARKUP });
    let kind = json!({
        "name": "vase", "title": "title", "visibility": "public", "labels": named, "description": named, "credit": MARKUP,
        "licence": "javascript:alert(1)", "fields": [
            { "name": "title", "kind": "text", "labels": named, "hints": named },
            { "name": "colour", "kind": "term", "facet": true, "column": true, "labels": named },
            { "name": "link", "kind": "url" },
        ] });
    app.post("/api/types", &kind).await.ok();
    let document = json!({ "title": MARKUP, "colour": MARKUP });
    let record = app
        .post("/api/records", &json!({ "type": "vase", "document": document }))
        .await
        .ok()
        .json();
    let link = json!({ "type": "vase", "document": { "title": "x", "link": "javascript:alert(1)" } });
    let refused = app.post("/api/records", &link).await;
    let draft = bring(
        &app,
        &format!("{MARKUP}.csv"),
        b"<b>a</b>,\"\"\"><script>alert(1)</script>\"\n1,<script>alert(1)</script>\n",
    )
    .await;
    let draft = draft["id"].as_str().unwrap();
    app.get(&format!("/api/import-drafts/{draft}")).await.ok();
    app.drain_jobs().await;
    let job = import(
        &app,
        b"title\n1\n",
        &format!("type=vase&name={}", "%3Cscript%3Ealert(1)%3C/script%3E"),
    )
    .await;
    let id = record["id"].as_str().unwrap();
    let pages = [
        "/".to_owned(),
        "/types".to_owned(),
        "/types/vase".to_owned(),
        "/types/vase/edit".to_owned(),
        "/types/vase/new".to_owned(),
        format!("/records/{id}"),
        format!("/records/{id}/edit"),
        format!("/records/{id}/history"),
        format!("/records/{id}/delete"),
        "/search?type=vase".to_owned(),
        "/search?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&sort=%3Cscript%3Ealert(1)".to_owned(),
        "/import".to_owned(),
        format!("/import/{draft}"),
        format!("/import/{draft}/collection"),
        format!("/import/{draft}/preview"),
        format!("/imports/{job}"),
        "/changes?actor=%3Cscript%3Ealert(1)".to_owned(),
        format!("/jobs/{job}"),
        "/jobs?kind=%3Cscript%3Ealert(1)".to_owned(),
        "/logs?q=%3Cscript%3Ealert(1)".to_owned(),
        "/nothing/%3Cscript%3Ealert(1)".to_owned(),
    ];
    assert!(
        refused.status == 422 || refused.status.is_success(),
        "{}",
        refused.text()
    );
    for path in &pages {
        let page = app.page(path).await;
        assert!(page.status.as_u16() < 500, "{path}: {} {}", page.status, page.text());
        let text = page.text();
        for bad in ["<img src=x", "<script>alert", "href=\"javascript:", "<b>a</b>"] {
            assert!(!text.contains(bad), "{path} shows {bad}");
        }
        if let Some(policy) = page.header("content-security-policy") {
            assert!(!policy.contains("unsafe-inline"), "{path}: {policy}");
        }
    }
    app.stop().await;
}

/// PostgreSQL cannot hold a NUL, not even to look for it: that is the sender's fault and not ours.
async fn texts_that_cannot_be_stored_are_refused(db: TestDb) {
    let app = TestApp::start(&db).await;
    import(&app, b"number,title\n1,Pot\n", "type=pot&infer=true&key=number").await;
    let draft = bring(&app, "a.csv", b"a,b\n1,2\n").await;
    let draft = format!("/api/import-drafts/{}", draft["id"].as_str().unwrap());
    let bad = "a\0b";
    let asked = [
        (
            Method::POST,
            "/api/exports".to_owned(),
            json!({ "type": bad, "format": "csv" }),
        ),
        (
            Method::POST,
            "/api/exports".to_owned(),
            json!({ "type": "pot", "q": bad, "format": "csv" }),
        ),
        (
            Method::POST,
            "/api/records".to_owned(),
            json!({ "type": bad, "document": {} }),
        ),
        (
            Method::POST,
            "/api/records".to_owned(),
            json!({ "type": "pot", "document": { "title": bad, "number": "3" } }),
        ),
        (
            Method::POST,
            "/api/types".to_owned(),
            json!({ "name": bad, "fields": [] }),
        ),
        (
            Method::PATCH,
            draft.clone(),
            json!({ "label": bad, "reason": bad, "name": bad }),
        ),
        (Method::PATCH, draft.clone(), json!({ "into": bad })),
        (Method::POST, format!("{draft}/run"), json!({})),
        (
            Method::POST,
            "/api/tokens".to_owned(),
            json!({ "name": bad, "scope": [bad] }),
        ),
    ];
    for (method, path, body) in asked {
        let answer = app.with_json(method, &path, &body).await;
        assert!(
            answer.status.as_u16() < 500,
            "{path} {body}: {} {}",
            answer.status,
            answer.text()
        );
        app.get(&draft).await;
        app.drain_jobs().await;
    }
    let long = format!("/api/imports?type=pot&reason={}", "x".repeat(1_001));
    let refused = app
        .send(app.signed(Method::POST, &long), Bytes::from_static(b"a\n1\n"))
        .await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    app.stop().await;
}
