//! The audit on both engines: who did what, in which order it may be followed, and that nothing is skipped while somebody
//! else may still commit.

use serde_json::{Value, json};
use vitrine::both;
use vitrine::kernel::testing::{TestApp, TestDb};

use super::{AGAIN, FIRST, import, newest, table, undo};

both!(the_audit_tells_who_did_what, the_audit_waits_for_who_may_still_commit);

async fn the_audit_tells_who_did_what(db: TestDb) {
    let app = TestApp::start(&db).await;
    import(&app, &table(3, "Pot"), FIRST).await;
    let set = newest(&app, "import").await;
    undo(&app, &set).await;
    let lines = async |query: &str| -> Vec<Value> {
        let answer = app.get(&format!("/api/changes/export?{query}")).await.ok();
        assert_eq!(answer.header("content-type").as_deref(), Some("application/x-ndjson"));
        answer
            .text()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let all = lines("").await;
    assert_eq!(all.len(), 8, "{all:?}");
    assert_eq!(
        (&all[0]["cause"], &all[0]["kind"], &all[0]["operation"]),
        (&json!("import"), &json!("type"), &json!("create"))
    );
    assert_eq!(all[7]["origin"]["undoes"], json!(set));
    assert_eq!(lines("cause=undo&kind=record").await.len(), 3);
    assert_eq!(lines("until=2020-01-01").await.len(), 0);
    let after = all[4]["position"].as_str().unwrap();
    assert_eq!(lines(&format!("after={after}")).await, all[5..]);
    let page = app.get("/changes?cause=undo").await.ok().text();
    assert!(page.contains("/api/changes/export?cause=undo"), "{page}");
    // By what is touched, on the page too; what it shows is what the export holds.
    app.post(
        "/api/types",
        &json!({"name": "lid", "title": "title", "fields": [{"name": "title", "kind": "text"}]}),
    )
    .await
    .ok();
    let page = app.get("/changes?kind=type").await.ok().text();
    assert!(page.contains("/api/changes/export?kind=type"), "{page}");
    assert!(
        page.contains("value=\"grant\"") && page.contains("value=\"type\" selected"),
        "{page}"
    );
    let types = app.get("/api/changes?kind=type").await.ok().json();
    let made = lines("kind=type&cause=type.create").await.len() + lines("kind=type&cause=import").await.len();
    assert!(made >= 2 && types["items"].as_array().unwrap().len() >= 2, "{types}");
    assert!(lines("kind=grant").await.is_empty());
    app.stop().await;
}

/// A transaction that began earlier may still write before what was committed since: an audit that went past it would
/// never tell of it.
async fn the_audit_waits_for_who_may_still_commit(db: TestDb) {
    use sqlx::Connection;
    let app = TestApp::start(&db).await;
    import(&app, &table(3, "Pot"), FIRST).await;
    let lines = async || app.get("/api/changes/export").await.ok().text().lines().count();
    let before = lines().await;
    assert!(before >= 4, "{before}");
    if !db.url().starts_with("postgres") {
        import(&app, &table(3, "Jug"), AGAIN).await;
        assert!(lines().await > before, "one writer leaves no gaps");
        return app.stop().await;
    }
    let mut other = sqlx::PgConnection::connect(db.url()).await.unwrap();
    let begin = "BEGIN; INSERT INTO fact (name, value) VALUES ('test.open', '1')";
    sqlx::raw_sql(begin).execute(&mut other).await.unwrap();
    import(&app, &table(3, "Jug"), AGAIN).await;
    assert_eq!(
        lines().await,
        before,
        "what stands behind an open transaction is not told yet"
    );
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    assert!(lines().await > before);
    app.stop().await;
}
