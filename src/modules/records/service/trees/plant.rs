//! A type that has records becomes a tree, or puts siblings into another order: where its records hang is written down
//! first in steps beside everybody's work, which nobody sees; then, in the transaction that changes the type, for those that
//! were written meanwhile. Steps can be repeated by anybody at any time.

use std::collections::{HashMap, HashSet};
use std::sync::PoisonError;

use super::{Hung, Moves, Wrong, issue, node, parse_state, wrong_moves};
use crate::contract::records::RecordType;
use crate::kernel::db::{Tx, Write};
use crate::kernel::error::{Code, Error, FieldIssue, Result};
use crate::kernel::ledger;
use crate::modules::records::model::tree::{Tree, is_planted_anew};
use crate::modules::records::service::Service;
use crate::modules::records::service::identify::late;
use crate::modules::records::store::{self, Node, Row};

/// Records of one step; a type with no more needs no step before.
const STEP: i64 = 300;
/// Records that are named when they cannot hang where they say.
const NAMED: usize = 10;
/// Stands for the tree among the fields that were prepared. No field has such a name.
const PREPARED: &str = "\u{1}tree";

impl Service {
    /// Writes down where the records of a type hang that this definition makes a tree, as far as that can be done beforehand.
    ///
    /// # Errors
    /// Records that would hang below themselves, or below what is not there, by name; what `go_on` says.
    pub(in crate::modules::records::service) async fn plant(
        &self,
        wanted: &RecordType,
        go_on: &(dyn Fn() -> Result<()> + Send + Sync),
    ) -> Result<()> {
        let Some(standing) = self.find_type(&wanted.name).await? else {
            return Ok(());
        };
        let few = store::ids_after(&self.db, &wanted.name, "", STEP + 1).await?.len() as i64 <= STEP;
        if few || !is_planted_anew(&standing.definition, wanted) || Tree::of(wanted).is_none() {
            return Ok(());
        }
        let since = ledger::settled(&self.db).await?;
        let (mut after, mut above) = (String::new(), HashMap::new());
        loop {
            go_on()?;
            let ids = store::ids_after(&self.db, &wanted.name, &after, STEP).await?;
            let Some(last) = ids.last() else { break };
            after.clone_from(last);
            let some = &ids;
            let nodes = self
                .db
                .write(Write::bulk("types.plant"), |tx| {
                    Box::pin(async move { plant_some(tx, wanted, some).await })
                })
                .await?;
            above.extend(nodes.into_iter().map(|node| (node.id, node.parent_id)));
        }
        self.refuse_astray(wanted, &above).await?;
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        prepared.insert((wanted.name.clone(), PREPARED.to_owned()), since);
        Ok(())
    }

    /// Refuses records that lead back to themselves, or below what is not there.
    async fn refuse_astray(&self, wanted: &RecordType, above: &HashMap<String, String>) -> Result<()> {
        let astray = astray(above);
        if astray.is_empty() {
            return Ok(());
        }
        let definition = wanted;
        self.db
            .write(Write::bulk("types.plant"), |tx| {
                let astray = &astray;
                Box::pin(async move { Err::<(), _>(Error::invalid_fields(told(tx, definition, astray).await?)) })
            })
            .await
    }

    /// The last step, in the transaction that changes the type. From its start on nobody writes records under the old one.
    pub(in crate::modules::records::service) async fn finish_planting(
        &self,
        tx: &mut Tx<'_>,
        old: &RecordType,
        wanted: &RecordType,
    ) -> Result<()> {
        if !is_planted_anew(old, wanted) {
            return Ok(());
        }
        let mut ids = store::ids_after(&mut *tx, &wanted.name, "", STEP + 1).await?;
        if ids.len() as i64 > STEP {
            let key = (wanted.name.clone(), PREPARED.to_owned());
            let since = self
                .prepared
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get(&key)
                .copied();
            let Some(since) = since else {
                let text = "All records have to be looked at before the type can be a tree. Change the type by itself.";
                return Err(Error::new(Code::Conflict, text));
            };
            ids = late(tx, &wanted.name, since).await?;
        }
        let nodes = plant_some(tx, wanted, &ids).await?;
        let moves: Moves = nodes
            .iter()
            .filter(|node| !node.parent_id.is_empty())
            .map(|node| (node.id.clone(), node.parent_id.clone()))
            .collect();
        let mut wrong: Vec<(String, Option<Wrong>)> = wrong_moves(tx, &moves)
            .await?
            .into_iter()
            .map(|(id, wrong)| (id, Some(wrong)))
            .collect();
        let wanted_ids: HashSet<String> = moves.values().cloned().collect();
        let wanted_ids: Vec<String> = wanted_ids.into_iter().collect();
        let there: HashSet<String> = store::hold_live(tx, &wanted_ids).await?.into_iter().collect();
        let lost = moves.iter().filter(|(_, parent)| !there.contains(*parent));
        wrong.extend(lost.map(|(id, _)| (id.clone(), None)));
        if wrong.is_empty() {
            return Ok(());
        }
        Err(Error::invalid_fields(told(tx, wanted, &wrong).await?))
    }
}

