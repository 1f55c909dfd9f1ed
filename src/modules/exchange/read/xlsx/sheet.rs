//! The cells of a sheet, row by row, as records of a table.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::sync::Arc;

use super::super::notes::Notes;
use super::super::record::Record;
use super::super::serial::{self, Kind};
use super::super::table::{Grid, WIDEST};
use super::super::xml::{Event, Xml};
use super::parts::{Merged, Strings, cell_name, letters, reference, rich_text};
use crate::kernel::error::{Code, Error, Result};

const LAST_ROW: i64 = 1_048_576;

/// What cells are read by.
pub(super) struct Context {
    pub strings: Arc<Strings>,
    pub styles: Arc<Vec<Kind>>,
    pub from_1904: bool,
    /// Numbers get a decimal comma.
    pub comma: bool,
    pub max_cell: usize,
    /// Bytes that may come out of the sheet: cells share texts, so that a small file can hold endless ones.
    pub most: u64,
    pub notes: Notes,
}

/// See the module's text.
pub(super) struct Cells<R> {
    xml: Xml<R>,
    context: Context,
    merged: Merged,
    /// Merged cells that reach into the next row: the last row, and what stands in them.
    hanging: BTreeMap<u32, (i64, String)>,
    row: i64,
    cells: Vec<(u32, String)>,
    started: bool,
    given: u64,
}

impl<R: BufRead> Cells<R> {
    pub(super) fn new(xml: Xml<R>, context: Context, merged: Merged) -> Self {
        Self {
            xml,
            context,
            merged,
            hanging: BTreeMap::new(),
            row: 0,
            cells: Vec::new(),
            started: false,
            given: 0,
        }
    }

    /// Reads the next row into `cells`; false at the end of the sheet.
    fn row(&mut self) -> Result<bool> {
        loop {
            match self.xml.next()? {
                Event::Start if self.xml.name() == b"sheetData" => self.started = true,
                Event::Start if self.started && self.xml.name() == b"row" => break,
                Event::End if self.xml.name() == b"sheetData" => return Ok(false),
                Event::Eof => return Ok(false),
                _ => {}
            }
        }
        let said: Option<i64> = self.xml.number("r");
        self.row = said.filter(|row| *row > self.row).unwrap_or(self.row + 1);
        if self.row > LAST_ROW {
            return Err(damaged("it has more rows than a sheet can have"));
        }
        self.cells.clear();
        let mut next = 0u32;
        loop {
            match self.xml.next()? {
                Event::Start if self.xml.name() == b"c" => {
                    let said = self.xml.attribute("r").map(|r| {
                        let known = reference(&r).map(|(column, _)| column);
                        known.ok_or_else(|| damaged("it has a cell at a place that no sheet has"))
                    });
                    let column = said.transpose()?.unwrap_or(next);
                    if column as usize >= WIDEST {
                        return Err(damaged("it has more columns than a sheet can have"));
                    }
                    next = column + 1;
                    if let Some(text) = self.cell(column)? {
                        self.cells.push((column, text));
                    }
                }
                Event::Start => self.xml.skip()?,
                Event::End => break,
                Event::Text => {}
                Event::Eof => return Ok(false),
            }
        }
        if !self.cells.is_sorted_by(|a, b| a.0 < b.0) {
            self.cells.sort_by_key(|(column, _)| *column);
            self.cells.dedup_by_key(|(column, _)| *column);
        }
        Ok(true)
    }

