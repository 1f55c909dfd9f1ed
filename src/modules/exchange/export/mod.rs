//! Exports: records of a type as they are, in id order or as a search finds them, page by page and without ever holding
//! a snapshot. What goes out comes in again without a change.
//!
//! An export is a stream of bytes; an answer carries it as it comes to be, a job lays it down to be fetched later.

pub mod api;
pub mod job;
pub mod service;
pub mod store;
pub mod ui;
pub mod whole;
pub mod xlsx;
pub mod zip;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use serde_json::{Map, Value};

use super::marks::{RECORD_ID, guard};
use super::shape::{to_cell, to_text, write_row};
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
    writer: Writer,
    place: Place,
    ready: VecDeque<Bytes>,
    /// Records written so far.
    pub(super) records_out: i64,
    /// Records that there are, where it is known.
    pub(super) total: Option<i64>,
}

/// How records become bytes.
enum Writer {
    Csv,
    Jsonl,
    Json,
    Xlsx(Box<xlsx::Workbook>),
}

enum Place {
    After(Option<String>),
    Cursor(Option<String>),
    /// The last page is written, the end of the file is not.
    Last,
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
        let (writer, head) = begin(format, &stored.definition.name, &fields)?;
        let mut export = Self {
            kernel,
            records,
            caller,
            stored,
            fields,
            text: text.to_owned(),
            writer,
            place,
            ready: VecDeque::from([head.into()]),
            records_out: 0,
            total: None,
        };
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
            Place::Last => return self.end(),
            Place::End => return Ok(()),
            Place::After(after) => {
                let page = self.records.page(&self.caller, &name, after.as_deref(), PAGE).await?;
                self.place = page
                    .last()
                    .map_or(Place::Last, |last| Place::After(Some(last.id.clone())));
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
                    ..Query::default()
                };
                let answer = self.kernel.search.search(query).await?;
                if cursor.is_none()
                    && let Some(hint) = answer.hints.first()
                {
                    // A page may guess what was meant; an export must not leave out what was not.
                    return Err(Error::new(Code::Invalid, format!("q: {hint}")));
                }
                self.place = answer.next.map_or(Place::Last, |next| Place::Cursor(Some(next)));
                self.total = i64::try_from(answer.total).ok();
                let ids: Vec<String> = answer.hits.into_iter().map(|hit| hit.id).collect();
                self.records.get_many(&self.caller, &ids).await?
            }
        };
        let mut text = String::new();
        for record in page {
            self.write(record, &mut text).await?;
        }
        let packed = match &mut self.writer {
            Writer::Xlsx(book) => book.take(),
            _ => text.into_bytes(),
        };
        self.ready.push_back(packed.into());
        Ok(())
    }

    /// What comes after the last record.
    fn end(&mut self) -> Result<()> {
        self.place = Place::End;
        let rest = match &mut self.writer {
            Writer::Json if self.records_out == 0 => b"[]\n".to_vec(),
            Writer::Json => b"\n]\n".to_vec(),
            Writer::Xlsx(book) => {
                book.finish()?;
                book.take()
            }
            Writer::Csv | Writer::Jsonl => Vec::new(),
        };
        self.ready.push_back(rest.into());
        Ok(())
    }

    async fn write(&mut self, record: Record, out: &mut String) -> Result<()> {
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
        match &mut self.writer {
            Writer::Csv => {
                let cells = self
                    .fields
                    .iter()
                    .map(|field| to_cell(field, document.get(&field.name)));
                write_row(out, std::iter::once(record.id).chain(cells));
            }
            Writer::Xlsx(book) => {
                let who = format!("the record {}", record.id);
                let cell = |field: &Field| {
                    let value = document.get(&field.name);
                    xlsx::Cell::of(value, || to_text(field, value).unwrap_or_default())
                };
                let cells = std::iter::once(xlsx::Cell::Text(record.id)).chain(self.fields.iter().map(cell));
                book.row(&cells.collect::<Vec<_>>(), &who)?;
            }
            Writer::Json | Writer::Jsonl => {
                let mut line = Map::with_capacity(document.len() + 1);
                line.insert(RECORD_ID.to_owned(), Value::String(record.id));
                line.extend(document);
                let array = matches!(self.writer, Writer::Json);
                if array {
                    out.push_str(if self.records_out == 0 { "[\n" } else { ",\n" });
                }
                out.push_str(&Value::Object(line).to_string());
                if !array {
                    out.push('\n');
                }
            }
        }
        self.records_out += 1;
        Ok(())
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// What reading or writing says; the export is broken off then.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                if !piece.is_empty() {
                    return Ok(Some(piece));
                }
            } else if matches!(self.place, Place::End) {
                return Ok(None);
            } else {
                self.read().await?;
            }
        }
    }

    /// The export in pieces.
    pub(super) fn stream(self) -> impl Stream<Item = Result<Bytes>> + Send {
        futures_util::stream::unfold(Some(self), |export| async move {
            let mut export = export?;
            match export.next().await {
                Ok(Some(piece)) => Some((Ok(piece), Some(export))),
                Ok(None) => None,
                Err(error) => {
                    tracing::warn!(?error, "an export broke off");
                    Some((Err(error), None))
                }
            }
        })
    }
}

/// The writer of a format, and what stands before the first record.
fn begin(format: Format, title: &str, fields: &[Field]) -> Result<(Writer, Vec<u8>)> {
    let names = std::iter::once(RECORD_ID.to_owned()).chain(fields.iter().map(|field| field.name.clone()));
    match format {
        Format::Csv => {
            let mut head = String::new();
            write_row(&mut head, names.map(|name| guard(&name).into_owned()));
            Ok((Writer::Csv, head.into_bytes()))
        }
        Format::Json => Ok((Writer::Json, Vec::new())),
        Format::Jsonl => Ok((Writer::Jsonl, Vec::new())),
        Format::Xlsx => {
            let mut book = xlsx::Workbook::new(title, &names.collect::<Vec<_>>())?;
            let head = book.take();
            Ok((Writer::Xlsx(Box::new(book)), head))
        }
        Format::Ods | Format::Dwca => Err(Error::invalid("format", "Exports are csv, json, jsonl or xlsx.")),
    }
}
