//! From a draft to its import: what it stands for, the rehearsal over all rows, and the import itself.

use std::time::Duration;

use super::service::{Draft, KEPT_MS, TRIES, restless};
use super::store::{self, Row};
use crate::contract::exchange::{ImportReport, Reading};
use crate::contract::records::{RECORDS_WRITE, RecordType};
use crate::kernel::access::{Caller, Object};
use crate::kernel::db::Write;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::jobs::{self, Job, NewJob};
use crate::modules::exchange::mapping::{self, Mapping};
use crate::modules::exchange::model::{Import, Options};
use crate::modules::exchange::service::Service;

impl Service {
    /// The import that the draft stands for. What is wrong with its type is said before any job.
    pub async fn import_of(&self, caller: &Caller, draft: &Draft, dry_run: bool) -> Result<Import> {
        if let Some(mapping) = &draft.choices.mapping {
            return self.mapped_import(caller, draft, mapping, dry_run).await;
        }
        let plan = self.plan_of(draft).await?;
        self.check_type(caller, &plan.definition).await?;
        let options = Options {
            type_name: plan.definition.name.clone(),
            key: None,
            dry_run,
            missing: draft.choices.missing.clone(),
            reason: draft.choices.reason.clone(),
            reading: plan.reading,
            left_out: plan.left_out,
            definition: Some(Box::new(plan.definition)),
            ..Options::default()
        };
        Ok(Import {
            blob: draft.row.blob.clone(),
            bytes: u64::try_from(draft.row.bytes).unwrap_or(0),
            name: draft.row.name.clone(),
            options,
        })
    }

    /// The same by a mapping, which is checked against the type as it stands.
    async fn mapped_import(&self, caller: &Caller, draft: &Draft, mapping: &Mapping, dry_run: bool) -> Result<Import> {
        let object = Object::Type(&mapping.type_name);
        self.kernel.access.require(caller, RECORDS_WRITE, &object).await?;
        mapping::check(self.records.as_ref(), mapping).await?;
        let options = Options {
            type_name: mapping.type_name.clone(),
            key: mapping.key.clone(),
            dry_run,
            missing: mapping::missing(mapping, &draft.choices),
            reason: draft.choices.reason.clone(),
            reading: Reading {
                decimal: mapping.decimal,
                date_order: mapping.date_order,
                ..draft.choices.reading.clone()
            },
            mapping: Some(Box::new(mapping.clone())),
            ..Options::default()
        };
        Ok(Import {
            blob: draft.row.blob.clone(),
            bytes: u64::try_from(draft.row.bytes).unwrap_or(0),
            name: draft.row.name.clone(),
            options,
        })
    }

    /// Writes the type and takes it back: what is wrong with it is known then.
    async fn check_type(&self, caller: &Caller, definition: &RecordType) -> Result<()> {
        let object = Object::Type(&definition.name);
        self.kernel.access.require(caller, RECORDS_WRITE, &object).await?;
        let records = &self.records;
        let checked = self.kernel.db.write(Write::interactive("drafts.check"), |tx| {
            Box::pin(async move {
                let new = crate::kernel::ledger::NewSet {
                    kind: "import",
                    actor: "system",
                    reason: "",
                    origin: serde_json::Value::Null,
                };
                let set = crate::kernel::ledger::open_set(tx, &new).await?;
                records.put_type(tx, &set, definition).await?;
                Err::<(), _>(Error::new(Code::Gone, "A rehearsal is taken back."))
            })
        });
        match checked.await {
            Err(error) if error.code() == Code::Gone => Ok(()),
            other => other,
        }
    }

    /// Begins the rehearsal of a draft, unless it is there already.
    pub async fn rehearse(&self, caller: &Caller, id: &str) -> Result<Draft> {
        for _ in 0..TRIES {
            let draft = self.draft(caller, id).await?;
            not_imported(&draft)?;
            if draft.row.preview_job.is_some() {
                return Ok(draft);
            }
            let import = self.import_of(caller, &draft, true).await?;
            let job = self.import_job(caller, &import).await?;
            let note = |row: &mut Row, job| row.preview_job = Some(job);
            if self.begin_noted(caller, &draft, &job, note).await?.is_some() {
                return self.draft(caller, id).await;
            }
        }
        Err(restless())
    }

    /// Rehearses again, where the one before has ended badly or the collection has changed since.
    pub async fn rehearse_again(&self, caller: &Caller, id: &str) -> Result<Draft> {
        self.change(caller, id, |draft| {
            not_imported(draft)?;
            draft.row.preview_job = None;
            Ok(())
        })
        .await?;
        self.rehearse(caller, id).await
    }

    /// The rehearsal of a draft: its job and what it came to.
    pub async fn rehearsal(&self, draft: &Draft, patience: Duration) -> Result<Option<(Job, Option<ImportReport>)>> {
        let Some(id) = &draft.row.preview_job else {
            return Ok(None);
        };
        let job = self.wait(id, patience).await?;
        let report = match (&job.state, &job.result) {
            (jobs::State::Done, Some(result)) => Some(serde_json::from_value(result.clone())?),
            _ => None,
        };
        Ok(Some((job, report)))
    }

    /// Begins the import of a draft. A second time answers the first one's job.
    pub async fn run_draft(&self, caller: &Caller, id: &str) -> Result<String> {
        for _ in 0..TRIES {
            let draft = self.draft(caller, id).await?;
            if let Some(job) = draft.row.import_job {
                return Ok(job);
            }
            let import = self.import_of(caller, &draft, false).await?;
            let job = self.import_job(caller, &import).await?;
            let note = |row: &mut Row, job| row.import_job = Some(job);
            if let Some(job) = self.begin_noted(caller, &draft, &job, note).await? {
                return Ok(job);
            }
        }
        Err(restless())
    }

    /// Makes a job and notes it on its draft, both or neither: a job that its draft knows nothing of would be made again.
    /// Nothing is made where somebody has changed the draft since it was read.
    pub(super) async fn begin_noted(
        &self,
        caller: &Caller,
        draft: &Draft,
        job: &NewJob,
        note: fn(&mut Row, String),
    ) -> Result<Option<String>> {
        let expires_at = self.kernel.clock.now() + KEPT_MS;
        let row = &Row {
            expires_at,
            ..draft.row.clone()
        };
        let write = self.kernel.db.write(Write::interactive("drafts.begin"), |tx| {
            Box::pin(async move {
                let mut noted = row.clone();
                let id = jobs::enqueue(tx, caller, job.clone()).await?;
                note(&mut noted, id.clone());
                if store::update(tx, &noted).await? {
                    return Ok(Some(id));
                }
                Err(Error::new(Code::Stale, ""))
            })
        });
        match write.await {
            Err(error) if error.code() == Code::Stale => Ok(None),
            other => other,
        }
    }
}

pub(super) fn not_imported(draft: &Draft) -> Result<()> {
    match &draft.row.import_job {
        None => Ok(()),
        Some(job) => Err(Error::new(
            Code::Conflict,
            format!("This file has been imported already, by the job {job}. Bring it again to import it differently."),
        )),
    }
}
