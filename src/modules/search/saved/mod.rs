//! Saved searches: a name for an address of the search page, for oneself or for whoever has the link, and the wish to be told
//! when something new matches. What a search finds follows from the rights of whoever opens it, at that moment.

mod model;
mod store;
mod tell;
mod watch;

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

pub use model::{ChangedSaved, NewSaved, Saved, SavedSearch};
pub use tell::{handlers, schedules};

use model::{name_of, query_of};

use super::service::Service;
use crate::contract::accounts::{AccountKeeper, Owners};
use crate::contract::messages::Messages;
use crate::kernel::access::{Caller, Permission, Subject};
use crate::kernel::db::{Tx, Write};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::id::{is_id, new_id};

/// Keep searches of one's own.
pub const SEARCH_SAVE: Permission = Permission("search.save");

/// Searches that one may keep.
const MOST: i64 = 200;
/// Days for which a deleted search can be taken back.
const KEPT_DAYS: i64 = 30;

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
