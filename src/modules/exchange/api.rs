//! JSON: imports (a file as the body of a request), how they are, their reports.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};
use tokio_util::io::StreamReader;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::export::api::download;
use super::model::{Import, Options};
use super::service::{Seen, Service};
use crate::contract::exchange::{DateOrder, Decimal, Format, ImportReport, Quote, Reading};
use crate::contract::records::RECORDS_WRITE;
use crate::kernel::access::{Caller, Level};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::{Json, Path, ProblemDocument, Query, RouteSet, Routes};
use crate::kernel::jobs::State as JobState;

/// An answer waits at most so long.
const MAX_WAIT: u64 = 20_000;

pub fn routes(service: Service) -> Routes {
    RouteSet::new()
        .upload(RECORDS_WRITE, routes!(begin))
        .route(RECORDS_WRITE, routes!(show))
        .route(RECORDS_WRITE, routes!(report))
        .with_state(service)
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ImportQuery {
    /// The type of the records.
    #[serde(rename = "type")]
    type_name: String,
    /// The name of the file: it helps to tell its format and stands in the history.
    #[serde(default)]
    name: Option<String>,
    /// Make the type from the file, or add the fields it lacks.
    #[serde(default)]
    infer: bool,
    /// The field by which rows are recognised; without it, the type's own.
    #[serde(default)]
    key: Option<String>,
    /// Say what would be, and write nothing.
    #[serde(default)]
    dry_run: bool,
    /// Delete records of the type that are not in the file. Needs a key.
    #[serde(default)]
    delete_missing: bool,
    /// Told by content and name where it is not given.
    #[serde(default)]
    #[param(inline)]
    format: Option<Format>,
    /// Who sees the records of a type that is made from the file; members where nothing is said.
    #[serde(default)]
    #[param(inline)]
    visibility: Option<Level>,
    /// Why, in words; kept with the change set.
    #[serde(default)]
    reason: Option<String>,
    /// A cell that says "no value", such as `NA`; repeatable.
    #[serde(default)]
    missing: Vec<String>,
    /// Encoding of a text file, such as `windows-1252`.
    #[serde(default)]
    encoding: Option<String>,
    /// What stands between the cells of a CSV file.
    #[serde(default)]
    delimiter: Option<char>,
    /// What stands around cells of a CSV file.
    #[serde(default)]
    #[param(inline)]
    quote: Option<Quote>,
    /// The row that names the columns, from 1; 0 where none does.
    #[serde(default)]
    header_row: Option<u32>,
    /// The sheet of a workbook.
    #[serde(default)]
    sheet: Option<String>,
    /// The file in a zip archive.
    #[serde(default)]
    entry: Option<String>,
    /// The decimal sign of the file's numbers.
    #[serde(default)]
    #[param(inline)]
    decimal: Option<Decimal>,
    /// The order of day, month and year in the file's dates.
    #[serde(default)]
    #[param(inline)]
    date_order: Option<DateOrder>,
    /// Leave out columns that have no value in the whole file.
    #[serde(default)]
    skip_empty_columns: bool,
}

impl ImportQuery {
    /// The name of the file and what is to be done with it.
    fn asked(self) -> (String, Options) {
        let name = self.name.filter(|n| !n.is_empty());
        let name = name.unwrap_or_else(|| "upload".to_owned());
        let options = Options {
            type_name: self.type_name,
            key: self.key.filter(|k| !k.is_empty()),
            infer: self.infer,
            dry_run: self.dry_run,
            delete_missing: self.delete_missing,
            format: self.format,
            visibility: self.visibility,
            missing: self.missing,
            reason: self.reason.unwrap_or_default(),
            reading: Reading {
                encoding: self.encoding,
                delimiter: self.delimiter,
                quote: self.quote,
                header_row: self.header_row,
                sheet: self.sheet,
                entry: self.entry,
                decimal: self.decimal,
                date_order: self.date_order,
                skip_empty_columns: self.skip_empty_columns,
            },
            definition: None,
            left_out: Vec::new(),
            dina: None,
            mapping: None,
        };
        (name.chars().filter(|c| !c.is_control()).take(200).collect(), options)
    }
}

/// An import that is on its way.
#[derive(Serialize, ToSchema)]
struct Begun {
    /// Its job.
    job: String,
    /// The file, kept once.
    blob: String,
    bytes: u64,
}

/// What a running or broken import has committed.
#[derive(Serialize, ToSchema)]
struct SoFar {
    rows: i64,
    created: i64,
    updated: i64,
    unchanged: i64,
    deleted: i64,
    refused: i64,
}

/// How an import is.
#[derive(Serialize, ToSchema)]
struct ImportView {
    job: String,
    state: JobState,
    /// Bytes of the file that are read, of how many.
    done: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<i64>,
    note: String,
    /// What is committed so far; the final numbers stand in the report's own fields.
    #[serde(flatten)]
    so_far: Option<SoFar>,
    /// Why it ended badly.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// Why it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    waits: Option<String>,
    /// What was imported can be found.
    searchable: bool,
    /// What it did, once it is done.
    #[serde(flatten)]
    report: Option<ImportReport>,
}

impl From<Seen> for ImportView {
    fn from(seen: Seen) -> Self {
        let standing = seen.standing.unwrap_or_default();
        let so_far = SoFar {
            rows: super::import::row_of(standing.cursor),
            created: standing.created,
            updated: standing.updated,
            unchanged: standing.unchanged,
            deleted: standing.deleted,
            refused: standing.refused,
        };
        Self {
            job: seen.job.id,
            state: seen.job.state,
            done: seen.job.progress.done,
            total: seen.job.progress.total,
            note: seen.job.progress.note,
            so_far: seen.report.is_none().then_some(so_far),
            error: seen.job.error,
            waits: seen.job.wait.map(|wait| wait.to_string()),
            searchable: seen.searchable,
            report: seen.report,
        }
    }
}

/// Imports the file that is the body: CSV, a workbook (.xlsx, .ods), a JSON array or JSON lines, plain, gzipped or in a zip
/// archive.
#[utoipa::path(
    post, path = "/api/imports", tag = "exchange", params(ImportQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The file as it is."),
    responses(
        (status = 202, description = "The file is stored, the job begins.", body = Begun),
        (status = 413, description = "The file is too large.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 507, description = "The disk is full; nothing was kept.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn begin(
    State(service): State<Service>,
    caller: Caller,
    Query(query): Query<ImportQuery>,
    body: Body,
) -> Result<impl IntoResponse> {
    let (name, options) = query.asked();
    // Before a large file comes in for nothing.
    service.admit(&caller, &options).await?;
    let reader = StreamReader::new(body.into_data_stream().map_err(std::io::Error::other));
    let stored = service
        .kernel
        .blobs
        .put_stream(reader, service.kernel.config.http.upload_limit)
        .await
        .map_err(broken)?;
    let import = Import {
        blob: stored.id,
        bytes: stored.bytes,
        name,
        options,
    };
    let job = service.begin(&caller, &import).await?;
    Ok((
        StatusCode::ACCEPTED,
        Json(Begun {
            job,
            blob: import.blob,
            bytes: import.bytes,
        }),
    ))
}

/// A body that breaks off is the sender's matter, not ours.
pub(super) fn broken(error: Error) -> Error {
    let long = |e: &anyhow::Error| e.chain().any(|cause| cause.to_string().contains("length limit"));
    match (error.code(), error.source()) {
        (Code::Internal, Some(source)) if long(source) => Error::new(
            Code::TooLarge,
            "The file is larger than what is taken here (http.upload_limit).",
        ),
        (Code::Internal, Some(_)) => Error::new(
            Code::BadRequest,
            "The file broke off before its end, nothing was kept. Send it again.",
        )
        .caused_by(error),
        _ => error,
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ShowQuery {
    /// Milliseconds to wait for its end, and where records come of it, until they can be found; at most 20,000.
    #[serde(default)]
    wait: u64,
}

impl ShowQuery {
    pub(super) fn patience(&self) -> Duration {
        patience(self.wait)
    }
}

/// How long an answer waits that was asked to, at most [`MAX_WAIT`].
pub(super) fn patience(wait: u64) -> Duration {
    Duration::from_millis(wait.min(MAX_WAIT))
}

/// How an import is.
#[utoipa::path(
    get, path = "/api/imports/{job}", tag = "exchange", params(("job" = String, Path), ShowQuery),
    responses(
        (status = 200, body = ImportView),
        (status = 404, description = "There is no such import.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn show(
    State(service): State<Service>,
    caller: Caller,
    Path(job): Path<String>,
    Query(query): Query<ShowQuery>,
) -> Result<Json<ImportView>> {
    Ok(Json(service.look(&caller, &job, query.patience()).await?.into()))
}

/// The rows that an import refused, as CSV: row, line, field, what is wrong, what stands there.
#[utoipa::path(
    get, path = "/api/imports/{job}/report", tag = "exchange", params(("job" = String, Path)),
    responses(
        (status = 200, description = "The report.", body = String, content_type = "text/csv"),
        (status = 404, description = "There is no such import, or it has no report yet.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn report(State(service): State<Service>, caller: Caller, Path(job): Path<String>) -> Result<Response> {
    let name = format!("refused-{job}");
    let Some(blob) = service.report(&caller, &job).await? else {
        return Ok(download(
            Body::from("row,line,field,message,value\r\n"),
            Format::Csv,
            &name,
        ));
    };
    let stream = service.kernel.blobs.stream(&blob).await?;
    Ok(download(Body::from_stream(stream), Format::Csv, &name))
}
