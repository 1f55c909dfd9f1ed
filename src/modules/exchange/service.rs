//! What people ask of exchange: begin an import, look at it, export, load the sample.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::export::Export;
use super::model::{IMPORT, Import, Options};
use super::read::{Input, Look, Spool, look};
use super::store::{self, Standing};
use crate::contract::exchange::{Exchange, Format, ImportReport, Reading};
use crate::contract::records::{RECORDS_DELETE, RECORDS_WRITE, Records};
use crate::kernel::Kernel;
use crate::kernel::access::{Caller, Level, Object, Subject};
use crate::kernel::db::Write;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::jobs::{self, Job, NewJob, State};
use crate::kernel::ledger::Position;
use crate::kernel::process;

/// Characters of the reason of an import.
const LONGEST_REASON: usize = 1_000;

/// See the module's text. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    pub kernel: Kernel,
    pub records: Arc<dyn Records>,
    /// Where files are laid down that have to be read crosswise.
    pub spool: Spool,
}

/// An import as it is now.
pub struct Seen {
    pub job: Job,
    pub standing: Option<Standing>,
    /// The result, once it is done.
    pub report: Option<ImportReport>,
    /// Every web process, and this one if it keeps an index, finds what was imported.
    pub searchable: bool,
}

impl Service {
    /// Begins the import of a file that is stored already.
    pub async fn begin(&self, caller: &Caller, import: &Import) -> Result<String> {
        let job = &self.import_job(caller, import).await?;
        self.kernel
            .db
            .write(Write::interactive("exchange.import"), |tx| {
                Box::pin(async move { jobs::enqueue(tx, caller, job.clone()).await })
            })
            .await
    }

    /// The job for a file that is stored already. The same file, type and options on the way join that job.
    pub async fn import_job(&self, caller: &Caller, import: &Import) -> Result<NewJob> {
        self.admit(caller, &import.options).await?;
        job_of(caller, import)
    }

    /// May the caller import so? Asked before a file is taken in as well.
    pub async fn admit(&self, caller: &Caller, options: &Options) -> Result<()> {
        check(options)?;
        let object = Object::Type(&options.type_name);
        self.kernel.access.require(caller, RECORDS_WRITE, &object).await?;
        if options.delete_missing {
            self.kernel.access.require(caller, RECORDS_DELETE, &object).await?;
        }
        Ok(())
    }

    /// Looks at a file that is stored already: what it is and how it would be read.
    pub async fn look_at(&self, blob: &str, name: &str, reading: &Reading) -> Result<Look> {
        let input = Input {
            stream: self.kernel.blobs.open(blob).await?,
            spool: self.spool.clone(),
        };
        let (name, reading, limits) = (name.to_owned(), reading.clone(), self.kernel.config.import.clone());
        tokio::task::spawn_blocking(move || look(input, &name, &reading, &limits))
            .await
            .map_err(Error::internal)?
    }

    /// How an import is. Waits up to `patience` for its end.
    pub async fn look(&self, caller: &Caller, id: &str, patience: Duration) -> Result<Seen> {
        let mut job = self.job(caller, id).await?;
        if !job.state.is_final() && !patience.is_zero() {
            job = self.ended(job, patience).await?;
        }
        let mut report = match (&job.state, &job.result) {
            (State::Done, Some(result)) => Some(serde_json::from_value::<ImportReport>(result.clone())?),
            _ => None,
        };
        // Where files lie is for those who are on the machine.
        if let Some(report) = report.as_mut().filter(|_| caller.subject != Subject::Operator) {
            report.report_path = None;
        }
        // Values were cut to what the one who asked may see; another may see less, also of what the file said.
        if let Some(report) = report.as_mut().filter(|_| !caller.owns(&job.caller)) {
            report.changes.clear();
            if !self.sees_all(caller, &report.type_name).await? {
                report.refusals.clear();
            }
        }
        let position = report.as_ref().and_then(|r| r.position.clone());
        let searchable = match position {
            Some(position) => self.searchable(position.parse()?, patience).await?,
            None => job.state.is_final(),
        };
        let standing = store::standing(&self.kernel.db, id).await?;
        Ok(Seen {
            job,
            standing,
            report,
            searchable,
        })
    }

    async fn searchable(&self, position: Position, patience: Duration) -> Result<bool> {
        let search = &self.kernel.search;
        if search.is_kept() && !search.wait_for(position, patience).await? {
            return Ok(false);
        }
        process::wait_indexed(&self.kernel.db, position, patience.max(Duration::from_millis(50))).await
    }

