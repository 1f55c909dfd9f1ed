//! What a checked token must say, and what it tells about somebody. No I/O; time is an argument.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Map, Value};

use super::Refused;
use super::jose::Checked;
use crate::kernel::config::{Provider as Settings, RoleRule};
use crate::kernel::crypto;

/// Seconds by which the clocks of provider and house may differ.
const SKEW: i64 = 60;
/// Seconds after which a logout token is too old.
const LOGOUT_AGE: i64 = 10 * 60;
/// The most bytes of a subject.
const SUBJECT_MOST: usize = 255;
/// The most groups that are looked at.
const GROUPS_MOST: usize = 2000;
const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";

type Claims = Map<String, Value>;

/// What is known before the token comes.
#[derive(Clone, Copy)]
pub(in super::super) struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    /// Milliseconds since 1970.
    pub now: i64,
}

/// Somebody, as the provider tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Told {
    pub subject: String,
    /// The provider's session.
    pub session: Option<String>,
    pub name: Option<String>,
    /// A name to sign in with, if the provider has one.
    pub login: Option<String>,
    pub mail: Option<String>,
    /// The provider vouches for the address, or is trusted with it.
    pub mail_is_sure: bool,
    /// None: the provider said nothing that can be relied on, so that roles stay as they are.
    pub groups: Option<Vec<String>>,
    /// The provider has asked for a second factor.
    pub is_strong: bool,
}

/// Whose sessions are to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Ended {
    pub subject: Option<String>,
    pub session: Option<String>,
    /// Milliseconds: what was opened after this stays.
    pub before: i64,
}

fn text<'c>(claims: &'c Claims, key: &str) -> Option<&'c str> {
    let text = claims.get(key)?.as_str()?.trim();
    (!text.is_empty() && !text.contains('\0')).then_some(text)
}

/// Seconds; providers write whole numbers, some with a fraction.
#[expect(clippy::cast_possible_truncation, reason = "what does not fit is no time")]
fn seconds(claims: &Claims, key: &str) -> Result<Option<i64>, Refused> {
    match claims.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let whole = value.as_i64().or_else(|| value.as_f64().map(|float| float as i64));
            whole
                .filter(|seconds| (0..1 << 40).contains(seconds))
                .map(Some)
                .ok_or(Refused::Time)
        }
    }
}

/// Issuer, audience and the party it was made for.
fn check_parties(claims: &Claims, expected: Expected<'_>) -> Result<(), Refused> {
    if claims.get("iss").and_then(Value::as_str) != Some(expected.issuer) {
        return Err(Refused::Issuer);
    }
    let ours = |value: &Value| value.as_str() == Some(expected.client_id);
    let (named, others) = match claims.get("aud") {
        Some(Value::Array(all)) => (all.iter().any(ours), all.len() > 1),
        Some(one) => (ours(one), false),
        None => (false, false),
    };
    if !named {
        return Err(Refused::Audience);
    }
    match claims.get("azp") {
        Some(party) if !ours(party) => Err(Refused::Party),
        None if others => Err(Refused::Party),
        _ => Ok(()),
    }
}

fn check_times(claims: &Claims, expected: Expected<'_>) -> Result<i64, Refused> {
    let now = expected.now / 1000;
    let issued = seconds(claims, "iat")?.ok_or(Refused::Time)?;
    if issued > now + SKEW || seconds(claims, "nbf")?.is_some_and(|from| from > now + SKEW) {
        return Err(Refused::NotYet);
    }
    if seconds(claims, "exp")?.is_some_and(|until| until <= now - SKEW) {
        return Err(Refused::Expired);
    }
    Ok(issued)
}

fn subject(claims: &Claims) -> Result<String, Refused> {
    let found = claims.get("sub").and_then(Value::as_str).unwrap_or_default();
    let fits = !found.is_empty() && found.len() <= SUBJECT_MOST && !found.chars().any(char::is_control);
    fits.then(|| found.to_owned()).ok_or(Refused::Subject)
}

/// Checks an ID token whose signature is right. Answers its subject.
pub(in super::super) fn check_id_token(
    token: &Checked,
    expected: Expected<'_>,
    nonce: &str,
    access_token: Option<&str>,
) -> Result<String, Refused> {
    let claims = &token.claims;
    check_parties(claims, expected)?;
    check_times(claims, expected)?;
    seconds(claims, "exp")?.ok_or(Refused::Time)?;
    let said = claims.get("nonce").and_then(Value::as_str).unwrap_or_default();
    if !crypto::same(said, nonce) {
        return Err(Refused::Nonce);
    }
    if let (Some(hash), Some(access_token)) = (claims.get("at_hash"), access_token) {
        let digest = ring::digest::digest(token.algorithm.hash(), access_token.as_bytes());
        let half = &digest.as_ref()[..digest.as_ref().len() / 2];
        if hash.as_str() != Some(BASE64.encode(half).as_str()) {
            return Err(Refused::AccessToken);
        }
    }
    subject(claims)
}

/// Checks a logout token whose signature is right.
pub(in super::super) fn check_logout(claims: &Claims, expected: Expected<'_>) -> Result<Ended, Refused> {
    check_parties(claims, expected)?;
    let issued = check_times(claims, expected)?;
    if issued < expected.now / 1000 - LOGOUT_AGE {
        return Err(Refused::Expired);
    }
    let is_logout = claims
        .get("events")
        .and_then(|events| events.get(LOGOUT))
        .is_some_and(Value::is_object);
    if !is_logout || claims.contains_key("nonce") || text(claims, "jti").is_none() {
        return Err(Refused::Kind);
    }
    let session = text(claims, "sid").map(str::to_owned);
    let subject = match claims.contains_key("sub") {
        true => Some(subject(claims)?),
        false => None,
    };
    if session.is_none() && subject.is_none() {
        return Err(Refused::Subject);
    }
    Ok(Ended {
        subject,
        session,
        before: (issued + SKEW) * 1000,
    })
}

