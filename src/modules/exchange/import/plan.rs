//! Before the first row: which type, which key, which fields; and the change set in which all of it happens.

use std::sync::Arc;

use serde_json::json;

use super::{Importer, Task, feed};
use crate::contract::records::{Field, FieldKind, RecordType, StoredType, TYPES_WRITE};
use crate::kernel::access::{Level, Object};
use crate::kernel::db::{Tx, Write};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::jobs::JobContext;
use crate::kernel::ledger::{self, NewSet};
use crate::modules::exchange::marks::RECORD_ID;
use crate::modules::exchange::model::Import;
use crate::modules::exchange::{shape, store};

/// A type to import into, before it is written.
struct Plan {
    definition: RecordType,
    /// It has to be written: it is new, or has new fields.
    changed: bool,
    new_type: bool,
    new_fields: Vec<String>,
}

impl Importer {
    /// An import that was begun before.
    pub(super) async fn resume(&self, context: JobContext, import: Import, set_id: String) -> Result<Task> {
        let name = &import.options.type_name;
        let stored = self.records.record_type(name).await?.ok_or_else(|| {
            Error::new(
                Code::Gone,
                format!("The type \"{name}\" was deleted while the import waited."),
            )
        })?;
        let key = import.options.key.clone().or_else(|| stored.definition.key.clone());
        let first = ledger::version(&self.kernel.db, &stored.id, 1).await?;
        Ok(Task {
            importer: self.clone(),
            context,
            import,
            stored,
            key,
            new_type: first.is_some_and(|version| version.set.id == set_id),
            new_fields: Vec::new(),
            set_id: Some(set_id),
            recast: None,
        })
    }

    /// A new import: finds the type, then opens the change set and writes the type in one transaction.
    pub(super) async fn prepare(&self, context: JobContext, import: Import) -> Result<Task> {
        let plan = self.plan(&context, &import).await?;
        let key = import.options.key.clone().or_else(|| plan.definition.key.clone());
        if let Some(key) = &key {
            check_key(&plan.definition, key)?;
        }
        if import.options.delete_missing && key.is_none() {
            let text = format!(
                "--delete-missing needs a key, else nobody can tell which records the file no longer has. The type \"{}\" has none.",
                plan.definition.name
            );
            return Err(Error::invalid("delete_missing", text));
        }
        if plan.changed {
            let object = Object::Type(&import.options.type_name);
            self.kernel
                .access
                .require(&context.caller, TYPES_WRITE, &object)
                .await?;
        }
        if plan.changed && !plan.new_type {
            self.records.identify(&plan.definition, &|| context.check()).await?;
        }
        let Plan {
            definition,
            changed,
            new_type,
            new_fields,
        } = plan;
        let (stored, set_id) = if import.options.dry_run {
            // Each batch of a dry run writes the type within its own transaction and drops it again.
            let stored = StoredType {
                id: String::new(),
                version: 0,
                definition,
            };
            (stored, None)
        } else {
            let (stored, set_id) = self.begin(&context, &import, &definition, changed).await?;
            (stored, Some(set_id))
        };
        let stored = Arc::new(stored);
        Ok(Task {
            importer: self.clone(),
            context,
            import,
            stored,
            key,
            new_type,
            new_fields,
            set_id,
            recast: None,
        })
    }

    async fn begin(
        &self,
        context: &JobContext,
        import: &Import,
        definition: &RecordType,
        changed: bool,
    ) -> Result<(StoredType, String)> {
        let known = self.records.record_type(&definition.name).await?;
        let (known, options) = (&known, serde_json::to_string(&import.options)?);
        let options = &options;
        self.kernel
            .db
            .write(Write::interactive("exchange.begin"), |tx| {
                Box::pin(async move {
                    let set_id = open_set(tx, context, import).await?;
                    let stored = match known {
                        Some(known) if !changed => StoredType::clone(known),
                        _ => self.records.put_type(tx, &set_id, definition).await?,
                    };
                    store::begin(tx, &context.id, &definition.name, &import.blob, options, Some(&set_id)).await?;
                    Ok((stored, set_id))
                })
            })
            .await
    }

