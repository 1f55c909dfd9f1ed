//! Queues: what waits in each and for how long, who serves it, pausing one and letting it go on. As JSON and as forms.

use axum::extract::State as With;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::{Deserialize, Serialize};
use utoipa_axum::routes;

use super::{JOBS_MANAGE, JOBS_READ, Room};
use crate::kernel::access::Caller;
use crate::kernel::clock::rfc3339;
use crate::kernel::error::Result;
use crate::kernel::http::{Form, Json, Path, RouteSet, Routes};
use crate::kernel::jobs::{self, Queue};
use crate::kernel::ui::Flash;

pub(super) fn routes(room: Room) -> Routes {
    RouteSet::new()
        .route(JOBS_READ, routes!(queues))
        .route(JOBS_MANAGE, routes!(pause_queue))
        .route(JOBS_MANAGE, routes!(resume_queue))
        .page(JOBS_MANAGE, Method::POST, "/jobs/queues", post(by_form))
        .with_state(room)
}

/// A queue now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct QueueView {
    name: String,
    waiting: i64,
    running: i64,
    /// Milliseconds for which the first of the jobs that are ready has waited.
    lag_ms: i64,
    /// A living worker serves it.
    served: bool,
    /// Nobody does, since its workers pause.
    workers_pause: bool,
    /// Who paused it; absent while it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    paused_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paused_at: Option<String>,
}

impl From<Queue> for QueueView {
    fn from(queue: Queue) -> Self {
        Self {
            name: queue.name,
            waiting: queue.waiting,
            running: queue.running,
            lag_ms: queue.lag,
            served: queue.served,
            workers_pause: queue.waits_for_workers,
            paused_at: queue.pause.as_ref().map(|pause| rfc3339(pause.at)),
            paused_by: queue.pause.map(|pause| pause.by),
        }
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct QueueList {
    items: Vec<QueueView>,
}

/// The queues of jobs.
#[utoipa::path(get, path = "/api/queues", tag = "operations", responses((status = 200, body = QueueList)))]
async fn queues(With(room): With<Room>) -> Result<Json<QueueList>> {
    let items = jobs::queues(&room.kernel.db).await?.into_iter();
    Ok(Json(QueueList {
        items: items.map(QueueView::from).collect(),
    }))
}

/// Lets no job of a queue begin until it is resumed. Jobs that run go on.
#[utoipa::path(
    post, path = "/api/queues/{queue}/pause", tag = "operations", params(("queue" = String, Path)),
    responses((status = 204, description = "It is paused"), (status = 404, description = "There is no such queue"))
)]
async fn pause_queue(With(room): With<Room>, caller: Caller, Path(queue): Path<String>) -> Result<StatusCode> {
    jobs::pause(&room.kernel.db, &caller, &queue).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets a paused queue go on.
#[utoipa::path(
    post, path = "/api/queues/{queue}/resume", tag = "operations", params(("queue" = String, Path)),
    responses((status = 204, description = "It goes on"), (status = 404, description = "There is no such queue"))
)]
async fn resume_queue(With(room): With<Room>, Path(queue): Path<String>) -> Result<StatusCode> {
    jobs::resume(&room.kernel.db, &queue).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Steering {
    queue: String,
    paused: bool,
}

async fn by_form(With(room): With<Room>, caller: Caller, Form(form): Form<Steering>) -> Result<Response> {
    let db = &room.kernel.db;
    let said = if form.paused {
        jobs::pause(db, &caller, &form.queue).await?;
        "toast.queue-paused"
    } else {
        jobs::resume(db, &form.queue).await?;
        "toast.queue-resumed"
    };
    let place = [(header::LOCATION, "/jobs")];
    Ok((StatusCode::SEE_OTHER, Flash::new(said).about(&form.queue), place).into_response())
}