/// Writes down where these records hang, those that are live.
async fn plant_some(tx: &mut Tx<'_>, wanted: &RecordType, ids: &[String]) -> Result<Vec<Node>> {
    let Some(tree) = Tree::of(wanted) else {
        return Ok(Vec::new());
    };
    let mut nodes = Vec::with_capacity(ids.len());
    for row in store::get_many(&mut *tx, ids).await? {
        let live: Option<&Row> = Some(&row).filter(|row| !row.deleted() && row.type_name == wanted.name);
        let state = parse_state(live.and_then(|row| row.document.as_deref()))?;
        if let Some(state) = state {
            let hung = Hung {
                id: &row.id,
                visibility: row.level()?,
                document: &state.document,
            };
            nodes.push(node(&tree, &wanted.name, &hung));
        }
    }
    store::drop_nodes(tx, ids).await?;
    store::put_nodes(tx, nodes.clone()).await?;
    Ok(nodes)
}

/// Records that lead to no top: those of circles, and those below what is not there (`None`).
fn astray(above: &HashMap<String, String>) -> Vec<(String, Option<Wrong>)> {
    let mut fine: HashSet<&str> = HashSet::new();
    let mut found = Vec::new();
    for id in above.keys() {
        let mut way: Vec<&str> = vec![id];
        let mut met: HashSet<&str> = HashSet::from([id.as_str()]);
        let mut at = id.as_str();
        let good = loop {
            match above.get(at).map(String::as_str) {
                Some("") => break true,
                Some(parent) if fine.contains(parent) => break true,
                Some(parent) => {
                    way.push(parent);
                    if parent == id {
                        found.push((
                            id.clone(),
                            Some(Wrong::Circle(way.iter().map(|s| (*s).to_owned()).collect())),
                        ));
                        break false;
                    }
                    if !met.insert(parent) {
                        break false;
                    }
                    at = parent;
                }
                None => {
                    // Named once: by the record right below it.
                    if way.len() == 2 {
                        found.push((id.clone(), None));
                    }
                    break false;
                }
            }
        };
        if good {
            fine.extend(way);
        }
        if found.len() >= NAMED {
            break;
        }
    }
    found
}

async fn told(tx: &mut Tx<'_>, definition: &RecordType, wrong: &[(String, Option<Wrong>)]) -> Result<Vec<FieldIssue>> {
    let field = definition.parent.as_deref().unwrap_or_default();
    let mut issues = Vec::new();
    for (id, wrong) in wrong.iter().take(NAMED) {
        let said = match wrong {
            Some(wrong) => issue(tx, definition, field, wrong, &HashMap::new()).await?.message,
            None => "leads to a record that is not there.".to_owned(),
        };
        issues.push(FieldIssue {
            path: "parent".to_owned(),
            message: format!("cannot be \"{field}\": the record {id} {said}"),
        });
    }
    Ok(issues)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_to_no_top_is_found() {
        let above = |pairs: &[(&str, &str)]| -> HashMap<String, String> {
            pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
        };
        assert!(astray(&above(&[("a", ""), ("b", "a"), ("c", "b")])).is_empty());
        let mut found: Vec<String> = astray(&above(&[("a", "b"), ("b", "a"), ("c", "a"), ("d", "")]))
            .into_iter()
            .map(|(id, _)| id)
            .collect();
        found.sort();
        assert_eq!(found, ["a", "b"]);
        assert_eq!(astray(&above(&[("a", "gone"), ("b", "a")])), [("a".to_owned(), None)]);
    }
}
