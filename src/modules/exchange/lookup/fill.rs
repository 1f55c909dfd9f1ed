//! Filling a directory with the records of a type, page by page, as far as the one who imports may see them.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{Directory, Entry};
use crate::contract::records::{FieldKind, RecordType, Records};
use crate::kernel::access::{Caller, Level};
use crate::kernel::error::Result;

/// Records read at a time.
const PAGE: i64 = 1_000;

/// Which fields of a type answer.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    pub key: Option<String>,
    pub name: Option<String>,
    /// Other fields that call it, joined as `Family, Given`.
    pub family: Option<(String, String)>,
    pub rank: Option<String>,
    pub parent: Option<String>,
}

impl Terms {
    /// Those of a type: its key, its title, what it hangs below; and what looks like a rank.
    pub fn of(definition: &RecordType) -> Self {
        let has = |name: &str| {
            definition
                .fields
                .iter()
                .any(|f| f.name == name && f.kind != FieldKind::Group)
        };
        let first = |names: &[&str]| names.iter().find(|name| has(name)).map(|name| (*name).to_owned());
        Self {
            key: definition.key.clone(),
            name: definition.title.clone(),
            family: (has("familyName") && has("givenName")).then(|| ("familyName".to_owned(), "givenName".to_owned())),
            rank: first(&["taxonRank", "rank", "level"]),
            parent: definition.parent.clone(),
        }
    }

    /// A document as it is looked up.
    pub fn entry(&self, id: Option<String>, document: &Map<String, Value>) -> Entry {
        let text = |field: &Option<String>| text(document, field.as_deref()?);
        let mut names: Vec<String> = text(&self.name).into_iter().collect();
        if let Some((family, given)) = &self.family
            && let (Some(family), Some(given)) = (text(&Some(family.clone())), text(&Some(given.clone())))
        {
            for name in [format!("{family}, {given}"), format!("{given} {family}")] {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        Entry {
            id,
            key: text(&self.key),
            names,
            rank: text(&self.rank).unwrap_or_default(),
            parent: text(&self.parent),
        }
    }
}

fn text(document: &Map<String, Value>, field: &str) -> Option<String> {
    match document.get(field)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What somebody may see of records, by their ids.
pub async fn levels(records: &dyn Records, caller: &Caller, ids: &[String]) -> Result<HashMap<String, Level>> {
    let sights = records.sights(caller, ids).await?;
    Ok(sights.into_iter().map(|sight| (sight.id, sight.level)).collect())
}

/// Puts the records of a type into a directory, or the first of them up to `most`. A type that is not there has none.
///
/// # Errors
/// What the database or the disk says; what `go_on` says.
pub async fn fill(
    directory: &mut Directory,
    records: &dyn Records,
    caller: &Caller,
    (type_name, terms): (&str, &Terms),
    most: Option<usize>,
    go_on: &(dyn Fn() -> Result<()> + Send + Sync),
) -> Result<()> {
    let Some(stored) = records.record_type(type_name).await? else {
        return Ok(());
    };
    let mut after: Option<String> = None;
    loop {
        go_on()?;
        let page = records.page(caller, type_name, after.as_deref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.id.clone());
        let ids: Vec<String> = page.iter().map(|record| record.id.clone()).collect();
        let levels = levels(records, caller, &ids).await?;
        for record in page {
            let Some(level) = levels.get(&record.id) else { continue };
            let document = records.cut(&stored.definition, *level, record.document);
            directory.add(&terms.entry(Some(record.id), &document))?;
        }
        if most.is_some_and(|most| directory.len() > most) {
            directory.is_only_a_part();
            return Ok(());
        }
    }
}
