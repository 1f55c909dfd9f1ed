//! The database: one handle over two native pools, one way to write, statements written once.
//!
//! Reading: `sql("…").bind(x).all::<Row>(&db)`. Writing: only inside [`Db::write`], which may run its closure more than
//! once and groups commits on SQLite. Nobody above this room sees a pool, an engine error or "database is locked".

mod build;
mod checkpoint;
mod error;
mod fence;
mod kept;
mod migrate;
mod postgres;
mod signal;
mod snapshot;
mod sqlite;
mod stmt;
mod tx;
mod write;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

pub use build::{Filter, insert_later, insert_many};
pub use fence::Fence;
pub use kept::Kept;
pub use migrate::{MigrationState, Step};
pub use signal::{Signal, Signals};
pub use snapshot::Snapshot;
pub use stmt::{Exec, Row, Stmt, Val, pick, sql};
pub use tx::Tx;
use tx::TxConn;
pub use write::{Lane, Write};

use crate::kernel::clock::Clock;
use crate::kernel::error::{Code, Error, Result};

/// Which database is behind a [`Db`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    /// The name in migrations' `-- only:` blocks and in messages.
    pub fn name(self) -> &'static str {
        match self {
            Engine::Sqlite => "sqlite",
            Engine::Postgres => "postgres",
        }
    }
}

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

enum Inner {
    Sqlite(sqlite::Sqlite),
    Postgres(postgres::Postgres),
}

/// How to open a database.
#[derive(Clone, Debug)]
pub struct Options {
    /// Connections for reading.
    pub readers: u32,
    /// How long a caller waits for a connection, in milliseconds.
    pub wait_ms: u64,
    /// SQLite: a write-ahead log of so many bytes is folded in while the writer waits, so that it begins anew however busy
    /// the house is.
    pub log_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            readers: 8,
            wait_ms: 5_000,
            log_bytes: 128 << 20,
        }
    }
}

impl Db {
    /// Opens `url`: `sqlite:` (a file `vitrine.db` in `folder`), `sqlite:PATH` or `postgres://…`. Does not migrate.
    ///
    /// # Errors
    /// An address of another kind; a database that does not answer.
    pub async fn open(url: &str, folder: &Path, clock: Clock, options: Options) -> Result<Self> {
        let signals = Signals::new();
        let inner = if let Some(path) = url.strip_prefix("sqlite:") {
            let file = match path.trim_start_matches("//") {
                "" => folder.join("vitrine.db"),
                path => path.into(),
            };
            Inner::Sqlite(sqlite::Sqlite::open(&file, clock, signals, &options).await?)
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Inner::Postgres(postgres::Postgres::open(url, clock, signals, &options).await?)
        } else {
            let kind = url.split(':').next().unwrap_or_default();
            return Err(Error::new(
                Code::BadRequest,
                format!("database.url starts with \"{kind}:\", but only sqlite: and postgres:// are understood."),
            ));
        };
        Ok(Self(Arc::new(inner)))
    }

    /// Which engine this is.
    pub fn engine(&self) -> Engine {
        match &*self.0 {
            Inner::Sqlite(_) => Engine::Sqlite,
            Inner::Postgres(_) => Engine::Postgres,
        }
    }

    /// Wakes those who follow what others commit; see [`Signal`].
    pub fn signals(&self) -> &Signals {
        match &*self.0 {
            Inner::Sqlite(s) => &s.signals,
            Inner::Postgres(p) => &p.signals,
        }
    }

    /// The clock that writes are stamped with.
    pub fn clock(&self) -> &Clock {
        match &*self.0 {
            Inner::Sqlite(s) => &s.clock,
            Inner::Postgres(p) => &p.clock,
        }
    }

    /// Bytes the database takes on disk.
    ///
    /// # Errors
    /// What the database says.
    pub async fn size(&self) -> Result<i64> {
        let (bytes,): (i64,) = pick(
            "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
            "SELECT pg_database_size(current_database())",
        )
        .one(self)
        .await?;
        Ok(bytes)
    }

    /// Bytes of SQLite's write-ahead log; `None` on PostgreSQL. A log that keeps growing has a reader that does not let go.
    pub fn log_size(&self) -> Option<u64> {
        match &*self.0 {
            Inner::Sqlite(s) => Some(checkpoint::log_size(&s.file)),
            Inner::Postgres(_) => None,
        }
    }

    /// Closes every connection after the current work; on SQLite folds the write-ahead log into the file.
    pub async fn close(&self) {
        match &*self.0 {
            Inner::Sqlite(s) => s.close().await,
            Inner::Postgres(p) => p.close().await,
        }
    }
}
