//! The table of a type with many records over HTTP: the page itself, and blocks of rows anywhere in it, in the order of
//! their making, by a text and by a number, for all records and for a part of them.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;

use super::data::Dice;
use super::house::House;
use super::report::{Report, ms, percentile};
use super::{postgres_search, server};

const ROUNDS: usize = 300;
const GOAL: &str = "p95 under 60 ms";

pub async fn measure(count: usize) -> Result<()> {
    let report = Report::new(&format!("The table of {count} records"));
    let folder = tempfile::tempdir()?;
    let file = server::museum(folder.path(), count)?;
    engine(&report, "SQLite", &folder.path().join("sqlite"), None, (&file, count)).await?;
    if let Some(url) = postgres_search::database("table").await? {
        let house = folder.path().join("postgres");
        engine(&report, "PostgreSQL", &house, Some(&url), (&file, count)).await?;
        postgres_search::remove(&url).await?;
    }
    Ok(())
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
    server::import(folder, database, file)?;
    let house = House::open(folder, database).await?;
    let (_, found) = house.json("/api/search?type=object&wait=true&limit=1").await?;
    let total = found["total"].as_u64().context("a total")?;
    anyhow::ensure!(total == count as u64, "{total} of {count} records are found");
    let asks = [
        ("the page", "/types/object/table?"),
        ("rows, newest first", "/types/object/table/rows?"),
        ("rows by title", "/types/object/table/rows?sort=title&"),
        ("rows by title, last first", "/types/object/table/rows?sort=-title&"),
        ("rows of a question", "/types/object/table/rows?q=the&sort=title&"),
    ];
    let mut dice = Dice::new(17);
    let mut all = Vec::new();
    for (what, ask) in asks {
        let mut times = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            let from = dice.below(count / 50) * 50 + 1;
            let (took, body) = house.page(&format!("{ask}from={from}")).await?;
            anyhow::ensure!(
                body.contains("<tbody"),
                "{ask}: {}",
                json!(body.chars().take(200).collect::<String>())
            );
            times.push(took);
        }
        all.extend(times.iter().copied());
        line(report, &format!("{name}: {what}"), times);
    }
    line(report, &format!("{name}: all of these"), all);
    Ok(())
}

fn line(report: &Report, what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let measured = format!("{} / {}", ms(percentile(&times, 0.5)), ms(percentile(&times, 0.95)));
    report.line(&format!("{what}: p50 / p95"), &measured, GOAL);
}
