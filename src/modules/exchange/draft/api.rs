//! JSON: a file is brought, its draft looked at and changed, rehearsed, imported or thrown away.

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};
use tokio_util::io::StreamReader;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::model::{Choices, Column, Doubt};
use super::service::Draft;
use crate::contract::exchange::{DateOrder, Decimal, Reading};
use crate::contract::records::{RECORDS_WRITE, RecordType};
use crate::kernel::access::Caller;
use crate::kernel::error::Result;
use crate::kernel::http::{Json, Path, ProblemDocument, Query, RouteSet, Routes};
use crate::kernel::jobs::{Job, State as JobState};
use crate::modules::exchange::api::{broken, patience};
use crate::modules::exchange::read::Look;
use crate::modules::exchange::service::Service;

pub fn routes(service: Service) -> Routes {
    RouteSet::new()
        .upload(RECORDS_WRITE, routes!(upload))
        .route(RECORDS_WRITE, routes!(list))
        .route(RECORDS_WRITE, routes!(show, choose, discard))
        .route(RECORDS_WRITE, routes!(preview))
        .route(RECORDS_WRITE, routes!(run))
        .with_state(service)
}

/// A file that waits to be imported.
#[derive(Serialize, ToSchema)]
pub struct DraftView {
    id: String,
    file: String,
    bytes: i64,
    /// The file, kept once.
    blob: String,
    /// The page where a person goes on with it.
    page: String,
    choices: Choices,
    /// What was found in the whole file; missing until it has been looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<FoundView>,
    /// The job that looks at it, while it does, and why it could not.
    #[serde(skip_serializing_if = "Option::is_none")]
    looking: Option<Looking>,
    /// The job of the preview; `GET /api/imports/{job}` answers what it came to.
    #[serde(skip_serializing_if = "Option::is_none")]
    preview: Option<String>,
    /// The job of the import.
    #[serde(skip_serializing_if = "Option::is_none")]
    import: Option<String>,
    /// The import that brought the same bytes before.
    #[serde(skip_serializing_if = "Option::is_none")]
    imported_before: Option<String>,
    /// Milliseconds since 1970 at which it is thrown away.
    expires_at: i64,
}

/// What was found, and what follows from it with the choices.
#[derive(Serialize, ToSchema)]
struct FoundView {
    rows: i64,
    unreadable: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_fault: Option<String>,
    columns: Vec<Column>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decimal_doubt: Option<DecimalDoubt>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date_doubt: Option<DateDoubt>,
    /// The type that an import would write.
    definition: RecordType,
    left_out: Vec<String>,
    /// How the file would be read.
    reading: Reading,
}

#[derive(Serialize, ToSchema)]
struct DecimalDoubt {
    columns: Vec<String>,
    examples: Vec<String>,
    #[schema(inline)]
    allowed: Vec<Decimal>,
}

#[derive(Serialize, ToSchema)]
struct DateDoubt {
    columns: Vec<String>,
    examples: Vec<String>,
    #[schema(inline)]
    allowed: Vec<DateOrder>,
}

