//! Claims: which waiting jobs become a worker's, and when. Claims and recoveries take one lock on PostgreSQL: a claim that
//! does not see another's uncommitted claim would run two jobs of one subject at the same time.

use super::front;
use crate::kernel::db::{Engine, Tx, pick, sql};
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

/// What a claim took, and whether more may be ready behind what stood in the way.
pub(super) struct Taken {
    pub jobs: Vec<Claimed>,
    pub more: bool,
}

pub(super) async fn lock(tx: &mut Tx<'_>) -> Result<()> {
    tx.lock(CLAIM_LOCK).await
}

/// The lock, and for the rest of the transaction the indexes: PostgreSQL's statistics are those of the last look at the table,
/// by which a queue may seem empty that holds 50,000 jobs, and a plan for an empty one looks at all of them in each claim. Nor
/// bitmaps, which read all that match where a few are asked for.
async fn lock_by_index(tx: &mut Tx<'_>) -> Result<()> {
    if tx.engine() == Engine::Postgres {
        let _: (bool, String, String) = pick(
            "SELECT $1 IS NOT NULL, '', ''",
            "SELECT pg_advisory_xact_lock(hashtextextended($1, 0)) IS NOT NULL, set_config('enable_seqscan', 'off', TRUE), \
                 set_config('enable_bitmapscan', 'off', TRUE)",
        )
        .bind(CLAIM_LOCK)
        .one(tx)
        .await?;
    }
    Ok(())
}

/// Makes waiting jobs this worker's. On PostgreSQL they are named by an array: joined, each that waits would be compared with
/// each that is named while the server does not know how many they are.
async fn take(tx: &mut Tx<'_>, by: Claim<'_>, ids: Vec<String>) -> Result<Vec<Claimed>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let now = tx.now();
    let ids = serde_json::Value::from(ids);
    pick(
        "UPDATE job SET state = 'running', worker = $1, lease_until = $2, attempts = attempts + 1, started_at = $3, shelf = 0 \
         WHERE state = 'waiting' AND id IN (SELECT value FROM json_each($4)) \
         RETURNING id, kind, payload, caller, attempts, max_attempts, priority, run_at, ordering_key, parent_id, time_limit, \
             progress_done, progress_total, progress_note",
        "UPDATE job SET state = 'running', worker = $1, lease_until = $2, attempts = attempts + 1, started_at = $3, shelf = 0 \
         WHERE state || '' = 'waiting' AND id = ANY (ARRAY(SELECT json_array_elements_text(CAST($4 AS JSON)))) \
         RETURNING id, kind, payload, caller, attempts, max_attempts, priority, run_at, ordering_key, parent_id, time_limit, \
             progress_done, progress_total, progress_note",
    )
    .bind(by.worker)
    .bind(by.lease_until)
    .bind(now)
    .bind(&ids)
    .all(tx)
    .await
}

/// Claims up to `limit` jobs of a queue that are ready, first those of the highest priority.
pub(super) async fn claim(tx: &mut Tx<'_>, by: Claim<'_>, queue: &str, limit: i64) -> Result<Taken> {
    lock_by_index(tx).await?;
    let front::Ready { ids, more } = front::ready(tx, by.kinds, queue, limit).await?;
    let mut jobs = take(tx, by, ids).await?;
    jobs.sort_by(|a, b| (-a.priority, a.run_at, &a.id).cmp(&(-b.priority, b.run_at, &b.id)));
    Ok(Taken { jobs, more })
}

/// Claims what comes right after the jobs that this very claim took, of the same subjects: they run one after another in
/// the same slot, so that a long line of one subject does not cost a claim for each. `subjects` share the places.
pub(super) async fn claim_followers(
    tx: &mut Tx<'_>,
    by: Claim<'_>,
    queue: &str,
    limit: i64,
    subjects: usize,
) -> Result<Vec<Claimed>> {
    let each = limit / i64::try_from(subjects).unwrap_or(limit).max(1);
    let mut ids = front::followers(tx, by, queue, each.max(1)).await?;
    ids.truncate(usize::try_from(limit).unwrap_or_default());
    let mut jobs = take(tx, by, ids).await?;
    jobs.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(jobs)
}

/// Claims one job by its id whatever its time, unless an earlier one of its subject has not ended.
pub(super) async fn claim_one(tx: &mut Tx<'_>, by: Claim<'_>, id: &str) -> Result<Option<Claimed>> {
    lock(tx).await?;
    let now = tx.now();
    sql(
        "UPDATE job SET state = 'running', worker = $1, lease_until = $2, attempts = attempts + 1, started_at = $3, shelf = 0 \
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
