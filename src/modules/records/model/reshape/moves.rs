//! Fields that are renamed, split, put together and taken away: what their type becomes, and what their values do.

use serde_json::{Map, Value};

use super::convert::{is_empty, plain};
use super::places::{joined as path_of, relax, rename_roles};
use super::{MAX_BETWEEN, MOST, Plan, Work, around, free, known};
use crate::contract::records::{Field, FieldKind, RecordType};
use crate::kernel::error::{Error, Result};
use crate::modules::records::model::{path, shorten};

type Document = Map<String, Value>;

fn is_words(kind: FieldKind) -> bool {
    matches!(kind, FieldKind::Text | FieldKind::Term | FieldKind::Identifier)
}

/// A field is split at a mark.
pub fn split(definition: &RecordType, path: &str, at: &str, into: &[String]) -> Result<Plan> {
    let place = known(definition, "field", path)?;
    let (above, old) = (place.above(), place.field);
    if !is_words(old.kind) || old.repeated {
        return Err(Error::invalid("field", "is not a single text, so it cannot be split."));
    }
    if at.is_empty() || at.chars().count() > MAX_BETWEEN || at.contains('\0') {
        let text = format!("is 1 to {MAX_BETWEEN} characters that stand between the parts.");
        return Err(Error::invalid("at", text));
    }
    if !(2..=MOST).contains(&into.len()) {
        return Err(Error::invalid("into", format!("names 2 to {MOST} fields.")));
    }
    let mut interim = definition.clone();
    let fields = around(&mut interim, &above)?;
    let mut index = fields
        .iter()
        .position(|field| field.name == old.name)
        .unwrap_or_default();
    let stays = into.iter().any(|name| name.trim() == old.name);
    if !stays {
        relax(&mut fields[index], path, definition.key.as_deref());
    }
    let mut names: Vec<String> = Vec::with_capacity(into.len());
    for name in into {
        let name = name.trim();
        if names.iter().any(|known| known == name) {
            return Err(Error::invalid("into", "names a field twice."));
        }
        match fields.iter().find(|field| field.name == name) {
            Some(_) if name == old.name => {}
            Some(field) if is_words(field.kind) && !field.repeated && field.level >= old.level => {}
            Some(_) => {
                let shown = shorten(name, 60);
                let text = format!("\"{shown}\" cannot take a part: it is no single text that as few people see.");
                return Err(Error::invalid("into", text));
            }
            None => {
                let made = Field {
                    facet: old.facet,
                    column: old.column,
                    language: old.language.clone(),
                    ..plain(&free("into", fields, name)?, old.level, false, Map::new())
                };
                index += 1;
                fields.insert(index, made);
            }
        }
        names.push(name.to_owned());
    }
    let mut done = interim.clone();
    if !stays {
        rename_roles(&mut interim, path, &path_of(&above, &names[0]));
        done = interim.clone();
        begin_section(around(&mut done, &above)?, old, &names[0]);
        around(&mut done, &above)?.retain(|field| field.name != old.name);
    }
    let work = Work::Split {
        from: old.name.clone(),
        at: at.to_owned(),
        into: names,
    };
    Ok(Plan {
        interim,
        done,
        at: above,
        work,
    })
}

/// What began a section and goes leaves that to another field.
fn begin_section(fields: &mut [Field], old: &Field, name: &str) {
    if let Some(field) = fields.iter_mut().find(|field| field.name == name)
        && field.section.is_empty()
    {
        field.section.clone_from(&old.section);
    }
}

