//! Reading: one record, many, lists. What the caller may not see is not there (404); what was deleted is gone (410) for
//! who might have read it.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Service, parse_state};
use crate::contract::records::{Original, RECORDS_DELETE, RECORDS_READ, RECORDS_WRITE, Record, Sight, StoredType};
use crate::kernel::access::{Caller, Level, Object, Permission, Terms};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::id::is_id;
use crate::modules::records::model::{path, shape};
use crate::modules::records::store::{self, Page, Row};

/// A record as the caller may see it, cut to the level.
#[derive(Clone, Debug)]
pub struct Seen {
    pub record: Record,
    pub stored_type: Arc<StoredType>,
    pub level: Level,
}

impl Seen {
    pub fn title(&self) -> String {
        shape::title(&self.stored_type.definition, &self.record.document)
    }
}

/// A list to read.
#[derive(Clone, Debug, Default)]
pub struct List {
    pub type_name: Option<String>,
    pub ids: Option<Vec<String>>,
    pub since: Option<i64>,
    pub until: Option<i64>,
    pub deleted: bool,
    pub by_time: bool,
    pub descending: bool,
    pub after: Option<(i64, String)>,
    pub limit: i64,
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Listed {
    pub items: Vec<Seen>,
    pub total: i64,
    /// The last one of this page, when there are more.
    pub next: Option<(i64, String)>,
}

pub(super) fn not_there(id: &str) -> Error {
    Error::not_found("record", &super::super::model::shorten(id, 60))
}

fn gone(row: &Row) -> Error {
    Error::new(
        Code::Gone,
        format!(
            "The record {} was deleted. Its history stays, and POST /api/records/{0}/restore brings it back.",
            row.id
        ),
    )
    .with("version", row.version)
}

impl Service {
    /// A record's row with its type and the caller's level, deleted or not; hidden ones are not there.
    pub(super) async fn look(&self, caller: &Caller, id: &str) -> Result<(Row, Arc<StoredType>, Level)> {
        if !is_id(id) {
            return Err(not_there(id));
        }
        let row = store::get(&self.db, id).await?.ok_or_else(|| not_there(id))?;
        let Some(level) = self.level_of(caller, &row).await? else {
            let object = Object::Record {
                id,
                type_name: &row.type_name,
                visibility: row.level()?,
            };
            self.access.refused(caller, RECORDS_READ, &object);
            return Err(not_there(id));
        };
        let stored = self.type_at(&row.type_head()).await?.ok_or_else(|| not_there(id))?;
        Ok((row, stored, level))
    }

    /// As [`Service::look`], live ones only.
    pub(super) async fn look_live(&self, caller: &Caller, id: &str) -> Result<(Row, Arc<StoredType>, Level)> {
        let found = self.look(caller, id).await?;
        if found.0.deleted() {
            Err(gone(&found.0))
        } else {
            Ok(found)
        }
    }

    async fn level_of(&self, caller: &Caller, row: &Row) -> Result<Option<Level>> {
        let levels = self.levels_of(caller, std::slice::from_ref(row)).await?;
        Ok(levels.into_iter().next().flatten())
    }

    /// What the caller may see of rows that were read already.
    async fn levels_of(&self, caller: &Caller, rows: &[Row]) -> Result<Vec<Option<Level>>> {
        let object = |row: &'_ Row| Ok((row.id.clone(), row.type_name.clone(), row.level()?));
        let parts: Vec<(String, String, Level)> = rows.iter().map(object).collect::<Result<_>>()?;
        let objects: Vec<Object<'_>> = parts
            .iter()
            .map(|(id, type_name, visibility)| Object::Record {
                id,
                type_name,
                visibility: *visibility,
            })
            .collect();
        self.access.levels(caller, RECORDS_READ, &objects).await
    }

    /// One record as the caller may see it.
    pub async fn read(&self, caller: &Caller, id: &str) -> Result<Seen> {
        let (row, stored_type, level) = self.look_live(caller, id).await?;
        seen(row, stored_type, level)
    }

    /// As [`Service::read`], and a deleted one, without fields, for who may restore it.
    pub async fn read_past(&self, caller: &Caller, id: &str) -> Result<Seen> {
        let (row, stored_type, level) = self.look(caller, id).await?;
        if row.deleted() {
            let object = Object::Record {
                id,
                type_name: &row.type_name,
                visibility: row.level()?,
            };
            if !self.access.check(caller, RECORDS_DELETE, &object).await? {
                return Err(gone(&row));
            }
        }
        seen(row, stored_type, level)
    }

    /// Live records as the caller may see them, in the order of the ids; those that are hidden or gone are left out.
    pub async fn read_many(&self, caller: &Caller, ids: &[String]) -> Result<Vec<Seen>> {
        let rows = store::get_many(&self.db, ids).await?;
        let live = rows.into_iter().filter(|row| !row.deleted()).collect();
        let mut found = HashMap::new();
        for (row, stored, level) in self.visible(caller, live).await? {
            found.insert(row.id.clone(), seen(row, stored, level)?);
        }
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }

