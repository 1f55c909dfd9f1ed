//! JSON: who am I, and tokens.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa_axum::routes;

use super::super::TOKENS;
use super::super::service::Service;
use super::super::store::sessions::Session;
use crate::contract::accounts::{CreatedToken, Doors, NewToken, TokenInfo};
use crate::kernel::access::{Caller, Level, OPEN, Object, Subject};
use crate::kernel::clock::rfc3339;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::{Json, Path, RouteSet, Routes, Secret, Shared};

pub(in super::super) fn routes(service: Arc<Service>) -> Routes {
    RouteSet::new()
        .route(OPEN, routes!(me))
        .route(TOKENS, routes!(list_tokens, create_token))
        .route(TOKENS, routes!(revoke_token))
        .route(TOKENS, routes!(list_sessions))
        .route(TOKENS, routes!(end_session))
        .route(TOKENS, routes!(create_setup_link))
        .with_state(service)
}

/// Who the caller is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Me {
    /// `anonymous`, `account`, `token` or `operator`.
    kind: &'static str,
    /// How logs and the ledger name the caller.
    actor: String,
    /// The name of the account or the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// What the token may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<Vec<String>>,
    /// The highest level of fields the caller reads.
    level: Option<Level>,
}

/// Every token, newest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct TokenList {
    items: Vec<TokenInfo>,
}

/// Who the caller is and what it may see.
#[utoipa::path(get, path = "/api/me", tag = "accounts", responses((status = 200, body = Me)))]
async fn me(Shared(context): Shared, caller: Caller) -> Result<Json<Me>> {
    let level = context.kernel.access.level(&caller, &Object::House).await?;
    let actor = caller.actor();
    let (kind, name, scope) = match caller.subject {
        Subject::Anonymous => ("anonymous", None, None),
        Subject::Operator => ("operator", None, None),
        Subject::System => ("system", None, None),
        Subject::Account { name, scope, .. } => ("account", Some(name), scope),
        Subject::Token { name, scope, .. } => ("token", Some(name), Some(scope)),
    };
    Ok(Json(Me {
        kind,
        actor,
        name,
        scope,
        level,
    }))
}

/// The tokens there are, without their secrets.
#[utoipa::path(get, path = "/api/tokens", tag = "accounts", responses((status = 200, body = TokenList)))]
async fn list_tokens(State(service): State<Arc<Service>>, caller: Caller) -> Result<Json<TokenList>> {
    Ok(Json(TokenList {
        items: service.tokens(&caller).await?,
    }))
}

/// Makes a token. Its secret is in the answer, once.
#[utoipa::path(post, path = "/api/tokens", tag = "accounts", request_body = NewToken, responses((status = 201, body = CreatedToken)))]
async fn create_token(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Json(new): Json<NewToken>,
) -> Result<impl IntoResponse> {
    let made = service.create_token(&caller, &new).await?;
    Ok((StatusCode::CREATED, Secret(Json(made))))
}

/// Ends a token at once.
#[utoipa::path(
    delete, path = "/api/tokens/{id}", tag = "accounts",
    params(("id" = String, Path, description = "The token's id")),
    responses((status = 204, description = "It is ended"))
)]
async fn revoke_token(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    service.revoke_token(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A browser that has signed in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct SessionInfo {
    id: String,
    /// Whose; none: the operator's, from a link of an earlier version.
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<String>,
    created_at: String,
    expires_at: String,
    /// When it was last used, exact to a minute.
    used_at: String,
    address: String,
    agent: String,
}

impl From<Session> for SessionInfo {
    fn from(session: Session) -> Self {
        Self {
            id: session.id,
            account_id: session.account_id,
            created_at: rfc3339(session.created_at),
            expires_at: rfc3339(session.expires_at),
            used_at: rfc3339(session.used_at),
            address: session.address,
            agent: session.agent,
        }
    }
}

/// The sessions that are open, newest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct SessionList {
    items: Vec<SessionInfo>,
}

/// The browsers that are signed in.
#[utoipa::path(get, path = "/api/sessions", tag = "accounts", responses((status = 200, body = SessionList)))]
async fn list_sessions(State(service): State<Arc<Service>>, caller: Caller) -> Result<Json<SessionList>> {
    let sessions = service.sessions(&caller).await?;
    Ok(Json(SessionList {
        items: sessions.into_iter().map(SessionInfo::from).collect(),
    }))
}

/// Signs a browser out at once.
#[utoipa::path(
    delete, path = "/api/sessions/{id}", tag = "accounts",
    params(("id" = String, Path, description = "The session's id")),
    responses((status = 204, description = "It is ended"))
)]
async fn end_session(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    service.end_session_by_id(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A one-time link that makes an administrator.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct SetupLink {
    /// The whole address. Works once, for a day.
    url: String,
}

/// Makes a one-time setup link. Only the operator of the machine may: whoever opens it becomes an administrator.
#[utoipa::path(post, path = "/api/setup-links", tag = "accounts", responses((status = 201, body = SetupLink)))]
async fn create_setup_link(State(service): State<Arc<Service>>, caller: Caller) -> Result<impl IntoResponse> {
    if caller.subject != Subject::Operator {
        let text = "Only the operator makes setup links: `app setup-link` on the machine itself.";
        return Err(Error::new(Code::Forbidden, text));
    }
    let url = service.new_setup_link().await?;
    Ok((StatusCode::CREATED, Secret(Json(SetupLink { url }))))
}
