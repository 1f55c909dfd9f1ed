//! A collection as a whole, deleted with everything in it: that begins with one small transaction that holds at once, and
//! a job does the rest in steps that can be repeated. And what new rules would find wrong in its records.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Because, Service};
use crate::contract::records::{RECORDS_WRITE, RecordType, TYPES_WRITE};
use crate::kernel::access::{Caller, Level, Object};
use crate::kernel::blobs;
use crate::kernel::db::{Tx, Write};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::jobs::{self, JobContext, NewJob};
use crate::kernel::ledger::{self, NewVersion, Operation};
use crate::modules::records::model::{path, shape, validate};
use crate::modules::records::store::{self, REMOVING, TypeHead};

/// The kind of the job; stored, never renamed.
pub const REMOVE: &str = "records.remove-type";
/// Records dealt with in one transaction.
pub(super) const STEP: i64 = 200;
/// Records looked at before a rule changes, in pages, and those that are named.
const MOST_CHECKED: i64 = 20_000;
const LOOK: i64 = 500;
const EXAMPLES: usize = 10;

/// A type to be deleted with its records.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Removal {
    #[serde(rename = "type")]
    type_name: String,
    type_id: String,
    set_id: String,
}

/// What a job needs of the type whose records it changes.
pub(super) fn ordered(kind: &'static str, name: &str, payload: Value) -> NewJob {
    NewJob::new(kind, payload).ordering_key(format!("records.type/{name}"))
}

impl Service {
    /// As [`Service::remove_type_at`], where a person has written the name of the type once more.
    pub async fn remove_type(&self, why: &Because<'_>, name: &str, typed: &str) -> Result<String> {
        let standing = self.need_type(name).await?;
        if typed.trim() != name {
            let message = format!("is not \"{name}\". Write the name of the collection to say that you mean it.");
            return Err(Error::invalid("confirm", message));
        }
        self.remove_type_at(why, name, standing.version).await
    }

    /// Begins to delete a type that stands at version `base`, with all its records: it is gone at once, a job empties what
    /// is kept of it. Answers the job.
    pub async fn remove_type_at(&self, why: &Because<'_>, name: &str, base: i64) -> Result<String> {
        let standing = self.need_type(name).await?;
        self.require_whole(why.caller, name).await?;
        // Its records go with it.
        let object = Object::Type(name);
        self.access.require(why.caller, RECORDS_WRITE, &object).await?;
        if standing.version != base {
            return Err(super::types::stale_type(&standing, base));
        }
        self.check_unused(name).await?;
        let standing = &standing;
        let outcome = self.db.write(Write::interactive("types.remove"), |tx| {
            Box::pin(async move {
                tx.lock(&format!("records.type/{name}")).await?;
                let version = standing.version + 1;
                let state = REMOVING.to_owned();
                let head = TypeHead {
                    name: name.to_owned(),
                    id: standing.id.clone(),
                    version,
                    state,
                };
                let now = tx.now();
                if store::advance_type(tx, &head, now).await? == 0 {
                    return Err(Error::new(Code::Busy, "The type was changed just now. Try again."));
                }
                let links = store::count_links_into(&mut *tx, name).await?;
                if links > 0 {
                    let text = format!(
                        "{links} links of other collections point at records of \"{name}\". Take them out first."
                    );
                    return Err(Error::new(Code::Conflict, text));
                }
                let set_id = why.open(tx, "type.remove").await?;
                self.append_type(tx, &set_id, &head, Operation::Delete, None).await?;
                let (type_name, type_id) = (name.to_owned(), standing.id.clone());
                let removal = Removal {
                    type_name,
                    type_id,
                    set_id,
                };
                jobs::enqueue(tx, why.caller, ordered(REMOVE, name, json!(removal))).await
            })
        });
        outcome.await
    }

    /// The name is free from here on: a collection that takes it begins without anybody's roles, and nothing of it opens by itself.
    pub(super) async fn end_grants(&self, tx: &mut Tx<'_>, by: &Caller, name: &str) -> Result<()> {
        store::drop_embargoes_of(tx, name).await?;
        match &self.grants {
            Some(grants) => grants.forget(tx, by, &format!("type:{name}")).await,
            None => Ok(()),
        }
    }

    /// Other types may not have fields that lead to it.
    pub async fn check_unused(&self, name: &str) -> Result<()> {
        for other in self.all_types().await? {
            let links = crate::modules::records::model::path::linking(&other.definition);
            let leads = links.iter().any(|l| l.field.target.as_deref() == Some(name));
            if leads && other.definition.name != name {
                let text = format!(
                    "The collection \"{}\" has a field that leads to \"{name}\". Delete that collection first.",
                    other.definition.name
                );
                return Err(Error::new(Code::Conflict, text));
            }
        }
        Ok(())
    }

