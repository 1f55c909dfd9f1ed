//! A change of a type that moves the values of its records: a field gets another name or kind, is split, put together with
//! others or taken away. Says what the type is while the values move and after it, and moves those of one document after
//! the other. Moving twice is the same as moving once. No I/O.

mod convert;
mod moves;
mod places;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use self::convert::Converter;
pub use self::convert::{field as as_kind, plain};
use self::places::{Place, each, list, locate, rename_roles};
use super::definition;
use crate::contract::records::{Field, FieldKind, RecordType};
use crate::kernel::error::{Error, FieldIssue, Result};

/// Fields that one is split into, or that are put together.
const MOST: usize = 20;
/// Characters between values.
const MAX_BETWEEN: usize = 20;
const MAX_NAME: usize = 200;

/// What is changed. Fields are named by their paths, new ones by what they are called beside the old one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Reshape {
    /// A field or a group gets another name; what it is called on pages stays.
    Rename { field: String, to: String },
    /// A field holds another kind of value, or several instead of one. What was written and would be written otherwise now,
    /// or does not fit, is kept in a text field beside it.
    Kind {
        field: String,
        #[schema(inline)]
        kind: FieldKind,
        #[serde(default)]
        repeated: bool,
        /// The text field for what was written; without it one is made, if it is needed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rest: Option<String>,
    },
    /// The text of a field is split at a mark into several; the last one takes what is left.
    Split {
        field: String,
        at: String,
        into: Vec<String>,
    },
    /// Several fields become one: their texts with words between them, or, without, a list.
    Merge {
        fields: Vec<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        with: Option<String>,
        into: String,
    },
    /// A field that no record has a value in goes.
    Remove { field: String },
}

impl Reshape {
    /// The name under which forms and the ledger know it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Rename { .. } => "rename",
            Self::Kind { .. } => "kind",
            Self::Split { .. } => "split",
            Self::Merge { .. } => "merge",
            Self::Remove { .. } => "remove",
        }
    }

    /// The fields that it takes values from.
    pub fn fields(&self) -> Vec<&str> {
        match self {
            Self::Rename { field, .. }
            | Self::Kind { field, .. }
            | Self::Split { field, .. }
            | Self::Remove { field } => vec![field],
            Self::Merge { fields, .. } => fields.iter().map(String::as_str).collect(),
        }
    }
}

/// A change that fits its type.
#[derive(Debug)]
pub struct Plan {
    /// The type while values move: it has what was and what will be.
    pub interim: RecordType,
    /// The type after it.
    pub done: RecordType,
    /// The groups around the fields.
    at: Vec<String>,
    work: Work,
}

#[derive(Debug)]
enum Work {
    Rename {
        from: String,
        to: String,
    },
    Kind(Box<Converter>),
    Split {
        from: String,
        at: String,
        into: Vec<String>,
    },
    Merge {
        from: Vec<String>,
        with: Option<String>,
        into: String,
    },
    Remove {
        name: String,
    },
}

/// A document after its values were moved.
#[derive(Clone, Debug, PartialEq)]
pub struct Moved {
    pub document: Map<String, Value>,
    /// Values of which is kept what was written: they did not fit, or are written otherwise now.
    pub aside: usize,
}

impl Plan {
    /// Reads a change against a type. `rest`: a field is made for what was written, where one is needed for it.
    ///
    /// # Errors
    /// `Invalid`, naming the part that is wrong.
    pub fn of(definition: &RecordType, step: &Reshape, rest: bool) -> Result<Self> {
        let plan = match step {
            Reshape::Rename { field, to } => rename(definition, field, to),
            Reshape::Kind {
                field,
                kind,
                repeated,
                rest: named,
            } => kind_of(definition, field, (*kind, *repeated), (named.as_deref(), rest)),
            Reshape::Split { field, at, into } => moves::split(definition, field, at, into),
            Reshape::Merge { fields, with, into } => moves::merge(definition, fields, with.as_deref(), into),
            Reshape::Remove { field } => remove(definition, field),
        }?;
        for wanted in [&plan.done, &plan.interim] {
            let issues = definition::check(wanted);
            if !issues.is_empty() {
                return Err(Error::invalid_fields(issues));
            }
        }
        Ok(plan)
    }

    /// The document with its values moved, or nothing where none is to be.
    ///
    /// # Errors
    /// Why it has to stay as it is.
    pub fn apply(&self, document: &Map<String, Value>) -> Result<Option<Moved>, String> {
        let (mut document, mut aside) = (document.clone(), 0);
        let changed = each(&mut document, &self.at, &mut |map| match &self.work {
            Work::Rename { from, to } => moves::renamed(map, from, to),
            Work::Kind(converter) => converter.convert(map, &mut aside),
            Work::Split { from, at, into } => moves::parted(map, from, at, into),
            Work::Merge { from, with, into } => moves::joined(map, from, with.as_deref(), into),
            Work::Remove { name } => moves::emptied(map, name),
        })?;
        Ok(changed.then_some(Moved { document, aside }))
    }
}

