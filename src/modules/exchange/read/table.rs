//! CSV as people have it: quoted line breaks, any line ending, four delimiters, and a strict count of cells.

use std::io::BufRead;

use serde_json::{Map, Value};

use super::super::marks::{RECORD_ID, unguard};
use super::limit::from_read;
use super::{SourceRow, issue};
use crate::kernel::config::Import as Limits;
use crate::kernel::error::{Code, Error, FieldIssue, Result};

/// Bytes a column's name may have.
const MAX_NAME: usize = 200;
/// A whole row may be this many times as long as one cell.
const CELLS_PER_ROW: usize = 16;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the beginning of a cell.
    Start,
    Plain,
    Quoted,
    /// After a quotation mark inside a quoted cell: an end or the first of two.
    Mark,
}

/// One record before it is a row.
#[derive(Default)]
struct Record {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Cells, also those beyond what is kept.
    count: usize,
    quoted: bool,
    line: i64,
    /// The first cell that is longer than allowed.
    long: Option<usize>,
}

impl Record {
    fn cell(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.bytes[start..self.ends[index]]
    }
    fn blank(&self) -> bool {
        self.count == 1 && !self.quoted && self.bytes.is_empty()
    }
}

/// A table that is being read.
pub(super) struct Table {
    input: Box<dyn BufRead + Send>,
    delimiter: u8,
    limits: Limits,
    columns: Vec<String>,
    /// Cells that are kept of a record.
    keep: usize,
    line: i64,
    row: i64,
    record: Record,
    skip_feed: bool,
    done: bool,
}

/// The delimiter that the first line has most of, outside quotation marks.
pub(super) fn delimiter(head: &[u8], name: &str) -> u8 {
    let name = name.to_ascii_lowercase();
    if name.ends_with(".tsv") || name.ends_with(".tsv.gz") {
        return b'\t';
    }
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0), (b'|', 0)];
    let mut quoted = false;
    for byte in head {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            _ if !quoted => counts.iter_mut().filter(|(d, _)| d == byte).for_each(|(_, n)| *n += 1),
            _ => {}
        }
    }
    let most = counts.iter().map(|(_, n)| *n).max().unwrap_or(0);
    counts.iter().find(|(_, n)| *n == most).map_or(b',', |(d, _)| *d)
}

impl Table {
    pub(super) fn open(input: Box<dyn BufRead + Send>, delimiter: u8, limits: Limits) -> Result<Self> {
        let keep = usize::try_from(limits.max_columns)
            .unwrap_or(usize::MAX)
            .saturating_add(1);
        let record = Record::default();
        let mut table = Self {
            input,
            delimiter,
            limits,
            columns: vec![],
            keep,
            line: 1,
            row: 0,
            record,
            skip_feed: false,
            done: false,
        };
        let found = loop {
            let found = table.read()?;
            if !found || !table.record.blank() {
                break found;
            }
        };
        if !found {
            return Err(Error::new(
                Code::Invalid,
                "The file has no header row. The first line names the columns.",
            ));
        }
        table.columns = table.header()?;
        table.keep = table.columns.len();
        Ok(table)
    }

    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    fn header(&self) -> Result<Vec<String>> {
        let line = self.record.line;
        let refuse = |words: String| Err(Error::new(Code::Invalid, format!("The header in line {line} {words}")));
        if self.record.count as u64 > self.limits.max_columns {
            let most = self.limits.max_columns;
            return refuse(format!(
                "has {} columns; at most {most} are taken (import.max_columns).",
                self.record.count
            ));
        }
        let ours = (0..self.record.count).any(|index| self.record.cell(index) == RECORD_ID.as_bytes());
        let mut names: Vec<String> = Vec::new();
        let mut twice: Vec<String> = Vec::new();
        for index in 0..self.record.count {
            let Ok(name) = std::str::from_utf8(self.record.cell(index)) else {
                return refuse(format!(
                    "is not UTF-8 text in column {}. Save the file as UTF-8.",
                    index + 1
                ));
            };
            // Our own exports keep names to the letter; others have stray spaces.
            let name = if ours { unguard(name) } else { name.trim() };
            if name.is_empty() {
                return refuse(format!(
                    "has no name for column {}. Give it one, or remove the column.",
                    index + 1
                ));
            }
            if name.len() > MAX_NAME || name.chars().any(char::is_control) || self.record.long.is_some() {
                let shown: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
                return refuse(format!(
                    "has an unusable name for column {}: \"{shown}\". A name is one line of at most {MAX_NAME} bytes. Is the \
                     first line the header?",
                    index + 1
                ));
            }
            if names.iter().any(|n| n == name) && !twice.iter().any(|n| n == name) {
                twice.push(name.to_owned());
            }
            names.push(name.to_owned());
        }
        if !twice.is_empty() {
            return refuse(format!(
                "names these columns more than once: {}. Rename all but one of each.",
                twice.join(", ")
            ));
        }
        Ok(names)
    }

