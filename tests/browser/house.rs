//! One house for all journeys: the app as `serve` runs it, on a free port, filled over its own API.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, mpsc};

use futures_util::StreamExt;
use serde_json::{Value, json};
use vitrine::app::{App, Plan, Roles};
use vitrine::contract::accounts::{Doors, NewToken};
use vitrine::kernel::access::Caller;
use vitrine::kernel::clock::Clock;
use vitrine::kernel::config::{Sources, load};
use vitrine::kernel::db::{Db, Write};
use vitrine::kernel::jobs::{NewJob, State, enqueue, watch};

use super::browser::Browser;
use super::provider::Provider;

/// The password of everybody in these journeys.
pub const PASSWORD: &str = "zebra-kettle-47-river";
/// A title that would do harm as markup.
pub const HOSTILE: &str = "</title><script>alert(1)</script><img src=x onerror=alert(2)>\"'&";

pub struct House {
    /// Where it answers, without a slash at the end.
    pub address: String,
    token: String,
    doors: std::sync::Arc<dyn Doors>,
    db: Db,
    /// A record with eight states.
    pub teapot: String,
    /// A record of hostile and endless texts.
    pub hostile: String,
    pub deleted: String,
}

/// The house of this run. It lives in a runtime of its own, as every test has another.
pub fn house() -> &'static House {
    static HOUSE: LazyLock<House> = LazyLock::new(|| {
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let folder = tempfile::tempdir().unwrap();
                let mut config = load(&Sources::default()).unwrap().config;
                config.data.dir = folder.path().join("data");
                config.http.bind = "127.0.0.1:0".to_owned();
                let museum = Provider::start(Clock::system()).await;
                config.accounts.providers.insert("museum".to_owned(), museum.settings());
                let plan = Plan {
                    roles: Roles::ALL,
                    ..Plan::default()
                };
                let running = App::build(config, plan).await.unwrap().start().await.unwrap();
                let address = format!("http://localhost:{}", running.address.unwrap().port());
                tell.send(House::fill(address, running.bus.port().unwrap(), running.kernel.db.clone()).await)
                    .unwrap();
                // The journeys end with the process.
                std::future::pending::<()>().await;
            });
        });
        told.recv().expect("the house starts")
    });
    &HOUSE
}

impl House {
    async fn fill(address: String, doors: std::sync::Arc<dyn Doors>, db: Db) -> Self {
        let new = NewToken {
            name: "journeys".to_owned(),
            scope: vec!["*".to_owned()],
            days: None,
        };
        let token = doors.create_token(&Caller::operator(), &new).await.unwrap().secret;
        let mut house = Self {
            address,
            token,
            doors,
            db,
            teapot: String::new(),
            hostile: String::new(),
            deleted: String::new(),
        };
        house.make_types().await;
        house.make_records().await;
        let found = house.ask("GET", "/api/search?wait=true&limit=1", &Value::Null).await;
        assert!(found["total"].as_u64().unwrap() > 20, "{found}");
        house
    }

