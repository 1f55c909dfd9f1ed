//! The start page: of a full house, of an empty one, and the notes on it that a reader can put away.

mod home;
mod notes;
mod time;

pub(super) use home::EntrancePage;
#[cfg(test)]
pub(super) use home::{Newest, TypeItem, Way, WayValue};
#[cfg(test)]
pub(super) use notes::{Step, Steps};

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use crate::contract::exchange::Exchange;
use crate::contract::records::{RECORDS_WRITE, Records, TYPES_WRITE};
use crate::kernel::access::{Access, Caller, OPEN};
use crate::kernel::db::Db;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::{Form, Query, RouteSet, Routes, Shared};
use crate::kernel::search::Search;
use crate::kernel::ui::{Flash, Html, Page};
use notes::Notes;

/// What the page reads from.
#[derive(Clone)]
pub struct Sources {
    pub records: Option<Arc<dyn Records>>,
    pub exchange: Option<Arc<dyn Exchange>>,
    pub search: Search,
    pub access: Access,
    pub db: Db,
    /// Hosts whose images the browser may load.
    pub image_hosts: Arc<[String]>,
}

/// The routes of the start page.
pub fn routes(sources: Sources) -> Routes {
    RouteSet::new()
        .page(OPEN, Method::GET, "/", get(home_page))
        .page(RECORDS_WRITE, Method::POST, "/sample", post(load_sample))
        .page(TYPES_WRITE, Method::POST, "/sample/remove", post(remove_sample))
        .with_state(sources)
}

#[derive(Debug, Default, Deserialize)]
struct Params {
    /// A note to put away, or a step to tick.
    #[serde(default)]
    hide: String,
    /// The sample is on its way: the page waits for it.
    #[serde(default)]
    loading: String,
}

async fn home_page(
    State(sources): State<Sources>,
    Shared(context): Shared,
    headers: HeaderMap,
    mut page: Page,
    Query(params): Query<Params>,
) -> Result<Response> {
    let notes = Notes::read(&headers);
    if !params.hide.is_empty() {
        let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, "/")]).into_response();
        if let Some(cookie) = notes.without(&params.hide).cookie(context.secure()) {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        return Ok(response);
    }
    page.canonical = page.absolute("/");
    let mut home = EntrancePage::new(page);
    home.loading = !params.loading.is_empty();
    home.may_import = home.page.may(&sources.access, RECORDS_WRITE).await;
    if let Some(exchange) = &sources.exchange {
        home.sample = exchange.removable_samples(&home.page.caller).await?;
    }
    if let Some(records) = &sources.records {
        match sources.fill(records.as_ref(), &mut home).await {
            // A house whose search is still opening is not an empty house.
            Err(error) if error.code() == Code::Unavailable => home.behind = true,
            other => other?,
        }
        sources.annotate(records.as_ref(), &notes, &mut home).await?;
    }
    Ok(Html(home).into_response())
}

/// A form without fields of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Begins to load the sample and leads back to the page, which waits for it.
async fn load_sample(State(sources): State<Sources>, Form(Nothing {}): Form<Nothing>) -> Result<Response> {
    sources.exchange()?.load_samples().await?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, "/?loading=sample")]).into_response())
}

/// Takes the sample away. What its collections held is emptied by jobs; they themselves are gone at once.
async fn remove_sample(
    State(sources): State<Sources>,
    caller: Caller,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response> {
    let jobs = sources.exchange()?.remove_samples(&caller).await?;
    let said = if jobs.is_empty() {
        "toast.sample-none"
    } else {
        "toast.sample-removed"
    };
    Ok((StatusCode::SEE_OTHER, Flash::new(said), [(header::LOCATION, "/")]).into_response())
}

impl Sources {
    fn exchange(&self) -> Result<&dyn Exchange> {
        let missing = || Error::new(Code::Unavailable, "This build has no imports, so it has no sample.");
        self.exchange.as_deref().ok_or_else(missing)
    }
}
