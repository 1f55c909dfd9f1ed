//! What a record type and a record must be: rules without I/O. Time and ids are arguments, nothing here asks a database.

pub mod cell;
pub mod definition;
pub mod difference;
pub mod entry;
pub mod likeness;
pub mod lives;
pub mod merge;
pub mod named;
pub mod near;
pub mod number;
pub mod outline;
pub mod outline_added;
pub mod outline_fields;
pub mod patch;
pub mod path;
pub mod reshape;
pub mod rule;
pub mod schema;
pub mod settle;
pub mod shape;
pub mod terms;
pub mod text;
pub mod tree;
pub mod tsv;
pub mod twins;
pub mod unite;
pub mod validate;
pub mod warn;

/// The candidate that looks most like `word`, if one is near enough to be meant.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let folded = word.to_lowercase();
    candidates
        .map(|c| (strsim::jaro_winkler(&folded, &c.to_lowercase()), c))
        .filter(|(score, _)| *score >= 0.78)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, c)| c)
}

/// ` Did you mean "x"?`, or nothing.
pub fn hint<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> String {
    nearest(word, candidates)
        .map(|c| format!(" Did you mean \"{c}\"?"))
        .unwrap_or_default()
}

/// At most `limit` characters of a text, for messages.
pub fn shorten(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
