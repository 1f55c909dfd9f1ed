//! The table of a collection over HTTP: read in blocks to its end, sorted, cut to what its reader sees, kept as they like it;
//! cells saved by their version, and what is pasted looked at and done as one change.

use bytes::Bytes;
use hyper::Method;
use serde_json::{Value, json};
use vitrine::both;
use vitrine::kernel::testing::{TestApp, TestDb};

use crate::shown::{attribute, texts};

both!(
    a_table_is_read_to_its_end,
    a_cell_is_saved_by_its_version,
    a_table_looks_as_its_reader_likes_it,
    what_is_pasted_is_one_change,
    what_cannot_be_pasted_is_refused,
);

async fn vases(app: &TestApp, count: usize) -> Vec<String> {
    let vase = json!({ "name": "vase", "title": "title", "key": "number", "visibility": "public", "fields": [
        { "name": "number", "kind": "identifier" },
        { "name": "title", "kind": "text", "column": true },
        { "name": "height", "kind": "number", "column": true },
        { "name": "whole", "kind": "boolean" },
        { "name": "notes", "kind": "text" },
        { "name": "words", "kind": "term", "repeated": true },
        { "name": "price", "kind": "integer", "level": "restricted" },
        { "name": "twin", "kind": "link", "target": "vase" },
        { "name": "maker", "kind": "group", "repeated": true, "fields": [{ "name": "name", "kind": "text" }] },
        { "name": "place", "kind": "group", "fields": [{ "name": "city", "kind": "text" }] },
    ] });
    app.post("/api/types", &vase).await.ok();
    let mut ids = Vec::new();
    for n in 0..count {
        let document = json!({ "number": format!("v{n}"), "title": format!("Vase {n:03}"), "height": n, "price": 5 });
        let made = app
            .post("/api/records", &json!({ "type": "vase", "document": document }))
            .await;
        ids.push(made.ok().json()["id"].as_str().unwrap().to_owned());
    }
    caught_up(app).await;
    ids
}

async fn caught_up(app: &TestApp) {
    app.get("/api/search?wait=true&limit=1").await.ok();
}

async fn document(app: &TestApp, id: &str) -> Value {
    app.get(&format!("/api/records/{id}")).await.ok().json()["document"].clone()
}

async fn a_table_is_read_to_its_end(db: TestDb) {
    let app = TestApp::start(&db).await;
    vases(&app, 120).await;
    let first = app.page("/types/vase/table?sort=title").await.ok().text();
    let titles = texts(&first, "tbody th");
    assert_eq!((titles.len(), titles[0].as_str()), (50, "Vase 000"));
    assert_eq!(attribute(&first, "tbody", "data-total"), "120");
    assert_eq!(
        texts(&first, "thead [aria-sort=ascending] span")
            .first()
            .map(String::as_str),
        Some("Title")
    );
    // Without scripts it has pages.
    let next = attribute(&first, "a[rel=next]", "href");
    assert_eq!(texts(&app.page(&next).await.ok().text(), "tbody th")[0], "Vase 050");
    for (from, want, rows) in [(1, "Vase 119", 50), (101, "Vase 019", 20), (37, "Vase 083", 50)] {
        let block = app
            .page(&format!("/types/vase/table/rows?sort=-title&from={from}"))
            .await
            .ok()
            .text();
        let titles = texts(&block, "tbody th");
        assert_eq!((titles[0].as_str(), titles.len()), (want, rows), "from {from}");
        assert_eq!(attribute(&block, "tbody tr", "data-n"), from.to_string());
    }
    // Every row stands once, whatever block it is in.
    let mut all = Vec::new();
    for from in (1..=120).step_by(50) {
        let block = app
            .page(&format!("/types/vase/table/rows?sort=height&from={from}"))
            .await
            .ok()
            .text();
        all.extend(texts(&block, "tbody th"));
    }
    assert_eq!(all, (0..120).map(|n| format!("Vase {n:03}")).collect::<Vec<_>>());
    let behind = app.page("/types/vase/table?from=5000&sort=title").await.ok().text();
    assert_eq!(texts(&behind, "tbody th")[0], "Vase 100");
    let narrow = app
        .page("/types/vase/table?q=vase&filter=height:3&column=number")
        .await
        .ok()
        .text();
    assert_eq!(texts(&narrow, "tbody th"), ["Vase 003"]);
    assert_eq!(texts(&narrow, "tbody td:not(.tick)"), ["v3"]);
    assert!(
        texts(&narrow, ".chip").iter().any(|chip| chip.contains("Height: 3")),
        "{narrow}"
    );
    // What is closed is no column for everybody, and nothing is written by them.
    let closed = app
        .get_anonymous("/types/vase/table?column=price&column=height")
        .await
        .ok()
        .text();
    assert!(!closed.contains("Price") && closed.contains("Height"), "{closed}");
    assert!(!closed.contains("data-may-write") && !closed.contains("data-pick"));
    assert_eq!(app.get_anonymous("/types/nothing/table").await.status, 404);
    assert_eq!(app.get("/types/vase/table?filter=heigth:3").await.status, 422);
    app.stop().await;
}

