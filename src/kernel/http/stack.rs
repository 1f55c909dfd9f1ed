//! The one ordered middleware list: what happens to every request before and after its handler.
//!
//! From outside: compression; [`around`] = request id, span, preflight, language, host, origin, caller, panic, problem, 304, headers, log,
//! metrics; [`guard`] (per route) = rate, permission, body limit, time limit, repeated requests; then the handler.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, HttpBody as _};
use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http_body_util::Limited;
use tower_http::compression::{CompressionLayer, CompressionLevel};
use tower_http::timeout::TimeoutBody;
use tracing::Instrument;

use super::conditions::Conditions;
use super::context::{Context, Nonce, Shared};
use super::extract::{IdempotencyKey, RequestId};
use super::idempotency::Repeats;
use super::limits::Limits;
use super::serve::{LocalOperator, Peer};
use super::trace::{Trace, request_id};
use super::view_as::{self, Viewing};
use super::{body, csrf, language, problem, target};
use crate::kernel::access::{Access, Caller, Credential, Object, Permission, Subject};
use crate::kernel::crypto;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::process::WEB;
use crate::kernel::telemetry::traces;
use crate::kernel::ui::CsrfToken;

/// How much a route may be sent and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Load {
    /// JSON in, JSON out.
    Ordinary,
    /// A page or an asset.
    Page,
    /// A file, read as it comes.
    Upload,
}

/// The longest pause between two pieces of an upload.
const UPLOAD_PAUSE: Duration = Duration::from_secs(30);
/// Whoever meets a paused house asks again after so many seconds.
const PAUSED_FOR: u64 = 30;
/// To make a file of a whole collection, which costs more than to read a page of it.
const EXPORT: Permission = Permission("exchange.export");

/// What stands before one route.
pub(super) struct Gate {
    access: Access,
    permission: Permission,
    load: Load,
    body_limit: u64,
    time_limit: Duration,
    repeats: Repeats,
    limits: Arc<Limits>,
}

impl Gate {
    pub(super) fn new(context: &Context, permission: Permission, load: Load) -> Self {
        let http = &context.kernel.config.http;
        Self {
            access: context.kernel.access.clone(),
            permission,
            load,
            body_limit: if load == Load::Upload {
                http.upload_limit
            } else {
                http.body_limit
            },
            time_limit: Duration::from_secs(http.timeout_seconds.max(1)),
            repeats: Repeats::new(&context.kernel.db, &context.kernel.process),
            limits: context.limits.clone(),
        }
    }
}

