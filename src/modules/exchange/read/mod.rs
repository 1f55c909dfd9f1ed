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

use std::io::{BufRead, BufReader, Cursor, Read};
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

use container::Content;
use csv::{Csv, Dialect};
use look::{Encoding, Entry, Sheet};
use table::{Grid, Manner, Table};

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

/// Where rows come from.
enum Rows {
    Table(Box<Table>),
    /// Objects: of JSON, or of a Darwin Core Archive.
    Json(Box<dyn Iterator<Item = Result<SourceRow>> + Send>),
    /// One of several files has to be chosen first.
    None,
}

/// A file with everything that was found out about it.
struct Opened {
    format: Format,
    packed: Vec<String>,
    entries: Vec<Entry>,
    entry: Option<String>,
    encoding: Option<Encoding>,
    dialect: Option<Dialect>,
    sheets: Vec<Sheet>,
    sheet: Option<String>,
    /// The name that a type for this file may have, and the field that tells its rows apart, where the file says so.
    suggested: Option<String>,
    key: Option<String>,
    notes: Notes,
    read: Arc<AtomicU64>,
    rows: Rows,
}

impl Opened {
    fn new(
        input: Input,
        name: &str,
        format: Option<Format>,
        reading: &Reading,
        limits: &Limits,
        look: bool,
    ) -> Result<Self> {
        let spool = input.spool.clone();
        let container = container::open(input, name, reading, limits)?;
        let mut opened = Self {
            format: Format::Csv,
            packed: container.packed,
            entries: container.entries,
            entry: container.entry,
            encoding: None,
            dialect: None,
            sheets: Vec::new(),
            sheet: None,
            suggested: None,
            key: None,
            notes: Notes::default(),
            read: container.read,
            rows: Rows::None,
        };
        match container.content {
            Content::Several => {}
            Content::Dwca(archive, folder) => {
                let (rows, about) = dwca::Dwca::open(archive, &folder, &spool, limits, &opened.notes)?;
                opened.format = Format::Dwca;
                opened.suggested = dwca::type_name(&about.core);
                opened.key = about.id;
                opened.rows = Rows::Json(Box::new(rows));
            }
            Content::Text(head, rest) => {
                opened.text(head, rest, &container.name, format, reading, limits, look)?;
            }
            Content::Book(kind, archive) => {
                opened.format = kind;
                let book: Box<dyn book::Book> = if kind == Format::Xlsx {
                    Box::new(xlsx::Workbook::open(archive, &spool, limits)?)
                } else {
                    Box::new(ods::Spreadsheet::open(archive, limits)?)
                };
                opened.sheets = book.sheets();
                let index = book::choose(book.as_ref(), &opened.sheets, reading, &opened.notes)?;
                opened.sheet = Some(opened.sheets[index].name.clone());
                let grid = book.grid(index, reading, &opened.notes)?;
                opened.table(grid, reading, limits, look)?;
            }
        }
        Ok(opened)
    }

    #[expect(clippy::too_many_arguments, reason = "what a text file is read by, each once")]
    fn text(
        &mut self,
        head: Vec<u8>,
        rest: Box<dyn Read + Send>,
        name: &str,
        format: Option<Format>,
        reading: &Reading,
        limits: &Limits,
        look: bool,
    ) -> Result<()> {
        let guess = text::guess(&head, reading.encoding.as_deref())?;
        tell_encoding(&guess, &self.notes);
        let sample = text::sample(&head[guess.mark..], guess.encoding);
        if sample.iter().all(u8::is_ascii_whitespace) {
            return Err(Error::new(
                Code::Invalid,
                "The file is empty. Check that it was written to the end, then import it again.",
            ));
        }
        binary(&sample)?;
        self.format = format.unwrap_or_else(|| detect(&sample, name));
        self.encoding = Some(Encoding {
            name: guess.name(),
            certain: guess.certain,
        });
        let mut whole = Cursor::new(head);
        whole.set_position(guess.mark as u64);
        let mut input: Box<dyn BufRead + Send> = Box::new(BufReader::with_capacity(
            64 * 1024,
            text::decoded(Box::new(whole.chain(rest)), guess.encoding),
        ));
        match self.format {
            Format::Json => self.rows = Rows::Json(Box::new(json::Array::open(input, limits)?)),
            Format::Jsonl => self.rows = Rows::Json(Box::new(json::Lines::open(input, limits))),
            Format::Dwca => return Err(dwca::no_text()),
            Format::Xlsx | Format::Ods => {
                return Err(Error::new(
                    Code::UnsupportedMedia,
                    "The file is no workbook. Leave the format open, or name the right one.",
                ));
            }
            Format::Csv => {
                let announced = csv::announced(&sample);
                let skip = announced.map_or(0, |(_, length)| length);
                std::io::copy(&mut input.by_ref().take(skip as u64), &mut std::io::sink()).map_err(limit::from_read)?;
                let quote = csv::quote(reading.quote);
                let delimiter = match (reading.delimiter, announced) {
                    (Some(said), _) => ascii(said)?,
                    (None, Some((announced, _))) => announced,
                    (None, None) => csv::delimiter(&sample, name, quote),
                };
                let dialect = Dialect {
                    delimiter,
                    quote,
                    escape: csv::escape(&sample, delimiter, quote),
                };
                self.dialect = Some(dialect);
                let first = if skip > 0 { 2 } else { 1 };
                let grid = Csv::new(input, dialect, memory(limits.max_cell_bytes), first);
                self.table(Box::new(grid), reading, limits, look)?;
                self.tell_delimiter(&sample, reading);
            }
        }
        Ok(())
    }

