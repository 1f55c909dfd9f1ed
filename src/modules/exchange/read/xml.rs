//! XML as programs write it, pulled piece by piece: bounded memory whatever stands in it, no entity but the five that
//! every reader knows, no document type, nothing fetched.

use std::borrow::Cow;
use std::io::BufRead;

use super::limit::from_read;
use crate::kernel::error::{Code, Error, Result};

/// Bytes a tag with its attributes may have.
const MAX_TAG: usize = 64 * 1024;
/// How deep elements may stand in each other.
const MAX_DEPTH: u32 = 256;

/// What was found; its content is asked of the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Start,
    End,
    Text,
    Eof,
}

/// See the module's text.
pub(super) struct Xml<R> {
    input: R,
    /// The tag, or the text, last found.
    buffer: Vec<u8>,
    /// Length of the name in a tag.
    name: usize,
    /// `<a/>`: its end comes next.
    empty: bool,
    /// The text is longer than wanted and its rest is left out.
    pub long: bool,
    max_text: usize,
    depth: u32,
    begun: bool,
    /// How faults are told.
    broken: fn(&str) -> Error,
}

impl<R: BufRead> Xml<R> {
    /// The inside of a workbook.
    pub(super) fn new(input: R, max_text: usize) -> Self {
        Self::of(input, max_text, broken)
    }

    /// Any XML; `broken` words what is wrong with it.
    pub(super) fn of(input: R, max_text: usize, broken: fn(&str) -> Error) -> Self {
        Self {
            input,
            buffer: Vec::new(),
            name: 0,
            empty: false,
            long: false,
            max_text,
            depth: 0,
            begun: false,
            broken,
        }
    }

    /// The next piece.
    ///
    /// # Errors
    /// `Invalid` for what is no sound XML, or what no such file holds.
    pub(super) fn next(&mut self) -> Result<Event> {
        if std::mem::take(&mut self.empty) {
            self.depth -= 1;
            return Ok(Event::End);
        }
        if !std::mem::replace(&mut self.begun, true) {
            self.start()?;
        }
        loop {
            match self.peek()? {
                None if self.depth > 0 => return Err((self.broken)("it ends in the middle")),
                None => return Ok(Event::Eof),
                Some(b'<') => {
                    self.input.consume(1);
                    if let Some(event) = self.markup()? {
                        return Ok(event);
                    }
                }
                Some(_) => {
                    self.buffer.clear();
                    self.long = false;
                    self.until(b'<', true)?;
                    return Ok(Event::Text);
                }
            }
        }
    }

    /// The name of the element, without its prefix.
    pub(super) fn name(&self) -> &[u8] {
        let name = &self.buffer[..self.name];
        name.iter().position(|b| *b == b':').map_or(name, |at| &name[at + 1..])
    }

    /// An attribute by its whole name.
    pub(super) fn attribute(&self, wanted: &str) -> Option<String> {
        let mut rest = self.buffer.get(self.name..)?;
        loop {
            rest = rest.trim_ascii_start();
            let equals = rest.iter().position(|b| *b == b'=')?;
            let name = rest[..equals].trim_ascii();
            rest = rest[equals + 1..].trim_ascii_start();
            let (quote, inside) = rest.split_first()?;
            if !matches!(quote, b'"' | b'\'') {
                return None;
            }
            let end = inside.iter().position(|b| b == quote)?;
            if name == wanted.as_bytes() {
                return Some(unescape(&String::from_utf8_lossy(&inside[..end])).into_owned());
            }
            rest = &inside[end + 1..];
        }
    }

    pub(super) fn number<N: std::str::FromStr>(&self, name: &str) -> Option<N> {
        self.attribute(name)?.trim().parse().ok()
    }

