//! Whoever has a role in one collection gets nowhere in another: every kind of change is tried there by its real form, alone and in
//! the guise of something of their own, and nothing in the database has moved afterwards.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use tower::ServiceExt;
use vitrine::both;
use vitrine::kernel::db::sql;
use vitrine::kernel::testing::TestDb;

use super::House;

both!(a_role_here_is_none_there);

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// Something that somebody tries: method, path, media type, body.
type Try = (&'static str, String, &'static str, String);

/// What is kept of everything that the tries are about.
async fn standing(db: &TestDb) -> Vec<i64> {
    let mut all = Vec::new();
    for count in [
        sql("SELECT COUNT(*) FROM version"),
        sql("SELECT COUNT(*) FROM relation_tuple"),
        sql("SELECT COUNT(*) FROM embargo"),
        sql("SELECT COUNT(*) FROM import_mapping"),
        sql("SELECT COUNT(*) FROM number_block"),
        sql("SELECT COUNT(*) FROM promoted_result"),
    ] {
        let (n,): (i64,) = count.one(&**db).await.unwrap();
        all.push(n);
    }
    all
}

/// Everything that can be done to a record of another collection, by its id and its version.
fn with_record(id: &str, version: i64, own: &str) -> Vec<Try> {
    let api = format!("/api/records/{id}");
    let put = json!({"visibility": "public", "document": {"title": "Mine now"}}).to_string();
    vec![
        ("PUT", api.clone(), JSON, put.clone()),
        ("PATCH", api.clone(), JSON, put),
        ("DELETE", api.clone(), JSON, String::new()),
        ("POST", format!("{api}/restore"), JSON, "{}".to_owned()),
        ("POST", format!("{api}/move"), JSON, json!({ "to": own }).to_string()),
        (
            "POST",
            format!("{api}/unite"),
            JSON,
            json!({ "from": [own] }).to_string(),
        ),
        (
            "POST",
            format!("/api/records/{own}/unite"),
            JSON,
            json!({ "from": [id] }).to_string(),
        ),
        (
            "PUT",
            "/api/embargoes".to_owned(),
            JSON,
            json!({"object": format!("record:{id}"), "opens_at": "2999-01-01", "opens_to": "public"}).to_string(),
        ),
        (
            "POST",
            format!("/records/{id}/edit"),
            FORM,
            format!("whole=1&do=save&version={version}&doc%2Ftitle=Mine+now"),
        ),
        (
            "POST",
            format!("/records/{id}/cell"),
            FORM,
            format!("version={version}&field=title&value=Mine+now"),
        ),
        (
            "POST",
            format!("/records/{id}/delete"),
            FORM,
            format!("version={version}"),
        ),
        ("POST", format!("/records/{id}/restore"), FORM, String::new()),
        (
            "POST",
            format!("/records/{id}/move"),
            FORM,
            format!("version={version}&to={own}"),
        ),
        (
            "POST",
            "/embargoes".to_owned(),
            FORM,
            format!("object=record%3A{id}&day=2999-01-01&opens_to=public"),
        ),
    ]
}

/// Everything that can be done to another collection as a whole.
fn with_collection(id: &str) -> Vec<Try> {
    let open = json!({"name": "bird", "title": "title", "fields": [
        {"name": "title", "kind": "text", "column": true},
        {"name": "donor", "kind": "term", "facet": true, "level": "public"}
    ]});
    let role = json!({"subject": "account:stranger", "role": "curator", "place": "type:bird"});
    let house = json!({"subject": "account:stranger", "role": "viewer", "place": "house"});
    let mapping = json!({"type": "bird", "fields": [{"to": "title", "from": ["title"]}]});
    let set = json!({
        "select": {"type": "bird", "ids": [id]},
        "action": {"do": "set", "field": "title", "value": "Mine now"}
    });
    let gone = json!({"select": {"type": "bird", "ids": [id]}, "action": {"do": "delete"}});
    let seen = json!({"select": {"type": "bird", "ids": [id]}, "action": {"do": "visibility", "to": "public"}});
    let new = json!({"type": "bird", "document": {"title": "Cuckoo"}});
    let file = "title\nCuckoo\n".to_owned();
    let named = format!("vitrine:id,title\n{id},Cuckoo\n");
    vec![
        ("POST", "/api/records".to_owned(), JSON, new.to_string()),
        // One of their own first does not carry the other along.
        (
            "POST",
            "/api/records/together".to_owned(),
            JSON,
            json!({"records": [{"type": "fungus", "document": {"title": "Truffle"}}, new]}).to_string(),
        ),
        ("PUT", "/api/types/bird".to_owned(), JSON, open.to_string()),
        ("DELETE", "/api/types/bird".to_owned(), JSON, String::new()),
        (
            "POST",
            "/api/type-plan/apply".to_owned(),
            JSON,
            json!({ "types": [open] }).to_string(),
        ),
        ("POST", "/api/grants".to_owned(), JSON, role.to_string()),
        ("POST", "/api/grants".to_owned(), JSON, house.to_string()),
        (
            "DELETE",
            "/api/grants?subject=account:root&role=administrator&place=house".to_owned(),
            JSON,
            String::new(),
        ),
        (
            "PUT",
            "/api/embargoes".to_owned(),
            JSON,
            json!({"object": "type:bird#donor", "opens_at": "2999-01-01", "opens_to": "public"}).to_string(),
        ),
        ("PUT", "/api/mappings/theirs".to_owned(), JSON, mapping.to_string()),
        (
            "POST",
            "/api/types/bird/numbers".to_owned(),
            JSON,
            json!({"field": "number", "count": 5}).to_string(),
        ),
        ("POST", "/api/batches".to_owned(), JSON, set.to_string()),
        ("POST", "/api/batches".to_owned(), JSON, gone.to_string()),
        ("POST", "/api/batches".to_owned(), JSON, seen.to_string()),
        (
            "POST",
            "/api/imports?type=bird&name=a.csv".to_owned(),
            "text/csv",
            file.clone(),
        ),
        (
            "POST",
            "/api/imports?type=bird&name=a.csv&infer=true&delete_missing=true&key=title".to_owned(),
            "text/csv",
            file,
        ),
        // A record of theirs in a file for a collection of one's own.
        (
            "POST",
            "/api/imports?type=fungus&name=b.csv".to_owned(),
            "text/csv",
            named,
        ),
    ]
}

