//! A worker: one feed per queue, a keeper for leases and cancels, and a writer of outcomes.
//!
//! Also runs jobs without all that: everything that is ready (tests), or one job to its end (command line).

use std::collections::HashMap;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::claim::{self, Claim, Claimed};
use super::context::{Running, Why};
use super::feed::{Feed, Ready};
use super::settle::{self, Ended, Outcome};
use super::store;
use super::{JobHandler, QUEUES, State, view};
use crate::kernel::config::Config;
use crate::kernel::db::{Db, Signal, Write};
use crate::kernel::error::{Error, Result};

/// How a worker works.
#[derive(Clone, Debug)]
pub struct WorkerOptions {
    pub queues: Vec<String>,
    /// Jobs at the same time in each queue that has no limit of its own.
    pub concurrency: usize,
    /// Queues with a limit of their own.
    pub limits: HashMap<String, usize>,
    /// After this time without a renewal others take the job. It is renewed three times as often.
    pub lease_ms: i64,
    /// How long running jobs may go on once the process is asked to end.
    pub grace: Duration,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        let queues = QUEUES.iter().map(|q| (*q).to_owned()).collect();
        Self {
            queues,
            concurrency: 4,
            limits: HashMap::new(),
            lease_ms: 20_000,
            grace: Duration::from_secs(10),
        }
    }
}

impl WorkerOptions {
    /// From the settings; no queue named: all of the house.
    pub fn from_config(config: &Config) -> Self {
        let mut options = Self::default();
        if !config.jobs.queues.is_empty() {
            options.queues.clone_from(&config.jobs.queues);
        }
        options.grace = Duration::from_secs(config.jobs.stop_seconds);
        options.concurrency = usize::try_from(config.jobs.concurrency).unwrap_or(4).clamp(1, 256);
        options.limits = config.jobs.limits();
        options.lease_ms = i64::try_from(config.jobs.lease_seconds).unwrap_or(20).clamp(3, 3_600) * 1_000;
        options
    }
}

/// See the module's text. Cheap to clone.
#[derive(Clone)]
pub struct Worker(Arc<Inner>);

pub(super) struct Inner {
    pub db: Db,
    pub id: Arc<str>,
    handlers: HashMap<&'static str, JobHandler>,
    /// `|a|b|`: what it can run, as the claim compares it.
    kinds: String,
    pub options: WorkerOptions,
    /// The clock as it was last seen.
    pub seen: AtomicI64,
    active: Mutex<HashMap<String, Arc<Running>>>,
    ended: mpsc::UnboundedSender<Ended>,
    inbox: Mutex<Option<mpsc::UnboundedReceiver<Ended>>>,
}

impl Worker {
    /// A worker under the id of its process in the registry.
    ///
    /// # Errors
    /// Two handlers of one kind.
    pub fn new(db: &Db, id: &str, handlers: Vec<JobHandler>, options: WorkerOptions) -> Result<Self> {
        let mut by_kind = HashMap::new();
        let mut kinds = String::from("|");
        for handler in handlers {
            kinds.push_str(handler.kind);
            kinds.push('|');
            if let Some(twice) = by_kind.insert(handler.kind, handler) {
                return Err(Error::internal(anyhow::anyhow!(
                    "two handlers run jobs of the kind {}",
                    twice.kind
                )));
            }
        }
        let (ended, inbox) = mpsc::unbounded_channel();
        Ok(Self(Arc::new(Inner {
            db: db.clone(),
            id: id.into(),
            handlers: by_kind,
            kinds,
            options,
            seen: AtomicI64::new(db.clock().now()),
            active: Mutex::new(HashMap::new()),
            ended,
            inbox: Mutex::new(Some(inbox)),
        })))
    }

