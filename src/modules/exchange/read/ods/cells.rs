//! The cells of an `OpenDocument` sheet, row by row.
//!
//! What a cell is: a formula its stored value, dates and times in ISO form, a percentage its fraction, a boolean `true` or
//! `false`, an error nothing; remarks are left out. Merged cells: the value is repeated downwards, not sideways.

use std::collections::BTreeMap;

use super::super::notes::Notes;
use super::super::record::Record;
use super::super::serial;
use super::super::table::{Grid, WIDEST};
use super::super::xml::Event;
use super::{Content, LAST_ROW};
use crate::kernel::error::{Code, Error, Result};

/// The cells of a sheet.
pub(super) struct Cells {
    xml: Content,
    notes: Notes,
    comma: bool,
    max_cell: usize,
    row: i64,
    /// Times that the row is still to be given again.
    again: i64,
    /// Columns from..to, and their text.
    cells: Vec<(usize, usize, String)>,
    /// Cells of this row that are merged with rows below: column, and the last row.
    spans: Vec<(usize, i64)>,
    hanging: BTreeMap<usize, (i64, String)>,
    /// Bytes given out, and how many may be.
    given: u64,
    most: u64,
}

impl Cells {
    /// The cells of the sheet that `xml` stands in; `most` bytes of them at most.
    pub(super) fn new(xml: Content, notes: Notes, comma: bool, max_cell: usize, most: u64) -> Self {
        Self {
            xml,
            notes,
            comma,
            max_cell,
            row: 0,
            again: 0,
            cells: Vec::new(),
            spans: Vec::new(),
            hanging: BTreeMap::new(),
            given: 0,
            most,
        }
    }

    /// Reads the next row with something in it; false at the end.
    fn next_row(&mut self) -> Result<bool> {
        loop {
            match self.xml.next()? {
                Event::Start if self.xml.name() == b"table-row" => {
                    let repeat: i64 = self.xml.number("table:number-rows-repeated").unwrap_or(1);
                    let repeat = repeat.clamp(1, LAST_ROW);
                    self.row += 1;
                    self.read_row()?;
                    if self.row > LAST_ROW && !self.cells.is_empty() {
                        let words = "The sheet has more rows than a sheet can have. Open it in a spreadsheet program and save it again.";
                        return Err(Error::new(Code::Invalid, words));
                    }
                    if self.cells.is_empty() {
                        self.row = self.row.saturating_add(repeat - 1);
                        continue;
                    }
                    self.again = repeat - 1;
                    return Ok(true);
                }
                // Groups and heading rows hold rows; whatever else is no row.
                Event::Start
                    if matches!(
                        self.xml.name(),
                        b"table-row-group" | b"table-rows" | b"table-header-rows"
                    ) => {}
                Event::Start => self.xml.skip()?,
                Event::End if self.xml.name() == b"table" => return Ok(false),
                Event::Eof => return Ok(false),
                _ => {}
            }
        }
    }

    fn read_row(&mut self) -> Result<()> {
        self.cells.clear();
        self.spans.clear();
        let mut column = 0usize;
        loop {
            match self.xml.next()? {
                Event::Start if matches!(self.xml.name(), b"table-cell" | b"covered-table-cell") => {
                    let repeat: usize = self.xml.number("table:number-columns-repeated").unwrap_or(1);
                    let rows: i64 = self.xml.number("table:number-rows-spanned").unwrap_or(1);
                    let covered = self.xml.name() == b"covered-table-cell";
                    let text = self.cell(column)?;
                    let end = column.saturating_add(repeat.max(1)).min(WIDEST);
                    if let Some(text) = text.filter(|_| !covered && column < WIDEST) {
                        if rows > 1 {
                            self.spans.push((column, self.row.saturating_add(rows - 1)));
                        }
                        self.cells.push((column, end, text));
                    }
                    column = end;
                }
                Event::Start => self.xml.skip()?,
                Event::End | Event::Eof => return Ok(()),
                Event::Text => {}
            }
        }
    }

    /// The text of a cell whose start has been read.
    fn cell(&mut self, column: usize) -> Result<Option<String>> {
        let kind = self.xml.attribute("office:value-type").unwrap_or_default();
        let error = self.xml.attribute("calcext:value-type").as_deref() == Some("error");
        let value = match kind.as_str() {
            "float" | "currency" | "percentage" => self
                .xml
                .attribute("office:value")
                .map(|raw| serial::text(&raw, serial::Kind::Plain, false, self.comma)),
            "date" => self
                .xml
                .attribute("office:date-value")
                .map(|date| date.strip_suffix("T00:00:00").map(str::to_owned).unwrap_or(date)),
            "time" => self
                .xml
                .attribute("office:time-value")
                .map(|time| duration(&time).unwrap_or(time)),
            "boolean" => self.xml.attribute("office:boolean-value"),
            _ => self.xml.attribute("office:string-value"),
        };
        let text = self.paragraphs()?;
        let place = || super::super::xlsx::cell_name(u32::try_from(column).unwrap_or(0), self.row);
        if error {
            self.notes.add("error-cells", || {
                format!(
                    "The cell {} holds the error {text}; such cells are read as empty. Mend the formula if a value should be there.",
                    place()
                )
            });
            return Ok(None);
        }
        if kind == "percentage" {
            self.notes.add("percentages", || {
                format!(
                    "The cell {} holds a percentage; such cells are read as fractions: 25 % is 0.25.",
                    place()
                )
            });
        }
        if matches!(kind.as_str(), "float" | "currency") && padded(&text) {
            // An inventory number that is shown with zeros before it is one.
            return Ok(Some(text));
        }
        let text = value.unwrap_or(text);
        Ok((!text.is_empty()).then_some(text))
    }

