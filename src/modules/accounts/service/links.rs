//! One-time links: the first administrator's, an invitation, a new password.

use super::super::account::{Account, Checks, PERSON, own_words};
use super::super::model::LINK_LIFE;
use super::super::store::links::NewLink;
use super::super::{password, recorded, store};
use super::mails::{Mailed, too_much_mail};
use super::{Opened, Service, SignedIn};
use crate::contract::access::{HOUSE, Role};
use crate::contract::accounts::{AccountLink, AccountState};
use crate::contract::messages::{Posted, Template};
use crate::kernel::access::{Caller, Subject};
use crate::kernel::clock::rfc3339;
use crate::kernel::crypto;
use crate::kernel::db::{Signal, Write};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::Visitor;
use crate::kernel::id::new_id;

/// What a link is for. The names are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum LinkKind {
    Invite,
    /// A new password, by whoever looks after accounts.
    Reset,
    /// A new password, asked for at the door and mailed.
    Lost,
    /// An address is to count from now on.
    Mail,
}

impl LinkKind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Invite => "invite",
            Self::Reset => "reset",
            Self::Lost => "lost",
            Self::Mail => "mail",
        }
    }
}

/// What the form of the first administrator sends.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct First {
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub login: String,
    #[serde(default)]
    pub password: String,
}

pub(in super::super) fn setup_is_shut() -> Error {
    Error::new(
        Code::Gone,
        "This setup link was used already, has expired or never was. Make a new one on the machine itself: app setup-link.",
    )
}

pub(in super::super) fn link_is_shut() -> Error {
    Error::new(
        Code::Gone,
        "This link was used already, has expired or was replaced by a newer one. Ask whoever looks after accounts here for another one.",
    )
}

impl Service {
    pub(super) async fn make_setup_link(&self) -> Result<String> {
        let secret = crypto::new_token();
        let digest = crypto::digest(&secret);
        let digest = &digest;
        self.db
            .write(Write::interactive("accounts.setup-link"), |tx| {
                Box::pin(async move { store::links::insert_setup(tx, digest, LINK_LIFE).await })
            })
            .await?;
        Ok(format!("{}/setup/{secret}", self.public_url))
    }

    /// True where the setup link still works.
    pub(in super::super) async fn setup_is_open(&self, secret: &str) -> Result<bool> {
        store::links::setup_is_open(&self.db, &crypto::digest(secret), self.now()).await
    }

    /// Uses a setup link up: makes an administrator and signs them in, up to the second step where that role asks for one.
    pub(in super::super) async fn set_up(
        &self,
        secret: &str,
        first: &First,
        visitor: &Visitor,
        old: Option<&str>,
    ) -> Result<SignedIn> {
        if !self.setup_is_open(secret).await? {
            return Err(setup_is_shut());
        }
        let mut checks = Checks::default();
        let (login, name) = (checks.login(&first.login), checks.name(&first.name));
        checks.password(
            "password",
            &first.password,
            &own_words(&login, &name, None, self.site()),
        );
        checks.done()?;
        let hash = self.hash(&first.password).await?;
        let account = self.new_account(PERSON, AccountState::Active, login, name, None);
        let opened = Opened::new(self.session_seconds());
        let mut asking = self.settings.second_factor.iter();
        let whole = !asking.any(|role| role == Role::Administrator.as_str());
        let (link, account, hash, each) = (&crypto::digest(secret), &account, &hash, &opened);
        self.db
            .write(Write::interactive("accounts.set-up"), |tx| {
                Box::pin(async move {
                    if !store::links::use_setup(tx, link).await? {
                        return Err(setup_is_shut());
                    }
                    store::accounts::insert(tx, account, Some(hash)).await?;
                    recorded::changed(tx, &recorded::itself(account), account, "created").await?;
                    if let Some(grants) = &self.grants {
                        let by = Caller::system();
                        grants
                            .grant(tx, &by, &account.subject(), Role::Administrator, HOUSE)
                            .await?;
                    }
                    tx.signal(Signal::Access);
                    self.open_session(tx, each, &account.id, whole, visitor, old).await
                })
            })
            .await?;
        tracing::info!(account.id = %account.id, "the setup link was used: an administrator was made");
        Ok(if whole {
            SignedIn::Whole(opened)
        } else {
            SignedIn::Half(opened)
        })
    }

    pub(super) fn new_account(
        &self,
        kind: &str,
        state: AccountState,
        login: String,
        name: String,
        mail: Option<String>,
    ) -> Account {
        Account {
            id: new_id(),
            version: 1,
            kind: kind.to_owned(),
            state: state.as_str().to_owned(),
            login,
            name,
            mail,
            mail_confirmed_at: None,
            language: None,
            time_zone: None,
            theme: None,
            picture: None,
            password_at: None,
            created_at: self.now(),
            seen_at: None,
        }
    }

    /// The hash of a password that was checked.
    pub(super) async fn hash(&self, given: &str) -> Result<String> {
        let prepared = password::prepared(given).ok_or_else(|| Error::invalid("password", "At most 1,024 bytes."))?;
        self.hasher.hash(prepared).await
    }