    async fn plan(&self, context: &JobContext, import: &Import) -> Result<Plan> {
        let options = &import.options;
        let stored = self.records.record_type(&options.type_name).await?;
        let new_type = stored.is_none();
        let standing = stored
            .map(|stored| stored.definition.clone())
            .or_else(|| self.records.shipped_type(&options.type_name));
        if let (Some(visibility), Some(standing), false) = (options.visibility, &standing, new_type)
            && standing.visibility != visibility
        {
            let text = format!(
                "The type \"{}\" exists and its records are {}. An import does not change that; edit the type.",
                standing.name,
                standing.visibility.as_str()
            );
            return Err(Error::invalid("visibility", text));
        }
        let shipped = options
            .dina
            .as_ref()
            .and_then(|step| self.records.shipped_type(step.set.type_name()));
        if let Some(definition) = options.definition.as_deref().cloned().or(shipped) {
            return Ok(corrected(definition, standing, new_type));
        }
        if let (Some(standing), Some(mapping)) = (&standing, &options.mapping) {
            mapping.check(standing)?;
        }
        let mut plan = match (standing, options.infer) {
            (None, false) => return Err(self.unknown_type(&options.type_name).await?),
            (None, true) => {
                let definition = self.inferred(context, import, true).await?;
                Plan {
                    definition,
                    changed: true,
                    new_type,
                    new_fields: Vec::new(),
                }
            }
            (Some(standing), true) => {
                let inferred = self.inferred(context, import, new_type).await?;
                // A type that only ships is of no use to a file that has not what its records are known by.
                let known = |key: &String| inferred.fields.iter().any(|field| field.name == *key);
                let fits = !new_type || standing.key.as_ref().is_none_or(known);
                let (definition, new_fields) = if fits {
                    shape::merge(&standing, inferred)
                } else {
                    (inferred, Vec::new())
                };
                Plan {
                    definition,
                    changed: new_type || !new_fields.is_empty(),
                    new_type,
                    new_fields,
                }
            }
            (Some(definition), false) => {
                // A mapping names fields, not columns.
                if options.mapping.is_none() {
                    let object = Object::Type(&definition.name);
                    let level = self.kernel.access.level(&context.caller, &object).await?;
                    self.check_names(import, &definition, level.unwrap_or_default()).await?;
                }
                Plan {
                    definition,
                    changed: new_type,
                    new_type,
                    new_fields: Vec::new(),
                }
            }
        };
        if !new_type && let Some(key) = &options.key {
            plan.changed |= become_key(&mut plan.definition, key);
        }
        if new_type && let Some(visibility) = options.visibility {
            plan.definition.visibility = visibility;
        }
        Ok(plan)
    }

    async fn unknown_type(&self, name: &str) -> Result<Error> {
        let types = self.records.record_types().await?;
        let names = types.iter().map(|t| t.definition.name.as_str());
        let hint = nearest(name, names).map_or_else(String::new, |near| format!(" Did you mean \"{near}\"?"));
        Ok(Error::new(
            Code::Invalid,
            format!("There is no type \"{name}\".{hint} Add --infer to make one that fits the file."),
        ))
    }

    /// The type that fits the whole file.
    async fn inferred(&self, context: &JobContext, import: &Import, alone: bool) -> Result<RecordType> {
        let file = self.file(import, None).await?;
        let key = import.options.key.clone();
        let (records, name, cancel) = (
            self.records.clone(),
            import.options.type_name.clone(),
            context.cancel.clone(),
        );
        let (sender, mut at) = tokio::sync::watch::channel(0u64);
        let work = tokio::task::spawn_blocking(move || {
            let start = |cells: bool| records.infer(&name, if alone { key.as_deref() } else { None }, cells);
            feed::infer(file, start, |bytes| {
                sender.send_replace(bytes);
                !cancel.is_cancelled()
            })
        });
        let total = i64::try_from(import.bytes).ok();
        while at.changed().await.is_ok() {
            let bytes = i64::try_from(*at.borrow_and_update()).unwrap_or(i64::MAX);
            context.progress(bytes, total, "looking at the file").await?;
        }
        let inferred = work.await.map_err(Error::internal)?;
        context.check()?;
        inferred
    }

