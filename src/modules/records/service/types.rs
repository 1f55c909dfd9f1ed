//! Types: kept in the ledger, cached by version. A write reads where its type stands inside its transaction, so that
//! nothing is ever checked against an old definition.

use std::sync::{Arc, PoisonError};

use super::sets::shipped;
use super::{Because, Service};
use crate::contract::records::{BEING_DELETED, RecordType, StoredType, TYPES_WRITE};
use crate::kernel::access::{Caller, Level, Object};
use crate::kernel::db::{Tx, Write};
use crate::kernel::error::{Code, Error, FieldIssue, Result};
use crate::kernel::id::new_id;
use crate::kernel::ledger::{self, NewVersion, Operation, Position};
use crate::modules::records::model::{definition, hint, path, shape};
use crate::modules::records::store::{self, DELETED, LIVE, REMOVING, TypeHead};

/// What becomes of the values of records when their type changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Values {
    /// They stay as they are, so the new definition has to hold them.
    Stay,
    /// They are moved by the change that this is a part of.
    Move,
}

/// A change of a type, done.
#[derive(Clone, Debug)]
pub struct TypeWritten {
    pub stored: StoredType,
    /// `None` when nothing changed.
    pub position: Option<Position>,
}

impl Service {
    /// A type by name, if it is in use.
    pub async fn find_type(&self, name: &str) -> Result<Option<Arc<StoredType>>> {
        match store::type_head(&self.db, name).await? {
            Some(head) => self.type_at(&head).await,
            None => Ok(None),
        }
    }

    /// A type by name, or the error that names the nearest.
    pub async fn need_type(&self, name: &str) -> Result<Arc<StoredType>> {
        if let Some(found) = self.find_type(name).await? {
            return Ok(found);
        }
        let heads = store::type_heads(&self.db).await?;
        let hint = hint(name, heads.iter().map(|h| h.name.as_str()));
        Err(Error::new(
            Code::NotFound,
            format!("There is no type \"{name}\".{hint} GET /api/types lists them."),
        ))
    }

    /// Every type in use, by name.
    pub async fn all_types(&self) -> Result<Vec<Arc<StoredType>>> {
        let read = async {
            let mut types = Vec::new();
            for head in store::type_heads(&self.db).await? {
                types.extend(self.type_at(&head).await?);
            }
            Ok(types)
        };
        Ok(self.in_use.get(read).await?.to_vec())
    }

    fn cached(&self, head: &TypeHead) -> Option<Arc<StoredType>> {
        let types = self.types.lock().unwrap_or_else(PoisonError::into_inner);
        types.get(&head.id).filter(|t| t.version == head.version).cloned()
    }

    /// The definition where a committed head stands; `None` for a deleted type.
    pub(super) async fn type_at(&self, head: &TypeHead) -> Result<Option<Arc<StoredType>>> {
        if head.state != LIVE {
            return Ok(None);
        }
        if let Some(found) = self.cached(head) {
            return Ok(Some(found));
        }
        let text = store::document(&self.db, &head.id, head.version).await?;
        let stored = Arc::new(parse(head, text)?);
        let mut types = self.types.lock().unwrap_or_else(PoisonError::into_inner);
        types.insert(head.id.clone(), stored.clone());
        Ok(Some(stored))
    }

    /// The definition as it stands in a transaction, which keeps it from changing until its end.
    pub(super) async fn type_in(&self, tx: &mut Tx<'_>, name: &str) -> Result<Option<Arc<StoredType>>> {
        let Some(head) = store::type_head_held(tx, name).await?.filter(|h| h.state == LIVE) else {
            return Ok(None);
        };
        if let Some(found) = self.cached(&head) {
            return Ok(Some(found));
        }
        // Not cached: what a transaction sees may still be rolled back.
        let text = store::document(&mut *tx, &head.id, head.version).await?;
        Ok(Some(Arc::new(parse(&head, text)?)))
    }

    /// Makes a type or changes it, as part of a change set.
    pub(super) async fn put_type_in(
        &self,
        tx: &mut Tx<'_>,
        set_id: &str,
        definition: &RecordType,
    ) -> Result<TypeWritten> {
        self.put_type_as(tx, set_id, definition, Values::Stay).await
    }

