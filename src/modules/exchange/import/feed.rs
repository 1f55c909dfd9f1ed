//! The reading side of an import, on a thread of its own: rows become documents ahead of the writer, through a channel
//! that holds a bounded number of bytes.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use serde_json::{Map, Value};
use tokio::sync::mpsc;

use super::linked::Rows;
use super::seen::Seen;

use crate::contract::exchange::{Format, Reading};
use crate::contract::records::{Inference, RecordType};
use crate::kernel::config::Import as Limits;
use crate::kernel::error::{Code, Error, FieldIssue, Result};
use crate::modules::exchange::interpret;
use crate::modules::exchange::marks::of_the_file;
use crate::modules::exchange::read::dwca::taxa;
use crate::modules::exchange::read::{self, Input, Source};
use crate::modules::exchange::recast::{Found, Recast};
use crate::modules::exchange::shape::{self, Shaped, Understanding};

/// Rows and bytes of a chunk; a few chunks are read ahead.
const CHUNK_ROWS: usize = 64;
const CHUNK_BYTES: usize = 512 * 1024;
const AHEAD: usize = 8;

const NO_ROWS: &str = "The file has no rows. Check that it was written to the end.";

/// A row on its way to the writer.
pub struct Prepared {
    pub row: i64,
    pub line: i64,
    pub bytes: usize,
    pub content: std::result::Result<Shaped, Faulty>,
}

/// A row that is refused before anybody writes: why, and what it says as far as it could be read.
pub struct Faulty {
    pub issues: Vec<FieldIssue>,
    pub document: Map<String, Value>,
}

/// Rows, and how far in the file they end.
#[derive(Default)]
pub struct Chunk {
    pub rows: Vec<Prepared>,
    pub at: u64,
}

pub enum Message {
    Rows(Chunk),
    End(Box<Seen>),
}

/// A file and how to read it.
pub struct File {
    pub input: Input,
    pub name: String,
    pub format: Option<Format>,
    pub reading: Reading,
    pub limits: Limits,
    pub missing: Vec<String>,
    /// Columns that are passed over.
    pub left_out: Vec<String>,
    /// What makes its rows over.
    pub recast: Option<Recast>,
}

impl File {
    /// Opens it, with how its rows are to be understood.
    pub fn open(self) -> Result<(Source, Understanding)> {
        let name = self.name.clone();
        let (source, understanding, _) = self.made_over().map_err(|e| named(&name, &e))?;
        Ok((source, understanding))
    }

    /// The same, with what the making over finds out; errors do not name the file yet.
    fn made_over(self) -> Result<(Source, Understanding, Found)> {
        let source = read::open(self.input, &self.name, self.format, &self.reading, &self.limits)?;
        let understanding = understanding(&source, &self.reading, self.missing);
        let found = Found::default();
        Ok(match self.recast {
            Some(recast) => {
                let (source, understanding) = recast.over(source, understanding, found.clone())?;
                (source, understanding, found)
            }
            None => (source, understanding, found),
        })
    }
}

fn understanding(source: &Source, reading: &Reading, missing: Vec<String>) -> Understanding {
    Understanding {
        cells: source.format.is_table(),
        // Cells of workbooks say themselves that they are no formulas.
        guarded: source.ours && source.format == Format::Csv,
        missing,
        decimal: reading.decimal,
        date_order: reading.date_order,
    }
}

/// An error with the file's name before it.
fn named(name: &str, error: &Error) -> Error {
    if error.code() == Code::Internal {
        let cause = error.source().map_or_else(String::new, |source| format!("{source:#}"));
        return Error::internal(anyhow::anyhow!("reading {name}: {cause}"));
    }
    Error::new(error.code(), format!("{name}: {}", error.detail()))
}

/// The names of the columns, or of the first row's fields.
pub fn names(file: File) -> Result<Vec<String>> {
    let (name, skip_empty) = (file.name.clone(), file.reading.skip_empty_columns);
    let (mut source, reading) = file.open()?;
    let first = source.next();
    if let Some(columns) = source.columns.take() {
        match first {
            None => return Err(no_rows(&name)),
            Some(row) => row.map_err(|e| named(&name, &e))?,
        };
        if skip_empty {
            // Only the whole file says which columns have no value.
            source
                .try_for_each(|row| row.map(|_| ()))
                .map_err(|e| named(&name, &e))?;
        }
        return Ok(columns.names());
    }
    match first {
        None => Err(no_rows(&name)),
        Some(Err(error)) => Err(named(&name, &error)),
        Some(Ok(row)) => Ok(row
            .content
            .map(|row| reading.plain(row).document.keys().cloned().collect())
            .unwrap_or_default()),
    }
}

fn no_rows(name: &str) -> Error {
    Error::new(Code::Invalid, format!("{name}: {NO_ROWS}"))
}

