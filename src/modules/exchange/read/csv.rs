//! CSV as people have it: quoted line breaks, any line ending, any delimiter. Gives records of cells and knows nothing of
//! columns.

use std::io::BufRead;

use super::limit::from_read;
use super::record::{CELLS_PER_ROW, Record};
use super::table::Grid;
use crate::contract::exchange::Quote;
use crate::kernel::error::{Code, Error, Result};

/// Records looked at to find out the delimiter.
const SAMPLE: usize = 100;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the beginning of a cell.
    Start,
    Plain,
    Quoted,
    /// After a quotation mark inside a quoted cell: an end or the first of two.
    Mark,
    /// After the sign before a quotation mark.
    Escaped,
}

/// How cells are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    pub delimiter: u8,
    pub quote: Option<u8>,
    /// The sign before a quotation mark that stands for itself inside a quoted cell, besides its doubling.
    pub escape: Option<u8>,
}

/// Does this text put a backslash before quotation marks that stand for themselves? One that ends a cell does not.
pub(super) fn escape(sample: &[u8], delimiter: u8, quote: Option<u8>) -> Option<u8> {
    let quote = quote?;
    let escaped = |w: &[u8]| {
        w[0] == b'\\' && w[1] == quote && w[2] != quote && w[2] != delimiter && !matches!(w[2], b'\n' | b'\r')
    };
    sample.windows(3).any(escaped).then_some(b'\\')
}

pub(super) fn quote(said: Option<Quote>) -> Option<u8> {
    match said {
        None | Some(Quote::Double) => Some(b'"'),
        Some(Quote::Single) => Some(b'\''),
        Some(Quote::None) => None,
    }
}

/// `sep=;` in the first line, as some spreadsheet programs write and ask for: the delimiter, and the line's length.
pub(super) fn announced(head: &[u8]) -> Option<(u8, usize)> {
    let rest = head.strip_prefix(b"sep=").or_else(|| head.strip_prefix(b"SEP="))?;
    let (delimiter, rest) = rest.split_first()?;
    let end = if rest.starts_with(b"\r\n") {
        2
    } else {
        usize::from(rest.starts_with(b"\n"))
    };
    (end > 0 && delimiter.is_ascii()).then_some((*delimiter, 5 + end))
}

/// The delimiter by which most of the first records have the same number of cells, and the most of those.
pub(super) fn delimiter(head: &[u8], name: &str, quote: Option<u8>) -> u8 {
    let name = name.to_ascii_lowercase();
    if [".tsv", ".tsv.gz", ".tab"].iter().any(|end| name.ends_with(end)) && head.contains(&b'\t') {
        return b'\t';
    }
    let mut best = (0u64, b',');
    for delimiter in [b',', b';', b'\t', b'|'] {
        let dialect = Dialect {
            delimiter,
            quote,
            escape: None,
        };
        let widths = widths(head, dialect);
        let mut counts: Vec<(usize, usize)> = Vec::new();
        for width in widths.iter().filter(|w| **w > 1) {
            match counts.iter_mut().find(|(w, _)| w == width) {
                Some((_, count)) => *count += 1,
                None => counts.push((*width, 1)),
            }
        }
        let Some((width, count)) = counts.into_iter().max_by_key(|(width, count)| (*count, *width)) else {
            continue;
        };
        // Agreement first; the width decides between what agrees alike.
        let score = (count * 20 / widths.len().max(1)) as u64 * 100_000 + (width as u64).min(99_999);
        if score > best.0 {
            best = (score, delimiter);
        }
    }
    best.1
}

