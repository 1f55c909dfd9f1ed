//! Types over HTTP: sets to begin with, types as text given twice, and changes of fields that move the values of records, each
//! one change that is undone as one and done again.

use hyper::Method;
use hyper::header::IF_MATCH;
use serde_json::{Value, json};

use vitrine::both;
use vitrine::kernel::testing::{TestApp, TestDb};

both!(
    a_house_begins_with_a_set,
    types_are_given_as_text_twice,
    a_key_is_renamed_and_back,
    a_kind_changes_and_nothing_is_lost,
    what_cannot_move_is_named,
    the_editor_says_everything,
);

async fn make(app: &TestApp) {
    let kind = json!({ "name": "vase", "title": "name", "key": "number", "visibility": "public", "fields": [
        { "name": "number", "kind": "identifier", "unique": true, "required": true },
        { "name": "name", "kind": "text" },
        { "name": "year", "kind": "text", "labels": { "en": "Year" } },
        { "name": "note", "kind": "text" },
    ] });
    app.post("/api/types", &kind).await.ok();
}

/// Makes records and answers their ids.
async fn fill(app: &TestApp, documents: &[Value]) -> Vec<String> {
    let mut ids = Vec::new();
    for document in documents {
        let made = app
            .post("/api/records", &json!({ "type": "vase", "document": document }))
            .await;
        ids.push(made.ok().json()["id"].as_str().unwrap().to_owned());
    }
    ids
}

async fn document(app: &TestApp, id: &str) -> Value {
    app.get(&format!("/api/records/{id}")).await.ok().json()["document"].clone()
}

async fn kind(app: &TestApp) -> Value {
    app.get("/api/types/vase").await.ok().json()
}

/// Changes the type and answers the report.
async fn reshape(app: &TestApp, step: &Value) -> Value {
    let begun = begin(app, step).await;
    let job = app.ended_job(&begun).await;
    assert_eq!(job["state"], "done", "{job}");
    job["result"].clone()
}

async fn begin(app: &TestApp, step: &Value) -> Value {
    let version = app.get("/api/types/vase").await.ok().header("etag").unwrap();
    let request = app
        .signed(Method::POST, "/api/types/vase/reshape")
        .header("content-type", "application/json")
        .header(IF_MATCH, version);
    app.send(request, step.to_string().into()).await.ok().json()
}

async fn undo(app: &TestApp, set: &str) -> String {
    let begun = app
        .post(&format!("/api/changes/{set}/undo"), &json!({}))
        .await
        .ok()
        .json();
    let job = app.ended_job(&begun).await;
    assert_eq!(
        (&job["state"], &job["result"]["left"]),
        (&json!("done"), &json!(0)),
        "{job}"
    );
    job["result"]["change"].as_str().unwrap().to_owned()
}

async fn a_house_begins_with_a_set(db: TestDb) {
    let app = TestApp::start(&db).await;
    let sets = app.get("/api/type-sets").await.ok().json();
    assert_eq!(sets["total"], 4);
    for set in sets["items"].as_array().unwrap() {
        let name = set["name"].as_str().unwrap();
        let begun = app
            .post(&format!("/api/type-sets/{name}"), &json!({}))
            .await
            .ok()
            .json();
        assert_eq!(
            begun["made"].as_array().unwrap().len(),
            set["types"].as_array().unwrap().len()
        );
        let again = app
            .post(&format!("/api/type-sets/{name}"), &json!({}))
            .await
            .ok()
            .json();
        assert_eq!(again["made"], json!([]), "what is there stays as it is");
    }
    assert_eq!(app.post("/api/type-sets/zoo", &json!({})).await.status, 404);
    let page = app.page("/type-sets").await.ok().text();
    assert!(page.contains("Art museum") && page.contains("is here"));
    let form = app.page("/types/art-object/new").await.ok().text();
    assert!(form.contains("Acquisition and rights"), "its form has sections");
    // A collection of one's own is made with a title, and its editor is opened.
    let made = app.send_form("/type-sets/own", &[("label", "Old Photographs")]).await;
    assert_eq!(made.status, 303, "{}", made.text());
    assert!(
        made.header("location")
            .unwrap()
            .starts_with("/types/old-photographs/edit")
    );
    assert_eq!(
        app.send_form("/type-sets/own", &[("label", "Old photographs")])
            .await
            .status,
        422
    );
}

