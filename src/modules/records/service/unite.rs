//! Records that are one and the same put into one: it gets what was chosen of each, what pointed at the others points at it,
//! they are deleted and their addresses lead to it. One transaction, one change set, undone like any other.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::edit::admit;
use super::restore::{self, Put};
use super::{Because, Rules, Service, parse_state, state_text};
use crate::contract::records::{RECORDS_DELETE, RECORDS_WRITE, RecordState, StoredType};
use crate::kernel::access::{Caller, Level, Object};
use crate::kernel::db::{Tx, Write};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::ledger::Position;
use crate::modules::records::model::path;
use crate::modules::records::model::unite::{Taken, relinked, united};
use crate::modules::records::store::{self, Row};

/// Records put into one at once, and records that may point at them.
pub const MOST: usize = 10;
const MOST_LINKS: i64 = 1_000;
/// Records that were put into each other one after the other.
const CHAIN: usize = 20;

/// What is put into which.
#[derive(Clone, Debug)]
pub struct Union {
    pub into: String,
    /// The version that was looked at.
    pub version: i64,
    pub from: Vec<String>,
    /// Whose value a field gets, by its path; what is not named is put together.
    pub taken: HashMap<String, Taken>,
}

/// Records that were put into one.
#[derive(Clone, Debug)]
pub struct United {
    pub change: String,
    pub position: Position,
    /// Records that point at it now instead.
    pub relinked: i64,
}

impl Service {
    /// Puts records into one.
    ///
    /// # Errors
    /// `Invalid` for records that cannot be one, `Stale` where the first was changed meanwhile, `Forbidden` without the
    /// right to change all that is touched and to see all of the records.
    pub async fn unite(&self, why: &Because<'_>, union: &Union) -> Result<United> {
        self.check_union(union)?;
        let (row, _, _) = self.look_live(why.caller, &union.into).await?;
        if row.version != union.version {
            return Err(self.stale(why.caller, &union.into, union.version, None).await);
        }
        for id in &union.from {
            self.look_live(why.caller, id).await?;
        }
        let write = self.db.write(Write::interactive("records.unite"), |tx| {
            Box::pin(async move { self.unite_in(tx, why, union).await })
        });
        write.await
    }

    fn check_union(&self, union: &Union) -> Result<()> {
        let mut seen: HashSet<&String> = HashSet::from([&union.into]);
        if union.from.is_empty() || union.from.len() > MOST {
            return Err(Error::invalid("from", format!("names 1 to {MOST} other records.")));
        }
        if !union.from.iter().all(|id| seen.insert(id)) {
            return Err(Error::invalid("from", "names a record twice, or the one that stays."));
        }
        Ok(())
    }

    async fn unite_in(&self, tx: &mut Tx<'_>, why: &Because<'_>, union: &Union) -> Result<United> {
        let mut ids = vec![union.into.clone()];
        ids.extend(union.from.iter().cloned());
        let mut found: HashMap<String, Row> = store::get_many(&mut *tx, &ids)
            .await?
            .into_iter()
            .map(|row| (row.id.clone(), row))
            .collect();
        let mut rows = Vec::with_capacity(ids.len());
        for id in &ids {
            let row = found.remove(id).filter(|row| !row.deleted());
            rows.push(row.ok_or_else(|| Error::not_found("record", id))?);
        }
        let name = rows[0].type_name.clone();
        if rows.iter().any(|row| row.type_name != name) {
            return Err(Error::invalid(
                "from",
                "names a record of another type. Only records of one type can be one.",
            ));
        }
        if rows[0].version != union.version {
            return Err(Error::new(
                Code::Stale,
                "The record was changed just now. Look at both once more.",
            ));
        }
        for (at, row) in rows.iter().enumerate() {
            let permission = if at == 0 { RECORDS_WRITE } else { RECORDS_DELETE };
            self.needs_all(tx, why.caller, row, permission).await?;
        }
        let stored = self
            .type_in(tx, &name)
            .await?
            .ok_or_else(|| Error::not_found("type", &name))?;
        let survivor = survivor(&stored, &rows, union)?;
        let set = why.open(tx, "record.merge").await?;
        let mut types = HashMap::from([(name, stored)]);
        let linking = self.lead_on(tx, why.caller, union, &mut types).await?;
        refuse_circles(tx, &types, linking.iter().chain(&survivor)).await?;
        refuse_clashes(tx, &types, &linking).await?;
        let relinked = linking.len() as i64;
        restore::write(tx, &set, linking, &types).await?;
        let gone: Vec<(String, i64)> = rows[1..].iter().map(|row| (row.id.clone(), row.version + 1)).collect();
        let again = || Error::new(Code::Busy, "A record was changed at the same time. Try again.");
        let position = self.remove(tx, &set, rows[1..].to_vec()).await?.ok_or_else(again)?;
        store::note_merged(tx, &union.into, &gone).await?;
        // Last, so that it may take over what only one live record may have.
        restore::write(tx, &set, survivor.into_iter().collect(), &types).await?;
        Ok(United {
            change: set,
            position,
            relinked,
        })
    }

