//! No-op jobs end to end: made, claimed, run and completed, while they are being made. On PostgreSQL with 1 and 2 worker
//! processes beside the least that could do it in the same server: batches claimed with SKIP LOCKED and completed. On
//! SQLite in one process. And how long it takes from asking for a job to its start.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Executor, PgConnection};
use tokio_util::sync::CancellationToken;
use vitrine::kernel::access::Caller;
use vitrine::kernel::clock::Clock;
use vitrine::kernel::db::{Db, Options, Signal, Step, Write, sql};
use vitrine::kernel::jobs::{self, JobContext, JobHandler, NewJob, Worker, WorkerOptions};

use super::postgres_search;
use super::report::{Report, percentile};

/// Jobs of one statement.
const BATCH: usize = 500;
/// Rows of one raw claim: what our workers claim at most.
const CLAIM: i64 = 100;
const STARTS: usize = 2_000;
const KIND: &str = "bench.nothing";

pub async fn measure(count: usize) -> Result<()> {
    let report = Report::new(&format!("{count} no-op jobs end to end"));
    if let Some(url) = postgres_search::database("jobs").await? {
        let db = open(&url, Path::new(".")).await?;
        for workers in [1, 2] {
            let raw = raw(&url, count, workers).await?;
            let ours = beside_processes(&db, &url, count, workers).await?;
            let figure = format!("PostgreSQL, {workers} worker processes");
            report.rate(&figure, ours, raw, "half of the raw limit");
        }
        let raw = commits(&mut PgConnection::connect(&url).await?).await?;
        starts(&db, &report, "PostgreSQL", &raw).await?;
        db.close().await;
        postgres_search::remove(&url).await?;
    }
    let folder = tempfile::tempdir()?;
    let db = open("sqlite:", folder.path()).await?;
    let rate = in_one_process(&db, count).await?;
    report.line("SQLite, one process", &format!("{rate:.0}/s"), "10,000 in 30 s");
    let bare = SqliteConnectOptions::new()
        .filename(folder.path().join("bare.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let raw = commits(&mut bare.connect().await?).await?;
    starts(&db, &report, "SQLite", &raw).await?;
    db.close().await;
    Ok(())
}

async fn open(url: &str, folder: &Path) -> Result<Db> {
    let db = Db::open(url, folder, Clock::system(), Options::default()).await?;
    db.migrate(Step::Latest).await?;
    Ok(db)
}

fn nothing() -> JobHandler {
    JobHandler::new(KIND, |_| async { Ok(Value::Null) })
}

/// A worker process of its own, until it is killed.
pub async fn work(arguments: &[String]) -> Result<()> {
    let url = arguments.first().context("an address")?;
    let db = Db::open(url, Path::new("."), Clock::system(), Options::default()).await?;
    let name = format!("bench-{}", std::process::id());
    let worker = Worker::new(&db, &name, vec![nothing()], WorkerOptions::default())?;
    worker.run(CancellationToken::new()).await;
    Ok(())
}

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn make(db: &Db, count: usize) -> Result<()> {
    for from in (0..count).step_by(BATCH) {
        let batch = BATCH.min(count - from);
        let write = db.write(Write::interactive("bench.make"), |tx| {
            Box::pin(async move {
                let new = (from..from + batch).map(|n| NewJob::new(KIND, json!(n))).collect();
                jobs::enqueue_many(tx, &Caller::system(), new).await
            })
        });
        write.await?;
    }
    Ok(())
}

/// Waits until nothing waits or runs.
async fn all_ended(db: &Db) -> Result<()> {
    let mut moved = db.signals().subscribe(Signal::Progress);
    loop {
        moved.borrow_and_update();
        let left: Option<(String,)> = sql("SELECT id FROM job WHERE state = 'waiting' LIMIT 1")
            .opt(db)
            .await?;
        let runs: Option<(String,)> = sql("SELECT id FROM job WHERE state = 'running' LIMIT 1")
            .opt(db)
            .await?;
        if left.is_none() && runs.is_none() {
            return Ok(());
        }
        // A lost wake-up is made good by the time limit.
        let _ = tokio::time::timeout(Duration::from_millis(20), moved.changed()).await;
    }
}

async fn timed(db: &Db, count: usize) -> Result<f64> {
    // The first ones warm everybody.
    make(db, 1_000).await?;
    all_ended(db).await?;
    let started = Instant::now();
    make(db, count).await?;
    all_ended(db).await?;
    Ok(count as f64 / started.elapsed().as_secs_f64())
}

async fn beside_processes(db: &Db, url: &str, count: usize, workers: usize) -> Result<f64> {
    let mut running = Vec::new();
    for _ in 0..workers {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["jobs-worker", url]).stdin(Stdio::null());
        running.push(Process(command.spawn().context("a worker starts")?));
    }
    timed(db, count).await
}

async fn in_one_process(db: &Db, count: usize) -> Result<f64> {
    let worker = Worker::new(db, "bench", vec![nothing()], WorkerOptions::default())?;
    let stop = CancellationToken::new();
    let running = tokio::spawn({
        let stop = stop.clone();
        async move { worker.run(stop).await }
    });
    let rate = timed(db, count).await?;
    stop.cancel();
    running.await?;
    Ok(rate)
}

/// The least a job that nothing can lose has to wait for: one row, durably committed. Sorted.
async fn commits<C: Connection>(connection: &mut C) -> Result<Vec<Duration>>
where
    for<'c> &'c mut C: Executor<'c, Database = C::Database>,
{
    let create = "CREATE TABLE IF NOT EXISTS raw_commit (id TEXT)";
    (&mut *connection).execute(create).await?;
    let mut all = Vec::new();
    for _ in 0..STARTS {
        let begun = Instant::now();
        (&mut *connection)
            .execute("INSERT INTO raw_commit (id) VALUES ('x')")
            .await?;
        all.push(begun.elapsed());
    }
    all.sort_unstable();
    Ok(all)
}

/// From asking for a job to the first line of its handler, one after another; beside bare commits of the same number.
async fn starts(db: &Db, report: &Report, name: &str, raw: &[Duration]) -> Result<()> {
    let asked = Arc::new(Mutex::new(Instant::now()));
    let (begun, mut times) = tokio::sync::mpsc::unbounded_channel();
    let handler = {
        let asked = asked.clone();
        JobHandler::new(KIND, move |_: JobContext| {
            let took = asked.lock().map(|at| at.elapsed()).unwrap_or_default();
            // The other end goes with the measurement.
            let _ = begun.send(took);
            async { Ok(Value::Null) }
        })
    };
    let worker = Worker::new(db, "starts", vec![handler], WorkerOptions::default())?;
    let stop = CancellationToken::new();
    let running = tokio::spawn({
        let stop = stop.clone();
        async move { worker.run(stop).await }
    });
    let mut all = Vec::new();
    for _ in 0..STARTS {
        *asked.lock().map_err(|e| anyhow!("{e}"))? = Instant::now();
        make(db, 1).await?;
        all.push(times.recv().await.context("a start")?);
    }
    stop.cancel();
    running.await?;
    all.sort_unstable();
    let figure = format!("{name}: from asking to the start");
    for (share, text, goal) in [(0.5, "p50", ""), (0.99, "p99", "under 2 ms")] {
        let (ours, least) = (percentile(&all, share), percentile(raw, share));
        report.latency(&format!("{figure}, {text}; raw: one bare commit"), ours, least, goal);
    }
    Ok(())
}

/// The least that could do it: one narrow table, rows inserted in batches, claimed in batches with SKIP LOCKED by so many
/// connections, completed in batches.
async fn raw(url: &str, count: usize, workers: usize) -> Result<f64> {
    let mut connection = PgConnection::connect(url).await?;
    for text in [
        "DROP TABLE IF EXISTS raw_job",
        "CREATE TABLE raw_job (id TEXT PRIMARY KEY, queue TEXT NOT NULL, payload TEXT NOT NULL, state TEXT NOT NULL, \
         priority BIGINT NOT NULL, run_at BIGINT NOT NULL)",
        "CREATE INDEX raw_ready ON raw_job (queue, priority DESC, run_at, id) WHERE state = 'waiting'",
    ] {
        sqlx::query(text).execute(&mut connection).await?;
    }
    let started = Instant::now();
    let mut tasks = Vec::new();
    let done = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    for _ in 0..workers {
        tasks.push(tokio::spawn(raw_worker(url.to_owned(), done.clone(), count)));
    }
    for from in (0..count).step_by(BATCH) {
        let ids: Vec<String> = (from..(from + BATCH).min(count)).map(|n| format!("{n:020}")).collect();
        sqlx::query("INSERT INTO raw_job SELECT id, 'default', '1', 'waiting', 0, 0 FROM UNNEST($1::TEXT[]) AS t(id)")
            .bind(&ids)
            .execute(&mut connection)
            .await?;
    }
    for task in tasks {
        task.await??;
    }
    Ok(count as f64 / started.elapsed().as_secs_f64())
}

async fn raw_worker(url: String, done: Arc<std::sync::atomic::AtomicUsize>, count: usize) -> Result<()> {
    use std::sync::atomic::Ordering;
    let mut connection = PgConnection::connect(&url).await?;
    while done.load(Ordering::Relaxed) < count {
        let claimed: Vec<(String, String)> = sqlx::query_as(
            "UPDATE raw_job SET state = 'running' WHERE id IN (SELECT id FROM raw_job WHERE state = 'waiting' AND queue = 'default' \
             AND run_at <= 1 ORDER BY priority DESC, run_at, id LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING id, payload",
        )
        .bind(CLAIM)
        .fetch_all(&mut connection)
        .await?;
        if claimed.is_empty() {
            tokio::task::yield_now().await;
            continue;
        }
        let ids: Vec<String> = claimed.into_iter().map(|(id, _)| id).collect();
        sqlx::query("UPDATE raw_job SET state = 'done' WHERE id = ANY($1)")
            .bind(&ids)
            .execute(&mut connection)
            .await?;
        done.fetch_add(ids.len(), Ordering::Relaxed);
    }
    Ok(())
}
