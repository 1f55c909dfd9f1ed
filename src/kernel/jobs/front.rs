//! The front of a queue: the jobs that claims look at. What is meant for later, or stands behind another of its subject, is
//! put aside by the claim that meets it and comes back when its time has come or what was before it has ended. So a long
//! line of one subject, or a hundred thousand jobs for next month, are looked at once and not by every claim.
//!
//! Only claims, one at a time, put aside. Who ends a job tells nobody: its row stands in an index of its own until a claim
//! has seen it, whoever ended it and however.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::kernel::db::{Db, Signal, Tx, Write, pick, sql};
use crate::kernel::error::Result;

/// Where a job stands; stored in `shelf`.
const FRONT: i64 = 0;
const LATER: i64 = 1;
const BEHIND: i64 = 2;
/// It has ended, and what stood behind it has been told.
const MADE_WAY: i64 = 3;

/// How many are looked at once something stands in the way.
const DEEP: i64 = 1_000;
/// How often one claim looks.
const LOOKS: usize = 3;
/// Jobs that have ended, or whose time has come, taken up by one look.
const COMING: usize = 500;
/// Jobs brought back at once that no claim would have met.
const STRANDED: i64 = 500;

#[derive(sqlx::FromRow)]
struct Seen {
    id: String,
    ordering_key: Option<String>,
    priority: i64,
    run_at: i64,
    /// free, later, behind; ended, due
    stands: String,
}

/// Jobs that are ready, in the order in which they run, and whether there may be more behind those that stood in the way.
pub(super) struct Ready {
    pub ids: Vec<String>,
    pub more: bool,
}

/// Up to `limit` jobs of a queue that are ready: of a known kind, their time has come, their parts and whatever is before
/// them in their subject have ended. Inside the lock of claims.
pub(super) async fn ready(tx: &mut Tx<'_>, kinds: &str, queue: &str, limit: i64) -> Result<Ready> {
    let wanted = usize::try_from(limit).unwrap_or_default();
    let mut depth = limit;
    let mut looks = 0;
    loop {
        looks += 1;
        let seen = look(tx, kinds, queue, depth).await?;
        let of = |what: &str| seen.iter().filter(|one| one.stands == what).collect::<Vec<_>>();
        let (later, behind, ended, due) = (of("later"), of("behind"), of("ended"), of("due"));
        put(tx, LATER, &later).await?;
        put(tx, BEHIND, &behind).await?;
        put(tx, MADE_WAY, &ended).await?;
        put(tx, FRONT, &due).await?;
        let made_way = make_way(tx, &ended).await?;
        let came = made_way || !due.is_empty() || ended.len() == COMING;
        let mut free = of("free");
        let passed = later.len() + behind.len();
        let more = came || (passed > 0 && passed + free.len() >= usize::try_from(depth).unwrap_or_default());
        let is_enough = free.len() >= wanted;
        if is_enough || !more || looks == LOOKS {
            free.sort_unstable_by(|a, b| (-a.priority, a.run_at, &a.id).cmp(&(-b.priority, b.run_at, &b.id)));
            return Ok(Ready {
                ids: free.into_iter().take(wanted).map(|one| one.id.clone()).collect(),
                more: more && !is_enough,
            });
        }
        depth = limit.max(DEEP);
    }
}

