//! Mappings that are kept, what one looks up before it is put to work, and how it would read the first rows of a file.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::apply::{Applied, targets};
use super::model::{MOST_BYTES, Mapping, check_name};
use super::store::{self, Row};
use crate::contract::records::{RECORDS_WRITE, RecordType, Records};
use crate::kernel::access::{Caller, Object};
use crate::kernel::db::Write;
use crate::kernel::error::{Code, Error, FieldIssue, Result};
use crate::kernel::id::is_id;
use crate::modules::exchange::draft::model::Choices;
use crate::modules::exchange::draft::service::Draft;
use crate::modules::exchange::import::File;
use crate::modules::exchange::lookup::{Directory, Terms, fill, levels};
use crate::modules::exchange::read::{Input, Spool};
use crate::modules::exchange::recast::Recast;
use crate::modules::exchange::service::Service;

/// Mappings that a house keeps.
const MOST: i64 = 1_000;
/// Rows of a file that are shown as they would be.
const ROWS: usize = 6;
/// Records of a type that those rows are looked up among.
const LOOKED_UP: usize = 20_000;

/// A mapping that is kept.
pub struct Kept {
    pub row: Row,
    pub mapping: Mapping,
}

impl Kept {
    fn of(row: Row) -> Result<Self> {
        let mapping = serde_json::from_str(&row.document)?;
        Ok(Self { row, mapping })
    }
}

/// A row of the file beside what it becomes.
pub struct Tried {
    pub line: i64,
    /// What stands there, by column.
    pub source: Vec<(String, String)>,
    /// What it becomes, by field.
    pub result: Vec<(String, String)>,
    pub issues: Vec<FieldIssue>,
}

/// Who puts a mapping to work.
pub struct Asked<'a> {
    pub records: &'a Arc<dyn Records>,
    pub caller: &'a Caller,
    pub mapping: &'a Mapping,
    pub spool: &'a Spool,
    /// Records of a type that are looked up; none for all of them.
    pub most: Option<usize>,
}

/// The type of a mapping, as it stands or ships.
async fn definition(records: &dyn Records, mapping: &Mapping) -> Result<RecordType> {
    let name = &mapping.type_name;
    let stored = records.record_type(name).await?.map(|stored| stored.definition.clone());
    stored.or_else(|| records.shipped_type(name)).ok_or_else(|| {
        Error::invalid(
            "mapping",
            format!("goes into the type \"{name}\", which is not there, or not any more."),
        )
    })
}

/// Refuses a mapping that does not fit its type as it stands.
pub async fn check(records: &dyn Records, mapping: &Mapping) -> Result<()> {
    mapping.check(&definition(records, mapping).await?)
}

/// Checks a mapping against its type and looks everything up that it needs.
pub async fn prepare(asked: Asked<'_>, go_on: &(dyn Fn() -> Result<()> + Send + Sync)) -> Result<Applied> {
    let records = asked.records;
    let definition = definition(records.as_ref(), asked.mapping).await?;
    asked.mapping.check(&definition)?;
    let mut directories = BTreeMap::new();
    for target in targets(asked.mapping, &definition) {
        let mut directory = Directory::new(asked.spool);
        if let Some(stored) = records.record_type(&target).await? {
            let terms = Terms::of(&stored.definition);
            let of = (target.as_str(), &terms);
            fill(&mut directory, records.as_ref(), asked.caller, of, asked.most, go_on).await?;
        }
        directory.settle();
        directories.insert(target, directory);
    }
    Ok(Applied::new(asked.mapping, definition, directories, records.clone()))
}

impl Service {
    /// The mappings that are kept, newest first, into types that the caller may write.
    pub async fn mappings(&self, caller: &Caller) -> Result<Vec<Kept>> {
        let mut found = Vec::new();
        for row in store::all(&self.kernel.db, MOST).await? {
            let object = Object::Type(&row.type_name);
            if self.kernel.access.check(caller, RECORDS_WRITE, &object).await? {
                found.push(Kept::of(row)?);
            }
        }
        Ok(found)
    }

    /// One of them.
    ///
    /// # Errors
    /// `NotFound`, also for one into a type that the caller may not write.
    pub async fn mapping(&self, caller: &Caller, name: &str) -> Result<Kept> {
        let missing = || Error::not_found("mapping", name);
        let row = store::get(&self.kernel.db, name).await?.ok_or_else(missing)?;
        let object = Object::Type(&row.type_name);
        if !self.kernel.access.check(caller, RECORDS_WRITE, &object).await? {
            return Err(missing());
        }
        Kept::of(row)
    }

    /// Keeps a mapping under a name.
    pub async fn keep_mapping(&self, caller: &Caller, name: &str, mapping: &Mapping) -> Result<Kept> {
        check_name(name)?;
        // Who may not touch what is there does not put something in its place.
        if let Some(before) = store::get(&self.kernel.db, name).await? {
            let object = Object::Type(&before.type_name);
            self.kernel.access.require(caller, RECORDS_WRITE, &object).await?;
        }
        let object = Object::Type(&mapping.type_name);
        self.kernel.access.require(caller, RECORDS_WRITE, &object).await?;
        mapping.check(&definition(self.records.as_ref(), mapping).await?)?;
        let text = &serde_json::to_string(mapping)?;
        if text.len() > MOST_BYTES {
            return Err(Error::invalid("mapping", format!("has more than {MOST_BYTES} bytes.")));
        }
        let owner = &caller.actor();
        let write = self.kernel.db.write(Write::interactive("mappings.put"), |tx| {
            Box::pin(async move {
                tx.lock("mappings").await?;
                if store::others(tx, name).await? >= MOST {
                    let words =
                        format!("{MOST} mappings are kept already, the most that may. Delete one that nobody uses.");
                    return Err(Error::new(Code::Conflict, words));
                }
                store::put(tx, name, &mapping.type_name, text, owner).await
            })
        });
        write.await?;
        self.mapping(caller, name).await
    }

