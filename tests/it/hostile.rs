//! What people with bad intent send, over HTTP on both engines: names that are markup, texts that cannot be stored. Nothing
//! of it becomes a script, an error of ours or a way out of the house.

use bytes::Bytes;
use hyper::Method;
use serde_json::{Value, json};
use vitrine::both;
use vitrine::kernel::testing::{Dice, TestApp, TestDb, gzip, tar};

both!(
    names_are_shown_as_text,
    texts_that_cannot_be_stored_are_refused,
    every_fault_of_a_file_is_named_by_row_and_field,
    a_file_that_was_cut_comes_in_whole_or_not_at_all,
);

async fn import(app: &TestApp, content: &'static [u8], query: &str) -> String {
    let request = app.signed(Method::POST, &format!("/api/imports?{query}"));
    let begun = app.send(request, Bytes::from_static(content)).await.ok().json();
    app.drain_jobs().await;
    begun["job"].as_str().unwrap().to_owned()
}

async fn bring(app: &TestApp, name: &str, content: &'static [u8]) -> Value {
    let query = serde_html_form::to_string([("name", name)]).unwrap();
    let request = app.signed(Method::POST, &format!("/api/uploads?{query}"));
    app.send(request, Bytes::from_static(content)).await.ok().json()
}

const MARKUP: &str = "\"><img src=x onerror=alert(1)>'<script>alert(1)</script>";

async fn names_are_shown_as_text(db: TestDb) {
    let app = TestApp::start(&db).await;
    let named = json!({ "en": MARKUP });
    let kind = json!({
        "name": "vase", "title": "title", "visibility": "public", "labels": named, "description": named, "credit": MARKUP,
        "licence": "javascript:alert(1)", "fields": [
            { "name": "title", "kind": "text", "labels": named, "hints": named },
            { "name": "colour", "kind": "term", "facet": true, "column": true, "labels": named },
            { "name": "link", "kind": "url" },
        ] });
    app.post("/api/types", &kind).await.ok();
    let document = json!({ "title": MARKUP, "colour": MARKUP });
    let record = app
        .post("/api/records", &json!({ "type": "vase", "document": document }))
        .await
        .ok()
        .json();
    let link = json!({ "type": "vase", "document": { "title": "x", "link": "javascript:alert(1)" } });
    let refused = app.post("/api/records", &link).await;
    let draft = bring(
        &app,
        &format!("{MARKUP}.csv"),
        b"<b>a</b>,\"\"\"><script>alert(1)</script>\"\n1,<script>alert(1)</script>\n",
    )
    .await;
    let draft = draft["id"].as_str().unwrap();
    app.get(&format!("/api/import-drafts/{draft}")).await.ok();
    app.drain_jobs().await;
    let job = import(
        &app,
        b"title\n1\n",
        &format!("type=vase&name={}", "%3Cscript%3Ealert(1)%3C/script%3E"),
    )
    .await;
    let id = record["id"].as_str().unwrap();
    let pages = [
        "/".to_owned(),
        "/types".to_owned(),
        "/types/vase".to_owned(),
        "/types/vase/edit".to_owned(),
        "/types/vase/new".to_owned(),
        format!("/records/{id}"),
        format!("/records/{id}/edit"),
        format!("/records/{id}/history"),
        format!("/records/{id}/delete"),
        "/search?type=vase".to_owned(),
        "/search?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&sort=%3Cscript%3Ealert(1)".to_owned(),
        "/import".to_owned(),
        format!("/import/{draft}"),
        format!("/import/{draft}/collection"),
        format!("/import/{draft}/preview"),
        format!("/imports/{job}"),
        "/changes?actor=%3Cscript%3Ealert(1)".to_owned(),
        format!("/jobs/{job}"),
        "/jobs?kind=%3Cscript%3Ealert(1)".to_owned(),
        "/logs?q=%3Cscript%3Ealert(1)".to_owned(),
        "/nothing/%3Cscript%3Ealert(1)".to_owned(),
    ];
    assert!(
        refused.status == 422 || refused.status.is_success(),
        "{}",
        refused.text()
    );
    for path in &pages {
        let page = app.page(path).await;
        assert!(page.status.as_u16() < 500, "{path}: {} {}", page.status, page.text());
        let text = page.text();
        for bad in ["<img src=x", "<script>alert", "href=\"javascript:", "<b>a</b>"] {
            assert!(!text.contains(bad), "{path} shows {bad}");
        }
        if let Some(policy) = page.header("content-security-policy") {
            assert!(!policy.contains("unsafe-inline"), "{path}: {policy}");
        }
    }
    app.stop().await;
}

