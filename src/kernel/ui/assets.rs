//! Our own static files: found by name, addressed by content.
//!
//! A release carries them inside; a development build reads them from the folder, so that a change of a style needs no
//! build. An address holds the hash of the content and is cached for a year; an old hash still answers, uncached, so
//! that a page of the version before keeps its looks.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/assets/static"]
struct Files;

/// Hexadecimal digits of the hash in an address.
const DIGITS: usize = 16;

fn hash(file: &EmbeddedFile) -> String {
    hex::encode(&file.metadata.sha256_hash()[..DIGITS / 2])
}

/// The address of a static file: `/static/3f2a…/vitrine.css`.
pub fn href(name: &str) -> String {
    match Files::get(name) {
        Some(file) => format!("/static/{}/{name}", hash(&file)),
        None => format!("/static/-/{name}"),
    }
}

/// The kinds of files there are; a file of another kind is refused by a test.
fn media_type(name: &str) -> Option<&'static str> {
    match name.rsplit_once('.')?.1 {
        "css" => Some("text/css; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        "png" => Some("image/png"),
        "txt" => Some("text/plain; charset=utf-8"),
        _ => None,
    }
}

/// Answers a static file. `wanted` is the hash of the address, where it has one.
pub fn respond(name: &str, wanted: Option<&str>, headers: &HeaderMap) -> Option<Response> {
    let file = Files::get(name)?;
    let kind = media_type(name)?;
    let hash = hash(&file);
    let tag = format!("\"{hash}\"");
    let caching = if wanted == Some(hash.as_str()) {
        "public, max-age=31536000, immutable"
    } else if wanted.is_some() {
        "public, no-cache"
    } else {
        "public, max-age=86400"
    };
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| {
            v.split(',')
                .any(|t| t.trim().trim_start_matches("W/") == tag || t.trim() == "*")
        });
    let body = match file.data {
        _ if known => Body::empty(),
        Cow::Borrowed(bytes) => Body::from(bytes),
        Cow::Owned(bytes) => Body::from(bytes),
    };
    let mut response = (
        if known {
            StatusCode::NOT_MODIFIED
        } else {
            StatusCode::OK
        },
        body,
    )
        .into_response();
    let out = response.headers_mut();
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        out.insert(header::ETAG, tag);
    }
    if !known {
        out.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_has_a_known_kind_and_together_they_are_small() {
        let mut bytes = 0;
        for name in Files::iter() {
            assert!(media_type(&name).is_some(), "{name} is of no known kind");
            bytes += Files::get(&name).unwrap().data.len();
        }
        assert!(bytes < 60_000, "the static files have {bytes} bytes, more than 60,000");
    }

    #[test]
    fn an_address_is_cached_for_good_and_answers_not_modified() {
        let address = href("vitrine.css");
        let hash = address.split('/').nth(2).unwrap().to_owned();
        let fresh = respond("vitrine.css", Some(&hash), &HeaderMap::new()).unwrap();
        assert_eq!(
            fresh.headers()[header::CACHE_CONTROL],
            "public, max-age=31536000, immutable"
        );
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, fresh.headers()[header::ETAG].clone());
        assert_eq!(
            respond("vitrine.css", Some(&hash), &headers).unwrap().status(),
            StatusCode::NOT_MODIFIED
        );
        let old = respond("vitrine.css", Some("0000000000000000"), &HeaderMap::new()).unwrap();
        assert_eq!(old.headers()[header::CACHE_CONTROL], "public, no-cache");
        assert!(respond("../../Cargo.toml", None, &HeaderMap::new()).is_none());
    }

    #[test]
    fn styles_and_scripts_ask_nobody_else() {
        for name in Files::iter() {
            let file = Files::get(&name).unwrap();
            let text = String::from_utf8_lossy(&file.data);
            for foreign in ["//fonts", "@import", "cdn.", "url(http", "url(//", "importScripts"] {
                assert!(!text.contains(foreign), "{name} contains {foreign}");
            }
        }
    }
}
