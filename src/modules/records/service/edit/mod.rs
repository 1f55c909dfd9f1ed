//! Writing one record: create, replace, merge, delete, restore. Each is one transaction with its change set, based on a
//! version that the caller names; a stale one gets both states.

mod admit;
mod remove;
mod state;
mod together;

use std::sync::Arc;

use serde_json::{Map, Value};

pub(super) use self::admit::admit;
pub(super) use self::state::{State, clash, no_target};
pub use self::together::Together;
use super::read::{Seen, seen};
use super::{Because, Service, parse_state, shipped};
use crate::contract::records::{RECORDS_READ, RECORDS_WRITE, RecordType};
use crate::kernel::access::{Level, Object};
use crate::kernel::db::{Tx, Write};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::id::new_id;
use crate::kernel::ledger::{Operation, Position};
use crate::modules::records::model::{patch, shape};

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

/// A record that may be made.
struct Ready {
    id: String,
    visibility: Level,
    /// What its maker sees of it.
    level: Level,
    /// Its type, where that is stored when it is first put to use.
    shipped: Option<&'static RecordType>,
}

impl Service {
    /// Makes a record.
    pub async fn create(&self, why: &Because<'_>, new: &NewRecord) -> Result<Written> {
        let ready = &self.prepare(why, new, &[]).await?;
        let outcome = self.db.write(Write::interactive("records.create"), |tx| {
            Box::pin(async move {
                let set = why.open(tx, "record.create").await?;
                self.make(tx, &set, new, ready).await
            })
        });
        match outcome.await {
            Err(error) => Err(self.name_owners(why.caller, error).await),
            done => done,
        }
    }

    /// Whether the caller may make it, and what that needs to know. `own`: records that are made along with it.
    async fn prepare(&self, why: &Because<'_>, new: &NewRecord, own: &[String]) -> Result<Ready> {
        let known = self.find_type(&new.type_name).await?;
        let shipped = shipped().iter().find(|t| t.name == new.type_name);
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
        // Nobody makes what they would not see.
        self.access.require(why.caller, RECORDS_READ, &object).await?;
        let of_type = Object::Type(&new.type_name);
        self.access.require(why.caller, RECORDS_WRITE, &of_type).await?;
        let level = self.access.level(why.caller, &object).await?.unwrap_or_default();
        if let Some(stored) = &known {
            self.check_targets(why.caller, &stored.definition, &new.document, own)
                .await?;
        }
        Ok(Ready {
            id,
            visibility,
            level,
            shipped,
        })
    }

    /// Makes it, as part of a change set.
    async fn make(&self, tx: &mut Tx<'_>, set: &str, new: &NewRecord, ready: &Ready) -> Result<Written> {
        let stored = match (self.type_in(tx, &new.type_name).await?, ready.shipped) {
            (Some(stored), _) => stored,
            (None, Some(shipped)) => Arc::new(self.put_type_in(tx, set, shipped).await?.stored),
            (None, None) => return Err(Error::not_found("type", &new.type_name)),
        };
        let definition = &stored.definition;
        let given = self.give_numbers(tx, definition, ready.level, &new.document).await?;
        let document = admit(definition, ready.level, Some(&given.hidden), &given.document)?;
        let now = tx.now();
        let state = State {
            id: &ready.id,
            version: 1,
            operation: Operation::Create,
            visibility: ready.visibility,
            created_at: now,
            source: None,
            document: &document,
        };
        let position = self.put_state(tx, set, definition, &state, None).await?;
        let row = state.row(&stored, now)?;
        Ok(Written {
            seen: seen(row, stored, ready.level)?,
            position: Some(position),
        })
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
        self.check_targets(why.caller, &stored.definition, &edited, &[]).await?;
        let (row, before, edited) = (&row, &before, &edited);
        let outcome = self.db.write(Write::interactive("records.edit"), |tx| {
            Box::pin(async move {
                let stored = self
                    .type_in(tx, &row.type_name)
                    .await?
                    .ok_or_else(|| Error::not_found("record", id))?;
                let definition = &stored.definition;
                let document = admit(definition, level, Some(before), edited)?;
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

    async fn unknown_type(&self, name: &str) -> Error {
        match self.need_type(name).await {
            Err(error) => Error::invalid("type", error.detail()),
            Ok(_) => Error::new(Code::Busy, "The type was made just now. Try again."),
        }
    }
}