    /// The job of [`Service::remove_type`]. Each step takes some records away as a whole, so that a repeated run finds
    /// only what is left.
    pub async fn run_removal(&self, context: JobContext) -> Result<Value> {
        let removal: Removal = context.payload()?;
        let name = removal.type_name.as_str();
        let total = store::count_of_type(&self.db, name).await?;
        for keeper in self.keepers() {
            keeper.forget_type(name).await?;
        }
        let mut done = 0;
        loop {
            context.check()?;
            let ids = store::ids_of_type(&self.db, name, STEP).await?;
            if ids.is_empty() {
                break;
            }
            let (ids, removal) = (&ids, &removal);
            let removed = self.db.write(Write::bulk("types.remove"), |tx| {
                Box::pin(async move { remove_some(tx, removal, ids).await })
            });
            removed.await?;
            done += ids.len() as i64;
            context.progress(done, Some(total.max(done)), "").await?;
        }
        let result = json!({ "type": name, "records": done });
        let (removal, context, answer) = (&removal, &context, &result);
        let end = self.db.write(Write::bulk("types.remove"), |tx| {
            Box::pin(async move {
                ledger::redact_all(tx, std::slice::from_ref(&removal.type_id)).await?;
                store::forget_kept(tx, &removal.type_name).await?;
                store::forget_type(tx, &removal.type_name, &removal.type_id).await?;
                self.end_grants(tx, &context.caller, &removal.type_name).await?;
                // The files that they came from: those that nobody else needs.
                jobs::enqueue(tx, &Caller::system(), blobs::sweep()).await?;
                context.finish_with(tx, answer).await
            })
        });
        end.await?;
        Ok(result)
    }
}

async fn remove_some(tx: &mut Tx<'_>, removal: &Removal, ids: &[String]) -> Result<()> {
    let rows = store::get_many(&mut *tx, ids).await?;
    // Followers learn of each deletion from the ledger.
    let deleted = rows.iter().filter(|row| !row.deleted()).map(|row| NewVersion {
        entity: row.id.clone(),
        version: row.version + 1,
        kind: ledger::RECORD,
        operation: Operation::Delete,
        document: None,
    });
    let deleted: Vec<NewVersion> = deleted.collect();
    if !deleted.is_empty() {
        ledger::append(tx, &removal.set_id, deleted).await?;
    }
    ledger::redact_all(tx, ids).await?;
    store::forget_records(tx, ids).await
}

/// Records that do not keep new rules.
#[derive(Clone, Debug, Default)]
pub struct Misfits {
    pub count: i64,
    pub checked: i64,
    /// There are more records than were looked at.
    pub is_cut: bool,
    /// The first of them.
    pub examples: Vec<Misfit>,
}

#[derive(Clone, Debug)]
pub struct Misfit {
    pub id: String,
    pub title: String,
    pub message: String,
}

impl Service {
    /// Looks at the type's records: which fit the old definition and not the new one?
    pub async fn misfits(&self, old: &RecordType, new: &RecordType) -> Result<Misfits> {
        let mut found = Misfits::default();
        let mut after: Option<String> = None;
        let system = Caller::system();
        while found.checked < MOST_CHECKED {
            let page = self.page_whole(&system, &new.name, after.as_deref(), LOOK).await?;
            let Some(last) = page.last() else { return Ok(found) };
            after = Some(last.id.clone());
            for record in page {
                found.checked += 1;
                let issues = validate::validate(new, &record.document);
                let Some(issue) = issues.first() else { continue };
                if !validate::validate(old, &record.document).is_empty() {
                    continue;
                }
                found.count += 1;
                if found.examples.len() < EXAMPLES {
                    found.examples.push(Misfit {
                        title: shape::title(new, &record.document),
                        message: format!("{} {}", issue.path, issue.message),
                        id: record.id,
                    });
                }
            }
        }
        found.is_cut = true;
        Ok(found)
    }

    /// How many records have each term of a field, for who sees all of a type and where the index does not count it; nothing
    /// where there are more records than are looked at.
    pub async fn count_terms(
        &self,
        caller: &Caller,
        definition: &RecordType,
        path: &str,
    ) -> Result<Option<HashMap<String, u64>>> {
        let (name, mut counts) = (definition.name.as_str(), HashMap::new());
        let level = self.access.level(caller, &Object::Type(name)).await?;
        let Some(leaf) = path::find(&definition.fields, path).filter(|_| level == Some(Level::Restricted)) else {
            return Ok(None);
        };
        let (mut after, mut looked) = (None::<String>, 0);
        while looked < MOST_CHECKED {
            let page = self.page_whole(caller, name, after.as_deref(), LOOK).await?;
            let Some(last) = page.last() else {
                return Ok(Some(counts));
            };
            (after, looked) = (Some(last.id.clone()), looked + page.len() as i64);
            for record in &page {
                let terms: HashSet<&str> = path::values(&record.document, &leaf.steps)
                    .into_iter()
                    .filter_map(Value::as_str)
                    .collect();
                for term in terms.into_iter().filter(|term| !term.is_empty()) {
                    *counts.entry(term.to_owned()).or_default() += 1;
                }
            }
        }
        Ok(None)
    }

    /// Whether no record of a type is there, and none was: then nothing can be lost by a change of it.
    pub async fn is_bare(&self, name: &str) -> Result<bool> {
        Ok(!store::has_records(&self.db, name, true).await?)
    }

    /// How many records of a type there are, deleted ones too.
    pub async fn count_of_type(&self, name: &str) -> Result<i64> {
        store::count_of_type(&self.db, name).await
    }

    /// May the caller change the type and its records as a whole? For showing the controls.
    pub async fn may_change_type(&self, caller: &Caller, name: &str) -> Result<bool> {
        let object = Object::Type(name);
        let may = self.access.check(caller, TYPES_WRITE, &object).await?;
        Ok(may && self.access.level(caller, &object).await? == Some(Level::Restricted))
    }
}
