//! What the search index has to know beyond a record itself: everything it hangs below through one of its links, what
//! those links lead to is called, and whom a change reaches besides the record that was changed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{DEEPEST, parse_state};
use crate::contract::records::{RECORDS_READ, Record, RecordState, RecordType, StoredType};
use crate::kernel::access::{Caller, Level, Object};
use crate::kernel::error::Result;
use crate::kernel::search::Reached;
use crate::modules::records::model::path::{self, Leaf};
use crate::modules::records::model::shape;
use crate::modules::records::model::tree::Tree;
use crate::modules::records::service::Service;
use crate::modules::records::store;

/// What records hang below, and the level of the field that says so, by type.
#[derive(Default)]
pub struct Above {
    /// Parent, type and visibility.
    nodes: HashMap<String, (String, String, Level)>,
    levels: HashMap<String, Level>,
}

impl Above {
    /// Everything that what a link leads to stands for: itself, and what it hangs below; each with the level of what has to
    /// be seen in the tree to know that.
    pub fn of(&self, id: &str) -> Vec<(String, Level)> {
        let mut found: Vec<(String, Level)> = Vec::new();
        let mut through = Level::Public;
        let mut at = id;
        while let Some((parent, type_name, visibility)) = self.nodes.get(at) {
            let Some(level) = self.levels.get(type_name) else { break };
            found.push((at.to_owned(), through));
            through = through.max(*level).max(*visibility);
            if parent.is_empty() || found.len() > 5 * DEEPEST {
                break;
            }
            at = parent;
        }
        found
    }
}

/// What others are called whom everybody may see, by id.
pub type Shown = HashMap<String, String>;

impl Service {
    /// What the links of these records lead to and hang below.
    ///
    /// # Errors
    /// What the database says.
    pub async fn above(&self, records: &[(Record, Arc<StoredType>)]) -> Result<Above> {
        let mut above = Above::default();
        for stored in self.all_types().await? {
            if let Some(tree) = Tree::of(&stored.definition) {
                above.levels.insert(stored.definition.name.clone(), tree.parent.level);
            }
        }
        if above.levels.is_empty() {
            return Ok(above);
        }
        let mut wanted: HashSet<String> = targets(records, |leaf| {
            leaf.field
                .target
                .as_ref()
                .is_some_and(|target| above.levels.contains_key(target))
        });
        while !wanted.is_empty() {
            let ids: Vec<String> = wanted.drain().collect();
            for some in ids.chunks(10_000) {
                for (id, parent, type_name, visibility) in store::parents(&self.db, some).await? {
                    if !parent.is_empty() && !above.nodes.contains_key(&parent) {
                        wanted.insert(parent.clone());
                    }
                    let visibility = Level::parse(&visibility).unwrap_or(Level::Restricted);
                    above.nodes.insert(id, (parent, type_name, visibility));
                }
            }
            wanted.retain(|id| !above.nodes.contains_key(id));
        }
        Ok(above)
    }

    /// What the records are called that the links of these lead to, those that everybody may see.
    ///
    /// # Errors
    /// What the database says.
    pub async fn shown(&self, records: &[(Record, Arc<StoredType>)]) -> Result<Shown> {
        let ids: Vec<String> = targets(records, |_| true).into_iter().collect();
        let mut shown = Shown::new();
        // Where a house or a collection is closed to the public, what is called what is not told by others either.
        let mut open: HashMap<String, bool> = HashMap::new();
        for some in ids.chunks(1_000) {
            for (record, stored) in self.live_with_types(some).await? {
                let type_name = &record.type_name;
                if !open.contains_key(type_name) {
                    let object = Object::Record {
                        id: &record.id,
                        type_name,
                        visibility: Level::Public,
                    };
                    let may = self.access.check(&Caller::anonymous(), RECORDS_READ, &object).await?;
                    open.insert(type_name.clone(), may);
                }
                if open.get(type_name) != Some(&true) {
                    continue;
                }
                let (title, level) = shape::title_with_level(&stored.definition, &record.document);
                if record.visibility == Level::Public && level == Level::Public && !title.is_empty() {
                    shown.insert(record.id, title);
                }
            }
        }
        Ok(shown)
    }

