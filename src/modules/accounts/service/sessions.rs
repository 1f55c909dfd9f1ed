//! Sessions of browsers: opened at sign-in with a new id, listed, ended.

use super::super::account::Account;
use super::super::store::{self, sessions::Session};
use super::super::{TOKENS, store::sessions};
use super::{LIST_MAX, Service};
use crate::kernel::access::{Caller, Object};
use crate::kernel::crypto;
use crate::kernel::db::{Signal, Tx, Write};
use crate::kernel::error::{Error, Result};
use crate::kernel::http::Visitor;
use crate::kernel::id::{is_id, new_id};

/// Milliseconds that are given to show the second factor.
const HALF_LIFE: i64 = 10 * 60 * 1000;

/// A session to open: its secret is made before the transaction, since that may run twice.
pub(in super::super) struct Opened {
    pub secret: String,
    /// How long the cookie is kept.
    pub seconds: i64,
}

impl Opened {
    pub(super) fn new(seconds: i64) -> Self {
        Self {
            secret: crypto::new_token(),
            seconds,
        }
    }
}

impl Service {
    /// The most seconds that a session lasts.
    pub(super) fn session_seconds(&self) -> i64 {
        i64::from(self.settings.session_hours) * 3600
    }

    /// How long the cookie of a session is kept: one that waits for the second step ends soon.
    pub(super) fn seconds_of(&self, whole: bool) -> i64 {
        if whole {
            self.session_seconds()
        } else {
            HALF_LIFE / 1000
        }
    }

    /// Writes a session down and ends the one that the browser had.
    pub(super) async fn open_session(
        &self,
        tx: &mut Tx<'_>,
        opened: &Opened,
        account: &str,
        whole: bool,
        visitor: &Visitor,
        old: Option<&str>,
    ) -> Result<()> {
        let now = tx.now();
        if let Some(old) = old {
            sessions::end_by_digest(tx, &crypto::digest(old)).await?;
            tx.signal(Signal::Access);
        }
        let session = Session {
            id: new_id(),
            account_id: Some(account.to_owned()),
            whole,
            created_at: now,
            used_at: now,
            expires_at: now + if whole { opened.seconds * 1000 } else { HALF_LIFE },
            address: visitor.address.clone(),
            agent: visitor.agent.chars().filter(|c| !c.is_control()).take(300).collect(),
            name: None,
            state: None,
        };
        sessions::insert(tx, &session, &crypto::digest(&opened.secret)).await?;
        if whole {
            store::accounts::seen(tx, account).await?;
        }
        Ok(())
    }

    /// The session with this secret, whole or half, while it lives.
    pub(in super::super) async fn session_of(&self, secret: &str) -> Result<Option<Session>> {
        let found = sessions::by_digest(&self.db, &crypto::digest(secret)).await?;
        Ok(found.filter(|session| session.is_live(self.now(), self.idle())))
    }

    /// The account of a session that is whole.
    pub(in super::super) async fn account_of(&self, secret: &str) -> Result<Option<Account>> {
        match self.session_of(secret).await?.filter(|session| session.whole) {
            Some(Session {
                account_id: Some(id), ..
            }) => self.account(&id).await.map(Some),
            _ => Ok(None),
        }
    }

    /// Ends the session of a cookie.
    pub(in super::super) async fn end_session(&self, secret: &str) -> Result<()> {
        let digest = crypto::digest(secret);
        let digest = &digest;
        self.db
            .write(Write::interactive("accounts.sign-out"), |tx| {
                Box::pin(async move {
                    tx.signal(Signal::Access);
                    sessions::end_by_digest(tx, digest).await
                })
            })
            .await
    }

    /// Every open session for whoever may manage them, newest first.
    pub(in super::super) async fn sessions(&self, caller: &Caller) -> Result<Vec<Session>> {
        self.access.require(caller, TOKENS, &Object::House).await?;
        let now = self.now();
        let mut all = sessions::all(&self.db, LIST_MAX).await?;
        all.retain(|session| session.is_live(now, self.idle()));
        Ok(all)
    }

    /// The open sessions of the caller's account, the last used first.
    pub(in super::super) async fn own_sessions(&self, caller: &Caller) -> Result<Vec<Session>> {
        let me = self.me(caller).await?;
        let now = self.now();
        let mut own = sessions::of(&self.db, Some(&me.id), LIST_MAX).await?;
        own.retain(|session| session.is_live(now, self.idle()));
        Ok(own)
    }

    /// Ends any session at once, for whoever may manage them.
    pub(in super::super) async fn end_session_by_id(&self, caller: &Caller, id: &str) -> Result<()> {
        self.access.require(caller, TOKENS, &Object::House).await?;
        self.end_one(caller, id, None).await
    }

    /// Ends one of the caller's own sessions at once.
    pub(in super::super) async fn end_own_session(&self, caller: &Caller, id: &str) -> Result<()> {
        let me = self.me(caller).await?;
        self.end_one(caller, id, Some(&me.id)).await
    }

    async fn end_one(&self, caller: &Caller, id: &str, owner: Option<&str>) -> Result<()> {
        let missing = || Error::not_found("session", &id.chars().take(60).collect::<String>());
        if !is_id(id) {
            return Err(missing());
        }
        let ended = self
            .db
            .write(Write::interactive("accounts.end"), |tx| {
                Box::pin(async move {
                    tx.signal(Signal::Access);
                    match owner {
                        Some(owner) => sessions::end_own(tx, owner, id).await,
                        None => sessions::end(tx, id).await,
                    }
                })
            })
            .await?;
        if !ended {
            return Err(missing());
        }
        tracing::info!(session.id = %id, actor = caller.actor(), "a session was ended");
        Ok(())
    }

    /// Ends every session of the caller's account but the one it comes with.
    pub(in super::super) async fn end_other_sessions(&self, caller: &Caller, secret: &str) -> Result<u64> {
        let me = self.me(caller).await?;
        let this = self.session_of(secret).await?.map(|session| session.id);
        let (me, this) = (&me, &this);
        self.db
            .write(Write::interactive("accounts.end-others"), |tx| {
                Box::pin(async move {
                    tx.signal(Signal::Access);
                    sessions::end_all(tx, &me.id, this.as_deref()).await
                })
            })
            .await
    }
}
