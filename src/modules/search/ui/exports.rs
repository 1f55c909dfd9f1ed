//! Where the records of an address can be had as data.

use super::address::Address;
use super::span::is_span;

/// A file of everything that was found, by format. Only the records of one type make one table, and an export asks with
/// words: where several values of a field are in use, no words say the same.
pub fn links(address: &Address, of_type: bool) -> Vec<(&'static str, String)> {
    let Some(words) = words(address).filter(|_| of_type) else {
        return Vec::new();
    };
    let link = |(label, format): (&'static str, &str)| {
        let mut pairs = vec![("type", address.type_name.as_str()), ("format", format)];
        if !words.is_empty() {
            pairs.push(("q", &words));
        }
        Some((
            label,
            format!("/api/export?{}", serde_html_form::to_string(pairs).ok()?),
        ))
    };
    let formats = [
        ("search.as-csv", "csv"),
        ("search.as-xlsx", "xlsx"),
        ("search.as-json", "json"),
    ];
    formats.into_iter().filter_map(link).collect()
}

/// The same question at the API, where a field alone means that it is missing.
pub fn api(address: &Address) -> String {
    let q = located(address, address.q.clone());
    let mut pairs = vec![("q", q), ("type", address.type_name.clone())];
    for one in &address.chosen {
        let value = one.value.as_deref().map(|value| format!(":{value}"));
        pairs.push(("filter", format!("{}{}", one.field, value.unwrap_or_default())));
    }
    pairs.push(("sort", address.sort.clone()));
    pairs.retain(|(_, value)| !value.is_empty());
    match serde_html_form::to_string(pairs) {
        Ok(query) if !query.is_empty() => format!("/api/search?{query}"),
        _ => "/api/search".to_owned(),
    }
}

/// Words and filters in one question.
fn words(address: &Address) -> Option<String> {
    let mut parts = vec![whole(address)?];
    for (at, one) in address.chosen.iter().enumerate() {
        if address.chosen[..at].iter().any(|before| before.field == one.field) {
            return None;
        }
        let plain = one
            .field
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
        if !plain {
            return None;
        }
        parts.push(match one.value.as_deref() {
            None => format!("-{}:*", one.field),
            Some(value) if is_span(value) => format!("{}:{value}", one.field),
            Some(value) if value.contains('"') => return None,
            Some(value) => format!("{}:=\"{value}\"", one.field),
        });
    }
    parts.retain(|part| !part.is_empty());
    Some(located(address, parts.join(" ")))
}

/// With the box of the address in words.
fn located(address: &Address, words: String) -> String {
    match &address.area {
        Some(area) if words.is_empty() => format!("within:{area}"),
        Some(area) => format!("{words} within:{area}"),
        None => words,
    }
}

/// The words as one condition beside others: what says "or" stands in brackets, where its own come in pairs.
fn whole(address: &Address) -> Option<String> {
    let q = address.q.clone();
    if address.chosen.is_empty() && address.area.is_none() || !(q.contains('|') || q.contains("OR")) {
        return Some(q);
    }
    let paired = !q.contains('"') && q.matches('(').count() == q.matches(')').count();
    paired.then(|| format!("({q})"))
}

/// Where the values of a field are looked through, under everything else that is asked for.
pub fn values(address: &Address, field: &str) -> String {
    let mut pairs = vec![("field", field.to_owned())];
    for (name, value) in address.pairs() {
        match name {
            "q" => pairs.push(("query", located(address, value))),
            "type" => pairs.push(("type", value)),
            // `FIELD:` is "not given" here, and `FIELD` alone there.
            "filter" => pairs.push(("filter", value.strip_suffix(':').unwrap_or(&value).to_owned())),
            _ => {}
        }
    }
    if address.q.is_empty() && address.area.is_some() {
        pairs.push(("query", located(address, String::new())));
    }
    let query = serde_html_form::to_string(pairs).unwrap_or_default();
    format!("/api/search/facet?{query}")
}
