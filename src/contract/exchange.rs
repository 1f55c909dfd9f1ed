//! Imports and exports, as the composition root and the command line see them.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::kernel::access::Level;
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
}

/// A fault of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RefusedRow {
    pub row: i64,
    pub line: i64,
    /// Path of the field; empty for the whole row.
    pub field: String,
    pub message: String,
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
    /// What else to know.
    pub notes: Vec<String>,
}

/// The port of the module `exchange`.
#[async_trait]
pub trait Exchange: Send + Sync {
    /// Begins to load the sample collection, each part whose type is not there yet. Answers the jobs.
    async fn load_samples(&self) -> Result<Vec<String>>;
}
