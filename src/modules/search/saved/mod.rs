//! Saved searches: a name for an address of the search page, for oneself or for whoever has the link, and the wish to be told
//! when something new matches. What a search finds follows from the rights of whoever opens it, at that moment.

mod store;
mod tell;
mod watch;

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

pub use tell::{handlers, schedules};

use super::service::Service;
use crate::contract::accounts::{AccountKeeper, Owners};
use crate::contract::messages::Messages;
use crate::kernel::access::{Caller, Permission, Subject};
use crate::kernel::clock::rfc3339;
use crate::kernel::db::{Tx, Write};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::id::{is_id, new_id};
use crate::kernel::ledger::Position;

/// Keep searches of one's own.
pub const SEARCH_SAVE: Permission = Permission("search.save");

/// Searches that one may keep.
const MOST: i64 = 200;
/// Characters of a name and bytes of an address.
const NAME: usize = 100;
const QUERY: usize = 4_000;
/// What of an address belongs to a look at it and not to what is looked for.
const LEFT_OUT: [&str; 8] = ["page", "more", "find", "span", "from", "to", "keep", "after"];
/// Days for which a deleted search can be taken back.
const KEPT_DAYS: i64 = 30;

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
    fn seen(&self) -> Position {
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

/// See the module's text.
#[derive(Clone)]
pub struct Saves {
    pub service: Service,
    owners: Option<Arc<dyn Owners>>,
    messages: Option<Arc<dyn Messages>>,
    public_url: Arc<str>,
}

/// Under which name what somebody keeps is theirs.
fn owner_of(caller: &Caller) -> Result<String> {
    match &caller.subject {
        Subject::Anonymous => Err(Error::new(Code::Unauthenticated, "Sign in to keep searches.")),
        _ => Ok(caller.actor()),
    }
}

fn name_of(given: &str) -> Result<String> {
    let name = given.split_whitespace().collect::<Vec<_>>().join(" ");
    let fits = (1..=NAME).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    fits.then_some(name)
        .ok_or_else(|| Error::invalid("name", format!("A name of 1 to {NAME} characters.")))
}

/// What is kept of an address: what is looked for and how it is shown, without the page.
fn query_of(given: &str) -> Result<String> {
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
    super::ui::params(&kept).map_err(|_| wrong())?;
    if kept.len() > QUERY { Err(wrong()) } else { Ok(kept) }
}

fn not_there() -> Error {
    Error::new(
        Code::NotFound,
        "There is no such saved search, or it is somebody else's.",
    )
}

impl Saves {
    pub fn new(
        service: Service,
        owners: Option<Arc<dyn Owners>>,
        messages: Option<Arc<dyn Messages>>,
        public_url: &str,
    ) -> Self {
        Self {
            service,
            owners,
            messages,
            public_url: public_url.into(),
        }
    }

    /// One's own, the newest first.
    ///
    /// # Errors
    /// `Unauthenticated`; what the database says.
    pub async fn own(&self, caller: &Caller) -> Result<Vec<Saved>> {
        store::of(&self.service.db, &owner_of(caller)?, MOST).await
    }

    /// One's own, by its id.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn mine(&self, caller: &Caller, id: &str) -> Result<Saved> {
        let owner = owner_of(caller)?;
        let found = self.live(id).await?;
        found.filter(|saved| saved.owner == owner).ok_or_else(not_there)
    }

    /// One that the caller may open: their own, or one that is shared.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn open(&self, caller: &Caller, id: &str) -> Result<Saved> {
        let found = self.live(id).await?;
        let opens = |saved: &Saved| saved.shared || (!caller.is_anonymous() && saved.owner == caller.actor());
        found.filter(opens).ok_or_else(not_there)
    }

    async fn live(&self, id: &str) -> Result<Option<Saved>> {
        if !is_id(id) {
            return Ok(None);
        }
        let found = store::get(&self.service.db, id).await?;
        Ok(found.filter(|saved| saved.deleted_at.is_none()))
    }

    /// Keeps a search.
    ///
    /// # Errors
    /// `Invalid` for a name or an address that is none, and beyond the limit; `Unavailable` where it is to be watched and no
    /// index answers.
    pub async fn keep(&self, caller: &Caller, new: &NewSaved) -> Result<Saved> {
        let now = self.service.db.clock().now();
        let saved = Saved {
            id: new_id(),
            owner: owner_of(caller)?,
            name: name_of(&new.name)?,
            query: query_of(&new.query)?,
            shared: new.shared,
            watched: false,
            seen_txid: 0,
            seen_position: 0,
            wide: false,
            news: 0,
            news_since: now,
            created_at: now,
            deleted_at: None,
        };
        let baseline = if new.watched {
            Some(self.watchable(caller, &saved).await?)
        } else {
            None
        };
        let (row, baseline) = (&saved, &baseline);
        self.service
            .db
            .write(Write::interactive("search.save"), |tx| {
                Box::pin(async move {
                    tx.lock(&format!("saved searches {}", row.owner)).await?;
                    if store::count(tx, &row.owner).await? >= MOST {
                        return Err(Error::invalid(
                            "name",
                            format!("You keep {MOST} searches. Delete one first."),
                        ));
                    }
                    store::insert(tx, row).await?;
                    match baseline {
                        Some(baseline) => store::begin(tx, &row.id, baseline).await,
                        None => Ok(()),
                    }
                })
            })
            .await?;
        self.mine(caller, &saved.id).await
    }

    /// From where on what matches is new.
    async fn watchable(&self, caller: &Caller, saved: &Saved) -> Result<watch::Baseline> {
        if tell::caller_of(&saved.owner).is_none() {
            return Err(Error::invalid(
                "watched",
                "Only accounts and the operator are told what is new. Use a token of an account.",
            ));
        }
        self.baseline(caller, saved).await
    }

    /// Changes what is named of one's own search.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`; `Unavailable` where it is to be watched and no index answers.
    pub async fn change(&self, caller: &Caller, id: &str, change: &ChangedSaved) -> Result<Saved> {
        let mut saved = self.mine(caller, id).await?;
        if let Some(name) = &change.name {
            saved.name = name_of(name)?;
        }
        saved.shared = change.shared.unwrap_or(saved.shared);
        let begins = change.watched == Some(true) && !saved.watched;
        let baseline = if begins {
            Some(self.watchable(caller, &saved).await?)
        } else {
            None
        };
        saved.watched = change.watched.unwrap_or(saved.watched);
        let (row, baseline) = (&saved, &baseline);
        let seen = change.seen || begins;
        self.service
            .db
            .write(Write::interactive("search.saved-change"), |tx| {
                Box::pin(async move {
                    store::rename(tx, row).await?;
                    if seen {
                        store::looked_at(tx, &row.id).await?;
                    }
                    match baseline {
                        Some(baseline) => store::begin(tx, &row.id, baseline).await,
                        None if !row.watched => store::end(tx, &row.id).await,
                        None => Ok(()),
                    }
                })
            })
            .await?;
        self.mine(caller, id).await
    }

    /// Deletes one's own; it can be taken back for a while.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn delete(&self, caller: &Caller, id: &str) -> Result<Saved> {
        let saved = self.mine(caller, id).await?;
        let id = &saved.id;
        self.service
            .db
            .write(Write::interactive("search.saved-delete"), |tx| {
                Box::pin(async move {
                    let now = tx.now();
                    store::set_deleted(tx, id, Some(now)).await
                })
            })
            .await?;
        Ok(saved)
    }

    /// Takes the deletion of one's own back. One that is watched tells what came meanwhile, too.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn restore(&self, caller: &Caller, id: &str) -> Result<Saved> {
        let owner = owner_of(caller)?;
        let found = if is_id(id) {
            store::get(&self.service.db, id).await?
        } else {
            None
        };
        let saved = found.filter(|saved| saved.owner == owner).ok_or_else(not_there)?;
        let id = &saved.id;
        self.service
            .db
            .write(Write::interactive("search.saved-restore"), |tx| {
                Box::pin(async move { store::set_deleted(tx, id, None).await })
            })
            .await?;
        self.mine(caller, id).await
    }
}

#[async_trait]
impl AccountKeeper for Saves {
    async fn forget_account(&self, tx: &mut Tx<'_>, account: &str) -> Result<()> {
        store::forget(tx, &format!("account:{account}")).await
    }

    async fn kept_for(&self, account: &str) -> Result<(&'static str, Value)> {
        let own = store::of(&self.service.db, &format!("account:{account}"), MOST).await?;
        let own: Vec<SavedSearch> = own.iter().map(SavedSearch::from).collect();
        Ok(("saved_searches", serde_json::to_value(own)?))
    }
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
