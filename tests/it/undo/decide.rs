//! Deciding about what an undo left, on both engines: field by field, as a whole, not at all; each carried out once, as a
//! change that can be undone in turn.

use bytes::Bytes;
use hyper::Method;
use hyper::header::IF_MATCH;
use serde_json::{Value, json};
use vitrine::both;
use vitrine::kernel::testing::{TestApp, TestDb};

use super::{FIRST, counts, edit, import, newest, records, table, undo};

both!(
    somebody_decides_about_what_was_left,
    decisions_are_refused_in_words,
    a_record_goes_back_to_any_version
);

/// A table that corrects every title and adds where each stands.
fn corrected(rows: usize) -> String {
    let lines = (1..=rows).map(|n| format!("n{n},Jug {n},Hall {n}\n"));
    format!("number,title,place\n{}", lines.collect::<String>())
}

/// An import that corrects five records, of which four are changed by hand after it, and its undo: the change set of that.
async fn left_behind(app: &TestApp) -> String {
    import(app, &table(5, "Pot"), FIRST).await;
    import(app, &corrected(5), "type=teapot&name=b.csv&infer=true&key=number").await;
    let set = newest(app, "import").await;
    for (title, id) in records(app, "teapot").await {
        let n = title.strip_prefix("Jug ").unwrap();
        let (title, place) = match n {
            // The title is one's own now; the place is as the import left it.
            "1" => ("My jug", "Hall 1"),
            "2" => ("Other jug", "Hall 2"),
            // Both are one's own.
            "3" => ("Third", "Cellar"),
            "4" => ("Jug 4", "Attic"),
            _ => continue,
        };
        let document = json!({"number": format!("n{n}"), "title": title, "place": place});
        edit(app, &id, 2, &document).await;
    }
    let result = undo(app, &set).await;
    assert_eq!(
        (&result["reverted"], &result["removed"]),
        (&json!(1), &json!(0)),
        "{result}"
    );
    result["change"].as_str().unwrap().to_owned()
}

/// What is left, by id: the decision and where it was carried out.
async fn left(app: &TestApp, undo: &str) -> Vec<(String, Value, bool)> {
    let list = app.get(&format!("/api/changes/{undo}/left")).await.ok().json();
    let items = list["items"].as_array().unwrap().iter();
    let records = items.filter(|item| item["kind"] == "record");
    records
        .map(|item| {
            let id = item["id"].as_str().unwrap().to_owned();
            (id, item["decision"].clone(), item["decided_in"].is_string())
        })
        .collect()
}

async fn id_of(app: &TestApp, title: &str) -> String {
    let all = records(app, "teapot").await;
    let found = all.iter().find(|(t, _)| t == title);
    found.unwrap_or_else(|| panic!("{title} in {all:?}")).1.clone()
}

async fn document(app: &TestApp, id: &str) -> Value {
    let record = app.get(&format!("/api/records/{id}")).await.ok().json();
    record["document"].clone()
}

async fn decide(app: &TestApp, undo: &str, body: &Value) -> Value {
    let taken = app.post(&format!("/api/changes/{undo}/left"), body).await.ok().json();
    let job = app.ended_job(&taken).await;
    assert_eq!(job["state"], "done", "{job}");
    job["result"].clone()
}

async fn somebody_decides_about_what_was_left(db: TestDb) {
    let app = TestApp::start(&db).await;
    let undone = left_behind(&app).await;
    let all = left(&app, &undone).await;
    assert_eq!(all.len(), 4, "{all:?}");
    assert!(all.iter().all(|(_, decision, _)| decision.is_null()), "{all:?}");
    let (mine, other, third, fourth) = (
        id_of(&app, "My jug").await,
        id_of(&app, "Other jug").await,
        id_of(&app, "Third").await,
        id_of(&app, "Jug 4").await,
    );
    // The page shows what the import did and what somebody did since.
    let page = app.get(&format!("/changes/{undone}")).await.ok().text();
    let address = format!("/changes/{undone}/decide");
    assert!(page.contains(&address), "{page}");
    let page = app.get(&address).await.ok().text();
    for word in [
        "My jug",
        "Hall 1",
        "Put their fields back",
        "This was done since:",
        "Cellar",
    ] {
        assert!(page.contains(word), "{word} in {page}");
    }

    // Of one the fields: its place goes back to nothing, the title stays one's own.
    let by_field = json!({"decide": "fields", "records": [mine], "reason": "Only the places were wrong"});
    let result = decide(&app, &undone, &by_field).await;
    counts(&result, 0, 1, 0, 0, 0);
    assert_eq!(document(&app, &mine).await, json!({"number": "n1", "title": "My jug"}));
    let set = result["change"].as_str().unwrap().to_owned();
    let page = app.get(&format!("/changes/{set}")).await.ok().text();
    assert!(
        page.contains("Only the places were wrong") && page.contains(&undone),
        "{page}"
    );

    // One is decided to stay; of the rest, together, the fields: nothing of the third is as the import left it.
    let kept = json!({"decide": "keep", "records": [other]});
    let taken = app
        .post(&format!("/api/changes/{undone}/left"), &kept)
        .await
        .ok()
        .json();
    assert_eq!((&taken["things"], &taken["job"]), (&json!(1), &Value::Null), "{taken}");
    let result = decide(&app, &undone, &json!({"decide": "fields"})).await;
    counts(&result, 0, 1, 0, 0, 1);
    assert_eq!(
        document(&app, &fourth).await,
        json!({"number": "n4", "title": "Pot 4", "place": "Attic"})
    );
    assert_eq!(document(&app, &other).await["title"], "Other jug");
    let open: Vec<String> = left(&app, &undone)
        .await
        .into_iter()
        .filter_map(|(id, decision, _)| decision.is_null().then_some(id))
        .collect();
    assert_eq!(open, std::slice::from_ref(&third));

    // The third as a whole; and that is undone again, as any change.
    let result = decide(&app, &undone, &json!({"decide": "whole", "records": [third]})).await;
    counts(&result, 0, 1, 0, 0, 0);
    assert_eq!(document(&app, &third).await, json!({"number": "n3", "title": "Pot 3"}));
    let result = undo(&app, result["change"].as_str().unwrap()).await;
    counts(&result, 0, 1, 0, 0, 0);
    assert_eq!(document(&app, &third).await["place"], "Cellar");
    // The type that the import had added a field to is needed as it is.
    let list = app.get(&format!("/api/changes/{undone}/left")).await.ok().json();
    let types = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|item| item["kind"] == "type");
    let types: Vec<&Value> = types.map(|item| &item["id"]).collect();
    let kept = json!({"decide": "keep", "records": types});
    app.post(&format!("/api/changes/{undone}/left"), &kept).await.ok();
    // Nothing is open any more, and what was kept can still be decided otherwise.
    let page = app.get(&address).await.ok().text();
    assert!(page.contains("Nothing is open"), "{page}");
    let result = decide(&app, &undone, &json!({"decide": "whole", "records": [other]})).await;
    counts(&result, 0, 1, 0, 0, 0);
    let carried: Vec<bool> = left(&app, &undone).await.into_iter().map(|(_, _, done)| done).collect();
    assert_eq!(carried, [true; 4]);
    app.stop().await;
}

