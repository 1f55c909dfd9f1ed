//! Exports as jobs: asked for, looked at, fetched, thrown away; and their files cleared when their time is over.

use std::time::Duration;

use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::job::{EXPORT, Exported, Order};
use super::store;
use super::whole::{self, ALL, Whole};
use crate::contract::exchange::Format;
use crate::contract::records::RECORDS_READ;
use crate::kernel::access::{Caller, Object};
use crate::kernel::db::Write;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::jobs::{self, EXCHANGE, Job, JobHandler, NewJob, State};
use crate::kernel::schedule::Schedule;
use crate::modules::exchange::service::Service;

/// The kind of the job that clears old files; stored.
const CLEAR: &str = "exchange.clear-exports";
const HOUR_MS: i64 = 3_600_000;

/// An export as it is now.
pub struct Seen {
    pub job: Job,
    pub order: Order,
    /// It is an archive of everything.
    pub is_whole: bool,
    /// The file with the end of its time, while it can be fetched.
    pub file: Option<(Exported, i64)>,
}

impl Service {
    /// Makes the job of an export. The same order of the same caller that is on its way is joined.
    pub async fn begin_export(&self, caller: &Caller, order: &Order) -> Result<String> {
        may_ask(caller)?;
        // What is wrong is said now and not by the job.
        writable(order.format)?;
        let object = Object::Type(&order.type_name);
        self.kernel.access.require(caller, RECORDS_READ, &object).await?;
        if self.records.record_type(&order.type_name).await?.is_none() {
            return Err(Error::not_found("type", &order.type_name));
        }
        let job = NewJob::new(EXPORT, serde_json::to_value(order)?)
            .queue(EXCHANGE)
            .unique_key(same("export", caller, order)?);
        self.take_in(caller, "exchange.export", job, Vec::new()).await
    }

    /// Puts an export and its parts into the queue, as long as its asker has not too many.
    pub(super) async fn take_in(
        &self,
        caller: &Caller,
        name: &'static str,
        job: NewJob,
        parts: Vec<NewJob>,
    ) -> Result<String> {
        let owner = &caller.actor();
        let (job, parts, most) = (&job, &parts, i64::from(self.kernel.config.export.most));
        let write = self.kernel.db.write(Write::interactive(name), |tx| {
            Box::pin(async move {
                tx.lock(&format!("exports/{owner}")).await?;
                let id = jobs::enqueue_with_parts(tx, caller, job.clone(), parts.clone()).await?;
                store::begin(tx, &id, owner).await?;
                let now = tx.now();
                if store::count(&mut *tx, owner, now).await? > most {
                    return Err(too_many(most));
                }
                Ok(id)
            })
        });
        write.await
    }

    /// An export, for who asked for it. Waits up to `patience` for its end.
    pub async fn look_export(&self, caller: &Caller, id: &str, patience: Duration) -> Result<Seen> {
        // Somebody else's and none at all look the same.
        let nothing = || Error::not_found("export", id);
        let mut job = match jobs::get(&self.kernel.db, id).await {
            Err(error) if error.code() == Code::NotFound => return Err(nothing()),
            found => found?,
        };
        if !matches!(job.kind.as_str(), EXPORT | ALL) || !caller.owns(&job.caller) {
            return Err(nothing());
        }
        if !job.state.is_final() && !patience.is_zero() {
            job = self.ended(job, patience).await?;
        }
        let is_whole = job.kind == ALL;
        let order = if is_whole {
            let whole: Whole = serde_json::from_value(job.payload.clone())?;
            Order {
                type_name: whole::NAME.to_owned(),
                q: String::new(),
                format: whole.format,
            }
        } else {
            serde_json::from_value(job.payload.clone())?
        };
        let kept = store::kept(&self.kernel.db, id).await?;
        let until = kept.and_then(|kept| kept.expires_at.filter(|_| kept.blob.is_some()));
        let until = until.filter(|until| *until > self.kernel.clock.now());
        let file = match (&job.state, &job.result, until) {
            (State::Done, Some(result), Some(until)) => Some((serde_json::from_value(result.clone())?, until)),
            _ => None,
        };
        Ok(Seen {
            job,
            order,
            is_whole,
            file,
        })
    }

