//! `OpenID` Connect: what a provider says about itself and its keys, both kept for a while; codes, user information, signing
//! out there, and what it says when somebody signed out there.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hyper::header::{ACCEPT, AUTHORIZATION};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::claims::{self, Ended, Expected, Told};
use super::jose::{Checked, Keys, Unchecked};
use super::{Provider, Redeem, Refused, Trouble, with_query};
use crate::kernel::fetch::{Ask, Place, encoded, form};

const HOUR: i64 = 60 * 60 * 1000;
/// What a provider said about itself is used for so long when it does not answer any more.
const OLDEST: i64 = 24 * HOUR;
/// After it did not answer nobody asks for so long: many who wait would each wait in turn.
const PAUSE: i64 = 5 * 1000;
/// Keys are asked for anew at most so often, whatever tokens say.
const KEYS_PAUSE: i64 = 30 * 1000;
/// The most bytes of a token that goes into an address.
const HINT_MOST: usize = 3000;
const JSON: &str = "application/json";

/// What a provider says about itself.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Metadata {
    issuer: String,
    pub authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    end_session_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    authorization_response_iss_parameter_supported: Option<bool>,
}

impl Metadata {
    pub(super) fn says_issuer(&self) -> bool {
        self.authorization_response_iss_parameter_supported.unwrap_or(false)
    }
}

struct Known<T> {
    value: Arc<T>,
    at: i64,
}

impl<T> Known<T> {
    fn within(known: Option<&Self>, now: i64, life: i64) -> Option<Arc<T>> {
        known
            .filter(|known| (0..life).contains(&(now - known.at)))
            .map(|known| known.value.clone())
    }
}

/// What is remembered of a provider.
#[derive(Default)]
pub(super) struct Cache {
    metadata: Option<Known<Metadata>>,
    keys: Option<Known<Keys>>,
    /// When keys were asked for last, whether they came or not.
    keys_asked: Option<i64>,
    failed: Option<(i64, Trouble)>,
}

/// What a verifier is shown as before it is needed.
pub(super) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