async fn types_are_given_as_text_twice(db: TestDb) {
    let app = TestApp::start(&db).await;
    app.post("/api/type-sets/media-archive", &json!({})).await.ok();
    let text = app.get("/api/types/recording/text").await.ok().text();
    let mut recording: Value = toml::from_str(&text).unwrap();
    let organisation = app.get("/api/types/organisation").await.ok().json();
    let given = |recording: &Value| json!({ "types": [recording, organisation] });
    let plan = app.post("/api/type-plan", &given(&recording)).await.ok().json();
    assert_eq!(
        (&plan["changes"], &plan["possible"]),
        (&json!(0), &json!(true)),
        "{plan}"
    );
    let done = app.post("/api/type-plan/apply", &given(&recording)).await.ok().json();
    assert_eq!(done["changed"], json!([]));
    recording["labels"]["sv"] = json!("Upptagning");
    let plan = app.post("/api/type-plan", &given(&recording)).await.ok().json();
    assert_eq!(
        plan["items"][0]["differences"],
        json!([{ "path": "labels.sv", "before": "Inspelning", "after": "Upptagning" }])
    );
    let done = app.post("/api/type-plan/apply", &given(&recording)).await.ok().json();
    assert_eq!(done["changed"], json!(["recording"]));
    let plan = app.post("/api/type-plan", &given(&recording)).await.ok().json();
    assert_eq!(plan["changes"], 0);
    // Types that lead to each other come together, in any order.
    let pair = json!({ "types": [
        { "name": "one", "fields": [{ "name": "a", "kind": "text" }, { "name": "to", "kind": "link", "target": "other" }] },
        { "name": "other", "fields": [{ "name": "a", "kind": "text" }, { "name": "to", "kind": "link", "target": "one" }] },
    ] });
    app.post("/api/type-plan/apply", &pair).await.ok();
    assert_eq!(app.post("/api/type-plan", &pair).await.ok().json()["changes"], 0);
    // What would lose values is told beforehand and refused as a whole.
    make(&app).await;
    fill(&app, &[json!({ "number": "1", "name": "Blue", "note": "x" })]).await;
    let mut vase = kind(&app).await;
    vase["fields"].as_array_mut().unwrap().pop();
    let plan = app
        .post("/api/type-plan", &json!({ "types": [vase] }))
        .await
        .ok()
        .json();
    assert_eq!(plan["possible"], false);
    assert_eq!(
        app.post("/api/type-plan/apply", &json!({ "types": [vase] }))
            .await
            .status,
        422
    );
}

async fn a_key_is_renamed_and_back(db: TestDb) {
    let app = TestApp::start(&db).await;
    make(&app).await;
    let ids = fill(
        &app,
        &[
            json!({ "number": "1", "name": "Blue" }),
            json!({ "number": "2", "name": "Red", "note": "cracked" }),
        ],
    )
    .await;
    let step = json!({ "do": "rename", "field": "number", "to": "accession" });
    let look = app.post("/api/types/vase/reshape/preview", &step).await.ok().json();
    assert_eq!((&look["changed"], &look["refused"]), (&json!(2), &json!(0)));
    let report = reshape(&app, &step).await;
    assert_eq!(
        (&report["changed"], &report["finished"]),
        (&json!(2), &json!(true)),
        "{report}"
    );
    let now = kind(&app).await;
    assert_eq!(
        (&now["key"], &now["fields"][0]["name"]),
        (&json!("accession"), &json!("accession"))
    );
    assert_eq!(
        document(&app, &ids[1]).await,
        json!({ "accession": "2", "name": "Red", "note": "cracked" })
    );
    // The key still leads to one record only.
    let twice = json!({ "type": "vase", "document": { "accession": "2", "name": "Green" } });
    assert!(app.post("/api/records", &twice).await.status.is_client_error());
    let set = report["change"].as_str().unwrap();
    let back = undo(&app, set).await;
    assert_eq!(kind(&app).await["key"], "number");
    assert_eq!(document(&app, &ids[0]).await, json!({ "number": "1", "name": "Blue" }));
    let twice = json!({ "type": "vase", "document": { "number": "2", "name": "Green" } });
    assert!(app.post("/api/records", &twice).await.status.is_client_error());
    // The undo is a change as any other, and can be taken back.
    undo(&app, &back).await;
    assert_eq!(
        document(&app, &ids[0]).await,
        json!({ "accession": "1", "name": "Blue" })
    );
    // What somebody wrote under the new form keeps the old one away, and nothing is done by halves.
    let later = json!({ "type": "vase", "document": { "accession": "3", "name": "Green" } });
    app.post("/api/records", &later).await.ok();
    let begun = app
        .post(&format!("/api/changes/{set}/undo"), &json!({}))
        .await
        .ok()
        .json();
    let job = app.ended_job(&begun).await;
    assert_eq!(job["result"]["reverted"], 0, "{job}");
    assert_eq!(kind(&app).await["key"], "accession");
    assert_eq!(
        document(&app, &ids[0]).await,
        json!({ "accession": "1", "name": "Blue" })
    );
}

