//! A write transaction as its closure sees it.

use std::marker::PhantomData;

use sqlx::{Postgres, Transaction};

use super::signal::Signal;
use super::sqlite::WriterGuard;
use super::stmt::pick;
use super::{Db, Engine};
use crate::kernel::error::Result;

/// What runs after the commit, and only then.
pub(super) type AfterCommit = Box<dyn FnOnce() + Send>;

/// The only handle for writing. `'e` is the lifetime of what the closure of [`Db::write`] borrows.
pub struct Tx<'e> {
    pub(super) conn: TxConn,
    pub(super) after: Vec<AfterCommit>,
    pub(super) signals: Vec<Signal>,
    now: i64,
    db: Db,
    statements: u32,
    environment: PhantomData<&'e ()>,
}

/// The connection behind a transaction.
pub enum TxConn {
    Sqlite(WriterGuard),
    Postgres(Transaction<'static, Postgres>),
}

impl Tx<'_> {
    pub(super) fn new(conn: TxConn, db: Db) -> Self {
        let now = db.clock().now();
        Self {
            conn,
            after: Vec::new(),
            signals: Vec::new(),
            now,
            db,
            statements: 0,
            environment: PhantomData,
        }
    }

    /// The time of this transaction: milliseconds since 1970 in UTC, the same for all its writes.
    pub fn now(&self) -> i64 {
        self.now
    }

    /// Which engine this is.
    pub fn engine(&self) -> Engine {
        match &self.conn {
            TxConn::Sqlite(_) => Engine::Sqlite,
            TxConn::Postgres(_) => Engine::Postgres,
        }
    }

    /// Runs `f` once the commit is durable; never if it is not. The only place for wake-ups and cache updates.
    pub fn after_commit(&mut self, f: impl FnOnce() + Send + 'static) {
        self.after.push(Box::new(f));
    }

    /// Wakes followers in every process once the commit is durable.
    pub fn signal(&mut self, signal: Signal) {
        if !self.signals.contains(&signal) {
            self.signals.push(signal);
        }
    }

    /// Tells the workers of this process for which queue this transaction makes something. On SQLite at once: a write of theirs
    /// that waits right behind this one sees what it made and is committed with it, in one `fsync`, or not at all. On
    /// PostgreSQL, where nobody sees it before, after the commit.
    pub fn expect(&mut self, queue: &str) {
        let signals = self.db.signals().clone();
        match &self.conn {
            TxConn::Sqlite(_) => signals.expect(queue),
            TxConn::Postgres(_) => {
                let queue = queue.to_owned();
                self.after_commit(move || signals.expect(&queue));
            }
        }
    }

    /// Holds an invariant that no constraint can hold: whoever locks the same key waits for this transaction's end. On
    /// SQLite the one writer is that lock already.
    ///
    /// # Errors
    /// What the database says.
    pub async fn lock(&mut self, key: &str) -> Result<()> {
        if self.engine() == Engine::Postgres {
            let (_,): (bool,) = pick(
                "SELECT $1 IS NOT NULL",
                "SELECT pg_advisory_xact_lock(hashtextextended($1, 0)) IS NOT NULL",
            )
            .bind(key)
            .one(self)
            .await?;
        }
        Ok(())
    }

    /// The next positions in the ledger: the first of `count` on SQLite, `None` on PostgreSQL where a sequence gives them.
    pub(crate) fn positions(&mut self, count: usize) -> Option<i64> {
        match &mut self.conn {
            TxConn::Sqlite(guard) => Some(guard.positions(count)),
            TxConn::Postgres(_) => None,
        }
    }

    /// Statements so far, for the warning about slow closures and for tests.
    pub fn statements(&self) -> u32 {
        self.statements
    }

    pub(super) fn touch(&mut self) {
        self.statements += 1;
    }

    /// The database this writes to. For its signals and clock; reading through it sees the state before this transaction.
    pub fn db(&self) -> &Db {
        &self.db
    }
}
