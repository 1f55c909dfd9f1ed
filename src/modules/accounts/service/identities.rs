//! Who somebody is to a provider, and whose account that is: found, made, linked, unlinked; and the roles of groups.
//!
//! An identity is issuer and subject, never a mail address. An address that already belongs to somebody's account opens
//! nothing: its owner signs in and links. Only an invitation that nobody has used yet is taken by its address.

use super::super::account::{Account, PERSON};
use super::super::names;
use super::super::providers::{Provider, Told, roles};
use super::super::recorded;
use super::super::store::{self, identities::Identity};
use super::newcomers::{free_login, label_of};
use super::{Offer, Service};
use crate::contract::access::Role;
use crate::contract::accounts::AccountState;
use crate::contract::messages::Template;
use crate::kernel::access::Caller;
use crate::kernel::db::{Signal, Tx, Write};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::Visitor;
use crate::kernel::id::new_id;

/// An identity as its owner sees it.
#[derive(Clone, Debug)]
pub(in super::super) struct Linked {
    pub id: String,
    /// The provider for people; the issuer where it is no longer in the settings.
    pub provider: String,
    pub label: String,
    pub used_at: i64,
    pub created_at: i64,
}

/// What a notice says of an identity.
fn about(provider: &str, label: &str) -> Vec<(&'static str, String)> {
    vec![("provider", provider.to_owned()), ("label", label.to_owned())]
}

/// Roles with their places.
type Roles = Vec<(Role, String)>;

impl Service {
    /// The roles that groups give; none where the provider said nothing that counts.
    fn wanted(provider: &Provider, told: &Told) -> Option<Roles> {
        let groups = told.groups.as_ref()?;
        let given = roles(groups, provider.settings.role_rules());
        let read = |(role, place): (String, String)| Some((Role::parse(&role)?, place));
        Some(given.into_iter().filter_map(read).collect())
    }

    async fn held(&self, account: &str) -> Result<Roles> {
        match &self.grants {
            Some(grants) => grants.roles_of(&format!("account:{account}")).await,
            None => Ok(Vec::new()),
        }
    }

    fn identity(&self, provider: &Provider, told: &Told, account: &str) -> Identity {
        Identity {
            id: new_id(),
            account_id: account.to_owned(),
            issuer: provider.issuer().to_owned(),
            subject: told.subject.clone(),
            label: label_of(told),
            created_at: self.now(),
            used_at: self.now(),
        }
    }

    /// The account of whom a provider told, found or made, with the roles of today; and the id of the identity.
    pub(super) async fn settle(&self, provider: &Provider, told: &Told) -> Result<(Account, String)> {
        let known = store::identities::find(&self.db, provider.issuer(), &told.subject).await?;
        let held = match &known {
            Some(identity) => self.held(&identity.account_id).await?,
            None => Vec::new(),
        };
        let (wanted, held) = (&Self::wanted(provider, told), &held);
        let settled = self
            .db
            .write(Write::interactive("accounts.settle"), |tx| {
                Box::pin(async move {
                    let issuer = provider.issuer();
                    tx.lock(&format!("identity {issuer} {}", told.subject)).await?;
                    let found = store::identities::find(&mut *tx, issuer, &told.subject).await?;
                    let (mut account, identity) = match found {
                        Some(identity) => {
                            let account = store::accounts::get(&mut *tx, &identity.account_id).await?;
                            let gone = || Error::not_found("account", &identity.account_id);
                            store::identities::touch(tx, &identity.id, &label_of(told)).await?;
                            (account.ok_or_else(gone)?, identity.id)
                        }
                        None => self.admit(tx, provider, told).await?,
                    };
                    match account.state() {
                        AccountState::Active => {}
                        AccountState::Invited => {
                            AccountState::Active.as_str().clone_into(&mut account.state);
                            let is_sure = told.mail_is_sure && told.mail == account.mail;
                            account.mail_confirmed_at = account.mail_confirmed_at.or(is_sure.then(|| tx.now()));
                            store::accounts::update(tx, &account).await?;
                            recorded::changed(tx, &recorded::itself(&account), &account, "linked").await?;
                            store::links::drop_all(tx, &account.id).await?;
                        }
                        AccountState::Disabled | AccountState::Deleted => {
                            let text = "Your account here is switched off. Ask whoever looks after accounts here.";
                            return Err(Error::new(Code::Unauthenticated, text));
                        }
                    }
                    if let Some(wanted) = wanted {
                        self.keep_roles(tx, &provider.name, &account, wanted, held).await?;
                    }
                    Ok((account, identity))
                })
            })
            .await?;
        Ok(settled)
    }

