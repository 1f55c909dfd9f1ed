//! The middleware, the extractors, the server and repeated requests, over real HTTP.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use utoipa_axum::routes;

use super::*;
use crate::kernel::access::{Credential, Identity, OPEN, Permission, Subject};
use crate::kernel::error::{Code, Error, Result};
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
}

#[derive(serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Thing {
    name: String,
}

#[utoipa::path(post, path = "/api/things", tag = "things", request_body = Thing, responses((status = 201, body = Thing)))]
async fn create(State(things): State<Things>, Json(thing): Json<Thing>) -> Result<impl IntoResponse> {
    let number = things.made.fetch_add(1, Ordering::SeqCst) + 1;
    if thing.name == "refused" {
        return Err(Error::invalid("name", "Not this one."));
    }
    if thing.name == "waits" {
        things.entered.notify_one();
        things.go_on.notified().await;
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
    _db: TestDb,
}

impl Site {
    async fn start(db: TestDb) -> Self {
        let things = Things::default();
        let kernel = kernel(&db);
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
            _db: db,
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

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_problems() {
    let site = Site::start(sqlite().await).await;
    problem(site.get("/nowhere"), Code::NotFound).await;
    problem(site.client.delete(site.url("/api/things")), Code::MethodNotAllowed).await;
    problem(site.get("/api/things/many"), Code::BadRequest).await;
    problem(site.get("/api/things/1?x=%00"), Code::BadRequest).await;
    problem(site.get("/breaks"), Code::Internal).await;
    problem(
        site.client.post(site.url("/api/things")).json(&json!({"name": "a"})),
        Code::Unauthenticated,
    )
    .await;
    problem(site.get("/api/things/1").bearer_auth("wrong"), Code::Unauthenticated).await;
    problem(site.create(&json!({"nam": "a"})), Code::Invalid).await;
    let refused = problem(site.create(&json!({"name": "refused"})), Code::Invalid).await;
    assert_eq!(refused["errors"][0]["path"], "name");
    let post = || site.client.post(site.url("/api/things")).bearer_auth("secret");
    problem(post().body("name=a"), Code::UnsupportedMedia).await;
    let deep = "[".repeat(100_000);
    problem(
        post().header("content-type", "application/json").body(deep),
        Code::BadRequest,
    )
    .await;
    problem(
        post()
            .header("content-type", "application/json")
            .body(vec![b' '; 3 << 20]),
        Code::TooLarge,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_get_pages_and_programs_get_json() {
    let site = Site::start(sqlite().await).await;
    let page = site
        .get("/nowhere")
        .header("accept", "text/html,*/*;q=0.8")
        .send()
        .await
        .unwrap();
    assert_eq!(page.status(), 404);
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    assert!(page.text().await.unwrap().contains("not-found"));
    let json = site
        .get("/nowhere")
        .header("accept", "application/json, text/html;q=0.5")
        .send()
        .await
        .unwrap();
    assert_eq!(json.headers()["content-type"], "application/problem+json");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_hosts_and_other_sites_are_refused() {
    let site = Site::start(sqlite().await).await;
    problem(site.get("/api/things/1").header("host", "evil.example"), Code::BadHost).await;
    for host in ["localhost", "localhost:1234", "127.0.0.1", "[::1]:80"] {
        assert_eq!(
            site.get("/api/things/1")
                .header("host", host)
                .send()
                .await
                .unwrap()
                .status(),
            200,
            "{host}"
        );
    }
    let thing = json!({"name": "a"});
    problem(
        site.create(&thing).header("origin", "http://evil.example"),
        Code::BadOrigin,
    )
    .await;
    problem(site.create(&thing).header("origin", "null"), Code::BadOrigin).await;
    problem(
        site.create(&thing).header("sec-fetch-site", "cross-site"),
        Code::BadOrigin,
    )
    .await;
    problem(
        site.create(&thing).header("sec-fetch-site", "same-site"),
        Code::BadOrigin,
    )
    .await;
    assert_eq!(site.things.made.load(Ordering::SeqCst), 0);
    let own = format!("http://{}", site.address);
    assert_eq!(
        site.create(&thing).header("origin", own).send().await.unwrap().status(),
        201
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_with_a_cookie_needs_its_token() {
    let site = Site::start(sqlite().await).await;
    let cookie = "vitrine_operator=secret";
    let send = |text: String| {
        let request = site.client.post(site.url("/form")).header("cookie", cookie);
        request
            .header("content-type", "application/x-www-form-urlencoded")
            .body(text)
    };
    problem(send("name=a".to_owned()), Code::BadOrigin).await;
    problem(send(format!("name=a&csrf={}", "0".repeat(96))), Code::BadOrigin).await;
    let page = || async {
        site.get("/token")
            .header("cookie", cookie)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    };
    let (first, second) = (page().await, page().await);
    assert_ne!(first, second, "no two pages show the same token");
    for token in [first, second] {
        let answer = send(format!("name=tea+pot&csrf={token}")).send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), answer.text().await.unwrap().as_str()),
            (200, "tea pot")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_good_manners() {
    let site = Site::start(sqlite().await).await;
    let answer = site
        .get("/api/things/1")
        .header("x-request-id", "my-request.1")
        .send()
        .await
        .unwrap();
    let headers = answer.headers();
    assert_eq!(headers["x-request-id"], "my-request.1");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["cache-control"], "no-cache");
    assert_eq!(headers["etag"], "\"7\"");
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe-inline"),
        "{policy}"
    );
    assert!(!headers.contains_key("access-control-allow-origin"));
    let hostile = site
        .get("/api/things/1")
        .header("x-request-id", "a b<script>")
        .send()
        .await
        .unwrap();
    assert_ne!(hostile.headers()["x-request-id"], "a b<script>");
    let private = site.get("/api/things/1").bearer_auth("secret").send().await.unwrap();
    assert_eq!(private.headers()["cache-control"], "no-store");
    let known = site
        .get("/api/things/1")
        .header("if-none-match", "W/\"7\"")
        .send()
        .await
        .unwrap();
    assert_eq!(known.status(), 304);
    let head = site.client.head(site.url("/api/things/1")).send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.text().await.unwrap().len()), (200, 0));
    let slash = site.get("/api/things/1/?a=b").send().await.unwrap();
    assert_eq!(
        (slash.status().as_u16(), slash.headers()["location"].to_str().unwrap()),
        (308, "/api/things/1?a=b")
    );
    assert_eq!(site.get("//evil.example/").send().await.unwrap().status(), 404);
    assert!(
        site.get("/robots.txt")
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
            .contains("/sitemap.xml")
    );
    let map = site.get("/sitemap.xml").send().await.unwrap().text().await.unwrap();
    assert!(
        map.contains("<loc>http://localhost/</loc>") && map.ends_with("</urlset>\n"),
        "{map}"
    );
    assert_eq!(
        site.get("/favicon.ico").send().await.unwrap().headers()["content-type"],
        "image/svg+xml"
    );
    let climbing = site.get("/static/-/..%2f..%2f..%2fCargo.toml").send().await.unwrap();
    assert_eq!(climbing.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_breaks_no_request_and_takes_no_new_one() {
    let site = Site::start(sqlite().await).await;
    let request = tokio::spawn(site.get("/slow").send());
    site.things.entered.notified().await;
    site.stop.cancel();
    // Asked to stop while the handler is at work: the stop waits for its answer.
    site.things.go_on.notify_one();
    let answer = request.await.unwrap().unwrap();
    assert_eq!(answer.text().await.unwrap(), "done");
    site.served.await.unwrap().unwrap();
    assert!(tokio::net::TcpStream::connect(site.address).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_and_too_large_headers_are_refused() {
    let site = Site::start(sqlite().await).await;
    for head in ["x: y\r\n".repeat(200), format!("x: {}\r\n", "y".repeat(100_000))] {
        let mut stream = tokio::net::TcpStream::connect(site.address).await.unwrap();
        let text = format!("GET / HTTP/1.1\r\nhost: localhost\r\n{head}\r\n");
        // The server may answer and close before it has read all.
        let _ = stream.write_all(text.as_bytes()).await;
        let mut answer = vec![0; 12];
        let read = stream.read_exact(&mut answer).await;
        assert!(
            read.is_err() || answer == b"HTTP/1.1 431",
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }
    assert_eq!(site.get("/api/things/1").send().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_whole() {
    let db = sqlite().await;
    let web = routes(&Things::default()).into_router(Setup::new(kernel(&db))).unwrap();
    let document: Value = serde_json::from_slice(&web.context.openapi).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    let create = &document["paths"]["/api/things"]["post"];
    assert_eq!(create["x-permission"], "things.write");
    assert_eq!(create["operationId"], "things.create");
    assert!(create["responses"]["default"].is_object());
    assert!(document["components"]["schemas"]["ProblemDocument"].is_object());
    for fact in web.table.iter().filter(|fact| fact.in_openapi) {
        let operation = &document["paths"][&fact.path][fact.method.as_str().to_ascii_lowercase()];
        assert_eq!(
            operation["x-permission"], fact.permission.0,
            "{} {}",
            fact.method, fact.path
        );
    }
    let twice = routes(&Things::default()).merge(routes(&Things::default()));
    assert!(twice.into_router(Setup::new(kernel(&sqlite().await))).is_err());
}

async fn a_repeated_request_is_done_once(db: TestDb) {
    let site = Arc::new(Site::start(db).await);
    let waits = json!({"name": "waits"});
    let first = tokio::spawn(site.create(&waits).header("idempotency-key", "k1").send());
    site.things.entered.notified().await;
    // At work: everybody else is told to come back, and nothing is done twice.
    let others = (0..16).map(|_| {
        let site = site.clone();
        let request = site.create(&waits).header("idempotency-key", "k1");
        tokio::spawn(async move { problem(request, Code::Conflict).await })
    });
    for other in others.collect::<Vec<_>>() {
        other.await.unwrap();
    }
    site.things.go_on.notify_one();
    let first = first.await.unwrap().unwrap();
    assert_eq!(first.status(), 201);
    assert!(!first.headers().contains_key("idempotency-replayed"));
    let body = first.text().await.unwrap();
    let again = site
        .create(&waits)
        .header("idempotency-key", "k1")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (
            again.status().as_u16(),
            again.headers()["idempotency-replayed"].to_str().unwrap()
        ),
        (201, "true")
    );
    assert_eq!(again.headers()["etag"], "\"1\"");
    assert_eq!(again.text().await.unwrap(), body);
    problem(
        site.create(&json!({"name": "other"})).header("idempotency-key", "k1"),
        Code::Invalid,
    )
    .await;
    problem(site.create(&waits).header("idempotency-key", "a b"), Code::BadRequest).await;
    assert_eq!(site.things.made.load(Ordering::SeqCst), 1);
}

async fn parallel_repeats_run_one_handler(db: TestDb) {
    let site = Arc::new(Site::start(db).await);
    for key in 0..8 {
        let before = site.things.made.load(Ordering::SeqCst);
        let tasks = (0..12).map(|_| {
            let request = site
                .create(&json!({"name": "a"}))
                .header("idempotency-key", format!("key-{key}"));
            tokio::spawn(async move {
                let response = request.send().await.unwrap();
                (response.status().as_u16(), response.text().await.unwrap())
            })
        });
        let mut bodies = std::collections::BTreeSet::new();
        for task in tasks.collect::<Vec<_>>() {
            match task.await.unwrap() {
                (201, body) => _ = bodies.insert(body),
                (status, body) => assert_eq!(status, 409, "{body}"),
            }
        }
        assert_eq!(bodies.len(), 1, "one answer for all");
        assert_eq!(site.things.made.load(Ordering::SeqCst), before + 1);
    }
}

async fn a_client_that_leaves_finds_its_answer_later(db: TestDb) {
    let site = Site::start(db).await;
    let waits = json!({"name": "waits"});
    let first = tokio::spawn(site.create(&waits).header("idempotency-key", "gone").send());
    site.things.entered.notified().await;
    first.abort();
    assert!(first.await.is_err());
    site.things.go_on.notify_one();
    loop {
        let again = site
            .create(&waits)
            .header("idempotency-key", "gone")
            .send()
            .await
            .unwrap();
        if again.status() == 201 {
            break;
        }
        assert_eq!(again.status(), 409);
        tokio::task::yield_now().await;
    }
    assert_eq!(site.things.made.load(Ordering::SeqCst), 1);
}

crate::both!(
    a_repeated_request_is_done_once,
    parallel_repeats_run_one_handler,
    a_client_that_leaves_finds_its_answer_later
);
