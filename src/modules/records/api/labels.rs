//! Labels over HTTP: a file is asked for, looked at and fetched.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use crate::kernel::access::Caller;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::{Json, Path};
use crate::kernel::jobs::State as JobState;
use crate::modules::records::labels::{Labels, Print};

/// A file of labels that is on its way, or has been made.
#[derive(Debug, Serialize, ToSchema)]
pub struct LabelBody {
    /// Its job.
    job: String,
    state: JobState,
    /// Labels so far, and of how many.
    done: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<i64>,
    /// Why there is no file.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// Where it is fetched, for a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
}

async fn body(labels: &Labels, caller: &Caller, job: &str) -> Result<LabelBody> {
    let seen = labels.look(caller, job).await?;
    Ok(LabelBody {
        state: seen.job.state,
        done: seen.job.progress.done,
        total: seen.job.progress.total,
        error: seen.job.error,
        file: seen.blob.map(|_| format!("/api/labels/{job}/file")),
        job: job.to_owned(),
    })
}

/// Begins to make a PDF with a label for each record of a batch of yours: fields, a QR code that leads to the record, bars.
#[utoipa::path(
    post, path = "/api/batches/{id}/labels", tag = "batches", request_body = Print,
    params(("id" = String, Path, description = "The batch's id")),
    responses((status = 202, body = LabelBody), (status = 404, description = "You have no such batch"))
)]
pub async fn begin(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    Json(print): Json<Print>,
) -> Result<impl IntoResponse> {
    let job = api.labels.begin(&caller, &id, &print).await?;
    Ok((StatusCode::ACCEPTED, Json(body(&api.labels, &caller, &job).await?)))
}

/// How a file of labels of yours is.
#[utoipa::path(
    get, path = "/api/labels/{job}", tag = "batches", params(("job" = String, Path, description = "Its job")),
    responses((status = 200, body = LabelBody), (status = 404, description = "You have no such file"))
)]
pub async fn show(State(api): State<Api>, caller: Caller, Path(job): Path<String>) -> Result<Json<LabelBody>> {
    Ok(Json(body(&api.labels, &caller, &job).await?))
}

/// A file of labels that is made.
#[utoipa::path(
    get, path = "/api/labels/{job}/file", tag = "batches", params(("job" = String, Path, description = "Its job")),
    responses(
        (status = 200, description = "The file", body = Vec<u8>, content_type = "application/pdf"),
        (status = 409, description = "It is not made yet"),
        (status = 410, description = "Its time is over"),
    )
)]
pub async fn file(State(api): State<Api>, caller: Caller, Path(job): Path<String>) -> Result<Response> {
    answer(&api.labels, &caller, &job).await
}

/// The file as an answer, to be saved and not shown.
pub async fn answer(labels: &Labels, caller: &Caller, job: &str) -> Result<Response> {
    let seen = labels.look(caller, job).await?;
    let Some(blob) = seen.blob else {
        let (code, text) = if seen.job.state == JobState::Done {
            (Code::Gone, "Files of labels are kept for a day. Print them once more.")
        } else {
            (
                Code::Conflict,
                "The labels are not made yet. Look at the job to see how far it is.",
            )
        };
        return Err(Error::new(code, text));
    };
    let stream = labels.blobs.stream(&blob).await?;
    let mut response = Response::new(Body::from_stream(stream));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/pdf"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let name = HeaderValue::from_static("attachment; filename=\"labels.pdf\"");
    headers.insert(header::CONTENT_DISPOSITION, name);
    Ok(response)
}
