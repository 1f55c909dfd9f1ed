//! `OpenDocument` spreadsheets: one long XML that is read row by row, never as a whole. Cells and rows that stand for many are
//! repeated within a bound on what may come out of a file.
//!
//! What a cell is: a formula its stored value, dates and times in ISO form, a percentage its fraction, a boolean `true` or
//! `false`, an error nothing; remarks are left out. Merged cells: the value is repeated downwards, not sideways.

use std::collections::{BTreeMap, HashSet};
use std::io::{BufReader, Read};

use super::archive::{Archive, Member};
use super::book::Book;
use super::look::Sheet;
use super::notes::Notes;
use super::record::Record;
use super::serial;
use super::table::{Grid, WIDEST};
use super::xml::{Event, Xml};
use super::{limit, memory};
use crate::contract::exchange::{Decimal, Reading};
use crate::kernel::config::Import as Limits;
use crate::kernel::error::{Code, Error, Result};

const LAST_ROW: i64 = 1_048_576;
const MAX_SHEETS: usize = 1_000;

type Content = Xml<BufReader<Box<dyn Read + Send>>>;

/// A spreadsheet that is open.
pub(super) struct Spreadsheet {
    archive: Archive,
    content: Member,
    sheets: Vec<Sheet>,
    limits: Limits,
}

impl Spreadsheet {
    /// Opens it and goes through it once, to learn its sheets.
    pub(super) fn open(archive: Archive, limits: &Limits) -> Result<Self> {
        let Some(content) = archive.find("content.xml").cloned() else {
            let words = "The spreadsheet lacks its content. Open it in a spreadsheet program and save it again.";
            return Err(Error::new(Code::Invalid, words));
        };
        let mut book = Self {
            archive,
            content,
            sheets: Vec::new(),
            limits: limits.clone(),
        };
        book.sheets = sheets(book.xml(0)?)?;
        Ok(book)
    }

    fn xml(&self, max_text: usize) -> Result<Content> {
        let input = self.archive.open_member(&self.content, &self.limits)?;
        Ok(Xml::new(BufReader::with_capacity(64 * 1024, input), max_text))
    }
}

impl Book for Spreadsheet {
    fn sheets(&self) -> Vec<Sheet> {
        self.sheets.clone()
    }

    fn grid(&self, index: usize, reading: &Reading, notes: &Notes) -> Result<Box<dyn Grid>> {
        let max_cell = memory(self.limits.max_cell_bytes);
        let mut xml = self.xml(max_cell.saturating_add(1))?;
        let mut left = index + 1;
        while left > 0 {
            match xml.next()? {
                Event::Start if xml.name() == b"table" => {
                    left -= 1;
                    if left > 0 {
                        xml.skip()?;
                    }
                }
                Event::Eof => break,
                _ => {}
            }
        }
        let most = self
            .content
            .bytes
            .saturating_mul(self.limits.max_ratio.max(1))
            .max(limit::RATIO_FREE);
        Ok(Box::new(Cells {
            xml,
            notes: notes.clone(),
            comma: reading.decimal == Some(Decimal::Comma),
            max_cell,
            row: 0,
            again: 0,
            cells: Vec::new(),
            spans: Vec::new(),
            hanging: BTreeMap::new(),
            given: 0,
            most,
        }))
    }
}

/// Name, hiddenness and size of every sheet.
fn sheets(mut xml: Content) -> Result<Vec<Sheet>> {
    let (mut found, mut hidden, mut style) = (Vec::new(), HashSet::new(), String::new());
    loop {
        match xml.next()? {
            Event::Start if xml.name() == b"style" => style = xml.attribute("style:name").unwrap_or_default(),
            Event::Start
                if xml.name() == b"table-properties" && xml.attribute("table:display").as_deref() == Some("false") =>
            {
                hidden.insert(std::mem::take(&mut style));
            }
            Event::Start if xml.name() == b"table" => {
                let name = xml.attribute("table:name").unwrap_or_default();
                let hidden = xml.attribute("table:style-name").is_some_and(|s| hidden.contains(&s));
                let (rows, columns) = size(&mut xml)?;
                found.push(Sheet {
                    name,
                    rows: Some(rows),
                    columns: Some(columns),
                    hidden,
                });
                if found.len() == MAX_SHEETS {
                    return Ok(found);
                }
            }
            Event::Eof => return Ok(found),
            _ => {}
        }
    }
}

/// Rows and columns of a table up to its last value.
fn size(xml: &mut Content) -> Result<(u64, u64)> {
    let (mut open, mut row, mut rows, mut columns, mut column) = (1u32, 0u64, 0u64, 0u64, 0u64);
    let mut repeat = 1u64;
    while open > 0 {
        match xml.next()? {
            Event::Start => {
                open += 1;
                match xml.name() {
                    b"table-row" => {
                        repeat = xml.number("table:number-rows-repeated").unwrap_or(1);
                        row = row.saturating_add(1);
                        column = 0;
                    }
                    b"table-cell" | b"covered-table-cell" => {
                        let wide: u64 = xml.number("table:number-columns-repeated").unwrap_or(1);
                        column = column.saturating_add(wide);
                        if xml.attribute("office:value-type").is_some() {
                            rows = row.saturating_add(repeat.saturating_sub(1));
                            columns = columns.max(column);
                        }
                    }
                    _ => {}
                }
            }
            Event::End => {
                if xml.name() == b"table-row" {
                    row = row.saturating_add(repeat.saturating_sub(1));
                }
                open -= 1;
            }
            Event::Text => {}
            Event::Eof => break,
        }
    }
    Ok((rows.min(LAST_ROW as u64), columns.min(WIDEST as u64)))
}

/// The cells of a sheet.
struct Cells {
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
        let place = || super::xlsx::cell_name(u32::try_from(column).unwrap_or(0), self.row);
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
                        super::xlsx::cell_name(u32::try_from(*column).unwrap_or(0), row)
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
