//! Undo over HTTP on both engines: an import and its undo and the undo of that, what was changed since, what others
//! point at, an unfinished import, an undo that is killed. The audit that tells of all of it has a room of its own.

#![expect(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod audit;
mod decide;
mod seen;

use bytes::Bytes;
use hyper::Method;
use hyper::header::{CONTENT_TYPE, IF_MATCH};
use serde_json::{Value, json};
use vitrine::both;
use vitrine::kernel::db::sql;
use vitrine::kernel::testing::{Answer, TestApp, TestDb};

both!(
    an_import_is_undone_and_done_again,
    what_was_changed_since_stays,
    what_others_point_at_stays,
    an_unfinished_import_is_undone,
    an_undo_that_was_killed_goes_on,
);

async fn import(app: &TestApp, file: &str, query: &str) -> Value {
    let job = begin(app, file, query).await;
    app.drain_jobs().await;
    let view = app.get(&format!("/api/imports/{job}")).await.ok().json();
    assert_eq!(view["state"], "done", "{view}");
    view
}

async fn begin(app: &TestApp, file: &str, query: &str) -> String {
    let request = app.signed(Method::POST, &format!("/api/imports?{query}"));
    let begun = app.send(request, Bytes::from(file.to_owned())).await.ok().json();
    begun["job"].as_str().unwrap().to_owned()
}

/// The newest change set of a kind.
async fn newest(app: &TestApp, cause: &str) -> String {
    let list = app
        .get(&format!("/api/changes?cause={cause}&limit=1"))
        .await
        .ok()
        .json();
    list["items"][0]["id"]
        .as_str()
        .unwrap_or_else(|| panic!("{list}"))
        .to_owned()
}

async fn ask_undo(app: &TestApp, set: &str) -> Answer {
    app.post(&format!("/api/changes/{set}/undo"), &json!({"reason": "a test"}))
        .await
}

/// Undoes a change set; answers the result of the job.
async fn undo(app: &TestApp, set: &str) -> Value {
    let begun = ask_undo(app, set).await.ok().json();
    let job = app.ended_job(&begun).await;
    assert_eq!(job["state"], "done", "{job}");
    job["result"].clone()
}

#[track_caller]
fn counts(result: &Value, removed: i64, reverted: i64, revived: i64, already: i64, left: i64) {
    let got = ["removed", "reverted", "revived", "already", "left"].map(|name| result[name].as_i64().unwrap());
    assert_eq!(got, [removed, reverted, revived, already, left], "{result}");
}

/// Live records of a type: title and id.
async fn records(app: &TestApp, type_name: &str) -> Vec<(String, String)> {
    let list = app.get(&format!("/api/records?type={type_name}&limit=200")).await;
    if list.status != 200 {
        return Vec::new();
    }
    let list = list.json();
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| (text(&r["document"]["title"]), text(&r["id"])))
        .collect()
}

fn table(rows: usize, word: &str) -> String {
    let lines = (1..=rows).map(|n| format!("n{n},{word} {n}\n"));
    format!("number,title\n{}", lines.collect::<String>())
}

const FIRST: &str = "type=teapot&name=a.csv&infer=true&key=number";
const AGAIN: &str = "type=teapot&name=b.csv&key=number";

async fn edit(app: &TestApp, id: &str, version: i64, document: &Value) {
    let request = app
        .signed(Method::PUT, &format!("/api/records/{id}"))
        .header(CONTENT_TYPE, "application/json")
        .header(IF_MATCH, format!("\"{version}\""));
    app.send(request, Bytes::from(json!({ "document": document }).to_string()))
        .await
        .ok();
}

