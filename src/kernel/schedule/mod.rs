//! Schedules: cron text with a time zone, turned into jobs by deduplicated inserts, so any number of schedulers is safe.
//!
//! Who moves `last_due` forward makes the job, in the same transaction. A run that has not started yet stands for the
//! next one too: a slow job never piles up.

mod runs;

use std::time::Duration;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

pub use runs::{Outcome, Run, prune, runs};

use super::access::Caller;
use super::db::{Db, Tx, Write, sql};
use super::error::{Error, Result};
use super::jobs::{self, JobRow, NewJob};

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;

/// A run that begins later than this after its time counts as missed.
const LATE: i64 = 60_000;
/// The clock is looked at this often at least: a machine may have slept.
const LOOK: Duration = Duration::from_secs(20);
/// Times that were dealt with lie so far ahead only where the clock was wrong: it counts from now again.
const WRONG_CLOCK: i64 = 86_400_000;

/// When a due time was missed because nothing ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    /// Run once, now.
    RunOnce,
    /// Wait for the next due time.
    Skip,
}

impl Missed {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RunOnce => "run-once",
            Self::Skip => "skip",
        }
    }
}

/// One schedule of a module.
#[derive(Clone)]
pub struct Schedule {
    /// Stored: never rename it.
    pub name: &'static str,
    /// Five fields: minute, hour, day of month, month, day of week.
    pub cron: &'static str,
    /// Where that time is read, such as `Europe/Paris`.
    pub zone: &'static str,
    pub missed: Missed,
    /// The job to make.
    pub job: fn() -> NewJob,
}

impl Schedule {
    /// In UTC; a missed run is made up for once.
    pub fn new(name: &'static str, cron: &'static str, job: fn() -> NewJob) -> Self {
        Self {
            name,
            cron,
            zone: "UTC",
            missed: Missed::RunOnce,
            job,
        }
    }
}

/// A schedule as stored, with its next time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub name: String,
    pub cron: String,
    pub zone: String,
    /// The kind of job it makes: its history is the jobs of this kind.
    pub kind: String,
    /// The last time that it was due and listed.
    pub last_due: Option<i64>,
    /// Up to here every due time is dealt with.
    dealt_with: Option<i64>,
    pub next_due: Option<i64>,
    pub paused: bool,
    /// The rule for missed times: `run-once` or `skip`.
    pub missed: String,
}

#[derive(sqlx::FromRow)]
struct Line {
    name: String,
    cron: String,
    zone: String,
    last_due: Option<i64>,
    paused: bool,
    job: String,
    missed: String,
}

/// Cron text in its time zone.
struct Times {
    cron: Cron,
    zone: jiff::tz::TimeZone,
}

impl Times {
    fn parse(cron: &str, zone: &str) -> Result<Self> {
        let parser = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build();
        let cron = parser
            .parse(cron)
            .map_err(|e| Error::invalid("cron", format!("\"{cron}\" is no cron text: {e}")))?;
        let zone = jiff::tz::TimeZone::get(zone)
            .map_err(|e| Error::invalid("zone", format!("\"{zone}\" is no time zone: {e}")))?;
        Ok(Self { cron, zone })
    }
    fn at(&self, ms: i64) -> Option<jiff::Zoned> {
        jiff::Timestamp::from_millisecond(ms)
            .ok()
            .map(|t| t.to_zoned(self.zone.clone()))
    }
    /// The last due time up to and with `now`.
    fn last(&self, now: i64) -> Option<i64> {
        let found = self.cron.find_previous_occurrence(&self.at(now)?, true).ok()?;
        Some(found.timestamp().as_millisecond())
    }
    /// The first due time after `now`.
    fn next(&self, now: i64) -> Option<i64> {
        let found = self.cron.find_next_occurrence(&self.at(now)?, false).ok()?;
        Some(found.timestamp().as_millisecond())
    }
}

