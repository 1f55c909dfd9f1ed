//! JSON: jobs with their logs and live states, processes.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State as With;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use serde::Deserialize;
use utoipa_axum::routes;

use super::model::{JobList, JobView, LogLineView, LogList, ProcessList, ProcessView};
use super::{JOBS_MANAGE, JOBS_READ, OPERATIONS_READ, Room};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::{Json, Path, Query, RouteSet, Routes};
use crate::kernel::id::is_id;
use crate::kernel::jobs::{self, Job, JobFilter, State};
use crate::kernel::{ledger, process};

const PAGE: i64 = 50;
const MAX_PAGE: i64 = 200;
const MAX_LINES: i64 = 1_000;
/// Changes that are counted to tell how far an index is behind.
const MOST_LAG: i64 = 10_000;

pub(super) fn routes(room: Room) -> Routes {
    RouteSet::new()
        .route(JOBS_READ, routes!(list))
        .route(JOBS_READ, routes!(show))
        .route(JOBS_READ, routes!(log))
        .route(JOBS_READ, routes!(events))
        .route(JOBS_MANAGE, routes!(cancel))
        .route(JOBS_MANAGE, routes!(retry))
        .route(JOBS_MANAGE, routes!(retry_failed))
        .route(OPERATIONS_READ, routes!(processes))
        .with_state(room)
}

#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only jobs in this state.
    #[serde(default)]
    state: Option<State>,
    /// Only jobs of this kind: the history of a schedule.
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    queue: Option<String>,
    /// Only jobs that a request led to, by its id.
    #[serde(default)]
    request: Option<String>,
    /// Only the parts of this job.
    #[serde(default)]
    parent: Option<String>,
    /// At most 200.
    #[serde(default)]
    limit: Option<i64>,
    /// `next` of the page before.
    #[serde(default)]
    cursor: Option<String>,
}

fn limited(limit: Option<i64>, ordinary: i64, most: i64) -> Result<i64> {
    match limit.unwrap_or(ordinary) {
        limit if (1..=most).contains(&limit) => Ok(limit),
        _ => Err(Error::invalid("limit", format!("must be between 1 and {most}"))),
    }
}

/// Jobs, newest first.
#[utoipa::path(get, path = "/api/jobs", tag = "operations", params(ListQuery), responses((status = 200, body = JobList)))]
async fn list(With(room): With<Room>, Query(query): Query<ListQuery>) -> Result<Json<JobList>> {
    let limit = limited(query.limit, PAGE, MAX_PAGE)?;
    if query.cursor.as_deref().is_some_and(|c| !is_id(c)) {
        return Err(Error::new(
            Code::BadRequest,
            "cursor: take it from \"next\" of the page before.",
        ));
    }
    let filter = JobFilter {
        state: query.state,
        kind: query.kind,
        queue: query.queue,
        request: query.request,
        parent: query.parent,
        before: query.cursor,
    };
    let mut found = jobs::list(&room.kernel.db, &filter, limit + 1).await?;
    let has_more = found.len() as i64 > limit;
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = found.last().filter(|_| has_more).map(|job| job.id.clone());
    Ok(Json(JobList {
        items: found.into_iter().map(JobView::from).collect(),
        next,
    }))
}

/// One job.
#[utoipa::path(get, path = "/api/jobs/{id}", tag = "operations", params(("id" = String, Path)), responses((status = 200, body = JobView)))]
async fn show(With(room): With<Room>, Path(id): Path<String>) -> Result<Json<JobView>> {
    Ok(Json(jobs::get(&room.kernel.db, &id).await?.into()))
}

/// Asks a job to stop.
#[utoipa::path(
    post, path = "/api/jobs/{id}/cancel", tag = "operations", params(("id" = String, Path)),
    responses((status = 202, body = JobView), (status = 409, description = "It has ended already"))
)]
async fn cancel(With(room): With<Room>, Path(id): Path<String>) -> Result<impl IntoResponse> {
    let job: JobView = jobs::cancel(&room.kernel.db, &id).await?.into();
    Ok((StatusCode::ACCEPTED, Json(job)))
}

