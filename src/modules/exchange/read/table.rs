//! Tables of any make: a header with usable names, then rows, each with a strict account of what stands in it. Where the
//! cells come from is the matter of a [`Grid`].

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Map, Value};

use super::look::Column;
use super::notes::Notes;
use super::record::{CELLS_PER_ROW, Record};
use super::{SourceRow, header, issue};
use crate::contract::exchange::Reading;
use crate::kernel::config::Import as Limits;
use crate::kernel::error::{Code, Error, FieldIssue, Result};

/// Columns that a sheet can have by its format; so many can be looked at, whatever may be imported.
pub(super) const WIDEST: usize = 16_384;
/// Records, and their bytes, read ahead to find the header.
const AHEAD: usize = 60;
const AHEAD_BYTES: usize = 1024 * 1024;
/// Rows of the file that a look shows as they stand.
const TOP: usize = 25;

/// Where records come from.
pub(super) trait Grid: Send {
    /// Every row has as many cells as the header, else something is wrong with it.
    fn even(&self) -> bool;
    /// The next record; false at the end. Cells beyond `keep` are counted only.
    fn read(&mut self, record: &mut Record, keep: usize) -> Result<bool>;
}

/// The columns of a table, and which of them had a value so far.
#[derive(Clone)]
pub struct Columns {
    pub(super) all: Arc<Vec<Column>>,
    used: Arc<Vec<AtomicBool>>,
    skip_empty: bool,
}

impl Columns {
    /// The names of those that are columns of what was read so far: those that have a name, or a value; and those with a
    /// value only, where empty ones are to be left out.
    pub fn names(&self) -> Vec<String> {
        let kept = |(column, used): &(&Column, &AtomicBool)| {
            used.load(Ordering::Relaxed)
                || (!self.skip_empty && column.original.as_deref().is_none_or(|o| !o.trim().is_empty()))
        };
        self.all
            .iter()
            .zip(self.used.iter())
            .filter(kept)
            .map(|(c, _)| c.name.clone())
            .collect()
    }

    pub(super) fn is_used(&self, index: usize) -> bool {
        self.used.get(index).is_some_and(|used| used.load(Ordering::Relaxed))
    }
}

/// What may differ between tables.
pub(super) struct Manner<'r> {
    pub reading: &'r Reading,
    pub limits: &'r Limits,
    pub notes: &'r Notes,
    /// The table was decoded from this encoding: U+FFFD is what could not be.
    pub decoded: Option<String>,
    /// Texts are guarded against formulas where they are our own.
    pub guarded: bool,
    /// It is only looked at: too many columns are no obstacle.
    pub look: bool,
}

/// A table that is being read.
pub(super) struct Table {
    grid: Box<dyn Grid>,
    limits: Limits,
    pub columns: Columns,
    /// Names of cells beyond the header.
    beyond: Vec<String>,
    ahead: VecDeque<Record>,
    record: Record,
    row: i64,
    /// Where the header stands; 0 without one.
    pub header_row: i64,
    /// The first rows as they stand.
    pub top: Vec<Vec<String>>,
    decoded: Option<String>,
    done: bool,
}

impl Table {
    pub(super) fn open(mut grid: Box<dyn Grid>, manner: Manner<'_>) -> Result<Self> {
        let most = usize::try_from(manner.limits.max_columns).unwrap_or(usize::MAX);
        let keep = most.max(WIDEST).saturating_add(1);
        let mut ahead = ahead(grid.as_mut(), keep, manner.reading.header_row)?;
        let even = grid.even();
        let top = ahead.iter().take(TOP).map(shown).collect();
        let (columns, header_row) = match manner.reading.header_row {
            Some(0) => {
                let width = ahead
                    .iter()
                    .map(|r| if even { r.kept() } else { r.width() })
                    .max()
                    .unwrap_or(0);
                (header::numbered(width), 0)
            }
            said => {
                let place = match said {
                    Some(row) => position(&ahead, i64::from(row))?,
                    None => header::guess(ahead.make_contiguous()),
                };
                ahead.drain(..place);
                let Some(record) = ahead.pop_front() else {
                    return Err(Error::new(
                        Code::Invalid,
                        "The file has no header row. The first line names the columns.",
                    ));
                };
                tell_header(&record, place, said.is_some(), manner.notes);
                (names(&record, even, &manner)?, record.number)
            }
        };
        check_width(&columns, &manner, &ahead, header_row)?;
        let used = columns.iter().map(|_| AtomicBool::new(false)).collect();
        let columns = Columns {
            all: Arc::new(columns),
            used: Arc::new(used),
            skip_empty: manner.reading.skip_empty_columns,
        };
        Ok(Self {
            grid,
            limits: manner.limits.clone(),
            columns,
            beyond: Vec::new(),
            ahead,
            record: Record::default(),
            row: 0,
            header_row,
            top,
            decoded: manner.decoded,
            done: false,
        })
    }

