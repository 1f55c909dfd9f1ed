//! Numbers over HTTP: the schemes of a type with how far they are, and blocks set aside.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Api, because};
use crate::contract::records::Numbering;
use crate::kernel::access::Caller;
use crate::kernel::clock::rfc3339;
use crate::kernel::error::Result;
use crate::kernel::http::{Json, Path};
use crate::modules::records::service::numbers::{Reserved, Scheme};
use crate::modules::records::store::Block;

/// The fields of a type whose numbers are given.
#[derive(Debug, Serialize, ToSchema)]
pub struct SchemeList {
    items: Vec<SchemeBody>,
}

/// A scheme with how far it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct SchemeBody {
    field: String,
    scheme: Numbering,
    /// What is given next, unless it was taken by hand; missing where all are used up.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// What was given last, this year where it begins again with each.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<String>,
    /// How many are left, this year where it begins again with each.
    left: i64,
    /// Blocks that were set aside, the newest first; at most 100.
    blocks: Vec<BlockBody>,
}

/// Numbers set aside.
#[derive(Debug, Serialize, ToSchema)]
pub struct BlockBody {
    id: String,
    first: String,
    last: String,
    count: i64,
    /// Who, as the ledger names them.
    by: String,
    reason: String,
    /// RFC 3339
    created_at: String,
}

impl From<Block> for BlockBody {
    fn from(block: Block) -> Self {
        Self {
            count: block.last - block.first + 1,
            id: block.id,
            first: block.first_number,
            last: block.last_number,
            by: block.owner,
            reason: block.reason,
            created_at: rfc3339(block.created_at),
        }
    }
}

impl From<Scheme> for SchemeBody {
    fn from(scheme: Scheme) -> Self {
        Self {
            field: scheme.field,
            scheme: scheme.numbering,
            next: scheme.next,
            last: scheme.last,
            left: scheme.left,
            blocks: scheme.blocks.into_iter().map(BlockBody::from).collect(),
        }
    }
}

/// The schemes by which the numbers of a type are given, with what comes next. A scheme itself is a part of the type: `number`
/// of its field.
#[utoipa::path(
    get, path = "/api/types/{name}/numbers", tag = "types",
    params(("name" = String, Path, description = "The type's name")), responses((status = 200, body = SchemeList))
)]
pub async fn list(State(api): State<Api>, caller: Caller, Path(name): Path<String>) -> Result<Json<SchemeList>> {
    let schemes = api.service.number_schemes(&caller, &name).await?;
    Ok(Json(SchemeList {
        items: schemes.into_iter().map(SchemeBody::from).collect(),
    }))
}

/// A block to set aside.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reservation {
    /// The field whose numbers they are.
    field: String,
    /// 1 to 10,000.
    count: i64,
    /// What for; kept in the ledger.
    #[serde(default)]
    reason: String,
}

/// A block that was set aside.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReservedBody {
    block: BlockBody,
    /// Each of them.
    numbers: Vec<String>,
}

/// Sets the next numbers aside: nobody is given one of them, and whoever makes a record may write one by hand.
#[utoipa::path(
    post, path = "/api/types/{name}/numbers", tag = "types", request_body = Reservation,
    params(("name" = String, Path, description = "The type's name")),
    responses((status = 201, body = ReservedBody), (status = 409, description = "So many are not left"))
)]
pub async fn reserve(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
    Json(asked): Json<Reservation>,
) -> Result<impl IntoResponse> {
    let why = because(&caller, Some(&asked.reason))?;
    let Reserved { block, numbers } = api
        .service
        .reserve_numbers(&why, &name, &asked.field, asked.count)
        .await?;
    let block = BlockBody::from(block);
    Ok((StatusCode::CREATED, Json(ReservedBody { block, numbers })))
}
