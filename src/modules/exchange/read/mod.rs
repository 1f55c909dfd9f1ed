//! Reading files: tables (CSV, workbooks), JSON arrays and JSON lines, plain, gzipped or in an archive, and Darwin Core
//! Archives, as one stream of numbered rows.
//!
//! Blocking, and with flat memory, however long the file or whatever is wrong with it: limits come before work. A fault of
//! one row is that row's; a fault of the file ends the reading. Knows no types and no database.

mod archive;
mod book;
mod container;
mod csv;
mod doubts;
pub(super) mod dwca;
mod head;
mod header;
mod input;
mod json;
mod limit;
pub mod look;
mod notes;
mod ods;
mod opened;
mod record;
mod scan;
mod serial;
mod strict;
mod table;
mod tar;
mod text;
mod xlsx;
mod xml;
mod zip;

#[cfg(all(test, feature = "testing"))]
mod tests;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use serde_json::{Map, Value};

use super::marks::RECORD_ID;
use crate::contract::exchange::{Format, Reading};
use crate::kernel::config::Import as Limits;
use crate::kernel::error::{Code, Error, FieldIssue, Result};

pub use input::{Input, Spool};
pub use look::{Look, look};
pub use notes::Notes;
pub use table::Columns;

use opened::{Opened, Rows};

/// A row, or what is wrong with it.
#[derive(Debug)]
pub struct SourceRow {
    /// From 1; the header is not a row.
    pub row: i64,
    /// The line it starts in, or its row in the sheet, from 1.
    pub line: i64,
    /// Bytes it takes, roughly: what is read ahead is bounded by them.
    pub bytes: usize,
    pub content: std::result::Result<Map<String, Value>, Vec<FieldIssue>>,
}

/// A file that is being read.
pub struct Source {
    pub format: Format,
    /// The columns of a table.
    pub columns: Option<Columns>,
    /// An export of our own: its rows name their records.
    pub ours: bool,
    /// What to know about how it is read; complete when its rows have been.
    pub notes: Notes,
    /// Bytes of the file read so far, packed if it is packed.
    pub read: Arc<AtomicU64>,
    /// Where the file says so: what a row is, and the field that tells rows apart.
    pub about: (Option<String>, Option<String>),
    rows: Box<dyn Iterator<Item = Result<SourceRow>> + Send>,
}

impl Source {
    /// The same file with other rows in the place of each.
    pub fn change(mut self, mut change: impl FnMut(SourceRow) -> Vec<SourceRow> + Send + 'static) -> Self {
        let rows = std::mem::replace(&mut self.rows, Box::new(std::iter::empty()));
        self.columns = None;
        self.rows = Box::new(rows.flat_map(move |row| match row {
            Ok(row) => change(row).into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        }));
        self
    }
}

impl Iterator for Source {
    type Item = Result<SourceRow>;
    fn next(&mut self) -> Option<Self::Item> {
        self.rows.next()
    }
}

/// Bytes looked at to find out what a file is.
const HEAD: u64 = 256 * 1024;

/// Opens a file. The format comes from its content and its name unless it is given; so does how it is read.
///
/// # Errors
/// `Invalid` for an empty file, another kind of file, a header that cannot be used, an archive of several files.
pub fn open(input: Input, name: &str, format: Option<Format>, reading: &Reading, limits: &Limits) -> Result<Source> {
    let opened = Opened::new(input, name, format, reading, limits, false)?;
    match opened.rows {
        Rows::None => Err(container::several(&opened.entries)),
        rows => Ok(Source {
            about: (opened.suggested, opened.key),
            ..source(opened.format, rows, opened.notes, opened.read, limits)
        }),
    }
}

/// The files of an archive that may be data; nothing where the file is none.
///
/// # Errors
/// What [`open`] refuses before it reads rows.
pub fn entries(input: Input, name: &str, limits: &Limits) -> Result<Vec<(String, u64)>> {
    let container = container::open(input, name, &Reading::default(), limits)?;
    Ok(container
        .entries
        .into_iter()
        .map(|entry| (entry.name, entry.bytes))
        .collect())
}

fn source(format: Format, rows: Rows, notes: Notes, read: Arc<AtomicU64>, limits: &Limits) -> Source {
    let most = i64::try_from(limits.max_rows).unwrap_or(i64::MAX);
    let (columns, rows): (_, Box<dyn Iterator<Item = Result<SourceRow>> + Send>) = match rows {
        Rows::Table(table) => (Some(table.columns.clone()), table),
        Rows::Json(rows) => (None, rows),
        Rows::None => (None, Box::new(std::iter::empty())),
    };
    let rows = rows.map(move |row| match row {
        Ok(row) if row.row > most => Err(Error::new(
            Code::TooLarge,
            format!(
                "The file has more than {most} rows (line {}). Split it, or raise import.max_rows.",
                row.line
            ),
        )),
        other => other,
    });
    let ours = |c: &Columns| c.all.iter().any(|column| column.name == RECORD_ID);
    Source {
        format,
        ours: columns.as_ref().is_some_and(ours),
        columns,
        notes,
        read,
        about: (None, None),
        rows: Box::new(rows),
    }
}

/// A limit as a length in memory.
fn memory(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// One issue as a list.
fn issue(path: impl Into<String>, message: impl Into<String>) -> Vec<FieldIssue> {
    vec![FieldIssue {
        path: path.into(),
        message: message.into(),
    }]
}
