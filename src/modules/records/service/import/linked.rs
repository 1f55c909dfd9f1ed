//! Links of rows: a file names records by their key as well as by their id, in any order. Where they lead to records of the
//! same type they wait until all rows are there. What would hang below itself is refused, row by row.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::{Known, Slot, issue as refused};
use crate::contract::records::{Field, FieldKind, ImportBatch, ImportRow, Pass, RecordType, RowOutcome};
use crate::kernel::db::Tx;
use crate::kernel::error::{FieldIssue, Result};
use crate::kernel::id::is_id;
use crate::modules::records::model::tree::Tree;
use crate::modules::records::model::{path, shape, shorten};
use crate::modules::records::service::edit::no_target;
use crate::modules::records::service::trees::{self, Moves};
use crate::modules::records::service::{Service, parse_state};
use crate::modules::records::store::{self, Row};

/// Rows whose links are ids, each with its place in the batch they came in.
pub(super) struct Linked {
    pub batch: ImportBatch,
    pub places: Vec<usize>,
    /// In a second pass: the records that this import has written already.
    own: HashSet<usize>,
}

impl Linked {
    /// What became of the rows, in the batch they came in. What only got its links is as it was said to be before.
    pub fn note(&self, of_rows: Vec<RowOutcome>, outcomes: &mut [RowOutcome]) {
        for (place, outcome) in self.places.iter().zip(of_rows) {
            outcomes[*place] = match outcome {
                RowOutcome::Updated if self.own.contains(place) => RowOutcome::Unchanged,
                other => other,
            };
        }
    }
}

/// The links of a type that rows may name by key.
fn links(definition: &RecordType) -> impl Iterator<Item = (&Field, &str)> {
    let fields = definition.fields.iter().filter(|field| field.kind == FieldKind::Link);
    fields.filter_map(|field| Some((field, field.target.as_deref()?)))
}

/// The texts of a value or of a list.
fn texts(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(text)) => vec![text.as_str()],
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

impl Service {
    /// The rows with ids in their links; `None` where they are so already.
    pub(super) async fn link(
        &self,
        tx: &mut Tx<'_>,
        definition: &RecordType,
        batch: &ImportBatch,
        outcomes: &mut [RowOutcome],
    ) -> Result<Option<Linked>> {
        let waits = |target: &str| target == definition.name && matches!(batch.pass, Pass::First(_));
        let mut named: HashMap<&str, HashSet<&str>> = HashMap::new();
        for row in &batch.rows {
            for (field, target) in links(definition) {
                let names = texts(row.document.get(&field.name)).into_iter();
                named
                    .entry(target)
                    .or_default()
                    .extend(names.filter(|name| !name.is_empty() && !is_id(name)));
            }
        }
        let plain = matches!(batch.pass, Pass::Only) || !links(definition).any(|(_, target)| target == definition.name);
        if plain && named.values().all(HashSet::is_empty) {
            return Ok(None);
        }
        let mut ids: HashMap<(&str, String), String> = HashMap::new();
        for (target, names) in &named {
            for (name, id) in self.by_key(tx, target, names).await? {
                ids.insert((target, name), id);
            }
        }
        let standing = if matches!(batch.pass, Pass::Only) {
            Vec::new()
        } else {
            self.whose(tx, &definition.name, batch).await?
        };
        let mut linked = Linked {
            batch: ImportBatch {
                rows: Vec::with_capacity(batch.rows.len()),
                ..without_rows(batch)
            },
            places: Vec::with_capacity(batch.rows.len()),
            own: HashSet::new(),
        };
        for (place, row) in batch.rows.iter().enumerate() {
            let stands = standing.get(place).and_then(Option::as_ref);
            if matches!(batch.pass, Pass::Second) && stands.is_none() {
                // It was refused in the first pass.
                continue;
            }
            let mut document = row.document.clone();
            let mut issues = Vec::new();
            for (field, target) in links(definition) {
                let Some(value) = document.get_mut(&field.name) else {
                    continue;
                };
                issues.extend(put_ids(field, target, value, &ids, &batch.pass, &definition.name));
                if waits(target) {
                    document.shift_remove(&field.name);
                }
            }
            if !issues.is_empty() {
                outcomes[place] = RowOutcome::Refused(issues);
                continue;
            }
            if let Some((_, before)) = stands.filter(|_| matches!(batch.pass, Pass::First(_))) {
                // What the importer does not see stays by itself.
                let own = links(definition).filter(|(field, target)| waits(target) && field.level <= batch.level);
                let kept = own.filter_map(|(field, _)| Some((field.name.clone(), before.get(&field.name)?.clone())));
                document.extend(kept);
            }
            linked.places.push(place);
            linked.batch.rows.push(ImportRow {
                row: row.row,
                id: row.id.clone(),
                document,
            });
        }
        if matches!(batch.pass, Pass::Second) {
            linked.own = own_ones(tx, &standing, &batch.set_id).await?;
        }
        Ok(Some(linked))
    }

