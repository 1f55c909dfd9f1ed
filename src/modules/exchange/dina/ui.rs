//! Pages: sets that wait are tried or imported together; one page tells of all of them.

use askama::Template;
use axum::extract::State;
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::Set;
use super::begin::{Wanted, steps};
use crate::contract::records::RECORDS_WRITE;
use crate::kernel::access::Caller;
use crate::kernel::error::{Error, Result};
use crate::kernel::http::{Form, Path, RouteSet, Routes};
use crate::kernel::jobs::State as JobState;
use crate::kernel::ui::{Html, Page, filters, view};
use crate::modules::exchange::draft::pages::{JobLine, ReportView};
use crate::modules::exchange::draft::service::Draft;
use crate::modules::exchange::draft::ui::go;
use crate::modules::exchange::service::Service;

pub fn routes(service: Service) -> Routes {
    RouteSet::new()
        .page(RECORDS_WRITE, Method::POST, "/import-sets", post(begin))
        .page(RECORDS_WRITE, Method::GET, "/import-sets/{job}", get(sets_page))
        .with_state(service)
}

/// The drafts of somebody that are sets by their names.
pub fn waiting(drafts: Vec<Draft>) -> Vec<Draft> {
    drafts
        .into_iter()
        .filter(|draft| Set::of_file(&draft.row.name).is_some())
        .collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Begin {
    #[serde(default)]
    go: String,
}

async fn begin(State(service): State<Service>, caller: Caller, Form(form): Form<Begin>) -> Result<Response> {
    let drafts = waiting(service.drafts(&caller).await?);
    let wanted = Wanted {
        dry_run: form.go != "import",
        reason: String::new(),
    };
    let begun = service.begin_sets(&caller, &drafts, &wanted).await?;
    if !wanted.dry_run {
        // The jobs hold their files from now on.
        for draft in &drafts {
            service.discard(&caller, &draft.row.id).await?;
        }
    }
    Ok(go(&format!("/import-sets/{}", begun.job)))
}

#[derive(Template)]
#[template(path = "modules/exchange/templates/import-sets.html")]
pub struct SetsPage {
    pub page: Page,
    pub dry_run: bool,
    /// All have ended, or one ended badly.
    pub ended: bool,
    pub failed: bool,
    pub sets: Vec<SetLine>,
    /// Files that could be imported after the rehearsal.
    pub waiting: usize,
    pub created: i64,
    pub updated: i64,
    pub unchanged: i64,
    pub refused: i64,
}
view!(SetsPage);

/// A set as the page tells it.
pub struct SetLine {
    pub set: &'static str,
    pub type_name: &'static str,
    /// It has not begun yet where there is none.
    pub job: Option<JobLine>,
    pub report: Option<ReportView>,
}

async fn sets_page(
    State(service): State<Service>,
    caller: Caller,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response> {
    let seen = service.sets_seen(&caller, &id).await?;
    let first = seen
        .first()
        .and_then(|(import, _)| import.options.dina.clone().map(|step| (import, step)));
    let Some((import, step)) = first else {
        return Err(Error::not_found("import", &id));
    };
    let dry_run = import.options.dry_run;
    let order = steps(&step.files);
    let from = order.iter().position(|set| *set == step.set).unwrap_or(0);
    let failed = seen
        .last()
        .is_some_and(|(_, seen)| seen.job.state.is_final() && seen.job.state != JobState::Done);
    let done = seen.iter().filter(|(_, seen)| seen.job.state == JobState::Done).count();
    let ended = failed || done >= order.len().saturating_sub(from);
    let mut lines: Vec<SetLine> = Vec::new();
    let (mut created, mut updated, mut unchanged, mut refused) = (0, 0, 0, 0);
    let mut seen = seen.into_iter();
    for set in order.into_iter().skip(from) {
        let (job, report) = match seen.next() {
            Some((_, seen)) => (Some(JobLine::of(&seen.job)), seen.report),
            None => (None, None),
        };
        if let Some(report) = &report {
            created += report.created;
            updated += report.updated;
            unchanged += report.unchanged;
            refused += report.refused;
        }
        lines.push(SetLine {
            set: set.as_str(),
            type_name: set.type_name(),
            job,
            report: report.map(|report| ReportView::of(report, page.language)),
        });
    }
    let waiting = waiting(service.drafts(&caller).await?).len();
    Ok(Html(SetsPage {
        page,
        dry_run,
        ended,
        failed,
        sets: lines,
        waiting,
        created,
        updated,
        unchanged,
        refused,
    })
    .into_response())
}
