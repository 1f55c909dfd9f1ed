//! Collections closed and opened again, and deleted while work on them waits, over HTTP on both engines: nothing gets more
//! open than it was, nothing comes back that was deleted.

use bytes::Bytes;
use hyper::Method;
use serde_json::{Value, json};
use vitrine::both;
use vitrine::kernel::db::{Write, sql};
use vitrine::kernel::testing::{Answer, TestApp, TestDb};

both!(
    closed_and_opened_is_as_it_was,
    closing_closes_all_of_it,
    a_deleted_type_is_not_made_anew,
    deleting_needs_the_right_to_write,
    a_preview_is_cut_to_who_asked,
    what_an_importer_does_not_see_stays,
    choosing_while_it_is_looked_at,
);

async fn make(app: &TestApp, name: &str, visibility: &str) {
    let fields = json!([
        { "name": "title", "kind": "text" },
        { "name": "number", "kind": "identifier" },
        { "name": "donor", "kind": "text", "level": "restricted" },
    ]);
    let kind = json!({ "name": name, "title": "title", "key": "number", "visibility": visibility, "fields": fields });
    app.post("/api/types", &kind).await.ok();
}

async fn add(app: &TestApp, name: &str, number: &str) -> String {
    let record = json!({ "type": name, "document": { "number": number, "title": number, "donor": "Ms Gray" } });
    let made = app.post("/api/records", &record).await.ok().json();
    made["id"].as_str().unwrap().to_owned()
}

async fn look(app: &TestApp, id: &str) -> Value {
    app.get(&format!("/api/records/{id}")).await.ok().json()
}

/// Gives one record a visibility by hand.
async fn set(app: &TestApp, id: &str, visibility: &str) {
    let version = look(app, id).await["version"].as_i64().unwrap();
    let request = app
        .signed(Method::PATCH, &format!("/api/records/{id}"))
        .header("if-match", format!("\"{version}\""))
        .header("content-type", "application/merge-patch+json");
    let wanted = json!({ "visibility": visibility }).to_string();
    app.send(request, Bytes::from(wanted)).await.ok();
}

async fn levels(app: &TestApp, ids: &[&String]) -> Vec<String> {
    let mut levels = Vec::new();
    for id in ids {
        levels.push(look(app, id).await["visibility"].as_str().unwrap().to_owned());
    }
    levels
}

/// Opens or closes a collection by its form.
async fn door(app: &TestApp, name: &str, to: &str) {
    let version = app
        .get(&format!("/api/types/{name}"))
        .await
        .ok()
        .header("etag")
        .unwrap();
    let pairs = [("version", version.trim_matches('"')), ("to", to)];
    let answer = app.send_form(&format!("/types/{name}/visibility"), &pairs).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    app.drain_jobs().await;
}

async fn closed_and_opened_is_as_it_was(db: TestDb) {
    let app = TestApp::start(&db).await;
    make(&app, "vase", "public").await;
    let (follows, inside, hidden) = (
        add(&app, "vase", "1").await,
        add(&app, "vase", "2").await,
        add(&app, "vase", "3").await,
    );
    set(&app, &inside, "members").await;
    set(&app, &hidden, "restricted").await;
    door(&app, "vase", "members").await;
    assert_eq!(
        levels(&app, &[&follows, &inside, &hidden]).await,
        ["members", "members", "restricted"]
    );
    // Made while it is closed: follows. Closed further and half opened again, still nothing is lost.
    let later = add(&app, "vase", "4").await;
    door(&app, "vase", "restricted").await;
    door(&app, "vase", "members").await;
    let all = [&follows, &inside, &hidden, &later];
    assert_eq!(
        levels(&app, &all).await,
        ["members", "members", "restricted", "members"]
    );
    door(&app, "vase", "public").await;
    assert_eq!(levels(&app, &all).await, ["public", "members", "restricted", "public"]);
    // Straight from one end to the other, and what was opened by hand meanwhile stays so.
    door(&app, "vase", "restricted").await;
    set(&app, &later, "public").await;
    door(&app, "vase", "public").await;
    assert_eq!(levels(&app, &all).await, ["public", "members", "restricted", "public"]);
    app.stop().await;
}

