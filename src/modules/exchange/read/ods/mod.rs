//! `OpenDocument` spreadsheets: one long XML that is read row by row, never as a whole. Cells and rows that stand for many are
//! repeated within a bound on what may come out of a file. What a cell is [`cells`] says.

mod cells;

use std::collections::HashSet;
use std::io::{BufReader, Read};

use cells::Cells;

use super::archive::{Archive, Member};
use super::book::Book;
use super::look::Sheet;
use super::notes::Notes;
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
        let comma = reading.decimal == Some(Decimal::Comma);
        Ok(Box::new(Cells::new(xml, notes.clone(), comma, max_cell, most)))
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
