//! Pages of other sites that may use the API from a browser: a list of origins. They are let in as programs are, by a token;
//! cookies are never theirs to use, so a page can do nothing in the name of whoever looks at it.

use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;

/// Seconds for which a browser remembers what it may send.
const REMEMBERED: &str = "600";
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
const SENT: &str = "authorization, content-type, accept, accept-language, if-match, if-none-match, idempotency-key, x-request-id, traceparent";
const READ: &str =
    "etag, ledger-position, location, retry-after, x-request-id, content-disposition, idempotency-replayed";

/// The origins of the setting.
pub(super) struct Cors(Vec<String>);

/// An origin of the list that asked for something of the API.
pub(super) struct Let(HeaderValue);

impl Cors {
    pub(super) fn new(origins: &[String]) -> Self {
        let plain = |origin: &String| origin.trim_end_matches('/').to_ascii_lowercase();
        Self(origins.iter().map(plain).collect())
    }

    fn allowed<'h>(&self, path: &str, headers: &'h HeaderMap) -> Option<&'h HeaderValue> {
        if self.0.is_empty() || !(path.starts_with("/api/") || path == "/openapi.json") {
            return None;
        }
        let origin = headers.get(header::ORIGIN)?;
        let text = origin.to_str().ok()?;
        self.0
            .iter()
            .any(|known| known.eq_ignore_ascii_case(text))
            .then_some(origin)
    }

    /// The origin that a request comes from, where it is one of the list.
    pub(super) fn of(&self, request: &Request) -> Option<Let> {
        let origin = self.allowed(request.uri().path(), request.headers())?;
        Some(Let(origin.clone()))
    }

    /// May it change things although it comes from another site? Only with a token of its own.
    pub(super) fn admits(&self, parts: &Parts) -> bool {
        parts.headers.contains_key(header::AUTHORIZATION) && self.allowed(parts.uri.path(), &parts.headers).is_some()
    }
}

impl Let {
    /// The answer to a browser that asks beforehand.
    pub(super) fn preflight(&self, request: &Request) -> Option<Response> {
        let asks = request.method() == Method::OPTIONS
            && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if !asks {
            return None;
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        self.dress(headers);
        for (name, value) in [
            (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, SENT),
            (header::ACCESS_CONTROL_MAX_AGE, REMEMBERED),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        Some(response)
    }

    /// The headers that let the page read the answer.
    pub(super) fn dress(&self, headers: &mut HeaderMap) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, self.0.clone());
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(READ));
        headers.append(header::VARY, HeaderValue::from_static("origin"));
        let theirs = HeaderName::from_static("cross-origin-resource-policy");
        headers.insert(theirs, HeaderValue::from_static("cross-origin"));
    }
}
