//! JSON arrays and JSON lines, one element at a time. A scanner without recursion finds where an element ends, how deep
//! it is and which numbers would not print back as they were written; only then is it parsed.

use std::io::BufRead;

use serde_json::{Map, Number, Value};

use super::limit::from_read;
use super::{SourceRow, issue, strict};
use crate::kernel::config::Import as Limits;
use crate::kernel::error::{Code, Error, FieldIssue, Result};

/// The parser's own limit of nesting; what is configured cannot go beyond it.
const PARSER_DEPTH: u32 = 120;
/// A whole element may be this many times as long as one cell.
const CELLS_PER_ROW: u64 = 16;

/// Collects the bytes of one element.
struct Scanner {
    bytes: Vec<u8>,
    depth: u32,
    text: bool,
    escaped: bool,
    /// Where the number that is being read begins.
    number: Option<usize>,
    started: bool,
    too_deep: bool,
    too_long: bool,
    max_depth: u32,
    max_bytes: usize,
    max_cell: usize,
}

impl Scanner {
    fn new(limits: &Limits) -> Self {
        Self {
            bytes: Vec::new(),
            depth: 0,
            text: false,
            escaped: false,
            number: None,
            started: false,
            too_deep: false,
            too_long: false,
            max_depth: limits.max_depth.min(PARSER_DEPTH),
            max_bytes: usize::try_from(limits.max_cell_bytes.saturating_mul(CELLS_PER_ROW)).unwrap_or(usize::MAX),
            max_cell: usize::try_from(limits.max_cell_bytes).unwrap_or(usize::MAX),
        }
    }

    fn reset(&mut self) {
        self.bytes.clear();
        (self.depth, self.text, self.escaped, self.number) = (0, false, false, None);
        (self.started, self.too_deep, self.too_long) = (false, false, false);
    }

    /// Takes one byte. True when the element has ended before it (a delimiter that is not part of it).
    fn take(&mut self, byte: u8) -> bool {
        if self.text {
            self.push(byte);
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.text = false,
                _ => {}
            }
            return false;
        }
        let numeric = matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        if let Some(start) = self.number {
            if !numeric {
                self.number = None;
                self.end_number(start);
            }
        } else if matches!(byte, b'0'..=b'9' | b'-') {
            self.number = Some(self.bytes.len());
        }
        if self.depth == 0 && self.started && matches!(byte, b',' | b']' | b'}') {
            return true;
        }
        match byte {
            b'"' => self.text = true,
            b'[' | b'{' => {
                self.depth = self.depth.saturating_add(1);
                self.too_deep |= self.depth > self.max_depth;
            }
            b']' | b'}' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.started |= !byte.is_ascii_whitespace();
        self.push(byte);
        false
    }

    fn push(&mut self, byte: u8) {
        if self.too_deep || self.bytes.len() >= self.max_bytes {
            self.too_long |= !self.too_deep;
            return;
        }
        self.bytes.push(byte);
    }

    /// A number that would not print back byte for byte becomes the text that was written.
    fn end_number(&mut self, start: usize) {
        if self.too_deep || self.too_long {
            return;
        }
        let token = &self.bytes[start..];
        let fraction = token
            .iter()
            .position(|b| *b == b'.')
            .map_or(&b""[..], |dot| &token[dot + 1..]);
        let plain = token.len() <= 15
            && !token.iter().any(|b| matches!(b, b'e' | b'E' | b'+'))
            && !token.starts_with(b"-0")
            && !token.starts_with(b"0.000")
            && (fraction.len() < 2 || !fraction.ends_with(b"0"));
        if plain {
            return;
        }
        let Ok(text) = std::str::from_utf8(token) else { return };
        let prints_back = serde_json::from_str::<Number>(text).map(|number| number.to_string() == text);
        // What is no number at all is left for the parser to refuse; one beyond every range is kept as text too.
        if prints_back.unwrap_or_else(|_| !valid_number(token)) {
            return;
        }
        self.bytes.insert(start, b'"');
        self.bytes.push(b'"');
    }

