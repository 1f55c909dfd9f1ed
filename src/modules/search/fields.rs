//! Fields as questions name them: which there are for a caller, and filters, orders and conditions on them. A field that is
//! not there is refused, with the nearest one that is.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::contract::records::{Field, FieldKind, StoredType};
use crate::kernel::access::Level;
use crate::kernel::error::{Error, Result};
use crate::kernel::search::{Filter, INSIDE, Node, Sort};

/// What every record has and conditions may name beside the fields of types.
const OWN: [&str; 5] = ["created", "updated", "id", "title", "type"];

/// By relevance, what was made lately weighing more.
pub const NEWER: &str = "newer";

/// The paths of all fields that may be seen.
pub fn fields_of(types: &[(Arc<StoredType>, Level)]) -> BTreeMap<String, FieldKind> {
    fn add(prefix: &str, fields: &[Field], level: Level, into: &mut BTreeMap<String, FieldKind>) {
        for field in fields.iter().filter(|field| field.level <= level) {
            let path = if prefix.is_empty() {
                field.name.clone()
            } else {
                format!("{prefix}.{}", field.name)
            };
            if field.kind == FieldKind::Group {
                add(&path, &field.fields, level, into);
            } else {
                into.insert(path, field.kind);
            }
        }
    }
    let mut fields = BTreeMap::new();
    for (stored, level) in types {
        add("", &stored.definition.fields, *level, &mut fields);
    }
    fields
}

pub fn short(text: &str) -> &str {
    &text[..text.floor_char_boundary(100)]
}

pub fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a String>) -> Option<&'a String> {
    let near = names.map(|known| (strsim::damerau_levenshtein(short(name), known), known));
    near.filter(|(distance, known)| *distance <= 2 + known.chars().count() / 3)
        .min()
        .map(|(_, known)| known)
}

/// Refuses a field that no type has, or none that the caller may see.
pub fn known(parameter: &str, name: &str, fields: &BTreeMap<String, FieldKind>) -> Result<()> {
    if fields.contains_key(name) || (name == INSIDE && parameter.starts_with("filter")) {
        return Ok(());
    }
    let hint = nearest(name, fields.keys()).map_or_else(String::new, |near| format!(" Did you mean \"{near}\"?"));
    Err(Error::invalid(
        parameter,
        format!("There is no field \"{}\" here.{hint}", short(name)),
    ))
}

/// Refuses conditions on fields that are not there, or not for the caller; each is named by its place.
pub fn conditions(node: &Node, at: &str, fields: &BTreeMap<String, FieldKind>) -> Result<()> {
    match node {
        Node::And(nodes) | Node::Or(nodes) => {
            let name = if matches!(node, Node::And(_)) { "and" } else { "or" };
            for (n, inner) in nodes.iter().enumerate() {
                conditions(inner, &format!("{at}.{name}.{n}"), fields)?;
            }
            Ok(())
        }
        Node::Not(inner) => conditions(inner, &format!("{at}.not"), fields),
        node => match node.field() {
            Some(name) if !OWN.contains(&name) => known(at, name, fields),
            _ => Ok(()),
        },
    }
}

/// `F:VALUE`, where a field's own name may have colons; `F` alone is "missing".
pub fn filter(text: &str, fields: &BTreeMap<String, FieldKind>) -> Result<Filter> {
    let mut split = text.match_indices(':').map(|(at, _)| (&text[..at], &text[at + 1..]));
    if let Some((field, value)) = split.find(|(field, _)| fields.contains_key(*field)) {
        return Ok(Filter {
            field: field.to_owned(),
            values: vec![Some(value.to_owned())],
        });
    }
    if let Some((INSIDE, node)) = text.split_once(':') {
        return Ok(Filter {
            field: INSIDE.to_owned(),
            values: vec![Some(node.to_owned())],
        });
    }
    let name = if fields.contains_key(text) {
        text
    } else {
        text.split(':').next().unwrap_or(text)
    };
    known("filter", name, fields)?;
    Ok(Filter {
        field: name.to_owned(),
        values: vec![None],
    })
}

pub fn sort(text: Option<&str>, fields: &BTreeMap<String, FieldKind>) -> Result<Sort> {
    let Some(text) = text else { return Ok(Sort::Relevance) };
    let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
    Ok(match name {
        "relevance" | "" | NEWER if !descending => Sort::Relevance,
        "created" => Sort::Created { descending },
        "updated" => Sort::Updated { descending },
        _ => {
            known("sort", name, fields)?;
            Sort::Field {
                field: name.to_owned(),
                descending,
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::error::Code;

    fn fields() -> BTreeMap<String, FieldKind> {
        [("medium", FieldKind::Term), ("a:b", FieldKind::Text)]
            .map(|(name, kind)| (name.to_owned(), kind))
            .into()
    }

    #[test]
    fn filters_are_read() {
        let read = |text: &str| filter(text, &fields()).map(|f| (f.field, f.values[0].clone()));
        assert_eq!(
            read("medium:a:b").unwrap(),
            ("medium".to_owned(), Some("a:b".to_owned()))
        );
        assert_eq!(read("a:b:c").unwrap(), ("a:b".to_owned(), Some("c".to_owned())));
        assert_eq!(read("medium").unwrap(), ("medium".to_owned(), None));
        assert_eq!(read("a:b").unwrap(), ("a:b".to_owned(), None));
        let error = read("medum:x").unwrap_err();
        assert_eq!(error.code(), Code::Invalid);
        assert!(error.detail().contains("\"medium\""), "{error}");
    }

    #[test]
    fn sorts_are_read() {
        let read = |text: &str| sort(Some(text), &fields());
        assert_eq!(read("relevance").unwrap(), Sort::Relevance);
        assert_eq!(read("-updated").unwrap(), Sort::Updated { descending: true });
        assert_eq!(
            read("-medium").unwrap(),
            Sort::Field {
                field: "medium".to_owned(),
                descending: true
            }
        );
        assert!(read("nothing").is_err() && read("-").is_err());
    }
}
