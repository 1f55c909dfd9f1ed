//! Files that imports need, and what is left of imports when their type is deleted with its records.

use async_trait::async_trait;

use super::model::IMPORT;
use super::service::Service;
use super::store;
use crate::contract::records::FileKeeper;
use crate::kernel::db::Write;
use crate::kernel::error::Result;
use crate::kernel::jobs::{self, JobFilter, State};

/// Imports on their way that are looked through.
const MOST: i64 = 1_000;

#[async_trait]
impl FileKeeper for Service {
    async fn needs(&self, blob: &str) -> Result<bool> {
        if store::is_imported(&self.kernel.db, blob).await? {
            return Ok(true);
        }
        // An import that has not begun yet is known by its job only.
        for state in [State::Waiting, State::Running] {
            let filter = JobFilter {
                state: Some(state),
                kind: Some(IMPORT.to_owned()),
                ..JobFilter::default()
            };
            let under_way = jobs::list(&self.kernel.db, &filter, MOST).await?;
            if under_way.iter().any(|job| job.payload["blob"] == blob) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn forget_type(&self, type_name: &str) -> Result<()> {
        let reports = store::reports(&self.kernel.db, type_name).await?;
        let write = self.kernel.db.write(Write::bulk("exchange.forget"), |tx| {
            Box::pin(async move { store::forget(tx, type_name).await })
        });
        write.await?;
        for report in reports {
            self.kernel.blobs.delete(&report).await?;
        }
        Ok(())
    }
}
