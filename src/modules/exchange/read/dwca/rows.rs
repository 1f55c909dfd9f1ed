//! The rows of one table of an archive: its files one after another, each row as the values of its terms.

use std::io::{BufRead, BufReader, Cursor, Read};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::super::archive::{Archive, Member, shown};
use super::super::csv::{Csv, Dialect, escape};
use super::super::notes::Notes;
use super::super::record::{CELLS_PER_ROW, Record};
use super::super::table::{Grid, text_of};
use super::super::{HEAD, issue, limit, memory, text};
use super::descriptor::{Table, last_part};
use crate::kernel::config::Import as Limits;
use crate::kernel::error::{Code, Error, FieldIssue, Result};

/// Values of one list.
const MAX_VALUES: usize = 10_000;

/// A row of a table.
pub(super) struct Row {
    pub line: i64,
    pub bytes: usize,
    /// The core's id, where the row has one.
    pub id: Option<String>,
    pub content: std::result::Result<Map<String, Value>, Vec<FieldIssue>>,
}

/// See the module's text.
pub(super) struct Rows {
    archive: Arc<Archive>,
    pub table: Table,
    members: std::vec::IntoIter<Member>,
    limits: Limits,
    notes: Notes,
    open: Option<Csv>,
    /// The encoding of the open file where it is not UTF-8.
    decoded: Option<String>,
    record: Record,
    width: usize,
}

impl Rows {
    /// # Errors
    /// `Invalid` where a file that the descriptor names is not in the archive.
    pub(super) fn open(
        archive: &Arc<Archive>,
        folder: &str,
        table: Table,
        limits: &Limits,
        notes: &Notes,
    ) -> Result<Self> {
        let mut members = Vec::new();
        for location in &table.locations {
            let name = location.trim_start_matches("./");
            let found = archive.find(&format!("{folder}{name}")).ok_or_else(|| {
                let words = format!(
                    "The archive's descriptor names the file \"{}\", which is not in the archive. Pack it again with all its files.",
                    shown(location)
                );
                Error::new(Code::Invalid, words)
            })?;
            members.push(found.clone());
        }
        Ok(Self {
            archive: archive.clone(),
            width: table.width(),
            table,
            members: members.into_iter(),
            limits: limits.clone(),
            notes: notes.clone(),
            open: None,
            decoded: None,
            record: Record::default(),
        })
    }

    /// The next row; `None` after the last one of the last file.
    pub(super) fn next(&mut self) -> Result<Option<Row>> {
        loop {
            let Some(grid) = &mut self.open else {
                let Some(member) = self.members.next() else {
                    return Ok(None);
                };
                self.begin(&member)?;
                continue;
            };
            // One more than is wanted: what stands beyond is nobody's.
            if !grid.read(&mut self.record, self.width + 1)? {
                self.open = None;
                continue;
            }
            if !self.record.blank(true) {
                return Ok(Some(self.row()));
            }
        }
    }

    fn begin(&mut self, member: &Member) -> Result<()> {
        let mut plain = self.archive.open_member(member, &self.limits)?;
        let mut head = Vec::new();
        plain
            .by_ref()
            .take(HEAD)
            .read_to_end(&mut head)
            .map_err(limit::from_read)?;
        let guess = match text::guess(&head, self.table.encoding.as_deref()) {
            Ok(guess) => guess,
            Err(_) => {
                self.notes.add("encoding-unknown", || {
                    format!(
                        "The descriptor says that \"{}\" is written in \"{}\", which is no encoding that is known. It is read as what it looks like.",
                        shown(&member.name),
                        self.table.encoding.clone().unwrap_or_default()
                    )
                });
                text::guess(&head, None)?
            }
        };
        // What a descriptor says is often copied from another one. A mark, or bytes that fit nothing else, say more.
        let encoding = guess.rather.unwrap_or(guess.encoding);
        if guess.rather.is_some() {
            self.notes.add("encoding-doubtful", || {
                format!(
                    "The descriptor says that \"{}\" is written in {}, but it is {}; so it is read.",
                    shown(&member.name),
                    guess.name(),
                    text::name(encoding)
                )
            });
        }
        let mark = encoding_rs::Encoding::for_bom(&head).map_or(0, |(_, mark)| mark);
        self.decoded = (encoding != encoding_rs::UTF_8).then(|| text::name(encoding));
        let sample = text::sample(&head[mark..], encoding);
        let dialect = Dialect {
            delimiter: self.table.delimiter,
            quote: self.table.quote,
            escape: escape(&sample, self.table.delimiter, self.table.quote),
        };
        let mut whole = Cursor::new(head);
        whole.set_position(mark as u64);
        let input: Box<dyn BufRead + Send> = Box::new(BufReader::with_capacity(
            64 * 1024,
            text::decoded(Box::new(whole.chain(plain)), encoding),
        ));
        let mut grid = Csv::new(input, dialect, memory(self.limits.max_cell_bytes), 1);
        for _ in 0..self.table.header_lines {
            if !grid.read(&mut self.record, 1)? {
                break;
            }
        }
        self.open = Some(grid);
        Ok(())
    }

    fn row(&self) -> Row {
        let id = self.table.id.and_then(|at| self.cell(at).ok().flatten());
        Row {
            line: self.record.line,
            bytes: self.record.bytes.len(),
            id,
            content: self.content(),
        }
    }

    fn content(&self) -> std::result::Result<Map<String, Value>, Vec<FieldIssue>> {
        let table = &self.table;
        if let Some(at) = self.record.long {
            let message = format!(
                "Longer than {} bytes, or at the end of a row {CELLS_PER_ROW} times as long (import.max_cell_bytes). Shorten it, or \
                 raise the limit.",
                self.limits.max_cell_bytes
            );
            let field = table.fields.iter().find(|field| field.index == Some(at));
            return Err(issue(field.map_or("", |field| &field.name), message));
        }
        if self.record.kept() < self.width {
            self.notes.add("short-rows", || {
                format!(
                    "Line {} of {} has {} columns, the descriptor names {}; what is missing is taken as empty.",
                    self.record.line,
                    last_part(&table.row_type),
                    self.record.kept(),
                    self.width
                )
            });
        }
        let mut map = Map::with_capacity(table.fields.len());
        for field in &table.fields {
            let said = match field.index {
                Some(at) => self.cell(at).map_err(|words| issue(&field.name, words))?,
                None => None,
            };
            let Some(value) = said.or_else(|| field.default.clone()) else {
                continue;
            };
            let value = match &field.between {
                None => Value::String(value),
                Some(between) => {
                    let items = value
                        .split(between.as_str())
                        .map(str::trim)
                        .filter(|item| !item.is_empty());
                    Value::Array(
                        items
                            .take(MAX_VALUES)
                            .map(|item| Value::String(item.to_owned()))
                            .collect(),
                    )
                }
            };
            map.insert(field.name.clone(), value);
        }
        Ok(map)
    }

    /// A cell; nothing where it is blank or says that there is nothing, as exports of databases do.
    fn cell(&self, at: usize) -> std::result::Result<Option<String>, String> {
        if at >= self.record.kept() {
            return Ok(None);
        }
        let text = text_of(self.record.cell(at), self.decoded.as_deref())?;
        let bare = text.trim();
        let nothing = bare.is_empty() || bare == "\\N" || bare.eq_ignore_ascii_case("null") || bare == "\\NULL";
        Ok((!nothing).then_some(text))
    }
}
