//! What people do with drafts: bring a file, look at it, choose, throw away. A draft belongs to who
//! brought it; nobody else finds it.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::io::AsyncRead;

use super::import::not_imported;
use super::model::{Choices, Found, Plan, plan};
use super::store::{self, Earlier, Row};
use super::{LOOK, LookAt};
use crate::contract::records::StoredType;
use crate::kernel::access::Caller;
use crate::kernel::db::Write;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::id::{is_id, new_id};
use crate::kernel::jobs::{self, Job, NewJob, Rule};
use crate::modules::exchange::read::Look;
use crate::modules::exchange::read::look::MISSING_LIKELY;
use crate::modules::exchange::service::Service;

/// Drafts that one person may have open.
const MOST: i64 = 100;
/// A draft that nobody touches is thrown away after this time.
pub(super) const KEPT_MS: i64 = 14 * 24 * 3_600_000;
const DAY_MS: i64 = 24 * 3_600_000;
/// How often a change is tried again that somebody else was faster with.
pub(super) const TRIES: usize = 5;
const LONGEST_NAME: usize = 200;

/// A draft with its parts read.
#[derive(Clone, Debug)]
pub struct Draft {
    pub row: Row,
    pub choices: Choices,
    pub found: Option<Found>,
}

impl Draft {
    fn of(row: Row) -> Result<Self> {
        let choices = serde_json::from_str(&row.choices)?;
        let found = row.found.as_deref().map(serde_json::from_str).transpose()?;
        Ok(Self { row, choices, found })
    }
}

impl Service {
    /// Stores a file and makes a draft of it. Its content is looked at by a job.
    ///
    /// # Errors
    /// `TooLarge`, `DiskFull`, `Conflict` where somebody has too many.
    pub async fn bring(&self, caller: &Caller, name: &str, content: impl AsyncRead + Send + Unpin) -> Result<Draft> {
        let owner = caller.actor();
        self.room_for_one(store::count(&self.kernel.db, &owner).await?)?;
        let stored = self
            .kernel
            .blobs
            .put_stream(content, self.kernel.config.http.upload_limit)
            .await?;
        if stored.bytes == 0 {
            return Err(Error::new(
                Code::Invalid,
                format!(
                    "{} is empty. Check that it was written to the end, then bring it again.",
                    shown(name)
                ),
            ));
        }
        let name = shown(name);
        let now = self.kernel.clock.now();
        let row = Row {
            id: new_id(),
            owner,
            name,
            blob: stored.id,
            bytes: i64::try_from(stored.bytes).unwrap_or(i64::MAX),
            choices: serde_json::to_string(&Choices::default())?,
            found: None,
            look_job: None,
            preview_job: None,
            import_job: None,
            version: 1,
            created_at: now,
            updated_at: now,
            expires_at: now + KEPT_MS,
        };
        let row = &row;
        let write = self.kernel.db.write(Write::interactive("drafts.bring"), |tx| {
            Box::pin(async move {
                tx.lock(&format!("drafts/{}", row.owner)).await?;
                self.room_for_one(store::count(&mut *tx, &row.owner).await?)?;
                store::insert(tx, row).await
            })
        });
        write.await?;
        Draft::of(row.clone())
    }

    fn room_for_one(&self, standing: i64) -> Result<()> {
        if standing < MOST {
            return Ok(());
        }
        Err(Error::new(
            Code::Conflict,
            format!(
                "{MOST} files wait already, the most that may. Import some or throw some away, then bring this one."
            ),
        ))
    }

    /// A draft of the caller.
    ///
    /// # Errors
    /// `NotFound`, also for somebody else's.
    pub async fn draft(&self, caller: &Caller, id: &str) -> Result<Draft> {
        let row = if is_id(id) {
            store::get(&self.kernel.db, id).await?
        } else {
            None
        };
        let row = row.filter(|row| row.owner == caller.actor());
        Draft::of(row.ok_or_else(|| Error::not_found("draft", id))?)
    }

    /// The caller's drafts that wait.
    pub async fn drafts(&self, caller: &Caller) -> Result<Vec<Draft>> {
        let rows = store::open(&self.kernel.db, &caller.actor(), MOST).await?;
        rows.into_iter().map(Draft::of).collect()
    }

