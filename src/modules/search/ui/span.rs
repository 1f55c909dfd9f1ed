//! Spans as they stand in addresses: `a..b`, each end a number or a date as people type it, or nothing.

/// `a..b`, as a span is written in a filter.
pub fn is_span(value: &str) -> bool {
    value
        .split_once("..")
        .is_some_and(|(from, to)| end(from).is_some() && end(to).is_some() && from.len() + to.len() > 0)
}

/// An end of a span as people type it: a number or a date, or nothing.
pub fn end(text: &str) -> Option<String> {
    let text = text.trim().replace(',', ".");
    let plain = text.len() <= 24 && !text.contains("..");
    let digits = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'.'));
    let any = text.is_empty() || text.bytes().any(|b| b.is_ascii_digit());
    (plain && digits && any).then_some(text)
}

/// The number of an end; of a date its year.
pub fn year(text: &str) -> Option<f64> {
    let begin = text
        .get(1..)
        .and_then(|rest| rest.find('-'))
        .map_or(text, |at| &text[..=at]);
    begin.parse().ok()
}
