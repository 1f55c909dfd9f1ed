//! What workbooks of every make have in common: sheets to choose from, one of which is read as a table.

use super::archive::shown;
use super::look::Sheet;
use super::notes::Notes;
use super::record::Record;
use super::table::{Grid, listed};
use crate::contract::exchange::Reading;
use crate::kernel::error::{Error, Result};

/// A workbook that is open.
pub(super) trait Book {
    fn sheets(&self) -> Vec<Sheet>;
    /// The cells of a sheet, from its first row.
    fn grid(&self, index: usize, reading: &Reading, notes: &Notes) -> Result<Box<dyn Grid>>;
}

/// The sheet that was named, else the first visible one with something in it.
pub(super) fn choose(book: &dyn Book, sheets: &[Sheet], reading: &Reading, notes: &Notes) -> Result<usize> {
    let names = || listed(&sheets.iter().map(|s| shown(&s.name)).collect::<Vec<_>>());
    if let Some(wanted) = reading.sheet.as_deref().filter(|w| !w.is_empty()) {
        let same = |sheet: &Sheet| sheet.name.trim().to_lowercase() == wanted.trim().to_lowercase();
        let found = sheets
            .iter()
            .position(|s| s.name == wanted)
            .or_else(|| sheets.iter().position(same));
        return found.ok_or_else(|| {
            let words = format!("The workbook has no sheet \"{}\". It has: {}.", shown(wanted), names());
            Error::invalid("sheet", words)
        });
    }
    let order = (0..sheets.len()).filter(|i| !sheets[*i].hidden);
    let mut filled = Vec::new();
    for index in order {
        if !is_empty(book, index, reading)? {
            filled.push(index);
        }
        if filled.len() == 2 {
            break;
        }
    }
    let Some(first) = filled.first().copied() else {
        let hidden = if sheets.iter().any(|s| s.hidden) {
            " but hidden ones; name the one to read (sheet)"
        } else {
            ""
        };
        let words = format!(
            "No sheet of the workbook has anything in it{hidden}. Its sheets are: {}.",
            names()
        );
        return Err(Error::invalid("sheet", words));
    };
    if filled.len() > 1 {
        notes.add("several-sheets", || {
            format!(
                "The sheet \"{}\" is read, the first of: {}. To read another one, name it (sheet).",
                shown(&sheets[first].name),
                names()
            )
        });
    }
    Ok(first)
}

fn is_empty(book: &dyn Book, index: usize, reading: &Reading) -> Result<bool> {
    let mut grid = book.grid(index, reading, &Notes::default())?;
    let mut record = Record::default();
    while grid.read(&mut record, usize::MAX)? {
        if record.filled() > 0 || record.long.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}
