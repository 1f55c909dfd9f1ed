//! Several records over HTTP in one request: all of them are made, or none.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{Api, RecordBody, because};
use crate::kernel::access::{Caller, Level};
use crate::kernel::error::Result;
use crate::kernel::http::{Json, WithPosition};
use crate::modules::records::service::{NewRecord, Together};

/// Records to make as one: in one transaction, with one entry in the history.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateTogether {
    /// 1 to 100, in the order in which they are made.
    records: Vec<OneOfThem>,
    /// Why, in your words; kept in the ledger.
    reason: Option<String>,
}

/// One of the records.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OneOfThem {
    /// What the records after it call it: a link of theirs may say `#` and this name.
    #[serde(default)]
    name: String,
    #[serde(rename = "type")]
    type_name: String,
    /// The type's, where it is left out.
    visibility: Option<Level>,
    #[schema(value_type = Object)]
    document: Map<String, Value>,
}

/// What was made, in the order of the request.
#[derive(Debug, Serialize, ToSchema)]
pub struct MadeTogether {
    records: Vec<RecordBody>,
}

/// Makes several records that belong together, such as a specimen with its objects: all of them, or none. A link leads to a
/// record before it by `#` and its name.
#[utoipa::path(
    post, path = "/api/records/together", tag = "records", request_body = CreateTogether,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key gives the same answer again for a day")),
    responses((status = 201, body = MadeTogether, description = "All of them are made"))
)]
pub async fn create(State(api): State<Api>, caller: Caller, Json(body): Json<CreateTogether>) -> Result<Response> {
    let why = because(&caller, body.reason.as_deref())?;
    let all: Vec<Together> = body
        .records
        .into_iter()
        .map(|one| Together {
            name: one.name,
            new: NewRecord {
                type_name: one.type_name,
                visibility: one.visibility,
                document: one.document,
            },
        })
        .collect();
    let made = api.service.create_together(&why, &all).await?;
    let position = made.iter().filter_map(|done| done.position).next_back();
    let records = made.into_iter().map(|done| RecordBody::from(done.seen)).collect();
    let answer = (StatusCode::CREATED, Json(MadeTogether { records }));
    Ok(match position {
        Some(position) => WithPosition(position, answer).into_response(),
        None => answer.into_response(),
    })
}
