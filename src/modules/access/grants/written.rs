//! What was given and taken, in the ledger: each grant and membership an entity with states of its own, so that the audit says who
//! gave what to whom, and when it ended. Also holds the one invariant: whoever takes away, somebody stays administrator.

use std::sync::Arc;

use serde_json::{Value, json};

use super::lists::id_of;
use super::port::{GrantService, told};
use crate::contract::access::{HOUSE, Role};
use crate::kernel::access::{Caller, Subject};
use crate::kernel::db::Tx;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::ledger::{self, GRANT, GROUP, NewSet, NewVersion, Operation};
use crate::modules::access::relations::graph::Tuple;
use crate::modules::access::relations::lists::list_subjects;
use crate::modules::access::relations::store::{self, GroupRow};
use crate::modules::access::relations::{Change, State};

/// What makes an administrator, in the schema.
const ADMINISTERS: &str = "administers";

/// How the ledger calls a tuple: `type:fungus#viewer@account:ID`.
fn entity(tuple: &Tuple) -> String {
    format!("{}#{}@{}", tuple.object, tuple.relation, tuple.subject)
}

/// Could taking these away leave nobody who administers?
fn is_risky(taken: &[Tuple]) -> bool {
    let is_risky = |tuple: &Tuple| match tuple.object.as_str() {
        HOUSE => tuple.relation == Role::Administrator.as_str(),
        object => object.starts_with("group:"),
    };
    taken.iter().any(is_risky)
}

impl GrantService {
    /// Writes a change of tuples with its change set, and keeps an administrator. What stands already is no change and makes
    /// no set.
    pub(super) async fn apply(&self, tx: &mut Tx<'_>, by: &Caller, kind: &str, change: &Change) -> Result<()> {
        // The operator of the machine can always make another one.
        let is_above = matches!(by.subject, Subject::Operator | Subject::System);
        let had_one = !is_above && is_risky(&change.taken) && {
            self.lock_administrators(&mut *tx).await?;
            let (state, _) = self.relations.state_in(&mut *tx).await?;
            self.has_administrator(tx, &state).await?
        };
        let done = self.relations.write(tx, change, &by.actor()).await?;
        if done.is_empty() {
            return Ok(());
        }
        if had_one {
            let (state, _) = self.relations.state_in(&mut *tx).await?;
            if !self.has_administrator(tx, &state).await? {
                let text = "Nobody would be administrator any more. Give the role to somebody else first.";
                return Err(Error::new(Code::Conflict, text));
            }
        }
        let set = open(tx, by, kind).await?;
        let mut versions = Vec::with_capacity(done.put.len() + done.taken.len());
        for (tuple, is_put) in done
            .put
            .iter()
            .map(|t| (t, true))
            .chain(done.taken.iter().map(|t| (t, false)))
        {
            let document = if is_put { Some(document(tx, tuple).await?) } else { None };
            versions.push(next(tx, entity(tuple), GRANT, document).await?);
        }
        ledger::append(tx, &set, versions).await?;
        let by = by.clone();
        tx.after_commit(move || told(&by, &done));
        Ok(())
    }

    /// Two who take away what the other has left see each other.
    pub(super) async fn lock_administrators(&self, tx: &mut Tx<'_>) -> Result<()> {
        tx.lock("administrators").await
    }

    pub(super) async fn has_administrator(&self, tx: &mut Tx<'_>, state: &Arc<State>) -> Result<bool> {
        let all = list_subjects(&self.relations.schema, &state.graph, HOUSE, ADMINISTERS, "account");
        for subject in &all {
            let id = id_of(subject, "account").unwrap_or_default();
            if self.access.is_active_in(&mut *tx, id).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// What is said about a tuple beside its name. People are called by their ids, so that a name that is forgotten is.
async fn document(tx: &mut Tx<'_>, tuple: &Tuple) -> Result<Value> {
    let mut document = json!({"object": tuple.object, "relation": tuple.relation, "subject": tuple.subject});
    for named in [&tuple.object, &tuple.subject] {
        if let Some(id) = id_of(named, "group")
            && let Some(group) = store::group(&mut *tx, id).await?
        {
            document[id] = json!(group.name);
        }
    }
    Ok(document)
}

/// A group made, called otherwise or (`None`) deleted, as a change set.
pub(super) async fn group_changed(tx: &mut Tx<'_>, by: &Caller, id: &str, group: Option<&GroupRow>) -> Result<()> {
    let document = group.map(|group| json!({"name": group.name, "description": group.description}));
    let set = open(tx, by, "access.group").await?;
    let version = next(tx, id.to_owned(), GROUP, document).await?;
    ledger::append(tx, &set, vec![version]).await.map(|_| ())
}

async fn open(tx: &mut Tx<'_>, by: &Caller, kind: &str) -> Result<String> {
    let origin = match &by.request_id {
        Some(id) => json!({ "request": id }),
        None => json!({}),
    };
    let new = NewSet {
        kind,
        actor: &by.actor(),
        reason: "",
        origin,
    };
    ledger::open_set(tx, &new).await
}

/// The next state of an entity; `None` ends it.
async fn next(tx: &mut Tx<'_>, entity: String, kind: &'static str, document: Option<Value>) -> Result<NewVersion> {
    let last = ledger::versions(&mut *tx, &entity, None, 1).await?.into_iter().next();
    let operation = match (&last, &document) {
        (_, None) => Operation::Delete,
        (None, _) => Operation::Create,
        (Some(last), _) if last.operation == Operation::Delete => Operation::Restore,
        _ => Operation::Update,
    };
    Ok(NewVersion {
        version: last.map_or(1, |last| last.version + 1),
        entity,
        kind,
        operation,
        document: document.map(|document| document.to_string()),
    })
}