/// Permission, limits and repeated requests, before one route's handler.
pub(super) async fn guard(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    match guarded(&gate, request, next).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn guarded(gate: &Gate, request: Request, next: Next) -> Result<Response> {
    let caller = request
        .extensions()
        .get::<Caller>()
        .cloned()
        .unwrap_or_else(Caller::anonymous);
    gate.limits.admit(
        &caller,
        &request,
        gate.load == Load::Upload || gate.permission == EXPORT,
    )?;
    gate.access.require(&caller, gate.permission, &Object::Anywhere).await?;
    let request = limit_body(gate, request)?;
    if gate.load == Load::Upload {
        return Ok(next
            .run(request.map(|b| Body::new(TimeoutBody::new(UPLOAD_PAUSE, b))))
            .await);
    }
    let key = match gate.load {
        Load::Ordinary if !request.method().is_safe() => IdempotencyKey::of(request.headers())?.0,
        _ => None,
    };
    let limit = gate.time_limit;
    let answer = match key {
        Some(key) => tokio::time::timeout(limit, gate.repeats.once(&caller, key, request, next, limit)).await,
        None => tokio::time::timeout(limit, next.run(request).map(Ok)).await,
    };
    answer.unwrap_or_else(|_| {
        let text = format!(
            "The answer was not ready within {} s. Ask for less, or try again.",
            limit.as_secs()
        );
        Err(Error::new(Code::Timeout, text))
    })
}

fn limit_body(gate: &Gate, request: Request) -> Result<Request> {
    let size = request.body().size_hint();
    if size.exact() == Some(0) {
        return Ok(request);
    }
    let limit = gate.body_limit;
    if size.lower() > limit {
        return Err(body::too_large(Some(limit)));
    }
    Ok(request.map(|b| Body::new(Limited::new(b, usize::try_from(limit).unwrap_or(usize::MAX)))))
}

/// What is said about a request in its span, its log line and the metrics.
struct Line {
    method: Method,
    /// The pattern of the route, so that labels stay few.
    route: String,
    started: Instant,
}

/// Everything around every request; see the module's text for the order.
pub(super) async fn around(State(context): State<Arc<Context>>, mut request: Request, next: Next) -> Response {
    let context = context.for_request(&request);
    let shared = context.cors.of(&request);
    if let Some(answer) = shared.as_ref().and_then(|shared| shared.preflight(&request)) {
        return answer;
    }
    let mut trace = Trace::of(request.headers());
    let id = request_id(request.headers(), trace.as_ref());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("(none)", MatchedPath::as_str)
        .to_owned();
    let line = Line {
        method: request.method().clone(),
        route,
        started: Instant::now(),
    };
    let span = tracing::info_span!(
        "request",
        request_id = &*id,
        http.method = line.method.as_str(),
        http.route = line.route,
        trace.id = trace.as_ref().filter(|trace| *trace.id != *id).map(|trace| &*trace.id)
    );
    let name = || format!("{} {}", line.method, line.route);
    let known = traces::begin(&span, name, trace.as_ref().map(Trace::from));
    if let (Some(trace), Some(known)) = (&mut trace, known) {
        trace.is_known_as(known);
    }
    let nonce = Nonce(hex::encode(crypto::random::<16>()).into());
    let chosen = language::settle(&mut request, context.shell.language, context.secure());
    let extensions = request.extensions_mut();
    extensions.insert(Shared(context.clone()));
    extensions.insert(RequestId(id.clone()));
    extensions.insert(nonce.clone());
    extensions.insert(context.shell.clone());
    async move {
        let (parts, body) = request.into_parts();
        let headers = Conditions::of(&parts);
        let admitted = admit(&context, parts, &id).await;
        let (asked, private, response) = match admitted {
            Ok(parts) => {
                let asked = problem::prefers_html(&parts.headers).then(|| parts.clone());
                let private = parts
                    .extensions
                    .get::<Caller>()
                    .is_some_and(|caller| !caller.is_anonymous())
                    || parts.extensions.get::<Viewing>().is_some();
                let handled = AssertUnwindSafe(next.run(Request::from_parts(parts, body)))
                    .catch_unwind()
                    .await;
                (
                    asked,
                    private,
                    handled.unwrap_or_else(|panic| panicked(&*panic).into_response()),
                )
            }
            Err((parts, error)) => {
                let asked = problem::prefers_html(&parts.headers).then_some(*parts);
                (asked, true, error.into_response())
            }
        };
        let response = problem::finish(&id, asked, response).await;
        let mut response = headers.apply(response);
        dress(&context, response.headers_mut(), &nonce, &id, private);
        if let Some(chosen) = chosen {
            response.headers_mut().append(header::SET_COOKIE, chosen);
        }
        if let Some(shared) = &shared {
            shared.dress(response.headers_mut());
        }
        if let Some(trace) = &trace {
            trace.write(response.headers_mut());
        }
        traces::answered(&tracing::Span::current(), response.status().as_u16());
        report(&line, response.status());
        response
    }
    .instrument(span)
    .await
}

/// Host, origin, target and caller. The parts come back with the error, for the page about it.
async fn admit(context: &Context, mut parts: Parts, id: &Arc<str>) -> Result<Parts, (Box<Parts>, Error)> {
    let known = match identify(context, &parts).await {
        Ok(real) => view_as::looked_at(context, &mut parts, real).await,
        Err(error) => Err(error),
    };
    match known {
        Ok(subject) => {
            let peer = context.proxies.client(&parts);
            parts.extensions.insert(Peer(peer));
            if let Some(token) = csrf::fresh(&parts) {
                parts.extensions.insert(CsrfToken(token));
            }
            let caller = Caller {
                subject,
                request_id: Some(id.to_string()),
            };
            parts.extensions.insert(caller);
            Ok(parts)
        }
        Err(error) => Err((Box::new(parts), error)),
    }
}

async fn identify(context: &Context, parts: &Parts) -> Result<Subject> {
    target::check(parts)?;
    if parts.extensions.get::<LocalOperator>().is_some() {
        return Ok(Subject::Operator);
    }
    let path = parts.uri.path();
    if context.kernel.orders.is_paused(WEB) && !path.starts_with("/health/") && !path.starts_with("/static/") {
        let text = "This house was told to pause and answers again when whoever looks after it says so: app start web.";
        return Err(Error::new(Code::Unavailable, text).with("retry_after", PAUSED_FOR));
    }
    context.hosts.check_host(parts)?;
    if !context.cors.admits(parts) {
        context.hosts.check_origin(parts)?;
    }
    let peer = context.proxies.client(parts);
    who(context, parts, peer).await
}

async fn who(context: &Context, parts: &Parts, peer: Option<IpAddr>) -> Result<Subject> {
    let access = &context.kernel.access;
    if let Some(given) = parts.headers.get(header::AUTHORIZATION) {
        let secret = given
            .to_str()
            .ok()
            .and_then(|text| text.split_once(' '))
            .and_then(|(scheme, secret)| scheme.eq_ignore_ascii_case("bearer").then_some(secret.trim()));
        let Some(secret) = secret else {
            let text = "Only tokens are understood. Send the header Authorization: Bearer TOKEN.";
            return Err(Error::new(Code::Unauthenticated, text));
        };
        // A wrong token is never taken for nobody: the program would see less than it believes to see.
        return access.identify(Credential::Bearer(secret), peer).await?.ok_or_else(|| {
            Error::new(
                Code::Unauthenticated,
                "The token is unknown, revoked or expired. Make a new one: app token create.",
            )
        });
    }
    let subject = match csrf::secret_of(parts) {
        Some(secret) => access.identify(Credential::Cookie(secret), peer).await?,
        None => None,
    };
    Ok(subject.unwrap_or(Subject::Anonymous))
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    Error::internal(anyhow::anyhow!("the handler panicked: {text}"))
}

/// The headers every answer carries; what a handler has set stays.
fn dress(context: &Context, headers: &mut HeaderMap, nonce: &Nonce, id: &str, private: bool) {
    let nonce = &nonce.0;
    let images: String = context.image_hosts().map(|host| format!(" {host}")).collect();
    let policy = format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:{images}; \
         font-src 'self'; media-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    let cache = if private { "no-store" } else { "no-cache" };
    let fixed = [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        (
            "permissions-policy",
            "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        ),
        ("cache-control", cache),
    ];
    for (name, value) in fixed {
        headers
            .entry(HeaderName::from_static(name))
            .or_insert(HeaderValue::from_static(value));
    }
    headers.entry(header::VARY).or_insert(HeaderValue::from_static(
        "cookie, authorization, accept, accept-language",
    ));
    if let Ok(value) = HeaderValue::from_str(&policy) {
        headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(value);
    }
    if context.secure() {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(year);
    }
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
}

fn report(line: &Line, status: StatusCode) {
    let took = line.started.elapsed();
    let method = match line.method.as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS") => known.to_owned(),
        _ => "other".to_owned(),
    };
    let code = status.as_u16();
    metrics::counter!("vitrine_http_requests_total", "method" => method.clone(), "route" => line.route.clone(), "status" => code.to_string())
        .increment(1);
    metrics::histogram!("vitrine_http_request_seconds", "method" => method, "route" => line.route.clone())
        .record(took.as_secs_f64());
    let duration_ms = took.as_micros() as f64 / 1000.0;
    if status.is_server_error() {
        tracing::warn!(http.status = code, duration_ms, "answered");
    } else if line.route == "/api/logs" {
        // Who follows the log does not make it longer by that.
        tracing::debug!(http.status = code, duration_ms, "answered");
    } else {
        tracing::info!(http.status = code, duration_ms, "answered");
    }
}

/// gzip and zstd at their fastest; pictures and live streams are left alone.
pub(super) fn compression() -> CompressionLayer {
    CompressionLayer::new().quality(CompressionLevel::Fastest)
}