    /// Those of these changed records whose change others tell of, too: one that is called otherwise, that others see, or
    /// that hangs elsewhere.
    ///
    /// # Errors
    /// What the database says.
    pub async fn reached(&self, changes: &[(String, i64)]) -> Result<Vec<Reached>> {
        // What was made just now has nobody that points at it from before.
        let changed: Vec<String> = changes
            .iter()
            .filter(|(_, version)| *version > 1)
            .map(|(id, _)| id.clone())
            .collect();
        if changed.is_empty() {
            return Ok(Vec::new());
        }
        let pointed = store::pointed_at(&self.db, &changed).await?;
        if pointed.is_empty() {
            return Ok(Vec::new());
        }
        let wanted: HashSet<&(String, i64)> = changes.iter().collect();
        let versions = changes
            .iter()
            .filter(|(id, version)| *version > 1 && pointed.contains(id));
        let first = versions.map(|(_, version)| *version).min().unwrap_or(2);
        let mut types: HashMap<String, Option<Arc<StoredType>>> = HashMap::new();
        let mut reached: HashMap<String, bool> = HashMap::new();
        for (id, version, after, before) in store::steps(&self.db, &pointed, first).await? {
            if !wanted.contains(&(id.clone(), version)) {
                continue;
            }
            let (after, before) = (parse_state(after.as_deref())?, parse_state(before.as_deref())?);
            let type_name = after.as_ref().or(before.as_ref()).map(|state| state.type_name.clone());
            let Some(type_name) = type_name else { continue };
            if !types.contains_key(&type_name) {
                types.insert(type_name.clone(), self.find_type(&type_name).await?);
            }
            let Some(Some(stored)) = types.get(&type_name) else {
                continue;
            };
            if let Some(deep) = differs(&stored.definition, before.as_ref(), after.as_ref()) {
                *reached.entry(id).or_default() |= deep;
            }
        }
        Ok(reached.into_iter().map(|(id, deep)| Reached { id, deep }).collect())
    }

    /// Who points at a record, after an id: each with whether it hangs below it and has others that point at it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn pointing(&self, id: &str, after: &str, limit: i64) -> Result<Vec<(String, bool)>> {
        store::pointing(&self.db, id, after, limit).await
    }
}

/// Whether others tell of the difference between two states; `true` where what hangs below hears of it, too.
fn differs(definition: &RecordType, before: Option<&RecordState>, after: Option<&RecordState>) -> Option<bool> {
    let (Some(before), Some(after)) = (before, after) else {
        return Some(true);
    };
    let tree = Tree::of(definition);
    let seen = before.visibility != after.visibility;
    let moved = tree
        .as_ref()
        .is_some_and(|tree| tree.parent_of(&before.document) != tree.parent_of(&after.document));
    let title = |state: &RecordState| shape::title(definition, &state.document);
    (seen || moved || title(before) != title(after)).then_some(moved || (seen && tree.is_some()))
}

/// Where links lead.
fn targets(records: &[(Record, Arc<StoredType>)], counts: impl Fn(&Leaf<'_>) -> bool) -> HashSet<String> {
    let mut linking: HashMap<&str, Vec<Leaf<'_>>> = HashMap::new();
    let mut found = HashSet::new();
    for (record, stored) in records {
        let leaves = linking.entry(stored.id.as_str()).or_insert_with(|| {
            let mut leaves = path::linking(&stored.definition);
            leaves.retain(&counts);
            leaves
        });
        for leaf in leaves.iter() {
            let values = path::values(&record.document, &leaf.steps);
            found.extend(values.into_iter().filter_map(path::text));
        }
    }
    found
}
