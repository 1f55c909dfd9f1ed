//! What the form of a record offers beside its fields: beginning like another one, with a template or what is carried
//! forward; what a field held before; what is worth another look; and how many fields of a section are wrong.

use bytes::Bytes;
use hyper::Method;
use scraper::{Html, Selector};
use serde_json::{Value, json};
use vitrine::both;
use vitrine::kernel::testing::{TestApp, TestDb};

use crate::shown::count;

both!(
    a_record_begins_like_others,
    a_template_is_its_authors,
    a_form_tells_what_was_and_what_is_odd
);

async fn with_type(db: &TestDb) -> TestApp {
    let app = TestApp::start(db).await;
    let coin = json!({ "name": "coin", "title": "title", "key": "number", "visibility": "public", "fields": [
        { "name": "number", "kind": "identifier" },
        { "name": "title", "kind": "text", "required": true },
        { "name": "found", "kind": "text" },
        { "name": "made", "kind": "date" },
        { "name": "side", "kind": "group", "repeated": true, "fields": [
            { "name": "text", "kind": "text", "required": true }, { "name": "code", "kind": "identifier", "unique": true } ] },
        { "name": "price", "kind": "integer", "level": "restricted" },
    ] });
    app.post("/api/types", &coin).await.ok();
    app
}

async fn coin(app: &TestApp, document: Value) -> String {
    let made = app
        .post("/api/records", &json!({ "type": "coin", "document": document }))
        .await;
    made.ok().json()["id"].as_str().unwrap().to_owned()
}

/// What stands in a field of the form.
fn field(page: &str, name: &str) -> String {
    let page = Html::parse_document(page);
    let found = Selector::parse(&format!("[name='{name}']")).unwrap();
    let one = page.select(&found).next().unwrap_or_else(|| panic!("no {name}"));
    let text = || one.text().collect::<String>().trim().to_owned();
    one.attr("value").map_or_else(text, str::to_owned)
}

async fn a_record_begins_like_others(db: TestDb) {
    let app = with_type(&db).await;
    let first = coin(
        &app,
        json!({ "number": "C1", "title": "Denarius", "found": "Ostia", "side": [{ "text": "SC", "code": "x" }] }),
    )
    .await;
    let like = app.page(&format!("/types/coin/new?like={first}")).await.ok().text();
    assert_eq!(
        (
            field(&like, "doc/title"),
            field(&like, "doc/found"),
            field(&like, "doc/side/#0/text")
        ),
        ("Denarius".to_owned(), "Ostia".to_owned(), "SC".to_owned())
    );
    // What only one may have is left out.
    assert_eq!(
        (field(&like, "doc/number"), field(&like, "doc/side/#0/code")),
        (String::new(), String::new())
    );
    assert!(
        app.page(&format!("/records/{first}"))
            .await
            .ok()
            .text()
            .contains(&format!("new?like={first}"))
    );
    assert_eq!(
        app.page("/types/coin/new?like=0190c0de-0000-7000-8000-000000000001")
            .await
            .status,
        404
    );

    let sent = [
        ("doc/number", "C2"),
        ("doc/title", "As"),
        ("doc/found", "Capua"),
        ("doc/made", "0079"),
        ("carry", "found"),
        ("carry", "number"),
        ("do", "next"),
        ("whole", "1"),
    ];
    let saved = app.send_form("/types/coin/new", &sent).await;
    assert_eq!(saved.status, 303, "{}", saved.text());
    let place = saved.header("location").unwrap();
    let next = app.page(&place).await.ok().text();
    assert_eq!(
        (
            field(&next, "doc/found"),
            field(&next, "doc/title"),
            field(&next, "doc/made"),
            field(&next, "doc/number")
        ),
        ("Capua".to_owned(), String::new(), String::new(), String::new()),
        "{place}"
    );
    assert_eq!(count(&next, "[name=carry][value=found][checked]"), 1);
    assert_eq!(count(&next, "[name=carry][value=number]"), 0);
    app.stop().await;
}