/// A field that can be changed so, or what speaks against it.
fn known<'d>(definition: &'d RecordType, at: &str, path: &str) -> Result<Place<'d>> {
    let place = locate(&definition.fields, path).ok_or_else(|| {
        let rows = super::path::leaves(&definition.fields);
        let hint = super::hint(path, rows.iter().map(|leaf| leaf.path.as_str()));
        let shown = super::shorten(path, 60);
        Error::invalid(at, format!("\"{shown}\" is not a field of this type.{hint}"))
    })?;
    if numbered(place.field) {
        let text = "is given numbers by a scheme. Stop that first, then change the field, then begin again.";
        return Err(Error::invalid(at, text));
    }
    Ok(place)
}

fn numbered(field: &Field) -> bool {
    field.number.is_some() || field.fields.iter().any(numbered)
}

/// A name that is free beside these fields.
fn free(at: &str, fields: &[Field], name: &str) -> Result<String> {
    let name = name.trim();
    let wrong = if name.is_empty() {
        "is empty. Say what the field is called."
    } else if name.len() > MAX_NAME || name.chars().any(char::is_control) {
        "is one line of at most 200 bytes."
    } else if fields.iter().any(|field| field.name == name) {
        "is the name of another field already."
    } else {
        return Ok(name.to_owned());
    };
    Err(Error::invalid(at, wrong))
}

/// The fields around a place, to be changed.
fn around<'d>(definition: &'d mut RecordType, above: &[String]) -> Result<&'d mut Vec<Field>> {
    list(&mut definition.fields, above).ok_or_else(|| Error::invalid_fields(vec![gone()]))
}

fn gone() -> FieldIssue {
    FieldIssue {
        path: "field".to_owned(),
        message: "is not there any more.".to_owned(),
    }
}

fn rename(definition: &RecordType, path: &str, to: &str) -> Result<Plan> {
    let place = known(definition, "field", path)?;
    let (above, from) = (place.above(), place.field.name.clone());
    let to = free("to", place.beside, to)?;
    let new_path = places::joined(&above, &to);
    let new = Field {
        name: to.clone(),
        ..place.field.clone()
    };
    let mut interim = definition.clone();
    let fields = around(&mut interim, &above)?;
    let index = fields.iter().position(|field| field.name == from).unwrap_or_default();
    places::relax(&mut fields[index], path, definition.key.as_deref());
    // The section begins with the new one.
    fields[index].section.clear();
    let required = new.required;
    fields.insert(index, Field { required: false, ..new });
    rename_roles(&mut interim, path, &new_path);
    let mut done = interim.clone();
    let fields = around(&mut done, &above)?;
    fields.retain(|field| field.name != from);
    if let Some(field) = fields.iter_mut().find(|field| field.name == to) {
        field.required = required;
    }
    Ok(Plan {
        interim,
        done,
        at: above,
        work: Work::Rename { from, to },
    })
}

/// A kind of single values that can become another one.
fn is_plain(kind: FieldKind) -> bool {
    !matches!(kind, FieldKind::Group | FieldKind::Link)
}

fn kind_of(
    definition: &RecordType,
    path: &str,
    (kind, repeated): (FieldKind, bool),
    (named, makes): (Option<&str>, bool),
) -> Result<Plan> {
    let place = known(definition, "field", path)?;
    let (above, old) = (place.above(), place.field);
    let only_list = kind == old.kind && repeated && !old.repeated;
    let both_plain = is_plain(kind) && is_plain(old.kind);
    if !only_list && !both_plain {
        let text = "Links and groups do not become other kinds, nor others them. Make a field of that kind beside it.";
        return Err(Error::invalid("kind", text));
    }
    if kind == old.kind && repeated == old.repeated {
        return Err(Error::invalid("kind", "is the kind that the field has already."));
    }
    let new = convert::field(old, kind, repeated);
    let called = named.map(str::trim).filter(|name| !name.is_empty());
    let rest = called.map_or_else(|| format!("{}_as_written", old.name), str::to_owned);
    let standing = place.beside.iter().find(|field| field.name == rest);
    if standing.is_some_and(|field| field.kind != FieldKind::Text || field.name == old.name) {
        return Err(Error::invalid("rest", "is not a text field beside it."));
    }
    let has_rest = standing.is_some() || makes;
    let made = (standing.is_none() && makes).then(|| convert::rest(old, &rest));
    let mut done = definition.clone();
    let fields = around(&mut done, &above)?;
    let index = fields
        .iter()
        .position(|field| field.name == old.name)
        .unwrap_or_default();
    fields[index] = new.clone();
    if let Some(made) = made {
        fields.insert(index + 1, made);
    }
    let many = fields.iter().any(|field| field.name == rest && field.repeated);
    let converter = Converter::new(definition, new, has_rest.then_some((rest, many)));
    Ok(Plan {
        interim: done.clone(),
        done,
        at: above,
        work: Work::Kind(Box::new(converter)),
    })
}

fn remove(definition: &RecordType, path: &str) -> Result<Plan> {
    let place = known(definition, "field", path)?;
    let (above, name) = (place.above(), place.field.name.clone());
    let mut interim = definition.clone();
    for field in around(&mut interim, &above)?
        .iter_mut()
        .filter(|field| field.name == name)
    {
        field.required = false;
    }
    let mut done = interim.clone();
    around(&mut done, &above)?.retain(|field| field.name != name);
    Ok(Plan {
        interim,
        done,
        at: above,
        work: Work::Remove { name },
    })
}
