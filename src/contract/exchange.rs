//! Imports and exports, as the composition root and the command line see them.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::kernel::access::{Caller, Level};
use crate::kernel::error::Result;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// A table with a header row.
    Csv,
    /// One JSON array of objects.
    Json,
    /// One JSON object per line.
    Jsonl,
    /// A workbook of Excel 2007 and later.
    Xlsx,
    /// An `OpenDocument` spreadsheet; comes in, does not go out.
    Ods,
    /// A Darwin Core Archive: a zip or tar.gz with a descriptor (`meta.xml`); comes in, does not go out.
    Dwca,
}

impl Format {
    /// Values are cells: texts of a table, whose kinds are found by looking at them.
    pub fn is_table(self) -> bool {
        matches!(self, Self::Csv | Self::Xlsx | Self::Ods | Self::Dwca)
    }
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Xlsx => "xlsx",
            Self::Ods => "ods",
            Self::Dwca => "dwca",
        }
    }
}

/// How a file is read, where what is found by looking at it is wrong or in doubt. What is not said is found out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// The encoding of a text file by its name on the web: `utf-8`, `utf-16le`, `utf-16be`, `windows-1252` (also Latin-1),
    /// `macintosh`, `shift_jis` and so on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// What stands between the cells of a CSV file: one ASCII character.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// What stands around cells that hold a delimiter or a line break.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<Quote>,
    /// The row that names the columns, counted from 1 as a spreadsheet shows it (in a CSV file: records, blank ones too);
    /// rows above it are left out. 0: no row does, the columns are called `column 1`, `column 2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_row: Option<u32>,
    /// The sheet of a workbook, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// The file inside a zip archive, by its whole name there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// The decimal sign of the file's numbers. Where it is said, cells of number fields are read by it (`1.234,5` with
    /// `,` is 1234.5); where it is not, only plain numbers with a point are numbers and all else stays text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimal: Option<Decimal>,
    /// The order of day, month and year. Where it is said, cells of date fields are read by it (`3.4.1921` with `dmy` is
    /// 1921-04-03); where it is not, only dates that begin with the year are dates and all else stays text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_order: Option<DateOrder>,
    /// Leave out columns that have no value in the whole file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub skip_empty_columns: bool,
}

/// Quotation marks of a CSV file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Quote {
    /// `"`, doubled inside.
    Double,
    /// `'`, doubled inside.
    Single,
    /// No cell is quoted; quotation marks are letters like others.
    None,
}

/// The sign before the fraction of a number; the other one may group thousands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Decimal {
    #[serde(rename = ".")]
    Point,
    #[serde(rename = ",")]
    Comma,
}

/// The order in which dates are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DateOrder {
    Ymd,
    Dmy,
    Mdy,
}

/// A fault of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RefusedRow {
    pub row: i64,
    pub line: i64,
    /// Path of the field; empty for the whole row.
    pub field: String,
    pub message: String,
    /// The beginning of what stands there.
    #[serde(default)]
    pub value: String,
}

/// A record that an import would change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ChangedRecord {
    pub id: String,
    pub title: String,
    /// Field by field.
    pub fields: Vec<ChangedField>,
}

/// What differs in a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ChangedField {
    /// What it is called, groups and places joined by dots.
    pub field: String,
    /// What it is called in languages that call it otherwise.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    #[schema(value_type = Object)]
    pub labels: serde_json::Map<String, serde_json::Value>,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// What an import did; the result of its job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ImportReport {
    #[serde(rename = "type")]
    pub type_name: String,
    /// The name of the file.
    pub file: String,
    /// Nothing was written: the counts say what would be.
    pub dry_run: bool,
    /// The type was made for this file.
    pub new_type: bool,
    /// Fields that were added to the type.
    pub new_fields: Vec<String>,
    /// The field by which rows were recognised; without one, by their place in the file.
    pub key: Option<String>,
    /// Who sees new records of the type.
    pub visibility: Level,
    pub rows: i64,
    pub created: i64,
    pub updated: i64,
    pub unchanged: i64,
    pub deleted: i64,
    pub refused: i64,
    /// Milliseconds the last run of the job took.
    pub duration_ms: i64,
    /// The change set.
    pub set_id: Option<String>,
    /// Where the ledger stands after it.
    pub position: Option<String>,
    /// The file itself, as a blob.
    pub blob: String,
    /// The blob of refused rows, as CSV; `GET /api/imports/{job}/report` answers it.
    pub report: Option<String>,
    /// Where that blob lies.
    pub report_path: Option<String>,
    /// The first of them.
    pub refusals: Vec<RefusedRow>,
    /// Of a dry run: the first records that would change.
    #[serde(default)]
    pub changes: Vec<ChangedRecord>,
    /// What else to know.
    pub notes: Vec<String>,
    /// Of a set of DINA Collections: its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
    /// The import of the set after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// The port of the module `exchange`.
#[async_trait]
pub trait Exchange: Send + Sync {
    /// Begins to load the sample collection, each part whose type is not there yet. Answers the jobs.
    async fn load_samples(&self) -> Result<Vec<String>>;
    /// Is there a sample that the caller may take away?
    async fn removable_samples(&self, caller: &Caller) -> Result<bool>;
    /// Takes the sample away, its collections with all that is in them. Collections of the same names that the sample did
    /// not make stay. Answers the jobs.
    async fn remove_samples(&self, caller: &Caller) -> Result<Vec<String>>;
}
