//! One-time links: the first administrator's, an invitation, a new password. A page that asks, and the answer that uses
//! the link up.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::super::account::Account;
use super::super::service::{First, LinkKind, Service, SignedIn, setup_is_shut};
use super::sign_in::preferences;
use super::{Wrong, again, in_to, on_to};
use crate::kernel::access::OPEN;
use crate::kernel::error::Result;
use crate::kernel::http::{Form, Path, RouteSet, Routes, SessionSecret, Shared, Visitor};
use crate::kernel::ui::{Flash, Html, Page, filters, view};

pub(super) fn routes(service: Arc<Service>) -> Routes {
    RouteSet::new()
        .page(OPEN, Method::GET, "/setup/{secret}", get(setup_page))
        .page(OPEN, Method::POST, "/setup/{secret}", post(set_up))
        .page(OPEN, Method::GET, "/welcome/{secret}", get(welcome_page))
        .page(OPEN, Method::POST, "/welcome/{secret}", post(choose))
        .with_state(service)
}

#[derive(Template)]
#[template(path = "modules/accounts/templates/setup.html")]
struct SetupPage {
    page: Page,
    /// Where the button sends to.
    target: String,
    wrong: Wrong,
    name: String,
    login: String,
}
view!(SetupPage);

#[derive(Template)]
#[template(path = "modules/accounts/templates/welcome.html")]
struct WelcomePage {
    page: Page,
    target: String,
    wrong: Wrong,
    account: Account,
    is_new: bool,
}
view!(WelcomePage);

/// What the form of a link sends.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Chosen {
    /// For password managers, which want to know whose password it is; not read.
    #[serde(default, rename = "login")]
    _login: String,
    #[serde(default)]
    password: String,
}

/// The secret belongs into no link of the page and into no other site's log.
pub(super) fn secretly(mut page: Page) -> Page {
    page.canonical.clone_from(&page.public_url);
    page
}

pub(super) fn unnamed(response: impl IntoResponse) -> Response {
    ([(header::REFERRER_POLICY, "no-referrer")], response).into_response()
}

/// Asks. Looking at a link does not use it up: previews in messages look, too.
async fn setup_page(State(service): State<Arc<Service>>, Path(secret): Path<String>, page: Page) -> Result<Response> {
    if !service.setup_is_open(&secret).await? {
        return Err(setup_is_shut());
    }
    Ok(unnamed(Html(SetupPage {
        page: secretly(page),
        target: format!("/setup/{secret}"),
        wrong: Wrong::default(),
        name: String::new(),
        login: String::new(),
    })))
}

async fn set_up(
    State(service): State<Arc<Service>>,
    Shared(context): Shared,
    visitor: Visitor,
    SessionSecret(old): SessionSecret,
    Path(secret): Path<String>,
    page: Page,
    Form(first): Form<First>,
) -> Result<Response> {
    match service.set_up(&secret, &first, &visitor, old.as_deref()).await {
        Ok(SignedIn::Whole(opened)) => in_to(&context, "/", &opened),
        Ok(SignedIn::Half(opened)) => in_to(&context, "/sign-in/code", &opened),
        Err(error) => again(error, |wrong| SetupPage {
            page: secretly(page),
            target: format!("/setup/{secret}"),
            wrong,
            name: first.name,
            login: first.login,
        })
        .map(unnamed),
    }
}

async fn welcome(service: &Service, secret: &str, page: Page) -> Result<WelcomePage> {
    let (account, kind) = service.link(secret).await?;
    Ok(WelcomePage {
        page: secretly(page),
        target: format!("/welcome/{secret}"),
        wrong: Wrong::default(),
        account,
        is_new: kind == LinkKind::Invite,
    })
}

async fn welcome_page(State(service): State<Arc<Service>>, Path(secret): Path<String>, page: Page) -> Result<Response> {
    Ok(unnamed(Html(welcome(&service, &secret, page).await?)))
}

async fn choose(
    State(service): State<Arc<Service>>,
    Shared(context): Shared,
    visitor: Visitor,
    SessionSecret(old): SessionSecret,
    Path(secret): Path<String>,
    page: Page,
    Form(chosen): Form<Chosen>,
) -> Result<Response> {
    match service
        .use_link(&secret, &chosen.password, &visitor, old.as_deref())
        .await
    {
        Ok(Some(opened)) => preferences(&service, &context, &opened, in_to(&context, "/", &opened)?).await,
        Ok(None) => on_to("/sign-in", Flash::new("toast.password-chosen")),
        Err(error) => {
            let shown = welcome(&service, &secret, page).await?;
            again(error, |wrong| WelcomePage { wrong, ..shown }).map(unnamed)
        }
    }
}
