//! Values that differ from record to record, as somebody pasted them: each record has its own for some fields.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value};

use crate::contract::records::{Field, FieldKind, RecordType};
use crate::kernel::error::{Error, Result};
use crate::kernel::id::is_id;
use crate::modules::records::model::path::{self, Leaf};
use crate::modules::records::model::{cell, entry, patch, shorten};

/// Fields and records of one such change.
const MOST_FIELDS: usize = 100;
const MOST_RECORDS: usize = 10_000;

/// See the module's text.
#[derive(Debug)]
pub struct Fill {
    /// All fields of the type, as its caller sees them.
    fields: Vec<Field>,
    /// Those that are given values.
    paths: Vec<String>,
    values: BTreeMap<String, Vec<Option<String>>>,
    /// What links would lead to and the caller does not see.
    lost: HashSet<String>,
}

impl Fill {
    /// Reads it against a type, cut to what its caller sees.
    ///
    /// # Errors
    /// `Invalid`, naming the part that is wrong.
    pub fn of(
        definition: &RecordType,
        paths: &[String],
        values: &BTreeMap<String, Vec<Option<String>>>,
    ) -> Result<Self> {
        if paths.is_empty() || paths.len() > MOST_FIELDS {
            let text = format!("names 1 to {MOST_FIELDS} fields.");
            return Err(Error::invalid("action.fields", text));
        }
        for (at, name) in paths.iter().enumerate() {
            let leaf = super::known(definition, "action.fields", name)?;
            if paths[..at].contains(name) {
                let text = format!("names \"{}\" twice.", shorten(name, 60));
                return Err(Error::invalid("action.fields", text));
            }
            if !cell::is_plain(&definition.fields, &leaf) {
                let text = format!(
                    "\"{}\" has no cell of its own: it is part of a list, or the house gives its value. Change it by the form.",
                    shorten(name, 60)
                );
                return Err(Error::invalid("action.fields", text));
            }
        }
        if values.is_empty() || values.len() > MOST_RECORDS {
            let text = format!("names 1 to {MOST_RECORDS} records.");
            return Err(Error::invalid("action.values", text));
        }
        for (id, row) in values {
            if !is_id(id) {
                let text = format!("\"{}\" is not the id of a record.", shorten(id, 60));
                return Err(Error::invalid("action.values", text));
            }
            if row.len() != paths.len() {
                let text = format!(
                    "{id} has {} values; {} fields are named. Leave a field as it is with null.",
                    row.len(),
                    paths.len()
                );
                return Err(Error::invalid("action.values", text));
            }
        }
        Ok(Self {
            fields: definition.fields.clone(),
            paths: paths.to_vec(),
            values: values.clone(),
            lost: HashSet::new(),
        })
    }

    fn leaves(&self) -> Vec<Leaf<'_>> {
        let found = self.paths.iter().filter_map(|path| path::find(&self.fields, path));
        found.collect()
    }

    /// Ids that links would lead to.
    pub fn targets(&self) -> Vec<String> {
        let leaves = self.leaves();
        let mut targets = Vec::new();
        for row in self.values.values() {
            for (leaf, text) in leaves.iter().zip(row) {
                if let (FieldKind::Link, Some(text)) = (leaf.field.kind, text) {
                    targets.extend(ids_of(leaf, text));
                }
            }
        }
        targets.sort();
        targets.dedup();
        targets
    }

    /// These are not there for its caller.
    pub fn lose(&mut self, targets: impl Iterator<Item = String>) {
        self.lost.extend(targets);
    }

    /// The document of a record after it, or nothing where it says the same as before.
    ///
    /// # Errors
    /// Why the record has to stay as it is.
    pub fn apply(&self, id: &str, document: &Map<String, Value>) -> Result<Option<Map<String, Value>>, String> {
        let Some(row) = self.values.get(id) else {
            return Ok(None);
        };
        let leaves = self.leaves();
        let mut cells = Vec::with_capacity(row.len());
        for (leaf, text) in leaves.iter().zip(row) {
            let Some(text) = text else { continue };
            let before = cell::text(leaf, document);
            if before.as_ref() == Some(text) {
                continue;
            }
            if before.is_none() {
                return Err(format!("{} holds more than a cell can show.", leaf.path));
            }
            if leaf.field.kind == FieldKind::Link
                && let Some(lost) = ids_of(leaf, text).into_iter().find(|id| self.lost.contains(id))
            {
                return Err(format!(
                    "{} leads to \"{}\", but there is no such record.",
                    leaf.path,
                    shorten(&lost, 60)
                ));
            }
            cells.push((leaf, text.as_str()));
        }
        let taken = cell::changed(&self.fields, document, &cells);
        if let Some(issue) = taken.issues.first() {
            return Err(format!("{} {}", issue.path, issue.message));
        }
        Ok((!patch::same(document, &taken.document)).then_some(taken.document))
    }
}

/// What the links of a cell lead to, as their document will say it.
fn ids_of(leaf: &Leaf<'_>, text: &str) -> Vec<String> {
    let one = std::slice::from_ref(leaf.field);
    let alone = Leaf {
        path: leaf.field.name.clone(),
        steps: vec![&leaf.field.name],
        ..leaf.clone()
    };
    let entered = cell::entered(one, &Map::new(), &[(&alone, text)]);
    let document = entry::take(one, &Map::new(), &entered).document;
    path::values(&document, &alone.steps)
        .into_iter()
        .filter_map(path::text)
        .collect()
}
