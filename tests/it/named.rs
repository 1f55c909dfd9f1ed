//! Links are told by what they lead to wherever people read them: in facets, chips and columns, under a title, in a history,
//! before a batch. Whom a reader does not see is not named to them.

use bytes::Bytes;
use hyper::Method;
use scraper::{Html, Selector};
use serde_json::{Value, json};
use vitrine::both;
use vitrine::kernel::testing::{TestApp, TestDb};

both!(links_are_told_by_name);

async fn make(app: &TestApp, body: Value) -> String {
    app.post("/api/records", &body).await.ok().json()["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The texts of what a selector finds on a page.
fn texts(page: &str, selector: &str) -> Vec<String> {
    let page = Html::parse_document(page);
    let found = Selector::parse(selector).unwrap();
    let text = |one: scraper::ElementRef<'_>| one.text().collect::<String>().trim().to_owned();
    page.select(&found).map(text).collect()
}

async fn links_are_told_by_name(db: TestDb) {
    let app = TestApp::start(&db).await;
    let person = json!({ "name": "person", "title": "name", "visibility": "public", "fields": [{ "name": "name", "kind": "text" }] });
    let find = json!({ "name": "find", "title": "title", "visibility": "public", "fields": [
        { "name": "title", "kind": "text" },
        { "name": "collector", "kind": "link", "target": "person", "facet": true, "column": true } ] });
    for body in [person, find] {
        app.post("/api/types", &body).await.ok();
    }
    let person = |name: &str, visibility: &str| json!({ "type": "person", "visibility": visibility, "document": { "name": name } });
    let jane = make(&app, person("Jane Smith", "public")).await;
    let ann = make(&app, person("Ann Ray", "public")).await;
    let secret = make(&app, person("Nemo Nobody", "restricted")).await;
    let mut ids = Vec::new();
    for (n, who) in [&jane, &jane, &ann, &secret].into_iter().enumerate() {
        let document = json!({ "title": format!("Find {n}"), "collector": who });
        ids.push(make(&app, json!({ "type": "find", "document": document })).await);
    }
    app.get("/api/search?type=find&wait=true").await.ok();

    let list = format!("/search?type=find&view=table&filter=collector:{jane}");
    let page = app.page(&list).await.ok().text();
    assert_eq!(
        texts(&page, "tbody td:last-child"),
        ["Jane Smith", "Jane Smith"],
        "{page}"
    );
    assert!(
        texts(&page, ".facet-value .name").contains(&"Ann Ray".to_owned()),
        "{page}"
    );
    assert!(
        texts(&page, ".chip.active")
            .iter()
            .any(|chip| chip.contains("Jane Smith")),
        "{page}"
    );
    // What somebody does not see is told to them by nobody.
    let theirs = app.get_anonymous("/search?type=find&view=table").await.ok().text();
    assert!(theirs.contains("Jane Smith") && !theirs.contains("Nobody"), "{theirs}");
    let theirs = app.get_anonymous(&format!("/records/{}", ids[3])).await.ok().text();
    assert!(!theirs.contains("Nobody"), "{theirs}");
    let own = app.page(&format!("/records/{}", ids[3])).await.ok().text();
    assert!(texts(&own, ".lead").contains(&"Nemo Nobody".to_owned()), "{own}");

    // A history tells both by name, and so does what a batch would do; programs are told the ids.
    let request = app
        .signed(Method::PATCH, &format!("/api/records/{}", ids[0]))
        .header("content-type", "application/merge-patch+json")
        .header("if-match", "\"1\"");
    let change = json!({ "document": { "collector": ann } });
    app.send(request, Bytes::from(change.to_string())).await.ok();
    let page = app.page(&format!("/records/{}", ids[0])).await.ok().text();
    let history = texts(&page, ".history").join(" ");
    assert!(
        history.contains("Jane Smith") && history.contains("Ann Ray"),
        "{history}"
    );
    let field = format!("/records/{}/field?field=collector", ids[0]);
    assert_eq!(
        texts(&app.page(&field).await.ok().text(), ".value"),
        ["Ann Ray", "Jane Smith"]
    );
    let batch = json!({ "select": { "type": "find", "ids": [ids[1]] }, "action": { "do": "set", "field": "collector", "value": ann } });
    let batch = app.post("/api/batches", &batch).await.ok().json();
    assert_eq!(
        batch["preview"]["changes"][0]["fields"],
        json!([{ "field": "collector", "before": jane, "after": ann }]),
        "{batch}"
    );
    let page = app.page(&format!("/batches/{}", batch["id"].as_str().unwrap())).await;
    let page = page.ok().text();
    let told = texts(&page, ".batch-table").join(" ");
    assert!(told.contains("Jane Smith") && told.contains("Ann Ray"), "{told}");
    assert!(texts(&page, "#look-title").join(" ").contains("Ann Ray"), "{page}");
    app.stop().await;
}
