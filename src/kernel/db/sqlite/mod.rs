//! SQLite: a pool of readers and one writer with group commit (see `writer`).

mod holder;
mod send;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use futures_util::future::BoxFuture;
use holder::{Committed, Member};
pub(super) use send::Limit;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection};
use tokio::sync::oneshot;
pub use writer::WriterGuard;
use writer::{Shared, ending};

use super::signal::Signals;
use super::tx::TxConn;
use super::write::{Lane, Write, attempt};
use super::{Db, Options, Tx};
use crate::kernel::clock::Clock;
use crate::kernel::error::{Code, Error, Result};

/// A closure that takes longer is rolled back: it holds up everybody.
const LIMIT: Duration = Duration::from_secs(2);

/// Bytes of the file that readers map: what the system keeps of it anyway, and takes back when memory is short.
const MAPPED: &str = "2147418112";

pub(super) struct Sqlite {
    pub read: SqlitePool,
    pub signals: Signals,
    pub clock: Clock,
    pub file: PathBuf,
    pub full: AtomicBool,
    writer: Arc<Shared>,
}

impl Sqlite {
    pub async fn open(file: &Path, clock: Clock, signals: Signals, options: &Options) -> Result<Self> {
        let base = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .statement_cache_capacity(256)
            .pragma("wal_autocheckpoint", "0")
            // What a log has grown beyond this is given back when it begins anew.
            .pragma("journal_size_limit", "67108864")
            .pragma("temp_store", "MEMORY")
            .pragma("cache_size", "-16384")
            .disable_statement_logging();
        let connection = base.clone().connect().await.map_err(|e| open_error(file, e))?;
        let read = SqlitePoolOptions::new()
            .max_connections(options.readers.max(1))
            .acquire_timeout(Duration::from_millis(options.wait_ms))
            // A file does not hang up, and asking costs as much as a small query.
            .test_before_acquire(false)
            .connect_with(
                base.clone()
                    .read_only(true)
                    .create_if_missing(false)
                    .pragma("cache_size", "-4096")
                    // Pages are read where the system keeps them, instead of being copied into a cache for each reader.
                    .pragma("mmap_size", MAPPED),
            )
            .await
            .map_err(|e| open_error(file, e))?;
        let (writer, commits) = Shared::new(connection, signals.clone());
        let weak = Arc::downgrade(&writer);
        let hold = move || {
            let weak = weak.clone();
            async move {
                let guard = weak.upgrade()?.acquire(Lane::Interactive).await.ok()?;
                guard.settle().await.ok()
            }
        };
        let log = super::checkpoint::Log {
            file: file.to_owned(),
            longest: options.log_bytes,
        };
        tokio::spawn(super::checkpoint::run(base, log, commits, hold));
        Ok(Self {
            read,
            signals,
            clock,
            file: file.to_owned(),
            full: AtomicBool::new(false),
            writer,
        })
    }

    pub async fn write<'e, T, F>(&'e self, db: &'e Db, how: Write, f: F) -> Result<T>
    where
        T: Send,
        F: for<'t> Fn(&'t mut Tx<'e>) -> BoxFuture<'t, Result<T>> + Send + Sync,
    {
        let mut alone = false;
        loop {
            let mut guard = self.writer.acquire(how.lane).await?;
            if alone {
                guard = guard.settle().await?;
            }
            guard.begin().await;
            let mut tx = Tx::new(TxConn::Sqlite(guard), db.clone());
            let outcome = attempt(&mut tx, how, LIMIT, &f).await;
            let Tx {
                conn, after, signals, ..
            } = tx;
            let TxConn::Sqlite(mut guard) = conn else {
                return Err(Error::internal(anyhow::anyhow!("a SQLite write holds SQLite's writer")));
            };
            let value = match outcome {
                Ok(value) => value,
                Err(error) => {
                    guard.undo().await;
                    return Err(error);
                }
            };
            guard.seal().await?;
            let (done, answer) = oneshot::channel();
            guard.join(Member {
                after,
                signals,
                done,
                alone,
            });
            drop(guard);
            match answer.await {
                Ok(Committed::Yes) => return Ok(value),
                Ok(Committed::GroupFailed) if !alone => alone = true,
                Ok(Committed::GroupFailed) => {
                    return Err(Error::new(
                        Code::Unavailable,
                        "The database could not commit. Nothing was written.",
                    ));
                }
                Ok(Committed::No(error)) => return Err(error),
                Err(_) => return Err(ending()),
            }
        }
    }

    /// Hands the write connection to `f` outside any transaction, for migrations.
    pub async fn exclusive<T>(&self, f: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T>) -> Result<T> {
        let mut guard = self.writer.acquire(Lane::Interactive).await?.settle().await?;
        f(guard.bare()).await
    }

    pub async fn close(&self) {
        let connection = self.writer.close().await;
        self.read.close().await;
        if let Some(mut connection) = connection {
            // Best effort: an unfolded log is folded at the next start.
            let _ = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
                .execute(&mut connection)
                .await;
            let _ = connection.close().await;
        }
    }
}

fn open_error(file: &Path, error: sqlx::Error) -> Error {
    Error::new(
        Code::Unavailable,
        format!(
            "The database file {} cannot be opened. Is the folder there and writable for this user?",
            file.display()
        ),
    )
    .caused_by(error)
}
