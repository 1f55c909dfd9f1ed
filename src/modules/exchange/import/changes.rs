//! What a rehearsal would change in records that are there: their states before and after, field by field, read within
//! the transaction that is taken back.

use crate::contract::exchange::{ChangedField, ChangedRecord};
use crate::contract::records::{RecordState, RecordType, Records};
use crate::kernel::access::Level;
use crate::kernel::db::Tx;
use crate::kernel::error::Result;
use crate::kernel::i18n::Language;
use crate::kernel::ledger::{self, Position};
use crate::kernel::ui::{differences, label};

/// Records that are told in full, and fields of one.
pub(super) const MOST: usize = 20;
const FIELDS: usize = 20;
/// Changes of a set that are looked through for them.
const LOOK: i64 = 1_000;

/// The first `most` records that the set changes, as far as `level` may see them.
pub(super) async fn of_set(
    tx: &mut Tx<'_>,
    records: &dyn Records,
    definition: &RecordType,
    level: Level,
    set_id: &str,
    most: usize,
) -> Result<Vec<ChangedRecord>> {
    let mut told = Vec::new();
    for change in ledger::set_changes(&mut *tx, set_id, Position::default(), LOOK).await? {
        if told.len() >= most {
            break;
        }
        if change.kind != ledger::RECORD || change.version < 2 {
            continue;
        }
        let states = ledger::versions(&mut *tx, &change.entity, None, 2).await?;
        let mut states = states.into_iter().map(|version| match version.document {
            Some(text) => serde_json::from_str::<RecordState>(&text).map(Some),
            None => Ok(None),
        });
        let (Some(after), before) = (
            states.next().transpose()?.flatten(),
            states.next().transpose()?.flatten(),
        ) else {
            continue;
        };
        let hidden = |state: &RecordState| state.visibility > level;
        if hidden(&after) || before.as_ref().is_some_and(hidden) {
            continue;
        }
        let before = before.map(|state| state.document).unwrap_or_default();
        let before = records.cut(definition, level, before);
        let after = records.cut(definition, level, after.document);
        let found = differences(&before, &after, str::to_owned);
        let fields = found.into_iter().take(FIELDS).map(|difference| {
            let field = words(definition, &difference.label, Language::default());
            let own = |language: Language| {
                let own = words(definition, &difference.label, language);
                (own != field).then(|| (language.tag().to_owned(), serde_json::Value::String(own)))
            };
            ChangedField {
                labels: Language::all().filter_map(own).collect(),
                field,
                before: difference.before,
                after: difference.after,
            }
        });
        told.push(ChangedRecord {
            title: records.title(definition, &after),
            id: change.entity,
            fields: fields.collect(),
        });
    }
    Ok(told)
}

/// A path as people read it: the labels of its fields.
fn words(definition: &RecordType, path: &str, language: Language) -> String {
    let mut fields = &definition.fields;
    if let Some(field) = fields.iter().find(|f| f.name == path) {
        return label(&field.labels, &field.name, language);
    }
    let mut parts = Vec::new();
    for part in path.split('.') {
        match fields.iter().find(|f| f.name == part) {
            Some(field) => {
                parts.push(label(&field.labels, &field.name, language));
                fields = &field.fields;
            }
            None => parts.push(part.to_owned()),
        }
    }
    parts.join(" · ")
}