    /// The paragraphs of a cell, a line each, up to its end.
    fn paragraphs(&mut self) -> Result<String> {
        let (mut text, mut open, mut inside, mut any) = (String::new(), 1u32, 0u32, false);
        while open > 0 {
            match self.xml.next()? {
                Event::Start => {
                    let name = self.xml.name();
                    // A remark and a drawing are no part of the value.
                    if matches!(
                        name,
                        b"annotation" | b"frame" | b"custom-shape" | b"control" | b"shapes"
                    ) {
                        self.xml.skip()?;
                        continue;
                    }
                    open += 1;
                    match name {
                        b"p" | b"h" if inside == 0 => {
                            if any {
                                text.push('\n');
                            }
                            (inside, any) = (open, true);
                        }
                        b"s" if inside > 0 => {
                            let count: usize = self.xml.number("text:c").unwrap_or(1);
                            let room = self.max_cell.saturating_add(1).saturating_sub(text.len());
                            text.extend(std::iter::repeat_n(' ', count.min(room)));
                        }
                        b"tab" if inside > 0 => text.push('\t'),
                        b"line-break" if inside > 0 => text.push('\n'),
                        _ => {}
                    }
                }
                Event::End => {
                    if open == inside {
                        inside = 0;
                    }
                    open -= 1;
                }
                Event::Text if inside > 0 && text.len() <= self.max_cell => text.push_str(&self.xml.text()),
                Event::Text => {}
                Event::Eof => break,
            }
        }
        Ok(text)
    }

    /// Repeats merged cells downwards.
    fn fill(&mut self) {
        let row = self.row;
        self.hanging.retain(|_, (last, _)| *last >= row);
        for (column, (_, text)) in &self.hanging {
            let at = self.cells.partition_point(|(_, end, _)| end <= column);
            if self.cells.get(at).is_none_or(|(start, ..)| start > column) {
                self.cells.insert(at, (*column, column + 1, text.clone()));
                self.notes.add("merged-cells", || {
                    format!(
                        "The cell {} is merged with cells above it; the value of merged cells is repeated in each of their rows.",
                        super::super::xlsx::cell_name(u32::try_from(*column).unwrap_or(0), row)
                    )
                });
            }
        }
        for (column, last) in self.spans.drain(..) {
            let found = self.cells.iter().find(|(start, ..)| *start == column);
            if let Some((_, _, text)) = found {
                self.hanging.insert(column, (last, text.clone()));
            }
        }
    }
}

impl Grid for Cells {
    fn even(&self) -> bool {
        false
    }

    fn read(&mut self, record: &mut Record, keep: usize) -> Result<bool> {
        if self.again > 0 {
            self.again -= 1;
            self.row += 1;
        } else {
            if !self.next_row()? {
                return Ok(false);
            }
            self.fill();
        }
        record.begin(self.row, self.row);
        for (start, end, text) in &self.cells {
            for column in *start..(*end).min(keep) {
                while record.kept() < column {
                    record.put("", false, self.max_cell);
                }
                record.put(text, false, self.max_cell);
            }
        }
        self.given = self.given.saturating_add((record.bytes.len() + record.kept()) as u64);
        if self.given > self.most {
            let words = "The sheet repeats cells to far more than the file's own size, as no collection does. Save it as CSV and \
                         look at that; if it is right, raise import.max_ratio.";
            return Err(Error::new(Code::TooLarge, words));
        }
        Ok(true)
    }
}

/// Digits that begin with a zero that means something.
fn padded(text: &str) -> bool {
    text.len() > 1 && text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit())
}

/// `PT13H45M00S` as `13:45:00`.
fn duration(text: &str) -> Option<String> {
    let rest = text.strip_prefix("PT")?;
    let (hours, rest) = rest.split_once('H')?;
    let (minutes, rest) = rest.split_once('M')?;
    let seconds = rest.strip_suffix('S')?;
    let whole = seconds.split(['.', ',']).next()?;
    let number = |part: &str| part.parse::<u32>().ok();
    Some(format!(
        "{:02}:{:02}:{:02}",
        number(hours)?,
        number(minutes)?,
        number(whole)?
    ))
}
