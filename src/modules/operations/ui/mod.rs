//! The pages of jobs: the list by state, kind and queue, one job live, and what people do to jobs.

mod dead;
mod job;
pub(super) mod view;

use askama::Template;
use axum::extract::State as With;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::{JOBS_MANAGE, JOBS_READ, overview};
use crate::kernel::access::{Access, OPEN};
use crate::kernel::db::Db;
use crate::kernel::error::Result;
use crate::kernel::http::{Form, Path, Query, RouteSet, Routes};
use crate::kernel::i18n::Language;
use crate::kernel::jobs::{self, JobFilter, Queue, State};
use crate::kernel::ui::plot::Columns;
use crate::kernel::ui::{Flash, Html, Page, actor, filters, view};
use view::{JobView, Pace, job_view, name};

/// Jobs of one page.
const ROWS: i64 = 50;

/// What the pages read from.
#[derive(Clone)]
pub struct Pages {
    pub db: Db,
    pub access: Access,
    pub stop: CancellationToken,
    /// How long jobs that failed are kept.
    pub keep_failed_days: u32,
}

/// The routes of the pages.
pub fn routes(pages: Pages) -> Routes {
    RouteSet::new()
        .page(JOBS_READ, Method::GET, "/jobs", get(index_page))
        .page(JOBS_READ, Method::GET, "/jobs/dead", get(dead::page))
        // Whoever asked for a job follows it.
        .page(OPEN, Method::GET, "/jobs/{id}", get(job::show_page))
        .page(OPEN, Method::GET, "/jobs/{id}/live/{after}", get(job::live))
        .page(JOBS_MANAGE, Method::POST, "/jobs/{id}/cancel", post(cancel))
        .page(JOBS_MANAGE, Method::POST, "/jobs/{id}/retry", post(retry))
        .page(JOBS_MANAGE, Method::POST, "/jobs/retry-failed", post(retry_failed))
        .with_state(pages)
}

#[derive(Template)]
#[template(path = "modules/operations/templates/jobs.html")]
pub struct JobsPage {
    page: Page,
    states: Vec<StateChoice>,
    kinds: Vec<Choice>,
    queues: Vec<Choice>,
    /// The state that is asked for.
    state: String,
    /// Jobs that ended, over time.
    plot: Columns,
    rows: Vec<JobView>,
    older: Option<String>,
    /// Something may still change.
    live: bool,
    boxes: Vec<QueueRow>,
    may_manage: bool,
    /// Failed jobs, where there are any.
    dead: Option<String>,
}
view!(JobsPage);

/// A queue as the page shows it.
struct QueueRow {
    name: String,
    waiting: String,
    running: String,
    /// How long the first ready one has waited.
    lag: Option<i64>,
    /// Key and tone of how it is.
    state: &'static str,
    tone: &'static str,
    /// Who paused it, and when.
    pause: Option<(String, i64)>,
}

fn queue_row(queue: Queue, language: Language) -> QueueRow {
    let (state, tone) = match (&queue.pause, queue.served) {
        (Some(_), _) => ("queues.paused", "warn"),
        (None, true) => ("queues.served", "ok"),
        (None, false) if queue.waits_for_workers => ("queues.workers-pause", "warn"),
        (None, false) => ("queues.unserved", "bad"),
    };
    QueueRow {
        waiting: language.number(queue.waiting),
        running: language.number(queue.running),
        lag: Some(queue.lag).filter(|lag| *lag > 0),
        state,
        tone,
        pause: queue.pause.map(|pause| (actor(language, &pause.by), pause.at)),
        name: queue.name,
    }
}

struct StateChoice {
    label: String,
    href: String,
    selected: bool,
}

struct Choice {
    value: String,
    label: String,
    selected: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    state: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    queue: String,
    #[serde(default)]
    parent: String,
    #[serde(default)]
    before: String,
}

fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