    /// Every kind it runs, in order: stored names, watched by a test.
    pub fn kinds(&self) -> Vec<&'static str> {
        let mut kinds: Vec<_> = self.0.handlers.keys().copied().collect();
        kinds.sort_unstable();
        kinds
    }

    /// Works until `stop`, then lets running jobs end for the time of grace and puts back what did not.
    pub async fn run(&self, stop: CancellationToken) {
        let inner = self.0.clone();
        let Some(inbox) = inner.inbox.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            warn!("this worker runs already");
            return;
        };
        info!(worker = &*inner.id, queues = inner.options.queues.join(","), "working");
        inner.recover(true).await;
        let writer = tokio::spawn(settle::run(inner.db.clone(), inner.id.clone(), inbox, {
            let inner = inner.clone();
            move |ended| inner.forget(ended)
        }));
        let keeper_stop = CancellationToken::new();
        let keeper = tokio::spawn({
            let (inner, stop) = (inner.clone(), keeper_stop.clone());
            async move { inner.keep(&stop).await }
        });
        let (mut feeders, mut slots) = (JoinSet::new(), JoinSet::new());
        for queue in &inner.options.queues {
            let places = inner
                .options
                .limits
                .get(queue)
                .copied()
                .unwrap_or(inner.options.concurrency);
            let feed = Arc::new(Feed::new(queue.clone(), places));
            for _ in 0..places {
                let (inner, feed, stop) = (inner.clone(), feed.clone(), stop.clone());
                slots.spawn(async move { feed.slot(&inner, &stop).await });
            }
            let (inner, stop) = (inner.clone(), stop.clone());
            feeders.spawn(async move { feed.feed(&inner, &stop).await });
        }
        stop.cancelled().await;
        inner
            .active()
            .values()
            .for_each(|running| running.interrupt(Why::Stopping));
        feeders.join_all().await;
        let all_ended = async { while slots.join_next().await.is_some() {} };
        if tokio::time::timeout(inner.options.grace, all_ended).await.is_err() {
            slots.shutdown().await;
            inner.put_back_active();
        }
        inner.drained(Duration::from_secs(5)).await;
        keeper_stop.cancel();
        writer.abort();
        if let Err(error) = keeper.await {
            warn!(%error, "the keeper of leases ended badly");
        }
    }

    /// Runs everything that is ready now, one after another, the queues in their order. Answers how many ran. For tests
    /// and the command line without a server.
    ///
    /// # Errors
    /// What the database says.
    pub async fn drain(&self) -> Result<usize> {
        self.0.recover(false).await;
        let mut count = 0;
        loop {
            let before = count;
            for queue in &self.0.options.queues {
                while let Some(job) = self.0.claim_first(queue).await? {
                    self.0.run_and_settle(job).await?;
                    count += 1;
                }
            }
            if count == before {
                return Ok(count);
            }
        }
    }

    /// Runs one job to its end, tries included, after those of the same subject that come before it. Answers its last
    /// state; where another worker has it already, waits for that. Watch it with [`super::watch`] to show progress.
    ///
    /// # Errors
    /// `NotFound`; what the database says.
    pub async fn run_one(&self, id: &str, stop: &CancellationToken) -> Result<view::Job> {
        let inner = &self.0;
        inner.recover(true).await;
        let keeper_stop = CancellationToken::new();
        let _ends_the_keeper = keeper_stop.clone().drop_guard();
        let keeper = inner.clone();
        tokio::spawn(async move { keeper.keep(&keeper_stop).await });
        let interrupted = {
            let (inner, stop) = (inner.clone(), stop.clone());
            tokio::spawn(async move {
                stop.cancelled().await;
                inner
                    .active()
                    .values()
                    .for_each(|running| running.interrupt(Why::Stopping));
            })
        };
        let outcome = inner.run_until_final(id, stop).await;
        interrupted.abort();
        outcome
    }
}

impl Inner {
    pub fn handler(&self, kind: &str) -> Option<&JobHandler> {
        self.handlers.get(kind)
    }

    pub fn active(&self) -> MutexGuard<'_, HashMap<String, Arc<Running>>> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn claim_now(&self, now: i64) -> Claim<'_> {
        Claim {
            worker: &self.id,
            lease_until: now + self.options.lease_ms,
            kinds: &self.kinds,
        }
    }

    /// Notes a claimed job as running here.
    pub fn start(&self, job: &Claimed) -> Arc<Running> {
        let running = Arc::new(Running::new(self.db.clone(), self.id.clone(), job));
        self.active().insert(job.id.clone(), running.clone());
        running
    }

