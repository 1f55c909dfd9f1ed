//! Building the index anew, beside the one that answers.
//!
//! The place in the ledger is taken first, then everything is read by id; what changes meanwhile is followed afterwards,
//! so nothing is missed. Without an older index the new one answers while it grows, and health says how far it is.

use std::time::{Duration, Instant};

use super::follow::{Follower, blocking};
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

impl Follower {
    /// Builds everything anew and makes it the index in use.
    pub(super) async fn build(&self, database: &str) -> Result<(Store, Payload)> {
        let started = Instant::now();
        let asked = asked(&self.db).await?;
        let from = ledger::settled(&self.db).await?;
        let payload = Payload {
            rebuilt: asked,
            ..Payload::new(database, from, false)
        };
        let inner = self.inner.clone();
        let mut store = blocking(move || {
            let mut slot = locked(&inner.slot);
            slot.heal()?;
            Store::create(&slot.fresh()?, &inner.fields, &inner.settings)
        })
        .await?;
        let alone = self.inner.live.load().is_none();
        if alone {
            self.inner.publish(store.reader.clone());
        }
        // Until it is complete its payload names no database, so that a process that dies here builds again.
        let unfinished = Payload::new("", ledger::Position::default(), false);
        let (mut done, mut shown) = (0_u64, Instant::now());
        for source in self.sources.values() {
            let mut after: Option<String> = None;
            loop {
                if self.stop.is_cancelled() {
                    return Err(super::follow::stopped());
                }
                self.say(Health::Starting {
                    reason: format!("building the search index: {done} records so far"),
                });
                let ids = source.page(after.as_deref(), BATCH).await?;
                let Some(last) = ids.last().cloned() else { break };
                let documents = source.load(&ids).await?;
                done += ids.len() as u64;
                after = Some(last);
                let show = alone && shown.elapsed() >= SHOW_EVERY;
                let unfinished = unfinished.clone();
                store = blocking(move || {
                    store.add(&documents)?;
                    if show {
                        store.commit(&unfinished)?;
                    }
                    Ok(store)
                })
                .await?;
                if show {
                    shown = Instant::now();
                }
            }
        }
        let (inner, committed) = (self.inner.clone(), payload.clone());
        let store = blocking(move || {
            store.commit(&committed)?;
            locked(&inner.slot).switch(&store.path)?;
            if !alone {
                inner.publish(store.reader.clone());
            }
            Ok(store)
        })
        .await?;
        self.inner.built.send_modify(|built| {
            built.builds += 1;
            built.asked = built.asked.max(asked);
        });
        // Only now: a database put back from a backup may stand behind where the old index was.
        self.inner.watermark.send_replace(from);
        tracing::info!(
            records = done,
            duration_ms = started.elapsed().as_millis() as u64,
            "the search index was built"
        );
        Ok((store, payload))
    }
}
