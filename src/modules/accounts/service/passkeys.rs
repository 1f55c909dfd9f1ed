//! Passkeys: added with proof, shown instead of name and password or as the second step. What is to be signed is ours,
//! works for a few minutes and once.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::account::Account;
use super::super::store::{self, passkeys::Passkey};
use super::super::webauthn::{self, Site};
use super::super::{names, recorded};
use super::{Opened, Service};
use crate::contract::messages::Template;
use crate::kernel::access::Caller;
use crate::kernel::crypto;
use crate::kernel::db::{Signal, Write};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::Visitor;
use crate::kernel::id::new_id;

/// Milliseconds that are given to sign.
const LIFE: i64 = 5 * 60 * 1000;
/// Challenges that may wait at the same time.
const WAITING_MOST: i64 = 5_000;
/// Passkeys of one account.
const MOST: usize = 20;

/// What a challenge is for; stored.
#[derive(Clone, Copy)]
enum Purpose {
    Register,
    SignIn,
    Step,
}

impl Purpose {
    fn as_str(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::SignIn => "sign-in",
            Self::Step => "step",
        }
    }
}

/// What the script sends of a passkey that was shown, in hexadecimal digits.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct ShownForm {
    #[serde(default)]
    pub credential: String,
    #[serde(default)]
    pub client_data: String,
    #[serde(default)]
    pub authenticator_data: String,
    #[serde(default)]
    pub signature: String,
    #[serde(default)]
    pub user: String,
    #[serde(default)]
    pub to: String,
}

/// What the script sends of a passkey that was made.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct MadeForm {
    #[serde(default)]
    pub name: String,
    /// Checked before, where the challenge was made.
    #[serde(default, rename = "password")]
    _password: String,
    #[serde(default)]
    pub client_data: String,
    #[serde(default)]
    pub attestation: String,
}

fn refused(why: &str) -> Error {
    Error::new(
        Code::Unauthenticated,
        format!("This passkey does not open the house: {why}."),
    )
}

fn late() -> Error {
    Error::new(
        Code::Unauthenticated,
        "This took too long, or was done already. Try again.",
    )
}

impl Service {
    fn passkey_site(&self) -> Result<&Site> {
        self.passkeys.as_ref().ok_or_else(|| {
            Error::new(
                Code::Unavailable,
                "Passkeys need https and a host name in http.public_url; here there is another address.",
            )
        })
    }

    /// True where passkeys can be used: their browsers ask for a host name and protection.
    pub(in super::super) fn knows_passkeys(&self) -> bool {
        self.passkeys.is_some()
    }

    /// The passkeys of an account, the oldest first.
    pub(in super::super) async fn passkeys_of(&self, account: &Account) -> Result<Vec<Passkey>> {
        store::passkeys::of(&self.db, &account.id).await
    }

    async fn challenge(&self, purpose: Purpose, account: Option<&str>) -> Result<String> {
        let challenge = webauthn::encoded(&crypto::random::<32>());
        let digest = &crypto::digest(&challenge);
        let made = self
            .db
            .write(Write::interactive("accounts.challenge"), |tx| {
                Box::pin(async move {
                    store::passkeys::challenge(tx, digest, purpose.as_str(), account, LIFE, WAITING_MOST).await
                })
            })
            .await?;
        if !made {
            let text = "Very many people sign in right now. Try again in a minute.";
            return Err(Error::new(Code::Busy, text).with("retry_after", 60));
        }
        Ok(challenge)
    }

    /// Uses a challenge up, whatever becomes of the rest.
    async fn take_challenge(&self, challenge: &str, purpose: Purpose, account: Option<&str>) -> Result<()> {
        let digest = &crypto::digest(challenge);
        let taken = self
            .db
            .write(Write::interactive("accounts.challenge"), |tx| {
                Box::pin(async move { store::passkeys::take_challenge(tx, digest, purpose.as_str(), account).await })
            })
            .await?;
        if taken { Ok(()) } else { Err(late()) }
    }

    /// What a browser asks an authenticator to show a passkey with.
    fn question(site: &Site, challenge: &str, allowed: &[Passkey], verify: &str) -> Value {
        let allowed: Vec<&str> = allowed.iter().map(|passkey| passkey.credential.as_str()).collect();
        json!({ "challenge": challenge, "host": site.id, "allowed": allowed, "verify": verify, "wait": LIFE })
    }