    /// Whoever puts records together has to see all of them: what they do not see would be lost.
    async fn needs_all(
        &self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        row: &Row,
        permission: crate::kernel::access::Permission,
    ) -> Result<()> {
        let object = Object::Record {
            id: &row.id,
            type_name: &row.type_name,
            visibility: row.level()?,
        };
        self.access.require_in(tx, caller, permission, &object).await?;
        if self.access.level_in(tx, caller, permission, &object).await? == Some(Level::Restricted) {
            return Ok(());
        }
        let text = "Only who sees every field of the records can put them together. Ask somebody who does.";
        Err(Error::new(Code::Forbidden, text))
    }

    /// What pointed at the others points at the one that stays.
    async fn lead_on(
        &self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        union: &Union,
        types: &mut HashMap<String, Arc<StoredType>>,
    ) -> Result<Vec<Put>> {
        let mut linking: HashSet<String> = HashSet::new();
        for id in &union.from {
            let links = store::links_to(&mut *tx, id, "", MOST_LINKS + 1).await?;
            linking.extend(links.into_iter().map(|(from, _)| from));
        }
        linking.retain(|id| *id != union.into && !union.from.contains(id));
        if linking.len() as i64 > MOST_LINKS {
            let text = format!(
                "More than {MOST_LINKS} records point at these. First set their links to the record that stays, as a batch; \
                 then put these together."
            );
            return Err(Error::new(Code::Conflict, text));
        }
        let ids: Vec<String> = linking.into_iter().collect();
        let mut put = Vec::new();
        for row in store::get_many(&mut *tx, &ids).await? {
            let Some(state) = parse_state(row.document.as_deref())?.filter(|_| !row.deleted()) else {
                continue;
            };
            let object = Object::Record {
                id: &row.id,
                type_name: &row.type_name,
                visibility: row.level()?,
            };
            if self
                .access
                .level_in(tx, caller, RECORDS_WRITE, &object)
                .await?
                .is_none()
            {
                let text = "Something points at these records that you may not change. Ask somebody who may.";
                return Err(Error::new(Code::Forbidden, text));
            }
            if !types.contains_key(&row.type_name)
                && let Some(stored) = self.type_in(tx, &row.type_name).await?
            {
                types.insert(row.type_name.clone(), stored);
            }
            let Some(stored) = types.get(&row.type_name) else {
                continue;
            };
            let leaves = path::linking(&stored.definition);
            if let Some(document) = relinked(&state.document, &leaves, &union.from, Some(&union.into)) {
                let was = Some(state.document.clone());
                put.push(to_put(row, was, RecordState { document, ..state })?);
            }
        }
        Ok(put)
    }

