//! Records and their history over HTTP, as a client meets them.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use tower::ServiceExt;

use vitrine::both;
use vitrine::kernel::Kernel;
use vitrine::kernel::access::Access;
use vitrine::kernel::blobs::Blobs;
use vitrine::kernel::bus::Bus;
use vitrine::kernel::clock::Clock;
use vitrine::kernel::config::{Sources, load};
use vitrine::kernel::data::DataDir;
use vitrine::kernel::db::Db;
use vitrine::kernel::http::{LocalOperator, Setup};
use vitrine::kernel::process::Orders;
use vitrine::kernel::search::Search;
use vitrine::kernel::testing::TestDb;

both!(a_record_over_http);

fn router(db: &TestDb) -> Router {
    let data = DataDir::open(&db.folder().join("data"), true).unwrap();
    let kernel = Kernel {
        config: Arc::new(load(&Sources::default()).unwrap().config),
        blobs: Blobs::local(data.folder("blobs").unwrap()).unwrap(),
        data: Arc::new(data),
        db: Db::clone(db),
        clock: Clock::system(),
        search: Search::default(),
        access: Access::default(),
        stop: tokio_util::sync::CancellationToken::new(),
        process: "test".into(),
        orders: Orders::default(),
    };
    let mut bus = Bus::default();
    let records = vitrine::modules::records::wire(&kernel, &mut bus).unwrap();
    let routes = records.routes();
    let routes = routes.merge(vitrine::modules::history::wire(&kernel, &mut bus).unwrap().routes());
    routes.into_router(Setup::new(kernel)).unwrap().router
}

struct Answer {
    status: StatusCode,
    etag: Option<String>,
    position: bool,
    body: Value,
}

async fn ask(
    router: &Router,
    operator: bool,
    method: &str,
    path: &str,
    version: Option<i64>,
    body: Option<Value>,
) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "localhost:8080");
    if let Some(version) = version {
        request = request.header(header::IF_MATCH, format!("\"{version}\""));
    }
    let mut request = match body {
        Some(body) => request
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string())),
        None => request.body(Body::empty()),
    }
    .unwrap();
    if operator {
        request.extensions_mut().insert(LocalOperator);
    }
    let response = router.clone().oneshot(request).await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    Answer {
        status,
        etag: headers.get(header::ETAG).map(|v| v.to_str().unwrap().to_owned()),
        position: headers.contains_key("ledger-position"),
        body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    }
}

fn vase() -> Value {
    json!({ "name": "vase", "title": "title", "key": "number", "fields": [
        { "name": "number", "kind": "identifier" },
        { "name": "title", "kind": "text", "required": true, "column": true },
        { "name": "donor", "kind": "text", "level": "restricted" },
    ] })
}