    /// The live records of a type that have these keys.
    async fn by_key(&self, tx: &mut Tx<'_>, target: &str, names: &HashSet<&str>) -> Result<HashMap<String, String>> {
        let stored = if names.is_empty() {
            None
        } else {
            self.type_in(tx, target).await?
        };
        let Some(key) = stored.as_ref().and_then(|stored| stored.definition.key.clone()) else {
            return Ok(HashMap::new());
        };
        let names: Vec<&str> = names.iter().copied().collect();
        let mut found = HashMap::new();
        for some in names.chunks(10_000) {
            found.extend(store::owners(&mut *tx, target, &key, some.iter().copied()).await?);
        }
        let owners: Vec<String> = found.values().cloned().collect();
        let mut live = HashSet::new();
        for some in owners.chunks(10_000) {
            live.extend(store::live_types(&mut *tx, some).await?.into_keys());
        }
        found.retain(|_, id| live.contains(id));
        Ok(found)
    }

    /// The live record that each row is about, with its document, by the id it names, its key or its place in the file.
    async fn whose(
        &self,
        tx: &mut Tx<'_>,
        name: &str,
        batch: &ImportBatch,
    ) -> Result<Vec<Option<(Row, Map<String, Value>)>>> {
        let key_of = |row: &ImportRow| {
            let key = batch.key.as_ref()?;
            row.document.get(key).and_then(path::text)
        };
        let mut owners = HashMap::new();
        let mut rows = Vec::new();
        match &batch.key {
            Some(key) => {
                let keys: Vec<String> = batch.rows.iter().filter_map(key_of).collect();
                owners = store::owners(&mut *tx, name, key, keys.iter().map(String::as_str)).await?;
            }
            None => {
                let numbers: Vec<i64> = batch.rows.iter().map(|row| row.row).collect();
                rows = store::from_source(&mut *tx, name, &batch.source_blob, &numbers).await?;
            }
        }
        let mut ids: HashSet<String> = owners.values().cloned().collect();
        ids.extend(batch.rows.iter().filter_map(|row| row.id.clone()));
        let ids: Vec<String> = ids
            .into_iter()
            .filter(|id| !rows.iter().any(|row: &Row| row.id == *id))
            .collect();
        rows.extend(store::get_many(&mut *tx, &ids).await?);
        let mut live: HashMap<String, Row> = HashMap::new();
        let mut by_number: HashMap<i64, String> = HashMap::new();
        for row in rows.into_iter().filter(|row| !row.deleted() && row.type_name == name) {
            if row.source_blob.as_deref() == Some(batch.source_blob.as_str()) {
                by_number.extend(row.source_row.map(|number| (number, row.id.clone())));
            }
            live.insert(row.id.clone(), row);
        }
        let mut found = Vec::with_capacity(batch.rows.len());
        for row in &batch.rows {
            let by_id = row.id.as_ref().filter(|id| live.contains_key(*id));
            let by_key = || key_of(row).and_then(|key| owners.get(&key));
            let by_row = || by_number.get(&row.row).filter(|_| batch.key.is_none());
            let id = by_id.or_else(by_key).or_else(by_row);
            found.push(match id.and_then(|id| live.get(id)) {
                Some(row) => {
                    let state = parse_state(row.document.as_deref())?;
                    Some((row.clone(), state.map(|state| state.document).unwrap_or_default()))
                }
                None => None,
            });
        }
        Ok(found)
    }
}

/// The batch without its rows.
fn without_rows(batch: &ImportBatch) -> ImportBatch {
    ImportBatch {
        set_id: batch.set_id.clone(),
        stored_type: batch.stored_type.clone(),
        key: batch.key.clone(),
        source_blob: batch.source_blob.clone(),
        level: batch.level,
        by: batch.by.clone(),
        pass: batch.pass.clone(),
        rows: Vec::new(),
    }
}

/// The places of records whose newest state this import has made.
async fn own_ones(
    tx: &mut Tx<'_>,
    standing: &[Option<(Row, Map<String, Value>)>],
    set_id: &str,
) -> Result<HashSet<usize>> {
    let ids: Vec<String> = standing.iter().flatten().map(|(row, _)| row.id.clone()).collect();
    let made: HashSet<(String, i64)> = store::made_by(tx, set_id, &ids).await?.into_iter().collect();
    let is_own = |one: &Option<(Row, Map<String, Value>)>| {
        one.as_ref()
            .is_some_and(|(row, _)| made.contains(&(row.id.clone(), row.version)))
    };
    Ok(standing
        .iter()
        .enumerate()
        .filter(|(_, one)| is_own(one))
        .map(|(place, _)| place)
        .collect())
}

