//! A running job as its handler sees it: payload, progress, log, cancel, and completion within its own transaction.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::claim::Claimed;
use super::model::{MAX_JSON, MAX_NOTE, MAX_TEXT, Progress, clean};
use super::store::{self, Hold};
use crate::kernel::access::Caller;
use crate::kernel::db::{Db, Signal, Tx, Write};
use crate::kernel::error::{Code, Error, Result};

/// Progress is written at most this often.
const PROGRESS_EVERY: Duration = Duration::from_millis(250);

/// Why a job's token fired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    Cancelled,
    /// Somebody else has taken over; nothing may be written any more.
    Lost,
    /// The process ends.
    Stopping,
    /// It ran longer than it may.
    Late,
}

/// What the worker and the handler of a running job share.
pub(super) struct Running {
    pub id: String,
    pub attempt: i64,
    pub max_attempts: i64,
    /// Others wait for its end: those of its subject, or the job it is a part of.
    pub wakes_others: bool,
    /// Milliseconds that this try may take.
    pub time_limit: Option<i64>,
    pub cancel: CancellationToken,
    db: Db,
    worker: Arc<str>,
    why: AtomicU8,
    finished: AtomicBool,
    progress: Mutex<Kept>,
}

struct Kept {
    value: Progress,
    written: Option<Instant>,
    is_new: bool,
}

impl Running {
    pub fn new(db: Db, worker: Arc<str>, job: &Claimed) -> Self {
        let value = Progress {
            done: job.progress_done,
            total: job.progress_total,
            note: job.progress_note.clone(),
        };
        Self {
            id: job.id.clone(),
            attempt: job.attempts,
            max_attempts: job.max_attempts,
            wakes_others: job.ordering_key.is_some() || job.parent_id.is_some(),
            time_limit: job.time_limit,
            cancel: CancellationToken::new(),
            db,
            worker,
            why: AtomicU8::new(0),
            finished: AtomicBool::new(false),
            progress: Mutex::new(Kept {
                value,
                written: None,
                is_new: false,
            }),
        }
    }

    pub fn hold(&self) -> Hold<'_> {
        Hold {
            id: &self.id,
            worker: &self.worker,
            attempt: self.attempt,
        }
    }

    /// Fires the token; the first reason stays, except that a lost lease overrules the others.
    pub fn interrupt(&self, why: Why) {
        let code = why as u8 + 1;
        if why == Why::Lost {
            self.why.store(code, Ordering::SeqCst);
        } else {
            // A reason that is there already is kept.
            let _ = self.why.compare_exchange(0, code, Ordering::SeqCst, Ordering::SeqCst);
        }
        self.cancel.cancel();
    }

    pub fn why(&self) -> Option<Why> {
        match self.why.load(Ordering::SeqCst) {
            0 => None,
            1 => Some(Why::Cancelled),
            2 => Some(Why::Lost),
            3 => Some(Why::Stopping),
            _ => Some(Why::Late),
        }
    }

    pub fn is_finished(&self) -> bool {
        self.finished.load(Ordering::SeqCst)
    }

    pub fn progress(&self) -> Progress {
        self.kept().value.clone()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the newest progress if it is not written yet and, unless `now`, the last write is a while ago.
    pub async fn flush(&self, now: bool) -> Result<()> {
        let value = {
            let mut kept = self.kept();
            if !kept.is_new || (!now && kept.written.is_some_and(|at| at.elapsed() < PROGRESS_EVERY)) {
                return Ok(());
            }
            kept.is_new = false;
            kept.written = Some(Instant::now());
            kept.value.clone()
        };
        let value = &value;
        let written = self
            .db
            .write(Write::bulk("jobs.progress"), |tx| {
                Box::pin(async move {
                    tx.signal(Signal::Progress);
                    store::progress(tx, self.hold(), value).await
                })
            })
            .await?;
        if !written && !self.is_finished() {
            self.interrupt(Why::Lost);
        }
        Ok(())
    }
}

/// See the module's text. Cheap to clone.
#[derive(Clone)]
pub struct JobContext {
    pub id: String,
    pub kind: String,
    pub caller: Caller,
    /// From 1.
    pub attempt: i64,
    payload: Value,
    /// Fires when somebody cancels the job, its lease is lost or the process ends.
    pub cancel: CancellationToken,
    running: Arc<Running>,
}

