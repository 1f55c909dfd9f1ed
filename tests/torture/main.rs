//! Kills the program with `kill -9` again and again while it writes, imports and runs jobs, and looks at the end whether
//! anything that was answered is lost, anything is doubled, and the index tells the same as the database:
//! `make torture CYCLES=200`, or `… --test torture -- CYCLES [sqlite|postgres]`. Prints one line per figure; ends with 0
//! if all is well. Without arguments it does three cycles on each engine.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where it stands")]

mod dice;
mod load;
mod server;
mod verdict;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::Result;
use dice::Dice;
use load::Load;
use server::Place;
use vitrine::kernel::testing;

/// A cycle that brings nothing to an end is killed all the same.
const LONGEST: Duration = Duration::from_secs(5);

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let cycles = arguments.iter().find_map(|a| a.parse::<u64>().ok()).unwrap_or(3);
    let only = arguments.iter().find(|a| matches!(a.as_str(), "sqlite" | "postgres"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    for engine in ["sqlite", "postgres"] {
        if only.is_none_or(|o| o == engine) {
            runtime.block_on(torture(engine, cycles))?;
        }
    }
    Ok(())
}

/// One figure.
fn line(name: &str, value: impl std::fmt::Display) {
    println!("  {name:<44} {value}");
}

async fn torture(engine: &str, cycles: u64) -> Result<()> {
    let db = match engine {
        "sqlite" => testing::sqlite().await,
        _ => testing::postgres().await,
    };
    println!("{engine}, {cycles} cycles");
    // The program has the database for itself; this handle looks again at the end.
    let url = db.url().to_owned();
    db.close().await;
    let mut place = Place::new(&db.folder().join("house"), Some(&url));
    place.settings.push("http.timeout_seconds=10".to_owned());
    let load = Load::new(&place.token());
    let began = Instant::now();
    let mut dice = Dice::new(cycles);
    let mut starts = Vec::new();
    let mut early = 0;
    let workers = load::begin(&load);
    for _ in 0..cycles {
        if dice.below(8) == 0 {
            early += 1;
            let mut child = place.spawn();
            load::pause(Duration::from_millis(dice.below(120))).await;
            let killed = child.kill();
            child.wait()?;
            killed?;
        }
        let started = Instant::now();
        let server = place.serve();
        starts.push(started.elapsed());
        load.is_at(Some(&server.url));
        let enough = load.acknowledged.load(Ordering::Relaxed) + dice.below(120);
        let reached = async {
            while load.acknowledged.load(Ordering::Relaxed) < enough {
                load::pause(Duration::from_millis(2)).await;
            }
        };
        // Nothing may come to an end while a key waits for a lease; then the kill finds it waiting.
        let _ = tokio::time::timeout(LONGEST, reached).await;
        drop(server);
        load.is_at(None);
    }
    let server = place.serve();
    load.is_at(Some(&server.url));
    load.ends.store(true, Ordering::Relaxed);
    for worker in workers {
        worker.await??;
    }
    starts.sort_unstable();
    line("killed while it started", early);
    line(
        "start to first word, median and longest",
        format!(
            "{} ms, {} ms",
            starts[starts.len() / 2].as_millis(),
            starts[starts.len() - 1].as_millis()
        ),
    );
    load.tell();
    let verdict = verdict::index(&load, &server.url).await?;
    anyhow::ensure!(server.stop() == Some(0), "it does not end in order");
    verdict::database(&load, &url, verdict).await?;
    line("took", format!("{:.0} s", began.elapsed().as_secs_f64()));
    Ok(())
}

impl Load {
    fn tell(self: &Arc<Self>) {
        let count = |n: &std::sync::atomic::AtomicU64| n.load(Ordering::Relaxed);
        line("writes acknowledged", count(&self.acknowledged));
        line("sent again after a kill", count(&self.repeated));
        line("  answered with the kept answer", count(&self.replayed));
        line("  told what stands", count(&self.told));
        line("imports begun and done", count(&self.imports));
    }
}