    /// As [`Service::put_type_in`]; whoever moves the values of its records answers for them.
    pub(super) async fn put_type_as(
        &self,
        tx: &mut Tx<'_>,
        set_id: &str,
        definition: &RecordType,
        values: Values,
    ) -> Result<TypeWritten> {
        self.bring_targets(tx, set_id, definition).await?;
        self.check_definition(tx, definition).await?;
        tx.lock(&format!("records.type/{}", definition.name)).await?;
        let now = tx.now();
        let standing = store::type_head(&mut *tx, &definition.name).await?;
        let old = self.type_in(tx, &definition.name).await?;
        if let Some(old) = old.as_ref().filter(|o| o.definition == *definition) {
            return Ok(TypeWritten {
                stored: StoredType::clone(old),
                position: None,
            });
        }
        let (head, operation) = match standing {
            None => {
                let head = TypeHead {
                    name: definition.name.clone(),
                    id: new_id(),
                    version: 1,
                    state: LIVE.to_owned(),
                };
                (head, Operation::Create)
            }
            Some(before) if before.state == REMOVING => {
                let text = format!(
                    "The collection \"{}\" is just being deleted. Wait until that job has ended, or take another name.",
                    definition.name
                );
                return Err(Error::new(Code::Conflict, text).with(BEING_DELETED, true));
            }
            Some(before) => {
                let operation = if before.state == LIVE {
                    Operation::Update
                } else {
                    Operation::Restore
                };
                (
                    TypeHead {
                        version: before.version + 1,
                        state: LIVE.to_owned(),
                        ..before
                    },
                    operation,
                )
            }
        };
        let written = match operation {
            Operation::Create => store::insert_type(tx, &head, now).await?,
            _ => store::advance_type(tx, &head, now).await?,
        };
        if written == 0 {
            return Err(Error::new(
                Code::Stale,
                format!("The type \"{}\" was changed in the meantime.", head.name),
            ));
        }
        // Only now: from here on nobody adds records under the old definition.
        if let Some(old) = old.filter(|_| values == Values::Stay)
            && store::has_records(&mut *tx, &head.name, true).await?
        {
            let issues = definition::check_change(&old.definition, definition);
            if !issues.is_empty() {
                return Err(Error::invalid_fields(issues));
            }
            self.finish_identifying(tx, &old.definition, definition).await?;
            self.finish_planting(tx, &old.definition, definition).await?;
        }
        let document = Some(serde_json::to_string(definition)?);
        let position = self.append_type(tx, set_id, &head, operation, document).await?;
        let stored = StoredType {
            id: head.id,
            version: head.version,
            definition: definition.clone(),
        };
        Ok(TypeWritten {
            stored,
            position: Some(position),
        })
    }

    /// A type that comes with the program brings those along that its links lead to.
    async fn bring_targets(&self, tx: &mut Tx<'_>, set_id: &str, definition: &RecordType) -> Result<()> {
        let ships = |name: &str| shipped().iter().find(|shipped| shipped.name == name);
        if ships(&definition.name).is_none() {
            return Ok(());
        }
        for leaf in path::linking(definition) {
            let target = leaf.field.target.as_deref().unwrap_or_default();
            let Some(other) = ships(target).filter(|_| target != definition.name) else {
                continue;
            };
            if store::type_head(&mut *tx, target).await?.is_none() {
                Box::pin(self.put_type_in(tx, set_id, other)).await?;
            }
        }
        Ok(())
    }

    async fn check_definition(&self, tx: &mut Tx<'_>, definition: &RecordType) -> Result<()> {
        let mut issues = definition::check(definition);
        for leaf in path::linking(definition) {
            let target = leaf.field.target.as_deref().unwrap_or_default();
            let known = target == definition.name
                || store::type_head(&mut *tx, target)
                    .await?
                    .is_some_and(|h| h.state == LIVE);
            if !known {
                let message = format!("leads to the type \"{target}\", which does not exist. Make that type first.");
                issues.push(FieldIssue {
                    path: leaf.path,
                    message,
                });
            }
        }
        if issues.is_empty() {
            Ok(())
        } else {
            Err(Error::invalid_fields(issues))
        }
    }

    pub(super) async fn append_type(
        &self,
        tx: &mut Tx<'_>,
        set_id: &str,
        head: &TypeHead,
        operation: Operation,
        document: Option<String>,
    ) -> Result<Position> {
        let version = NewVersion {
            entity: head.id.clone(),
            version: head.version,
            kind: ledger::TYPE,
            operation,
            document,
        };
        ledger::append(tx, set_id, vec![version]).await
    }

    /// Makes a type.
    pub async fn create_type(&self, why: &Because<'_>, definition: &RecordType) -> Result<TypeWritten> {
        self.access
            .require(why.caller, TYPES_WRITE, &Object::Type(&definition.name))
            .await?;
        let outcome = self.db.write(Write::interactive("types.create"), |tx| {
            Box::pin(async move {
                if store::type_head(&mut *tx, &definition.name)
                    .await?
                    .is_some_and(|h| h.state == LIVE)
                {
                    return Err(Error::new(
                        Code::Conflict,
                        format!(
                            "The type \"{}\" exists already. PUT /api/types/{0} changes it.",
                            definition.name
                        ),
                    ));
                }
                let set = why.open(tx, "type.create").await?;
                self.put_type_in(tx, &set, definition).await
            })
        });
        outcome.await
    }