    /// Refuses columns that the type does not have, or that are hidden from whoever imports, all of them by name, before anything is written.
    async fn check_names(&self, import: &Import, definition: &RecordType, level: Level) -> Result<()> {
        let file = self.file(import, None).await?;
        let names = tokio::task::spawn_blocking(move || feed::names(file))
            .await
            .map_err(Error::internal)??;
        let seen = || definition.fields.iter().filter(|f| f.level <= level);
        let known = |name: &&String| *name == RECORD_ID || seen().any(|f| f.name == **name);
        let unknown: Vec<&String> = names.iter().filter(|name| !known(name)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let listed: Vec<String> = unknown
            .iter()
            .take(20)
            .map(|name| {
                let hint = nearest(name, seen().map(|f| f.name.as_str()));
                hint.map_or_else(
                    || format!("\"{name}\""),
                    |near| format!("\"{name}\" (did you mean \"{near}\"?)"),
                )
            })
            .collect();
        let more = unknown.len().saturating_sub(listed.len());
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        let text = format!(
            "{}: The type \"{}\" has no field {}{more}. Rename them in the file, or add --infer to add them to the type.",
            import.name,
            definition.name,
            listed.join(", ")
        );
        Err(Error::new(Code::Invalid, text))
    }
}

/// The plan for a type that somebody has corrected: a new one as it is, of an old one only the fields it lacks.
fn corrected(definition: RecordType, standing: Option<RecordType>, new_type: bool) -> Plan {
    let (definition, new_fields) = match standing {
        None => (definition, Vec::new()),
        Some(standing) => shape::merge(&standing, definition),
    };
    Plan {
        definition,
        changed: new_type || !new_fields.is_empty(),
        new_type,
        new_fields,
    }
}

/// Makes a field of a type that has no key the one by which rows are recognised, where it can be. Whether the records that
/// are there allow it is found out before the type is written.
fn become_key(definition: &mut RecordType, key: &str) -> bool {
    if definition.key.is_some() {
        return false;
    }
    let kinds = [
        FieldKind::Identifier,
        FieldKind::Text,
        FieldKind::Term,
        FieldKind::Integer,
        FieldKind::Url,
    ];
    let field = definition.fields.iter_mut().find(|field| field.name == key);
    let Some(field) = field.filter(|f| !f.unique && !f.repeated && kinds.contains(&f.kind)) else {
        return false;
    };
    field.unique = true;
    definition.key = Some(key.to_owned());
    true
}

/// Opens the change set of an import.
pub(super) async fn open_set(tx: &mut Tx<'_>, context: &JobContext, import: &Import) -> Result<String> {
    let actor = context.caller.actor();
    let new = NewSet {
        kind: "import",
        actor: &actor,
        reason: &import.options.reason,
        origin: json!({ "channel": "job", "job": context.id, "file": import.name, "blob": import.blob }),
    };
    ledger::open_set(tx, &new).await
}

fn check_key(definition: &RecordType, key: &str) -> Result<()> {
    let plain = |field: &&Field| field.name == key && field.kind != FieldKind::Group && !field.repeated;
    let found = definition.fields.iter().find(plain);
    let usable = found.is_some_and(|f| f.unique || definition.key.as_deref() == Some(key));
    if usable {
        return Ok(());
    }
    let name = &definition.name;
    if found.is_some() {
        let text = format!(
            "\"{key}\" is not the key of the type \"{name}\" and not unique in it, so it cannot tell records apart. {}",
            definition
                .key
                .as_ref()
                .map_or_else(String::new, |key| format!("The key is \"{key}\"."))
        );
        return Err(Error::invalid("key", text));
    }
    let hint = nearest(key, definition.fields.iter().map(|f| f.name.as_str()));
    let hint = hint.map_or_else(String::new, |near| format!(" Did you mean \"{near}\"?"));
    Err(Error::invalid(
        "key",
        format!("Neither the file nor the type \"{name}\" has a field \"{key}\".{hint}"),
    ))
}

fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let far = |candidate: &str| strsim::damerau_levenshtein(&word.to_lowercase(), &candidate.to_lowercase());
    let most = 1 + word.chars().count() / 4;
    candidates
        .map(|c| (far(c), c))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, c)| c)
}
