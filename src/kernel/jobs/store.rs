//! The statements that move jobs through their states. Claims and recoveries take one lock on PostgreSQL: a claim that
//! does not see another's uncommitted claim would run two jobs of one subject at the same time.

use super::model::{MAX_LOST, MAX_LOST_AHEAD};
use crate::kernel::db::{Db, Engine, Tx, pick, sql};
use crate::kernel::error::Result;

/// The advisory lock of everything that makes a job running or waiting again.
const CLAIM_LOCK: &str = "jobs.claim";

/// A job that this worker has just claimed.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Claimed {
    pub id: String,
    pub kind: String,
    pub payload: String,
    pub caller: String,
    pub attempts: i64,
    pub max_attempts: i64,
    pub priority: i64,
    pub run_at: i64,
    pub ordering_key: Option<String>,
    pub progress_done: i64,
    pub progress_total: Option<i64>,
    pub progress_note: String,
}

/// Who claims, for how long, and what it can run: kinds as `|a|b|`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim<'a> {
    pub worker: &'a str,
    pub lease_until: i64,
    pub kinds: &'a str,
}

pub(super) async fn lock(tx: &mut Tx<'_>) -> Result<()> {
    tx.lock(CLAIM_LOCK).await
}

/// Claims up to `limit` jobs of a queue that are ready, first those of the highest priority.
pub(super) async fn claim(tx: &mut Tx<'_>, by: Claim<'_>, queue: &str, limit: i64) -> Result<Vec<Claimed>> {
    lock(tx).await?;
    let now = tx.now();
    let mut jobs: Vec<Claimed> = sql(
        "UPDATE job SET state = 'running', worker = $1, lease_until = $2, attempts = attempts + 1, started_at = $3 \
         WHERE state = 'waiting' AND id IN ( \
             SELECT j.id FROM job AS j \
             WHERE j.state = 'waiting' AND j.queue = $4 AND j.run_at <= $3 AND replace($5, '|' || j.kind || '|', '') <> $5 \
               AND (j.ordering_key IS NULL OR NOT EXISTS ( \
                   SELECT 1 FROM job AS o WHERE o.ordering_key = j.ordering_key AND o.state IN ('waiting', 'running') \
                     AND o.id <> j.id AND (o.id < j.id OR o.state = 'running'))) \
             ORDER BY j.priority DESC, j.run_at, j.id LIMIT $6) \
         RETURNING id, kind, payload, caller, attempts, max_attempts, priority, run_at, ordering_key, progress_done, \
             progress_total, progress_note",
    )
    .bind(by.worker)
    .bind(by.lease_until)
    .bind(now)
    .bind(queue)
    .bind(by.kinds)
    .bind(limit)
    .all(tx)
    .await?;
    jobs.sort_by(|a, b| (-a.priority, a.run_at, &a.id).cmp(&(-b.priority, b.run_at, &b.id)));
    Ok(jobs)
}

/// Claims what comes right after the jobs that this very claim took, of the same subjects: they run one after another in
/// the same slot, so that a long line of one subject does not cost a claim for each. In id order.
pub(super) async fn claim_followers(tx: &mut Tx<'_>, by: Claim<'_>, queue: &str, limit: i64) -> Result<Vec<Claimed>> {
    let now = tx.now();
    let mut jobs: Vec<Claimed> = sql(
        "UPDATE job SET state = 'running', worker = $1, lease_until = $2, attempts = attempts + 1, started_at = $3 \
         WHERE state = 'waiting' AND id IN ( \
             SELECT j.id FROM ( \
                 SELECT r.id, r.ordering_key, ( \
                     SELECT MIN(o.id) FROM job AS o WHERE o.ordering_key = r.ordering_key AND o.state = 'waiting' \
                       AND (o.queue <> $4 OR o.run_at > $3 OR replace($5, '|' || o.kind || '|', '') = $5)) AS wall \
                 FROM job AS r WHERE r.state = 'running' AND r.worker = $1 AND r.lease_until = $2 AND r.started_at = $3 \
                   AND r.queue = $4 AND r.ordering_key IS NOT NULL) AS h \
             JOIN job AS j ON j.ordering_key = h.ordering_key \
             WHERE j.state = 'waiting' AND j.id > h.id AND (h.wall IS NULL OR j.id < h.wall) \
             ORDER BY j.id LIMIT $6) \
         RETURNING id, kind, payload, caller, attempts, max_attempts, priority, run_at, ordering_key, progress_done, \
             progress_total, progress_note",
    )
    .bind(by.worker)
    .bind(by.lease_until)
    .bind(now)
    .bind(queue)
    .bind(by.kinds)
    .bind(limit)
    .all(tx)
    .await?;
    jobs.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(jobs)
}

