//! SQLite's one writer and its group commit.
//!
//! A closure runs on its caller's task while it holds the writer, inside a savepoint. Once it is sealed it joins the open
//! group and waits for the group's commit, which is one `fsync` for all. Whoever gives the writer up decides: the group
//! closes when nobody interactive waits, at 64 members or after 5 ms. Commits run on a task of their own, so a caller
//! that goes away cannot tear one in half. A guard that is dropped half-way leaves the savepoint for the next holder to
//! roll back. Each way to the connection's thread costs more than a small statement, so what brackets a closure travels
//! with its first statement, and its seal with the bracket of the next (see `Holder::enter`).

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tokio::sync::oneshot;
use tracing::error;

use super::super::build::Insert;
use super::super::signal::Signals;
use super::super::stmt::{Stmt, sql};
use super::super::write::Lane;
use super::holder::{Committed, Holder, Member, Open, Savepoint};
use super::send::{self, Limit};
use crate::kernel::error::{Code, Error, Result};

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
        let holder = Holder::new(connection);
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
        if holder.is_due(lanes.interactive.is_empty()) {
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
