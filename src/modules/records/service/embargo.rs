//! Embargoes: a record or a field that more people see from a time on. The one rule: until then its own level holds, and at that
//! time its level is changed, by the house, as a change like any other. So search, counts, exports and feeds need no rule of their
//! own, and a clock that stands still hides rather than shows.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::opening::head;
use super::{Because, Service, parse_state, state_text};
use crate::contract::records::{Field, RECORDS_WRITE, RecordType};
use crate::kernel::access::{Caller, Level, Object};
use crate::kernel::clock::rfc3339;
use crate::kernel::db::{Tx, Write};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::id::is_id;
use crate::kernel::jobs::{self, JobContext, NewJob, Rule};
use crate::kernel::ledger::{self, NewVersion, Operation};
use crate::modules::records::model::{path, shorten};
use crate::modules::records::store::{self, EmbargoRow, LIVE};

/// The kind of the job and the name of the schedule; stored, never renamed.
pub const EMBARGO: &str = "records.embargo";
/// The kind of what the ledger holds about it.
const KIND: &str = "embargo";
/// Things that a list names, and those that one run opens at a time.
const MOST: i64 = 1_000;
const STEP: i64 = 100;
/// 9999-12-31T00:00:00Z
const LATEST: i64 = 253_402_214_400_000;

/// What opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Record(String),
    /// A field of every record of a type, by its dotted path.
    Field {
        type_name: String,
        field: String,
    },
}

impl Target {
    /// # Errors
    /// A text that is neither `record:ID` nor `type:NAME#FIELD`.
    pub fn parse(text: &str) -> Result<Self> {
        let found = match text.split_once(':') {
            Some(("record", id)) if is_id(id) => Some(Self::Record(id.to_owned())),
            Some(("type", rest)) => rest.split_once('#').map(|(type_name, field)| Self::Field {
                type_name: type_name.to_owned(),
                field: field.to_owned(),
            }),
            _ => None,
        };
        found.ok_or_else(|| {
            let text = format!(
                "is \"record:ID\" or \"type:NAME#FIELD\", not \"{}\".",
                shorten(text, 80)
            );
            Error::invalid("object", text)
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(id) => write!(f, "record:{id}"),
            Self::Field { type_name, field } => write!(f, "type:{type_name}#{field}"),
        }
    }
}

/// Something that opens at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Embargo {
    pub target: Target,
    pub type_name: String,
    pub opens_at: i64,
    pub opens_to: Level,
    /// Who said so, as the ledger names them.
    pub set_by: String,
}

/// What a job is about; everything that is due without an object.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    object: Option<String>,
}

/// Looks for what should be open and is not: after a restored backup, say.
pub fn sweep() -> NewJob {
    NewJob::new(EMBARGO, json!({})).unique_key(EMBARGO)
}

/// Changes the level of a field in a definition; `None` where it is not there.
fn set_level(fields: &mut [Field], path: &str, level: Level) -> Option<()> {
    for field in fields {
        if field.name == path {
            field.level = level;
            return Some(());
        }
        let inner = path.strip_prefix(&field.name).and_then(|rest| rest.strip_prefix('.'));
        if let Some(inner) = inner
            && set_level(&mut field.fields, inner, level).is_some()
        {
            return Some(());
        }
    }
    None
}

impl Service {
    /// May the caller say when this opens? Answers its collection and the level it has now.
    async fn closed(&self, caller: &Caller, target: &Target, to: Option<Level>) -> Result<(String, Level)> {
        match target {
            Target::Record(id) => {
                let (row, _, _) = self.look_live(caller, id).await?;
                let level = row.level()?;
                for visibility in [Some(level), to].into_iter().flatten() {
                    let object = Object::Record {
                        id,
                        type_name: &row.type_name,
                        visibility,
                    };
                    self.access.require(caller, RECORDS_WRITE, &object).await?;
                }
                Ok((row.type_name, level))
            }
            Target::Field { type_name, field } => {
                let stored = self.need_type(type_name).await?;
                self.require_whole(caller, type_name).await?;
                let Some(leaf) = path::find(&stored.definition.fields, field) else {
                    let text = format!("\"{}\" is not a field of \"{type_name}\".", shorten(field, 60));
                    return Err(Error::invalid("object", text));
                };
                Ok((type_name.clone(), leaf.field.level))
            }
        }
    }

