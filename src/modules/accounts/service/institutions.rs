//! Signing in through a provider: beginning, what comes back, and the end of sessions by a word of the provider.
//!
//! What is under way is a row that is used up by its answer, bound to the browser that began it, for ten minutes.

use std::sync::Arc;

use super::super::account::Account;
use super::super::names;
use super::super::providers::{Begin, Provider, Redeem, Told, word};
use super::super::store::{
    self,
    identities::{Flow, Tie},
};
use super::sign_in::SignedIn;
use super::tries::network;
use super::{Opened, Service};
use crate::kernel::access::Caller;
use crate::kernel::crypto;
use crate::kernel::db::{Signal, Write};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::Visitor;

/// Milliseconds that somebody has at the provider.
const FLOW_LIFE: i64 = 10 * 60 * 1000;
/// Sign-ins of one network that may be under way at once.
const FLOWS_MOST: i64 = 200;
/// Digits of the secret that binds a browser to what it has begun.
const BROWSER_DIGITS: usize = 40;

/// A provider as pages offer it.
#[derive(Clone, Debug)]
pub(in super::super) struct Offer {
    pub name: String,
    pub label: String,
    pub issuer: String,
}

/// A sign-in that has begun.
pub(in super::super) struct Begun {
    pub label: String,
    /// Where the browser goes.
    pub address: String,
    /// What the browser keeps meanwhile.
    pub browser: String,
    pub seconds: i64,
}

/// What a provider sends back by way of the browser.
#[derive(Debug, Default, serde::Deserialize)]
pub(in super::super) struct Answered {
    #[serde(default)]
    pub code: String,
    #[serde(default)]
    pub state: String,
    pub iss: Option<String>,
    pub error: Option<String>,
}

/// How a sign-in through a provider ended.
pub(in super::super) enum Arrived {
    SignedIn { how: SignedIn, to: String },
    Linked { label: String },
}

/// Where somebody can sign out, too.
pub(in super::super) struct Leaving {
    pub label: String,
    pub address: String,
}

fn refused(text: impl Into<String>) -> Error {
    Error::new(Code::Unauthenticated, text)
}

impl Service {
    /// The providers of the settings, by name.
    pub(in super::super) fn offers(&self) -> Vec<Offer> {
        let offer = |provider: &Arc<Provider>| Offer {
            name: provider.name.clone(),
            label: provider.label.clone(),
            issuer: provider.issuer().to_owned(),
        };
        self.providers.values().map(offer).collect()
    }

    fn provider(&self, name: &str) -> Result<&Arc<Provider>> {
        let shown = || name.chars().take(60).collect::<String>();
        let found = self.providers.get(name);
        found.ok_or_else(|| Error::not_found("provider of sign-ins", &shown()))
    }

    pub(super) fn provider_of(&self, issuer: &str) -> Option<&Arc<Provider>> {
        self.providers.values().find(|provider| provider.issuer() == issuer)
    }

    fn back_address(&self, name: &str) -> String {
        format!("{}/sign-in/with/{name}/back", self.public_url)
    }

    /// Begins a sign-in, or the linking of an account. `browser` is what the browser keeps from another one.
    pub(in super::super) async fn begin_with(
        &self,
        name: &str,
        to: &str,
        visitor: &Visitor,
        browser: Option<String>,
        link: Option<&Account>,
    ) -> Result<Begun> {
        let provider = self.provider(name)?;
        let is_ours = |secret: &String| secret.len() == BROWSER_DIGITS && secret.bytes().all(|b| b.is_ascii_hexdigit());
        let browser = browser.filter(is_ours).unwrap_or_else(crypto::new_token);
        let state = crypto::new_token();
        let flow = Flow {
            browser: crypto::digest(&browser),
            address: network(&visitor.address),
            provider: name.to_owned(),
            nonce: crypto::new_token(),
            verifier: hex::encode(crypto::random::<32>()),
            target: to.to_owned(),
            account_id: link.map(|account| account.id.clone()),
            expires_at: self.now() + FLOW_LIFE,
        };
        let begin = Begin {
            back: &self.back_address(name),
            state: &state,
            nonce: &flow.nonce,
            verifier: &flow.verifier,
        };
        let address = provider
            .begin(begin)
            .await
            .map_err(|trouble| provider.error(&trouble))?;
        let (digest, flow) = (&crypto::digest(&state), &flow);
        self.db
            .write(Write::interactive("accounts.begin"), |tx| {
                Box::pin(async move {
                    if store::identities::begin(tx, digest, flow).await? > FLOWS_MOST {
                        let text =
                            "Very many sign-ins were begun from your address. Wait a few minutes, then try again.";
                        return Err(Error::new(Code::TooMany, text).with("retry_after", FLOW_LIFE / 2000));
                    }
                    Ok(())
                })
            })
            .await?;
        Ok(Begun {
            label: provider.label.clone(),
            address,
            browser,
            seconds: FLOW_LIFE / 1000,
        })
    }

