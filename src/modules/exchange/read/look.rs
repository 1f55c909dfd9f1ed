//! A look at a file before anything is done with it: what it is, how it would be read, its first rows as read, and what
//! is in doubt. Reads no more than it needs.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Input, open};
use crate::contract::exchange::{DateOrder, Decimal, Format, Reading};
use crate::kernel::config::Import as Limits;
use crate::kernel::error::Result;

/// Rows that a look shows.
const ROWS: usize = 50;

/// What is seen.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Look {
    pub format: Format,
    /// How it was packed: `gzip`, `zip`, both joined by a comma; empty where it was not.
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
/// As [`open`]: what cannot be read at all, in plain words.
pub fn look(input: Input, name: &str, reading: &Reading, limits: &Limits) -> Result<Look> {
    let mut source = open(input, name, None, reading, limits)?;
    let mut look = Look {
        format: source.format,
        packed: Vec::new(),
        encoding: None,
        delimiter: None,
        header_row: None,
        sheets: Vec::new(),
        sheet: None,
        entries: Vec::new(),
        entry: None,
        choose: None,
        columns: Vec::new(),
        rows: Vec::new(),
        top: Vec::new(),
        warnings: Vec::new(),
        doubts: Vec::new(),
    };
    let mut names: Vec<String> = source.columns.clone().unwrap_or_default();
    let mut rows = Vec::new();
    for row in source.by_ref().take(ROWS) {
        let row = row?;
        if let Ok(content) = &row.content {
            for name in content.keys() {
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
        }
        rows.push(row);
    }
    look.rows = rows.iter().map(|row| shown(row, &names)).collect();
    look.columns = names
        .iter()
        .enumerate()
        .map(|(index, name)| Column {
            name: name.clone(),
            original: None,
            empty: look.rows.iter().all(|row| row.cells[index].is_none()),
        })
        .collect();
    Ok(look)
}

fn shown(row: &super::SourceRow, names: &[String]) -> Row {
    let cell = |name: &String| match row.content.as_ref().ok()?.get(name)? {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    Row {
        row: row.row,
        line: row.line,
        cells: names.iter().map(cell).collect(),
        issue: row
            .content
            .as_ref()
            .err()
            .and_then(|issues| issues.first())
            .map(|issue| issue.message.clone()),
    }
}
