//! The rules that only the composed app can show: stored names, permissions of routes, and an OpenAPI document that
//! names every JSON route and nothing that does not answer.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::Value;
use tower::ServiceExt;
use vitrine::kernel::access::OPEN;
use vitrine::kernel::http::{RouteFact, Web};
use vitrine::kernel::i18n::Language;
use vitrine::kernel::testing;

use super::openapi::{faults, operations};
use crate::house::House;

/// Names that are stored with data or asked for by programs: renaming one must show in review.
#[tokio::test(flavor = "multi_thread")]
async fn stored_names() {
    let db = testing::sqlite().await;
    let house = House::new(&db).await;
    let modules = house.app.modules();
    let jobs: BTreeSet<&str> = house.app.handlers().iter().map(|job| job.kind).collect();
    let nameless: Vec<&&str> = jobs
        .iter()
        .filter(|kind| Language::default().get(&format!("job.{kind}")).is_none())
        .collect();
    assert!(
        nameless.is_empty(),
        "people see jobs by a name: the text job.KIND is missing for {nameless:?}"
    );
    let schedules: BTreeSet<String> = house
        .app
        .schedules()
        .into_iter()
        .map(|s| format!("{} ({})", s.name, s.cron))
        .collect();
    let permissions: BTreeSet<&str> = modules.iter().flat_map(|m| m.permissions()).map(|p| p.0).collect();
    let mut list = String::new();
    let mut part = |title: &str, names: Vec<String>| {
        let _ = writeln!(list, "{title}:");
        names.iter().for_each(|name| {
            let _ = writeln!(list, "  {name}");
        });
    };
    part("jobs", jobs.into_iter().map(str::to_owned).collect());
    part(
        "topics",
        house
            .app
            .bus
            .topics()
            .iter()
            .map(|(t, who)| format!("{t} -> {}", who.join(", ")))
            .collect(),
    );
    part("schedules", schedules.into_iter().collect());
    part("permissions", permissions.into_iter().map(str::to_owned).collect());
    insta::assert_snapshot!(list);
    house.app.close().await;
}

/// Paths that programs use; the rest are pages and files for people.
fn for_programs(path: &str) -> bool {
    ["/api/", "/health/"].iter().any(|start| path.starts_with(start)) || path == "/metrics"
}

/// Routes that do not stand where they should, or ask for a permission that no module declares.
fn misplaced(table: &[RouteFact], document: &Value, declared: &BTreeSet<&str>) -> Vec<String> {
    let described: BTreeSet<(String, String)> = operations(document)
        .iter()
        .map(|(path, method, _)| (method.to_uppercase(), (*path).to_owned()))
        .collect();
    let mut faults = Vec::new();
    for fact in table {
        let place = format!("{} {}", fact.method, fact.path);
        if fact.permission.0.is_empty() || (fact.permission != OPEN && !declared.contains(fact.permission.0)) {
            faults.push(format!(
                "{place}: no module declares the permission \"{}\"",
                fact.permission.0
            ));
        }
        let known = described.contains(&(fact.method.to_string(), fact.path.clone()));
        if for_programs(&fact.path) && !known {
            faults.push(format!("{place}: does not stand in the OpenAPI document"));
        }
    }
    for (method, path) in &described {
        if !table.iter().any(|f| f.method.as_str() == method && f.path == *path) {
            faults.push(format!("{method} {path}: is described and does not exist"));
        }
    }
    faults
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_have_permissions_and_stand_in_the_document() {
    let db = testing::sqlite().await;
    let house = House::new(&db).await;
    let web = house.web();
    let document = serde_json::to_value(&web.openapi).expect("a document");
    let declared: BTreeSet<&str> = house
        .app
        .modules()
        .iter()
        .flat_map(|m| m.permissions())
        .map(|p| p.0)
        .collect();
    assert!(web.table.len() > 10, "only {} routes found", web.table.len());
    let mut all = misplaced(&web.table, &document, &declared);
    all.extend(faults(&document));
    assert!(all.is_empty(), "{}", all.join("\n"));
    house.app.close().await;
}

#[test]
fn misplaced_routes_are_found() {
    let fact = |path: &str, permission| RouteFact {
        method: axum::http::Method::GET,
        path: path.to_owned(),
        permission: vitrine::kernel::access::Permission(permission),
        in_openapi: false,
    };
    let document = serde_json::json!({"paths": {"/api/there": {"get": {}}, "/api/gone": {"get": {}}}});
    let table = [
        fact("/api/there", "a.read"),
        fact("/api/hidden", "a.read"),
        fact("/page", "nobody"),
        fact("/p", "open"),
    ];
    let found = misplaced(&table, &document, &BTreeSet::from(["a.read"]));
    assert_eq!(found.len(), 3, "{found:?}");
}

async fn status(web: &Web, method: &str, path: &str) -> StatusCode {
    let path: String = path.split('{').enumerate().fold(String::new(), |mut all, (n, part)| {
        let rest = if n == 0 {
            part
        } else {
            part.split_once('}').map_or("", |(_, rest)| rest)
        };
        all.push_str(if n == 0 { "" } else { "1" });
        all.push_str(rest);
        all
    });
    let host = web.context.public_url.trim_start_matches("http://");
    let request = Request::builder()
        .method(method.to_uppercase().as_str())
        .uri(&path)
        .header(header::HOST, host)
        .header(header::ACCEPT, "application/json")
        .body(Body::empty())
        .expect("a request");
    web.router.clone().oneshot(request).await.expect("an answer").status()
}

/// Every operation answers, and what is not open or for reading answers nobody who is not signed in.
#[tokio::test(flavor = "multi_thread")]
async fn every_operation_answers_and_is_guarded() {
    let db = testing::sqlite().await;
    let house = House::new(&db).await;
    let web = house.web();
    let document = serde_json::to_value(&web.openapi).expect("a document");
    let mut wrong = Vec::new();
    for (path, method, operation) in operations(&document) {
        let permission = operation
            .get("x-permission")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let answer = status(&web, method, path).await;
        let closed = permission != OPEN.0 && !permission.ends_with(".read");
        let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&answer);
        let broken = answer == StatusCode::METHOD_NOT_ALLOWED
            || (answer.is_server_error() && answer != StatusCode::SERVICE_UNAVAILABLE);
        if broken || (closed && !refused) {
            wrong.push(format!("{method} {path} ({permission}): {answer}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    house.app.close().await;
}