async fn a_kind_changes_and_nothing_is_lost(db: TestDb) {
    let app = TestApp::start(&db).await;
    make(&app).await;
    let written = [
        json!({ "number": "1", "name": "A", "year": "1850" }),
        json!({ "number": "2", "name": "B", "year": "c. 1850" }),
        json!({ "number": "3", "name": "C", "year": "long ago" }),
        json!({ "number": "4", "name": "D" }),
    ];
    let ids = fill(&app, &written).await;
    let step = json!({ "do": "kind", "field": "year", "kind": "date" });
    let look = app.post("/api/types/vase/reshape/preview", &step).await.ok().json();
    assert_eq!((&look["changed"], &look["aside"]), (&json!(2), &json!(2)), "{look}");
    let report = reshape(&app, &step).await;
    assert_eq!(
        (&report["kept"], &report["finished"]),
        (&json!(true), &json!(true)),
        "{report}"
    );
    assert_eq!(kind(&app).await["fields"][2]["kind"], "date");
    assert_eq!(document(&app, &ids[0]).await["year"], "1850");
    assert_eq!(
        document(&app, &ids[1]).await,
        json!({ "number": "2", "name": "B", "year": "1850~", "year_as_written": "c. 1850" })
    );
    assert_eq!(
        document(&app, &ids[2]).await,
        json!({ "number": "3", "name": "C", "year_as_written": "long ago" })
    );
    undo(&app, report["change"].as_str().unwrap()).await;
    assert_eq!(kind(&app).await["fields"][2]["kind"], "text");
    assert_eq!(kind(&app).await["fields"].as_array().unwrap().len(), 4);
    for (id, before) in ids.iter().zip(&written) {
        assert_eq!(document(&app, id).await, *before);
    }
    // Split and put together again.
    let split = json!({ "do": "split", "field": "year", "at": ". ", "into": ["about", "year"] });
    reshape(&app, &split).await;
    assert_eq!(
        document(&app, &ids[1]).await,
        json!({ "number": "2", "name": "B", "about": "c", "year": "1850" })
    );
    let merge = json!({ "do": "merge", "fields": ["about", "year"], "with": ". ", "into": "year" });
    reshape(&app, &merge).await;
    for (id, before) in ids.iter().zip(&written) {
        assert_eq!(document(&app, id).await, *before);
    }
}

