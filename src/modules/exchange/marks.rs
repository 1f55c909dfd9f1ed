//! How our own exports say whose row it is, and how cells of tables are kept from being taken for formulas.
//!
//! Spreadsheets run what begins with `=`, `+`, `-`, `@` (wide forms of them too), a tab or the end of a line. A text of
//! that kind is written with an apostrophe before it; a text that has one of its own there gets another, so that reading
//! takes away exactly one.

use std::borrow::Cow;

/// The column, or the name in an object, that holds the id of the record.
pub const RECORD_ID: &str = "vitrine:id";

/// The columns that are the file's own: without the one that says which record a row is.
pub fn of_the_file(mut names: Vec<String>) -> Vec<String> {
    names.retain(|name| name != RECORD_ID);
    names
}

const STARTS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

fn formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(STARTS)
}

/// A text as it is safe in a cell.
pub fn guard(text: &str) -> Cow<'_, str> {
    if formula(text) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The text of a guarded cell.
pub fn unguard(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if formula(text) => text,
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guarded_texts_come_back_as_they_were() {
        for text in [
            "", "=1+1", "'=1", "''@x", "-5", "'t Hof", "\tx", "it's", "+", "'", "''", "a=b", "\r\n", "\n=1+1", "＝1+1",
            "'＠x",
        ] {
            let cell = guard(text);
            assert_eq!(unguard(&cell), text);
            assert!(!cell.starts_with(STARTS), "{cell:?}");
        }
        assert_eq!(guard("'t Hof"), "'t Hof", "what is no formula stays as it is");
    }
}
