//! The order of ranks in a tree, and names beside it: nothing hangs below its own rank or a lower one, however it is written; a
//! taxon has one accepted name.

use bytes::Bytes;
use hyper::Method;
use hyper::header::IF_MATCH;
use serde_json::{Value, json};
use vitrine::both;
use vitrine::kernel::testing::{Answer, TestApp, TestDb};

use super::{import, make};

both!(nothing_hangs_below_a_lower_rank, a_taxon_has_one_accepted_name,);

fn taxa() -> Value {
    json!({ "name": "taxon", "title": "name", "key": "code", "parent": "above", "visibility": "public",
        "ranks": { "field": "rank", "order": ["family", "genus", "species"] }, "fields": [
            { "name": "code", "kind": "identifier", "unique": true },
            { "name": "name", "kind": "text" },
            { "name": "rank", "kind": "term" },
            { "name": "above", "kind": "link", "target": "taxon" } ] })
}

async fn taxon(app: &TestApp, name: &str, rank: &str, above: Option<&str>) -> Answer {
    make(
        app,
        "taxon",
        json!({ "code": name, "name": name, "rank": rank, "above": above }),
    )
    .await
}

fn id(made: &Answer) -> String {
    made.json()["id"].as_str().unwrap().to_owned()
}

async fn patch(app: &TestApp, id: &str, document: Value) -> Answer {
    let stands = app.get(&format!("/api/records/{id}")).await.ok().json();
    let request = app
        .signed(Method::PATCH, &format!("/api/records/{id}"))
        .header("content-type", "application/merge-patch+json")
        .header(IF_MATCH, format!("\"{}\"", stands["version"]));
    app.send(request, Bytes::from(json!({ "document": document }).to_string()))
        .await
}

#[track_caller]
fn refused(answer: &Answer, field: &str, words: &str) {
    assert_eq!(answer.status, 422, "{}", answer.text());
    let text = answer.text();
    assert!(text.contains(field) && text.contains(words), "{text}");
}

