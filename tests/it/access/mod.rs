//! Who may do what, on the whole app over HTTP: accounts that are made up by their ids, roles given through the API.

mod elsewhere;
mod embargo;
mod enemy;
mod grants;
mod ledger;
mod makers;
mod matrix;
mod secrets;

use std::collections::HashMap;
use std::net::IpAddr;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{Request, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;
use vitrine::app::{App, Plan, Roles, Running};
use vitrine::kernel::access::{Credential, Directory, Identity, Person, Subject};
use vitrine::kernel::config::{Sources, load};
use vitrine::kernel::db::Tx;
use vitrine::kernel::error::Result;
use vitrine::kernel::http::{RouteFact, Web, local};
use vitrine::kernel::jobs::{Worker, WorkerOptions};
use vitrine::kernel::testing::TestDb;

/// Everybody of these tests, by the secret they show.
pub const PEOPLE: [&str; 9] = [
    "stranger",
    "viewer",
    "contributor",
    "editor",
    "curator",
    "administrator",
    "operator",
    "disabled",
    "root",
];

/// Knows people by their names: the secret `anna` is the account `anna`. `narrow` is `root` with a token for reading, `peeping`
/// with one for looking as somebody else, and `expired` nobody.
struct Made;

fn account(id: &str, scope: Option<&str>) -> Subject {
    Subject::Account {
        id: id.to_owned(),
        name: id.to_owned(),
        scope: scope.map(|s| vec![s.to_owned()]),
    }
}

#[async_trait]
impl Identity for Made {
    async fn identify(&self, credential: Credential<'_>, _peer: Option<IpAddr>) -> Result<Option<Subject>> {
        let (Credential::Bearer(secret) | Credential::Cookie(secret)) = credential;
        Ok(match secret {
            "narrow" => Some(account("root", Some("records.read"))),
            "peeping" => Some(account("root", Some("access.view-as"))),
            name if PEOPLE.contains(&name) => Some(account(name, None)),
            _ => None,
        })
    }
}

#[async_trait]
impl Directory for Made {
    async fn people(&self, ids: &[String]) -> Result<HashMap<String, Person>> {
        let known = ids.iter().filter(|id| PEOPLE.contains(&id.as_str()));
        let person = |id: &String| Person {
            id: id.clone(),
            name: format!("The {id}"),
            login: id.clone(),
            active: id != "disabled",
        };
        Ok(known.map(|id| (id.clone(), person(id))).collect())
    }
    async fn is_active_in(&self, _tx: &mut Tx<'_>, id: &str) -> Result<bool> {
        Ok(PEOPLE.contains(&id) && id != "disabled")
    }
    async fn find(&self, text: &str, limit: usize) -> Result<Vec<Person>> {
        let ids = PEOPLE.iter().filter(|id| id.starts_with(text)).take(limit);
        let ids: Vec<String> = ids.map(|id| (*id).to_owned()).collect();
        Ok(self.people(&ids).await?.into_values().collect())
    }
}

/// The app with two collections, `fungus` and `bird`.
pub struct House {
    pub running: Running,
    pub anyone: axum::Router,
    pub operator: axum::Router,
    /// Every route.
    pub table: Vec<RouteFact>,
    pub db: TestDb,
    /// Runs jobs when it is told to.
    worker: Worker,
}

pub struct Answer {
    pub status: u16,
    pub text: String,
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e} in {} {}", self.status, self.text))
    }
    #[track_caller]
    pub fn ok(self) -> Self {
        assert!((200..400).contains(&self.status), "{} {}", self.status, self.text);
        self
    }
}

pub async fn ask(router: &axum::Router, method: &str, path: &str, who: Option<&str>, body: Option<&Value>) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "localhost")
        .header(
            header::ACCEPT,
            if path.starts_with("/api") {
                "application/json"
            } else {
                "text/html"
            },
        );
    if let Some(who) = who {
        request = request.header(header::AUTHORIZATION, format!("Bearer {who}"));
    }
    let request = match body {
        Some(body) => request
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string())),
        None => request.body(Body::empty()),
    };
    let response = router.clone().oneshot(request.unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    Answer {
        status,
        text: String::from_utf8_lossy(&bytes).into_owned(),
    }
}

