//! The token that a form carries beside the session cookie, so that a page of another site cannot send it.
//!
//! It is derived from the cookie's secret and a fresh pad: nothing is stored, and no two pages show the same text (so
//! that compression tells nothing about it).

use axum::http::HeaderMap;
use axum::http::request::Parts;

use super::SESSION_COOKIE;
use crate::kernel::crypto;
use crate::kernel::error::{Code, Error, Result};

const PAD: usize = 32;

/// The secret of the session cookie, if the request has one.
pub fn session_secret(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers
        .get_all(axum::http::header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    cookies.flat_map(|line| line.split(';')).find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == SESSION_COOKIE && !value.is_empty()).then_some(value)
    })
}

fn token(secret: &str, pad: &str) -> String {
    format!("{pad}{}", crypto::digest(&format!("form {pad} {secret}")))
}

/// The value of the hidden field `csrf` for the forms of this answer; none for those who have no session cookie. Pages
/// find it in `page.csrf`.
pub(super) fn fresh(parts: &Parts) -> Option<String> {
    session_secret(&parts.headers).map(|secret| token(secret, &hex::encode(crypto::random::<{ PAD / 2 }>())))
}

/// Refuses a form without its token, where the caller comes by cookie.
pub(super) fn check(parts: &Parts, given: Option<&str>) -> Result<()> {
    let Some(secret) = session_secret(&parts.headers) else {
        return Ok(());
    };
    let header = || parts.headers.get("x-csrf-token").and_then(|value| value.to_str().ok());
    let right = given.or_else(header).is_some_and(|given| {
        given
            .get(..PAD)
            .is_some_and(|pad| crypto::same(given, &token(secret, pad)))
    });
    if right {
        return Ok(());
    }
    Err(Error::new(
        Code::BadOrigin,
        "The form is too old or was not made here. Load the page again and send it once more.",
    ))
}
