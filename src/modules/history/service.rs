//! Reads the ledger for a caller: today's visibility decides, and documents are cut to the level of today.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use serde_json::Map;

use super::undo::{Choice, Decided, Kept, Preview, Standing, Undos};
use super::{HISTORY_AUDIT, HISTORY_UNDO};
use crate::contract::records::{RECORDS_DELETE, RecordState, Records, Sight};
use crate::kernel::access::{Access, Caller, Level, Object};
use crate::kernel::db::Db;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::id::is_id;
use crate::kernel::ledger::{self, Change, ChangeSet, Position, SetFilter, Version};

/// Paths that one entry names.
const MAX_PATHS: usize = 200;
/// Changes that are looked at to decide whether somebody may see a change set.
const PROBE: i64 = 20;

/// See the module's text. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    pub db: Db,
    pub access: Access,
    pub records: Arc<dyn Records>,
    pub undos: Undos,
}

/// One state in a history.
pub struct Entry {
    pub version: Version,
    /// What differs from the state before; empty for a first, deleted or redacted one.
    pub changed: Vec<String>,
    pub visibility: Option<Level>,
}

impl Service {
    /// How the caller sees a record. The past of a deleted one is for those who may restore it.
    async fn sight(&self, caller: &Caller, id: &str) -> Result<Sight> {
        let sights = self.records.sights(caller, &[id.to_owned()]).await?;
        let Some(sight) = sights.into_iter().next() else {
            return Err(Error::not_found("record", id));
        };
        if sight.deleted {
            let type_name = &sight.stored_type.definition.name;
            let object = Object::Record {
                id,
                type_name,
                visibility: sight.visibility,
            };
            if !self.access.check(caller, RECORDS_DELETE, &object).await? {
                self.access.refused(caller, RECORDS_DELETE, &object);
                return Err(Error::new(Code::Gone, format!("The record {id} was deleted.")));
            }
        }
        Ok(sight)
    }

    /// The states of a record, newest first, below version `before`; and whether there are older ones.
    pub async fn history(
        &self,
        caller: &Caller,
        id: &str,
        before: Option<i64>,
        limit: i64,
    ) -> Result<(Vec<Entry>, bool)> {
        let sight = self.sight(caller, id).await?;
        // One more than shown: what the last one differs from.
        let versions = ledger::versions(&self.db, id, before, limit + 1).await?;
        let more = versions.len() as i64 > limit;
        let mut states = Vec::with_capacity(versions.len());
        for version in &versions {
            states.push(self.state(&sight, version)?);
        }
        let nothing = Map::new();
        let mut entries = Vec::new();
        for (at, version) in versions
            .into_iter()
            .enumerate()
            .take(usize::try_from(limit).unwrap_or_default())
        {
            let older = states.get(at + 1).and_then(Option::as_ref);
            let changed = match (&states[at], older) {
                (Some(new), Some(old)) => self.records.changed_paths(&old.document, &new.document, MAX_PATHS),
                (Some(new), None) if version.version == 1 => {
                    self.records.changed_paths(&nothing, &new.document, MAX_PATHS)
                }
                _ => Vec::new(),
            };
            let visibility = states[at].as_ref().map(|s| s.visibility);
            entries.push(Entry {
                version,
                changed,
                visibility,
            });
        }
        Ok((entries, more))
    }

    /// One state of a record, with what the caller may see of it today.
    pub async fn version(
        &self,
        caller: &Caller,
        id: &str,
        number: i64,
    ) -> Result<(Version, Option<RecordState>, Sight)> {
        let sight = self.sight(caller, id).await?;
        let found = ledger::version(&self.db, id, number).await?;
        let version = found.ok_or_else(|| Error::not_found("version of this record", &number.to_string()))?;
        let state = self.state(&sight, &version)?;
        Ok((version, state, sight))
    }

    fn state(&self, sight: &Sight, version: &Version) -> Result<Option<RecordState>> {
        let Some(text) = &version.document else { return Ok(None) };
        let mut state: RecordState = serde_json::from_str(text)?;
        state.document = self
            .records
            .cut(&sight.stored_type.definition, sight.level, state.document);
        Ok(Some(state))
    }

    /// The title of a state.
    pub fn title(&self, sight: &Sight, state: &RecordState) -> String {
        self.records.title(&sight.stored_type.definition, &state.document)
    }

    /// Does the caller see everything, so that counts betray nothing?
    pub async fn sees_all(&self, caller: &Caller) -> Result<bool> {
        Ok(self.access.level(caller, &Object::House).await? == Some(Level::Restricted))
    }

    /// May the caller know of change sets about people and what they may?
    pub async fn sees_people(&self, caller: &Caller) -> Result<bool> {
        self.access.check(caller, HISTORY_AUDIT, &Object::House).await
    }