    /// Changes a type that stands at version `base`.
    pub async fn replace_type(
        &self,
        why: &Because<'_>,
        name: &str,
        base: i64,
        definition: &RecordType,
    ) -> Result<TypeWritten> {
        let standing = self.need_type(name).await?;
        self.require_whole(why.caller, name).await?;
        if definition.name != name {
            return Err(Error::invalid(
                "name",
                format!("is \"{name}\" and cannot change; make a new type for another name."),
            ));
        }
        if standing.version != base {
            return Err(stale_type(&standing, base));
        }
        self.identify(definition, &|| Ok(())).await?;
        let outcome = self.db.write(Write::interactive("types.replace"), |tx| {
            Box::pin(async move {
                let held = store::type_head(&mut *tx, name).await?;
                if held.is_none_or(|h| h.version != base) {
                    return Err(Error::new(Code::Stale, String::new()));
                }
                let set = why.open(tx, "type.edit").await?;
                self.put_type_in(tx, &set, definition).await
            })
        });
        match outcome.await {
            Err(error) if error.code() == Code::Stale => Err(stale_type(&*self.need_type(name).await?, base)),
            other => other,
        }
    }

    /// Deletes a type that has no live records.
    pub async fn delete_type(&self, why: &Because<'_>, name: &str, base: i64) -> Result<Position> {
        let standing = self.need_type(name).await?;
        self.require_whole(why.caller, name).await?;
        if standing.version != base {
            return Err(stale_type(&standing, base));
        }
        let outcome = self.db.write(Write::interactive("types.delete"), |tx| {
            let id = standing.id.clone();
            Box::pin(async move {
                let head = TypeHead { name: name.to_owned(), id, version: base + 1, state: DELETED.to_owned() };
                let now = tx.now();
                if store::advance_type(tx, &head, now).await? == 0 {
                    return Err(Error::new(Code::Stale, String::new()));
                }
                if store::has_records(&mut *tx, name, false).await? {
                    return Err(Error::new(
                        Code::Conflict,
                        format!("The type \"{name}\" still has records. Delete them first; a type is deleted only when it is empty."),
                    ));
                }
                self.end_grants(tx, why.caller, name).await?;
                let set = why.open(tx, "type.delete").await?;
                self.append_type(tx, &set, &head, Operation::Delete, None).await
            })
        });
        match outcome.await {
            Err(error) if error.code() == Code::Stale => Err(stale_type(&*self.need_type(name).await?, base)),
            other => other,
        }
    }

    /// A definition is changed as a whole, so its editor has to see all of it.
    pub async fn require_whole(&self, caller: &Caller, name: &str) -> Result<()> {
        self.access.require(caller, TYPES_WRITE, &Object::Type(name)).await?;
        if self.access.level(caller, &Object::Type(name)).await? == Some(Level::Restricted) {
            return Ok(());
        }
        Err(Error::new(
            Code::Forbidden,
            format!("The type \"{name}\" can be changed only by somebody who may see all of its fields."),
        ))
    }

    /// The definition as the caller may see it.
    pub async fn shown_type(&self, caller: &Caller, stored: &StoredType) -> Result<Option<RecordType>> {
        let level = self
            .access
            .level(caller, &Object::Type(&stored.definition.name))
            .await?;
        Ok(level.map(|level| shape::cut_definition(&stored.definition, level)))
    }
}

pub(super) fn stale_type(standing: &StoredType, base: i64) -> Error {
    let name = &standing.definition.name;
    let error = Error::new(
        Code::Stale,
        format!(
            "The type \"{name}\" stands at version {}, not {base}. Read it again and repeat your change.",
            standing.version
        ),
    );
    match serde_json::to_value(&standing.definition) {
        Ok(current) => error.with("current", current).with("version", standing.version),
        Err(_) => error,
    }
}

fn parse(head: &TypeHead, text: Option<String>) -> Result<StoredType> {
    let text = text.ok_or_else(|| {
        Error::internal(anyhow::anyhow!(
            "the type {} has no text at version {}",
            head.name,
            head.version
        ))
    })?;
    Ok(StoredType {
        id: head.id.clone(),
        version: head.version,
        definition: serde_json::from_str(&text)?,
    })
}
