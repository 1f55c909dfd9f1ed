//! The write connection with its open transaction, the savepoint in it and the group that waits for its commit: what may be
//! sent next, and how what went wrong is taken back. Who holds it, and when it commits, is the writer's matter.

use std::time::{Duration, Instant};

use sqlx::sqlite::SqliteConnection;
use tokio::sync::oneshot;

use super::super::error::from_sqlx;
use super::super::signal::Signal;
use super::super::tx::AfterCommit;
use crate::kernel::error::{Error, Result};

const GROUP_SIZE: usize = 64;
const GROUP_AGE: Duration = Duration::from_millis(5);

/// The one write connection and what it is in the middle of.
pub(super) struct Holder {
    pub connection: SqliteConnection,
    pub open: Open,
    pub savepoint: Savepoint,
    /// Savepoints are called `a` and `b` by turns, so that none is ever taken for the one before.
    pub turn: Turn,
    pub committing: bool,
    pub group: Vec<Member>,
    pub next_position: Option<i64>,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Open {
    No,
    /// `BEGIN` was sent; whether it arrived is not known.
    Maybe,
    Since(Instant),
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Turn {
    A,
    B,
}

/// The newest savepoint of the open transaction.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Savepoint {
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
    /// It failed in company and now commits before anybody joins it: what the next does may end the whole transaction, as
    /// a full disk does.
    pub alone: bool,
}

/// How a group's commit went for one member.
pub(super) enum Committed {
    Yes,
    /// The group could not be committed; the closure may run once more by itself.
    GroupFailed,
    No(Error),
}

impl Holder {
    pub(super) fn new(connection: SqliteConnection) -> Self {
        Self {
            connection,
            open: Open::No,
            savepoint: Savepoint::No,
            turn: Turn::A,
            committing: false,
            group: Vec::new(),
            next_position: None,
        }
    }

    /// Is it time to commit? An open transaction without members is ended too, when nobody interactive goes on with it.
    pub(super) fn is_due(&self, nobody_waits: bool) -> bool {
        let age = match self.open {
            Open::No => return false,
            Open::Maybe => Duration::ZERO,
            Open::Since(begun) => begun.elapsed(),
        };
        nobody_waits
            || self.group.len() >= GROUP_SIZE
            || age >= GROUP_AGE
            || self.group.iter().any(|member| member.alone)
    }

    pub(super) async fn run(&mut self, text: &'static str) -> Result<()> {
        sqlx::query(text)
            .execute(&mut self.connection)
            .await
            .map(drop)
            .map_err(from_sqlx)
    }

    /// What must be sent before a closure's first statement. From here on it is under way: whether it arrives is not known.
    pub(super) fn enter(&mut self) -> &'static str {
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
    pub(super) fn entered(&mut self) {
        if self.open == Open::Maybe {
            self.open = Open::Since(Instant::now());
        }
    }

    /// Ends the transaction for everybody in it: they run once more by themselves.
    pub(super) async fn abandon(&mut self) {
        // Fails when SQLite has rolled back by itself already, which is what is wanted.
        let _ = self.run("ROLLBACK").await;
        self.open = Open::No;
        self.savepoint = Savepoint::No;
        for member in self.group.drain(..) {
            let _ = member.done.send(Committed::GroupFailed);
        }
    }

    /// Rolls back what a holder left behind.
    pub(super) async fn clean(&mut self) {
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
