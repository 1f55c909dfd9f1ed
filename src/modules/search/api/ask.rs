//! `POST /api/search`: the same question as structured JSON, with conditions within conditions.

use std::collections::BTreeMap;

use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{LIMIT, SearchAnswer, answered};
use crate::kernel::access::Caller;
use crate::kernel::error::Result;
use crate::kernel::http::{Json, ProblemDocument, WithPosition};
use crate::kernel::search::Node;
use crate::modules::search::service::{Asked, Service};

/// A question. Everything that is given must hold.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Only records of this type.
    #[serde(rename = "type", default)]
    #[schema(example = "museum-object")]
    type_name: Option<String>,
    /// As it is written into the search box.
    #[serde(default)]
    #[schema(example = "tea -pot")]
    q: String,
    /// Conditions within conditions. An answer's `understood` has the same form.
    #[serde(rename = "where", default)]
    condition: Option<Node>,
    /// Values by field: OR within a field, AND across; `null` is "missing", `1850..1900` a span.
    #[serde(default)]
    #[schema(value_type = Object)]
    filters: BTreeMap<String, Vec<Option<String>>>,
    /// Fields to count, each under all filters but its own.
    #[serde(default)]
    facets: Vec<String>,
    /// `relevance` (default), `created`, `updated` or a field; with `-` before it from the end.
    #[serde(default)]
    sort: Option<String>,
    /// Records of the page, 25 by default, at most 200.
    #[serde(default)]
    #[schema(example = 25)]
    limit: Option<u32>,
    /// `next` of the answer before, with the same question.
    #[serde(default)]
    cursor: Option<String>,
    /// A ledger position that the answer must include, as in `GET /api/search`.
    #[serde(default)]
    after: Option<String>,
    /// Include everything that is written now.
    #[serde(default)]
    wait: bool,
}

/// Finds records by conditions within conditions.
///
/// Each condition is an object with one key: `and`, `or` and `not` join others, `word`, `phrase`, `is`, `range`, `filled`,
/// `near`, `within` and `text` say something themselves.
#[utoipa::path(
    post,
    path = "/api/search",
    tag = "search",
    request_body = Question,
    responses(
        (status = 200, description = "What was found. The header `Ledger-Position` says how far the answer is.", body = SearchAnswer),
        (status = 404, description = "There is no such type.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "The page marker of a list by relevance is older than a minute.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "An unknown field, or more than the limit.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "The index is being opened, or this process keeps none.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub async fn ask(
    State(service): State<Service>,
    caller: Caller,
    Json(question): Json<Question>,
) -> Result<WithPosition<Json<SearchAnswer>>> {
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let asked = Asked {
        type_name: given(question.type_name),
        text: question.q,
        tree: question.condition,
        typing: false,
        facets: question.facets,
        filters: Vec::new(),
        chosen: question.filters,
        sort: given(question.sort),
        limit: question.limit.unwrap_or(LIMIT) as usize,
        cursor: given(question.cursor),
        after: question.after.map(|text| text.parse()).transpose()?,
        wait: question.wait,
    };
    answered(&service, &caller, &asked).await
}
