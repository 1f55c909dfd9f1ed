//! Pages: signing in and out, one's own account, those of others, tokens of the house, one-time links.

mod browser;
mod doors;
mod factors;
mod institutions;
mod lost;
mod own;
mod passkeys;
mod people;
mod pictures;
mod programs;
mod setup;
mod sign_in;
mod sign_up;

use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::service::{Opened, Service};
use crate::kernel::error::{Code, Error, FieldIssue, Result};
use crate::kernel::http::{Context, Routes, session_cookie};
use crate::kernel::ui::{Flash, Html, Page, View};

pub(super) fn routes(service: &Arc<Service>) -> Routes {
    doors::routes(service.clone())
        .merge(sign_in::routes(service.clone()))
        .merge(institutions::routes(service.clone()))
        .merge(setup::routes(service.clone()))
        .merge(own::routes(service.clone()))
        .merge(factors::routes(service.clone()))
        .merge(people::routes(service.clone()))
        .merge(programs::routes(service.clone()))
        .merge(lost::routes(service.clone()))
        .merge(passkeys::routes(service.clone()))
        .merge(pictures::routes(service.clone()))
        .merge(sign_up::routes(service.clone()))
}

/// What collections are called, where roles in them are told or given.
struct Places(Vec<(String, String)>);

impl Places {
    async fn of(service: &Service, page: &Page) -> Result<Self> {
        Ok(Self(service.places(page.language).await?))
    }

    /// What a place is called; its own name where nobody knows it.
    fn called<'p>(&'p self, place: &'p str) -> &'p str {
        let known = self.0.iter().find(|(known, _)| known == place);
        known.map_or(place, |(_, label)| label.as_str())
    }

    /// Every collection, by its place and what it is called.
    fn all(&self) -> &[(String, String)] {
        &self.0
    }
}

/// A form without fields of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// What a form is answered with when something is wrong: a sentence for the whole, one for each field.
#[derive(Clone, Debug, Default)]
struct Wrong {
    text: String,
    issues: Vec<FieldIssue>,
}

impl Wrong {
    /// What is wrong with a field; empty where nothing is.
    fn of(&self, path: &str) -> &str {
        self.issues
            .iter()
            .find(|issue| issue.path == path)
            .map_or("", |issue| issue.message.as_str())
    }
}

/// Shows the form again with what was wrong; an error that no form can mend is one of the whole page.
fn again<V: View>(error: Error, shown: impl FnOnce(Wrong) -> V) -> Result<Response> {
    let known = [
        Code::Invalid,
        Code::Unauthenticated,
        Code::TooMany,
        Code::Busy,
        Code::Conflict,
        Code::Unavailable,
    ];
    if !known.contains(&error.code()) {
        return Err(error);
    }
    let status = match error.code() {
        // A form that was answered is no request without a caller: 401 would ask browsers for another kind of sign-in.
        Code::Unauthenticated => StatusCode::UNPROCESSABLE_ENTITY,
        code => StatusCode::from_u16(code.status()).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY),
    };
    let wrong = match error.code() {
        Code::Invalid => Wrong {
            text: String::new(),
            issues: error.fields().to_vec(),
        },
        _ => Wrong {
            text: error.detail().to_owned(),
            issues: Vec::new(),
        },
    };
    let mut response = Html(shown(wrong)).into_response();
    *response.status_mut() = status;
    if let Some(seconds) = error.extra().get("retry_after").and_then(serde_json::Value::as_u64) {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(response)
}

/// Goes on to a page of ours, telling what was done.
fn on_to(path: &str, said: Flash) -> Result<Response> {
    let location = HeaderValue::from_str(path).map_err(Error::internal)?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, location)], said, ()).into_response())
}

/// Goes on with a new session.
fn in_to(context: &Context, path: &str, opened: &Opened) -> Result<Response> {
    let location = HeaderValue::from_str(path).map_err(Error::internal)?;
    let cookie = session_cookie(context, &opened.secret, opened.seconds)?;
    let headers = [
        (header::LOCATION, location),
        (header::SET_COOKIE, cookie),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}
