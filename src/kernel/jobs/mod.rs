//! Jobs: every long thing, with progress, log, cancel, retry and a reason while it waits.
//!
//! At least once, said openly. A handler that writes only through [`JobContext::finish_with`] is exactly once, because
//! completion commits with its writes.

use std::future::Future;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::access::Caller;
use super::db::Tx;
use super::error::{Error, Result};

/// The queue of ordinary jobs.
pub const DEFAULT: &str = "default";
/// The queue of event deliveries.
pub const EVENTS: &str = "events";
/// The queue of imports and exports.
pub const EXCHANGE: &str = "exchange";

/// A job to make.
#[derive(Clone, Debug)]
pub struct NewJob {
    pub kind: &'static str,
    pub payload: Value,
    pub queue: &'static str,
    /// Larger goes first; 0 is ordinary.
    pub priority: i64,
    /// At most one waiting or running job has this key; a second one is not made and the first one's id is answered.
    pub unique_key: Option<String>,
    /// Jobs with the same key run one after another, in the order they were made.
    pub ordering_key: Option<String>,
    /// Milliseconds since 1970 before which it does not run.
    pub run_at: Option<i64>,
    pub max_attempts: i64,
}

impl NewJob {
    pub fn new(kind: &'static str, payload: Value) -> Self {
        Self {
            kind,
            payload,
            queue: DEFAULT,
            priority: 0,
            unique_key: None,
            ordering_key: None,
            run_at: None,
            max_attempts: 5,
        }
    }
    #[must_use]
    pub fn queue(mut self, queue: &'static str) -> Self {
        self.queue = queue;
        self
    }
    #[must_use]
    pub fn unique_key(mut self, key: impl Into<String>) -> Self {
        self.unique_key = Some(key.into());
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
}

/// Makes a job in the transaction of what asks for it, and wakes workers after the commit. Answers its id, or the id of
/// the job that has the same unique key.
///
/// # Errors
/// What the database says.
pub async fn enqueue(tx: &mut Tx<'_>, caller: &Caller, job: NewJob) -> Result<String> {
    let _ = (tx, caller, job);
    Err(Error::internal(anyhow::anyhow!("jobs are not built yet")))
}

type Run = dyn Fn(JobContext) -> BoxFuture<'static, Result<Value>> + Send + Sync;

/// What runs a kind of job. The kind is stored with each job: never rename it.
#[derive(Clone)]
pub struct JobHandler {
    pub kind: &'static str,
    pub run: Arc<Run>,
}

impl JobHandler {
    pub fn new<F, Fut>(kind: &'static str, run: F) -> Self
    where
        F: Fn(JobContext) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Value>> + Send + 'static,
    {
        Self {
            kind,
            run: Arc::new(move |context| Box::pin(run(context))),
        }
    }
}

/// A running job as its handler sees it.
#[derive(Clone)]
pub struct JobContext {
    pub id: String,
    pub kind: String,
    pub caller: Caller,
    /// From 1.
    pub attempt: i64,
    payload: Value,
    /// Fires when somebody cancels the job, its lease is lost or the process ends.
    pub cancel: tokio_util::sync::CancellationToken,
}

impl JobContext {
    /// The payload in its type.
    ///
    /// # Errors
    /// `Internal` when the stored payload is of another form.
    pub fn payload<P: DeserializeOwned>(&self) -> Result<P> {
        serde_json::from_value(self.payload.clone()).map_err(Error::internal)
    }
    /// Says how far it is; written at most a few times a second.
    pub async fn progress(&self, done: i64, total: Option<i64>, note: &str) -> Result<()> {
        let _ = (done, total, note);
        Ok(())
    }
    /// Adds a line to the job's log.
    pub async fn log(&self, level: tracing::Level, message: &str) -> Result<()> {
        let _ = (level, message);
        Ok(())
    }
    /// Completes the job inside the transaction of its last writes, so that both stand or neither.
    pub async fn finish_with(&self, tx: &mut Tx<'_>, result: &Value) -> Result<()> {
        let _ = (tx, result);
        Ok(())
    }
}