/// Writes the schedules of this build and looks at their texts. A new or changed one starts counting now.
///
/// # Errors
/// A cron text or zone that is none; what the database says.
pub async fn register(db: &Db, schedules: &[Schedule]) -> Result<()> {
    let mut rows = Vec::with_capacity(schedules.len());
    for schedule in schedules {
        Times::parse(schedule.cron, schedule.zone)
            .map_err(|e| Error::internal(anyhow::anyhow!("the schedule {}: {e}", schedule.name)))?;
        rows.push((schedule, serde_json::to_string(&(schedule.job)().to_row()?)?));
    }
    let rows = &rows;
    db.write(Write::interactive("schedule.register"), |tx| {
        Box::pin(async move {
            let now = tx.now();
            for (schedule, job) in rows {
                sql(
                    "INSERT INTO schedule (name, cron, zone, last_due, paused, job, missed) VALUES ($1, $2, $3, $4, FALSE, $5, $6) \
                     ON CONFLICT (name) DO UPDATE SET cron = excluded.cron, zone = excluded.zone, job = excluded.job, missed = excluded.missed, \
                         last_due = CASE WHEN schedule.cron = excluded.cron AND schedule.zone = excluded.zone \
                             THEN schedule.last_due ELSE excluded.last_due END",
                )
                .bind(schedule.name)
                .bind(schedule.cron)
                .bind(schedule.zone)
                .bind(now)
                .bind(job)
                .bind(schedule.missed.as_str())
                .exec(&mut *tx)
                .await?;
            }
            Ok(())
        })
    })
    .await
}

/// Makes the jobs that are due. Answers when to look again.
///
/// # Errors
/// What the database says.
pub async fn tick(db: &Db, schedules: &[Schedule]) -> Result<Option<i64>> {
    let now = db.clock().now();
    let mut next = None;
    for schedule in schedules {
        let times = Times::parse(schedule.cron, schedule.zone)?;
        if let Some(due) = times.last(now) {
            make_due(db, schedule, &times, due, now).await?;
        }
        next = [next, times.next(now)].into_iter().flatten().min();
    }
    Ok(next)
}

async fn make_due(db: &Db, schedule: &Schedule, times: &Times, due: i64, now: i64) -> Result<()> {
    let (last,): (Option<i64>,) = sql("SELECT MAX(last_due) FROM schedule WHERE name = $1")
        .bind(schedule.name)
        .one(db)
        .await?;
    if let Some(last) = last.filter(|last| *last >= due) {
        // A clock that goes back an hour repeats nothing; one that was wrong by days must not stop the schedule for days.
        return if last > now + WRONG_CLOCK {
            count_from_now(db, schedule.name, last).await
        } else {
            Ok(())
        };
    }
    let is_skipped = schedule.missed == Missed::Skip && now - due > LATE;
    let gap = &last.map(|last| runs::between(times, last, due)).unwrap_or_default();
    let row = &(schedule.job)().to_row()?;
    let made = db
        .write(Write::interactive("schedule.due"), |tx| {
            Box::pin(async move {
                let won: Option<(bool,)> =
                    sql("UPDATE schedule SET last_due = $2 WHERE name = $1 AND (last_due IS NULL OR last_due < $2) RETURNING paused")
                        .bind(schedule.name)
                        .bind(due)
                        .opt(&mut *tx)
                        .await?;
                let Some((is_paused,)) = won else { return Ok(None) };
                let (outcome, earlier, id) = if is_paused {
                    (Outcome::Paused, Outcome::Paused, None)
                } else if is_skipped {
                    (Outcome::Skipped, Outcome::Skipped, None)
                } else {
                    let (id, is_new) = insert(tx, &Caller::system(), schedule.name, &due.to_string(), row).await?;
                    let outcome = if is_new { Outcome::Made } else { Outcome::Joined };
                    let earlier = if schedule.missed == Missed::Skip { Outcome::Skipped } else { Outcome::Missed };
                    (outcome, earlier, Some(id))
                };
                let mut noted = vec![(due, outcome, id.clone())];
                noted.extend(gap.iter().map(|due| (*due, earlier, None)));
                runs::note(tx, schedule.name, noted).await?;
                Ok(id)
            })
        })
        .await?;
    if let Some(id) = made {
        debug!(schedule = schedule.name, job.id = id, "due");
    } else if is_skipped {
        info!(schedule = schedule.name, "a run was missed and is left out");
    }
    Ok(())
}

async fn count_from_now(db: &Db, name: &str, last: i64) -> Result<()> {
    warn!(schedule = name, "the clock was far ahead; the schedule counts from now");
    db.write(Write::interactive("schedule.clock"), |tx| {
        Box::pin(async move {
            let now = tx.now();
            sql("UPDATE schedule SET last_due = $2 WHERE name = $1 AND last_due = $3")
                .bind(name)
                .bind(now)
                .bind(last)
                .exec(tx)
                .await
                .map(drop)
        })
    })
    .await
}

