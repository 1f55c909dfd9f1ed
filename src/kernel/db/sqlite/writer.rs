//! SQLite's one writer and its group commit.
//!
//! A closure runs on its caller's task while it holds the writer, inside a savepoint. Once it is sealed it joins the open
//! group and waits for the group's commit, which is one `fsync` for all. Whoever gives the writer up decides: the group
//! closes when nobody interactive waits, at 64 members or after 5 ms. Commits run on a task of their own, so a caller
//! that goes away cannot tear one in half. A guard that is dropped half-way leaves the savepoint for the next holder to
//! roll back. Each way to the connection's thread costs more than a small statement, so what brackets a closure travels
//! with its first statement, and its seal with the bracket of the next (see `enter`).

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tokio::sync::oneshot;
use tracing::error;

use super::super::build::Insert;
use super::super::error::from_sqlx;
use super::super::signal::{Signal, Signals};
use super::super::stmt::{Stmt, sql};
use super::super::tx::AfterCommit;
use super::super::write::Lane;
use super::send::{self, Limit};
use crate::kernel::error::{Code, Error, Result};

const GROUP_SIZE: usize = 64;
const GROUP_AGE: Duration = Duration::from_millis(5);
/// A bulk write that has waited this long goes before interactive ones, once.
const BULK_PATIENCE: Duration = Duration::from_millis(250);

/// The writer, its queue and what its commits wake.
pub(super) struct Shared {
    lanes: Mutex<Lanes>,
    signals: Signals,
    runtime: tokio::runtime::Handle,
    committed: tokio::sync::watch::Sender<u64>,
}

#[derive(Default)]
struct Lanes {
    free: Option<Box<Holder>>,
    interactive: VecDeque<oneshot::Sender<WriterGuard>>,
    bulk: VecDeque<(Instant, oneshot::Sender<WriterGuard>)>,
    closed: bool,
}

/// The one write connection and what it is in the middle of.
struct Holder {
    connection: SqliteConnection,
    open: Open,
    savepoint: Savepoint,
    /// Savepoints are called `a` and `b` by turns, so that none is ever taken for the one before.
    turn: Turn,
    committing: bool,
    group: Vec<Member>,
    next_position: Option<i64>,
}

#[derive(Clone, Copy, PartialEq)]
enum Open {
    No,
    /// `BEGIN` was sent; whether it arrived is not known.
    Maybe,
    Since(Instant),
}

#[derive(Clone, Copy, PartialEq)]
enum Turn {
    A,
    B,
}

/// The newest savepoint of the open transaction.
#[derive(Clone, Copy, PartialEq)]
enum Savepoint {
    No,
    /// Nothing was done in it.
    Empty,
    /// A closure is at work in it, or was until it was dropped.
    Running,
    /// What a closure did in it stands.
    Sealed,
}

/// One sealed closure that waits for the group's commit.
pub(super) struct Member {
    pub after: Vec<AfterCommit>,
    pub signals: Vec<Signal>,
    pub done: oneshot::Sender<Committed>,
}

/// How a group's commit went for one member.
pub(super) enum Committed {
    Yes,
    /// The group could not be committed; the closure may run once more by itself.
    GroupFailed,
    No(Error),
}

/// The right to write. Gives itself to the next in line when dropped.
pub struct WriterGuard {
    holder: Option<Box<Holder>>,
    shared: Arc<Shared>,
    /// The closure's bracket was not sent yet.
    outside: bool,
    /// Inserts that travel with the next statement.
    later: Vec<Insert>,
}

pub(super) fn ending() -> Error {
    Error::new(
        Code::Unavailable,
        "The server is ending; the write may not have been made. Look before you repeat it.",
    )
}

impl Shared {
    /// A free writer on `connection`, and a receiver that changes with every commit.
    pub(super) fn new(
        connection: SqliteConnection,
        signals: Signals,
    ) -> (Arc<Self>, tokio::sync::watch::Receiver<u64>) {
        let holder = Holder {
            connection,
            open: Open::No,
            savepoint: Savepoint::No,
            turn: Turn::A,
            committing: false,
            group: Vec::new(),
            next_position: None,
        };
        let (committed, commits) = tokio::sync::watch::channel(0);
        let lanes = Mutex::new(Lanes {
            free: Some(Box::new(holder)),
            ..Lanes::default()
        });
        (
            Arc::new(Self {
                lanes,
                signals,
                runtime: tokio::runtime::Handle::current(),
                committed,
            }),
            commits,
        )
    }