    /// Says when something opens and to whom, or says it anew.
    pub async fn embargo(&self, why: &Because<'_>, target: &Target, opens_at: i64, opens_to: Level) -> Result<()> {
        let (type_name, level) = self.closed(why.caller, target, Some(opens_to)).await?;
        if level <= opens_to {
            let text = format!(
                "is not more open than it is now ({}). An embargo opens something to more people.",
                level.as_str()
            );
            return Err(Error::invalid("opens_to", text));
        }
        if opens_at <= self.db.clock().now() || opens_at > LATEST {
            let text = "is a time to come. To open it now, change who may see it.";
            return Err(Error::invalid("opens_at", text));
        }
        let row = &EmbargoRow {
            object: target.to_string(),
            type_name,
            opens_at,
            opens_to: opens_to.as_str().to_owned(),
            set_by: why.caller.actor(),
            set_at: self.db.clock().now(),
        };
        self.db
            .write(Write::interactive("records.embargo"), |tx| {
                Box::pin(async move {
                    tx.lock(&format!("records.embargo/{}", row.object)).await?;
                    store::put_embargo(tx, row).await?;
                    let set = why.open(tx, "embargo.set").await?;
                    said(tx, &set, row, true).await?;
                    let order = Order {
                        object: Some(row.object.clone()),
                    };
                    // Said anew, the job that waits takes the new time.
                    let job = NewJob::new(EMBARGO, serde_json::to_value(order)?)
                        .unique_key(format!("{EMBARGO}/{}", row.object))
                        .rule(Rule::Replace)
                        .run_at(row.opens_at);
                    jobs::enqueue(tx, &Caller::system(), job).await.map(|_| ())
                })
            })
            .await
    }

    /// It does not open by itself any more.
    pub async fn end_embargo(&self, why: &Because<'_>, target: &Target) -> Result<()> {
        self.closed(why.caller, target, None).await?;
        let object = &target.to_string();
        self.db
            .write(Write::interactive("records.embargo"), |tx| {
                Box::pin(async move {
                    tx.lock(&format!("records.embargo/{object}")).await?;
                    let standing = store::embargoes(&mut *tx, Some(object), None, 1).await?;
                    let Some(row) = standing.first() else {
                        return Err(Error::not_found("embargo", object));
                    };
                    store::drop_embargo(tx, object).await?;
                    let set = why.open(tx, "embargo.end").await?;
                    said(tx, &set, row, false).await
                })
            })
            .await
    }

    /// What opens when, the next first: what the caller could say it about.
    pub async fn embargoes(
        &self,
        caller: &Caller,
        target: Option<&Target>,
        type_name: Option<&str>,
    ) -> Result<Vec<Embargo>> {
        let object = target.map(ToString::to_string);
        let rows = store::embargoes(&self.db, object.as_deref(), type_name, MOST).await?;
        let targets: Vec<Target> = rows
            .iter()
            .map(|row| Target::parse(&row.object))
            .collect::<Result<_>>()?;
        let ids = targets.iter().filter_map(|target| match target {
            Target::Record(id) => Some(id.clone()),
            Target::Field { .. } => None,
        });
        let sights = self.see(caller, &ids.collect::<Vec<_>>()).await?;
        let mut found = Vec::new();
        for (row, target) in rows.into_iter().zip(targets) {
            let may = match &target {
                Target::Record(id) => match sights.iter().find(|sight| sight.id == *id && !sight.deleted) {
                    Some(sight) => {
                        let object = Object::Record {
                            id,
                            type_name: &row.type_name,
                            visibility: sight.visibility,
                        };
                        self.access.check(caller, RECORDS_WRITE, &object).await?
                    }
                    None => false,
                },
                Target::Field { type_name, .. } => self.may_change_type(caller, type_name).await?,
            };
            let Some(opens_to) = Level::parse(&row.opens_to).filter(|_| may) else {
                continue;
            };
            found.push(Embargo {
                target,
                type_name: row.type_name,
                opens_at: row.opens_at,
                opens_to,
                set_by: row.set_by,
            });
        }
        Ok(found)
    }

    /// The job: opens what is due, of the object that it was made for or everything. May be asked again.
    pub async fn run_embargo(&self, context: JobContext) -> Result<Value> {
        let order: Order = context.payload()?;
        let mut opened = 0;
        loop {
            context.check()?;
            let now = self.db.clock().now();
            let due = match &order.object {
                Some(object) => store::embargoes(&self.db, Some(object), None, 1).await?,
                None => store::due(&self.db, now, STEP).await?,
            };
            let due: Vec<EmbargoRow> = due.into_iter().filter(|row| row.opens_at <= now).collect();
            if due.is_empty() {
                return Ok(json!({ "opened": opened }));
            }
            for row in &due {
                opened += i64::from(self.open_due(row).await?);
            }
        }
    }

