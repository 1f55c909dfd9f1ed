//! A collection as a whole over HTTP: opened and closed, its definition changed by a form, deleted with everything in it.

use bytes::Bytes;
use hyper::Method;
use serde_json::{Value, json};

use vitrine::both;
use vitrine::kernel::db::sql;
use vitrine::kernel::testing::{TestApp, TestDb};

both!(a_collection_is_opened_and_deleted);
both!(a_definition_by_a_form);
both!(the_sample_goes_as_it_came);

async fn make(app: &TestApp, name: &str, visibility: &str, target: Option<&str>) {
    let mut fields = vec![
        json!({ "name": "title", "kind": "text" }),
        json!({ "name": "number", "kind": "identifier" }),
    ];
    fields.extend(target.map(|target| json!({ "name": "part_of", "kind": "link", "target": target })));
    let kind = json!({ "name": name, "title": "title", "key": "number", "visibility": visibility, "fields": fields });
    app.post("/api/types", &kind).await.ok();
}

async fn import(app: &TestApp, name: &str, text: &str) {
    let request = app.signed(Method::POST, &format!("/api/imports?type={name}&name=a.csv"));
    let request = request.header("content-type", "text/csv");
    app.send(request, Bytes::from(text.to_owned())).await.ok();
    app.drain_jobs().await;
}

async fn total(app: &TestApp, name: &str) -> Value {
    let found = app.get_anonymous(&format!("/api/search?type={name}&wait=true")).await;
    found.ok().json()["total"].clone()
}

/// How many records everybody finds by a word.
async fn found(app: &TestApp, word: &str) -> Value {
    let found = app.get_anonymous(&format!("/api/search?q={word}&wait=true")).await;
    found.ok().json()["total"].clone()
}

async fn count(db: &TestDb, statement: &'static str) -> i64 {
    let (count,): (i64,) = sql(statement).one(&**db).await.unwrap();
    count
}

/// Of the deleted collection `vase`, beside its emptied versions.
async fn nothing_is_left(db: &TestDb) {
    for rest in [
        "SELECT COUNT(*) FROM record WHERE type = 'vase'",
        "SELECT COUNT(*) FROM identifier WHERE type = 'vase'",
        "SELECT COUNT(*) FROM import WHERE type = 'vase'",
        "SELECT COUNT(*) FROM relation_tuple",
    ] {
        assert_eq!(count(db, rest).await, 0, "{rest}");
    }
}

/// Gives a group a role in each of these places.
async fn give_roles(app: &TestApp, places: &[&str]) {
    let group = app.post("/api/groups", &json!({ "name": "Potters" })).await.ok().json();
    let group = format!("group:{}#member", group["id"].as_str().unwrap());
    for place in places {
        let grant = json!({ "subject": group, "role": "editor", "place": place });
        app.post("/api/grants", &grant).await.ok();
    }
}

async fn a_collection_is_opened_and_deleted(db: TestDb) {
    let app = TestApp::start(&db).await;
    make(&app, "vase", "members", None).await;
    import(&app, "vase", "number,title\n1,Jar\n2,Bowl\n3,Cup\n").await;
    let cup = app.get("/api/records?type=vase&sort=-id&limit=1").await.ok().json()["items"][0]["id"].clone();
    let cup = cup.as_str().unwrap().to_owned();
    let private = app
        .signed(Method::PATCH, &format!("/api/records/{cup}"))
        .header("if-match", "\"1\"");
    let private = private.header("content-type", "application/merge-patch+json");
    app.send(private, Bytes::from(json!({ "visibility": "restricted" }).to_string()))
        .await
        .ok();
    assert_eq!(total(&app, "vase").await, 0);

    // Opened: all but the one that was closed by itself. A second click on an old page changes nothing.
    let opened = app
        .send_form("/types/vase/visibility", &[("version", "1"), ("to", "public")])
        .await;
    assert_eq!(opened.status, 303, "{}", opened.text());
    app.drain_jobs().await;
    assert_eq!(total(&app, "vase").await, 2);
    assert_eq!(
        app.send_form("/types/vase/visibility", &[("version", "1"), ("to", "members")])
            .await
            .status,
        412
    );
    assert_eq!(app.get_anonymous(&format!("/records/{cup}")).await.status, 404);
    app.send_form("/types/vase/visibility", &[("version", "2"), ("to", "members")])
        .await;
    app.drain_jobs().await;
    assert_eq!(total(&app, "vase").await, 0);

    // Deleted: not before the name was written, and not while another collection leads to it. Roles in it end with it.
    make(&app, "shard", "public", Some("vase")).await;
    give_roles(&app, &["type:vase", "type:shard"]).await;
    assert_eq!(count(&db, "SELECT COUNT(*) FROM relation_tuple").await, 2);
    let held = app.send_form("/types/vase/delete", &[("confirm", "vase")]).await;
    assert_eq!(held.status, 409, "{}", held.text());
    let empty = app
        .signed(Method::DELETE, "/api/types/shard")
        .header("if-match", "\"1\"");
    assert_eq!(app.send(empty, Bytes::new()).await.status, 204);
    let wrong = app.send_form("/types/vase/delete", &[("confirm", "vases")]).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("Write the name"));
    make(&app, "copy", "public", None).await;
    import(&app, "copy", "number,title\n1,Jar\n2,Bowl\n3,Cup\n").await;
    assert_eq!(found(&app, "Jar").await, 1);
    let removed = app.send_form("/types/vase/delete", &[("confirm", " vase ")]).await;
    assert_eq!(removed.status, 303, "{}", removed.text());
    assert_eq!(
        app.get(&format!("/api/records/{cup}")).await.status,
        404,
        "gone at once"
    );
    let again = json!({ "name": "vase", "fields": [{ "name": "a", "kind": "text" }] });
    assert_eq!(
        app.post("/api/types", &again).await.status,
        409,
        "not before it has ended"
    );
    app.drain_jobs().await;
    nothing_is_left(&db).await;
    assert_eq!(
        count(
            &db,
            "SELECT COUNT(*) FROM version WHERE kind = 'record' AND document IS NOT NULL"
        )
        .await,
        3
    );
    assert_eq!(app.get(&format!("/api/records/{cup}")).await.status, 404);
    app.post("/api/types", &again).await.ok();

    // The file that the other collection came from as well goes with the last of both, and not while somebody is about
    // to import it once more.
    let blob = app.get("/api/records?type=copy&limit=1").await.ok().json()["items"][0]["source"]["blob"].clone();
    let blob = blob.as_str().unwrap();
    assert!(app.kernel().blobs.exists(blob).await.unwrap());
    let upload = app.signed(Method::POST, "/api/uploads?name=a.csv");
    let draft = app
        .send(upload, Bytes::from("number,title\n1,Jar\n2,Bowl\n3,Cup\n"))
        .await;
    let draft = draft.json()["id"].as_str().unwrap().to_owned();
    let last = app
        .signed(Method::DELETE, "/api/types/copy?records=true")
        .header("if-match", "\"1\"");
    assert_eq!(app.send(last, Bytes::new()).await.status, 202);
    app.drain_jobs().await;
    assert!(app.kernel().blobs.exists(blob).await.unwrap());
    app.age(blob);
    let drop = app.signed(Method::DELETE, &format!("/api/import-drafts/{draft}"));
    assert_eq!(app.send(drop, Bytes::new()).await.status, 204);
    assert!(!app.kernel().blobs.exists(blob).await.unwrap());
    assert_eq!(found(&app, "Jar").await, 0);
}

