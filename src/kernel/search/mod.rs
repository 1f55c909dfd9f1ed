//! Search: one index per process for all kinds, on a fixed schema, following the ledger.
//!
//! [`Search::open`] takes a place in the data folder, [`Search::start`] begins to follow once the modules are wired,
//! [`Search::search`] answers. A process without an index holds `Search::default()` and answers `Unavailable`.

mod again;
mod answer;
mod bits;
mod budget;
mod clusters;
mod column;
mod compile;
mod cursor;
mod deep;
mod facet;
mod folder;
mod follow;
mod frequency;
mod heavy;
mod highlight;
mod inside;
mod marks;
mod near;
mod order;
mod pattern;
mod places;
mod query;
mod rebuild;
mod run;
mod schema;
mod scope;
mod settle;
mod shared;
mod similar;
mod snapshot;
mod sort;
mod spread;
mod stem;
mod store;
mod suggest;
mod synonyms;
#[cfg(test)]
mod tests;
mod text;
mod tongue;
pub mod types;
mod whole;
mod without;
mod words;

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use tantivy::IndexReader;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::access::Visibility;
use super::blobs::Blobs;
use super::clock::Clock;
use super::config;
use super::db::Db;
use super::error::{Code, Error, Result};
use super::ledger::Position;
use super::module::Health;
use answer::checked;
pub use compile::INSIDE;
pub use highlight::{excerpt, highlight, marks_of};
pub use inside::{Below, InTree};
pub use order::natural_key;
pub use places::{Cluster, Places, PlacesRequest};
pub use query::{How, MAX_CLAUSES, MAX_TEXT, Near, Node, Phrase, Span, Unit, Whole, Word};
pub use similar::{Like, MAX_SIMILAR};
pub use text::fold;
pub use types::*;

/// What of a module the index holds: turns entities of one ledger kind into documents.
#[async_trait]
pub trait IndexSource: Send + Sync {
    /// The ledger kind it serves, such as [`super::ledger::RECORD`].
    fn kind(&self) -> &'static str;
    /// The current state of these entities. An id that is missing from the answer is removed from the index.
    async fn load(&self, ids: &[String]) -> Result<Vec<Document>>;
    /// Ids of everything there is, in id order after `after`, for a rebuild.
    async fn page(&self, after: Option<&str>, limit: i64) -> Result<Vec<String>>;
    /// Those of these changed entities (id and version) whose change others tell of, too.
    async fn reached(&self, _changes: &[(String, i64)]) -> Result<Vec<Reached>> {
        Ok(Vec::new())
    }
    /// Who tells of an entity, in id order after `after`: each with whether who tells of it is reached in turn.
    async fn pointing(&self, _id: &str, _after: &str, _limit: i64) -> Result<Vec<(String, bool)>> {
        Ok(Vec::new())
    }
    /// Its types as of now, asked for with every question: their shapes, so that a level that was made stricter holds at
    /// once, before every document has been read again; and what they and their fields are called.
    async fn types(&self) -> Result<Types> {
        Ok(Types::default())
    }
}

/// Records of one page at most.
pub const MAX_LIMIT: usize = 200;
/// Rows that may be skipped with page numbers; cursors go on without limit.
pub const MAX_OFFSET: usize = 10_000;
/// The same where rows far down are asked for by their number, see [`Query::deep`].
pub const MAX_DEPTH: usize = 500_000;
/// Values of one facet at most.
pub const MAX_FACET_VALUES: usize = 1_000;
/// Facets, filters and filter values of one question at most.
const MAX_FACETS: usize = 32;
const MAX_FILTERS: usize = 64;
const MAX_FILTER_VALUES: usize = 500;

/// How long one question may be worked on.
const MAX_TIME: Duration = Duration::from_secs(5);
/// The same for what somebody is typing.
const SUGGEST_TIME: Duration = Duration::from_secs(1);
/// Suggestions of a sort at most.
pub const MAX_SUGGESTIONS: usize = 50;

/// The search of this process. Cheap to clone. A process without an index answers `Unavailable`.
#[derive(Clone, Default)]
pub struct Search(Option<Arc<Inner>>);

/// A build that answers, numbered so that markers of an earlier one are known as such.
struct Live {
    epoch: u64,
    reader: IndexReader,
}

/// How many builds this process has finished, and the last rebuild asked for that the one in use began after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Built {
    builds: u64,
    asked: u64,
}