/// Several fields become one.
pub fn merge(definition: &RecordType, paths: &[String], with: Option<&str>, into: &str) -> Result<Plan> {
    if !(2..=MOST).contains(&paths.len()) {
        return Err(Error::invalid("fields", format!("names 2 to {MOST} fields.")));
    }
    if with.is_some_and(|with| with.chars().count() > MAX_BETWEEN || with.contains('\0')) {
        let text = format!("is at most {MAX_BETWEEN} characters that stand between the values.");
        return Err(Error::invalid("with", text));
    }
    let first = known(definition, "fields", &paths[0])?;
    let above = first.above();
    let mut members: Vec<&Field> = Vec::with_capacity(paths.len());
    for path in paths {
        let place = known(definition, "fields", path)?;
        if place.above() != above {
            return Err(Error::invalid("fields", "do not stand in the same group."));
        }
        if members.iter().any(|member| member.name == place.field.name) {
            return Err(Error::invalid("fields", "names a field twice."));
        }
        members.push(place.field);
    }
    let into = into.trim();
    let standing = members.iter().find(|member| member.name == into);
    let name = match standing {
        Some(member) => member.name.clone(),
        None => free("into", first.beside, into)?,
    };
    let new = together(&members, standing.copied(), &name, with)?;
    let mut interim = definition.clone();
    let fields = around(&mut interim, &above)?;
    for member in &members {
        let path = path_of(&above, &member.name);
        for field in fields.iter_mut().filter(|field| field.name == member.name) {
            relax(field, &path, definition.key.as_deref());
        }
    }
    match fields.iter_mut().find(|field| field.name == name) {
        Some(field) => *field = new,
        None => {
            let index = fields.iter().position(|field| field.name == members[0].name);
            fields.insert(index.unwrap_or_default(), new);
        }
    }
    for member in members.iter().filter(|member| member.name != name) {
        rename_roles(&mut interim, &path_of(&above, &member.name), &path_of(&above, &name));
    }
    let mut done = interim.clone();
    let fields = around(&mut done, &above)?;
    if let Some(old) = members.iter().find(|member| !member.section.is_empty()) {
        begin_section(fields, old, &name);
    }
    fields.retain(|field| field.name == name || !members.iter().any(|member| member.name == field.name));
    let work = Work::Merge {
        from: members.iter().map(|member| member.name.clone()).collect(),
        with: with.map(str::to_owned),
        into: name,
    };
    Ok(Plan {
        interim,
        done,
        at: above,
        work,
    })
}

/// What the fields become: a text, or a list of their kind. As few people see it as the strictest of them.
fn together(members: &[&Field], standing: Option<&Field>, name: &str, with: Option<&str>) -> Result<Field> {
    let model = standing
        .or(members.first().copied())
        .ok_or_else(|| Error::invalid("fields", "is empty."))?;
    let same = |field: &&Field| field.kind == model.kind && field.unit == model.unit && field.target == model.target;
    let level = members.iter().map(|field| field.level).max().unwrap_or_default();
    if members.iter().any(|field| field.kind == FieldKind::Group) {
        return Err(Error::invalid("fields", "are groups, which cannot be put together."));
    }
    if with.is_some() && members.iter().any(|field| field.kind == FieldKind::Link) {
        return Err(Error::invalid("with", "Links become a list of links, never a text."));
    }
    if with.is_none() && !members.iter().all(same) {
        let text = "are not of one kind, so they become no list. Say what stands between them for a text.";
        return Err(Error::invalid("fields", text));
    }
    let labels = standing.map(|field| field.labels.clone()).unwrap_or_default();
    let mut new = Field {
        hints: standing.map(|field| field.hints.clone()).unwrap_or_default(),
        facet: members.iter().any(|field| field.facet),
        column: members.iter().any(|field| field.column),
        language: model.language.clone(),
        ..plain(name, level, with.is_none(), labels)
    };
    if with.is_none() {
        new.kind = model.kind;
        (new.unit, new.target) = (model.unit.clone(), model.target.clone());
        if members.iter().all(|field| !field.values.is_empty()) {
            for field in members {
                let fresh = field.values.iter().filter(|value| !new.values.contains(value));
                let fresh: Vec<String> = fresh.cloned().collect();
                new.values.extend(fresh);
            }
        }
        for field in members {
            let fresh = field.terms.iter().filter(|term| new.term(&term.value).is_none());
            let fresh: Vec<_> = fresh.cloned().collect();
            new.terms.extend(fresh);
        }
    }
    Ok(new)
}

