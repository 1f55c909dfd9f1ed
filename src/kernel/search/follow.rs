//! The follower: reads what changed from the ledger, loads the current state, writes it, commits in time.
//!
//! It commits 50 ms after the first pending change and at most every 250 ms; in bulk every 400 ms or 50 MB; at once when
//! somebody waits for what is pending. Whatever fails is logged, shows in health and is tried again.

use std::collections::{BTreeMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::again::{Spread, Sweep};
use super::rebuild::{self, BATCH};
use super::schema::SCHEMA_VERSION;
use super::snapshot;
use super::store::{self, Payload, Store};
use super::{Health, IndexSource, Inner, locked};
use crate::kernel::db::{Db, Engine, Signal};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::ledger::{self, Position};

const SOON: Duration = Duration::from_millis(50);
const BETWEEN: Duration = Duration::from_millis(250);
const BULK: Duration = Duration::from_millis(400);
const BULK_BYTES: usize = 50_000_000;
/// From this many changes at once on it is bulk.
const BULK_CHANGES: usize = 200;
/// How often it looks by itself: signals may be lost, folders deleted.
const LOOK: Duration = Duration::from_secs(1);
/// How soon it looks again while a transaction is open below what is committed (PostgreSQL).
const HORIZON: Duration = Duration::from_millis(20);
const RETRY: [u64; 5] = [200, 500, 1_000, 3_000, 10_000];

/// Runs what blocks, and hands on its panic as an error.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
}

/// The way out when the process ends in the middle of something.
pub(super) fn stopped() -> Error {
    Error::new(Code::Unavailable, "The process is ending.")
}

/// See the module's text.
pub(super) struct Follower {
    pub inner: Arc<Inner>,
    pub sources: BTreeMap<&'static str, Arc<dyn IndexSource>>,
    pub db: Db,
    pub stop: CancellationToken,
}

/// Follows until `stop` fires.
pub(super) async fn run(inner: Arc<Inner>, sources: Vec<Arc<dyn IndexSource>>, db: Db, stop: CancellationToken) {
    let sources = sources.into_iter().map(|source| (source.kind(), source)).collect();
    let follower = Follower {
        inner,
        sources,
        db,
        stop,
    };
    let mut failures = 0;
    while !follower.stop.is_cancelled() {
        let began = Instant::now();
        let reason = match AssertUnwindSafe(follower.follow()).catch_unwind().await {
            Ok(Ok(())) => continue,
            Ok(Err(_)) if follower.stop.is_cancelled() => return,
            Ok(Err(error)) => {
                tracing::error!(error = ?error, "the search index could not follow; it tries again");
                error.detail().to_owned()
            }
            Err(_) => {
                tracing::error!("the search index's follower panicked; it tries again");
                "it panicked; the log says where".to_owned()
            }
        };
        follower.say(Health::Failed {
            reason: format!("the search index cannot follow: {reason}"),
        });
        // A failure long after the last one is a first one.
        failures = if began.elapsed() > Duration::from_secs(60) {
            0
        } else {
            failures
        };
        follower.rest(failures).await;
        failures += 1;
    }
}

/// Where the follower is.
pub(super) struct Progress {
    pub store: Store,
    pub database: String,
    /// What the build holds is as it was with this version.
    schema: u32,
    /// The last rebuild asked for that the build began after.
    rebuilt: u64,
    /// Read up to here.
    pub at: Position,
    pub first_pending: Option<Instant>,
    last_commit: Instant,
    pub bulk: bool,
    pub sweep: Option<Sweep>,
    pub spread: Spread,
    /// When to look next whether it is this process's turn to take a snapshot.
    next_snapshot: Instant,
}

impl Progress {
    /// As a build's last commit left it.
    pub fn resume(store: Store, payload: Payload) -> Self {
        let last_commit = Instant::now();
        Self {
            store,
            schema: payload.schema,
            rebuilt: payload.rebuilt,
            at: payload.at(),
            first_pending: None,
            last_commit,
            bulk: false,
            sweep: payload.sweeping.then(Sweep::default),
            spread: Spread::resume(payload.reached),
            next_snapshot: last_commit,
            database: payload.database,
        }
    }

    /// What a commit has to say.
    pub fn payload(&self) -> Payload {
        Payload {
            schema: self.schema,
            rebuilt: self.rebuilt,
            reached: self.spread.left(),
            ..Payload::new(&self.database, self.at, self.sweep.is_some())
        }
    }
}

impl Follower {
    pub(super) fn say(&self, health: Health) {
        self.inner.say(health);
    }

