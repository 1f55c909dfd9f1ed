//! What curators see and set: `GET /api/search/asked`, and what is shown first under `/api/search/promoted`.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use crate::kernel::access::{Caller, Object};
use crate::kernel::error::{Error, Result};
use crate::kernel::http::{Json, Path, ProblemDocument, Query, RouteSet, Routes};
use crate::modules::search::asked::AskedFor;
use crate::modules::search::promoted::{Promoted, SEARCH_CURATE};
use crate::modules::search::service::Service;

/// Days looked back on, and rows, where no number is given.
const DAYS: i64 = 30;
const LIMIT: i64 = 50;
const MOST: i64 = 500;

pub fn routes(service: Service) -> Routes {
    RouteSet::new()
        .route(SEARCH_CURATE, routes!(asked))
        .route(SEARCH_CURATE, routes!(list, promote))
        .route(SEARCH_CURATE, routes!(demote))
        .with_state(service)
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Report {
    /// Days to look back on, today included: 30 by default.
    #[serde(default)]
    #[param(example = 30)]
    days: Option<i64>,
    /// `true`: only what found nothing.
    #[serde(default)]
    nothing: bool,
    /// Rows at most: 50 by default, at most 500.
    #[serde(default)]
    limit: Option<i64>,
}

/// What people ask for, the most frequent first.
#[derive(Serialize, ToSchema)]
struct AskedReport {
    items: Vec<AskedFor>,
}

/// Says which words are typed into the search box, how often, and the most they find.
///
/// Nothing is kept about who asked; what looks like a mail address or a long number is not kept at all.
#[utoipa::path(
    get, path = "/api/search/asked", tag = "search", params(Report),
    responses(
        (status = 200, body = AskedReport),
        (status = 422, description = "More than the limit.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn asked(
    State(service): State<Service>,
    caller: Caller,
    Query(report): Query<Report>,
) -> Result<Json<AskedReport>> {
    service.access.require(&caller, SEARCH_CURATE, &Object::House).await?;
    let limit = report.limit.unwrap_or(LIMIT);
    if !(1..=MOST).contains(&limit) {
        return Err(Error::invalid("limit", format!("between 1 and {MOST}")));
    }
    let days = report.days.unwrap_or(DAYS);
    if !(1..=3_650).contains(&days) {
        return Err(Error::invalid("days", "between 1 and 3650"));
    }
    let items = service.asked.report(days, report.nothing, limit).await?;
    Ok(Json(AskedReport { items }))
}

/// A record that is shown first, with its title where the caller may see it.
#[derive(Serialize, ToSchema)]
struct PromotedResult {
    #[serde(flatten)]
    promoted: Promoted,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Teapot with lid")]
    title: Option<String>,
}

/// Everything that is shown first, by words.
#[derive(Serialize, ToSchema)]
struct PromotedResults {
    items: Vec<PromotedResult>,
}

/// A record to show first.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPromoted {
    /// Where exactly these are asked for; accents and capitals make no difference.
    #[schema(example = "tea caddy")]
    words: String,
    /// The record's id, or the address of its page.
    #[schema(example = "01890a5d-ac96-774b-bcce-b302099a8057")]
    record: String,
}

/// Lists what is shown first.
#[utoipa::path(
    get, path = "/api/search/promoted", tag = "search", operation_id = "promoted",
    responses((status = 200, body = PromotedResults))
)]
async fn list(State(service): State<Service>, caller: Caller) -> Result<Json<PromotedResults>> {
    let all = service.all_promoted(&caller).await?;
    let items = all
        .into_iter()
        .map(|(promoted, title)| PromotedResult { promoted, title });
    Ok(Json(PromotedResults { items: items.collect() }))
}

/// Shows a record first where these words are asked for. Only who may see it is shown it.
#[utoipa::path(
    post, path = "/api/search/promoted", tag = "search", operation_id = "promote", request_body = NewPromoted,
    responses(
        (status = 201, body = Promoted),
        (status = 422, description = "No words, no such record, or more than the limit.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn promote(
    State(service): State<Service>,
    caller: Caller,
    Json(new): Json<NewPromoted>,
) -> Result<(StatusCode, Json<Promoted>)> {
    let made = service.promote(&caller, &new.words, &new.record).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Shows a record first no longer.
#[utoipa::path(
    delete, path = "/api/search/promoted/{id}", tag = "search", operation_id = "demote",
    params(("id" = String, Path, description = "The id of the promoted result.")),
    responses(
        (status = 204, description = "It is shown in its own place again."),
        (status = 404, description = "There is none.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn demote(State(service): State<Service>, caller: Caller, Path(id): Path<String>) -> Result<StatusCode> {
    service.demote(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