    /// Reads the next record that is not blank; false at the end.
    fn advance(&mut self) -> Result<bool> {
        let even = self.grid.even();
        loop {
            if let Some(record) = self.ahead.pop_front() {
                self.record = record;
            } else {
                let keep = if even { self.columns.all.len() } else { WIDEST };
                if !self.grid.read(&mut self.record, keep)? {
                    return Ok(false);
                }
            }
            if !self.record.blank(even) {
                return Ok(true);
            }
        }
    }

    /// The name of a column, also of one beyond the header.
    fn name(&mut self, index: usize) -> String {
        let known = self.columns.all.len();
        if let Some(column) = self.columns.all.get(index) {
            return column.name.clone();
        }
        if self.beyond.is_empty() {
            let mut taken = header::Taken::of(self.columns.all.iter().map(|c| c.name.as_str()));
            self.beyond = (known..WIDEST.max(known + 1))
                .map(|index| taken.unique("", index))
                .collect();
        }
        self.beyond.get(index - known).cloned().unwrap_or_default()
    }

    fn content(&mut self) -> std::result::Result<Map<String, Value>, Vec<FieldIssue>> {
        let (has, wants) = (self.record.count, self.columns.all.len());
        if self.grid.even() && has != wants {
            let why = if wants == 1 {
                "The delimiter seems to be another one: say which (delimiter)."
            } else {
                "A delimiter or quotation mark is missing or too many in this row."
            };
            let message = format!("The row has {has} cells, the header has {wants}. {why}");
            return Err(issue("", message));
        }
        if let Some(index) = self.record.long {
            let message = format!(
                "Longer than {} bytes, or at the end of a row {CELLS_PER_ROW} times as long (import.max_cell_bytes). Shorten it, or \
                 raise the limit.",
                self.limits.max_cell_bytes
            );
            return Err(issue(self.name(index), message));
        }
        let mut row = Map::with_capacity(wants.min(self.record.kept()));
        for index in 0..self.record.kept() {
            let cell = self.record.cell(index);
            if cell.is_empty() {
                continue;
            }
            let text = match std::str::from_utf8(cell) {
                Ok(text) => text.to_owned(),
                Err(_) => {
                    let words = not_utf8(cell);
                    return Err(issue(self.name(index), words));
                }
            };
            if text.contains('\0') {
                return Err(issue(
                    self.name(index),
                    "Holds a NUL character, which no text has. Remove it.",
                ));
            }
            if let Some(encoding) = &self.decoded
                && text.contains('\u{fffd}')
            {
                let words = format!(
                    "Holds bytes that are no letters in {encoding}. Say another encoding, or save the file as UTF-8."
                );
                return Err(issue(self.name(index), words));
            }
            if let Some(used) = self.columns.used.get(index)
                && !used.load(Ordering::Relaxed)
            {
                used.store(true, Ordering::Relaxed);
            }
            let name = self.name(index);
            row.insert(name, Value::String(text));
        }
        Ok(row)
    }
}

/// Reads records until the header can be told: a few dozen, or up to the one that was named.
fn ahead(grid: &mut dyn Grid, keep: usize, said: Option<u32>) -> Result<VecDeque<Record>> {
    let mut ahead: VecDeque<Record> = VecDeque::new();
    let mut bytes = 0;
    let until = said.map_or(0, i64::from);
    let last = |ahead: &VecDeque<Record>| ahead.back().map_or(0, |r| r.number);
    while (ahead.len() < AHEAD && bytes < AHEAD_BYTES) || last(&ahead) < until {
        let mut record = Record::default();
        if !grid.read(&mut record, keep)? {
            break;
        }
        if ahead.len() >= AHEAD || bytes >= AHEAD_BYTES {
            // Of what stands above a header far down nothing is needed.
            bytes -= ahead.pop_front().map_or(0, |r| r.bytes.len());
        }
        bytes += record.bytes.len();
        ahead.push_back(record);
    }
    Ok(ahead)
}

