//! One queue of a worker: a feeder that claims ahead in batches, and slots that run what it claimed.
//!
//! How far ahead depends on how long jobs take: short ones are claimed by the hundred, long ones one per free slot. What
//! was claimed and could not be started within a second goes back, so that an idle worker elsewhere gets it.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::claim::{self, Claimed, Taken};
use super::context::Running;
use super::store;
use super::worker::Inner;
use crate::kernel::db::{Signal, Write};

/// Jobs claimed in one statement.
const BATCH: usize = 100;
/// Jobs claimed and not begun, at most: twice a batch, so that whole batches are claimed while the other half runs.
const AHEAD: usize = 2 * BATCH;
/// Work claimed ahead, in microseconds of one slot.
const AHEAD_MICROS: u64 = 200_000;
/// Without a wake-up a queue is looked at this often.
const POLL: Duration = Duration::from_millis(1_000);
/// How long a claimed job may wait for a slot.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a feed does as soon as jobs are wanted.
#[derive(Clone, Copy, PartialEq)]
enum Look {
    /// Nothing is there; a signal or the clock says when to look again.
    Wait,
    /// Something may be there: a read tells, before a claim keeps others from claiming.
    Ask,
    Claim,
}

/// Claimed jobs on their way to a slot: one, or several of one subject that run one after another.
pub(super) struct Ready {
    pub line: Vec<(Claimed, Arc<Running>)>,
    pub since: Instant,
}

/// See the module's text.
pub(super) struct Feed {
    pub queue: String,
    slots: usize,
    ready: Mutex<VecDeque<Ready>>,
    idle: AtomicI64,
    /// A moving average of what a job takes, in microseconds; 0 while unknown.
    micros: AtomicU64,
    filled: Notify,
    taken: Notify,
}

impl Feed {
    pub fn new(queue: String, slots: usize) -> Self {
        Self {
            queue,
            slots,
            ready: Mutex::new(VecDeque::new()),
            idle: AtomicI64::new(0),
            micros: AtomicU64::new(0),
            filled: Notify::new(),
            taken: Notify::new(),
        }
    }

    fn ready(&self) -> MutexGuard<'_, VecDeque<Ready>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many jobs to hold ready beyond what runs: 0 while jobs are long or nothing is known of them.
    fn ahead(&self) -> usize {
        let micros = self.micros.load(Ordering::Relaxed);
        if micros == 0 {
            return 0;
        }
        let ahead = usize::try_from(AHEAD_MICROS * self.slots as u64 / micros).unwrap_or(AHEAD);
        // Less than a whole job for each slot is not worth holding back from others.
        if ahead < self.slots * 2 { 0 } else { ahead.min(AHEAD) }
    }

    /// How many to claim now: what the free slots and the next moments need; 0 while enough is there.
    fn wanted(&self) -> usize {
        let idle = usize::try_from(self.idle.load(Ordering::Relaxed)).unwrap_or(0);
        let ahead = self.ahead();
        let there: usize = self.ready().iter().map(|ready| ready.line.len()).sum();
        if there > ahead / 2 || (ahead == 0 && there >= idle) {
            return 0;
        }
        (idle + ahead).saturating_sub(there).min(BATCH)
    }