async fn nothing_hangs_below_a_lower_rank(db: TestDb) {
    let app = TestApp::start(&db).await;
    let mut odd = taxa();
    odd["ranks"]["order"] = json!(["genus", "Genus"]);
    refused(&app.post("/api/types", &odd).await, "ranks.order", "each once");
    odd["ranks"] = json!({ "field": "above", "order": ["a", "b"] });
    refused(&app.post("/api/types", &odd).await, "ranks.field", "cannot say a rank");
    app.post("/api/types", &taxa()).await.ok();

    // One by one.
    let family = id(&taxon(&app, "Ursidae", "family", None).await.ok());
    let genus = id(&taxon(&app, "Ursus", "Genus", Some(&family)).await.ok());
    let species = id(&taxon(&app, "Ursus fictus", "species", Some(&genus)).await.ok());
    // What is not in the order is not compared.
    let section = id(&taxon(&app, "Section", "section", Some(&species)).await.ok());
    let wrong = taxon(&app, "Felis", "genus", Some(&species)).await;
    refused(&wrong, "rank", "does not hang below");
    refused(
        &taxon(&app, "Ursus alter", "species", Some(&species)).await,
        "rank",
        "does not hang below",
    );
    refused(
        &patch(&app, &genus, json!({ "rank": "species" })).await,
        "rank",
        "one hangs below it",
    );
    refused(
        &patch(&app, &section, json!({ "rank": "family" })).await,
        "rank",
        "does not hang below",
    );
    let other = id(&taxon(&app, "Canis", "genus", None).await.ok());
    refused(
        &patch(&app, &genus, json!({ "above": other })).await,
        "rank",
        "does not hang below",
    );
    patch(&app, &species, json!({ "above": other })).await.ok();

    // Many at once: the look beforehand says what the job does.
    let batch = json!({ "select": { "type": "taxon", "ids": [family, other] }, "action": { "do": "set", "field": "rank", "value": "species" } });
    let begun = app.post("/api/batches", &batch).await.ok().json();
    let looked = begun["preview"]["refusals"].to_string();
    assert_eq!(looked.matches("one hangs below it").count(), 2, "{begun}");
    let path = format!("/api/batches/{}", begun["id"].as_str().unwrap());
    app.post(&format!("{path}/run"), &json!({})).await.ok();
    app.drain_jobs().await;
    let ended = app.get(&path).await.ok().json();
    assert_eq!(ended["counts"]["refused"], 2, "{ended}");
    for stands in [&family, &other] {
        let record = app.get(&format!("/api/records/{stands}")).await.ok().json();
        assert_ne!(record["document"]["rank"], "species", "{record}");
    }

    // A file, in any order: the row is named, in a rehearsal too; with what stands already as well.
    let file = "code,name,rank,above\ns,Acer rubrum,species,g\ng,Acer,genus,f\nf,Sapindaceae,family,\n\
        w,Wrong,family,g\nx,Below a species,genus,Ursus fictus\n";
    let dry = import(&app, "type=taxon&name=a.csv&dry_run=true", file).await;
    assert_eq!(
        (dry["created"].as_i64(), dry["refused"].as_i64()),
        (Some(4), Some(1)),
        "{dry}"
    );
    let view = import(&app, "type=taxon&name=a.csv", file).await;
    let told: Vec<(i64, &str)> = view["refusals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["row"].as_i64().unwrap(), one["field"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [(4, "rank"), (5, "rank")], "{view}");
    assert!(
        view["refusals"][0]["message"].as_str().unwrap().contains("of row 2"),
        "{view}"
    );
    app.stop().await;
}

async fn a_taxon_has_one_accepted_name(db: TestDb) {
    let app = TestApp::start(&db).await;
    app.post("/api/types", &taxa()).await.ok();
    let names = json!({ "name": "taxon-name", "title": "name", "key": "code", "fields": [
        { "name": "code", "kind": "identifier", "unique": true },
        { "name": "name", "kind": "text" },
        { "name": "acceptedTo", "kind": "link", "target": "taxon", "unique": true },
        { "name": "synonymTo", "kind": "link", "target": "taxon" } ] });
    app.post("/api/types", &names).await.ok();
    let bear = id(&taxon(&app, "bear", "species", None).await.ok());
    let wolf = id(&taxon(&app, "wolf", "species", None).await.ok());
    let name = |code: &str, to: &str| json!({ "code": code, "name": code, "acceptedTo": to });
    make(&app, "taxon-name", name("a", &bear)).await.ok();
    refused(
        &make(&app, "taxon-name", name("b", &bear)).await,
        "acceptedTo",
        "only one may",
    );
    let file = "code,name,acceptedTo,synonymTo\nc,Ursus,bear,\nd,Canis,wolf,\ne,Lupus,wolf,\nf,Vulpes,,wolf\n";
    let view = import(&app, "type=taxon-name&name=names.csv", file).await;
    let told: Vec<(i64, &str)> = view["refusals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["row"].as_i64().unwrap(), one["field"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [(1, "acceptedTo"), (3, "acceptedTo")], "{view}");
    assert_eq!(view["created"], 2, "{view}");
    // The old one becomes a synonym, then the other may be the accepted one.
    let list = app.get("/api/records?type=taxon-name&limit=10").await.ok().json();
    let items = list["items"].as_array().unwrap();
    let canis = items.iter().find(|item| item["document"]["code"] == "d").unwrap();
    let canis = canis["id"].as_str().unwrap();
    patch(&app, canis, json!({ "acceptedTo": null, "synonymTo": wolf }))
        .await
        .ok();
    make(&app, "taxon-name", name("g", &wolf)).await.ok();
    // Two taxa with a name each do not become one that has two.
    let request = app
        .signed(Method::POST, &format!("/api/records/{bear}/unite"))
        .header("content-type", "application/json")
        .header(IF_MATCH, "\"1\"");
    let answer = app
        .send(request, Bytes::from(json!({ "from": [wolf] }).to_string()))
        .await;
    assert_eq!(answer.status, 409, "{}", answer.text());
    assert!(answer.text().contains("acceptedTo"), "{}", answer.text());
    app.stop().await;
}
