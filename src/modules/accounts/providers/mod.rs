//! Signing in through others: providers of `OpenID` Connect, and GitHub.
//!
//! This room speaks with a provider and judges what it says; accounts, sessions and roles are the service's. The way is the
//! code flow with PKCE, state and nonce, one redirect address for each provider. It is written here on `ring`, which TLS
//! brings anyway, and not on `openidconnect`: that brings a second set of cryptography (`rsa`, `p256`, `p384`,
//! `ed25519-dalek`), `chrono` and some forty crates more, and leaves to its caller what is hard: key rotation, limits of
//! time and size, the `iss` answer, back-channel logout. What is left, reading signed tokens, is `jose.rs`.

mod claims;
mod github;
mod jose;
mod oidc;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

pub(super) use self::claims::{Told, roles};
use self::oidc::Cache;
use crate::kernel::clock::Clock;
use crate::kernel::config::Provider as Settings;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::fetch::{Ask, Fetch, Got, Policy, form};

/// Bytes that an answer of a provider may have.
const ANSWER_MOST: usize = 256 << 10;
/// The most bytes of a code.
const CODE_MOST: usize = 4096;

/// Why what a provider sent is not believed. Each is a sentence of its own for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error("its token is not one of three signed parts")]
    Malformed,
    #[error("its token is too large")]
    Large,
    #[error(
        "its token is signed by \"{0}\", and only signatures of a public key (RS256, PS256, ES256, EdDSA and their like) are taken"
    )]
    Algorithm(String),
    #[error("its token demands an extension that is not understood here")]
    Critical,
    #[error("its token is of another kind")]
    Kind,
    #[error("its token is signed with a key that it does not publish")]
    UnknownKey,
    #[error("the signature of its token does not fit its key")]
    Signature,
    #[error("its token names another issuer")]
    Issuer,
    #[error("its token is for somebody else, not for this house")]
    Audience,
    #[error("its token was made for another party than this house")]
    Party,
    #[error("its token has expired; look at the clocks of both machines")]
    Expired,
    #[error("its token is not valid yet; look at the clocks of both machines")]
    NotYet,
    #[error("its token does not say when it was made or when it ends")]
    Time,
    #[error("its token belongs to another sign-in")]
    Nonce,
    #[error("its token does not belong to the access that it gave")]
    AccessToken,
    #[error("its token does not say who it is about")]
    Subject,
    #[error("it told about somebody else than its token")]
    OtherSubject,
}

/// What went wrong with a provider.
#[derive(Clone, Debug)]
pub(super) enum Trouble {
    /// It does not answer, or not in a way that can be understood.
    Down(String),
    /// It answered, and the answer is not taken.
    Wrong(String),
}

impl From<Refused> for Trouble {
    fn from(refused: Refused) -> Self {
        Self::Wrong(refused.to_string())
    }
}

/// Somebody who says who somebody is.
pub(super) struct Provider {
    /// In addresses and settings.
    pub name: String,
    /// For people.
    pub label: String,
    pub settings: Settings,
    fetch: Fetch,
    clock: Clock,
    cache: tokio::sync::Mutex<Cache>,
}

/// What a sign-in begins with.
#[derive(Clone, Copy)]
pub(super) struct Begin<'a> {
    pub back: &'a str,
    pub state: &'a str,
    pub nonce: &'a str,
    pub verifier: &'a str,
}

/// What a sign-in ends with.
#[derive(Clone, Copy)]
pub(super) struct Redeem<'a> {
    pub back: &'a str,
    pub code: &'a str,
    pub nonce: &'a str,
    pub verifier: &'a str,
}

/// Every provider by name.
pub(super) type Providers = BTreeMap<String, Arc<Provider>>;

/// Those of the settings.
///
/// # Errors
/// A file of certificates that cannot be used.
pub(super) fn all(settings: &BTreeMap<String, Settings>, clock: &Clock) -> Result<Providers> {
    let one = |(name, settings): (&String, &Settings)| {
        let provider = Provider::new(name, settings.clone(), clock.clone())?;
        Ok((name.clone(), Arc::new(provider)))
    };
    settings.iter().map(one).collect()
}

impl Provider {
    fn new(name: &str, settings: Settings, clock: Clock) -> Result<Self> {
        let policy = Policy {
            private: settings.private_addresses,
            plain: settings.issuer.starts_with("http://"),
            timeout: Duration::from_secs(settings.timeout_seconds.max(1)),
            most: ANSWER_MOST,
            authorities: (!settings.ca_file.is_empty()).then(|| PathBuf::from(&settings.ca_file)),
        };
        let fetch = Fetch::new(policy).map_err(|error| {
            let place = format!("accounts.providers.{name}.ca_file");
            let said = error.fields().first().map(|field| field.message.clone());
            Error::invalid(place, said.unwrap_or_default())
        })?;
        let label = match settings.label.trim() {
            "" => name,
            label => label,
        };
        Ok(Self {
            label: label.to_owned(),
            name: name.to_owned(),
            settings,
            fetch,
            clock,
            cache: tokio::sync::Mutex::default(),
        })
    }

    fn is_github(&self) -> bool {
        self.settings.kind == "github"
    }

