//! `GET /api/search/facet`: the values of one field, as many as there are, narrowed by what is typed.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::kernel::access::Caller;
use crate::kernel::error::Result;
use crate::kernel::http::{Json, ProblemDocument, Query};
use crate::kernel::search::FacetValue;
use crate::modules::search::service::{Asked, Service};

/// Values where no number is asked for.
const LIMIT: u32 = 25;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Values {
    /// The field whose values are wanted.
    #[param(example = "medium")]
    field: String,
    /// What the values have in them. Accents and case do not matter; without it all are listed, the most frequent first.
    #[serde(default)]
    #[param(example = "silver")]
    q: String,
    /// Only records of this type.
    #[serde(rename = "type", default)]
    #[param(example = "museum-object")]
    type_name: Option<String>,
    /// The question whose records are counted, as `q` of `GET /api/search`.
    #[serde(default)]
    query: String,
    /// As in `GET /api/search`; those of the field itself do not count.
    #[serde(default)]
    filter: Vec<String>,
    /// Values at most: 25 by default, at most 1,000.
    #[serde(default)]
    limit: Option<u32>,
}

/// The values of a field.
#[derive(Serialize, ToSchema)]
pub struct FacetValues {
    #[schema(example = "medium")]
    field: String,
    /// The most frequent first. Where nothing is typed, `null` counts the records without a value.
    values: Vec<FacetValue>,
    /// Values there are in all that fit.
    #[schema(example = 3)]
    distinct: u64,
}

/// Lists the values of one field with how many records have each, and finds among them.
///
/// Made for looking for a value in a facet of thousands: what is typed may stand anywhere in a value.
#[utoipa::path(
    get,
    path = "/api/search/facet",
    tag = "search",
    params(Values),
    responses(
        (status = 200, body = FacetValues),
        (status = 404, description = "There is no such type.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "An unknown field, or more than the limit.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "The index is being opened, or this process keeps none.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub async fn values(
    State(service): State<Service>,
    caller: Caller,
    Query(values): Query<Values>,
) -> Result<Json<FacetValues>> {
    let asked = Asked {
        type_name: values.type_name.filter(|name| !name.is_empty()),
        text: values.query,
        filters: values.filter,
        ..Asked::default()
    };
    let limit = values.limit.unwrap_or(LIMIT) as usize;
    let facet = service.values(&caller, &asked, &values.field, &values.q, limit).await?;
    Ok(Json(FacetValues {
        field: facet.field,
        values: facet.values,
        distinct: facet.distinct,
    }))
}
