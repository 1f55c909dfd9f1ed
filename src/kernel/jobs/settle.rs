//! What becomes of a job after its handler: completed in batches, tried again, failed, cancelled or put back.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use tracing::{error, info, warn};

use super::context::{Running, Why, result_text};
use super::model::{describe, is_worth_retry, retry_delay};
use super::store;
use crate::kernel::db::{Db, Signal, Tx, Write};
use crate::kernel::error::{Code, Error, Result};

/// Completions written in one transaction.
const BATCH: usize = 250;

/// What is to be written of a job that ran.
#[derive(Debug)]
pub(super) enum Outcome {
    Done(Option<String>),
    /// The handler's own transaction has completed it.
    Finished,
    Retry {
        error: String,
        delay: i64,
    },
    Failed(String),
    Cancelled(String),
    /// As if it had not been started.
    PutBack,
    /// Somebody else has it.
    Lost,
}

/// A job whose handler has ended.
pub(super) struct Ended {
    pub running: Arc<Running>,
    pub outcome: Outcome,
}

/// Decides by what the handler answered and why it was interrupted, if it was.
pub(super) fn decide(running: &Running, answer: Result<Value>) -> Outcome {
    if running.is_finished() {
        if let Err(error) = &answer {
            warn!(
                job.id = running.id,
                ?error,
                "the handler failed after it had completed the job"
            );
        }
        return Outcome::Finished;
    }
    let why = running.why();
    if why == Some(Why::Lost) {
        return Outcome::Lost;
    }
    let error = match answer.and_then(|value| result_text(&value)) {
        Ok(result) => return Outcome::Done(result),
        Err(error) => error,
    };
    match why {
        Some(Why::Cancelled) => Outcome::Cancelled(describe(&error)),
        Some(Why::Stopping) => Outcome::PutBack,
        Some(Why::Lost) => Outcome::Lost,
        Some(Why::Late) => try_again(running, &late(running)),
        // It is the machine's trouble and ends with it, however long that takes.
        None if error.code() == Code::DiskFull => Outcome::Retry {
            error: describe(&error),
            delay: retry_delay(running.attempt.min(2), 0),
        },
        None => try_again(running, &error),
    }
}

fn late(running: &Running) -> Error {
    let seconds = running.time_limit.unwrap_or_default() / 1_000;
    Error::new(Code::Timeout, format!("It ran longer than its limit of {seconds} s."))
}

fn try_again(running: &Running, error: &Error) -> Outcome {
    if is_worth_retry(error.code()) && running.attempt < running.max_attempts {
        let [random] = crate::kernel::crypto::random::<1>();
        return Outcome::Retry {
            error: describe(error),
            delay: retry_delay(running.attempt, random),
        };
    }
    Outcome::Failed(describe(error))
}

/// Writes what became of these jobs.
///
/// # Errors
/// What the database says; then nothing of it is written.
pub(super) async fn settle(db: &Db, worker: &str, ended: &[Ended]) -> Result<()> {
    let done: Map<String, Value> = ended
        .iter()
        .filter_map(|e| match &e.outcome {
            Outcome::Done(result) => {
                let p = e.running.progress();
                let row = json!([e.running.attempt, result, p.done, p.total, p.note]);
                Some((e.running.id.clone(), row))
            }
            _ => None,
        })
        .collect();
    if ended
        .iter()
        .all(|e| matches!(e.outcome, Outcome::Finished | Outcome::Lost))
    {
        return Ok(());
    }
    let count = done.len();
    let done = &Value::Object(done);
    let kept = db
        .write(Write::interactive("jobs.settle"), |tx| {
            Box::pin(async move {
                let mut kept = 0;
                if count > 0 {
                    kept = store::complete(tx, worker, done).await?.len();
                }
                for one in ended {
                    write_one(tx, one).await?;
                }
                tx.signal(Signal::Progress);
                if ended
                    .iter()
                    .any(|e| e.running.wakes_others || matches!(e.outcome, Outcome::PutBack))
                {
                    tx.signal(Signal::Jobs);
                }
                Ok(kept)
            })
        })
        .await?;
    if kept < count {
        warn!(
            jobs = count - kept,
            "jobs ended here after another worker had taken them over; their results are not kept"
        );
    }
    Ok(())
}

