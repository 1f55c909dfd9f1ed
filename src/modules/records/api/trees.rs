//! Trees over HTTP: what hangs where, and hanging it elsewhere.

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Api, RecordBody, based_on, because, written};
use crate::kernel::access::{Caller, Level};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::{IfMatch, Json, Path, Query};
use crate::modules::records::service::trees::{Step, Twig};
use crate::modules::records::store::Place;

const MAX_LIMIT: i64 = 200;

/// Which part of a tree.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct BranchQuery {
    /// The id of the record below which; the top without it.
    under: Option<String>,
    /// At most this many, 1 to 200; 50 without it.
    limit: Option<i64>,
    /// From `next` of the page before.
    cursor: Option<String>,
}

/// What hangs below a record of a tree, or at its top.
#[derive(Debug, Serialize, ToSchema)]
pub struct BranchBody {
    /// The way to the record from the top down, the record itself last; empty at the top.
    pub path: Vec<StepBody>,
    pub items: Vec<TwigBody>,
    /// Send it as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A record on a way.
#[derive(Debug, Serialize, ToSchema)]
pub struct StepBody {
    pub id: String,
    pub title: String,
}

/// A record that hangs there.
#[derive(Debug, Serialize, ToSchema)]
pub struct TwigBody {
    pub id: String,
    pub title: String,
    pub visibility: Level,
    /// Something hangs below it.
    pub is_above: bool,
    /// Records right below it, as far as the search index has followed; absent where there is none to ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub children: Option<u64>,
    /// Records of all types that hang below it at any depth, or lead to one that does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub below: Option<u64>,
}

/// Where a record is to hang.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// The id of the record below which; `null` for the top.
    to: Option<String>,
    /// Why, in your words; kept in the ledger.
    reason: Option<String>,
}

impl From<Step> for StepBody {
    fn from(step: Step) -> Self {
        Self {
            id: step.id,
            title: step.title,
        }
    }
}

/// The text of a place in a list.
pub fn cursor_of((place, id): &Place) -> String {
    format!("{}.{id}", hex::encode(place))
}

/// A place in a list from its text.
pub fn place_of(text: &str) -> Result<Place> {
    let parts = text.split_once('.');
    let place = parts.and_then(|(place, id)| Some((hex::decode(place).ok()?, id.to_owned())));
    place
        .filter(|(place, id)| place.len() <= 1_000 && id.len() <= 64)
        .ok_or_else(|| {
            Error::new(
                Code::BadRequest,
                "cursor: this page marker does not belong to a list of a tree.",
            )
        })
}

/// What hangs below a record of a tree, or at its top, in the order of the tree.
#[utoipa::path(
    get, path = "/api/types/{name}/tree", tag = "types",
    params(("name" = String, Path, description = "The type's name"), BranchQuery),
    responses((status = 200, body = BranchBody), (status = 404, description = "There is no such tree or record"))
)]
pub async fn branch(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
    Query(query): Query<BranchQuery>,
) -> Result<Json<BranchBody>> {
    let limit = query.limit.unwrap_or(50);
    if !(1..=MAX_LIMIT).contains(&limit) {
        let text = format!("limit: {limit} is not between 1 and {MAX_LIMIT}.");
        return Err(Error::new(Code::BadRequest, text));
    }
    let after = query.cursor.as_deref().map(place_of).transpose()?;
    let branch = api
        .service
        .branch(&caller, &name, query.under.as_deref(), after.as_ref(), limit)
        .await?;
    let counts = api.service.count_twigs(&caller, &api.search, &branch).await;
    let item = |twig: Twig| {
        let below = counts.get(&twig.id);
        TwigBody {
            children: below.map(|below| below.children),
            below: below.map(|below| below.all),
            id: twig.id,
            title: twig.title,
            visibility: twig.visibility,
            is_above: twig.is_above,
        }
    };
    let at = branch.at.as_ref().map(|seen| StepBody {
        id: seen.record.id.clone(),
        title: seen.title(),
    });
    Ok(Json(BranchBody {
        path: branch.path.into_iter().map(StepBody::from).chain(at).collect(),
        next: branch.next.as_ref().map(cursor_of),
        items: branch.twigs.into_iter().map(item).collect(),
    }))
}

/// Hangs a record of a tree below another one, with everything below it. Only the record itself changes.
#[utoipa::path(
    post, path = "/api/records/{id}/move", tag = "records", request_body = Move,
    params(
        ("id" = String, Path, description = "The record's id"),
        ("If-Match" = String, Header, description = "The version it is based on, such as \"3\""),
    ),
    responses(
        (status = 200, body = RecordBody, description = "The new state; ETag is its version"),
        (status = 422, description = "It would hang below itself, or there is no such record"),
    )
)]
pub async fn move_to(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    version: IfMatch,
    Json(body): Json<Move>,
) -> Result<Response> {
    let why = because(&caller, body.reason.as_deref())?;
    let done = api
        .service
        .move_to(&why, &id, based_on(version)?, body.to.as_deref())
        .await?;
    Ok(written(
        done.position,
        done.seen.record.version,
        RecordBody::from(done.seen),
    ))
}
