//! The load generator: so many clients, each sending its next request when the last is answered. The same one for the
//! program and for the raw limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// One request.
#[derive(Clone)]
pub struct Ask {
    pub url: String,
    /// A JSON body makes it a POST.
    pub body: Option<String>,
}

/// What came of all of them.
pub struct Outcome {
    pub took: Duration,
    /// Sorted.
    pub times: Vec<Duration>,
}

impl Outcome {
    pub fn per_second(&self) -> f64 {
        self.times.len() as f64 / self.took.as_secs_f64()
    }
}

async fn one(http: &reqwest::Client, ask: &Ask, token: Option<&str>) -> Result<Duration> {
    let mut request = match &ask.body {
        Some(body) => http
            .post(&ask.url)
            .header("content-type", "application/json")
            .body(body.clone()),
        None => http.get(&ask.url),
    };
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let started = Instant::now();
    let answer = request.send().await?;
    let status = answer.status();
    let body = answer.bytes().await?;
    if !status.is_success() {
        bail!("{} answered {status}: {}", ask.url, String::from_utf8_lossy(&body));
    }
    Ok(started.elapsed())
}

/// Sends every request once, by `clients` at the same time.
pub async fn run(clients: usize, asks: Arc<Vec<Ask>>, token: Option<&str>) -> Result<Outcome> {
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..clients {
        let (asks, next, token) = (asks.clone(), next.clone(), token.map(str::to_owned));
        let http = reqwest::Client::builder().pool_max_idle_per_host(1).build()?;
        tasks.push(tokio::spawn(async move {
            let mut times = Vec::new();
            while let Some(ask) = asks.get(next.fetch_add(1, Ordering::Relaxed)) {
                times.push(one(&http, ask, token.as_deref()).await?);
            }
            anyhow::Ok(times)
        }));
    }
    let mut times = Vec::with_capacity(asks.len());
    for task in tasks {
        times.extend(task.await??);
    }
    let took = started.elapsed();
    times.sort_unstable();
    Ok(Outcome { took, times })
}
