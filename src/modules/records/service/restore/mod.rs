//! Taking back what a change set did to records and types, a batch within the caller's transaction: everything is looked
//! up in bulk, decided in memory and written in a handful of statements. What cannot be put back stays, with the reason.

mod circles;
mod plan;
mod settle;
mod store;
mod types;
mod write;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Rules, Service};
use crate::contract::records::{RECORDS_DELETE, RecordState, StoredType};
use crate::contract::undo::{Insist, Prospect, Restoration, WhyLeft};
use crate::kernel::access::{Caller, Level, Object};
use crate::kernel::db::Tx;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::ledger::{Operation, RECORD, TYPE};
use crate::modules::records::store::{self as heads, Row};
use circles::circles;
pub(super) use circles::circles_of;
use plan::plan;
use settle::Facts;
pub(super) use settle::{Wish, settle};
use store::{Made, Stood};
pub(super) use write::write;

/// Entities that a prospect looks at.
const MOST: i64 = 50_000;
/// Records whose visibility is asked for at once.
const SEEN_AT_ONCE: usize = 1_000;
/// Of what would stay, so many are named.
const NAMED: usize = 1_000;

/// Who takes back, in which change set, and what.
pub struct Undoing<'a> {
    pub caller: &'a Caller,
    /// The change set this becomes part of.
    pub set_id: &'a str,
    /// The change set that is taken back.
    pub of: &'a str,
    /// What becomes of records that were changed since.
    pub insist: Insist,
}

/// What a change set did to one entity.
struct Touched {
    kind: String,
    first: i64,
    last: i64,
    count: i64,
    last_operation: String,
    before: Option<Stood>,
}

impl Touched {
    /// True where it is to be deleted again.
    fn to_nothing(&self) -> bool {
        self.before
            .as_ref()
            .is_none_or(|b| b.operation == Operation::Delete.as_str())
    }
}

/// A record that is to get a state.
#[derive(Clone, Debug)]
pub(super) struct Put {
    pub row: Row,
    /// Its document where it is live.
    pub was: Option<Map<String, Value>>,
    pub state: RecordState,
    pub text: String,
}

/// What is decided about a record so far.
enum Plan {
    Done(Restoration),
    Remove(Box<Row>),
    Put(Box<Put>),
}

impl Service {
    /// Takes back what `undoing.of` did to these entities. One outcome for each, in their order.
    pub(super) async fn restore_in(
        &self,
        tx: &mut Tx<'_>,
        undoing: &Undoing<'_>,
        entities: &[String],
    ) -> Result<Vec<Restoration>> {
        // What moved values goes back before all of them.
        let ahead = heads::moved_type(&mut *tx, undoing.of)
            .await?
            .filter(|id| !entities.contains(id));
        let ahead: Vec<String> = ahead.into_iter().collect();
        let touched = touched(tx, undoing.of, &[entities, ahead.as_slice()].concat()).await?;
        let of_kind = |kind: &str| -> Vec<String> {
            let same = |e: &&String| touched.get(*e).is_some_and(|t| t.kind == kind);
            entities.iter().filter(same).cloned().collect()
        };
        let (records, types) = (of_kind(RECORD), of_kind(TYPE));
        let mut outcomes: HashMap<String, Restoration> = HashMap::new();
        let ahead: Vec<String> = ahead
            .into_iter()
            .filter(|id| touched.get(id).is_some_and(|t| !t.to_nothing()))
            .collect();
        self.restore_types(tx, undoing, &ahead, &touched, &mut outcomes).await?;
        // A type that comes back comes before its records, one that goes goes after them.
        let (going, coming): (Vec<String>, Vec<String>) = types
            .into_iter()
            .partition(|id| touched.get(id).is_none_or(Touched::to_nothing));
        self.restore_types(tx, undoing, &coming, &touched, &mut outcomes)
            .await?;
        self.restore_records(tx, undoing, &records, &touched, &mut outcomes)
            .await?;
        self.restore_types(tx, undoing, &going, &touched, &mut outcomes).await?;
        let unknown = Restoration::Left(WhyLeft::Unknown);
        Ok(entities
            .iter()
            .map(|e| outcomes.get(e).copied().unwrap_or(unknown))
            .collect())
    }