async fn a_cell_is_saved_by_its_version(db: TestDb) {
    let app = TestApp::start(&db).await;
    let ids = vases(&app, 3).await;
    let path = format!("/records/{}/cell", ids[0]);
    let json = "application/json";
    let saved = app
        .send_form_for(
            json,
            &path,
            &[("version", "1"), ("field", "height"), ("value", "12.50")],
        )
        .await
        .ok()
        .json();
    assert_eq!(
        (&saved["version"], &saved["title"]),
        (&json!(2), &json!("Vase 000")),
        "{saved}"
    );
    assert_eq!(document(&app, &ids[0]).await["height"], json!(12.5));
    for (version, field, value) in [
        ("2", "words", "old | fine"),
        ("3", "place.city", "Rome"),
        ("4", "notes", "two\r\nlines"),
        ("5", "twin", ids[1].as_str()),
    ] {
        let saved = app
            .send_form_for(json, &path, &[("version", version), ("field", field), ("value", value)])
            .await
            .ok()
            .json();
        if field == "twin" {
            assert_eq!(
                (&saved["shown"], &saved["value"]),
                (&json!("Vase 001"), &json!(ids[1])),
                "{saved}"
            );
        }
    }
    let now = document(&app, &ids[0]).await;
    assert_eq!(
        (&now["words"], &now["notes"], &now["price"]),
        (&json!(["old", "fine"]), &json!("two\nlines"), &json!(5))
    );
    // What is no value of its field, what only one record may have, and what has no cell is refused.
    for (field, value) in [
        ("height", "tall"),
        ("number", "v1"),
        ("maker.name", "x"),
        ("twin", "nobody"),
        ("none", "x"),
    ] {
        let refused = app
            .send_form_for(json, &path, &[("version", "6"), ("field", field), ("value", value)])
            .await;
        assert_eq!(refused.status, 422, "{field}: {}", refused.text());
    }
    // Somebody else was faster: a program is told, a person puts both together.
    let stale = [("version", "2"), ("field", "notes"), ("value", "mine")];
    assert_eq!(app.send_form_for(json, &path, &stale).await.status, 412);
    let merge = app.send_form(&path, &stale).await;
    assert_eq!(merge.status, 412);
    let merge = merge.text();
    assert!(
        texts(&merge, "fieldset.choice legend")
            .iter()
            .any(|legend| legend.contains("Changed by both")),
        "{merge}"
    );
    assert_eq!(
        attribute(&merge, "form[action$='/merge'] [name='doc/notes']", "value"),
        "mine"
    );
    assert_eq!(document(&app, &ids[0]).await["notes"], "two\nlines");
    let body = Bytes::from("version=6&field=notes&value=x");
    let request = app
        .unsigned(Method::POST, &path)
        .header("content-type", "application/x-www-form-urlencoded");
    assert!(app.send(request, body).await.status.is_client_error());
    app.stop().await;
}

async fn a_table_looks_as_its_reader_likes_it(db: TestDb) {
    let app = TestApp::start(&db).await;
    vases(&app, 2).await;
    let look = "/types/vase/table/look";
    let chosen = [
        ("q", ""),
        ("column", "notes"),
        ("column", "height"),
        ("width", "notes:320"),
        ("sort", "-height"),
    ];
    let kept = app.send_form(look, &chosen).await;
    assert_eq!(kept.status, 303, "{}", kept.text());
    assert!(kept.header("location").unwrap().contains("column=notes&column=height"));
    let heads = |page: &str| texts(page, "thead th span:not(.sr)");
    let shown = app.page("/types/vase/table").await.ok().text();
    assert_eq!(heads(&shown), ["Title", "Notes", "Height"]);
    assert_eq!(texts(&shown, "tbody th")[0], "Vase 001");
    assert_eq!(attribute(&shown, "colgroup col:nth-child(3)", "width"), "320");
    // An address says it for itself; others see what the type says.
    assert_eq!(
        heads(&app.page("/types/vase/table?column=words").await.ok().text()),
        ["Title", "Words"]
    );
    let others = app.get_anonymous("/types/vase/table").await.ok().text();
    assert_eq!(heads(&others), ["Title", "Height"]);
    let refused = app
        .unsigned(Method::POST, look)
        .header("content-type", "application/x-www-form-urlencoded");
    assert!(
        app.send(refused, Bytes::from("column=notes"))
            .await
            .status
            .is_client_error()
    );
    app.send_form_for("application/json", look, &[("reset", "true")])
        .await
        .ok();
    assert_eq!(
        heads(&app.page("/types/vase/table").await.ok().text()),
        ["Title", "Height"]
    );
    app.stop().await;
}