    /// Uses up what was begun, where this answer belongs to it.
    async fn take_flow(&self, provider: &Provider, state: &str, browser: Option<&str>) -> Result<Flow> {
        let label = &provider.label;
        if state.is_empty() {
            return Err(refused(format!(
                "The answer of {label} belongs to no sign-in. Begin again."
            )));
        }
        let digest = &crypto::digest(state);
        let taken = self
            .db
            .write(Write::interactive("accounts.answer"), |tx| {
                Box::pin(async move { store::identities::take(tx, digest).await })
            })
            .await?;
        let Some(flow) = taken.filter(|flow| self.now() < flow.expires_at) else {
            let text = "This sign-in was answered already, or was begun more than ten minutes ago. Begin again.";
            return Err(refused(text));
        };
        if flow.provider != provider.name {
            tracing::warn!(
                begun = flow.provider,
                answered = provider.name,
                "the answer to a sign-in came to another provider's address"
            );
            let text = format!("This sign-in was begun with another provider than {label}. Begin again.");
            return Err(refused(text));
        }
        let same = browser.is_some_and(|secret| crypto::same(&crypto::digest(secret), &flow.browser));
        if !same {
            tracing::warn!(
                provider = provider.name,
                "the answer to a sign-in came from another browser"
            );
            let text =
                "This sign-in was begun in another browser, or cookies are switched off. Begin again in this one.";
            return Err(refused(text));
        }
        Ok(flow)
    }

    /// Takes what a provider sent back: signs in, or links.
    pub(in super::super) async fn finish(
        &self,
        name: &str,
        answered: &Answered,
        browser: Option<&str>,
        caller: &Caller,
        visitor: &Visitor,
        old: Option<&str>,
    ) -> Result<Arrived> {
        let provider = self.provider(name)?;
        let flow = self.take_flow(provider, &answered.state, browser).await?;
        let iss = answered.iss.as_deref();
        provider
            .check_issuer(iss)
            .await
            .map_err(|trouble| provider.error(&trouble))?;
        if let Some(error) = &answered.error {
            let label = &provider.label;
            return Err(refused(match word(error) {
                Some("access_denied") => format!("{label} did not let you in, or you said no there."),
                Some(error) => format!("{label} ended the sign-in ({error}). Begin again, or sign in another way."),
                None => format!("{label} ended the sign-in. Begin again, or sign in another way."),
            }));
        }
        let redeem = Redeem {
            back: &self.back_address(name),
            code: &answered.code,
            nonce: &flow.nonce,
            verifier: &flow.verifier,
        };
        let told = provider.redeem(redeem).await;
        let (mut told, id_token) = told.map_err(|trouble| provider.error(&trouble))?;
        told.mail = told.mail.and_then(|mail| names::mail(&mail).ok());
        check_domain(provider, &told)?;
        if let Some(account) = &flow.account_id {
            self.link_identity(caller, (provider, &told), account, visitor).await?;
            return Ok(Arrived::Linked {
                label: provider.label.clone(),
            });
        }
        let (account, identity_id) = self.settle(provider, &told).await?;
        let tie = Tie {
            identity_id,
            provider_session: told.session.clone(),
            id_token,
        };
        let asked_there = told.is_strong;
        let has_factor = self.factor(&account.id).await?.is_some();
        let whole = asked_there || (!has_factor && !self.needs_factor(&account).await?);
        let opened = self.opened_with(&account, whole, visitor, old, Some(&tie)).await?;
        let how = if whole {
            tracing::info!(account.id = %account.id, provider = name, address = visitor.address, "signed in through a provider");
            SignedIn::Whole(opened)
        } else {
            SignedIn::Half(opened)
        };
        Ok(Arrived::SignedIn { how, to: flow.target })
    }