    /// A link to choose a password with; it replaces the one before.
    pub(super) async fn make_link(&self, account: &Account, kind: LinkKind) -> Result<AccountLink> {
        let secret = crypto::new_token();
        let life = i64::from(self.settings.link_hours) * 3_600_000;
        let (digest, id) = (&crypto::digest(&secret), &account.id);
        let ends = self
            .db
            .write(Write::interactive("accounts.link"), |tx| {
                Box::pin(async move {
                    let link = NewLink {
                        digest,
                        account: id,
                        kind: kind.as_str(),
                        mail: None,
                        life,
                    };
                    store::links::replace(tx, &link).await?;
                    Ok(tx.now() + life)
                })
            })
            .await?;
        Ok(AccountLink {
            url: format!("{}/welcome/{secret}", self.public_url),
            expires_at: rfc3339(ends),
        })
    }

    /// As [`Service::make_link`], mailed to the account's address, which is answered. Nobody else sees the link.
    pub(super) async fn mail_password_link(
        &self,
        caller: &Caller,
        account: &Account,
        kind: LinkKind,
    ) -> Result<String> {
        let to = account.mail.clone().ok_or_else(|| {
            let text = "This account has no mail address. Make a link and hand it over.";
            Error::new(Code::Conflict, text)
        })?;
        let by = match &caller.subject {
            Subject::Account { name, .. } => name.clone(),
            _ => self.site().to_owned(),
        };
        let secret = crypto::new_token();
        let mailed = &Mailed {
            to: &to,
            secret: &secret,
            kind,
            template: if kind == LinkKind::Invite {
                Template::Invitation
            } else {
                Template::NewPassword
            },
            by: &by,
            life: i64::from(self.settings.link_hours) * 3_600_000,
        };
        let posted = self
            .db
            .write(Write::interactive("accounts.mail-link"), |tx| {
                Box::pin(async move { self.mail_link(tx, caller, account, mailed).await })
            })
            .await?;
        match posted {
            Posted::Waits => Ok(to),
            Posted::TooMany => Err(too_much_mail()),
        }
    }

    /// Whose link this is, what for, and to which address it was mailed.
    async fn password_link(&self, secret: &str) -> Result<(Account, LinkKind, Option<String>)> {
        let found = store::links::open(&self.db, &crypto::digest(secret), self.now()).await?;
        let link = found.ok_or_else(link_is_shut)?;
        let kinds = [LinkKind::Invite, LinkKind::Reset, LinkKind::Lost];
        let kind = kinds.into_iter().find(|kind| kind.as_str() == link.kind);
        let kind = kind.ok_or_else(link_is_shut)?;
        let account = self.account(&link.account_id).await?;
        match account.state() {
            AccountState::Invited | AccountState::Active => Ok((account, kind, link.mail)),
            AccountState::Disabled | AccountState::Deleted => Err(link_is_shut()),
        }
    }

    /// Whose link this is, and what for.
    pub(in super::super) async fn link(&self, secret: &str) -> Result<(Account, LinkKind)> {
        let (account, kind, _) = self.password_link(secret).await?;
        Ok((account, kind))
    }

    /// Uses a link up: the password is chosen, every session and every other link of the account ends. With a second
    /// factor the browser still has to sign in. A link that was mailed shows that mail arrives.
    pub(in super::super) async fn use_link(
        &self,
        secret: &str,
        chosen: &str,
        visitor: &Visitor,
        old: Option<&str>,
    ) -> Result<Option<Opened>> {
        let (mut account, kind, mailed_to) = self.password_link(secret).await?;
        let mut checks = Checks::default();
        checks.password(
            "password",
            chosen,
            &own_words(&account.login, &account.name, account.mail.as_deref(), self.site()),
        );
        checks.done()?;
        let hash = self.hash(chosen).await?;
        account.state = AccountState::Active.as_str().to_owned();
        if mailed_to.is_some() && mailed_to == account.mail && account.mail_confirmed_at.is_none() {
            account.mail_confirmed_at = Some(self.now());
        }
        let whole = self.factor(&account.id).await?.is_none() && !self.needs_factor(&account).await?;
        let opened = Opened::new(self.session_seconds());
        let (link, account, hash, each) = (&crypto::digest(secret), &account, &hash, &opened);
        let by = &recorded::itself(account);
        self.db
            .write(Write::interactive("accounts.welcome"), |tx| {
                Box::pin(async move {
                    if !store::links::use_up(tx, link).await? {
                        return Err(link_is_shut());
                    }
                    store::accounts::update(tx, account).await?;
                    store::accounts::set_password(tx, &account.id, hash).await?;
                    store::links::drop_all(tx, &account.id).await?;
                    store::sessions::end_all(tx, &account.id, None).await?;
                    recorded::changed(tx, by, account, "password").await?;
                    tx.signal(Signal::Access);
                    if kind != LinkKind::Invite {
                        self.tell(tx, by, account, Template::PasswordChanged, Vec::new(), visitor)
                            .await?;
                    }
                    if whole {
                        self.open_session(tx, each, &account.id, true, visitor, old).await?;
                    }
                    Ok(())
                })
            })
            .await?;
        tracing::info!(account.id = %account.id, "a password was chosen by link");
        Ok(whole.then_some(opened))
    }
}
