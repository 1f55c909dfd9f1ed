//! The collections as places where somebody has a role: their names, and where a record belongs.

use std::sync::Arc;

use async_trait::async_trait;

use super::service::Service;
use crate::kernel::access::{Collection, Level, Places};
use crate::kernel::error::Result;
use crate::kernel::i18n::Language;
use crate::kernel::id::is_id;

#[async_trait]
impl Places for Arc<Service> {
    async fn collections(&self) -> Result<Vec<Collection>> {
        let types = self.all_types().await?;
        let collection = |stored: &Arc<crate::contract::records::StoredType>| {
            let definition = &stored.definition;
            Collection {
                label: crate::kernel::ui::label(&definition.labels, &definition.name, Language::default()),
                labels: definition.labels.clone(),
                name: definition.name.clone(),
            }
        };
        Ok(types.iter().map(collection).collect())
    }

    async fn place_of(&self, record: &str) -> Result<Option<(String, Level)>> {
        if !is_id(record) {
            return Ok(None);
        }
        self.where_is(record).await
    }
}
