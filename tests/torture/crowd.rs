//! R11: 32 clients write at the same time, and nobody is told that the database is locked. R12: a second process on the
//! same data is refused at once, with words that say which process has it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::json;

use super::figure;
use super::load::Load;
use super::server::Place;

const WRITERS: usize = 32;

/// R11.
pub async fn writers(engine: &str, time: Duration) -> Result<()> {
    let db = super::database(engine).await;
    let url = db.url().to_owned();
    db.close().await;
    let place = Place::new(&db.folder().join("house"), Some(&url));
    let load = Load::new(&place.token());
    let server = place.serve();
    load.is_at(Some(&server.url));
    load.make_type(&Load::http()).await?;
    let began = Instant::now();
    let mut tasks = Vec::new();
    for number in 0..WRITERS {
        tasks.push(tokio::spawn(write(
            load.clone(),
            server.url.clone(),
            number,
            began + time,
        )));
    }
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await??);
    }
    let took = began.elapsed();
    times.sort_unstable();
    let p99 = times.get(times.len() * 99 / 100).context("a write")?;
    ensure!(server.stop() == Some(0), "it does not end in order");
    let per_second = times.len() as f64 / took.as_secs_f64();
    let text = format!(
        "{WRITERS} writers for {:.0} s: {} writes, {per_second:.0}/s, 0 refused, p99 {} ms",
        took.as_secs_f64(),
        times.len(),
        p99.as_millis()
    );
    figure("R11", engine, text);
    Ok(())
}

async fn write(load: Arc<Load>, url: String, number: usize, until: Instant) -> Result<Vec<Duration>> {
    let http = Load::http();
    let mut times = Vec::new();
    while Instant::now() < until {
        let one = Instant::now();
        let document = json!({ "tag": format!("{number}-{}", times.len()), "state": 1 });
        let asked = load.request(&http, Method::POST, &format!("{url}/api/records"));
        let answer = asked
            .json(&json!({ "type": "note", "document": document }))
            .send()
            .await?;
        let status = answer.status();
        ensure!(status == 201, "a write was answered {status}: {}", answer.text().await?);
        answer.bytes().await?;
        times.push(one.elapsed());
        load.acknowledged.fetch_add(1, Ordering::Relaxed);
    }
    Ok(times)
}

/// R12.
pub fn second(folder: &Path) -> Result<()> {
    let place = Place::new(&folder.join("second"), None);
    let first = place.serve();
    let pid = first.child.id().to_string();
    let began = Instant::now();
    let refused = place.run(&["serve", "--bind", "127.0.0.1:0"]);
    let took = began.elapsed();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    ensure!(
        refused.status.code() == Some(4),
        "it ended with {:?}: {said}",
        refused.status
    );
    ensure!(
        said.contains("in use") && said.contains(&pid),
        "it does not say which: {said}"
    );
    ensure!(first.stop() == Some(0), "the first one is not what it was");
    let text = format!(
        "a second process is refused after {} ms and told of the first",
        took.as_millis()
    );
    figure("R12", "sqlite", text);
    Ok(())
}
