//! The addresses of types and records that everybody may read, for the sitemap. Who may read is asked of the one rule,
//! record by record; their states are not loaded.

use std::sync::Arc;

use async_trait::async_trait;

use super::service::Service;
use crate::kernel::access::{Access, Caller, Level, Object};
use crate::kernel::error::Result;
use crate::kernel::http::SitemapSource;

/// See the module's text.
pub struct Addresses {
    pub service: Arc<Service>,
    pub access: Access,
}

#[async_trait]
impl SitemapSource for Addresses {
    async fn pages(&self) -> Result<Vec<String>> {
        let mut pages = vec!["/types".to_owned(), "/search".to_owned()];
        let caller = Caller::anonymous();
        for stored in self.service.all_types().await? {
            if let Some(definition) = self.service.shown_type(&caller, &stored).await? {
                let name = serde_html_form::to_string([("type", &definition.name)]).unwrap_or_default();
                pages.push(format!("/search?{name}"));
                pages.push(format!("/types/{}", name.trim_start_matches("type=")));
            }
        }
        Ok(pages)
    }

    async fn parts(&self, size: usize) -> Result<Vec<String>> {
        self.service.milestones(i64::try_from(size).unwrap_or(i64::MAX)).await
    }

    async fn paths(&self, after: &str, until: Option<&str>, limit: usize) -> Result<(Vec<String>, Option<String>)> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.service.outlines(after, limit).await?;
        let full = i64::try_from(rows.len()).unwrap_or(i64::MAX) >= limit;
        let last = rows.last().map(|(id, _, _)| id.clone());
        let caller = Caller::anonymous();
        let mut paths = Vec::with_capacity(rows.len());
        for (id, type_name, visibility) in &rows {
            if until.is_some_and(|until| id.as_str() > until) {
                return Ok((paths, None));
            }
            let Some(visibility) = Level::parse(visibility) else {
                continue;
            };
            let object = Object::Record {
                id,
                type_name,
                visibility,
            };
            if self.access.level(&caller, &object).await?.is_some() {
                paths.push(format!("/records/{id}"));
            }
        }
        let done = until.is_some() && last.as_deref() == until;
        Ok((paths, last.filter(|_| full && !done)))
    }
}
