//! A batch of an import within the caller's transaction: everything is looked up in bulk, compared in memory and written
//! in a handful of statements. A refused row never stops the others.

mod linked;
mod numbers;
mod ranks;
mod sight;
mod work;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use self::work::{Work, plan};
use super::edit::{clash, no_target};
use super::{Rules, Service, parse_state};
use crate::contract::records::{ImportBatch, Pass, RecordType, RowOutcome};
use crate::kernel::access::Level;
use crate::kernel::db::Tx;
use crate::kernel::error::{Code, Error, FieldIssue, Result};
use crate::kernel::id::is_id;
use crate::kernel::ledger::Position;
use crate::modules::records::model::{patch, settle, shape, shorten, validate};
use crate::modules::records::store::{self, Row};

/// A row that passed its checks so far.
struct Slot<'a> {
    /// Its place in the batch.
    index: usize,
    row: i64,
    /// With the numbers that its record has or is given.
    document: Cow<'a, Map<String, Value>>,
    identifiers: Vec<(String, String)>,
    links: Vec<(String, String)>,
    key: Option<String>,
    /// The id the file names for it.
    asked: Option<&'a str>,
    /// The record it is, when there is one.
    found: Option<usize>,
}

/// What the database knows about the rows of a batch.
#[derive(Default)]
struct Known {
    rows: Vec<Row>,
    by_id: HashMap<String, usize>,
    by_key: HashMap<String, usize>,
    by_row: HashMap<i64, usize>,
}

fn issue(path: &str, message: impl Into<String>) -> RowOutcome {
    RowOutcome::Refused(vec![FieldIssue {
        path: path.to_owned(),
        message: message.into(),
    }])
}

impl Service {
    pub(super) async fn import_in(
        &self,
        tx: &mut Tx<'_>,
        batch: &ImportBatch,
    ) -> Result<(Vec<RowOutcome>, Option<Position>)> {
        let name = &batch.stored_type.definition.name;
        // The batch may know an older definition: what counts is where the type stands in this transaction.
        let stored = self.type_in(tx, name).await?.ok_or_else(|| {
            // Not a conflict, which would be tried again and make the type anew.
            Error::new(
                Code::Gone,
                format!("The type \"{name}\" was deleted while the import was running."),
            )
        })?;
        let definition = &stored.definition;
        let batch = &*settled(definition, batch);
        let rules = Rules::of(definition);
        if let Some(key) = &batch.key
            && !rules.identifying.iter().any(|l| l.path == *key)
        {
            return Err(Error::new(
                Code::Invalid,
                format!(
                    "\"{key}\" is not the key of the type \"{name}\" and not unique, so it cannot recognise records."
                ),
            ));
        }
        let mut outcomes = vec![RowOutcome::Unchanged; batch.rows.len()];
        let Some(linked) = self.link(tx, definition, batch, &mut outcomes).await? else {
            return self.import_linked(tx, definition, &rules, batch).await;
        };
        let (of_linked, position) = self.import_linked(tx, definition, &rules, &linked.batch).await?;
        linked.note(of_linked, &mut outcomes);
        if matches!(batch.pass, Pass::Second) {
            for outcome in &mut outcomes {
                if let RowOutcome::Refused(issues) = outcome {
                    *outcome = linked::without_links(std::mem::take(issues));
                }
            }
        }
        Ok((outcomes, position))
    }

    /// Imports rows whose links are ids.
    async fn import_linked(
        &self,
        tx: &mut Tx<'_>,
        definition: &RecordType,
        rules: &Rules<'_>,
        batch: &ImportBatch,
    ) -> Result<(Vec<RowOutcome>, Option<Position>)> {
        if batch.level == Level::Restricted {
            return self.import_whole(tx, definition, rules, batch).await;
        }
        let mut outcomes = vec![RowOutcome::Unchanged; batch.rows.len()];
        let seen = self.complete(tx, definition, rules, batch, &mut outcomes).await?;
        let (of_seen, position) = self.import_whole(tx, definition, rules, &seen.batch).await?;
        for (place, outcome) in seen.places.into_iter().zip(of_seen) {
            outcomes[place] = outcome;
        }
        Ok((outcomes, position))
    }

    /// Imports rows that say all of their records.
    async fn import_whole(
        &self,
        tx: &mut Tx<'_>,
        definition: &RecordType,
        rules: &Rules<'_>,
        batch: &ImportBatch,
    ) -> Result<(Vec<RowOutcome>, Option<Position>)> {
        let name = &definition.name;
        let mut outcomes = vec![RowOutcome::Unchanged; batch.rows.len()];
        let mut slots = check_rows(definition, rules, batch, &mut outcomes);
        let known = self.know(tx, name, batch, &slots).await?;
        recognise(batch, name, &known, &mut slots, &mut outcomes);
        let mut work = Work::default();
        self.number_rows(tx, definition, rules, &known, &mut slots, &mut outcomes)
            .await?;
        changed(&known, &mut slots, &mut outcomes)?;
        self.refuse_others(tx, batch, &known, &mut slots, &mut outcomes).await?;
        refuse_clashes(tx, batch, rules, &known, &mut slots, &mut outcomes).await?;
        refuse_links(tx, rules, &mut slots, &mut outcomes).await?;
        linked::refuse_circles(tx, definition, &known, &mut slots, &mut outcomes).await?;
        ranks::refuse(tx, definition, &known, &mut slots, &mut outcomes).await?;
        for slot in &slots {
            outcomes[slot.index] = plan(tx.now(), definition, rules, batch, &known, slot, &mut work)?;
        }
        let position = work.write(tx, name, &batch.set_id).await?;
        Ok((outcomes, position))
    }