async fn an_import_is_undone_and_done_again(db: TestDb) {
    let app = TestApp::start(&db).await;
    import(&app, &table(30, "Pot"), FIRST).await;
    let first = newest(&app, "import").await;
    import(
        &app,
        &(table(30, "Pot").replace("Pot 7\n", "Jug 7\n") + "n31,Pot 31\n"),
        AGAIN,
    )
    .await;
    let second = newest(&app, "import").await;

    // The second one changed one record and made one.
    let preview = app.get(&format!("/api/changes/{second}/undo")).await.ok().json();
    assert_eq!(
        (preview["removed"].as_i64(), preview["reverted"].as_i64()),
        (Some(1), Some(1)),
        "{preview}"
    );
    let result = undo(&app, &second).await;
    counts(&result, 1, 1, 0, 0, 0);
    let now = records(&app, "teapot").await;
    assert_eq!(now.len(), 30);
    assert!(now.iter().any(|(title, _)| title == "Pot 7"), "{now:?}");
    // A second time there is nothing to do.
    assert_eq!(ask_undo(&app, &second).await.status, 409);

    // The first one as a whole: its type goes with its records.
    let result = undo(&app, &first).await;
    counts(&result, 31, 0, 0, 0, 0);
    assert_eq!(app.get("/api/types/teapot").await.status, 404);
    let undone = result["change"].as_str().unwrap().to_owned();
    // What is gone is still called by its name, for who sees everything.
    let page = app.get(&format!("/changes/{undone}")).await.ok().text();
    assert!(page.contains("Pot 3") || page.contains("n3"), "{page}");
    let page = app.get_anonymous(&format!("/changes/{undone}")).await;
    assert_eq!(page.status, 404, "{}", page.text());

    // The undo of the undo brings all of it back, type first.
    let result = undo(&app, &undone).await;
    counts(&result, 0, 0, 31, 0, 0);
    let back = records(&app, "teapot").await;
    assert_eq!(back.len(), 30);
    // A record keeps its id and its history.
    let (_, id) = back.iter().find(|(title, _)| title == "Pot 3").unwrap();
    let history = app.get(&format!("/api/records/{id}/history")).await.ok().json();
    let did: Vec<&str> = history["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["operation"].as_str().unwrap())
        .collect();
    assert_eq!(did, ["restore", "delete", "create"]);
    // Keys lead to them again: the same file changes nothing.
    let view = import(&app, &table(30, "Pot"), AGAIN).await;
    assert_eq!(
        (view["created"].as_i64(), view["unchanged"].as_i64()),
        (Some(0), Some(30)),
        "{view}"
    );
    // And once more round: what an undo put back counts as not changed.
    counts(&undo(&app, &first).await, 31, 0, 0, 0, 0);
    app.stop().await;
}

async fn what_was_changed_since_stays(db: TestDb) {
    let app = TestApp::start(&db).await;
    import(&app, &table(5, "Pot"), FIRST).await;
    let set = newest(&app, "import").await;
    let all = records(&app, "teapot").await;
    let id = |title: &str| all.iter().find(|(t, _)| t == title).unwrap().1.clone();
    edit(&app, &id("Pot 2"), 1, &json!({"number": "n2", "title": "My pot"})).await;
    // Changed and changed back is not changed.
    edit(&app, &id("Pot 3"), 1, &json!({"number": "n3", "title": "Other"})).await;
    edit(&app, &id("Pot 3"), 2, &json!({"number": "n3", "title": "Pot 3"})).await;

    let preview = app.get(&format!("/api/changes/{set}/undo")).await.ok().json();
    assert_eq!(
        (preview["removed"].as_i64(), preview["left"].as_i64()),
        (Some(4), Some(1)),
        "{preview}"
    );
    assert_eq!(preview["left_first"][0]["reason"], "changed-since");
    let result = undo(&app, &set).await;
    counts(&result, 4, 0, 0, 0, 2);
    let undone = result["change"].as_str().unwrap();
    let left = app.get(&format!("/api/changes/{undone}/left")).await.ok().json();
    let mut why: Vec<(&str, &str)> = left["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| (l["kind"].as_str().unwrap(), l["reason"].as_str().unwrap()))
        .collect();
    why.sort_unstable();
    assert_eq!(why, [("record", "changed-since"), ("type", "type-in-use")]);
    assert_eq!(records(&app, "teapot").await, [("My pot".to_owned(), id("Pot 2"))]);
    let page = app.get(&format!("/changes/{undone}")).await.ok().text();
    assert!(
        page.contains("My pot") && page.contains("It was changed since."),
        "{page}"
    );
    // Another record may have taken the key of one that is to come back.
    app.post(
        "/api/records",
        &json!({"type": "teapot", "document": {"number": "n5", "title": "New 5"}}),
    )
    .await
    .ok();
    let result = undo(&app, undone).await;
    counts(&result, 0, 0, 3, 0, 1);
    let again = result["change"].as_str().unwrap();
    let left = app.get(&format!("/api/changes/{again}/left")).await.ok().json();
    assert_eq!(left["items"][0]["reason"], "taken", "{left}");
    assert_eq!(left["items"][0]["id"], id("Pot 5"));
    app.stop().await;
}

async fn what_others_point_at_stays(db: TestDb) {
    let app = TestApp::start(&db).await;
    import(
        &app,
        "number,title\n1,Ann\n2,Ben\n3,Cleo\n",
        "type=maker&name=m.csv&infer=true&key=number",
    )
    .await;
    let set = newest(&app, "import").await;
    let makers = records(&app, "maker").await;
    let work = json!({"name": "work", "title": "title", "fields": [
        {"name": "title", "kind": "text"}, {"name": "by", "kind": "link", "target": "maker"}]});
    app.post("/api/types", &work).await.ok();
    let ben = &makers.iter().find(|(title, _)| title == "Ben").unwrap().1;
    app.post(
        "/api/records",
        &json!({"type": "work", "document": {"title": "A work", "by": ben}}),
    )
    .await
    .ok();
    let result = undo(&app, &set).await;
    counts(&result, 2, 0, 0, 0, 2);
    assert_eq!(records(&app, "maker").await, [("Ben".to_owned(), ben.clone())]);
    let left = app
        .get(&format!("/api/changes/{}/left", result["change"].as_str().unwrap()))
        .await
        .ok()
        .json();
    let why = |id: &str| {
        let all = left["items"].as_array().unwrap();
        all.iter().find(|l| l["id"] == id).map(|l| l["reason"].clone())
    };
    assert_eq!(why(ben), Some(json!("in-use")), "{left}");
    app.stop().await;
}

async fn an_unfinished_import_is_undone(db: TestDb) {
    let app = TestApp::start(&db).await;
    import(&app, &table(3, "Pot"), FIRST).await;
    // One that was cut off in the middle: its job waits to go on.
    let job = begin(&app, &table(3, "Jug"), AGAIN).await;
    let job = &job;
    app.drain_jobs().await;
    let set = newest(&app, "import").await;
    app.kernel()
        .db
        .write(vitrine::kernel::db::Write::interactive("test"), |tx| {
            Box::pin(async move {
                sql("UPDATE job SET state = 'waiting', shelf = 0, ended_at = NULL, result = NULL WHERE id = $1")
                    .bind(job)
                    .exec(tx)
                    .await
            })
        })
        .await
        .unwrap();
    let preview = app.get(&format!("/api/changes/{set}/undo")).await.ok().json();
    assert_eq!(preview["unfinished"], json!(job), "{preview}");
    counts(&undo(&app, &set).await, 0, 3, 0, 0, 0);
    let stopped = app.get(&format!("/api/jobs/{job}")).await.ok().json();
    assert_eq!(stopped["state"], "cancelled", "{stopped}");
    assert!(
        records(&app, "teapot")
            .await
            .iter()
            .all(|(title, _)| title.starts_with("Pot"))
    );
    app.stop().await;
}

async fn an_undo_that_was_killed_goes_on(db: TestDb) {
    let app = TestApp::start(&db).await;
    import(&app, &table(450, "Pot"), FIRST).await;
    let set = newest(&app, "import").await;
    let result = undo(&app, &set).await;
    counts(&result, 451, 0, 0, 0, 0);
    let sets = app.get("/api/changes?cause=undo").await.ok().json();
    // As if the process had died before the job could say that it was done, and long before that.
    for cursor in ["cursor", "9223372036854775807"] {
        let (job, of, cursor) = (result["change"].as_str().unwrap(), &set, cursor);
        app.kernel()
            .db
            .write(vitrine::kernel::db::Write::interactive("test"), |tx| {
                Box::pin(async move {
                    sql("UPDATE job SET state = 'waiting', shelf = 0, ended_at = NULL, result = NULL WHERE unique_key = $1")
                        .bind(format!("undo/{of}"))
                        .exec(&mut *tx)
                        .await?;
                    if cursor != "cursor" {
                        sql("UPDATE undo SET cursor = $2, removed = 0 WHERE set_id = $1")
                            .bind(job)
                            .bind(i64::MAX)
                            .exec(tx)
                            .await?;
                    }
                    Ok(())
                })
            })
            .await
            .unwrap();
        app.drain_jobs().await;
        assert_eq!(app.get("/api/changes?cause=undo").await.ok().json(), sets);
        assert!(records(&app, "teapot").await.is_empty());
    }
    let standing = app.get(&format!("/api/changes/{set}/undo")).await.ok().json();
    assert_eq!(standing["undos"][0]["already"], 451, "{standing}");
    app.stop().await;
}
