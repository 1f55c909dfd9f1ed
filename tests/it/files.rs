//! What becomes of files over HTTP on both engines: exports have their time and their number, nobody else finds them; what
//! nobody needs any more goes, and what somebody brings meanwhile stays.

use bytes::Bytes;
use hyper::Method;
use serde_json::{Value, json};
use vitrine::both;
use vitrine::kernel::db::{Write, sql};
use vitrine::kernel::testing::{Answer, TestApp, TestDb};

both!(
    an_export_has_its_time,
    exports_of_one_caller_are_limited,
    what_nobody_needs_goes,
    what_is_brought_while_it_goes_stays,
);

const POTS: &str = "number,title\n1,Pot\n2,Jug\n";

async fn import(app: &TestApp, content: &str, query: &str) -> Value {
    let request = app.signed(Method::POST, &format!("/api/imports?{query}"));
    let begun = app.send(request, Bytes::from(content.to_owned())).await.ok().json();
    app.drain_jobs().await;
    let view = app
        .get(&format!("/api/imports/{}", begun["job"].as_str().unwrap()))
        .await;
    view.ok().json()
}

async fn bring(app: &TestApp, content: &str) -> Value {
    let request = app.signed(Method::POST, "/api/uploads?name=a.csv");
    app.send(request, Bytes::from(content.to_owned())).await.ok().json()
}

async fn export(app: &TestApp, format: &str) -> Answer {
    app.post("/api/exports", &json!({ "type": "pot", "format": format }))
        .await
}

async fn remove(app: &TestApp, path: &str) -> u16 {
    let request = app.signed(Method::DELETE, path);
    app.send(request, Bytes::new()).await.status.as_u16()
}

async fn sweep(app: &TestApp, schedule: &str) {
    app.as_local_operator(Method::POST, &format!("/api/schedules/{schedule}/run"), None)
        .await
        .ok();
    app.drain_jobs().await;
}

/// The file of an export, as a blob.
async fn blob_of(app: &TestApp, job: &str) -> String {
    let job = app.get(&format!("/api/jobs/{job}")).await.ok().json();
    job["result"]["blob"].as_str().unwrap().to_owned()
}

async fn is_there(app: &TestApp, blob: &str) -> bool {
    app.kernel().blobs.exists(blob).await.unwrap()
}

/// Ends the time of every export.
async fn time_is_over(db: &TestDb) {
    let write = db.write(Write::interactive("test"), |tx| {
        Box::pin(async move {
            sql("UPDATE export_file SET expires_at = 1 WHERE blob IS NOT NULL")
                .exec(tx)
                .await
        })
    });
    write.await.unwrap();
}

/// The schedules are in the database, as a scheduler leaves them.
async fn start(db: &TestDb, most: u32) -> TestApp {
    let app = TestApp::start_with(db, |config| config.export.most = most).await;
    let schedules = [
        vitrine::kernel::blobs::schedule(),
        vitrine::kernel::schedule::Schedule::new("exchange.clear-exports", "30 3 * * *", || {
            vitrine::kernel::jobs::NewJob::new("exchange.clear-exports", json!({})).queue("exchange")
        }),
    ];
    vitrine::kernel::schedule::register(db, &schedules).await.unwrap();
    app
}

async fn an_export_has_its_time(db: TestDb) {
    let app = start(&db, 10).await;
    import(&app, POTS, "type=pot&infer=true&key=number").await;
    let job = export(&app, "csv").await.ok().json()["job"]
        .as_str()
        .unwrap()
        .to_owned();
    app.drain_jobs().await;
    let path = format!("/api/exports/{job}");
    let seen = app.get(&path).await.ok().json();
    assert!(seen["file"].is_string() && seen["expires_at"].is_string(), "{seen}");
    let file = format!("{path}/file");
    assert!(app.get(&file).await.ok().text().contains("Pot"));
    // Nobody else finds it, not even one who may read the same records.
    let other = app.as_local_operator(Method::GET, &file, None).await;
    assert_eq!(other.status, 404);
    assert_eq!(app.as_local_operator(Method::DELETE, &path, None).await.status, 404);
    assert_eq!(app.get_anonymous(&file).await.status, 404);
    // What else used the same records goes, the export stays: the sweep knows it.
    let blob = blob_of(&app, &job).await;
    app.age(&blob);
    sweep(&app, "blobs.sweep").await;
    app.get(&file).await.ok();
    // The same bytes brought as a file and thrown away leave the export its own.
    let twin = bring(&app, &app.get(&file).await.ok().text()).await;
    assert_eq!(twin["blob"], json!(blob));
    app.age(&blob);
    assert_eq!(
        remove(&app, &format!("/api/import-drafts/{}", twin["id"].as_str().unwrap())).await,
        204
    );
    app.get(&file).await.ok();
    // Its time is over: at once for whoever asks, and the night takes the file.
    time_is_over(&db).await;
    let gone = app.get(&file).await;
    assert_eq!(gone.status, 410, "{}", gone.text());
    assert!(gone.text().contains("Ask for it again"), "{}", gone.text());
    let seen = app.get(&path).await.ok().json();
    assert!(seen.get("file").is_none() && seen["state"] == "done", "{seen}");
    assert!(is_there(&app, &blob).await);
    sweep(&app, "exchange.clear-exports").await;
    assert!(!is_there(&app, &blob).await);
    assert_eq!(app.get(&file).await.status, 410);
    app.stop().await;
}