async fn a_template_is_its_authors(db: TestDb) {
    let app = with_type(&db).await;
    let sent = |name: &'static str| {
        [
            ("doc/number", "C9"),
            ("doc/found", "Rome"),
            ("doc/made", "soon"),
            ("template", name),
            ("do", "template"),
            ("whole", "1"),
        ]
    };
    let kept = app.send_form("/types/coin/new", &sent("Loans")).await.ok().text();
    assert!(kept.contains("kept as your template"), "{kept}");
    assert_eq!(
        field(&kept, "doc/number"),
        "C9",
        "the form itself stays as it was entered"
    );
    assert_eq!(app.get("/api/search?type=coin&wait=true").await.ok().json()["total"], 0);
    app.send_form("/types/coin/new", &sent("Loans")).await.ok();
    assert_eq!(app.send_form("/types/coin/new", &sent(" ")).await.status, 422);
    let blank = app.page("/types/coin/new").await.ok().text();
    let links = Html::parse_document(&blank);
    let found = Selector::parse(".template-list a").unwrap();
    let hrefs: Vec<String> = links
        .select(&found)
        .filter_map(|a| a.attr("href").map(str::to_owned))
        .collect();
    assert_eq!(hrefs.len(), 1, "one name is one template");
    let begun = app.page(&hrefs[0]).await.ok().text();
    assert_eq!(
        (
            field(&begun, "doc/found"),
            field(&begun, "doc/made"),
            field(&begun, "doc/number")
        ),
        ("Rome".to_owned(), "soon".to_owned(), String::new())
    );
    let id = hrefs[0].rsplit('=').next().unwrap();
    let dropped = app
        .send_form(&format!("/types/coin/templates/{id}/delete"), &[("", ""); 0])
        .await;
    assert_eq!(dropped.status, 303, "{}", dropped.text());
    assert_eq!(app.page(&hrefs[0]).await.status, 404);
    app.stop().await;
}

async fn a_form_tells_what_was_and_what_is_odd(db: TestDb) {
    let app = with_type(&db).await;
    let first = coin(
        &app,
        json!({ "number": "C1", "title": "Denarius", "found": "Ostia", "price": 3 }),
    )
    .await;
    for (version, found) in [(1, "Capua"), (2, "Capua"), (3, "Rome ")] {
        let body = json!({ "document": { "number": "C1", "title": "Denarius", "found": found, "made": format!("000{version}"), "price": 4 } });
        let request = app.signed(Method::PUT, &format!("/api/records/{first}"));
        let request = request
            .header("content-type", "application/json")
            .header("if-match", format!("\"{version}\""));
        app.send(request, Bytes::from(body.to_string())).await.ok();
    }
    let told = app
        .page(&format!("/records/{first}/field?field=found"))
        .await
        .ok()
        .text();
    let lines = Html::parse_document(&told);
    let values = Selector::parse(".value").unwrap();
    let values: Vec<String> = lines
        .select(&values)
        .map(|one| one.text().collect::<String>().trim().to_owned())
        .collect();
    assert_eq!(values, ["Rome", "Capua", "Ostia"], "{told}");
    assert_eq!(
        app.page(&format!("/records/{first}/field?field=none")).await.status,
        404
    );
    // What is closed tells nothing of what it was either.
    assert_eq!(
        app.get_anonymous(&format!("/records/{first}/field?field=price"))
            .await
            .status,
        404
    );

    coin(&app, json!({ "number": "C2", "title": "Denarius" })).await;
    app.get("/api/search?wait=true&limit=1").await.ok();
    let form = app.page(&format!("/records/{first}/edit")).await.ok().text();
    assert_eq!(count(&form, ".warning"), 2, "{form}");
    assert!(form.contains("another record of the collection is called"), "{form}");
    assert!(
        app.page(&format!("/records/{first}"))
            .await
            .ok()
            .text()
            .contains("Worth another look")
    );
    assert!(
        !app.get_anonymous(&format!("/records/{first}"))
            .await
            .ok()
            .text()
            .contains("Worth another look")
    );

    let sent = [
        ("doc/title", "As"),
        ("doc/side/#0/text", ""),
        ("doc/side/#0/code", "a"),
        ("doc/side/#1/code", "b"),
        ("do", "save"),
        ("whole", "1"),
    ];
    let refused = app.send_form("/types/coin/new", &sent).await;
    assert_eq!(refused.status, 422);
    assert_eq!(
        count(&refused.text(), "legend .badge.bad"),
        3,
        "the list and both of its groups say so"
    );
    app.stop().await;
}
