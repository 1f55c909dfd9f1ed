//! A look at a file before anything is done with it: what it is, how it would be read, its first rows as read, and what
//! is in doubt. Reads no more than it needs.

use std::collections::HashSet;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Input, Notes, Opened, Rows, SourceRow, doubts};
use crate::contract::exchange::{DateOrder, Decimal, Format, Reading};
use crate::kernel::config::Import as Limits;
use crate::kernel::error::Result;

/// Rows that a look shows, and characters of a value.
const ROWS: usize = 50;
const CHARACTERS: usize = 300;
/// Rows, and their bytes, that are read to find doubts.
const SAMPLE: usize = 1_000;
const SAMPLE_BYTES: usize = 4 * 1024 * 1024;
/// So many empty columns are worth a word.
const MANY_EMPTY: usize = 5;
/// The warning that a word among numbers seems to mean "no value".
pub const MISSING_LIKELY: &str = "missing-likely";
/// Columns that a word about them names.
const NAMED: usize = 5;

/// What is seen.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Look {
    pub format: Format,
    /// How it was packed, from the outside in: `gzip`, `zip`, `tar`; empty where it was not.
    pub packed: Vec<String>,
    /// Encoding of a text file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// What stands between the cells of a CSV file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// The row that names the columns, as [`Reading::header_row`] counts; `None` for JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_row: Option<u32>,
    /// Sheets of a workbook, in its order.
    pub sheets: Vec<Sheet>,
    /// The sheet that is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// Files in a zip archive that could be read.
    pub entries: Vec<Entry>,
    /// The one that is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// The name that a type for this file may have, where the file says what its rows are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggested_type: Option<String>,
    /// The field by which its rows are told apart, where the file says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggested_key: Option<String>,
    /// What has to be said before anything can be read: `entry` where an archive holds several files. Then there are no
    /// columns and rows yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choose: Option<String>,
    pub columns: Vec<Column>,
    /// The first rows, as they would be imported.
    pub rows: Vec<Row>,
    /// The first rows of a table as they stand in the file, also those above the header: to choose the header from.
    pub top: Vec<Vec<String>>,
    /// What to know, each with what to do about it.
    pub warnings: Vec<Warning>,
    /// What a person has to decide.
    pub doubts: Vec<Doubt>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Encoding {
    /// Its name on the web, as [`Reading::encoding`] takes it.
    pub name: String,
    /// It was said, a mark at the beginning of the file says it, or every byte fits and no other does.
    pub certain: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Sheet {
    pub name: String,
    /// Rows and columns as the workbook says; `None` where it does not.
    pub rows: Option<u64>,
    pub columns: Option<u64>,
    pub hidden: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Entry {
    pub name: String,
    /// Unpacked.
    pub bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Column {
    /// The name it has here, unique.
    pub name: String,
    /// The name in the file, where it is another: it stood twice, was empty or had spaces around it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original: Option<String>,
    /// No row that was looked at has a value in it.
    pub empty: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Row {
    /// From 1; the header is not a row.
    pub row: i64,
    /// The line it starts in, or the row of the sheet.
    pub line: i64,
    /// One for each column; `None` where there is no value. Lists and groups as JSON.
    pub cells: Vec<Option<String>>,
    /// Why it would be refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issue: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Warning {
    /// Stable, for programs: `columns-renamed`, `header-guessed`, `merged-cells` and so on.
    pub code: String,
    /// For people, with the next step.
    pub message: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Doubt {
    pub what: DoubtKind,
    /// Columns it is about.
    pub columns: Vec<String>,
    /// Values that could be read in more than one way, or not at all as it stands.
    pub examples: Vec<String>,
    /// What most of the sample says, where it says anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimal: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_order: Option<DateOrder>,
    /// In words.
    pub message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DoubtKind {
    /// [`Reading::decimal`].
    Decimal,
    /// [`Reading::date_order`].
    DateOrder,
}

/// Looks at a file.
///
/// # Errors
/// As [`super::open`]: what cannot be read at all, in plain words. An archive of several files is no error but a choice.
pub fn look(input: Input, name: &str, reading: &Reading, limits: &Limits) -> Result<Look> {
    let opened = Opened::new(input, name, None, reading, limits, true)?;
    let mut look = Look {
        format: opened.format,
        packed: opened.packed,
        encoding: opened.encoding,
        delimiter: opened.dialect.map(|d| char::from(d.delimiter)),
        header_row: None,
        sheets: opened.sheets,
        sheet: opened.sheet,
        entries: opened.entries,
        entry: opened.entry,
        suggested_type: opened.suggested,
        suggested_key: opened.key,
        choose: None,
        columns: Vec::new(),
        rows: Vec::new(),
        top: Vec::new(),
        warnings: Vec::new(),
        doubts: Vec::new(),
    };
    let notes = opened.notes;
    match opened.rows {
        Rows::None => look.choose = Some("entry".to_owned()),
        Rows::Table(mut table) => {
            look.header_row = u32::try_from(table.header_row).ok();
            look.top = std::mem::take(&mut table.top);
            let columns = table.columns.clone();
            look.columns = columns.all.to_vec();
            let rows = read(*table, &notes);
            for (index, column) in look.columns.iter_mut().enumerate() {
                column.empty = !columns.is_used(index);
            }
            if reading.skip_empty_columns {
                look.columns.retain(|column| !column.empty);
            } else {
                tell_empty(&look.columns, &notes);
            }
            // A column beside the header, and one without a name that has no value, is none until it has one.
            let nameless = |c: &Column| c.original.as_deref().is_some_and(|o| o.trim().is_empty());
            look.columns.retain(|column| !column.empty || !nameless(column));
            look.sample(&rows, reading, true);
            look.tell_unknown(&rows, &notes);
            look.tell_undivided(&rows, &notes);
        }
        Rows::Json(source) => {
            let rows = read(source, &notes);
            if look.format != Format::Dwca {
                tell_wrapped(&rows, &notes);
            }
            look.sample(&rows, reading, false);
        }
    }
    look.warnings = notes.list();
    Ok(look)
}

/// The first rows; a fault of the file further down is a warning, for what stands before it can be looked at.
fn read(source: impl Iterator<Item = Result<SourceRow>>, notes: &Notes) -> Vec<SourceRow> {
    let mut rows = Vec::new();
    let mut bytes = 0;
    for row in source.take(SAMPLE) {
        match row {
            Ok(row) => {
                bytes += row.bytes;
                rows.push(row);
            }
            Err(error) => {
                notes.add("broken", || error.detail().to_owned());
                break;
            }
        }
        if bytes > SAMPLE_BYTES {
            break;
        }
    }
    rows
}

fn tell_empty(columns: &[Column], notes: &Notes) {
    let empty = columns.iter().filter(|column| column.empty).count();
    if empty >= MANY_EMPTY {
        notes.add("columns-empty", || {
            format!(
                "{empty} of {} columns have no value in the first rows. Those that have none in the whole file can be left out \
                 (skip_empty_columns).",
                columns.len()
            )
        });
    }
}

/// One object with the rows in it.
fn tell_wrapped(rows: &[SourceRow], notes: &Notes) {
    let [row] = rows else { return };
    let Ok(content) = &row.content else { return };
    let inside = content.iter().find_map(|(name, value)| {
        let items = value.as_array().filter(|items| items.len() > 1)?;
        items.iter().all(Value::is_object).then_some((name, items.len()))
    });
    if let Some((name, count)) = inside {
        notes.add("rows-inside", || {
            format!(
                "The file is one object, so it becomes one record. \"{name}\" in it is a list of {count}: if those are the records, \
                 write that list into a file of its own and import it."
            )
        });
    }
}

impl Look {
    /// Everything in one column, and a sign that divides each row alike.
    fn tell_undivided(&self, rows: &[SourceRow], notes: &Notes) {
        let [column] = self.columns.as_slice() else { return };
        let header = column.original.as_ref().unwrap_or(&column.name);
        let often = |text: &str, sign: char| text.chars().filter(|c| *c == sign).count();
        let names = [column.name.clone()];
        let cells = cells_of(rows, &names);
        let alike = |sign: &char| {
            let wanted = often(header, *sign);
            let fit = |row: &&Vec<Option<String>>| row[0].as_deref().is_some_and(|text| often(text, *sign) == wanted);
            !cells.is_empty() && cells.iter().filter(fit).count() * 10 >= cells.len() * 9
        };
        let sign = |c: &char| !c.is_alphanumeric() && !c.is_whitespace() && !"._-'\"()".contains(*c);
        if let Some(sign) = header.chars().filter(sign).find(alike) {
            notes.add("delimiter-doubtful", || {
                format!(
                    "Everything stands in one column. \"{sign}\" stands in each row as often as in the header: if it divides the \
                     cells, say so (delimiter)."
                )
            });
        }
    }

    fn tell_unknown(&self, rows: &[SourceRow], notes: &Notes) {
        let names: Vec<String> = self.columns.iter().map(|c| c.name.clone()).collect();
        if let Some((word, columns)) = doubts::unknown(&names, &cells_of(rows, &names)) {
            let first: Vec<&str> = columns.iter().take(NAMED).map(String::as_str).collect();
            let more = columns.len().saturating_sub(NAMED);
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            notes.add(MISSING_LIKELY, || {
                format!(
                    "\"{word}\" stands among the numbers of {}{more}. If it means that there is no value, say so (missing), \
                     and they become numbers.",
                    first.join(", ")
                )
            });
        }
    }

    fn sample(&mut self, rows: &[SourceRow], reading: &Reading, table: bool) {
        let mut known: HashSet<String> = self.columns.iter().map(|c| c.name.clone()).collect();
        for name in rows
            .iter()
            .filter_map(|row| row.content.as_ref().ok())
            .flat_map(|c| c.keys())
        {
            if known.insert(name.clone()) {
                self.columns.push(Column {
                    name: name.clone(),
                    original: None,
                    empty: false,
                });
            }
        }
        let names: Vec<String> = self.columns.iter().map(|c| c.name.clone()).collect();
        self.rows = rows.iter().take(ROWS).map(|row| shown(row, &names)).collect();
        if table {
            self.doubts = doubts::find(&names, &cells_of(rows, &names), reading);
        }
    }
}

/// The cells of the rows that could be read.
fn cells_of(rows: &[SourceRow], names: &[String]) -> Vec<Vec<Option<String>>> {
    let cells = |row: &SourceRow| -> Option<Vec<Option<String>>> {
        let content = row.content.as_ref().ok()?;
        let text = |name: &String| content.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(names.iter().map(text).collect())
    };
    rows.iter().filter_map(cells).collect()
}

fn shown(row: &SourceRow, names: &[String]) -> Row {
    let cell = |name: &String| match row.content.as_ref().ok()?.get(name)? {
        Value::Null => None,
        Value::String(text) => Some(short(text)),
        other => Some(short(&other.to_string())),
    };
    let issue = row.content.as_ref().err().and_then(|issues| issues.first());
    Row {
        row: row.row,
        line: row.line,
        cells: names.iter().map(cell).collect(),
        issue: issue.map(|issue| match issue.path.as_str() {
            "" => issue.message.clone(),
            path => format!("{path}: {}", issue.message),
        }),
    }
}

/// A value as a look shows it.
fn short(text: &str) -> String {
    match text.char_indices().nth(CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