impl Asked {
    fn state(&self) -> Result<Option<State>> {
        match given(&self.state) {
            None => Ok(None),
            Some(text) => State::parse(&text).map(Some).map_err(|_| {
                let code = crate::kernel::error::Code::BadRequest;
                crate::kernel::error::Error::new(code, "state: there is no such state of jobs.")
            }),
        }
    }
    /// The address of this list with another state and place.
    fn href(&self, state: &str, before: &str) -> String {
        let pairs = [
            ("state", state),
            ("kind", &self.kind),
            ("queue", &self.queue),
            ("parent", &self.parent),
            ("before", before),
        ];
        let pairs: Vec<(&str, &str)> = pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        match serde_html_form::to_string(pairs) {
            Ok(query) if !query.is_empty() => format!("/jobs?{query}"),
            _ => "/jobs".to_owned(),
        }
    }
}

async fn index_page(With(pages): With<Pages>, page: Page, Query(asked): Query<Asked>) -> Result<Html<JobsPage>> {
    let state = asked.state()?;
    let filter = JobFilter {
        state,
        kind: given(&asked.kind),
        queue: given(&asked.queue),
        parent: given(&asked.parent),
        before: given(&asked.before),
        ..JobFilter::default()
    };
    let found = jobs::list(&pages.db, &filter, ROWS).await?;
    let now = pages.db.clock().now();
    let choice = |state: Option<State>| StateChoice {
        label: state.map_or_else(|| "jobs.all".to_owned(), |s| format!("job-state.{}", s.as_str())),
        href: asked.href(state.map_or("", State::as_str), ""),
        selected: state.map_or("", State::as_str) == asked.state,
    };
    let last = found.last().filter(|_| found.len() as i64 == ROWS);
    let language = page.language;
    let kinds = jobs::kinds(&pages.db).await?.into_iter().map(|kind| Choice {
        label: name(language, &kind),
        selected: kind == asked.kind,
        value: kind,
    });
    let all = jobs::queues(&pages.db).await?;
    let queues = all.iter().map(|queue| Choice {
        label: queue.name.clone(),
        selected: queue.name == asked.queue,
        value: queue.name.clone(),
    });
    let queues = queues.collect();
    let dead: i64 = jobs::failed_kinds(&pages.db)
        .await?
        .iter()
        .map(|(_, count)| count)
        .sum();
    let plot = overview::throughput(&pages.db, language).await?;
    Ok(Html(JobsPage {
        plot,
        states: std::iter::once(choice(None))
            .chain(State::ALL.map(|s| choice(Some(s))))
            .collect(),
        kinds: kinds.collect(),
        queues,
        boxes: all.into_iter().map(|queue| queue_row(queue, language)).collect(),
        may_manage: page.may(&pages.access, JOBS_MANAGE).await,
        dead: (dead > 0).then(|| language.number(dead)),
        live: asked.before.is_empty() && found.iter().any(|job| !job.state.is_final()),
        rows: found
            .iter()
            .map(|job| job_view(job, language, now, Pace::of(job, now)))
            .collect(),
        older: last.map(|job| asked.href(&asked.state, &job.id)),
        state: asked.state,
        page,
    }))
}

/// A form without fields of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

async fn cancel(With(pages): With<Pages>, Path(id): Path<String>, Form(Nothing {}): Form<Nothing>) -> Result<Response> {
    jobs::cancel(&pages.db, &id).await?;
    Ok(to(&format!("/jobs/{id}"), "toast.job-cancelled"))
}

async fn retry(With(pages): With<Pages>, Path(id): Path<String>, Form(Nothing {}): Form<Nothing>) -> Result<Response> {
    jobs::retry(&pages.db, &id).await?;
    Ok(to(&format!("/jobs/{id}"), "toast.job-again"))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Failed {
    #[serde(default)]
    kind: String,
}

async fn retry_failed(With(pages): With<Pages>, Form(failed): Form<Failed>) -> Result<Response> {
    jobs::retry_failed(&pages.db, given(&failed.kind).as_deref()).await?;
    Ok(to("/jobs", "toast.jobs-again"))
}

/// Leads to a page and says there what was done.
fn to(place: &str, said: &str) -> Response {
    let place = [(header::LOCATION, place.to_owned())];
    (StatusCode::SEE_OTHER, Flash::new(said), place).into_response()
}