impl House {
    /// One process of the web on a database, with the people of these tests.
    async fn process(db: &TestDb, folder: &str) -> App {
        let sources = Sources::default()
            .flag("data.dir", db.folder().join(folder).display().to_string(), "--data")
            .flag("database.url", db.url(), "--database")
            .flag("http.bind", "127.0.0.1:0", "--bind");
        let plan = Plan {
            roles: Roles {
                web: true,
                ..Roles::default()
            },
            // Time passes when a test says so.
            clock: db.clock().clone(),
            ..Plan::default()
        };
        let app = App::build(load(&sources).unwrap().config, plan).await.unwrap();
        app.kernel.access.install_identity(Box::new(Made));
        app.kernel.access.install_directory(Box::new(Made));
        app
    }

    /// Another process of the same house.
    pub async fn beside(&self) -> (axum::Router, App) {
        let app = Self::process(&self.db, "beside").await;
        (app.web().unwrap().router, app)
    }

    pub async fn open(db: TestDb) -> Self {
        let app = Self::process(&db, "house").await;
        let Web {
            router: anyone, table, ..
        } = app.web().unwrap();
        let options = WorkerOptions::from_config(&app.kernel.config);
        let worker = Worker::new(&app.kernel.db, &app.kernel.process, app.handlers(), options).unwrap();
        let house = Self {
            table,
            worker,
            operator: local(anyone.clone()),
            anyone,
            running: app.start().await.unwrap(),
            db,
        };
        for name in ["fungus", "bird"] {
            let definition = json!({
                "name": name, "title": "title",
                "fields": [
                    {"name": "title", "kind": "text", "column": true},
                    {"name": "place", "kind": "term", "facet": true},
                    {"name": "keeper", "kind": "term", "facet": true, "level": "members"},
                    {"name": "donor", "kind": "term", "facet": true, "level": "restricted"}
                ]
            });
            house.operator("POST", "/api/types", Some(&definition)).await.ok();
        }
        for role in ["viewer", "contributor", "editor", "curator"] {
            house.give(role, role, "type:fungus").await;
        }
        house.give("administrator", "administrator", "house").await;
        house.give("operator", "operator", "house").await;
        house.give("root", "administrator", "house").await;
        house.give("disabled", "administrator", "house").await;
        house
    }

    pub async fn operator(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        ask(&self.operator, method, path, None, body).await
    }

    pub async fn send(&self, who: &str, method: &str, path: &str, body: Option<&Value>) -> Answer {
        ask(
            &self.anyone,
            method,
            path,
            Some(who).filter(|who| !who.is_empty()),
            body,
        )
        .await
    }

    pub async fn get(&self, who: &str, path: &str) -> Answer {
        self.send(who, "GET", path, None).await
    }

    /// Runs every job that is ready, and those they make.
    pub async fn drain_jobs(&self) {
        self.worker.drain().await.unwrap();
    }

    pub async fn give(&self, who: &str, role: &str, place: &str) {
        let grant = json!({"subject": format!("account:{who}"), "role": role, "place": place});
        self.operator("POST", "/api/grants", Some(&grant)).await.ok();
    }

    pub async fn take(&self, who: &str, role: &str, place: &str) {
        let path = format!("/api/grants?subject=account:{who}&role={role}&place={place}");
        self.operator("DELETE", &path, None).await.ok();
    }

    /// Makes a record and answers its id.
    pub async fn add(&self, type_name: &str, visibility: &str, document: Value) -> String {
        let body = json!({"type": type_name, "visibility": visibility, "document": document});
        let made = self.operator("POST", "/api/records", Some(&body)).await.ok().json();
        made["id"].as_str().unwrap().to_owned()
    }
}
