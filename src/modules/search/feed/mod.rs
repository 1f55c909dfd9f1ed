//! Feeds of a search, as Atom and as JSON Feed: the newest first, at the rights of whoever fetches it.
//!
//! No secret stands in an address: a program that follows what is not public sends its token in the usual header.

mod atom;
mod json;

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

use super::service::{Item, Service};
use super::suggest::leaf_label;
use super::ui;
use crate::contract::records::{RECORDS_READ, StoredType};
use crate::kernel::access::Level;
use crate::kernel::error::{Error, Result};
use crate::kernel::http::etag_of;
use crate::kernel::search::Sort;
use crate::kernel::ui::{Page, label, shorten, texts};

/// Records of a feed.
const ENTRIES: usize = 50;
/// Columns told of each, and characters of a value.
const COLUMNS: usize = 6;
const VALUE: usize = 200;

/// The two forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Atom,
    Json,
}

impl Form {
    pub const ALL: [Form; 2] = [Form::Atom, Form::Json];
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Atom => "application/atom+xml",
            Self::Json => "application/feed+json",
        }
    }
    pub fn file(self) -> &'static str {
        match self {
            Self::Atom => "feed.atom",
            Self::Json => "feed.json",
        }
    }
}

/// A feed, whole.
pub struct Feed {
    pub title: String,
    /// The search page, and the feed itself.
    pub home: String,
    pub own: String,
    /// Who gives it out.
    pub house: String,
    pub language: &'static str,
    pub updated: i64,
    pub entries: Vec<Entry>,
}

/// A record in it.
pub struct Entry {
    pub href: String,
    pub title: String,
    /// Lines of "label: value".
    pub text: Vec<String>,
    /// What it is: its collection.
    pub kind: String,
    pub image: Option<String>,
    pub created: i64,
    pub updated: i64,
}

/// What to make a feed of.
pub struct Wanted<'a> {
    /// The address of the search, what stands after the question mark.
    pub query: &'a str,
    /// What it is called; else the words that are looked for.
    pub name: Option<&'a str>,
    /// The path and question of the feed.
    pub own: &'a str,
    pub form: Form,
}

/// Answers a feed.
///
/// # Errors
/// `Invalid` for an address that is none; what the index and the port of records say.
pub async fn answer(service: &Service, page: &Page, headers: &HeaderMap, wanted: &Wanted<'_>) -> Result<Response> {
    let types = service.types(&page.caller, None).await?;
    let mut query = ui::asks(wanted.query, &types)?;
    query.sort = Sort::Created { descending: true };
    query.limit = ENTRIES;
    query.visibility = service.access.filter(&page.caller, RECORDS_READ).await?;
    let words = query.text.clone();
    let answer = service.answer(&page.caller, query).await?;
    let items = service.items(&page.caller, &types, &answer).await?;
    let house = page
        .public_url
        .split_once("://")
        .map_or("", |(_, rest)| rest)
        .to_owned();
    let name = wanted.name.map(str::to_owned).or((!words.is_empty()).then_some(words));
    let language = page.language;
    let name = name.unwrap_or_else(|| language.text("search.everything"));
    let home = if wanted.query.is_empty() {
        "/search".to_owned()
    } else {
        format!("/search?{}", wanted.query)
    };
    let entries: Vec<Entry> = items.iter().map(|item| entry(item, &types, page)).collect();
    let feed = Feed {
        title: language.with("feed.title", &[("name", &name), ("house", &house)]),
        home: page.absolute(&home),
        own: page.absolute(wanted.own),
        house,
        language: language.tag(),
        updated: entries.iter().map(|entry| entry.updated).max().unwrap_or_default(),
        entries,
    };
    let body = match wanted.form {
        Form::Atom => atom::write(&feed),
        Form::Json => json::write(&feed)?,
    };
    sent(headers, wanted.form, feed.updated, body, page.caller.is_anonymous())
}

