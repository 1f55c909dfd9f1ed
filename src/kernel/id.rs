//! Ids: `UUIDv7` as lower-case text, sortable by the time they were made.

use uuid::Uuid;

/// A new id. Strictly increasing within one process.
#[expect(clippy::disallowed_methods, reason = "this is the one place that makes ids")]
pub fn new_id() -> String {
    Uuid::now_v7().hyphenated().to_string()
}

/// True for text of the form of an id, so that a wrong one is refused before the database is asked.
pub fn is_id(text: &str) -> bool {
    text.len() == 36 && Uuid::try_parse(text).is_ok() && !text.bytes().any(|b| b.is_ascii_uppercase())
}
