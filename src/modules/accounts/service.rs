//! Tokens, sessions and setup links: who a secret belongs to, and how secrets come and go.

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;

use super::cache::Cache;
use super::model::{DAY, Kind, LINK_LIFE, SECRET_PREFIX, SESSION_DAYS, Token, USE_STEP, checked};
use super::{TOKENS, store};
use crate::contract::accounts::{CreatedToken, Doors, NewToken, TokenInfo};
use crate::kernel::Kernel;
use crate::kernel::access::{Access, Caller, Credential, Identity, Object, Subject, covers};
use crate::kernel::crypto;
use crate::kernel::db::{Db, Signal, Write};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::public_url;
use crate::kernel::id::{is_id, new_id};

/// The most tokens a list answers.
const LIST_MAX: i64 = 1000;

/// See the module's text.
pub(super) struct Service {
    db: Db,
    access: Access,
    cache: Cache,
    public_url: String,
}

impl Service {
    pub(super) fn new(kernel: &Kernel) -> Self {
        Self {
            db: kernel.db.clone(),
            access: kernel.access.clone(),
            cache: Cache::new(kernel.db.signals().subscribe(Signal::Access)),
            public_url: public_url(&kernel.config),
        }
    }

    async fn look_up(&self, digest: &str, kind: Kind) -> Result<Option<Subject>> {
        let now = self.db.clock().now();
        let Some(token) = store::by_digest(&self.db, digest, kind)
            .await?
            .filter(|token| token.is_live(now))
        else {
            return Ok(None);
        };
        if token.used_at.is_none_or(|at| now - at >= USE_STEP) {
            self.touch(token.id.clone(), now);
        }
        Ok(Some(match kind {
            Kind::Cookie => Subject::Operator,
            Kind::Token => Subject::Token {
                scope: token.scope()?,
                id: token.id,
                name: token.name,
            },
        }))
    }

    /// Notes the use beside the request: nobody waits for it, and a use that cannot be noted harms nobody.
    fn touch(&self, id: String, now: i64) {
        let db = self.db.clone();
        tokio::spawn(async move {
            let id = &id;
            let noted = db
                .write(Write::bulk("accounts.touch"), |tx| {
                    Box::pin(async move { store::touch(tx, id, now - USE_STEP + 1).await })
                })
                .await;
            if let Err(error) = noted {
                tracing::warn!(%error, token.id = %id, "the last use of a token could not be noted");
            }
        });
    }

    /// True where the setup link still works.
    pub(super) async fn link_is_open(&self, secret: &str) -> Result<bool> {
        store::link_is_open(&self.db, &crypto::digest(secret), self.db.clock().now()).await
    }

    /// Uses a setup link up and opens the operator's session. Answers its secret and how many seconds it lasts.
    pub(super) async fn use_link(&self, secret: &str) -> Result<(String, i64)> {
        let link = crypto::digest(secret);
        let session = crypto::new_token();
        let digest = crypto::digest(&session);
        let (link, digest) = (&link, &digest);
        self.db
            .write(Write::interactive("accounts.setup"), |tx| {
                Box::pin(async move {
                    if !store::use_link(tx, link).await? {
                        return Err(link_is_shut());
                    }
                    let now = tx.now();
                    let token = Token {
                        id: new_id(),
                        name: "operator".to_owned(),
                        kind: Kind::Cookie.as_str().to_owned(),
                        scope: "[\"*\"]".to_owned(),
                        created_at: now,
                        expires_at: Some(now + SESSION_DAYS * DAY),
                        used_at: None,
                        revoked_at: None,
                    };
                    tx.signal(Signal::Access);
                    store::insert(tx, &token, digest).await
                })
            })
            .await?;
        tracing::info!("the setup link was used: the operator has signed in");
        Ok((session, SESSION_DAYS * DAY / 1000))
    }

    /// Ends the session of a cookie.
    pub(super) async fn end_session(&self, secret: &str) -> Result<()> {
        let digest = crypto::digest(secret);
        let digest = &digest;
        self.db
            .write(Write::interactive("accounts.sign-out"), |tx| {
                Box::pin(async move {
                    tx.signal(Signal::Access);
                    store::revoke_by_digest(tx, digest).await.map(|_| ())
                })
            })
            .await
    }

    /// The time of the house.
    pub(super) fn now(&self) -> i64 {
        self.db.clock().now()
    }

    /// Every token, newest first, for whoever may manage them.
    pub(super) async fn all_tokens(&self, caller: &Caller) -> Result<Vec<Token>> {
        self.access.require(caller, TOKENS, &Object::House).await?;
        store::list(&self.db, Kind::Token, LIST_MAX).await
    }

    /// The sessions that are open, newest first.
    pub(super) async fn sessions(&self, caller: &Caller) -> Result<Vec<Token>> {
        self.access.require(caller, TOKENS, &Object::House).await?;
        let now = self.now();
        let mut sessions = store::list(&self.db, Kind::Cookie, LIST_MAX).await?;
        sessions.retain(|session| session.is_live(now));
        Ok(sessions)
    }

    /// The id of the session with this secret.
    pub(super) async fn session_of(&self, secret: &str) -> Result<Option<String>> {
        let found = store::by_digest(&self.db, &crypto::digest(secret), Kind::Cookie).await?;
        Ok(found.map(|session| session.id))
    }

