//! Tables of any make: a header with usable names, then rows, each with a strict account of what stands in it. Where the
//! cells come from is the matter of a [`Grid`].

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Map, Value};

use super::head::{ahead, check_width, names, position, tell_header};
use super::look::Column;
use super::notes::Notes;
use super::record::{CELLS_PER_ROW, Record};
use super::{SourceRow, header, issue};
use crate::contract::exchange::Reading;
use crate::kernel::config::Import as Limits;
use crate::kernel::error::{Code, Error, FieldIssue, Result};

/// Columns that a sheet can have by its format; so many can be looked at, whatever may be imported.
pub(super) const WIDEST: usize = 16_384;
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
    notes: Notes,
    /// Numbers of cells that several of the first rows have.
    usual: Vec<usize>,
    /// The row before was the first part of one that was broken in two.
    torn: bool,
    /// What was wrong with the file when it was looked ahead.
    failed: Option<Error>,
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
        let often = |width: &usize| ahead.iter().filter(|record| record.count == *width).count() > 2;
        let usual = (2..columns.len()).filter(often).collect();
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
            notes: manner.notes.clone(),
            usual,
            torn: false,
            failed: None,
            done: false,
        })
    }

    /// A row may lack blank cells at its end, or have some too many there, as many programs write them. One that was broken
    /// in two by a line break, and one that lacks or has more than that, is refused.
    fn check_cells(&mut self) -> std::result::Result<(), Vec<FieldIssue>> {
        let (has, wants) = (self.record.count, self.columns.all.len());
        let torn = std::mem::take(&mut self.torn);
        let over = self.record.over || (wants..self.record.kept()).any(|at| !self.record.cell(at).is_empty());
        if has == wants || (has > wants && !over) {
            return Ok(());
        }
        let short = has < wants && has >= 2 && has * 2 >= wants;
        self.torn = short && !self.usual.contains(&has) && self.next_width() == Some(wants + 1 - has);
        if short && !self.torn && !torn {
            self.notes.add("short-rows", || {
                format!(
                    "The row in line {} has {has} cells, the header has {wants}; those that are missing at the end are taken as empty.",
                    self.record.line
                )
            });
            return Ok(());
        }
        let why = if wants == 1 {
            "The delimiter seems to be another one: say which (delimiter)."
        } else if self.torn || torn {
            "A line break that is not in quotation marks seems to have made two rows of one: mend it in the file."
        } else {
            "A delimiter or quotation mark is missing or too many in this row."
        };
        Err(issue(
            "",
            format!("The row has {has} cells, the header has {wants}. {why}"),
        ))
    }

    /// How many cells the next row has; nothing at the end, or where it cannot be read, which is told in its turn.
    fn next_width(&mut self) -> Option<usize> {
        if self.ahead.is_empty() {
            let mut record = Record::default();
            match self.grid.read(&mut record, self.columns.all.len()) {
                Ok(true) => self.ahead.push_back(record),
                Ok(false) => return None,
                Err(error) => {
                    self.failed = Some(error);
                    return None;
                }
            }
        }
        self.ahead.front().map(|record| record.count)
    }

    /// Reads the next record that is not blank; false at the end.
    fn advance(&mut self) -> Result<bool> {
        let even = self.grid.even();
        loop {
            if let Some(record) = self.ahead.pop_front() {
                self.record = record;
            } else if let Some(error) = self.failed.take() {
                return Err(error);
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
        if self.grid.even() {
            self.check_cells()?;
        }
        let wants = self.columns.all.len();
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
            let text = match text_of(cell, self.decoded.as_deref()) {
                Ok(text) => text,
                Err(words) => return Err(issue(self.name(index), words)),
            };
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

/// The text of a cell that was decoded from an encoding, or is UTF-8; or what is wrong with it.
pub(super) fn text_of(cell: &[u8], decoded: Option<&str>) -> std::result::Result<String, String> {
    let text = std::str::from_utf8(cell).map_err(|_| not_utf8(cell))?;
    if text.contains('\0') {
        return Err("Holds a NUL character, which no text has. Remove it.".to_owned());
    }
    if let Some(encoding) = decoded
        && text.contains('\u{fffd}')
    {
        return Err(format!(
            "Holds bytes that are no letters in {encoding}. Say another encoding, or save the file as UTF-8."
        ));
    }
    Ok(text.to_owned())
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
