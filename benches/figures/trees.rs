//! A tree of many records over HTTP: opening a branch, moving a hundredth of it, finding what is below a record; and how
//! long the index takes to follow a move while questions are answered.

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::json;
use tokio::time::interval;

use super::data::Dice;
use super::house::House;
use super::report::{Report, ms, percentile};
use super::{postgres_search, server};

/// Records right below each one.
const WIDE: usize = 10;
const ROUNDS: usize = 100;
const GOAL: &str = "p95 under 200 ms";

pub async fn measure(count: usize) -> Result<()> {
    let report = Report::new(&format!("A tree of {count} records"));
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("places.csv");
    write(&file, count)?;
    engine(&report, "SQLite", &folder.path().join("sqlite"), None, (&file, count)).await?;
    if let Some(url) = postgres_search::database("trees").await? {
        let house = folder.path().join("postgres");
        engine(&report, "PostgreSQL", &house, Some(&url), (&file, count)).await?;
        postgres_search::remove(&url).await?;
    }
    Ok(())
}

/// Place 0 is above all; place n hangs below place (n - 1) / 10.
fn write(file: &Path, count: usize) -> Result<()> {
    let mut out = std::io::BufWriter::new(std::fs::File::create(file)?);
    writeln!(out, "code,name,above")?;
    writeln!(out, "p0,Place 0,")?;
    for n in 1..count {
        writeln!(out, "p{n},Place {n},p{}", (n - 1) / WIDE)?;
    }
    Ok(out.flush()?)
}

impl House {
    /// The id of a place.
    async fn id(&self, n: usize) -> Result<String> {
        let (_, found) = self.json(&format!("/api/search?q=code:=p{n}&wait=true")).await?;
        let id = found["items"][0]["id"].as_str();
        Ok(id.with_context(|| format!("place {n} is found: {found}"))?.to_owned())
    }

    async fn total(&self, question: &str) -> Result<u64> {
        let (_, found) = self.json(&format!("/api/search?{question}&limit=1")).await?;
        found["total"].as_u64().context("a total")
    }

    async fn move_to(&self, id: &str, version: u64, to: &str) -> Result<Duration> {
        let url = self.url(&format!("/api/records/{id}/move"));
        let request = self.http.post(url).bearer_auth(&self.token);
        let request = request
            .header("If-Match", format!("\"{version}\""))
            .json(&json!({ "to": to }));
        let started = Instant::now();
        request.send().await?.error_for_status()?.bytes().await?;
        Ok(started.elapsed())
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
    let definition = json!({ "name": "place", "title": "name", "key": "code", "parent": "above", "visibility": "public", "fields": [
        { "name": "code", "kind": "identifier" },
        { "name": "name", "kind": "text" },
        { "name": "above", "kind": "link", "target": "place" },
    ] });
    house.post("/api/types", &definition).await?;
    let started = Instant::now();
    server::finish(
        server::app(folder, database)
            .arg("import")
            .arg(file)
            .args(["--type", "place"]),
    )?;
    let top = house.id(0).await?;
    let mut again = interval(Duration::from_millis(200));
    while house.total(&format!("filter=in:{top}")).await? < count as u64 - 1 {
        again.tick().await;
    }
    let took = format!("{:.1} s", started.elapsed().as_secs_f64());
    report.line(&format!("{name}: import, every record hung up and found"), &took, "");
    branches(report, name, &house, count).await?;
    moves(report, name, &house).await
}

async fn branches(report: &Report, name: &str, house: &House, count: usize) -> Result<()> {
    let mut dice = Dice::new(11);
    let (mut opened, mut found) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        // Every third near the top, where most is below.
        let n = if round % 3 == 0 {
            dice.below(WIDE + 1)
        } else {
            dice.below(count / WIDE)
        };
        let id = house.id(n).await?;
        opened.push(house.json(&format!("/api/types/place/tree?under={id}")).await?.0);
        found.push(
            house
                .json(&format!("/api/search?q=in:%22Place+{n}%22&limit=25"))
                .await?
                .0,
        );
    }
    opened.sort_unstable();
    found.sort_unstable();
    for (what, times) in [
        ("open a branch with its counts", opened),
        ("find below a record", found),
    ] {
        let figure = format!("{name}: {what}: p50 / p95");
        let measured = format!("{} / {}", ms(percentile(&times, 0.5)), ms(percentile(&times, 0.95)));
        report.line(&figure, &measured, GOAL);
    }
    Ok(())
}

/// Moves a hundredth of the tree to and fro.
async fn moves(report: &Report, name: &str, house: &House) -> Result<()> {
    let moved = house.id(WIDE + 1).await?;
    let (one, other) = (house.id(1).await?, house.id(2).await?);
    let below = house.total(&format!("filter=in:{moved}")).await? + 1;
    let (_, record) = house.json(&format!("/api/records/{moved}")).await?;
    let first = record["version"].as_u64().context("a version")?;
    let mut again = interval(Duration::from_millis(20));
    let (mut times, mut followed, mut asked) = (Vec::new(), Vec::new(), Vec::new());
    for (round, version) in (first..first + 20).enumerate() {
        let to = if round % 2 == 0 { &other } else { &one };
        let before = house.total(&format!("filter=in:{to}")).await?;
        times.push(house.move_to(&moved, version, to).await?);
        let started = Instant::now();
        loop {
            let question = Instant::now();
            let now = house.total(&format!("filter=in:{to}")).await?;
            asked.push(question.elapsed());
            if now >= before + below {
                break;
            }
            again.tick().await;
        }
        followed.push(started.elapsed());
    }
    for (what, mut times, goal) in [
        (format!("move {below} records"), times, GOAL),
        ("the index follows the move".to_owned(), followed, ""),
        ("questions meanwhile".to_owned(), asked, ""),
    ] {
        times.sort_unstable();
        let figure = format!("{name}: {what}: p50 / p95");
        let measured = format!("{} / {}", ms(percentile(&times, 0.5)), ms(percentile(&times, 0.95)));
        report.line(&figure, &measured, goal);
    }
    Ok(())
}
