//! A lost password at the door, and an address that is confirmed: what mail leads to and from.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::super::service::Service;
use super::setup::{secretly, unnamed};
use super::{Nothing, Wrong, again, on_to};
use crate::kernel::access::OPEN;
use crate::kernel::error::{Error, Result};
use crate::kernel::http::{Form, Path, RouteSet, Routes, Visitor};
use crate::kernel::ui::{Flash, Html, Page, filters, view};

pub(super) fn routes(service: Arc<Service>) -> Routes {
    RouteSet::new()
        .page(OPEN, Method::GET, "/sign-in/lost", get(ask))
        .page(OPEN, Method::POST, "/sign-in/lost", post(lost))
        .page(OPEN, Method::GET, "/confirm/{secret}", get(confirming))
        .page(OPEN, Method::POST, "/confirm/{secret}", post(confirm))
        .with_state(service)
}

#[derive(Template)]
#[template(path = "modules/accounts/templates/lost.html")]
struct LostPage {
    page: Page,
    wrong: Wrong,
    name: String,
    /// It was asked for: what happens now is the same whoever it was.
    done: bool,
}
view!(LostPage);

#[derive(Template)]
#[template(path = "modules/accounts/templates/confirm.html")]
struct ConfirmPage {
    page: Page,
    target: String,
    wrong: Wrong,
    name: String,
    mail: String,
}
view!(ConfirmPage);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    #[serde(default)]
    name: String,
}

async fn ask(State(service): State<Arc<Service>>, page: Page) -> Result<Html<LostPage>> {
    if !service.can_mail() {
        return Err(Error::not_found("page", "/sign-in/lost"));
    }
    Ok(Html(LostPage {
        page,
        wrong: Wrong::default(),
        name: String::new(),
        done: false,
    }))
}

async fn lost(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    page: Page,
    Form(given): Form<Given>,
) -> Result<Response> {
    let shown = |wrong: Wrong, done: bool| LostPage {
        page,
        wrong,
        name: given.name.chars().take(200).collect(),
        done,
    };
    match service.lost_password(&given.name, &visitor).await {
        Ok(()) => Ok(Html(shown(Wrong::default(), true)).into_response()),
        Err(error) => again(error, |wrong| shown(wrong, false)),
    }
}

async fn confirm_page(service: &Service, secret: &str, page: Page) -> Result<ConfirmPage> {
    let (account, mail) = service.confirming(secret).await?;
    Ok(ConfirmPage {
        page: secretly(page),
        target: format!("/confirm/{secret}"),
        wrong: Wrong::default(),
        name: account.name,
        mail,
    })
}

/// Asks. Looking at a link does not use it up: previews of mail programs look, too.
async fn confirming(State(service): State<Arc<Service>>, Path(secret): Path<String>, page: Page) -> Result<Response> {
    Ok(unnamed(Html(confirm_page(&service, &secret, page).await?)))
}

async fn confirm(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Path(secret): Path<String>,
    page: Page,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response> {
    match service.confirm_address(&secret, &visitor).await {
        Ok(()) => {
            let next = if page.caller.is_anonymous() {
                "/sign-in"
            } else {
                "/account"
            };
            on_to(next, Flash::new("toast.mail-confirmed"))
        }
        Err(error) => {
            let shown = confirm_page(&service, &secret, page).await?;
            again(error, |wrong| ConfirmPage { wrong, ..shown }).map(unnamed)
        }
    }
}