    /// Begins to add a passkey to the caller's account, once the password was shown.
    pub(in super::super) async fn begin_passkey(
        &self,
        caller: &Caller,
        secret: &str,
        password: &str,
        visitor: &Visitor,
    ) -> Result<Value> {
        let site = self.passkey_site()?;
        let me = self.me(caller).await?;
        self.prove_again(&me, secret, ("password", password), visitor).await?;
        let there = self.passkeys_of(&me).await?;
        if there.len() >= MOST {
            let text = "Twenty passkeys are the most for one account. Remove one that is not used any more.";
            return Err(Error::new(Code::Conflict, text));
        }
        let challenge = self.challenge(Purpose::Register, Some(&me.id)).await?;
        let mut question = Self::question(site, &challenge, &there, "required");
        question["user"] = json!({ "id": hex::encode(&me.id), "login": me.login, "name": me.name });
        question["algorithms"] = json!(webauthn::ALGORITHMS);
        Ok(question)
    }

    /// Adds the passkey that was made.
    pub(in super::super) async fn add_passkey(
        &self,
        caller: &Caller,
        form: &MadeForm,
        visitor: &Visitor,
    ) -> Result<()> {
        let site = self.passkey_site()?;
        let me = self.me(caller).await?;
        let name = if form.name.trim().is_empty() {
            "Passkey".to_owned()
        } else {
            names::name(&form.name).map_err(|wrong| Error::invalid("name", wrong))?
        };
        let odd = |why: &str| Error::new(Code::Conflict, format!("This passkey cannot be added: {why}."));
        let client = webauthn::bytes(&form.client_data).map_err(odd)?;
        let attestation = webauthn::bytes(&form.attestation).map_err(odd)?;
        let challenge = webauthn::challenge(&client, "webauthn.create", site).map_err(odd)?;
        self.take_challenge(&challenge, Purpose::Register, Some(&me.id)).await?;
        let made = webauthn::made(&attestation, site).map_err(odd)?;
        let passkey = Passkey {
            id: new_id(),
            account_id: me.id.clone(),
            name,
            credential: made.credential,
            public_key: made.key.public,
            algorithm: made.key.algorithm,
            signs: made.signs,
            created_at: self.now(),
            used_at: None,
        };
        let (me, passkey) = (&me, &passkey);
        self.db
            .write(Write::interactive("accounts.passkey"), |tx| {
                Box::pin(async move {
                    if !store::passkeys::insert(tx, passkey).await? {
                        let text = "This authenticator holds a passkey for the house already.";
                        return Err(Error::new(Code::Conflict, text));
                    }
                    recorded::changed(tx, caller, me, "passkey-added").await?;
                    let about = vec![("passkey", passkey.name.clone())];
                    self.tell(tx, caller, me, Template::PasskeyAdded, about, visitor).await
                })
            })
            .await?;
        tracing::info!(account.id = %me.id, passkey.id = %passkey.id, "a passkey was added");
        Ok(())
    }

    pub(in super::super) async fn rename_passkey(&self, caller: &Caller, id: &str, name: &str) -> Result<()> {
        let me = self.me(caller).await?;
        let name = &names::name(name).map_err(|wrong| Error::invalid("name", wrong))?;
        let me = &me;
        let there = self
            .db
            .write(Write::interactive("accounts.passkey-name"), |tx| {
                Box::pin(async move { store::passkeys::rename(tx, &me.id, id, name).await })
            })
            .await?;
        if there { Ok(()) } else { Err(no_such_passkey(id)) }
    }

    /// Removes a passkey of the caller's account, once the password was shown.
    pub(in super::super) async fn remove_passkey(
        &self,
        caller: &Caller,
        secret: &str,
        (id, password): (&str, &str),
        visitor: &Visitor,
    ) -> Result<()> {
        let me = self.me(caller).await?;
        self.prove_again(&me, secret, ("password", password), visitor).await?;
        let me = &me;
        self.db
            .write(Write::interactive("accounts.passkey-end"), |tx| {
                Box::pin(async move {
                    let name = store::passkeys::remove(tx, &me.id, id).await?;
                    let name = name.ok_or_else(|| no_such_passkey(id))?;
                    tx.signal(Signal::Access);
                    recorded::changed(tx, caller, me, "passkey-removed").await?;
                    self.tell(
                        tx,
                        caller,
                        me,
                        Template::PasskeyRemoved,
                        vec![("passkey", name)],
                        visitor,
                    )
                    .await
                })
            })
            .await?;
        tracing::info!(account.id = %me.id, passkey.id = %id, "a passkey was removed");
        Ok(())
    }

