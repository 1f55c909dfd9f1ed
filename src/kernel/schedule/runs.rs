//! What came of each due time of a schedule: every one stands here once, with its job or with the rule by which it has
//! none. Old lines are forgotten.

use std::collections::HashMap;

use serde::Serialize;

use super::Times;
use crate::kernel::db::{Db, Tx, Val, Write, insert_many, sql};
use crate::kernel::error::{Error, Result};

/// Due times of one gap that are listed one by one: the newest.
const MOST_MISSED: usize = 1_000;
const COLUMNS: [&str; 4] = ["name", "due_at", "outcome", "job_id"];

/// What came of a due time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A job was made for it.
    Made,
    /// A job of an earlier due time had not begun and stands for this one too.
    Joined,
    /// Nothing ran at that time; one later run made up for it and its like.
    Missed,
    /// Nothing ran at that time, and the rule of the schedule leaves it out.
    Skipped,
    /// The schedule was paused.
    Paused,
    /// Somebody asked for it.
    ByHand,
}

impl Outcome {
    pub const ALL: [Self; 6] = [
        Self::Made,
        Self::Joined,
        Self::Missed,
        Self::Skipped,
        Self::Paused,
        Self::ByHand,
    ];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Joined => "joined",
            Self::Missed => "missed",
            Self::Skipped => "skipped",
            Self::Paused => "paused",
            Self::ByHand => "by-hand",
        }
    }
    fn parse(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|outcome| outcome.as_str() == text);
        found.ok_or_else(|| Error::internal(anyhow::anyhow!("\"{text}\" is no outcome of a due time")))
    }
}

/// A due time and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub due_at: i64,
    pub outcome: Outcome,
    pub job_id: Option<String>,
    /// State of the job, while it is kept.
    pub state: Option<String>,
    pub started_at: Option<i64>,
    pub ended_at: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct Line {
    due_at: i64,
    outcome: String,
    job_id: Option<String>,
    state: Option<String>,
    started_at: Option<i64>,
    ended_at: Option<i64>,
}

/// The due times between two, newest first, without both.
pub(super) fn between(times: &Times, after: i64, before: i64) -> Vec<i64> {
    let earlier = |due: &i64| times.last(due - 1).filter(|earlier| *earlier > after);
    std::iter::successors(earlier(&before), earlier)
        .take(MOST_MISSED)
        .collect()
}

/// Notes what came of due times.
pub(super) async fn note(tx: &mut Tx<'_>, name: &str, runs: Vec<(i64, Outcome, Option<String>)>) -> Result<()> {
    let row = |(due, outcome, job): (i64, Outcome, Option<String>)| -> Vec<Val> {
        vec![name.into(), due.into(), outcome.as_str().into(), job.into()]
    };
    let rows: Vec<Vec<Val>> = runs.into_iter().map(row).collect();
    insert_many(tx, "schedule_run", &COLUMNS, "ON CONFLICT DO NOTHING", rows)
        .await
        .map(drop)
}

/// What came of the last due times of a schedule, newest first.
///
/// # Errors
/// What the database says.
pub async fn runs(db: &Db, name: &str, limit: i64) -> Result<Vec<Run>> {
    let lines: Vec<Line> = sql(
        "SELECT r.due_at, r.outcome, r.job_id, j.state, j.started_at, j.ended_at FROM schedule_run r \
         LEFT JOIN job j ON j.id = r.job_id WHERE r.name = $1 ORDER BY r.due_at DESC LIMIT $2",
    )
    .bind(name)
    .bind(limit)
    .all(db)
    .await?;
    let run = |line: Line| -> Result<Run> {
        Ok(Run {
            outcome: Outcome::parse(&line.outcome)?,
            due_at: line.due_at,
            job_id: line.job_id,
            state: line.state,
            started_at: line.started_at,
            ended_at: line.ended_at,
        })
    };
    lines.into_iter().map(run).collect()
}

/// The last due time that is listed of each schedule, by name.
pub(super) async fn last(db: &Db) -> Result<HashMap<String, i64>> {
    let rows: Vec<(String, i64)> =
        sql("SELECT name, MAX(due_at) FROM schedule_run WHERE outcome <> 'by-hand' GROUP BY name")
            .all(db)
            .await?;
    Ok(rows.into_iter().collect())
}

/// Forgets due times before a moment. Answers how many.
///
/// # Errors
/// What the database says.
pub async fn prune(db: &Db, before: i64) -> Result<u64> {
    db.write(Write::bulk("schedule.prune"), |tx| {
        Box::pin(async move {
            sql("DELETE FROM schedule_run WHERE due_at < $1")
                .bind(before)
                .exec(tx)
                .await
        })
    })
    .await
}
