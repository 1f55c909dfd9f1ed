//! The pages of jobs: the list by state, one job with its progress and log, and the two things people do to it.

use askama::Template;
use axum::extract::State as With;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::Value;

use crate::kernel::access::Access;
use crate::kernel::clock::rfc3339;
use crate::kernel::db::Db;
use crate::kernel::error::Result;
use crate::kernel::http::{Form, Path, Query, RouteSet, Routes};
use crate::kernel::i18n::Language;
use crate::kernel::jobs::{self, Job, JobFilter, LogLine, State, Wait};
use crate::kernel::ui::{Crumb, Html, Page, actor, filters, plain, readable, view};

use super::{JOBS_MANAGE, JOBS_READ};

/// Jobs of one page, and lines of one log.
const ROWS: i64 = 50;
const LINES: i64 = 500;

/// What the pages read from.
#[derive(Clone)]
pub struct Pages {
    pub db: Db,
    pub access: Access,
}

/// The routes of the pages.
pub fn routes(pages: Pages) -> Routes {
    RouteSet::new()
        .page(JOBS_READ, Method::GET, "/jobs", get(index_page))
        .page(JOBS_READ, Method::GET, "/jobs/{id}", get(show_page))
        .page(JOBS_MANAGE, Method::POST, "/jobs/{id}/cancel", post(cancel))
        .page(JOBS_MANAGE, Method::POST, "/jobs/{id}/retry", post(retry))
        .with_state(pages)
}

#[derive(Template)]
#[template(path = "modules/operations/templates/jobs.html")]
pub struct JobsPage {
    pub page: Page,
    pub states: Vec<StateChoice>,
    pub rows: Vec<JobView>,
    pub older: Option<String>,
    /// Something may still change.
    pub live: bool,
}

#[derive(Template)]
#[template(path = "modules/operations/templates/job.html")]
pub struct JobPage {
    pub page: Page,
    pub trail: Vec<Crumb>,
    pub job: JobView,
    pub queue: String,
    pub actor: String,
    pub attempts: i64,
    pub max_attempts: i64,
    pub started_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub waits: Option<String>,
    pub error: Option<String>,
    pub results: Vec<(String, String)>,
    pub log: Vec<LogView>,
    pub log_cut: bool,
    pub can_cancel: bool,
    pub can_retry: bool,
}
view!(JobsPage, JobPage);

pub struct StateChoice {
    pub label: String,
    pub href: String,
    pub selected: bool,
}

/// A job as both pages show it.
pub struct JobView {
    pub id: String,
    pub kind: String,
    /// The kind in words.
    pub name: String,
    /// Key of the state, and the colour of its badge.
    pub state: String,
    pub tone: &'static str,
    pub running: bool,
    pub ended: bool,
    pub done: i64,
    pub total: Option<i64>,
    /// How far it is, in words.
    pub words: String,
    pub created_at: i64,
    /// Milliseconds it ran, or runs so far.
    pub took: Option<i64>,
}

pub struct LogView {
    pub datetime: String,
    /// Hours, minutes and seconds.
    pub clock: String,
    pub level: String,
    pub message: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    #[serde(default)]
    state: Option<State>,
    #[serde(default)]
    before: Option<String>,
}

async fn index_page(With(pages): With<Pages>, page: Page, Query(asked): Query<Asked>) -> Result<Html<JobsPage>> {
    let filter = JobFilter {
        state: asked.state,
        before: asked.before.clone(),
        ..JobFilter::default()
    };
    let found = jobs::list(&pages.db, &filter, ROWS).await?;
    let now = pages.db.clock().now();
    let href = |state: Option<State>| match state {
        Some(state) => format!("/jobs?state={}", state.as_str()),
        None => "/jobs".to_owned(),
    };
    let choice = |state: Option<State>| StateChoice {
        label: state.map_or_else(|| "jobs.all".to_owned(), |s| format!("job-state.{}", s.as_str())),
        href: href(state),
        selected: state == asked.state,
    };
    let last = found
        .last()
        .filter(|_| found.len() as i64 == ROWS)
        .map(|job| job.id.clone());
    let older = last.map(|id| {
        let mark = if asked.state.is_some() { '&' } else { '?' };
        format!("{}{mark}before={id}", href(asked.state))
    });
    Ok(Html(JobsPage {
        states: std::iter::once(choice(None))
            .chain(State::ALL.map(|s| choice(Some(s))))
            .collect(),
        live: asked.before.is_none() && found.iter().any(|job| !job.state.is_final()),
        rows: found.iter().map(|job| job_view(job, page.language, now)).collect(),
        older,
        page,
    }))
}

