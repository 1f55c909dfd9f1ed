//! The page of outgoing mail: what was sent, waits or failed; a test mail; trying again.

use std::sync::Arc;

use askama::Template;
use axum::extract::State as With;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::api::state_of;
use super::model::{Message, State};
use super::service::{Place, Service};
use super::{MANAGE, READ};
use crate::kernel::access::Caller;
use crate::kernel::error::{Code, Result};
use crate::kernel::http::{Form, Path, Query, RouteSet, Routes};
use crate::kernel::i18n::Language;
use crate::kernel::ui::{Flash, Html, Page, filters, view};

const MESSAGES: &str = "/messages";
const ROWS: i64 = 50;

pub(super) fn routes(service: Arc<Service>) -> Routes {
    RouteSet::new()
        .page(READ, Method::GET, MESSAGES, get(show))
        .page(MANAGE, Method::POST, "/messages/test", post(test))
        .page(MANAGE, Method::POST, "/messages/{id}/retry", post(again))
        .with_state(service)
}

/// A message in the list.
struct Row {
    id: String,
    to: String,
    what: String,
    state: String,
    tone: &'static str,
    error: Option<String>,
    created_at: i64,
    sent_at: Option<i64>,
    attempts: i64,
    may_try: bool,
}

struct Choice {
    label: String,
    href: String,
    selected: bool,
}

#[derive(Template)]
#[template(path = "modules/messages/templates/messages.html")]
struct MessagesPage {
    page: Page,
    place: Option<Place>,
    states: Vec<Choice>,
    rows: Vec<Row>,
    older: Option<String>,
    /// What was typed into the form of a test mail, and what is wrong with it.
    to: String,
    wrong: String,
}
view!(MessagesPage);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    state: String,
    #[serde(default)]
    before: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TestForm {
    #[serde(default)]
    to: String,
}

/// A form without fields of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

fn row(message: Message, language: Language, now: i64) -> Row {
    let tone = match message.state() {
        Some(State::Sent) => "ok",
        Some(State::Failed) => "bad",
        Some(State::Waiting) if message.error.is_some() => "warn",
        _ => "",
    };
    Row {
        what: language.text(&format!("message-kind.{}", message.template)),
        state: format!("message-state.{}", message.state),
        tone,
        may_try: message.state() == Some(State::Failed) && message.content.is_some() && message.expires_at > now,
        id: message.id,
        to: message.address,
        error: message.error,
        created_at: message.created_at,
        sent_at: message.sent_at,
        attempts: message.attempts,
    }
}

async fn shown(service: &Service, page: Page, asked: &Asked) -> Result<MessagesPage> {
    let state = match asked.state.as_str() {
        "" => None,
        text => Some(state_of(text)?),
    };
    let before = Some(asked.before.as_str()).filter(|text| !text.is_empty());
    let found = service.list(state, before, ROWS).await?;
    let href = |state: &str, before: &str| match (state, before) {
        ("", "") => MESSAGES.to_owned(),
        ("", before) => format!("{MESSAGES}?before={before}"),
        (state, "") => format!("{MESSAGES}?state={state}"),
        (state, before) => format!("{MESSAGES}?state={state}&before={before}"),
    };
    let choice = |one: Option<State>| Choice {
        label: one.map_or_else(
            || "messages.all".to_owned(),
            |s| format!("message-state.{}", s.as_str()),
        ),
        href: href(one.map_or("", State::as_str), ""),
        selected: one == state,
    };
    let now = service.db.clock().now();
    let last = found.last().filter(|_| found.len() as i64 == ROWS);
    Ok(MessagesPage {
        older: last.map(|last| href(&asked.state, &last.id)),
        states: std::iter::once(choice(None))
            .chain(State::ALL.map(|s| choice(Some(s))))
            .collect(),
        rows: found
            .into_iter()
            .map(|message| row(message, page.language, now))
            .collect(),
        place: service.place(),
        to: String::new(),
        wrong: String::new(),
        page,
    })
}

async fn show(With(service): With<Arc<Service>>, page: Page, Query(asked): Query<Asked>) -> Result<Html<MessagesPage>> {
    Ok(Html(shown(&service, page, &asked).await?))
}

fn back(said: &str) -> Response {
    (StatusCode::SEE_OTHER, Flash::new(said), [(header::LOCATION, MESSAGES)]).into_response()
}

async fn test(With(service): With<Arc<Service>>, page: Page, Form(form): Form<TestForm>) -> Result<Response> {
    let error = match service.test(&form.to).await {
        Ok(_) => return Ok(back("toast.test-sent")),
        Err(error) if matches!(error.code(), Code::Invalid | Code::TooMany | Code::Unavailable) => error,
        Err(error) => return Err(error),
    };
    let mut shown = shown(&service, page, &Asked::default()).await?;
    shown.to = form.to.chars().take(254).collect();
    shown.wrong = match error.fields() {
        [issue, ..] => issue.message.clone(),
        [] => error.detail().to_owned(),
    };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(shown)).into_response())
}

async fn again(
    With(service): With<Arc<Service>>,
    caller: Caller,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response> {
    service.again(&caller, &id).await?;
    Ok(back("toast.message-again"))
}
