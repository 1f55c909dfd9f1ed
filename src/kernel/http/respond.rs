//! Answers: JSON, the ledger's position, versions as ETags, the session cookie.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::body::Json;
use super::{Context, csrf};
use crate::kernel::error::Error;
use crate::kernel::ledger::Position;

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(bytes) => {
                let mut response = Response::new(Body::from(bytes));
                response
                    .headers_mut()
                    .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
                response
            }
            Err(error) => Error::internal(error).into_response(),
        }
    }
}

/// An answer with the header `Ledger-Position`: where the ledger stands after the write, for a search with `after=`.
#[derive(Clone, Copy, Debug)]
pub struct WithPosition<R>(pub Position, pub R);

impl<R: IntoResponse> IntoResponse for WithPosition<R> {
    fn into_response(self) -> Response {
        let mut response = self.1.into_response();
        if let Ok(value) = HeaderValue::from_str(&self.0.to_string()) {
            response
                .headers_mut()
                .insert(HeaderName::from_static("ledger-position"), value);
        }
        response
    }
}

/// An answer that holds a secret which is shown once. It is not kept for a repeated request, which is told so.
#[derive(Clone, Copy, Debug)]
pub struct Secret<R>(pub R);

/// Marks the answer for the room of repeated requests.
#[derive(Clone, Copy, Debug)]
pub(super) struct IsSecret;

impl<R: IntoResponse> IntoResponse for Secret<R> {
    fn into_response(self) -> Response {
        let mut response = self.0.into_response();
        response.extensions_mut().insert(IsSecret);
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// An answer with the version of what it shows as its ETag, for `If-Match`.
#[derive(Clone, Copy, Debug)]
pub struct Versioned<R>(pub i64, pub R);

impl<R: IntoResponse> IntoResponse for Versioned<R> {
    fn into_response(self) -> Response {
        let mut response = self.1.into_response();
        if let Ok(value) = HeaderValue::from_str(&format!("\"{}\"", self.0)) {
            response.headers_mut().insert(header::ETAG, value);
        }
        response
    }
}

/// The ETag of some bytes. The stack answers 304 by itself where an answer's ETag is the one the client has.
///
pub fn etag_of(bytes: &[u8]) -> HeaderValue {
    let digest = hex::encode(&Sha256::digest(bytes)[..12]);
    HeaderValue::from_str(&format!("\"{digest}\"")).unwrap_or(HeaderValue::from_static("\"0\""))
}

/// The header that signs a browser in, for `seconds`. Lax, so that links from elsewhere lead in signed in; a page of another
/// site that sends a form is refused by its origin and by the form's token.
///
/// # Errors
/// Internal, when the secret is no cookie text.
pub fn session_cookie(context: &Context, secret: &str, seconds: i64) -> Result<HeaderValue, Error> {
    let secure = if context.secure() { "; Secure" } else { "" };
    let name = csrf::cookie_name(context.secure());
    let text = format!("{name}={secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    HeaderValue::from_str(&text).map_err(Error::internal)
}

/// The header that signs a browser out.
///
/// # Errors
/// Never in practice; as [`session_cookie`].
pub fn session_cookie_end(context: &Context) -> Result<HeaderValue, Error> {
    session_cookie(context, "", 0)
}