async fn show_page(With(pages): With<Pages>, page: Page, Path(id): Path<String>) -> Result<Html<JobPage>> {
    let job = jobs::get(&pages.db, &id).await?;
    // The last lines are the ones somebody waits for; a job's log is bounded, so counting it is cheap.
    let mut log = jobs::log_lines(&pages.db, &id, 0, i64::MAX).await?;
    let kept = log.split_off(log.len().saturating_sub(LINES as usize));
    let may = page.may(&pages.access, JOBS_MANAGE).await;
    let now = pages.db.clock().now();
    Ok(Html(job_page(page, &job, &kept, !log.is_empty(), may, now)))
}

/// A form without fields of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

async fn cancel(With(pages): With<Pages>, Path(id): Path<String>, Form(Nothing {}): Form<Nothing>) -> Result<Response> {
    jobs::cancel(&pages.db, &id).await?;
    Ok(back(&id))
}

async fn retry(With(pages): With<Pages>, Path(id): Path<String>, Form(Nothing {}): Form<Nothing>) -> Result<Response> {
    jobs::retry(&pages.db, &id).await?;
    Ok(back(&id))
}

fn back(id: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, format!("/jobs/{id}"))]).into_response()
}

pub(super) fn job_page(page: Page, job: &Job, log: &[LogLine], log_cut: bool, may: bool, now: i64) -> JobPage {
    let language = page.language;
    let retryable = matches!(job.state, State::Failed | State::Cancelled);
    JobPage {
        trail: vec![
            Crumb::to(language.text("jobs.title"), "/jobs"),
            Crumb::here(name(language, &job.kind)),
        ],
        job: job_view(job, language, now),
        queue: job.queue.clone(),
        actor: actor(language, &job.caller.actor()),
        attempts: job.attempts,
        max_attempts: job.max_attempts,
        started_at: job.started_at,
        ended_at: job.ended_at,
        waits: job.wait.as_ref().map(|wait| waits(language, wait)),
        error: job.error.clone(),
        results: results(language, job.result.as_ref()),
        log: log.iter().map(log_view).collect(),
        log_cut,
        can_cancel: may && !job.state.is_final() && !job.cancel,
        can_retry: may && retryable,
        page,
    }
}

/// What a kind of job is called: its text, or the kind made readable.
fn name(language: Language, kind: &str) -> String {
    language
        .get(&format!("job.{kind}"))
        .map_or_else(|| readable(kind), str::to_owned)
}

fn job_view(job: &Job, language: Language, now: i64) -> JobView {
    let progress = &job.progress;
    let count = match progress.total {
        Some(total) if total > 0 => language.with(
            "jobs.done-of",
            &[
                ("done", &language.number(progress.done)),
                ("total", &language.number(total)),
            ],
        ),
        _ if progress.done > 0 => language.with("jobs.done-so-far", &[("done", &language.number(progress.done))]),
        _ => String::new(),
    };
    let words: Vec<&str> = [count.as_str(), progress.note.as_str()]
        .into_iter()
        .filter(|w| !w.is_empty())
        .collect();
    JobView {
        id: job.id.clone(),
        kind: job.kind.clone(),
        name: name(language, &job.kind),
        state: format!("job-state.{}", job.state.as_str()),
        tone: match job.state {
            State::Waiting | State::Cancelled => "",
            State::Running => "accent",
            State::Done => "ok",
            State::Failed => "bad",
        },
        running: job.state == State::Running,
        ended: job.state.is_final(),
        done: progress.done,
        total: progress.total.filter(|total| *total > 0),
        words: words.join(" · "),
        created_at: job.created_at,
        took: job.started_at.map(|from| (job.ended_at.unwrap_or(now) - from).max(0)),
    }
}

fn waits(language: Language, wait: &Wait) -> String {
    match wait {
        Wait::Later { at } => language.with("job-wait.later", &[("at", &language.time(*at))]),
        Wait::Retry { attempt, of, at } => language.with(
            "job-wait.retry",
            &[("attempt", attempt), ("of", of), ("at", &language.time(*at))],
        ),
        Wait::Behind { job } => language.with("job-wait.behind", &[("job", job)]),
        Wait::NoWorker { queue } => language.with("job-wait.no-worker", &[("queue", queue)]),
        Wait::Busy { queue } => language.with("job-wait.busy", &[("queue", queue)]),
        Wait::CancelAsked => language.text("job-wait.cancel-asked"),
    }
}

/// The single values of a result; what is nested stays in the machine's form.
fn results(language: Language, result: Option<&Value>) -> Vec<(String, String)> {
    let shown = |value: &Value| match value {
        Value::Number(n) => n.as_i64().map(|n| language.number(n)).or_else(|| Some(n.to_string())),
        value => plain(value, language),
    };
    let object = result.and_then(Value::as_object);
    object
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((readable(name), shown(value)?)))
        .collect()
}

fn log_view(line: &LogLine) -> LogView {
    let datetime = rfc3339(line.at);
    LogView {
        clock: datetime.get(11..19).unwrap_or_default().to_owned(),
        datetime,
        level: line.level.to_ascii_lowercase(),
        message: line.message.clone(),
    }
}
