//! Numbers over HTTP on both engines: fifty at once are fifty, a number stays with its record, blocks are set aside and kept
//! in the ledger, files bring their own, and schemes that cannot be are refused.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use hyper::Method;
use serde_json::{Value, json};
use vitrine::both;
use vitrine::kernel::testing::{TestApp, TestDb};

both!(
    fifty_at_once_get_fifty_numbers,
    a_number_stays_with_its_record,
    blocks_are_set_aside,
    files_bring_numbers_and_are_given_the_rest,
    schemes_that_cannot_be_are_refused,
);

async fn specimens(app: &TestApp, number: Value) {
    let fields = json!([{"name": "title", "kind": "text"}, {"name": "number", "kind": "identifier", "unique": true, "number": number}]);
    let made = app
        .post(
            "/api/types",
            &json!({"name": "specimen", "title": "title", "fields": fields}),
        )
        .await;
    made.ok();
}

async fn make(app: &TestApp, document: Value) -> Value {
    let made = app
        .post("/api/records", &json!({"type": "specimen", "document": document}))
        .await;
    made.ok().json()
}

fn number(record: &Value) -> String {
    record["document"]["number"].as_str().unwrap_or_default().to_owned()
}

async fn fifty_at_once_get_fifty_numbers(db: TestDb) {
    let app = TestApp::start(&db).await;
    specimens(&app, json!({"pattern": "Ma{year}{seq:4}", "yearly": true})).await;
    let made = join_all((0..50).map(|n| make(&app, json!({"title": format!("s{n}")})))).await;
    let numbers: BTreeSet<String> = made.iter().map(number).collect();
    assert_eq!(numbers.len(), 50, "{numbers:?}");
    let year = &numbers.first().unwrap()[2..6];
    assert!(
        numbers
            .iter()
            .all(|n| n.len() == 10 && n.starts_with(&format!("Ma{year}"))),
        "{numbers:?}"
    );
    let schemes = app.get("/api/types/specimen/numbers").await.ok().json();
    let scheme = &schemes["items"][0];
    assert_eq!(
        (&scheme["last"], &scheme["left"]),
        (&json!(numbers.last().unwrap()), &json!(9_949)),
        "{schemes}"
    );
    app.stop().await;
}

async fn a_number_stays_with_its_record(db: TestDb) {
    let app = TestApp::start(&db).await;
    specimens(&app, json!({"pattern": "A{seq}", "start": 7, "by_hand": true})).await;
    let first = make(&app, json!({"title": "one"})).await;
    assert_eq!(number(&first), "A7");
    // What was written by hand is not given to another.
    make(&app, json!({"title": "two", "number": "A8"})).await;
    assert_eq!(number(&make(&app, json!({"title": "three"})).await), "A9");
    let path = format!("/api/records/{}", first["id"].as_str().unwrap());
    for document in [json!({"title": "new", "number": "A10"}), json!({"title": "new"})] {
        let request = app
            .signed(Method::PUT, &path)
            .header("content-type", "application/json")
            .header("if-match", "\"1\"");
        let answer = app
            .send(request, json!({ "document": document }).to_string().into())
            .await;
        assert_eq!(answer.status, 422, "{}", answer.text());
        assert!(answer.text().contains("stays with its record"), "{}", answer.text());
    }
    let request = app
        .signed(Method::PUT, &path)
        .header("content-type", "application/json")
        .header("if-match", "\"1\"");
    let same = json!({"document": {"title": "new", "number": "A7"}});
    let kept = app.send(request, same.to_string().into()).await.ok();
    // Many at once do not change it either, once they can be found.
    let at = kept.header("ledger-position").unwrap().parse().unwrap();
    let patience = std::time::Duration::from_secs(60);
    assert!(app.kernel().search.wait_for(at, patience).await.unwrap());
    let body = json!({"select": {"type": "specimen", "all": true}, "action": {"do": "replace", "field": "number", "find": "A", "with": "B"}});
    let batch = app.post("/api/batches", &body).await.ok().json();
    assert_eq!(
        (&batch["preview"]["changed"], &batch["preview"]["refused"]),
        (&json!(0), &json!(3)),
        "{batch}"
    );
    app.stop().await;
}

