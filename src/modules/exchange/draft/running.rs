//! The page of an import while it runs and after it: progress as it comes, what it did, and what to do next.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::Method;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::StreamExt;

use super::LOOK;
use super::pages::{DraftLine, JobLine, ReportView, RunPage, steps};
use super::ui::{Nothing, go};
use crate::contract::records::{RECORDS_WRITE, TYPES_WRITE};
use crate::kernel::access::{Caller, Level, Object};
use crate::kernel::error::{Error, Result};
use crate::kernel::http::{Form, Path, RouteSet, Routes};
use crate::kernel::jobs;
use crate::kernel::ui::{Flash, Html, Page};
use crate::modules::exchange::model::{IMPORT, Import};
use crate::modules::exchange::service::Service;

/// A page waits so long, so that a small import needs no second look.
const PATIENCE: Duration = Duration::from_millis(1_500);

pub fn routes(service: Service) -> Routes {
    RouteSet::new()
        .page(RECORDS_WRITE, Method::GET, "/imports/{job}", get(run_page))
        .page(RECORDS_WRITE, Method::GET, "/imports/{job}/events", get(events))
        .page(RECORDS_WRITE, Method::POST, "/imports/{job}/cancel", post(cancel))
        .page(RECORDS_WRITE, Method::POST, "/imports/{job}/resume", post(resume))
        .with_state(service)
}

async fn run_page(
    State(service): State<Service>,
    caller: Caller,
    page: Page,
    Path(id): Path<String>,
) -> Result<Html<RunPage>> {
    let seen = service.look(&caller, &id, PATIENCE).await?;
    let import: Import = serde_json::from_value(seen.job.payload.clone())?;
    let name = &import.options.type_name;
    let stored = service.records.record_type(name).await?;
    let definition = stored.as_ref().map(|stored| &stored.definition);
    let public = definition.is_some_and(|d| d.visibility == Level::Public);
    let may_open = !public
        && page
            .may_of(&service.kernel.access, TYPES_WRITE, &Object::Type(name))
            .await;
    let opening = stored
        .as_ref()
        .filter(|_| may_open)
        .map(|stored| (name.clone(), stored.version));
    let standing = seen.standing.unwrap_or_default();
    let set_id = standing.set_id.clone();
    let so_far = ReportView {
        created: standing.created,
        updated: standing.updated,
        unchanged: standing.unchanged,
        refused: standing.refused,
        ..ReportView::default()
    };
    let waiting = service.drafts(&caller).await?;
    let next = waiting
        .iter()
        .find(|draft| draft.row.preview_job.as_deref() != Some(id.as_str()));
    let host = page.public_url.split("://").nth(1).unwrap_or_default().to_owned();
    Ok(Html(RunPage {
        steps: steps(None, 4),
        file: import.name,
        job: JobLine::of(&seen.job),
        so_far,
        took: page
            .language
            .duration(seen.report.as_ref().map_or(0, |r| r.duration_ms)),
        report: seen.report.map(|report| ReportView::of(report, page.language)),
        set_id,
        collection_href: format!("/search?type={name}"),
        searchable: seen.searchable,
        public,
        opening,
        local: host.starts_with("localhost") || host.starts_with("127.") || host.starts_with("[::1]"),
        next_draft: next.map(|draft| DraftLine::of(draft, service.days_left(draft))),
        page,
    }))
}

/// Tells that something happened to an import, or to the look at a draft of the caller, until it ends.
async fn events(State(service): State<Service>, caller: Caller, Path(id): Path<String>) -> Result<Response> {
    let job = jobs::get(&service.kernel.db, &id).await?;
    let own = job.kind == LOOK && caller.owns(&job.caller);
    if !own {
        service.job(&caller, &id).await?;
    }
    let states = jobs::watch(&service.kernel.db, &id);
    let states = states.map(|state| {
        let event = match state {
            Ok(job) => Event::default().event("job").data(told(&job)),
            Err(error) => Event::default().event("gone").data(error.code().as_str()),
        };
        Ok::<_, Infallible>(event)
    });
    let stop = service.kernel.stop.clone();
    let states = states.take_until(async move { stop.cancelled().await });
    Ok(Sse::new(states)
        .keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
        .into_response())
}

/// A job as an event: its state and how far it is.
fn told(job: &jobs::Job) -> String {
    let progress = &job.progress;
    serde_json::json!({ "state": job.state.as_str(), "done": progress.done, "total": progress.total }).to_string()
}

/// The way back to the page that shows the job.
fn back(job: &jobs::Job) -> Result<Response> {
    if job.kind != IMPORT {
        return Err(Error::not_found("import", &job.id));
    }
    Ok(go(&format!("/imports/{}", job.id)))
}

async fn cancel(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response> {
    let job = service.job(&caller, &id).await?;
    if !job.state.is_final() {
        jobs::cancel(&service.kernel.db, &id).await?;
    }
    Ok((Flash::new("toast.import-stopped"), back(&job)?).into_response())
}

/// Goes on where an import stopped.
async fn resume(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response> {
    let job = service.job(&caller, &id).await?;
    jobs::retry(&service.kernel.db, &id).await?;
    Ok((Flash::new("toast.import-resumed"), back(&job)?).into_response())
}
