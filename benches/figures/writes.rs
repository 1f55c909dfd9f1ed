//! Durable single writes of 64 clients on SQLite: by API and by the database's own write path, against one commit each.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use sqlx::Connection;
use vitrine::kernel::clock::Clock;
use vitrine::kernel::db::{Db, Options, Step, Write, sql};

use super::load::{self, Ask};
use super::report::{Report, ms, percentile};
use super::server::Server;
use super::{api, import};

const CLIENTS: usize = 64;
const WRITES: usize = 30_000;

pub async fn measure() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let report = Report::new("Durable single writes, SQLite");

    let raw = one_commit_each(&folder.path().join("bare.db")).await?;
    let (direct, times) = write_path(folder.path()).await?;
    report.rate(
        "write path, 64 clients, against one commit each",
        direct,
        raw,
        "at least 3,000/s",
    );
    report.line("write path: p99", &ms(percentile(&times, 0.99)), "under 60 ms");

    let house = folder.path().join("house");
    let app = Server::app(&house, None).await?;
    let token = api::token(&house, None)?;
    load::run(1, Arc::new(vec![api::note_type(&app.address)]), Some(&token)).await?;
    let asks: Arc<Vec<Ask>> = Arc::new((0..WRITES).map(|n| api::create(&app.address, n)).collect());
    let ours = load::run(CLIENTS, asks, Some(&token)).await?;
    report.rate(
        "new records by API, 64 clients, against one commit each",
        ours.per_second(),
        raw,
        "at least 3,000/s",
    );
    report.line("by API: p50", &ms(percentile(&ours.times, 0.5)), "");
    report.line("by API: p99", &ms(percentile(&ours.times, 0.99)), "under 60 ms");
    Ok(())
}

/// Commits a second of one writer that waits for the disk each time.
async fn one_commit_each(path: &std::path::Path) -> Result<f64> {
    let mut connection = import::bare_sqlite(path).await?;
    sqlx::query("CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
        .execute(&mut connection)
        .await?;
    let started = Instant::now();
    let mut count = 0;
    while started.elapsed() < Duration::from_secs(3) {
        let mut tx = connection.begin().await?;
        sqlx::query("INSERT INTO fact (name, value) VALUES ($1, $2)")
            .bind(count.to_string())
            .bind("x")
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        count += 1;
    }
    Ok(f64::from(count) / started.elapsed().as_secs_f64())
}

async fn write_path(folder: &std::path::Path) -> Result<(f64, Vec<Duration>)> {
    let plain = |e: vitrine::kernel::error::Error| anyhow!("{e}");
    let db = Db::open("sqlite:", folder, Clock::system(), Options::default())
        .await
        .map_err(plain)?;
    db.migrate(Step::Latest).await.map_err(plain)?;
    let started = Instant::now();
    let mut tasks = Vec::new();
    for client in 0..CLIENTS {
        let db = db.clone();
        tasks.push(tokio::spawn(async move {
            let mut times = Vec::new();
            for n in 0..WRITES / CLIENTS {
                let name = format!("{client}/{n}");
                let name = &name;
                let one = Instant::now();
                db.write(Write::interactive("bench"), |tx| {
                    Box::pin(async move {
                        sql("INSERT INTO fact (name, value) VALUES ($1, $2)")
                            .bind(name)
                            .bind("x")
                            .exec(tx)
                            .await
                    })
                })
                .await
                .map_err(|e| anyhow!("{e}"))?;
                times.push(one.elapsed());
            }
            anyhow::Ok(times)
        }));
    }
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await??);
    }
    let rate = times.len() as f64 / started.elapsed().as_secs_f64();
    times.sort_unstable();
    db.close().await;
    Ok((rate, times))
}
