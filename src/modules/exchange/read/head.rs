//! The head of a table: reads on until the header can be told, says what was taken for it, and names the columns.

use std::collections::VecDeque;

use super::header;
use super::look::Column;
use super::notes::Notes;
use super::record::Record;
use super::table::{Grid, Manner, WIDEST, listed};
use crate::kernel::error::{Code, Error, Result};

/// Records, and their bytes, read ahead to find the header.
const AHEAD: usize = 60;
const AHEAD_BYTES: usize = 1024 * 1024;

/// Reads records until the header can be told: a few dozen, or up to the one that was named.
pub(super) fn ahead(grid: &mut dyn Grid, keep: usize, said: Option<u32>) -> Result<VecDeque<Record>> {
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

pub(super) fn position(ahead: &VecDeque<Record>, row: i64) -> Result<usize> {
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

pub(super) fn tell_header(record: &Record, place: usize, said: bool, notes: &Notes) {
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

pub(super) fn names(record: &Record, even: bool, manner: &Manner<'_>) -> Result<Vec<Column>> {
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
pub(super) fn check_width(columns: &[Column], manner: &Manner<'_>, ahead: &VecDeque<Record>, line: i64) -> Result<()> {
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