    /// The job, if it is an import whose type the caller may write.
    pub(super) async fn job(&self, caller: &Caller, id: &str) -> Result<Job> {
        let job = jobs::get(&self.kernel.db, id).await?;
        if job.kind != IMPORT {
            return Err(Error::not_found("import", id));
        }
        let import: Import = serde_json::from_value(job.payload.clone())?;
        let object = Object::Type(&import.options.type_name);
        self.kernel.access.require(caller, RECORDS_WRITE, &object).await?;
        Ok(job)
    }

    async fn sees_all(&self, caller: &Caller, type_name: &str) -> Result<bool> {
        let level = self.kernel.access.level(caller, &Object::Type(type_name)).await?;
        Ok(level == Some(Level::Restricted))
    }

    /// The blob of an import's refused rows; `None` if none was refused.
    pub async fn report(&self, caller: &Caller, id: &str) -> Result<Option<String>> {
        let job = self.job(caller, id).await?;
        let import: Import = serde_json::from_value(job.payload.clone())?;
        if !caller.owns(&job.caller) && !self.sees_all(caller, &import.options.type_name).await? {
            let text = "The report shows what stands in the file. Only who brought it reads it, and who sees all of the collection.";
            return Err(Error::new(Code::Forbidden, text));
        }
        let standing = store::standing(&self.kernel.db, id).await?;
        let of_result = job
            .result
            .as_ref()
            .and_then(|r| r.get("report"))
            .and_then(Value::as_str)
            .map(str::to_owned);
        let found = of_result.or_else(|| standing.and_then(|s| s.report));
        if found.is_none() && job.state != State::Done {
            return Err(Error::new(
                Code::NotFound,
                "This import has no report yet; it has not ended.",
            ));
        }
        Ok(found)
    }

    /// Prepares an export; its first rows are read, so that what is wrong is said before the answer begins.
    pub async fn export(&self, caller: &Caller, type_name: &str, text: &str, format: Format) -> Result<Export> {
        Export::open(
            self.kernel.clone(),
            self.records.clone(),
            caller.clone(),
            type_name,
            text,
            format,
        )
        .await
    }
}

impl Service {
    /// The job when it has ended, or as it is after a while.
    pub(super) async fn ended(&self, job: Job, patience: Duration) -> Result<Job> {
        let mut states = Box::pin(jobs::watch(&self.kernel.db, &job.id));
        let wait = async {
            while let Some(state) = states.next().await {
                if state?.state.is_final() {
                    break;
                }
            }
            Ok::<(), Error>(())
        };
        if let Ok(ended) = tokio::time::timeout(patience, wait).await {
            ended?;
        }
        jobs::get(&self.kernel.db, &job.id).await
    }
}

/// The job of an import that was admitted.
pub fn job_of(caller: &Caller, import: &Import) -> Result<NewJob> {
    let payload = serde_json::to_value(import)?;
    // The name of the file is no part of what is to be done. Whose records may be changed is another's with another asker.
    let same = serde_json::to_string(&(caller.voice(), &import.blob, &import.options))?;
    let same = hex::encode(Sha256::digest(same));
    Ok(NewJob::new(IMPORT, payload)
        .queue(jobs::EXCHANGE)
        .unique_key(format!("import/{same}"))
        .ordering_key(store::ordering_key(&import.options.type_name)))
}

fn check(options: &Options) -> Result<()> {
    if options.type_name.is_empty() {
        return Err(Error::invalid("type", "Name the type of the records: type=object."));
    }
    if options.reason.chars().count() > LONGEST_REASON || options.reason.contains('\0') {
        let words = format!("is a text of at most {LONGEST_REASON} characters, without NUL.");
        return Err(Error::invalid("reason", words));
    }
    if options.missing.len() > 20 {
        return Err(Error::invalid(
            "missing",
            "At most 20 texts can stand for a missing value.",
        ));
    }
    Ok(())
}

#[async_trait]
impl Exchange for Service {
    async fn load_samples(&self) -> Result<Vec<String>> {
        self.load().await
    }
    async fn removable_samples(&self, caller: &Caller) -> Result<bool> {
        self.removable(caller).await
    }
    async fn remove_samples(&self, caller: &Caller) -> Result<Vec<String>> {
        Service::remove_samples(self, caller).await
    }
}