/// The same by the forms of its pages.
fn by_form(id: &str, version: i64) -> Vec<Try> {
    vec![
        (
            "POST",
            "/types/bird/new".to_owned(),
            FORM,
            "whole=1&do=save&doc%2Ftitle=Cuckoo".to_owned(),
        ),
        ("POST", "/types/bird/quick".to_owned(), FORM, "title=Cuckoo".to_owned()),
        (
            "POST",
            "/types/bird/doubts".to_owned(),
            FORM,
            "doc%2Ftitle=Owl&whole=1".to_owned(),
        ),
        (
            "POST",
            "/types/bird/visibility".to_owned(),
            FORM,
            format!("version={version}&to=restricted"),
        ),
        ("POST", "/types/bird/delete".to_owned(), FORM, "confirm=bird".to_owned()),
        (
            "POST",
            "/types/bird/terms".to_owned(),
            FORM,
            format!("field=place&value=Basel&label=Bale&version={version}"),
        ),
        (
            "POST",
            "/types/bird/terms/merge".to_owned(),
            FORM,
            "field=place&from=Basel&into=Bern".to_owned(),
        ),
        (
            "POST",
            "/types/bird/table/paste".to_owned(),
            FORM,
            format!("row=1&first={id}&cell=title&text=Mine"),
        ),
    ]
}

impl House {
    /// Sends what is tried; answers the status and what was said.
    async fn attempt(&self, who: &str, (method, path, kind, body): &Try, version: i64) -> (u16, String) {
        let accept = if path.starts_with("/api") { JSON } else { "text/html" };
        let request = Request::builder()
            .method(*method)
            .uri(path.as_str())
            .header(header::HOST, "localhost")
            .header(header::ACCEPT, accept)
            .header(header::AUTHORIZATION, format!("Bearer {who}"))
            .header(header::IF_MATCH, format!("\"{version}\""))
            .header(header::CONTENT_TYPE, *kind)
            .body(Body::from(body.clone()))
            .unwrap();
        let response = self.anyone.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Runs what a batch or a job began, if something did; what was refused is told there.
    async fn go_on(&self, who: &str, told: &str) {
        let begun: Value = serde_json::from_str(told).unwrap_or_default();
        if begun.get("preview").is_some()
            && let Some(id) = begun["id"].as_str()
        {
            let run = format!("/api/batches/{id}/run");
            self.send(who, "POST", &run, Some(&json!({}))).await;
        }
        self.drain_jobs().await;
    }
}

async fn a_role_here_is_none_there(db: TestDb) {
    let house = House::open(db).await;
    let basel = |title: &str| json!({"title": title, "place": "Basel", "donor": "Nobody"});
    let open = house.add("bird", "public", basel("Owl")).await;
    let closed = house.add("bird", "restricted", basel("Raven")).await;
    let gone = house.add("bird", "public", basel("Dodo")).await;
    house.operator_delete(&gone).await;
    let own = house.add("fungus", "public", json!({"title": "Morel"})).await;
    house.get("root", "/api/search?wait=true").await.ok();
    let mut all: Vec<(Try, i64)> = Vec::new();
    for (id, version) in [(&open, 1), (&closed, 1), (&gone, 2)] {
        all.extend(with_record(id, version, &own).into_iter().map(|one| (one, version)));
    }
    let whole = with_collection(&open).into_iter().chain(by_form(&open, 1));
    all.extend(whole.map(|one| (one, 1)));
    let before = standing(&house.db).await;
    let mut wrong = Vec::new();
    for who in ["stranger", "contributor", "editor", "curator", "operator"] {
        for (one, version) in &all {
            let (status, told) = house.attempt(who, one, *version).await;
            let what = || format!("{who}: {} {} {}: {status}", one.0, one.1, one.3);
            if status >= 500 {
                wrong.push(format!("{} {told}", what()));
            }
            // What was refused is looked at once for all.
            if status >= 400 {
                continue;
            }
            house.go_on(who, &told).await;
            let after = standing(&house.db).await;
            if after != before {
                wrong.push(format!("{}, {before:?} became {after:?}", what()));
                break;
            }
        }
        let after = standing(&house.db).await;
        if after != before {
            wrong.push(format!("{who}: {before:?} became {after:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // The same is refused to nobody who may: it is the role that was missing, and the forms are right.
    let (mut moved, mut last) = (0, before);
    // Their own role they would take away.
    for (one, version) in all.iter().filter(|(one, _)| !one.1.contains("account:root")) {
        let (status, told) = house.attempt("root", one, *version).await;
        assert!(!matches!(status, 401 | 403), "{} {}: {status} {told}", one.0, one.1);
        house.drain_jobs().await;
        let now = standing(&house.db).await;
        moved += usize::from(now != last);
        last = now;
    }
    assert!(moved >= 4, "only {moved} of {} did something for who may", all.len());
    println!(
        "{} changes tried by five on {}: nothing moved",
        all.len(),
        house.db.engine().name()
    );
    house.running.stop().await;
}
