//! Making jobs, in the transaction of what asks for them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::model::{MAX_JSON, MAX_KEY, Rule};
use super::{DEFAULT, store};
use crate::kernel::access::Caller;
use crate::kernel::db::{Signal, Tx, Val, insert_many, sql};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::id::new_id;

/// A job to make.
#[derive(Clone, Debug)]
pub struct NewJob {
    pub kind: &'static str,
    pub payload: Value,
    pub queue: &'static str,
    /// Larger goes first; 0 is ordinary.
    pub priority: i64,
    /// At most one waiting or running job has this key; `rule` says what is done about an earlier one.
    pub unique_key: Option<String>,
    pub rule: Rule,
    /// Jobs with the same key run one after another, in the order they were made.
    pub ordering_key: Option<String>,
    /// Milliseconds since 1970 before which it does not run.
    pub run_at: Option<i64>,
    pub max_attempts: i64,
    /// Milliseconds that one try may take.
    pub time_limit: Option<i64>,
}

impl NewJob {
    pub fn new(kind: &'static str, payload: Value) -> Self {
        Self {
            kind,
            payload,
            queue: DEFAULT,
            priority: 0,
            unique_key: None,
            rule: Rule::default(),
            ordering_key: None,
            run_at: None,
            max_attempts: 5,
            time_limit: None,
        }
    }
    #[must_use]
    pub fn queue(mut self, queue: &'static str) -> Self {
        self.queue = queue;
        self
    }
    #[must_use]
    pub fn priority(mut self, priority: i64) -> Self {
        self.priority = priority;
        self
    }
    #[must_use]
    pub fn unique_key(mut self, key: impl Into<String>) -> Self {
        self.unique_key = Some(key.into());
        self
    }
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rule = rule;
        self
    }
    #[must_use]
    pub fn time_limit(mut self, ms: i64) -> Self {
        self.time_limit = Some(ms);
        self
    }
    #[must_use]
    pub fn ordering_key(mut self, key: impl Into<String>) -> Self {
        self.ordering_key = Some(key.into());
        self
    }
    #[must_use]
    pub fn run_at(mut self, ms: i64) -> Self {
        self.run_at = Some(ms);
        self
    }
    #[must_use]
    pub fn max_attempts(mut self, attempts: i64) -> Self {
        self.max_attempts = attempts;
        self
    }

    pub(in crate::kernel) fn to_row(&self) -> Result<JobRow> {
        let unique_key = checked_key(self.unique_key.as_deref())?;
        let ordering_key = checked_key(self.ordering_key.as_deref())?;
        // One that takes the place of another runs after it.
        let follows = unique_key.as_ref().filter(|_| self.rule != Rule::Ignore);
        let ordering_key = ordering_key.or_else(|| follows.map(|key| format!("unique/{key}")));
        Ok(JobRow {
            kind: self.kind.to_owned(),
            payload: self.payload.to_string(),
            queue: self.queue.to_owned(),
            priority: self.priority,
            unique_key,
            rule: self.rule,
            ordering_key,
            run_at: self.run_at,
            max_attempts: self.max_attempts.max(1),
            time_limit: self.time_limit.filter(|ms| *ms > 0),
            parent: None,
            awaits: false,
        })
    }
}

/// Who asks, as it is stored.
pub(super) struct Asker<'a> {
    pub text: String,
    pub request_id: Option<&'a str>,
}

impl<'a> Asker<'a> {
    fn of(caller: &'a Caller) -> Result<Self> {
        Ok(Self {
            text: serde_json::to_string(caller)?,
            request_id: caller.request_id.as_deref(),
        })
    }
}

/// A job as it is stored, also when its kind is known only from the database (schedules).
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(in crate::kernel) struct JobRow {
    pub kind: String,
    pub payload: String,
    pub queue: String,
    pub priority: i64,
    pub unique_key: Option<String>,
    pub ordering_key: Option<String>,
    pub run_at: Option<i64>,
    pub max_attempts: i64,
    #[serde(default)]
    pub rule: Rule,
    #[serde(default)]
    pub time_limit: Option<i64>,
    #[serde(skip)]
    pub parent: Option<String>,
    #[serde(skip)]
    pub awaits: bool,
}

const COLUMNS: [&str; 21] = [
    "id",
    "queue",
    "kind",
    "payload",
    "state",
    "priority",
    "unique_key",
    "ordering_key",
    "attempts",
    "max_attempts",
    "run_at",
    "cancel",
    "progress_done",
    "progress_note",
    "caller",
    "created_at",
    "progress_total",
    "request_id",
    "parent_id",
    "awaits",
    "time_limit",
];

impl JobRow {
    /// Whether a worker may begin it as soon as it is there.
    fn is_ready(&self, now: i64) -> bool {
        !self.awaits && self.run_at.is_none_or(|at| at <= now)
    }

    fn values(&self, id: &str, caller: &Asker<'_>, now: i64) -> Result<Vec<Val>> {
        if self.payload.len() > MAX_JSON {
            return Err(Error::new(
                Code::TooLarge,
                format!(
                    "The payload of a job {} has {} bytes, more than {MAX_JSON}. Put the data into a blob.",
                    self.kind,
                    self.payload.len()
                ),
            ));
        }
        Ok(vec![
            id.into(),
            (&self.queue).into(),
            (&self.kind).into(),
            (&self.payload).into(),
            "waiting".into(),
            self.priority.into(),
            self.unique_key.clone().into(),
            self.ordering_key.clone().into(),
            0_i64.into(),
            self.max_attempts.into(),
            self.run_at.unwrap_or(now).into(),
            false.into(),
            0_i64.into(),
            "".into(),
            (&caller.text).into(),
            now.into(),
            Val::I64(None),
            caller.request_id.into(),
            self.parent.clone().into(),
            self.awaits.into(),
            self.time_limit.into(),
        ])
    }
}

