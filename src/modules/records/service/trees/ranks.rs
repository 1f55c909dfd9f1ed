//! The order of ranks in a tree: nothing hangs below something of its own rank or a lower one. Only what a write changes is
//! judged; what stands already stays as it is.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::{lock, parse_state};
use crate::contract::records::RecordType;
use crate::kernel::db::Tx;
use crate::kernel::error::{FieldIssue, Result};
use crate::modules::records::model::shorten;
use crate::modules::records::model::tree::{Order, Rank, Tree};
use crate::modules::records::store;

/// Records below one that gets another rank, as far as they are looked at.
const MOST: i64 = 10_000;

/// A record with what it is to say.
pub(in crate::modules::records::service) struct Ranked<'a> {
    /// None where it is new and has none yet.
    pub id: Option<&'a str>,
    /// What it says so far.
    pub before: Option<&'a Map<String, Value>>,
    pub document: &'a Map<String, Value>,
}

/// Those of these records, by their place, that would stand in the wrong order; all of them are written together.
pub(in crate::modules::records::service) async fn misranked(
    tx: &mut Tx<'_>,
    definition: &RecordType,
    records: &[Ranked<'_>],
) -> Result<HashMap<usize, FieldIssue>> {
    let mut wrong = HashMap::new();
    let (Some(tree), Some(order)) = (Tree::of(definition), Order::of(definition)) else {
        return Ok(wrong);
    };
    let own: Vec<Option<Rank>> = records.iter().map(|record| order.rank(record.document)).collect();
    let touched: Vec<usize> = (0..records.len())
        .filter(|at| {
            let record = &records[*at];
            let same = |before: &Map<String, Value>| {
                tree.parent_of(before) == tree.parent_of(record.document) && order.rank(before) == own[*at]
            };
            own[*at].is_some() && !record.before.is_some_and(same)
        })
        .collect();
    if touched.is_empty() {
        return Ok(wrong);
    }
    // Whoever moves or ranks a record of this type waits.
    lock(tx, &definition.name).await?;
    let mut together: HashMap<&str, Option<&Rank>> = HashMap::new();
    for (record, rank) in records.iter().zip(&own) {
        together.extend(record.id.map(|id| (id, rank.as_ref())));
    }
    let parents: HashSet<String> = touched
        .iter()
        .filter_map(|at| tree.parent_of(records[*at].document))
        .filter(|parent| !together.contains_key(parent.as_str()))
        .collect();
    let above = ranks_of(tx, &order, parents.into_iter().collect()).await?;
    // Of what only moves, what hangs below it stays in its order.
    let ranks_anew = |at: &usize| records[*at].before.is_some_and(|before| order.rank(before) != own[*at]);
    let asked: Vec<String> = touched
        .iter()
        .filter(|at| ranks_anew(at))
        .filter_map(|at| records[*at].id.map(str::to_owned))
        .collect();
    let mut hanging = Vec::new();
    if !asked.is_empty() {
        hanging = store::hanging(&mut *tx, &asked, MOST).await?;
        hanging.retain(|(_, child)| !together.contains_key(child.as_str()));
    }
    let below = ranks_of(tx, &order, hanging.iter().map(|(_, child)| child.clone()).collect()).await?;
    for at in touched {
        let Some(rank) = &own[at] else { continue };
        let parent = tree.parent_of(records[at].document);
        let parent = parent.and_then(|id| match together.get(id.as_str()) {
            Some(rank) => rank.cloned(),
            None => above.get(&id).cloned(),
        });
        let children = hanging.iter().filter(|(id, _)| Some(id.as_str()) == records[at].id);
        let child = children
            .filter_map(|(_, child)| below.get(child))
            .find(|child| child.place <= rank.place);
        let Some(message) = fault(rank, parent.as_ref(), child) else {
            continue;
        };
        let path = order.field().to_owned();
        wrong.insert(at, FieldIssue { path, message });
    }
    Ok(wrong)
}

/// What is wrong with a rank between the one above it and the highest that is not below it.
fn fault(rank: &Rank, above: Option<&Rank>, below: Option<&Rank>) -> Option<String> {
    let called = shorten(&rank.called, 60);
    if let Some(above) = above.filter(|above| above.place >= rank.place) {
        let other = shorten(&above.called, 60);
        return Some(format!(
            "\"{called}\" does not hang below \"{other}\" in the order of ranks of its type."
        ));
    }
    let other = shorten(&below?.called, 60);
    Some(format!(
        "\"{called}\" does not stand above \"{other}\" in the order of ranks of its type, and one hangs below it."
    ))
}

/// The ranks of records, those that have one.
async fn ranks_of(tx: &mut Tx<'_>, order: &Order<'_>, ids: Vec<String>) -> Result<HashMap<String, Rank>> {
    let mut found = HashMap::new();
    for some in ids.chunks(1_000) {
        for row in store::get_many(&mut *tx, some).await? {
            let state = parse_state(row.document.as_deref())?;
            let rank = state.and_then(|state| order.rank(&state.document));
            found.extend(rank.map(|rank| (row.id, rank)));
        }
    }
    Ok(found)
}