/// What stands at the front, and what may come back to it. A job that was made to run at once is ready even
/// where the clock has been set back since. The state is named as the index of subjects names it, or SQLite does not find it.
async fn look(tx: &mut Tx<'_>, kinds: &str, queue: &str, depth: i64) -> Result<Vec<Seen>> {
    let now = tx.now();
    pick(
        "WITH front AS MATERIALIZED ( \
             SELECT j.id, j.ordering_key, j.priority, j.run_at, \
                 j.run_at > $1 AND (j.attempts > 0 OR j.run_at > j.created_at) AS later \
             FROM job AS j \
             WHERE j.state = 'waiting' AND j.queue = $2 AND j.shelf = 0 AND replace($3, '|' || j.kind || '|', '') <> $3 \
               AND NOT EXISTS (SELECT 1 FROM queue_pause AS q WHERE q.name = $2) \
               AND (NOT j.awaits OR (SELECT c.id FROM job AS c \
                   WHERE c.parent_id = j.id AND c.state IN ('waiting', 'running') LIMIT 1) IS NULL) \
             ORDER BY j.priority DESC, j.run_at, j.id LIMIT $4) \
         SELECT f.id, f.ordering_key, f.priority, f.run_at, CASE WHEN f.later THEN 'later' WHEN f.ordering_key IS NULL THEN 'free' \
             WHEN (SELECT o.id FROM job AS o WHERE o.ordering_key = f.ordering_key AND o.state = 'running' \
                 AND o.state IN ('waiting', 'running') LIMIT 1) IS NOT NULL THEN 'behind' \
             WHEN (SELECT o.id FROM job AS o WHERE o.ordering_key = f.ordering_key AND o.state = 'waiting' \
                 AND o.state IN ('waiting', 'running') AND o.id < f.id LIMIT 1) IS NOT NULL THEN 'behind' \
             ELSE 'free' END AS stands FROM front AS f \
         UNION ALL SELECT e.id, e.ordering_key, 0, 0, 'ended' FROM ( \
             SELECT w.id, w.ordering_key FROM job AS w \
             WHERE w.ordering_key IS NOT NULL AND w.state NOT IN ('waiting', 'running') AND w.shelf < 3 LIMIT $5) AS e \
         UNION ALL SELECT d.id, d.ordering_key, 0, 0, 'due' FROM ( \
             SELECT t.id, t.ordering_key FROM job AS t \
             WHERE t.shelf = 1 AND t.state || '' = 'waiting' AND t.queue = $2 AND t.run_at <= $1 LIMIT $5) AS d",
        "WITH front AS MATERIALIZED ( \
             SELECT j.id, j.ordering_key, j.priority, j.run_at, \
                 j.run_at > $1 AND (j.attempts > 0 OR j.run_at > j.created_at) AS later \
             FROM job AS j \
             WHERE j.state = 'waiting' AND j.queue = $2 AND j.shelf = 0 AND replace($3, '|' || j.kind || '|', '') <> $3 \
               AND NOT EXISTS (SELECT 1 FROM queue_pause AS q WHERE q.name = $2) \
               AND (NOT j.awaits OR (SELECT c.id FROM job AS c \
                   WHERE c.parent_id = j.id AND c.state IN ('waiting', 'running') LIMIT 1) IS NULL) \
             ORDER BY j.priority DESC, j.run_at, j.id LIMIT $4) \
         SELECT f.id, f.ordering_key, f.priority, f.run_at, CASE WHEN f.later THEN 'later' WHEN f.ordering_key IS NULL THEN 'free' \
             WHEN (SELECT o.id FROM job AS o WHERE o.ordering_key = f.ordering_key AND o.state || '' = 'running' \
                 AND o.state IN ('waiting', 'running') LIMIT 1) IS NOT NULL THEN 'behind' \
             WHEN (SELECT o.id FROM job AS o WHERE o.ordering_key = f.ordering_key AND o.state || '' = 'waiting' \
                 AND o.state IN ('waiting', 'running') AND o.id || '' < f.id LIMIT 1) IS NOT NULL THEN 'behind' \
             ELSE 'free' END AS stands FROM front AS f \
         UNION ALL SELECT e.id, e.ordering_key, 0, 0, 'ended' FROM ( \
             SELECT w.id, w.ordering_key FROM job AS w \
             WHERE w.ordering_key IS NOT NULL AND w.state NOT IN ('waiting', 'running') AND w.shelf < 3 LIMIT $5) AS e \
         UNION ALL SELECT d.id, d.ordering_key, 0, 0, 'due' FROM ( \
             SELECT t.id, t.ordering_key FROM job AS t \
             WHERE t.shelf = 1 AND t.state || '' = 'waiting' AND t.queue = $2 AND t.run_at <= $1 LIMIT $5) AS d",
    )
    .bind(now)
    .bind(queue)
    .bind(kinds)
    .bind(depth)
    .bind(COMING as i64)
    .all(tx)
    .await
}

/// Puts jobs somewhere. Whatever waits leaves that state under the lock of claims only, so it is still what was seen.
async fn put(tx: &mut Tx<'_>, shelf: i64, jobs: &[&Seen]) -> Result<()> {
    put_ids(tx, shelf, jobs.iter().map(|one| &*one.id).collect()).await
}

async fn put_ids(tx: &mut Tx<'_>, shelf: i64, ids: Vec<&str>) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    pick(
        "UPDATE job SET shelf = $1 WHERE id IN (SELECT value FROM json_each($2))",
        "UPDATE job SET shelf = $1 WHERE id = ANY (ARRAY(SELECT json_array_elements_text(CAST($2 AS JSON))))",
    )
    .bind(shelf)
    .bind(&Value::from(ids))
    .exec(tx)
    .await
    .map(drop)
}

