//! A file opened: what it is, how it is read and where its rows come from, found out from its first bytes and its name.

use std::io::{BufRead, BufReader, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::container::{self, Content};
use super::csv::{self, Csv, Dialect};
use super::look::{Encoding, Entry, Sheet};
use super::notes::Notes;
use super::table::{Grid, Manner, Table};
use super::{Input, SourceRow, book, dwca, json, limit, memory, ods, text, xlsx};
use crate::contract::exchange::{Format, Reading};
use crate::kernel::config::Import as Limits;
use crate::kernel::error::{Code, Error, Result};

/// Where rows come from.
pub(super) enum Rows {
    Table(Box<Table>),
    /// Objects: of JSON, or of a Darwin Core Archive.
    Json(Box<dyn Iterator<Item = Result<SourceRow>> + Send>),
    /// One of several files has to be chosen first.
    None,
}

/// A file with everything that was found out about it.
pub(super) struct Opened {
    pub(super) format: Format,
    pub(super) packed: Vec<String>,
    pub(super) entries: Vec<Entry>,
    pub(super) entry: Option<String>,
    pub(super) encoding: Option<Encoding>,
    pub(super) dialect: Option<Dialect>,
    pub(super) sheets: Vec<Sheet>,
    pub(super) sheet: Option<String>,
    /// The name that a type for this file may have, and the field that tells its rows apart, where the file says so.
    pub(super) suggested: Option<String>,
    pub(super) key: Option<String>,
    pub(super) notes: Notes,
    pub(super) read: Arc<AtomicU64>,
    pub(super) rows: Rows,
}

impl Opened {
    pub(super) fn new(
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