    fn table(&mut self, grid: Box<dyn Grid>, reading: &Reading, limits: &Limits, look: bool) -> Result<()> {
        let utf8 = self.encoding.as_ref().filter(|e| e.name != "utf-8");
        let manner = Manner {
            reading,
            limits,
            notes: &self.notes,
            decoded: utf8.map(|e| e.name.clone()),
            guarded: self.format == Format::Csv,
            look,
        };
        self.rows = Rows::Table(Box::new(Table::open(grid, manner)?));
        Ok(())
    }

    /// A table of one column that holds another delimiter is probably more than that.
    fn tell_delimiter(&self, sample: &[u8], reading: &Reading) {
        let (Rows::Table(table), Some(dialect)) = (&self.rows, self.dialect) else {
            return;
        };
        if table.columns.all.len() > 1 || reading.header_row == Some(0) {
            return;
        }
        let line = sample.split(|b| *b == b'\n').next().unwrap_or_default();
        let other = [b',', b';', b'\t', b'|']
            .into_iter()
            .find(|d| *d != dialect.delimiter && line.contains(d));
        if let Some(other) = other {
            self.notes.add("one-column", || {
                format!(
                    "Only one column was found. If there are more, the delimiter is another one: {} stands in the first line. Say \
                     which (delimiter).",
                    spoken(other)
                )
            });
        }
    }
}

fn spoken(delimiter: u8) -> String {
    match delimiter {
        b'\t' => "a tab".to_owned(),
        other => format!("\"{}\"", char::from(other)),
    }
}

fn ascii(delimiter: char) -> Result<u8> {
    let usable = |c: &char| c.is_ascii() && !matches!(c, '\n' | '\r' | '"');
    let byte = Some(delimiter).filter(usable).and_then(|c| u8::try_from(c).ok());
    byte.ok_or_else(|| {
        Error::invalid(
            "delimiter",
            "A delimiter is one ASCII character that is no quotation mark: , ; | or a tab.",
        )
    })
}

fn tell_encoding(guess: &text::Guess, notes: &Notes) {
    let name = guess.name();
    if let Some(rather) = guess.rather {
        let rather = text::name(rather);
        notes.add("encoding-doubtful", || {
            format!("The file is read as {name}, as was said, but it looks like {rather}. If letters look wrong, say that (encoding).")
        });
    } else if !guess.certain {
        notes.add("encoding-guessed", || {
            format!(
                "The file does not say its encoding; it is read as {name}. If letters such as é or ü look wrong, say another one \
                 (encoding)."
            )
        });
    }
}

/// Refuses bytes that are no text.
fn binary(sample: &[u8]) -> Result<()> {
    let odd = |b: &&u8| (**b < 9) || matches!(**b, 14..=26 | 28..=31);
    let found = sample.iter().filter(odd).count();
    if sample.len() < 64 || found * 10 < sample.len() {
        return Ok(());
    }
    Err(Error::new(
        Code::UnsupportedMedia,
        "The file holds bytes that are no text, and is no workbook either. Export the data as CSV, .xlsx or JSON, then import \
         that.",
    ))
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
