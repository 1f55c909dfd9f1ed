//! What opens when, over HTTP.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Api, because};
use crate::kernel::access::{Caller, Level};
use crate::kernel::clock::{moment, rfc3339};
use crate::kernel::error::{Error, Result};
use crate::kernel::http::{Json, Query};
use crate::modules::records::service::embargo::{Embargo, Target};

/// Something that opens.
#[derive(Debug, Serialize, ToSchema)]
pub struct EmbargoBody {
    /// `record:ID` or `type:NAME#FIELD`.
    pub object: String,
    #[serde(rename = "type")]
    pub type_name: String,
    /// RFC 3339
    pub opens_at: String,
    pub opens_to: Level,
    /// Who said so, as the ledger names them.
    pub set_by: String,
}

impl From<Embargo> for EmbargoBody {
    fn from(embargo: Embargo) -> Self {
        Self {
            object: embargo.target.to_string(),
            type_name: embargo.type_name,
            opens_at: rfc3339(embargo.opens_at),
            opens_to: embargo.opens_to,
            set_by: embargo.set_by,
        }
    }
}

/// What opens, the next first.
#[derive(Debug, Serialize, ToSchema)]
pub struct EmbargoList {
    pub items: Vec<EmbargoBody>,
}

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Only this: `record:ID` or `type:NAME#FIELD`.
    object: Option<String>,
    /// Only what belongs to this collection.
    #[serde(rename = "type")]
    type_name: Option<String>,
}

/// What opens when, of what you may change.
#[utoipa::path(
    get, path = "/api/embargoes", tag = "records", params(Which), responses((status = 200, body = EmbargoList))
)]
pub async fn list(State(api): State<Api>, caller: Caller, Query(which): Query<Which>) -> Result<Json<EmbargoList>> {
    let target = which.object.as_deref().map(Target::parse).transpose()?;
    let found = api
        .service
        .embargoes(&caller, target.as_ref(), which.type_name.as_deref())
        .await?;
    Ok(Json(EmbargoList {
        items: found.into_iter().map(EmbargoBody::from).collect(),
    }))
}

/// What is to open, when and to whom.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEmbargo {
    /// `record:ID` or `type:NAME#FIELD`.
    #[schema(example = "type:museum-object#donor")]
    object: String,
    /// A day, which begins at midnight UTC, or a moment in RFC 3339; one to come.
    #[schema(example = "2030-01-01")]
    opens_at: String,
    opens_to: Level,
    /// Why, for the history.
    #[serde(default)]
    reason: Option<String>,
}

/// Says when a record, or a field of every record of a collection, opens. Until then it is as closed as it is.
#[utoipa::path(
    put, path = "/api/embargoes", tag = "records", request_body = NewEmbargo,
    responses((status = 204, description = "It opens then"))
)]
pub async fn put(State(api): State<Api>, caller: Caller, Json(new): Json<NewEmbargo>) -> Result<StatusCode> {
    let why = because(&caller, new.reason.as_deref())?;
    let target = Target::parse(&new.object)?;
    let wrong = || {
        Error::invalid(
            "opens_at",
            "is a day such as 2030-01-01, or a moment such as 2030-01-01T09:00:00Z.",
        )
    };
    let opens_at = moment(&new.opens_at).ok_or_else(wrong)?;
    api.service.embargo(&why, &target, opens_at, new.opens_to).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is not to open by itself any more.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Ended {
    /// `record:ID` or `type:NAME#FIELD`.
    object: String,
}

/// It does not open by itself any more.
#[utoipa::path(
    delete, path = "/api/embargoes", tag = "records", params(Ended),
    responses((status = 204, description = "It stays as closed as it is"))
)]
pub async fn remove(State(api): State<Api>, caller: Caller, Query(ended): Query<Ended>) -> Result<StatusCode> {
    let why = because(&caller, None)?;
    api.service.end_embargo(&why, &Target::parse(&ended.object)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
