//! An import by somebody who does not see all of the type, or may not change all of it: rows are read by what they see, what
//! they do not see stays as it is in the records that the rows are about, and records that are not theirs to change stay whole.

use std::collections::HashSet;

use serde_json::Map;

use super::{Known, Service, Slot, check_rows, issue, recognise};
use crate::contract::records::{ImportBatch, ImportRow, RECORDS_WRITE, RecordType, RowOutcome};
use crate::kernel::access::Object;
use crate::kernel::db::Tx;
use crate::kernel::error::Result;
use crate::modules::records::model::shape;
use crate::modules::records::service::{Rules, parse_state};
use crate::modules::records::store::Row;

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
                by: batch.by.clone(),
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

    /// Refuses rows about records that whoever imports may not change.
    pub(super) async fn refuse_others(
        &self,
        tx: &mut Tx<'_>,
        batch: &ImportBatch,
        known: &Known,
        slots: &mut Vec<Slot<'_>>,
        outcomes: &mut [RowOutcome],
    ) -> Result<()> {
        let rows: Vec<&Row> = slots.iter().filter_map(|s| Some(&known.rows[s.found?])).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let mut objects = Vec::with_capacity(rows.len());
        for row in &rows {
            objects.push(Object::Record {
                id: &row.id,
                type_name: &row.type_name,
                visibility: row.level()?,
            });
        }
        let levels = self.access.levels_in(tx, &batch.by, RECORDS_WRITE, &objects).await?;
        let barred: HashSet<&str> = rows
            .iter()
            .zip(levels)
            .filter(|(_, level)| level.is_none())
            .map(|(row, _)| row.id.as_str())
            .collect();
        slots.retain(|slot| {
            let may = slot
                .found
                .is_none_or(|found| !barred.contains(known.rows[found].id.as_str()));
            if !may {
                let text =
                    "This row belongs to a record that somebody else made. An editor of the collection can import it.";
                outcomes[slot.index] = issue("", text);
            }
            may
        });
        Ok(())
    }
}
