//! An import by somebody who does not see all of the type: rows are read by what they see, and what they do not see stays
//! as it is in the records that the rows are about.

use serde_json::Map;

use super::{Service, check_rows, issue, recognise};
use crate::contract::records::{ImportBatch, ImportRow, RecordType, RowOutcome};
use crate::kernel::db::Tx;
use crate::kernel::error::Result;
use crate::modules::records::model::shape;
use crate::modules::records::service::{Rules, parse_state};

/// The rows that may go on, whole again, each with its place in the batch they came in.
pub(super) struct Seen {
    pub batch: ImportBatch,
    pub places: Vec<usize>,
}

impl Service {
    /// Refuses what is about records or fields that are hidden, and completes the rest by what is.
    pub(super) async fn complete(
        &self,
        tx: &mut Tx<'_>,
        definition: &RecordType,
        rules: &Rules<'_>,
        batch: &ImportBatch,
        outcomes: &mut [RowOutcome],
    ) -> Result<Seen> {
        let level = batch.level;
        let visible = shape::cut_definition(definition, level);
        let mut slots = check_rows(&visible, rules, batch, outcomes);
        let known = self.know(tx, &definition.name, batch, &slots).await?;
        recognise(batch, &definition.name, &known, &mut slots, outcomes);
        let mut seen = Seen {
            batch: ImportBatch {
                stored_type: batch.stored_type.clone(),
                set_id: batch.set_id.clone(),
                key: batch.key.clone(),
                source_blob: batch.source_blob.clone(),
                level,
                pass: batch.pass.clone(),
                rows: Vec::with_capacity(slots.len()),
            },
            places: Vec::with_capacity(slots.len()),
        };
        for slot in slots {
            let row = slot.found.map(|found| &known.rows[found]);
            if let Some(row) = row
                && row.level()? > level
            {
                outcomes[slot.index] = issue(
                    "",
                    "This row belongs to a record that you may not see. Somebody who sees all of the collection can import it.",
                );
                continue;
            }
            let before = parse_state(row.and_then(|row| row.document.as_deref()))?;
            let before = before.map_or_else(Map::new, |state| state.document);
            let mut issues = Vec::new();
            let fields = &definition.fields;
            let document = shape::keep_hidden(fields, level, &before, slot.document.into_owned(), "", &mut issues);
            if !issues.is_empty() {
                outcomes[slot.index] = RowOutcome::Refused(issues);
                continue;
            }
            seen.places.push(slot.index);
            seen.batch.rows.push(ImportRow {
                row: slot.row,
                id: slot.asked.map(str::to_owned),
                document,
            });
        }
        Ok(seen)
    }
}
