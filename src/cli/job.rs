//! Watching a job from the command line: its states as they come, a progress bar, its failure in words.

use std::time::Duration;

use futures_util::{StreamExt, pin_mut};
use serde_json::Value;

use super::client::Client;
use super::output;
use super::reading::with_flags;
use crate::kernel::error::{Code, Error, Result};

/// Follows a job to its end and answers its last state.
///
/// # Errors
/// `Unavailable` when the house goes away; a job that is not there.
pub async fn watch(client: &Client, id: &str, what: &str) -> Result<Value> {
    let bar = output::progress(None, what);
    bar.enable_steady_tick(Duration::from_millis(120));
    let events = client.stream(&format!("/api/jobs/{id}/events")).await?;
    pin_mut!(events);
    let mut text = String::new();
    let mut last = Value::Null;
    while let Some(piece) = events.next().await {
        text.push_str(&String::from_utf8_lossy(&piece?));
        while let Some(end) = text.find("\n\n") {
            let event: String = text.drain(..end + 2).collect();
            if let Some(job) = event.lines().find_map(|line| line.strip_prefix("data:")) {
                last = serde_json::from_str(job.trim()).unwrap_or(Value::Null);
                show(&bar, &last, what);
            }
        }
    }
    bar.finish_and_clear();
    if matches!(last["state"].as_str(), Some("done" | "failed" | "cancelled")) {
        return Ok(last);
    }
    client.get(&format!("/api/jobs/{id}")).await
}

fn show(bar: &indicatif::ProgressBar, job: &Value, what: &str) {
    let progress = &job["progress"];
    if let Some(total) = progress["total"].as_u64() {
        bar.set_length(total);
        output::measured(bar);
    }
    bar.set_position(progress["done"].as_u64().unwrap_or(0));
    let note = progress["note"].as_str().filter(|note| !note.is_empty());
    let waits = job["waits"].as_str();
    match note.or(waits) {
        Some(note) => bar.set_message(format!("{what}: {note}")),
        None => bar.set_message(what.to_owned()),
    }
}

/// Why a job did not end well.
pub fn failure(job: &Value, what: &str) -> Error {
    let id = job["id"].as_str().unwrap_or_default();
    if job["state"] == "cancelled" {
        return Error::new(
            Code::Conflict,
            format!("{what}: the job {id} was cancelled. What it wrote before that stands; start it again to go on."),
        );
    }
    let why = job["error"].as_str().unwrap_or("it did not end");
    Error::new(Code::Invalid, format!("{what}: {}", in_words(why, what)))
}

/// What a job says of a file, as the command line would say it: the file named once, flags for what the API calls otherwise.
fn in_words(why: &str, what: &str) -> String {
    // The code is for those who look at the job.
    let mut why = match why.rsplit_once(" (") {
        Some((words, code)) if Code::ALL.iter().any(|c| code.strip_suffix(')') == Some(c.as_str())) => words,
        _ => why,
    };
    while let Some(rest) = why.strip_prefix(what).and_then(|rest| rest.strip_prefix(": ")) {
        why = rest;
    }
    let why = match why.split_once(": ") {
        Some((name, rest)) if rest.contains(&format!("({name}")) => rest,
        _ => why,
    };
    with_flags(why)
}
