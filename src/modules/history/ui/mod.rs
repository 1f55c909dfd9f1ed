//! The pages of change sets: everything that was changed, and what one change touched. What the caller may not see of
//! it is left out.

mod grants;
mod list;
mod show;

use std::collections::HashMap;

use axum::http::Method;
use axum::routing::get;
use serde_json::Value;

use super::HISTORY_READ;
use super::service::Service;
use crate::contract::records::Sight;
use crate::kernel::access::Caller;
use crate::kernel::error::Result;
use crate::kernel::http::{RouteSet, Routes};
use crate::kernel::ledger::ChangeSet;
use crate::kernel::ui::{Page, set_name, shorten};

/// Characters of a title.
const TITLE: usize = 120;

/// The routes of the pages.
pub fn routes(service: Service) -> Routes {
    RouteSet::new()
        .page(HISTORY_READ, Method::GET, "/changes", get(list::index_page))
        .page(HISTORY_READ, Method::GET, "/changes/{id}", get(show::show_page))
        .with_state(service)
}

/// Why, in the words of whoever did it: for those who are known here.
pub fn reason(caller: &Caller, set: &ChangeSet) -> String {
    if caller.is_anonymous() {
        String::new()
    } else {
        set.reason.clone()
    }
}

/// What a change is called: its kind, and for those who are known here the file it came from.
pub fn named(page: &Page, set: &ChangeSet) -> String {
    let what = set_name(page.language, &set.kind);
    let origin: Value = serde_json::from_str(&set.origin).unwrap_or_default();
    match origin
        .get("file")
        .and_then(Value::as_str)
        .filter(|_| !page.caller.is_anonymous())
    {
        Some(file) => {
            let file = shorten(file, TITLE);
            page.language
                .with("changes.of-file", &[("what", &what), ("file", &file)])
        }
        None => what,
    }
}

/// Title and address of a thing.
pub type Seen = (String, Option<String>);

impl Service {
    /// Titles and addresses of records and types, as far as the caller of a page may see them, by id.
    pub async fn seen(&self, page: &Page, mut records: Vec<String>, types: bool) -> Result<HashMap<String, Seen>> {
        records.sort_unstable();
        records.dedup();
        let mut seen = HashMap::new();
        let sights = self.records.sights(&page.caller, &records).await?;
        let by_id: HashMap<&str, &Sight> = sights.iter().map(|sight| (sight.id.as_str(), sight)).collect();
        for record in self.records.get_many(&page.caller, &records).await? {
            let Some(sight) = by_id.get(record.id.as_str()) else {
                continue;
            };
            let definition = &sight.stored_type.definition;
            let document = self.records.cut(definition, sight.level, record.document);
            let title = self.records.title(definition, &document);
            if !title.trim().is_empty() {
                let href = format!("/records/{}", record.id);
                seen.insert(record.id, (shorten(&title, TITLE), Some(href)));
            }
        }
        for sight in sights {
            let href = (!sight.deleted).then(|| format!("/records/{}", sight.id));
            seen.entry(sight.id.clone()).or_insert((sight.id, href));
        }
        if types {
            for stored in self.records.record_types().await? {
                let name = stored.definition.name.clone();
                seen.insert(stored.id.clone(), (name.clone(), Some(format!("/types/{name}"))));
            }
        }
        Ok(seen)
    }
}
