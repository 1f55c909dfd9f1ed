//! A field of a type that has records becomes its key or unique: the values that the records have are taken for them. First
//! in steps beside everybody's work, which change nothing that anybody sees; then, in the transaction that changes the type,
//! for the records that were written meanwhile. Steps can be repeated by anybody at any time: they only make right.

use std::collections::{BTreeSet, HashMap};
use std::sync::PoisonError;

use super::{Service, parse_state};
use crate::contract::records::RecordType;
use crate::kernel::db::{Tx, Write};
use crate::kernel::error::{Code, Error, FieldIssue, Result};
use crate::kernel::ledger::{self, Position};
use crate::modules::records::model::path::Leaf;
use crate::modules::records::model::{definition, path, shape, shorten};
use crate::modules::records::store::{self, Identifier, Row};

/// Records of one step; a type with no more needs no step before. And as many as may be left for the transaction that
/// changes the type.
const STEP: i64 = 300;
const MOST_LATE: i64 = 1_000;
/// Steps over what was changed meanwhile, before somebody has to wait.
const ROUNDS: usize = 5;
/// Values that are named when they stand in two records.
const NAMED: usize = 10;

/// A value that stands in two records.
struct Clash {
    field: String,
    value: String,
    /// What they are called, with their ids.
    both: [String; 2],
}

impl Service {
    /// Takes the values of the fields that this definition makes unique, as far as that can be done beforehand. `go_on` is
    /// asked between the steps.
    ///
    /// # Errors
    /// Values that stand in two records, by name; what `go_on` says.
    pub async fn identify(&self, wanted: &RecordType, go_on: &(dyn Fn() -> Result<()> + Send + Sync)) -> Result<()> {
        self.plant(wanted, go_on).await?;
        let Some(standing) = self.find_type(&wanted.name).await? else {
            return Ok(());
        };
        let fields = &definition::newly_identifying(&standing.definition, wanted);
        if fields.is_empty() || store::ids_after(&self.db, &wanted.name, "", STEP + 1).await?.len() as i64 <= STEP {
            return Ok(());
        }
        let mut since = ledger::settled(&self.db).await?;
        let mut clashes = self.take_all(wanted, fields, go_on).await?;
        for _ in 0..ROUNDS {
            if !clashes.is_empty() {
                break;
            }
            let next = ledger::settled(&self.db).await?;
            let late = store::ids_changed(&self.db, &wanted.name, since, MOST_LATE).await?;
            if late.len() as i64 == MOST_LATE {
                clashes = self.take_all(wanted, fields, go_on).await?;
            }
            for some in late.chunks(STEP as usize).filter(|_| (late.len() as i64) < MOST_LATE) {
                clashes.extend(self.take_step(wanted, fields, some).await?);
            }
            since = next;
            if (late.len() as i64) < STEP {
                break;
            }
        }
        refuse(clashes)?;
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        prepared.extend(fields.iter().map(|field| ((wanted.name.clone(), field.clone()), since)));
        Ok(())
    }

    async fn take_all(
        &self,
        wanted: &RecordType,
        fields: &[String],
        go_on: &(dyn Fn() -> Result<()> + Send + Sync),
    ) -> Result<Vec<Clash>> {
        let (mut after, mut clashes) = (String::new(), Vec::new());
        loop {
            go_on()?;
            let ids = store::ids_after(&self.db, &wanted.name, &after, STEP).await?;
            let Some(last) = ids.last() else { break };
            after.clone_from(last);
            clashes.extend(self.take_step(wanted, fields, &ids).await?);
            if clashes.len() > NAMED {
                break;
            }
        }
        Ok(clashes)
    }

    async fn take_step(&self, wanted: &RecordType, fields: &[String], ids: &[String]) -> Result<Vec<Clash>> {
        self.db
            .write(Write::bulk("types.identify"), |tx| {
                Box::pin(async move { take_values(tx, wanted, fields, ids).await })
            })
            .await
    }

    /// The last step, in the transaction that changes the type. From its start on nobody writes records under the old one.
    pub(super) async fn finish_identifying(
        &self,
        tx: &mut Tx<'_>,
        old: &RecordType,
        wanted: &RecordType,
    ) -> Result<()> {
        let fields = definition::newly_identifying(old, wanted);
        if fields.is_empty() {
            return Ok(());
        }
        let mut ids = store::ids_after(&mut *tx, &wanted.name, "", STEP + 1).await?;
        if ids.len() as i64 > STEP {
            let Some(since) = self.prepared_since(&wanted.name, &fields) else {
                let text = format!(
                    "\"{}\" has to be looked at in all records before it can be unique. Change the type by itself, or import \
                     with it as the key.",
                    fields.join("\", \"")
                );
                return Err(Error::new(Code::Conflict, text));
            };
            ids = late(tx, &wanted.name, since).await?;
        }
        refuse(take_values(tx, wanted, &fields, &ids).await?)
    }

