//! Second factors: an authenticator's codes, and recovery codes for the day the device is lost.

use super::super::account::Account;
use super::super::{recorded, store, totp};
use super::Service;
use crate::contract::messages::Template;
use crate::kernel::access::Caller;
use crate::kernel::crypto;
use crate::kernel::db::{Signal, Write};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::Visitor;

/// How many recovery codes there are.
const CODES: usize = 10;

/// A factor that waits for its first code.
pub(in super::super) struct NewFactor {
    /// For typing it in.
    pub secret: String,
    /// What the picture holds.
    pub address: String,
}

/// A recovery code as people type it, in the form it is kept.
pub(super) fn recovery_digest(account: &str, given: &str) -> String {
    let plain: String = given.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
    Service::digest_for(account, &plain.to_ascii_lowercase())
}

/// Ten new codes of 80 bits, in groups that can be read aloud.
fn new_codes() -> Vec<String> {
    let one = || {
        let text = hex::encode(crypto::random::<10>());
        let groups: Vec<&str> = (0..4).map(|n| &text[n * 5..n * 5 + 5]).collect();
        groups.join("-")
    };
    (0..CODES).map(|_| one()).collect()
}

impl Service {
    /// True where one of the account's roles, its groups' too, asks for a second factor.
    pub(in super::super) async fn needs_factor(&self, account: &Account) -> Result<bool> {
        if self.settings.second_factor.is_empty() {
            return Ok(false);
        }
        let asking = &self.settings.second_factor;
        let roles = self.roles_held(account).await?;
        Ok(roles
            .iter()
            .any(|role| asking.iter().any(|asked| asked == role.as_str())))
    }

    /// True where a role came to the account since it signed in that asks for a second step, and it has none. The institution
    /// that opened a session has asked for one itself, where it was to.
    pub(super) async fn lacks_factor(&self, account: &str, session: &str) -> Result<bool> {
        if self.settings.second_factor.is_empty() {
            return Ok(false);
        }
        let account = self.account(account).await?;
        Ok(self.needs_factor(&account).await?
            && self.factor(&account.id).await?.is_none()
            && self.passkeys_of(&account).await?.is_empty()
            && !store::sessions::came_by_identity(&self.db, session).await?)
    }

    /// The factor that is being set up, begun where there is none.
    pub(in super::super) async fn new_factor(&self, account: &Account) -> Result<NewFactor> {
        let there = store::factors::totp(&self.db, &account.id).await?;
        let secret = match there {
            Some(there) if there.confirmed_at.is_some() => {
                return Err(Error::new(
                    Code::Conflict,
                    "The second step is set up already. Take it away first.",
                ));
            }
            Some(there) => there.secret,
            None => {
                let (secret, id) = (totp::new_secret(), &account.id);
                let each = &secret;
                self.db
                    .write(Write::interactive("accounts.factor"), |tx| {
                        Box::pin(async move { store::factors::begin(tx, id, each).await })
                    })
                    .await?;
                secret
            }
        };
        Ok(NewFactor {
            address: totp::address(&secret, "Vitrine", &format!("{}@{}", account.login, self.site())),
            secret,
        })
    }

    /// Sets the factor up with its first code. Answers the recovery codes; none where the code is wrong.
    pub(super) async fn confirm_factor(
        &self,
        account: &Account,
        code: &str,
        visitor: &Visitor,
    ) -> Result<Option<Vec<String>>> {
        let Some(there) = store::factors::totp(&self.db, &account.id).await? else {
            return Ok(None);
        };
        let Some(step) = totp::matching(&there.secret, code, self.now(), 0) else {
            return Ok(None);
        };
        let codes = new_codes();
        let digests: Vec<String> = codes.iter().map(|code| recovery_digest(&account.id, code)).collect();
        let (id, digests) = (&account.id, &digests);
        let by = &recorded::itself(account);
        let done = self
            .db
            .write(Write::interactive("accounts.confirm"), |tx| {
                Box::pin(async move {
                    if !store::factors::confirm(tx, id, step).await? {
                        return Ok(false);
                    }
                    store::factors::replace_recovery(tx, id, digests).await?;
                    recorded::changed(tx, by, account, "step-added").await?;
                    self.tell(tx, by, account, Template::StepAdded, Vec::new(), visitor)
                        .await?;
                    Ok(true)
                })
            })
            .await?;
        if done {
            tracing::info!(account.id = %id, "a second factor was set up");
        }
        Ok(done.then_some(codes))
    }

    /// The caller sets the second step up; every other session ends.
    pub(in super::super) async fn add_factor(
        &self,
        caller: &Caller,
        secret: &str,
        password: &str,
        code: &str,
        visitor: &Visitor,
    ) -> Result<Vec<String>> {
        let me = self.me(caller).await?;
        self.prove(&me, "password", password, visitor).await?;
        let codes = self.confirm_factor(&me, code, visitor).await?.ok_or_else(|| {
            Error::invalid(
                "code",
                "This code is not right. Wait for the next one; look at the clock of your device, too.",
            )
        })?;
        self.end_other_sessions(caller, secret).await?;
        Ok(codes)
    }

    /// The caller takes the second step away; every other session ends.
    pub(in super::super) async fn drop_factor(
        &self,
        caller: &Caller,
        secret: &str,
        password: &str,
        visitor: &Visitor,
    ) -> Result<()> {
        let me = self.me(caller).await?;
        if self.needs_factor(&me).await? {
            let text = "Your role asks for the second step, so it stays. Somebody who looks after accounts can begin it anew for you.";
            return Err(Error::new(Code::Conflict, text));
        }
        self.prove(&me, "password", password, visitor).await?;
        self.remove_factor(caller, &me, visitor).await?;
        self.end_other_sessions(caller, secret).await?;
        Ok(())
    }

    pub(super) async fn remove_factor(&self, caller: &Caller, account: &Account, visitor: &Visitor) -> Result<()> {
        let id = &account.id;
        self.db
            .write(Write::interactive("accounts.factor-end"), |tx| {
                Box::pin(async move {
                    tx.signal(Signal::Access);
                    store::factors::remove(tx, id).await?;
                    recorded::changed(tx, caller, account, "step-removed").await?;
                    self.tell(tx, caller, account, Template::StepRemoved, Vec::new(), visitor)
                        .await
                })
            })
            .await?;
        tracing::info!(account.id = %id, "a second factor was taken away");
        Ok(())
    }

    /// How many recovery codes are left.
    pub(in super::super) async fn codes_left(&self, account: &Account) -> Result<i64> {
        store::factors::recovery_left(&self.db, &account.id).await
    }
}
