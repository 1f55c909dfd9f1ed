//! The real app on a free port, around a test's database, with a data folder beside it. It runs no jobs by itself: tests
//! say when, through [`TestApp::drain_jobs`].

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{HeaderMap, Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::TestDb;
use crate::app::{App, Plan, Roles, Running};
use crate::kernel::Kernel;
use crate::kernel::bus::Bus;
use crate::kernel::config::{Config, Sources, load};
use crate::kernel::control;
use crate::kernel::jobs::{Worker, WorkerOptions};

/// A started app. Dropping it tells everything to stop; [`TestApp::stop`] also waits for it.
pub struct TestApp {
    running: Option<Running>,
    worker: Worker,
    address: SocketAddr,
    secret: String,
    _db: TestDb,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e} in {} {}", self.status, self.text()))
    }
    /// The answer, if it is a success.
    ///
    /// # Panics
    /// When it is a refusal.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert!(self.status.is_success(), "{} {}", self.status, self.text());
        self
    }
    /// A header as text.
    pub fn header(&self, name: &str) -> Option<String> {
        Some(self.headers.get(name)?.to_str().ok()?.to_owned())
    }
}

impl TestApp {
    /// Starts the app with the default settings.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(db: &TestDb) -> Self {
        Self::start_with(db, |_| {}).await
    }

    /// Starts the app with other settings.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_with(db: &TestDb, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = load(&Sources::default()).expect("the default settings").config;
        config.data.dir = db.folder().join("data");
        db.url().clone_into(&mut config.database.url);
        "127.0.0.1:0".clone_into(&mut config.http.bind);
        change(&mut config);
        let plan = Plan {
            roles: Roles {
                web: true,
                ..Roles::default()
            },
            clock: db.clock().clone(),
            ..Plan::default()
        };
        let app = Box::pin(App::build(config, plan)).await.expect("the app is built");
        let kernel = &app.kernel;
        let options = WorkerOptions::from_config(&kernel.config);
        let worker = Worker::new(&kernel.db, &kernel.process, app.handlers(), options).expect("a worker");
        let running = Box::pin(app.start()).await.expect("the app starts");
        let address = running.address.expect("the web listens");
        let mut test = Self {
            running: Some(running),
            worker,
            address,
            secret: String::new(),
            _db: db.clone(),
        };
        let wanted = json!({ "name": "test", "scope": ["*"] });
        let made = test
            .as_local_operator(Method::POST, "/api/tokens", Some(&wanted))
            .await
            .ok()
            .json();
        test.secret = made["secret"].as_str().expect("a token's secret").to_owned();
        test
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("it runs until it is stopped")
    }

    /// The kernel, to look behind the API.
    pub fn kernel(&self) -> &Kernel {
        &self.running().kernel
    }

    /// The ports of the modules.
    pub fn bus(&self) -> &Bus {
        &self.running().bus
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The secret of a token that may do everything.
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// `GET` with the token.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.signed(Method::GET, path), Bytes::new()).await
    }

    /// `GET` as nobody in particular.
    pub async fn get_anonymous(&self, path: &str) -> Answer {
        self.send(self.unsigned(Method::GET, path), Bytes::new()).await
    }

    /// `POST` of JSON with the token.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.with_json(Method::POST, path, body).await
    }

    /// A page with the token.
    pub async fn page(&self, path: &str) -> Answer {
        let request = self.signed(Method::GET, path).header(ACCEPT, "text/html");
        self.send(request, Bytes::new()).await
    }

    /// A form of a page with the token, sent as a browser does.
    pub async fn send_form(&self, path: &str, pairs: &[(impl Serialize, impl Serialize)]) -> Answer {
        self.send_form_for("text/html", path, pairs).await
    }

    /// A form with the token that wants its answer in another kind than a page.
    ///
    /// # Panics
    /// When the pairs are no words.
    pub async fn send_form_for(&self, accept: &str, path: &str, pairs: &[(impl Serialize, impl Serialize)]) -> Answer {
        let body = serde_html_form::to_string(pairs).expect("pairs of words");
        let request = self
            .signed(Method::POST, path)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, accept);
        self.send(request, Bytes::from(body)).await
    }

    /// Any method with JSON and the token.
    pub async fn with_json(&self, method: Method, path: &str, body: &Value) -> Answer {
        let request = self.signed(method, path).header(CONTENT_TYPE, "application/json");
        self.send(request, Bytes::from(body.to_string())).await
    }

    /// A request without a caller, to add headers to.
    pub fn unsigned(&self, method: Method, path: &str) -> hyper::http::request::Builder {
        let host = format!("localhost:{}", self.address.port());
        Request::builder().method(method).uri(path).header(HOST, host)
    }

    /// A request with the token, to add headers to.
    pub fn signed(&self, method: Method, path: &str) -> hyper::http::request::Builder {
        self.unsigned(method, path)
            .header(AUTHORIZATION, format!("Bearer {}", self.secret))
    }

    /// Sends a request over the network, on a connection of its own.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn send(&self, request: hyper::http::request::Builder, body: Bytes) -> Answer {
        let stream = TcpStream::connect(self.address).await.expect("the app listens");
        exchange(stream, request.body(Full::new(body)).expect("a request")).await
    }

    /// Sends a request through the control socket.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn as_local_operator(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let stream = control::connect(&self.running().socket)
            .await
            .expect("the control socket listens");
        let mut request = Request::builder().method(method).uri(path).header(HOST, "localhost");
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let body = Bytes::from(body.map(Value::to_string).unwrap_or_default());
        exchange(stream, request.body(Full::new(body)).expect("a request")).await
    }

    /// Runs every job that is ready, and those they make, one after another. Answers how many.
    ///
    /// # Panics
    /// When the database fails; a failing job does not.
    pub async fn drain_jobs(&self) -> usize {
        self.worker.drain().await.expect("jobs can be claimed")
    }

    /// Runs every job that is ready, and answers how the one stands that an answer names.
    ///
    /// # Panics
    /// When the database fails, or the answer names no job.
    pub async fn ended_job(&self, begun: &Value) -> Value {
        self.drain_jobs().await;
        let id = begun["job"].as_str().expect("an answer that names a job");
        self.get(&format!("/api/jobs/{id}")).await.ok().json()
    }

    /// Makes a blob as old as if it had been brought long ago, so that it goes when nobody holds it.
    ///
    /// # Panics
    /// When there is no such blob.
    pub fn age(&self, blob: &str) {
        let path = self.kernel().blobs.path(blob).expect("the id of a blob");
        let file = std::fs::File::options().write(true).open(path).expect("a blob");
        file.set_modified(std::time::SystemTime::UNIX_EPOCH)
            .expect("its time can be set");
    }

    /// Ends it in order.
    pub async fn stop(mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if let Some(running) = &self.running {
            running.kernel.stop.cancel();
        }
    }
}

async fn exchange<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    request: Request<Full<Bytes>>,
) -> Answer {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .expect("HTTP");
    tokio::spawn(connection);
    let (head, body) = sender.send_request(request).await.expect("an answer").into_parts();
    let body = body.collect().await.expect("a whole answer").to_bytes();
    Answer {
        status: head.status,
        headers: head.headers,
        body,
    }
}