    async fn restore_records(
        &self,
        tx: &mut Tx<'_>,
        undoing: &Undoing<'_>,
        ids: &[String],
        touched: &HashMap<String, Touched>,
        outcomes: &mut HashMap<String, Restoration>,
    ) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut rows: HashMap<String, Row> = heads::get_many(&mut *tx, ids)
            .await?
            .into_iter()
            .map(|r| (r.id.clone(), r))
            .collect();
        let moved: Vec<String> = ids
            .iter()
            .filter(|id| matches!((rows.get(*id), touched.get(*id)), (Some(r), Some(t)) if r.version != t.last))
            .cloned()
            .collect();
        let made: HashMap<(String, i64), Option<String>> = store::made_whole(tx, undoing.of, &moved)
            .await?
            .into_iter()
            .map(|s| ((s.entity, s.version), s.document))
            .collect();
        let mut types: HashMap<String, Option<Arc<StoredType>>> = HashMap::new();
        let mut plans: Vec<(String, Plan)> = Vec::with_capacity(ids.len());
        for id in ids {
            let (Some(row), Some(touched)) = (rows.remove(id), touched.get(id)) else {
                plans.push((id.clone(), Plan::Done(Restoration::Left(WhyLeft::Gone))));
                continue;
            };
            if !types.contains_key(&row.type_name) {
                let found = self.type_in(tx, &row.type_name).await?;
                types.insert(row.type_name.clone(), found);
            }
            let definition = types.get(&row.type_name).and_then(Option::as_ref);
            let made = made.get(&(id.clone(), touched.last)).and_then(Option::as_deref);
            let mut plan = plan(row, touched, made, definition, undoing.insist)?;
            if !self.may(tx, undoing.caller, &plan).await? {
                plan = Plan::Done(Restoration::Left(WhyLeft::Forbidden));
            }
            plans.push((id.clone(), plan));
        }
        let types: HashMap<String, Arc<StoredType>> = types
            .into_iter()
            .filter_map(|(name, found)| Some((name, found?)))
            .collect();
        let mut left = refused(tx, &plans, &types).await?;
        circles(tx, &plans, &types, &mut left).await?;
        let (mut removed, mut put) = (Vec::new(), Vec::new());
        for (id, plan) in plans {
            let outcome = match (left.get(&id), plan) {
                (_, Plan::Done(outcome)) => outcome,
                (Some(why), _) => Restoration::Left(*why),
                (None, Plan::Remove(row)) => {
                    removed.push(row.id);
                    Restoration::Removed
                }
                (None, Plan::Put(one)) => {
                    let outcome = if one.row.deleted() {
                        Restoration::Revived
                    } else {
                        Restoration::Reverted
                    };
                    put.push(*one);
                    outcome
                }
            };
            outcomes.insert(id, outcome);
        }
        if self.delete_in(tx, undoing.set_id, &removed).await? < removed.len() as i64 {
            return Err(interrupted());
        }
        write(tx, undoing.set_id, put, &types).await
    }

    /// May the caller put this back? Whoever does so has to see all of it.
    async fn may(&self, tx: &mut Tx<'_>, caller: &Caller, plan: &Plan) -> Result<bool> {
        let (row, visibility) = match plan {
            Plan::Done(_) => return Ok(true),
            Plan::Remove(row) => (&**row, None),
            Plan::Put(put) => (&put.row, Some(put.state.visibility)),
        };
        for visibility in [Some(row.level()?), visibility].into_iter().flatten() {
            let object = Object::Record {
                id: &row.id,
                type_name: &row.type_name,
                visibility,
            };
            let level = self.access.level_in(&mut *tx, caller, RECORDS_DELETE, &object).await?;
            if level != Some(Level::Restricted) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What taking a change set back would do; with a caller, to records that they may see today.
    pub(super) async fn prospect_of(&self, seen_by: Option<&Caller>, set_id: &str) -> Result<Prospect> {
        let mut fates = store::prospect(&self.db, set_id, MOST + 1).await?;
        let mut prospect = Prospect {
            is_cut: fates.len() as i64 > MOST,
            ..Prospect::default()
        };
        if let Some(caller) = seen_by {
            let ids: Vec<String> = fates.iter().map(|(id, _)| id.clone()).collect();
            let mut seen = HashSet::new();
            for some in ids.chunks(SEEN_AT_ONCE) {
                seen.extend(self.see(caller, some).await?.into_iter().map(|sight| sight.id));
            }
            fates.retain(|(id, fate)| fate == TYPE || seen.contains(id));
        }
        for (entity, fate) in fates {
            match fate.as_str() {
                "removed" => prospect.removed += 1,
                "reverted" => prospect.reverted += 1,
                "revived" => prospect.revived += 1,
                "already" => prospect.already += 1,
                TYPE => prospect.types += 1,
                other => prospect
                    .left
                    .push((entity, WhyLeft::parse(other).unwrap_or(WhyLeft::Unknown))),
            }
        }
        prospect.left.truncate(NAMED);
        Ok(prospect)
    }
}

async fn touched(tx: &mut Tx<'_>, of: &str, entities: &[String]) -> Result<HashMap<String, Touched>> {
    let mut found: HashMap<String, Touched> = HashMap::new();
    for Made {
        entity,
        version,
        kind,
        operation,
    } in store::made(tx, of, entities).await?
    {
        let one = found.entry(entity).or_insert_with(|| Touched {
            kind,
            first: version,
            last: version,
            count: 0,
            last_operation: operation.clone(),
            before: None,
        });
        one.count += 1;
        one.first = one.first.min(version);
        if version >= one.last {
            (one.last, one.last_operation) = (version, operation);
        }
    }
    for state in store::before(tx, of, entities).await? {
        if let Some(one) = found.get_mut(&state.entity)
            && state.version == one.first - 1
        {
            one.before = Some(state);
        }
    }
    Ok(found)
}

/// Looks up what the plans stand on and says which cannot be.
async fn refused(
    tx: &mut Tx<'_>,
    plans: &[(String, Plan)],
    types: &HashMap<String, Arc<StoredType>>,
) -> Result<HashMap<String, WhyLeft>> {
    let mut wishes = Vec::new();
    for (_, plan) in plans {
        match plan {
            Plan::Done(_) => {}
            Plan::Remove(row) => wishes.push(Wish {
                id: row.id.clone(),
                type_name: row.type_name.clone(),
                is_removed: true,
                ..Wish::default()
            }),
            Plan::Put(put) => {
                let Some(stored) = types.get(&put.row.type_name) else {
                    continue;
                };
                let rules = Rules::of(&stored.definition);
                let links = rules.links(&put.state.document);
                wishes.push(Wish {
                    id: put.row.id.clone(),
                    type_name: put.row.type_name.clone(),
                    is_removed: false,
                    identifiers: rules.identifiers(&put.state.document),
                    links: links
                        .into_iter()
                        .map(|(f, to)| (to, rules.target(&f).map(str::to_owned)))
                        .collect(),
                });
            }
        }
    }
    if wishes.is_empty() {
        return Ok(HashMap::new());
    }
    let facts = facts(tx, &wishes).await?;
    Ok(settle(&wishes, &facts))
}

pub(super) async fn facts(tx: &mut Tx<'_>, wishes: &[Wish]) -> Result<Facts> {
    let mut facts = Facts::default();
    let going: Vec<String> = wishes.iter().filter(|w| w.is_removed).map(|w| w.id.clone()).collect();
    if !going.is_empty() {
        facts.pointed_at = store::pointed_at(tx, &going).await?;
    }
    if !facts.pointed_at.is_empty() {
        let all: Vec<String> = wishes.iter().map(|w| w.id.clone()).collect();
        facts.links = store::links_from(tx, &all).await?;
    }
    let mut values: HashMap<(&str, &str), HashSet<&str>> = HashMap::new();
    for wish in wishes {
        for (field, value) in &wish.identifiers {
            values.entry((&wish.type_name, field)).or_default().insert(value);
        }
    }
    for ((type_name, field), values) in values {
        for (value, owner) in heads::owners(&mut *tx, type_name, field, values).await? {
            facts
                .owners
                .insert((type_name.to_owned(), field.to_owned(), value), owner);
        }
    }
    let mut asked: HashSet<String> = facts.owners.values().cloned().collect();
    asked.extend(wishes.iter().flat_map(|w| &w.links).map(|(to, _)| to.clone()));
    let asked: Vec<String> = asked.into_iter().collect();
    for some in asked.chunks(10_000) {
        let live = heads::live_types(&mut *tx, some).await?;
        facts.live.extend(live.into_iter().map(|(id, (kind, _))| (id, kind)));
    }
    Ok(facts)
}

fn interrupted() -> Error {
    Error::new(
        Code::Busy,
        "A record was changed while it was to be put back. The batch is tried again.",
    )
}