/// Reads the whole file to find out which type fits it. `go_on` hears how far it is and says whether to go on.
pub fn infer(
    file: File,
    start: impl Fn(bool) -> Box<dyn Inference>,
    mut go_on: impl FnMut(u64) -> bool,
) -> Result<RecordType> {
    let (name, said) = (file.name.clone(), file.reading.clone());
    let (mut source, reading) = file.open()?;
    let mut inference = start(reading.cells);
    // Beside what stands there, what it is when it is read as was said.
    let said_something = said.decimal.is_some() || said.date_order.is_some();
    let mut interpreted = (reading.cells && said_something).then(|| start(true));
    let read = source.read.clone();
    let (mut good, mut first) = (0u64, None);
    for row in source.by_ref() {
        let row = row.map_err(|e| named(&name, &e))?;
        if row.row % 1_000 == 0 && !go_on(read.load(Ordering::Relaxed)) {
            return Err(Error::new(Code::Unavailable, "The job was stopped."));
        }
        match row.content {
            Ok(content) => {
                good += 1;
                let document = reading.plain(content).document;
                if let Some(interpreted) = &mut interpreted {
                    interpreted.observe(&interpret::row(&document, &said));
                }
                inference.observe(&document);
            }
            Err(issues) => first = first.or(issues.into_iter().next().map(|issue| (row.line, issue))),
        }
    }
    if let Some(columns) = source.columns.take() {
        // Columns without a single value are columns all the same.
        inference.name(&of_the_file(columns.names()));
    }
    match (good, first) {
        (0, None) => Err(no_rows(&name)),
        (0, Some((line, issue))) => Err(Error::new(
            Code::Invalid,
            format!(
                "{name}: Not one row can be read. The first fault is in line {line}: {}",
                issue.message
            ),
        )),
        _ => {
            let mut definition = match interpreted {
                Some(interpreted) => shape::read_kinds(inference.finish(), &interpreted.finish()),
                None => inference.finish(),
            };
            let (core, id) = (source.about.0.as_deref(), source.about.1.as_deref());
            taxa::as_tree(&mut definition, core, id);
            Ok(definition)
        }
    }
}

/// Starts to read rows after `skip` as documents of a type; earlier ones are only remembered.
pub fn start(
    file: File,
    (definition, linked): (Arc<RecordType>, Arc<Rows>),
    key: Option<String>,
    skip: i64,
) -> mpsc::Receiver<Result<Message>> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        let name = file.name.clone();
        let outcome = feed(file, (&definition, &linked), key.as_deref(), skip, &sender);
        if let Err(error) = outcome {
            // A writer that has gone needs no answer.
            let _ = sender.blocking_send(Err(named(&name, &error)));
        }
    });
    receiver
}

fn feed(
    file: File,
    (definition, linked): (&RecordType, &Rows),
    key: Option<&str>,
    skip: i64,
    to: &mpsc::Sender<Result<Message>>,
) -> Result<()> {
    let left_out: HashSet<String> = file.left_out.iter().cloned().collect();
    // A set may be empty; a file that somebody chose by itself is not.
    let may_be_empty = file.recast.as_ref().is_some_and(Recast::may_be_empty);
    let mut seen = Seen::new(&file.input.spool);
    let (source, reading, found) = file.made_over()?;
    let notes = source.notes.clone();
    let read = source.read.clone();
    let mut chunk = Chunk::default();
    let mut bytes = 0;
    for row in source {
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                // What stands before the fault is read.
                if !chunk.rows.is_empty() && to.blocking_send(Ok(Message::Rows(chunk))).is_err() {
                    return Ok(());
                }
                return Err(error);
            }
        };
        seen.rows = row.row;
        seen.nameless += i64::from(row.content.is_err());
        let content = match row.content {
            Ok(content) => {
                let shaped = reading.shape(definition, without(content, &left_out));
                let again = seen.note(row.row, key, &shaped)?;
                match again.or_else(|| linked.astray.get(&row.row).cloned()) {
                    Some(issue) => Err(Faulty {
                        issues: vec![issue],
                        document: shaped.document,
                    }),
                    None => Ok(shaped),
                }
            }
            Err(issues) => Err(Faulty {
                issues,
                document: Map::new(),
            }),
        };
        if row.row <= skip {
            continue;
        }
        bytes += row.bytes;
        chunk.rows.push(Prepared {
            row: row.row,
            line: row.line,
            bytes: row.bytes,
            content,
        });
        if chunk.rows.len() >= CHUNK_ROWS || bytes >= CHUNK_BYTES {
            chunk.at = read.load(Ordering::Relaxed);
            bytes = 0;
            if to.blocking_send(Ok(Message::Rows(std::mem::take(&mut chunk)))).is_err() {
                return Ok(());
            }
        }
    }
    if seen.rows == 0 && !may_be_empty {
        return Err(Error::new(Code::Invalid, NO_ROWS));
    }
    seen.notes = notes.list().into_iter().map(|note| note.message).collect();
    seen.notes
        .extend(found.lock().unwrap_or_else(PoisonError::into_inner).lines());
    chunk.at = read.load(Ordering::Relaxed);
    if to.blocking_send(Ok(Message::Rows(chunk))).is_ok() {
        // A writer that has gone needs no end.
        let _ = to.blocking_send(Ok(Message::End(Box::new(seen))));
    }
    Ok(())
}

/// The row without the columns that are left out.
pub(super) fn without(mut row: Map<String, Value>, left_out: &HashSet<String>) -> Map<String, Value> {
    if !left_out.is_empty() {
        row.retain(|name, _| !left_out.contains(name));
    }
    row
}

pub(super) fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