    /// A change set, unless it is one about people and the caller is no auditor.
    pub async fn known(&self, caller: &Caller, id: &str) -> Result<ChangeSet> {
        let found = if is_id(id) {
            ledger::set(&self.db, id).await?
        } else {
            None
        };
        match found {
            Some(set) if !ledger::is_about_people(&set.kind) || self.sees_people(caller).await? => Ok(set),
            _ => Err(Error::not_found("change set", &id.chars().take(60).collect::<String>())),
        }
    }

    /// Change sets, newest first; and where to go on. A set of which the caller can see nothing is
    /// left out, so that its reason tells nothing either.
    pub async fn sets(
        &self,
        caller: &Caller,
        filter: &SetFilter,
        limit: i64,
    ) -> Result<(Vec<ChangeSet>, Option<String>)> {
        let (sets, next) = self.all_sets(caller, filter, limit).await?;
        if self.sees_all(caller).await? {
            return Ok((sets, next));
        }
        let mut shown = Vec::with_capacity(sets.len());
        for set in sets {
            if self.sees_some(caller, &set.id).await? {
                shown.push(set);
            }
        }
        Ok((shown, next))
    }

    /// A page of change sets, without those about people for who is no auditor; and where to go on.
    pub async fn all_sets(
        &self,
        caller: &Caller,
        filter: &SetFilter,
        limit: i64,
    ) -> Result<(Vec<ChangeSet>, Option<String>)> {
        let mut sets = ledger::sets(&self.db, filter, limit).await?;
        let last = sets.last().filter(|_| sets.len() as i64 == limit);
        let next = last.map(|set| set.id.clone());
        if sets.iter().any(|set| ledger::is_about_people(&set.kind)) && !self.sees_people(caller).await? {
            sets.retain(|set| !ledger::is_about_people(&set.kind));
        }
        Ok((sets, next))
    }

    async fn sees_some(&self, caller: &Caller, set_id: &str) -> Result<bool> {
        let changes = ledger::set_changes(&self.db, set_id, Position::default(), PROBE).await?;
        Ok(!self.visible(caller, changes).await?.is_empty())
    }

    /// One change set with a page of what it changed, after a place in the ledger.
    pub async fn set(
        &self,
        caller: &Caller,
        id: &str,
        after: Position,
        limit: i64,
    ) -> Result<(ChangeSet, Vec<Change>, Option<Position>)> {
        let missing = || Error::not_found("change set", id);
        let set = self.known(caller, id).await?;
        let all = self.sees_all(caller).await?;
        if !all && !self.sees_some(caller, id).await? {
            return Err(missing());
        }
        let changes = ledger::set_changes(&self.db, id, after, limit).await?;
        let next = if changes.len() as i64 == limit {
            changes.last().map(|c| c.at)
        } else {
            None
        };
        let changes = if all {
            changes
        } else {
            self.visible(caller, changes).await?
        };
        Ok((set, changes, next))
    }

