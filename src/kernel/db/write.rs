//! The only way to write.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tracing::warn;

use super::{Db, Inner, Tx};
use crate::kernel::error::{Code, Error, Result};

/// Who waits first for SQLite's one writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// A person or a program waits for the answer.
    Interactive,
    /// Imports and upkeep: at most 1,000 rows or 50 ms each.
    Bulk,
}

/// What a write is called in logs and metrics, and its lane.
#[derive(Clone, Copy, Debug)]
pub struct Write {
    pub(super) name: &'static str,
    pub(super) lane: Lane,
}

impl Write {
    /// Somebody waits for it.
    pub const fn interactive(name: &'static str) -> Self {
        Self {
            name,
            lane: Lane::Interactive,
        }
    }
    /// Nobody waits for it.
    pub const fn bulk(name: &'static str) -> Self {
        Self { name, lane: Lane::Bulk }
    }
}

/// From here on a closure is reported as slow.
const SLOW: Duration = Duration::from_millis(50);

impl Db {
    /// Runs `f` in a transaction and answers after its commit is durable. `f` may run more than once, so it must not do
    /// anything but run statements of `tx`: no HTTP, no files, no hashing, no rendering. It is rolled back when it
    /// fails, panics, is dropped or takes longer than the limit (2 s on SQLite, 1 s on PostgreSQL).
    ///
    /// ```ignore
    /// let id = db.write(Write::interactive("notes.create"), |tx| Box::pin(async move { store::insert(tx, note).await })).await?;
    /// ```
    ///
    /// # Errors
    /// What `f` answers, or what the database says at the commit; then nothing of `f` stands.
    pub async fn write<'e, T, F>(&'e self, how: Write, f: F) -> Result<T>
    where
        T: Send,
        F: for<'t> Fn(&'t mut Tx<'e>) -> BoxFuture<'t, Result<T>> + Send + Sync,
    {
        let (outcome, full) = match &*self.0 {
            Inner::Sqlite(s) => (s.write(self, how, f).await, &s.full),
            Inner::Postgres(p) => (p.write(self, how, f).await, &p.full),
        };
        match &outcome {
            Ok(_) => full.store(false, Ordering::Relaxed),
            Err(error) if error.code() == Code::DiskFull => full.store(true, Ordering::Relaxed),
            Err(_) => {}
        }
        outcome
    }

    /// True since a write found no room, until one finds it again.
    pub fn is_full(&self) -> bool {
        match &*self.0 {
            Inner::Sqlite(s) => s.full.load(Ordering::Relaxed),
            Inner::Postgres(p) => p.full.load(Ordering::Relaxed),
        }
    }
}

/// Runs a closure once under its time limit, with panics turned into errors.
pub(super) async fn attempt<'e, T, F>(tx: &mut Tx<'e>, how: Write, limit: Duration, f: &F) -> Result<T>
where
    F: for<'t> Fn(&'t mut Tx<'e>) -> BoxFuture<'t, Result<T>> + Send + Sync,
{
    let started = Instant::now();
    let outcome = {
        let run = AssertUnwindSafe(async {
            super::fence::pass(tx).await?;
            f(tx).await
        })
        .catch_unwind();
        tokio::time::timeout(limit, run).await
    };
    let took = started.elapsed();
    if took > SLOW {
        warn!(
            write = how.name,
            duration_ms = took.as_millis() as u64,
            statements = tx.statements(),
            "slow write"
        );
    }
    match outcome {
        Ok(Ok(result)) => result,
        Ok(Err(panic)) => {
            let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
            let text = text
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_default();
            Err(Error::internal(anyhow::anyhow!(
                "the write {} panicked: {text}",
                how.name
            )))
        }
        Err(_) => Err(Error::new(
            Code::Timeout,
            format!("The write {} took longer than {limit:?} and was rolled back.", how.name),
        )),
    }
}

/// Waits before another try. The only sleep of this room.
#[expect(clippy::disallowed_methods, reason = "a pause between tries is real time")]
pub(super) async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
