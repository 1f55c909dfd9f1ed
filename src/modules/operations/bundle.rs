//! What helps others to help, in one file that can be read before it is sent: program, settings, health, processes,
//! schedules, jobs that failed, figures and the last lines of the log. No records, no payloads of jobs, no secrets.

use axum::extract::State as With;
use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Value, json};
use utoipa_axum::routes;

use super::health::look;
use super::logs::find;
use super::model::{JobView, ProcessView, ScheduleView};
use super::{OPERATIONS_MANAGE, Room, scrub};
use crate::kernel::clock::rfc3339;
use crate::kernel::error::Result;
use crate::kernel::http::{Json, RouteSet, Routes};
use crate::kernel::jobs::{self, Job, JobFilter, State};
use crate::kernel::telemetry::{self, LogEntry, LogQuery};
use crate::kernel::{process, program, schedule};

/// Lines of the log, whatever they say.
const LINES: usize = 1_000;
/// Lines of the log that warn.
const WARNINGS: usize = 1_000;
/// Jobs that failed, and jobs that have not ended.
const JOBS: i64 = 50;

pub(super) fn routes(room: Room) -> Routes {
    RouteSet::new()
        .route(OPERATIONS_MANAGE, routes!(support_bundle))
        .with_state(room)
}

/// What helps others to help, as one JSON file without secrets, records and payloads of jobs.
#[utoipa::path(get, path = "/api/support-bundle", tag = "operations", responses((status = 200, body = Value)))]
async fn support_bundle(With(room): With<Room>) -> Result<impl IntoResponse> {
    let bundle = scrub::value(collect(&room).await?, &known(&room));
    let name = [(
        header::CONTENT_DISPOSITION,
        "attachment; filename=\"vitrine-support.json\"",
    )];
    Ok((name, Json(bundle)))
}

/// The secrets that this process knows by themselves.
fn known(room: &Room) -> Vec<String> {
    let url = &room.kernel.config.database.url;
    let login = url.split_once("://").and_then(|(_, rest)| rest.rsplit_once('@'));
    let password = login.and_then(|(login, _)| login.split_once(':'));
    password.map(|(_, password)| password.to_owned()).into_iter().collect()
}

async fn collect(room: &Room) -> Result<Value> {
    let kernel = &room.kernel;
    let now = kernel.clock.now();
    telemetry::measure(kernel).await?;
    let processes = process::list(&kernel.db).await?.into_iter();
    let schedules = schedule::list(&kernel.db).await?.into_iter();
    let counts = jobs::counts(&kernel.db).await?.into_iter();
    let counts = counts.map(|c| json!({ "queue": c.queue, "state": c.state, "count": c.count }));
    let pending = kernel.db.migrations().await?.into_iter().filter(|m| !m.applied).count();
    Ok(json!({
        "about": "A report on this house for whoever helps. It holds no records, no payloads of jobs and no secrets that \
                  could be told as such; read it before you send it.",
        "made_at": rfc3339(now),
        "program": {
            "version": program::VERSION, "commit": program::COMMIT,
            "system": std::env::consts::OS, "machine": std::env::consts::ARCH,
        },
        "database": {
            "engine": kernel.db.engine().name(), "bytes": kernel.db.size().await?, "log_bytes": kernel.db.log_size(),
            "pending_migrations": pending,
        },
        "disk_free_bytes": telemetry::disk_free(kernel.data.root()),
        "settings": kernel.config.origins,
        "log_level": telemetry::level(),
        "components": look(room).await,
        "processes": processes.map(|p| ProcessView::at(p, now, None)).collect::<Vec<_>>(),
        "schedules": schedules.map(ScheduleView::from).collect::<Vec<_>>(),
        "jobs": {
            "counts": counts.collect::<Vec<_>>(),
            "failed": some_jobs(room, State::Failed).await?,
            "waiting": some_jobs(room, State::Waiting).await?,
            "running": some_jobs(room, State::Running).await?,
        },
        "metrics": telemetry::metrics_text().lines().collect::<Vec<_>>(),
        "warnings": lines(room, Some("warn"), WARNINGS).await?,
        "log": lines(room, None, LINES).await?,
    }))
}

/// Jobs of a state without what they were made with and came to.
async fn some_jobs(room: &Room, state: State) -> Result<Vec<Value>> {
    let filter = JobFilter {
        state: Some(state),
        ..JobFilter::default()
    };
    let found = jobs::list(&room.kernel.db, &filter, JOBS).await?;
    let bare = |job: Job| -> Result<Value> {
        let mut shown = serde_json::to_value(JobView::from(job))?;
        if let Some(fields) = shown.as_object_mut() {
            fields.shift_remove("result");
        }
        Ok(shown)
    };
    found.into_iter().map(bare).collect()
}

async fn lines(room: &Room, level: Option<&str>, limit: usize) -> Result<Vec<LogEntry>> {
    let query = LogQuery {
        level: level.map(str::to_owned),
        ..LogQuery::default()
    };
    let found = find(room.kernel.data.folder("logs")?, query, limit).await?;
    Ok(found.into_iter().map(|(_, entry)| entry).collect())
}