async fn closing_closes_all_of_it(db: TestDb) {
    let app = TestApp::start(&db).await;
    make(&app, "vase", "members").await;
    let (follows, open) = (add(&app, "vase", "1").await, add(&app, "vase", "2").await);
    set(&app, &open, "public").await;
    assert_eq!(app.get_anonymous(&format!("/api/records/{open}")).await.status, 200);
    door(&app, "vase", "restricted").await;
    assert_eq!(levels(&app, &[&follows, &open]).await, ["restricted", "restricted"]);
    assert_eq!(app.get_anonymous(&format!("/api/records/{open}")).await.status, 404);
    door(&app, "vase", "members").await;
    assert_eq!(levels(&app, &[&follows, &open]).await, ["members", "public"]);
    // A closing that is undone is no closing any more.
    door(&app, "vase", "restricted").await;
    let changes = app.get("/api/changes?cause=type.visibility&limit=1").await.ok().json();
    let change = changes["items"][0]["id"].as_str().unwrap();
    app.post(&format!("/api/changes/{change}/undo"), &json!({})).await.ok();
    app.drain_jobs().await;
    assert_eq!(levels(&app, &[&follows, &open]).await, ["members", "public"]);
    set(&app, &open, "members").await;
    door(&app, "vase", "public").await;
    assert_eq!(levels(&app, &[&follows, &open]).await, ["public", "public"]);
    app.stop().await;
}

async fn begin(app: &TestApp, content: &str, query: &str) -> String {
    let request = app.signed(Method::POST, &format!("/api/imports?{query}"));
    let begun = app.send(request, Bytes::from(content.to_owned())).await.ok().json();
    begun["job"].as_str().unwrap().to_owned()
}

async fn delete(app: &TestApp, name: &str) {
    let version = app
        .get(&format!("/api/types/{name}"))
        .await
        .ok()
        .header("etag")
        .unwrap();
    let request = app
        .signed(Method::DELETE, &format!("/api/types/{name}?records=true"))
        .header("if-match", version);
    app.send(request, Bytes::new()).await.ok();
}

async fn a_deleted_type_is_not_made_anew(db: TestDb) {
    let app = TestApp::start(&db).await;
    let gone = async |job: &str| {
        let job = app.get(&format!("/api/jobs/{job}")).await.ok().json();
        assert_eq!(
            (&job["state"], &job["attempts"]),
            (&json!("failed"), &json!(1)),
            "{job}"
        );
        assert!(job["error"].as_str().unwrap().contains("was deleted"), "{job}");
        assert_eq!(app.get("/api/types/pot").await.status, 404);
    };
    let table = |from: usize| {
        let rows: String = (from..from + 50).map(|n| format!("{n},Pot {n}\n")).collect();
        format!("number,title\n{rows}")
    };
    let query = "type=pot&infer=true&key=number";
    // One that has not begun when the deletion begins ends with it, at once.
    begin(&app, &table(0), query).await;
    app.drain_jobs().await;
    let waits = begin(&app, &table(100), query).await;
    delete(&app, "pot").await;
    app.drain_jobs().await;
    gone(&waits).await;
    // One that still waits when the deletion has ended: it was asked for before that.
    begin(&app, &table(0), query).await;
    app.drain_jobs().await;
    let waits = begin(&app, &table(100), query).await;
    hold(&db, &waits, true).await;
    delete(&app, "pot").await;
    app.drain_jobs().await;
    hold(&db, &waits, false).await;
    app.drain_jobs().await;
    gone(&waits).await;
    let (left,): (i64,) = sql("SELECT COUNT(*) FROM import").one(&*db).await.unwrap();
    assert_eq!(left, 0);
    // Who brings the file after that makes a new one.
    begin(&app, &table(0), query).await;
    app.drain_jobs().await;
    app.get("/api/types/pot").await.ok();
    app.stop().await;
}

