//! Records deleted and brought back. A deletion empties nothing: the states stay in the ledger.

use serde_json::json;

use super::Written;
use super::admit::unseen_fields;
use super::state::State;
use crate::contract::records::RECORDS_DELETE;
use crate::kernel::access::{Caller, Level, Object};
use crate::kernel::db::{Tx, Write};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::ledger::{self, NewVersion, Operation, Position};
use crate::modules::records::model::validate;
use crate::modules::records::service::read::seen;
use crate::modules::records::service::{Because, Service, parse_state, trees};
use crate::modules::records::store::{self, DELETED, Head, Row};

/// Records that stand in the way of a deletion and are named.
const BLOCKERS: i64 = 25;

impl Service {
    /// Deletes a live record that stands at version `base`. Its states stay in the ledger.
    pub async fn delete(&self, why: &Because<'_>, id: &str, base: i64) -> Result<Position> {
        let row = &self.to_delete(why, id, base).await?;
        let outcome = self.db.write(Write::interactive("records.delete"), |tx| {
            Box::pin(async move {
                let set = why.open(tx, "record.delete").await?;
                self.remove_one(tx, &set, row).await
            })
        });
        match outcome.await {
            Err(error) if error.code() == Code::Stale => Err(self.stale(why.caller, id, base, None).await),
            Err(error) => Err(self.name_blockers(why.caller, id, error).await),
            done => done,
        }
    }

    /// A live record that stands at version `base` and that the caller may delete.
    pub(in super::super) async fn to_delete(&self, why: &Because<'_>, id: &str, base: i64) -> Result<Row> {
        let (row, _, _) = self.look_live(why.caller, id).await?;
        self.may_delete(why.caller, &row).await?;
        if row.version != base {
            return Err(self.stale(why.caller, id, base, None).await);
        }
        Ok(row)
    }

    /// Whether the caller may delete this record and bring it back. Answers its level.
    async fn may_delete(&self, caller: &Caller, row: &Row) -> Result<Level> {
        let visibility = row.level()?;
        let object = Object::Record {
            id: &row.id,
            type_name: &row.type_name,
            visibility,
        };
        self.access.require(caller, RECORDS_DELETE, &object).await?;
        Ok(visibility)
    }

    /// Deletes a record that nothing points at.
    pub(in super::super) async fn remove_one(&self, tx: &mut Tx<'_>, set: &str, row: &Row) -> Result<Position> {
        let links = store::count_links_to(&mut *tx, &row.id).await?;
        if links > 0 {
            let text = format!("{links} other records point at this one. Take it out of them first.");
            return Err(Error::new(Code::Conflict, text));
        }
        let positions = self.remove(tx, set, vec![row.clone()]).await?;
        positions.ok_or_else(|| Error::new(Code::Stale, String::new()))
    }

    /// Names the first records that stand in the way of a deletion, as far as the caller may see them.
    async fn name_blockers(&self, caller: &Caller, id: &str, error: Error) -> Error {
        if error.code() != Code::Conflict {
            return error;
        }
        let found = self.linked_from(caller, id, None, BLOCKERS).await.unwrap_or_default();
        let named: Vec<_> = found
            .iter()
            .map(|(seen, field)| json!({ "id": seen.record.id, "title": seen.title(), "field": field }))
            .collect();
        error.with("blockers", named)
    }

    /// Brings a deleted record back as it was. `base` is the version of its deletion, where the caller names it.
    pub async fn restore(&self, why: &Because<'_>, id: &str, base: Option<i64>) -> Result<Written> {
        let (row, _, level) = self.look(why.caller, id).await?;
        let visibility = self.may_delete(why.caller, &row).await?;
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

    /// Deletes records at the versions of these rows. `None` when somebody was faster.
    pub(in super::super) async fn remove(
        &self,
        tx: &mut Tx<'_>,
        set: &str,
        rows: Vec<Row>,
    ) -> Result<Option<Position>> {
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
        store::drop_nodes(tx, &ids).await?;
        // Whoever hung something below one of them held it until that was done.
        let hanging = store::hanging(&mut *tx, &ids, 1).await?;
        if !hanging.is_empty() {
            let text = "Other records hang below this one. Move them first, or delete them.";
            return Err(Error::new(Code::Conflict, text));
        }
        ledger::append(tx, set, versions).await.map(Some)
    }

    /// Deletes those of these records that are live.
    pub(in super::super) async fn delete_in(&self, tx: &mut Tx<'_>, set: &str, ids: &[String]) -> Result<i64> {
        let mut rows = store::get_many(&mut *tx, ids).await?;
        rows.retain(|r| !r.deleted());
        // What something else still hangs below stays.
        let rows = trees::without_parents(tx, rows).await?;
        let count = rows.len() as i64;
        if count > 0 && self.remove(tx, set, rows).await?.is_none() {
            return Err(Error::new(
                Code::Busy,
                "A record was changed while it was to be deleted. Try again.",
            ));
        }
        Ok(count)
    }
}
