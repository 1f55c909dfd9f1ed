//! Writing one record: create, replace, merge, delete, restore. Each is one transaction with its change set, based on a
//! version that the caller names; a stale one gets both states.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::read::{Seen, seen};
use super::{Because, Rules, Service, parse_state, state_text, types};
use crate::contract::records::{RECORDS_WRITE, RecordType, StoredType};
use crate::kernel::access::{Caller, Level, Object};
use crate::kernel::db::{Tx, Write};
use crate::kernel::error::{Code, Error, FieldIssue, Result};
use crate::kernel::id::new_id;
use crate::kernel::ledger::{self, NewVersion, Operation, Position};
use crate::modules::records::model::{patch, shape, validate};
use crate::modules::records::store::{self, DELETED, Head, Identifier, LIVE, Row};

/// A record to make.
#[derive(Clone, Debug)]
pub struct NewRecord {
    pub type_name: String,
    /// The type's, where it does not say its own.
    pub visibility: Option<Level>,
    pub document: Map<String, Value>,
}

/// How to change a document.
#[derive(Clone, Debug)]
pub enum Edit {
    Replace(Map<String, Value>),
    /// RFC 7396.
    Merge(Map<String, Value>),
}

/// A write, done.
#[derive(Clone, Debug)]
pub struct Written {
    pub seen: Seen,
    /// `None` when nothing changed.
    pub position: Option<Position>,
}

/// A state on its way into the database.
struct State<'a> {
    id: &'a str,
    version: i64,
    operation: Operation,
    visibility: Level,
    created_at: i64,
    source: Option<(String, i64)>,
    document: &'a Map<String, Value>,
}

impl Service {
    /// Makes a record.
    pub async fn create(&self, why: &Because<'_>, new: &NewRecord) -> Result<Written> {
        let known = self.find_type(&new.type_name).await?;
        let shipped = types::shipped().iter().find(|t| t.name == new.type_name);
        let default = match (&known, shipped) {
            (Some(stored), _) => stored.definition.visibility,
            (None, Some(shipped)) => shipped.visibility,
            (None, None) => return Err(self.unknown_type(&new.type_name).await),
        };
        let visibility = new.visibility.unwrap_or(default);
        let id = new_id();
        let object = Object::Record {
            id: &id,
            type_name: &new.type_name,
            visibility,
        };
        self.access.require(why.caller, RECORDS_WRITE, &object).await?;
        let level = self.access.level(why.caller, &object).await?.unwrap_or_default();
        if let Some(stored) = &known {
            self.check_targets(why.caller, &stored.definition, &new.document)
                .await?;
        }
        let id = &id;
        let outcome = self.db.write(Write::interactive("records.create"), |tx| {
            Box::pin(async move {
                let set = why.open(tx, "record.create").await?;
                let stored = match (self.type_in(tx, &new.type_name).await?, shipped) {
                    (Some(stored), _) => stored,
                    (None, Some(shipped)) => Arc::new(self.put_type_in(tx, &set, shipped).await?.stored),
                    (None, None) => return Err(Error::not_found("type", &new.type_name)),
                };
                let definition = &stored.definition;
                let document = admit(definition, level, None, new.document.clone())?;
                let now = tx.now();
                let (version, operation) = (1, Operation::Create);
                let state = State {
                    id,
                    version,
                    operation,
                    visibility,
                    created_at: now,
                    source: None,
                    document: &document,
                };
                let position = self.put_state(tx, &set, definition, &state, None).await?;
                let row = state.row(&stored, now)?;
                Ok(Written {
                    seen: seen(row, stored, level)?,
                    position: Some(position),
                })
            })
        });
        match outcome.await {
            Err(error) => Err(self.name_owners(why.caller, error).await),
            done => done,
        }
    }

