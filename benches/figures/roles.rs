//! What a search costs under the filter of somebody with many roles, beside the same search by somebody who sees everything.
//!
//! The records stand in as many collections as there are roles and in one more that the reader does not see, all of them restricted:
//! so the filter has something to take away, and both have nearly the same to count. They take turns, so that what else the machine
//! does falls on both.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::house::House;
use super::load::{self, Ask};
use super::report::{Report, ms, percentile};
use super::{api, data, search};

/// How often each takes its turn; the middle one counts.
const TURNS: usize = 5;
const GOAL: &str = "at most 1.2";

/// Sends JSON, or a file, with the token that may do everything.
async fn send(house: &House, method: Method, path: &str, body: String) -> Result<Value> {
    let request = house.http.request(method, house.url(path)).bearer_auth(&house.token);
    let answer = request
        .header("content-type", "application/json")
        .body(body)
        .send()
        .await?;
    let (status, text) = (answer.status(), answer.text().await?);
    ensure!(status.is_success(), "{path} answered {status}: {text}");
    Ok(serde_json::from_str(&text).unwrap_or_default())
}

fn collection(n: usize) -> String {
    format!("part-{n}")
}

/// Lays the records into so many collections.
async fn fill(house: &House, objects: &[Map<String, Value>], parts: usize) -> Result<()> {
    let mut definition = Value::Null;
    for (n, part) in objects.chunks(objects.len().div_ceil(parts)).enumerate() {
        let name = collection(n);
        let made = if n == 0 {
            "&infer=true&visibility=restricted"
        } else {
            ""
        };
        if n > 0 {
            definition["name"] = json!(name);
            send(house, Method::POST, "/api/types", definition.to_string()).await?;
        }
        let lines: Vec<String> = part.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
        let path = format!("/api/imports?type={name}&key=id&name={name}.jsonl{made}");
        let begun = send(house, Method::POST, &path, lines.join("\n")).await?;
        let job = begun["job"].as_str().context("a job")?;
        let state = loop {
            let (_, view) = house.json(&format!("/api/imports/{job}?wait=20000")).await?;
            if !matches!(view["state"].as_str(), Some("waiting" | "running")) {
                break view;
            }
        };
        ensure!(state["state"] == "done", "{state}");
        if n == 0 {
            definition = house.json(&format!("/api/types/{name}")).await?.1;
        }
    }
    Ok(())
}

/// The token of somebody who sees these collections by a role in each.
async fn reader(house: &House, roles: usize) -> Result<String> {
    let wanted = json!({"login": "anna", "name": "Anna", "service": true}).to_string();
    let made = send(house, Method::POST, "/api/people", wanted).await?;
    let path = format!("/api/people/{}", made["id"].as_str().context("an id")?);
    for n in 0..roles {
        let role = json!({"role": "viewer", "place": format!("type:{}", collection(n))}).to_string();
        send(house, Method::PUT, &format!("{path}/roles"), role).await?;
    }
    let token = json!({"name": "bench", "scope": ["*"]}).to_string();
    let token = send(house, Method::POST, &format!("{path}/tokens"), token).await?;
    Ok(token["secret"].as_str().context("a secret")?.to_owned())
}

/// The middle of some times.
fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

pub async fn measure(count: usize, roles: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let house = House::open(folder.path(), None).await?;
    let base = data::base()?;
    let objects: Vec<Map<String, Value>> = (0..count).map(|n| data::object(&base, n)).collect();
    fill(&house, &objects, roles + 1).await?;
    let narrow = reader(&house, roles).await?;
    let (_, whole) = house.json("/api/search?wait=true&limit=1").await?;
    let total = whole["total"].as_u64().context("a total")?;
    let facets: String = api::FACETS.iter().map(|facet| format!("&facet={facet}")).collect();
    let asks: Vec<Ask> = search::mix(&objects)
        .iter()
        .map(|q| Ask {
            url: house.url(&format!("/api/search?limit=25&q={q}{facets}")),
            body: None,
        })
        .collect();
    let found = async |token: &str, url: &str| -> Result<u64> {
        let answer = house
            .http
            .get(url)
            .bearer_auth(token)
            .send()
            .await?
            .error_for_status()?;
        let answer: Value = serde_json::from_slice(&answer.bytes().await?)?;
        answer["total"].as_u64().context("a total")
    };
    let closed = collection(roles);
    let mut hidden = 0;
    for ask in asks.iter().step_by(50) {
        let all = found(&house.token, &ask.url).await?;
        let unseen = found(&house.token, &format!("{}&type={closed}", ask.url)).await?;
        let seen = found(&narrow, &ask.url).await?;
        ensure!(seen + unseen == all, "{}: {seen} and {unseen} of {all}", ask.url);
        hidden += unseen;
    }
    ensure!(hidden > 0, "nothing is hidden");
    let asks = Arc::new(asks);
    let report = Report::new(&format!("Search over {total} records in {roles} collections, 5 facets"));
    for clients in [1, 20] {
        // For each of the two: p50, p95 and the whole time of every turn.
        let mut turns: [[Vec<Duration>; 3]; 2] = Default::default();
        for turn in 0..=TURNS {
            for (at, token) in [&house.token, &narrow].into_iter().enumerate() {
                let outcome = load::run(clients, asks.clone(), Some(token)).await?;
                // The first turn warms both.
                if turn > 0 {
                    turns[at][0].push(percentile(&outcome.times, 0.5));
                    turns[at][1].push(percentile(&outcome.times, 0.95));
                    turns[at][2].push(outcome.took);
                }
            }
        }
        let [free, filtered] = turns.map(|figures| figures.map(middle));
        for (at, what) in ["p50", "p95", "1,000 searches"].into_iter().enumerate() {
            let figure = format!("{clients} clients, {what}: {roles} roles / everything");
            let ratio = filtered[at].as_secs_f64() / free[at].as_secs_f64();
            let told = format!("{} / {}, {ratio:.2} x", ms(filtered[at]), ms(free[at]));
            report.line(&figure, &told, GOAL);
        }
    }
    Ok(())
}