    /// Reads the next record into `self.record`; false at the end.
    fn read(&mut self) -> Result<bool> {
        let record = &mut self.record;
        record.bytes.clear();
        record.ends.clear();
        (record.count, record.quoted, record.line, record.long) = (0, false, self.line, None);
        let max_cell = usize::try_from(self.limits.max_cell_bytes).unwrap_or(usize::MAX);
        let max_row = max_cell.saturating_mul(CELLS_PER_ROW);
        let (mut state, mut start, mut any, mut opened) = (State::Start, 0, false, self.line);
        loop {
            let chunk = self.input.fill_buf().map_err(from_read)?;
            if chunk.is_empty() {
                if state == State::Quoted {
                    return Err(Error::new(
                        Code::Invalid,
                        format!(
                            "A quotation mark opened in line {opened} is never closed. Close it there, then import the file again."
                        ),
                    ));
                }
                if any {
                    end_cell(record, self.keep, &mut start);
                }
                return Ok(any);
            }
            let mut used = 0;
            let mut ended = false;
            for &byte in chunk {
                used += 1;
                if std::mem::take(&mut self.skip_feed) && byte == b'\n' {
                    record.line = self.line;
                    continue;
                }
                any = true;
                let literal = match (state, byte) {
                    (State::Quoted, b'"') => {
                        state = State::Mark;
                        false
                    }
                    (State::Quoted, _) => {
                        self.line += i64::from(byte == b'\n');
                        true
                    }
                    (State::Mark, b'"') => {
                        state = State::Quoted;
                        true
                    }
                    (State::Start, b'"') => {
                        (state, record.quoted, opened) = (State::Quoted, true, self.line);
                        false
                    }
                    (_, b'\n' | b'\r') => {
                        self.skip_feed = byte == b'\r';
                        self.line += 1;
                        ended = true;
                        break;
                    }
                    (_, byte) if byte == self.delimiter => {
                        end_cell(record, self.keep, &mut start);
                        state = State::Start;
                        false
                    }
                    _ => {
                        state = State::Plain;
                        true
                    }
                };
                if literal && record.count < self.keep {
                    if record.bytes.len() - start < max_cell && record.bytes.len() < max_row {
                        record.bytes.push(byte);
                    } else if record.long.is_none() {
                        record.long = Some(record.count);
                    }
                }
            }
            self.input.consume(used);
            if ended {
                end_cell(record, self.keep, &mut start);
                return Ok(true);
            }
        }
    }

    fn content(&self) -> std::result::Result<Map<String, Value>, Vec<FieldIssue>> {
        let record = &self.record;
        let (has, wants) = (record.count, self.columns.len());
        if has != wants {
            let message = format!(
                "The row has {has} cells, the header has {wants}. A delimiter or quotation mark is missing or too many in this row."
            );
            return Err(issue("", message));
        }
        if let Some(index) = record.long {
            let message = format!(
                "Longer than {} bytes, or at the end of a row {CELLS_PER_ROW} times as long (import.max_cell_bytes).",
                self.limits.max_cell_bytes
            );
            return Err(issue(&self.columns[index], message));
        }
        let mut row = Map::with_capacity(wants);
        for (index, name) in self.columns.iter().enumerate() {
            let cell = record.cell(index);
            if cell.is_empty() {
                continue;
            }
            let Ok(text) = std::str::from_utf8(cell) else {
                return Err(issue(
                    name,
                    "Not UTF-8 text. Save the file as UTF-8, then import it again.",
                ));
            };
            if text.contains('\0') {
                return Err(issue(name, "Holds a NUL character, which no text has. Remove it."));
            }
            row.insert(name.clone(), Value::String(text.to_owned()));
        }
        Ok(row)
    }
}

fn end_cell(record: &mut Record, keep: usize, start: &mut usize) {
    if record.count < keep {
        record.ends.push(record.bytes.len());
    }
    record.count += 1;
    *start = record.bytes.len();
}

impl Iterator for Table {
    type Item = Result<SourceRow>;
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.done {
                return None;
            }
            match self.read() {
                Ok(true) if self.record.blank() => {}
                Ok(true) => {
                    self.row += 1;
                    return Some(Ok(SourceRow {
                        row: self.row,
                        line: self.record.line,
                        bytes: self.record.bytes.len(),
                        content: self.content(),
                    }));
                }
                Ok(false) => self.done = true,
                Err(error) => {
                    self.done = true;
                    return Some(Err(error));
                }
            }
        }
    }
}