    pub async fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.address);
        let mut request = reqwest::Client::new()
            .request(method.parse().unwrap(), url)
            .bearer_auth(&self.token);
        if let Some(version) = body["version"].as_i64() {
            request = request.header("If-Match", format!("\"{version}\""));
        }
        if body["body"].is_object() {
            request = request.json(&body["body"]);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    async fn make_types(&self) {
        let exhibit = json!({
            "name": "exhibit", "labels": {"en": "Exhibit"}, "title": "title", "visibility": "public",
            "fields": [
                {"name": "title", "kind": "text", "column": true},
                {"name": "material", "kind": "term", "facet": true, "column": true},
                {"name": "made", "kind": "date", "column": true},
                {"name": "story", "kind": "text"},
                {"name": "page", "kind": "url"},
                {"name": "maker", "kind": "group", "repeated": true, "fields": [
                    {"name": "name", "kind": "text", "column": true},
                    {"name": "nation", "kind": "term", "facet": true}
                ]}
            ]
        });
        let place = json!({
            "name": "place", "title": "name", "visibility": "public",
            "fields": [{"name": "name", "kind": "text"}]
        });
        for body in [exhibit, place] {
            self.ask("POST", "/api/types", &json!({"body": body})).await;
        }
    }

    async fn create(&self, type_name: &str, document: Value) -> String {
        let body = json!({"type": type_name, "document": document});
        let made = self.ask("POST", "/api/records", &json!({"body": body})).await;
        made["id"].as_str().unwrap().to_owned()
    }

    async fn make_records(&mut self) {
        for n in 1..=24 {
            let material = ["Silver", "Stoneware", "Glass"][n % 3];
            let document = json!({
                "title": format!("Teapot {n}"), "material": material, "made": format!("18{n:02}"),
                "maker": [{"name": "A. Smith", "nation": "English"}, {"name": "B. Jones"}],
            });
            let id = self.create("exhibit", document.clone()).await;
            if n == 3 {
                self.teapot = id;
            }
        }
        for version in 1..=7 {
            let document = json!({"title": "Teapot 3", "material": "Silver", "story": format!("Seen {version} times")});
            let body = json!({"document": document, "reason": "Seen again"});
            let path = format!("/api/records/{}", self.teapot);
            self.ask("PUT", &path, &json!({"version": version, "body": body})).await;
        }
        let makers: Vec<Value> = (0..30)
            .map(|n| json!({"name": format!("Maker {n}"), "nation": "w".repeat(80)}))
            .collect();
        let hostile = json!({
            "title": HOSTILE, "material": "w".repeat(300), "story": "A long story. ".repeat(400),
            "page": format!("https://example.org/{}", "a".repeat(300)), "maker": makers,
        });
        self.hostile = self.create("exhibit", hostile).await;
        self.create("place", json!({"name": "Vienna"})).await;
        self.deleted = self.create("place", json!({"name": "Nowhere"})).await;
        self.ask(
            "DELETE",
            &format!("/api/records/{}", self.deleted),
            &json!({"version": 1}),
        )
        .await;
    }

    /// A new link that makes an administrator.
    pub async fn setup_link(&self) -> String {
        self.doors.new_setup_link().await.unwrap()
    }

    /// Makes this browser that of a new administrator, who then stands on the start page.
    pub async fn go_in(&self, browser: &Browser) {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        browser.open(&self.setup_link().await).await;
        browser.fill("#name", "Ada Keeper").await;
        let login = format!("keeper-{}", "b".repeat(2 + NEXT.fetch_add(1, Ordering::Relaxed)));
        browser.fill("#login", &login).await;
        browser.fill("#password", PASSWORD).await;
        browser.click("main form button[type=submit]").await;
        browser.wait_for_text("h1", "records").await;
    }

    /// Imports a table into a type that is made from it, to the end.
    /// Answers the job.
    pub async fn import(&self, type_name: &str, table: &str) -> String {
        let url = format!(
            "{}/api/imports?type={type_name}&name={type_name}.csv&infer=true&key=number",
            self.address
        );
        let request = reqwest::Client::new()
            .post(url)
            .bearer_auth(&self.token)
            .body(table.to_owned());
        let begun: Value = request.send().await.unwrap().json().await.unwrap();
        let job = begun["job"].as_str().unwrap_or_else(|| panic!("{begun}"));
        loop {
            let view = self
                .ask("GET", &format!("/api/imports/{job}?wait=20000"), &Value::Null)
                .await;
            if view["state"] == "done" {
                return job.to_owned();
            }
        }
    }

    /// The change set of an import.
    pub async fn change_of(&self, job: &str) -> String {
        let job = self.ask("GET", &format!("/api/jobs/{job}"), &Value::Null).await;
        job["result"]["set_id"]
            .as_str()
            .unwrap_or_else(|| panic!("{job}"))
            .to_owned()
    }

    /// A job that waits for its time, an hour from now.
    pub async fn later_job(&self) -> String {
        let at = self.db.clock().now() + 3_600_000;
        let write = self.db.write(Write::interactive("journey"), |tx| {
            Box::pin(async move {
                let job = NewJob::new("operations.prune", json!({})).run_at(at);
                enqueue(tx, &Caller::operator(), job).await
            })
        });
        write.await.unwrap()
    }

    /// A job that cannot be done as things are, once it has failed.
    pub async fn dead_letter(&self, kind: &'static str, payload: Value) -> String {
        let payload = &payload;
        let write = self.db.write(Write::interactive("journey"), |tx| {
            Box::pin(async move {
                let job = NewJob::new(kind, payload.clone());
                enqueue(tx, &Caller::operator(), job).await
            })
        });
        let id = write.await.unwrap();
        let last = watch(&self.db, &id).fold(None, |_, job| async move { Some(job.unwrap()) });
        assert_eq!(last.await.unwrap().state, State::Failed);
        id
    }
}