    /// Waits for the writer, commits what is open and takes the connection away for good.
    pub(super) async fn close(self: &Arc<Self>) -> Option<SqliteConnection> {
        let guard = self.acquire(Lane::Bulk).await.ok()?;
        let holder = guard.settle().await.ok().and_then(|mut guard| guard.holder.take());
        self.lanes().closed = true;
        holder.map(|holder| holder.connection)
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn acquire(self: &Arc<Self>, lane: Lane) -> Result<WriterGuard> {
        let waiting = {
            let mut lanes = self.lanes();
            if lanes.closed {
                return Err(ending());
            }
            if let Some(holder) = lanes.free.take() {
                return Ok(WriterGuard::new(holder, self));
            }
            let (sender, receiver) = oneshot::channel();
            match lane {
                Lane::Interactive => lanes.interactive.push_back(sender),
                Lane::Bulk => lanes.bulk.push_back((Instant::now(), sender)),
            }
            receiver
        };
        waiting.await.map_err(|_| ending())
    }

    /// Closes the group if it is time, else gives the writer to the next in line.
    fn pass_on(self: &Arc<Self>, mut holder: Box<Holder>) {
        if holder.committing {
            // The commit's own task was dropped: the runtime is ending. The members' channels close with the holder.
            return;
        }
        let mut lanes = self.lanes();
        if holder.is_due(&lanes) {
            drop(lanes);
            holder.committing = true;
            let guard = WriterGuard::new(holder, self);
            self.runtime.spawn(async move { drop(commit(guard).await) });
            return;
        }
        let mut guard = WriterGuard::new(holder, self);
        while let Some(next) = lanes.next() {
            match next.send(guard) {
                Ok(()) => return,
                Err(back) => guard = back,
            }
        }
        lanes.free = guard.holder.take();
    }
}

impl Lanes {
    fn next(&mut self) -> Option<oneshot::Sender<WriterGuard>> {
        if self
            .bulk
            .front()
            .is_some_and(|(since, _)| since.elapsed() > BULK_PATIENCE)
        {
            return self.bulk.pop_front().map(|(_, sender)| sender);
        }
        self.interactive
            .pop_front()
            .or_else(|| self.bulk.pop_front().map(|(_, sender)| sender))
    }
}

impl Holder {
    /// Is it time to commit? An open transaction without members is ended too, when nobody interactive goes on with it.
    fn is_due(&self, lanes: &Lanes) -> bool {
        let age = match self.open {
            Open::No => return false,
            Open::Maybe => Duration::ZERO,
            Open::Since(begun) => begun.elapsed(),
        };
        lanes.interactive.is_empty() || self.group.len() >= GROUP_SIZE || age >= GROUP_AGE
    }

    async fn run(&mut self, text: &'static str) -> Result<()> {
        sqlx::query(text)
            .execute(&mut self.connection)
            .await
            .map(drop)
            .map_err(from_sqlx)
    }

    /// What must be sent before a closure's first statement. From here on it is under way: whether it arrives is not known.
    fn enter(&mut self) -> &'static str {
        if matches!(self.savepoint, Savepoint::Empty | Savepoint::Running) {
            self.savepoint = Savepoint::Running;
            return "";
        }
        let sealed = self.savepoint == Savepoint::Sealed;
        self.savepoint = Savepoint::Running;
        self.turn = if self.turn == Turn::A { Turn::B } else { Turn::A };
        let new = self.open == Open::No;
        if new {
            self.open = Open::Maybe;
        }
        match (self.turn, new, sealed) {
            (Turn::A, true, _) => "BEGIN IMMEDIATE; SAVEPOINT a",
            (Turn::B, true, _) => "BEGIN IMMEDIATE; SAVEPOINT b",
            (Turn::A, false, true) => "RELEASE b; SAVEPOINT a",
            (Turn::B, false, true) => "RELEASE a; SAVEPOINT b",
            (Turn::A, false, false) => "SAVEPOINT a",
            (Turn::B, false, false) => "SAVEPOINT b",
        }
    }

    /// The bracket has arrived.
    fn entered(&mut self) {
        if self.open == Open::Maybe {
            self.open = Open::Since(Instant::now());
        }
    }

    /// Ends the transaction for everybody in it: they run once more by themselves.
    async fn abandon(&mut self) {
        // Fails when SQLite has rolled back by itself already, which is what is wanted.
        let _ = self.run("ROLLBACK").await;
        self.open = Open::No;
        self.savepoint = Savepoint::No;
        for member in self.group.drain(..) {
            let _ = member.done.send(Committed::GroupFailed);
        }
    }

    /// Rolls back what a holder left behind.
    async fn clean(&mut self) {
        if self.open == Open::Maybe {
            self.abandon().await;
        } else if self.savepoint == Savepoint::Running {
            let text = match self.turn {
                Turn::A => "ROLLBACK TO a",
                Turn::B => "ROLLBACK TO b",
            };
            match self.run(text).await {
                Ok(()) => self.savepoint = Savepoint::Empty,
                Err(_) => self.abandon().await,
            }
        }
    }
}

