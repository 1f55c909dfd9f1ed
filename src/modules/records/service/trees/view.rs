//! Trees as somebody sees them: the way to a record from the top down, and what hangs below one, page by page. What is
//! hidden leads nowhere: a way that passes through it begins below it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::DEEPEST;
use crate::contract::records::{RECORDS_READ, RecordType, StoredType};
use crate::kernel::access::{Caller, Level, Object};
use crate::kernel::error::{Error, Result};
use crate::kernel::ledger;
use crate::kernel::search::{Below, InTree, Search};
use crate::modules::records::model::shape;
use crate::modules::records::model::tree::Tree;
use crate::modules::records::service::{Seen, Service};
use crate::modules::records::store::{self, Place};

/// A record on a way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub id: String,
    pub title: String,
}

/// A record that hangs somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Twig {
    pub id: String,
    pub title: String,
    pub visibility: Level,
    /// Something that the caller may see hangs below it.
    pub is_above: bool,
}

/// What hangs below a record, or at the top.
#[derive(Clone, Debug)]
pub struct Branch {
    pub stored_type: Arc<StoredType>,
    /// The record, cut to what the caller may see; none at the top.
    pub at: Option<Seen>,
    /// The way to it, from the top down, itself left out.
    pub path: Vec<Step>,
    pub twigs: Vec<Twig>,
    /// The last one of this page, when there are more.
    pub next: Option<Place>,
}

impl Service {
    /// The definition of a type that is a tree to this caller.
    ///
    /// # Errors
    /// `NotFound` where it is none, or its field of the parent is hidden.
    pub async fn tree_of(&self, caller: &Caller, type_name: &str) -> Result<(Arc<StoredType>, RecordType)> {
        let stored = self.need_type(type_name).await?;
        let shown = self.shown_type(caller, &stored).await?;
        let shown = shown.filter(|definition| definition.parent.is_some());
        let shown = shown.ok_or_else(|| Error::not_found("tree", type_name))?;
        Ok((stored, shown))
    }

    /// A page of what hangs below a record, or at the top of a type.
    ///
    /// # Errors
    /// `NotFound` where there is no such tree or record.
    pub async fn branch(
        &self,
        caller: &Caller,
        type_name: &str,
        under: Option<&str>,
        after: Option<&Place>,
        limit: i64,
    ) -> Result<Branch> {
        let (stored_type, _) = self.tree_of(caller, type_name).await?;
        let at = match under {
            Some(id) => {
                let seen = self.read(caller, id).await?;
                if seen.record.type_name != type_name {
                    return Err(Error::not_found("record of this tree", id));
                }
                Some(seen)
            }
            None => None,
        };
        let path = match under {
            Some(id) => self
                .paths_of(caller, &[id.to_owned()])
                .await?
                .remove(id)
                .unwrap_or_default(),
            None => Vec::new(),
        };
        let sees = self.sees_of(caller, type_name).await?;
        let mut places =
            store::children(&self.db, type_name, under.unwrap_or_default(), &sees, after, limit + 1).await?;
        let more = places.len() as i64 > limit;
        places.truncate(usize::try_from(limit).unwrap_or_default());
        let next = places.last().cloned().filter(|_| more);
        let ids: Vec<String> = places.into_iter().map(|(_, id)| id).collect();
        let twigs = self.twigs(caller, &sees, &ids).await?;
        Ok(Branch {
            stored_type,
            at,
            path,
            twigs,
            next,
        })
    }

    /// The visibilities of records of a type that the caller may see.
    async fn sees_of(&self, caller: &Caller, type_name: &str) -> Result<Vec<String>> {
        let readable = self.readable(caller, RECORDS_READ, Some(type_name)).await?;
        let own = readable.iter().filter_map(|one| one.rsplit_once('/'));
        Ok(own.map(|(_, visibility)| visibility.to_owned()).collect())
    }

    async fn twigs(&self, caller: &Caller, sees: &[String], ids: &[String]) -> Result<Vec<Twig>> {
        let above = store::are_above(&self.db, ids).await?;
        let seen = self.titled(caller, ids).await?;
        let twig = |id: &String| {
            let (title, visibility, _) = seen.get(id)?;
            let hanging = above.get(id).copied().unwrap_or_default();
            let is_above = Level::ALL
                .iter()
                .any(|level| hanging[*level as usize] && sees.iter().any(|one| one == level.as_str()));
            Some(Twig {
                id: id.clone(),
                title: title.clone(),
                visibility: *visibility,
                is_above,
            })
        };
        Ok(ids.iter().filter_map(twig).collect())
    }