    /// Lets somebody in who comes for the first time, as far as the settings allow.
    async fn admit(&self, tx: &mut Tx<'_>, provider: &Provider, told: &Told) -> Result<(Account, String)> {
        let (label, create) = (&provider.label, provider.settings.create.as_str());
        let mail = told.mail.clone().filter(|_| told.mail_is_sure);
        let there = match &mail {
            Some(mail) => store::accounts::with_mail(&mut *tx, mail).await?,
            None => None,
        };
        let account = match there {
            Some(account) if account.state() == AccountState::Invited && create != "no" => account,
            Some(_) => {
                let text = format!(
                    "There is an account with your mail address already. Sign in to it as you did before; then link {label} \
                     on the page of your account."
                );
                return Err(Error::new(Code::Conflict, text));
            }
            None if create == "yes" => {
                tx.lock("account names").await?;
                let login = free_login(tx, told).await?;
                let name = told.name.as_deref().and_then(|name| names::name(name).ok());
                let name = name.unwrap_or_else(|| login.clone());
                let mut account = self.new_account(PERSON, AccountState::Active, login, name, mail);
                account.mail_confirmed_at = account.mail.as_ref().map(|_| tx.now());
                store::accounts::insert(tx, &account, None).await?;
                recorded::changed(tx, &recorded::itself(&account), &account, "created").await?;
                account
            }
            None => {
                let text = format!(
                    "No account here is linked with {label} for you. If you have one, sign in and link it on its page; else ask \
                     whoever looks after accounts here for an invitation."
                );
                return Err(Error::new(Code::Unauthenticated, text));
            }
        };
        let identity = self.identity(provider, told, &account.id);
        store::identities::insert(tx, &identity).await?;
        let (id, name) = (account.id.clone(), provider.name.clone());
        tx.after_commit(
            move || tracing::info!(account.id = %id, provider = name, "an account came through a provider"),
        );
        Ok((account, identity.id))
    }

    /// Gives the roles that groups give today and takes away those they gave before. Roles that somebody gave by hand stay.
    async fn keep_roles(
        &self,
        tx: &mut Tx<'_>,
        provider: &str,
        account: &Account,
        wanted: &Roles,
        held: &Roles,
    ) -> Result<()> {
        let Some(grants) = &self.grants else {
            return Ok(());
        };
        let (by, subject) = (Caller::system(), account.subject());
        let noted = store::identities::roles(&mut *tx, &account.id).await?;
        let notes = |role: &str, place: &str, mine: bool| {
            let is = |(name, r, p): &(String, String, String)| r == role && p == place && (name == provider) == mine;
            noted.iter().any(is)
        };
        for (role, place) in wanted {
            let is_held = held.contains(&(*role, place.clone()));
            let by_groups = notes(role.as_str(), place, true) || notes(role.as_str(), place, false);
            if is_held && !by_groups {
                continue;
            }
            if !is_held {
                tx.signal(Signal::Access);
                grants.grant(tx, &by, &subject, *role, place).await?;
            }
            store::identities::note_role(tx, &account.id, provider, role.as_str(), place).await?;
        }
        for (_, role, place) in noted.iter().filter(|(name, _, _)| name == provider) {
            let Some(known) = Role::parse(role) else { continue };
            if wanted.contains(&(known, place.clone())) {
                continue;
            }
            store::identities::drop_role(tx, &account.id, provider, role, place).await?;
            if !notes(role, place, false) {
                tx.signal(Signal::Access);
                grants.revoke(tx, &by, &subject, known, place).await?;
            }
        }
        Ok(())
    }

    /// Links whom a provider told about with the account that asked for it.
    pub(super) async fn link_identity(
        &self,
        caller: &Caller,
        (provider, told): (&Provider, &Told),
        account: &str,
        visitor: &Visitor,
    ) -> Result<()> {
        let me = self.me(caller).await?;
        if me.id != account {
            let text = "You have signed in as somebody else meanwhile. Sign in to the account that you want to link, and begin again.";
            return Err(Error::new(Code::Conflict, text));
        }
        let held = &self.held(&me.id).await?;
        let (me, wanted) = (&me, &Self::wanted(provider, told));
        self.db
            .write(Write::interactive("accounts.link-identity"), |tx| {
                Box::pin(async move {
                    let issuer = provider.issuer();
                    tx.lock(&format!("identity {issuer} {}", told.subject)).await?;
                    match store::identities::find(&mut *tx, issuer, &told.subject).await? {
                        Some(other) if other.account_id != me.id => {
                            let text = format!(
                                "What you showed at {} is linked with another account here.",
                                provider.label
                            );
                            return Err(Error::new(Code::Conflict, text));
                        }
                        Some(own) => store::identities::touch(tx, &own.id, &label_of(told)).await?,
                        None => {
                            store::identities::insert(tx, &self.identity(provider, told, &me.id)).await?;
                            recorded::changed(tx, caller, me, "linked").await?;
                            let about = about(&provider.label, &label_of(told));
                            self.tell(tx, caller, me, Template::IdentityLinked, about, visitor)
                                .await?;
                        }
                    }
                    match wanted {
                        Some(wanted) => self.keep_roles(tx, &provider.name, me, wanted, held).await,
                        None => Ok(()),
                    }
                })
            })
            .await?;
        tracing::info!(account.id = %me.id, provider = provider.name, "an account was linked with a provider");
        Ok(())
    }

