//! One record over HTTP: create, read, replace, merge, delete, restore.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{Api, RecordBody, based_on, because, emptied, written};
use crate::kernel::access::{Caller, Level};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::{IfMatch, Json, Path, Query, Versioned};
use crate::modules::records::service::{Edit, NewRecord, Written};

/// A record to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateRecord {
    #[serde(rename = "type")]
    type_name: String,
    /// The type's, where it is left out.
    visibility: Option<Level>,
    #[schema(value_type = Object)]
    document: Map<String, Value>,
    /// Why, in your words; kept in the ledger.
    reason: Option<String>,
}

/// A record's new state.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplaceRecord {
    /// Stays as it is, where it is left out.
    visibility: Option<Level>,
    #[schema(value_type = Object)]
    document: Map<String, Value>,
    /// Why, in your words; kept in the ledger.
    reason: Option<String>,
}

/// A merge patch (RFC 7396) of a record: `null` removes a field, lists are replaced as a whole.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchRecord {
    visibility: Option<Level>,
    #[serde(default)]
    #[schema(value_type = Object)]
    document: Map<String, Value>,
    /// Why, in your words; kept in the ledger.
    reason: Option<String>,
}

fn answer(done: Written) -> Response {
    written(done.position, done.seen.record.version, RecordBody::from(done.seen))
}

/// A record changed, as a whole or in some fields.
async fn change(
    api: &Api,
    caller: &Caller,
    id: &str,
    version: IfMatch,
    edit: &Edit,
    visibility: Option<Level>,
    reason: Option<&str>,
) -> Result<Response> {
    let why = because(caller, reason)?;
    let done = api.service.edit(&why, id, based_on(version)?, edit, visibility).await?;
    Ok(answer(done))
}

/// Makes a record.
#[utoipa::path(
    post, path = "/api/records", tag = "records", request_body = CreateRecord,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key gives the same answer again for a day")),
    responses((status = 201, body = RecordBody, description = "Made; Location is its address, ETag its version"))
)]
pub async fn create(State(api): State<Api>, caller: Caller, Json(body): Json<CreateRecord>) -> Result<Response> {
    let why = because(&caller, body.reason.as_deref())?;
    let new = NewRecord {
        type_name: body.type_name,
        visibility: body.visibility,
        document: body.document,
    };
    let done = api.service.create(&why, &new).await?;
    let location = [(header::LOCATION, format!("/api/records/{}", done.seen.record.id))];
    Ok((StatusCode::CREATED, location, answer(done)).into_response())
}

/// A record as you may see it.
#[utoipa::path(
    get, path = "/api/records/{id}", tag = "records",
    params(("id" = String, Path, description = "The record's id")),
    responses(
        (status = 200, body = RecordBody, description = "ETag is its version"),
        (status = 301, description = "It was put into another record, whose address this is"),
        (status = 304, description = "Still the version of If-None-Match"),
    )
)]
pub async fn show(State(api): State<Api>, caller: Caller, Path(id): Path<String>) -> Result<Response> {
    match api.service.read(&caller, &id).await {
        Ok(seen) => Ok(Versioned(seen.record.version, Json(RecordBody::from(seen))).into_response()),
        Err(error) if error.code() == Code::Gone => match api.service.merged_into(&caller, &id).await? {
            Some(into) => {
                let place = [(header::LOCATION, format!("/api/records/{into}"))];
                Ok((StatusCode::MOVED_PERMANENTLY, place).into_response())
            }
            None => Err(error),
        },
        Err(error) => Err(error),
    }
}

/// Replaces a record's document. Fields that you may not see stay as they are.
#[utoipa::path(
    put, path = "/api/records/{id}", tag = "records", request_body = ReplaceRecord,
    params(
        ("id" = String, Path, description = "The record's id"),
        ("If-Match" = String, Header, description = "The version it is based on, such as \"3\""),
    ),
    responses((status = 200, body = RecordBody, description = "The new state; ETag is its version"))
)]
pub async fn replace(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    version: IfMatch,
    Json(body): Json<ReplaceRecord>,
) -> Result<Response> {
    let edit = Edit::Replace(body.document);
    change(
        &api,
        &caller,
        &id,
        version,
        &edit,
        body.visibility,
        body.reason.as_deref(),
    )
    .await
}

