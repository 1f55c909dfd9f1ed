//! What the module does: who a secret belongs to, and how accounts, sessions, tokens and links come and go.
//!
//! One service; its rooms are its verbs.

mod factors;
mod identities;
mod identity;
mod institutions;
mod links;
mod mails;
mod newcomers;
mod own;
mod owners;
mod passkeys;
mod people;
mod pictures;
mod sessions;
mod sign_in;
mod sign_up;
mod tokens;
mod tries;

use std::sync::{Arc, RwLock};

use super::MANAGE;
use super::account::Account;
use super::cache::Cache;
use super::hashing::Hasher;
use super::providers::{self, Providers};
use super::store::{self, factors::Totp};
use super::webauthn::Site;
use crate::contract::access::Grants;
use crate::contract::accounts::AccountKeeper;
use crate::contract::messages::Messages;
use crate::kernel::Kernel;
use crate::kernel::access::{Access, Caller, Object, Subject};
use crate::kernel::config;
use crate::kernel::db::{Db, Signal, Write};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::public_url;
use crate::kernel::i18n::Language;

pub(super) use factors::NewFactor;
pub(super) use identities::Linked;
pub(super) use institutions::{Answered, Arrived, Begun, Offer};
pub(super) use links::{First, LinkKind, setup_is_shut};
pub(super) use mails::{Asked, NewAddress};
pub(super) use own::{ProfileForm, own_path};
pub(super) use passkeys::{MadeForm, ShownForm};
pub(super) use people::Change;
pub(super) use sessions::Opened;
pub(super) use sign_in::SignedIn;
pub(super) use sign_up::SignUpForm;

/// The most rows a list answers.
const LIST_MAX: i64 = 1000;

/// See the module's text.
pub(super) struct Service {
    db: Db,
    access: Access,
    cache: Cache,
    hasher: Hasher,
    grants: Option<Arc<dyn Grants>>,
    messages: Option<Arc<dyn Messages>>,
    /// The house as authenticators know it; none where passkeys cannot be.
    passkeys: Option<Site>,
    settings: config::Accounts,
    providers: Providers,
    public_url: String,
    /// For whoever names no language.
    language: Language,
    /// Who keeps something for accounts beside them.
    keepers: RwLock<Vec<Arc<dyn AccountKeeper>>>,
}

impl Service {
    /// # Errors
    /// A provider's file of certificates that cannot be used.
    pub(super) fn new(
        kernel: &Kernel,
        grants: Option<Arc<dyn Grants>>,
        messages: Option<Arc<dyn Messages>>,
    ) -> Result<Self> {
        let public_url = public_url(&kernel.config);
        Ok(Self {
            db: kernel.db.clone(),
            access: kernel.access.clone(),
            cache: Cache::new(kernel.db.signals().subscribe(Signal::Access)),
            hasher: Hasher::new()?,
            grants,
            messages,
            passkeys: Site::of(&public_url),
            settings: kernel.config.accounts.clone(),
            providers: providers::all(&kernel.config.accounts.providers, kernel.db.clock())?,
            public_url,
            language: kernel.config.http.spoken(),
            keepers: RwLock::default(),
        })
    }

    /// The time of the house.
    pub(super) fn now(&self) -> i64 {
        self.db.clock().now()
    }

    /// Milliseconds after which a session that nobody uses ends.
    pub(super) fn idle(&self) -> i64 {
        i64::from(self.settings.session_idle_minutes) * 60_000
    }

    /// The host of the house, as people know it.
    pub(super) fn site(&self) -> &str {
        let host = self.public_url.split_once("://").map_or("", |(_, rest)| rest);
        host.split(':').next().unwrap_or_default()
    }

    async fn require_manager(&self, caller: &Caller) -> Result<()> {
        self.access.require(caller, MANAGE, &Object::House).await
    }

    /// The account that speaks, in its own name and with all it may: a session.
    pub(super) async fn me(&self, caller: &Caller) -> Result<Account> {
        match &caller.subject {
            Subject::Account { id, scope: None, .. } => self.account(id).await,
            Subject::Anonymous => Err(Error::new(
                Code::Unauthenticated,
                "Sign in first: this is about your own account.",
            )),
            _ => Err(Error::new(
                Code::Forbidden,
                "This is about one's own account. Tokens and the operator of the machine have none.",
            )),
        }
    }

    async fn account(&self, id: &str) -> Result<Account> {
        let found = store::accounts::get(&self.db, id).await?;
        found.ok_or_else(|| Error::not_found("account", id))
    }

    /// Forgets what has ended by itself: sessions, links, tries, challenges, what was asked at the door. Answers how many rows went.
    pub(super) async fn prune(&self) -> Result<u64> {
        let idle = self.idle();
        self.db
            .write(Write::bulk("accounts.prune"), |tx| {
                Box::pin(async move {
                    let yesterday = tx.now() - super::model::DAY;
                    let mut gone = store::sessions::prune(tx, idle).await?;
                    gone += store::links::prune(tx, yesterday).await?;
                    gone += store::tries::prune(tx, yesterday).await?;
                    gone += store::passkeys::prune(tx).await?;
                    gone += store::asks::prune(tx).await?;
                    Ok(gone)
                })
            })
            .await
    }

    /// The second factor of an account, where it is set up.
    pub(super) async fn factor(&self, account: &str) -> Result<Option<Totp>> {
        Ok(store::factors::totp(&self.db, account)
            .await?
            .filter(|totp| totp.confirmed_at.is_some()))
    }
}