fn widths(head: &[u8], dialect: Dialect) -> Vec<usize> {
    let (mut widths, mut width, mut quoted, mut blank) = (Vec::new(), 1, false, true);
    for &byte in head {
        if Some(byte) == dialect.quote {
            (quoted, blank) = (!quoted, false);
        } else if quoted {
        } else if byte == dialect.delimiter {
            (width, blank) = (width + 1, false);
        } else if matches!(byte, b'\n' | b'\r') {
            if !blank {
                widths.push(width);
                if widths.len() == SAMPLE {
                    return widths;
                }
            }
            (width, blank) = (1, true);
        } else {
            blank = false;
        }
    }
    // The last record may be cut.
    if widths.is_empty() && !blank {
        widths.push(width);
    }
    widths
}

/// Records of a CSV file.
pub(super) struct Csv {
    input: Box<dyn BufRead + Send>,
    dialect: Dialect,
    max_cell: usize,
    line: i64,
    number: i64,
    skip_feed: bool,
}

impl Csv {
    pub(super) fn new(input: Box<dyn BufRead + Send>, dialect: Dialect, max_cell: usize, first_line: i64) -> Self {
        Self {
            input,
            dialect,
            max_cell,
            line: first_line,
            number: first_line - 1,
            skip_feed: false,
        }
    }

    fn never_closed(&self, opened: i64) -> Error {
        let mark = self.dialect.quote.map_or('"', char::from);
        Error::new(
            Code::Invalid,
            format!(
                "A quotation mark opened in line {opened} is never closed. Close it there, or say that {mark} quotes nothing in \
                 this file (quote=none), then import the file again."
            ),
        )
    }
}

impl Grid for Csv {
    fn even(&self) -> bool {
        true
    }

    fn read(&mut self, record: &mut Record, keep: usize) -> Result<bool> {
        self.number += 1;
        record.begin(self.number, self.line);
        let max_row = self.max_cell.saturating_mul(CELLS_PER_ROW);
        let quote = self.dialect.quote;
        let (mut state, mut start, mut any, mut opened) = (State::Start, 0, false, self.line);
        loop {
            let chunk = self.input.fill_buf().map_err(from_read)?;
            if chunk.is_empty() {
                if matches!(state, State::Quoted | State::Escaped) {
                    return Err(self.never_closed(opened));
                }
                if any {
                    record.end_cell(keep, &mut start);
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
                let mark = Some(byte) == quote;
                let literal = match (state, byte) {
                    (State::Quoted, _) if mark => {
                        state = State::Mark;
                        false
                    }
                    (State::Quoted, _) if Some(byte) == self.dialect.escape => {
                        state = State::Escaped;
                        true
                    }
                    (State::Escaped, _) if mark => {
                        // The sign before it was no letter.
                        if record.bytes.last() == self.dialect.escape.as_ref() && record.bytes.len() > start {
                            record.bytes.pop();
                        }
                        state = State::Quoted;
                        true
                    }
                    (State::Escaped, _) => {
                        state = State::Quoted;
                        self.line += i64::from(byte == b'\n');
                        true
                    }
                    (State::Quoted, _) => {
                        self.line += i64::from(byte == b'\n');
                        true
                    }
                    (State::Mark, _) if mark => {
                        state = State::Quoted;
                        true
                    }
                    (State::Start, _) if mark => {
                        (state, record.quoted, opened) = (State::Quoted, true, self.line);
                        false
                    }
                    (_, byte) if byte == self.dialect.delimiter => {
                        record.end_cell(keep, &mut start);
                        state = State::Start;
                        false
                    }
                    (_, b'\n' | b'\r') => {
                        self.skip_feed = byte == b'\r';
                        self.line += 1;
                        ended = true;
                        break;
                    }
                    _ => {
                        state = State::Plain;
                        true
                    }
                };
                record.over |= literal && record.count >= keep;
                if literal && record.count < keep {
                    if record.bytes.len() - start < self.max_cell && record.bytes.len() < max_row {
                        record.bytes.push(byte);
                    } else if record.long.is_none() {
                        record.long = Some(record.count);
                    }
                }
            }
            self.input.consume(used);
            if ended {
                record.end_cell(keep, &mut start);
                return Ok(true);
            }
        }
    }
}
