//! Trees over HTTP on both engines: found through all that is above, also after a move and a rename; hidden ways tell
//! nothing; a file in any order; taxa of an archive; a move is undone.

use bytes::Bytes;
use hyper::Method;
use hyper::header::IF_MATCH;
use serde_json::{Value, json};
use vitrine::both;
use vitrine::kernel::testing::{Answer, TestApp, TestDb, gzip, tar};

both!(
    records_are_found_through_what_they_hang_below,
    what_is_hidden_on_the_way_tells_nothing,
    a_file_names_parents_in_any_order,
    taxa_of_an_archive_become_a_tree,
);

fn places(level: &str) -> Value {
    json!({ "name": "place", "title": "name", "key": "code", "parent": "above", "visibility": "public", "fields": [
        { "name": "code", "kind": "identifier" },
        { "name": "name", "kind": "text", "column": true },
        { "name": "above", "kind": "link", "target": "place", "level": level },
    ] })
}

fn specimens(level: &str) -> Value {
    json!({ "name": "specimen", "title": "title", "visibility": "public", "fields": [
        { "name": "title", "kind": "text" },
        { "name": "found", "kind": "link", "target": "place", "level": level },
    ] })
}

async fn make(app: &TestApp, type_name: &str, visibility: &str, document: Value) -> String {
    let body = json!({ "type": type_name, "visibility": visibility, "document": document });
    let made = app.post("/api/records", &body).await.ok().json();
    made["id"].as_str().unwrap().to_owned()
}

async fn place(app: &TestApp, name: &str, above: Option<&str>) -> String {
    make(app, "place", "public", json!({ "name": name, "above": above })).await
}

fn titles(answer: &Value) -> Vec<String> {
    let items = answer["items"].as_array().unwrap_or_else(|| panic!("{answer}"));
    let mut titles: Vec<String> = items
        .iter()
        .map(|item| item["title"].as_str().unwrap().to_owned())
        .collect();
    titles.sort();
    titles
}

/// What a question finds once everything is followed, and the hints.
async fn found(app: &TestApp, question: &str) -> (Vec<String>, String) {
    let answer = app
        .get(&format!("/api/search?wait=true&limit=100&{question}"))
        .await
        .ok()
        .json();
    assert_ne!(answer["behind"], true);
    (titles(&answer), answer["hints"].to_string())
}

async fn found_by_all(app: &TestApp, question: &str) -> Vec<String> {
    titles(
        &app.get_anonymous(&format!("/api/search?wait=true&{question}"))
            .await
            .ok()
            .json(),
    )
}

async fn hang(app: &TestApp, id: &str, version: i64, to: Option<&str>) -> Answer {
    let request = app
        .signed(Method::POST, &format!("/api/records/{id}/move"))
        .header("content-type", "application/json")
        .header(IF_MATCH, format!("\"{version}\""));
    app.send(request, Bytes::from(json!({ "to": to }).to_string())).await
}