    pub async fn drop_mapping(&self, caller: &Caller, name: &str) -> Result<()> {
        self.mapping(caller, name).await?;
        let write = self.kernel.db.write(Write::interactive("mappings.delete"), |tx| {
            Box::pin(async move { store::delete(tx, name).await })
        });
        write.await?;
        Ok(())
    }

    /// What the first rows of a draft's file become by a mapping; and what is to be known beside.
    pub async fn try_mapping(&self, caller: &Caller, draft: &Draft, mapping: &Mapping) -> Result<Vec<Tried>> {
        let go_on = || Ok(());
        let asked = Asked {
            records: &self.records,
            caller,
            mapping,
            spool: &self.spool,
            most: Some(LOOKED_UP),
        };
        let applied = Arc::new(prepare(asked, &go_on).await?);
        let raw = self.file_of(draft, mapping, None).await?;
        let made = self.file_of(draft, mapping, Some(Recast::Mapping(applied))).await?;
        let definition = definition(self.records.as_ref(), mapping).await?;
        let records = self.records.clone();
        let whole = definition.clone();
        let work = move || {
            let (raw, _) = raw.open()?;
            let (made, _) = made.open()?;
            let mut rows = Vec::new();
            for (raw, made) in raw.zip(made).take(ROWS) {
                let (raw, made) = (raw?, made?);
                let source = raw.content.map(|row| cells(&row)).unwrap_or_default();
                let (document, issues) = match made.content {
                    Ok(row) => {
                        let document = Applied::done().shape(&whole, row).document;
                        let issues = records.validate(&whole, &document);
                        (document, issues)
                    }
                    Err(issues) => (Map::new(), issues),
                };
                rows.push((raw.line, source, document, issues));
            }
            Ok::<_, Error>(rows)
        };
        let rows = tokio::task::spawn_blocking(work).await.map_err(Error::internal)??;
        let mut tried = Vec::new();
        for (line, source, document, issues) in rows {
            let mut result = Vec::new();
            flat("", &Value::Object(document), &mut result);
            self.name_links(caller, &mut result).await?;
            tried.push(Tried {
                line,
                source,
                result,
                issues,
            });
        }
        Ok(tried)
    }

    /// What links lead to, by title.
    async fn name_links(&self, caller: &Caller, result: &mut [(String, String)]) -> Result<()> {
        let ids: Vec<String> = result
            .iter()
            .filter(|(_, text)| is_id(text))
            .map(|(_, text)| text.clone())
            .collect();
        if ids.is_empty() {
            return Ok(());
        }
        let levels = levels(self.records.as_ref(), caller, &ids).await?;
        for record in self.records.get_many(caller, &ids).await? {
            let Some(stored) = self.records.record_type(&record.type_name).await? else {
                continue;
            };
            let level = levels.get(&record.id).copied().unwrap_or_default();
            let document = self.records.cut(&stored.definition, level, record.document);
            let title = self.records.title(&stored.definition, &document);
            for (_, text) in result.iter_mut().filter(|(_, text)| *text == record.id) {
                *text = format!("→ {title}");
            }
        }
        Ok(())
    }

    async fn file_of(&self, draft: &Draft, mapping: &Mapping, recast: Option<Recast>) -> Result<File> {
        let mut reading = draft.choices.reading.clone();
        (reading.decimal, reading.date_order) = (mapping.decimal, mapping.date_order);
        Ok(File {
            input: Input {
                stream: self.kernel.blobs.open(&draft.row.blob).await?,
                spool: self.spool.clone(),
            },
            name: draft.row.name.clone(),
            format: None,
            reading,
            limits: self.kernel.config.import.clone(),
            missing: missing(mapping, &draft.choices),
            left_out: Vec::new(),
            recast,
        })
    }
}

/// Texts that say "no value": of the mapping, and of the file.
pub fn missing(mapping: &Mapping, choices: &Choices) -> Vec<String> {
    let mut all = mapping.missing.clone();
    all.extend(
        choices
            .missing
            .iter()
            .filter(|text| !mapping.missing.contains(text))
            .cloned(),
    );
    all.truncate(20);
    all
}

fn cells(row: &Map<String, Value>) -> Vec<(String, String)> {
    let said = row.iter().filter(|(_, value)| !value.is_null());
    said.map(|(name, value)| (name.clone(), words(value)))
        .filter(|(_, text)| !text.is_empty())
        .collect()
}

fn words(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    text.chars().take(200).collect()
}

/// Values with the paths of their fields.
fn flat(at: &str, value: &Value, into: &mut Vec<(String, String)>) {
    match value {
        Value::Null => {}
        Value::Object(map) => {
            for (name, value) in map {
                let path = if at.is_empty() {
                    name.clone()
                } else {
                    format!("{at}.{name}")
                };
                flat(&path, value, into);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| flat(at, item, into)),
        other => {
            let text = words(other);
            if !text.is_empty() {
                into.push((at.to_owned(), text));
            }
        }
    }
}
