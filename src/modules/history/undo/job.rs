//! The job `history.undo`: takes a change set back from its end to its start, as a change set of its own, in many short
//! transactions. Each moves the cursor with what it writes, so that a killed undo goes on where it stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::choices;
use super::store::{self, Next, Standing};
use crate::contract::records::Records;
use crate::contract::undo::{Insist, Restoration};
use crate::kernel::access::{Access, Object};
use crate::kernel::db::{Db, Write};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::jobs::JobContext;
use crate::kernel::ledger::{self, NewSet};
use crate::modules::history::HISTORY_UNDO;

/// Stored with each job.
pub const KIND: &str = "history.undo";

/// Things of one transaction: a transaction that takes longer or shorter changes their number.
const FIRST: i64 = 200;
const LEAST: i64 = 10;
const MOST: i64 = 1_000;
const LONG_MS: u64 = 50;
const SHORT_MS: u64 = 25;
/// Characters of documents in one transaction.
const MOST_TEXT: i64 = 8_000_000;
/// Tries of a batch that somebody else is in the way of, or that takes too long.
const TRIES: usize = 6;

/// What to take back, and why.
#[derive(Debug, Serialize, Deserialize)]
pub struct Order {
    pub set: String,
    #[serde(default)]
    pub reason: String,
    /// The undo about whose leavings somebody has decided; the decisions stand beside them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decides: Option<String>,
}

/// Things that are put back together.
struct Batch {
    things: Vec<Next>,
    insist: Insist,
}

/// What the job stands on.
#[derive(Clone)]
pub struct Undoer {
    pub db: Db,
    pub access: Access,
    pub records: Arc<dyn Records>,
}

impl Undoer {
    /// Runs the job.
    ///
    /// # Errors
    /// Without the right to; what the database says. What was put back so far stays.
    pub async fn run(&self, context: JobContext) -> Result<Value> {
        let order: Order = context.payload()?;
        self.access
            .require(&context.caller, HISTORY_UNDO, &Object::Anywhere)
            .await?;
        let known = store::standing(&self.db, &context.id).await?;
        let done = known.as_ref().map_or(0, Standing::done);
        let total = match &order.decides {
            Some(undo) => done + choices::pending(&self.db, undo).await?,
            None => store::size(&self.db, &order.set).await?,
        };
        if total == 0 && order.decides.is_some() {
            // An earlier job has carried these decisions out, too.
            return Ok(json!({ "undoes": order.set, "left": 0 }));
        }
        let mut standing = match known {
            Some(standing) => standing,
            None => self.begin(&context, &order).await?,
        };
        let mut size = FIRST;
        loop {
            context.check()?;
            context.progress(standing.done(), Some(total), "").await?;
            let batch = self.next(&order, &standing, size).await?;
            if batch.things.is_empty() {
                return self.finish(&context, &standing).await;
            }
            standing = self.step(&context, &order, standing, batch, &mut size).await?;
        }
    }

    async fn begin(&self, context: &JobContext, order: &Order) -> Result<Standing> {
        let mut origin = json!({ "channel": "job", "job": context.id, "undoes": order.set });
        if let Some(id) = &context.caller.request_id {
            origin["request"] = json!(id);
        }
        if let Some(undo) = &order.decides {
            origin["decides"] = json!(undo);
        }
        let actor = context.caller.actor();
        let (id, origin, actor) = (&context.id, &origin, &actor);
        let write = self.db.write(Write::interactive("history.undo"), |tx| {
            Box::pin(async move {
                let new = NewSet {
                    kind: "undo",
                    actor,
                    reason: &order.reason,
                    origin: origin.clone(),
                };
                let set = ledger::open_set(tx, &new).await?;
                store::begin(tx, id, &order.set, &set).await
            })
        });
        write.await?;
        let begun = store::standing(&self.db, id).await?;
        begun.ok_or_else(|| Error::internal(anyhow::anyhow!("the undo {id} was not kept")))
    }

