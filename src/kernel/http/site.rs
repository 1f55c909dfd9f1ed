//! What every site has: robots.txt, the icon, and the answers where nothing is.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::context::Shared;
use super::extract::Path;
use super::routes::{RouteSet, Routes};
use super::sitemap;
use crate::kernel::access::OPEN;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::ui::assets;

pub(super) fn routes() -> Routes {
    RouteSet::<()>::new()
        .page(OPEN, Method::GET, "/robots.txt", get(robots))
        .page(OPEN, Method::GET, "/sitemap.xml", get(sitemap::index))
        .page(OPEN, Method::GET, "/sitemap/{part}", get(sitemap::part))
        .page(OPEN, Method::GET, "/favicon.ico", get(icon))
        .page(OPEN, Method::GET, "/favicon.svg", get(icon))
        .page(OPEN, Method::GET, "/static/{hash}/{*name}", get(asset))
        .with_state(())
}

pub(super) fn typed(kind: &'static str, body: Body) -> Response {
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
