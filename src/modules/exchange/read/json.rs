//! JSON arrays and JSON lines, one element at a time: where rows begin and end, in which line, and what is wrong between
//! them.

use std::io::BufRead;

use serde_json::{Map, Value};

use super::SourceRow;
use super::limit::from_read;
use super::scan::Scanner;
use crate::kernel::config::Import as Limits;
use crate::kernel::error::{Code, Error, FieldIssue, Result};

/// One object per line.
pub(super) struct Lines {
    input: Box<dyn BufRead + Send>,
    scanner: Scanner,
    row: i64,
    line: i64,
    done: bool,
}

impl Lines {
    pub(super) fn open(input: Box<dyn BufRead + Send>, limits: &Limits) -> Self {
        Self {
            input,
            scanner: Scanner::new(limits),
            row: 0,
            line: 0,
            done: false,
        }
    }

    /// Reads one line into the scanner; false at the end of the file.
    fn read(&mut self) -> Result<bool> {
        self.scanner.reset();
        self.line += 1;
        let mut any = false;
        loop {
            let chunk = self.input.fill_buf().map_err(from_read)?;
            if chunk.is_empty() {
                return Ok(any);
            }
            any = true;
            let end = chunk.iter().position(|b| *b == b'\n');
            for &byte in &chunk[..end.unwrap_or(chunk.len())] {
                if self.scanner.take(byte) {
                    // Something stands after the object: the parser says so.
                    self.scanner.push(byte);
                }
            }
            let used = end.map_or(chunk.len(), |end| end + 1);
            self.input.consume(used);
            if end.is_some() {
                return Ok(true);
            }
        }
    }

    fn content(&mut self) -> Result<std::result::Result<Map<String, Value>, Vec<FieldIssue>>> {
        let open = self.scanner.depth > 0 && self.row == 1 && !self.scanner.too_deep;
        if open {
            return Err(Error::new(
                Code::Invalid,
                format!(
                    "The object that starts in line {} does not end there. JSON lines hold one object per line; a file of \
                     several lines per object is an array: [ {{…}}, {{…}} ].",
                    self.line
                ),
            ));
        }
        Ok(self.scanner.content())
    }
}

impl Iterator for Lines {
    type Item = Result<SourceRow>;
    fn next(&mut self) -> Option<Self::Item> {
        while !self.done {
            let step = self.read().and_then(|more| {
                if !more || !self.scanner.started {
                    self.done = !more;
                    return Ok(None);
                }
                self.row += 1;
                let content = self.content()?;
                Ok(Some(SourceRow {
                    row: self.row,
                    line: self.line,
                    bytes: self.scanner.bytes.len(),
                    content,
                }))
            });
            self.done |= step.is_err();
            if let Some(row) = step.transpose() {
                return Some(row);
            }
        }
        None
    }
}

/// One array of objects.
pub(super) struct Array {
    input: Box<dyn BufRead + Send>,
    scanner: Scanner,
    row: i64,
    line: i64,
    done: bool,
}

impl Array {
    pub(super) fn open(input: Box<dyn BufRead + Send>, limits: &Limits) -> Result<Self> {
        let mut array = Self {
            input,
            scanner: Scanner::new(limits),
            row: 0,
            line: 1,
            done: false,
        };
        match array.skip_space()? {
            Some(b'[') => array.input.consume(1),
            _ => {
                return Err(Error::new(
                    Code::Invalid,
                    "The file does not begin with [, as a JSON array of objects does.",
                ));
            }
        }
        Ok(array)
    }

    /// The next byte that is no white space, not taken.
    fn skip_space(&mut self) -> Result<Option<u8>> {
        loop {
            let chunk = self.input.fill_buf().map_err(from_read)?;
            if chunk.is_empty() {
                return Ok(None);
            }
            let end = chunk
                .iter()
                .position(|b| !b.is_ascii_whitespace())
                .unwrap_or(chunk.len());
            self.line += chunk[..end].iter().filter(|b| **b == b'\n').count() as i64;
            let found = chunk.get(end).copied();
            self.input.consume(end);
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    fn broken(&self, what: &str) -> Error {
        Error::new(
            Code::Invalid,
            format!(
                "In line {} {what}. Rows before it are read; mend the file there and import it again.",
                self.line
            ),
        )
    }

    fn read(&mut self) -> Result<Option<SourceRow>> {
        match (self.skip_space()?, self.row) {
            (Some(b']'), _) => {
                self.input.consume(1);
                return match self.skip_space()? {
                    None => Ok(None),
                    Some(_) => Err(self.broken("something stands after the end of the array")),
                };
            }
            (Some(b','), 1..) => {
                self.input.consume(1);
                if self.skip_space()? == Some(b']') {
                    return Err(self.broken("a comma stands before the end of the array"));
                }
            }
            (Some(_), 0) => {}
            (Some(_), _) => return Err(self.broken("a comma between two rows is missing")),
            (None, _) => return Err(self.broken("the file ends inside the array: its end is missing")),
        }
        self.skip_space()?;
        let line = self.line;
        self.element()?;
        self.row += 1;
        let content = self.scanner.content();
        Ok(Some(SourceRow {
            row: self.row,
            line,
            bytes: self.scanner.bytes.len(),
            content,
        }))
    }

    fn element(&mut self) -> Result<()> {
        self.scanner.reset();
        loop {
            let chunk = self.input.fill_buf().map_err(from_read)?;
            if chunk.is_empty() {
                return Err(self.broken("the file ends inside a row: its end is missing"));
            }
            let mut used = 0;
            let mut ended = false;
            for &byte in chunk {
                let (inside, text) = (self.scanner.depth > 0, self.scanner.text);
                if self.scanner.take(byte) {
                    ended = true;
                    break;
                }
                used += 1;
                self.line += i64::from(byte == b'\n');
                if self.scanner.depth == 0 && !self.scanner.text && (inside || text) {
                    ended = true;
                    break;
                }
            }
            self.input.consume(used);
            if ended {
                return Ok(());
            }
        }
    }
}

impl Iterator for Array {
    type Item = Result<SourceRow>;
    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let row = self.read().transpose();
        self.done = !matches!(row, Some(Ok(_)));
        row
    }
}