/// Claims one job by its id whatever its time, unless an earlier one of its subject has not ended.
pub(super) async fn claim_one(tx: &mut Tx<'_>, by: Claim<'_>, id: &str) -> Result<Option<Claimed>> {
    lock(tx).await?;
    let now = tx.now();
    sql(
        "UPDATE job SET state = 'running', worker = $1, lease_until = $2, attempts = attempts + 1, started_at = $3 \
         WHERE state = 'waiting' AND id = $4 AND replace($5, '|' || kind || '|', '') <> $5 \
           AND (ordering_key IS NULL OR NOT EXISTS ( \
               SELECT 1 FROM job AS o WHERE o.ordering_key = job.ordering_key AND o.state IN ('waiting', 'running') \
                 AND o.id <> job.id AND (o.id < job.id OR o.state = 'running'))) \
         RETURNING id, kind, payload, caller, attempts, max_attempts, priority, run_at, ordering_key, progress_done, \
             progress_total, progress_note",
    )
    .bind(by.worker)
    .bind(by.lease_until)
    .bind(now)
    .bind(id)
    .bind(by.kinds)
    .opt(tx)
    .await
}

/// Is anything of this queue due? A cheap look before a claim that nobody called for.
pub(super) async fn is_due(db: &Db, queue: &str, now: i64) -> Result<bool> {
    let found: Option<(String,)> =
        sql("SELECT id FROM job WHERE state = 'waiting' AND queue = $1 AND run_at <= $2 LIMIT 1")
            .bind(queue)
            .bind(now)
            .opt(db)
            .await?;
    Ok(found.is_some())
}

/// The first job in the way of this one: an earlier or running one of its subject.
pub(super) async fn ahead(db: &Db, id: &str) -> Result<Option<(String, String)>> {
    sql(
        "SELECT o.id, o.state FROM job AS j JOIN job AS o ON o.ordering_key = j.ordering_key \
         WHERE j.id = $1 AND o.id <> j.id AND o.state IN ('waiting', 'running') AND (o.id < j.id OR o.state = 'running') \
         ORDER BY o.id LIMIT 1",
    )
    .bind(id)
    .opt(db)
    .await
}

/// Renews the lease of everything a worker runs; answers what still is its own, as (id, attempt).
pub(super) async fn renew(tx: &mut Tx<'_>, worker: &str, lease_until: i64) -> Result<Vec<(String, i64)>> {
    sql("UPDATE job SET lease_until = $2 WHERE worker = $1 AND state = 'running' RETURNING id, attempts")
        .bind(worker)
        .bind(lease_until)
        .all(tx)
        .await
}

/// What of a worker's running jobs somebody asked to stop.
pub(super) async fn asked_to_stop(db: &Db, worker: &str) -> Result<Vec<(String,)>> {
    sql("SELECT id FROM job WHERE state = 'running' AND worker = $1 AND cancel")
        .bind(worker)
        .all(db)
        .await
}

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
    lock(tx).await?;
    let now = tx.now();
    let (alone, dead_before) = match which {
        Orphans::Expired => ("", i64::MIN),
        Orphans::DeadSince(before) => ("", before),
        Orphans::AllBut(me) => (me, i64::MIN),
    };
    let rows: Vec<(String, String)> = sql(
        "UPDATE job SET worker = NULL, lease_until = NULL, max_attempts = max_attempts + 1, \
             state = CASE WHEN cancel THEN 'cancelled' \
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
        tx.signal(crate::kernel::db::Signal::Jobs);
        tx.signal(crate::kernel::db::Signal::Progress);
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

/// Completes many at once. `rows` is a JSON list of `[id, attempt, result or null, done, total or null, note]`; answers
/// the ids that were still this worker's.
pub(super) async fn complete(tx: &mut Tx<'_>, worker: &str, rows: &serde_json::Value) -> Result<Vec<(String,)>> {
    let now = tx.now();
    pick(
        "UPDATE job SET state = 'done', result = d.result, error = NULL, ended_at = $3, lease_until = NULL, \
             progress_done = d.done, progress_total = d.total, progress_note = d.note \
         FROM (SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS attempt, \
                   json_extract(value, '$[2]') AS result, json_extract(value, '$[3]') AS done, \
                   json_extract(value, '$[4]') AS total, json_extract(value, '$[5]') AS note \
               FROM json_each($1)) AS d \
         WHERE job.id = d.id AND job.worker = $2 AND job.attempts = d.attempt AND job.state = 'running' \
         RETURNING job.id",
        "UPDATE job SET state = 'done', result = d.result, error = NULL, ended_at = $3, lease_until = NULL, \
             progress_done = d.done, progress_total = d.total, progress_note = d.note \
         FROM (SELECT e ->> 0 AS id, CAST(e ->> 1 AS BIGINT) AS attempt, e ->> 2 AS result, \
                   CAST(e ->> 3 AS BIGINT) AS done, CAST(e ->> 4 AS BIGINT) AS total, e ->> 5 AS note \
               FROM json_array_elements(CAST($1 AS JSON)) AS e) AS d \
         WHERE job.id = d.id AND job.worker = $2 AND job.attempts = d.attempt AND job.state = 'running' \
         RETURNING job.id",
    )
    .bind(rows)
    .bind(worker)
    .bind(now)
    .all(tx)
    .await
}

/// Which attempt of which job, by whom: writes are refused once somebody else has taken over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hold<'a> {
    pub id: &'a str,
    pub worker: &'a str,
    pub attempt: i64,
}

