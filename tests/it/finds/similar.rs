//! Records much like one.

use serde_json::json;
use vitrine::both;
use vitrine::kernel::testing::{TestApp, TestDb};

use super::{CANARY, collection, page, patch, put};

both!(
    what_is_alike_is_judged_by_what_the_reader_sees,
    what_is_new_may_weigh_more
);

fn ids(answer: vitrine::kernel::testing::Answer) -> Vec<String> {
    let items = answer.ok().json()["items"].clone();
    let id = |item: &serde_json::Value| item["id"].as_str().unwrap().to_owned();
    items.as_array().unwrap().iter().map(id).collect()
}

async fn what_is_alike_is_judged_by_what_the_reader_sees(db: TestDb) {
    let app = TestApp::start(&db).await;
    collection(&app).await;
    let caddy = put(
        &app,
        "public",
        json!({"title": "Blue caddy for tea", "material": "porcelain", "donor": "A quiet giver"}),
    )
    .await;
    let white = put(&app, "public", json!({"title": "White caddy", "material": "porcelain"})).await;
    let nail = put(
        &app,
        "public",
        json!({"title": "Nail", "material": "iron", "donor": "A quiet giver"}),
    )
    .await;
    let hidden = put(
        &app,
        "restricted",
        json!({"title": format!("Blue caddy {CANARY}"), "material": "porcelain"}),
    )
    .await;
    for n in 0..8 {
        put(
            &app,
            "public",
            json!({"title": format!("Spoon number {n}"), "material": "silver"}),
        )
        .await;
    }
    let path = format!("/api/records/{caddy}/similar");
    let seen = ids(app.get_anonymous(&path).await);
    assert_eq!(
        seen,
        [white.as_str()],
        "not what only a hidden field or a hidden record says"
    );
    let all = ids(app.get(&path).await);
    assert!(
        all.contains(&hidden) && all.contains(&nail) && all.contains(&white),
        "{all:?}"
    );
    assert!(!all.contains(&caddy));
    assert_eq!(ids(app.get(&format!("{path}?limit=1")).await).len(), 1);
    assert_eq!(app.get(&format!("{path}?limit=51")).await.status, 422);
    // What is not there for somebody is like nothing.
    let refused = app.get_anonymous(&format!("/api/records/{hidden}/similar")).await;
    assert_eq!(refused.status, 404);
    let shown = page(&app, &format!("/records/{caddy}")).await.ok().text();
    assert!(
        shown.contains("Similar records") && shown.contains("White caddy"),
        "{shown}"
    );
    assert!(!shown.contains(CANARY) && !shown.contains("Nail"));
    // What is closed is gone from the list at once.
    patch(&app, &white, &json!({"visibility": "restricted", "document": {}})).await;
    assert_eq!(ids(app.get_anonymous(&path).await), Vec::<String>::new());
    let shown = page(&app, &format!("/records/{caddy}")).await.ok().text();
    assert!(!shown.contains("Similar records"));
    app.stop().await;
}

async fn what_is_new_may_weigh_more(db: TestDb) {
    let app = TestApp::start(&db).await;
    collection(&app).await;
    let story = json!({"title": "Pot for tea", "story": "A teapot, as a teapot should be"});
    let old = put(&app, "public", story).await;
    db.clock().advance(3 * 31_557_600_000);
    let new = put(&app, "public", json!({"title": "Pot for tea", "story": "A teapot"})).await;
    assert_eq!(
        ids(app.get_anonymous("/api/search?q=teapot").await),
        [old.as_str(), &new]
    );
    assert_eq!(
        ids(app.get_anonymous("/api/search?q=teapot&sort=newer").await),
        [new.as_str(), &old]
    );
    let first = app
        .get_anonymous("/api/search?q=teapot&sort=newer&limit=1")
        .await
        .ok()
        .json();
    let next = format!(
        "/api/search?q=teapot&sort=newer&limit=1&cursor={}",
        first["next"].as_str().unwrap()
    );
    assert_eq!(ids(app.get_anonymous(&next).await), [old.as_str()]);
    // Two neighbouring characters are found, wherever the word begins and ends.
    let museum = put(&app, "public", json!({"title": "국립중앙박물관은 東京国立博物館と"})).await;
    for q in ["중앙", "박물", "京国", "博物館"] {
        let path = format!(
            "/api/search?q={}",
            serde_html_form::to_string([("", q)]).unwrap().trim_start_matches('=')
        );
        assert_eq!(ids(app.get_anonymous(&path).await), [museum.as_str()], "{q}");
    }
    let none = serde_html_form::to_string([("q", "앙국")]).unwrap();
    assert_eq!(
        ids(app.get_anonymous(&format!("/api/search?{none}")).await),
        Vec::<String>::new()
    );
    app.stop().await;
}