    /// Changes a draft by `change`, again on what stands then where somebody else was faster.
    pub(super) async fn change(
        &self,
        caller: &Caller,
        id: &str,
        change: impl Fn(&mut Draft) -> Result<()> + Sync,
    ) -> Result<Draft> {
        for _ in 0..TRIES {
            let mut draft = self.draft(caller, id).await?;
            change(&mut draft)?;
            draft.row.choices = serde_json::to_string(&draft.choices)?;
            draft.row.found = draft.found.as_ref().map(serde_json::to_string).transpose()?;
            draft.row.expires_at = self.kernel.clock.now() + KEPT_MS;
            let row = &draft.row;
            let write = self.kernel.db.write(Write::interactive("drafts.change"), |tx| {
                Box::pin(async move { store::update(tx, row).await })
            });
            if write.await? {
                draft.row.version += 1;
                return Ok(draft);
            }
        }
        Err(restless())
    }

    /// Takes what was chosen. What was found stays while the file is read in the same way.
    pub async fn choose(&self, caller: &Caller, id: &str, choices: &Choices) -> Result<Draft> {
        self.change(caller, id, |draft| {
            not_imported(draft)?;
            if draft.found.is_none() || reads_otherwise(&draft.choices, choices) {
                draft.found = None;
                draft.row.look_job = None;
            }
            if draft.choices != *choices {
                draft.row.preview_job = None;
            }
            draft.choices = choices.clone();
            Ok(())
        })
        .await
    }

    /// What the first rows look like, and how they are read.
    pub async fn sample(&self, draft: &Draft) -> Result<Look> {
        let mut look = self
            .look_at(&draft.row.blob, &draft.row.name, &draft.choices.reading)
            .await?;
        if !draft.choices.missing.is_empty() {
            look.warnings.retain(|warning| warning.code != MISSING_LIKELY);
        }
        Ok(look)
    }

    /// Sees to it that the whole file is looked at; waits a moment for that.
    pub async fn found(&self, caller: &Caller, id: &str, patience: Duration) -> Result<(Draft, Option<Job>)> {
        let mut draft = self.draft(caller, id).await?;
        if draft.found.is_some() {
            return Ok((draft, None));
        }
        if draft.row.look_job.is_none() {
            let job = look_job(&draft)?;
            self.begin_noted(caller, &draft, &job, |row, job| row.look_job = Some(job))
                .await?;
            // Where somebody was faster, theirs is the look.
            draft = self.draft(caller, id).await?;
        }
        let Some(job) = draft.row.look_job.clone() else {
            return Ok((draft, None));
        };
        let job = self.wait(&job, patience).await?;
        let draft = self.draft(caller, id).await?;
        Ok((draft, Some(job)))
    }

    /// A job after its end, or as it is when patience ends.
    pub async fn wait(&self, id: &str, patience: Duration) -> Result<Job> {
        let mut states = Box::pin(jobs::watch(&self.kernel.db, id));
        let end = async {
            while let Some(state) = states.next().await {
                let state = state?;
                if state.state.is_final() {
                    return Ok(state);
                }
            }
            jobs::get(&self.kernel.db, id).await
        };
        match tokio::time::timeout(patience, end).await {
            Ok(job) => job,
            Err(_) => jobs::get(&self.kernel.db, id).await,
        }
    }

    /// The type that the draft goes into, if that exists: the chosen one, else one that has all columns.
    pub async fn target(&self, draft: &Draft) -> Result<Option<std::sync::Arc<StoredType>>> {
        let wanted = match &draft.choices.into {
            Some(name) if name.is_empty() => return Ok(None),
            Some(name) => name.clone(),
            None => match draft.found.as_ref().and_then(|f| f.fits.clone()) {
                Some(name) => name,
                None => return Ok(None),
            },
        };
        let stored = self.records.record_type(&wanted).await?;
        if stored.is_none() && draft.choices.into.is_some() {
            return Err(Error::invalid(
                "into",
                format!("There is no collection \"{wanted}\" any more. Choose another, or make a new one."),
            ));
        }
        Ok(stored)
    }

