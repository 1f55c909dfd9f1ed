//! `/api/search/saved`: searches that the caller keeps.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::kernel::access::Caller;
use crate::kernel::error::Result;
use crate::kernel::http::{Json, Path, ProblemDocument, RouteSet, Routes};
use crate::modules::search::saved::{ChangedSaved, NewSaved, SEARCH_SAVE, SavedSearch, Saves};

pub fn routes(saves: Saves) -> Routes {
    RouteSet::new()
        .route(SEARCH_SAVE, routes!(list, keep))
        .route(SEARCH_SAVE, routes!(show, change, delete))
        .route(SEARCH_SAVE, routes!(restore))
        .with_state(saves)
}

/// One's own saved searches, the newest first.
#[derive(Serialize, ToSchema)]
struct SavedSearches {
    items: Vec<SavedSearch>,
}

/// Lists the caller's saved searches.
#[utoipa::path(
    get, path = "/api/search/saved", tag = "search", operation_id = "saved",
    responses((status = 200, body = SavedSearches))
)]
async fn list(State(saves): State<Saves>, caller: Caller) -> Result<Json<SavedSearches>> {
    let own = saves.own(&caller).await?;
    Ok(Json(SavedSearches {
        items: own.iter().map(SavedSearch::from).collect(),
    }))
}

/// Keeps a search under a name.
///
/// A search that is watched tells its owner when something new matches: by mail where a mail server is set and the account
/// has a confirmed address, and by a count.
#[utoipa::path(
    post, path = "/api/search/saved", tag = "search", operation_id = "save", request_body = NewSaved,
    responses(
        (status = 201, body = SavedSearch),
        (status = 422, description = "No name, no address of a search, or more than the limit.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn keep(
    State(saves): State<Saves>,
    caller: Caller,
    Json(new): Json<NewSaved>,
) -> Result<(StatusCode, Json<SavedSearch>)> {
    let saved = saves.keep(&caller, &new).await?;
    Ok((StatusCode::CREATED, Json(SavedSearch::from(&saved))))
}

/// One of the caller's saved searches.
#[utoipa::path(
    get, path = "/api/search/saved/{id}", tag = "search", operation_id = "saved_one",
    params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 200, body = SavedSearch),
        (status = 404, description = "There is none, or it is somebody else's.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn show(State(saves): State<Saves>, caller: Caller, Path(id): Path<String>) -> Result<Json<SavedSearch>> {
    Ok(Json(SavedSearch::from(&saves.mine(&caller, &id).await?)))
}

/// Renames it, opens it to whoever has the link, has it watched, or says that its news were seen.
#[utoipa::path(
    patch, path = "/api/search/saved/{id}", tag = "search", operation_id = "change_saved", request_body = ChangedSaved,
    params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 200, body = SavedSearch),
        (status = 404, description = "There is none, or it is somebody else's.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "No name.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn change(
    State(saves): State<Saves>,
    caller: Caller,
    Path(id): Path<String>,
    Json(changed): Json<ChangedSaved>,
) -> Result<Json<SavedSearch>> {
    Ok(Json(SavedSearch::from(&saves.change(&caller, &id, &changed).await?)))
}

/// Deletes it. For 30 days it can be taken back.
#[utoipa::path(
    delete, path = "/api/search/saved/{id}", tag = "search", operation_id = "delete_saved",
    params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 204, description = "It is deleted."),
        (status = 404, description = "There is none, or it is somebody else's.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn delete(State(saves): State<Saves>, caller: Caller, Path(id): Path<String>) -> Result<StatusCode> {
    saves.delete(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes its deletion back.
#[utoipa::path(
    post, path = "/api/search/saved/{id}/restore", tag = "search", operation_id = "restore_saved",
    params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 200, body = SavedSearch),
        (status = 404, description = "There is none, or it is somebody else's.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn restore(State(saves): State<Saves>, caller: Caller, Path(id): Path<String>) -> Result<Json<SavedSearch>> {
    Ok(Json(SavedSearch::from(&saves.restore(&caller, &id).await?)))
}
