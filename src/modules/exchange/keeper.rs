//! Which files imports, drafts and exports need, and what is left of imports when their type is deleted with its records.

use async_trait::async_trait;

use super::service::Service;
use super::store;
use crate::contract::records::{Original, TypeKeeper};
use crate::kernel::blobs::Holder;
use crate::kernel::db::Write;
use crate::kernel::error::Result;

#[async_trait]
impl Holder for Service {
    fn name(&self) -> &'static str {
        "exchange"
    }
    async fn holds(&self, ids: &[String]) -> Result<Vec<String>> {
        let mut held = store::held(&self.kernel.db, ids).await?;
        // Only what no table names has to be looked for in the texts of jobs.
        for id in ids {
            if !held.contains(id) && store::is_in_job(&self.kernel.db, id).await? {
                held.push(id.clone());
            }
        }
        Ok(held)
    }
}

#[async_trait]
impl TypeKeeper for Service {
    async fn forget_type(&self, type_name: &str) -> Result<()> {
        let write = self.kernel.db.write(Write::bulk("exchange.forget"), |tx| {
            Box::pin(async move { store::forget(tx, type_name).await })
        });
        write.await
    }

    async fn original(&self, type_name: &str, blob: &str, row: i64) -> Result<Option<Original>> {
        self.original_row(type_name, blob, row).await
    }
}
