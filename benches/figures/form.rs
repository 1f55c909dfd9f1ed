//! The form of a type with sixty fields over HTTP: opening it empty and filled, saving it; beside the bare limits: one row by
//! a bare handler, and one durable commit of the same document.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use reqwest::Client;
use serde_json::{Map, Value, json};
use sqlx::{Connection, PgConnection};

use super::house::House;
use super::report::{Report, ms, percentile};
use super::server::{self, Server};
use super::{import, postgres_search};

/// Fields of each kind; six kinds make sixty.
const OF_EACH: usize = 10;
/// Records of the type, and people that its links lead to.
const RECORDS: usize = 2_000;
const PEOPLE: usize = 10;
const ROUNDS: usize = 300;
const OPENS: &str = "p95 under 100 ms";
const SAVES: &str = "p95 under 50 ms";

pub async fn measure() -> Result<()> {
    let report = Report::new("The form of a type with 60 fields");
    let folder = tempfile::tempdir()?;
    engine(&report, "SQLite", &folder.path().join("sqlite"), None).await?;
    if let Some(url) = postgres_search::database("form").await? {
        engine(&report, "PostgreSQL", &folder.path().join("postgres"), Some(&url)).await?;
        postgres_search::remove(&url).await?;
    }
    Ok(())
}

impl House {
    async fn save(&self, path: &str, pairs: &[(String, String)]) -> Result<Duration> {
        let request = self.http.post(self.url(path)).bearer_auth(&self.token);
        let request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "text/html")
            .body(serde_html_form::to_string(pairs)?);
        let started = Instant::now();
        let answer = request.send().await?;
        let status = answer.status();
        let body = answer.text().await?;
        let took = started.elapsed();
        anyhow::ensure!(status.as_u16() == 303, "{path} answered {status}: {body}");
        Ok(took)
    }
}

fn definition() -> Value {
    let mut fields = vec![json!({ "name": "title", "kind": "text", "column": true })];
    for n in 0..OF_EACH {
        fields.push(json!({ "name": format!("text_{n}"), "kind": "text" }));
        fields.push(json!({ "name": format!("term_{n}"), "kind": "term", "facet": n < 5 }));
        fields.push(json!({ "name": format!("date_{n}"), "kind": "date" }));
        fields.push(json!({ "name": format!("number_{n}"), "kind": "number", "unit": "mm" }));
        fields.push(json!({ "name": format!("code_{n}"), "kind": "identifier", "unique": n == 0 }));
        fields.push(json!({ "name": format!("link_{n}"), "kind": "link", "target": "person" }));
    }
    fields.truncate(OF_EACH * 6);
    json!({ "name": "sheet", "title": "title", "visibility": "public", "fields": fields })
}

fn document(n: usize, people: &[String]) -> Map<String, Value> {
    let mut document = Map::new();
    document.insert("title".to_owned(), json!(format!("Sheet number {n}")));
    for at in 0..OF_EACH {
        let mut put = |name: &str, value: Value| document.insert(format!("{name}_{at}"), value);
        put(
            "text",
            json!(format!("Some words that a person writes, {n} of field {at}")),
        );
        put("term", json!(format!("term {}", (n + at) % 20)));
        put("date", json!(format!("19{:02}-0{}-1{at}", n % 90 + 10, at % 9 + 1)));
        put("number", json!(n * 10 + at));
        put("code", json!(format!("C{at}-{n:06}")));
        put("link", json!(people[(n + at) % people.len()]));
    }
    // The last of the sixty-one is no field.
    document.remove(&format!("link_{}", OF_EACH - 1));
    document
}

/// What a browser would send.
fn pairs(document: &Map<String, Value>, version: usize, round: usize) -> Vec<(String, String)> {
    let mut pairs = vec![("version".to_owned(), version.to_string())];
    for (name, value) in document {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let text = if name == "text_1" {
            format!("{text}, looked at {round} times")
        } else {
            text
        };
        pairs.push((format!("doc/{name}"), text));
    }
    pairs.extend([
        ("do".to_owned(), "save".to_owned()),
        ("whole".to_owned(), "1".to_owned()),
    ]);
    pairs
}

