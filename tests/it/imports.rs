//! The way of a person with a file, over HTTP: brought, looked at, corrected, rehearsed, imported; refused, mended and
//! brought again; thrown away. On both engines.

use axum::http::Method;
use bytes::Bytes;
use hyper::StatusCode;
use serde_json::{Value, json};
use vitrine::both;
use vitrine::kernel::db::{Write, pick, sql};
use vitrine::kernel::testing::{Answer, TestApp, TestDb};

both!(
    a_messy_table_becomes_a_collection,
    what_is_refused_is_told_mended_and_brought_again,
    a_file_goes_into_a_collection_that_is_there,
    drafts_belong_to_who_brought_them_and_go,
    a_draft_is_imported_once,
    a_look_takes_the_place_of_the_one_before,
);

/// Semicolons, a decimal comma, days before months, an empty column.
const MESSY: &str = "Inventar;Bezeichnung;Preis;Gekauft am;Ort;leer\r\n\
    0001;Kännchen;3,75;31.12.1999;Köln;\r\n\
    0002;\"Tasse; blau\";1.234,50;1.2.2000;Köln;\r\n\
    0003;Teller;12;17.5.2001;Bonn;\r\n\
    0004;Krug;8,1;3.3.2003;Köln;\r\n\
    0005;Vase;99,99;4.4.2004;Bonn;\r\n\
    0006;Schale;7;5.5.2005;Bonn;\r\n";

async fn bring(app: &TestApp, name: &str, content: &[u8]) -> Value {
    let query = serde_html_form::to_string([("name", name)]).unwrap();
    let request = app.signed(Method::POST, &format!("/api/uploads?{query}"));
    let answer = app.send(request, Bytes::copy_from_slice(content)).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    answer.json()
}

async fn look(app: &TestApp, id: &str) -> Value {
    app.get(&format!("/api/import-drafts/{id}")).await.ok();
    app.drain_jobs().await;
    let view = app.get(&format!("/api/import-drafts/{id}")).await.ok().json();
    assert!(view["found"].is_object(), "{view}");
    view
}

async fn choose(app: &TestApp, id: &str, choices: &Value) -> Answer {
    app.with_json(Method::PATCH, &format!("/api/import-drafts/{id}"), choices)
        .await
}

/// Begins what `step` names, runs it, and answers how it ended.
async fn go(app: &TestApp, id: &str, step: &str) -> Value {
    let begun = app
        .post(&format!("/api/import-drafts/{id}/{step}"), &json!({}))
        .await
        .ok()
        .json();
    app.drain_jobs().await;
    let job = begun["job"].as_str().unwrap();
    app.get(&format!("/api/imports/{job}")).await.ok().json()
}

#[track_caller]
fn counts(view: &Value, wanted: [i64; 4]) {
    let got = ["created", "updated", "unchanged", "refused"].map(|name| view[name].as_i64().unwrap_or(-1));
    assert_eq!((view["state"].as_str(), got), (Some("done"), wanted), "{view}");
}

fn field<'v>(definition: &'v Value, name: &str) -> &'v Value {
    let fields = definition["fields"].as_array().unwrap();
    fields.iter().find(|f| f["name"] == name).unwrap_or(&Value::Null)
}

