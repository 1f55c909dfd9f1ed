//! Vocabularies: what is said of single terms, who may still be given them, and how one is put into the place of another. No
//! I/O.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::rule::Action;
use super::{path, shorten};
use crate::contract::records::{Field, FieldKind, RecordType, Term};
use crate::kernel::error::{Error, FieldIssue, Result};

/// Terms that are no longer given and that a document has, though it did not have them before.
pub fn newly_given(
    definition: &RecordType,
    before: Option<&Map<String, Value>>,
    after: &Map<String, Value>,
) -> Vec<FieldIssue> {
    let mut issues = Vec::new();
    for leaf in path::leaves(&definition.fields) {
        let retired: HashSet<&str> = leaf
            .field
            .terms
            .iter()
            .filter(|term| term.retired)
            .map(|term| term.value.as_str())
            .collect();
        if retired.is_empty() {
            continue;
        }
        let had = before
            .map(|before| path::values(before, &leaf.steps))
            .unwrap_or_default();
        for value in path::values(after, &leaf.steps) {
            if !had.contains(&value)
                && let Some(text) = value.as_str().filter(|text| retired.contains(text))
            {
                issues.push(FieldIssue {
                    path: leaf.path.clone(),
                    message: format!("\"{}\" is no longer given; choose another term.", shorten(text, 60)),
                });
            }
        }
    }
    issues
}

/// The vocabulary at a path.
pub fn vocabulary<'d>(definition: &'d RecordType, path: &str) -> Option<&'d Field> {
    let leaf = path::find(&definition.fields, path)?;
    Some(leaf.field).filter(|field| field.kind == FieldKind::Term)
}

/// Adds a term to those that may be given. Where any may be given it needs no place.
///
/// # Errors
/// `Invalid` for one that is empty or listed already.
pub fn give(definition: &mut RecordType, path: &str, value: &str) -> Result<()> {
    let Some(field) = at(&mut definition.fields, path) else {
        return Ok(());
    };
    if value.is_empty() || field.values.iter().any(|known| known == value) {
        let text = if value.is_empty() {
            "is empty."
        } else {
            "is listed already."
        };
        return Err(Error::invalid("value", text));
    }
    if !field.values.is_empty() {
        field.values.push(value.to_owned());
    }
    Ok(())
}

/// Changes what is said of a term: its label in a language, and whether it is still given.
pub fn say(definition: &mut RecordType, path: &str, value: &str, language: &str, label: &str, retired: bool) {
    let Some(field) = at(&mut definition.fields, path) else {
        return;
    };
    let found = field.terms.iter().position(|term| term.value == value);
    let at = found.unwrap_or_else(|| {
        field.terms.push(Term {
            value: value.to_owned(),
            ..Term::default()
        });
        field.terms.len() - 1
    });
    let term = &mut field.terms[at];
    if label.is_empty() || label == value {
        term.labels.shift_remove(language);
    } else {
        term.labels.insert(language.to_owned(), Value::String(label.to_owned()));
    }
    term.retired = retired;
    if term.labels.is_empty() && !term.retired {
        field.terms.remove(at);
    }
}

/// The field at a path, to be changed.
fn at<'f>(fields: &'f mut [Field], path: &str) -> Option<&'f mut Field> {
    for field in fields {
        if field.name == path && field.kind != FieldKind::Group {
            return Some(field);
        }
        let rest = path
            .strip_prefix(field.name.as_str())
            .and_then(|rest| rest.strip_prefix('.'));
        if let (Some(rest), FieldKind::Group) = (rest, field.kind)
            && let Some(found) = at(&mut field.fields, rest)
        {
            return Some(found);
        }
    }
    None
}

/// What puts one term into the place of another in each record.
pub fn merge(path: &str, from: &str, into: &str) -> Action {
    Action::Replace {
        field: path.to_owned(),
        find: format!("^{}$", regex::escape(from)),
        // A dollar would name what was found.
        with: into.replace('$', "$$"),
        regex: true,
        ignore_case: false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn vases() -> RecordType {
        let vase = json!({ "name": "vase", "fields": [
            { "name": "title", "kind": "text" },
            { "name": "material", "kind": "term", "repeated": true, "values": ["clay", "glass", "earth"] },
            { "name": "maker", "kind": "group", "fields": [{ "name": "role", "kind": "term" }] },
        ] });
        serde_json::from_value(vase).unwrap()
    }

    #[test]
    fn a_term_is_called_and_retired() {
        let mut vases = vases();
        say(&mut vases, "material", "earth", "de", "Erde", true);
        say(&mut vases, "maker.role", "potter", "sv", "krukmakare", false);
        let earth = vocabulary(&vases, "material").unwrap();
        assert_eq!(
            (earth.called("earth", "de"), earth.called("earth", "en")),
            ("Erde", "earth")
        );
        assert_eq!(
            vocabulary(&vases, "maker.role").unwrap().called("potter", "sv"),
            "krukmakare"
        );
        assert!(vocabulary(&vases, "title").is_none() && vocabulary(&vases, "maker").is_none());
        let has = |values: Value| json!({ "material": values }).as_object().unwrap().clone();
        assert_eq!(newly_given(&vases, None, &has(json!(["clay"]))), []);
        assert_eq!(newly_given(&vases, None, &has(json!(["clay", "earth"]))).len(), 1);
        let before = has(json!(["earth"]));
        assert_eq!(newly_given(&vases, Some(&before), &has(json!(["glass", "earth"]))), []);
        say(&mut vases, "material", "earth", "de", "", false);
        assert!(vocabulary(&vases, "material").unwrap().terms.is_empty());
        say(&mut vases, "nothing", "x", "de", "y", true);
        give(&mut vases, "material", "stone").unwrap();
        assert!(give(&mut vases, "material", "stone").is_err() && give(&mut vases, "material", "").is_err());
        assert_eq!(vocabulary(&vases, "material").unwrap().values.last().unwrap(), "stone");
    }

    #[test]
    fn one_term_takes_the_place_of_another() {
        let Action::Replace { find, with, regex, .. } = merge("material", "a.b (c)", "5 $1") else {
            panic!("it replaces");
        };
        assert!(regex && regex::Regex::new(&find).unwrap().replace_all("a.b (c)", with.as_str()) == "5 $1");
        assert!(!regex::Regex::new(&find).unwrap().is_match("axb (c)"));
    }
}
