//! Batches: records are chosen once and kept as a list, an action is decided and looked at, a job does it to each as one
//! change set. What a caller may not see is never part of a batch, and what they may not change is refused by name.

mod consider;
mod job;
mod look;
mod select;
mod store;
mod write;

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Value, json};

pub use job::{BATCH, Order};
pub use look::{Preview, Refusal, Told};
pub use select::{Selection, filter};
pub use store::{Batch, Counts, Done, Item};
pub(super) use write::words;

use super::collection::ordered;
use super::{Because, Service};
use crate::contract::records::{RECORDS_DELETE, RECORDS_WRITE, RecordType, StoredType};
use crate::kernel::access::{Caller, Object, Permission};
use crate::kernel::db::Write;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::jobs::{self, NewJob};
use crate::kernel::schedule::Schedule;
use crate::kernel::search::Search;
use crate::modules::records::model::path;
use crate::modules::records::model::rule::{Action, Rule};

/// The kind of the job that clears old batches; stored.
pub const CLEAR: &str = "records.clear-batches";
/// How long a batch is kept after it was chosen.
const KEPT_MS: i64 = 30 * 24 * 3_600_000;
/// Characters of a reason.
const REASON: usize = 1_000;

/// See the module's text. Cheap to clone.
#[derive(Clone)]
pub struct Batches {
    pub service: Arc<Service>,
    pub search: Search,
}

/// What an action asks for.
fn permission(rule: &Rule) -> Permission {
    match rule {
        Rule::Delete => RECORDS_DELETE,
        Rule::Change(_) | Rule::Fill(_) | Rule::Visibility(_) => RECORDS_WRITE,
    }
}

impl Batch {
    /// What was decided.
    ///
    /// # Errors
    /// A stored text that this program does not understand.
    pub fn action(&self) -> Result<Option<Action>> {
        let read = |text: &String| {
            serde_json::from_str(text).map_err(|e| {
                let text = format!("This version of the program does not know what this batch is to do ({e}).");
                Error::new(Code::Conflict, text)
            })
        };
        self.action.as_ref().map(read).transpose()
    }
    pub fn is_drawn(&self) -> bool {
        self.state == store::DRAWN
    }
    pub fn is_done(&self) -> bool {
        self.state == store::DONE
    }
}

impl Batches {
    /// Keeps the records that somebody chose, as they stand now.
    ///
    /// # Errors
    /// `Unauthenticated` for who is not known, `NotFound` for a type that is hidden, `Invalid` for a wrong question.
    pub async fn choose(&self, caller: &Caller, selection: &Selection) -> Result<Batch> {
        if caller.is_anonymous() {
            return Err(Error::new(
                Code::Unauthenticated,
                "Sign in or bring a token to choose records.",
            ));
        }
        let (stored, seen) = self.shown(caller, &selection.type_name).await?;
        let found = self.found(caller, selection, &seen).await?;
        if found.is_empty() {
            return Err(Error::new(
                Code::Invalid,
                "No record is chosen: nothing that you may see is found by this.",
            ));
        }
        let (owner, chosen) = (&caller.actor(), &serde_json::to_string(selection)?);
        let (found, name) = (&found, &stored.definition.name);
        let write = self.service.db.write(Write::interactive("records.choose"), |tx| {
            Box::pin(async move { store::insert(tx, owner, name, chosen, found).await })
        });
        write.await
    }

    /// A type that the caller may know of, as it is and as they see it.
    ///
    /// # Errors
    /// `NotFound` where it is hidden.
    pub async fn shown(&self, caller: &Caller, name: &str) -> Result<(Arc<StoredType>, RecordType)> {
        let stored = self.service.need_type(name).await?;
        let seen = self.service.shown_type(caller, &stored).await?;
        let seen = seen.ok_or_else(|| Error::not_found("type", name))?;
        Ok((stored, seen))
    }

    /// A batch, for who chose it.
    ///
    /// # Errors
    /// `NotFound` for anybody else.
    pub async fn look(&self, caller: &Caller, id: &str) -> Result<Batch> {
        let found = store::get(&self.service.db, id).await?;
        let own = found.filter(|batch| batch.owner == caller.actor());
        own.ok_or_else(|| Error::not_found("batch", &crate::modules::records::model::shorten(id, 60)))
    }

    /// Says what is to be done; may be said again until it begins.
    ///
    /// # Errors
    /// `Invalid` for what does not fit the type, `Forbidden` without the right to it.
    pub async fn decide(&self, caller: &Caller, id: &str, action: &Action) -> Result<Batch> {
        let batch = self.look(caller, id).await?;
        if !batch.is_drawn() {
            return Err(Error::new(
                Code::Conflict,
                "This batch has begun. Choose the records once more for another.",
            ));
        }
        self.rule(caller, &batch, action).await?;
        let (id, text) = (&batch.id, &serde_json::to_string(action)?);
        let write = self.service.db.write(Write::interactive("records.batch"), |tx| {
            Box::pin(async move { store::decide(tx, id, text).await })
        });
        write.await?;
        self.look(caller, id).await
    }

