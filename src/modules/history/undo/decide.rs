//! Deciding about what an undo left because it was changed since: put back field by field, or as a whole, or kept. Shows
//! what the change did and what was done since, so that one can tell.

use serde_json::{Map, Value};

use super::choices::{self, Choice};
use super::{KIND, Kept, Order, Undos, behind, check_reason};
use crate::contract::records::RecordState;
use crate::kernel::access::Caller;
use crate::kernel::db::Write;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::jobs::{self, NewJob};
use crate::kernel::ledger::{self, RECORD};

/// Records decided about by name at once.
const MOST: usize = 1_000;

/// A decision that was taken.
pub struct Decided {
    /// How many things it is about.
    pub things: u64,
    /// The job that carries it out, where there is something to do.
    pub job: Option<String>,
}

/// The states of a record that was changed since: before the change, as the change left it, as it stands. Each whole.
pub struct Stages {
    pub before: Option<RecordState>,
    pub made: Option<RecordState>,
    pub now: Option<RecordState>,
}

impl Stages {
    /// The document of a state; an empty one where there was none.
    pub fn document(state: Option<&RecordState>) -> Map<String, Value> {
        state.map(|state| state.document.clone()).unwrap_or_default()
    }
}

impl Undos {
    /// Takes a decision about what the undo `id` left: about these things, or about everything that was changed since.
    pub async fn decide(
        &self,
        caller: &Caller,
        id: &str,
        choice: Choice,
        which: Option<&[String]>,
        reason: &str,
    ) -> Result<Decided> {
        check_reason(reason)?;
        let standing = self.which_is(id).await?;
        let standing = standing.ok_or_else(|| Error::not_found("undo", id))?;
        if standing.state != "done" {
            let text = "The undo is still going on. Decide about what it leaves when it has ended.";
            return Err(Error::new(Code::Conflict, text));
        }
        if which.is_some_and(|ids| ids.is_empty() || ids.len() > MOST) {
            return Err(Error::invalid("records", format!("Name 1 to {MOST} of them.")));
        }
        let maker = match ledger::set(&self.db, &standing.of_set).await? {
            Some(set) => self.job_of(&set).await?,
            None => None,
        };
        let order = Order {
            set: standing.of_set.clone(),
            reason: reason.trim().to_owned(),
            decides: Some(id.to_owned()),
        };
        let job = NewJob::new(KIND, serde_json::to_value(order)?).ordering_key(behind(maker, &standing.of_set));
        let job = &job;
        let write = self.db.write(Write::interactive("history.decide"), |tx| {
            Box::pin(async move {
                let things = choices::decide(tx, id, choice, which).await?;
                if things == 0 {
                    let text = "Nothing of it is open any more: it was decided before, or was put back.";
                    return Err(Error::new(Code::Conflict, text));
                }
                let job = match choice {
                    Choice::Keep => None,
                    Choice::Fields | Choice::Whole => Some(jobs::enqueue(tx, caller, job.clone()).await?),
                };
                Ok(Decided { things, job })
            })
        });
        write.await
    }

    /// What is open, after an entity.
    pub async fn open(&self, id: &str, after: &str, limit: i64) -> Result<Vec<Kept>> {
        choices::open(&self.db, id, after, limit).await
    }

    /// How much is open, and how much of that was changed since.
    pub async fn count_open(&self, id: &str) -> Result<(i64, i64)> {
        choices::count_open(&self.db, id).await
    }

    /// The states of a record around the change set `of`; none where it is no record, or not kept.
    pub async fn stages(&self, of: &str, kept: &Kept) -> Result<Option<Stages>> {
        if kept.kind != RECORD {
            return Ok(None);
        }
        let Some((first, last)) = choices::span(&self.db, &kept.entity, of).await? else {
            return Ok(None);
        };
        let newest = ledger::versions(&self.db, &kept.entity, None, 1).await?;
        let state = |version: Option<ledger::Version>| -> Result<Option<RecordState>> {
            let text = version.and_then(|version| version.document);
            Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
        };
        Ok(Some(Stages {
            before: state(ledger::version(&self.db, &kept.entity, first - 1).await?)?,
            made: state(ledger::version(&self.db, &kept.entity, last).await?)?,
            now: state(newest.into_iter().next())?,
        }))
    }
}