    /// The file of an export that is done.
    ///
    /// # Errors
    /// `Conflict` before its end, `Gone` after its time.
    pub async fn export_file(&self, caller: &Caller, id: &str) -> Result<(Exported, Seen)> {
        let seen = self.look_export(caller, id, Duration::ZERO).await?;
        if let Some((exported, _)) = &seen.file {
            return Ok((exported.clone(), seen));
        }
        if seen.job.state == State::Done {
            return Err(Error::new(
                Code::Gone,
                format!(
                    "The file of this export is gone: files are kept for {} hours (export.keep_hours) or until they are thrown \
                     away. Ask for it again with POST /api/exports.",
                    self.kernel.config.export.keep_hours
                ),
            ));
        }
        Err(Error::new(
            Code::Conflict,
            format!(
                "The export is {}, so there is no file yet. /api/exports/{} says how far it is.",
                seen.job.state.as_str(),
                seen.job.id
            ),
        ))
    }

    /// Throws an export away: one that is on its way is stopped, a file is let go of.
    pub async fn drop_export(&self, caller: &Caller, id: &str) -> Result<()> {
        let seen = self.look_export(caller, id, Duration::ZERO).await?;
        if !seen.job.state.is_final() {
            match jobs::cancel(&self.kernel.db, id).await {
                Err(error) if error.code() != Code::Conflict => return Err(error),
                // It has just ended.
                _ => {}
            }
        }
        let blob = store::kept(&self.kernel.db, id).await?.and_then(|kept| kept.blob);
        self.let_go(id, blob.as_deref()).await
    }

    async fn let_go(&self, id: &str, blob: Option<&str>) -> Result<()> {
        let write = self.kernel.db.write(Write::interactive("exchange.clear"), |tx| {
            Box::pin(store::clear(tx, id))
        });
        write.await?;
        if let Some(blob) = blob {
            // The same records give the same file: another export may hold it.
            self.kernel.blobs.release(blob).await?;
        }
        Ok(())
    }

    /// Lets go of the files whose time is over. Answers how many.
    async fn clear_exports(&self) -> Result<usize> {
        let mut cleared = 0;
        loop {
            let old = store::expired(&self.kernel.db, self.kernel.clock.now(), 100).await?;
            if old.is_empty() {
                break;
            }
            for (id, blob) in &old {
                self.let_go(id, Some(blob)).await?;
                cleared += 1;
            }
        }
        let forget = self
            .kernel
            .db
            .write(Write::bulk("exchange.forget"), |tx| Box::pin(store::forget(tx)));
        forget.await?;
        Ok(cleared)
    }

    /// When the file of an export that ends now goes.
    pub fn export_until(keep_hours: u32, now: i64) -> i64 {
        now + i64::from(keep_hours) * HOUR_MS
    }
}

/// The key that an order of a caller shares with the same order of theirs that is on its way.
pub(super) fn same(kind: &str, caller: &Caller, order: &impl Serialize) -> Result<String> {
    let both = serde_json::to_string(&(caller.voice(), order))?;
    Ok(format!("{kind}/{}", hex::encode(Sha256::digest(both))))
}

/// Nobody in particular has no job to come back to.
pub(super) fn may_ask(caller: &Caller) -> Result<()> {
    if !caller.is_anonymous() {
        return Ok(());
    }
    Err(Error::new(
        Code::Unauthenticated,
        "Exports as jobs are for callers who are known. Bring a token, or take the file from /api/export at once.",
    ))
}

pub(super) fn writable(format: Format) -> Result<()> {
    if matches!(format, Format::Ods | Format::Dwca) {
        return Err(Error::invalid("format", "Exports are csv, json, jsonl or xlsx."));
    }
    Ok(())
}

fn too_many(most: i64) -> Error {
    Error::new(
        Code::TooMany,
        format!(
            "{most} exports of yours wait or are kept, the most that may (export.most). Fetch what you need and throw one away \
             with DELETE /api/exports/JOB, or wait until their time is over."
        ),
    )
    .with("retry_after", 60)
}

/// The job that clears files whose time is over.
pub fn handler(service: &Service) -> JobHandler {
    let service = service.clone();
    JobHandler::new(CLEAR, move |_| {
        let service = service.clone();
        async move { Ok(json!({ "cleared": service.clear_exports().await? })) }
    })
}

pub fn schedule() -> Schedule {
    let clear = || NewJob::new(CLEAR, json!({})).queue(EXCHANGE).unique_key(CLEAR);
    Schedule::new(CLEAR, "30 3 * * *", clear)
}
