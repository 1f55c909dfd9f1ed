//! Moving a record with everything below it, which changes that one record only; and deleting one while what hangs below
//! it moves up, as one change.

use serde_json::{Map, Value};

use super::lock;
use crate::contract::records::RECORDS_WRITE;
use crate::kernel::access::{Level, Object};
use crate::kernel::db::Write;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::ledger::{Operation, Position};
use crate::modules::records::model::shape;
use crate::modules::records::model::tree::Tree;
use crate::modules::records::service::edit::State;
use crate::modules::records::service::{Because, Edit, Service, Written, parse_state};
use crate::modules::records::store;

/// Records that move up at once when the one above them is deleted.
const MOST: i64 = 1_000;

impl Service {
    /// Hangs a record that stands at version `base` below another one, or at the top.
    ///
    /// # Errors
    /// `Invalid` where it would hang below itself or the type is no tree; else as an edit.
    pub async fn move_to(&self, why: &Because<'_>, id: &str, base: i64, to: Option<&str>) -> Result<Written> {
        let seen = self.read(why.caller, id).await?;
        let definition = shape::cut_definition(&seen.stored_type.definition, seen.level);
        let field = definition.parent.ok_or_else(|| {
            Error::invalid(
                "to",
                format!("The records of \"{}\" do not hang below each other.", definition.name),
            )
        })?;
        let value = to.map_or(Value::Null, |to| Value::String(to.to_owned()));
        let change = Edit::Merge(Map::from_iter([(field, value)]));
        self.edit(why, id, base, &change, None).await
    }

    /// Deletes a live record that stands at version `base`; what hangs below it then hangs where it hung.
    ///
    /// # Errors
    /// `Forbidden` where a record below it may not be changed; `Conflict` where other records point at it.
    pub async fn delete_lifting(&self, why: &Because<'_>, id: &str, base: i64) -> Result<Position> {
        let row = &self.to_delete(why, id, base).await?;
        let outcome = self.db.write(Write::interactive("records.delete"), |tx| {
            Box::pin(async move {
                let stored = self.type_in(tx, &row.type_name).await?;
                let stored = stored.ok_or_else(|| Error::not_found("record", id))?;
                let definition = &stored.definition;
                let tree = Tree::of(definition).ok_or_else(|| Error::not_found("tree", &definition.name))?;
                lock(tx, &definition.name).await?;
                let set = why.open(tx, "record.delete").await?;
                let hanging = store::hanging(&mut *tx, &[id.to_owned()], MOST + 1).await?;
                if hanging.len() as i64 > MOST {
                    let text = format!("More than {MOST} records hang below this one. Move them first.");
                    return Err(Error::new(Code::Conflict, text));
                }
                let state = parse_state(row.document.as_deref())?;
                let above = state.and_then(|state| tree.parent_of(&state.document));
                let children: Vec<String> = hanging.into_iter().map(|(_, child)| child).collect();
                for child in store::get_many(&mut *tx, &children).await? {
                    let visibility = child.level()?;
                    let object = Object::Record {
                        id: &child.id,
                        type_name: &child.type_name,
                        visibility,
                    };
                    let level = self
                        .access
                        .level_in(&mut *tx, why.caller, RECORDS_WRITE, &object)
                        .await?;
                    if level.is_none_or(|level: Level| level < tree.parent.level) {
                        let text = "A record below this one is not yours to move. Ask somebody who may.";
                        return Err(Error::new(Code::Forbidden, text));
                    }
                    let before = parse_state(child.document.as_deref())?
                        .map(|s| s.document)
                        .unwrap_or_default();
                    let mut document = before.clone();
                    match &above {
                        Some(above) => document.insert(tree.parent.field.name.clone(), Value::String(above.clone())),
                        None => document.shift_remove(&tree.parent.field.name),
                    };
                    let state = State {
                        id: &child.id,
                        version: child.version + 1,
                        operation: Operation::Update,
                        visibility,
                        created_at: child.created_at,
                        source: child.source_blob.clone().zip(child.source_row),
                        document: &document,
                    };
                    self.put_state(tx, &set, definition, &state, Some(&before)).await?;
                }
                self.remove_one(tx, &set, row).await
            })
        });
        match outcome.await {
            Err(error) if error.code() == Code::Stale => Err(self.stale(why.caller, id, base, None).await),
            done => done,
        }
    }
}
