//! Records and types over HTTP: routes, bodies, and what all handlers share. Rules and permissions on single records
//! are the service's.

mod batch;
mod dates;
mod embargo;
pub mod labels;
mod list;
mod numbers;
mod records;
mod shapes;
mod similar;
mod together;
pub mod trees;
mod types;
mod unite;

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::labels::Labels;
use super::service::batch::Batches;
use super::service::{Because, Seen, Service};
use crate::contract::records::{RECORDS_DELETE, RECORDS_READ, RECORDS_WRITE, TYPES_READ, TYPES_WRITE};
use crate::kernel::access::{Caller, Level};
use crate::kernel::clock::rfc3339;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::{IfMatch, Json, RouteSet, Routes, Versioned, WithPosition};
use crate::kernel::ledger::Position;
use crate::kernel::search::Search;

/// What the handlers stand on.
#[derive(Clone)]
pub struct Api {
    pub service: Arc<Service>,
    pub batches: Batches,
    pub labels: Labels,
    /// For the addresses in schemas.
    pub public_url: Arc<str>,
    pub search: Search,
}

/// The JSON routes of the module.
pub fn routes(api: Api) -> Routes {
    RouteSet::new()
        .route(TYPES_READ, routes!(types::list))
        .route(TYPES_WRITE, routes!(types::create))
        .route(TYPES_READ, routes!(types::show))
        .route(TYPES_WRITE, routes!(types::replace))
        .route(TYPES_WRITE, routes!(types::remove))
        .route(TYPES_READ, routes!(types::schema))
        .route(TYPES_READ, routes!(shapes::as_text))
        .route(TYPES_READ, routes!(shapes::list_sets))
        .route(TYPES_WRITE, routes!(shapes::begin_set))
        .route(TYPES_WRITE, routes!(shapes::plan))
        .route(TYPES_WRITE, routes!(shapes::apply))
        .route(TYPES_WRITE, routes!(shapes::look_at_reshape))
        .route(TYPES_WRITE, routes!(shapes::reshape))
        .route(RECORDS_READ, routes!(trees::branch))
        .route(RECORDS_WRITE, routes!(trees::move_to))
        .route(RECORDS_READ, routes!(list::list))
        .route(RECORDS_WRITE, routes!(records::create))
        .route(RECORDS_WRITE, routes!(together::create))
        .route(RECORDS_READ, routes!(records::show))
        .route(RECORDS_READ, routes!(similar::similar))
        .route(RECORDS_READ, routes!(dates::read_date))
        .route(RECORDS_WRITE, routes!(records::replace))
        .route(RECORDS_WRITE, routes!(records::patch))
        .route(RECORDS_DELETE, routes!(records::remove))
        .route(RECORDS_DELETE, routes!(records::restore))
        .route(RECORDS_WRITE, routes!(records::source))
        .route(RECORDS_WRITE, routes!(embargo::list, embargo::put, embargo::remove))
        .route(RECORDS_WRITE, routes!(batch::create))
        .route(RECORDS_WRITE, routes!(batch::show, batch::forget))
        .route(RECORDS_WRITE, routes!(batch::decide))
        .route(RECORDS_WRITE, routes!(batch::run))
        .route(RECORDS_WRITE, routes!(batch::items))
        .route(RECORDS_WRITE, routes!(numbers::list, numbers::reserve))
        .route(RECORDS_WRITE, routes!(labels::begin))
        .route(RECORDS_WRITE, routes!(labels::show))
        .route(RECORDS_WRITE, routes!(labels::file))
        .route(RECORDS_WRITE, routes!(unite::twins))
        .route(RECORDS_DELETE, routes!(unite::unite))
        .with_state(api)
}

/// A record with the fields its reader may see.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RecordBody {
    pub id: String,
    #[serde(rename = "type")]
    pub type_name: String,
    /// Also the answer's ETag.
    pub version: i64,
    pub visibility: Level,
    /// RFC 3339
    pub created_at: String,
    /// RFC 3339
    pub updated_at: String,
    pub title: String,
    /// The fields, as `/api/types/{name}/schema` describes them.
    #[schema(value_type = Object)]
    pub document: Map<String, Value>,
    /// The imported file and the row in it, where it came from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceBody>,
}

/// Where a record was imported from.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SourceBody {
    /// The file's blob.
    pub blob: String,
    /// The row, from 1.
    pub row: i64,
}

impl From<Seen> for RecordBody {
    fn from(seen: Seen) -> Self {
        let title = seen.title();
        let record = seen.record;
        Self {
            id: record.id,
            type_name: record.type_name,
            version: record.version,
            visibility: record.visibility,
            created_at: rfc3339(record.created_at),
            updated_at: rfc3339(record.updated_at),
            title,
            document: record.document,
            source: record.source.map(|(blob, row)| SourceBody { blob, row }),
        }
    }
}

/// The keys of a change that has no body of its own.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Why {
    /// Why, in your words; kept in the ledger.
    reason: Option<String>,
}

/// Reasons are sentences.
const MAX_REASON: usize = 2_000;

fn because<'a>(caller: &'a Caller, reason: Option<&'a str>) -> Result<Because<'a>> {
    let reason = reason.unwrap_or_default().trim();
    if reason.len() > MAX_REASON || reason.contains('\0') {
        return Err(Error::invalid(
            "reason",
            format!("is a text of at most {MAX_REASON} bytes."),
        ));
    }
    Ok(Because {
        caller,
        reason,
        channel: "api",
    })
}

/// The version a change is based on; without it nobody can tell what would be overwritten.
fn based_on(version: IfMatch) -> Result<i64> {
    version.0.ok_or_else(|| {
        Error::new(
            Code::PreconditionRequired,
            "Say which version you changed: send the ETag you read in the header If-Match, such as If-Match: \"3\".",
        )
    })
}

/// What stands now, with its version as ETag and, where something was written, the place in the ledger.
fn written<T: Serialize>(position: Option<Position>, version: i64, body: T) -> Response {
    let answer = Versioned(version, Json(body));
    match position {
        Some(position) => WithPosition(position, answer).into_response(),
        None => answer.into_response(),
    }
}

fn emptied(position: Position) -> Response {
    WithPosition(position, StatusCode::NO_CONTENT).into_response()
}