fn entry(item: &Item, types: &[(Arc<StoredType>, Level)], page: &Page) -> Entry {
    let stored = types
        .iter()
        .find(|(stored, _)| stored.definition.name == item.record.type_name);
    let definition = stored.map(|(stored, _)| &stored.definition);
    let leaves = definition.map(|definition| definition.leaves()).unwrap_or_default();
    let title = definition.and_then(|definition| definition.title.as_deref());
    let columns = leaves.iter().filter(|leaf| {
        title != Some(leaf.path.as_str()) && leaf.field().is_some_and(|field| field.column || field.facet)
    });
    // The document is cut to what the caller may see: a field that is hidden has no text here.
    let lines = columns.filter_map(|leaf| {
        let values = texts(&item.record.document, &leaf.path, page.language).join(", ");
        let line = || format!("{}: {}", leaf_label(leaf, page.language), shorten(&values, VALUE));
        (!values.is_empty()).then(line)
    });
    Entry {
        href: page.absolute(&format!("/records/{}", item.record.id)),
        title: if item.title.trim().is_empty() {
            item.record.id.clone()
        } else {
            item.title.clone()
        },
        text: lines.take(COLUMNS).collect(),
        kind: definition.map_or_else(
            || item.record.type_name.clone(),
            |definition| label(&definition.labels, &definition.name, page.language),
        ),
        image: item.image.clone(),
        created: item.record.created_at,
        updated: item.record.updated_at,
    }
}

/// The answer with what lets a reader ask again cheaply. The stack answers 304 for a known ETag; a reader that knows only the
/// time is answered here.
fn sent(headers: &HeaderMap, form: Form, updated: i64, body: String, public: bool) -> Result<Response> {
    let tag = etag_of(body.as_bytes());
    let since = headers
        .get(header::IF_MODIFIED_SINCE)
        .and_then(|value| value.to_str().ok());
    let since = since.filter(|_| !headers.contains_key(header::IF_NONE_MATCH));
    let fresh = updated > 0 && since.and_then(read_date).is_some_and(|since| updated / 1000 <= since);
    let mut response = Response::new(if fresh { Body::empty() } else { Body::from(body) });
    if fresh {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        let kind = format!("{}; charset=utf-8", form.media_type());
        let kind = HeaderValue::from_str(&kind).map_err(Error::internal)?;
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    let kept = if public { "no-cache" } else { "private, no-cache" };
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    response.headers_mut().insert(header::ETAG, tag);
    if updated > 0 {
        let date = HeaderValue::from_str(&http_date(updated)).map_err(Error::internal)?;
        response.headers_mut().insert(header::LAST_MODIFIED, date);
    }
    Ok(response)
}

/// `Sat, 21 Nov 2026 22:00:00 GMT`
fn http_date(ms: i64) -> String {
    let at = jiff::Timestamp::from_second(ms / 1000).unwrap_or_default();
    at.to_zoned(jiff::tz::TimeZone::UTC)
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string()
}

/// The seconds of such a date.
fn read_date(text: &str) -> Option<i64> {
    let plain = text.trim().strip_suffix("GMT")?;
    let at = jiff::fmt::strtime::parse("%a, %d %b %Y %H:%M:%S %z", format!("{plain}+0000")).ok()?;
    at.to_timestamp().ok().map(|at| at.as_second())
}

/// Where the feeds of a search are, for the head of its page: media type, address.
pub fn links(query: &str) -> Vec<(&'static str, String)> {
    let question = if query.is_empty() {
        String::new()
    } else {
        format!("?{query}")
    };
    Form::ALL
        .map(|form| (form.media_type(), format!("/search/{}{question}", form.file())))
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_http_are_written_and_read() {
        let at = 1_795_298_400_000;
        let text = http_date(at);
        assert!(text.ends_with(" GMT") && text.len() == 29, "{text}");
        assert_eq!(read_date(&text), Some(at / 1000));
        assert_eq!(read_date("yesterday"), None);
    }
}
