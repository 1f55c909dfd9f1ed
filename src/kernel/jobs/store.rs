//! The statements that move jobs through their states. Claims and recoveries take one lock on PostgreSQL: a claim that
//! does not see another's uncommitted claim would run two jobs of one subject at the same time.

use super::enqueue::{Asker, JobRow};
use crate::kernel::db::{Db, Engine, Signal, Tx, pick, sql};
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
    pub parent_id: Option<String>,
    pub time_limit: Option<i64>,
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

/// The lock, and for the rest of the transaction the indexes: PostgreSQL's statistics are those of the last look at the table,
/// by which a queue may seem empty that holds 50,000 jobs, and a plan for an empty one looks at all of them in each claim.
async fn lock_by_index(tx: &mut Tx<'_>) -> Result<()> {
    if tx.engine() == Engine::Postgres {
        let _: (bool, String) = pick(
            "SELECT $1 IS NOT NULL, ''",
            "SELECT pg_advisory_xact_lock(hashtextextended($1, 0)) IS NOT NULL, set_config('enable_seqscan', 'off', TRUE)",
        )
        .bind(CLAIM_LOCK)
        .one(tx)
        .await?;
    }
    Ok(())
}

/// Claims up to `limit` jobs of a queue that are ready, first those of the highest priority. One that was made to run at
/// once is ready even where the clock has been set back since.
pub(super) async fn claim(tx: &mut Tx<'_>, by: Claim<'_>, queue: &str, limit: i64) -> Result<Vec<Claimed>> {
    lock_by_index(tx).await?;
    let now = tx.now();
    // PostgreSQL would rather work the list out again for each waiting job than once, were it not an array.
    let mut jobs: Vec<Claimed> = pick(
        "UPDATE job SET state = 'running', worker = $1, lease_until = $2, attempts = attempts + 1, started_at = $3 \
         WHERE state = 'waiting' AND id IN ( \
             SELECT j.id FROM job AS j \
             WHERE j.state = 'waiting' AND j.queue = $4 AND replace($5, '|' || j.kind || '|', '') <> $5 \
               AND (j.run_at <= $3 OR (j.attempts = 0 AND j.run_at <= j.created_at)) \
               AND NOT EXISTS (SELECT 1 FROM queue_pause AS q WHERE q.name = $4) \
               AND (NOT j.awaits OR (SELECT c.id FROM job AS c \
                   WHERE c.parent_id = j.id AND c.state IN ('waiting', 'running') LIMIT 1) IS NULL) \
               AND (j.ordering_key IS NULL OR NOT EXISTS ( \
                   SELECT 1 FROM job AS o WHERE o.ordering_key = j.ordering_key AND o.state IN ('waiting', 'running') \
                     AND o.id <> j.id AND (o.id < j.id OR o.state = 'running'))) \
             ORDER BY j.priority DESC, j.run_at, j.id LIMIT $6) \
         RETURNING id, kind, payload, caller, attempts, max_attempts, priority, run_at, ordering_key, parent_id, time_limit, \
             progress_done, progress_total, progress_note",
        "UPDATE job SET state = 'running', worker = $1, lease_until = $2, attempts = attempts + 1, started_at = $3 \
         WHERE state || '' = 'waiting' AND id = ANY (ARRAY( \
             SELECT j.id FROM job AS j \
             WHERE j.state = 'waiting' AND j.queue = $4 AND replace($5, '|' || j.kind || '|', '') <> $5 \
               AND (j.run_at <= $3 OR (j.attempts = 0 AND j.run_at <= j.created_at)) \
               AND NOT EXISTS (SELECT 1 FROM queue_pause AS q WHERE q.name = $4) \
               AND (NOT j.awaits OR (SELECT c.id FROM job AS c \
                   WHERE c.parent_id = j.id AND c.state IN ('waiting', 'running') LIMIT 1) IS NULL) \
               AND (j.ordering_key IS NULL OR NOT EXISTS ( \
                   SELECT 1 FROM job AS o WHERE o.ordering_key = j.ordering_key AND o.state IN ('waiting', 'running') \
                     AND o.id <> j.id AND (o.id < j.id OR o.state = 'running'))) \
             ORDER BY j.priority DESC, j.run_at, j.id LIMIT $6)) \
         RETURNING id, kind, payload, caller, attempts, max_attempts, priority, run_at, ordering_key, parent_id, time_limit, \
             progress_done, progress_total, progress_note",
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
/// the same slot, so that a long line of one subject does not cost a claim for each. In id order, up to the first that is
/// not ready. The steps are materialized: folded into one they would look at the whole line for each job in it. The
/// state is named as the index of subjects names it, or SQLite does not find it.
pub(super) async fn claim_followers(tx: &mut Tx<'_>, by: Claim<'_>, queue: &str, limit: i64) -> Result<Vec<Claimed>> {
    let now = tx.now();
    let mut jobs: Vec<Claimed> = pick(
        "UPDATE job SET state = 'running', worker = $1, lease_until = $2, attempts = attempts + 1, started_at = $3 \
         WHERE state = 'waiting' AND id IN ( \
             WITH h AS MATERIALIZED ( \
                 SELECT r.id, r.ordering_key FROM job AS r WHERE r.state = 'running' AND r.worker = $1 AND r.lease_until = $2 \
                   AND r.started_at = $3 AND r.queue = $4 AND r.ordering_key IS NOT NULL), \
             c AS MATERIALIZED ( \
                 SELECT j.id, j.ordering_key, \
                     (j.queue <> $4 OR j.run_at > $3 OR j.awaits OR replace($5, '|' || j.kind || '|', '') = $5) AS stops \
                 FROM h JOIN job AS j ON j.ordering_key = h.ordering_key \
                 WHERE j.state = 'waiting' AND j.state IN ('waiting', 'running') AND j.id > h.id ORDER BY j.id LIMIT $6) \
             SELECT c.id FROM c WHERE NOT EXISTS ( \
                 SELECT 1 FROM c AS s WHERE s.ordering_key = c.ordering_key AND s.id <= c.id AND s.stops)) \
         RETURNING id, kind, payload, caller, attempts, max_attempts, priority, run_at, ordering_key, parent_id, time_limit, \
             progress_done, progress_total, progress_note",
        "UPDATE job SET state = 'running', worker = $1, lease_until = $2, attempts = attempts + 1, started_at = $3 \
         WHERE state || '' = 'waiting' AND id = ANY (ARRAY( \
             WITH h AS MATERIALIZED ( \
                 SELECT r.id, r.ordering_key FROM job AS r WHERE r.state = 'running' AND r.worker = $1 AND r.lease_until = $2 \
                   AND r.started_at = $3 AND r.queue = $4 AND r.ordering_key IS NOT NULL), \
             c AS MATERIALIZED ( \
                 SELECT j.id, j.ordering_key, \
                     (j.queue <> $4 OR j.run_at > $3 OR j.awaits OR replace($5, '|' || j.kind || '|', '') = $5) AS stops \
                 FROM h JOIN job AS j ON j.ordering_key = h.ordering_key \
                 WHERE j.state = 'waiting' AND j.state IN ('waiting', 'running') AND j.id > h.id ORDER BY j.id LIMIT $6) \
             SELECT c.id FROM c WHERE NOT EXISTS ( \
                 SELECT 1 FROM c AS s WHERE s.ordering_key = c.ordering_key AND s.id <= c.id AND s.stops))) \
         RETURNING id, kind, payload, caller, attempts, max_attempts, priority, run_at, ordering_key, parent_id, time_limit, \
             progress_done, progress_total, progress_note",
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
           AND (NOT awaits OR (SELECT c.id FROM job AS c \
               WHERE c.parent_id = job.id AND c.state IN ('waiting', 'running') LIMIT 1) IS NULL) \
           AND (ordering_key IS NULL OR NOT EXISTS ( \
               SELECT 1 FROM job AS o WHERE o.ordering_key = job.ordering_key AND o.state IN ('waiting', 'running') \
                 AND o.id <> job.id AND (o.id < job.id OR o.state = 'running'))) \
         RETURNING id, kind, payload, caller, attempts, max_attempts, priority, run_at, ordering_key, parent_id, time_limit, \
             progress_done, progress_total, progress_note",
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
        sql("SELECT id FROM job WHERE state = 'waiting' AND queue = $1 AND (run_at <= $2 OR (attempts = 0 AND run_at <= created_at)) \
             AND NOT EXISTS (SELECT 1 FROM queue_pause AS q WHERE q.name = $1) LIMIT 1")
            .bind(queue)
            .bind(now)
            .opt(db)
            .await?;
    Ok(found.is_some())
}

/// The first job in the way of this one: an earlier or running one of its subject.
pub(super) async fn ahead(db: &Db, id: &str) -> Result<Option<(String, String, String)>> {
    sql(
        "SELECT o.id, o.state, o.kind FROM job AS j JOIN job AS o ON o.ordering_key = j.ordering_key \
         WHERE j.id = $1 AND o.id <> j.id AND o.state IN ('waiting', 'running') AND (o.id < j.id OR o.state = 'running') \
         ORDER BY o.id LIMIT 1",
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
             request_id = $9, max_attempts = attempts + $10 \
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
