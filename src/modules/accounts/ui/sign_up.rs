//! An account of one's own: asked for at the door, and made by whoever opens the link that was mailed.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::super::service::{First, Service, SignUpForm};
use super::setup::{secretly, unnamed};
use super::{Wrong, again, in_to};
use crate::kernel::access::OPEN;
use crate::kernel::error::{Error, Result};
use crate::kernel::http::{Form, Path, RouteSet, Routes, SessionSecret, Shared, Visitor};
use crate::kernel::ui::{Html, Page, filters, view};

pub(super) fn routes(service: Arc<Service>) -> Routes {
    RouteSet::new()
        .page(OPEN, Method::GET, "/sign-up", get(ask))
        .page(OPEN, Method::POST, "/sign-up", post(send))
        .page(OPEN, Method::GET, "/sign-up/{secret}", get(joining))
        .page(OPEN, Method::POST, "/sign-up/{secret}", post(join))
        .with_state(service)
}

#[derive(Template)]
#[template(path = "modules/accounts/templates/sign-up.html")]
struct SignUpPage {
    page: Page,
    wrong: Wrong,
    form: SignUpForm,
    /// The domains whose addresses are taken, in one line; empty: all.
    domains: String,
    /// It was asked for, for this address: what happens now is the same whoever it was.
    sent_to: Option<String>,
}
view!(SignUpPage);

#[derive(Template)]
#[template(path = "modules/accounts/templates/join.html")]
struct JoinPage {
    page: Page,
    target: String,
    wrong: Wrong,
    name: String,
    login: String,
    mail: String,
}
view!(JoinPage);

fn shown(service: &Service, page: Page, form: SignUpForm) -> SignUpPage {
    SignUpPage {
        page,
        wrong: Wrong::default(),
        form,
        domains: service.sign_up_domains().join(", "),
        sent_to: None,
    }
}

async fn ask(State(service): State<Arc<Service>>, page: Page) -> Result<Html<SignUpPage>> {
    if !service.may_sign_up() {
        return Err(Error::not_found("page", "/sign-up"));
    }
    Ok(Html(shown(&service, page, SignUpForm::default())))
}

async fn send(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    page: Page,
    Form(form): Form<SignUpForm>,
) -> Result<Response> {
    let asked = service.ask_sign_up(&form, page.language.tag(), &visitor).await;
    let kept = SignUpForm {
        name: form.name.chars().take(200).collect(),
        mail: form.mail.chars().take(300).collect(),
    };
    let shown = shown(&service, page, kept);
    match asked {
        Ok(mail) => Ok(Html(SignUpPage {
            sent_to: Some(mail),
            ..shown
        })
        .into_response()),
        Err(error) => again(error, |wrong| SignUpPage { wrong, ..shown }),
    }
}

async fn join_page(service: &Service, secret: &str, page: Page) -> Result<JoinPage> {
    let (name, mail) = service.joining(secret).await?;
    Ok(JoinPage {
        page: secretly(page),
        target: format!("/sign-up/{secret}"),
        wrong: Wrong::default(),
        name,
        login: String::new(),
        mail,
    })
}

/// Asks. Looking at a link does not use it up: previews of mail programs look, too.
async fn joining(State(service): State<Arc<Service>>, Path(secret): Path<String>, page: Page) -> Result<Response> {
    Ok(unnamed(Html(join_page(&service, &secret, page).await?)))
}

async fn join(
    State(service): State<Arc<Service>>,
    Shared(context): Shared,
    visitor: Visitor,
    SessionSecret(old): SessionSecret,
    Path(secret): Path<String>,
    page: Page,
    Form(chosen): Form<First>,
) -> Result<Response> {
    match service.join(&secret, &chosen, &visitor, old.as_deref()).await {
        Ok(opened) => in_to(&context, "/", &opened),
        Err(error) => {
            let shown = join_page(&service, &secret, page).await?;
            again(error, |wrong| JoinPage {
                wrong,
                name: chosen.name,
                login: chosen.login,
                ..shown
            })
            .map(unnamed)
        }
    }
}
