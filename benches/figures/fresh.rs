//! How soon what is committed is found while a collection is imported into the same house, and how long the worst questions
//! take that nobody should ask.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::time::interval;

use super::api;
use super::house::House;
use super::load::{self, Ask};
use super::report::{Report, ms, percentile};
use super::server;

/// Records written beside an import at most.
const WRITTEN: usize = 2_000;
/// A record that is not found by then never will be.
const PATIENCE: Duration = Duration::from_secs(60);
/// Times each bad question is asked.
const TURNS: usize = 5;

impl House {
    async fn send(&self, ask: &Ask) -> Result<Value> {
        let request = self
            .http
            .post(&ask.url)
            .bearer_auth(&self.token)
            .header("content-type", "application/json")
            .body(ask.body.clone().unwrap_or_default());
        Ok(request.send().await?.error_for_status()?.json().await?)
    }

    /// Begins an import of a file; answers its job.
    async fn import(&self, file: &Path) -> Result<String> {
        let url = self.url("/api/imports?type=object&name=objects.jsonl&infer=true&key=id");
        let body = reqwest::Body::from(std::fs::read(file)?);
        let request = self.http.post(url).bearer_auth(&self.token);
        let answer = request
            .header("content-type", "application/x-ndjson")
            .body(body)
            .send()
            .await?;
        let begun: Value = answer.error_for_status()?.json().await?;
        let job = begun.get("job").and_then(Value::as_str);
        job.map(str::to_owned).with_context(|| format!("no job in {begun}"))
    }

    async fn is_running(&self, job: &str) -> Result<bool> {
        let (_, job) = self.json(&format!("/api/jobs/{job}")).await?;
        let state = job.get("state").and_then(Value::as_str).unwrap_or_default();
        ensure!(state != "failed", "the import failed: {job}");
        Ok(matches!(state, "waiting" | "running"))
    }

    /// Writes a record with a word of its own, and waits until a search that waits for nothing finds it.
    async fn visible(&self, n: usize) -> Result<Duration> {
        let word = format!("fresh{n}word");
        let mut ask = api::create(&self.app.address, n);
        ask.body = ask.body.map(|body| body.replace("Note number", &word));
        self.send(&ask).await?;
        let committed = Instant::now();
        let mut again = interval(Duration::from_millis(2));
        loop {
            let (_, found) = self.json(&format!("/api/search?limit=0&q={word}")).await?;
            if found.get("total").and_then(Value::as_u64) == Some(1) {
                return Ok(committed.elapsed());
            }
            ensure!(committed.elapsed() < PATIENCE, "{word} is not found");
            again.tick().await;
        }
    }
}

/// Questions as nobody should ask them.
fn bad() -> Vec<String> {
    let many = "vase OR ".repeat(1_000);
    let deep = format!("{}vase{}", "(".repeat(2_000), ")".repeat(2_000));
    let stars = format!("\"{}\"", "*a* ".repeat(32));
    // Each other than the one before: nothing is saved by asking once what is said often.
    let varied = |of: &dyn Fn(u8) -> String| (b'a'..=b'z').map(of).collect::<Vec<_>>().join(" | ");
    let mut all: Vec<String> = [
        "((",
        "\"",
        "~~",
        "*",
        "**",
        "*a*",
        "*e*i*o*",
        "a*",
        "title:*a*b*c*d*e*",
        "\"a\"~999999999999",
        "-*a*",
        "==*a*",
        "\"*a* *e*\"",
        "vase~2 -vase~2",
        "near:0,0~20000km",
        "-near:0,0~20000km",
        "within:-90,-180,90,180",
        "sort:title",
        "sort:-nothing",
        "item_width:>=0",
        "creation_date:-999999..999999",
        "%00",
        "\u{200f}vase\u{202e}",
    ]
    .iter()
    .map(|text| (*text).to_owned())
    .collect();
    all.extend([
        many,
        deep,
        stars,
        "blue vase ".repeat(1_500),
        "a* ".repeat(300),
        "*x* ".repeat(300),
        "vase~2 ".repeat(300),
        varied(&|c| format!("*{}*", char::from(c))),
        varied(&|c| format!("{}*", char::from(c))),
        varied(&|c| format!("vas{}s~2", char::from(c))),
        varied(&|c| format!("\"*{}* *e*\"", char::from(c))),
        varied(&|c| format!("near:{},{}~900km", c - b'a', c)),
        varied(&|c| format!("creation_date:{}..", 1_800 + i32::from(c))),
        "sort:provenance_text".to_owned(),
    ]);
    all
}

async fn slowest(house: &House, report: &Report) -> Result<()> {
    let mut times: Vec<(Duration, String)> = Vec::new();
    for text in bad() {
        let query = serde_html_form::to_string([("q", text.as_str()), ("limit", "25")])?;
        for facets in ["", "&facet=classification&facet=creator.nationality"] {
            let url = house.url(&format!("/api/search?{query}{facets}"));
            for _ in 0..TURNS {
                let began = Instant::now();
                let answer = house.http.get(&url).bearer_auth(&house.token).send().await?;
                let status = answer.status();
                answer.bytes().await?;
                let shown: String = text.chars().take(40).collect();
                ensure!(!status.is_server_error(), "{shown} is answered with {status}");
                times.push((began.elapsed(), shown));
            }
        }
    }
    times.sort_unstable();
    if let Some((time, text)) = times.last() {
        report.line(
            &format!("the slowest bad question, `{}`", text.replace('|', "/")),
            &ms(*time),
            "200 ms",
        );
    }
    let middle: Vec<Duration> = times.into_iter().map(|(time, _)| time).collect();
    report.line("bad questions, p50", &ms(percentile(&middle, 0.5)), "");
    Ok(())
}

pub async fn measure(count: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = server::museum(folder.path(), count)?;
    let house = House::open(&folder.path().join("house"), None).await?;
    house.send(&api::note_type(&house.app.address)).await?;
    let report = Report::new(&format!("Search while {count} records are imported"));
    let began = Instant::now();
    let job = house.import(&file).await?;
    let mut times = Vec::new();
    let mut running = true;
    while running && times.len() < WRITTEN {
        times.push(house.visible(times.len()).await?);
        if times.len() % 10 == 0 {
            running = house.is_running(&job).await?;
        }
    }
    ensure!(!times.is_empty(), "the import was over before anything was written");
    times.sort_unstable();
    let shares = [("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("longest", 1.0)];
    for (name, share) in shares {
        let goal = if name == "p99" { "1 s" } else { "" };
        report.line(
            &format!("from commit to found while importing, {name}"),
            &ms(percentile(&times, share)),
            goal,
        );
    }
    report.line("records written beside the import", &times.len().to_string(), "");
    let mut again = interval(Duration::from_millis(50));
    while house.is_running(&job).await? {
        again.tick().await;
    }
    report.line(
        "seconds of the import beside them",
        &format!("{:.1} s", began.elapsed().as_secs_f64()),
        "",
    );
    house.json("/api/search?limit=0&wait=true").await?;
    let asks: Vec<Ask> = vec![api::search(&house.app.address, "")];
    load::run(1, asks.into(), Some(&house.token)).await?;
    slowest(&house, &report).await
}
