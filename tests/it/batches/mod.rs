//! Batches over HTTP on both engines: looked at beforehand, done as one change and taken back, gone on with after a kill,
//! never beyond what their caller sees and may, and what is hostile refused by name.

mod bad;
mod labels;
mod trees;
mod unite;

use serde_json::{Value, json};
use vitrine::both;
use vitrine::kernel::db::{Write, sql};
use vitrine::kernel::testing::{TestApp, TestDb};

both!(
    a_collector_is_corrected_and_that_is_undone,
    every_action_does_what_it_said,
    what_was_changed_since_is_not_lost,
    a_batch_that_was_killed_goes_on,
    records_are_deleted_with_what_points_at_them,
);

pub async fn make(app: &TestApp, records: &[Value]) -> Vec<String> {
    let mut ids = Vec::new();
    for document in records {
        let made = app
            .post("/api/records", &json!({"type": "find", "document": document}))
            .await;
        ids.push(made.ok().json()["id"].as_str().unwrap().to_owned());
    }
    ids
}

pub async fn finds(app: &TestApp) {
    let find = json!({"name": "find", "title": "title", "fields": [
        {"name": "title", "kind": "text", "required": true},
        {"name": "number", "kind": "identifier", "unique": true},
        {"name": "collector", "kind": "term", "facet": true},
        {"name": "keywords", "kind": "term", "repeated": true},
        {"name": "price", "kind": "integer", "level": "restricted"},
        {"name": "of", "kind": "link", "target": "find"}]});
    app.post("/api/types", &find).await.ok();
}

pub async fn draw(app: &TestApp, select: Value, action: Value) -> Value {
    let mut select = select;
    select["type"] = json!("find");
    let drawn = app
        .post("/api/batches", &json!({"select": select, "action": action}))
        .await;
    drawn.ok().json()
}

/// Runs a batch to its end; answers what its job says.
async fn run(app: &TestApp, batch: &Value) -> Value {
    let path = format!("/api/batches/{}/run", batch["id"].as_str().unwrap());
    let begun = app.post(&path, &json!({"reason": "a test"})).await.ok().json();
    let job = app.ended_job(&begun).await;
    assert_eq!(job["state"], "done", "{job}");
    job["result"].clone()
}

pub async fn undo(app: &TestApp, change: &Value) -> Value {
    let path = format!("/api/changes/{}/undo", change.as_str().unwrap());
    let begun = app.post(&path, &json!({})).await.ok().json();
    app.drain_jobs().await;
    app.get(&format!("/api/jobs/{}", begun["job"].as_str().unwrap()))
        .await
        .ok()
        .json()["result"]
        .clone()
}

#[track_caller]
fn counts(of: &Value, changed: i64, unchanged: i64, refused: i64) {
    let got = ["changed", "unchanged", "refused"].map(|name| of[name].as_i64().unwrap_or(-1));
    assert_eq!(got, [changed, unchanged, refused], "{of}");
}

pub async fn document(app: &TestApp, id: &str) -> Value {
    app.get(&format!("/api/records/{id}")).await.ok().json()["document"].clone()
}

async fn a_collector_is_corrected_and_that_is_undone(db: TestDb) {
    let app = TestApp::start(&db).await;
    finds(&app).await;
    let shards: Vec<Value> = (0..60)
        .map(|n| json!({"title": format!("Shard {n}"), "number": format!("n{n}"), "collector": if n < 40 { "J. Smith" } else { "A. Ray" }}))
        .collect();
    let ids = make(&app, &shards).await;
    let select = json!({"q": "shard", "filter": ["collector:J. Smith"]});
    let batch = draw(
        &app,
        select,
        json!({"do": "set", "field": "collector", "value": "Jane Smith"}),
    )
    .await;
    assert_eq!(batch["total"], 40, "{batch}");
    counts(&batch["preview"], 40, 0, 0);
    let told = &batch["preview"]["changes"][0];
    assert_eq!(
        told["fields"],
        json!([{"field": "collector", "before": "J. Smith", "after": "Jane Smith"}]),
        "{batch}"
    );
    // Nothing was written so far.
    assert_eq!(document(&app, &ids[0]).await["collector"], "J. Smith");

    let result = run(&app, &batch).await;
    counts(&result, 40, 0, 0);
    assert_eq!(document(&app, &ids[0]).await["collector"], "Jane Smith");
    assert_eq!(document(&app, &ids[50]).await["collector"], "A. Ray");
    let set = app
        .get(&format!("/api/changes/{}", result["change"].as_str().unwrap()))
        .await
        .ok()
        .json();
    assert_eq!(
        (&set["change"]["kind"], &set["change"]["reason"]),
        (&json!("record.batch"), &json!("a test")),
        "{set}"
    );
    // Asked once more it is the same job and changes nothing.
    let again = format!("/api/batches/{}/run", batch["id"].as_str().unwrap());
    app.post(&again, &json!({})).await.ok();
    app.drain_jobs().await;
    assert_eq!(
        app.get("/api/changes?cause=record.batch").await.ok().json()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );

    let undone = undo(&app, &result["change"]).await;
    assert_eq!(
        (&undone["reverted"], &undone["left"]),
        (&json!(40), &json!(0)),
        "{undone}"
    );
    assert_eq!(document(&app, &ids[0]).await["collector"], "J. Smith");
    app.stop().await;
}

