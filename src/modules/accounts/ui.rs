//! Pages: the setup link (a page that asks, and the answer that uses it up) and the way out.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::service::{Service, link_is_shut};
use crate::kernel::access::OPEN;
use crate::kernel::error::Result;
use crate::kernel::http::{Form, Path, RouteSet, Routes, Shared, session_cookie, session_cookie_end, session_secret};
use crate::kernel::ui::{Flash, Html, Page, filters, view};

pub(super) fn routes(service: Arc<Service>) -> Routes {
    RouteSet::new()
        .page(OPEN, Method::GET, "/setup/{secret}", get(setup_page))
        .page(OPEN, Method::POST, "/setup/{secret}", post(set_up))
        .page(OPEN, Method::POST, "/sign-out", post(sign_out))
        .with_state(service)
}

#[derive(Template)]
#[template(path = "modules/accounts/templates/setup.html")]
struct SetupPage {
    page: Page,
    /// Where the button sends to.
    target: String,
}
view!(SetupPage);

/// A form without fields of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Asks. Looking at a link does not use it up: previews in messages look, too.
async fn setup_page(
    State(service): State<Arc<Service>>,
    Path(secret): Path<String>,
    mut page: Page,
) -> Result<Response> {
    if !service.link_is_open(&secret).await? {
        return Err(link_is_shut());
    }
    let target = format!("/setup/{secret}");
    // The secret belongs into no link of this page.
    page.canonical = page.public_url.clone();
    Ok((
        [(header::REFERRER_POLICY, "no-referrer")],
        Html(SetupPage { page, target }),
    )
        .into_response())
}

async fn set_up(
    State(service): State<Arc<Service>>,
    Shared(context): Shared,
    Path(secret): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response> {
    let (session, seconds) = service.use_link(&secret).await?;
    let cookie = session_cookie(&context, &session, seconds)?;
    let mut response = (
        StatusCode::SEE_OTHER,
        [(header::LOCATION, "/"), (header::REFERRER_POLICY, "no-referrer")],
    )
        .into_response();
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

async fn sign_out(
    State(service): State<Arc<Service>>,
    Shared(context): Shared,
    headers: HeaderMap,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response> {
    if let Some(secret) = session_secret(&headers) {
        service.end_session(secret).await?;
    }
    let headers = [
        (header::LOCATION, HeaderValue::from_static("/")),
        (header::SET_COOKIE, session_cookie_end(&context)?),
    ];
    let said = Flash::new("toast.signed-out");
    Ok((StatusCode::SEE_OTHER, headers, said, ()).into_response())
}