    /// What to sign at the door. Which account it is, the passkey tells.
    pub(in super::super) async fn begin_passkey_sign_in(&self) -> Result<Value> {
        let site = self.passkey_site()?;
        let challenge = self.challenge(Purpose::SignIn, None).await?;
        Ok(Self::question(site, &challenge, &[], "required"))
    }

    /// What to sign as the second step of a half session.
    pub(in super::super) async fn begin_passkey_step(&self, secret: &str) -> Result<Value> {
        let site = self.passkey_site()?;
        let account = self.pending(secret).await?.account;
        let allowed = self.passkeys_of(&account).await?;
        let challenge = self.challenge(Purpose::Step, Some(&account.id)).await?;
        Ok(Self::question(site, &challenge, &allowed, "preferred"))
    }

    /// Signs in with a passkey alone: it is something one has, and the device asked for what one knows or is.
    pub(in super::super) async fn passkey_sign_in(
        &self,
        form: &ShownForm,
        visitor: &Visitor,
        old: Option<&str>,
    ) -> Result<Opened> {
        let account = self.account_of_passkey(form, Purpose::SignIn, None).await?;
        let opened = self.opened(&account, true, visitor, old).await?;
        tracing::info!(account.id = %account.id, address = visitor.address, "signed in with a passkey");
        Ok(opened)
    }

    /// Shows a passkey as the second step.
    pub(in super::super) async fn passkey_step(
        &self,
        secret: &str,
        form: &ShownForm,
        visitor: &Visitor,
    ) -> Result<Opened> {
        let pending = self.pending(secret).await?.account;
        let account = self.account_of_passkey(form, Purpose::Step, Some(&pending.id)).await?;
        self.complete(&account, visitor, secret).await
    }

    /// Whose passkey was shown. `whose` is known where it is the second step.
    async fn account_of_passkey(&self, form: &ShownForm, purpose: Purpose, whose: Option<&str>) -> Result<Account> {
        let site = self.passkey_site()?;
        let bytes = |digits: &str| webauthn::bytes(digits).map_err(refused);
        let (client, authenticator) = (bytes(&form.client_data)?, bytes(&form.authenticator_data)?);
        let signature = bytes(&form.signature)?;
        let challenge = webauthn::challenge(&client, "webauthn.get", site).map_err(refused)?;
        self.take_challenge(&challenge, purpose, whose).await?;
        let credential = form.credential.to_ascii_lowercase();
        let found = store::passkeys::by_credential(&self.db, &credential).await?;
        let passkey = found.ok_or_else(|| refused("it is not known here, or was removed"))?;
        let told = bytes(&form.user)?;
        let is_theirs = told.is_empty() || told == passkey.account_id.as_bytes();
        if !is_theirs || whose.is_some_and(|whose| whose != passkey.account_id) {
            return Err(refused("it belongs to another account"));
        }
        let key = webauthn::Key {
            algorithm: passkey.algorithm,
            public: passkey.public_key.clone(),
        };
        let signs =
            webauthn::shown(&authenticator, &client, &signature, &key, site, whose.is_none()).map_err(refused)?;
        let account = self.account(&passkey.account_id).await?;
        if !account.is_active() || account.is_service() {
            return Err(refused("its account is switched off"));
        }
        let id = &passkey.id;
        let counts = self
            .db
            .write(Write::interactive("accounts.passkey-used"), |tx| {
                Box::pin(async move { store::passkeys::used(tx, id, signs).await })
            })
            .await?;
        if !counts {
            tracing::error!(account.id = %account.id, passkey.id = %id, "a passkey signed fewer times than it had before: there may be a copy of it");
            return Err(refused(
                "it signed fewer times than it had before, so there may be a copy of it; remove it and add a new one",
            ));
        }
        Ok(account)
    }
}

fn no_such_passkey(id: &str) -> Error {
    Error::not_found("passkey", &id.chars().take(60).collect::<String>())
}
