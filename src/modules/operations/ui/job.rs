//! One job: what it does right now, its log, its result. The page follows it live: the house sends the pieces that
//! changed, already written for people, and nothing is fetched again.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use askama::Template;
use axum::extract::State as With;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use serde_json::json;

use super::Pages;
use super::view::{JobView, LogView, Pace, job_view, log_view, name, results};
use crate::kernel::access::{Caller, Object};
use crate::kernel::error::Result;
use crate::kernel::http::Path;
use crate::kernel::jobs::{self, Job, LogLine, State};
use crate::kernel::ui::{Crumb, Html, Page, asker, filters, view};
use crate::modules::operations::{JOBS_MANAGE, JOBS_READ};

/// Lines of one log.
const LINES: i64 = 500;
/// The pace is that of the last while, in milliseconds.
const WINDOW: i64 = 15_000;

#[derive(Template)]
#[template(path = "modules/operations/templates/job.html")]
pub struct JobPage {
    page: Page,
    trail: Vec<Crumb>,
    job: JobView,
    queue: String,
    actor: String,
    request: Option<String>,
    attempts: i64,
    max_attempts: i64,
    started_at: Option<i64>,
    ended_at: Option<i64>,
    error: Option<String>,
    results: Vec<(String, String, Option<String>)>,
    log: Vec<LogView>,
    log_cut: bool,
    /// The last line that is shown.
    last_line: i64,
    can_cancel: bool,
    can_retry: bool,
}

/// What changes while it runs, for the stream.
#[derive(Template)]
#[template(path = "modules/operations/templates/job-now.html")]
struct Now {
    page: Page,
    job: JobView,
    error: Option<String>,
    can_cancel: bool,
    can_retry: bool,
}

/// What is known of it besides.
#[derive(Template)]
#[template(path = "modules/operations/templates/job-facts.html")]
struct Facts {
    job: JobView,
    queue: String,
    actor: String,
    request: Option<String>,
    attempts: i64,
    max_attempts: i64,
    started_at: Option<i64>,
    ended_at: Option<i64>,
    results: Vec<(String, String, Option<String>)>,
}

/// Lines of its log.
#[derive(Template)]
#[template(path = "modules/operations/templates/job-log.html")]
struct Lines {
    log: Vec<LogView>,
}
view!(JobPage);

/// A job for whoever asked for it; those of others are for whoever looks after jobs.
async fn seen(pages: &Pages, caller: &Caller, id: &str) -> Result<Job> {
    let found = jobs::get(&pages.db, id).await;
    let is_own = |job: &Job| !caller.is_anonymous() && caller.owns(&job.caller);
    if !found.as_ref().is_ok_and(is_own) {
        pages.access.require(caller, JOBS_READ, &Object::House).await?;
    }
    found
}

pub async fn show_page(With(pages): With<Pages>, page: Page, Path(id): Path<String>) -> Result<Html<JobPage>> {
    let job = seen(&pages, &page.caller, &id).await?;
    // The last lines are the ones somebody waits for; a job's log is bounded, so counting it is cheap.
    let mut log = jobs::log_lines(&pages.db, &id, 0, i64::MAX).await?;
    let kept = log.split_off(log.len().saturating_sub(LINES as usize));
    let may = page.may(&pages.access, JOBS_MANAGE).await;
    let now = pages.db.clock().now();
    let language = page.language;
    let view = job_view(&job, language, now, Pace::of(&job, now));
    Ok(Html(JobPage {
        trail: vec![
            Crumb::to(language.text("jobs.title"), "/jobs"),
            Crumb::here(name(language, &job.kind)),
        ],
        queue: job.queue.clone(),
        actor: asker(language, &job.caller),
        request: job.caller.request_id.clone(),
        attempts: job.attempts,
        max_attempts: job.max_attempts,
        started_at: job.started_at,
        ended_at: job.ended_at,
        error: job.error.clone(),
        results: results(language, &job),
        last_line: kept.last().map_or(0, |line| line.line),
        log: kept.iter().map(log_view).collect(),
        log_cut: !log.is_empty(),
        can_cancel: can_cancel(&job, may),
        can_retry: can_retry(&job, may),
        job: view,
        page,
    }))
}

