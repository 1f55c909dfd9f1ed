//! What an import is asked to do, and what its refusals look like. No I/O.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::dina::Step;
use super::mapping::Mapping;
use crate::contract::exchange::{Format, Reading};
use crate::contract::records::RecordType;
use crate::kernel::access::Level;
use crate::kernel::error::FieldIssue;

/// The kind of the job; stored.
pub const IMPORT: &str = "exchange.import";
/// Characters of a refused value that a report shows.
const EXCERPT: usize = 200;

/// How to import.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    #[serde(rename = "type")]
    pub type_name: String,
    #[serde(default)]
    pub key: Option<String>,
    #[serde(default)]
    pub infer: bool,
    #[serde(default)]
    pub dry_run: bool,
    #[serde(default)]
    pub delete_missing: bool,
    #[serde(default)]
    pub format: Option<Format>,
    /// Who sees the records of a type that is made for the file.
    #[serde(default)]
    pub visibility: Option<Level>,
    #[serde(default)]
    pub missing: Vec<String>,
    /// Why; kept with the change set.
    #[serde(default)]
    pub reason: String,
    /// How the file is read, where it was said.
    #[serde(default)]
    pub reading: Reading,
    /// The type as somebody has corrected it, instead of one that is inferred. A type that exists only takes the fields
    /// it lacks from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<Box<RecordType>>,
    /// Columns that are not imported.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// It is a set of DINA Collections, with the others that came along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dina: Option<Step>,
    /// Which column goes into which field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<Box<Mapping>>,
}

/// The payload of the job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Import {
    /// The file's blob, its size and its name.
    pub blob: String,
    pub bytes: u64,
    pub name: String,
    pub options: Options,
}

/// One thing that is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Refusal {
    pub row: i64,
    pub part: i64,
    pub line: i64,
    pub field: String,
    pub message: String,
    pub value: String,
}

/// The refusals of a row, with what stands in each field.
pub fn refusals(row: i64, line: i64, issues: &[FieldIssue], document: &Map<String, Value>) -> Vec<Refusal> {
    let refusal = |(part, issue): (usize, &FieldIssue)| Refusal {
        row,
        part: part as i64,
        line,
        field: issue.path.clone(),
        message: issue.message.clone(),
        value: find(document, &issue.path).map(excerpt).unwrap_or_default(),
    };
    issues.iter().enumerate().map(refusal).collect()
}

/// The value at a dotted path whose names may themselves hold dots.
fn find<'d>(map: &'d Map<String, Value>, path: &str) -> Option<&'d Value> {
    if let Some(value) = map.get(path) {
        return Some(value);
    }
    map.iter()
        .find_map(|(name, value)| within(value, path.strip_prefix(name.as_str())?.strip_prefix('.')?))
}

fn within<'d>(value: &'d Value, path: &str) -> Option<&'d Value> {
    match value {
        Value::Object(map) => find(map, path),
        Value::Array(items) => {
            let (index, rest) = path
                .split_once('.')
                .map_or((path, None), |(index, rest)| (index, Some(rest)));
            let item = items.get(index.parse::<usize>().ok()?)?;
            rest.map_or(Some(item), |rest| within(item, rest))
        }
        _ => None,
    }
}

fn excerpt(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut shown: String = text.chars().filter(|c| *c != '\0').take(EXCERPT).collect();
    if text.chars().nth(EXCERPT).is_some() {
        shown.push('…');
    }
    shown
}