    /// Waits before the next try, longer after each failure; less if the ledger grows or the database is back.
    async fn rest(&self, failures: usize) {
        let mut ledger = self.db.signals().subscribe(Signal::Ledger);
        let least = Duration::from_millis(RETRY[0]);
        let most = Duration::from_millis(RETRY[failures.min(RETRY.len() - 1)]);
        let _ = tokio::time::timeout(least, self.stop.cancelled()).await;
        let _ = tokio::time::timeout(most.saturating_sub(least), async {
            tokio::select! {
                () = self.stop.cancelled() => {}
                _ = ledger.changed() => {}
            }
        })
        .await;
    }

    /// Has somebody asked for a rebuild that no finished build began after?
    fn is_asked(&self) -> bool {
        self.inner.asked.load(Ordering::Acquire) > self.inner.built.borrow().asked
    }

    /// Another process may have asked for a rebuild.
    async fn look_for_requests(&self) -> Result<()> {
        let asked = rebuild::asked(&self.db).await?;
        self.inner.asked.fetch_max(asked, Ordering::AcqRel);
        Ok(())
    }

    /// Opens or builds the index, then follows until something breaks, a rebuild is asked for or the process ends.
    async fn follow(&self) -> Result<()> {
        let mut ledger = self.db.signals().subscribe(Signal::Ledger);
        let database = ledger::identity(&self.db).await?;
        self.look_for_requests().await?;
        // Whatever was asked for, it begins with what there is, and builds anew beside it.
        let resumed = match self.resume(&database).await? {
            None if self.restore(&database).await? => self.resume(&database).await?,
            resumed => resumed,
        };
        let (store, payload) = match resumed {
            Some(resumed) => resumed,
            // One that fails is tried again, since somebody waits for it.
            None => self.build(&database).await?,
        };
        let rebuilt = payload.rebuilt;
        self.inner
            .built
            .send_modify(|built| built.asked = built.asked.max(rebuilt));
        self.inner.watermark.send_replace(payload.at());
        let mut progress = Progress::resume(store, payload);
        loop {
            ledger.mark_unchanged();
            let (next, idle) = self.step(progress).await?;
            progress = next;
            if self.stop.is_cancelled() {
                return Ok(());
            }
            if self.is_asked() || progress.schema != SCHEMA_VERSION {
                progress = self.renew(progress).await?;
                continue;
            }
            if idle && progress.sweep.is_none() && progress.spread.is_empty() {
                progress = self.take_snapshot(progress)?;
                let wait = self.patience(&progress).await?;
                tokio::select! {
                    _ = ledger.changed() => {}
                    () = self.inner.wake.notified() => {}
                    () = self.stop.cancelled() => {}
                    () = tokio::time::sleep_until(wait) => {}
                }
            } else if !idle {
                self.report(&progress).await?;
            }
        }
    }

    /// Reads what changed, writes it, and commits when it is time; true where nothing had changed.
    pub(super) async fn step(&self, mut progress: Progress) -> Result<(Progress, bool)> {
        let changes = ledger::follow(&self.db, progress.at, BATCH).await?;
        let idle = changes.is_empty();
        if idle && !progress.spread.is_empty() {
            progress = self.spread(progress).await?;
        } else if idle {
            progress = self.sweep(progress).await?;
        } else {
            progress = self.apply(progress, changes).await?;
        }
        if progress.first_pending.is_none() {
            self.inner
                .watermark
                .send_if_modified(|mark| std::mem::replace(mark, progress.at) != progress.at);
        }
        if self.stop.is_cancelled() || due(&self.inner, &progress).is_some_and(|at| at <= Instant::now()) {
            progress = self.commit(progress).await?;
        }
        Ok((progress, idle))
    }

    /// The index as it was left, if it is of this database and not ahead of it.
    async fn resume(&self, database: &str) -> Result<Option<(Store, Payload)>> {
        let head = ledger::head(&self.db).await?;
        let (inner, database) = (self.inner.clone(), database.to_owned());
        blocking(move || {
            let slot = locked(&inner.slot);
            let Some(path) = slot.current() else { return Ok(None) };
            let Some((index, payload)) = store::open(&path, &inner.fields) else {
                return Ok(None);
            };
            if payload.database != database || payload.at() > head {
                tracing::info!("the search index belongs to another state of the database and is built again");
                // It must not answer: what it holds is not what this database holds.
                inner.live.store(None);
                return Ok(None);
            }
            let store = Store::attach(&index, &path, &inner.fields, &inner.settings)?;
            slot.clean(Some(&path));
            inner.publish(store.reader.clone());
            Ok(Some((store, payload)))
        })
        .await
    }

