//! Accounts of programs, for those who look after accounts: made with a first token, given more, and taken them away.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;

use super::super::MANAGE;
use super::super::model::Token;
use super::super::service::Service;
use super::own::TokenForm;
use super::people::{InviteForm, again_with, person, refused};
use super::{Nothing, on_to};
use crate::contract::accounts::{AccountInfo, HeldRole, NewAccount};
use crate::kernel::access::Caller;
use crate::kernel::error::Result;
use crate::kernel::http::{Form, Path, RouteSet, Routes};
use crate::kernel::ui::{Flash, Html, Page};

/// What is offered for a program's token: the key of its text, and the scope.
pub(super) const SCOPES: [(&str, &str); 3] = [
    ("its-read", "records.read records.restricted"),
    ("write", "records.* types.read jobs.read"),
    ("its-all", "*"),
];
pub(super) const DAYS: [u32; 3] = [90, 365, 3650];

pub(super) fn routes(service: Arc<Service>) -> Routes {
    RouteSet::new()
        .page(MANAGE, Method::POST, "/people/programs", post(create))
        .page(MANAGE, Method::POST, "/people/{id}/tokens", post(make_token))
        .page(MANAGE, Method::POST, "/people/{id}/tokens/{token}/revoke", post(revoke))
        .with_state(service)
}

/// A token that is in use, for who holds it or looks after the program that does.
pub(super) struct TokenRow {
    pub id: String,
    pub name: String,
    pub scope: String,
    pub used_at: Option<i64>,
    pub expires_at: Option<i64>,
}

pub(super) fn token_row(token: Token) -> Result<TokenRow> {
    Ok(TokenRow {
        scope: token.scope()?.join(", "),
        id: token.id,
        name: token.name,
        used_at: token.used_at,
        expires_at: token.expires_at,
    })
}

/// The tokens of an account that is a program's.
pub(super) async fn tokens(service: &Service, caller: &Caller, info: &AccountInfo) -> Result<Vec<TokenRow>> {
    if info.kind != "service" {
        return Ok(Vec::new());
    }
    let now = service.now();
    let mut found = service.tokens_of(caller, &info.id).await?;
    found.retain(|token| token.is_live(now));
    found.into_iter().map(token_row).collect()
}

async fn create(State(service): State<Arc<Service>>, page: Page, Form(form): Form<InviteForm>) -> Result<Response> {
    let held = HeldRole {
        role: form.role.clone(),
        place: "house".to_owned(),
    };
    let new = NewAccount {
        login: form.login.clone(),
        name: form.name.clone(),
        mail: None,
        roles: if form.role.is_empty() { Vec::new() } else { vec![held] },
        service: true,
    };
    match service.create(&page.caller, &new).await {
        Ok(made) => on_to(
            &format!("/people/{}", made.account.id),
            Flash::new("toast.program-made"),
        ),
        Err(error) => again_with(&service, page, form, true, error).await,
    }
}

async fn make_token(
    State(service): State<Arc<Service>>,
    page: Page,
    Path(id): Path<String>,
    Form(form): Form<TokenForm>,
) -> Result<Response> {
    match service.create_token_for(&page.caller, &id, &form.wanted(365)).await {
        Ok(made) => {
            let mut shown = person(&service, page, &id).await?;
            shown.made = Some((made.token.name, made.secret));
            Ok((StatusCode::CREATED, Html(shown)).into_response())
        }
        Err(error) => refused(&service, page, &id, error).await,
    }
}

async fn revoke(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path((id, token)): Path<(String, String)>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response> {
    service.revoke_token_of(&caller, &id, &token).await?;
    on_to(&format!("/people/{id}"), Flash::new("toast.token-ended"))
}
