//! Types over HTTP.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Api, Why, based_on, because, emptied, written};
use crate::contract::records::RecordType;
use crate::kernel::access::Caller;
use crate::kernel::error::{Error, Result};
use crate::kernel::http::{IfMatch, Json, Path, Query, Versioned};
use crate::modules::records::model::schema as json_schema;
use crate::modules::records::service::{TypeWritten, shipped};

/// A type with its version.
#[derive(Debug, Serialize, ToSchema)]
pub struct TypeBody {
    /// Also the ETag of the type; 0 for a type that comes with the program and is stored when it is first used.
    pub version: i64,
    #[serde(flatten)]
    pub definition: RecordType,
}

/// Every type.
#[derive(Debug, Serialize, ToSchema)]
pub struct TypeList {
    pub items: Vec<TypeBody>,
    pub total: usize,
    /// Types that come with the program and are not in use yet.
    pub shipped: Vec<String>,
}

/// The types in use, by name.
#[utoipa::path(get, path = "/api/types", tag = "types", responses((status = 200, body = TypeList)))]
pub async fn list(State(api): State<Api>, caller: Caller) -> Result<Json<TypeList>> {
    let mut items = Vec::new();
    for stored in api.service.all_types().await? {
        if let Some(definition) = api.service.shown_type(&caller, &stored).await? {
            items.push(TypeBody {
                version: stored.version,
                definition,
            });
        }
    }
    let unused = shipped()
        .iter()
        .map(|t| t.name.clone())
        .filter(|name| !items.iter().any(|t| t.definition.name == *name));
    Ok(Json(TypeList {
        total: items.len(),
        shipped: unused.collect(),
        items,
    }))
}

/// Makes a type.
#[utoipa::path(
    post, path = "/api/types", tag = "types", params(Why), request_body = RecordType,
    responses((status = 201, body = RecordType, description = "Made; ETag is its version"))
)]
pub async fn create(
    State(api): State<Api>,
    caller: Caller,
    Query(why): Query<Why>,
    Json(definition): Json<RecordType>,
) -> Result<Response> {
    let why = because(&caller, why.reason.as_deref())?;
    let done = api.service.create_type(&why, &definition).await?;
    let location = [(header::LOCATION, format!("/api/types/{}", definition.name))];
    Ok((StatusCode::CREATED, location, answer(done)).into_response())
}

fn answer(done: TypeWritten) -> Response {
    written(done.position, done.stored.version, done.stored.definition)
}

/// A type as you may see it.
#[utoipa::path(
    get, path = "/api/types/{name}", tag = "types",
    params(("name" = String, Path, description = "The type's name")),
    responses((status = 200, body = RecordType, description = "ETag is its version"))
)]
pub async fn show(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Versioned<Json<RecordType>>> {
    let (version, definition) = shown(&api, &caller, &name).await?;
    Ok(Versioned(version, Json(definition)))
}

async fn shown(api: &Api, caller: &Caller, name: &str) -> Result<(i64, RecordType)> {
    let stored = match api.service.find_type(name).await? {
        Some(stored) => stored,
        // One that comes with the program can be read before it is used.
        None => match shipped().iter().find(|t| t.name == name) {
            Some(definition) => return Ok((0, definition.clone())),
            None => api.service.need_type(name).await?,
        },
    };
    let definition = api
        .service
        .shown_type(caller, &stored)
        .await?
        .ok_or_else(|| Error::not_found("type", name))?;
    Ok((stored.version, definition))
}

/// Changes a type. What would lose values of records is refused.
#[utoipa::path(
    put, path = "/api/types/{name}", tag = "types", request_body = RecordType,
    params(
        ("name" = String, Path, description = "The type's name"), Why,
        ("If-Match" = String, Header, description = "The version it is based on, such as \"3\""),
    ),
    responses((status = 200, body = RecordType, description = "Changed; ETag is its version"))
)]
pub async fn replace(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
    Query(why): Query<Why>,
    version: IfMatch,
    Json(definition): Json<RecordType>,
) -> Result<Response> {
    let why = because(&caller, why.reason.as_deref())?;
    Ok(answer(
        api.service
            .replace_type(&why, &name, based_on(version)?, &definition)
            .await?,
    ))
}

/// Whether the records go, too.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeleteQuery {
    /// Why, in your words; kept in the ledger.
    reason: Option<String>,
    /// Delete the type with all its records, the content of their history and the files they came from, for good.
    #[serde(default)]
    records: bool,
}

/// The job that deletes what a type held.
#[derive(Debug, Serialize, ToSchema)]
pub struct TypeRemoval {
    pub job: String,
}

/// Deletes a type that has no records; with `records=true` one with all its records, for good.
#[utoipa::path(
    delete, path = "/api/types/{name}", tag = "types",
    params(
        ("name" = String, Path, description = "The type's name"), DeleteQuery,
        ("If-Match" = String, Header, description = "The version it is based on, such as \"3\""),
    ),
    responses(
        (status = 204, description = "Deleted"),
        (status = 202, body = TypeRemoval, description = "The type is gone; the job empties what is kept of its records"),
    )
)]
pub async fn remove(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
    Query(query): Query<DeleteQuery>,
    version: IfMatch,
) -> Result<Response> {
    let why = because(&caller, query.reason.as_deref())?;
    let base = based_on(version)?;
    if !query.records {
        return Ok(emptied(api.service.delete_type(&why, &name, base).await?));
    }
    let job = api.service.remove_type_at(&why, &name, base).await?;
    Ok((StatusCode::ACCEPTED, Json(TypeRemoval { job })).into_response())
}

/// The JSON Schema (2020-12) of a type's documents, as you may see them.
#[utoipa::path(
    get, path = "/api/types/{name}/schema", tag = "types",
    params(("name" = String, Path, description = "The type's name")),
    responses((status = 200, body = Object, content_type = "application/schema+json"))
)]
pub async fn schema(State(api): State<Api>, caller: Caller, Path(name): Path<String>) -> Result<Response> {
    let (version, definition) = shown(&api, &caller, &name).await?;
    let address = format!("{}/api/types/{name}/schema", api.public_url.trim_end_matches('/'));
    let mut response = Versioned(version, Json(json_schema::schema(&definition, &address))).into_response();
    let kind = header::HeaderValue::from_static("application/schema+json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}