/// Keys are compared and stored whole; a NUL would be refused by PostgreSQL only.
fn checked_key(key: Option<&str>) -> Result<Option<String>> {
    match key {
        Some(key) if key.len() > MAX_KEY || key.contains('\0') => Err(Error::invalid(
            "key",
            format!("A job's key has at most {MAX_KEY} bytes and no NUL."),
        )),
        key => Ok(key.map(str::to_owned)),
    }
}

/// Makes a job in the transaction of what asks for it, and wakes workers after the commit. Answers its id, or the id of
/// the job that has the same unique key.
///
/// # Errors
/// What the database says; a payload of more than 1 MiB.
pub async fn enqueue(tx: &mut Tx<'_>, caller: &Caller, job: NewJob) -> Result<String> {
    let row = job.to_row()?;
    insert(tx, caller, &row).await
}

/// Makes many jobs in as few statements as can be; the ids are in their order.
///
/// # Errors
/// As [`enqueue`].
pub async fn enqueue_many(tx: &mut Tx<'_>, caller: &Caller, jobs: Vec<NewJob>) -> Result<Vec<String>> {
    let rows = jobs.iter().map(NewJob::to_row).collect::<Result<Vec<_>>>()?;
    insert_rows(tx, caller, rows).await
}

/// Makes a job and its parts: it begins when all of them have ended, in whatever way, and tells until then how far they
/// are. Cancelling it cancels them. Answers its id; a job that stands for it by its unique key keeps its own parts.
///
/// # Errors
/// As [`enqueue`].
pub async fn enqueue_with_parts(tx: &mut Tx<'_>, caller: &Caller, whole: NewJob, parts: Vec<NewJob>) -> Result<String> {
    let row = JobRow {
        awaits: !parts.is_empty(),
        ..whole.to_row()?
    };
    let (id, is_new) = insert_or_find(tx, caller, &row).await?;
    if is_new {
        let part = |part: &NewJob| -> Result<JobRow> {
            Ok(JobRow {
                parent: Some(id.clone()),
                ..part.to_row()?
            })
        };
        let parts = parts.iter().map(part).collect::<Result<Vec<_>>>()?;
        insert_rows(tx, caller, parts).await?;
    }
    Ok(id)
}

async fn insert_rows(tx: &mut Tx<'_>, caller: &Caller, jobs: Vec<JobRow>) -> Result<Vec<String>> {
    let who = Asker::of(caller)?;
    let now = tx.now();
    let mut ids = Vec::with_capacity(jobs.len());
    let mut rows = Vec::with_capacity(jobs.len());
    let queues: BTreeSet<&str> = jobs
        .iter()
        .filter(|job| job.is_ready(now))
        .map(|job| &*job.queue)
        .collect();
    queues.into_iter().for_each(|queue| tx.expect(queue));
    for job in jobs {
        if job.unique_key.is_some() {
            // One by one: a second job of the same key may stand in this very list.
            ids.push(insert(tx, caller, &job).await?);
        } else {
            let id = new_id();
            rows.push(job.values(&id, &who, now)?);
            ids.push(id);
        }
    }
    insert_many(tx, "job", &COLUMNS, "", rows).await?;
    tx.signal(Signal::Jobs);
    Ok(ids)
}

/// As [`enqueue`], for a job whose kind comes from the database.
pub(in crate::kernel) async fn insert(tx: &mut Tx<'_>, caller: &Caller, job: &JobRow) -> Result<String> {
    Ok(insert_or_find(tx, caller, job).await?.0)
}

/// Makes a job, or finds the one that stands for it. Answers its id and whether it is new.
async fn insert_or_find(tx: &mut Tx<'_>, caller: &Caller, job: &JobRow) -> Result<(String, bool)> {
    let who = Asker::of(caller)?;
    let now = tx.now();
    let id = new_id();
    tx.signal(Signal::Jobs);
    if job.is_ready(now) {
        tx.expect(&job.queue);
    }
    let Some(key) = job.unique_key.as_deref() else {
        let values = job.values(&id, &who, now)?;
        insert_many(tx, "job", &COLUMNS, "", vec![values]).await?;
        return Ok((id, true));
    };
    // The job with the key may end between the two statements, hence another round.
    for _ in 0..8 {
        let values = job.values(&id, &who, now)?;
        if insert_many(tx, "job", &COLUMNS, "ON CONFLICT DO NOTHING", vec![values]).await? == 1 {
            return Ok((id, true));
        }
        let existing: Option<(String,)> =
            sql("SELECT id FROM job WHERE unique_key = $1 AND state IN ('waiting', 'running')")
                .bind(key)
                .opt(&mut *tx)
                .await?;
        let Some((earlier,)) = existing else { continue };
        match job.rule {
            Rule::Ignore => return Ok((earlier, false)),
            Rule::Replace if store::replace(tx, &earlier, job, &who).await? => return Ok((earlier, false)),
            Rule::Replace => store::let_go(tx, &earlier).await?,
            Rule::Supersede => store::supersede(tx, &earlier, &id).await?,
        }
    }
    Err(Error::new(
        Code::Busy,
        "Jobs with the same key come and go too quickly. Try again.",
    ))
}