    /// The issuer under which identities are kept.
    pub(super) fn issuer(&self) -> &str {
        if self.is_github() {
            self.github_site()
        } else {
            &self.settings.issuer
        }
    }

    /// Where a browser is sent to sign in.
    pub(super) async fn begin(&self, begin: Begin<'_>) -> Result<String, Trouble> {
        let endpoint = match self.is_github() {
            true => format!("{}/login/oauth/authorize", self.github_site()),
            false => self.metadata().await?.authorization_endpoint.clone(),
        };
        let mut scopes: Vec<&str> = self.settings.scopes.iter().map(String::as_str).collect();
        let needed = match (self.is_github(), self.settings.roles.is_empty()) {
            (true, true) => &["user:email"][..],
            (true, false) => &["user:email", "read:org"],
            _ => &["openid"],
        };
        if self.is_github() {
            // Those of OpenID Connect mean nothing there.
            scopes.retain(|scope| !matches!(*scope, "openid" | "profile" | "email"));
        }
        scopes.extend(
            needed
                .iter()
                .filter(|scope| !self.settings.scopes.iter().any(|s| s == *scope)),
        );
        let scope = scopes.join(" ");
        let challenge = oidc::challenge(begin.verifier);
        let mut pairs = vec![
            ("response_type", "code"),
            ("client_id", &self.settings.client_id),
            ("redirect_uri", begin.back),
            ("scope", &scope),
            ("state", begin.state),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        if !self.is_github() {
            pairs.push(("nonce", begin.nonce));
        }
        Ok(with_query(&endpoint, &form(&pairs)))
    }

    /// Checks who answered: the parameter `iss` of the answer.
    pub(super) async fn check_issuer(&self, said: Option<&str>) -> Result<(), Trouble> {
        if self.is_github() {
            return Ok(());
        }
        let promised = self.metadata().await?.says_issuer();
        match said {
            Some(said) if said == self.settings.issuer => Ok(()),
            None if !promised => Ok(()),
            Some(_) => Err(Trouble::Wrong("the answer comes from another provider".to_owned())),
            None => Err(Trouble::Wrong("the answer does not say from whom it comes".to_owned())),
        }
    }

    /// Redeems a code. Answers who it is, and the token to sign out with.
    pub(super) async fn redeem(&self, redeem: Redeem<'_>) -> Result<(Told, Option<String>), Trouble> {
        if redeem.code.is_empty() || redeem.code.len() > CODE_MOST {
            return Err(Trouble::Wrong("its answer holds no code".to_owned()));
        }
        match self.is_github() {
            true => self.ask_github(redeem).await.map(|told| (told, None)),
            false => self.ask_oidc(redeem).await,
        }
    }

    /// Asks and reads the answer as an object of JSON.
    async fn object(&self, what: &str, ask: Ask) -> Result<Map<String, Value>, Trouble> {
        let got = self.got(what, ask).await?;
        let object = serde_json::from_slice(&got.body);
        object.map_err(|_| Trouble::Down(format!("{what} is not an object of JSON")))
    }

    async fn got(&self, what: &str, ask: Ask) -> Result<Got, Trouble> {
        let got = self.fetch.send(ask).await;
        let got = got.map_err(|fault| {
            let why = fault.whole();
            tracing::warn!(
                provider = self.name,
                what,
                why,
                "a provider of sign-ins was asked without success"
            );
            Trouble::Down(format!("{what} cannot be had: {fault}"))
        })?;
        if got.status.is_success() {
            return Ok(got);
        }
        let said = serde_json::from_slice::<Value>(&got.body).unwrap_or_default();
        let said = said.get("error").and_then(Value::as_str).unwrap_or_default();
        Err(match (got.status.is_client_error(), word(said)) {
            (true, Some(word)) => Trouble::Wrong(format!("it refused {what} ({word})")),
            _ => Trouble::Down(format!("{what} cannot be had: status {}", got.status.as_u16())),
        })
    }

    /// The error for people, told in the log as well.
    pub(super) fn error(&self, trouble: &Trouble) -> Error {
        let (label, name) = (&self.label, &self.name);
        match trouble {
            Trouble::Down(why) => {
                tracing::warn!(
                    provider = name,
                    why,
                    "a provider of sign-ins does not answer as it should"
                );
                let text =
                    format!("{label} cannot be asked right now: {why}. Try again in a minute, or sign in another way.");
                Error::new(Code::Unavailable, text)
            }
            Trouble::Wrong(why) => {
                tracing::warn!(provider = name, why, "an answer of a provider of sign-ins was refused");
                let text = format!(
                    "The answer of {label} was not taken: {why}. Begin again; if it stays so, tell whoever looks after \
                     accounts here."
                );
                Error::new(Code::Unauthenticated, text)
            }
        }
    }
}

/// A word of the standard, as it may be shown: never a text of the provider's own.
pub(super) fn word(said: &str) -> Option<&str> {
    let fine = !said.is_empty() && said.len() <= 40 && said.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    fine.then_some(said)
}

/// An address with more in its query.
fn with_query(endpoint: &str, query: &str) -> String {
    let joint = if endpoint.contains('?') { '&' } else { '?' };
    format!("{endpoint}{joint}{query}")
}
