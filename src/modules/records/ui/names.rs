//! What a record, the places within it and what it says first are called on pages.

use serde_json::{Map, Value};

use crate::contract::records::RecordType;
use crate::kernel::access::Level;
use crate::kernel::i18n::Language;
use crate::kernel::ui::{label, readable, shorten, texts};
use crate::modules::records::service::Seen;

/// Characters of a title.
pub(super) const TITLE: usize = 300;

/// What to call it: its title, else its id.
pub(super) fn title(seen: &Seen) -> String {
    let title = seen.title();
    if title.trim().is_empty() {
        seen.record.id.clone()
    } else {
        shorten(&title, TITLE)
    }
}

/// The labels of a dotted path with positions: `creator.2.name` becomes `Creator 2 › Name`.
pub(super) fn path_label(definition: &RecordType, path: &str, language: Language) -> String {
    let mut fields = definition.fields.as_slice();
    let mut parts: Vec<String> = Vec::new();
    for step in path.split('.') {
        if step.bytes().all(|b| b.is_ascii_digit())
            && let Some(last) = parts.last_mut()
        {
            last.push(' ');
            last.push_str(step);
        } else if let Some(field) = fields.iter().find(|f| f.name == step) {
            parts.push(label(&field.labels, &field.name, language));
            fields = &field.fields;
        } else {
            parts.push(readable(step));
            fields = &[];
        }
    }
    parts.join(" › ")
}

/// The values of the first columns in one line: what a label beside the object would say.
pub(super) fn summary(
    definition: &RecordType,
    document: &Map<String, Value>,
    level: Level,
    language: Language,
) -> Option<String> {
    let leaves = definition.leaves();
    let columns = leaves.iter().filter(|leaf| {
        let is_title = definition.title.as_deref() == Some(leaf.path.as_str());
        !is_title && leaf.level <= level && leaf.field().is_some_and(|f| f.column)
    });
    let texts: Vec<String> = columns
        .filter_map(|leaf| texts(document, &leaf.path, language).into_iter().next())
        .map(|text| shorten(&text, 80))
        .take(3)
        .collect();
    (!texts.is_empty()).then(|| texts.join(" · "))
}
