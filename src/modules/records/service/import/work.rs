//! What a batch writes, gathered row by row and written in a handful of statements.

use serde_json::{Map, Value};

use super::{Known, Slot, issue};
use crate::contract::records::{ImportBatch, RecordType, RowOutcome};
use crate::kernel::db::Tx;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::id::new_id;
use crate::kernel::ledger::{self, NewVersion, Operation, Position};
use crate::modules::records::model::tree::Tree;
use crate::modules::records::service::trees::{self, Hung};
use crate::modules::records::service::{Rules, parse_state, state_text};
use crate::modules::records::store::{self, Head, Identifier, LIVE, Node, Row};

/// What is to be written.
#[derive(Default)]
pub(super) struct Work {
    created: Vec<Head>,
    advanced: Vec<Head>,
    versions: Vec<NewVersion>,
    taken: Vec<Identifier>,
    dropped: Vec<Identifier>,
    relinked: Vec<String>,
    links: Vec<(String, String, String)>,
    nodes: Vec<Node>,
}

/// Notes what a row needs written.
pub(super) fn plan(
    now: i64,
    definition: &RecordType,
    rules: &Rules<'_>,
    batch: &ImportBatch,
    known: &Known,
    slot: &Slot<'_>,
    work: &mut Work,
) -> Result<RowOutcome> {
    let before = slot.found.map(|found| &known.rows[found]);
    let visibility = before.map_or(Ok(definition.visibility), Row::level)?;
    let text = match state_text(&definition.name, visibility, &slot.document) {
        Ok(text) => text,
        Err(error) if error.code() == Code::TooLarge => return Ok(issue("", error.detail())),
        Err(error) => return Err(error),
    };
    let id = before.map_or_else(|| slot.asked.map_or_else(new_id, str::to_owned), |row| row.id.clone());
    let version = before.map_or(1, |row| row.version + 1);
    let operation = match before {
        None => Operation::Create,
        Some(row) if row.deleted() => Operation::Restore,
        Some(_) => Operation::Update,
    };
    let head = Head {
        id: id.clone(),
        type_name: definition.name.clone(),
        version,
        state: LIVE,
        visibility,
        created_at: before.map_or(now, |row| row.created_at),
        updated_at: now,
        source: Some((batch.source_blob.clone(), slot.row)),
    };
    work.versions.push(NewVersion {
        entity: id.clone(),
        version,
        kind: ledger::RECORD,
        operation,
        document: Some(text),
    });
    let old = parse_state(before.filter(|r| !r.deleted()).and_then(|r| r.document.as_deref()))?.map(|s| s.document);
    work.look_ups(rules, &id, old.as_ref(), slot);
    if let Some(tree) = Tree::of(definition) {
        let hung = Hung {
            id: &id,
            visibility,
            document: &slot.document,
        };
        work.nodes.push(trees::node(&tree, &definition.name, &hung));
    }
    match before {
        None => work.created.push(head),
        Some(_) => work.advanced.push(head),
    }
    Ok(if before.is_none() {
        RowOutcome::Created
    } else {
        RowOutcome::Updated
    })
}

impl Work {
    /// Identifiers and links of a row against those of the document before.
    fn look_ups(&mut self, rules: &Rules<'_>, id: &str, old: Option<&Map<String, Value>>, slot: &Slot<'_>) {
        let before = old.map(|o| rules.identifiers(o)).unwrap_or_default();
        let own = |(field, value): &(String, String)| Identifier {
            field: field.clone(),
            value: value.clone(),
            record_id: id.to_owned(),
        };
        self.taken
            .extend(slot.identifiers.iter().filter(|pair| !before.contains(pair)).map(own));
        self.dropped
            .extend(before.iter().filter(|pair| !slot.identifiers.contains(pair)).map(own));
        let linked = old.map(|o| rules.links(o)).unwrap_or_default();
        if linked != slot.links {
            if !linked.is_empty() {
                self.relinked.push(id.to_owned());
            }
            self.links.extend(
                slot.links
                    .iter()
                    .map(|(field, to)| (id.to_owned(), field.clone(), to.clone())),
            );
        }
    }

    pub(super) async fn write(self, tx: &mut Tx<'_>, name: &str, set_id: &str) -> Result<Option<Position>> {
        if self.versions.is_empty() {
            return Ok(None);
        }
        let interrupted = || {
            Error::new(
                Code::Busy,
                "A record of this batch was changed at the same time. The batch is tried again.",
            )
        };
        let moved = self.advanced.len() as u64;
        if moved > 0 && store::advance_heads(tx, self.advanced).await? < moved {
            return Err(interrupted());
        }
        for gone in &self.dropped {
            store::drop_identifier(tx, name, gone).await?;
        }
        let taken = self.taken.len() as u64;
        if taken > 0 && store::take_identifiers(tx, name, self.taken).await? < taken {
            return Err(interrupted());
        }
        store::insert_heads(tx, self.created).await?;
        if !self.relinked.is_empty() {
            store::drop_links(tx, &self.relinked).await?;
        }
        store::insert_links(tx, self.links).await?;
        store::put_nodes(tx, self.nodes).await?;
        ledger::append(tx, set_id, self.versions).await.map(Some)
    }
}
