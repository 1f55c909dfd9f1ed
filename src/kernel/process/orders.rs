//! What a running process was told to do: which of its roles pause, and how much it logs. The orders stand in its row of
//! the registry, so that any process can give them to any other; they end with the process. Jobs that ran when their
//! worker is paused are handed back as at a stop, and nothing of the process ends.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{DEAD_AFTER, Process, WEB};
use crate::kernel::db::{Db, Signal, Tx, Write, sql};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::telemetry;

/// The role that runs jobs.
pub const WORKER: &str = "worker";
/// The role that makes jobs when they are due.
pub const SCHEDULER: &str = "scheduler";
/// What can be paused.
pub const ROLES: [&str; 3] = [WEB, WORKER, SCHEDULER];

/// The orders of this process. Cheap to clone.
#[derive(Clone)]
pub struct Orders(Arc<watch::Sender<BTreeSet<String>>>);

impl Default for Orders {
    fn default() -> Self {
        Self(Arc::new(watch::channel(BTreeSet::new()).0))
    }
}

impl Orders {
    pub fn is_paused(&self, role: &str) -> bool {
        self.0.borrow().contains(role)
    }

    /// The roles that pause, in order.
    pub fn paused(&self) -> Vec<String> {
        self.0.borrow().iter().cloned().collect()
    }

    fn set(&self, paused: BTreeSet<String>) {
        self.0.send_if_modified(|old| {
            let is_new = *old != paused;
            *old = paused;
            is_new
        });
    }

    /// Does a role's work until `stop`, but while the role pauses. `start` begins it and is told when to end.
    pub async fn work<F: Future<Output = ()>>(
        &self,
        role: &'static str,
        stop: &CancellationToken,
        mut start: impl FnMut(CancellationToken) -> F,
    ) {
        let mut orders = self.0.subscribe();
        while !stop.is_cancelled() {
            let resumed = async { orders.wait_for(|paused| !paused.contains(role)).await.is_ok() };
            if stop.run_until_cancelled(resumed).await != Some(true) {
                return;
            }
            let turn = stop.child_token();
            let work = start(turn.clone());
            tokio::pin!(work);
            tokio::select! {
                () = &mut work => return,
                _ = async { orders.wait_for(|paused| paused.contains(role)).await.is_ok() } => {}
            }
            info!(role, "pausing");
            turn.cancel();
            work.await;
            info!(role, "paused");
        }
    }
}

/// Reads this process's orders and follows them.
///
/// # Errors
/// What the database says.
pub async fn obey(db: &Db, id: &str, orders: &Orders) -> Result<()> {
    let row: Option<(String, String)> = sql("SELECT paused, log_level FROM process WHERE id = $1")
        .bind(id)
        .opt(db)
        .await?;
    if let Some((paused, level)) = row {
        orders.set(super::words(&paused).into_iter().collect());
        if let Err(error) = telemetry::set_level(&level) {
            warn!(%error, "the level of the log stays as it is");
        }
    }
    Ok(())
}

fn is_meant(process: &Process, which: Option<&str>, since: i64) -> bool {
    process.beat_at >= since && which.is_none_or(|id| process.id == id)
}

/// Pauses a role or lets it go on, in one process or in every living one that has it. Answers how many.
///
/// # Errors
/// `Invalid` for a role that is none; `NotFound` where no such process lives.
pub async fn pause(db: &Db, role: &str, process: Option<&str>, paused: bool) -> Result<usize> {
    if !ROLES.contains(&role) {
        let text = format!("\"{role}\" is none of {}", ROLES.join(", "));
        return Err(Error::invalid("role", text));
    }
    let since = db.clock().now() - DEAD_AFTER;
    let mut meant = super::list(db).await?;
    meant.retain(|one| is_meant(one, process, since) && one.roles.iter().any(|own| own == role));
    if meant.is_empty() {
        let text = format!("No running process has the role {role}. What runs is told by: app ps");
        return Err(Error::new(Code::NotFound, text));
    }
    let meant = &meant;
    db.write(Write::interactive("process.pause"), |tx| {
        Box::pin(async move {
            for one in meant {
                let mut roles: BTreeSet<&str> = one.paused.iter().map(String::as_str).collect();
                if paused {
                    roles.insert(role);
                } else {
                    roles.remove(role);
                }
                let roles: Vec<&str> = roles.into_iter().collect();
                set_paused(tx, &one.id, &roles.join(",")).await?;
            }
            tx.signal(Signal::Orders);
            // What waits tells another reason from now on.
            tx.signal(Signal::Progress);
            Ok(())
        })
    })
    .await?;
    Ok(meant.len())
}

async fn set_paused(tx: &mut Tx<'_>, id: &str, roles: &str) -> Result<()> {
    let update = sql("UPDATE process SET paused = $2 WHERE id = $1").bind(id).bind(roles);
    update.exec(tx).await.map(drop)
}

/// Makes every living process log at a level, such as `info,vitrine=debug`; an empty one is what the settings say.
/// Answers how many were told.
///
/// # Errors
/// `Invalid` for a level that is none.
pub async fn log_level(db: &Db, level: &str) -> Result<u64> {
    telemetry::check_level(level)?;
    let since = db.clock().now() - DEAD_AFTER;
    db.write(Write::interactive("process.log_level"), |tx| {
        Box::pin(async move {
            tx.signal(Signal::Orders);
            sql("UPDATE process SET log_level = $1 WHERE beat_at >= $2")
                .bind(level)
                .bind(since)
                .exec(tx)
                .await
        })
    })
    .await
}
