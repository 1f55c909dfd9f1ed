//! Numbers of imported rows: a file may bring its own, a new record without one is given the next, and the number of a record
//! that is there stays with it whatever the file says.

use std::collections::HashSet;

use serde_json::Value;

use super::{Known, Slot};
use crate::contract::records::{RecordType, RowOutcome};
use crate::kernel::db::Tx;
use crate::kernel::error::{FieldIssue, Result};
use crate::modules::records::model::number::numbered;
use crate::modules::records::model::{path, shorten};
use crate::modules::records::service::{Rules, Service, parse_state};

impl Service {
    /// Completes the rows by the numbers of their records, and refuses those that would change one.
    pub(super) async fn number_rows(
        &self,
        tx: &mut Tx<'_>,
        definition: &RecordType,
        rules: &Rules<'_>,
        known: &Known,
        slots: &mut Vec<Slot<'_>>,
        outcomes: &mut [RowOutcome],
    ) -> Result<()> {
        let schemes = numbered(definition);
        if schemes.is_empty() {
            return Ok(());
        }
        // What other rows bring is not given, though nobody has it yet.
        let brought: HashSet<(String, String)> = slots.iter().flat_map(|slot| slot.identifiers.clone()).collect();
        let mut refused = Vec::new();
        for slot in slots.iter_mut() {
            let row = slot.found.map(|found| &known.rows[found]).filter(|row| !row.deleted());
            let before = parse_state(row.and_then(|row| row.document.as_deref()))?;
            for (leaf, numbering) in &schemes {
                let said = |document| {
                    let mut texts = path::values(document, &leaf.steps).into_iter().filter_map(path::text);
                    texts.find(|text| !text.is_empty())
                };
                let was = before.as_ref().and_then(|state| said(&state.document));
                let number = match (said(&slot.document), was) {
                    (Some(brought), Some(was)) if brought != was => {
                        let message = format!(
                            "is the number \"{}\", which was given and stays with its record.",
                            shorten(&was, 60)
                        );
                        refused.push((slot.index, leaf.path.clone(), message));
                        continue;
                    }
                    (None, Some(was)) => was,
                    (None, None) if row.is_none() => loop {
                        let next = self.next_number(tx, &definition.name, &leaf.path, numbering).await?;
                        let pair = (leaf.path.clone(), next);
                        if !brought.contains(&pair) {
                            break pair.1;
                        }
                    },
                    _ => continue,
                };
                path::put(slot.document.to_mut(), &leaf.steps, Value::String(number));
                slot.identifiers = rules.identifiers(&slot.document);
            }
        }
        slots.retain(|slot| !refused.iter().any(|(index, _, _)| *index == slot.index));
        for (index, path, message) in refused {
            outcomes[index] = RowOutcome::Refused(vec![FieldIssue { path, message }]);
        }
        Ok(())
    }
}
