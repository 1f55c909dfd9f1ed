//! JSON: who has which role where, groups, and which role holds which permission.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::groups::{Group, GroupText};
use super::{Grant, GrantService};
use crate::contract::access::Role;
use crate::kernel::access::{Caller, OPEN};
use crate::kernel::error::{Error, Result};
use crate::kernel::http::{Json, Path, Query, RouteSet, Routes};
use crate::modules::access::rights::table::{PermissionRow, Table};
use crate::modules::access::{GRANTS, MANAGE};

type Service = State<Arc<GrantService>>;

pub fn routes(service: Arc<GrantService>) -> Routes {
    RouteSet::new()
        .route(OPEN, routes!(permissions))
        .route(GRANTS, routes!(list, give, take))
        .route(GRANTS, routes!(groups))
        .route(MANAGE, routes!(create_group))
        .route(GRANTS, routes!(group))
        .route(MANAGE, routes!(change_group, delete_group))
        .route(MANAGE, routes!(add_member, remove_member))
        .with_state(service)
}

/// Which role holds which permission.
#[derive(Debug, Serialize, ToSchema)]
struct Permissions {
    items: Vec<PermissionRow>,
}

/// Which role holds which permission. Each operation names its own as `x-permission` in the OpenAPI document.
#[utoipa::path(get, path = "/api/permissions", tag = "access", responses((status = 200, body = Permissions)))]
async fn permissions(State(service): Service) -> Result<Json<Permissions>> {
    let schema = &service.relations.schema;
    let table =
        Table::of(schema).ok_or_else(|| Error::internal(anyhow::anyhow!("the schema has too many permissions")))?;
    Ok(Json(Permissions {
        items: table.rows(schema),
    }))
}

/// Which grants to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// At this place only: `house` or `type:NAME`.
    place: Option<String>,
    /// Of this subject only: `account:ID` or `group:ID#member`.
    subject: Option<String>,
}

/// Roles that were given, by place.
#[derive(Debug, Serialize, ToSchema)]
struct GrantList {
    items: Vec<Grant>,
}

/// Who has which role where, at the places where the caller gives roles.
#[utoipa::path(get, path = "/api/grants", tag = "access", params(Which), responses((status = 200, body = GrantList)))]
async fn list(State(service): Service, caller: Caller, Query(which): Query<Which>) -> Result<Json<GrantList>> {
    let items = service
        .all(&caller, which.place.as_deref(), which.subject.as_deref())
        .await?;
    Ok(Json(GrantList { items }))
}

/// A role to give or to take.
#[derive(Debug, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// `account:ID` or `group:ID#member`.
    #[schema(example = "account:0190f1c2-0000-7000-8000-000000000001")]
    subject: String,
    role: Role,
    /// `house` or `type:NAME`.
    #[schema(example = "type:museum-object")]
    place: String,
}

/// Gives a role. Giving it again changes nothing.
#[utoipa::path(
    post, path = "/api/grants", tag = "access", request_body = Wanted,
    responses((status = 204, description = "They have it"))
)]
async fn give(State(service): Service, caller: Caller, Json(wanted): Json<Wanted>) -> Result<StatusCode> {
    service
        .change(&caller, &wanted.subject, wanted.role, &wanted.place, true)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a role away. Taking one that is not there changes nothing.
#[utoipa::path(
    delete, path = "/api/grants", tag = "access", params(Wanted),
    responses((status = 204, description = "They do not have it any more"))
)]
async fn take(State(service): Service, caller: Caller, Query(wanted): Query<Wanted>) -> Result<StatusCode> {
    service
        .change(&caller, &wanted.subject, wanted.role, &wanted.place, false)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Every group, by name.
#[derive(Debug, Serialize, ToSchema)]
struct GroupList {
    items: Vec<Group>,
}

/// Groups with their members.
#[utoipa::path(get, path = "/api/groups", tag = "access", responses((status = 200, body = GroupList)))]
async fn groups(State(service): Service, caller: Caller) -> Result<Json<GroupList>> {
    Ok(Json(GroupList {
        items: service.groups(&caller).await?,
    }))
}

/// Makes a group.
#[utoipa::path(post, path = "/api/groups", tag = "access", request_body = GroupText, responses((status = 201, body = Group)))]
async fn create_group(
    State(service): Service,
    caller: Caller,
    Json(text): Json<GroupText>,
) -> Result<impl IntoResponse> {
    let id = service.create_group(&caller, &text).await?;
    Ok((StatusCode::CREATED, Json(service.group(&caller, &id).await?)))
}

/// A group with its members.
#[utoipa::path(
    get, path = "/api/groups/{id}", tag = "access", params(("id" = String, Path, description = "The group's id")),
    responses((status = 200, body = Group))
)]
async fn group(State(service): Service, caller: Caller, Path(id): Path<String>) -> Result<Json<Group>> {
    Ok(Json(service.group(&caller, &id).await?))
}

/// Calls a group otherwise.
#[utoipa::path(
    put, path = "/api/groups/{id}", tag = "access", request_body = GroupText,
    params(("id" = String, Path, description = "The group's id")), responses((status = 200, body = Group))
)]
async fn change_group(
    State(service): Service,
    caller: Caller,
    Path(id): Path<String>,
    Json(text): Json<GroupText>,
) -> Result<Json<Group>> {
    service.rename_group(&caller, &id, &text).await?;
    Ok(Json(service.group(&caller, &id).await?))
}

/// Deletes a group. What its members had by it, they have no more.
#[utoipa::path(
    delete, path = "/api/groups/{id}", tag = "access", params(("id" = String, Path, description = "The group's id")),
    responses((status = 204, description = "It is gone"))
)]
async fn delete_group(State(service): Service, caller: Caller, Path(id): Path<String>) -> Result<StatusCode> {
    service.delete_group(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Somebody in a group.
#[derive(Debug, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Member {
    /// `account:ID` or `group:ID#member`.
    subject: String,
}

/// Puts a person or a group into a group.
#[utoipa::path(
    post, path = "/api/groups/{id}/members", tag = "access", request_body = Member,
    params(("id" = String, Path, description = "The group's id")), responses((status = 200, body = Group))
)]
async fn add_member(
    State(service): Service,
    caller: Caller,
    Path(id): Path<String>,
    Json(member): Json<Member>,
) -> Result<Json<Group>> {
    service.change_member(&caller, &id, &member.subject, true).await?;
    Ok(Json(service.group(&caller, &id).await?))
}

/// Takes a person or a group out of a group.
#[utoipa::path(
    delete, path = "/api/groups/{id}/members", tag = "access",
    params(("id" = String, Path, description = "The group's id"), Member), responses((status = 200, body = Group))
)]
async fn remove_member(
    State(service): Service,
    caller: Caller,
    Path(id): Path<String>,
    Query(member): Query<Member>,
) -> Result<Json<Group>> {
    service.change_member(&caller, &id, &member.subject, false).await?;
    Ok(Json(service.group(&caller, &id).await?))
}
