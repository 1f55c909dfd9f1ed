//! Tokens of the house and of accounts: making one, listing, ending.

use async_trait::async_trait;

use super::super::model::{DAY, SECRET_PREFIX, Token, checked};
use super::super::{TOKENS, store};
use super::{LIST_MAX, Service};
use crate::contract::accounts::{CreatedToken, Doors, NewToken, TokenInfo};
use crate::kernel::access::{Caller, Object, Subject, covers};
use crate::kernel::crypto;
use crate::kernel::db::{Signal, Write};
use crate::kernel::error::{Error, Result};
use crate::kernel::id::{is_id, new_id};

impl Service {
    /// Every token, newest first, for whoever may manage them.
    pub(in super::super) async fn all_tokens(&self, caller: &Caller) -> Result<Vec<Token>> {
        self.access.require(caller, TOKENS, &Object::House).await?;
        store::tokens::list(&self.db, LIST_MAX).await
    }

    /// The caller's own tokens, newest first.
    pub(in super::super) async fn own_tokens(&self, caller: &Caller) -> Result<Vec<Token>> {
        let me = self.me(caller).await?;
        store::tokens::of(&self.db, &me.id, LIST_MAX).await
    }

    /// Makes a token that speaks for the caller's own account, within what it may.
    pub(in super::super) async fn create_own_token(&self, caller: &Caller, new: &NewToken) -> Result<CreatedToken> {
        let me = self.me(caller).await?;
        self.make_token(caller, new, Some(me.id)).await
    }

    /// Makes a token that speaks for a service account.
    pub(in super::super) async fn create_token_for(
        &self,
        caller: &Caller,
        account: &str,
        new: &NewToken,
    ) -> Result<CreatedToken> {
        self.require_manager(caller).await?;
        let account = self.account(account).await?;
        if !account.is_service() {
            return Err(Error::invalid(
                "id",
                "Only its owner makes tokens that speak for a person's account.",
            ));
        }
        Self::may_grant(caller, &new.scope)?;
        self.make_token(caller, new, Some(account.id)).await
    }

    /// The tokens of a program's account, newest first.
    pub(in super::super) async fn tokens_of(&self, caller: &Caller, account: &str) -> Result<Vec<Token>> {
        let account = self.one(caller, account).await?;
        store::tokens::of(&self.db, &account.id, LIST_MAX).await
    }

    /// Ends a token of a program's account.
    pub(in super::super) async fn revoke_token_of(&self, caller: &Caller, account: &str, id: &str) -> Result<()> {
        let account = self.one(caller, account).await?;
        if !account.is_service() {
            return Err(Error::not_found("token", &id.chars().take(60).collect::<String>()));
        }
        self.end_token(caller, id, Some(&account.id)).await
    }

    /// Ends one of the caller's own tokens.
    pub(in super::super) async fn revoke_own_token(&self, caller: &Caller, id: &str) -> Result<()> {
        let me = self.me(caller).await?;
        self.end_token(caller, id, Some(&me.id)).await
    }

    async fn make_token(&self, caller: &Caller, new: &NewToken, account: Option<String>) -> Result<CreatedToken> {
        let new = checked(new)?;
        let secret = format!("{SECRET_PREFIX}{}", crypto::new_token());
        let (new, digest, id, account) = (&new, &crypto::digest(&secret), &new_id(), &account);
        let token = self
            .db
            .write(Write::interactive("accounts.token"), |tx| {
                Box::pin(async move {
                    let now = tx.now();
                    let token = Token {
                        id: id.clone(),
                        name: new.name.clone(),
                        scope: serde_json::to_string(&new.scope)?,
                        created_at: now,
                        expires_at: new.days.map(|days| now + i64::from(days) * DAY),
                        used_at: None,
                        revoked_at: None,
                        account_id: account.clone(),
                    };
                    tx.signal(Signal::Access);
                    store::tokens::insert(tx, &token, digest).await?;
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

    /// Ends a token; where an owner is named, one of theirs only.
    async fn end_token(&self, caller: &Caller, id: &str, owner: Option<&str>) -> Result<()> {
        if !is_id(id) {
            return Err(Error::not_found("token", &id.chars().take(60).collect::<String>()));
        }
        self.db
            .write(Write::interactive("accounts.revoke"), |tx| {
                Box::pin(async move {
                    let found = store::tokens::get(&mut *tx, id).await?;
                    if !found.is_some_and(|token| owner.is_none() || token.account_id.as_deref() == owner) {
                        return Err(Error::not_found("token", id));
                    }
                    tx.signal(Signal::Access);
                    store::tokens::revoke(tx, id).await.map(|_| ())
                })
            })
            .await?;
        tracing::info!(token.id = %id, actor = caller.actor(), "a token was revoked");
        Ok(())
    }

    /// A caller can only hand on what it holds itself.
    fn may_grant(caller: &Caller, scope: &[String]) -> Result<()> {
        let (Subject::Token { scope: own, .. } | Subject::Account { scope: Some(own), .. }) = &caller.subject else {
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

#[async_trait]
impl Doors for Service {
    async fn issue_setup_link(&self) -> Result<Option<String>> {
        if store::accounts::any(&self.db).await? || store::tokens::any_cookie(&self.db).await? {
            return Ok(None);
        }
        self.new_setup_link().await.map(Some)
    }

    async fn new_setup_link(&self) -> Result<String> {
        self.make_setup_link().await
    }

    async fn create_token(&self, caller: &Caller, new: &NewToken) -> Result<CreatedToken> {
        self.access.require(caller, TOKENS, &Object::House).await?;
        Self::may_grant(caller, &checked(new)?.scope)?;
        self.make_token(caller, new, None).await
    }

    async fn tokens(&self, caller: &Caller) -> Result<Vec<TokenInfo>> {
        self.all_tokens(caller).await?.iter().map(Token::info).collect()
    }

    async fn revoke_token(&self, caller: &Caller, id: &str) -> Result<()> {
        self.access.require(caller, TOKENS, &Object::House).await?;
        self.end_token(caller, id, None).await
    }
}
