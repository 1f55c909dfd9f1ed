//! What people do to jobs: cancel, try again, and forget those that ended long ago.

use super::{State, claim, view};
use crate::kernel::db::{Db, Filter, Signal, Write, sql};
use crate::kernel::error::{Code, Error, Result};

/// Rows removed in one transaction.
const PRUNE: i64 = 500;

/// Asks a job and its parts to stop. What waits is cancelled at once, what runs hears it within a second. Answers its
/// state.
///
/// # Errors
/// `NotFound`; `Conflict` when it has ended.
pub async fn cancel(db: &Db, id: &str) -> Result<view::Job> {
    view::checked_id(id)?;
    let changed = db
        .write(Write::interactive("jobs.cancel"), |tx| {
            Box::pin(async move {
                claim::lock(tx).await?;
                tx.signal(Signal::Progress);
                tx.signal(Signal::Jobs);
                let now = tx.now();
                sql(
                    "UPDATE job SET cancel = TRUE, ended_at = CASE WHEN state = 'waiting' THEN $2 ELSE ended_at END, \
                         state = CASE WHEN state = 'waiting' THEN 'cancelled' ELSE state END \
                     WHERE (id = $1 OR parent_id = $1) AND state IN ('waiting', 'running')",
                )
                .bind(id)
                .bind(now)
                .exec(tx)
                .await
            })
        })
        .await?;
    let job = view::get(db, id).await?;
    if changed == 0 {
        return Err(Error::new(
            Code::Conflict,
            format!(
                "The job has ended already, as {}. There is nothing to stop.",
                job.state.as_str()
            ),
        ));
    }
    Ok(job)
}

/// Tries an ended job again at once, or a waiting one before its time. Tries go on counting; it gets as many more as it
/// had at first.
///
/// # Errors
/// `NotFound`; `Conflict` when it runs, is done, or another job with its unique key is on the way.
pub async fn retry(db: &Db, id: &str) -> Result<view::Job> {
    view::checked_id(id)?;
    let changed = db
        .write(Write::interactive("jobs.retry"), |tx| {
            Box::pin(async move {
                claim::lock(tx).await?;
                tx.signal(Signal::Jobs);
                tx.signal(Signal::Progress);
                let now = tx.now();
                sql(
                    "UPDATE job SET run_at = $2, cancel = FALSE, ended_at = NULL, worker = NULL, shelf = 0, \
                         max_attempts = CASE WHEN state = 'waiting' THEN max_attempts ELSE attempts + 5 END, state = 'waiting' \
                     WHERE id = $1 AND (state IN ('failed', 'cancelled') OR (state = 'waiting' AND run_at > $2)) \
                       AND (unique_key IS NULL OR state = 'waiting' OR NOT EXISTS ( \
                           SELECT 1 FROM job AS o WHERE o.unique_key = job.unique_key AND o.state IN ('waiting', 'running')))",
                )
                .bind(id)
                .bind(now)
                .exec(tx)
                .await
            })
        })
        .await?;
    let job = view::get(db, id).await?;
    if changed == 1 {
        return Ok(job);
    }
    Err(match job.state {
        State::Failed | State::Cancelled => Error::new(
            Code::Conflict,
            "Another job with the same purpose waits or runs already; look at that one.",
        ),
        state => Error::new(
            Code::Conflict,
            format!(
                "Only a failed or cancelled job can be tried again; this one is {}.",
                state.as_str()
            ),
        ),
    })
}

/// Tries every failed job again, of one kind or (`None`) of all. Answers how many; one whose purpose is on the way
/// already stays.
///
/// # Errors
/// What the database says; those before that are on their way.
pub async fn retry_failed(db: &Db, kind: Option<&str>) -> Result<u64> {
    let mut retried = 0;
    let mut after = String::new();
    loop {
        let ids: Vec<(String,)> = Filter::new("SELECT id FROM job")
            .and("state = ?", State::Failed.as_str())
            .and("id > ?", &after)
            .and_some("kind = ?", kind)
            .end("ORDER BY id", PRUNE)
            .all(db)
            .await?;
        for (id,) in &ids {
            match retry(db, id).await {
                Ok(_) => retried += 1,
                Err(error) if matches!(error.code(), Code::Conflict | Code::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        match ids.into_iter().next_back() {
            Some((last,)) => after = last,
            None => return Ok(retried),
        }
    }
}

/// Forgets jobs in these (final) states, of a queue or (`None`) of any, that ended before `cutoff`, with their logs.
/// Answers how many.
///
/// # Errors
/// What the database says; what was removed so far stays removed.
pub async fn prune(db: &Db, queue: Option<&str>, states: &[State], cutoff: i64) -> Result<u64> {
    let mut removed = 0;
    loop {
        let ids: Vec<(String,)> = Filter::new("SELECT id FROM job")
            .and("created_at < ?", cutoff)
            .and("ended_at < ?", cutoff)
            .and_in("state", states.iter().filter(|s| s.is_final()).map(|s| s.as_str()))
            .and_some("queue = ?", queue)
            .end("ORDER BY created_at, id", PRUNE)
            .all(db)
            .await?;
        let ids: Vec<String> = ids.into_iter().map(|(id,)| id).collect();
        if ids.is_empty() {
            return Ok(removed);
        }
        let ids = &ids;
        removed += db
            .write(Write::bulk("jobs.prune"), |tx| {
                Box::pin(async move {
                    Filter::new("DELETE FROM job_log")
                        .and_in("job_id", ids.iter())
                        .stmt()
                        .exec(&mut *tx)
                        .await?;
                    // Tried again in the meantime: it stays.
                    Filter::new("DELETE FROM job")
                        .and_in("id", ids.iter())
                        .and("ended_at < ?", cutoff)
                        .stmt()
                        .exec(tx)
                        .await
                })
            })
            .await?;
    }
}
