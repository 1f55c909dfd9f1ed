//! Pages of signing in through a provider: the way there and back, linking and unlinking, and the provider's own word that
//! somebody signed out there.
//!
//! Browsers do not let a form lead to another site, so what was begun by a form goes on by a page that leads there.

use std::sync::Arc;

use askama::Template;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::super::service::{Answered, Arrived, Begun, Service, SignedIn, own_path};
use super::own;
use super::sign_in::{preferences, refused_sign_in, to_second_step};
use super::{in_to, on_to};
use crate::kernel::access::{Caller, OPEN, Subject};
use crate::kernel::error::{Error, Result};
use crate::kernel::http::{Context, Form, Path, Query, RouteSet, Routes, SessionSecret, Visitor};
use crate::kernel::ui::{Flash, Html, Page, filters, view};

const ACCOUNT: &str = "/account";

pub(super) fn routes(service: Arc<Service>) -> Routes {
    RouteSet::new()
        .page(OPEN, Method::GET, "/sign-in/with/{name}", get(begin))
        .page(OPEN, Method::GET, "/sign-in/with/{name}/back", get(back))
        .page(OPEN, Method::POST, "/sign-in/with/{name}/logout", post(logout))
        .page(OPEN, Method::POST, "/account/link/{name}", post(link))
        .page(OPEN, Method::POST, "/account/unlink/{id}", post(unlink))
        .with_state(service)
}

/// Leads a browser to a provider.
#[derive(Template)]
#[template(path = "modules/accounts/templates/leaving.html")]
struct LeavingPage {
    page: Page,
    /// Key of what is going on.
    said: &'static str,
    label: String,
    address: String,
}
view!(LeavingPage);

/// What binds a browser to the sign-ins it has begun. Lax: it must come along when the provider sends the browser back.
fn cookie_name(context: &Context) -> &'static str {
    if context.secure() { "__Host-sign-in" } else { "sign-in" }
}

/// The browser that asks: who it is, its session, and what it keeps of what it has begun.
struct Browser {
    context: Arc<Context>,
    visitor: Visitor,
    session: Option<String>,
    kept: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Browser {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let context = Context::of(parts)?;
        let Ok(visitor) = Visitor::from_request_parts(parts, state).await;
        let Ok(SessionSecret(session)) = SessionSecret::from_request_parts(parts, state).await;
        let name = cookie_name(&context);
        let lines = parts.headers.get_all(header::COOKIE).iter();
        let kept = lines
            .filter_map(|value| value.to_str().ok())
            .flat_map(|line| line.split(';'))
            .find_map(|pair| {
                let (found, value) = pair.trim().split_once('=')?;
                (found == name).then(|| value.to_owned())
            });
        Ok(Self {
            visitor,
            session,
            kept,
            context,
        })
    }
}

fn keep(context: &Context, begun: &Begun) -> Result<HeaderValue> {
    let secure = if context.secure() { "; Secure" } else { "" };
    let text = format!(
        "{}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{secure}",
        cookie_name(context),
        begun.browser,
        begun.seconds
    );
    HeaderValue::from_str(&text).map_err(Error::internal)
}

/// Nothing of ours travels on to the provider, and nothing of this is kept.
fn unnamed(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A page that leads on to a provider.
fn leaving(page: Page, said: &'static str, label: String, address: String) -> Response {
    unnamed(
        Html(LeavingPage {
            page,
            said,
            label,
            address,
        })
        .into_response(),
    )
}

/// After signing out here: to the provider, to sign out there, too. `page` is of the session that has just ended.
pub(super) fn signing_out(page: Page, label: String, address: String) -> Response {
    let page = Page {
        caller: Caller::anonymous(),
        csrf: String::new(),
        navigation: Vec::new(),
        ..page
    };
    leaving(page, "leaving.signing-out", label, address)
}

/// What the address may carry.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    to: String,
}

