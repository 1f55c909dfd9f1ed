//! Accounts that strangers make for themselves, where the house lets them: a link goes to their address, and whoever opens it
//! chooses a name and a password. The door says the same whether the address has an account or not.

use serde::Deserialize;
use serde_json::json;

use super::super::account::{Account, Checks, PERSON, own_words};
use super::super::store::{self, asks::Ask};
use super::super::{jobs, names, recorded};
use super::links::{First, LinkKind, link_is_shut};
use super::mails::{Asked, Mailed};
use super::{Opened, Service};
use crate::contract::accounts::AccountState;
use crate::contract::messages::{NewMessage, Template};
use crate::kernel::access::Caller;
use crate::kernel::crypto;
use crate::kernel::db::{Signal, Write};
use crate::kernel::error::{Error, Result};
use crate::kernel::http::Visitor;
use crate::kernel::id::new_id;
use crate::kernel::jobs::JobContext;

/// What the form at the door sends.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct SignUpForm {
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub mail: String,
}

impl Service {
    /// May strangers make an account of their own?
    pub(in super::super) fn may_sign_up(&self) -> bool {
        self.settings.sign_up && self.can_mail()
    }

    /// The domains whose addresses are taken; none: all.
    pub(in super::super) fn sign_up_domains(&self) -> &[String] {
        &self.settings.sign_up_domains
    }

    fn takes_domain(&self, mail: &str) -> bool {
        let domain = mail.rsplit('@').next().unwrap_or_default();
        let domains = &self.settings.sign_up_domains;
        domains.is_empty() || domains.iter().any(|known| known.eq_ignore_ascii_case(domain))
    }

    /// Somebody at the door wants an account. What follows is done by a job, so that the answer and its time tell nothing
    /// about whose address it is.
    pub(in super::super) async fn ask_sign_up(
        &self,
        form: &SignUpForm,
        language: &str,
        visitor: &Visitor,
    ) -> Result<String> {
        if !self.may_sign_up() {
            return Err(Error::not_found("page", "/sign-up"));
        }
        let mut checks = Checks::default();
        let name = checks.name(&form.name);
        let mail = checks.mail(&form.mail);
        match &mail {
            None => checks.wrong("mail", "The link is mailed to it."),
            Some(mail) if !mail.is_empty() && !self.takes_domain(mail) => {
                checks.wrong("mail", "Addresses of this domain are not taken here.");
            }
            Some(mail) => self.check_address(
                &mut checks,
                Some(mail).filter(|mail| !mail.is_empty()).map(String::as_str),
            ),
        }
        checks.done()?;
        let mail = mail.unwrap_or_default();
        let key = format!("sign-up {}", names::folded(&mail));
        // Counted, and no failure: a class that signs up from one address shuts no door.
        self.begin_try(visitor, &key, None).await?;
        let ask = Ask {
            id: new_id(),
            kind: "sign-up".to_owned(),
            name,
            mail: Some(mail.clone()),
            language: Some(language.to_owned()),
        };
        self.write_ask(&ask, jobs::sign_up).await?;
        Ok(mail)
    }

    /// The job: a link to make an account with; to whoever has one already, a way into that.
    pub(in super::super) async fn mail_sign_up(&self, context: &JobContext) -> Result<()> {
        let asked: Asked = context.payload()?;
        let Some(ask) = store::asks::get(&self.db, &asked.ask).await? else {
            return Ok(());
        };
        let mail = ask.mail.as_deref().unwrap_or_default();
        let Some(account) = store::accounts::with_mail(&self.db, mail).await? else {
            return self.offer(context, &ask, mail).await;
        };
        match account.state() {
            AccountState::Active if account.mail_confirmed_at.is_some() && !account.is_service() => {
                self.remind(context, &ask, &account).await
            }
            AccountState::Invited => self.invite_again(context, &ask, &account).await,
            // An address that its account has not confirmed, or that is shut out: nobody is told anything.
            _ => self.drop_ask(context, &ask).await,
        }
    }