async fn a_messy_table_becomes_a_collection(db: TestDb) {
    let app = TestApp::start(&db).await;
    let draft = bring(&app, "Meine Töpfe.csv", MESSY.as_bytes()).await;
    let id = draft["id"].as_str().unwrap();
    let choices = json!({ "reading": { "delimiter": ";" } });
    choose(&app, id, &choices).await.ok();
    let view = look(&app, id).await;
    let found = &view["found"];
    assert_eq!(found["rows"], 6);
    assert_eq!(
        found["left_out"],
        json!(["leer"]),
        "a column without a value is left out"
    );
    assert_eq!(found["decimal_doubt"]["allowed"], json!([","]), "{found}");
    assert_eq!(found["reading"]["decimal"], ",", "a doubt with one answer is answered");
    assert_eq!(found["reading"]["date_order"], "dmy");
    let definition = &found["definition"];
    assert_eq!(definition["name"], "meine-topfe");
    assert_eq!(definition["labels"]["en"], "Meine Töpfe");
    assert_eq!(
        definition["visibility"], "members",
        "nobody else sees it unless somebody says so"
    );
    assert_eq!(field(definition, "Preis")["kind"], "number");
    assert_eq!(field(definition, "Gekauft am")["kind"], "date");

    let choices = json!({
        "reading": { "delimiter": ";" },
        "label": "Töpfe und Teller", "visibility": "public", "key": "Inventar", "title": "Bezeichnung",
        "licence": "CC0", "credit": "Sammlung Müller",
        "fields": {
            "Preis": { "label": "Price in euro", "level": "members", "kind": "text" },
            "Ort": { "facet": true, "column": true, "label": "Place" },
            "Gekauft am": { "leave_out": true },
        }
    });
    choose(&app, id, &choices).await.ok();
    let preview = go(&app, id, "preview").await;
    counts(&preview, [6, 0, 0, 0]);
    assert_eq!(preview["dry_run"], true);
    app.get("/api/types/topfe-und-teller")
        .await
        .status
        .is_client_error()
        .then_some(())
        .expect("nothing was written");
    let done = go(&app, id, "run").await;
    counts(&done, [6, 0, 0, 0]);
    let made = app.get("/api/types/topfe-und-teller").await.ok().json();
    let made = made.get("definition").unwrap_or(&made);
    assert_eq!(
        (&made["licence"], &made["credit"], &made["key"]),
        (&json!("CC0"), &json!("Sammlung Müller"), &json!("Inventar"))
    );
    assert_eq!(
        field(made, "Preis")["labels"]["en"],
        "Price in euro",
        "the name stays the column's"
    );
    assert_eq!(*field(made, "Gekauft am"), Value::Null);
    let found = app
        .get_anonymous("/api/records?type=topfe-und-teller")
        .await
        .ok()
        .json();
    let first = &found["items"][0]["document"];
    assert_eq!(
        (&first["Bezeichnung"], &first["Preis"]),
        (&json!("Kännchen"), &Value::Null),
        "{first}"
    );
    assert_eq!(first.get("Gekauft am"), None);
    let inside = app.get("/api/records?type=topfe-und-teller").await.ok().json();
    assert!(
        inside["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|r| r["document"]["Preis"] == json!("1.234,50")),
        "{inside}"
    );
    // The draft has been used up; a second run is the same.
    let again = app
        .post(&format!("/api/import-drafts/{id}/run"), &json!({}))
        .await
        .ok()
        .json();
    assert_eq!(again["job"], done["job"]);
    assert_eq!(choose(&app, id, &choices).await.status, StatusCode::CONFLICT);
    // The same bytes are noticed.
    let second = bring(&app, "again.csv", MESSY.as_bytes()).await;
    assert_eq!(second["imported_before"], done["job"]);
    app.stop().await;
}

async fn what_is_refused_is_told_mended_and_brought_again(db: TestDb) {
    let app = TestApp::start(&db).await;
    let table = |third: &str| format!("id,name,height\n1,Bowl,12\n2,Jug,30\n3,Cup,{third}\n4,Urn,80\n");
    let draft = bring(&app, "pots.csv", table("tall").as_bytes()).await;
    let id = draft["id"].as_str().unwrap();
    look(&app, id).await;
    let choices = json!({ "key": "id", "fields": { "height": { "kind": "integer" } } });
    choose(&app, id, &choices).await.ok();
    let preview = go(&app, id, "preview").await;
    counts(&preview, [3, 0, 0, 1]);
    let refused = &preview["refusals"][0];
    assert_eq!(
        (&refused["row"], &refused["field"], &refused["value"]),
        (&json!(3), &json!("height"), &json!("tall")),
        "{refused}"
    );
    counts(&go(&app, id, "run").await, [3, 0, 0, 1]);
    // Mended, and with one thing changed: the collection is found by its columns.
    let mended = table("9").replace("Jug", "Jar");
    let draft = bring(&app, "pots mended.csv", mended.as_bytes()).await;
    let id = draft["id"].as_str().unwrap();
    let view = look(&app, id).await;
    assert_eq!(view["found"]["definition"]["name"], "pots");
    let preview = go(&app, id, "preview").await;
    counts(&preview, [1, 1, 2, 0]);
    let change = &preview["changes"][0];
    assert_eq!(
        change["fields"],
        json!([{ "field": "Name", "before": "Jug", "after": "Jar" }]),
        "{preview}"
    );
    counts(&go(&app, id, "run").await, [1, 1, 2, 0]);
    app.stop().await;
}

async fn a_file_goes_into_a_collection_that_is_there(db: TestDb) {
    let app = TestApp::start(&db).await;
    let first = bring(&app, "a.csv", b"id,name\na1,Bowl\na2,Jug\n").await;
    let id = first["id"].as_str().unwrap();
    look(&app, id).await;
    choose(&app, id, &json!({ "label": "Pots", "key": "id" })).await.ok();
    counts(&go(&app, id, "run").await, [2, 0, 0, 0]);
    let more = bring(&app, "b.csv", b"id,name,colour,junk\na2,Jug,blue,x\na3,Cup,red,y\n").await;
    let id = more["id"].as_str().unwrap();
    let view = look(&app, id).await;
    assert_eq!(
        view["found"]["definition"]["name"], "b",
        "columns it does not have make it another collection"
    );
    let answer = choose(&app, id, &json!({ "into": "nothing" })).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text());
    choose(
        &app,
        id,
        &json!({ "into": "pots", "fields": { "junk": { "leave_out": true } } }),
    )
    .await
    .ok();
    let done = go(&app, id, "run").await;
    counts(&done, [1, 1, 0, 0]);
    assert_eq!(done["new_fields"], json!(["colour"]));
    // A name that is taken is refused where it was given, and made free where it was not.
    let third = bring(&app, "c.csv", b"x,y\n1,2\n2,3\n").await;
    let id = third["id"].as_str().unwrap();
    look(&app, id).await;
    let taken = choose(&app, id, &json!({ "name": "pots" })).await;
    assert_eq!(taken.status, StatusCode::UNPROCESSABLE_ENTITY);
    let free = choose(&app, id, &json!({ "label": "Pots" })).await.ok().json();
    assert_eq!(free["found"]["definition"]["name"], "pots-2");
    app.stop().await;
}