    /// Where a browser that is signed in can sign out at its provider, too.
    pub(in super::super) async fn leaving(&self, secret: &str) -> Result<Option<Leaving>> {
        let Some(tie) = store::identities::tie_of(&self.db, &crypto::digest(secret)).await? else {
            return Ok(None);
        };
        let issuer = store::identities::issuer_of(&self.db, &tie.identity_id).await?;
        let Some(provider) = issuer.and_then(|issuer| self.provider_of(&issuer)) else {
            return Ok(None);
        };
        let back = format!("{}/", self.public_url);
        let address = provider.sign_out(tie.id_token.as_deref(), &back).await;
        Ok(address.map(|address| Leaving {
            label: provider.label.clone(),
            address,
        }))
    }

    /// Ends sessions by a logout token that a provider sent by itself. Answers how many.
    pub(in super::super) async fn end_by_provider(&self, name: &str, logout_token: &str) -> Result<u64> {
        let provider = self.provider(name)?;
        let ended = provider.ended(logout_token).await.map_err(|trouble| {
            let told = provider.error(&trouble);
            match told.code() {
                Code::Unavailable => told,
                _ => Error::new(Code::BadRequest, told.detail().to_owned()),
            }
        })?;
        let (issuer, ended) = (provider.issuer(), &ended);
        let count = self
            .db
            .write(Write::interactive("accounts.end-by-provider"), |tx| {
                Box::pin(async move {
                    tx.signal(Signal::Access);
                    let subject = ended.subject.as_deref();
                    match (&ended.session, subject) {
                        (Some(session), _) => {
                            store::identities::end_of_session(tx, issuer, subject, session, ended.before).await
                        }
                        (None, Some(subject)) => {
                            store::identities::end_of_subject(tx, issuer, subject, ended.before).await
                        }
                        (None, None) => Ok(0),
                    }
                })
            })
            .await?;
        tracing::info!(provider = name, sessions = count, "a provider ended sessions");
        Ok(count)
    }

    /// A session of somebody whom a provider vouched for within the last minutes.
    pub(super) async fn is_fresh(&self, secret: &str) -> Result<bool> {
        let session = self.session_of(secret).await?;
        let recent = session.is_some_and(|session| self.now() - session.created_at < FLOW_LIFE);
        Ok(recent
            && store::identities::tie_of(&self.db, &crypto::digest(secret))
                .await?
                .is_some())
    }

    /// Opens a session with what it came from: what a half session came from, the whole one after it comes from, too.
    pub(super) async fn opened_with(
        &self,
        account: &Account,
        whole: bool,
        visitor: &Visitor,
        old: Option<&str>,
        tie: Option<&Tie>,
    ) -> Result<Opened> {
        let opened = Opened::new(self.seconds_of(whole));
        let (each, id, digest) = (&opened, &account.id, &crypto::digest(&opened.secret));
        self.db
            .write(Write::interactive("accounts.sign-in"), |tx| {
                Box::pin(async move {
                    let before = match (tie, old) {
                        (None, Some(old)) => store::identities::tie_of_half(tx, &crypto::digest(old), id).await?,
                        _ => None,
                    };
                    self.open_session(tx, each, id, whole, visitor, old).await?;
                    match tie.or(before.as_ref()) {
                        Some(tie) => store::identities::tie(tx, digest, tie).await,
                        None => Ok(()),
                    }
                })
            })
            .await?;
        Ok(opened)
    }
}

/// Refuses who is from elsewhere, where the settings name domains.
fn check_domain(provider: &Provider, told: &Told) -> Result<()> {
    let allowed = &provider.settings.mail_domains;
    if allowed.is_empty() {
        return Ok(());
    }
    let label = &provider.label;
    let Some(mail) = told.mail.as_deref().filter(|_| told.mail_is_sure) else {
        let text = format!("{label} vouches for no mail address of yours, and only some addresses are let in here.");
        return Err(refused(text));
    };
    let domain = mail.rsplit_once('@').map_or("", |(_, domain)| domain);
    if allowed.iter().any(|one| one.eq_ignore_ascii_case(domain)) {
        return Ok(());
    }
    Err(refused(format!(
        "Only people with an address of {} are let in through {label}.",
        allowed.join(", ")
    )))
}
