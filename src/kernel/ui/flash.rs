//! A sentence for the page that comes after a form: "Saved", with a button that takes it back. It travels in a cookie that
//! the next page uses up, so that reloading never sends a form again.
//!
//! Only keys of our own texts travel, with one name to fill in; a button leads to a change set's page, or to a saved search
//! that was deleted, and nowhere else.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponseParts, ResponseParts};
use serde::{Deserialize, Serialize};

use crate::kernel::i18n::Language;

const COOKIE: &str = "vitrine_toast";
/// Seconds after which nobody expects it any more.
const LIFE: u32 = 60;
/// Characters of the name that is filled in.
const LONGEST: usize = 120;
/// Where its button may lead.
const UNDO: [&str; 2] = ["/changes/", "/search/saved/"];

/// What to say. A part of an answer: `(Flash::new("toast.saved").about(title), Redirect::to(…))`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Flash {
    key: String,
    #[serde(default)]
    about: String,
    #[serde(default)]
    undo: Option<String>,
}

/// What a page shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toast {
    pub text: String,
    /// Where the button "Undo" sends its form.
    pub undo: Option<String>,
}

impl Flash {
    /// The text of a key below `toast.`; `{name}` in it is what `about` gives.
    pub fn new(key: &str) -> Self {
        Self {
            key: key.to_owned(),
            about: String::new(),
            undo: None,
        }
    }
    #[must_use]
    pub fn about(mut self, name: &str) -> Self {
        self.about = super::shorten(name, LONGEST);
        self
    }
    /// A button that takes it back: the address below one of [`UNDO`] that its form is sent to.
    #[must_use]
    pub fn undo(mut self, path: impl Into<String>) -> Self {
        self.undo = Some(path.into());
        self
    }

    /// What the request carries for its page.
    pub(super) fn of(headers: &HeaderMap, language: Language) -> Option<Toast> {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
        let text = cookies
            .flat_map(|line| line.split(';'))
            .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))?;
        let flash: Self = serde_json::from_slice(&hex::decode(text).ok()?).ok()?;
        let known = flash.key.starts_with("toast.") && language.get(&flash.key).is_some();
        let about = super::shorten(&flash.about, LONGEST);
        let safe = |path: &String| {
            UNDO.iter().any(|start| path.starts_with(start)) && !path.contains(['\\', '?', '#']) && !path.contains("..")
        };
        known.then(|| Toast {
            text: language.with(&flash.key, &[("name", &about)]),
            undo: flash.undo.filter(safe),
        })
    }

    /// The header that uses it up.
    pub(super) fn end() -> HeaderValue {
        HeaderValue::from_static("vitrine_toast=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0")
    }
}

impl IntoResponseParts for Flash {
    type Error = std::convert::Infallible;
    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Self::Error> {
        let text = serde_json::to_vec(&self).map(hex::encode).unwrap_or_default();
        let cookie = format!("{COOKIE}={text}; Path=/; HttpOnly; SameSite=Lax; Max-Age={LIFE}");
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            parts.headers_mut().append(header::SET_COOKIE, value);
        }
        Ok(parts)
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;

    use super::*;

    fn carried(flash: Flash) -> Option<Toast> {
        let response = (flash, "").into_response();
        let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
        let mut headers = HeaderMap::new();
        let pair = format!("a=b; {}", cookie.split(';').next().unwrap());
        headers.insert(header::COOKIE, HeaderValue::from_str(&pair).unwrap());
        Flash::of(&headers, Language::default())
    }

    #[test]
    fn it_arrives_once_said_and_leads_nowhere_else() {
        let toast = carried(Flash::new("toast.saved").about("Vase é; \"x\"").undo("/changes/1/undo")).unwrap();
        assert!(toast.text.contains("Vase é; \"x\""));
        assert_eq!(toast.undo.as_deref(), Some("/changes/1/undo"));
        assert_eq!(carried(Flash::new("error.gone.title")), None, "only its own texts");
        for odd in ["https://x", "//x", "/jobs/1", "/changes/../jobs", "/changes/1?x"] {
            assert_eq!(
                carried(Flash::new("toast.saved").undo(odd)).unwrap().undo,
                None,
                "{odd}"
            );
        }
    }
}
