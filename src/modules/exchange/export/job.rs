//! The job `exchange.export`: lays an export down as a blob, to be fetched by whoever asked for it. It reads what its caller
//! may read while it runs; run again after a kill, it begins anew, and what half was written is gone.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Export, store};
use crate::contract::exchange::Format;
use crate::contract::records::Records;
use crate::kernel::Kernel;
use crate::kernel::db::Write;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::jobs::JobContext;
use crate::modules::exchange::service::Service;

/// The kind of the job; stored.
pub const EXPORT: &str = "exchange.export";

/// The payload of the job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    #[serde(rename = "type")]
    pub type_name: String,
    /// What to search for; everything where it is empty.
    #[serde(default)]
    pub q: String,
    pub format: Format,
}

/// The result of the job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Exported {
    /// The file, as a blob.
    pub blob: String,
    pub bytes: u64,
    pub records: i64,
}

/// Runs exports.
#[derive(Clone)]
pub struct Exporter {
    pub kernel: Kernel,
    pub records: Arc<dyn Records>,
}

impl Exporter {
    /// Runs the job.
    ///
    /// # Errors
    /// As [`Export::open`], and `Unavailable` for a search where no index is.
    pub async fn run(&self, context: JobContext) -> Result<Value> {
        let order: Order = context.payload()?;
        if !order.q.trim().is_empty() && !self.kernel.search.is_kept() {
            return Err(Error::new(
                Code::Unavailable,
                "This worker keeps no search index, so it cannot export what a search finds. Fetch it from /api/export instead, or \
                 export the whole type.",
            ));
        }
        let (kernel, records, caller) = (self.kernel.clone(), self.records.clone(), context.caller.clone());
        let mut export = Export::open(kernel, records, caller, &order.type_name, &order.q, order.format).await?;
        let mut blob = self.kernel.blobs.writer().await?;
        while let Some(piece) = export.next().await? {
            context.check()?;
            blob.write(&piece).await?;
            let written = export.records_out;
            context
                .progress(written, export.total, &format!("{written} records"))
                .await?;
        }
        let stored = blob.finish().await?;
        let exported = Exported {
            blob: stored.id,
            bytes: stored.bytes,
            records: export.records_out,
        };
        context
            .progress(
                exported.records,
                Some(exported.records),
                &format!("{} records", exported.records),
            )
            .await?;
        let result = serde_json::to_value(&exported)?;
        let until = Service::export_until(self.kernel.config.export.keep_hours, self.kernel.clock.now());
        let (owner, blob, answer, context) = (&context.caller.actor(), &exported.blob, &result, &context);
        let end = self.kernel.db.write(Write::interactive("exchange.exported"), |tx| {
            Box::pin(async move {
                store::keep(tx, &context.id, owner, blob, until).await?;
                context.finish_with(tx, answer).await
            })
        });
        end.await?;
        Ok(result)
    }
}