async fn exports_of_one_caller_are_limited(db: TestDb) {
    let app = start(&db, 2).await;
    import(&app, POTS, "type=pot&infer=true&key=number").await;
    let first = export(&app, "csv").await.ok().json()["job"]
        .as_str()
        .unwrap()
        .to_owned();
    let second = export(&app, "json").await.ok().json()["job"]
        .as_str()
        .unwrap()
        .to_owned();
    let third = export(&app, "xlsx").await;
    assert_eq!(third.status, 429, "{}", third.text());
    assert!(third.text().contains("throw one away"), "{}", third.text());
    assert_eq!(
        export(&app, "json").await.ok().json()["job"],
        json!(second),
        "the same order joins"
    );
    app.drain_jobs().await;
    assert_eq!(export(&app, "xlsx").await.status, 429, "files that are kept count");
    // Thrown away, one makes room, and its file goes.
    let blob = blob_of(&app, &first).await;
    app.age(&blob);
    assert_eq!(remove(&app, &format!("/api/exports/{first}")).await, 204);
    assert!(!is_there(&app, &blob).await);
    assert_eq!(app.get(&format!("/api/exports/{first}/file")).await.status, 410);
    let third = export(&app, "xlsx").await.ok().json();
    // One that has not begun is stopped.
    let path = format!("/api/exports/{}", third["job"].as_str().unwrap());
    assert_eq!(remove(&app, &path).await, 204);
    assert_eq!(app.get(&path).await.ok().json()["state"], "cancelled");
    export(&app, "jsonl").await.ok();
    app.stop().await;
}

async fn what_nobody_needs_goes(db: TestDb) {
    let app = start(&db, 10).await;
    let done = import(&app, "number,title\n1,Pot\n1,Twice\n", "type=pot&infer=true&key=number").await;
    let (source, report) = (done["blob"].as_str().unwrap(), done["report"].as_str().unwrap());
    let rehearsed = import(
        &app,
        "number,title\n5,Urn\n5,Vase\n",
        "type=pot&key=number&dry_run=true",
    )
    .await;
    let rehearsal = rehearsed["report"].as_str().unwrap();
    let draft = bring(&app, "a,b\n1,2\n").await;
    let waiting = draft["blob"].as_str().unwrap();
    let job = export(&app, "csv").await.ok().json()["job"]
        .as_str()
        .unwrap()
        .to_owned();
    app.drain_jobs().await;
    let exported = blob_of(&app, &job).await;
    // What a process leaves that was killed before it referred to the file, or after it ceased to.
    let left = app.kernel().blobs.put_stream(&b"orphan"[..], 100).await.unwrap().id;
    let fresh = app.kernel().blobs.put_stream(&b"on its way"[..], 100).await.unwrap().id;
    for blob in [source, report, rehearsal, waiting, &exported, &left] {
        app.age(blob);
    }
    sweep(&app, "blobs.sweep").await;
    assert!(!is_there(&app, &left).await);
    for blob in [source, report, rehearsal, waiting, &exported, &fresh] {
        assert!(is_there(&app, blob).await, "{blob}");
    }
    let of_rehearsal = format!("/api/imports/{}/report", rehearsed["job"].as_str().unwrap());
    assert!(app.get(&of_rehearsal).await.ok().text().contains("stands already"));
    // The report, too, stays while the same bytes are brought and thrown away.
    let of_import = format!("/api/imports/{}/report", done["job"].as_str().unwrap());
    let twin = bring(&app, &app.get(&of_import).await.ok().text()).await;
    assert_eq!(twin["blob"], json!(report));
    app.age(report);
    assert_eq!(
        remove(&app, &format!("/api/import-drafts/{}", twin["id"].as_str().unwrap())).await,
        204
    );
    app.get(&of_import).await.ok();
    // With the collection its source and its report go; the export has its own time.
    let gone = app
        .signed(Method::DELETE, "/api/types/pot?records=true")
        .header("if-match", "\"1\"");
    app.send(gone, Bytes::new()).await.ok();
    app.drain_jobs().await;
    assert!(!is_there(&app, source).await && !is_there(&app, report).await);
    assert!(is_there(&app, &exported).await && is_there(&app, waiting).await);
    app.get(&format!("/api/exports/{job}/file")).await.ok();
    // A program that lacks a part which needs files clears nothing away.
    let write = db.write(Write::interactive("test"), |tx| {
        Box::pin(async move {
            sql("UPDATE fact SET value = '[\"exchange\",\"media\",\"records\",\"search\"]' WHERE name = 'blobs.holders'")
                .exec(tx)
                .await
        })
    });
    write.await.unwrap();
    let left = app.kernel().blobs.put_stream(&b"orphan"[..], 100).await.unwrap().id;
    app.age(&left);
    sweep(&app, "blobs.sweep").await;
    assert!(is_there(&app, &left).await);
    app.stop().await;
}

/// Throwing away and bringing the same bytes, again and again at the same time: a draft always has its file.
async fn what_is_brought_while_it_goes_stays(db: TestDb) {
    let app = start(&db, 10).await;
    let mut draft = bring(&app, POTS).await;
    for round in 0..25 {
        app.age(draft["blob"].as_str().unwrap());
        let path = format!("/api/import-drafts/{}", draft["id"].as_str().unwrap());
        let (removed, brought) = futures_util::join!(remove(&app, &path), bring(&app, POTS));
        assert_eq!(removed, 204);
        draft = brought;
        assert!(is_there(&app, draft["blob"].as_str().unwrap()).await, "round {round}");
        app.get(&format!("/api/import-drafts/{}", draft["id"].as_str().unwrap()))
            .await
            .ok();
    }
    app.stop().await;
}
