//! Everything that somebody may read as one archive: a job whose parts are the exports of the types. The parts run beside each
//! other; when all have ended it puts their files together and lets go of them.

use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::job::{EXPORT, Exported, Order};
use super::service::{may_ask, same, writable};
use super::store;
use super::zip::Zip;
use crate::contract::exchange::Format;
use crate::contract::records::RECORDS_READ;
use crate::kernel::access::{Caller, Object};
use crate::kernel::db::Write;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::jobs::{self, EXCHANGE, Job, JobContext, JobFilter, JobHandler, NewJob, State};
use crate::modules::exchange::service::Service;

/// The kind of the job; stored.
pub const ALL: &str = "exchange.export-all";
/// What the archive is called.
pub const NAME: &str = "everything";
/// Types of one archive.
const MOST: usize = 1_000;

/// The payload of the job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Whole {
    pub format: Format,
    /// The types, each a part.
    pub types: Vec<String>,
}

impl Service {
    /// Makes the job of an archive of everything that the caller may read, and its parts. The same that is on its way is joined.
    pub async fn begin_all(&self, caller: &Caller, format: Format) -> Result<String> {
        may_ask(caller)?;
        writable(format)?;
        let mut types = Vec::new();
        for stored in self.records.record_types().await? {
            let name = stored.definition.name.clone();
            if self
                .kernel
                .access
                .check(caller, RECORDS_READ, &Object::Type(&name))
                .await?
            {
                types.push(name);
            }
        }
        if types.is_empty() || types.len() > MOST {
            let text = format!(
                "There have to be 1 to {MOST} collections that you may read; there are {}.",
                types.len()
            );
            return Err(Error::new(Code::Conflict, text));
        }
        let part = |name: &String| -> Result<NewJob> {
            let order = Order {
                type_name: name.clone(),
                q: String::new(),
                format,
            };
            Ok(NewJob::new(EXPORT, serde_json::to_value(order)?).queue(EXCHANGE))
        };
        let parts = types.iter().map(part).collect::<Result<Vec<_>>>()?;
        let whole = Whole { format, types };
        let job = NewJob::new(ALL, serde_json::to_value(&whole)?)
            .queue(EXCHANGE)
            .unique_key(same("export-all", caller, &whole)?);
        self.take_in(caller, "exchange.export-all", job, parts).await
    }

    /// The files of the parts, by the name of their type.
    async fn parts_of(&self, id: &str, whole: &Whole) -> Result<Vec<(String, Order, Exported)>> {
        let filter = JobFilter {
            parent: Some(id.to_owned()),
            ..JobFilter::default()
        };
        let parts = jobs::list(&self.kernel.db, &filter, whole.types.len() as i64).await?;
        let file = |part: Job| -> Result<(String, Order, Exported)> {
            let order: Order = serde_json::from_value(part.payload)?;
            match (part.state, part.result) {
                (State::Done, Some(result)) => Ok((part.id, order, serde_json::from_value(result)?)),
                (state, _) => {
                    // An archive with something missing would look like a whole one.
                    let text = format!(
                        "The export of {} ended as {}{}. Ask for everything once more.",
                        order.type_name,
                        state.as_str(),
                        part.error.map_or_else(String::new, |why| format!(": {why}"))
                    );
                    Err(Error::new(Code::Invalid, text))
                }
            }
        };
        let mut files = parts.into_iter().map(file).collect::<Result<Vec<_>>>()?;
        files.sort_by(|one, other| one.1.type_name.cmp(&other.1.type_name));
        Ok(files)
    }

    /// Runs the job: its parts have ended.
    async fn run_all(&self, context: JobContext) -> Result<Value> {
        let whole: Whole = context.payload()?;
        let files = self.parts_of(&context.id, &whole).await?;
        let total: u64 = files.iter().map(|(_, _, exported)| exported.bytes).sum();
        let total = i64::try_from(total).ok();
        let (mut zip, mut blob, mut done) = (Zip::new(), self.kernel.blobs.writer().await?, 0);
        for (_, order, exported) in &files {
            zip.start(&format!("{}.{}", order.type_name, whole.format.as_str()));
            let mut pieces = std::pin::pin!(self.kernel.blobs.stream(&exported.blob).await?);
            while let Some(piece) = pieces.try_next().await? {
                context.check()?;
                zip.write(&piece)?;
                blob.write(&zip.take()).await?;
                done += i64::try_from(piece.len()).unwrap_or_default();
                context.progress(done, total, &order.type_name).await?;
            }
            zip.end()?;
        }
        zip.finish()?;
        blob.write(&zip.take()).await?;
        let stored = blob.finish().await?;
        let result = json!({
            "blob": stored.id, "bytes": stored.bytes, "types": files.len(),
            "records": files.iter().map(|(_, _, exported)| exported.records).sum::<i64>(),
            "file": format!("/api/exports/{}/file", context.id),
        });
        let until = Self::export_until(self.kernel.config.export.keep_hours, self.kernel.clock.now());
        let (owner, blob, answer, context, files) = (&context.caller.actor(), &stored.id, &result, &context, &files);
        let end = self.kernel.db.write(Write::interactive("exchange.exported"), |tx| {
            Box::pin(async move {
                store::keep(tx, &context.id, owner, blob, until).await?;
                for (part, _, _) in files {
                    store::clear(tx, part).await?;
                }
                context.finish_with(tx, answer).await
            })
        });
        end.await?;
        for (_, _, exported) in files {
            // What is still needed stays; what is not goes with the next sweep at the latest.
            if let Err(error) = self.kernel.blobs.release(&exported.blob).await {
                tracing::warn!(?error, "the file of a part stays until the next sweep");
            }
        }
        Ok(result)
    }
}

/// The job that puts the parts together.
pub fn handler(service: &Service) -> JobHandler {
    let service = service.clone();
    JobHandler::new(ALL, move |context| {
        let service = service.clone();
        async move { Box::pin(service.run_all(context)).await }
    })
}