    /// What the caller's account is linked with, oldest first.
    pub(in super::super) async fn linked(&self, caller: &Caller) -> Result<Vec<Linked>> {
        let me = self.me(caller).await?;
        let found = store::identities::of(&self.db, &me.id).await?;
        let one = |identity: Identity| Linked {
            provider: match self.provider_of(&identity.issuer) {
                Some(provider) => provider.label.clone(),
                None => identity.issuer,
            },
            id: identity.id,
            label: identity.label,
            used_at: identity.used_at,
            created_at: identity.created_at,
        };
        Ok(found.into_iter().map(one).collect())
    }

    /// Providers that the caller's account is not linked with.
    pub(in super::super) async fn linkable(&self, caller: &Caller) -> Result<Vec<Offer>> {
        let me = self.me(caller).await?;
        let linked = store::identities::of(&self.db, &me.id).await?;
        let mut offers = self.offers();
        offers.retain(|offer| !linked.iter().any(|identity| identity.issuer == offer.issuer));
        Ok(offers)
    }

    /// Asks for the password of who is signed in; of who has none, that the provider vouched for them just now.
    pub(in super::super) async fn prove_again(
        &self,
        account: &Account,
        secret: &str,
        (field, password): (&str, &str),
        visitor: &Visitor,
    ) -> Result<()> {
        if account.password_at.is_some() {
            return self.prove(account, field, password, visitor).await;
        }
        if self.is_fresh(secret).await? {
            return Ok(());
        }
        let text = "To be sure that it is you: sign out, sign in again, and do this within ten minutes.";
        Err(Error::new(Code::Conflict, text))
    }

    /// The caller unlinks a provider, but never the last way in; every other session ends.
    pub(in super::super) async fn unlink(
        &self,
        caller: &Caller,
        secret: &str,
        id: &str,
        password: &str,
        visitor: &Visitor,
    ) -> Result<()> {
        let me = self.me(caller).await?;
        let all = store::identities::of(&self.db, &me.id).await?;
        let Some(gone) = all.iter().find(|identity| identity.id == id) else {
            return Err(Error::not_found(
                "linked sign-in",
                &id.chars().take(60).collect::<String>(),
            ));
        };
        let opens = |identity: &Identity| identity.id != id && self.provider_of(&identity.issuer).is_some();
        let has_passkey = self.knows_passkeys() && !self.passkeys_of(&me).await?.is_empty();
        if me.password_at.is_none() && !has_passkey && !all.iter().any(opens) {
            let text = "This is the only way into your account. Choose a password or link another provider first.";
            return Err(Error::new(Code::Conflict, text));
        }
        self.prove_again(&me, secret, ("link_password", password), visitor)
            .await?;
        let same = all.iter().any(|other| other.id != id && other.issuer == gone.issuer);
        let provider = self.provider_of(&gone.issuer).filter(|_| !same);
        let this = self.session_of(secret).await?.map(|session| session.id);
        let held = &self.held(&me.id).await?;
        let (me, this) = (&me, &this);
        self.db
            .write(Write::interactive("accounts.unlink"), |tx| {
                Box::pin(async move {
                    tx.signal(Signal::Access);
                    store::identities::remove(tx, &me.id, id).await?;
                    recorded::changed(tx, caller, me, "unlinked").await?;
                    if let Some(provider) = provider {
                        self.keep_roles(tx, &provider.name, me, &Vec::new(), held).await?;
                    }
                    store::sessions::end_all(tx, &me.id, this.as_deref()).await?;
                    let name = self
                        .provider_of(&gone.issuer)
                        .map_or(&gone.issuer, |provider| &provider.label);
                    let about = about(name, &gone.label);
                    self.tell(tx, caller, me, Template::IdentityUnlinked, about, visitor)
                        .await
                })
            })
            .await?;
        tracing::info!(account.id = %me.id, "an account was unlinked from a provider");
        Ok(())
    }
}
