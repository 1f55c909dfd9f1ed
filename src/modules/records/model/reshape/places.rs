//! Where the fields of a change stand: the groups around them, in the type and in documents; and what a type names by path.

use serde_json::{Map, Value};

use crate::contract::records::{Field, FieldKind, RecordType};
use crate::modules::records::model::path;

/// A field or a group with what is around it.
pub struct Place<'d> {
    groups: Vec<&'d str>,
    pub field: &'d Field,
    /// All fields of the same group, itself too.
    pub beside: &'d [Field],
}

impl Place<'_> {
    /// The names of the groups around it.
    pub fn above(&self) -> Vec<String> {
        self.groups.iter().map(|name| (*name).to_owned()).collect()
    }
}

/// The field at a path, groups too.
pub fn locate<'d>(fields: &'d [Field], path: &str) -> Option<Place<'d>> {
    fields.iter().find_map(|field| {
        if field.name == path {
            return Some(Place {
                groups: Vec::new(),
                field,
                beside: fields,
            });
        }
        let rest = path.strip_prefix(field.name.as_str())?.strip_prefix('.')?;
        let mut place = locate(&field.fields, rest)?;
        place.groups.insert(0, &field.name);
        Some(place)
    })
}

/// The fields of a group, to be changed.
pub fn list<'d>(fields: &'d mut Vec<Field>, above: &[String]) -> Option<&'d mut Vec<Field>> {
    match above.split_first() {
        None => Some(fields),
        Some((first, rest)) => {
            let group = fields.iter_mut().find(|field| field.name == *first)?;
            list(&mut group.fields, rest)
        }
    }
}

/// The path of a field within groups.
pub fn joined(above: &[String], name: &str) -> String {
    let mut steps: Vec<&str> = above.iter().map(String::as_str).collect();
    steps.push(name);
    steps.join(".")
}

/// What is done to a part of a document; answers whether anything changed.
pub type Change<'a> = dyn FnMut(&mut Map<String, Value>) -> Result<bool, String> + 'a;

/// Does something to each part of a document that has these groups around it. Whether anything changed.
///
/// # Errors
/// The first thing that speaks against it.
pub fn each(map: &mut Map<String, Value>, above: &[String], change: &mut Change<'_>) -> Result<bool, String> {
    let Some((first, rest)) = above.split_first() else {
        return change(map);
    };
    match map.get_mut(first) {
        Some(Value::Object(inner)) => each(inner, rest, change),
        Some(Value::Array(items)) => {
            let mut changed = false;
            for inner in items.iter_mut().filter_map(Value::as_object_mut) {
                changed |= each(inner, rest, change)?;
            }
            Ok(changed)
        }
        _ => Ok(false),
    }
}

/// A field that is on its way out: nobody has to fill it in, and what it held as the key still leads to its record.
pub fn relax(field: &mut Field, path: &str, key: Option<&str>) {
    field.required = false;
    field.unique |= key == Some(path) && field.kind != FieldKind::Group;
    for inner in &mut field.fields {
        let path = format!("{path}.{}", inner.name);
        relax(inner, &path, key);
    }
}

/// What the type names by a path, it names by another one from now on; also what is in a group of that path.
pub fn rename_roles(definition: &mut RecordType, from: &str, to: &str) {
    let credit = definition.credit.as_deref();
    let is_field = credit.is_some_and(|credit| path::find(&definition.fields, credit).is_some());
    let mut roles = vec![
        &mut definition.title,
        &mut definition.key,
        &mut definition.image,
        &mut definition.parent,
        &mut definition.order,
    ];
    if is_field {
        roles.push(&mut definition.credit);
    }
    let mut named: Vec<&mut String> = roles.into_iter().flatten().collect();
    named.extend(definition.ranks.as_mut().map(|ranks| &mut ranks.field));
    for role in named {
        if role == from {
            to.clone_into(role);
        } else if let Some(rest) = role.strip_prefix(from).filter(|rest| rest.starts_with('.')) {
            *role = format!("{to}{rest}");
        }
    }
}