/// Changes some fields of a record.
#[utoipa::path(
    patch, path = "/api/records/{id}", tag = "records",
    request_body(content = PatchRecord, content_type = "application/merge-patch+json"),
    params(
        ("id" = String, Path, description = "The record's id"),
        ("If-Match" = String, Header, description = "The version it is based on, such as \"3\""),
    ),
    responses((status = 200, body = RecordBody, description = "The new state; ETag is its version"))
)]
pub async fn patch(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    version: IfMatch,
    Json(body): Json<PatchRecord>,
) -> Result<Response> {
    let edit = Edit::Merge(body.document);
    change(
        &api,
        &caller,
        &id,
        version,
        &edit,
        body.visibility,
        body.reason.as_deref(),
    )
    .await
}

/// The keys of a deletion.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Removal {
    /// Why, in your words; kept in the ledger.
    reason: Option<String>,
    /// In a tree: `up` hangs what is right below the record where the record hung. Without it such a record stays.
    #[param(inline)]
    children: Option<Children>,
}

/// What becomes of what hangs below a record that is deleted.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Children {
    Up,
}

/// Deletes a record. Its states stay in the ledger and it can be restored.
#[utoipa::path(
    delete, path = "/api/records/{id}", tag = "records",
    params(
        ("id" = String, Path, description = "The record's id"), Removal,
        ("If-Match" = String, Header, description = "The version it is based on, such as \"3\""),
    ),
    responses(
        (status = 204, description = "Deleted"),
        (status = 409, description = "Other records point at it; `blockers` names the first of them"),
    )
)]
pub async fn remove(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    Query(removal): Query<Removal>,
    version: IfMatch,
) -> Result<Response> {
    let why = because(&caller, removal.reason.as_deref())?;
    let base = based_on(version)?;
    let position = match removal.children {
        Some(Children::Up) => api.service.delete_lifting(&why, &id, base).await?,
        None => api.service.delete(&why, &id, base).await?,
    };
    Ok(emptied(position))
}

/// To which state a record goes back.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Back {
    /// Why, in your words; kept in the ledger.
    reason: Option<String>,
    /// The version whose state becomes the newest one; nothing in between is lost. Without it a deleted record comes back as
    /// it was.
    version: Option<i64>,
}

/// Brings a deleted record back as it was, or takes one back to an earlier version, as far as you see it.
#[utoipa::path(
    post, path = "/api/records/{id}/restore", tag = "records",
    params(
        ("id" = String, Path, description = "The record's id"), Back,
        ("If-Match" = Option<String>, Header, description = "The version it stands at; needed with `version`"),
    ),
    responses(
        (status = 200, body = RecordBody, description = "The record; ETag is its version"),
        (status = 404, description = "There is no such version, or its content was emptied"),
        (status = 412, description = "Somebody changed it meanwhile"),
    )
)]
pub async fn restore(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    Query(back): Query<Back>,
    version: IfMatch,
) -> Result<Response> {
    let why = because(&caller, back.reason.as_deref())?;
    let Some(to) = back.version else {
        return Ok(answer(api.service.restore(&why, &id, version.0).await?));
    };
    let base = based_on(version)?;
    let state = api.service.state_at(&caller, &id, to).await?;
    let (_, document) = state.ok_or_else(|| Error::not_found("version of this record", &to.to_string()))?;
    // Who may see it stays as it is: an older state never opens a record.
    let edit = Edit::Replace(document);
    Ok(answer(api.service.edit(&why, &id, base, &edit, None).await?))
}

/// The row of a file that a record came from, as it was brought.
#[derive(Debug, Serialize, ToSchema)]
pub struct SourceRowBody {
    /// The row, from 1.
    row: i64,
    /// The name of the file; missing where nobody knows it any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// The line it begins in, or its row in the sheet, from 1.
    line: i64,
    /// What stands there, by the names of the columns.
    #[schema(value_type = Object)]
    values: Map<String, Value>,
}

/// The row of a file that a record came from, as it was brought. For those who may change the record and see each of its
/// fields: a row also holds columns that were left out of the import.
#[utoipa::path(
    get, path = "/api/records/{id}/source", tag = "records",
    params(("id" = String, Path, description = "The record's id")),
    responses((status = 200, body = SourceRowBody), (status = 410, description = "The file is not kept any more"))
)]
pub async fn source(State(api): State<Api>, caller: Caller, Path(id): Path<String>) -> Result<Json<SourceRowBody>> {
    let seen = api.service.read(&caller, &id).await?;
    let (row, original) = api.service.source(&caller, &seen).await?;
    let Some(original) = original else {
        let words = format!("The record came from row {row} of a file that is not kept any more.");
        return Err(Error::new(Code::Gone, words));
    };
    Ok(Json(SourceRowBody {
        row,
        file: Some(original.file).filter(|name| !name.is_empty()),
        line: original.line,
        values: original.values,
    }))
}