    /// A change set of which the caller may see something, and who to ask for where that is not all.
    async fn seen_set<'c>(&self, caller: &'c Caller, id: &str) -> Result<(ChangeSet, Option<&'c Caller>)> {
        let set = self.known(caller, id).await?;
        let all = self.sees_all(caller).await?;
        if all || self.sees_some(caller, id).await? {
            return Ok((set, (!all).then_some(caller)));
        }
        Err(Error::not_found("change set", &id.chars().take(60).collect::<String>()))
    }

    /// What taking a change set back would do to what the caller sees of it.
    pub async fn undo_preview(&self, caller: &Caller, id: &str) -> Result<Preview> {
        let (set, seen_by) = self.seen_set(caller, id).await?;
        self.undos.preview(seen_by, set).await
    }

    /// Begins to take a change set back of which the caller sees something. Answers the job.
    pub async fn undo(&self, caller: &Caller, id: &str, reason: &str) -> Result<String> {
        let (set, seen_by) = self.seen_set(caller, id).await?;
        let changes = ledger::set_changes(&self.db, id, Position::default(), PROBE).await?;
        let records = changes.into_iter().filter(|change| change.kind == ledger::RECORD);
        let ids: Vec<String> = records.map(|change| change.entity).collect();
        let sights = self.records.sights(caller, &ids).await?;
        let is_theirs = self.takes_back_some(caller, &sights).await?;
        self.undos.start(caller, seen_by, set, reason, is_theirs).await
    }

    /// Does the caller take back anything in a collection of these records? Whoever does not stops nothing and begins
    /// nothing. Types are asked one by one when they are put back.
    async fn takes_back_some(&self, caller: &Caller, sights: &[Sight]) -> Result<bool> {
        let names: BTreeSet<&str> = sights
            .iter()
            .map(|sight| sight.stored_type.definition.name.as_str())
            .collect();
        for name in &names {
            if self.access.check(caller, HISTORY_UNDO, &Object::Type(name)).await? {
                return Ok(true);
            }
        }
        if let Some(name) = names.first() {
            self.access.require(caller, HISTORY_UNDO, &Object::Type(name)).await?;
        }
        Ok(false)
    }

    /// The undos of a change set that the caller sees something of, newest first; without counts of what they cannot see.
    pub async fn undos_of(&self, caller: &Caller, id: &str) -> Result<Vec<(Standing, bool)>> {
        let all = self.sees_all(caller).await?;
        let mut seen = Vec::new();
        for undo in self.undos.of(id).await? {
            if all || self.sees_some(caller, &undo.set_id).await? {
                seen.push((undo, all));
            }
        }
        Ok(seen)
    }

    /// What an undo left after an entity, as far as the caller may see it; and where to go on.
    pub async fn left(
        &self,
        caller: &Caller,
        id: &str,
        after: Option<&str>,
        limit: i64,
    ) -> Result<(Vec<Kept>, Option<String>)> {
        let all = self.sees_all(caller).await?;
        if self.undos.which_is(id).await?.is_none() || (!all && !self.sees_some(caller, id).await?) {
            return Err(Error::not_found("undo", &id.chars().take(60).collect::<String>()));
        }
        let mut kept = self.undos.left(id, after, limit).await?;
        let next = kept
            .last()
            .filter(|_| kept.len() as i64 == limit)
            .map(|k| k.entity.clone());
        if !all {
            self.only_seen(caller, &mut kept).await?;
        }
        Ok((kept, next))
    }

    /// What an undo left and is open, after an entity, as far as the caller may see it; the change it undid; and where to
    /// go on.
    pub async fn open(
        &self,
        caller: &Caller,
        id: &str,
        after: &str,
        limit: i64,
    ) -> Result<(Standing, Vec<Kept>, Option<String>)> {
        let missing = || Error::not_found("undo", &id.chars().take(60).collect::<String>());
        let (_, seen_by) = self.seen_set(caller, id).await?;
        let standing = self.undos.which_is(id).await?.ok_or_else(missing)?;
        let mut open = self.undos.open(id, after, limit).await?;
        let next = open
            .last()
            .filter(|_| open.len() as i64 == limit)
            .map(|kept| kept.entity.clone());
        if seen_by.is_some() {
            self.only_seen(caller, &mut open).await?;
        }
        Ok((standing, open, next))
    }

    async fn only_seen(&self, caller: &Caller, kept: &mut Vec<Kept>) -> Result<()> {
        let ids: Vec<String> = kept.iter().map(|k| k.entity.clone()).collect();
        let sights = self.records.sights(caller, &ids).await?;
        kept.retain(|k| sights.iter().any(|s| s.id == k.entity));
        Ok(())
    }

    /// Decides about what an undo left: about those named, or about everything that was changed since.
    pub async fn decide(
        &self,
        caller: &Caller,
        id: &str,
        choice: Choice,
        which: Option<&[String]>,
        reason: &str,
    ) -> Result<Decided> {
        let (_, seen_by) = self.seen_set(caller, id).await?;
        if seen_by.is_some() || !self.access.check(caller, HISTORY_UNDO, &Object::House).await? {
            let Some(ids) = which else {
                let text = "Name those you decide about: you do not see all of what was left.";
                return Err(Error::invalid("records", text));
            };
            let sights = self.records.sights(caller, ids).await?;
            let names: BTreeSet<&str> = sights
                .iter()
                .map(|sight| sight.stored_type.definition.name.as_str())
                .collect();
            for name in names {
                self.access.require(caller, HISTORY_UNDO, &Object::Type(name)).await?;
            }
            if let Some(hidden) = ids.iter().find(|id| !sights.iter().any(|s| s.id == **id)) {
                return Err(Error::not_found("record", &hidden.chars().take(60).collect::<String>()));
            }
        }
        self.undos.decide(caller, id, choice, which, reason).await
    }

    /// Those changes whose record or type the caller may see today.
    async fn visible(&self, caller: &Caller, changes: Vec<Change>) -> Result<Vec<Change>> {
        let ids: Vec<String> = changes
            .iter()
            .filter(|c| c.kind == ledger::RECORD)
            .map(|c| c.entity.clone())
            .collect();
        let sights = self.records.sights(caller, &ids).await?;
        let seen: HashSet<String> = sights.into_iter().map(|s| s.id).collect();
        // A deletion may be known to whoever might have read the record; settings and the like are the keepers' own.
        Ok(changes
            .into_iter()
            .filter(|c| c.kind == ledger::TYPE || seen.contains(&c.entity))
            .collect())
    }
}
