//! What a form sends, as a document: texts in objects and lists, in the order of the form.

use serde_json::{Map, Value};

use super::name::{NEW, decode};
use crate::kernel::error::{Error, Result};

/// Segments of one name.
const MAX_DEPTH: usize = 24;

/// The document of a form's pairs. Values are texts as they were entered (line ends as `\n`); items keep the order in
/// which the form sends them, whatever number they carry. Pairs that are no part of the document (`csrf`, buttons) are
/// left out before.
///
/// # Errors
/// `Invalid` where names contradict each other, which no form of ours sends.
pub fn read(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Map<String, Value>> {
    let mut root = Map::new();
    for (name, value) in pairs {
        let segments: Vec<&str> = name.split('/').collect();
        if segments.len() > MAX_DEPTH {
            return Err(contradiction(&name));
        }
        // The blank item that waits for the script is never sent; if it is, it is no value.
        if segments.iter().any(|s| s.strip_prefix('#') == Some(NEW)) {
            continue;
        }
        insert(&mut root, &segments, value.replace("\r\n", "\n")).ok_or_else(|| contradiction(&name))?;
    }
    match finish(Value::Object(root)) {
        Some(Value::Object(map)) => Ok(map),
        // No names at all are an empty document, not an empty list.
        Some(Value::Array(list)) if list.is_empty() => Ok(Map::new()),
        _ => Err(contradiction("")),
    }
}

fn insert(map: &mut Map<String, Value>, segments: &[&str], value: String) -> Option<()> {
    let (first, rest) = segments.split_first()?;
    if rest.is_empty() {
        return map
            .insert((*first).to_owned(), Value::String(value))
            .is_none()
            .then_some(());
    }
    let inner = map.entry(*first).or_insert_with(|| Value::Object(Map::new()));
    insert(inner.as_object_mut()?, rest, value)
}

/// Objects whose names are all items become lists; other names are decoded.
fn finish(value: Value) -> Option<Value> {
    let Value::Object(map) = value else { return Some(value) };
    let items = map.keys().filter(|name| name.starts_with('#')).count();
    if items == map.len() {
        return map
            .into_iter()
            .map(|(_, v)| finish(v))
            .collect::<Option<_>>()
            .map(Value::Array);
    }
    if items > 0 {
        return None;
    }
    let fields = map.into_iter().map(|(name, v)| Some((decode(&name), finish(v)?)));
    fields.collect::<Option<_>>().map(Value::Object)
}

fn contradiction(name: &str) -> Error {
    let shown = super::super::shorten(name, 80);
    Error::invalid(
        shown,
        "this form field was sent twice or in two shapes. Load the page again and send it once more.",
    )
}

#[cfg(test)]
mod tests {
    use super::super::Name;
    use super::*;

    fn document(pairs: &[(&str, &str)]) -> Result<Value> {
        let pairs = pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
        read(pairs).map(Value::Object)
    }

    #[test]
    fn what_is_sent_is_read_in_its_order() {
        let odd = Name::of("a/b #%.é");
        let nested = odd.item(3).field("x y");
        let got = document(&[
            ("title", "one\r\ntwo"),
            (&nested.wire, "v"),
            ("maker/#7/name", "B"),
            ("maker/#2/name", "A"),
            ("maker/#2/tags/#0", "t"),
            ("maker/#new/name", "never"),
        ])
        .unwrap();
        let want = serde_json::json!({
            "title": "one\ntwo", "a/b #%.é": [{"x y": "v"}],
            "maker": [{"name": "B"}, {"name": "A", "tags": ["t"]}]
        });
        assert_eq!(got, want);
        assert_eq!(document(&[]).unwrap(), serde_json::json!({}));
    }

    #[test]
    fn contradictions_are_refused() {
        assert!(document(&[("a", "1"), ("a", "2")]).is_err());
        assert!(document(&[("a", "1"), ("a/b", "2")]).is_err());
        assert!(document(&[("a/b", "1"), ("a", "2")]).is_err());
        assert!(document(&[("a/#0", "1"), ("a/b", "2")]).is_err());
        assert!(document(&[("#0", "1")]).is_err());
        assert!(document(&[(&"a/".repeat(10_000), "1")]).is_err());
        assert!(document(&[("%zz%é%", "1")]).is_ok());
    }
}
