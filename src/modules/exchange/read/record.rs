//! One record of a table before it is a row: its cells in one stretch of bytes, and what was too much of it.

/// A whole row may be this many times as long as one cell.
pub(super) const CELLS_PER_ROW: usize = 16;

/// One record before it is a row.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    pub bytes: Vec<u8>,
    pub(super) ends: Vec<usize>,
    /// Cells, also those beyond what is kept.
    pub count: usize,
    pub quoted: bool,
    /// Its place among the records, blank ones too, from 1.
    pub number: i64,
    pub line: i64,
    /// The first cell that is longer than allowed.
    pub long: Option<usize>,
    /// Something stands in cells beyond those that are kept.
    pub over: bool,
}

impl Record {
    pub(super) fn begin(&mut self, number: i64, line: i64) {
        self.bytes.clear();
        self.ends.clear();
        (self.count, self.quoted, self.number, self.line, self.long) = (0, false, number, line, None);
        self.over = false;
    }
    pub(super) fn cell(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.bytes[start..self.ends[index]]
    }
    /// Cells that are kept.
    pub(super) fn kept(&self) -> usize {
        self.ends.len()
    }
    pub(super) fn end_cell(&mut self, keep: usize, start: &mut usize) {
        if self.count < keep {
            self.ends.push(self.bytes.len());
        }
        self.count += 1;
        *start = self.bytes.len();
    }
    /// Appends a whole cell.
    pub(super) fn put(&mut self, text: &str, long: bool, max_cell: usize) {
        let fits = text.len() <= max_cell && self.bytes.len() + text.len() <= max_cell.saturating_mul(CELLS_PER_ROW);
        if fits && !long {
            self.bytes.extend_from_slice(text.as_bytes());
        } else if self.long.is_none() {
            self.long = Some(self.count);
        }
        self.ends.push(self.bytes.len());
        self.count += 1;
    }
    /// Cells with something in them.
    pub(super) fn filled(&self) -> usize {
        let white = |index: &usize| self.cell(*index).iter().all(u8::is_ascii_whitespace);
        (0..self.kept()).filter(|index| !white(index)).count()
    }
    pub(super) fn blank(&self, even: bool) -> bool {
        if even {
            return self.count == 1 && !self.quoted && self.bytes.is_empty();
        }
        self.bytes.is_empty() && self.long.is_none()
    }
    pub(super) fn width(&self) -> usize {
        (0..self.kept())
            .rev()
            .find(|i| !self.cell(*i).is_empty())
            .map_or(0, |i| i + 1)
    }
}
