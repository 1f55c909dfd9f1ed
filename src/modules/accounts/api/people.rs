//! JSON: accounts, for those who look after them and for scripts.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::super::MANAGE;
use super::super::service::{Change, Service};
use crate::contract::accounts::{
    AccountInfo, AccountLink, CreatedAccount, CreatedToken, HeldRole, NewAccount, NewToken,
};
use crate::kernel::access::Caller;
use crate::kernel::error::{Error, Result};
use crate::kernel::http::{Json, Path, Query, RouteSet, Routes, Secret};

pub(super) fn routes(service: Arc<Service>) -> Routes {
    RouteSet::new()
        .route(MANAGE, routes!(list, create))
        .route(MANAGE, routes!(show, change, delete))
        .route(MANAGE, routes!(make_link))
        .route(MANAGE, routes!(mail_link))
        .route(MANAGE, routes!(end_second_step))
        .route(MANAGE, routes!(give_role, take_role))
        .route(MANAGE, routes!(make_token))
        .with_state(service)
}

/// Which accounts.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// What the name, the sign-in name or the address begins with.
    #[serde(default)]
    q: Option<String>,
    /// Where to go on: `next` of the page before.
    #[serde(default)]
    after: Option<String>,
    /// At most this many, up to 200.
    #[serde(default)]
    limit: Option<u32>,
}

/// Accounts by name.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AccountList {
    items: Vec<AccountInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// The accounts there are, by name.
#[utoipa::path(get, path = "/api/people", tag = "accounts", params(ListQuery), responses((status = 200, body = AccountList)))]
async fn list(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<AccountList>> {
    let limit = query.limit.unwrap_or(50);
    if !(1..=200).contains(&limit) {
        return Err(Error::invalid("limit", "1 to 200."));
    }
    let (items, next) = service
        .list(&caller, query.q.as_deref(), query.after.as_deref(), limit.into())
        .await?;
    Ok(Json(AccountList { items, next }))
}

/// Makes an account. A person's comes with a one-time link to choose the password with; hand it over. Where there is a mail
/// server and an address, the link is mailed instead.
#[utoipa::path(post, path = "/api/people", tag = "accounts", request_body = NewAccount, responses((status = 201, body = CreatedAccount)))]
async fn create(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Json(new): Json<NewAccount>,
) -> Result<impl IntoResponse> {
    Ok((StatusCode::CREATED, Secret(Json(service.create(&caller, &new).await?))))
}

/// One account, by its id or its sign-in name.
#[utoipa::path(
    get, path = "/api/people/{id}", tag = "accounts",
    params(("id" = String, Path, description = "The account's id or sign-in name")),
    responses((status = 200, body = AccountInfo))
)]
async fn show(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<AccountInfo>> {
    Ok(Json(service.show(&caller, &id).await?))
}

/// What is to become of an account.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct AccountChange {
    /// False switches it off: its sessions end and its tokens open nothing. True switches it on again.
    active: bool,
}

/// Switches an account off or on. Its sessions end at once, and its tokens rest.
#[utoipa::path(
    patch, path = "/api/people/{id}", tag = "accounts", request_body = AccountChange,
    params(("id" = String, Path, description = "The account's id or sign-in name")),
    responses((status = 200, body = AccountInfo))
)]
async fn change(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(wanted): Json<AccountChange>,
) -> Result<Json<AccountInfo>> {
    let change = if wanted.active { Change::Enable } else { Change::Disable };
    service.change(&caller, &id, change).await?;
    Ok(Json(service.show(&caller, &id).await?))
}

/// Deletes an account: who it was is forgotten, what it did stays.
#[utoipa::path(
    delete, path = "/api/people/{id}", tag = "accounts",
    params(("id" = String, Path, description = "The account's id or sign-in name")),
    responses((status = 204, description = "It is gone"))
)]
async fn delete(State(service): State<Arc<Service>>, caller: Caller, Path(id): Path<String>) -> Result<StatusCode> {
    service.change(&caller, &id, Change::Delete).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a one-time link to choose a password with. It replaces the one before.
#[utoipa::path(
    post, path = "/api/people/{id}/link", tag = "accounts",
    params(("id" = String, Path, description = "The account's id or sign-in name")),
    responses((status = 201, body = AccountLink))
)]
async fn make_link(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse> {
    Ok((StatusCode::CREATED, Secret(Json(service.link_for(&caller, &id).await?))))
}

/// Where a link was mailed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct MailedLink {
    mailed_to: String,
}

/// Makes a one-time link to choose a password with and mails it to the account's address. It replaces the one before.
#[utoipa::path(
    post, path = "/api/people/{id}/link/mail", tag = "accounts",
    params(("id" = String, Path, description = "The account's id or sign-in name")),
    responses((status = 202, body = MailedLink))
)]
async fn mail_link(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse> {
    let mailed_to = service.mail_link_for(&caller, &id).await?;
    Ok((StatusCode::ACCEPTED, Json(MailedLink { mailed_to })))
}

/// Takes the second step of an account away, for somebody who lost the device and the recovery codes.
#[utoipa::path(
    delete, path = "/api/people/{id}/second-step", tag = "accounts",
    params(("id" = String, Path, description = "The account's id or sign-in name")),
    responses((status = 204, description = "It is taken away"))
)]
async fn end_second_step(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    service.reset_factor(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives an account a role. Giving it again changes nothing.
#[utoipa::path(
    put, path = "/api/people/{id}/roles", tag = "accounts", request_body = HeldRole,
    params(("id" = String, Path, description = "The account's id or sign-in name")),
    responses((status = 200, body = AccountInfo))
)]
async fn give_role(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(held): Json<HeldRole>,
) -> Result<Json<AccountInfo>> {
    Ok(Json(service.set_role(&caller, &id, &held, true).await?))
}

/// Takes a role away. Taking one that is not there changes nothing.
#[utoipa::path(
    delete, path = "/api/people/{id}/roles", tag = "accounts", params(("id" = String, Path, description = "The account's id or sign-in name"), RoleQuery),
    responses((status = 200, body = AccountInfo))
)]
async fn take_role(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<RoleQuery>,
) -> Result<Json<AccountInfo>> {
    let held = HeldRole {
        role: query.role,
        place: query.place.unwrap_or_else(|| "house".to_owned()),
    };
    Ok(Json(service.set_role(&caller, &id, &held, false).await?))
}

/// Which role.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RoleQuery {
    role: String,
    /// `house`, or `type:NAME` for one collection.
    #[serde(default)]
    place: Option<String>,
}

/// Makes a token that speaks for a service account. Its secret is in the answer, once.
#[utoipa::path(
    post, path = "/api/people/{id}/tokens", tag = "accounts", request_body = NewToken,
    params(("id" = String, Path, description = "The service account's id or sign-in name")),
    responses((status = 201, body = CreatedToken))
)]
async fn make_token(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(new): Json<NewToken>,
) -> Result<impl IntoResponse> {
    let account = service.one(&caller, &id).await?;
    Ok((
        StatusCode::CREATED,
        Secret(Json(service.create_token_for(&caller, &account.id, &new).await?)),
    ))
}