    /// Where the address of a deleted record leads: to the record that it was put into, as far as the caller may see that.
    ///
    /// # Errors
    /// What the database says.
    pub async fn merged_into(&self, caller: &Caller, id: &str) -> Result<Option<String>> {
        let mut at = id.to_owned();
        for _ in 0..CHAIN {
            let Some(next) = store::merged_into(&self.db, &at).await? else {
                return Ok(None);
            };
            match self.look_live(caller, &next).await {
                Ok(_) => return Ok(Some(next)),
                Err(error) if error.code() == Code::Gone => at = next,
                Err(error) if error.code() == Code::NotFound => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

/// Nothing may hang below itself afterwards.
async fn refuse_circles(
    tx: &mut Tx<'_>,
    types: &HashMap<String, Arc<StoredType>>,
    puts: impl Iterator<Item = &Put>,
) -> Result<()> {
    let mut by_type: HashMap<&str, Vec<&Put>> = HashMap::new();
    for put in puts {
        by_type.entry(&put.row.type_name).or_default().push(put);
    }
    let mut left = HashMap::new();
    for (name, puts) in by_type {
        if let Some(stored) = types.get(name) {
            restore::circles_of(tx, &stored.definition, &puts, &mut left).await?;
        }
    }
    if left.is_empty() {
        return Ok(());
    }
    let text =
        "A record would hang below itself: one of these hangs below another. Move it first, then put them together.";
    Err(Error::new(Code::Conflict, text))
}

/// What points at the one that stays may be the only one that does: a taxon has one accepted name.
async fn refuse_clashes(tx: &mut Tx<'_>, types: &HashMap<String, Arc<StoredType>>, linking: &[Put]) -> Result<()> {
    let mut wanted: HashMap<(&str, String, String), &str> = HashMap::new();
    let mut clash: Option<(String, Vec<String>)> = None;
    for put in linking {
        let Some(stored) = types.get(&put.row.type_name) else {
            continue;
        };
        let rules = Rules::of(&stored.definition);
        let before = put.was.as_ref().map(|was| rules.identifiers(was)).unwrap_or_default();
        for pair in rules.identifiers(&put.state.document) {
            if before.contains(&pair) {
                continue;
            }
            let (field, value) = pair;
            let owners = store::owners(&mut *tx, &put.row.type_name, &field, [value.as_str()]).await?;
            let place = (put.row.type_name.as_str(), field.clone(), value);
            let other = wanted.insert(place, &put.row.id).map(str::to_owned);
            let owner = owners.into_values().find(|owner| *owner != put.row.id);
            if let Some(other) = other.or(owner) {
                clash.get_or_insert((field, vec![other, put.row.id.clone()]));
            }
        }
    }
    let Some((field, records)) = clash else { return Ok(()) };
    let text = format!(
        "Two records would lead to the one that stays by \"{field}\", and only one may. Change one of them first, then put these \
         together."
    );
    Err(Error::new(Code::Conflict, text).with("records", records))
}

/// The record that stays, where it changes.
fn survivor(stored: &StoredType, rows: &[Row], union: &Union) -> Result<Option<Put>> {
    let definition = &stored.definition;
    let mut documents: Vec<Map<String, Value>> = Vec::with_capacity(rows.len());
    for row in rows {
        let state = parse_state(row.document.as_deref())?;
        documents.push(state.map(|state| state.document).unwrap_or_default());
    }
    let all: Vec<&Map<String, Value>> = documents.iter().collect();
    let document = united(&definition.fields, &all, &union.taken)
        .map_err(|path| Error::invalid("take", format!("There is nothing to choose in the field \"{path}\".")))?;
    let leaves = path::linking(definition);
    // It does not point at itself afterwards; one that did so before still does.
    let own = relinked(&document, &leaves, &union.from, None);
    let document = own.unwrap_or(document);
    let document = admit(definition, Level::Restricted, Some(&documents[0]), &document)?;
    let row = rows[0].clone();
    let Some(state) = parse_state(row.document.as_deref())? else {
        return Err(Error::not_found("record", &row.id));
    };
    if state.document == document {
        return Ok(None);
    }
    let was = Some(state.document.clone());
    to_put(row, was, RecordState { document, ..state }).map(Some)
}

fn to_put(row: Row, was: Option<Map<String, Value>>, state: RecordState) -> Result<Put> {
    let text = state_text(&state.type_name, state.visibility, &state.document)?;
    Ok(Put { row, was, state, text })
}
