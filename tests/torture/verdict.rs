//! The verdict: what was answered stands once, nothing else does, the ledger has no gap, and the index tells the same.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use vitrine::kernel::clock::Clock;
use vitrine::kernel::db::{Db, Engine, Options, sql};

use super::load::{Load, pause};

/// The index has to be even with the database within this time, by itself.
const HEALED: Duration = Duration::from_secs(60);

/// What the index knows.
pub struct Index {
    pub ids: BTreeSet<String>,
    /// How long it took to be even with the database.
    pub after: Duration,
}

/// What stands in the database.
pub struct Sum {
    /// Records answered, each there once.
    pub notes: usize,
    /// Imported rows, each there once.
    pub parts: usize,
    /// States in the ledger, without a gap.
    pub versions: i64,
}

/// The ids that the index knows, once it says that it holds everything written.
pub async fn index(load: &Load, url: &str) -> Result<Index> {
    let http = Load::http();
    let began = Instant::now();
    let get = async |path: String| -> Result<Value> {
        let answer = load
            .request(&http, reqwest::Method::GET, &format!("{url}{path}"))
            .send()
            .await?;
        let status = answer.status();
        let body: Value = answer.json().await?;
        ensure!(status.is_success(), "{path} was answered {status}: {body}");
        Ok(body)
    };
    loop {
        let seen = get("/api/search?limit=1&wait=true".to_owned()).await;
        if seen.as_ref().is_ok_and(|s| s["behind"] != true) {
            break;
        }
        ensure!(
            began.elapsed() < HEALED,
            "the index is not even after {HEALED:?}: {seen:?}"
        );
        pause(Duration::from_millis(50)).await;
    }
    let after = began.elapsed();
    let mut ids = BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let page = get(format!("/api/search?limit=200&sort=created{cursor}")).await?;
        for item in page["items"].as_array().context("items")? {
            let id = item["id"].as_str().context("an id")?;
            ensure!(ids.insert(id.to_owned()), "the index has {id} twice");
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(Index { ids, after }),
        }
    }
}

/// Looks at the database itself.
pub async fn database(load: &Load, url: &str, index: BTreeSet<String>) -> Result<Sum> {
    let db = Db::open(url, std::path::Path::new("."), Clock::system(), Options::default()).await?;
    let rows: Vec<(String, String, i64, Option<String>)> = sql(
        "SELECT r.id, r.type, r.version, v.document FROM record r LEFT JOIN version v ON v.entity = r.id AND v.version = r.version \
         WHERE r.state = 'live'",
    )
    .all(&db)
    .await?;
    let mut notes = BTreeMap::new();
    let mut parts: BTreeMap<String, u64> = BTreeMap::new();
    for (id, kind, version, text) in &rows {
        let state: Value = serde_json::from_str(text.as_deref().context("a state")?)?;
        let document = &state["document"];
        if kind == "note" {
            let tag = document["tag"].as_str().context("a tag")?.to_owned();
            ensure!(
                document["state"] == *version,
                "{tag} says {} at version {version}",
                document["state"]
            );
            ensure!(
                notes.insert(tag.clone(), (id.clone(), *version)).is_none(),
                "{tag} is there twice"
            );
        } else {
            *parts
                .entry(document["number"].as_str().context("a number")?.to_owned())
                .or_default() += 1;
            ensure!(*version == 1, "the row {id} was written {version} times");
        }
    }
    ensure!(
        notes == *load.notes.lock().unwrap(),
        "what stands is not what was answered"
    );
    ensure!(
        parts.len() as u64 == load.rows(),
        "{} rows of {} are there",
        parts.len(),
        load.rows()
    );
    ensure!(parts.values().all(|n| *n == 1), "rows are doubled");

    let gaps: Vec<(String,)> =
        sql("SELECT entity FROM version GROUP BY entity HAVING MAX(version) <> COUNT(*) OR MIN(version) <> 1")
            .all(&db)
            .await?;
    ensure!(gaps.is_empty(), "the ledger has gaps: {gaps:?}");
    let torn: Vec<(String,)> = sql(
        "SELECT r.id FROM record r WHERE r.version <> (SELECT MAX(v.version) FROM version v WHERE v.entity = r.id)",
    )
    .all(&db)
    .await?;
    ensure!(torn.is_empty(), "heads and ledger differ: {torn:?}");
    let (versions,): (i64,) = sql("SELECT COUNT(*) FROM version").one(&db).await?;

    let there: BTreeSet<String> = rows.into_iter().map(|(id, ..)| id).collect();
    ensure!(
        there == index,
        "the index has {} records, the database {}",
        index.len(),
        there.len()
    );
    if db.engine() == Engine::Sqlite {
        let (answer,): (String,) = sql("PRAGMA integrity_check").one(&db).await?;
        ensure!(answer == "ok", "integrity_check: {answer}");
    }
    db.close().await;
    Ok(Sum {
        notes: notes.len(),
        parts: parts.len(),
        versions,
    })
}