/// What claims tell about a subject that was checked. `more` are those of the user information, which goes before.
pub(in super::super) fn told(subject: String, claims: &Claims, more: &Claims, settings: &Settings) -> Told {
    let find = |key: &str| text(more, key).or_else(|| text(claims, key)).map(str::to_owned);
    let mail = find("email");
    let vouched = |claims: &Claims| {
        let said = claims.get("email_verified");
        said.is_some_and(|said| *said == Value::Bool(true) || said.as_str() == Some("true"))
            && text(claims, "email") == mail.as_deref()
    };
    let full = || {
        let parts: Vec<String> = ["given_name", "family_name"].into_iter().filter_map(find).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    };
    Told {
        subject,
        session: find("sid"),
        name: find("name").or_else(full),
        login: find("preferred_username"),
        mail_is_sure: settings.trust_mail || vouched(claims) || vouched(more),
        mail,
        groups: groups(claims, more, &settings.groups_claim),
        is_strong: is_strong(claims, &settings.second_factor),
    }
}

/// True where something of it is missing that the user information may hold.
pub(in super::super) fn wants_more(claims: &Claims, settings: &Settings) -> bool {
    let groups = !settings.roles.is_empty() && at(claims, &settings.groups_claim).is_none();
    groups || text(claims, "email").is_none() || text(claims, "name").is_none()
}

/// A claim by its name, or by a path of names with dots.
fn at<'c>(claims: &'c Claims, path: &str) -> Option<&'c Value> {
    if let Some(found) = claims.get(path) {
        return Some(found);
    }
    let mut parts = path.split('.');
    let first = claims.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.get(part))
}

fn groups(claims: &Claims, more: &Claims, path: &str) -> Option<Vec<String>> {
    // "Too many to list": a provider that says so has said nothing.
    let left_out = claims
        .get("_claim_names")
        .is_some_and(|names| names.get(path).is_some())
        || claims.get("hasgroups").is_some_and(|has| *has == Value::Bool(true));
    let list = match at(claims, path).or_else(|| at(more, path)) {
        Some(Value::Array(list)) => list.iter().collect(),
        Some(one @ Value::String(_)) => vec![one],
        Some(_) | None if left_out => return None,
        Some(_) | None => Vec::new(),
    };
    let names = list.into_iter().filter_map(Value::as_str).take(GROUPS_MOST);
    Some(names.map(str::to_owned).collect())
}

fn is_strong(claims: &Claims, words: &[String]) -> bool {
    let is_word = |said: &Value| said.as_str().is_some_and(|said| words.iter().any(|word| word == said));
    let methods = claims.get("amr").and_then(Value::as_array);
    claims.get("acr").is_some_and(is_word) || methods.is_some_and(|all| all.iter().any(is_word))
}

/// The roles that groups give, each once.
pub(in super::super) fn roles(groups: &[String], rules: Vec<RoleRule>) -> Vec<(String, String)> {
    let mut roles: Vec<(String, String)> = rules
        .into_iter()
        .filter(|rule| rule.group == "*" || groups.contains(&rule.group))
        .map(|rule| (rule.role, rule.place))
        .collect();
    roles.sort_unstable();
    roles.dedup();
    roles
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Claims {
        match value {
            Value::Object(claims) => claims,
            other => panic!("{other} is no object"),
        }
    }

    #[test]
    fn groups_are_found_where_providers_put_them() {
        let of = |claims: Value, path: &str| groups(&map(claims), &Claims::new(), path);
        let two = Some(vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(of(json!({"groups": ["a", "b", 3]}), "groups"), two);
        assert_eq!(
            of(json!({"realm_access": {"roles": ["a", "b"]}}), "realm_access.roles"),
            two
        );
        assert_eq!(
            of(json!({"https://x.example/g": ["a", "b"]}), "https://x.example/g"),
            two
        );
        assert_eq!(of(json!({"groups": "a"}), "groups"), Some(vec!["a".to_owned()]));
        assert_eq!(of(json!({}), "groups"), Some(Vec::new()));
        assert_eq!(of(json!({"hasgroups": true}), "groups"), None);
        assert_eq!(of(json!({"_claim_names": {"groups": "src1"}}), "groups"), None);
    }

    #[test]
    fn only_vouched_addresses_are_sure() {
        let settings = Settings::unset().unwrap();
        let sure = |claims: Value, more: Value, settings: &Settings| {
            told("s".to_owned(), &map(claims), &map(more), settings).mail_is_sure
        };
        let none = json!({});
        assert!(sure(
            json!({"email": "a@b", "email_verified": true}),
            none.clone(),
            &settings
        ));
        assert!(sure(
            json!({"email": "a@b", "email_verified": "true"}),
            none.clone(),
            &settings
        ));
        assert!(!sure(json!({"email": "a@b"}), none.clone(), &settings));
        assert!(!sure(
            json!({"email": "a@b", "email_verified": true}),
            json!({"email": "c@d"}),
            &settings
        ));
        let trusting = Settings {
            trust_mail: true,
            ..settings
        };
        assert!(sure(json!({"email": "a@b"}), none, &trusting));
    }
}
