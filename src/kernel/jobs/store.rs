//! The statements that move jobs through their states, once they are claimed or where nobody has to claim them.

use super::claim::lock;
use super::enqueue::{Asker, JobRow};
use crate::kernel::db::{Db, Engine, Exec, Signal, Tx, pick, sql};
use crate::kernel::error::Result;

/// May anything of this queue be due, or was something before others that have to be told? A cheap look before a claim that
/// nobody called for. In the order of the indexes: for any row PostgreSQL would read through the whole table where it believes
/// that most of it waits.
pub(super) async fn is_due(on: impl Into<Exec<'_>>, queue: &str, now: i64) -> Result<bool> {
    let found: Option<(String,)> = sql("SELECT id FROM (SELECT id FROM job WHERE state = 'waiting' AND queue = $1 AND shelf = 0 \
             AND NOT EXISTS (SELECT 1 FROM queue_pause AS q WHERE q.name = $1) \
             ORDER BY priority DESC, run_at, id LIMIT 1) AS front \
         UNION ALL SELECT id FROM (SELECT id FROM job WHERE shelf = 1 AND state || '' = 'waiting' AND queue = $1 AND run_at <= $2 \
             ORDER BY queue, run_at LIMIT 1) AS later \
         UNION ALL SELECT id FROM (SELECT id FROM job \
             WHERE ordering_key IS NOT NULL AND state NOT IN ('waiting', 'running') AND shelf < 3 \
             ORDER BY ordering_key, id LIMIT 1) AS ended \
         LIMIT 1")
    .bind(queue)
    .bind(now)
    .opt(on)
    .await?;
    Ok(found.is_some())
}

/// A job in the way of this one: the one of its subject that runs, or the first that waits before it.
pub(super) async fn ahead(db: &Db, id: &str) -> Result<Option<(String, String, String)>> {
    pick(
        "SELECT o.id, o.state, o.kind FROM job AS j JOIN job AS o ON o.id = COALESCE( \
             (SELECT MIN(r.id) FROM job AS r WHERE r.ordering_key = j.ordering_key AND r.state = 'running' \
                 AND r.state IN ('waiting', 'running')), \
             (SELECT MIN(w.id) FROM job AS w WHERE w.ordering_key = j.ordering_key AND w.state = 'waiting' \
                 AND w.state IN ('waiting', 'running') AND w.id < j.id)) \
         WHERE j.id = $1 AND o.id <> j.id",
        "SELECT o.id, o.state, o.kind FROM job AS j JOIN job AS o ON o.id = COALESCE( \
             (SELECT MIN(r.id || '') FROM job AS r WHERE r.ordering_key = j.ordering_key AND r.state || '' = 'running' \
                 AND r.state IN ('waiting', 'running')), \
             (SELECT MIN(w.id || '') FROM job AS w WHERE w.ordering_key = j.ordering_key AND w.state || '' = 'waiting' \
                 AND w.state IN ('waiting', 'running') AND w.id || '' < j.id)) \
         WHERE j.id = $1 AND o.id <> j.id",
    )
    .bind(id)
    .opt(db)
    .await
}