async fn what_cannot_move_is_named(db: TestDb) {
    let app = TestApp::start(&db).await;
    make(&app).await;
    let ids = fill(
        &app,
        &[
            json!({ "number": "1", "name": "A", "note": "cracked" }),
            json!({ "number": "2", "name": "B" }),
        ],
    )
    .await;
    let step = json!({ "do": "remove", "field": "note" });
    let report = reshape(&app, &step).await;
    assert_eq!(
        (&report["finished"], &report["refused"]),
        (&json!(false), &json!(1)),
        "{report}"
    );
    // Which ones is told to who may change the type, not to everybody who may look at jobs.
    assert_eq!(report["refusals"], json!(null));
    let look = app.post("/api/types/vase/reshape/preview", &step).await.ok().json();
    assert_eq!(look["refusals"][0]["id"], json!(ids[0]));
    assert_eq!(kind(&app).await["fields"][3]["name"], "note");
    let patch = json!({ "document": { "note": null } });
    let request = app
        .signed(Method::PATCH, &format!("/api/records/{}", ids[0]))
        .header("content-type", "application/merge-patch+json")
        .header(IF_MATCH, "\"1\"");
    app.send(request, patch.to_string().into()).await.ok();
    let report = reshape(&app, &step).await;
    assert_eq!(report["finished"], true, "{report}");
    assert_eq!(kind(&app).await["fields"].as_array().unwrap().len(), 3);
    // Refused before anything begins: a wrong field, an old version, nobody who may.
    let wrong = json!({ "do": "rename", "field": "nam", "to": "x" });
    let refused = app.post("/api/types/vase/reshape/preview", &wrong).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("Did you mean"), "{}", refused.text());
    let request = app
        .signed(Method::POST, "/api/types/vase/reshape")
        .header("content-type", "application/json")
        .header(IF_MATCH, "\"1\"");
    assert_eq!(app.send(request, step.to_string().into()).await.status, 412);
    assert_ne!(app.get_anonymous("/types/vase/reshape").await.status, 200);
}

async fn the_editor_says_everything(db: TestDb) {
    let app = TestApp::start(&db).await;
    make(&app).await;
    let add = [
        ("version", "1"),
        ("whole", "1"),
        ("def/new/label", "Measure"),
        ("def/new/kind", "group"),
        ("def/new/repeated", "true"),
        ("def/new/inner", "What, Value"),
        ("do", "add"),
    ];
    let added = app.send_form("/types/vase/edit", &add).await;
    assert_eq!(added.status, 303, "{}", added.text());
    assert!(added.header("location").unwrap().contains("open=measure"));
    let edit = [
        ("version", "2"),
        ("whole", "1"),
        ("def/labels/sv", "Vas"),
        ("def/fields/note/label", "Remark"),
        ("def/fields/note/labels/sv", "Anmärkning"),
        ("def/fields/note/section", "The rest"),
        ("def/fields/note/place", "1"),
        ("def/fields/note/full", "1"),
        ("def/fields/note/max", "20"),
        ("def/fields/measure.what/label", "What is measured"),
    ];
    assert_eq!(app.send_form("/types/vase/edit", &edit).await.status, 303);
    let now = kind(&app).await;
    assert_eq!(now["labels"], json!({ "sv": "Vas" }));
    assert_eq!(
        now["fields"][0],
        json!({ "name": "note", "kind": "text", "labels": { "sv": "Anmärkning", "en": "Remark" }, "section": { "en": "The rest" }, "max": 20 })
    );
    assert_eq!(now["fields"][4]["fields"][0]["labels"]["en"], "What is measured");
    // A wrong limit is shown at its control, in an opened field.
    let wrong = [
        ("version", "3"),
        ("whole", "1"),
        ("def/fields/note/full", "1"),
        ("def/fields/note/max", "many"),
    ];
    let refused = app.send_form("/types/vase/edit", &wrong).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("is a whole number; leave it empty for none."));
    let page = app.page("/types/vase/reshape?do=split&field=name").await.ok().text();
    assert!(page.contains("Split at"));
    // From the page, by its own forms, to the report.
    fill(&app, &[json!({ "number": "1", "name": "Blue, tall" })]).await;
    let mut form = vec![
        ("version", "3"),
        ("do", "split"),
        ("field", "name"),
        ("at", ","),
        ("into", "name, form"),
        ("go", "look"),
    ];
    let looked = app.send_form("/types/vase/reshape", &form).await.ok().text();
    assert!(
        looked.contains("Blue, tall") && looked.contains("would change"),
        "{looked}"
    );
    form[5] = ("go", "run");
    let begun = app.send_form("/types/vase/reshape", &form).await;
    assert_eq!(begun.status, 303, "{}", begun.text());
    app.drain_jobs().await;
    let report = app.page(&begun.header("location").unwrap()).await.ok().text();
    assert!(report.contains("Done. The collection has its new form."), "{report}");
}
