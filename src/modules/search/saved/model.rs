//! What is kept of a search: its name, its address and the wish to be told; what of an address is kept and what a name may be.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::clock::rfc3339;
use crate::kernel::error::{Error, Result};
use crate::kernel::ledger::Position;
use crate::modules::search::ui::params;

/// Characters of a name and bytes of an address.
const NAME: usize = 100;
const QUERY: usize = 4_000;
/// What of an address belongs to a look at it and not to what is looked for.
const LEFT_OUT: [&str; 8] = ["page", "more", "find", "span", "from", "to", "keep", "after"];

/// A row of the table `saved_search`.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Saved {
    pub id: String,
    pub owner: String,
    pub name: String,
    pub query: String,
    pub shared: bool,
    pub watched: bool,
    pub seen_txid: i64,
    pub seen_position: i64,
    pub wide: bool,
    pub news: i64,
    pub news_since: i64,
    pub created_at: i64,
    pub deleted_at: Option<i64>,
}

impl Saved {
    /// Up to here in the ledger it was looked for.
    pub(super) fn seen(&self) -> Position {
        Position {
            txid: self.seen_txid,
            position: self.seen_position,
        }
    }
    /// The search page that it stands for.
    pub fn href(&self) -> String {
        if self.query.is_empty() {
            "/search".to_owned()
        } else {
            format!("/search?{}", self.query)
        }
    }
}

/// A saved search as its owner sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SavedSearch {
    pub id: String,
    #[schema(example = "Teapots")]
    pub name: String,
    /// What stands after the question mark of the search page.
    #[schema(example = "q=teapot&type=museum-object")]
    pub query: String,
    /// Its own address, which leads to the search page.
    #[schema(example = "/search/saved/01890a5d-ac96-774b-bcce-b302099a8057")]
    pub href: String,
    /// Whoever has the address may open it.
    pub shared: bool,
    /// Its owner is told when something new matches.
    pub watched: bool,
    /// What matches since `news_since`, where it is watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub news: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub news_since: Option<String>,
    pub created_at: String,
}

impl From<&Saved> for SavedSearch {
    fn from(saved: &Saved) -> Self {
        Self {
            id: saved.id.clone(),
            name: saved.name.clone(),
            query: saved.query.clone(),
            href: format!("/search/saved/{}", saved.id),
            shared: saved.shared,
            watched: saved.watched,
            news: saved.watched.then_some(saved.news),
            news_since: saved.watched.then(|| rfc3339(saved.news_since)),
            created_at: rfc3339(saved.created_at),
        }
    }
}

/// A search to keep.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSaved {
    #[schema(example = "Teapots")]
    pub name: String,
    /// What stands after the question mark of the search page, or the whole address.
    #[schema(example = "q=teapot&type=museum-object")]
    pub query: String,
    #[serde(default)]
    pub shared: bool,
    #[serde(default)]
    pub watched: bool,
}

/// What is to be different; what is not named stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedSaved {
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub shared: Option<bool>,
    #[serde(default)]
    pub watched: Option<bool>,
    /// `true`: what is new was seen; counting begins anew.
    #[serde(default)]
    pub seen: bool,
}

pub(super) fn name_of(given: &str) -> Result<String> {
    let name = given.split_whitespace().collect::<Vec<_>>().join(" ");
    let fits = (1..=NAME).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    fits.then_some(name)
        .ok_or_else(|| Error::invalid("name", format!("A name of 1 to {NAME} characters.")))
}

/// What is kept of an address: what is looked for and how it is shown, without the page.
pub(super) fn query_of(given: &str) -> Result<String> {
    let wrong = || Error::invalid("query", format!("The address of a search, at most {QUERY} bytes."));
    let given = given.trim();
    let text = match given.split_once('?') {
        Some((path, rest)) if path.ends_with("/search") => rest,
        _ => given,
    };
    let text = text.split('#').next().unwrap_or_default();
    if text.len() > QUERY || (text == given && text.ends_with("/search") && !text.contains('=')) {
        return if text.len() > QUERY {
            Err(wrong())
        } else {
            Ok(String::new())
        };
    }
    let mut pairs: Vec<(String, String)> = serde_html_form::from_str(text).map_err(|_| wrong())?;
    pairs.retain(|(name, value)| !name.is_empty() && !value.is_empty() && !LEFT_OUT.contains(&name.as_str()));
    if pairs
        .iter()
        .any(|(name, value)| name.contains('\0') || value.contains('\0'))
    {
        return Err(wrong());
    }
    let kept = serde_html_form::to_string(pairs).map_err(|_| wrong())?;
    params(&kept).map_err(|_| wrong())?;
    if kept.len() > QUERY { Err(wrong()) } else { Ok(kept) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_without_its_page() {
        for given in [
            "q=tea+pot&type=vase&page=3&filter=a%3Ab",
            "/search?q=tea+pot&type=vase&filter=a%3Ab&after=1.2",
            "http://localhost:1/search?q=tea+pot&type=vase&filter=a%3Ab#results",
        ] {
            assert_eq!(query_of(given).unwrap(), "q=tea+pot&type=vase&filter=a%3Ab", "{given}");
        }
        assert_eq!(query_of("q=what?/search?x=1").unwrap(), "q=what%3F%2Fsearch%3Fx%3D1");
        assert_eq!(query_of("/search").unwrap(), "");
        assert_eq!(query_of("").unwrap(), "");
        assert!(query_of(&format!("q={}", "x".repeat(5_000))).is_err());
        assert!(query_of("q=%00").is_err());
    }

    #[test]
    fn names_are_one_line() {
        assert_eq!(name_of("  Tea \n pots ").unwrap(), "Tea pots");
        assert!(name_of(" ").is_err() && name_of(&"x".repeat(101)).is_err());
    }
}
