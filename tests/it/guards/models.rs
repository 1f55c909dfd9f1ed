//! What ships as text (types, and sets of types) is called something in every language: each label, hint, heading of a section
//! and description, and no field is without a label.

use toml::Value;
use vitrine::kernel::i18n::Language;

use super::sources::{Finding, files, refuse};

/// Texts that a language lacks, and fields that are called nothing.
fn unnamed(path: &str, place: &str, value: &Value, found: &mut Vec<Finding>) {
    match value {
        Value::Table(table) => {
            // Texts by language have a tag for each key, and English first of all.
            if table.get("en").is_some_and(Value::is_str) {
                for tag in Language::all().map(Language::tag) {
                    let said = table.get(tag).and_then(Value::as_str).unwrap_or_default();
                    if said.trim().is_empty() {
                        found.push(Finding::new(path, 1, format!("{place} lacks its text in {tag}")));
                    }
                }
            }
            if table.contains_key("kind") && table.contains_key("name") && !table.contains_key("labels") {
                found.push(Finding::new(path, 1, format!("{place} is a field without labels")));
            }
            for (name, inner) in table {
                unnamed(path, &format!("{place}.{name}"), inner, found);
            }
        }
        Value::Array(list) => {
            for (at, inner) in list.iter().enumerate() {
                unnamed(path, &format!("{place}.{at}"), inner, found);
            }
        }
        _ => {}
    }
}

fn check(path: &str, text: &str) -> Vec<Finding> {
    let table: toml::Table = text.parse().unwrap_or_else(|e| panic!("{path}: {e}"));
    let mut found = Vec::new();
    unnamed(path, "it", &Value::Table(table), &mut found);
    found
}

#[test]
fn shipped_types_are_called_something_in_every_language() {
    let all = files("assets/models", &[".toml"]);
    assert!(all.len() >= 10);
    let found: Vec<Finding> = all.iter().flat_map(|(path, text)| check(path, text)).collect();
    refuse(&found);
}

#[test]
fn what_a_type_lacks_is_found() {
    let text = "name = \"vase\"\nlabels = { en = \"Vase\" }\n\n[[fields]]\nname = \"title\"\nkind = \"text\"\nhints = { en = \"A\", sv = \" \" }\n";
    let mut said: Vec<String> = check("a.toml", text).into_iter().map(|finding| finding.what).collect();
    said.sort();
    assert_eq!(
        said,
        [
            "it.fields.0 is a field without labels",
            "it.fields.0.hints lacks its text in sv",
            "it.labels lacks its text in sv",
        ]
    );
}
