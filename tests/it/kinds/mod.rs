//! Kinds of fields over HTTP on both engines: what people write is stored in one form, found, sorted, told in words and
//! brought out again; what cannot be is refused with its cause.

mod dates;
mod measures;
mod ranks;
mod terms;
mod texts;

use serde_json::{Value, json};
use vitrine::kernel::testing::{Answer, TestApp};

async fn make(app: &TestApp, type_name: &str, document: Value) -> Answer {
    app.post("/api/records", &json!({"type": type_name, "document": document}))
        .await
}

/// What a question finds, in its order.
async fn found(app: &TestApp, pairs: &[(&str, &str)]) -> Vec<String> {
    let question = serde_html_form::to_string(pairs).unwrap();
    let answer = app.get(&format!("/api/search?wait=true&limit=100&{question}")).await;
    let answer = answer.ok().json();
    let items = answer["items"].as_array().unwrap().clone();
    items
        .iter()
        .map(|item| item["title"].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// Brings a file and says how it ended.
async fn import(app: &TestApp, query: &str, file: &str) -> Value {
    let request = app.signed(hyper::Method::POST, &format!("/api/imports?{query}"));
    let job = app.send(request, file.to_owned().into()).await.ok().json();
    app.drain_jobs().await;
    let path = format!("/api/imports/{}", job["job"].as_str().unwrap());
    app.get(&path).await.ok().json()
}

async fn exported(app: &TestApp, type_name: &str) -> String {
    app.get(&format!("/api/export?type={type_name}&format=csv"))
        .await
        .ok()
        .text()
}