    /// Changes a live record that stands at version `base`.
    pub async fn edit(
        &self,
        why: &Because<'_>,
        id: &str,
        base: i64,
        edit: &Edit,
        visibility: Option<Level>,
    ) -> Result<Written> {
        let (row, stored, level) = self.look_live(why.caller, id).await?;
        let (before, was) = (
            parse_state(row.document.as_deref())?
                .map(|s| s.document)
                .unwrap_or_default(),
            row.level()?,
        );
        let visibility = visibility.unwrap_or(was);
        for visibility in [was, visibility] {
            let object = Object::Record {
                id,
                type_name: &row.type_name,
                visibility,
            };
            self.access.require(why.caller, RECORDS_WRITE, &object).await?;
        }
        let edited = match edit {
            Edit::Replace(document) => document.clone(),
            Edit::Merge(change) => patch::merge(shape::cut(&stored.definition.fields, level, before.clone()), change),
        };
        if row.version != base {
            return Err(self.stale(why.caller, id, base, Some(edited)).await);
        }
        self.check_targets(why.caller, &stored.definition, &edited).await?;
        let (row, before, edited) = (&row, &before, &edited);
        let outcome = self.db.write(Write::interactive("records.edit"), |tx| {
            Box::pin(async move {
                let stored = self
                    .type_in(tx, &row.type_name)
                    .await?
                    .ok_or_else(|| Error::not_found("record", id))?;
                let definition = &stored.definition;
                let document = admit(definition, level, Some(before), edited.clone())?;
                if visibility == was && document == *before {
                    return Ok(Written {
                        seen: seen(row.clone(), stored, level)?,
                        position: None,
                    });
                }
                let set = why.open(tx, "record.edit").await?;
                let state = State {
                    id,
                    version: base + 1,
                    operation: Operation::Update,
                    visibility,
                    created_at: row.created_at,
                    source: row.source_blob.clone().zip(row.source_row),
                    document: &document,
                };
                let position = self.put_state(tx, &set, definition, &state, Some(before)).await?;
                let row = state.row(&stored, tx.now())?;
                Ok(Written {
                    seen: seen(row, stored, level)?,
                    position: Some(position),
                })
            })
        });
        match outcome.await {
            Err(error) if error.code() == Code::Stale => {
                Err(self.stale(why.caller, id, base, Some(edited.clone())).await)
            }
            Err(error) => Err(self.name_owners(why.caller, error).await),
            done => done,
        }
    }

    /// Deletes a live record that stands at version `base`. Its states stay in the ledger.
    pub async fn delete(&self, why: &Because<'_>, id: &str, base: i64) -> Result<Position> {
        let (row, _, _) = self.look_live(why.caller, id).await?;
        let visibility = row.level()?;
        let object = Object::Record {
            id,
            type_name: &row.type_name,
            visibility,
        };
        self.access.require(why.caller, RECORDS_WRITE, &object).await?;
        if row.version != base {
            return Err(self.stale(why.caller, id, base, None).await);
        }
        let row = &row;
        let outcome = self.db.write(Write::interactive("records.delete"), |tx| {
            Box::pin(async move {
                let links = store::count_links_to(&mut *tx, id).await?;
                if links > 0 {
                    let text = format!("{links} other records point at this one. Take it out of them first.");
                    return Err(Error::new(Code::Conflict, text));
                }
                let set = why.open(tx, "record.delete").await?;
                let positions = self.remove(tx, &set, vec![row.clone()]).await?;
                positions.ok_or_else(|| Error::new(Code::Stale, String::new()))
            })
        });
        match outcome.await {
            Err(error) if error.code() == Code::Stale => Err(self.stale(why.caller, id, base, None).await),
            done => done,
        }
    }

