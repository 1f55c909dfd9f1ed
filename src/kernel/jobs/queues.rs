//! Queues as people see them: what waits and runs in each, for how long, who serves it; pausing one and letting it go on.

use std::collections::BTreeMap;

use super::{QUEUES, claim, view};
use crate::kernel::access::{Caller, Subject};
use crate::kernel::db::{Db, Signal, Write, sql};
use crate::kernel::error::{Error, Result};
use crate::kernel::process;

/// Who paused a queue, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    pub by: String,
    pub at: i64,
}

/// A queue now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    pub name: String,
    pub waiting: i64,
    pub running: i64,
    /// Milliseconds for which the first of the ready jobs has waited.
    pub lag: i64,
    /// Some living worker serves it.
    pub served: bool,
    /// Nobody does, since its workers pause.
    pub waits_for_workers: bool,
    pub pause: Option<Pause>,
}

/// The pauses there are, by queue.
pub(super) async fn pauses(db: &Db) -> Result<BTreeMap<String, Pause>> {
    let rows: Vec<(String, i64, String)> = sql("SELECT name, paused_at, paused_by FROM queue_pause ORDER BY name")
        .all(db)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(name, at, by)| (name, Pause { by, at }))
        .collect())
}

/// Every queue that the house has, that is served or that holds jobs, by name.
///
/// # Errors
/// What the database says.
pub async fn queues(db: &Db) -> Result<Vec<Queue>> {
    let now = db.clock().now();
    let mut all: BTreeMap<String, Queue> = QUEUES
        .iter()
        .map(|name| ((*name).to_owned(), Queue::default()))
        .collect();
    let served = process::served_queues(db).await?;
    for name in &served.queues {
        all.entry(name.clone()).or_default().served = true;
    }
    for name in served.paused.iter().filter(|name| !served.queues.contains(name)) {
        all.entry(name.clone()).or_default().waits_for_workers = true;
    }
    for count in view::counts(db).await? {
        let queue = all.entry(count.queue).or_default();
        if count.state == "waiting" {
            queue.waiting = count.count;
        } else {
            queue.running = count.count;
        }
    }
    let oldest: Vec<(String, i64)> =
        sql("SELECT queue, MIN(run_at) FROM job WHERE state = 'waiting' AND run_at <= $1 GROUP BY queue")
            .bind(now)
            .all(db)
            .await?;
    for (name, since) in oldest {
        all.entry(name).or_default().lag = now - since;
    }
    for (name, pause) in pauses(db).await? {
        all.entry(name).or_default().pause = Some(pause);
    }
    Ok(all.into_iter().map(|(name, queue)| Queue { name, ..queue }).collect())
}

async fn known(db: &Db, name: &str) -> Result<()> {
    if queues(db).await?.iter().any(|queue| queue.name == name) {
        return Ok(());
    }
    Err(Error::not_found("queue", name))
}

/// Lets no job of a queue begin until somebody resumes it; those that run go on. Paused twice is paused once.
///
/// # Errors
/// `NotFound`.
pub async fn pause(db: &Db, caller: &Caller, name: &str) -> Result<()> {
    known(db, name).await?;
    let by = &match &caller.subject {
        Subject::Account { name, .. } => name.clone(),
        _ => caller.actor(),
    };
    db.write(Write::interactive("jobs.pause"), |tx| {
        Box::pin(async move {
            claim::lock(tx).await?;
            let now = tx.now();
            // What waits tells another reason from now on.
            tx.signal(Signal::Progress);
            sql("INSERT INTO queue_pause (name, paused_at, paused_by) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING")
                .bind(name)
                .bind(now)
                .bind(by)
                .exec(tx)
                .await
                .map(drop)
        })
    })
    .await
}

/// Lets a paused queue go on.
///
/// # Errors
/// `NotFound`.
pub async fn resume(db: &Db, name: &str) -> Result<()> {
    known(db, name).await?;
    db.write(Write::interactive("jobs.resume"), |tx| {
        Box::pin(async move {
            tx.signal(Signal::Jobs);
            tx.signal(Signal::Progress);
            sql("DELETE FROM queue_pause WHERE name = $1")
                .bind(name)
                .exec(tx)
                .await
                .map(drop)
        })
    })
    .await
}