/// Puts ids in the place of keys. Answers those that lead nowhere.
fn put_ids(
    field: &Field,
    target: &str,
    value: &mut Value,
    ids: &HashMap<(&str, String), String>,
    pass: &Pass,
    own: &str,
) -> Vec<FieldIssue> {
    let mut issues = Vec::new();
    let mut put = |item: &mut Value| {
        let Value::String(name) = item else { return };
        if name.is_empty() {
            return;
        }
        let promised = target == own && matches!(pass, Pass::First(file) if file.has(name));
        match ids.get(&(target, name.clone())) {
            Some(id) => *item = Value::String(id.clone()),
            None if is_id(name) || promised => {}
            None => issues.push(FieldIssue {
                path: field.name.clone(),
                message: format!(
                    "leads to \"{}\", but no record of the type \"{target}\" has that key.",
                    shorten(name, 60)
                ),
            }),
        }
    };
    match &mut *value {
        Value::Array(items) => items.iter_mut().for_each(&mut put),
        one => put(one),
    }
    // An empty cell is no link.
    if matches!(value, Value::String(text) if text.is_empty()) {
        *value = Value::Null;
    }
    issues
}

/// Refuses rows of records that would hang below themselves, or below what is just being deleted.
pub(super) async fn refuse_circles(
    tx: &mut Tx<'_>,
    definition: &RecordType,
    known: &Known,
    slots: &mut Vec<Slot<'_>>,
    outcomes: &mut [RowOutcome],
) -> Result<()> {
    let Some(tree) = Tree::of(definition) else {
        return Ok(());
    };
    let (mut moves, mut titles, mut parents) = (Moves::new(), HashMap::new(), HashSet::new());
    let mut moves_old = false;
    for slot in slots.iter() {
        let parent = tree.parent_of(&slot.document).unwrap_or_default();
        let before = slot.found.map(|found| &known.rows[found]).filter(|row| !row.deleted());
        let state = parse_state(before.and_then(|row| row.document.as_deref()))?;
        if state
            .map(|state| tree.parent_of(&state.document).unwrap_or_default())
            .as_ref()
            == Some(&parent)
        {
            continue;
        }
        if !parent.is_empty() {
            parents.insert(parent.clone());
        }
        let id = slot.found.map(|found| known.rows[found].id.as_str()).or(slot.asked);
        if let Some(id) = id {
            moves_old |= slot.found.is_some();
            titles.insert(id.to_owned(), shape::title(definition, &slot.document));
            moves.insert(id.to_owned(), parent);
        }
    }
    if parents.is_empty() {
        return Ok(());
    }
    if moves_old {
        trees::lock(tx, &definition.name).await?;
    }
    let mut refuse: HashMap<String, FieldIssue> = HashMap::new();
    loop {
        let wrong = trees::wrong_moves(tx, &moves).await?;
        if wrong.is_empty() {
            break;
        }
        for (id, wrong) in wrong {
            moves.remove(&id);
            let issue = trees::issue(tx, definition, &tree.parent.path, &wrong, &titles).await?;
            refuse.insert(id, issue);
        }
    }
    let parents: Vec<String> = parents.into_iter().collect();
    let held: HashSet<String> = store::hold_live(tx, &parents).await?.into_iter().collect();
    slots.retain(|slot| {
        let id = slot.found.map(|found| known.rows[found].id.as_str()).or(slot.asked);
        let gone = tree
            .parent_of(&slot.document)
            .filter(|parent| parents.contains(parent) && !held.contains(parent));
        let why = match (id.and_then(|id| refuse.remove(id)), gone) {
            (Some(issue), _) => RowOutcome::Refused(vec![issue]),
            (None, Some(parent)) => RowOutcome::Refused(vec![no_target(
                tree.parent.path.clone(),
                &parent,
                Some(&definition.name),
            )]),
            (None, None) => return true,
        };
        outcomes[slot.index] = why;
        false
    });
    Ok(())
}

/// What a row says that only became wrong with its links.
pub(super) fn without_links(issues: Vec<FieldIssue>) -> RowOutcome {
    let first = issues.into_iter().next();
    let (path, message) = first.map_or_else(Default::default, |issue| (issue.path, issue.message));
    refused(&path, format!("{message} The record stands without it."))
}
