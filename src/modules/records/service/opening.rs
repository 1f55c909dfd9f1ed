//! A collection opened to others or closed: new records follow at once, and a job moves those that are there, in steps that
//! can be repeated.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::collection::{STEP, ordered};
use super::levels::{self, At, Closing, Part};
use super::{Because, Service, parse_state, state_text};
use crate::contract::records::{RECORDS_WRITE, RecordType};
use crate::kernel::access::{Level, Object};
use crate::kernel::db::{Tx, Write};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::jobs::{self, JobContext};
use crate::kernel::ledger::{self, NewVersion, Operation};
use crate::modules::records::store::{self, Head, LIVE, Row};

/// The kind of the job; stored, never renamed.
pub const OPEN: &str = "records.visibility";

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

impl Service {
    /// Changes who sees the type's records: new ones at once, those that are there now by a job whose id is answered.
    /// Records that were given another visibility one by one keep it, also over a closing and an opening after it.
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
        let closings = &self.ended_by(&opening).await?;
        let (mut done, mut after) = (0, String::new());
        loop {
            context.check()?;
            let ids = store::ids_seen_by(&self.db, name, &levels, &after, STEP).await?;
            let Some(last) = ids.last() else { break };
            after.clone_from(last);
            let (ids, opening) = (&ids, &opening);
            let changed = self.db.write(Write::bulk("types.open"), |tx| {
                Box::pin(async move { open_some(tx, opening, closings, ids).await })
            });
            done += changed.await?;
            context.progress(done, Some(total.max(done)), "").await?;
        }
        Ok(json!({ "type": name, "visibility": opening.to, "records": done }))
    }

    /// The closings that an opening ends.
    async fn ended_by(&self, opening: &Opening) -> Result<Vec<Closing>> {
        let head = store::type_head(&self.db, &opening.type_name).await?;
        match head {
            Some(head) if opening.to < opening.from => {
                let states = store::type_states(&self.db, &head.id).await?;
                levels::ended(&states, &opening.set_id, opening.to)
            }
            _ => Ok(Vec::new()),
        }
    }
}

/// Where each of these records goes that stands where the collection stood.
async fn targets(
    tx: &mut Tx<'_>,
    opening: &Opening,
    closings: &[Closing],
    ids: &[String],
) -> Result<HashMap<String, Level>> {
    let mut parts: HashMap<&str, Vec<(&Closing, Part)>> = HashMap::new();
    if !closings.is_empty() {
        let made: HashMap<String, At> = store::made_at(&mut *tx, ids)
            .await?
            .into_iter()
            .map(|(id, txid, position)| (id, (txid, position)))
            .collect();
        for closing in closings {
            let mut before: HashMap<String, (i64, Option<String>)> = HashMap::new();
            for (id, version, document) in store::before_set(&mut *tx, &closing.set_id, ids).await? {
                let known = before.entry(id).or_insert((version, None));
                if version <= known.0 {
                    *known = (version, document);
                }
            }
            for id in ids {
                let part = match before.get(id) {
                    Some((_, document)) => {
                        let state = parse_state(document.as_deref())?;
                        state.map_or(Part::Unknown, |state| Part::Moved(state.visibility))
                    }
                    None if made.get(id).is_some_and(|at| *at > closing.at) => Part::Later,
                    None => Part::Aside,
                };
                parts.entry(id).or_default().push((closing, part));
            }
        }
    }
    let target = |id: &String| {
        let parts = parts.get(id.as_str()).into_iter().flatten().copied();
        (id.clone(), levels::target(opening.from, opening.to, parts))
    };
    Ok(ids.iter().map(target).collect())
}

async fn open_some(tx: &mut Tx<'_>, opening: &Opening, closings: &[Closing], ids: &[String]) -> Result<i64> {
    let targets = targets(tx, opening, closings, ids).await?;
    let levels = opening.levels();
    let mut rows = store::get_many(&mut *tx, ids).await?;
    rows.retain(|row| !row.deleted() && levels.contains(&row.visibility));
    let now = tx.now();
    let (mut heads, mut versions) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
    for row in rows {
        let to = targets.get(&row.id).copied().unwrap_or(opening.to);
        let Some(state) = parse_state(row.document.as_deref())?.filter(|state| state.visibility != to) else {
            continue;
        };
        versions.push(NewVersion {
            entity: row.id.clone(),
            version: row.version + 1,
            kind: ledger::RECORD,
            operation: Operation::Update,
            document: Some(state_text(&row.type_name, to, &state.document)?),
        });
        heads.push(head(row, LIVE, to, now));
    }
    let count = heads.len() as i64;
    if count == 0 {
        return Ok(0);
    }
    let moved: Vec<String> = heads.iter().map(|head| head.id.clone()).collect();
    if store::advance_heads(tx, heads).await? < count as u64 {
        return Err(Error::new(
            Code::Busy,
            "A record was changed at the same time. The step is tried again.",
        ));
    }
    store::show_nodes(tx, &moved).await?;
    ledger::append(tx, &opening.set_id, versions).await?;
    Ok(count)
}

pub(super) fn head(row: Row, state: &'static str, visibility: Level, now: i64) -> Head {
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
