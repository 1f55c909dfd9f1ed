//! What comes first: fields that weigh more, orders by fields that are no column, each in its language, and what is hidden in
//! neither.

use hyper::Method;
use serde_json::{Value, json};
use vitrine::both;
use vitrine::kernel::testing::{Answer, TestApp, TestDb};

use super::{CANARY, collection, put};

both!(what_comes_first_is_said_by_the_type, what_costs_much_is_told);

/// The titles of what a question finds, for everybody.
async fn titles(app: &TestApp, question: &str) -> Vec<String> {
    let path = format!("/api/search?{}", serde_html_form::to_string([("q", question)]).unwrap());
    let found = app.get_anonymous(&path).await.ok().json();
    assert!(!found.to_string().contains(CANARY), "{found}");
    let items = found["items"].as_array().unwrap().iter();
    items.map(|item| item["title"].as_str().unwrap().to_owned()).collect()
}

/// Changes the type.
async fn define(app: &TestApp, change: impl FnOnce(&mut Value)) -> Answer {
    let stored = app.get("/api/types/vase").await.ok();
    let tag = stored.header("etag").unwrap();
    let mut definition = stored.json();
    let own = ["name", "title", "visibility", "language", "fields"];
    definition
        .as_object_mut()
        .unwrap()
        .retain(|name, _| own.contains(&name.as_str()));
    change(&mut definition);
    let request = app
        .signed(Method::PUT, "/api/types/vase")
        .header("content-type", "application/json")
        .header("if-match", tag);
    app.send(request, definition.to_string().into()).await
}

async fn what_comes_first_is_said_by_the_type(db: TestDb) {
    let app = TestApp::start(&db).await;
    collection(&app).await;
    put(
        &app,
        "public",
        json!({"title": "Bowl 10", "story": "silver, silver and silver"}),
    )
    .await;
    put(
        &app,
        "public",
        json!({"title": "Cup", "material": "silver", "story": "Zebra"}),
    )
    .await;
    put(
        &app,
        "public",
        json!({"title": "Ewer", "story": "Åland", "donor": CANARY}),
    )
    .await;
    put(&app, "public", json!({"title": "Jug", "story": "the apple"})).await;
    put(&app, "restricted", json!({"title": CANARY, "material": "silver"})).await;
    assert_eq!(titles(&app, "silver").await, ["Bowl 10", "Cup"]);
    // A weight holds as soon as it is said, and hides nothing.
    define(&app, |vase| vase["fields"][1]["weight"] = json!("most"))
        .await
        .ok();
    assert_eq!(titles(&app, "silver").await, ["Cup", "Bowl 10"]);
    assert_eq!(
        app.get("/api/types/vase").await.ok().json()["fields"][1]["weight"],
        "most"
    );
    let huge = define(&app, |vase| vase["fields"][1]["weight"] = json!("huge")).await;
    assert_eq!(huge.status, 422, "{}", huge.text());
    let measure = json!({"name": "height", "kind": "number", "weight": "more"});
    let measure = define(&app, |vase| vase["fields"].as_array_mut().unwrap().push(measure)).await;
    assert_eq!(measure.status, 422);
    assert!(measure.text().contains("fields.4.weight"), "{}", measure.text());
    define(&app, |vase| vase["fields"][1]["weight"] = json!("usual"))
        .await
        .ok();
    assert_eq!(titles(&app, "silver").await, ["Bowl 10", "Cup"]);
    // The story is no column. First in the language of the house, then in that of the collection.
    assert_eq!(titles(&app, "sort:story").await, ["Ewer", "Jug", "Bowl 10", "Cup"]);
    define(&app, |vase| vase["language"] = json!("sv")).await.ok();
    app.post("/api/search/rebuild", &json!({})).await.ok();
    assert_eq!(titles(&app, "sort:story").await, ["Bowl 10", "Jug", "Cup", "Ewer"]);
    // A field that is hidden orders nothing.
    assert_eq!(titles(&app, "sort:donor silver").await.len(), 2);
    app.stop().await;
}

async fn what_costs_much_is_told(db: TestDb) {
    let app = TestApp::start(&db).await;
    collection(&app).await;
    put(&app, "public", json!({"title": "Bowl", "story": "silver"})).await;
    let letters = |of: &dyn Fn(char) -> String| ('a'..='z').map(of).collect::<Vec<_>>();
    let any = |words: Vec<String>| words.join(" | ");
    let ask = async |question: String| {
        let path = format!(
            "/api/search?{}",
            serde_html_form::to_string([("q", question.as_str())]).unwrap()
        );
        let found = app.get_anonymous(&path).await.ok().json();
        (found["total"].as_u64().unwrap(), found["hints"].to_string())
    };
    for question in [
        any(letters(&|c| format!("*{c}*"))),
        any(letters(&|c| format!("{c}*"))),
        any(letters(&|c| format!("silv{c}r~2"))),
        any(letters(&|c| format!("\"sil* {c}*\""))),
    ] {
        let (_, hints) = ask(question.clone()).await;
        assert!(hints.contains("first 12 words"), "{question} {hints}");
    }
    let near = (0..100).map(|n| format!("near:{},0~1km", f64::from(n) / 2.0)).collect();
    assert!(ask(any(near)).await.1.contains("first 64 spans"));
    let same = ask("*il* ".repeat(200)).await;
    assert_eq!(same, (1, "null".to_owned()), "the same said often is asked once");
    app.stop().await;
}
