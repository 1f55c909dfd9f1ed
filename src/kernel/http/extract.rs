//! Extractors of the request's head, with errors that name the place and the next step.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::kernel::error::{Code, Error, FieldIssue, Result};

/// The variables of the path.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

#[expect(
    clippy::disallowed_types,
    reason = "this is the wrapper that gives the errors of the house"
)]
impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(rejection) if rejection.status().is_server_error() => {
                Err(Error::internal(anyhow::anyhow!("{}", rejection.body_text())))
            }
            Err(rejection) => {
                let text = rejection.body_text();
                let why = text.strip_prefix("Invalid URL: ").unwrap_or(&text);
                Err(Error::new(
                    Code::BadRequest,
                    format!("The address is not right: {why}."),
                ))
            }
        }
    }
}

/// The keys after the question mark; a repeated key fills a list. A struct with `deny_unknown_fields` refuses keys it
/// does not know, and the answer names the nearest one.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        query_from(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

/// Reads pairs `key=value&…` into `T`.
pub(super) fn query_from<T: DeserializeOwned>(text: &str) -> Result<T> {
    let pairs = serde_html_form::Deserializer::from_bytes(text.as_bytes());
    serde_path_to_error::deserialize(pairs).map_err(|error| {
        let path = dotted(error.path());
        wrong_value(Code::BadRequest, path, &error.inner().to_string())
    })
}

/// The path of a value, groups and positions joined by dots.
pub(super) fn dotted(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut out = String::new();
    for segment in path.iter() {
        let piece = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => key.clone(),
            Segment::Enum { variant } => variant.clone(),
            Segment::Unknown => continue,
        };
        if !out.is_empty() {
            out.push('.');
        }
        out.push_str(&piece);
    }
    out
}

/// What serde says about a value, with the nearest known key where one is unknown.
pub(super) fn wrong_value(code: Code, mut path: String, said: &str) -> Error {
    let said = said.split(" at line ").next().unwrap_or(said);
    let mut message = said.to_owned();
    let quoted: Vec<&str> = said.split('`').skip(1).step_by(2).collect();
    if said.starts_with("unknown field") || said.starts_with("unknown variant") {
        if let Some((given, known)) = quoted.split_first() {
            message = unknown(given, known);
        }
    } else if said.starts_with("missing field")
        && let Some(name) = quoted.first()
    {
        path = if path.is_empty() {
            (*name).to_owned()
        } else {
            format!("{path}.{name}")
        };
        "It is needed.".clone_into(&mut message);
    }
    let detail = if path.is_empty() {
        message.clone()
    } else {
        format!("{path}: {message}")
    };
    let issue = FieldIssue { path, message };
    if code == Code::Invalid {
        return Error::invalid_fields(vec![issue]);
    }
    Error::new(code, detail).with("errors", serde_json::json!([issue]))
}

fn unknown(given: &str, known: &[&str]) -> String {
    let given: String = given.chars().take(100).collect();
    let nearest = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&given, name), name))
        .filter(|(distance, name)| *distance <= 1 + name.chars().count() / 3)
        .min_by_key(|(distance, _)| *distance);
    match (nearest, known.is_empty()) {
        (Some((_, name)), _) => format!("\"{given}\" is not known here. Did you mean \"{name}\"?"),
        (None, false) => format!("\"{given}\" is not known here. Known are: {}.", known.join(", ")),
        (None, true) => format!("\"{given}\" is not known here; nothing is."),
    }
}

/// The id of this request: in every log line, in problems and in the header `x-request-id`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub Arc<str>);

impl<S: Send + Sync> FromRequestParts<S> for RequestId {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        let id = parts.extensions.get::<Self>().cloned();
        id.ok_or_else(|| Error::internal(anyhow::anyhow!("the request did not pass the middleware stack")))
    }
}

/// The version a write is based on, from `If-Match: "N"`; `None` without the header and for `*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IfMatch(pub Option<i64>);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        let Some(text) = header_text(&parts.headers, "if-match")? else {
            return Ok(Self(None));
        };
        if text == "*" {
            return Ok(Self(None));
        }
        // A proxy that compresses makes an ETag weak; the version in it is the same.
        let strong = text.strip_prefix("W/").unwrap_or(text);
        let number = strong
            .strip_prefix('"')
            .and_then(|t| t.strip_suffix('"'))
            .and_then(|t| t.parse().ok());
        number.map(|n| Self(Some(n))).ok_or_else(|| {
            Error::new(
                Code::BadRequest,
                "If-Match is not a version. Send the ETag of the last answer, such as \"3\".",
            )
        })
    }
}

/// The key under which the answer to this request is kept, from `Idempotency-Key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(pub Option<String>);

impl IdempotencyKey {
    pub(super) fn of(headers: &HeaderMap) -> Result<Self> {
        let Some(text) = header_text(headers, "idempotency-key")? else {
            return Ok(Self(None));
        };
        if text.is_empty() || text.len() > 200 || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Error::new(
                Code::BadRequest,
                "Idempotency-Key has 1 to 200 visible ASCII characters.",
            ));
        }
        Ok(Self(Some(text.to_owned())))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        Self::of(&parts.headers)
    }
}

fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().map(|value| value.to_str().map(str::trim)).transpose();
    match (first, values.next()) {
        (Ok(text), None) => Ok(text),
        (Ok(_), Some(_)) => Err(Error::new(
            Code::BadRequest,
            format!("The header {name} stands there twice."),
        )),
        (Err(_), _) => Err(Error::new(
            Code::BadRequest,
            format!("The header {name} is not ASCII text."),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Search {
        q: Option<String>,
        #[serde(default)]
        facet: Vec<String>,
        limit: Option<u32>,
    }

    #[test]
    fn a_repeated_key_is_a_list() {
        let search: Search = query_from("q=tea+pot&facet=maker&facet=city&limit=5").unwrap();
        let facet = vec!["maker".to_owned(), "city".to_owned()];
        assert_eq!(
            search,
            Search {
                q: Some("tea pot".to_owned()),
                facet,
                limit: Some(5)
            }
        );
    }

    #[test]
    fn an_unknown_key_names_the_nearest() {
        let error = query_from::<Search>("facets=maker").unwrap_err();
        assert_eq!(error.code(), Code::BadRequest);
        assert!(error.detail().contains("Did you mean \"facet\"?"), "{error}");
    }

    #[test]
    fn a_wrong_value_names_its_key() {
        let error = query_from::<Search>("limit=many").unwrap_err();
        assert!(error.detail().starts_with("limit: "), "{error}");
    }
}
