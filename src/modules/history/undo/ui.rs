//! The page that asks before a change is undone, and the button behind it.

use askama::Template;
use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::choose;
use crate::kernel::access::Caller;
use crate::kernel::error::Result;
use crate::kernel::http::{Form, Path, RouteSet, Routes};
use crate::kernel::ui::{Crumb, Flash, Html, Page, filters, view, who};
use crate::modules::history::HISTORY_UNDO;
use crate::modules::history::service::Service;
use crate::modules::history::ui::named;

/// Of what would stay, so many are named.
const NAMED: usize = 50;

/// The pages of undo.
pub fn pages(service: Service) -> Routes {
    RouteSet::new()
        .page(HISTORY_UNDO, Method::GET, "/changes/{id}/undo", get(ask_page))
        .page(HISTORY_UNDO, Method::POST, "/changes/{id}/undo", post(start))
        .page(HISTORY_UNDO, Method::GET, "/changes/{id}/decide", get(choose::page))
        .page(HISTORY_UNDO, Method::POST, "/changes/{id}/decide", post(choose::decide))
        .with_state(service)
}

#[derive(Template)]
#[template(path = "modules/history/templates/undo.html")]
struct AskPage {
    page: Page,
    trail: Vec<Crumb>,
    id: String,
    what: String,
    actor: String,
    at: i64,
    /// Key and number of each thing that would happen.
    would: Vec<(&'static str, u64)>,
    is_cut: bool,
    types: bool,
    already: i64,
    stays: i64,
    left: Vec<(String, Option<String>, String)>,
    /// The job that still makes it.
    unfinished: Option<String>,
    /// Nothing would happen.
    is_idle: bool,
}
view!(AskPage);

async fn ask_page(State(service): State<Service>, page: Page, Path(id): Path<String>) -> Result<Html<AskPage>> {
    let preview = service.undo_preview(&page.caller, &id).await?;
    let prospect = preview.prospect;
    let shown = prospect.left.iter().take(NAMED);
    let ids = shown.clone().map(|(id, _)| id.clone()).collect();
    let seen = service.seen(&page, ids, false).await?;
    let left = shown.map(|(id, why)| {
        let (title, href) = seen.get(id).cloned().unwrap_or_else(|| (id.clone(), None));
        (title, href, format!("undo-left.{}", why.as_str()))
    });
    let counted = [
        ("undo.would-remove", prospect.removed),
        ("undo.would-revert", prospect.reverted),
        ("undo.would-revive", prospect.revived),
    ];
    let would: Vec<(&'static str, u64)> = counted
        .into_iter()
        .filter_map(|(key, n)| Some((key, u64::try_from(n).ok().filter(|n| *n > 0)?)))
        .collect();
    let language = page.language;
    let what = named(&page, &preview.set);
    let by = who(&page, &service.access, &preview.set.actor).await;
    Ok(Html(AskPage {
        trail: vec![
            Crumb::to(language.text("changes.title"), "/changes"),
            Crumb::to(what.clone(), format!("/changes/{id}")),
            Crumb::here(language.text("undo.title")),
        ],
        actor: by,
        at: preview.set.created_at,
        is_cut: prospect.is_cut,
        types: prospect.types > 0,
        already: prospect.already,
        stays: prospect.left.len() as i64,
        left: left.collect(),
        is_idle: would.is_empty() && prospect.types == 0 && preview.unfinished.is_none(),
        unfinished: preview.unfinished.map(|job| job.id),
        would,
        what,
        id,
        page,
    }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    reason: String,
}

async fn start(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
    Form(asked): Form<Asked>,
) -> Result<Response> {
    let job = service.undo(&caller, &id, &asked.reason).await?;
    let place = [(header::LOCATION, format!("/jobs/{job}"))];
    Ok((StatusCode::SEE_OTHER, Flash::new("toast.undo-begun"), place).into_response())
}
