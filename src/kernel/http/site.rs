//! What every site has: robots.txt, sitemap.xml, the icon, and the answers where nothing is.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use futures_util::stream;

use super::context::{Context, Shared};
use super::extract::Path;
use super::routes::{RouteSet, Routes};
use crate::kernel::access::OPEN;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::ui::assets;

/// Addresses one sitemap may hold.
const SITEMAP_MAX: usize = 50_000;
const SITEMAP_PAGE: usize = 1_000;

pub(super) fn routes() -> Routes {
    RouteSet::<()>::new()
        .page(OPEN, Method::GET, "/robots.txt", get(robots))
        .page(OPEN, Method::GET, "/sitemap.xml", get(sitemap))
        .page(OPEN, Method::GET, "/favicon.ico", get(icon))
        .page(OPEN, Method::GET, "/favicon.svg", get(icon))
        .page(OPEN, Method::GET, "/static/{hash}/{*name}", get(asset))
        .with_state(())
}

fn typed(kind: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

async fn robots(Shared(context): Shared) -> Response {
    let text = format!(
        "User-agent: *\nDisallow: /api/\nDisallow: /setup/\nAllow: /\nSitemap: {}/sitemap.xml\n",
        context.public_url
    );
    typed("text/plain; charset=utf-8", Body::from(text))
}

/// Browsers ask for the icon by its old name too.
async fn icon(headers: HeaderMap) -> Result<Response> {
    assets::respond("favicon.svg", None, &headers).ok_or_else(|| Error::not_found("file", "favicon.svg"))
}

/// A static file by content and name; names are looked up among those built in, never as a path on a disk.
async fn asset(Path((hash, name)): Path<(String, String)>, headers: HeaderMap) -> Result<Response> {
    assets::respond(&name, Some(&hash), &headers).ok_or_else(|| Error::not_found("file", &name))
}

/// Where the sitemap stands: how much is written, and where the source goes on.
struct Walk {
    context: Arc<Context>,
    written: usize,
    after: Option<String>,
    ended: bool,
}

async fn sitemap(Shared(context): Shared) -> Response {
    let head =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n";
    let first = format!("{head}<url><loc>{}/</loc></url>\n", xml(&context.public_url));
    let walk = Walk {
        context,
        written: 1,
        after: None,
        ended: false,
    };
    let rest = stream::try_unfold(walk, |walk| async move { next_piece(walk).await });
    let first = stream::once(async move { Ok(Bytes::from(first)) });
    typed(
        "application/xml",
        Body::from_stream(futures_util::StreamExt::chain(first, rest)),
    )
}

async fn next_piece(mut walk: Walk) -> Result<Option<(Bytes, Walk)>> {
    if walk.ended {
        return Ok(None);
    }
    let room = (SITEMAP_MAX - walk.written).min(SITEMAP_PAGE);
    let (paths, next) = match &walk.context.sitemap {
        Some(source) if room > 0 => source.paths(walk.after.take(), room).await?,
        _ => (Vec::new(), None),
    };
    let mut text = String::new();
    for path in paths.iter().take(room) {
        text.push_str(&format!(
            "<url><loc>{}{}</loc></url>\n",
            xml(&walk.context.public_url),
            xml(path)
        ));
    }
    walk.written += paths.len().min(room);
    walk.ended = next.is_none();
    walk.after = next;
    if walk.ended {
        text.push_str("</urlset>\n");
    }
    Ok(Some((Bytes::from(text), walk)))
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&apos;")
}

/// Nothing is at this address; one with a slash too many leads to the one without.
pub(super) async fn nothing_here(method: Method, uri: Uri) -> Response {
    let path = uri.path();
    let bare = path.trim_end_matches('/');
    // "//host/" must not become a redirect to another host.
    if matches!(method, Method::GET | Method::HEAD)
        && bare.len() < path.len()
        && !bare.is_empty()
        && !bare.starts_with("//")
    {
        let target = uri
            .query()
            .map_or_else(|| bare.to_owned(), |query| format!("{bare}?{query}"));
        if let Ok(location) = HeaderValue::from_str(&target) {
            return (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, location)]).into_response();
        }
    }
    let shown: String = path.chars().take(200).collect();
    Error::new(
        Code::NotFound,
        format!("Nothing is at {shown}. Start at / or look at /docs/api."),
    )
    .into_response()
}

/// The address is right, the method is not; the router adds `Allow`.
pub(super) async fn no_such_method(method: Method) -> Error {
    let text = format!("This address does not answer {method}. The header Allow lists what it answers.");
    Error::new(Code::MethodNotAllowed, text)
}
