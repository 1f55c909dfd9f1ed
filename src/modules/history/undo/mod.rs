//! Undo: looks at what taking a change set back would do, starts the job that does it, and tells what it left.

mod api;
mod choices;
mod choose;
mod decide;
mod job;
mod store;
mod ui;

pub use api::routes;
pub use choices::Choice;
pub use decide::{Decided, Stages};
pub use job::{KIND, Order, Undoer};
pub use store::{Kept, Standing};
pub use ui::pages;

use std::sync::Arc;

use serde_json::Value;

use crate::contract::records::Records;
use crate::contract::undo::Prospect;
use crate::kernel::access::{Caller, Subject};
use crate::kernel::db::{Db, Write};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::jobs::{self, Job, NewJob};
use crate::kernel::ledger::{self, ChangeSet};

/// Undos of one change set that are shown.
const SHOWN: i64 = 20;
/// Characters of a reason.
const REASON: usize = 1_000;

/// See the module's text. Cheap to clone.
#[derive(Clone)]
pub struct Undos {
    pub db: Db,
    pub records: Arc<dyn Records>,
}

/// What taking a change set back would do, and what is under way.
pub struct Preview {
    pub set: ChangeSet,
    pub prospect: Prospect,
    /// The job that still makes this change set.
    pub unfinished: Option<Job>,
}

/// What somebody was given or lost is not taken back by the way: whoever gives it again says so.
fn can_be(set: &ChangeSet) -> Result<()> {
    if ledger::is_about_people(&set.kind) {
        let text = "Changes of people, groups and roles are not undone. Change them again under /access or /people.";
        return Err(Error::new(Code::Conflict, text));
    }
    Ok(())
}

fn check_reason(reason: &str) -> Result<()> {
    if reason.chars().count() > REASON || reason.contains('\0') {
        return Err(Error::invalid(
            "reason",
            format!("At most {REASON} characters, without NUL."),
        ));
    }
    Ok(())
}

/// The key by which an undo comes after whatever else is done to the same records: imports into a type run one after
/// another.
fn behind(maker: Option<Job>, id: &str) -> String {
    maker
        .and_then(|job| job.ordering_key)
        .unwrap_or_else(|| format!("undo/{id}"))
}

impl Undos {
    /// Looks without doing anything; with a caller, at what they may see.
    pub(super) async fn preview(&self, seen_by: Option<&Caller>, set: ChangeSet) -> Result<Preview> {
        can_be(&set)?;
        let prospect = self.records.prospect(seen_by, &set.id).await?;
        let unfinished = self.job_of(&set).await?.filter(|job| !job.state.is_final());
        Ok(Preview {
            set,
            prospect,
            unfinished,
        })
    }

    /// Makes the job that takes a change set back; the one that is on the way already, where there is one. What still
    /// makes the change set is stopped first, by who takes back records in it (`is_theirs`) or asked for that job.
    pub(super) async fn start(
        &self,
        caller: &Caller,
        seen_by: Option<&Caller>,
        set: ChangeSet,
        reason: &str,
        is_theirs: bool,
    ) -> Result<String> {
        can_be(&set)?;
        let id = set.id.as_str();
        check_reason(reason)?;
        let maker = self.job_of(&set).await?;
        let unfinished = maker.as_ref().filter(|job| !job.state.is_final());
        if let Some(job) = unfinished {
            let is_above = matches!(caller.subject, Subject::Operator | Subject::System);
            if !is_theirs && !is_above && !caller.owns(&job.caller) {
                let text = "Somebody else is still making this change. It can be taken back when it has ended.";
                return Err(Error::new(Code::Conflict, text));
            }
            match jobs::cancel(&self.db, &job.id).await {
                Err(error) if error.code() != Code::Conflict => return Err(error),
                // It has just ended.
                _ => {}
            }
        } else {
            let prospect = self.records.prospect(seen_by, id).await?;
            if prospect.changes() == 0 && prospect.types == 0 && !prospect.is_cut {
                let text = if prospect.left.is_empty() {
                    "Everything is as it was before this change already."
                } else {
                    "Everything that this change touched was changed since; nothing of it can be undone."
                };
                return Err(Error::new(Code::Conflict, text));
            }
        }
        let order = Order {
            set: set.id.clone(),
            reason: reason.trim().to_owned(),
            decides: None,
        };
        let behind = behind(maker, id);
        let job = NewJob::new(KIND, serde_json::to_value(order)?)
            .unique_key(format!("undo/{id}"))
            .ordering_key(behind);
        let job = &job;
        self.db
            .write(Write::interactive("history.undo"), |tx| {
                Box::pin(async move { jobs::enqueue(tx, caller, job.clone()).await })
            })
            .await
    }

    /// The undos of a change set, newest first.
    pub(super) async fn of(&self, id: &str) -> Result<Vec<Standing>> {
        store::of_set(&self.db, id, SHOWN).await
    }

    /// The undo that a change set is, if it is one.
    pub async fn which_is(&self, id: &str) -> Result<Option<Standing>> {
        store::by_set(&self.db, id).await
    }

    /// What an undo left, in the order of the ids.
    pub async fn left(&self, id: &str, after: Option<&str>, limit: i64) -> Result<Vec<Kept>> {
        store::left(&self.db, id, after.unwrap_or_default(), limit).await
    }

    /// The job that makes or made a change set, while it is remembered.
    pub(super) async fn job_of(&self, set: &ChangeSet) -> Result<Option<Job>> {
        let origin: Value = serde_json::from_str(&set.origin).unwrap_or_default();
        let Some(id) = origin.get("job").and_then(Value::as_str) else {
            return Ok(None);
        };
        match jobs::get(&self.db, id).await {
            Ok(job) => Ok(Some(job)),
            Err(error) if error.code() == Code::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}