#[derive(Serialize, ToSchema)]
struct Looking {
    job: String,
    state: JobState,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Drafts that wait.
#[derive(Serialize, ToSchema)]
struct DraftList {
    items: Vec<DraftLine>,
}

#[derive(Serialize, ToSchema)]
struct DraftLine {
    id: String,
    file: String,
    bytes: i64,
    created_at: i64,
    expires_at: i64,
}

/// A look at the first rows, beside the draft.
#[derive(Serialize, ToSchema)]
struct DraftWithSample {
    #[serde(flatten)]
    draft: DraftView,
    #[serde(skip_serializing_if = "Option::is_none")]
    sample: Option<Look>,
}

/// A job that was begun.
#[derive(Serialize, ToSchema)]
struct Started {
    /// `GET /api/imports/{job}` tells how it is.
    job: String,
}

async fn view(service: &Service, draft: Draft, job: Option<Job>) -> Result<DraftView> {
    let found = match &draft.found {
        None => None,
        Some(found) => {
            let plan = service.plan_of(&draft).await?;
            Some(FoundView {
                rows: found.rows,
                unreadable: found.unreadable,
                first_fault: found.first_fault.clone(),
                decimal_doubt: found.decimal_doubt().map(
                    |Doubt {
                         columns,
                         examples,
                         allowed,
                     }| DecimalDoubt {
                        columns,
                        examples,
                        allowed,
                    },
                ),
                date_doubt: found.date_doubt().map(
                    |Doubt {
                         columns,
                         examples,
                         allowed,
                     }| DateDoubt {
                        columns,
                        examples,
                        allowed,
                    },
                ),
                columns: found.columns.clone(),
                definition: plan.definition,
                left_out: plan.left_out,
                reading: plan.reading,
            })
        }
    };
    let earlier = service.earlier(&draft).await?;
    let looking = job.filter(|_| found.is_none()).map(|job| Looking {
        job: job.id,
        state: job.state,
        error: job.error,
    });
    Ok(DraftView {
        page: format!("/import/{}", draft.row.id),
        id: draft.row.id,
        file: draft.row.name,
        bytes: draft.row.bytes,
        blob: draft.row.blob,
        choices: draft.choices,
        found,
        looking,
        preview: draft.row.preview_job,
        import: draft.row.import_job,
        imported_before: earlier.map(|earlier| earlier.job_id),
        expires_at: draft.row.expires_at,
    })
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct UploadQuery {
    /// The name of the file: it helps to tell its format and names the collection.
    #[serde(default)]
    name: String,
}

/// Brings a file, as the body: it is stored and waits as a draft, nothing is imported yet.
#[utoipa::path(
    post, path = "/api/uploads", tag = "exchange", params(UploadQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The file as it is."),
    responses(
        (status = 201, description = "The draft.", body = DraftView),
        (status = 413, description = "The file is too large.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 507, description = "The disk is full; nothing was kept.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn upload(
    State(service): State<Service>,
    caller: Caller,
    Query(query): Query<UploadQuery>,
    body: Body,
) -> Result<impl IntoResponse> {
    let reader = StreamReader::new(body.into_data_stream().map_err(std::io::Error::other));
    let draft = service.bring(&caller, &query.name, reader).await.map_err(broken)?;
    Ok((StatusCode::CREATED, Json(view(&service, draft, None).await?)))
}

/// The caller's drafts that wait, oldest first.
#[utoipa::path(get, path = "/api/import-drafts", tag = "exchange", responses((status = 200, body = DraftList)))]
async fn list(State(service): State<Service>, caller: Caller) -> Result<Json<DraftList>> {
    let drafts = service.drafts(&caller).await?;
    let items = drafts.into_iter().map(|draft| DraftLine {
        id: draft.row.id,
        file: draft.row.name,
        bytes: draft.row.bytes,
        created_at: draft.row.created_at,
        expires_at: draft.row.expires_at,
    });
    Ok(Json(DraftList { items: items.collect() }))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ShowQuery {
    /// Also answer how the first rows are read.
    #[serde(default)]
    sample: bool,
    /// Milliseconds to wait until the whole file has been looked at, at most 20,000.
    #[serde(default)]
    wait: u64,
}

/// A draft: what was found in its file, what was chosen, and the type that follows. The first time begins to look at the
/// whole file.
#[utoipa::path(
    get, path = "/api/import-drafts/{id}", tag = "exchange", params(("id" = String, Path), ShowQuery),
    responses(
        (status = 200, body = DraftWithSample),
        (status = 404, description = "There is no such draft.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn show(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<ShowQuery>,
) -> Result<Json<DraftWithSample>> {
    let (draft, job) = service.found(&caller, &id, patience(query.wait)).await?;
    let sample = match query.sample {
        true => Some(service.sample(&draft).await?),
        false => None,
    };
    let draft = view(&service, draft, job).await?;
    Ok(Json(DraftWithSample { draft, sample }))
}

/// Changes what is chosen: the whole set of choices, where what is left out is as it was found.
#[utoipa::path(
    patch, path = "/api/import-drafts/{id}", tag = "exchange", params(("id" = String, Path)), request_body = Choices,
    responses(
        (status = 200, body = DraftView),
        (status = 404, description = "There is no such draft.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "It has been imported already.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "A choice cannot be used.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn choose(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
    Json(choices): Json<Choices>,
) -> Result<Json<DraftView>> {
    let draft = service.choose(&caller, &id, &choices).await?;
    Ok(Json(view(&service, draft, None).await?))
}

/// Throws a draft away, and its file unless something else needs it.
#[utoipa::path(
    delete, path = "/api/import-drafts/{id}", tag = "exchange", params(("id" = String, Path)),
    responses(
        (status = 204, description = "It is gone."),
        (status = 404, description = "There is no such draft.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn discard(State(service): State<Service>, caller: Caller, Path(id): Path<String>) -> Result<StatusCode> {
    service.discard(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Begins a preview: what an import would do, row by row, without writing anything.
#[utoipa::path(
    post, path = "/api/import-drafts/{id}/preview", tag = "exchange", params(("id" = String, Path)),
    responses(
        (status = 202, body = Started),
        (status = 409, description = "It has been imported already, or was not looked at yet.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "The type cannot be made like this.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn preview(State(service): State<Service>, caller: Caller, Path(id): Path<String>) -> Result<impl IntoResponse> {
    let draft = service.rehearse(&caller, &id).await?;
    let job = draft.row.preview_job.unwrap_or_default();
    Ok((StatusCode::ACCEPTED, Json(Started { job })))
}

/// Begins the import. A second time answers the same job.
#[utoipa::path(
    post, path = "/api/import-drafts/{id}/run", tag = "exchange", params(("id" = String, Path)),
    responses(
        (status = 202, body = Started),
        (status = 409, description = "It was not looked at yet.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "The type cannot be made like this.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn run(State(service): State<Service>, caller: Caller, Path(id): Path<String>) -> Result<impl IntoResponse> {
    let job = service.run_draft(&caller, &id).await?;
    Ok((StatusCode::ACCEPTED, Json(Started { job })))
}