    async fn next(&self, order: &Order, standing: &Standing, size: i64) -> Result<Batch> {
        let (mut things, insist) = match &order.decides {
            Some(undo) => choices::next(&self.db, undo, size).await?,
            None => {
                let next = store::next(&self.db, &standing.of_set, standing.cursor, size).await?;
                (next, Insist::No)
            }
        };
        let mut text = 0;
        let fits = things.iter().take_while(|next| {
            text += next.length;
            text <= MOST_TEXT
        });
        let fits = fits.count().max(1);
        things.truncate(fits);
        Ok(Batch { things, insist })
    }

    /// Puts a batch back, or its first part where all of it takes too long.
    async fn step(
        &self,
        context: &JobContext,
        order: &Order,
        standing: Standing,
        mut batch: Batch,
        size: &mut i64,
    ) -> Result<Standing> {
        for _ in 0..TRIES {
            let took = AtomicU64::new(0);
            match self.write(context, order, &standing, &batch, &took).await {
                Ok(moved) => {
                    let took = took.load(Ordering::Relaxed);
                    if took > LONG_MS {
                        *size = (*size * 2 / 3).max(LEAST);
                    } else if took < SHORT_MS {
                        *size = (*size * 3 / 2).min(MOST);
                    }
                    return Ok(moved);
                }
                Err(error) if error.code() == Code::Busy => context.check()?,
                Err(error) if error.code() == Code::Timeout && batch.things.len() > 1 => {
                    batch.things.truncate(batch.things.len().div_ceil(4));
                    *size = (batch.things.len() as i64).max(LEAST);
                    context.check()?;
                }
                Err(error) => return Err(error),
            }
        }
        Err(Error::new(
            Code::Busy,
            "Others change the same records all the time. The undo goes on later.",
        ))
    }

    async fn write(
        &self,
        context: &JobContext,
        order: &Order,
        standing: &Standing,
        batch: &Batch,
        took: &AtomicU64,
    ) -> Result<Standing> {
        let things = &batch.things;
        let entities: Vec<String> = things.iter().map(|next| next.entity.clone()).collect();
        let entities = &entities;
        let write = self.db.write(Write::bulk("history.undo"), |tx| {
            Box::pin(async move {
                let started = Instant::now();
                let (set, of) = (&standing.set_id, &standing.of_set);
                let outcomes = self
                    .records
                    .restore_versions(tx, &context.caller, set, of, entities, batch.insist)
                    .await?;
                let mut moved = standing.clone();
                moved.count(&outcomes);
                match &order.decides {
                    Some(undo) => {
                        choices::settle(tx, undo, set, things, &outcomes).await?;
                        // The list itself tells what is left to do; the cursor tells whether somebody else does it, too.
                        moved.cursor = standing.cursor - 1;
                    }
                    None => {
                        let left = things
                            .iter()
                            .zip(&outcomes)
                            .filter_map(|(next, outcome)| match outcome {
                                Restoration::Left(why) => Some((next, *why)),
                                _ => None,
                            });
                        store::leave(tx, set, left.collect()).await?;
                        moved.cursor = things.last().map_or(standing.cursor, |next| next.position);
                    }
                }
                store::advance(tx, standing.cursor, &moved).await?;
                let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
                took.store(ms, Ordering::Relaxed);
                Ok(moved)
            })
        });
        write.await
    }

    async fn finish(&self, context: &JobContext, standing: &Standing) -> Result<Value> {
        context.progress(standing.done(), Some(standing.done()), "").await?;
        let position = ledger::head(&self.db).await?;
        let result = json!({
            "change": standing.set_id, "undoes": standing.of_set, "removed": standing.removed, "reverted": standing.reverted,
            "revived": standing.revived, "already": standing.already, "left": standing.kept, "position": position.to_string(),
        });
        let (id, answer) = (&context.id, &result);
        let write = self.db.write(Write::interactive("history.undo"), |tx| {
            Box::pin(async move {
                store::end(tx, id).await?;
                context.finish_with(tx, answer).await
            })
        });
        write.await?;
        Ok(result)
    }
}
