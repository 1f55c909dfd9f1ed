//! Files that imports need, and what is left of imports when their type is deleted with its records.

use async_trait::async_trait;

use super::service::Service;
use super::{draft, store};
use crate::contract::records::FileKeeper;
use crate::kernel::db::Write;
use crate::kernel::error::Result;

#[async_trait]
impl FileKeeper for Service {
    async fn needs(&self, blob: &str) -> Result<bool> {
        draft::store::is_needed(&self.kernel.db, blob).await
    }

    async fn forget_type(&self, type_name: &str) -> Result<()> {
        let reports = store::reports(&self.kernel.db, type_name).await?;
        let write = self.kernel.db.write(Write::bulk("exchange.forget"), |tx| {
            Box::pin(async move { store::forget(tx, type_name).await })
        });
        write.await?;
        for report in reports {
            // The same faults give the same report.
            if !self.needs(&report).await? {
                self.kernel.blobs.delete(&report).await?;
            }
        }
        Ok(())
    }
}