    fn learn(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).clamp(1, 60_000_000);
        let old = self.micros.load(Ordering::Relaxed);
        let new = if old == 0 { took } else { (old * 7 + took) / 8 };
        self.micros.store(new.max(1), Ordering::Relaxed);
    }

    fn take_stale(&self) -> Vec<Ready> {
        let mut ready = self.ready();
        let stale = ready.iter().take_while(|r| r.since.elapsed() >= PATIENCE).count();
        ready.drain(..stale).collect()
    }

    fn take_all(&self) -> Vec<Ready> {
        self.ready().drain(..).collect()
    }

    /// Claims until `stop`, waiting only when nothing is ready or enough is claimed.
    pub async fn feed(&self, worker: &Inner, stop: &CancellationToken) {
        let mut signal = worker.db.signals().subscribe(Signal::Jobs);
        let mut expected = worker.db.signals().expected();
        let mut look = Look::Claim;
        loop {
            if stop.is_cancelled() {
                break;
            }
            let stale = self.take_stale();
            if !stale.is_empty() {
                worker.give_back(stale);
            }
            let wanted = self.wanted();
            if wanted > 0 && look != Look::Wait {
                signal.borrow_and_update();
                look = self.look(worker, look, wanted).await.unwrap_or_else(|error| {
                    warn!(queue = self.queue, ?error, "jobs cannot be claimed; trying again");
                    Look::Wait
                });
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.taken.notified() => {}
                heard = expected.recv(), if look != Look::Claim => look = match heard {
                    Ok(queue) if *queue == *self.queue => Look::Claim,
                    Ok(_) => look,
                    Err(_) => Look::Ask,
                },
                changed = signal.changed(), if look == Look::Wait => if changed.is_ok() { look = Look::Ask },
                () = super::worker::pause(POLL.as_millis() as u64) => if look == Look::Wait { look = Look::Ask },
            }
        }
        worker.give_back(self.take_all());
    }

    /// Looks for jobs, and says how to go on.
    async fn look(&self, worker: &Inner, look: Look, wanted: usize) -> crate::kernel::error::Result<Look> {
        if look == Look::Ask {
            let due = store::is_due(&worker.db, &self.queue, worker.db.clock().now());
            // A database that does not answer is told by who keeps the connection; here it is asked again with the clock.
            if !due.await.unwrap_or(false) {
                return Ok(Look::Wait);
            }
        }
        // A full batch, or a line in the way: there is more, as soon as it is wanted.
        let more = self.claim(worker, wanted).await?;
        Ok(if more { Look::Claim } else { Look::Wait })
    }

    /// Answers whether there may be more.
    async fn claim(&self, worker: &Inner, wanted: usize) -> crate::kernel::error::Result<bool> {
        let limit = wanted as i64;
        let follow = self.ahead() > 0;
        let (heads, followers, more) = worker
            .db
            .write(Write::interactive("jobs.claim"), |tx| {
                Box::pin(async move {
                    let by = worker.claim_now(tx.now());
                    let Taken { jobs: heads, more } = claim::claim(tx, by, &self.queue, limit).await?;
                    let room = limit - heads.len() as i64;
                    let subjects = heads.iter().filter(|job| job.ordering_key.is_some()).count();
                    if !follow || room == 0 || subjects == 0 {
                        return Ok((heads, Vec::new(), more));
                    }
                    let followers = claim::claim_followers(tx, by, &self.queue, room, subjects).await?;
                    Ok((heads, followers, more))
                })
            })
            .await?;
        let is_full = heads.len() + followers.len() == wanted;
        self.line_up(worker, heads, followers);
        Ok(more || is_full)
    }

    /// Puts each job into a line of its own, and what follows it in its subject behind it.
    fn line_up(&self, worker: &Inner, heads: Vec<Claimed>, followers: Vec<Claimed>) {
        let since = Instant::now();
        let mut behind: HashMap<Option<String>, Vec<(Claimed, Arc<Running>)>> = HashMap::new();
        for job in followers {
            let running = worker.start(&job);
            behind.entry(job.ordering_key.clone()).or_default().push((job, running));
        }
        for job in heads {
            let running = worker.start(&job);
            let after = job
                .ordering_key
                .is_some()
                .then(|| behind.remove(&job.ordering_key))
                .flatten();
            let line = std::iter::once((job, running))
                .chain(after.unwrap_or_default())
                .collect();
            self.ready().push_back(Ready { line, since });
            self.filled.notify_one();
        }
        // Two claims within one millisecond look alike: what follows a job of the other one waits for its turn.
        worker.give_back(behind.into_values().map(|line| Ready { line, since }).collect());
    }

    /// Runs one job after another until `stop`.
    pub async fn slot(&self, worker: &Inner, stop: &CancellationToken) {
        loop {
            let Some(ready) = self.next(stop).await else { return };
            let mut goes_on = true;
            for (job, running) in ready.line {
                let started = Instant::now();
                goes_on = worker.run_claimed(job, running, goes_on).await;
                self.learn(started.elapsed());
            }
        }
    }

    async fn next(&self, stop: &CancellationToken) -> Option<Ready> {
        let mut is_idle = false;
        let found = loop {
            if stop.is_cancelled() {
                break None;
            }
            let filled = self.filled.notified();
            if let Some(ready) = self.pop() {
                break Some(ready);
            }
            if !is_idle {
                is_idle = true;
                self.idle.fetch_add(1, Ordering::Relaxed);
                self.taken.notify_one();
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = filled => {}
            }
        };
        if is_idle {
            self.idle.fetch_sub(1, Ordering::Relaxed);
        }
        found
    }

    fn pop(&self) -> Option<Ready> {
        let (next, left) = {
            let mut ready = self.ready();
            let next = ready.pop_front();
            (next, ready.len())
        };
        if next.is_some() {
            if left > 0 {
                // A notification is lost when nobody was waiting for it: pass it on.
                self.filled.notify_one();
            }
            self.taken.notify_one();
        }
        next
    }
}
