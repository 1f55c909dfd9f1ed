//! Jobs as people and programs see them: one, many, their log, and the reason why one waits.

use serde_json::Value;

use super::model::{Parts, Progress, State, Wait, clean};
use super::wait;
use crate::kernel::access::Caller;
use crate::kernel::db::{Db, Filter, sql};
use crate::kernel::error::{Error, Result};
use crate::kernel::id::is_id;

/// Jobs that are looked at for the kinds there are.
const NEWEST: i64 = 2_000;
/// And at the front of a queue.
const FRONT: i64 = 500;
/// A job that was made longer before, in milliseconds, is not looked for among those that ended.
const LONG: i64 = 86_400_000;

/// A job as stored, with the reason why it waits.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    pub id: String,
    pub queue: String,
    pub kind: String,
    pub payload: Value,
    pub state: State,
    pub priority: i64,
    pub ordering_key: Option<String>,
    pub attempts: i64,
    pub max_attempts: i64,
    pub run_at: i64,
    pub worker: Option<String>,
    /// Somebody asked it to stop.
    pub cancel: bool,
    pub progress: Progress,
    pub result: Option<Value>,
    /// What the last try died of.
    pub error: Option<String>,
    pub caller: Caller,
    pub created_at: i64,
    pub started_at: Option<i64>,
    pub ended_at: Option<i64>,
    /// The job it is a part of.
    pub parent: Option<String>,
    /// It was made with parts.
    pub has_parts: bool,
    /// How far they are, while they are kept.
    pub parts: Option<Parts>,
    /// Milliseconds one try may take.
    pub time_limit: Option<i64>,
    /// The newer job that took its place.
    pub superseded_by: Option<String>,
    pub wait: Option<Wait>,
}

/// Which jobs to list, newest first.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    pub state: Option<State>,
    pub kind: Option<String>,
    pub queue: Option<String>,
    /// Those that one request led to.
    pub request: Option<String>,
    /// Those that are parts of one job.
    pub parent: Option<String>,
    /// Only those made before the job with this id.
    pub before: Option<String>,
}

/// A line of a job's log.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct LogLine {
    /// From 1.
    pub line: i64,
    pub at: i64,
    pub level: String,
    pub message: String,
}

/// How many jobs of a queue wait and run.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct QueueCount {
    pub queue: String,
    pub state: String,
    pub count: i64,
}

#[derive(sqlx::FromRow)]
struct Stored {
    id: String,
    queue: String,
    kind: String,
    payload: String,
    state: String,
    priority: i64,
    ordering_key: Option<String>,
    attempts: i64,
    max_attempts: i64,
    run_at: i64,
    worker: Option<String>,
    cancel: bool,
    progress_done: i64,
    progress_total: Option<i64>,
    progress_note: String,
    result: Option<String>,
    error: Option<String>,
    caller: String,
    created_at: i64,
    started_at: Option<i64>,
    ended_at: Option<i64>,
    parent_id: Option<String>,
    awaits: bool,
    time_limit: Option<i64>,
    superseded_by: Option<String>,
}

/// JSON as it was stored; what is none, as a text.
fn stored_json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

impl Stored {
    fn into_job(self) -> Result<Job> {
        Ok(Job {
            payload: stored_json(&self.payload),
            state: State::parse(&self.state)?,
            progress: Progress {
                done: self.progress_done,
                total: self.progress_total,
                note: self.progress_note,
            },
            result: self.result.as_deref().map(stored_json),
            caller: serde_json::from_str(&self.caller)?,
            id: self.id,
            queue: self.queue,
            kind: self.kind,
            priority: self.priority,
            ordering_key: self.ordering_key,
            attempts: self.attempts,
            max_attempts: self.max_attempts,
            run_at: self.run_at,
            worker: self.worker,
            cancel: self.cancel,
            error: self.error,
            created_at: self.created_at,
            started_at: self.started_at,
            ended_at: self.ended_at,
            parent: self.parent_id,
            has_parts: self.awaits,
            parts: None,
            time_limit: self.time_limit,
            superseded_by: self.superseded_by,
            wait: None,
        })
    }
}

/// Refuses what cannot be an id before the database is asked.
pub(super) fn checked_id(id: &str) -> Result<()> {
    if is_id(id) {
        Ok(())
    } else {
        Err(Error::not_found("job", &clean(id, 40)))
    }
}