async fn a_definition_by_a_form(db: TestDb) {
    let app = TestApp::start(&db).await;
    make(&app, "vase", "public", None).await;
    import(&app, "vase", "number,title\n1,Jar\n2,\n").await;
    app.get("/types/vase/edit").await.ok();
    let mut form = vec![
        ("version", "1"),
        ("whole", "1"),
        ("def/label", "Vases"),
        ("def/description", "All that holds flowers."),
        ("def/title", "title"),
        ("def/key", "number"),
        ("def/licence", "https://creativecommons.org/publicdomain/zero/1.0/"),
        ("def/credit", "The friends"),
        ("def/fields/title/label", "Name"),
        ("def/fields/title/required", "true"),
        ("def/fields/title/column", "true"),
        ("def/fields/title/level", "public"),
        ("def/fields/number/level", "members"),
    ];
    // One record has no title: that is said before anything is saved.
    let held = app.send_form("/types/vase/edit", &form).await.ok().text();
    assert!(held.contains("1 record does not keep the new rules"), "{held}");
    assert_eq!(app.get("/api/types/vase").await.json()["labels"], json!(null));
    form.push(("do", "anyway"));
    let saved = app.send_form("/types/vase/edit", &form).await;
    assert_eq!(saved.status, 303, "{}", saved.text());
    let kind = app.get("/api/types/vase").await.ok().json();
    assert_eq!(
        kind["fields"][0],
        json!({ "name": "title", "kind": "text", "labels": { "en": "Name" }, "required": true, "column": true })
    );
    assert_eq!(
        (&kind["fields"][1]["level"], &kind["credit"]),
        (&json!("members"), &json!("The friends"))
    );
    let shown = app.get_anonymous("/types/vase").await.ok().text();
    assert!(
        shown.contains("All that holds flowers.") && shown.contains("CC0 1.0") && !shown.contains("/types/vase/delete")
    );
    // An old page shows what was written over the newest state.
    let stale = app.send_form("/types/vase/edit", &form).await;
    assert_eq!(stale.status, 412);
    assert!(stale.text().contains("Somebody else changed"));
    form[0] = ("version", "2");
    form[4] = ("def/title", "nothing");
    assert_eq!(app.send_form("/types/vase/edit", &form).await.status, 422);
}

async fn the_sample_goes_as_it_came(db: TestDb) {
    let app = TestApp::start(&db).await;
    let exchange = app.bus().port::<dyn vitrine::contract::exchange::Exchange>().unwrap();
    exchange.load_samples().await.unwrap();
    app.drain_jobs().await;
    make(&app, "vase", "public", None).await;
    assert!(total(&app, "penguin").await.as_i64().unwrap() > 300);
    let removed = app.send(app.signed(Method::DELETE, "/api/sample"), Bytes::new()).await;
    assert_eq!(removed.ok().json()["jobs"].as_array().unwrap().len(), 2);
    app.drain_jobs().await;
    assert_eq!(count(&db, "SELECT COUNT(*) FROM record").await, 0);
    assert_eq!(
        count(&db, "SELECT COUNT(*) FROM version WHERE document IS NOT NULL").await,
        1,
        "the vase"
    );
    assert_eq!(found(&app, "Adelie").await, 0);
    // What somebody made under the sample's names is not the sample.
    make(&app, "penguin", "public", None).await;
    let removed = app.send(app.signed(Method::DELETE, "/api/sample"), Bytes::new()).await;
    assert_eq!(removed.ok().json()["jobs"], json!([]));
}
