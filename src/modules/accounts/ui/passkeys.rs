//! Passkeys: those of one's own account, and signing in with one. The browser's part is `assets/scripts/61-passkeys.js`.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::Value;

use super::super::service::{MadeForm, Service, ShownForm, own_path};
use super::super::store::passkeys::Passkey;
use super::sign_in::{SignInPage, anew, code_page, preferences};
use super::{Nothing, Wrong, again, in_to, on_to};
use crate::kernel::access::OPEN;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::{Form, Json, Path, RouteSet, Routes, SessionSecret, Shared, Visitor};
use crate::kernel::ui::{Flash, Html, Page, filters, view};

const PASSKEYS: &str = "/account/passkeys";

pub(super) fn routes(service: Arc<Service>) -> Routes {
    RouteSet::new()
        .page(OPEN, Method::GET, PASSKEYS, get(show))
        .page(OPEN, Method::POST, "/account/passkeys/question", post(question))
        .page(OPEN, Method::POST, PASSKEYS, post(add))
        .page(OPEN, Method::POST, "/account/passkeys/{id}/name", post(rename))
        .page(OPEN, Method::POST, "/account/passkeys/{id}/end", post(end))
        .page(OPEN, Method::POST, "/sign-in/passkey/question", post(door_question))
        .page(OPEN, Method::POST, "/sign-in/passkey", post(door))
        .page(OPEN, Method::POST, "/sign-in/code/question", post(step_question))
        .page(OPEN, Method::POST, "/sign-in/code/passkey", post(step))
        .with_state(service)
}

#[derive(Template)]
#[template(path = "modules/accounts/templates/passkeys.html")]
struct PasskeysPage {
    page: Page,
    wrong: Wrong,
    passkeys: Vec<Passkey>,
    /// False where the address of the house allows none.
    possible: bool,
    /// Asked for as proof; who has none has just signed in.
    has_password: bool,
}
view!(PasskeysPage);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Proof {
    #[serde(default)]
    password: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct NameForm {
    #[serde(default)]
    name: String,
}

async fn shown(service: &Service, page: Page) -> Result<PasskeysPage> {
    let me = service.me(&page.caller).await?;
    Ok(PasskeysPage {
        passkeys: service.passkeys_of(&me).await?,
        possible: service.knows_passkeys(),
        has_password: me.password_at.is_some(),
        wrong: Wrong::default(),
        page,
    })
}

async fn refused(service: &Service, page: Page, error: Error) -> Result<Response> {
    let shown = shown(service, page).await?;
    again(error, |wrong| PasskeysPage { wrong, ..shown })
}

async fn show(State(service): State<Arc<Service>>, page: Page) -> Result<Html<PasskeysPage>> {
    Ok(Html(shown(&service, page).await?))
}

/// What the browser asks the authenticator to make a passkey with.
async fn question(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    SessionSecret(secret): SessionSecret,
    page: Page,
    Form(proof): Form<Proof>,
) -> Result<Json<Value>> {
    let secret = secret.unwrap_or_default();
    service
        .begin_passkey(&page.caller, &secret, &proof.password, &visitor)
        .await
        .map(Json)
}

async fn add(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    page: Page,
    Form(form): Form<MadeForm>,
) -> Result<Response> {
    match service.add_passkey(&page.caller, &form, &visitor).await {
        Ok(()) => on_to(PASSKEYS, Flash::new("toast.passkey-added")),
        Err(error) => refused(&service, page, error).await,
    }
}

async fn rename(
    State(service): State<Arc<Service>>,
    page: Page,
    Path(id): Path<String>,
    Form(form): Form<NameForm>,
) -> Result<Response> {
    match service.rename_passkey(&page.caller, &id, &form.name).await {
        Ok(()) => on_to(PASSKEYS, Flash::new("toast.passkey-named")),
        Err(error) => refused(&service, page, error).await,
    }
}

async fn end(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    SessionSecret(secret): SessionSecret,
    page: Page,
    Path(id): Path<String>,
    Form(proof): Form<Proof>,
) -> Result<Response> {
    match service
        .remove_passkey(
            &page.caller,
            &secret.unwrap_or_default(),
            (&id, &proof.password),
            &visitor,
        )
        .await
    {
        Ok(()) => on_to(PASSKEYS, Flash::new("toast.passkey-removed")),
        Err(error) => refused(&service, page, error).await,
    }
}

async fn door_question(State(service): State<Arc<Service>>, Form(Nothing {}): Form<Nothing>) -> Result<Json<Value>> {
    service.begin_passkey_sign_in().await.map(Json)
}

async fn door(
    State(service): State<Arc<Service>>,
    Shared(context): Shared,
    visitor: Visitor,
    SessionSecret(old): SessionSecret,
    page: Page,
    Form(form): Form<ShownForm>,
) -> Result<Response> {
    let to = own_path(&form.to).to_owned();
    match service.passkey_sign_in(&form, &visitor, old.as_deref()).await {
        Ok(opened) => preferences(&service, &context, &opened, in_to(&context, &to, &opened)?).await,
        Err(error) => again(error, |wrong| SignInPage::new(&service, page, wrong, String::new(), to)),
    }
}

async fn step_question(
    State(service): State<Arc<Service>>,
    SessionSecret(secret): SessionSecret,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Json<Value>> {
    service.begin_passkey_step(&secret.unwrap_or_default()).await.map(Json)
}

async fn step(
    State(service): State<Arc<Service>>,
    Shared(context): Shared,
    visitor: Visitor,
    SessionSecret(secret): SessionSecret,
    page: Page,
    Form(form): Form<ShownForm>,
) -> Result<Response> {
    let Some(secret) = secret else { return Ok(anew()) };
    let to = own_path(&form.to).to_owned();
    match service.passkey_step(&secret, &form, &visitor).await {
        Ok(opened) => preferences(&service, &context, &opened, in_to(&context, &to, &opened)?).await,
        Err(error) => match code_page(&service, &secret, page, &to, Wrong::default()).await {
            Ok(shown) => again(error, |wrong| shown.with(wrong)),
            // The first step is too long ago.
            Err(gone) if gone.code() == Code::Unauthenticated => Ok(anew()),
            Err(other) => Err(other),
        },
    }
}
