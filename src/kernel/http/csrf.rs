//! The token that a form carries beside the session cookie, so that a page of another site cannot send it.
//!
//! It is derived from the cookie's secret and a fresh pad: nothing is stored, and no two pages show the same text (so
//! that compression tells nothing about it).

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::Context;
use crate::kernel::crypto;
use crate::kernel::error::{Code, Error, Result};

const PAD: usize = 32;

/// The session cookie. `__Host-` binds it to this host and to https; a browser takes no such cookie over plain http.
pub(super) fn cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-session" } else { "session" }
}

/// The operator's cookie of earlier versions, still read.
const OLD_COOKIE: &str = "vitrine_operator";

/// The secret of the session cookie, if the request has one.
pub(super) fn secret_of(parts: &Parts) -> Option<&str> {
    let secure = Context::of(parts).is_ok_and(|context| context.secure());
    let find = |wanted: &str| {
        let cookies = parts
            .headers
            .get_all(axum::http::header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok());
        cookies.flat_map(|line| line.split(';')).find_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            (name == wanted && !value.is_empty()).then_some(value)
        })
    };
    find(cookie_name(secure)).or_else(|| find(OLD_COOKIE))
}

/// The secret of the session cookie, if the request has one, whether it opens anything or not.
#[derive(Clone)]
pub struct SessionSecret(pub Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for SessionSecret {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self(secret_of(parts).map(str::to_owned)))
    }
}

fn token(secret: &str, pad: &str) -> String {
    format!("{pad}{}", crypto::digest(&format!("form {pad} {secret}")))
}

/// The value of the hidden field `csrf` for the forms of this answer; none for those who have no session cookie. Pages
/// find it in `page.csrf`.
pub(super) fn fresh(parts: &Parts) -> Option<String> {
    secret_of(parts).map(|secret| token(secret, &hex::encode(crypto::random::<{ PAD / 2 }>())))
}

/// Refuses a form without its token, where the caller comes by cookie.
pub(super) fn check(parts: &Parts, given: Option<&str>) -> Result<()> {
    let Some(secret) = secret_of(parts) else {
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
