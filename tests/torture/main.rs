//! The reliability programme: what is done to the program again and again, and whether anything that was answered is lost,
//! anything is doubled, and everything goes on by itself. `make torture CYCLES=200`, or
//! `… --test torture -- CYCLES [sqlite|postgres] [R2 …]`. Prints one line per item; ends with 0 if all is well. Without
//! arguments it does a short form of each on each engine.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where it stands")]

mod clocks;
mod crowd;
mod images;
mod jobs;
mod load;
mod migrating;
mod restarts;
mod server;
mod storm;
mod verdict;

use std::time::Duration;

use anyhow::Result;
use vitrine::kernel::testing::{self, TestDb};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if arguments.first().is_some_and(|first| first == "jobs-house") {
        return runtime.block_on(jobs::house(&arguments[1..]));
    }
    if arguments.first().is_some_and(|first| first == "clocks-house") {
        return runtime.block_on(clocks::house(&arguments[1..]));
    }
    let cycles = arguments.iter().find_map(|a| a.parse::<u64>().ok()).unwrap_or(3);
    let engines: Vec<&str> = ["sqlite", "postgres"]
        .into_iter()
        .filter(|engine| {
            !arguments
                .iter()
                .any(|a| (a == "sqlite" || a == "postgres") && a != engine)
        })
        .collect();
    let items: Vec<&String> = arguments
        .iter()
        .filter(|a| a.starts_with('R') && a[1..].parse::<u8>().is_ok())
        .collect();
    let wanted = |names: &[&str]| items.is_empty() || items.iter().any(|item| names.contains(&item.as_str()));
    for engine in engines {
        runtime.block_on(programme(engine, cycles, &wanted))?;
    }
    Ok(())
}

/// Every item on one engine; the kills as often as is asked for, the others in proportion.
async fn programme(engine: &str, cycles: u64, wanted: &impl Fn(&[&str]) -> bool) -> Result<()> {
    if wanted(&["R1"]) {
        jobs::torture(engine, cycles).await?;
    }
    if wanted(&["R2", "R3"]) {
        storm::kills(engine, cycles).await?;
    }
    if wanted(&["R4"]) && engine == "sqlite" {
        images::torture((cycles * 5).div_ceil(2)).await?;
    }
    if wanted(&["R6"]) {
        storm::stops(engine, cycles.div_ceil(4)).await?;
    }
    if wanted(&["R8"]) {
        migrating::torture(engine, (cycles * 3).div_ceil(20)).await?;
    }
    if wanted(&["R9"]) {
        clocks::torture(engine, (cycles * 5).max(40)).await?;
    }
    if wanted(&["R11"]) {
        crowd::writers(engine, Duration::from_secs((cycles * 3).div_ceil(10).clamp(1, 60))).await?;
    }
    if wanted(&["R12"]) && engine == "sqlite" {
        crowd::second(tempfile::tempdir()?.path())?;
    }
    if wanted(&["R14"]) && engine == "postgres" {
        restarts::torture(cycles.div_ceil(10)).await?;
    }
    Ok(())
}

/// A fresh database.
async fn database(engine: &str) -> TestDb {
    match engine {
        "sqlite" => testing::sqlite().await,
        _ => testing::postgres().await,
    }
}

/// One line of the programme.
fn figure(item: &str, engine: &str, text: impl std::fmt::Display) {
    println!("{item:<4} {engine:<9} {text}");
}