    /// Brings a deleted record back as it was. `base` is the version of its deletion, where the caller names it.
    pub async fn restore(&self, why: &Because<'_>, id: &str, base: Option<i64>) -> Result<Written> {
        let (row, _, level) = self.look(why.caller, id).await?;
        let visibility = row.level()?;
        let object = Object::Record {
            id,
            type_name: &row.type_name,
            visibility,
        };
        self.access.require(why.caller, RECORDS_WRITE, &object).await?;
        if !row.deleted() {
            return Err(Error::new(
                Code::Conflict,
                format!("The record {id} is not deleted; there is nothing to restore."),
            ));
        }
        if base.is_some_and(|b| b != row.version) {
            return Err(self.stale(why.caller, id, base.unwrap_or_default(), None).await);
        }
        let text = store::document(&self.db, id, row.version - 1).await?;
        let Some(last) = parse_state(text.as_deref())? else {
            return Err(Error::new(
                Code::Conflict,
                format!("The last state of the record {id} was redacted and cannot be restored."),
            ));
        };
        let (row, document) = (&row, &last.document);
        let outcome = self.db.write(Write::interactive("records.restore"), |tx| {
            Box::pin(async move {
                let stored = self
                    .type_in(tx, &row.type_name)
                    .await?
                    .ok_or_else(|| Error::not_found("record", id))?;
                let issues = validate::validate(&stored.definition, document);
                if !issues.is_empty() {
                    return Err(if level == Level::Restricted {
                        Error::invalid_fields(issues)
                    } else {
                        unseen_fields()
                    });
                }
                let set = why.open(tx, "record.restore").await?;
                let state = State {
                    id,
                    version: row.version + 1,
                    operation: Operation::Restore,
                    visibility,
                    created_at: row.created_at,
                    source: row.source_blob.clone().zip(row.source_row),
                    document,
                };
                let position = self.put_state(tx, &set, &stored.definition, &state, None).await?;
                let row = state.row(&stored, tx.now())?;
                Ok(Written {
                    seen: seen(row, stored, level)?,
                    position: Some(position),
                })
            })
        });
        match outcome.await {
            Err(error) if error.code() == Code::Stale => Err(self.stale(why.caller, id, row.version, None).await),
            Err(error) => Err(self.name_owners(why.caller, error).await),
            done => done,
        }
    }

    /// Writes a state with its head, version, identifiers and links. `before`: the document whose look-ups stand.
    async fn put_state(
        &self,
        tx: &mut Tx<'_>,
        set: &str,
        definition: &RecordType,
        state: &State<'_>,
        before: Option<&Map<String, Value>>,
    ) -> Result<Position> {
        let text = state_text(&definition.name, state.visibility, state.document)?;
        let head = state.head(&definition.name, tx.now());
        if state.version > 1 && store::advance_heads(tx, vec![head.clone()]).await? == 0 {
            return Err(Error::new(Code::Stale, String::new()));
        }
        let rules = Rules::of(definition);
        let old = before.map(|b| rules.identifiers(b)).unwrap_or_default();
        let new = rules.identifiers(state.document);
        let own = |(field, value): &(String, String)| Identifier {
            field: field.clone(),
            value: value.clone(),
            record_id: state.id.to_owned(),
        };
        for gone in old.iter().filter(|pair| !new.contains(pair)) {
            store::drop_identifier(tx, &definition.name, &own(gone)).await?;
        }
        let added: Vec<Identifier> = new.iter().filter(|pair| !old.contains(pair)).map(own).collect();
        let wanted = added.len() as u64;
        if wanted > 0 && store::take_identifiers(tx, &definition.name, added.clone()).await? < wanted {
            return Err(taken(tx, &definition.name, &added).await?);
        }
        let links = rules.links(state.document);
        if before.is_some_and(|b| rules.links(b) != links) {
            store::drop_links(tx, &[state.id.to_owned()]).await?;
        }
        if !links.is_empty() {
            check_links(tx, &rules, &links).await?;
            let own = links.into_iter().map(|(field, to)| (state.id.to_owned(), field, to));
            store::insert_links(tx, own.collect()).await?;
        }
        if state.version == 1 {
            store::insert_heads(tx, vec![head]).await?;
        }
        let version = NewVersion {
            entity: state.id.to_owned(),
            version: state.version,
            kind: ledger::RECORD,
            operation: state.operation,
            document: Some(text),
        };
        ledger::append(tx, set, vec![version]).await
    }