impl WriterGuard {
    #[expect(
        clippy::expect_used,
        reason = "only `drop`, `settle` and `close` take the holder, and they consume the guard"
    )]
    fn holder(&mut self) -> &mut Holder {
        self.holder.as_deref_mut().expect("a living guard has its holder")
    }

    fn new(holder: Box<Holder>, shared: &Arc<Shared>) -> Self {
        Self {
            holder: Some(holder),
            shared: shared.clone(),
            outside: false,
            later: Vec::new(),
        }
    }

    /// Keeps an insert for the next statement.
    pub(in super::super) fn later(&mut self, insert: Insert) {
        self.later.push(insert);
    }

    /// Runs a statement with all that has to go before it, and answers its rows and how many it touched.
    pub(in super::super) async fn send(&mut self, stmt: Stmt, limit: Limit) -> Result<(Vec<SqliteRow>, u64)> {
        let entering = std::mem::take(&mut self.outside);
        let later = std::mem::take(&mut self.later);
        let holder = self.holder();
        if !entering && holder.open == Open::Maybe {
            // As on PostgreSQL: nothing runs behind a failed beginning, least of all outside a transaction.
            return Err(Error::internal(anyhow::anyhow!(
                "a statement of this transaction failed before"
            )));
        }
        let bracket = if entering { holder.enter() } else { "" };
        let (text, args) = stmt.after(bracket, later).sqlite()?;
        let answer = send::run(&mut holder.connection, text, args, limit).await?;
        if entering {
            holder.entered();
        }
        Ok(answer)
    }

    /// The first of `count` new positions in the ledger.
    pub(in super::super) fn positions(&mut self, count: usize) -> i64 {
        let next = self.holder().next_position.get_or_insert(1);
        let first = *next;
        *next += count as i64;
        first
    }

    /// Adds a sealed closure to the group. Drop the guard then: its commit comes from whoever is last.
    pub(super) fn join(&mut self, member: Member) {
        self.holder().group.push(member);
    }

    /// The connection outside any transaction, for migrations: positions are counted anew afterwards.
    pub(super) fn bare(&mut self) -> &mut SqliteConnection {
        let holder = self.holder();
        holder.next_position = None;
        &mut holder.connection
    }

    /// Commits what is open, so that the next closure is alone in its group.
    pub(super) async fn settle(mut self) -> Result<Self> {
        self.holder().clean().await;
        if self.holder().open == Open::No {
            return Ok(self);
        }
        self.holder().committing = true;
        let runtime = self.shared.runtime.clone();
        runtime.spawn(commit(self)).await.map_err(|_| ending())
    }

    /// Makes the writer ready for a closure: its bracket goes with the first statement.
    pub(super) async fn begin(&mut self) {
        let holder = self.holder();
        holder.clean().await;
        if holder.next_position.is_none() {
            let last = sqlx::query_as("SELECT position FROM version ORDER BY txid DESC, position DESC LIMIT 1");
            // Without the table there is nothing to number yet. Nobody else writes, so this needs no transaction.
            let last: std::result::Result<Option<(i64,)>, _> = last.fetch_optional(&mut holder.connection).await;
            holder.next_position = last.ok().map(|row| row.map_or(1, |(position,)| position + 1));
        }
        self.outside = true;
    }

    pub(super) async fn undo(&mut self) {
        self.later.clear();
        self.holder().clean().await;
    }

    /// What the closure did stands from here on, if the group's commit does.
    pub(super) async fn seal(&mut self) -> Result<()> {
        if self.outside || !self.later.is_empty() {
            self.send(sql(""), Limit::All).await?;
        }
        self.holder().savepoint = Savepoint::Sealed;
        Ok(())
    }
}

impl Drop for WriterGuard {
    fn drop(&mut self) {
        if let Some(holder) = self.holder.take() {
            self.shared.clone().pass_on(holder);
        }
    }
}

/// Commits the open group and tells its members. Runs on a task of its own.
async fn commit(mut guard: WriterGuard) -> WriterGuard {
    let shared = guard.shared.clone();
    let holder = guard.holder();
    holder.clean().await;
    if holder.open != Open::No {
        match holder.run("COMMIT").await {
            Ok(()) => {
                holder.open = Open::No;
                holder.savepoint = Savepoint::No;
                metrics::histogram!("vitrine_db_group_size").record(holder.group.len() as f64);
                for member in holder.group.drain(..) {
                    finish(&shared.signals, member);
                }
                shared.committed.send_modify(|n| *n = n.wrapping_add(1));
            }
            Err(failed) => {
                error!(error = ?failed, members = holder.group.len(), "a group could not be committed");
                if holder.group.len() == 1 {
                    let only = holder.group.pop();
                    holder.abandon().await;
                    if let Some(member) = only {
                        let _ = member.done.send(Committed::No(failed));
                    }
                } else {
                    holder.abandon().await;
                }
            }
        }
    }
    holder.committing = false;
    guard
}

/// Wakes whom the member wants woken, then answers it. A caller that has gone is no error.
fn finish(signals: &Signals, member: Member) {
    for run in member.after {
        if std::panic::catch_unwind(AssertUnwindSafe(run)).is_err() {
            error!("an after-commit action panicked; the write itself stands");
        }
    }
    for signal in member.signals {
        signals.raise(signal);
    }
    let _ = member.done.send(Committed::Yes);
}
