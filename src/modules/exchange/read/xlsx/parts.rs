//! Parts of a workbook beside its cells: texts that cells share, formats, merged cells.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufWriter, Write};
use std::os::unix::fs::FileExt;

use super::super::limit::from_read;
use super::super::notes::Notes;
use super::super::serial::{Kind, built_in, of_code};
use super::super::xml::{Event, Xml};
use super::super::{Spool, memory};
use crate::kernel::config::Import as Limits;
use crate::kernel::error::{Code, Error, Result};

/// Shared texts up to this size are held in memory.
const IN_MEMORY: u64 = 32 * 1024 * 1024;
/// Shared texts of a workbook; each costs eight bytes of memory.
const MAX_STRINGS: usize = 10_000_000;
/// Formats of a workbook: its own limit is 64,000.
const MAX_STYLES: usize = 100_000;
/// Merged cells that are looked at.
const MAX_MERGED: usize = 100_000;
/// The last column and row that there can be.
const LAST_COLUMN: u32 = 16_383;
const LAST_ROW: u32 = 1_048_576;

/// Texts that cells refer to by number.
#[derive(Default)]
pub(super) struct Strings {
    text: Vec<u8>,
    file: Option<File>,
    /// Where each ends.
    ends: Vec<u64>,
}

impl Strings {
    /// A text; `None` where there is no such number.
    pub(super) fn get(&self, index: usize) -> Result<Option<String>> {
        let Some(end) = self.ends.get(index).copied() else {
            return Ok(None);
        };
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        let (from, length) = (memory(start), memory(end - start));
        let bytes = match &self.file {
            Some(file) => {
                let mut bytes = vec![0u8; length];
                file.read_exact_at(&mut bytes, start)?;
                bytes
            }
            None => self.text[from..from + length].to_vec(),
        };
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }
}