/// One job with the reason why it waits.
///
/// # Errors
/// `NotFound`.
pub async fn get(db: &Db, id: &str) -> Result<Job> {
    checked_id(id)?;
    let stored: Option<Stored> = sql(
        "SELECT id, queue, kind, payload, state, priority, ordering_key, attempts, max_attempts, run_at, worker, cancel, \
             progress_done, progress_total, progress_note, result, error, caller, created_at, started_at, ended_at, \
             parent_id, awaits, time_limit, superseded_by FROM job WHERE id = $1",
    )
    .bind(id)
    .opt(db)
    .await?;
    let mut job = stored.ok_or_else(|| Error::not_found("job", id))?.into_job()?;
    wait::explain(db, std::slice::from_mut(&mut job)).await?;
    Ok(job)
}

/// Jobs, newest first.
///
/// # Errors
/// What the database says.
pub async fn list(db: &Db, filter: &JobFilter, limit: i64) -> Result<Vec<Job>> {
    let stored: Vec<Stored> = Filter::new(
        "SELECT id, queue, kind, payload, state, priority, ordering_key, attempts, max_attempts, run_at, worker, cancel, \
             progress_done, progress_total, progress_note, result, error, caller, created_at, started_at, ended_at, \
             parent_id, awaits, time_limit, superseded_by FROM job",
    )
    .and_some("state = ?", filter.state.map(State::as_str))
    .and_some("kind = ?", filter.kind.as_deref())
    .and_some("queue = ?", filter.queue.as_deref())
    .and_some("request_id = ?", filter.request.as_deref())
    .and_some("parent_id = ?", filter.parent.as_deref())
    .and_some("id < ?", filter.before.as_deref())
    .end("ORDER BY id DESC", limit)
    .all(db)
    .await?;
    let mut jobs = stored.into_iter().map(Stored::into_job).collect::<Result<Vec<_>>>()?;
    wait::explain(db, &mut jobs).await?;
    Ok(jobs)
}

/// Lines of a job's log after a line, oldest first.
///
/// # Errors
/// What the database says.
pub async fn log_lines(db: &Db, id: &str, after: i64, limit: i64) -> Result<Vec<LogLine>> {
    sql("SELECT line, at, level, message FROM job_log WHERE job_id = $1 AND line > $2 ORDER BY line LIMIT $3")
        .bind(id)
        .bind(after)
        .bind(limit)
        .all(db)
        .await
}

/// How many jobs wait and run in each queue.
///
/// # Errors
/// What the database says.
pub async fn counts(db: &Db) -> Result<Vec<QueueCount>> {
    sql(
        "SELECT queue, state, COUNT(*) AS count FROM job WHERE state = 'waiting' GROUP BY queue, state \
         UNION ALL SELECT queue, state, COUNT(*) AS count FROM job WHERE state = 'running' GROUP BY queue, state \
         ORDER BY queue, state",
    )
    .all(db)
    .await
}

/// The kinds at the front of a queue, by name: what nobody there can run stays at its front.
///
/// # Errors
/// What the database says.
pub async fn front_kinds(db: &Db, queue: &str) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = sql(
        "SELECT DISTINCT kind FROM (SELECT kind FROM job WHERE state = 'waiting' AND queue = $1 AND shelf = 0 \
             ORDER BY priority DESC, run_at, id LIMIT $2) AS front ORDER BY kind",
    )
    .bind(queue)
    .bind(FRONT)
    .all(db)
    .await?;
    Ok(rows.into_iter().map(|(kind,)| kind).collect())
}

/// The kinds of the newest jobs, by name.
///
/// # Errors
/// What the database says.
pub async fn kinds(db: &Db) -> Result<Vec<String>> {
    let rows: Vec<(String,)> =
        sql("SELECT DISTINCT kind FROM (SELECT kind FROM job ORDER BY id DESC LIMIT $1) AS newest ORDER BY kind")
            .bind(NEWEST)
            .all(db)
            .await?;
    Ok(rows.into_iter().map(|(kind,)| kind).collect())
}

/// How many jobs of each kind have failed, by name.
///
/// # Errors
/// What the database says.
pub async fn failed_kinds(db: &Db) -> Result<Vec<(String, i64)>> {
    sql("SELECT kind, COUNT(*) FROM job WHERE state = 'failed' GROUP BY kind ORDER BY kind")
        .all(db)
        .await
}

/// How many jobs ended in each step of `step` milliseconds since a moment, by state: `(step, state, count)`.
///
/// # Errors
/// What the database says.
pub async fn throughput(db: &Db, since: i64, step: i64) -> Result<Vec<(i64, String, i64)>> {
    sql("SELECT ended_at / $1 AS slot, state, COUNT(*) FROM job WHERE ended_at >= $2 AND created_at >= $3 GROUP BY slot, state ORDER BY slot, state")
        .bind(step)
        .bind(since)
        .bind(since - LONG)
        .all(db)
        .await
}