async fn records_are_found_through_what_they_hang_below(db: TestDb) {
    let app = TestApp::start(&db).await;
    app.post("/api/types", &places("public")).await.ok();
    app.post("/api/types", &specimens("public")).await.ok();
    let europe = place(&app, "Europe", None).await;
    let sweden = place(&app, "Sweden", Some(&europe)).await;
    let uppland = place(&app, "Uppland", Some(&sweden)).await;
    let asia = place(&app, "Asia", None).await;
    make(&app, "specimen", "public", json!({ "title": "Moss", "found": uppland })).await;
    make(&app, "specimen", "public", json!({ "title": "Fern", "found": asia })).await;
    assert_eq!(found(&app, "q=in:Sweden").await.0, ["Moss", "Uppland"]);
    assert_eq!(found(&app, "q=in:%22europe%22&type=specimen").await.0, ["Moss"]);
    assert_eq!(
        found(&app, &format!("q=in:{europe}")).await.0,
        ["Moss", "Sweden", "Uppland"]
    );
    assert_eq!(found(&app, &format!("filter=in:{asia}")).await.0, ["Fern"]);
    assert_eq!(found(&app, "q=moss+-in:Asia").await.0, ["Moss"]);
    assert_eq!(found(&app, "q=in:Asia,Sweden&type=specimen").await.0, ["Fern", "Moss"]);
    // By the words of what it leads to.
    assert_eq!(found(&app, "q=uppland&type=specimen").await.0, ["Moss"]);
    let (none, hints) = found(&app, "q=in:Nowhere").await;
    assert!(
        none.is_empty() && hints.contains("Nothing that others hang below"),
        "{hints}"
    );
    let asked = json!({ "where": { "and": [{ "in": "Europe" }, { "word": { "text": "moss" } }] }, "wait": true });
    let answer = app.post("/api/search", &asked).await.ok().json();
    assert_eq!(
        (titles(&answer), &answer["understood"]["and"][0]["in"]),
        (vec!["Moss".to_owned()], &json!("Europe"))
    );
    // Moved with everything below it: one record changes, all are found elsewhere.
    let moved = hang(&app, &sweden, 1, Some(&asia)).await.ok().json();
    assert_eq!(moved["version"], 2);
    assert!(found(&app, "q=in:Europe").await.0.is_empty());
    assert_eq!(found(&app, "q=in:Asia").await.0, ["Fern", "Moss", "Sweden", "Uppland"]);
    let round = hang(&app, &asia, 1, Some(&uppland)).await;
    assert_eq!(round.status, 422);
    assert!(
        round.text().contains("Asia") && round.text().contains("below itself"),
        "{}",
        round.text()
    );
    // Renamed: found by the new name, and so is what shows it.
    let patch = app
        .signed(Method::PATCH, &format!("/api/records/{uppland}"))
        .header("content-type", "application/merge-patch+json")
        .header(IF_MATCH, "\"1\"");
    let body = json!({ "document": { "name": "Roslagen" } }).to_string();
    app.send(patch, Bytes::from(body)).await.ok();
    assert_eq!(found(&app, "q=in:Roslagen").await.0, ["Moss"]);
    assert_eq!(found(&app, "q=roslagen&type=specimen").await.0, ["Moss"]);
    assert!(found(&app, "q=uppland").await.0.is_empty());
    // The tree as pages and as JSON.
    let branch = app
        .get(&format!("/api/types/place/tree?under={asia}"))
        .await
        .ok()
        .json();
    assert_eq!(
        (&branch["items"][0]["title"], &branch["items"][0]["children"]),
        (&json!("Sweden"), &json!(1))
    );
    assert_eq!(branch["items"][0]["below"], 2);
    let page = app.get(&format!("/types/place/tree?under={sweden}")).await.ok().text();
    assert!(page.contains("Roslagen") && page.contains("Asia"), "{page}");
    let page = app.get(&format!("/records/{uppland}")).await.ok().text();
    assert!(
        page.contains(&format!("/records/{asia}\">Asia")),
        "the way is shown: {page}"
    );
    let page = app.get("/types/place/tree?find=rosl").await.ok().text();
    assert!(page.contains("Asia › Sweden"), "{page}");
    let suggested = app.get("/api/suggest?type=place&q=rosl").await.ok().json();
    assert_eq!(suggested["records"][0]["path"], "Asia › Sweden", "{suggested}");
    // A move is undone like any other change.
    let sets = app.get("/api/changes?cause=record.edit&limit=10").await.ok().json();
    let edits = sets["items"].as_array().unwrap();
    let set = edits.last().unwrap_or_else(|| panic!("{sets}"))["id"]
        .as_str()
        .unwrap()
        .to_owned();
    app.post(&format!("/api/changes/{set}/undo"), &json!({ "reason": "a test" }))
        .await
        .ok();
    app.drain_jobs().await;
    assert_eq!(found(&app, "q=in:Europe&type=specimen").await.0, ["Moss"]);
    app.stop().await;
}