/// Reads the shared texts. A text that is too long keeps one byte more than it may have, so that its cells are refused.
pub(super) fn strings(input: impl BufRead, bytes: u64, spool: &Spool, limits: &Limits) -> Result<Strings> {
    let max_cell = memory(limits.max_cell_bytes).saturating_add(1);
    let mut xml = Xml::new(input, max_cell);
    let mut strings = Strings::default();
    let mut file = if bytes > IN_MEMORY {
        Some(BufWriter::new(spool.file()?))
    } else {
        None
    };
    let mut end = 0u64;
    loop {
        match xml.next()? {
            Event::Start if xml.name() == b"si" => {
                let text = rich_text(&mut xml, max_cell)?;
                end += text.len() as u64;
                match &mut file {
                    Some(file) => file.write_all(text.as_bytes())?,
                    None => strings.text.extend_from_slice(text.as_bytes()),
                }
                strings.ends.push(end);
                if strings.ends.len() > MAX_STRINGS {
                    let words = format!(
                        "The workbook has more than {MAX_STRINGS} different texts. Save the sheet as CSV and import that."
                    );
                    return Err(Error::new(Code::TooLarge, words));
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    strings.file = match file {
        Some(file) => Some(file.into_inner().map_err(|e| e.into_error())?),
        None => None,
    };
    Ok(strings)
}

/// The text of an element whose start has been read: its runs joined, without what only says how it is pronounced.
pub(super) fn rich_text<R: BufRead>(xml: &mut Xml<R>, most: usize) -> Result<String> {
    let (mut text, mut open, mut inside) = (String::new(), 1u32, 0u32);
    while open > 0 {
        match xml.next()? {
            Event::Start if xml.name() == b"rPh" => xml.skip()?,
            Event::Start => {
                open += 1;
                inside += u32::from(xml.name() == b"t" || inside > 0);
            }
            Event::End => {
                open -= 1;
                inside = inside.saturating_sub(1);
            }
            Event::Text if inside > 0 && text.len() < most => text.push_str(&xml.text()),
            Event::Text => {}
            Event::Eof => break,
        }
    }
    let mut text = letters(&text).unwrap_or(text);
    if text.len() > most {
        let end = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        // Too long whatever comes after, and it must stay so.
        text.truncate(end);
        while text.len() < most {
            text.push(' ');
        }
    }
    Ok(text)
}

/// `_x000D_` stands for the letter of that number.
pub(super) fn letters(text: &str) -> Option<String> {
    text.find("_x")?;
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let code = rest.get(2..6).filter(|_| rest.as_bytes().get(6) == Some(&b'_'));
        let letter = code
            .filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|code| u32::from_str_radix(code, 16).ok())
            .and_then(char::from_u32);
        match letter {
            Some(letter) => {
                out.push(letter);
                rest = &rest[7..];
            }
            None => {
                out.push_str("_x");
                rest = &rest[2..];
            }
        }
    }
    out.push_str(rest);
    Some(out)
}

/// What numbers mean, by style.
pub(super) fn styles(content: &[u8]) -> Result<Vec<Kind>> {
    let mut xml = Xml::new(content, 0);
    let mut formats: BTreeMap<u32, Kind> = BTreeMap::new();
    let (mut kinds, mut cells) = (Vec::new(), false);
    loop {
        match xml.next()? {
            Event::Start if xml.name() == b"numFmt" => {
                if let (Some(id), Some(code)) = (xml.number("numFmtId"), xml.attribute("formatCode")) {
                    formats.insert(id, of_code(&code));
                }
            }
            Event::Start if xml.name() == b"cellXfs" => cells = true,
            Event::End if xml.name() == b"cellXfs" => cells = false,
            Event::Start if cells && xml.name() == b"xf" => {
                let id = xml.number("numFmtId").unwrap_or(0);
                kinds.push(formats.get(&id).copied().unwrap_or_else(|| built_in(id)));
            }
            Event::Eof => return Ok(kinds),
            _ => {}
        }
        if kinds.len() > MAX_STYLES || formats.len() > MAX_STYLES {
            let words = "The workbook has more formats than any program writes. Save the sheet as CSV and import that.";
            return Err(Error::new(Code::TooLarge, words));
        }
    }
}

/// Column from 0 and row from 1 of `B7`.
pub(super) fn reference(text: &str) -> Option<(u32, u32)> {
    let mut column = 0u32;
    let mut rest = text.trim();
    rest = rest.strip_prefix('$').unwrap_or(rest);
    let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
    for letter in rest[..letters].bytes() {
        column = column
            .checked_mul(26)?
            .checked_add(u32::from(letter.to_ascii_uppercase() - b'A') + 1)?;
        if column > LAST_COLUMN + 1 {
            return None;
        }
    }
    let row = rest[letters..].trim_start_matches('$').parse().ok()?;
    (column > 0 && (1..=LAST_ROW).contains(&row)).then(|| (column - 1, row))
}

/// The name of a cell, such as `B7`.
pub(in super::super) fn cell_name(column: u32, row: i64) -> String {
    let mut letters = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        letters.push(char::from(b'A' + ((rest - 1) % 26) as u8));
        rest = (rest - 1) / 26;
    }
    format!("{}{row}", letters.iter().rev().collect::<String>())
}

/// Merged cells of more than one row: column and last row by first row.
pub(super) type Merged = BTreeMap<i64, Vec<(u32, i64)>>;

/// Finds them at the end of a sheet, behind its cells.
pub(super) fn merged(mut input: impl BufRead, notes: &Notes) -> Result<Merged> {
    let mut found = Merged::new();
    if !past(&mut input, b"mergeCells")? {
        return Ok(found);
    }
    // What follows is the rest of an element: it ends as it should, and what comes after it is of no interest.
    let mut xml = Xml::new(std::io::Read::chain(&b"<rest"[..], input), 0);
    let mut count = 0;
    while let Ok(event) = xml.next() {
        match event {
            Event::Start if xml.name() == b"mergeCell" => {
                let Some(range) = xml.attribute("ref") else { continue };
                let Some((first, last)) = range.split_once(':') else {
                    continue;
                };
                let (Some(first), Some(last)) = (reference(first), reference(last)) else {
                    continue;
                };
                if last.1 > first.1 {
                    found.entry(first.1.into()).or_default().push((first.0, last.1.into()));
                    count += 1;
                }
                if count > MAX_MERGED {
                    notes.add("merged-cells", || {
                        format!(
                            "The sheet has more than {MAX_MERGED} merged cells; those after them are read as they stand: the value in \
                             the first row, nothing below."
                        )
                    });
                    break;
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    Ok(found)
}

/// Goes past a word; false at the end.
fn past(input: &mut impl BufRead, word: &[u8]) -> Result<bool> {
    let mut carry: Vec<u8> = Vec::new();
    loop {
        let chunk = input.fill_buf().map_err(from_read)?;
        if chunk.is_empty() {
            return Ok(false);
        }
        let kept = carry.len();
        carry.extend_from_slice(chunk);
        let found = find(&carry, word);
        let used = match found {
            Some(at) => at + word.len() - kept,
            None => chunk.len(),
        };
        input.consume(used);
        if found.is_some() {
            return Ok(true);
        }
        let keep = carry.len().saturating_sub(word.len() - 1);
        carry.drain(..keep);
    }
}

fn find(hay: &[u8], word: &[u8]) -> Option<usize> {
    let last = *word.last()?;
    let mut from = word.len() - 1;
    while let Some(at) = hay.get(from..)?.iter().position(|b| *b == last) {
        let end = from + at + 1;
        if hay[..end].ends_with(word) {
            return Some(end - word.len());
        }
        from = end;
    }
    None
}