async fn drafts_belong_to_who_brought_them_and_go(db: TestDb) {
    let app = TestApp::start(&db).await;
    let draft = bring(&app, "../../etc/pass\u{7}w\u{202e}d.csv", b"a,b\n1,2\n").await;
    assert_eq!(draft["file"], "passwd.csv");
    let (id, blob) = (draft["id"].as_str().unwrap(), draft["blob"].as_str().unwrap());
    let path = format!("/api/import-drafts/{id}");
    let others = app.as_local_operator(Method::GET, &path, None).await;
    assert_eq!(
        others.status,
        StatusCode::NOT_FOUND,
        "the operator is another than the token"
    );
    assert_eq!(app.get_anonymous(&path).await.status, StatusCode::UNAUTHORIZED);
    // The same bytes twice: the first to go leaves them to the other.
    let twin = bring(&app, "twin.csv", b"a,b\n1,2\n").await;
    let twin = twin["id"].as_str().unwrap();
    app.age(blob);
    let items = app.get("/api/import-drafts").await.ok().json();
    assert_eq!(items["items"].as_array().unwrap().len(), 2);
    app.with_json(Method::DELETE, &path, &json!({})).await.ok();
    assert!(app.kernel().blobs.exists(blob).await.unwrap());
    app.with_json(Method::DELETE, &format!("/api/import-drafts/{twin}"), &json!({}))
        .await
        .ok();
    assert!(!app.kernel().blobs.exists(blob).await.unwrap());
    assert_eq!(app.get(&path).await.status, StatusCode::NOT_FOUND);
    // One that nobody touches goes by itself.
    let forgotten = bring(&app, "old.csv", b"c,d\n1,2\n").await;
    app.post("/api/schedules/exchange.clear-drafts/run", &json!({})).await;
    app.drain_jobs().await;
    let path = format!("/api/import-drafts/{}", forgotten["id"].as_str().unwrap());
    assert_eq!(app.get(&path).await.status, StatusCode::OK, "two weeks have not passed");
    let empty = app
        .send(app.signed(Method::POST, "/api/uploads?name=e.csv"), Bytes::new())
        .await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", empty.text());
    app.stop().await;
}