    /// Everything the batch may be about, in at most three statements.
    async fn know(&self, tx: &mut Tx<'_>, name: &str, batch: &ImportBatch, slots: &[Slot<'_>]) -> Result<Known> {
        let mut known = Known::default();
        let mut ids: HashSet<String> = slots.iter().filter_map(|s| s.asked.map(str::to_owned)).collect();
        let mut owners = HashMap::new();
        if let Some(field) = &batch.key {
            let keys: HashSet<&str> = slots.iter().filter_map(|s| s.key.as_deref()).collect();
            if !keys.is_empty() {
                owners = store::owners(&mut *tx, name, field, keys).await?;
            }
            ids.extend(owners.values().cloned());
        } else {
            let rows: Vec<i64> = slots.iter().map(|s| s.row).collect();
            known.rows = store::from_source(&mut *tx, name, &batch.source_blob, &rows).await?;
            ids.retain(|id| !known.rows.iter().any(|row| row.id == *id));
        }
        let ids: Vec<String> = ids.into_iter().collect();
        known.rows.append(&mut store::get_many(&mut *tx, &ids).await?);
        for (index, row) in known.rows.iter().enumerate() {
            known.by_id.insert(row.id.clone(), index);
            if row.source_blob.as_deref() == Some(&batch.source_blob)
                && let Some(number) = row.source_row
            {
                known.by_row.insert(number, index);
            }
        }
        for (value, id) in owners {
            if let Some(index) = known.by_id.get(&id) {
                known.by_key.insert(value, *index);
            }
        }
        Ok(known)
    }
}

/// The batch with its values in the form in which they are stored.
fn settled<'a>(definition: &RecordType, batch: &'a ImportBatch) -> Cow<'a, ImportBatch> {
    let visible = shape::cut_definition(definition, batch.level);
    let mut settled = Cow::Borrowed(batch);
    for (at, row) in batch.rows.iter().enumerate() {
        if let Cow::Owned(document) = settle::settled(&visible.fields, &row.document) {
            settled.to_mut().rows[at].document = document;
        }
    }
    settled
}

/// Validates each row by itself and refuses keys that stand twice in the batch.
fn check_rows<'a>(
    definition: &RecordType,
    rules: &Rules<'_>,
    batch: &'a ImportBatch,
    outcomes: &mut [RowOutcome],
) -> Vec<Slot<'a>> {
    let mut slots = Vec::with_capacity(batch.rows.len());
    let mut seen: HashMap<(String, String), i64> = HashMap::new();
    let mut ids: HashMap<&str, i64> = HashMap::new();
    for (index, row) in batch.rows.iter().enumerate() {
        let issues = validate::validate(definition, &row.document);
        if !issues.is_empty() {
            outcomes[index] = RowOutcome::Refused(issues);
            continue;
        }
        let identifiers = rules.identifiers(&row.document);
        let key = batch
            .key
            .as_ref()
            .and_then(|key| identifiers.iter().find(|(f, _)| f == key).map(|(_, v)| v.clone()));
        let asked = row.id.as_deref();
        if asked.is_some_and(|id| !is_id(id)) {
            outcomes[index] = issue(
                "",
                format!(
                    "\"{}\" is not the id of a record.",
                    shorten(asked.unwrap_or_default(), 60)
                ),
            );
            continue;
        }
        if let (Some(field), None, None) = (&batch.key, &key, asked) {
            outcomes[index] = issue(field, "is the key and is missing.");
            continue;
        }
        if let Some(first) = asked.and_then(|id| ids.get(id)) {
            outcomes[index] = issue("", format!("The same record stands already in row {first}."));
            continue;
        }
        if let Some(((field, value), first)) = identifiers.iter().find_map(|pair| seen.get_key_value(pair)) {
            let message = if is_id(value) {
                format!("leads to the same record as row {first}; only one may.")
            } else {
                format!("\"{}\" stands already in row {first}.", shorten(value, 60))
            };
            outcomes[index] = issue(field, message);
            continue;
        }
        seen.extend(identifiers.iter().map(|pair| (pair.clone(), row.row)));
        ids.extend(asked.map(|id| (id, row.row)));
        let links = rules.links(&row.document);
        slots.push(Slot {
            index,
            row: row.row,
            document: Cow::Borrowed(&row.document),
            identifiers,
            links,
            key,
            asked,
            found: None,
        });
    }
    slots
}