    /// Writes the current state of what changed.
    pub(super) async fn apply(&self, mut progress: Progress, changes: Vec<ledger::Change>) -> Result<Progress> {
        progress.bulk = changes.len() >= BULK_CHANGES;
        progress.at = changes.last().map_or(progress.at, |change| change.at);
        let mut by_kind: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
        let mut steps: BTreeMap<&'static str, Vec<(String, i64)>> = BTreeMap::new();
        let mut seen = HashSet::new();
        for change in changes {
            // Fields of a changed type may have moved to another level: all its records are looked at again.
            if change.kind == ledger::TYPE && change.version > 1 {
                progress.sweep = Some(Sweep::default());
            }
            let Some((kind, _)) = self.sources.get_key_value(change.kind.as_str()) else {
                continue;
            };
            steps
                .entry(kind)
                .or_default()
                .push((change.entity.clone(), change.version));
            if seen.insert(change.entity.clone()) {
                by_kind.entry(kind).or_default().push(change.entity);
            }
        }
        for (kind, ids) in by_kind {
            if let Some(source) = self.sources.get(kind) {
                let documents = source.load(&ids).await?;
                progress = write(progress, ids, documents).await?;
            }
        }
        for (kind, changes) in steps {
            progress = self.note_reach(progress, kind, &changes).await?;
        }
        // What little reaches is there with the change itself.
        if !progress.bulk && !progress.spread.is_empty() {
            progress = self.spread(progress).await?;
        }
        Ok(progress)
    }

    async fn commit(&self, mut progress: Progress) -> Result<Progress> {
        if progress.first_pending.is_none() {
            return Ok(progress);
        }
        let payload = progress.payload();
        let mut store = progress.store;
        store = blocking(move || {
            store.commit(&payload)?;
            Ok(store)
        })
        .await?;
        progress.store = store;
        progress.first_pending = None;
        progress.last_commit = Instant::now();
        self.inner.tidy();
        self.inner.watermark.send_replace(progress.at);
        Ok(progress)
    }

    /// Has a snapshot taken beside the following now and then, while all that was read is on the disk.
    fn take_snapshot(&self, mut progress: Progress) -> Result<Progress> {
        let Some(keeper) = self.inner.keeper.get() else {
            return Ok(progress);
        };
        if progress.first_pending.is_some() || progress.next_snapshot > Instant::now() {
            return Ok(progress);
        }
        progress.next_snapshot = Instant::now() + keeper.every.min(snapshot::LOOK);
        let (path, meta) = (progress.store.path.clone(), progress.store.meta()?);
        let taking = snapshot::take(self.inner.clone(), self.db.clone(), path, meta);
        let stop = self.stop.clone();
        tokio::spawn(async move {
            if let Some(Err(error)) = stop.run_until_cancelled(taking).await {
                tracing::warn!(%error, "a snapshot of the search index could not be taken");
            }
        });
        Ok(progress)
    }

    /// Until when to wait for something to happen; also the time for what is only looked at now and then.
    async fn patience(&self, progress: &Progress) -> Result<Instant> {
        let now = Instant::now();
        self.look_for_requests().await?;
        if self.is_asked() {
            return Ok(now);
        }
        self.inner.tidy();
        if !progress.store.intact() {
            return Err(Error::new(
                Code::Unavailable,
                "its folder has been deleted; it is being built again",
            ));
        }
        let behind = self.db.engine() == Engine::Postgres && ledger::head(&self.db).await? > progress.at;
        if !behind {
            self.say(Health::Ok);
        }
        let look = now + if behind { HORIZON } else { LOOK };
        Ok(due(&self.inner, progress).map_or(look, |at| at.min(look)))
    }

    /// Says how far it is while there is more to read.
    async fn report(&self, progress: &Progress) -> Result<()> {
        if progress.bulk && *locked(&self.inner.health) != Health::Ok {
            let head = ledger::head(&self.db).await?;
            let left = head.position.saturating_sub(progress.at.position);
            self.say(Health::Starting {
                reason: format!("catching up with the ledger: {left} changes to go"),
            });
        }
        Ok(())
    }
}

pub(super) async fn write(
    mut progress: Progress,
    ids: Vec<String>,
    documents: Vec<super::Document>,
) -> Result<Progress> {
    let mut store = progress.store;
    store = blocking(move || {
        store.replace(&ids, &documents)?;
        Ok(store)
    })
    .await?;
    progress.store = store;
    progress.first_pending.get_or_insert_with(Instant::now);
    Ok(progress)
}

/// When what is pending must be committed.
fn due(inner: &Inner, progress: &Progress) -> Option<Instant> {
    let first = progress.first_pending?;
    if progress.store.pending_bytes >= BULK_BYTES || locked(&inner.wanted).iter().any(|(_, at)| *at <= progress.at) {
        return Some(first);
    }
    let (soon, between) = if progress.bulk { (BULK, BULK) } else { (SOON, BETWEEN) };
    let due = (first + soon).max(progress.last_commit + between);
    // Somebody waits for something that is not read yet: no longer than the usual pause.
    Some(if locked(&inner.wanted).is_empty() {
        due
    } else {
        due.min(first + BETWEEN)
    })
}