/// Brings the first of each subject back, of which something has ended and nothing runs. Answers whether there was one.
async fn make_way(tx: &mut Tx<'_>, ended: &[&Seen]) -> Result<bool> {
    let subjects: BTreeSet<&str> = ended.iter().filter_map(|one| one.ordering_key.as_deref()).collect();
    if subjects.is_empty() {
        return Ok(false);
    }
    let came = pick(
        "UPDATE job SET shelf = 0 WHERE shelf = 2 AND id IN (SELECT (SELECT n.id FROM job AS n \
             WHERE n.ordering_key = k.value AND n.state = 'waiting' AND n.state IN ('waiting', 'running') \
             ORDER BY n.ordering_key, n.state, n.id LIMIT 1) \
         FROM json_each($1) AS k \
         WHERE NOT EXISTS (SELECT 1 FROM job AS r \
             WHERE r.ordering_key = k.value AND r.state = 'running' AND r.state IN ('waiting', 'running')))",
        "UPDATE job SET shelf = 0 WHERE shelf = 2 AND id = ANY (ARRAY(SELECT (SELECT n.id FROM job AS n \
             WHERE n.ordering_key = k.subject AND n.state || '' = 'waiting' AND n.state IN ('waiting', 'running') \
             ORDER BY n.ordering_key, n.state || '', n.id || '' LIMIT 1) \
         FROM json_array_elements_text(CAST($1 AS JSON)) AS k (subject) \
         WHERE NOT EXISTS (SELECT 1 FROM job AS r \
             WHERE r.ordering_key = k.subject AND r.state || '' = 'running' AND r.state IN ('waiting', 'running'))))",
    )
    .bind(&subjects.into_iter().collect::<Value>())
    .exec(tx)
    .await?;
    Ok(came > 0)
}

/// Up to `each` that come right after every job that this claim took, of the same subjects and in their order, up to the first
/// that is not ready. Step by step along the index: a line is never looked at as a whole.
pub(super) async fn followers(
    tx: &mut Tx<'_>,
    by: super::claim::Claim<'_>,
    queue: &str,
    each: i64,
) -> Result<Vec<String>> {
    let now = tx.now();
    let found: Vec<(String,)> = pick(
        "WITH RECURSIVE line (ordering_key, id, place) AS ( \
             SELECT r.ordering_key, r.id, CAST(0 AS BIGINT) FROM job AS r \
             WHERE r.state = 'running' AND r.worker = $1 AND r.lease_until = $2 AND r.started_at = $3 AND r.queue = $4 \
               AND r.ordering_key IS NOT NULL \
             UNION ALL \
             SELECT l.ordering_key, j.id, l.place + 1 FROM line AS l JOIN job AS j ON j.id = (SELECT n.id FROM job AS n \
                 WHERE n.ordering_key = l.ordering_key AND n.state = 'waiting' AND n.state IN ('waiting', 'running') \
                   AND n.id > l.id ORDER BY n.ordering_key, n.state, n.id LIMIT 1) \
             WHERE l.place < $6 AND j.queue = $4 AND j.run_at <= $3 AND NOT j.awaits \
               AND replace($5, '|' || j.kind || '|', '') <> $5) \
         SELECT id FROM line WHERE place > 0 ORDER BY id",
        "WITH RECURSIVE line (ordering_key, id, place) AS ( \
             SELECT r.ordering_key, r.id, CAST(0 AS BIGINT) FROM job AS r \
             WHERE r.state = 'running' AND r.worker = $1 AND r.lease_until = $2 AND r.started_at = $3 AND r.queue = $4 \
               AND r.ordering_key IS NOT NULL \
             UNION ALL \
             SELECT l.ordering_key, j.id, l.place + 1 FROM line AS l JOIN job AS j ON j.id = (SELECT n.id FROM job AS n \
                 WHERE n.ordering_key = l.ordering_key AND n.state || '' = 'waiting' AND n.state IN ('waiting', 'running') \
                   AND n.id || '' > l.id ORDER BY n.ordering_key, n.state || '', n.id || '' LIMIT 1) \
             WHERE l.place < $6 AND j.queue = $4 AND j.run_at <= $3 AND NOT j.awaits \
               AND replace($5, '|' || j.kind || '|', '') <> $5) \
         SELECT id FROM line WHERE place > 0 ORDER BY id",
    )
    .bind(by.worker)
    .bind(by.lease_until)
    .bind(now)
    .bind(queue)
    .bind(by.kinds)
    .bind(each)
    .all(tx)
    .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// Brings back what stands behind nobody, in case nobody was told: an older version of the program, beside which this one
/// runs for a while, puts nothing aside and tries a failed job again without a word. Answers how many.
///
/// # Errors
/// What the database says.
pub(super) async fn find_stranded(db: &Db) -> Result<usize> {
    let ids: Vec<(String,)> = sql(
        "SELECT j.id FROM job AS j WHERE j.state = 'waiting' AND j.shelf > 1 AND NOT EXISTS (SELECT 1 FROM job AS o \
             WHERE o.ordering_key = j.ordering_key AND o.state IN ('waiting', 'running') AND o.id <> j.id \
               AND (o.id < j.id OR o.state = 'running')) LIMIT $1",
    )
    .bind(STRANDED)
    .all(db)
    .await?;
    if ids.is_empty() {
        return Ok(0);
    }
    let ids = &ids;
    let write = db.write(Write::interactive("jobs.stranded"), |tx| {
        Box::pin(async move {
            super::claim::lock(tx).await?;
            tx.signal(Signal::Jobs);
            put_ids(tx, FRONT, ids.iter().map(|(id,)| &**id).collect()).await
        })
    });
    write.await?;
    Ok(ids.len())
}
