//! The page of one's own exports: take everything along, see what is on its way, fetch what is done, throw it away.

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::service::{Seen, may_ask};
use super::store;
use crate::contract::exchange::Format;
use crate::contract::records::RECORDS_READ;
use crate::kernel::access::Caller;
use crate::kernel::error::{Code, Result};
use crate::kernel::http::{Form, Path, RouteSet, Routes};
use crate::kernel::jobs::State as JobState;
use crate::kernel::ui::{Flash, Html, Page, filters, readable, view};
use crate::modules::exchange::service::Service;

/// Exports that are shown, the newest.
const SHOWN: i64 = 50;
const AT: &str = "/exports";

pub fn routes(service: Service) -> Routes {
    RouteSet::new()
        .page(RECORDS_READ, Method::GET, AT, get(page))
        .page(RECORDS_READ, Method::POST, AT, post(begin))
        .page(RECORDS_READ, Method::POST, "/exports/{job}/delete", post(throw_away))
        .with_state(service)
}

#[derive(Template)]
#[template(path = "modules/exchange/templates/exports.html")]
struct ExportsPage {
    page: Page,
    formats: [&'static str; 4],
    rows: Vec<Row>,
    keep_hours: u32,
}
view!(ExportsPage);

struct Row {
    job: String,
    /// The type; none for everything.
    what: Option<String>,
    format: &'static str,
    state: String,
    tone: &'static str,
    made_at: i64,
    /// How far it is, in percent, while it is on its way.
    percent: Option<i64>,
    /// Its file: bytes, and until when it is there.
    file: Option<(u64, i64)>,
    error: Option<String>,
}

impl Row {
    fn of(seen: Seen) -> Self {
        let job = seen.job;
        let share = |(done, total): (i64, i64)| done.clamp(0, total).saturating_mul(100) / total;
        let own = job.progress.total.filter(|total| *total > 0);
        let percent = match job.parts.filter(|_| job.state == JobState::Waiting) {
            Some(parts) => Some(parts.percent),
            None => own.map(|total| share((job.progress.done, total))),
        };
        Self {
            what: (!seen.is_whole).then(|| readable(&seen.order.type_name)),
            format: seen.order.format.as_str(),
            state: format!("job-state.{}", job.state.as_str()),
            tone: match job.state {
                JobState::Running => "accent",
                JobState::Done => "ok",
                JobState::Failed => "bad",
                _ => "",
            },
            made_at: job.created_at,
            percent: percent.filter(|_| !job.state.is_final()),
            file: seen.file.map(|(exported, until)| (exported.bytes, until)),
            error: job.error.filter(|_| job.state == JobState::Failed),
            job: job.id,
        }
    }
}

async fn page(State(service): State<Service>, page: Page) -> Result<Html<ExportsPage>> {
    may_ask(&page.caller)?;
    let mut rows = Vec::new();
    for id in store::own(&service.kernel.db, &page.caller.actor(), SHOWN).await? {
        match service.look_export(&page.caller, &id, Duration::ZERO).await {
            Ok(seen) => rows.push(Row::of(seen)),
            // Its job is forgotten already.
            Err(error) if error.code() == Code::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Html(ExportsPage {
        formats: [Format::Jsonl, Format::Csv, Format::Xlsx, Format::Json].map(Format::as_str),
        rows,
        keep_hours: service.kernel.config.export.keep_hours,
        page,
    }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    format: Format,
}

async fn begin(State(service): State<Service>, caller: Caller, Form(wanted): Form<Wanted>) -> Result<Response> {
    let job = service.begin_all(&caller, wanted.format).await?;
    let place = [(header::LOCATION, format!("/jobs/{job}"))];
    Ok((StatusCode::SEE_OTHER, Flash::new("toast.export-begun"), place).into_response())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

async fn throw_away(
    State(service): State<Service>,
    caller: Caller,
    Path(job): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response> {
    service.drop_export(&caller, &job).await?;
    let place = [(header::LOCATION, AT)];
    Ok((StatusCode::SEE_OTHER, Flash::new("toast.export-gone"), place).into_response())
}