    /// What an import of the draft would write. A new type takes a name that is free.
    pub async fn plan_of(&self, draft: &Draft) -> Result<Plan> {
        let Some(found) = &draft.found else {
            return Err(Error::new(
                Code::Conflict,
                "The file has not been looked at as a whole yet. Wait for that, then go on.",
            ));
        };
        let target = self.target(draft).await?;
        let existing = target.as_ref().map(|stored| &stored.definition);
        let mut plan = plan(found, &draft.choices, existing, &draft.row.name);
        // Once it was imported, the name is taken by what came of it.
        if existing.is_none() && draft.row.import_job.is_none() {
            let given = draft.choices.name.as_ref().is_some_and(|name| !name.is_empty());
            let taken = self.is_taken(&plan.definition.name).await?;
            if taken && given {
                return Err(Error::invalid(
                    "name",
                    format!(
                        "There is a collection \"{}\" already. Choose another name, or add to that one.",
                        plan.definition.name
                    ),
                ));
            }
            plan.definition.name = self.free_name(plan.definition.name).await?;
        }
        Ok(plan)
    }

    async fn is_taken(&self, name: &str) -> Result<bool> {
        Ok(self.records.record_type(name).await?.is_some() || self.records.shipped_type(name).is_some())
    }

    async fn free_name(&self, name: String) -> Result<String> {
        let mut candidate = name.clone();
        for number in 2..1_000 {
            if !self.is_taken(&candidate).await? {
                break;
            }
            candidate = format!("{name}-{number}");
        }
        Ok(candidate)
    }

    /// Throws a draft away, and its file if nothing else needs it.
    pub async fn discard(&self, caller: &Caller, id: &str) -> Result<()> {
        let draft = self.draft(caller, id).await?;
        self.drop_draft(&draft.row.id, &draft.row.blob).await
    }

    async fn drop_draft(&self, id: &str, blob: &str) -> Result<()> {
        let write = self.kernel.db.write(Write::interactive("drafts.discard"), |tx| {
            Box::pin(store::delete(tx, id))
        });
        write.await?;
        self.kernel.blobs.release(blob).await?;
        Ok(())
    }

    /// Throws away what nobody has touched for long. Answers how many.
    pub async fn clear_expired(&self) -> Result<usize> {
        let mut cleared = 0;
        loop {
            let old = store::expired(&self.kernel.db, self.kernel.clock.now(), 100).await?;
            if old.is_empty() {
                return Ok(cleared);
            }
            for (id, blob) in &old {
                self.drop_draft(id, blob).await?;
                cleared += 1;
            }
        }
    }

    /// When the same bytes were imported before.
    pub async fn earlier(&self, draft: &Draft) -> Result<Option<Earlier>> {
        store::earlier(&self.kernel.db, &draft.row.blob).await
    }

    /// Days until a draft is thrown away.
    pub fn days_left(&self, draft: &Draft) -> i64 {
        ((draft.row.expires_at - self.kernel.clock.now()) / DAY_MS).max(0)
    }
}

/// The job that looks at the whole file of a draft. A look at the file as it was read before is of no use any more: it ends at
/// its next step, and this one takes its place.
fn look_job(draft: &Draft) -> Result<NewJob> {
    let payload = LookAt {
        draft: draft.row.id.clone(),
        blob: draft.row.blob.clone(),
    };
    Ok(NewJob::new(LOOK, serde_json::to_value(&payload)?)
        .queue(jobs::EXCHANGE)
        .priority(1)
        .unique_key(format!("look/{}", draft.row.id))
        .rule(Rule::Supersede))
}

pub(super) fn restless() -> Error {
    Error::new(
        Code::Busy,
        "The draft changes all the time. Close other windows that show it, then try again.",
    )
}

/// Would the file be read in another way? The signs of numbers and dates are no part of that.
fn reads_otherwise(old: &Choices, new: &Choices) -> bool {
    let bare = |choices: &Choices| {
        let mut reading = choices.reading.clone();
        (reading.decimal, reading.date_order) = (None, None);
        (reading, choices.missing.clone())
    };
    bare(old) != bare(new)
}

/// Neither a control character nor one that turns the direction of what follows: `gpj.exe` must not look like `exe.jpg`.
fn is_shown(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The name of a file as it is shown and kept: without its way, without what no line should hold.
fn shown(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let kept: String = last.chars().filter(|c| is_shown(*c)).take(LONGEST_NAME).collect();
    let kept = kept.trim();
    if kept.is_empty() {
        "upload".to_owned()
    } else {
        kept.to_owned()
    }
}
