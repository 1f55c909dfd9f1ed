//! `app jobs`: what runs, waits and failed; stopping it and trying it again.

use clap::Subcommand;
use serde_json::{Value, json};

use super::answer::{self, cell};
use super::client::encoded;
use super::session::{self, Need};
use super::settings::Settings;
use super::{Exit, output};
use crate::kernel::error::Result;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  app jobs list --state failed
  app jobs show 0190c0de-0000-7000-8000-000000000001
  app jobs show 0190c0de-0000-7000-8000-000000000001 --json
  app jobs retry 0190c0de-0000-7000-8000-000000000001
  app jobs retry --dead
  app jobs queues
  app jobs pause exchange")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List jobs, newest first
    List {
        /// waiting, running, done, failed, cancelled or superseded
        #[arg(long)]
        state: Option<String>,
        /// Such as exchange.import
        #[arg(long)]
        kind: Option<String>,
        #[arg(long)]
        queue: Option<String>,
        /// At most this many
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one job with its log and why it waits
    Show {
        id: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Try a failed or cancelled job again, or a waiting one before its time
    Retry {
        #[arg(required_unless_present = "failed")]
        id: Option<String>,
        /// Every job that failed for good
        #[arg(long, visible_alias = "dead", conflicts_with = "id")]
        failed: bool,
        /// With --dead: only jobs of this kind
        #[arg(long, requires = "failed", conflicts_with = "id")]
        kind: Option<String>,
    },
    /// Ask a job and its parts to stop
    Cancel { id: String },
    /// List the queues: what waits and runs in each, and for how long the first one waits
    Queues {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Let no job of a queue begin until it is resumed; those that run go on
    Pause { queue: String },
    /// Let a paused queue go on
    Resume { queue: String },
}

pub async fn run(args: Args, settings: Settings) -> Result<Exit> {
    let config = settings.for_command()?;
    session::with(config, Need::default(), async |session| {
        let client = session.client();
        match &args.verb {
            Verb::List {
                state,
                kind,
                queue,
                limit,
                json,
            } => {
                let mut path = format!("/api/jobs?limit={limit}");
                for (name, value) in [("state", state), ("kind", kind), ("queue", queue)] {
                    if let Some(value) = value {
                        path.push_str(&format!("&{name}={}", encoded(value)));
                    }
                }
                let list = client.get(&path).await?;
                if *json { output::json(&list) } else { print_list(&list) }
            }
            Verb::Show { id, json } => {
                let id = encoded(id);
                let job = client.get(&format!("/api/jobs/{id}")).await?;
                let log = client.get(&format!("/api/jobs/{id}/log")).await?;
                if *json {
                    output::json(&json!({ "job": job, "log": log["items"] }))
                } else {
                    print_job(&job, &log)
                }
            }
            Verb::Retry { id: Some(id), .. } => {
                let job = client
                    .post(&format!("/api/jobs/{}/retry", encoded(id)), &json!({}))
                    .await?;
                let id = cell(&job, "id");
                output::line(&format!("{id} waits to run again. How it goes: app jobs show {id}"))
            }
            Verb::Retry { id: None, kind, .. } => {
                let kind = kind
                    .as_ref()
                    .map_or_else(String::new, |kind| format!("?kind={}", encoded(kind)));
                let done = client
                    .post(&format!("/api/jobs/retry-failed{kind}"), &json!({}))
                    .await?;
                output::line(&match done["retried"].as_i64() {
                    Some(0) => "No job has failed.".to_owned(),
                    Some(1) => "One job is tried again. How it goes: app jobs list".to_owned(),
                    _ => format!("{} jobs are tried again. How they go: app jobs list", done["retried"]),
                })
            }
            Verb::Queues { json } => {
                let list = client.get("/api/queues").await?;
                if *json {
                    output::json(&list)
                } else {
                    print_queues(answer::list(&list, "items"))
                }
            }
            Verb::Pause { queue } => {
                client
                    .post(&format!("/api/queues/{}/pause", encoded(queue)), &json!({}))
                    .await?;
                output::line(&format!(
                    "The queue {queue} pauses. It goes on after: app jobs resume {queue}"
                ))
            }
            Verb::Resume { queue } => {
                client
                    .post(&format!("/api/queues/{}/resume", encoded(queue)), &json!({}))
                    .await?;
                output::line(&format!("The queue {queue} goes on."))
            }
            Verb::Cancel { id } => {
                let job = client
                    .post(&format!("/api/jobs/{}/cancel", encoded(id)), &json!({}))
                    .await?;
                let how = if cell(&job, "state") == "running" {
                    "stops at its next step"
                } else {
                    "is cancelled"
                };
                output::line(&format!("{} {how}.", cell(&job, "id")))
            }
        }
    })
    .await?;
    Ok(Exit::Done)
}

fn progress(job: &Value) -> String {
    let together = job["parts"]["percent"].as_i64().filter(|_| job["state"] == "waiting");
    if let Some(percent) = together {
        return format!("{percent} %");
    }
    let done = job["progress"]["done"].as_i64().unwrap_or_default();
    match job["progress"]["total"].as_i64() {
        Some(total) if total > 0 => format!("{} %", done.saturating_mul(100) / total),
        _ if done > 0 => done.to_string(),
        _ => "-".to_owned(),
    }
}

fn print_list(list: &Value) -> Result<()> {
    let row = |job: &Value| {
        let why = job
            .get("waits")
            .or_else(|| job.get("error"))
            .and_then(Value::as_str)
            .unwrap_or_default();
        let why: String = why.lines().next().unwrap_or_default().chars().take(70).collect();
        ["id", "kind", "state"]
            .map(|name| cell(job, name).to_owned())
            .into_iter()
            .chain([progress(job), cell(job, "created_at").to_owned(), why])
            .collect()
    };
    let rows: Vec<Vec<String>> = answer::list(list, "items").iter().map(row).collect();
    output::table(&["ID", "KIND", "STATE", "PROGRESS", "MADE", "WHY"], &rows)
}

/// Queues with what waits and runs in each.
///
/// # Errors
/// See [`output::print`].
pub fn print_queues(queues: &[Value]) -> Result<()> {
    let row = |queue: &Value| {
        let state = match (queue["paused_by"].as_str(), queue["served"].as_bool()) {
            (Some(by), _) => format!("paused by {by}"),
            (None, Some(true)) => "served".to_owned(),
            _ if queue["workers_pause"].as_bool() == Some(true) => "its workers pause".to_owned(),
            _ => "nobody serves it".to_owned(),
        };
        let lag = format!("{:.1} s", queue["lag_ms"].as_i64().unwrap_or_default() as f64 / 1_000.0);
        let counts = ["waiting", "running"].map(|name| queue[name].to_string());
        let [waiting, running] = counts;
        vec![cell(queue, "name").to_owned(), state, waiting, running, lag]
    };
    let rows: Vec<Vec<String>> = queues.iter().map(row).collect();
    output::table(&["QUEUE", "STATE", "WAITING", "RUNNING", "FIRST WAITS"], &rows)
}

fn print_job(job: &Value, log: &Value) -> Result<()> {
    let names = [
        "id",
        "kind",
        "queue",
        "state",
        "waits",
        "error",
        "actor",
        "worker",
        "parent",
        "superseded_by",
        "created_at",
        "started_at",
        "ended_at",
    ];
    let known = names
        .iter()
        .filter(|name| job.get(**name).is_some_and(Value::is_string));
    let mut rows: Vec<Vec<String>> = known
        .map(|name| vec![(*name).to_owned(), cell(job, name).to_owned()])
        .collect();
    rows.push(vec!["progress".to_owned(), progress(job)]);
    rows.push(vec![
        "tries".to_owned(),
        format!("{} of {}", job["attempts"], job["max_attempts"]),
    ]);
    match &job["result"] {
        Value::Null => {}
        // A line for each thing that it came to; what is long or empty is for --json.
        Value::Object(result) => rows.extend(result.iter().filter_map(|(name, value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let is_empty = matches!(value.as_str(), "" | "null" | "[]" | "{}");
            let short: String = value.chars().take(200).collect();
            let more = if short.len() < value.len() { " … (--json)" } else { "" };
            (!is_empty).then(|| vec![format!("result.{name}"), format!("{short}{more}")])
        })),
        other => rows.push(vec!["result".to_owned(), other.to_string()]),
    }
    output::table(&["", ""], &rows)?;
    for line in answer::list(log, "items") {
        output::line(&format!(
            "{} {} {}",
            cell(line, "at"),
            cell(line, "level"),
            cell(line, "message")
        ))?;
    }
    Ok(())
}