    /// Opens one thing, if it still is to. Answers whether its level changed.
    async fn open_due(&self, row: &EmbargoRow) -> Result<bool> {
        let target = &Target::parse(&row.object)?;
        let to = Level::parse(&row.opens_to).unwrap_or(Level::Restricted);
        let caller = &Caller::system();
        let why = &Because {
            caller,
            reason: "",
            channel: "job",
        };
        self.db
            .write(Write::bulk("records.embargo"), |tx| {
                Box::pin(async move {
                    tx.lock(&format!("records.embargo/{}", row.object)).await?;
                    let standing = store::embargoes(&mut *tx, Some(&row.object), None, 1).await?;
                    if standing.first() != Some(row) {
                        return Ok(false);
                    }
                    let set = why.open(tx, "embargo.open").await?;
                    store::drop_embargo(tx, &row.object).await?;
                    said(tx, &set, row, false).await?;
                    match target {
                        Target::Record(id) => open_record(tx, &set, id, to).await,
                        Target::Field { type_name, field } => self.open_field(tx, &set, type_name, field, to).await,
                    }
                })
            })
            .await
    }

    async fn open_field(&self, tx: &mut Tx<'_>, set: &str, type_name: &str, field: &str, to: Level) -> Result<bool> {
        let Some(stored) = self.type_in(tx, type_name).await? else {
            return Ok(false);
        };
        let mut definition: RecordType = stored.definition.clone();
        let now = path::find(&definition.fields, field).map(|leaf| leaf.field.level);
        if now.is_none_or(|level| level <= to) || set_level(&mut definition.fields, field, to).is_none() {
            return Ok(false);
        }
        Ok(self.put_type_in(tx, set, &definition).await?.position.is_some())
    }
}

async fn open_record(tx: &mut Tx<'_>, set: &str, id: &str, to: Level) -> Result<bool> {
    let Some(row) = store::get(&mut *tx, id).await?.filter(|row| !row.deleted()) else {
        return Ok(false);
    };
    let state = parse_state(row.document.as_deref())?;
    let Some(state) = state.filter(|state| state.visibility > to) else {
        return Ok(false);
    };
    let version = NewVersion {
        entity: id.to_owned(),
        version: row.version + 1,
        kind: ledger::RECORD,
        operation: Operation::Update,
        document: Some(state_text(&row.type_name, to, &state.document)?),
    };
    let now = tx.now();
    if store::advance_heads(tx, vec![head(row, LIVE, to, now)]).await? == 0 {
        let text = "The record was changed at the same time. It is opened at the next try.";
        return Err(Error::new(Code::Busy, text));
    }
    store::show_nodes(tx, &[id.to_owned()]).await?;
    ledger::append(tx, set, vec![version]).await?;
    Ok(true)
}

/// Notes in the ledger what was said about an object, or that it holds no more.
async fn said(tx: &mut Tx<'_>, set: &str, row: &EmbargoRow, holds: bool) -> Result<()> {
    let entity = format!("{KIND}:{}", row.object);
    let last = ledger::versions(&mut *tx, &entity, None, 1).await?.into_iter().next();
    let operation = match (&last, holds) {
        (_, false) => Operation::Delete,
        (None, true) => Operation::Create,
        (Some(last), true) if last.operation == Operation::Delete => Operation::Restore,
        _ => Operation::Update,
    };
    let opens_at = rfc3339(row.opens_at);
    let document = json!({
        "name": format!("{} → {}", opens_at, row.opens_to),
        "object": row.object, "opens_at": opens_at, "opens_to": row.opens_to,
    });
    let version = NewVersion {
        version: last.map_or(1, |last| last.version + 1),
        entity,
        kind: KIND,
        operation,
        document: holds.then(|| document.to_string()),
    };
    ledger::append(tx, set, vec![version]).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: Option<&str>) {
        assert_eq!(
            Target::parse(text).ok().map(|t| t.to_string()).as_deref(),
            want,
            "{text}"
        );
    }

    #[test]
    fn what_opens_is_a_record_or_a_field() {
        let id = crate::kernel::id::new_id();
        check(&format!("record:{id}"), Some(&format!("record:{id}")));
        check("type:fungus#place.exact", Some("type:fungus#place.exact"));
        check("type:fungus", None);
        check("record:1", None);
        check("house", None);
        check("", None);
    }
}