    /// The text last found.
    pub(super) fn text(&self) -> Cow<'_, str> {
        match String::from_utf8_lossy(&self.buffer) {
            Cow::Borrowed(text) => unescape(text),
            Cow::Owned(text) => Cow::Owned(unescape(&text).into_owned()),
        }
    }

    /// Leaves out everything up to the end of the element that has just started.
    pub(super) fn skip(&mut self) -> Result<()> {
        let mut open = 1u32;
        while open > 0 {
            match self.next()? {
                Event::Start => open += 1,
                Event::End => open -= 1,
                Event::Text => {}
                Event::Eof => return Ok(()),
            }
        }
        Ok(())
    }

    fn start(&mut self) -> Result<()> {
        let head = self.input.fill_buf().map_err(from_read)?;
        if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") || head.starts_with(b"\0<") {
            return Err((self.broken)("it is written in UTF-16"));
        }
        if head.starts_with(b"\xef\xbb\xbf") {
            self.input.consume(3);
        }
        Ok(())
    }

    fn peek(&mut self) -> Result<Option<u8>> {
        Ok(self.input.fill_buf().map_err(from_read)?.first().copied())
    }

    /// Takes bytes up to `end`, which stays; false at the end of the input.
    fn until(&mut self, end: u8, keep: bool) -> Result<bool> {
        loop {
            let chunk = self.input.fill_buf().map_err(from_read)?;
            if chunk.is_empty() {
                return Ok(false);
            }
            let found = chunk.iter().position(|b| *b == end);
            let used = found.unwrap_or(chunk.len());
            if keep {
                let room = self.max_text.saturating_sub(self.buffer.len()).min(used);
                self.buffer.extend_from_slice(&chunk[..room]);
                self.long |= room < used;
            }
            self.input.consume(used);
            if found.is_some() {
                return Ok(true);
            }
        }
    }

    /// What follows a `<`.
    fn markup(&mut self) -> Result<Option<Event>> {
        match self.peek()? {
            Some(b'?') => {
                self.past(b"?>", false)?;
                Ok(None)
            }
            Some(b'!') => self.declaration(),
            Some(b'/') => {
                self.tag()?;
                self.buffer.remove(0);
                self.name = self.name.saturating_sub(1);
                self.depth = self
                    .depth
                    .checked_sub(1)
                    .ok_or_else(|| (self.broken)("an end has no beginning"))?;
                Ok(Some(Event::End))
            }
            Some(_) => {
                self.tag()?;
                if self.buffer.last() == Some(&b'/') {
                    self.buffer.pop();
                    self.name = self.name.min(self.buffer.len());
                    self.empty = true;
                }
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return Err((self.broken)("its elements stand in each other without end"));
                }
                Ok(Some(Event::Start))
            }
            None => Err((self.broken)("it ends in the middle")),
        }
    }

    /// Reads up to the `>` of a tag, which may stand inside quotation marks too.
    fn tag(&mut self) -> Result<()> {
        self.buffer.clear();
        let mut quote = None;
        loop {
            let chunk = self.input.fill_buf().map_err(from_read)?;
            if chunk.is_empty() {
                return Err((self.broken)("it ends in the middle"));
            }
            let mut used = 0;
            let mut ended = false;
            for &byte in chunk {
                used += 1;
                match (quote, byte) {
                    (None, b'>') => {
                        ended = true;
                        break;
                    }
                    (None, b'"' | b'\'') => quote = Some(byte),
                    (Some(open), byte) if open == byte => quote = None,
                    _ => {}
                }
                self.buffer.push(byte);
            }
            self.input.consume(used);
            if self.buffer.len() > MAX_TAG {
                return Err((self.broken)("a tag in it is longer than any program writes"));
            }
            if ended {
                break;
            }
        }
        let end = |b: &u8| b.is_ascii_whitespace();
        self.name = self.buffer.iter().position(end).unwrap_or(self.buffer.len());
        if self.name == self.buffer.len() && self.buffer.last() == Some(&b'/') && self.buffer.len() > 1 {
            self.name -= 1;
        }
        if self.name == 0 {
            return Err((self.broken)("a tag has no name"));
        }
        Ok(())
    }

    /// Comments are left out, marked texts are texts, document types are refused.
    fn declaration(&mut self) -> Result<Option<Event>> {
        let mut head = Vec::new();
        while head.len() < 8 {
            match self.peek()? {
                Some(byte) => {
                    self.input.consume(1);
                    head.push(byte);
                }
                None => return Err((self.broken)("it ends in the middle")),
            }
            if head == b"!--" {
                self.past(b"-->", false)?;
                return Ok(None);
            }
        }
        if head == b"![CDATA[" {
            self.buffer.clear();
            self.long = false;
            self.past(b"]]>", true)?;
            // Nothing in it means anything else than itself.
            let text = String::from_utf8_lossy(&self.buffer).replace('&', "&amp;");
            self.buffer = text.into_bytes();
            return Ok(Some(Event::Text));
        }
        Err((self.broken)(
            "it brings a document type with definitions of its own, as attacks do and no program that keeps collections does",
        ))
    }

    /// Goes past `end`, keeping what stands before it if asked.
    fn past(&mut self, end: &[u8], keep: bool) -> Result<()> {
        let mut last = [0u8; 3];
        let mut seen = 0usize;
        loop {
            let chunk = self.input.fill_buf().map_err(from_read)?;
            if chunk.is_empty() {
                return Err((self.broken)("it ends in the middle"));
            }
            let mut used = 0;
            let mut ended = false;
            for &byte in chunk {
                used += 1;
                seen += 1;
                last = [last[1], last[2], byte];
                if keep {
                    if self.buffer.len() < self.max_text {
                        self.buffer.push(byte);
                    } else {
                        self.long = true;
                    }
                }
                if seen >= end.len() && last.ends_with(end) {
                    ended = true;
                    break;
                }
            }
            self.input.consume(used);
            if ended {
                if keep && !self.long {
                    self.buffer.truncate(self.buffer.len() - end.len());
                }
                return Ok(());
            }
        }
    }
}

fn broken(what: &str) -> Error {
    Error::new(
        Code::Invalid,
        format!(
            "The inside of the workbook cannot be read: {what}. Open it in a spreadsheet program and save it again."
        ),
    )
}

/// The five entities and numbered letters. Anything else stays as it is written.
fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let letter = rest.find(';').filter(|end| *end <= 10).and_then(|end| {
            let letter = match &rest[1..end] {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "quot" => '"',
                "apos" => '\'',
                other => {
                    let number = other.strip_prefix('#')?;
                    let code = match number.strip_prefix(['x', 'X']) {
                        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                        None => number.parse().ok()?,
                    };
                    char::from_u32(code)?
                }
            };
            Some((letter, end))
        });
        match letter {
            Some((letter, end)) => {
                out.push(letter);
                rest = &rest[end + 1..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}