async fn what_is_pasted_is_one_change(db: TestDb) {
    let app = TestApp::start(&db).await;
    let ids = vases(&app, 4).await;
    let text = "\"two\nlines\"\tyes\tVase 003\r\nplain\tNo\t\r\n";
    let place = [
        ("sort", "title"),
        ("column", "notes"),
        ("column", "whole"),
        ("column", "twin"),
        ("row", "2"),
        ("first", ids[1].as_str()),
        ("cell", "notes"),
        ("text", text),
    ];
    let begun = app
        .send_form_for("application/json", "/types/vase/table/paste", &place)
        .await;
    assert_eq!(begun.status, 201, "{}", begun.text());
    let to = begun.json()["to"].as_str().unwrap().to_owned();
    let look = app.page(&to).await.ok().text();
    assert!(
        look.contains("would change") && look.contains("/types/vase/table?sort=title"),
        "{look}"
    );
    assert_eq!(texts(&look, ".batch-table tbody th"), ["Vase 001", "Vase 002"]);
    assert!(
        document(&app, &ids[1]).await.get("notes").is_none(),
        "nothing is written yet"
    );
    let run = app.send_form(&format!("{to}/run"), &[("reason", "from a sheet")]).await;
    assert_eq!(run.status, 303, "{}", run.text());
    app.drain_jobs().await;
    let (one, two) = (document(&app, &ids[1]).await, document(&app, &ids[2]).await);
    assert_eq!(
        (&one["notes"], &one["whole"], &one["twin"]),
        (&json!("two\nlines"), &json!(true), &json!(ids[3]))
    );
    assert_eq!(
        (&two["notes"], &two["whole"], two.get("twin")),
        (&json!("plain"), &json!(false), None)
    );
    let batch = app.get(&format!("/api{to}")).await.ok().json();
    let change = batch["change"].as_str().unwrap().to_owned();
    let undone = app
        .post(&format!("/api/changes/{change}/undo"), &json!({}))
        .await
        .ok()
        .json();
    app.drain_jobs().await;
    app.get(&format!("/api/jobs/{}", undone["job"].as_str().unwrap()))
        .await
        .ok();
    assert!(document(&app, &ids[1]).await.get("notes").is_none());
    // One value for all that was chosen; and programs say the same by ids.
    caught_up(&app).await;
    let all = [
        ("sort", "title"),
        ("column", "height"),
        ("row", "1"),
        ("first", ids[0].as_str()),
        ("cell", "height"),
        ("high", "3"),
        ("wide", "1"),
        ("text", "7\n"),
    ];
    let begun = app
        .send_form_for("application/json", "/types/vase/table/paste", &all)
        .await
        .ok()
        .json();
    let batch = app
        .get(&format!("/api{}", begun["to"].as_str().unwrap()))
        .await
        .ok()
        .json();
    assert_eq!(batch["preview"]["changed"], 3, "{batch}");
    let select = json!({ "type": "vase", "ids": [ids[0], ids[1]] });
    let action = json!({ "do": "fill", "fields": ["height", "notes"],
        "values": { &ids[0]: ["tall", null], &ids[1]: ["3", ""] } });
    let batch = app
        .post("/api/batches", &json!({ "select": select, "action": action }))
        .await
        .ok()
        .json();
    assert_eq!(
        (&batch["preview"]["changed"], &batch["preview"]["refused"]),
        (&json!(1), &json!(1)),
        "{batch}"
    );
    app.stop().await;
}

async fn what_cannot_be_pasted_is_refused(db: TestDb) {
    let app = TestApp::start(&db).await;
    let ids = vases(&app, 3).await;
    let try_it = async |cell: &str, first: &str, text: &str| {
        let place = [
            ("sort", "title"),
            ("column", "height"),
            ("column", "maker.name"),
            ("row", "1"),
            ("first", first),
            ("cell", cell),
            ("text", text),
        ];
        app.send_form_for("application/json", "/types/vase/table/paste", &place)
            .await
    };
    let long = "1\n".repeat(2_001);
    for (cell, text, why) in [
        ("height", "1\t2\t3", "has 3 columns"),
        ("height", "1\n2\n3\n4", "has 4 lines"),
        ("height", "1\tx", "Maker"),
        ("nothing", "1", "no column"),
        ("height", "0", "nothing would change"),
        ("height", "", "is empty"),
        ("height", long.as_str(), "Import a file"),
    ] {
        let refused = try_it(cell, &ids[0], text).await;
        assert_eq!(refused.status, 422, "{why}: {}", refused.text());
        assert!(refused.text().contains(why), "{why}: {}", refused.text());
    }
    assert_eq!(try_it("height", &ids[2], "1").await.status, 409);
    // What is there already may be pasted over what cannot be changed.
    assert_eq!(try_it("height", &ids[0], "9\t").await.status, 201);
    let away = json!({ "type": "vase", "all": true, "from": "https://example.org/" });
    assert_eq!(app.post("/api/batches", &json!({ "select": away })).await.status, 422);
    app.stop().await;
}