async fn every_action_does_what_it_said(db: TestDb) {
    let app = TestApp::start(&db).await;
    finds(&app).await;
    let ids = make(
        &app,
        &[
            json!({"title": "Bowl, red", "number": "1", "keywords": ["old"]}),
            json!({"title": "Jug, blue", "number": "2", "keywords": ["old", "fine"]}),
        ],
    )
    .await;
    let all = || json!({"all": true});
    let swap = json!({"do": "replace", "field": "title", "find": "^(\\w+), (\\w+)$", "with": "$2 $1", "regex": true});
    counts(&run(&app, &draw(&app, all(), swap).await).await, 2, 0, 0);
    assert_eq!(document(&app, &ids[0]).await["title"], "red Bowl");
    let add = json!({"do": "add", "field": "keywords", "value": "fine"});
    counts(&run(&app, &draw(&app, all(), add).await).await, 1, 1, 0);
    let remove = json!({"do": "remove", "field": "keywords", "value": "old"});
    counts(&run(&app, &draw(&app, all(), remove).await).await, 2, 0, 0);
    assert_eq!(document(&app, &ids[0]).await["keywords"], json!(["fine"]));
    let copy = json!({"do": "copy", "field": "collector", "from": "title"});
    counts(
        &run(&app, &draw(&app, json!({"ids": [ids[1]]}), copy).await).await,
        1,
        0,
        0,
    );
    assert_eq!(document(&app, &ids[1]).await["collector"], "blue Jug");
    let clear = json!({"do": "clear", "field": "collector"});
    counts(
        &run(
            &app,
            &draw(&app, json!({"all": true, "without": [ids[0]]}), clear).await,
        )
        .await,
        1,
        0,
        0,
    );
    assert!(document(&app, &ids[1]).await.get("collector").is_none());
    let close = json!({"do": "visibility", "to": "members"});
    counts(
        &run(&app, &draw(&app, json!({"ids": [ids[0], ids[0]]}), close).await).await,
        1,
        0,
        0,
    );
    assert_eq!(app.get_anonymous(&format!("/api/records/{}", ids[0])).await.status, 404);
    // A number that belongs to one record is not copied to another; the rest of the batch goes on.
    let mixed = json!({"do": "replace", "field": "number", "find": "1", "with": "2"});
    let batch = draw(&app, all(), mixed).await;
    counts(&batch["preview"], 0, 1, 1);
    let result = run(&app, &batch).await;
    counts(&result, 0, 1, 1);
    let path = format!("/api/batches/{}/records?outcome=refused", batch["id"].as_str().unwrap());
    let refused = app.get(&path).await.ok().json();
    assert_eq!(refused["items"][0]["id"], json!(ids[0]), "{refused}");
    assert!(
        refused["items"][0]["reason"]
            .as_str()
            .unwrap()
            .contains("belongs to another"),
        "{refused}"
    );
    app.stop().await;
}

