//! Pages of tokens and sessions: make one and see its secret once, see what is in use, end it; and a link for another
//! browser. For whoever may manage tokens; links are the operator's.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::super::TOKENS;
use super::super::model::Token;
use super::super::service::Service;
use super::Nothing;
use crate::contract::accounts::{Doors, NewToken};
use crate::kernel::access::{Caller, Subject};
use crate::kernel::error::{Code, Error, FieldIssue, Result};
use crate::kernel::http::{Form, Path, RouteSet, Routes, SessionSecret};
use crate::kernel::ui::{Html, Page, filters, view};

const TOKENS_AT: &str = "/access/tokens";
/// What is offered to choose: the key of its text, and the scope. The first one is chosen at first.
const SCOPES: [(&str, &str); 4] = [
    ("read", "records.restricted"),
    ("write", "records.* types.read jobs.read"),
    ("keep", "records.* types.* jobs.* history.*"),
    ("all", "*"),
];
const DAYS: [u32; 4] = [30, 90, 365, 3650];

pub(super) fn routes(service: Arc<Service>) -> Routes {
    RouteSet::new()
        .page(TOKENS, Method::GET, TOKENS_AT, get(tokens_page))
        .page(TOKENS, Method::POST, TOKENS_AT, post(make))
        .page(TOKENS, Method::POST, "/access/tokens/{id}/revoke", post(revoke))
        .page(TOKENS, Method::POST, "/access/sessions/{id}/end", post(end))
        .page(TOKENS, Method::POST, "/access/links", post(link))
        .with_state(service)
}

#[derive(Template)]
#[template(path = "modules/accounts/templates/tokens.html")]
struct TokensPage {
    page: Page,
    tokens: Vec<TokenRow>,
    sessions: Vec<SessionRow>,
    scopes: Vec<ScopeChoice>,
    days: [u32; 4],
    /// A secret that was made just now and is shown this once: name and secret.
    made: Option<(String, String)>,
    /// A link that was made just now.
    link: Option<String>,
    /// What is wrong with the form, and what stood in it.
    issues: Vec<FieldIssue>,
    name: String,
    own_scope: String,
    may_link: bool,
}
view!(TokensPage);

struct ScopeChoice {
    label: String,
    value: &'static str,
    selected: bool,
}

struct TokenRow {
    id: String,
    name: String,
    scope: String,
    created_at: i64,
    used_at: Option<i64>,
    expires_at: Option<i64>,
    /// Key and tone of its state.
    state: &'static str,
    tone: &'static str,
    is_live: bool,
}

struct SessionRow {
    id: String,
    /// Whose; none: the operator's.
    who: Option<String>,
    address: String,
    created_at: i64,
    used_at: i64,
    expires_at: i64,
    is_this: bool,
}

/// What the form sends.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    name: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    own_scope: String,
    #[serde(default)]
    days: String,
}

async fn shown(service: &Service, secret: Option<&str>, page: Page) -> Result<TokensPage> {
    let now = service.now();
    let this = match secret {
        Some(secret) => service.session_of(secret).await?.map(|session| session.id),
        None => None,
    };
    let sessions = service.sessions(&page.caller).await?;
    let tokens = service.all_tokens(&page.caller).await?;
    let choice = |(key, value): (&str, &'static str)| ScopeChoice {
        label: format!("accounts-scope.{key}"),
        selected: value == SCOPES[0].1,
        value,
    };
    Ok(TokensPage {
        tokens: tokens
            .into_iter()
            .map(|token| token_row(token, now))
            .collect::<Result<_>>()?,
        sessions: sessions
            .into_iter()
            .map(|session| SessionRow {
                is_this: this.as_ref() == Some(&session.id),
                id: session.id,
                created_at: session.created_at,
                who: session.name,
                address: session.address,
                used_at: session.used_at,
                expires_at: session.expires_at,
            })
            .collect(),
        scopes: SCOPES.map(choice).into(),
        days: DAYS,
        made: None,
        link: None,
        issues: Vec::new(),
        name: String::new(),
        own_scope: String::new(),
        may_link: page.caller.subject == Subject::Operator,
        page,
    })
}

fn token_row(token: Token, now: i64) -> Result<TokenRow> {
    let is_live = token.is_live(now);
    let (state, tone) = match (is_live, token.revoked_at) {
        (true, _) => ("accounts.state-live", "ok"),
        (false, Some(_)) => ("accounts.state-revoked", ""),
        (false, None) => ("accounts.state-expired", "warn"),
    };
    Ok(TokenRow {
        scope: token.scope()?.join(", "),
        id: token.id,
        name: token.name,
        created_at: token.created_at,
        used_at: token.used_at,
        expires_at: token.expires_at,
        state,
        tone,
        is_live,
    })
}

async fn tokens_page(
    State(service): State<Arc<Service>>,
    SessionSecret(secret): SessionSecret,
    page: Page,
) -> Result<Html<TokensPage>> {
    Ok(Html(shown(&service, secret.as_deref(), page).await?))
}

async fn make(
    State(service): State<Arc<Service>>,
    SessionSecret(secret): SessionSecret,
    page: Page,
    Form(wanted): Form<Wanted>,
) -> Result<Response> {
    let own = wanted.own_scope.split([',', ' ', '\n']).map(str::trim);
    let chosen = wanted.scope.split(' ');
    let scope = if wanted.own_scope.trim().is_empty() {
        chosen.collect()
    } else {
        own.collect::<Vec<_>>()
    };
    let new = NewToken {
        name: wanted.name.clone(),
        scope: scope.into_iter().filter(|s| !s.is_empty()).map(str::to_owned).collect(),
        days: wanted.days.parse().ok(),
    };
    match service.create_token(&page.caller, &new).await {
        Ok(made) => {
            let mut shown = shown(&service, secret.as_deref(), page).await?;
            shown.made = Some((made.token.name, made.secret));
            Ok((StatusCode::CREATED, Html(shown)).into_response())
        }
        Err(error) if error.code() == Code::Invalid => {
            let mut shown = shown(&service, secret.as_deref(), page).await?;
            shown.issues = error.fields().to_vec();
            (shown.name, shown.own_scope) = (wanted.name, wanted.own_scope);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(shown)).into_response())
        }
        Err(error) => Err(error),
    }
}

fn back() -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, TOKENS_AT)]).into_response()
}

async fn revoke(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response> {
    service.revoke_token(&caller, &id).await?;
    Ok(back())
}

async fn end(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response> {
    service.end_session_by_id(&caller, &id).await?;
    Ok(back())
}

async fn link(
    State(service): State<Arc<Service>>,
    SessionSecret(secret): SessionSecret,
    page: Page,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response> {
    if page.caller.subject != Subject::Operator {
        return Err(Error::new(
            Code::Forbidden,
            "Only the operator makes setup links: `app setup-link` on the machine itself.",
        ));
    }
    let link = service.new_setup_link().await?;
    let mut shown = shown(&service, secret.as_deref(), page).await?;
    shown.link = Some(link);
    Ok((StatusCode::CREATED, Html(shown)).into_response())
}
