//! `sitemap.xml`: what everybody may read, for search engines. Streamed, and in several files where one may not hold all.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::context::{Context, Shared};
use super::extract::Path;
use super::site::typed;
use crate::kernel::error::{Error, Result};

/// Addresses one file may hold is 50,000; room is left for the pages that are no records.
const FILE: usize = 49_000;
/// Records looked at in one step.
const STEP: usize = 1_000;
/// Files one index may name.
const FILES: usize = 50_000;
/// How long the places where files begin are remembered; a file does not move while one engine reads it.
const KEPT_MS: i64 = 3_600_000;

const URLSET: &str =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n";
const INDEX: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<sitemapindex xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n";

/// Where the files after the first begin, and until when that is taken for true.
pub(super) type Parts = Mutex<Option<(i64, Arc<[String]>)>>;

async fn parts(context: &Context) -> Result<Arc<[String]>> {
    let now = context.kernel.clock.now();
    let known = context.parts.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some((until, parts)) = known
        && now < until
    {
        return Ok(parts);
    }
    let Some(source) = &context.sitemap else {
        return Ok(Arc::default());
    };
    let mut parts = source.parts(FILE).await?;
    parts.truncate(FILES - 1);
    let parts: Arc<[String]> = parts.into();
    // A small house grows out of its one file at once; only where there are several must they stand still.
    let until = if parts.is_empty() { now } else { now + KEPT_MS };
    *context.parts.lock().unwrap_or_else(PoisonError::into_inner) = Some((until, parts.clone()));
    Ok(parts)
}

/// The file, or the list of files.
pub(super) async fn index(Shared(context): Shared) -> Result<Response> {
    let parts = parts(&context).await?;
    if parts.is_empty() {
        return Ok(file(context, 0, &parts));
    }
    let mut text = INDEX.to_owned();
    for number in 0..=parts.len() {
        let public = xml(&context.public_url);
        text.push_str(&format!(
            "<sitemap><loc>{public}/sitemap/{number}.xml</loc></sitemap>\n"
        ));
    }
    text.push_str("</sitemapindex>\n");
    Ok(answer(Body::from(text)))
}

/// One file of several.
pub(super) async fn part(Shared(context): Shared, Path(name): Path<String>) -> Result<Response> {
    let parts = parts(&context).await?;
    let number = name
        .strip_suffix(".xml")
        .and_then(|number| number.parse::<usize>().ok());
    match number.filter(|number| *number <= parts.len()) {
        Some(number) => Ok(file(context, number, &parts)),
        None => Err(Error::not_found("file", "sitemap")),
    }
}

/// Where a file stands.
struct Walk {
    context: Arc<Context>,
    after: Option<String>,
    until: Option<String>,
    /// The pages that are no records still come: into the first file.
    pages: bool,
    ended: bool,
}

fn file(context: Arc<Context>, number: usize, parts: &[String]) -> Response {
    let before = number.checked_sub(1).and_then(|n| parts.get(n)).cloned();
    let walk = Walk {
        context,
        after: Some(before.unwrap_or_default()),
        until: parts.get(number).cloned(),
        pages: number == 0,
        ended: false,
    };
    let head = stream::once(async { Ok(Bytes::from_static(URLSET.as_bytes())) });
    let rest = stream::try_unfold(walk, |walk| async move { next(walk).await });
    answer(Body::from_stream(head.chain(rest)))
}

async fn next(mut walk: Walk) -> Result<Option<(Bytes, Walk)>> {
    if walk.ended {
        return Ok(None);
    }
    let mut paths = Vec::new();
    if let Some(source) = &walk.context.sitemap {
        if walk.pages {
            paths = source.pages().await?;
        } else if let Some(after) = walk.after.take() {
            (paths, walk.after) = source.paths(&after, walk.until.as_deref(), STEP).await?;
        }
    } else {
        walk.after = None;
    }
    if std::mem::take(&mut walk.pages) {
        paths.insert(0, "/".to_owned());
    }
    let public = xml(&walk.context.public_url);
    let mut text = String::with_capacity(paths.len() * 100);
    for path in &paths {
        text.push_str(&format!("<url><loc>{public}{}</loc></url>\n", xml(path)));
    }
    if walk.after.is_none() {
        walk.ended = true;
        text.push_str("</urlset>\n");
    }
    Ok(Some((Bytes::from(text), walk)))
}

fn answer(body: Body) -> Response {
    let mut response = typed("application/xml", body);
    let caching = HeaderValue::from_static("public, max-age=3600");
    response.headers_mut().insert(header::CACHE_CONTROL, caching);
    response
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&apos;")
}
