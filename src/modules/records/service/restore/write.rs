//! The states that are put back, written in a handful of statements: heads, identifiers, links and versions. Decides
//! nothing; what somebody else was faster with takes the batch back.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Put, Rules, interrupted};
use crate::contract::records::StoredType;
use crate::kernel::db::Tx;
use crate::kernel::error::Result;
use crate::kernel::ledger::{self, NewVersion, Operation, RECORD};
use crate::modules::records::model::tree::Tree;
use crate::modules::records::service::trees::{self, Hung};
use crate::modules::records::store::{self as heads, Head, Identifier, LIVE};

/// Writes the states with their heads, identifiers and links.
pub(in crate::modules::records::service) async fn write(
    tx: &mut Tx<'_>,
    set: &str,
    put: Vec<Put>,
    types: &HashMap<String, Arc<StoredType>>,
) -> Result<()> {
    if put.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    let (mut moved, mut versions, mut relinked, mut links) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut nodes = Vec::new();
    let mut taken: HashMap<String, Vec<Identifier>> = HashMap::new();
    for Put { row, was, state, text } in put {
        let Some(stored) = types.get(&row.type_name) else {
            continue;
        };
        let rules = Rules::of(&stored.definition);
        let own = |(field, value): (String, String)| Identifier {
            field,
            value,
            record_id: row.id.clone(),
        };
        let old = was.as_ref().map(|w| rules.identifiers(w)).unwrap_or_default();
        let new = rules.identifiers(&state.document);
        for gone in old.iter().filter(|pair| !new.contains(pair)) {
            heads::drop_identifier(tx, &row.type_name, &own(gone.clone())).await?;
        }
        let added = new.into_iter().filter(|pair| !old.contains(pair)).map(own);
        taken.entry(row.type_name.clone()).or_default().extend(added);
        let (linked, wanted) = (was.as_ref().map(|w| rules.links(w)), rules.links(&state.document));
        if linked.as_ref() != Some(&wanted) {
            // Those of a live record go, also what fields led to that its type has no more.
            if linked.is_some() {
                relinked.push(row.id.clone());
            }
            links.extend(wanted.into_iter().map(|(field, to)| (row.id.clone(), field, to)));
        }
        if let Some(tree) = Tree::of(&stored.definition) {
            let hung = Hung {
                id: &row.id,
                visibility: state.visibility,
                document: &state.document,
            };
            nodes.push(trees::node(&tree, &row.type_name, &hung));
        }
        versions.push(NewVersion {
            entity: row.id.clone(),
            version: row.version + 1,
            kind: RECORD,
            operation: if row.deleted() {
                Operation::Restore
            } else {
                Operation::Update
            },
            document: Some(text),
        });
        moved.push(Head {
            version: row.version + 1,
            state: LIVE,
            visibility: state.visibility,
            created_at: row.created_at,
            updated_at: now,
            source: row.source_blob.zip(row.source_row),
            id: row.id,
            type_name: row.type_name,
        });
    }
    let wanted = moved.len() as u64;
    if heads::advance_heads(tx, moved).await? < wanted {
        return Err(interrupted());
    }
    for (type_name, taken) in taken {
        let wanted = taken.len() as u64;
        if wanted > 0 && heads::take_identifiers(tx, &type_name, taken).await? < wanted {
            return Err(interrupted());
        }
    }
    if !relinked.is_empty() {
        heads::drop_links(tx, &relinked).await?;
    }
    heads::insert_links(tx, links).await?;
    heads::put_nodes(tx, nodes).await?;
    ledger::append(tx, set, versions).await.map(|_| ())
}