    /// The text of a cell whose start has been read; `None` for an empty one.
    fn cell(&mut self, column: u32) -> Result<Option<String>> {
        let kind = self.xml.attribute("t").unwrap_or_default();
        let style = self.xml.number::<usize>("s").unwrap_or(0);
        let (mut value, mut formula) = (None, false);
        loop {
            match self.xml.next()? {
                Event::Start if self.xml.name() == b"v" => value = Some(self.value()?),
                Event::Start if self.xml.name() == b"is" => {
                    value = Some(rich_text(&mut self.xml, self.context.max_cell.saturating_add(1))?);
                }
                Event::Start => {
                    formula |= self.xml.name() == b"f";
                    self.xml.skip()?;
                }
                Event::End | Event::Eof => break,
                Event::Text => {}
            }
        }
        let place = || cell_name(column, self.row);
        // Some programs write an empty value where they did not calculate one.
        let value = value.filter(|value| !formula || kind == "str" || !value.is_empty());
        let Some(value) = value else {
            if formula {
                self.context.notes.add("formulas-without-values", || {
                    format!(
                        "The formula in {} has no stored value and is read as empty. Open the workbook in a spreadsheet program, \
                         save it, and import it again.",
                        place()
                    )
                });
            }
            return Ok(None);
        };
        let text = match kind.as_str() {
            "s" => {
                let known = value
                    .trim()
                    .parse()
                    .ok()
                    .map(|index| self.context.strings.get(index))
                    .transpose()?;
                known
                    .flatten()
                    .ok_or_else(|| damaged(&format!("the text of the cell {} is missing", place())))?
            }
            "b" => (if value.trim() == "0" { "false" } else { "true" }).to_owned(),
            "e" => {
                self.context.notes.add("error-cells", || {
                    format!(
                        "The cell {} holds the error {value}; such cells are read as empty. Mend the formula if a value should be there.",
                        place()
                    )
                });
                return Ok(None);
            }
            "str" => letters(&value).unwrap_or(value),
            "inlineStr" => value,
            "d" => value.strip_suffix("T00:00:00").map(str::to_owned).unwrap_or(value),
            _ => self.number(&value, style, column),
        };
        Ok((!text.is_empty()).then_some(text))
    }

    fn number(&self, raw: &str, style: usize, column: u32) -> String {
        let kind = self.context.styles.get(style).copied().unwrap_or(Kind::Plain);
        if kind == Kind::Percent {
            self.context.notes.add("percentages", || {
                format!(
                    "The cell {} holds a percentage; such cells are read as fractions: 25 % is 0.25.",
                    cell_name(column, self.row)
                )
            });
        }
        serial::text(raw, kind, self.context.from_1904, self.context.comma)
    }

    /// The content of an element that holds text only.
    fn value(&mut self) -> Result<String> {
        let mut text = String::new();
        loop {
            match self.xml.next()? {
                Event::Text if text.len() <= self.context.max_cell => text.push_str(&self.xml.text()),
                Event::Text => {}
                Event::Start => self.xml.skip()?,
                Event::End | Event::Eof => return Ok(text),
            }
        }
    }

    /// Repeats merged cells downwards.
    fn fill(&mut self) {
        if self.merged.is_empty() && self.hanging.is_empty() {
            return;
        }
        let row = self.row;
        self.hanging.retain(|_, (last, _)| *last >= row);
        if self.cells.is_empty() {
            return;
        }
        for (column, (_, text)) in &self.hanging {
            if let Err(at) = self.cells.binary_search_by_key(column, |(c, _)| *c) {
                self.cells.insert(at, (*column, text.clone()));
                self.context.notes.add("merged-cells", || {
                    format!(
                        "The cell {} is merged with cells above it; the value of merged cells is repeated in each of their rows.",
                        cell_name(*column, row)
                    )
                });
            }
        }
    }

    /// Merged cells that begin in this row.
    fn hang(&mut self) {
        while let Some(first) = self.merged.first_entry().filter(|e| *e.key() <= self.row) {
            let (begin, columns) = first.remove_entry();
            for (column, last) in columns {
                let found = self.cells.iter().find(|(c, _)| *c == column);
                if let Some((_, text)) = found.filter(|_| begin == self.row) {
                    self.hanging.insert(column, (last, text.clone()));
                }
            }
        }
    }
}

impl<R: BufRead + Send> Grid for Cells<R> {
    fn even(&self) -> bool {
        false
    }

    fn read(&mut self, record: &mut Record, keep: usize) -> Result<bool> {
        if !self.row()? {
            return Ok(false);
        }
        self.fill();
        self.hang();
        record.begin(self.row, self.row);
        for (column, text) in &self.cells {
            let column = *column as usize;
            if column >= keep {
                break;
            }
            while record.kept() < column {
                record.put("", false, self.context.max_cell);
            }
            record.put(text, false, self.context.max_cell);
        }
        self.given = self.given.saturating_add((record.bytes.len() + record.kept()) as u64);
        if self.given > self.context.most {
            let words = "The sheet repeats texts to far more than the file's own size, as no collection does. Save it as CSV and \
                         look at that; if it is right, raise import.max_ratio.";
            return Err(Error::new(Code::TooLarge, words));
        }
        Ok(true)
    }
}

fn damaged(what: &str) -> Error {
    Error::new(
        Code::Invalid,
        format!("The sheet cannot be read: {what}. Open the workbook in a spreadsheet program and save it again."),
    )
}
