//! R1: `kill -9` while jobs are made and run. A process of its own makes them, tells which are committed, and runs them;
//! what it told stands in a ledger here. At the end nothing is lost, effects written in a job's own transaction are there
//! once, others again only where a try was cut off.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use vitrine::kernel::access::Caller;
use vitrine::kernel::clock::Clock;
use vitrine::kernel::db::{Db, Options, Signal, Write, sql};
use vitrine::kernel::jobs::{self, JobContext, JobHandler, NewJob, Worker, WorkerOptions};
use vitrine::kernel::testing::Dice;

use super::figure;
use super::load::pause;

/// Jobs of one life of the process: some lives are too short for all of them, and 200 make more than 100,000.
const JOBS: usize = 520;
/// Of one commit.
const BATCH: usize = 10;
/// The effect commits with the job, or before it.
const ONCE: &str = "torture.once";
const LOOSE: &str = "torture.loose";

async fn open(url: &str) -> Result<Db> {
    Ok(Db::open(url, Path::new("."), Clock::system(), Options::default()).await?)
}

fn handler(db: &Db, kind: &'static str) -> JobHandler {
    let db = db.clone();
    JobHandler::new(kind, move |context: JobContext| {
        let db = db.clone();
        async move {
            let tag: String = context.payload()?;
            let (tag, job) = (&tag, &context);
            db.write(Write::interactive("torture.effect"), |tx| {
                Box::pin(async move {
                    sql("INSERT INTO effect (tag, kind, attempt) VALUES ($1, $2, $3)")
                        .bind(tag)
                        .bind(kind)
                        .bind(job.attempt)
                        .exec(&mut *tx)
                        .await?;
                    if kind == ONCE {
                        job.finish_with(tx, &Value::Null).await?;
                    }
                    Ok(())
                })
            })
            .await?;
            Ok(Value::Null)
        }
    })
}

/// The process: makes jobs, tells which are committed, runs them and all that are left of earlier ones, until it is killed
/// or, without jobs of its own, until nothing is left.
pub async fn house(arguments: &[String]) -> Result<()> {
    let [url, life, count, lease] = arguments else {
        anyhow::bail!("an address, a number, how many, a lease")
    };
    let count: usize = count.parse()?;
    let db = open(url).await?;
    let options = WorkerOptions {
        lease_ms: lease.parse()?,
        ..WorkerOptions::default()
    };
    let handlers = vec![handler(&db, ONCE), handler(&db, LOOSE)];
    let worker = Worker::new(&db, &format!("torture-{life}"), handlers, options)?;
    let stop = CancellationToken::new();
    let running = tokio::spawn({
        let stop = stop.clone();
        async move { worker.run(stop).await }
    });
    let mut out = std::io::stdout().lock();
    for from in (0..count).step_by(BATCH) {
        let tags: Vec<String> = (from..from + BATCH).map(|n| format!("{life}-{n}")).collect();
        make(&db, &tags).await?;
        writeln!(out, "{}", tags.join(" "))?;
        out.flush()?;
    }
    let mut moved = db.signals().subscribe(Signal::Progress);
    while count > 0 || !jobs::counts(&db).await?.is_empty() {
        // A lost wake-up is made good by the time limit.
        let _ = tokio::time::timeout(Duration::from_millis(100), moved.changed()).await;
    }
    stop.cancel();
    running.await?;
    db.close().await;
    Ok(())
}

async fn make(db: &Db, tags: &[String]) -> Result<()> {
    let write = db.write(Write::interactive("torture.make"), |tx| {
        Box::pin(async move {
            let of = |(n, tag): (usize, &String)| {
                let job = NewJob::new(if n % 2 == 0 { ONCE } else { LOOSE }, json!(tag));
                // Some are about one subject.
                if n % 5 == 0 { job.ordering_key("torture") } else { job }
            };
            let new = tags.iter().enumerate().map(of).collect();
            jobs::enqueue_many(tx, &Caller::system(), new).await
        })
    });
    write.await?;
    Ok(())
}

