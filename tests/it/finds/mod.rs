//! Finding again: records much like one, saved searches that tell what is new, feeds, what is asked for and what is shown
//! first. Each story has a record that is hidden from whoever asks, and that must never show.

mod asked;
mod feeds;
mod order;
mod saved;
mod similar;

use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};
use vitrine::kernel::testing::{Answer, TestApp};

/// An index that is not there by then never will be.
const PATIENCE: Duration = Duration::from_secs(60);
/// Stands in every hidden record and nowhere else.
pub const CANARY: &str = "quetzalcoatl";

/// Makes the collection and waits until it can be searched.
pub async fn collection(app: &TestApp) {
    let definition = json!({
        "name": "vase", "title": "title",
        "fields": [
            {"name": "title", "kind": "text", "column": true},
            {"name": "material", "kind": "term", "facet": true},
            {"name": "story", "kind": "text"},
            {"name": "donor", "kind": "term", "facet": true, "level": "restricted"}
        ]
    });
    let made = app.post("/api/types", &definition).await.ok();
    reached(app, &made).await;
}

/// Waits until what an answer wrote can be found.
pub async fn reached(app: &TestApp, answer: &Answer) {
    let position = answer.header("ledger-position").unwrap().parse().unwrap();
    assert!(app.kernel().search.wait_for(position, PATIENCE).await.unwrap());
}

/// Makes a record that can be found; answers its id.
pub async fn put(app: &TestApp, visibility: &str, document: Value) -> String {
    let body = json!({"type": "vase", "visibility": visibility, "document": document});
    let made = app.post("/api/records", &body).await.ok();
    reached(app, &made).await;
    made.json()["id"].as_str().unwrap().to_owned()
}

/// Changes a record, and waits.
pub async fn patch(app: &TestApp, id: &str, change: &Value) {
    let version = app.get(&format!("/api/records/{id}")).await.ok().json()["version"].clone();
    let request = app
        .signed(Method::PATCH, &format!("/api/records/{id}"))
        .header("content-type", "application/merge-patch+json")
        .header("if-match", format!("\"{version}\""));
    let changed = app.send(request, change.to_string().into()).await.ok();
    reached(app, &changed).await;
}

/// A page as nobody in particular sees it.
pub async fn page(app: &TestApp, path: &str) -> Answer {
    let request = app.unsigned(Method::GET, path).header("accept", "text/html");
    app.send(request, bytes::Bytes::new()).await
}