impl JobContext {
    pub(super) fn new(running: Arc<Running>, kind: String, caller: Caller, payload: Value) -> Self {
        let (id, attempt, cancel) = (running.id.clone(), running.attempt, running.cancel.clone());
        Self {
            id,
            kind,
            caller,
            attempt,
            payload,
            cancel,
            running,
        }
    }

    /// The payload in its type.
    ///
    /// # Errors
    /// `Invalid` when the stored payload is of another form: it is kept for the version of the program that knows it.
    pub fn payload<P: DeserializeOwned>(&self) -> Result<P> {
        serde_json::from_value(self.payload.clone()).map_err(|e| {
            let text = format!(
                "This version of the program does not understand what the job {} was made with ({e}). It is kept: try it \
                 again with the version that made it, or a newer one.",
                self.kind
            );
            Error::new(Code::Invalid, text)
        })
    }

    /// The error to stop with, once the token has fired: `context.check()?` between the steps of long work.
    ///
    /// # Errors
    /// `Unavailable`, saying why the job has to stop.
    pub fn check(&self) -> Result<()> {
        let why = match self.running.why() {
            None if self.cancel.is_cancelled() => "The job was stopped.",
            None => return Ok(()),
            Some(Why::Cancelled) => "The job was cancelled.",
            Some(Why::Lost) => "Another worker has taken over this job.",
            Some(Why::Late) => "The job ran longer than it may.",
            Some(Why::Stopping) => "The server is ending; the job goes on when it is back.",
        };
        Err(Error::new(Code::Unavailable, why))
    }

    /// Says how far it is; written at most a few times a second, the last value always.
    ///
    /// # Errors
    /// What the database says.
    pub async fn progress(&self, done: i64, total: Option<i64>, note: &str) -> Result<()> {
        {
            let mut kept = self.running.kept();
            let value = Progress {
                done,
                total,
                note: clean(note, MAX_NOTE),
            };
            kept.is_new |= value != kept.value;
            kept.value = value;
        }
        self.running.flush(false).await
    }

    /// Adds a line to the job's log.
    ///
    /// # Errors
    /// What the database says.
    pub async fn log(&self, level: tracing::Level, message: &str) -> Result<()> {
        let message = clean(message, MAX_TEXT);
        tracing::debug!(job.id = self.id, job.level = %level, "{message}");
        let (id, level, message) = (&self.id, level.as_str().to_ascii_lowercase(), &message);
        let level = &level;
        let write = self.running.db.write(Write::bulk("jobs.log"), |tx| {
            Box::pin(async move {
                tx.signal(Signal::Progress);
                store::log(tx, id, level, message).await
            })
        });
        write.await
    }

    /// Completes the job inside the transaction of its last writes, so that both stand or neither.
    ///
    /// # Errors
    /// `Conflict` when the lease was lost and somebody else has the job: the transaction must not be committed.
    pub async fn finish_with(&self, tx: &mut Tx<'_>, result: &Value) -> Result<()> {
        let text = result_text(result)?;
        let progress = self.running.progress();
        if !store::finish(tx, self.running.hold(), text, &progress).await? {
            self.running.interrupt(Why::Lost);
            return Err(Error::new(
                Code::Conflict,
                "Another worker has taken over this job; nothing of this attempt is kept.",
            ));
        }
        tx.signal(Signal::Progress);
        if self.running.wakes_others {
            tx.signal(Signal::Jobs);
        }
        let running = self.running.clone();
        tx.after_commit(move || running.finished.store(true, Ordering::SeqCst));
        Ok(())
    }
}

/// A result as stored; `null` is no result.
pub(super) fn result_text(result: &Value) -> Result<Option<String>> {
    if result.is_null() {
        return Ok(None);
    }
    let text = result.to_string();
    if text.len() > MAX_JSON {
        return Err(Error::new(
            Code::TooLarge,
            format!(
                "The job's result has {} bytes, more than {MAX_JSON}. Put it into a blob and answer its name.",
                text.len()
            ),
        ));
    }
    Ok(Some(text))
}