fn can_cancel(job: &Job, may: bool) -> bool {
    may && !job.state.is_final() && !job.cancel
}

fn can_retry(job: &Job, may: bool) -> bool {
    may && matches!(job.state, State::Failed | State::Cancelled)
}

/// One who watches: what was sent so far.
struct Watcher {
    page: Page,
    may: bool,
    recent: VecDeque<(i64, i64)>,
    last: Option<Job>,
}

impl Watcher {
    /// The pieces that a new state changes.
    fn pieces(&mut self, job: &Job, lines: &[LogLine], now: i64) -> Vec<Event> {
        let language = self.page.language;
        let mut events = Vec::new();
        if !lines.is_empty() {
            let log = lines.iter().map(log_view).collect();
            events.extend(piece("job-log", &Lines { log }, language, true));
        }
        if self.last.as_ref() == Some(job) {
            return events;
        }
        let pace = self.pace(job, now);
        let part = Now {
            page: self.page.clone(),
            job: job_view(job, language, now, pace),
            error: job.error.clone(),
            can_cancel: can_cancel(job, self.may),
            can_retry: can_retry(job, self.may),
        };
        events.extend(piece("job-now", &part, language, false));
        if self
            .last
            .as_ref()
            .is_none_or(|last| last.state != job.state || last.attempts != job.attempts)
        {
            events.extend(piece("job-facts", &self.facts(job, now), language, false));
        }
        self.last = Some(job.clone());
        events
    }

    fn facts(&self, job: &Job, now: i64) -> Facts {
        let language = self.page.language;
        Facts {
            job: job_view(job, language, now, None),
            queue: job.queue.clone(),
            actor: asker(language, &job.caller),
            request: job.caller.request_id.clone(),
            attempts: job.attempts,
            max_attempts: job.max_attempts,
            started_at: job.started_at,
            ended_at: job.ended_at,
            results: results(language, job),
        }
    }

    /// The pace of the last while, else since the start.
    fn pace(&mut self, job: &Job, now: i64) -> Option<Pace> {
        self.recent.push_back((now, job.progress.done));
        while self.recent.front().is_some_and(|(at, _)| now - at > WINDOW) {
            self.recent.pop_front();
        }
        let (at, done) = *self.recent.front()?;
        if now - at >= WINDOW / 3 && job.progress.done > done {
            return Some(Pace {
                done: job.progress.done - done,
                ms: now - at,
            });
        }
        Pace::of(job, now)
    }
}

/// A piece of the page as an event: which element gets which content. One that cannot be written is left out.
pub fn piece<T: Template>(
    id: &str,
    template: &T,
    language: crate::kernel::i18n::Language,
    append: bool,
) -> Option<Event> {
    let html = template.render_with_values(&filters::Spoken(language)).ok()?;
    let data = json!({ "id": id, "html": html, "append": append });
    Some(Event::default().event("piece").data(data.to_string()))
}

/// The pieces of the page as they change, until the job ends.
pub async fn live(With(pages): With<Pages>, page: Page, Path((id, after)): Path<(String, i64)>) -> Result<Response> {
    seen(&pages, &page.caller, &id).await?;
    let may = page.may(&pages.access, JOBS_MANAGE).await;
    let mut watcher = Watcher {
        page,
        may,
        recent: VecDeque::new(),
        last: None,
    };
    let clock = pages.db.clock().clone();
    let pieces = jobs::watch_log(&pages.db, &id, after).flat_map(move |seen| {
        let events = match seen {
            Ok((job, lines)) => {
                let mut events = watcher.pieces(&job, &lines, clock.now());
                if job.state.is_final() {
                    events.push(Event::default().event("end").data(job.state.as_str()));
                }
                events
            }
            // It is not there any more: nothing follows.
            Err(error) => vec![Event::default().event("end").data(error.code().as_str())],
        };
        futures_util::stream::iter(events.into_iter().map(Ok::<_, Infallible>))
    });
    let stop = pages.stop.clone();
    let pieces = pieces.take_until(async move { stop.cancelled().await });
    Ok(Sse::new(pieces)
        .keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
        .into_response())
}