/// Tries a failed or cancelled job again, or a waiting one before its time.
#[utoipa::path(
    post, path = "/api/jobs/{id}/retry", tag = "operations", params(("id" = String, Path)),
    responses((status = 202, body = JobView), (status = 409, description = "It is done, or runs"))
)]
async fn retry(With(room): With<Room>, Path(id): Path<String>) -> Result<impl IntoResponse> {
    let job: JobView = jobs::retry(&room.kernel.db, &id).await?.into();
    Ok((StatusCode::ACCEPTED, Json(job)))
}

#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct FailedQuery {
    /// Only jobs of this kind.
    #[serde(default)]
    kind: Option<String>,
}

/// How many jobs are tried again.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
struct Retried {
    retried: u64,
}

/// Tries every failed job again.
#[utoipa::path(
    post, path = "/api/jobs/retry-failed", tag = "operations", params(FailedQuery),
    responses((status = 200, body = Retried))
)]
async fn retry_failed(With(room): With<Room>, Query(query): Query<FailedQuery>) -> Result<Json<Retried>> {
    let retried = jobs::retry_failed(&room.kernel.db, query.kind.as_deref()).await?;
    Ok(Json(Retried { retried }))
}

#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LogQuery {
    /// Only lines after this one.
    #[serde(default)]
    after: i64,
    /// At most 1,000.
    #[serde(default)]
    limit: Option<i64>,
}

/// A job's log, oldest line first.
#[utoipa::path(get, path = "/api/jobs/{id}/log", tag = "operations", params(("id" = String, Path), LogQuery), responses((status = 200, body = LogList)))]
async fn log(With(room): With<Room>, Path(id): Path<String>, Query(query): Query<LogQuery>) -> Result<Json<LogList>> {
    let limit = limited(query.limit, MAX_LINES, MAX_LINES)?;
    jobs::get(&room.kernel.db, &id).await?;
    let lines = jobs::log_lines(&room.kernel.db, &id, query.after, limit).await?;
    let next = lines.last().map_or(query.after, |line| line.line);
    Ok(Json(LogList {
        items: lines.into_iter().map(LogLineView::from).collect(),
        next,
    }))
}

/// A job's states as they come, as server-sent events named `job`, until it ends.
#[utoipa::path(
    get, path = "/api/jobs/{id}/events", tag = "operations", params(("id" = String, Path)),
    responses((status = 200, content_type = "text/event-stream", description = "Each event's data is the job"))
)]
async fn events(With(room): With<Room>, Path(id): Path<String>) -> Result<Response> {
    jobs::get(&room.kernel.db, &id).await?;
    let states = jobs::watch(&room.kernel.db, &id).map(|state| Ok::<_, Infallible>(event(state)));
    let stop = room.kernel.stop.clone();
    let states = states.take_until(async move { stop.cancelled().await });
    Ok(Sse::new(states)
        .keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
        .into_response())
}

fn event(state: Result<Job>) -> Event {
    let data = state.and_then(|job| Ok(serde_json::to_string(&JobView::from(job))?));
    match data {
        Ok(data) => Event::default().event("job").data(data),
        Err(error) => Event::default().event("gone").data(error.code().as_str()),
    }
}

/// The processes of this installation.
#[utoipa::path(get, path = "/api/processes", tag = "operations", responses((status = 200, body = ProcessList)))]
async fn processes(With(room): With<Room>) -> Result<Json<ProcessList>> {
    let now = room.kernel.clock.now();
    let mut items = Vec::new();
    for process in process::list(&room.kernel.db).await? {
        let lag = match process.index {
            Some(known) => Some(ledger::count_after(&room.kernel.db, known, MOST_LAG).await?),
            None => None,
        };
        items.push(ProcessView::at(process, now, lag));
    }
    Ok(Json(ProcessList { items }))
}