    /// An older state of a live record, cut to what the caller may see of the record today. `None` for a version that
    /// deleted it, was emptied or never was.
    pub async fn state_at(
        &self,
        caller: &Caller,
        id: &str,
        version: i64,
    ) -> Result<Option<(Level, Map<String, Value>)>> {
        let (_, stored, level) = self.look_live(caller, id).await?;
        let text = store::document(&self.db, id, version).await?;
        let state = parse_state(text.as_deref())?.filter(|state| state.visibility <= level);
        Ok(state.map(|s| (s.visibility, shape::cut(&stored.definition.fields, level, s.document))))
    }

    /// Whoever writes the record and may see each of its fields may see what it was made of: a row also holds columns that
    /// were left out or are closed to others.
    pub async fn may_see_source(&self, caller: &Caller, seen: &Seen) -> Result<bool> {
        let object = Object::Record {
            id: &seen.record.id,
            type_name: &seen.record.type_name,
            visibility: seen.record.visibility,
        };
        Ok(seen.record.source.is_some()
            && seen.level == Level::Restricted
            && self.access.check(caller, RECORDS_WRITE, &object).await?)
    }

    /// The row of the file that a record came from, with its number; `None` where the file is not kept any more.
    ///
    /// # Errors
    /// `not_found` where the record came from no file, or the caller may not see its row.
    pub async fn source(&self, caller: &Caller, seen: &Seen) -> Result<(i64, Option<Original>)> {
        let missing = || Error::not_found("source row of the record", &seen.record.id);
        let (blob, row) = seen.record.source.as_ref().ok_or_else(missing)?;
        if !self.may_see_source(caller, seen).await? {
            return Err(missing());
        }
        for keeper in self.keepers() {
            if let Some(original) = keeper.original(&seen.record.type_name, blob, *row).await? {
                return Ok((*row, Some(original)));
            }
        }
        Ok((*row, None))
    }

    /// Live records that point at this one, with the field that does, as far as the caller may see them.
    /// What hangs below it by the field `child` is left out.
    pub async fn linked_from(
        &self,
        caller: &Caller,
        id: &str,
        child: Option<&str>,
        limit: i64,
    ) -> Result<Vec<(Seen, String)>> {
        let links = store::links_to(&self.db, id, child.unwrap_or_default(), limit).await?;
        let ids: Vec<String> = links.iter().map(|(from, _)| from.clone()).collect();
        let rows = store::get_many(&self.db, &ids).await?;
        let live = rows.into_iter().filter(|row| !row.deleted()).collect();
        let mut found = HashMap::new();
        for (row, stored, level) in self.visible(caller, live).await? {
            found.insert(row.id.clone(), seen(row, stored, level)?);
        }
        let shown = |(from, field): (String, String)| {
            let seen = found.get(&from)?;
            // A field that the caller may not see says nothing either.
            let leaf = path::find(&seen.stored_type.definition.fields, &field)?;
            (leaf.level <= seen.level).then(|| (seen.clone(), field))
        };
        Ok(links.into_iter().filter_map(shown).collect())
    }

    /// Rows with types and levels, by id; what is hidden or has no type is left out.
    pub(super) async fn visible(&self, caller: &Caller, rows: Vec<Row>) -> Result<Vec<(Row, Arc<StoredType>, Level)>> {
        let mut visible = Vec::with_capacity(rows.len());
        let levels = self.levels_of(caller, &rows).await?;
        for (row, level) in rows.into_iter().zip(levels) {
            let Some(level) = level else { continue };
            let Some(stored) = self.type_at(&row.type_head()).await? else {
                continue;
            };
            visible.push((row, stored, level));
        }
        Ok(visible)
    }

    /// Live records with all their fields, in the order of the ids.
    pub(super) async fn whole(&self, caller: &Caller, ids: &[String]) -> Result<Vec<Record>> {
        let rows = store::get_many(&self.db, ids).await?;
        let visible = self.visible(caller, rows).await?;
        let mut by_id: HashMap<String, Row> = HashMap::with_capacity(visible.len());
        by_id.extend(
            visible
                .into_iter()
                .filter(|(row, _, _)| !row.deleted())
                .map(|(row, _, _)| (row.id.clone(), row)),
        );
        ids.iter().filter_map(|id| by_id.remove(id)).map(Row::record).collect()
    }

    pub(super) async fn see(&self, caller: &Caller, ids: &[String]) -> Result<Vec<Sight>> {
        let rows = store::get_many(&self.db, ids).await?;
        let visible = self.visible(caller, rows).await?;
        let sight = |(row, stored_type, level): (Row, Arc<StoredType>, Level)| {
            let (visibility, deleted) = (row.level()?, row.deleted());
            Ok(Sight {
                id: row.id,
                level,
                visibility,
                deleted,
                version: row.version,
                stored_type,
            })
        };
        visible.into_iter().map(sight).collect()
    }

