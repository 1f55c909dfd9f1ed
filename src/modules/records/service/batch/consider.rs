//! What a rule makes of records, one by one and without writing: the document after it, or why the record stays as it is.
//! Both the look beforehand and the job ask here, so that one never promises what the other does not do.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Item, permission};
use crate::contract::records::{RecordState, StoredType};
use crate::kernel::access::{Caller, Level, Object};
use crate::kernel::error::{Code, Error, Result};
use crate::modules::records::model::rule::Rule;
use crate::modules::records::model::{patch, shape};
use crate::modules::records::service::edit::admit;
use crate::modules::records::service::restore::Put;
use crate::modules::records::service::{Service, parse_state, state_text};
use crate::modules::records::store::{self, Row};

/// What is to become of a record.
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    /// It gets another state.
    Put(Box<Put>),
    Remove(Box<Row>),
    Unchanged,
    Refused(String),
}

/// A record of a batch with what is to become of it.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub item: Item,
    pub verdict: Verdict,
    /// How its caller sees it; nothing where they do not.
    pub level: Option<Level>,
}

pub(super) const GONE: &str = "It is not there any more.";
pub(super) const FORBIDDEN: &str = "You may not change it.";
const CHANGED: &str = "Somebody changed it after it was chosen.";

impl Service {
    /// Considers the records of these items as they stand now. `stored` is what the type was when this began; a record of a
    /// newer one waits until it is read again.
    pub(super) async fn consider(
        &self,
        caller: &Caller,
        rule: &Rule,
        stored: &Arc<StoredType>,
        items: Vec<Item>,
    ) -> Result<Vec<Case>> {
        let ids: Vec<String> = items.iter().map(|item| item.record_id.clone()).collect();
        let rows = store::get_many(&self.db, &ids).await?;
        let mut seen: HashMap<String, (Row, Level)> = HashMap::with_capacity(rows.len());
        for (row, _, level) in self.visible(caller, rows).await? {
            if row.type_name == stored.definition.name && !row.deleted() {
                seen.insert(row.id.clone(), (row, level));
            }
        }
        let may = self.allowed(caller, rule, &seen).await?;
        let mut cases = Vec::with_capacity(items.len());
        for item in items {
            let Some((row, level)) = seen.remove(&item.record_id) else {
                cases.push(Case {
                    item,
                    verdict: Verdict::Refused(GONE.to_owned()),
                    level: None,
                });
                continue;
            };
            let verdict = if may.get(&item.record_id).copied().unwrap_or_default() {
                verdict(rule, stored, &item, row, level)?
            } else {
                Verdict::Refused(FORBIDDEN.to_owned())
            };
            cases.push(Case {
                item,
                verdict,
                level: Some(level),
            });
        }
        Ok(cases)
    }

    /// Which of these records the caller may do this to.
    async fn allowed(
        &self,
        caller: &Caller,
        rule: &Rule,
        seen: &HashMap<String, (Row, Level)>,
    ) -> Result<HashMap<String, bool>> {
        let mut may: HashMap<String, bool> = HashMap::with_capacity(seen.len());
        let mut parts = Vec::with_capacity(seen.len());
        for (row, _) in seen.values() {
            let now = row.level()?;
            let then = if let Rule::Visibility(to) = rule { *to } else { now };
            parts.extend([(row, now), (row, then)]);
        }
        let mut objects = Vec::with_capacity(parts.len());
        for (row, visibility) in &parts {
            objects.push(Object::Record {
                id: &row.id,
                type_name: &row.type_name,
                visibility: *visibility,
            });
        }
        let levels = self.access.levels(caller, permission(rule), &objects).await?;
        for ((row, _), level) in parts.iter().zip(levels) {
            *may.entry(row.id.clone()).or_insert(true) &= level.is_some();
        }
        Ok(may)
    }
}

fn verdict(rule: &Rule, stored: &StoredType, item: &Item, row: Row, level: Level) -> Result<Verdict> {
    match rule {
        Rule::Delete if row.version != item.version => Ok(Verdict::Refused(CHANGED.to_owned())),
        Rule::Delete => Ok(Verdict::Remove(Box::new(row))),
        Rule::Visibility(to) if row.level()? == *to => Ok(Verdict::Unchanged),
        Rule::Visibility(to) => {
            let Some(state) = parse_state(row.document.as_deref())? else {
                return Ok(Verdict::Refused(GONE.to_owned()));
            };
            let was = state.document.clone();
            put(
                row,
                was,
                RecordState {
                    visibility: *to,
                    ..state
                },
            )
        }
        Rule::Change(change) => changed(|shown| change.apply(shown), stored, row, level),
        Rule::Fill(fill) => changed(|shown| fill.apply(&item.record_id, shown), stored, row, level),
    }
}

/// The record after what somebody who sees it at this level does to its document.
fn changed(
    apply: impl FnOnce(&Map<String, Value>) -> Result<Option<Map<String, Value>>, String>,
    stored: &StoredType,
    row: Row,
    level: Level,
) -> Result<Verdict> {
    let definition = &stored.definition;
    let Some(state) = parse_state(row.document.as_deref())? else {
        return Ok(Verdict::Refused(GONE.to_owned()));
    };
    let shown = shape::cut(&definition.fields, level, state.document.clone());
    let edited = match apply(&shown) {
        Ok(Some(edited)) => edited,
        Ok(None) => return Ok(Verdict::Unchanged),
        Err(why) => return Ok(Verdict::Refused(why)),
    };
    match admit(definition, level, Some(&state.document), &edited) {
        Ok(document) if patch::same(&document, &state.document) => Ok(Verdict::Unchanged),
        Ok(document) => {
            let was = state.document.clone();
            put(row, was, RecordState { document, ..state })
        }
        Err(error) => refused(error),
    }
}

fn put(row: Row, was: Map<String, Value>, state: RecordState) -> Result<Verdict> {
    match state_text(&state.type_name, state.visibility, &state.document) {
        Ok(text) => Ok(Verdict::Put(Box::new(Put {
            row,
            was: Some(was),
            state,
            text,
        }))),
        Err(error) => refused(error),
    }
}

/// A refusal of one record; anything else breaks the batch off.
fn refused(error: Error) -> Result<Verdict> {
    let ours = matches!(error.code(), Code::Invalid | Code::Forbidden | Code::TooLarge);
    if !ours {
        return Err(error);
    }
    let Some(issue) = error.fields().first() else {
        return Ok(Verdict::Refused(error.detail().to_owned()));
    };
    let words = if issue.path.is_empty() {
        issue.message.clone()
    } else {
        format!("{} {}", issue.path, issue.message)
    };
    Ok(Verdict::Refused(words))
}