async fn begin(
    State(service): State<Arc<Service>>,
    browser: Browser,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
    page: Page,
) -> Result<Response> {
    let to = own_path(&asked.to).to_owned();
    match service
        .begin_with(&name, &to, &browser.visitor, browser.kept, None)
        .await
    {
        Ok(begun) => {
            let location = HeaderValue::from_str(&begun.address).map_err(Error::internal)?;
            let headers = [
                (header::LOCATION, location),
                (header::SET_COOKIE, keep(&browser.context, &begun)?),
            ];
            Ok(unnamed((StatusCode::SEE_OTHER, headers).into_response()))
        }
        Err(error) => refused_sign_in(&service, page, to, error),
    }
}

async fn back(
    State(service): State<Arc<Service>>,
    browser: Browser,
    Path(name): Path<String>,
    Query(answered): Query<Answered>,
    page: Page,
) -> Result<Response> {
    let (context, session) = (&browser.context, browser.session.as_deref());
    let kept = browser.kept.as_deref();
    let arrived = service
        .finish(&name, &answered, kept, &page.caller, &browser.visitor, session)
        .await;
    let response = match arrived {
        Ok(Arrived::SignedIn {
            how: SignedIn::Whole(opened),
            to,
        }) => preferences(&service, context, &opened, in_to(context, &to, &opened)?).await,
        Ok(Arrived::SignedIn {
            how: SignedIn::Half(opened),
            to,
        }) => in_to(context, &to_second_step(&to), &opened),
        Ok(Arrived::Linked { label }) => on_to(ACCOUNT, Flash::new("toast.linked").about(&label)),
        Err(error) if matches!(page.caller.subject, Subject::Account { .. }) => {
            own::refused(&service, session, plainly(page), error).await
        }
        Err(error) => refused_sign_in(&service, plainly(page), "/".to_owned(), error),
    };
    response.map(unnamed)
}

/// What came back belongs into no link of the page.
fn plainly(mut page: Page) -> Page {
    page.canonical.clone_from(&page.public_url);
    page.reading = false;
    page
}

/// What a provider sends by itself when somebody signed out there.
#[derive(Debug, Default, Deserialize)]
struct LogoutForm {
    #[serde(default)]
    logout_token: String,
}

async fn logout(
    State(service): State<Arc<Service>>,
    Path(name): Path<String>,
    Form(form): Form<LogoutForm>,
) -> Result<Response> {
    service.end_by_provider(&name, &form.logout_token).await?;
    Ok(unnamed(StatusCode::OK.into_response()))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkForm {
    /// For password managers, which want to know whose password it is; not read.
    #[serde(default, rename = "login")]
    _login: String,
    #[serde(default)]
    link_password: String,
}

async fn link(
    State(service): State<Arc<Service>>,
    browser: Browser,
    Path(name): Path<String>,
    page: Page,
    Form(form): Form<LinkForm>,
) -> Result<Response> {
    let (session, visitor) = (browser.session.as_deref(), &browser.visitor);
    let me = service.me(&page.caller).await?;
    let given = ("link_password", form.link_password.as_str());
    if let Err(error) = service
        .prove_again(&me, session.unwrap_or_default(), given, visitor)
        .await
    {
        return own::refused(&service, session, page, error).await;
    }
    let kept = browser.kept.clone();
    match service.begin_with(&name, ACCOUNT, visitor, kept, Some(&me)).await {
        Ok(begun) => {
            let cookie = keep(&browser.context, &begun)?;
            let mut response = leaving(page, "leaving.linking", begun.label, begun.address);
            response.headers_mut().append(header::SET_COOKIE, cookie);
            Ok(response)
        }
        Err(error) => own::refused(&service, session, page, error).await,
    }
}

async fn unlink(
    State(service): State<Arc<Service>>,
    browser: Browser,
    Path(id): Path<String>,
    page: Page,
    Form(form): Form<LinkForm>,
) -> Result<Response> {
    let (session, visitor) = (browser.session.as_deref(), &browser.visitor);
    let this = session.unwrap_or_default();
    match service
        .unlink(&page.caller, this, &id, &form.link_password, visitor)
        .await
    {
        Ok(()) => on_to(ACCOUNT, Flash::new("toast.unlinked")),
        Err(error) => own::refused(&service, session, page, error).await,
    }
}
