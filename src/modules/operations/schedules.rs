//! Schedules: what runs by the clock, when it ran and how long it took; running one now, pausing it. As JSON and as pages.

use askama::Template;
use axum::extract::State as With;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use utoipa_axum::routes;

use super::model::{MadeJob, ScheduleList};
use super::ui::view::name as job_name;
use super::{JOBS_MANAGE, OPERATIONS_READ, Room};
use crate::kernel::access::Caller;
use crate::kernel::clock::rfc3339;
use crate::kernel::error::{Error, Result};
use crate::kernel::http::{Form, Json, Path, RouteSet, Routes};
use crate::kernel::i18n::Language;
use crate::kernel::schedule::{self, Outcome, Run, Stored};
use crate::kernel::ui::plot::{Column, Columns};
use crate::kernel::ui::{Crumb, Flash, Html, Page, filters, view};

/// Due times that are told.
const RUNS: i64 = 100;
/// Columns of the plot.
const COLUMNS: usize = 40;

pub(super) fn routes(room: Room) -> Routes {
    RouteSet::new()
        .route(OPERATIONS_READ, routes!(schedules))
        .route(OPERATIONS_READ, routes!(schedule_runs))
        .route(JOBS_MANAGE, routes!(run_schedule))
        .route(JOBS_MANAGE, routes!(pause_schedule))
        .route(JOBS_MANAGE, routes!(resume_schedule))
        .page(OPERATIONS_READ, Method::GET, "/schedules", get(list_page))
        .page(OPERATIONS_READ, Method::GET, "/schedules/{name}", get(show_page))
        .page(JOBS_MANAGE, Method::POST, "/schedules/{name}", post(steer))
        .with_state(room)
}

/// What runs by the clock.
#[utoipa::path(get, path = "/api/schedules", tag = "operations", responses((status = 200, body = ScheduleList)))]
async fn schedules(With(room): With<Room>) -> Result<Json<ScheduleList>> {
    let items = schedule::list(&room.kernel.db).await?.into_iter();
    Ok(Json(ScheduleList {
        items: items.map(Into::into).collect(),
    }))
}

/// A due time and what came of it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct RunView {
    due_at: String,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<String>,
    /// State of the job, while it is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<i64>,
}

fn took(run: &Run) -> Option<i64> {
    Some((run.ended_at? - run.started_at?).max(0))
}

/// Due times of a schedule, newest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct RunList {
    items: Vec<RunView>,
}

async fn stored(room: &Room, name: &str) -> Result<Stored> {
    let found = schedule::list(&room.kernel.db)
        .await?
        .into_iter()
        .find(|one| one.name == name);
    found.ok_or_else(|| Error::not_found("schedule", name))
}

/// The last 100 due times of a schedule, newest first: each with its job, or with the rule by which it has none.
#[utoipa::path(
    get, path = "/api/schedules/{name}/runs", tag = "operations", params(("name" = String, Path)),
    responses((status = 200, body = RunList))
)]
async fn schedule_runs(With(room): With<Room>, Path(name): Path<String>) -> Result<Json<RunList>> {
    stored(&room, &name).await?;
    let runs = schedule::runs(&room.kernel.db, &name, RUNS).await?.into_iter();
    let items = runs.map(|run| RunView {
        duration_ms: took(&run),
        due_at: rfc3339(run.due_at),
        outcome: run.outcome,
        job: run.job_id,
        state: run.state,
    });
    Ok(Json(RunList { items: items.collect() }))
}

/// Makes a schedule's job now.
#[utoipa::path(
    post, path = "/api/schedules/{name}/run", tag = "operations", params(("name" = String, Path)),
    responses((status = 202, body = MadeJob))
)]
async fn run_schedule(With(room): With<Room>, caller: Caller, Path(name): Path<String>) -> Result<impl IntoResponse> {
    let id = schedule::run_now(&room.kernel.db, &caller, &name).await?;
    Ok((StatusCode::ACCEPTED, Json(MadeJob { id })))
}

