//! Several records made as one: a specimen with its objects and pictures, each with its number and its links to the others, in
//! one transaction with one change set. All of them are made, or none.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{NewRecord, Ready, Written};
use crate::contract::records::{Field, FieldKind, RecordType};
use crate::kernel::db::Write;
use crate::kernel::error::{Code, Error, FieldIssue, Result};
use crate::modules::records::model::shorten;
use crate::modules::records::service::{Because, Service, shipped};

/// Records that are made together.
const MOST: usize = 100;
/// What stands before the name of one of them where an id would stand.
const SIGN: char = '#';
/// Characters of a name in a message.
const SHORT: usize = 60;

/// One of the records, and what those after it call it.
#[derive(Clone, Debug)]
pub struct Together {
    /// Empty where none of them leads to it.
    pub name: String,
    pub new: NewRecord,
}

/// What is wrong with one of them, named by its place.
fn at_place(place: usize, error: Error) -> Error {
    if error.code() != Code::Invalid || error.fields().is_empty() {
        return error;
    }
    let issue = |issue: &FieldIssue| FieldIssue {
        path: format!("records.{place}.{}", issue.path),
        message: issue.message.clone(),
    };
    Error::invalid_fields(error.fields().iter().map(issue).collect())
}

/// Puts ids in the place of names, and gathers the names that nobody has.
fn led(fields: &[Field], document: &mut Map<String, Value>, ids: &HashMap<String, String>, lost: &mut Vec<String>) {
    for field in fields {
        if let Some(value) = document.get_mut(&field.name) {
            lead(field, value, ids, lost);
        }
    }
}

fn lead(field: &Field, value: &mut Value, ids: &HashMap<String, String>, lost: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| lead(field, item, ids, lost)),
        Value::Object(inner) if field.kind == FieldKind::Group => led(&field.fields, inner, ids, lost),
        Value::String(text) if field.kind == FieldKind::Link => {
            let Some(name) = text.strip_prefix(SIGN) else { return };
            match ids.get(name) {
                Some(id) => *value = Value::String(id.clone()),
                None => lost.push(name.to_owned()),
            }
        }
        _ => {}
    }
}

impl Service {
    /// Makes these records in their order. A link of one may lead to another that stands before it: `#` and its name.
    ///
    /// # Errors
    /// `Invalid` with the place of the record and its field. Then none is made.
    pub async fn create_together(&self, why: &Because<'_>, all: &[Together]) -> Result<Vec<Written>> {
        if all.is_empty() || all.len() > MOST {
            return Err(Error::invalid("records", format!("are 1 to {MOST} records.")));
        }
        let mut ids: HashMap<String, String> = HashMap::new();
        let mut own: Vec<String> = Vec::new();
        let mut ready = Vec::with_capacity(all.len());
        for (place, one) in all.iter().enumerate() {
            let new = self.named(place, one, &ids).await?;
            let prepared = self
                .prepare(why, &new, &own)
                .await
                .map_err(|error| at_place(place, error))?;
            own.push(prepared.id.clone());
            if !one.name.is_empty() && ids.insert(one.name.clone(), prepared.id.clone()).is_some() {
                let text = format!(
                    "is the name of another of the records, too: \"{}\".",
                    shorten(&one.name, SHORT)
                );
                return Err(Error::invalid(format!("records.{place}.name"), text));
            }
            ready.push((new, prepared));
        }
        let ready: &[(NewRecord, Ready)] = &ready;
        let outcome = self.db.write(Write::interactive("records.create-together"), |tx| {
            Box::pin(async move {
                let set = why.open(tx, "record.create").await?;
                let mut made = Vec::with_capacity(ready.len());
                for (place, (new, prepared)) in ready.iter().enumerate() {
                    let written = self.make(tx, &set, new, prepared).await;
                    made.push(written.map_err(|error| at_place(place, error))?);
                }
                Ok(made)
            })
        });
        match outcome.await {
            Err(error) => Err(self.name_owners(why.caller, error).await),
            done => done,
        }
    }

    /// The record with ids in the place of names.
    async fn named(&self, place: usize, one: &Together, ids: &HashMap<String, String>) -> Result<NewRecord> {
        let stored = self.find_type(&one.new.type_name).await?;
        let shipped = shipped().iter().find(|known| known.name == one.new.type_name);
        let definition: Option<&RecordType> = stored.as_ref().map(|stored| &stored.definition).or(shipped);
        let mut new = one.new.clone();
        let mut lost = Vec::new();
        if let Some(definition) = definition {
            led(&definition.fields, &mut new.document, ids, &mut lost);
        }
        match lost.first() {
            Some(name) => {
                let text = format!(
                    "leads to \"#{}\", but none of the records before it is called so.",
                    shorten(name, SHORT)
                );
                Err(Error::invalid(format!("records.{place}"), text))
            }
            None => Ok(new),
        }
    }
}
