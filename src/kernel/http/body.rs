//! Extractors of the request's body: JSON and forms. Limits come before work: size, then nesting, then meaning.

use std::collections::HashSet;
use std::fmt;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::csrf;
use super::extract::{dotted, query_from, wrong_value};
use crate::kernel::error::{Code, Error, Result};

/// How deep JSON may be nested.
pub const MAX_DEPTH: usize = 64;

/// The name of the form field that carries the token of a page's form.
pub(super) const CSRF_FIELD: &str = "csrf";

/// JSON in and out. In: content type, size, nesting, duplicate keys and unknown fields are checked, and an error names
/// the field.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Error;
    async fn from_request(request: Request, _state: &S) -> Result<Self> {
        let kind = media_type(request.headers());
        if !(kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))) {
            return Err(Error::new(
                Code::UnsupportedMedia,
                "Send JSON with the header Content-Type: application/json.",
            ));
        }
        let bytes = whole(request.into_body()).await?;
        json_from(&bytes).map(Self)
    }
}

/// Reads JSON from outside, with every check.
pub(super) fn json_from<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::new(Code::BadRequest, "The body is empty. Send JSON."));
    }
    check_depth(bytes)?;
    let mut strict = serde_json::Deserializer::from_slice(bytes);
    Strict
        .deserialize(&mut strict)
        .and_then(|()| strict.end())
        .map_err(|e| broken(&e))?;
    let mut json = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(&mut json)
        .map_err(|error| wrong_value(Code::Invalid, dotted(error.path()), &error.inner().to_string()))
}

fn broken(error: &serde_json::Error) -> Error {
    Error::new(Code::BadRequest, format!("The body is not right JSON: {error}."))
}

/// Refuses nesting deeper than [`MAX_DEPTH`] in one pass over the bytes, without recursion.
fn check_depth(bytes: &[u8]) -> Result<()> {
    let (mut depth, mut in_text, mut escaped) = (0usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    let text = format!("The JSON is nested deeper than {MAX_DEPTH} levels. Send it flatter.");
                    return Err(Error::new(Code::BadRequest, text));
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// Walks JSON and refuses a key that stands twice in one object (else one of the two values would be lost silently) and
/// the character NUL (no database keeps it).
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

fn no_nul<E: serde::de::Error>(text: &str) -> Result<(), E> {
    if text.contains('\0') {
        Err(E::custom("a text holds the character NUL"))
    } else {
        Ok(())
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        no_nul(text)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Strict)?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = members.next_key::<String>()? {
            no_nul(&key)?;
            members.next_value_seed(Strict)?;
            if let Some(twice) = seen.replace(key) {
                let shown: String = twice.chars().take(100).collect();
                return Err(serde::de::Error::custom(format!(
                    "the key \"{shown}\" stands there twice"
                )));
            }
        }
        Ok(())
    }
}

/// A form sent by a page. With the operator's cookie it must carry the page's token.
#[derive(Clone, Copy, Debug)]
pub struct Form<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = Error;
    async fn from_request(request: Request, _state: &S) -> Result<Self> {
        if media_type(request.headers()) != "application/x-www-form-urlencoded" {
            let text = "Send a form with the header Content-Type: application/x-www-form-urlencoded.";
            return Err(Error::new(Code::UnsupportedMedia, text));
        }
        let (parts, body) = request.into_parts();
        let bytes = whole(body).await?;
        let unreadable =
            |e: serde_html_form::de::Error| Error::new(Code::BadRequest, format!("The form is not right: {e}."));
        let pairs: Vec<(String, String)> = serde_html_form::from_bytes(&bytes).map_err(unreadable)?;
        let token = pairs
            .iter()
            .find(|(key, _)| key == CSRF_FIELD)
            .map(|(_, value)| value.as_str());
        csrf::check(&parts, token)?;
        if pairs
            .iter()
            .any(|(key, value)| key.contains('\0') || value.contains('\0'))
        {
            return Err(Error::new(Code::BadRequest, "A field holds the character NUL."));
        }
        let rest: Vec<&(String, String)> = pairs.iter().filter(|(key, _)| key != CSRF_FIELD).collect();
        let text = serde_html_form::to_string(rest).map_err(Error::internal)?;
        query_from(&text).map(Self)
    }
}

/// The whole body, as far as the limit of the route allows.
pub(super) async fn whole(body: Body) -> Result<Bytes> {
    axum::body::to_bytes(body, usize::MAX).await.map_err(|error| {
        let mut source: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        while let Some(inner) = source {
            if inner.is::<http_body_util::LengthLimitError>() {
                return too_large(None);
            }
            source = inner.source();
        }
        Error::new(Code::BadRequest, "The body broke off before its end. Send it again.").caused_by(error)
    })
}

pub(super) fn too_large(limit: Option<u64>) -> Error {
    let text = match limit {
        Some(limit) => format!("The body is larger than {limit} bytes, the most that is taken here."),
        None => "The body is larger than what is taken here.".to_owned(),
    };
    Error::new(Code::TooLarge, text)
}

/// The media type of the body without its parameters.
fn media_type(headers: &HeaderMap) -> String {
    let given = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value};

    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Token {
        #[expect(dead_code, reason = "only its reading is tested")]
        name: String,
        #[serde(default)]
        #[expect(dead_code, reason = "only its reading is tested")]
        scope: Vec<String>,
    }

    #[track_caller]
    fn refused(text: &str, code: Code, says: &str) {
        let error = json_from::<Token>(text.as_bytes()).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.detail().contains(says), "{error}");
    }

    #[test]
    fn what_is_wrong_has_its_place() {
        refused("", Code::BadRequest, "empty");
        refused("{", Code::BadRequest, "line 1");
        refused(r#"{"name": 3}"#, Code::Invalid, "name: invalid type");
        refused(r#"{"name": "a", "scope": ["x", 1]}"#, Code::Invalid, "scope.1: ");
        refused(r#"{"nam": "a"}"#, Code::Invalid, "Did you mean \"name\"?");
        refused(r#"{"scope": []}"#, Code::Invalid, "name: It is needed.");
        refused(r#"{"name": "a", "name": "b"}"#, Code::BadRequest, "twice");
        refused(r#"{"name": "a\u0000"}"#, Code::BadRequest, "NUL");
        refused(r#"{"name": "a"} x"#, Code::BadRequest, "trailing");
    }

    #[test]
    fn deep_nesting_is_refused_without_recursion() {
        let deep = "[".repeat(100_000);
        let error = json_from::<Value>(deep.as_bytes()).unwrap_err();
        assert!(error.detail().contains("nested deeper"), "{error}");
        let brackets_in_text = format!("{{\"a\": \"{}\"}}", "[".repeat(1000));
        json_from::<Map<String, Value>>(brackets_in_text.as_bytes()).unwrap();
        let just = format!("{}{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
        json_from::<Value>(just.as_bytes()).unwrap();
    }
}
