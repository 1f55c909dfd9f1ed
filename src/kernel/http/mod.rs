//! The web: routes with permissions, extractors, problem documents, the middleware stack, the server.
//!
//! Knows no module. A route is registered only through [`RouteSet`], so that it has a permission and,
//! under `/api`, a place in the OpenAPI document.

mod body;
mod conditions;
mod context;
mod cors;
mod csrf;
mod drain;
mod extract;
mod hosts;
mod idempotency;
mod language;
mod limits;
mod peer;
mod problem;
mod respond;
mod routes;
mod serve;
mod site;
mod sitemap;
mod stack;
mod target;
mod trace;
mod upload;
mod view_as;

#[cfg(all(test, feature = "testing"))]
mod tests;

pub use body::{Form, Json, MAX_DEPTH};
pub use context::{Context, Nonce, Setup, Shared, SitemapSource, public_url};
pub use csrf::SessionSecret;
pub use extract::{IdempotencyKey, IfMatch, Path, Query, RequestId};
pub use language::chosen as language_cookie;
pub use peer::Visitor;
pub use problem::{ProblemDocument, prefers_html};
pub use respond::{Secret, Versioned, WithPosition, etag_of, session_cookie, session_cookie_end};
pub use routes::{RouteFact, RouteSet, Routes, Web};
pub use serve::{Listener, LocalOperator, Peer, local, serve};
pub use upload::{FileContent, FileForm, Part};
pub use view_as::{Viewing, view_as_cookie, view_as_end};
