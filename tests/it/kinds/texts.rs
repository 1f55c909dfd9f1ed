//! Texts with marks: shown with them, searched without them, brought out as they were written; and what is markup in them
//! stays words.

use serde_json::json;
use vitrine::both;
use vitrine::kernel::testing::{TestApp, TestDb};

use super::{exported, found, import, make};

both!(marks_are_shown_and_markup_is_not);

async fn marks_are_shown_and_markup_is_not(db: TestDb) {
    let app = TestApp::start(&db).await;
    let kind = |kind: &str| {
        json!({ "name": "vase", "title": "title", "visibility": "public", "fields": [
            { "name": "title", "kind": "text" },
            { "name": "story", "kind": kind, "rich": true } ] })
    };
    let refused = app.post("/api/types", &kind("number")).await;
    assert!(
        refused.status == 422 && refused.text().contains("kind text only"),
        "{}",
        refused.text()
    );
    app.post("/api/types", &kind("text")).await.ok();
    let schema = app.get("/api/types/vase/schema").await.ok().json();
    assert_eq!(
        schema["properties"]["story"]["contentMediaType"], "text/markdown",
        "{schema}"
    );
    let story = "# Found\n\nIn a **ce**llar, see [the card](https://example.org/7).\n\n<script>alert(1)</script>\n\n\
        [bad](javascript:alert(1)) ![cup](https://example.org/cup.jpg)";
    let made = make(&app, "vase", json!({ "title": "Vase", "story": story })).await;
    let id = made.ok().json()["id"].as_str().unwrap().to_owned();
    let page = app.page(&format!("/records/{id}")).await.ok().text();
    for part in [
        "<h3>Found</h3>",
        "In a <strong>ce</strong>llar",
        "<a href=\"https://example.org/7\">the card</a>",
        "<a href=\"https://example.org/cup.jpg\">cup</a>",
        "&lt;script&gt;",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(
        !page.contains("<script>alert") && !page.contains("href=\"javascript"),
        "{page}"
    );
    // A word is found though marks stand within it.
    assert_eq!(found(&app, &[("type", "vase"), ("q", "cellar")]).await, ["Vase"]);
    let form = app.page(&format!("/records/{id}/edit")).await.ok().text();
    assert!(form.contains("**strong**"), "{form}");
    // Out and in again it is the same.
    let out = exported(&app, "vase").await;
    assert!(out.contains("**ce**llar"), "{out}");
    let view = import(&app, "type=vase&name=out.csv", &out).await;
    assert_eq!((&view["unchanged"], &view["refused"]), (&json!(1), &json!(0)), "{view}");
    app.stop().await;
}