/// Keeps a job from running, or lets it.
async fn hold(db: &TestDb, job: &str, held: bool) {
    let run_at = if held { i64::MAX / 2 } else { 0 };
    let write = db.write(Write::interactive("test"), |tx| {
        Box::pin(async move {
            sql("UPDATE job SET run_at = $2 WHERE id = $1")
                .bind(job)
                .bind(run_at)
                .exec(tx)
                .await
        })
    });
    write.await.unwrap();
}

/// A token with a scope, and what it sends.
async fn token(app: &TestApp, scope: Value) -> String {
    let made = app
        .post("/api/tokens", &json!({ "name": "desk", "scope": scope }))
        .await;
    made.ok().json()["secret"].as_str().unwrap().to_owned()
}

async fn send(app: &TestApp, secret: &str, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = app
        .unsigned(method, path)
        .header("authorization", format!("Bearer {secret}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.send(request, Bytes::from(body.to_owned())).await
}

async fn deleting_needs_the_right_to_write(db: TestDb) {
    let app = TestApp::start(&db).await;
    make(&app, "vase", "public").await;
    add(&app, "vase", "1").await;
    let secret = token(&app, json!(["types.*", "records.read", "records.restricted"])).await;
    let path = "/api/types/vase?records=true";
    let refused = send(&app, &secret, Method::DELETE, path, &[("if-match", "\"1\"")], "").await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let refused = send(&app, &secret, Method::POST, "/types/vase/delete", &form, "confirm=vase").await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    let page = send(&app, &secret, Method::GET, "/types/vase", &[], "")
        .await
        .ok()
        .text();
    assert!(!page.contains("/types/vase/delete"), "{page}");
    app.get("/api/types/vase").await.ok();
    app.stop().await;
}

async fn a_preview_is_cut_to_who_asked(db: TestDb) {
    let app = TestApp::start(&db).await;
    make(&app, "vase", "public").await;
    add(&app, "vase", "1").await;
    let hidden = add(&app, "vase", "2").await;
    set(&app, &hidden, "restricted").await;
    let (file, whole_file) = (
        "number,title\n1,Jar\n2,Urn\n",
        "number,title,donor\n1,Jar,Mr Black\n2,Urn,Mr Black\n",
    );
    let secret = token(&app, json!(["records.read", "records.write"])).await;
    let path = "/api/imports?type=vase&name=a.csv&dry_run=true";
    let begun = send(&app, &secret, Method::POST, path, &[], file).await.ok().json();
    app.drain_jobs().await;
    let path = format!("/api/imports/{}", begun["job"].as_str().unwrap());
    let seen = send(&app, &secret, Method::GET, &path, &[], "").await.ok().json();
    assert_eq!((&seen["updated"], &seen["refused"]), (&json!(1), &json!(1)), "{seen}");
    let changes = seen["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 1, "{seen}");
    assert!(
        seen.to_string().contains("Jar") && !seen.to_string().contains("Ms Gray"),
        "{seen}"
    );
    // Who asks for the same sees more, and nobody else sees values of a preview of theirs.
    let whole = begin(&app, whole_file, "type=vase&name=b.csv&dry_run=true&reason=mine").await;
    app.drain_jobs().await;
    let path = format!("/api/imports/{whole}");
    let whole = app.get(&path).await.ok().json();
    assert!(whole.to_string().contains("Ms Gray") && whole["changes"].as_array().unwrap().len() == 2);
    let other = send(&app, &secret, Method::GET, &path, &[], "").await.ok().text();
    assert!(!other.contains("Ms Gray") && !other.contains("Urn"), "{other}");
    app.stop().await;
}

/// Somebody chooses while the whole file is looked at: what was chosen stands, and the look ends.
async fn choosing_while_it_is_looked_at(db: TestDb) {
    let app = TestApp::start(&db).await;
    let rows: String = (0..400).map(|n| format!("{n},Pot {n}\n")).collect();
    for round in 0..6 {
        let request = app.signed(Method::POST, "/api/uploads?name=pots.csv");
        let file = format!("number,title\n{rows}x{round},y\n");
        let draft = app.send(request, Bytes::from(file)).await.ok().json();
        let path = format!("/api/import-drafts/{}", draft["id"].as_str().unwrap());
        app.get(&path).await.ok();
        let label = format!("Pots of round {round}");
        let choices = json!({ "label": label });
        let (_, chosen) = futures_util::join!(app.drain_jobs(), app.with_json(Method::PATCH, &path, &choices));
        assert!(chosen.status == 200, "{}", chosen.text());
        app.get(&path).await.ok();
        app.drain_jobs().await;
        let seen = app.get(&path).await.ok().json();
        assert_eq!(seen["found"]["rows"], 401, "{seen}");
        assert_eq!(seen["choices"]["label"], json!(label), "{seen}");
    }
    app.stop().await;
}

/// A file brought by somebody who sees less changes only what they see: hidden fields keep their values, hidden records are
/// neither changed nor missed, and a report of somebody else's file is not theirs to read.
async fn what_an_importer_does_not_see_stays(db: TestDb) {
    let app = TestApp::start(&db).await;
    make(&app, "vase", "public").await;
    let (first, second, hidden) = (
        add(&app, "vase", "1").await,
        add(&app, "vase", "2").await,
        add(&app, "vase", "3").await,
    );
    set(&app, &hidden, "restricted").await;
    let secret = token(&app, json!(["records.read", "records.write"])).await;
    let import = async |file: &str, query: &str| {
        let path = format!("/api/imports?type=vase&name=a.csv{query}");
        let begun = send(&app, &secret, Method::POST, &path, &[], file).await.ok().json();
        app.drain_jobs().await;
        let path = format!("/api/imports/{}", begun["job"].as_str().unwrap());
        send(&app, &secret, Method::GET, &path, &[], "").await.ok().json()
    };
    let donor = async |id: &str| look(&app, id).await["document"]["donor"].clone();
    let done = import("number,title\n1,Jar\n3,Urn\n4,Cup\n", "").await;
    let counts = ["created", "updated", "refused"].map(|name| done[name].as_i64().unwrap());
    assert_eq!(counts, [1, 1, 1], "{done}");
    assert_eq!(look(&app, &first).await["document"]["title"], "Jar");
    assert_eq!(donor(&first).await, "Ms Gray", "what was not seen is as it was");
    assert_eq!(look(&app, &hidden).await["version"], 2);
    // The same again changes nothing, and what the file does not name is missed only where it is seen.
    let again = import("number,title\n1,Jar\n4,Cup\n", "&delete_missing=true").await;
    assert_eq!(
        (&again["unchanged"], &again["deleted"]),
        (&json!(2), &json!(1)),
        "{again}"
    );
    assert_eq!(app.get(&format!("/api/records/{second}")).await.status, 410);
    look(&app, &hidden).await;
    // A column that is hidden is one that is not there.
    let refused = import("number,title,donor\n1,Jar,Me\n", "").await;
    assert!(
        refused["error"].as_str().unwrap().contains("has no field \"donor\""),
        "{refused}"
    );
    assert_eq!(donor(&first).await, "Ms Gray");
    // What the file of somebody else says that was refused.
    let others = begin(
        &app,
        "number,title,donor\n5,Pot,Mr Black\n5,Pan,Mr Green\n",
        "type=vase&name=b.csv",
    )
    .await;
    app.drain_jobs().await;
    let path = format!("/api/imports/{others}");
    assert!(app.get(&format!("{path}/report")).await.ok().text().contains("already"));
    let seen = send(&app, &secret, Method::GET, &path, &[], "").await.ok().json();
    assert_eq!((&seen["refused"], &seen["refusals"]), (&json!(1), &json!([])), "{seen}");
    let report = send(&app, &secret, Method::GET, &format!("{path}/report"), &[], "").await;
    assert_eq!(report.status, 403, "{}", report.text());
    app.stop().await;
}
