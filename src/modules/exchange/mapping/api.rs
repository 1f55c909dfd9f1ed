//! JSON: mappings that are kept.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::model::Mapping;
use super::service::Kept;
use crate::contract::records::RECORDS_WRITE;
use crate::kernel::access::Caller;
use crate::kernel::error::Result;
use crate::kernel::http::{Json, Path, ProblemDocument, RouteSet, Routes};
use crate::modules::exchange::service::Service;

pub fn routes(service: Service) -> Routes {
    RouteSet::new()
        .route(RECORDS_WRITE, routes!(list))
        .route(RECORDS_WRITE, routes!(show, put, delete))
        .with_state(service)
}

/// A mapping under its name.
#[derive(Serialize, ToSchema)]
struct MappingView {
    name: String,
    /// The same as TOML, to be kept in a file.
    text: String,
    mapping: Mapping,
    /// Who wrote it last.
    owner: String,
    version: i64,
    updated_at: i64,
}

#[derive(Serialize, ToSchema)]
struct MappingList {
    items: Vec<MappingView>,
}

fn view(kept: Kept) -> Result<MappingView> {
    Ok(MappingView {
        text: kept.mapping.text()?,
        name: kept.row.name,
        mapping: kept.mapping,
        owner: kept.row.owner,
        version: kept.row.version,
        updated_at: kept.row.updated_at,
    })
}

/// The mappings that are kept, newest first.
#[utoipa::path(get, path = "/api/import-mappings", tag = "exchange", responses((status = 200, body = MappingList)))]
async fn list(State(service): State<Service>, caller: Caller) -> Result<Json<MappingList>> {
    let kept = service.mappings(&caller).await?;
    let items = kept.into_iter().map(view).collect::<Result<Vec<_>>>()?;
    Ok(Json(MappingList { items }))
}

/// A mapping by its name.
#[utoipa::path(
    get, path = "/api/import-mappings/{name}", tag = "exchange", params(("name" = String, Path)),
    responses(
        (status = 200, body = MappingView),
        (status = 404, description = "There is no such mapping.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn show(State(service): State<Service>, caller: Caller, Path(name): Path<String>) -> Result<Json<MappingView>> {
    Ok(Json(view(service.mapping(&caller, &name).await?)?))
}

/// Keeps a mapping under a name, in the place of what was called so before.
#[utoipa::path(
    put, path = "/api/import-mappings/{name}", tag = "exchange", params(("name" = String, Path)), request_body = Mapping,
    responses(
        (status = 200, body = MappingView),
        (status = 422, description = "It does not fit its type: each fault by its place.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn put(
    State(service): State<Service>,
    caller: Caller,
    Path(name): Path<String>,
    Json(mapping): Json<Mapping>,
) -> Result<Json<MappingView>> {
    Ok(Json(view(service.keep_mapping(&caller, &name, &mapping).await?)?))
}

/// Forgets a mapping. What was imported by it stays.
#[utoipa::path(
    delete, path = "/api/import-mappings/{name}", tag = "exchange", params(("name" = String, Path)),
    responses(
        (status = 204, description = "It is gone."),
        (status = 404, description = "There is no such mapping.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn delete(State(service): State<Service>, caller: Caller, Path(name): Path<String>) -> Result<StatusCode> {
    service.drop_mapping(&caller, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
