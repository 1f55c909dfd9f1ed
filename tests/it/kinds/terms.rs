//! Vocabularies: terms are called by language, no longer given, counted, and put into the place of each other with undo.

use bytes::Bytes;
use hyper::Method;
use serde_json::json;
use vitrine::both;
use vitrine::kernel::testing::{TestApp, TestDb};

use super::{found, make};

both!(
    terms_are_called_retired_and_merged,
    what_cannot_be_said_of_terms_is_refused,
);

async fn terms_are_called_retired_and_merged(db: TestDb) {
    let app = TestApp::start(&db).await;
    let vase = json!({"name": "vase", "title": "title", "visibility": "public", "fields": [
        {"name": "title", "kind": "text", "column": true},
        {"name": "material", "kind": "term", "repeated": true, "facet": true, "values": ["clay", "earth", "glass"],
            "terms": [{"value": "glass", "labels": {"en": "Glass, blown", "sv": "Glas"}}]},
        {"name": "colour", "kind": "term"},
    ]});
    app.post("/api/types", &vase).await.ok();
    let mut first = String::new();
    for (title, material) in [
        ("a", vec!["clay"]),
        ("b", vec!["earth", "clay", "glass"]),
        ("c", vec!["earth"]),
    ] {
        let made = make(&app, "vase", json!({"title": title, "material": material}))
            .await
            .ok()
            .json();
        first = made["id"].as_str().unwrap().to_owned();
    }
    assert_eq!(
        found(
            &app,
            &[("type", "vase"), ("filter", "material:earth"), ("sort", "title")]
        )
        .await,
        ["b", "c"]
    );
    let shown = app.page("/types/vase/terms?field=material").await.ok().text();
    assert!(shown.contains("Glass, blown") && shown.contains("earth"), "{shown}");

    // No longer given: who has it keeps it.
    let answer = app
        .send_form(
            "/types/vase/terms",
            &[
                ("version", "1"),
                ("field", "material"),
                ("value", "earth"),
                ("label", "Earthenware"),
                ("retired", "true"),
            ],
        )
        .await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let stored = app.get("/api/types/vase").await.ok().json();
    assert_eq!(
        stored["fields"][1]["terms"][1],
        json!({"value": "earth", "labels": {"en": "Earthenware"}, "retired": true}),
        "{stored}"
    );
    let refused = make(&app, "vase", json!({"title": "d", "material": ["earth"]})).await;
    assert!(
        refused.status == 422 && refused.text().contains("no longer given"),
        "{}",
        refused.text()
    );
    let request = app
        .signed(Method::PATCH, &format!("/api/records/{first}"))
        .header("content-type", "application/merge-patch+json")
        .header("if-match", "\"1\"");
    let kept = app
        .send(request, Bytes::from(json!({"document": {"title": "cc"}}).to_string()))
        .await;
    assert_eq!(kept.ok().json()["document"]["material"], json!(["earth"]));
    let record = app.page(&format!("/records/{first}")).await.ok().text();
    assert!(record.contains("Earthenware"), "{record}");

    // Put into the place of another: a batch with its preview.
    assert_eq!(found(&app, &[("type", "vase"), ("q", "cc")]).await, ["cc"]);
    let lead = app
        .send_form(
            "/types/vase/terms/merge",
            &[("field", "material"), ("from", "earth"), ("into", "clay")],
        )
        .await;
    assert_eq!(lead.status, 303, "{}", lead.text());
    let place = lead.headers["location"].to_str().unwrap().to_owned();
    app.post(&format!("/api{place}/run"), &json!({})).await.ok();
    app.drain_jobs().await;
    assert_eq!(
        found(
            &app,
            &[("type", "vase"), ("filter", "material:clay"), ("sort", "title")]
        )
        .await,
        ["a", "b", "cc"]
    );
    let list = app.get("/api/records?type=vase&limit=10").await.ok().json();
    let both = list["items"].as_array().unwrap().iter();
    let b = both
        .map(|record| &record["document"])
        .find(|document| document["title"] == "b");
    assert_eq!(b.unwrap()["material"], json!(["clay", "glass"]), "once: {list}");
    app.stop().await;
}

async fn what_cannot_be_said_of_terms_is_refused(db: TestDb) {
    let app = TestApp::start(&db).await;
    let vase = json!({"name": "vase", "title": "title", "fields": [
        {"name": "title", "kind": "text"},
        {"name": "material", "kind": "term", "facet": true, "values": ["clay", "glass"]},
    ]});
    app.post("/api/types", &vase).await.ok();
    for (pairs, status) in [
        ([("field", "material"), ("from", "clay"), ("into", "wood")], 422),
        ([("field", "material"), ("from", "clay"), ("into", "clay")], 422),
        ([("field", "title"), ("from", "a"), ("into", "b")], 404),
        ([("field", "nothing"), ("from", "a"), ("into", "b")], 404),
    ] {
        assert_eq!(
            app.send_form("/types/vase/terms/merge", &pairs).await.status,
            status,
            "{pairs:?}"
        );
    }
    for wrong in [
        json!({"name": "x", "kind": "text", "terms": [{"value": "a"}]}),
        json!({"name": "x", "kind": "term", "terms": [{"value": "a"}, {"value": "a"}]}),
        json!({"name": "x", "kind": "term", "values": ["b"], "terms": [{"value": "a"}]}),
        json!({"name": "x", "kind": "term", "terms": [{"value": " "}]}),
    ] {
        let answer = app.post("/api/types", &json!({"name": "odd", "fields": [wrong]})).await;
        assert_eq!(answer.status, 422, "{}", answer.text());
    }
    app.stop().await;
}