fn position(ahead: &VecDeque<Record>, row: i64) -> Result<usize> {
    let found = ahead.iter().position(|record| record.number == row);
    match found {
        Some(place) if ahead[place].filled() > 0 => Ok(place),
        _ => {
            let last = ahead.back().map_or(0, |r| r.number);
            let words = if last < row {
                format!("The file has no row {row}: its last one is {last}. Say which row names the columns.")
            } else {
                format!("Row {row} is blank. Say which row names the columns; 0 if none does.")
            };
            Err(Error::invalid("header_row", words))
        }
    }
}

fn tell_header(record: &Record, place: usize, said: bool, notes: &Notes) {
    if place > 0 && !said && record.number > 1 {
        notes.add("header-guessed", || {
            format!(
                "Row {0} is taken for the one that names the columns, and what stands above it is left out. If that is wrong, \
                 say which row is (header_row).",
                record.number
            )
        });
    }
}

fn names(record: &Record, even: bool, manner: &Manner<'_>) -> Result<Vec<Column>> {
    let line = record.line;
    let most = usize::try_from(manner.limits.max_columns)
        .unwrap_or(usize::MAX)
        .max(WIDEST);
    let refuse = |words: String| Error::new(Code::Invalid, format!("The header in line {line} {words}"));
    if record.count > most {
        let words = format!(
            "has {} columns; at most {most} can be looked at. Is the delimiter right? Else leave out columns before the import.",
            record.count
        );
        return Err(refuse(words));
    }
    let mut trimmed = record.clone();
    if !even {
        trimmed.ends.truncate(record.width());
    }
    let named = header::columns(&trimmed, manner.guarded).map_err(refuse)?;
    if !named.twice.is_empty() {
        manner.notes.add("columns-renamed", || {
            format!(
                "These columns stand more than once in the header: {}. The second of each is called \"{} (2)\" here. Rename them \
                 in the file if they mean different things.",
                listed(&named.twice),
                named.twice[0]
            )
        });
    }
    if !named.nameless.is_empty() && even {
        manner.notes.add("columns-nameless", || {
            let places: Vec<String> = named.nameless.iter().map(ToString::to_string).collect();
            format!(
                "The header has no name for column {}. Values in it are kept under \"column {}\". Give it a name in the file if \
                 it has a meaning.",
                listed(&places),
                places[0]
            )
        });
    }
    Ok(named.columns)
}

/// Refuses more columns than are taken, unless empty ones are left out.
fn check_width(columns: &[Column], manner: &Manner<'_>, ahead: &VecDeque<Record>, line: i64) -> Result<()> {
    let most = manner.limits.max_columns;
    if columns.len() as u64 <= most {
        return Ok(());
    }
    let used = (0..columns.len())
        .filter(|at| ahead.iter().any(|row| *at < row.kept() && !row.cell(*at).is_empty()))
        .count();
    let words = format!(
        "The header in row {line} has {} columns; at most {most} are taken (import.max_columns). In the first rows {used} of them \
         have a value: leave out those that have none (skip_empty_columns), or remove some.",
        columns.len()
    );
    if manner.reading.skip_empty_columns {
        return Ok(());
    }
    if manner.look {
        manner.notes.add("columns-many", || words);
        return Ok(());
    }
    Err(Error::new(Code::Invalid, words))
}

pub(super) fn listed(names: &[String]) -> String {
    let first: Vec<&str> = names.iter().take(10).map(String::as_str).collect();
    let more = names.len() - first.len();
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("{}{more}", first.join(", "))
}

fn not_utf8(cell: &[u8]) -> String {
    let like = super::text::guess(cell, None).map_or_else(|_| "windows-1252".to_owned(), |guess| guess.name());
    let like = if like == "utf-8" {
        "windows-1252".to_owned()
    } else {
        like
    };
    format!(
        "Not UTF-8 text. Say the encoding of the file (it looks like {like}), or save it as UTF-8, then import it again."
    )
}

fn shown(record: &Record) -> Vec<String> {
    let cell = |index| String::from_utf8_lossy(record.cell(index)).chars().take(100).collect();
    (0..record.kept().min(200)).map(cell).collect()
}

impl Iterator for Table {
    type Item = Result<SourceRow>;
    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        match self.advance() {
            Ok(true) => {
                self.row += 1;
                let content = self.content();
                Some(Ok(SourceRow {
                    row: self.row,
                    line: self.record.line,
                    bytes: self.record.bytes.len(),
                    content,
                }))
            }
            Ok(false) => {
                self.done = true;
                None
            }
            Err(error) => {
                self.done = true;
                Some(Err(error))
            }
        }
    }
}