struct Inner {
    fields: schema::Fields,
    settings: config::Search,
    clock: Clock,
    slot: std::sync::Mutex<folder::Slot>,
    live: ArcSwapOption<Live>,
    epochs: AtomicU64,
    kept: cursor::Kept,
    shared: shared::Shared,
    /// How far the answers are.
    watermark: watch::Sender<Position>,
    /// Places that somebody waits for, so that the follower commits early.
    wanted: std::sync::Mutex<Vec<(u64, Position)>>,
    wake: Notify,
    health: std::sync::Mutex<Health>,
    /// What it follows, from its start on.
    follows: OnceLock<(Db, Vec<Arc<dyn IndexSource>>)>,
    /// Where snapshots are kept, if they are.
    keeper: OnceLock<snapshot::Keeper>,
    /// The number of the last rebuild that was asked for in any process, as far as it is known here.
    asked: AtomicU64,
    /// Builds finished.
    built: watch::Sender<Built>,
    /// Questions answered at the same time.
    permits: Semaphore,
}

fn locked<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Inner {
    fn publish(&self, reader: IndexReader) {
        let epoch = self.epochs.fetch_add(1, Ordering::Relaxed) + 1;
        self.live.store(Some(Arc::new(Live { epoch, reader })));
    }
    /// Lets go of what no question can need any more.
    fn tidy(&self) {
        self.kept.sweep(self.clock.now());
        if let Some(live) = &*self.live.load() {
            self.shared.keep_only(&live.reader.searcher());
        }
    }
    fn say(&self, health: Health) {
        *locked(&self.health) = health;
    }
}

impl Search {
    /// Takes a place in the data folder, to be called once per process.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn open(root: &Path, settings: &config::Search, clock: Clock) -> Result<Self> {
        let slot = folder::Slot::take(root)?;
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Ok(Self(Some(Arc::new(Inner {
            fields: schema::Fields::new(),
            settings: settings.clone(),
            clock,
            slot: std::sync::Mutex::new(slot),
            live: ArcSwapOption::empty(),
            epochs: AtomicU64::new(0),
            kept: cursor::Kept::default(),
            shared: shared::Shared::default(),
            watermark: watch::Sender::new(Position::default()),
            wanted: std::sync::Mutex::new(Vec::new()),
            wake: Notify::new(),
            health: std::sync::Mutex::new(Health::Starting {
                reason: "the search index is being opened".to_owned(),
            }),
            follows: OnceLock::new(),
            keeper: OnceLock::new(),
            asked: AtomicU64::new(0),
            built: watch::Sender::new(Built::default()),
            permits: Semaphore::new(cores * 2),
        }))))
    }

    /// Holds the blobs of snapshots that are kept, whichever process took them.
    pub fn hold_snapshots(blobs: &Blobs, db: &Db) {
        blobs.hold(Arc::new(snapshot::Snapshots(db.clone())));
    }

    /// Has snapshots of the index taken, and used where none is found; to be said before [`Search::start`]. `every` is the
    /// least time between two of them, whichever process takes them.
    pub fn keep_snapshots(&self, blobs: Blobs, every: Duration) {
        if let Some(inner) = &self.0 {
            // Whatever was said first holds.
            let _ = inner.keeper.set(snapshot::Keeper { blobs, every });
        }
    }

    /// Begins to follow the ledger, with what the modules offer. Ends when `stop` fires; await the handle for that.
    pub fn start(
        &self,
        sources: Vec<Arc<dyn IndexSource>>,
        db: &Db,
        stop: CancellationToken,
    ) -> Option<JoinHandle<()>> {
        let inner = self.0.clone()?;
        // A second start would follow the same.
        let _ = inner.follows.set((db.clone(), sources.clone()));
        Some(tokio::spawn(follow::run(inner, sources, db.clone(), stop)))
    }

    /// Whether this process keeps an index.
    pub fn is_kept(&self) -> bool {
        self.0.is_some()
    }

    fn inner(&self) -> Result<&Arc<Inner>> {
        self.0.as_ref().ok_or_else(|| {
            Error::new(
                Code::Unavailable,
                "This process keeps no search index. Ask a process with the role web.",
            )
        })
    }

    /// How far the answers of this process are.
    pub fn position(&self) -> Position {
        self.0
            .as_ref()
            .map_or_else(Position::default, |inner| *inner.watermark.borrow())
    }

    /// Changes whenever the answers got further; `None` in a process without an index.
    pub fn positions(&self) -> Option<watch::Receiver<Position>> {
        self.0.as_ref().map(|inner| inner.watermark.subscribe())
    }

    /// How the index is, for readiness and `app doctor`.
    pub fn health(&self) -> Health {
        self.0
            .as_ref()
            .map_or(Health::Ok, |inner| locked(&inner.health).clone())
    }

    /// Waits until what was committed up to `position` can be found; false if that takes longer than `limit`.
    ///
    /// # Errors
    /// `Unavailable` in a process without an index.
    pub async fn wait_for(&self, position: Position, limit: Duration) -> Result<bool> {
        let inner = self.inner()?;
        let mut watermark = inner.watermark.subscribe();
        if *watermark.borrow_and_update() >= position {
            return Ok(true);
        }
        let waiter = Waiter::new(inner, position);
        let reached = tokio::time::timeout(limit, watermark.wait_for(|at| *at >= position)).await;
        drop(waiter);
        Ok(matches!(reached, Ok(Ok(_))))
    }

    /// Builds the index anew beside the one that answers, and switches when it is ready. Every other process with an
    /// index on the same database does so too, in its own time.
    ///
    /// # Errors
    /// `Unavailable` where no index is kept or nothing follows yet.
    pub async fn rebuild(&self) -> Result<()> {
        let inner = self.inner()?;
        let Some((db, _)) = inner.follows.get() else {
            return Err(Error::new(
                Code::Unavailable,
                "The search of this process has not been started.",
            ));
        };
        let mut built = inner.built.subscribe();
        // A build that is going on already began before this and does not count.
        let mine = rebuild::ask(db).await?;
        inner.asked.fetch_max(mine, Ordering::AcqRel);
        inner.wake.notify_one();
        built
            .wait_for(|built| built.asked >= mine)
            .await
            .map_err(Error::internal)?;
        Ok(())
    }

    /// Answers a question.
    ///
    /// # Errors
    /// `Unavailable` before anything can be answered; `Invalid` beyond a limit; `BadRequest` for a marker of another
    /// question; `CursorExpired` for an old one; `Timeout` after five seconds of work.
    pub async fn search(&self, query: Query) -> Result<Answer> {
        let inner = self.inner()?.clone();
        let query = checked(query)?;
        let permit = inner.permits.acquire().await.map_err(Error::internal)?;
        let types = inner.types().await?;
        let answering = inner.clone();
        let until = Instant::now() + MAX_TIME;
        let answer = tokio::task::spawn_blocking(move || answering.answer(&query, &types, until)).await;
        drop(permit);
        answer.map_err(Error::internal)?
    }

    /// What somebody who has typed this far may mean: values of fields and titles that begin so.
    ///
    /// # Errors
    /// `Unavailable` before anything can be answered; `Timeout` after a second of work.
    pub async fn suggest(&self, begun: Begun) -> Result<Suggestions> {
        let inner = self.inner()?.clone();
        let permit = inner.permits.acquire().await.map_err(Error::internal)?;
        let types = inner.types().await?;
        let answering = inner.clone();
        let until = Instant::now() + SUGGEST_TIME;
        let found = tokio::task::spawn_blocking(move || answering.suggest(&begun, &types, until)).await;
        drop(permit);
        found.map_err(Error::internal)?
    }
}