async fn decisions_are_refused_in_words(db: TestDb) {
    let app = TestApp::start(&db).await;
    import(&app, &table(3, "Pot"), FIRST).await;
    let set = newest(&app, "import").await;
    let pot = id_of(&app, "Pot 2").await;
    edit(&app, &pot, 1, &json!({"number": "n2", "title": "My pot"})).await;
    let undone = undo(&app, &set).await["change"].as_str().unwrap().to_owned();
    let ask = async |path: &str, body: Value| app.post(path, &body).await.status;
    let path = format!("/api/changes/{undone}/left");
    assert_eq!(ask(&path, json!({"decide": "burn"})).await, 422);
    assert_eq!(ask(&path, json!({"decide": "keep", "records": []})).await, 422);
    let many: Vec<String> = (0..1_001).map(|n| n.to_string()).collect();
    assert_eq!(ask(&path, json!({"decide": "keep", "records": many})).await, 422);
    assert_eq!(ask(&path, json!({"decide": "keep", "records": ["nothing"]})).await, 409);
    assert_eq!(
        ask(&path, json!({"decide": "whole", "reason": "x".repeat(1_001)})).await,
        422
    );
    // The import is no undo.
    let other = format!("/api/changes/{set}/left");
    assert_eq!(ask(&other, json!({"decide": "keep"})).await, 404);
    assert_eq!(app.get(&format!("/changes/{set}/decide")).await.status, 404);
    assert_eq!(
        app.get_anonymous(&format!("/changes/{undone}/decide")).await.status,
        401
    );
    // What the change had made has no fields to go back to: it stays open until it is deleted as a whole.
    let result = decide(&app, &undone, &json!({"decide": "fields", "records": [pot]})).await;
    counts(&result, 0, 0, 0, 0, 1);
    let result = decide(&app, &undone, &json!({"decide": "whole", "records": [pot]})).await;
    counts(&result, 1, 0, 0, 0, 0);
    assert_eq!(app.get(&format!("/api/records/{pot}")).await.status, 410);
    // Done is done.
    assert_eq!(ask(&path, json!({"decide": "keep", "records": [pot]})).await, 409);
    app.stop().await;
}

async fn a_record_goes_back_to_any_version(db: TestDb) {
    let app = TestApp::start(&db).await;
    import(&app, &table(1, "Pot"), FIRST).await;
    let pot = id_of(&app, "Pot 1").await;
    edit(&app, &pot, 1, &json!({"number": "n1", "title": "Second"})).await;
    edit(&app, &pot, 2, &json!({"number": "n1", "title": "Third"})).await;
    let back = async |query: &str, base: Option<i64>| {
        let mut request = app.signed(Method::POST, &format!("/api/records/{pot}/restore?{query}"));
        if let Some(base) = base {
            request = request.header(IF_MATCH, format!("\"{base}\""));
        }
        app.send(request, Bytes::new()).await
    };
    assert_eq!(back("version=1", None).await.status, 428);
    assert_eq!(back("version=1", Some(2)).await.status, 412);
    assert_eq!(back("version=9", Some(3)).await.status, 404);
    assert_eq!(back("version=first", Some(3)).await.status, 400);
    let first = back("version=1&reason=The%20first%20was%20right", Some(3))
        .await
        .ok()
        .json();
    assert_eq!(
        (&first["version"], &first["document"]["title"]),
        (&json!(4), &json!("Pot 1"))
    );
    let second = back("version=2", Some(4)).await.ok().json();
    assert_eq!(
        (&second["version"], &second["document"]["title"]),
        (&json!(5), &json!("Second"))
    );
    let history = app.get(&format!("/api/records/{pot}/history")).await.ok().json();
    assert_eq!(
        history["items"][1]["change"]["reason"], "The first was right",
        "{history}"
    );
    // The page of an older version leads there, too.
    let page = app.get(&format!("/records/{pot}/versions/3")).await.ok().text();
    assert!(page.contains(&format!("/records/{pot}/edit?from=3")), "{page}");
    app.stop().await;
}