async fn engine(report: &Report, name: &str, folder: &Path, database: Option<&str>) -> Result<()> {
    if database.is_some() {
        server::finish(server::app(folder, database).args(["migrate", "latest"]))?;
    }
    let house = House::open(folder, database).await?;
    let person = json!({ "name": "person", "title": "name", "visibility": "public", "fields": [{ "name": "name", "kind": "text" }] });
    for body in [person, definition()] {
        house.post("/api/types", &body).await?;
    }
    let mut people = Vec::new();
    for n in 0..PEOPLE {
        let body = json!({ "type": "person", "document": { "name": format!("Person {n}") } });
        let made = house.post("/api/records", &body).await?;
        people.push(made["id"].as_str().context("an id")?.to_owned());
    }
    let mut last = String::new();
    for n in 0..RECORDS {
        let body = json!({ "type": "sheet", "document": document(n, &people) });
        let made = house.post("/api/records", &body).await?;
        made["id"].as_str().context("an id")?.clone_into(&mut last);
    }
    let document = document(RECORDS - 1, &people);
    let text = serde_json::to_string(&document)?;
    let bare = match database {
        Some(url) => url.to_owned(),
        None => format!("sqlite:{}?mode=rwc", folder.with_extension("bare.db").display()),
    };
    let (read, commit) = raw(&bare, &text).await?;

    let edit = format!("/records/{last}/edit");
    for (what, path) in [
        ("open an empty form", "/types/sheet/new"),
        ("open a filled form", edit.as_str()),
    ] {
        let mut times = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            let (took, body) = house.page(path).await?;
            let shown = body.matches("name=\"doc/").count();
            anyhow::ensure!(shown >= OF_EACH * 6, "{path} shows {shown} fields");
            times.push(took);
        }
        lines(report, &format!("{name}: {what}"), times, &read, OPENS);
    }
    let mut times = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS {
        times.push(house.save(&edit, &pairs(&document, round + 1, round)).await?);
    }
    lines(report, &format!("{name}: save it"), times, &commit, SAVES);
    Ok(())
}

fn lines(report: &Report, what: &str, mut times: Vec<Duration>, raw: &[Duration], goal: &str) {
    times.sort_unstable();
    let bare = percentile(raw, 0.5);
    report.latency(&format!("{what}: p50"), percentile(&times, 0.5), bare, "");
    report.line(&format!("{what}: p95"), &ms(percentile(&times, 0.95)), goal);
}

/// Sorted times of one row by a bare handler, and of one durable commit of the document.
async fn raw(url: &str, document: &str) -> Result<(Vec<Duration>, Vec<Duration>)> {
    const TABLE: &str = "CREATE TABLE bare (id TEXT PRIMARY KEY, document TEXT NOT NULL)";
    const INSERT: &str = "INSERT INTO bare (id, document) VALUES ('one', $1)";
    const UPDATE: &str = "UPDATE bare SET document = $1 WHERE id = 'one'";
    let mut commits = Vec::with_capacity(ROUNDS);
    if url.starts_with("postgres") {
        let mut connection = PgConnection::connect(url).await?;
        sqlx::query(TABLE).execute(&mut connection).await?;
        sqlx::query(INSERT).bind(document).execute(&mut connection).await?;
        for _ in 0..ROUNDS {
            let started = Instant::now();
            sqlx::query(UPDATE).bind(document).execute(&mut connection).await?;
            commits.push(started.elapsed());
        }
        connection.close().await?;
    } else {
        let path = url.trim_start_matches("sqlite:").split('?').next().context("a path")?;
        let mut connection = import::bare_sqlite(Path::new(path)).await?;
        sqlx::query(TABLE).execute(&mut connection).await?;
        sqlx::query(INSERT).bind(document).execute(&mut connection).await?;
        for _ in 0..ROUNDS {
            let started = Instant::now();
            sqlx::query(UPDATE).bind(document).execute(&mut connection).await?;
            commits.push(started.elapsed());
        }
        connection.close().await?;
    }
    let bare = Server::bare(&["bare-record", url]).await?;
    let http = Client::new();
    let address = format!("{}/records/one", bare.address);
    let mut reads = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let started = Instant::now();
        http.get(&address).send().await?.error_for_status()?.bytes().await?;
        reads.push(started.elapsed());
    }
    reads.sort_unstable();
    commits.sort_unstable();
    Ok((reads, commits))
}