impl Search {
    /// How much of a tree hangs below these records of it, right below and at any depth, as far as a caller may find it.
    ///
    /// # Errors
    /// `Unavailable` before anything can be answered.
    pub async fn below(
        &self,
        kind: &'static str,
        tree: InTree,
        ids: Vec<String>,
        visibility: Visibility,
    ) -> Result<HashMap<String, Below>> {
        let inner = self.inner()?.clone();
        let permit = inner.permits.acquire().await.map_err(Error::internal)?;
        let types = inner.types().await?;
        let counting = inner.clone();
        let counted =
            tokio::task::spawn_blocking(move || counting.below((kind, &tree), &ids, &visibility, &types)).await;
        drop(permit);
        counted.map_err(Error::internal)?
    }
}

impl Search {
    /// Of what a question finds, how many are inside of each of these records of trees (id and type). How it is ordered and
    /// what is counted besides says nothing here.
    ///
    /// # Errors
    /// As [`Search::search`].
    pub async fn spread_over(&self, query: Query, places: Vec<(String, String)>) -> Result<Vec<u64>> {
        let inner = self.inner()?.clone();
        let query = checked(query)?;
        let permit = inner.permits.acquire().await.map_err(Error::internal)?;
        let types = inner.types().await?;
        let counting = inner.clone();
        let counted = tokio::task::spawn_blocking(move || counting.spread_over(&query, &places, &types)).await;
        drop(permit);
        counted.map_err(Error::internal)?
    }
}

/// Somebody waits: the follower commits early as long as this lives.
struct Waiter<'a> {
    inner: &'a Inner,
    number: u64,
}

impl<'a> Waiter<'a> {
    fn new(inner: &'a Inner, position: Position) -> Self {
        let number = inner.epochs.fetch_add(1, Ordering::Relaxed);
        locked(&inner.wanted).push((number, position));
        inner.wake.notify_one();
        Self { inner, number }
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        locked(&self.inner.wanted).retain(|(number, _)| *number != self.number);
    }
}
