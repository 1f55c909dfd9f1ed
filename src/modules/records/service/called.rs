//! What records are called that links of documents lead to, as far as the caller may see them: a few questions for all.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

use super::Service;
use crate::contract::records::RecordType;
use crate::kernel::access::Caller;
use crate::kernel::error::Result;
use crate::kernel::id::is_id;
use crate::modules::records::model::path;

/// Records that are named in one question, and all in all.
const STEP: usize = 400;
const MOST: usize = 10_000;

impl Service {
    /// Titles by id of what these documents lead to; whom the caller does not see is left out.
    ///
    /// # Errors
    /// What the database says.
    pub async fn called(
        &self,
        caller: &Caller,
        definition: &RecordType,
        documents: &[&Map<String, Value>],
    ) -> Result<HashMap<String, String>> {
        let links = path::linking(definition);
        let mut ids = BTreeSet::new();
        if !links.is_empty() {
            for document in documents {
                ids.extend(path::pairs(&links, document).into_iter().map(|(_, id)| id));
            }
        }
        self.titles_of(caller, ids).await
    }

    /// Titles of these, the same way.
    ///
    /// # Errors
    /// What the database says.
    pub async fn titles_of(&self, caller: &Caller, ids: BTreeSet<String>) -> Result<HashMap<String, String>> {
        let ids: Vec<String> = ids.into_iter().filter(|id| is_id(id)).take(MOST).collect();
        let mut named = HashMap::new();
        for some in ids.chunks(STEP) {
            for one in self.read_many(caller, some).await? {
                let title = one.title();
                if !title.trim().is_empty() {
                    named.insert(one.record.id, title);
                }
            }
        }
        Ok(named)
    }
}
