//! The middleware, the extractors, the server and repeated requests, over real HTTP: a small site and what asks it.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use utoipa_axum::routes;

mod limits;
mod manners;
mod repeats;

use super::*;
use crate::kernel::access::{Credential, Identity, OPEN, Permission, Subject};
use crate::kernel::config::{Config, Http};
use crate::kernel::db::{Db, Write, sql};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::id::new_id;
use crate::kernel::ledger::{self, NewSet, NewVersion, Operation};
use crate::kernel::testing::{TestDb, kernel, sqlite};

const WRITE: Permission = Permission("things.write");

/// Knows one secret: a token that may write, or the operator's cookie.
struct OneSecret;

#[async_trait]
impl Identity for OneSecret {
    async fn identify(&self, credential: Credential<'_>, _peer: Option<IpAddr>) -> Result<Option<Subject>> {
        let scope = vec!["things.write".to_owned()];
        let token = Subject::Token {
            id: "1".to_owned(),
            name: "one".to_owned(),
            scope,
        };
        Ok(match credential {
            Credential::Bearer("secret") => Some(token),
            Credential::Cookie("secret") => Some(Subject::Operator),
            _ => None,
        })
    }
}

#[derive(Clone, Default)]
struct Things {
    made: Arc<AtomicUsize>,
    entered: Arc<Notify>,
    go_on: Arc<Notify>,
    db: Arc<OnceLock<Db>>,
}

impl Things {
    /// Puts a thing into the ledger, as a module's service does.
    async fn write(&self, request: &RequestId) -> Result<()> {
        let origin = json!({ "channel": "api", "request": &*request.0 });
        let db = self.db.get().unwrap();
        db.write(Write::interactive("things.create"), |tx| {
            let origin = origin.clone();
            Box::pin(async move {
                let new = NewSet {
                    kind: "thing.create",
                    actor: "token:1",
                    reason: "",
                    origin,
                };
                let set = ledger::open_set(tx, &new).await?;
                let version = NewVersion {
                    entity: new_id(),
                    version: 1,
                    kind: ledger::RECORD,
                    operation: Operation::Create,
                    document: Some("{}".to_owned()),
                };
                ledger::append(tx, &set, vec![version]).await.map(drop)
            })
        })
        .await
    }
}

#[derive(serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Thing {
    name: String,
}

#[utoipa::path(post, path = "/api/things", tag = "things", request_body = Thing, responses((status = 201, body = Thing)))]
async fn create(
    State(things): State<Things>,
    request: RequestId,
    Json(thing): Json<Thing>,
) -> Result<impl IntoResponse> {
    let number = things.made.fetch_add(1, Ordering::SeqCst) + 1;
    if thing.name == "refused" {
        return Err(Error::invalid("name", "Not this one."));
    }
    if thing.name == "waits" {
        things.entered.notify_one();
        things.go_on.notified().await;
    }
    if thing.name.ends_with("writes") {
        things.entered.notify_one();
        if thing.name == "waits and writes" {
            things.go_on.notified().await;
        }
        things.write(&request).await?;
    }
    if thing.name == "writes and breaks" {
        things.write(&request).await?;
        return Err(Error::new(Code::Unavailable, "Just now."));
    }
    Ok((
        StatusCode::CREATED,
        Versioned(
            number as i64,
            Json(Thing {
                name: format!("{} {number}", thing.name),
            }),
        ),
    ))
}

#[utoipa::path(get, path = "/api/things/{id}", tag = "things", params(("id" = u32, Path)), responses((status = 200, body = Thing)))]
async fn show(Path(id): Path<u32>) -> Versioned<Json<Thing>> {
    Versioned(7, Json(Thing { name: id.to_string() }))
}

async fn form(Form(thing): Form<Thing>) -> String {
    thing.name
}

async fn breaks() -> &'static str {
    panic!("on purpose")
}

async fn slow(State(things): State<Things>) -> &'static str {
    things.entered.notify_one();
    things.go_on.notified().await;
    "done"
}

async fn token(page: crate::kernel::ui::Page) -> String {
    page.csrf
}

fn routes(things: &Things) -> Routes {
    RouteSet::new()
        .route(WRITE, routes!(create))
        .route(OPEN, routes!(show))
        .page(OPEN, Method::POST, "/form", post(form))
        .page(OPEN, Method::GET, "/breaks", get(breaks))
        .page(OPEN, Method::GET, "/slow", get(slow))
        .page(OPEN, Method::GET, "/token", get(token))
        .with_state(things.clone())
}

struct Site {
    address: SocketAddr,
    things: Things,
    client: reqwest::Client,
    stop: CancellationToken,
    served: tokio::task::JoinHandle<Result<()>>,
    db: TestDb,
}

impl Site {
    async fn start(db: TestDb) -> Self {
        Self::start_with(db, |_| {}).await
    }
    /// With other settings of the web.
    async fn start_with(db: TestDb, change: impl FnOnce(&mut Http)) -> Self {
        let things = Things::default();
        let _ = things.db.set(Db::clone(&db));
        let mut kernel = kernel(&db);
        let mut config = Config::clone(&kernel.config);
        change(&mut config.http);
        kernel.config = Arc::new(config);
        kernel.access.install_identity(Box::new(OneSecret));
        let web = routes(&things).into_router(Setup::new(kernel)).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let served = tokio::spawn(serve(listener, web.router, stop.clone()));
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            address,
            things,
            client,
            stop,
            served,
            db,
        }
    }
    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
    fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.get(self.url(path))
    }
    fn create(&self, body: &Value) -> reqwest::RequestBuilder {
        self.client
            .post(self.url("/api/things"))
            .bearer_auth("secret")
            .json(body)
    }
}

#[track_caller]
fn is_problem(status: StatusCode, body: &Value, code: Code) {
    assert_eq!(status.as_u16(), code.status(), "{body}");
    assert_eq!(body["code"], code.as_str(), "{body}");
    assert_eq!(body["type"], format!("/docs/errors/{}", code.as_str()));
    assert!(body["request_id"].is_string(), "{body}");
}

async fn problem(request: reqwest::RequestBuilder, code: Code) -> Value {
    let response = request.send().await.unwrap();
    let status = response.status();
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json",
        "{status}"
    );
    let body: Value = response.json().await.unwrap();
    is_problem(status, &body, code);
    body
}