    /// Deletes records at the versions of these rows. `None` when somebody was faster.
    async fn remove(&self, tx: &mut Tx<'_>, set: &str, rows: Vec<Row>) -> Result<Option<Position>> {
        let now = tx.now();
        let ids: Vec<String> = rows.iter().map(|r| r.id.clone()).collect();
        let mut heads = Vec::with_capacity(rows.len());
        let mut versions = Vec::with_capacity(rows.len());
        for row in rows {
            versions.push(NewVersion {
                entity: row.id.clone(),
                version: row.version + 1,
                kind: ledger::RECORD,
                operation: Operation::Delete,
                document: None,
            });
            heads.push(Head {
                version: row.version + 1,
                state: DELETED,
                visibility: row.level()?,
                created_at: row.created_at,
                updated_at: now,
                source: row.source_blob.zip(row.source_row),
                id: row.id,
                type_name: row.type_name,
            });
        }
        // Identifiers stay: they lead an import of the same key back to the record. Others may take them over.
        if store::advance_heads(tx, heads).await? < ids.len() as u64 {
            return Ok(None);
        }
        store::drop_links(tx, &ids).await?;
        ledger::append(tx, set, versions).await.map(Some)
    }

    /// Deletes those of these records that are live.
    pub(super) async fn delete_in(&self, tx: &mut Tx<'_>, set: &str, ids: &[String]) -> Result<i64> {
        let mut rows = store::get_many(&mut *tx, ids).await?;
        rows.retain(|r| !r.deleted());
        let count = rows.len() as i64;
        if count > 0 && self.remove(tx, set, rows).await?.is_none() {
            return Err(Error::new(
                Code::Busy,
                "A record was changed while it was to be deleted. Try again.",
            ));
        }
        Ok(count)
    }

    async fn unknown_type(&self, name: &str) -> Error {
        match self.need_type(name).await {
            Err(error) => Error::invalid("type", error.detail()),
            Ok(_) => Error::new(Code::Busy, "The type was made just now. Try again."),
        }
    }

    /// A link may lead only to what the caller can see; anything else is "not there".
    async fn check_targets(
        &self,
        caller: &Caller,
        definition: &RecordType,
        document: &Map<String, Value>,
    ) -> Result<()> {
        let links = Rules::of(definition).links(document);
        if links.is_empty() {
            return Ok(());
        }
        let ids: Vec<String> = links.iter().map(|(_, to)| to.clone()).collect();
        let sights = self.see(caller, &ids).await?;
        let hidden = links
            .into_iter()
            .filter(|(_, to)| !sights.iter().any(|s| s.id == *to && !s.deleted));
        let issues: Vec<FieldIssue> = hidden.map(|(field, to)| no_target(field, &to, None)).collect();
        if issues.is_empty() {
            Ok(())
        } else {
            Err(Error::invalid_fields(issues))
        }
    }

    /// The answer to a write that is based on an old version: all three states, as the caller may see them.
    async fn stale(&self, caller: &Caller, id: &str, base: i64, yours: Option<Map<String, Value>>) -> Error {
        let (row, stored, level) = match self.look_live(caller, id).await {
            Ok(found) => found,
            Err(error) => return error,
        };
        let version = row.version;
        let mut error = Error::new(
            Code::Stale,
            format!(
                "The record {id} stands at version {version}, not {base}. Compare both states, then repeat your change with If-Match: \"{version}\"."
            ),
        );
        let fields = &stored.definition.fields;
        let show = |version: i64, text: Option<&str>| {
            let state = parse_state(text).ok().flatten()?;
            Some(
                json!({ "version": version, "visibility": state.visibility, "document": shape::cut(fields, level, state.document) }),
            )
        };
        if let Some(current) = show(version, row.document.as_deref()) {
            error = error.with("current", current);
        }
        if let Ok(Some(text)) = store::document(&self.db, id, base).await
            && let Some(old) = show(base, Some(&text))
        {
            error = error.with("base", old);
        }
        match yours {
            Some(document) => error.with("yours", json!({ "document": shape::cut(fields, level, document) })),
            None => error,
        }
    }

    /// Names the records that hold a unique value, as far as the caller may see them.
    async fn name_owners(&self, caller: &Caller, error: Error) -> Error {
        let Some(Value::Array(owners)) = error.extra().get("records") else {
            return error;
        };
        let ids: Vec<String> = owners.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect();
        let sights = self.see(caller, &ids).await.unwrap_or_default();
        let seen: Vec<String> = sights.into_iter().map(|s| s.id).collect();
        error.with("records", seen)
    }
}