async fn a_record_over_http(db: TestDb) {
    let router = router(&db);
    let r = &router;
    let kind = vase();
    let refused = ask(r, false, "POST", "/api/types", None, Some(kind.clone())).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    let made = ask(r, true, "POST", "/api/types", None, Some(kind.clone())).await;
    assert_eq!(
        (made.status, made.etag.as_deref(), made.position),
        (StatusCode::CREATED, Some("\"1\""), true),
        "{}",
        made.body
    );
    let schema = ask(r, false, "GET", "/api/types/vase/schema", None, None).await;
    assert!(schema.body["properties"]["title"].is_object() && schema.body["properties"]["donor"].is_null());

    let document = json!({ "type": "vase", "document": { "title": "Jar", "donor": "D" }, "reason": "found" });
    let made = ask(r, true, "POST", "/api/records", None, Some(document)).await;
    assert_eq!(
        (made.status, made.position),
        (StatusCode::CREATED, true),
        "{}",
        made.body
    );
    let path = format!("/api/records/{}", made.body["id"].as_str().unwrap());
    let read = ask(r, false, "GET", &path, None, None).await;
    assert_eq!(
        (read.etag.as_deref(), &read.body["document"]),
        (Some("\"1\""), &json!({ "title": "Jar" }))
    );

    let put = json!({ "document": { "title": "Pot", "donor": "D" } });
    assert_eq!(
        ask(r, true, "PUT", &path, None, Some(put.clone())).await.status,
        StatusCode::PRECONDITION_REQUIRED
    );
    assert_eq!(
        ask(r, true, "PUT", &path, Some(1), Some(put.clone()))
            .await
            .etag
            .as_deref(),
        Some("\"2\"")
    );
    let stale = ask(r, true, "PUT", &path, Some(1), Some(put)).await;
    assert_eq!(
        (stale.status, &stale.body["current"]["version"]),
        (StatusCode::PRECONDITION_FAILED, &json!(2))
    );
    let wrong = ask(
        r,
        true,
        "PATCH",
        &path,
        Some(2),
        Some(json!({ "document": { "titel": "x" } })),
    )
    .await;
    assert_eq!(
        (wrong.status, &wrong.body["errors"][0]["path"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("titel")),
        "{}",
        wrong.body
    );

    lists(r).await;
    past(r, &path).await;
    ends(r, &path).await;
}

/// Lists show what the caller may see, and say so when a question is wrong.
async fn lists(r: &Router) {
    let list = ask(
        r,
        false,
        "GET",
        "/api/records?type=vase&fields=title&sort=-updated_at",
        None,
        None,
    )
    .await;
    assert_eq!(
        (&list.body["total"], &list.body["items"][0]["document"]),
        (&json!(1), &json!({ "title": "Pot" }))
    );
    assert_eq!(
        ask(r, false, "GET", "/api/records?sort=title", None, None).await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        ask(r, false, "GET", "/api/records?state=deleted", None, None)
            .await
            .status,
        StatusCode::UNAUTHORIZED
    );
}

/// A deleted record is gone for all, comes back, and keeps its type in use.
async fn ends(r: &Router, path: &str) {
    assert_eq!(
        ask(r, true, "DELETE", path, Some(2), None).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(ask(r, false, "GET", path, None, None).await.status, StatusCode::GONE);
    let back = ask(r, true, "POST", &format!("{path}/restore"), None, None).await;
    assert_eq!((back.status, &back.body["version"]), (StatusCode::OK, &json!(4)));
    assert_eq!(
        ask(r, true, "DELETE", "/api/types/vase", Some(1), None).await.status,
        StatusCode::CONFLICT
    );
}

/// History is cut by level, and a change set of hidden things only is not there.
async fn past(r: &Router, path: &str) {
    let history = ask(r, false, "GET", &format!("{path}/history"), None, None).await.body;
    assert_eq!(
        (&history["items"][0]["changed"], &history["items"][1]["changed"]),
        (&json!(["title"]), &json!(["title"]))
    );
    assert_eq!(history["items"][1]["change"]["reason"], "");
    let whole = ask(r, true, "GET", &format!("{path}/history?limit=1&cursor=2"), None, None)
        .await
        .body;
    assert_eq!(
        (&whole["items"][0]["changed"], &whole["next"]),
        (&json!(["title", "donor"]), &Value::Null)
    );
    let old = ask(r, false, "GET", &format!("{path}/versions/1"), None, None)
        .await
        .body;
    assert_eq!(old["document"], json!({ "title": "Jar" }));
    assert_eq!(
        ask(r, false, "GET", &format!("{path}/versions/9"), None, None)
            .await
            .status,
        StatusCode::NOT_FOUND
    );

    let secret =
        json!({ "type": "vase", "visibility": "restricted", "document": { "title": "S" }, "reason": "secret" });
    let secret = ask(r, true, "POST", "/api/records", None, Some(secret)).await.body;
    let hidden = format!("/api/records/{}/history", secret["id"].as_str().unwrap());
    assert_eq!(
        ask(r, false, "GET", &hidden, None, None).await.status,
        StatusCode::NOT_FOUND
    );
    let (all, some) = (
        ask(r, true, "GET", "/api/changes", None, None).await.body,
        ask(r, false, "GET", "/api/changes", None, None).await.body,
    );
    let count = |body: &Value| body["items"].as_array().unwrap().len();
    assert_eq!((count(&all), count(&some)), (4, 3), "{all}");
    let set = format!("/api/changes/{}", all["items"][0]["id"].as_str().unwrap());
    assert_eq!(
        ask(r, false, "GET", &set, None, None).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        ask(r, true, "GET", &set, None, None).await.body["items"][0]["id"],
        secret["id"]
    );
}