async fn write_one(tx: &mut Tx<'_>, ended: &Ended) -> Result<()> {
    let (running, hold) = (&ended.running, ended.running.hold());
    let progress = running.progress();
    match &ended.outcome {
        Outcome::Done(_) | Outcome::Finished | Outcome::Lost => {}
        Outcome::Retry { error, delay } => {
            let run_at = tx.now() + delay;
            if store::put_back(tx, hold, run_at, Some(error), true).await? {
                let line = format!("Try {} of {} failed: {error}", running.attempt, running.max_attempts);
                store::log(tx, &running.id, "warn", &line).await?;
            }
        }
        Outcome::Failed(error) => {
            if store::end(tx, hold, "failed", Some(error), &progress).await? {
                store::log(tx, &running.id, "error", error).await?;
            }
        }
        Outcome::Cancelled(error) => {
            store::end(tx, hold, "cancelled", Some(error), &progress).await?;
        }
        Outcome::PutBack => {
            let now = tx.now();
            store::put_back(tx, hold, now, None, false).await?;
        }
    }
    Ok(())
}

/// Says in the log and in the metrics what became of a job.
pub(super) fn report(kind: &str, running: &Running, outcome: &Outcome) {
    let name = match outcome {
        Outcome::Done(_) | Outcome::Finished => "done",
        Outcome::Retry { error, .. } => {
            warn!(
                job.id = running.id,
                job.kind = kind,
                job.attempt = running.attempt,
                "a job failed and is tried again: {error}"
            );
            "retry"
        }
        Outcome::Failed(error) => {
            error!(
                job.id = running.id,
                job.kind = kind,
                job.attempt = running.attempt,
                "a job failed: {error}"
            );
            "failed"
        }
        Outcome::Cancelled(_) => {
            info!(job.id = running.id, job.kind = kind, "a job was cancelled");
            "cancelled"
        }
        Outcome::PutBack => "put-back",
        Outcome::Lost => {
            warn!(
                job.id = running.id,
                job.kind = kind,
                "a job was taken over by another worker"
            );
            "lost"
        }
    };
    metrics::counter!("vitrine_jobs_total", "kind" => kind.to_owned(), "outcome" => name).increment(1);
}

/// Writes outcomes as they come, everything that waits in one transaction. Jobs are forgotten only after that, so that
/// their leases are renewed until it is written. Tries again while the database is away.
pub(super) async fn run(db: Db, worker: Arc<str>, mut inbox: mpsc::UnboundedReceiver<Ended>, forget: impl Fn(&Ended)) {
    let mut batch = Vec::with_capacity(BATCH);
    while inbox.recv_many(&mut batch, BATCH).await > 0 {
        while let Err(error) = settle(&db, &worker, &batch).await {
            warn!(
                ?error,
                jobs = batch.len(),
                "the outcome of jobs cannot be written; trying again"
            );
            if error.code() == Code::Internal && batch.len() > 1 {
                // One of them cannot be written: it must not keep the others.
                batch = settle_each(&db, &worker, batch, &forget).await;
            }
            super::worker::pause(500).await;
        }
        batch.drain(..).for_each(|ended| forget(&ended));
    }
}

/// Writes each by itself; answers those that could not be written.
async fn settle_each(db: &Db, worker: &str, batch: Vec<Ended>, forget: &impl Fn(&Ended)) -> Vec<Ended> {
    let mut left = Vec::new();
    for ended in batch {
        match settle(db, worker, std::slice::from_ref(&ended)).await {
            Ok(()) => forget(&ended),
            Err(_) => left.push(ended),
        }
    }
    left
}