    fn forget(&self, ended: &Ended) {
        let mut active = self.active();
        // The same job may have been claimed here again in the meantime.
        if active
            .get(&ended.running.id)
            .is_some_and(|r| Arc::ptr_eq(r, &ended.running))
        {
            active.remove(&ended.running.id);
        }
    }

    fn hand_over(&self, running: Arc<Running>, outcome: Outcome) {
        if let Err(mpsc::error::SendError(ended)) = self.ended.send(Ended { running, outcome }) {
            // The writer is gone: the lease runs out and somebody takes the job.
            self.forget(&ended);
        }
    }

    /// Puts claimed jobs back that were not started.
    pub fn give_back(&self, jobs: Vec<Ready>) {
        for (_, running) in jobs.into_iter().flat_map(|ready| ready.line) {
            self.hand_over(running, Outcome::PutBack);
        }
    }

    fn put_back_active(&self) {
        let left: Vec<_> = self.active().values().cloned().collect();
        for running in left {
            warn!(job.id = running.id, "a job did not stop in time and is put back");
            self.hand_over(running, Outcome::PutBack);
        }
    }

    /// Waits until every outcome is written, at most for `limit`: leases do the rest.
    async fn drained(&self, limit: Duration) {
        let _ = tokio::time::timeout(limit, async {
            while !self.active().is_empty() {
                pause(5).await;
            }
        })
        .await;
    }

    /// Runs a claimed job, or puts it back where the one before it in its subject has not ended, and hands the outcome
    /// to the writer. Answers whether the next of its subject may run.
    pub async fn run_claimed(&self, job: Claimed, running: Arc<Running>, goes_on: bool) -> bool {
        let outcome = if goes_on {
            self.execute(job, &running).await
        } else {
            Outcome::PutBack
        };
        let has_ended = !matches!(outcome, Outcome::Retry { .. } | Outcome::PutBack | Outcome::Lost);
        self.hand_over(running, outcome);
        has_ended
    }

    async fn run_and_settle(&self, job: Claimed) -> Result<()> {
        let running = self.start(&job);
        let outcome = self.execute(job, &running).await;
        let ended = [Ended { running, outcome }];
        let written = settle::settle(&self.db, &self.id, &ended).await;
        let [ended] = ended;
        self.forget(&ended);
        written
    }

    async fn claim_first(&self, queue: &str) -> Result<Option<Claimed>> {
        loop {
            let write = self.db.write(Write::interactive("jobs.claim"), |tx| {
                Box::pin(async move { claim::claim(tx, self.claim_now(tx.now()), queue, 1).await })
            });
            let mut taken = write.await?;
            let first = taken.jobs.pop();
            if first.is_some() || !taken.more {
                return Ok(first);
            }
        }
    }

    async fn run_until_final(&self, id: &str, stop: &CancellationToken) -> Result<view::Job> {
        let mut moved = self.db.signals().subscribe(Signal::Progress);
        loop {
            moved.borrow_and_update();
            let job = view::get(&self.db, id).await?;
            if job.state.is_final() || stop.is_cancelled() {
                return Ok(job);
            }
            if job.state == State::Waiting && (job.attempts == 0 || job.run_at <= self.db.clock().now()) {
                let first = self.first_of_subject(id).await?;
                let first = &first;
                let claim = self.db.write(Write::interactive("jobs.claim"), |tx| {
                    Box::pin(async move { claim::claim_one(tx, self.claim_now(tx.now()), first).await })
                });
                if let Some(job) = claim.await? {
                    self.run_and_settle(job).await?;
                    continue;
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                _ = moved.changed() => {}
                () = pause(500) => self.recover(false).await,
            }
        }
    }

    /// The waiting job that has to go before this one: of its subject, or a part of it. Itself if there is none.
    async fn first_of_subject(&self, id: &str) -> Result<String> {
        let first = match store::ahead(&self.db, id).await? {
            Some((other, state, _)) if state == State::Waiting.as_str() => other,
            _ => id.to_owned(),
        };
        let part = store::waiting_part(&self.db, &first).await?;
        Ok(part.map_or(first, |(part,)| part))
    }
}

/// Waits as real time passes: between tries and as a safety net beside wake-ups.
#[expect(clippy::disallowed_methods, reason = "a pause between tries is real time")]
pub(super) async fn pause(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}
