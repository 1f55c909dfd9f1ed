//! Looks through the records of a type for those that may be one and the same, as far as the caller sees them.

use super::Service;
use crate::contract::records::RECORDS_READ;
use crate::kernel::access::{Caller, Object};
use crate::kernel::error::{Error, Result};
use crate::modules::records::model::shape;
use crate::modules::records::model::twins::{Alike, Twins};

/// Records looked at, and those read at once.
const MOST: usize = 50_000;
const STEP: i64 = 500;

/// Records that may be one.
#[derive(Clone, Debug, Default)]
pub struct Likely {
    pub groups: Vec<Alike>,
    /// There are more groups than are told.
    pub more: bool,
    pub looked: usize,
    /// There are more records than were looked at.
    pub is_cut: bool,
}

impl Service {
    /// Groups of records that may be one, with the reasons.
    ///
    /// # Errors
    /// `NotFound` for a type that the caller does not see.
    pub async fn likely_twins(&self, caller: &Caller, name: &str) -> Result<Likely> {
        let stored = self.need_type(name).await?;
        let seen = self.shown_type(caller, &stored).await?;
        let seen = seen.ok_or_else(|| Error::not_found("type", name))?;
        let mut twins = Twins::of(&seen);
        let mut likely = Likely::default();
        let mut after: Option<String> = None;
        loop {
            let page = self.page_whole(caller, name, after.as_deref(), STEP).await?;
            let Some(last) = page.last() else { break };
            if likely.looked >= MOST {
                likely.is_cut = true;
                break;
            }
            after = Some(last.id.clone());
            let mut objects = Vec::with_capacity(page.len());
            for record in &page {
                objects.push(Object::Record {
                    id: &record.id,
                    type_name: name,
                    visibility: record.visibility,
                });
            }
            let levels = self.access.levels(caller, RECORDS_READ, &objects).await?;
            drop(objects);
            for (record, level) in page.into_iter().zip(levels) {
                let Some(level) = level else { continue };
                likely.looked += 1;
                let document = shape::cut(&stored.definition.fields, level, record.document);
                twins.take(record.id, &document);
            }
        }
        (likely.groups, likely.more) = twins.found();
        Ok(likely)
    }
}