/// PostgreSQL cannot hold a NUL, not even to look for it: that is the sender's fault and not ours.
async fn texts_that_cannot_be_stored_are_refused(db: TestDb) {
    let app = TestApp::start(&db).await;
    import(&app, b"number,title\n1,Pot\n", "type=pot&infer=true&key=number").await;
    let draft = bring(&app, "a.csv", b"a,b\n1,2\n").await;
    let draft = format!("/api/import-drafts/{}", draft["id"].as_str().unwrap());
    let bad = "a\0b";
    let asked = [
        (
            Method::POST,
            "/api/exports".to_owned(),
            json!({ "type": bad, "format": "csv" }),
        ),
        (
            Method::POST,
            "/api/exports".to_owned(),
            json!({ "type": "pot", "q": bad, "format": "csv" }),
        ),
        (
            Method::POST,
            "/api/records".to_owned(),
            json!({ "type": bad, "document": {} }),
        ),
        (
            Method::POST,
            "/api/records".to_owned(),
            json!({ "type": "pot", "document": { "title": bad, "number": "3" } }),
        ),
        (
            Method::POST,
            "/api/types".to_owned(),
            json!({ "name": bad, "fields": [] }),
        ),
        (
            Method::PATCH,
            draft.clone(),
            json!({ "label": bad, "reason": bad, "name": bad }),
        ),
        (Method::PATCH, draft.clone(), json!({ "into": bad })),
        (Method::POST, format!("{draft}/run"), json!({})),
        (
            Method::POST,
            "/api/tokens".to_owned(),
            json!({ "name": bad, "scope": [bad] }),
        ),
    ];
    for (method, path, body) in asked {
        let answer = app.with_json(method, &path, &body).await;
        assert!(
            answer.status.as_u16() < 500,
            "{path} {body}: {} {}",
            answer.status,
            answer.text()
        );
        app.get(&draft).await;
        app.drain_jobs().await;
    }
    let long = format!("/api/imports?type=pot&reason={}", "x".repeat(1_001));
    let refused = app
        .send(app.signed(Method::POST, &long), Bytes::from_static(b"a\n1\n"))
        .await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    app.stop().await;
}

/// A row for each fault there is; what is wrong with it, by field.
const FAULTS: &str = "code,name,above,found,decimalLatitude,decimalLongitude,mass,page,colour,n\n\
    a,fine,,28 February 1921,59,18,2 kg,https://example.org,red,1\n\
    b,a day that is none,,31 February 1921,,,,,,\n\
    c,the same,,1921-02-31,,,,,,\n\
    d,year zero,,0000,,,,,,\n\
    e,open digits,,c. 18??,,,,,,\n\
    f,too far north,,,110,18,,,,\n\
    g,too far east,,,59,181,,,,\n\
    h,round,i,,,,,,,\n\
    i,and round,h,,,,,,,\n\
    j,below them,i,,,,,,,\n\
    k,below nothing,nowhere,,,,,,,\n\
    a,the first key again,,,,,,,,\n\
    l,metres of mass,,,,,2 m,,,\n\
    m,no address,,,,,,javascript:alert(1),,\n\
    n,no term,,,,,,,green,\n\
    o,no whole number,,,,,,,,1.5\n\
    p,both in words,,,110\u{b0}N,18\u{b0}E,,,,\n\
    ,no key,,,,,,,,\n";
const NAMED: [(i64, &str, &str); 17] = [
    (2, "found", "not in the calendar"),
    (3, "found", "not in the calendar"),
    (4, "found", "year 0"),
    (5, "found", "leaves digits open"),
    (6, "decimalLatitude", "is 110"),
    (7, "decimalLongitude", "is 181"),
    (8, "above", "row 8 \u{203a} row 9 \u{203a} row 8"),
    (9, "above", "row 9 \u{203a} row 8 \u{203a} row 9"),
    (10, "above", "below a row"),
    (11, "above", "\"nowhere\""),
    (12, "code", "already in row 1"),
    (13, "mass", "turned into g"),
    (14, "page", "http://"),
    (15, "colour", "not a term"),
    (16, "n", "whole number"),
    (17, "decimalLatitude", "no latitude"),
    (18, "code", "is missing"),
];