/// Stops a schedule until it is resumed.
#[utoipa::path(
    post, path = "/api/schedules/{name}/pause", tag = "operations", params(("name" = String, Path)),
    responses((status = 204, description = "It is paused"))
)]
async fn pause_schedule(With(room): With<Room>, Path(name): Path<String>) -> Result<StatusCode> {
    schedule::pause(&room.kernel.db, &name, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets a paused schedule go on. What was due meanwhile is not made up for.
#[utoipa::path(
    post, path = "/api/schedules/{name}/resume", tag = "operations", params(("name" = String, Path)),
    responses((status = 204, description = "It goes on"))
)]
async fn resume_schedule(With(room): With<Room>, Path(name): Path<String>) -> Result<StatusCode> {
    schedule::pause(&room.kernel.db, &name, false).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A schedule as both pages show it.
struct Row {
    name: String,
    /// What it does, in words.
    title: String,
    cron: String,
    /// The same in words, where that is easy.
    words: Option<String>,
    zone: String,
    /// Key of the rule for missed times.
    rule: String,
    paused: bool,
    last_due: Option<i64>,
    next_due: Option<i64>,
}

fn row(stored: Stored, language: Language) -> Row {
    Row {
        title: job_name(language, &stored.kind),
        rule: format!("schedule-rule.{}", stored.missed),
        name: stored.name,
        words: in_words(language, &stored.cron),
        cron: stored.cron,
        zone: stored.zone,
        paused: stored.paused,
        last_due: stored.last_due,
        next_due: stored.next_due,
    }
}

/// Every day, every hour, every few minutes; anything else is told by its cron text alone.
fn in_words(language: Language, cron: &str) -> Option<String> {
    let words: Vec<&str> = cron.split_whitespace().collect();
    let [minute, hour, "*", "*", "*"] = words.as_slice() else {
        return None;
    };
    if let (Some(step), "*") = (minute.strip_prefix("*/"), *hour) {
        return Some(language.with("schedules.every-minutes", &[("n", &step)]));
    }
    let minute: u8 = minute.parse().ok()?;
    if *hour == "*" {
        return Some(language.with("schedules.every-hour", &[("minute", &minute)]));
    }
    let time = format!("{:02}:{minute:02}", hour.parse::<u8>().ok()?);
    Some(language.with("schedules.every-day", &[("time", &time)]))
}

#[derive(Template)]
#[template(path = "modules/operations/templates/schedules.html")]
struct SchedulesPage {
    page: Page,
    rows: Vec<Row>,
    may_steer: bool,
}
view!(SchedulesPage);

async fn list_page(With(room): With<Room>, page: Page) -> Result<Html<SchedulesPage>> {
    let rows = schedule::list(&room.kernel.db).await?.into_iter();
    Ok(Html(SchedulesPage {
        rows: rows.map(|stored| row(stored, page.language)).collect(),
        may_steer: page.may(&room.kernel.access, JOBS_MANAGE).await,
        page,
    }))
}

#[derive(Template)]
#[template(path = "modules/operations/templates/schedule.html")]
struct SchedulePage {
    page: Page,
    trail: Vec<Crumb>,
    row: Row,
    may_steer: bool,
    plot: Option<Columns>,
    runs: Vec<RunRow>,
}
view!(SchedulePage);

struct RunRow {
    due_at: i64,
    /// Key and tone of what came of it.
    outcome: String,
    tone: &'static str,
    job: Option<String>,
    took: Option<i64>,
}

fn run_row(run: &Run) -> RunRow {
    let (outcome, tone) = match run.state.as_deref() {
        Some(state) => (
            format!("job-state.{state}"),
            match state {
                "done" => "ok",
                "failed" => "bad",
                "running" => "accent",
                _ => "",
            },
        ),
        None => (format!("schedule-run.{}", run.outcome.as_str()), ""),
    };
    RunRow {
        due_at: run.due_at,
        outcome,
        tone,
        job: run.job_id.clone().filter(|_| run.state.is_some()),
        took: took(run),
    }
}

/// How long the last runs took, oldest first; none where there are fewer than two.
fn plot(language: Language, runs: &[Run]) -> Option<Columns> {
    let mut columns: Vec<Column> = runs
        .iter()
        .filter_map(|run| {
            let at = rfc3339(run.due_at);
            let label = format!("{} {}", at.get(..10)?, at.get(11..16)?);
            Some(Column {
                tick: at.get(5..10)?.to_owned(),
                label,
                count: u64::try_from(took(run)?).ok()?,
                href: run.job_id.as_ref().map(|id| format!("/jobs/{id}")),
                ..Column::default()
            })
        })
        .take(COLUMNS)
        .collect();
    columns.reverse();
    (columns.len() > 1).then(|| Columns {
        title: language.text("schedules.durations"),
        columns,
        by: language.text("operations.time"),
        small: false,
        brush: None,
    })
}

async fn show_page(With(room): With<Room>, page: Page, Path(name): Path<String>) -> Result<Html<SchedulePage>> {
    let language = page.language;
    let row = row(stored(&room, &name).await?, language);
    let runs = schedule::runs(&room.kernel.db, &name, RUNS).await?;
    Ok(Html(SchedulePage {
        trail: vec![
            Crumb::to(language.text("schedules.title"), "/schedules"),
            Crumb::here(row.title.clone()),
        ],
        may_steer: page.may(&room.kernel.access, JOBS_MANAGE).await,
        plot: plot(language, &runs),
        runs: runs.iter().map(run_row).collect(),
        row,
        page,
    }))
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Verb {
    Run,
    Pause,
    Resume,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Steering {
    verb: Verb,
}

async fn steer(
    With(room): With<Room>,
    caller: Caller,
    Path(name): Path<String>,
    Form(form): Form<Steering>,
) -> Result<Response> {
    let db = &room.kernel.db;
    let to = |place: String| (StatusCode::SEE_OTHER, [(header::LOCATION, place)]);
    match form.verb {
        Verb::Run => {
            let id = schedule::run_now(db, &caller, &name).await?;
            return Ok(to(format!("/jobs/{id}")).into_response());
        }
        Verb::Pause => schedule::pause(db, &name, true).await?,
        Verb::Resume => schedule::pause(db, &name, false).await?,
    }
    let said = match form.verb {
        Verb::Pause => "toast.schedule-paused",
        _ => "toast.schedule-resumed",
    };
    Ok((Flash::new(said).about(&name), to("/schedules".to_owned())).into_response())
}
