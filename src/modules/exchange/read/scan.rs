//! Finds the end of one JSON element without recursion: how deep it is, how long, and which numbers would not print back
//! as they were written. Only then is it parsed.

use serde_json::{Map, Number, Value};

use super::{issue, strict};
use crate::kernel::config::Import as Limits;
use crate::kernel::error::FieldIssue;

/// The parser's own limit of nesting; what is configured cannot go beyond it.
const PARSER_DEPTH: u32 = 120;
/// A whole element may be this many times as long as one cell.
const CELLS_PER_ROW: u64 = 16;

/// Collects the bytes of one element.
pub(super) struct Scanner {
    pub(super) bytes: Vec<u8>,
    pub(super) depth: u32,
    pub(super) text: bool,
    escaped: bool,
    /// Where the number that is being read begins.
    number: Option<usize>,
    pub(super) started: bool,
    pub(super) too_deep: bool,
    too_long: bool,
    max_depth: u32,
    max_bytes: usize,
    max_cell: usize,
}

impl Scanner {
    pub(super) fn new(limits: &Limits) -> Self {
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

    pub(super) fn reset(&mut self) {
        self.bytes.clear();
        (self.depth, self.text, self.escaped, self.number) = (0, false, false, None);
        (self.started, self.too_deep, self.too_long) = (false, false, false);
    }

    /// Takes one byte. True when the element has ended before it (a delimiter that is not part of it).
    pub(super) fn take(&mut self, byte: u8) -> bool {
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

    pub(super) fn push(&mut self, byte: u8) {
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

    pub(super) fn content(&mut self) -> std::result::Result<Map<String, Value>, Vec<FieldIssue>> {
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
