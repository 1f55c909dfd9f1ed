//! What accounts send by mail, where there is a mail server: links, notices to owners; and which address counts.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::account::{Account, Checks};
use super::super::store::asks::Ask;
use super::super::store::{self, links::NewLink};
use super::super::{jobs, names, recorded};
use super::Service;
use super::links::{LinkKind, link_is_shut};
use crate::contract::messages::{Messages, NewMessage, Posted, Template};
use crate::kernel::access::Caller;
use crate::kernel::crypto;
use crate::kernel::db::{Signal, Tx, Write};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::Visitor;
use crate::kernel::i18n::Language;
use crate::kernel::id::new_id;
use crate::kernel::jobs::{JobContext, NewJob, enqueue};

/// Milliseconds that a link for a lost password works.
const LOST_LIFE: i64 = 60 * 60 * 1000;
/// Milliseconds after which a notice is of no use.
const NOTICE_LIFE: i64 = 7 * 24 * 60 * 60 * 1000;
/// The most bytes of a name that is looked at.
pub(super) const NAME_MOST: usize = 512;

/// Milliseconds for which it is kept what somebody typed at the door, if no job looks at it.
pub(super) const ASK_LIFE: i64 = 24 * 60 * 60 * 1000;

/// What a job at the door carries: the id of what was asked. What was typed may be somebody's secret, so it stands in no job.
#[derive(Debug, Serialize, Deserialize)]
pub(in super::super) struct Asked {
    pub ask: String,
}

/// What became of a new address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum NewAddress {
    Saved,
    /// It counts once the link that was sent to it is opened.
    Asked,
}

impl Service {
    /// The mail server, where there is one.
    fn mailer(&self) -> Option<&Arc<dyn Messages>> {
        self.messages.as_ref().filter(|messages| messages.is_on())
    }

    /// True where links can be mailed.
    pub(in super::super) fn can_mail(&self) -> bool {
        self.mailer().is_some()
    }

    /// Says so where an address is one that no mail can be sent to.
    pub(super) fn check_address(&self, checks: &mut Checks, mail: Option<&str>) {
        let fits = |mail| self.mailer().is_none_or(|messages| messages.takes(mail));
        if !mail.is_none_or(fits) {
            checks.wrong("mail", "No mail can be sent to this address.");
        }
    }

