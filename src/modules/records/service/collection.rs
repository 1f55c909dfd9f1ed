//! A collection as a whole: opened to others or closed, and deleted with everything in it. Both begin with one small
//! transaction that holds at once, and a job does the rest in steps that can be repeated.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Because, Service, parse_state, state_text};
use crate::contract::records::{RECORDS_WRITE, RecordType, TYPES_WRITE};
use crate::kernel::access::{Caller, Level, Object};
use crate::kernel::blobs::Blobs;
use crate::kernel::db::{Tx, Write};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::jobs::{self, JobContext, NewJob};
use crate::kernel::ledger::{self, NewVersion, Operation};
use crate::modules::records::model::{shape, validate};
use crate::modules::records::store::{self, Head, LIVE, REMOVING, Row, TypeHead};

/// Kinds of jobs; stored, never renamed.
pub const OPEN: &str = "records.visibility";
pub const REMOVE: &str = "records.remove-type";
/// Records dealt with in one transaction.
const STEP: i64 = 200;
/// Records looked at before a rule changes, in pages, and those that are named.
const MOST_CHECKED: i64 = 20_000;
const LOOK: i64 = 500;
const EXAMPLES: usize = 10;

/// Who sees the records of a type changes from one level to another.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Opening {
    #[serde(rename = "type")]
    type_name: String,
    from: Level,
    to: Level,
    set_id: String,
}

impl Opening {
    /// The visibilities that it changes: to open a collection those that stand where it stood, to close it all that are
    /// more open, also where somebody opened a record by hand.
    fn levels(&self) -> Vec<String> {
        let changes = |level: &Level| *level == self.from || (self.to > self.from && *level < self.to);
        let levels = Level::ALL.into_iter().filter(changes);
        levels.map(|level| level.as_str().to_owned()).collect()
    }
}

/// A type to be deleted with its records.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Removal {
    #[serde(rename = "type")]
    type_name: String,
    type_id: String,
    set_id: String,
}

/// What a job needs of the type whose records it changes.
fn ordered(kind: &'static str, name: &str, payload: Value) -> NewJob {
    NewJob::new(kind, payload).ordering_key(format!("records.type/{name}"))
}

impl Service {
    /// Changes who sees the type's records: new ones at once, those that are there now by a job whose id is answered.
    /// Records that were given another visibility one by one keep it.
    pub async fn open_type(&self, why: &Because<'_>, name: &str, base: i64, to: Level) -> Result<Option<String>> {
        let standing = self.need_type(name).await?;
        self.require_whole(why.caller, name).await?;
        let object = Object::Type(name);
        self.access.require(why.caller, RECORDS_WRITE, &object).await?;
        if standing.version != base {
            return Err(super::types::stale_type(&standing, base));
        }
        let from = standing.definition.visibility;
        if from == to {
            return Ok(None);
        }
        let definition = &RecordType {
            visibility: to,
            ..standing.definition.clone()
        };
        let outcome = self.db.write(Write::interactive("types.open"), |tx| {
            Box::pin(async move {
                let held = store::type_head(&mut *tx, name).await?;
                if held.is_none_or(|h| h.version != base) {
                    return Err(Error::new(Code::Stale, String::new()));
                }
                let set_id = why.open(tx, "type.visibility").await?;
                self.put_type_in(tx, &set_id, definition).await?;
                let type_name = name.to_owned();
                let opening = Opening {
                    type_name,
                    from,
                    to,
                    set_id,
                };
                jobs::enqueue(tx, why.caller, ordered(OPEN, name, json!(opening))).await
            })
        });
        match outcome.await {
            Err(error) if error.code() == Code::Stale => {
                Err(super::types::stale_type(&*self.need_type(name).await?, base))
            }
            done => done.map(Some),
        }
    }

