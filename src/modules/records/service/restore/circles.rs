//! What would hang below itself is no part of a batch: circles among states that are put back, changed or put together at once.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Plan, Put};
use crate::contract::records::{RecordType, StoredType};
use crate::contract::undo::WhyLeft;
use crate::kernel::db::Tx;
use crate::kernel::error::Result;
use crate::modules::records::model::tree::Tree;
use crate::modules::records::service::trees::{self, Moves};

/// Keeps what would hang below itself as it is. Whatever is put back is put back together.
pub(super) async fn circles(
    tx: &mut Tx<'_>,
    plans: &[(String, Plan)],
    types: &HashMap<String, Arc<StoredType>>,
    left: &mut HashMap<String, WhyLeft>,
) -> Result<()> {
    let mut by_type: HashMap<&str, Vec<&Put>> = HashMap::new();
    for (_, plan) in plans {
        if let Plan::Put(put) = plan {
            by_type.entry(&put.row.type_name).or_default().push(put);
        }
    }
    for (type_name, puts) in by_type {
        if let Some(stored) = types.get(type_name) {
            circles_of(tx, &stored.definition, &puts, left).await?;
        }
    }
    Ok(())
}

/// As [`circles`], for states of records of one type.
pub(in super::super) async fn circles_of(
    tx: &mut Tx<'_>,
    definition: &RecordType,
    puts: &[&Put],
    left: &mut HashMap<String, WhyLeft>,
) -> Result<()> {
    let Some(tree) = Tree::of(definition) else {
        return Ok(());
    };
    let mut moves = Moves::new();
    for put in puts.iter().filter(|put| !left.contains_key(&put.row.id)) {
        let parent = tree.parent_of(&put.state.document).unwrap_or_default();
        let was = put.was.as_ref().map(|was| tree.parent_of(was).unwrap_or_default());
        if was.as_ref() != Some(&parent) {
            moves.insert(put.row.id.clone(), parent);
        }
    }
    if moves.is_empty() {
        return Ok(());
    }
    trees::lock(tx, &definition.name).await?;
    loop {
        let wrong = trees::wrong_moves(tx, &moves).await?;
        if wrong.is_empty() {
            return Ok(());
        }
        for id in wrong.into_keys() {
            moves.remove(&id);
            left.insert(id, WhyLeft::Cycle);
        }
    }
}
