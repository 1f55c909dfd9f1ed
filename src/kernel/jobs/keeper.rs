//! What a worker does beside running jobs: it renews leases, hears cancels, writes late progress and takes jobs from
//! workers that are gone.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::context::Why;
use super::front;
use super::recover::{self, Orphans};
use super::store;
use super::worker::{Inner, pause};
use crate::kernel::db::{Engine, Signal, Write};
use crate::kernel::error::Result;
use crate::kernel::process;

/// Milliseconds by which a clock may be put right without a word.
const SET_BACK: i64 = 10_000;
/// How often it is made sure that nobody stands behind nobody.
const SWEEP: Duration = Duration::from_secs(60);

impl Inner {
    /// Takes jobs from workers that are gone. At the start also those of workers that are known to be dead.
    pub async fn recover(&self, starting: bool) {
        let now = self.db.clock().now();
        self.look_at_clock(now).await;
        let which = match (starting, self.db.engine()) {
            (true, Engine::Sqlite) => Orphans::AllBut(&self.id),
            (true, Engine::Postgres) => Orphans::DeadSince(now - process::DEAD_AFTER),
            (false, _) => match recover::is_orphaned(&self.db, now).await {
                Ok(true) => Orphans::Expired,
                Ok(false) => return,
                Err(error) => return warn!(?error, "jobs of lost workers cannot be looked for"),
            },
        };
        let taken = self
            .db
            .write(Write::interactive("jobs.recover"), |tx| {
                Box::pin(recover::recover(tx, which))
            })
            .await;
        match taken {
            Ok(0) => {}
            Ok(jobs) => info!(jobs, "jobs of lost workers run again"),
            Err(error) => warn!(?error, "jobs of lost workers cannot be taken over; trying again"),
        }
    }

    /// Brings back what was put aside behind others and stands behind nobody.
    pub async fn find_stranded(&self) {
        match front::find_stranded(&self.db).await {
            Ok(0) => {}
            Ok(jobs) => info!(jobs, "jobs that stood behind nobody are looked at again"),
            Err(error) => warn!(
                ?error,
                "jobs that stand behind others cannot be looked at; trying again"
            ),
        }
    }

    /// A clock that goes back would let orphans and next tries wait for as long as it went.
    async fn look_at_clock(&self, now: i64) {
        let last = self.seen.swap(now, Ordering::Relaxed);
        if now >= last - SET_BACK {
            return;
        }
        warn!(seconds = (last - now) / 1_000, "the clock was set back");
        let near = self.db.write(Write::interactive("jobs.clock"), |tx| {
            Box::pin(recover::bring_near(tx, self.options.lease_ms))
        });
        if let Err(error) = near.await {
            // The next look finds it again.
            self.seen.store(last, Ordering::Relaxed);
            warn!(
                ?error,
                "what waits by the clock of before goes on waiting; trying again"
            );
        }
    }

    /// Renews leases, hears cancels, writes late progress and takes jobs from lost workers, until `stop`.
    pub async fn keep(&self, stop: &CancellationToken) {
        let mut moved = self.db.signals().subscribe(Signal::Progress);
        let lease = Duration::from_millis(u64::try_from(self.options.lease_ms).unwrap_or(20_000));
        let (mut renewed, mut recovered, mut swept) = (Instant::now(), Instant::now(), Instant::now());
        self.find_stranded().await;
        while !stop.is_cancelled() {
            moved.borrow_and_update();
            if !self.active().is_empty() {
                if let Err(error) = self.hear_cancels().await {
                    warn!(?error, "cancels cannot be read; trying again");
                }
                self.flush_progress().await;
                if renewed.elapsed() >= lease / 3 {
                    match self.renew().await {
                        Ok(()) => renewed = Instant::now(),
                        Err(error) => warn!(?error, "leases cannot be renewed; trying again"),
                    }
                }
            }
            if recovered.elapsed() >= lease.min(Duration::from_secs(5)) {
                // Its own first: a clock that was set forward would show them as lost.
                match self.renew_any().await {
                    Ok(()) => {
                        renewed = Instant::now();
                        self.recover(false).await;
                    }
                    Err(error) => warn!(?error, "leases cannot be renewed; trying again"),
                }
                recovered = Instant::now();
            }
            if swept.elapsed() >= SWEEP {
                self.find_stranded().await;
                swept = Instant::now();
            }
            // At most five looks a second, however often progress is made.
            tokio::select! { () = stop.cancelled() => {}, () = pause(200) => {} }
            tokio::select! {
                () = stop.cancelled() => {}
                _ = moved.changed() => {}
                () = pause(800) => {}
            }
        }
    }

    async fn hear_cancels(&self) -> Result<()> {
        for (id,) in store::asked_to_stop(&self.db, &self.id).await? {
            if let Some(running) = self.active().get(&id) {
                running.interrupt(Why::Cancelled);
            }
        }
        Ok(())
    }

    async fn flush_progress(&self) {
        let all: Vec<_> = self.active().values().cloned().collect();
        for running in all {
            if let Err(error) = running.flush(false).await {
                warn!(job.id = running.id, ?error, "progress cannot be written");
            }
        }
    }

    async fn renew_any(&self) -> Result<()> {
        if self.active().is_empty() {
            return Ok(());
        }
        self.renew().await
    }

    /// Renews, and lets go of what is no longer ours.
    async fn renew(&self) -> Result<()> {
        let held: Vec<_> = self.active().values().cloned().collect();
        let until = self.db.clock().now() + self.options.lease_ms;
        let ours = self
            .db
            .write(Write::interactive("jobs.renew"), |tx| {
                Box::pin(store::renew(tx, &self.id, until))
            })
            .await?;
        let ours: HashMap<String, i64> = ours.into_iter().collect();
        for running in held {
            if ours.get(&running.id) != Some(&running.attempt) && !running.is_finished() {
                running.interrupt(Why::Lost);
            }
        }
        Ok(())
    }
}
