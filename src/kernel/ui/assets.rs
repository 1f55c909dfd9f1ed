//! Our own static files: found by name, addressed by content.
//!
//! `vitrine.css` and `vitrine.js` are the files of `assets/styles` and `assets/scripts`, one after another in the order
//! of their names; the files of `assets/static` are answered as they are. A release carries them inside; a development
//! build reads them from the folder, so that a change of a style needs no build. An address holds the hash of the
//! content and is cached for a year; an old hash still answers, uncached, so that a page of the version before keeps
//! its looks.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use rust_embed::RustEmbed;
use sha2::{Digest as _, Sha256};

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/assets/static"]
struct Files;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/assets/styles"]
struct Styles;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/assets/scripts"]
struct Scripts;

/// Bytes of the digest in an address.
const DIGITS: usize = 8;

/// One file as it is answered.
#[derive(Clone)]
struct Asset {
    bytes: Bytes,
    hash: String,
}

impl From<Vec<u8>> for Asset {
    fn from(bytes: Vec<u8>) -> Self {
        let hash = hex::encode(&Sha256::digest(&bytes)[..DIGITS]);
        Self {
            bytes: bytes.into(),
            hash,
        }
    }
}

/// The files of a folder in the order of their names, as one; around each stands what keeps it apart from the others.
fn bundle<Folder: RustEmbed>(before: &[u8], after: &[u8]) -> Asset {
    let mut names: Vec<_> = Folder::iter().collect();
    names.sort_unstable();
    let files = names.iter().filter_map(|name| Folder::get(name));
    files
        .flat_map(|file| [before, &file.data, after].concat())
        .collect::<Vec<u8>>()
        .into()
}

fn all() -> BTreeMap<String, Asset> {
    let mut all = BTreeMap::from([
        ("vitrine.css".to_owned(), bundle::<Styles>(b"", b"")),
        (
            "vitrine.js".to_owned(),
            // A script that fails is told to the console and takes no other with it.
            bundle::<Scripts>(b"try {\n", b"} catch (error) { reportError(error); }\n"),
        ),
    ]);
    for name in Files::iter() {
        if let Some(file) = Files::get(&name) {
            all.insert(name.into_owned(), file.data.into_owned().into());
        }
    }
    all
}

fn find(name: &str) -> Option<Asset> {
    static ALL: LazyLock<BTreeMap<String, Asset>> = LazyLock::new(all);
    if cfg!(debug_assertions) {
        return all().remove(name);
    }
    ALL.get(name).cloned()
}

/// The address of a static file: `/static/3f2a…/vitrine.css`.
pub fn href(name: &str) -> String {
    match find(name) {
        Some(asset) => format!("/static/{}/{name}", asset.hash),
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
        "webp" => Some("image/webp"),
        "txt" => Some("text/plain; charset=utf-8"),
        _ => None,
    }
}

/// Answers a static file. `wanted` is the hash of the address, where it has one.
pub fn respond(name: &str, wanted: Option<&str>, headers: &HeaderMap) -> Option<Response> {
    let Asset { bytes, hash } = find(name)?;
    let kind = media_type(name)?;
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
    let body = if known { Body::empty() } else { Body::from(bytes) };
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
        let (mut compressed, mut pictures) = (0, 0);
        for (name, asset) in all() {
            assert!(media_type(&name).is_some(), "{name} is of no known kind");
            // Those of the manual are loaded where they are looked at.
            if name.ends_with(".webp") {
                pictures += asset.bytes.len();
                continue;
            }
            compressed += zstd::bulk::compress(&asset.bytes, 3).unwrap().len();
        }
        assert!(
            compressed < 60_000,
            "the static files have {compressed} bytes, more than 60,000"
        );
        assert!(
            pictures < 150_000,
            "the pictures have {pictures} bytes, more than 150,000"
        );
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
        for (name, asset) in all() {
            let text = String::from_utf8_lossy(&asset.bytes);
            for foreign in ["//fonts", "@import", "cdn.", "url(http", "url(//", "importScripts"] {
                assert!(!text.contains(foreign), "{name} contains {foreign}");
            }
        }
    }
}
