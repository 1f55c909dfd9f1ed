//! Conditional reads: what the client has already is answered with 304 and no body.

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;

use super::csrf;

/// What the client has already, for 304.
pub(super) struct Conditions {
    if_none_match: Option<HeaderValue>,
    readable: bool,
    by_cookie: bool,
}

impl Conditions {
    pub(super) fn of(parts: &Parts) -> Self {
        Self {
            if_none_match: parts.headers.get(header::IF_NONE_MATCH).cloned(),
            readable: matches!(parts.method, Method::GET | Method::HEAD),
            by_cookie: csrf::secret_of(parts).is_some(),
        }
    }

    pub(super) fn apply(self, mut response: Response) -> Response {
        let Some(asked) = self.if_none_match.filter(|_| self.readable) else {
            return response;
        };
        // What a browser has kept is what it saw before it signed in: the version is the same, what it shows is not.
        if self.by_cookie && !response.headers().contains_key(header::CACHE_CONTROL) {
            return response;
        }
        let Some(tag) = response.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok()) else {
            return response;
        };
        let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        let same = asked
            .to_str()
            .is_ok_and(|list| list.split(',').any(|t| t.trim() == "*" || bare(t) == bare(tag)));
        if same && response.status() == StatusCode::OK {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.body_mut() = Body::empty();
            response.headers_mut().remove(header::CONTENT_LENGTH);
            response.headers_mut().remove(header::CONTENT_TYPE);
        }
        response
    }
}
