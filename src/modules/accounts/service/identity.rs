//! Whose secret it is, and what accounts are called: what the kernel asks.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;

use super::super::account::Account;
use super::super::model::USE_STEP;
use super::super::store;
use super::Service;
use crate::kernel::access::{Credential, Directory, Identity, Person, Subject};
use crate::kernel::crypto;
use crate::kernel::db::{Tx, Write};
use crate::kernel::error::{Code, Error, Result};

/// What is known about a secret.
enum Found {
    /// Nothing, and that stays so.
    Nobody,
    /// Whose it is, but it opens nothing now: its account is switched off, or its time is over.
    Resting,
    /// Whose it is, and until when.
    Opens(Subject, i64),
}

impl Service {
    async fn by_token(&self, digest: &str, now: i64) -> Result<Found> {
        let found = store::tokens::by_digest(&self.db, digest).await?;
        let Some(held) = found else {
            return Ok(Found::Nobody);
        };
        if !held.is_live(now) {
            return Ok(Found::Resting);
        }
        let scope = held.token.scope()?;
        let token = held.token;
        if token.used_at.is_none_or(|at| now - at >= USE_STEP) {
            self.touch(Touched::Token, token.id.clone(), now);
        }
        let ends_at = token.expires_at.unwrap_or(i64::MAX);
        let subject = match (token.account_id, held.account_name) {
            (Some(id), Some(name)) => Subject::Account {
                id,
                name,
                scope: Some(scope),
            },
            _ => Subject::Token {
                scope,
                id: token.id,
                name: token.name,
            },
        };
        Ok(Found::Opens(subject, ends_at))
    }

    async fn by_session(&self, digest: &str, now: i64) -> Result<Found> {
        let found = store::sessions::by_digest(&self.db, digest).await?;
        let Some(session) = found else {
            return Ok(Found::Nobody);
        };
        if !session.whole || !session.is_live(now, self.idle()) {
            return Ok(Found::Resting);
        }
        if let Some(account) = &session.account_id
            && self.lacks_factor(account, &session.id).await?
        {
            return Ok(Found::Resting);
        }
        if now - session.used_at >= USE_STEP {
            self.touch(Touched::Session, session.id.clone(), now);
        }
        let ends_at = session.ends_at(self.idle());
        let subject = match (session.account_id, session.name) {
            (Some(id), Some(name)) => Subject::Account { id, name, scope: None },
            _ => Subject::Operator,
        };
        Ok(Found::Opens(subject, ends_at))
    }

    /// Notes the use beside the request: nobody waits for it, and a use that cannot be noted harms nobody.
    fn touch(&self, what: Touched, id: String, now: i64) {
        let db = self.db.clone();
        tokio::spawn(async move {
            let id = &id;
            let before = now - USE_STEP + 1;
            let noted = db
                .write(Write::bulk("accounts.touch"), |tx| {
                    Box::pin(async move {
                        match what {
                            Touched::Token => store::tokens::touch(tx, id, before).await,
                            Touched::Session => store::sessions::touch(tx, id, before).await,
                        }
                    })
                })
                .await;
            if let Err(error) = noted {
                tracing::warn!(%error, used.id = %id, "a use could not be noted");
            }
        });
    }
}

#[derive(Clone, Copy)]
enum Touched {
    Token,
    Session,
}

#[async_trait]
impl Identity for Arc<Service> {
    async fn identify(&self, credential: Credential<'_>, peer: Option<IpAddr>) -> Result<Option<Subject>> {
        let (secret, kind) = match credential {
            Credential::Cookie(secret) => (secret, "session"),
            Credential::Bearer(secret) => (secret, "token"),
        };
        // The kind is part of the key: a cookie's secret is no token and the other way round.
        let digest = crypto::digest(secret);
        let key = format!("{kind}{digest}");
        let now = self.now();
        if let Some(known) = self.cache.get(&key, now) {
            return Ok(known);
        }
        if let Some(seconds) = peer.and_then(|peer| self.cache.wait(peer)) {
            let text =
                format!("Too many unknown secrets came from your address. Wait {seconds} s, then send a right one.");
            return Err(Error::new(Code::TooMany, text).with("retry_after", seconds));
        }
        let mark = self.cache.mark();
        let found = match credential {
            Credential::Cookie(_) => self.by_session(&digest, now).await?,
            Credential::Bearer(_) => self.by_token(&digest, now).await?,
        };
        match found {
            Found::Opens(subject, ends_at) => {
                self.cache.put(mark, key, subject.clone(), ends_at);
                Ok(Some(subject))
            }
            Found::Resting => Ok(None),
            Found::Nobody => {
                if let Some(peer) = peer {
                    tracing::warn!(address = %peer, kind, "a secret that nobody has was shown");
                    self.cache.guessed(peer);
                    self.cache.bury(key);
                }
                Ok(None)
            }
        }
    }
}

#[async_trait]
impl Directory for Arc<Service> {
    async fn people(&self, ids: &[String]) -> Result<HashMap<String, Person>> {
        let found = store::accounts::by_ids(&self.db, ids).await?;
        Ok(found
            .into_iter()
            .map(|account| (account.id.clone(), account.person()))
            .collect())
    }

    async fn is_active_in(&self, tx: &mut Tx<'_>, id: &str) -> Result<bool> {
        let found = store::accounts::by_ids(tx, &[id.to_owned()]).await?;
        Ok(found.first().is_some_and(Account::is_active))
    }

    async fn find(&self, text: &str, limit: usize) -> Result<Vec<Person>> {
        let text = text.trim();
        if text.is_empty() || text.len() > 200 {
            return Ok(Vec::new());
        }
        let limit = i64::try_from(limit.min(100)).unwrap_or(100);
        let found = store::accounts::list(&self.db, Some(text), None, limit).await?;
        Ok(found.into_iter().map(Account::person).collect())
    }
}