impl State<'_> {
    fn head(&self, type_name: &str, now: i64) -> Head {
        Head {
            id: self.id.to_owned(),
            type_name: type_name.to_owned(),
            version: self.version,
            state: LIVE,
            visibility: self.visibility,
            created_at: self.created_at,
            updated_at: now,
            source: self.source.clone(),
        }
    }

    /// What a reader would find now.
    fn row(&self, stored: &StoredType, now: i64) -> Result<Row> {
        let (source_blob, source_row) = self.source.clone().unzip();
        Ok(Row {
            id: self.id.to_owned(),
            type_name: stored.definition.name.clone(),
            version: self.version,
            state: LIVE.to_owned(),
            visibility: self.visibility.as_str().to_owned(),
            created_at: self.created_at,
            updated_at: now,
            source_blob,
            source_row,
            document: Some(state_text(&stored.definition.name, self.visibility, self.document)?),
            type_id: stored.id.clone(),
            type_version: stored.version,
            type_state: LIVE.to_owned(),
        })
    }
}

/// Checks an edited document and puts back what its editor could not see.
fn admit(
    definition: &RecordType,
    level: Level,
    before: Option<&Map<String, Value>>,
    edited: Map<String, Value>,
) -> Result<Map<String, Value>> {
    if level == Level::Restricted {
        let issues = validate::validate(definition, &edited);
        return if issues.is_empty() {
            Ok(edited)
        } else {
            Err(Error::invalid_fields(issues))
        };
    }
    let mut issues = validate::validate(&shape::cut_definition(definition, level), &edited);
    if !issues.is_empty() {
        return Err(Error::invalid_fields(issues));
    }
    let nothing = Map::new();
    let whole = shape::keep_hidden(
        &definition.fields,
        level,
        before.unwrap_or(&nothing),
        edited,
        "",
        &mut issues,
    );
    if !issues.is_empty() {
        return Err(Error::invalid_fields(issues));
    }
    if validate::validate(definition, &whole).is_empty() {
        Ok(whole)
    } else {
        Err(unseen_fields())
    }
}

fn unseen_fields() -> Error {
    Error::new(
        Code::Forbidden,
        "This record needs values in fields that you may not see. Ask somebody who may.",
    )
}

async fn check_links(tx: &mut Tx<'_>, rules: &Rules<'_>, links: &[(String, String)]) -> Result<()> {
    let ids: Vec<String> = links.iter().map(|(_, to)| to.clone()).collect();
    let live = store::live_types(tx, &ids).await?;
    let mut issues = Vec::new();
    for (field, to) in links {
        let wanted = rules.target(field);
        if live.get(to).map(|(kind, _)| kind.as_str()) != wanted {
            issues.push(no_target(field.clone(), to, wanted));
        }
    }
    if issues.is_empty() {
        Ok(())
    } else {
        Err(Error::invalid_fields(issues))
    }
}

pub(super) fn no_target(path: String, to: &str, wanted: Option<&str>) -> FieldIssue {
    let kind = wanted.map(|w| format!(" of the type \"{w}\"")).unwrap_or_default();
    FieldIssue {
        path,
        message: format!("leads to {to}, but there is no such record{kind}."),
    }
}

/// The error of values that other records hold; their ids go along for who may see them.
async fn taken(tx: &mut Tx<'_>, type_name: &str, wanted: &[Identifier]) -> Result<Error> {
    let mut issues = Vec::new();
    let mut owners: Vec<String> = Vec::new();
    for identifier in wanted {
        let found = store::owners(&mut *tx, type_name, &identifier.field, [identifier.value.as_str()]).await?;
        if let Some(owner) = found.into_values().find(|o| *o != identifier.record_id) {
            issues.push(clash(&identifier.field, &identifier.value));
            owners.push(owner);
        }
    }
    Ok(Error::invalid_fields(issues).with("records", owners))
}

pub(super) fn clash(field: &str, value: &str) -> FieldIssue {
    let value = crate::modules::records::model::shorten(value, 60);
    FieldIssue {
        path: field.to_owned(),
        message: format!("\"{value}\" belongs to another record; no two have the same."),
    }
}
