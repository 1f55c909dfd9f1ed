//! JSON: an export as the answer itself, or as a job whose file is fetched when it is done.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::job::Order;
use super::service::Seen;
use crate::contract::exchange::Format;
use crate::contract::records::RECORDS_READ;
use crate::kernel::access::Caller;
use crate::kernel::clock::rfc3339;
use crate::kernel::error::{Error, Result};
use crate::kernel::http::{Json, Path, ProblemDocument, Query, RouteSet, Routes};
use crate::kernel::jobs::{Parts, State as JobState};
use crate::modules::exchange::api::ShowQuery;
use crate::modules::exchange::service::Service;

pub fn routes(service: Service) -> Routes {
    RouteSet::new()
        .route(RECORDS_READ, routes!(export))
        .route(RECORDS_READ, routes!(begin))
        .route(RECORDS_READ, routes!(show, throw_away))
        .route(RECORDS_READ, routes!(file))
        .with_state(service)
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExportQuery {
    /// The type of the records.
    #[serde(rename = "type")]
    type_name: String,
    /// Only what this search finds; everything where it is empty.
    #[serde(default)]
    q: String,
    /// `csv`, `json`, `jsonl` or `xlsx`.
    #[serde(default)]
    #[param(inline)]
    format: Option<Format>,
}

/// Records as a file. Imported again it changes nothing: `vitrine:id` names each record.
#[utoipa::path(
    get, path = "/api/export", tag = "exchange", params(ExportQuery),
    responses(
        (status = 200, description = "The file, as it is read.", content(
            (String = "application/x-ndjson"),
            (String = "application/json"),
            (String = "text/csv"),
            (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        )),
        (status = 404, description = "There is no such type.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "The question or the format cannot be used.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn export(State(service): State<Service>, caller: Caller, Query(query): Query<ExportQuery>) -> Result<Response> {
    let format = query.format.unwrap_or(Format::Jsonl);
    let export = service.export(&caller, &query.type_name, &query.q, format).await?;
    let stream = export
        .stream()
        .map_err(|error| std::io::Error::other(error.detail().to_owned()));
    Ok(download(Body::from_stream(stream), format, &query.type_name))
}

/// What to export.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewExport {
    /// The type of the records. Without it everything that you may read: a zip archive with a file for each type, made
    /// by parts that run beside each other.
    #[serde(rename = "type", default)]
    type_name: Option<String>,
    /// Only what this search finds; everything where it is empty. Only with a type.
    #[serde(default)]
    q: String,
    /// `csv`, `json`, `jsonl` or `xlsx`.
    format: Format,
}

/// An export that is on its way, or has ended.
#[derive(Serialize, ToSchema)]
struct ExportView {
    /// Its job.
    job: String,
    state: JobState,
    /// Of an archive of everything: how far its parts are.
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<Parts>,
    /// Records written so far, of how many where that is known; of an archive the parts that have ended, then its bytes.
    done: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<i64>,
    format: Format,
    /// Why it ended badly.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// Bytes of the file, once it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    /// Where the file is fetched, while it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// Until when it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
}

impl From<Seen> for ExportView {
    fn from(seen: Seen) -> Self {
        let (job, file) = (seen.job, seen.file);
        Self {
            state: job.state,
            parts: job.parts,
            done: job.progress.done,
            total: job.progress.total,
            format: seen.order.format,
            error: job.error,
            bytes: file.as_ref().map(|(exported, _)| exported.bytes),
            file: file.as_ref().map(|_| format!("/api/exports/{}/file", job.id)),
            expires_at: file.map(|(_, until)| rfc3339(until)),
            job: job.id,
        }
    }
}

/// Begins an export as a job, for more than a connection can wait for. Not for anonymous callers: they take `/api/export`.
#[utoipa::path(
    post, path = "/api/exports", tag = "exchange", request_body = NewExport,
    responses(
        (status = 202, description = "The job begins.", body = ExportView),
        (status = 401, description = "Sign in or bring a token first.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is no such type.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "The format cannot be written.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "Too many of yours wait or are kept.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn begin(
    State(service): State<Service>,
    caller: Caller,
    Json(new): Json<NewExport>,
) -> Result<impl IntoResponse> {
    let job = match new.type_name {
        Some(type_name) => {
            let order = Order {
                type_name,
                q: new.q,
                format: new.format,
            };
            service.begin_export(&caller, &order).await?
        }
        None if new.q.trim().is_empty() => service.begin_all(&caller, new.format).await?,
        None => return Err(Error::invalid("q", "A search needs the type that it is about.")),
    };
    let seen = service.look_export(&caller, &job, Duration::ZERO).await?;
    Ok((StatusCode::ACCEPTED, Json(ExportView::from(seen))))
}

/// How an export is. Only who asked for it sees it.
#[utoipa::path(
    get, path = "/api/exports/{job}", tag = "exchange", params(("job" = String, Path), ShowQuery),
    responses(
        (status = 200, body = ExportView),
        (status = 404, description = "There is no such export.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn show(
    State(service): State<Service>,
    caller: Caller,
    Path(job): Path<String>,
    Query(query): Query<ShowQuery>,
) -> Result<Json<ExportView>> {
    Ok(Json(service.look_export(&caller, &job, query.patience()).await?.into()))
}

/// Throws an export away: one that is on its way is stopped, and its file goes.
#[utoipa::path(
    delete, path = "/api/exports/{job}", tag = "exchange", params(("job" = String, Path)),
    responses(
        (status = 204, description = "It is gone."),
        (status = 404, description = "There is no such export.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn throw_away(State(service): State<Service>, caller: Caller, Path(job): Path<String>) -> Result<StatusCode> {
    service.drop_export(&caller, &job).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The file of an export that is done.
#[utoipa::path(
    get, path = "/api/exports/{job}/file", tag = "exchange", params(("job" = String, Path)),
    responses(
        (status = 200, description = "The file.", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 404, description = "There is no such export.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "It is not done.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "Its time is over.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn file(State(service): State<Service>, caller: Caller, Path(job): Path<String>) -> Result<Response> {
    let (exported, seen) = service.export_file(&caller, &job).await?;
    let stream = service.kernel.blobs.stream(&exported.blob).await?;
    let body = Body::from_stream(stream);
    let mut response = if seen.is_whole {
        saved(body, "application/zip", &format!("{}.zip", seen.order.type_name))
    } else {
        download(body, seen.order.format, &seen.order.type_name)
    };
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, exported.bytes.into());
    Ok(response)
}

/// A file that is saved and not shown.
pub fn download(body: Body, format: Format, name: &str) -> Response {
    let kind = match format {
        Format::Csv => "text/csv; charset=utf-8",
        Format::Json => "application/json",
        Format::Jsonl => "application/x-ndjson",
        Format::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        Format::Ods => "application/vnd.oasis.opendocument.spreadsheet",
        Format::Dwca => "application/zip",
    };
    saved(body, kind, &format!("{name}.{}", format.as_str()))
}

fn saved(body: Body, kind: &'static str, name: &str) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}