    /// The address by which an account is known: a confirmed one, or any where nobody could confirm one.
    fn known_address<'a>(&self, account: &'a Account) -> Option<&'a str> {
        let counts = account.mail_confirmed_at.is_some() || !self.can_mail();
        account.mail.as_deref().filter(|_| counts)
    }

    /// Where notices reach the owner, where mail is sent at all.
    pub(super) fn reached_at<'a>(&self, account: &'a Account) -> Option<&'a str> {
        let messages = self.mailer()?;
        self.known_address(account).filter(|to| messages.takes(to))
    }

    /// The account of a name or an address that counts, as somebody typed it.
    pub(super) async fn named(&self, given: &str) -> Result<Option<Account>> {
        let given = if given.len() > NAME_MOST { "" } else { given.trim() };
        let found = store::accounts::named(&self.db, given).await?;
        let text = names::folded(given);
        Ok(found.filter(|account| {
            names::folded(&account.login) == text
                || self.known_address(account).map(names::folded).as_ref() == Some(&text)
        }))
    }

    fn about(account: &Account) -> Vec<(&'static str, String)> {
        vec![("name", account.name.clone()), ("login", account.login.clone())]
    }

    /// Tells the owner, at the address that is known, in the transaction of what happened.
    pub(super) async fn tell(
        &self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        account: &Account,
        template: Template,
        more: Vec<(&'static str, String)>,
        visitor: &Visitor,
    ) -> Result<()> {
        let (Some(messages), Some(to)) = (self.mailer(), self.known_address(account)) else {
            return Ok(());
        };
        if !messages.takes(to) {
            return Ok(());
        }
        let mut values = Self::about(account);
        values.extend(more);
        let from = if visitor.address.is_empty() {
            String::new()
        } else {
            let language = account.language.as_deref().and_then(Language::find);
            let language = language.unwrap_or(self.language).in_zone(account.time_zone.as_deref());
            let time = language.time(tx.now());
            language.with("mail.done", &[("time", &time), ("address", &visitor.address)])
        };
        values.push(("from", from));
        let new = NewMessage {
            to,
            language: account.language.as_deref(),
            template,
            values,
            link: None,
            life: NOTICE_LIFE,
        };
        // An owner who had very many notices already knows.
        messages.send(tx, caller, &new).await.map(|_| ())
    }

    /// Writes a link down and mails it.
    pub(super) async fn mail_link(
        &self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        account: &Account,
        mailed: &Mailed<'_>,
    ) -> Result<Posted> {
        let messages = self.mailer().ok_or_else(no_server)?;
        let link = NewLink {
            digest: &crypto::digest(mailed.secret),
            account: &account.id,
            kind: mailed.kind.as_str(),
            mail: Some(mailed.to),
            life: mailed.life,
        };
        store::links::replace(tx, &link).await?;
        let mut values = Self::about(account);
        values.push(("by", mailed.by.to_owned()));
        values.push(("hours", (mailed.life / 3_600_000).to_string()));
        let door = if mailed.kind == LinkKind::Mail {
            "confirm"
        } else {
            "welcome"
        };
        let new = NewMessage {
            to: mailed.to,
            language: account.language.as_deref(),
            template: mailed.template,
            values,
            link: Some(format!("{}/{door}/{}", self.public_url, mailed.secret)),
            life: mailed.life,
        };
        messages.send(tx, caller, &new).await
    }

    /// Somebody at the door has lost the password. What follows is done by a job, so that the answer and its time tell
    /// nothing about who is known here.
    pub(in super::super) async fn lost_password(&self, name: &str, visitor: &Visitor) -> Result<()> {
        if !self.can_mail() {
            return Err(no_server());
        }
        let name = if name.len() > NAME_MOST { "" } else { name.trim() };
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(Error::invalid(
                "name",
                "The name you sign in with, or your mail address.",
            ));
        }
        let one = self
            .begin_try(visitor, &format!("lost {}", names::folded(name)), None)
            .await?;
        self.failed_try(one).await?;
        let ask = Ask {
            id: new_id(),
            kind: "lost".to_owned(),
            name: name.to_owned(),
            mail: None,
            language: None,
        };
        self.write_ask(&ask, jobs::lost).await
    }

    /// Writes down what was asked, and the job that looks at it.
    pub(super) async fn write_ask(&self, ask: &Ask, job: fn(&str) -> NewJob) -> Result<()> {
        self.db
            .write(Write::interactive("accounts.ask"), |tx| {
                Box::pin(async move {
                    store::asks::insert(tx, ask, ASK_LIFE).await?;
                    enqueue(tx, &Caller::system(), job(&ask.id)).await
                })
            })
            .await?;
        Ok(())
    }

    /// The job has nobody to write to: what was typed is forgotten, and the job tells no more than if there were somebody.
    pub(super) async fn drop_ask(&self, context: &JobContext, ask: &Ask) -> Result<()> {
        self.db
            .write(Write::interactive("accounts.ask-over"), |tx| {
                Box::pin(async move {
                    store::asks::forget(tx, &ask.id).await?;
                    context.finish_with(tx, &json!(null)).await
                })
            })
            .await
    }

    /// The job: mails a link to the owner, where there is one with an address that is confirmed.
    pub(in super::super) async fn mail_lost(&self, context: &JobContext) -> Result<()> {
        let asked: Asked = context.payload()?;
        let Some(ask) = store::asks::get(&self.db, &asked.ask).await? else {
            return Ok(());
        };
        let account = self.named(&ask.name).await?;
        let account = account.filter(|account| account.is_active() && !account.is_service());
        match account {
            Some(account) if account.mail.is_some() && account.mail_confirmed_at.is_some() => {
                self.remind(context, &ask, &account).await
            }
            _ => self.drop_ask(context, &ask).await,
        }
    }

    /// Mails the owner of a confirmed address a link for a new password.
    pub(super) async fn remind(&self, context: &JobContext, ask: &Ask, account: &Account) -> Result<()> {
        let secret = crypto::new_token();
        let mailed = &Mailed {
            to: account.mail.as_deref().unwrap_or_default(),
            secret: &secret,
            kind: LinkKind::Lost,
            template: Template::LostPassword,
            by: "",
            life: LOST_LIFE,
        };
        self.db
            .write(Write::interactive("accounts.mail-lost"), |tx| {
                Box::pin(async move {
                    self.mail_link(tx, &Caller::system(), account, mailed).await?;
                    store::asks::forget(tx, &ask.id).await?;
                    // Whether there was somebody stands in no job: whoever runs the house need not know either.
                    context.finish_with(tx, &json!(null)).await
                })
            })
            .await?;
        tracing::info!(account.id = %account.id, "a link for a new password was asked for at the door");
        Ok(())
    }

    /// Gives the caller's account another address, or none.
    pub(in super::super) async fn set_mail(
        &self,
        caller: &Caller,
        mail: &str,
        password: &str,
        visitor: &Visitor,
    ) -> Result<NewAddress> {
        let me = self.me(caller).await?;
        let mut checks = Checks::default();
        let wanted = checks.mail(mail).filter(|mail| !mail.is_empty());
        self.check_address(&mut checks, wanted.as_deref());
        checks.done()?;
        self.prove(&me, "password", password, visitor).await?;
        match wanted {
            Some(to) if self.can_mail() => self.ask_address(caller, &me, &to).await,
            wanted => {
                self.save_address(caller, &me, wanted, visitor).await?;
                Ok(NewAddress::Saved)
            }
        }
    }

    async fn ask_address(&self, caller: &Caller, me: &Account, to: &str) -> Result<NewAddress> {
        let secret = crypto::new_token();
        let mailed = &Mailed {
            to,
            secret: &secret,
            kind: LinkKind::Mail,
            template: Template::ConfirmAddress,
            by: "",
            life: i64::from(self.settings.link_hours) * 3_600_000,
        };
        let posted = self
            .db
            .write(Write::interactive("accounts.ask-address"), |tx| {
                Box::pin(async move { self.mail_link(tx, caller, me, mailed).await })
            })
            .await?;
        if posted == Posted::TooMany {
            return Err(too_much_mail());
        }
        Ok(NewAddress::Asked)
    }

    async fn save_address(
        &self,
        caller: &Caller,
        before: &Account,
        mail: Option<String>,
        visitor: &Visitor,
    ) -> Result<()> {
        let mut after = before.clone();
        (after.mail, after.mail_confirmed_at) = (mail, None);
        let after = &after;
        self.db
            .write(Write::interactive("accounts.address"), |tx| {
                Box::pin(async move {
                    tx.signal(Signal::Access);
                    store::accounts::update(tx, after).await?;
                    recorded::changed(tx, caller, after, "address").await?;
                    self.tell(tx, caller, before, Template::AddressChanged, Vec::new(), visitor)
                        .await
                })
            })
            .await
    }

    /// Whose address a link confirms, and which.
    pub(in super::super) async fn confirming(&self, secret: &str) -> Result<(Account, String)> {
        let found = store::links::open(&self.db, &crypto::digest(secret), self.now()).await?;
        let link = found.filter(|link| link.kind == LinkKind::Mail.as_str());
        let link = link.ok_or_else(link_is_shut)?;
        let account = self.account(&link.account_id).await?;
        match link.mail {
            Some(mail) if account.is_active() => Ok((account, mail)),
            _ => Err(link_is_shut()),
        }
    }

    /// Uses a link up: the address counts from now on, and the one before is told.
    pub(in super::super) async fn confirm_address(&self, secret: &str, visitor: &Visitor) -> Result<()> {
        let (before, mail) = self.confirming(secret).await?;
        let mut after = before.clone();
        after.mail_confirmed_at = Some(self.now());
        let is_new = after.mail.as_deref() != Some(mail.as_str());
        after.mail = Some(mail);
        let (digest, before, after) = (&crypto::digest(secret), &before, &after);
        let by = &recorded::itself(before);
        self.db
            .write(Write::interactive("accounts.confirm-address"), |tx| {
                Box::pin(async move {
                    if !store::links::use_up(tx, digest).await? {
                        return Err(link_is_shut());
                    }
                    tx.signal(Signal::Access);
                    store::accounts::update(tx, after).await?;
                    recorded::changed(tx, by, after, "address").await?;
                    if is_new {
                        self.tell(tx, by, before, Template::AddressChanged, Vec::new(), visitor)
                            .await?;
                    }
                    Ok(())
                })
            })
            .await?;
        tracing::info!(account.id = %after.id, "an address was confirmed");
        Ok(())
    }
}

/// A link to mail.
pub(super) struct Mailed<'a> {
    pub to: &'a str,
    pub secret: &'a str,
    pub kind: LinkKind,
    pub template: Template,
    /// Who invites.
    pub by: &'a str,
    /// Milliseconds it works.
    pub life: i64,
}

pub(super) fn no_server() -> Error {
    Error::new(
        Code::Unavailable,
        "No mail server is set here. Ask whoever looks after accounts for a link.",
    )
}

pub(super) fn too_much_mail() -> Error {
    let text = "This address had enough mail of this kind within the hour. Try again later.";
    Error::new(Code::TooMany, text).with("retry_after", 3600)
}