/// A value goes from one name to another.
pub fn renamed(map: &mut Document, from: &str, to: &str) -> Result<bool, String> {
    let Some(value) = map.get(from).cloned() else {
        return Ok(false);
    };
    if map.get(to).is_some_and(|there| !is_empty(there)) && !is_empty(&value) {
        return Err(format!("\"{}\" has a value already.", shorten(to, 60)));
    }
    if is_empty(&value) && map.contains_key(to) {
        map.shift_remove(from);
        return Ok(true);
    }
    // It keeps its place among the others.
    let moved = std::mem::take(map).into_iter().filter(|(name, _)| name != to);
    *map = moved
        .map(|(name, value)| {
            if name == from {
                (to.to_owned(), value)
            } else {
                (name, value)
            }
        })
        .collect();
    Ok(true)
}

/// A text is split.
pub fn parted(map: &mut Document, from: &str, at: &str, into: &[String]) -> Result<bool, String> {
    let stays = into.iter().any(|name| name == from);
    let text = match map.get(from) {
        None => return Ok(false),
        Some(value) if is_empty(value) => {
            // What is empty says nothing and needs no place.
            return Ok(!stays && map.shift_remove(from).is_some());
        }
        Some(value) => path::text(value).ok_or_else(|| format!("\"{}\" holds no text.", shorten(from, 60)))?,
    };
    let parts: Vec<String> = text.splitn(into.len(), at).map(|part| part.trim().to_owned()).collect();
    let others = into.iter().filter(|name| *name != from);
    let taken = others
        .clone()
        .find(|name| map.get(*name).is_some_and(|there| !is_empty(there)));
    match taken {
        Some(_) if stays => return Ok(false),
        Some(name) => return Err(format!("\"{}\" has a value already.", shorten(name, 60))),
        None if stays && parts.len() == 1 => return Ok(false),
        None => {}
    }
    map.shift_remove(from);
    for (name, part) in into.iter().zip(parts).filter(|(_, part)| !part.is_empty()) {
        map.insert(name.clone(), Value::String(part));
    }
    Ok(true)
}

/// Values are put together.
pub fn joined(map: &mut Document, from: &[String], with: Option<&str>, into: &str) -> Result<bool, String> {
    let before: Vec<Option<Value>> = from.iter().map(|name| map.get(name).cloned()).collect();
    let stands = map.get(into).cloned();
    let mut values: Vec<Value> = Vec::new();
    if !from.iter().any(|name| name == into) {
        values.extend(stands.clone().into_iter().flat_map(flat));
    }
    values.extend(before.into_iter().flatten().flat_map(flat));
    let after = match with {
        _ if values.is_empty() => None,
        None => {
            let mut list: Vec<Value> = Vec::with_capacity(values.len());
            for value in values {
                if !list.contains(&value) {
                    list.push(value);
                }
            }
            Some(Value::Array(list))
        }
        Some(with) => {
            let texts: Vec<String> = values.iter().filter_map(path::text).collect();
            Some(Value::String(texts.join(with)))
        }
    };
    let gone = from
        .iter()
        .filter(|name| *name != into && map.contains_key(*name))
        .count();
    // What has its shape already is not touched again.
    let is_done = match &stands {
        None => true,
        Some(Value::Array(_)) => with.is_none(),
        Some(Value::String(_)) => with.is_some(),
        Some(_) => false,
    };
    if gone == 0 && (is_done || after.is_none()) {
        return Ok(false);
    }
    for name in from.iter().filter(|name| *name != into) {
        map.shift_remove(name);
    }
    match after {
        Some(value) => map.insert(into.to_owned(), value),
        None => map.shift_remove(into),
    };
    Ok(true)
}

fn flat(value: Value) -> Vec<Value> {
    let items = match value {
        Value::Array(items) => items,
        one => vec![one],
    };
    items.into_iter().filter(|item| !is_empty(item)).collect()
}

/// A field goes where it says nothing.
pub fn emptied(map: &mut Document, name: &str) -> Result<bool, String> {
    match map.get(name) {
        None => Ok(false),
        Some(value) if is_empty(value) => Ok(map.shift_remove(name).is_some()),
        Some(_) => Err(format!(
            "\"{}\" holds a value; nothing is thrown away.",
            shorten(name, 60)
        )),
    }
}
