//! Errors as answers: RFC 9457 problem documents for programs, an error page for people.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use utoipa::openapi::path::Operation;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder, Schema};

use crate::kernel::error::{Code, Error, FieldIssue};
use crate::kernel::ui::{self, Page};

/// The shape of every refusal and failure (RFC 9457). Some codes carry more members, each described on its page.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
pub struct ProblemDocument {
    /// Where the code is explained: `/docs/errors/CODE`.
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    /// What went wrong here and what to do next.
    pub detail: String,
    /// The stable code.
    pub code: String,
    pub request_id: Option<String>,
    /// Every wrong value with its path.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldIssue>,
}

/// The error behind a response, until the stack writes it in the form that the client prefers.
#[derive(Clone)]
pub(super) struct Problem(pub(super) Arc<Error>);

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        if let Some(source) = self.source() {
            let error = format!("{source:#}");
            match self.code() {
                Code::Internal => tracing::error!(code = self.code().as_str(), error, "request failed"),
                _ => tracing::debug!(code = self.code().as_str(), error, "request refused"),
            }
        }
        let error = Arc::new(self);
        let mut response = json_answer(&error, None);
        response.extensions_mut().insert(Problem(error));
        response
    }
}

fn document(error: &Error, request_id: Option<&str>) -> Value {
    let code = error.code();
    let mut document = Map::new();
    document.insert("type".to_owned(), json!(format!("/docs/errors/{}", code.as_str())));
    document.insert("title".to_owned(), json!(code.title()));
    document.insert("status".to_owned(), json!(code.status()));
    document.insert("detail".to_owned(), json!(error.detail()));
    document.insert("code".to_owned(), json!(code.as_str()));
    if let Some(id) = request_id {
        document.insert("request_id".to_owned(), json!(id));
    }
    if !error.fields().is_empty() {
        document.insert("errors".to_owned(), json!(error.fields()));
    }
    for (key, value) in error.extra() {
        document.entry(key.clone()).or_insert_with(|| value.clone());
    }
    Value::Object(document)
}

fn json_answer(error: &Error, request_id: Option<&str>) -> Response {
    let mut response = Response::new(Body::from(document(error, request_id).to_string()));
    dress(&mut response, error);
    let kind = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// Status and the headers that belong to a code.
fn dress(response: &mut Response, error: &Error) {
    let code = error.code();
    *response.status_mut() = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    match code {
        Code::Unauthenticated => {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"vitrine\""),
            );
        }
        Code::Busy | Code::Unavailable | Code::TooMany => {
            let seconds = error.extra().get("retry_after").and_then(Value::as_u64).unwrap_or(1);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        Code::Conflict => {
            if let Some(seconds) = error.extra().get("retry_after").and_then(Value::as_u64) {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
        }
        _ => {}
    }
}

/// Writes the error of a response, if it has one, in the form the client prefers. `asked` is there for people's clients.
pub(super) async fn finish(request_id: &str, asked: Option<Parts>, response: Response) -> Response {
    let Some(Problem(error)) = response.extensions().get::<Problem>().cloned() else {
        return response;
    };
    let mut written = match asked {
        Some(parts) => ui::error_page(&Page::of(&parts).await, &error),
        None => json_answer(&error, Some(request_id)),
    };
    dress(&mut written, &error);
    // What others added while the answer came up, such as Allow.
    for (name, value) in response.headers() {
        if !written.headers().contains_key(name) && *name != header::CONTENT_LENGTH {
            written.headers_mut().append(name.clone(), value.clone());
        }
    }
    written
}

/// True where the client would rather have a page than JSON.
pub fn prefers_html(headers: &HeaderMap) -> bool {
    let mut html = 0.0;
    let mut json = 0.0;
    let given = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    for range in given.flat_map(|value| value.split(',')) {
        let mut pieces = range.split(';').map(str::trim);
        let kind = pieces.next().unwrap_or_default().to_ascii_lowercase();
        let quality = pieces
            .find_map(|p| p.strip_prefix("q="))
            .and_then(|q| q.parse().ok())
            .unwrap_or(1.0_f32);
        match kind.as_str() {
            "text/html" | "application/xhtml+xml" => html = quality.max(html),
            "application/json" | "application/problem+json" => json = quality.max(json),
            _ => {}
        }
    }
    html > 0.0 && html >= json
}

/// Puts the shape of problems among the schemas of the OpenAPI document.
pub(super) fn describe(schemas: &mut BTreeMap<String, RefOr<Schema>>) {
    use utoipa::{PartialSchema, ToSchema};
    let mut named = Vec::new();
    <ProblemDocument as ToSchema>::schemas(&mut named);
    named.push((
        <ProblemDocument as ToSchema>::name().into_owned(),
        ProblemDocument::schema(),
    ));
    named.push((<FieldIssue as ToSchema>::name().into_owned(), FieldIssue::schema()));
    schemas.extend(named);
}

/// Every operation may answer with a problem.
pub(super) fn describe_answer(operation: &mut Operation) {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("ProblemDocument")))
        .build();
    let answer = ResponseBuilder::new()
        .description("A problem document; its code is explained under /docs/errors")
        .content("application/problem+json", content)
        .build();
    operation
        .responses
        .responses
        .entry("default".to_owned())
        .or_insert_with(|| RefOr::T(answer));
}
