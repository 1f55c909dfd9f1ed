//! The job `records.batch`: does to each record of a batch what was decided, in many short transactions of one change set.
//! Each moves the cursor with what it writes, so that a killed batch goes on where it stopped and does nothing twice.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::consider::Verdict;
use super::write::{Step, same_type};
use super::{Batch, Batches, Item, permission, store};
use crate::kernel::access::Object;
use crate::kernel::db::{Tx, Write};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::jobs::JobContext;
use crate::kernel::ledger::{self, NewSet};
use crate::modules::records::model::rule::Rule;

/// Stored with each job.
pub const BATCH: &str = "records.batch";

/// Records of one transaction: one that takes longer or shorter changes their number.
const FIRST: i64 = 300;
const LEAST: i64 = 10;
const MOST: i64 = 1_000;
const LONG_MS: u64 = 50;
const SHORT_MS: u64 = 25;
/// Tries of a step that somebody else is in the way of, or that takes too long.
const TRIES: usize = 6;

/// Which batch, and why.
#[derive(Debug, Serialize, Deserialize)]
pub struct Order {
    pub batch: String,
    #[serde(default)]
    pub reason: String,
    #[serde(default)]
    pub channel: String,
}

/// What stays the same while a batch runs.
struct Run<'a> {
    context: &'a JobContext,
    order: &'a Order,
    rule: &'a Rule,
    type_name: &'a str,
}

impl Batches {
    /// Runs the job.
    ///
    /// # Errors
    /// Without the right to; what the database says. What was changed so far stays.
    pub async fn run(&self, context: JobContext) -> Result<Value> {
        let order: Order = context.payload()?;
        let mut batch = self.ordered(&order.batch).await?;
        let action = batch.action()?.ok_or_else(|| Error::not_found("batch", &order.batch))?;
        let (_, rule) = self.rule(&context.caller, &batch, &action).await?;
        let object = Object::Type(&batch.type_name);
        self.service
            .access
            .require(&context.caller, permission(&rule), &object)
            .await?;
        let type_name = batch.type_name.clone();
        let run = Run {
            context: &context,
            order: &order,
            rule: &rule,
            type_name: &type_name,
        };
        let mut size = FIRST;
        loop {
            context.check()?;
            context.progress(batch.cursor, Some(batch.total), "").await?;
            let items = store::next(&self.service.db, &batch.id, batch.cursor, size).await?;
            if items.is_empty() && !self.goes_round(&run, &batch).await? {
                return self.finish(&context, &batch).await;
            }
            if !items.is_empty() {
                self.step(&run, &batch, items, &mut size).await?;
            }
            batch = self.ordered(&order.batch).await?;
        }
    }

    async fn ordered(&self, id: &str) -> Result<Batch> {
        let found = store::get(&self.service.db, id).await?;
        found.ok_or_else(|| Error::not_found("batch", id))
    }

    /// What others pointed at may be free now that those are deleted.
    async fn goes_round(&self, run: &Run<'_>, batch: &Batch) -> Result<bool> {
        if !matches!(run.rule, Rule::Delete) {
            return Ok(false);
        }
        let id = &batch.id;
        let write = self.service.db.write(Write::bulk("records.batch"), |tx| {
            Box::pin(async move { store::again(tx, id).await })
        });
        write.await
    }

    /// Deals with some records, or with the first part of them where all take too long.
    async fn step(&self, run: &Run<'_>, batch: &Batch, mut items: Vec<Item>, size: &mut i64) -> Result<()> {
        for _ in 0..TRIES {
            let took = AtomicU64::new(0);
            match self.write(run, batch, &items, &took).await {
                Ok(()) => {
                    let took = took.load(Ordering::Relaxed);
                    if took > LONG_MS {
                        *size = (*size * 2 / 3).max(LEAST);
                    } else if took < SHORT_MS {
                        *size = (*size * 3 / 2).min(MOST);
                    }
                    return Ok(());
                }
                Err(error) if error.code() == Code::Busy => run.context.check()?,
                Err(error) if error.code() == Code::Timeout && items.len() > 1 => {
                    items.truncate(items.len().div_ceil(4));
                    *size = (items.len() as i64).max(LEAST);
                    run.context.check()?;
                }
                Err(error) => return Err(error),
            }
        }
        let text = "Others change the same records all the time. The batch goes on later.";
        Err(Error::new(Code::Busy, text))
    }

    async fn write(&self, run: &Run<'_>, batch: &Batch, items: &[Item], took: &AtomicU64) -> Result<()> {
        let caller = &run.context.caller;
        let stored = self.service.need_type(run.type_name).await?;
        let cases = self.service.consider(caller, run.rule, &stored, items.to_vec()).await?;
        let changes = cases
            .iter()
            .any(|c| matches!(c.verdict, Verdict::Put(_) | Verdict::Remove(_)));
        let step = &Step {
            caller,
            rule: run.rule,
            stored: &stored,
            cases: &cases,
        };
        let write = self.service.db.write(Write::bulk("records.batch"), |tx| {
            Box::pin(async move {
                let started = Instant::now();
                same_type(self.service.type_in(tx, run.type_name).await?.as_deref(), step.stored)?;
                let set = if changes {
                    self.set(tx, run, batch).await?
                } else {
                    String::new()
                };
                let barred = self.service.barred(tx, step).await?;
                let (outcomes, changed) = self.service.write_step(tx, step, &set, &barred).await?;
                store::settle(tx, &batch.id, &outcomes).await?;
                let to = items.last().map_or(batch.cursor, |item| item.place);
                store::advance(tx, &batch.id, batch.cursor, to, changed).await?;
                let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
                took.store(ms, Ordering::Relaxed);
                Ok(())
            })
        });
        write.await
    }

    /// The change set of the batch, opened when it is first needed.
    async fn set(&self, tx: &mut Tx<'_>, run: &Run<'_>, batch: &Batch) -> Result<String> {
        if let Some(set) = store::set_of(tx, &batch.id).await? {
            return Ok(set);
        }
        let kind = match run.rule {
            Rule::Change(_) | Rule::Fill(_) => "record.batch",
            Rule::Delete => "record.batch-delete",
            Rule::Visibility(_) => "record.batch-visibility",
        };
        let mut origin =
            json!({ "channel": "job", "job": run.context.id, "batch": batch.id, "through": run.order.channel });
        if let Some(id) = &run.context.caller.request_id {
            origin["request"] = json!(id);
        }
        let new = NewSet {
            kind,
            actor: &run.context.caller.actor(),
            reason: &run.order.reason,
            origin,
        };
        let set = ledger::open_set(tx, &new).await?;
        store::set(tx, &batch.id, &set).await?;
        Ok(set)
    }

    async fn finish(&self, context: &JobContext, batch: &Batch) -> Result<Value> {
        context.progress(batch.total, Some(batch.total), "").await?;
        let counts = self.counts(batch).await?;
        let position = ledger::head(&self.service.db).await?;
        let result = json!({
            "batch": batch.id, "change": batch.set_id, "changed": counts.changed, "unchanged": counts.unchanged,
            "refused": counts.refused, "position": position.to_string(),
        });
        let (id, answer) = (&batch.id, &result);
        let write = self.service.db.write(Write::interactive("records.batch"), |tx| {
            Box::pin(async move {
                store::end(tx, id).await?;
                context.finish_with(tx, answer).await
            })
        });
        write.await?;
        Ok(result)
    }
}