impl Provider {
    fn expected(&self) -> Expected<'_> {
        Expected {
            issuer: &self.settings.issuer,
            client_id: &self.settings.client_id,
            now: self.clock.now(),
        }
    }

    pub(super) async fn metadata(&self) -> Result<Arc<Metadata>, Trouble> {
        let mut cache = self.cache.lock().await;
        let now = self.clock.now();
        if let Some(known) = Known::within(cache.metadata.as_ref(), now, HOUR) {
            return Ok(known);
        }
        let old = Known::within(cache.metadata.as_ref(), now, OLDEST);
        if let Some((at, trouble)) = &cache.failed
            && (0..PAUSE).contains(&(now - at))
        {
            return old.ok_or_else(|| trouble.clone());
        }
        match self.discover().await {
            Ok(found) => {
                let value = Arc::new(found);
                cache.failed = None;
                cache.metadata = Some(Known {
                    value: value.clone(),
                    at: self.clock.now(),
                });
                Ok(value)
            }
            Err(trouble) => {
                tracing::warn!(
                    provider = self.name,
                    ?trouble,
                    "a provider of sign-ins says nothing about itself"
                );
                cache.failed = Some((self.clock.now(), trouble.clone()));
                old.ok_or(trouble)
            }
        }
    }

    async fn discover(&self) -> Result<Metadata, Trouble> {
        let issuer = &self.settings.issuer;
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let what = "what it says about itself";
        let object = self.object(what, Ask::get(&url).header(ACCEPT, JSON)).await?;
        let found = Metadata::deserialize(Value::Object(object))
            .map_err(|error| Trouble::Down(format!("{what} is not whole: {error}")))?;
        if found.issuer != *issuer {
            let said: String = found.issuer.chars().take(200).collect();
            let text = format!("it calls itself \"{said}\", and the setting \"issuer\" says \"{issuer}\"");
            return Err(Trouble::Down(text));
        }
        let secure = issuer.starts_with("https://");
        let places = [&found.authorization_endpoint, &found.token_endpoint, &found.jwks_uri];
        let more = [&found.userinfo_endpoint, &found.end_session_endpoint];
        for url in places.into_iter().chain(more.into_iter().flatten()) {
            let place = Place::read(url).map_err(|fault| Trouble::Down(format!("{what} is wrong: {fault}")))?;
            if secure && !place.secure {
                let text = format!("{what} is wrong: {} would be asked without TLS", place.host);
                return Err(Trouble::Down(text));
            }
        }
        Ok(found)
    }

    /// The keys with which a token of this key id can be checked, asked for anew where they are old or do not know it.
    async fn keys(&self, uri: &str, kid: Option<&str>) -> Result<Arc<Keys>, Trouble> {
        let mut cache = self.cache.lock().await;
        let now = self.clock.now();
        let known = Known::within(cache.keys.as_ref(), now, HOUR);
        if let Some(known) = known.as_ref().filter(|keys| keys.knows(kid)) {
            return Ok(known.clone());
        }
        if cache.keys_asked.is_some_and(|at| (0..KEYS_PAUSE).contains(&(now - at))) {
            let soon = || Trouble::Down("its keys were asked for a moment ago, without success".to_owned());
            return known.ok_or_else(soon);
        }
        cache.keys_asked = Some(now);
        let got = self.got("its keys", Ask::get(uri).header(ACCEPT, JSON)).await?;
        let keys = Keys::read(&got.body).ok_or_else(|| Trouble::Down("its keys are not a set of keys".to_owned()))?;
        let value = Arc::new(keys);
        cache.keys = Some(Known {
            value: value.clone(),
            at: self.clock.now(),
        });
        Ok(value)
    }

    async fn checked(&self, metadata: &Metadata, token: &str, kinds: &[&str]) -> Result<Checked, Trouble> {
        let token = Unchecked::read(token, kinds)?;
        let keys = self.keys(&metadata.jwks_uri, token.kid()).await?;
        Ok(token.check(&keys)?)
    }

    pub(super) async fn ask_oidc(&self, redeem: Redeem<'_>) -> Result<(Told, Option<String>), Trouble> {
        let metadata = self.metadata().await?;
        let answer = self.object("the code", self.token_request(&metadata, redeem)?).await?;
        let text = |key: &str| answer.get(key).and_then(Value::as_str);
        let id_token =
            text("id_token").ok_or_else(|| Trouble::Wrong("it sent no token that says who it is".to_owned()))?;
        let checked = self.checked(&metadata, id_token, &["JWT"]).await?;
        let access_token = text("access_token");
        let subject = claims::check_id_token(&checked, self.expected(), redeem.nonce, access_token)?;
        let mut more = Map::new();
        if let (Some(url), Some(access_token)) = (&metadata.userinfo_endpoint, access_token)
            && claims::wants_more(&checked.claims, &self.settings)
        {
            let ask = Ask::get(url).header(ACCEPT, JSON);
            let ask = ask.header(AUTHORIZATION, &format!("Bearer {access_token}"));
            more = self.object("the user information", ask).await?;
            if more.get("sub").and_then(Value::as_str) != Some(subject.as_str()) {
                return Err(Refused::OtherSubject.into());
            }
        }
        let told = claims::told(subject, &checked.claims, &more, &self.settings);
        Ok((told, Some(id_token.to_owned())))
    }

    fn token_request(&self, metadata: &Metadata, redeem: Redeem<'_>) -> Result<Ask, Trouble> {
        let (id, secret) = (&self.settings.client_id, self.settings.client_secret.reveal());
        let mut pairs = vec![
            ("grant_type", "authorization_code"),
            ("code", redeem.code),
            ("redirect_uri", redeem.back),
            ("code_verifier", redeem.verifier),
        ];
        let offers = |method: &str| {
            let methods = metadata.token_endpoint_auth_methods_supported.as_ref();
            methods.map(|methods| methods.iter().any(|m| m == method))
        };
        let url = &metadata.token_endpoint;
        if secret.is_empty() {
            pairs.push(("client_id", id));
            return Ok(Ask::form(url, &pairs).header(ACCEPT, JSON));
        }
        if offers("client_secret_basic").unwrap_or(true) {
            let basic = STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret)));
            let ask = Ask::form(url, &pairs).header(ACCEPT, JSON);
            return Ok(ask.header(AUTHORIZATION, &format!("Basic {basic}")));
        }
        if offers("client_secret_post").unwrap_or(false) {
            pairs.extend([("client_id", id.as_str()), ("client_secret", secret)]);
            return Ok(Ask::form(url, &pairs).header(ACCEPT, JSON));
        }
        let text = "it takes the secret neither as client_secret_basic nor as client_secret_post";
        Err(Trouble::Down(text.to_owned()))
    }

    /// Where a browser signs out there, too, and comes back from; none where the provider does not offer it or it is not
    /// wanted. Nobody waits for a provider that does not answer.
    pub(in super::super) async fn sign_out(&self, id_token: Option<&str>, back: &str) -> Option<String> {
        if self.is_github() || !self.settings.sign_out {
            return None;
        }
        let metadata = {
            let cache = self.cache.try_lock().ok()?;
            Known::within(cache.metadata.as_ref(), self.clock.now(), OLDEST)
        };
        let metadata = match metadata {
            Some(known) => known,
            None => self.metadata().await.ok()?,
        };
        let endpoint = metadata.end_session_endpoint.as_ref()?;
        let mut pairs = vec![
            ("client_id", self.settings.client_id.as_str()),
            ("post_logout_redirect_uri", back),
        ];
        if let Some(hint) = id_token.filter(|token| token.len() <= HINT_MOST) {
            pairs.push(("id_token_hint", hint));
        }
        Some(with_query(endpoint, &form(&pairs)))
    }

    /// Whose sessions end, by a logout token that the provider itself sent.
    pub(in super::super) async fn ended(&self, logout_token: &str) -> Result<Ended, Trouble> {
        if self.is_github() {
            return Err(Refused::Kind.into());
        }
        let metadata = self.metadata().await?;
        let checked = self.checked(&metadata, logout_token, &["logout+jwt", "JWT"]).await?;
        Ok(claims::check_logout(&checked.claims, self.expected())?)
    }
}