async fn what_was_changed_since_is_not_lost(db: TestDb) {
    let app = TestApp::start(&db).await;
    finds(&app).await;
    let ids = make(
        &app,
        &[
            json!({"title": "a", "collector": "x"}),
            json!({"title": "b"}),
            json!({"title": "c"}),
        ],
    )
    .await;
    let set = draw(
        &app,
        json!({"ids": ids}),
        json!({"do": "set", "field": "collector", "value": "y"}),
    )
    .await;
    let delete = draw(&app, json!({"ids": ids}), json!({"do": "delete"})).await;
    // Somebody writes a record, and deletes another one.
    let edit = app
        .signed(hyper::Method::PUT, &format!("/api/records/{}", ids[0]))
        .header("content-type", "application/json")
        .header("if-match", "\"1\"");
    let body = json!({"document": {"title": "A better title", "collector": "z"}});
    app.send(edit, body.to_string().into()).await.ok();
    let gone = app
        .signed(hyper::Method::DELETE, &format!("/api/records/{}", ids[1]))
        .header("if-match", "\"1\"");
    app.send(gone, "".into()).await.ok();

    counts(&run(&app, &set).await, 2, 0, 1);
    let now = document(&app, &ids[0]).await;
    assert_eq!(
        now,
        json!({"title": "A better title", "collector": "y"}),
        "their title and our collector"
    );
    // What somebody has just worked on is not deleted.
    counts(&run(&app, &delete).await, 0, 0, 3);
    assert_eq!(document(&app, &ids[2]).await["collector"], "y");
    app.stop().await;
}

async fn a_batch_that_was_killed_goes_on(db: TestDb) {
    let app = TestApp::start(&db).await;
    finds(&app).await;
    let rows: Vec<Value> = (0..350).map(|n| json!({"title": format!("t{n}")})).collect();
    let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
    let request = app.signed(hyper::Method::POST, "/api/imports?type=find&name=f.jsonl");
    app.send(request, lines.into()).await.ok();
    app.drain_jobs().await;
    let batch = draw(
        &app,
        json!({"all": true}),
        json!({"do": "add", "field": "keywords", "value": "seen"}),
    )
    .await;
    let result = run(&app, &batch).await;
    counts(&result, 350, 0, 0);
    let (id, set) = (batch["id"].as_str().unwrap(), result["change"].as_str().unwrap());
    // As if the process had died before the job could say that it was done, and in the middle.
    for cursor in ["350", "300"] {
        let write = app.kernel().db.write(Write::interactive("test"), |tx| {
            Box::pin(async move {
                sql(
                    "UPDATE job SET state = 'waiting', shelf = 0, ended_at = NULL, result = NULL WHERE unique_key = $1",
                )
                .bind(format!("batch/{id}"))
                .exec(&mut *tx)
                .await?;
                sql("UPDATE batch SET state = 'running', cursor = $2 WHERE id = $1")
                    .bind(id)
                    .bind(cursor.parse::<i64>().unwrap())
                    .exec(tx)
                    .await
            })
        });
        write.await.unwrap();
        app.drain_jobs().await;
        let after = app.get(&format!("/api/batches/{id}")).await.ok().json();
        assert_eq!(
            (&after["state"], &after["change"]),
            (&json!("done"), &json!(set)),
            "{after}"
        );
        counts(&after["counts"], 350, 0, 0);
    }
    let found = app
        .get("/api/search?type=find&q=keywords:seen&limit=1&wait=true")
        .await
        .ok()
        .json();
    assert_eq!(found["total"], 350);
    let one = found["items"][0]["version"]
        .as_i64()
        .or_else(|| found["items"][0]["record"]["version"].as_i64());
    assert!(one.is_none_or(|version| version == 2), "{found}");
    app.stop().await;
}

async fn records_are_deleted_with_what_points_at_them(db: TestDb) {
    let app = TestApp::start(&db).await;
    finds(&app).await;
    let top = make(&app, &[json!({"title": "the dig"}), json!({"title": "kept dig"})]).await;
    let below = make(
        &app,
        &[
            json!({"title": "a", "of": top[0]}),
            json!({"title": "b", "of": top[0]}),
            json!({"title": "c", "of": top[1]}),
        ],
    )
    .await;
    // What others point at stays, and is named; what is deleted along with them is not in the way.
    let ids = json!({"ids": [top[0], top[1], below[0], below[1]]});
    let batch = draw(&app, ids, json!({"do": "delete"})).await;
    let result = run(&app, &batch).await;
    counts(&result, 3, 0, 1);
    assert_eq!(app.get(&format!("/api/records/{}", top[0])).await.status, 410);
    assert_eq!(app.get(&format!("/api/records/{}", top[1])).await.status, 200);
    let undone = undo(&app, &result["change"]).await;
    assert_eq!(
        (&undone["revived"], &undone["left"]),
        (&json!(3), &json!(0)),
        "{undone}"
    );
    assert_eq!(document(&app, &below[0]).await["of"], json!(top[0]));
    app.stop().await;
}