async fn blocks_are_set_aside(db: TestDb) {
    let app = TestApp::start(&db).await;
    specimens(&app, json!({"pattern": "N-{seq:3}"})).await;
    let wanted = json!({"field": "number", "count": 5, "reason": "labels for the field trip"});
    let reserved = app.post("/api/types/specimen/numbers", &wanted).await.ok().json();
    assert_eq!(
        reserved["numbers"],
        json!(["N-001", "N-002", "N-003", "N-004", "N-005"]),
        "{reserved}"
    );
    assert_eq!(number(&make(&app, json!({"title": "given"})).await), "N-006");
    assert_eq!(
        number(&make(&app, json!({"title": "by hand", "number": "N-003"})).await),
        "N-003"
    );
    for (text, says) in [
        ("N-003", "belongs to another"),
        ("N-007", "no block"),
        ("N-6", "no block"),
        ("x", "no block"),
    ] {
        let answer = app
            .post(
                "/api/records",
                &json!({"type": "specimen", "document": {"title": "t", "number": text}}),
            )
            .await;
        assert_eq!(answer.status, 422, "{text}");
        assert!(answer.text().contains(says), "{text}: {}", answer.text());
    }
    let sets = app.get("/api/changes?cause=number.reserve").await.ok().json();
    assert_eq!(sets["items"][0]["reason"], "labels for the field trip", "{sets}");
    let page = app.get("/types/specimen/numbers").await.ok().text();
    assert!(
        page.contains("N-007") && page.contains("N-005") && page.contains("labels for the field trip"),
        "{page}"
    );
    // Some are left, but not so many; and what is no number of numbers is refused.
    for (body, status) in [
        (json!({"field": "number", "count": 994}), 409),
        (json!({"field": "number", "count": 0}), 422),
        (json!({"field": "number", "count": 1_000_000_000}), 422),
        (json!({"field": "title", "count": 1}), 422),
    ] {
        assert_eq!(
            app.post("/api/types/specimen/numbers", &body).await.status,
            status,
            "{body}"
        );
    }
    let rest = app
        .post("/api/types/specimen/numbers", &json!({"field": "number", "count": 993}))
        .await
        .ok()
        .json();
    assert_eq!(rest["block"]["last"], "N-999");
    let answer = app
        .post("/api/records", &json!({"type": "specimen", "document": {"title": "t"}}))
        .await;
    assert_eq!(answer.status, 409, "{}", answer.text());
    assert!(answer.text().contains("used up"), "{}", answer.text());
    app.stop().await;
}

async fn files_bring_numbers_and_are_given_the_rest(db: TestDb) {
    let app = TestApp::start(&db).await;
    specimens(&app, json!({"pattern": "N{seq:4}"})).await;
    let import = async |file: &str| {
        let request = app.signed(Method::POST, "/api/imports?type=specimen&name=a.jsonl");
        let job = app.send(request, file.to_owned().into()).await.ok().json();
        app.drain_jobs().await;
        app.get(&format!("/api/imports/{}", job["job"].as_str().unwrap()))
            .await
            .ok()
            .json()
    };
    let file = "{\"title\":\"old\",\"number\":\"N0002\"}\n{\"title\":\"a\"}\n{\"title\":\"b\"}\n";
    assert_eq!(import(file).await["created"], 3);
    let list = app.get("/api/records?type=specimen").await.ok().json();
    let numbers: BTreeSet<String> = list["items"].as_array().unwrap().iter().map(number).collect();
    assert_eq!(numbers, ["N0001", "N0002", "N0003"].map(str::to_owned).into());
    // The same file once more changes nothing; another number for a record that has one is refused.
    let again = import(file).await;
    assert_eq!(again["unchanged"], 3, "{again}");
    app.stop().await;
}

async fn schemes_that_cannot_be_are_refused(db: TestDb) {
    let app = TestApp::start(&db).await;
    for (field, says) in [
        (
            json!({"kind": "identifier", "unique": true, "number": {"pattern": "no counter"}}),
            "one counter",
        ),
        (
            json!({"kind": "identifier", "unique": true, "number": {"pattern": "{seq:400}"}}),
            "1 to 15",
        ),
        (
            json!({"kind": "identifier", "unique": true, "number": {"pattern": "{seq:2}", "start": 100}}),
            "cannot begin",
        ),
        (
            json!({"kind": "identifier", "number": {"pattern": "{seq:2}"}}),
            "unique",
        ),
        (
            json!({"kind": "integer", "unique": true, "number": {"pattern": "{seq:2}"}}),
            "no identifier",
        ),
        (
            json!({"kind": "identifier", "unique": true, "repeated": true, "number": {"pattern": "{seq:2}"}}),
            "takes one",
        ),
        (
            json!({"kind": "identifier", "unique": true, "required": true, "number": {"pattern": "{seq:2}"}}),
            "required",
        ),
    ] {
        let mut field = field;
        field["name"] = json!("number");
        let body = json!({"name": "specimen", "fields": [field]});
        let answer = app.post("/api/types", &body).await;
        assert_eq!(answer.status, 422, "{body}");
        assert!(answer.text().contains(says), "{says}: {}", answer.text());
    }
    assert_eq!(app.get("/api/types/specimen/numbers").await.status, 404);
    app.stop().await;
}