    /// Whoever is invited gets the invitation that waits for them, anew.
    async fn invite_again(&self, context: &JobContext, ask: &Ask, account: &Account) -> Result<()> {
        let secret = crypto::new_token();
        let mailed = &Mailed {
            to: account.mail.as_deref().unwrap_or_default(),
            secret: &secret,
            kind: LinkKind::Invite,
            template: Template::Invitation,
            by: self.site(),
            life: self.link_life(),
        };
        self.db
            .write(Write::interactive("accounts.mail-link"), |tx| {
                Box::pin(async move {
                    self.mail_link(tx, &Caller::system(), account, mailed).await?;
                    store::asks::forget(tx, &ask.id).await?;
                    context.finish_with(tx, &json!(null)).await
                })
            })
            .await
    }

    async fn offer(&self, context: &JobContext, ask: &Ask, mail: &str) -> Result<()> {
        let Some(messages) = self.messages.as_ref().filter(|_| self.may_sign_up()) else {
            return self.drop_ask(context, ask).await;
        };
        let secret = crypto::new_token();
        let life = self.link_life();
        let new = &NewMessage {
            to: mail,
            language: ask.language.as_deref(),
            template: Template::SignUp,
            values: vec![("name", ask.name.clone()), ("hours", (life / 3_600_000).to_string())],
            link: Some(format!("{}/sign-up/{secret}", self.public_url)),
            life,
        };
        let digest = &crypto::digest(&secret);
        self.db
            .write(Write::interactive("accounts.offer"), |tx| {
                Box::pin(async move {
                    store::asks::answered(tx, &ask.id, digest, life).await?;
                    messages.send(tx, &Caller::system(), new).await?;
                    context.finish_with(tx, &json!(null)).await
                })
            })
            .await
    }

    /// Who has a link to make an account with: name and address.
    pub(in super::super) async fn joining(&self, secret: &str) -> Result<(String, String)> {
        let ask = self.joining_ask(secret).await?;
        Ok((ask.name, ask.mail.unwrap_or_default()))
    }

    async fn joining_ask(&self, secret: &str) -> Result<Ask> {
        let found = store::asks::open(&self.db, &crypto::digest(secret), self.now()).await?;
        found.filter(|_| self.may_sign_up()).ok_or_else(link_is_shut)
    }

    /// Uses the link up: the account is made, its address is confirmed, and its owner is in.
    pub(in super::super) async fn join(
        &self,
        secret: &str,
        chosen: &First,
        visitor: &Visitor,
        old: Option<&str>,
    ) -> Result<Opened> {
        let ask = self.joining_ask(secret).await?;
        let mail = ask.mail.clone().unwrap_or_default();
        let mut checks = Checks::default();
        let (login, name) = (checks.login(&chosen.login), checks.name(&chosen.name));
        let own = own_words(&login, &name, Some(&mail), self.site());
        checks.password("password", &chosen.password, &own);
        checks.done()?;
        let hash = self.hash(&chosen.password).await?;
        let mut account = self.new_account(PERSON, AccountState::Active, login, name, Some(mail));
        account.mail_confirmed_at = Some(self.now());
        account.language.clone_from(&ask.language);
        let opened = Opened::new(self.session_seconds());
        let (ask, account, hash, each) = (&ask, &account, &hash, &opened);
        let by = &recorded::itself(account);
        self.db
            .write(Write::interactive("accounts.join"), |tx| {
                Box::pin(async move {
                    if !store::asks::forget(tx, &ask.id).await? {
                        return Err(link_is_shut());
                    }
                    store::accounts::insert(tx, account, Some(hash)).await?;
                    store::asks::forget_address(tx, ask.mail.as_deref().unwrap_or_default()).await?;
                    recorded::changed(tx, by, account, "created").await?;
                    tx.signal(Signal::Access);
                    self.open_session(tx, each, &account.id, true, visitor, old).await
                })
            })
            .await?;
        tracing::info!(account.id = %account.id, "somebody made an account of their own");
        Ok(opened)
    }

    /// Milliseconds that a link works which was mailed.
    fn link_life(&self) -> i64 {
        i64::from(self.settings.link_hours) * 3_600_000
    }
}