/// Completes one in the transaction of its handler.
pub(super) async fn finish(
    tx: &mut Tx<'_>,
    hold: Hold<'_>,
    result: Option<String>,
    p: &super::Progress,
) -> Result<bool> {
    let now = tx.now();
    let changed = sql(
        "UPDATE job SET state = 'done', result = $4, error = NULL, ended_at = $5, lease_until = NULL, progress_done = $6, \
             progress_total = $7, progress_note = $8 \
         WHERE id = $1 AND worker = $2 AND attempts = $3 AND state = 'running'",
    )
    .bind(hold.id)
    .bind(hold.worker)
    .bind(hold.attempt)
    .bind(result)
    .bind(now)
    .bind(p.done)
    .bind(p.total)
    .bind(&p.note)
    .exec(tx)
    .await?;
    Ok(changed == 1)
}

/// Ends one as `failed` or `cancelled`.
pub(super) async fn end(
    tx: &mut Tx<'_>,
    hold: Hold<'_>,
    state: &str,
    error: Option<&str>,
    p: &super::Progress,
) -> Result<bool> {
    let now = tx.now();
    let changed = sql(
        "UPDATE job SET state = $4, error = $5, ended_at = $6, lease_until = NULL, progress_done = $7, \
             progress_total = $8, progress_note = $9 \
         WHERE id = $1 AND worker = $2 AND attempts = $3 AND state = 'running'",
    )
    .bind(hold.id)
    .bind(hold.worker)
    .bind(hold.attempt)
    .bind(state)
    .bind(error)
    .bind(now)
    .bind(p.done)
    .bind(p.total)
    .bind(&p.note)
    .exec(tx)
    .await?;
    Ok(changed == 1)
}

/// Puts one back: for another try at `run_at` (with the error of this one), or as if it had not been started.
pub(super) async fn put_back(
    tx: &mut Tx<'_>,
    hold: Hold<'_>,
    run_at: i64,
    error: Option<&str>,
    started: bool,
) -> Result<bool> {
    lock(tx).await?;
    let changed = sql(
        "UPDATE job SET state = CASE WHEN cancel THEN 'cancelled' ELSE 'waiting' END, worker = NULL, lease_until = NULL, \
             run_at = $4, error = COALESCE($5, error), attempts = attempts - CASE WHEN $6 THEN 0 ELSE 1 END, \
             ended_at = CASE WHEN cancel THEN CAST($7 AS BIGINT) ELSE NULL END \
         WHERE id = $1 AND worker = $2 AND attempts = $3 AND state = 'running'",
    )
    .bind(hold.id)
    .bind(hold.worker)
    .bind(hold.attempt)
    .bind(run_at)
    .bind(error)
    .bind(started)
    .bind(tx.now())
    .exec(tx)
    .await?;
    Ok(changed == 1)
}

/// Stores how far a job is; false when it is no longer this worker's.
pub(super) async fn progress(tx: &mut Tx<'_>, hold: Hold<'_>, p: &super::Progress) -> Result<bool> {
    let changed = sql(
        "UPDATE job SET progress_done = $4, progress_total = $5, progress_note = $6 \
         WHERE id = $1 AND worker = $2 AND attempts = $3 AND state = 'running'",
    )
    .bind(hold.id)
    .bind(hold.worker)
    .bind(hold.attempt)
    .bind(p.done)
    .bind(p.total)
    .bind(&p.note)
    .exec(tx)
    .await?;
    Ok(changed == 1)
}

/// Adds a line to a job's log unless the log is full.
pub(super) async fn log(tx: &mut Tx<'_>, id: &str, level: &str, message: &str) -> Result<()> {
    // One statement counts and inserts; on PostgreSQL two lines of one job could still meet, so they queue.
    if tx.engine() == Engine::Postgres {
        tx.lock(&format!("jobs.log/{id}")).await?;
    }
    let now = tx.now();
    sql(
        "INSERT INTO job_log (job_id, line, at, level, message) \
         SELECT $1, COALESCE(MAX(line), 0) + 1, $2, $3, $4 FROM job_log WHERE job_id = $1 HAVING COALESCE(MAX(line), 0) < $5",
    )
    .bind(id)
    .bind(now)
    .bind(level)
    .bind(message)
    .bind(super::model::MAX_LINES)
    .exec(tx)
    .await?;
    Ok(())
}
