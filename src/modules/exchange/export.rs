//! Exports: records of a type as they are, in id order or as a search finds them, page by page and without ever holding
//! a snapshot. What goes out comes in again without a change.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use serde_json::{Map, Value};

use super::marks::{RECORD_ID, guard};
use super::shape::{to_cell, write_row};
use crate::contract::exchange::Format;
use crate::contract::records::{Field, RECORDS_READ, Record, Records, StoredType};
use crate::kernel::Kernel;
use crate::kernel::access::{Caller, Level, Object};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::ledger;
use crate::kernel::search::{Query, Sort};

const PAGE: i64 = 200;
/// How long an export waits for the search index.
const PATIENCE: Duration = Duration::from_secs(20);

/// See the module's text.
pub struct Export {
    kernel: Kernel,
    records: Arc<dyn Records>,
    caller: Caller,
    stored: Arc<StoredType>,
    /// The columns of a table.
    fields: Vec<Field>,
    text: String,
    format: Format,
    place: Place,
    ready: VecDeque<Bytes>,
}

enum Place {
    After(Option<String>),
    Cursor(Option<String>),
    End,
}

impl Export {
    /// Opens an export and reads its first page.
    ///
    /// # Errors
    /// `NotFound` for a type the caller cannot see, `Invalid` for a question that cannot be asked.
    pub(super) async fn open(
        kernel: Kernel,
        records: Arc<dyn Records>,
        caller: Caller,
        type_name: &str,
        text: &str,
        format: Format,
    ) -> Result<Self> {
        let object = Object::Type(type_name);
        kernel.access.require(&caller, RECORDS_READ, &object).await?;
        let level = kernel.access.level(&caller, &object).await?;
        let stored = records.record_type(type_name).await?;
        let (Some(stored), Some(level)) = (stored, level) else {
            return Err(Error::not_found("type", type_name));
        };
        let fields: Vec<Field> = stored
            .definition
            .fields
            .iter()
            .filter(|f| f.level <= level)
            .cloned()
            .collect();
        let place = if text.trim().is_empty() {
            Place::After(None)
        } else {
            Place::Cursor(None)
        };
        let text = text.to_owned();
        let mut export = Self {
            kernel,
            records,
            caller,
            stored,
            fields,
            text,
            format,
            place,
            ready: VecDeque::new(),
        };
        let mut head = String::new();
        match format {
            Format::Csv => {
                let names = export.fields.iter().map(|f| guard(&f.name).into_owned());
                write_row(&mut head, std::iter::once(RECORD_ID.to_owned()).chain(names));
            }
            Format::Jsonl => {}
            Format::Json | Format::Xlsx | Format::Ods => {
                return Err(Error::invalid("format", "Exports are csv or jsonl."));
            }
        }
        export.ready.push_back(head.into());
        if matches!(export.place, Place::Cursor(_)) {
            export.index_is_there().await?;
        }
        export.read().await?;
        Ok(export)
    }

    /// A search that lags would leave records out.
    async fn index_is_there(&self) -> Result<()> {
        let head = ledger::head(&self.kernel.db).await?;
        if self.kernel.search.wait_for(head, PATIENCE).await? {
            return Ok(());
        }
        Err(Error::new(
            Code::Busy,
            "The search is still reading what was written last. Try again in a moment; /health/ready says how far it is.",
        ))
    }

    /// Reads the next page into `ready`.
    async fn read(&mut self) -> Result<()> {
        let name = self.stored.definition.name.clone();
        let page = match &self.place {
            Place::End => return Ok(()),
            Place::After(after) => {
                let page = self.records.page(&self.caller, &name, after.as_deref(), PAGE).await?;
                self.place = page
                    .last()
                    .map_or(Place::End, |last| Place::After(Some(last.id.clone())));
                page
            }
            Place::Cursor(cursor) => {
                let query = Query {
                    kind: Some(ledger::RECORD.to_owned()),
                    types: vec![name],
                    text: self.text.clone(),
                    filters: Vec::new(),
                    facets: Vec::new(),
                    sort: Sort::Created { descending: false },
                    limit: PAGE as usize,
                    cursor: cursor.clone(),
                    offset: 0,
                    visibility: self.kernel.access.filter(&self.caller, RECORDS_READ).await?,
                };
                let answer = self.kernel.search.search(query).await?;
                if cursor.is_none()
                    && let Some(hint) = answer.hints.first()
                {
                    // A page may guess what was meant; an export must not leave out what was not.
                    return Err(Error::new(Code::Invalid, format!("q: {hint}")));
                }
                self.place = answer.next.map_or(Place::End, |next| Place::Cursor(Some(next)));
                let ids: Vec<String> = answer.hits.into_iter().map(|hit| hit.id).collect();
                self.records.get_many(&self.caller, &ids).await?
            }
        };
        let mut text = String::new();
        for record in page {
            self.write(record, &mut text).await?;
        }
        self.ready.push_back(text.into());
        Ok(())
    }

    async fn write(&self, record: Record, out: &mut String) -> Result<()> {
        let object = Object::Record {
            id: &record.id,
            type_name: &record.type_name,
            visibility: record.visibility,
        };
        let Some(level) = self.kernel.access.level(&self.caller, &object).await? else {
            return Ok(());
        };
        let definition = &self.stored.definition;
        let document = if level == Level::Restricted {
            record.document
        } else {
            self.records.cut(definition, level, record.document)
        };
        if self.format == Format::Csv {
            let cells = self
                .fields
                .iter()
                .map(|field| to_cell(field, document.get(&field.name)));
            write_row(out, std::iter::once(record.id).chain(cells));
            return Ok(());
        }
        let mut line = Map::with_capacity(document.len() + 1);
        line.insert(RECORD_ID.to_owned(), Value::String(record.id));
        line.extend(document);
        out.push_str(&Value::Object(line).to_string());
        out.push('\n');
        Ok(())
    }

    /// The export in pieces.
    pub(super) fn stream(self) -> impl Stream<Item = Result<Bytes>> + Send {
        futures_util::stream::unfold(Some(self), |export| async move {
            let mut export = export?;
            loop {
                if let Some(piece) = export.ready.pop_front() {
                    if !piece.is_empty() {
                        return Some((Ok(piece), Some(export)));
                    }
                } else if matches!(export.place, Place::End) {
                    return None;
                } else if let Err(error) = export.read().await {
                    tracing::warn!(?error, "an export broke off");
                    return Some((Err(error), None));
                }
            }
        })
    }
}