async fn what_is_hidden_on_the_way_tells_nothing(db: TestDb) {
    let app = TestApp::start(&db).await;
    app.post("/api/types", &places("public")).await.ok();
    app.post("/api/types", &specimens("restricted")).await.ok();
    let top = place(&app, "Mountains", None).await;
    // A place that only few may know of, and what is below it.
    let secret = make(
        &app,
        "place",
        "restricted",
        json!({ "name": "Canary nest", "above": top }),
    )
    .await;
    let below = place(&app, "Ledge", Some(&secret)).await;
    make(&app, "specimen", "public", json!({ "title": "Egg", "found": below })).await;
    assert_eq!(found(&app, "q=in:Mountains").await.0, ["Canary nest", "Egg", "Ledge"]);
    assert_eq!(found(&app, "q=in:%22Canary+nest%22").await.0, ["Egg", "Ledge"]);
    // Nobody else finds by the field of the specimen, by the hidden place, or through it.
    assert!(found_by_all(&app, "q=in:Ledge").await.is_empty());
    assert!(found_by_all(&app, "q=in:%22Canary+nest%22").await.is_empty());
    assert!(found_by_all(&app, &format!("q=in:{secret}")).await.is_empty());
    assert!(found_by_all(&app, "q=in:Mountains").await.is_empty());
    assert!(found_by_all(&app, "q=canary").await.is_empty());
    let branch = app
        .get_anonymous(&format!("/api/types/place/tree?under={top}"))
        .await
        .ok()
        .json();
    assert_eq!(branch["items"], json!([]));
    let tree = app.get_anonymous("/api/types/place/tree").await.ok().json();
    assert_eq!(
        (&tree["items"][0]["is_above"], &tree["items"][0]["below"]),
        (&json!(false), &json!(0))
    );
    assert_eq!(
        app.get_anonymous(&format!("/api/types/place/tree?under={secret}"))
            .await
            .status,
        404
    );
    let page = app.get_anonymous(&format!("/records/{below}")).await.ok().text();
    assert!(!page.contains("Canary") && !page.contains("Mountains"), "{page}");
    // A place that was opened is found through at once.
    let open = app
        .signed(Method::PATCH, &format!("/api/records/{secret}"))
        .header("content-type", "application/merge-patch+json")
        .header(IF_MATCH, "\"1\"");
    app.send(open, Bytes::from(json!({ "visibility": "public" }).to_string()))
        .await
        .ok();
    assert_eq!(found_by_all(&app, "q=in:Mountains").await, ["Canary nest", "Ledge"]);
    app.stop().await;
}

async fn import(app: &TestApp, file: &[u8], query: &str) -> Value {
    let request = app.signed(Method::POST, &format!("/api/imports?{query}"));
    let begun = app.send(request, Bytes::from(file.to_vec())).await.ok().json();
    app.drain_jobs().await;
    let view = app
        .get(&format!("/api/imports/{}", begun["job"].as_str().unwrap()))
        .await
        .ok()
        .json();
    assert_eq!(view["state"], "done", "{view}");
    view
}

#[track_caller]
fn counts(view: &Value, created: i64, updated: i64, unchanged: i64, refused: i64) {
    let got = ["created", "updated", "unchanged", "refused"].map(|name| view[name].as_i64().unwrap());
    assert_eq!(got, [created, updated, unchanged, refused], "{view}");
}