    fn content(&mut self) -> std::result::Result<Map<String, Value>, Vec<FieldIssue>> {
        if let Some(start) = self.number.take() {
            self.end_number(start);
        }
        if self.too_deep {
            return Err(issue(
                "",
                format!(
                    "Nested more than {} levels deep (import.max_depth). Flatten it.",
                    self.max_depth
                ),
            ));
        }
        if self.too_long {
            return Err(issue(
                "",
                format!(
                    "The row is longer than {} bytes (import.max_cell_bytes).",
                    self.max_bytes
                ),
            ));
        }
        match strict::parse(&self.bytes) {
            Ok(Value::Object(map)) => {
                let mut issues = Vec::new();
                for (name, value) in &map {
                    check(name, value, self.max_cell, &mut issues);
                }
                if issues.is_empty() { Ok(map) } else { Err(issues) }
            }
            Ok(other) => Err(issue(
                "",
                format!("A row is a JSON object {{…}}; this is {}.", kind(&other)),
            )),
            Err(error) => Err(issue("", format!("Not valid JSON: {}.", words(&error)))),
        }
    }
}

/// The parser's sentence without its place: the line is the row's, the column is kept.
fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&place) {
        Some(words) => format!("{words} (at byte {} of the row)", error.column()),
        None => text,
    }
}

fn valid_number(token: &[u8]) -> bool {
    let digits = token.strip_prefix(b"-").unwrap_or(token);
    let end = digits.iter().position(|b| !b.is_ascii_digit()).unwrap_or(digits.len());
    let whole = &digits[..end];
    if whole.is_empty() || (whole.len() > 1 && whole[0] == b'0') {
        return false;
    }
    let mut rest = &digits[end..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let end = fraction
            .iter()
            .position(|b| !b.is_ascii_digit())
            .unwrap_or(fraction.len());
        if end == 0 {
            return false;
        }
        rest = &fraction[end..];
    }
    match rest {
        [] => true,
        [b'e' | b'E', exponent @ ..] => {
            let digits = exponent
                .strip_prefix(b"+")
                .or_else(|| exponent.strip_prefix(b"-"))
                .unwrap_or(exponent);
            !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Texts that no database or person could use. Recursion is as deep as the scanner allowed.
fn check(path: &str, value: &Value, max_cell: usize, issues: &mut Vec<FieldIssue>) {
    match value {
        Value::String(text) if text.len() > max_cell => {
            issues.extend(issue(
                path,
                format!("Longer than {max_cell} bytes (import.max_cell_bytes)."),
            ));
        }
        Value::String(text) if text.contains('\0') => {
            issues.extend(issue(path, "Holds a NUL character, which no text has. Remove it."));
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                if !matches!(item, Value::Null | Value::Bool(_) | Value::Number(_)) {
                    check(&format!("{path}.{index}"), item, max_cell, issues);
                }
            }
        }
        Value::Object(map) => {
            for (name, item) in map {
                if name.contains('\0') {
                    issues.extend(issue(path, "A name holds a NUL character. Remove it."));
                }
                if matches!(item, Value::String(_) | Value::Array(_) | Value::Object(_)) {
                    check(&format!("{path}.{name}"), item, max_cell, issues);
                }
            }
        }
        _ => {}
    }
}

/// One object per line.
pub(super) struct Lines {
    input: Box<dyn BufRead + Send>,
    scanner: Scanner,
    row: i64,
    line: i64,
    done: bool,
}

impl Lines {
    pub(super) fn open(input: Box<dyn BufRead + Send>, limits: Limits) -> Self {
        Self {
            input,
            scanner: Scanner::new(&limits),
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
    pub(super) fn open(input: Box<dyn BufRead + Send>, limits: Limits) -> Result<Self> {
        let mut array = Self {
            input,
            scanner: Scanner::new(&limits),
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
