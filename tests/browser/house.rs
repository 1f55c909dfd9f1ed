//! The real app on a free port with a few records in it, and a browser in front of it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use axum::body::Body;
use axum::http::{Request, header};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};
use tower::ServiceExt;
use vitrine::app::{App, Plan, Roles, Running};
use vitrine::kernel::config::{Sources, load};
use vitrine::kernel::http::local;

/// A running house with records; ends with [`House::end`].
pub struct House {
    running: Running,
    pub address: String,
    _folder: tempfile::TempDir,
}

async fn post(router: &axum::Router, host: &str, path: &str, body: &Value) {
    let request = Request::post(path)
        .header(header::HOST, host)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()))
        .expect("a request");
    let answer = router.clone().oneshot(request).await.expect("an answer");
    let status = answer.status();
    let text = axum::body::to_bytes(answer.into_body(), 1 << 20).await.expect("a body");
    assert!(
        status.is_success(),
        "{path}: {status} {}",
        String::from_utf8_lossy(&text)
    );
}

impl House {
    /// Thirty objects: teapots and vases, of clay, glass or a material nobody wrote down.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let sources = Sources::default()
            .flag("data.dir", folder.path().to_string_lossy(), "the test")
            .flag("http.bind", "127.0.0.1:0", "the test");
        let config = load(&sources).expect("settings").config;
        let app = App::build(
            config,
            Plan {
                roles: Roles::ALL,
                ..Plan::default()
            },
        )
        .await
        .expect("the app is wired");
        let web = app.web().expect("routes that fit together");
        let address = web.context.public_url.clone();
        let router = local(web.router);
        let running = app.start().await.expect("the app starts");
        let host = address.trim_start_matches("http://").to_owned();
        let kind = json!({
            "name": "object",
            "title": "title",
            "fields": [
                {"name": "title", "kind": "text", "column": true},
                {"name": "material", "kind": "term", "facet": true, "column": true},
                {"name": "made", "kind": "date", "column": true},
                {"name": "story", "kind": "text"},
            ],
        });
        post(&router, &host, "/api/types", &kind).await;
        for n in 0..30 {
            let thing = if n % 3 == 0 { "Teapot" } else { "Vase" };
            let mut document = json!({
                "title": format!("{thing} {n}"),
                "made": format!("19{n:02}"),
                "story": "Averylongwordthatnobodywouldbreakbutanarrowscreenhasto ".repeat(4),
            });
            if n % 5 != 0 {
                document["material"] = if n % 2 == 0 { "clay" } else { "glass" }.into();
            }
            post(
                &router,
                &host,
                "/api/records",
                &json!({"type": "object", "document": document}),
            )
            .await;
        }
        let seen = format!("{address}/api/search?type=object&wait=true");
        let answer = reqwest::get(&seen)
            .await
            .expect("an answer")
            .text()
            .await
            .expect("a body");
        let answer: Value = serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{answer}"));
        assert_eq!(answer["total"], 30, "{answer}");
        Self {
            running,
            address,
            _folder: folder,
        }
    }

    pub async fn end(self) {
        self.running.stop().await;
    }
}

/// How a browser is set up.
#[derive(Clone, Copy, Default)]
pub struct Setup {
    pub without_scripts: bool,
    /// The width of a small telephone.
    pub narrow: bool,
}

/// A browser and the driver it hangs on.
pub struct Browser {
    pub client: Client,
    driver: Child,
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests are told by their runner where the programs are"
)]
fn program(variable: &str, name: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| name.to_owned())
}

impl Browser {
    pub async fn start(setup: Setup) -> Self {
        let mut driver = Command::new(program("CHROMEDRIVER", "chromedriver"))
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver; `make test` finds or installs it");
        let output = BufReader::new(driver.stdout.take().expect("its output"));
        let port = output
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                line.split("successfully on port ")
                    .nth(1)
                    .map(|p| p.trim_end_matches('.').to_owned())
            })
            .expect("chromedriver names its port");
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities(setup))
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("a browser");
        Self { client, driver }
    }

    pub async fn end(mut self) {
        self.client.close().await.expect("the browser closes");
        self.driver.kill().expect("chromedriver ends");
        self.driver.wait().expect("chromedriver has ended");
    }
}

fn capabilities(setup: Setup) -> Map<String, Value> {
    let mut options = json!({
        "binary": program("CHROMIUM", "/usr/bin/chromium"),
        "args": ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--window-size=1280,900"],
    });
    if setup.without_scripts {
        options["prefs"] = json!({"profile.managed_default_content_settings.javascript": 2});
    }
    if setup.narrow {
        options["mobileEmulation"] = json!({"deviceMetrics": {"width": 360, "height": 740, "pixelRatio": 2.0}});
    }
    let mut all = Map::new();
    all.insert("goog:chromeOptions".to_owned(), options);
    all
}