    /// What the caller may see of these live records: title, visibility, and whether they see what it hangs below.
    async fn titled(&self, caller: &Caller, ids: &[String]) -> Result<HashMap<String, (String, Level, bool)>> {
        let rows = store::get_many(&self.db, ids).await?;
        let live = rows.into_iter().filter(|row| !row.deleted()).collect();
        let mut found = HashMap::new();
        for (row, stored, level) in self.visible(caller, live).await? {
            let (id, visibility) = (row.id.clone(), row.level()?);
            let document = shape::cut(&stored.definition.fields, level, row.record()?.document);
            let mut title = shape::title(&stored.definition, &document);
            if title.trim().is_empty() {
                title.clone_from(&id);
            }
            let climbs = Tree::of(&stored.definition).is_some_and(|tree| tree.parent.level <= level);
            found.insert(id, (title, visibility, climbs));
        }
        Ok(found)
    }

    /// The ways to these records from the top down, themselves left out. Those that hang below nothing are left out.
    ///
    /// # Errors
    /// What the database says.
    pub async fn paths_of(&self, caller: &Caller, ids: &[String]) -> Result<HashMap<String, Vec<Step>>> {
        let mut above: HashMap<String, String> = HashMap::new();
        let mut wanted: HashSet<String> = ids.iter().cloned().collect();
        for _ in 0..=DEEPEST {
            let asked: Vec<String> = wanted.drain().collect();
            if asked.is_empty() {
                break;
            }
            for (id, parent, _, _) in store::parents(&self.db, &asked).await? {
                if !parent.is_empty() && !above.contains_key(&parent) {
                    wanted.insert(parent.clone());
                }
                above.insert(id, parent);
            }
        }
        let mut all: HashSet<&String> = above.keys().collect();
        all.extend(ids);
        let all: Vec<String> = all.into_iter().cloned().collect();
        let seen = self.titled(caller, &all).await?;
        let mut paths = HashMap::new();
        for id in ids {
            let mut path = Vec::new();
            let mut at = id;
            while let Some(parent) = above
                .get(at)
                .filter(|_| seen.get(at).is_some_and(|(_, _, climbs)| *climbs))
            {
                let Some((title, _, _)) = seen.get(parent).filter(|_| path.len() <= DEEPEST) else {
                    break;
                };
                path.push(Step {
                    id: parent.clone(),
                    title: title.clone(),
                });
                at = parent;
            }
            path.reverse();
            if !path.is_empty() {
                paths.insert(id.clone(), path);
            }
        }
        Ok(paths)
    }

    /// How much hangs below each record of a branch, as far as the caller may find it. Nothing where no index answers.
    pub async fn count_twigs(&self, caller: &Caller, search: &Search, branch: &Branch) -> HashMap<String, Below> {
        let ids = branch.twigs.iter().map(|twig| twig.id.clone()).collect();
        self.count_inside(caller, search, &branch.stored_type.definition, ids)
            .await
    }

    /// The same of any records of a tree.
    pub async fn count_inside(
        &self,
        caller: &Caller,
        search: &Search,
        definition: &RecordType,
        ids: Vec<String>,
    ) -> HashMap<String, Below> {
        let (Some(parent), Ok(view)) = (&definition.parent, self.access.filter(caller, RECORDS_READ).await) else {
            return HashMap::new();
        };
        let tree = InTree {
            type_name: definition.name.clone(),
            parent: parent.clone(),
        };
        search.below(ledger::RECORD, tree, ids, view).await.unwrap_or_default()
    }

    /// How many records hang below one at any depth, whoever may see them, up to a limit: for who is about to move them.
    ///
    /// # Errors
    /// `NotFound` for what the caller may not see.
    pub async fn count_below(&self, caller: &Caller, id: &str, most: i64) -> Result<i64> {
        let seen = self.read(caller, id).await?;
        let object = Object::Record {
            id,
            type_name: &seen.record.type_name,
            visibility: seen.record.visibility,
        };
        self.access
            .require(caller, crate::contract::records::RECORDS_WRITE, &object)
            .await?;
        store::count_below(&self.db, id, most).await
    }
}