/// The first part of this job that waits.
pub(super) async fn waiting_part(db: &Db, id: &str) -> Result<Option<(String,)>> {
    sql("SELECT id FROM job WHERE parent_id = $1 AND state = 'waiting' ORDER BY id LIMIT 1")
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

/// Completes many at once. `rows` is a JSON object of `[attempt, result or null, done, total or null, note]` by id; answers
/// the ids that were still this worker's.
pub(super) async fn complete(tx: &mut Tx<'_>, worker: &str, rows: &serde_json::Value) -> Result<Vec<(String,)>> {
    let now = tx.now();
    // By their ids and with a look into one object: joined, PostgreSQL would compare each with each while it does not know
    // how many they are.
    pick(
        "UPDATE job SET state = 'done', result = d.result, error = NULL, ended_at = $3, lease_until = NULL, \
             progress_done = d.done, progress_total = d.total, progress_note = d.note \
         FROM (SELECT key AS id, json_extract(value, '$[0]') AS attempt, json_extract(value, '$[1]') AS result, \
                   json_extract(value, '$[2]') AS done, json_extract(value, '$[3]') AS total, \
                   json_extract(value, '$[4]') AS note \
               FROM json_each($1)) AS d \
         WHERE job.id = d.id AND job.worker = $2 AND job.attempts = d.attempt AND job.state = 'running' \
         RETURNING job.id",
        "WITH d AS MATERIALIZED (SELECT CAST($1 AS JSONB) AS ended) \
         UPDATE job SET state = 'done', result = d.ended -> job.id ->> 1, error = NULL, ended_at = $3, lease_until = NULL, \
             progress_done = CAST(d.ended -> job.id ->> 2 AS BIGINT), \
             progress_total = CAST(d.ended -> job.id ->> 3 AS BIGINT), progress_note = d.ended -> job.id ->> 4 \
         FROM d \
         WHERE job.id = ANY (ARRAY(SELECT jsonb_object_keys(CAST($1 AS JSONB)))) AND job.worker = $2 \
           AND job.attempts = CAST(d.ended -> job.id ->> 0 AS BIGINT) AND job.state || '' = 'running' \
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
        "UPDATE job SET state = CASE WHEN $4 = 'cancelled' AND superseded_by IS NOT NULL THEN 'superseded' ELSE $4 END, error = $5, ended_at = $6, lease_until = NULL, progress_done = $7, \
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
        "UPDATE job SET state = CASE WHEN cancel AND superseded_by IS NOT NULL THEN 'superseded' WHEN cancel THEN 'cancelled' \
                 ELSE 'waiting' END, worker = NULL, lease_until = NULL, \
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

/// Gives a waiting job what a newer one of the same purpose brings; false when it no longer waits.
pub(super) async fn replace(tx: &mut Tx<'_>, id: &str, job: &JobRow, who: &Asker<'_>) -> Result<bool> {
    let now = tx.now();
    let changed = sql(
        "UPDATE job SET kind = $2, payload = $3, queue = $4, priority = $5, run_at = $6, time_limit = $7, caller = $8, \
             request_id = $9, max_attempts = attempts + $10, shelf = 0 \
         WHERE id = $1 AND state = 'waiting'",
    )
    .bind(id)
    .bind(&job.kind)
    .bind(&job.payload)
    .bind(&job.queue)
    .bind(job.priority)
    .bind(job.run_at.unwrap_or(now))
    .bind(job.time_limit)
    .bind(&who.text)
    .bind(who.request_id)
    .bind(job.max_attempts)
    .exec(tx)
    .await?;
    Ok(changed == 1)
}

/// Takes its unique key from a running job, so that the next of its purpose can be made.
pub(super) async fn let_go(tx: &mut Tx<'_>, id: &str) -> Result<()> {
    sql("UPDATE job SET unique_key = NULL WHERE id = $1 AND state = 'running'")
        .bind(id)
        .exec(tx)
        .await
        .map(drop)
}

/// Ends a job and its parts for a newer one of the same purpose: at once, or at its next step where it runs.
pub(super) async fn supersede(tx: &mut Tx<'_>, id: &str, by: &str) -> Result<()> {
    lock(tx).await?;
    let now = tx.now();
    sql(
        "UPDATE job SET cancel = TRUE, superseded_by = $2, unique_key = CASE WHEN id = $1 THEN NULL ELSE unique_key END, \
             ended_at = CASE WHEN state = 'waiting' THEN $3 ELSE ended_at END, \
             state = CASE WHEN state = 'waiting' THEN 'superseded' ELSE state END \
         WHERE (id = $1 OR parent_id = $1) AND state IN ('waiting', 'running')",
    )
    .bind(id)
    .bind(by)
    .bind(now)
    .exec(&mut *tx)
    .await?;
    tx.signal(Signal::Progress);
    Ok(())
}
