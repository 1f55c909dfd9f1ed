//! Rows of records that would hang below something of their own rank or a lower one are refused, each by itself.

use std::collections::HashMap;

use super::{Known, Slot};
use crate::contract::records::{RecordType, RowOutcome};
use crate::kernel::db::Tx;
use crate::kernel::error::Result;
use crate::modules::records::service::parse_state;
use crate::modules::records::service::trees::{Ranked, misranked};

pub(super) async fn refuse(
    tx: &mut Tx<'_>,
    definition: &RecordType,
    known: &Known,
    slots: &mut Vec<Slot<'_>>,
    outcomes: &mut [RowOutcome],
) -> Result<()> {
    if definition.ranks.is_none() || slots.is_empty() {
        return Ok(());
    }
    let mut before = Vec::with_capacity(slots.len());
    for slot in slots.iter() {
        let row = slot.found.map(|found| &known.rows[found]).filter(|row| !row.deleted());
        let state = parse_state(row.and_then(|row| row.document.as_deref()))?;
        before.push(state.map(|state| state.document));
    }
    let ranked: Vec<Ranked<'_>> = slots
        .iter()
        .zip(&before)
        .map(|(slot, before)| Ranked {
            id: slot.found.map(|found| known.rows[found].id.as_str()).or(slot.asked),
            before: before.as_ref(),
            document: &slot.document,
        })
        .collect();
    let mut wrong: HashMap<_, _> = misranked(tx, definition, &ranked).await?;
    drop(ranked);
    let mut at = 0;
    slots.retain(|slot| {
        let issue = wrong.remove(&at);
        at += 1;
        let stays = issue.is_none();
        if let Some(issue) = issue {
            outcomes[slot.index] = RowOutcome::Refused(vec![issue]);
        }
        stays
    });
    Ok(())
}