    /// The job of [`Service::open_type`]. A repeated run goes on where the last one stopped, since it looks only at what
    /// still has the old level.
    pub async fn run_opening(&self, context: JobContext) -> Result<Value> {
        let opening: Opening = context.payload()?;
        let (name, levels) = (opening.type_name.as_str(), opening.levels());
        let total = store::count_seen_by(&self.db, name, &levels).await?;
        let (mut done, mut after) = (0, String::new());
        loop {
            context.check()?;
            let ids = store::ids_seen_by(&self.db, name, &levels, &after, STEP).await?;
            let Some(last) = ids.last() else { break };
            after.clone_from(last);
            let (ids, opening) = (&ids, &opening);
            let changed = self.db.write(Write::bulk("types.open"), |tx| {
                Box::pin(async move { open_some(tx, opening, ids).await })
            });
            done += changed.await?;
            context.progress(done, Some(total.max(done)), "").await?;
        }
        Ok(json!({ "type": name, "visibility": opening.to, "records": done }))
    }

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
    pub async fn run_removal(&self, blobs: &Blobs, context: JobContext) -> Result<Value> {
        let removal: Removal = context.payload()?;
        let name = removal.type_name.as_str();
        let total = store::count_of_type(&self.db, name).await?;
        for keeper in self.keepers() {
            keeper.forget_type(name).await?;
        }
        let (mut done, mut files) = (0, 0);
        loop {
            context.check()?;
            let ids = store::ids_of_type(&self.db, name, STEP).await?;
            if ids.is_empty() {
                break;
            }
            let candidates = store::sources(&self.db, &ids).await?;
            let (ids, removal) = (&ids, &removal);
            let removed = self.db.write(Write::bulk("types.remove"), |tx| {
                Box::pin(async move { remove_some(tx, removal, ids).await })
            });
            removed.await?;
            files += self.drop_files(blobs, candidates).await?;
            done += ids.len() as i64;
            context.progress(done, Some(total.max(done)), "").await?;
        }
        let result = json!({ "type": name, "records": done, "files": files });
        let (removal, context, answer) = (&removal, &context, &result);
        let end = self.db.write(Write::bulk("types.remove"), |tx| {
            Box::pin(async move {
                ledger::redact_all(tx, std::slice::from_ref(&removal.type_id)).await?;
                store::forget_type(tx, &removal.type_name, &removal.type_id).await?;
                context.finish_with(tx, answer).await
            })
        });
        end.await?;
        Ok(result)
    }

    async fn is_kept(&self, blob: &str) -> Result<bool> {
        for keeper in self.keepers() {
            if keeper.needs(blob).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Deletes files that no record points to any more, unless somebody else still needs them.
    async fn drop_files(&self, blobs: &Blobs, candidates: Vec<String>) -> Result<i64> {
        let mut dropped = 0;
        for blob in candidates {
            if store::is_source(&self.db, &blob).await? || self.is_kept(&blob).await? {
                continue;
            }
            blobs.delete(&blob).await?;
            dropped += 1;
        }
        Ok(dropped)
    }
}

async fn open_some(tx: &mut Tx<'_>, opening: &Opening, ids: &[String]) -> Result<i64> {
    let levels = opening.levels();
    let mut rows = store::get_many(&mut *tx, ids).await?;
    rows.retain(|row| !row.deleted() && levels.contains(&row.visibility));
    let now = tx.now();
    let (mut heads, mut versions) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
    for row in rows {
        let Some(state) = parse_state(row.document.as_deref())? else {
            continue;
        };
        versions.push(NewVersion {
            entity: row.id.clone(),
            version: row.version + 1,
            kind: ledger::RECORD,
            operation: Operation::Update,
            document: Some(state_text(&row.type_name, opening.to, &state.document)?),
        });
        heads.push(head(row, LIVE, opening.to, now));
    }
    let count = heads.len() as i64;
    if count == 0 {
        return Ok(0);
    }
    if store::advance_heads(tx, heads).await? < count as u64 {
        return Err(Error::new(
            Code::Busy,
            "A record was changed at the same time. The step is tried again.",
        ));
    }
    ledger::append(tx, &opening.set_id, versions).await?;
    Ok(count)
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

fn head(row: Row, state: &'static str, visibility: Level, now: i64) -> Head {
    Head {
        version: row.version + 1,
        state,
        visibility,
        created_at: row.created_at,
        updated_at: now,
        source: row.source_blob.zip(row.source_row),
        id: row.id,
        type_name: row.type_name,
    }
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

    /// How many records of a type there are, deleted ones too.
    pub async fn count_of_type(&self, name: &str) -> Result<i64> {
        store::count_of_type(&self.db, name).await
    }

    /// May the caller change the type as a whole? For showing the controls.
    pub async fn may_change_type(&self, caller: &Caller, name: &str) -> Result<bool> {
        let object = Object::Type(name);
        let may = self.access.check(caller, TYPES_WRITE, &object).await?;
        Ok(may && self.access.level(caller, &object).await? == Some(Level::Restricted))
    }
}
