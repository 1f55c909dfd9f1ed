//! `GET /api/search/timeline`: how many records of a question there are by year, decade or century.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::kernel::access::Caller;
use crate::kernel::error::{Error, Result};
use crate::kernel::http::{Json, ProblemDocument, Query};
use crate::kernel::search::FacetValue;
use crate::modules::search::service::{Asked, Service};

/// Columns where no number is asked for, and at most.
const COLUMNS: u32 = 100;
const MOST: u32 = 1_000;
/// Years that may be asked for, on both sides of nought.
const YEARS: i64 = 1_000_000;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// The field whose dates or numbers are counted.
    #[param(example = "date_acquired")]
    field: String,
    /// The question, as `q` of `GET /api/search`.
    #[serde(default)]
    q: String,
    /// Only records of this type.
    #[serde(rename = "type", default)]
    #[param(example = "museum-object")]
    type_name: Option<String>,
    /// As in `GET /api/search`; those of the field itself do not count.
    #[serde(default)]
    filter: Vec<String>,
    /// The first year that is shown; with `to`. Without both all years are.
    #[serde(default)]
    #[param(example = 1800)]
    from: Option<i64>,
    /// The last year that is shown.
    #[serde(default)]
    #[param(example = 1899)]
    to: Option<i64>,
    /// Columns at most: 100 by default, from 2 to 1,000. Years, decades or centuries are counted, whichever make no more.
    #[serde(default)]
    #[param(example = 100)]
    columns: Option<u32>,
}

/// Records in time.
#[derive(Serialize, ToSchema)]
pub struct Timeline {
    #[schema(example = "date_acquired")]
    field: String,
    /// In their order, each with a span that is a filter, such as `1850..1859`. What reaches into several counts in each.
    values: Vec<FacetValue>,
    /// Records without a value.
    missing: u64,
}

/// Counts the records of a question by year, decade or century.
///
/// Each span can be asked for as `filter=FIELD:SPAN` of `GET /api/search`, which finds as many as are counted here.
#[utoipa::path(
    get,
    path = "/api/search/timeline",
    tag = "search",
    params(Params),
    responses(
        (status = 200, body = Timeline),
        (status = 404, description = "There is no such type.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "An unknown field, years that are none, or more than the limit.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "The index is being opened, or this process keeps none.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub async fn timeline(
    State(service): State<Service>,
    caller: Caller,
    Query(params): Query<Params>,
) -> Result<Json<Timeline>> {
    let columns = params.columns.unwrap_or(COLUMNS);
    if !(2..=MOST).contains(&columns) {
        return Err(Error::invalid(
            "columns",
            format!("a timeline has from 2 to {MOST} columns"),
        ));
    }
    let shown = match (params.from, params.to) {
        (None, None) => None,
        (Some(from), Some(to)) if from <= to && from >= -YEARS && to <= YEARS => Some((from, to)),
        _ => {
            let rule =
                format!("from and to are years between -{YEARS} and {YEARS}, the first one first; give both or none");
            return Err(Error::invalid("from", rule));
        }
    };
    let asked = Asked {
        type_name: params.type_name.filter(|name| !name.is_empty()),
        text: params.q,
        filters: params.filter,
        ..Asked::default()
    };
    let facet = service
        .timeline(&caller, &asked, &params.field, shown, columns as usize)
        .await?;
    let missing = facet.values.iter().find(|v| v.value.is_none()).map_or(0, |v| v.count);
    Ok(Json(Timeline {
        field: params.field,
        values: facet.values.into_iter().filter(|v| v.value.is_some()).collect(),
        missing,
    }))
}