/// Lets nobody change drafts, as a kill before the note would, or again.
async fn forbid_notes(db: &TestDb, forbid: bool) {
    let write = db.write(Write::interactive("test"), |tx| {
        Box::pin(async move {
            if !forbid {
                let lift = pick("DROP TRIGGER no_note", "DROP TRIGGER no_note ON import_draft");
                return lift.exec(tx).await;
            }
            let refuse = pick(
                "SELECT 1",
                "CREATE FUNCTION no_note() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'no'; END $$ LANGUAGE plpgsql",
            );
            refuse.exec(&mut *tx).await?;
            let watch = pick(
                "CREATE TRIGGER no_note BEFORE UPDATE ON import_draft BEGIN SELECT RAISE(ABORT, 'no'); END",
                "CREATE TRIGGER no_note BEFORE UPDATE ON import_draft FOR EACH ROW EXECUTE FUNCTION no_note()",
            );
            watch.exec(tx).await
        })
    });
    write.await.unwrap();
}

async fn a_draft_is_imported_once(db: TestDb) {
    let app = TestApp::start(&db).await;
    let draft = bring(&app, "pots.csv", b"id,name\n1,Bowl\n2,Jug\n").await;
    let id = draft["id"].as_str().unwrap();
    look(&app, id).await;
    choose(&app, id, &json!({ "name": "pot" })).await.ok();
    let jobs = async || {
        let (count,): (i64,) = sql("SELECT COUNT(*) FROM job WHERE kind = 'exchange.import'")
            .one(&*db)
            .await
            .unwrap();
        count
    };
    // What is not noted on the draft was not begun: nobody would know of it, and the next click would begin it anew.
    let (run, preview) = (
        format!("/api/import-drafts/{id}/run"),
        format!("/api/import-drafts/{id}/preview"),
    );
    forbid_notes(&db, true).await;
    assert_eq!(app.post(&preview, &json!({})).await.status, 500);
    assert_eq!(app.post(&run, &json!({})).await.status, 500);
    assert_eq!(jobs().await, 0);
    forbid_notes(&db, false).await;
    // Many clicks at once, and one more when it is done, are one import.
    let nothing = json!({});
    let clicks = futures_util::future::join_all((0..8).map(|_| app.post(&run, &nothing))).await;
    let begun: Vec<String> = clicks
        .into_iter()
        .map(|answer| answer.ok().json()["job"].as_str().unwrap().to_owned())
        .collect();
    assert!(begun.iter().all(|job| *job == begun[0]), "{begun:?}");
    app.drain_jobs().await;
    assert_eq!(app.post(&run, &json!({})).await.ok().json()["job"], json!(begun[0]));
    assert_eq!(jobs().await, 1);
    let types = app.get("/api/types").await.ok().json();
    assert_eq!(types["items"].as_array().unwrap().len(), 1, "{types}");
    app.stop().await;
}

/// A file that is to be read in another way is not looked at twice: the look that waits is superseded by the new one.
async fn a_look_takes_the_place_of_the_one_before(db: TestDb) {
    let app = TestApp::start(&db).await;
    let request = app.signed(Method::POST, "/api/uploads?name=pots.csv");
    let draft = app
        .send(
            request,
            Bytes::from_static(b"number,title;maker\n1,Pot;Ray\n2,Jug;Ray\n"),
        )
        .await
        .ok()
        .json();
    let path = format!("/api/import-drafts/{}", draft["id"].as_str().unwrap());
    for delimiter in [",", ";"] {
        let choices = json!({ "reading": { "delimiter": delimiter } });
        app.with_json(Method::PATCH, &path, &choices).await.ok();
        app.get(&path).await.ok();
    }
    let jobs = app.get("/api/jobs?kind=exchange.look").await.ok().json();
    let items = jobs["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{jobs}");
    assert_eq!(
        (&items[0]["state"], &items[1]["state"], &items[1]["superseded_by"]),
        (&json!("waiting"), &json!("superseded"), &items[0]["id"]),
        "{jobs}"
    );
    // Its page leads to the one that took its place.
    let (old, new) = (items[1]["id"].as_str().unwrap(), items[0]["id"].as_str().unwrap());
    let page = app.get(&format!("/jobs/{old}")).await.ok().text();
    assert!(
        page.contains(&format!("/jobs/{new}")) && page.contains("Superseded"),
        "{page}"
    );
    app.drain_jobs().await;
    let seen = app.get(&path).await.ok().json();
    let columns = seen["found"]["columns"].as_array().unwrap();
    assert_eq!((columns.len(), &seen["found"]["rows"]), (2, &json!(2)), "{seen}");
    let looks = app.get("/api/jobs?kind=exchange.look&state=done").await.ok().json();
    assert_eq!(looks["items"].as_array().unwrap().len(), 1, "{looks}");
    app.stop().await;
}
