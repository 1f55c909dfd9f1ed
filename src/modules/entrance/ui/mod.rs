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
use crate::contract::records::{RECORDS_WRITE, Records};
use crate::kernel::access::{Access, OPEN};
use crate::kernel::db::Db;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::{Form, Query, RouteSet, Routes, Shared};
use crate::kernel::search::Search;
use crate::kernel::ui::{Html, Page};
use notes::Notes;

/// What the page reads from.
#[derive(Clone)]
pub struct Sources {
    pub records: Option<Arc<dyn Records>>,
    pub exchange: Option<Arc<dyn Exchange>>,
    pub search: Search,
    pub access: Access,
    pub db: Db,
}

/// The routes of the start page.
pub fn routes(sources: Sources) -> Routes {
    RouteSet::new()
        .page(OPEN, Method::GET, "/", get(home_page))
        .page(RECORDS_WRITE, Method::POST, "/sample", post(load_sample))
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
    let exchange = sources.exchange.as_ref().ok_or_else(|| {
        Error::new(
            Code::Unavailable,
            "This build has no imports, so it cannot load the sample.",
        )
    })?;
    exchange.load_samples().await?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, "/?loading=sample")]).into_response())
}