/// Makes a schedule's job unless one of it waits already. Its runs never overlap. Answers its id and whether it is new.
async fn insert(tx: &mut Tx<'_>, caller: &Caller, name: &str, slot: &str, row: &JobRow) -> Result<(String, bool)> {
    let mut row = row.clone();
    let order = row
        .ordering_key
        .get_or_insert_with(|| format!("schedule/{name}"))
        .clone();
    if row.unique_key.is_none() {
        let waiting: Option<(String,)> =
            sql("SELECT id FROM job WHERE ordering_key = $1 AND kind = $2 AND state = 'waiting' ORDER BY id LIMIT 1")
                .bind(order)
                .bind(&row.kind)
                .opt(&mut *tx)
                .await?;
        if let Some((id,)) = waiting {
            return Ok((id, false));
        }
        row.unique_key = Some(format!("{name}@{slot}"));
    }
    Ok((jobs::insert(tx, caller, &row).await?, true))
}

/// Makes jobs when they are due, until `stop`.
pub async fn run(db: Db, schedules: Vec<Schedule>, stop: CancellationToken) {
    let mut is_registered = false;
    while !stop.is_cancelled() {
        let looked = if is_registered {
            Ok(())
        } else {
            register(&db, &schedules).await
        };
        is_registered |= looked.is_ok();
        let next = match looked {
            Ok(()) => tick(&db, &schedules).await,
            Err(error) => Err(error),
        };
        let wait = match next {
            Ok(Some(next)) => {
                Duration::from_millis(u64::try_from(next - db.clock().now()).unwrap_or(0).max(10)).min(LOOK)
            }
            Ok(None) => LOOK,
            Err(error) => {
                warn!(?error, "schedules cannot be looked at; trying again");
                Duration::from_secs(2)
            }
        };
        // Either way round it goes; a stop ends the wait.
        let _ = tokio::time::timeout(wait, stop.cancelled()).await;
    }
}

/// Every schedule, by name.
///
/// # Errors
/// What the database says.
pub async fn list(db: &Db) -> Result<Vec<Stored>> {
    let now = db.clock().now();
    let lines: Vec<Line> = sql("SELECT name, cron, zone, last_due, paused, job, missed FROM schedule ORDER BY name")
        .all(db)
        .await?;
    let last = runs::last(db).await?;
    lines
        .into_iter()
        .map(|line| {
            let job: JobRow = serde_json::from_str(&line.job)?;
            // A text of another version of the program may not be understood here: it has no next time then.
            let next_due = Times::parse(&line.cron, &line.zone).ok().and_then(|t| t.next(now));
            Ok(Stored {
                last_due: last.get(&line.name).copied(),
                dealt_with: line.last_due,
                name: line.name,
                cron: line.cron,
                zone: line.zone,
                kind: job.kind,
                next_due: if line.paused { None } else { next_due },
                paused: line.paused,
                missed: line.missed,
            })
        })
        .collect()
}

/// Makes a schedule's job now. Answers its id, or that of the one that waits already.
///
/// # Errors
/// `NotFound`.
pub async fn run_now(db: &Db, caller: &Caller, name: &str) -> Result<String> {
    db.write(Write::interactive("schedule.run_now"), |tx| {
        Box::pin(async move {
            let stored: Option<(String,)> = sql("SELECT job FROM schedule WHERE name = $1")
                .bind(name)
                .opt(&mut *tx)
                .await?;
            let (job,) = stored.ok_or_else(|| Error::not_found("schedule", name))?;
            let now = tx.now();
            let (id, is_new) = insert(tx, caller, name, "now", &serde_json::from_str(&job)?).await?;
            if is_new {
                runs::note(tx, name, vec![(now, Outcome::ByHand, Some(id.clone()))]).await?;
            }
            Ok(id)
        })
    })
    .await
}

/// Stops a schedule or lets it go on. What was due meanwhile is listed as paused and not made up for.
///
/// # Errors
/// `NotFound`.
pub async fn pause(db: &Db, name: &str, paused: bool) -> Result<()> {
    let stored = list(db).await?.into_iter().find(|one| one.name == name);
    let stored = stored.ok_or_else(|| Error::not_found("schedule", name))?;
    let now = db.clock().now();
    // Where no scheduler ran during the pause, nobody has listed these yet. A text of another version tells no times.
    let gap = match (Times::parse(&stored.cron, &stored.zone), stored.dealt_with) {
        (Ok(times), Some(last)) if stored.paused && !paused => runs::between(&times, last, now + 1),
        _ => Vec::new(),
    };
    let gap = &gap;
    db.write(Write::interactive("schedule.pause"), |tx| {
        Box::pin(async move {
            sql("UPDATE schedule SET paused = $2, last_due = CASE WHEN paused THEN $3 ELSE last_due END WHERE name = $1")
                .bind(name)
                .bind(paused)
                .bind(now)
                .exec(&mut *tx)
                .await?;
            let noted = gap.iter().map(|due| (*due, Outcome::Paused, None)).collect();
            runs::note(tx, name, noted).await
        })
    })
    .await
}