async fn every_fault_of_a_file_is_named_by_row_and_field(db: TestDb) {
    let app = TestApp::start(&db).await;
    let kind = json!({ "name": "spot", "title": "name", "key": "code", "parent": "above", "fields": [
        { "name": "code", "kind": "identifier", "unique": true }, { "name": "name", "kind": "text" },
        { "name": "above", "kind": "link", "target": "spot" }, { "name": "found", "kind": "date" },
        { "name": "decimalLatitude", "kind": "number" }, { "name": "decimalLongitude", "kind": "number" },
        { "name": "mass", "kind": "number", "unit": "g" }, { "name": "page", "kind": "url" },
        { "name": "colour", "kind": "term", "values": ["red", "blue"] }, { "name": "n", "kind": "integer" } ] });
    app.post("/api/types", &kind).await.ok();
    for query in ["type=spot&name=faults.csv&dry_run=true", "type=spot&name=faults.csv"] {
        let job = import(&app, FAULTS.as_bytes(), query).await;
        let view = app.get(&format!("/api/imports/{job}")).await.ok().json();
        assert_eq!((&view["created"], &view["refused"]), (&json!(1), &json!(17)), "{view}");
        let told = view["refusals"].as_array().unwrap();
        for (row, field, words) in NAMED {
            let found = told.iter().any(|one| {
                one["row"] == row && one["field"] == field && one["message"].as_str().unwrap().contains(words)
            });
            assert!(found, "row {row}, {field}, {words}: {view}");
        }
        // What stands there is told beside, also of rows that nobody tried to write.
        for (row, value) in [(8, "i"), (12, "a"), (6, "110")] {
            assert!(
                told.iter().any(|one| one["row"] == row && one["value"] == value),
                "{row}: {view}"
            );
        }
    }
    // The same by hand: each is refused by its field, and nothing of it stands.
    for (field, value) in [
        ("found", json!("31 February 1921")),
        ("found", json!("0000")),
        ("found", json!("c. 18??")),
        ("decimalLatitude", json!(110)),
    ] {
        let mut document = json!({ "code": "z", "decimalLongitude": 1 });
        document[field] = value;
        let answer = app
            .post("/api/records", &json!({ "type": "spot", "document": document }))
            .await;
        assert!(
            answer.status == 422 && answer.text().contains(field),
            "{}",
            answer.text()
        );
    }
    let list = app.get("/api/records?type=spot").await.ok().json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
    app.stop().await;
}

/// Wherever an archive or a table ends too early: it is refused in words and nothing of it stands, or the rows that are whole
/// stand and what is not is named.
async fn a_file_that_was_cut_comes_in_whole_or_not_at_all(db: TestDb) {
    const META: &str = r#"<archive xmlns="http://rs.tdwg.org/dwc/text/"><core encoding="UTF-8" fieldsTerminatedBy="," linesTerminatedBy="\n"
        fieldsEnclosedBy="&quot;" ignoreHeaderLines="1" rowType="http://rs.tdwg.org/dwc/terms/Occurrence"><files><location>finds.csv</location></files>
        <id index="0"/><field index="1" term="http://rs.tdwg.org/dwc/terms/locality"/></core></archive>"#;
    let app = TestApp::start(&db).await;
    let rows: String = (0..40).map(|n| format!("k{n},\"place, {n}\"\n")).collect();
    let rows = format!("id,locality\n{rows}");
    let packed = tar(&[("meta.xml", META), ("finds.csv", rows.as_str())]);
    let files = [
        ("a.tar", packed.clone()),
        ("a.tar.gz", gzip(&packed)),
        ("a.csv", rows.clone().into_bytes()),
        ("a.csv.gz", gzip(rows.as_bytes())),
        (
            "a.json",
            format!(
                "[{}]",
                (0..40)
                    .map(|n| format!("{{\"id\":\"k{n}\"}}"))
                    .collect::<Vec<_>>()
                    .join(",\n")
            )
            .into_bytes(),
        ),
    ];
    let mut dice = Dice::new(19);
    for (at, (name, content)) in files.iter().enumerate() {
        for turn in 0..6 {
            let end = usize::try_from(dice.below(content.len() as u64)).unwrap();
            let type_name = format!("cut-{}", ["a", "b", "c", "d", "e"][at].repeat(turn + 1));
            let query = format!("/api/imports?type={type_name}&infer=true&key=id&name={name}");
            let request = app.signed(Method::POST, &query);
            let begun = app.send(request, Bytes::copy_from_slice(&content[..end])).await;
            if begun.status.is_client_error() {
                continue;
            }
            let begun = begun.ok().json();
            app.drain_jobs().await;
            let path = format!("/api/imports/{}", begun["job"].as_str().unwrap());
            let view = app.get(&path).await.ok().json();
            let list = app.get(&format!("/api/records?type={type_name}&limit=100")).await;
            let stands = list.json()["items"].as_array().map_or(0, Vec::len);
            let created = view["created"].as_u64().unwrap_or_default();
            assert_eq!(stands as u64, created, "{name} to {end}: {view}");
            match view["state"].as_str() {
                Some("done") => {
                    let refused = view["refused"].as_u64().unwrap();
                    let named = view["refusals"].as_array().unwrap().len() as u64;
                    assert!(created <= 40 && named >= refused.min(1), "{name} to {end}: {view}");
                }
                Some("failed") => {
                    let said = view["error"].as_str().unwrap_or_default();
                    assert!(
                        said.len() > 20 && !said.contains("request id"),
                        "{name} to {end}: {view}"
                    );
                }
                other => panic!("{name} to {end}: {other:?} {view}"),
            }
        }
    }
    app.stop().await;
}