    /// `type/visibility` of everything that the caller sees and may do this to, for SQL.
    pub(super) async fn readable(
        &self,
        caller: &Caller,
        permission: Permission,
        type_name: Option<&str>,
    ) -> Result<Vec<String>> {
        let names = match type_name {
            Some(name) => vec![name.to_owned()],
            None => store::type_heads(&self.db).await?.into_iter().map(|h| h.name).collect(),
        };
        let view = self.access.filter(caller, permission).await?;
        let mut readable = Vec::new();
        for name in &names {
            for visibility in Level::ALL {
                let [terms, _, _] = self.access.terms(name, visibility);
                let may = match &view.public {
                    Terms::All => true,
                    Terms::Any(held) => terms.iter().any(|t| held.contains(t)),
                };
                if may {
                    readable.push(format!("{name}/{}", visibility.as_str()));
                }
            }
        }
        Ok(readable)
    }

    /// A page of a list by id or time, with how many there are in all.
    pub async fn list(&self, caller: &Caller, list: &List) -> Result<Listed> {
        if let Some(name) = &list.type_name {
            self.need_type(name).await?;
        }
        // What was deleted is for those who may bring it back.
        let permission = if list.deleted { RECORDS_DELETE } else { RECORDS_READ };
        let mut page = Page {
            type_name: list.type_name.clone(),
            ids: list.ids.clone(),
            since: list.since,
            until: list.until,
            state: if list.deleted { store::DELETED } else { store::LIVE },
            readable: self.readable(caller, permission, list.type_name.as_deref()).await?,
            by_time: list.by_time,
            descending: list.descending,
            after: list.after.clone(),
            limit: list.limit + 1,
        };
        let mut rows = store::page(&self.db, &page).await?;
        let more = rows.len() as i64 > list.limit;
        rows.truncate(usize::try_from(list.limit).unwrap_or_default());
        let next = if more {
            rows.last().map(|r| (r.updated_at, r.id.clone()))
        } else {
            None
        };
        page.after = None;
        let total = store::count(&self.db, &page).await?;
        let visible = self.visible(caller, rows).await?;
        let items = visible
            .into_iter()
            .map(|(row, stored, level)| seen(row, stored, level))
            .collect::<Result<_>>()?;
        Ok(Listed { items, total, next })
    }

    /// Live records of a type with all their fields, in id order.
    pub(super) async fn page_whole(
        &self,
        caller: &Caller,
        name: &str,
        after: Option<&str>,
        limit: i64,
    ) -> Result<Vec<Record>> {
        let page = Page {
            type_name: Some(name.to_owned()),
            state: store::LIVE,
            readable: self.readable(caller, RECORDS_READ, Some(name)).await?,
            after: after.map(|id| (0, id.to_owned())),
            limit,
            ..Page::default()
        };
        store::page(&self.db, &page)
            .await?
            .into_iter()
            .map(Row::record)
            .collect()
    }
}

pub(super) fn seen(row: Row, stored_type: Arc<StoredType>, level: Level) -> Result<Seen> {
    let mut record = row.record()?;
    record.document = shape::cut(&stored_type.definition.fields, level, record.document);
    Ok(Seen {
        record,
        stored_type,
        level,
    })
}

impl Service {
    /// Live records with all their fields and their types, for the index. In no order.
    pub async fn live_with_types(&self, ids: &[String]) -> Result<Vec<(Record, Arc<StoredType>)>> {
        let mut records = Vec::with_capacity(ids.len());
        for row in store::get_many(&self.db, ids).await? {
            if row.deleted() {
                continue;
            }
            if let Some(stored) = self.type_at(&row.type_head()).await? {
                records.push((row.record()?, stored));
            }
        }
        Ok(records)
    }

    /// Ids of live records in id order, for a rebuild of the index.
    pub async fn live_ids(&self, after: Option<&str>, limit: i64) -> Result<Vec<String>> {
        store::live_ids(&self.db, after.unwrap_or_default(), limit).await
    }

    /// Id, type and visibility of live records after an id, in id order.
    pub async fn outlines(&self, after: &str, limit: i64) -> Result<Vec<(String, String, String)>> {
        store::outlines(&self.db, after, limit).await
    }

    /// Every so manieth id of live records, in id order.
    pub async fn milestones(&self, every: i64) -> Result<Vec<String>> {
        store::milestones(&self.db, every).await
    }
}

impl Service {
    /// The type and the visibility of a record, whoever asks.
    pub async fn where_is(&self, id: &str) -> Result<Option<(String, Level)>> {
        let Some(row) = store::get(&self.db, id).await? else {
            return Ok(None);
        };
        let level = row.level()?;
        Ok(Some((row.type_name, level)))
    }
}