    fn prepared_since(&self, name: &str, fields: &[String]) -> Option<Position> {
        let prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |field: &String| prepared.get(&(name.to_owned(), field.clone())).copied();
        fields.iter().map(of).collect::<Option<Vec<_>>>()?.into_iter().min()
    }
}

/// Makes the identifiers of live records under these fields what their documents say. Answers the values that stand in two
/// records; they stay with the one that has them.
async fn take_values(tx: &mut Tx<'_>, wanted: &RecordType, fields: &[String], ids: &[String]) -> Result<Vec<Clash>> {
    let name = &wanted.name;
    let mut leaves = path::identifying(wanted);
    leaves.retain(|leaf| fields.contains(&leaf.path));
    let mut rows = store::get_many(&mut *tx, ids).await?;
    rows.retain(|row| !row.deleted() && row.type_name == *name);
    rows.sort_by(|a, b| a.id.cmp(&b.id));
    store::drop_values(tx, name, fields, ids).await?;
    let (mut clashes, mut taken) = (Vec::new(), HashMap::new());
    for (index, row) in rows.iter().enumerate() {
        for pair in pairs(&leaves, row)? {
            match taken.get(&pair) {
                Some(first) => clashes.push(clash(wanted, pair, &rows[*first], row)?),
                None => {
                    taken.insert(pair, index);
                }
            }
        }
    }
    for field in fields {
        let values = taken
            .keys()
            .filter(|(f, _)| f == field)
            .map(|(_, value)| value.as_str());
        let owners = store::owners(&mut *tx, name, field, values.collect::<BTreeSet<_>>()).await?;
        let others: Vec<String> = owners.values().cloned().collect();
        for other in store::get_many(&mut *tx, &others)
            .await?
            .iter()
            .filter(|other| !other.deleted())
        {
            let has = pairs(&leaves, other)?;
            for (value, _) in owners.iter().filter(|(_, owner)| **owner == other.id) {
                let pair = (field.clone(), value.clone());
                if !has.contains(&pair) {
                    // It had the value when somebody looked before.
                    store::drop_values(tx, name, std::slice::from_ref(field), std::slice::from_ref(&other.id)).await?;
                } else if let Some(index) = taken.remove(&pair) {
                    clashes.push(clash(wanted, pair, other, &rows[index])?);
                }
            }
        }
    }
    let count = taken.len() as u64;
    let taken = taken.into_iter().map(|((field, value), index)| Identifier {
        field,
        value,
        record_id: rows[index].id.clone(),
    });
    if count > 0 && store::take_identifiers(tx, name, taken.collect()).await? < count {
        let text = "A record was given the same value at the same time. Try again.";
        return Err(Error::new(Code::Busy, text));
    }
    Ok(clashes)
}

fn pairs(leaves: &[Leaf<'_>], row: &Row) -> Result<Vec<(String, String)>> {
    let state = parse_state(row.document.as_deref())?;
    Ok(state
        .map(|state| path::pairs(leaves, &state.document))
        .unwrap_or_default())
}

fn clash(wanted: &RecordType, (field, value): (String, String), first: &Row, second: &Row) -> Result<Clash> {
    let called = |row: &Row| -> Result<String> {
        let state = parse_state(row.document.as_deref())?;
        let title = state
            .map(|state| shape::title(wanted, &state.document))
            .unwrap_or_default();
        Ok(format!("\"{}\" ({})", shorten(&title, 60), row.id))
    };
    let both = [called(first)?, called(second)?];
    Ok(Clash { field, value, both })
}

fn refuse(clashes: Vec<Clash>) -> Result<()> {
    if clashes.is_empty() {
        return Ok(());
    }
    let issue = |clash: Clash| {
        let [first, second] = clash.both;
        let value = shorten(&clash.value, 60);
        FieldIssue {
            path: clash.field,
            message: format!(
                "\"{value}\" stands in {first} and in {second}. No two records may have the same: change one of them, then try again."
            ),
        }
    };
    Err(Error::invalid_fields(
        clashes.into_iter().take(NAMED).map(issue).collect(),
    ))
}

/// The records of a type that were changed since, where they are few enough to be looked at within a transaction.
///
/// # Errors
/// `Busy` where they are many.
pub(super) async fn late(tx: &mut Tx<'_>, type_name: &str, since: Position) -> Result<Vec<String>> {
    let ids = store::ids_changed(tx, type_name, since, MOST_LATE + 1).await?;
    if ids.len() as i64 > MOST_LATE {
        let text = "Many records of the type are being changed at the same time. Try again when that has ended.";
        return Err(Error::new(Code::Busy, text));
    }
    Ok(ids)
}
