//! The language of a request: what its address asks for (`?lang=sv`), else what was chosen in this browser, else what the
//! browser prefers, else the house's.
//!
//! What an address asks for is taken out of it, so that no page has to know it, and stays in a cookie beside the theme and the
//! time zone. Signing in and the profile leave the account's language in the same cookie: what was chosen last counts.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, OriginalUri, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Uri, header};

use crate::kernel::i18n::Language;
use crate::kernel::ui::Shell;

/// The cookie, and the name in addresses.
const NAME: &str = "lang";
/// Seconds for which a choice stays: a year.
const LIFE: u32 = 31_536_000;
/// What programs ask for; their addresses are left as they are.
const PROGRAMS: [&str; 4] = ["/api/", "/static/", "/health/", "/metrics"];

/// The language of a request by its cookies and what its browser prefers, with the clock of its reader.
pub fn of(headers: &HeaderMap, house: Language) -> Language {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok());
    cookie(headers, NAME)
        .and_then(Language::find)
        .or_else(|| Language::negotiate(accepted?))
        .unwrap_or(house)
        .in_zone(cookie(headers, "zone"))
}

/// Notes the language in the request. Answers the cookie to leave where the address asks for one.
pub(super) fn settle(request: &mut Request, house: Language, secure: bool) -> Option<HeaderValue> {
    let mut language = of(request.headers(), house);
    let path = request.uri().path();
    let is_page = request.method().is_safe() && !PROGRAMS.iter().any(|start| path.starts_with(start));
    let mut kept = None;
    if is_page && let Some((asked, uri)) = taken(request.uri()) {
        *request.uri_mut() = uri.clone();
        request.extensions_mut().insert(OriginalUri(uri));
        if let Some(asked) = asked {
            language = asked.in_zone(cookie(request.headers(), "zone"));
            kept = chosen(asked.tag(), secure);
        }
    }
    request.extensions_mut().insert(language);
    kept
}

/// The cookie that keeps a choice; an empty one ends it.
pub fn chosen(tag: &str, secure: bool) -> Option<HeaderValue> {
    let life = if tag.is_empty() { 0 } else { LIFE };
    let secure = if secure { "; Secure" } else { "" };
    HeaderValue::from_str(&format!("{NAME}={tag}; Path=/; Max-Age={life}; SameSite=Lax{secure}")).ok()
}

/// An address without its wish for a language, and that language if there is such a one.
fn taken(uri: &Uri) -> Option<(Option<Language>, Uri)> {
    let (asked, rest): (Vec<&str>, Vec<&str>) = uri
        .query()?
        .split('&')
        .partition(|pair| pair.split('=').next() == Some(NAME));
    let (_, tag) = asked.last()?.split_once('=').unwrap_or_default();
    let text = match rest.as_slice() {
        [] => uri.path().to_owned(),
        rest => format!("{}?{}", uri.path(), rest.join("&")),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(text.parse().ok()?);
    Some((Language::find(tag), Uri::from_parts(parts).ok()?))
}

fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    lines
        .flat_map(|line| line.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
        .filter(|value| !value.is_empty())
}

impl<S: Send + Sync> FromRequestParts<S> for Language {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::of_request(parts))
    }
}

impl Language {
    /// The language of a request. Where it did not pass the middleware, it is read from its headers.
    pub fn of_request(parts: &Parts) -> Self {
        let house = || parts.extensions.get::<Shell>().map(|shell| shell.language);
        let noted = parts.extensions.get::<Self>().copied();
        noted.unwrap_or_else(|| of(&parts.headers, house().unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn request(address: &str, headers: &[(&str, &str)]) -> Request {
        let mut request = axum::http::Request::get(address);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::empty()).unwrap()
    }

    #[track_caller]
    fn check(address: &str, headers: &[(&str, &str)], want: (&str, &str, bool)) {
        let mut request = request(address, headers);
        let kept = settle(&mut request, Language::default(), false).is_some();
        let tag = request.extensions().get::<Language>().unwrap().tag();
        assert_eq!(
            (tag, request.uri().to_string().as_str(), kept),
            want,
            "{address} {headers:?}"
        );
    }

    #[test]
    fn the_nearest_word_counts() {
        check("/x", &[], ("en", "/x", false));
        check(
            "/x",
            &[("accept-language", "de, sv;q=0.5, en;q=0.4")],
            ("sv", "/x", false),
        );
        check(
            "/x",
            &[("accept-language", "sv"), ("cookie", "a=b; lang=en")],
            ("en", "/x", false),
        );
        check(
            "/x?a=1&lang=sv&b=2",
            &[("cookie", "lang=en")],
            ("sv", "/x?a=1&b=2", true),
        );
        check("/x?lang=sv-FI", &[], ("sv", "/x", true));
        check("/x?language=sv", &[], ("en", "/x?language=sv", false));
    }

    #[test]
    fn odd_wishes_do_no_harm() {
        for odd in ["lang", "lang=", "lang=xx", "lang=sv%00", "lang=../sv", "lang=;"] {
            check(&format!("/x?{odd}"), &[("cookie", "lang=zz")], ("en", "/x", false));
        }
        check("/api/search?lang=sv", &[], ("en", "/api/search?lang=sv", false));
    }

    #[test]
    fn the_house_speaks_where_nobody_chooses() {
        let mut request = request("/", &[("accept-language", "de, fr;q=0.9, sv;q=0")]);
        let house = Language::find("sv").unwrap();
        assert!(settle(&mut request, house, true).is_none());
        assert_eq!(request.extensions().get::<Language>().unwrap().tag(), "sv");
    }
}