async fn a_file_names_parents_in_any_order(db: TestDb) {
    let app = TestApp::start(&db).await;
    app.post("/api/types", &places("public")).await.ok();
    let file =
        "code,name,above\nC,Uppland,B\nB,Sweden,A\nA,Europe,\nX,Here,Y\nY,There,X\nZ,Below them,X\nN,Nowhere,Q\n";
    let dry = import(&app, file.as_bytes(), "type=place&name=a.csv&dry_run=true").await;
    counts(&dry, 3, 0, 0, 4);
    let view = import(&app, file.as_bytes(), "type=place&name=a.csv").await;
    counts(&view, 3, 0, 0, 4);
    let told = view["refusals"].to_string();
    assert!(
        told.contains("row 4 › row 5 › row 4") && told.contains("\\\"Q\\\""),
        "{told}"
    );
    assert_eq!(found(&app, "q=in:Europe").await.0, ["Sweden", "Uppland"]);
    // The same again changes nothing; another order of things moves them, without the rows going by as changed twice.
    counts(
        &import(&app, file.as_bytes(), "type=place&name=a.csv").await,
        0,
        0,
        3,
        4,
    );
    let other = "code,name,above\nA,Europe,C\nC,Uppland,\nB,Sweden,A\n";
    counts(
        &import(&app, other.as_bytes(), "type=place&name=b.csv").await,
        0,
        2,
        1,
        0,
    );
    assert_eq!(found(&app, "q=in:Uppland").await.0, ["Europe", "Sweden"]);
    // With what stands already, a file can go round, too: A hangs below C.
    let round = "code,name,above\nC,Uppland,B\n";
    let view = import(&app, round.as_bytes(), "type=place&name=c.csv").await;
    assert_eq!(view["refused"], 1, "{view}");
    assert!(view["refusals"].to_string().contains("below itself"), "{view}");
    // Out and in again: ids in the place of keys.
    let out = app.get("/api/export?type=place&format=csv").await.ok().body;
    counts(&import(&app, &out, "type=place&name=export.csv").await, 0, 0, 3, 0);
    // Rows that a file no longer has go from the bottom up.
    let rest = "code,name,above\nC,Uppland,\n";
    let view = import(&app, rest.as_bytes(), "type=place&name=d.csv&delete_missing=true").await;
    assert_eq!(view["deleted"], 2, "{view}");
    app.stop().await;
}

fn archive(rows: &str) -> Vec<u8> {
    let descriptor = r#"<archive xmlns="http://rs.tdwg.org/dwc/text/"><core encoding="UTF-8" fieldsTerminatedBy="," linesTerminatedBy="\n"
        fieldsEnclosedBy="" ignoreHeaderLines="1" rowType="http://rs.tdwg.org/dwc/terms/Taxon"><files><location>taxon.txt</location></files>
        <id index="0"/><field index="1" term="http://rs.tdwg.org/dwc/terms/acceptedNameUsageID"/>
        <field index="2" term="http://rs.tdwg.org/dwc/terms/parentNameUsageID"/>
        <field index="3" term="http://rs.tdwg.org/dwc/terms/scientificName"/></core></archive>"#;
    gzip(&tar(&[("meta.xml", descriptor), ("taxon.txt", rows)]))
}

async fn taxa_of_an_archive_become_a_tree(db: TestDb) {
    let app = TestApp::start(&db).await;
    let file = archive(
        "id,accepted,parent,name\n3,3,2,Acer rubrum\n4,3,,Acer wherryi\n2,2,1,Acer\n1,1,,Sapindaceae\n5,5,9,Lost\n",
    );
    let view = import(&app, &file, "type=taxon&infer=true&visibility=public&name=taxa.tar.gz").await;
    counts(&view, 4, 0, 0, 1);
    assert!(view["refusals"].to_string().contains("\\\"9\\\""), "{view}");
    assert_eq!(
        found(&app, "q=in:Sapindaceae").await.0,
        ["Acer", "Acer rubrum", "Acer wherryi"]
    );
    let tree = app.get("/api/types/taxon/tree").await.ok().json();
    assert_eq!(titles(&tree), ["Acer wherryi", "Sapindaceae"]);
    counts(&import(&app, &file, "type=taxon&name=taxa.tar.gz").await, 0, 0, 4, 1);
    app.stop().await;
}
