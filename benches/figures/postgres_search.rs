//! PostgreSQL full text doing the same: hits, the first 25 by rank and five facet counts in one statement each.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::Result;
use serde_json::{Map, Value};
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Postgres, QueryBuilder};

use super::load::Outcome;

/// The server that may be used, if one is named.
#[expect(clippy::disallowed_methods, reason = "benches have no configuration")]
pub fn server() -> Option<String> {
    std::env::var("TEST_POSTGRES_URL").ok()
}

/// A new database on the server; its address.
pub async fn database(name: &str) -> Result<Option<String>> {
    let Some(server) = server() else { return Ok(None) };
    let name = format!("vitrine_bench_{name}_{}", std::process::id());
    let mut connection = PgConnection::connect(&server).await?;
    sqlx::raw_sql(AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")))
        .execute(&mut connection)
        .await?;
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&mut connection)
        .await?;
    Ok(server.rsplit_once('/').map(|(base, _)| format!("{base}/{name}")))
}

/// Removes what [`database`] made.
pub async fn remove(url: &str) -> Result<()> {
    let (Some(server), Some((_, name))) = (server(), url.rsplit_once('/')) else {
        return Ok(());
    };
    let mut connection = PgConnection::connect(&server).await?;
    sqlx::raw_sql(AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")))
        .execute(&mut connection)
        .await?;
    Ok(())
}

fn creator<'o>(object: &'o Map<String, Value>, key: &str) -> Option<&'o str> {
    object.get("creator")?.as_array()?.first()?.get(key)?.as_str()
}

/// Fills a table with the objects' words and the five facet columns.
pub async fn fill(url: &str, objects: &[Map<String, Value>]) -> Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::raw_sql(
        "CREATE TABLE object (id TEXT PRIMARY KEY, words tsvector, classification TEXT, department TEXT, \
         location TEXT, nationality TEXT, party TEXT)",
    )
    .execute(&mut connection)
    .await?;
    for batch in objects.chunks(2_000) {
        let mut insert = QueryBuilder::<Postgres>::new(
            "INSERT INTO object (id, words, classification, department, location, nationality, party) ",
        );
        insert.push_values(batch, |mut row, object| {
            let text = |key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
            let words = Value::Object(object.clone())
                .to_string()
                .replace(['"', ':', '{', '}', '[', ']'], " ");
            row.push_bind(text("id"));
            row.push("to_tsvector('simple', ")
                .push_bind_unseparated(words)
                .push_unseparated(")");
            row.push_bind(text("classification"))
                .push_bind(text("department"))
                .push_bind(text("physical_location"));
            row.push_bind(creator(object, "nationality").map(str::to_owned));
            row.push_bind(creator(object, "party_type").map(str::to_owned));
        });
        insert.build().execute(&mut connection).await?;
    }
    sqlx::raw_sql("CREATE INDEX object_words ON object USING GIN (words)")
        .execute(&mut connection)
        .await?;
    sqlx::raw_sql("VACUUM ANALYZE object").execute(&mut connection).await?;
    Ok(())
}

const COUNTS: &str = "WITH hit AS MATERIALIZED (SELECT classification, department, location, nationality, party FROM object \
    WHERE $1 = '' OR words @@ plainto_tsquery('simple', $1)) \
    SELECT classification, department, location, nationality, party, COUNT(*) FROM hit \
    GROUP BY GROUPING SETS ((), (classification), (department), (location), (nationality), (party))";
const FIRST: &str = "SELECT id FROM object WHERE $1 = '' OR words @@ plainto_tsquery('simple', $1) \
    ORDER BY ts_rank(words, plainto_tsquery('simple', $1)) DESC LIMIT 25";

type Group = (
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    i64,
);

async fn ask(pool: &PgPool, words: &str) -> Result<()> {
    let words = words.replace('+', " ");
    sqlx::query_as::<_, Group>(COUNTS).bind(&words).fetch_all(pool).await?;
    sqlx::query_as::<_, (String,)>(FIRST)
        .bind(&words)
        .fetch_all(pool)
        .await?;
    Ok(())
}

/// Asks every query once, by `clients` at the same time.
pub async fn run(url: &str, clients: usize, mix: &Arc<Vec<String>>) -> Result<Outcome> {
    let pool = PgPoolOptions::new()
        .max_connections(u32::try_from(clients)?)
        .connect(url)
        .await?;
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..clients {
        let (pool, mix, next) = (pool.clone(), mix.clone(), next.clone());
        tasks.push(tokio::spawn(async move {
            let mut times = Vec::new();
            while let Some(words) = mix.get(next.fetch_add(1, Ordering::Relaxed)) {
                let one = Instant::now();
                ask(&pool, words).await?;
                times.push(one.elapsed());
            }
            anyhow::Ok(times)
        }));
    }
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await??);
    }
    let took = started.elapsed();
    times.sort_unstable();
    Ok(Outcome { took, times })
}
