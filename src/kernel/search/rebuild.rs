//! Building the index anew, beside the one that answers.
//!
//! The place in the ledger is taken first, then everything is read by id; what changes meanwhile is read afterwards, so
//! nothing is missed. An older index answers and follows until the new one is as far; without one the new one answers
//! while it grows, and health says how far it is.

use std::time::{Duration, Instant};

use super::follow::{Follower, Progress, blocking};
use super::store::{Payload, Store};
use super::{Health, locked};
use crate::kernel::db::{Db, Signal, Write, sql};
use crate::kernel::error::{Error, Result};
use crate::kernel::ledger;

/// Entities read at once.
pub(super) const BATCH: i64 = 1_000;
/// How often a growing index without an older one becomes visible.
const SHOW_EVERY: Duration = Duration::from_secs(2);

/// The number of the last rebuild that was asked for, in any process.
pub(super) async fn asked(db: &Db) -> Result<u64> {
    let stored: Option<(String,)> = sql("SELECT value FROM fact WHERE name = 'search.rebuild'")
        .opt(db)
        .await?;
    Ok(stored.and_then(|(number,)| number.parse().ok()).unwrap_or(0))
}

/// Asks every process with an index on this database to build it anew; answers with the number of the request.
pub(super) async fn ask(db: &Db) -> Result<u64> {
    db.write(Write::interactive("search.rebuild"), |tx| {
        Box::pin(async move {
            // Followers wait for the ledger already, in all processes.
            tx.signal(Signal::Ledger);
            let (number,): (String,) = sql("INSERT INTO fact (name, value) VALUES ('search.rebuild', '1') \
                 ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(fact.value AS BIGINT) + 1 AS TEXT) RETURNING value")
            .one(tx)
            .await?;
            number.parse().map_err(Error::internal)
        })
    })
    .await
}

/// A build that grows, source by source and by id.
struct Build {
    store: Store,
    payload: Payload,
    /// What is left, the next one last.
    kinds: Vec<&'static str>,
    after: Option<String>,
    done: u64,
    started: Instant,
}

impl Build {
    /// Makes what it has so far visible. Until it is complete its payload names no database, so that a process that dies
    /// here builds again.
    async fn show(mut self) -> Result<Self> {
        let mut store = self.store;
        self.store = blocking(move || {
            store.commit(&Payload::new("", ledger::Position::default(), false))?;
            Ok(store)
        })
        .await?;
        Ok(self)
    }
}

impl Follower {
    /// Begins a build in a folder of its own.
    async fn begin(&self, database: &str) -> Result<Build> {
        let asked = asked(&self.db).await?;
        let from = ledger::settled(&self.db).await?;
        let payload = Payload {
            rebuilt: asked,
            ..Payload::new(database, from, false)
        };
        let inner = self.inner.clone();
        let store = blocking(move || {
            let mut slot = locked(&inner.slot);
            slot.heal()?;
            Store::create(&slot.fresh()?, &inner.fields, &inner.settings)
        })
        .await?;
        Ok(Build {
            store,
            payload,
            kinds: self.sources.keys().rev().copied().collect(),
            after: None,
            done: 0,
            started: Instant::now(),
        })
    }

    /// Reads one batch into a build; false when everything has been read.
    async fn read_on(&self, mut build: Build) -> Result<(Build, bool)> {
        if self.stop.is_cancelled() {
            return Err(super::follow::stopped());
        }
        let done = build.done;
        self.say(Health::Starting {
            reason: format!("building the search index: {done} records so far"),
        });
        let Some(source) = build.kinds.last().and_then(|kind| self.sources.get(kind)) else {
            return Ok((build, false));
        };
        let ids = source.page(build.after.as_deref(), BATCH).await?;
        build.after = ids.last().cloned();
        if ids.is_empty() {
            build.kinds.pop();
            return Ok((build, true));
        }
        let documents = source.load(&ids).await?;
        build.done += ids.len() as u64;
        let mut store = build.store;
        build.store = blocking(move || {
            store.add(&documents)?;
            Ok(store)
        })
        .await?;
        Ok((build, true))
    }

    /// Builds where nothing can be followed; without an index that answers the new one does while it grows.
    pub(super) async fn build(&self, database: &str) -> Result<(Store, Payload)> {
        let mut build = self.begin(database).await?;
        let alone = self.inner.live.load().is_none();
        if alone {
            self.inner.publish(build.store.reader.clone());
        }
        let mut shown = Instant::now();
        loop {
            let more;
            (build, more) = self.read_on(build).await?;
            if !more {
                break;
            }
            if alone && shown.elapsed() >= SHOW_EVERY {
                build = build.show().await?;
                shown = Instant::now();
            }
        }
        let (inner, payload, mut store) = (self.inner.clone(), build.payload.clone(), build.store);
        let store = blocking(move || {
            store.commit(&payload)?;
            locked(&inner.slot).switch(&store.path)?;
            if !alone {
                inner.publish(store.reader.clone());
            }
            Ok(store)
        })
        .await?;
        // Only now: a database put back from a backup may stand behind where the old index was.
        self.inner.watermark.send_replace(build.payload.at());
        self.built(build.payload.rebuilt, build.done, build.started);
        Ok((store, build.payload))
    }

    /// Builds anew beside the index that answers. That one is followed all the while, so that what is written is found and
    /// what is hidden is not; the new one takes over when it has got as far.
    pub(super) async fn renew(&self, mut progress: Progress) -> Result<Progress> {
        let mut build = self.begin(&progress.database).await?;
        loop {
            let more;
            (build, more) = self.read_on(build).await?;
            if !more {
                break;
            }
            (progress, _) = self.step(progress).await?;
        }
        let (done, started, asked) = (build.done, build.started, build.payload.rebuilt);
        let mut fresh = Progress::resume(build.store, build.payload);
        loop {
            let changes = ledger::follow(&self.db, fresh.at, BATCH).await?;
            if changes.is_empty() {
                break;
            }
            fresh = self.apply(fresh, changes).await?;
            (progress, _) = self.step(progress).await?;
        }
        let (inner, payload) = (self.inner.clone(), fresh.payload());
        let (mut store, old) = (fresh.store, progress.store);
        fresh.store = blocking(move || {
            store.commit(&payload)?;
            inner.publish(store.reader.clone());
            // Nobody writes to the old one when its folder goes.
            drop(old);
            locked(&inner.slot).switch(&store.path)?;
            Ok(store)
        })
        .await?;
        fresh.first_pending = None;
        self.inner.tidy();
        self.inner.watermark.send_replace(fresh.at);
        self.built(asked, done, started);
        Ok(fresh)
    }

    /// Says that a build is ready.
    fn built(&self, asked: u64, records: u64, started: Instant) {
        self.inner.built.send_modify(|built| {
            built.builds += 1;
            built.asked = built.asked.max(asked);
        });
        tracing::info!(
            records,
            duration_ms = started.elapsed().as_millis() as u64,
            "the search index was built"
        );
    }
}
