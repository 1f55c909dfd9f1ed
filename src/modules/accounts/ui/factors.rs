//! The second step of one's own account: set it up with a picture for the authenticator, take it away; recovery codes.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::super::service::{NewFactor, Service};
use super::{Wrong, again, on_to};
use crate::kernel::access::OPEN;
use crate::kernel::error::{Error, Result};
use crate::kernel::http::{Form, RouteSet, Routes, SessionSecret, Visitor};
use crate::kernel::ui::{Flash, Html, Page, filters, view};

pub(super) fn routes(service: Arc<Service>) -> Routes {
    RouteSet::new()
        .page(OPEN, Method::GET, "/account/second-step", get(show))
        .page(OPEN, Method::POST, "/account/second-step", post(set_up))
        .page(OPEN, Method::POST, "/account/second-step/end", post(end))
        .with_state(service)
}

#[derive(Template)]
#[template(path = "modules/accounts/templates/second-step.html")]
struct StepPage {
    page: Page,
    wrong: Wrong,
    /// What is to be set up, where nothing is.
    new: Option<Picture>,
    codes_left: i64,
    must: bool,
}
view!(StepPage);

/// Recovery codes, shown once.
#[derive(Template)]
#[template(path = "modules/accounts/templates/recovery-codes.html")]
pub(super) struct CodesPage {
    pub page: Page,
    pub codes: Vec<String>,
    pub next: String,
}
view!(CodesPage);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    #[serde(default)]
    code: String,
    #[serde(default)]
    password: String,
}

/// A factor that is being set up, as its page shows it.
pub(super) struct Picture {
    /// How wide the picture is, in squares.
    pub size: usize,
    /// The dark squares as one path.
    pub path: String,
    /// For typing it in, in groups of four.
    pub secret: String,
}

/// What an authenticator reads, as squares and as text.
pub(super) fn picture(new: &NewFactor) -> Result<Picture> {
    use std::fmt::Write as _;
    /// Squares of light that a reader needs around it.
    const MARGIN: usize = 4;
    let code = qrcode::QrCode::new(new.address.as_bytes()).map_err(Error::internal)?;
    let width = code.width();
    let mut path = String::new();
    for (at, color) in code.to_colors().iter().enumerate() {
        if *color == qrcode::Color::Dark {
            let _ = write!(path, "M{} {}h1v1h-1z", at % width + MARGIN, at / width + MARGIN);
        }
    }
    let letters: Vec<char> = new.secret.chars().collect();
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    Ok(Picture {
        size: width + 2 * MARGIN,
        path,
        secret: groups.join(" "),
    })
}

async fn step_page(service: &Service, page: Page, wrong: Wrong) -> Result<StepPage> {
    let me = service.me(&page.caller).await?;
    let there = service.factor(&me.id).await?.is_some();
    let new = if there {
        None
    } else {
        Some(picture(&service.new_factor(&me).await?)?)
    };
    Ok(StepPage {
        new,
        codes_left: service.codes_left(&me).await?,
        must: service.needs_factor(&me).await?,
        page,
        wrong,
    })
}

async fn show(State(service): State<Arc<Service>>, page: Page) -> Result<Html<StepPage>> {
    Ok(Html(step_page(&service, page, Wrong::default()).await?))
}

async fn set_up(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    SessionSecret(secret): SessionSecret,
    page: Page,
    Form(given): Form<Given>,
) -> Result<Response> {
    let secret = secret.unwrap_or_default();
    match service
        .add_factor(&page.caller, &secret, &given.password, &given.code, &visitor)
        .await
    {
        Ok(codes) => Ok(Html(CodesPage {
            page,
            codes,
            next: "/account".to_owned(),
        })
        .into_response()),
        Err(error) => {
            let shown = step_page(&service, page, Wrong::default()).await?;
            again(error, |wrong| StepPage { wrong, ..shown })
        }
    }
}

async fn end(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    SessionSecret(secret): SessionSecret,
    page: Page,
    Form(given): Form<Given>,
) -> Result<Response> {
    let secret = secret.unwrap_or_default();
    match service
        .drop_factor(&page.caller, &secret, &given.password, &visitor)
        .await
    {
        Ok(()) => on_to("/account", Flash::new("toast.step-ended")),
        Err(error) => {
            let shown = step_page(&service, page, Wrong::default()).await?;
            again(error, |wrong| StepPage { wrong, ..shown })
        }
    }
}
