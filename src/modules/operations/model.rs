//! Jobs, processes and schedules as the API shows them: times as text, reasons in words.

use serde::Serialize;
use serde_json::Value;

use crate::kernel::clock::rfc3339;
use crate::kernel::jobs::{Job, LogLine, Parts, Progress, State, Wait};
use crate::kernel::process::{DEAD_AFTER, Process};
use crate::kernel::schedule;

/// A job.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct JobView {
    id: String,
    kind: String,
    queue: String,
    state: State,
    /// Somebody asked it to stop.
    cancel_asked: bool,
    /// Why it waits, in words; absent unless it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    waits: Option<String>,
    /// The same for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    wait: Option<Wait>,
    progress: Progress,
    priority: i64,
    attempts: i64,
    max_attempts: i64,
    /// Jobs with the same one run one after another.
    #[serde(skip_serializing_if = "Option::is_none")]
    ordering_key: Option<String>,
    /// The job it is a part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    /// How far its parts are; while they run, its progress counts them.
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<Parts>,
    /// Milliseconds one try may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    time_limit_ms: Option<i64>,
    /// The newer job of the same purpose that took its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    superseded_by: Option<String>,
    /// Who asked for it.
    actor: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    worker: Option<String>,
    /// What the last try died of.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Value>,
    created_at: String,
    /// It does not run before.
    run_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<String>,
}

/// What a job answers, without values of records: who may see jobs may not see those for that.
fn without_values(mut result: Value) -> Value {
    if let Some(parts) = result.as_object_mut() {
        parts.shift_remove("changes");
        parts.shift_remove("refusals");
    }
    result
}

impl From<Job> for JobView {
    fn from(job: Job) -> Self {
        Self {
            waits: job.wait.as_ref().map(Wait::to_string),
            wait: job.wait,
            id: job.id,
            kind: job.kind,
            queue: job.queue,
            state: job.state,
            cancel_asked: job.cancel,
            progress: job.progress,
            priority: job.priority,
            attempts: job.attempts,
            max_attempts: job.max_attempts,
            ordering_key: job.ordering_key,
            parent: job.parent,
            parts: job.parts,
            time_limit_ms: job.time_limit,
            superseded_by: job.superseded_by,
            actor: job.caller.actor(),
            worker: job.worker,
            error: job.error,
            result: job.result.map(without_values),
            created_at: rfc3339(job.created_at),
            run_at: rfc3339(job.run_at),
            started_at: job.started_at.map(rfc3339),
            ended_at: job.ended_at.map(rfc3339),
        }
    }
}

/// Jobs, newest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct JobList {
    pub items: Vec<JobView>,
    /// `cursor` of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A line of a job's log.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct LogLineView {
    line: i64,
    at: String,
    level: String,
    message: String,
}

impl From<LogLine> for LogLineView {
    fn from(line: LogLine) -> Self {
        Self {
            line: line.line,
            at: rfc3339(line.at),
            level: line.level,
            message: line.message,
        }
    }
}

/// Lines of a job's log, oldest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct LogList {
    pub items: Vec<LogLineView>,
    /// `after` of the next lines, also when there are none yet.
    pub next: i64,
}

/// A process of this installation.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ProcessView {
    id: String,
    roles: Vec<String>,
    queues: Vec<String>,
    host: String,
    pid: i64,
    started_at: String,
    beat_at: String,
    /// Roles that were told to pause.
    paused: Vec<String>,
    /// What it was told to log while it runs; absent where its settings hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    log_level: Option<String>,
    /// False when it has been silent for more than 10 s.
    alive: bool,
    /// How far its search index has followed the ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    index_position: Option<String>,
    /// Changes that its search index does not know yet, counted up to 10,000; absent without an index.
    #[serde(skip_serializing_if = "Option::is_none")]
    index_lag: Option<i64>,
}

impl ProcessView {
    pub fn at(process: Process, now: i64, index_lag: Option<i64>) -> Self {
        Self {
            alive: process.beat_at >= now - DEAD_AFTER,
            id: process.id,
            roles: process.roles,
            queues: process.queues,
            host: process.host,
            pid: process.pid,
            started_at: rfc3339(process.started_at),
            beat_at: rfc3339(process.beat_at),
            index_position: process.index.map(|p| p.to_string()),
            index_lag,
            paused: process.paused,
            log_level: Some(process.log_level).filter(|level| !level.is_empty()),
        }
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ProcessList {
    pub items: Vec<ProcessView>,
}

/// A schedule. Its history is the jobs of its kind.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ScheduleView {
    name: String,
    cron: String,
    zone: String,
    /// The kind of job it makes.
    kind: String,
    paused: bool,
    /// What is done about a time that was missed: `run-once` or `skip`.
    missed: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_due: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_due: Option<String>,
}

impl From<schedule::Stored> for ScheduleView {
    fn from(stored: schedule::Stored) -> Self {
        Self {
            name: stored.name,
            cron: stored.cron,
            zone: stored.zone,
            kind: stored.kind,
            paused: stored.paused,
            missed: stored.missed,
            last_due: stored.last_due.map(rfc3339),
            next_due: stored.next_due.map(rfc3339),
        }
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ScheduleList {
    pub items: Vec<ScheduleView>,
}

/// The job that a schedule made.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct MadeJob {
    pub id: String,
}
