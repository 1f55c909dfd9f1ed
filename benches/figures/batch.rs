//! Many records changed as one: so many found and looked at, changed by a batch, and that taken back; beside a bare
//! writer of the same documents and their versions, as many to a transaction.

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tokio::time::interval;

use super::house::House;
use super::report::Report;
use super::{import, postgres_search, server};

const GOAL: &str = "under 5 s";
/// Rows of one bare transaction.
const CHUNK: usize = 500;

pub async fn measure(count: usize) -> Result<()> {
    let report = Report::new(&format!("{count} records changed as one, and back"));
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("finds.csv");
    write(&file, count)?;
    engine(&report, "SQLite", &folder.path().join("sqlite"), None, (&file, count)).await?;
    if let Some(url) = postgres_search::database("batch").await? {
        let house = folder.path().join("postgres");
        engine(&report, "PostgreSQL", &house, Some(&url), (&file, count)).await?;
        postgres_search::remove(&url).await?;
    }
    Ok(())
}

fn write(file: &Path, count: usize) -> Result<()> {
    let mut out = std::io::BufWriter::new(std::fs::File::create(file)?);
    writeln!(out, "number,title,collector,found,remarks")?;
    for n in 0..count {
        writeln!(
            out,
            "F{n:06},Find number {n},J. Smith,Square {} of the field,Some words that a person wrote about find {n}",
            n % 97
        )?;
    }
    Ok(out.flush()?)
}

impl House {
    /// Waits for the end of a job; its result.
    async fn ended(&self, begun: &Value) -> Result<Value> {
        let id = begun["job"].as_str().with_context(|| format!("no job in {begun}"))?;
        let mut again = interval(Duration::from_millis(5));
        loop {
            again.tick().await;
            let (_, job) = self.json(&format!("/api/jobs/{id}")).await?;
            match job["state"].as_str() {
                Some("done") => return Ok(job["result"].clone()),
                Some("failed" | "cancelled") => anyhow::bail!("the job ended badly: {job}"),
                _ => {}
            }
        }
    }
}

async fn engine(
    report: &Report,
    name: &str,
    folder: &Path,
    database: Option<&str>,
    (file, count): (&Path, usize),
) -> Result<()> {
    if database.is_some() {
        server::finish(server::app(folder, database).args(["migrate", "latest"]))?;
    }
    let house = House::open(folder, database).await?;
    let definition = json!({ "name": "find", "title": "title", "key": "number", "visibility": "public", "fields": [
        { "name": "number", "kind": "identifier", "unique": true },
        { "name": "title", "kind": "text" },
        { "name": "collector", "kind": "term", "facet": true },
        { "name": "found", "kind": "text", "column": true },
        { "name": "remarks", "kind": "text" },
    ] });
    house.post("/api/types", &definition).await?;
    server::finish(
        server::app(folder, database)
            .arg("import")
            .arg(file)
            .args(["--type", "find"]),
    )?;
    let of_smith = "/api/search?type=find&filter=collector:J.%20Smith&wait=true&limit=1";
    let (_, found) = house.json(of_smith).await?;
    anyhow::ensure!(found["total"] == json!(count), "{found}");

    let select = json!({ "type": "find", "filter": ["collector:J. Smith"] });
    let action = json!({ "do": "set", "field": "collector", "value": "Jane Smith" });
    let started = Instant::now();
    let batch = house
        .post("/api/batches", &json!({ "select": select, "action": action }))
        .await?;
    let looked = started.elapsed();
    anyhow::ensure!(batch["total"] == json!(count), "{batch}");
    let id = batch["id"].as_str().context("an id")?;
    let started = Instant::now();
    let begun = house
        .post(&format!("/api/batches/{id}/run"), &json!({ "reason": "Her letters" }))
        .await?;
    let result = house.ended(&begun).await?;
    let changed = started.elapsed();
    anyhow::ensure!(result["changed"] == json!(count), "{result}");
    let set = result["change"].as_str().context("a change")?;
    let started = Instant::now();
    let begun = house.post(&format!("/api/changes/{set}/undo"), &json!({})).await?;
    let undone = house.ended(&begun).await?;
    let back = started.elapsed();
    anyhow::ensure!(undone["reverted"] == json!(count), "{undone}");
    let (_, found) = house.json(of_smith).await?;
    anyhow::ensure!(found["total"] == json!(count), "{found}");
    drop(house);

    let bare = match database {
        Some(url) => url.to_owned(),
        None => format!("sqlite:{}", folder.with_extension("bare.db").display()),
    };
    let raw = raw(&bare, count).await?;
    let seconds = |time: Duration| format!("{:.2} s", time.as_secs_f64());
    report.line(
        &format!("{name}: choose {count} and see what would change"),
        &seconds(looked),
        "",
    );
    report.seconds(
        &format!("{name}: change them, to the end of the job"),
        changed,
        raw,
        GOAL,
    );
    report.seconds(&format!("{name}: take it back, to the end of the job"), back, raw, GOAL);
    Ok(())
}

/// As many documents written anew and kept as a version each.
async fn raw(url: &str, count: usize) -> Result<Duration> {
    const HEADS: &str = "CREATE TABLE bare_head (id TEXT PRIMARY KEY, version BIGINT NOT NULL)";
    const VERSIONS: &str = "CREATE TABLE bare_version (id TEXT NOT NULL, version BIGINT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (id, version))";
    const HEAD: &str = "INSERT INTO bare_head (id, version) VALUES ($1, 1)";
    const MOVE: &str = "UPDATE bare_head SET version = 2 WHERE id = $1";
    const KEEP: &str = "INSERT INTO bare_version (id, version, document) VALUES ($1, 2, $2)";
    let document = |n: usize| {
        json!({ "number": format!("F{n:06}"), "title": format!("Find number {n}"), "collector": "Jane Smith",
            "found": format!("Square {} of the field", n % 97), "remarks": format!("Some words that a person wrote about find {n}") })
        .to_string()
    };
    macro_rules! run {
        ($connection:expr) => {{
            let mut connection = $connection;
            sqlx::query(HEADS).execute(&mut connection).await?;
            sqlx::query(VERSIONS).execute(&mut connection).await?;
            let mut tx = connection.begin().await?;
            for n in 0..count {
                sqlx::query(HEAD).bind(n.to_string()).execute(&mut *tx).await?;
            }
            tx.commit().await?;
            let started = Instant::now();
            for first in (0..count).step_by(CHUNK) {
                let mut tx = connection.begin().await?;
                for n in first..(first + CHUNK).min(count) {
                    sqlx::query(MOVE).bind(n.to_string()).execute(&mut *tx).await?;
                    sqlx::query(KEEP)
                        .bind(n.to_string())
                        .bind(document(n))
                        .execute(&mut *tx)
                        .await?;
                }
                tx.commit().await?;
            }
            let took = started.elapsed();
            connection.close().await?;
            took
        }};
    }
    Ok(if url.starts_with("postgres") {
        run!(PgConnection::connect(url).await?)
    } else {
        run!(import::bare_sqlite(Path::new(url.trim_start_matches("sqlite:"))).await?)
    })
}