/// Says for each row which record it is: the id it names, else its key, else its place in the file.
fn recognise(batch: &ImportBatch, name: &str, known: &Known, slots: &mut Vec<Slot<'_>>, outcomes: &mut [RowOutcome]) {
    let mut claimed: HashMap<usize, i64> = HashMap::new();
    slots.retain_mut(|slot| {
        let by_id = slot.asked.and_then(|id| known.by_id.get(id));
        let found = by_id.or_else(|| match (&batch.key, &slot.key) {
            (Some(_), Some(key)) => known.by_key.get(key),
            (Some(_), None) => None,
            (None, _) => known.by_row.get(&slot.row),
        });
        slot.found = found.copied();
        let Some(found) = slot.found else { return true };
        if known.rows[found].type_name != name {
            outcomes[slot.index] = issue("", format!("The record {} is of another type.", known.rows[found].id));
            return false;
        }
        if let Some(first) = claimed.insert(found, slot.row) {
            claimed.insert(found, first);
            outcomes[slot.index] = issue("", format!("The same record stands already in row {first}."));
            return false;
        }
        true
    });
}

/// Leaves out rows that say what stands already; their outcome is `Unchanged`.
fn changed(known: &Known, slots: &mut Vec<Slot<'_>>, outcomes: &mut [RowOutcome]) -> Result<()> {
    let mut kept = Vec::with_capacity(slots.len());
    for slot in slots.drain(..) {
        let before = slot.found.map(|found| &known.rows[found]).filter(|row| !row.deleted());
        let before = parse_state(before.and_then(|row| row.document.as_deref()))?;
        if before.is_some_and(|state| patch::same(&state.document, &slot.document)) {
            outcomes[slot.index] = RowOutcome::Unchanged;
        } else {
            kept.push(slot);
        }
    }
    *slots = kept;
    Ok(())
}

/// Refuses rows whose unique values belong to other live records.
async fn refuse_clashes(
    tx: &mut Tx<'_>,
    batch: &ImportBatch,
    rules: &Rules<'_>,
    known: &Known,
    slots: &mut Vec<Slot<'_>>,
    outcomes: &mut [RowOutcome],
) -> Result<()> {
    let (name, key) = (&batch.stored_type.definition.name, batch.key.as_deref());
    // Rows recognised by the key alone are the owner of their key, or nobody is.
    let by_key_alone = slots.iter().all(|s| s.asked.is_none());
    for leaf in rules
        .identifying
        .iter()
        .filter(|l| !(by_key_alone && key == Some(l.path.as_str())))
    {
        let values: HashSet<&str> = slots
            .iter()
            .flat_map(|s| &s.identifiers)
            .filter(|(f, _)| *f == leaf.path)
            .map(|(_, v)| v.as_str())
            .collect();
        if values.is_empty() {
            continue;
        }
        let owners = store::owners(&mut *tx, name, &leaf.path, values).await?;
        if owners.is_empty() {
            continue;
        }
        let ids: Vec<String> = owners.values().cloned().collect();
        let live = store::live_types(&mut *tx, &ids).await?;
        slots.retain(|slot| {
            let own = slot.found.map(|found| known.rows[found].id.as_str());
            let taken = slot
                .identifiers
                .iter()
                .filter(|(field, _)| *field == leaf.path)
                .find(|(_, value)| {
                    owners
                        .get(value)
                        .is_some_and(|owner| Some(owner.as_str()) != own && live.contains_key(owner))
                });
            if let Some((field, value)) = taken {
                outcomes[slot.index] = RowOutcome::Refused(vec![clash(field, value)]);
            }
            taken.is_none()
        });
    }
    Ok(())
}

/// Refuses rows whose links lead nowhere.
async fn refuse_links(
    tx: &mut Tx<'_>,
    rules: &Rules<'_>,
    slots: &mut Vec<Slot<'_>>,
    outcomes: &mut [RowOutcome],
) -> Result<()> {
    let targets: HashSet<String> = slots.iter().flat_map(|s| &s.links).map(|(_, to)| to.clone()).collect();
    if targets.is_empty() {
        return Ok(());
    }
    let targets: Vec<String> = targets.into_iter().collect();
    let mut live = HashMap::new();
    for some in targets.chunks(10_000) {
        live.extend(store::live_types(&mut *tx, some).await?);
    }
    slots.retain(|slot| {
        let wrong =
            |(field, to): &&(String, String)| live.get(to).map(|(kind, _)| kind.as_str()) != rules.target(field);
        let issues: Vec<FieldIssue> = slot
            .links
            .iter()
            .filter(wrong)
            .map(|(field, to)| no_target(field.clone(), to, rules.target(field)))
            .collect();
        let fine = issues.is_empty();
        if !fine {
            outcomes[slot.index] = RowOutcome::Refused(issues);
        }
        fine
    });
    Ok(())
}
