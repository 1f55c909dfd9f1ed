//! `GET /api/records/{id}/similar`: records much like one, as far as the caller may see both.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use crate::kernel::access::Caller;
use crate::kernel::error::{Error, Result};
use crate::kernel::http::{Json, Path, ProblemDocument, Query};
use crate::kernel::search::MAX_SIMILAR;

/// Records where no number is asked for.
const LIMIT: usize = 6;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Records at most: 6 by default, at most 50.
    #[serde(default)]
    #[param(example = 6)]
    limit: Option<usize>,
}

/// A record that is much like another one.
#[derive(Serialize, ToSchema)]
pub struct SimilarRecord {
    #[schema(example = "01890a5d-ac96-774b-bcce-b302099a8057")]
    id: String,
    #[serde(rename = "type")]
    #[schema(example = "museum-object")]
    type_name: String,
    #[schema(example = "Teapot with lid")]
    title: String,
}

/// Records much like one, the most alike first.
#[derive(Serialize, ToSchema)]
pub struct SimilarRecords {
    items: Vec<SimilarRecord>,
}

/// Finds records much like this one.
///
/// Likeness is judged by values and rare words of those fields that the caller may see; what they may not see is neither
/// found nor compared.
#[utoipa::path(
    get,
    path = "/api/records/{id}/similar",
    tag = "records",
    params(("id" = String, Path, description = "The record's id."), Wanted),
    responses(
        (status = 200, body = SimilarRecords),
        (status = 404, description = "There is no such record, or the caller may not see it.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "The record was deleted.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "More than the limit.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "The index is being opened, or this process keeps none.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub async fn similar(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<SimilarRecords>> {
    let limit = wanted.limit.unwrap_or(LIMIT);
    if limit > MAX_SIMILAR {
        return Err(Error::invalid(
            "limit",
            format!("at most {MAX_SIMILAR} similar records are listed"),
        ));
    }
    let found = api.service.similar(&api.search, &caller, &id, limit).await?;
    let items = found.into_iter().map(|seen| SimilarRecord {
        title: seen.title(),
        id: seen.record.id,
        type_name: seen.record.type_name,
    });
    Ok(Json(SimilarRecords { items: items.collect() }))
}