    /// Ends a session at once.
    pub(super) async fn end_session_by_id(&self, caller: &Caller, id: &str) -> Result<()> {
        self.access.require(caller, TOKENS, &Object::House).await?;
        self.end(id, Kind::Cookie, "session").await?;
        tracing::info!(session.id = %id, actor = caller.actor(), "a session was ended");
        Ok(())
    }

    /// Ends a secret of a kind.
    async fn end(&self, id: &str, kind: Kind, what: &str) -> Result<()> {
        if !is_id(id) {
            return Err(Error::not_found(what, id));
        }
        self.db
            .write(Write::interactive("accounts.revoke"), |tx| {
                Box::pin(async move {
                    if store::get(&mut *tx, id, kind).await?.is_none() {
                        return Err(Error::not_found(what, id));
                    }
                    tx.signal(Signal::Access);
                    store::revoke(tx, id).await.map(|_| ())
                })
            })
            .await
    }

    /// A caller can only hand on what it holds itself.
    fn may_grant(caller: &Caller, scope: &[String]) -> Result<()> {
        let Subject::Token { scope: own, .. } = &caller.subject else {
            return Ok(());
        };
        let held = |entry: &String| {
            own.iter().any(|mine| mine == "*" || mine == entry) || (!entry.ends_with('*') && covers(own, entry))
        };
        match scope.iter().position(|entry| !held(entry)) {
            None => Ok(()),
            Some(index) => Err(Error::invalid(
                format!("scope.{index}"),
                format!(
                    "A token can only hand on what it holds; it does not hold {}.",
                    scope[index]
                ),
            )),
        }
    }
}

pub(super) fn link_is_shut() -> Error {
    Error::new(
        Code::Gone,
        "This setup link was used already, has expired or never was. Make a new one on the machine itself: app setup-link.",
    )
}

#[async_trait]
impl Identity for Arc<Service> {
    async fn identify(&self, credential: Credential<'_>, peer: Option<IpAddr>) -> Result<Option<Subject>> {
        let (secret, kind) = match credential {
            Credential::Cookie(secret) => (secret, Kind::Cookie),
            Credential::Bearer(secret) => (secret, Kind::Token),
        };
        // The kind is part of the key: a cookie's secret is no token and the other way round.
        let digest = crypto::digest(secret);
        let key = format!("{}{digest}", kind.as_str());
        if let Some(known) = self.cache.get(&key) {
            return Ok(known);
        }
        if let Some(seconds) = peer.and_then(|peer| self.cache.wait(peer)) {
            let text =
                format!("Too many unknown secrets came from your address. Wait {seconds} s, then send a right one.");
            return Err(Error::new(Code::TooMany, text).with("retry_after", seconds));
        }
        let mark = self.cache.mark();
        let subject = self.look_up(&digest, kind).await?;
        if let (None, Some(peer)) = (&subject, peer) {
            self.cache.guessed(peer);
        }
        self.cache.put(mark, key, subject.clone());
        Ok(subject)
    }
}

#[async_trait]
impl Doors for Service {
    async fn issue_setup_link(&self) -> Result<Option<String>> {
        if store::any(&self.db, Kind::Cookie).await? {
            return Ok(None);
        }
        self.new_setup_link().await.map(Some)
    }

    async fn new_setup_link(&self) -> Result<String> {
        let secret = crypto::new_token();
        let digest = crypto::digest(&secret);
        let digest = &digest;
        self.db
            .write(Write::interactive("accounts.link"), |tx| {
                Box::pin(async move { store::insert_link(tx, digest, LINK_LIFE).await })
            })
            .await?;
        Ok(format!("{}/setup/{secret}", self.public_url))
    }

    async fn create_token(&self, caller: &Caller, new: &NewToken) -> Result<CreatedToken> {
        self.access.require(caller, TOKENS, &Object::House).await?;
        let new = checked(new)?;
        Service::may_grant(caller, &new.scope)?;
        let secret = format!("{SECRET_PREFIX}{}", crypto::new_token());
        let (new, digest, id) = (&new, &crypto::digest(&secret), &new_id());
        let token = self
            .db
            .write(Write::interactive("accounts.token"), |tx| {
                Box::pin(async move {
                    let now = tx.now();
                    let token = Token {
                        id: id.clone(),
                        name: new.name.clone(),
                        kind: Kind::Token.as_str().to_owned(),
                        scope: serde_json::to_string(&new.scope)?,
                        created_at: now,
                        expires_at: new.days.map(|days| now + i64::from(days) * DAY),
                        used_at: None,
                        revoked_at: None,
                    };
                    tx.signal(Signal::Access);
                    store::insert(tx, &token, digest).await?;
                    Ok(token)
                })
            })
            .await?;
        tracing::info!(token.id = %token.id, actor = caller.actor(), "a token was made");
        Ok(CreatedToken {
            token: token.info()?,
            secret,
        })
    }

    async fn tokens(&self, caller: &Caller) -> Result<Vec<TokenInfo>> {
        self.access.require(caller, TOKENS, &Object::House).await?;
        store::list(&self.db, Kind::Token, LIST_MAX)
            .await?
            .iter()
            .map(Token::info)
            .collect()
    }

    async fn revoke_token(&self, caller: &Caller, id: &str) -> Result<()> {
        self.access.require(caller, TOKENS, &Object::House).await?;
        self.end(id, Kind::Token, "token").await?;
        tracing::info!(token.id = %id, actor = caller.actor(), "a token was revoked");
        Ok(())
    }
}
