//! Signing in: the name and the password, then the second factor where there is one or must be one.
//!
//! Unknown names, wrong passwords and accounts that are switched off get the same answer after the same work.

use super::super::account::Account;
use super::super::hashing::Hasher;
use super::super::{names, password, store, totp};
use super::factors::{NewFactor, recovery_digest};
use super::{Opened, Service};
use crate::kernel::crypto;
use crate::kernel::db::Write;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::Visitor;

/// How far somebody came.
pub(in super::super) enum SignedIn {
    Whole(Opened),
    /// The second factor is to be shown, or to be set up.
    Half(Opened),
}

/// Somebody whose password was right, before the second factor.
pub(in super::super) struct Pending {
    pub account: Account,
    /// The factor that must be set up first; none where one is there.
    pub missing: Option<NewFactor>,
    /// An authenticator's code or a recovery code can be shown.
    pub has_codes: bool,
    /// A passkey can be shown.
    pub has_passkeys: bool,
}

fn wrong() -> Error {
    Error::new(Code::Unauthenticated, "The name or the password is not right.")
}

impl Service {
    /// Checks name and password, and opens a session.
    pub(in super::super) async fn sign_in(
        &self,
        name: &str,
        given: &str,
        visitor: &Visitor,
        old: Option<&str>,
    ) -> Result<SignedIn> {
        let account = self.named(name).await?;
        let name = if name.len() > super::mails::NAME_MOST { "" } else { name };
        let key = account
            .as_ref()
            .map_or_else(|| names::folded(name), |account| account.id.clone());
        let one = self.begin_try(visitor, &key, account.as_ref()).await?;
        let id = account.as_ref().map(|account| account.id.clone()).unwrap_or_default();
        let stored = store::accounts::password(&self.db, &id).await?;
        let prepared = password::prepared(given);
        let right = self.hasher.verify(prepared.clone(), stored.as_deref()).await?;
        let Some(account) = account.filter(|account| right && account.is_active() && !account.is_service()) else {
            self.failed_try(one).await?;
            tracing::warn!(address = visitor.address, account.id = %id, "a sign-in failed");
            return Err(wrong());
        };
        self.passed_try(one).await?;
        if let (Some(stored), Some(prepared)) = (stored.filter(|stored| Hasher::is_old(stored)), prepared) {
            self.rehash(&account, stored, prepared).await?;
        }
        let has_factor = self.factor(&account.id).await?.is_some();
        let whole = !has_factor && !self.needs_factor(&account).await?;
        let opened = self.opened(&account, whole, visitor, old).await?;
        if whole {
            tracing::info!(account.id = %account.id, address = visitor.address, "signed in");
            return Ok(SignedIn::Whole(opened));
        }
        Ok(SignedIn::Half(opened))
    }

    async fn rehash(&self, account: &Account, old: String, prepared: String) -> Result<()> {
        let new = self.hasher.hash(prepared).await?;
        let (id, old, new) = (&account.id, &old, &new);
        self.db
            .write(Write::interactive("accounts.rehash"), |tx| {
                Box::pin(async move { store::accounts::rehash(tx, id, old, new).await })
            })
            .await
    }

    pub(super) async fn opened(
        &self,
        account: &Account,
        whole: bool,
        visitor: &Visitor,
        old: Option<&str>,
    ) -> Result<Opened> {
        self.opened_with(account, whole, visitor, old, None).await
    }

    /// Whose half session this is.
    pub(in super::super) async fn pending(&self, secret: &str) -> Result<Pending> {
        let ended = || {
            Error::new(
                Code::Unauthenticated,
                "This took too long, or was done already. Sign in again.",
            )
        };
        let session = self
            .session_of(secret)
            .await?
            .filter(|session| !session.whole)
            .ok_or_else(ended)?;
        let account = self.account(&session.account_id.ok_or_else(ended)?).await?;
        let has_codes = self.factor(&account.id).await?.is_some();
        let has_passkeys = self.knows_passkeys() && !self.passkeys_of(&account).await?.is_empty();
        let missing = if has_codes || has_passkeys {
            None
        } else {
            Some(self.new_factor(&account).await?)
        };
        Ok(Pending {
            account,
            missing,
            has_codes,
            has_passkeys,
        })
    }

    /// Checks the second factor, or sets it up with its first code, and makes the session whole. Answers the recovery
    /// codes where it was set up.
    pub(in super::super) async fn second_step(
        &self,
        secret: &str,
        code: &str,
        visitor: &Visitor,
    ) -> Result<(Opened, Vec<String>)> {
        let pending = self.pending(secret).await?;
        let account = pending.account;
        let one = self
            .begin_try(visitor, &format!("code {}", account.id), Some(&account))
            .await?;
        let codes = match pending.missing {
            Some(_) => self.confirm_factor(&account, code, visitor).await?,
            None => self.code_is_right(&account, code).await?.then(Vec::new),
        };
        let Some(codes) = codes else {
            self.failed_try(one).await?;
            tracing::warn!(address = visitor.address, account.id = %account.id, "a second factor was wrong");
            return Err(Error::invalid(
                "code",
                "This code is not right, or was used already. Wait for the next one; look at the clock of your device, too.",
            ));
        };
        self.passed_try(one).await?;
        let opened = self.complete(&account, visitor, secret).await?;
        Ok((opened, codes))
    }

    /// Makes a half session whole: the second step was shown.
    pub(super) async fn complete(&self, account: &Account, visitor: &Visitor, half: &str) -> Result<Opened> {
        let opened = self.opened(account, true, visitor, Some(half)).await?;
        tracing::info!(account.id = %account.id, address = visitor.address, "signed in");
        Ok(opened)
    }

    /// Uses up a code of the authenticator or a recovery code.
    pub(super) async fn code_is_right(&self, account: &Account, given: &str) -> Result<bool> {
        let Some(factor) = self.factor(&account.id).await? else {
            return Ok(false);
        };
        let step = totp::matching(&factor.secret, given, self.now(), factor.last_step);
        let (id, recovery) = (&account.id, &recovery_digest(&account.id, given));
        self.db
            .write(Write::interactive("accounts.code"), |tx| {
                Box::pin(async move {
                    match step {
                        Some(step) => store::factors::use_step(tx, id, step).await,
                        None => store::factors::use_recovery(tx, id, recovery).await,
                    }
                })
            })
            .await
    }

    /// Checks the password of somebody who is signed in, before something that must not be done by whoever finds the
    /// browser open.
    pub(super) async fn prove(&self, account: &Account, field: &str, given: &str, visitor: &Visitor) -> Result<()> {
        if account.password_at.is_none() {
            return Err(Error::invalid(
                field,
                "Your account has no password yet. Choose one on the page of your account first.",
            ));
        }
        let one = self
            .begin_try(visitor, &format!("proof {}", account.id), Some(account))
            .await?;
        let stored = store::accounts::password(&self.db, &account.id).await?;
        if self.hasher.verify(password::prepared(given), stored.as_deref()).await? {
            return self.passed_try(one).await;
        }
        self.failed_try(one).await?;
        Err(Error::invalid(field, "This is not your password."))
    }

    /// A digest that only fits one account.
    pub(super) fn digest_for(account: &str, secret: &str) -> String {
        crypto::digest(&format!("{account} {secret}"))
    }
}
