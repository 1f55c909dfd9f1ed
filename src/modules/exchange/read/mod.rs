//! Reading files: CSV, a JSON array or JSON lines, plain or gzipped, as one stream of numbered rows.
//!
//! Blocking, in one pass and with flat memory, however long the file or whatever is wrong with it: limits come before
//! work. A fault of one row is that row's; a fault of the file ends the reading. Knows no types and no database.

mod input;
mod json;
mod limit;
pub mod look;
mod scan;
mod strict;
mod table;

#[cfg(test)]
mod tests;

use std::io::{BufRead, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use serde_json::{Map, Value};

use super::marks::RECORD_ID;
use crate::contract::exchange::{Format, Reading};
use crate::kernel::config::Import as Limits;
use crate::kernel::error::{Code, Error, FieldIssue, Result};

pub use input::{Input, Spool};
pub use look::{Look, look};

/// A row, or what is wrong with it.
#[derive(Debug)]
pub struct SourceRow {
    /// From 1; the header is not a row.
    pub row: i64,
    /// The line it starts in, from 1.
    pub line: i64,
    /// Bytes it takes, roughly: what is read ahead is bounded by them.
    pub bytes: usize,
    pub content: std::result::Result<Map<String, Value>, Vec<FieldIssue>>,
}

/// A file that is being read.
pub struct Source {
    pub format: Format,
    /// The columns of a table.
    pub columns: Option<Vec<String>>,
    /// An export of our own: its rows name their records, its cells are guarded against formulas.
    pub ours: bool,
    /// What to know about how it is read, in words: for the report of an import.
    pub notes: Vec<String>,
    /// Bytes of the file read so far, packed if it is packed.
    pub read: Arc<AtomicU64>,
    rows: Box<dyn Iterator<Item = Result<SourceRow>> + Send>,
}

impl Iterator for Source {
    type Item = Result<SourceRow>;
    fn next(&mut self) -> Option<Self::Item> {
        self.rows.next()
    }
}

/// Bytes looked at to find out what a file is.
const HEAD: u64 = 64 * 1024;

/// Opens a file. The format comes from its content and its name unless it is given.
///
/// # Errors
/// `Invalid` for an empty file, another kind of file, a header that cannot be used.
pub fn open(input: Input, name: &str, format: Option<Format>, reading: &Reading, limits: &Limits) -> Result<Source> {
    let read = Arc::new(AtomicU64::new(0));
    let mut input = limit::unpack(input.stream, limits, read.clone())?;
    let mut head = Vec::new();
    input
        .by_ref()
        .take(HEAD)
        .read_to_end(&mut head)
        .map_err(limit::from_read)?;
    let mut start = 0;
    if head.starts_with(b"\xef\xbb\xbf") {
        start = 3;
    }
    recognise(&head)?;
    let text = &head[start..];
    if text.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::new(
            Code::Invalid,
            "The file is empty. Check that it was written to the end, then import it again.",
        ));
    }
    let format = format.unwrap_or_else(|| detect(text, name));
    let delimiter = if format == Format::Csv {
        reading
            .delimiter
            .and_then(|c| u8::try_from(c).ok())
            .unwrap_or_else(|| table::delimiter(text, name))
    } else {
        b','
    };
    let mut rest = Cursor::new(head);
    rest.set_position(start as u64);
    let input: Box<dyn BufRead + Send> = Box::new(std::io::BufReader::with_capacity(HEAD as usize, rest.chain(input)));
    let (columns, rows): (_, Box<dyn Iterator<Item = Result<SourceRow>> + Send>) = match format {
        Format::Csv => {
            let table = table::Table::open(input, delimiter, limits.clone())?;
            (Some(table.columns().to_vec()), Box::new(table))
        }
        Format::Json => (None, Box::new(json::Array::open(input, limits)?)),
        Format::Jsonl => (None, Box::new(json::Lines::open(input, limits))),
        Format::Xlsx | Format::Ods => {
            return Err(Error::new(
                Code::UnsupportedMedia,
                "The file is no workbook. Leave the format open, or name the right one.",
            ));
        }
    };
    let most = i64::try_from(limits.max_rows).unwrap_or(i64::MAX);
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
    let ours = columns
        .as_ref()
        .is_some_and(|c: &Vec<String>| c.iter().any(|name| name == RECORD_ID));
    Ok(Source {
        format,
        columns,
        ours,
        notes: Vec::new(),
        read,
        rows: Box::new(rows),
    })
}

/// Refuses what is plainly something else, saying what to do instead.
fn recognise(head: &[u8]) -> Result<()> {
    let known: [(&[u8], &str); 8] = [
        (
            b"PK\x03\x04",
            "a ZIP archive or a spreadsheet (.xlsx, .ods). Unpack it, or save the sheet as CSV",
        ),
        (
            b"\xd0\xcf\x11\xe0",
            "an old office document (.xls). Save the sheet as CSV",
        ),
        (b"%PDF", "a PDF document. Export the data itself as CSV or JSON"),
        (b"\x89PNG", "an image. Give the file that describes the objects"),
        (b"\xff\xd8\xff", "an image. Give the file that describes the objects"),
        (b"SQLite format 3", "a database. Export its table as CSV"),
        (b"\x28\xb5\x2f\xfd", "packed with zstd. Unpack it, or pack it with gzip"),
        (b"BZh", "packed with bzip2. Unpack it, or pack it with gzip"),
    ];
    let wrong = |what: &str| {
        Err(Error::new(
            Code::UnsupportedMedia,
            format!("The file is {what}, then import that."),
        ))
    };
    if let Some((_, what)) = known.iter().find(|(magic, _)| head.starts_with(magic)) {
        return wrong(what);
    }
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return wrong("written in UTF-16. Save it as UTF-8");
    }
    Ok(())
}

fn detect(text: &[u8], name: &str) -> Format {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    if [".csv", ".tsv", ".tab"].iter().any(|end| name.ends_with(end)) {
        return Format::Csv;
    }
    match text.iter().find(|b| !b.is_ascii_whitespace()) {
        Some(b'[') => Format::Json,
        Some(b'{') => Format::Jsonl,
        _ if [".jsonl", ".ndjson", ".json"].iter().any(|end| name.ends_with(end)) => Format::Jsonl,
        _ => Format::Csv,
    }
}

/// One issue as a list.
fn issue(path: impl Into<String>, message: impl Into<String>) -> Vec<FieldIssue> {
    vec![FieldIssue {
        path: path.into(),
        message: message.into(),
    }]
}
