//! Jobs whose worker is gone run again, and a clock that was set back holds nothing up.

use super::claim;
use super::model::{MAX_LOST, MAX_LOST_AHEAD, retry_delay};
use crate::kernel::db::{Db, Signal, Tx, sql};
use crate::kernel::error::Result;

/// Which running jobs are taken from their workers.
#[derive(Clone, Copy, Debug)]
pub(super) enum Orphans<'a> {
    /// The lease has ended.
    Expired,
    /// Also those whose worker is known to be dead: no beat for a while.
    DeadSince(i64),
    /// Also everything of other workers: this is the only process (SQLite).
    AllBut(&'a str),
}

/// Takes jobs from workers that are gone. A lost worker is not the job's fault, so it does not count as a try; one that
/// is lost again and again is taken for the cause and fails.
pub(super) async fn recover(tx: &mut Tx<'_>, which: Orphans<'_>) -> Result<u64> {
    claim::lock(tx).await?;
    let now = tx.now();
    let (alone, dead_before) = match which {
        Orphans::Expired => ("", i64::MIN),
        Orphans::DeadSince(before) => ("", before),
        Orphans::AllBut(me) => (me, i64::MIN),
    };
    let rows: Vec<(String, String)> = sql(
        "UPDATE job SET worker = NULL, lease_until = NULL, max_attempts = max_attempts + 1, \
             run_at = CASE WHEN run_at > $1 THEN CAST($1 AS BIGINT) ELSE run_at END, \
             state = CASE WHEN cancel AND superseded_by IS NOT NULL THEN 'superseded' WHEN cancel THEN 'cancelled' \
                 WHEN attempts >= $5 AND (progress_done = 0 OR attempts >= $4) THEN 'failed' ELSE 'waiting' END, \
             error = CASE WHEN attempts >= $5 AND (progress_done = 0 OR attempts >= $4) \
                 THEN 'Its worker was lost each time it ran. It may be the cause; look at the logs before trying again.' \
                 ELSE error END, \
             ended_at = CASE WHEN cancel OR (attempts >= $5 AND (progress_done = 0 OR attempts >= $4)) \
                 THEN CAST($1 AS BIGINT) ELSE NULL END \
         WHERE state = 'running' AND (lease_until <= $1 OR ($2 <> '' AND worker <> $2) \
             OR worker IN (SELECT id FROM process WHERE beat_at < $3)) \
         RETURNING id, state",
    )
    .bind(now)
    .bind(alone)
    .bind(dead_before)
    .bind(MAX_LOST_AHEAD)
    .bind(MAX_LOST)
    .all(&mut *tx)
    .await?;
    for (id, state) in &rows {
        tracing::warn!(
            job.id = id,
            job.state = state,
            "a job was taken from a worker that is gone"
        );
    }
    if !rows.is_empty() {
        tx.signal(Signal::Jobs);
        tx.signal(Signal::Progress);
    }
    Ok(rows.len() as u64)
}

/// Is anything running beyond its lease? A cheap look before [`recover`].
pub(super) async fn is_orphaned(db: &Db, now: i64) -> Result<bool> {
    let found: Option<(String,)> = sql("SELECT id FROM job WHERE state = 'running' AND lease_until <= $1 LIMIT 1")
        .bind(now)
        .opt(db)
        .await?;
    Ok(found.is_some())
}

/// After the clock was set back: no lease and no next try lies further ahead than it could by the clock of now.
pub(super) async fn bring_near(tx: &mut Tx<'_>, lease_ms: i64) -> Result<()> {
    claim::lock(tx).await?;
    let now = tx.now();
    sql("UPDATE job SET lease_until = $1 WHERE state = 'running' AND lease_until > $1")
        .bind(now + lease_ms)
        .exec(&mut *tx)
        .await?;
    for attempts in 1..=LONGEST_DELAY {
        let most = if attempts == LONGEST_DELAY { i64::MAX } else { attempts };
        sql("UPDATE job SET run_at = $1 WHERE state = 'waiting' AND attempts >= $2 AND attempts <= $3 AND run_at > $1")
            .bind(now + retry_delay(attempts, u8::MAX))
            .bind(attempts)
            .bind(most)
            .exec(&mut *tx)
            .await?;
    }
    tx.signal(Signal::Jobs);
    Ok(())
}

/// After so many tries the delay grows no more.
const LONGEST_DELAY: i64 = 7;
