//! What people ask for, and what a curator shows them first.

use hyper::Method;
use serde_json::json;
use vitrine::both;
use vitrine::kernel::db::sql;
use vitrine::kernel::testing::{TestApp, TestDb};

use super::{CANARY, collection, page, put};

both!(
    what_is_asked_for_is_counted_without_who_asked,
    a_record_is_shown_first_to_whoever_may_see_it,
    words_that_mean_the_same_are_added_where_they_are_missed
);

async fn what_is_asked_for_is_counted_without_who_asked(db: TestDb) {
    let app = TestApp::start(&db).await;
    collection(&app).await;
    put(&app, "public", json!({"title": "Teapot"})).await;
    for path in [
        "/search?q=Unicorn",
        "/search?q=+unicorn+&type=vase",
        "/search?q=teapot",
        // None of these is counted: filters and pages, what may name somebody, questions of programs.
        "/search?q=teapot&filter=material%3Atin",
        "/search?q=teapot&page=2",
        "/search?q=teapot&sort=title",
        "/search?q=ada%40example.org",
        "/search?q=0207+946+0958",
        "/search",
    ] {
        page(&app, path).await.ok();
    }
    app.get_anonymous("/api/search?q=griffin").await.ok();
    let nothing = app.get("/api/search/asked?nothing=true").await.ok().json();
    assert_eq!(nothing["items"], json!([{"words": "unicorn", "times": 2, "found": 0}]));
    let most = app.get("/api/search/asked").await.ok().json();
    assert_eq!(
        most["items"],
        json!([{"words": "unicorn", "times": 2, "found": 0}, {"words": "teapot", "times": 1, "found": 1}])
    );
    // Days that are over are forgotten, and the report looks back as far as it is asked to.
    db.clock().advance(40 * 86_400_000);
    assert_eq!(app.get("/api/search/asked").await.ok().json()["items"], json!([]));
    assert_eq!(
        app.get("/api/search/asked?days=90").await.ok().json()["items"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    db.clock().advance(60 * 86_400_000);
    page(&app, "/search?q=phoenix").await.ok();
    app.get("/api/search/asked").await.ok();
    let kept: Vec<(String,)> = sql("SELECT words FROM asked_query").all(&*db).await.unwrap();
    assert_eq!(kept, [("phoenix".to_owned(),)]);
    assert_eq!(app.get_anonymous("/api/search/asked").await.status, 401);
    assert_eq!(app.get("/api/search/asked?limit=0").await.status, 422);
    let shown = app.page("/search/asked").await.ok().text();
    assert!(
        shown.contains("phoenix") && shown.contains("/search/promoted?words=phoenix"),
        "{shown}"
    );
    app.stop().await;
}

async fn a_record_is_shown_first_to_whoever_may_see_it(db: TestDb) {
    let app = TestApp::start(&db).await;
    collection(&app).await;
    for n in 0..30 {
        put(&app, "public", json!({"title": format!("Teapot number {n}")})).await;
    }
    let best = put(
        &app,
        "public",
        json!({"title": "The best of all", "story": "nothing of the kind"}),
    )
    .await;
    let hidden = put(&app, "restricted", json!({"title": format!("Hidden {CANARY}")})).await;
    for record in [&best, &hidden] {
        let set = app
            .post(
                "/api/search/promoted",
                &json!({"words": " TÉAPOT ", "record": format!("/records/{record}")}),
            )
            .await;
        assert_eq!(set.status, 201, "{}", set.text());
    }
    // Said again, it stays once.
    let twice = app
        .post("/api/search/promoted", &json!({"words": "teapot", "record": best}))
        .await
        .ok()
        .json();
    let all = app.get("/api/search/promoted").await.ok().json();
    assert_eq!(all["items"].as_array().unwrap().len(), 2, "{all}");
    let found = app.get_anonymous("/api/search?q=teapot").await.ok().json();
    assert_eq!(
        (&found["total"], &found["promoted"][0]["id"]),
        (&json!(30), &json!(best))
    );
    assert_eq!(found["promoted"].as_array().unwrap().len(), 1, "{found}");
    assert_eq!(
        app.get("/api/search?q=teapot").await.ok().json()["promoted"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let shown = page(&app, "/search?q=Teapot&view=cards").await.ok().text();
    assert!(
        shown.contains("Featured") && shown.contains("The best of all") && shown.contains("30 records"),
        "{shown}"
    );
    let first = shown.find("href=\"/records/");
    assert!(
        first.is_some() && first == shown.find(&format!("href=\"/records/{best}")),
        "{shown}"
    );
    assert!(!shown.contains(CANARY));
    // Only there: not on the next page, not for other words, not among filters, not twice.
    for other in [
        "/search?q=teapot&page=2",
        "/search?q=teapot+number",
        "/search?q=teapot&filter=material%3Ax",
    ] {
        assert!(!page(&app, other).await.ok().text().contains("Featured"), "{other}");
    }
    let next = found["next"].as_str().unwrap();
    assert!(
        app.get_anonymous(&format!("/api/search?q=teapot&cursor={next}"))
            .await
            .ok()
            .json()
            .get("promoted")
            .is_none()
    );
    let one = put(&app, "public", json!({"title": "Samovar"})).await;
    app.post("/api/search/promoted", &json!({"words": "samovar", "record": one}))
        .await
        .ok();
    let shown = page(&app, "/search?q=samovar").await.ok().text();
    assert!(
        shown.contains("1 record") && shown.matches(&format!("href=\"/records/{one}\"")).count() == 1,
        "{shown}"
    );
    // Taken away; nobody else may.
    let id = twice["id"].as_str().unwrap();
    let path = format!("/api/search/promoted/{id}");
    let stranger = app.unsigned(Method::DELETE, &path);
    assert_eq!(app.send(stranger, bytes::Bytes::new()).await.status, 401);
    assert_eq!(app.with_json(Method::DELETE, &path, &json!({})).await.status, 204);
    assert_eq!(app.with_json(Method::DELETE, &path, &json!({})).await.status, 404);
    assert!(!page(&app, "/search?q=teapot").await.ok().text().contains("Featured"));
    for wrong in [
        json!({"words": "", "record": best}),
        json!({"words": "x", "record": "nothing"}),
    ] {
        assert_eq!(app.post("/api/search/promoted", &wrong).await.status, 422, "{wrong}");
    }
    app.stop().await;
}

async fn words_that_mean_the_same_are_added_where_they_are_missed(db: TestDb) {
    let app = TestApp::start(&db).await;
    collection(&app).await;
    put(&app, "public", json!({"title": "Settee of oak"})).await;
    assert!(
        page(&app, "/search?q=sofa")
            .await
            .ok()
            .text()
            .contains("Nothing was found")
    );
    app.get("/api/search/asked?nothing=true").await.ok();
    let seen = async |path: &str| app.page(path).await.ok().text();
    let report = seen("/search/asked").await;
    assert!(
        report.contains("word=sofa#same") && report.contains("Means the same as"),
        "{report}"
    );
    assert!(seen("/search/asked?word=sofa").await.contains("value=\"sofa, \""));
    let said = async |words: &str, of: &str, signed: bool| {
        let path = "/search/asked/synonyms";
        let request = if signed {
            app.signed(Method::POST, path)
        } else {
            app.unsigned(Method::POST, path)
        };
        let request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "text/html");
        let body = serde_html_form::to_string([("words", words), ("type", of)]).unwrap();
        app.send(request, body.into()).await
    };
    assert_eq!(said("sofa, settee", "vase", true).await.status, 303);
    assert_eq!(said("couch,Settee", "vase", true).await.status, 303);
    app.get("/api/search?wait=true&limit=0").await.ok();
    for word in ["sofa", "couch", "settee"] {
        let found = app.get_anonymous(&format!("/api/search?q={word}")).await.ok().json();
        assert_eq!(found["total"], 1, "{word} {found}");
    }
    let definition = app.get("/api/types/vase").await.ok().json();
    assert!(
        definition.to_string().contains("[\"sofa, settee, couch\"]"),
        "{definition}"
    );
    let alone = said("sofa", "vase", true).await;
    assert!(
        alone.status == 422 && alone.text().contains("Two words or more"),
        "{}",
        alone.text()
    );
    for (words, of, status) in [
        ("", "vase", 422),
        ("a,\u{1}b", "vase", 422),
        (&format!("a,{}", "x".repeat(60_000)), "vase", 422),
        ("a,b", "nothing", 404),
        ("a,b", "", 404),
    ] {
        assert_eq!(said(words, of, true).await.status, status, "{of:?}");
    }
    assert_ne!(said("a,b", "vase", false).await.status, 303, "only who curates");
    app.stop().await;
}