struct House(Child);

impl Drop for House {
    fn drop(&mut self) {
        // Ended already by itself, which is as well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(url: &str, life: u64, jobs: usize, lease: u64, told: &Arc<Mutex<BTreeSet<String>>>) -> Result<House> {
    let mut command = Command::new(std::env::current_exe()?);
    let (life, jobs, lease) = (life.to_string(), jobs.to_string(), lease.to_string());
    command.args(["jobs-house", url, &life, &jobs, &lease]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let lines = BufReader::new(child.stdout.take().context("its standard output")?).lines();
    let told = told.clone();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            told.lock().unwrap().extend(line.split(' ').map(str::to_owned));
        }
    });
    Ok(House(child))
}

/// See the module's text.
pub async fn torture(engine: &str, cycles: u64) -> Result<()> {
    let db = super::database(engine).await;
    let url = db.url().to_owned();
    let made = db.write(Write::interactive("torture"), |tx| {
        Box::pin(async move {
            sql("CREATE TABLE effect (tag TEXT NOT NULL, kind TEXT NOT NULL, attempt BIGINT NOT NULL)")
                .exec(tx)
                .await
        })
    });
    made.await?;
    db.close().await;
    // The few cycles of the suite need not wait for leases as long as a house does.
    let (lease, longest) = if cycles < 20 { (2_000, 600) } else { (20_000, 3_000) };
    let told = Arc::new(Mutex::new(BTreeSet::new()));
    let mut dice = Dice::new(cycles + 1);
    for life in 0..cycles {
        let house = start(&url, life, JOBS, lease, &told)?;
        pause(Duration::from_millis(50 + dice.below(longest))).await;
        drop(house);
    }
    let began = Instant::now();
    let mut last = start(&url, cycles, 0, lease, &told)?;
    ensure!(last.0.wait()?.success(), "the last one ended badly");
    let drained = began.elapsed();
    let told = told.lock().unwrap().clone();
    let repeats = verdict(&url, &told, cycles).await?;
    let text = format!(
        "{cycles} kills, {} jobs committed: 0 lost, 0 doubled, {repeats} effects outside their transaction again; all done {:.1} s \
         after the last kill",
        told.len(),
        drained.as_secs_f64()
    );
    figure("R1", engine, text);
    Ok(())
}

async fn verdict(url: &str, told: &BTreeSet<String>, kills: u64) -> Result<u64> {
    let db = open(url).await?;
    let not_done: Vec<(String, String)> = sql("SELECT payload, state FROM job WHERE state <> 'done'")
        .all(&db)
        .await?;
    ensure!(not_done.is_empty(), "jobs did not end well: {not_done:?}");
    let rows: Vec<(String, String, i64)> = sql("SELECT tag, kind, attempt FROM effect").all(&db).await?;
    let mut effects: BTreeMap<(String, String), Vec<i64>> = BTreeMap::new();
    for (tag, kind, attempt) in rows {
        effects.entry((tag, kind)).or_default().push(attempt);
    }
    let there: BTreeSet<&String> = effects.keys().map(|(tag, _)| tag).collect();
    let lost: Vec<&String> = told.iter().filter(|tag| !there.contains(tag)).collect();
    ensure!(lost.is_empty(), "{} jobs are lost: {lost:?}", lost.len());
    let mut repeats = 0;
    for ((tag, kind), attempts) in &effects {
        ensure!(
            kind == LOOSE || attempts.len() == 1,
            "{tag} took effect {} times",
            attempts.len()
        );
        let distinct: BTreeSet<&i64> = attempts.iter().collect();
        ensure!(distinct.len() == attempts.len(), "{tag} took effect twice in one try");
        repeats += attempts.len() as u64 - 1;
    }
    let most = kills * 2 * WorkerOptions::default().concurrency as u64 * 100;
    ensure!(repeats <= most, "{repeats} effects came again");
    db.close().await;
    Ok(repeats)
}
