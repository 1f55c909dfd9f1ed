//! JSON: what was sent, a test mail, and trying again.

use std::sync::Arc;

use axum::extract::State as With;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::model::{Message, State};
use super::service::Service;
use super::{MANAGE, READ};
use crate::contract::messages::MessageInfo;
use crate::kernel::access::Caller;
use crate::kernel::error::{Error, Result};
use crate::kernel::http::{Json, Path, Query, RouteSet, Routes};

pub(super) fn routes(service: Arc<Service>) -> Routes {
    RouteSet::new()
        .route(READ, routes!(list))
        .route(MANAGE, routes!(test))
        .route(MANAGE, routes!(again))
        .with_state(service)
}

/// Which messages.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// `waiting`, `sent`, `failed` or `expired`.
    #[serde(default)]
    state: Option<String>,
    /// Where to go on: `next` of the page before.
    #[serde(default)]
    before: Option<String>,
    /// At most this many, up to 200.
    #[serde(default)]
    limit: Option<i64>,
}

/// Messages, the newest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct MessageList {
    items: Vec<MessageInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A state by its name.
pub(super) fn state_of(text: &str) -> Result<State> {
    State::parse(text).ok_or_else(|| Error::invalid("state", "waiting, sent, failed or expired."))
}

/// What was sent to whom, waits or failed, the newest first. Without the texts: they are forgotten once sent.
#[utoipa::path(get, path = "/api/messages", tag = "messages", params(ListQuery), responses((status = 200, body = MessageList)))]
async fn list(With(service): With<Arc<Service>>, Query(query): Query<ListQuery>) -> Result<Json<MessageList>> {
    let limit = query.limit.unwrap_or(50);
    if !(1..=200).contains(&limit) {
        return Err(Error::invalid("limit", "1 to 200."));
    }
    let state = query.state.as_deref().map(state_of).transpose()?;
    let found = service.list(state, query.before.as_deref(), limit).await?;
    Ok(Json(MessageList {
        next: found
            .last()
            .filter(|_| found.len() as i64 == limit)
            .map(|last| last.id.clone()),
        items: found.iter().map(Message::info).collect(),
    }))
}

/// Whom to send a test mail.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct TestMail {
    to: String,
}

/// Sends a test mail at once; an error tells what the mail server said.
#[utoipa::path(post, path = "/api/messages/test", tag = "messages", request_body = TestMail, responses((status = 200, body = MessageInfo)))]
async fn test(With(service): With<Arc<Service>>, Json(wanted): Json<TestMail>) -> Result<Json<MessageInfo>> {
    Ok(Json(service.test(&wanted.to).await?))
}

/// Tries a message again that failed.
#[utoipa::path(
    post, path = "/api/messages/{id}/retry", tag = "messages",
    params(("id" = String, Path, description = "The message's id")),
    responses((status = 202, description = "It waits again"))
)]
async fn again(With(service): With<Arc<Service>>, caller: Caller, Path(id): Path<String>) -> Result<StatusCode> {
    service.again(&caller, &id).await?;
    Ok(StatusCode::ACCEPTED)
}