    /// An action as a rule of today's type, with everything that can be said beforehand.
    async fn rule(&self, caller: &Caller, batch: &Batch, action: &Action) -> Result<(Arc<StoredType>, Rule)> {
        let (stored, seen) = self.shown(caller, &batch.type_name).await?;
        let mut rule = Rule::of(&seen, action)?;
        let object = Object::Type(&batch.type_name);
        self.service.access.require(caller, permission(&rule), &object).await?;
        if let Rule::Fill(fill) = &mut rule {
            let targets = fill.targets();
            let sights = self.service.see(caller, &targets).await?;
            let there: HashSet<String> = sights
                .into_iter()
                .filter(|sight| !sight.deleted)
                .map(|sight| sight.id)
                .collect();
            fill.lose(targets.into_iter().filter(|target| !there.contains(target)));
        }
        let Rule::Change(change) = &rule else {
            return Ok((stored, rule));
        };
        let field = action.field().unwrap_or_default();
        let is_unique = path::identifying(&stored.definition)
            .iter()
            .any(|leaf| leaf.path == field);
        if is_unique && change.is_same_for_all() && batch.total > 1 {
            let text = "belongs to one record only, so it cannot be given to several.";
            return Err(Error::invalid("action.field", text));
        }
        let targets = change.targets();
        let sights = self.service.see(caller, &targets).await?;
        for target in &targets {
            if !sights.iter().any(|sight| sight.id == *target && !sight.deleted) {
                return Err(Error::invalid(
                    "action.value",
                    format!("leads to {target}, but there is no such record."),
                ));
            }
        }
        Ok((stored, rule))
    }

    /// Begins to do what was decided. Asked again it answers the same job.
    ///
    /// # Errors
    /// `Conflict` where nothing was decided, and what [`Batches::decide`] says.
    pub async fn start(&self, why: &Because<'_>, id: &str) -> Result<String> {
        let batch = self.look(why.caller, id).await?;
        if let Some(job) = batch.job_id {
            return Ok(job);
        }
        let Some(action) = batch.action()? else {
            return Err(Error::new(
                Code::Conflict,
                "Nothing was decided for this batch yet. Say what is to be done first.",
            ));
        };
        if why.reason.chars().count() > REASON || why.reason.contains('\0') {
            return Err(Error::invalid(
                "reason",
                format!("At most {REASON} characters, without NUL."),
            ));
        }
        self.rule(why.caller, &batch, &action).await?;
        let order = Order {
            batch: batch.id.clone(),
            reason: why.reason.to_owned(),
            channel: why.channel.to_owned(),
        };
        let job = ordered(BATCH, &batch.type_name, json!(order)).unique_key(format!("batch/{id}"));
        let (job, batch) = (&job, &batch);
        let write = self.service.db.write(Write::interactive("records.batch"), |tx| {
            Box::pin(async move {
                let job = jobs::enqueue(tx, why.caller, job.clone()).await?;
                store::begin(tx, &batch.id, &job).await?;
                Ok(job)
            })
        });
        write.await
    }

    /// Throws a batch away that has not begun, or what is remembered of one that has ended.
    ///
    /// # Errors
    /// `Conflict` while it runs.
    pub async fn forget(&self, caller: &Caller, id: &str) -> Result<()> {
        let batch = self.look(caller, id).await?;
        let running = match &batch.job_id {
            Some(job) => matches!(jobs::get(&self.service.db, job).await, Ok(job) if !job.state.is_final()),
            None => false,
        };
        if running {
            return Err(Error::new(
                Code::Conflict,
                "This batch is running. Cancel its job first.",
            ));
        }
        let ids = &[batch.id];
        let write = self.service.db.write(Write::interactive("records.batch"), |tx| {
            Box::pin(async move { store::forget(tx, ids).await })
        });
        write.await
    }

    /// How many records came to what.
    ///
    /// # Errors
    /// What the database says.
    pub async fn counts(&self, batch: &Batch) -> Result<Counts> {
        store::counts(&self.service.db, &batch.id).await
    }

    /// Items of a batch after a place, those of one outcome where it is named.
    ///
    /// # Errors
    /// What the database says.
    pub async fn items(&self, batch: &Batch, outcome: Option<&str>, after: i64, limit: i64) -> Result<Vec<Done>> {
        store::items(&self.service.db, &batch.id, outcome, after, limit).await
    }

    /// Clears what nobody looks at any more.
    ///
    /// # Errors
    /// What the database says.
    pub async fn clear(&self) -> Result<Value> {
        let before = self.service.db.clock().now() - KEPT_MS;
        let mut cleared = 0;
        loop {
            let old = &store::old(&self.service.db, before, 20).await?;
            if old.is_empty() {
                return Ok(json!({ "cleared": cleared }));
            }
            cleared += old.len();
            let write = self.service.db.write(Write::bulk("records.batch"), |tx| {
                Box::pin(async move { store::forget(tx, old).await })
            });
            write.await?;
        }
    }
}

/// Once a night.
pub fn schedule() -> Schedule {
    Schedule::new(CLEAR, "50 3 * * *", || NewJob::new(CLEAR, json!({})).unique_key(CLEAR))
}
