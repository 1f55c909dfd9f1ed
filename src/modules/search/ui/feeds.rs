//! The addresses of feeds: of any search, and of a saved one.

use axum::extract::State;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use axum::routing::get;

use crate::kernel::access::OPEN;
use crate::kernel::error::Result;
use crate::kernel::http::{Path, RouteSet, Routes};
use crate::kernel::ui::Page;
use crate::modules::search::feed::{Form, Wanted, answer};
use crate::modules::search::saved::Saves;

pub(super) fn routes(saves: Saves) -> Routes {
    RouteSet::new()
        .page(OPEN, Method::GET, "/search/feed.atom", get(atom))
        .page(OPEN, Method::GET, "/search/feed.json", get(json))
        .page(OPEN, Method::GET, "/search/saved/{id}/feed.atom", get(saved_atom))
        .page(OPEN, Method::GET, "/search/saved/{id}/feed.json", get(saved_json))
        .with_state(saves)
}

async fn of_search(saves: &Saves, page: &Page, headers: &HeaderMap, form: Form) -> Result<Response> {
    let wanted = Wanted {
        query: page.here.split_once('?').map_or("", |(_, question)| question),
        name: None,
        own: &page.here,
        form,
    };
    answer(&saves.service, page, headers, &wanted).await
}

async fn of_saved(saves: &Saves, page: &Page, headers: &HeaderMap, id: &str, form: Form) -> Result<Response> {
    let saved = saves.open(&page.caller, id).await?;
    let wanted = Wanted {
        query: &saved.query,
        name: Some(&saved.name),
        own: &page.here,
        form,
    };
    answer(&saves.service, page, headers, &wanted).await
}

async fn atom(State(saves): State<Saves>, page: Page, headers: HeaderMap) -> Result<Response> {
    of_search(&saves, &page, &headers, Form::Atom).await
}

async fn json(State(saves): State<Saves>, page: Page, headers: HeaderMap) -> Result<Response> {
    of_search(&saves, &page, &headers, Form::Json).await
}

async fn saved_atom(
    State(saves): State<Saves>,
    page: Page,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    of_saved(&saves, &page, &headers, &id, Form::Atom).await
}

async fn saved_json(
    State(saves): State<Saves>,
    page: Page,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    of_saved(&saves, &page, &headers, &id, Form::Json).await
}
